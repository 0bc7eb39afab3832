"""The settings of a live run: read from the environment or .env, and each problem told by name."""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from conformance.ids import Ids
from conformance.offblocks.client import DEFAULT_COMPONENTS, Credentials, Token, made_up_credentials
from conformance.offblocks.settings import DEFAULT_CHAIN, OffBlocksSettings, _Identity, _Settings
from conformance.settings import LiveSettings, SettingsError, read
from conformance.standards.message_signatures import KeyRejected, load_private_key

PREFIX = "CONFORMANCE_OFFBLOCKS_"
SETTINGS = OffBlocksSettings()
FIRST, SECOND = (made_up_credentials(Ids(name)) for name in ("first", "second"))
URL = "https://api.sandbox.example"
WALLET_KEY = "11" * 32
COMPLETE = {"BASE_URL": URL, **{name.upper(): value for name, value in FIRST.items()}}
SECOND_TOO = {f"SECOND_{name.upper()}": value for name, value in SECOND.items()}
NAMES = ("API_KEY", "API_SECRET", "SIGNING_KEY", "SIGNING_KEY_ID")
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
    """Sets all that a live run needs, and what is given; `None` for what is not to be set."""

    def put_all(**changes: str | None) -> None:
        for name, value in {**COMPLETE, **changes}.items():
            if value is not None:
                monkeypatch.setenv(PREFIX + name, value)

    return put_all


def refused(base_url: str | None = None) -> str:
    with pytest.raises(SettingsError) as caught:
        SETTINGS.load(base_url=base_url)
    message = str(caught.value)
    assert not [secret for secret in secrets() if secret in message]
    return message


def secrets() -> list[str]:
    texts = [FIRST["api_secret"], SECOND["api_secret"], WALLET_KEY]
    return texts + [line for each in (FIRST, SECOND) for line in each["signing_key"].splitlines()[1:-1]]


# ---------------------------------------------------------------------------------------------------------- all right


def test_what_is_complete_is_read(put: Set) -> None:
    put()
    assert SETTINGS.load() == LiveSettings(
        URL, {"first": FIRST}, {"chain": DEFAULT_CHAIN, "components": " ".join(DEFAULT_COMPONENTS)}, None
    )


@pytest.mark.parametrize("name", ["SIGNING_KEY_ID", "SECOND_SIGNING_KEY_ID"])
@pytest.mark.parametrize("key_id", ["schlüssel", "a\tb", "\x7f"])
def test_a_key_id_that_no_signature_can_name_is_told(put: Set, name: str, key_id: str) -> None:
    put(**{**SECOND_TOO, name: key_id})
    assert refused() == (
        f"{PREFIX}{name} cannot stand in a signature: The parameter keyid is {key_id!r}; "
        "expected printable characters of ASCII alone."
    )


def test_a_key_id_of_any_printable_characters_is_read(put: Set) -> None:
    put(SIGNING_KEY_ID='a "b" \\ ~:/')
    assert SETTINGS.load().credentials["first"]["signing_key_id"] == 'a "b" \\ ~:/'


def test_everything_that_can_be_set_is_read(put: Set) -> None:
    put(
        BASE_URL=f"{URL}/mount/",
        COMPONENTS="@method @target-uri content-digest",
        CHAIN="eip155:1",
        WALLET_KEY=f"0x{WALLET_KEY}",
        EXPECTED_DOMAIN="wallet.example",
        **SECOND_TOO,
    )
    assert SETTINGS.load() == LiveSettings(
        f"{URL}/mount",
        {"first": FIRST, "second": SECOND},
        {
            "chain": "eip155:1",
            "components": "@method @target-uri content-digest",
            "expected_domain": "wallet.example",
            "wallet_key": WALLET_KEY,
        },
        None,
    )


def test_a_sandbox_world_is_judged_with_the_defaults() -> None:
    assert SETTINGS.defaults() == {"chain": DEFAULT_CHAIN, "components": " ".join(DEFAULT_COMPONENTS)}


def test_a_file_is_read_and_the_environment_goes_before_it(put: Set, tmp_path: Path) -> None:
    escaped = FIRST["signing_key"].replace("\n", "\\n")
    lines = {**COMPLETE, "SIGNING_KEY": f'"{escaped}"', "CHAIN": "eip155:1", "API_KEY": "of the file"}
    text = "".join(f"{PREFIX}{name}={value}\n" for name, value in lines.items())
    (tmp_path / ".env").write_text(f"# settings\n{text}UNRELATED=1\n")
    put(**dict.fromkeys(set(COMPLETE) - {"API_KEY"}))
    found = SETTINGS.load()
    assert found.credentials["first"] == FIRST
    assert found.others["chain"] == "eip155:1"


def test_an_empty_setting_is_none(put: Set) -> None:
    put(CHAIN="", COMPONENTS="", WALLET_KEY="", EXPECTED_DOMAIN="", SECOND_API_KEY="")
    found = SETTINGS.load()
    assert found.others == SETTINGS.defaults()
    assert set(found.credentials) == {"first"}


def test_a_base_url_that_is_given_goes_before_the_setting(put: Set) -> None:
    put()
    assert SETTINGS.load(base_url="http://127.0.0.1:8080/offblocks").base_url == "http://127.0.0.1:8080/offblocks"


@pytest.mark.parametrize("form", ["text", "escaped", "path", "home"])
def test_a_signing_key_is_text_or_a_path(put: Set, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, form: str) -> None:
    (tmp_path / "key.pem").write_text(FIRST["signing_key"])
    monkeypatch.setenv("HOME", str(tmp_path))
    key = {
        "text": FIRST["signing_key"],
        "escaped": FIRST["signing_key"].replace("\n", "\\n"),
        "path": "key.pem",
        "home": "~/key.pem",
    }
    put(SIGNING_KEY=key[form])
    assert SETTINGS.load().credentials["first"]["signing_key"] == FIRST["signing_key"]


def test_certificates_to_trust_are_read(put: Set, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    put()
    path = tmp_path / "ca.pem"
    path.write_bytes(certificate())
    monkeypatch.setenv("CONFORMANCE_CA_FILE", str(path))
    assert SETTINGS.load().ca_file == str(path)


def certificate() -> bytes:
    key = load_private_key(FIRST["signing_key"])
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ca.example")])
    start = datetime(2026, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder(
        issuer_name=name,
        subject_name=name,
        public_key=key.public_key(),
        serial_number=1,
        not_valid_before=start,
        not_valid_after=start + timedelta(days=3650),
    )
    return builder.sign(key, hashes.SHA384()).public_bytes(Encoding.PEM)


# ------------------------------------------------------------------------------------------------- missing and wrong


def test_without_any_setting_all_that_are_needed_are_named() -> None:
    told = refused()
    assert told.startswith("These settings are missing: CONFORMANCE_OFFBLOCKS_BASE_URL, ")
    assert "--base-url offblocks=URL (without /v1) does for the first" in told
    for name in NAMES:
        assert PREFIX + name in told
    assert "conformance doctor --target live" in told


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("API_KEYY", "CONFORMANCE_OFFBLOCKS_API_KEYY (did you mean CONFORMANCE_OFFBLOCKS_API_KEY?)"),
        ("NONSENSE", "There is no setting of these names: CONFORMANCE_OFFBLOCKS_NONSENSE."),
    ],
)
def test_what_is_no_setting_is_told_with_the_closest_one(put: Set, name: str, told: str) -> None:
    put(**{name: "anything"})
    assert told in refused()


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_setting_is_named(put: Set, name: str) -> None:
    put(**{name: None})
    assert refused() == f"These settings are missing: {PREFIX}{name}. Set them in the environment or in .env. {HOW}"


def test_all_that_is_missing_is_named_at_once() -> None:
    names = ", ".join(PREFIX + name for name in NAMES)
    assert refused(URL) == f"These settings are missing: {names}. Set them in the environment or in .env. {HOW}"


@pytest.mark.parametrize("name", NAMES)
def test_a_second_identity_is_whole_or_none(put: Set, name: str) -> None:
    put(**{key: value for key, value in SECOND_TOO.items() if key != f"SECOND_{name}"})
    assert refused().startswith(f"These settings are missing: {PREFIX}SECOND_{name}. ")


def test_a_second_identity_is_another_client(put: Set) -> None:
    put(**SECOND_TOO | {"SECOND_API_KEY": FIRST["api_key"]})
    assert refused() == (
        f"{PREFIX}SECOND_API_KEY is that of the first identity; give another API client's, or leave it out."
    )


@pytest.mark.parametrize(
    "url", ["api.example", "ftp://api.example", "https://", "https://:80", "https://[::1", "https://host:port", "/v1"]
)
def test_a_base_url_must_be_one(put: Set, url: str) -> None:
    put(BASE_URL=url)
    assert refused() == f"{PREFIX}BASE_URL is {url!r}; expected https:// (or http:// on loopback) and a host."
    put()
    assert refused(url).startswith(f"{PREFIX}BASE_URL is {url!r}; expected https://")


@pytest.mark.parametrize("url", [f"{URL}/v1", f"{URL}/v1/", f"{URL}?x=1", f"{URL}#top"])
def test_a_base_url_ends_before_the_version(put: Set, url: str) -> None:
    put(BASE_URL=url)
    assert refused() == f"{PREFIX}BASE_URL is {url!r}; it must end before /v1, without a query."


@pytest.mark.parametrize("chain", ["300", "eip155", "eip155:300:0x12", "EIP155:300", "eip155:" + "1" * 33])
def test_a_chain_must_be_one(put: Set, chain: str) -> None:
    put(CHAIN=chain)
    assert refused().startswith(f"{PREFIX}CHAIN is {chain!r}: ")


def test_a_chain_must_be_one_whose_wallets_sign_in(put: Set) -> None:
    put(CHAIN="starknet:SN_MAIN")
    assert refused().startswith(f"{PREFIX}CHAIN is 'starknet:SN_MAIN'; only wallets of eip155 chains sign in")


@pytest.mark.parametrize(
    "components", ["@method, @path", "@metod", "@method @method", "Content-Digest", '"@method"', "@status"]
)
def test_components_must_be_such_that_can_be_signed(put: Set, components: str) -> None:
    put(COMPONENTS=components)
    message = refused()
    assert message.startswith(f"{PREFIX}COMPONENTS is {components!r}: ")
    assert message.endswith(f"such as {' '.join(DEFAULT_COMPONENTS)!r}.")


@pytest.mark.parametrize(
    "key", [WALLET_KEY[:-2], WALLET_KEY + "11", WALLET_KEY[:-1] + "g", "00" * 32, "ff" * 32, "1" * 63, "wallet"]
)
def test_a_wallet_key_must_be_one(put: Set, key: str) -> None:
    put(WALLET_KEY=key)
    assert refused() == f"{PREFIX}WALLET_KEY must be 64 hex digits, the private key of a wallet for testing."


def other_curve() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.mark.parametrize(
    "key",
    [
        other_curve(),
        "-----BEGIN PRIVATE KEY-----\nMIG2\n-----END PRIVATE KEY-----",
        f"-----BEGIN CERTIFICATE-----\n{FIRST['signing_key'].splitlines()[1]}\n-----END CERTIFICATE-----",
    ],
)
def test_a_signing_key_must_be_a_private_one_on_the_right_curve(put: Set, key: str) -> None:
    with pytest.raises(KeyRejected) as rejected:
        load_private_key(key)
    for name in ("SIGNING_KEY", "SECOND_SIGNING_KEY"):
        put(**SECOND_TOO | {name: key})
        message = refused()
        assert message == f"{PREFIX}{name}: {rejected.value}"
        assert key.splitlines()[1] not in message
        put(**SECOND_TOO)


@pytest.mark.parametrize(
    "key", ["missing.pem", ".", "binary.pem", "pipe", "/dev/zero", "x" * 5000, "MIG2AgEAMBAGByqGSM49AgEGBSuBBAAi"]
)
def test_a_signing_key_that_is_no_readable_file_is_told_without_showing_it(put: Set, tmp_path: Path, key: str) -> None:
    (tmp_path / "binary.pem").write_bytes(b"\xff\xfe")
    os.mkfifo(tmp_path / "pipe")
    put(SIGNING_KEY=key)
    assert refused() == f"{PREFIX}SIGNING_KEY is neither PEM text nor the path of a readable file."


@pytest.mark.parametrize("content", [None, b"", b"no certificate"])
def test_certificates_to_trust_must_be_some(
    put: Set, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None
) -> None:
    put()
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setenv("CONFORMANCE_CA_FILE", str(path))
    assert refused().startswith(f"CONFORMANCE_CA_FILE is {str(path)!r}, which is no readable file of certificates")


@pytest.mark.parametrize("path", ["/dev/zero", "pipe"])
def test_certificates_are_not_waited_for(put: Set, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, path: str) -> None:
    put()
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.setenv("CONFORMANCE_CA_FILE", str(tmp_path / path))
    assert refused().endswith("no readable file of certificates in PEM: it is no file")


def test_a_file_of_settings_must_be_text(put: Set, tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"CONFORMANCE_OFFBLOCKS_CHAIN=\xff\xfe\n")
    put()
    assert refused().startswith("The file .env is not UTF-8: ")


# ------------------------------------------------------------------------------------------------------------ secrets


def test_no_secret_is_in_what_the_objects_show(put: Set) -> None:
    put(WALLET_KEY=WALLET_KEY, **SECOND_TOO)
    credentials = Credentials.from_settings(FIRST)
    token = Token("token-1", datetime(2026, 1, 1, tzinfo=UTC))
    own, identity = read(_Settings, PREFIX), read(_Identity, PREFIX)
    second = read(_Identity, f"{PREFIX}SECOND_")
    assert own.wallet_key
    assert second.api_secret
    shown = f"{own!r} {own} {identity!r} {identity} {second!r} {credentials!r} {token!r}"
    assert FIRST["api_key"] not in shown
    assert not [secret for secret in (*secrets(), "token-1") if secret in shown]


def test_what_is_shown_of_settings_holds_no_secret() -> None:
    settings = LiveSettings("https://a.test", {"first": {"api_secret": "hidden-1"}}, {"wallet_key": "hidden-2"})
    assert "hidden" not in repr(settings)
    assert "https://a.test" in repr(settings)


def test_what_is_set_is_read_though_a_live_run_would_need_more(monkeypatch: pytest.MonkeyPatch) -> None:
    assert OffBlocksSettings().given() == ({}, {"chain": DEFAULT_CHAIN, "components": " ".join(DEFAULT_COMPONENTS)})
    monkeypatch.setenv(f"{PREFIX}SIGNING_KEY_ID", "one")
    monkeypatch.setenv(f"{PREFIX}SECOND_API_KEY", "two")
    credentials, _ = OffBlocksSettings().given()
    assert credentials == {"first": {"signing_key_id": "one"}, "second": {"api_key": "two"}}
    monkeypatch.setenv(f"{PREFIX}SIGNING_KEY", "no key")
    with pytest.raises(SettingsError, match="SIGNING_KEY is neither PEM text nor"):
        OffBlocksSettings().given()


# ------------------------------------------------------------------------------------------------- what signatures are


def test_what_a_server_wants_of_signatures_can_be_set(put: Set) -> None:
    asked = {
        "SIGNATURE_LABEL": "wallet",
        "SIGNATURE_ALG": "none",
        "SIGNATURE_EXPIRES": "300",
        "SIGNATURE_NONCE": "yes",
        "SIGNATURE_TAG": "own",
        "DIGEST_ALGORITHM": "sha-512",
        "BASE_PATH": "/",
    }
    put(**asked)
    others = SETTINGS.load().others
    assert {name: others.get(name.lower()) for name in asked} == asked


def test_what_is_usual_is_not_passed_on(put: Set) -> None:
    put(SIGNATURE_NONCE="no", SIGNATURE_TAG="")
    assert set(SETTINGS.load().others) == {"chain", "components"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SIGNATURE_LABEL", "Not A Label"),
        ("SIGNATURE_ALG", "rsa"),
        ("SIGNATURE_EXPIRES", "0"),
        ("SIGNATURE_EXPIRES", "5 minutes"),
        ("SIGNATURE_EXPIRES", "9" * 20),
        ("SIGNATURE_NONCE", "perhaps"),
        ("SIGNATURE_TAG", "ü"),
        ("DIGEST_ALGORITHM", "md5"),
        ("BASE_PATH", "mount"),
        ("BASE_PATH", "/mount/v1"),
        ("BASE_PATH", "/mount?a=b"),
        ("WEBHOOK_URL", "ftp://hooks.example"),
        ("WEBHOOK_URL", "https://hooks.example/?a=b"),
        ("WEBHOOK_URL", "https://hooks.example"),
    ],
)
def test_what_no_signature_can_be_and_no_address_is_refused(put: Set, name: str, value: str) -> None:
    put(**{name: value})
    assert f"{PREFIX}{name}" in refused()


@pytest.mark.parametrize("port", ["0", "65536", "http"])
def test_a_port_that_is_none_is_refused(put: Set, port: str) -> None:
    put(WEBHOOK_URL="https://hooks.example", WEBHOOK_PORT=port)
    assert f"{PREFIX}WEBHOOK_PORT is {port!r}" in refused()


@pytest.mark.parametrize(
    ("url", "port", "found"),
    [
        ("https://hooks.example/a", "8765", "8765"),
        ("http://127.0.0.1:8765/a", None, "8765"),
    ],
)
def test_an_address_for_events_has_a_port_where_the_run_listens(
    put: Set, url: str, port: str | None, found: str
) -> None:
    put(WEBHOOK_URL=url, WEBHOOK_PORT=port)
    others = SETTINGS.load().others
    assert (others["webhook_url"], others["webhook_port"]) == (url, found)
