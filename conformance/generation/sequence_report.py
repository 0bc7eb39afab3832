"""What a test of sequences reports: its findings, a few sequences for the recording, and programs that repeat them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from conformance.findings import Finding
from conformance.generation.exploration import Exploration, explore, rules_of
from conformance.generation.sequences import GENERATED, CallSequence, model_of
from conformance.judging.journal import broken, sequence_findings
from conformance.scenario import found, needs
from conformance.targets import Subject

_FOR_EACH_EXAMPLE = 3
"""How many sequences are drawn for each of the examples that a run asks for."""
_MOST_RECORDED = 3
"""How many of the sequences that broke no rule go into the journal."""
_ANY = "A sequence of calls that shows it"
_AS_A_PROGRAM = "As a program for Python, which starts a sandbox unless it is told --base-url or --live:"


def judge_sequences(subject: Subject, kind: type[CallSequence]) -> None:
    """Draw sequences and put what was found of them into the test; in a replay, judge those that were recorded.

    Args:
        subject: What the test has of the implementation.
        kind: The kind of sequence.

    Raises:
        StepFailedError: If the subject does not answer; what was found until then is in the test.
        NeedError: Otherwise, for the rules of the test that no sequence could show.
    """
    if subject.journal.player is not None:
        _judge_recorded(subject)
    exploration = explore(
        subject, kind, seed=subject.requests.below(2**64), sequences=_FOR_EACH_EXAMPLE * subject.conditions.examples
    )
    shown = _shown_by(exploration.passed)
    found(*(finding for rule, finding in shown.items() if rule not in exploration.failed))
    for sequence in {id(sequence): sequence for sequence in exploration.failed.values()}.values():
        _report(subject, sequence, {rule: _what(exploration, rule) for rule in _broken_by(exploration, sequence)})
    if exploration.stopped:
        raise exploration.stopped
    if not exploration.failed:
        with subject.journal.generating(GENERATED):
            for sequence in _select_sequences(exploration.passed):
                subject.journal.append(sequence.subject.journal)
    needs("a sequence of calls that brings it about; another --seed or more --examples may draw one")


def _judge_recorded(subject: Subject) -> None:
    if not subject.recorded:
        needs("recorded sequences of calls")
    found(*sequence_findings(model_of(subject), subject.journal.exchanges, subject.journal.deliveries))
    needs("a recorded sequence of calls that brings it about; a recording with another --seed may have one")


def _shown_by(sequences: Sequence[CallSequence]) -> dict[str, Finding]:
    """What sequences that passed show of each rule; that it did not hold, with the calls, before that it held."""
    held = {finding.rule: finding for sequence in sequences for finding in sequence.findings}
    noted = {
        finding.rule: replace(finding, got=with_calls(finding.got, sequence))
        for sequence in reversed(sequences)
        for finding in reversed(broken(sequence.findings))
    }
    return {rule: replace(finding, exchange=None) for rule, finding in {**held, **noted}.items()}


def _broken_by(exploration: Exploration, sequence: CallSequence) -> list[str]:
    """The rules that a sequence is told to break."""
    return [rule for rule, other in exploration.failed.items() if other is sequence]


def _what(exploration: Exploration, rule: str) -> str:
    """What the sequence is that is told to break a rule."""
    kind = "The shortest sequence of calls that shows it" if rule in exploration.shortened else _ANY
    return (
        f"{kind} after the others of this test; alone, in a new world, it did not"
        if rule in exploration.not_alone
        else kind
    )


def _report(subject: Subject, sequence: CallSequence, rules: dict[str, str]) -> None:
    """Put a sequence into the journal of its test, and the first finding of each rule that it broke into the test.

    Args:
        subject: What the test has of the implementation.
        sequence: The sequence.
        rules: The rules that it is told to break, each with what it is called.
    """
    new_ids = subject.journal.append(sequence.subject.journal)
    for finding in broken(sequence.findings):
        if finding.rule in rules:
            calls = with_calls(finding.got, sequence, of=rules.pop(finding.rule))
            found(replace(finding, got=calls, exchange=new_ids.get(finding.exchange or "")))


def _select_sequences(sequences: Sequence[CallSequence]) -> list[CallSequence]:
    """A few sequences that together show as many rules as they can, in the order in which they were made."""
    shown: set[str] = set()
    left, selected = list(sequences), list[CallSequence]()
    while left and len(selected) < _MOST_RECORDED:
        best = max(left, key=lambda sequence: len(rules_of(sequence.findings) - shown))
        shown |= rules_of(best.findings)
        left.remove(best)
        selected.append(best)
    return sorted(selected, key=sequences.index)


def with_calls(got: str, sequence: CallSequence, *, of: str = _ANY) -> str:
    """What a sequence showed, followed by its calls as a numbered list and as a program.

    Args:
        got: What it showed.
        sequence: The sequence.
        of: What the calls are.
    """
    calls = "\n".join(f"{number}. {call}" for number, call in enumerate(sequence.calls, start=1))
    return f"{got}\n{of}:\n{calls}\n{_AS_A_PROGRAM}\n\n{program(sequence)}"


def program(sequence: CallSequence) -> str:
    """A Python program that makes the calls of a sequence, and says which rules they break."""
    lines = [f"    calls.{call.name}({_as_python(call.arguments)})" for call in sequence.calls]
    start = [
        "from conformance.generation.repeat import calls_to",
        "",
        f'with calls_to("{sequence.subject.api.name}") as calls:',
    ]
    return "\n".join([*start, *lines]) + "\n"


def _as_python(arguments: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={json.dumps(value)}" for name, value in arguments.items())
