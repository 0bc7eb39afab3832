"""What a probe of a live server tells."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Result:
    """What was found out.

    Args:
        question: What was asked.
        answer: The answer, in plain words.
        detail: What follows from it, such as the setting to put in ``.env``; empty if nothing does.
        conclusive: Whether the probe could go on; False only in the last result of one that had to stop.
    """

    question: str
    answer: str
    detail: str = ""
    conclusive: bool = True
