"""An ASGI application that is served over HTTP from a thread of this process."""

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

import uvicorn

from conformance.clock import passed
from conformance.sandbox.request_target import AsSentProtocol

_SECONDS_TO_START = 10
_SECONDS_TO_STOP = 10
"""After that the thread is left to the end of the process, which it does not hold up."""

Message = MutableMapping[str, Any]
"""A message or scope of ASGI 3."""
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]


class ThreadedServer:
    """A server that serves until it is stopped; also a context manager.

    Args:
        app: What to serve.
        host: The address to listen on.
        port: The port to listen on; 0 for any that is free.
        lifespan: Whether the application wants to know of the beginning and the end.
        protocol: What reads from connections and writes to them.
        most_connections: How many connections are served at once; None for any number.

    Raises:
        OSError: If it cannot listen there.
    """

    def __init__(
        self,
        app: App,
        host: str,
        port: int,
        *,
        lifespan: bool = False,
        protocol: type[AsSentProtocol] = AsSentProtocol,
        most_connections: int | None = None,
    ) -> None:
        config = uvicorn.Config(
            app,
            host=host,
            port=port,
            interface="asgi3",
            http=protocol,
            ws="none",
            lifespan="on" if lifespan else "off",
            loop="asyncio",
            log_config=None,
            log_level="critical",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            limit_concurrency=most_connections,
            timeout_keep_alive=60,
            timeout_graceful_shutdown=1,
        )
        socket.socket().close()  # fails here, with nothing left open, where somebody's pytest allows no sockets
        self._host = f"[{host}]" if ":" in host else host
        self._server = _Server(config)
        self._failure: Exception | None = None
        self._ended = threading.Event()  # a thread takes itself for ended once Ctrl-C has come while it was joined
        threading.Thread(target=self._run, name="conformance-server", daemon=True).start()
        if not self._server.ready.wait(_SECONDS_TO_START) or not self._server.started:
            raise self._failure or TimeoutError("it did not start in time")

    @property
    def origin(self) -> str:
        """Scheme, host and port, such as ``http://127.0.0.1:8080``."""
        port = self._server.servers[0].sockets[0].getsockname()[1]
        return f"http://{self._host}:{port}"

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop in which it serves, that of another thread."""
        return self._server.loop

    def stop(self) -> None:
        """Stop serving; returns when all connections are closed, and after ten seconds in any case."""
        self._server.end()
        self._ended.wait(_SECONDS_TO_STOP)

    def wait(self) -> None:
        """Return when something else has stopped it."""
        self._ended.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=_Loop) as runner:
                runner.run(self._server.serve())
        except SystemExit as end:
            self._failure = end.__context__ if isinstance(end.__context__, Exception) else None
        except Exception as error:  # noqa: BLE001 - told by the thread that started this one
            self._failure = error
        finally:
            self._server.ready.set()
            self._ended.set()


class _Loop(asyncio.SelectorEventLoop):
    """A loop whose time goes on where a test holds the clocks of its process still, as with freezegun."""

    def time(self) -> float:
        """Seconds that only run forward."""
        return passed()


class _Server(uvicorn.Server):
    """A server of uvicorn that ends when it is told to, where uvicorn's own looks ten times a second and waits on."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()
        self._over = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop in which it serves, once it has started."""
        if self._loop is None:
            raise RuntimeError("the server has not started")
        return self._loop

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)
        self.ready.set()

    async def main_loop(self) -> None:
        await self._over.wait()

    def end(self) -> None:
        """Tell the server to end, from any thread; one that has ended stays so."""
        if self._loop is not None and not self._loop.is_closed():
            with suppress(RuntimeError):  # it has closed since
                self._loop.call_soon_threadsafe(self._over.set)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for listening in (each for server in self.servers for each in server.sockets):
            asyncio.get_running_loop().remove_reader(listening.fileno())
        await _turns(3)  # in which a connection that was taken just before becomes one of those below
        for server in self.servers:
            server.close()  # not before: asyncio drops what such a server has taken, and leaves it open
        for connection in list(self.server_state.connections):
            connection.shutdown()
        await _turns(2)  # an idle connection is closed in one turn of the loop and gone in the next
        if self.server_state.connections or self.server_state.tasks:
            await super().shutdown(sockets)
            await _turns(2)  # in which a task that was told to end does
            for connection in list(self.server_state.connections):
                connection.transport.abort()  # its client reads no further, or sends no more of its request
            await _turns(2)
        else:
            await self.lifespan.shutdown()


async def _turns(number: int) -> None:
    """Let the loop go on with what it has to do, so many times."""
    for _ in range(number):
        await asyncio.sleep(0)  # noqa: TID251  (waits for no time)
