"""What is said of a thing that should verify: the mistakes that explain why it does not, as data without sentences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

__all__ = ["FORMAT", "Diagnosis", "Difference", "Explanation", "Mistake", "Part", "first_difference"]

FORMAT = "conformance-explanation/1"
"""The name of the JSON form (specs/schemas/explanation.json)."""


@dataclass(frozen=True)
class Mistake:
    """One thing that was done wrong.

    Args:
        name: Its stable name, which has a sentence in `conformance.diagnosis.texts`, such as ``base-hashed-twice``.
        facts: What the sentence needs to know of this case, by the names that it has there.
    """

    name: str
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Difference:
    """The first line in which what fits is not what was expected.

    Args:
        line: Its number, from 1.
        expected: The line that was expected, empty if there was to be none.
        fits: The line that fits, empty if there is none.
    """

    line: int
    expected: str
    fits: str


@dataclass(frozen=True)
class Explanation:
    """Mistakes that together explain what was seen: with all of them made, it verifies.

    Args:
        mistakes: The mistakes, in the order in which to mend them; one unless several were made at once.
        fits: The text that was signed, hashed or meant, where it is another than the expected one.
        certain: Whether it was found out by trying, so that nothing but chance could mislead; otherwise it is only what
            would explain it, if nothing else was done wrong.
    """

    mistakes: tuple[Mistake, ...]
    fits: str = ""
    certain: bool = True


@dataclass(frozen=True)
class Part:
    """One thing that must be right by itself, such as one signature or the digest of a body.

    Args:
        name: What it is, for people: ``signature sig1``, ``Content-Digest``.
        valid: Whether it is right.
        explanations: What explains that it is not, the likeliest first; several where each would do, none where no
            known mistake does. Of a valid part, none.
        expected: What should have been signed, hashed or meant, empty where a text cannot say it.
    """

    name: str
    valid: bool
    explanations: tuple[Explanation, ...] = ()
    expected: str = ""

    def difference(self, explanation: Explanation) -> Difference | None:
        """Where what fits departs from what was expected; None where either is unknown, or they are the same."""
        if not self.expected or not explanation.fits:
            return None
        return first_difference(self.expected, explanation.fits)


@dataclass(frozen=True)
class Diagnosis:
    """What is said of one thing.

    Args:
        subject: What it is: ``request``, ``challenge``, ``webhook``, ``token``.
        parts: Its parts, in the order in which to mend them.
    """

    subject: str
    parts: tuple[Part, ...]

    @property
    def valid(self) -> bool:
        """Whether all of it is right."""
        return all(part.valid for part in self.parts)

    @property
    def unexplained(self) -> tuple[Part, ...]:
        """The parts that are wrong, and no known mistake explains for certain why."""
        return tuple(
            part for part in self.parts if not part.valid and not any(each.certain for each in part.explanations)
        )

    @property
    def mistakes(self) -> tuple[Mistake, ...]:
        """The likeliest mistakes, part by part: of each the first explanation."""
        return tuple(each for part in self.parts for found in part.explanations[:1] for each in found.mistakes)

    def to_json(self, sentences: Sequence[Sequence[Sequence[str]]]) -> dict[str, Any]:
        """It as JSON.

        Args:
            sentences: The sentence of each mistake, of each explanation, of each part.
        """
        return {
            "format": FORMAT,
            "subject": self.subject,
            "valid": self.valid,
            "mistakes": [mistake.name for mistake in self.mistakes],
            "parts": [_part(part, told) for part, told in zip(self.parts, sentences, strict=True)],
        }


def first_difference(expected: str, fits: str) -> Difference | None:
    """The first line in which two texts differ, None if they are the same.

    Lines end with a line feed alone, so that a carriage return is part of its line, and a line feed at the end of a
    text makes another line, which is empty.
    """
    pairs = zip_longest(expected.split("\n"), fits.split("\n"))
    for number, (left, right) in enumerate(pairs, 1):
        if left != right:
            return Difference(number, left or "", right or "")
    return None


def _part(part: Part, sentences: Sequence[Sequence[str]]) -> dict[str, Any]:
    return {
        "name": part.name,
        "valid": part.valid,
        "explanations": [_explanation(part, *each) for each in zip(part.explanations, sentences, strict=True)],
        "expected": part.expected,
    }


def _explanation(part: Part, explanation: Explanation, sentences: Sequence[str]) -> dict[str, Any]:
    difference = part.difference(explanation)
    return {
        "mistakes": [
            {"name": mistake.name, "facts": dict(mistake.facts), "says": says}
            for mistake, says in zip(explanation.mistakes, sentences, strict=True)
        ],
        "certain": explanation.certain,
        "fits": explanation.fits,
        "first_difference": difference
        and {"line": difference.line, "expected": difference.expected, "fits": difference.fits},
    }
