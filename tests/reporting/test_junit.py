from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from conformance.reporting.junit import junit

Make = Callable[..., dict[str, Any]]


def parsed(results: dict[str, Any]) -> ET.Element:
    return ET.fromstring(junit(results))


def case(results: dict[str, Any], rule: str) -> ET.Element:
    found = parsed(results).find(f".//testcase[@name='wallets.{rule}']")
    assert found is not None
    return found


def properties(element: ET.Element) -> dict[str, str]:
    return {each.attrib["name"]: each.attrib["value"] for each in element.findall("properties/property")}


def test_every_rule_is_a_test_case(mixed: dict[str, Any]) -> None:
    names = [each.attrib["name"] for each in parsed(mixed).iter("testcase")]
    assert names == [rule["id"] for rule in mixed["rules"]]


@pytest.mark.parametrize(
    ("rule", "element", "kind"),
    [
        ("expiry.refused-after-an-hour", "failure", "fail"),
        ("suite.broke", "error", "error"),
        ("expiry.replaced", "error", "blocked"),
        ("webhook.sent", "skipped", None),
        ("client.signs", "skipped", None),
    ],
)
def test_what_did_not_pass_says_so(mixed: dict[str, Any], rule: str, element: str, kind: str | None) -> None:
    said = case(mixed, rule).find(element)
    assert said is not None
    assert said.get("type") == kind
    assert said.get("message")


@pytest.mark.parametrize(
    ("rule", "verdict"),
    [("customer.created", "pass"), ("customer.path", "note"), ("customer.shown-by-example", "warn")],
)
def test_what_passed_carries_its_verdict_as_a_property(mixed: dict[str, Any], rule: str, verdict: str) -> None:
    passed = case(mixed, rule)
    assert {child.tag for child in passed} == {"properties"}
    assert properties(passed)["verdict"] == verdict


def test_a_failure_says_what_was_seen_where_it_is_said_and_how_to_repeat_it(mixed: dict[str, Any]) -> None:
    text = case(mixed, "expiry.refused-after-an-hour").findtext("failure") or ""
    assert "response status: expected 400, got 204 [wallets/expiry/an_old_challenge_is_refused#1]" in text
    assert "source: Customer Guide, Expiry (seed, statement)" in text
    assert (
        "repeat: conformance run wallets --target sandbox --rule wallets.expiry.refused-after-an-hour --seed 7" in text
    )


def test_the_counts_are_those_of_the_elements(mixed: dict[str, Any]) -> None:
    root = parsed(mixed)
    for element in (root, root.find("testsuite")):
        assert element is not None
        counted = {name: element.get(name) for name in ("tests", "failures", "errors", "skipped")}
        assert counted == {"tests": "9", "failures": "1", "errors": "2", "skipped": "2"}


def test_a_run_that_judged_nothing_is_not_green(make: Make) -> None:
    root = parsed(make([]))
    assert root.get("errors") == "1"
    error = root.find(".//testcase[@name='judged at least one rule']/error")
    assert error is not None
    assert error.get("message", "").startswith("INCONCLUSIVE: ")


def test_a_run_that_conforms_has_no_test_case_besides_its_rules(good: dict[str, Any]) -> None:
    assert len(list(parsed(good).iter("testcase"))) == len(good["rules"])


def test_what_xml_has_no_place_for_is_escaped(mixed: dict[str, Any]) -> None:
    assert "\\x1b[31m<script>" in properties(case(mixed, "customer.guessed"))["reason"]
