"""There are as many faults and variations as were asked for, each says what it is, and each API has its own."""

import pytest

from conformance.api import registered
from conformance.sandbox.behaviour import declared_changes
from conformance.sandbox.faults import BehaviourChange, Fault, Variation

CHANGES = [(api.name, name, found) for api in registered().values() for name, found in declared_changes(api).items()]
LEAST_FAULTS = 150
LEAST_VARIATIONS = 60


def test_there_are_enough_faults_and_variations() -> None:
    assert sum(issubclass(found, Fault) for _, _, found in CHANGES) >= LEAST_FAULTS
    assert sum(issubclass(found, Variation) for _, _, found in CHANGES) >= LEAST_VARIATIONS


def test_every_name_is_given_once() -> None:
    names = [name for _, name, _ in CHANGES]
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize(("api", "name", "found"), CHANGES, ids=[name for _, name, _ in CHANGES])
def test_a_fault_says_what_it_breaks_and_a_variation_what_permits_it(
    api: str, name: str, found: BehaviourChange
) -> None:
    assert (found.__doc__ or "").strip().endswith((".", "?"))
    if issubclass(found, Fault):
        assert found.breaks
        assert all(rule.startswith(f"{api}.") for rule in found.breaks), name
    else:
        assert found.permits.endswith("."), name
