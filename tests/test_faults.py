"""Each fault of the sandbox is caught by the rules that it breaks and by no others; no variation is taken for one."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pytest

from conformance.api import Api, registered
from conformance.catalogue import Basis, Catalogue, Level, Party
from conformance.run import Options, run
from conformance.sandbox.faults import Fault, Variation, departures
from conformance.sandbox.server import start
from conformance.specification import Specification
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
WORST_FIRST = tuple(Verdict)
OF_A_BROKEN_RULE = {Level.MUST: Verdict.FAIL, Level.SHOULD: Verdict.WARN, Level.MAY: Verdict.NOTE}
ALARMS = {Verdict.ERROR, Verdict.FAIL, Verdict.WARN, Verdict.BLOCKED}


@dataclass
class Judgement:
    """What a run said, as a listener hears it: of all rules that its tests touched, not only of those it was for."""

    verdicts: dict[str, Verdict] = field(default_factory=dict)
    readings: dict[str, set[str | None]] = field(default_factory=dict)

    def began(self, tests: int) -> None:
        pass

    def ended(self, test: str, verdicts: Mapping[str, Verdict], seconds: float) -> None:
        for rule, verdict in verdicts.items():
            self.verdicts[rule] = min(verdict, self.verdicts.get(rule, verdict), key=WORST_FIRST.index)

    def learn(self, results: dict[str, Any]) -> None:
        for rule in results["rules"]:
            self.readings[rule["id"]] = {finding["reading"] for finding in rule["findings"]}


@pytest.fixture(autouse=True, scope="module")
def read_once() -> Iterator[None]:
    """Catalogues and specifications are read once, not by each of some hundred runs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Catalogue, "load", cache(Catalogue.load))
        patch.setattr(Specification, "load", cache(Specification.load))
        yield


def judged(api: Api, departure: str | None, *, rule: tuple[str, ...] = (), strict: bool) -> Judgement:
    """What the suite says of a sandbox with this fault or variation."""
    judgement = Judgement()
    with start(faults=[departure] if departure else [], apis=[api]) as sandbox:
        base_urls = {api.name: f"{sandbox.origin}/{api.name}"}
        options = Options(apis=(api.name,), target="sandbox", base_urls=base_urls, rule=rule, strict=strict)
        judgement.learn(run(options, judgement))
    return judgement


@pytest.fixture(scope="module", params=APIS)
def right(request: pytest.FixtureRequest) -> tuple[str, Judgement]:
    """An API, and what the suite says of its sandbox as it is, inferred rules counting as their level says."""
    return request.param, judged(APIS[request.param], None, strict=True)


@cache
def right_readings(api: str, rules: tuple[str, ...]) -> Mapping[str, set[str | None]]:
    """The readings of these rules that the suite sees in a sandbox as it is."""
    return judged(APIS[api], None, rule=rules, strict=True).readings


@pytest.mark.parametrize(("api", "name"), FAULTS)
def test_a_fault_is_caught_by_the_rules_that_it_breaks(api: str, name: str) -> None:
    catalogue, breaks = CATALOGUES[api], FAULTS[api, name].breaks
    wrong = judged(APIS[api], name, rule=breaks, strict=True)
    for rule in breaks:
        if catalogue[rule].basis is Basis.CONTRADICTED:
            assert wrong.readings[rule] - right_readings(api, breaks)[rule], (
                f"{rule} has the readings that it always has"
            )
        else:
            assert wrong.verdicts[rule] is OF_A_BROKEN_RULE[catalogue[rule].level], rule
    also = {
        rule
        for rule, verdict in wrong.verdicts.items()
        if verdict is Verdict.FAIL and rule not in breaks and catalogue[rule].basis is not Basis.INFERRED
    }
    assert also == set(), "a rule that the fault does not claim to break"
    assert Verdict.ERROR not in wrong.verdicts.values()


@pytest.mark.parametrize(("api", "name"), VARIATIONS)
def test_a_variation_raises_no_alarm(api: str, name: str) -> None:
    topic = VARIATIONS[api, name].__module__.rpartition(".")[2]
    varied = judged(APIS[api], name, rule=(f"{api}.{topic}.*",), strict=False)
    assert {rule: verdict for rule, verdict in varied.verdicts.items() if verdict in ALARMS} == {}


def test_a_sandbox_as_it_is_raises_no_alarm(right: tuple[str, Judgement]) -> None:
    api, judgement = right
    alarms = {rule for rule, verdict in judgement.verdicts.items() if verdict in ALARMS}
    assert {rule for rule in alarms if CATALOGUES[api][rule].basis is not Basis.INFERRED} == set()


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


def test_no_two_departures_have_the_same_name() -> None:
    names = [name for _, name in (*FAULTS, *VARIATIONS)]
    assert len(set(names)) == len(names), {name for name in names if names.count(name) > 1}
