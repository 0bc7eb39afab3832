"""The many ways in which one right request can be written: JSON (RFC 8259), header fields (RFC 9110), signatures.

Content too can be sent in two ways (RFC 9112).
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["PLAIN", "AnyType", "EscapedJson", "InChunks", "OtherHeaders", "OtherSignature", "SpacedJson", "Spelling"]


class Spelling:
    """How a client writes what it sends; this one as most do, subclasses otherwise, with the same meaning."""

    content_type = "application/json"
    """The media type of JSON (RFC 8259, section 11)."""
    accept: str = "application/json"
    """The media ranges that an answer may have, None not to say it (RFC 9110, section 12.5.1)."""
    cookie = ""
    """A cookie of another page that a browser sends first; no server is to rely on their order (RFC 6265, 4.2.2)."""
    in_chunks = False
    """Whether content is sent in chunks, without a Content-Length (RFC 9112, section 7.1)."""

    def json(self, value: object) -> bytes:
        """A value as JSON text in UTF-8."""
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()

    def headers(self, lines: Sequence[tuple[bytes, bytes]]) -> Sequence[tuple[bytes, bytes]]:
        """Header lines as they are sent; those of one name stay in their order (RFC 9110, section 5.3)."""
        return lines

    def components(self, names: Sequence[str]) -> Sequence[str]:
        """The components that a signature covers, in the order in which it lists them (RFC 9421, section 2.3)."""
        return names


class SpacedJson(Spelling):
    """JSON with all that may stand between tokens, and members in the opposite order (RFC 8259, sections 2, 4)."""

    def json(self, value: object) -> bytes:
        """A value as JSON text in UTF-8."""
        written = json.dumps(_turned(value), ensure_ascii=False, indent="\t", separators=(" ,", " : "))
        return f"\n{written}\r\n".encode()


class EscapedJson(Spelling):
    """JSON in which characters of texts are escaped that need not be, slashes in both forms (RFC 8259, section 7)."""

    def json(self, value: object) -> bytes:
        """A value as JSON text in UTF-8."""
        return _escaped(value).encode()


class OtherHeaders(Spelling):
    """Header fields in the opposite order and in capitals: names are the same in any letter case (RFC 9110, 5.1).

    Lines of one field stay in their order, which says something (RFC 9110, 5.3). Letter case does not tell media types
    apart either (RFC 9110, 8.3.1), and of JSON a charset says nothing (RFC 8259, section 11). A media range accepts
    every type in it (RFC 9110, 12.5.1).
    """

    content_type = "Application/JSON; charset=UTF-8"
    accept: str = "text/plain;q=0.1, application/*;q=0.9"
    cookie = "consent=all"

    def headers(self, lines: Sequence[tuple[bytes, bytes]]) -> Sequence[tuple[bytes, bytes]]:
        """Header lines as they are sent."""
        places: dict[bytes, int] = {}
        for name, _ in lines:
            places.setdefault(name.lower(), -len(places))
        return [(name.upper(), value) for name, value in sorted(lines, key=lambda line: places[line[0].lower()])]


class OtherSignature(Spelling):
    """Covered components in the opposite order (RFC 9421, section 2.3)."""

    def components(self, names: Sequence[str]) -> Sequence[str]:
        """The components that a signature covers, in the order in which it lists them."""
        return tuple(reversed(names))


class InChunks(Spelling):
    """Content in chunks, which every recipient must be able to read (RFC 9112, section 7.1)."""

    in_chunks = True


class AnyType(Spelling):
    """Any media type accepted, as OffBlocks' printed requests have it (RFC 9110, section 12.5.1)."""

    accept = "*/*"


PLAIN = Spelling()
"""As most clients write."""

_OFTEN_ESCAPED = re.compile(r"[:.@-]|[^ -~]")


def _turned(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _turned(value[name]) for name in reversed(list(value))}
    return [_turned(each) for each in value] if isinstance(value, list | tuple) else value


def _escaped(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{_escaped(str(name))}:{_escaped(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(_escaped, value)) + "]"
    if isinstance(value, str):
        written = json.dumps(value)
        written = _OFTEN_ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04X}", written)
        return written.replace("//", "/\\u002F").replace("/", "\\/")
    return json.dumps(value)
