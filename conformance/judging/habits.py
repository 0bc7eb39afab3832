"""What a client does again and again that no sentence forbids: told as advice, which breaks no rule."""

from collections import deque
from collections.abc import Iterator
from datetime import datetime, timedelta
from http import HTTPStatus
from urllib.parse import parse_qsl, unquote

from conformance.api import Api
from conformance.exchange import Exchange

_MOST_REMEMBERED = 10_000
"""How many signatures and ids are remembered of one client."""
_SECOND, _MINUTE = timedelta(seconds=1), timedelta(minutes=1)
_READS_A_SECOND, _TOKENS_A_MINUTE = 20, 3
_SHORTEST_ID = 6
"""The characters of an id of the client's own that is recognised elsewhere."""


class Habits:
    """What one client did before, so far as a repetition of it is worth a word.

    Args:
        api: The API that it speaks to.
    """

    def __init__(self, api: Api) -> None:
        self._api = api
        self._signatures: set[str] = set()
        self._reads: dict[str, deque[datetime]] = {}
        self._tokens: deque[datetime] = deque(maxlen=_TOKENS_A_MINUTE)
        self._given: dict[str, str] = {}
        self._made: dict[tuple[str, ...], str] = {}

    def of(self, exchange: Exchange) -> Iterator[tuple[str, str]]:
        """What an exchange shows beside those before it: the place, and what to do; see `advice_on`.

        Args:
            exchange: The request with its answer, its operation, and the rules that it breaks.
        """
        at = exchange.machine_at or exchange.at
        yield from self._signature_again(exchange)
        yield from self._token_again(exchange, at)
        yield from self._reads_at_once(exchange, at)
        yield from self._own_id_in_url(exchange)
        yield from self._made_again(exchange)

    def _signature_again(self, exchange: Exchange) -> Iterator[tuple[str, str]]:
        """A repetition of what got no answer may be made by what sends it, below the client's own code."""
        signature = exchange.request.header("Signature")
        if (
            signature is None
            or not exchange.response.status
            or exchange.response.status >= HTTPStatus.TOO_MANY_REQUESTS
        ):
            return
        if signature in self._signatures:
            said = (
                "The same signature came before. Sign each request anew: a server that remembers signatures takes "
                "the second for a replay (RFC 9421, section 7.2.2)."
            )
            yield "request header Signature", said
        elif len(self._signatures) < _MOST_REMEMBERED:
            self._signatures.add(signature)

    def _token_again(self, exchange: Exchange, at: datetime) -> Iterator[tuple[str, str]]:
        if exchange.operation == self._api.issues_token and exchange.response.succeeded:
            self._tokens.append(at)
            if len(self._tokens) == _TOKENS_A_MINUTE and at - self._tokens[0] < _MINUTE:
                yield "request path", "It asks for a token again and again within a minute. Keep one until it expires."

    def _reads_at_once(self, exchange: Exchange, at: datetime) -> Iterator[tuple[str, str]]:
        request = exchange.request
        if request.method != "GET" or len(self._reads) >= _MOST_REMEMBERED:
            return
        before = self._reads.setdefault(request.url, deque(maxlen=_READS_A_SECOND))
        is_fast = len(before) == _READS_A_SECOND and timedelta() <= at - before[0] < _SECOND
        before.append(at)
        if is_fast and not exchange.breaks:
            said = (
                f"It is read more than {_READS_A_SECOND} times within a second. Pause between reads, longer each "
                "time, or wait for the webhook."
            )
            yield "request path", said

    def _own_id_in_url(self, exchange: Exchange) -> Iterator[tuple[str, str]]:
        places = [("request path", unquote(value)) for value in exchange.parameters.values()]
        places += [
            ("request query", part) for _, value in parse_qsl(exchange.request.query) for part in value.split(",")
        ]
        searches = {name for name, _ in parse_qsl(exchange.request.query)}
        for where, value in dict.fromkeys(places):
            member = self._given.get(value)
            if member is not None and member not in searches:
                yield (
                    where,
                    f"It has {value!r}, which is the {member} that you gave; put the id there that the API gave.",
                )

    def _made_again(self, exchange: Exchange) -> Iterator[tuple[str, str]]:
        members = self._api.own_ids.get(exchange.operation or "")
        if members is None or not exchange.response.succeeded:
            return
        sent, shown = exchange.request.members(), exchange.response.members()
        values = tuple(str(sent.get(name)) for name in members)
        if len(self._given) < _MOST_REMEMBERED and len(values[0]) >= _SHORTEST_ID:
            self._given[values[0]] = members[0]
        made = str(shown.get("id") or (shown.get("data") or {}).get("id"))
        before = self._made.setdefault(values, made) if len(self._made) < _MOST_REMEMBERED else made
        if before != made:
            said = (
                f"There is {before} with the same {' and '.join(members)} already. Look for it before you make "
                "another; a repetition of the same request keeps its idempotency key."
            )
            yield f"request /{members[0]}", said
