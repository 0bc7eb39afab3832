"""The server itself: paths, methods, sizes, garbage, start and stop."""

import gc
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conformance.offblocks import api
from conformance.sandbox.messages import BodyRejected, read_object
from conformance.sandbox.server import RunningSandbox, SandboxNotStartedError, serve, start
from conformance.sandbox.threaded_server import ThreadedServer

MIB = 1024 * 1024
GARBAGE = settings(derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])


def raw(origin: str, request: bytes) -> bytes:
    parts = urlsplit(origin)
    with socket.create_connection((parts.hostname, parts.port), timeout=5) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
    return answer


@pytest.mark.parametrize("path", ["/", "//", "/nothing", "/offblocks", "/offblocks/v1/customers/", "/w/none/offblocks"])
def test_an_unknown_path_is_404(http: httpx.Client, sandbox: Any, path: str) -> None:
    response = http.get(sandbox.origin + path)
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["title"] == "Not Found"


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("PATCH", "/v1/customers", "GET, HEAD, POST"),
        ("OPTIONS", "/v1/auth/token", "POST"),
        ("GET", "/v1/auth/signing", "DELETE, PUT"),
    ],
)
def test_a_wrong_method_is_405(http: httpx.Client, sandbox: Any, method: str, path: str, allow: str) -> None:
    response = http.request(method, f"{sandbox.origin}/offblocks{path}")
    assert (response.status_code, response.headers["allow"]) == (405, allow)


def test_head_is_get_without_the_body(http: httpx.Client, sandbox: Any) -> None:
    response = http.head(f"{sandbox.origin}/_sandbox")
    assert (response.status_code, response.content) == (200, b"")
    assert int(response.headers["content-length"]) > 0


def test_a_body_of_one_mebibyte_is_read_and_a_larger_one_is_413(http: httpx.Client, sandbox: Any) -> None:
    url = f"{sandbox.origin}/offblocks/v1/auth/token"
    assert http.post(url, content=b" " * MIB).status_code == 400
    response = http.post(url, content=b" " * (MIB + 1))
    assert (response.status_code, response.json()["title"]) == (413, "Content Too Large")


def test_a_larger_body_in_chunks_is_413(http: httpx.Client, sandbox: Any) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(40):
            yield b" " * 65536

    assert http.post(f"{sandbox.origin}/offblocks/v1/auth/token", content=chunks()).status_code == 413


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\x00\xff\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: [\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a:b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
    ],
)
def test_what_is_no_http_is_400(sandbox: Any, request_bytes: bytes) -> None:
    assert raw(sandbox.origin, request_bytes).startswith(b"HTTP/1.1 400 ")


@GARBAGE
@given(
    method=st.sampled_from(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "X"]),
    prefix=st.sampled_from(["", "/offblocks", "/_sandbox", "/_sandbox/worlds", "/offblocks/v1/customers", "/w"]),
    path=st.text(st.characters(codec="ascii", categories=("L", "N", "P", "S")), max_size=30),
    body=st.binary(max_size=50),
)
def test_garbage_is_the_clients_fault(sandbox: Any, method: str, prefix: str, path: str, body: bytes) -> None:
    head = f"{method} {prefix}/{path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    status = int(raw(sandbox.origin, head.encode() + body).split(b" ")[1])
    assert 400 <= status < 500


@GARBAGE
@given(
    operation=st.sampled_from([("POST", "/v1/customers"), ("POST", "/sign"), ("PUT", "/v1/webhooks"), ("PUT", "/key")]),
    document=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["chainId", "externalId", "ownerId", "challenge", "signature", "callbackUrl", "types"])
                | st.text(max_size=5),
                inner,
                max_size=4,
            )
        ),
        max_leaves=8,
    ),
)
def test_garbage_in_a_signed_request_is_the_clients_fault(
    flow: tuple[Any, str], operation: tuple[str, str], document: Any
) -> None:
    client, customer_id = flow
    paths = {"/sign": f"/v1/customers/{customer_id}/challenge/sign", "/key": "/v1/auth/signing"}
    method, path = operation
    response = client.send(method, paths.get(path, path), document)
    assert response.status_code == 400, (document, response.text)


@pytest.fixture
def flow(client: Any, wallet: Any) -> tuple[Any, str]:
    return client, client.create(wallet)["id"]


@GARBAGE
@given(body=st.binary(max_size=100) | st.text(max_size=100).map(str.encode))
def test_any_bytes_are_read_as_an_object_or_rejected(body: bytes) -> None:
    try:
        document = read_object(body)
    except BodyRejected:
        return
    assert isinstance(document, dict)


@pytest.mark.parametrize("header", ["authorization", "signature", "signature-input", "content-digest", "content-type"])
def test_garbage_in_a_header_is_the_clients_fault(client: Any, header: str) -> None:
    for value in (b"", b"\xff", b"sig=", b'sig=("', b"sig=:" + b"A" * 5000, b"Bearer a.b.c", b"=" * 100):
        headers = [("authorization", f"Bearer {client.token}".encode())] if header != "authorization" else []
        url = f"{client.world.base_url}/v1/customers"
        response = client.world.http.post(url, content=b"{}", headers=[*headers, (header, value)])
        assert response.status_code in {400, 401}


def test_requests_in_one_go_have_each_the_target_that_was_sent(world: Any) -> None:
    parts = urlsplit(world.base_url)
    targets = [f"{parts.path}/v1/nothing{query}" for query in ("?", "", "?a", "??")]
    ends = ["keep-alive"] * 3 + ["close"]
    head = "".join(
        f"GET {target} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: {end}\r\n\r\n"
        for target, end in zip(targets, ends, strict=True)
    )
    assert raw(world.base_url, head.encode()).count(b"HTTP/1.1 404") == len(targets)
    logged = [entry["request"]["url"] for entry in world.control("GET", "/requests").json()]
    assert logged == [f"http://{parts.netloc}{target}" for target in targets]


def test_a_server_that_does_not_end_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conformance.sandbox.threaded_server._SECONDS_TO_STOP", 0.05)
    asked, goes_on = threading.Event(), threading.Event()

    async def hang(_scope: Any, _receive: Any, _send: Any) -> None:
        asked.set()
        goes_on.wait(30)

    server = ThreadedServer(hang, "127.0.0.1", 0)
    parts = urlsplit(server.origin)
    with socket.create_connection((parts.hostname, parts.port), timeout=5) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert asked.wait(5)
        server.stop()
        assert not goes_on.is_set()
        goes_on.set()
    server.wait()


@pytest.mark.parametrize(
    "request_bytes",
    [b"GET / HTTP/1.0\r\n\r\n", b"PUT / HTTP/1.0\r\nContent-Length: 9\r\n\r\n{"],
    ids=["reads", "sends"],
)
def test_a_client_that_neither_reads_nor_sends_is_left(request_bytes: bytes) -> None:
    asked = threading.Event()

    async def answer_at_length(_scope: Any, receive: Any, send: Any) -> None:
        asked.set()
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": bytes(64 * MIB)})

    server = ThreadedServer(answer_at_length, "127.0.0.1", 0)
    parts = urlsplit(server.origin)
    with socket.create_connection((parts.hostname, parts.port), timeout=5) as connection:
        connection.sendall(request_bytes)
        assert asked.wait(5)
        server.stop()
        gc.collect()  # what is still open fails the test


def test_a_target_in_absolute_form_is_one(world: Any) -> None:
    parts = urlsplit(world.base_url)
    for host, status in ((parts.netloc, b"401"), ("127.0.0.1:1", b"401")):  # the target's host counts (RFC 9112, 3.2.2)
        head = f"GET {world.base_url}/v1/customers HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        assert raw(world.base_url, head.encode()).split(b" ")[1] == status
    (first, _) = world.control("GET", "/requests").json()
    assert first["request"]["url"] == f"{world.base_url}/v1/customers"


def test_connections_that_come_as_it_ends_are_not_left_open() -> None:
    async def unasked(_scope: Any, _receive: Any, _send: Any) -> None:
        raise AssertionError

    for _ in range(50):
        server = ThreadedServer(unasked, "127.0.0.1", 0)
        parts = urlsplit(server.origin)
        with ExitStack() as clients:
            for _ in range(8):
                client = clients.enter_context(socket.socket())
                client.setblocking(False)
                client.connect_ex((parts.hostname, parts.port))
            server.stop()
    gc.collect()  # what is still open fails the test


def test_half_a_request_has_no_effect(world: Any) -> None:
    parts = urlsplit(world.base_url)
    head = f"POST {parts.path}/v1/auth/token HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Length: 3\r\n\r\n{{}}"
    assert raw(world.base_url, head.encode()) == b""
    assert world.control("GET", "/requests").json() == []


def test_a_port_in_use_is_told(sandbox: Any) -> None:
    port = urlsplit(sandbox.origin).port
    with pytest.raises(SandboxNotStartedError, match=f"port {port}: .*in use"):
        start(apis=[api], port=port)


def test_a_stopped_sandbox_is_gone(http: httpx.Client) -> None:
    running = start(apis=[api])
    assert http.get(f"{running.origin}/_sandbox").status_code == 200
    origin = running.origin
    running.stop()
    with pytest.raises(httpx.ConnectError):
        http.get(f"{origin}/_sandbox")


def test_serving_ends_when_it_is_interrupted(http: httpx.Client) -> None:
    seen: list[str] = []

    def interrupt(running: RunningSandbox) -> None:
        seen.append(running.origin)
        raise KeyboardInterrupt

    serve(0, apis=[api], started=interrupt)
    with pytest.raises(httpx.ConnectError):
        http.get(f"{seen[0]}/_sandbox")


def test_serving_goes_on_until_it_is_stopped(http: httpx.Client) -> None:
    running: list[RunningSandbox] = []
    ready = threading.Event()

    def remember(sandbox: RunningSandbox) -> None:
        running.append(sandbox)
        ready.set()

    thread = threading.Thread(target=serve, args=(0,), kwargs={"apis": [api], "started": remember})
    thread.start()
    assert ready.wait(5)
    assert http.get(f"{running[0].origin}/_sandbox").status_code == 200
    assert thread.is_alive()
    running[0].stop()
    thread.join(5)
    assert not thread.is_alive()
