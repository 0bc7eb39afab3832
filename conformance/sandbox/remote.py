"""A world of a reference sandbox as one commands it from outside, through the control routes."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import httpx

from conformance.sandbox.faults import BehaviourChange

__all__ = ["Control", "NotASandboxError", "RemoteWorld"]

_TIMEOUT = httpx.Timeout(10.0)


class NotASandboxError(RuntimeError):
    """What answers is no reference sandbox, or refused what it was told; the message says what it answered."""


class Control:
    """The control routes of one sandbox.

    Args:
        origin: Scheme, host and port of the sandbox.
        add_fault: What makes a fault of your own known to it and gives its name, if it runs in this process.
    """

    def __init__(self, origin: str, add_fault: Callable[[str | BehaviourChange], str] | None = None) -> None:
        self.origin = origin
        self._add_fault = add_fault
        self._http = httpx.Client(transport=httpx.HTTPTransport(verify=False), timeout=_TIMEOUT, trust_env=False)

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """What the control route at `path` below ``/_sandbox`` answers, parsed.

        Raises:
            NotASandboxError: If nothing answers, or not as a sandbox does.
        """
        place = f"{method} {self.origin}/_sandbox{path}"
        try:
            answer = self._http.request(method, f"{self.origin}/_sandbox{path}", json=body)
        except httpx.RequestError as error:
            raise NotASandboxError(f"{place} got no answer of a sandbox: {error}. Is it running?") from error
        try:
            content = answer.json()
        except ValueError as error:
            kind = answer.headers.get("content-type", "no content type")
            raise NotASandboxError(
                f"{place} was answered {answer.status_code} with {kind}, not JSON: no reference sandbox runs there."
            ) from error
        if answer.is_error:
            detail = content.get("detail", content) if isinstance(content, dict) else content
            raise NotASandboxError(f"{place} was answered {answer.status_code}: {str(detail)[:300]}")
        return content

    def name_of(self, fault: str | BehaviourChange) -> str:
        """The name by which the sandbox knows a fault or variation; one of your own is made known first.

        Raises:
            UnknownFaultError: If it is one of your own that does not exist or cannot be used.
            NotASandboxError: If it is a class, and the sandbox runs in another process.
        """
        if self._add_fault is not None:
            return self._add_fault(fault)
        if isinstance(fault, str):
            return fault
        raise NotASandboxError(
            f"The sandbox at {self.origin} runs in another process, which takes no class. "
            f"Start it with: conformance sandbox --fault {fault.__module__}:{fault.__qualname__}"
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()


class RemoteWorld:
    """A new world; also the clock of whoever uses it.

    Args:
        control: The sandbox that makes it.
        seed: What its ids and credentials are drawn from; two worlds of one seed are alike.

    Attributes:
        base_urls: The base URL of each API, by the API's name.

    Raises:
        NotASandboxError: If the sandbox does not make it.
    """

    def __init__(self, control: Control, seed: str) -> None:
        self._control = control
        world = control.ask("POST", "/worlds", {"seed": seed})
        try:
            self._route = f"/worlds/{world['world']}"
            self._tenants: Mapping[str, Mapping[str, Mapping[str, str]]] = world["tenants"]
            self.base_urls: Mapping[str, str] = world["base_urls"]
            self._now = datetime.fromisoformat(world["clock"])
        except (KeyError, TypeError, ValueError) as error:
            raise NotASandboxError(f"{control.origin} does not describe its worlds as a reference sandbox.") from error

    def credentials(self, api: str) -> dict[str, Mapping[str, str]]:
        """What each identity authenticates with at an API, by the names of the settings."""
        return {identity: apis[api] for identity, apis in self._tenants.items()}

    def now(self) -> datetime:
        """Where the clock of the world stands (UTC)."""
        return self._now

    def advance(self, duration: timedelta) -> None:
        """Move the clock of the world, at once; returns when the webhooks that are due were sent."""
        self._now += duration  # what comes meanwhile comes at the new time
        answer = self._control.ask("POST", f"{self._route}/clock", {"advance_seconds": duration.total_seconds()})
        self._now = datetime.fromisoformat(answer["clock"])

    def set_faults(self, *faults: str | BehaviourChange) -> None:
        """Have the world behave with these faults and variations, and no others.

        A webhook that is already on its way is signed and tried again as before.

        Args:
            faults: Names, or those of your own: classes, or ``module:Class``.

        Raises:
            NotASandboxError: If there is none of such a name, or the sandbox runs elsewhere and knows none of yours.
            UnknownFaultError: If it is one of your own that does not exist or cannot be used.
        """
        self._control.ask("PUT", f"{self._route}/faults", [self._control.name_of(fault) for fault in faults])

    def set_webhook(self, url: str) -> None:
        """Have the world send its events to `url`.

        Raises:
            NotASandboxError: If it does not send there.
        """
        self._control.ask("PUT", f"{self._route}/webhook", {"url": url})

    def requests(self) -> Sequence[Mapping[str, Any]]:
        """What the world received and answered so far, the oldest first."""
        found: Sequence[Mapping[str, Any]] = self._control.ask("GET", f"{self._route}/requests")
        return found
