"""The sandbox as a server: HTTP in, the world and the API that a path names, HTTP out."""

import asyncio
import logging
import os
import re
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from email.utils import format_datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit
from weakref import WeakValueDictionary

from conformance import ConformanceError
from conformance.api import Api, registered
from conformance.clock import pause, stopwatch
from conformance.exchange import Request, Response
from conformance.sandbox.access import Access
from conformance.sandbox.blocked_sockets import cause_of
from conformance.sandbox.control import PREFIX, Control
from conformance.sandbox.faults import BehaviourChange
from conformance.sandbox.in_process import InProcessPool
from conformance.sandbox.messages import json_response, problem
from conformance.sandbox.request_target import target_of
from conformance.sandbox.threaded_server import Message, Receive, Send, ThreadedServer
from conformance.sandbox.world import DEFAULT, UnknownWorldError, World, Worlds

__all__ = ["RunningSandbox", "SandboxApp", "SandboxNotStartedError", "serve", "start"]

LARGEST_BODY = 1024 * 1024
"""Bytes of content that a request may have."""

_MOST_READ = 64 * LARGEST_BODY
_ORIGIN = re.compile(r"https?://[^/?#]*", re.IGNORECASE)
_MOUNT = re.compile(r"(?:/w/(?P<world>[^/]+))?/(?P<name>[^/]+)(?P<path>/.*)?")

_logger = logging.getLogger(__name__)

_Answering = Callable[[Request, str], Awaitable[Response]]

_served: "WeakValueDictionary[tuple[int, str], RunningSandbox]" = WeakValueDictionary()
"""The sandboxes that serve from a process, by its id (a forked one serves nothing of these) and their origins."""


class SandboxNotStartedError(ConformanceError, RuntimeError):
    """The server cannot listen where it was told to; the message says why and what to do."""


class SandboxApp:
    """The sandbox as an ASGI 3 application.

    Args:
        worlds: Its worlds.
        allowed_hosts: The hosts besides those of loopback at which its control routes answer.
    """

    def __init__(self, worlds: Worlds, allowed_hosts: Iterable[str] = ()) -> None:
        self.worlds = worlds
        self._control = Control(worlds, Access(allowed_hosts))

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one connection scope of ASGI."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._serve(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        retries = asyncio.create_task(self._retry_by_real_time())
        await send({"type": "lifespan.startup.complete"})
        await receive()
        retries.cancel()
        await self.worlds.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _retry_by_real_time(self) -> None:
        while True:
            await pause(1)
            await self.worlds.settle_in_real_time()

    async def _serve(self, scope: Message, receive: Receive, send: Send) -> None:
        try:
            body = await _read(receive)
        except _ClientGoneError:
            return
        request = _request(scope, body or b"")
        path = scope["raw_path"].decode("latin-1").removeprefix(_origin_in(scope))
        response = await self.respond(request, path, too_large=body is None)
        lines = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in response.headers]
        await send({"type": "http.response.start", "status": response.status, "headers": lines})
        await send({"type": "http.response.body", "body": response.body})

    async def respond(self, request: Request, path: str, *, too_large: bool = False) -> Response:
        """The answer to a request, with all its header fields.

        Args:
            request: The request, with its URL as it was sent.
            path: The undecoded path of the URL.
            too_large: Whether its content was larger than may be, and was left out.
        """
        world, response = await self._answer(request, path, too_large=too_large)
        headers = (*response.headers, ("Date", format_datetime(world.clock.now(), usegmt=True)))
        if response.status != HTTPStatus.NO_CONTENT and response.header("Transfer-Encoding") is None:
            headers = (*headers, ("Content-Length", str(len(response.body))))
        return replace(response, headers=headers)

    async def _answer(self, request: Request, path: str, *, too_large: bool) -> tuple[World, Response]:
        world = self.worlds.default
        if not _has_host(request.url):
            return world, problem(400, "The Host header must be a host, with a port where it is not 80.")
        if path == PREFIX or path.startswith(f"{PREFIX}/"):
            return world, await _guarded(self._control.answer, request, path, too_large=too_large)
        if path == "/health":
            return world, json_response(HTTPStatus.OK, {"healthy": True})
        mount = _MOUNT.fullmatch(path)
        try:
            world = self.worlds.get(mount["world"] or DEFAULT if mount else DEFAULT)
        except UnknownWorldError as error:
            return world, problem(404, str(error))
        answer = world.at(mount["name"]) if mount else None
        if mount is None or answer is None:
            known = ", ".join(f"/{name}" for name in world.mounts)
            return world, problem(404, f"There is nothing at {path!r}. There are {known}, and {PREFIX} for control.")
        at, started = world.clock.now(), stopwatch()
        response = await _guarded(answer, request, mount["path"] or "/", too_large=too_large)
        world.record(request, response, at, stopwatch() - started)
        return world, response


class RunningSandbox(ThreadedServer):
    """A sandbox that serves from a thread of this process until it is stopped; also a context manager.

    Args:
        app: What to serve.
        host: The address to listen on.
        port: The port to listen on; 0 for any that is free.

    Raises:
        SandboxNotStartedError: If it cannot listen there.
    """

    def __init__(self, app: SandboxApp, host: str, port: int) -> None:
        self._app = app
        try:
            super().__init__(app, host, port, lifespan=True)
        except OSError as error:
            raise SandboxNotStartedError(
                f"The sandbox cannot listen on {host}, port {port}: {error}. "
                "Is another one running there? Choose another port, or 0 for any that is free."
            ) from error
        except Exception as error:
            if cause := cause_of(error):
                raise SandboxNotStartedError(cause) from error
            raise
        _served[os.getpid(), self.origin] = self

    @classmethod
    def here(cls, origin: str) -> "RunningSandbox | None":
        """The sandbox that serves from this process at an origin, as ``http://127.0.0.1:8080`` is one; else None."""
        return _served.get((os.getpid(), origin))

    def pool(self) -> InProcessPool:
        """What has its requests answered without sockets, as those of one connection."""
        return InProcessPool(self._app, self.loop)

    def describe(self) -> dict[str, Any]:
        """What a client must know to use the default world, as ``GET /_sandbox`` answers it."""
        return self._app.worlds.default.describe(self.origin)

    @property
    def worlds(self) -> Worlds:
        """Its worlds; they change while it serves."""
        return self._app.worlds

    def add_fault(self, change: str | BehaviourChange) -> str:
        """Make a fault or variation of your own known, so that worlds can take it.

        Args:
            change: Its class, or where that stands, as ``module:Class``. What an API has may be named too.

        Returns:
            The name by which it is known.

        Raises:
            UnknownFaultError: If there is no such class, or it cannot be used.
        """
        return self._app.worlds.behaviours.add(change)


def start(
    port: int = 0,
    host: str = "127.0.0.1",
    faults: Iterable[str | BehaviourChange] = (),
    seed: str = "sandbox",
    *,
    apis: Iterable[Api] | None = None,
    beyond_loopback: bool = False,
    allowed_hosts: Iterable[str] = (),
) -> RunningSandbox:
    """Start a sandbox in a thread; use it in a ``with`` statement, or call ``stop``.

    Args:
        port: The port to listen on; 0 for any that is free.
        host: The address to listen on.
        faults: The faults and variations of the default world, and of every new one that names none: names, or
            those of your own, as classes or as ``module:Class``, which can be named from then on.
        seed: The seed of the default world.
        apis: The APIs to implement; None for all that are registered.
        beyond_loopback: Whether webhooks may go elsewhere than to this machine.
        allowed_hosts: The hosts besides those of loopback at which the control routes answer.

    Raises:
        SandboxNotStartedError: If it cannot listen there.
        UnknownFaultError: If a fault or variation of that name does not exist or cannot be used.
    """
    implemented = tuple(registered().values() if apis is None else apis)
    worlds = Worlds(implemented, seed, faults, beyond_loopback=beyond_loopback)
    return RunningSandbox(SandboxApp(worlds, allowed_hosts), host, port)


def serve(
    port: int,
    host: str = "127.0.0.1",
    faults: Iterable[str | BehaviourChange] = (),
    seed: str = "sandbox",
    *,
    started: Callable[[RunningSandbox], None],
    apis: Iterable[Api] | None = None,
    beyond_loopback: bool = False,
    allowed_hosts: Iterable[str] = (),
) -> None:
    """Serve until interrupted from the keyboard (Ctrl-C).

    Args:
        port: The port to listen on; 0 for any that is free.
        host: The address to listen on.
        faults: The faults and variations of the default world, and of every new one that names none: names, or
            those of your own, as classes or as ``module:Class``, which can be named from then on.
        seed: The seed of the default world.
        started: Called once requests are answered.
        apis: The APIs to implement; None for all that are registered.
        beyond_loopback: Whether webhooks may go elsewhere than to this machine.
        allowed_hosts: The hosts besides those of loopback at which the control routes answer.

    Raises:
        SandboxNotStartedError: If it cannot listen there.
        UnknownFaultError: If a fault or variation of that name does not exist or cannot be used.
    """
    with (
        suppress(KeyboardInterrupt),
        start(
            port, host, faults, seed, apis=apis, beyond_loopback=beyond_loopback, allowed_hosts=allowed_hosts
        ) as sandbox,
    ):
        started(sandbox)
        sandbox.wait()


class _ClientGoneError(Exception):
    """The client closed the connection within its request, which is then no request at all."""


async def _guarded(answer: _Answering, request: Request, path: str, *, too_large: bool) -> Response:
    if too_large:
        return problem(413, f"The body is larger than {LARGEST_BODY} bytes.")
    try:
        return await answer(request, path)
    except Exception:
        _logger.exception("The sandbox broke.")
        return problem(500, "The sandbox itself broke; what it was doing stands in its log. Please report it.")


async def _read(receive: Receive) -> bytes | None:
    """The content of a request; None if it is too large, read to its end so that the client gets to read the answer."""
    chunks: list[bytes] = []
    size = 0
    while size <= _MOST_READ:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _ClientGoneError
        chunk = message.get("body", b"")
        size += len(chunk)
        if size <= LARGEST_BODY:
            chunks.append(chunk)
        if not message.get("more_body", False):
            break
    return b"".join(chunks) if size <= LARGEST_BODY else None


def _request(scope: Message, body: bytes) -> Request:
    headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"])
    host = next((value for name, value in headers if name == "host"), "")
    target = target_of(scope).decode("latin-1")
    url = target if _origin_in(scope) else f"{scope['scheme']}://{host}{target}"
    return Request(headers, body, scope["method"], url)


def _origin_in(scope: Message) -> str:
    """Scheme and host of a target in absolute form, which a server must take (RFC 9112, section 3.2.2); else none."""
    found = _ORIGIN.match(target_of(scope).decode("latin-1"))
    return found[0] if found else ""


def _has_host(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
