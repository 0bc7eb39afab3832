"""The rehearsal for code mutants: what each test asks, and which lines of the sandbox's source that executes.

What the tests asked is asked again one by one while the interpreter tells each line, so that the tests themselves run
at their usual pace.
"""

import pickle
import sys
from collections import defaultdict
from collections.abc import Sequence
from resource import RUSAGE_SELF, getrusage
from types import FrameType
from typing import TYPE_CHECKING, Any

from conformance.api import Api, named
from conformance.matrix.observation import is_generated, rehearse
from conformance.mutants.mutants import module_name, source_files
from conformance.mutants.rehearsed import PATIENCE, Lines, Rehearsed, RehearsedTest
from conformance.sandbox.recorder import Recording, differing_worlds

if TYPE_CHECKING:
    from pathlib import Path


def rehearsed(name: str, tests: Sequence[str] = ()) -> Rehearsed:
    """Run tests of an API on its sandbox as it is, and find the lines that each of them has executed.

    Args:
        name: The name of the API.
        tests: The ids of the tests; empty for all.

    Raises:
        SuiteCrashedError: If pytest broke.
    """
    api = named(name)
    rehearsal = rehearse(api, tests)
    return Rehearsed(
        api=name,
        verdicts=rehearsal.observation.verdicts,
        seconds=rehearsal.observation.seconds_by_test,
        tests=[_asked_again(api, test, recording) for test, recording in sorted(rehearsal.recordings.items())],
    )


def _asked_again(api: Api, test: str, recording: Recording) -> RehearsedTest:
    _forget_what_is_cached()
    began, tracer = _processor_time(), _Tracer()
    with tracer:
        differs = differing_worlds(api, (), {test: recording}, patience=PATIENCE)
    return RehearsedTest(
        id=test,
        recording=pickle.dumps(recording),
        requests=len(recording.exchanges),
        steady=not differs,
        generated=is_generated(test),
        seconds=_processor_time() - began,
        lines=tracer.lines,
    )


class _Tracer:
    """Notes the lines of the sandbox's source that this thread executes; a context manager."""

    def __init__(self) -> None:
        self._files = {str(path): path for path in source_files()}
        self._lines: defaultdict[Path, set[int]] = defaultdict(set)

    @property
    def lines(self) -> Lines:
        """What was executed."""
        return {path: frozenset(lines) for path, lines in self._lines.items()}

    def __enter__(self) -> None:
        self._before = sys.gettrace()
        sys.settrace(self._on_call)

    def __exit__(self, *_: object) -> None:
        sys.settrace(self._before)

    def _on_call(self, frame: FrameType, _event: str, _: Any) -> Any:
        return self._on_line if frame.f_code.co_filename in self._files else None

    def _on_line(self, frame: FrameType, event: str, _: Any) -> Any:
        if event == "line":
            self._lines[self._files[frame.f_code.co_filename]].add(frame.f_lineno)
        return self._on_line


def _forget_what_is_cached() -> None:
    """Have each function of the sandbox run again whose results are cached."""
    modules = [sys.modules[name] for path in source_files() if (name := module_name(path)) in sys.modules]
    members = [member for module in modules for member in vars(module).values()]
    methods = [method for member in members if isinstance(member, type) for method in vars(member).values()]
    for each in (*members, *methods):
        if hasattr(each, "cache_clear"):
            each.cache_clear()


def _processor_time() -> float:
    used = getrusage(RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
