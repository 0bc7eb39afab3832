"""Which code mutants of the sandbox there are, by ids that stay while the function stays."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

from conformance import ConformanceError

PACKAGE = Path(__file__).parents[1]
"""The folder of the package that is mutated."""

SOURCES = {
    "offblocks/sandbox/*.py": ("offblocks",),
    "planbok/sandbox/*.py": ("planbok",),
    "planbok/gateway.py": ("planbok",),
    "sandbox/deliveries.py": ("offblocks", "planbok"),
    "sandbox/messages.py": ("offblocks", "planbok"),
    "sandbox/service.py": ("offblocks", "planbok"),
}
"""The files that are mutated, with the names of the APIs whose tests have to do with them."""

_ONLY_FOR_CONTROL = {"credentials"}
"""The functions that only control routes call."""
_FILES_FOR_CONTROL = {"shortcuts.py"}
"""The files that only control routes need."""
_SHOWN_DIGITS = 16


class NoOperatorsError(ConformanceError, RuntimeError):
    """Sources cannot be changed here; the message says why and what to do."""


@dataclass(frozen=True)
class Mutant:
    """One change of the sandbox's source.

    Args:
        file: The file, relative to the package, such as ``offblocks/sandbox/digest.py``.
        function: The qualified name of the function or class in it.
        operator: The name of the operator.
        number: Which it is of this operator in this function, from 1 on.
        lines: The first and the last line of what is changed.
        executes: The lines of which one is executed whenever it has an effect; none if that is as the module is
            imported.
        names: What is defined by the change, if it takes effect as the module is imported.
        change: The line before and after, for people.
        source: A digest of the function as it is and of the change.
        start: Where in the file the text to be replaced begins, in characters.
        end: Where it ends.
        text: What takes its place.
    """

    file: str
    function: str
    operator: str
    number: int
    lines: tuple[int, int]
    executes: tuple[int, int] | None
    names: tuple[str, ...]
    change: str
    source: str
    start: int
    end: int
    text: str

    @property
    def id(self) -> str:
        """What names it as long as its function has as many places for the operator."""
        return f"{self.file}:{self.function}:{self.operator}:{self.number}"

    @property
    def place(self) -> str:
        """Where it is, for people: the file in the repository and the line."""
        return f"conformance/{self.file}:{self.lines[0]}"

    @property
    def path(self) -> Path:
        """The file."""
        return PACKAGE / self.file

    @property
    def module(self) -> str:
        """The name of the module that it changes."""
        return module_name(self.path)

    @property
    def apis(self) -> tuple[str, ...]:
        """The names of the APIs whose tests have to do with it."""
        return next(apis for pattern, apis in SOURCES.items() if self.path in _matching(pattern))

    @property
    def mutated(self) -> str:
        """The source of its module with the change."""
        original = self.path.read_text("utf-8")
        return original[: self.start] + self.text + original[self.end :]


def module_name(path: Path) -> str:
    """The name of the module that a file of the package is."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def source_files() -> list[Path]:
    """The files that are mutated."""
    return [path for pattern in SOURCES for path in _matching(pattern)]


def mutants() -> list[Mutant]:
    """All code mutants that there are, by file and place.

    Raises:
        NoOperatorsError: If libcst is not installed.
    """
    return [mutant for path in source_files() for mutant in _mutants_of(path)]


def sample(chosen: Sequence[Mutant], size: int | None, seed: int) -> list[Mutant]:
    """Some of the mutants, in the order in which they are drawn; a larger sample of one seed begins with a smaller one.

    Args:
        chosen: The mutants.
        size: How many; None for all.
        seed: What they are drawn by.
    """
    return sorted(chosen, key=lambda mutant: draw(mutant.id, seed))[:size]


def draw(name: str, seed: int) -> str:
    """A key by which mutants are put in the order of a seed."""
    return sha256(f"{seed}:{name}".encode()).hexdigest()


def mentions(name: str) -> dict[Path, set[int]]:
    """The lines of the mutated files in which a name occurs as a word.

    Args:
        name: The name of a constant, a member of an enumeration or an attribute.
    """
    word = re.compile(rf"\b{re.escape(name)}\b")
    found = {
        path: {number for number, line in enumerate(_lines(path), 1) if word.search(line)} for path in source_files()
    }
    return {path: lines for path, lines in found.items() if lines}


@cache
def _lines(path: Path) -> tuple[str, ...]:
    return tuple(path.read_text("utf-8").splitlines())


@cache
def _matching(pattern: str) -> tuple[Path, ...]:
    return tuple(path for path in sorted(PACKAGE.glob(pattern)) if path.name not in _FILES_FOR_CONTROL)


@cache
def _mutants_of(path: Path) -> tuple[Mutant, ...]:
    return tuple(_changed(path))


def _changed(path: Path) -> Iterator[Mutant]:
    try:
        from conformance.mutants import operators  # noqa: PLC0415  (libcst is optional)
    except ImportError as error:
        raise NoOperatorsError(
            "Code mutants need libcst, which is not installed: pip install 'wallet-conformance[mutants]'"
        ) from error
    original = path.read_text("utf-8")
    found, sources = operators.edits_and_functions(original)
    for each in found:
        if each.function.rpartition(".")[2] in _ONLY_FOR_CONTROL:
            continue
        scope = sources[each.function] if each.executes else original[slice(*_line_span(original, each.lines))]
        digest = sha256("\0".join((scope, each.told(original), each.operator)).encode()).hexdigest()
        yield Mutant(
            file=path.relative_to(PACKAGE).as_posix(),
            function=each.function,
            operator=each.operator,
            number=each.number,
            lines=each.lines,
            executes=each.executes,
            names=each.names,
            change=each.told(original),
            source=digest[:_SHOWN_DIGITS],
            start=each.start,
            end=each.end,
            text=each.text,
        )


def _line_span(source: str, lines: tuple[int, int]) -> tuple[int, int]:
    every = source.splitlines(keepends=True)
    start = sum(map(len, every[: lines[0] - 1]))
    return start, start + sum(map(len, every[lines[0] - 1 : lines[1]]))
