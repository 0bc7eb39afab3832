"""Rules as somebody looks them up: by an id that may be misspelt, with all that is known of them."""

import ast
from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches

from conformance.api import Api
from conformance.catalogue import Rule
from conformance.sandbox.behaviour import declared_changes
from conformance.sandbox.faults import Fault
from conformance.specification import Specification

_MOST_CLOSE = 5
_TELLING = 3
"""How many letters tell ids apart that hold them."""


def close_ids(wanted: str, ids: Sequence[str]) -> list[str]:
    """At most five of `ids` that hold `wanted`, unless it is too short to tell them apart, or look like it."""
    holding = [each for each in ids if len(wanted) >= _TELLING and wanted in each]
    return list(dict.fromkeys([*holding, *get_close_matches(wanted, ids)]))[:_MOST_CLOSE]


def described(api: Api, rule: Rule) -> Iterator[tuple[str, str]]:
    """All about a rule, as names and values; a value that continues the one before has no name.

    Args:
        api: The API that the rule is of.
        rule: The rule.

    Raises:
        SpecificationError: If the API's specification cannot be read.
    """
    yield "level", rule.level.value
    yield "basis", rule.basis.value
    yield "party", rule.party.value
    specification = Specification.load(api.specification)
    operations = {**specification.operations, **specification.webhooks}
    names = [
        f"{name}, {operations[name].method} {operations[name].path}" if name in operations else name
        for name in rule.operations
    ]
    yield from _listed("operations", names or ["all"])
    for reading in rule.readings:
        yield "reading", f"{reading.id}: {reading.title}"
        for source in reading.sources:
            yield from _listed("", [str(source), source.document.url])
    for source in () if rule.readings else rule.sources:
        yield from _listed("source", [str(source), source.document.url])
    yield from _listed("tests", verifying_tests(api, rule.id) or ["none"])
    yield from _listed("faults", proving_faults(api, rule.id) or ["none"])
    yield "judge it", f"conformance run {api.name} --rule {rule.id}"


def _listed(name: str, values: Iterable[str]) -> Iterator[tuple[str, str]]:
    return ((name if number == 0 else "", value) for number, value in enumerate(values))


def verifying_tests(api: Api, rule: str) -> list[str]:
    """The ids of the tests that can judge the rule with this id, read from the sources of the suite."""
    return [test for test, rules in verified_rules(api).items() if rule in rules]


def verified_rules(api: Api) -> dict[str, set[object]]:
    """The ids of the rules that each test can judge, by the id of the test, read from the sources of the suite."""
    return {
        f"{api.name}/{path.stem.removeprefix('test_')}/{node.name.removeprefix('test_')}": _verified(node)
        for path in sorted(api.suite.glob("test_*.py"))
        for node in ast.parse(path.read_bytes()).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


def proving_faults(api: Api, rule: str) -> list[str]:
    """The names of the faults of the sandbox that break the rule with this id: what shows that the tests notice."""
    return [name for name, found in declared_changes(api).items() if issubclass(found, Fault) and rule in found.breaks]


def _verified(test: ast.FunctionDef) -> set[object]:
    """What the decorator ``verifies`` of a test is given."""
    return {
        argument.value
        for decorator in test.decorator_list
        if isinstance(decorator, ast.Call) and isinstance(decorator.func, ast.Name) and decorator.func.id == "verifies"
        for argument in decorator.args
        if isinstance(argument, ast.Constant)
    }
