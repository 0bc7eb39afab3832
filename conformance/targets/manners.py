"""How a run treats a server of somebody else's: no faster than it may be asked, and left alone while it is busy."""

import threading
from collections.abc import Callable, Mapping
from datetime import UTC, timedelta
from email.utils import parsedate_to_datetime

import httpx

from conformance.bounds.transport import REPEATABLE
from conformance.clock import Clock
from conformance.recording.patience import GUESSES, BusyError, DroppedError, is_busy
from conformance.scenario import needs

__all__ = ["KINDS", "PoliteTransport"]

KINDS = ("read", "write")
"""The kinds of requests that have a rate of their own."""
_UNIMPORTANT_SKEW = 2
"""The seconds by which a Date of whole seconds, that took a while to come, may differ."""
_READS = frozenset({"GET", "HEAD", "OPTIONS"})


class PoliteTransport(httpx.BaseTransport):
    """Sends requests no faster than a rate, and tells who sends them that the server is busy.

    Up to a second's worth of requests may come at once: a token bucket for reads, one for writes.

    Args:
        inner: What sends.
        clock: What waits.
        rates: How many requests a second may be sent, by ``read`` and ``write``; as many as come where none is given.
        tell: Is told, in a sentence, that the server was busy, or that its clock is another.
        most: How many requests are sent at most; None for as many as come.
    """

    def __init__(
        self,
        inner: httpx.BaseTransport,
        clock: Clock,
        rates: Mapping[str, float],
        tell: Callable[[str], None],
        *,
        most: int | None = None,
    ) -> None:
        self._inner = inner
        self._clock = clock
        self._buckets = {name: _Bucket(rate, clock) for name, rate in rates.items()}
        self._tell = tell
        self._left = most
        self._most = most
        self._has_answered = False
        self._lock = threading.Lock()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request.

        Raises:
            BusyError: If the server is too busy to look at it; where a secret is guessed, that is its answer. If the
                connection ended before an answer came, after others were given, and the request may be sent again.
            NeedError: If no more requests may be sent.
        """
        self._count()
        bucket = self._buckets.get("read" if request.method in _READS else "write")
        if bucket is not None and (pause := bucket.delay()):
            self._clock.advance(pause)
        try:
            response = self._inner.handle_request(request)
        except (httpx.NetworkError, httpx.RemoteProtocolError) as error:
            if not self._has_answered or not _may_be_sent_again(request, error):
                raise
            self._tell("A connection ended at times before an answer came; what may be sent twice was then sent again.")
            raise DroppedError(error, self._clock) from error
        if not self._has_answered:
            self._has_answered = True
            self._compare_clocks(response)
        if is_busy(response) and not request.extensions.get(GUESSES):
            response.read()
            response.close()
            self._tell(
                "The server answered at times that it was asked too often; it was then asked again later. "
                "--rate N sends N requests a second."
            )
            raise BusyError(response, self._clock)
        return response

    def _compare_clocks(self, response: httpx.Response) -> None:
        """Tell if the server's Date departs from this machine's clock so far that signatures or expiry may suffer."""
        try:
            date = parsedate_to_datetime(response.headers.get("Date", "")).astimezone(UTC)
        except (ValueError, OverflowError):
            return
        skew = round((date - self._clock.now()).total_seconds())
        if abs(skew) > _UNIMPORTANT_SKEW:
            self._tell(
                f"The server's clock is {abs(skew)} s {'ahead of' if skew > 0 else 'behind'} this machine's, by its "
                "Date: it may refuse what seems old or of the future to it. Set this machine's clock."
            )

    def _count(self) -> None:
        with self._lock:
            if self._left == 0:
                needs(f"more requests; --max-requests {self._most} ended the run")
            if self._left is not None:
                self._left -= 1

    def close(self) -> None:
        """Close the connections."""
        self._inner.close()


def _may_be_sent_again(request: httpx.Request, error: httpx.TransportError) -> bool:
    """Whether the server has not read a request, or takes the same twice for one (RFC 9110, section 9.2.2)."""
    is_idempotent = request.method in _READS or "Idempotency-Key" in request.headers
    return is_idempotent or request.extensions.get(REPEATABLE, False) or isinstance(error, httpx.ConnectError)


class _Bucket:
    def __init__(self, rate: float, clock: Clock) -> None:
        self._rate = rate
        self._clock = clock
        self._lock = threading.Lock()
        self._free_at = clock.now()

    def delay(self) -> timedelta:
        """How long the next request has to wait; it is counted as sent then."""
        with self._lock:
            now = self._clock.now()
            self._free_at = max(self._free_at, now - timedelta(seconds=1)) + timedelta(seconds=1 / self._rate)
            return max(self._free_at - now, timedelta())
