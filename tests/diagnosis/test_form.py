"""A diagnosis is data; its sentences stand apart, and none is lost or left over."""

import json

import jsonschema_rs
import pytest

from conformance.diagnosis.form import Diagnosis, Difference, Explanation, Mistake, Part, first_difference
from conformance.diagnosis.texts import NONE_FITS, SENTENCES, as_json, lines, summary
from conformance.files import data_path

SCHEMA = jsonschema_rs.validator_for(json.loads(data_path("specs/schemas/explanation.json").read_bytes()))
TWICE = Mistake("newline-after-base")


def diagnosis(*explanations: Explanation, valid: bool = False) -> Diagnosis:
    return Diagnosis("request", (Part("signature sig", valid, explanations, "one\ntwo"),))


@pytest.mark.parametrize(
    ("expected", "fits", "difference"),
    [
        ("a\nb", "a\nb", None),
        ("a\nb", "a\nc", Difference(2, "b", "c")),
        ("a\nb", "a\nb\n", Difference(3, "", "")),
        ("a\nb\nc", "a\nb", Difference(3, "c", "")),
        ("a\nb", "a\r\nb", Difference(1, "a", "a\r")),
    ],
)
def test_the_first_line_that_differs(expected: str, fits: str, difference: Difference | None) -> None:
    assert first_difference(expected, fits) == difference


@pytest.mark.parametrize(
    "made",
    [
        diagnosis(valid=True),
        diagnosis(),
        diagnosis(Explanation((TWICE,))),
        diagnosis(Explanation((TWICE, TWICE), "one\nthree"), Explanation((TWICE,))),
    ],
    ids=["valid", "none fits", "one", "several"],
)
def test_the_json_form_is_that_of_the_schema(made: Diagnosis) -> None:
    SCHEMA.validate(as_json(made))


def test_what_explains_nothing_says_so_and_shows_what_was_expected() -> None:
    told = "\n".join(lines(diagnosis()))
    assert NONE_FITS in told
    assert "two" in told
    assert summary(diagnosis()) == NONE_FITS


def test_several_that_fit_are_all_told_and_none_as_certain() -> None:
    made = diagnosis(Explanation((TWICE,), "one\nthree"), Explanation((TWICE,), "one\r\ntwo"))
    told = "\n".join(lines(made))
    assert told.count("newline-after-base") == 2
    assert "first line that differs, 2" in told
    assert "one\\r" in told
    assert "Each of these" in told
    assert " Or: " in summary(made)


def test_what_is_valid_has_no_summary() -> None:
    assert summary(diagnosis(valid=True)) == ""
    assert list(lines(diagnosis(valid=True))) == ["signature sig: valid"]


class _Anything(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return name


@pytest.mark.parametrize("text", SENTENCES.values(), ids=SENTENCES)
def test_a_sentence_says_what_was_done_and_what_to_do(text: str) -> None:
    assert text.format_map(_Anything()).endswith(".")
    assert ";" in text or ". " in text
