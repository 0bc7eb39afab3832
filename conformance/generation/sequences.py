"""Orders of calls that nobody thought of: hypothesis draws them, a model of the documents judges them.

An API's `Walk` names the calls that can follow each other, and its `Model` what the documents fix of their answers. A
sequence that breaks a rule is cut down to the shortest that still breaks it, and given as a list and as a program.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import wraps
from typing import Any, ClassVar

from conformance.api import Model
from conformance.exchange import Delivery, Exchange, Generated, Mode
from conformance.findings import Finding
from conformance.generation.requests import secluded
from conformance.judging.journal import broken, provider_findings, sequence_findings
from conformance.recording.journal import Journal
from conformance.recording.redaction import Redactor
from conformance.scenario import NeedError, StepFailedError, SuiteError, found, needs
from conformance.targets import Hooks, Subject

_FOR_EACH_EXAMPLE = 3
"""How many sequences are drawn for each of the examples that a run asks for."""
STEPS = 20
"""How many calls a sequence has at most."""
_ROUND = 9
"""How many sequences hypothesis draws at a time; with more it would repeat and vary those that it drew already."""
_KEPT = 3
"""How many sequences without a fault go into the journal."""
_MOST_RULES = 4
"""Of how many broken rules the shortest sequence is looked for."""
_AS_A_PROGRAM = "As a program for Python, which starts a sandbox unless it is told --base-url or --live:"
_GENERATED = Generated(case=1, mode=Mode.POSITIVE)
"""What the requests of sequences are: they may break any client rule, and a recording keeps them together."""

AnyStep = Callable[..., None]


def model_of(subject: Subject) -> Model:
    """What judges a new sequence of calls to the API of a test.

    Raises:
        SuiteError: If the API has no model, so that a suite cannot draw sequences.
    """
    if subject.api.model is None:
        raise SuiteError(f"{subject.api.title} has no model to judge sequences by.")
    return subject.api.model()


class BrokenError(Exception):
    """A sequence broke a rule.

    Args:
        findings: What was found of rules that did not hold.
    """

    def __init__(self, findings: Sequence[Finding]) -> None:
        first = findings[0]
        super().__init__(f"{first.rule}: {first.where}: expected {first.expected}, got {first.got}")
        self.findings = findings


class _Interrupted(BaseException):
    """No more sequences are to be tried."""


@dataclass(frozen=True)
class Choice:
    """What a step can be called with.

    Args:
        says: What it does, in words, with its arguments in braces.
        choices: The values of each argument.
        when: Whether it can be done now.
        often: How often it is drawn, against 1.
    """

    says: str
    choices: Mapping[str, Sequence[Any]]
    when: Callable[[Any], object]
    often: int


def step(
    says: str, *, when: Callable[[Any], object] = lambda _: True, often: int = 1, **choices: Sequence[Any]
) -> Callable[[AnyStep], AnyStep]:
    """Make a method of a `Walk` one of its steps, whose answers are judged.

    Args:
        says: What it does, in words, with its arguments in braces.
        when: Whether it can be done now.
        often: How often it is drawn, against 1.
        choices: The values that each argument can have, the plainest first; one that stands twice is drawn twice
            as often.
    """

    def mark(method: AnyStep) -> AnyStep:
        @wraps(method)
        def made(walk: "Walk", **arguments: Any) -> None:
            walk.judge(method.__name__, arguments, lambda: method(walk, **arguments))

        made.__dict__["choice"] = Choice(says, choices, when, often)
        return made

    return mark


@dataclass(frozen=True)
class Call:
    """A step that was made.

    Args:
        name: The name of the step.
        arguments: What it was called with.
        words: What it did.
        exchanges: What was sent and answered.
    """

    name: str
    arguments: Mapping[str, Any]
    words: str
    exchanges: Sequence[Exchange]

    def __str__(self) -> str:
        answers = [
            f"{exchange.operation or 'the page'} {exchange.response.status}"
            for exchange in self.exchanges
            if exchange.operation or exchange.request.method == "POST"
        ]
        return f"{self.words}: {', '.join(answers)}" if answers else self.words


class Walk:
    """One sequence of calls; subclasses add the steps of an API.

    Args:
        subject: What the sequence has of the implementation, its journal empty.
    """

    pauses: ClassVar[tuple[int, ...]] = (1, 2)
    """Seconds that can pass between two calls, where time can be moved."""
    listens: ClassVar[bool] = False
    """Whether webhooks are judged, so that those under way are waited for."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.calls: list[Call] = []
        self.findings: list[Finding] = []
        self._model = model_of(subject)
        self._heard = 0

    def judge(self, name: str, arguments: Mapping[str, Any], action: Callable[[], None]) -> None:
        """Make a step, and judge what came of it.

        Args:
            name: The name of the step.
            arguments: What it was called with.
            action: What makes it.

        Raises:
            BrokenError: If a rule did not hold.
        """
        exchanges = self.subject.journal.exchanges
        before = len(exchanges)
        action()
        if self.listens:
            self.subject.clock.advance(timedelta())  # a sandbox answers when it has sent what is due
        deliveries = self.subject.deliveries()
        new = exchanges[before:]
        words = steps_of(type(self))[name].says.format(**arguments)
        self.calls.append(Call(name, arguments, words, [each for each in new if each.operation != "createToken"]))
        seen = [finding for exchange in new for finding in self._model.see(exchange)]
        seen += [finding for delivery in deliveries[self._heard :] for finding in self._model.receive(delivery)]
        self._heard = len(deliveries)
        self._keep(seen)

    def finish(self) -> None:
        """Judge by the rules that exchanges show by themselves.

        Raises:
            BrokenError: If one did not hold.
        """
        journal, subject = self.subject.journal, self.subject
        self._keep(
            provider_findings(
                subject.api, journal.specification, journal.exchanges, journal.deliveries, subject.settings
            )
        )

    def _keep(self, findings: Sequence[Finding]) -> None:
        self.findings += findings
        if found_broken := broken(findings):
            raise BrokenError(found_broken)

    @step("{seconds} seconds pass", when=lambda walk: walk.calls, often=3, seconds=(1, 2))
    def wait(self, seconds: int) -> None:
        """Let time pass."""
        self.subject.clock.advance(timedelta(seconds=seconds))


def steps_of(walk: type[Walk]) -> Mapping[str, Choice]:
    """The steps of a kind of walk, by name."""
    names = [name for each in reversed(walk.__mro__) for name in vars(each)]
    return {name: getattr(walk, name).choice for name in names if hasattr(getattr(walk, name), "choice")}


# ------------------------------------------------------------------------------------------------------- one sequence


@dataclass
class _LaterHooks:
    """The webhook of a test as one sequence sees it: nothing of what came before, and every webhook is received."""

    hooks: Hooks
    before: int = field(init=False)

    def __post_init__(self) -> None:
        self.url = self.hooks.url
        self.before = len(self.hooks.received())
        self.hooks.answer_with()

    def answer_with(self, *statuses: int) -> None:
        """Answer the next deliveries with these statuses, and those after them with 200."""
        self.hooks.answer_with(*statuses)

    def received(self, *, at_least: int = 0, seconds: float = 5.0) -> Sequence[Delivery]:
        """What came since the sequence began."""
        wanted = self.before + at_least if at_least else 0
        return self.hooks.received(at_least=wanted, seconds=seconds)[self.before :]


def stage(subject: Subject, name: str) -> Subject:
    """What one sequence has of the subject of its test.

    Args:
        subject: What the test has.
        name: What tells the sequence from others, so that its ids are its own.
    """
    own = subject.journal
    journal = Journal(own.test, own.clock, own.base_url, own.specification, Redactor(()))
    journal.generated = _GENERATED
    hooks = _LaterHooks(subject.hooks) if subject.hooks else None
    return replace(subject, journal=journal, ids=subject.ids.child(name), hooks=hooks)


# ------------------------------------------------------------------------------------------------------ many sequences


@dataclass
class Exploration:
    """The sequences of one test.

    Args:
        subject: What the test has of the implementation.
        kind: The kind of walk.
        seed: What the sequences are drawn from.
        passed: The sequences that broke no rule.
        failed: A sequence that broke each rule, as short as one was found.
        begun: How many sequences were begun.
        stopped: What kept further sequences from being drawn; None if all were.
    """

    subject: Subject
    kind: type[Walk]
    seed: int
    passed: list[Walk] = field(default_factory=list)
    failed: dict[str, Walk] = field(default_factory=dict)
    begun: int = 0
    stopped: BaseException | None = None

    def begin(self) -> Walk:
        """Another sequence."""
        self.begun += 1
        return self.kind(stage(self.subject, f"sequence {self.begun} of {self.seed}"))

    def end(self, walk: Walk, findings: Sequence[Finding]) -> None:
        """Keep a sequence that broke these rules, or none."""
        if not findings:
            self.passed.append(walk)
        for rule in {finding.rule for finding in findings}:
            if rule not in self.failed or len(walk.calls) < len(self.failed[rule].calls):
                self.failed[rule] = walk

    def repeat(self, calls: Sequence[Call]) -> Walk:
        """Another sequence, of these calls as far as they can be made and no rule breaks."""
        walk, choices = self.begin(), steps_of(self.kind)
        try:
            for call in calls:
                if choices[call.name].when(walk):
                    getattr(walk, call.name)(**call.arguments)
            walk.finish()
        except BrokenError as broken:
            self.end(walk, broken.findings)
        except (NeedError, StepFailedError):
            pass  # what these calls show cannot be told; the sequence that was found still stands
        return walk

    def shorten(self, rule: str) -> None:
        """Leave calls of a sequence out, and make others plainer, as long as it breaks the rule."""
        for size in (8, 4, 2, 1, 1):
            start = len(self.failed[rule].calls)
            while start > 0:
                start -= size
                calls = self.failed[rule].calls
                self.repeat([*calls[: max(start, 0)], *calls[max(start, 0) + size :]])
        for number in range(len(self.failed[rule].calls)):
            self._make_plainer(rule, number)

    def _make_plainer(self, rule: str, number: int) -> None:
        call = self.failed[rule].calls[number]
        for name, values in steps_of(self.kind)[call.name].choices.items():
            calls = list(self.failed[rule].calls)
            if calls[number].arguments[name] != values[0]:
                calls[number] = replace(calls[number], arguments={**calls[number].arguments, name: values[0]})
                plainer = self.repeat(calls)
                if rule in _rules(broken(plainer.findings)) and len(plainer.calls) == len(calls):
                    self.failed[rule] = plainer


def _rules(findings: Iterable[Finding]) -> set[str]:
    return {finding.rule for finding in findings}


def explore(subject: Subject, kind: type[Walk], *, seed: int, sequences: int) -> Exploration:
    """Draw sequences of calls as `draw` does, and cut those that break a rule down to the shortest."""
    exploration = draw(subject, kind, seed=seed, sequences=sequences)
    for rule in sorted(exploration.failed, key=lambda rule: len(exploration.failed[rule].calls))[:_MOST_RULES]:
        exploration.shorten(rule)
    return exploration


def draw(subject: Subject, kind: type[Walk], *, seed: int, sequences: int) -> Exploration:
    """Have hypothesis draw sequences of calls.

    Args:
        subject: What the test has of the implementation.
        kind: The kind of walk.
        seed: What the sequences are drawn from.
        sequences: How many.

    Returns:
        The sequences, fewer if one broke a rule and another could not be ended.

    Raises:
        StepFailedError: If the subject does not answer, and no sequence before broke a rule.
        NeedError: If it does not have what the sequences need, and no sequence before broke a rule.
    """
    import hypothesis  # noqa: PLC0415  (half a second that neither a collection nor a replay should pay)
    from hypothesis import stateful  # noqa: PLC0415
    from hypothesis import strategies as st  # noqa: PLC0415

    exploration = Exploration(subject, kind, seed)
    choices = dict(steps_of(kind))
    wait = choices.pop("wait")
    if subject.disposable:
        choices["wait"] = replace(wait, choices={"seconds": kind.pauses})

    class Machine(stateful.RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.sequence = _Sequence(exploration.begin())

        @stateful.rule(data=st.data())
        def step(self, data: st.DataObject) -> None:
            name = data.draw(st.sampled_from(self.sequence.possible(choices)))
            drawn = {each: data.draw(st.sampled_from(values)) for each, values in choices[name].choices.items()}
            self.sequence.attempt(getattr(self.sequence.walk, name), drawn)

        def teardown(self) -> None:
            self.sequence.attempt(self.sequence.walk.finish, {})
            exploration.end(self.sequence.walk, self.sequence.broken)

    quiet = hypothesis.settings(
        stateful_step_count=STEPS,
        database=None,
        deadline=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
        verbosity=hypothesis.Verbosity.quiet,
    )
    try:
        with secluded():
            for number, done in enumerate(range(0, sequences, _ROUND)):
                some = hypothesis.settings(quiet, max_examples=min(_ROUND, sequences - done))
                stateful.run_state_machine_as_test(hypothesis.seed(seed + number)(Machine), settings=some)
    except _Interrupted as interrupted:
        exploration.stopped = interrupted.__cause__ or interrupted
        if not exploration.failed:
            raise exploration.stopped from None
    return exploration


@dataclass
class _Sequence:
    """A sequence that is being drawn.

    Args:
        walk: The walk.
        broken: What was found of rules that did not hold, after which nothing more is done.
    """

    walk: Walk
    broken: Sequence[Finding] = ()

    def possible(self, choices: Mapping[str, Choice]) -> list[str]:
        """The names of the steps that can be made now, each as often as it is to be drawn."""
        return [name for name, each in choices.items() for _ in range(each.often) if each.when(self.walk)]

    def attempt(self, action: Callable[..., None], arguments: Mapping[str, Any]) -> None:
        """Do what may break a rule, unless one is broken; whatever else goes wrong ends the test."""
        try:
            if not self.broken:
                action(**arguments)
        except BrokenError as broken:
            self.broken = broken.findings
        except Exception as error:
            raise _Interrupted from error


# ----------------------------------------------------------------------------------------------------- what is reported


def judge_sequences(subject: Subject, kind: type[Walk]) -> None:
    """Draw sequences and put what was found of them into the test; in a replay, judge those that were recorded.

    Args:
        subject: What the test has of the implementation.
        kind: The kind of walk.

    Raises:
        StepFailedError: If the subject does not answer; what was found until then is in the test.
        NeedError: Otherwise, for the rules that no sequence came to.
    """
    journal = subject.journal
    if journal.player is not None:
        if not subject.recorded:
            needs("recorded sequences")
        found(*sequence_findings(model_of(subject), journal.exchanges, journal.deliveries))
        needs("a recorded sequence that comes there")
    exploration = explore(
        subject, kind, seed=subject.requests.below(2**64), sequences=_FOR_EACH_EXAMPLE * subject.conditions.examples
    )
    held = {finding.rule: replace(finding, exchange=None) for walk in exploration.passed for finding in walk.findings}
    found(*(finding for rule, finding in held.items() if rule not in exploration.failed))
    for walk in {id(walk): walk for walk in exploration.failed.values()}.values():
        rules = {rule for rule, other in exploration.failed.items() if other is walk}
        numbers = _journalled(subject, walk)
        for finding in broken(walk.findings):
            if finding.rule in rules:
                rules.remove(finding.rule)
                found(replace(finding, got=told(finding.got, walk), exchange=numbers.get(finding.exchange or "")))
    if exploration.stopped:
        raise exploration.stopped
    if not exploration.failed:
        with journal.generating(_GENERATED):
            for walk in _telling(exploration.passed):
                _journalled(subject, walk)
    needs("a sequence that comes there; another --seed or more --examples may draw one")


def _telling(walks: Sequence[Walk]) -> list[Walk]:
    """A few sequences that together come to as many rules as they can, in the order in which they were made."""
    told: set[str] = set()
    left, chosen = list(walks), list[Walk]()
    while left and len(chosen) < _KEPT:
        best = max(left, key=lambda walk: len(_rules(walk.findings) - told))
        told |= _rules(best.findings)
        left.remove(best)
        chosen.append(best)
    return sorted(chosen, key=walks.index)


def _journalled(subject: Subject, walk: Walk) -> Mapping[str, str]:
    """Put a sequence into the journal of its test; gives the new id of each exchange."""
    return subject.journal.append(walk.subject.journal)


def told(got: str, walk: Walk) -> str:
    """What a sequence showed, with its calls as a numbered list and as a program."""
    calls = "\n".join(f"{number}. {call}" for number, call in enumerate(walk.calls, start=1))
    return f"{got}\nThe shortest sequence of calls that shows it:\n{calls}\n{_AS_A_PROGRAM}\n\n{program(walk)}"


def program(walk: Walk) -> str:
    """A Python program that makes the same calls, and says which rules they break."""
    lines = [f"    walk.{call.name}({_written(call.arguments)})" for call in walk.calls]
    start = ["from conformance.generation.repeat import scene", "", f'with scene("{walk.subject.api.name}") as walk:']
    return "\n".join([*start, *lines]) + "\n"


def _written(arguments: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={json.dumps(value)}" for name, value in arguments.items())
