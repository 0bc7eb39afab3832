"""What a module of the standards raises for an input that it does not accept."""

from enum import StrEnum
from typing import Generic, TypeVar

__all__ = ["Rejected"]

Why = TypeVar("Why", bound=StrEnum)


class Rejected(ValueError, Generic[Why]):  # noqa: N818 - a judgement of the input, named as such
    """An input that is not accepted; a subclass says what of.

    Args:
        reason: Why, for programs.
        message: What is wrong and what is expected, for people.
    """

    def __init__(self, reason: Why, message: str) -> None:
        super().__init__(message)
        self.reason = reason
