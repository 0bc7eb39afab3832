"""The rules for the addresses of wallets, wherever they are shown: form, public key, path, and those of others."""

import re
from collections.abc import Iterator, Sequence

from coincurve import PublicKey

from conformance.exchange import Exchange
from conformance.findings import Finding
from conformance.planbok.chains import CHAINS, Chain
from conformance.planbok.checks.answers import SAYS, joined
from conformance.planbok.checks.overview import Overview
from conformance.planbok.checks.wallets import ShownWallet, account_of, comparable
from conformance.standards.addresses import (
    AddressRejected,
    Family,
    Kind,
    Reason,
    address_of,
    check_address,
    decode_base58,
)
from conformance.standards.hd_keys import Curve

_HEX_KEY = re.compile(r"(?:0x)?((?:[0-9a-fA-F]{2}){32,65})")
_BASE58_KEY = re.compile(r"(?:ed25519:)?([1-9A-HJ-NP-Za-km-z]{32,44})")
_ED25519_SIZE = 32
_SECP256K1_FORMS = {(33, b"\2"), (33, b"\3"), (65, b"\4")}
"""Size and first byte of a public key (SEC 1, section 2.3.3)."""
_ONE_ADDRESS_FOR_A_KEY = {Family.EVM, Family.SOLANA}
"""Where a key has one address alone."""
_KINDS_OF_KEYS = {Kind.EVM, Kind.P2PKH, Kind.P2WPKH, Kind.SOLANA, Kind.NEAR_IMPLICIT}
_BIP44_PATH = re.compile(r"m/44['hH](?:/[0-9]{1,10}['hH]){2}(?:/[0-9]{1,10}['hH]?){0,2}")
_EXPORTED_PATH = re.compile(r"m/(44|84)(?:/[0-9]{1,10}){2,4}")
_FORMS = {
    Family.EVM: ("evm-form", "0x and 40 hexadecimal digits"),
    Family.BITCOIN: ("bitcoin-form", "P2PKH, P2SH, bech32 or bech32m"),
    Family.SOLANA: ("solana-form", "base58 of 32 bytes"),
    Family.NEAR: ("near-form", "64 lower-case hexadecimal digits, 0x and 40, or a named account"),
}


def addresses(wallets: Sequence[ShownWallet], overview: Overview, exchange: Exchange | None) -> Iterator[Finding]:
    """Judge the addresses of wallets on the chains that are known.

    Args:
        wallets: The wallets of one answer or one webhook.
        overview: What all exchanges and webhooks show.
        exchange: The exchange that shows them; None if it is a webhook.
    """
    for shown in wallets:
        chain = CHAINS.get(shown.wallet.blockchain)
        if chain is not None:
            yield from _address_form(shown, chain, exchange)
            yield from _address_of_key(shown, chain, exchange)
            yield from _path(shown, chain, exchange)
            yield from _among_others(shown, chain, overview, exchange)


def _address_form(shown: ShownWallet, chain: Chain, exchange: Exchange | None) -> Iterator[Finding]:
    (rule, form), where, address = _FORMS[chain.family], f"{shown.where}/address", shown.wallet.address
    fault: AddressRejected | None = None
    try:
        check_address(address, chain.family, testnet=chain.testnet)
    except AddressRejected as error:
        fault = error
    got = f"{address}: {fault}" if fault else address
    formed = fault is None or (chain.family is Family.EVM and fault.reason is Reason.CHECKSUM)
    yield SAYS.judged(f"address.{rule}", formed, where, f"{form}, of {chain.title}", got, exchange)
    if formed and chain.family is Family.EVM:
        yield SAYS.judged("address.evm-checksum", fault is None, where, "one case, or that of EIP-55", got, exchange)


def _address_of_key(shown: ShownWallet, chain: Chain, exchange: Exchange | None) -> Iterator[Finding]:
    wallet = shown.wallet
    key = _public_key(wallet.public_key or "", chain.curve)
    try:
        kind = check_address(wallet.address, chain.family, testnet=chain.testnet)
    except AddressRejected:
        return
    if key is None or kind not in _KINDS_OF_KEYS:
        return
    derived = _derived(key, chain, kind)
    yield SAYS.judged(
        f"address.{'evm-' if chain.family is Family.EVM else ''}follows-from-public-key",
        comparable(wallet.address, chain) in {comparable(address, chain) for address in derived},
        f"{shown.where}/address",
        " or ".join(derived) or f"the address of {wallet.public_key}, which is no key of its curve",
        wallet.address,
        exchange,
    )


def _public_key(text: str, curve: Curve) -> bytes | None:
    """The public key that a text writes in hexadecimal or, for ed25519, in base58; None if it writes none."""
    if digits := _HEX_KEY.fullmatch(text):
        key = bytes.fromhex(digits[1])
    elif curve is Curve.ED25519 and (digits := _BASE58_KEY.fullmatch(text)):
        key = decode_base58(digits[1])
    else:
        return None
    fits = len(key) == _ED25519_SIZE if curve is Curve.ED25519 else (len(key), key[:1]) in _SECP256K1_FORMS
    return key if fits else None


def _derived(key: bytes, chain: Chain, kind: Kind) -> list[str]:
    """The addresses that follow from a public key: two for P2PKH, none if it is no key."""
    try:
        keys = [PublicKey(key).format(compressed=short) for short in (True, False)] if kind is Kind.P2PKH else [key]
        return [address_of(each, chain.family, testnet=chain.testnet, kind=kind) for each in keys]
    except ValueError:
        return []


def _path(shown: ShownWallet, chain: Chain, exchange: Exchange | None) -> Iterator[Finding]:
    path = shown.wallet.path
    if path is None:
        return
    exported = _EXPORTED_PATH.fullmatch(path)
    purpose = "84" if chain.family is Family.BITCOIN else "44"
    yield SAYS.read(
        "address.path-form",
        "bip44" if _BIP44_PATH.fullmatch(path) else "as-exported" if exported and exported[1] == purpose else None,
        f"{shown.where}, path",
        f"m/44'/coin'/account'/..., or m/{purpose}/coin/account/...",
        path,
        exchange,
    )


def _among_others(shown: ShownWallet, chain: Chain, overview: Overview, exchange: Exchange | None) -> Iterator[Finding]:
    """Judge an address by those of the same and of other customers."""
    customer = shown.customer
    if customer is None:
        return
    where, address = f"{shown.where}/address", shown.wallet.address
    others = overview.holders[chain.family, comparable(address, chain)] - {customer}
    if overview.families[chain.family] - {customer}:
        got = f"{address}, which {joined(others)} has too" if others else address
        yield SAYS.judged("address.never-shared", not others, where, f"an address of {customer} alone", got, exchange)
    own = overview.on_evm.get(customer, {})
    if chain.family is Family.EVM and len(own) > 1:
        unlike = [name for name, some in own.items() if not some & own[chain.name]]
        yield SAYS.judged(
            "address.same-on-evm-chains",
            not unlike,
            where,
            f"the address of {customer} on all of {joined(own)}",
            f"{address}, another one on {joined(unlike)}" if unlike else address,
            exchange,
        )
    yield from _of_one_root(shown, customer, chain, overview, exchange)
    accounts = overview.accounts[customer]
    if account_of(shown) is not None and len({place for place, _ in accounts}) > 1:
        numbers = sorted({account for _, account in accounts})
        yield SAYS.judged(
            "address.one-account",
            len(numbers) == 1,
            f"{shown.where}, path",
            f"one account for all wallets of {customer}",
            f"{shown.wallet.path}, among the accounts {', '.join(map(str, numbers))}",
            exchange,
        )


def _of_one_root(
    shown: ShownWallet, customer: str, chain: Chain, overview: Overview, exchange: Exchange | None
) -> Iterator[Finding]:
    """Judge an address by the others that the customer has with the same derivation path."""
    path = shown.wallet.path
    if path is None or chain.family not in _ONE_ADDRESS_FOR_A_KEY:
        return
    alike = overview.on_paths[customer, chain.family, path]
    if len({place for place, _ in alike}) > 1:
        own = comparable(shown.wallet.address, chain)
        others = {address for _, address in alike} - {own}
        yield SAYS.judged(
            "address.one-root",
            not others,
            f"{shown.where}/address",
            f"one address of {customer} for {path}",
            f"{shown.wallet.address}, besides {joined(others)}" if others else shown.wallet.address,
            exchange,
        )
