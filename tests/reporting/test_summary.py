"""What is shown on the page of a CI job: Markdown, and annotations of GitHub Actions."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt

from conformance.catalogue import Protection
from conformance.findings import Finding, Outcome
from conformance.judging.baseline import Baseline, Entry
from conformance.reporting.annotations import annotations
from conformance.reporting.summary import summary
from tests.reporting.conftest import HELD, RULES, Make, broken

GITHUB_TAKES = 1024 * 1024


def test_it_says_the_verdict_what_to_do_and_what_is_wrong(mixed: dict[str, Any]) -> None:
    text = summary(mixed)
    assert text.startswith("## ❌ Conformance of Wallets\n\nFAILS: Wallets, the reference sandbox: 1 fail")
    assert "### What to do next\n\n1. This suite broke while it judged 1 rule" in text
    row = next(line for line in text.splitlines() if line.startswith("| fail"))
    assert "`wallets.expiry.refused-after-an-hour` What expiry.refused-after-an-hour asks for is done." in row
    assert "response status: expected 400, got 204" in row
    assert "[Customer Guide, Expiry, line 3](https://docs.example/guide#:~:text=after%20one%20hour)" in row
    assert "| blocked | 1 rule blocked: POST /v1/customers got no answer" in text
    assert "conformance run wallets --target sandbox --seed 7" in text


def test_what_conforms_has_no_table(good: dict[str, Any]) -> None:
    text = summary(good)
    assert text.startswith("## ✅ Conformance of Wallets\n\nCONFORMS: ")
    assert "What is wrong" not in text
    assert "1. Judge your own client too: point it at a sandbox that watches. `conformance sandbox --judge`" in text


def test_what_a_server_said_stays_in_its_cell_and_is_no_markup(mixed: dict[str, Any]) -> None:
    mixed["rules"][0]["findings"][0]["got"] = "a | b\n# c <img src=x> [d](https://e.example) `f`"
    page = MarkdownIt("gfm-like", {"linkify": False}).render(summary(mixed))
    assert "<img" not in page
    assert 'href="https://e.example"' not in page
    assert page.count("<tr>") == 1 + summary(mixed).count("\n| ") - 2


def test_broken_protections_come_first(make: Make) -> None:
    rules = [*RULES, replace(RULES[2], id="wallets.customer.guards", protects=Protection.OWNERSHIP)]
    results = make([broken("customer.created"), broken("customer.guards")], rules)
    rows = [line for line in summary(results).splitlines() if line.startswith("| fail")]
    assert rows[0].startswith("| fail, protects ownership | `wallets.customer.guards`")
    assert "protects ownership::" in annotations(results)[1]


def test_it_stays_below_what_github_takes(make: Make) -> None:
    rules = [replace(RULES[2], id=f"wallets.customer.r{number}") for number in range(500)]
    found = [Finding(each.id, Outcome.BROKEN, "response body", "e" * 300, "g" * 300, test="w/a/b") for each in rules]
    text = summary(make(found, rules))
    assert len(text.encode()) < GITHUB_TAKES
    assert "| | and 450 more | | |" in text


def test_an_annotation_names_the_rule_and_what_was_seen(mixed: dict[str, Any]) -> None:
    mixed["rules"][0]["findings"][0]["got"] = "100 %\n::set-output name=x::y"
    line = next(line for line in annotations(mixed) if "expiry.refused" in line)
    assert line == (
        "::error title=wallets.expiry.refused-after-an-hour::What expiry.refused-after-an-hour asks for is done."
        "%0Aresponse status: expected 400, got 100 %25%0A::set-output name=x::y%0Ahttps://docs.example/guide#:~:text="
        "after%2520one%2520hour"
    )


def test_an_entry_of_a_baseline_that_holds_again_is_annotated_with_its_reason(make: Make) -> None:
    gone = Baseline(Path("known.yaml"), [Entry("wallets.customer.created", "They mended it.", "T-1")])
    assert annotations(make(HELD, baseline=gone))[1] == (
        "::error title=known.yaml%3A wallets.customer.created::wallets.customer.created is said to fail and holds: "
        "take its entry out (They mended it.; T-1)"
    )


def test_a_run_that_conforms_has_no_annotations(make: Make) -> None:
    assert annotations(make(HELD, RULES[2:4])) == []


def test_github_shows_ten_of_a_level_so_the_last_counts_the_others(make: Make) -> None:
    rules = [replace(RULES[2], id=f"wallets.customer.r{number}") for number in range(30)]
    lines = annotations(make([replace(broken("customer.created"), rule=each.id) for each in rules], rules))
    assert len(lines) == 10
    assert lines[0].startswith("::error title=fails::FAILS: Wallets")
    assert lines[-1] == "::error title=conformance::and 22 more: the report has them"
