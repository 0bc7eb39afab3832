"""What a user sets to judge Planbok live: ``CONFORMANCE_PLANBOK_...`` in the environment or in ``.env``."""

import os
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError

from conformance.parts.setting_names import AboutSetting
from conformance.parts.settings import ApiSettings
from conformance.planbok.chains import CHAINS, Chain, chain_of
from conformance.planbok.client import Credentials
from conformance.planbok.page_words import PageWords
from conformance.settings import ServerSettings, Settings, SettingsError, read
from conformance.standards.addresses import Family

DEFAULT_BLOCKCHAINS = "ETH-SEPOLIA BASE-SEPOLIA BTC-TESTNET SOL-TESTNET NEAR-TESTNET"
"""A testnet of each family of addresses, and a second one of EVM."""

_PREFIX = "CONFORMANCE_PLANBOK_"
_LISTENING = {"127.0.0.1", "localhost"}
"""The hosts at which a run receives webhooks."""
_CHAIN = re.compile(r"[A-Z0-9]+(?:-[A-Z0-9]+)*")
_ID = re.compile(r"[\w.~-]+", re.ASCII)
_HOST = re.compile(r"[a-z0-9.-]+")
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
    page_host: str | None = None
    page_file: Path | None = None
    customer: str | None = None


class SandboxSettings(Settings):
    """What the reference sandbox can be set to.

    Args:
        pin_memory_kib: The memory in KiB that hashing one PIN with Argon2id takes.
        sandbox_blockchains: Chains besides those that a source names, each with ``=`` and the family of its addresses
            where that is not ``evm``.
    """

    pin_memory_kib: int = Field(default=64, ge=_LEAST_MEMORY, le=_MOST_MEMORY)
    sandbox_blockchains: str = ""


def pin_memory() -> int:
    """The memory in KiB that the sandbox takes to hash one PIN with Argon2id.

    Raises:
        SettingsError: If the setting is none that it can take.
    """
    return sandbox_settings().pin_memory_kib


def sandbox_chains() -> dict[str, Chain]:
    """The chains that the sandbox is set to know besides those that a source names, by name.

    Raises:
        SettingsError: If one has no name, or a family that there is not.
    """
    return _chains(sandbox_settings().sandbox_blockchains)


@lru_cache(maxsize=1)
def _chains(text: str) -> dict[str, Chain]:
    parts = [entry.partition("=") for entry in text.replace(",", " ").split()]
    families = [family.value for family in Family]
    if not all(_CHAIN.fullmatch(name) and (family or "evm") in families for name, _, family in parts):
        raise SettingsError(
            f"{_PREFIX}SANDBOX_BLOCKCHAINS is {text!r}; expected names such as AVAX, with blanks or commas between, "
            f"and with =FAMILY behind one whose addresses are not of evm: {', '.join(families)}."
        )
    return {name: chain_of(name, Family(family or "evm")) for name, _, family in parts}


def sandbox_settings() -> SandboxSettings:
    """What the reference sandbox is set to. Every world asks, so that it is read anew only where something has changed.

    Raises:
        SettingsError: If a setting is none that it can take.
    """
    given = tuple((name, value) for name, value in os.environ.items() if name.upper().startswith(_PREFIX))
    file = Path(".env").absolute()
    return _sandbox_settings(given, file, file.stat().st_mtime_ns if file.exists() else 0)


@lru_cache(maxsize=1)
def _sandbox_settings(_given: tuple[tuple[str, str], ...], _file: Path, _changed: int) -> SandboxSettings:
    try:
        return read(SandboxSettings, _PREFIX)
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
    of_the_sandbox = tuple(SandboxSettings.model_fields)
    about: ClassVar[Mapping[str, AboutSetting]] = {
        "base_url": AboutSetting("where the API is, without /v2", "Planbok's documentation names it."),
        "api_key": AboutSetting("who asks", "Create one in Planbok's dashboard, for test networks."),
        "blockchains": AboutSetting("the chains of wallets, by default one of each family", "Any that Planbok lists."),
        "page_host": AboutSetting("a hosted page elsewhere than at gateway.planbok.io, where a PIN may be typed"),
        "page_file": AboutSetting(
            "a hosted page whose fields or buttons are not understood", "A file that says what they are for."
        ),
        "webhook_url": AboutSetting(
            "the rules for webhooks", "An http URL on loopback; forward to it what the dashboard's address is sent."
        ),
        "webhook_secret": AboutSetting("the signatures of webhooks", "The dashboard shows it beside the address."),
        "customer": AboutSetting(
            "without a PIN agent, what can be asked for a customer who is set up",
            "The id of one who has chosen a PIN and recovery; challenges are requested for them and left to expire.",
        ),
        "read_only_key": AboutSetting("what a restricted key may not do", "Create one that may only read."),
        "second_api_key": AboutSetting("what is to be kept apart", "A key of another organization."),
    }

    def defaults(self) -> dict[str, str]:
        """The settings that a sandbox world is judged with."""
        return {"blockchains": DEFAULT_BLOCKCHAINS}

    def check(self, settings: Mapping[str, str]) -> None:
        """Make sure that the blockchains are some that there are."""
        super().check(settings)
        _blockchains(settings["blockchains"])

    def checked_credentials(self, credentials: dict[str, str], prefix: str) -> dict[str, str]:
        """The credentials, each key such that a header field can hold it."""
        for name in credentials.keys() & {"api_key", "read_only_key"}:
            try:
                Credentials(credentials[name])
            except ValueError as error:
                raise SettingsError(f"{prefix}{name.upper()}: {error}") from error
        if credentials.get("read_only_key", "") == credentials.get("api_key"):
            raise SettingsError(
                f"{prefix}READ_ONLY_KEY is the API key itself; give one that is restricted, or leave it out."
            )
        return credentials

    def others(self, own: _Settings) -> dict[str, str]:
        """The blockchains of the wallets and, if it is set, where webhooks are received."""
        others = {"blockchains": _blockchains(own.blockchains)}
        if own.webhook_url:
            others["webhook_url"] = _webhook_url(own.webhook_url)
        if own.page_host:
            if not _HOST.fullmatch(own.page_host):
                raise SettingsError(
                    f"{_PREFIX}PAGE_HOST is {own.page_host!r}; expected a host, such as gateway.example."
                )
            others["page_host"] = own.page_host
        if own.page_file:
            others["page_words"] = PageWords.load(own.page_file).to_json()
        if own.customer:
            if not _ID.fullmatch(own.customer):
                raise SettingsError(f"{_PREFIX}CUSTOMER is {own.customer!r}; expected the id of a customer.")
            others["customer"] = own.customer
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
