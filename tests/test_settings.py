"""What the settings of all APIs share: where a server may be."""

import pytest

from conformance.settings import SettingsError, checked_base_url


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
