"""The rules for webhooks that their bodies and headers show. Signatures, which take the secret, are not judged here."""

import re
from collections.abc import Iterator, Sequence

from conformance.findings import Finding
from conformance.judging import responses
from conformance.planbok.checks.agreement import agreement
from conformance.planbok.checks.answers import SAYS, Event, joined
from conformance.planbok.checks.overview import Overview
from conformance.planbok.messages import event_of
from conformance.specification import Specification

_DESCRIBED_EVENTS = {
    "wallet.created": "walletCreated",
    "customer.created": "customerCreated",
    "customer.pin_setup": "customerPinSetup",
    "customer.locked_out": "customerLockedOut",
    "customer.recovery_initiated": "customerRecoveryInitiated",
    "customer.recovery_completed": "customerRecoveryCompleted",
}
"""The events in the specification, each with its operation."""
_ENDS_OF_TRANSACTIONS = ("created", "signed", "broadcast", "confirmed", "failed", "accelerated", "cancelled")
_LISTED_EVENTS = {*_DESCRIBED_EVENTS, *(f"transaction.{end}" for end in _ENDS_OF_TRANSACTIONS)}
"""The events that the vendor's page lists."""
_UNLISTED_EVENTS = {"challenge.completed", "customer.setup_completed"}
"""The events that a client takes beside them."""
_FRESH_SECONDS = 300
_SECONDS = re.compile(r"[0-9]{1,15}")


def single_event(
    event: Event, bodies: dict[str, object], overview: Overview, specification: Specification
) -> Iterator[Finding]:
    """Judge one webhook.

    Args:
        event: The webhook.
        bodies: The body that came first with each event's id; that of this one is added.
        overview: What all exchanges and webhooks show.
        specification: The API's specification.
    """
    yield from _form(event, specification)
    yield _id(event, bodies)
    yield from _time(event)
    for shown in event.wallets if event_of(event.delivery) == "wallet.created" else ():
        yield from agreement("webhook.agrees-with-list", shown, overview.listed, overview, None)


def _form(event: Event, specification: Specification) -> Iterator[Finding]:
    """Judge a body by the schema of events, which differs in nothing but the name from one event to the other."""
    request = event.delivery.request
    operation = _DESCRIBED_EVENTS.get(event_of(event.delivery) or "", "walletCreated")
    found = specification.request_problems(operation, request.header("Content-Type"), request.body)
    problems = responses.first_of_each_place(problem for problem in found if not problem.expected.startswith("const "))
    for problem in problems:
        where = f"{event.where} {problem.pointer}"
        yield SAYS.judged("webhook.event-matches-schema", False, where, problem.expected, problem.got, None)
    if not problems:
        yield SAYS.judged("webhook.event-matches-schema", True, f"{event.where} body", "as the schema says", "so", None)


def _id(event: Event, bodies: dict[str, object]) -> Finding:
    """Judge the id of an event: one that is sent again keeps it, though its `timestamp` may be that of the new try."""
    key, header = event.members.get("idempotencyKey"), event.delivery.request.header("X-Webhook-Id")
    reading, identifier = "idempotency-key", key
    if not isinstance(key, str) or not key:
        reading, identifier = "header-only", header
    body = {**event.members, "timestamp": None} if event.members else event.delivery.request.body
    own = bool(identifier) and bodies.setdefault(str(identifier), body) == body
    return SAYS.read(
        "webhook.event-id",
        reading if own else None,
        f"{event.where}, idempotencyKey and X-Webhook-Id",
        "an id in one of them, which no other event has",
        f"{identifier}, which another event has" if identifier and not own else identifier or "neither",
        None,
    )


def _time(event: Event) -> Iterator[Finding]:
    """Judge whether the timestamp of a webhook is that of its arrival."""
    sent = event.delivery.request.header("X-Webhook-Timestamp")
    if sent is None:
        return
    now = event.delivery.at.timestamp()
    yield SAYS.judged(
        "webhook.timestamp-is-fresh",
        bool(_SECONDS.fullmatch(sent)) and abs(int(sent) - now) <= _FRESH_SECONDS,
        f"{event.where} header X-Webhook-Timestamp",
        f"within {_FRESH_SECONDS} of {now:.0f}, when it came",
        sent,
        None,
    )


def event_names(events: Sequence[Event]) -> Iterator[Finding]:
    """Judge the names of all events together, by the source that lists them."""
    names = {name for event in events if (name := event_of(event.delivery))}
    if not names:
        return
    listed = "challenge-completed-too" if names & _UNLISTED_EVENTS else "listed-only"
    yield SAYS.read(
        "webhook.event-names",
        listed if names <= _LISTED_EVENTS | _UNLISTED_EVENTS else None,
        "webhooks /event",
        "events that the sources name",
        joined(names),
        None,
    )
