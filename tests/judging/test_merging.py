"""Results of several runs as those of one."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from conformance.files import data_path
from conformance.findings import Finding, Outcome
from conformance.judging.baseline import Baseline, Entry
from conformance.judging.merging import NotMergedError, merged
from conformance.judging.results import exchange_to_json
from tests.reporting.conftest import EXCHANGE, RULES, broken, held, make, rule, unjudged

__all__ = ["make"]  # the fixture

Make = Callable[..., dict[str, Any]]
VALIDATOR = jsonschema_rs.validator_for(json.loads(data_path("specs/schemas/results.json").read_bytes()))
CREATED, SENT = RULES[2], RULES[6]
GUESSED = rule("customer.guessed", RULES[4].basis)


def together(*parts: dict[str, Any]) -> dict[str, Any]:
    found = merged([(f"job-{number}", part) for number, part in enumerate(parts, start=1)])
    VALIDATOR.validate(found)
    return found


def verdicts(results: dict[str, Any]) -> dict[str, str]:
    return {each["id"].removeprefix("wallets."): each["verdict"] for each in results["rules"]}


def test_what_each_run_judged_is_what_one_run_judged(make: Make) -> None:
    one = make([held("customer.created")], [CREATED], remarks=["one"], scenarios={"a": "", "b": "B."})
    other = make([broken("webhook.sent")], [SENT], remarks=["one", "two"], scenarios={"b": "B.", "c": ""})
    other["started"] = "2026-01-15T11:00:00+00:00"
    found = together(one, other)
    assert verdicts(found) == {"customer.created": "pass", "webhook.sent": "fail"}
    assert (found["verdict"], found["summary"]["pass"], found["summary"]["fail"]) == ("fails", 1, 1)
    assert (found["tests"], found["duration_s"], found["started"]) == (3, 4.25, "2026-01-15T11:00:00+00:00")
    assert (found["remarks"], found["subject"]) == (["one", "two"], "the reference sandbox")


def test_a_run_with_itself_is_itself(make: Make) -> None:
    mixed = make()
    assert {**together(mixed, mixed), "duration_s": mixed["duration_s"]} == mixed


def test_a_rule_that_several_judged_has_all_findings_and_the_worst_verdict(make: Make) -> None:
    found = together(
        make([held("customer.created")], [CREATED]),
        make([broken("customer.created")], [CREATED]),
        make([unjudged("customer.created", Outcome.SKIPPED, "This needs time.")], [CREATED]),
    )
    (only,) = found["rules"]
    assert (only["verdict"], only["reason"], len(only["findings"])) == (
        "fail",
        "response status: expected 400, got 204",
        3,
    )


def test_what_one_run_had_no_time_for_another_judged(make: Make) -> None:
    nothing = make([unjudged("customer.created", Outcome.SKIPPED, "This needs time.")], [CREATED])
    assert nothing["verdict"] == "inconclusive"
    found = together(nothing, make([held("customer.created")], [CREATED]))
    assert (found["verdict"], verdicts(found)) == (
        "conforms",
        {"customer.created": "skipped"} | {"customer.created": "pass"},
    )


def test_what_a_run_was_inconclusive_for_besides_its_verdicts_still_counts(make: Make) -> None:
    lacking = make([held("customer.created")], [CREATED, SENT], main_flows={"wallets": "webhook.sent"})
    assert lacking["verdict"] == "inconclusive"
    assert together(make([held("webhook.sent")], [SENT]), lacking)["verdict"] == "inconclusive"


def test_an_exchange_keeps_its_id_unless_two_runs_mean_different_ones(make: Make) -> None:
    one, same, other = (make([broken("customer.created")], [CREATED]) for _ in range(3))
    other["exchanges"] = [exchange_to_json(replace(EXCHANGE, seconds=9))]
    found = together(one, same, other)
    first = EXCHANGE.id
    assert [each["id"] for each in found["exchanges"]] == [first, f"{first} in job-3"]
    assert [each["exchange"] for each in found["rules"][0]["findings"]] == [first, f"{first} in job-3"]


def test_a_baseline_is_held_against_all_that_was_judged(make: Make) -> None:
    known = Baseline(Path("known.yaml"), [Entry("wallets.customer.created", "They mend it.", "T-1")])
    one = make([held("webhook.sent")], [SENT], baseline=known)
    assert one["baseline"]["entries"][0]["state"] == "not part of the run"
    found = together(one, make([broken("customer.created")], [CREATED], baseline=known))
    assert (found["verdict"], found["baseline"]["entries"][0]["state"]) == ("conforms", "known")
    found = together(one, make([held("customer.created")], [CREATED], baseline=known))
    assert (found["verdict"], found["baseline"]["entries"][0]["state"]) == ("fails", "gone")


def test_what_is_broken_though_inferred_is_told_of_all_runs(make: Make) -> None:
    one = make([broken("customer.guessed")], [GUESSED])
    found = together(make([held("customer.created")], [CREATED]), one)
    assert found["broken_but_inferred"] == ["wallets.customer.guessed"]


def test_what_live_runs_left_behind_is_listed_of_all(make: Make) -> None:
    one, other = ({**make(), "left_behind": {"wallets": ["customer a", made]}} for made in ("customer b", "webhook c"))
    assert together(one, other)["left_behind"] == {"wallets": ["customer a", "customer b", "webhook c"]}
    assert "left_behind" not in together(make(), make())


def test_where_and_when_was_recorded_is_told_of_all_runs(make: Make) -> None:
    def recorded(url: str, day: int) -> dict[str, Any]:
        instant = f"2026-01-{day}T12:00:00+00:00"
        return make(target="replay", recorded={"servers": [url], "first": instant, "last": instant})

    assert together(recorded("https://b", 17), recorded("https://a", 15))["recorded"] == {
        "servers": ["https://b", "https://a"],
        "first": "2026-01-15T12:00:00+00:00",
        "last": "2026-01-17T12:00:00+00:00",
    }


@pytest.mark.parametrize(
    ("rules", "selected"),
    [((("a.*",), ("b.*", "a.*")), ["a.*", "b.*"]), (((), ("b.*",)), []), (((), ()), [])],
)
def test_what_was_asked_for_is_asked_for_again(make: Make, rules: tuple[Any, Any], selected: list[str]) -> None:
    found = together(*(make(rule=each) for each in rules))
    assert found["selected"] == {"rules": selected, "tests": []}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"target": "live"}, "job-1 has the target 'sandbox' and job-2 has 'live'"),
        ({"seed": "8"}, "job-1 has the seed '7' and job-2 has '8'"),
        ({"strict": True}, "job-1 has the strict False and job-2 has True"),
        ({"examples": 99}, "job-1 has the examples 10 and job-2 has 99"),
        ({"base_urls": {"wallets": "http://b"}}, "job-1 judged wallets at http://a and job-2 at http://b"),
    ],
)
def test_runs_of_different_things_are_refused(make: Make, settings: dict[str, Any], said: str) -> None:
    one, other = make(base_urls={"wallets": "http://a"}), make(**{"base_urls": {"wallets": "http://a"}, **settings})
    with pytest.raises(NotMergedError, match=said):
        together(one, other)


def test_runs_by_other_rules_are_refused(make: Make) -> None:
    one, other = make(), make()
    other["rules"][0]["digest"] = f"sha256:{'0' * 64}"
    with pytest.raises(NotMergedError, match=r"job-2 words the rule wallets\.expiry\.refused-after-an-hour otherwise"):
        together(one, other)
    other = {**make(), "suite": {"version": "9.9"}}
    with pytest.raises(NotMergedError, match=r"by version 0\.1\.0 of the suite and job-2 by version 9\.9"):
        together(one, other)


def test_what_was_interrupted_stays_so(make: Make) -> None:
    one = {**make([held("customer.created")], [CREATED]), "interrupted": True, "verdict": "inconclusive"}
    found = together(make([held("webhook.sent")], [SENT]), one)
    assert (found["interrupted"], found["verdict"]) == (True, "inconclusive")


def test_a_finding_that_two_runs_have_is_told_once(make: Make) -> None:
    seen = Finding("wallets.customer.created", Outcome.HELD, "response status", "201", "201", test="a")
    found = together(make([seen], [CREATED]), make([seen, replace(seen, test="b")], [CREATED]))
    assert [each["test"] for each in found["rules"][0]["findings"]] == ["a", "b"]
