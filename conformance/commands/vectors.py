"""The commands `conformance vectors` and `conformance vectors check`."""

import json
from collections.abc import Sequence

import click

from conformance.commands.endings import INCONCLUSIVE, explained
from conformance.commands.searching import count, holds, search_option
from conformance.vectors import Side

# What a command needs is imported when it runs, so that help and the commands that need little stay quick.
# ruff: noqa: PLC0415


@click.group(invoke_without_command=True, short_help="Count the vectors, or check a signer or verifier by them.")
@search_option
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_context
def vectors(context: click.Context, *, words: Sequence[str], as_json: bool) -> None:
    """Count the vectors by file, by what may be sent and by what must be accepted, or check an adapter by them.

    --search lists the cases whose id, title, reason or rule holds the words.
    """
    if context.invoked_subcommand is not None:
        if words:
            raise click.UsageError("--search lists vectors; it does not go with check.")
        return
    with explained():
        from conformance.reporting.lines import Output
        from conformance.reporting.tables import write_cases, write_counts
        from conformance.vectors.cases import counts, load

        known = load()
        if words:
            found = [
                each.to_json() for each in known if holds(words, (each.id, each.title, each.reason, each.rule or ""))
            ]
            if as_json:
                click.echo(json.dumps(found, indent=2, ensure_ascii=False))
                return
            write_cases(found, count(len(found), len(known), "cases", words), Output())
            return
        counted = counts(known)
        if as_json:
            total = sum(each["cases"] for each in counted)
            click.echo(json.dumps({"cases": total, "files": counted}, indent=2))
            return
        write_counts(counted, Output())


@vectors.command("check")
@click.option("--adapter", metavar="COMMAND", required=True, help="The program that answers for your code.")
@click.option(
    "--side",
    "named",
    type=click.Choice([side.value for side in Side]),
    multiple=True,
    help="What it is asked. May be repeated; default: both.",
)
def check_vectors(*, adapter: str, named: Sequence[str]) -> None:
    """Check a signer or verifier in any language by the vectors.

    COMMAND is started once, reads one JSON line a case and writes one; docs/adapters.md says what. Exit codes: 0 all
    right, 1 some wrong, 2 wrong usage, 3 inconclusive: nothing supported, or the adapter broke.
    """
    with explained():
        from conformance.reporting.lines import Output
        from conformance.reporting.tables import write_comparisons
        from conformance.vectors.adapters import Outcome, ask, compare, questions
        from conformance.vectors.cases import load

        sides = [Side(each) for each in named or Side]
        asked = load()
        compared = compare(asked, ask(adapter, questions(asked, sides)), sides)
        write_comparisons([each.to_json() for each in compared], list(Outcome), Output())
        outcomes = {each.outcome for each in compared}
        if Outcome.WRONG in outcomes:
            raise click.exceptions.Exit(1)
        raise click.exceptions.Exit(0 if Outcome.RIGHT in outcomes else INCONCLUSIVE)
