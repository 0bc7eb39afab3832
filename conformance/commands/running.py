"""Runs the suites for a command: progress on standard error, the summary on standard output, an exit code."""

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from conformance.commands.endings import INTERRUPTED, still_concluding
from conformance.options import Options

if TYPE_CHECKING:
    from conformance.commands.resuming import Resumed

# What a run needs is imported when it is made, so that the help of its commands stays quick.
# ruff: noqa: PLC0415


def judge(
    options: Options, resumed: "Resumed | None" = None, *, quiet: bool = False, verbose: bool = False
) -> dict[str, Any]:
    """Run with progress on standard error, and the summary on standard output, of an interrupted run too.

    Args:
        options: What to run.
        resumed: The run that goes on with this one; None if it is one of its own.
        quiet: Whether nothing is told but what is wrong, in a line each, and the verdict.
        verbose: Whether the summary says what the sources of rules say.

    Raises:
        ConformanceError: If the run cannot be made, or what it records cannot be written; the latter after the summary.
    """
    from conformance.reporting.console import Progress
    from conformance.reporting.lines import Output
    from conformance.run import InterruptedRun, NotRecordedError, run

    with nullcontext() if quiet else Progress(Output(stderr=True)) as progress:
        try:
            results = run(options, progress)
        except InterruptedRun as stopped:
            results = stopped.found
        except NotRecordedError as error:
            if error.found:
                _tell(error.found, quiet=quiet, verbose=verbose)
            raise
    if resumed:
        results = resumed.completed(results)
    _tell(results, quiet=quiet, verbose=verbose)
    if results.get("interrupted"):
        click.echo("Interrupted: what had not been judged by then is untested.", err=True)
    return results


def _tell(results: dict[str, Any], *, quiet: bool = False, verbose: bool = False) -> None:
    """Write the summary; where nobody reads it, or the disk is full, the verdict stands all the same."""
    from conformance.reporting.console import brief, summary
    from conformance.reporting.lines import Output

    with still_concluding(f"The verdict: {results['verdict']}."):
        if quiet:
            brief(results, Output())
        else:
            summary(results, Output(), verbose=verbose)
        sys.stdout.flush()


def tell_of_client(results: dict[str, Any], folder: Path | None) -> None:
    """Write the summary of a client's traffic to standard output, and the reports to a folder, if one is given."""
    from conformance.commands.reports import write

    click.echo()
    _tell(results)
    write(results, folder, ())


def exit_code(results: dict[str, Any]) -> int:
    """The exit code of a verdict, or that of a run which the user stopped."""
    from conformance.verdicts import Conclusion

    return INTERRUPTED if results.get("interrupted") else Conclusion(results["verdict"]).exit_code
