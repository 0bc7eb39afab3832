"""Rules as somebody looks them up: by an id that may be misspelt, with all that is known of them."""

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path

from conformance import ConformanceError
from conformance.api import Api
from conformance.catalogue import Catalogue, Party, Rule, Source
from conformance.specification import Specification

_MOST_CLOSE = 5
_LONG_ENOUGH = 3
"""How many letters of an id tell those that hold them from the others."""


class UnknownRuleError(ConformanceError, LookupError):
    """A rule was named that no API has; the message names those that come close."""


class UnknownTestError(ConformanceError, LookupError):
    """A test was named that no API has; the message names those that come close."""


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
    if rule.protects:
        yield "protects", rule.protects.value
    yield from _listed("operations", list(_operations(api, rule)) or ["all"])
    for reading in rule.readings:
        yield "reading", f"{reading.id}: {reading.title}"
        for source in reading.sources:
            yield from _listed("", _told(source))
    for source in () if rule.readings else rule.sources:
        yield from _listed("source", _told(source))
    yield from _listed("tests", verifying_tests(api, rule.id) or ["none"])
    yield from _listed("faults", proving_faults(api, rule.id) or ["none"])
    yield "judge it", judging_command(api, rule)


def judging_command(api: Api, rule: Rule) -> str:
    """What judges a rule: a run the provider's, a receiver's the check of it, other clients' their traffic.

    Args:
        api: The API that the rule is of.
        rule: The rule.

    Raises:
        SpecificationError: If the API's specification cannot be read.
    """
    if rule.party is Party.PROVIDER:
        return f"conformance run {api.name} --rule {rule.id}"
    events = Specification.load(api.specification).webhooks
    if rule.operations and set(rule.operations) <= set(events) and api.receiving is not None:
        return f"conformance webhooks check {api.name} --url URL"
    return "conformance sandbox --judge"


def _told(source: Source) -> Iterator[str]:
    """A source, and below it what each of its statements says, with an address that leads a browser there."""
    yield str(source)
    for statement in source.statements:
        yield f"{statement.id}: {statement.says}"
        yield statement.link(source.document.url)
    if not source.statements:
        yield source.document.url


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


def require_tests(wanted: Iterable[str], apis: Sequence[Api]) -> None:
    """Make sure that there are tests with these ids, whatever stands after a dot, and circumstances of these names.

    Raises:
        UnknownTestError: If there is no such test.
        UnknownLevelError: If there is no such circumstance.
    """
    from conformance.circumstances.selection import SEPARATOR, levels_named  # noqa: PLC0415  (slow to load)

    known = [test for api in apis for test in verified_rules(api)]
    for each in wanted:
        test, at, levels = each.partition(SEPARATOR)
        if test.partition(".")[0] not in known:
            close = " or ".join(close_ids(test, known))
            hint = f"Did you mean {close}?" if close else "conformance rules show RULE lists those that judge a rule."
            raise UnknownTestError(f"There is no test called {each!r}. {hint}")
        if at:
            levels_named(levels)


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
    return [name for name, rules in broken_rules(api, naming=rule).items() if rule in rules]


def broken_rules(api: Api, *, naming: str = "") -> dict[str, set[object]]:
    """The ids of the rules that each fault of the sandbox breaks, by the name of the fault.

    Args:
        api: The API.
        naming: What a file of the faults must hold to be read.
    """
    return _declared(api, "breaks", naming)


def permitted_variations(api: Api) -> list[str]:
    """The names of the variations of the sandbox."""
    return list(_declared(api, "permits", ""))


def _declared(api: Api, member: str, naming: str) -> dict[str, set[object]]:
    """What each class among the faults says in a member, by its name."""
    folders = [Path(folder) for folder in getattr(api.faults, "__path__", ())]
    files = [file for folder in folders for file in folder.glob("*.py")]
    if not folders and api.faults and api.faults.__file__:
        files = [Path(api.faults.__file__)]
    return {
        name: said for _, source in _sources(files, naming) for name, said in _said(ast.parse(source), member).items()
    }


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


def _said(module: ast.Module, member: str) -> dict[str, set[object]]:
    """What each class of a file says in a member, by its name; what it does not say it has from its base."""
    constants: dict[str, ast.expr] = {}
    classes: dict[str, set[object]] = {}
    for node in module.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                constants[name] = value
            case ast.ClassDef(name=name, bases=bases, body=body):
                said = [part.value for part in body if isinstance(part, ast.Assign) and _is(part.targets[0], member)]
                inherited = [classes[base.id] for base in bases if isinstance(base, ast.Name) and base.id in classes]
                if said:
                    classes[name] = _elements(said[0], constants, classes)
                elif inherited:
                    classes[name] = inherited[0]
    return classes


def _is(target: ast.expr, name: str) -> bool:
    return isinstance(target, ast.Name) and target.id == name


def _elements(written: ast.expr, constants: Mapping[str, ast.expr], classes: Mapping[str, set[object]]) -> set[object]:
    """What is in a tuple that is written out, or put together from constants and from other classes of the file."""
    match written:
        case ast.Constant(value=value):
            return {value}
        case ast.Name(id=name) if name in constants:
            return _elements(constants[name], constants, classes)
        case ast.Attribute(value=ast.Name(id=name), attr="breaks") if name in classes:
            return classes[name]
        case ast.Starred(value=value):
            return _elements(value, constants, classes)
        case ast.Tuple(elts=elements):
            return {found for element in elements for found in _elements(element, constants, classes)}
        case _:
            return set()
