"""What is decided: whether a fault was caught, whether a variation raised an alarm, whether that is good enough."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import comb
from typing import Any

from conformance.catalogue import Basis, Catalogue
from conformance.matrix.trials import SECTIONS, strongest_basis
from conformance.matrix.verdicts import RuleVerdict, Verdicts, combine, is_worse
from conformance.verdicts import Verdict

LEAST_CAUGHT = {"faults": 1.0, "mutations": 0.98}
"""The share of each that must be caught."""
LEAST_ATTRIBUTED = 0.95
"""The share of the faults that a rule that they name must notice, while no other rule fails."""

_BREACHES = {Verdict.FAIL, Verdict.WARN, Verdict.NOTE}
_FAILURES = {Verdict.ERROR, Verdict.FAIL}
_ALARMS = {Verdict.ERROR, Verdict.FAIL, Verdict.WARN, Verdict.BLOCKED}
_CERTAIN = (Basis.DOCUMENTED, Basis.STANDARD)
_CONFIDENCE = 0.95


@dataclass(frozen=True)
class Judgement:
    """What a trial came to.

    Args:
        caught_by: The rules that it names and that notice it.
        missed_by: The rules that it names and that do not notice it.
        also: The rules that it does not name and that fail.
        alarms: The rules that raise an alarm, named or not.
        caught: Whether one of its rules of the strongest basis notices it.
    """

    caught_by: tuple[str, ...]
    missed_by: tuple[str, ...]
    also: tuple[str, ...]
    alarms: tuple[str, ...]
    caught: bool


def judge(breaks: Sequence[str], wrong: Verdicts, right: Verdicts, catalogue: Catalogue) -> Judgement:
    """Compare what tests found of a changed sandbox with what they find of the sandbox as it is.

    Args:
        breaks: The rules that the change is meant to break.
        wrong: The verdicts on the changed sandbox; a test that is not in it is taken to find what it finds in `right`.
        right: The verdicts on the sandbox as it is.
        catalogue: The rules of the API.
    """
    now, before = combine({**right, **wrong}), combine(right)
    untested = RuleVerdict()
    worse = {
        rule: verdict.plain
        for rule, verdict in now.items()
        if is_worse(verdict.plain, before.get(rule, untested).plain)
    }
    noticing = {
        rule for rule in breaks if notices(catalogue[rule].basis, now.get(rule, untested), before.get(rule, untested))
    }
    basis = strongest_basis(breaks, catalogue) if breaks else None
    return Judgement(
        caught_by=tuple(rule for rule in breaks if rule in noticing),
        missed_by=tuple(rule for rule in breaks if rule not in noticing),
        also=tuple(rule for rule, verdict in worse.items() if verdict in _FAILURES and rule not in breaks),
        alarms=tuple(rule for rule, verdict in worse.items() if verdict in _ALARMS),
        caught=any(catalogue[rule].basis is basis for rule in noticing),
    )


def notices(basis: Basis, wrong: RuleVerdict, right: RuleVerdict) -> bool:
    """Whether a rule says of a faulty sandbox what it does not say of the sandbox as it is.

    Args:
        basis: What the rule rests on.
        wrong: The verdict on the faulty sandbox.
        right: The verdict on the sandbox as it is.
    """
    has_another_note = bool(wrong.notes - right.notes)
    is_breach = wrong.plain in _BREACHES and is_worse(wrong.plain, right.plain)
    if basis in _CERTAIN:
        return is_breach
    if basis is Basis.INFERRED:
        return has_another_note and wrong.strict in _BREACHES and is_worse(wrong.strict, right.strict)
    return has_another_note or is_breach


# ---------------------------------------------------------------------------------------------------- a whole matrix


def summary(parts: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, Any]:
    """The figures of a matrix.

    Args:
        parts: Its entries, by ``faults``, ``mutations`` and ``variations``.
    """
    faults, mutated, varied = (parts[part] for part in SECTIONS)
    attributed = sum(bool(fault["caught"] and not fault["also"]) for fault in faults)
    alarming = sum(bool(variation["alarms"]) for variation in varied)
    return {
        "faults": len(faults),
        "faults_caught": sum(fault["caught"] for fault in faults),
        "faults_attributed": attributed,
        "mutations": len(mutated),
        "mutations_caught": sum(mutation["caught"] for mutation in mutated),
        "variations": len(varied),
        "variations_alarming": alarming,
        "false_alarms_at_most": round(upper_bound(alarming, len(varied)), 4),
        "seconds": round(sum(entry["seconds"] for part in parts.values() for entry in part), 1),
    }


def holds(figures: Mapping[str, Any]) -> bool:
    """Whether a summary says that as many are caught and attributed as must be, and that nothing raises an alarm."""
    return (
        all(figures[f"{part}_caught"] >= share * figures[part] for part, share in LEAST_CAUGHT.items())
        and figures["faults_attributed"] >= LEAST_ATTRIBUTED * figures["faults"]
        and not figures["variations_alarming"]
    )


def upper_bound(hits: int, tries: int) -> float:
    """The upper end of the one-sided 95 % confidence interval of a share (Clopper and Pearson).

    Args:
        hits: How many there were.
        tries: Among how many; 0 gives 1.
    """
    if hits >= tries:
        return 1.0
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        at_most = sum(
            comb(tries, number) * middle**number * (1 - middle) ** (tries - number) for number in range(hits + 1)
        )
        low, high = (middle, high) if at_most > 1 - _CONFIDENCE else (low, middle)
    return high
