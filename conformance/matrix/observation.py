"""What the tests of the suite find of a sandbox: as it is, in a rehearsal that is recorded, and changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

from conformance.api import Api
from conformance.circumstances.selection import SEPARATOR
from conformance.clock import stopwatch
from conformance.exchange import Response
from conformance.matrix.session import Observation, ReplaceableApp, Round, run_rounds
from conformance.matrix.warm import warm_process
from conformance.options import EXAMPLES
from conformance.sandbox.lookups import overridden
from conformance.sandbox.recorder import Recording, RecordingApp, differing_worlds
from conformance.sandbox.server import RunningSandbox, SandboxApp
from conformance.sandbox.world import Worlds
from conformance.specification import Specification

Name = TypeVar("Name", bound=str | None)
"""The name of a fault, mutation or variation; None for the sandbox as it is."""

_GENERATED = {"properties", "sequences"}


@dataclass(frozen=True)
class Rehearsal:
    """What tests find of the sandbox as it is, and what they ask it.

    Args:
        observation: What they find.
        recordings: What each test asked and was answered, by its id.
        answers: The answers that each test gets, with the ids of their operations.
    """

    observation: Observation
    recordings: Mapping[str, Recording]
    answers: Mapping[str, frozenset[tuple[str, Response]]]

    def scenarios(self) -> list[str]:
        """The ids of the tests that generate nothing and run as usual, the quickest first."""
        seconds = self.observation.seconds_by_test
        chosen = (test for test in seconds if not is_generated(test) and SEPARATOR not in test)
        return sorted(chosen, key=lambda test: seconds[test])

    def under_circumstances(self, topic: str = "") -> list[str]:
        """The ids of the scenarios under circumstances, of one topic if it is named."""
        tests = self.observation.seconds_by_test
        return [test for test in tests if SEPARATOR in test and topic in ("", test.split("/")[1])]

    def generated_tests(self) -> list[str]:
        """The ids of the tests that generate their requests."""
        return [test for test in self.observation.seconds_by_test if is_generated(test)]


def is_generated(test: str) -> bool:
    """Whether the test with this id generates its requests."""
    return test.split("/")[1] in _GENERATED


# ------------------------------------------------------------------------------------------------- the sandbox as it is


def rehearse(api: Api, tests: Sequence[str] = (), *, examples: int = EXAMPLES) -> Rehearsal:
    """Run tests of an API on its sandbox as it is, and record what they ask.

    Args:
        api: The API.
        tests: The ids of the tests; empty for all.
        examples: How many requests are generated of each operation, phase and mode at most.

    Raises:
        SuiteCrashedError: If pytest broke.
    """
    app = RecordingApp(api)
    with warm_process(), RunningSandbox(app, "127.0.0.1", 0) as sandbox:
        observation = observe_server(api, sandbox.origin, tests, examples=examples)
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


def observe_server(api: Api, origin: str, tests: Sequence[str] = (), *, examples: int = EXAMPLES) -> Observation:
    """What tests find of a sandbox that is running.

    Args:
        api: The API.
        origin: Scheme, host and port of the sandbox, such as ``http://127.0.0.1:8080``.
        tests: The ids of the tests; empty for all.
        examples: How many requests are generated of each operation, phase and mode at most.

    Raises:
        SuiteCrashedError: If pytest broke.
    """
    (observation,) = run_rounds(api, origin, [Round(tests)], examples=examples)
    return observation


# ------------------------------------------------------------------------------------------------ the sandbox, changed


def observe(api: Api, tests: Mapping[Name, Sequence[str]], *, examples: int = EXAMPLES) -> dict[Name, Observation]:
    """What tests find of the sandbox of an API, changed in one way after the other, in a single session of pytest.

    Args:
        api: The API.
        tests: The ids of the tests, empty for all, by the name of the fault, mutation or variation with which they run,
            or of several with a ``+`` between; None for the sandbox as it is.
        examples: How many requests are generated of each operation, phase and mode at most.

    Returns:
        What they found, by the same names.

    Raises:
        UnknownFaultError: If there is no fault, mutation or variation of such a name.
        SuiteCrashedError: If pytest broke.
    """
    if not tests:
        return {}
    app = ReplaceableApp(api)
    rounds = [Round(chosen, partial(app.replace, _sandbox(api, name))) for name, chosen in tests.items()]
    with warm_process(), RunningSandbox(app, "127.0.0.1", 0) as sandbox:
        return dict(zip(tests, run_rounds(api, sandbox.origin, rounds, examples=examples), strict=True))


def _sandbox(api: Api, change: str | None) -> SandboxApp:
    return SandboxApp(Worlds([api], "sandbox", _names(change), beyond_loopback=False))


def _names(change: str | None) -> tuple[str, ...]:
    return tuple(change.split("+")) if change else ()


def observe_differing(
    api: Api, tests: Mapping[str, Sequence[str]], recordings: Mapping[str, Recording], *, examples: int = EXAMPLES
) -> dict[str, Observation]:
    """Do as `observe` does, with those tests alone to which the change makes a difference.

    Args:
        api: The API.
        tests: The ids of the tests by the name of the fault, mutation or variation with which they run, or of several
            with a ``+`` between.
        recordings: What the tests asked in a rehearsal and were answered, by their ids.
        examples: How many requests are generated of each operation, phase and mode at most; as in the rehearsal.

    Returns:
        What they found, by the same names.

    Raises:
        UnknownFaultError: If there is no fault, mutation or variation of such a name.
        SuiteCrashedError: If pytest broke.
    """
    seconds: dict[str, float] = {}
    chosen: dict[str, Sequence[str]] = {}
    for name, candidates in tests.items():
        began = stopwatch()
        with warm_process():
            differs = differing_tests(api, name, {test: recordings[test] for test in candidates})
        seconds[name] = stopwatch() - began
        if differs:
            chosen[name] = differs
    nothing = Observation({}, 0.0, {})
    observed = observe(api, chosen, examples=examples)
    found = {name: observed.get(name, nothing) for name in tests}
    return {name: replace(each, seconds=each.seconds + seconds[name]) for name, each in found.items()}


def differing_tests(api: Api, change: str, recordings: Mapping[str, Recording]) -> list[str]:
    """The ids of the tests to which a change may make a difference.

    To a test whose sandbox never looked up what the change overrides it makes none. The others are asked again what
    they were asked in the rehearsal.

    Args:
        api: The API.
        change: The name of a fault, mutation or variation, or of several with a ``+`` between.
        recordings: What the tests asked in the rehearsal and were answered, by their ids.

    Raises:
        UnknownFaultError: If there is no fault, mutation or variation of such a name.
    """
    names = overridden(api, _names(change))
    concerned = {test: recording for test, recording in recordings.items() if recording.uses(names)}
    return differing_worlds(api, _names(change), concerned)
