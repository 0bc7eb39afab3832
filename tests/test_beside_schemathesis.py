"""The comparison with schemathesis' own command counts rightly; the runs themselves take too long for a test."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest

from conformance.api import named
from conformance.matrix.trials import Trial
from conformance.matrix.verdicts import RuleVerdict, Verdicts
from conformance.verdicts import Verdict

CHECKOUT = Path(__file__).parents[1]
FAULT = "KeepsKeysForADay"
MUTATION = Trial("offblocks", "offblocks: createToken 200 /token renamed")
RULE = "offblocks.idempotency.key-free-after-an-hour"
TEST = "offblocks/idempotency/a_test"
DISPUTED = "CreatesAtEachReading"
DISPUTED_RULE = "offblocks.customer.created-at-stays"
COST = {"seconds": 2.0, "requests": 30, "accepted": 10}


@pytest.fixture(scope="module")
def beside() -> ModuleType:
    """``benchmarks/beside_schemathesis.py``, which is no module of ours."""
    path = CHECKOUT / "benchmarks/beside_schemathesis.py"
    specification = importlib.util.spec_from_file_location("beside_schemathesis", path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules[specification.name] = module
    specification.loader.exec_module(module)
    return module


def read(reading: str) -> RuleVerdict:
    return RuleVerdict(Verdict.NOTE, Verdict.NOTE, frozenset({reading}))


def broken() -> RuleVerdict:
    return RuleVerdict(Verdict.FAIL, Verdict.FAIL, frozenset({f"{TEST}: response status"}))


@pytest.fixture
def measured(beside: ModuleType, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A fault and a mutation; the suite catches the fault, schemathesis both with its second seed."""

    def suite(api: object, fault: str | None) -> tuple[Verdicts, dict[str, float]]:
        del api
        return {TEST: {RULE: broken() if fault else RuleVerdict(Verdict.PASS, Verdict.PASS)}}, COST

    def schemathesis(api: object, fault: str | None, seed: int, examples: int) -> tuple[Any, dict[str, float]]:
        del api, examples
        new = {"ServerError: GET /v1/customers"} if fault and seed == 2 else set()
        return frozenset({"UndefinedStatusCode: GET /v1/customers", *new}), COST

    monkeypatch.setattr(beside, "suite", suite)
    monkeypatch.setattr(beside, "schemathesis", schemathesis)
    found: dict[str, Any] = beside.measure([Trial("offblocks", FAULT), MUTATION], seeds=2, examples=[beside.USUAL, 500])
    return found


def test_what_both_catch_stands_side_by_side(measured: dict[str, Any]) -> None:
    theirs = {"caught with every seed": 0, "caught with any seed": 1, "seconds": 4.0, "requests": 60}
    both = {"schemathesis, default examples": theirs, "schemathesis, 500 examples": theirs}
    assert measured["summary"] == {
        "faults": {"tried": 1, "suite": {"caught": 1, "seconds": 2.0, "requests": 30}, **both},
        "mutations": {"tried": 1, "suite": {"caught": 0, "seconds": 2.0, "requests": 30}, **both},
    }


@pytest.mark.parametrize(
    ("fault", "rule", "right", "wrong", "caught"),
    [
        (FAULT, RULE, RuleVerdict(Verdict.PASS, Verdict.PASS), RuleVerdict(Verdict.BLOCKED, Verdict.BLOCKED), False),
        (FAULT, RULE, RuleVerdict(Verdict.SKIPPED, Verdict.SKIPPED), RuleVerdict(Verdict.PASS, Verdict.PASS), False),
        (FAULT, RULE, RuleVerdict(Verdict.PASS, Verdict.PASS), RuleVerdict(Verdict.ERROR, Verdict.ERROR), False),
        (DISPUTED, DISPUTED_RULE, read("as-sent"), RuleVerdict(Verdict.BLOCKED, Verdict.BLOCKED), False),
        (DISPUTED, DISPUTED_RULE, read("as-sent"), read("as-sent"), False),
        (DISPUTED, DISPUTED_RULE, read("as-sent"), read("lower-case"), True),
    ],
)
def test_what_could_not_be_judged_is_not_caught(
    beside: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    fault: str,
    rule: str,
    right: RuleVerdict,
    wrong: RuleVerdict,
    caught: bool,
) -> None:
    monkeypatch.setattr(beside, "suite", lambda _api, name: ({TEST: {rule: wrong if name else right}}, COST))
    (row,) = beside.measure([Trial("offblocks", fault)], seeds=0, examples=[])["faults"]
    assert row["suite"] == {"caught": caught, **COST}


def test_a_failure_that_a_right_sandbox_has_too_is_none_of_the_faults(measured: dict[str, Any]) -> None:
    (row,) = measured["faults"]
    assert [each["new"] for each in row["schemathesis"][:2]] == [[], ["ServerError: GET /v1/customers"]]
    assert measured["unchanged"] == {
        "offblocks": {"suite": [], "schemathesis": ["UndefinedStatusCode: GET /v1/customers"]}
    }


def test_without_the_suite_only_schemathesis_is_asked(beside: ModuleType, measured: dict[str, Any]) -> None:
    found = beside.measure([Trial("offblocks", FAULT)], seeds=2, examples=[beside.USUAL], beside=False)
    (row,) = found["faults"]
    assert "suite" not in row
    assert row["schemathesis"] == measured["faults"][0]["schemathesis"][:2]
    assert list(found["summary"]["faults"]) == ["tried", "schemathesis, default examples"]


def test_two_identities_are_named_that_must_not_see_each_others_objects(beside: ModuleType, tmp_path: Path) -> None:
    beside.write_identities(tmp_path, {"first": ("Authorization", "Bearer a"), "second": ("Authorization", "Bearer b")})
    assert 'peers = ["first", "second"]' in (tmp_path / "schemathesis.toml").read_text(encoding="utf-8")
    assert "Bearer b" in (tmp_path / "auth.json").read_text(encoding="utf-8")


def test_some_faults_are_spread_over_all(beside: ModuleType) -> None:
    all_of_them = [Trial("offblocks", str(number)) for number in range(10)]
    assert [trial.name for trial in beside.spread(all_of_them, 3)] == ["0", "3", "6"]
    assert beside.spread(all_of_them, 99) == all_of_them


def test_a_fault_that_nobody_knows_is_refused(beside: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        beside.main(["NoSuchFault"])
    assert stopped.value.code == 2
    assert "There is no fault, variation or mutation called 'NoSuchFault'." in capsys.readouterr().err


def test_a_variation_is_nothing_to_catch(beside: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        beside.main(["TakesTwoSecondsNowAndThen"])
    assert stopped.value.code == 2
    assert "None of these is a fault or a mutation" in capsys.readouterr().err


def test_the_sandbox_counts_the_requests_to_its_apis(beside: ModuleType) -> None:
    app, running = beside.sandbox(named("planbok"), None)
    with running:
        key = httpx.get(f"{running.origin}/_sandbox").json()["tenants"]["first"]["planbok"]["api_key"]
        httpx.get(f"{running.origin}/planbok/v2/wallets")
        httpx.get(f"{running.origin}/planbok/v2/customers", headers={"PLANBOK-X-API-KEY": key})
    assert (app.requests, app.accepted) == (2, 1)


def test_schemathesis_gets_through_to_what_needs_a_signature(beside: ModuleType) -> None:
    """It removes its own key on the way, so that without help all that follows would be refused."""
    _, cost = beside.schemathesis(named("offblocks"), None, 1, 1)
    assert cost["accepted"] > cost["requests"] / 10
