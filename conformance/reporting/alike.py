"""Findings of one rule that say much the same: what they have in common, and in what they differ."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from conformance.judging.causes import without_ids

Finding = Mapping[str, Any]
_FIELDS = ("where", "expected", "got", "reason", "test")


@dataclass
class Alike:
    """Findings of the same place and the same expectation.

    Args:
        first: The first of them.
        count: How many there are.
        got: What was there, by how often.
        tests: The tests that found it, by how often.
    """

    first: Finding
    count: int = 0
    got: Counter[str] = field(default_factory=Counter)
    tests: Counter[str] = field(default_factory=Counter)


def alike(findings: Iterable[Finding]) -> list[Alike]:
    """The findings by what they say, apart from ids; the order is that of the first of each.

    Args:
        findings: Findings in the form of ``specs/schemas/results.json``.
    """
    groups: dict[tuple[str, ...], Alike] = {}
    for finding in findings:
        said = tuple(without_ids(finding[name]) for name in ("where", "expected", "reason"))
        group = groups.setdefault(said, Alike(finding))
        group.count += 1
        group.got[finding["got"]] += 1
        group.tests[finding["test"]] += 1
    return list(groups.values())


def differing(findings: Sequence[Finding]) -> list[tuple[str, int]]:
    """In which of their members findings differ, and how many values each of these has."""
    counted = [(name, len({finding[name] for finding in findings})) for name in _FIELDS]
    return [(name, values) for name, values in counted if values > 1]
