"""An ASGI application that is served over HTTP from a thread of this process."""

import socket
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from types import TracebackType
from typing import Any, Self

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

_SECONDS_TO_START = 10

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
        protocol: type[H11Protocol] = H11Protocol,
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
            timeout_keep_alive=60,
            timeout_graceful_shutdown=1,
        )
        self._host = f"[{host}]" if ":" in host else host
        self._server = _Server(config)
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="conformance-server", daemon=True)
        self._thread.start()
        if not self._server.ready.wait(_SECONDS_TO_START) or not self._server.started:
            raise self._failure if isinstance(self._failure, OSError) else TimeoutError("it did not start in time")

    @property
    def origin(self) -> str:
        """Scheme, host and port, such as ``http://127.0.0.1:8080``."""
        port = self._server.servers[0].sockets[0].getsockname()[1]
        return f"http://{self._host}:{port}"

    def stop(self) -> None:
        """Stop serving; returns when all connections are closed."""
        self._server.should_exit = True
        self._thread.join()

    def wait(self) -> None:
        """Return when something else has stopped it."""
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def _run(self) -> None:
        try:
            self._server.run()
        except SystemExit as end:
            self._failure = end.__context__
        finally:
            self._server.ready.set()


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()
