"""Whether a key made a signature, found out once where several ask at once."""

from dataclasses import dataclass, field
from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from http_message_signatures import HTTPSignatureAlgorithm, VerificationKey

__all__ = ["verifies"]


@dataclass(frozen=True)
class _Claim:
    """That a key made a signature.

    Args:
        algorithm: What verifies.
        key: The public key, or the shared secret.
        encoded_key: The same as bytes, by which claims are compared.
        signature: The signature.
        base: The signature base.
    """

    algorithm: type[HTTPSignatureAlgorithm]
    key: VerificationKey = field(compare=False)
    encoded_key: bytes
    signature: bytes
    base: bytes


def verifies(algorithm: type[HTTPSignatureAlgorithm], key: VerificationKey, signature: bytes, base: bytes) -> bool:
    """Whether a key made a signature of a signature base.

    Args:
        algorithm: What verifies.
        key: The public key, or the shared secret.
        signature: The signature, of the size that the algorithm has.
        base: The signature base.
    """
    encoded = key if isinstance(key, bytes) else key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return _is_true(_Claim(algorithm, key, encoded, signature, base))


@lru_cache(maxsize=4096)
def _is_true(claim: _Claim) -> bool:
    """Whether a claim is true; P-384 takes a millisecond.

    In a run on the sandbox the judge of the client and the sandbox verify each request in one process, and a matrix
    asks what some two hundred scenarios asked again of each fault.
    """
    try:
        claim.algorithm(public_key=claim.key).verify(signature=claim.signature, message=claim.base)
    except InvalidSignature:
        return False
    return True
