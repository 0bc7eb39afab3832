"""Every contradiction of the documents is told, with what they say, where, and which side a printed exchange shows."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from conformance.api import Api, registered
from conformance.catalogue import Basis, Catalogue
from conformance.cli import app
from conformance.run import Options, run
from conformance.statements.contradictions import read_contradictions
from conformance.statements.table import Statement, StatementsError
from conformance.targets.contradictions import UNDECIDED

APIS = [pytest.param(api, id=name) for name, api in registered().items()]


def documents(api: Api, **options: Any) -> dict[str, Any]:
    return run(Options(apis=(api.name,), target="documents", **options))


def listed(api: Api) -> list[Any]:
    catalogue = Catalogue.load(api.rules)
    return read_contradictions(api.find(f"specs/{api.name}/contradictions.yaml"), catalogue.statements)


@pytest.mark.parametrize("api", APIS)
def test_each_contradicted_rule_and_each_listed_contradiction_is_told(api: Api) -> None:
    contradicted = [rule.id for rule in Catalogue.load(api.rules).values() if rule.basis is Basis.CONTRADICTED]
    beside = [each for each in listed(api) if not {rule for _, rule in each.accounts_for} & set(contradicted)]
    told = [each["id"] for each in documents(api)["contradictions"]]
    assert told == [*contradicted, *(f"{api.name}/{each.id}" for each in beside)]
    assert beside


@pytest.mark.parametrize("api", APIS)
def test_each_statement_that_others_contradict_is_told_with_them(api: Api) -> None:
    catalogue = Catalogue.load(api.rules)
    told = {statement.id for each in listed(api) for side in each.sides for statement in side.statements}
    contradicted = (rule for rule in catalogue.values() if rule.basis is Basis.CONTRADICTED)
    told |= {statement.id for rule in contradicted for source in rule.sources for statement in source.statements}
    assert {each.id for each in catalogue.statements.values() if each.reason in {"either-way", "outweighed"}} <= told


@pytest.mark.parametrize("api", APIS)
def test_what_a_contradiction_accounts_for_exists(api: Api) -> None:
    catalogue, found = Catalogue.load(api.rules), documents(api)
    printed = yaml.safe_load(api.find(f"specs/{api.name}/documents.yaml").read_bytes()) if found["exchanges"] else {}
    entries = {entry["id"] for part in ("exchanges", "events") for entry in printed.get(part, ())}
    accounted = {pair for each in listed(api) for pair in each.accounts_for}
    assert {exchange for exchange, _ in accounted} <= entries
    assert {rule for _, rule in accounted} <= set(catalogue)


@pytest.mark.parametrize("api", APIS)
def test_each_side_says_something_and_where(api: Api) -> None:
    for each in documents(api)["contradictions"]:
        assert len({side["says"] for side in each["sides"]}) > 1
        assert all(place["text"] and place["url"] for side in each["sides"] for place in side["places"])


def test_a_printed_exchange_that_decides_is_named() -> None:
    decided = {each["id"]: each["decided"] for each in documents(registered()["offblocks"])["contradictions"]}
    assert decided["offblocks.customer.created-at-stays"].startswith("Printed in verification/read: The same instant")
    assert decided["offblocks.signature.refusal-status"] == UNDECIDED
    assert "280" in decided["offblocks/chain-of-the-example"]


def test_what_only_a_client_or_a_standard_says_otherwise_is_no_contradiction_of_the_documents() -> None:
    own = {each["id"]: each["own"] for each in documents(registered()["planbok"])["contradictions"]}
    assert own["planbok.challenge.success-word"]
    assert own["planbok.challenge.redirect-url-omitted"]
    assert own["planbok/best-way"]
    assert {name for name, is_own in own.items() if not is_own} == {
        *("planbok.response.error-body", "planbok.key.missing-status", "planbok.customer.ref-id-omitted"),
        *("planbok.page.return-query", "planbok.webhook.signed-bytes", "planbok.webhook.event-names"),
        "planbok.idempotency.repeat-answered",
    }


def test_only_what_is_asked_for_is_told() -> None:
    found = documents(registered()["offblocks"], rule=("offblocks.response.*",))
    assert [each["id"] for each in found["contradictions"]] == ["offblocks.response.path-prefix"]
    assert found["subject"].endswith("which contradict themselves in one place")


@pytest.mark.parametrize(
    ("names", "code"), [(["offblocks"], 0), (["planbok"], 3), ([], 0)], ids=["offblocks", "planbok", "both"]
)
def test_the_shipped_documents_end_as_they_should_and_the_line_says_in_how_many_places(
    names: list[str], code: int
) -> None:
    result = CliRunner().invoke(app, ["run", *names, "--target", "documents"])
    assert result.exit_code == code
    asked = [api for name, api in registered().items() if not names or name in names]
    count = sum(each["own"] for api in asked for each in documents(api)["contradictions"])
    lines = result.stdout.splitlines()
    assert f"contradict themselves in {count} places" in lines[-1]
    assert f"CONTRADICTIONS  {count} places" in lines


def test_verbose_says_what_each_statement_says_and_where() -> None:
    result = CliRunner().invoke(app, ["run", "planbok", "--target", "documents", "-v"])
    assert "Provisioning Customer Wallets, 2. User PIN Verification, line 27: It announces two ways" in result.stdout
    assert "/provisioning-wallets#:~:text=two%20ways%20to%20do" in result.stdout


# ----------------------------------------------------------------------------------------------------------- bad files

STATEMENTS = {"guide.start": Statement("guide.start", "Start", None, "Toys exist.")}
GOOD = """
format: conformance-contradictions/1
api: toy
contradictions:
  - id: toys
    title: Toys exist or not.
    sides: [{says: They do., statements: [guide.start]}, {says: They do not., statements: [guide.start]}]
    decided: null
"""


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        path = tmp_path / "contradictions.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_a_list_is_read_with_the_statements_of_each_side(written: Callable[[str], Path]) -> None:
    (found,) = read_contradictions(written(GOOD), STATEMENTS)
    assert [side.statements for side in found.sides] == [(STATEMENTS["guide.start"],)] * 2
    assert (found.decided, found.accounts_for) == (None, frozenset())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("contradictions: [", "are not YAML"),
        ("[]", "are wrong at the top"),
        (GOOD.replace("decided: null", ""), "are wrong at contradictions/0"),
        (GOOD.replace("guide.start", "guide.stop", 1), "toys cites the statement 'guide.stop', which is not listed"),
    ],
)
def test_a_broken_list_is_told(written: Callable[[str], Path], text: str, message: str) -> None:
    with pytest.raises(StatementsError, match=message):
        read_contradictions(written(text), STATEMENTS)


def test_a_folder_in_its_place_is_told_and_no_file_is_no_contradiction(tmp_path: Path) -> None:
    assert read_contradictions(tmp_path / "none.yaml", STATEMENTS) == []
    with pytest.raises(StatementsError, match="cannot be read: Is a directory"):
        read_contradictions(tmp_path, STATEMENTS)
