"""A process that has loaded all but the sandbox, and forks one for each mutant that imports the changed source."""

import pickle
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from signal import SIGKILL, SIGPROF
from typing import TypeVar

from conformance import ConformanceError
from conformance.matrix.warm import warm_process
from conformance.mutants.importing import import_changed
from conformance.mutants.mutants import Mutant, module_name, source_files
from conformance.mutants.outcome import Outcome, Result
from conformance.mutants.rehearsed import Rehearsed, RehearsedTest
from conformance.options import Options
from conformance.run import run

T = TypeVar("T")

_HANGS = {-SIGPROF, -SIGKILL}
_MOST_SECONDS = 900.0
"""How long the trial of a mutant may take by the clock of the machine; processor time ends it much earlier."""


class NotForkedError(ConformanceError, RuntimeError):
    """A process cannot be forked here, or ended before its time; the message says why and what to do."""

    exit_code = 3


def rehearse_into(name: str, tests: Sequence[str], file: Path) -> None:
    """Rehearse the tests of an API on the sandbox as it is, in a process of its own.

    Args:
        name: The name of the API.
        tests: The ids of the tests; empty for all.
        file: Where the rehearsal is kept.

    Raises:
        NotForkedError: If the process broke.
    """
    found = _in_a_fork(lambda: _rehearsed(name, tests), None)
    if isinstance(found, Broken):
        raise NotForkedError(f"The rehearsal of {name} broke: {found.reason}")
    file.write_bytes(pickle.dumps(found))


def try_mutant(mutant: Mutant, rehearsals: Sequence[Path]) -> Result:
    """What the suite says of a mutant.

    Args:
        mutant: The mutant.
        rehearsals: The files that keep the rehearsals of the APIs that it has to do with.
    """
    loaded = [_load(file) for file in rehearsals]
    parts = [(rehearsed, reaching) for rehearsed in loaded if (reaching := rehearsed.reaching(mutant))]
    if not parts:
        return Result(Outcome.NOT_REACHED)
    _warm(tuple((rehearsed.api, rehearsed.tests[0].id) for rehearsed in loaded))
    found = _in_a_fork(lambda: _tried(mutant, parts), _MOST_SECONDS)
    if isinstance(found, Result):
        return found
    if found.exit_code in _HANGS:
        return Result(Outcome.CAUGHT, reason="It hangs: what reaches it does not come to an end in time.")
    if found.exit_code:
        return Result(Outcome.CAUGHT, reason=f"It ends the process of the sandbox with {found.exit_code}.")
    return Result(Outcome.SURVIVED, reason=f"Its trial broke: {found.reason}")


@cache
def _load(file: Path) -> Rehearsed:
    found: Rehearsed = pickle.loads(file.read_bytes())  # noqa: S301  (written by ourselves just now)
    return found


@cache
def _warm(tests: Sequence[tuple[str, str]]) -> None:
    """Load what all trials need, but nothing of the sandbox: a replay needs none."""
    from conformance.generation import drawing  # noqa: F401, PLC0415  (a second that each process would take again)

    with warm_process():
        for api, test in tests:
            run(Options((api,), "replay", tests=(test,)))


def _rehearsed(name: str, tests: Sequence[str]) -> Rehearsed:
    from conformance.mutants.rehearsal import rehearsed  # noqa: PLC0415  (it imports the sandbox)

    return rehearsed(name, tests)


def _tried(mutant: Mutant, parts: Sequence[tuple[Rehearsed, Sequence[RehearsedTest]]]) -> Result:
    import_changed(mutant.module, mutant.path, mutant.mutated)
    try:
        from conformance.mutants.trial import tried  # noqa: PLC0415  (it imports the changed sandbox)
    except Exception as error:  # noqa: BLE001  (whatever a changed source raises)
        return Result(Outcome.NOT_STARTED, reason=f"It cannot be imported: {type(error).__name__}: {error}")
    return tried(parts)


# ------------------------------------------------------------------------------------------------------------- forking


@dataclass(frozen=True)
class Broken:
    """How work in a forked process ended that gave nothing.

    Args:
        exit_code: What the process ended with; minus the number of the signal that ended it.
        reason: What was wrong, in a sentence.
    """

    exit_code: int
    reason: str


def _in_a_fork(work: Callable[[], T], seconds: float | None) -> T | Broken:
    """What some work gives that is done in a process forked from this one.

    Args:
        work: The work; what it gives is sent from process to process.
        seconds: How long it may take; None for as long as it needs.

    Raises:
        NotForkedError: If this machine cannot fork, or the sandbox is loaded in this process already.
    """
    if sys.platform == "win32":
        raise NotForkedError("Code mutants are tried in forked processes, which Windows does not have.")
    if loaded := [name for path in source_files() if (name := module_name(path)) in sys.modules]:
        raise NotForkedError(f"{loaded[0]} is loaded, so that a changed source would have no effect.")
    context = get_context("fork")
    receiving, sending = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(work, receiving, sending))
    process.start()
    sending.close()
    found: T | Broken | None = None
    with receiving, suppress(EOFError):
        if receiving.poll(seconds):
            found = receiving.recv()
        else:
            process.kill()
    process.join()
    return Broken(process.exitcode or 0, f"its process ended with {process.exitcode}.") if found is None else found


def _work(work: Callable[[], object], receiving: Connection, sending: Connection) -> None:
    receiving.close()
    try:
        found = work()
    except Exception as error:  # noqa: BLE001  (told in the process that waits)
        found = Broken(0, f"{type(error).__name__}: {error}")
    sending.send(found)
