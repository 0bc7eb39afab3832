"""The committed kill matrix is of today's faults and keeps what it promises, and the pages show what was measured."""

import importlib
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from conformance.api import registered
from conformance.catalogue import Basis, Catalogue, Level, Party
from conformance.matrix.form import read
from conformance.matrix.judgement import holds, summary
from conformance.matrix.trials import SECTIONS, trials

CHECKOUT = Path(__file__).parents[1]
BY_A_SETTING = {"offblocks.challenge.domain-expected"}
"""Rules that are judged by a setting, which no sandbox has; the tests of the checks break them."""
COMMITTED = CHECKOUT / "evidence" / "matrix.json"


@pytest.fixture(scope="module")
def committed() -> dict[str, Any]:
    return read(COMMITTED)


def test_the_committed_matrix_is_of_todays_faults_but_for_those_that_its_page_names(committed: dict[str, Any]) -> None:
    today = {(trial.section, trial.api, trial.name, trial.breaks) for trial in trials()}
    measured = {
        (part, entry["api"], entry["name"], tuple(entry.get("breaks", ())))
        for part in SECTIONS
        for entry in committed[part]
    }
    named = (CHECKOUT / "docs" / "faults.md").read_text(encoding="utf-8").partition("## Newer than the measurement")[2]
    missing = {f"- `{name}` ({part})" for part, _, name, _ in today - measured}
    named_lines = {line for line in named.splitlines() if line.startswith("- ")}
    assert missing == named_lines, "conformance faults check --json evidence/matrix.json renews it"


def test_the_committed_matrix_keeps_its_promise(committed: dict[str, Any]) -> None:
    assert committed["complete"]
    assert committed["summary"] == summary({part: committed[part] for part in SECTIONS})
    assert holds(committed["summary"])


@pytest.mark.parametrize("api", [api for api in registered().values() if api.sandbox], ids=lambda api: api.name)
def test_every_must_catches_a_fault(api: Any, committed: dict[str, Any], pages: ModuleType) -> None:
    catching = {rule for fault in committed["faults"] for rule in fault["caught_by"]}
    catching |= {rule for trial in pages.unmeasured(committed) for rule in trial.breaks}
    musts = {
        rule.id
        for rule in Catalogue.load(api.rules).values()
        if rule.party is Party.PROVIDER and rule.level is Level.MUST and rule.basis is not Basis.CONTRADICTED
    }
    assert musts - catching == BY_A_SETTING & musts


def test_the_pages_are_those_of_the_committed_evidence() -> None:
    command = [sys.executable, "-m", "tools.evidence", "--check"]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("page", ["README.md", "docs/peers.md", "evidence/README.md", "benchmarks/README.md"])
def test_a_page_shows_what_was_measured(page: str) -> None:
    content = (CHECKOUT / page).read_text(encoding="utf-8")
    assert content.count("<!-- measured -->\n") == content.count("<!-- /measured -->") == 1
    shown = content.partition("<!-- measured -->\n")[2].partition("<!-- /measured -->")[0]
    assert len(shown.splitlines()) > 3


def test_the_readme_begins_its_figures_with_the_matrix() -> None:
    assert (CHECKOUT / "README.md").read_text(encoding="utf-8").count("<!-- measured -->\n| measured") == 1


# ------------------------------------------------------------------------------------------------------ beside another


def compared(seeds: dict[str, list[bool]]) -> dict[str, Any]:
    """A comparison in which the suite catches each, and schemathesis with these seeds."""
    cost = {"seconds": 2.4, "requests": 30}
    rows: list[dict[str, Any]] = [
        {
            "name": name,
            "suite": {"caught": True, **cost},
            "schemathesis": [{"caught": caught, **cost} for caught in of_seed],
        }
        for name, of_seed in seeds.items()
    ]
    unchanged = {
        "offblocks": {"suite": [], "schemathesis": ["a", "b"]},
        "planbok": {"suite": [], "schemathesis": ["c"]},
    }
    return {"date": "2026-01-02T03:04", "machine": "a Z80", "workers": 2, "unchanged": unchanged, "faults": rows}


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """``tools/evidence.py``, which no package holds."""
    monkeypatch.syspath_prepend(CHECKOUT)
    return importlib.import_module("tools.evidence")


def test_what_was_caught_with_some_seeds_is_not_told_as_caught_with_all(pages: ModuleType) -> None:
    usual = compared({"Always": [True, True], "Once": [False, True], "Never": [False, False]})
    said = pages.cost({"usual": usual, "many": compared({"Once": [True, True]})})
    assert "a Z80" in said
    assert "the suite reports 0 failures, `st` with default examples 3." in said
    assert said.partition("\n\n")[2].splitlines() == [
        "|  | faults | mutations | seconds a run | requests a run |",
        "| --- | --- | --- | --- | --- |",
        "| `conformance run` | 3 of 3 | not tried | 2 | 30 |",
        "| usual | 2 of 3, 1 with every seed | not tried | 2 | 30 |",
        "| many | 1 of 1 | not tried | 2 | 30 |",
    ]


def test_who_caught_what_stands_beside_the_matrix_and_who_did_not_run_is_told(pages: ModuleType) -> None:
    seen = {"ran": True, "caught": True, "new": ["a"]}
    missed, silent = {**seen, "caught": False}, {"ran": False, "caught": False}
    of_tools = {"respect": seen, "prism": missed, "specmatic": missed, "dredd": silent}
    peers = {
        "date": "2026-01-02T03:04",
        "machine": "a Z80",
        "versions": {"wallet-conformance": "9", **{name: f"{name} 1.{name}" for name in of_tools}},
        "faults": [{"name": "Once", "peers": of_tools}],
    }
    identities = {**compared({"Once": [False, True]}), "versions": {"schemathesis": "4.99"}}
    said = pages.beside_peers(
        peers, identities, {"faults": [{"name": "Once", "title": "Errs once.", "caught": True}], "mutations": []}
    )
    assert "schemathesis 4.99" in said
    assert "Of 1, this suite catches 1, `respect` 1, `prism` 0, `specmatic` 0, `dredd` 0." in said
    row = "| Errs once. `Once` | caught | caught with 1 of 2 seeds | caught | missed | missed | did not run |"
    assert said.splitlines()[-1] == row


def test_each_fault_stands_once_with_what_every_run_said_of_it(pages: ModuleType) -> None:
    usual = compared({"Once": [False, True], "Never": [False, False]})
    assert pages.side_by_side({"usual": usual, "many": compared({"Once": [True, True]})}).splitlines() == [
        "| fault or mutation | `conformance run` | usual | many |",
        "| --- | --- | --- | --- |",
        "| `Once` | caught | caught with 1 of 2 seeds | caught with 2 of 2 seeds |",
        "| `Never` | caught | missed | not tried |",
    ]


@pytest.mark.parametrize("content", [None, "{"], ids=["missing", "cut off"])
def test_a_file_of_evidence_that_cannot_be_read_is_named(
    pages: ModuleType, content: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "schemathesis.json"
    if content is not None:
        file.write_text(content)
    monkeypatch.setattr(pages, "COMPARISONS", {"usual": file})
    monkeypatch.setattr(sys, "argv", ["tools.evidence", "--check"])
    with pytest.raises(SystemExit, match=rf"(?s)The file {file} cannot be read.*evidence/README\.md"):
        pages.main()
