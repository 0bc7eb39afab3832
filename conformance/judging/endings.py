"""What a test that has ended says of the rules that it lists and has no finding of."""

from collections.abc import Sequence
from dataclasses import replace

from conformance.findings import Finding, Outcome, answer
from conformance.scenario import NeedError, StepFailedError, UnmeantRequestError


def completed(
    findings: Sequence[Finding],
    rules: Sequence[str],
    failure: BaseException | None,
    *,
    generated: bool,
    unmatched: str = "",
    promised: Sequence[str] = (),
) -> list[Finding]:
    """The findings of a test, with one for each rule that it could judge and did not.

    Args:
        findings: What was found.
        rules: The ids of the rules that the test can judge.
        failure: What ended the test early; None if it came to its end.
        generated: Whether it generated its requests, so that no answer may have let a rule be judged.
        promised: The rules by which the request of the step that failed was to succeed.
        unmatched: In a replay, why a request had no recorded answer; this blocks every rule of the test.
    """
    deviates = any(finding.outcome is Outcome.BROKEN for finding in findings)
    outcome, reason = _ending(failure, generated=generated, deviates=deviates)
    ending = Finding("", outcome, reason=reason)
    if isinstance(failure, StepFailedError):
        ending = replace(ending, relies_on=(*failure.relies_on, *promised))
        if failure.exchange is not None:
            ending = replace(ending, exchange=failure.exchange.id, got=answer(failure.exchange))
    judged = {finding.rule for finding in findings}
    crashed = failure is not None and outcome is Outcome.ERROR
    missing = [rule for rule in rules if crashed or rule not in judged]
    if isinstance(failure, StepFailedError) and not missing and not deviates:
        missing = list(promised or rules)  # what was found holds, but not all of it was seen
    blocked = [rule for rule in rules if rule in judged] if unmatched else []
    return [
        *findings,
        *(replace(ending, rule=rule) for rule in missing),
        *(Finding(rule, Outcome.BLOCKED, reason=unmatched) for rule in blocked),
    ]


def _ending(failure: BaseException | None, *, generated: bool, deviates: bool) -> tuple[Outcome, str]:
    """What the rules without a finding get.

    Args:
        failure: What ended the test early; None if it came to its end.
        generated: Whether it generated its requests.
        deviates: Whether the subject broke a rule in it, so that what it gave may have led the suite astray.
    """
    match failure:
        case None if generated or deviates:
            asked = "No generated request was answered" if generated else "What was asked was not answered"
            return Outcome.BLOCKED, f"{asked} in such a way that this can be judged."
        case None:
            return Outcome.ERROR, "The test ended without a finding of this rule."
        case StepFailedError():
            return Outcome.BLOCKED, str(failure)
        case UnmeantRequestError() if deviates:
            return Outcome.BLOCKED, "A request was to be made of what the server gave, and came to be another one."
        case NeedError():
            return Outcome.SKIPPED, f"This needs {failure}."
        case _:
            return Outcome.ERROR, f"{type(failure).__name__}: {failure}"
