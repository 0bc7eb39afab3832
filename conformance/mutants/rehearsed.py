"""What the tests of an API asked the sandbox as it is, and which of them execute what a mutant changes.

It imports nothing of the sandbox, so that a process can hold it that has yet to import a changed one.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from inspect import CO_OPTIMIZED
from pathlib import Path
from types import CodeType

from conformance.matrix.verdicts import Verdicts
from conformance.mutants.mutants import Mutant, mentions

PATIENCE = 60.0
"""The seconds that an answer may take when it is asked for again; a machine that is busy is no difference."""

Lines = Mapping[Path, frozenset[int]]
"""Lines by the file that they are in."""


@dataclass(frozen=True)
class RehearsedTest:
    """What one test asked.

    Args:
        id: Its id.
        recording: What it asked and was answered, a `conformance.sandbox.recorder.Recording` as pickle writes it.
        requests: How many requests that is.
        steady: Whether the sandbox as it is gives the same answers if it is asked the same again.
        generated: Whether the test generates its requests.
        seconds: The seconds of processor time that asking again took.
        lines: The lines of the sandbox's source that it had executed.
    """

    id: str
    recording: bytes
    requests: int
    steady: bool
    generated: bool
    seconds: float
    lines: Lines

    @property
    def topic(self) -> str:
        """The file of the suite that it is in."""
        return self.id.split("/")[1]


@dataclass(frozen=True)
class Rehearsed:
    """What the tests of an API asked and found.

    Args:
        api: The name of the API.
        verdicts: What they found.
        seconds: The seconds that each took, by its id.
        tests: What each asked.
    """

    api: str
    verdicts: Verdicts
    seconds: Mapping[str, float]
    tests: Sequence[RehearsedTest]

    def reaching(self, mutant: Mutant) -> list[RehearsedTest]:
        """The tests that execute what a mutant changes, those first that are most likely to notice it.

        That is those of the same topic, of these the shortest, and those that generate their requests at last.

        Args:
            mutant: The mutant.
        """
        topic = mutant.path.stem
        return sorted(
            _reaching(mutant, self.tests),
            key=lambda test: (test.generated, test.topic == "sequences", test.topic != topic, test.requests, test.id),
        )


def _reaching(mutant: Mutant, tests: Sequence[RehearsedTest]) -> Iterator[RehearsedTest]:
    if mutant.executes:
        first, last = mutant.executes
        return _executing({mutant.path: _executable(mutant.path, first, last)}, tests)
    own = set(range(mutant.lines[0], mutant.lines[1] + 1))
    mentioned: dict[Path, set[int]] = {}
    for name in mutant.names:
        for path, lines in mentions(name).items():
            mentioned.setdefault(path, set()).update(lines - own if path == mutant.path else lines)
    at_import = any(lines & _lines_with_code(path, at_import=True) for path, lines in mentioned.items())
    if mutant.names and (at_import or not any(mentioned.values())):  # what it has an effect on is not to be told
        return iter(tests)
    if mutant.names:
        return _executing(mentioned, tests)
    return (test for test in tests if test.lines.get(mutant.path))


def _executing(lines: Mapping[Path, set[int]], tests: Sequence[RehearsedTest]) -> Iterator[RehearsedTest]:
    return (test for test in tests if any(test.lines.get(path, frozenset()) & wanted for path, wanted in lines.items()))


def _executable(path: Path, first: int, last: int) -> set[int]:
    """The lines from the first to the last that have code of their own, or the next one above that has."""
    every = _lines_with_code(path)
    found = set(every.intersection(range(first, last + 1)))
    return found or {max((line for line in every if line < first), default=first)}


@cache
def _lines_with_code(path: Path, *, at_import: bool = False) -> frozenset[int]:
    """The lines that have code of their own.

    Args:
        path: The file.
        at_import: Whether only those count that are executed as the module is imported.
    """
    code = compile(path.read_text("utf-8"), str(path), "exec", dont_inherit=True)
    return frozenset(_lines_of(code, at_import=at_import))


def _lines_of(code: CodeType, *, at_import: bool) -> Iterator[int]:
    yield from (line for _, _, line in code.co_lines() if line is not None)
    for constant in code.co_consts:
        if isinstance(constant, CodeType) and not (at_import and constant.co_flags & CO_OPTIMIZED):
            yield from _lines_of(constant, at_import=at_import)
