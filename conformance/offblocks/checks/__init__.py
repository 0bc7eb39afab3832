"""The rules for OffBlocks that a list of exchanges can show, one module a topic: exchanges in, findings out."""

from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus

from conformance.exchange import Delivery, Exchange
from conformance.findings import Finding
from conformance.offblocks.checks import (
    authentication,
    challenge,
    customer,
    printed,
    response,
    signature,
    signing,
    webhook,
)
from conformance.offblocks.checks.customer import is_partial, listed
from conformance.offblocks.checks.history import History
from conformance.specification import Specification

__all__ = ["is_partial", "listed", "provider_findings"]


def provider_findings(
    exchanges: Sequence[Exchange],
    deliveries: Sequence[Delivery],
    specification: Specification,
    settings: Mapping[str, str],
) -> list[Finding]:
    """What the rules for the provider say of the exchanges and webhooks of one test.

    Args:
        exchanges: The exchanges in the order of their ends.
        deliveries: The webhooks received.
        specification: The API's specification.
        settings: The API's settings; ``expected_domain`` if challenges must name one domain.
    """
    history = History.before(exchanges)
    findings: list[Finding] = []
    for exchange in exchanges:
        findings += response.form(exchange, specification)
        findings += printed.members(exchange, specification)
        findings += _content(exchange, history, settings)
        history.learn(exchange)
    findings += webhook.events(deliveries, specification, history)
    return findings


def _content(exchange: Exchange, history: History, settings: Mapping[str, str]) -> Iterator[Finding]:
    """What the rules of each topic say of an exchange."""
    yield from authentication.asked_for(exchange)
    yield from signature.right_signature(exchange, history)
    identifier, is_ok = exchange.parameters.get("customerId"), exchange.response.status == HTTPStatus.OK
    match exchange.operation:
        case "createToken":
            yield from authentication.token(exchange, history)
        case "createCustomer":
            yield from customer.creation(exchange, history, settings)
            yield from challenge.created(exchange, history, settings)
        case "getCustomer" if (created := history.observer.creation(identifier)) is not None and is_ok:
            yield from customer.reading(exchange, created, history)
        case "listCustomers" if is_ok:
            yield from customer.listing(exchange, history)
        case "getChallenge" if identifier is not None and is_ok:
            yield from challenge.fetched(exchange, identifier, history, settings)
        case "signChallenge":
            yield from signing.no_content(exchange)
