"""``conformance sandbox``: the reference sandbox, served until it is stopped, and the judge of whoever asks it."""

from collections.abc import Sequence
from pathlib import Path

import click

from conformance.commands import completion
from conformance.commands.endings import explained
from conformance.commands.traffic import conclude

# What the command needs is imported when it runs, so that help stays quick.
# ruff: noqa: PLC0415


@click.command()
@click.option(
    "--port",
    metavar="N",
    type=click.IntRange(0, 65535),
    default=8080,
    show_default=True,
    help="The port; 0 for any that is free.",
)
@click.option("--host", metavar="HOST", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--fault",
    metavar="NAME",
    multiple=True,
    shell_complete=completion.faults,
    help="A deliberate wrong behaviour; module:Class for one of your own. May be repeated.",
)
@click.option(
    "--variation",
    metavar="NAME",
    multiple=True,
    shell_complete=completion.variations,
    help="Another behaviour that the documents permit; module:Class for one of your own. May be repeated.",
)
@click.option(
    "--seed", metavar="N", default="sandbox", show_default=True, help="What ids and credentials are derived from."
)
@click.option(
    "--allow-host",
    metavar="HOST",
    multiple=True,
    help="A name besides those of loopback at which the control routes answer. May be repeated.",
)
@click.option("--judge", is_flag=True, help="Judge your client: a line for each request, and a verdict at the end.")
@click.option("--provoke", is_flag=True, help="With --judge: show from customer to customer another odd server.")
@click.option("--strict", is_flag=True, help="With --judge: inferred rules count as their level says.")
@click.option(
    "--report",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="With --judge: write results.json, report.html and junit.xml there.",
)
def sandbox(
    *,
    port: int,
    host: str,
    fault: Sequence[str],
    variation: Sequence[str],
    seed: str,
    allow_host: Sequence[str],
    judge: bool,
    provoke: bool,
    strict: bool,
    report: Path | None,
) -> None:
    """Serve the reference sandbox until Ctrl-C.

    It prints base URLs, made-up credentials with a key pair, and a first request to copy. Its clock runs in real time.
    With --judge it judges your client by the rules for clients; the exit code is that of the verdict.

    \b
    Commands to it, at its origin (of one world: /_sandbox/worlds/ID/...):
    GET  /_sandbox            base URLs, credentials, clock, faults
    POST /_sandbox/clock      {"advance_seconds": 3600}: time passes at once
    PUT  /_sandbox/faults     ["NAME"]: these faults from now on
    PUT  /_sandbox/variations ["NAME"]: these variations from now on
    PUT  /_sandbox/webhook    {"url": "http://127.0.0.1:8765/"}: where webhooks go
    GET  /_sandbox/requests   what was asked and answered, and what it breaks; ?format=har
    GET  /_sandbox/deliveries webhooks: the receiver's answers, the next try
    GET  /_sandbox/findings   what your client does right and wrong, rule by rule
    POST /_sandbox/reset      as it was at its start
    POST /_sandbox/worlds     another world with a clock and state of its own
    POST /_sandbox/offblocks/customers                {"state": "active"}: a customer at once
    POST /_sandbox/planbok/customers                  {"state": "active", "wallets": ["ETH"]}
    POST /_sandbox/planbok/challenges/{id}/pin        {"pin": "482913"}: the person at the page
    POST /_sandbox/planbok/challenges/{id}/cancel     {}
    """  # noqa: D301  (the backspace keeps click from joining the lines)
    with explained():
        from conformance.api import selected_apis
        from conformance.sandbox.introduction import introduction
        from conformance.sandbox.server import RunningSandbox, serve
        from conformance.settings import is_loopback

        if not judge and (provoke or strict or report):
            raise click.UsageError("--provoke, --strict and --report are for --judge.")
        if report:
            from conformance.reporting.files import make_folder

            make_folder(report)

        def introduce(running: RunningSandbox) -> None:
            click.echo(introduction(running, selected_apis([])))

        loopback = is_loopback(host)
        if not loopback:
            click.echo(f"Everybody who reaches {host} can use this sandbox and its control routes.", err=True)
        if judge:
            from conformance.commands.clients import judge_until_stopped

            results = judge_until_stopped(
                port,
                host,
                (*fault, *variation),
                seed,
                say=click.echo,
                beyond_loopback=not loopback,
                provoke=provoke,
                strict=strict,
                allowed_hosts=allow_host,
            )
            conclude(results, report)
        serve(
            port,
            host,
            (*fault, *variation),
            seed,
            started=introduce,
            beyond_loopback=not loopback,
            allowed_hosts=allow_host,
        )
        click.echo("Stopped.", err=True)
