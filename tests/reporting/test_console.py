import io
from collections.abc import Callable
from typing import Any

import pytest
from rich.console import Console

from conformance.findings import Finding, Outcome
from conformance.reporting.console import Progress, summary
from conformance.verdicts import Verdict

Make = Callable[..., dict[str, Any]]


def shown(results: dict[str, Any], width: int = 120, *, terminal: bool = False) -> str:
    console = Console(width=width, force_terminal=terminal, record=True, quiet=False, file=io.StringIO())
    summary(results, console)
    return console.export_text(styles=terminal)


def test_the_worst_comes_first_and_the_verdict_last(mixed: dict[str, Any]) -> None:
    lines = shown(mixed).splitlines()
    headings = [
        line for line in lines if line.startswith(("ERROR", "FAIL ", "WARN", "NOTE", "BLOCKED", "SKIPPED", "UNT"))
    ]
    assert headings == [
        "ERROR  1 rule",
        "FAIL  1 rule",
        "WARN  1 rule",
        "NOTE  2 rules",
        "BLOCKED  1 rule",
        "SKIPPED  1 rule",
        "UNTESTED  1 rule",
    ]
    assert lines[-1].startswith("FAILS: Wallets, the reference sandbox: 1 fail")


def test_a_broken_rule_is_shown_with_all_that_is_needed_to_act(mixed: dict[str, Any]) -> None:
    text = shown(mixed)
    start = text.index("FAIL  1 rule")
    section = text[start : text.index("WARN", start)]
    for part in (
        "wallets.expiry.refused-after-an-hour  must, documented",
        "What expiry.refused-after-an-hour asks for is done.",
        "where     response status",
        "expected  400",
        "got       204",
        "exchange  wallets/expiry/an_old_challenge_is_refused#1: POST https://api.example/v1/sign?a=1&b=2 was answered",
        "test      wallets/expiry/an_old_challenge_is_refused",
        "scenario  Given an old challenge, when it is signed.",
        "source    Customer Guide, Expiry (seed, statement), https://docs.example/guide",
        "repeat    conformance run wallets --target sandbox --rule wallets.expiry.refused-after-an-hour --seed 7",
    ):
        assert part in section


def test_a_note_is_one_line_with_the_reading_or_what_was_seen(mixed: dict[str, Any]) -> None:
    lines = shown(mixed).splitlines()
    assert "  wallets.customer.path  seen: The new way." in lines
    assert any(
        line.startswith("  wallets.customer.guessed  response status: expected 400, got [bold]") for line in lines
    )


def test_what_was_skipped_says_what_to_give(mixed: dict[str, Any]) -> None:
    assert "1: This needs a webhook address; set CONFORMANCE_WALLETS_WEBHOOK_URL." in shown(mixed)


def test_what_passed_is_counted_by_topic_only(good: dict[str, Any]) -> None:
    text = shown(good)
    assert "wallets.customer.created" not in text
    assert ["customer", "1", "1"] in [line.split() for line in text.splitlines()]


def test_remarks_are_shown_as_they_are(mixed: dict[str, Any]) -> None:
    assert "Remark: Cassettes without a test: [old]/one.yaml" in shown(mixed)


def test_one_reason_that_blocks_many_rules_is_said_once(make: Make, mixed: dict[str, Any]) -> None:
    reason = "The server does not answer at http://127.0.0.1:9"
    judged = [rule["id"] for rule in mixed["rules"] if rule["party"] == "provider"]
    text = shown(make([Finding(rule, Outcome.BLOCKED, reason=reason, test="wallets/a/b") for rule in judged]))
    assert text.count(reason) == 1
    assert "and 2 more" in text
    assert "repeat    conformance run wallets --target sandbox --seed 7" in text
    assert text.splitlines()[-1].startswith("INCONCLUSIVE: ")


def test_of_many_alike_findings_a_few_are_shown(make: Make) -> None:
    found = [
        Finding("wallets.expiry.replaced", Outcome.BROKEN, "response status", "200", str(status), test="wallets/a/b")
        for status in range(400, 405)
    ]
    text = shown(make(found))
    assert "got       402" in text
    assert "got       403" not in text
    assert "and 2 more like it" in text


def test_what_a_server_sends_cannot_steer_the_terminal_nor_style_the_text(mixed: dict[str, Any]) -> None:
    text = shown(mixed)
    assert "\x1b" not in text
    assert "[bold]\\x1b[31m<script>" in text


def test_a_run_that_generates_requests_says_from_what(make: Make) -> None:
    *_, said, _ = shown(make(seed="a b", examples=20)).splitlines()
    assert said == "Generated with --seed 'a b' --examples 20"
    assert "Generated" not in shown(make(target="replay"))


@pytest.mark.parametrize("width", [80, 120])
def test_lines_fit_a_terminal_but_for_those_to_copy(mixed: dict[str, Any], width: int) -> None:
    console = Console(width=width, force_terminal=True, no_color=True, record=True, file=io.StringIO())
    summary(mixed, console)
    lines = console.export_text(styles=False).splitlines()
    long = [line for line in lines if len(line) > width]
    assert all("repeat" in line or line.startswith("FAILS: ") for line in long)


def test_there_are_no_colours_where_there_is_no_terminal(
    mixed: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    summary(mixed, Console())
    assert "\x1b" not in capsys.readouterr().out


def test_progress_writes_a_line_every_20_tests_and_after_the_last() -> None:
    out = io.StringIO()
    with Progress(Console(file=out, width=120)) as progress:
        progress.began(45)
        for number in range(45):
            progress.ended(
                f"wallets/a/{number}", {f"wallets.a.r{number}": Verdict.PASS, "wallets.a.x": Verdict.FAIL}, 0.1
            )
    assert out.getvalue().splitlines() == [
        "20 of 45 tests: 20 pass, 1 fail",
        "40 of 45 tests: 40 pass, 1 fail",
        "45 of 45 tests: 45 pass, 1 fail",
    ]


def test_progress_counts_the_worst_verdict_of_each_rule() -> None:
    out = io.StringIO()
    with Progress(Console(file=out, width=120)) as progress:
        progress.began(3)
        for verdict in (Verdict.PASS, Verdict.FAIL, Verdict.NOTE):
            progress.ended("wallets/a/b", {"wallets.a.x": verdict}, 0.1)
    assert out.getvalue() == "3 of 3 tests: 1 fail\n"


def test_progress_draws_a_bar_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    out = io.StringIO()
    with Progress(Console(file=out, width=100, force_terminal=True, no_color=True)) as progress:
        progress.began(2)
        progress.ended("wallets/a/first", {"wallets.a.x": Verdict.PASS}, 0.1)
    assert "1/2" in out.getvalue()
    assert "wallets/a/first" in out.getvalue()
    assert "1 pass" in out.getvalue()


def test_progress_draws_no_bar_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    out = io.StringIO()
    with Progress(Console(file=out, width=100, force_terminal=True, no_color=True)) as progress:
        progress.began(1)
        progress.ended("wallets/a/first", {"wallets.a.x": Verdict.PASS}, 0.1)
    assert out.getvalue() == "1 of 1 tests: 1 pass\n"
