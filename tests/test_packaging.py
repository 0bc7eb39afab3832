"""The wheel carries all that a user needs, and works where there is no checkout."""

import json
import os
import re
import subprocess
import sys
import venv
from pathlib import Path
from zipfile import ZipFile

import pytest

CHECKOUT = Path(__file__).parents[1]
SUITES = CHECKOUT / "conformance"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    call(CHECKOUT, sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder))
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def contents(wheel: Path) -> dict[str, bytes]:
    with ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(scope="module")
def scripts(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of commands of an environment that holds nothing but the wheel and what it depends on."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder)
    scripts = folder / ("Scripts" if os.name == "nt" else "bin")
    pip = [sys.executable, "-m", "pip", "--python", str(scripts / "python")]
    call(folder, *pip, "install", "--quiet", "--no-compile", "-c", str(CHECKOUT / "constraints.txt"), str(wheel))
    return scripts


def call(folder: Path, *command: str) -> str:
    """What a command prints, run in `folder` without the settings of whoever runs the tests."""
    ours = ("CONFORMANCE_", "PYTEST_", "PYTHON")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, f"{' '.join(command)}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.mark.parametrize("data", ["specs", "cassettes"])
def test_the_wheel_holds_every_file_of(data: str, contents: dict[str, bytes]) -> None:
    files = [path for path in (CHECKOUT / data).rglob("*") if path.is_file()]
    assert files
    for path in files:
        assert contents[f"conformance/_data/{path.relative_to(CHECKOUT).as_posix()}"] == path.read_bytes()


def test_the_wheel_holds_the_code_the_suites_and_the_type_marker(contents: dict[str, bytes]) -> None:
    files = {path.relative_to(CHECKOUT).as_posix() for path in SUITES.rglob("*.py")}
    suites = {name for name in files if "/suite/test_" in name}
    assert suites
    assert files | {"conformance/py.typed", "conformance/suite.ini", "conformance_pytest.py"} <= set(contents)


def test_the_wheel_holds_no_test_of_the_suite_itself(contents: dict[str, bytes]) -> None:
    tops = {name.split("/")[0] for name in contents}
    assert {top for top in tops if not top.endswith(".dist-info")} == {
        "conformance",
        "conformance_pytest.py",
    }


def test_the_installed_command_judges_the_shipped_cassettes(scripts: Path, tmp_path: Path) -> None:
    printed = call(tmp_path, str(scripts / "conformance"), "run", "--report", "report")
    for page in ("README.md", "docs/start.md"):
        told = re.findall(r"```text\n(CONFORMS.*?)```", (CHECKOUT / page).read_text(encoding="utf-8"), re.DOTALL)
        assert [" ".join(each.split()) in " ".join(printed.split()) for each in told] == [True], page
    results = json.loads((tmp_path / "report" / "results.json").read_bytes())
    assert results["verdict"] == "conforms"
    assert results["target"] == "replay"
    assert results["summary"]["pass"] > results["summary"]["note"]


def test_a_folder_of_a_team_that_has_the_name_of_the_package_stops_no_test(scripts: Path, tmp_path: Path) -> None:
    (tmp_path / "conformance").mkdir()
    (tmp_path / "conformance" / "__init__.py").write_text("", encoding="utf-8")
    (tmp_path / "conformance" / "test_own.py").write_text("def test_it():\n    pass\n", encoding="utf-8")
    for command in ([str(scripts / "pytest")], [str(scripts / "python"), "-m", "pytest"]):
        printed = call(tmp_path, *command, "-p", "no:cacheprovider")
        assert "1 passed" in printed
        assert f"Note: {tmp_path / 'conformance'} has the name of the package conformance" in printed


def test_the_installed_package_finds_its_data_in_itself(scripts: Path, tmp_path: Path) -> None:
    program = "from conformance.api import named; print(named('offblocks').rules)"
    rules = Path(call(tmp_path, str(scripts / "python"), "-c", program).strip())
    assert rules.is_relative_to(scripts.parent)
    assert rules.read_bytes() == (CHECKOUT / "specs" / "offblocks" / "rules.yaml").read_bytes()


def test_the_constraints_are_names_and_versions_in_order() -> None:
    lines = (CHECKOUT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [re.fullmatch(r"([\w.-]+)==[\w.+!]+", line) for line in lines if not line.startswith("#")]
    assert all(pins), lines
    names = [pin[1].lower() for pin in pins if pin]
    assert names == sorted(names)
