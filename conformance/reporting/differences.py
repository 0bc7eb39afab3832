"""What was expected and what came, with the part marked in which they differ."""

import re

from conformance.reporting.markup import Html, joined, tag

_WORD = re.compile(r"\w+|\W")


def marked(expected: str, got: str) -> tuple[Html, Html]:
    """Both texts as HTML, each with the part marked that the other one has not.

    What they begin and end with alike is left as it is, by whole words. Where nothing is alike all of it differs.

    Args:
        expected: What was expected.
        got: What came.
    """
    one, other = _WORD.findall(expected), _WORD.findall(got)
    start = _alike(one, other)
    end = _alike(one[start:][::-1], other[start:][::-1])
    return _with_mark(one, start, end), _with_mark(other, start, end)


def _alike(one: list[str], other: list[str]) -> int:
    """How many words two lists begin with alike."""
    pairs = zip(one, other, strict=False)
    return next((count for count, (left, right) in enumerate(pairs) if left != right), min(len(one), len(other)))


def _with_mark(words: list[str], start: int, end: int) -> Html:
    stop = len(words) - end
    middle = "".join(words[start:stop])
    return joined("".join(words[:start]), tag("mark", middle) if middle else "", "".join(words[stop:]))
