"""What an answer shows of how the server checks the signature of a request."""

from collections.abc import Iterator
from http import HTTPStatus

from conformance.exchange import Exchange
from conformance.findings import Finding
from conformance.offblocks.checks.base import SAYS, is_plain
from conformance.offblocks.checks.history import History

_UNSIGNED = frozenset({"createToken", "putSigningKey", "deleteSigningKey", None})
"""The operations whose requests need no signature, and requests for none of the described operations."""


def right_signature(exchange: Exchange, history: History) -> Iterator[Finding]:
    """Whether a request that is signed as the documents say was accepted.

    Args:
        exchange: The exchange, which is not yet in the history.
        history: What came before it.
    """
    customer = exchange.parameters.get("customerId")
    if not is_plain(exchange) or exchange.operation in _UNSIGNED:
        return
    known = history.observer.creation(customer)
    if customer is not None and (known is None or known.identity != exchange.identity):
        return
    status = exchange.response.status
    if not exchange.response.succeeded and status != HTTPStatus.UNAUTHORIZED:
        return
    yield SAYS.judged(
        "signature.right-one-accepted",
        status != HTTPStatus.UNAUTHORIZED,
        "response status",
        "not 401: the request is signed as the documents say",
        f"{status} {exchange.response.members().get('detail', '')}".strip(),
        exchange,
    )
