"""Each fault of the sandbox is caught by the rules that it breaks and by no others; no variation is taken for one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from conformance.api import registered
from conformance.catalogue import Basis, Catalogue, Level, Party
from conformance.run import Options, run
from conformance.sandbox.faults import Fault, Variation, departures
from conformance.sandbox.server import start
from conformance.verdicts import Verdict

API = registered()["offblocks"]
CATALOGUE = Catalogue.load(API.rules)
FAULTS = {name: found for name, found in departures(API).items() if issubclass(found, Fault)}
VARIATIONS = {name: found for name, found in departures(API).items() if issubclass(found, Variation)}
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


def judged(departure: str | None, *, rule: tuple[str, ...] = (), strict: bool) -> Judgement:
    """What the suite says of a sandbox with this fault or variation."""
    judgement = Judgement()
    with start(faults=[departure] if departure else [], apis=[API]) as sandbox:
        base_urls = {API.name: f"{sandbox.origin}/{API.name}"}
        options = Options(apis=(API.name,), target="sandbox", base_urls=base_urls, rule=rule, strict=strict)
        judgement.learn(run(options, judgement))
    return judgement


@pytest.fixture(scope="module")
def right() -> Judgement:
    """What the suite says of the sandbox as it is, inferred rules counting as their level says."""
    return judged(None, strict=True)


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_caught_by_the_rules_that_it_breaks(name: str, right: Judgement) -> None:
    breaks = FAULTS[name].breaks
    wrong = judged(name, rule=breaks, strict=True)
    for rule in breaks:
        if CATALOGUE[rule].basis is Basis.CONTRADICTED:
            assert wrong.readings[rule] - right.readings[rule], f"{rule} has the readings that it always has"
        else:
            assert wrong.verdicts[rule] is OF_A_BROKEN_RULE[CATALOGUE[rule].level], rule
    also = {
        rule
        for rule, verdict in wrong.verdicts.items()
        if verdict is Verdict.FAIL and rule not in breaks and CATALOGUE[rule].basis is not Basis.INFERRED
    }
    assert also == set(), "a rule that the fault does not claim to break"
    assert Verdict.ERROR not in wrong.verdicts.values()


@pytest.mark.parametrize("name", VARIATIONS)
def test_a_variation_raises_no_alarm(name: str) -> None:
    topic = VARIATIONS[name].__module__.rpartition(".")[2]
    varied = judged(name, rule=(f"{API.name}.{topic}.*",), strict=False)
    assert {rule: verdict for rule, verdict in varied.verdicts.items() if verdict in ALARMS} == {}


def test_the_sandbox_as_it_is_raises_no_alarm(right: Judgement) -> None:
    alarms = {rule for rule, verdict in right.verdicts.items() if verdict in ALARMS}
    assert {rule for rule in alarms if CATALOGUE[rule].basis is not Basis.INFERRED} == set()


def test_every_must_is_broken_by_a_fault() -> None:
    broken = {rule for fault in FAULTS.values() for rule in fault.breaks}
    musts = {
        rule.id
        for rule in CATALOGUE.values()
        if rule.party is Party.PROVIDER and rule.level is Level.MUST and rule.basis is not Basis.CONTRADICTED
    }
    assert musts - broken == set()


def test_every_fault_names_rules_that_exist() -> None:
    assert {rule for fault in FAULTS.values() for rule in fault.breaks} - set(CATALOGUE) == set()
