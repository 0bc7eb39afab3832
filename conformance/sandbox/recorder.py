"""What worlds were asked and answered, kept, and asked again of a sandbox that behaves otherwise.

A world follows from its seed, its frozen clock and its requests alone, and a test knows of it only what it is answered
and sent. So a test whose requests get the same answers and webhooks from another sandbox would do there what it did
here.
"""

import asyncio
import json
import logging
import re
import threading
from collections.abc import AsyncIterator, Iterator, Mapping, MutableMapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from unittest.mock import patch

import httpx

from conformance.api import Api
from conformance.sandbox.control import PREFIX
from conformance.sandbox.server import SandboxApp

_SECONDS_TO_ANSWER = 1.0
_OF_A_CONNECTION = {"state", "extensions"}
_WORLD = re.compile(rf"(?:/w|{PREFIX}/worlds)/([^/]+)")

Message = MutableMapping[str, Any]
"""A message or scope of ASGI 3."""


@dataclass(frozen=True)
class Answer:
    """What was answered.

    Args:
        status: The status.
        headers: Name and value of each header line.
        body: The content.
    """

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


@dataclass(frozen=True)
class Event:
    """One try of a webhook.

    Args:
        method: The method.
        url: Where it went.
        headers: Name and value of each header line.
        body: The content.
        follows: Whether the sandbox follows where it is sent elsewhere; false where it is not sent elsewhere.
    """

    method: str
    url: str
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    follows: bool


@dataclass
class Recording:
    """What one world was asked, and what came of it.

    Args:
        exchanges: Each request, as scope and content of ASGI, with its answer.
        events: The webhooks that were sent, each with the status of what its receiver answered, None for nothing.
        steady: Whether all requests came whole and from one thread, so that they can be asked again one by one.
    """

    exchanges: list[tuple[Message, bytes, Answer]] = field(default_factory=list)
    events: list[tuple[Event, int | None]] = field(default_factory=list)
    steady: bool = True


class RecordingApp(SandboxApp):
    """The sandbox as it is, keeping what every new world is asked and answers.

    Args:
        api: The API that it implements.
    """

    def __init__(self, api: Api) -> None:
        super().__init__([api], "sandbox", (), beyond_loopback=False)
        self._recordings: dict[str, Recording] = {}
        self._of_world: dict[str, Recording] = {}
        self._events: list[tuple[Event, int | None]] = []

    async def __call__(self, scope: Message, receive: Any, send: Any) -> None:
        """Serve one connection scope of ASGI."""
        path = scope.get("path", "")
        if path == f"{PREFIX}/worlds":
            await self._serve_recorded(Recording(), scope, receive, send)
        elif (world := _WORLD.match(path)) and world[1] in self._of_world:
            await self._serve_recorded(self._of_world[world[1]], scope, receive, send)
        else:
            await super().__call__(scope, receive, send)

    async def _serve_recorded(self, recording: Recording, scope: Message, receive: Any, send: Any) -> None:
        listening, answering = _Listening(receive), _Answering()
        await super().__call__(scope, listening.receive, answering.send)
        kept = {name: value for name, value in scope.items() if name not in _OF_A_CONNECTION}
        recording.exchanges.append((kept, listening.content, answering.answer))
        recording.steady = recording.steady and listening.whole and answering.whole
        if len(recording.exchanges) == 1 and answering.whole:
            self._recordings[json.loads(listening.content)["seed"]] = recording
            self._of_world[json.loads(answering.answer.body)["world"]] = recording
        for message in answering.messages:
            await send(message)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Keep the webhooks that are sent meanwhile, too, and learn which worlds are asked from several threads.

        Requests that are sent at once may happen to be answered one after the other; their order is nothing to rely on.
        """
        ordinary, asked, home = httpx.AsyncClient.send, httpx.HTTPTransport.handle_request, threading.get_ident()

        async def send(client: httpx.AsyncClient, request: httpx.Request, **options: Any) -> httpx.Response:
            place = len(self._events)
            self._events.append((_event(request, options, None), None))
            response = await ordinary(client, request, **options)
            self._events[place] = (_event(request, options, response.status_code), response.status_code)
            return response

        def ask(transport: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
            world = _WORLD.match(request.url.path)
            if world and world[1] in self._of_world and threading.get_ident() != home:
                self._of_world[world[1]].steady = False
            return asked(transport, request)

        with (
            patch.object(httpx.AsyncClient, "send", send),
            patch.object(httpx.HTTPTransport, "handle_request", ask),
        ):
            yield

    @property
    def recordings(self) -> Mapping[str, Recording]:
        """What was recorded of each world, by the world's seed; webhooks belong to the world that was told of them."""
        for recording in self._recordings.values():
            told = b"".join(content for _, content, _ in recording.exchanges)
            recording.events = [each for each in self._events if f'"{each[0].url}"'.encode() in told]
        return self._recordings


class _Listening:
    """Reads the content of a request along with the sandbox."""

    def __init__(self, receive: Any) -> None:
        self._receive = receive
        self.content = b""
        self.whole = True

    async def receive(self) -> Message:
        message: Message = await self._receive()
        self.content += message.get("body", b"")
        self.whole = self.whole and message["type"] == "http.request"
        return message


class _Answering:
    """Takes what the sandbox answers."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    async def send(self, message: Message) -> None:
        self.messages.append(message)

    @property
    def whole(self) -> bool:
        """Whether there is an answer."""
        return bool(self.messages) and not self.messages[-1].get("more_body", False)

    @property
    def answer(self) -> Answer:
        if not self.messages:
            return Answer(0, (), b"")
        begin, *parts = self.messages
        headers = tuple((bytes(name), bytes(value)) for name, value in begin["headers"])
        return Answer(begin["status"], headers, b"".join(part.get("body", b"") for part in parts))


def differing(api: Api, faults: tuple[str, ...], recordings: Mapping[str, Recording]) -> list[str]:
    """The seeds of the worlds that answer otherwise, or send other webhooks, or cannot be asked again.

    Args:
        api: The API.
        faults: The faults and variations with which they are asked.
        recordings: What worlds without these were asked and answered, by their seeds.

    Raises:
        UnknownFaultError: If there is no fault or variation of such a name.
    """
    with _quiet():
        return asyncio.run(_differing(SandboxApp([api], "sandbox", faults, beyond_loopback=False), recordings))


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep out of the log that a faulty sandbox breaks; its answer says so."""
    logger = logging.getLogger(SandboxApp.__module__)
    before, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = before


async def _differing(app: SandboxApp, recordings: Mapping[str, Recording]) -> list[str]:
    found = [
        seed for seed, recording in recordings.items() if not recording.steady or not await _answers(app, recording)
    ]
    await app.worlds.close()
    return found


async def _answers(app: SandboxApp, recording: Recording) -> bool:
    """Whether the sandbox gives these requests the same answers, and sends the same webhooks."""
    async with _receiver(recording) as sent:
        world = None
        for scope, content, answer in recording.exchanges:
            try:
                async with asyncio.timeout(_SECONDS_TO_ANSWER):
                    again = await _asked(app, scope, content)
                    if world is not None:
                        await app.worlds.get(world).outbox.flush()
            except TimeoutError:
                return False
            control = scope["path"].startswith(PREFIX)
            if _comparable(again, control=control) != _comparable(answer, control=control):
                return False
            if world is None:
                world = json.loads(again.body)["world"]
    return sent == [event for event, _ in recording.events]


async def _asked(app: SandboxApp, scope: Message, content: bytes) -> Answer:
    answering = _Answering()

    async def receive() -> Message:
        return {"type": "http.request", "body": content, "more_body": False}

    await app(dict(scope), receive, answering.send)
    return answering.answer


def _comparable(answer: Answer, *, control: bool) -> object:
    """What must be equal; of a control route not the time of the default world, nor which faults there are."""
    if not control:
        return answer
    try:
        body = json.loads(answer.body)
    except ValueError:
        body = answer.body
    return answer.status, {**body, "faults": None} if isinstance(body, dict) else body


@asynccontextmanager
async def _receiver(recording: Recording) -> AsyncIterator[list[Event]]:
    """What takes the webhooks that are sent meanwhile, and answers each as it was answered when it was recorded."""
    sent: list[Event] = []

    async def send(_: httpx.AsyncClient, request: httpx.Request, **options: Any) -> httpx.Response:
        place = len(sent)
        status = recording.events[place][1] if place < len(recording.events) else None
        sent.append(_event(request, options, status))
        if status is None:
            raise httpx.ConnectError("Nobody answered when it was recorded.")
        return httpx.Response(status, request=request)

    with patch.object(httpx.AsyncClient, "send", send):
        yield sent


def _event(request: httpx.Request, options: Mapping[str, Any], status: int | None) -> Event:
    elsewhere = status is not None and HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST
    follows = elsewhere and options.get("follow_redirects") is True
    return Event(request.method, str(request.url), tuple(request.headers.raw), request.content, follows)
