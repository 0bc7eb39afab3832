"""Two values of the same place in the same test compared: what varies by nature by what it is, else by what it says."""

from collections.abc import Container, Iterator
from dataclasses import dataclass
from typing import Any

from conformance.drift.formats import instant, is_word, lines
from conformance.drift.shapes import type_of

_SAME_INSTANT = 2.0
"""Seconds by which two times may differ that are told by a clock that stands still."""
_JITTER, _SHARE = 60.0, 0.05
"""Seconds by which times may differ that are told by a clock that runs, and the share of the time itself."""
_SMALL = 10_000
"""Numbers below it say something by themselves; greater ones are amounts, times or ids."""
_TELLING = 4
"""How many letters a text has at least that is followed through a test."""

Origin = tuple[int, str]
"""Where a text was seen: the number of the exchange in the test, 0 if no other one is like it, and the place."""
Times = tuple[float, float]
"""When two exchanges began, in seconds since 1970."""


@dataclass(frozen=True)
class Contrast:
    """Two values that differ, and may not.

    Args:
        kind: The kind of change.
        path: The names on the way to them.
        before: What was there, in words that are the same in every recording of it.
        after: What is there now.
    """

    kind: str
    path: tuple[str, ...]
    before: str
    after: str


class Values:
    """Compares values of one test, and remembers where their texts were seen.

    Args:
        stands_still: Whether both were recorded in a world of their own, whose clock stands still.
    """

    def __init__(self, *, stands_still: bool) -> None:
        self._stands_still = stands_still
        self._seen: tuple[dict[str, set[Origin]], dict[str, set[Origin]]] = ({}, {})

    def note(self, side: int, text: str, origin: Origin) -> None:
        """Remember where a text was seen, before (0) or after (1)."""
        if len(text) >= _TELLING:
            self._seen[side].setdefault(text, set()).add(origin)

    def known(self, side: int) -> Container[str]:
        """The texts that were seen so far."""
        return self._seen[side]

    def contrasts(self, one: Any, other: Any, at: Times, path: tuple[str, ...] = ()) -> Iterator[Contrast]:
        """What differs between two values, and may not; types and members are compared elsewhere.

        Args:
            one: The older value.
            other: The newer one.
            at: When their exchanges began.
            path: The names on the way to them.
        """
        if isinstance(one, dict) and isinstance(other, dict):
            for name in one:
                if name in other:
                    yield from self.contrasts(one[name], other[name], at, (*path, str(name)))
        elif isinstance(one, list) and isinstance(other, list):
            yield from self._entries(one, other, at, path)
        elif one != other and type_of(one) == type_of(other):
            if isinstance(one, str) and lines(one):
                told, others = dict(lines(one)), dict(lines(other))
                yield from self.contrasts(told, others, at, path)
            elif kind := self._kind(one, other, at):
                yield Contrast(kind, path, *self._told(kind, one, other, at))

    def _entries(self, one: list[Any], other: list[Any], at: Times, path: tuple[str, ...]) -> Iterator[Contrast]:
        """Compare two arrays; on a server that others use too, what a list holds is no news."""
        if not self._stands_still:
            return
        if len(one) != len(other):
            yield Contrast("entries-changed", path, f"{len(one)} entries", f"{len(other)} entries")
            return
        for first, second in zip(one, other, strict=True):
            yield from self.contrasts(first, second, at, (*path, "*"))

    def _kind(self, one: Any, other: Any, at: Times) -> str:
        """The kind of change between two scalars that differ, empty if they may."""
        away = _away(one, other, at)
        if away:
            return self._kind_of_time(*away)
        if isinstance(one, str):
            return self._kind_of_text(one, other)
        is_small = isinstance(one, bool) or (abs(one) < _SMALL and abs(other) < _SMALL)
        return "value-changed" if is_small else ""

    def _kind_of_text(self, one: str, other: str) -> str:
        if " " in one.strip() and " " in other.strip():
            return ""  # sentences for people are compared by the words of many exchanges
        news = "value-changed" if is_word(one) and is_word(other) else ""
        before, after = self._seen[0].get(one, set()), self._seen[1].get(other, set())
        unclear = any(number == 0 for number, _ in before | after) or min(len(one), len(other)) < _TELLING
        if unclear or not (before or after) or (not (before and after) and self.are_echoes(one, other)):
            return news
        if before and after:
            return "" if before & after else "identity-changed"
        return news or "identity-changed"

    def are_echoes(self, one: str, other: str) -> bool:
        """Whether both texts begin with what was seen at the same place before."""
        begun = [
            {
                origin
                for text, origins in self._seen[side].items()
                if len(text) > _TELLING and value.startswith(text)
                for origin in origins
            }
            for side, value in enumerate((one, other))
        ]
        return bool(begun[0] & begun[1])

    def _kind_of_time(self, before: float, after: float) -> str:
        """The kind of change between two times, told by how far they are from their exchanges, in seconds."""
        if self._stands_still:
            if abs(before - after) <= _SAME_INSTANT:
                return ""
        elif before <= _JITTER or abs(before - after) <= _JITTER + _SHARE * before:
            return ""
        if before > _SAME_INSTANT and after > -_SAME_INSTANT:
            return "expires-earlier" if after < before else "expires-later"
        return "time-changed"

    def _told(self, kind: str, one: Any, other: Any, at: Times) -> tuple[str, str]:
        """What is told of two values: not what varies by nature, so that many exchanges tell one change."""
        away = _away(one, other, at)
        if away:
            return _in_words(away[0]), _in_words(away[1])
        if kind == "identity-changed":
            return self._origin(0, one), self._origin(1, other)
        return str(one), str(other)

    def _origin(self, side: int, text: str) -> str:
        origins = self._seen[side].get(text)
        return f"the same as in the {min(origins)[1]}" if origins else "a new one"


def _away(one: Any, other: Any, at: Times) -> Times | None:
    """How far two times are from their exchanges, in seconds; None if they are no times."""
    times = instant(one), instant(other)
    if times[0] is None or times[1] is None:
        return None
    return times[0].timestamp() - at[0], times[1].timestamp() - at[1]


def _in_words(seconds: float) -> str:
    return f"{abs(seconds):.0f} s {'after' if seconds >= 0 else 'before'} the exchange"
