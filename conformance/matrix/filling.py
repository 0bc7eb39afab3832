"""A matrix as it grows: each trial goes through its stages until it is decided, and becomes an entry.

All tests to which a change makes a difference are run, but for two things:

- Generated tests take longer than all others together, so they are run for what they alone catch: for a fault while a
  rule that it names does not notice it, for a mutation while none does, for a variation not at all.
- A mutation is caught or not, and no claim is made of what else it breaks; so of the tests that get such an answer
  first one is run, then the others, until it is caught.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass, field
from math import ceil
from typing import Any

import conformance
from conformance.api import named
from conformance.catalogue import Catalogue
from conformance.matrix.form import FORMAT, MatrixUnreadableError, source_digest, sources
from conformance.matrix.judgement import Judgement, judge, summary
from conformance.matrix.observation import Rehearsal, is_generated, observe, observe_differing, rehearse
from conformance.matrix.session import Observation
from conformance.matrix.trials import SECTIONS, Trial, strongest_basis, trials
from conformance.matrix.verdicts import RuleVerdict
from conformance.run import SuiteCrashedError
from conformance.sandbox.faults import Variation
from conformance.sandbox.mutations import Mutation

_BATCHES_AT_ONCE = 32
"""How many batches are given out at a time: each takes along what the tests asked, some megabytes."""
_LARGEST_BATCH = 8
"""How many trials share a session of pytest at most; the last ones share with fewer, so that all workers end alike."""

Entry = Mapping[str, Any]
"""An entry of a matrix, in the form of ``specs/schemas/matrix.json``."""


@dataclass
class _Attempt:
    """A trial under way.

    Args:
        trial: What is tried.
        stages: The tests that are still to be run, in the stages in which they are.
    """

    trial: Trial
    stages: list[list[str]]
    verdicts: dict[str, Mapping[str, RuleVerdict]] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def is_mutation(self) -> bool:
        """Whether it tries a mutation."""
        return self.trial.section == "mutations"

    def add(self, observation: Observation) -> None:
        """Take in what the tests of a stage found."""
        self.verdicts.update(observation.verdicts)
        self.seconds += observation.seconds

    def judgement(self, rehearsal: Rehearsal) -> Judgement:
        """What it has come to so far."""
        catalogue = Catalogue.load(named(self.trial.api).rules)
        return judge(self.trial.breaks, self.verdicts, rehearsal.observation.verdicts, catalogue)

    def next_stage(self, rehearsal: Rehearsal) -> list[str]:
        """The ids of the tests that are to run next; none if it is decided."""
        judgement = self.judgement(rehearsal)
        is_decided = judgement.caught if self.is_mutation else bool(self.trial.breaks) and not judgement.missed_by
        while self.stages and not is_decided:
            stage = self.stages.pop(0)
            if is_generated(stage[0]):
                right, missing = rehearsal.observation.verdicts, set(judgement.missed_by)
                stage = [test for test in stage if right[test].keys() & missing]
            if stage:
                return stage
        return []


class Matrix:
    """The matrix as it grows.

    Args:
        chosen: What is tried.
        before: A matrix that is continued; what stands in it stays, and is not tried again.
        tests: The ids of the tests that may be run; empty for all.

    Attributes:
        is_of_other_source: Whether what stands in it already was made by another source of the suite or a sandbox than
            there is now. A matrix says by which source its first entries were made.

    Raises:
        MatrixUnreadableError: If `before` was made from other rules or descriptions.
    """

    def __init__(
        self, chosen: Sequence[Trial], before: Mapping[str, Any] | None = None, tests: Sequence[str] = ()
    ) -> None:
        self._tests = tuple(tests)
        self._sources = sources()
        self._source: str | None = source_digest()
        self.is_of_other_source = False
        self._entries: dict[Trial, Entry] = {}
        every = list(dict.fromkeys([*trials(), *chosen]))
        if before is not None:
            if before["sources"] != self._sources:
                raise MatrixUnreadableError(
                    "The matrix to be continued was made from other rules or descriptions than there are now. "
                    "Start a new one, without --resume."
                )
            known = {Trial(entry["api"], entry["name"]): entry for part in SECTIONS for entry in before[part]}
            self._entries = {
                trial: known[trial]
                for trial in every
                if trial in known and known[trial].get("breaks", []) == list(trial.breaks)
            }
            if self._entries:
                now, self._source = self._source, before["suite"].get("source")
                self.is_of_other_source = now != self._source
        self._chosen = [trial for trial in every if trial in self._entries or trial in chosen]

    @property
    def remaining(self) -> list[Trial]:
        """What is still to be tried."""
        return [trial for trial in self._chosen if trial not in self._entries]

    def fill(self, executor: Executor, on_entry: Callable[[Entry], None]) -> None:
        """Try what is left.

        Args:
            executor: Where the work goes.
            on_entry: Called with each entry of the matrix as it is made.

        Raises:
            SuiteCrashedError: If pytest broke.
        """
        rehearsing = {
            executor.submit(rehearse, named(name), self._tests): name
            for name in dict.fromkeys(trial.api for trial in self.remaining)
        }
        rehearsals = {rehearsing[done]: done.result() for done in wait(rehearsing).done}
        ready = [_Attempt(trial, _stages(trial, rehearsals[trial.api])) for trial in self.remaining]
        queue = _Queue(executor, rehearsals)
        while ready or queue:
            for attempt in ready:
                rehearsal = rehearsals[attempt.trial.api]
                if stage := attempt.next_stage(rehearsal):
                    queue.add(attempt, stage)
                else:
                    self._entries[attempt.trial] = entry = _entry(attempt, attempt.judgement(rehearsal))
                    on_entry(entry)
            ready = queue.next_done()

    def to_json(self) -> dict[str, Any]:
        """The matrix in the form of ``specs/schemas/matrix.json``."""
        parts: dict[str, list[Entry]] = {
            part: [self._entries[trial] for trial in self._chosen if trial in self._entries and trial.section == part]
            for part in SECTIONS
        }
        return {
            "format": FORMAT,
            "suite": {"version": conformance.__version__, **({"source": self._source} if self._source else {})},
            "sources": self._sources,
            "complete": not self.remaining,
            **parts,
            "summary": summary(parts),
        }


# ------------------------------------------------------------------------------------------------------------- batches


class _Queue:
    """The stages that are to be run; those of the same kind are given out in batches.

    Args:
        executor: Where the work goes.
        rehearsals: The rehearsal of each API, by its name.
    """

    def __init__(self, executor: Executor, rehearsals: Mapping[str, Rehearsal]) -> None:
        self._executor = executor
        self._rehearsals = rehearsals
        self._waiting: dict[tuple[str, bool], deque[tuple[_Attempt, list[str]]]] = {}
        self._running: dict[Future[dict[str, Observation]], list[_Attempt]] = {}

    def __bool__(self) -> bool:
        return bool(self._running) or any(self._waiting.values())

    def add(self, attempt: _Attempt, stage: list[str]) -> None:
        """Have these tests run for a trial when it is its turn."""
        self._waiting.setdefault((attempt.trial.api, attempt.is_mutation), deque()).append((attempt, stage))

    def next_done(self) -> list[_Attempt]:
        """Give out what is waiting, wait for what ends first, and give the attempts that it was for.

        Raises:
            SuiteCrashedError: If pytest broke.
        """
        for kind, waiting in self._waiting.items():
            while waiting and len(self._running) < _BATCHES_AT_ONCE:
                size = min(_LARGEST_BATCH, ceil(len(waiting) / _BATCHES_AT_ONCE))
                batch = [waiting.popleft() for _ in range(size)]
                self._running[self._submit(kind, batch)] = [attempt for attempt, _ in batch]
        done = wait(self._running, return_when=FIRST_COMPLETED).done
        return [attempt for future in done for attempt in self._finish(future)]

    def _submit(
        self, kind: tuple[str, bool], batch: Sequence[tuple[_Attempt, list[str]]]
    ) -> Future[dict[str, Observation]]:
        name, are_mutations = kind
        tests = {attempt.trial.name: stage for attempt, stage in batch}
        if are_mutations:  # what gets such an answer differs for certain
            return self._executor.submit(observe, named(name), tests)
        of_rehearsal = self._rehearsals[name].recordings
        recordings = {test: of_rehearsal[test] for stage in tests.values() for test in stage}
        return self._executor.submit(observe_differing, named(name), tests, recordings)

    def _finish(self, future: Future[dict[str, Observation]]) -> list[_Attempt]:
        attempts = self._running.pop(future)
        try:
            observations = future.result()
        except SuiteCrashedError as error:
            names = ", ".join(attempt.trial.name for attempt in attempts)
            raise SuiteCrashedError(f"When one of these was tried, {names}: {error}") from error
        for attempt in attempts:
            attempt.add(observations[attempt.trial.name])
        return attempts


def _stages(trial: Trial, rehearsal: Rehearsal) -> list[list[str]]:
    """The tests that may be run, in the stages in which they are."""
    scenarios, generated, found = rehearsal.scenarios(), rehearsal.generated_tests(), trial.change
    if issubclass(found, Mutation):
        concerned = {
            test
            for test, answers in rehearsal.answers.items()
            if any(found.concerns(name, answer.status) and found.change(answer) != answer for name, answer in answers)
        }
        scenarios = [test for test in scenarios if test in concerned]
        stages = [scenarios[:1], scenarios[1:], [test for test in generated if test in concerned]]
    elif issubclass(found, Variation):
        stages = [scenarios, rehearsal.under_circumstances(found.__module__.rpartition(".")[2])]
    else:
        stages = [scenarios, generated, rehearsal.under_circumstances()]
    return [stage for stage in stages if stage]


def _entry(attempt: _Attempt, judgement: Judgement) -> Entry:
    trial, found, tests = attempt.trial, attempt.trial.change, len(attempt.verdicts)
    entry = {"name": trial.name, "api": trial.api, "title": trial.title}
    cost = {"tests": tests, "seconds": round(attempt.seconds, 2)}
    if issubclass(found, Variation):
        return {**entry, "permits": found.permits, "alarms": list(judgement.alarms), **cost}
    judged: dict[str, Any] = {
        **entry,
        "breaks": list(trial.breaks),
        "basis": strongest_basis(trial.breaks, Catalogue.load(named(trial.api).rules)).value,
        "category": found.category,
        "caught": judgement.caught,
        "caught_by": list(judgement.caught_by),
        "also": [] if attempt.is_mutation else list(judgement.also),
        **cost,
    }
    if not judgement.caught:
        judged["reason"] = (
            f"None of the {tests} tests to which it makes a difference broke a rule of that basis."
            if tests
            else "It makes a difference to no test."
        )
    return judged
