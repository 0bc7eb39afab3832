"""What a team gets in its own pytest: a world of the sandbox, and nothing that it did not ask for."""

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

import conformance
from conformance.api import registered
from conformance.sandbox.behaviour import declared_changes
from conformance.sandbox.faults import Variation

PACKAGE = Path(conformance.__file__).parent
CHECKOUT = Path(__file__).parents[1]

OWN_TEST = """
from datetime import timedelta

import pytest

from conformance.offblocks.client import ApiError, Client, Credentials
from conformance.offblocks.wallet import Wallet
from conformance.ids import Ids


def onboard(world, wait):
    credentials = Credentials.from_settings(world.credentials("offblocks")["first"])
    wallet = Wallet.derived(Ids("test"), "eip155:300")
    with Client(world.base_urls["offblocks"], credentials, clock=world) as client:
        customer = client.create_customer(wallet.account_id, "user-1")
        world.advance(wait)
        client.sign_challenge(customer.id, wallet, customer.challenge)
        return client.customer(customer.id).status


def test_a_customer_signs(conformance_world):
    assert onboard(conformance_world, timedelta()) == "verifying"
    assert len(conformance_world.requests()) == 4


def test_an_hour_passes_at_once(conformance_world):
    with pytest.raises(ApiError, match="expired"):
        onboard(conformance_world, timedelta(minutes=61))
"""

OWN_FAULT = """
from conformance.offblocks.sandbox import OffBlocks
from conformance.sandbox.faults import Fault


class NeverExpires(Fault, OffBlocks):
    breaks = ("offblocks.challenge.expires-after-one-hour",)

    def challenge_is_in_time(self, challenge):
        return True
"""

TEST_OF_THE_FAULT = """
import pytest

from faults_of_ours import NeverExpires
from test_own import onboard, timedelta


@pytest.mark.parametrize("fault", [NeverExpires, "faults_of_ours:NeverExpires"])
def test_the_hour_does_not_count(conformance_world, fault):
    conformance_world.faults(fault)
    assert onboard(conformance_world, timedelta(minutes=61)) == "verifying"
"""

FROM_THE_FOLDER = ("-m", "pytest")
"""How pytest is started so that the folder comes first on Python's path."""
AS_A_COMMAND = ("-P", "-m", "pytest")
"""How pytest is started so that the folder is not on Python's path, as the command ``pytest`` does."""

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run_pytest(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Runs pytest in a folder, where this distribution is installed with the entry points of today."""
    installed = tmp_path_factory.mktemp("installed")
    description = installed / "wallet_conformance-0.1.0.dist-info"
    description.mkdir()
    (description / "METADATA").write_text("Metadata-Version: 2.1\nName: wallet-conformance\nVersion: 0.1.0\n", "utf-8")
    points = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["entry-points"]
    lines = [
        f"[{group}]\n" + "\n".join(f"{name} = {value}" for name, value in of.items()) for group, of in points.items()
    ]
    (description / "entry_points.txt").write_text("\n".join(lines), encoding="utf-8")
    path = os.pathsep.join([str(installed), str(PACKAGE.parent)])

    def run(*arguments: str, python: tuple[str, ...] = FROM_THE_FOLDER) -> subprocess.CompletedProcess[str]:
        command = [
            sys.executable,
            *python,
            "-p",
            "no:cacheprovider",
            "-p",
            "no:schemathesis",
            *arguments,
        ]  # the slow one
        environment = {**os.environ, "PYTHONPATH": path}
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    return run


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def test_a_team_tests_its_own_client_in_a_world(tmp_path: Path, run_pytest: Run) -> None:
    (tmp_path / "test_own.py").write_text(OWN_TEST, encoding="utf-8")
    done = run_pytest("-q", "-W", "error")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout


UNDER_VARIATIONS = """
import pytest


@pytest.mark.conformance_variations{chosen}
def test_a_customer_is_shown(conformance_world):
    assert conformance_world.customer("offblocks", "verifying")["state"] == "verifying"
"""


@pytest.mark.parametrize(
    ("chosen", "ids"),
    [
        ('("AddsMembers", "SaysExpired")', ["as-documented", "AddsMembers", "SaysExpired"]),
        ('("planbok", "AcceptsHexTextOnly")', ["as-documented", "AcceptsHexTextOnly", "NamesIdsPlainly"]),
    ],
)
def test_a_test_runs_under_the_variations_that_are_named(
    tmp_path: Path, run_pytest: Run, chosen: str, ids: list[str]
) -> None:
    write(tmp_path, **{"test_own.py": UNDER_VARIATIONS.format(chosen=chosen)})
    done = run_pytest("-v", "-W", "error")
    assert done.returncode == 0, done.stdout + done.stderr
    shown = re.findall(r"test_a_customer_is_shown\[([\w-]+)\] PASSED", done.stdout)
    assert [each for each in shown if each in ids] == ids


def test_a_test_runs_under_every_variation_in_each_process(tmp_path: Path, run_pytest: Run) -> None:
    write(tmp_path, **{"test_own.py": UNDER_VARIATIONS.format(chosen="")})
    done = run_pytest("-q", "-n", "2", "-W", "error")
    assert done.returncode == 0, done.stdout + done.stderr
    variations = {
        name
        for api in registered().values()
        for name, change in declared_changes(api).items()
        if issubclass(change, Variation)
    }
    assert f"{len(variations) + 1} passed" in done.stdout


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        (
            UNDER_VARIATIONS.format(chosen='("NoSuchOne")'),
            "There is no API or variation called 'NoSuchOne'. There are:",
        ),
        (UNDER_VARIATIONS.format(chosen="").replace("conformance_world", "tmp_path"), "takes no conformance_world"),
    ],
)
def test_a_mark_that_cannot_be_kept_says_why(tmp_path: Path, run_pytest: Run, source: str, complaint: str) -> None:
    write(tmp_path, **{"test_own.py": source})
    done = run_pytest("-q")
    assert done.returncode != 0
    assert complaint in done.stdout + done.stderr


FROZEN = """
import datetime
import pytest
import {library}

from conformance.ids import Ids
from conformance.offblocks.client import Client, Credentials


@pytest.fixture(scope="session", autouse=True)
def clocks_stand_still():
    with {library}.{frozen}:
        yield


def test_an_hour_passes_at_once(conformance_world):
    credentials = Credentials.from_settings(conformance_world.credentials("offblocks")["first"])
    with Client(conformance_world.base_urls["offblocks"], credentials) as client:
        assert client.customers() == []
        conformance_world.advance(datetime.timedelta(hours=2))
        assert client.customers() == []
"""


@pytest.mark.parametrize(
    ("library", "frozen"),
    [("freezegun", 'freeze_time("2031-01-01")'), ("time_machine", 'travel("2031-01-01", tick=False)')],
)
def test_clocks_that_stand_still_hold_nobody_up(tmp_path: Path, run_pytest: Run, library: str, frozen: str) -> None:
    pytest.importorskip(library)
    write(tmp_path, **{"test_own.py": FROZEN.format(library=library, frozen=frozen)})
    done = run_pytest("-q", "-W", "error")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("options", "advice"),
    [(("--disable-socket",), "Give --allow-hosts=127.0.0.1"), (("--block-network",), "Give --allowed-hosts=127.0.0.1")],
)
def test_sockets_that_are_blocked_are_named_as_the_cause(
    tmp_path: Path, run_pytest: Run, options: tuple[str, ...], advice: str
) -> None:
    if options == ("--disable-socket",):
        pytest.importorskip("pytest_socket")
    write(tmp_path, **{"test_own.py": "def test_a_world(conformance_world):\n    pass\n"})
    done = run_pytest("-q", *options)
    assert "The sandbox needs sockets on 127.0.0.1, and pytest-" in done.stdout
    assert advice in done.stdout
    assert run_pytest("-q", *options, advice.removeprefix("Give ")).returncode == 0


def test_a_team_gives_a_world_a_fault_of_its_own(tmp_path: Path, run_pytest: Run) -> None:
    for name, source in (("test_own", OWN_TEST), ("faults_of_ours", OWN_FAULT), ("test_fault", TEST_OF_THE_FAULT)):
        (tmp_path / f"{name}.py").write_text(source, encoding="utf-8")
    done = run_pytest("-q", "-W", "error")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 passed" in done.stdout


def test_the_fixture_of_scenarios_says_whom_it_is_for(tmp_path: Path, run_pytest: Run) -> None:
    (tmp_path / "test_own.py").write_text("def test_it(conformance_subject):\n    pass\n", encoding="utf-8")
    done = run_pytest("-q")
    assert done.returncode == 1
    assert "The fixture `conformance_subject` is for tests that are marked with @verifies." in done.stdout


def test_options_and_markers_are_explained(run_pytest: Run) -> None:
    shown = run_pytest("--help").stdout
    assert "--conformance-target" in shown
    assert "live none" in shown
    assert "conformance_verifies(*rules)" in run_pytest("--markers").stdout


# ------------------------------------------------------------------------------------------------------- only our names


@pytest.mark.parametrize(
    ("question", "name", "known"),
    [
        ("--fixtures", r"^(\w+)(?: \[\w+ scope\])? -- ", "conformance_world"),
        ("--markers", r"^@pytest\.mark\.(\w+)", "conformance_verifies"),
        ("--help", r"^ +(--[\w-]+)", "--conformance-rule"),
    ],
)
def test_every_name_that_is_registered_begins_with_conformance(
    run_pytest: Run, question: str, name: str, known: str
) -> None:
    with_us, without_us = (
        set(re.findall(name, run_pytest(question, *arguments).stdout, re.MULTILINE))
        for arguments in ((), ("-p", "no:conformance"))
    )
    assert without_us
    ours = with_us - without_us
    assert known in ours
    assert [each for each in ours if not each.startswith(("conformance", "--conformance-"))] == []


# ------------------------------------------------------------------------------------------ a folder of the same name

PASSES = "def test_it():\n    pass\n"
THEIRS_IS_FOUND = "import conformance.mine\n\n\ndef test_it():\n    assert conformance.mine.answer == 42\n"
FOLDERS = {
    "without a package": {"conformance/test_own.py": PASSES},
    "a package": {"conformance/__init__.py": "", "conformance/conftest.py": "", "conformance/test_own.py": PASSES},
    "a package among tests": {"tests/conformance/__init__.py": "", "tests/conformance/test_own.py": PASSES},
    "a product": {
        "conformance/__init__.py": "",
        "conformance/mine.py": "answer = 42\n",
        "conftest.py": "",
        "tests/test_own.py": THEIRS_IS_FOUND,
    },
    "a module": {"conformance.py": "", "conftest.py": "import conformance\n", "test_own.py": PASSES},
}


@pytest.mark.parametrize("python", [FROM_THE_FOLDER, AS_A_COMMAND], ids=["from the folder", "as a command"])
@pytest.mark.parametrize("files", FOLDERS.values(), ids=FOLDERS)
def test_a_folder_of_the_same_name_does_not_stop_the_tests_of_a_team(
    files: dict[str, str], python: tuple[str, ...], tmp_path: Path, run_pytest: Run
) -> None:
    write(tmp_path, **files)
    done = run_pytest("-W", "error", python=python)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize("arguments", [("--import-mode=importlib",), ("--numprocesses=2",)], ids=" ".join)
def test_a_package_of_the_same_name_stops_nobody_with_other_options_either(
    arguments: tuple[str, ...], tmp_path: Path, run_pytest: Run
) -> None:
    write(tmp_path, **FOLDERS["a package"])
    done = run_pytest(*arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout


def test_who_is_hidden_says_so_in_one_sentence(tmp_path: Path, run_pytest: Run) -> None:
    write(tmp_path, **FOLDERS["a product"])
    notes = [line for line in run_pytest().stdout.splitlines() if line.startswith("Note: ")]
    assert len(notes) == 1
    assert notes[0].startswith(f"Note: {tmp_path / 'conformance'} has the name of the package conformance")
    assert "Note: " not in run_pytest("-p", "no:conformance").stdout


def test_a_fixture_that_is_hidden_fails_its_test_alone(tmp_path: Path, run_pytest: Run) -> None:
    uses = "def test_a_world(conformance_world):\n    pass\n\n\ndef test_a_subject(conformance_subject):\n    pass\n"
    write(tmp_path, **FOLDERS["a product"], **{"tests/test_world.py": uses})
    done = run_pytest()
    assert done.returncode == 1
    assert "1 passed, 2 errors" in done.stdout
    reasons = [line for line in done.stdout.splitlines() if line.startswith(f"{tmp_path / 'conformance'} has the name")]
    assert len(reasons) == 2
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize("mode", ["prepend", "append", "importlib"])
def test_a_folder_that_is_no_package_hides_nothing(mode: str, tmp_path: Path, run_pytest: Run) -> None:
    write(tmp_path, **{"conformance/test_own.py": OWN_TEST})
    done = run_pytest(f"--import-mode={mode}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout
    assert "Note: " not in done.stdout


# ------------------------------------------------------------------------------------------------ the suites elsewhere


@pytest.mark.parametrize("arguments", [(), ("--numprocesses=2",)], ids=["alone", "shared"])
def test_the_suites_run_in_the_pytest_of_a_team(arguments: tuple[str, ...], run_pytest: Run) -> None:
    chosen = "--conformance-rule=*.challenge.expires-*"
    done = run_pytest("--pyargs", "conformance", "-q", chosen, "--strict-markers", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^\d+ passed", done.stdout, re.MULTILINE)
    assert re.search(r"^CONFORMS: OffBlocks and Planbok, recordings .*: \d+ pass in", done.stdout, re.MULTILINE)


@pytest.mark.parametrize("arguments", [(), ("--numprocesses=2",)], ids=["alone", "shared"])
def test_every_process_has_the_options_that_were_given(
    arguments: tuple[str, ...], tmp_path: Path, run_pytest: Run
) -> None:
    chosen = "--conformance-rule=offblocks.challenge.expires-*"
    done = run_pytest(
        "--pyargs", "conformance", "-q", chosen, f"--conformance-cassettes={tmp_path / 'none'}", *arguments
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert f"There are no cassettes of OffBlocks in {tmp_path / 'none' / 'offblocks'}" in done.stdout


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--conformance-base-url=offblocks", "--conformance-base-url: 'offblocks' is not API=URL"),
        ("--conformance-target=documents", "argument --conformance-target: invalid choice: 'documents'"),
        ("--conformance-examples=many", "argument --conformance-examples: invalid int value: 'many'"),
    ],
)
def test_a_wrong_option_is_said_in_a_sentence(option: str, message: str, run_pytest: Run) -> None:
    done = run_pytest("--pyargs", "conformance.offblocks", "-q", option)
    assert done.returncode == 4
    assert message in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_the_entry_point_is_found_beside_the_package() -> None:
    entry = find_spec("conformance_pytest")
    assert entry is not None
    assert entry.origin == str(PACKAGE.with_name("conformance_pytest.py"))
