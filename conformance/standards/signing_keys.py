"""Signing keys on P-384, as PEM text and from a seed."""

import base64
import hashlib
import re
from functools import lru_cache

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

__all__ = [
    "KeyRejected",
    "key_from_seed",
    "kind_of",
    "load_private_key",
    "load_public_key",
    "private_pem",
    "public_pem",
]

_P384_COMMAND = "openssl ecparam -name secp384r1 -genkey -noout"


class KeyRejected(ValueError):  # noqa: N818 - a judgement of the input, named as such
    """A key that cannot be read or does not fit; the message says what was given and what is expected."""


@lru_cache(maxsize=1024)
def key_from_seed(seed: bytes) -> ec.EllipticCurvePrivateKey:
    """The P-384 private key that follows from `seed`: the same seed gives the same key; the last thousand are kept."""
    curve = ec.SECP384R1()
    number = int.from_bytes(hashlib.shake_256(seed).digest(64), "big")
    return ec.derive_private_key(1 + number % (curve.group_order - 1), curve)


def private_pem(key: ec.EllipticCurvePrivateKey) -> str:
    """The private `key` as PEM text (PKCS #8, not encrypted)."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def public_pem(key: ec.EllipticCurvePrivateKey | ec.EllipticCurvePublicKey) -> str:
    """The public part of `key` as PEM text (SubjectPublicKeyInfo)."""
    public = key.public_key() if isinstance(key, ec.EllipticCurvePrivateKey) else key
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@lru_cache(maxsize=64)  # reading one takes as long as signing with it, and a client reads its own for each test
def load_private_key(pem: str) -> ec.EllipticCurvePrivateKey:
    """The P-384 private key in a PEM text (PKCS #8 or SEC 1, not encrypted).

    Raises:
        KeyRejected: If there is none.
    """
    _require_pem(pem, "PRIVATE KEY", f"a private key, as `{_P384_COMMAND}` makes it")
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except TypeError as error:
        raise KeyRejected("The private key is encrypted; give it without a password.") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise KeyRejected(f"The private key cannot be read: {error}") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP384R1):
        raise KeyRejected(f"{kind_of(key)} was given, expected one on P-384: make it with `{_P384_COMMAND}`.")
    return key


@lru_cache(maxsize=64)
def load_public_key(pem: str) -> ec.EllipticCurvePublicKey:
    """The P-384 public key in a PEM text (SubjectPublicKeyInfo).

    Raises:
        KeyRejected: If there is none.
    """
    _require_pem(pem, "PUBLIC KEY", "a public key, as `openssl ec -pubout` writes it")
    try:
        key = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise KeyRejected(f"The public key cannot be read: {error}") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP384R1):
        raise KeyRejected(f"{kind_of(key)} was given, expected one on P-384: make it with `{_P384_COMMAND}`.")
    return key


def _require_pem(text: str, kind: str, expected: str) -> None:
    if re.search(rf"-----BEGIN ([A-Z ]+ )?{kind}-----", text):
        return
    if "-----BEGIN" in text:
        given = "another kind of PEM text"
    elif _is_base64_of_pem(text):
        given = "base64 of PEM text; decode it first"
    else:
        given = "no PEM text"
    raise KeyRejected(f"Expected PEM text with the line -----BEGIN {kind}-----: {expected}; this is {given}.")


def _is_base64_of_pem(text: str) -> bool:
    try:
        return b"-----BEGIN" in base64.b64decode(text)
    except ValueError:
        return False


def kind_of(key: object) -> str:
    """What a key is, at the beginning of a sentence: ``A key on the curve secp256k1``."""
    if isinstance(key, ec.EllipticCurvePrivateKey | ec.EllipticCurvePublicKey):
        return f"A key on the curve {key.curve.name}"
    return f"A key of the kind {type(key).__name__.removesuffix('PrivateKey').removesuffix('PublicKey')}"
