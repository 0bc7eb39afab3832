"""The committed kill matrix is of today's faults, keeps what it promises, and is what the page and the README show."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from conformance import matrix
from conformance.api import registered
from conformance.catalogue import Basis, Catalogue, Level, Party
from conformance.matrix import holds, read, summary, trials

CHECKOUT = Path(__file__).parents[1]
COMMITTED = CHECKOUT / "evidence" / "matrix.json"


@pytest.fixture(scope="module")
def committed() -> dict[str, Any]:
    return read(COMMITTED)


def test_the_committed_matrix_is_of_todays_faults(committed: dict[str, Any]) -> None:
    today = {(trial.section, trial.api, trial.name, trial.breaks) for trial in trials()}
    measured = {
        (part, entry["api"], entry["name"], tuple(entry.get("breaks", ())))
        for part in matrix.SECTIONS
        for entry in committed[part]
    }
    assert measured == today, "conformance faults check --resume evidence/matrix.json, or without --resume, renews it"


def test_the_committed_matrix_keeps_its_promise(committed: dict[str, Any]) -> None:
    assert committed["complete"]
    assert committed["summary"] == summary({part: committed[part] for part in matrix.SECTIONS})
    assert holds(committed["summary"])


@pytest.mark.parametrize("api", [api for api in registered().values() if api.has("sandbox")], ids=lambda api: api.name)
def test_every_must_catches_a_fault(api: Any, committed: dict[str, Any]) -> None:
    catching = {rule for fault in committed["faults"] for rule in fault["caught_by"]}
    musts = {
        rule.id
        for rule in Catalogue.load(api.rules).values()
        if rule.party is Party.PROVIDER and rule.level is Level.MUST and rule.basis is not Basis.CONTRADICTED
    }
    assert musts - catching == set()


def test_the_page_and_the_figures_of_the_readme_are_those_of_the_committed_matrix() -> None:
    command = [sys.executable, "-m", "tools.matrix", "--check"]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
    assert (CHECKOUT / "README.md").read_text(encoding="utf-8").count("<!-- matrix -->\n| measured") == 1
