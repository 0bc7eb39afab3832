"""Wallets as scenarios compare and show them."""

from collections.abc import Iterable

from conformance.planbok.messages import Wallet


def places(wallets: Iterable[Wallet]) -> set[tuple[str, str]]:
    """Chains and addresses, whatever the letter case that they are written in."""
    return {wallet.folded for wallet in wallets}


def written(wallets: Iterable[Wallet]) -> str:
    """Chains and addresses in one line."""
    return ", ".join(f"{wallet.blockchain} {wallet.address}" for wallet in wallets) or "no wallet"
