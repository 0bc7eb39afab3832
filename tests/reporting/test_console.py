import io
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from conformance.catalogue import Level, Party
from conformance.findings import Finding, Outcome
from conformance.reporting.console import Progress, brief, summary
from conformance.verdicts import Verdict
from tests.reporting.conftest import RULES, TEST, broken

Make = Callable[..., dict[str, Any]]


def shown(results: dict[str, Any], width: int = 120, *, terminal: bool = False, verbose: bool = False) -> str:
    console = Console(width=width, force_terminal=terminal, record=True, quiet=False, file=io.StringIO())
    summary(results, console, verbose=verbose)
    return console.export_text(styles=terminal)


def test_the_worst_comes_first_and_the_verdict_last(mixed: dict[str, Any]) -> None:
    lines = shown(mixed).splitlines()
    headings = [
        line
        for line in lines
        if line.startswith(("WHAT", "ERROR", "FAIL ", "WARN", "BROKEN", "READ", "BLOCKED", "SKIPPED", "UNT"))
    ]
    assert headings == [
        "WHAT IS WRONG",
        "ERROR  1 rule",
        "FAIL  1 rule",
        "WARN  1 rule",
        "BROKEN BUT INFERRED  1 rule",
        "READINGS  1 rule, on which sources disagree and a reading was seen; -v lists them",
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
        "source    Customer Guide, Expiry (vendor, statement), https://docs.example/guide#:~:text=after%20one%20hour",
        "repeat    conformance run wallets --target sandbox --rule wallets.expiry.refused-after-an-hour --test ",
    ):
        assert part in section


def test_in_brief_what_is_wrong_is_a_line_each_before_the_verdict(mixed: dict[str, Any]) -> None:
    console = Console(width=80, record=True, file=io.StringIO())
    brief(mixed, console)
    *wrong, verdict = console.export_text().splitlines()
    assert [line.partition("  ")[0] for line in wrong] == [
        "error wallets.suite.broke",
        "fail wallets.expiry.refused-after-an-hour",
        "warn wallets.customer.shown-by-example",
        "blocked 1 rule",
    ]
    assert wrong[1].endswith("  response status: expected 400, got 204")
    assert verdict.startswith("FAILS: Wallets, the reference sandbox: 1 fail")


def test_in_brief_lines_fit_a_terminal_but_for_the_verdict(mixed: dict[str, Any]) -> None:
    console = Console(width=40, force_terminal=True, no_color=True, record=True, file=io.StringIO())
    brief(mixed, console)
    *wrong, _ = console.export_text(styles=False).splitlines()
    assert {len(line) <= 40 for line in wrong} == {True}


def test_a_reading_is_one_line_and_told_only_if_it_is_asked_for(mixed: dict[str, Any]) -> None:
    line = "  wallets.customer.path  seen: The new way."
    assert line in shown(mixed, verbose=True).splitlines()
    assert line not in shown(mixed).splitlines()


def test_what_is_broken_but_inferred_is_told_whole(mixed: dict[str, Any]) -> None:
    text = shown(mixed)
    section = text[text.index("BROKEN BUT INFERRED") : text.index("READINGS")]
    for part in (
        "wallets.customer.guessed  must, inferred",
        "expected  400",
        "got       [bold]",
        "source    Customer Guide, Expiry",
        "repeat    conformance run wallets --target sandbox --rule wallets.customer.guessed",
    ):
        assert part in section


def test_a_note_that_is_optional_is_one_line(make: Make) -> None:
    optional = replace(RULES[2], level=Level.MAY)
    lines = shown(make([broken("customer.created")], [optional])).splitlines()
    assert "NOTE  1 rule" in lines
    assert "  wallets.customer.created  response status: expected 400, got 204" in lines


def blocked(rules: list[str], reason: str, cause: str) -> list[Finding]:
    return [Finding(rule, Outcome.BLOCKED, reason=reason, test=TEST, relies_on=(cause,)) for rule in rules]


def test_what_blocks_rules_is_told_once_by_its_name_and_in_the_first_lines(make: Make) -> None:
    cause, *others = [rule.id for rule in RULES if rule.party is Party.PROVIDER]
    text = shown(
        make([broken(cause.removeprefix("wallets.")), *blocked(others, "A challenge was to be signed.", cause)]), 80
    )
    assert f"{len(others)} rules blocked by {cause}" in text
    assert text.count("A challenge was to be signed.") == 1
    assert f"--rule {cause}" in text[text.index("BLOCKED") :]
    head = make([broken(cause.removeprefix("wallets.")), broken("customer.created"), *blocked(others, "A step", cause)])
    first = shown(head, 80).splitlines()[:5]
    assert first[0] == "WHAT IS WRONG"
    assert f"  fail {cause}, blocks {len(others) - 1}" in first
    assert all(len(line) <= 80 for line in first)


def test_of_many_things_that_are_wrong_so_many_are_named_as_stand_in_40_lines(make: Make) -> None:
    many = [replace(RULES[0], id=f"wallets.customer.r{number}") for number in range(50)]
    found = [replace(broken("customer.created"), rule=rule.id) for rule in many]
    head = shown(make(found, many), 80).split("\n\n", maxsplit=1)[0].splitlines()
    assert len(head) <= 40
    assert head[-1] == "  and 14 more"


def test_what_was_skipped_says_what_to_give(mixed: dict[str, Any]) -> None:
    assert "1: This needs a webhook address; set CONFORMANCE_WALLETS_WEBHOOK_URL." in shown(mixed)


def test_reasons_that_differ_in_ids_alone_are_said_once(make: Make) -> None:
    judged = [rule.id for rule in RULES if rule.party is Party.PROVIDER]
    reasons = [
        f"This needs a person: https://gateway.example/g/x{number}Yz-0aQ9 asks for a code." for number in range(9)
    ]
    skipped = zip(judged, reasons, strict=False)
    text = shown(make([Finding(rule, Outcome.SKIPPED, reason=reason, test=TEST) for rule, reason in skipped]), 200)
    assert text.count("This needs a person") == 1
    assert f"{min(9, len(judged))}: {reasons[0]}" in text


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
            progress.ended(f"wallets/a/{number}", {"wallets.a.x": Verdict.NOTE if number % 10 else Verdict.FAIL}, 0.1)
    assert out.getvalue().splitlines() == [
        "20 of 45 tests: 18 note, 2 fail",
        "40 of 45 tests: 36 note, 4 fail",
        "45 of 45 tests: 40 note, 5 fail",
    ]


def test_progress_counts_each_test_once_by_its_worst_verdict() -> None:
    out = io.StringIO()
    with Progress(Console(file=out, width=120)) as progress:
        progress.began(3)
        progress.ended("wallets/a/b", {"wallets.a.x": Verdict.PASS, "wallets.a.y": Verdict.FAIL}, 0.1)
        progress.ended("wallets/a/c", {"wallets.a.x": Verdict.PASS, "wallets.a.y": Verdict.NOTE}, 0.1)
        progress.ended("wallets/a/c@late", {}, 0.1)
    assert out.getvalue() == "3 of 3 tests: 2 pass, 1 fail\n"


@pytest.mark.parametrize("terminal", [False, True])
def test_a_failure_is_told_when_it_is_seen(monkeypatch: pytest.MonkeyPatch, *, terminal: bool) -> None:
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    out = io.StringIO()
    with Progress(Console(file=out, width=100, force_terminal=terminal, no_color=True)) as progress:
        progress.began(2)
        progress.failed("wallets.a.x", Verdict.FAIL, "response status: expected 400, got [bold]\x1b[31m")
        told = re.sub(r"\x1b\[[\d;]*[A-Za-z]", "", out.getvalue())
    assert "FAIL wallets.a.x  response status: expected 400, got [bold]\\x1b[31m" in told
    assert "of 2 tests" not in told


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


def test_verbose_says_what_the_statements_of_a_source_say_and_where(mixed: dict[str, Any]) -> None:
    said = "Customer Guide, Expiry, line 3: A challenge expires after an hour."
    assert said not in shown(mixed)
    console = Console(width=160, record=True, file=io.StringIO())
    summary(mixed, console, verbose=True)
    text = console.export_text()
    assert said in text
    assert "https://docs.example/guide#:~:text=after%20one%20hour\n" in text
