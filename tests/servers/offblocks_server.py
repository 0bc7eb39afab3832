"""A server of the OffBlocks customer API on Tornado, written from the vendor's pages alone.

`python -m tests.servers.offblocks_server --help` says how to start it, `offblocks_backend` what it chooses and what
wrongs it can be given.
"""

import argparse
import asyncio
import contextlib
import hashlib
import json
import secrets
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any, Self
from xml.sax.saxutils import escape

import tornado.httpserver
import tornado.netutil
import tornado.web
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from tests.servers.command import add_arguments, chosen, tell
from tests.servers.http_signatures import Request, SignatureError, verify, verify_digest
from tests.servers.offblocks_backend import JSON, WRONGS, Backend, Choices, RefusalError, Stored, decoded

METHODS = [{"@method"}, {"@path", "@target-uri", "@request-target"}]


Run = tuple[int, Callable[..., Any]]  # the status of success, and what does it


class Handler(tornado.web.RequestHandler):
    """One operation, done once the request has passed token, signature, digest and idempotency key."""

    token = True
    signed = True
    keyed = True  # whether what changes something takes an Idempotency-Key
    customer = True  # whether the path names a customer

    def initialize(self, programmes: list[Backend], run: dict[str, Run]) -> None:
        self.backend, self.programmes, self.run = programmes[0], programmes, run

    async def handle(self, *arguments: str) -> None:
        try:
            await self.handled(self.request.method or "", arguments)
        except RefusalError as refusal:
            self.refuse(refusal)

    get = post = put = patch = delete = handle

    async def handled(self, method: str, arguments: tuple[str, ...]) -> None:
        if method not in self.run:
            raise RefusalError(self.backend.choices.wrong_method_status, "OB-0010", "No such operation")
        self.authenticate()
        if method != "GET" and self.keyed:
            await self.once(method, arguments)
        else:
            self.answer(*self.done(method, arguments))

    def done(self, method: str, arguments: tuple[str, ...]) -> tuple[int, Any]:
        status, run = self.run[method]
        inputs: list[Any] = [self.backend.find(arguments[0])] if self.customer else list(arguments)
        if method in {"POST", "PUT"}:
            inputs.append(self.body())
        return status, run(self.backend, *inputs)

    def authenticate(self) -> None:
        if self.token:
            self.backend = self.programme()
        if self.signed:
            self.check_signature()
        if self.request.body and self.signed:
            self.check_digest()

    def programme(self) -> Backend:
        """The programme whose token it is."""
        header = self.request.headers.get("Authorization")
        for backend in self.programmes[1:]:
            with contextlib.suppress(RefusalError):
                backend.check_token(header)
                return backend
        self.programmes[0].check_token(header)
        return self.programmes[0]

    def check_signature(self) -> None:
        choices = self.backend.choices
        lines: dict[str, list[str]] = {}
        for name, value in self.request.headers.get_all():
            lines.setdefault(name.lower(), []).append(value)
        request = Request(
            self.request.method or "", "http", self.request.headers.get("Host", ""), self.request.uri or "", lines
        )
        for name in ("signature", "signature-input"):
            if name not in lines:
                raise RefusalError(choices.signature_status, "OB-0006", f"The header {name} is required")
        required = [*METHODS, {"content-digest"}] if self.request.body else METHODS
        try:
            verify(
                request,
                self.backend.state.keys,
                self.backend.now(),
                oldest=choices.oldest_signature,
                ahead=5,
                required=required,
                unknown_key_holds="unknown_key_accepted" in self.backend.wrongs,
            )
        except SignatureError as error:
            raise RefusalError(choices.signature_status, "OB-0007", f"Invalid request signature: {error}") from error

    def check_digest(self) -> None:
        field = self.request.headers.get("Content-Digest")
        if field is None:
            raise RefusalError(400, "OB-0008", "Content-Digest is required")
        if "digest_not_compared" in self.backend.wrongs:
            return
        try:
            verify_digest(field, self.request.body)
        except SignatureError as error:
            raise RefusalError(400, "OB-0009", str(error)) from error

    async def once(self, method: str, arguments: tuple[str, ...]) -> None:
        """Answers a request under its idempotency key, a repeated one as before."""
        backend, choices = self.backend, self.backend.choices
        key = self.request.headers.get("Idempotency-Key")
        if key is None and "key_not_required" in backend.wrongs:
            key = str(uuid.uuid4())
        try:
            key = str(uuid.UUID(key or ""))
        except ValueError as error:
            raise RefusalError(400, "OB-1100", "Idempotency-Key has to be a UUID") from error
        operation = f"{method} {self.request.path}"
        fingerprint = hashlib.sha256(f"{operation}\n".encode() + self.request.body).hexdigest()
        place = key if choices.key_scope == "client" else f"{key} {operation}"
        stored = backend.state.stored.get(place)
        if stored is not None and backend.now() < stored.at + choices.lifetime:
            if stored.fingerprint != fingerprint and "mismatch_replayed" not in backend.wrongs:
                raise RefusalError(choices.mismatch_status, "OB-1101", "The key was used for another request")
            if stored.answer is None:
                raise RefusalError(409, "OB-1102", "Idempotency-Key Concurrency Conflict")
            if "replay_executed" not in backend.wrongs:
                status, body, headers = stored.answer
                self.write_out(status, body, {**headers, "Idempotent-Replayed": "true"})
                return
        stored = backend.state.stored[place] = Stored(fingerprint, backend.now())
        try:
            await asyncio.sleep(0.005)  # the database
            status, value = self.done(method, arguments)
        except RefusalError:
            del backend.state.stored[place]  # only what was done is remembered
            raise
        stored.answer = self.answer(status, value)

    def body(self) -> JSON:
        if self.request.headers.get("Content-Type", "").split(";")[0].strip().lower() != "application/json":
            raise RefusalError(self.backend.choices.missing_content_type_status, "OB-1000", "Send application/json")
        try:
            value = json.loads(self.request.body)
        except ValueError as error:
            raise RefusalError(400, "OB-1000", "The body is not JSON") from error
        if not isinstance(value, dict):
            raise RefusalError(400, "OB-1000", "The body has to be an object")
        unknown = value.keys() - {"chainId", "externalId", "ownerId", "challenge", "signature", "id", "callbackUrl"}
        unknown -= {"types", "apiKey", "apiSecret", "publicKey", "algorithm"}
        if unknown and self.backend.choices.unknown_members == "refused":
            raise RefusalError(400, "OB-1000", f"unknown: {', '.join(sorted(unknown))}")
        return value

    def answer(self, status: int, value: Any) -> tuple[int, bytes, dict[str, str]]:
        headers = {"Cache-Control": "no-store", "X-Trace": secrets.token_hex(8)}
        body = b""
        if value is not None:
            headers["Content-Type"] = "application/json;charset=UTF-8"
            body = json.dumps(value, indent="\t", sort_keys=True).encode() + b"\r\n"
        if status == 201:
            headers["Location"] = f"/v1/customers/{value['id']}"
        self.write_out(status, body, headers)
        return status, body, headers

    def write_out(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.set_status(status)
        for name, value in headers.items():
            self.set_header(name, value)
        if "Content-Type" not in headers:
            self.clear_header("Content-Type")
        if body:
            self.write(body[:20])
            self.flush()  # from here on in chunks
            self.write(body[20:])

    def set_default_headers(self) -> None:
        self.set_header("Server", "envoy")
        self.set_header("Strict-Transport-Security", "max-age=31536000")
        self.set_header("Vary", "Accept-Encoding")

    def refuse(self, refusal: RefusalError) -> None:
        self.set_status(refusal.status)
        if refusal.status == 401:
            self.set_header("WWW-Authenticate", 'Bearer realm="offblocks"')
        trace = secrets.token_hex(8)
        match self.backend.choices.errors:
            case "listed":
                value: JSON = {
                    "errors": [{"code": refusal.code, "message": refusal.detail, "field": None}],
                    "traceId": trace,
                }
                self.write(json.dumps(value))
                self.set_header("Content-Type", "application/vnd.offblocks.error+json")
            case "problem":
                value = {
                    "type": "about:blank",
                    "title": refusal.code,
                    "detail": refusal.detail,
                    "status": refusal.status,
                }
                self.write(json.dumps(value))
                self.set_header("Content-Type", "application/problem+json")
            case "text":
                self.write(refusal.detail + "\n")
                self.set_header("Content-Type", "text/plain; charset=us-ascii")
            case "xml":
                self.write(f"<error><detail>{escape(refusal.detail)}</detail></error>")
                self.set_header("Content-Type", "application/xml")
            case "empty":
                self.clear_header("Content-Type")

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        self.refuse(RefusalError(status_code, "OB-9999", "Something went wrong"))

    def log_exception(self, *arguments: Any) -> None:
        if not isinstance(arguments[1], tornado.web.HTTPError):
            super().log_exception(*arguments)


class Open(Handler):
    """Takes neither token nor signature."""

    token = signed = keyed = customer = False

    def done(self, method: str, arguments: tuple[str, ...]) -> tuple[int, Any]:
        body = self.body()
        known = [one for one in self.programmes if one.state.api_key == str(body.get("apiKey")).lower()]
        return 200, (known or self.programmes)[0].token(body)


class Bearer(Handler):
    """Takes a token, but no signature."""

    signed = keyed = customer = False


class Plain(Handler):
    """Names no customer in its path."""

    customer = False


class Missing(Handler):
    """Whatever else is asked for."""

    async def prepare(self) -> None:
        self.refuse(RefusalError(404, "OB-0404", "Nothing here"))
        await self.finish()


def register(backend: Backend, body: JSON) -> JSON:
    identity = backend.register_key(decoded(body.get("publicKey"), "publicKey"))
    return {"keyId": identity, "algorithm": "ecdsa-p384-sha384"}


def moved(allowed: str, *steps: str) -> Run:
    return 202, lambda backend, customer: backend.move(customer, {allowed}, list(steps))


def application(programmes: list[Backend]) -> tornado.web.Application:
    one = r"/v1/customers/([^/]+)"
    hook = r"/v1/webhooks/([^/]+)"
    table: list[tuple[type[Handler], str, dict[str, Run]]] = [
        (Open, r"/v1/auth/token", {"POST": (200, Backend.token)}),
        (
            Bearer,
            r"/v1/auth/credentials",
            {"PUT": (204, Backend.change_credentials), "DELETE": (204, Backend.remove_credentials)},
        ),
        (Bearer, r"/v1/auth/signing", {"PUT": (200, register), "DELETE": (204, Backend.remove_key)}),
        (Plain, r"/v1/customers", {"POST": (201, Backend.create), "GET": (200, Backend.everybody)}),
        (Handler, one, {"GET": (200, Backend.shown)}),
        (Handler, one + "/challenge", {"GET": (200, lambda backend, who: {"challenge": backend.current(who)})}),
        (Handler, one + "/challenge/sign", {"POST": (204, Backend.sign)}),
        (Handler, one + "/deactivate", {"PATCH": moved("active", "inactive")}),
        (Handler, r"/v1/simulator/customers/([^/]+)/verify", {"PATCH": moved("verifying", "active")}),
        (Handler, r"/v1/simulator/customers/([^/]+)/reject", {"PATCH": moved("verifying", "rejected")}),
        (Plain, r"/v1/webhooks", {"PUT": (200, Backend.put_webhook), "GET": (200, Backend.all_webhooks)}),
        (Plain, hook, {"GET": (200, Backend.webhook), "DELETE": (204, Backend.remove_webhook)}),
    ]
    return tornado.web.Application(
        [(path, kind, {"programmes": programmes, "run": run}) for kind, path, run in table],
        compress_response=True,
        default_handler_class=Missing,
        default_handler_args={"programmes": programmes, "run": {}},
        log_function=lambda _: None,
    )


class OffBlocksServer:
    """The server on a thread of its own, started by `with`."""

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
        self.programmes = [Backend(choices or Choices(), wrongs, now) for _ in range(2)]
        self.webhook_url = webhook_url
        self.sockets = tornado.netutil.bind_sockets(port, "127.0.0.1")
        self.origin = f"http://127.0.0.1:{self.sockets[0].getsockname()[1]}"
        self.thread = threading.Thread(target=lambda: asyncio.run(self.serve()), daemon=True)
        self.ready = threading.Event()

    async def serve(self) -> None:
        self.loop, self.stopping = asyncio.get_running_loop(), asyncio.Event()
        server = tornado.httpserver.HTTPServer(application(self.programmes))
        server.add_sockets(self.sockets)
        self.ready.set()
        await self.stopping.wait()
        server.stop()
        await server.close_all_connections()
        for task in [task for backend in self.programmes for task in backend.tasks]:
            task.cancel()

    def __enter__(self) -> Self:
        self.thread.start()
        self.ready.wait()
        return self

    def __exit__(self, *error: object) -> None:
        self.loop.call_soon_threadsafe(self.stopping.set)
        self.thread.join()

    def settings(self) -> dict[str, str]:
        """What a run has to be told to reach both programmes, their signing keys registered by the way."""
        told = {"CONFORMANCE_OFFBLOCKS_BASE_URL": self.origin}
        if self.webhook_url:
            told["CONFORMANCE_OFFBLOCKS_WEBHOOK_URL"] = self.webhook_url
        for prefix, backend in zip(("", "SECOND_"), self.programmes, strict=True):
            key = ec.generate_private_key(ec.SECP384R1())
            public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
            private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            start = f"CONFORMANCE_OFFBLOCKS_{prefix}"
            told[f"{start}API_KEY"] = backend.state.api_key
            told[f"{start}API_SECRET"] = backend.state.api_secret
            told[f"{start}SIGNING_KEY"] = private.decode()
            told[f"{start}SIGNING_KEY_ID"] = backend.register_key(public)
        return told


def main() -> None:
    parser = argparse.ArgumentParser(description="Serves the OffBlocks customer API on the loopback address.")
    add_arguments(parser, WRONGS)
    options = parser.parse_args()
    try:
        choices = chosen(Choices(), options.choice)
    except ValueError as error:
        parser.error(str(error))
    wrongs, url = frozenset(options.wrong), options.webhook_url
    with OffBlocksServer(choices, wrongs, port=options.port, webhook_url=url) as server:
        tell(server.settings())
        server.thread.join()


if __name__ == "__main__":
    main()
