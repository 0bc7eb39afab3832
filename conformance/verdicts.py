"""What a run says of a rule, and of the subject: the one place where that is decided."""

from collections.abc import Iterable
from enum import StrEnum

from conformance.catalogue import Basis, Level, Rule
from conformance.findings import Finding, Outcome


class Verdict(StrEnum):
    """What a run says of one rule; the worst first."""

    ERROR = "error"
    FAIL = "fail"
    WARN = "warn"
    NOTE = "note"
    BLOCKED = "blocked"
    PASS = "pass"  # noqa: S105  (no password)
    SKIPPED = "skipped"
    UNTESTED = "untested"


class Conclusion(StrEnum):
    """What a run says of the subject."""

    CONFORMS = "conforms"
    FAILS = "fails"
    INCONCLUSIVE = "inconclusive"

    @property
    def exit_code(self) -> int:
        """The exit code that says the same."""
        return {Conclusion.CONFORMS: 0, Conclusion.FAILS: 1, Conclusion.INCONCLUSIVE: 3}[self]


RED = frozenset({Verdict.FAIL, Verdict.ERROR, Verdict.BLOCKED})
"""The verdicts with which a run does not conform."""
_PRECEDENCE = tuple(Verdict)
_BY_LEVEL = {Level.MUST: Verdict.FAIL, Level.SHOULD: Verdict.WARN, Level.MAY: Verdict.NOTE}
_NOT_JUDGED = {
    Outcome.BLOCKED: Verdict.BLOCKED,
    Outcome.SKIPPED: Verdict.SKIPPED,
    Outcome.ERROR: Verdict.ERROR,
}


def verdict_of_finding(rule: Rule, finding: Finding, *, strict: bool = False) -> Verdict:
    """What one finding says of its rule.

    Args:
        rule: The rule.
        finding: A finding of it.
        strict: Whether an inferred rule that did not hold counts as its level says, and a protection that is broken
            fails.
    """
    if finding.outcome in _NOT_JUDGED:
        return _NOT_JUDGED[finding.outcome]
    if rule.basis is Basis.CONTRADICTED and rule.reading(finding.reading):
        return Verdict.NOTE
    if finding.outcome is Outcome.HELD and rule.basis is not Basis.CONTRADICTED:
        return Verdict.PASS
    broken = Verdict.NOTE if rule.basis is Basis.INFERRED and not strict else _BY_LEVEL[rule.level]
    if rule.protects is None:
        return broken
    return min(broken, Verdict.FAIL if strict else Verdict.WARN, key=_PRECEDENCE.index)


def verdict_of_rule(rule: Rule, findings: Iterable[Finding], *, strict: bool = False) -> Verdict:
    """The worst that any of a rule's findings says; `untested` if there is none."""
    verdicts = {verdict_of_finding(rule, finding, strict=strict) for finding in findings}
    return min(verdicts, key=_PRECEDENCE.index, default=Verdict.UNTESTED)


def conclusion(verdicts: Iterable[Verdict], *, baseline_is_wrong: bool = False) -> Conclusion:
    """What the verdicts of all rules say of the subject.

    Args:
        verdicts: The verdicts; of what is known to fail there is none.
        baseline_is_wrong: Whether something that is said to be known to fail does not, or is not borne any more.
    """
    seen = set(verdicts)
    if Verdict.FAIL in seen or baseline_is_wrong:
        return Conclusion.FAILS
    if seen & RED or Verdict.PASS not in seen:
        return Conclusion.INCONCLUSIVE
    return Conclusion.CONFORMS
