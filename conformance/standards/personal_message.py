"""Messages signed by an Ethereum account: ``personal_sign``, which is EIP-191 with version byte 0x45."""

from functools import lru_cache

from coincurve import PrivateKey, PublicKey
from eth_hash.auto import keccak

from conformance.standards.account_ids import checksum_address

__all__ = [
    "SIGNATURE_SIZE",
    "SignatureUnrecoverable",
    "Signers",
    "account_of_signer",
    "address_of",
    "message_hash",
    "recover",
    "recover_from_hash",
    "sign",
    "sign_with",
]

SIGNATURE_SIZE = 65
"""Bytes of a signature: r (32), s (32), v (1)."""

_V_OFFSET = 27
_ORDER = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141
"""The order of secp256k1 (SEC 2, section 2.4.1)."""


class SignatureUnrecoverable(ValueError):  # noqa: N818 - a judgement of the input, named as such
    """Bytes from which no signer can be recovered; the message says why."""


def message_hash(message: bytes) -> bytes:
    """The 32 bytes that are signed for `message`: Keccak-256 of it behind the prefix of EIP-191, version 0x45."""
    return keccak(b"\x19Ethereum Signed Message:\n" + str(len(message)).encode() + message)


def sign(message: bytes, key: bytes) -> bytes:
    """The signature of `message`, deterministic (RFC 6979) and with low s (EIP-2).

    Args:
        message: The bytes to be signed, without prefix.
        key: A secp256k1 private key of 32 bytes.

    Returns:
        65 bytes r || s || v with v in {27, 28}.

    Raises:
        ValueError: If `key` is not a private key.
    """
    signature = PrivateKey(key).sign_recoverable(message_hash(message), hasher=None)
    return signature[:-1] + bytes([signature[-1] + _V_OFFSET])


def sign_with(message: bytes, key: bytes, nonce: bytes) -> bytes:
    """As `sign`, with a nonce of one's own (SEC 1, section 4.1.3); two signatures with one nonce betray the key.

    Args:
        message: The bytes to be signed, without prefix.
        key: A secp256k1 private key of 32 bytes.
        nonce: Another such key.

    Raises:
        ValueError: If `key` or `nonce` is not a private key.
    """
    r, y = PrivateKey(nonce).public_key.point()
    digest, secret, inverse = int.from_bytes(message_hash(message)), int.from_bytes(key), int.from_bytes(nonce)
    s = pow(inverse, -1, _ORDER) * (digest + r * secret) % _ORDER
    parity = y % 2
    if s > _ORDER // 2:
        s, parity = _ORDER - s, 1 - parity
    return r.to_bytes(32) + s.to_bytes(32) + bytes([_V_OFFSET + parity])


def recover(message: bytes, signature: bytes) -> str:
    """The address, with checksum, of the account that signed `message`.

    Any well-formed signature recovers to some address: compare it with the one that you expect.

    Args:
        message: The bytes that were signed, without prefix.
        signature: 65 bytes r || s || v with v in {27, 28}.

    Raises:
        SignatureUnrecoverable: If `signature` has another form or belongs to no key.
    """
    return recover_from_hash(message_hash(message), signature)


def recover_from_hash(digest: bytes, signature: bytes) -> str:
    """The address, with checksum, of the account that signed a hash.

    Args:
        digest: The 32 bytes that were signed.
        signature: 65 bytes r || s || v with v in {27, 28}.

    Raises:
        SignatureUnrecoverable: If `signature` has another form or belongs to no key.
    """
    return _with_checksum(account_of_signer(digest, signature))


def account_of_signer(digest: bytes, signature: bytes) -> bytes:
    """The 20 bytes of the address of the account that signed a hash.

    Args:
        digest: The 32 bytes that were signed.
        signature: 65 bytes r || s || v with v in {27, 28}.

    Raises:
        SignatureUnrecoverable: If `signature` has another form or belongs to no key.
    """
    if len(signature) != SIGNATURE_SIZE:
        raise SignatureUnrecoverable(
            f"The signature has {len(signature)} bytes, expected {SIGNATURE_SIZE}: r (32), s (32), v (1)."
        )
    recovery_id = signature[-1] - _V_OFFSET
    if recovery_id not in (0, 1):
        raise SignatureUnrecoverable(f"The last byte of the signature, v, is {signature[-1]}, expected 27 or 28.")
    try:
        signer = PublicKey.from_signature_and_message(signature[:-1] + bytes([recovery_id]), digest, hasher=None)
    except Exception as error:  # coincurve raises plain Exception
        raise SignatureUnrecoverable("The signature belongs to no key: r or s is out of range or altered.") from error
    return _account(signer)


class Signers:
    """The accounts that signed, if a signature is of one hash or of another: what all hashes share is computed once.

    Args:
        signature: 65 bytes r || s || v with v in {27, 28}.
    """

    def __init__(self, signature: bytes) -> None:
        r, s, v = signature[:32], int.from_bytes(signature[32:64]), signature[-1]
        self._fixed: PublicKey | None = None
        if not (0 < int.from_bytes(r) < _ORDER and 0 < s < _ORDER):
            return
        inverse = pow(int.from_bytes(r), -1, _ORDER)
        self._factor = _ORDER - inverse
        try:
            nonce_point = PublicKey(bytes([2 + v - _V_OFFSET]) + r)
        except ValueError:  # no point of the curve has this r
            return
        self._fixed = nonce_point.multiply((s * inverse % _ORDER).to_bytes(32))

    def account(self, digest: bytes) -> bytes | None:
        """The 20 bytes of the address of the account that signed a hash (SEC 1, section 4.1.6), None if no key did.

        Args:
            digest: The 32 bytes that may have been signed.
        """
        if self._fixed is None:
            return None
        varying = int.from_bytes(digest) * self._factor % _ORDER
        if not varying:
            return _account(self._fixed)
        try:
            return _account(PublicKey.combine_keys([self._fixed, _public_key(varying)]))
        except ValueError:  # their sum is the point at infinity
            return None


@lru_cache(maxsize=1)
def _public_key(secret: int) -> PublicKey:
    """The public key of a private key; signatures that differ in s and v alone ask for the same one in succession."""
    return PublicKey.from_valid_secret(secret.to_bytes(32))


def address_of(key: bytes) -> str:
    """The address, with checksum, of the account of a private key.

    Args:
        key: A secp256k1 private key of 32 bytes.

    Raises:
        ValueError: If `key` is not a private key.
    """
    return _with_checksum(_account(PrivateKey(key).public_key))


def _account(key: PublicKey) -> bytes:
    return keccak(key.format(compressed=False)[1:])[-20:]


def _with_checksum(account: bytes) -> str:
    return checksum_address(f"0x{account.hex()}")
