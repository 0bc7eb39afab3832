"""Traffic of both APIs with one sandbox, as it would be recorded, and what a file with some of it shows."""

import json
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from datetime import datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from conformance.api import registered
from conformance.clock import SystemClock
from conformance.ids import Ids
from conformance.offblocks.client import ApiError, Client, Credentials
from conformance.offblocks.wallet import Wallet
from conformance.planbok.client import Client as PlanbokClient
from conformance.planbok.client import Credentials as PlanbokCredentials
from conformance.sandbox.remote import Control, World
from conformance.sandbox.server import start
from conformance.traffic.reading import judge_file

Judge = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def control() -> Iterator[Control]:
    with start() as sandbox:
        control = Control(sandbox.origin)
        yield control
        control.close()


def wallet(name: str) -> Wallet:
    return Wallet.derived(Ids(name), "eip155:300")


def onboard(client: Client, *names: str) -> None:
    """Customers that are created one after the other, and then sign in turns."""
    created = [(name, client.create_customer(wallet(name).account_id, name)) for name in names]
    for name, customer in created:
        client.challenge(customer.id)
        client.sign_challenge(customer.id, wallet(name), customer.challenge or "")
    for _, customer in created:
        client.customer(customer.id)


def use_both(world: World) -> None:
    """Two clients of OffBlocks and one of Planbok, in turns."""
    tenants = world.credentials("offblocks")
    first, second = (
        Client(world.base_urls["offblocks"], Credentials.from_settings(tenants[name]), clock=SystemClock())
        for name in ("first", "second")
    )
    other = PlanbokClient(
        world.base_urls["planbok"], PlanbokCredentials.from_settings(world.credentials("planbok")["first"])
    )
    with first, second, other:
        onboard(first, "a", "b")
        made = other.create_customer("Anna", "user-1")
        onboard(second, "a")
        challenge = other.initialize(made.id, "https://our.app/return")
        other.challenge(made.id, challenge.id)
        other.customer(made.id)
        with pytest.raises(ApiError):
            first.challenge("00000000-0000-4000-8000-000000000000")


def log_of(world: World) -> list[dict[str, Any]]:
    return list(world._control.ask("GET", f"{world._route}/requests"))


def archive_of(world: World) -> dict[str, Any]:
    archive: dict[str, Any] = world._control.ask("GET", f"{world._route}/requests?format=har")
    return archive


def exported(archive: Mapping[str, Any]) -> dict[str, Any]:
    """An archive of ours as a browser would have exported it."""
    entries = deepcopy(archive["log"]["entries"])
    for entry in entries:
        served = datetime.fromisoformat(entry["_worldTime"])
        entry["response"]["headers"].append({"name": "Date", "value": format_datetime(served, usegmt=True)})
        for name in [name for name in entry if name.startswith("_")]:
            del entry[name]
    return {"log": {"version": "1.2", "creator": {"name": "WebInspector", "version": "1"}, "entries": entries}}


@pytest.fixture(scope="session")
def world(control: Control) -> World:
    """A world that both APIs were used in, rightly."""
    used = World(control, "traffic", "real")
    use_both(used)
    return used


@pytest.fixture(scope="session")
def archive(world: World) -> dict[str, Any]:
    return archive_of(world)


@pytest.fixture(scope="session")
def log(world: World) -> list[dict[str, Any]]:
    return log_of(world)


@pytest.fixture
def judge(tmp_path: Path) -> Judge:
    """Judges some traffic; with the base URLs that are given, else it guesses them."""

    def judged(traffic: Any, **base_urls: str) -> dict[str, Any]:
        file = tmp_path / "recorded.har"
        file.write_text(json.dumps(traffic))
        return judge_file(file, base_urls, list(registered().values()))

    return judged


def verdicts(results: Mapping[str, Any]) -> dict[str, str]:
    return {rule["id"]: rule["verdict"] for rule in results["rules"]}


def broken(results: Mapping[str, Any]) -> set[str]:
    """The ids of the rules that are broken and count."""
    return {
        rule["id"]
        for rule in results["rules"]
        if rule["verdict"] in {"fail", "warn"} and any(finding["held"] is False for finding in rule["findings"])
    }


def reason(results: Mapping[str, Any], rule: str) -> str:
    return next(str(each["reason"]) for each in results["rules"] if each["id"] == rule)


def later(time: str, **passed: float) -> str:
    return (datetime.fromisoformat(time) + timedelta(**passed)).isoformat()
