"""The table of the design: what a finding says of a rule, a rule's findings together, and all rules of the subject."""

from dataclasses import replace

import pytest

from conformance.catalogue import Basis, Document, Level, Party, Protection, Reading, Rule, Source
from conformance.findings import Finding, Outcome
from conformance.verdicts import Conclusion, Verdict, conclusion, verdict_of_finding, verdict_of_rule

SOURCE = Source(Document("vendor", "Guide", "https://example.test"), "1", "statement")


def rule(basis: str = "documented", level: str = "must") -> Rule:
    readings = (Reading("warm", "It is warm.", (SOURCE,)), Reading("cold", "It is cold.", (SOURCE,)))
    return Rule(
        id="toy.topic.rule",
        api="toy",
        title="A rule.",
        level=Level(level),
        party=Party.PROVIDER,
        basis=Basis(basis),
        sources=(SOURCE,),
        readings=readings if basis == "contradicted" else (),
        operations=(),
    )


def finding(outcome: str, reading: str | None = None) -> Finding:
    return Finding("toy.topic.rule", Outcome(outcome), reading=reading)


@pytest.mark.parametrize("basis", ["documented", "standard", "inferred"])
@pytest.mark.parametrize("level", ["must", "should", "may"])
@pytest.mark.parametrize("strict", [False, True])
def test_what_held_passes(basis: str, level: str, strict: bool) -> None:
    assert verdict_of_finding(rule(basis, level), finding("held"), strict=strict) is Verdict.PASS


@pytest.mark.parametrize("basis", ["documented", "standard"])
@pytest.mark.parametrize(("level", "verdict"), [("must", "fail"), ("should", "warn"), ("may", "note")])
@pytest.mark.parametrize("strict", [False, True])
def test_what_documents_say_counts_as_its_level_says(basis: str, level: str, verdict: str, strict: bool) -> None:
    assert verdict_of_finding(rule(basis, level), finding("broken"), strict=strict) == verdict


@pytest.mark.parametrize(("level", "strict_verdict"), [("must", "fail"), ("should", "warn"), ("may", "note")])
def test_what_is_inferred_is_noted_unless_strict(level: str, strict_verdict: str) -> None:
    assert verdict_of_finding(rule("inferred", level), finding("broken")) is Verdict.NOTE
    assert verdict_of_finding(rule("inferred", level), finding("broken"), strict=True) == strict_verdict


@pytest.mark.parametrize(
    ("basis", "level", "plain", "strict"),
    [
        ("inferred", "may", "warn", "fail"),
        ("inferred", "must", "warn", "fail"),
        ("documented", "may", "warn", "fail"),
        ("documented", "must", "fail", "fail"),
        ("contradicted", "may", "warn", "fail"),
    ],
)
def test_a_broken_protection_is_at_least_a_warning(basis: str, level: str, plain: str, strict: str) -> None:
    protecting = replace(rule(basis, level), protects=Protection.ISOLATION)
    assert verdict_of_finding(protecting, finding("broken")) == plain
    assert verdict_of_finding(protecting, finding("broken"), strict=True) == strict


@pytest.mark.parametrize("outcome", ["held", "blocked", "skipped", "error"])
def test_a_protection_that_is_not_broken_counts_as_others_do(outcome: str) -> None:
    usual = rule("inferred")
    protecting = replace(usual, protects=Protection.ISOLATION)
    assert verdict_of_finding(protecting, finding(outcome)) is verdict_of_finding(usual, finding(outcome))
    seen = replace(rule("contradicted"), protects=Protection.ISOLATION)
    assert verdict_of_finding(seen, finding("held", "warm"), strict=True) is Verdict.NOTE


@pytest.mark.parametrize("reading", ["warm", "cold"])
def test_a_reading_of_a_contradiction_is_noted(reading: str) -> None:
    assert verdict_of_finding(rule("contradicted"), finding("held", reading), strict=True) is Verdict.NOTE


@pytest.mark.parametrize(("level", "verdict"), [("must", "fail"), ("should", "warn"), ("may", "note")])
def test_none_of_the_readings_counts_as_its_level_says(level: str, verdict: str) -> None:
    assert verdict_of_finding(rule("contradicted", level), finding("broken")) == verdict
    assert verdict_of_finding(rule("contradicted", level), finding("held", "a third")) == verdict


@pytest.mark.parametrize(("outcome", "verdict"), [("blocked", "blocked"), ("skipped", "skipped"), ("error", "error")])
@pytest.mark.parametrize("basis", ["documented", "inferred", "contradicted"])
def test_what_could_not_be_judged_says_why(outcome: str, verdict: str, basis: str) -> None:
    assert verdict_of_finding(rule(basis), finding(outcome), strict=True) == verdict


ORDER = ["error", "fail", "warn", "note", "blocked", "pass", "skipped", "untested"]


def test_the_worst_finding_decides() -> None:
    assert [verdict.value for verdict in Verdict] == ORDER
    outcomes = ["skipped", "held", "blocked", "broken", "error"]
    expected = ["skipped", "pass", "blocked", "fail", "error"]
    for count, verdict in enumerate(expected, start=1):
        assert verdict_of_rule(rule(), [finding(outcome) for outcome in outcomes[:count]]) == verdict
    assert verdict_of_rule(rule(), []) is Verdict.UNTESTED


@pytest.mark.parametrize(
    ("verdicts", "expected", "code"),
    [
        (["pass", "warn", "note", "skipped", "untested"], "conforms", 0),
        (["pass", "fail", "error", "blocked"], "fails", 1),
        (["pass", "blocked"], "inconclusive", 3),
        (["pass", "error"], "inconclusive", 3),
        (["note", "warn", "skipped"], "inconclusive", 3),
        (["untested"], "inconclusive", 3),
        ([], "inconclusive", 3),
    ],
)
def test_all_verdicts_together_decide_the_exit_code(verdicts: list[str], expected: str, code: int) -> None:
    found = conclusion([Verdict(verdict) for verdict in verdicts])
    assert found == Conclusion(expected)
    assert found.exit_code == code
