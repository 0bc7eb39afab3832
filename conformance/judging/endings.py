"""What a test that has ended says of the rules that it lists and has no finding of."""

from collections.abc import Sequence

from conformance.findings import Finding, Outcome
from conformance.scenario import NeedError, StepFailedError


def completed(
    findings: Sequence[Finding],
    rules: Sequence[str],
    failure: BaseException | None,
    *,
    generated: bool,
    unmatched: str = "",
) -> list[Finding]:
    """The findings of a test, with one for each rule that it could judge and did not.

    Args:
        findings: What was found.
        rules: The ids of the rules that the test can judge.
        failure: What ended the test early; None if it came to its end.
        generated: Whether it generated its requests, so that no answer may have let a rule be judged.
        unmatched: In a replay, why a request had no recorded answer; this blocks every rule of the test.
    """
    outcome, reason = _ending(failure, generated=generated)
    judged = {finding.rule for finding in findings}
    crashed = failure is not None and outcome is Outcome.ERROR
    missing = [rule for rule in rules if crashed or rule not in judged]
    blocked = [rule for rule in rules if rule in judged] if unmatched else []
    return [
        *findings,
        *(Finding(rule, outcome, reason=reason) for rule in missing),
        *(Finding(rule, Outcome.BLOCKED, reason=unmatched) for rule in blocked),
    ]


def _ending(failure: BaseException | None, *, generated: bool) -> tuple[Outcome, str]:
    """What the rules without a finding get, from how the test ended and whether it generated its requests."""
    match failure:
        case None if generated:
            return Outcome.BLOCKED, "No generated request was answered in such a way that this can be judged."
        case None:
            return Outcome.ERROR, "The test ended without a finding of this rule."
        case StepFailedError():
            return Outcome.BLOCKED, str(failure)
        case NeedError():
            return Outcome.SKIPPED, f"This needs {failure}."
        case _:
            return Outcome.ERROR, f"{type(failure).__name__}: {failure}"
