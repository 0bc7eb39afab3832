import shlex
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conformance.catalogue import Rule
from conformance.findings import Finding, Outcome
from conformance.reporting.phrases import deciding_findings, observation, printable, repeat_command, verdict_line
from tests.reporting.conftest import TEST

Make = Callable[..., dict[str, Any]]


def test_the_command_says_where_the_api_is(make: Make) -> None:
    results = make(base_urls={"wallets": "http://127.0.0.1:8080/wallets", "others": "http://127.0.0.1:1"})
    assert repeat_command(results, results["rules"][0]) == (
        "conformance run wallets --target sandbox --base-url wallets=http://127.0.0.1:8080/wallets "
        f"--rule wallets.expiry.refused-after-an-hour --test {TEST} --seed 7"
    )


def test_the_verdict_line_names_the_subject_and_counts_every_verdict(mixed: dict[str, Any]) -> None:
    assert verdict_line(mixed) == (
        "FAILS: Wallets, the reference sandbox: 1 fail, 1 error, 1 blocked, 1 warn, 1 pass, 2 note, 1 skipped, "
        "1 untested (client rules) in 2.1 s"
    )


def test_a_protection_that_is_broken_comes_before_what_conforms(make: Make, guarded: Rule, created: Rule) -> None:
    seen = Finding(guarded.id, Outcome.BROKEN, "response status", "404", "200")
    results = make([seen, replace(seen, rule="wallets.customer.created", outcome=Outcome.HELD)], [guarded, created])
    line = verdict_line(results)
    assert results["verdict"] == "conforms"
    assert line.startswith("PROTECTION BROKEN (inferred): isolation: Wallets, the reference sandbox: 1 warn, 1 pass")


def test_a_subject_that_fails_is_told_to_fail(make: Make, guarded: Rule, created: Rule) -> None:
    seen = Finding(guarded.id, Outcome.BROKEN, "response status", "404", "200")
    results = make([seen, replace(seen, rule="wallets.customer.created")], [guarded, created])
    assert verdict_line(results).startswith("FAILS: Wallets")


def test_a_run_that_lacks_the_main_flow_is_inconclusive(make: Make, created: Rule, guarded: Rule) -> None:
    seen = Finding(created.id, Outcome.HELD, "response status", "201", "201")
    whole = make([seen], [created, guarded], main_flows={"wallets": "customer.created"})
    assert (whole["verdict"], whole["remarks"][1:]) == ("conforms", [])
    results = make([seen], [created, guarded], main_flows={"wallets": "customer.guarded"})
    assert results["verdict"] == "inconclusive"
    assert results["remarks"][1:] == [
        "The main flow of Wallets was not completed once, so that wallets.customer.guarded could not be judged."
    ]


@pytest.mark.parametrize(("least", "verdict"), [(None, "conforms"), (50, "conforms"), (51, "inconclusive")])
def test_a_run_that_judges_too_little_is_inconclusive(
    make: Make, created: Rule, guarded: Rule, least: int | None, verdict: str
) -> None:
    seen = Finding(created.id, Outcome.HELD, "response status", "201", "201")
    assert make([seen], [created, guarded], min_judged=least)["verdict"] == verdict


def test_the_line_says_what_it_covers_and_what_the_rest_needs(make: Make, created: Rule, guarded: Rule) -> None:
    seen = Finding(created.id, Outcome.HELD, "response status", "201", "201")
    needs = "This needs time to pass, about an hour; give --allow-wait to wait for it."
    line = verdict_line(make([seen, Finding(guarded.id, Outcome.SKIPPED, reason=needs)], [created, guarded]))
    assert line.startswith(
        "CONFORMS in what was judged, 1 of 2 rules: Wallets, the reference sandbox: 1 pass, 1 skipped"
    )
    assert line.endswith("; not judged: time to pass (1, give --allow-wait)")


def test_verdicts_that_were_not_given_are_not_counted(good: dict[str, Any]) -> None:
    assert verdict_line(good).startswith("CONFORMS: Wallets, the reference sandbox: 1 pass, 1 note, 1 untested")


def test_untested_rules_of_the_provider_are_told_apart_from_those_of_clients(make: Make) -> None:
    assert "9 untested (1 client rules)" in verdict_line(make([]))


def test_the_subject_cannot_steer_the_terminal(make: Make) -> None:
    assert "\x1b" not in verdict_line(make(subject="https://api.example/\x1b[2J"))


def test_the_command_repeats_one_rule_with_the_seed_of_the_run(mixed: dict[str, Any]) -> None:
    command = repeat_command(mixed, mixed["rules"][0])
    assert command == (
        f"conformance run wallets --target sandbox --rule wallets.expiry.refused-after-an-hour --test {TEST} --seed 7"
    )


@pytest.mark.parametrize(
    ("settings", "command"),
    [
        ({"target": "replay"}, "conformance run wallets --target replay"),
        ({"target": "sandbox", "seed": "0"}, "conformance run wallets --target sandbox --seed 0"),
        ({"target": "sandbox", "examples": 10}, "conformance run wallets --target sandbox --seed 7"),
        ({"target": "sandbox", "examples": 99}, "conformance run wallets --target sandbox --seed 7 --examples 99"),
        ({"target": "live", "seed": "9f"}, "conformance run wallets --target live --seed 9f"),
        (
            {"target": "replay", "rule": ("wallets.*", "*.expiry.*"), "tests": ("wallets/a/b@late",)},
            "conformance run wallets --target replay --rule 'wallets.*' --rule '*.expiry.*' --test wallets/a/b@late",
        ),
        ({"target": "documents", "seed": None}, "conformance run wallets --target documents"),
        ({"target": "replay", "strict": True}, "conformance run wallets --target replay --strict"),
        (
            {"target": "replay", "cassettes": Path("our own")},
            "conformance run wallets --target replay --cassettes 'our own'",
        ),
        (
            {"target": "live", "pin_agent": "http", "allow_wait": True},
            "conformance run wallets --target live --seed 7 --pin-agent http --allow-wait",
        ),
    ],
)
def test_the_command_repeats_the_run(make: Make, settings: dict[str, Any], command: str) -> None:
    assert repeat_command(make(**settings)) == command


@pytest.mark.parametrize(
    ("tests", "named"),
    [
        (["wallets/a/b@late+crowd"], "--test wallets/a/b@late+crowd --seed 7"),
        (["wallets/a/b@late", "wallets/a/c@crowd"], "--test wallets/a/b@late --seed 7"),
        (["wallets/a/b@late", "wallets/a/b"], "wallets.customer.created --test wallets/a/b --seed 7"),
        ([""], "wallets.customer.created --seed 7"),
    ],
)
def test_the_test_that_shows_it_is_repeated_under_circumstances_if_it_must(
    make: Make, created: Rule, tests: list[str], named: str
) -> None:
    seen = [Finding(created.id, Outcome.BROKEN, "response status", "201", "500", test=test) for test in tests]
    results = make(seen, [created])
    assert repeat_command(results, results["rules"][0]).endswith(named)


def test_a_seed_with_spaces_stays_one_word_of_the_command(make: Make) -> None:
    words = shlex.split(repeat_command(make(seed="a b; rm")))
    assert words[-1] == "a b; rm"


def test_only_the_findings_that_gave_the_verdict_are_telling(mixed: dict[str, Any]) -> None:
    rule = mixed["rules"][0]
    held = {**rule["findings"][0], "held": True, "verdict": "pass"}
    rule["findings"].append(held)
    assert held not in deciding_findings(rule)
    assert len(deciding_findings(rule)) == 1


def test_a_finding_says_what_was_expected_or_why_it_was_not_judged(mixed: dict[str, Any]) -> None:
    broken, blocked = mixed["rules"][0]["findings"][0], mixed["rules"][1]["findings"][0]
    assert observation(broken) == "response status: expected 400, got 204"
    assert observation(blocked) == "POST /v1/customers got no answer from https://api.example"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain ü 日本 text", "plain ü 日本 text"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\x00b\rc", "a\\x00b\\rc"),
        ("\u202eright to left", "\\u202eright to left"),
        ("half \ud800", "half \\ud800"),
    ],
)
def test_what_would_steer_a_terminal_is_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown
