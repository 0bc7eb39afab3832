"""One run: pytest with our own configuration over the suites, from options to results."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from conformance import ConformanceError
from conformance.api import Api, named, registered
from conformance.catalogue import Catalogue, Rule
from conformance.circumstances.selection import SEPARATOR
from conformance.clock import SystemClock, passed, stopwatch
from conformance.ids import fresh_seed
from conformance.judging.baseline import Baseline
from conformance.judging.causes import without_ids
from conformance.judging.results import Run, exchange_to_json, results
from conformance.options import Options, read_base_urls
from conformance.plugin import ALONE, OPTIONS
from conformance.scenario import HOOKS, WAITS
from conformance.specification import Specification
from conformance.targets import cassette_folder, cassette_path
from conformance.targets.gathering import Course, Gathered, results_of, unused_cassettes
from conformance.verdicts import RED, Verdict, verdict_of_finding, verdict_of_rule

if TYPE_CHECKING:
    from conformance.findings import Finding

__all__ = [
    "InterruptedRun",
    "Listener",
    "NotRecordedError",
    "Options",
    "Silence",
    "SuiteCrashedError",
    "UsageError",
    "run",
]

_INI = Path(__file__).with_name("suite.ini")
_UNUSED_PLUGINS = (
    *("cacheprovider", "debugging", "doctest", "faulthandler", "junitxml", "legacypath", "logging", "pastebin"),
    *("setuponly", "setupplan", "stepwise", "terminal", "unraisableexception"),
)
"""What pytest brings and a run does not use: each is asked several times a test."""
_JUDGED = {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED}
_STOPPED = "The run was stopped at the first failure: what had not been judged by then is untested."
_OF_THE_USER = ("PYTEST_ADDOPTS", "PYTEST_PLUGINS", "PYTEST_DISABLE_PLUGIN_AUTOLOAD")


class UsageError(ConformanceError, ValueError):
    """A run was asked for that cannot be made; the message says what to give instead."""


class SuiteCrashedError(ConformanceError, RuntimeError):
    """pytest itself broke; never the subject's doing."""

    exit_code = 3


class NotRecordedError(ConformanceError, OSError):
    """A cassette cannot be written; the message says where and why.

    Args:
        message: The message.
        found: The results of the run all the same; None if there are none.
    """

    def __init__(self, message: str, found: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.found = found


class InterruptedRun(KeyboardInterrupt):
    """The user stopped a run.

    Args:
        found: The results so far, in the form of ``specs/schemas/results.json``.
    """

    def __init__(self, found: dict[str, Any]) -> None:
        super().__init__()
        self.found = found


class Listener(Protocol):
    """What is told of a run while it goes on."""

    def began(self, tests: int) -> None:
        """So many tests are going to run."""

    def failed(self, rule: str, verdict: Verdict, observation: str) -> None:
        """A rule was seen to fail, be blocked or cannot be judged for the first time, by a test that ends now."""

    def ended(self, test: str, verdicts: Mapping[str, Verdict], seconds: float) -> None:
        """A test ended, with these verdicts by rule."""


class Silence:
    """A listener that says nothing."""

    def began(self, tests: int) -> None:
        """Nothing."""

    def failed(self, rule: str, verdict: Verdict, observation: str) -> None:
        """Nothing."""

    def ended(self, test: str, verdicts: Mapping[str, Verdict], seconds: float) -> None:
        """Nothing."""


class _Collector:
    """The pytest plugin that hands the options over, and gathers what the runner attached to reports in any process."""

    def __init__(
        self,
        options: Options,
        catalogues: Mapping[str, Catalogue],
        listener: Listener,
        plugins: Sequence[object],
    ) -> None:
        self._options = options
        self._catalogues = catalogues
        self._plugins = plugins
        self._listener = listener
        self._told: set[str] = set()
        self.gathered = Gathered()
        self.trouble: list[str] = []
        self.stopped = False

    def _begin(self, tests: Sequence[str]) -> None:
        self.gathered.expect(tests)
        self._listener.began(len(tests))

    def pytest_configure(self, config: pytest.Config) -> None:
        config.stash[OPTIONS] = self._options
        config.option.tbstyle = "native"  # tracebacks are not shown, so the quickest form
        for plugin in self._plugins:
            config.pluginmanager.register(plugin)

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        node.workerinput[ALONE] = True

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        if not hasattr(session.config, "workerinput") and session.items:
            self._begin([item.nodeid for item in session.items])

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: Any, ids: Sequence[str]) -> None:
        if node.gateway.id == "gw0":  # each node tells the same
            self._begin(ids)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.trouble.append(str(report.longrepr))

    def pytest_internalerror(self, excrepr: object) -> bool:
        self.trouble.append(str(excrepr))
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        attached = self.gathered.add(report)
        if attached is None:
            if report.failed:
                self.trouble.append(f"{report.nodeid} ({report.when}): {report.longrepr}")
            return
        catalogue, strict = self._catalogues[attached["api"]], self._options.strict
        findings: dict[str, list[Finding]] = {}
        for finding in attached["findings"]:
            findings.setdefault(finding.rule, []).append(finding)
        verdicts = {rule: verdict_of_rule(catalogue[rule], found, strict=strict) for rule, found in findings.items()}
        for rule, verdict in verdicts.items():
            if verdict in RED and rule not in self._options.known:
                self.stopped = self._options.exit_first
                self._tell(catalogue[rule], verdict, findings[rule])
        self._listener.ended(attached["test"], verdicts, report.duration)

    def _tell(self, rule: Rule, verdict: Verdict, findings: "Sequence[Finding]") -> None:
        """Tell a failure when it is first seen: once for a rule, and once for what blocks many."""
        strict = self._options.strict
        telling = next(each for each in findings if verdict_of_finding(rule, each, strict=strict) is verdict)
        once = without_ids(telling.reason) if verdict is Verdict.BLOCKED else f"{verdict} {rule.id}"
        if once not in self._told:
            self._told.add(once)
            self._listener.failed(rule.id, verdict, telling.observation)


def run(options: Options, listener: Listener | None = None, plugins: Sequence[object] = ()) -> dict[str, Any]:
    """Run the suites.

    Args:
        options: What to run.
        listener: What to tell while it goes on.
        plugins: Further plugins of pytest in this process.

    Returns:
        The results, in the form of ``specs/schemas/results.json``.

    Raises:
        UsageError: If the options do not fit each other, or no rule matches.
        DocumentsUnreadableError: If the printed exchanges cannot be read.
        UnknownApiError: If an API is named that nobody registered.
        BrokenApiError: If an API that is registered cannot be loaded.
        BaselineError: If the file of what is known to fail cannot be read, or says what cannot be.
        CatalogueError: If a rule catalogue cannot be read.
        SpecificationError: If a specification cannot be read.
        SettingsError: If a setting of a live run is missing or wrong.
        CassetteUnreadableError: If a cassette cannot be read.
        SuiteCrashedError: If pytest broke.
        NotRecordedError: If a cassette cannot be written.
        InterruptedRun: If the user stopped it, by the keyboard or by the signal TERM.
    """
    options = options.seeded(fresh_seed).timed(passed())
    apis = [named(name) for name in options.apis] or list(registered().values())
    if options.smoke:
        options = replace(options, tests=options.tests or tuple(test for api in apis for test in api.smoke))
    catalogues = {api.name: Catalogue.load(api.rules) for api in apis}
    rules = _selected(catalogues, options)
    _check(options, apis)
    baseline = _baseline(options)
    if baseline:
        options = replace(options, known=tuple(entry.rule for entry in baseline.entries))
    if options.target == "documents":
        return _read_documents(options, apis, catalogues, rules, baseline)
    started, watch = SystemClock().now(), stopwatch()
    collector = _Collector(options, catalogues, listener or Silence(), plugins)
    arguments = _arguments(options, apis)
    codes = set()
    with _own_environment():
        for part in _parts(options):
            codes.add(part(arguments, collector))
            if codes - _JUDGED or collector.stopped:
                break
    reports = collector.gathered.tests
    _require_readable(reports)
    ended = pytest.ExitCode.INTERRUPTED in codes and not collector.trouble
    if not ended and (collector.trouble or codes - _JUDGED):
        raise SuiteCrashedError("The suite broke, which says nothing of the subject:\n" + "\n".join(collector.trouble))
    is_whole = not (options.rule or options.tests)
    unused = unused_cassettes(options, apis, reports) if is_whole and options.target == "replay" else []
    interrupted = ended and not collector.stopped
    course = Course(
        started=started,
        seconds=stopwatch() - watch,
        remarks=[_STOPPED] if collector.stopped else [] if interrupted else unused,
        main_flows={api.name: api.main_flow for api in apis if api.main_flow and is_whole},
        baseline=baseline,
        interrupted=interrupted,
    )
    found = results_of(collector.gathered, options, apis, rules, course)
    if options.record:
        _note_skipped(options, apis, reports)
    _require_written(reports, found)
    if interrupted:
        raise InterruptedRun(found)
    return found


def _note_skipped(options: Options, apis: Sequence[Api], reports: Sequence[Mapping[str, Any]]) -> None:
    """Keep beside the cassettes what was skipped, so that a replay knows."""
    from conformance.recording.skipped import note_skipped  # noqa: PLC0415  (only for a recording)

    for api in apis:
        folder = cassette_folder(options, api)
        ran = {
            report["test"]: None if cassette_path(folder, report["test"]).exists() else report.get("lacked")
            for report in reports
            if report["api"] == api.name and SEPARATOR not in report["test"]
        }
        note_skipped(folder, api.name, ran)


def _require_readable(reports: Sequence[Mapping[str, Any]]) -> None:
    """Make sure that each test could read its cassette.

    Raises:
        CassetteUnreadableError: If one could not.
    """
    if message := next((attached["unreadable"] for attached in reports if "unreadable" in attached), None):
        from conformance.recording.cassettes import CassetteUnreadableError  # noqa: PLC0415  (only for a broken cassette)

        raise CassetteUnreadableError(message)


def _require_written(reports: Sequence[Mapping[str, Any]], found: dict[str, Any]) -> None:
    """Make sure that each test could write its cassette.

    Raises:
        NotRecordedError: If one could not.
    """
    if message := next((attached["unwritten"] for attached in reports if "unwritten" in attached), None):
        raise NotRecordedError(message, found)


class _Counter:
    """The pytest plugin that counts the tests that would run."""

    tests = 0

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.tests = len(session.items)


def _parts(options: Options) -> "list[Callable[[Sequence[str], _Collector], int]]":
    """What is run after each other.

    Live, webhooks come to one address, so that the tests that receive them run after the others in this process.
    """
    workers = options.processes(os.cpu_count() or 1)
    together = partial(_run_tests, workers=workers)
    if options.target != "live" or (workers == 1 and not options.allow_wait):
        return [together]
    others = f"not {HOOKS} and not {WAITS}" if options.allow_wait else f"not {HOOKS}"
    waiting = [_wait_together] if options.allow_wait else []
    return [partial(together, only=others), *waiting, partial(_run_tests, only=HOOKS)]


def _run_tests(arguments: Sequence[str], collector: "_Collector", *, workers: int = 1, only: str | None = None) -> int:
    """Run the tests with these marks, all if none are named, in so many processes."""
    marks = ["-m", only] if only else []
    shared = ["-p", "xdist.plugin", f"--numprocesses={workers}"] if workers > 1 else []
    return pytest.main([*arguments, *marks, *shared], plugins=[collector])


def _wait_together(arguments: Sequence[str], collector: "_Collector") -> int:
    """Run the tests that wait, each in a process of its own, so that an hour passes for all of them at once."""
    waiting, counter = f"{WAITS} and not {HOOKS}", _Counter()
    code = pytest.main([*arguments, "-m", waiting, "--collect-only"], plugins=[counter])
    if not counter.tests:
        return code
    return _run_tests(arguments, collector, workers=counter.tests, only=waiting)


def _read_documents(
    options: Options,
    apis: Sequence[Api],
    catalogues: Mapping[str, Catalogue],
    rules: Sequence[Rule],
    baseline: Baseline | None,
) -> dict[str, Any]:
    from conformance.targets import documents  # noqa: PLC0415  (only for this target)

    started, watch = SystemClock().now(), stopwatch()
    readings = [documents.read(api, catalogues[api.name], Specification.load(api.specification)) for api in apis]
    told = [
        contradiction
        for reading in readings
        for contradiction in reading.contradictions
        if (options.wants_rule(contradiction["rule"]) if contradiction["rule"] else not options.rule)
    ]
    printed = f"what the documents of {' and '.join(api.title for api in apis)} print"
    own = sum(each["own"] for each in told)
    places = "one place" if own == 1 else f"{own} places"
    return results(
        Run(
            options=options,
            subject=f"{printed}, which contradict themselves in {places}" if own else printed,
            contradictions=told,
            apis={api.name: api.title for api in apis},
            started=started,
            seconds=stopwatch() - watch,
            findings=[finding for reading in readings for finding in reading.findings],
            exchanges=[exchange_to_json(exchange) for reading in readings for exchange in reading.exchanges],
            remarks=[remark for reading in readings for remark in reading.remarks],
            baseline=baseline,
        ),
        rules,
    )


def _baseline(options: Options) -> Baseline | None:
    """What is known to fail, if the options name a file of it; it may name the rules of any API."""
    if options.baseline is None:
        return None
    return Baseline.load(
        options.baseline, [rule for api in registered().values() for rule in Catalogue.load(api.rules)]
    )


def _selected(catalogues: Mapping[str, Catalogue], options: Options) -> list[Rule]:
    rules = [rule for catalogue in catalogues.values() for rule in catalogue.values()]
    if unmatched := options.unmatched_patterns([rule.id for rule in rules]):
        raise UsageError(f"No rule matches {unmatched[0]!r}. List them with: conformance rules")
    return [rule for rule in rules if options.wants_rule(rule.id)]


def _check(options: Options, apis: Sequence[Api]) -> None:
    strangers = sorted(set(options.base_urls) - {api.name for api in apis})
    if strangers:
        raise UsageError(f"--base-url names {', '.join(strangers)}, which is not part of the run.")
    try:
        read_base_urls(f"{name}={url}" for name, url in options.base_urls.items())
    except ValueError as error:
        raise UsageError(f"--base-url: {error}") from error
    if options.target == "documents" and (options.base_urls or options.cassettes):
        raise UsageError("--base-url and --cassettes do not go with --target documents, which reads what is printed.")
    if options.base_urls and options.target == "replay":
        raise UsageError("--base-url goes with --target sandbox or --target live; a replay reaches no server.")
    if options.record and options.target == "replay":
        raise UsageError("Recording needs --target sandbox or --target live.")
    if options.record and options.target == "live" and options.cassettes is None:
        raise UsageError("A live recording needs --cassettes DIR; the shipped cassettes are of the reference sandbox.")
    if options.cassettes is not None and options.cassettes.exists() and not options.cassettes.is_dir():
        raise UsageError(f"--cassettes {options.cassettes} is no folder; cassettes lie in one.")
    for api in apis:
        Specification.load(api.specification)
    _check_live(options, apis)


def _check_live(options: Options, apis: Sequence[Api]) -> None:
    if options.max_age is not None and options.target != "replay":
        raise UsageError("--max-age goes with a replay: it says which cassettes are older.")
    if options.target != "live" and (options.smoke or options.max_requests or options.allow_production):
        raise UsageError("--smoke, --max-requests and --allow-production go with --target live.")
    if options.target == "live":
        _require_spelt_rightly()
    for api in apis:
        if options.target == "live":
            settings = api.settings.load(base_url=options.base_urls.get(api.name))
            if not options.allow_production and (reason := api.production(settings)):
                raise UsageError(f"This may be no sandbox: {reason}. Give --allow-production if it is meant.")


def _require_spelt_rightly() -> None:
    """Make sure that no setting has the name of an API that there is not, but nearly is.

    Raises:
        SettingsError: If one has.
    """
    from conformance.parts.setting_names import misspelt_settings  # noqa: PLC0415  (a replay needs no settings)
    from conformance.settings import SHARED, SettingsError  # noqa: PLC0415

    known = [*SHARED, *(name for api in registered().values() for name in api.setting_names)]
    if misspelt := misspelt_settings("CONFORMANCE_", known):
        raise SettingsError(f"There is no setting of these names: {'; '.join(misspelt)}.")


def _arguments(options: Options, apis: Sequence[Api]) -> list[str]:
    return [
        *(str(place) for api in apis for place in _places(api, options.tests)),
        "-c",
        str(_INI),
        f"--rootdir={_INI.parent}",
        f"--confcutdir={_INI.parent}",
        "--assert=plain",
        "--capture=sys",
        *(f"-pno:{plugin}" for plugin in _UNUSED_PLUGINS),
        "-pconformance.plugin",
    ]


def _places(api: Api, tests: Sequence[str]) -> list[Path]:
    """The files of the suite that hold these tests, the whole suite if none is named."""
    topics = dict.fromkeys(test.split("/")[1] for test in tests if test.startswith(f"{api.name}/"))
    return [api.suite / f"test_{topic}.py" for topic in topics] if tests else [api.suite]


@contextmanager
def _own_environment() -> Iterator[None]:
    """Keep the user's settings of pytest out, so that they cannot change a verdict."""
    before = {name: os.environ.get(name) for name in _OF_THE_USER}
    for name in _OF_THE_USER:
        os.environ.pop(name, None)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
