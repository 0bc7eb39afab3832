"""Bodies like the one that was sent, which clients hash instead of it."""

import base64
import json
from collections.abc import Iterator

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
    yield "this body in UTF-16", body.decode(errors="replace").encode("utf-16-le")
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return
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
        for name, value in document.items():
            part = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
            yield f"the value of the member {name!r} alone", part.encode(errors="surrogatepass")
