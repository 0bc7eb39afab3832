"""A gateway that passes requests on to one server and answers back, unchanged, and tells of both.

What must not be passed on is not: fields of one connection (RFC 9110, section 7.6.1), Host, and with another signature
the one before. Bodies go through as they come, in their content coding; redirects and refusals are passed on as well.
"""

import ssl
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import datetime
from http import HTTPStatus
from urllib.parse import urlsplit

import httpx

from conformance.bounds.urls import is_loopback
from conformance.clock import SystemClock, stopwatch
from conformance.exchange import Headers, Request
from conformance.sandbox.messages import problem
from conformance.sandbox.request_target import target_of
from conformance.sandbox.threaded_server import Message, Receive, Send
from conformance.traffic.capture import PROXY_NAME

LARGEST_KEPT = 4 * 1024 * 1024
"""The most bytes of one body that are kept of what is passed on; larger ones pass as well."""

_OF_ONE_CONNECTION = {
    *("connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"),
}
_CONNECT_SECONDS = 10.0
_ANSWER_SECONDS = 60.0
_GATEWAY_ERRORS: tuple[tuple[type[httpx.TransportError], int, str], ...] = (
    (httpx.ConnectTimeout, HTTPStatus.GATEWAY_TIMEOUT, "connection_timeout"),
    (httpx.TimeoutException, HTTPStatus.GATEWAY_TIMEOUT, "http_response_timeout"),
    (httpx.ConnectError, HTTPStatus.BAD_GATEWAY, "destination_unavailable"),
    (httpx.ProtocolError, HTTPStatus.BAD_GATEWAY, "http_protocol_error"),
    (httpx.TransportError, HTTPStatus.BAD_GATEWAY, "connection_terminated"),
)
"""What is answered where the server gives no answer: the status, and the error's type (RFC 9209, section 2.3)."""


@dataclass(frozen=True)
class Passed:
    """A request that was passed on, with what came back.

    Args:
        at: When it came (UTC).
        seconds: How long it took until all of the answer had come.
        request: The request as its client sent it.
        asked: The URL at which the server was asked.
        status: The status of the answer; 0 if there was none.
        headers: The header lines of the answer.
        body: The body of the answer, in its content coding.
        lacks_request_body: Whether the body of the request is not kept, since it is too large or did not come whole.
        lacks_response_body: Whether the body of the answer is not kept, for the same reasons.
        error: Why there is no whole answer; empty if there is.
    """

    at: datetime
    seconds: float
    request: Request
    asked: str
    status: int = 0
    headers: Headers = ()
    body: bytes = b""
    lacks_request_body: bool = False
    lacks_response_body: bool = False
    error: str = ""


class _ClientGoneError(Exception):
    """The client closed the connection within its request, which is then no request at all."""


class _Kept:
    """What is kept of a body that passes."""

    def __init__(self) -> None:
        self.chunks: list[bytes] = []
        self.size = 0

    def add(self, chunk: bytes) -> None:
        """Keep a part, unless the whole is too large."""
        self.size += len(chunk)
        if self.size > LARGEST_KEPT:
            self.chunks = []
        else:
            self.chunks.append(chunk)

    @property
    def is_too_large(self) -> bool:
        """Whether it was not kept."""
        return self.size > LARGEST_KEPT


class _Body(httpx.AsyncByteStream):
    """The body of a request, as it comes from the client."""

    def __init__(self, receive: Receive, kept: _Kept) -> None:
        self._receive = receive
        self._kept = kept
        self.is_whole = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while not self.is_whole:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise _ClientGoneError
            self.is_whole = not message.get("more_body", False)
            if chunk := message.get("body", b""):
                self._kept.add(chunk)
                yield chunk


class Proxy:
    """The gateway as an ASGI 3 application.

    Args:
        upstream: The server: scheme, host and port; paths are the same at the proxy as there.
        passed: Told of each request that was passed on, when its answer has ended.
        resign: Makes what is sent to the server from what its client signed; None to pass signatures on.
        trust: Which certificates are trusted; None for those of the system.
        answer_seconds: How long the server may be silent.
    """

    def __init__(
        self,
        upstream: str,
        passed: Callable[[Passed], None],
        *,
        resign: Callable[[Request], Request] | None = None,
        trust: ssl.SSLContext | None = None,
        answer_seconds: float = _ANSWER_SECONDS,
    ) -> None:
        self._upstream = upstream
        self._passed = passed
        self._resign = resign
        # A connection for each request: one that is kept may just have been closed by the server.
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
        verify = (trust or ssl.create_default_context()) if upstream.startswith("https:") else False
        self._sender = httpx.AsyncHTTPTransport(verify=verify, limits=limits, trust_env=False)
        self._timeout = {"connect": _CONNECT_SECONDS, "read": answer_seconds, "write": answer_seconds, "pool": None}

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one connection scope of ASGI."""
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await self._sender.aclose()
            await send({"type": "lifespan.shutdown.complete"})
        elif scope["type"] == "http":
            await self._serve(scope, receive, send)

    async def _serve(self, scope: Message, receive: Receive, send: Send) -> None:
        headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"])
        target = target_of(scope).decode("latin-1")
        host = next((value for name, value in headers if name.lower() == "host"), "")
        seen = Request(headers, b"", scope["method"], f"http://{host}{target}")
        if reason := self._refused(seen, target):
            await _answer(send, HTTPStatus.MISDIRECTED_REQUEST, reason, "http_request_error")
            return
        kept, began, watch = _Kept(), SystemClock().now(), stopwatch()
        body = _Body(receive, kept)
        passing = _Passing(send)
        gone = False
        try:
            await passing.through(self._sender, self._request(seen, target, body))
        except _ClientGoneError:
            gone = True
        except Exception as error:  # noqa: BLE001  (whatever it is, the client is told who failed)
            await passing.fail(error, self._upstream)
        finally:
            if not gone:
                self._passed(
                    replace(
                        passing.passed,
                        at=began,
                        seconds=stopwatch() - watch,
                        request=replace(seen, body=b"".join(kept.chunks)),
                        asked=f"{self._upstream}{target}",
                        lacks_request_body=kept.is_too_large or not (body.is_whole or not _has_body(headers)),
                    )
                )
        if passing.is_broken:
            raise ConnectionAbortedError  # the client sees that the answer is not whole, as it came

    def _refused(self, request: Request, target: str) -> str:
        """Why a request is not passed on; empty if it is."""
        asked = urlsplit(request.url) if target.startswith("/") else None
        try:
            host = (asked.hostname or "") if asked else ""
        except ValueError:
            host = ""
        if not is_loopback(host):
            return f"It takes requests for a loopback host, such as 127.0.0.1, and this one is for {host or target!r}."
        origin = request.header("Origin")
        if self._resign and asked and origin is not None and origin.lower() != f"http://{asked.netloc}".lower():
            return "It signs anew, and so takes no request of a page of another site."
        return ""

    def _request(self, seen: Request, target: str, body: _Body) -> httpx.Request:
        """What the server is sent."""
        url = f"{self._upstream}{target}"
        authority = urlsplit(self._upstream).netloc
        dropped = {*_named_by_connection(seen.headers), "host", "expect"}
        kept = [(name, value) for name, value in seen.headers if name.lower() not in dropped]
        headers = (("host", authority), *kept, ("via", f"1.1 {PROXY_NAME}"))
        sent = replace(seen, url=url, headers=headers)
        if self._resign:
            sent = self._resign(sent)
        lines = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in sent.headers]
        has_body = _has_body(seen.headers)
        if has_body and not any(name.lower() == "content-length" for name, _ in kept):
            lines.append((b"transfer-encoding", b"chunked"))
        return httpx.Request(
            seen.method,
            self._upstream,
            headers=lines,
            stream=body if has_body else httpx.ByteStream(b""),
            extensions={"timeout": self._timeout, "target": target.encode("latin-1")},
        )


class _Passing:
    """An answer on its way.

    Args:
        send: Where it goes to.
    """

    def __init__(self, send: Send) -> None:
        self._send = send
        self._has_begun = False
        self._kept = _Kept()
        self.is_broken = False
        self.passed = Passed(SystemClock().now(), 0, Request(), "", error="The proxy was stopped.")

    async def through(self, sender: httpx.AsyncBaseTransport, request: httpx.Request) -> None:
        """Send a request, and pass its answer on.

        Raises:
            httpx.TransportError: If there is no answer, or no whole one.
            _ClientGoneError: If the client closed the connection within its request.
        """
        response = await sender.handle_async_request(request)
        stream = response.stream
        if not isinstance(stream, httpx.AsyncByteStream):
            raise TypeError(f"{type(stream).__name__} is no stream of an asynchronous transport")
        try:
            lines = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in response.headers.raw]
            dropped = _named_by_connection(lines)
            headers = tuple((name, value) for name, value in lines if name.lower() not in dropped)
            self.passed = replace(self.passed, status=response.status_code, headers=headers, lacks_response_body=True)
            await self._begin(response.status_code, headers)
            async with aclosing(aiter(stream)) as chunks:  # type: ignore[type-var]  # an iterator that can be closed
                async for chunk in chunks:
                    self._kept.add(chunk)
                    await self._send({"type": "http.response.body", "body": chunk, "more_body": True})
            await self._send({"type": "http.response.body", "body": b""})
        finally:
            await stream.aclose()
        self.passed = replace(
            self.passed,
            body=b"".join(self._kept.chunks),
            lacks_response_body=self._kept.is_too_large,
            error="",
        )

    async def fail(self, error: Exception, upstream: str) -> None:
        """Say that there is no answer, or break off the one that has begun."""
        detail = str(error) or type(error).__name__
        self.passed = replace(self.passed, error=detail)
        if self._has_begun:
            self.is_broken = True
            return
        status, kind = next(
            ((status, kind) for type_, status, kind in _GATEWAY_ERRORS if isinstance(error, type_)),
            (HTTPStatus.INTERNAL_SERVER_ERROR, "proxy_internal_error"),
        )
        told = {
            HTTPStatus.GATEWAY_TIMEOUT: f"The server at {upstream} did not answer in time",
            HTTPStatus.BAD_GATEWAY: f"The server at {upstream} gave no answer",
        }
        await _answer(self._send, status, f"{told.get(HTTPStatus(status), 'It cannot pass this on')}: {detail}", kind)

    async def _begin(self, status: int, headers: Headers) -> None:
        self._has_begun = True
        lines = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        await self._send({"type": "http.response.start", "status": status, "headers": lines})


async def _answer(send: Send, status: int, detail: str, kind: str) -> None:
    """Answer in the proxy's own name."""
    said = f"This is conformance proxy, not the server. {detail}"
    response = problem(status, said, (("Proxy-Status", f"{PROXY_NAME}; error={kind}"),))
    headers = [*response.headers, ("Content-Length", str(len(response.body)))]
    lines = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    await send({"type": "http.response.start", "status": status, "headers": lines})
    await send({"type": "http.response.body", "body": response.body})


def _named_by_connection(headers: Iterable[tuple[str, str]]) -> set[str]:
    """The names, in lower case, of the fields that are for one connection alone (RFC 9110, section 7.6.1)."""
    said = [value for name, value in headers if name.lower() == "connection"]
    return _OF_ONE_CONNECTION | {name.strip().lower() for value in said for name in value.split(",")}


def _has_body(headers: Headers) -> bool:
    """Whether a request has a body, if only an empty one (RFC 9112, section 6)."""
    names = {name.lower(): value for name, value in headers}
    return "transfer-encoding" in names or names.get("content-length", "0") != "0"
