"""Escaped text, read layer by layer: what each character is once the escapes are resolved, and where it stands."""

import html
import re
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_ESCAPE = re.compile(
    r"(?P<percent>(?:%[0-9A-Fa-f]{2})+)"
    r"|\\(?P<units>u[0-9A-Fa-f]{4}(?:\\u[0-9A-Fa-f]{4})*)"
    r"|\\(?P<letter>[\"\\/bfnrt'])"
    r"|(?P<entity>&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});)"
)
_LETTERS = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_MOST_LAYERS = 4
"""How often a text may be escaped, such as JSON in JSON in a URL."""


@dataclass(frozen=True)
class Layer:
    """A text whose escapes are resolved.

    Args:
        text: The text.
        starts: Where the spelling of each character starts in the original text.
        ends: Where it ends.
    """

    text: str
    starts: Sequence[int]
    ends: Sequence[int]

    def place(self, start: int, end: int) -> tuple[int, int]:
        """Where the characters from `start` to before `end` stand in the original text."""
        return self.starts[start], self.ends[end - 1]


def layers(text: str) -> Iterator[Layer]:
    """A text with the escapes of URLs, JSON and HTML resolved once, twice and so on; none if it has no escapes."""
    layer = Layer(text, range(len(text)), range(1, len(text) + 1))
    for _ in range(_MOST_LAYERS):
        if not any(mark in layer.text for mark in "%\\&") or _ESCAPE.search(layer.text) is None:
            return
        layer = _resolved(layer)
        yield layer


def _resolved(layer: Layer) -> Layer:
    characters: list[str] = []
    starts, ends = array("L"), array("L")
    done = 0

    def add(found: str, start: int, end: int) -> None:
        characters.append(found)
        starts.extend(array("L", [layer.starts[start]]) * len(found))
        ends.extend(array("L", [layer.ends[end - 1]]) * len(found))

    def copy(end: int) -> None:
        characters.append(layer.text[done:end])
        starts.extend(layer.starts[done:end])
        ends.extend(layer.ends[done:end])

    for escape in _ESCAPE.finditer(layer.text):
        copy(escape.start())
        done = escape.end()
        if escape["percent"]:
            at = escape.start()
            for found in _of_percent(escape["percent"]):
                end = at + 3 * len(found.encode("utf-8", "surrogateescape"))
                add(found, at, end)
                at = end
        elif escape["units"]:
            at = escape.start()
            for found in _of_units(escape["units"]):
                end = at + 6 * (len(found.encode("utf-16-be", "surrogatepass")) // 2)
                add(found, at, end)
                at = end
        else:
            letter = escape["letter"]
            found = _LETTERS.get(letter, letter) if letter else html.unescape(escape["entity"])
            add(found, escape.start(), escape.end())
    copy(len(layer.text))
    return Layer("".join(characters), starts, ends)


def _of_percent(run: str) -> str:
    return bytes.fromhex(run.replace("%", "")).decode("utf-8", "surrogateescape")


def _of_units(run: str) -> str:
    units = bytes.fromhex(run.replace("\\", "").replace("u", ""))
    return units.decode("utf-16-be", "surrogatepass")
