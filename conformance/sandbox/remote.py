"""A world of a reference sandbox as one commands it from outside, through the control routes."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from http import HTTPStatus
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import quote

import httpx

from conformance.clock import Clock, FrozenClock, OffsetClock
from conformance.judging.clients import shortcomings
from conformance.sandbox.blocked_sockets import cause_of
from conformance.sandbox.faults import BehaviourChange
from conformance.speed.http_client import Client
from conformance.verdicts import Conclusion

__all__ = ["Control", "NotASandboxError", "World"]

ClockWish = Literal["real", "frozen"] | datetime
"""What a new world can be asked to have as its clock."""

PIN = "482913"
"""The PIN that a customer made by `World.customer` has unless told otherwise."""
ANSWERS = ("A blue bicycle", "Mrs Okafor")
"""The answers to the questions of recovery that such a customer has given."""
WRONG_PIN = "000001"
"""What a person enters who is wrong."""

_TIMEOUT = httpx.Timeout(10.0)
_LONGEST_DETAIL = 10_000  # the names of all variations


class NotASandboxError(RuntimeError):
    """What answers is no reference sandbox, or refused what it was told; the message says what it answered."""


class Control:
    """The control routes of one sandbox.

    Args:
        origin: Scheme, host and port of the sandbox.
        add_fault: What makes a fault of your own known to it and gives its name, if it runs in this process.
        transport: What reaches it; None for HTTP.
    """

    def __init__(
        self,
        origin: str,
        add_fault: Callable[[str | BehaviourChange], str] | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.origin = origin
        self._add_fault = add_fault
        transport = transport or httpx.HTTPTransport(verify=False)
        self._http = Client(transport=transport, timeout=_TIMEOUT, trust_env=False)

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
        except (RuntimeError, Warning) as error:
            if cause := cause_of(error):
                raise NotASandboxError(cause) from error
            raise
        if answer.status_code == HTTPStatus.NO_CONTENT:
            return None
        try:
            content = answer.json()
        except ValueError as error:
            kind = answer.headers.get("content-type", "no content type")
            raise NotASandboxError(
                f"{place} was answered {answer.status_code} with {kind}, not JSON: no reference sandbox runs there."
            ) from error
        if answer.is_error:
            detail = content.get("detail", content) if isinstance(content, dict) else content
            raise NotASandboxError(f"{place} was answered {answer.status_code}: {str(detail)[:_LONGEST_DETAIL]}")
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


class World:
    """A new world; also the clock of whoever uses it.

    Args:
        control: The sandbox that makes it.
        seed: What its ids and credentials are drawn from; two worlds of one seed are alike.
        clock: Its time: ``real`` for the machine's, ahead by what it was advanced; ``frozen`` for one that stands at a
            usual noon until it is advanced, or the instant (aware) at which it is to stand.
        explains: Whether its refusals name the mistake that was made, which takes time to find out.

    Attributes:
        base_urls: The base URL of each API, by the API's name.

    Raises:
        NotASandboxError: If the sandbox does not make it.
    """

    def __init__(self, control: Control, seed: str, clock: ClockWish = "real", *, explains: bool = True) -> None:
        self._control = control
        wish: dict[str, object] = {"seed": seed, "clock": clock if isinstance(clock, str) else clock.isoformat()}
        if not explains:
            wish["explains"] = False
        world = control.ask("POST", "/worlds", wish)
        try:
            self._route = f"/worlds/{world['world']}"
            self._shortcuts: Mapping[str, Sequence[str]] = world["shortcuts"]
            self._tenants: Mapping[str, Mapping[str, Mapping[str, str]]] = world["tenants"]
            self.base_urls: Mapping[str, str] = world["base_urls"]
            stands_at = datetime.fromisoformat(world["clock"])
        except (KeyError, TypeError, ValueError) as error:
            raise NotASandboxError(f"{control.origin} does not describe its worlds as a reference sandbox.") from error
        self._clock: Clock = OffsetClock() if clock == "real" else FrozenClock(stands_at)

    def credentials(self, api: str) -> dict[str, Mapping[str, str]]:
        """What each identity authenticates with at an API, by the names of the settings."""
        return {identity: apis[api] for identity, apis in self._tenants.items()}

    @property
    def clock(self) -> Clock:
        """The clock of the world, for a client that takes one: the world itself, whose `now` and `advance` it is."""
        return self

    def now(self) -> datetime:
        """The present time of the world (UTC)."""
        return self._clock.now()

    def advance(self, duration: timedelta) -> None:
        """Move the clock of the world, at once; returns when the webhooks that are due were sent."""
        self._clock.advance(duration)  # what comes meanwhile comes at the new time
        self._control.ask("POST", f"{self._route}/clock", {"advance_seconds": duration.total_seconds()})

    def faults(self, *faults: str | BehaviourChange) -> None:
        """Have the world behave with these faults, and no others; its variations stay.

        A webhook that is already on its way is signed and tried again as before.

        Args:
            faults: Names, or those of your own: classes, or ``module:Class``.

        Raises:
            NotASandboxError: If there is none of such a name, or the sandbox runs elsewhere and knows none of yours.
            UnknownFaultError: If it is one of your own that does not exist or cannot be used.
        """
        self._control.ask("PUT", f"{self._route}/faults", [self._control.name_of(fault) for fault in faults])

    def variations(self, *variations: str | BehaviourChange) -> None:
        """Have the world vary, as the documents permit, by these variations, and no others; its faults stay.

        Args:
            variations: Names, or those of your own, as for `faults`.

        Raises:
            NotASandboxError: As `faults`.
            UnknownFaultError: As `faults`.
        """
        names = [self._control.name_of(variation) for variation in variations]
        self._control.ask("PUT", f"{self._route}/variations", names)

    def set_webhook(self, url: str) -> None:
        """Have the world send its events to `url`.

        Raises:
            NotASandboxError: If it does not send there.
        """
        self._control.ask("PUT", f"{self._route}/webhook", {"url": url})

    def customer(
        self, api: str, state: str = "active", wallets: Sequence[str] = (), **members: object
    ) -> Mapping[str, Any]:
        """A customer in a state, made at once; its events are sent as if it had come there by the API.

        Args:
            api: The API that it is a customer of.
            state: The state that it is to be in. The message on one that there is not lists those that there are.
            wallets: What wallets it is to have: the CAIP-10 account of one, or chains to create wallets on, by API.
            members: What else the API's shortcut takes, such as ``externalId``, or ``pin`` and ``answers``.

        Returns:
            Its ids, wallets and credentials to go on with, as in ``specs/schemas/control.json``.

        Raises:
            NotASandboxError: If the sandbox cannot make such a customer; the message says why.
        """
        wish = {"state": state, **({"wallets": list(wallets)} if wallets else {}), **members}
        made: Mapping[str, Any] = self._control.ask("POST", f"{self._route}/{api}/customers", wish)
        return made

    def complete_pin(
        self, challenge: str, pin: str | None = PIN, answers: Sequence[str] = ANSWERS, *, new_pin: str | None = None
    ) -> Mapping[str, Any]:
        """Have the person at the hosted page enter what the page of a challenge asks for, until it is over.

        Args:
            challenge: The challenge's id, or the URL of its page.
            pin: The PIN to enter or to choose; that of customers made by `customer` unless given.
            answers: The answers to the questions of recovery; those of such customers unless given.
            new_pin: The PIN to choose where it is changed.

        Returns:
            Where the challenge stands: ``status``, ``step``, ``error`` and ``returned_to``, where the person was sent.

        Raises:
            NotASandboxError: If the page took it not, or there is no such challenge.
        """
        left = self._enter(challenge, pin, answers, new_pin)
        if left["error"]:
            raise NotASandboxError(f"The hosted page did not take it: {left['error']}")
        return left

    def wrong_pin(self, challenge: str, pin: str = WRONG_PIN, *, times: int = 1) -> Mapping[str, Any]:
        """Have the person enter a wrong PIN; too many times in a row lock the customer out.

        Args:
            challenge: The challenge's id, or the URL of its page.
            pin: What to enter.
            times: How often.

        Returns:
            Where the challenge stands then, as `complete_pin`.

        Raises:
            NotASandboxError: If the page takes that PIN, or nothing any more, or there is no such challenge.
        """
        left: Mapping[str, Any] = {}
        for _ in range(times):
            left = self._enter(challenge, pin, (), pin)
            if not left["error"]:
                raise NotASandboxError(f"{pin} is no wrong PIN: the page took it, and is at {left['step']} now.")
        return left

    def cancel_pin(self, challenge: str) -> Mapping[str, Any]:
        """Have the person cancel at the hosted page; where the challenge stands then, as `complete_pin`.

        Raises:
            NotASandboxError: If the challenge is over, or there is none.
        """
        left: Mapping[str, Any] = self._control.ask("POST", self._page(challenge, "cancel"), {})
        return left

    def _enter(self, challenge: str, pin: str | None, answers: Sequence[str], new_pin: str | None) -> Mapping[str, Any]:
        known = {"pin": pin, "answers": list(answers), "new_pin": new_pin}
        entered = {name: value for name, value in known.items() if value}
        left: Mapping[str, Any] = self._control.ask("POST", self._page(challenge, "pin"), entered)
        return left

    def _page(self, challenge: str, action: str) -> str:
        """The route of what the person does at a page, at the API that has one."""
        found = (api for api, paths in self._shortcuts.items() if f"/challenges/{{id}}/{action}" in paths)
        return f"{self._route}/{next(found, 'none')}/challenges/{_last_segment(challenge)}/{action}"

    def requests(self) -> Sequence[Mapping[str, Any]]:
        """What the world received and answered so far, judged, in the form of ``specs/schemas/requests.json``."""
        found: Sequence[Mapping[str, Any]] = self._control.ask("GET", f"{self._route}/requests")
        return found

    def deliveries(self) -> Sequence[Mapping[str, Any]]:
        """The webhooks that the world sent or tries to send, in the form of ``specs/schemas/deliveries.json``."""
        found: Sequence[Mapping[str, Any]] = self._control.ask("GET", f"{self._route}/deliveries")
        return found

    def findings(self, *, strict: bool = False) -> Mapping[str, Any]:
        """What the rules for clients say of all that the world saw, in the form of ``specs/schemas/results.json``.

        Args:
            strict: Whether inferred rules count as their level says.
        """
        route = f"{self._route}/findings" + ("?strict=true" if strict else "")
        found: Mapping[str, Any] = self._control.ask("GET", route)
        return found

    def assert_conforms(self, *, strict: bool = False) -> None:
        """Make sure that the client of this world breaks no rule that it must keep.

        Args:
            strict: Whether inferred rules count as their level says.

        Raises:
            AssertionError: If it breaks one, or nothing that it sent can be judged; the message names each rule, what
                was seen and expected, what the server said to it, and the source.
        """
        results = self.findings(strict=strict)
        if results["verdict"] != Conclusion.CONFORMS:
            raise AssertionError(shortcomings(results))

    def close(self) -> None:
        """Drop the world, with what it had still to send.

        Raises:
            NotASandboxError: If the sandbox does not answer, or has dropped it already.
        """
        self._control.ask("DELETE", self._route)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def _last_segment(challenge: str) -> str:
    return quote(challenge.rstrip("/").rpartition("/")[2], safe="")
