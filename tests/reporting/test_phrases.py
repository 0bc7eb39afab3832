import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conformance.reporting.phrases import deciding_findings, observation, printable, repeat_command, verdict_line

Make = Callable[..., dict[str, Any]]


def test_the_command_says_where_the_api_is(make: Make) -> None:
    results = make(base_urls={"wallets": "http://127.0.0.1:8080/wallets", "others": "http://127.0.0.1:1"})
    assert repeat_command(results, results["rules"][0]) == (
        "conformance run wallets --target sandbox --base-url wallets=http://127.0.0.1:8080/wallets "
        "--rule wallets.expiry.refused-after-an-hour --seed 7"
    )


def test_the_verdict_line_names_the_subject_and_counts_every_verdict(mixed: dict[str, Any]) -> None:
    assert verdict_line(mixed) == (
        "FAILS: Wallets, the reference sandbox: 1 fail, 1 error, 1 blocked, 1 warn, 1 pass, 2 note, 1 skipped, "
        "1 untested (client rules) in 2.1 s"
    )


def test_verdicts_that_were_not_given_are_not_counted(good: dict[str, Any]) -> None:
    assert verdict_line(good).startswith("CONFORMS: Wallets, the reference sandbox: 1 pass, 1 note, 1 untested")


def test_untested_rules_of_the_provider_are_told_apart_from_those_of_clients(make: Make) -> None:
    assert "9 untested (1 client rules)" in verdict_line(make([]))


def test_the_subject_cannot_steer_the_terminal(make: Make) -> None:
    assert "\x1b" not in verdict_line(make(subject="https://api.example/\x1b[2J"))


def test_the_command_repeats_one_rule_with_the_seed_of_the_run(mixed: dict[str, Any]) -> None:
    command = repeat_command(mixed, mixed["rules"][0])
    assert command == "conformance run wallets --target sandbox --rule wallets.expiry.refused-after-an-hour --seed 7"


@pytest.mark.parametrize(
    ("settings", "command"),
    [
        ({"target": "replay"}, "conformance run wallets"),
        ({"target": "sandbox", "seed": "0"}, "conformance run wallets --target sandbox"),
        ({"target": "sandbox", "seed": "0", "examples": 10}, "conformance run wallets --target sandbox"),
        ({"target": "sandbox", "seed": "0", "examples": 99}, "conformance run wallets --target sandbox --examples 99"),
        ({"target": "live", "seed": "9f"}, "conformance run wallets --target live"),
        ({"target": "documents", "seed": None}, "conformance run wallets --target documents"),
        ({"target": "replay", "strict": True}, "conformance run wallets --strict"),
        ({"target": "replay", "cassettes": Path("our own")}, "conformance run wallets --cassettes 'our own'"),
        (
            {"target": "live", "pin_agent": "http", "allow_wait": True},
            "conformance run wallets --target live --pin-agent http --allow-wait",
        ),
    ],
)
def test_the_command_repeats_the_run(make: Make, settings: dict[str, Any], command: str) -> None:
    assert repeat_command(make(**settings)) == command


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
