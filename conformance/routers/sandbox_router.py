"""The reference sandbox behind respx: what httpx sends to it, sync or async, is answered in this process."""

from collections.abc import Mapping
from contextlib import ExitStack, suppress
from socket import socketpair
from typing import Self

import httpx
import respx
from anyio.from_thread import BlockingPortal, start_blocking_portal
from respx.models import AllMockedAssertionError

from conformance.api import named, registered
from conformance.exchange import Headers, Request
from conformance.sandbox.deliveries import HttpSender
from conformance.sandbox.faults import BehaviourChange
from conformance.sandbox.remote import ClockWish, Control, World
from conformance.sandbox.server import SandboxApp, SandboxNotStartedError
from conformance.sandbox.world import Worlds

__all__ = ["SandboxRouter"]

_HOST = "sandbox.test"
"""A host that no name server knows (RFC 6761, section 6.2)."""
_ORIGIN = f"http://{_HOST}"


class SandboxRouter(respx.MockRouter):
    """A router of respx by which httpx clients meet a new world of the reference sandbox; a context manager.

    Clients of httpx that are made before or meanwhile, sync or async, reach the APIs at `base_urls`. Further routes are
    added as to any router; one for the address of your webhooks takes what the world sends there.

    Args:
        apis: The names of the APIs; all if none is named.
        faults: The faults and variations of the world: names, or those of your own, as classes or ``module:Class``.
        seed: What ids and credentials are drawn from.
        clock: As for `World`.
        assert_all_called: Whether each of your own routes must have been called in the end.
        assert_all_mocked: Whether what no route takes is an error, instead of an empty 200.

    Attributes:
        world: The world, by which its clock, faults and customers are commanded and the client is judged.

    Raises:
        UnknownApiError: If there is no such API.
        UnknownFaultError: If there is no such fault or variation.
    """

    def __init__(
        self,
        *apis: str,
        faults: tuple[str | BehaviourChange, ...] = (),
        seed: str = "sandbox",
        clock: ClockWish = "real",
        assert_all_called: bool = True,
        assert_all_mocked: bool = True,
    ) -> None:
        super().__init__(assert_all_called=assert_all_called, assert_all_mocked=assert_all_mocked)
        implemented = [named(name) for name in apis] or list(registered().values())
        self._worlds = Worlds(
            implemented, seed, faults, beyond_loopback=True, make_sender=lambda _seed: _RoutedSender()
        )
        self._app = SandboxApp(self._worlds, [_HOST])
        self._seed = seed
        self._clock: ClockWish = clock
        self._open = ExitStack()
        self._portal: BlockingPortal | None = None
        self._world: World | None = None

    @property
    def world(self) -> World:
        """The world that answers.

        Raises:
            RuntimeError: If the router has not been started.
        """
        if self._world is None:
            raise RuntimeError("The router has not been started: use it in a with statement, or call start().")
        return self._world

    @property
    def base_urls(self) -> Mapping[str, str]:
        """Where each API is, by its name."""
        return self.world.base_urls

    def start(self) -> None:
        """Answer from now on, with a new world.

        Raises:
            SandboxNotStartedError: If somebody's pytest takes away what an event loop needs.
        """
        _need_an_event_loop()
        with ExitStack() as opening:
            self._portal = opening.enter_context(start_blocking_portal())
            opening.callback(self._portal.call, self._worlds.close)
            control = Control(_ORIGIN, self._worlds.behaviours.add, httpx.MockTransport(self._answer))
            opening.callback(control.close)
            self._world = opening.enter_context(World(control, self._seed, self._clock))
            super().start()
            self.route(host=_HOST, name="conformance").mock(side_effect=self._answer)
            self._open = opening.pop_all()

    def stop(self, clear: bool = True, reset: bool = True, quiet: bool = False) -> None:  # noqa: FBT001, FBT002  (respx')
        """Answer no more, and drop the world.

        Raises:
            AssertionError: If a route of yours was not called.
        """
        with suppress(KeyError):
            self.pop("conformance")
        try:
            super().stop(clear=clear, reset=reset, quiet=quiet)
        finally:
            self._open.close()
            self._world = self._portal = None

    def __enter__(self) -> Self:
        super().__enter__()
        return self

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        return self

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if self._portal is None:
            raise RuntimeError("The router has been stopped.")
        target = request.url.raw_path.decode("ascii")
        sent = Request(
            headers=tuple(
                (name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in request.headers.raw
            ),
            body=request.read(),
            method=request.method,
            url=f"{request.url.scheme}://{request.headers.get('Host', _HOST)}{target}",
        )
        answer = self._portal.call(self._app.respond, sent, target.partition("?")[0])
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers]
        return httpx.Response(answer.status, headers=headers, stream=httpx.ByteStream(answer.body))


def _need_an_event_loop() -> None:
    try:
        for end in socketpair():
            end.close()
    except RuntimeError as error:
        raise SandboxNotStartedError(
            "The router opens no connection, but an event loop of Python needs two sockets that are joined inside this "
            f"process, and they are blocked ({error}). Give --allow-unix-socket besides --disable-socket."
        ) from error


class _RoutedSender(HttpSender):
    async def send(self, address: str, body: bytes, headers: Headers, *, follow_redirects: bool) -> int | None:
        try:
            return await super().send(address, body, headers, follow_redirects=follow_redirects)
        except AllMockedAssertionError:  # there is no route to the receiver
            return None
