"""What happens around the steps of a scenario."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar

import pytest

from conformance.circumstances.application import USUAL, Circumstances, WaitingClock
from conformance.circumstances.company import View, changes
from conformance.circumstances.items import fewest
from conformance.circumstances.levels import BY_NAME, Level
from conformance.clock import EPOCH_OF_WORLDS, FrozenClock
from conformance.exchange import Exchange, Request, Response
from conformance.findings import Finding, judged
from conformance.scenario import StepFailedError, recording

Doings = list[str]
Done = TypeVar("Done")


def an_exchange(status: int = 201, key: str | None = "a key", breaks: frozenset[str] = frozenset()) -> Exchange:
    headers = (("Idempotency-Key", key),) if key else ()
    request = Request(headers, b"", "POST", "http://one.example/v1/things")
    return Exchange("#1", None, "first", EPOCH_OF_WORLDS, 0.0, request, Response(status=status), breaks)


@dataclass
class Others:
    """A company that tells what it does, and fails if asked to."""

    doings: Doings
    fails: bool = False

    def populate(self) -> None:
        self.doings.append("populate")

    def step(self, identity: str) -> None:
        self.doings.append(f"step of {identity}")
        if self.fails:
            raise StepFailedError("It was not to be.")

    def read_everything(self) -> None:
        self.doings.append("read")

    def begin_everything(self) -> None:
        self.doings.append("begin")

    def look(self) -> View:
        self.doings.append("look")
        return {"looks": self.doings.count("look")}

    def judge_change(self, exchange: Exchange, before: View, after: View) -> Sequence[Finding]:
        changed = ", ".join(changes(before, after))
        return [judged("a.rule", held=not changed, where="", expected="", got=changed, exchange=exchange)]

    def watch(self, visit: Callable[[], Done]) -> Done:
        self.doings.append("watch")
        return visit()

    def has_key(self, exchange: Exchange) -> bool:
        return exchange.request.header("Idempotency-Key") is not None

    def crowd(self) -> Sequence[Callable[[], object]]:
        return [lambda: self.doings.append("crowd")] * 7


@dataclass
class Scenario:
    """Whoever takes the steps."""

    doings: Doings = field(default_factory=list)
    clock: FrozenClock = field(default_factory=FrozenClock)

    def renew_credentials(self) -> None:
        self.doings.append("renew")

    def under(self, *names: str, fails: bool = False) -> Circumstances:
        return Circumstances([BY_NAME[name] for name in names], lambda: Others(self.doings, fails))

    def take_step(self, circumstances: Circumstances, exchange: Exchange, method: str = "POST") -> Exchange:
        def send() -> Exchange:
            self.doings.append("own")
            return exchange

        return circumstances.take_step(self, method, send)


@pytest.fixture
def scenario() -> Scenario:
    return Scenario()


def test_usually_nothing_else_happens(scenario: Scenario) -> None:
    scenario.take_step(USUAL, an_exchange())
    assert scenario.doings == ["own"]


def test_others_come_before_the_first_step_and_do_something_before_each(scenario: Scenario) -> None:
    circumstances = scenario.under("many-customers", "stranger", "read-first", "new-token")
    for _ in range(2):
        scenario.take_step(circumstances, an_exchange())
    before = ["step of second", "read", "renew"]
    assert scenario.doings == ["populate", *before, "own", *before, "own"]


def test_what_fails_there_is_not_the_scenarios(scenario: Scenario) -> None:
    scenario.take_step(scenario.under("neighbour", fails=True), an_exchange())
    assert scenario.doings == ["step of first", "own"]


def test_time_passes_between_the_steps(scenario: Scenario) -> None:
    scenario.take_step(scenario.under("unhurried"), an_exchange())
    assert scenario.clock.now() - EPOCH_OF_WORLDS == timedelta(milliseconds=70)


@pytest.mark.parametrize(
    ("exchange", "times"),
    [
        (an_exchange(), 2),
        (an_exchange(status=400), 1),
        (an_exchange(key=None), 1),
        (an_exchange(breaks=frozenset({"a.client.rule"})), 1),
    ],
    ids=["succeeded", "refused", "without a key", "wrong on purpose"],
)
def test_what_succeeded_under_a_key_is_sent_twice(scenario: Scenario, exchange: Exchange, times: int) -> None:
    assert scenario.take_step(scenario.under("sent-twice"), exchange) is exchange
    assert scenario.doings == ["own"] * times


def test_a_change_is_sent_among_seven_others_and_a_reading_alone(scenario: Scenario) -> None:
    circumstances, exchange = scenario.under("crowd"), an_exchange()
    assert scenario.take_step(circumstances, exchange) is exchange
    assert sorted(scenario.doings) == ["crowd"] * 7 + ["own"]
    scenario.doings.clear()
    scenario.take_step(circumstances, exchange, method="GET")
    assert scenario.doings == ["own"]


def test_what_is_sent_at_once_is_left_alone(scenario: Scenario) -> None:
    circumstances = scenario.under("neighbour")
    with circumstances.pause():
        scenario.take_step(circumstances, an_exchange())
    assert scenario.doings == ["own"]


def test_all_is_read_half_way_through_a_wait(scenario: Scenario) -> None:
    circumstances = scenario.under("read-first")
    scenario.take_step(circumstances, an_exchange())
    clock = WaitingClock(scenario.clock, circumstances)
    clock.advance(timedelta(seconds=2))
    assert scenario.doings == ["read", "own"]
    clock.advance(timedelta(hours=1))
    assert scenario.doings == ["read", "own", "read"]
    assert clock.now() - EPOCH_OF_WORLDS == timedelta(hours=1, seconds=2)


def test_a_visit_at_a_page_is_watched(scenario: Scenario) -> None:
    def visit() -> str:
        scenario.doings.append("visit")
        return "done"

    assert scenario.under("neighbour", "watched").take_visit(scenario, visit) == "done"
    assert scenario.doings == ["step of first", "watch", "visit"]


def test_a_visit_is_usually_only_that(scenario: Scenario) -> None:
    assert USUAL.take_visit(scenario, lambda: "done") == "done"


def test_what_changes_by_a_step_is_judged(scenario: Scenario) -> None:
    with recording(()) as record:
        scenario.take_step(scenario.under("watched"), an_exchange())
    assert scenario.doings == ["look", "own", "look"]
    assert [finding.got for finding in record.findings] == ["looks"]


def named(*names: str) -> list[Level]:
    return [BY_NAME[name] for name in names]


@pytest.mark.parametrize(
    "needed", [{"leap-day"}, {"leap-day", "crowd"}, {"read-first", "crowd", "new-token"}, {"leap-day", "read-first"}]
)
def test_the_fewest_levels_that_show_something_are_found(needed: set[str]) -> None:
    levels = named("leap-day", "read-first", "crowd", "new-token")
    found = fewest(levels, lambda some: needed <= {level.name for level in some})
    assert {level.name for level in found} == needed
