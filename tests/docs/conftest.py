"""The pages, and what their commands and snippets need around them."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from conformance.sandbox.server import RunningSandbox, start

CHECKOUT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSandbox]:
    with start() as running:
        yield running


@pytest.fixture(scope="module")
def unused() -> Iterator[RunningSandbox]:
    """A sandbox of which nothing was asked by runs, whose log is short."""
    with start() as running:
        yield running


@pytest.fixture(scope="module")
def folder(running: RunningSandbox, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files that the pages name, in which their commands run one after the other."""
    folder = tmp_path_factory.mktemp("page")
    first = running.describe()["tenants"]["first"]["offblocks"]
    for name in ("cassettes-of-ours", "now/cassettes", "last/cassettes"):
        recorded = CHECKOUT / "cassettes/offblocks/authentication"
        shutil.copytree(recorded, folder / name / "offblocks/authentication")
    for name in ("old", "new"):
        (folder / name).mkdir()
        shutil.copy(CHECKOUT / "specs/offblocks/openapi.yaml", folder / name)
    (folder / "registered.pem").write_text(first["signing_key"], encoding="utf-8")
    (folder / "request.http").write_bytes(
        b"GET /offblocks/v1/customers HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer none\r\n"
        b'Signature-Input: sig=("@method" "@path");created=1768478400;keyid="a"\r\nSignature: sig=:AAAA:\r\n\r\n'
    )
    httpx.get(f"{running.origin}/offblocks/v1/customers")
    archive = httpx.get(f"{running.origin}/_sandbox/requests", params={"format": "har"}).json()
    (folder / "traffic.har").write_text(json.dumps(archive), encoding="utf-8")
    return folder


@pytest.fixture
def settings(running: RunningSandbox, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The settings of a live run, which here is one of the sandbox; gives the folder, made the current one."""
    described = running.describe()
    for name in [name for name in os.environ if name.startswith("CONFORMANCE_")]:
        monkeypatch.delenv(name)
    for api, credentials in described["tenants"]["first"].items():
        monkeypatch.setenv(f"CONFORMANCE_{api.upper()}_BASE_URL", described["base_urls"][api])
        for name, value in credentials.items():
            monkeypatch.setenv(f"CONFORMANCE_{api.upper()}_{name.upper()}", str(value))
    monkeypatch.chdir(folder)
    return folder
