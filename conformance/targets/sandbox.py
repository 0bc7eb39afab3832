"""The reference sandbox: a world of its own for every test, in this process or elsewhere."""

import itertools
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from urllib.parse import urlsplit

import httpcore
import httpx

from conformance.api import Api, named
from conformance.bounds.transport import BoundedTransport
from conformance.circumstances.levels import starts_at
from conformance.ids import Ids
from conformance.recording.journal import Journal
from conformance.recording.redaction import Redactor
from conformance.sandbox.remote import ClockWish, Control, NotASandboxError, World
from conformance.sandbox.server import RunningSandbox, start
from conformance.scenario import StepFailedError
from conformance.settings import max_body
from conformance.specification import Specification
from conformance.targets import Conditions, Subject
from conformance.targets.receiver import Receiver


class _ThreadSenders(httpx.BaseTransport):
    """Sends the requests of each thread over a connection of its own, as separate clients would.

    So the sandbox can tell requests that were made at once, even if they happen to come one after the other. A
    connection is kept however long a test takes between two requests.

    Args:
        pool: Makes what has connections; they are sockets if it gives None.
    """

    def __init__(self, pool: Callable[[], httpcore.ConnectionPool | None]) -> None:
        self._pool = pool
        self._of_thread = threading.local()
        self._all: list[BoundedTransport] = []
        self._max_body = max_body()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request."""
        if not hasattr(self._of_thread, "sender"):
            self._of_thread.sender = BoundedTransport(max_body=self._max_body, keepalive=None, pool=self._pool())
            self._all.append(self._of_thread.sender)
        response: httpx.Response = self._of_thread.sender.handle_request(request)
        return response

    def left_behind(self, subject: Subject) -> list[str]:  # noqa: ARG002
        """Nothing."""
        return []

    def close(self) -> None:
        """Close the connections."""
        for sender in self._all:
            sender.close()


class SandboxTarget:
    """Makes worlds in the reference sandbox.

    Args:
        specifications: The specification of each API, by the API's name.
        base_urls: Base URLs of the APIs in a sandbox that runs elsewhere; none to start one.
    """

    def __init__(self, specifications: Mapping[str, Specification], base_urls: Mapping[str, str]) -> None:
        self._specifications = specifications
        self._elsewhere = {name: _origin(url) for name, url in base_urls.items()}
        self._controls: dict[str, Control] = {}
        self._resources = ExitStack()
        self._senders: dict[str, _ThreadSenders] = {}
        self._receiver: Receiver | None = None
        self._numbers = itertools.count(1)
        self._started: str | None = None

    @property
    def description(self) -> str:
        """The sandbox that is judged, in a few words."""
        elsewhere = sorted(set(self._elsewhere.values()))
        return f"the reference sandbox at {' and '.join(elsewhere)}" if elsewhere else "the reference sandbox"

    def open(self, api: Api) -> None:
        """Start a sandbox if none runs elsewhere, and make sure that it answers.

        Raises:
            StepFailedError: If it does not answer as a reference sandbox does.
        """
        origin = self._elsewhere.get(api.name) or self._start()
        here = RunningSandbox.here(origin)
        transport = BoundedTransport(pool=here.pool()) if here else None
        control = self._controls[api.name] = Control(origin, transport=transport)
        sender = self._senders[api.name] = _ThreadSenders(here.pool if here else _sockets)
        self._resources.callback(control.close)
        self._resources.callback(sender.close)
        try:
            description = control.ask("GET", "")
        except NotASandboxError as error:
            raise StepFailedError(str(error)) from error
        offered = description.get("base_urls") if isinstance(description, Mapping) else None
        if not isinstance(offered, Mapping):
            raise StepFailedError(f"{origin} does not describe itself: no reference sandbox runs there.")
        if api.name not in offered:
            raise StepFailedError(f"The sandbox at {origin} does not offer {api.title}.")

    def _start(self) -> str:
        if self._started is None:
            apis = [named(name) for name in self._specifications]  # a world of others takes time for nothing
            self._started = self._resources.enter_context(start(apis=apis)).origin
        return self._started

    def hide(self, text: str) -> str:
        """The text as it is: these credentials are made up."""
        return text

    def subject(self, api: Api, test: str, conditions: Conditions) -> Subject:
        """A world for the test.

        Raises:
            StepFailedError: If the sandbox does not give one.
        """
        try:
            clock: ClockWish = starts_at(conditions.levels) or "frozen"
            world = World(self._controls[api.name], f"{conditions.seed}:{test}", clock, explains=False)
        except NotASandboxError as error:
            raise StepFailedError(str(error)) from error
        if self._receiver is None:
            self._receiver = Receiver()
            self._resources.callback(self._receiver.close)
        hooks = self._receiver.mailbox(test, world)
        if api.webhook_set_by_hand:
            world.set_webhook(hooks.url)
        base_url = world.base_urls[api.name]
        return Subject(
            api=api,
            base_url=base_url,
            clock=world,
            ids=Ids(conditions.seed, test),
            journal=Journal(
                test, world, base_url, self._specifications[api.name], Redactor(api.secrets, api.secret_headers)
            ),
            sender=self._senders[api.name],
            credentials=world.credentials(api.name),
            conditions=conditions,
            settings=api.settings.defaults(),
            hooks=hooks,
            anew=lambda: self.subject(api, f"{test} anew {next(self._numbers)}", conditions),
        )

    def left_behind(self, subject: Subject) -> list[str]:  # noqa: ARG002
        """Nothing: the worlds of a run end with it."""
        return []

    def close(self) -> None:
        """Stop the sandbox if it was started here."""
        self._resources.close()


def _sockets() -> None:
    """No pool but that of sockets."""


def _origin(base_url: str) -> str:
    parts = urlsplit(base_url)
    return f"{parts.scheme}://{parts.netloc}"
