"""What a team gets in its own pytest: a world of the sandbox, and nothing that it did not ask for."""

import subprocess
import sys
from pathlib import Path

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
    conformance_world.set_faults(fault)
    assert onboard(conformance_world, timedelta(minutes=61)) == "verifying"
"""


def run_pytest(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_team_tests_its_own_client_in_a_world(tmp_path: Path) -> None:
    (tmp_path / "test_own.py").write_text(OWN_TEST, encoding="utf-8")
    done = run_pytest(tmp_path, "-q", "-W", "error")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout


def test_a_team_gives_a_world_a_fault_of_its_own(tmp_path: Path) -> None:
    for name, source in (("test_own", OWN_TEST), ("faults_of_ours", OWN_FAULT), ("test_fault", TEST_OF_THE_FAULT)):
        (tmp_path / f"{name}.py").write_text(source, encoding="utf-8")
    done = run_pytest(tmp_path, "-q", "-W", "error")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 passed" in done.stdout


def test_the_fixture_of_scenarios_says_whom_it_is_for(tmp_path: Path) -> None:
    (tmp_path / "test_own.py").write_text("def test_it(subject):\n    pass\n", encoding="utf-8")
    done = run_pytest(tmp_path, "-q")
    assert done.returncode == 1
    assert "The fixture `subject` is for tests that are marked with @verifies." in done.stdout


def test_options_and_markers_are_explained(tmp_path: Path) -> None:
    shown = run_pytest(tmp_path, "--help").stdout
    assert "--conformance-target" in shown
    assert "live none" in shown
    assert "verifies(*rules)" in run_pytest(tmp_path, "--markers").stdout
