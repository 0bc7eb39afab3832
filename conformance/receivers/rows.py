"""What a receiver of webhooks did in one case, as a table shows it."""

from dataclasses import dataclass
from enum import StrEnum


class Mark(StrEnum):
    """What is to be said of a case."""

    RIGHT = "ok"
    WRONG = "WRONG"
    NOTE = "note"
    OPEN = "open"


@dataclass(frozen=True)
class Row:
    """One case.

    Args:
        name: What was sent, in a few words.
        wanted: What it should be answered with, such as ``2xx``.
        answered: What it was answered with, such as ``200`` or ``9 x 200, 500``.
        seconds: How long the slowest answer took.
        mark: What is to be said of it.
        said: Why it is not right, and what the likeliest cause is; empty if it is right.
    """

    name: str
    wanted: str
    answered: str
    seconds: float
    mark: Mark
    said: str = ""
