"""What a user sets to judge Planbok live: ``CONFORMANCE_PLANBOK_...`` in the environment or in ``.env``."""

from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError

from conformance.parts.settings import ApiSettings
from conformance.planbok.chains import CHAINS
from conformance.planbok.client import Credentials
from conformance.settings import ServerSettings, Settings, SettingsError, read

DEFAULT_BLOCKCHAINS = "ETH-SEPOLIA BASE-SEPOLIA BTC-TESTNET SOL-TESTNET NEAR-TESTNET"
"""A testnet of each family of addresses, and a second one of EVM."""

_PREFIX = "CONFORMANCE_PLANBOK_"
_LISTENING = {"127.0.0.1", "localhost"}
"""The hosts at which a run receives webhooks."""
_FEWEST_BLOCKCHAINS = 2
_LEAST_MEMORY = 8
_MOST_MEMORY = 1024 * 1024


class _Identity(Settings):
    api_key: SecretStr | None = None
    webhook_secret: SecretStr | None = None
    read_only_key: SecretStr | None = None


class _Settings(ServerSettings):
    blockchains: str = DEFAULT_BLOCKCHAINS
    webhook_url: str | None = None


class SandboxSettings(Settings):
    """What the reference sandbox can be set to.

    Args:
        pin_memory_kib: The memory in KiB that hashing one PIN with Argon2id takes.
    """

    pin_memory_kib: int = Field(default=1024, ge=_LEAST_MEMORY, le=_MOST_MEMORY)


def pin_memory() -> int:
    """The memory in KiB that the sandbox takes to hash one PIN with Argon2id.

    Raises:
        SettingsError: If the setting is none that it can take.
    """
    try:
        return read(SandboxSettings, _PREFIX).pin_memory_kib
    except ValidationError as error:
        raise SettingsError(
            f"{_PREFIX}PIN_MEMORY_KIB must be a whole number of KiB from {_LEAST_MEMORY} to {_MOST_MEMORY}."
        ) from error


class PlanbokSettings(ApiSettings[_Settings]):
    """The settings of Planbok."""

    api = "planbok"
    version = "/v2"
    identity = _Identity
    own = _Settings

    def defaults(self) -> dict[str, str]:
        """The settings that a sandbox world is judged with."""
        return {"blockchains": DEFAULT_BLOCKCHAINS}

    def checked_credentials(self, credentials: dict[str, str], prefix: str) -> dict[str, str]:
        """The credentials, each key such that a header field can hold it."""
        for name in credentials.keys() & {"api_key", "read_only_key"}:
            try:
                Credentials(credentials[name])
            except ValueError as error:
                raise SettingsError(f"{prefix}{name.upper()}: {error}") from error
        if credentials.get("read_only_key") == credentials["api_key"]:
            raise SettingsError(
                f"{prefix}READ_ONLY_KEY is the API key itself; give one that is restricted, or leave it out."
            )
        return credentials

    def others(self, own: _Settings) -> dict[str, str]:
        """The blockchains of the wallets and, if it is set, where webhooks are received."""
        others = {"blockchains": _blockchains(own.blockchains)}
        if own.webhook_url:
            others["webhook_url"] = _webhook_url(own.webhook_url)
        return others


def _blockchains(text: str) -> str:
    """The names with one blank between."""
    names = text.replace(",", " ").split()
    if len(names) < _FEWEST_BLOCKCHAINS or len(names) > len(set(names)) or not CHAINS.keys() >= set(names):
        raise SettingsError(
            f"{_PREFIX}BLOCKCHAINS is {text!r}; expected two or more of {' '.join(CHAINS)}, with blanks or commas "
            "between and none twice."
        )
    return " ".join(names)


def _webhook_url(text: str) -> str:
    try:
        parts = urlsplit(text)
        local = parts.hostname in _LISTENING
        usable = parts.scheme == "http" and local and bool(parts.port) and not (parts.query or parts.fragment)
    except ValueError:
        usable = False
    if not usable:
        raise SettingsError(
            f"{_PREFIX}WEBHOOK_URL is {text!r}; expected an http URL on loopback with a port, such as "
            "http://127.0.0.1:8765/planbok or one of localhost, where the run listens. Forward to it the address that "
            "Planbok sends to."
        )
    return text
