"""The rules for times, wherever they are shown: one that was fixed stays, and a new one is of the present."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from conformance.exchange import Exchange
from conformance.findings import Finding
from conformance.planbok.checks.answers import SAYS, Event
from conformance.planbok.messages import (
    ISSUING,
    LIFE,
    call_of,
    challenge_in,
    customer_id,
    event_of,
    instant,
    members_of,
)

_CUSTOMERS = {"createCustomer", "getCustomer", "listCustomers"}
_WALLETS = {"listWallets", "getWallet"}
_SAME = timedelta(seconds=1)
"""How much two writings of one time may differ, which need not have the same fraction of a second."""
_APART = timedelta(milliseconds=500)
"""How much the clocks of two machines of one server may differ."""
_SKEW = timedelta(minutes=5)
"""How much two clocks may differ."""

Name = tuple[str, ...]
"""What a time is of: the member and the id of its object, with the status of a challenge."""


@dataclass
class Times:
    """The times that were shown so far.

    Args:
        shown: Each time that is to stay, by what it is of.
        known: What has a time that was shown once.
        first: When the first request was sent (UTC); None before it.
        latest: When the creation of the latest customer had ended, and when it was by what is shown; None before one.
        customers: The ids of the customers who were created.
        sent: The ids of the events that came.
    """

    shown: dict[Name, datetime] = field(default_factory=dict)
    known: set[Name] = field(default_factory=set)
    first: datetime | None = None
    latest: tuple[datetime, datetime] | None = None
    customers: set[str | None] = field(default_factory=set)
    sent: set[str] = field(default_factory=set)

    def see(self, exchange: Exchange) -> Iterator[Finding]:
        """Judge the times in an answer; what is entered at a page may move those of challenges."""
        self.first = self.first or exchange.at
        if call_of(exchange).operation == "createCustomer":
            self.customers.add(customer_id(exchange.response))
        if exchange.operation is None:
            self.shown = {name: time for name, time in self.shown.items() if name[0] != "expiresAt"}
            return
        for pointer, name, text in _times_in(exchange):
            time = instant(text)
            if name in self.shown:
                yield SAYS.judged(
                    "response.times-stay",
                    time is not None and abs(time - self.shown[name]) <= _SAME,
                    f"response {pointer}",
                    f"{self.shown[name]}, as it was shown before",
                    time or text,
                    exchange,
                )
            elif time is not None and name[:2] not in self.known:
                yield from _new(exchange, pointer, name, time, self._since(exchange, time))
            if time is not None:
                self.shown[name] = time
                self.known.add(name[:2])

    def _since(self, exchange: Exchange, created: datetime) -> datetime | None:
        """When the latest customer was created before a new one, None if its creation had not ended by then."""
        if call_of(exchange).operation != "createCustomer":
            return None
        before, self.latest = self.latest, (exchange.at + timedelta(seconds=exchange.seconds), created)
        return before[1] if before is not None and before[0] <= exchange.at else None

    def see_event(self, event: Event) -> Iterator[Finding]:
        """Judge the ``timestamp`` of an event, which came about after the first request and before it was sent.

        One of a new wallet is sent immediately, and its timestamp may be old only where it is sent again; of other
        customers than were created here it may have been sent before.
        """
        time, came = instant(event.members.get("timestamp")), event.delivery.at
        name = str(event.members.get("idempotencyKey") or event.delivery.request.header("X-Webhook-Id") or "")
        is_of_own = any(each.customer is not None and each.customer in self.customers for each in event.wallets)
        at_once = is_of_own and event_of(event.delivery) == "wallet.created" and bool(name) and name not in self.sent
        self.sent.add(name)
        if time is not None and self.first is not None:
            earliest = came if at_once else self.first
            yield SAYS.judged(
                "response.times-right",
                earliest - _SKEW <= time <= came + _SKEW,
                f"{event.where} /timestamp",
                f"a time from {earliest - _SKEW} to {came + _SKEW}, as it came at {came}",
                time,
            )


def _new(exchange: Exchange, pointer: str, name: Name, time: datetime, since: datetime | None) -> Iterator[Finding]:
    """Judge a time that was not shown before, where the request made what it is of.

    Args:
        exchange: The exchange.
        pointer: Where its answer shows the time.
        name: What the time is of.
        time: The time.
        since: When the customer was created, by what is shown, who was created before; None if there is none.
    """
    operation = call_of(exchange).operation
    if operation != "createCustomer" and operation not in ISSUING:
        return
    expected = exchange.at if name[0] == "createdAt" else exchange.at + LIFE
    is_near = abs(time - expected) <= _SKEW + timedelta(seconds=exchange.seconds)
    yield SAYS.judged(
        "response.times-right",
        is_near and (since is None or time >= since - _APART),
        f"response {pointer}",
        f"not before {since}, when a customer was created earlier"
        if is_near
        else f"{expected}, or {_SKEW} more or less",
        time,
        exchange,
    )


def _times_in(exchange: Exchange) -> Iterator[tuple[str, Name, str]]:
    """The texts in an answer that are to be times, each with its JSON pointer and what it is of."""
    operation = call_of(exchange).operation
    data = members_of(exchange.response).get("data") if exchange.response.succeeded else None
    entries = list(enumerate(data)) if isinstance(data, list) else [(None, data)]
    for number, entry in entries:
        place = "/data" if number is None else f"/data/{number}"
        if not isinstance(entry, dict):
            continue
        if operation in _CUSTOMERS | _WALLETS:
            if isinstance(entry.get("id"), str) and isinstance(entry.get("createdAt"), str):
                yield f"{place}/createdAt", ("createdAt", entry["id"]), entry["createdAt"]
        elif (challenge := challenge_in(entry)) and challenge.id and isinstance(entry.get("expiresAt"), str):
            yield f"{place}/expiresAt", ("expiresAt", challenge.id, challenge.status or ""), entry["expiresAt"]


def times(exchanges: Sequence[Exchange], events: Sequence[Event]) -> Iterator[Finding]:
    """Judge all times of a test.

    Args:
        exchanges: The exchanges in the order of their ends, the steps of the hosted page among them.
        events: The webhooks received.
    """
    seen = Times()
    for exchange in exchanges:
        yield from seen.see(exchange)
    for event in events:
        yield from seen.see_event(event)
