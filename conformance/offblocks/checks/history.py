"""What came before the exchange that is judged: what an observer saw, and what the checks themselves found."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus

from conformance.exchange import Exchange
from conformance.offblocks.messages import issued_token
from conformance.offblocks.observer import Observer, customer_of, pair_of


@dataclass
class History:
    """What the exchanges of a test showed before the one that is judged.

    Args:
        sent_repeatedly: The identities and bodies of creations that were sent more than once and answered with
            different statuses; the order in which their answers ended does not tell which of them created the customer.
        observer: What was seen. A key that was used counts for the whole test, since what only a new key brings about
            is asked of no other.
        tokens: The token that each identity was given last.
        labels: The label of the first signature of each identity.
        nonces: Which customer the nonce of a challenge that was judged as new was first seen for, and in which text.
        updates: The status and the `updatedAt` that each customer was shown with last.
    """

    sent_repeatedly: frozenset[tuple[str, bytes]] = frozenset()
    observer: Observer = field(default_factory=Observer)
    tokens: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    nonces: dict[str, tuple[str, str]] = field(default_factory=dict)
    updates: dict[str, tuple[object, datetime]] = field(default_factory=dict)

    @classmethod
    def before(cls, exchanges: Sequence[Exchange]) -> "History":
        """What came before the first of a test's exchanges, of which only repeated creations are looked at."""
        answered: dict[tuple[str, bytes], set[int]] = {}
        for exchange in exchanges:
            status = exchange.response.status
            if exchange.operation == "createCustomer" and status != HTTPStatus.LENGTH_REQUIRED:
                answered.setdefault((exchange.identity, exchange.request.body), set()).add(status)
        return cls(frozenset(creation for creation, statuses in answered.items() if len(statuses) > 1))

    def knows_key(self, exchange: Exchange) -> bool:
        """Whether the same identity used the request's idempotency key before."""
        return self.observer.use_before(exchange) is not None

    def has_older_token(self, exchange: Exchange) -> bool:
        """Whether a request comes with another token than the identity was given last.

        No document says that the ones before hold on.
        """
        latest = self.tokens.get(exchange.identity)
        return latest is not None and exchange.request.header("Authorization") != f"Bearer {latest}"

    def has_another_label(self, exchange: Exchange) -> bool:
        """Whether a request is signed under another label than its identity began with.

        That a server take any is a recommendation of RFC 9421 (section 7.2.5) alone, which a rule of its own judges.
        """
        usual, label = self.labels.get(exchange.identity), _label(exchange)
        return usual is not None and label is not None and label != usual

    def customer_of_pair(self, exchange: Exchange) -> str | None:
        """The id of the customer that was created before with the wallet and externalId of a creation, None if none."""
        return self.observer.pairs.get(pair_of(exchange))

    def shows_creation(self, exchange: Exchange) -> bool:
        """Whether the answer to a creation shows a customer as it is created: it is new, or its key is repeated."""
        asked = exchange.request.members()
        complete = isinstance(asked.get("chainId"), str) and isinstance(asked.get("externalId"), str)
        new = self.knows_key(exchange) or self.customer_of_pair(exchange) is None
        return complete and not exchange.breaks and exchange.response.succeeded and new

    def learn(self, exchange: Exchange) -> None:
        """Take in what an exchange shows, after it was judged.

        Whatever the answer to a sign request was, the customer's next challenge may be another one.
        """
        if exchange.operation == "createToken" and (token := issued_token(exchange)) is not None:
            self.tokens[exchange.identity] = token[0]
        if (label := _label(exchange)) is not None:
            self.labels.setdefault(exchange.identity, label)
        if exchange.operation == "signChallenge":
            self.observer.unsettle(customer_of(exchange))
        self.observer.see(exchange)


def _label(exchange: Exchange) -> str | None:
    """The label of the first signature of a request, None if it has none."""
    signature = exchange.request.header("Signature")
    return signature.partition("=")[0].strip() if signature else None
