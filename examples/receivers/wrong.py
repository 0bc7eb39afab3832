"""A receiver of Planbok's webhooks with six mistakes that are often made: all at once, or those that are named.

    WEBHOOK_SECRET=... python wrong.py 8766 counts-twice keeps-no-time

``conformance webhooks check planbok`` names each of them. ``right.py`` beside it does the same things right.
"""

import hashlib
import hmac
import json
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MISTAKES = {
    "verifies-rewritten-json": "verifies the body parsed and written again, not the bytes that came",
    "lets-unsigned-through": "verifies only where there is a signature",
    "keeps-no-time": "looks at no timestamp, so that a recorded event is good for ever",
    "counts-twice": "processes an event that comes twice twice",
    "refuses-unknown-kinds": "answers 400 to a kind of event that it does not know",
    "takes-small-bodies": "takes bodies of 100 kB at most, as many frameworks do unless told otherwise",
}


class Receiver(ThreadingHTTPServer):
    """The server.

    Args:
        address: Where it listens.
        secret: The secret that events are signed with.
        mistakes: The names of its mistakes.
    """

    daemon_threads = True
    request_queue_size = 100

    def __init__(self, address: tuple[str, int], secret: str, mistakes: set[str]) -> None:
        super().__init__(address, Handler)
        self.secret = secret.encode()
        self.mistakes = mistakes
        self.lock = threading.Lock()
        self.seen: set[str] = set()
        self.processed = 0

    def receive(self, headers: Any, body: bytes) -> int:
        """Take a webhook; gives the status to answer."""
        try:
            event = json.loads(body)
            kind, name = event["event"], event["idempotencyKey"]
        except (ValueError, TypeError, KeyError):
            return 400
        if not self.is_genuine(headers, body, event):
            return 401
        if not kind.startswith(("wallet.", "customer.")):
            return 400 if "refuses-unknown-kinds" in self.mistakes else 200
        with self.lock:
            if name not in self.seen or "counts-twice" in self.mistakes:
                self.seen.add(name)
                self.processed += 1
        return 200

    def is_genuine(self, headers: Any, body: bytes, event: Any) -> bool:
        """Whether a webhook comes from who knows the secret, and just now."""
        signature, timestamp = headers.get("X-Webhook-Signature"), headers.get("X-Webhook-Timestamp", "")
        if signature is None:
            return "lets-unsigned-through" in self.mistakes
        if "verifies-rewritten-json" in self.mistakes:
            body = json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode()
        expected = hmac.new(self.secret, timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(f"sha256={expected}".encode(), signature.encode()):
            return False
        return "keeps-no-time" in self.mistakes or abs(time.time() - int(timestamp)) <= 300  # noqa: PLR2004


class Handler(BaseHTTPRequestHandler):
    """Reads requests and answers them."""

    server: Receiver
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # so that an answer goes out in one piece

    def do_POST(self) -> None:
        """Take a webhook."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        is_small = len(body) <= 100 * 1024 or "takes-small-bodies" not in self.server.mistakes
        self.answer(self.server.receive(self.headers, body) if is_small else 413)

    def do_GET(self) -> None:
        """Say how many events were processed."""
        self.answer(200, {"processed": self.server.processed})

    def answer(self, status: int, value: Any = None) -> None:
        """Answer, with JSON if there is something to say."""
        body = json.dumps(value).encode() if value is not None else b""
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *parts: object) -> None:
        """Write nothing."""


def main() -> None:
    """Serve until interrupted."""
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8766
    mistakes = set(sys.argv[2:]) or set(MISTAKES)
    if unknown := mistakes - set(MISTAKES):
        sys.exit(f"There is no mistake {unknown.pop()!r}. There are: {', '.join(MISTAKES)}.")
    with Receiver(("127.0.0.1", port), os.environ["WEBHOOK_SECRET"], mistakes) as server:
        print(f"Receives at http://127.0.0.1:{server.server_port}/, counts at /processed, and", flush=True)
        for name in sorted(mistakes):
            print(f"  {MISTAKES[name]} ({name})", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
