"""What the exchanges of one test showed before the one that is judged."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from conformance.exchange import Exchange
from conformance.offblocks.messages import Challenge, issued_challenge


@dataclass
class Customer:
    """What the exchanges so far show of one customer.

    Args:
        identity: Who created it.
        created: The members of the answer to its creation.
        challenge: The challenge that was seen last.
        seen_at: When it was seen last (UTC).
        settled: Whether nothing happened since that may have changed it.
    """

    identity: str
    created: Mapping[str, object]
    challenge: Challenge | None = None
    seen_at: datetime | None = None
    settled: bool = True


@dataclass
class Memory:
    """What the exchanges so far show.

    Args:
        sent_repeatedly: The identities and bodies of creations that were sent more than once; the order in which
            their answers ended does not tell which of them created the customer.
        customers: The customers by their ids.
        pairs: The customers' ids by who created them, wallet (in lower case) and externalId.
        keys: Which idempotency keys were used, each with who used it.
        nonces: Which customer a challenge's nonce was first seen for, and in which text.
    """

    sent_repeatedly: frozenset[tuple[str, bytes]] = frozenset()
    customers: dict[str, Customer] = field(default_factory=dict)
    pairs: dict[tuple[str, str, str], str] = field(default_factory=dict)
    keys: set[tuple[str, str]] = field(default_factory=set)
    nonces: dict[str, tuple[str, str]] = field(default_factory=dict)

    @classmethod
    def before(cls, exchanges: Sequence[Exchange]) -> "Memory":
        """The memory before the first of a test's exchanges, of which only repeated creations are looked at."""
        creations = (exchange for exchange in exchanges if exchange.operation == "createCustomer")
        sent = Counter((exchange.identity, exchange.request.body) for exchange in creations)
        return cls(frozenset(creation for creation, times in sent.items() if times > 1))

    def knows_key(self, exchange: Exchange) -> bool:
        """Whether the same identity used the request's idempotency key before."""
        return (exchange.identity, str(exchange.request.header("Idempotency-Key"))) in self.keys

    def customer_of_pair(self, exchange: Exchange) -> str | None:
        """The id of the customer that was created before with the wallet and externalId of a creation, None if none."""
        return self.pairs.get(_pair(exchange))

    def shows_creation(self, exchange: Exchange) -> bool:
        """Whether the answer to a creation shows a customer as it is created: it is new, or its key is repeated."""
        asked = exchange.request.members()
        complete = isinstance(asked.get("chainId"), str) and isinstance(asked.get("externalId"), str)
        new = self.knows_key(exchange) or self.customer_of_pair(exchange) is None
        return complete and not exchange.breaks and exchange.response.succeeded and new

    def learn(self, exchange: Exchange) -> None:
        """Take in what an exchange shows, after it was judged."""
        operation, identifier = exchange.operation, exchange.parameters.get("customerId")
        members = exchange.response.members()
        key = exchange.request.header("Idempotency-Key")
        repeated = self.knows_key(exchange)
        if key is not None:
            self.keys.add((exchange.identity, key))
        if operation == "createCustomer" and exchange.response.succeeded and isinstance(members.get("id"), str):
            identifier = str(members["id"])
            self.pairs.setdefault(_pair(exchange), identifier)
            self.customers.setdefault(identifier, Customer(exchange.identity, members))
        customer = self.customers.get(identifier or "")
        if customer is None:
            return
        if operation == "signChallenge":
            customer.settled = False
        challenge = issued_challenge(exchange.response)
        if (
            challenge is not None and not repeated
        ):  # a repeated creation is answered with the challenge that it had then
            first = customer.challenge is None or customer.challenge.text != challenge.text
            if first or operation == "getChallenge":
                customer.challenge = challenge
                customer.seen_at = exchange.at
                customer.settled = True


def _pair(exchange: Exchange) -> tuple[str, str, str]:
    """Who asked for a customer, with which wallet in lower case, and with which externalId."""
    asked = exchange.request.members()
    return exchange.identity, str(asked.get("chainId")).lower(), str(asked.get("externalId"))
