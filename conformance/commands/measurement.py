"""How what the suite catches is measured: entry by entry, with progress, and written down again and again."""

import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import Any, Protocol

import click

from conformance import ConformanceError
from conformance.files import write_whole
from conformance.matrix.cluster import cluster
from conformance.matrix.workers import processes
from conformance.reporting.faults import MatrixProgress
from conformance.reporting.lines import Output

_ENTRIES_PER_SAVE = 10


class MatrixNotWrittenError(ConformanceError, OSError):
    """What was measured cannot be written; the message says where and why."""


class Measurement(Protocol):
    """What grows entry by entry: a matrix, or a table of mutants."""

    @property
    def remaining(self) -> Sequence[object]:
        """What is still to be tried."""

    def fill(self, executor: Executor, on_entry: Callable[[Mapping[str, Any]], None], /) -> None:
        """Try what remains, and tell of each entry."""

    def to_json(self) -> dict[str, Any]:
        """All entries so far."""


def fill(
    matrix: Measurement,
    file: Path | None,
    workers: int | None,
    scheduler: str | None = None,
    shortfall: str = "missed or raised an alarm",
) -> None:
    """Try what is still to be tried, with progress on standard error.

    Args:
        matrix: What is measured.
        file: Where to write it at every tenth entry and at the end; None to write it nowhere.
        workers: How many processes share the work; None for one a processor.
        scheduler: The address of a cluster that does it instead.
        shortfall: What is said of entries that are not as they should be.

    Raises:
        MatrixNotWrittenError: If it cannot be written there.
        NoClusterError: If there is no such cluster.
    """
    made = 0

    def count(entry: Mapping[str, Any]) -> None:
        nonlocal made
        made += 1
        progress.add(entry)
        if made % _ENTRIES_PER_SAVE == 0:
            save(matrix, file)

    if file and not file.exists():
        save(matrix, file)
    try:
        with (
            MatrixProgress(Output(stderr=True), len(matrix.remaining), shortfall) as progress,
            cluster(scheduler) if scheduler else processes(workers) as executor,
        ):
            matrix.fill(executor, count)
    finally:
        save(matrix, file)
        if file:
            more = f", {len(matrix.remaining)} are left: --resume {file} continues" if matrix.remaining else ""
            click.echo(f"Wrote {file}{more}", err=True)


def save(matrix: Measurement, file: Path | None) -> None:
    """Write what was measured, whole or not at all, if there is a file for it.

    Raises:
        MatrixNotWrittenError: If it cannot be written.
    """
    if file is None:
        return
    try:
        write_whole(file, json.dumps(matrix.to_json(), indent=1, ensure_ascii=False) + "\n")
    except OSError as error:
        raise MatrixNotWrittenError(
            f"What was measured cannot be written to {file}: {error.strerror}. Give another file to --json."
        ) from error
