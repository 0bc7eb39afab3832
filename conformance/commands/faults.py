"""The commands `conformance faults` and `conformance faults check`."""

import json
from pathlib import Path
from typing import Annotated

import typer

from conformance import ConformanceError
from conformance.commands.endings import explained

# What a command needs is imported when it runs, so that help and the commands that need little stay quick.
# ruff: noqa: PLC0415

faults_app = typer.Typer(
    help="List the faults and variations of the sandbox, or measure what the suite catches.",
    invoke_without_command=True,
)


@faults_app.callback()
def faults(
    *,
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """List the faults with the rules that they break, and the variations with what permits them."""
    if context.invoked_subcommand is not None:
        return
    with explained():
        from conformance.matrix.trials import listing

        found = listing()
        if as_json:
            typer.echo(json.dumps(found, indent=2, ensure_ascii=False))
            return
        from conformance.reporting.faults import write_listing
        from conformance.reporting.lines import Output

        write_listing(found, Output())


@faults_app.command("check")
def check_faults(
    *,
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME",
            help="Faults, mutations and variations; * matches any text, module:Class is one of your own. Default: all.",
        ),
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", dir_okay=False, help="Write the matrix there.")
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="How many processes share the work. Default: one a processor."),
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Let the workers of this Dask cluster do the work instead."),
    ] = None,
    resume: Annotated[
        Path | None,
        typer.Option(metavar="FILE", dir_okay=False, help="Continue this matrix, which was interrupted."),
    ] = None,
) -> None:
    """Measure which faults and mutations the suite catches, and which permitted variations it takes for one.

    All of them take some 15 minutes on two processors. Exit codes: 0 all faults and 98 % of the mutations are caught,
    95 % of the faults are attributed and no variation raises an alarm; 1 something falls short; 2 wrong usage; 3 the
    suite broke.
    """
    with explained():
        from conformance.commands.measurement import fill
        from conformance.matrix.filling import Matrix
        from conformance.matrix.form import read
        from conformance.matrix.judgement import holds
        from conformance.matrix.trials import trials
        from conformance.reporting.faults import write_matrix
        from conformance.reporting.lines import Output

        if workers and scheduler:
            raise ConformanceError(
                "--workers is for this machine; with --scheduler the cluster says how many there are."
            )
        measured = Matrix(trials(names or ()), read(resume) if resume else None)
        if measured.is_of_other_source:
            typer.echo(
                f"The suite or the sandbox has changed since {resume} was begun; what stands in it is not tried again.",
                err=True,
            )
        fill(measured, file or resume, workers, scheduler)
        found = measured.to_json()
        is_good_enough = holds(found["summary"])
        write_matrix(found, Output(), holds=is_good_enough)
        raise typer.Exit(0 if is_good_enough else 1)
