"""The short way to a server of this process: a request becomes a call of its application, with no sockets between.

A client reaches a sandbox so, and a sandbox the receiver of its webhooks.

What HTTP/1.1 (RFC 9112) does to a message on its way is done here too: h11 refuses the same requests and answers, names
of fields reach the application in lower case, an answer to HEAD, or of status 204 or 304, has no content, and an
application that raises has answered 500.
"""

import asyncio
import itertools
import logging
import os
import ssl
from concurrent.futures import CancelledError
from http import HTTPStatus
from typing import Any, NoReturn, cast
from urllib.parse import unquote

import h11
import httpcore
import httpx

from conformance.sandbox.request_target import EXTENSION
from conformance.sandbox.threaded_server import App, Message

__all__ = ["InProcessPool", "InProcessTransport", "reach", "reach_no_more"]

_BODILESS = {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}
_BROKEN = (500, [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"21")], b"Internal Server Error")
"""What uvicorn answers of an application that raises."""
_clients = itertools.count(1)
_reached: dict[tuple[int, str], App] = {}
"""The applications that `InProcessTransport` calls, by the process that serves them and their origin."""
_logger = logging.getLogger(__name__)


class InProcessPool(httpcore.ConnectionPool):
    """Stands where a pool of connections does, and calls the application to which they would lead.

    Args:
        app: The application.
        loop: The loop in which it is served.
    """

    def __init__(self, app: App, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._app = app
        self._loop = loop
        self._client = ("in this process", next(_clients))

    def handle_request(self, request: httpcore.Request) -> httpcore.Response:
        """Have a request answered.

        Raises:
            httpcore.LocalProtocolError: If HTTP/1.1 cannot carry the request.
            httpcore.RemoteProtocolError: If it cannot carry the answer, or there is none.
            httpcore.ConnectError: If the server has ended.
            httpcore.ReadTimeout: If no answer came within the request's time.
        """
        try:
            asked = h11.Request(method=request.method, target=request.url.target, headers=request.headers)
        except h11.LocalProtocolError as error:
            raise httpcore.LocalProtocolError(str(error)) from error
        body = b"".join(part for part in cast("Any", request.stream))
        answering = _answer(self._app, _scope(asked, self._client), body)
        try:
            answer = asyncio.run_coroutine_threadsafe(answering, self._loop)
        except RuntimeError as error:  # the loop is closed
            answering.close()
            raise httpcore.ConnectError("the server has ended") from error
        try:
            status, fields, content = answer.result(request.extensions.get("timeout", {}).get("read"))
            sent = h11.Response(status_code=status, headers=fields)
        except TimeoutError as error:
            raise httpcore.ReadTimeout("timed out") from error
        except (CancelledError, h11.LocalProtocolError) as error:
            raise httpcore.RemoteProtocolError("Server disconnected without sending a response.") from error
        if asked.method == b"HEAD" or status in _BODILESS:
            content = b""
        return httpcore.Response(sent.status_code, headers=sent.headers.raw_items(), content=content)


class InProcessTransport(httpx.AsyncHTTPTransport):
    """Calls the applications that are reached so, in the loop of whoever asks, and goes to all else over sockets."""

    def __init__(self, verify: ssl.SSLContext) -> None:
        super().__init__(verify=verify, trust_env=False)
        self._client = ("in this process", next(_clients))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Have a request answered.

        Raises:
            httpx.LocalProtocolError: If HTTP/1.1 cannot carry the request.
            httpx.TransportError: As without a short way.
        """
        url = request.url
        app = _reached.get((os.getpid(), f"{url.scheme}://{url.netloc.decode('ascii')}"))
        if app is None:
            return await super().handle_async_request(request)
        try:
            asked = h11.Request(method=request.method, target=url.raw_path, headers=request.headers.raw)
        except h11.LocalProtocolError as error:
            raise httpx.LocalProtocolError(str(error), request=request) from error
        status, fields, content = await _answer(app, _scope(asked, self._client), await request.aread())
        return httpx.Response(status, headers=fields, content=content)


def reach(origin: str, app: App) -> None:
    """Have an application called by whoever asks an origin by `InProcessTransport`; it may be called in any loop."""
    _reached[os.getpid(), origin] = app


def reach_no_more(origin: str) -> None:
    """End what `reach` began."""
    _reached.pop((os.getpid(), origin), None)


async def _answer(app: App, scope: Message, body: bytes) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Status, fields and content of what an application answers."""
    given: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]
    start: Message = {}
    content: list[bytes] = []

    async def receive() -> Message:
        return given.pop() if given else await _never()

    async def send(message: Message) -> None:
        start.update(message)
        content.append(message.get("body", b""))

    try:
        await app(scope, receive, send)
    except Exception:
        _logger.exception("The application broke.")
        return _BROKEN
    return start["status"], start["headers"], b"".join(content)


async def _never() -> NoReturn:
    """Wait for a client that does not go away."""
    await asyncio.get_running_loop().create_future()
    raise AssertionError("nothing ends this")


def _scope(request: h11.Request, client: tuple[str, int]) -> Message:
    path, _, query = request.target.partition(b"?")
    return {
        "type": "http",
        "http_version": "1.1",
        "client": client,
        "scheme": "http",
        "method": request.method.decode("ascii"),
        "path": unquote(path.decode("ascii")),
        "raw_path": path,
        "query_string": query,
        "headers": list(request.headers),
        "extensions": {EXTENSION: request.target},
    }
