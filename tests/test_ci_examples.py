"""The files for CI servers run as they stand, in the order of their commands: on a change, and two nights."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from conformance.sandbox.server import RunningSandbox, start

EXAMPLES = Path(__file__).parents[1] / "examples" / "ci"
INSTALL = "pip install wallet-conformance"
WRAPPER = """#!/bin/sh
# The same command on a few rules, so that a night takes seconds.
case "$1" in
  run|record) exec "{python}" -c "from conformance.cli import main; main()" "$@" --rule "offblocks.authentication.t*" ;;
  *) exec "{python}" -c "from conformance.cli import main; main()" "$@" ;;
esac
"""


@pytest.fixture
def running() -> Iterator[RunningSandbox]:
    with start() as running:
        yield running


@pytest.fixture
def environment(running: RunningSandbox, tmp_path: Path) -> dict[str, str]:
    """What the jobs find in their environment: the command, and the vendor's sandbox with its secrets."""
    command = tmp_path / "bin" / "conformance"
    command.parent.mkdir()
    command.write_text(WRAPPER.format(python=sys.executable), encoding="utf-8")
    command.chmod(0o755)
    described = running.describe()
    first = described["tenants"]["first"]["offblocks"]
    return {
        **os.environ,
        "PATH": f"{command.parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join([str(EXAMPLES.parents[1]), os.environ.get("PYTHONPATH", "")]),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
        "CONFORMANCE_OFFBLOCKS_BASE_URL": described["base_urls"]["offblocks"],
        **{f"CONFORMANCE_OFFBLOCKS_{name.upper()}": str(value) for name, value in first.items()},
    }


def parsed(name: str) -> Any:
    return yaml.safe_load((EXAMPLES / name).read_text(encoding="utf-8"))


def github(job: str) -> list[tuple[str, bool]]:
    """The commands of a job in order, each with whether it runs after one that failed."""
    steps = parsed("github.yml")["jobs"][job]["steps"]
    return [(step["run"], "always()" in step.get("if", "")) for step in steps if "run" in step]


def gitlab(job: str) -> list[tuple[str, bool]]:
    """The commands of a job in order; none of them runs after one that failed."""
    whole = parsed("gitlab.yml")
    return [(line, False) for line in (*whole["default"]["before_script"], *whole[job]["script"])]


def perform(commands: Sequence[tuple[str, bool]], folder: Path, environment: dict[str, str]) -> int:
    """Run a job's commands as its server does; gives the exit code of the job."""
    (install, _), *rest = commands
    assert install == INSTALL
    code = 0
    for command, always in rest:
        if code == 0 or always:
            shell = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", command]
            done = subprocess.run(shell, cwd=folder, env=environment, capture_output=True, text=True, check=False)
            code = code or done.returncode
            assert "Traceback" not in done.stderr, done.stderr
    return code


@pytest.mark.parametrize("read", [github, gitlab])
def test_each_change_is_judged_without_a_network(read: Any, environment: dict[str, str], tmp_path: Path) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    offline = {name: value for name, value in environment.items() if not name.startswith("CONFORMANCE_OFFBLOCKS")}
    assert perform(read("replay"), folder, offline) == 0
    told = "summary.md" if read is github else "junit.xml"
    assert {path.name for path in (folder / "report").iterdir()} == {"results.json", "report.html", told}
    if read is github:
        assert "CONFORMS" in (tmp_path / "summary.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("read", [github, gitlab])
def test_each_night_is_compared_with_the_last(
    read: Any, running: RunningSandbox, environment: dict[str, str], tmp_path: Path
) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    assert perform(read("nightly"), folder, environment) == 0
    assert (folder / "last" / "cassettes" / "offblocks").is_dir()
    shutil.rmtree(folder / "now", ignore_errors=True)
    running.worlds.default.set_faults(["LeavesOutTheTokenType"])
    assert perform(read("nightly"), folder, environment) == 1
    told = [folder / "drift.sarif", tmp_path / "summary.md", folder / "now" / "drift.md", folder / "last" / "drift.md"]
    said = [path.read_text(encoding="utf-8") for path in told if path.exists()]
    assert said
    assert all("member-missing" in text and "tokenType" in text for text in said)
    assert json.loads((folder / "last" / "report" / "results.json").read_bytes())["verdict"]
