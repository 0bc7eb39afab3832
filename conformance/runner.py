"""Runs the scenarios of the suites inside pytest: gives each its subject, collects its findings, keeps cassettes."""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from pytest_recording.network import blocking_context

import conformance
from conformance.api import Api, registered
from conformance.catalogue import Catalogue
from conformance.clock import SystemClock
from conformance.exchange import Delivery
from conformance.findings import Finding
from conformance.generation.selection import cited_exchanges, select_cases, smallest_failures
from conformance.ids import fresh_seed
from conformance.judging.endings import completed
from conformance.judging.journal import condensed, provider_findings
from conformance.options import Options
from conformance.recording.cassettes import Cassette, CassetteUnreadableError, rebased, without_port
from conformance.recording.tape import Tape
from conformance.reporting.results import exchange_to_json, finding_to_json
from conformance.scenario import HOOKS, SHOWS, VERIFIES, WAITS, NeedError, Record, StepFailedError, recording
from conformance.specification import Specification
from conformance.targets import Conditions, Subject, Target, cassette_folder, cassette_path
from conformance.targets.replay import ReplayTarget, replayed_credentials
from conformance.verdicts import Verdict, verdict_of_finding

ATTACHED = "conformance"
"""The attribute of a test report that holds what the test found."""
_ONLY_NEW = {"once", "new_episodes"}
"""The modes of pytest-recording in which a cassette that is there stays as it is."""
_RED = {Verdict.FAIL, Verdict.ERROR, Verdict.BLOCKED}


@dataclass
class Running:
    """The test that runs now.

    Args:
        api: The API that it is about.
        id: Its id: API, topic and name.
        rules: The ids of the rules that it can judge.
        summary: What it brings about, in its own words.
    """

    api: Api
    id: str
    rules: Sequence[str]
    summary: str
    record: Record = field(init=False)
    subject: Subject | None = None
    failure: BaseException | None = None
    findings: list[Finding] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.begin()

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
        self._record_mode = record_mode(options, config)
        self._conditions = Conditions(
            seed=self._of_this_run,
            drawing_seed=options.seed,
            pin_agent=options.effective_pin_agent,
            examples=options.examples,
        )
        self._apis: dict[str, Api] = {}
        self._catalogues: dict[str, Catalogue] = {}
        self._specifications: dict[str, Specification] = {}
        self._target: Target | None = None
        self._closed: dict[str, str] = {}
        self._running: dict[str, Running] = {}
        self._current: Running | None = None

    # ------------------------------------------------------------------------------------------------ collection

    def select(self, items: list[pytest.Item]) -> None:
        """Keep the tests whose rules match the pattern."""
        kept = []
        for item in items:
            marker = item.get_closest_marker(VERIFIES)
            api = _api_of(item) if marker else None
            if marker is None or api is None:
                kept.append(item)
                continue
            shown = [rule for further in item.iter_markers(SHOWS) for rule in further.args]
            if not self._options.wants_test(test_id(item, api), [*marker.args, *shown]):
                continue
            self._learn(api)
            if "hooks" in getattr(item, "fixturenames", ()):
                item.add_marker(HOOKS)
            summary = getattr(getattr(item, "function", None), "__doc__", None) or ""
            self._running[item.nodeid] = Running(api, test_id(item, api), marker.args, " ".join(summary.split()))
            self._mark_for_recording(item)
            kept.append(item)
        items[:] = kept

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
                )
            case _:
                folders = {name: self.folder(api) for name, api in self._apis.items()}
                return ReplayTarget(folders, self._specifications)

    # -------------------------------------------------------------------------------------------------- one test

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
        target = self.target()
        if reason := self._closed.get(running.api.name):
            raise StepFailedError(reason)
        if self._options.target == "live" and item.get_closest_marker(WAITS) and not self._options.allow_wait:
            raise NeedError("time to pass, about an hour; give --allow-wait to wait for it")
        running.subject = target.subject(running.api, running.id, self._conditions)
        offline = blocking_context() if self._options.target == "replay" else nullcontext()
        with offline, recording(running.rules) as running.record:
            yield running.subject

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
            running.failure = call.excinfo.value
        if report.when == "call" or (report.when == "setup" and call.excinfo is not None):
            self._judge(running)
            self._attach(running, report)
            if self._is_recorded(running):
                self._save(running, report)
        return report

    def _judge(self, running: Running) -> None:
        subject, findings = running.subject, list(running.record.findings)
        generated, unmatched = False, ""
        hide: Callable[[str], str] = str
        if subject is not None:
            journal = subject.journal
            specification = self._specifications[running.api.name]
            findings += provider_findings(
                running.api, specification, journal.exchanges, journal.deliveries, subject.settings
            )
            findings = smallest_failures(findings, journal.exchanges)
            generated = any(exchange.generated for exchange in journal.exchanges)
            unmatched = journal.player.unmatched if journal.player else ""
            hide = cache(journal.hide)
        running.findings = [
            replace(
                finding,
                test=running.id,
                expected=hide(finding.expected),
                got=hide(finding.got),
                reason=hide(finding.reason),
            )
            for finding in condensed(
                completed(findings, running.rules, running.failure, generated=generated, unmatched=unmatched)
            )
        ]

    def _attach(self, running: Running, report: pytest.TestReport) -> None:
        catalogue = self._catalogues[running.api.name]
        verdicts = [
            (finding, verdict_of_finding(catalogue[finding.rule], finding, strict=self._options.strict))
            for finding in running.findings
        ]
        findings = running.findings
        exchanges = cited_exchanges(running.subject.journal.redacted, findings) if running.subject else []
        attached: dict[str, Any] = {
            "test": running.id,
            "api": running.api.name,
            "subject": self.target().description,
            "summary": running.summary,
            "findings": [finding_to_json(finding) for finding in findings],
            "exchanges": [exchange_to_json(exchange) for exchange in exchanges],
            "remarks": running.record.remarks,
        }
        if isinstance(running.failure, CassetteUnreadableError):
            attached["unreadable"] = str(running.failure)
        tape = running.subject.journal.player if running.subject else None
        if isinstance(tape, Tape):
            attached["origin"] = tape.cassette.origin
            attached["unplayed"] = tape.unplayed()
            attached["specification"] = tape.cassette.specification
            attached["recorded"] = tape.cassette.recorded.isoformat()
        setattr(report, ATTACHED, attached)
        red = [(finding, verdict) for finding, verdict in verdicts if verdict in _RED]
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
        if self._options.target == "replay":
            return False
        if self._record_mode in _ONLY_NEW:
            return not cassette_path(self.folder(running.api), running.id).exists()
        return self._record_mode != "none"

    def _save(self, running: Running, report: pytest.TestReport) -> None:
        subject = running.subject
        if subject is None or report.outcome != "passed":
            return
        journal = subject.journal
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
            exchanges=[rebased(exchange, subject.base_url, base_url) for exchange in select_cases(journal.redacted)],
            deliveries=[journal.redactor.delivery(_for_replay(subject, delivery)) for delivery in journal.deliveries],
        ).save(cassette_path(self.folder(running.api), running.id))

    def pytest_sessionfinish(self) -> None:
        """Let go of the target."""
        if self._target is not None:
            self._target.close()


def _for_replay(subject: Subject, delivery: Delivery) -> Delivery:
    """The webhook as a replay can verify it: signed with the secret that a replay has, if it was signed rightly."""
    webhooks = subject.api.webhooks
    if webhooks is None:
        return delivery
    secret = subject.credentials[delivery.identity].get("webhook_secret")
    other = replayed_credentials(subject.api, delivery.identity)["webhook_secret"]
    return webhooks.signed_anew(delivery, secret, other) if secret else delivery


def record_mode(options: Options, config: pytest.Config) -> str:
    """Which tests are recorded, as a mode of pytest-recording; its option never changes the cassettes that ship."""
    if options.record:
        return "all"
    mode: str | None = config.getoption("--record-mode", None) if options.cassettes else None
    return mode or "none"


def _api_of(item: pytest.Item) -> Api | None:
    return next((api for api in registered().values() if item.path.is_relative_to(api.suite)), None)


def _line(finding: Finding, verdict: Verdict) -> str:
    if finding.reason:
        return f"{verdict} {finding.rule}: {finding.reason}"
    place = f" [{finding.exchange}]" if finding.exchange else ""
    return f"{verdict} {finding.rule}: {finding.where}: expected {finding.expected}, got {finding.got}{place}"
