"""What passes through the proxy, what it says in its own name, and what it judges and writes."""

import gzip
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import jsonschema_rs
import pytest
from click.testing import CliRunner

from conformance.api import registered
from conformance.cli import app
from conformance.clock import SystemClock
from conformance.exchange import Request
from conformance.files import data_path
from conformance.offblocks import api as offblocks
from conformance.offblocks.client import Client, Credentials
from conformance.reporting.support import support_text
from conformance.sandbox.remote import Control, World
from conformance.sandbox.threaded_server import ThreadedServer
from conformance.traffic.log import LogNotWrittenError, TrafficLog
from conformance.traffic.proxy import Passed, Proxy
from conformance.traffic.watch import ProxyWatch

from .conftest import Judge, broken, onboard, reason, verdicts

COMMAND = [sys.executable, "-c", "from conformance.cli import main; main()", "proxy"]


class Upstream:
    """A server that takes one connection after the other, and does with each what it is told."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.heads: list[bytes] = []
        self.bodies: list[bytes] = []
        self.answer: Callable[[socket.socket], None] = lambda connection: None
        threading.Thread(target=self._serve, daemon=True).start()

    def gives(self, *parts: bytes) -> None:
        self.answer = lambda connection: connection.sendall(b"".join(parts))

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                received = b""
                while b"\r\n\r\n" not in received:
                    received += connection.recv(65536)
                head, _, body = received.partition(b"\r\n\r\n")
                length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
                while length and len(body) < int(length[1]):
                    body += connection.recv(65536)
                while b"chunked" in head and not body.endswith(b"0\r\n\r\n"):
                    body += connection.recv(65536)
                self.heads.append(head)
                self.bodies.append(body)
                self.answer(connection)

    def close(self) -> None:
        self._listener.close()


def stay_silent(connection: socket.socket) -> None:
    connection.settimeout(5)
    with suppress(OSError):
        connection.recv(1)


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    server = Upstream()
    yield server
    server.close()


@contextmanager
def proxied(upstream: str, passed: Callable[[Passed], None] = lambda _: None, **options: Any) -> Iterator[str]:
    with ThreadedServer(Proxy(upstream, passed, **options), "127.0.0.1", 0, lifespan=True) as server:
        yield server.origin


def ask(origin: str, *lines: str, body: bytes = b"") -> bytes:
    """Send a request as it is written, and take the answer as it comes, to its end."""
    place = httpx.URL(origin)
    with socket.create_connection((place.host, place.port or 80), timeout=10) as connection:
        head = "\r\n".join([*lines, f"Host: {place.host}:{place.port}", "Connection: close", "", ""])
        connection.sendall(head.encode() + body)
        received = b""
        while part := connection.recv(65536):
            received += part
    return received


ODD = (
    b"HTTP/1.1 299 Odd\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\nX-Odd:  \r\n"
    b'Content-Encoding: gzip\r\nETag: W/"1"\r\n'
)


def test_an_answer_passes_as_it_is(upstream: Upstream) -> None:
    body = gzip.compress(b'{"a": 1}')
    upstream.gives(ODD, b"Content-Length: %d\r\n\r\n" % len(body), body)
    seen: list[Passed] = []
    with proxied(upstream.url, seen.append) as origin:
        answer = ask(origin, "GET /a%2Fb/%C3%A4?x=%20&&y HTTP/1.1")
    head, _, received = answer.partition(b"\r\n\r\n")
    status, *lines = head.split(b"\r\n")
    assert status.startswith(b"HTTP/1.1 299 ")
    sent = [b": ".join(part.strip() for part in line.split(b":", 1)) for line in ODD.split(b"\r\n")[1:-1]]
    assert [line.strip() for line in lines][: len(sent)] == [line.strip() for line in sent]
    assert received == body
    assert upstream.heads[0].startswith(b"GET /a%2Fb/%C3%A4?x=%20&&y HTTP/1.1\r\n")
    assert (seen[0].status, seen[0].body, seen[0].error) == (299, body, "")


def test_fields_of_one_connection_stay_there_and_host_is_that_of_the_server(upstream: Upstream) -> None:
    upstream.gives(
        b"HTTP/1.1 200 OK\r\nConnection: X-Own, close\r\nX-Own: 1\r\nKeep-Alive: timeout=5\r\nX-Kept: 1\r\n"
        b"Transfer-Encoding: chunked\r\nUpgrade: h2c\r\n\r\n2\r\nok\r\n0\r\n\r\n"
    )
    with proxied(upstream.url) as origin:
        answer = ask(
            origin,
            "POST /v1 HTTP/1.1",
            "X-Private: 1",
            "TE: trailers",
            "Connection: x-private",
            "Upgrade: h2c",
            "X-Twice: 1",
            "X-Twice: 2",
            "Content-Length: 2",
            body=b"{}",
        )
    sent = upstream.heads[0].lower().split(b"\r\n")[1:]
    names = [line.split(b":")[0] for line in sent]
    assert not {b"x-private", b"te", b"upgrade", b"transfer-encoding"} & set(names)
    assert names.count(b"x-twice") == 2
    assert f"host: {upstream.url.removeprefix('http://')}".encode() in sent
    assert b"via: 1.1 wallet-conformance" in sent
    assert upstream.bodies == [b"{}"]
    back = answer.partition(b"\r\n\r\n")[0].lower()
    assert b"\r\nx-kept: 1" in back
    assert not re.search(rb"x-own|keep-alive|upgrade", back)
    assert answer.endswith(b"ok\r\n0\r\n\r\n")


def test_a_request_in_chunks_passes_and_is_kept(upstream: Upstream) -> None:
    upstream.gives(b"HTTP/1.1 204 No Content\r\n\r\n")
    seen: list[Passed] = []
    with proxied(upstream.url, seen.append) as origin:
        answer = ask(origin, "POST / HTTP/1.1", "Transfer-Encoding: chunked", body=b"3\r\nabc\r\n0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 204 ")
    assert upstream.bodies == [b"3\r\nabc\r\n0\r\n\r\n"]
    assert (seen[0].request.body, seen[0].lacks_request_body) == (b"abc", False)


def test_answers_without_a_length_or_a_body_pass(upstream: Upstream) -> None:
    upstream.gives(b"HTTP/1.0 200 OK\r\nX-End: of connection\r\n\r\nuntil the end")
    with proxied(upstream.url) as origin:
        response = httpx.get(origin, trust_env=False)
    assert (response.content, "Content-Length" in response.headers) == (b"until the end", False)
    upstream.gives(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n")
    seen: list[Passed] = []
    with proxied(upstream.url, seen.append) as origin:
        answer = ask(origin, "HEAD /v1 HTTP/1.1")
    assert b"content-length: 7" in answer.lower()
    assert answer.endswith(b"\r\n\r\n")
    assert (seen[0].status, seen[0].error) == (200, "")


def test_what_cannot_be_signed_anew_is_told_in_the_name_of_the_proxy(upstream: Upstream) -> None:
    def refuse(request: Request) -> Request:
        raise ValueError("no such component")

    with proxied(upstream.url, resign=refuse) as origin:
        response = httpx.get(origin, trust_env=False)
    assert response.status_code == 500
    assert response.json()["detail"].endswith("It cannot pass this on: no such component")
    assert response.headers["Proxy-Status"].endswith("error=proxy_internal_error")
    assert upstream.heads == []


@pytest.mark.parametrize("status", [b"600 ", b"799 Odd", b"999"])
def test_an_answer_of_a_status_that_nobody_defines_passes(upstream: Upstream, status: bytes) -> None:
    upstream.gives(b"HTTP/1.1 " + status + b"\r\nX-Name: caf\xe9\r\nContent-Length: 2\r\n\r\nok")
    with proxied(upstream.url) as origin:
        answer = ask(origin, "GET /v1/customers HTTP/1.1")
    assert answer.startswith(b"HTTP/1.1 " + status[:3])
    assert b"caf\xe9" in answer
    assert answer.endswith(b"ok")


def test_an_answer_streams(upstream: Upstream) -> None:
    arrived = threading.Event()

    def answer(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na")
        assert arrived.wait(10)
        connection.sendall(b"b")

    upstream.answer = answer
    with proxied(upstream.url) as origin, httpx.stream("GET", origin, trust_env=False) as response:
        parts = response.iter_raw()
        assert next(parts) == b"a"
        arrived.set()
        assert list(parts) == [b"b"]


def test_a_redirect_is_passed_on_and_not_followed(upstream: Upstream) -> None:
    upstream.gives(b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n")
    with proxied(upstream.url) as origin:
        response = httpx.get(f"{origin}/v1", trust_env=False)
    assert (response.status_code, response.headers["Location"]) == (302, "/elsewhere")
    assert len(upstream.heads) == 1


def test_errors_of_the_server_pass(upstream: Upstream) -> None:
    for status in (500, 502, 504):
        upstream.gives(b"HTTP/1.1 %d Oh\r\nContent-Length: 3\r\n\r\nits" % status)
        with proxied(upstream.url) as origin:
            response = httpx.get(origin, trust_env=False)
        assert (response.status_code, response.content) == (status, b"its")
        assert "Proxy-Status" not in response.headers


def test_a_server_that_is_not_there_or_silent_is_told_in_the_name_of_the_proxy(upstream: Upstream) -> None:
    seen: list[Passed] = []
    with proxied("http://127.0.0.1:9", seen.append) as origin:
        response = httpx.get(origin, trust_env=False)
    assert response.status_code == 502
    assert "This is conformance proxy, not the server" in response.json()["detail"]
    assert response.headers["Proxy-Status"] == "wallet-conformance; error=destination_unavailable"
    upstream.answer = stay_silent
    with proxied(upstream.url, seen.append, answer_seconds=0.2) as origin:
        response = httpx.get(origin, trust_env=False)
    assert response.status_code == 504
    assert response.headers["Proxy-Status"].endswith("error=http_response_timeout")
    assert [(each.status, bool(each.error)) for each in seen] == [(0, True), (0, True)]


def test_an_answer_that_breaks_off_breaks_off_for_the_client(upstream: Upstream) -> None:
    seen: list[Passed] = []
    upstream.gives(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
    with proxied(upstream.url, seen.append) as origin, pytest.raises(httpx.RemoteProtocolError):
        httpx.get(origin, trust_env=False)
    assert (seen[0].status, seen[0].lacks_response_body, bool(seen[0].error)) == (200, True, True)


def test_only_what_asks_for_this_machine_is_passed_on(upstream: Upstream) -> None:
    upstream.gives(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    with proxied(upstream.url) as origin:
        response = httpx.get(origin, headers={"Host": "evil.example"}, trust_env=False)
        assert response.status_code == 421
        assert b" 421 " in ask(origin, "GET http://evil.example/ HTTP/1.1").partition(b"\r\n")[0]
    with proxied(upstream.url, resign=lambda request: request) as origin:
        response = httpx.get(origin, headers={"Origin": "https://evil.example"}, trust_env=False)
        assert response.status_code == 421
    assert upstream.heads == []


def test_large_bodies_pass_and_are_not_kept(upstream: Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conformance.traffic.proxy.LARGEST_KEPT", 1000)
    seen: list[Passed] = []
    upstream.gives(b"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n", b"a" * 2000)
    with proxied(upstream.url, seen.append) as origin:
        response = httpx.post(origin, content=b"b" * 3000, trust_env=False)
    assert response.content == b"a" * 2000
    assert len(upstream.bodies[0]) == 3000
    (passed,) = seen
    assert (passed.lacks_request_body, passed.lacks_response_body) == (True, True)
    assert (passed.body, passed.request.body) == (b"", b"")


# -------------------------------------------------------------------------------------------------- judged and written


@contextmanager
def watched(world: World, log: TrafficLog | None = None, **options: Any) -> Iterator[tuple[str, ProxyWatch, list[str]]]:
    """A proxy before a world's OffBlocks: the base URL to use, what watches it, and the lines that it says."""
    base = httpx.URL(world.base_urls["offblocks"])
    lines: list[str] = []
    watch = ProxyWatch(offblocks, base.path, list(registered().values()), lines.append, log)
    with proxied(str(base.copy_with(path="")).rstrip("/"), watch.passed, **options) as origin:
        yield f"{origin}{base.path}", watch, lines


def client_of(world: World, url: str, **options: Any) -> Client:
    return Client(
        url, Credentials.from_settings(world.credentials("offblocks")["first"]), clock=SystemClock(), **options
    )


def give(monkeypatch: pytest.MonkeyPatch, world: World) -> None:
    for name, value in world.credentials("offblocks")["first"].items():
        monkeypatch.setenv(f"CONFORMANCE_OFFBLOCKS_{name.upper()}", value)


def test_a_right_client_is_judged_by_the_url_of_the_proxy_and_so_is_its_log(
    control: Control, judge: Judge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(control, "proxied", "real")
    give(monkeypatch, world)
    log = TrafficLog(tmp_path / "log.har")
    with watched(world, log) as (url, watch, lines), client_of(world, url) as client:
        onboard(client, "a")
    log.write()
    results = watch.results(url, command="conformance proxy")
    assert broken(results) == set()
    assert verdicts(results)["offblocks.client.signature-verifies"] == "pass"
    assert [line for line in lines if "breaks" in line] == []
    written = (tmp_path / "log.har").read_text()
    own = world.credentials("offblocks")["first"]
    assert [name for name in ("api_key", "api_secret") if own[name] in written] == []
    again = judge(json.loads(written))
    assert broken(again) == set()
    open_now = {"offblocks.client.signature-verifies", "offblocks.signature.right-one-accepted"}
    assert verdicts(again).items() - verdicts(results).items() == {(rule, "skipped") for rule in open_now}
    assert "covers a secret that was taken out" in reason(again, "offblocks.client.signature-verifies")


def test_what_client_and_server_break_is_told_at_once(control: Control) -> None:
    world = World(control, "told", "real")
    world.faults("NamesAnotherAddress")
    with watched(world) as (url, watch, lines), client_of(world, url) as client:
        client.create_customer("eip155:300:0x22227A31dd842196A246d8f3b775998560eAa61d", "user-1")
        authorization = client.authorization()
        httpx.get(f"{url}/v1/customers", headers={"Authorization": authorization}, trust_env=False)
    told = "\n".join(lines)
    results = watch.results(url, command="a")
    jsonschema_rs.validator_for(json.loads(data_path("specs/schemas/results.json").read_bytes())).validate(results)
    assert f"POST {world.base_urls['offblocks']}/v1/customers" in support_text(results)
    assert "breaks offblocks.challenge.address: " in told
    assert "breaks offblocks.client.signs-requests: " in told
    assert authorization.removeprefix("Bearer ") not in told
    assert {"offblocks.challenge.address", "offblocks.client.signs-requests"} <= broken(results)


def test_a_signature_over_the_host_needs_another_one_for_the_server(
    control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(control, "resigned", "real")
    give(monkeypatch, world)
    own = world.credentials("offblocks")["first"]
    components = ("@method", "@target-uri", "content-digest", "idempotency-key")
    assert offblocks.signing is not None
    signing = offblocks.signing

    def resign(request: Request) -> Request:
        return signing.signed_anew(request, own, {"components": " ".join(components)}, SystemClock().now())

    with watched(world) as (url, _, _), client_of(world, url, components=components) as client:
        client.authorization()
        with pytest.raises(Exception, match="does not verify"):
            client.customers()
    with watched(world, resign=resign) as (url, watch, _), client_of(world, url, components=components) as client:
        client.customers()
    assert verdicts(watch.results(url, command="a"))["offblocks.client.signature-verifies"] == "pass"


@pytest.mark.parametrize(
    "answer",
    [
        b"Content-Type: application/\xe4son\r\nContent-Length: 2\r\n\r\n[]",
        b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n[]",
        b"Content-Encoding: unheard-of\r\nContent-Length: 2\r\n\r\n[]",
        b"Date: \x80\r\nX-Odd: \xff\r\nContent-Length: 2\r\n\r\n\xff\xfe",
    ],
)
def test_odd_answers_are_judged_and_written(upstream: Upstream, tmp_path: Path, answer: bytes) -> None:
    upstream.gives(b"HTTP/1.1 200 OK\r\n", answer)
    lines: list[str] = []
    log = TrafficLog(tmp_path / "log.har")
    watch = ProxyWatch(offblocks, "", list(registered().values()), lines.append, log)
    with proxied(upstream.url, watch.passed) as origin:
        assert ask(origin, "GET /v1/customers HTTP/1.1").endswith(answer[-2:])
    assert lines[0] == "GET /v1/customers 200"
    assert not [line for line in lines if "itself broke" in line]
    log.write()
    assert invoke_judge(tmp_path / "log.har").exit_code in {1, 3}


def invoke_judge(file: Path) -> Any:
    return CliRunner().invoke(app, ["judge", str(file)])


def test_a_server_that_does_not_answer_is_not_blamed(control: Control, tmp_path: Path, judge: Judge) -> None:
    watch = ProxyWatch(offblocks, "", list(registered().values()), lambda _: None, TrafficLog(tmp_path / "log.har"))
    with proxied("http://127.0.0.1:9", watch.passed) as origin:
        httpx.get(f"{origin}/v1/customers", headers={"Authorization": "Bearer a.b.c"}, trust_env=False)
    results = watch.results(origin, command="a")
    assert not [rule for rule in broken(results) if ".client." not in rule]


def test_the_log_is_whole_whenever_somebody_looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "log.har"
    log = TrafficLog(path)
    assert json.loads(path.read_text())["log"]["entries"] == []
    monkeypatch.setattr("conformance.traffic.log._LEAST_PAUSE", 0.0)
    log.write()
    for number in range(5):
        log.add({"number": number})
        assert json.loads(path.read_text())["log"]["version"] == "1.2"
    log.write()
    assert [each["number"] for each in json.loads(path.read_text())["log"]["entries"]] == [0, 1, 2, 3, 4]
    monkeypatch.setattr("conformance.traffic.log._LARGEST", 1)
    log.add({"number": 5})
    assert log.left_out == 1
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(LogNotWrittenError, match="cannot be written"):
        TrafficLog(tmp_path / "none" / "log.har")


# -------------------------------------------------------------------------------------------------------- the command


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_ends_with_a_verdict_and_a_whole_log(control: Control, tmp_path: Path, number: int) -> None:
    world = World(control, f"command {number}", "real")
    output = tmp_path / "log.har"
    settings = {
        f"CONFORMANCE_OFFBLOCKS_{name.upper()}": value
        for name, value in world.credentials("offblocks")["first"].items()
    }
    process = subprocess.Popen(
        [
            *COMMAND,
            "offblocks",
            *("--upstream", world.base_urls["offblocks"]),
            "--port=0",
            "--resign",
            f"--output={output}",
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, **settings, "PYTHONUNBUFFERED": "1"},
        cwd=tmp_path,
    )
    try:
        assert process.stdout is not None
        found = re.search(r"from (\S+) to", process.stdout.readline())
        assert found is not None
        with client_of(world, found[1]) as client:
            onboard(client, "a")
        process.send_signal(number)
        written, _ = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 0, written
    assert "POST /w/" in written
    assert "CONFORMS in what was judged" in written
    assert len(json.loads(output.read_text())["log"]["entries"]) == 5


def invoke(*words: str, environment: Mapping[str, str] | None = None) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["proxy", *words], env=environment)
    return done.exit_code, done.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nobody", "--upstream", "http://127.0.0.1:1"), "There is no API called 'nobody'"),
        (("offblocks", "--upstream", "https://api.offblocks.xyz"), "give --allow-remote"),
        (("offblocks", "--upstream", "http://127.0.0.1:1/v1"), "must end before /v1"),
        (("offblocks", "--upstream", "ftp://127.0.0.1"), "begins with https:// or http://"),
        (("offblocks", "--upstream", "http://me:hunter2@127.0.0.1:1"), "names a user"),
        (("offblocks", "--upstream", "http://127.0.0.1:1", "--resign"), "CONFORMANCE_OFFBLOCKS_SIGNING_KEY"),
        (("planbok", "--upstream", "http://127.0.0.1:1", "--resign"), "are not signed"),
        (("offblocks", "--upstream", "http://127.0.0.1:1", "--output", "none/log.har"), "cannot be written"),
    ],
)
def test_what_cannot_be_started_is_told(words: tuple[str, ...], said: str) -> None:
    code, output = invoke(*words)
    assert code == 2
    assert said in output
    assert "hunter2" not in output


def test_a_port_that_is_taken_is_told(upstream: Upstream) -> None:
    code, output = invoke("offblocks", "--upstream", upstream.url, "--port", upstream.url.rpartition(":")[2])
    assert code == 2
    assert "Choose another port" in output


@pytest.mark.parametrize("flags", [(), ("--strict",)])
def test_strict_reaches_the_judgement(monkeypatch: pytest.MonkeyPatch, upstream: Upstream, flags: tuple[str]) -> None:
    def stopped(_server: ThreadedServer) -> None:
        raise KeyboardInterrupt

    def kept(watch: ProxyWatch, upstream: str, *, command: str, strict: bool) -> dict[str, Any]:
        judged.append(judge_all(watch, upstream, command=command, strict=strict))
        return judged[-1]

    judged: list[dict[str, Any]] = []
    judge_all = ProxyWatch.results
    monkeypatch.setattr(ThreadedServer, "wait", stopped)
    monkeypatch.setattr(ProxyWatch, "results", kept)
    code, _ = invoke("offblocks", "--upstream", upstream.url, "--port", "0", *flags)
    assert code == 3
    assert [(each["strict"], each["command"].endswith("--strict")) for each in judged] == [(bool(flags), bool(flags))]
