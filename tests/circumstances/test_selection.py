"""Every topic meets each level, and each two levels of different factors meet somewhere."""

from collections.abc import Sequence
from itertools import combinations

import pytest

from conformance.circumstances.levels import BY_NAME, LEVELS, Level, begins_anew, starts_at
from conformance.circumstances.selection import (
    Candidate,
    UnknownLevelError,
    all_rows,
    covering_rows,
    is_drawn,
    levels_named,
    row_name,
)

CANDIDATES = [
    *(Candidate(f"one/first/test_{number}") for number in range(9)),
    *(Candidate(f"one/second/test_{number}") for number in range(2)),
    Candidate("one/third/test", frozenset({"neighbours", "2038"})),
]
Rows = list[tuple[str, tuple[Level, ...]]]


def drawn(seed: str, candidates: Sequence[Candidate] = CANDIDATES) -> Rows:
    rows = covering_rows(candidates, seed)
    return [(test, levels) for test, found in rows.items() for levels in found]


@pytest.mark.parametrize("seed", ["0", "1", "a seed"])
def test_each_topic_meets_each_level_that_it_takes(seed: str) -> None:
    rows = drawn(seed)
    for topic, left_out in {"one/first": set(), "one/second": set(), "one/third": {"neighbours", "2038"}}.items():
        met = {level.name for test, levels in rows if test.startswith(f"{topic}/") for level in levels}
        assert met == {level.name for level in LEVELS if not {level.name, level.factor} & left_out}


@pytest.mark.parametrize("seed", ["0", "1"])
def test_each_two_levels_of_different_factors_meet(seed: str) -> None:
    rows = drawn(seed, [each for each in CANDIDATES if not each.senseless])
    met = {frozenset(pair) for _, levels in rows for pair in combinations([each.name for each in levels], 2)}
    wanted = {frozenset({one.name, other.name}) for one, other in combinations(LEVELS, 2) if one.factor != other.factor}
    assert wanted <= met


def test_a_row_has_one_level_of_a_factor() -> None:
    for _, levels in drawn("0"):
        factors = [level.factor for level in levels]
        assert len(factors) == len(set(factors))


def test_the_seed_alone_decides() -> None:
    assert drawn("0") == drawn("0")
    assert drawn("0") != drawn("1")


def test_the_scenarios_of_a_topic_take_turns() -> None:
    counted = [len(found) for test, found in covering_rows(CANDIDATES, "0").items() if test.startswith("one/first/")]
    assert len(counted) == 9
    assert max(counted) - min(counted) <= 1


@pytest.mark.parametrize("seed", ["0", "1"])
def test_a_scenario_that_lets_time_pass_begins_at_every_time_that_it_takes(seed: str) -> None:
    waiting = [Candidate(f"one/first/test_{number}", waits=True) for number in range(3)]
    choosy = Candidate("one/first/test_choosy", frozenset({"2038"}), waits=True)
    rows = covering_rows([*waiting, choosy, Candidate("one/second/test")], seed)
    starts = {level.name for level in LEVELS if level.starts_at}
    for candidate, wanted in ((choosy, starts - {"2038"}), *((each, starts) for each in waiting)):
        found = [levels for levels in rows[candidate.test] if levels[0].starts_at]
        assert {levels[0].name for levels in found} == wanted
    for candidate in waiting:
        names = [row_name(levels) for levels in rows[candidate.test] if levels[0].starts_at and len(levels) <= 2]
        assert len(names) >= len(starts)
        assert any(name.endswith("+read-first") for name in names)


def test_thorough_rows_have_every_scenario_meet_each_level_it_takes() -> None:
    rows = all_rows(CANDIDATES, "0")
    for candidate in CANDIDATES:
        met = {level.name for levels in rows[candidate.test] for level in levels}
        assert met == {level.name for level in LEVELS if candidate.takes(level)}


def test_no_scenario_gives_no_row() -> None:
    assert covering_rows([], "0") == {}
    assert all_rows([], "0") == {}


def test_a_name_gives_its_levels_again() -> None:
    levels = (BY_NAME["year-end"], BY_NAME["read-first"])
    assert row_name(levels) == "year-end+read-first"
    assert levels_named("year-end+read-first") == levels


def test_an_unknown_name_is_told_with_those_that_there_are() -> None:
    with pytest.raises(UnknownLevelError, match=r"no circumstance 'yaer-end'\. There are: midnight, .*year-end"):
        levels_named("midnight+yaer-end")


def test_drawn_tests_are_no_scenarios() -> None:
    assert is_drawn("one/properties/right_requests.create")
    assert is_drawn("one/sequences/calls")
    assert not is_drawn("one/first/sequences")


def test_what_a_world_needs_to_know_follows_from_the_levels() -> None:
    assert starts_at([BY_NAME["read-first"]]) is None
    assert starts_at([BY_NAME["read-first"], BY_NAME["leap-day"]]) == BY_NAME["leap-day"].starts_at
    assert begins_anew([BY_NAME["leap-day"], BY_NAME["done-before"]])
    assert not begins_anew([BY_NAME["leap-day"]])


def test_names_are_unique_and_say_something() -> None:
    assert len(BY_NAME) == len(LEVELS)
    for level in LEVELS:
        assert level.says
        assert "." not in level.name
