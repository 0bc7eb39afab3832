"""The command line: options in, the work of the other modules, an exit code out."""

import io
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from conformance import __version__
from conformance.commands.endings import INCONCLUSIVE, UNREAD, explained, stop_writing
from conformance.commands.faults import faults_app
from conformance.commands.rules import rules_app
from conformance.commands.vectors import vectors_app
from conformance.options import EXAMPLES, Options, PinAgentName, Recordable, TargetName, about_options, read_base_urls

# What a command needs is imported when it runs, so that help and the commands that need little stay quick.
# ruff: noqa: PLC0415

app = typer.Typer(
    name="conformance",
    help="Judge crypto wallet APIs by their own documents, from recordings, in a reference sandbox or live.",
    epilog="Exit codes: 0 conforms, 1 fails, 2 wrong usage or unreadable files, 3 inconclusive.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(rules_app, name="rules")
app.add_typer(vectors_app, name="vectors")
app.add_typer(faults_app, name="faults")


def _option(field: str, *flags: str, **settings: Any) -> Any:
    """The command's option for a field of `Options`, which says what it does."""
    about = about_options()[field]
    return typer.Option(*flags, metavar=about.metavar, help=about.help, **settings)


Apis = Annotated[list[str] | None, typer.Argument(metavar="API", help=about_options()["apis"].help)]
BaseUrls = Annotated[list[str] | None, _option("base_urls", "--base-url")]
RulePatterns = Annotated[list[str] | None, _option("rule", "--rule")]
Cassettes = Annotated[Path | None, _option("cassettes", file_okay=False)]
Seed = Annotated[str | None, _option("seed")]
PinAgents = Annotated[PinAgentName | None, _option("pin_agent")]
Examples = Annotated[int, _option("examples", min=1)]
AllowWait = Annotated[bool, _option("allow_wait", "--allow-wait")]


def _say_version(wanted: bool) -> None:  # noqa: FBT001  (typer's form of a callback)
    if wanted:
        with explained():
            typer.echo(f"conformance {__version__}")
            raise typer.Exit


@app.callback(no_args_is_help=True)
def conformance(
    *,
    version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=_say_version, help="Say which version this is, and stop."),
    ] = False,
) -> None:
    """Options that stand before any command."""


@app.command()
def run(
    *,
    apis: Apis = None,
    target: Annotated[TargetName, _option("target")] = "replay",
    base_url: BaseUrls = None,
    rule: RulePatterns = None,
    report: Annotated[
        Path | None,
        typer.Option(metavar="DIR", file_okay=False, help="Write results.json, report.html and junit.xml there."),
    ] = None,
    cassettes: Cassettes = None,
    seed: Seed = None,
    strict: Annotated[bool, _option("strict", "--strict")] = False,
    allow_wait: AllowWait = False,
    pin_agent: PinAgents = None,
    workers: Annotated[int, _option("workers", min=1)] = 1,
    examples: Examples = EXAMPLES,
) -> None:
    """Judge APIs, rule by rule.

    replay judges the recordings, offline and in seconds. sandbox judges the reference sandbox, live your vendor's
    server with settings from the environment or .env, documents what the vendor's own documents print.
    """
    with explained():
        options = Options(
            apis=tuple(apis or ()),
            target=target,
            base_urls=_base_urls(base_url or ()),
            rule=tuple(rule or ()),
            cassettes=cassettes,
            seed=seed,
            strict=strict,
            allow_wait=allow_wait,
            pin_agent=pin_agent,
            workers=workers,
            examples=examples,
        )
        if report:
            from conformance.reporting.files import make_folder

            make_folder(report)
        results = _run(options)
        if report:
            from conformance.reporting.files import write_reports

            for path in write_reports(results, report):
                typer.echo(f"Wrote {path}", err=True)
        raise typer.Exit(_exit_code(results))


@app.command()
def record(
    *,
    apis: Apis = None,
    target: Annotated[Recordable, typer.Option(help="What is recorded.")],
    base_url: BaseUrls = None,
    rule: RulePatterns = None,
    cassettes: Cassettes = None,
    seed: Seed = None,
    allow_wait: AllowWait = False,
    pin_agent: PinAgents = None,
    examples: Examples = EXAMPLES,
) -> None:
    """Run the tests and write what passes as cassettes, without secrets.

    A test that fails, is blocked or skipped leaves its cassette as it was. The exit code is that of the run.
    """
    with explained():
        options = Options(
            apis=tuple(apis or ()),
            target=target,
            base_urls=_base_urls(base_url or ()),
            rule=tuple(rule or ()),
            cassettes=cassettes,
            seed=seed,
            allow_wait=allow_wait,
            pin_agent=pin_agent,
            record=True,
            examples=examples,
        )
        from conformance.api import selected_apis
        from conformance.commands.recording import Recording

        recording = Recording(options, selected_apis(options.apis))
        results = _run(options)
        for line in recording.lines(results):
            typer.echo(line)
        raise typer.Exit(_exit_code(results))


@app.command()
def sandbox(
    *,
    port: Annotated[int, typer.Option(metavar="N", min=0, max=65535, help="The port; 0 for any that is free.")] = 8080,
    host: Annotated[str, typer.Option(metavar="HOST", help="The address to listen on.")] = "127.0.0.1",
    fault: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="A deliberate wrong behaviour; module:Class for one of your own. May be repeated.",
        ),
    ] = None,
    variation: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Another behaviour that the documents permit; module:Class for one of your own. May be repeated.",
        ),
    ] = None,
    seed: Annotated[str, typer.Option(metavar="N", help="What ids and credentials are derived from.")] = "sandbox",
) -> None:
    """Serve the reference sandbox until Ctrl-C.

    It prints base URLs, made-up credentials with a key pair, and a first request to copy. Its clock runs in real time.

    \b
    Commands to it, at its origin (of one world: /_sandbox/worlds/ID/...):
    GET  /_sandbox            base URLs, credentials, clock, faults
    POST /_sandbox/clock      {"advance_seconds": 3600}: time passes at once
    PUT  /_sandbox/faults     ["NAME"]: these faults and variations from now on
    PUT  /_sandbox/webhook    {"url": "http://127.0.0.1:8765/"}: where webhooks go
    GET  /_sandbox/requests   what was asked and answered
    POST /_sandbox/reset      as it was at its start
    POST /_sandbox/worlds     another world with a clock and state of its own
    """  # noqa: D301  (the backspace keeps typer from joining the lines)
    with explained():
        from conformance.api import selected_apis
        from conformance.sandbox.introduction import introduction
        from conformance.sandbox.server import RunningSandbox, serve
        from conformance.settings import is_loopback

        def introduce(running: RunningSandbox) -> None:
            typer.echo(introduction(running.origin, selected_apis([])))

        loopback = is_loopback(host)
        if not loopback:
            typer.echo(f"Everybody who reaches {host} can use this sandbox and its control routes.", err=True)
        names = (*(fault or ()), *(variation or ()))
        serve(port, host, names, seed, started=introduce, beyond_loopback=not loopback)
        typer.echo("Stopped.", err=True)


@app.command()
def doctor(
    probe: Annotated[
        str | None,
        typer.Option(metavar="API", help="Find out on a harmless GET what the live server of this API accepts."),
    ] = None,
) -> None:
    """Check the installation, and say of each problem what to do. Exit code 1 if there is one."""
    with explained():
        from conformance.api import selected_apis
        from conformance.commands.doctor import answers, examine

        if probe:
            for result in answers(selected_apis([probe])[0]):
                typer.echo(f"{result.question} {result.answer}" + (f"\n  {result.detail}" if result.detail else ""))
                if not result.conclusive:
                    raise typer.Exit(INCONCLUSIVE)
            return
        healthy = True
        for check in examine():
            healthy = healthy and check.ok
            typer.echo(f"{'ok' if check.ok else 'problem':<9}{check.subject}: {check.detail}")
        raise typer.Exit(0 if healthy else 1)


@app.command("new-api")
def new_api(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What commands call it, such as acme.")],
    *,
    openapi: Annotated[Path, typer.Option(metavar="FILE", dir_okay=False, help="Its OpenAPI description, 3.0 or 3.1.")],
) -> None:
    """Write ./NAME, the package of a new API: rules, suite, client and sandbox drafted from its description.

    Every rule is inferred until you name the document that says it. Nothing that exists is overwritten.
    """
    with explained():
        from conformance.commands.new_api.package import write_package

        written = write_package(name, openapi, Path.cwd())
        typer.echo(f"Wrote {len(written)} files to {name}/. Next:")
        typer.echo(f"  pip install -e ./{name}\n  conformance run {name} --target sandbox")


def main() -> None:
    """The console script; what an encoding cannot show is written as an escape."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        try:
            app()
        finally:
            _flush_progress()
            sys.stdout.flush()
    except BrokenPipeError:
        stop_writing(sys.stdout)
        sys.exit(UNREAD)


def _flush_progress() -> None:
    """Write the rest of standard error; that nobody reads it does not change how a command ends."""
    try:
        sys.stderr.flush()
    except BrokenPipeError:
        stop_writing(sys.stderr)


# --------------------------------------------------------------------------------------------------------------- runs


def _run(options: Options) -> dict[str, Any]:
    """Run with progress on standard error, and the summary on standard output."""
    from conformance.reporting.console import Progress, summary
    from conformance.reporting.lines import Output
    from conformance.run import run as judge

    with Progress(Output(stderr=True)) as progress:
        results = judge(options, progress)
    summary(results, Output())
    return results


def _exit_code(results: dict[str, Any]) -> int:
    from conformance.verdicts import Conclusion

    return Conclusion(results["verdict"]).exit_code


def _base_urls(given: Iterable[str]) -> dict[str, str]:
    """The base URLs by API.

    Raises:
        typer.BadParameter: If one is not API=URL, or its URL is not what a base URL is.
    """
    try:
        return read_base_urls(given)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--base-url") from error
