"""What is asked in the sandbox's own process is answered as over sockets."""

import asyncio
import ssl
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import httpx
import pytest

from conformance.bounds.transport import BoundedTransport
from conformance.clock import FrozenClock
from conformance.exchange import Headers
from conformance.sandbox.in_process import InProcessPool, InProcessTransport
from conformance.sandbox.server import RunningSandbox, start
from conformance.sandbox.threaded_server import Message, ThreadedServer
from conformance.targets.receiver import Mailbox, Receiver

REQUESTS = {
    "a control route that is none": ("GET", "/_sandbox/none", {}, b""),
    "a world's page of an empty query": ("GET", "/planbok/v2/customers?", {"X-Odd": "a  b"}, b""),
    "nothing there": ("GET", "/nowhere/%2F?a=%20", {}, b""),
    "a method that a path lacks": ("PATCH", "/offblocks/v1/customers", {}, b"{}"),
    "no content of what has one": ("HEAD", "/health", {}, b""),
    "a body that is too large": ("POST", "/offblocks/v1/customers", {}, b"x" * (1024 * 1024 + 1)),
    "a path in absolute form": ("GET", "//elsewhere/health", {}, b""),
    "another host": ("GET", "/health", {"Host": "elsewhere.example"}, b""),
}
VARIES = {"date", "connection"}
"""The clock goes on between two answers; a connection is what HTTP/1.1 alone has."""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with start() as running:
        yield running


def answered(
    transport: httpx.BaseTransport | None, origin: str, request: tuple[str, str, dict[str, str], bytes]
) -> Any:
    method, path, headers, body = request
    with httpx.Client(transport=transport, trust_env=False) as client:
        answer = client.request(method, origin + path, headers=headers, content=body)
    fields = [(name, value) for name, value in answer.headers.raw if name.decode().lower() not in VARIES]
    return answer.status_code, fields, answer.content


@pytest.mark.parametrize("name", REQUESTS)
def test_an_answer_is_that_over_sockets(name: str, sandbox: RunningSandbox) -> None:
    here = answered(BoundedTransport(pool=sandbox.pool()), sandbox.origin, REQUESTS[name])
    assert here == answered(None, sandbox.origin, REQUESTS[name])


def test_a_sandbox_is_found_in_its_process_while_it_serves(sandbox: RunningSandbox) -> None:
    assert RunningSandbox.here(sandbox.origin) is sandbox
    assert RunningSandbox.here("http://127.0.0.1:9") is None


class Answering:
    """An application whose answer is given."""

    def __init__(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        self.start = {"type": "http.response.start", "status": HTTPStatus(status), "headers": headers}
        self.seconds = 0.0
        self.seen: list[Message] = []

    async def __call__(self, scope: Message, receive: Any, send: Any) -> None:
        self.seen.append(scope)
        await receive()
        await asyncio.sleep(self.seconds)  # noqa: TID251  (a server that takes its time)
        await send(self.start)
        await send({"type": "http.response.body", "body": b"some"})


def ask(server: ThreadedServer, app: Any, **changes: Any) -> httpx.Response:
    pool = InProcessPool(app, server.loop)
    with httpx.Client(transport=BoundedTransport(pool=pool), trust_env=False, timeout=0.2) as client:
        return client.request(**{"method": "GET", "url": "http://127.0.0.1/a%2Fb?", **changes})


@pytest.mark.parametrize(
    ("status", "method", "content"), [(200, "GET", b"some"), (204, "GET", b""), (200, "HEAD", b"")]
)
def test_an_answer_has_content_where_http_gives_it_some(status: int, method: str, content: bytes) -> None:
    app = Answering(status, [(b"X-Some", b"1")])
    with ThreadedServer(app, "127.0.0.1", 0) as server:
        answer = ask(server, app, method=method, headers={"X-Asked": "2"})
    assert (answer.status_code, answer.content, answer.headers["x-some"]) == (status, content, "1")
    assert type(answer.status_code) is int
    (scope,) = app.seen
    assert (scope["raw_path"], scope["path"], scope["query_string"]) == (b"/a%2Fb", "/a/b", b"")
    assert (b"x-asked", b"2") in scope["headers"]


def test_what_http_cannot_carry_is_refused_on_its_way() -> None:
    app = Answering(200, [(b"X Some", b"1")])
    with ThreadedServer(app, "127.0.0.1", 0) as server:
        with pytest.raises(httpx.LocalProtocolError):
            ask(server, app, headers={"X-Asked": "a\0b"})
        assert app.seen == []
        with pytest.raises(httpx.RemoteProtocolError):
            ask(server, app)


def test_an_application_that_raises_has_answered_500() -> None:
    async def broken(_scope: Message, _receive: Any, _send: Any) -> None:
        raise ZeroDivisionError

    with ThreadedServer(broken, "127.0.0.1", 0) as server:
        here, there = ask(server, broken), httpx.get(server.origin, trust_env=False)
    assert (here.status_code, here.content) == (there.status_code, there.content)
    assert here.headers["content-type"] == there.headers["content-type"]
    assert here.status_code == HTTPStatus.INTERNAL_SERVER_ERROR


def test_a_server_that_is_late_or_gone_is_told() -> None:
    app = Answering(200, [])
    app.seconds = 5
    with ThreadedServer(app, "127.0.0.1", 0) as server, pytest.raises(httpx.ReadTimeout):
        ask(server, app)
    with pytest.raises(httpx.ConnectError):
        ask(server, app)


# ------------------------------------------------------------------------------------------------------------ webhooks

EVENTS = {
    "an event": (b'{"a": 1}', (("content-type", "application/json"), ("X-Signature", "a=b"))),
    "lines of one name": (b"", (("X-Odd", "1"), ("x-odd", "2"))),
    "bytes": (bytes(range(256)), ()),
    "more than a receiver takes": (b"x" * (1024 * 1024 + 1), ()),
}


async def delivered(transport: httpx.AsyncBaseTransport, mailbox: Mailbox, event: tuple[bytes, Headers]) -> Any:
    body, headers = event
    async with httpx.AsyncClient(transport=transport, trust_env=False, follow_redirects=True) as client:
        answer = await client.post(f"{mailbox.url}", content=body, headers=list(headers))
    return answer.status_code, [each.status_code for each in answer.history]


@pytest.mark.parametrize("status", [200, 302, 500])
@pytest.mark.parametrize("name", EVENTS)
def test_a_webhook_is_received_as_over_sockets(name: str, status: int) -> None:
    receiver = Receiver()
    try:
        found = []
        for transport in (InProcessTransport(ssl.create_default_context()), httpx.AsyncHTTPTransport()):
            mailbox = receiver.mailbox("test", FrozenClock())
            mailbox.answer_with(status)
            answers = asyncio.run(delivered(transport, mailbox, EVENTS[name]))
            found.append((answers, [each.request for each in mailbox.received()]))
    finally:
        receiver.close()
    assert found[0] == found[1]
    assert found[0][1] or name == "more than a receiver takes"


def test_a_receiver_that_has_ended_is_reached_no_more() -> None:
    receiver = Receiver()
    mailbox = receiver.mailbox("test", FrozenClock())
    receiver.close()
    with pytest.raises(httpx.ConnectError):
        asyncio.run(delivered(InProcessTransport(ssl.create_default_context()), mailbox, EVENTS["an event"]))


def test_a_webhook_that_http_cannot_carry_is_refused() -> None:
    receiver = Receiver()
    mailbox = receiver.mailbox("test", FrozenClock())
    try:
        with pytest.raises(httpx.LocalProtocolError):
            asyncio.run(delivered(InProcessTransport(ssl.create_default_context()), mailbox, (b"", (("a b", "c"),))))
    finally:
        receiver.close()
