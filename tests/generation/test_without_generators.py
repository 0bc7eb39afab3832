"""Where schemathesis and hypothesis are not installed, all works that draws no requests."""

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

REFUSE = """
import sys

class Refusing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {refused!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Refusing())
"""
GENERATORS = ("hypothesis", "schemathesis")


def command(program: str, *arguments: str, refused: tuple[str, ...] = GENERATORS) -> list[str]:
    """A Python that cannot import some packages, and runs a program."""
    return [sys.executable, "-c", REFUSE.format(refused=refused) + program, *arguments]


def printed(program: str, *arguments: str, refused: tuple[str, ...] = GENERATORS) -> str:
    done = subprocess.run(command(program, *arguments, refused=refused), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("package", GENERATORS)
def test_the_packages_are_refused(package: str) -> None:
    done = subprocess.run(command(f"import {package}"), capture_output=True, text=True, check=False)
    assert f"No module named '{package}'" in done.stderr


def test_the_sandbox_serves() -> None:
    # Who starts the tests in the background may have them, and so the sandbox, ignore what Ctrl-C sends.
    program = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    program += "from conformance.cli import main; main()"
    line = command(program, "sandbox", "--port", "0", refused=(*GENERATORS, "rich"))
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        first = process.stdout.readline()
        try:
            (origin,) = re.findall(r"http://127\.0\.0\.1:\d+", first)
            assert set(httpx.get(f"{origin}/_sandbox").json()["base_urls"]) >= {"offblocks", "planbok"}
        finally:
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=10)
    assert (process.returncode, errors) == (0, "Stopped.\n")


OWN_TESTS = """
from conformance.ids import Ids
from conformance.offblocks.client import Client, Credentials
from conformance.offblocks.wallet import Wallet
from conformance.planbok.client import Client as Planbok
from conformance.planbok.client import Credentials as PlanbokCredentials


def test_a_customer_of_offblocks_signs(conformance_world):
    credentials = Credentials.from_settings(conformance_world.credentials("offblocks")["first"])
    wallet = Wallet.derived(Ids("test"), "eip155:300")
    with Client(conformance_world.base_urls["offblocks"], credentials, clock=conformance_world) as client:
        customer = client.create_customer(wallet.account_id, "user-1")
        client.sign_challenge(customer.id, wallet, customer.challenge)
        assert client.customer(customer.id).status == "verifying"


def test_a_customer_of_planbok_is_created(conformance_world):
    credentials = PlanbokCredentials.from_settings(conformance_world.credentials("planbok")["first"])
    with Planbok(conformance_world.base_urls["planbok"], credentials) as client:
        assert client.create_customer("Ada", "user-1").id
"""


def test_the_fixture_and_both_clients_work(tmp_path: Path) -> None:
    (tmp_path / "test_own.py").write_text(OWN_TESTS, encoding="utf-8")
    plugins = ["-p", "no:hypothesispytest", "-p", "no:schemathesis"]  # these are not installed either
    program = "import pytest; sys.exit(pytest.main(sys.argv[1:]))"
    found = printed(program, str(tmp_path), "-q", "-p", "no:cacheprovider", *plugins, refused=(*GENERATORS, "rich"))
    assert "2 passed" in found


def test_the_shipped_cassettes_are_judged_as_ever() -> None:
    program = """
import json
from conformance.run import Options, run
results = run(Options(rule=("*.response.*", "*.signing.*", "planbok.list.*")))
print(json.dumps([results["verdict"], results["summary"], results["remarks"]]))
"""
    verdict, summary, remarks = json.loads(printed(program))
    assert (verdict, remarks) == ("conforms", [])
    assert summary["pass"] > 30
    assert summary["skipped"] == 0


def test_sequences_are_drawn_and_generated_requests_skipped() -> None:
    program = """
import json
from conformance.run import Options, run
tests = ("offblocks/sequences/calls_in_any_order_keep_the_rules", "offblocks/properties/right_requests.listCustomers")
results = run(Options(apis=("offblocks",), target="sandbox", tests=tests, examples=1))
print(json.dumps({each["id"]: [each["verdict"], each["reason"]] for each in results["rules"]}))
"""
    found = json.loads(printed(program))
    assert found["offblocks.customer.readable"][0] == "pass"
    assert found["offblocks.response.described-accepted"] == [
        "skipped",
        "This needs schemathesis and hypothesis, which draw the requests: pip install schemathesis hypothesis.",
    ]
