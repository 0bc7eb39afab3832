from collections.abc import Callable
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from conformance.findings import Finding, Outcome
from conformance.reporting.junit import junit
from tests.reporting.conftest import TEST, broken

Make = Callable[..., dict[str, Any]]


def parsed(results: dict[str, Any]) -> ET.Element:
    return ET.fromstring(junit(results))


def case(results: dict[str, Any], rule: str) -> ET.Element:
    found = parsed(results).find(f".//testcase[@name='wallets.{rule}']")
    assert found is not None
    return found


def test_every_rule_is_a_test_case(mixed: dict[str, Any]) -> None:
    names = [each.attrib["name"] for each in parsed(mixed).iter("testcase")]
    assert names[: len(mixed["rules"])] == [rule["id"] for rule in mixed["rules"]]


def test_what_blocks_rules_is_one_error_and_they_are_skipped_with_its_name(make: Make) -> None:
    cause, *others = (f"wallets.{name}" for name in ("expiry.refused-after-an-hour", "expiry.replaced", "webhook.sent"))
    stopped = [
        Finding(rule, Outcome.BLOCKED, reason=reason, test=TEST, relies_on=(cause,))
        for rule in others
        for reason in ("A", "B")
    ]
    root = parsed(make([broken("expiry.refused-after-an-hour"), *stopped]))
    errors = root.findall(".//testcase/error")
    assert [(each.get("type"), each.get("message")) for each in errors] == [("blocked", f"2 rules blocked by {cause}")]
    for rule in others:
        skipped = root.find(f".//testcase[@name='{rule}']/skipped")
        assert skipped is not None
        assert (skipped.text or "").startswith(f"blocked by {cause}: A")


def test_what_blocks_rules_is_an_error_too_if_no_rule_is_known_to_be_its_cause(mixed: dict[str, Any]) -> None:
    name = "blocked: POST /v1/customers got no answer from https://api.example"
    error = parsed(mixed).find(f".//testcase[@name='{name}']/error")
    assert error is not None
    assert (error.get("message") or "").startswith("1 rule blocked: POST /v1/customers")


@pytest.mark.parametrize(
    ("rule", "element", "kind"),
    [
        ("expiry.refused-after-an-hour", "failure", "fail"),
        ("suite.broke", "error", "error"),
        ("expiry.replaced", "skipped", None),
        ("webhook.sent", "skipped", None),
        ("client.signs", "skipped", None),
    ],
)
def test_what_did_not_pass_says_so(mixed: dict[str, Any], rule: str, element: str, kind: str | None) -> None:
    said = case(mixed, rule).find(element)
    assert said is not None
    assert said.get("type") == kind
    assert said.text if element == "skipped" else said.get("message")


@pytest.mark.parametrize(
    ("rule", "verdict"),
    [("customer.created", "pass"), ("customer.path", "note"), ("customer.shown-by-example", "warn")],
)
def test_what_passed_carries_its_verdict_as_its_status(mixed: dict[str, Any], rule: str, verdict: str) -> None:
    passed = case(mixed, rule)
    assert {child.tag for child in passed} == {"system-out"}
    assert passed.get("status") == verdict
    assert f"What {rule} asks for is done." in (passed.findtext("system-out") or "")


def test_a_failure_says_what_was_seen_where_it_is_said_and_how_to_repeat_it(mixed: dict[str, Any]) -> None:
    text = case(mixed, "expiry.refused-after-an-hour").findtext("failure") or ""
    assert "response status: expected 400, got 204 [wallets/expiry/an_old_challenge_is_refused#1]" in text
    said = "  Customer Guide, Expiry, line 3: A challenge expires after an hour. https://docs.example/guide#:~:text="
    assert said in text
    assert "source: Customer Guide, Expiry (vendor, statement)" in text
    assert (
        "repeat: conformance run wallets --target sandbox --rule wallets.expiry.refused-after-an-hour --test " in text
    )


def test_the_counts_are_those_of_the_elements(mixed: dict[str, Any]) -> None:
    root = parsed(mixed)
    suite = root.find("testsuite")
    assert suite is not None
    for element in (root, suite):
        counted = {name: element.get(name) for name in ("tests", "failures", "errors")}
        assert counted == {"tests": "10", "failures": "1", "errors": "2"}
    assert suite.get("skipped") == "3"


def test_of_many_like_findings_a_few_are_listed(make: Make) -> None:
    found = [replace(broken("customer.created"), got=str(status)) for status in range(200, 210)]
    text = case(make(found), "customer.created").findtext("failure") or ""
    assert "got 204" in text
    assert "got 205" not in text
    assert "and 5 more in results.json" in text


def test_a_run_that_judged_nothing_is_not_green(make: Make) -> None:
    root = parsed(make([]))
    assert root.get("errors") == "1"
    error = root.find(".//testcase[@name='judged at least one rule']/error")
    assert error is not None
    assert error.get("message", "").startswith("INCONCLUSIVE: ")


def test_a_run_that_conforms_has_no_test_case_besides_its_rules(good: dict[str, Any]) -> None:
    assert len(list(parsed(good).iter("testcase"))) == len(good["rules"])


def test_what_xml_has_no_place_for_is_escaped(mixed: dict[str, Any]) -> None:
    assert "\\x1b[31m<script>" in (case(mixed, "customer.guessed").findtext("system-out") or "")
