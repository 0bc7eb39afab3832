"""What the suite says of a changed sandbox, which is the one that this process imported."""

import logging
import pickle
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from signal import ITIMER_PROF, setitimer

from conformance.api import Api, named
from conformance.catalogue import Catalogue
from conformance.matrix.judgement import judge
from conformance.matrix.observation import observe_server
from conformance.matrix.verdicts import RuleVerdict
from conformance.mutants.outcome import Outcome, Result
from conformance.mutants.rehearsed import PATIENCE, Rehearsed, RehearsedTest
from conformance.run import SuiteCrashedError
from conformance.sandbox.recorder import differing_worlds
from conformance.sandbox.remote import Control, NotASandboxError, World
from conformance.sandbox.server import RunningSandbox, SandboxApp
from conformance.sandbox.world import Worlds

_SECONDS_AT_LEAST = 5.0
_TIMES_AS_LONG = 10.0
_LARGEST_STAGE = 8
_TESTS_NAMED = 5


def tried(parts: Sequence[tuple[Rehearsed, Sequence[RehearsedTest]]]) -> Result:
    """Ask what the tests asked, and run those that are answered otherwise until one finds a rule to be worse.

    A step that takes ten times as long as on the sandbox as it is, and at least five seconds of processor time, ends
    this process by the signal SIGPROF.

    Args:
        parts: The rehearsal of each API that has to do with the change, with the tests that execute it, in the order in
            which they are tried.
    """
    logging.disable(logging.CRITICAL)
    differ: list[str] = []
    for rehearsed, tests in parts:
        api = named(rehearsed.api)
        try:
            _app(api)
        except Exception as error:  # noqa: BLE001  (whatever a changed source raises)
            return Result(Outcome.NOT_STARTED, reason=f"The sandbox does not start: {type(error).__name__}: {error}")
        trial = _Trial(api, rehearsed)
        try:
            caught_by = trial.run(tests)
        except NotASandboxError:
            return Result(Outcome.NOT_STARTED, reason="No world of it can be made.")
        except SuiteCrashedError as error:
            return Result(Outcome.SURVIVED, tests=tuple(trial.differing), reason=f"The suite itself broke: {error}")
        if caught_by:
            return Result(Outcome.CAUGHT, caught_by, tuple(trial.tests_that_catch()))
        differ += trial.differing
    if differ:
        return Result(Outcome.SURVIVED, tests=tuple(differ[:_TESTS_NAMED]))
    return Result(Outcome.SILENT)


def _app(api: Api) -> SandboxApp:
    return SandboxApp(Worlds([api], "sandbox", (), beyond_loopback=False))


@dataclass
class _Trial:
    """The trial of a change with the tests of one API.

    Args:
        api: The API.
        rehearsed: Its rehearsal.
    """

    api: Api
    rehearsed: Rehearsed
    differing: list[str] = field(default_factory=list)
    stage: Sequence[str] = ()
    verdicts: dict[str, Mapping[str, RuleVerdict]] = field(default_factory=dict)

    def run(self, tests: Sequence[RehearsedTest]) -> tuple[str, ...]:
        """Run what is answered otherwise, in stages, and give the rules that are worse after one."""
        with RunningSandbox(_app(self.api), "127.0.0.1", 0) as sandbox:
            _make_a_world(sandbox.origin)
            for stage in self._stages(tests):
                self.stage = stage
                _allow(sum(self.rehearsed.seconds[test] for test in stage))
                self.verdicts.update(observe_server(self.api, sandbox.origin, stage).verdicts)
                if worse := self._worse(self.verdicts):
                    return worse
        return ()

    def tests_that_catch(self) -> list[str]:
        """The first test of the last stage that alone finds a rule to be worse; all of the stage if none does alone."""
        alone = [test for test in self.stage if self._worse({test: self.verdicts[test]})]
        return alone[:1] or list(self.stage)

    def _stages(self, tests: Sequence[RehearsedTest]) -> Iterator[list[str]]:
        """The tests that are answered otherwise, or may be, first one and then more and more of them together."""
        size, stage = 1, list[str]()
        for test in tests:
            if not self._may_differ(test):
                continue
            if stage and (test.generated or len(stage) == size):
                yield stage
                size, stage = 1 if test.generated else min(2 * size, _LARGEST_STAGE), []
            stage.append(test.id)
        if stage:
            yield stage

    def _may_differ(self, test: RehearsedTest) -> bool:
        if not test.steady:
            return True
        _allow(test.seconds)
        recordings = {test.id: pickle.loads(test.recording)}  # noqa: S301  (written by ourselves)
        try:
            differs = bool(differing_worlds(self.api, (), recordings, patience=PATIENCE))
        except Exception:  # noqa: BLE001  (whatever a changed source raises; a server would close the connection)
            differs = True
        if differs:
            self.differing.append(test.id)
        return differs

    def _worse(self, verdicts: Mapping[str, Mapping[str, RuleVerdict]]) -> tuple[str, ...]:
        catalogue = Catalogue.load(self.api.rules)
        return judge(tuple(catalogue), verdicts, self.rehearsed.verdicts, catalogue).caught_by


def _make_a_world(origin: str) -> None:
    """Make a world, without which no test runs.

    Raises:
        NotASandboxError: If there is none.
    """
    _allow(0)
    control = Control(origin)
    with closing(control), World(control, "first"):
        pass


def _allow(seconds: float) -> None:
    """End this process when it has used so much processor time that it hangs.

    Args:
        seconds: What the next step took on the sandbox as it is.
    """
    setitimer(ITIMER_PROF, _SECONDS_AT_LEAST + _TIMES_AS_LONG * seconds)
