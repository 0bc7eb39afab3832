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
        strict: Whether an inferred rule that did not hold counts as its level says.
    """
    if finding.outcome in _NOT_JUDGED:
        return _NOT_JUDGED[finding.outcome]
    if rule.basis is Basis.CONTRADICTED:
        return Verdict.NOTE if rule.reading(finding.reading) else _BY_LEVEL[rule.level]
    if finding.outcome is Outcome.HELD:
        return Verdict.PASS
    if rule.basis is Basis.INFERRED and not strict:
        return Verdict.NOTE
    return _BY_LEVEL[rule.level]


def verdict_of_rule(rule: Rule, findings: Iterable[Finding], *, strict: bool = False) -> Verdict:
    """The worst that any of a rule's findings says; `untested` if there is none."""
    verdicts = {verdict_of_finding(rule, finding, strict=strict) for finding in findings}
    return min(verdicts, key=_PRECEDENCE.index, default=Verdict.UNTESTED)


def conclusion(verdicts: Iterable[Verdict]) -> Conclusion:
    """What the verdicts of all rules say of the subject."""
    seen = set(verdicts)
    if Verdict.FAIL in seen:
        return Conclusion.FAILS
    if seen & {Verdict.ERROR, Verdict.BLOCKED} or Verdict.PASS not in seen:
        return Conclusion.INCONCLUSIVE
    return Conclusion.CONFORMS
