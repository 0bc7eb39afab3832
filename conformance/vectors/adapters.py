"""Adapters: programs of somebody else that answer for their signer or verifier, one JSON line a case.

The protocol is ``specs/schemas/adapter.json``, explained in ``docs/adapters.md``.
"""

import json
import queue
import shlex
import subprocess
import tempfile
import threading
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from functools import cache
from typing import IO, Any

import jsonschema_rs

from conformance import ConformanceError
from conformance.files import data_path, first_problem
from conformance.vectors import Side
from conformance.vectors.cases import Accept, Vector, why_wrong_product

PATIENCE = timedelta(seconds=60)
"""How long an adapter may say nothing."""

_SHOWN = 120
_LINES_SHOWN = 5


class AdapterNotStartedError(ConformanceError, ValueError):
    """The command of an adapter cannot be run; the message says why."""


class AdapterBrokeError(ConformanceError, RuntimeError):
    """An adapter was started and did not keep the protocol; the message says where."""

    exit_code = 3


class Outcome(StrEnum):
    """What an answer comes to."""

    RIGHT = "right"
    WRONG = "wrong"
    UNSPECIFIED = "unspecified"
    """It is shown, since no document or standard says what is right."""
    UNSUPPORTED = "unsupported"


@dataclass(frozen=True)
class Comparison:
    """One answer beside what was expected.

    Args:
        vector: The case.
        side: What was asked.
        outcome: What the answer comes to.
        expected: What is right.
        answered: What the adapter answered.
    """

    vector: Vector
    side: Side
    outcome: Outcome
    expected: str
    answered: str

    def to_json(self) -> dict[str, str]:
        """The answer as JSON, with what tells the case from others."""
        return {
            "id": self.vector.id,
            "topic": self.vector.topic,
            "basis": self.vector.basis,
            "case": self.vector.title,
            "rule": self.vector.rule or "none",
            "source": self.vector.source,
            "side": self.side,
            "outcome": self.outcome,
            "expected": self.expected,
            "answered": self.answered,
        }


def questions(vectors: Sequence[Vector], sides: Collection[Side]) -> list[dict[str, Any]]:
    """The lines that an adapter reads; a case without a task asks nobody to produce.

    Args:
        vectors: The cases.
        sides: What is asked.
    """
    asked = []
    for vector in vectors:
        chosen = _sides_of(vector, sides)
        if not chosen:
            continue
        question: dict[str, Any] = {"id": vector.id, "api": vector.api, "topic": vector.topic, "sides": chosen}
        if Side.ACCEPT in chosen:
            question["input"] = vector.input
        if vector.now is not None:
            question["now"] = vector.now.strftime("%Y-%m-%dT%H:%M:%SZ")
        if Side.PRODUCE in chosen:
            question["task"] = vector.task
        asked.append(question)
    return asked


def _sides_of(vector: Vector, sides: Collection[Side]) -> list[Side]:
    return [side for side in Side if side in sides and (side is Side.ACCEPT or vector.task is not None)]


def ask(
    command: str, asked: Sequence[Mapping[str, Any]], *, patience: timedelta = PATIENCE
) -> dict[str, Mapping[str, Any]]:
    """Start an adapter once, ask it everything and read its answers.

    Args:
        command: The program with its arguments, as one would type it; no shell reads it.
        asked: What `questions` gives.
        patience: How long it may say nothing.

    Returns:
        Its answers by the ids of the cases.

    Raises:
        AdapterNotStartedError: If the program cannot be run.
        AdapterBrokeError: If it answers otherwise than the protocol says, ends too early or says nothing for too long.
    """
    with tempfile.TemporaryFile() as errors:
        process = _start(command, errors)
        try:
            return _read_answers(process, asked, patience)
        except AdapterBrokeError as error:
            _stop(process)
            raise AdapterBrokeError(f"{error}{_end_of_errors(errors)}") from None
        finally:
            _stop(process)


def compare(
    vectors: Sequence[Vector], answers: Mapping[str, Mapping[str, Any]], sides: Collection[Side]
) -> list[Comparison]:
    """Each answer beside what was expected, on the sides that were asked.

    Args:
        vectors: The cases.
        answers: The answers by id.
        sides: What was asked.
    """
    return [_comparison(vector, side, answers[vector.id]) for vector in vectors for side in _sides_of(vector, sides)]


def _comparison(vector: Vector, side: Side, answer: Mapping[str, Any]) -> Comparison:
    answered = answer.get("accepted" if side is Side.ACCEPT else "produced")
    if not answer["supported"] or answered is None:
        return Comparison(vector, side, Outcome.UNSUPPORTED, "an answer", "not supported")
    why = f" ({answer['reason']})" if "reason" in answer else ""
    if side is Side.PRODUCE:
        wrong = why_wrong_product(vector, answered)
        outcome = Outcome.WRONG if wrong else Outcome.RIGHT
        return Comparison(vector, side, outcome, "what a verifier accepts", f"{wrong}{why}" if wrong else "so")
    said = "accepted" if answered else f"refused{why}"
    if vector.accept is Accept.UNSPECIFIED:
        return Comparison(vector, side, Outcome.UNSPECIFIED, "either", said)
    right = answered is (vector.accept is Accept.MUST)
    expected = "accepted" if vector.accept is Accept.MUST else "refused"
    return Comparison(vector, side, Outcome.RIGHT if right else Outcome.WRONG, expected, said)


# ------------------------------------------------------------------------------------------------------- the program


def _start(command: str, errors: IO[bytes]) -> "subprocess.Popen[bytes]":
    try:
        arguments = shlex.split(command)
    except ValueError as error:
        raise AdapterNotStartedError(f"The command {command!r} cannot be read: {error}.") from error
    if not arguments:
        raise AdapterNotStartedError("The command of the adapter is empty: give a program, such as 'node adapter.mjs'.")
    try:
        return subprocess.Popen(  # noqa: S603  (the user names the program to run)
            arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors
        )
    except OSError as error:
        raise AdapterNotStartedError(
            f"The program {arguments[0]} cannot be started: {error.strerror}. Give a program on the path or its path."
        ) from error


def _read_answers(
    process: "subprocess.Popen[bytes]", asked: Sequence[Mapping[str, Any]], patience: timedelta
) -> dict[str, Mapping[str, Any]]:
    lines: queue.Queue[bytes | None] = queue.Queue()
    threading.Thread(target=_write, args=(process.stdin, asked), daemon=True).start()
    threading.Thread(target=_read, args=(process.stdout, lines), daemon=True).start()
    expected_ids = {question["id"] for question in asked}
    answers: dict[str, Mapping[str, Any]] = {}
    number = 0
    while True:
        try:
            line = lines.get(timeout=patience.total_seconds())
        except queue.Empty:
            raise AdapterBrokeError(
                f"The adapter said nothing for {patience.total_seconds():.0f} s, after {len(answers)} of "
                f"{len(expected_ids)} answers. It has to answer every line, and to end when its input ends."
            ) from None
        if line is None:
            break
        number += 1
        if line.strip():
            answer = _answer(line, number)
            _require_new(answer["id"], expected_ids, answers, number)
            answers[answer["id"]] = answer
    if missing := [question["id"] for question in asked if question["id"] not in answers]:
        raise AdapterBrokeError(
            f"The adapter {_how_it_ended(process, patience)} after {len(answers)} of {len(expected_ids)} answers; "
            f"the first without one is {missing[0]}."
        )
    return answers


def _how_it_ended(process: "subprocess.Popen[bytes]", patience: timedelta) -> str:
    try:
        return f"ended with exit code {process.wait(patience.total_seconds())}"
    except subprocess.TimeoutExpired:
        return "closed its output"


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    process.wait()


def _write(stdin: IO[bytes], asked: Sequence[Mapping[str, Any]]) -> None:
    with suppress(OSError), stdin:  # an adapter may end before it has read all; its missing answers are reported later
        for question in asked:
            stdin.write(json.dumps(question).encode() + b"\n")


def _read(stdout: IO[bytes], lines: "queue.Queue[bytes | None]") -> None:
    with stdout:
        for line in stdout:
            lines.put(line)
    lines.put(None)


def _answer(line: bytes, number: int) -> Mapping[str, Any]:
    shown = line.decode(errors="replace").strip()
    shown = shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}..."
    try:
        answer = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise AdapterBrokeError(
            f"Line {number} of the adapter is no JSON: {shown!r}. It writes one JSON object a line to its standard "
            "output, and everything else to its standard error."
        ) from error
    if problem := first_problem(_answer_schema(), answer):
        place, message = "/".join(map(str, problem[0])), problem[1]
        raise AdapterBrokeError(
            f"Line {number} of the adapter is no answer{f' at {place}' if place else ''}: {message}. It is {shown!r}."
        )
    found: Mapping[str, Any] = answer
    return found


def _require_new(identifier: str, expected_ids: Collection[str], answers: Collection[str], number: int) -> None:
    if identifier not in expected_ids:
        raise AdapterBrokeError(f"Line {number} of the adapter answers {identifier!r}, which was not asked.")
    if identifier in answers:
        raise AdapterBrokeError(f"Line {number} of the adapter answers {identifier!r} a second time.")


@cache
def _answer_schema() -> jsonschema_rs.Validator:
    schema = json.loads(data_path("specs/schemas/adapter.json").read_bytes())
    return jsonschema_rs.validator_for({"$ref": "#/$defs/answer", "$defs": schema["$defs"]})


def _end_of_errors(errors: IO[bytes]) -> str:
    errors.seek(0)
    lines = errors.read().decode(errors="replace").splitlines()[-_LINES_SHOWN:]
    return "\nIt wrote to its standard error:\n" + "\n".join(f"  {line}" for line in lines) if lines else ""
