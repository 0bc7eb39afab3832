"""The comparison with other tools counts rightly, and the description that they are given is one that they read."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import openapi_spec_validator
import pytest

from conformance.api import named, registered

CHECKOUT = Path(__file__).parents[1]
FAULTS = ("AcceptsMissingKey", "ShowsCustomersToEverybody")


@pytest.fixture(scope="module")
def beside() -> ModuleType:
    """``benchmarks/beside_peers.py``, which is no module of ours."""
    path = CHECKOUT / "benchmarks/beside_peers.py"
    specification = importlib.util.spec_from_file_location("beside_peers", path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules[specification.name] = module
    specification.loader.exec_module(module)
    return module


def test_what_a_tool_reports_of_the_right_sandbox_too_is_no_catch(
    beside: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    def keen(met: Any) -> frozenset[str] | None:
        answer = httpx.get(f"{met.url}/v1/customers/{met.inputs['customer']}", headers=as_a_stranger(met))
        return frozenset({"always", *({"a stranger reads"} if answer.status_code == 200 else ())})

    monkeypatch.setattr(beside, "ASKED", {"keen": keen, "silent": lambda met: None if met else frozenset()})
    monkeypatch.setattr(beside, "_versions", lambda peers: ((each, f"{each} 1.0") for each in peers))
    found = beside.measure(FAULTS, ["keen", "silent"])
    assert found["unchanged"] == {"offblocks": {"keen": ["always"], "silent": []}}
    assert [row["peers"]["keen"]["new"] for row in found["faults"]] == [[], ["a stranger reads"]]
    assert not any(row["peers"]["silent"]["ran"] for row in found["faults"])


def as_a_stranger(met: Any) -> dict[str, str]:
    """Headers whose signature the proxy replaces by that of the second client."""
    return {
        "Authorization": f"Bearer {met.inputs['otherToken']}",
        "Signature": "sig=:AA==:",
        "Signature-Input": 'sig=("@method");created=1;keyid="other"',
    }


def test_what_a_tool_sends_is_digested_and_signed_for_it(beside: ModuleType) -> None:
    with beside.scene(named("offblocks"), None) as met:
        own = {**as_a_stranger(met), "Authorization": f"Bearer {met.inputs['token']}"}
        own |= {"Signature-Input": 'sig=("@method");created=1;keyid="peer"', "Content-Digest": "sha-256=:AA==:"}
        own["Idempotency-Key"] = "6b2f1c1e-52a0-4a5e-9a9b-0a1e3c5d7f90"
        answer = httpx.post(f"{met.url}/v1/customers", json=met.bodies["createCustomer"], headers=own)
        assert answer.status_code == 201, answer.text


def test_the_checks_that_failed_are_told_with_their_step(beside: ModuleType) -> None:
    step = {"stepId": "read", "checks": [{"name": "status", "status": "failed"}, {"name": "body", "status": "success"}]}
    told = {"files": {"a": {"executedWorkflows": [{"workflowId": "flow", "executedSteps": [step]}]}}}
    assert list(beside._failed_checks(told)) == ["flow/read: status"]


def test_a_fault_that_the_matrix_does_not_have_is_refused(beside: ModuleType) -> None:
    with pytest.raises(SystemExit, match="The matrix has no NoSuchFault"):
        beside.measure(["NoSuchFault"], [])


@pytest.mark.parametrize("version", ["3.0.3", "3.1.0"])
@pytest.mark.parametrize("api", sorted(registered()))
def test_the_description_for_others_is_valid_and_has_all_that_a_request_needs(
    beside: ModuleType, api: str, version: str
) -> None:
    described = beside.description(named(api), beside.MADE_UP, {}, version=version)
    openapi_spec_validator.validate(described)
    assert described["openapi"] == version
    parameters = [*described["components"].get("parameters", {}).values()]
    for path in described["paths"].values():
        for operation in path.values():
            assert all(status.isdecimal() for status in operation["responses"])
            parameters += [each for each in operation.get("parameters", ()) if "name" in each]
    needed = [each for each in parameters if each.get("required")]
    assert needed
    assert [each["name"] for each in needed if not {"example", "examples"} & set(each)] == []
