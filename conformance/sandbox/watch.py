"""Who watches the worlds of a sandbox: tells of each request and delivery, and in the end what the clients broke."""

import threading
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from conformance.api import Api
from conformance.clock import SystemClock
from conformance.exchange import Exchange
from conformance.findings import Finding, Outcome
from conformance.judging.clients import client_results
from conformance.judging.lines import RequestLines, breach
from conformance.judging.traffic import Judged
from conformance.sandbox.behaviour import provocations
from conformance.sandbox.deliveries import Pending, State
from conformance.sandbox.evidence import options_of_provocations, requests
from conformance.sandbox.faults import Fault
from conformance.sandbox.messages import to_rfc3339
from conformance.sandbox.world import World, Worlds


class ClientWatch:
    """Tells of each request and delivery in one line, and keeps what the worlds saw that have ended.

    Args:
        say: Writes a line.
        provoke: Whether a world takes another provocation in turn whenever a customer was created in it.
    """

    def __init__(self, say: Callable[[str], None], *, provoke: bool = False) -> None:
        self._say = say
        self._provoke = provoke
        self._worlds: Iterable[World] = ()
        self._origin = ""
        self._customers: Counter[tuple[str, str]] = Counter()
        self._ended: list[tuple[list[Api], list[Judged], list[Finding]]] = []
        self._lines = RequestLines()
        self._told: set[Finding] = set()
        self._began = SystemClock().now()
        self._lock = threading.Lock()

    def saw_request(self, world: World, judged: Judged) -> None:
        """Tell of a request: method, path, status, which rules it breaks, and the reason that the answer gives."""
        with self._lock:
            for line in self._lines.of(judged):
                self._say(line)
            api = world.observation.api_at(judged.exchange.request.url)
            if self._provoke and api is not None and _is_new_customer(judged.exchange):
                self._next_provocation(world, api)

    def saw_delivery(self, world: World, event: Pending) -> None:
        """Tell of a try to deliver a webhook, and of what comes next."""
        last = event.tries[-1]
        answered = f"was answered {last.status}" if last.status else "got no answer in time"
        with self._lock:
            then = f" at {to_rfc3339(event.due)} by the world's clock" if event.state is State.WAITING else ""
            self._say(f"webhook to {event.address} {answered} (try {len(event.tries)}): {event.state.value}{then}")
            for finding in world.observation.findings():
                if finding.outcome is Outcome.BROKEN and finding.exchange is None and finding not in self._told:
                    self._told.add(finding)
                    self._say(breach(finding))

    def ends(self, world: World) -> None:
        """Keep what a world saw that is reset or dropped."""
        self._ended.append(_seen_by(world))

    def begin(self, worlds: Worlds, origin: str) -> None:
        """Watch all worlds of a sandbox from now on, which is served at `origin`: scheme, host and port."""
        self._worlds, self._origin = worlds, origin
        for api in worlds.behaviours.apis if self._provoke else ():
            for change in provocations(api).values():
                worlds.behaviours.add(change)
        worlds.set_watch(self)

    def results(self, *, strict: bool) -> dict[str, Any]:
        """What all worlds saw, in the form of ``specs/schemas/results.json``.

        Args:
            strict: Whether inferred rules count as their level says.
        """
        worlds = list(self._worlds)
        seen = [*self._ended, *map(_seen_by, worlds)]
        judged = [one for _, exchanges, _ in seen for one in exchanges]
        used = list(dict.fromkeys(api for apis, _, _ in seen for api in apis))
        apis = used or [api for world in worlds[:1] for api in world.observation.apis]
        return client_results(
            apis,
            judged,
            [finding for _, _, findings in seen for finding in findings],
            subject=f"the client of the sandbox at {self._origin}, {requests(len(judged))}",
            started=self._began,
            seconds=(SystemClock().now() - self._began).total_seconds(),
            provoked_by=options_of_provocations(tuple(apis)),
            strict=strict,
        )

    def _next_provocation(self, world: World, api: Api) -> None:
        """Have an API of a world behave otherwise from now on, until its next customer was created."""
        provoking = provocations(api)
        names = list(provoking)
        if not names:
            return
        number = self._customers[world.id, api.name]
        self._customers[world.id, api.name] += 1
        before = names[(number - 1) % len(names)] if number else None
        name = names[number % len(names)]
        is_fault = issubclass(provoking[name], Fault)
        world.set_faults([*(each for each in world.faults if each != before), *([name] if is_fault else [])])
        world.set_variations([*(each for each in world.variations if each != before), *([] if is_fault else [name])])
        shown, turn = ", ".join(provoking[name].provokes), f"turn {number % len(names) + 1} of {len(names)}"
        self._say(f"provoking from now on: {name}, which shows {shown} ({turn})")


def _seen_by(world: World) -> tuple[list[Api], list[Judged], list[Finding]]:
    observation = world.observation
    return observation.addressed(), list(observation.exchanges()), observation.findings()


def _is_new_customer(exchange: Exchange) -> bool:
    """Whether an exchange created a customer."""
    return exchange.operation == "createCustomer" and exchange.response.succeeded
