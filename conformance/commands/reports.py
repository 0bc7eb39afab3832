"""``conformance report``: the forms of results made again, of one run or of several together; and what `run` writes."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from conformance.commands.endings import explained

# What the command needs is imported when it runs, so that help stays quick.
# ruff: noqa: PLC0415

_FORMATS = ("html", "junit", "sarif", "summary", "har", "annotations")
_Command = TypeVar("_Command", bound=Callable[..., Any])


def format_option(command: _Command) -> _Command:
    """The option for the forms of a report."""
    return click.option(
        "--format",
        "formats",
        metavar="FORM",
        multiple=True,
        type=click.Choice(_FORMATS),
        help="What to write besides results.json: html, junit, sarif, summary (Markdown for the page of a CI job), "
        "har (the exchanges), or annotations, which are printed for GitHub Actions. May be repeated. Default: html and "
        "junit, and in GitHub Actions annotations.",
    )(command)


def check_formats(formats: Sequence[str], folder: Path | None) -> None:
    """Make sure that files have a folder.

    Raises:
        click.UsageError: If they have none.
    """
    if folder is None and set(formats) - {"annotations"}:
        raise click.UsageError("--format goes with --report DIR, the folder to write to.")


def write(results: Mapping[str, Any], folder: Path | None, formats: Iterable[str]) -> None:
    """Write the forms of results, and print annotations if they are asked for, or GitHub Actions will show them.

    Args:
        results: Results in the form of ``specs/schemas/results.json``.
        folder: Where to; None to write no files.
        formats: Which forms; none for the usual ones.

    Raises:
        ReportNotWrittenError: If a file cannot be written.
    """
    from conformance.reporting.annotations import annotations
    from conformance.reporting.files import USUAL, write_reports

    chosen = list(formats) or [*USUAL, *(["annotations"] if os.environ.get("GITHUB_ACTIONS") == "true" else [])]
    if folder:
        from conformance.api import registered
        from conformance.commands.mistakes import with_mistakes

        told = results if "mistakes" in results else with_mistakes(results, _apis(results, registered()))
        for path in write_reports(told, folder, [form for form in chosen if form != "annotations"]):
            click.echo(f"Wrote {path}", err=True)
    if "annotations" in chosen:
        for line in annotations(results):
            click.echo(line)


def _apis(results: Mapping[str, Any], known: Mapping[str, Any]) -> list[Any]:
    """The APIs of results that are installed."""
    return [known[name] for name in results["apis"] if name in known]


@click.command(short_help="Make the reports of runs again, of several as of one.")
@click.argument("folders", metavar="DIR...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--into",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where to write; needed to merge. Default: the folder itself.",
)
@format_option
def report(*, folders: Sequence[Path], into: Path | None, formats: Sequence[str]) -> None:
    """Make the reports of a run again from its results.json, or one report of several runs.

    \b
    conformance report conformance-report --format sarif
    conformance report job-1 job-2 --into all

    Several runs become one, as if a single run had judged all of it: the jobs of a CI matrix can share the APIs or the
    rules (--rule) among them. They must have the same target, seed and options. The exit code is that of the verdict.
    """  # noqa: D301  (the backspace keeps click from joining the lines)
    with explained():
        from conformance.commands.running import exit_code
        from conformance.judging.merging import merged
        from conformance.judging.reading import read_results
        from conformance.reporting.files import make_folder
        from conformance.reporting.phrases import verdict_line

        if len(folders) > 1 and into is None:
            raise click.UsageError("Give --into DIR, the folder for the report of all of them.")
        target = into or (folders[0] if folders[0].is_dir() else folders[0].parent)
        parts = [(str(folder), read_results(folder)) for folder in folders]
        results = merged(parts) if len(parts) > 1 else parts[0][1]
        make_folder(target)
        write(results, target, formats)
        click.echo(verdict_line(results))
        raise click.exceptions.Exit(exit_code(results))
