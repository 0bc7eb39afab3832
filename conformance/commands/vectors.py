"""The commands `conformance vectors` and `conformance vectors check`."""

import json
from typing import Annotated

import typer

from conformance.commands.endings import INCONCLUSIVE, explained
from conformance.vectors import Side

# What a command needs is imported when it runs, so that help and the commands that need little stay quick.
# ruff: noqa: PLC0415

vectors_app = typer.Typer(help="Count the vectors, or check a signer or verifier by them.", invoke_without_command=True)


@vectors_app.callback()
def vectors(
    *,
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Count the vectors by file, by what may be sent and by what must be accepted, or check an adapter by them."""
    if context.invoked_subcommand is not None:
        return
    with explained():
        from conformance.reporting.lines import Output
        from conformance.reporting.tables import write_counts
        from conformance.vectors.cases import counts, load

        counted = counts(load())
        if as_json:
            total = sum(each["cases"] for each in counted)
            typer.echo(json.dumps({"cases": total, "files": counted}, indent=2))
            return
        write_counts(counted, Output())


@vectors_app.command("check")
def check_vectors(
    *,
    adapter: Annotated[str, typer.Option(metavar="COMMAND", help="The program that answers for your code.")],
    side: Annotated[list[Side] | None, typer.Option(help="What it is asked. May be repeated; default: both.")] = None,
) -> None:
    """Check a signer or verifier in any language by the vectors.

    COMMAND is started once, reads one JSON line a case and writes one; docs/adapters.md says what. Exit codes: 0 all
    right, 1 some wrong, 2 wrong usage, 3 inconclusive: nothing supported, or the adapter broke.
    """
    with explained():
        from conformance.reporting.lines import Output
        from conformance.reporting.tables import write_comparisons
        from conformance.vectors.adapters import Outcome, ask, compare, questions
        from conformance.vectors.cases import load

        sides = side or list(Side)
        asked = load()
        compared = compare(asked, ask(adapter, questions(asked, sides)), sides)
        write_comparisons([each.to_json() for each in compared], list(Outcome), Output())
        outcomes = {each.outcome for each in compared}
        if Outcome.WRONG in outcomes:
            raise typer.Exit(1)
        raise typer.Exit(0 if Outcome.RIGHT in outcomes else INCONCLUSIVE)
