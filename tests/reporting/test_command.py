"""``conformance report``, and the forms that ``conformance run`` writes."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from conformance.api import registered
from conformance.catalogue import Basis, Catalogue, Party, Rule
from conformance.cli import app
from conformance.commands import reports
from conformance.commands.mistakes import with_mistakes
from conformance.findings import Finding, Outcome
from conformance.reporting.files import FORMATS, write_reports
from tests.reporting.conftest import HELD, RULES, Make, broken, held


def report(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["report", *map(str, arguments)])


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_the_forms_are_made_again_from_the_results(mixed: dict[str, Any], tmp_path: Path) -> None:
    write_reports(mixed, tmp_path)
    before = (tmp_path / "report.html").read_bytes()
    (tmp_path / "report.html").unlink()
    done = report(tmp_path)
    assert done.exit_code == 1
    assert done.stdout.startswith("FAILS: Wallets, the reference sandbox: 1 fail")
    assert (tmp_path / "report.html").read_bytes() == before
    assert names(tmp_path) == {"results.json", "report.html", "junit.xml"}


def test_the_results_of_an_interrupted_run_say_so_again(good: dict[str, Any], tmp_path: Path) -> None:
    write_reports({**good, "interrupted": True, "verdict": "inconclusive"}, tmp_path, ())
    assert report(tmp_path).exit_code == 130
    assert "The run was stopped before its end" in (tmp_path / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("form", FORMATS)
def test_each_form_can_be_asked_for(good: dict[str, Any], tmp_path: Path, form: str) -> None:
    write_reports(good, tmp_path, ())
    done = report(tmp_path, "--into", tmp_path / "out", "--format", form)
    assert (done.exit_code, len(names(tmp_path / "out"))) == (0, 2)


def test_the_forms_that_can_be_asked_for_are_those_that_there_are() -> None:
    assert (*FORMATS, "annotations") == reports._FORMATS


def test_the_reports_of_a_matrix_become_one(make: Make, tmp_path: Path) -> None:
    write_reports(make([held("customer.created")], RULES[2:3]), tmp_path / "a", ())
    write_reports(make([broken("webhook.sent")], RULES[6:7]), tmp_path / "b", ())
    done = report(tmp_path / "a", tmp_path / "b", "--into", tmp_path / "all")
    assert done.exit_code == 1
    assert done.stdout.startswith("FAILS: Wallets, the reference sandbox: 1 fail, 1 pass")
    found = json.loads((tmp_path / "all" / "results.json").read_bytes())
    assert [rule["id"] for rule in found["rules"]] == ["wallets.customer.created", "wallets.webhook.sent"]


def test_annotations_are_printed_and_written_nowhere(mixed: dict[str, Any], tmp_path: Path) -> None:
    write_reports(mixed, tmp_path, ())
    done = report(tmp_path, "--format", "annotations")
    assert "::error title=wallets.expiry.refused-after-an-hour::" in done.stdout
    assert names(tmp_path) == {"results.json"}


def test_in_github_actions_annotations_are_printed_unasked(
    mixed: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_reports(mixed, tmp_path, ())
    assert "::error" not in report(tmp_path).stdout
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert "::error" in report(tmp_path).stdout
    assert "::error" not in report(tmp_path, "--format", "html").stdout


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read: No such file or directory. Give a folder that `conformance run --report DIR` wrote."),
        ("{", "is not JSON"),
        ("[]", "is not of the form conformance-results/1"),
        ('{"format": "conformance-drift/1"}', "is not of the form conformance-results/1"),
        ('{"format": "conformance-results/1"}', "is wrong at the top"),
    ],
)
def test_what_is_no_results_is_told_with_a_way_out(tmp_path: Path, content: str | None, said: str) -> None:
    if content is not None:
        (tmp_path / "results.json").write_text(content, encoding="utf-8")
    done = report(tmp_path)
    assert done.exit_code == 2
    assert said in done.stderr
    assert "results.json" in done.stderr


def test_several_need_a_folder_for_all_of_them(tmp_path: Path) -> None:
    done = report(tmp_path, tmp_path)
    assert done.exit_code == 2
    assert "Give --into DIR" in done.stderr


def test_runs_that_cannot_be_one_are_told_by_their_folders(make: Make, tmp_path: Path) -> None:
    write_reports(make(HELD), tmp_path / "a", ())
    write_reports(make(HELD, seed="8"), tmp_path / "b", ())
    done = report(tmp_path / "a", tmp_path / "b", "--into", tmp_path / "all")
    assert done.exit_code == 2
    assert f"{tmp_path / 'a'} has the seed '7' and {tmp_path / 'b'} has '8'" in done.stderr
    assert not (tmp_path / "all").exists()


def test_a_file_needs_a_folder() -> None:
    done = CliRunner().invoke(app, ["run", "--format", "sarif"])
    assert done.exit_code == 2
    assert "--format goes with --report DIR" in done.stderr


@pytest.fixture(scope="module")
def offblocks() -> Any:
    return registered()["offblocks"]


def documented(api: Any) -> list[Rule]:
    """The rules that a held finding shows to be kept, whatever the reading."""
    rules = Catalogue.load(api.rules).values()
    return [each for each in rules if each.party is Party.PROVIDER and each.basis is not Basis.CONTRADICTED]


def results_of(make: Make, rules: Iterable[Rule], wrong: set[str]) -> dict[str, Any]:
    outcomes = {each.id: Outcome.BROKEN if each.id in wrong else Outcome.HELD for each in rules}
    found = [
        Finding(each, outcome, "response status", "401", "200", test="a/b/c") for each, outcome in outcomes.items()
    ]
    return make(found, list(rules))


def test_a_mistake_that_breaks_just_what_is_broken_is_found(make: Make, offblocks: Any) -> None:
    rules = documented(offblocks)
    short = {"offblocks.challenge.nonce", "offblocks.challenge.grammar"}
    found = with_mistakes(results_of(make, rules, short), [offblocks])["mistakes"]
    assert found[0] == {
        "name": "ShortensNonces",
        "does": "Draws nonces of 6 characters.",
        "rules": ["offblocks.challenge.nonce", "offblocks.challenge.grammar"],
    }
    assert all(short.issuperset(mistake["rules"]) for mistake in found)


def test_a_mistake_that_breaks_what_was_kept_explains_nothing(make: Make, offblocks: Any) -> None:
    rules = documented(offblocks)
    found = with_mistakes(results_of(make, rules, {"offblocks.challenge.nonce"}), [offblocks])["mistakes"]
    assert "ShortensNonces" not in {mistake["name"] for mistake in found}


def test_of_what_conforms_no_fault_is_looked_up(good: dict[str, Any]) -> None:
    assert with_mistakes(good, []) == good
