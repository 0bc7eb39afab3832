"""The table of statements is read whole or refused, and rules cite what is in it."""

from pathlib import Path

import pytest

from conformance.catalogue import Catalogue, CatalogueError
from conformance.statements.table import Statement, StatementsError, table_beside

RULES = """
format: conformance-rules/1
api: toy
sources:
  guide: {tier: vendor, document: Guide, url: "https://toy.test/guide"}
  other: {tier: vendor, document: Other Guide, url: "https://toy.test/other"}
rules:
  - id: toy.topic.rule
    title: A rule that is one.
    level: must
    party: provider
    basis: documented
    sources: [{source: guide, section: Start, evidence: statement, statements: [CITED]}]
    operations: all
"""
DIGEST = "0" * 64
TABLE = f"""
format: conformance-statements/1
api: toy
statements:
  - {{id: guide.start, place: "Start, line 1", digest: "{DIGEST}", says: Toys exist., find: toys do-exist}}
  - {{id: other.end, place: End, digest: null, says: Toys break., reason: purpose}}
"""


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    path = tmp_path / "rules.yaml"
    path.write_text(RULES.replace("CITED", "guide.start"), encoding="utf-8")
    return path


def write(rules: Path, table: str) -> None:
    rules.with_name("statements.yaml").write_text(table, encoding="utf-8")


def test_a_rule_has_the_statements_that_it_cites_and_links_that_lead_to_them(rules: Path) -> None:
    write(rules, TABLE)
    catalogue = Catalogue.load(rules)
    (source,) = catalogue["toy.topic.rule"].sources
    statement = Statement("guide.start", "Start, line 1", DIGEST, "Toys exist.", "toys do-exist")
    assert source.statements == (statement,)
    assert source.links == ("https://toy.test/guide#:~:text=toys%20do%2Dexist",)
    assert list(catalogue.statements) == ["guide.start", "other.end"]


def test_a_statement_without_words_to_find_leads_to_its_document() -> None:
    assert Statement("other.end", "End", None, "Toys break.").link("https://toy.test/other") == "https://toy.test/other"


def test_the_statements_of_a_document_at_hand_are_those_with_digests(rules: Path) -> None:
    write(rules, TABLE)
    assert [each.id for each in table_beside(rules).of("guide")] == ["guide.start"]
    assert table_beside(rules).of("other") == []


def test_where_no_table_stands_none_is_read(rules: Path) -> None:
    rules.write_text(RULES.replace(", statements: [CITED]", ""), encoding="utf-8")
    catalogue = Catalogue.load(rules)
    assert catalogue.statements == {}
    assert catalogue["toy.topic.rule"].sources[0].links == ("https://toy.test/guide",)


@pytest.mark.parametrize(
    ("cited", "message"),
    [
        ("guide.stop", "rule toy.topic.rule cites the statement 'guide.stop', which is not in statements.yaml"),
        ("other.end", "rule toy.topic.rule cites 'other.end' as a statement of 'guide', whose it is not"),
    ],
)
def test_a_rule_that_cites_no_statement_of_its_source_is_refused(rules: Path, cited: str, message: str) -> None:
    rules.write_text(RULES.replace("CITED", cited), encoding="utf-8")
    write(rules, TABLE)
    with pytest.raises(CatalogueError, match=message):
        Catalogue.load(rules)


def test_a_statement_of_an_unknown_document_is_refused(rules: Path) -> None:
    write(rules, TABLE.replace("other.end", "third.end"))
    with pytest.raises(CatalogueError, match="are of third, not among the sources"):
        Catalogue.load(rules)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("statements: [", "is not YAML"),
        ("[]", "is wrong at the top"),
        (TABLE.replace("other.end", "guide.start"), "stand more than once: guide.start"),
        (TABLE.replace("toys do-exist", "these are five long words"), "is wrong at statements/0/find"),
        (TABLE.replace(DIGEST, DIGEST[1:]), "is wrong at statements/0/digest"),
        (TABLE.replace("purpose", "laziness"), "is wrong at statements/1/reason"),
        (TABLE.replace("Toys break.", "Toys break"), "is wrong at statements/1/says"),
    ],
)
def test_a_broken_table_is_told_with_its_place(rules: Path, table: str, message: str) -> None:
    write(rules, table)
    with pytest.raises(StatementsError, match=message):
        table_beside(rules)


def test_a_folder_in_its_place_is_told(rules: Path) -> None:
    rules.with_name("statements.yaml").mkdir()
    with pytest.raises(StatementsError, match="cannot be read: Is a directory"):
        table_beside(rules)
