"""The rules for customers that answers show: the form of an id, and what a customer was created with."""

from collections.abc import Iterator
from http import HTTPStatus

from conformance.findings import Finding
from conformance.planbok.checks.answers import SAYS, Answer, entries_of, id_form
from conformance.planbok.checks.overview import Overview


def id_forms(answer: Answer) -> Iterator[Finding]:
    """Judge the form of each customer's id in an answer."""
    for pointer, entry in entries_of(answer):
        identifier = entry.get("id") if isinstance(entry, dict) else None
        if isinstance(identifier, str):
            yield SAYS.read(
                "customer.id-form",
                id_form(identifier),
                f"response {pointer}/id",
                "24 hexadecimal digits or a UUID",
                identifier,
                answer.exchange,
            )


def customer_as_created(answer: Answer, overview: Overview) -> Iterator[Finding]:
    """Judge the answer to a read of a customer by the request that created it."""
    exchange, identifier = answer.exchange, str(answer.call.customer)
    creation = overview.observer.creation(identifier)
    if creation is None:
        return
    if isinstance(answer.data, dict):
        for rule, name, expected in (
            ("customer.readable", "id", identifier),
            ("customer.names-kept", "name", creation.members.get("name")),
            ("customer.names-kept", "refId", creation.members.get("refId")),
        ):
            if isinstance(expected, str) and name in answer.data:
                yield SAYS.judged(
                    rule,
                    answer.data[name] == expected,
                    f"response /data/{name}",
                    f"{expected}, as at creation",
                    answer.data[name],
                    exchange,
                )
    elif (
        exchange.response.status == HTTPStatus.NOT_FOUND
        and creation.identity == exchange.identity
        and not exchange.breaks
    ):
        yield SAYS.judged(
            "customer.readable",
            False,
            "response status",
            "2xx, since the same client created the customer",
            exchange.response.status,
            exchange,
        )
