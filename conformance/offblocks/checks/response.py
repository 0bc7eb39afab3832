"""What an answer's form shows: its status, its media type, its schema."""

from collections.abc import Iterator
from http import HTTPStatus

from conformance.exchange import Exchange
from conformance.findings import Finding
from conformance.judging import responses
from conformance.offblocks.checks.base import SAYS
from conformance.specification import Specification


def form(exchange: Exchange, specification: Specification) -> Iterator[Finding]:
    """What the form of an answer says of the rules about responses.

    Args:
        exchange: The exchange with the answer.
        specification: The API's specification.
    """
    response = exchange.response
    yield responses.no_server_error(SAYS, exchange)
    operation = exchange.operation
    if operation is None or response.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return
    yield SAYS.judged(
        "response.status-documented",
        specification.documents_status(operation, response.status),
        "response status",
        f"one that the reference lists for {operation}",
        response.status,
        exchange,
    )
    kinds = specification.content_types(operation, response.status)
    if response.status >= HTTPStatus.MULTIPLE_CHOICES or not kinds:
        return
    yield responses.media_type(SAYS, exchange, kinds)
    yield from responses.schema(SAYS, exchange, specification, kinds[0])
