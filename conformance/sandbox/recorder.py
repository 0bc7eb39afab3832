"""What worlds were asked and answered, kept, and asked again of a sandbox that behaves otherwise.

A world follows from its seed, its frozen clock and its requests alone, and a test knows of it only what it is answered
and sent. So a test whose requests get the same answers and webhooks from another sandbox would do there what it did
here.
"""

import asyncio
import json
import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus

from conformance.api import Api
from conformance.exchange import Headers
from conformance.sandbox.control import PREFIX
from conformance.sandbox.deliveries import HttpSender, Sender
from conformance.sandbox.lookups import looked_up, watched
from conformance.sandbox.server import SandboxApp
from conformance.sandbox.threaded_server import Message, Receive, Send
from conformance.sandbox.world import UnknownWorldError, Worlds

_SECONDS_TO_ANSWER = 0.25
_OF_A_CONNECTION = {"state", "extensions"}
_WORLD = re.compile(rf"(?:/w|{PREFIX}/worlds)/([^/]+)")


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
        address: Where it went.
        body: The content.
        headers: Name and value of each header line.
        follows: Whether the sandbox follows where it is sent elsewhere; false where it is not sent elsewhere.
    """

    address: str
    body: bytes
    headers: Headers
    follows: bool


@dataclass
class Recording:
    """What one world was asked, and what came of it.

    Args:
        exchanges: Each request, as scope and content of ASGI, with its answer.
        events: The webhooks that were sent, each with the status of what its receiver answered, None for nothing.
        steady: Whether all requests came whole and over one connection, so that they can be asked again one by one:
            requests at once come over several, and may be answered one after the other by chance.
        lookups: The names of the attributes that the world's sandbox looked up, a set for each time that it was made.
        world: The id of the world; empty if none was made.
    """

    exchanges: list[tuple[Message, bytes, Answer]] = field(default_factory=list)
    events: list[tuple[Event, int | None]] = field(default_factory=list)
    steady: bool = True
    lookups: list[set[str]] = field(default_factory=list)
    world: str = ""

    def uses(self, names: frozenset[str] | None) -> bool:
        """Whether the world's sandbox looked up one of these attributes; of None, which are not known, it may have."""
        return names is None or any(not names.isdisjoint(each) for each in self.lookups)

    @property
    def seed(self) -> str:
        """What the world was made from, as the first request says."""
        _, content, _ = self.exchanges[0]
        return str(json.loads(content)["seed"])


class RecordingApp(SandboxApp):
    """The unchanged sandbox; it records what every new world is asked and answers.

    Args:
        api: The API that it implements.
    """

    def __init__(self, api: Api) -> None:
        self._recordings: dict[str, Recording] = {}
        self._of_world: dict[str, Recording] = {}
        self._events: dict[str, list[tuple[Event, int | None]]] = {}
        self._connections: dict[str, object] = {}
        self._api = api
        changes = (watched(api),)
        super().__init__(Worlds([api], "sandbox", changes, beyond_loopback=False, make_sender=self._sender))

    def _sender(self, seed: str) -> Sender:
        return _RecordingSender(self._events.setdefault(seed, []))

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one connection scope of ASGI."""
        path = scope.get("path", "")
        if path == f"{PREFIX}/worlds":
            await self._serve_recorded(Recording(), scope, receive, send)
        elif (world := _WORLD.match(path)) and world[1] in self._of_world:
            recording = self._of_world[world[1]]
            if not path.startswith(PREFIX) and not _ends_connection(scope):  # control routes have a client of their own
                first = self._connections.setdefault(world[1], scope["client"])
                recording.steady = recording.steady and scope["client"] == first
            await self._serve_recorded(recording, scope, receive, send)
        else:
            await super().__call__(scope, receive, send)

    async def _serve_recorded(self, recording: Recording, scope: Message, receive: Receive, send: Send) -> None:
        listening, answering = _Listening(receive), _Answering()
        await super().__call__(scope, listening.receive, answering.send)
        request = {name: value for name, value in scope.items() if name not in _OF_A_CONNECTION}
        recording.exchanges.append((request, listening.content, answering.answer))
        recording.steady = recording.steady and listening.whole and answering.whole
        if len(recording.exchanges) == 1 and answering.whole:
            recording.events = self._events[recording.seed]
            self._recordings[recording.seed] = recording
            recording.world = json.loads(answering.answer.body)["world"]
            self._of_world[recording.world] = recording
        self._note_lookups(recording)
        for message in answering.messages:
            await send(message)

    def _note_lookups(self, recording: Recording) -> None:
        """Keep what the world's sandbox looks up from now on too, which is another one if the world was made again."""
        with suppress(UnknownWorldError):
            names = looked_up(self.worlds.get(recording.world).services[self._api.name])
            if all(each is not names for each in recording.lookups):
                recording.lookups.append(names)

    @property
    def recordings(self) -> Mapping[str, Recording]:
        """What was recorded of each world, by the world's seed."""
        return self._recordings


def _ends_connection(scope: Message) -> bool:
    """Whether a request asks for its connection to be closed after it, so that the next one comes over another."""
    return (b"connection", b"close") in scope["headers"]


class _RecordingSender:
    """Sends the webhooks of one world, and keeps each with the status of what its receiver answered.

    Args:
        events: Where they are kept, in the order in which they were sent.
    """

    def __init__(self, events: list[tuple[Event, int | None]]) -> None:
        self._events = events
        self._ordinary = HttpSender()

    async def send(self, address: str, body: bytes, headers: Headers, *, follow_redirects: bool) -> int | None:
        place = len(self._events)
        self._events.append((_event(address, body, headers, None, follow_redirects=follow_redirects), None))
        status = await self._ordinary.send(address, body, headers, follow_redirects=follow_redirects)
        self._events[place] = _event(address, body, headers, status, follow_redirects=follow_redirects), status
        return status

    async def close(self) -> None:
        await self._ordinary.close()


class _RehearsedSender:
    """Answers the webhooks of one world as they were answered when they were recorded, and sends none.

    Args:
        recorded: What was sent then, and how each was answered.
    """

    def __init__(self, recorded: Sequence[tuple[Event, int | None]]) -> None:
        self._recorded = recorded
        self.sent: list[Event] = []

    async def send(self, address: str, body: bytes, headers: Headers, *, follow_redirects: bool) -> int | None:
        place = len(self.sent)
        status = self._recorded[place][1] if place < len(self._recorded) else None
        self.sent.append(_event(address, body, headers, status, follow_redirects=follow_redirects))
        return status

    async def close(self) -> None:
        """Do nothing, since no connection is open."""


def _event(address: str, body: bytes, headers: Headers, status: int | None, *, follow_redirects: bool) -> Event:
    elsewhere = status is not None and HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST
    return Event(address, body, tuple(headers), elsewhere and follow_redirects)


class _Listening:
    """Reads the content of a request along with the sandbox."""

    def __init__(self, receive: Receive) -> None:
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


def differing_worlds(
    api: Api, faults: tuple[str, ...], recordings: Mapping[str, Recording], *, patience: float = _SECONDS_TO_ANSWER
) -> list[str]:
    """The names of the worlds that answer otherwise, or send other webhooks, or cannot be asked again.

    Args:
        api: The API.
        faults: The faults and variations with which they are asked.
        recordings: What worlds without these were asked and answered, by any name.
        patience: How many seconds each answer may take; one that takes longer is another answer.

    Raises:
        UnknownFaultError: If there is no fault or variation of such a name.
    """
    senders = {recording.seed: _RehearsedSender(recording.events) for recording in recordings.values()}
    worlds = Worlds(
        [api],
        "sandbox",
        faults,
        beyond_loopback=False,
        make_sender=lambda seed: senders.get(seed) or _RehearsedSender(()),
    )
    with _quiet():
        return asyncio.run(_differing(SandboxApp(worlds), recordings, senders, patience))


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep out of the log that a faulty sandbox breaks; its answer says so."""
    logger = logging.getLogger(SandboxApp.__module__)
    before, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = before


async def _differing(
    app: SandboxApp, recordings: Mapping[str, Recording], senders: Mapping[str, _RehearsedSender], patience: float
) -> list[str]:
    found = [
        name
        for name, recording in recordings.items()
        if not recording.steady
        or not await _answers(app, recording, patience)
        or senders[recording.seed].sent != [event for event, _ in recording.events]
    ]
    await app.worlds.close()
    return found


async def _answers(app: SandboxApp, recording: Recording, patience: float) -> bool:
    """Whether the sandbox gives these requests the same answers."""
    world = None
    for scope, content, answer in recording.exchanges:
        try:
            async with asyncio.timeout(patience):
                again = await _ask(app, scope, content)
                if world is not None:
                    await app.worlds.get(world).outbox.flush()
        except TimeoutError:
            return False
        control = scope["path"].startswith(PREFIX)
        if _comparable(again, control=control) != _comparable(answer, control=control):
            return False
        if world is None:
            world = json.loads(again.body)["world"]
    return True


async def _ask(app: SandboxApp, scope: Message, content: bytes) -> Answer:
    answering = _Answering()

    async def receive() -> Message:
        return {"type": "http.request", "body": content, "more_body": False}

    await app(dict(scope), receive, answering.send)
    return answering.answer


def _comparable(answer: Answer, *, control: bool) -> object:
    """What must be equal; of a control route not the time of the default world, nor which changes there are."""
    if not control:
        return answer
    try:
        body = json.loads(answer.body)
    except ValueError:
        body = answer.body
    return answer.status, {**body, "faults": None, "variations": None} if isinstance(body, dict) else body
