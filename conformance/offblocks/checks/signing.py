"""What the answer to a signed challenge shows."""

from collections.abc import Iterator

from conformance.exchange import Exchange
from conformance.findings import Finding
from conformance.offblocks.checks.base import SAYS


def no_content(exchange: Exchange) -> Iterator[Finding]:
    """Whether the answer that accepts a signed challenge has no body."""
    if exchange.response.succeeded:
        body = exchange.response.body
        yield SAYS.judged("signing.no-content", not body, "response body", "empty", body, exchange)
