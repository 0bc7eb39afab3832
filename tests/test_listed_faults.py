"""There are as many faults and variations as were asked for, each says what it is, and each name is given once.

That a fault names rules and a variation what permits it is checked when its class is made; that the rules are those of
its API, by tests/test_faults.py.
"""

from typing import Any

import pytest

from conformance.api import registered
from conformance.sandbox.behaviour import declared_changes
from conformance.sandbox.faults import Fault, Variation

CHANGES = [(name, found) for api in registered().values() for name, found in declared_changes(api).items()]
LEAST_FAULTS = 150
LEAST_VARIATIONS = 60


def test_there_are_enough_faults_and_variations() -> None:
    assert sum(issubclass(found, Fault) for _, found in CHANGES) >= LEAST_FAULTS
    assert sum(issubclass(found, Variation) for _, found in CHANGES) >= LEAST_VARIATIONS


def test_every_name_is_given_once() -> None:
    names = [name for name, _ in CHANGES]
    assert sorted(names) == sorted(set(names))


def test_each_says_in_sentences_what_it_does() -> None:
    assert [name for name, found in CHANGES if not (found.__doc__ or "").strip().endswith((".", "?"))] == []


def test_each_is_either_a_fault_or_a_variation() -> None:
    assert [name for name, found in CHANGES if issubclass(found, Fault) == issubclass(found, Variation)] == []


def test_a_variation_says_in_sentences_what_permits_it() -> None:
    permits = {name: found.permits for name, found in CHANGES if issubclass(found, Variation)}
    assert [name for name, sentence in permits.items() if not sentence.endswith(".")] == []


@pytest.mark.parametrize("members", [{}, {"breaks": ()}, {"breaks": "offblocks.a.b"}, {"breaks": ("offblocks.a.b", 7)}])
def test_a_fault_that_names_no_rules_is_refused_when_it_is_made(members: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="The fault AcceptsAll must name the rules that it breaks in a tuple"):
        type("AcceptsAll", (Fault,), members)


@pytest.mark.parametrize("members", [{}, {"permits": " "}, {"permits": ("Nothing is said of it.",)}])
def test_a_variation_that_does_not_say_what_permits_it_is_refused_when_it_is_made(members: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="The variation TakesItsTime must say which sentence or silence"):
        type("TakesItsTime", (Variation,), members)


def test_a_base_of_faults_need_not_break_anything_but_a_fault_made_from_it_must() -> None:
    class Base(Fault, abstract=True):
        pass

    class Breaks(Base):
        breaks = ("offblocks.a.b",)

    class BreaksToo(Breaks):
        pass

    assert BreaksToo.breaks == ("offblocks.a.b",)
    with pytest.raises(TypeError, match="The fault BreaksNothing must name the rules"):
        type("BreaksNothing", (Base,), {})
