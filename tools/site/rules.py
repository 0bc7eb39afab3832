"""A page for each rule: what it asks, where that is said, what tests it and what shows that the test notices."""

import ast
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from conformance.api import Api
from conformance.catalogue import Basis, Catalogue, Level, Rule, Source
from conformance.commands.rulebook import broken_rules, judging_command, verified_rules
from tools.site.text import sentence, table

BY_LEVEL = {Level.MUST: "`fail`", Level.SHOULD: "`warn`", Level.MAY: "`note`"}
BY_BASIS = {
    Basis.INFERRED: "`note`; under `--strict` as its level says",
    Basis.CONTRADICTED: "`note` with the reading that is seen; by its level if none of them is",
}


class RulePages:
    """The pages of the rules of one API.

    Args:
        api: The API.
        matrix: What was measured of its faults, in the form of ``specs/schemas/matrix.json``.
    """

    def __init__(self, api: Api, matrix: Mapping[str, Any]) -> None:
        self._api = api
        self._tests = verified_rules(api)
        self._says = dict(_docstrings(api))
        self._faults = broken_rules(api)
        self._measured = {each["name"]: each for each in matrix["faults"] if each["api"] == api.name}
        self.rules: Sequence[Rule] = tuple(Catalogue.load(api.rules).values())

    def pages(self) -> Iterator[tuple[str, str]]:
        """Each page by its place, and one that lists them."""
        yield f"rules/{self._api.name}.md", self._list()
        for rule in self.rules:
            yield f"rules/{rule.id}.md", self._page(rule)

    def _list(self) -> str:
        parts = [f"# Rules of {self._api.title}\n\n{len(self.rules)} rules; a page each says where that is said.\n\n"]
        for topic, rules in groupby(self.rules, key=lambda rule: rule.topic):
            rows = (
                (f"[`{each.id}`]({each.id}.md)", each.title, each.level, each.basis, each.party, each.protects or "")
                for each in rules
            )
            parts += [f"## {topic}\n\n", table(("rule", "asks", "level", "basis", "of", "protects"), rows)]
        return "".join(parts)

    def _page(self, rule: Rule) -> str:
        return "".join(
            [
                f"# `{rule.id}`\n\n{rule.title}\n\n",
                table(*_headed(self._facts(rule))),
                "## Where that is said\n\n",
                *_said(rule),
                "## What tests it\n\n",
                self._tested(rule),
                "## What shows that the tests notice\n\n",
                self._proven(rule),
                f"[All rules of {self._api.title}]({self._api.name}.md)\n",
            ]
        )

    def _facts(self, rule: Rule) -> Iterator[tuple[str, str]]:
        yield "level", rule.level
        yield "basis", rule.basis
        yield "binds", f"the {rule.party}"
        broken = BY_BASIS.get(rule.basis, BY_LEVEL[rule.level])
        if rule.protects:
            yield "protects", rule.protects
            broken += "; at least `warn`, since it protects something, and `fail` under `--strict`"
        yield "broken, it is", broken
        page = f"../judged/{self._api.name}.md"
        operations = ", ".join(f"[`{each}`]({page}#{each.lower()})" for each in rule.operations)
        yield "operations", operations or f"[all]({page})"
        yield "judge it", f"`{judging_command(self._api, rule)}`"

    def _tested(self, rule: Rule) -> str:
        found = [name for name, rules in self._tests.items() if rule.id in rules]
        if not found:
            return "Traffic of clients is judged by it; `conformance run` has no part in that.\n\n"
        return "".join(f"- {sentence(name)}. {self._says.get(name, '')} (`{name}`)\n" for name in found) + "\n"

    def _proven(self, rule: Rule) -> str:
        found = [name for name, rules in self._faults.items() if rule.id in rules]
        if not found:
            return "No fault of the sandbox breaks it: wrong clients are tried in our tests.\n\n"
        measured = (self._measured.get(name, {"title": "", "caught": None}) for name in found)
        caught = {True: "caught", False: "missed", None: "newer than the last measurement"}
        rows = [
            (f"`{name}`", each["title"], caught[each["caught"]]) for name, each in zip(found, measured, strict=True)
        ]
        return table(("fault of the sandbox", "what it does", "measured"), rows)


def _headed(facts: Iterator[tuple[str, str]]) -> tuple[tuple[str, str], list[tuple[str, str]]]:
    """The first of some facts as the head of a table of the others."""
    head, *rows = facts
    return head, rows


def _said(rule: Rule) -> Iterator[str]:
    for reading in rule.readings:
        yield f"Reading `{reading.id}`: {reading.title}\n\n"
        yield table(("document", "place", "says"), (row for source in reading.sources for row in _rows(source)))
    if not rule.readings:
        yield table(("document", "place", "says"), (row for source in rule.sources for row in _rows(source)))


def _rows(source: Source) -> Iterator[tuple[str, str, str]]:
    kind = source.evidence if source.document.tier == "document" else f"{source.document.tier}, {source.evidence}"
    title = f"[{source.document.title}]({source.document.url})"
    if not source.statements:
        yield title, f"{source.section} ({kind})", ""
    for each in source.statements:
        yield title, f"{each.place} ({kind})", f"{each.says} [↗]({each.link(source.document.url)}) `{each.id}`"


def _docstrings(api: Api) -> Iterator[tuple[str, str]]:
    """What each test says of its situation, by the id of the test."""
    for path in sorted(api.suite.glob("test_*.py")):
        for node in ast.parse(path.read_bytes()).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                topic = path.stem.removeprefix("test_")
                yield f"{api.name}/{topic}/{node.name.removeprefix('test_')}", ast.get_docstring(node) or ""
