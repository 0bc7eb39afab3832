"""Time: the only module that reads the machine's clock or waits.

Everything else is given a `Clock`, so that an hour of expiry costs no waiting and a recorded test reads the
times of its recording.
"""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

EPOCH_OF_WORLDS = datetime(2026, 1, 15, 12, 0, 0, tzinfo=UTC)
"""The whole second at which the frozen clock of a new sandbox world stands."""


class Clock(Protocol):
    """What tells the time to one test."""

    def now(self) -> datetime:
        """The present instant, an aware datetime in UTC."""

    def advance(self, duration: timedelta) -> None:
        """Let `duration` pass: by moving the clock where it can be moved, else by waiting."""


class SystemClock:
    """The machine's own time; advancing it is waiting."""

    def now(self) -> datetime:
        """The present instant, an aware datetime in UTC."""
        return datetime.now(UTC)

    def advance(self, duration: timedelta) -> None:
        """Wait for `duration`."""
        time.sleep(duration.total_seconds())


class FrozenClock:
    """A clock that stands on a whole second until it is advanced."""

    def __init__(self, start: datetime = EPOCH_OF_WORLDS) -> None:
        self._now = start

    def now(self) -> datetime:
        """The instant it stands on, an aware datetime in UTC."""
        return self._now

    def advance(self, duration: timedelta) -> None:
        """Move on by `duration`, at once."""
        self._now += duration


class OffsetClock:
    """The machine's own time plus all that it was advanced by."""

    def __init__(self) -> None:
        self._offset = timedelta()

    def now(self) -> datetime:
        """The present instant plus the offset, an aware datetime in UTC."""
        return datetime.now(UTC) + self._offset

    def advance(self, duration: timedelta) -> None:
        """Add `duration` to the offset, at once."""
        self._offset += duration


def stopwatch() -> float:
    """Seconds on a clock that only runs forward, for measuring how long something took."""
    return time.perf_counter()


async def pause(seconds: float) -> None:
    """Let other tasks run for `seconds` of the machine's time."""
    await asyncio.sleep(seconds)
