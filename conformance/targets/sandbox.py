"""The reference sandbox: a world of its own for every test, in this process or elsewhere."""

from collections.abc import Mapping
from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx

from conformance.api import Api
from conformance.ids import Ids
from conformance.journal import Journal
from conformance.receiver import Receiver
from conformance.redaction import Redactor
from conformance.scenario import StepFailedError
from conformance.specification import Specification
from conformance.targets import Subject

_TIMEOUT = httpx.Timeout(10.0)


class WorldClock:
    """The clock of a sandbox world, moved by its control route.

    Args:
        control: A client of the world's control routes.
        route: The URL of the clock route.
        now: Where the clock stands.
    """

    def __init__(self, control: httpx.Client, route: str, now: datetime) -> None:
        self._control = control
        self._route = route
        self._now = now

    def now(self) -> datetime:
        """Where the clock stands (UTC)."""
        return self._now

    def advance(self, duration: timedelta) -> None:
        """Move the world's clock, at once."""
        answer = self._control.post(self._route, json={"advance_seconds": duration.total_seconds()})
        self._now = datetime.fromisoformat(_described(answer)["clock"])


class SandboxTarget:
    """Makes worlds in the reference sandbox.

    Args:
        specifications: The specification of each API, by the API's name.
        base_urls: Base URLs of the APIs in a sandbox that runs elsewhere; none to start one.
    """

    def __init__(self, specifications: Mapping[str, Specification], base_urls: Mapping[str, str]) -> None:
        self._specifications = specifications
        self._elsewhere = {name: _origin(url) for name, url in base_urls.items()}
        self._started: str | None = None
        self._resources = ExitStack()
        self._sender = httpx.HTTPTransport(verify=False)
        self._control = httpx.Client(transport=httpx.HTTPTransport(verify=False), timeout=_TIMEOUT)
        self._receiver: Receiver | None = None

    @property
    def description(self) -> str:
        """Which sandbox."""
        elsewhere = sorted(set(self._elsewhere.values()))
        return f"the reference sandbox at {' and '.join(elsewhere)}" if elsewhere else "the reference sandbox"

    def open(self, api: Api) -> None:
        """Start a sandbox if none runs elsewhere, and make sure that it answers.

        Raises:
            StepFailedError: If it does not answer as a reference sandbox does.
        """
        origin = self._origin(api)
        description = self._ask("GET", f"{origin}/_sandbox")
        if api.name not in description.get("base_urls", {}):
            raise StepFailedError(f"The sandbox at {origin} does not offer {api.title}.")

    def _origin(self, api: Api) -> str:
        """Where the sandbox of an API is; one is started if none runs elsewhere."""
        if api.name in self._elsewhere:
            return self._elsewhere[api.name]
        if self._started is None:
            from conformance.sandbox.server import start  # noqa: PLC0415  (a sandbox elsewhere needs no server here)

            self._started = self._resources.enter_context(start()).origin
        return self._started

    def _ask(self, method: str, url: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        try:
            return _described(self._control.request(method, url, json=body))
        except httpx.TransportError as error:
            raise StepFailedError(f"The sandbox does not answer at {url}: {error}. Is it running?") from error

    def subject(self, api: Api, test: str, *, seed: str) -> Subject:
        """A world for the test.

        Raises:
            StepFailedError: If the sandbox does not give one.
        """
        origin = self._origin(api)
        world = self._ask("POST", f"{origin}/_sandbox/worlds", {"seed": f"{seed}:{test}"})
        clock = WorldClock(
            self._control,
            f"{origin}/_sandbox/worlds/{world['world']}/clock",
            datetime.fromisoformat(world["clock"]),
        )
        base_url = world["base_urls"][api.name]
        if self._receiver is None:
            self._receiver = Receiver()
            self._resources.callback(self._receiver.close)
        specification = self._specifications[api.name]
        return Subject(
            api=api,
            base_url=base_url,
            clock=clock,
            ids=Ids(seed, test),
            journal=Journal(test, clock, base_url, specification, Redactor(api.secrets)),
            sender=self._sender,
            credentials={identity: apis[api.name] for identity, apis in world["tenants"].items()},
            settings=api.module("settings").defaults(),
            hooks=self._receiver.mailbox(test, clock),
        )

    def close(self) -> None:
        """Stop the sandbox if it was started here."""
        self._control.close()
        self._sender.close()
        self._resources.close()


def _origin(base_url: str) -> str:
    parts = urlsplit(base_url)
    return f"{parts.scheme}://{parts.netloc}"


def _described(answer: httpx.Response) -> dict[str, Any]:
    """The body of a control route's answer.

    Raises:
        StepFailedError: If the answer is not one of a reference sandbox.
    """
    place = f"{answer.request.method} {answer.request.url}"
    try:
        body = answer.json()
    except ValueError as error:
        kind = answer.headers.get("content-type", "no content type")
        raise StepFailedError(
            f"{place} answered {answer.status_code} with {kind}, not JSON: no reference sandbox runs there."
        ) from error
    if answer.is_error or not isinstance(body, dict):
        raise StepFailedError(f"{place} answered {answer.status_code}: {str(body)[:200]}")
    return body
