"""Faults of the sandbox are caught by the rules that they break and by no others; no variation is taken for one.

A fixed part of the matrix, which CI can afford at every change: for each rule the first fault that breaks it, with the
tests of the rules that it breaks, and each variation with the tests of its topic. As in the matrix, the tests are
rehearsed once, those to which a fault makes no difference are not run again, and tests that generate their requests are
run if a rule still misses the fault.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache

import pytest

from conformance.api import registered
from conformance.catalogue import Basis, Catalogue, Level, Party
from conformance.commands.rulebook import verified_rules
from conformance.matrix.judgement import judge
from conformance.matrix.observation import Rehearsal, is_generated, observe, observe_differing, rehearse
from conformance.matrix.session import Observation
from conformance.matrix.verdicts import RuleVerdict, Verdicts
from conformance.sandbox.behaviour import declared_changes
from conformance.sandbox.faults import Fault, Variation

Kind = type[Fault] | type[Variation]

APIS = {api.name: api for api in registered().values() if api.sandbox}
CATALOGUES = {name: Catalogue.load(api.rules) for name, api in APIS.items()}
FAULTS = {
    (api.name, name): found
    for api in APIS.values()
    for name, found in declared_changes(api).items()
    if issubclass(found, Fault)
}
PROOFS = {(api, rule): (api, name) for (api, name), fault in reversed(FAULTS.items()) for rule in fault.breaks}
"""The first fault that breaks each rule."""
VARIATIONS = {
    (api.name, name): found
    for api in APIS.values()
    for name, found in declared_changes(api).items()
    if issubclass(found, Variation)
}
CHANGES: Mapping[tuple[str, str], Kind] = {
    **{fault: FAULTS[fault] for fault in FAULTS if fault in PROOFS.values()},
    **VARIATIONS,
}
"""What is tried."""
FEW_EXAMPLES = 3
"""How many requests are generated of each operation, phase and mode at first."""
CATEGORIES = {"", *(f"F{number}" for number in (*range(100, 105), *range(200, 211)))}


def topic_of(change: Kind) -> str:
    """The topic of a fault or variation, which is the name of its module."""
    return change.__module__.rpartition(".")[2]


@cache
def verified(api: str) -> Mapping[str, set[object]]:
    """The ids of the rules that each test can judge, by the id of the test."""
    return verified_rules(APIS[api])


@cache
def rehearsal(api: str, *, generated: bool) -> Rehearsal:
    """What the scenarios find of a sandbox as it is and ask it, or the tests that generate their requests."""
    tests = [test for test in verified(api) if is_generated(test) is generated]
    return rehearse(APIS[api], tests, examples=FEW_EXAMPLES)


def scenarios(api: str, rules: Iterable[str]) -> list[str]:
    """The ids of the scenarios that can judge these rules."""
    wanted = set(rules)
    recorded = rehearsal(api, generated=False).recordings
    return [test for test in recorded if wanted & verified(api)[test.partition(".")[0]]]


def candidates(api: str, change: Kind) -> list[str]:
    """The ids of the scenarios that are tried: for a fault those of its rules, for a variation those of its topic."""
    if issubclass(change, Fault):
        return scenarios(api, change.breaks)
    return scenarios(api, (rule for rule in CATALOGUES[api] if rule.startswith(f"{api}.{topic_of(change)}.")))


@cache
def observed(api: str, topic: str, kind: Kind) -> Mapping[str, Observation]:
    """What the scenarios find with each of the faults or variations of a topic, all in one session of pytest."""
    chosen = {
        name: candidates(api, change)
        for (of, name), change in CHANGES.items()
        if of == api and topic_of(change) == topic and issubclass(change, kind)
    }
    return observe_differing(APIS[api], chosen, rehearsal(api, generated=False).recordings)


def generated_observations(api: str, name: str, rules: Iterable[str]) -> Iterator[Verdicts]:
    """What the tests that generate their requests and can judge one of these rules find with a fault.

    First those that differ with few requests, then each with as many as usual, the quickest first.
    """
    rehearsed = rehearsal(api, generated=True)
    judging = [test for test, found in rehearsed.observation.verdicts.items() if found.keys() & set(rules)]
    differing = observe_differing(APIS[api], {name: judging}, rehearsed.recordings, examples=FEW_EXAMPLES)
    yield differing[name].verdicts
    for test in sorted(judging, key=lambda test: rehearsed.observation.seconds_by_test[test]):
        yield observe(APIS[api], {name: [test]})[name].verdicts


@pytest.mark.parametrize(("api", "name"), [fault for fault in FAULTS if fault in PROOFS.values()])
def test_a_fault_is_caught_by_the_rules_that_it_breaks(api: str, name: str) -> None:
    fault, catalogue = FAULTS[api, name], CATALOGUES[api]
    found = observed(api, topic_of(fault), Fault)[name].verdicts
    right = rehearsal(api, generated=False).observation.verdicts
    judgement = judge(fault.breaks, found, right, catalogue)
    if judgement.missed_by:
        right = {**right, **rehearsal(api, generated=True).observation.verdicts}
        for more in generated_observations(api, name, judgement.missed_by):
            found = {**found, **more}
            judgement = judge(fault.breaks, found, right, catalogue)
            if not judgement.missed_by:
                break
    assert judgement.missed_by == ()
    assert judgement.also == (), "rules that the fault does not claim to break"


@pytest.mark.parametrize(("api", "name"), VARIATIONS)
def test_a_variation_raises_no_alarm(api: str, name: str) -> None:
    found = observed(api, topic_of(VARIATIONS[api, name]), Variation)[name]
    assert judge((), found.verdicts, {}, CATALOGUES[api]).alarms == ()


@pytest.mark.parametrize("generated", [False, True], ids=["scenarios", "generated"])
@pytest.mark.parametrize("api", APIS)
def test_a_sandbox_as_it_is_raises_no_alarm(api: str, *, generated: bool) -> None:
    found = rehearsal(api, generated=generated).observation
    assert judge((), found.verdicts, {}, CATALOGUES[api]).alarms == ()
    assert {test.partition(".")[0] for test in found.verdicts} == {
        test for test in verified(api) if is_generated(test) is generated
    }


@pytest.mark.parametrize("api", APIS)
def test_every_must_is_broken_by_a_fault(api: str) -> None:
    broken = {rule for (of, _), fault in FAULTS.items() if of == api for rule in fault.breaks}
    musts = {
        rule.id
        for rule in CATALOGUES[api].values()
        if rule.party is Party.PROVIDER and rule.level is Level.MUST and rule.basis is not Basis.CONTRADICTED
    }
    assert musts - broken == set()


@pytest.mark.parametrize("api", APIS)
def test_every_fault_names_rules_that_exist(api: str) -> None:
    broken = {rule for (of, _), fault in FAULTS.items() if of == api for rule in fault.breaks}
    assert broken - set(CATALOGUES[api]) == set()


def test_every_category_is_one_of_webfuzzing_commons() -> None:
    assert {fault.category for fault in FAULTS.values()} <= CATEGORIES


def test_no_two_departures_have_the_same_name() -> None:
    names = [name for _, name in (*FAULTS, *VARIATIONS)]
    assert len(set(names)) == len(names), {name for name in names if names.count(name) > 1}


def test_a_rule_that_was_not_judged_is_no_alarm() -> None:
    catalogue = CATALOGUES["offblocks"]
    assert judge((), {"a": {next(iter(catalogue)): RuleVerdict()}}, {}, catalogue).alarms == ()
