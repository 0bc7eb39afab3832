"""What a subject does by itself is looked for soon, then less often, and shortly once it did not come in a minute."""

from datetime import timedelta
from itertools import count

import pytest

from conformance.clock import FrozenClock, SystemClock
from conformance.waiting.announcements import AnnouncedClock, announce
from conformance.waiting.looks import PATIENCE, Waits, pauses

WHAT = "a customer to be active"


def never(waits: Waits) -> tuple[int, float]:
    """How often is looked for what never comes, and for how many seconds."""
    clock, looks = FrozenClock(), count(1)
    began = clock.now()
    seen = waits.eventually(WHAT, clock, lambda: next(looks), lambda _: False)
    return seen, round((clock.now() - began).total_seconds(), 3)


def test_pauses_grow_from_a_fifth_of_a_second_and_last_a_minute() -> None:
    found = [pause.total_seconds() for pause in pauses(PATIENCE)]
    assert found[:4] == pytest.approx([0.2, 0.3, 0.45, 0.675])
    assert found == sorted(found[:-1]) + found[-1:]
    assert max(found) == 5
    assert sum(found) == pytest.approx(60)


def test_what_comes_at_once_is_not_waited_for() -> None:
    clock = FrozenClock()
    began = clock.now()
    assert Waits().eventually(WHAT, clock, lambda: 7, lambda seen: seen == 7) == 7
    assert clock.now() == began


def test_what_comes_is_seen_soon() -> None:
    clock = FrozenClock()
    comes = clock.now() + timedelta(seconds=1)
    seen = Waits().eventually(WHAT, clock, clock.now, lambda now: now >= comes)
    assert comes <= seen <= comes + timedelta(seconds=0.7)


def test_what_did_not_come_in_a_minute_is_waited_for_shortly() -> None:
    told: list[str] = []
    waits = Waits(learns=True, tell=told.append)
    assert [never(waits)[1] for _ in range(6)] == [60, 6, 3, 1.5, 1, 1]
    assert waits.short == {WHAT: 1}
    assert told == [
        "Waiting for a customer to be active, for 60 s at most.",
        "Waited a minute for a customer to be active in vain; from now on it is waited for less, 6 s at first.",
        "Waiting for a customer to be active, for 6 s at most.",
    ]


def test_what_comes_late_is_waited_for_long_enough_though_it_did_not_come_before() -> None:
    waits, clock = Waits(learns=True), FrozenClock()
    comes = clock.now() + timedelta(seconds=15)
    waits.eventually(WHAT, clock, clock.now, lambda now: now >= comes)
    assert [never(waits)[1] for _ in range(2)] == pytest.approx([60, waits.short[WHAT]], abs=0.01)
    assert 30 <= waits.short[WHAT] <= 40
    waits = Waits({WHAT: 6}, learns=True)
    comes = clock.now() + timedelta(seconds=4)
    waits.eventually(WHAT, clock, clock.now, lambda now: now >= comes)
    assert 8 <= waits.short[WHAT] <= 12


def test_it_is_learnt_of_that_alone_and_only_where_waiting_takes_time() -> None:
    waits = Waits()
    assert never(waits) == never(waits)
    assert waits.short == {}
    learning = Waits({"a customer to be listed": 6}, learns=True)
    assert never(learning)[1] == 60


def test_a_long_pause_of_the_machines_clock_is_told(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    waited: list[timedelta] = []
    monkeypatch.setattr(SystemClock, "advance", lambda _clock, duration: waited.append(duration))
    clock = AnnouncedClock("before the server is asked again")
    for seconds in (1, 20):
        clock.advance(timedelta(seconds=seconds))
    assert [each.total_seconds() for each in waited] == [1, 20]
    assert capfd.readouterr().err == "Waiting 20 s before the server is asked again.\n"


def test_nothing_is_told_where_nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.__stderr__", None)
    announce("Waiting.")


def test_the_longest_that_something_took_is_remembered() -> None:
    waits = Waits()
    assert waits.longest(WHAT) is None
    for seconds in (2, 6, 4):
        waits.note(WHAT, timedelta(seconds=seconds))
    assert waits.longest(WHAT) == timedelta(seconds=6)
    assert waits.longest("anything else") is None
