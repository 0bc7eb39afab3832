"""A description that is compared: the document, and what its references lead to."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from conformance.drift.form import NotComparableError

FILES = "files"
"""The member of a bundled description that holds the files it refers to, by their paths and there by their names."""
_VERSION = re.compile(r"3\.[0-2](\.\d+)?.*")
_MOST_NODES = 2_000_000
"""How many parts of a description are looked at; the largest that are published have a third of it."""
_DEEPEST = 150
"""How deep a description may be nested."""


@dataclass(frozen=True, eq=False)
class Node:
    """A part of a description.

    Args:
        value: What stands there.
        origin: The last reference that led to it, empty if none did.
        way: The names on the way from there.
        parts: What it is put together from, if it does not stand in the document itself.
    """

    value: Any
    origin: str = ""
    way: tuple[str, ...] = ()
    parts: tuple[Any, ...] = ()

    @property
    def identity(self) -> tuple[int, ...]:
        """What is the same for the same part of a document, however often it is come to."""
        return tuple(map(id, self.parts or (self.value,)))

    def child(self, value: Any, *names: str) -> "Node":
        """A part of this one, by the names of the members on the way to it."""
        return Node(value, self.origin, (*self.way, *names))


@dataclass(eq=False)
class Described:
    """An OpenAPI description, of whatever version it is.

    Args:
        name: What messages call it.
        document: The document, parsed; its keys are text.
    """

    name: str
    document: Mapping[str, Any]
    is_3_0: bool = field(init=False)
    kept: dict[object, Any] = field(default_factory=dict)
    """What was worked out of it already, by what it is of."""

    def __post_init__(self) -> None:
        version = self.document.get("openapi")
        if "swagger" in self.document:
            raise NotComparableError(
                f"{self.name} is a Swagger {self.document['swagger']} description; convert it to OpenAPI 3 first."
            )
        if not _VERSION.fullmatch(str(version)):
            raise NotComparableError(f"{self.name} is OpenAPI {version}; descriptions of version 3 can be compared.")
        self.is_3_0 = str(version).startswith("3.0")
        self.document = _with_text_keys(self.document, self.name)
        for section in ("paths", "webhooks", "components"):
            if not isinstance(self.document.get(section, {}), dict):
                raise NotComparableError(
                    f"{self.name} has {section} that are no mapping, so it is no OpenAPI description."
                )
        self._check_references()

    def at(self, reference: str) -> Any:
        """What a reference leads to.

        Raises:
            NotComparableError: If it leads out of the document, or nowhere.
        """
        if reference == "#":
            return self.document
        if not reference.startswith("#/"):
            raise NotComparableError(
                f"{self.name} refers to {reference}, which is not in it. Put all of it into one file first, "
                "as `npx @redocly/cli bundle` does."
            )
        node: Any = self.document
        for token in reference[2:].split("/"):
            name = _unescaped(token)
            try:
                node = node[int(name)] if isinstance(node, list) else node[name]
            except (LookupError, TypeError, ValueError) as error:
                raise NotComparableError(f"{self.name} refers to {told(reference)}, which is not in it.") from error
        return node

    def has(self, reference: str) -> bool:
        """Whether a reference leads to something in the document."""
        try:
            self.at(reference)
        except NotComparableError:
            return False
        return True

    def followed(self, node: Node) -> Node:
        """The part that a part refers to, itself if it refers to none; a reference to itself ends where it began.

        Members beside the reference stay, as those of OpenAPI 3.1 do; they go before those that are referred to.
        """
        seen: set[str] = set()
        beside: dict[str, Any] = {}
        while isinstance(node.value, dict) and isinstance(reference := node.value.get("$ref"), str):
            if reference in seen:
                return Node({}, node.origin, node.way)
            seen.add(reference)
            beside = {**{name: value for name, value in node.value.items() if name != "$ref"}, **beside}
            node = Node(self.at(reference), reference)
        if beside and not self.is_3_0 and isinstance(node.value, dict):
            return Node({**node.value, **beside}, node.origin, node.way)
        return node

    def _check_references(self) -> None:
        for value in _below(self.document):
            if isinstance(value, dict) and isinstance(value.get("$ref"), str):
                self.at(value["$ref"])


def told(reference: str) -> str:
    """A reference of a bundled description as somebody wrote it: with the file that it leads to, from its folder."""
    match reference.split("/"):
        case ["#", section, file, _, *way] if section == FILES:
            return "/".join([f"{_unescaped(file)}#" if way else _unescaped(file), *way])
        case _:
            return reference


def _unescaped(token: str) -> str:
    plain = re.sub(r"%([0-9A-Fa-f]{2})", lambda match: chr(int(match[1], 16)), token)
    return plain.replace("~1", "/").replace("~0", "~")


def _below(document: Any) -> Iterator[Any]:
    """Every part of a document, those that an alias repeats once, but for what stands in examples and defaults."""
    pending, seen = [document], set()
    while pending:
        value = pending.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        yield value
        match value:
            case dict():
                pending += [
                    child
                    for name, child in value.items()
                    if name not in {"example", "examples", "default", "enum", "const"} and not name.startswith("x-")
                ]
            case list():
                pending += value


def _with_text_keys(document: Any, name: str) -> Any:
    """A document whose keys are all text: YAML reads a status without quotation marks as a number.

    What an alias repeats stays one object, so that a document cannot grow by being read.
    """
    made: dict[int, Any] = {}

    def converted(value: Any, depth: int) -> Any:
        if depth > _DEEPEST or len(made) > _MOST_NODES:
            raise NotComparableError(f"{name} is nested too deep, in itself, or too large to be compared.")
        if id(value) in made:
            return made[id(value)]
        match value:
            case dict():
                members: dict[str, Any] = {}
                made[id(value)] = members
                members.update({_text(key): converted(child, depth + 1) for key, child in value.items()})
                return members
            case list():
                entries: list[Any] = []
                made[id(value)] = entries
                entries += [converted(child, depth + 1) for child in value]
                return entries
            case _:
                return value

    return converted(document, 0)


def _text(key: object) -> str:
    match key:
        case bool():
            return str(key).lower()
        case None:
            return "null"
        case _:
            return str(key)
