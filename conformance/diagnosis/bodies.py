"""Bodies like the one that was sent, which clients hash instead of it."""

import base64
import json
import unicodedata
import zlib
from collections.abc import Iterator
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

__all__ = ["lookalikes"]

_LARGEST_PARSED = 256 * 1024


def lookalikes(body: bytes) -> Iterator[tuple[str, bytes]]:
    """What a client may have hashed instead of the bytes of a body: what it is, and its bytes.

    Args:
        body: The bytes that were sent. Of a large one only the likeliest are given.
    """
    yield "an empty body", b""
    yield "this body with a newline at its end", body + b"\n"
    yield "this body without the newline at its end", body.rstrip(b"\r\n")
    if len(body) > _LARGEST_PARSED:
        return
    yield "this body with CRLF at its end", body + b"\r\n"
    yield "this body without the blanks at its ends", body.strip()
    yield "this body with CRLF line ends", body.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    yield "this body with LF line ends", body.replace(b"\r\n", b"\n")
    yield "this body in base64", base64.b64encode(body)
    yield "this body in hex", body.hex().encode()
    yield "this body in quotation marks", json.dumps(body.decode(errors="replace")).encode()
    yield "an empty JSON object", b"{}"
    yield "the word null", b"null"
    yield "this body with a byte order mark", b"\xef\xbb\xbf" + body
    text = body.decode(errors="surrogateescape")
    for said, normal in (
        ("composed (Unicode NFC)", unicodedata.normalize("NFC", text)),
        ("decomposed (Unicode NFD)", unicodedata.normalize("NFD", text)),
    ):
        yield f"this body with its letters {said}", normal.encode(errors="surrogateescape")
    yield "this body in UTF-16", body.decode(errors="replace").encode("utf-16-le")
    yield "this body in ISO 8859-1", body.decode(errors="replace").encode("latin-1", errors="replace")
    yield "the text [object Object], as JavaScript writes an object that nobody serialised", b"[object Object]"
    yield "the text undefined", b"undefined"
    yield "its own digest by SHA-256, so that it was hashed twice", sha256(body).digest()
    yield "its own digest by SHA-256 in hex, so that it was hashed twice", sha256(body).hexdigest().encode()
    if plain := _uncompressed(body):
        yield "this body before it was compressed", plain
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return
    yield from _written_otherwise(document)


def _written_otherwise(document: Any) -> Iterator[tuple[str, bytes]]:
    """The same JSON document in other forms, and parts of it."""
    for ascii_only in (False, True):
        for sort_keys in (False, True):
            same = "the same JSON document" + (" with sorted keys" if sort_keys else "")
            same += " with escapes for all but ASCII" if ascii_only else ""
            for form, indent, separators in (
                ("in compact form", None, (",", ":")),
                ("with blanks after commas and colons", None, (", ", ": ")),
                ("pretty-printed", 2, (",", ": ")),
                ("pretty-printed with four blanks", 4, (",", ": ")),
                ("pretty-printed with tabs", "\t", (",", ": ")),
            ):
                try:
                    text = json.dumps(
                        document, ensure_ascii=ascii_only, indent=indent, separators=separators, sort_keys=sort_keys
                    )
                except RecursionError:
                    return
                written = text.encode(errors="surrogatepass")
                yield f"{same} {form}", written
                if indent is not None:
                    yield f"{same} {form}, with a newline at its end", written + b"\n"
    if isinstance(document, dict):
        yield "its members as a form", urlencode(document).encode()
        for name, value in document.items():
            parts = (json.dumps(value, separators=(",", ":"), ensure_ascii=each) for each in (True, False))
            for part in [value] if isinstance(value, str) else dict.fromkeys(parts):
                yield f"the value of the member {name!r} alone", part.encode(errors="surrogatepass")


def _uncompressed(body: bytes) -> bytes:
    """What gzip or deflate made a body of, as much as is parsed of any; nothing if neither did."""
    try:
        return zlib.decompressobj(zlib.MAX_WBITS | 32).decompress(
            body, _LARGEST_PARSED
        )  # 32: either, by its first bytes
    except zlib.error:
        return b""
