"""What a client of any API can do in scenarios; each answer is an exchange."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from http import HTTPStatus
from typing import TypeVar

import httpx

from conformance.bounds.meeting import Meeting
from conformance.clock import Clock, SystemClock
from conformance.exchange import Delivery, Exchange
from conformance.findings import shorten
from conformance.parts.client import ApiError
from conformance.recording.journal import EXCHANGE
from conformance.scenario import StepFailedError, needs
from conformance.targets import Subject
from conformance.waiting.looks import Seen

Done = TypeVar("Done")
_A_MOMENT = timedelta(milliseconds=50)


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
            needs(subject.withheld.get(identity) or f"a {identity} identity; set {settings}")
        self.identity = identity
        self.ids = subject.ids.child(identity)
        self._subject = subject

    def new_key(self) -> str:
        """A new idempotency key."""
        return str(self.ids.uuid())

    def new_own_id(self) -> str:
        """A new id of the caller's own, a UUID; live it begins so that a person finds it among others."""
        mark = self._subject.mark
        return f"{mark}{str(self.ids.uuid())[len(mark) :]}"

    @property
    def clock(self) -> Clock:
        """What tells the time and lets it pass."""
        return self._subject.clock

    def renew_credentials(self) -> None:
        """Forget what was given for a while, such as a token; there is none unless a subclass has one."""

    def exchange(self, method: str, path: str, send: Callable[[], httpx.Response]) -> Exchange:
        """Take a step: send a request, and give it with its answer.

        A request of a scenario that is answered 5xx is sent once more; the answer is then that to the second one.

        Raises:
            StepFailedError: If no answer came or none that can be understood, or what the server gave for the path fits
                into no URL.
        """
        return self._subject.circumstances.take_step(self, method, lambda: self._sent(method, path, send))

    def _sent(self, method: str, path: str, send: Callable[[], httpx.Response]) -> Exchange:
        """Send a request, and one of a scenario that is answered 5xx once more, just as it is."""
        exchange = self._sent_once(method, path, send)
        broke = exchange.response.status >= HTTPStatus.INTERNAL_SERVER_ERROR
        return self._sent_once(method, path, send) if broke and exchange.generated is None else exchange

    def _sent_once(self, method: str, path: str, send: Callable[[], httpx.Response]) -> Exchange:
        try:
            response = send()
        except httpx.InvalidURL as error:
            raise StepFailedError(f"{method} {shorten(repr(path))} cannot be sent: {error}") from error
        except httpx.RequestError as error:  # the transport has told already if there was no answer
            raise StepFailedError(
                f"{method} {shorten(repr(path))} was answered as no client can understand: {error}"
            ) from error
        except ApiError as busy:
            raise StepFailedError(f"{busy}; give --rate to ask more slowly") from busy
        exchange: Exchange = response.extensions[EXCHANGE]
        return exchange

    def together(self, *calls: Callable[[], Done]) -> list[Done]:
        """Make several calls whose first requests are complete at one instant; gives their results in their order."""
        self._subject.circumstances.before_step(self)
        meeting = Meeting(len(calls))

        def attend(call: Callable[[], Done]) -> Done:
            with meeting.attended():
                return call()

        with self._subject.circumstances.pause(), ThreadPoolExecutor(len(calls)) as pool:
            return list(pool.map(attend, calls))

    def overlapping(self, first: Callable[[], Done], second: Callable[[], Done]) -> tuple[Done, Done]:
        """Make a call, and another one a moment later, while the first may be under way; gives what they give."""
        self._subject.circumstances.before_step(self)
        with self._subject.circumstances.pause(), ThreadPoolExecutor(1) as pool:
            begun = pool.submit(first)
            SystemClock().advance(_A_MOMENT)
            follows = second()
            return begun.result(), follows

    def deliveries(self) -> Sequence[Delivery]:
        """The webhooks that came so far."""
        return self._subject.deliveries()

    def eventually(self, what: str, look: Callable[[], Seen], enough: Callable[[Seen], bool]) -> Seen:
        """What `look` sees as soon as it is `enough`, or what it sees after `PATIENCE`.

        Args:
            what: What is waited for, such as ``a customer to be active``; the same words for the same in any test.
            look: Looks.
            enough: Whether what was seen is what is waited for.
        """
        return self._subject.waits.eventually(what, self._subject.clock, look, enough)
