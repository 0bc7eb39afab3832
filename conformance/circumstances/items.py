"""Scenarios under circumstances as tests of pytest, beside the same scenarios as they usually run."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pytest

from conformance.circumstances.levels import Level
from conformance.circumstances.selection import SEPARATOR, Candidate, row_name
from conformance.scenario import LEAVES_OUT, WAITS

__all__ = ["candidate", "fewest", "have_counted", "under"]


def candidate(item: pytest.Item, test: str) -> Candidate:
    """A test as one that may run under circumstances, but for those that its marks leave out.

    Args:
        item: The test.
        test: Its id.
    """
    senseless = frozenset(name for mark in item.iter_markers(LEAVES_OUT) for name in mark.args)
    return Candidate(test, senseless, waits=item.get_closest_marker(WAITS) is not None)


def under(item: pytest.Function, levels: Iterable[Level]) -> pytest.Function:
    """The same test once more, named for the levels that it is to run under."""
    shared: dict[str, Any] = {
        "callspec": getattr(item, "callspec", None),
        "fixtureinfo": item._fixtureinfo,  # noqa: SLF001  (a test with parameters has no other way to its fixtures)
    }
    name = f"{item.name}{SEPARATOR}{row_name(levels)}"
    again: pytest.Function = type(item).from_parent(item.parent, name=name, callobj=item.obj, **shared)
    return again


def have_counted(kept: Sequence[pytest.Item], collected: Sequence[pytest.Item]) -> None:
    """Have pytest count the tests that were left out, and those that were added, which it has no hook for.

    Args:
        kept: The tests that will run.
        collected: Those that pytest collected.
    """
    config = collected[0].config
    remaining, present = set(kept), set(collected)
    if left_out := [item for item in collected if item not in remaining]:
        config.hook.pytest_deselected(items=left_out)
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None and hasattr(reporter, "_numcollected"):
        reporter._numcollected += len(remaining - present)  # noqa: SLF001


def fewest(levels: Sequence[Level], shows: Callable[[Sequence[Level]], bool]) -> tuple[Level, ...]:
    """The fewest of the levels that still show what all of them show: one of them, or as many as none can be left out.

    Args:
        levels: The levels that show it together.
        shows: Whether some of them show it.
    """
    for level in levels:
        if shows([level]):
            return (level,)
    needed = list(levels)
    for level in levels:
        fewer = [each for each in needed if each is not level]
        if len(fewer) > 1 and shows(fewer):
            needed = fewer
    return tuple(needed)
