"""One mistake made on purpose, or two at once."""

from collections.abc import Callable
from dataclasses import dataclass

from conformance.diagnosis.form import Diagnosis
from conformance.ids import Ids

NONE: tuple[str, ...] = ()
"""The names of what no candidate explains."""


@dataclass(frozen=True)
class Case:
    """Something that was done wrong.

    Args:
        title: What was done, in a few words.
        names: The names of the mistakes that are made; none where no candidate explains it.
        diagnosed: Makes them with fresh keys, and gives what the diagnosis says.
        report: Where somebody told of it; empty where nobody is cited.
    """

    title: str
    names: tuple[str, ...]
    diagnosed: Callable[[Ids], Diagnosis]
    report: str = ""


def is_named_first(case: Case, diagnosis: Diagnosis) -> bool:
    """Whether the mistakes that were made are what is told first, all of them and no others."""
    return not diagnosis.valid and sorted(each.name for each in diagnosis.mistakes) == sorted(case.names)


def is_misled(case: Case, diagnosis: Diagnosis) -> bool:
    """Whether something is told as certain that was not done, in what is told first."""
    certain = {
        mistake.name
        for part in diagnosis.parts
        for explanation in part.explanations[:1]
        if explanation.certain
        for mistake in explanation.mistakes
    }
    return not certain <= set(case.names)
