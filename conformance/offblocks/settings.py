"""What a user sets to judge OffBlocks live: ``CONFORMANCE_OFFBLOCKS_...`` in the environment or in ``.env``."""

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from conformance.offblocks.client import DEFAULT_COMPONENTS
from conformance.settings import LiveSettings, SettingsError
from conformance.standards.account_ids import AccountIdRejected, ChainId
from conformance.standards.message_signatures import KeyRejected, load_private_key

DEFAULT_CHAIN = "eip155:300"
"""zkSync Sepolia, the first testnet in the list of supported chains."""

_PREFIX = "CONFORMANCE_OFFBLOCKS_"
_IDENTITY = ("api_key", "api_secret", "signing_key", "signing_key_id")


class _Identity(BaseSettings):
    model_config = SettingsConfigDict(env_prefix=_PREFIX, env_file=".env", extra="ignore", env_ignore_empty=True)

    api_key: str | None = None
    api_secret: SecretStr | None = None
    signing_key: SecretStr | None = None
    signing_key_id: str | None = None


class _SecondIdentity(_Identity):
    model_config = SettingsConfigDict(env_prefix=f"{_PREFIX}SECOND_")


class _Settings(_Identity):
    base_url: str | None = None
    components: str = " ".join(DEFAULT_COMPONENTS)
    chain: str = DEFAULT_CHAIN
    wallet_key: SecretStr | None = None
    expected_domain: str | None = None
    ca_file: str | None = Field(default=None, validation_alias="CONFORMANCE_CA_FILE")


def defaults() -> dict[str, str]:
    """The settings that a sandbox world is judged with."""
    return {"chain": DEFAULT_CHAIN, "components": " ".join(DEFAULT_COMPONENTS)}


def load(*, base_url: str | None = None) -> LiveSettings:
    """Read the settings.

    Args:
        base_url: A base URL that overrides the setting.

    Raises:
        SettingsError: If a setting is missing or wrong.
    """
    settings = _Settings()
    url = base_url or settings.base_url
    if not url:
        raise SettingsError(f"Set {_PREFIX}BASE_URL, or give --base-url offblocks=URL (without /v1).")
    if not url.startswith(("http://", "https://")):
        raise SettingsError(
            f"The base URL of OffBlocks is {url!r}; it must begin with https:// (or http:// on loopback)."
        )
    credentials = {"first": _credentials(settings, _PREFIX)}
    second = _SecondIdentity()
    if second.api_key:
        credentials["second"] = _credentials(second, f"{_PREFIX}SECOND_")
    return LiveSettings(url.rstrip("/"), credentials, _others(settings), settings.ca_file)


def _others(settings: _Settings) -> dict[str, str]:
    try:
        ChainId.parse(settings.chain)
    except AccountIdRejected as error:
        raise SettingsError(f"{_PREFIX}CHAIN is {settings.chain!r}: {error}") from error
    others = {"chain": settings.chain, "components": settings.components}
    if settings.expected_domain:
        others["expected_domain"] = settings.expected_domain
    if settings.wallet_key:
        key = settings.wallet_key.get_secret_value().removeprefix("0x")
        if len(key) != 64 or not all(digit in "0123456789abcdefABCDEF" for digit in key):  # noqa: PLR2004
            raise SettingsError(f"{_PREFIX}WALLET_KEY must be 64 hex digits, the private key of a wallet for testing.")
        others["wallet_key"] = key
    return others


def _credentials(identity: _Identity, prefix: str) -> dict[str, str]:
    found = {
        "api_key": identity.api_key,
        "api_secret": _reveal(identity.api_secret),
        "signing_key": _reveal(identity.signing_key),
        "signing_key_id": identity.signing_key_id,
    }
    missing = [f"{prefix}{name.upper()}" for name in _IDENTITY if not found[name]]
    if missing:
        raise SettingsError(
            f"These settings are missing: {', '.join(missing)}. Set them in the environment or in .env."
        )
    credentials = {name: value for name, value in found.items() if value}
    credentials["signing_key"] = _pem(credentials["signing_key"], f"{prefix}SIGNING_KEY")
    return credentials


def _reveal(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret else None


def _pem(key: str, name: str) -> str:
    """The PEM text of a key that is given as text or as a path."""
    if "-----BEGIN" in key:
        pem = key.replace("\\n", "\n")
    else:
        try:
            pem = Path(key).expanduser().read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"{name} is neither PEM text nor a readable file.") from error
    try:
        load_private_key(pem)
    except KeyRejected as error:
        raise SettingsError(f"{name}: {error}") from error
    return pem
