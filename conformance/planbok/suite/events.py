"""Events as scenarios look for them and tell them apart."""

from collections.abc import Iterable

from conformance.exchange import Delivery
from conformance.planbok.messages import event_of, names_customer
from conformance.planbok.webhooks import ID_HEADER


def events_about(deliveries: Iterable[Delivery], kind: str, names: Iterable[str]) -> list[Delivery]:
    """The events of a kind that name one of these ids or addresses."""
    wanted = sorted(names)
    return [event for event in deliveries if event_of(event) == kind and names_customer(event, wanted)]


def identifier(event: Delivery) -> str:
    """What tells an event from others: its id in the body or in the header, else what it says."""
    key = event.request.members().get("idempotencyKey")
    return key if isinstance(key, str) else event.request.header(ID_HEADER) or event.request.body.decode("latin-1")
