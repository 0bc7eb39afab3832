"""A wallet with the place where an answer or an event shows it, and by what it is found again in others."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from conformance.planbok.chains import CHAINS, Chain
from conformance.planbok.messages import Wallet, wallets_in
from conformance.standards.addresses import Family

Place = tuple[str, str]
"""Chain and address of a wallet, this in the letter case in which it can be compared."""
Name = tuple[str, str]
"""Id and chain of a wallet: no document says that an id stands for one chain alone."""
_ACCOUNT = re.compile(r"m/(?:44|49|84|86)['hH]?/[0-9]{1,10}['hH]?/([0-9]{1,10})['hH]?(?:/[0-9]{1,10}['hH]?)*")


@dataclass(frozen=True)
class ShownWallet:
    """A wallet in one place where an answer or an event shows it.

    Args:
        where: The place, a side and a JSON pointer.
        wallet: The wallet.
        customer: Whose it is; None if nothing says so.
    """

    where: str
    wallet: Wallet
    customer: str | None

    @property
    def place(self) -> Place:
        """Its chain and address."""
        return self.wallet.blockchain, comparable(self.wallet.address, CHAINS.get(self.wallet.blockchain))

    @property
    def name(self) -> Name | None:
        """Its id and chain, None if no id is shown."""
        return (self.wallet.id, self.wallet.blockchain) if self.wallet.id else None

    def __str__(self) -> str:
        return f"{self.wallet.address} on {self.wallet.blockchain}"


def keys_of(shown: ShownWallet) -> list[tuple[str, ...]]:
    """The keys by which the same wallet is found elsewhere, the surest first: name, place, customer with chain."""
    keys: list[tuple[str, ...]] = [("named", *shown.name)] if shown.name else []
    keys.append(("at", *shown.place))
    return [*keys, ("of", shown.customer, shown.wallet.blockchain)] if shown.customer else keys


def wallets_with_places(value: Any, pointer: str) -> Iterator[tuple[str, Wallet]]:
    """The wallets in a parsed value, each with its JSON pointer."""
    match value:
        case {"blockchain": str(), "address": str()}:
            yield pointer, wallets_in(value)[0]
        case dict():
            for name, member in value.items():
                yield from wallets_with_places(member, f"{pointer}/{name}")
        case list():
            for number, member in enumerate(value):
                yield from wallets_with_places(member, f"{pointer}/{number}")


def account_of(shown: ShownWallet) -> int | None:
    """The number of the account in a wallet's path, hardened or not; None if no such path is shown."""
    match = _ACCOUNT.fullmatch(shown.wallet.path or "")
    return int(match[1]) if match else None


def comparable(address: str, chain: Chain | None) -> str:
    """An address in the one letter case in which it can be compared; that of base58 and of NEAR is left as it is."""
    folded = address.lower()
    if chain is None or chain.family in {Family.SOLANA, Family.NEAR}:
        return address
    return folded if chain.family is Family.EVM or folded.startswith(("bc1", "tb1")) else address
