"""The rules for the result of a challenge: none before success, then wallets on the chains that were asked for."""

import json
from collections.abc import Iterator
from collections.abc import Set as AbstractSet

from conformance.exchange import Exchange
from conformance.findings import Finding
from conformance.planbok.checks.answers import SAYS, joined
from conformance.planbok.checks.overview import Overview
from conformance.planbok.messages import Challenge


def none_before_success(challenge: Challenge, pointer: str, exchange: Exchange) -> Iterator[Finding]:
    """Judge that a challenge shows no wallets before success or after failure; of other results no document speaks."""
    rules = {"pending": "none-while-pending", "failed": "none-when-failed"}
    if challenge.status in rules:
        wallets = challenge.wallets
        yield SAYS.judged(
            f"result.{rules[challenge.status]}",
            not wallets,
            f"response {pointer}/result",
            "no wallets",
            json.dumps(challenge.result) if wallets else "none",
            exchange,
        )


def chains_of_result(
    challenge: Challenge, pointer: str, exchange: Exchange, overview: Overview, chains: AbstractSet[str]
) -> Iterator[Finding]:
    """Judge on which chains the wallets in a result are.

    No document says what becomes of a chain that the customer has already, or whose name nobody knows.
    """
    issue = overview.observer.issue(challenge.id)
    shown = {wallet.blockchain for wallet in challenge.wallets}
    if issue is None or issue.operation != "createWallets" or not shown:
        return
    due = issue.chains & chains - issue.earlier if overview.observer.creation(issue.customer) else frozenset()
    yield SAYS.judged(
        "result.exactly-the-chains",
        due <= shown <= issue.chains,
        f"response {pointer}/result",
        f"wallets on {joined(issue.chains)}",
        joined(shown),
        exchange,
    )
