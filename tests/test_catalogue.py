"""The catalogue refuses what is no catalogue, and rules that claim more than their sources say."""

from pathlib import Path

import pytest
import yaml

from conformance.api import registered
from conformance.catalogue import Basis, Catalogue, CatalogueError, Party, Sources

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
SOURCES = """
format: conformance-sources/1
sources:
  guide: {tier: vendor, document: Guide, url: "https://toy.test/guide", evidence: [statement]}
"""
BARE = """
format: conformance-rules/1
api: toy
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
        (HEAD + rule(sources=GOOD.replace("guide", "client")), "no source is of tier document or vendor"),
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


def load_beside(tmp_path: Path, text: str, sources: str = SOURCES) -> Catalogue:
    """A catalogue beside a list of sources."""
    (tmp_path / "sources.yaml").write_text(sources, encoding="utf-8")
    return load(tmp_path, text)


def test_the_sources_may_stand_in_a_file_beside_the_rules(tmp_path: Path) -> None:
    inline = load(tmp_path, HEAD + rule())
    beside = load_beside(tmp_path, BARE + rule())
    assert dict(beside) == dict(inline)
    assert beside.documents == {"guide": inline.documents["guide"]}


def test_the_sources_beside_the_rules_are_read_anew_when_they_change(tmp_path: Path) -> None:
    load_beside(tmp_path, BARE + rule())
    changed = load_beside(tmp_path, BARE + rule(), SOURCES.replace("document: Guide", "document: New guide"))
    assert changed["toy.topic.rule"].sources[0].document.title == "New guide"


@pytest.mark.parametrize(
    ("rules", "sources", "message"),
    [
        (HEAD, SOURCES, r"rules\.yaml lists sources, and sources\.yaml beside it does too"),
        (BARE, SOURCES.replace("guide:", "manual:"), "cites 'guide', which is not among the sources"),
        (BARE, SOURCES.replace("vendor", "client"), "no source is of tier document or vendor"),
        (BARE, "sources: [", r"The sources file .*sources\.yaml is not YAML"),
        (BARE, "", r"The sources file .*sources\.yaml is wrong at the top"),
        (BARE, SOURCES.replace("sources/1", "rules/1"), "sources file .* is wrong at format"),
        (BARE, SOURCES.replace("vendor", "hearsay"), "sources file .* is wrong at sources/guide/tier"),
        (BARE, SOURCES.replace(", evidence: [statement]", ""), 'at sources/guide: "evidence" is a required property'),
        (BARE, SOURCES.replace("statement", "rumour"), "is wrong at sources/guide/evidence/0"),
        (BARE, SOURCES.replace("guide:", "gui#de:"), "is wrong at sources: "),
        (BARE, SOURCES.replace("]}", "], sections: {a: {title: A}}}"), 'sections/a: "evidence" is a required property'),
    ],
)
def test_what_is_wrong_with_the_sources_is_named(tmp_path: Path, rules: str, sources: str, message: str) -> None:
    with pytest.raises(CatalogueError, match=message):
        load_beside(tmp_path, rules + rule(), sources)


def test_rules_without_sources_are_told_where_to_list_them(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match=r"has no sources: list them in sources\.yaml beside it"):
        load(tmp_path, BARE + rule())


def test_a_folder_in_the_place_of_the_sources_is_named(tmp_path: Path) -> None:
    (tmp_path / "sources.yaml").mkdir()
    with pytest.raises(CatalogueError, match=r"sources\.yaml cannot be read: Is a directory"):
        load(tmp_path, BARE + rule())


def test_the_sections_of_a_document_may_be_cited_by_their_names(tmp_path: Path) -> None:
    sections = "], sections: {start: {title: The start, evidence: [statement]}}}"
    (tmp_path / "sources.yaml").write_text(SOURCES.replace("]}", sections), encoding="utf-8")
    sources = Sources.beside(tmp_path / "openapi.yaml")
    assert sources is not None
    assert sources.names == ("guide", "guide#start")


def evidence(path: Path) -> dict[str, set[str]]:
    """The kinds of evidence that each document in a list of sources holds, by its title."""
    listed = yaml.safe_load(path.read_bytes())["sources"]
    return {source["document"]: set(source["evidence"]) for source in listed.values()}


@pytest.mark.parametrize("name", ["offblocks", "planbok"])
def test_a_rule_cites_only_evidence_that_the_document_holds(name: str) -> None:
    rules = registered()[name].rules
    held = evidence(rules.with_name("sources.yaml"))
    cited = {
        (found.id, source.document.title, source.evidence)
        for found in Catalogue.load(rules).values()
        for source in found.sources
    }
    lacking = {each for each in cited if each[2] not in held[each[1]]}
    assert lacking == set()


@pytest.mark.parametrize("name", ["offblocks", "planbok"])
def test_a_section_holds_only_evidence_that_its_document_holds(name: str) -> None:
    listed = yaml.safe_load(registered()[name].rules.with_name("sources.yaml").read_bytes())["sources"]
    for source in listed.values():
        for section in source.get("sections", {}).values():
            assert set(section["evidence"]) <= set(source["evidence"])


def test_the_catalogue_of_offblocks_is_large_enough_and_known_by_its_name() -> None:
    api = registered()["offblocks"]
    catalogue = Catalogue.load(api.rules)
    assert len(catalogue) >= 60
    assert sum(rule.party is Party.PROVIDER for rule in catalogue.values()) >= 45
    assert sum(rule.party is Party.CLIENT for rule in catalogue.values()) >= 15
    assert all(identifier.startswith("offblocks.") for identifier in catalogue)
