"""The command line: options in, the work of the other modules, an exit code out."""

import io
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args

import click

from conformance import __version__
from conformance.commands.endings import INCONCLUSIVE, UNREAD, explained, stop_writing
from conformance.commands.faults import faults
from conformance.commands.rules import rules
from conformance.commands.vectors import vectors
from conformance.options import EXAMPLES, Options, PinAgentName, Recordable, TargetName, about_options, read_base_urls
from conformance.speed.garbage import look_no_more, look_seldom

# What a command needs is imported when it runs, so that help and the commands that need little stay quick.
# ruff: noqa: PLC0415

_Command = TypeVar("_Command", bound=Callable[..., Any])


def _option(field: str, *flags: str, **settings: Any) -> Callable[[_Command], _Command]:
    """The command's option for a field of `Options`, which says what it does."""
    about = about_options()[field]
    names = flags or (f"--{field.replace('_', '-')}",)
    return click.option(*names, field, metavar=about.metavar, help=about.help, **settings)


def _base_urls(context: click.Context, option: click.Parameter, given: Sequence[str]) -> dict[str, str]:
    """The base URLs by API.

    Raises:
        click.BadParameter: If one is not API=URL, or its URL is not what a base URL is.
    """
    try:
        return read_base_urls(given)
    except ValueError as error:
        raise click.BadParameter(str(error), context, option) from error


def _say_version(context: click.Context, option: click.Parameter, wanted: bool) -> None:  # noqa: ARG001, FBT001  (click's form of a callback)
    if wanted:
        with explained():
            click.echo(f"conformance {__version__}")
            raise click.exceptions.Exit


class _Workers(click.IntRange):
    """A number of processes, or ``auto``, which is None."""

    def __init__(self) -> None:
        super().__init__(min=1)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "auto":
            return None
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            self.fail(f"{value!r} is neither a number from 1 up nor auto.", param, ctx)


apis_argument = click.argument("apis", metavar="[API]...", nargs=-1)
base_urls_option = _option("base_urls", "--base-url", multiple=True, callback=_base_urls)
rule_option = _option("rule", multiple=True)
cassettes_option = _option("cassettes", type=click.Path(file_okay=False, path_type=Path))
seed_option = _option("seed")
allow_wait_option = _option("allow_wait", is_flag=True)
pin_agent_option = _option("pin_agent", type=click.Choice(get_args(PinAgentName)))
examples_option = _option("examples", type=click.IntRange(min=1), default=EXAMPLES, show_default=True)


class _InOrder(click.Group):
    """Commands whose help lists them in the order of this file, the most used first."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of the commands."""
        del ctx
        return list(self.commands)


@click.group(
    "conformance",
    cls=_InOrder,
    epilog="Exit codes: 0 conforms, 1 fails, 2 wrong usage or unreadable files, 3 inconclusive.",
    no_args_is_help=True,
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_say_version,
    help="Say which version this is, and stop.",
)
def app() -> None:
    """Judge crypto wallet APIs by their own documents, from recordings, in a reference sandbox or live."""


@app.command()
@apis_argument
@_option("target", type=click.Choice(get_args(TargetName)), default="replay", show_default=True)
@base_urls_option
@rule_option
@click.option(
    "--report",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write results.json, report.html and junit.xml there.",
)
@cassettes_option
@seed_option
@_option("strict", is_flag=True)
@allow_wait_option
@pin_agent_option
@_option("workers", type=_Workers(), default="auto", show_default=True)
@examples_option
def run(*, report: Path | None, **given: Any) -> None:
    """Judge APIs, rule by rule.

    All APIs are judged if none is named. replay judges the recordings, offline and in seconds. sandbox judges the
    reference sandbox, live your vendor's server with settings from the environment or .env, documents what the vendor's
    own documents print.
    """
    with explained():
        options = Options(**given)
        if report:
            from conformance.reporting.files import make_folder

            make_folder(report)
        results = _run(options)
        if report:
            from conformance.reporting.files import write_reports

            for path in write_reports(results, report):
                click.echo(f"Wrote {path}", err=True)
        raise click.exceptions.Exit(_exit_code(results))


@app.command()
@apis_argument
@click.option("--target", type=click.Choice(get_args(Recordable)), required=True, help="What is recorded.")
@base_urls_option
@rule_option
@cassettes_option
@seed_option
@allow_wait_option
@pin_agent_option
@examples_option
def record(**given: Any) -> None:
    """Run the tests and write what passes as cassettes, without secrets.

    A test that fails, is blocked or skipped leaves its cassette as it was. The exit code is that of the run.
    """
    with explained():
        options = Options(**given, record=True)
        from conformance.api import selected_apis
        from conformance.commands.recording import Recording

        recording = Recording(options, selected_apis(options.apis))
        results = _run(options)
        for line in recording.lines(results):
            click.echo(line)
        raise click.exceptions.Exit(_exit_code(results))


@app.command()
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
    help="A deliberate wrong behaviour; module:Class for one of your own. May be repeated.",
)
@click.option(
    "--variation",
    metavar="NAME",
    multiple=True,
    help="Another behaviour that the documents permit; module:Class for one of your own. May be repeated.",
)
@click.option(
    "--seed", metavar="N", default="sandbox", show_default=True, help="What ids and credentials are derived from."
)
def sandbox(*, port: int, host: str, fault: Sequence[str], variation: Sequence[str], seed: str) -> None:
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
    """  # noqa: D301  (the backspace keeps click from joining the lines)
    with explained():
        from conformance.api import selected_apis
        from conformance.sandbox.introduction import introduction
        from conformance.sandbox.server import RunningSandbox, serve
        from conformance.settings import is_loopback

        def introduce(running: RunningSandbox) -> None:
            click.echo(introduction(running.origin, selected_apis([])))

        loopback = is_loopback(host)
        if not loopback:
            click.echo(f"Everybody who reaches {host} can use this sandbox and its control routes.", err=True)
        serve(port, host, (*fault, *variation), seed, started=introduce, beyond_loopback=not loopback)
        click.echo("Stopped.", err=True)


@app.command()
@click.option("--probe", metavar="API", help="Find out on a harmless GET what the live server of this API accepts.")
def doctor(*, probe: str | None) -> None:
    """Check the installation, and say of each problem what to do. Exit code 1 if there is one."""
    with explained():
        from conformance.api import selected_apis
        from conformance.commands.doctor import answers, examine

        if probe:
            for result in answers(selected_apis([probe])[0]):
                click.echo(f"{result.question} {result.answer}" + (f"\n  {result.detail}" if result.detail else ""))
                if not result.conclusive:
                    raise click.exceptions.Exit(INCONCLUSIVE)
            return
        healthy = True
        for check in examine():
            healthy = healthy and check.ok
            click.echo(f"{'ok' if check.ok else 'problem':<9}{check.subject}: {check.detail}")
        raise click.exceptions.Exit(0 if healthy else 1)


@app.command("new-api")
@click.argument("name", metavar="NAME")
@click.option(
    "--openapi",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="Its OpenAPI description, 3.0 or 3.1.",
)
def new_api(*, name: str, openapi: Path) -> None:
    """Write ./NAME, the package of a new API: rules, suite, client and sandbox drafted from its description.

    Every rule is inferred until you name the document that says it. Nothing that exists is overwritten.
    """
    with explained():
        from conformance.commands.new_api.package import write_package

        written = write_package(name, openapi, Path.cwd())
        click.echo(f"Wrote {len(written)} files to {name}/. Next:")
        click.echo(f"  pip install -e ./{name}\n  conformance run {name} --target sandbox")


for group in (rules, vectors, faults):
    app.add_command(group)


def main() -> None:
    """The console script; what an encoding cannot show is written as an escape."""
    look_seldom()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        try:
            app()
        finally:
            _flush_progress()
            sys.stdout.flush()
            look_no_more()
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
