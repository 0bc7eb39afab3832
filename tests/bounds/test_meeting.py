"""Requests that meet are complete at one instant, and none waits for one that stays away."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from conformance.bounds.meeting import Meeting, next_meeting
from conformance.bounds.transport import BoundedTransport
from conformance.clock import stopwatch

AT_ONCE = 5
LATE = 0.2
"""Seconds by which each request is later than the one before it."""


@contextmanager
def server() -> Iterator[tuple[str, list[float]]]:
    """A server, and the instants at which requests were complete there."""
    complete: list[float] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.do_GET()

        def do_GET(self) -> None:
            complete.append(stopwatch())
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}", complete
        running.shutdown()
        thread.join()


@pytest.mark.parametrize(("method", "content"), [("POST", b"{}"), ("POST", b"1"), ("GET", None)])
def test_requests_that_meet_are_complete_at_one_instant(method: str, content: bytes | None) -> None:
    meeting = Meeting(AT_ONCE)

    def send(http: httpx.Client, number: int) -> int:
        with meeting.attended():
            threading.Event().wait(number * LATE)
            first = http.request(method, "/", content=content)
            return first.status_code + http.get("/").status_code

    with (
        server() as (origin, complete),
        httpx.Client(transport=BoundedTransport(), base_url=origin, trust_env=False) as http,
        ThreadPoolExecutor(AT_ONCE) as pool,
    ):
        assert list(pool.map(lambda number: send(http, number), range(AT_ONCE))) == [400] * AT_ONCE
    first = sorted(complete)[:AT_ONCE]
    assert first[-1] - first[0] < LATE


def test_nobody_waits_for_who_sends_nothing() -> None:
    meeting = Meeting(2)
    with server() as (origin, complete), httpx.Client(transport=BoundedTransport(), base_url=origin) as http:

        def send() -> None:
            with meeting.attended():
                http.post("/", content=b"{}")

        began = stopwatch()
        with ThreadPoolExecutor(1) as pool:
            sent = pool.submit(send)
            with meeting.attended():
                pass
            sent.result()
    assert stopwatch() - began < 1
    assert len(complete) == 1


def test_a_thread_without_a_meeting_has_none() -> None:
    with Meeting(1).attended():
        assert next_meeting() is not None
        assert next_meeting() is None
    assert next_meeting() is None
