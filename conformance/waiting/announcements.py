"""What a run tells while it waits."""

import sys
from datetime import timedelta

from conformance.clock import SystemClock

__all__ = ["UNNOTICED", "AnnouncedClock", "announce"]

UNNOTICED = timedelta(seconds=3)
"""How long a wait may be without a word."""


class AnnouncedClock(SystemClock):
    """The machine's own time; a wait that takes long is told.

    Args:
        why: Why it is waited, as the rest of a sentence.
    """

    def __init__(self, why: str) -> None:
        self._why = why

    def advance(self, duration: timedelta) -> None:
        """Wait for `duration`."""
        if duration > UNNOTICED:
            announce(f"Waiting {duration.total_seconds():.0f} s {self._why}.")
        super().advance(duration)


def announce(text: str) -> None:
    """Tell a sentence to who sits before the run, whatever pytest captures."""
    stream = sys.__stderr__
    if stream is not None and not stream.closed:
        stream.write(f"\r\x1b[2K{text}\n" if stream.isatty() else f"{text}\n")
        stream.flush()
