"""Time: the only module that reads the machine's clock or waits.

Everything else is given a `Clock`, so that an hour of expiry costs no waiting and a recorded test reads the
times of its recording.
"""

import asyncio
import sys
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


class WorldClock(Clock, Protocol):
    """The time of a world of the sandbox, beside the time of the machines that talk to it."""

    def outside(self) -> datetime:
        """What a client or a receiver of this world has on its own clock (UTC)."""

    def departure(self) -> str:
        """How this clock departs from the machine's time, in a sentence; empty if it does not."""

    def restarted(self) -> "WorldClock":
        """This clock as it was at first."""


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
        self._start = self._now = start

    def now(self) -> datetime:
        """The instant it stands on, an aware datetime in UTC."""
        return self._now

    def advance(self, duration: timedelta) -> None:
        """Move on by `duration`, at once."""
        self._now += duration

    def outside(self) -> datetime:
        """The instant it stands on: who talks to a world that stands still is given its time."""
        return self._now

    def departure(self) -> str:
        """That it stands still, and where."""
        moved = f", {self._now - self._start} after where it began" if self._now != self._start else ""
        return (
            f"The clock of this world stands still at {self._now.isoformat().replace('+00:00', 'Z')}{moved}: "
            'give your client this time, or make a world with {"clock": "real"}.'
        )

    def restarted(self) -> "FrozenClock":
        """A clock that stands where this one stood first."""
        return FrozenClock(self._start)


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

    def outside(self) -> datetime:
        """The machine's time, however far this clock was advanced."""
        return datetime.now(UTC)

    def departure(self) -> str:
        """That it was moved, and by how much; empty if it was not."""
        return f"The clock of this world was moved ahead by {self._offset}." if self._offset else ""

    def restarted(self) -> "OffsetClock":
        """The machine's own time again."""
        return OffsetClock()


def stopwatch() -> float:
    """Seconds on a clock that only runs forward, for measuring how long something took."""
    return time.perf_counter()


def passed() -> float:
    """Seconds on a clock that only runs forward, also where a test holds the other clocks of its process still."""
    if sys.platform == "win32":
        return time.monotonic()
    return time.clock_gettime(time.CLOCK_MONOTONIC)  # which neither freezegun nor time-machine replaces


async def pause(seconds: float) -> None:
    """Let other tasks run for `seconds` of the machine's time."""
    await asyncio.sleep(seconds)
