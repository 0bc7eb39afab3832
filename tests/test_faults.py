"""Faults of the sandbox are caught by the rules that they break and by no others; no variation is taken for one.

A fixed part of the matrix, which CI can afford at every change: for each rule the first fault that breaks it, with the
tests of the rules that it breaks, and each variation with the tests of its topic.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib import import_module
from itertools import chain

import pytest

from conformance.api import registered
from conformance.catalogue import Basis, Catalogue, Level, Party
from conformance.commands.rulebook import verified_rules
from conformance.matrix import Said, Seen, is_generated, judge, observe, observe_differing, rehearse, said_in
from conformance.run import Options, run
from conformance.sandbox.behaviour import declared_changes
from conformance.sandbox.faults import Fault, Variation
from conformance.sandbox.recorder import Recording
from conformance.verdicts import Verdict

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
CATEGORIES = {"", *(f"F{number}" for number in (*range(100, 105), *range(200, 211)))}
ALARMS = {Verdict.ERROR, Verdict.FAIL, Verdict.WARN, Verdict.BLOCKED}


@cache
def judging(api: str) -> dict[str, list[str]]:
    """The ids of the tests that can judge each rule."""
    verified = verified_rules(APIS[api])
    return {rule: [test for test, rules in verified.items() if rule in rules] for rule in CATALOGUES[api]}


def written(api: str, rules: Iterable[str]) -> tuple[str, ...]:
    """The ids of the tests that can judge these rules and generate nothing."""
    return tuple(dict.fromkeys(test for rule in rules for test in judging(api)[rule] if not is_generated(test)))


def generated(api: str, rules: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """The ids of the tests that generate their requests, those first that are marked with one of these rules.

    Then those of the first and of the last operations: what no scenario shows of a fault is mostly theirs.
    """
    every = dict.fromkeys(test for tests in judging(api).values() for test in tests if is_generated(test))
    operations: dict[str, tuple[str, ...]] = import_module(f"conformance.{api}.generated_checks").SHOWN
    of_an_operation = {each: tuple(f"{test}.{each}" for test in every if "/properties/" in test) for each in operations}
    walks = [(test,) for test in every if "/sequences/" in test]
    first = [walk for walk in walks if any(walk[0] in judging(api)[rule] for rule in rules)]
    marked = [tests for each, tests in of_an_operation.items() if set(operations[each]) & set(rules)]
    from_both_ends = chain.from_iterable(zip(of_an_operation.values(), reversed(of_an_operation.values()), strict=True))
    yield from dict.fromkeys([*first, *marked, *from_both_ends, *walks])


@cache
def rehearsal(api: str) -> Said:
    """What all tests that generate nothing say of a sandbox as it is, as it was recorded."""
    tests = written(api, CATALOGUES[api])
    return said_in(run(Options((api,), tests=tests)), CATALOGUES[api])


@cache
def asked(api: str, topic: str) -> Mapping[str, Recording]:
    """What the tests that can judge the rules of a topic ask of a sandbox as it is, if they generate nothing."""
    rules = [rule for rule in CATALOGUES[api] if rule.startswith(f"{api}.{topic}.")]
    return rehearse(APIS[api], written(api, rules)).recordings


@cache
def generated_rehearsal(api: str, tests: tuple[str, ...]) -> Said:
    """What tests that generate their requests say of a sandbox as it is."""
    return observe(APIS[api], None, tests=tests).said


def said(api: str, name: str, tests: tuple[str, ...]) -> Said:
    """What tests say of a sandbox that departs."""
    return observe(APIS[api], name, tests=tests).said if tests else {}


@pytest.mark.parametrize(("api", "name"), [fault for fault in FAULTS if fault in PROOFS.values()])
def test_a_fault_is_caught_by_the_rules_that_it_breaks(api: str, name: str) -> None:
    catalogue, breaks, right = CATALOGUES[api], FAULTS[api, name].breaks, rehearsal(api)
    found = said(api, name, written(api, breaks))
    judgement = judge(breaks, found, right, catalogue)
    for tests in generated(api, judgement.silent):
        if not judgement.silent:
            break
        found, right = {**found, **said(api, name, tests)}, {**right, **generated_rehearsal(api, tests)}
        judgement = judge(breaks, found, right, catalogue)
    assert judgement.silent == ()
    assert judgement.also == (), "rules that the fault does not claim to break"


@pytest.mark.parametrize(("api", "name"), VARIATIONS)
def test_a_variation_raises_no_alarm(api: str, name: str) -> None:
    topic = VARIATIONS[api, name].__module__.rpartition(".")[2]
    found = observe_differing(APIS[api], name, asked(api, topic)).said
    assert judge((), found, {}, CATALOGUES[api]).alarms == ()


@pytest.mark.parametrize("api", APIS)
def test_a_sandbox_as_it_is_raises_no_alarm(api: str) -> None:
    rules = run(Options((api,), "sandbox", examples=3))["rules"]
    assert {rule["id"]: rule["verdict"] for rule in rules if rule["verdict"] in ALARMS} == {}


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
    assert judge((), {"a": {next(iter(catalogue)): Seen()}}, {}, catalogue).alarms == ()
