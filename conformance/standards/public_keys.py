"""Public keys in the forms in which people have them: PEM, certificate, DER, base64 of these, JWK, OpenSSH, a point."""

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    load_der_public_key,
    load_pem_private_key,
    load_pem_public_key,
    load_ssh_public_key,
)

from conformance.standards.signing_keys import KeyRejected, kind_of

__all__ = ["VerifyingKey", "read_public_keys"]

VerifyingKey = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | rsa.RSAPublicKey

_EXPECTED = (
    "expected a public key as PEM text (-----BEGIN PUBLIC KEY-----), a certificate, a JSON Web Key, or an OpenSSH key"
)
_PEM = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----", re.DOTALL)
_JWK_CURVES = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1(), "P-521": ec.SECP521R1(), "secp256k1": ec.SECP256K1()}
_POINT_CURVES = {33: ec.SECP256R1(), 65: ec.SECP256R1(), 49: ec.SECP384R1(), 97: ec.SECP384R1()}
_UNREADABLE = (
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    NotImplementedError,
    UnsupportedAlgorithm,
    RecursionError,
)


def read_public_keys(content: bytes) -> list[tuple[str | None, VerifyingKey]]:
    """The public keys in a file, each with its id, where the form has one.

    A private key stands for its public part.

    Args:
        content: What the file holds.

    Raises:
        KeyRejected: If it holds none that can be read.
    """
    try:
        found = [(name, _kept(key)) for name, key in _keys(content.removeprefix(b"\xef\xbb\xbf").strip())]
    except KeyRejected:
        raise
    except _UNREADABLE as error:
        raise KeyRejected(f"The key cannot be read ({error or type(error).__name__}); {_EXPECTED}.") from error
    if not found:
        raise KeyRejected(f"There is no key; {_EXPECTED}.")
    return found


def _kept(key: object) -> VerifyingKey:
    public = key.public_key() if hasattr(key, "public_key") else key
    if not isinstance(public, ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | rsa.RSAPublicKey):
        raise KeyRejected(f"{kind_of(public)} was given; expected one of an elliptic curve, Ed25519 or RSA.")
    return public


def _keys(content: bytes) -> Iterator[tuple[str | None, object]]:
    if blocks := list(_PEM.finditer(content)):
        for found in blocks:
            if found[1] != b"EC PARAMETERS":
                yield None, _from_pem(found[1], found[0])
    elif content.startswith((b"{", b"[")):
        yield from _from_json(json.loads(content))
    elif content.startswith((b"ssh-", b"ecdsa-sha2-")):
        yield None, load_ssh_public_key(content)
    elif point := _from_hex(content):
        yield None, point
    else:
        yield from _from_binary(content)


def _from_pem(kind: bytes, block: bytes) -> object:
    if kind == b"CERTIFICATE":
        from cryptography.x509 import load_pem_x509_certificate  # noqa: PLC0415  (it takes long to load)

        return load_pem_x509_certificate(block).public_key()
    if b"PRIVATE KEY" in kind:
        return load_pem_private_key(block, password=None)
    return load_pem_public_key(block)


def _from_hex(content: bytes) -> VerifyingKey | None:
    digits = content.removeprefix(b"0x")
    if not re.fullmatch(rb"(?:[0-9a-fA-F]{2})+", digits):
        return None
    point = bytes.fromhex(digits.decode())
    curve = _POINT_CURVES.get(len(point))
    return None if curve is None else ec.EllipticCurvePublicKey.from_encoded_point(curve, point)


def _from_binary(content: bytes) -> Iterator[tuple[str | None, object]]:
    if content[:1] == b"\x30":
        try:
            yield None, load_der_public_key(content)
        except ValueError:
            from cryptography.x509 import load_der_x509_certificate  # noqa: PLC0415  (it takes long to load)

            yield None, load_der_x509_certificate(content).public_key()
        return
    try:
        inner = base64.b64decode(b"".join(content.split()), validate=True)
    except (binascii.Error, ValueError):
        return
    if inner[:1] == b"\x30" or _PEM.search(inner):
        yield from _keys(inner)


def _from_json(document: Any) -> Iterator[tuple[str | None, object]]:
    keys = document.get("keys", [document]) if isinstance(document, dict) else document
    for each in keys:
        name = each.get("kid")
        yield (name if isinstance(name, str) else None), _from_jwk(each)


def _from_jwk(jwk: Mapping[str, Any]) -> VerifyingKey:
    """The key of a JSON Web Key (RFC 7518, section 6; RFC 8037, section 2)."""
    match jwk.get("kty"):
        case "EC":
            return ec.EllipticCurvePublicNumbers(
                _number(jwk["x"]), _number(jwk["y"]), _JWK_CURVES[jwk["crv"]]
            ).public_key()
        case "OKP":
            return ed25519.Ed25519PublicKey.from_public_bytes(_bytes(jwk["x"]))
        case "RSA":
            return rsa.RSAPublicNumbers(_number(jwk["e"]), _number(jwk["n"])).public_key()
    raise KeyRejected(f"The JSON Web Key has the kty {jwk.get('kty')!r}; expected EC, OKP or RSA.")


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _number(text: str) -> int:
    return int.from_bytes(_bytes(text), "big")
