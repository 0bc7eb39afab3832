"""How a wallet's signature of 65 bytes travels as text, and what went wrong when it does not verify."""

import base64
import re
from collections.abc import Iterator
from enum import StrEnum
from hashlib import sha256

from eth_hash.auto import keccak

from conformance.standards.der import is_der
from conformance.standards.personal_message import (
    SIGNATURE_SIZE,
    SignatureUnrecoverable,
    message_hash,
    recover,
    recover_from_hash,
)
from conformance.standards.rejection import Rejected

__all__ = ["ACCEPTED", "Encoding", "EncodingRejected", "Reason", "decode", "diagnose", "encode", "normalised"]

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
    DER = "der"
    COMPACT = "compact"
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
    if len(signature) == _COMPACT_SIZE:
        raise EncodingRejected(
            Reason.COMPACT,
            "The signature has 64 bytes, which looks like the compact form of EIP-2098; send 65: r, s and v.",
        )
    if is_der(signature):
        raise EncodingRejected(Reason.DER, "The signature looks like DER; send 65 bytes: r, s and v.")
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


def diagnose(text: str, message: bytes, address: str) -> str | None:
    """What is wrong with a wallet's signature, one sentence for each mistake.

    Args:
        text: The signature as it was sent.
        message: The bytes that were to be signed by ``personal_sign``.
        address: The address that was to sign.

    Returns:
        The likeliest cause, or ``None`` if `text` is the right signature in an accepted encoding.
    """
    faults = []
    try:
        signature, _ = decode(text)
    except EncodingRejected as error:
        faults.append(str(error))
        try:
            signature, _ = _read(text)
        except EncodingRejected:
            return str(error)
    whole = normalised(_expanded(signature))
    if len(signature) == SIGNATURE_SIZE and whole != signature:
        faults.append(f"The last byte of the signature, v, is {signature[-1]}; send {whole[-1]}.")
    for other, digest in _hashes(message):
        if _signed_by(address, digest, whole):
            if other:
                faults.append(f"The wallet signed {other}; have it sign the decoded message by personal_sign.")
            return " ".join(faults) or None
    if faults:
        return " ".join(faults)
    try:
        signer = recover(message, whole)
    except SignatureUnrecoverable as error:
        return str(error)
    return f"For this message it is the signature of {signer}, not of {address}: another account or text was signed."


def _read(text: str) -> tuple[bytes, Encoding]:
    hex_text = _HEX_TEXT.fullmatch(text)
    if hex_text and (hex_text[1] or len(text) >= 2 * _COMPACT_SIZE):
        return _from_hex(hex_text[2]), Encoding.HEX_TEXT if hex_text[1] else Encoding.BARE_HEX_TEXT
    content, encoding = _from_base64(text)
    inner = _HEX_TEXT.fullmatch(content.decode("latin-1"))
    if inner and (inner[1] or len(content) >= 2 * _COMPACT_SIZE):
        if encoding is Encoding.BASE64_OF_BYTES:
            encoding = Encoding.BASE64_OF_HEX_TEXT if inner[1] else Encoding.BASE64_OF_BARE_HEX_TEXT
        return _from_hex(inner[2]), encoding
    if content.startswith(b"0x"):
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
            Reason.NOT_BASE64, f"The signature is no base64: {odd!r} has no place at {text.index(odd)}; {_EXPECTED}."
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


def _expanded(signature: bytes) -> bytes:
    if len(signature) != _COMPACT_SIZE:
        return signature
    parity, s_head = divmod(signature[32], 0x80)
    return signature[:32] + bytes([s_head]) + signature[33:] + bytes([parity])


def _signed_by(address: str, digest: bytes, signature: bytes) -> bool:
    try:
        return recover_from_hash(digest, signature).lower() == address.lower()
    except SignatureUnrecoverable:
        return False


def _hashes(message: bytes) -> Iterator[tuple[str, bytes]]:
    crlf = message.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    for other, signed in (
        ("", message),
        ("the base64 text of the message", base64.b64encode(message)),
        ("the message with CRLF line ends", crlf),
        ("the message with a newline at its end", message + b"\n"),
        ("the message without the newline at its end", message.rstrip(b"\r\n")),
        ("the hex text of the message", f"0x{message.hex()}".encode()),
        ("the hex text of the message without 0x", message.hex().encode()),
        ("the Keccak-256 hash of the message", keccak(message)),
        ("the SHA-256 hash of the message", sha256(message).digest()),
    ):
        yield other, message_hash(signed)
    yield "the message without the prefix of EIP-191", keccak(message)
    yield "the message hashed by SHA-256 without the prefix of EIP-191", sha256(message).digest()
