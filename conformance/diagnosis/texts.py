"""The sentences that tell a mistake: what was done, and what to do; no other module writes them."""

from collections.abc import Iterator, Mapping
from typing import Any

from conformance.diagnosis.form import Diagnosis, Mistake, Part
from conformance.diagnosis.sentences import base, challenge, digest, request, target, token, webhook

__all__ = ["NONE_FITS", "SENTENCES", "as_json", "cause_of_rejection", "lines", "sentence", "summary"]

NONE_FITS = "None fits of the mistakes that are known: something else was changed, or another key or secret was used."
"""What is said where no candidate explains what was seen."""

_SEVERAL = "Each of these would explain it by itself:"
_PERHAPS = "Perhaps:"
_LONGEST_FACT = 300
_VISIBLE = {"\r": "\\r", "\t": "\\t", "\n": "\\n"}

SENTENCES: Mapping[str, str] = {
    **request.SENTENCES,
    **base.SENTENCES,
    **target.SENTENCES,
    **digest.SENTENCES,
    **challenge.SENTENCES,
    **webhook.SENTENCES,
    **token.SENTENCES,
}
"""The sentence of each mistake by its name; braces hold the names of facts."""


def sentence(mistake: Mistake) -> str:
    """What was done wrong, and what to do about it."""
    return SENTENCES[mistake.name].format_map({name: _short(value) for name, value in mistake.facts.items()})


def summary(diagnosis: Diagnosis) -> str:
    """All mistakes in a row, for a refusal or a finding; where several things would explain a part, all of them.

    Empty if nothing is wrong.
    """
    return " ".join(filter(None, map(_of_part, diagnosis.parts)))


def cause_of_rejection(diagnosis: Diagnosis) -> str:
    """All mistakes in a row, for the refusal of what another judge rejected; empty where none is known for certain."""
    return "" if diagnosis.valid or not any(_is_certain(part) for part in diagnosis.parts) else summary(diagnosis)


def as_json(diagnosis: Diagnosis) -> dict[str, Any]:
    """The diagnosis with its sentences, as specs/schemas/explanation.json has it."""
    return diagnosis.to_json(
        [[[sentence(each) for each in found.mistakes] for found in part.explanations] for part in diagnosis.parts]
    )


def lines(diagnosis: Diagnosis) -> Iterator[str]:
    """What `conformance explain` prints."""
    for part in diagnosis.parts:
        yield f"{part.name}: {'valid' if part.valid else 'not valid'}"
        if not part.valid:
            yield from (f"  {line}" for line in _why(part))


def _why(part: Part) -> Iterator[str]:
    certain = [each for each in part.explanations if each.certain]
    if not certain:
        yield NONE_FITS
    if len(certain) > 1:
        yield _SEVERAL
    for explanation in part.explanations:
        if not explanation.certain:
            yield _PERHAPS
        for mistake in explanation.mistakes:
            yield f"{mistake.name}: {sentence(mistake)}"
        if difference := part.difference(explanation):
            yield f"first line that differs, {difference.line}:"
            yield f"  expected: {_visible(difference.expected)}"
            yield f"  fits:     {_visible(difference.fits)}"
            yield from _indented("all that was expected", part.expected)
            yield from _indented("all that fits", explanation.fits)
    if not certain:
        yield from _indented("expected", part.expected)


def _short(value: str) -> str:
    return value if len(value) <= _LONGEST_FACT else f"{value[:_LONGEST_FACT]}…"


def _of_part(part: Part) -> str:
    if part.valid:
        return ""
    told = [" ".join(map(sentence, each.mistakes)) for each in part.explanations if each.certain]
    perhaps = [" ".join(map(sentence, each.mistakes)) for each in part.explanations if not each.certain]
    if not told:
        return " ".join([NONE_FITS, *(f"{_PERHAPS} {text}" for text in perhaps)])
    return told[0] if len(told) == 1 else f"{_SEVERAL} {' Or: '.join(told)}"


def _is_certain(part: Part) -> bool:
    return any(explanation.certain for explanation in part.explanations)


def _indented(title: str, text: str) -> Iterator[str]:
    if text:
        yield f"{title}:"
        yield from (f"  {_visible(line)}" for line in text.split("\n"))


def _visible(line: str) -> str:
    return "".join(_VISIBLE.get(character, character) for character in line)
