"""What the answer to a request for a token shows."""

from collections.abc import Iterator

from conformance.exchange import Exchange
from conformance.findings import Finding
from conformance.offblocks.checks.base import SAYS, TOLERANCE
from conformance.offblocks.messages import issued_token
from conformance.offblocks.observer import HOUR
from conformance.offblocks.tokens import said_end


def token(exchange: Exchange) -> Iterator[Finding]:
    """Whether a token that was issued expires an hour after it was asked for."""
    issued = issued_token(exchange)
    if issued is not None and said_end(exchange.response.members(), issued[0]) is None:
        yield SAYS.lacking("authentication.token-lives-an-hour", "when a token ends", exchange)
    elif issued is not None:
        lifetime = issued[1] - exchange.at
        yield SAYS.judged(
            "authentication.token-lives-an-hour",
            abs(lifetime - HOUR) <= TOLERANCE,
            "response /expiresAt",
            "one hour from now",
            f"{lifetime} from now",
            exchange,
        )
