"""Drawing sequences of calls that nobody thought of, and shrinking those that break a rule."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from conformance.catalogue import Catalogue
from conformance.findings import Finding
from conformance.generation.sequences import (
    BrokenError,
    Call,
    CallSequence,
    Choice,
    steps_of,
    subject_for,
)
from conformance.ids import Ids
from conformance.judging.journal import broken
from conformance.scenario import NeedError, StepFailedError
from conformance.targets import Subject
from conformance.verdicts import Verdict, verdict_of_finding

STEPS = 20
"""How many calls a sequence has, unless it breaks a rule before."""
_ALARMS = {Verdict.FAIL, Verdict.WARN}
_MOST_RULES = 4
"""Of how many broken rules the shortest sequence is looked for."""
_LEFT_OUT = (8, 4, 2, 1, 1)
"""How many calls that follow each other are left out at a time, while a sequence is shrunk."""

Item = TypeVar("Item")


@dataclass
class Exploration:
    """The sequences of one test.

    Args:
        subject: What the test has of the implementation.
        kind: The kind of sequence.
        seed: What the sequences are drawn from; the same one gives the same sequences.
        passed: The sequences that broke no rule, or some of which only notes are taken.
        failed: A sequence that broke each rule, as short as one was found, by the id of the rule.
        shortened: The rules whose sequence no call could be left out of.
        not_alone: The rules whose sequence broke no rule where nothing else had been called before.
        begun: How many sequences were begun.
        stopped: What kept further sequences from being drawn; None if all were.
    """

    subject: Subject
    kind: type[CallSequence]
    seed: int
    passed: list[CallSequence] = field(default_factory=list)
    failed: dict[str, CallSequence] = field(default_factory=dict)
    shortened: set[str] = field(default_factory=set)
    not_alone: set[str] = field(default_factory=set)
    begun: int = 0
    stopped: Exception | None = None

    def begin(self, subject: Subject | None = None) -> CallSequence:
        """Another sequence, without calls yet.

        Args:
            subject: What it is to have of the implementation; None for what the test has.
        """
        self.begun += 1
        return self.kind(subject_for(subject or self.subject, f"sequence {self.begun} of {self.seed}"))

    def end(self, sequence: CallSequence, findings: Sequence[Finding]) -> None:
        """Add a sequence to those that passed, or to those that failed if it is the shortest that broke a rule.

        What is worth a note alone fails no sequence: else a server of whose every answer one is taken would pass none.

        Args:
            sequence: A sequence that has ended.
            findings: What was found of the rules that it broke.
        """
        catalogue = Catalogue.load(self.subject.api.rules)
        if not any(verdict_of_finding(catalogue[finding.rule], finding) in _ALARMS for finding in findings):
            self.passed.append(sequence)
            return
        for rule in rules_of(findings):
            if rule in self.shortened:
                continue  # what was proved stands
            if rule not in self.failed or len(sequence.calls) < len(self.failed[rule].calls):
                self.failed[rule] = sequence

    def draw(self, number: int) -> None:
        """Draw a sequence step by step, make each step at once, and end where a rule breaks.

        Args:
            number: The number of the sequence, which with the seed decides what is drawn.

        Raises:
            StepFailedError: If the subject does not answer.
            NeedError: If it does not have what the sequence needs.
        """
        ids, sequence, steps = Ids(self.seed, f"sequence {number}"), self.begin(), self._steps()
        shown: Sequence[Finding] = ()
        try:
            for _ in range(STEPS):
                possible = [name for name, each in steps.items() for _ in range(each.often) if each.when(sequence)]
                name = _any_of(possible, ids)
                arguments = {each: _any_of(values, ids) for each, values in steps[name].choices.items()}
                getattr(sequence, name)(**arguments)
            sequence.finish()
        except BrokenError as error:
            shown = error.findings
        self.end(sequence, shown)

    def _steps(self) -> Mapping[str, Choice]:
        """The steps that can be drawn; time passes only where it can be moved."""
        steps = dict(steps_of(self.kind))
        wait = steps.pop("wait")
        return (
            {**steps, "wait": replace(wait, choices={"seconds": self.kind.pauses})}
            if self.subject.disposable
            else steps
        )

    def repeat(self, calls: Sequence[Call], subject: Subject | None = None) -> CallSequence:
        """Make another sequence, of these calls as far as they can be made and no rule breaks.

        Args:
            calls: The calls.
            subject: What it is to have of the implementation; None for what the test has.
        """
        sequence, steps = self.begin(subject), steps_of(self.kind)
        try:
            for call in calls:
                if steps[call.name].when(sequence):
                    getattr(sequence, call.name)(**call.arguments)
            sequence.finish()
        except BrokenError as error:
            if subject is None:
                self.end(sequence, error.findings)
        except (NeedError, StepFailedError):
            pass  # this one shows nothing; the sequence that was found before still stands
        return sequence

    def prove(self, rule: str) -> None:
        """Find out whether the sequence that breaks a rule breaks it where nothing else was called before, too.

        Args:
            rule: The id of the rule.
        """
        if self.subject.anew and self._breaking(rule, self.failed[rule].calls) is None:
            self.not_alone.add(rule)

    def shrink(self, rule: str) -> None:
        """Leave calls of the sequence that breaks a rule out, and make others plainer, as long as it breaks the rule.

        Args:
            rule: The id of the rule.
        """
        self.prove(rule)
        calls = self.failed[rule].calls
        for size in _LEFT_OUT:
            start = len(calls)
            while start > 0:
                start -= size
                fewer = self._breaking(rule, [*calls[: max(start, 0)], *calls[max(start, 0) + size :]])
                calls = fewer if fewer and len(fewer) < len(calls) else calls
        for number in range(len(calls)):
            calls = self._simplified(rule, calls, number)
        shown = self.repeat(calls)  # for the test to keep what was sent and answered
        if rule in rules_of(broken(shown.findings)):
            self.failed[rule] = shown
            self.shortened.add(rule)

    def _simplified(self, rule: str, calls: list[Call], number: int) -> list[Call]:
        """Calls of which one has the plainest arguments with which the sequence still breaks the rule."""
        for name, values in steps_of(self.kind)[calls[number].name].choices.items():
            if calls[number].arguments[name] != values[0]:
                call = replace(calls[number], arguments={**calls[number].arguments, name: values[0]})
                simpler = self._breaking(rule, [*calls[:number], call, *calls[number + 1 :]])
                calls = simpler if simpler and len(simpler) == len(calls) else calls
        return calls

    def _breaking(self, rule: str, calls: Sequence[Call]) -> list[Call] | None:
        """Those of the calls that were made until the rule broke; None if it did not.

        They are made where nothing else was called before, if there is such a place and the rule breaks there at all.
        """
        anew = self.subject.anew if rule not in self.not_alone else None
        made = self.repeat(calls, anew() if anew else None)
        return made.calls if rule in rules_of(broken(made.findings)) else None


def _any_of(values: Sequence[Item], ids: Ids) -> Item:
    """One of the values, each as likely as another."""
    return values[ids.below(len(values))]


def rules_of(findings: Iterable[Finding]) -> set[str]:
    """The ids of the rules that findings are of."""
    return {finding.rule for finding in findings}


def draw(subject: Subject, kind: type[CallSequence], *, seed: int, sequences: int) -> Exploration:
    """Draw sequences of calls.

    Args:
        subject: What the test has of the implementation.
        kind: The kind of sequence.
        seed: What the sequences are drawn from; the same one gives the same sequences.
        sequences: How many.

    Returns:
        The sequences; fewer if one broke a rule and a later one could not be ended, which `stopped` tells then.

    Raises:
        StepFailedError: If the subject does not answer, and no sequence before broke a rule.
        NeedError: If it does not have what the sequences need, and no sequence before broke a rule.
    """
    exploration = Exploration(subject, kind, seed)
    try:
        for number in range(sequences):
            exploration.draw(number)
    except Exception as error:
        if not exploration.failed:
            raise
        exploration.stopped = error
    return exploration


def explore(subject: Subject, kind: type[CallSequence], *, seed: int, sequences: int) -> Exploration:
    """Draw sequences of calls as `draw` does, and prove those that break a rule; a few of them are shrunk, too."""
    exploration = draw(subject, kind, seed=seed, sequences=sequences)
    for rule in sorted(exploration.failed, key=lambda rule: len(exploration.failed[rule].calls))[:_MOST_RULES]:
        exploration.shrink(rule)
    for rule in [rule for rule in exploration.failed if rule not in exploration.shortened]:
        exploration.prove(rule)
    return exploration
