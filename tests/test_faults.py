"""Each fault of the sandbox is caught by the rules that it breaks and by no others; no variation is taken for one.

A fixed part of the matrix, which CI can afford at every change: for each fault the tests of the rules that it breaks.
"""

from collections.abc import Iterable, Sequence
from functools import cache

import pytest

from conformance.api import registered
from conformance.catalogue import Basis, Catalogue, Level, Party
from conformance.matrix import Said, Seen, is_generated, judge, observe, together
from conformance.rulebook import verifying_tests
from conformance.sandbox.faults import Fault, Variation, departures
from conformance.verdicts import Verdict

APIS = {api.name: api for api in registered().values() if api.has("sandbox")}
CATALOGUES = {name: Catalogue.load(api.rules) for name, api in APIS.items()}
FAULTS = {
    (api.name, name): found
    for api in APIS.values()
    for name, found in departures(api).items()
    if issubclass(found, Fault)
}
VARIATIONS = {
    (api.name, name): found
    for api in APIS.values()
    for name, found in departures(api).items()
    if issubclass(found, Variation)
}
CATEGORIES = {"", *(f"F{number}" for number in (*range(100, 105), *range(200, 211)))}
ALARMS = {Verdict.ERROR, Verdict.FAIL, Verdict.WARN, Verdict.BLOCKED}


@cache
def judging(api: str) -> dict[str, list[str]]:
    """The ids of the tests that can judge each rule."""
    return {rule: verifying_tests(APIS[api], rule) for rule in CATALOGUES[api]}


def said(api: str, name: str | None, rules: Iterable[str], *, generated: bool) -> Said:
    """What tests say: those that generate their requests, which may judge any rule, or the others of these rules."""
    told = judging(api) if generated else rules
    tests = dict.fromkeys(test for rule in told for test in judging(api)[rule] if is_generated(test) is generated)
    return observe(APIS[api], name, tests=tuple(tests)).said if tests else {}


@cache
def right(api: str, rules: Sequence[str], *, generated: bool) -> Said:
    """What they say of a sandbox as it is."""
    return said(api, None, rules, generated=generated)


@pytest.mark.parametrize(("api", "name"), FAULTS)
def test_a_fault_is_caught_by_the_rules_that_it_breaks(api: str, name: str) -> None:
    catalogue, breaks = CATALOGUES[api], FAULTS[api, name].breaks
    found, before = said(api, name, breaks, generated=False), right(api, breaks, generated=False)
    judgement = judge(breaks, found, before, catalogue)
    if judgement.silent:
        alone = judgement.silent
        found = {**found, **said(api, name, alone, generated=True)}
        judgement = judge(breaks, found, {**before, **right(api, alone, generated=True)}, catalogue)
    assert judgement.silent == ()
    assert judgement.also == (), "rules that the fault does not claim to break"


@pytest.mark.parametrize(("api", "name"), VARIATIONS)
def test_a_variation_raises_no_alarm(api: str, name: str) -> None:
    topic = VARIATIONS[api, name].__module__.rpartition(".")[2]
    rules = [rule for rule in CATALOGUES[api] if rule.startswith(f"{api}.{topic}.")]
    assert judge((), said(api, name, rules, generated=False), {}, CATALOGUES[api]).alarms == ()


@pytest.mark.parametrize("api", APIS)
def test_a_sandbox_as_it_is_raises_no_alarm(api: str) -> None:
    found = together(observe(APIS[api], None).said)
    assert {rule: seen for rule, seen in found.items() if seen.plain in ALARMS} == {}


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
