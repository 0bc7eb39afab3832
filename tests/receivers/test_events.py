"""Events are brought about as the sandbox sends them: each kind of an API, fresh by the seed, and as described."""

import asyncio
import json

import pytest

from conformance.api import Api, registered
from conformance.ids import Ids
from conformance.receivers.cases import CUSTOMERS, Stock
from conformance.receivers.events import events_of
from conformance.specification import Specification

APIS = [pytest.param(api, id=name) for name, api in registered().items() if api.receiving is not None]


def events(api: Api, seed: str) -> list[list[bytes]]:
    assert api.receiving is not None
    return asyncio.run(events_of(api, api.receiving, seed, CUSTOMERS, 4))


@pytest.mark.parametrize("api", APIS)
def test_each_event_that_the_description_has_is_sent_and_fits_its_schema(api: Api) -> None:
    assert api.receiving is not None
    specification = Specification.load(api.specification)
    kinds = {api.receiving.label(body).partition(" ")[0] for body in events(api, "1")[0]}
    assert len(kinds) == len(specification.webhooks)


@pytest.mark.parametrize("api", APIS)
def test_another_seed_gives_other_ids(api: Api) -> None:
    first, again, other = (events(api, seed) for seed in ("1", "1", "2"))
    name = "eventId" if api.name == "offblocks" else "idempotencyKey"
    ids = [[json.loads(body)[name] for each in found for body in each] for found in (first, again, other)]
    assert ids[0] == ids[1]
    assert set(ids[0]).isdisjoint(ids[2])
    assert len(set(ids[0])) == len(ids[0])


@pytest.mark.parametrize("api", APIS)
def test_a_stock_never_ends_and_gives_nothing_twice(api: Api) -> None:
    assert api.receiving is not None
    bodies = events(api, "1")[3]
    stock = Stock(api.receiving, bodies, Ids("stock"))
    stock.taken = {api.receiving.label(body) for body in bodies}
    given = [next(stock) for _ in range(3 * len(bodies))]
    assert len(set(given)) == len(given)
    assert {api.receiving.label(body) for body in given} == stock.taken
