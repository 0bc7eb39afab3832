"""One sequence of calls: the steps that can be made, and what a model of the documents says of the answers.

An API's `Sequence` names the calls that can follow each other, and its `Model` what the documents fix of their answers.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import wraps
from typing import Any, ClassVar

from conformance.api import Api, Model
from conformance.exchange import Delivery, Exchange, Generated, Mode
from conformance.findings import Finding
from conformance.judging.journal import broken, provider_findings
from conformance.recording.journal import Journal
from conformance.recording.redaction import Redactor
from conformance.scenario import SuiteError
from conformance.targets import Hooks, Subject

GENERATED = Generated(case=1, mode=Mode.POSITIVE)
"""What the requests of sequences are: they may break any client rule, and a recording has all of them or none."""

AnyStep = Callable[..., None]


def sequence_kind(api: Api) -> type["CallSequence"]:
    """The kind of sequence that an API's suite has.

    Raises:
        SuiteError: If it has none.
    """
    if api.sequence is None:
        raise SuiteError(f"The suite of {api.title} has no sequences.")
    return api.sequence


def model_of(subject: Subject) -> Model:
    """What judges a new sequence of calls to the API of a test.

    Raises:
        SuiteError: If the API has no model, so that a suite cannot draw sequences.
    """
    if subject.api.model is None:
        raise SuiteError(f"{subject.api.title} has no model to judge sequences by.")
    return subject.api.model()


class BrokenError(Exception):
    """A sequence broke a rule; it goes no further.

    Args:
        findings: What was found of rules that did not hold.
    """

    def __init__(self, findings: Sequence[Finding]) -> None:
        first = findings[0]
        super().__init__(f"{first.rule}: {first.where}: expected {first.expected}, got {first.got}")
        self.findings = findings


@dataclass(frozen=True)
class Choice:
    """What a step is called with when it is drawn, and when it can be.

    Args:
        says: What the step does, in words, with its arguments in braces.
        choices: The values that each argument can have, by its name, the plainest first.
        when: Tells of a sequence whether the step can be made now.
        often: How often the step is drawn, against 1 of a usual one.
    """

    says: str
    choices: Mapping[str, Sequence[Any]]
    when: Callable[[Any], object]
    often: int


def step(
    says: str, *, when: Callable[[Any], object] = lambda _: True, often: int = 1, **choices: Sequence[Any]
) -> Callable[[AnyStep], AnyStep]:
    """Make a method of a `CallSequence` one of its steps, whose answers are judged.

    Args:
        says: What it does, in words, with its arguments in braces.
        when: Tells of a sequence whether the step can be made now.
        often: How often it is drawn, against 1 of a usual step.
        choices: The values that each argument can have, the plainest first; one that stands twice is drawn twice
            as often.
    """

    def mark(method: AnyStep) -> AnyStep:
        @wraps(method)
        def made(sequence: "CallSequence", **arguments: Any) -> None:
            sequence.judge(method.__name__, arguments, lambda: method(sequence, **arguments))

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


class CallSequence:
    """One sequence of calls; subclasses add the steps of an API.

    Args:
        subject: What the sequence has of the implementation, its journal empty.
    """

    pauses: ClassVar[tuple[int, ...]] = (1, 2)
    """Seconds that can pass between two calls, where time can be moved."""
    awaits_webhooks: ClassVar[bool] = False
    """Whether webhooks are judged, so that those under way are waited for."""
    not_listed: ClassVar[frozenset[str]] = frozenset()
    """The ids of the operations that are left out where calls are listed, such as that of a token."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.calls: list[Call] = []
        self.findings: list[Finding] = []
        self._model = model_of(subject)
        self._deliveries_judged = 0

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
        if self.awaits_webhooks:
            self.subject.clock.advance(timedelta())  # a sandbox answers when it has sent what is due
        deliveries = self.subject.deliveries()
        new, new_deliveries = exchanges[before:], deliveries[self._deliveries_judged :]
        self._deliveries_judged = len(deliveries)
        words = steps_of(type(self))[name].says.format(**arguments)
        listed = [exchange for exchange in new if exchange.operation not in self.not_listed]
        self.calls.append(Call(name, arguments, words, listed))
        findings = [finding for exchange in new for finding in self._model.see(exchange)]
        findings += [finding for delivery in new_deliveries for finding in self._model.receive(delivery)]
        self._add(findings)

    def finish(self) -> None:
        """Judge by the rules that exchanges show by themselves.

        Raises:
            BrokenError: If one did not hold.
        """
        journal, subject = self.subject.journal, self.subject
        self._add(
            provider_findings(
                subject.api, journal.specification, journal.exchanges, journal.deliveries, subject.settings
            )
        )

    def _add(self, findings: Sequence[Finding]) -> None:
        self.findings += findings
        if shown := broken(findings):
            raise BrokenError(shown)

    @step("{seconds} seconds pass", when=lambda sequence: sequence.calls, often=3, seconds=(1, 2))
    def wait(self, seconds: int) -> None:
        """Let time pass."""
        self.subject.clock.advance(timedelta(seconds=seconds))


def steps_of(kind: type[CallSequence]) -> Mapping[str, Choice]:
    """The steps of a kind of sequence, by their names, those of its base class first."""
    names = [name for each in reversed(kind.__mro__) for name in vars(each)]
    return {name: getattr(kind, name).choice for name in names if hasattr(getattr(kind, name), "choice")}


# ------------------------------------------------------------------------------------------ the subject of a sequence


@dataclass
class _LaterHooks:
    """The webhooks of a test as one sequence sees them: none of those before it, and each is answered with 200."""

    hooks: Hooks
    before: int = field(init=False)

    def __post_init__(self) -> None:
        self.url = self.hooks.url
        self.before = len(self.hooks.received())
        self.hooks.answer_with()

    def beside(self, name: str) -> str:
        """A further address of the same test, which has this name for a query."""
        return self.hooks.beside(name)

    def answer_with(self, *statuses: int) -> None:
        """Answer the next deliveries with these statuses, and those after them with 200."""
        self.hooks.answer_with(*statuses)

    def received(self, *, at_least: int = 0, seconds: float = 5.0) -> Sequence[Delivery]:
        """What came since the sequence began."""
        wanted = self.before + at_least if at_least else 0
        return self.hooks.received(at_least=wanted, seconds=seconds)[self.before :]


def subject_for(subject: Subject, name: str) -> Subject:
    """What one sequence has of the subject of its test: an empty journal, ids of its own, and only its webhooks.

    Args:
        subject: What the test has.
        name: What tells the sequence from others.
    """
    own = subject.journal
    journal = Journal(own.test, own.clock, own.base_url, own.specification, Redactor(()))
    journal.generated = GENERATED
    hooks = _LaterHooks(subject.hooks) if subject.hooks else None
    return replace(subject, journal=journal, ids=subject.ids.child(name), hooks=hooks)
