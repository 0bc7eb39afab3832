"""The control routes that show what a world saw: its findings, the requests that it was sent, and its deliveries."""

from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from conformance.api import Api
from conformance.clock import SystemClock
from conformance.exchange import Request, Response
from conformance.findings import refusal_text
from conformance.judging.clients import client_results
from conformance.judging.results import exchange_to_json
from conformance.judging.traffic import Judged
from conformance.recording.har import to_har
from conformance.sandbox.behaviour import provocations
from conformance.sandbox.deliveries import Pending, State, Try
from conformance.sandbox.faults import Fault
from conformance.sandbox.messages import BodyRejected, json_response, to_rfc3339
from conformance.sandbox.world import World

_FORMATS = ("json", "har")


def world_results(world: World, origin: str, *, strict: bool = False) -> dict[str, Any]:
    """What a world saw of its clients, in the form of ``specs/schemas/results.json``.

    Args:
        world: The world.
        origin: Scheme, host and port at which it is served.
        strict: Whether inferred rules count as their level says.
    """
    observation = world.observation
    apis = observation.addressed() or observation.apis
    judged = list(observation.exchanges())
    return client_results(
        apis,
        judged,
        observation.findings(),
        subject=f"the client of the sandbox at {origin}, world {world.id}, in {requests(len(judged))}",
        started=observation.began,
        seconds=(SystemClock().now() - observation.began).total_seconds(),
        provoked_by=options_of_provocations(tuple(apis)),
        strict=strict,
    )


@cache
def options_of_provocations(apis: tuple[Api, ...]) -> dict[str, list[str]]:
    """The options of the sandbox that provoke a rule for clients, by the rule's id."""
    found: dict[str, list[str]] = {}
    for name, change in (each for api in apis for each in provocations(api).items()):
        kind = "--fault" if issubclass(change, Fault) else "--variation"
        for rule in change.provokes:
            found.setdefault(rule, []).append(f"{kind} {name}")
    return found


def request_entry(judged: Judged) -> dict[str, Any]:
    """A request with its answer, as the control route shows it."""
    exchange = judged.exchange
    return {
        **exchange_to_json(exchange),
        "machine_at": to_rfc3339(exchange.machine_at or exchange.at),
        "reason": refusal_text(exchange.response),
        "advice": [{"where": each.where, "text": each.text} for each in judged.advice],
    }


def delivery_entry(event: Pending) -> dict[str, Any]:
    """A webhook with the tries to deliver it, as the control route shows it."""
    waits = event.state is State.WAITING
    return {
        "address": event.address,
        "posted": to_rfc3339(event.posted),
        "state": event.state.value,
        "next_try": to_rfc3339(event.due) if waits else None,
        "body": event.body.decode(errors="replace"),
        "tries": [_try(each) for each in event.tries],
    }


def _try(tried: Try) -> dict[str, Any]:
    return {
        "at": to_rfc3339(tried.at),
        "machine_at": to_rfc3339(tried.machine_at),
        "seconds": round(tried.seconds, 4),
        "headers": [list(line) for line in tried.headers],
        "answered": tried.status,
    }


async def _findings(world: World, request: Request) -> Response:
    asked = _query(request, {"strict": ("true", "false")})
    origin = urlsplit(request.url)
    return json_response(
        200, world_results(world, f"{origin.scheme}://{origin.netloc}", strict=asked.get("strict") == "true")
    )


async def _requests_of(world: World, request: Request) -> Response:
    asked, seen = _query(request, {"format": _FORMATS}), world.observation.exchanges()
    if asked.get("format") == "har":
        return json_response(200, to_har(judged.exchange for judged in seen))
    return json_response(200, [request_entry(judged) for judged in seen])


async def _deliveries(world: World, request: Request) -> Response:
    _query(request, {})
    return json_response(200, [delivery_entry(event) for event in world.outbox.log])


ROUTES: Mapping[str, Callable[[World, Request], Awaitable[Response]]] = {
    "/findings": _findings,
    "/requests": _requests_of,
    "/deliveries": _deliveries,
}
"""What answers a GET of each route, by the part of the path after the world's."""


def _query(request: Request, known: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """The query of a control route.

    Raises:
        BodyRejected: If it has a name or a value that the route does not know; the message lists those there are.
    """
    asked = dict(parse_qsl(request.query, keep_blank_values=True))
    for name, value in asked.items():
        if name not in known:
            there = f"There are: {', '.join(known)}." if known else "This route has none."
            raise BodyRejected(f"There is no query name {name!r} here. {there}")
        if value not in known[name]:
            raise BodyRejected(f"{name!r} must be {' or '.join(known[name])}, not {value!r}.")
    return asked


def requests(number: int) -> str:
    """So many requests, in words."""
    return f"{number} request{'' if number == 1 else 's'}"
