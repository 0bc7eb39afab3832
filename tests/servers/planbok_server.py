"""A server of the Planbok customer API on http.server, written from the vendor's pages alone.

`python -m tests.servers.planbok_server --help` says how to start it, `planbok_backend` what it chooses and what
wrongs it can be given.
"""

import argparse
import gzip
import json
import secrets
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from tests.servers.command import add_arguments, chosen, tell
from tests.servers.planbok_backend import JSON, WRONGS, Backend, Choices, Customer, RefusalError, stamp
from tests.servers.planbok_gateway import Gateway

TASKS = {"initialize", "recovery", "update-pin", "reset-pin", "export-private-keys"}


class Connection(BaseHTTPRequestHandler):
    """One connection, its headers in lower case and its body in chunks, if so chosen."""

    protocol_version = "HTTP/1.1"
    backend: Backend

    def log_message(self, *arguments: Any) -> None:
        pass

    def body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            parts = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            while self.rfile.readline().strip():
                pass
            return b"".join(parts)
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def send(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response_only(status)
        packed = len(body) > 200 and "gzip" in self.headers.get("Accept-Encoding", "")
        if packed:
            body = gzip.compress(body)
            headers = {**headers, "content-encoding": "gzip"}
        headers = {"date": self.date_time_string(), **headers, "x-request-id": secrets.token_hex(6), "via": "1.1 edge"}
        bare = status in {204, 304} or self.command == "HEAD"
        chunked = self.backend.choices.chunked and not bare
        for name, value in headers.items():
            self.send_header(name, value)
        if chunked:
            self.send_header("transfer-encoding", "chunked")
        elif status != 204:
            self.send_header("content-length", str(len(body)))
        self.end_headers()
        if chunked:
            for place in range(0, len(body), 100):
                part = body[place : place + 100]
                self.wfile.write(f"{len(part):X}\r\n".encode() + part + b"\r\n")
            self.wfile.write(b"0\r\n\r\n")
        elif not bare:
            self.wfile.write(body)


class ApiConnection(Connection):
    """A connection of an application to the API."""

    def do_GET(self) -> None:
        body = self.body()
        parts = urlsplit(self.path)
        if parts.path == "/health":
            return self.say(200, {"healthy": True, "uptime": time.monotonic()})
        try:
            with self.backend.lock:
                status, value = self.handle_request(parts.path, parse_qs(parts.query, keep_blank_values=True), body)
        except RefusalError as refusal:
            return self.refuse(refusal)
        return self.say(status, value)

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

    def handle_request(self, path: str, query: dict[str, list[str]], body: bytes) -> tuple[int, JSON]:
        backend = self.backend
        segments = path.strip("/").split("/")
        if segments[0] != "v2":
            raise RefusalError(404, "ROUTE_NOT_FOUND", "Cannot find this")
        organization = backend.access(self.headers.get("PLANBOK-X-API-KEY"), self.command)
        match (self.command, *segments[1:]):
            case ("GET", "customers"):
                mine = [c for c in backend.customers.values() if c.organization == organization]
                return self.listed([backend.shown_customer(c) for c in mine], query)
            case ("POST", "customers"):
                value = self.json(body)
                return self.done(
                    backend.once(organization, path, value, lambda: backend.create_customer(organization, value))
                )
            case ("GET", "customers", identity):
                return self.done(backend.shown_customer(backend.customer(organization, identity)), 200)
            case ("GET", "customers", identity, "challenges"):
                customer = backend.customer(organization, identity)
                return self.listed(self.challenges(customer, query), query)
            case ("GET", "customers", identity, "challenges", challenge):
                return self.done(backend.read_challenge(backend.customer(organization, identity), challenge), 200)
            case ("POST", "customers", identity, task) if task in TASKS:
                return self.challenged(organization, identity, path, task, body)
            case ("POST", "customers", identity, "wallet", "create"):
                return self.challenged(organization, identity, path, "wallet", body)
            case ("GET", "wallets"):
                return self.listed(backend.chosen_wallets(organization, query), query)
            case ("GET", "wallets", identity):
                found = [w for w in backend.wallets if w.id == identity and w.customer.organization == organization]
                if not found:
                    raise RefusalError(404, "WALLET_NOT_FOUND", "Wallet not found")
                return self.done(backend.shown_wallet(found[0]), 200)
        raise RefusalError(404, "ROUTE_NOT_FOUND", "Cannot find this")

    def challenged(self, organization: str, identity: str, path: str, task: str, body: bytes) -> tuple[int, JSON]:
        customer = self.backend.customer(organization, identity)
        value = self.json(body)
        make: Callable[[], JSON] = lambda: self.backend.challenge_for(customer, task, value)  # noqa: E731
        return self.done(self.backend.once(organization, path, value, make))

    def challenges(self, customer: Customer, query: dict[str, list[str]]) -> list[JSON]:
        mine = [c for c in self.backend.challenges.values() if c.customer is customer and not self.backend.expired(c)]
        shown = [self.backend.shown_challenge(c, reading=True) for c in mine]
        return [one for one in shown if one["status"] in query.get("status", [one["status"]])]

    def json(self, body: bytes) -> JSON:
        if not self.headers.get("Content-Type", "").lower().startswith("application/json"):
            raise RefusalError(415, "MEDIA_TYPE", "Send application/json")
        try:
            value = json.loads(body)
        except ValueError as error:
            raise RefusalError(400, "JSON_MALFORMED", "The body is not JSON") from error
        if not isinstance(value, dict):
            raise self.backend.invalid("the body has to be an object")
        return value

    def done(self, data: Any, status: int | None = None) -> tuple[int, JSON]:
        status = status or self.backend.choices.created_status
        return status, {
            "data": data,
            "message": "OK",
            "status": status,
            "success": True,
            "ts": stamp(self.backend.now()),
        }

    def listed(self, rows: list[JSON], query: dict[str, list[str]]) -> tuple[int, JSON]:
        try:
            page, limit = int(query.get("page", ["1"])[0]), int(query.get("limit", ["10"])[0])
        except ValueError as error:
            raise self.backend.invalid("page and limit have to be numbers") from error
        order = query.get("order", ["desc"])[0].lower()
        if page < 1 or not 1 <= limit <= 100 or order not in {"asc", "desc"}:
            raise self.backend.invalid("page, limit or order is out of range")
        ordered = rows if order == "asc" else rows[::-1]
        meta = {
            "totalItems": len(rows),
            "currentPage": page,
            "perPage": limit,
            "lastPage": max(1, -(-len(rows) // limit)),
        }
        data = ordered[(page - 1) * limit : page * limit]
        return 200, {"meta": meta, "data": data, "status": 200, "success": True}

    def refuse(self, refusal: RefusalError) -> None:
        match self.backend.choices.errors:
            case "nested":
                errors = {"message": refusal.message, "code": refusal.code, "path": self.path}
                value: JSON = {"success": False, "status": refusal.status, "errors": errors, "data": None}
            case "flat":
                value = {"success": False, "message": refusal.message, "stack": None}
            case "problem":
                value = {"title": refusal.code, "detail": refusal.message, "status": refusal.status}
        self.say(refusal.status, value)

    def say(self, status: int, value: JSON) -> None:
        text = json.dumps(value, indent=3, ensure_ascii=False)
        if self.backend.choices.escaped_slashes:
            text = text.replace("/", "\\/")
        self.send(status, {"content-type": "application/json", "cache-control": "private, no-cache"}, text.encode())


class GatewayConnection(Connection):
    """A connection of the customer's browser to the gateway."""

    gateway: Gateway

    def do_GET(self) -> None:
        body = self.body()
        headers = {name.lower(): value for name, value in self.headers.items()}
        status, answered, text = self.gateway.answer(self.command, self.path, headers, body)
        self.send(status, answered, text.encode())

    do_POST = do_GET


class PlanbokServer:
    """The API and its gateway, each on a port of its own, started by `with`."""

    def __init__(
        self,
        choices: Choices | None = None,
        wrongs: frozenset[str] = frozenset(),
        *,
        port: int = 0,
        webhook_url: str = "",
        now: Callable[[], float] = time.time,
    ) -> None:
        if unknown := wrongs - WRONGS.keys():
            raise ValueError(f"no such wrongs: {', '.join(sorted(unknown))}")
        self.backend = Backend(choices or Choices(), wrongs, now, webhook_url)
        shared = {"backend": self.backend}
        self.api = ThreadingHTTPServer(("127.0.0.1", port), type("Api", (ApiConnection,), shared))
        pages = {**shared, "gateway": Gateway(self.backend)}
        self.pages = ThreadingHTTPServer(("127.0.0.1", 0), type("Pages", (GatewayConnection,), pages))
        self.origin = f"http://127.0.0.1:{self.api.server_port}"
        self.backend.gateway = f"http://127.0.0.1:{self.pages.server_port}"
        self.threads = [
            threading.Thread(target=server.serve_forever, args=[0.02], daemon=True) for server in (self.api, self.pages)
        ]
        for server in (self.api, self.pages):
            server.daemon_threads, server.block_on_close = True, False

    def __enter__(self) -> Self:
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        for server in (self.api, self.pages):
            server.shutdown()
            server.server_close()

    def settings(self) -> dict[str, str]:
        """What a run has to be told to reach both organizations and to receive webhooks."""
        start = "CONFORMANCE_PLANBOK_"
        key, read_only, second = self.backend.keys
        told = {f"{start}BASE_URL": self.origin, f"{start}API_KEY": key, f"{start}READ_ONLY_KEY": read_only}
        told[f"{start}SECOND_API_KEY"] = second
        if self.backend.webhook_url:
            told |= {
                f"{start}WEBHOOK_URL": self.backend.webhook_url,
                f"{start}WEBHOOK_SECRET": self.backend.webhook_secret,
            }
        return told


def main() -> None:
    parser = argparse.ArgumentParser(description="Serves the Planbok customer API on the loopback address.")
    add_arguments(parser, WRONGS)
    options = parser.parse_args()
    try:
        choices = chosen(Choices(), options.choice)
    except ValueError as error:
        parser.error(str(error))
    with PlanbokServer(choices, frozenset(options.wrong), port=options.port, webhook_url=options.webhook_url) as server:
        tell(server.settings())
        for thread in server.threads:
            thread.join()


if __name__ == "__main__":
    main()
