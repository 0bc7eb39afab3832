"""What changed between two results is told rule by rule, with whether the suite changed."""

import copy
from datetime import UTC, datetime
from typing import Any

import pytest

from conformance.api import registered
from conformance.catalogue import Catalogue, Rule
from conformance.drift.form import Change, NotComparableError, SuiteChanged
from conformance.drift.verdicts import compare
from conformance.findings import Finding, Outcome
from conformance.judging.results import Run, results
from conformance.options import Options

RULES = list(Catalogue.load(registered()["offblocks"].rules).values())
MUST = next(rule for rule in RULES if rule.level == "must" and rule.basis == "documented" and not rule.protects)
SHOULD = next(rule for rule in RULES if rule.level == "should" and rule.basis == "documented" and not rule.protects)
READ = next(rule for rule in RULES if rule.readings)
TEST = "offblocks/customer/a_new_customer_is_created"


def found(rule: Rule, outcome: Outcome, *, where: str = "response status", reading: str | None = None) -> Finding:
    return Finding(rule.id, outcome, where, "201", "500", None, reading, "it broke", TEST)


def judged(*findings: Finding, rules: list[Rule] = RULES) -> dict[str, Any]:
    started = datetime(2026, 1, 15, tzinfo=UTC)
    return results(Run(Options(seed="0"), "a server", {"offblocks": "OffBlocks"}, started, 1.0, findings), rules)


def changes(before: dict[str, Any], after: dict[str, Any]) -> list[Change]:
    return list(compare(before, after, ("old.json", "new.json")).changes)


@pytest.mark.parametrize(
    ("before", "after", "kind", "impact"),
    [
        (found(MUST, Outcome.HELD), found(MUST, Outcome.BROKEN), "rule-broken", "breaking"),
        (found(SHOULD, Outcome.HELD), found(SHOULD, Outcome.BROKEN), "rule-broken", "risky"),
        (found(MUST, Outcome.BROKEN), found(MUST, Outcome.HELD), "rule-mended", "harmless"),
        (found(MUST, Outcome.HELD), found(MUST, Outcome.BLOCKED), "rule-judged-no-more", "risky"),
        (found(MUST, Outcome.SKIPPED), found(MUST, Outcome.HELD), "rule-judged-now", "harmless"),
        (found(MUST, Outcome.SKIPPED), found(MUST, Outcome.BROKEN), "rule-broken", "breaking"),
        (found(MUST, Outcome.SKIPPED), found(MUST, Outcome.BLOCKED), "rule-not-judged-otherwise", "harmless"),
        (
            found(READ, Outcome.BROKEN, reading=READ.readings[0].id),
            found(READ, Outcome.BROKEN, reading=READ.readings[1].id),
            "rule-read-otherwise",
            "risky",
        ),
        (
            found(MUST, Outcome.BROKEN),
            found(MUST, Outcome.BROKEN, where="response /id"),
            "rule-broken-in-more-places",
            "risky",
        ),
    ],
)
def test_a_verdict_that_changed_is_told(before: Finding, after: Finding, kind: str, impact: str) -> None:
    (told,) = changes(judged(before), judged(after))
    assert (told.kind, told.impact, told.rules) == (kind, impact, (before.rule,))
    assert told.suite_changed is SuiteChanged.NO


def test_the_same_verdicts_are_no_drift() -> None:
    assert changes(judged(found(MUST, Outcome.BROKEN)), judged(found(MUST, Outcome.BROKEN))) == []


def test_a_rule_whose_digest_differs_may_be_the_reason() -> None:
    before, after = judged(found(MUST, Outcome.HELD)), judged(found(MUST, Outcome.BROKEN))
    next(rule for rule in before["rules"] if rule["id"] == MUST.id)["digest"] = "sha256:" + "0" * 64
    (told,) = changes(before, after)
    assert told.suite_changed is SuiteChanged.YES


def test_without_digests_it_is_unknown_whether_the_suite_changed() -> None:
    before, after = judged(found(MUST, Outcome.HELD)), judged(found(MUST, Outcome.BROKEN))
    for rule in before["rules"]:
        del rule["digest"]
    (told,) = changes(before, after)
    assert told.suite_changed is SuiteChanged.UNKNOWN


def test_a_rule_that_is_new_or_gone_is_the_suites_change() -> None:
    others = [rule for rule in RULES if rule is not MUST]
    whole, less = judged(found(MUST, Outcome.BROKEN)), judged(rules=others)
    assert [(each.kind, each.impact, each.suite_changed) for each in changes(less, whole)] == [
        ("rule-added", "breaking", "yes")
    ]
    assert [(each.kind, each.impact, each.suite_changed) for each in changes(whole, less)] == [
        ("rule-removed", "risky", "yes")
    ]


def test_options_that_differ_are_remarked() -> None:
    before, after = judged(), copy.deepcopy(judged())
    after["strict"] = True
    after["suite"]["version"] = "9.9"
    remarks = " ".join(compare(before, after, ("old", "new")).remarks)
    assert "differ in strict" in remarks
    assert "is 9.9" in remarks


def test_results_of_different_apis_cannot_be_compared() -> None:
    after = judged()
    after["apis"] = {"planbok": "Planbok"}
    with pytest.raises(NotComparableError, match="no API in common"):
        changes(judged(), after)


def test_results_of_another_form_are_refused_with_the_place() -> None:
    broken = judged()
    broken["rules"][0]["verdict"] = "fine"
    with pytest.raises(NotComparableError, match=r"old\.json is wrong at rules/0/verdict"):
        changes(broken, judged())
