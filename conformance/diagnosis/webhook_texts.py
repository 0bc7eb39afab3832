"""What may have been signed instead of timestamp, full stop and body, and with what instead of the secret."""

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from conformance.diagnosis.bodies import lookalikes
from conformance.diagnosis.form import Mistake
from conformance.standards.ecmascript_json import written_again

__all__ = ["Choice", "Scheme", "bodies", "joints", "secrets", "stamps"]

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_LARGEST_PARSED = 256 * 1024
_TICKS = (-1, 1, -2, 2)
"""By how many seconds a clock differs that is read twice."""
_HTML = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
"""What Go escapes in texts of JSON."""


@dataclass(frozen=True)
class Scheme:
    """How webhooks are signed: by an HMAC-SHA256, with the secret, of the timestamp, a full stop and the body.

    Args:
        signature: The header that carries the signature.
        timestamp: The header that says when it was sent.
        id: The header that tells one event from another.
        prefix: What stands before the hexadecimal digits of the signature.
        tolerance: How far the timestamp may be from the receiver's clock.
    """

    signature: str
    timestamp: str
    id: str
    prefix: str
    tolerance: timedelta

    @property
    def expected(self) -> str:
        """What is to be signed, in words."""
        return f"{self.timestamp}, a full stop and the body"


@dataclass(frozen=True)
class Choice:
    """One thing that may have been used.

    Args:
        mistake: The mistake that it is; None for the right thing.
        value: The bytes.
    """

    mistake: Mistake | None
    value: bytes


def bodies(body: bytes) -> Iterator[Choice]:
    """The body, then what may have been signed instead of it; each content once, under the likeliest name."""
    seen = {body}
    yield Choice(None, body)
    for what, content in _bodies(body):
        if content not in seen:
            seen.add(content)
            yield Choice(Mistake("webhook-other-body", {"what": what}), content)


def _bodies(body: bytes) -> Iterator[tuple[str, bytes]]:
    yield "this body without its byte order mark", body.removeprefix(_BYTE_ORDER_MARK)
    if len(body) <= _LARGEST_PARSED:
        for what, write in _WRITERS:
            yield f"the body parsed and written again as {what}", written(body, write)
    yield from lookalikes(body)


def written(body: bytes, write: Callable[[Any], str]) -> bytes:
    """A body parsed and written again; the body itself if it is no JSON, or cannot be written so."""
    try:
        return write(json.loads(body)).encode(errors="surrogatepass")
    except (ValueError, RecursionError):
        return body


def _javascript(document: Any) -> str:
    return written_again(json.dumps(document).encode()).decode(errors="surrogatepass")


def _python(document: Any) -> str:
    return json.dumps(document)


def _go(document: Any) -> str:
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return re.sub("[<>&\u2028\u2029]", lambda found: _HTML[found[0]], text)


def _go_encoder(document: Any) -> str:
    return f"{_go(document)}\n"


def _php(document: Any) -> str:
    return json.dumps(document, separators=(",", ":")).replace("/", "\\/")


_WRITERS: tuple[tuple[str, Callable[[Any], str]], ...] = (
    ("JavaScript's JSON.stringify writes JSON, or other compact writers", _javascript),
    ("Python's json.dumps writes JSON", _python),
    ("Go's json.Marshal writes a map", _go),
    ("Go's json.Encoder writes a map, with a newline at its end", _go_encoder),
    ("PHP's json_encode writes JSON", _php),
)


def stamps(scheme: Scheme, timestamp: str | None, body: bytes) -> Iterator[Choice]:
    """The timestamp, then what may have been signed instead of it."""
    text = timestamp or ""
    yield Choice(None, text.encode(errors="surrogateescape"))
    header = {"header": scheme.timestamp}
    if text.isdecimal() and text.isascii():
        yield Choice(Mistake("webhook-signed-milliseconds", header), f"{text}000".encode())
        if len(text) > 3:  # noqa: PLR2004  (the digits of a thousand)
            yield Choice(Mistake("webhook-signed-seconds", header), text[:-3].encode())
        for later in _TICKS:
            other = str(int(text[:20]) + later)
            facts = {**header, "found": other, "sent": text[:20]}
            yield Choice(Mistake("webhook-timestamp-changed", facts), other.encode())
    try:
        said = json.loads(body).get("timestamp") if len(body) <= _LARGEST_PARSED else None
    except (ValueError, RecursionError, AttributeError):
        said = None
    if isinstance(said, str | int):
        yield Choice(Mistake("webhook-signed-body-time", header), str(said).encode(errors="surrogatepass"))


def joints(scheme: Scheme, name: str | None) -> Iterator[Choice]:
    """How timestamp and body are put together: NUL and a letter stand for each."""
    expected = {"expected": scheme.expected}
    yield Choice(None, b"\0t.\0b")
    yield Choice(Mistake("webhook-body-alone", expected), b"\0b")
    for found, between in (
        ("nothing", b""),
        ("a colon", b":"),
        ("a newline", b"\n"),
        ("a blank", b" "),
        ("a comma", b","),
        ("a hyphen", b"-"),
        ("a vertical bar", b"|"),
    ):
        yield Choice(Mistake("webhook-separator", {**expected, "found": found}), b"\0t" + between + b"\0b")
    for between in (b".", b""):
        yield Choice(Mistake("webhook-order-turned", expected), b"\0b" + between + b"\0t")
    if name:
        yield Choice(Mistake("webhook-id-signed", expected), name.encode(errors="surrogateescape") + b".\0t.\0b")


def secrets(secret: bytes) -> Iterator[Choice]:
    """The secret, then what may have been used instead of it; each once, none of them empty."""
    seen = {secret}
    yield Choice(None, secret)
    for mistake, value in _secrets(secret):
        if value and value not in seen:
            seen.add(value)
            yield Choice(mistake, value)


def _secrets(secret: bytes) -> Iterator[tuple[Mistake, bytes]]:
    yield Mistake("webhook-secret-white-space"), secret.strip()
    for what, end in (("a newline", b"\n"), ("CRLF", b"\r\n"), ("a blank", b" "), ("a tab", b"\t")):
        yield Mistake("webhook-secret-other-end", {"what": what}), secret + end
    for mark in (b'"', b"'"):
        if secret.startswith(mark) and secret.endswith(mark):
            yield Mistake("webhook-secret-quoted"), secret[1:-1]
    for what, value in _decodings(secret.strip()):
        yield Mistake("webhook-secret-decoded", {"what": what}), value
    for what, value in (
        ("hexadecimal digits", secret.hex().encode()),
        ("base64", base64.b64encode(secret)),
        ("SHA-256 in hexadecimal", _sha256(secret).hex().encode()),
        ("SHA-256", _sha256(secret)),
    ):
        yield Mistake("webhook-secret-encoded", {"what": what}), value
    _, underscore, rest = secret.partition(b"_")
    if underscore:
        yield Mistake("webhook-secret-without-prefix", {"what": ""}), rest
        for what, value in _decodings(rest):
            yield Mistake("webhook-secret-without-prefix", {"what": f", decoded from {what}"}), value


def _decodings(secret: bytes) -> Iterator[tuple[str, bytes]]:
    with suppress(ValueError):
        yield "hexadecimal", bytes.fromhex(secret.decode("ascii").removeprefix("0x"))
    standard = secret.replace(b"-", b"+").replace(b"_", b"/").rstrip(b"=")
    try:
        content = base64.b64decode(standard + b"=" * (-len(standard) % 4), validate=True)
    except (binascii.Error, ValueError):
        return
    yield "base64", content


def _sha256(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()
