"""What exchanges with Planbok show of customers and challenges, remembered without judging.

The checks let an observer see a whole journal before they judge, the model and the judge of a client let it see one
exchange after the other. A body that is nested deeper than `messages.members_of` reads shows nothing.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from conformance.exchange import Exchange
from conformance.planbok.messages import (
    ISSUING,
    LIFE,
    Call,
    Challenge,
    Intent,
    call_of,
    chains_asked_for,
    challenge_in,
    intent_of,
    is_set_up,
    issued_challenge,
    members_of,
)

_SHOW_CUSTOMERS = {"createCustomer", "getCustomer", "listCustomers"}


@dataclass(frozen=True)
class Creation:
    """The request that created a customer.

    Args:
        identity: Who sent it.
        members: The members of its body.
    """

    identity: str
    members: Mapping[str, Any]

    @property
    def ref_id(self) -> str | None:
        """The caller's own id of the customer, None if none was sent."""
        found = self.members.get("refId")
        return found if isinstance(found, str) else None


@dataclass
class Customer:
    """What was seen of a customer.

    Args:
        id: Its id.
        creation: The first request that created it, None if none was seen.
        identities: Who was answered about it.
        flags: Who was shown which flag as true, ``hasPin`` or ``hasRecovery``, when it was read by its id after its
            creation.
        set_up: Whether it was last shown with PIN and recovery, which stays once it is true: false from its creation,
            None if nothing shows it.
        read: Whether it was shown by a read of it or by a list.
        chains: How many challenges asked for a wallet of it on each chain.
    """

    id: str
    creation: Creation | None = None
    identities: set[str] = field(default_factory=set)
    flags: set[tuple[str, str]] = field(default_factory=set)
    set_up: bool | None = None
    read: bool = False
    chains: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Issue:
    """A request that was answered with a challenge.

    Args:
        id: The challenge's id.
        operation: The operation.
        customer: The id of the customer whose challenge it is.
        page: The URL of the hosted page, None if it is not shown.
        at: When the request was sent (UTC).
        intent: What its repetitions have in common with it.
        chains: The chains that it asked for.
        earlier: The chains that earlier challenges of the customer asked for.
    """

    id: str
    operation: str
    customer: str
    page: str | None
    at: datetime
    intent: Intent
    chains: frozenset[str]
    earlier: frozenset[str]


@dataclass
class Progress:
    """What was seen of a challenge under its customer.

    Args:
        seen: When it was asked for or read first (UTC).
        expires_at: When it expires (UTC), as it was shown last; None if it was not.
        ended: Whether it was shown as failed, or as a success with its result.
    """

    seen: datetime
    expires_at: datetime | None = None
    ended: bool = False

    def is_over(self, at: datetime) -> bool:
        """Whether it is known at `at` that nothing can come of it any more, by its age and by what was shown."""
        return self.ended or at > max(self.seen + LIFE, self.expires_at or self.seen)


class Observer:
    """Remembers what exchanges show of customers and challenges; it sees them in the order of their ends."""

    def __init__(self) -> None:
        self.customers: dict[str, Customer] = {}
        """Every customer that an answer named, by its id."""
        self.issues: dict[str, list[Issue]] = {}
        """The requests that were answered with each challenge, by its id, in order; a right API has one, repeated."""
        self.progress: dict[tuple[str | None, str | None], Progress] = {}
        """What was seen of each challenge, by the ids of its customer and of the challenge."""

    def see(self, exchange: Exchange) -> None:
        """Learn from an exchange with the API; from one that did not succeed there is nothing to learn."""
        call = call_of(exchange)
        if not exchange.response.succeeded:
            return
        data = members_of(exchange.response).get("data")
        shown = _customers_in(data) if call.operation in _SHOW_CUSTOMERS else []
        for identifier in (*shown, *([call.customer] if call.customer else [])):
            self._customer(identifier).identities.add(exchange.identity)
        match call.operation:
            case "createCustomer":
                for identifier in shown:
                    self._create(self._customer(identifier), exchange)
            case "getCustomer":
                self._read(call.customer, data, exchange)
            case "listCustomers":
                for entry in data if isinstance(data, list) else ():
                    self._read(entry.get("id") if isinstance(entry, Mapping) else None, entry)
            case "getChallenge":
                self._follow(call, challenge_in(data), exchange.at)
            case operation if operation in ISSUING:
                self._issue(call, exchange)
                self._follow(call, challenge_in(data), exchange.at)

    def issue(self, challenge: str | None) -> Issue | None:
        """The request for a challenge; None if there was none, or if different requests were given the same id."""
        issues = self.issues.get(challenge or "", [])
        return issues[0] if len({issue.intent for issue in issues}) == 1 else None

    def creation(self, customer: str | None) -> Creation | None:
        """The request that created a customer, None if none was seen."""
        found = self.customers.get(customer or "")
        return found.creation if found else None

    def _customer(self, identifier: str) -> Customer:
        return self.customers.setdefault(identifier, Customer(identifier))

    def _create(self, customer: Customer, exchange: Exchange) -> None:
        if customer.creation is None:
            customer.creation = Creation(exchange.identity, members_of(exchange.request))
            customer.set_up = customer.set_up if customer.read else False

    def _read(self, identifier: Any, shown: Any, single: Exchange | None = None) -> None:
        """Learn how a customer is shown; by `single`, if it was read by its id."""
        if not isinstance(identifier, str) or not isinstance(shown, Mapping):
            return
        customer = self._customer(identifier)
        if not customer.set_up:
            customer.set_up = is_set_up(shown)
        customer.read = True
        if single is not None and customer.creation is not None:
            customer.flags |= {(single.identity, flag) for flag in ("hasPin", "hasRecovery") if shown.get(flag) is True}

    def _issue(self, call: Call, exchange: Exchange) -> None:
        _, challenge = issued_challenge(exchange)
        if challenge is None or challenge.id is None or not call.customer:
            return
        customer = self._customer(call.customer)
        chains = chains_asked_for(exchange.request)
        issue = Issue(
            id=challenge.id,
            operation=str(call.operation),
            customer=customer.id,
            page=challenge.redirect_url,
            at=exchange.at,
            intent=intent_of(exchange),
            chains=chains,
            earlier=frozenset(customer.chains),
        )
        issues = self.issues.setdefault(challenge.id, [])
        if not issues:
            customer.chains.update(chains)
        issues.append(issue)

    def _follow(self, call: Call, challenge: Challenge | None, at: datetime) -> None:
        """Learn of a challenge from its issue, or from what was read under its id."""
        if challenge is None:
            return
        progress = self.progress.setdefault((call.customer, call.challenge or challenge.id), Progress(at))
        progress.expires_at = challenge.expires_at or progress.expires_at
        progress.ended |= challenge.has_ended


def _customers_in(data: Any) -> list[str]:
    """The ids of the customers in a payload, be it a list or one customer."""
    found = [entry.get("id") for entry in (data if isinstance(data, list) else [data]) if isinstance(entry, dict)]
    return [identifier for identifier in found if isinstance(identifier, str)]
