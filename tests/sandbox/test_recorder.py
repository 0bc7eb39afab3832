"""What a world was asked is asked again of another sandbox: which worlds can be, and what becomes of their webhooks."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from conformance.clock import FrozenClock
from conformance.offblocks import api
from conformance.offblocks.sandbox import OffBlocks
from conformance.sandbox.faults import Fault
from conformance.sandbox.lookups import overridden
from conformance.sandbox.recorder import Recording, RecordingApp, differing_worlds
from conformance.sandbox.remote import Control, World
from conformance.sandbox.server import RunningSandbox
from conformance.specification import Specification
from conformance.targets import Conditions
from conformance.targets.receiver import Receiver
from conformance.targets.sandbox import SandboxTarget


@pytest.fixture
def app() -> RecordingApp:
    return RecordingApp(api)


@pytest.fixture
def control(app: RecordingApp) -> Iterator[Control]:
    with RunningSandbox(app, "127.0.0.1", 0) as running:
        control = Control(running.origin)
        yield control
        control.close()


def ask(world: World, *senders: httpx.BaseTransport) -> None:
    """Ask a world for its customers, once by each sender."""
    for sender in senders:
        sender.handle_request(httpx.Request("GET", f"{world.base_urls['offblocks']}/v1/customers")).read()


def test_a_world_that_was_asked_over_one_connection_can_be_asked_again(app: RecordingApp, control: Control) -> None:
    world = World(control, "seed", "frozen")
    with httpx.HTTPTransport(verify=False) as sender:
        ask(world, sender, sender, sender)
    assert app.recordings["seed"].steady
    assert len(app.recordings["seed"].exchanges) == 4
    assert differing_worlds(api, (), app.recordings) == []
    assert differing_worlds(api, ("AcceptsMissingToken",), app.recordings) == ["seed"]
    assert differing_worlds(api, ("RefusesAccessWith403",), app.recordings) == ["seed"]
    assert differing_worlds(api, ("WritesTimesWithAnOffset", "AcceptsExpiredChallenge"), app.recordings) == []


def test_a_world_that_was_asked_over_two_connections_cannot(app: RecordingApp, control: Control) -> None:
    world, other = World(control, "seed", "frozen"), World(control, "other", "frozen")
    with httpx.HTTPTransport(verify=False) as one, httpx.HTTPTransport(verify=False) as two:
        ask(world, one, two)
        ask(other, two, two)
    assert differing_worlds(api, (), app.recordings) == ["seed"]


def test_calls_of_several_threads_are_never_taken_for_calls_of_one(app: RecordingApp, control: Control) -> None:
    target = SandboxTarget({"offblocks": Specification.load(api.specification)}, {"offblocks": control.origin})
    target.open(api)
    subject = target.subject(api, "offblocks/topic/name", Conditions(seed="0"))
    request = httpx.Request("GET", f"{subject.base_url}/v1/customers")
    subject.sender.handle_request(request).read()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: subject.sender.handle_request(request).read()).result()
    target.close()
    assert not app.recordings["0:offblocks/topic/name"].steady


def test_webhooks_are_recorded_with_what_was_answered_and_are_not_sent_again(
    app: RecordingApp, control: Control, make_world: Any, wallet: Any
) -> None:
    receiver = Receiver()
    mailbox = receiver.mailbox("offblocks/topic/name", FrozenClock())
    mailbox.answer_with(503, 302)
    with httpx.Client(trust_env=False) as http:
        world = make_world(http, control.origin, seed="seed")
        world.control("PUT", "/webhook", {"url": mailbox.url})
        world.client().create(wallet)
        world.advance(seconds=0)
    recorded = app.recordings["seed"].events
    assert [(event.address, event.follows, status) for event, status in recorded] == [
        (mailbox.url, False, 503),
        (mailbox.url, False, 302),
        (mailbox.url, False, 200),
    ]
    assert [event.body for event, _ in recorded] == [delivery.request.body for delivery in mailbox.received()]
    assert differing_worlds(api, (), app.recordings) == []
    assert differing_worlds(api, ("SendsEventsOnce",), app.recordings) == ["seed"]
    assert len(mailbox.received()) == 3
    receiver.close()


def test_a_world_uses_what_its_sandbox_looked_up(app: RecordingApp, control: Control) -> None:
    world = World(control, "seed", "frozen")
    with httpx.HTTPTransport(verify=False) as sender:
        ask(world, sender)
    recording = app.recordings["seed"]
    assert recording.uses(overridden(api, ("AcceptsMissingToken",)))
    assert not recording.uses(overridden(api, ("SendsEventsOnce",)))
    assert recording.uses(overridden(api, ("SendsEventsOnce", "AcceptsMissingToken")))


def test_what_a_world_looks_up_counts_from_its_start_though_it_was_reset(app: RecordingApp, control: Control) -> None:
    world = World(control, "seed", "frozen")
    with httpx.HTTPTransport(verify=False) as sender:
        ask(world, sender)
        httpx.post(f"{control.origin}/_sandbox/worlds/{app.recordings['seed'].world}/reset", trust_env=False)
        httpx.get(f"{control.origin}/_sandbox/worlds/{app.recordings['seed'].world}", trust_env=False)
    assert len(app.recordings["seed"].lookups) == 2
    assert app.recordings["seed"].uses(overridden(api, ("AcceptsMissingToken",)))


def test_a_change_of_how_anything_is_looked_up_may_concern_every_world(app: RecordingApp) -> None:
    class LooksUpOtherwise(Fault, OffBlocks):
        breaks = ("offblocks.challenge.expires-after-one-hour",)

        def __getattribute__(self, name: str) -> Any:
            return super().__getattribute__(name)

    assert overridden(api, (LooksUpOtherwise,)) is None
    assert Recording().uses(None)
    assert not Recording().uses(frozenset({"token"}))
