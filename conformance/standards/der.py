"""ECDSA signatures in DER, which some libraries write where a standard asks for bytes of fixed size."""

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

__all__ = ["is_der"]


def is_der(signature: bytes) -> bool:
    """Whether the bytes are an ECDSA signature in DER (RFC 3279, section 2.2.3)."""
    try:
        decode_dss_signature(signature)
    except ValueError:
        return False
    return True
