"""The table of code mutants: how it grows, is continued, is written and read, and what it comes to."""

import json
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from conformance.cli import app
from conformance.mutants import mutants as listing
from conformance.mutants import table as tables
from conformance.mutants.figures import holds, summary
from conformance.mutants.form import TableUnreadableError, commit, read, read_reasons
from conformance.mutants.mutants import Mutant
from conformance.mutants.outcome import Outcome, Result
from conformance.mutants.table import Table


class Here(Executor):
    """Does the work at once, in this process."""

    def submit(self, work: Callable[..., Any], /, *arguments: Any, **options: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(work(*arguments, **options))
        return future


OUTCOMES = [
    Result(Outcome.CAUGHT, ("a.b.c",), ("a/b/c",)),
    Result(Outcome.SURVIVED, (), ("a/b/c",)),
    Result(Outcome.SILENT),
    Result(Outcome.NOT_REACHED),
    Result(Outcome.NOT_STARTED, reason="It cannot be imported: no"),
]


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Trials that come to each outcome in turn; the ids of what was tried."""
    found: list[str] = []

    def try_mutant(mutant: Mutant, _: Sequence[Path]) -> Result:
        found.append(mutant.id)
        return OUTCOMES[(len(found) - 1) % len(OUTCOMES)]

    monkeypatch.setattr(tables, "try_mutant", try_mutant)
    monkeypatch.setattr(tables, "rehearse_into", lambda *_: None)
    monkeypatch.setattr("conformance.commands.measurement.processes", lambda _: Here())
    return found


def filled(table: Table) -> dict[str, Any]:
    table.fill(Here(), lambda _: None)
    return table.to_json()


def invoke(*words: str) -> Any:
    return CliRunner().invoke(app, ["faults", "mutants", *words])


def test_a_table_has_an_entry_for_each_mutant_that_was_drawn(tried: list[str]) -> None:
    found = filled(Table(5, 1))
    assert sorted(entry["id"] for entry in found["mutants"]) == sorted(tried)
    assert (found["seed"], found["sample"], found["complete"], found["commit"]) == (1, 5, True, commit())
    states = {entry["outcome"]: (entry["reached"], entry["silent"]) for entry in found["mutants"]}
    assert states == {
        "caught": (True, False),
        "survived": (True, False),
        "silent": (True, True),
        "not-reached": (False, False),
        "not-started": (False, False),
    }


def test_a_table_is_written_and_continued(tried: list[str], tmp_path: Path) -> None:
    file = tmp_path / "mutants.json"
    assert invoke("--sample", "5", "--seed", "3", "--json", str(file)).exit_code == 1
    first = list(tried)
    before = read(file)
    before["mutants"][0]["source"] = "another"
    file.write_text(json.dumps({**before, "complete": False}))
    assert invoke("--resume", str(file)).exit_code in {0, 1}
    assert tried[len(first) :] == [before["mutants"][0]["id"]]
    after = read(file)
    assert (after["seed"], after["sample"], after["complete"]) == (3, 5, True)
    assert [entry["id"] for entry in after["mutants"]] == [entry["id"] for entry in before["mutants"]]


def test_a_continued_table_keeps_what_it_has_beside_a_new_sample(tried: list[str]) -> None:
    before = filled(Table(5, 1))
    after = Table(7, 1, before)
    assert len(after.remaining) == 2
    assert len(filled(after)["mutants"]) == 7


def test_what_people_said_stands_in_the_table(tried: list[str], tmp_path: Path) -> None:
    found = {entry["outcome"]: entry for entry in filled(Table(5, 1))["mutants"]}
    said = {"change": found["survived"]["change"], "verdict": "left-open", "reason": "Nobody says."}
    of_another = {"change": "a → b", "verdict": "equivalent", "reason": "It was another line."}
    file = tmp_path / "reasons.yaml"
    file.write_text(
        json.dumps(
            {
                found["survived"]["id"]: said,
                found["silent"]["id"]: of_another,
                found["caught"]["id"]: {**said, "change": found["caught"]["change"]},
            }
        )
    )
    again = filled(Table(5, 1, filled(Table(5, 1)), read_reasons(file)))
    assert [(entry["outcome"], entry["reason"]) for entry in again["mutants"] if entry["verdict"]] == [
        ("survived", "Nobody says.")
    ]


def entry(outcome: str, verdict: str = "") -> dict[str, Any]:
    return {"outcome": outcome, "verdict": verdict}


def test_the_share_of_blind_spots_is_taken_for_all_that_show_in_no_answer() -> None:
    entries = [
        *[entry("caught")] * 90,
        *[entry("survived", "left-open")] * 4,
        *[entry("survived", "equivalent")] * 3,
        *[entry("survived")] * 2,
        *[entry("survived", "blind-spot")],
        *[entry("silent", "equivalent")] * 8,
        *[entry("not-reached", "blind-spot")] * 2,
        *[entry("silent")] * 10,
        entry("not-started"),
    ]
    figures = summary(entries)
    assert figures["survivors_excused"] == 7
    assert (figures["looked_at"], figures["blind_spots_among_these"]) == (10, 2)
    assert figures["blind_spots_estimated"] == 4.0
    assert figures["caught_share"] == round(90 / (90 + 3 + 4), 4)
    assert not holds(figures)


def test_what_nobody_looked_at_counts_as_a_blind_spot() -> None:
    assert summary([entry("caught"), entry("silent")])["caught_share"] == 0.5


def test_nothing_to_catch_is_all_caught() -> None:
    assert holds(summary([entry("not-started")]))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--nonsense"], "No such option"),
        (["Name"], "nexpected extra argument"),
        (["--sample", "0"], "x>=1"),
        (["--seed", "x"], "valid integer"),
        (["--resume", "nowhere.json"], "The table of mutants nowhere.json cannot be read"),
        (["--reasons", "nowhere.yaml"], "The reasons nowhere.yaml cannot be read"),
    ],
)
def test_wrong_usage_is_exit_2(words: list[str], message: str) -> None:
    done = invoke(*words)
    assert done.exit_code == 2
    assert message in done.stderr


@pytest.mark.parametrize("text", ["[]", '{"format": "conformance-matrix/1"}', "no json"])
def test_what_is_no_table_is_refused(text: str, tmp_path: Path) -> None:
    file = tmp_path / "table.json"
    file.write_text(text)
    with pytest.raises(TableUnreadableError):
        read(file)


@pytest.mark.parametrize(
    "text", ["- a", "id: {verdict: equivalent, reason: x}", "id: {change: a, verdict: no, reason: x}", "{"]
)
def test_what_are_no_reasons_is_refused(text: str, tmp_path: Path) -> None:
    file = tmp_path / "reasons.yaml"
    file.write_text(text)
    with pytest.raises(TableUnreadableError):
        read_reasons(file)


def test_without_libcst_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(__import__("sys").modules, "conformance.mutants.operators", raising=False)
    monkeypatch.delattr("conformance.mutants.operators", raising=False)
    monkeypatch.setitem(__import__("sys").modules, "libcst", None)
    monkeypatch.setattr(listing, "_mutants_of", listing._mutants_of.__wrapped__)
    with pytest.raises(listing.NoOperatorsError, match=r"wallet-conformance\[mutants\]"):
        listing.mutants()
