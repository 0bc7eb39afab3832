"""The commands `conformance faults`, `conformance faults check` and `conformance faults mutants`."""

import json
import os
from collections.abc import Sequence
from pathlib import Path

import click

from conformance import ConformanceError
from conformance.commands import completion
from conformance.commands.endings import explained
from conformance.commands.searching import count, holds, search_option

# What a command needs is imported when it runs, so that help and the commands that need little stay quick.
# ruff: noqa: PLC0415


@click.group(
    invoke_without_command=True,
    short_help="List the faults and variations of the sandbox, or measure what the suite catches.",
)
@search_option
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_context
def faults(context: click.Context, *, words: Sequence[str], as_json: bool) -> None:
    """List the faults with the rules that they break, and the variations with what permits them.

    --search looks in names, in what they do, and in what they break or what permits them.
    """
    if context.invoked_subcommand is not None:
        if words:
            raise click.UsageError("--search lists faults; it does not go with another command.")
        return
    with explained():
        from conformance.matrix.trials import listing

        known = listing()
        found = {
            section: [
                each
                for each in entries
                if holds(words, (each["name"], each["title"], each.get("permits", ""), *each.get("breaks", ())))
            ]
            for section, entries in known.items()
        }
        if as_json:
            click.echo(json.dumps(found, indent=2, ensure_ascii=False))
            return
        from conformance.reporting.faults import write_listing
        from conformance.reporting.lines import Output

        counted = [count(len(found[section]), len(known[section]), section, words) for section in found]
        write_listing(found, ", ".join(counted), Output())


@faults.command("check", short_help="Measure which faults and mutations the suite catches.")
@click.argument("names", metavar="[NAME]...", nargs=-1, shell_complete=completion.faults_and_variations)
@click.option(
    "--json",
    "file",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the matrix there.",
)
@click.option(
    "--workers",
    metavar="N",
    type=click.IntRange(min=1),
    help="How many processes share the work. Default: one a processor.",
)
@click.option("--scheduler", metavar="ADDRESS", help="Let the workers of this Dask cluster do the work instead.")
@click.option(
    "--resume",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Continue this matrix, which was interrupted.",
)
def check_faults(
    *, names: Sequence[str], file: Path | None, workers: int | None, scheduler: str | None, resume: Path | None
) -> None:
    """Measure which faults and mutations the suite catches, and which permitted variations it takes for one.

    NAME is a fault, mutation or variation; * matches any text, module:Class is one of your own. Default: all.

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
        measured = Matrix(trials(names), read(resume) if resume else None)
        if measured.is_of_other_source:
            click.echo(
                f"The suite or the sandbox has changed since {resume} was begun; what stands in it is not tried again.",
                err=True,
            )
        fill(measured, file or resume, workers, scheduler)
        found = measured.to_json()
        is_good_enough = holds(found["summary"])
        write_matrix(found, Output(), holds=is_good_enough)
        raise click.exceptions.Exit(0 if is_good_enough else 1)


@faults.command("mutants", short_help="Measure which changes of the sandbox's source it catches.")
@click.option(
    "--sample",
    "size",
    metavar="N",
    type=click.IntRange(min=1),
    help="Try so many, drawn by the seed. Default: all there are.",
)
@click.option("--seed", metavar="N", type=int, help="What they are drawn by. Default: 0, or that of --resume.")
@click.option(
    "--workers",
    metavar="N",
    type=click.IntRange(min=1),
    help="How many processes share the work. Default: one a processor.",
)
@click.option(
    "--json", "file", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path), help="Write the table there."
)
@click.option(
    "--resume",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Continue this table; what it has of unchanged source is not tried again.",
)
@click.option(
    "--reasons",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="What people said of mutants that nothing catches: YAML, by id.",
)
def try_mutants(
    *,
    size: int | None,
    seed: int | None,
    workers: int | None,
    file: Path | None,
    resume: Path | None,
    reasons: Path | None,
) -> None:
    """Change the sandbox's own source by operators that know no rule, and measure how many changes the suite catches.

    A changed sandbox is judged as `conformance run --target sandbox` judges; only the tests that execute the changed
    line and are answered otherwise are run, until a rule is worse. It needs the extra "mutants". Exit codes: 0 at least
    95 % are caught of those that are neither equivalent nor left open by the documents, an estimate of those that no
    answer shows included; 1 fewer are; 2 wrong usage; 3 the suite broke.
    """
    with explained():
        from conformance.commands.measurement import fill
        from conformance.mutants.figures import holds, is_unseen
        from conformance.mutants.form import read, read_reasons
        from conformance.mutants.mutants import draw
        from conformance.mutants.table import Table
        from conformance.reporting.lines import Output
        from conformance.reporting.mutants import write_mutants

        os.environ["PYTHONHASHSEED"] = "0"  # a set of texts has the same order in each process that is started
        table = Table(size, seed, read(resume) if resume else None, read_reasons(reasons) if reasons else None)
        fill(table, file or resume, workers, shortfall="not caught")
        found = table.to_json()
        unseen = [entry["id"] for entry in found["mutants"] if is_unseen(entry)]
        is_good_enough = holds(found["summary"])
        write_mutants(found, sorted(unseen, key=lambda name: draw(name, table.seed)), Output(), holds=is_good_enough)
        raise click.exceptions.Exit(0 if is_good_enough else 1)
