"""The forms in which the signature of a webhook comes: with what before it, in what encoding."""

import base64
import binascii
import re
from dataclasses import dataclass

from conformance.diagnosis.form import Mistake
from conformance.diagnosis.webhook_texts import Scheme

__all__ = ["ReadSignature", "read_signature"]

_DIGITS = re.compile(r"[0-9A-Fa-f]{2,}")
_PREFIX = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,15}\s*[=:,]\s*|[A-Za-z]+\s+")
_SIZES = (16, 20, 32, 48, 64)
"""The bytes of a digest by any of the usual algorithms."""
_SHOWN = 24


@dataclass(frozen=True)
class ReadSignature:
    """A signature as it is meant.

    Args:
        digest: Its bytes; None if it cannot be read.
        mistakes: In what other form it came.
    """

    digest: bytes | None
    mistakes: tuple[Mistake, ...] = ()


def read_signature(scheme: Scheme, text: str) -> ReadSignature:
    """Read the value of the header, however it is written.

    Args:
        scheme: How it should be written: a prefix and hexadecimal digits.
        text: The value.
    """
    header = {"header": scheme.signature}
    found: list[Mistake] = []
    bare = text.strip()
    for mark in ('"', "'"):
        if len(bare) > 1 and bare.startswith(mark) and bare.endswith(mark):
            bare = bare[1:-1]
            found.append(Mistake("webhook-quotation-marks", header))
    rest = bare.removeprefix(scheme.prefix)
    if rest == bare:
        match = _PREFIX.match(bare)
        facts = {**header, "prefix": scheme.prefix}
        if match and _decoded(bare[match.end() :]):
            rest = bare[match.end() :]
            found.append(Mistake("webhook-prefix-other", {**facts, "found": f"{match[0]:.{_SHOWN}}"}))
        else:
            found.append(Mistake("webhook-prefix-missing", facts))
    if rest != "".join(rest.split()) or text != text.strip():
        rest = "".join(rest.split())
        found.append(Mistake("webhook-white-space", header))
    if rest[:2] in {"0x", "0X"}:
        rest = rest[2:]
        found.append(Mistake("webhook-hex-with-0x"))
    decoded = _decoded(rest)
    if decoded is None and _DIGITS.fullmatch(rest):
        return ReadSignature(None, (*found, Mistake("webhook-digits", {"digits": str(len(rest))})))
    if decoded is None:
        facts = {**header, "prefix": scheme.prefix, "size": str(len(text))}
        return ReadSignature(None, (Mistake("webhook-signature-unreadable", facts),))
    digest, encoding = decoded
    return ReadSignature(digest, (*found, *([encoding] if encoding else [])))


def _decoded(text: str) -> tuple[bytes, Mistake | None] | None:
    """The bytes that a text writes, and in what other encoding than hexadecimal; None if it writes none."""
    if _DIGITS.fullmatch(text):
        return (bytes.fromhex(text), None) if len(text) in {2 * size for size in _SIZES} else None
    url_safe = "-" in text or "_" in text
    standard = text.replace("-", "+").replace("_", "/").rstrip("=")
    try:
        content = base64.b64decode(f"{standard}{'=' * (-len(standard) % 4)}", validate=True)
    except (binascii.Error, ValueError):
        return None
    inner = content.decode("ascii", errors="replace")
    if _DIGITS.fullmatch(inner) and len(inner) in {2 * size for size in _SIZES}:
        return bytes.fromhex(inner), Mistake("webhook-base64-of-hex")
    if len(content) not in _SIZES:
        return None
    return content, Mistake("webhook-base64url" if url_safe else "webhook-base64")
