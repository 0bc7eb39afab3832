"""Receives webhooks on loopback, an address of its own for each test."""

import threading
from collections.abc import Sequence
from datetime import timedelta
from http import HTTPStatus
from urllib.parse import quote

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from conformance.clock import Clock, SystemClock, stopwatch
from conformance.exchange import Delivery, Request
from conformance.sandbox.threaded_server import Message, Receive, Send, ThreadedServer

_POLL = timedelta(milliseconds=5)
_ELSEWHERE = "/elsewhere"
"""The end of the path that a redirect leads to; who follows one is answered 200 there, and has delivered nothing."""


class Mailbox:
    """The webhook of one test at a `Receiver`.

    Args:
        url: Its address.
        clock: The test's clock, which stamps deliveries.
    """

    def __init__(self, url: str, clock: Clock) -> None:
        self.url = url
        self._clock = clock
        self._answers: list[int] = []
        self._deliveries: list[Delivery] = []
        self._lock = threading.Lock()

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
        """Keep a webhook, and give the status to answer it with."""
        with self._lock:
            status = self._answers.pop(0) if self._answers else 200
            self._deliveries.append(Delivery(0, "first", self._clock.now(), request, status))
        return status


class _Protocol(H11Protocol):
    """Answers 400, as to anything that is no HTTP, if a sender stops in the middle of a body."""

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
        self._server = ThreadedServer(self._serve, "127.0.0.1", port, protocol=_Protocol)

    def mailbox(self, test: str, clock: Clock, path: str | None = None) -> Mailbox:
        """The webhook of a test, at an address of its own or at `path`, which then belongs to no other test."""
        path = path or f"/{quote(test)}"
        mailbox = Mailbox(f"{self._server.origin}{path}", clock)
        self._mailboxes[path] = mailbox
        return mailbox

    def close(self) -> None:
        """Stop listening."""
        self._server.stop()

    async def _serve(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request, as an ASGI 3 application; a request that its client breaks off does not count."""
        target = (scope["raw_path"] + (b"?" + scope["query_string"] if scope["query_string"] else b"")).decode(
            "latin-1"
        )
        body, more = b"", True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body, more = body + message.get("body", b""), message.get("more_body", False)
        headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"])
        status = self._answer(Request(headers, body, scope["method"], target))
        redirects = HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST
        location = [(b"location", f"{target}{_ELSEWHERE}".encode("latin-1"))] if redirects else []
        await send({"type": "http.response.start", "status": status, "headers": [*location, (b"content-length", b"0")]})
        await send({"type": "http.response.body"})

    def _answer(self, request: Request) -> int:
        if request.method == "POST":
            mailbox = self._mailboxes.get(request.url)
            return mailbox.take(request) if mailbox else HTTPStatus.NOT_FOUND
        is_elsewhere = request.method == "GET" and request.url.endswith(_ELSEWHERE)
        return HTTPStatus.OK if is_elsewhere else HTTPStatus.NOT_IMPLEMENTED
