"""Whether a wallet is shown alike in a list, in the result of a challenge and in an event."""

from collections.abc import Iterator

from conformance.exchange import Exchange
from conformance.findings import Finding
from conformance.planbok.checks.answers import SAYS
from conformance.planbok.checks.overview import Index, Overview
from conformance.planbok.checks.wallets import ShownWallet, keys_of


def agreement(
    rule: str, shown: ShownWallet, others: Index, overview: Overview, exchange: Exchange | None
) -> Iterator[Finding]:
    """Whether a wallet is shown alike elsewhere, where that can be said whatever is still on its way."""
    for key in keys_of(shown):
        if key in others and (key[0] != "of" or _has_one(shown, overview)):
            yield SAYS.judged(
                rule,
                others[key] == {shown.place},
                f"{shown.where}/address",
                " and ".join(f"{address} on {chain}" for chain, address in sorted(others[key])),
                shown,
                exchange,
            )
            return


def _has_one(shown: ShownWallet, overview: Overview) -> bool:
    """Whether a wallet's customer can have no second wallet on its chain, as no other was ever asked for."""
    customer = overview.observer.customers.get(shown.customer or "")
    return customer is not None and customer.creation is not None and customer.chains[shown.wallet.blockchain] == 1
