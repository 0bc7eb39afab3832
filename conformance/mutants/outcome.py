"""What comes of a code mutant."""

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """What the suite makes of a mutant."""

    CAUGHT = "caught"
    """A rule is worse than on the sandbox as it is."""
    SURVIVED = "survived"
    """Answers or webhooks differ, and no rule is worse."""
    SILENT = "silent"
    """The changed line is executed, and all answers and webhooks are alike."""
    NOT_REACHED = "not-reached"
    """No request executes the changed line."""
    NOT_STARTED = "not-started"
    """The sandbox does not start, so that it is no mutant to be caught."""


@dataclass(frozen=True)
class Result:
    """What came of a mutant.

    Args:
        outcome: What the suite makes of it.
        caught_by: The ids of the rules that are worse.
        tests: The ids of the tests that show this, of a mutant that survived those that are answered otherwise.
        reason: What is to be said of it; empty if that goes without saying.
    """

    outcome: Outcome
    caught_by: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    reason: str = ""
