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


def customers_as_created(answer: Answer, overview: Overview) -> Iterator[Finding]:
    """Judge how customers are shown by the requests that created them."""
    for pointer, entry in entries_of(answer):
        identifier = entry.get("id") if isinstance(entry, dict) else None
        creation = overview.observer.creation(identifier) if isinstance(identifier, str) else None
        if creation is None:
            continue
        for name in ("name", "refId"):
            expected = creation.members.get(name)
            if isinstance(expected, str) and name in entry:
                yield SAYS.judged(
                    "customer.names-kept",
                    entry[name] == expected,
                    f"response {pointer}/{name}",
                    f"{expected}, as at creation",
                    entry[name],
                    answer.exchange,
                )


def customer_readable(answer: Answer, overview: Overview) -> Iterator[Finding]:
    """Judge whether a customer that the same client created is found under its id."""
    exchange, identifier = answer.exchange, str(answer.call.customer)
    creation = overview.observer.creation(identifier)
    if creation is None:
        return
    if isinstance(answer.data, dict) and "id" in answer.data:
        got = answer.data["id"]
        yield SAYS.judged(
            "customer.readable", got == identifier, "response /data/id", f"{identifier}, as at creation", got, exchange
        )
    elif (
        not isinstance(answer.data, dict)
        and exchange.response.status == HTTPStatus.NOT_FOUND
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
