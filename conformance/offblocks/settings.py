"""What a user sets to judge OffBlocks live: ``CONFORMANCE_OFFBLOCKS_...`` in the environment or in ``.env``."""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit

from pydantic import SecretStr

from conformance.files import read_bounded
from conformance.offblocks.signer import DEFAULT_COMPONENTS, UNDECLARED
from conformance.offblocks.wallet import Wallet
from conformance.parts.setting_names import AboutSetting
from conformance.parts.settings import ApiSettings
from conformance.settings import ServerSettings, Settings, SettingsError, is_loopback
from conformance.standards.account_ids import AccountIdRejected, ChainId
from conformance.standards.digest_fields import ALGORITHMS
from conformance.standards.message_signatures import (
    ECDSA_P384_SHA384,
    KeyRejected,
    SignatureInput,
    SignatureRejected,
    load_private_key,
    present,
    sign,
    signature_base,
)

DEFAULT_CHAIN = "eip155:300"
"""zkSync Sepolia, the first testnet in the list of supported chains."""

_REAL_CHAINS = {1, 10, 56, 100, 137, 324, 8453, 42161, 42220, 43114, 59144, 534352}
"""The numbers of chains of eip155 on which there is money, as the public registry of chain ids has them."""
_PREFIX = "CONFORMANCE_OFFBLOCKS_"
_COMPONENTS = " ".join(DEFAULT_COMPONENTS)
_WALLET_KEY_DIGITS = 64
_LONGEST_NUMBER = 8
_LAST_PORT = 65535
_LARGEST_KEY = 64 * 1024
_PATH = re.compile(r"/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*")


class _Identity(Settings):
    api_key: SecretStr | None = None
    api_secret: SecretStr | None = None
    signing_key: SecretStr | None = None
    signing_key_id: str | None = None


class _Settings(ServerSettings):
    components: str = _COMPONENTS
    chain: str = DEFAULT_CHAIN
    wallet_key: SecretStr | None = None
    expected_domain: str | None = None
    signature_label: str | None = None
    signature_alg: str | None = None
    signature_expires: str | None = None
    signature_nonce: str | None = None
    signature_tag: str | None = None
    digest_algorithm: str | None = None
    base_path: str | None = None
    webhook_url: str | None = None
    webhook_port: str | None = None


class OffBlocksSettings(ApiSettings[_Settings]):
    """The settings of OffBlocks."""

    api = "offblocks"
    version = "/v1"
    identity = _Identity
    required = ("api_key", "api_secret", "signing_key", "signing_key_id")
    own = _Settings
    about: ClassVar[Mapping[str, AboutSetting]] = {
        "base_url": AboutSetting("where the API is, without /v1", "OffBlocks' documentation names it."),
        "api_key": AboutSetting("who asks", "OffBlocks gives it when it sets up your programme."),
        "api_secret": AboutSetting("who asks", "OffBlocks gives it with the key."),
        "signing_key": AboutSetting(
            "signed requests, so nearly all",
            "openssl ecparam -name secp384r1 -genkey -noout -out key.pem; then the setting is key.pem.",
        ),
        "signing_key_id": AboutSetting(
            "signed requests, so nearly all",
            "conformance doctor --register-key offblocks registers the key, and prints it.",
        ),
        "components": AboutSetting(
            "what signatures cover, if the usual is refused", "conformance doctor --probe offblocks finds it out."
        ),
        "chain": AboutSetting("the chain of wallets", "Any test network that OffBlocks lists."),
        "wallet_key": AboutSetting("a wallet that must hold something", "The private key of a wallet for testing."),
        "expected_domain": AboutSetting(
            "the domain that challenges must name", "The one that your wallets are to see."
        ),
        "signature_label": AboutSetting("a server that wants another label than sig"),
        "signature_alg": AboutSetting("a server that wants no alg in signatures: none"),
        "signature_expires": AboutSetting("a server that wants signatures to expire: after so many seconds"),
        "signature_nonce": AboutSetting("a server that wants a nonce in each signature: yes"),
        "signature_tag": AboutSetting("a server that wants a tag in signatures"),
        "digest_algorithm": AboutSetting("a server that wants sha-512"),
        "base_path": AboutSetting("a server that sees another path than is sent, behind a gateway"),
        "webhook_url": AboutSetting("the rules for events", "An address that OffBlocks reaches, such as a tunnel's."),
        "webhook_port": AboutSetting("the rules for events", "The port of this machine that the address leads to."),
        "second_api_key": AboutSetting("what is to be kept apart", "Credentials of another programme."),
        "second_api_secret": AboutSetting("what is to be kept apart", "Credentials of another programme."),
        "second_signing_key": AboutSetting("what is to be kept apart", "A key of its own."),
        "second_signing_key_id": AboutSetting("what is to be kept apart", "As that of the first one."),
    }

    def defaults(self) -> dict[str, str]:
        """The settings that a sandbox world is judged with."""
        return {"chain": DEFAULT_CHAIN, "components": _COMPONENTS}

    def check(self, settings: Mapping[str, str]) -> None:
        """Make sure that chain, components and, where there is one, the wallet's key can be used."""
        super().check(settings)
        _check(tuple(settings.items()))

    def checked_credentials(self, credentials: dict[str, str], prefix: str) -> dict[str, str]:
        """The credentials, the key as PEM text even if it was given as a path, its id such as a signature can name."""
        checked = dict(credentials)
        if "signing_key_id" in checked:
            _check_key_id(checked["signing_key_id"], f"{prefix}SIGNING_KEY_ID")
        if "signing_key" in checked:
            checked["signing_key"] = _pem(checked["signing_key"], f"{prefix}SIGNING_KEY")
        return checked

    def others(self, own: _Settings) -> dict[str, str]:
        """The wallets' chain, what signatures are like and, where set, the domain of challenges and a wallet's key."""
        others = {"chain": _chain(own.chain), "components": _components(own.components)}
        if own.expected_domain:
            others["expected_domain"] = own.expected_domain
        others |= _signature_settings(own)
        if own.webhook_url:
            others |= _webhook(own.webhook_url, own.webhook_port)
        if own.wallet_key:
            others["wallet_key"] = _wallet_key(own.wallet_key.get_secret_value(), own.chain)
        return others


def _signature_settings(own: _Settings) -> dict[str, str]:
    """What is set of the form of digests and signatures."""
    found: dict[str, str] = {}
    for name, (is_usable, expected) in _OF_SIGNATURES.items():
        value = getattr(own, name)
        if not value:
            continue
        if not is_usable(value):
            raise SettingsError(f"{_PREFIX}{name.upper()} is {value!r}; expected {expected}.")
        found[name] = value
    if found.get("signature_nonce") == _NO:
        del found["signature_nonce"]
    return found


def _webhook(url: str, port: str | None) -> dict[str, str]:
    """The address that events are sent to, and the port of this machine at which they arrive."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and not (parts.query or parts.fragment)
        local = str(parts.port) if parts.port and is_loopback(parts.hostname or "") else None
    except ValueError:
        usable, local = False, None
    if not usable:
        raise SettingsError(f"{_PREFIX}WEBHOOK_URL is {url!r}; expected an https URL that OffBlocks can reach.")
    listens_at = port or local
    if listens_at is None:
        raise SettingsError(
            f"{_PREFIX}WEBHOOK_URL needs {_PREFIX}WEBHOOK_PORT, the port of this machine to which you forward what is "
            "sent there."
        )
    if not (listens_at.isascii() and listens_at.isdigit() and 0 < int(listens_at) <= _LAST_PORT):
        raise SettingsError(f"{_PREFIX}WEBHOOK_PORT is {port!r}; expected a number from 1 to {_LAST_PORT}.")
    return {"webhook_url": url.rstrip("/"), "webhook_port": listens_at}


def _is_seconds(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER and int(text) > 0


def _is_base_path(text: str) -> bool:
    return _PATH.fullmatch(text) is not None and not text.rstrip("/").endswith("/v1")


def _can_stand_in_a_signature(*, label: str = "sig", key_id: str = "any", tag: str | None = None) -> bool:
    return _why_not_in_a_signature(label=label, key_id=key_id, tag=tag) is None


def _why_not_in_a_signature(
    *, label: str = "sig", key_id: str = "any", tag: str | None = None
) -> SignatureRejected | None:
    try:
        sign(
            "GET",
            "https://api.example",
            (),
            key=b"any",
            key_id=key_id,
            components=("@method",),
            created=None,
            algorithm="hmac-sha256",
            label=label,
            tag=tag,
        )
    except SignatureRejected as error:
        return error
    return None


_YES, _NO = "yes", "no"
_OF_SIGNATURES: Mapping[str, tuple[Callable[[str], bool], str]] = {
    "signature_label": (
        lambda label: _can_stand_in_a_signature(label=label),
        "small letters, digits, _, -, . and *, beginning with a letter or *",
    ),
    "signature_alg": (
        {ECDSA_P384_SHA384, UNDECLARED}.__contains__,
        f"{ECDSA_P384_SHA384}, or {UNDECLARED} to leave it out",
    ),
    "signature_expires": (_is_seconds, "a number of seconds from 1 up, after which a signature expires"),
    "signature_nonce": ({_YES, _NO}.__contains__, f"{_YES}, for a new one in each signature, or {_NO}"),
    "signature_tag": (lambda tag: _can_stand_in_a_signature(tag=tag), "printable ASCII"),
    "digest_algorithm": (ALGORITHMS.__contains__, " or ".join(ALGORITHMS)),
    "base_path": (_is_base_path, "a path such as /offblocks that ends before /v1, or / for none"),
}


@lru_cache(maxsize=8)
def _check(settings: tuple[tuple[str, str], ...]) -> None:
    by_name = dict(settings)
    _components(by_name["components"])
    chain = _chain(by_name["chain"])
    if "wallet_key" in by_name:
        _wallet_key(by_name["wallet_key"], chain)


def _chain(text: str) -> str:
    name = f"{_PREFIX}CHAIN"
    try:
        chain = ChainId.parse(text)
    except AccountIdRejected as error:
        raise SettingsError(f"{name} is {text!r}: {error}") from error
    if chain.namespace != "eip155":
        raise SettingsError(f"{name} is {text!r}; only wallets of eip155 chains sign in, such as {DEFAULT_CHAIN}.")
    return text


def real_chain(text: str) -> str | None:
    """That a chain is no test network, as the rest of a sentence; None if it is not known for one."""
    reference = text.partition(":")[2]
    if reference.isdigit() and int(reference) in _REAL_CHAINS:
        return f"{text} in {_PREFIX}CHAIN is no test network"
    return None


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


def _check_key_id(key_id: str, name: str) -> None:
    """Make sure that a signature can name a key by this id."""
    if error := _why_not_in_a_signature(key_id=key_id):
        raise SettingsError(f"{name} cannot stand in a signature: {error}") from error


def _pem(key: str, name: str) -> str:
    """The PEM text of a key that is given as text or as a path."""
    if "-----BEGIN" in key:
        pem = key.replace("\\n", "\n")
    else:
        try:
            pem = read_bounded(Path(key).expanduser(), _LARGEST_KEY).decode()
        except (OSError, ValueError) as error:
            raise SettingsError(f"{name} is neither PEM text nor the path of a readable file.") from error
    try:
        load_private_key(pem)
    except KeyRejected as error:
        raise SettingsError(f"{name}: {error}") from error
    return pem
