"""The example adapters answer every case, and depart from the standards where the list says so and nowhere else."""

import json
import re
import shlex
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from conformance.vectors import Side
from conformance.vectors.adapters import Comparison, Outcome, ask, compare, questions
from conformance.vectors.cases import load

CHECKOUT = Path(__file__).parents[2]
ADAPTERS = CHECKOUT / "examples" / "adapters"
DEPARTURES: list[dict[str, str]] = yaml.safe_load((ADAPTERS / "departures.yaml").read_bytes())["departures"]
VECTORS = load()
TOPICS = {
    "python": {"wallet-signatures", "request-signatures", "digests"},
    "node": {"wallet-signatures", "sign-in-messages", "expiry", "request-signatures"},
}


@cache
def answered(*command: str) -> list[Comparison]:
    """What an adapter answered beside what was expected; each is asked once."""
    return compare(VECTORS, ask(shlex.join(command), questions(VECTORS, list(Side))), list(Side))


@pytest.fixture
def compared(name: str, request: pytest.FixtureRequest) -> list[Comparison]:
    """What the adapter called `name` answered beside what was expected."""
    if name == "python":
        return answered(sys.executable, str(ADAPTERS / "python" / "adapter.py"))
    node = request.getfixturevalue("node")
    if not (ADAPTERS / "node" / "node_modules").is_dir():
        pytest.skip("the packages of the Node adapter are not installed: run npm ci in examples/adapters/node")
    return answered(node, str(ADAPTERS / "node" / "adapter.mjs"))


@pytest.mark.parametrize("name", TOPICS)
def test_an_adapter_departs_where_the_list_says_and_nowhere_else(compared: list[Comparison], name: str) -> None:
    wrong = {each.vector.id: f"{each.side}: {each.answered}" for each in compared if each.outcome is Outcome.WRONG}
    listed = {each["case"] for each in DEPARTURES if each["adapter"] == name}
    assert {case: said for case, said in wrong.items() if case not in listed} == {}, "departs, and is not listed"
    assert listed - set(wrong) == set(), "is listed, and no longer departs: take it from the list"


@pytest.mark.parametrize("name", TOPICS)
def test_an_adapter_answers_all_of_its_topics_on_both_sides(compared: list[Comparison], name: str) -> None:
    supported = {each.vector.topic for each in compared if each.outcome is not Outcome.UNSUPPORTED}
    silent = {each.vector.topic for each in compared if each.outcome is Outcome.UNSUPPORTED}
    assert supported == TOPICS[name]
    assert supported & silent == set()
    assert {each.side for each in compared if each.outcome is Outcome.RIGHT} == set(Side)


def test_the_list_names_versions_that_are_installed_and_cases_that_exist() -> None:
    package: dict[str, Any] = json.loads((ADAPTERS / "node" / "package.json").read_bytes())
    required = (ADAPTERS / "python" / "requirements.txt").read_text(encoding="utf-8").split()
    versions = {"node": package["dependencies"], "python": dict(line.split("==") for line in required)}
    ids = {vector.id for vector in VECTORS}
    for each in DEPARTURES:
        assert set(each) == {"case", "adapter", "library", "version", "clause", "does"}
        assert each["case"] in ids
        assert versions[each["adapter"]][each["library"]] == each["version"]


def test_the_versions_of_the_examples_are_exact() -> None:
    package: dict[str, Any] = json.loads((ADAPTERS / "node" / "package.json").read_bytes())
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in package["dependencies"].values())
    constraints = (CHECKOUT / "constraints.txt").read_text(encoding="utf-8").split()
    required = (ADAPTERS / "python" / "requirements.txt").read_text(encoding="utf-8").split()
    assert set(required) <= set(constraints)
