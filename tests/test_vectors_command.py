"""The commands on vectors: what they print, what an adapter is asked, and what becomes of what it answers."""

import json
import re
import shlex
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from click.testing import CliRunner

from conformance.cli import app
from conformance.files import data_path
from conformance.vectors import Side
from conformance.vectors.adapters import AdapterBrokeError, Outcome, ask, compare, questions
from conformance.vectors.cases import Accept, load

CHECKOUT = Path(__file__).parents[1]
VECTORS = load()
SCHEMA = json.loads(data_path("specs/schemas/adapter.json").read_bytes())

OURS = """
import json, sys
from conformance.vectors.cases import PRODUCTS, load, why_refused

VECTORS = {vector.id: vector for vector in load()}

def answer(question):
    vector = VECTORS[question["id"]]
    said = {"id": vector.id, "supported": True}
    if "accept" in question["sides"]:
        why = why_refused(vector)
        said |= {"accepted": why is None} if why is None else {"accepted": False, "reason": why}
    if "produce" in question["sides"]:
        said["produced"] = {name: vector.input[name] for name in PRODUCTS[vector.topic]}
    return said

"""
ANSWERING = "for line in sys.stdin:\n    print(json.dumps(answer(json.loads(line))), flush=True)\n"
SIMPLE = "import json, sys\n\ndef answer(question):\n    return {'id': question['id'], %s}\n\n" + ANSWERING

Adapter = Callable[[str], str]


@pytest.fixture
def adapter(tmp_path: Path) -> Adapter:
    """Writes a program in Python and gives the command that runs it."""

    def write(source: str) -> str:
        path = tmp_path / "adapter.py"
        path.write_text(source, encoding="utf-8")
        return shlex.join([sys.executable, str(path)])

    return write


def invoke(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["vectors", *arguments])


# ------------------------------------------------------------------------------------------------------- counting


def test_the_counts_are_printed_by_file() -> None:
    result = invoke()
    assert result.exit_code == 0
    files = re.findall(r"^  file +(\S+)$", result.stdout, re.MULTILINE)
    assert files == sorted({f"specs/{each.api}/vectors/{each.topic}.json" for each in VECTORS})
    counts = re.findall(r"^\w+ [\w-]+  (\d+) cases$", result.stdout, re.MULTILINE)
    assert sum(map(int, counts)) == len(VECTORS)
    refused = sum(vector.accept is Accept.MUST_NOT for vector in VECTORS)
    assert sum(map(int, re.findall(r"(\d+) must-not", result.stdout))) == refused


def test_the_counts_are_json_too() -> None:
    document = json.loads(invoke("--json").stdout)
    assert document["cases"] == len(VECTORS)
    assert sum(each["accept"]["must-not"] for each in document["files"]) == sum(
        vector.accept is Accept.MUST_NOT for vector in VECTORS
    )


# ------------------------------------------------------------------------------------------------------ what is asked


@pytest.mark.parametrize("sides", [[Side.ACCEPT], [Side.PRODUCE], list(Side)], ids=str)
def test_every_question_fits_the_schema(sides: list[Side]) -> None:
    validator = jsonschema_rs.validator_for({"$ref": "#/$defs/question", "$defs": SCHEMA["$defs"]})
    asked = questions(VECTORS, sides)
    assert [error.message for question in asked for error in validator.iter_errors(question)] == []
    assert len(asked) == (
        sum(vector.task is not None for vector in VECTORS) if sides == [Side.PRODUCE] else len(VECTORS)
    )


def test_who_only_produces_is_shown_no_right_product() -> None:
    assert [question["id"] for question in questions(VECTORS, [Side.PRODUCE]) if "input" in question] == []
    assert [question["id"] for question in questions(VECTORS, [Side.ACCEPT]) if "task" in question] == []


# --------------------------------------------------------------------------------------------------- right and wrong


def test_our_own_modules_are_right_about_everything(adapter: Adapter) -> None:
    result = invoke("check", "--adapter", adapter(OURS + ANSWERING))
    assert result.exit_code == 0, result.output
    *_, last = result.stdout.splitlines()
    assert re.fullmatch(r"AGREES: \d+ answers are right, none is wrong\.", last)


def test_an_adapter_may_read_everything_first_and_answer_in_any_order(adapter: Adapter) -> None:
    source = OURS + "for line in reversed(sys.stdin.readlines()):\n    print(json.dumps(answer(json.loads(line))))\n\n"
    assert invoke("check", "--adapter", adapter(source)).exit_code == 0


def test_who_accepts_everything_is_told_each_case_with_rule_and_source(adapter: Adapter) -> None:
    result = invoke("check", "--side", "accept", "--adapter", adapter(SIMPLE % "'supported': True, 'accepted': True"))
    assert result.exit_code == 1
    wrong = sum(vector.accept is Accept.MUST_NOT for vector in VECTORS)
    right = sum(vector.accept is Accept.MUST for vector in VECTORS)
    assert result.stdout.splitlines()[-1] == f"DISAGREES: {wrong} answers are wrong, {right} are right."
    vector = next(vector for vector in VECTORS if vector.title == "key of a stranger")
    told = result.stdout[result.stdout.index(vector.id) :].splitlines()[:6]
    assert told == [
        f"{vector.id}  accept, documented",
        "    case      key of a stranger",
        "    expected  refused",
        "    answered  accepted",
        "    rule      offblocks.signing.other-key-refused",
        f"    source    {vector.source}",
    ]


def test_who_refuses_everything_is_told_with_its_own_reason(adapter: Adapter) -> None:
    command = adapter(SIMPLE % "'supported': True, 'accepted': False, 'reason': 'so I say'")
    result = invoke("check", "--side", "accept", "--adapter", command)
    assert result.exit_code == 1
    assert "    expected  accepted\n    answered  refused (so I say)" in result.stdout


def test_a_wrong_product_is_told_with_what_a_verifier_says_of_it(adapter: Adapter) -> None:
    members = "'supported': True, 'produced': {'content_digest': 'sha-256=:AAAA:'}, 'reason': 'made up'"
    result = invoke("check", "--side", "produce", "--adapter", adapter(SIMPLE % members))
    assert result.exit_code == 1
    assert "  produce, documented" in result.stdout
    assert "    answered  Content-Digest is not the sha-256 digest" in result.stdout
    assert "    answered  It made content_digest, expected signature. (made up)" in result.stdout


def test_a_side_that_is_not_answered_is_not_supported(adapter: Adapter) -> None:
    members = "'supported': True, 'accepted': True"
    command = adapter(SIMPLE % members)
    assert invoke("check", "--side", "produce", "--adapter", command).exit_code == 3


def test_what_nobody_specifies_is_shown_and_never_wrong() -> None:
    vectors = [vector for vector in VECTORS if vector.accept is Accept.UNSPECIFIED]
    for accepted in (True, False):
        answers = {each.id: {"id": each.id, "supported": True, "accepted": accepted} for each in vectors}
        assert {each.outcome for each in compare(vectors, answers, [Side.ACCEPT])} == {Outcome.UNSPECIFIED}


def test_who_supports_nothing_is_inconclusive(adapter: Adapter) -> None:
    result = invoke("check", "--adapter", adapter(SIMPLE % "'supported': False"))
    assert result.exit_code == 3
    assert result.stdout.splitlines()[-1] == "INCONCLUSIVE: the adapter supports no case that has a right answer."


def test_the_worked_example_of_the_page_is_right(adapter: Adapter) -> None:
    page = (CHECKOUT / "docs" / "adapters.md").read_text(encoding="utf-8")
    (source,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    result = invoke("check", "--adapter", adapter(source))
    assert result.exit_code == 0, result.output
    lax = source.replace(" or abs(now - int(timestamp)) > 300", "")
    assert lax != source
    result = invoke("check", "--adapter", adapter(lax))
    assert result.exit_code == 1
    assert "rule      planbok.client.checks-webhook-age" in result.stdout


def test_the_page_names_every_topic_with_what_is_given_and_made() -> None:
    page = (CHECKOUT / "docs" / "adapters.md").read_text(encoding="utf-8")
    for topic in {vector.topic for vector in VECTORS}:
        assert f"| `{topic}` |" in page


# -------------------------------------------------------------------------------------------------- wrong programs


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("no-such-program --flag", "The program no-such-program cannot be started: No such file or directory."),
        ("", "The command of the adapter is empty"),
        ("python 'adapter.py", "cannot be read: No closing quotation."),
    ],
)
def test_a_command_that_cannot_be_run_is_wrong_usage(command: str, said: str) -> None:
    result = invoke("check", "--adapter", command)
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: ")
    assert said in result.stderr


FIRST = "print(json.dumps({'id': json.loads(sys.stdin.readline())['id'], 'supported': False}), flush=True)\n"


TWICE = "import json, sys\n" + FIRST.replace("print(", "print(*2 * [").replace("), flush", ")], sep='\\n', flush")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("print('hello')", "Line 1 of the adapter is no JSON: 'hello'."),
        ("print('[' * 100000)", "Line 1 of the adapter is no JSON"),
        ("print('[]')", "Line 1 of the adapter is no answer"),
        ("print('{\"id\": \"x\"}')", 'no answer: "supported" is a required property'),
        ("print('{\"id\": 1, \"supported\": false}')", "no answer at id: 1 is not of type"),
        (SIMPLE % "'supported': True", "Line 1 of the adapter is no answer"),
        (SIMPLE % "'supported': True, 'accepted': 'yes'", "no answer at accepted: "),
        ("print('{\"id\": \"\\\\ud800\", \"supported\": true}')", "Line 1 of the adapter is no answer"),
        ("print('{\"id\": \"x\", \"supported\": true, \"produced\": ' + '[' * 500 + ']' * 500 + '}')", "too deep"),
        ("print('{\"id\": \"x\", \"supported\": false}')", "answers 'x', which was not asked"),
        (TWICE, "a second time"),
        ("import json, sys\n" + FIRST, f"ended with exit code 0 after 1 of {len(VECTORS)} answers; the first without"),
        ("raise SystemExit(7)", f"ended with exit code 7 after 0 of {len(VECTORS)} answers"),
        ("import sys\nsys.exit('I lack a key')", "It wrote to its standard error:\n  I lack a key"),
    ],
)  # fmt: skip
def test_an_adapter_that_breaks_is_inconclusive_and_told_where(adapter: Adapter, source: str, said: str) -> None:
    result = invoke("check", "--adapter", adapter(source))
    assert result.exit_code == 3, result.output
    assert said in result.stderr
    assert "Traceback" not in result.output


def test_an_adapter_that_says_nothing_is_given_up(adapter: Adapter) -> None:
    command = adapter("import json, sys\n" + FIRST + "sys.stdin.read()\nimport signal\nsignal.pause()\n")
    with pytest.raises(AdapterBrokeError, match=f"said nothing for 0 s, after . of {len(VECTORS)} answers"):
        ask(command, questions(VECTORS, list(Side)), patience=timedelta(milliseconds=300))


def test_blank_lines_of_an_adapter_are_passed_over(adapter: Adapter) -> None:
    asked = questions(VECTORS[:3], list(Side))
    source = SIMPLE % "'supported': False"
    assert len(ask(adapter(source.replace("flush=True", "end='\\n\\n', flush=True")), asked)) == 3
