"""The control routes: what a test commands of a world, apart from the protocols that the world speaks."""

import base64
import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from conformance.exchange import Exchange, Message, Request, Response
from conformance.sandbox.deliveries import AddressRefused
from conformance.sandbox.faults import UnknownFaultError
from conformance.sandbox.messages import (
    BodyRejected,
    check_text,
    json_response,
    problem,
    read_json,
    read_object,
    read_text,
    to_rfc3339,
)
from conformance.sandbox.world import DEFAULT, UnknownWorldError, World, Worlds

PREFIX = "/_sandbox"
"""Where the control routes begin."""

_PATH = re.compile(rf"{PREFIX}(?:/worlds/(?P<world>[^/]+))?(?P<part>/[a-z]+)?")
_FURTHEST = 10 * 365 * 86_400
"""The most seconds that one request may advance a clock by."""

_Handler = Callable[[World, Request], Awaitable[Response]]


class Control:
    """Answers the control routes of one server.

    Args:
        worlds: What is controlled.
    """

    def __init__(self, worlds: Worlds) -> None:
        self._worlds = worlds
        self._parts: dict[str, dict[str, _Handler]] = {
            "": {"GET": self._describe, "DELETE": self._drop},
            "/clock": {"POST": self._advance},
            "/faults": {"PUT": self._set_faults},
            "/webhook": {"PUT": self._set_webhook},
            "/requests": {"GET": self._list_requests},
            "/reset": {"POST": self._reset},
            "/worlds": {"POST": self._create},
        }

    async def answer(self, request: Request, path: str) -> Response:
        """What the control route at `path`, undecoded, answers to `request`."""
        match = _PATH.fullmatch(path)
        part = match["part"] or "" if match else None
        methods = self._parts.get(part) if part is not None else None
        if match is None or methods is None or (part == "/worlds" and match["world"]):
            parts = ", ".join(PREFIX + each for each in self._parts)
            return problem(404, f"There is no control route {path!r}. There are: {parts}.")
        handler = methods.get("GET" if request.method == "HEAD" else request.method)
        if handler is None:
            allow = ", ".join(methods)
            return problem(405, f"{path} takes {allow}, not {request.method}.", (("Allow", allow),))
        try:
            return await handler(self._worlds.get(match["world"] or DEFAULT), request)
        except UnknownWorldError as error:
            return problem(404, str(error))
        except (AddressRefused, BodyRejected, UnknownFaultError) as error:
            return problem(400, str(error))

    async def _describe(self, world: World, request: Request) -> Response:
        return json_response(200, world.describe(_origin(request)))

    async def _create(self, _world: World, request: Request) -> Response:
        document = read_object(request.body)
        faults = _names(document["faults"]) if "faults" in document else None
        world = await self._worlds.create(read_text(document, "seed"), faults)
        return json_response(201, world.describe(_origin(request)))

    async def _drop(self, world: World, _request: Request) -> Response:
        if world.id == DEFAULT:
            return problem(409, f"The default world stays. POST {PREFIX}/reset puts it back to its beginning.")
        await self._worlds.drop(world)
        return Response(status=204)

    async def _advance(self, world: World, request: Request) -> Response:
        seconds = read_object(request.body).get("advance_seconds")
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

    async def _set_webhook(self, world: World, request: Request) -> Response:
        document = read_object(request.body)
        address = None if document.get("url", "") is None else world.outbox.check(read_text(document, "url"))
        world.outbox.address = address
        return json_response(200, {"url": address})

    async def _list_requests(self, world: World, _request: Request) -> Response:
        return json_response(200, [_entry(exchange) for exchange in world.log])

    async def _reset(self, world: World, request: Request) -> Response:
        return json_response(200, (await self._worlds.reset(world)).describe(_origin(request)))


def _origin(request: Request) -> str:
    parts = urlsplit(request.url)
    return f"{parts.scheme}://{parts.netloc}"


def _names(value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise BodyRejected('Faults must be an array of names, such as ["AcceptsExpiredChallenge"]; [] for none.')
    return [check_text(name, "faults") for name in value]


def _entry(exchange: Exchange) -> dict[str, Any]:
    request, response = exchange.request, exchange.response
    return {
        "time": to_rfc3339(exchange.at),
        "seconds": exchange.seconds,
        "request": {"method": request.method, "url": request.url, **_content(request)},
        "response": {"status": response.status, **_content(response)},
    }


def _content(message: Message) -> dict[str, Any]:
    return {"headers": [list(line) for line in message.headers], "body": base64.b64encode(message.body).decode()}
