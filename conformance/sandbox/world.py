"""Worlds: sandboxes within the sandbox, each with its own clock, state, faults and request log."""

from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime
from functools import partial
from itertools import chain, count
from typing import Any

from conformance.api import Api, Sandbox
from conformance.clock import Clock, FrozenClock, OffsetClock
from conformance.exchange import Exchange, Request, Response
from conformance.ids import Ids
from conformance.sandbox.behaviour import Behaviours
from conformance.sandbox.deliveries import Outbox, Sender, SenderFactory, http_sender
from conformance.sandbox.faults import BehaviourChange
from conformance.sandbox.messages import to_rfc3339
from conformance.sandbox.service import TENANTS

DEFAULT = "default"
"""The id of the world that is there from the start and runs in real time."""

_LOGGED_EXCHANGES = 1_000
_MOST_WORLDS = 10_000


class UnknownWorldError(LookupError):
    """There is no world of that id; the message says how to make one."""


class World:
    """One world: everything in it follows from its seed, its clock and the requests that it receives.

    Args:
        world_id: What its paths call it.
        seed: What all its ids, nonces, keys and credentials are drawn from.
        clock: Its time.
        behaviours: The faults and variations that there are, of the APIs that it implements.
        faults: The names of those that change how it behaves.
        sender: What brings its webhooks to their receivers.
        beyond_loopback: Whether its webhooks may go elsewhere than to this machine.

    Raises:
        UnknownFaultError: If a fault or variation of that name does not exist or cannot be used.
    """

    def __init__(
        self,
        world_id: str,
        seed: str,
        clock: Clock,
        behaviours: Behaviours,
        faults: Iterable[str],
        sender: Sender,
        *,
        beyond_loopback: bool,
    ) -> None:
        self.id = world_id
        self.seed = seed
        self.clock = clock
        self.faults = behaviours.check_names(faults)
        self.outbox = Outbox(clock, sender, beyond_loopback=beyond_loopback)
        self.log: deque[Exchange] = deque(maxlen=_LOGGED_EXCHANGES)
        self._recorded = 0
        self._behaviours = behaviours
        ids = Ids(seed)
        self.services: dict[str, Sandbox] = {
            name: kind(clock, ids.child(name), self.outbox)
            for name, kind in behaviours.sandbox_classes(self.faults).items()
        }

    def set_faults(self, names: Iterable[str]) -> None:
        """Have it behave with these faults and variations from now on, and with no others; its state stays.

        A webhook that is already on its way is signed and tried again as before.

        Raises:
            UnknownFaultError: If a fault or variation of that name does not exist or cannot be used.
        """
        faults = self._behaviours.check_names(names)
        for name, kind in self._behaviours.sandbox_classes(faults).items():
            service = kind.__new__(kind)
            service.__dict__ = self.services[name].__dict__
            self.services[name] = service
        self.faults = faults

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

    def describe(self, origin: str) -> dict[str, Any]:
        """What a client must know to use this world through the server at `origin`."""
        mount = origin if self.id == DEFAULT else f"{origin}/w/{self.id}"
        return {
            "world": self.id,
            "base_urls": {name: f"{mount}/{name}" for name in self.mounts},
            "clock": to_rfc3339(self.clock.now()),
            "faults": list(self.faults),
            "tenants": {
                tenant: {name: service.credentials(tenant) for name, service in self.services.items()}
                for tenant in TENANTS
            },
        }

    def record(self, request: Request, response: Response, at: datetime, seconds: float) -> None:
        """Log an exchange; when there are too many the oldest is dropped.

        Args:
            request: What was received.
            response: What was answered.
            at: When it was received, by the clock of this world (UTC).
            seconds: How long the answer took.
        """
        self._recorded += 1
        self.log.append(Exchange(f"{self.id}#{self._recorded}", None, "", at, seconds, request, response))


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
        self.default = self._build(DEFAULT, seed, self._faults)

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

    async def create(self, seed: str, faults: Iterable[str] | None = None) -> World:
        """A new world with a frozen clock.

        Args:
            seed: What its ids, nonces, keys and credentials are drawn from; two worlds of one seed are alike.
            faults: Its faults and variations; None for those that the server was started with.

        Raises:
            UnknownFaultError: If a fault or variation of that name does not exist or cannot be used.
        """
        world = self._build(self._new_id(seed), seed, self._faults if faults is None else faults)
        self._worlds[world.id] = world
        if len(self._worlds) > _MOST_WORLDS:
            _, oldest = self._worlds.popitem(last=False)
            await oldest.outbox.close()
        return world

    def _new_id(self, seed: str) -> str:
        """An id that follows from the seed, so that a recording does not depend on what was recorded before it."""
        first = Ids(seed).child("world").draw(4).hex()
        again = (f"{first}-{number}" for number in count(2))
        return next(candidate for candidate in chain([first], again) if candidate not in self._worlds)

    async def reset(self, world: World) -> World:
        """The world that takes the place of `world`: as it was when it was made, but with the faults it has now."""
        await world.outbox.close()
        again = self._build(world.id, world.seed, world.faults)
        if world.id == DEFAULT:
            self.default = again
        else:
            self._worlds[world.id] = again
        return again

    async def drop(self, world: World) -> None:
        """Forget `world`, which must not be the default one."""
        del self._worlds[world.id]
        await world.outbox.close()

    async def close(self) -> None:
        """Drop what is under way in any world."""
        for world in (self.default, *self._worlds.values()):
            await world.outbox.close()

    def _build(self, world_id: str, seed: str, faults: Iterable[str]) -> World:
        clock = OffsetClock() if world_id == DEFAULT else FrozenClock()
        sender = self._make_sender(seed)
        return World(world_id, seed, clock, self.behaviours, faults, sender, beyond_loopback=self._beyond_loopback)
