"""The verdicts of tests on rules, by which a changed sandbox is compared with an unchanged one."""

from collections.abc import Mapping
from typing import NamedTuple

from conformance.catalogue import Basis, Rule
from conformance.findings import Finding, Outcome
from conformance.verdicts import Verdict, verdict_of_finding

_RANK = {verdict: place for place, verdict in enumerate(Verdict)}
"""How much each verdict weighs: 0 for the worst."""


class RuleVerdict(NamedTuple):
    """The verdict of one test or of several on a rule.

    Attributes:
        plain: The verdict of a plain run.
        strict: The verdict where inferred rules count as their level says.
        notes: What a note would say: the readings that were seen, and the places in which the rule did not hold.
    """

    plain: Verdict = Verdict.UNTESTED
    strict: Verdict = Verdict.UNTESTED
    notes: frozenset[str] = frozenset()

    def __or__(self, other: "RuleVerdict") -> "RuleVerdict":
        """The verdict of both together."""
        if self == other:
            return self
        return RuleVerdict(
            self.plain if _RANK[self.plain] < _RANK[other.plain] else other.plain,
            self.strict if _RANK[self.strict] < _RANK[other.strict] else other.strict,
            self.notes | other.notes,
        )


Verdicts = Mapping[str, Mapping[str, RuleVerdict]]
"""The verdicts of tests on rules, by the id of the test and of the rule."""

RuleVerdicts = Mapping[str, RuleVerdict]
"""The verdicts of all tests together, by the id of the rule."""


def combine(verdicts: Verdicts) -> RuleVerdicts:
    """The verdict of all tests together on each rule, by the rule's id."""
    found: dict[str, RuleVerdict] = {}
    for of_test in verdicts.values():
        for rule, verdict in of_test.items():
            found[rule] = found[rule] | verdict if rule in found else verdict
    return found


def rule_verdict(rule: Rule, finding: Finding) -> RuleVerdict:
    """What one finding says of its rule."""
    notes = set()
    if rule.basis is Basis.CONTRADICTED and finding.outcome in {Outcome.HELD, Outcome.BROKEN}:
        notes = {str(finding.reading)}
    elif finding.outcome is Outcome.BROKEN:
        notes = {f"{finding.test}: {finding.where}"}
    plain, strict = (verdict_of_finding(rule, finding, strict=strict) for strict in (False, True))
    return RuleVerdict(plain, strict, frozenset(notes))


def is_worse(one: Verdict, other: Verdict) -> bool:
    """Whether the first verdict outweighs the other where a rule has both."""
    return _RANK[one] < _RANK[other]
