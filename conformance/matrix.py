"""The kill matrix: which faults and mutations of the sandbox the suite catches, which variations it takes for one.

First the suite is *rehearsed* on the sandbox as it is, and what each test asked and was answered is kept. A test whose
requests get the same answers and webhooks from the changed sandbox would do there what it did in the rehearsal, so that
what it said then stands; only the others are run again (`conformance.sandbox.recorder`). Nothing else is left out but:

- Generated tests take longer than all others together, so they are run for what they alone catch: for a fault while a
  rule that it names is silent, for a mutation while none speaks, for a variation not at all.
- A mutation is caught or not, and no claim is made of what else it breaks; so of the tests that get such an answer
  first one is run, then the others, until it is caught.
"""

import gc
import json
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from fnmatch import fnmatchcase
from functools import cache
from hashlib import sha256
from importlib import import_module
from math import comb
from multiprocessing import get_context
from pathlib import Path
from signal import SIG_IGN, SIGINT, signal
from typing import Any, NamedTuple

import conformance
from conformance import ConformanceError
from conformance.api import Api, named, registered
from conformance.catalogue import Basis, Catalogue
from conformance.clock import stopwatch
from conformance.exchange import Response
from conformance.files import data_path
from conformance.findings import Finding, Outcome
from conformance.run import Options, SuiteCrashedError, run
from conformance.sandbox.behaviour import changed_apis, declared_changes, find_change, is_place, load_change
from conformance.sandbox.faults import BehaviourChange, Fault, UnknownFaultError, Variation
from conformance.sandbox.mutations import Mutation, mutations
from conformance.sandbox.recorder import Recording, RecordingApp, differing
from conformance.sandbox.server import RunningSandbox, start
from conformance.specification import Specification
from conformance.verdicts import Verdict, verdict_of_finding

FORMAT = "conformance-matrix/1"
SCHEMA = "specs/schemas/matrix.json"

SECTIONS = ("faults", "mutations", "variations")
"""The parts of a matrix."""

LEAST_CAUGHT = {"faults": 1.0, "mutations": 0.98}
"""The share of each that must be caught."""
LEAST_ATTRIBUTED = 0.95
"""The share of the faults of which a named rule must speak and no other must fail."""

_WORST_FIRST = tuple(Verdict)
_BREACHES = {Verdict.FAIL, Verdict.WARN, Verdict.NOTE}
_FAILURES = {Verdict.ERROR, Verdict.FAIL}
_ALARMS = {Verdict.ERROR, Verdict.FAIL, Verdict.WARN, Verdict.BLOCKED}
_SURELY = (Basis.DOCUMENTED, Basis.STANDARD)
_STRONGEST_FIRST = (Basis.DOCUMENTED, Basis.STANDARD, Basis.INFERRED, Basis.CONTRADICTED)
_GENERATED = {"properties", "sequences"}
_CONFIDENCE = 0.95
_SECONDS_TO_CONNECT = 10
_AT_ONCE = 32
"""How many trials are given out at a time: each takes along what the tests asked, some megabytes."""


class MatrixUnreadableError(ConformanceError, ValueError):
    """A matrix file cannot be read or continued; the message says which, why, and what to do."""


class NoClusterError(ConformanceError, RuntimeError):
    """The work cannot go to a cluster; the message says why and what to do."""


# ------------------------------------------------------------------------------------------------- what there is to try


@dataclass(frozen=True)
class Trial:
    """One fault, mutation or variation that is tried.

    Args:
        api: The API whose sandbox it changes.
        name: Its name.
    """

    api: str
    name: str

    @property
    def departure(self) -> BehaviourChange:
        """Its class.

        Raises:
            UnknownFaultError: If the API has none of this name.
        """
        found = find_change(named(self.api), self.name)
        if found is None:
            raise UnknownFaultError(
                f"{named(self.api).title} has no fault, mutation or variation called {self.name!r}."
            )
        return found

    @property
    def section(self) -> str:
        """In which part of the matrix it stands: ``faults``, ``mutations`` or ``variations``."""
        if issubclass(self.departure, Mutation):
            return "mutations"
        return "faults" if issubclass(self.departure, Fault) else "variations"

    @property
    def breaks(self) -> tuple[str, ...]:
        """The ids of the rules that it breaks; none for a variation."""
        return self.departure.breaks if issubclass(self.departure, Fault) else ()

    @property
    def title(self) -> str:
        """What it does, in its own words."""
        return " ".join((self.departure.__doc__ or "").partition("\n\n")[0].split())


def trials(patterns: Sequence[str] = ()) -> list[Trial]:
    """The faults, variations and mutations of all APIs that have a sandbox, in this order.

    Args:
        patterns: Names, or patterns in which ``*`` matches any text, or ``module:Class`` for those of a user's own;
            empty for all there are of the APIs.

    Raises:
        UnknownFaultError: If one of them matches nothing, or is one of a user's own that cannot be used; the message
            says why, or names what comes close.
    """
    apis = [api for api in registered().values() if api.sandbox]
    declared = [Trial(api.name, name) for api in apis for name in declared_changes(api)]
    derived = [Trial(api.name, name) for api in apis for name in mutations(api)]
    places = filter(is_place, patterns)
    own = [Trial(api.name, place) for place in places for api in changed_apis(load_change(place), apis)]
    known = [*declared, *derived, *dict.fromkeys(own)]
    names = {trial.name for trial in known}
    for pattern in patterns:
        if pattern not in names and not any(fnmatchcase(name, pattern) for name in names):
            close = get_close_matches(pattern, sorted(names))
            hint = f"Close to it: {', '.join(close)}." if close else "List them with: conformance faults"
            raise UnknownFaultError(f"There is no fault, variation or mutation called {pattern!r}. {hint}")
    exact, loose = set(patterns) & names, [pattern for pattern in patterns if pattern not in names]
    return [
        trial
        for trial in known
        if not patterns or trial.name in exact or any(fnmatchcase(trial.name, pattern) for pattern in loose)
    ]


def strongest(rules: Iterable[str], catalogue: Catalogue) -> Basis:
    """The strongest basis of these rules.

    Args:
        rules: Ids of rules, at least one.
        catalogue: The catalogue that holds them.
    """
    return min((catalogue[rule].basis for rule in rules), key=_STRONGEST_FIRST.index)


def listing() -> dict[str, list[dict[str, Any]]]:
    """The faults and variations as ``conformance faults --json`` prints them.

    Raises:
        CatalogueError: If the rules of an API cannot be read.
        SpecificationError: If the description of an API cannot be read.
    """
    found: dict[str, list[dict[str, Any]]] = {"faults": [], "variations": []}
    for trial in trials():
        known = trial.departure
        entry = {"name": trial.name, "api": trial.api}
        if issubclass(known, Variation):
            found["variations"].append({**entry, "permits": known.permits})
        elif trial.section == "faults":
            basis = strongest(trial.breaks, Catalogue.load(named(trial.api).rules))
            found["faults"].append({**entry, "breaks": list(trial.breaks), "basis": basis})
    return found


# ------------------------------------------------------------------------------------------------------- what was seen


class Seen(NamedTuple):
    """What tests said of a rule.

    Attributes:
        plain: Its verdict.
        strict: Its verdict where inferred rules count as their level says.
        notes: What a note would say: the readings that were seen, and the places in which it did not hold.
    """

    plain: Verdict = Verdict.UNTESTED
    strict: Verdict = Verdict.UNTESTED
    notes: frozenset[str] = frozenset()

    def __or__(self, other: "Seen") -> "Seen":
        """What both say together."""
        return Seen(
            min(self.plain, other.plain, key=_WORST_FIRST.index),
            min(self.strict, other.strict, key=_WORST_FIRST.index),
            self.notes | other.notes,
        )


Said = Mapping[str, Mapping[str, Seen]]
"""What each test said of each rule, by the test's id and the rule's."""


@dataclass(frozen=True)
class Observation:
    """What tests said of a sandbox.

    Args:
        said: What each of them said.
        seconds: How long they took together, with all that belongs to it.
        each: How long each took.
    """

    said: Said
    seconds: float
    each: Mapping[str, float]


@dataclass(frozen=True)
class Rehearsal:
    """What the tests say of the sandbox as it is, and what they ask it.

    Args:
        observation: What they say.
        recordings: What each of them asked and was answered, by the test's id.
        answers: The answers that each gets, with the ids of their operations.
    """

    observation: Observation
    recordings: Mapping[str, Recording]
    answers: Mapping[str, frozenset[tuple[str, Response]]]

    def written(self) -> list[str]:
        """The ids of the tests that generate nothing, the quickest first."""
        each = self.observation.each
        return sorted((test for test in each if not is_generated(test)), key=lambda test: each[test])

    def generated(self) -> list[str]:
        """The ids of the tests that generate their requests."""
        return [test for test in self.observation.each if is_generated(test)]


class _Stopwatches:
    """Hears how long each test took."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def began(self, tests: int) -> None:
        """Nothing."""

    def ended(self, test: str, verdicts: Mapping[str, Verdict], seconds: float) -> None:  # noqa: ARG002  (the listener's form)
        """A test ended."""
        self.seconds[test] = seconds


_one_at_a_time = threading.Lock()


@cache
def _settled() -> None:
    """What this process has loaded so far stays, so that pytest need not look through it for garbage after each run."""
    gc.collect()
    gc.freeze()


@contextmanager
def _warm() -> Iterator[None]:
    """Run one at a time, in a process that keeps what it has loaded."""
    with _one_at_a_time:
        yield
        _settled()


def observe(api: Api, name: str | None, *, tests: Sequence[str] = ()) -> Observation:
    """What tests say of the sandbox of an API.

    Args:
        api: The API.
        name: The fault, mutation or variation with which it runs; None for the sandbox as it is.
        tests: The ids of the tests; empty for all.

    Raises:
        UnknownFaultError: If there is no fault, mutation or variation of that name.
        SuiteCrashedError: If pytest broke.
    """
    with _warm(), start(faults=[name] if name else [], apis=[api]) as sandbox:
        return _observed(api, sandbox, tests)


def observe_differing(api: Api, name: str, recordings: Mapping[str, Recording]) -> Observation:
    """What those tests say of the sandbox with a fault or variation to which it makes a difference.

    Args:
        api: The API.
        name: The fault or variation.
        recordings: What the tests asked in a rehearsal and were answered, by their ids.

    Raises:
        UnknownFaultError: If there is no fault or variation of that name.
        SuiteCrashedError: If pytest broke.
    """
    began = stopwatch()
    with _warm():
        tests = differing(api, (name,), recordings)
    said = observe(api, name, tests=tests) if tests else Observation({}, 0.0, {})
    return replace(said, seconds=stopwatch() - began)


def _observed(api: Api, sandbox: RunningSandbox, tests: Sequence[str]) -> Observation:
    began, watches = stopwatch(), _Stopwatches()
    base_urls = {api.name: f"{sandbox.origin}/{api.name}"}
    results = run(Options((api.name,), "sandbox", base_urls, tests=tuple(tests)), watches)
    return Observation(said_in(results, Catalogue.load(api.rules)), stopwatch() - began, watches.seconds)


def said_in(results: Mapping[str, Any], catalogue: Catalogue) -> Said:
    """What the tests of a run said.

    Args:
        results: The results of the run of one API.
        catalogue: The rules of that API.
    """
    said: dict[str, dict[str, Seen]] = {test: {} for test in results["scenarios"]}
    for each in results["rules"]:
        for data in each["findings"]:
            of_test, seen = said[data["test"]], _seen(catalogue, each["id"], data)
            of_test[each["id"]] = of_test.get(each["id"], Seen()) | seen
    return said


def _seen(catalogue: Catalogue, rule: str, data: Mapping[str, Any]) -> Seen:
    outcomes = {True: Outcome.HELD, False: Outcome.BROKEN, None: None}
    finding = Finding(rule, outcomes[data["held"]] or Outcome(data["verdict"]), reading=data["reading"])
    known = catalogue[rule]
    if known.basis is Basis.CONTRADICTED:
        note = {str(data["reading"])} if data["held"] is not None else set()
    else:
        note = {f"{data['test']}: {data['where']}"} if finding.outcome is Outcome.BROKEN else set()
    return Seen(verdict_of_finding(known, finding), verdict_of_finding(known, finding, strict=True), frozenset(note))


def rehearse(api: Api, tests: Sequence[str] = ()) -> Rehearsal:
    """Run the tests of an API on its sandbox as it is, and keep what they ask.

    Args:
        api: The API.
        tests: The ids of the tests; empty for all.

    Raises:
        SuiteCrashedError: If pytest broke.
    """
    app = RecordingApp(api)
    with _warm(), RunningSandbox(app, "127.0.0.1", 0) as sandbox:
        observation = _observed(api, sandbox, tests)
    recordings = {seed.partition(":")[2]: recording for seed, recording in app.recordings.items()}
    specification = Specification.load(api.specification)
    return Rehearsal(
        observation, recordings, {test: _answers(recording, specification) for test, recording in recordings.items()}
    )


def _answers(recording: Recording, specification: Specification) -> frozenset[tuple[str, Response]]:
    found = set()
    for scope, _, answer in recording.exchanges:
        path = scope["raw_path"].decode("latin-1").split("/", 4)  # /w/<world>/<api>/<the path below the base URL>
        match = specification.match(scope["method"], f"/{path[-1]}")
        if match:
            headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in answer.headers)
            found.add((match.operation.id, Response(headers, answer.body, answer.status)))
    return frozenset(found)


# ------------------------------------------------------------------------------------------------------ what is decided


def is_generated(test: str) -> bool:
    """Whether the test with this id generates its requests."""
    return test.split("/")[1] in _GENERATED


def together(said: Said) -> dict[str, Seen]:
    """What all tests say of each rule."""
    found: dict[str, Seen] = {}
    for rules in said.values():
        for rule, seen in rules.items():
            found[rule] = found.get(rule, Seen()) | seen
    return found


def speaks(basis: Basis, wrong: Seen, right: Seen) -> bool:
    """Whether a rule says of a faulty sandbox what it does not say of the sandbox as it is.

    Args:
        basis: What the rule rests on.
        wrong: What was said of it in the faulty sandbox.
        right: What was said of it in the sandbox as it is.
    """
    another = bool(wrong.notes - right.notes)
    if basis in _SURELY:
        return _is_worse(wrong.plain, right.plain) and wrong.plain in _BREACHES
    if basis is Basis.INFERRED:
        return another and _is_worse(wrong.strict, right.strict) and wrong.strict in _BREACHES
    return another or (_is_worse(wrong.plain, right.plain) and wrong.plain in _BREACHES)


def _is_worse(one: Verdict, other: Verdict) -> bool:
    return _WORST_FIRST.index(one) < _WORST_FIRST.index(other)


@dataclass(frozen=True)
class Judgement:
    """What a trial came to.

    Args:
        caught_by: The rules that it names and that speak.
        also: The rules that it does not name and that fail.
        alarms: The rules that raise an alarm, named or not.
        caught: Whether one of its rules of the strongest basis speaks.
        silent: The rules that it names and that do not speak.
    """

    caught_by: tuple[str, ...]
    also: tuple[str, ...]
    alarms: tuple[str, ...]
    caught: bool
    silent: tuple[str, ...]


def judge(breaks: Sequence[str], wrong: Said, right: Said, catalogue: Catalogue) -> Judgement:
    """Compare what tests said of a changed sandbox with what they say of the sandbox as it is.

    Args:
        breaks: The rules that the change is said to break.
        wrong: What was said of the changed sandbox; a test that is not in it is taken to say what it says in `right`.
        right: What was said of the sandbox as it is.
        catalogue: The rules of the API.
    """
    now, before = together({**right, **wrong}), together(right)
    worse = {rule: seen.plain for rule, seen in now.items() if _is_worse(seen.plain, before.get(rule, Seen()).plain)}
    caught_by = tuple(
        rule for rule in breaks if speaks(catalogue[rule].basis, now.get(rule, Seen()), before.get(rule, Seen()))
    )
    basis = strongest(breaks, catalogue) if breaks else None
    return Judgement(
        caught_by=caught_by,
        also=tuple(rule for rule, verdict in worse.items() if verdict in _FAILURES and rule not in breaks),
        alarms=tuple(rule for rule, verdict in worse.items() if verdict in _ALARMS),
        caught=any(catalogue[rule].basis is basis for rule in caught_by),
        silent=tuple(rule for rule in breaks if rule not in caught_by),
    )


# --------------------------------------------------------------------------------------------------------- the matrix


@dataclass
class _Trying:
    """A trial under way.

    Args:
        trial: What is tried.
        stages: The tests that are still to be run, in the stages in which they are.
    """

    trial: Trial
    stages: list[list[str]]
    said: dict[str, Mapping[str, Seen]] = field(default_factory=dict)
    seconds: float = 0.0

    def learn(self, done: Future[Observation]) -> None:
        """Take in what a stage came to.

        Raises:
            SuiteCrashedError: If pytest broke.
        """
        try:
            observation = done.result()
        except SuiteCrashedError as error:
            raise SuiteCrashedError(f"When {self.trial.name} was tried: {error}") from error
        self.said.update(observation.said)
        self.seconds += observation.seconds


class Matrix:
    """The matrix as it grows.

    Args:
        chosen: What is tried.
        before: A matrix that is continued; what stands in it stays, and is not tried again.
        tests: The ids of the tests that may be run; empty for all.

    Raises:
        MatrixUnreadableError: If `before` was made from other rules or descriptions.
    """

    def __init__(
        self, chosen: Sequence[Trial], before: Mapping[str, Any] | None = None, tests: Sequence[str] = ()
    ) -> None:
        self._tests = tuple(tests)
        self._sources = _sources()
        self._entries: dict[Trial, dict[str, Any]] = {}
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
        self._chosen = [trial for trial in every if trial in self._entries or trial in chosen]
        self._apis = {name: named(name) for name in dict.fromkeys(trial.api for trial in self._chosen)}

    @property
    def left(self) -> list[Trial]:
        """What is still to be tried."""
        return [trial for trial in self._chosen if trial not in self._entries]

    def fill(self, executor: Executor, tell: Callable[[Mapping[str, Any]], None]) -> None:
        """Try what is left.

        Args:
            executor: Where the work goes.
            tell: Called with each entry of the matrix as it is made.

        Raises:
            SuiteCrashedError: If pytest broke.
        """
        rehearsing = {
            executor.submit(rehearse, self._apis[name], self._tests): name
            for name in dict.fromkeys(each.api for each in self.left)
        }
        rehearsals = {rehearsing[done]: done.result() for done in wait(rehearsing).done}
        waiting = deque(_Trying(trial, _stages(trial, rehearsals[trial.api])) for trial in self.left)
        running: dict[Future[Observation], _Trying] = {}
        while waiting or running:
            while waiting and len(running) < _AT_ONCE:
                trying = waiting.popleft()
                self._go_on(trying, rehearsals[trying.trial.api], executor, running, tell)
            for done in wait(running, return_when=FIRST_COMPLETED).done:
                trying = running.pop(done)
                trying.learn(done)
                self._go_on(trying, rehearsals[trying.trial.api], executor, running, tell)

    def _go_on(
        self,
        trying: _Trying,
        rehearsal: Rehearsal,
        executor: Executor,
        running: dict[Future[Observation], _Trying],
        tell: Callable[[Mapping[str, Any]], None],
    ) -> None:
        """Have the next stage run, or come to an end if there is none or it is not needed."""
        trial, api, right = trying.trial, self._apis[trying.trial.api], rehearsal.observation.said
        judgement = judge(trial.breaks, trying.said, right, Catalogue.load(api.rules))
        is_mutation = trial.section == "mutations"
        while trying.stages and not (judgement.caught if is_mutation else trial.breaks and not judgement.silent):
            stage = trying.stages.pop(0)
            if is_generated(stage[0]):
                stage = [test for test in stage if right[test].keys() & set(judgement.silent)]
            if is_mutation and stage:
                running[executor.submit(observe, api, trial.name, tests=stage)] = trying
                return
            if stage:
                recordings = {test: rehearsal.recordings[test] for test in stage}
                running[executor.submit(observe_differing, api, trial.name, recordings)] = trying
                return
        self._entries[trial] = _entry(trying, judgement, Catalogue.load(api.rules))
        tell(self._entries[trial])

    def to_json(self) -> dict[str, Any]:
        """The matrix in the form of ``specs/schemas/matrix.json``."""
        parts: dict[str, list[dict[str, Any]]] = {
            part: [self._entries[trial] for trial in self._chosen if trial in self._entries and trial.section == part]
            for part in SECTIONS
        }
        return {
            "format": FORMAT,
            "suite": {"version": conformance.__version__},
            "sources": self._sources,
            "complete": not self.left,
            **parts,
            "summary": summary(parts),
        }


def _stages(trial: Trial, rehearsal: Rehearsal) -> list[list[str]]:
    """The tests that may be run, in the stages in which they are."""
    written, generated, found = rehearsal.written(), rehearsal.generated(), trial.departure
    if issubclass(found, Mutation):
        concerned = {
            test
            for test, answers in rehearsal.answers.items()
            if any(found.concerns(name, answer.status) and found.change(answer) != answer for name, answer in answers)
        }
        written = [test for test in written if test in concerned]
        stages = [written[:1], written[1:], [test for test in generated if test in concerned]]
    elif issubclass(found, Variation):
        stages = [written]
    else:
        stages = [written, generated]
    return [stage for stage in stages if stage]


def _entry(trying: _Trying, judgement: Judgement, catalogue: Catalogue) -> dict[str, Any]:
    trial = trying.trial
    entry = {"name": trial.name, "api": trial.api, "title": trial.title}
    ending = {"tests": len(trying.said), "seconds": round(trying.seconds, 2)}
    found = trial.departure
    if issubclass(found, Variation):
        return {**entry, "permits": found.permits, "alarms": list(judgement.alarms), **ending}
    judged: dict[str, Any] = {
        **entry,
        "breaks": list(trial.breaks),
        "basis": strongest(trial.breaks, catalogue).value,
        "category": found.category,
        "caught": judgement.caught,
        "caught_by": list(judgement.caught_by),
        "also": list(judgement.also) if trial.section == "faults" else [],
        **ending,
    }
    if not judgement.caught:
        judged["reason"] = (
            f"None of the {len(trying.said)} tests to which it makes a difference broke a rule of that basis."
            if trying.said
            else "It makes a difference to no test."
        )
    return judged


def _sources() -> dict[str, str]:
    """What a matrix was made from: a digest of the rules and of the description of each API."""
    return {
        f"{api.name} {noun}": digest
        for api in registered().values()
        if api.sandbox
        for noun, digest in (
            ("description", Specification.load(api.specification).digest),
            ("rules", f"sha256:{sha256(api.rules.read_bytes()).hexdigest()}"),
        )
    }


def summary(parts: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, Any]:
    """The figures of a matrix.

    Args:
        parts: Its entries, by ``faults``, ``mutations`` and ``variations``.
    """
    faults, changed, varied = (parts[part] for part in SECTIONS)
    attributed = sum(bool(fault["caught"] and not fault["also"]) for fault in faults)
    alarming = sum(bool(variation["alarms"]) for variation in varied)
    return {
        "faults": len(faults),
        "faults_caught": sum(fault["caught"] for fault in faults),
        "faults_attributed": attributed,
        "mutations": len(changed),
        "mutations_caught": sum(mutation["caught"] for mutation in changed),
        "variations": len(varied),
        "variations_alarming": alarming,
        "false_alarms_at_most": round(upper_bound(alarming, len(varied)), 4),
        "seconds": round(sum(entry["seconds"] for part in parts.values() for entry in part), 1),
    }


def holds(figures: Mapping[str, Any]) -> bool:
    """Whether a summary says that as many are caught and attributed as must be, and that nothing raises an alarm."""
    return (
        all(figures[f"{part}_caught"] >= share * figures[part] for part, share in LEAST_CAUGHT.items())
        and figures["faults_attributed"] >= LEAST_ATTRIBUTED * figures["faults"]
        and not figures["variations_alarming"]
    )


def upper_bound(hits: int, tries: int) -> float:
    """The share that is exceeded with a confidence of 95 % by no cause of so many hits (Clopper and Pearson, one side).

    Args:
        hits: How many there were.
        tries: Among how many; 0 gives 1.
    """
    if hits >= tries:
        return 1.0
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        at_most = sum(
            comb(tries, number) * middle**number * (1 - middle) ** (tries - number) for number in range(hits + 1)
        )
        low, high = (middle, high) if at_most > 1 - _CONFIDENCE else (low, middle)
    return high


def read(path: Path) -> dict[str, Any]:
    """A matrix file.

    Raises:
        MatrixUnreadableError: If it is missing, no JSON, or not in the form of ``specs/schemas/matrix.json``.
    """
    import jsonschema_rs  # noqa: PLC0415  (50 ms that only a reader of a matrix should pay)

    try:
        raw: dict[str, Any] = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise MatrixUnreadableError(f"The matrix {path} cannot be read: {error}") from error
    schema = json.loads(data_path(SCHEMA).read_bytes())
    for problem in jsonschema_rs.validator_for(schema).iter_errors(raw):
        place = "/".join(str(part) for part in problem.instance_path) or "the top"
        raise MatrixUnreadableError(f"The matrix {path} is wrong at {place}: {problem.message}")
    return raw


# ---------------------------------------------------------------------------------------------------- who does the work


@contextmanager
def processes(workers: int | None = None) -> Iterator[Executor]:
    """Processes of this machine, each of which loads the suites once.

    Args:
        workers: How many; None for one for each processor.
    """
    executor = ProcessPoolExecutor(workers or os.cpu_count(), get_context("spawn"), signal, (SIGINT, SIG_IGN))
    try:
        yield executor
    finally:
        executor.shutdown(cancel_futures=True)


@contextmanager
def cluster(address: str) -> Iterator[Executor]:
    """The workers of a Dask cluster, which must have this version of conformance installed.

    Args:
        address: The address of its scheduler, such as ``tcp://127.0.0.1:8786``.

    Raises:
        NoClusterError: If Dask is not installed, or no scheduler answers there.
    """
    try:
        distributed: Any = import_module("distributed")
    except ImportError as error:
        raise NoClusterError(
            "--scheduler needs Dask, which is not installed: pip install 'wallet-conformance[cluster]'"
        ) from error
    try:
        client = distributed.Client(address, timeout=_SECONDS_TO_CONNECT, set_as_default=False)
    except (OSError, ValueError) as error:
        raise NoClusterError(f"No scheduler of a Dask cluster answers at {address}: {error}") from error
    with client, client.get_executor(pure=False) as executor:
        yield executor
