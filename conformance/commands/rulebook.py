"""Rules as somebody looks them up: by an id that may be misspelt, with all that is known of them."""

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path

from conformance import ConformanceError
from conformance.api import Api
from conformance.catalogue import Catalogue, Rule
from conformance.specification import Specification

_MOST_CLOSE = 5
_LONG_ENOUGH = 3
"""How many letters of an id tell those that hold them from the others."""


class UnknownRuleError(ConformanceError, LookupError):
    """A rule was named that no API has; the message names those that come close."""


def all_rules(apis: Iterable[Api]) -> list[Rule]:
    """The rules of some APIs, in the order of their files.

    Raises:
        CatalogueError: If a rule catalogue cannot be read.
    """
    return [rule for api in apis for rule in Catalogue.load(api.rules).values()]


def find(wanted: str, apis: Iterable[Api]) -> tuple[Api, Rule]:
    """The rule with an id, and the API that it is of.

    Args:
        wanted: The id.
        apis: Where to look.

    Raises:
        UnknownRuleError: If none of them has it.
        CatalogueError: If a rule catalogue cannot be read.
    """
    known: list[str] = []
    for api in sorted(apis, key=lambda each: not wanted.startswith(f"{each.name}.")):
        catalogue = Catalogue.load(api.rules)
        if wanted in catalogue:
            return api, catalogue[wanted]
        known += catalogue
    close = " or ".join(close_ids(wanted, known))
    hint = f"Did you mean {close}?" if close else "List them with: conformance rules"
    raise UnknownRuleError(f"There is no rule called {wanted!r}. {hint}")


def close_ids(wanted: str, ids: Sequence[str]) -> list[str]:
    """At most five of `ids` that hold `wanted`, unless it is too short to tell them apart, or look like it."""
    holding = [each for each in ids if len(wanted) >= _LONG_ENOUGH and wanted in each]
    return list(dict.fromkeys([*holding, *get_close_matches(wanted, ids)]))[:_MOST_CLOSE]


def facts(api: Api, rule: Rule) -> Iterator[tuple[str, str]]:
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
    yield from _listed("operations", list(_operations(api, rule)) or ["all"])
    for reading in rule.readings:
        yield "reading", f"{reading.id}: {reading.title}"
        for source in reading.sources:
            yield from _listed("", [str(source), source.document.url])
    for source in () if rule.readings else rule.sources:
        yield from _listed("source", [str(source), source.document.url])
    yield from _listed("tests", verifying_tests(api, rule.id) or ["none"])
    yield from _listed("faults", proving_faults(api, rule.id) or ["none"])
    yield "judge it", f"conformance run {api.name} --rule {rule.id}"


def _operations(api: Api, rule: Rule) -> Iterator[str]:
    """The operations that a rule is about, with method and path; none if it is about all of them."""
    if not rule.operations:
        return
    specification = Specification.load(api.specification)
    operations = {**specification.operations, **specification.webhooks}
    for name in rule.operations:
        yield f"{name}, {operations[name].method} {operations[name].path}" if name in operations else name


def _listed(name: str, values: Iterable[str]) -> Iterator[tuple[str, str]]:
    return ((name if number == 0 else "", value) for number, value in enumerate(values))


# ------------------------------------------------------------------------------------------------ read from the sources

# The sources of suites and faults are read, not imported: an import of both takes a second.


def verifying_tests(api: Api, rule: str) -> list[str]:
    """The ids of the tests that can judge the rule with this id."""
    return [test for test, rules in verified_rules(api, naming=rule).items() if rule in rules]


def verified_rules(api: Api, *, naming: str = "") -> dict[str, set[object]]:
    """The ids of the rules that each test can judge, by the id of the test.

    Args:
        api: The API.
        naming: What a file of the suite must hold to be read.
    """
    return {
        f"{api.name}/{path.stem.removeprefix('test_')}/{node.name.removeprefix('test_')}": _verified(node)
        for path, source in _sources(api.suite.glob("test_*.py"), naming)
        for node in ast.parse(source).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


def proving_faults(api: Api, rule: str) -> list[str]:
    """The names of the faults of the sandbox that break the rule with this id: what shows that the tests notice."""
    folders = [Path(folder) for folder in getattr(api.faults, "__path__", ())]
    files = [file for folder in folders for file in folder.glob("*.py")]
    if not folders and api.faults and api.faults.__file__:
        files = [Path(api.faults.__file__)]
    return [
        name
        for _, source in _sources(files, rule)
        for name, rules in _broken_rules(ast.parse(source)).items()
        if rule in rules
    ]


def _sources(files: Iterable[Path], naming: str) -> Iterator[tuple[Path, bytes]]:
    """The files that hold a text, in alphabetical order, with what is in them."""
    for file in sorted(files):
        source = file.read_bytes()
        if naming.encode() in source:
            yield file, source


def _verified(test: ast.FunctionDef) -> set[object]:
    """What the decorator ``verifies`` of a test is given."""
    return {
        argument.value
        for decorator in test.decorator_list
        if isinstance(decorator, ast.Call) and isinstance(decorator.func, ast.Name) and decorator.func.id == "verifies"
        for argument in decorator.args
        if isinstance(argument, ast.Constant)
    }


def _broken_rules(module: ast.Module) -> dict[str, set[object]]:
    """The ids of the rules that each fault of a file breaks, by its name; what it does not say it has from its base."""
    constants: dict[str, ast.expr] = {}
    broken: dict[str, set[object]] = {}
    for node in module.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                constants[name] = value
            case ast.ClassDef(name=name, bases=bases, body=body):
                said = [part.value for part in body if isinstance(part, ast.Assign) and _is_breaks(part.targets[0])]
                inherited = [broken[base.id] for base in bases if isinstance(base, ast.Name) and base.id in broken]
                if said:
                    broken[name] = _elements(said[0], constants)
                elif inherited:
                    broken[name] = inherited[0]
    return broken


def _is_breaks(target: ast.expr) -> bool:
    return isinstance(target, ast.Name) and target.id == "breaks"


def _elements(written: ast.expr, constants: Mapping[str, ast.expr]) -> set[object]:
    """What is in a tuple that is written out, or put together from constants of the file."""
    match written:
        case ast.Constant(value=value):
            return {value}
        case ast.Name(id=name) if name in constants:
            return _elements(constants[name], constants)
        case ast.Starred(value=value):
            return _elements(value, constants)
        case ast.Tuple(elts=elements):
            return {found for element in elements for found in _elements(element, constants)}
        case _:
            return set()
