"""Receives webhooks on loopback, an address of its own for each test."""

import threading
from asyncio import TimerHandle, Transport
from collections.abc import Sequence
from datetime import timedelta
from http import HTTPStatus
from urllib.parse import quote, urlsplit

import h11

from conformance.clock import Clock, SystemClock, stopwatch
from conformance.exchange import Delivery, Request
from conformance.sandbox.in_process import reach, reach_no_more
from conformance.sandbox.request_target import AsSentProtocol, target_of
from conformance.sandbox.threaded_server import Message, Receive, Send, ThreadedServer

_POLL = timedelta(milliseconds=5)
_ELSEWHERE = "/elsewhere"
"""The end of the path that a redirect leads to; who follows one is answered 200 there, and has delivered nothing."""


_SECONDS = 10.0
"""How long a request may take to come."""
_LARGEST_BODY = 1024 * 1024
"""The bytes of a webhook."""
_MOST_KEPT, _LARGEST_KEPT = 1_000, 16 * 1024 * 1024
"""The webhooks of one test that are kept, and their bytes."""
_MOST_CONNECTIONS = 100
"""The connections that are served at once; another one is answered 503."""


class Mailbox:
    """The webhook of one test at a `Receiver`.

    Args:
        url: Its address.
        clock: The test's clock, which stamps deliveries.

    Attributes:
        queries: What its addresses have behind the path.
    """

    def __init__(self, url: str, clock: Clock) -> None:
        self.url = url
        self.queries = {""}
        self._clock = clock
        self._bytes = 0
        self._answers: list[int] = []
        self._deliveries: list[Delivery] = []
        self._lock = threading.Lock()

    def beside(self, name: str) -> str:
        """A further address of the same test, which has this name for a query."""
        self.queries.add(name)
        return f"{self.url}?{name}"

    def answer_with(self, *statuses: int) -> None:
        """Answer the next deliveries with these statuses, a redirect leading elsewhere, and those after with 200."""
        self._answers = list(statuses)

    def received(self, *, at_least: int = 0, seconds: float = 5.0) -> Sequence[Delivery]:
        """The webhooks that came so far, in order, after waiting up to `seconds` for `at_least` deliveries."""
        started = stopwatch()
        while len(self._deliveries) < at_least and stopwatch() - started < seconds:
            SystemClock().advance(_POLL)
        with self._lock:
            return tuple(self._deliveries)

    def take(self, request: Request) -> int:
        """Keep a webhook, and give the status to answer it with: 503, and it is not kept, if there are too many."""
        with self._lock:
            self._bytes += len(request.body)
            if len(self._deliveries) >= _MOST_KEPT or self._bytes > _LARGEST_KEPT:
                return HTTPStatus.SERVICE_UNAVAILABLE
            status = self._answers.pop(0) if self._answers else 200
            self._deliveries.append(Delivery(0, "first", self._clock.now(), request, status))
        return status


class _Protocol(AsSentProtocol):
    """Answers 400, as to anything that is no HTTP, if a sender stops in the middle of a body; waits for 10 seconds."""

    _slow: TimerHandle | None = None

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what has come; a request must be whole in time, however it drips."""
        if self._slow is None and self.conn.their_state is h11.IDLE:
            self._wait()
        super().data_received(data)
        if self.conn.their_state not in {h11.IDLE, h11.SEND_BODY}:
            self._stop_waiting()

    def _wait(self) -> None:
        self._slow = self.loop.call_later(_SECONDS, self._end)

    def _stop_waiting(self) -> None:
        if self._slow is not None:
            self._slow.cancel()
            self._slow = None

    def _end(self) -> None:
        self._slow = None
        self.transport.abort()

    def eof_received(self) -> None:
        if self.conn.their_state is h11.SEND_BODY:
            self.data_received(b"")


class Receiver:
    """An HTTP server on loopback that receives the webhooks of all tests of a run.

    Args:
        port: Where it listens; 0 for any port that is free.

    Raises:
        OSError: If it cannot listen there.
    """

    def __init__(self, port: int = 0) -> None:
        self._mailboxes: dict[str, Mailbox] = {}
        self._server = ThreadedServer(
            self._serve, "127.0.0.1", port, protocol=_Protocol, most_connections=_MOST_CONNECTIONS
        )
        reach(self._server.origin, self._serve)

    def mailbox(self, test: str, clock: Clock, path: str | None = None, forwarded: str | None = None) -> Mailbox:
        """The webhook of a test, at an address of its own or at `path`, which then belongs to no other test.

        Args:
            test: The id of the test.
            clock: The test's clock.
            path: The path; None for one of the test's own.
            forwarded: The address elsewhere from which requests come here, with the path as it is; None if nothing
                stands between.
        """
        if path is None:
            path = f"{urlsplit(forwarded or '').path}/{quote(test)}"
        url = f"{forwarded}/{quote(test)}" if forwarded else f"{self._server.origin}{path}"
        mailbox = Mailbox(url, clock)
        self._mailboxes[path] = mailbox
        return mailbox

    def close(self) -> None:
        """Stop listening."""
        reach_no_more(self._server.origin)
        self._server.stop()

    async def _serve(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request, as an ASGI 3 application; a request that its client breaks off does not count."""
        target = target_of(scope).decode("latin-1")
        body, more = bytearray(), True
        while more and len(body) <= _LARGEST_BODY:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            more = message.get("more_body", False)
        headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"])
        is_whole = len(body) <= _LARGEST_BODY
        answer = self._answer if is_whole else _refuse
        status = answer(Request(headers, bytes(body), scope["method"], target))
        redirects = HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST
        location = [(b"location", f"{target}{_ELSEWHERE}".encode("latin-1"))] if redirects else []
        rest = [(b"content-length", b"0"), *([] if is_whole else [(b"connection", b"close")])]
        await send({"type": "http.response.start", "status": status, "headers": [*location, *rest]})
        await send({"type": "http.response.body"})

    def _answer(self, request: Request) -> int:
        if request.method == "POST":
            path, _, query = request.url.partition("?")
            mailbox = self._mailboxes.get(path)
            return mailbox.take(request) if mailbox and query in mailbox.queries else HTTPStatus.NOT_FOUND
        is_elsewhere = request.method == "GET" and request.url.endswith(_ELSEWHERE)
        return HTTPStatus.OK if is_elsewhere else HTTPStatus.NOT_IMPLEMENTED


def _refuse(_request: Request) -> int:
    return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
