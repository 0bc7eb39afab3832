"""The control routes: what a test commands of a world, apart from the protocols that the world speaks."""

import re
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from conformance.clock import EPOCH_OF_WORLDS, FrozenClock, OffsetClock, WorldClock
from conformance.exchange import Request, Response
from conformance.sandbox import evidence
from conformance.sandbox.access import Access
from conformance.sandbox.deliveries import AddressRefused
from conformance.sandbox.faults import UnknownFaultError
from conformance.sandbox.messages import (
    BodyRejected,
    check_members,
    check_text,
    json_response,
    problem,
    read_json,
    read_object,
    read_text,
    to_rfc3339,
)
from conformance.sandbox.shortcuts import UnknownThingError
from conformance.sandbox.world import DEFAULT, UnknownWorldError, World, Worlds

PREFIX = "/_sandbox"
"""Where the control routes begin."""

_PATH = re.compile(rf"{PREFIX}(?:/worlds/(?P<world>[^/]+))?(?P<part>/[a-z0-9-]+)?(?P<rest>(?:/[^/]+)+)?")
_FURTHEST = 10 * 365 * 86_400
"""The most seconds that one request may advance a clock by."""

_Handler = Callable[[World, Request], Awaitable[Response]]


class Control:
    """Answers the control routes of one server.

    Args:
        worlds: What is controlled.
        access: Who may control it.
    """

    def __init__(self, worlds: Worlds, access: Access) -> None:
        self._worlds = worlds
        self._access = access
        self._parts: dict[str, dict[str, _Handler]] = {
            "": {"GET": self._describe, "DELETE": self._drop},
            "/clock": {"POST": self._advance},
            "/faults": {"PUT": self._set_faults},
            "/variations": {"PUT": self._set_variations},
            "/webhook": {"PUT": self._set_webhook},
            **{part: {"GET": handler} for part, handler in evidence.ROUTES.items()},
            "/reset": {"POST": self._reset},
            "/worlds": {"POST": self._create},
        }

    async def answer(self, request: Request, path: str) -> Response:
        """What the control route at `path`, undecoded, answers to `request`."""
        try:
            return self._access.refusal(request) or await self._routed(request, path)
        except (UnknownThingError, UnknownWorldError) as error:
            return problem(404, str(error))
        except (AddressRefused, BodyRejected, UnknownFaultError) as error:
            return problem(400, str(error))

    async def _routed(self, request: Request, path: str) -> Response:
        match = _PATH.fullmatch(path)
        world = self._worlds.get((match["world"] if match else None) or DEFAULT)
        if match is None or (match["part"] == "/worlds" and match["world"]):
            return self._nowhere(world, path)
        part, rest = match["part"] or "", match["rest"] or ""
        if rest or part.lstrip("/") in world.services:
            return await self._take_shortcut(world, request, path, part.lstrip("/"), rest)
        methods = self._parts.get(part)
        if methods is None:
            return self._nowhere(world, path)
        handler = methods.get("GET" if request.method == "HEAD" else request.method)
        return await handler(world, request) if handler else _not_allowed(request, path, methods)

    def _nowhere(self, world: World, path: str) -> Response:
        shortcuts = [f"/{name}{each}" for name, service in world.services.items() for each in service.shortcuts]
        routes = ", ".join(PREFIX + each for each in (*self._parts, *shortcuts))
        return problem(404, f"There is no control route {path!r}. There are: {routes}.")

    async def _take_shortcut(self, world: World, request: Request, path: str, api: str, rest: str) -> Response:
        service = world.services.get(api)
        if service is None:
            return self._nowhere(world, path)
        if request.method != "POST":
            return _not_allowed(request, path, ["POST"])
        response = await service.take_shortcut(rest, request.body, world.base_url(_origin(request), api))
        return response or self._nowhere(world, path)

    async def _describe(self, world: World, request: Request) -> Response:
        return json_response(200, world.describe(_origin(request)))

    async def _create(self, _world: World, request: Request) -> Response:
        document = read_object(request.body)
        check_members(document, ("seed", "clock", "faults", "variations", "explains"))
        given = [name for part in ("faults", "variations") for name in _names(document.get(part, []))]
        faults = given if document.keys() & {"faults", "variations"} else None
        explains = document.get("explains", True)
        if not isinstance(explains, bool):
            raise BodyRejected("'explains' must be true or false: whether refusals name the mistake that was made.")
        clock = _clock(document.get("clock", "real"))
        world = await self._worlds.create(read_text(document, "seed"), faults, clock, explains=explains)
        return json_response(201, world.describe(_origin(request)))

    async def _drop(self, world: World, _request: Request) -> Response:
        if world.id == DEFAULT:
            return problem(409, f"The default world stays. POST {PREFIX}/reset puts it back to its beginning.")
        await self._worlds.drop(world)
        return Response(status=204)

    async def _advance(self, world: World, request: Request) -> Response:
        document = read_object(request.body)
        check_members(document, ("advance_seconds",))
        seconds = document.get("advance_seconds")
        if not isinstance(seconds, int | float) or isinstance(seconds, bool) or not 0 <= seconds <= _FURTHEST:
            raise BodyRejected(f"'advance_seconds' must be a number from 0 to {_FURTHEST}.")
        await world.outbox.flush()
        try:
            world.clock.advance(timedelta(seconds=seconds))
            now = world.clock.now()
        except OverflowError as error:
            raise BodyRejected("The clock cannot go beyond the year 9999. Reset the world.") from error
        await world.outbox.settle()
        return json_response(200, {"clock": to_rfc3339(now)})

    async def _set_faults(self, world: World, request: Request) -> Response:
        world.set_faults(_names(read_json(request.body)))
        return json_response(200, {"faults": list(world.faults)})

    async def _set_variations(self, world: World, request: Request) -> Response:
        world.set_variations(_names(read_json(request.body)))
        return json_response(200, {"variations": list(world.variations)})

    async def _set_webhook(self, world: World, request: Request) -> Response:
        document = read_object(request.body)
        check_members(document, ("url",))
        address = None if document.get("url", "") is None else world.outbox.check(read_text(document, "url"))
        world.outbox.address = address
        return json_response(200, {"url": address})

    async def _reset(self, world: World, request: Request) -> Response:
        return json_response(200, (await self._worlds.reset(world)).describe(_origin(request)))


def _not_allowed(request: Request, path: str, methods: Iterable[str]) -> Response:
    allow = ", ".join(methods)
    return problem(405, f"{path} takes {allow}, not {request.method}.", (("Allow", allow),))


def _origin(request: Request) -> str:
    parts = urlsplit(request.url)
    return f"{parts.scheme}://{parts.netloc}"


def _clock(value: Any) -> WorldClock:
    """The clock that a new world is asked to have.

    Raises:
        BodyRejected: If it is neither ``frozen`` nor ``real`` nor a time of RFC 3339.
    """
    if value == "frozen":
        return FrozenClock()
    if value == "real":
        return OffsetClock()
    try:
        start = datetime.fromisoformat(value)
        if start.tzinfo is not None:
            return FrozenClock(start.astimezone(UTC))
    except (OverflowError, TypeError, ValueError):
        pass
    raise BodyRejected(
        '\'clock\' must be "real", "frozen", or the time of RFC 3339 at which it stands, such as '
        f'"{to_rfc3339(EPOCH_OF_WORLDS)}"; not {value!r}.'
    )


def _names(value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise BodyRejected(
            'Faults, and variations, must be an array of names, such as ["AcceptsExpiredChallenge"]; [] for none.'
        )
    return [check_text(name, "faults") for name in value]
