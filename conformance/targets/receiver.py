"""Receives webhooks on loopback, an address of its own for each test."""

import threading
from collections.abc import Sequence
from datetime import timedelta
from email.message import Message
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase
from typing import Protocol
from urllib.parse import quote

from conformance.clock import Clock, SystemClock, stopwatch
from conformance.exchange import Delivery, Request

_POLL = timedelta(milliseconds=5)
_LISTENING_STOPS_WITHIN = 0.02
"""Seconds."""
_LONGEST_LINE = 65536
"""Bytes of a line before a chunk or after the last."""
_ELSEWHERE = "/elsewhere"
"""The end of the path that a redirect leads to; who follows one is answered 200 there, and has delivered nothing."""


class Hooks(Protocol):
    """The webhook of one test.

    Attributes:
        url: The address that the subject is to send to.
    """

    url: str

    def answer_with(self, *statuses: int) -> None:
        """Answer the next deliveries with these statuses, and those after them with 200."""

    def received(self, *, at_least: int = 0, seconds: float = 5.0) -> Sequence[Delivery]:
        """What came so far, in order, after waiting up to `seconds` for `at_least` deliveries."""


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
        """What came so far, in order, after waiting up to `seconds` for `at_least` deliveries."""
        started = stopwatch()
        while len(self._deliveries) < at_least and stopwatch() - started < seconds:
            SystemClock().advance(_POLL)
        with self._lock:
            return tuple(self._deliveries)

    def take(self, request: Request) -> int:
        """Keep what came, and give the status to answer with."""
        with self._lock:
            status = self._answers.pop(0) if self._answers else 200
            self._deliveries.append(Delivery(0, "first", self._clock.now(), request, status))
        return status


def _body(headers: Message, stream: BufferedIOBase) -> bytes:
    """The body of a request, of a length that is told before it or in chunks (RFC 9112 sections 6 and 7.1).

    Raises:
        ValueError: If it is neither, or ends before it should.
    """
    if headers.get("Transfer-Encoding", "identity").lower() != "chunked":
        return _exactly(stream, _length(headers.get("Content-Length", "0"), 10))
    chunks = []
    while size := _length(stream.readline(_LONGEST_LINE).partition(b";")[0].decode("latin-1"), 16):
        chunks.append(_exactly(stream, size))
        _exactly(stream, len(b"\r\n"))
    while stream.readline(_LONGEST_LINE).strip():
        pass  # trailers, which say nothing of the body
    return b"".join(chunks)


def _length(text: str, base: int) -> int:
    if not text.strip().isalnum():
        raise ValueError(f"{text!r} is no length")
    return int(text, base)


def _exactly(stream: BufferedIOBase, size: int) -> bytes:
    if len(body := stream.read(size)) < size:
        raise ValueError(f"{len(body)} of {size} bytes came")
    return body


class Receiver:
    """An HTTP server on loopback that receives the webhooks of all tests of a run.

    Args:
        port: Where it listens; 0 for any port that is free.

    Raises:
        OSError: If it cannot listen there.
    """

    def __init__(self, port: int = 0) -> None:
        mailboxes: dict[str, Mailbox] = {}

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                mailbox = mailboxes.get(self.path)
                try:
                    body = _body(self.headers, self.rfile)
                except ValueError:
                    status: int = HTTPStatus.BAD_REQUEST
                else:
                    request = Request(tuple(self.headers.items()), body, "POST", self.path)
                    status = mailbox.take(request) if mailbox else HTTPStatus.NOT_FOUND
                self.send_response(status)
                if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
                    self.send_header("Location", f"{self.path}{_ELSEWHERE}")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def do_GET(self) -> None:
                is_elsewhere = self.path.endswith(_ELSEWHERE)
                self.send_response(HTTPStatus.OK if is_elsewhere else HTTPStatus.NOT_IMPLEMENTED)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the name is the base class's)
                pass

        self._mailboxes = mailboxes

        class Server(ThreadingHTTPServer):
            request_queue_size = 128  # the usual 5 makes webhooks that come at once wait for a second

        self._server = Server(("127.0.0.1", port), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(_LISTENING_STOPS_WITHIN,), daemon=True)
        self._thread.start()

    def mailbox(self, test: str, clock: Clock, path: str | None = None) -> Mailbox:
        """The webhook of a test, at an address of its own or at `path`, which then is no other test's any more."""
        path = path or f"/{quote(test)}"
        mailbox = Mailbox(f"http://127.0.0.1:{self._server.server_port}{path}", clock)
        self._mailboxes[path] = mailbox
        return mailbox

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
