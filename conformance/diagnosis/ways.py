"""How a text may have been signed with a key: the right way of each algorithm, and the wrong ones that occur."""

import base64
import hashlib
import hmac
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, SHA384, SHA512, HashAlgorithm

from conformance.diagnosis.form import Mistake

__all__ = ["Key", "KnownKey", "Way", "algorithm_of", "cost", "curve_name", "half_size", "ways"]

Key = bytes | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | rsa.RSAPublicKey


@dataclass(frozen=True)
class KnownKey:
    """A key that may have signed.

    Args:
        name: What people call it, such as the name of its file.
        key: The public key; bytes are a shared secret.
        ids: The ids under which it may be named in a signature.
    """

    name: str
    key: Key
    ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class Way:
    """One way to sign.

    Args:
        mistake: What is wrong with it, None for the right way.
        rank: How rare it is: 0 for what is met often, 2 for what is met seldom.
        verifies: Whether a signature of a text was made so.
    """

    mistake: Mistake | None
    rank: int
    verifies: Callable[[bytes, bytes], bool]


_CURVES: dict[str, tuple[HashAlgorithm, str, str]] = {
    "secp256r1": (SHA256(), "ecdsa-p256-sha256", "P-256"),
    "secp384r1": (SHA384(), "ecdsa-p384-sha384", "P-384"),
    "secp521r1": (SHA512(), "", "P-521"),
    "secp256k1": (SHA256(), "", "secp256k1"),
}
_HASHES = {"sha256": SHA256(), "sha384": SHA384(), "sha512": SHA512()}
_TITLES = {"sha256": "SHA-256", "sha384": "SHA-384", "sha512": "SHA-512", "sha1": "SHA-1"}
_COSTS = {"secp384r1": 35, "secp521r1": 60, "secp256r1": 5, "secp256k1": 35}


def curve_name(key: Key) -> str:
    """The usual name of a key's curve or kind, such as ``P-384``."""
    match key:
        case ec.EllipticCurvePublicKey():
            return _CURVES[key.curve.name][2] if key.curve.name in _CURVES else key.curve.name
        case ed25519.Ed25519PublicKey():
            return "Ed25519"
        case rsa.RSAPublicKey():
            return f"RSA, {key.key_size} bits"
    return "a shared secret"


def algorithm_of(key: Key, declared: str | None = None) -> str | None:
    """The algorithm of RFC 9421 (section 6.2.2) that a key is used with, None if there is none.

    Args:
        key: The key.
        declared: What the signature says; RSA keys can be used with two.
    """
    match key:
        case bytes():
            return "hmac-sha256"
        case ec.EllipticCurvePublicKey():
            return (_CURVES[key.curve.name][1] or None) if key.curve.name in _CURVES else None
        case ed25519.Ed25519PublicKey():
            return "ed25519"
        case rsa.RSAPublicKey():
            return "rsa-v1_5-sha256" if declared == "rsa-v1_5-sha256" else "rsa-pss-sha512"


def half_size(key: Key) -> int | None:
    """Bytes of r and of s with an elliptic curve, None with other algorithms."""
    return (key.curve.key_size + 7) // 8 if isinstance(key, ec.EllipticCurvePublicKey) else None


def cost(key: Key) -> int:
    """About how long one try takes, in hundredths of a millisecond."""
    return _COSTS.get(key.curve.name, 40) if isinstance(key, ec.EllipticCurvePublicKey) else 6


def ways(key: Key, declared: str | None) -> Iterator[Way]:
    """The ways in which a key may have signed, the right one first.

    Args:
        key: The key.
        declared: The algorithm that the signature declares.
    """
    match key:
        case ec.EllipticCurvePublicKey():
            return _ecdsa(key)
        case ed25519.Ed25519PublicKey():
            return _ed25519(key)
        case rsa.RSAPublicKey():
            return _rsa(key, declared)
    return _hmac(key)


def _digest(name: str, text: bytes) -> bytes:
    return hashlib.new(name, text).digest()


def _ecdsa(key: ec.EllipticCurvePublicKey) -> Iterator[Way]:
    own = _CURVES[key.curve.name][0] if key.curve.name in _CURVES else SHA256()

    def over(digest: Callable[[bytes], bytes], algorithm: HashAlgorithm) -> Callable[[bytes, bytes], bool]:
        scheme, half = ec.ECDSA(Prehashed(algorithm)), half_size(key) or 0

        def verifies(text: bytes, signature: bytes) -> bool:
            r, s = int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big")
            hashed = digest(text)
            if len(hashed) != algorithm.digest_size:
                return False
            try:
                key.verify(encode_dss_signature(r, s), hashed, scheme)
            except (InvalidSignature, UnsupportedAlgorithm, ValueError):
                return False
            return True

        return verifies

    name, title = own.name, _TITLES[own.name]
    yield Way(None, 0, over(lambda text: _digest(name, text), own))
    for other, algorithm in _HASHES.items():
        if other != name:
            facts = {"used": _TITLES[other], "right": title}
            yield Way(Mistake("other-hash", facts), 0, over(_hashing(other), algorithm))
    for rank, mistake, prepared in _prehashed(name):
        yield Way(mistake, rank, over(_after(prepared, name), own))
    other = "sha256" if name != "sha256" else "sha384"
    facts = {"used": f"{_TITLES[other]} twice", "right": title}
    yield Way(Mistake("other-hash", facts), 1, over(_after(_hashing(other), other), _HASHES[other]))
    yield Way(Mistake("other-hash", {"used": "SHA-1", "right": title}), 2, over(_hashing("sha1"), SHA1()))  # noqa: S303  (looked for, not used)
    facts = {"used": "Keccak-256", "right": title}
    if key.curve.name == "secp256k1":  # by a library for wallets, which knows no other curve
        yield Way(Mistake("other-hash", facts), 2, over(_keccak, SHA256()))
    for name_of_third, algorithm in (("sha3_256", SHA256()), ("sha3_384", SHA384()), ("sha3_512", SHA512())):
        facts = {"used": name_of_third.upper().replace("_", "-"), "right": title}
        yield Way(Mistake("other-hash", facts), 2, over(_hashing(name_of_third), algorithm))
    size = own.digest_size
    yield Way(Mistake("base-not-hashed", {"right": title}), 2, over(lambda text: text[:size], own))


def _ed25519(key: ed25519.Ed25519PublicKey) -> Iterator[Way]:
    def over(prepared: Callable[[bytes], bytes]) -> Callable[[bytes, bytes], bool]:
        def verifies(text: bytes, signature: bytes) -> bool:
            try:
                key.verify(signature, prepared(text))
            except InvalidSignature:
                return False
            return True

        return verifies

    yield Way(None, 0, over(lambda text: text))
    for rank, mistake, prepared in _prehashed("sha512"):
        yield Way(mistake, rank, over(prepared))


_PSS, _OLD = "rsa-pss-sha512", "rsa-v1_5-sha256"


def _pss(algorithm: HashAlgorithm, salt: int | None = None) -> padding.PSS:
    return padding.PSS(padding.MGF1(algorithm), padding.PSS.AUTO if salt is None else salt)


def _rsa(key: rsa.RSAPublicKey, declared: str | None) -> Iterator[Way]:
    def over(
        prepared: Callable[[bytes], bytes], scheme: padding.AsymmetricPadding, algorithm: HashAlgorithm
    ) -> Callable[[bytes, bytes], bool]:
        def verifies(text: bytes, signature: bytes) -> bool:
            try:
                key.verify(signature, prepared(text), scheme, algorithm)
            except (InvalidSignature, UnsupportedAlgorithm, ValueError):
                return False
            return True

        return verifies

    right = _OLD if declared == _OLD else _PSS
    schemes: dict[str, tuple[padding.AsymmetricPadding, HashAlgorithm]] = {
        _PSS: (_pss(SHA512(), 64), SHA512()),
        _OLD: (padding.PKCS1v15(), SHA256()),
    }
    own = schemes[right]
    yield Way(None, 0, over(bytes, *own))
    if declared is None:
        yield Way(None, 0, over(bytes, *schemes[_OLD]))
    if right == _PSS:
        yield Way(Mistake("other-salt-length"), 0, over(bytes, _pss(SHA512()), SHA512()))
    for name, algorithm in _HASHES.items():
        for padded, scheme in (("PSS", _pss(algorithm)), ("PKCS #1 v1.5", padding.PKCS1v15())):
            facts = {"used": f"{padded} and {_TITLES[name]}", "right": right}
            yield Way(Mistake("other-rsa-scheme", facts), 1, over(bytes, scheme, algorithm))
    for rank, mistake, prepared in _prehashed(own[1].name):
        yield Way(mistake, rank, over(prepared, *own))


def _hmac(secret: bytes) -> Iterator[Way]:
    def over(key: bytes, name: str) -> Callable[[bytes, bytes], bool]:
        return lambda text, signature: hmac.compare_digest(hmac.digest(key, text, name), signature)

    yield Way(None, 0, over(secret, "sha256"))
    for name in ("sha512", "sha384", "sha1"):
        facts = {"used": _TITLES[name], "right": "SHA-256"}
        yield Way(Mistake("other-hash", facts), 0, over(secret, name))


def _prehashed(own: str) -> Iterator[tuple[int, Mistake, Callable[[bytes], bytes]]]:
    """What is made of a base before it is given to a function that hashes by itself: rank, mistake, how."""
    title = _TITLES[own]
    yield 0, Mistake("hashed-twice", {"hash": title}), _hashing(own)
    yield 1, Mistake("hex-of-hash-signed", {"hash": title}), lambda text: _digest(own, text).hex().encode()
    for name in _HASHES:
        if name == own:
            continue
        facts = {"hash": _TITLES[name]}
        yield (0 if name == "sha256" else 1), Mistake("hashed-twice", facts), _hashing(name)
        yield 1, Mistake("hex-of-hash-signed", facts), _hex_of(name)
    yield 2, Mistake("base64-of-hash-signed", {"hash": title}), lambda text: base64.b64encode(_digest(own, text))
    yield 2, Mistake("base64-of-base-signed"), base64.b64encode
    yield 2, Mistake("base-in-utf-16"), lambda text: text.decode("utf-8", "replace").encode("utf-16-le")
    yield 2, Mistake("base-with-byte-order-mark"), lambda text: b"\xef\xbb\xbf" + text
    yield 2, Mistake("hex-of-base-signed"), lambda text: text.hex().encode()


def _keccak(text: bytes) -> bytes:
    from eth_hash.auto import keccak  # noqa: PLC0415  (it takes long to load, and is seldom needed)

    return keccak(text)


def _hashing(name: str) -> Callable[[bytes], bytes]:
    return lambda text: _digest(name, text)


def _hex_of(name: str) -> Callable[[bytes], bytes]:
    return lambda text: _digest(name, text).hex().encode()


def _after(prepared: Callable[[bytes], bytes], name: str) -> Callable[[bytes], bytes]:
    return lambda text: _digest(name, prepared(text))
