"""An answer of the API and a webhook as the checks read them: what was called, the payload, the wallets in it."""

import re
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from conformance.exchange import Delivery, Exchange
from conformance.findings import Says
from conformance.planbok.checks.wallets import ShownWallet
from conformance.planbok.messages import Call, Challenge, Intent, call_of, chains_asked_for, challenge_in, members_of

SAYS = Says("planbok.")
"""Makes the findings of all topics."""
COUNT = re.compile(r"[1-9][0-9]{0,8}")
"""A number of entries or of a page, as a query writes it."""
_OBJECT_ID = re.compile(r"[0-9a-fA-F]{24}")


@dataclass
class Answer:
    """An exchange with the API as the checks read it.

    Args:
        exchange: The exchange.
        call: What the request calls.
        data: The payload; None if there is none.
        wallets: The wallets that it shows.
        foreign: In a list filtered by customers of the caller's, the wallets of others; None in any other answer.
    """

    exchange: Exchange
    call: Call
    data: Any
    wallets: list[ShownWallet] = field(default_factory=list)
    foreign: list[ShownWallet] | None = None


@dataclass(frozen=True)
class Event:
    """A webhook as the checks read it.

    Args:
        where: What to call it.
        delivery: The webhook.
        members: The members of its body.
        wallets: The wallets that it shows.
    """

    where: str
    delivery: Delivery
    members: Mapping[str, Any]
    wallets: list[ShownWallet]


def answer_of(exchange: Exchange) -> Answer:
    """Read an exchange with the API; its wallets are found later, by `overview.attribute`."""
    data = members_of(exchange.response).get("data") if exchange.response.succeeded else None
    return Answer(exchange, call_of(exchange), data)


def entries_of(answer: Answer) -> list[tuple[str, Any]]:
    """The entries of an answer that is a list, or the answer's one payload, each with its JSON pointer."""
    if isinstance(answer.data, list):
        return [(f"/data/{number}", entry) for number, entry in enumerate(answer.data)]
    return [("/data", answer.data)]


def shown_challenges(answer: Answer) -> list[tuple[str, Challenge]]:
    """The challenges that were read or listed, each with its JSON pointer."""
    if answer.call.operation not in {"getChallenge", "listChallenges"}:
        return []
    found = [(pointer, challenge_in(entry)) for pointer, entry in entries_of(answer)]
    return [(pointer, challenge) for pointer, challenge in found if challenge is not None]


def subject_of(answer: Answer) -> Intent:
    """What a request has in common with every other for the same challenge, whatever its key: customer, task, chains.

    No document says whether a second request for what is still open gets another challenge. The chains count in a
    request for wallets alone: the README of the beta names them in a set-up too, of which the reference knows nothing.
    """
    exchange = answer.exchange
    chains = chains_asked_for(exchange.request) if answer.call.operation == "createWallets" else ()
    return exchange.identity, exchange.request.path, *sorted(chains)


def id_form(identifier: str) -> str | None:
    """Which form a customer's id has, ``object-id`` or ``uuid``; None if it has neither."""
    if _OBJECT_ID.fullmatch(identifier):
        return "object-id"
    try:
        return "uuid" if str(UUID(identifier)) == identifier.lower() else None
    except ValueError:
        return None


def joined(names: AbstractSet[str] | Mapping[str, object] | Sequence[str]) -> str:
    """Names in the order of the alphabet, as a finding says them."""
    return ", ".join(sorted(names)) or "none"
