"""Answers are read up to a limit of size and of time, whatever a server does."""

import gzip
import socket
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import httpx
import pytest

from conformance.bounds.transport import (
    REPEATABLE,
    WITHIN,
    AnswerRefusedError,
    AnswerTooLongError,
    AnswerTooSlowError,
    BoundedTransport,
    CodingUnknownError,
    Within,
)
from conformance.clock import SystemClock, stopwatch
from tools.hostile.server import Answered, Asked, hostile, send

MAX_BODY = 10_000
DEADLINE = timedelta(seconds=1)
TICK = timedelta(milliseconds=100)
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"

Ask = Callable[[], Answered]


def answered(*parts: bytes, again: bytes = b"", every: timedelta = timedelta(0)) -> Callable[..., None]:
    """What sends bytes, and then others again and again."""

    def harm(connection: socket.socket, _asked: Asked, _ask: Ask) -> None:
        connection.sendall(b"".join(parts))
        while again:
            connection.sendall(again)
            SystemClock().advance(every)

    return harm


@contextmanager
def client(harm: Callable[..., None]) -> Iterator[httpx.Client]:
    transport = BoundedTransport(max_body=MAX_BODY, deadline=DEADLINE)
    with (
        hostile(0, harm, lambda _: True) as origin,
        httpx.Client(transport=transport, base_url=origin, trust_env=False, timeout=5) as http,
    ):
        yield http


def test_an_answer_within_the_limits_is_read_as_it_came() -> None:
    body = b"x" * MAX_BODY
    with client(answered(OK, b"X-Own: 1\r\nContent-Length: 10000\r\n\r\n", body)) as http:
        response = http.get("/")
    assert (response.status_code, response.headers["X-Own"], response.content) == (200, "1", body)


@pytest.mark.parametrize(
    "harm",
    [
        answered(CHUNKED, again=b"400\r\n" + b"x" * 1024 + b"\r\n"),
        answered(OK, b"Content-Length: 99999999999\r\n\r\n", again=b"x" * 1024),
        answered(OK, b"Connection: close\r\n\r\n", again=b"x" * 1024),
        answered(OK, b"Content-Length: 10001\r\n\r\n", b"x" * 10_001),
    ],
    ids=["chunks", "length", "close", "one byte more"],
)
def test_what_is_longer_is_not_read_to_its_end(harm: Callable[..., None]) -> None:
    with (
        client(harm) as http,
        pytest.raises(AnswerTooLongError, match="longer than 10,000 bytes; CONFORMANCE_MAX_BODY=BYTES raises"),
    ):
        http.get("/")


def test_interim_answers_have_an_end() -> None:
    with client(answered(again=b"HTTP/1.1 102 Processing\r\n\r\n" * 1000)) as http, pytest.raises(AnswerRefusedError):
        http.get("/")


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", gzip.compress(bytes(MAX_BODY + 1), mtime=0)),
        ("x-gzip", gzip.compress(bytes(MAX_BODY + 1), mtime=0)),
        ("GZIP, identity, gzip", gzip.compress(gzip.compress(bytes(50_000_000), mtime=0))),
        ("deflate", zlib.compress(bytes(MAX_BODY + 1))),
        ("deflate", zlib.compress(bytes(MAX_BODY + 1))[2:-4]),
    ],
)
def test_a_body_is_counted_as_it_is_decompressed(coding: str, body: bytes) -> None:
    fields = f"Content-Encoding: {coding}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    with client(answered(OK, fields, body)) as http, pytest.raises(AnswerTooLongError, match="10,000"):
        http.get("/")


@pytest.mark.parametrize("coding", ["gzip", "deflate", "gzip, gzip", "identity"])
def test_a_compressed_body_within_the_limit_is_decoded(coding: str) -> None:
    body = b"x" * MAX_BODY
    for each in coding.split(", "):
        body = gzip.compress(body, mtime=0) if each == "gzip" else zlib.compress(body) if each == "deflate" else body
    fields = f"Content-Encoding: {coding}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    with client(answered(OK, fields, body)) as http:
        assert http.get("/").content == b"x" * MAX_BODY


def test_a_coding_that_nothing_limits_is_not_taken_off() -> None:
    with (
        client(answered(OK, b"Content-Encoding: br\r\nContent-Length: 3\r\n\r\nabc")) as http,
        pytest.raises(CodingUnknownError, match="content coding br"),
    ):
        http.get("/")


@pytest.mark.parametrize(
    "harm",
    [
        answered(OK, b"X: ", again=b"a", every=TICK),
        answered(OK, b"Content-Length: 5000\r\n\r\n", again=b" ", every=TICK),
        answered(CHUNKED, again=b"1\r\n \r\n", every=TICK),
        answered(again=b"HTTP/1.1 100 Continue\r\n\r\n", every=TICK),
        answered(OK, b"Content-Length: 5\r\n\r\n", again=b"", every=TICK),
    ],
    ids=["head", "body", "chunks", "interim answers", "nothing"],
)
def test_an_exchange_has_one_deadline_however_it_drips(harm: Callable[..., None]) -> None:
    began = stopwatch()
    with client(harm) as http, pytest.raises(AnswerTooSlowError, match="it took longer than 1 s"):
        http.get("/")
    assert stopwatch() - began < 4 * DEADLINE.total_seconds()


def test_a_request_may_be_limited_more_than_others() -> None:
    within = Within(100, 0.3, "a page may have no more")
    with client(answered(OK, b"Content-Length: 101\r\n\r\n", b"x" * 101)) as http:
        assert http.get("/").content == b"x" * 101
        with pytest.raises(AnswerTooLongError, match="longer than 100 bytes; a page may have no more"):
            http.get("/", extensions={WITHIN: within})
        SystemClock().advance(timedelta(seconds=0.4))
        with pytest.raises(AnswerTooSlowError, match=r"0\.3 s"):
            http.get("/", extensions={WITHIN: within})


class Forgetful:
    """Answers the first request of a connection, and closes it on the second."""

    def __init__(self) -> None:
        self.asked: list[bytes] = []
        self._used: set[int] = set()

    def __call__(self, connection: socket.socket, asked: Asked, _ask: Ask) -> None:
        self.asked.append(asked.body)
        if connection.fileno() in self._used:
            self._used.discard(connection.fileno())
            connection.close()
            return
        self._used.add(connection.fileno())
        send(connection, 200, [], b"")


@pytest.mark.parametrize(
    "again",
    [
        {"method": "GET", "url": "/"},
        {"method": "POST", "url": "/", "headers": {"Idempotency-Key": "1"}, "content": b"once"},
        {"method": "POST", "url": "/", "extensions": {REPEATABLE: True}, "content": b"once"},
    ],
    ids=["GET", "header", "member"],
)
def test_a_connection_that_was_closed_between_requests_is_opened_again(again: dict[str, object]) -> None:
    server = Forgetful()
    with client(server) as http:
        http.get("/")
        assert http.request(**again).status_code == 200  # type: ignore[arg-type]
    assert len(server.asked) == 3


def test_a_request_that_may_not_be_sent_twice_is_not() -> None:
    server = Forgetful()
    with client(server) as http:
        http.get("/")
        with pytest.raises(httpx.TransportError):
            http.post("/", content=b"once")
    assert len(server.asked) == 2


def test_a_connection_that_closes_on_its_first_request_is_not_opened_again() -> None:
    asked: list[Asked] = []

    def close(connection: socket.socket, request: Asked, _ask: Ask) -> None:
        asked.append(request)
        connection.close()

    with client(close) as http, pytest.raises(httpx.RemoteProtocolError):
        http.get("/")
    assert len(asked) == 1
