"""What the webhooks that were received show."""

from collections.abc import Iterable, Iterator

from conformance.exchange import Delivery
from conformance.findings import Finding
from conformance.judging import responses
from conformance.offblocks.checks.base import SAYS, as_created
from conformance.offblocks.checks.history import History
from conformance.specification import Specification


def events(deliveries: Iterable[Delivery], specification: Specification, history: History) -> Iterator[Finding]:
    """Whether each webhook fits the schema of its event, has an id of its own, shows its customer as it was created.

    None may tell of a second customer of one pair.

    Args:
        deliveries: The webhooks in the order in which they came.
        specification: The API's specification.
        history: What the exchanges of the test showed.
    """
    rule = "webhook.event-matches-schema"
    told: dict[str, tuple[object, object]] = {}
    for number, delivery in enumerate(deliveries, start=1):
        kind = delivery.request.header("Content-Type")
        problems = specification.request_problems("customerUpdated", kind, delivery.request.body)
        for problem in responses.first_of_each_place(problems):
            yield SAYS.judged(rule, False, f"webhook {number} {problem.pointer}", problem.expected, problem.got, None)
        if not problems:
            yield SAYS.judged(rule, True, "webhook body", "as the schema says", "so", None)
        event = delivery.request.members()
        change = event.get("id"), event.get("status")
        before = told.setdefault(str(event.get("eventId")), change)
        if not problems:
            where, expected = f"webhook {number} /eventId", "another than that of the event of another change"
            yield SAYS.judged("webhook.event-ids-apart", before == change, where, expected, event.get("eventId"), None)
        created = history.observer.creation(str(event.get("id")))
        if created is not None and not problems:
            yield from as_created(rule, event, created, f"webhook {number} ")
        of_pair = history.observer.customers_with(str(event.get("chainId")), str(event.get("externalId")))
        if of_pair:
            held, expected = event.get("id") in of_pair, " or ".join(sorted(of_pair))
            yield SAYS.judged(
                "customer.no-second-for-a-pair", held, f"webhook {number} /id", expected, event.get("id"), None
            )
