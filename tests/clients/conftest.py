"""A world for each client, and what its client is found to break."""

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from conformance.api import registered
from conformance.sandbox.remote import Control, World
from conformance.sandbox.server import start
from conformance.traffic.reading import judge_file

Broken = Callable[[World, str], set[str]]


@pytest.fixture(scope="module")
def control() -> Iterator[Control]:
    with start() as sandbox:
        control = Control(sandbox.origin, sandbox.add_fault)
        yield control
        control.close()


@pytest.fixture
def judged(control: Control, request: pytest.FixtureRequest) -> World:
    return World(control, request.node.nodeid, clock="frozen")


@pytest.fixture(scope="module")
def http() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False) as client:
        yield client


@pytest.fixture(scope="session")
def broken() -> Broken:
    """The last parts of the ids of the rules that a world's client breaks, of the API with this name."""

    def found(world: World, api: str) -> set[str]:
        rules = world.findings()["rules"]
        wrong = [rule["id"] for rule in rules if any(finding["held"] is False for finding in rule["findings"])]
        return {rule.removeprefix(f"{api}.client.") for rule in wrong}

    return found


class Recording:
    """The traffic of a world's client as others would have recorded it.

    Args:
        world: The world.
        api: The name of the API that is judged.
        file: Where it may be written.
    """

    def __init__(self, world: World, api: str, file: Path) -> None:
        self._api = api
        self._file = file
        self._base_urls = world.base_urls
        self.log: list[dict[str, Any]] = list(world._control.ask("GET", f"{world._route}/requests"))
        self._archive: dict[str, Any] = world._control.ask("GET", f"{world._route}/requests?format=har")

    def exported(self, start: int = 0) -> dict[str, Any]:
        """The archive as a browser exports it, from an entry on: with Date, names as in HTTP/2, and no word of ours."""
        entries = deepcopy(self._archive["log"]["entries"][start:])
        for entry in entries:
            served = datetime.fromisoformat(entry["_worldTime"])
            entry["response"]["headers"].append({"name": "Date", "value": format_datetime(served, usegmt=True)})
            for name in [name for name in entry if name.startswith("_")]:
                del entry[name]
            for side in (entry["request"], entry["response"]):
                side["headers"] = [{**line, "name": line["name"].lower()} for line in side["headers"]]
            entry["request"]["headers"].insert(0, {"name": ":method", "value": entry["request"]["method"]})
        return {"log": {"version": "1.2", "creator": {"name": "WebInspector", "version": "1"}, "entries": entries}}

    def broken(self, traffic: Any, party: str) -> set[str]:
        """The last parts of the ids of a party's rules that a file with some traffic shows as broken.

        Of the provider's they are those that count: a variation may break an inferred one.
        """
        self._file.write_text(json.dumps(traffic))
        results = judge_file(self._file, {self._api: self._base_urls[self._api]}, list(registered().values()))
        counting = {"fail", "warn", "note"} if party == "client" else {"fail", "warn"}
        return {
            rule["id"].removeprefix(f"{self._api}.").removeprefix("client.")
            for rule in results["rules"]
            if rule["party"] == party
            and rule["verdict"] in counting
            and any(finding["held"] is False for finding in rule["findings"])
        }


@pytest.fixture
def recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Recording]:
    """Makes the recording of a world; the judge knows the credentials of its first client if it is told to."""

    def made(world: World, api: str, *, given: bool = False) -> Recording:
        if given:
            for name, value in world.credentials(api)["first"].items():
                monkeypatch.setenv(f"CONFORMANCE_{api.upper()}_{name.upper()}", value)
        return Recording(world, api, tmp_path / "traffic.har")

    return made
