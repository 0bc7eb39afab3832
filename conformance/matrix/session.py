"""One session of pytest in which tests of the suite run on one sandbox after the other.

To start and end a session takes a tenth of a second, as long as a short test.
"""

from collections import deque
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from conformance.api import Api
from conformance.catalogue import Catalogue
from conformance.clock import stopwatch
from conformance.findings import Finding
from conformance.judging.results import finding_from_json
from conformance.matrix.verdicts import RuleVerdict, Verdicts, rule_verdict
from conformance.run import Options, run
from conformance.runner import test_id
from conformance.sandbox.server import SandboxApp
from conformance.sandbox.world import Worlds
from conformance.targets.gathering import ATTACHED


@dataclass(frozen=True)
class Observation:
    """What tests found of a sandbox.

    Args:
        verdicts: The verdicts of each test.
        seconds: How long the tests took together, with all that belongs to running them.
        seconds_by_test: How long each test took, by its id.
    """

    verdicts: Verdicts
    seconds: float
    seconds_by_test: Mapping[str, float]


class ReplaceableApp(SandboxApp):
    """A sandbox that can be replaced by another one while its server goes on.

    Args:
        api: The API that it implements.
    """

    def __init__(self, api: Api) -> None:
        super().__init__(Worlds([api], "sandbox", (), beyond_loopback=False))
        self._current: SandboxApp | None = None
        self._former = deque[SandboxApp]()

    def replace(self, app: SandboxApp) -> None:
        """Have another sandbox answer from now on; the webhooks that are under way are dropped."""
        if self._current is not None:
            self._former.append(self._current)
        self._current = app

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        """Serve one connection scope of ASGI."""
        while self._former:
            await self._former.popleft().worlds.close()
        if scope["type"] == "http" and self._current is not None:
            await self._current(scope, receive, send)
            return
        await super().__call__(scope, receive, send)
        if self._current is not None:  # the server has ended
            await self._current.worlds.close()


class Round:
    """A run of some tests on one sandbox.

    Args:
        tests: The ids of the tests; empty for all that there are.
        begin: Called before the tests run, to have the right sandbox answer.
    """

    def __init__(self, tests: Sequence[str], begin: Callable[[], None] = lambda: None) -> None:
        self.tests = tuple(tests)
        self.seconds = 0.0
        self._begin = begin
        self._verdicts: dict[str, dict[str, RuleVerdict]] = {}
        self._seconds_by_test: dict[str, float] = {}

    def run(self, items: Mapping[str, pytest.Item]) -> None:
        """Run the tests.

        Args:
            items: The tests that were collected, by their ids.
        """
        began = stopwatch()
        self._begin()
        chosen = [
            item for test, item in items.items() if not self.tests or {test, test.partition(".")[0]} & set(self.tests)
        ]
        for item, following in zip(chosen, [*chosen[1:], None], strict=True):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        self.seconds = stopwatch() - began

    def add(self, test: str, findings: Sequence[Finding], seconds: float, catalogue: Catalogue) -> None:
        """Take in what a test found, and how many seconds it took."""
        self._seconds_by_test[test] = seconds
        verdicts = self._verdicts.setdefault(test, {})
        for finding in findings:
            verdict = rule_verdict(catalogue[finding.rule], finding)
            verdicts[finding.rule] = verdicts.get(finding.rule, RuleVerdict()) | verdict

    def observation(self, seconds_besides: float) -> Observation:
        """What the tests found.

        Args:
            seconds_besides: The round's share of what the session took besides its rounds.
        """
        return Observation(self._verdicts, self.seconds + seconds_besides, self._seconds_by_test)


class _Rounds:
    """The plugin of pytest that runs the tests in rounds, and listens to what each finds."""

    def __init__(self, api: Api, rounds: Sequence[Round]) -> None:
        self._api = api
        self._catalogue = Catalogue.load(api.rules)
        self._rounds = rounds
        self._current = rounds[0]

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        if session.testsfailed:
            return None  # pytest says which file cannot be read
        items = {test_id(item, self._api): item for item in session.items}
        for each in self._rounds:
            self._current = each
            each.run(items)
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        attached = getattr(report, ATTACHED, None)
        if attached is not None:
            findings = [finding_from_json(data) for data in attached["findings"]]
            self._current.add(attached["test"], findings, report.duration, self._catalogue)


def run_rounds(api: Api, origin: str, rounds: Sequence[Round], *, examples: int) -> list[Observation]:
    """Run tests of an API in one session.

    Args:
        api: The API.
        origin: Scheme, host and port of the sandbox, such as ``http://127.0.0.1:8080``.
        rounds: What is run, at least one.
        examples: How many requests are generated of each operation, phase and mode at most.

    Returns:
        What was found in each round.

    Raises:
        SuiteCrashedError: If pytest broke.
    """
    began = stopwatch()
    every = dict.fromkeys(test for each in rounds for test in each.tests)
    tests = tuple(every) if all(each.tests for each in rounds) else ()
    base_urls = {api.name: f"{origin}/{api.name}"}
    options = Options((api.name,), "sandbox", base_urls, tests=tests, examples=examples, reduce=False)
    run(options, plugins=[_Rounds(api, rounds)])
    besides = stopwatch() - began - sum(each.seconds for each in rounds)
    return [each.observation(besides / len(rounds)) for each in rounds]
