"""Each statement of the documents has a rule, a test and a fault, or says why not; and its page says the same."""

import importlib
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest

from conformance.api import Api, registered
from conformance.catalogue import Basis, Catalogue
from conformance.commands.coverage import Covered, covered_statements, in_short
from conformance.statements.table import Statement
from conformance.statements.text import Passage, normalised, split

CHECKOUT = Path(__file__).parents[2]
APIS = [pytest.param(api, id=name) for name, api in registered().items()]


def broken_by_clients(api: str) -> str:
    """The tests in which wrong clients break the rules for clients."""
    files = (CHECKOUT / "tests" / api).glob("test_client_*.py")
    return "".join(file.read_text(encoding="utf-8") for file in files)


def proved(covered: Covered, on_clients: str) -> bool:
    """Whether something shows that a break of the statement is noticed, by a server or by a client."""
    shown = [rule for rule in covered.client_rules if rule.rpartition(".")[2] in on_clients]
    return covered.is_proved or bool(shown)


@pytest.mark.parametrize("api", APIS)
def test_a_statement_that_nothing_covers_says_why(api: Api) -> None:
    on_clients = broken_by_clients(api.name)
    listed = covered_statements([api])
    assert [each.statement.id for each in listed if not proved(each, on_clients) and not each.statement.reason] == []


@pytest.mark.parametrize("api", APIS)
def test_no_statement_that_something_covers_says_why_nothing_does(api: Api) -> None:
    on_clients = broken_by_clients(api.name)
    listed = covered_statements([api])
    assert [each.statement.id for each in listed if proved(each, on_clients) and each.statement.reason] == []


@pytest.mark.parametrize("api", APIS)
def test_only_statements_that_others_contradict_are_cited_without_a_fault(api: Api) -> None:
    for each in covered_statements([api]):
        if each.statement.reason and each.rules:
            assert each.statement.reason == "either-way", each.statement.id
            assert {rule.basis for rule in each.rules} == {Basis.CONTRADICTED}, each.statement.id


@pytest.mark.parametrize("api", APIS)
def test_each_source_of_the_vendors_names_its_statements(api: Api) -> None:
    for rule in Catalogue.load(api.rules).values():
        for source in rule.sources:
            assert bool(source.statements) == (source.document.tier in {"document", "vendor"}), (rule.id, str(source))


@pytest.mark.parametrize(
    ("key", "statements"), [("creation", 99), ("provisioning", 52)], ids=["Customer Creation", "Provisioning"]
)
def test_no_statement_of_the_two_documents_is_without_a_row(key: str, statements: int) -> None:
    listed = [each.statement for each in covered_statements(registered().values()) if each.statement.source == key]
    assert len(listed) == statements
    assert all(each.digest for each in listed)


def test_the_reasons_are_counted() -> None:
    listed = covered_statements(registered().values())
    counted = Counter(each.statement.reason for each in listed if each.statement.reason)
    text = in_short(listed)
    assert text.startswith(f"{len(listed)} statements: ")
    assert all(f"{count} {reason}" in text for reason, count in counted.items())


# ------------------------------------------------------------------------------------------------------------ its page


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """``tools/statements.py``, which no package holds."""
    monkeypatch.syspath_prepend(CHECKOUT)
    return importlib.import_module("tools.statements")


def test_the_page_is_that_of_the_table() -> None:
    command = [sys.executable, "-m", "tools.statements", "--check"]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


DOCUMENT = "Toys exist. They break.\n\nResponses\n200\nFine"


def row(number: int, passage: Passage) -> Statement:
    return Statement(f"guide.row-{number}", "Guide", passage.digest, f"It is number {number}.")


@pytest.mark.parametrize(
    ("document", "told"),
    [
        (DOCUMENT, []),
        (DOCUMENT.replace("They break.", "They last."), ["gone: guide.row-1: It is number 1.", "new: line 1: "]),
        (DOCUMENT.replace(" They break.", ""), ["gone: guide.row-1: It is number 1."]),
        (DOCUMENT + "\n404\nMissing", ["new: line 6: "]),
    ],
    ids=["the same", "changed", "shortened", "longer"],
)
def test_a_copy_of_a_document_is_compared_with_its_rows(tool: ModuleType, document: str, told: list[str]) -> None:
    listed = [row(number, passage) for number, passage in enumerate(split(DOCUMENT))]
    found = list(tool.differences(listed, split(document)))
    assert [line[: len(start)] for line, start in zip(found, told, strict=True)] == told


@pytest.mark.parametrize(
    ("key", "text", "code", "told"),
    [
        ("creation", "OffBlocks", 1, "gone: creation.title: "),
        ("creation", "Another page", 1, "new: line 1: "),
        ("sign-in", "Anything", "No table lists the statements of 'sign-in' with digests.", ""),
    ],
)
def test_a_document_that_differs_from_its_rows_is_told(
    tool: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    key: str,
    text: str,
    code: object,
    told: str,
) -> None:
    page = tmp_path / "page.txt"
    page.write_text(text, encoding="utf-8")
    monkeypatch.setattr(sys, "argv", ["tools.statements", "--document", f"{key}={page}"])
    with pytest.raises(SystemExit) as ended:
        tool.main()
    assert ended.value.code == code
    assert told in capsys.readouterr().out


def test_a_document_that_cannot_be_read_is_told(tool: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["tools.statements", "--document", "creation=no-such-file.txt"])
    with pytest.raises(SystemExit, match=r"No such file or directory: 'no-such-file\.txt'"):
        tool.main()


def test_no_row_holds_the_text_of_its_statement() -> None:
    for each in covered_statements(registered().values()):
        statement = each.statement
        words = normalised(statement.says)
        assert Passage(words, 1).digest != statement.digest, statement.id
