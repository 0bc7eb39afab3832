"""The rules for a client that its answers to webhooks show."""

import math
import re
from collections.abc import Iterator, Sequence
from http import HTTPStatus

from conformance.exchange import Delivery
from conformance.findings import Finding
from conformance.planbok.client_checks.findings import SAYS
from conformance.planbok.client_checks.requests import KEY
from conformance.planbok.webhooks import ID_HEADER, TIMESTAMP_HEADER, TOLERANCE, signed_over

_FOR_NOW = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}
"""The refusals that ask for a later try."""
_REFUSED = frozenset(range(HTTPStatus.BAD_REQUEST, HTTPStatus.INTERNAL_SERVER_ERROR)) - {HTTPStatus.TOO_MANY_REQUESTS}
ACCEPTED = range(HTTPStatus.OK, HTTPStatus.MULTIPLE_CHOICES)
"""The statuses by which a client takes a webhook."""
_SECONDS = re.compile(r"[0-9]{1,12}")


def webhook_answers(deliveries: Sequence[Delivery], secret: str) -> Iterator[Finding]:
    """Judge the answers to deliveries.

    An acceptance breaks a rule, whatever else was wrong. A refusal holds a rule only if nothing else was wrong. Of a
    duplicate only a failure can be told, not whether one that was taken counted for nothing.
    """
    taken: set[tuple[str | None, bytes]] = set()
    for delivery in deliveries:
        accepted, refused = delivery.answered in ACCEPTED, delivery.answered in _REFUSED
        signed = signed_over(delivery.request.headers, delivery.request.body, secret) == "raw-body"
        age = _age(delivery)
        fresh = age is not None and age <= TOLERANCE.total_seconds()
        event = (_event_id(delivery), delivery.request.body)
        if not signed and (accepted or (refused and fresh)):
            expected = "a refusal, since its signature does not verify"
            yield _answer("checks-webhook-signature", refused, expected, delivery)
        if age is not None and not fresh and (accepted or (refused and signed)):
            yield _answer("checks-webhook-age", refused, f"a refusal, since it is {age} s from the clock", delivery)
        if signed and fresh and event in taken and not accepted and delivery.answered not in _FOR_NOW:
            yield _answer("survives-duplicates", False, "2xx, as the first time", delivery)
        if signed and accepted:
            taken.add(event)


def refused_for_good(deliveries: Sequence[Delivery], secret: str) -> Iterator[Finding]:
    """The usual events that a client never took, though they were signed rightly and on time.

    One that was refused, and is taken when it comes again, was taken.
    """
    taken: set[tuple[str | None, bytes]] = set()
    refusals: dict[tuple[str | None, bytes], Delivery] = {}
    for delivery in deliveries:
        event = (_event_id(delivery), delivery.request.body)
        if delivery.answered in ACCEPTED:
            taken.add(event)
        elif delivery.answered not in _FOR_NOW and _is_due(delivery, secret):
            refusals.setdefault(event, delivery)
    for event, delivery in refusals.items():
        if event not in taken:
            yield _answer("takes-events", False, "2xx, since it is signed rightly and on time", delivery)


def _is_due(delivery: Delivery, secret: str) -> bool:
    """Whether a webhook had to be taken: signed, and fresh; by each clock, if the answer may be one to its age."""
    signed = signed_over(delivery.request.headers, delivery.request.body, secret) == "raw-body"
    bound = max if delivery.answered in _REFUSED else min
    return signed and bound(_ages(delivery), default=math.inf) <= TOLERANCE.total_seconds()


def _answer(rule: str, held: bool, expected: str, delivery: Delivery) -> Finding:
    where = f"answer to webhook {_event_id(delivery) or 'without id'}"
    return SAYS.judged(rule, held, where, expected, delivery.answered)


def _event_id(delivery: Delivery) -> str | None:
    said = delivery.request.header(ID_HEADER) or delivery.request.members().get(KEY)
    return said if isinstance(said, str) else None


def _age(delivery: Delivery) -> int | None:
    """How many seconds the timestamp of a webhook is from the time it came, by the clock it is nearer to; or None."""
    return min(_ages(delivery), default=None)


def _ages(delivery: Delivery) -> list[int]:
    said = delivery.request.header(TIMESTAMP_HEADER) or ""
    if not _SECONDS.fullmatch(said):
        return []
    clocks = (delivery.at, delivery.machine_at or delivery.at)
    return [abs(math.floor(clock.timestamp()) - int(said)) for clock in clocks]
