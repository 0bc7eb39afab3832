"""What the settings of all APIs share: where a server may be, and whose credentials there are."""

import os
from pathlib import Path

import pytest
from pydantic import SecretStr

from conformance.parts.setting_names import misspelt_settings
from conformance.parts.settings import ApiSettings
from conformance.settings import LiveSettings, ServerSettings, Settings, SettingsError, checked_base_url

URL = "https://api.example"


class Identity(Settings):
    api_key: SecretStr | None = None
    note: str | None = None


class NewSettings(ApiSettings[ServerSettings]):
    api = "new-one"
    version = "/"
    identity = Identity
    own = ServerSettings


@pytest.fixture
def put(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """An environment in which nothing is set but where the server is."""
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.upper().startswith("CONFORMANCE_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("CONFORMANCE_NEW_ONE_BASE_URL", f"{URL}/")
    return monkeypatch


def test_a_new_api_names_its_settings_by_its_name(put: pytest.MonkeyPatch) -> None:
    put.setenv("CONFORMANCE_NEW_ONE_API_KEY", "one")
    assert NewSettings().load() == LiveSettings(URL, {"first": {"api_key": "one"}})
    assert NewSettings().defaults() == {}


def test_a_new_api_has_a_second_identity_if_one_is_set(put: pytest.MonkeyPatch) -> None:
    put.setenv("CONFORMANCE_NEW_ONE_API_KEY", "one")
    put.setenv("CONFORMANCE_NEW_ONE_SECOND_API_KEY", "two")
    put.setenv("CONFORMANCE_NEW_ONE_SECOND_NOTE", "")
    assert NewSettings().load().credentials == {"first": {"api_key": "one"}, "second": {"api_key": "two"}}
    put.setenv("CONFORMANCE_NEW_ONE_SECOND_API_KEY", "one")
    with pytest.raises(SettingsError, match=r"^CONFORMANCE_NEW_ONE_SECOND_API_KEY is that of the first identity"):
        NewSettings().load()


def test_what_a_new_api_lacks_is_named(put: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match="are missing: CONFORMANCE_NEW_ONE_API_KEY"):
        NewSettings().load()
    put.delenv("CONFORMANCE_NEW_ONE_BASE_URL")
    with pytest.raises(
        SettingsError, match=r"are missing: CONFORMANCE_NEW_ONE_BASE_URL, CONFORMANCE_NEW_ONE_API_KEY\."
    ):
        NewSettings().load()


@pytest.mark.parametrize(
    "url", ["https://api.example", "http://127.0.0.1:8080/a", "http://localhost", "http://[::1]:1"]
)
def test_a_server_is_reached_safely_or_on_this_machine(url: str) -> None:
    assert checked_base_url(url, api="toy", version="/v1") == url


@pytest.mark.parametrize("url", ["http://api.example", "http://10.0.0.1", "http://localhost.example"])
def test_secrets_are_not_sent_in_clear(url: str) -> None:
    with pytest.raises(SettingsError, match="expected https:// \\(or http:// on loopback\\)"):
        checked_base_url(url, api="toy", version="/v1")


@pytest.mark.parametrize(
    "url", ["https://us3r:passw0rd@api.example", "http://us3r:passw0rd@[::1", "https://us3r@a.example"]
)
def test_an_address_names_no_user_and_none_is_shown(url: str) -> None:
    with pytest.raises(SettingsError, match="CONFORMANCE_TOY_BASE_URL names a user") as refused:
        checked_base_url(url, api="toy", version="/v1")
    assert "passw0rd" not in str(refused.value)
    assert "us3r" not in str(refused.value)


def test_a_name_that_is_nearly_a_setting_is_told_and_no_other(put: pytest.MonkeyPatch) -> None:
    put.setenv("CONFORMANCE_OFFBLOCK_API_KEY", "one")
    put.setenv("CONFORMANCE_REQUIRE_ALL", "1")
    known = ["CONFORMANCE_OFFBLOCKS_API_KEY", "CONFORMANCE_NEW_ONE_BASE_URL"]
    (told,) = misspelt_settings("CONFORMANCE_", known)
    assert told == "CONFORMANCE_OFFBLOCK_API_KEY (did you mean CONFORMANCE_OFFBLOCKS_API_KEY?)"
