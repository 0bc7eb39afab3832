"""Traffic as somebody captured it: each exchange with what the capture does not hold of it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Protocol

from conformance import ConformanceError
from conformance.exchange import Exchange, Message, NotJsonError

REQUEST_BODY, RESPONSE_BODY = "request body", "response body"
"""What a capture may lack of an exchange."""
PROXY_NAME = "wallet-conformance"
"""What our proxy calls itself in Via and Proxy-Status (RFC 9110 section 7.6.3, RFC 9209 section 2)."""
_NOT_MODIFIED = 304
_CLOCKS_AGREE = timedelta(seconds=5)
"""How far the clock of the server may be from that of the recorder for these to be taken as one."""


_YEARS = range(1970, 2200)
"""The years of which traffic can be."""
LONGEST = 86_400.0
"""The most seconds that an answer is believed to have taken: a day."""


class TrafficUnreadableError(ConformanceError, ValueError):
    """A file holds no traffic that can be read; the message names the place and says what is wrong there."""


@dataclass(frozen=True)
class Captured:
    """An exchange as it was captured.

    Args:
        exchange: The exchange as its client saw it.
        asked: The URL at which the API was asked in the end, which a proxy between may have changed.
        is_exact: Whether the body of the request is the one that was sent, to the byte.
        has_clock: Whether it is known what time it was for the server.
        is_cached: Whether a cache gave the answer, so that the server was not asked.
        lacks: What of it the capture does not hold.
        replaced: The places in which secrets were taken out, such as ``request header Authorization``.
    """

    exchange: Exchange
    asked: str
    is_exact: bool = True
    has_clock: bool = True
    is_cached: bool = False
    lacks: frozenset[str] = frozenset()
    replaced: frozenset[str] = field(default=frozenset())

    @property
    def is_answered(self) -> bool:
        """Whether the server answered: no time-out, no lost connection, no proxy of ours in its place."""
        return self.exchange.response.status > 0


class Entry(Protocol):
    """One request in a file, of which the rest is read when it is known to be of an API."""

    @property
    def number(self) -> int:
        """Its number in the file, from 1 up."""

    @property
    def method(self) -> str:
        """The method, in upper case."""

    @property
    def url(self) -> str:
        """The URL, without a fragment."""

    def captured(self) -> Captured:
        """All that the file holds of it.

        Raises:
            TrafficUnreadableError: If something in it cannot be read.
        """


@dataclass(frozen=True)
class Capture:
    """What a file holds.

    Args:
        name: What to call the file.
        entries: The requests, in the order of the file.
        is_ours: Whether our own tools wrote it, which do so when an answer ends.
    """

    name: str
    entries: Sequence[Entry]
    is_ours: bool


class ServerClock:
    """Tells what time it was for the server, as far as the Date of its answers does.

    Date has whole seconds, so that by how much a clock departs is known to a second or two at best: as long as it
    departs by about as much as before, it is taken to depart by just as much, and pauses keep their length.
    """

    def __init__(self) -> None:
        self._departure = timedelta()

    def beside(self, captured: Captured) -> Captured:
        """An exchange with the server's time beside the recorder's, where these differ; one that has both stays.

        The Date of an answer that a cache kept is that of another time (RFC 9111, section 5.1).
        """
        exchange = captured.exchange
        if exchange.machine_at is not None:
            return captured
        date = exchange.response.header("Date")
        if date is None or exchange.response.header("Age") is not None:
            return replace(captured, has_clock=False)
        try:
            said = read_time(parsedate_to_datetime(date).isoformat())
            nearest = min(max(said, exchange.at), exchange.at + timedelta(seconds=exchange.seconds))
            departure = said - nearest
            if abs(departure - self._departure) > _CLOCKS_AGREE:
                self._departure = departure if abs(departure) > _CLOCKS_AGREE else timedelta()
            if not self._departure:
                return captured
            told = exchange.at + self._departure
        except (IndexError, OverflowError, TypeError, ValueError):
            return replace(captured, has_clock=False)
        return replace(captured, exchange=replace(exchange, at=told, machine_at=exchange.at))


def without_answer_of_others(captured: Captured) -> Captured:
    """An exchange without the answer of a proxy or a cache, which says nothing of the server."""
    response = captured.exchange.response
    own = (response.header("Proxy-Status") or "").partition(";")
    if own[0].strip() == PROXY_NAME and "error=" in own[2]:
        unanswered = replace(response, headers=(), body=b"", status=0)
        return replace(captured, exchange=replace(captured.exchange, response=unanswered), lacks=frozenset())
    return replace(captured, is_cached=captured.is_cached or response.status == _NOT_MODIFIED)


def read_time(text: str) -> datetime:
    """When something was recorded (UTC); a time without a zone is taken for one of UTC.

    Raises:
        ValueError: If it is no ISO 8601 time, or one at which nothing of all this was there.
    """
    try:
        said = datetime.fromisoformat(text)
        time = (said if said.tzinfo else said.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError as error:
        raise ValueError(str(error)) from error
    if time.year not in _YEARS:
        raise ValueError(f"the year {time.year}")
    return time


def plain_url(url: str) -> str:
    """A URL without what is not sent: a fragment, and a user with a password, which stand in Authorization then."""
    url = url.partition("#")[0]
    scheme, separator, rest = url.partition("://")
    authority = re.split("[/?]", rest, maxsplit=1)[0]
    if not separator or "@" not in authority:
        return url
    return f"{scheme}://{authority.rpartition('@')[2]}{rest.removeprefix(authority)}"


def is_cut(body: bytes, declared: int) -> bool:
    """Whether a body ends before it should: it is shorter than was said, and no JSON."""
    if not 0 < len(body) < declared:
        return not body and declared > 0
    try:
        Message(body=body).json()
    except NotJsonError:
        return True
    return False
