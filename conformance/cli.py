"""The command line: options in, the work of the other modules, an exit code out."""

import io
import json
import sys
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn
from urllib.parse import urlsplit

import typer

from conformance import EXAMPLES, FIXED_SEED

if TYPE_CHECKING:
    from conformance.api import Api
    from conformance.catalogue import Rule
    from conformance.matrix import Matrix
    from conformance.run import Options
    from conformance.sandbox.server import RunningSandbox
    from conformance.vectors.adapters import Comparison

# What a command needs is imported when it runs, so that help and the commands that need little stay quick.
# ruff: noqa: PLC0415

USAGE, INCONCLUSIVE, INTERRUPTED = 2, 3, 130
"""Exit codes besides those of a verdict."""

_WIDTH_OF_FILES = 160
_ENTRIES_PER_SAVE = 10

app = typer.Typer(
    name="conformance",
    help="Judge crypto wallet APIs by their own documents, from recordings, in a reference sandbox or live.",
    epilog="Exit codes: 0 conforms, 1 fails, 2 wrong usage or unreadable files, 3 inconclusive.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
rules_app = typer.Typer(help="List the rules, or show one of them.", invoke_without_command=True)
app.add_typer(rules_app, name="rules")
vectors_app = typer.Typer(help="Count the vectors, or check a signer or verifier by them.", invoke_without_command=True)
app.add_typer(vectors_app, name="vectors")
faults_app = typer.Typer(
    help="List the faults and variations of the sandbox, or measure what the suite catches.",
    invoke_without_command=True,
)
app.add_typer(faults_app, name="faults")


class Target(StrEnum):
    """How a subject is reached."""

    REPLAY = "replay"
    SANDBOX = "sandbox"
    LIVE = "live"
    DOCUMENTS = "documents"


class PinAgent(StrEnum):
    """Who stands in for a person."""

    HTTP = "http"
    NONE = "none"


class VectorSide(StrEnum):
    """What an adapter is asked."""

    ACCEPT = "accept"
    PRODUCE = "produce"


class Recordable(StrEnum):
    """The targets that cassettes can be recorded from."""

    SANDBOX = "sandbox"
    LIVE = "live"


Apis = Annotated[list[str] | None, typer.Argument(metavar="API", help="The APIs; all if none is named.")]
BaseUrls = Annotated[
    list[str] | None,
    typer.Option("--base-url", metavar="API=URL", help="Where the API runs, without /v1 or /v2. May be repeated."),
]
RulePatterns = Annotated[
    list[str] | None,
    typer.Option("--rule", metavar="PATTERN", help="Only rules whose id matches; * matches any text. May be repeated."),
]
Cassettes = Annotated[
    Path | None,
    typer.Option(metavar="DIR", file_okay=False, help="The folder of cassettes, instead of the shipped one."),
]
Seed = Annotated[
    str | None,
    typer.Option(metavar="N", help=f"What ids are derived from. Default: {FIXED_SEED}, and live a new one each time."),
]
PinAgents = Annotated[
    PinAgent | None,
    typer.Option(
        "--pin-agent",
        help="Who stands in for the person at the hosted PIN page: http fills its forms, none nobody. "
        "Default: http, and live none.",
    ),
]
Examples = Annotated[
    int,
    typer.Option(
        metavar="N", min=1, help="Sandbox and live: how many requests are generated of each operation, phase and mode."
    ),
]
AllowWait = Annotated[bool, typer.Option("--allow-wait", help="Live: wait where a rule takes an hour to be judged.")]


@app.command()
def run(
    *,
    apis: Apis = None,
    target: Annotated[Target, typer.Option(help="How the subject is reached.")] = Target.REPLAY,
    base_url: BaseUrls = None,
    rule: RulePatterns = None,
    report: Annotated[
        Path | None,
        typer.Option(metavar="DIR", file_okay=False, help="Write results.json, report.html and junit.xml there."),
    ] = None,
    cassettes: Cassettes = None,
    seed: Seed = None,
    strict: Annotated[bool, typer.Option("--strict", help="Inferred rules count as their level says.")] = False,
    allow_wait: AllowWait = False,
    pin_agent: PinAgents = None,
    workers: Annotated[int, typer.Option(metavar="N", min=1, help="How many processes share the tests.")] = 1,
    examples: Examples = EXAMPLES,
) -> None:
    """Judge APIs, rule by rule.

    replay judges the recordings, offline and in seconds. sandbox judges the reference sandbox, live your vendor's
    server with settings from the environment or .env, documents what the vendor's own documents print.
    """
    with _explained():
        from conformance.run import Options

        options = Options(
            apis=tuple(apis or ()),
            target=target.value,
            base_urls=_base_urls(base_url or ()),
            rule=tuple(rule or ()),
            cassettes=cassettes,
            seed=seed,
            strict=strict,
            allow_wait=allow_wait,
            pin_agent=pin_agent.value if pin_agent else None,
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
        _leave(results)


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
    with _explained():
        from conformance.run import Options

        options = Options(
            apis=tuple(apis or ()),
            target=target.value,
            base_urls=_base_urls(base_url or ()),
            rule=tuple(rule or ()),
            cassettes=cassettes,
            seed=seed,
            allow_wait=allow_wait,
            pin_agent=pin_agent.value if pin_agent else None,
            record=True,
            examples=examples,
        )
        before = _cassette_times(options)
        results = _run(options)
        _tell_recorded(options, results, before)
        _leave(results)


@rules_app.callback()
def rules(
    *,
    context: typer.Context,
    api: Annotated[str | None, typer.Option(metavar="API", help="Only the rules of this API.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, with all sources and readings.")] = False,
) -> None:
    """List the rules with level, basis and party, or show one of them."""
    if context.invoked_subcommand is not None:
        context.obj = as_json
        return
    with _explained():
        from dataclasses import asdict

        listed = [rule for each in _apis([api] if api else []) for rule in _catalogue(each)]
        if as_json:
            typer.echo(json.dumps([asdict(rule) for rule in listed], indent=2, ensure_ascii=False))
            return
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        console = Console()
        if not console.is_terminal:
            console.width = _WIDTH_OF_FILES
        table = Table(box=None, pad_edge=False, collapse_padding=True)
        table.add_column("rule", overflow="fold")
        for name in ("level", "basis", "party"):
            table.add_column(name, no_wrap=True)
        for rule in listed:
            named = Text.assemble((rule.id, "bold"), f"\n  {rule.title}")
            table.add_row(named, rule.level.value, rule.basis.value, rule.party.value)
        console.print(table)


@rules_app.command("show")
def show_rule(
    context: typer.Context, rule_id: Annotated[str, typer.Argument(metavar="RULE", help="The id of a rule.")]
) -> None:
    """Show one rule: what it asks for, how surely, where that is said, and the tests that judge it."""
    with _explained():
        from dataclasses import asdict

        from rich.console import Console
        from rich.text import Text

        from conformance.commands.rulebook import close_ids, described
        from conformance.reporting.console import write

        known = {rule.id: (api, rule) for api in _apis([]) for rule in _catalogue(api)}
        if rule_id not in known:
            close = " or ".join(close_ids(rule_id, list(known)))
            hint = f"Did you mean {close}?" if close else "List them with: conformance rules"
            _refuse(f"There is no rule called {rule_id!r}. {hint}")
        api, rule = known[rule_id]
        if context.obj:
            typer.echo(json.dumps(asdict(rule), indent=2, ensure_ascii=False))
            return
        console = Console()
        write(console, Text(rule.id, "bold"))
        write(console, Text(rule.title))
        console.print()
        for name, value in described(api, rule):
            write(console, Text.assemble((f"{name:<12}", "dim"), value), hang=12)


@vectors_app.callback()
def vectors(
    *,
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Count the vectors by file, by what may be sent and by what must be accepted, or check an adapter by them."""
    if context.invoked_subcommand is not None:
        return
    with _explained():
        from conformance.vectors.cases import counts, load

        counted = counts(load())
        if as_json:
            total = sum(each["cases"] for each in counted)
            typer.echo(json.dumps({"cases": total, "files": counted}, indent=2))
            return
        _tell_counts(counted)


@vectors_app.command("check")
def check_vectors(
    *,
    adapter: Annotated[str, typer.Option(metavar="COMMAND", help="The program that answers for your code.")],
    side: Annotated[
        list[VectorSide] | None, typer.Option(help="What it is asked. May be repeated; default: both.")
    ] = None,
) -> None:
    """Check a signer or verifier in any language by the vectors.

    COMMAND is started once, reads one JSON line a case and writes one; docs/adapters.md says what. Exit codes: 0 all
    right, 1 some wrong, 2 wrong usage, 3 inconclusive: nothing supported, or the adapter broke.
    """
    with _explained():
        from conformance.vectors.adapters import Outcome, Side, ask, compare, questions
        from conformance.vectors.cases import load

        sides = [Side(each.value) for each in side or list(VectorSide)]
        asked = load()
        compared = compare(asked, ask(adapter, questions(asked, sides)), sides)
        _tell_comparisons(compared)
        outcomes = {each.outcome for each in compared}
        if Outcome.WRONG in outcomes:
            raise typer.Exit(1)
        raise typer.Exit(0 if Outcome.RIGHT in outcomes else INCONCLUSIVE)


@faults_app.callback()
def faults(
    *,
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """List the faults with the rules that they break, and the variations with what permits them."""
    if context.invoked_subcommand is not None:
        return
    with _explained():
        from conformance.matrix import listing

        found = listing()
        if as_json:
            typer.echo(json.dumps(found, indent=2, ensure_ascii=False))
            return
        from rich.console import Console

        from conformance.reporting.faults import listed

        console = Console()
        if not console.is_terminal:
            console.width = _WIDTH_OF_FILES
        listed(found, console)


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
    with _explained():
        from conformance.matrix import Matrix, holds, read, trials

        if workers and scheduler:
            _refuse("--workers is for this machine; with --scheduler the cluster says how many there are.")
        matrix = Matrix(trials(names or ()), read(resume) if resume else None)
        _fill(matrix, file or resume, workers, scheduler)
        found = matrix.to_json()
        _tell_matrix(found)
        raise typer.Exit(0 if holds(found["summary"]) else 1)


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
    with _explained():
        from conformance.sandbox.server import serve
        from conformance.settings import is_loopback

        loopback = is_loopback(host)
        if not loopback:
            typer.echo(f"Everybody who reaches {host} can use this sandbox and its control routes.", err=True)
        names = (*(fault or ()), *(variation or ()))
        serve(port, host, names, seed, started=_introduce, beyond_loopback=not loopback)
        typer.echo("Stopped.", err=True)


@app.command()
def doctor(
    probe: Annotated[
        str | None,
        typer.Option(metavar="API", help="Find out on a harmless GET what the live server of this API accepts."),
    ] = None,
) -> None:
    """Check the installation, and say of each problem what to do. Exit code 1 if there is one."""
    with _explained():
        if probe:
            _probe(probe)
            return
        from conformance.commands.doctor import examine

        healthy = True
        for check in examine():
            healthy = healthy and check.ok
            typer.echo(f"{'ok' if check.ok else 'problem':<9}{check.subject}: {check.detail}")
        raise typer.Exit(0 if healthy else 1)


def main() -> None:
    """The console script; what an encoding cannot show is written as an escape."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    app()


# ------------------------------------------------------------------------------------------------- errors, exit codes


@contextmanager
def _explained() -> Iterator[None]:
    """Turn what goes wrong into a message and an exit code, never a traceback."""
    try:
        yield
    except (typer.Exit, typer.Abort, typer.TyperException):
        raise
    except KeyboardInterrupt:
        typer.echo("Interrupted; there is no verdict.", err=True)
        raise typer.Exit(INTERRUPTED) from None
    except Exception as error:  # noqa: BLE001  (the last place where it can be explained)
        message, code = _explanation(error)
        typer.echo(message, err=True)
        raise typer.Exit(code) from None


def _explanation(error: Exception) -> tuple[str, int]:
    from conformance.api import BrokenApiError, UnknownApiError
    from conformance.catalogue import CatalogueError
    from conformance.matrix import MatrixUnreadableError, NoClusterError
    from conformance.recording.cassettes import CassetteUnreadableError
    from conformance.reporting.files import ReportNotWrittenError
    from conformance.run import SuiteCrashedError, UsageError
    from conformance.sandbox.faults import UnknownFaultError
    from conformance.sandbox.server import SandboxNotStartedError
    from conformance.settings import SettingsError
    from conformance.specification import SpecificationError
    from conformance.targets.documents import DocumentsUnreadableError
    from conformance.vectors.adapters import AdapterBrokeError, AdapterNotStartedError
    from conformance.vectors.cases import VectorsUnreadableError

    match error:
        case (
            UsageError()
            | UnknownApiError()
            | BrokenApiError()
            | CatalogueError()
            | SpecificationError()
            | SettingsError()
            | CassetteUnreadableError()
            | DocumentsUnreadableError()
            | ReportNotWrittenError()
            | UnknownFaultError()
            | SandboxNotStartedError()
            | AdapterNotStartedError()
            | VectorsUnreadableError()
            | MatrixUnreadableError()
            | NoClusterError()
        ):
            return f"Error: {error}", USAGE
        case SuiteCrashedError() | AdapterBrokeError():
            return f"Error: {error}", INCONCLUSIVE
        case _:
            frame = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{Path(frame.filename).name}, line {frame.lineno}"
            return (
                f"Error: conformance itself broke, which says nothing of the subject: "
                f"{type(error).__name__}: {error} ({place}). Please report this."
            ), INCONCLUSIVE


def _refuse(message: str) -> NoReturn:
    from conformance.run import UsageError

    raise UsageError(message)


def _leave(results: Mapping[str, Any]) -> NoReturn:
    from conformance.verdicts import Conclusion

    raise typer.Exit(Conclusion(results["verdict"]).exit_code)


# --------------------------------------------------------------------------------------------------------------- runs


def _run(options: "Options") -> dict[str, Any]:
    """Run with progress on standard error, and the summary on standard output."""
    from rich.console import Console

    from conformance.reporting.console import Progress, summary
    from conformance.run import run as judge

    with Progress(Console(stderr=True)) as progress:
        results = judge(options, progress)
    summary(results, Console())
    return results


def _base_urls(given: Iterable[str]) -> dict[str, str]:
    """The base URLs by API.

    Raises:
        typer.BadParameter: If one is not API=URL, or its URL is not what a base URL is.
    """
    urls: dict[str, str] = {}
    for text in given:
        name, _, url = text.partition("=")
        try:
            parts = urlsplit(url)
            usable = bool(name) and parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        except ValueError:
            usable = False
        if not usable:
            _bad_base_url(f"{text!r} is not API=URL, such as offblocks=https://api.example.com")
        if parts.path.rstrip("/").endswith(("/v1", "/v2")) or parts.query or parts.fragment:
            _bad_base_url(f"{url} must end before /v1 or /v2, without a query.")
        if name in urls:
            _bad_base_url(f"{name} is given twice.")
        urls[name] = url.rstrip("/")
    return urls


def _bad_base_url(message: str) -> NoReturn:
    raise typer.BadParameter(message, param_hint="--base-url")


def _cassette_folder(options: "Options", api: "Api") -> Path:
    return options.cassettes / api.name if options.cassettes else api.cassettes


def _cassette_times(options: "Options") -> dict[Path, int]:
    """When each cassette was written (ns)."""
    folders = [_cassette_folder(options, api) for api in _apis(options.apis)]
    return {path: path.stat().st_mtime_ns for folder in folders for path in folder.glob("*/*.yaml")}


def _tell_recorded(options: "Options", results: Mapping[str, Any], before: Mapping[Path, int]) -> None:
    """Say how many cassettes were written where, and of each test that was not recorded why."""
    from conformance.reporting.phrases import observation, printable
    from conformance.targets import cassette_path
    from conformance.verdicts import Verdict

    after = _cassette_times(options)
    written = {path for path, time in after.items() if before.get(path) != time}
    for api in _apis(options.apis):
        folder = _cassette_folder(options, api)
        count = sum(path.is_relative_to(folder) for path in written)
        typer.echo(f"Wrote {count} cassettes of {api.title} to {folder}")
        reasons: dict[str, tuple[int, str]] = {}
        for rule in results["rules"]:
            for finding in rule["findings"] if rule["api"] == api.name else ():
                rank = tuple(Verdict).index(Verdict(finding["verdict"]))
                reason = f"{finding['verdict']} {rule['id']}: {observation(finding)}"
                reasons[finding["test"]] = min(reasons.get(finding["test"], (rank, reason)), (rank, reason))
        for test, (_, reason) in reasons.items():
            if cassette_path(folder, test) not in written:
                typer.echo(f"  not recorded: {test}: {printable(reason)}")


# -------------------------------------------------------------------------------------------------------------- rules


def _apis(names: Iterable[str]) -> "list[Api]":
    from conformance.api import named, registered

    return [named(name) for name in names] or list(registered().values())


def _catalogue(api: "Api") -> "list[Rule]":
    from conformance.catalogue import Catalogue

    return list(Catalogue.load(api.rules).values())


# ------------------------------------------------------------------------------------------------------------ vectors


def _tell_counts(counted: Iterable[Mapping[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    table.add_column("file", no_wrap=True)
    table.add_column("cases", justify="right")
    listed = list(counted)
    for kind in ("produce", "accept"):
        for value in listed[0][kind] if listed else ():
            table.add_column(f"{kind} {value}", justify="right")
    for each in listed:
        numbers = (each["cases"], *each["produce"].values(), *each["accept"].values())
        table.add_row(each["file"], *map(str, numbers))
    console = Console()
    if not console.is_terminal:
        console.width = _WIDTH_OF_FILES
    console.print(table, highlight=False)


def _tell_comparisons(compared: "Sequence[Comparison]") -> None:
    """A table by topic and side, each disagreement, and the line that states the verdict."""
    from collections import Counter

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from conformance.reporting.console import write
    from conformance.reporting.phrases import printable
    from conformance.vectors.adapters import Outcome

    console = Console()
    if not console.is_terminal:
        console.width = _WIDTH_OF_FILES
    counts: dict[tuple[str, str], Counter[Outcome]] = {}
    for each in compared:
        counts.setdefault((each.vector.topic, each.side), Counter())[each.outcome] += 1
    table = Table(box=None, pad_edge=False)
    for name in ("topic", "side"):
        table.add_column(name, no_wrap=True)
    for outcome in Outcome:
        table.add_column(outcome, justify="right", no_wrap=True)
    for (topic, side), counted in counts.items():
        table.add_row(topic, side, *(str(counted[outcome] or "") for outcome in Outcome))
    console.print(table, highlight=False)
    console.print()
    wrong = [each for each in compared if each.outcome is Outcome.WRONG]
    for each in wrong:
        vector = each.vector
        write(console, Text.assemble((vector.id, "bold"), (f"  {each.side}, {vector.basis}", "dim")), 2)
        rows = (
            ("case", vector.title),
            ("expected", each.expected),
            ("answered", each.answered),
            ("rule", vector.rule or "none"),
            ("source", vector.source),
        )
        for name, value in rows:
            write(console, Text.assemble((f"{name:<10}", "dim"), printable(value)), 4, 10)
    right = sum(each.outcome is Outcome.RIGHT for each in compared)
    if wrong:
        write(console, Text(f"DISAGREES: {len(wrong)} answers are wrong, {right} are right.", "bold red"))
    elif right:
        write(console, Text(f"AGREES: {right} answers are right, none is wrong.", "bold green"))
    else:
        write(console, Text("INCONCLUSIVE: the adapter supports no case that has a right answer.", "bold yellow"))


# ------------------------------------------------------------------------------------------------------------- faults


def _fill(matrix: "Matrix", file: Path | None, workers: int | None, scheduler: str | None) -> None:
    """Try what the matrix lacks, with progress on standard error, and keep it in the file at every tenth entry."""
    from rich.console import Console

    from conformance.matrix import cluster, processes
    from conformance.reporting.faults import MatrixProgress

    made = 0

    def tell(entry: Mapping[str, Any]) -> None:
        nonlocal made
        made += 1
        progress.made(entry)
        if made % _ENTRIES_PER_SAVE == 0:
            _save_matrix(matrix, file)

    if file and not file.exists():
        _save_matrix(matrix, file)
    try:
        with (
            MatrixProgress(Console(stderr=True), len(matrix.left)) as progress,
            cluster(scheduler) if scheduler else processes(workers) as executor,
        ):
            matrix.fill(executor, tell)
    finally:
        _save_matrix(matrix, file)
        if file:
            more = f", {len(matrix.left)} are left: --resume {file} continues" if matrix.left else ""
            typer.echo(f"Wrote {file}{more}", err=True)


def _save_matrix(matrix: "Matrix", file: Path | None) -> None:
    from conformance.files import write_whole

    if file is None:
        return
    try:
        write_whole(file, json.dumps(matrix.to_json(), indent=1, ensure_ascii=False) + "\n")
    except OSError as error:
        _refuse(f"The matrix cannot be written to {file}: {error.strerror}. Give another file to --json.")


def _tell_matrix(found: Mapping[str, Any]) -> None:
    from rich.console import Console

    from conformance.matrix import holds
    from conformance.reporting.faults import told

    console = Console()
    if not console.is_terminal:
        console.width = _WIDTH_OF_FILES
    told(found, console, holds=holds(found["summary"]))


# ------------------------------------------------------------------------------------------------- sandbox and doctor


def _introduce(running: "RunningSandbox") -> None:
    from conformance.sandbox.introduction import introduction

    typer.echo(introduction(running.origin, _apis([])))


def _probe(name: str) -> None:
    from conformance.api import named

    api = named(name)
    if api.probe is None:
        _refuse(f"{api.title} has no probe.")
    for result in api.probe.probe(api.settings.load()):
        typer.echo(f"{result.question} {result.answer}")
        if result.detail:
            typer.echo(f"  {result.detail}")
        if not result.conclusive:
            raise typer.Exit(INCONCLUSIVE)
