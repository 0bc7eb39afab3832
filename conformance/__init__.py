"""Conformance and contract tests for crypto wallet APIs."""

from typing import ClassVar

__version__ = "0.1.0"


class ConformanceError(Exception):
    """Something that a user can act on: the message says what was wrong, where, and what to do."""

    exit_code: ClassVar[int] = 2
    """What a command exits with: 2 for wrong usage and unreadable files, 3 where nothing could be judged."""
