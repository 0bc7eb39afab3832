"""The command `conformance drift`."""

from collections.abc import Sequence
from pathlib import Path

import click

from conformance.commands.endings import explained

# What a command needs is imported when it runs, so that help and the commands that need little stay quick.
# ruff: noqa: PLC0415

FORMATS = ("terminal", "json", "markdown", "sarif")
"""The forms in which what changed is written."""
FAILING = ("breaking", "risky", "any")
"""What a comparison can fail on: the level named, or a worse one."""


@click.command(short_help="Tell what changed, and what a client must change.")
@click.argument("given", metavar="BEFORE AFTER | CASSETTES [API]...", nargs=-1)
@click.option(
    "--target", type=click.Choice(["sandbox", "live"]), help="Compare the recordings with what this answers now."
)
@click.option("--base-url", "base_urls", metavar="API=URL", multiple=True, help="With --target: where the API runs.")
@click.option(
    "--documents",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="A newer copy of a document, HTML or text from a browser, to compare with the statements of --api.",
)
@click.option("--api", metavar="API", help="Whose document it is.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="terminal", show_default=True, help="The form.")
@click.option(
    "--fail-on", type=click.Choice(FAILING), default="breaking", show_default=True, help="What makes the exit code 1."
)
def drift(
    *,
    given: Sequence[str],
    target: str | None,
    base_urls: Sequence[str],
    documents: Path | None,
    api: str | None,
    form: str,
    fail_on: str,
) -> None:
    """Tell what changed, how bad it is for a client, and what the client must change.

    \b
    conformance drift OLD.yaml NEW.yaml            two OpenAPI descriptions
    conformance drift OLD/results.json NEW/results.json
    conformance drift OLD-CASSETTES NEW-CASSETTES  two folders of recordings
    conformance drift CASSETTES --target live      recordings, and the server now
    conformance drift --documents PAGE.html --api offblocks

    Exit codes: 0 nothing that --fail-on names, 1 something, 2 what cannot be read or compared.
    """  # noqa: D301  (the backspace keeps click from joining the lines)
    with explained():
        from conformance.commands.comparison import with_documents, with_now, with_one_another
        from conformance.options import read_base_urls
        from conformance.reporting.drift import fails, write

        if documents:
            if given or target or not api:
                raise click.UsageError("--documents FILE goes with --api API alone.")
            found = with_documents(documents, api)
        elif target:
            if not given or api:
                raise click.UsageError("--target goes with the folder of cassettes, and the names of APIs if you like.")
            try:
                urls = read_base_urls(base_urls)
            except ValueError as error:
                raise click.BadParameter(str(error), param_hint="--base-url") from error
            found = with_now(Path(given[0]), target, given[1:], urls)
        else:
            if len(given) != 2 or base_urls or api:  # noqa: PLR2004  (before and after)
                raise click.UsageError("Give two things to compare, or one with --target, or --documents with --api.")
            found = with_one_another(Path(given[0]), Path(given[1]))
        told = found.to_json()
        write(told, form)
        raise click.exceptions.Exit(1 if fails(told, fail_on) else 0)
