"""Which code mutants there are, and how one takes the place of a module."""

import ast
import importlib
import sys
from pathlib import Path

import pytest

from conformance.mutants.importing import AlreadyImportedError, import_changed
from conformance.mutants.mutants import Mutant, mentions, module_name, mutants, sample, source_files
from conformance.mutants.operators import OPERATORS
from conformance.mutants.rehearsed import Rehearsed, RehearsedTest


@pytest.fixture(scope="module")
def every() -> list[Mutant]:
    return mutants()


def test_there_are_many_of_all_sorts_and_each_has_a_name_of_its_own(every: list[Mutant]) -> None:
    assert len(every) > 1500
    assert len({mutant.id for mutant in every}) == len(every)
    assert {mutant.operator for mutant in every} == set(OPERATORS)
    assert {mutant.apis for mutant in every} == {("offblocks",), ("planbok",), ("offblocks", "planbok")}


def test_a_mutant_is_another_program(every: list[Mutant]) -> None:
    for mutant in sample(every, 60, 0):
        assert ast.dump(ast.parse(mutant.mutated)) != ast.dump(ast.parse(mutant.path.read_text("utf-8")))


def test_what_only_control_routes_call_is_no_mutant(every: list[Mutant]) -> None:
    assert not [mutant for mutant in every if mutant.function.endswith(".credentials")]


def test_a_larger_sample_begins_with_a_smaller_one_of_its_seed(every: list[Mutant]) -> None:
    assert sample(every, 20, 1)[:10] == sample(every, 10, 1)
    assert sample(every, 10, 1) != sample(every, 10, 2)
    assert len(sample(every, None, 1)) == len(every)


def test_the_page_and_the_sender_of_webhooks_are_changed_too() -> None:
    names = {module_name(path) for path in source_files()}
    assert {"conformance.planbok.sandbox.page", "conformance.planbok.gateway"} <= names
    assert {"conformance.sandbox.deliveries", "conformance.offblocks.sandbox"} <= names
    assert "conformance.sandbox.control" not in names


def test_a_changed_source_is_imported_in_place_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "changed_for_a_test.py").write_text("VALUE = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    import_changed("changed_for_a_test", tmp_path / "changed_for_a_test.py", "VALUE = 2\n")
    module = importlib.import_module("changed_for_a_test")
    monkeypatch.delitem(sys.modules, "changed_for_a_test")
    assert module.VALUE == 2
    assert module.__file__ == str(tmp_path / "changed_for_a_test.py")


def test_a_module_that_is_imported_already_is_not_changed() -> None:
    with pytest.raises(AlreadyImportedError):
        import_changed("json", Path("json.py"), "")


def rehearsed_test(
    name: str, path: Path, lines: set[int], requests: int = 1, *, generated: bool = False
) -> RehearsedTest:
    return RehearsedTest(name, b"", requests, True, generated, 0.0, {path: frozenset(lines)})


def test_the_tests_that_execute_a_line_are_tried_in_the_order_of_their_promise(every: list[Mutant]) -> None:
    mutant = next(each for each in every if each.path.stem == "digest" and each.operator == "comparison")
    assert mutant.executes
    line = mutant.executes[0]
    tests = [
        rehearsed_test("offblocks/properties/drawn", mutant.path, {line}, generated=True),
        rehearsed_test("offblocks/customer/long", mutant.path, {line}, 9),
        rehearsed_test("offblocks/customer/short", mutant.path, {line}, 2),
        rehearsed_test("offblocks/digest/of_the_topic", mutant.path, {line}, 30),
        rehearsed_test("offblocks/digest/elsewhere", mutant.path, {line + 1000}),
    ]
    order = [test.id for test in Rehearsed("offblocks", {}, {}, tests).reaching(mutant)]
    assert order == [
        "offblocks/digest/of_the_topic",
        "offblocks/customer/short",
        "offblocks/customer/long",
        "offblocks/properties/drawn",
    ]


def test_a_constant_is_reached_where_its_name_is(every: list[Mutant]) -> None:
    mutant = next(each for each in every if each.names == ("_LONGEST_URL",))
    (path,) = mentions("_LONGEST_URL")
    used = max(mentions("_LONGEST_URL")[path])
    tests = [rehearsed_test("planbok/a/uses", path, {used}), rehearsed_test("planbok/a/does_not", path, {used + 1000})]
    assert [test.id for test in Rehearsed("planbok", {}, {}, tests).reaching(mutant)] == ["planbok/a/uses"]
