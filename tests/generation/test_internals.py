"""A later hypothesis or schemathesis without the internals that are used costs a part of the cases, not the run."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import configuration
from hypothesis.internal.conjecture import providers
from schemathesis import APIOperation, BaseSchema
from schemathesis.generation import coverage
from schemathesis.specs.openapi.schemas import OpenApiSchema

from conformance.api import named
from conformance.cli import app
from conformance.generation import internals
from conformance.generation.drawing import drafts
from conformance.run import Options, run

TEST = "offblocks/properties/right_and_wrong_requests.putWebhook"
CONSTANTS = "hypothesis.internal.constants_ast"


def judged(seed: str) -> dict[str, Any]:
    """The results of one test of generated requests, drawn from a seed that no other test draws from."""
    return run(Options(apis=("offblocks",), target="sandbox", tests=(TEST,), examples=1, seed=seed))


def verdicts(results: dict[str, Any]) -> set[str]:
    return {rule["verdict"] for rule in results["rules"]}


def reason(results: dict[str, Any], rule: str) -> str:
    (found,) = (each["reason"] for each in results["rules"] if each["id"] == rule)
    assert isinstance(found, str)
    return found


def test_the_internals_of_the_tested_releases_are_there() -> None:
    assert internals.losses() == []


def test_what_is_changed_while_drawing_is_as_before_afterwards() -> None:
    def parts() -> Sequence[object]:
        return providers._get_local_constants, configuration.storage_directory(intent_to_write=False).home_directory

    before = parts()
    with internals.deterministic_hypothesis():
        assert parts()[0] is not before[0]
        assert parts()[1] != before[1]
    assert parts() == before


def test_hypothesis_without_its_constants_costs_reproducibility_with_a_remark(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, CONSTANTS, None)
    results = judged("without constants")
    (remark,) = results["remarks"]
    assert remark.startswith("hypothesis 6.")
    assert "the same seed may draw other requests in another environment" in remark
    assert verdicts(results) <= {"pass", "note", "untested"}


def test_the_remark_is_printed_by_the_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, CONSTANTS, None)
    monkeypatch.chdir(tmp_path)
    rule = "offblocks.customer.malformed-chain-id-is-400"
    options = ["--target", "sandbox", "--rule", rule, "--examples", "1", "--seed", "printed"]
    done = CliRunner().invoke(app, ["run", "offblocks", *options])
    assert done.exit_code in {0, 3}, done.output
    printed = " ".join(done.stdout.split())
    assert printed.count("Remark: hypothesis 6.") == 1
    assert "the same seed may draw other requests in another environment" in printed


def test_hypothesis_without_a_place_to_write_to_is_remarked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delattr(configuration, "set_hypothesis_home_dir")
    monkeypatch.chdir(tmp_path)
    (remark,) = internals.losses()
    assert "it may leave a folder .hypothesis in the working directory" in remark
    assert drafts(named("offblocks").specification, "getCustomer", seed=77, examples=1)


def takes_less(schema: OpenApiSchema, operation: object) -> list[object]:
    """Coverage cases as another release may give them."""
    raise NotImplementedError


@pytest.mark.parametrize("lacks", ["session", "method", "parameter"])
def test_without_coverage_cases_what_they_show_is_skipped_with_a_remark(
    lacks: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    match lacks:
        case "session":
            monkeypatch.delattr(coverage, "GenerationSession")
        case "method":
            for kind in (OpenApiSchema, BaseSchema):
                monkeypatch.delattr(kind, "iter_coverage_cases")
        case _:
            monkeypatch.setattr(OpenApiSchema, "iter_coverage_cases", takes_less)
    results = judged(f"without {lacks}")
    (remark,) = results["remarks"]
    assert remark.startswith("schemathesis 4.")
    assert "no coverage cases are drawn" in remark
    assert verdicts(results) <= {"pass", "note", "skipped", "untested"}
    assert reason(results, "offblocks.response.unsupported-method") == (
        "This needs coverage cases, which the installed schemathesis does not give: pip install 'schemathesis==4.32.*'."
    )


def test_without_example_cases_the_other_cases_are_sent_with_a_remark(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(APIOperation, "get_strategies_from_examples")
    results = judged("without examples")
    (remark,) = results["remarks"]
    assert "the examples of the description are not sent" in remark
    assert verdicts(results) <= {"pass", "note", "untested"}


@pytest.mark.parametrize("package", ["schemathesis", "hypothesis"])
def test_without_the_packages_generated_requests_are_skipped_with_what_to_install(
    package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    results = judged(f"without {package}")
    assert results["remarks"] == []
    assert reason(results, "offblocks.response.described-accepted") == (
        "This needs schemathesis and hypothesis, which draw the requests: pip install schemathesis hypothesis."
    )
