"""Runs the scenarios of the suites inside pytest: gives each its subject, collects its findings, keeps cassettes."""

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache, partial
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
from _pytest.runner import runtestprotocol
from pytest_recording.network import blocking_context

import conformance
from conformance.api import Api, registered
from conformance.catalogue import Catalogue
from conformance.circumstances.application import Circumstances, WaitingClock
from conformance.circumstances.items import candidate, fewest, have_counted, under
from conformance.circumstances.levels import LEVELS, Level, begins_anew
from conformance.circumstances.selection import SEPARATOR, all_rows, covering_rows, is_drawn, levels_named, row_name
from conformance.clock import SystemClock
from conformance.findings import Finding, Outcome, answer, hiding, judged
from conformance.generation.selection import cited_exchanges, select_cases, smallest_failures
from conformance.ids import fresh_seed
from conformance.judging.endings import completed
from conformance.judging.journal import condensed, provider_findings
from conformance.judging.results import exchange_to_json, finding_to_json
from conformance.options import Options
from conformance.recording.cassettes import Cassette, CassetteUnreadableError, rebased, without_port
from conformance.recording.tape import Tape
from conformance.scenario import (
    HOOKS,
    SHOWS,
    SUITE,
    VERIFIES,
    WAITS,
    NeedError,
    Record,
    StepFailedError,
    SuiteError,
    recording,
)
from conformance.specification import Specification
from conformance.targets import Conditions, Subject, Target, cassette_folder, cassette_path
from conformance.targets.gathering import ATTACHED, is_red, red_rules, without
from conformance.targets.limit import TimeLimit
from conformance.targets.replay import ReplayTarget, as_replayed
from conformance.verdicts import RED, Verdict, verdict_of_finding

_ONLY_NEW = {"once", "new_episodes"}
"""The modes of pytest-recording in which a cassette that is there stays as it is."""
_WORTH_KEEPING = 32
"""How many of the long texts of a test are kept without secrets for the next finding that shows them."""
_EXPECTED = (StepFailedError, NeedError, SuiteError, CassetteUnreadableError)
"""What a test may end with, none of which says that something is wrong with us."""


@dataclass
class Running:
    """The test that runs now.

    Args:
        api: The API that it is about.
        scenario: The id of its scenario: API, topic and name.
        rules: The ids of the rules that it can judge.
        told: What its scenario brings about, in its own words.
        levels: The circumstances that are otherwise than usual.
        compared: Whether it shows what the circumstances change, so that it runs under the usual ones as well.

    Attributes:
        former: The subject of the run before it in the same world, if there was one.
        short_waits: What was waited for shortly when it began, and for how many seconds.
    """

    api: Api
    scenario: str
    rules: Sequence[str]
    told: str
    levels: tuple[Level, ...] = ()
    compared: bool = False
    former: Subject | None = None
    record: Record = field(init=False)
    subject: Subject | None = None
    short_waits: Mapping[str, float] = field(default_factory=dict)
    failure: BaseException | None = None
    findings: list[Finding] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.begin()

    @property
    def id(self) -> str:
        """Its id: that of its scenario, and the names of the circumstances."""
        return f"{self.scenario}{SEPARATOR}{row_name(self.levels)}" if self.levels else self.scenario

    @property
    def summary(self) -> str:
        """What it brings about, and under which circumstances."""
        says = ", ".join(level.says for level in self.levels)
        return f"{self.told} All this {says}." if says else self.told

    def begin(self) -> None:
        """Forget what an earlier run of the same test came to."""
        self.record = Record(self.rules)
        self.subject = None
        self.failure = None
        self.findings = []


def test_id(item: pytest.Item, api: Api) -> str:
    """The id of a scenario: API, topic and name, ``offblocks/customer/a_new_one_is_created``."""
    name = item.name.removeprefix("test_").replace("[", ".").replace("]", "")
    return f"{api.name}/{item.path.stem.removeprefix('test_')}/{name}"


class Runner:
    """The pytest plugin that acts on the tests of the suites, and on no others.

    Args:
        options: What the run is asked to do; its seed is set.
        config: pytest's configuration.
    """

    def __init__(self, options: Options, config: pytest.Config) -> None:
        self._options = options
        is_live = options.target == "live"
        self._of_this_run = f"{options.seed}-{fresh_seed()}" if is_live else str(options.seed)
        """What ids come from; live they are taken once the run has ended."""
        self._is_worker = hasattr(config, "workerinput")
        self._processes = int(getattr(config, "workerinput", {}).get("workercount", 1))
        self._record_mode = record_mode(options, config)
        self._conditions = Conditions(
            seed=self._of_this_run,
            drawing_seed=options.seed,
            pin_agent=options.effective_pin_agent,
            examples=options.examples,
            screenshots=options.screenshots,
        )
        self._apis: dict[str, Api] = {}
        self._catalogues: dict[str, Catalogue] = {}
        self._specifications: dict[str, Specification] = {}
        self._target: Target | None = None
        self._closed: dict[str, str] = {}
        self._running: dict[str, Running] = {}
        self._current: Running | None = None
        self._limit = TimeLimit(options.time_limit, options.ends_at)
        self._session: pytest.Session | None = None

    # ------------------------------------------------------------------------------------------------ collection

    def select(self, items: list[pytest.Item]) -> None:
        """Keep the tests whose rules match the pattern."""
        self._session = items[0].session
        kept: list[pytest.Item] = []
        rows = self._rows(items)
        for item in items:
            marker = item.get_closest_marker(VERIFIES)
            api = _api_of(item) if marker else None
            if marker is None or api is None:
                kept.append(item)
                continue
            scenario = test_id(item, api)
            variants: list[tuple[Sequence[Level], pytest.Item]] = [((), item)]
            if isinstance(item, pytest.Function):
                variants += [(levels, under(item, levels)) for levels in rows.get(scenario, ())]
            shown = [rule for further in item.iter_markers(SHOWS) for rule in further.args]
            for levels, variant in variants:
                test = test_id(variant, api)
                if test in self._options.done or not self._options.wants_test(test, [*marker.args, *shown]):
                    continue
                self._learn(api)
                if "hooks" in getattr(variant, "fixturenames", ()):
                    variant.add_marker(HOOKS)
                summary = getattr(getattr(item, "function", None), "__doc__", None) or ""
                self._running[variant.nodeid] = Running(
                    api, scenario, marker.args, " ".join(summary.split()), tuple(levels), bool(levels)
                )
                variant.add_marker(
                    getattr(pytest.mark, SUITE)(api=api.name, topic=item.path.stem.removeprefix("test_"))
                )
                self._mark_for_recording(variant)
                kept.append(variant)
        have_counted(kept, items)
        items[:] = kept

    def _rows(self, items: Sequence[pytest.Item]) -> Mapping[str, Sequence[tuple[Level, ...]]]:
        """The circumstances under which scenarios run besides the usual ones, by the ids of their tests."""
        options = self._options
        if options.tests:
            named: dict[str, list[tuple[Level, ...]]] = {}
            for test in options.tests:
                scenario, separator, names = test.partition(SEPARATOR)
                if separator:
                    named.setdefault(scenario, []).append(levels_named(names))
            return named
        if options.target == "replay" or options.record:
            return {}
        candidates = [
            candidate(item, test_id(item, api))
            for item in items
            if item.get_closest_marker(VERIFIES) and (api := _api_of(item)) is not None and api.company is not None
        ]
        levels = [level for level in LEVELS if level.live or options.target == "sandbox"]
        choose = all_rows if options.thorough else covering_rows
        return choose([each for each in candidates if not is_drawn(each.test)], str(options.seed), levels)

    def _mark_for_recording(self, item: pytest.Item) -> None:
        """Give a test of a suite the marks of pytest-recording, if that is there.

        A replay reaches no network, with that plugin or without. vcr stands by, which takes half a second to load, if
        it is asked for by ``--record-mode``; what is recorded may be reached in spite of ``--block-network``.
        """
        option = item.config.getoption
        if option("--block-network", None) is None:
            return
        if self._options.target == "replay":
            item.add_marker(pytest.mark.block_network)
            if option("--record-mode"):
                item.add_marker(pytest.mark.vcr(record_mode="none"))
        elif option("--block-network") and self._record_mode != "none":
            item.add_marker(pytest.mark.block_network(allowed_hosts=[".*"]))

    def _learn(self, api: Api) -> None:
        if api.name in self._apis:
            return
        self._apis[api.name] = api
        self._catalogues[api.name] = Catalogue.load(api.rules)
        self._specifications[api.name] = Specification.load(api.specification)

    def folder(self, api: Api) -> Path:
        """Where the cassettes of an API lie."""
        return cassette_folder(self._options, api).absolute()

    def target(self) -> Target:
        """The target, made when the first test asks for it."""
        if self._target is None:
            self._target = self._make_target()
            for api in self._apis.values():
                try:
                    self._target.open(api)
                except StepFailedError as failed:
                    self._closed[api.name] = str(failed)
        return self._target

    def _make_target(self) -> Target:
        match self._options.target:
            case "sandbox":
                from conformance.targets.sandbox import SandboxTarget  # noqa: PLC0415  (a replay needs no sandbox)

                return SandboxTarget(self._specifications, self._options.base_urls)
            case "live":
                from conformance.targets.live import LiveTarget  # noqa: PLC0415  (a replay needs no settings)

                return LiveTarget(
                    list(self._apis.values()),
                    self._specifications,
                    self._options.base_urls,
                    allow_wait=self._options.allow_wait,
                    listens=not self._is_worker,
                    rate=self._options.rate,
                    processes=self._processes,
                    max_requests=self._options.max_requests,
                )
            case _:
                folders = {name: self.folder(api) for name, api in self._apis.items()}
                return ReplayTarget(folders, self._specifications)

    # -------------------------------------------------------------------------------------------------- one test

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
        """Run a scenario under circumstances; what goes wrong there is told with the fewest that show it."""
        running = self._running.get(item.nodeid)
        if running is None:
            return None
        if not running.levels:
            running.begin()  # the matrix runs the test again
            return None
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        for report in self._run_under(running, item, nextitem):
            item.ihook.pytest_runtest_logreport(report=report)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True

    def _run_under(
        self, running: Running, item: pytest.Item, nextitem: pytest.Item | None
    ) -> Sequence[pytest.TestReport]:
        def run(levels: Sequence[Level]) -> Sequence[pytest.TestReport]:
            running.levels, running.former = tuple(levels), None
            running.begin()
            if begins_anew(levels):
                runtestprotocol(item, log=False, nextitem=nextitem)
                running.former = running.subject
                running.begin()
            return runtestprotocol(item, log=False, nextitem=nextitem)

        def shows(levels: Sequence[Level]) -> bool:
            return bool(new & red_rules(run(levels)))

        levels = running.levels
        try:
            reports = run(levels)
            if not (red := red_rules(reports)):
                return reports
            usual = red_rules(run(()))
            new = red - usual
            if not new:
                return without(reports, red)
            return without(run(fewest(levels, shows)) if self._options.reduce else reports, usual)
        finally:
            running.levels = levels  # the matrix runs the test again

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Remember which test runs, before vcr asks for its cassette."""
        self._current = self._running.get(item.nodeid)

    @pytest.hookimpl(optionalhook=True)
    def pytest_recording_configure(self, config: pytest.Config, vcr: Any) -> None:  # noqa: ARG002  (the hook's form)
        """Give vcr the cassette of a test of a suite that is marked for it, and keep it from writing another one."""
        if self._current is not None:
            from conformance.recording.persister import Persister  # noqa: PLC0415  (vcr is seldom used)

            running = self._current
            vcr.register_persister(Persister(cassette_path(self.folder(running.api), running.id)))

    @contextmanager
    def subject(self, item: pytest.Item) -> Iterator[Subject]:
        """The subject of a scenario, while it runs.

        Raises:
            StepFailedError: If the subject cannot be reached.
        """
        running = self._running[item.nodeid]
        self._limit.check()
        target = self.target()
        if reason := self._closed.get(running.api.name):
            raise StepFailedError(reason)
        if self._options.target == "live" and item.get_closest_marker(WAITS) and not self._options.allow_wait:
            raise NeedError("time to pass, about an hour; give --allow-wait to wait for it")
        if running.former is None:
            running.subject = target.subject(running.api, running.id, replace(self._conditions, levels=running.levels))
        else:
            former = running.former
            running.subject = replace(former, journal=former.journal.successor(), ids=former.ids.child("again"))
        running.short_waits = running.subject.waits.short
        if running.levels:
            make_company = partial(running.api.company, running.subject) if running.api.company else None
            circumstances = Circumstances(running.levels, make_company)
            clock = WaitingClock(running.subject.clock, circumstances)
            running.subject = replace(running.subject, circumstances=circumstances, clock=clock)
        offline = blocking_context() if self._options.target == "replay" else nullcontext()
        hide = lru_cache(maxsize=_WORTH_KEEPING)(running.subject.journal.hide)
        with offline, hiding(hide), recording(running.rules) as running.record:
            yield running.subject

    @pytest.hookimpl(wrapper=True)
    def pytest_pyfunc_call(self) -> Generator[None, object, object]:
        """End a scenario that goes on when the time of the run is over."""
        with self._limit.kept():
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Judge the journal when the test is over, and attach what was found to pytest's report."""
        report = yield
        running = self._running.get(item.nodeid)
        if running is None:
            return report
        if call.excinfo is not None:
            running.failure = self._cause_of(running, call.excinfo.value)
        if report.when == "call" or (report.when == "setup" and call.excinfo is not None):
            self._judge(running)
            self._attach(running, report)
            if self._is_recorded(running):
                try:
                    self._save(running, report)
                except OSError as error:
                    path = cassette_path(self.folder(running.api), running.id)
                    told = f"The cassette {path} cannot be written: {error.strerror or error}."
                    getattr(report, ATTACHED)["unwritten"] = told
        return report

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """Forget what a test came to, which is attached to its reports: journals are large, and tests many."""
        if running := self._running.get(nodeid):
            running.begin()
            running.former = None

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """End the run after the first test that is red, if it was asked for; what is known to fail does not count."""
        if self._options.exit_first and self._session and is_red(report, self._catalogues, self._options):
            self._session.shouldfail = "stopping after the first failure"

    def _cause_of(self, running: Running, failure: BaseException) -> BaseException:
        """What ended a test; of an error of ours in a replay, what of the cassette makes no sense, if anything does."""
        if isinstance(self._target, ReplayTarget) and not isinstance(failure, _EXPECTED):
            try:
                self._target.check_settings(running.api, running.id)
            except CassetteUnreadableError as error:
                return error
        return failure

    def _judge(self, running: Running) -> None:
        subject = running.subject
        hide = cache(subject.journal.hide if subject else self.target().hide)
        with hiding(hide):
            running.findings = [
                replace(
                    finding,
                    test=running.id,
                    expected=hide(finding.expected),
                    got=hide(finding.got),
                    reason=hide(finding.reason),
                )
                for finding in condensed(self._found(running))
            ]
        running.record.remarks[:] = map(hide, running.record.remarks)

    def _found(self, running: Running) -> list[Finding]:
        """The findings of a test, of its exchanges and of its end."""
        subject, findings = running.subject, list(running.record.findings)
        generated, unmatched = False, ""
        if subject is not None:
            journal = subject.journal
            specification = self._specifications[running.api.name]
            findings += provider_findings(
                running.api, specification, journal.exchanges, journal.deliveries, subject.settings
            )
            findings = smallest_failures(findings, journal.exchanges)
            generated = any(exchange.generated for exchange in journal.exchanges)
            unmatched = journal.player.unmatched if journal.player else ""
        return self._complete(running, findings, generated=generated, unmatched=unmatched)

    def _complete(self, running: Running, findings: list[Finding], *, generated: bool, unmatched: str) -> list[Finding]:
        """The findings of a test and of its end; of circumstances what goes wrong, and the cause alone.

        What holds there holds as usual, and is told there; a test that was asked for by its name tells all.
        """
        promises = self._broken_promises(running)
        if running.compared and promises:
            return [finding for finding in (*findings, *promises) if finding.outcome is not Outcome.HELD]
        complete = completed(
            [*findings, *promises],
            running.rules,
            running.failure,
            generated=generated,
            unmatched=unmatched,
            promised=self._promised(running),
        )
        if running.compared and not self._options.tests:
            return [finding for finding in complete if finding.outcome is not Outcome.HELD]
        return complete

    def _promised(self, running: Running) -> list[str]:
        """The rules by which the request of the step that failed was to succeed, if it did not."""
        failure = running.failure
        exchange = failure.exchange if isinstance(failure, StepFailedError) else None
        if exchange is None or exchange.response.succeeded:
            return []
        rule = self._catalogues[running.api.name].promise(exchange.operation)
        return [rule.id] if rule else []

    def _broken_promises(self, running: Running) -> list[Finding]:
        """What it says that a right request, which the scenario needs to succeed, did not.

        Where the scenario goes on under usual circumstances, any step that failed says so. Under those, an answer of
        5xx does, which is the second one: there may be a reason for another refusal.
        """
        failure, subject = running.failure, running.subject
        if not isinstance(failure, StepFailedError) or subject is None:
            return []
        exchange = failure.exchange or (next(reversed(subject.journal.exchanges), None) if running.compared else None)
        if exchange is None or exchange.breaks or exchange.response.status in {0, HTTPStatus.TOO_MANY_REQUESTS}:
            return []
        broke = exchange.response.status >= HTTPStatus.INTERNAL_SERVER_ERROR and exchange.generated is None
        rule = self._catalogues[running.api.name].promise(exchange.operation)
        if rule is None or not (running.compared or broke):
            return []
        usual = "an answer with which the scenario goes on, as it usually does"
        expected, got = (usual, failure) if running.compared else ("2xx, when it was asked for again", answer(exchange))
        return [judged(rule.id, held=False, where="response", expected=expected, got=got, exchange=exchange)]

    def _attach(self, running: Running, report: pytest.TestReport) -> None:
        catalogue = self._catalogues[running.api.name]
        verdicts = [
            (finding, verdict_of_finding(catalogue[finding.rule], finding, strict=self._options.strict))
            for finding in running.findings
        ]
        findings = running.findings
        cites = any(finding.exchange for finding in findings)  # else nothing has to be redacted
        exchanges = cited_exchanges(running.subject.journal.redacted, findings) if running.subject and cites else []
        attached: dict[str, Any] = {
            "test": running.id,
            "api": running.api.name,
            "subject": self.target().description,
            "summary": running.summary,
            "findings": [finding_to_json(finding) for finding in findings],
            "exchanges": [exchange_to_json(exchange) for exchange in exchanges],
            "remarks": [*running.record.remarks, *getattr(self.target(), "remarks", ())],
            "left_behind": self.target().left_behind(running.subject) if running.subject else [],
        }
        if isinstance(running.failure, NeedError) and not running.levels:
            attached["lacked"] = str(running.failure)
        if isinstance(running.failure, CassetteUnreadableError):
            attached["unreadable"] = str(running.failure)
        tape = running.subject.journal.player if running.subject else None
        if isinstance(tape, Tape):
            attached["origin"] = tape.cassette.origin
            attached["unplayed"] = tape.unplayed()
            attached["specification"] = tape.cassette.specification
            attached["recorded"] = tape.cassette.recorded.isoformat()
            attached["server"] = urljoin(tape.cassette.base_url, "/").rstrip("/")
        setattr(report, ATTACHED, attached)
        red = [(finding, verdict) for finding, verdict in verdicts if verdict in RED]
        skipped = bool(verdicts) and all(verdict is Verdict.SKIPPED for _, verdict in verdicts)
        report.outcome = "failed" if red else "skipped" if skipped else "passed"
        report.longrepr = None
        if red:
            report.longrepr = "\n".join(_line(finding, verdict) for finding, verdict in red)
        elif skipped:
            report.longrepr = (
                str(report.fspath),
                (report.location[1] or 0) + 1,
                f"Skipped: {running.findings[0].reason}",
            )

    def _is_recorded(self, running: Running) -> bool:
        """Whether the cassette of a test is written when it has passed."""
        if self._options.target == "replay" or running.levels:
            return False
        if self._record_mode in _ONLY_NEW:
            return not cassette_path(self.folder(running.api), running.id).exists()
        return self._record_mode != "none"

    def _save(self, running: Running, report: pytest.TestReport) -> None:
        subject = running.subject
        if subject is None or report.outcome not in (
            {"passed", "failed"} if self._options.record_failing else {"passed"}
        ):
            return
        journal = subject.journal
        if is_drawn(running.scenario) and not any(exchange.generated for exchange in journal.exchanges):
            return  # nothing could be drawn, which a replay takes from the recording
        base_url = without_port(subject.base_url)
        hooks = subject.hooks
        webhook_url = None
        if hooks and running.api.webhook_set_by_hand:
            webhook_url = without_port(hooks.url)
        elif hooks and any(hooks.url.encode() in exchange.request.body for exchange in journal.exchanges):
            webhook_url = hooks.url
        Cassette(
            api=running.api.name,
            test=running.id,
            origin="reference sandbox" if self._options.target == "sandbox" else "live",
            recorded=SystemClock().now(),
            specification=self._specifications[running.api.name].digest,
            suite=conformance.__version__,
            seed=self._of_this_run,
            base_url=base_url,
            settings={name: value for name, value in subject.settings.items() if name != "wallet_key"},
            webhook_url=webhook_url,
            short_waits=running.short_waits,
            is_of_person=self._conditions.pin_agent == "person",
            exchanges=[rebased(exchange, subject.base_url, base_url) for exchange in select_cases(journal.redacted)],
            deliveries=[journal.redactor.delivery(as_replayed(subject, delivery)) for delivery in journal.deliveries],
        ).save(cassette_path(self.folder(running.api), running.id))

    def pytest_sessionfinish(self) -> None:
        """Let go of the target."""
        for api in self._apis.values():
            api.close()
        if self._target is not None:
            self._target.close()


def record_mode(options: Options, config: pytest.Config) -> str:
    """Which tests are recorded, as a mode of pytest-recording; its option never changes the cassettes that ship."""
    if options.record:
        return "all"
    mode: str | None = config.getoption("--record-mode", None) if options.cassettes else None
    return mode or "none"


def _api_of(item: pytest.Item) -> Api | None:
    return next((api for api in registered().values() if item.path.is_relative_to(api.suite)), None)


def _line(finding: Finding, verdict: Verdict) -> str:
    place = f" [{finding.exchange}]" if finding.exchange and not finding.reason else ""
    return f"{verdict} {finding.rule}: {finding.observation}{place}"
