"""Faults of the sandbox are caught by the rules that they break and by no others; no variation is taken for one.

A fixed part of the matrix, which CI can afford at every change: for each rule the first fault that breaks it, with the
tests of the rules that it breaks, and each variation with the tests of its topic, together with others of its topic
that change something else; the matrix, and ``tox -e evidence``, try each alone. As in the matrix, the tests are
rehearsed once, and those to which a fault makes no difference are not run again. For each rule that a fault breaks the
quickest such scenario is run, the others if the rule still misses the fault, and last the tests that generate their
requests; full, all scenarios. All faults and variations of an API are tried in few sessions of pytest.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import pytest

from conformance.api import registered
from conformance.catalogue import Basis, Catalogue, Level, Party
from conformance.commands.rulebook import verified_rules
from conformance.matrix.judgement import Judgement, judge
from conformance.matrix.observation import (
    Rehearsal,
    differing_tests,
    is_generated,
    observe,
    observe_differing,
    rehearse,
)
from conformance.matrix.session import Observation
from conformance.matrix.verdicts import RuleVerdict, Verdicts
from conformance.sandbox.behaviour import declared_changes
from conformance.sandbox.faults import Fault, Variation
from conformance.verdicts import Verdict
from tests.conftest import SIZE

Kind = type[Fault] | type[Variation]

APIS = {api.name: api for api in registered().values() if api.sandbox}
CATALOGUES = {name: Catalogue.load(api.rules) for name, api in APIS.items()}
FAULTS = {
    (api.name, name): found
    for api in APIS.values()
    for name, found in declared_changes(api).items()
    if issubclass(found, Fault)
}
_ANYWHERE = [(key, fault) for key, fault in FAULTS.items() if not fault.__module__.endswith(".circumstance")]
_UNDER_CIRCUMSTANCES = [(key, fault) for key, fault in FAULTS.items() if fault.__module__.endswith(".circumstance")]
PROOFS = {(key[0], rule): key for key, fault in reversed([*_ANYWHERE, *_UNDER_CIRCUMSTANCES]) for rule in fault.breaks}
"""The first fault that breaks each rule; ``tests/circumstances`` tries those that show only under circumstances."""
VARIATIONS = {
    (api.name, name): found
    for api in APIS.values()
    for name, found in declared_changes(api).items()
    if issubclass(found, Variation)
}
ALONE = {
    "CutsFractionsOnReading",
    "RoundsTimesOnReading",
    "RenewsChallengesAMomentLate",
    "AnswersInitiatingPairWithTheSame",
}
"""Variations that rest on how others write times, renew challenges or answer duplicates."""


def overrides(variation: type[Variation]) -> set[str]:
    """The names of what a variation overrides."""
    return {name for name in vars(variation) if not name.startswith(("__", "_abc")) and name != "permits"}


def fits(variation: type[Variation], group: Sequence[type[Variation]]) -> bool:
    """Whether a variation can be tried together with the others of a group."""
    names = {each.__name__ for each in (variation, *group)}
    taken = {name for each in group for name in overrides(each)}
    return SIZE != "full" and names.isdisjoint(ALONE) and overrides(variation).isdisjoint(taken)


def together() -> Mapping[tuple[str, str], type[Variation]]:
    """The variations that are tried together, their names with a ``+`` between, and one of them for its topic."""
    groups: list[tuple[str, list[type[Variation]]]] = []
    for (api, _), variation in VARIATIONS.items():
        of_topic = (group for of, group in groups if of == api and topic(group[0]) == topic(variation))
        found = next((group for group in of_topic if fits(variation, group)), None)
        if found is None:
            groups.append((api, [variation]))
        else:
            found.append(variation)
    return {(api, "+".join(each.__name__ for each in group)): group[0] for api, group in groups}


def topic(change: Kind) -> str:
    """The topic of a fault or variation."""
    return change.__module__.rpartition(".")[2]


TOGETHER = together()
CHANGES: Mapping[tuple[str, str], Kind] = {
    **{fault: FAULTS[fault] for fault in FAULTS if fault in PROOFS.values()},
    **TOGETHER,
}
"""What is tried."""
BY_A_SETTING = {"offblocks.challenge.domain-expected"}
"""The rules that break only where a setting says what is expected; ``tests/offblocks/test_checks`` breaks them."""
FEW_EXAMPLES = 3
"""How many requests are generated of each operation, phase and mode at first."""
CATEGORIES = {"", *(f"F{number}" for number in (*range(100, 105), *range(200, 211)))}


@pytest.fixture(scope="module")
def selected(request: pytest.FixtureRequest) -> frozenset[str]:
    """The names of the faults and variations that this session of pytest tries; they are tried together."""
    return frozenset(
        str(item.callspec.params["name"])
        for item in request.session.items
        if isinstance(item, pytest.Function) and item.module is request.module and "name" in item.fixturenames
    )


@cache
def verified(api: str) -> Mapping[str, set[object]]:
    """The ids of the rules that each test can judge, by the id of the test."""
    return verified_rules(APIS[api])


@cache
def rehearsal(api: str, *, generated: bool) -> Rehearsal:
    """What the scenarios find of a sandbox as it is and ask it, or the tests that generate their requests."""
    tests = [test for test in verified(api) if is_generated(test) is generated]
    return rehearse(APIS[api], tests, examples=FEW_EXAMPLES)


def candidates(api: str, change: Kind) -> list[str]:
    """The ids of the scenarios that are tried: for a fault those of its rules, for a variation those of its topic."""
    wanted = (
        set(change.breaks)
        if issubclass(change, Fault)
        else {rule for rule in CATALOGUES[api] if rule.startswith(f"{api}.{topic(change)}.")}
    )
    return scenarios(api, wanted)


def quickest(api: str, change: Kind, tests: Sequence[str]) -> list[str]:
    """The ids of the scenarios that are tried first: for a fault the quickest that judges each of its rules."""
    if SIZE == "full" or not issubclass(change, Fault):
        return list(tests)
    rehearsed = rehearsal(api, generated=False).observation
    by_speed = sorted(tests, key=lambda test: rehearsed.seconds_by_test[test])
    first = (next((test for test in by_speed if rule in rehearsed.verdicts[test]), None) for rule in change.breaks)
    return [test for test in dict.fromkeys(first) if test is not None]


def observe_by_scenarios(api: str, changes: Mapping[str, Kind]) -> Iterator[tuple[str, Verdicts]]:
    """What the scenarios find with each; for a fault the quickest, and the others if a rule still misses it."""
    recordings = rehearsal(api, generated=False).recordings
    chosen = {name: candidates(api, change) for name, change in changes.items()}
    differing = {
        name: differing_tests(APIS[api], name, {test: recordings[test] for test in tests})
        for name, tests in chosen.items()
    }
    first = {name: quickest(api, changes[name], tests) for name, tests in differing.items()}
    found = {
        name: each.verdicts
        for name, each in observe(APIS[api], {name: tests for name, tests in first.items() if tests}).items()
    }
    others: dict[str, list[str]] = {}
    for name, change in changes.items():
        if issubclass(change, Fault):
            wanted = scenarios(api, judged(api, name, found.get(name, {}), generated=False).missed_by)
            others[name] = [test for test in differing[name] if test in wanted and test not in first[name]]
    further = observe(APIS[api], {name: tests for name, tests in others.items() if tests})
    for name in changes:
        yield name, {**found.get(name, {}), **(further[name].verdicts if name in further else {})}


@pytest.fixture(scope="module")
def by_scenarios(selected: frozenset[str]) -> Mapping[str, Verdicts]:
    """What the scenarios find with each fault and variation, those of an API in two sessions of pytest."""
    observed: dict[str, Verdicts] = {}
    for api in APIS:
        changes = {name: change for (of, name), change in CHANGES.items() if of == api and name in selected}
        observed |= dict(observe_by_scenarios(api, changes))
    return observed


def judged(api: str, name: str, found: Verdicts, *, generated: bool) -> Judgement:
    """What is decided of a fault, compared with the rehearsal of the scenarios, or of these and the generated tests."""
    right = rehearsal(api, generated=False).observation.verdicts
    if generated:
        right = {**right, **rehearsal(api, generated=True).observation.verdicts}
    return judge(FAULTS[api, name].breaks, found, right, CATALOGUES[api])


def generated_tests(api: str, rules: Iterable[str]) -> list[str]:
    """The ids of the tests that generate their requests and can judge one of these rules, the quickest first."""
    rehearsed = rehearsal(api, generated=True).observation
    judging = [test for test, found in rehearsed.verdicts.items() if found.keys() & set(rules)]
    return sorted(judging, key=lambda test: rehearsed.seconds_by_test[test])


def scenarios(api: str, rules: Iterable[str]) -> list[str]:
    """The ids of the scenarios that can judge one of these rules."""
    recorded = rehearsal(api, generated=False).recordings
    return [test for test in recorded if set(rules) & verified(api)[test.partition(".")[0]]]


@pytest.fixture(scope="module")
def by_few_requests(by_scenarios: Mapping[str, Verdicts]) -> Mapping[str, Observation]:
    """What few generated requests find with each fault that a rule misses by scenarios, again in one session an API."""
    observed: dict[str, Observation] = {}
    for api, implementation in APIS.items():
        faults = {name: found for name, found in by_scenarios.items() if (api, name) in FAULTS}
        missed = {name: judged(api, name, found, generated=False).missed_by for name, found in faults.items()}
        chosen = {name: generated_tests(api, rules) for name, rules in missed.items() if rules}
        if chosen:
            recordings = rehearsal(api, generated=True).recordings
            observed |= observe_differing(implementation, chosen, recordings, examples=FEW_EXAMPLES)
    return observed


@pytest.mark.parametrize(("api", "name"), [fault for fault in FAULTS if fault in PROOFS.values()])
def test_a_fault_is_caught_by_the_rules_that_it_breaks(
    api: str, name: str, by_scenarios: Mapping[str, Verdicts], by_few_requests: Mapping[str, Observation]
) -> None:
    found = by_scenarios[name]
    judgement = judged(api, name, found, generated=False)
    if judgement.missed_by:
        found = {**found, **by_few_requests[name].verdicts}
        judgement = judged(api, name, found, generated=True)
    further = []
    if judgement.missed_by:  # what a race has hidden shows when its scenario runs alone
        further = [*scenarios(api, judgement.missed_by), *generated_tests(api, judgement.missed_by)]
    while judgement.missed_by and further:  # each with as many requests as usual
        found = {**found, **observe(APIS[api], {name: [further.pop(0)]})[name].verdicts}
        judgement = judged(api, name, found, generated=True)
    assert judgement.missed_by == ()
    assert judgement.also == (), "rules that the fault does not claim to break"


def test_requests_at_once_are_judged_when_the_first_is_answered_before_the_next_is_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("conformance.parts.tenant.ThreadPoolExecutor", lambda _: ThreadPoolExecutor(1))
    test, fault = "offblocks/signing/of_two_signatures_at_once_one_succeeds", "BreaksOnEverySignature"
    found = observe(APIS["offblocks"], {fault: [test]})[fault].verdicts
    assert found[test]["offblocks.signing.concurrent-one-success"].plain is Verdict.FAIL


@pytest.mark.parametrize(
    ("fault", "test"),
    [
        ("CountsEverybodysFailures", "planbok/page/a_pin_like_the_right_one_completes_nothing"),
        ("KeepsTheLastResultAlone", "planbok/result/a_result_that_is_gone_stays_gone"),
    ],
)
def test_a_challenge_that_ends_early_is_no_error_of_the_suite(fault: str, test: str) -> None:
    found = observe(APIS["planbok"], {fault: [test]})[fault].verdicts[test]
    assert found
    assert not [rule for rule, verdict in found.items() if verdict.plain is Verdict.ERROR]


@pytest.mark.parametrize(("api", "name"), TOGETHER)
def test_variations_raise_no_alarm(api: str, name: str, by_scenarios: Mapping[str, Verdicts]) -> None:
    assert judge((), by_scenarios[name], {}, CATALOGUES[api]).alarms == ()


def test_every_variation_is_tried() -> None:
    assert sorted(VARIATIONS) == sorted((api, name) for api, names in TOGETHER for name in names.split("+"))


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
    assert musts - broken == BY_A_SETTING & musts


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
