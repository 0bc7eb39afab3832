"""The clients in ``examples``, each in a process of its own, as a user runs them."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import yaml

from conformance.sandbox.remote import Control
from conformance.sandbox.server import start

PROJECT = Path(__file__).parents[2] / "examples" / "project"
PROJECT_IN_NODE = PROJECT.with_name("project-node")
IN_NODE = PROJECT.parent / "adapters" / "node"

LOCAL_ACCOUNT = """
import sys
from eth_account import Account
from conformance.clock import SystemClock
from conformance.offblocks.client import Client, Credentials
from conformance.offblocks.wallet import Wallet
from conformance.sandbox.remote import Control

world = Control(sys.argv[1]).ask("GET", "")
credentials = Credentials.from_settings(world["tenants"]["first"]["offblocks"])
wallet = Wallet(Account.create(), "eip155:300")
with Client(world["base_urls"]["offblocks"], credentials, clock=SystemClock()) as client:
    customer = client.create_customer(wallet.account_id, "user-1")
    client.sign_challenge(customer.id, wallet, customer.challenge)
    print(client.customer(customer.id).status)
"""


@pytest.fixture
def control() -> Iterator[Control]:
    with start() as sandbox:
        control = Control(sandbox.origin)
        yield control
        control.close()


def run(*words: str, program: str = sys.executable) -> str:
    done = subprocess.run([program, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_client_of_offblocks_is_right(control: Control) -> None:
    assert run(str(PROJECT / "offblocks.py"), control.origin) == "status: verifying\ncustomers: 1\n"
    results = control.ask("GET", "/findings?strict=true")
    assert results["verdict"] == "conforms"
    assert results["summary"]["pass"] >= 20


def test_the_client_of_offblocks_in_node_is_right(control: Control, node: str) -> None:
    if not (IN_NODE / "node_modules").is_dir():
        pytest.skip("its packages are not installed: run npm ci in examples/adapters/node")
    assert run(str(IN_NODE / "client.mjs"), control.origin, program=node) == "status: verifying\ncustomers: 1\n"
    results = control.ask("GET", "/findings?strict=true")
    assert results["verdict"] == "conforms"
    assert results["summary"]["pass"] >= 20


def test_an_account_of_eth_account_is_a_wallet_of_our_client(control: Control) -> None:
    assert run("-c", LOCAL_ACCOUNT, control.origin) == "verifying\n"
    results = control.ask("GET", "/findings?strict=true")
    assert results["verdict"] == "conforms"
    assert results["summary"]["pass"] >= 20


def commands(page: Path) -> list[str]:
    """The command lines that a page prints."""
    blocks = re.findall(r"```sh\n(.*?)```", page.read_text(), re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


def in_project(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run Python in the folder of the project."""
    return subprocess.run([sys.executable, *words], cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The project of a team, in a clean folder."""
    return Path(shutil.copytree(PROJECT, tmp_path / "project", ignore=shutil.ignore_patterns("__pycache__")))


def test_the_project_of_a_team_passes_with_the_commands_of_its_page_and_of_its_workflow(project: Path) -> None:
    *preparation, tests = commands(project / "README.md")
    assert [line.split()[0] for line in preparation] == ["python", "pip"], "what this environment has already"
    assert [version(name) for name in (project / "requirements.txt").read_text().split()]
    steps = yaml.safe_load((project / "ci.yml").read_text())["jobs"]["tests"]["steps"]
    assert [step["run"] for step in steps if "run" in step] == [preparation[1], tests]
    done = in_project(project, "-m", *tests.split())
    assert done.returncode == 0, done.stdout
    assert "passed" in done.stdout


def test_a_mistake_in_the_client_of_the_project_is_told_with_its_name(project: Path) -> None:
    client = project / "offblocks.py"
    client.write_text(client.read_text().replace("SHA384", "SHA256"))
    done = in_project(project, "-m", "pytest", "-x", "-k", "proves")
    assert done.returncode == 1
    assert "hashed with SHA-256; sign it with SHA-384" in done.stdout + done.stderr


@pytest.fixture
def in_node(tmp_path: Path, node: str) -> Callable[[str], subprocess.CompletedProcess[str]]:
    """Runs a command line in a clean folder with the project in Node, where `conformance` is installed."""
    folder = Path(shutil.copytree(PROJECT_IN_NODE, tmp_path / "project-node"))
    command = tmp_path / "bin" / "conformance"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m conformance "$@"\n')
    command.chmod(0o755)
    path = os.pathsep.join([str(command.parent), str(Path(node).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path, "PYTHONPATH": os.pathsep.join(sys.path)}

    def run(line: str) -> subprocess.CompletedProcess[str]:
        words = shlex.split(line)
        return subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)

    return run


def test_the_project_in_node_passes_with_the_commands_of_its_page_and_of_its_workflow(in_node: Any) -> None:
    installation, tests = commands(PROJECT_IN_NODE / "README.md")
    assert installation == "pip install wallet-conformance", "what this environment has already"
    steps = yaml.safe_load((PROJECT_IN_NODE / "ci.yml").read_text())["jobs"]["tests"]["steps"]
    assert [step["run"] for step in steps if "run" in step] == [installation, tests]
    done = in_node(tests)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "# pass 7" in done.stdout


def test_a_mistake_in_the_client_in_node_is_told_with_its_rule(in_node: Any, tmp_path: Path) -> None:
    client = tmp_path / "project-node" / "planbok.mjs"
    client.write_text(client.read_text().replace("wallets?customerIds=", "wallets?customerId="))
    done = in_node("node --test --test-name-pattern=wallet")
    assert done.returncode == 1
    assert "planbok.client.no-empty-filter, request query: expected customerIds with a customer" in done.stdout
