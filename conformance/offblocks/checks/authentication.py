"""What the answer to a request for a token shows, and what one does that asks for authentication."""

import re
from collections.abc import Iterator
from http import HTTPStatus

from conformance.exchange import Exchange
from conformance.findings import Finding
from conformance.offblocks.checks.base import SAYS, TOLERANCE
from conformance.offblocks.checks.history import History
from conformance.offblocks.messages import issued_token
from conformance.offblocks.observer import HOUR
from conformance.offblocks.tokens import said_end

_SCHEME = re.compile(r"\s*[!#$%&'*+.^_`|~0-9A-Za-z-]+(?=[\s,]|$)")
"""The scheme that the value of WWW-Authenticate begins with (RFC 9110, section 11.6.1)."""


def asked_for(exchange: Exchange) -> Iterator[Finding]:
    """Whether an answer with 401 says how to authenticate."""
    if exchange.response.status == HTTPStatus.UNAUTHORIZED:
        value = exchange.response.header("WWW-Authenticate")
        yield SAYS.judged(
            "authentication.refusal-names-a-scheme",
            value is not None and _SCHEME.match(value) is not None,
            "response WWW-Authenticate",
            "a scheme such as Bearer",
            "no such header" if value is None else value,
            exchange,
        )


def token(exchange: Exchange, history: History) -> Iterator[Finding]:
    """Whether a token that was issued expires an hour after it was asked for.

    One that ends sooner, but is not over, may be one that was issued before and is given again as long as it holds,
    which no document rules out, unless the API was seen to issue another one each time.
    """
    issued = issued_token(exchange)
    if issued is not None and said_end(exchange.response.members(), issued[0]) is None:
        yield SAYS.lacking("authentication.token-lives-an-hour", "when a token ends", exchange)
    elif issued is not None:
        lifetime = issued[1] - exchange.at
        if -TOLERANCE <= lifetime < HOUR - TOLERANCE and history.tokens.get(exchange.identity) in {None, issued[0]}:
            yield SAYS.lacking("authentication.token-lives-an-hour", "whether a token is a new one", exchange)
            return
        yield SAYS.judged(
            "authentication.token-lives-an-hour",
            abs(lifetime - HOUR) <= TOLERANCE,
            "response /expiresAt",
            "one hour from now",
            f"{lifetime} from now",
            exchange,
        )
