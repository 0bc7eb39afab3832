"""A replay must be able to fail: altered cassettes are noticed. The whole is ``tox -e evidence``, here is a sample."""

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from conformance.api import named, registered
from conformance.run import Options, run
from conformance.verdicts import Verdict
from tests.conftest import SIZE

CHECKOUT = Path(__file__).parents[1]
SAMPLE = {"small": 1, "full": 2}[SIZE]
"""Alterations of each cassette."""
KINDS = {"method", "path", "query", "body", "signature", "response field", "response header", "status"}


@pytest.fixture(scope="module")
def alterations() -> ModuleType:
    """``evidence/alterations.py``, which is no module of ours."""
    specification = importlib.util.spec_from_file_location("alterations", CHECKOUT / "evidence/alterations.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules[specification.name] = module
    with pytest.MonkeyPatch.context() as patched:
        patched.syspath_prepend(CHECKOUT / "evidence")
        specification.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def sample(alterations: ModuleType) -> dict[str, Any]:
    measured: dict[str, Any] = alterations.measure(list(registered().values()), SAMPLE, "sample")
    return measured


def test_a_replay_notices_what_breaks_a_rule_or_a_match(sample: dict[str, Any]) -> None:
    assert sample["noticed"] >= 0.99 * sample["made"], sample["missed"]


def test_the_sample_has_alterations_of_both_sides(sample: dict[str, Any]) -> None:
    assert set(sample["kinds"]) >= KINDS
    assert sample["possible"] > sample["made"] > SAMPLE * 100


def test_every_cassette_can_be_replayed_as_it_is(sample: dict[str, Any]) -> None:
    assert sample["unplayable"] == []


@pytest.mark.usefixtures("repository")
def test_what_is_written_names_its_commit(
    alterations: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    found = {"seconds": 1.0, "made": 1, "noticed": 1, "kinds": {}, "missed": [], "unplayable": []}
    monkeypatch.setattr(alterations, "measure", lambda *_arguments: found)
    assert alterations.main(["--output", str(tmp_path / "alterations.json")]) == 0
    written = json.loads((tmp_path / "alterations.json").read_bytes())
    assert len(written["commit"]) == 40
    assert written["uncommitted_changes"] in {True, False}
    assert {name: written[name] for name in found} == found


@pytest.mark.parametrize("text", ["abc----", "----", ""])
def test_a_text_without_a_sign_to_change_is_not_altered(alterations: ModuleType, text: str) -> None:
    asked, answered = {"chainId": "eip155:1:0x1", "externalId": text}, {"chainId": "", "externalId": text}
    request = {"body": json.dumps(asked)}
    recorded = {"request": request, "response": {"status": {"code": 201}}, "breaks": []}
    assert [where for where, _ in alterations._echo(recorded, answered)] == ["/status verifying"]


def test_a_replay_that_says_the_same_notices_nothing(alterations: ModuleType) -> None:
    passing = {"planbok.list.holds-all": alterations.Seen(frozenset({Verdict.PASS}), frozenset({None}))}
    failing = {"planbok.list.holds-all": alterations.Seen(frozenset({Verdict.FAIL}), frozenset({None}))}
    assert not alterations.is_noticed(passing, passing)
    assert alterations.is_noticed(passing, failing)
    assert not alterations.is_noticed(failing, passing)


def test_what_still_fits_its_schema_is_no_alteration(alterations: ModuleType) -> None:
    schemas = alterations.Schemas(named("offblocks"))
    body = {"token": "a.b.c", "expiresAt": 1768482000, "tokenType": "Bearer", "more": 1}
    recorded = {"operation": "createToken", "response": {"status": {"code": 200}, "body": {"string": json.dumps(body)}}}
    altered = {each.where for each in alterations.fields("offblocks/a/b", 0, recorded, schemas)}
    assert "/token dropped" in altered
    assert not any(where.startswith("/more") for where in altered)


def test_a_request_without_a_recorded_answer_blocks_every_rule_of_its_test(
    alterations: ModuleType, tmp_path: Path
) -> None:
    api, rule = named("offblocks"), "offblocks.response.no-server-error"
    cassettes = alterations.Cassettes([api], "any", "a_strange_path_or_signature_breaks_nothing")
    (test,) = cassettes.draw()
    last = len(cassettes._raw[test][1]["interactions"]) - 1

    def elsewhere(entry: dict[str, Any]) -> None:
        entry["request"]["uri"] += "elsewhere"

    cassettes.write(tmp_path, {test: alterations.Alteration(test, last, "path", "the last", elsewhere)})
    results = run(Options(("offblocks",), "replay", rule=(rule,), cassettes=tmp_path))
    (found,) = (each for each in results["rules"] if each["id"] == rule)
    reasons = [finding["reason"] for finding in found["findings"] if finding["test"] == test]
    assert found["verdict"] == Verdict.BLOCKED
    assert any("There is no recorded answer" in reason for reason in reasons)
