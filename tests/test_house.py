"""The house keeps its own rules: nothing is orphaned, nothing private is tracked, nothing heavy is loaded unasked."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from copy import copy
from pathlib import Path

import pytest
import yaml

from conformance.api import Api, registered
from conformance.catalogue import Catalogue, Party, Sources
from conformance.specification import Specification
from tests.conftest import LONG

CHECKOUT = Path(__file__).parents[1]
APIS = [pytest.param(api, id=name) for name, api in registered().items()]

PACKAGE = CHECKOUT / "conformance"
MOST_LINES, MOST_LINES_OF_OPTIONS, MOST_AT_THE_ROOT = 600, 450, 16

REGISTRY = re.compile(
    r"pypi\.(?:org|python)|pythonhosted\.org|registry\.(?:npmjs|yarnpkg)\.\w+|(?:index|find)[-_](?:url|links)"
)
MACHINE_PATH = re.compile(r"(?<![\w.~$}>/*-])/(?:work|root|home|Users|tmp)/\w")
PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----(?:\\n|\s)+[A-Za-z0-9+/=]{40}")
HEAVY = (
    "coincurve",
    "cryptography",
    "eth_account",
    "httpx",
    "jsonschema_rs",
    "pydantic",
    "rich",
    "uvicorn",
    "vcr",
    "yaml",
)


def imported(source: str) -> set[str]:
    """The top-level packages that a file imports."""
    nodes = list(ast.walk(ast.parse(source)))
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    return {name.partition(".")[0] for name in names}


def test_eth_account_is_imported_by_one_module_alone() -> None:
    # It raises the recursion limit so far that deep JSON crashes the interpreter; that module puts the limit back.
    assert imported("def f():\n    from eth_account.messages import x") == {"eth_account"}
    files = [file for folder in ("conformance", "tests") for file in (CHECKOUT / folder).rglob("*.py")]
    assert len(files) > 100
    importing = [file for file in files if "eth_account" in imported(file.read_text(encoding="utf-8"))]
    assert importing == [PACKAGE / "standards" / "typed_data.py"]


# ------------------------------------------------------------------------------------------------------ no orphans


def verified(source: str) -> Iterator[str]:
    """The ids that the marks `@verifies(...)` of a file name.

    Raises:
        ValueError: If an id is not written out, so that nobody would find it.
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "verifies":
            for argument in node.args:
                match argument:
                    case ast.Constant(value=str(rule)):
                        yield rule
                    case _:
                        raise ValueError(f"line {node.lineno}: write the rule's id out, not {ast.unparse(argument)}")


def without_test(catalogue: Catalogue, tested: Iterable[str]) -> set[str]:
    return {rule.id for rule in catalogue.values() if rule.party is Party.PROVIDER} - set(tested)


def without_rule(specification: Specification, catalogue: Catalogue) -> set[str]:
    return {*specification.operations, *specification.webhooks} - mentioned(catalogue)


def without_operation(specification: Specification, catalogue: Catalogue) -> set[str]:
    return mentioned(catalogue) - {*specification.operations, *specification.webhooks}


def mentioned(catalogue: Catalogue) -> set[str]:
    return {operation for rule in catalogue.values() for operation in rule.operations}


def rules_tested(api: Api) -> set[str]:
    return {rule for file in api.suite.rglob("*.py") for rule in verified(file.read_text(encoding="utf-8"))}


@pytest.mark.parametrize("api", APIS)
def test_every_rule_on_the_provider_has_a_test(api: Api) -> None:
    assert without_test(Catalogue.load(api.rules), rules_tested(api)) == set()


@pytest.mark.parametrize("api", APIS)
def test_every_rule_that_a_test_names_exists_and_is_on_the_provider(api: Api) -> None:
    catalogue = Catalogue.load(api.rules)
    assert rules_tested(api) - {rule.id for rule in catalogue.values() if rule.party is Party.PROVIDER} == set()


@pytest.mark.parametrize("api", APIS)
def test_every_operation_and_webhook_is_mentioned_by_a_rule(api: Api) -> None:
    assert without_rule(Specification.load(api.specification), Catalogue.load(api.rules)) == set()


@pytest.mark.parametrize("api", APIS)
def test_every_operation_that_a_rule_mentions_exists(api: Api) -> None:
    assert without_operation(Specification.load(api.specification), Catalogue.load(api.rules)) == set()


CITING = {"rules.yaml": "source", "openapi.yaml": "x-source", "documents.yaml": "document", "vectors/*.json": "source"}
"""The files that cite the sources beside them, with the name of the member that does."""


def cited_in(folder: Path) -> set[str]:
    """The names of the sources that the files of an API cite; a section stands for its document too."""
    names = {
        name
        for pattern, member in CITING.items()
        for file in folder.glob(pattern)
        for name in values(parsed(file), member)
    }
    told = {
        statement.partition(".")[0]
        for file in folder.glob("contradictions.yaml")
        for statement in values(parsed(file), "statements")
    }
    return names | told | {name.partition("#")[0] for name in names}


def parsed(file: Path) -> object:
    content = file.read_bytes()
    return json.loads(content) if file.suffix == ".json" else yaml.load(content, Loader=yaml.CSafeLoader)


def values(node: object, member: str) -> Iterator[str]:
    """The texts that a member of this name holds, alone or in a list, wherever it stands."""
    match node:
        case dict():
            found = node.get(member, ())
            yield from (each for each in (found if isinstance(found, list) else [found]) if isinstance(each, str))
            for each in node.values():
                yield from values(each, member)
        case list():
            for each in node:
                yield from values(each, member)


def listed_beside(api: Api) -> set[str]:
    sources = Sources.beside(api.rules)
    assert sources is not None
    return set(sources.names)


@pytest.mark.parametrize("api", APIS)
def test_every_source_and_every_section_is_cited(api: Api) -> None:
    assert listed_beside(api) == cited_in(api.rules.parent)


def test_a_source_that_nothing_cites_is_found(tmp_path: Path) -> None:
    api = registered()["offblocks"]
    for name in ("rules.yaml", "openapi.yaml", "contradictions.yaml"):
        shutil.copy(api.rules.with_name(name), tmp_path)
    assert listed_beside(api) == cited_in(tmp_path)
    (tmp_path / "openapi.yaml").unlink()
    assert "creation#create" in listed_beside(api) - cited_in(tmp_path)


def test_there_is_an_api_to_keep_the_rules_for() -> None:
    assert "offblocks" in registered()


def test_an_orphan_of_each_kind_is_found() -> None:
    api = registered()["offblocks"]
    catalogue, specification = Catalogue.load(api.rules), copy(Specification.load(api.specification))
    rules = [rule.id for rule in catalogue.values() if rule.party is Party.PROVIDER]
    thinned = Catalogue(
        "offblocks", tuple(rule for rule in catalogue.values() if "getChallenge" not in rule.operations)
    )
    assert without_test(catalogue, rules[1:]) == {rules[0]}
    assert "getChallenge" in without_rule(specification, thinned)
    specification.operations = {}
    assert "getChallenge" in without_operation(specification, catalogue)


def test_the_ids_are_read_from_every_form_of_the_mark() -> None:
    source = """
@verifies("a.b.one", "a.b.two")
def test_plain(): ...

@scenario.verifies("a.b.three")
class TestGroup: ...
"""
    assert list(verified(source)) == ["a.b.one", "a.b.two", "a.b.three"]


def test_an_id_that_is_not_written_out_is_refused() -> None:
    with pytest.raises(ValueError, match="line 1: write the rule's id out, not RULE"):
        list(verified("verifies(RULE)"))


# -------------------------------------------------------------------------------------------------- nothing private


@pytest.fixture(scope="module")
def tracked(repository: str) -> dict[str, str]:
    """The text of every file that is in the repository or about to be, by its path; without the licence."""
    listing = [repository, "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, cwd=CHECKOUT, capture_output=True, check=True).stdout.decode().split("\0")
    files = {name: CHECKOUT / name for name in names if name and (CHECKOUT / name).is_file()}
    return {name: path.read_text(encoding="utf-8", errors="replace") for name, path in files.items()}


def places(pattern: re.Pattern[str], files: dict[str, str]) -> list[str]:
    """Where a pattern stands, as file, line and text."""
    return [
        f"{name}:{text.count(chr(10), 0, match.start()) + 1}: {match[0]}"
        for name, text in files.items()
        for match in pattern.finditer(text)
    ]


def test_no_tracked_file_holds_the_address_of_a_package_registry(tracked: dict[str, str]) -> None:
    assert places(REGISTRY, tracked) == []


def test_no_tracked_file_holds_the_path_of_a_machine(tracked: dict[str, str]) -> None:
    assert places(MACHINE_PATH, tracked) == []


def test_no_tracked_file_but_a_test_holds_a_private_key(tracked: dict[str, str]) -> None:
    assert places(PRIVATE_KEY, {name: text for name, text in tracked.items() if not name.startswith("tests/")}) == []


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (REGISTRY, "https://files.python" + "hosted.org/packages"),
        (REGISTRY, "--extra-index" + "-url https://example.com"),
        (MACHINE_PATH, "see /ho" + "me/somebody/notes"),
        (MACHINE_PATH, 'Path("/tm' + 'p/out")'),
        (PRIVATE_KEY, "-----BEGIN EC PRIVATE " + f"KEY-----\n{'A' * 64}\n"),
        (PRIVATE_KEY, "-----BEGIN PRIVATE " + rf"KEY-----\n{'A' * 64}\n"),
    ],
)
def test_what_must_not_be_tracked_is_found(pattern: re.Pattern[str], text: str) -> None:
    assert places(pattern, {"a.txt": f"first\n{text}"}) != []


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (MACHINE_PATH, "https://example.com/home/page and ./work/on"),
        (PRIVATE_KEY, 'if "-----BEGIN EC PRIVATE ' + 'KEY-----" in text:'),
    ],
)
def test_what_may_be_tracked_is_left_alone(pattern: re.Pattern[str], text: str) -> None:
    assert places(pattern, {"a.txt": text}) == []


# ---------------------------------------------------------------------------------------------------- nothing heavy


def loaded_by(module: str) -> set[str]:
    """The top-level packages that importing `module` loads beyond what pytest itself does."""
    program = f"import sys, pytest; before = set(sys.modules); import {module}; print(*(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return {name.split(".")[0] for name in done.stdout.split()}


def test_the_pytest_plugin_loads_nothing_heavy() -> None:
    assert loaded_by("conformance.plugin") & set(HEAVY) == set()


def test_a_heavy_import_would_be_seen() -> None:
    assert {"httpx", "yaml"} <= loaded_by("conformance.offblocks.client, yaml")


# ----------------------------------------------------------------------------------------------------- nothing skipped

SKIPPING = """
import pytest

def test_one(): pytest.skip("no such program")

@pytest.mark.xfail(reason="known")
def test_two(): assert False
"""


@pytest.mark.parametrize(
    ("required", "summary"), [("1", "1 failed, 1 xfailed"), ("0", "1 skipped, 1 xfailed")], ids=["required", "plain"]
)
def test_a_skip_fails_where_all_is_required(required: str, summary: str, tmp_path: Path) -> None:
    shutil.copy(Path(__file__).with_name("conftest.py"), tmp_path)
    (tmp_path / "test_it.py").write_text(SKIPPING, encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]", encoding="utf-8")
    environment = {**os.environ, "CONFORMANCE_REQUIRE_ALL": required, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert summary in done.stdout
    assert ("no such program" in done.stdout) is (required == "1")


# ------------------------------------------------------------------------------------------------------------- size


def test_a_file_is_read_in_one_go() -> None:
    lengths = {file: len(file.read_text(encoding="utf-8").splitlines()) for file in PACKAGE.rglob("*.py")}
    assert {str(file): length for file, length in lengths.items() if length > MOST_LINES} == {}
    assert lengths[PACKAGE / "cli.py"] < MOST_LINES_OF_OPTIONS


def test_the_root_shows_where_to_begin() -> None:
    modules = [file.name for file in PACKAGE.glob("*.py") if file.name not in {"__init__.py", "__main__.py"}]
    assert len(modules) <= MOST_AT_THE_ROOT, "give a further one a room"


def test_the_files_that_are_taken_up_first_are_there() -> None:
    assert [name for name in LONG if not (CHECKOUT / "tests" / name).is_file()] == []
