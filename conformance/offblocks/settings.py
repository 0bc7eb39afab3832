"""What a user sets to judge OffBlocks live: ``CONFORMANCE_OFFBLOCKS_...`` in the environment or in ``.env``."""

from pathlib import Path

from pydantic import SecretStr

from conformance.offblocks.client import DEFAULT_COMPONENTS
from conformance.offblocks.wallet import Wallet
from conformance.parts.settings import ApiSettings
from conformance.settings import ServerSettings, Settings, SettingsError
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
_COMPONENTS = " ".join(DEFAULT_COMPONENTS)
_WALLET_KEY_DIGITS = 64


class _Identity(Settings):
    api_key: str | None = None
    api_secret: SecretStr | None = None
    signing_key: SecretStr | None = None
    signing_key_id: str | None = None


class _Settings(ServerSettings):
    components: str = _COMPONENTS
    chain: str = DEFAULT_CHAIN
    wallet_key: SecretStr | None = None
    expected_domain: str | None = None


class OffBlocksSettings(ApiSettings[_Settings]):
    """The settings of OffBlocks."""

    api = "offblocks"
    version = "/v1"
    identity = _Identity
    required = ("api_key", "api_secret", "signing_key", "signing_key_id")
    own = _Settings

    def defaults(self) -> dict[str, str]:
        """The settings that a sandbox world is judged with."""
        return {"chain": DEFAULT_CHAIN, "components": _COMPONENTS}

    def checked_credentials(self, credentials: dict[str, str], prefix: str) -> dict[str, str]:
        """The credentials, the key as PEM text even if it was given as a path."""
        return {**credentials, "signing_key": _pem(credentials["signing_key"], f"{prefix}SIGNING_KEY")}

    def others(self, own: _Settings) -> dict[str, str]:
        """The wallets' chain, what signatures cover and, where set, the domain of challenges and a wallet's key."""
        others = {"chain": _chain(own.chain), "components": _components(own.components)}
        if own.expected_domain:
            others["expected_domain"] = own.expected_domain
        if own.wallet_key:
            others["wallet_key"] = _wallet_key(own.wallet_key.get_secret_value(), own.chain)
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
