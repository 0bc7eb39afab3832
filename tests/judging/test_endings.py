"""How a test ended: what a failed step leaves open is blocked, also where every rule had held till then."""

import pytest

from conformance.findings import Finding, Outcome
from conformance.judging.endings import completed
from conformance.scenario import StepFailedError

RULES = ["toy.one", "toy.two"]
HELD = [Finding(rule, Outcome.HELD) for rule in RULES]


def blocked(findings: list[Finding], failure: Exception | None, promised: tuple[str, ...] = ()) -> set[str]:
    found = completed(findings, RULES, failure, generated=False, promised=promised)
    return {each.rule for each in found if each.outcome is Outcome.BLOCKED}


@pytest.mark.parametrize(("promised", "left_open"), [(("toy.promise",), {"toy.promise"}), ((), set(RULES))])
def test_a_step_that_fails_after_all_has_held_blocks_what_promised_it_or_the_rules_of_the_test(
    promised: tuple[str, ...], left_open: set[str]
) -> None:
    assert blocked(HELD, StepFailedError("A customer was to be read"), promised) == left_open
    assert blocked(HELD, None, promised) == set()


def test_what_follows_a_broken_rule_is_not_told_besides() -> None:
    broken = [Finding("toy.one", Outcome.BROKEN), HELD[1]]
    assert blocked(broken, StepFailedError("A customer was to be read"), ("toy.promise",)) == set()


def test_a_rule_without_a_finding_is_blocked_alone() -> None:
    assert blocked(HELD[:1], StepFailedError("A customer was to be read"), ("toy.promise",)) == {"toy.two"}
