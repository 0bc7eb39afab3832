"""The catalogue refuses what is no catalogue, and rules that claim more than their sources say."""

from pathlib import Path

import pytest

from conformance.api import registered
from conformance.catalogue import Basis, Catalogue, CatalogueError, Party

RULE = """
  - id: toy.topic.rule
    title: A rule that is one.
    level: {level}
    party: provider
    basis: {basis}
    {sources}
    operations: all
"""
GOOD = "sources: [{source: guide, section: Start, evidence: statement}]"
HEAD = """
format: conformance-rules/1
api: toy
sources:
  guide: {tier: vendor, document: Guide, url: "https://toy.test/guide"}
  client: {tier: client, document: Somebody's client, url: "https://toy.test/client"}
  rfc: {tier: standard, document: An RFC, url: "https://toy.test/rfc"}
rules:
"""


def load(tmp_path: Path, text: str) -> Catalogue:
    path = tmp_path / "rules.yaml"
    path.write_text(text, encoding="utf-8")
    return Catalogue.load(path)


def rule(level: str = "must", basis: str = "documented", sources: str = GOOD) -> str:
    return RULE.format(level=level, basis=basis, sources=sources)


def test_a_right_catalogue_is_read(tmp_path: Path) -> None:
    found = load(tmp_path, HEAD + rule())["toy.topic.rule"]
    assert (found.topic, found.operations, found.basis) == ("topic", (), Basis.DOCUMENTED)
    assert str(found.sources[0]) == "Guide, Start (vendor, statement)"


def readings(*names: str) -> str:
    entries = "".join(
        f"\n      - {{id: {name}, title: It is so., sources: [{{source: guide, section: A, evidence: example}}]}}"
        for name in names
    )
    return f"readings:{entries}"


def test_a_contradicted_rule_cites_the_sources_of_its_readings(tmp_path: Path) -> None:
    found = load(tmp_path, HEAD + rule(basis="contradicted", sources=readings("warm", "cold")))["toy.topic.rule"]
    assert [reading.id for reading in found.readings] == ["warm", "cold"]
    assert len(found.sources) == 2
    assert found.reading("cold") is found.readings[1]
    assert found.reading("hot") is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rules: [", "is not YAML"),
        ("[]", "is wrong at the top"),
        ("rules: [2026-01-15]", "is wrong at rules/0: 2026-01-15 is a date"),
        (HEAD + rule(level="shall"), r"rules/0/level \(rule toy.topic.rule\)"),
        (HEAD + rule(basis="contradicted", sources=readings("warm")), "rules/0/readings"),
        (HEAD + rule(basis="contradicted"), "rule toy.topic.rule"),
        (HEAD + rule(sources=readings("warm", "cold")), "rule toy.topic.rule"),
        (HEAD + rule(sources=GOOD.replace("guide", "nothing")), "cites 'nothing', which is not among the sources"),
        (HEAD + rule(sources=GOOD.replace("guide", "client")), "no source is of tier seed or vendor"),
        (HEAD + rule(sources=GOOD.replace("statement", "example")), "only examples show it"),
        (HEAD + rule(basis="standard"), "rests on a standard, but cites none"),
        (HEAD + rule() + rule(), "stand more than once: toy.topic.rule"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(CatalogueError, match=message):
        load(tmp_path, text)


def test_a_should_may_rest_on_an_example(tmp_path: Path) -> None:
    assert load(tmp_path, HEAD + rule(level="should", sources=GOOD.replace("statement", "example")))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match=r"nowhere\.yaml cannot be read: No such file"):
        Catalogue.load(tmp_path / "nowhere.yaml")


def test_the_catalogue_of_offblocks_is_large_enough_and_known_by_its_name() -> None:
    api = registered()["offblocks"]
    catalogue = Catalogue.load(api.rules)
    assert len(catalogue) >= 60
    assert sum(rule.party is Party.PROVIDER for rule in catalogue.values()) >= 45
    assert sum(rule.party is Party.CLIENT for rule in catalogue.values()) >= 15
    assert all(identifier.startswith("offblocks.") for identifier in catalogue)
