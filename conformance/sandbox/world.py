"""Worlds: sandboxes within the sandbox, each with its own clock, state, faults and request log."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import chain, count
from typing import Any, Protocol

from conformance.api import Api, Sandbox
from conformance.clock import OffsetClock, SystemClock, WorldClock
from conformance.exchange import Delivery, Exchange, Request, Response
from conformance.ids import Ids
from conformance.judging.traffic import Judged
from conformance.recording.content_codings import decoded
from conformance.sandbox.behaviour import Behaviours
from conformance.sandbox.deliveries import Outbox, Pending, Sender, SenderFactory, http_sender
from conformance.sandbox.faults import BehaviourChange, Fault, Variation
from conformance.sandbox.messages import to_rfc3339
from conformance.sandbox.observation import Observation
from conformance.sandbox.service import TENANTS

DEFAULT = "default"
"""The id of the world that is there from the start and runs in real time."""

_MOST_WORLDS = 10_000


class Watch(Protocol):
    """What is told of each request and delivery as it comes."""

    def saw_request(self, world: "World", judged: Judged, /) -> None:
        """A request was answered, and judged."""

    def saw_delivery(self, world: "World", event: Pending, /) -> None:
        """A try to deliver a webhook is over."""

    def ends(self, world: "World", /) -> None:
        """A world is reset or dropped."""


class UnknownWorldError(LookupError):
    """There is no world of that id; the message says how to make one."""


class World:
    """One world: everything in it follows from its seed, its clock and the requests that it receives.

    Args:
        world_id: What its paths call it.
        seed: What all its ids, nonces, keys and credentials are drawn from.
        clock: Its time.
        behaviours: The faults and variations that there are, of the APIs that it implements.
        changes: The names of those that change how it behaves.
        sender: What brings its webhooks to their receivers.
        beyond_loopback: Whether its webhooks may go elsewhere than to this machine.
        explains: Whether its refusals name the mistake that was made, which takes time to find out.

    Raises:
        UnknownFaultError: If a fault or variation of that name does not exist or cannot be used.
    """

    def __init__(
        self,
        world_id: str,
        seed: str,
        clock: WorldClock,
        behaviours: Behaviours,
        changes: Iterable[str],
        sender: Sender,
        *,
        beyond_loopback: bool,
        explains: bool = True,
    ) -> None:
        self.id = world_id
        self.seed = seed
        self.clock = clock
        self.faults, self.variations = behaviours.by_kind(changes)
        self.outbox = Outbox(clock, sender, beyond_loopback=beyond_loopback)
        self.recorded = 0
        """How many exchanges it had so far, with those before it was reset."""
        self._behaviours = behaviours
        ids = Ids(seed)
        self.services: dict[str, Sandbox] = {
            name: kind(clock, ids.child(name), self.outbox)
            for name, kind in behaviours.sandbox_classes(self.changes).items()
        }
        self.explains = explains
        for service in self.services.values():
            service.explains = explains
        mounts = {name: service.mounts for name, service in self.services.items()}
        self.observation = Observation(behaviours.apis, self._prefix, mounts, self._credentials)
        self.outbox.on_try = self._note_delivery
        self.watch: Watch | None = None

    @property
    def changes(self) -> tuple[str, ...]:
        """The names of its faults and variations."""
        return (*self.faults, *self.variations)

    def set_faults(self, names: Iterable[str]) -> None:
        """Have it behave with these faults from now on, and with no others; its state and its variations stay.

        A webhook that is already on its way is signed and tried again as before.

        Raises:
            UnknownFaultError: If a fault of that name does not exist or cannot be used.
        """
        self._change(self._behaviours.check_names(names, Fault), self.variations)

    def set_variations(self, names: Iterable[str]) -> None:
        """Have it behave with these variations from now on, and with no others; its state and its faults stay.

        Raises:
            UnknownFaultError: If a variation of that name does not exist or cannot be used.
        """
        self._change(self.faults, self._behaviours.check_names(names, Variation))

    def _change(self, faults: tuple[str, ...], variations: tuple[str, ...]) -> None:
        for name, kind in self._behaviours.sandbox_classes((*faults, *variations)).items():
            service = kind.__new__(kind)
            service.__dict__ = self.services[name].__dict__
            self.services[name] = service
        self.faults, self.variations = faults, variations

    @property
    def mounts(self) -> list[str]:
        """What its paths may begin with: the names of the APIs, and those of what they serve besides."""
        return [*self.services, *(mount for service in self.services.values() for mount in service.mounts)]

    def at(self, mount: str) -> Callable[[Request, str], Awaitable[Response]] | None:
        """What answers a request and its path below `mount`, None if there is no such mount."""
        if mount in self.services:
            return self.services[mount].answer
        found = next((service for service in self.services.values() if mount in service.mounts), None)
        return partial(found.answer_at, mount) if found else None

    def base_url(self, origin: str, mount: str) -> str:
        """Where a mount is for who reaches the server at `origin`."""
        return f"{origin}{self._prefix}/{mount}"

    def describe(self, origin: str) -> dict[str, Any]:
        """What a client must know to use this world through the server at `origin`."""
        return {
            "world": self.id,
            "base_urls": {name: self.base_url(origin, name) for name in self.mounts},
            "clock": to_rfc3339(self.clock.now()),
            "faults": list(self.faults),
            "variations": list(self.variations),
            "shortcuts": {name: list(service.shortcuts) for name, service in self.services.items()},
            "tenants": {
                tenant: {name: service.credentials(tenant) for name, service in self.services.items()}
                for tenant in TENANTS
            },
        }

    def record(self, request: Request, response: Response, at: datetime, seconds: float) -> None:
        """Log an exchange; when there are too many the oldest is dropped.

        Args:
            request: What was received.
            response: What was answered; it is kept decoded.
            at: When it was received, by the clock of this world (UTC).
            seconds: How long the answer took.
        """
        self.recorded += 1
        machine_at = SystemClock().now() - timedelta(seconds=seconds)
        self.observation.note(
            Exchange(
                f"{self.id}#{self.recorded}", None, "", at, seconds, request, decoded(response), machine_at=machine_at
            )
        )
        if self.watch is not None:
            self.watch.saw_request(self, self.observation.exchanges()[-1])

    def _note_delivery(self, event: Pending) -> None:
        """Note the last try to deliver an event."""
        last, state = event.tries[-1], vars(event.policy)
        delivery = Delivery(
            after=self.recorded,
            identity=TENANTS[0],
            at=last.at,
            request=Request(last.headers, event.body, "POST", event.address),
            answered=last.status or 0,
            machine_at=last.machine_at,
        )
        sender = next((name for name, service in self.services.items() if vars(service) is state), None)
        self.observation.note_delivery(delivery, sender)
        if self.watch is not None:
            self.watch.saw_delivery(self, event)

    def _credentials(self) -> dict[str, dict[str, dict[str, str]]]:
        """What each tenant authenticates with, by the API's name and its own."""
        return {
            name: {tenant: service.credentials(tenant) for tenant in TENANTS} for name, service in self.services.items()
        }

    @property
    def _prefix(self) -> str:
        """What its paths begin with, before the name of an API."""
        return "" if self.id == DEFAULT else f"/w/{self.id}"


class Worlds:
    """All worlds of one server; when there are too many the oldest is dropped.

    Args:
        apis: The APIs that each world implements.
        seed: The seed of the default world.
        faults: The faults and variations of the default world, and of every new one that names none: names, or
            those of your own, as classes or as ``module:Class``, which can be named from then on.
        beyond_loopback: Whether webhooks may go elsewhere than to this machine.
        make_sender: Gives what brings the webhooks of a world to their receivers, by the world's seed.

    Raises:
        UnknownFaultError: If a fault or variation of that name does not exist or cannot be used.
    """

    def __init__(
        self,
        apis: Sequence[Api],
        seed: str,
        faults: Iterable[str | BehaviourChange],
        *,
        beyond_loopback: bool,
        make_sender: SenderFactory = http_sender,
    ) -> None:
        self.behaviours = Behaviours(apis)
        self._faults = tuple(map(self.behaviours.add, faults))
        self._beyond_loopback = beyond_loopback
        self._make_sender = make_sender
        self._worlds: OrderedDict[str, World] = OrderedDict()
        self.watch: Watch | None = None
        self.default = self._build(DEFAULT, seed, self._faults, OffsetClock())

    def get(self, world_id: str) -> World:
        """The world of that id.

        Raises:
            UnknownWorldError: If there is none.
        """
        if world_id == DEFAULT:
            return self.default
        try:
            return self._worlds[world_id]
        except KeyError:
            raise UnknownWorldError(
                f"There is no world {world_id!r}: it was never made, or was dropped. POST /_sandbox/worlds makes one."
            ) from None

    async def create(
        self,
        seed: str,
        faults: Iterable[str] | None = None,
        clock: WorldClock | None = None,
        *,
        explains: bool = True,
    ) -> World:
        """A new world.

        Args:
            seed: What its ids, nonces, keys and credentials are drawn from; two worlds of one seed are alike.
            faults: Its faults and variations; None for those that the server was started with.
            clock: Its time; None for the machine's.
            explains: Whether its refusals name the mistake that was made.

        Raises:
            UnknownFaultError: If a fault or variation of that name does not exist or cannot be used.
        """
        faults = self._faults if faults is None else faults
        world = self._build(self._new_id(seed), seed, faults, clock or OffsetClock(), explains=explains)
        self._worlds[world.id] = world
        if len(self._worlds) > _MOST_WORLDS:
            _, oldest = self._worlds.popitem(last=False)
            await self._end(oldest)
        return world

    def _new_id(self, seed: str) -> str:
        """An id that follows from the seed, so that a recording does not depend on what was recorded before it."""
        first = Ids(seed).child("world").draw(4).hex()
        again = (f"{first}-{number}" for number in count(2))
        return next(candidate for candidate in chain([first], again) if candidate not in self._worlds)

    async def reset(self, world: World) -> World:
        """The world that takes the place of `world`: as it was when it was made, but with the changes it has now."""
        await self._end(world)
        again = self._build(
            world.id, world.seed, world.changes, world.clock.restarted(), world.recorded, explains=world.explains
        )
        if world.id == DEFAULT:
            self.default = again
        else:
            self._worlds[world.id] = again
        return again

    async def drop(self, world: World) -> None:
        """Forget `world`, which must not be the default one."""
        del self._worlds[world.id]
        await self._end(world)

    async def settle_in_real_time(self) -> None:
        """Send the webhooks that are due in the worlds whose time runs by itself."""
        for world in self:
            if isinstance(world.clock, OffsetClock):
                await world.outbox.settle()

    async def close(self) -> None:
        """Drop what is under way in any world."""
        for world in self:
            await world.outbox.close()

    def _build(
        self,
        world_id: str,
        seed: str,
        changes: Iterable[str],
        clock: WorldClock,
        recorded: int = 0,
        *,
        explains: bool = True,
    ) -> World:
        sender = self._make_sender(seed)
        world = World(
            world_id,
            seed,
            clock,
            self.behaviours,
            changes,
            sender,
            beyond_loopback=self._beyond_loopback,
            explains=explains,
        )
        world.watch, world.recorded = self.watch, recorded
        return world

    def set_watch(self, watch: Watch) -> None:
        """Have every world tell of each request and delivery as it comes."""
        self.watch = watch
        for world in self:
            world.watch = watch

    def __iter__(self) -> Iterator[World]:
        return iter([self.default, *self._worlds.values()])

    async def _end(self, world: World) -> None:
        await world.outbox.close()
        if self.watch is not None:
            self.watch.ends(world)
