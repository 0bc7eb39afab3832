"""Events as the reference sandbox sends them: what a world would have sent, had it a receiver."""

from collections.abc import Sequence
from http import HTTPStatus
from itertools import chain, count

from conformance.api import Api
from conformance.exchange import Headers
from conformance.receivers.receiving import Receiving
from conformance.sandbox.world import Worlds

_NOWHERE = "http://127.0.0.1/"
"""Where the events of the world go: their sender only keeps them."""


class _Keeper:
    """Keeps events instead of sending them."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    async def send(self, address: str, body: bytes, headers: Headers, *, follow_redirects: bool) -> int:  # noqa: ARG002
        """Keep an event."""
        self.bodies.append(body)
        return HTTPStatus.OK

    async def close(self) -> None:
        """Nothing is open."""


async def events_of(api: Api, receiving: Receiving, seed: str, named: Sequence[str], enough: int) -> list[list[bytes]]:
    """The events that the sandbox of an API sends about customers, in order, by customer.

    Args:
        api: The API.
        receiving: What brings its events about.
        seed: What all ids in them are drawn from.
        named: What the first customers are called.
        enough: How many events there are to be of further customers, at least.
    """
    keeper = _Keeper()
    world = Worlds([api], seed, (), beyond_loopback=False, make_sender=lambda _: keeper).default
    world.outbox.address = world.outbox.check(_NOWHERE)
    found: list[list[bytes]] = []
    names = chain(named, (f"customer {number}" for number in count(1)))
    while sum(map(len, found[len(named) :])) < enough:
        name = next(names)
        keeper.bodies = []
        await receiving.journey(world.services[api.name], name)
        await world.outbox.flush()
        found.append(keeper.bodies)
    await world.outbox.close()
    return found
