"""How a wallet's signature of 65 bytes travels as text."""

import base64
import re
from enum import StrEnum

from conformance.standards.personal_message import SIGNATURE_SIZE
from conformance.standards.rejection import Rejected

__all__ = ["ACCEPTED", "Encoding", "EncodingRejected", "Reason", "decode", "encode", "normalised"]

_COMPACT_SIZE = 64
_HEX_TEXT = re.compile(r"(0x)?([0-9a-fA-F]*)")
_BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}")
_BASE64URL = re.compile(r"[A-Za-z0-9_-]*={0,2}")
_EXPECTED = f"expected base64 of the text 0x and {2 * SIGNATURE_SIZE} hex digits"


class Encoding(StrEnum):
    """A form in which a signature is met as text; `decode` takes only those of `ACCEPTED`."""

    BASE64_OF_HEX_TEXT = "base64-of-hex-text"
    BASE64_OF_BYTES = "base64-of-bytes"
    BASE64_OF_BARE_HEX_TEXT = "base64-of-bare-hex-text"
    BASE64URL_OF_BYTES = "base64url-of-bytes"
    UNPADDED_BASE64_OF_BYTES = "unpadded-base64-of-bytes"
    HEX_TEXT = "hex-text"
    BARE_HEX_TEXT = "bare-hex-text"


ACCEPTED = (Encoding.BASE64_OF_HEX_TEXT, Encoding.BASE64_OF_BYTES)
"""The encodings in standard base64 (RFC 4648, section 4) of a whole signature."""


class Reason(StrEnum):
    """Why a text was rejected as a signature."""

    NOT_BASE64 = "not-base64"
    NOT_HEX = "not-hex"
    URL_SAFE_ALPHABET = "url-safe-alphabet"
    UNPADDED = "unpadded"
    HEX_TEXT = "hex-text"
    MISSING_0X = "missing-0x"
    WRONG_LENGTH = "wrong-length"


class EncodingRejected(Rejected[Reason]):
    """A text that is no signature in an accepted encoding."""


_REFUSED = {
    Encoding.BASE64_OF_BARE_HEX_TEXT: (Reason.MISSING_0X, "base64 of hex text without 0x; put 0x before the digits"),
    Encoding.BASE64URL_OF_BYTES: (
        Reason.URL_SAFE_ALPHABET,
        "base64 in the URL-safe alphabet; use the standard one with + and /",
    ),
    Encoding.UNPADDED_BASE64_OF_BYTES: (Reason.UNPADDED, "base64 without its padding; keep the = at its end"),
    Encoding.HEX_TEXT: (Reason.HEX_TEXT, "the hex text itself; encode that text, 0x included, in base64"),
    Encoding.BARE_HEX_TEXT: (Reason.HEX_TEXT, "hex text without 0x; put 0x before it and encode that text in base64"),
}


def encode(signature: bytes, encoding: Encoding) -> str:
    """The text of `signature` in `encoding`, also in one that is not accepted and for any length of signature.

    Args:
        signature: The bytes of the signature.
        encoding: The form of the text.
    """
    hex_text, encoded = signature.hex(), base64.b64encode(signature).decode()
    return {
        Encoding.BASE64_OF_HEX_TEXT: base64.b64encode(f"0x{hex_text}".encode()).decode(),
        Encoding.BASE64_OF_BYTES: encoded,
        Encoding.BASE64_OF_BARE_HEX_TEXT: base64.b64encode(hex_text.encode()).decode(),
        Encoding.BASE64URL_OF_BYTES: base64.urlsafe_b64encode(signature).decode(),
        Encoding.UNPADDED_BASE64_OF_BYTES: encoded.rstrip("="),
        Encoding.HEX_TEXT: f"0x{hex_text}",
        Encoding.BARE_HEX_TEXT: hex_text,
    }[encoding]


def decode(text: str) -> tuple[bytes, Encoding]:
    """The signature in `text`, its bytes as they were sent, and how it was encoded.

    Args:
        text: Standard base64 with padding (RFC 4648, section 4) of the hex text or of the bytes.

    Returns:
        65 bytes r || s || v, v not judged, and one of `ACCEPTED`.

    Raises:
        EncodingRejected: If `text` is something else; the message says what it looks like.
    """
    signature, encoding = _read(text)
    if encoding in _REFUSED:
        reason, seen = _REFUSED[encoding]
        raise EncodingRejected(reason, f"The signature is {seen}.")
    if len(signature) == SIGNATURE_SIZE:
        return signature, encoding
    difference = len(signature) - SIGNATURE_SIZE
    raise EncodingRejected(
        Reason.WRONG_LENGTH,
        f"The signature has {len(signature)} bytes, {abs(difference)} too {'many' if difference > 0 else 'few'}; "
        f"{_EXPECTED}.",
    )


def normalised(signature: bytes) -> bytes:
    """The signature with v in {27, 28}, as `recover` takes it, where v was 0 or 1; any other as it is."""
    if len(signature) == SIGNATURE_SIZE and signature[-1] in (0, 1):
        return signature[:-1] + bytes([signature[-1] + 27])
    return signature


def _is_hex_of_signature(text: str) -> bool:
    found = _HEX_TEXT.fullmatch(text)
    return found is not None and len(found[2]) in (2 * _COMPACT_SIZE, 2 * SIGNATURE_SIZE)


def _read(text: str) -> tuple[bytes, Encoding]:
    if text.startswith("0X") and _is_hex_of_signature(text[2:]):
        return bytes.fromhex(text[2:]), Encoding.HEX_TEXT
    hex_text = _HEX_TEXT.fullmatch(text)
    if hex_text and (hex_text[1] or len(text) >= 2 * _COMPACT_SIZE):
        return _from_hex(hex_text[2]), Encoding.HEX_TEXT if hex_text[1] else Encoding.BARE_HEX_TEXT
    content, encoding = _from_base64(text)
    inner = _HEX_TEXT.fullmatch(content.decode("latin-1"))
    if inner and (inner[1] or len(content) >= 2 * _COMPACT_SIZE):
        if encoding is Encoding.BASE64_OF_BYTES:
            encoding = Encoding.BASE64_OF_HEX_TEXT if inner[1] else Encoding.BASE64_OF_BARE_HEX_TEXT
        return _from_hex(inner[2]), encoding
    if content.startswith(b"0x") and len(content) != SIGNATURE_SIZE:
        raise EncodingRejected(
            Reason.NOT_HEX, f"The text in base64 starts with 0x and goes on with other than hex digits; {_EXPECTED}."
        )
    return content, encoding


def _from_hex(digits: str) -> bytes:
    if len(digits) % 2:
        raise EncodingRejected(
            Reason.WRONG_LENGTH, f"The hex text has {len(digits)} digits, an odd number; {_EXPECTED}."
        )
    return bytes.fromhex(digits)


def _from_base64(text: str) -> tuple[bytes, Encoding]:
    padded = text + "=" * (-len(text) % 4)
    encoding = Encoding.BASE64_OF_BYTES if padded == text else Encoding.UNPADDED_BASE64_OF_BYTES
    if _BASE64.fullmatch(text):
        alphabet = b"+/"
    elif _BASE64URL.fullmatch(text):
        alphabet, encoding = b"-_", Encoding.BASE64URL_OF_BYTES
    else:
        odd = next((character for character in text if not re.match(r"[A-Za-z0-9+/=]", character)), "=")
        raise EncodingRejected(
            Reason.NOT_BASE64,
            f"The signature is no base64: {odd!r} has no place at {text.index(odd)}; {_EXPECTED}.",
        )
    try:
        content = base64.b64decode(padded, alphabet, validate=True)
    except ValueError as error:
        raise EncodingRejected(Reason.NOT_BASE64, f"The signature is no base64 ({error}); {_EXPECTED}.") from error
    if base64.b64encode(content, alphabet).decode() != padded:
        raise EncodingRejected(
            Reason.NOT_BASE64, f"The signature is no base64: its last character says more than a byte can; {_EXPECTED}."
        )
    return content, encoding
