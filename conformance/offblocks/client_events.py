"""The rules for clients of OffBlocks that their answers to webhooks show."""

from collections.abc import Iterator, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING

from conformance.exchange import Delivery
from conformance.findings import Finding, Outcome, Says
from conformance.offblocks.messages import instant

if TYPE_CHECKING:
    from datetime import datetime

_SAYS = Says("offblocks.client.")
_TAKEN = range(HTTPStatus.OK, HTTPStatus.MULTIPLE_CHOICES)
_COUNT = (
    "What a client has stored shows it, and no answer does: conformance webhooks check offblocks --url URL "
    "--probe-url URL judges it."
)
_FORMS = "Only events in unusual forms show it: conformance webhooks check offblocks --url URL sends them."
_UNSEEN = {
    "counts-once": _COUNT,
    **dict.fromkeys(("takes-events", "takes-any-form", "takes-large-events", "takes-unknown-events"), _FORMS),
}
"""The rules that the usual events of a sandbox do not show, with what shows them."""
_FOR_NOW = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}
"""The refusals that ask for a later try."""


def event_answers(deliveries: Sequence[Delivery]) -> Iterator[Finding]:
    """Judge a client's answers to the events that it was sent.

    An answer of 2xx shows that an event was taken, and not whether one that came twice counted for nothing.

    Args:
        deliveries: The events in the order in which they came, with the client's answers.
    """
    taken: set[object] = set()
    latest: dict[str, datetime] = {}
    for delivery in deliveries:
        members, accepted = delivery.request.members(), delivery.answered in _TAKEN
        event, customer, moment = _event(delivery), str(members.get("id")), instant(members.get("updatedAt"))
        if accepted or delivery.answered not in _FOR_NOW:
            if event in taken:
                yield _answer("survives-duplicates", accepted, "2xx, as the first time", delivery)
            elif moment is not None and customer in latest and moment < latest[customer]:
                expected = f"2xx, though one of {latest[customer].isoformat()} was taken before"
                yield _answer("survives-reordering", accepted, expected, delivery)
        if accepted:
            taken.add(event)
            if moment is not None:
                latest[customer] = max(moment, latest.get(customer, moment))


def refused_for_good(deliveries: Sequence[Delivery]) -> Iterator[Finding]:
    """The usual events that a client never took; one that was refused, and is taken when it comes again, was taken.

    Of what comes twice or out of order other rules tell.
    """
    taken = {_event(delivery) for delivery in deliveries if delivery.answered in _TAKEN}
    told = {finding.where for finding in event_answers(deliveries) if finding.outcome is Outcome.BROKEN}
    refusals = {_event(each): each for each in reversed(deliveries) if each.answered not in (*_TAKEN, *_FOR_NOW)}
    for event, delivery in refusals.items():
        finding = _answer("takes-events", held=False, expected="2xx, or it is sent again", delivery=delivery)
        if event not in taken and finding.where not in told:
            yield finding


def unseen(deliveries: Sequence[Delivery]) -> Iterator[Finding]:
    """Why the rules are not judged that no usual event shows, of a client that takes events."""
    if any(delivery.answered in _TAKEN for delivery in deliveries):
        for rule, why in _UNSEEN.items():
            yield Finding(f"{_SAYS.prefix}{rule}", Outcome.SKIPPED, reason=why)


def _event(delivery: Delivery) -> object:
    """What makes two deliveries the same event: the ``eventId``, or the body if there is none."""
    return delivery.request.members().get("eventId") or delivery.request.body


def _answer(rule: str, held: bool, expected: str, delivery: Delivery) -> Finding:  # noqa: FBT001
    event = delivery.request.members().get("eventId", "without eventId")
    return _SAYS.judged(rule, held, f"answer to event {event}", expected, delivery.answered)
