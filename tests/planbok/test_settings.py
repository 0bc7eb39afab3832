"""The settings of a live run and of the sandbox: read from the environment or .env, and each problem told by name."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.ids import Ids
from conformance.planbok.chains import CHAINS
from conformance.planbok.client import Credentials, made_up_credentials
from conformance.planbok.settings import (
    DEFAULT_BLOCKCHAINS,
    PlanbokSettings,
    _blockchains,
    _Identity,
    _Settings,
    _webhook_url,
    pin_memory,
)
from conformance.settings import LiveSettings, SettingsError, read
from conformance.standards.addresses import Family

PREFIX = "CONFORMANCE_PLANBOK_"
SETTINGS = PlanbokSettings()
FIRST, SECOND = (made_up_credentials(Ids(name)) for name in ("first", "second"))
URL = "https://api.planbok.example"
REQUIRED = {"BASE_URL": URL, "API_KEY": FIRST["api_key"]}
FIRST_TOO = {name.upper(): value for name, value in FIRST.items()}
SECOND_TOO = {f"SECOND_{name.upper()}": value for name, value in SECOND.items()}
HOOK = "http://127.0.0.1:8765/planbok"
HOW = "To see how to get them: conformance doctor --target live"

Set = Callable[..., None]


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.upper().startswith("CONFORMANCE_"):
            monkeypatch.delenv(name)


@pytest.fixture
def put(monkeypatch: pytest.MonkeyPatch) -> Set:
    """Sets all that a live run needs, and what is given."""

    def put_all(**changes: str) -> None:
        for name, value in {**REQUIRED, **changes}.items():
            monkeypatch.setenv(PREFIX + name, value)

    return put_all


def refused(base_url: str | None = None) -> str:
    with pytest.raises(SettingsError) as caught:
        SETTINGS.load(base_url=base_url)
    message = str(caught.value)
    assert not [secret for secret in (*FIRST.values(), *SECOND.values()) if secret in message]
    return message


# ---------------------------------------------------------------------------------------------------------- all right


def test_a_key_and_an_address_are_enough(put: Set) -> None:
    put()
    expected = {"first": {"api_key": FIRST["api_key"]}}
    assert SETTINGS.load() == LiveSettings(URL, expected, {"blockchains": DEFAULT_BLOCKCHAINS}, None)


def test_everything_that_can_be_set_is_read(put: Set) -> None:
    put(**FIRST_TOO, **SECOND_TOO, BASE_URL=f"{URL}/mount/", BLOCKCHAINS=" ETH,SOL ,  BTC", WEBHOOK_URL=HOOK)
    assert SETTINGS.load() == LiveSettings(
        f"{URL}/mount",
        {"first": FIRST, "second": SECOND},
        {"blockchains": "ETH SOL BTC", "webhook_url": HOOK},
        None,
    )


def test_a_sandbox_world_is_judged_with_the_defaults() -> None:
    assert SETTINGS.defaults() == {"blockchains": DEFAULT_BLOCKCHAINS}


def test_the_default_chains_are_testnets_of_every_family_and_two_of_evm() -> None:
    chains = [CHAINS[name] for name in DEFAULT_BLOCKCHAINS.split()]
    assert all(chain.testnet for chain in chains)
    assert {chain.family for chain in chains} == set(Family)
    assert sum(chain.family is Family.EVM for chain in chains) == 2


def test_a_file_is_read_and_the_environment_goes_before_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    lines = {**REQUIRED, **SECOND_TOO, "BLOCKCHAINS": "ETH,SOL", "API_KEY": "of-the-file", "PIN_MEMORY_KIB": "64"}
    (tmp_path / ".env").write_text("".join(f"{PREFIX}{name}={value}\n" for name, value in lines.items()))
    monkeypatch.setenv(f"{PREFIX}API_KEY", FIRST["api_key"])
    found = SETTINGS.load()
    assert found.credentials == {"first": {"api_key": FIRST["api_key"]}, "second": SECOND}
    assert found.others == {"blockchains": "ETH SOL"}
    assert pin_memory() == 64


def test_an_empty_setting_is_none(put: Set) -> None:
    put(BLOCKCHAINS="", WEBHOOK_URL="", WEBHOOK_SECRET="", SECOND_API_KEY="", PIN_MEMORY_KIB="")
    found = SETTINGS.load()
    assert found.others == SETTINGS.defaults()
    assert set(found.credentials) == {"first"}
    assert pin_memory() == 64


def test_a_base_url_that_is_given_goes_before_the_setting(put: Set) -> None:
    put()
    assert SETTINGS.load(base_url="http://127.0.0.1:8080/planbok/").base_url == "http://127.0.0.1:8080/planbok"


def test_a_second_identity_needs_no_more_than_a_key(put: Set) -> None:
    put(SECOND_API_KEY="another-key")
    assert SETTINGS.load().credentials["second"] == {"api_key": "another-key"}


def test_any_text_may_be_the_secret_of_webhooks(put: Set) -> None:
    put(WEBHOOK_SECRET=" two Wörds ")
    assert SETTINGS.load().credentials["first"]["webhook_secret"] == " two Wörds "


# ------------------------------------------------------------------------------------------------- missing and wrong


def test_without_any_setting_all_that_are_needed_are_named() -> None:
    told = refused()
    assert told.startswith("These settings are missing: CONFORMANCE_PLANBOK_BASE_URL, ")
    assert "--base-url planbok=URL (without /v2) does for the first" in told
    assert f"{PREFIX}API_KEY" in told
    assert "conformance doctor --target live" in told


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("API_KEYY", "CONFORMANCE_PLANBOK_API_KEYY (did you mean CONFORMANCE_PLANBOK_API_KEY?)"),
        ("NONSENSE", "There is no setting of these names: CONFORMANCE_PLANBOK_NONSENSE."),
    ],
)
def test_what_is_no_setting_is_told_with_the_closest_one(put: Set, name: str, told: str) -> None:
    put(**{name: "anything"})
    assert told in refused()


def test_a_missing_key_is_named(put: Set, monkeypatch: pytest.MonkeyPatch) -> None:
    put(**FIRST_TOO)
    monkeypatch.delenv(f"{PREFIX}API_KEY")
    assert refused() == f"These settings are missing: {PREFIX}API_KEY. Set them in the environment or in .env. {HOW}"


@pytest.mark.parametrize("name", ["SECOND_WEBHOOK_SECRET", "SECOND_READ_ONLY_KEY"])
def test_a_second_identity_has_a_key(put: Set, name: str) -> None:
    put(**{name: SECOND_TOO[name]})
    assert (
        refused()
        == f"These settings are missing: {PREFIX}SECOND_API_KEY. Set them in the environment or in .env. {HOW}"
    )


def test_a_second_identity_is_another_one(put: Set) -> None:
    put(**SECOND_TOO | {"SECOND_API_KEY": FIRST["api_key"]})
    assert refused().startswith(f"{PREFIX}SECOND_API_KEY is that of the first identity; ")


@pytest.mark.parametrize("identity", ["", "SECOND_"])
def test_a_read_only_key_is_another_one(put: Set, identity: str) -> None:
    named = FIRST_TOO | SECOND_TOO
    put(**named | {f"{identity}READ_ONLY_KEY": named[f"{identity}API_KEY"]})
    assert refused() == (
        f"{PREFIX}{identity}READ_ONLY_KEY is the API key itself; give one that is restricted, or leave it out."
    )


@pytest.mark.parametrize("key", ["two words", "line\nX-Injected: 1", "Ünï", " padded-key"])
@pytest.mark.parametrize("name", ["API_KEY", "READ_ONLY_KEY", "SECOND_API_KEY", "SECOND_READ_ONLY_KEY"])
def test_a_key_must_fit_a_header(put: Set, name: str, key: str) -> None:
    put(**FIRST_TOO | SECOND_TOO | {name: key})
    message = refused()
    assert message.startswith(f"{PREFIX}{name}: A key must be visible ASCII")
    assert key not in message


@pytest.mark.parametrize("name", ["API_KEY", "WEBHOOK_SECRET", "SECOND_READ_ONLY_KEY"])
def test_a_secret_must_be_text(put: Set, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    put(**FIRST_TOO, **SECOND_TOO)
    monkeypatch.setenv(PREFIX + name, os.fsdecode(b"key-\xff"))
    assert refused() == f"These settings are not UTF-8: {PREFIX}{name}."


@pytest.mark.parametrize("url", ["api.example", "ftp://api.example", "https://", "https://[::1", "https://host:port"])
def test_a_base_url_must_be_one(put: Set, url: str) -> None:
    put(BASE_URL=url)
    assert refused() == f"{PREFIX}BASE_URL is {url!r}; expected https:// (or http:// on loopback) and a host."


@pytest.mark.parametrize("url", [f"{URL}/v2", f"{URL}/v2/", f"{URL}?x=1", f"{URL}#top"])
def test_a_base_url_ends_before_the_version(put: Set, url: str) -> None:
    put(BASE_URL=url)
    assert refused() == f"{PREFIX}BASE_URL is {url!r}; it must end before /v2, without a query."


@pytest.mark.parametrize("names", ["ETH", ", ,", "ETH ETH", "ETH SOL ETH", "ETH eth", "ETH DOGE", "ETH;SOL", "ETHSOL"])
def test_blockchains_are_two_or_more_that_are_known(put: Set, names: str) -> None:
    put(BLOCKCHAINS=names)
    message = refused()
    assert message.startswith(f"{PREFIX}BLOCKCHAINS is {names!r}; expected two or more of ETH ETH-SEPOLIA ")
    assert message.endswith("with blanks or commas between and none twice.")


@given(st.lists(st.sampled_from(sorted(CHAINS)), min_size=2, unique=True), st.sampled_from([" ", ",", ", ", "\t,\n"]))
def test_any_chains_that_are_known_will_do(names: list[str], between: str) -> None:
    assert _blockchains(between.join(names)) == " ".join(names)


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:8765", HOOK, "http://localhost:1", "http://localhost:65535/a/b"],
)
def test_webhooks_come_in_on_loopback(put: Set, url: str) -> None:
    put(WEBHOOK_URL=url)
    assert SETTINGS.load().others["webhook_url"] == url


NO_HOOKS = [
    "https://127.0.0.1:8765/",
    "http://127.0.0.1/",
    "http://127.0.0.1:0/",
    "http://127.0.0.1:65536/",
    "http://127.0.0.2:8765/",
    "http://[::1]:8765/",
    "http://hooks.example:8765/",
    "http://10.0.0.1:8765/",
    "http://0.0.0.0:8765/",
    "http://localhost.example:8765/",
    "http://:8765/",
    "http://[::1:8765/",
    "http://127.0.0.1:8765/?a=b",
    "http://127.0.0.1:8765/#a",
    "127.0.0.1:8765",
    "8765",
]


@pytest.mark.parametrize("url", NO_HOOKS)
def test_webhooks_come_in_nowhere_else(put: Set, url: str) -> None:
    put(WEBHOOK_URL=url)
    message = refused()
    assert message.startswith(f"{PREFIX}WEBHOOK_URL is {url!r}; expected an http URL on loopback with a port, such as ")


@given(st.text(max_size=30) | st.text("htp:/[]1.@?#%0", max_size=30).map("http://".__add__))
def test_any_address_of_webhooks_is_taken_or_refused(text: str) -> None:
    try:
        assert _webhook_url(text).startswith(("http:", "HTTP:"))
    except SettingsError as error:
        assert repr(text) in str(error)  # noqa: PT017 (either outcome is right)


def test_certificates_to_trust_must_be_some(put: Set, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    put()
    monkeypatch.setenv("CONFORMANCE_CA_FILE", str(tmp_path / "missing.pem"))
    assert refused().startswith(f"CONFORMANCE_CA_FILE is '{tmp_path / 'missing.pem'}', which is no readable file")


def test_a_file_of_settings_must_be_text(put: Set, tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"CONFORMANCE_PLANBOK_BLOCKCHAINS=\xff\xfe\n")
    put()
    assert refused().startswith("The file .env is not UTF-8: ")
    with pytest.raises(SettingsError, match=r"^The file \.env is not UTF-8: "):
        pin_memory()


# ----------------------------------------------------------------------------------------------------------- sandbox


@pytest.mark.parametrize(("given", "expected"), [(None, 64), ("8", 8), ("65536", 65536), ("1048576", 1048576)])
def test_the_memory_of_a_hash_is_read(monkeypatch: pytest.MonkeyPatch, given: str | None, expected: int) -> None:
    if given is not None:
        monkeypatch.setenv(f"{PREFIX}PIN_MEMORY_KIB", given)
    assert pin_memory() == expected


@pytest.mark.parametrize("given", ["7", "0", "-8", "1048577", "9" * 5000, "8.5", "1 MiB", "much", "nan", "true"])
def test_the_memory_of_a_hash_is_a_number_that_argon2_and_the_machine_can_take(
    monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    monkeypatch.setenv(f"{PREFIX}PIN_MEMORY_KIB", given)
    with pytest.raises(SettingsError) as caught:
        pin_memory()
    assert str(caught.value) == f"{PREFIX}PIN_MEMORY_KIB must be a whole number of KiB from 8 to 1048576."


def test_a_live_run_does_not_ask_how_the_sandbox_hashes(put: Set) -> None:
    put(PIN_MEMORY_KIB="much")
    assert SETTINGS.load().base_url == URL


# ------------------------------------------------------------------------------------------------------------ secrets


def test_no_secret_is_in_what_the_objects_show(put: Set) -> None:
    put(**FIRST_TOO, **SECOND_TOO)
    own, identity = read(_Settings, PREFIX), read(_Identity, PREFIX)
    second = read(_Identity, f"{PREFIX}SECOND_")
    assert identity.api_key
    assert second.api_key
    shown = f"{own!r} {own} {identity!r} {identity} {second!r} {Credentials.from_settings(FIRST)!r} {SETTINGS.load()!r}"
    assert URL in shown
    assert not [secret for secret in (*FIRST.values(), *SECOND.values()) if secret in shown]
