"""The command line: options in, the work of the other modules, an exit code out."""

import io
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args

import click

from conformance import __version__
from conformance.commands import baselines, completion
from conformance.commands.drift import drift
from conformance.commands.endings import INCONCLUSIVE, ended, explained, stopped_by
from conformance.commands.explain_secrets import explain
from conformance.commands.faults import faults
from conformance.commands.judge import judge as judge_command
from conformance.commands.proxy import proxy
from conformance.commands.reports import check_formats, format_option
from conformance.commands.reports import report as report_command
from conformance.commands.reports import write as write_forms
from conformance.commands.rules import rules
from conformance.commands.running import exit_code, judge
from conformance.commands.sandbox import sandbox
from conformance.commands.traffic import base_urls_of
from conformance.commands.vectors import vectors
from conformance.commands.webhooks import webhooks
from conformance.options import EXAMPLES, Options, PinAgentName, Recordable, TargetName, about_options, read_age
from conformance.speed.garbage import look_no_more, look_seldom

# What a command needs is imported when it runs, so that help and the commands that need little stay quick.
# ruff: noqa: PLC0415

_Command = TypeVar("_Command", bound=Callable[..., Any])


def _option(field: str, *flags: str, **settings: Any) -> Callable[[_Command], _Command]:
    """The command's option for a field of `Options`, which says what it does."""
    about = about_options()[field]
    names = flags or (f"--{field.replace('_', '-')}",)
    return click.option(*names, field, metavar=about.metavar, help=about.help, **settings)


def _say_version(context: click.Context, option: click.Parameter, wanted: bool) -> None:  # noqa: ARG001, FBT001  (click's form of a callback)
    if wanted:
        with explained():
            click.echo(f"conformance {__version__}")
            raise click.exceptions.Exit


def _age(context: click.Context, option: click.Parameter, value: str | None) -> int | None:
    try:
        return None if value is None else read_age(value)
    except ValueError as error:
        raise click.BadParameter(f"{error}.", context, option) from error


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


apis_argument = click.argument("apis", metavar="[API]...", nargs=-1, shell_complete=completion.apis)
base_urls_option = _option("base_urls", "--base-url", multiple=True, callback=base_urls_of)
rule_option = _option("rule", multiple=True, shell_complete=completion.rules)
cassettes_option = _option("cassettes", type=click.Path(file_okay=False, path_type=Path))
seed_option = _option("seed")
allow_wait_option = _option("allow_wait", is_flag=True)
pin_agent_option = _option("pin_agent", type=click.Choice(get_args(PinAgentName)))
screenshots_option = _option("screenshots", type=click.Path(file_okay=False, path_type=Path))
rate_option = _option("rate", type=click.FloatRange(min=0.1))
max_requests_option = _option("max_requests", type=click.IntRange(min=1))
allow_production_option = _option("allow_production", is_flag=True)
examples_option = _option("examples", type=click.IntRange(min=1), default=EXAMPLES, show_default=True)


class _OfProjects(click.Command):
    """A command whose defaults a project sets in its pyproject.toml."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the project's file before the command line, which comes first; help needs neither."""
        if not ctx.resilient_parsing and not set(ctx.help_option_names).intersection(args):
            with explained():
                from conformance.commands.pyproject import set_defaults

                set_defaults(ctx, run, Path.cwd())
        return super().parse_args(ctx, args)


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


@app.command(cls=_OfProjects)
@apis_argument
@_option("target", type=click.Choice(get_args(TargetName)), default="replay", show_default=True)
@base_urls_option
@rule_option
@_option("tests", "--test", multiple=True)
@click.option(
    "--report",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write results.json there, and its other forms: report.html and junit.xml, or what --format names.",
)
@format_option
@click.option(
    "--resume",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Go on with the interrupted run whose --report DIR was; give its other options again. The results of both "
    "parts are written there.",
)
@cassettes_option
@seed_option
@_option("strict", is_flag=True)
@allow_wait_option
@pin_agent_option
@screenshots_option
@rate_option
@max_requests_option
@_option("smoke", is_flag=True)
@allow_production_option
@_option("max_age", callback=_age)
@_option("min_judged", type=click.IntRange(0, 100))
@_option("baseline", type=click.Path(dir_okay=False, path_type=Path))
@baselines.write_option
@_option("time_limit", type=click.IntRange(min=1))
@_option("workers", type=_Workers(), default="auto", show_default=True)
@examples_option
@_option("exit_first", "-x", "--exitfirst", is_flag=True)
@click.option("-q", "--quiet", is_flag=True, help="Say only what is wrong, in a line each, and the verdict.")
@click.option("-v", "--verbose", is_flag=True, help="Also say what the sources of each rule say, with links.")
@click.pass_context
def run(
    context: click.Context,
    /,
    *,
    report: Path | None,
    formats: Sequence[str],
    resume: Path | None,
    quiet: bool,
    verbose: bool,
    write_baseline: Path | None,
    **given: Any,
) -> None:
    """Judge APIs, rule by rule.

    All APIs are judged if none is named. replay judges the recordings, offline and in seconds. sandbox judges the
    reference sandbox, live your vendor's server with settings from the environment or .env, documents what the vendor's
    own documents print. [tool.conformance] in pyproject.toml has what a project always gives.
    """
    if quiet and verbose:
        raise click.UsageError("--quiet and --verbose exclude each other.")
    with explained():
        from conformance.commands.pyproject import fitting, told

        options, resumed = Options(**fitting(context, given)), None
        if resume:
            from conformance.commands.resuming import Resumed

            resumed = Resumed.of(options, resume)
            options, report = resumed.options, report or resume
        check_formats(formats, report)
        if (line := told(context)) and not quiet:
            click.echo(line, err=True)
        if options.tests:
            from conformance.api import selected_apis
            from conformance.commands.rulebook import require_tests

            require_tests(options.tests, selected_apis(options.apis))
        if report:
            from conformance.reporting.files import make_folder

            make_folder(report)
        results = judge(options, resumed, quiet=quiet, verbose=verbose)
        baselines.write(write_baseline, results)
        write_forms(results, report, formats)
        raise click.exceptions.Exit(exit_code(results))


@app.command(cls=_OfProjects, short_help="Run the tests and write what passes as cassettes.")
@apis_argument
@click.option("--target", type=click.Choice(get_args(Recordable)), required=True, help="What is recorded.")
@base_urls_option
@rule_option
@cassettes_option
@seed_option
@allow_wait_option
@pin_agent_option
@screenshots_option
@rate_option
@max_requests_option
@allow_production_option
@examples_option
@_option("record_failing", "--failing", is_flag=True)
@click.pass_context
def record(context: click.Context, /, **given: Any) -> None:
    """Run the tests and write what passes as cassettes, without secrets.

    A test that is skipped, or without --failing fails, leaves its cassette as it was. The exit code is that of the run.
    """
    with explained():
        from conformance.api import selected_apis
        from conformance.commands.pyproject import fitting, told
        from conformance.commands.recording import Recording

        options = Options(**fitting(context, given), record=True)
        if line := told(context):
            click.echo(line, err=True)

        recording = Recording(options, selected_apis(options.apis))
        results = judge(options)
        for line in recording.lines(results):
            click.echo(line)
        raise click.exceptions.Exit(exit_code(results))


app.add_command(sandbox)  # here, since help lists commands in this order


@app.command(
    context_settings={"ignore_unknown_options": True}, short_help="Sign a request that is written as for curl."
)
@click.option("--key", metavar="KEY", required=True, help="The private key: a path, or the PEM text.")
@click.option("--key-id", metavar="ID", required=True, help="The id under which the API knows the public key.")
@click.option("--api", "name", metavar="API", help="Whose requests they are; may be left out if one API signs.")
@click.option("--headers", is_flag=True, help="Print the header lines that are added, instead of a curl command.")
@click.argument("request", metavar="CURL...", nargs=-1, required=True, type=click.UNPROCESSED)
def sign(*, key: str, key_id: str, name: str | None, headers: bool, request: Sequence[str]) -> None:
    """Sign a request that is written as for curl, and print it with its signature.

    \b
    conformance sign --key key.pem --key-id ID curl -X POST URL -H 'Idempotency-Key: ...' -d '{...}' | sh
    """  # noqa: D301  (the backspace keeps click from joining the lines)
    with explained():
        from conformance.commands.sign import added_headers, as_curl, signed, signing_api

        made = signed(request, signing_api(name), key, key_id)
        click.echo("\n".join(added_headers(made)) if headers else as_curl(made))


@app.command()
@click.argument("url", metavar="URL")
@click.option("--pin", metavar="N", help="The PIN, to enter or to choose.")
@click.option("--new-pin", metavar="N", help="The PIN to choose where the page changes one.")
@click.option("--answer", metavar="TEXT", multiple=True, help="An answer to a question of recovery. May be repeated.")
@click.option("--cancel", is_flag=True, help="Cancel instead.")
def pin(*, url: str, pin: str | None, new_pin: str | None, answer: Sequence[str], cancel: bool) -> None:
    """Do at the hosted page of a challenge what a person does there.

    URL is the challenge's redirectUrl. Exit code 1 if the page still asks for something, or says that it is over.
    """
    with explained():
        from conformance.commands.pin import ended_well, told, visit

        if cancel == bool(pin or answer or new_pin):
            raise click.UsageError("Give --pin, --answer or both, or else --cancel alone.")
        page = visit(url, pin, new_pin, answer, cancel=cancel)
        click.echo(told(page))
        raise click.exceptions.Exit(0 if ended_well(page) else 1)


@app.command()
@click.option(
    "--probe",
    metavar="API",
    shell_complete=completion.apis,
    help="Find out by harmless GETs what the live server of this API, offblocks or planbok, accepts.",
)
@click.option(
    "--scan",
    metavar="PATH",
    type=click.Path(path_type=Path),
    help="Look for the secrets that you have set in this file or folder, such as reports and cassettes to be shared.",
)
@click.option(
    "--register-key",
    "key_of",
    metavar="API",
    help="Register the public key of the setting SIGNING_KEY with this API, in place of any other, and print its id.",
)
@click.option(
    "--target", type=click.Choice(["live"]), help="Say what a live run needs, what is set, and how to get it."
)
def doctor(*, probe: str | None, scan: Path | None, key_of: str | None, target: str | None) -> None:
    """Check the installation, and say of each problem what to do. Exit code 1 if there is one."""
    with explained():
        if key_of:
            from conformance.api import selected_apis
            from conformance.commands.live_settings import registered_key

            click.echo(registered_key(selected_apis([key_of])[0]))
            raise click.exceptions.Exit
        if target:
            from conformance.api import selected_apis
            from conformance.commands.live_settings import told_settings

            complete = True
            for api in selected_apis([]):
                click.echo(f"{api.title}")
                for ok, line in told_settings(api):
                    complete = complete and ok
                    click.echo(f"  {line}")
            raise click.exceptions.Exit(0 if complete else 1)
        if scan:
            from conformance.commands.scan import found_in

            told = list(found_in(scan))
            click.echo("\n".join(told) or f"{scan} holds none of the secrets that are set.")
            raise click.exceptions.Exit(1 if told else 0)
        from conformance.api import selected_apis
        from conformance.commands.doctor import answers, examine

        if probe:
            from conformance.recording.own_secrets import without_secrets

            for result in answers(selected_apis([probe])[0]):
                answer = f"{result.question} {result.answer}" + (f"\n  {result.detail}" if result.detail else "")
                click.echo(without_secrets(answer))
                if not result.conclusive:
                    raise click.exceptions.Exit(INCONCLUSIVE)
            return
        healthy = True
        for check in examine():
            healthy = healthy and check.ok
            click.echo(f"{'ok' if check.ok else 'problem':<9}{check.subject}: {check.detail}")
        raise click.exceptions.Exit(0 if healthy else 1)


@app.command("new-api", short_help="Draft the package of a new API from its description.")
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


for command in (judge_command, proxy, explain, webhooks, rules, vectors, faults, drift, report_command):
    app.add_command(command)


def main() -> None:
    """The console script; what an encoding cannot show is written as an escape."""
    look_seldom()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    with stopped_by(signal.SIGTERM):
        code = ended(lambda: app(standalone_mode=False))
    look_no_more()
    sys.exit(code)
