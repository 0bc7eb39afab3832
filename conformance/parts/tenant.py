"""What a client of any API can do in scenarios; each answer is an exchange."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import httpx

from conformance.exchange import Delivery, Exchange
from conformance.findings import shorten
from conformance.recording.journal import EXCHANGE
from conformance.scenario import Seen, StepFailedError, eventually, needs
from conformance.targets import Subject

Done = TypeVar("Done")


class ApiTenant:
    """One of the API clients that a test may act as; a subclass adds the operations of its API.

    Args:
        subject: What the test has of the implementation.
        identity: ``first`` or ``second``.
        settings: The settings to name if the run has no credentials for the identity.

    Raises:
        NeedError: If the run has no credentials for the identity.
    """

    def __init__(self, subject: Subject, identity: str, *, settings: str) -> None:
        if identity not in subject.credentials:
            needs(f"a {identity} identity; set {settings}")
        self.identity = identity
        self.ids = subject.ids.child(identity)
        self._subject = subject

    def new_key(self) -> str:
        """A new idempotency key."""
        return str(self.ids.uuid())

    def exchange(self, method: str, path: str, send: Callable[[], httpx.Response]) -> Exchange:
        """Send a request, and give it with its answer.

        Raises:
            StepFailedError: If no answer came, or what the server gave for the path fits into no URL.
        """
        try:
            response = send()
        except httpx.InvalidURL as error:
            raise StepFailedError(f"{method} {shorten(repr(path))} cannot be sent: {error}") from error
        exchange: Exchange = response.extensions[EXCHANGE]
        return exchange

    def together(self, *calls: Callable[[], Done]) -> list[Done]:
        """Make several calls at once, and give their results in the order of the calls."""
        with ThreadPoolExecutor(len(calls)) as pool:
            return list(pool.map(lambda call: call(), calls))

    def deliveries(self) -> Sequence[Delivery]:
        """The webhooks that came so far."""
        return self._subject.deliveries()

    def eventually(self, look: Callable[[], Seen], enough: Callable[[Seen], bool]) -> Seen:
        """What `look` sees as soon as it is `enough`, or what it sees after `PATIENCE`."""
        return eventually(self._subject.clock, look, enough)
