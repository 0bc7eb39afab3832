"""Receivers that know nothing of the suite: a right one of Planbok's events, and what its kin do otherwise."""

import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from conformance.clock import SystemClock
from conformance.receivers.check import Checked, check
from conformance.receivers.events import events_of
from conformance.receivers.rows import Mark
from conformance.receivers.sending import tls_of

SECRET = "whsec-6f1ed002ab55-90"


@dataclass
class Said:
    """What a receiver answers."""

    status: int = 200
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


class PlanbokReceiver:
    """Written from the receiver of the beta; each decision is a method that a careless one overrides."""

    secret = SECRET

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.seen: set[str] = set()
        self.processed = 0

    def __call__(self, headers: Mapping[str, str], body: bytes) -> Said:
        if not self.is_genuine(headers, body):
            return Said(401)
        event = json.loads(body)
        return self.take(event["event"], event["idempotencyKey"], event["data"])

    def is_genuine(self, headers: Mapping[str, str], body: bytes) -> bool:
        given, sent = headers.get("X-Webhook-Signature") or "", headers.get("X-Webhook-Timestamp") or ""
        signed = self.matches(given, f"sha256={self.digest(sent, body)}")
        return signed and self.is_timely(int(sent), json.loads(body))

    def digest(self, sent: str, body: bytes) -> str:
        return hmac.new(self.secret.encode(), sent.encode() + b"." + body, hashlib.sha256).hexdigest()

    def matches(self, given: str, expected: str) -> bool:
        return hmac.compare_digest(given, expected)

    def is_timely(self, sent: int, event: Any) -> bool:
        return abs(SystemClock().now().timestamp() - sent) <= 300

    def take(self, kind: str, name: str, data: Any) -> Said:
        with self.lock:
            if self.is_for_us(kind) and name not in self.seen:
                self.seen.add(name)
                self.process()
        return Said(200)

    def is_for_us(self, kind: str) -> bool:
        return kind.startswith(("wallet.", "customer."))

    def process(self) -> None:
        self.processed += 1

    def count(self) -> Any:
        return {"processed": self.processed}

    def read(self, handler: BaseHTTPRequestHandler) -> bytes:
        return handler.rfile.read(int(handler.headers["Content-Length"]))


class OffBlocksReceiver(PlanbokReceiver):
    """Takes what OffBlocks sends, which nobody signs."""

    def __call__(self, headers: Mapping[str, str], body: bytes) -> Said:
        event = json.loads(body)
        return self.take(event["webhookType"], event["eventId"], event)


@contextmanager
def listening(receiver: Any) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # an answer goes out in one piece

        def do_POST(self) -> None:
            body = receiver.read(self)
            try:
                self.answer(receiver(self.headers, body))
            except Exception:  # noqa: BLE001  (as servers do)
                self.answer(Said(500))

        def do_GET(self) -> None:
            self.answer(Said(200, json.dumps(receiver.count()).encode()))

        def answer(self, said: Said) -> None:
            self.send_response(said.status)
            for name, value in said.headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(said.body)))
            self.end_headers()
            self.wfile.write(said.body)

        def log_message(self, *parts: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 100

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


Check = Callable[..., Checked]


@pytest.fixture(scope="module", autouse=True)
def quick() -> Iterator[None]:
    """Have the probe asked sooner than a receiver over a network would be."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("conformance.receivers.probe._SETTLES", 0.03)
        patch.setattr("conformance.receivers.course.LONGEST_WORK", 0.3)
        patch.setattr("conformance.receivers.sending._PAUSE", 0.07)
        yield


@pytest.fixture(scope="session", autouse=True)
def same_events() -> Iterator[None]:
    """Have events brought about once for all tests: each has a receiver of its own, to which they are new."""
    known: dict[str, list[list[bytes]]] = {}

    async def once(api: Any, *arguments: Any) -> list[list[bytes]]:
        if api.name not in known:
            known[api.name] = await events_of(api, *arguments)
        return known[api.name]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("conformance.receivers.check.events_of", once)
        yield


@pytest.fixture(scope="session")
def checked() -> Check:
    """Check a receiver of an API, with its number of processed events or without."""
    trust = tls_of(None)

    def run(api: Any, receiver: Any, *, probed: bool = False, strict: bool = False) -> Checked:
        secret = SECRET if api.name == "planbok" else None
        with listening(receiver) as url:
            probe = f"{url}/processed" if probed else None
            return check(api, f"{url}/hook?token=t0k3n", secret, probe, trust, "conformance webhooks", strict=strict)

    return run


def wrong(checked: Checked) -> list[str]:
    """The names of the cases in which a receiver is wrong."""
    return [row.name for row in checked.rows if row.mark is Mark.WRONG]


def undecided(checked: Checked) -> list[str]:
    """The names of the cases in which nothing can be told."""
    return [row.name for row in checked.rows if row.mark is Mark.OPEN]


def broken(checked: Checked) -> set[str]:
    """The last parts of the ids of the rules that a receiver breaks."""
    rules = checked.results["rules"]
    return {rule["id"].split(".")[2] for rule in rules if any(finding["held"] is False for finding in rule["findings"])}
