"""Which scenarios run under which circumstances: a covering array of topics and levels, drawn from the seed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import TypeVar

from conformance import ConformanceError
from conformance.circumstances.levels import BY_NAME, LEVELS, Level
from conformance.ids import Ids

__all__ = [
    "SEPARATOR",
    "Candidate",
    "UnknownLevelError",
    "all_rows",
    "covering_rows",
    "is_drawn",
    "levels_named",
    "row_name",
]

SEPARATOR = "@"
"""What stands in the id of a test between the scenario and its circumstances."""
Thing = TypeVar("Thing")

_JOIN = "+"
_USUAL = ""
_READ_FIRST = BY_NAME["read-first"]


class UnknownLevelError(ConformanceError, LookupError):
    """There is no such level; the message lists those there are."""


@dataclass(frozen=True)
class Candidate:
    """A scenario that may run under circumstances.

    Args:
        test: Its id.
        senseless: The names of the levels, and of factors, that it makes no sense under.
        waits: Whether it lets time pass, so that it tells whether the time at which it begins makes a difference.
    """

    test: str
    senseless: frozenset[str] = frozenset()
    waits: bool = False

    @property
    def topic(self) -> str:
        """The API and topic."""
        return self.test.rpartition("/")[0]

    def takes(self, level: Level) -> bool:
        """Whether it makes sense under a level."""
        return not {level.name, level.factor} & self.senseless


def is_drawn(test: str) -> bool:
    """Whether the test with this id draws its requests, so that it is no scenario."""
    return test.split("/")[1] in {"properties", "sequences"}


def row_name(levels: Iterable[Level]) -> str:
    """What the id of a test calls these levels: their names, joined by ``+``."""
    return _JOIN.join(level.name for level in levels)


def levels_named(names: str) -> tuple[Level, ...]:
    """The levels that `row_name` gave this text for.

    Raises:
        UnknownLevelError: If there is none of such a name.
    """
    try:
        return tuple(BY_NAME[name] for name in names.split(_JOIN))
    except KeyError as error:
        raise UnknownLevelError(
            f"There is no circumstance {error.args[0]!r}. There are: {', '.join(BY_NAME)}."
        ) from None


def covering_rows(
    candidates: Sequence[Candidate], seed: str, levels: Sequence[Level] = LEVELS
) -> Mapping[str, list[tuple[Level, ...]]]:
    """Circumstances for scenarios that let every topic meet each level, and each level each one of other factors.

    A scenario that lets time pass begins at every time besides, and once all is read meanwhile, since it alone can tell
    whether that matters.

    Args:
        candidates: The scenarios.
        seed: What chooses among the arrays, and among the scenarios of a topic.
        levels: The levels that can be brought about.

    Returns:
        The circumstances under which a scenario runs besides the usual ones, by the id of its test.
    """
    from covertable import make, sorters  # noqa: PLC0415  (a replay draws none)

    topics: dict[str, list[Candidate]] = {}
    for candidate in candidates:
        topics.setdefault(candidate.topic, []).append(candidate)
    if not topics:
        return {}
    factors = _factors(levels)
    rows = make({"topic": list(topics), **factors}, sorter=sorters.hash, salt=seed)
    queues = {topic: _shuffled(members, Ids(seed, topic)) for topic, members in topics.items()}
    found: dict[str, list[tuple[Level, ...]]] = {}
    for row in rows:
        wanted = tuple(BY_NAME[name] for factor in factors if (name := row[factor]) != _USUAL)
        queue = queues[row["topic"]]
        chosen = max(queue, key=lambda each: sum(map(each.takes, wanted)))  # the first of those that take most
        queue.remove(chosen)
        queue.append(chosen)
        if taken := tuple(filter(chosen.takes, wanted)):
            found.setdefault(chosen.test, []).append(taken)
    starts = [level for level in levels if level.starts_at]
    for candidate in candidates if starts else ():
        read_at = int.from_bytes(Ids(seed, candidate.test).draw(8), "big") % len(starts)
        for number, start in enumerate(starts if candidate.waits else ()):
            wanted = (start, _READ_FIRST) if number == read_at and _READ_FIRST in levels else (start,)
            row = tuple(filter(candidate.takes, wanted))
            if row and row not in found.get(candidate.test, ()):
                found.setdefault(candidate.test, []).append(row)
    return found


def all_rows(
    candidates: Sequence[Candidate], seed: str, levels: Sequence[Level] = LEVELS
) -> Mapping[str, list[tuple[Level, ...]]]:
    """Circumstances for scenarios so that every one of them meets each level once, with few rows.

    Arguments and result are as in `covering_rows`.
    """
    factors = _factors(levels)
    found: dict[str, list[tuple[Level, ...]]] = {}
    for candidate in candidates:
        ids = Ids(seed, candidate.test)
        columns = [
            _shuffled([BY_NAME[name] for name in names if name and candidate.takes(BY_NAME[name])], ids.child(factor))
            for factor, names in factors.items()
        ]
        rows = [tuple(level for level in row if level) for row in zip_longest(*columns)]
        if rows:
            found[candidate.test] = rows
    return found


def _factors(levels: Sequence[Level]) -> dict[str, list[str]]:
    """The names of the levels of each factor, the usual one first."""
    factors: dict[str, list[str]] = {}
    for level in levels:
        factors.setdefault(level.factor, [_USUAL]).append(level.name)
    return factors


def _shuffled(things: Sequence[Thing], ids: Ids) -> list[Thing]:
    drawn = [(ids.draw(8), number) for number in range(len(things))]
    return [things[number] for _, number in sorted(drawn)]
