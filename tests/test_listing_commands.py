"""`rules`, `faults` and `vectors`: what each thing is, in lines that fit 80 columns, and found by words."""

import json
import re
from typing import Any

import pytest
from click.testing import CliRunner

from conformance.api import registered
from conformance.catalogue import Catalogue
from conformance.cli import app
from conformance.matrix.trials import listing
from conformance.vectors.cases import Vector, load

RULES = [rule for api in registered().values() for rule in Catalogue.load(api.rules).values()]


def invoke(*arguments: str) -> Any:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == 0, result.output
    return result


def words(text: str) -> str:
    return " ".join(text.split())


@pytest.fixture(scope="module")
def changes() -> dict[str, list[dict[str, Any]]]:
    """The faults and variations."""
    return listing()


@pytest.fixture(scope="module")
def vectors() -> list[Vector]:
    """The vectors of all APIs."""
    return load()


@pytest.fixture(scope="module")
def lists() -> dict[str, str]:
    """What the commands print, by their names."""
    return {name: invoke(name).stdout for name in ("rules", "faults", "vectors")}


@pytest.mark.parametrize("name", ["rules", "faults", "vectors"])
def test_a_list_fits_80_columns(lists: dict[str, str], name: str) -> None:
    assert [line for line in lists[name].splitlines() if len(line) > 80] == []


def test_every_rule_stands_on_a_line_with_its_level_and_basis_below_its_party(lists: dict[str, str]) -> None:
    shown, told = lists["rules"], words(lists["rules"])
    for rule in RULES:
        assert re.search(rf"^{rule.level} +{rule.basis} +{rule.id}$", shown, re.MULTILINE)
        assert words(rule.title) in told
    headings = re.findall(r"^\w+, for (?:the provider|clients)  \d+$", shown, re.MULTILINE)
    assert len(headings) == len({(rule.api, rule.party) for rule in RULES})
    assert shown.endswith(f"\n{len(RULES)} rules\n")


def test_every_fault_and_variation_says_what_it_does_and_what_that_breaks_or_permits(
    lists: dict[str, str], changes: dict[str, list[dict[str, Any]]]
) -> None:
    told = words(lists["faults"])
    for fault in changes["faults"]:
        assert words(f"{fault['name']} {fault['basis']} {fault['title']} {', '.join(fault['breaks'])}") in told
    for each in changes["variations"]:
        assert words(f"{each['name']} permitted {each['title']} permitted: {each['permits']}") in told
    assert told.endswith(f"{len(changes['faults'])} faults, {len(changes['variations'])} variations")


def test_every_file_of_vectors_says_what_it_is_about(lists: dict[str, str], vectors: list[Vector]) -> None:
    told = words(lists["vectors"])
    assert {words(vector.about) for vector in vectors if words(vector.about) not in told} == set()
    assert told.endswith(f" {len(vectors)} cases")


@pytest.mark.parametrize(
    ("arguments", "kept"),
    [
        (("EXPIR",), lambda rule: "expir" in f"{rule.id} {rule.title}".casefold()),
        (("expir", "token"), lambda rule: all(word in f"{rule.id} {rule.title}" for word in ("expir", "token"))),
        (("no such word",), lambda rule: False),
    ],
    ids=["one word", "two words", "none"],
)
def test_rules_are_found_by_words(arguments: tuple[str, ...], kept: Any) -> None:
    options = [option for word in arguments for option in ("--search", word)]
    found = [rule["id"] for rule in json.loads(invoke("rules", *options, "--json").stdout)]
    plain = [rule for rule in RULES if not rule.readings]
    assert [each for each in found if each in {rule.id for rule in plain}] == [rule.id for rule in plain if kept(rule)]
    last = invoke("rules", *options).stdout.splitlines()[-1]
    assert last == f"{len(found)} of {len(RULES)} rules hold {' and '.join(map(repr, arguments))}"


def test_statements_are_found_by_words() -> None:
    found = json.loads(invoke("rules", "--by-statement", "--search", "webhook", "--json").stdout)
    assert found
    assert all("webhook" in json.dumps(each).casefold() for each in found)


def test_faults_and_variations_are_found_by_words(changes: dict[str, list[dict[str, Any]]]) -> None:
    found = json.loads(invoke("faults", "--search", "offblocks.challenge.expires-after-one-hour", "--json").stdout)
    assert "AcceptsExpiredChallenge" in {each["name"] for each in found["faults"]}
    assert all("offblocks.challenge.expires-after-one-hour" in each["breaks"] for each in found["faults"])
    text = invoke("faults", "--search", "AcceptsExpiredChallenge").stdout
    assert "Takes a challenge whenever it is signed." in text
    assert f"1 of {len(changes['faults'])} faults hold 'AcceptsExpiredChallenge'" in text


def test_vectors_are_found_by_words(vectors: list[Vector]) -> None:
    found = json.loads(invoke("vectors", "--search", "rfc 9530", "--json").stdout)
    assert [each["id"] for each in found] == [each.id for each in vectors if "RFC 9530" in each.title]
    text = invoke("vectors", "--search", "rfc 9530").stdout
    assert found[0]["id"] in text
    assert f"{len(found)} of {len(vectors)} cases hold 'rfc 9530'" in text


@pytest.mark.parametrize("arguments", [("rules", "show", "x"), ("faults", "check"), ("vectors", "check")])
def test_what_is_looked_for_does_not_go_with_another_command(arguments: tuple[str, ...]) -> None:
    name, *rest = arguments
    result = CliRunner().invoke(app, [name, "--search", "x", *rest])
    assert result.exit_code == 2
    assert "--search" in result.stderr
