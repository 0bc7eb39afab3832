"""What a user sets to judge OffBlocks live: ``CONFORMANCE_OFFBLOCKS_...`` in the environment or in ``.env``."""

from pathlib import Path

from pydantic import SecretStr
from pydantic_settings import SettingsConfigDict

from conformance.offblocks.client import DEFAULT_COMPONENTS
from conformance.offblocks.wallet import Wallet
from conformance.settings import (
    LiveSettings,
    ServerSettings,
    Settings,
    SettingsError,
    checked_base_url,
    checked_ca_file,
    identities,
    read,
)
from conformance.standards.account_ids import AccountIdRejected, ChainId
from conformance.standards.message_signatures import (
    KeyRejected,
    SignatureInput,
    SignatureRejected,
    load_private_key,
    present,
    signature_base,
)

DEFAULT_CHAIN = "eip155:300"
"""zkSync Sepolia, the first testnet in the list of supported chains."""

_PREFIX = "CONFORMANCE_OFFBLOCKS_"
_SECOND_PREFIX = f"{_PREFIX}SECOND_"
_COMPONENTS = " ".join(DEFAULT_COMPONENTS)
_WALLET_KEY_DIGITS = 64
_IDENTITY = ("api_key", "api_secret", "signing_key", "signing_key_id")


class _Identity(Settings):
    model_config = SettingsConfigDict(env_prefix=_PREFIX)

    api_key: str | None = None
    api_secret: SecretStr | None = None
    signing_key: SecretStr | None = None
    signing_key_id: str | None = None


class _SecondIdentity(_Identity):
    model_config = SettingsConfigDict(env_prefix=_SECOND_PREFIX)


class _Settings(ServerSettings, _Identity):
    components: str = _COMPONENTS
    chain: str = DEFAULT_CHAIN
    wallet_key: SecretStr | None = None
    expected_domain: str | None = None


def defaults() -> dict[str, str]:
    """The settings that a sandbox world is judged with."""
    return {"chain": DEFAULT_CHAIN, "components": _COMPONENTS}


def load(*, base_url: str | None = None) -> LiveSettings:
    """Read the settings.

    Args:
        base_url: A base URL that overrides the setting.

    Raises:
        SettingsError: If a setting is missing or wrong.
    """
    settings = read(_Settings)
    url = checked_base_url(base_url or settings.base_url, api="offblocks", version="/v1")
    credentials = identities(settings, read(_SecondIdentity), required=_IDENTITY)
    for identity, found in credentials.items():
        prefix = _PREFIX if identity == "first" else _SECOND_PREFIX
        found["signing_key"] = _pem(found["signing_key"], f"{prefix}SIGNING_KEY")
    return LiveSettings(url, credentials, _others(settings), checked_ca_file(settings.ca_file))


def _others(settings: _Settings) -> dict[str, str]:
    others = {"chain": _chain(settings.chain), "components": _components(settings.components)}
    if settings.expected_domain:
        others["expected_domain"] = settings.expected_domain
    if settings.wallet_key:
        others["wallet_key"] = _wallet_key(settings.wallet_key.get_secret_value(), settings.chain)
    return others


def _chain(text: str) -> str:
    name = f"{_PREFIX}CHAIN"
    try:
        chain = ChainId.parse(text)
    except AccountIdRejected as error:
        raise SettingsError(f"{name} is {text!r}: {error}") from error
    if chain.namespace != "eip155":
        raise SettingsError(f"{name} is {text!r}; only wallets of eip155 chains sign in, such as {DEFAULT_CHAIN}.")
    return text


def _components(text: str) -> str:
    """The names of components, if a signature of a request with a query can cover them."""
    url = "https://api.example/v1/customers?page=1"
    try:
        components = present(text.split(), "GET", url, ())
        signature_base("GET", url, (), SignatureInput("sig", components, None, None, None, None, None, None, "()"))
    except SignatureRejected as error:
        raise SettingsError(
            f"{_PREFIX}COMPONENTS is {text!r}: {error} Expected names with blanks between, such as {_COMPONENTS!r}."
        ) from error
    return text


def _wallet_key(text: str, chain: str) -> str:
    digits = text.removeprefix("0x")
    try:
        Wallet(bytes.fromhex(digits), chain)
        right = len(digits) == _WALLET_KEY_DIGITS
    except ValueError:
        right = False
    if not right:
        raise SettingsError(
            f"{_PREFIX}WALLET_KEY must be {_WALLET_KEY_DIGITS} hex digits, the private key of a wallet for testing."
        )
    return digits


def _pem(key: str, name: str) -> str:
    """The PEM text of a key that is given as text or as a path."""
    if "-----BEGIN" in key:
        pem = key.replace("\\n", "\n")
    else:
        try:
            pem = Path(key).expanduser().read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            raise SettingsError(f"{name} is neither PEM text nor the path of a readable file.") from error
    try:
        load_private_key(pem)
    except KeyRejected as error:
        raise SettingsError(f"{name}: {error}") from error
    return pem
