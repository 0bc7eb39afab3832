"""What a live run needs is told before it runs: what is set, what each setting unlocks, and how to get it."""

import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner, Result

from conformance.cli import app
from conformance.offblocks import api as offblocks
from conformance.sandbox.server import start

PREFIX = "CONFORMANCE_OFFBLOCKS_"


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.upper().startswith("CONFORMANCE_"):
            monkeypatch.delenv(name)


@pytest.fixture
def set_up(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """Settings of a sandbox, the id of the key too."""
    with start(apis=[offblocks]) as sandbox, httpx.Client() as client:
        world = client.get(f"{sandbox.origin}/_sandbox").json()
        found = {name.upper(): value for name, value in world["tenants"]["first"]["offblocks"].items()}
        found["BASE_URL"] = world["base_urls"]["offblocks"]
        for name, value in found.items():
            monkeypatch.setenv(PREFIX + name, value)
        yield found


def doctor(*words: str) -> Result:
    return CliRunner().invoke(app, ["doctor", *words])


def line(result: Result, name: str) -> str:
    return next(each for each in result.output.splitlines() if f" {PREFIX}{name}" in each)


def test_what_is_missing_is_told_with_how_to_get_it() -> None:
    result = doctor("--target", "live")
    assert result.exit_code == 1
    assert line(result, "BASE_URL").startswith(f"  missing  {PREFIX}BASE_URL: where the API is")
    assert "conformance doctor --register-key offblocks" in line(result, "SIGNING_KEY_ID")
    assert line(result, "SECOND_API_KEY").startswith(f"  not set  {PREFIX}SECOND_API_KEY: what is to be kept apart")
    assert "CONFORMANCE_PLANBOK_WEBHOOK_URL: the rules for webhooks" in result.output
    assert "SANDBOX_BLOCKCHAINS" not in result.output


def test_every_setting_says_what_it_is_for() -> None:
    settings = [each for each in doctor("--target", "live").output.splitlines() if "CONFORMANCE_" in each]
    assert [each for each in settings if ": " not in each and "SECOND_" not in each] == []


def test_what_is_set_is_told_without_its_value(set_up: dict[str, str]) -> None:
    result = doctor("--target", "live")
    for name in ("BASE_URL", "API_KEY", "API_SECRET", "SIGNING_KEY", "SIGNING_KEY_ID"):
        assert line(result, name).startswith("  set ")
    assert set_up["API_SECRET"] not in result.output


@pytest.mark.usefixtures("set_up")
def test_a_typo_and_a_wrong_value_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{PREFIX}CHAIN", "nowhere")
    assert f"wrong    {PREFIX}CHAIN is 'nowhere'" in doctor("--target", "live").output
    monkeypatch.setenv(f"{PREFIX}API_KEYY", "one")
    assert f"unknown  {PREFIX}API_KEYY (did you mean {PREFIX}API_KEY?)" in doctor("--target", "live").output


def test_a_key_is_registered_and_its_id_printed_as_a_setting(
    set_up: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(f"{PREFIX}SIGNING_KEY_ID")
    result = doctor("--register-key", "offblocks")
    assert result.exit_code == 0, result.output
    name, _, key_id = result.output.strip().partition("=")
    assert name == f"{PREFIX}SIGNING_KEY_ID"
    assert key_id not in {"", set_up["SIGNING_KEY_ID"]}
    monkeypatch.setenv(name, key_id)
    given = {**{each.lower(): value for each, value in set_up.items()}, "signing_key_id": key_id}
    with httpx.HTTPTransport() as transport:
        assert offblocks.client.refused_access(set_up["BASE_URL"], given, transport) is None


def test_a_key_that_cannot_be_registered_says_why(set_up: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{PREFIX}API_SECRET", "another")
    result = doctor("--register-key", "offblocks")
    assert result.exit_code != 0
    assert "The key is not registered: POST" in result.output
    monkeypatch.delenv(f"{PREFIX}SIGNING_KEY")
    assert f"To register a key, set {PREFIX}SIGNING_KEY." in doctor("--register-key", "offblocks").output
    assert "Planbok has no keys to register." in doctor("--register-key", "planbok").output
    assert set_up["API_SECRET"] not in result.output
