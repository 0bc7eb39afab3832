"""What the tests of the suites attached to pytest's reports, gathered in one process, and the results that it makes."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from conformance.api import Api, named
from conformance.catalogue import Catalogue, Rule
from conformance.clock import SystemClock
from conformance.findings import Finding, Outcome
from conformance.judging.baseline import Baseline
from conformance.judging.results import Run, finding_from_json, results
from conformance.options import Options
from conformance.recording.cassettes import recording_command
from conformance.specification import Specification
from conformance.targets import MARK, cassette_folder, cassette_path
from conformance.targets.replay import recordings_of
from conformance.verdicts import RED, verdict_of_finding

if TYPE_CHECKING:
    import pytest

ATTACHED = "conformance"
"""The attribute of a test report that holds what the test found."""
_WORSE = {Outcome.BROKEN, Outcome.BLOCKED, Outcome.ERROR}


class Gathered:
    """What tests attached, whichever process ran them."""

    def __init__(self) -> None:
        self._places: dict[str, int] = {}
        self._attached: list[tuple[int, dict[str, Any]]] = []

    def expect(self, tests: Sequence[str]) -> None:
        """Note the order in which tests stand, by pytest's ids."""
        for test in tests:
            self._places.setdefault(test, len(self._places))

    def add(self, report: "pytest.TestReport") -> dict[str, Any] | None:
        """Keep what a test attached to its report; None if it is no test of a suite, or has attached nothing yet."""
        attached = getattr(report, ATTACHED, None)
        if attached is None:
            return None
        kept = {**attached, "findings": [finding_from_json(data) for data in attached["findings"]]}
        self._attached.append((self._places.setdefault(report.nodeid, len(self._places)), kept))
        return kept

    @property
    def tests(self) -> list[dict[str, Any]]:
        """What they attached, in the order in which the tests stand."""
        return [attached for _, attached in sorted(self._attached, key=itemgetter(0))]

    @property
    def findings(self) -> list[Finding]:
        """All that they found."""
        return [finding for attached in self.tests for finding in attached["findings"]]


@dataclass(frozen=True)
class Course:
    """How the tests went, besides what they found.

    Args:
        started: When the first one began (UTC).
        seconds: How long they took.
        remarks: What a reader should know besides, in sentences.
        main_flows: The rule that must have been judged, without the name of its API, by API.
        baseline: What is known to fail, None if nothing is said to be.
        interrupted: Whether the user stopped them.
    """

    started: datetime
    seconds: float
    remarks: Sequence[str]
    main_flows: Mapping[str, str]
    baseline: Baseline | None = None
    interrupted: bool = False


def results_of(
    gathered: Gathered, options: Options, apis: Sequence[Api], rules: Sequence[Rule], course: Course
) -> dict[str, Any]:
    """The results of tests in the form of ``specs/schemas/results.json``, without secrets of the user's.

    Args:
        gathered: What they found.
        options: What they were asked to do.
        apis: What was judged.
        rules: The rules that are part of it, tested or not.
        course: How they went.
    """
    tests = gathered.tests
    found = results(
        Run(
            options=options,
            subject=_subject(options, tests),
            apis={api.name: api.title for api in apis},
            started=course.started,
            seconds=course.seconds,
            findings=gathered.findings,
            exchanges=[exchange for attached in tests for exchange in attached["exchanges"]],
            remarks=[*_remarks(options, apis, tests), *course.remarks],
            scenarios={attached["test"]: attached["summary"] for attached in tests},
            baseline=course.baseline,
            main_flows=course.main_flows,
            interrupted=course.interrupted,
            recorded=_recorded(tests),
        ),
        rules,
    )
    if options.target == "live":
        from conformance.recording.own_secrets import without_secrets  # noqa: PLC0415  (only a live run has secrets)

        found = without_secrets({**found, "left_behind": _left_behind(apis, tests)})
    return found


def results_in_pytest(reports: "Sequence[pytest.TestReport]", options: Options) -> dict[str, Any]:
    """The results of what a user's pytest ran of the suites, in the form of ``specs/schemas/results.json``.

    The main flow of an API counts if pytest was asked for a test of it.

    Args:
        reports: Those of the suites' tests; one at least.
        options: What they were asked to do.
    """
    gathered = Gathered()
    for report in sorted(reports, key=lambda each: each.nodeid):
        gathered.add(report)
    started = min(report.start for report in reports)
    apis = [named(name) for name in dict.fromkeys(attached["api"] for attached in gathered.tests)]
    rules = [rule for api in apis for rule in Catalogue.load(api.rules).values() if options.wants_rule(rule.id)]
    seen = set() if options.rule or options.tests else {finding.rule for finding in gathered.findings}
    flows = {api.name: api.main_flow for api in apis if api.main_flow and f"{api.name}.{api.main_flow}" in seen}
    seconds = max(report.stop for report in reports) - started
    return results_of(gathered, options, apis, rules, Course(datetime.fromtimestamp(started, UTC), seconds, (), flows))


def _subject(options: Options, tests: Sequence[Mapping[str, Any]]) -> str:
    """What was judged, in a few words, for the line that states the verdict."""
    if options.target == "replay":
        return recordings_of({attached["origin"] for attached in tests if "origin" in attached})
    return next((str(attached["subject"]) for attached in tests), options.target)


def _recorded(tests: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Where and when the cassettes were recorded that were played, empty if none was."""
    played = [attached for attached in tests if "recorded" in attached]
    if not played:
        return {}
    times = sorted(attached["recorded"] for attached in played)
    return {"servers": sorted({attached["server"] for attached in played}), "first": times[0], "last": times[-1]}


def _left_behind(apis: Sequence[Api], tests: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """What the run made and could not remove, by the API."""
    return {
        api.name: list(
            dict.fromkeys(made for attached in tests if attached["api"] == api.name for made in attached["left_behind"])
        )
        for api in apis
    }


def _stays(apis: Sequence[Api], left_behind: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """What a live run leaves at each server, in a sentence."""
    for api in apis:
        counted = Counter(made.partition(" ")[0] for made in left_behind[api.name])
        if counted:
            what = " and ".join(f"{number} {kind}{'s' if number > 1 else ''}" for kind, number in counted.items())
            yield (
                f"Left behind at {api.title}: {what}, most with ids of ours that begin with {MARK}; left_behind in "
                "results.json lists them."
            )


def _remarks(options: Options, apis: Sequence[Api], tests: Sequence[Mapping[str, Any]]) -> list[str]:
    """What tests remarked, and what a reader of a replay should know of its cassettes."""
    remarks = list(dict.fromkeys(remark for attached in tests for remark in attached["remarks"]))
    if options.target == "live":
        return [*remarks, *_stays(apis, _left_behind(apis, tests))]
    if options.target != "replay":
        return remarks
    for api in apis:
        ours = [attached for attached in tests if attached["api"] == api.name]
        if options.max_age is not None:
            remarks += _outdated(options, api, ours)
        digest = Specification.load(api.specification).digest
        stale = [attached for attached in ours if attached.get("specification", digest) != digest]
        if stale:
            remarks.append(
                f"{len(stale)} cassettes of {api.title} were recorded with another specification "
                f"({stale[0]['specification'][:19]}…, now {digest[:19]}…); they are judged by today's."
            )
        unplayed = [exchange for attached in ours for exchange in attached.get("unplayed", [])]
        if unplayed:
            remarks.append(f"Recorded but not asked for: {', '.join(unplayed[:5])}{' …' if len(unplayed) > 5 else ''}")  # noqa: PLR2004
    return remarks


def _outdated(options: Options, api: Api, tests: Sequence[Mapping[str, Any]]) -> list[str]:
    """Which cassettes were recorded longer ago than the options allow, in a sentence."""
    oldest = SystemClock().now() - timedelta(seconds=options.max_age or 0)
    old = {
        attached["test"]: datetime.fromisoformat(attached["recorded"])
        for attached in tests
        if "recorded" in attached and datetime.fromisoformat(attached["recorded"]) < oldest
    }
    if not old:
        return []
    shown = sorted(old, key=lambda test: (old[test], test))[:5]
    folder = cassette_folder(options, api)
    origin = next((attached["origin"] for attached in tests if "origin" in attached), "")
    again = recording_command(api.name, folder, origin)
    many = f"{len(old)} cassettes of {api.title} are" if len(old) > 1 else f"1 cassette of {api.title} is"
    since = f"{min(old.values()):%Y-%m-%d}"
    more = " …" if len(old) > len(shown) else ""
    return [
        f"{many} older than --max-age, the oldest of {since}: {', '.join(shown)}{more}. To record them again: {again}"
    ]


def unused_cassettes(options: Options, apis: Sequence[Api], tests: Sequence[Mapping[str, Any]]) -> list[str]:
    """What a reader of a whole replay should know of cassettes that no test played, in sentences."""
    remarks = []
    for api in apis:
        folder = cassette_folder(options, api)
        used = {cassette_path(folder, attached["test"]) for attached in tests if attached["api"] == api.name}
        unused = sorted(str(path.relative_to(folder)) for path in set(folder.glob("*/*.yaml")) - used)
        if unused:
            remarks.append(f"Cassettes without a test: {', '.join(unused[:5])}{' …' if len(unused) > 5 else ''}")  # noqa: PLR2004
    return remarks


def red_rules(reports: "Sequence[pytest.TestReport]") -> set[str]:
    """The ids of the rules that the reports of one test show to be broken, or could not judge for a reason."""
    return {
        finding["rule"]
        for report in reports
        for finding in getattr(report, ATTACHED, {}).get("findings", ())
        if finding["outcome"] in _WORSE
    }


def is_red(report: "pytest.TestReport", catalogues: Mapping[str, Catalogue], options: Options) -> bool:
    """Whether a test of a suite shows a rule that fails, is blocked or cannot be judged, and is not known to.

    Args:
        report: What pytest says of the test.
        catalogues: The rules by API.
        options: What the run is asked to do.
    """
    attached: dict[str, Any] = getattr(report, ATTACHED, {"findings": ()})
    findings = (finding_from_json(data) for data in attached["findings"] if data["rule"] not in options.known)
    return any(
        verdict_of_finding(catalogues[attached["api"]][each.rule], each, strict=options.strict) in RED
        for each in findings
    )


def without(reports: "Sequence[pytest.TestReport]", rules: Collection[str]) -> "Sequence[pytest.TestReport]":
    """The reports of one test without what they say of these rules, passed if nothing is left."""
    for report in reports:
        attached = getattr(report, ATTACHED, None)
        if attached is not None:
            attached["findings"] = [finding for finding in attached["findings"] if finding["rule"] not in rules]
            if not attached["findings"]:
                report.outcome, report.longrepr = "passed", None
    return reports
