"""One run: pytest with our own configuration over the suites, from options to results."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from conformance import ConformanceError
from conformance.api import Api, named, registered
from conformance.catalogue import Catalogue, Rule
from conformance.clock import SystemClock, stopwatch
from conformance.ids import fresh_seed
from conformance.options import Options, read_base_urls
from conformance.plugin import ALONE, OPTIONS
from conformance.reporting.results import Run, exchange_to_json, finding_from_json, results
from conformance.runner import ATTACHED
from conformance.scenario import HOOKS, WAITS
from conformance.specification import Specification
from conformance.targets import cassette_folder, cassette_path
from conformance.targets.replay import recordings_of
from conformance.verdicts import Verdict, verdict_of_rule

if TYPE_CHECKING:
    from conformance.findings import Finding

__all__ = ["Listener", "Options", "Silence", "SuiteCrashedError", "UsageError", "run"]

_INI = Path(__file__).with_name("suite.ini")
_UNUSED_PLUGINS = (
    *("cacheprovider", "debugging", "doctest", "faulthandler", "junitxml", "legacypath", "logging", "pastebin"),
    *("setuponly", "setupplan", "stepwise", "terminal", "unraisableexception"),
)
"""What pytest brings and a run does not use: each is asked several times a test."""
_JUDGED = {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED}
_OF_THE_USER = ("PYTEST_ADDOPTS", "PYTEST_PLUGINS", "PYTEST_DISABLE_PLUGIN_AUTOLOAD")


class UsageError(ConformanceError, ValueError):
    """A run was asked for that cannot be made; the message says what to give instead."""


class SuiteCrashedError(ConformanceError, RuntimeError):
    """pytest itself broke; never the subject's doing."""

    exit_code = 3


class Listener(Protocol):
    """What is told of a run while it goes on."""

    def began(self, tests: int) -> None:
        """So many tests are going to run."""

    def ended(self, test: str, verdicts: Mapping[str, Verdict], seconds: float) -> None:
        """A test ended, with these verdicts by rule."""


class Silence:
    """A listener that says nothing."""

    def began(self, tests: int) -> None:
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
        self._places: dict[str, int] = {}
        self._attached: list[tuple[int, dict[str, Any]]] = []
        self.trouble: list[str] = []

    @property
    def attached(self) -> list[dict[str, Any]]:
        """What the runner attached, in the order in which the tests stand, whichever process ran them."""
        return [attached for _, attached in sorted(self._attached, key=itemgetter(0))]

    def _begin(self, tests: Sequence[str]) -> None:
        for test in tests:
            self._places.setdefault(test, len(self._places))
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
        attached = getattr(report, ATTACHED, None)
        if attached is None:
            if report.failed:
                self.trouble.append(f"{report.nodeid} ({report.when}): {report.longrepr}")
            return
        catalogue = self._catalogues[attached["api"]]
        seen = [finding_from_json(data) for data in attached["findings"]]
        self._attached.append((self._places[report.nodeid], {**attached, "findings": seen}))
        findings: dict[str, list[Finding]] = {}
        for finding in seen:
            findings.setdefault(finding.rule, []).append(finding)
        verdicts = {
            rule: verdict_of_rule(catalogue[rule], found, strict=self._options.strict)
            for rule, found in findings.items()
        }
        self._listener.ended(attached["test"], verdicts, report.duration)


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
        CatalogueError: If a rule catalogue cannot be read.
        SpecificationError: If a specification cannot be read.
        SettingsError: If a setting of a live run is missing or wrong.
        CassetteUnreadableError: If a cassette cannot be read.
        SuiteCrashedError: If pytest broke.
        KeyboardInterrupt: If the user stopped it.
    """
    options = options.seeded(fresh_seed)
    apis = [named(name) for name in options.apis] or list(registered().values())
    catalogues = {api.name: Catalogue.load(api.rules) for api in apis}
    rules = _selected(catalogues, options)
    _check(options, apis)
    if options.target == "documents":
        return _read_documents(options, apis, catalogues, rules)
    started, watch = SystemClock().now(), stopwatch()
    collector = _Collector(options, catalogues, listener or Silence(), plugins)
    arguments = _arguments(options, apis)
    codes = set()
    with _own_environment():
        for part in _parts(options):
            codes.add(part(arguments, collector))
            if codes - _JUDGED:
                break
    reports = collector.attached
    for attached in reports:
        if message := attached.get("unreadable"):
            from conformance.recording.cassettes import CassetteUnreadableError  # noqa: PLC0415  (only for a broken cassette)

            raise CassetteUnreadableError(message)
    if pytest.ExitCode.INTERRUPTED in codes and not collector.trouble:
        raise KeyboardInterrupt
    if collector.trouble or codes - _JUDGED:
        raise SuiteCrashedError("The suite broke, which says nothing of the subject:\n" + "\n".join(collector.trouble))
    return results(
        Run(
            options=options,
            subject=_subject(options, reports),
            apis={api.name: api.title for api in apis},
            started=started,
            seconds=stopwatch() - watch,
            findings=[finding for attached in reports for finding in attached["findings"]],
            exchanges=[exchange for attached in reports for exchange in attached["exchanges"]],
            remarks=_remarks(options, apis, reports),
            scenarios={attached["test"]: attached["summary"] for attached in reports},
        ),
        rules,
    )


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


def _subject(options: Options, attached: Sequence[Mapping[str, Any]]) -> str:
    """What was judged, in a few words, for the line that states the verdict."""
    if options.target == "replay":
        return recordings_of({report["origin"] for report in attached if "origin" in report})
    return next((str(report["subject"]) for report in attached), options.target)


def _read_documents(
    options: Options, apis: Sequence[Api], catalogues: Mapping[str, Catalogue], rules: Sequence[Rule]
) -> dict[str, Any]:
    from conformance.targets import documents  # noqa: PLC0415  (only for this target)

    started, watch = SystemClock().now(), stopwatch()
    readings = [documents.read(api, catalogues[api.name], Specification.load(api.specification)) for api in apis]
    return results(
        Run(
            options=options,
            subject=f"what the documents of {' and '.join(api.title for api in apis)} print",
            apis={api.name: api.title for api in apis},
            started=started,
            seconds=stopwatch() - watch,
            findings=[finding for reading in readings for finding in reading.findings],
            exchanges=[exchange_to_json(exchange) for reading in readings for exchange in reading.exchanges],
            remarks=[remark for reading in readings for remark in reading.remarks],
        ),
        rules,
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
    for api in apis:
        Specification.load(api.specification)
        if options.target == "live":
            api.settings.load(base_url=options.base_urls.get(api.name))


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


def _remarks(options: Options, apis: Sequence[Api], attached: Sequence[Mapping[str, Any]]) -> list[str]:
    """What tests remarked, and what a reader of a replay should know of its cassettes."""
    remarks = list(dict.fromkeys(remark for report in attached for remark in report["remarks"]))
    if options.target != "replay":
        return remarks
    for api in apis:
        ours = [report for report in attached if report["api"] == api.name]
        digest = Specification.load(api.specification).digest
        stale = [report for report in ours if report.get("specification", digest) != digest]
        if stale:
            remarks.append(
                f"{len(stale)} cassettes of {api.title} were recorded with another specification "
                f"({stale[0]['specification'][:19]}…, now {digest[:19]}…); they are judged by today's."
            )
        unplayed = [exchange for report in ours for exchange in report.get("unplayed", [])]
        if unplayed:
            remarks.append(f"Recorded but not asked for: {', '.join(unplayed[:5])}{' …' if len(unplayed) > 5 else ''}")  # noqa: PLR2004
        if not options.rule:
            folder = cassette_folder(options, api)
            used = {cassette_path(folder, report["test"]) for report in ours}
            unused = sorted(str(path.relative_to(folder)) for path in set(folder.glob("*/*.yaml")) - used)
            if unused:
                remarks.append(f"Cassettes without a test: {', '.join(unused[:5])}{' …' if len(unused) > 5 else ''}")  # noqa: PLR2004
    return remarks
