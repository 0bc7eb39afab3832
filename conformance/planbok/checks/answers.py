"""An answer of the API and a webhook as the checks read them: what was called, the payload, the wallets in it."""

import re
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from conformance.exchange import Delivery, Exchange, Message
from conformance.findings import Says
from conformance.planbok.checks.wallets import ShownWallet
from conformance.planbok.messages import Call, Challenge, call_of, challenge_in

SAYS = Says("planbok.")
"""Makes the findings of all topics."""
COUNT = re.compile(r"[1-9][0-9]{0,8}")
"""A number of entries or of a page, as a query writes it."""
_DEEPEST = 100
"""The most levels of a body that are read; a deeper one counts as empty, since reading it could exhaust the stack."""
_OBJECT_ID = re.compile(r"[0-9a-fA-F]{24}")
Intent = tuple[str, ...]
"""What a request has in common with its repetitions."""


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


def issued_challenge(answer: Answer) -> tuple[str, Challenge | None]:
    """A new challenge with its place: ``data`` or, since no document shows that member, the whole body."""
    if isinstance(answer.data, dict):
        return "/data", challenge_in(answer.data)
    return "", challenge_in(members_of(answer.exchange.response))


def intent_of(exchange: Exchange) -> Intent:
    """What a request shares with its repetitions: its idempotency key, without one the whole body."""
    request = exchange.request
    key = members_of(request).get("idempotencyKey")
    repeated = ("key", key) if isinstance(key, str) else ("body", request.body.decode("latin-1"))
    return exchange.identity, request.path, *repeated


def subject_of(answer: Answer) -> Intent:
    """What a request has in common with every other for the same challenge, whatever its key: customer, task, chains.

    No document says whether a second request for what is still open gets another challenge. The chains count in a
    request for wallets alone: the README of the beta names them in a set-up too, of which the reference knows nothing.
    """
    exchange = answer.exchange
    chains = chains_asked_for(exchange) if answer.call.operation == "createWallets" else ()
    return exchange.identity, exchange.request.path, *sorted(chains)


def chains_asked_for(exchange: Exchange) -> frozenset[str]:
    """The chains that a request names, none if it names none."""
    names = members_of(exchange.request).get("blockchains")
    return frozenset(name for name in names if isinstance(name, str)) if isinstance(names, list) else frozenset()


def id_form(identifier: str) -> str | None:
    """Which form a customer's id has, ``object-id`` or ``uuid``; None if it has neither."""
    if _OBJECT_ID.fullmatch(identifier):
        return "object-id"
    try:
        return "uuid" if str(UUID(identifier)) == identifier.lower() else None
    except ValueError:
        return None


def members_of(message: Message) -> Mapping[str, Any]:
    """The members of a body; none if it is no JSON object, or one that is nested too deep."""
    members = message.members()
    level: list[Any] = [members]
    for _ in range(_DEEPEST):
        level = [inner for outer in level for inner in _inner(outer)]
        if not level:
            return members
    return {}


def _inner(value: Any) -> list[Any]:
    match value:
        case dict():
            return list(value.values())
        case list():
            return value
        case _:
            return []


def joined(names: AbstractSet[str] | Mapping[str, object] | Sequence[str]) -> str:
    """Names in the order of the alphabet, as a finding says them."""
    return ", ".join(sorted(names)) or "none"
