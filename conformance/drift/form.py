"""The one form of what changed, whatever was compared."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from hashlib import sha256
from typing import Any

from conformance import ConformanceError, __version__
from conformance.findings import shorten

FORMAT = "conformance-drift/1"
"""The name of the form in which changes are written as JSON."""


class NotComparableError(ConformanceError, ValueError):
    """Two inputs cannot be compared; the message says which, why, and what to give instead."""


class Impact(StrEnum):
    """What a change does to a client that was right before; the worst first."""

    BREAKING = "breaking"
    RISKY = "risky"
    HARMLESS = "harmless"


class SuiteChanged(StrEnum):
    """Whether a verdict may differ because the suite does; of what is no verdict nothing is said."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


IMPACTS = tuple(Impact)
"""The impacts, the worst first."""


@dataclass(frozen=True)
class Change:
    """One thing that changed.

    Args:
        kind: The stable id of the kind of change, such as ``response-property-removed``.
        impact: What it does to a client that was right before.
        place: Where: an operation and a part of it, a rule, or a place of a document.
        before: What was there, in words; empty if nothing was.
        after: What is there now; empty if nothing is.
        advice: What a client must change, in a sentence.
        api: The name of the API, empty if that is not known.
        operations: The ids of the operations and webhooks in which it is.
        rules: The ids of the rules concerned.
        tests: The ids of the tests that show it or judge these rules.
        elsewhere: The other places in which the same changed.
        suite_changed: Whether the suite's own change may be the reason, for a verdict.
    """

    kind: str
    impact: Impact
    place: str
    before: str
    after: str
    advice: str
    api: str = ""
    operations: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()
    suite_changed: SuiteChanged | None = None

    @cached_property
    def fingerprint(self) -> str:
        """What tells this change from others, the same in every comparison that finds it: 16 hexadecimal digits."""
        parts = (self.kind, self.api, self.place, self.before, self.after)
        return sha256("\x1f".join(parts).encode(errors="replace")).hexdigest()[:16]

    def to_json(self) -> dict[str, Any]:
        """It as JSON, in the form of ``specs/schemas/drift.json``."""
        return {
            "fingerprint": self.fingerprint,
            "kind": self.kind,
            "level": self.impact.value,
            "api": self.api or None,
            "place": self.place,
            "operations": list(self.operations),
            "elsewhere": list(self.elsewhere),
            "before": shorten(self.before),
            "after": shorten(self.after),
            "client": self.advice,
            "rules": list(self.rules),
            "tests": list(self.tests),
            "suite_changed": self.suite_changed.value if self.suite_changed else None,
        }


@dataclass(frozen=True)
class Comparison:
    """What a comparison found.

    Args:
        of: What was compared: ``descriptions``, ``verdicts``, ``traffic`` or ``documents``.
        before: What the older one is, in words.
        after: What the newer one is.
        changes: What changed.
        remarks: What a reader should know besides.
    """

    of: str
    before: str
    after: str
    changes: Sequence[Change]
    remarks: Sequence[str] = field(default=())

    def to_json(self) -> dict[str, Any]:
        """It as JSON, in the form of ``specs/schemas/drift.json``, the worst first."""
        ordered = sorted(self.changes, key=lambda change: IMPACTS.index(change.impact))
        return {
            "format": FORMAT,
            "suite": {"version": __version__},
            "compared": self.of,
            "before": self.before,
            "after": self.after,
            "summary": summary(ordered),
            "remarks": list(self.remarks),
            "findings": [change.to_json() for change in ordered],
        }


def summary(changes: Iterable[Change]) -> Mapping[str, int]:
    """How many changes there are of each impact."""
    counted = dict.fromkeys(map(str, Impact), 0)
    for change in changes:
        counted[change.impact.value] += 1
    return counted
