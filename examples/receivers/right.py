"""A receiver of Planbok's webhooks that does all that is asked of it, with nothing but the standard library.

It verifies the bytes that came before anything parses them, refuses what is too old or too new, answers 2xx to kinds
that it does not know, and takes each event once, whoever sends it again and however many come at the same time.

    WEBHOOK_SECRET=... python right.py 8765

The number of processed events stands at /processed, for ``conformance webhooks check planbok --probe-url``.
"""

import hashlib
import hmac
import json
import os
import sqlite3
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOLERANCE = 300
LARGEST = 8 * 1024 * 1024
KINDS = {
    "wallet.created",
    "customer.created",
    "customer.pin_setup",
    "customer.locked_out",
    "customer.recovery_initiated",
    "customer.recovery_completed",
}


class Store:
    """Keeps each event once; a table stands for the receiver's own database."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._database = sqlite3.connect(":memory:", check_same_thread=False)
        self._database.execute("CREATE TABLE events (id TEXT PRIMARY KEY, kind TEXT, data TEXT)")

    def add(self, name: str, kind: str, data: Any) -> None:
        """Keep an event, unless one of that id is kept already; both in one step."""
        with self._lock, self._database:
            row = (name, kind, json.dumps(data))
            self._database.execute("INSERT OR IGNORE INTO events VALUES (?, ?, ?)", row)

    def processed(self) -> int:
        """How many events are kept."""
        with self._lock:
            return int(self._database.execute("SELECT count(*) FROM events").fetchone()[0])


class Receiver(ThreadingHTTPServer):
    """The server.

    Args:
        address: Where it listens.
        secret: The secret that events are signed with.
    """

    daemon_threads = True
    request_queue_size = 100

    def __init__(self, address: tuple[str, int], secret: str) -> None:
        super().__init__(address, Handler)
        self.secret = secret.encode()
        self.store = Store()

    def receive(self, headers: Any, body: bytes) -> int:
        """Take a webhook; gives the status to answer."""
        if not self.is_genuine(headers, body):
            return 401
        event = self.read(body)
        if event is None:
            return 400
        if event["event"] in KINDS:
            self.process(event)
        return 200

    def is_genuine(self, headers: Any, body: bytes) -> bool:
        """Whether it comes from who knows the secret, and just now."""
        signature, timestamp = headers.get("X-Webhook-Signature", ""), headers.get("X-Webhook-Timestamp", "")
        expected = hmac.new(self.secret, timestamp.encode() + b"." + self.signed(body), hashlib.sha256).hexdigest()
        is_signed = hmac.compare_digest(f"sha256={expected}".encode(), signature.encode())
        return is_signed and self.is_timely(int(timestamp))

    def signed(self, body: bytes) -> bytes:
        """The bytes that are signed: those that came."""
        return body

    def is_timely(self, timestamp: int) -> bool:
        """Whether an event was sent just now."""
        return abs(time.time() - timestamp) <= TOLERANCE

    def read(self, body: bytes) -> dict[str, Any] | None:
        """The event in a body; None if there is none."""
        try:
            event = json.loads(body)
            return event if isinstance(event["event"], str) and isinstance(event["idempotencyKey"], str) else None
        except (ValueError, TypeError, KeyError, RecursionError):
            return None

    def process(self, event: dict[str, Any]) -> None:
        """Do what an event is for, once."""
        self.store.add(event["idempotencyKey"], event["event"], event["data"])


class Handler(BaseHTTPRequestHandler):
    """Reads requests and answers them."""

    server: Receiver
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # so that an answer goes out in one piece

    def do_POST(self) -> None:
        """Take a webhook."""
        size = self.headers.get("Content-Length", "")
        if not size.isdecimal() or int(size) > self.largest():
            self.close_connection = True
            self.answer(413 if size.isdecimal() else 411)
            return
        self.answer(self.server.receive(self.headers, self.rfile.read(int(size))))

    def do_GET(self) -> None:
        """Say how many events were processed."""
        if self.path == "/processed":
            self.answer(200, {"processed": self.server.store.processed()})
        else:
            self.answer(404)

    def largest(self) -> int:
        """The most bytes of a body."""
        return LARGEST

    def answer(self, status: int, value: Any = None) -> None:
        """Answer, with JSON if there is something to say."""
        body = json.dumps(value).encode() if value is not None else b""
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *parts: object) -> None:
        """Write nothing: the headers of a webhook are nobody's business."""


def main() -> None:
    """Serve until interrupted."""
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8765
    with Receiver(("127.0.0.1", port), os.environ["WEBHOOK_SECRET"]) as server:
        print(f"Receives at http://127.0.0.1:{server.server_port}/, counts at /processed", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
