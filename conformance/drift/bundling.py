"""A description that is spread over several files, as one document: what its references to files lead to is part of it.

Only files below the description's own folder are read, and nothing from a network.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from conformance.drift.form import NotComparableError
from conformance.drift.inputs import read_file
from conformance.drift.references import FILES

_MOST_FILES = 1_000
_LARGEST = 32 * 1024 * 1024
"""How many bytes all files of a description may have together."""
_REMOTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:|//")
"""How a reference begins that is no path: with a scheme, or with a host. One letter may be a drive."""
_DATA = {"example", "examples", "default", "enum", "const"}
"""Members in which a reference is none, but a value."""
_NAMES = {
    *("$defs", "definitions", "dependentSchemas", "patternProperties", "properties"),
    *("callbacks", "content", "headers", "parameters", "pathItems", "paths", "requestBodies", "responses", "schemas"),
    *("securitySchemes", "webhooks"),
}
"""Members whose own members have names that somebody chose."""


def bundled(path: Path, document: Any) -> Any:
    """A description with the files that it refers to, directly or by others; it is changed in place.

    Args:
        path: Where it lies.
        document: What it says.

    Raises:
        NotComparableError: If a reference leads to the network, out of the folder or nowhere, or a file cannot be read.
    """
    bundle = _Bundle(path)
    bundle.take(path, document)
    if bundle.files:
        document[FILES] = bundle.files
    return document


class _Bundle:
    """The files of a description.

    Args:
        path: Where the description itself lies.

    Attributes:
        files: What each of them says, by its path from the folder, and there by its name.
    """

    def __init__(self, path: Path) -> None:
        self._description = path.resolve()
        self._folder = self._description.parent
        self._pending: list[tuple[Path, Any]] = []
        self._size = 0
        self.files: dict[str, dict[str, Any]] = {}

    def take(self, path: Path, document: Any) -> None:
        """Have each reference of a document lead to its place in the bundle, and of those that it leads to."""
        self._pending.append((path.resolve(), document))
        while self._pending:
            file, content = self._pending.pop()
            for part, member in _referring(content):
                part[member] = self._within(file, part[member])

    def _within(self, file: Path, reference: str) -> str:
        """The place in the bundle that a reference in one of its files leads to."""
        shown = f"{self._shown(file)} refers to {reference}"
        if _REMOTE.match(reference):
            raise NotComparableError(
                f"{shown}, and nothing is read from a network. Put a copy beside it, or all of it into one file, as "
                "`npx @redocly/cli bundle` does."
            )
        name, _, fragment = reference.partition("#")
        target = (file.parent / unquote(name)).resolve() if name else file
        if target == self._description:
            return f"#{fragment}"
        if not target.is_relative_to(self._folder):
            raise NotComparableError(f"{shown}, which is not below {self._folder}: only what is there is read.")
        relative = target.relative_to(self._folder).as_posix()
        if relative not in self.files:
            try:
                self._read(target, relative)
            except NotComparableError as error:
                raise NotComparableError(f"{shown}. {error}") from error
        place = f"#/{FILES}/{_escaped(relative)}/{_escaped(target.stem)}"
        if fragment and not fragment.startswith("/"):
            raise NotComparableError(f"{shown}; a place in a file is named by a JSON pointer, which begins with #/.")
        return place + fragment

    def _read(self, file: Path, relative: str) -> None:
        content = read_file(file)
        self._size += file.stat().st_size
        if self._size > _LARGEST or len(self.files) >= _MOST_FILES:
            raise NotComparableError(
                f"The files of {self._shown(self._description)} are more than {_MOST_FILES}, or have more than "
                f"{_LARGEST // 1024 // 1024} MiB together, which is too much to compare."
            )
        self.files[relative] = {file.stem: content}
        self._pending.append((file, content))

    def _shown(self, file: Path) -> str:
        return file.relative_to(self._folder).as_posix() if file != self._description else str(file)


def _escaped(name: str) -> str:
    return name.replace("%", "%25").replace("~", "~0").replace("/", "~1")


def _referring(document: Any) -> Iterator[tuple[dict[Any, Any], Any]]:
    """Each place of a document that refers to something: a part, and the member that says to what.

    Extensions and examples refer to nothing, but what only has such a name does.
    """
    pending, seen = [(document, False)], set[int]()
    while pending:
        value, holds_names = pending.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        match value:
            case dict():
                if not holds_names and isinstance(value.get("$ref"), str):
                    yield value, "$ref"
                if not holds_names and "propertyName" in value and isinstance(value.get("mapping"), dict):
                    mapping = value["mapping"]
                    yield from ((mapping, name) for name, target in mapping.items() if _is_reference(target))
                pending += [
                    (child, name in _NAMES and not holds_names)
                    for name, child in value.items()
                    if holds_names or (name not in _DATA and not str(name).startswith("x-"))
                ]
            case list():
                pending += [(child, False) for child in value]


def _is_reference(target: object) -> bool:
    """Whether the target of a discriminator is a reference, and not just the name of a schema."""
    return isinstance(target, str) and ("/" in target or target.endswith((".json", ".yaml", ".yml")))
