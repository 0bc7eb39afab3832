"""Webhook deliveries: events on their way to a receiver, tried again by the clock of their world."""

import asyncio
import ssl
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import Protocol

import httpx

from conformance.bounds.urls import UrlRefused, foreign_url, is_loopback
from conformance.clock import Clock, SystemClock, stopwatch
from conformance.exchange import Headers
from conformance.sandbox.in_process import InProcessTransport

TIMEOUT = 5
"""Seconds that a receiver has for its answer."""

_LOGGED_EVENTS, _LOGGED_TRIES = 1_000, 20


class AddressRefused(ValueError):  # noqa: N818 - a judgement of the input, named as such
    """A webhook address is not one that the sandbox sends to."""


class Policy(Protocol):
    """How persistently an API delivers."""

    def tries_at_once(self) -> int:
        """How often a new event is tried before the first pause."""

    def pause_before_retry(self, failures: int) -> timedelta:
        """How long to wait after so many `failures`."""

    def gives_up_after(self) -> timedelta:
        """The age at which an undelivered event is dropped."""

    def is_received(self, status: int) -> bool:
        """Whether a receiver that answers `status` has the event."""

    def follows_redirects(self) -> bool:
        """Whether to go where a receiver sends it."""


class Sender(Protocol):
    """What brings events to their receivers."""

    async def send(self, address: str, body: bytes, headers: Headers, *, follow_redirects: bool) -> int | None:
        """POST an event.

        Args:
            address: The receiver's URL.
            body: The event as JSON.
            headers: All header lines that say something of the event.
            follow_redirects: Whether to go where the receiver sends it.

        Returns:
            The status of the last answer; None if none came in time.
        """

    async def close(self) -> None:
        """Close the connections."""


class HttpSender:
    """Sends over HTTP, and gives a receiver `TIMEOUT` seconds for its answer."""

    def __init__(self) -> None:
        self._client: httpx.AsyncClient | None = None

    async def send(self, address: str, body: bytes, headers: Headers, *, follow_redirects: bool) -> int | None:
        """POST an event; the status of the last answer, None if none came in time."""
        if self._client is None:
            self._client = httpx.AsyncClient(transport=InProcessTransport(_tls()), timeout=None, trust_env=False)  # noqa: S113 - timed below
        try:
            async with (
                asyncio.timeout(TIMEOUT),
                self._client.stream(
                    "POST", address, content=body, headers=list(headers), follow_redirects=follow_redirects
                ) as response,
            ):
                return response.status_code
        except (httpx.HTTPError, TimeoutError):
            return None

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None


SenderFactory = Callable[[str], Sender]
"""Gives the sender of a world, by the world's seed."""


def http_sender(_seed: str) -> Sender:
    """The sender of a world whose webhooks really go out."""
    return HttpSender()


@dataclass(frozen=True)
class Try:
    """One try to deliver an event.

    Args:
        at: When it was made, by the clock of the world (UTC).
        machine_at: When it was made, by the machine's clock (UTC).
        seconds: How long the receiver took.
        headers: All header lines that the sandbox gave it.
        status: The status of the receiver's answer; None if none came in time.
    """

    at: datetime
    machine_at: datetime
    seconds: float
    headers: Headers
    status: int | None


class State(StrEnum):
    """What became of an event."""

    UNDER_WAY = "under way"
    RECEIVED = "received"
    WAITING = "waiting for another try"
    GIVEN_UP = "given up"


@dataclass
class Pending:
    """One event that is on its way to a receiver, or was.

    Args:
        address: The receiver's URL.
        body: The event as JSON.
        policy: How persistently to try.
        headers: What gives the further headers of a try.
        posted: When the event came about (UTC).
        due: When to try again (UTC).
        failures: How often it was tried in vain.
        tries: The tries so far, but for the oldest of very many.
        state: What became of it.
    """

    address: str
    body: bytes
    policy: Policy
    headers: Callable[[], Headers]
    posted: datetime
    due: datetime
    failures: int = 0
    tries: deque[Try] = field(default_factory=lambda: deque(maxlen=_LOGGED_TRIES))
    state: State = State.UNDER_WAY


class Outbox:
    """The deliveries of one world. Events are tried in order, off the path of the request that brought them about.

    Args:
        clock: The clock of the world, by which retries fall due.
        sender: What brings the events to their receivers.
        beyond_loopback: Whether receivers may be elsewhere than on this machine.
    """

    def __init__(self, clock: Clock, sender: Sender, *, beyond_loopback: bool = False) -> None:
        self.address: str | None = None
        self.log: deque[Pending] = deque(maxlen=_LOGGED_EVENTS)
        """The events so far, the oldest first; when there are too many the oldest is dropped."""
        self.on_try: Callable[[Pending], None] = lambda _: None
        """What is told of each try when it is over."""
        self._clock = clock
        self._sender = sender
        self._beyond_loopback = beyond_loopback
        self._fresh: deque[Pending] = deque()
        self._waiting: list[Pending] = []
        self._worker: asyncio.Task[None] | None = None
        self._settling = asyncio.Lock()

    def check(self, address: str) -> str:
        """`address` itself, if events may be sent there.

        Raises:
            AddressRefused: If it is no absolute http or https URL, or not on loopback and that was not allowed.
        """
        try:
            url = foreign_url(address)
        except UrlRefused as error:
            raise AddressRefused(f"{address[:200]!r} is not an absolute http or https URL: {error}.") from error
        if not self._beyond_loopback and not is_loopback(url.host):
            raise AddressRefused(
                f"{address!r} is not on this machine. The sandbox sends to 127.0.0.1, [::1] and localhost only, "
                "unless it was started with webhooks beyond loopback."
            )
        return address

    def post(self, address: str, body: bytes, policy: Policy, headers: Callable[[], Headers] = tuple) -> None:
        """Send `body` to `address` as soon as this request is answered.

        Args:
            address: The receiver's URL.
            body: The event as JSON.
            policy: How persistently to try.
            headers: Asked for further headers at every try, as a signature that must be fresh.
        """
        now = self._clock.now()
        event = Pending(address, body, policy, headers, posted=now, due=now)
        self._fresh.append(event)
        self.log.append(event)
        if self._worker is None or self._worker.done():
            self._worker = asyncio.get_running_loop().create_task(self._send_fresh())

    async def flush(self) -> None:
        """Return when every new event was sent, or tried until the first pause."""
        if self._worker is not None:
            await asyncio.wait([self._worker])

    async def settle(self) -> None:
        """Return when every new event was sent, and every retry that is due was tried once."""
        async with self._settling:
            await self.flush()
            now = self._clock.now()
            due = [delivery for delivery in self._waiting if delivery.due <= now]
            self._waiting = [delivery for delivery in self._waiting if delivery.due > now]
            for delivery in due:
                if now - delivery.posted <= delivery.policy.gives_up_after():
                    await self._try(delivery, times=1)
                else:
                    delivery.state = State.GIVEN_UP

    async def close(self) -> None:
        """Drop what is under way."""
        self._fresh.clear()
        self._waiting.clear()
        if self._worker is not None:
            self._worker.cancel()
            await asyncio.wait([self._worker])
        await self._sender.close()

    async def _send_fresh(self) -> None:
        while self._fresh:
            delivery = self._fresh.popleft()
            await self._try(delivery, times=delivery.policy.tries_at_once())

    async def _try(self, delivery: Pending, times: int) -> None:
        if not times:
            self._postpone(delivery)
        for left in reversed(range(times)):
            status = await self._send(delivery)
            received = status is not None and delivery.policy.is_received(status)
            if received:
                delivery.state = State.RECEIVED
            else:
                delivery.failures += 1
                if not left:
                    self._postpone(delivery)
            self.on_try(delivery)
            if received:
                return

    def _postpone(self, delivery: Pending) -> None:
        delivery.state = State.WAITING
        delivery.due = self._clock.now() + delivery.policy.pause_before_retry(delivery.failures)
        self._waiting.append(delivery)

    async def _send(self, delivery: Pending) -> int | None:
        headers = (
            ("content-type", "application/json"),
            ("user-agent", "conformance-sandbox"),
            *delivery.headers(),
        )
        follow = delivery.policy.follows_redirects()
        at, machine_at, started = self._clock.now(), SystemClock().now(), stopwatch()
        status = await self._sender.send(delivery.address, delivery.body, headers, follow_redirects=follow)
        delivery.tries.append(Try(at, machine_at, stopwatch() - started, headers, status))
        return status


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()
