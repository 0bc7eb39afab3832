"""The time that a run may take: what is not judged when it is over is skipped."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from conformance.clock import passed
from conformance.scenario import needs


class TimeLimit:
    """When a run ends.

    Args:
        seconds: How long it may take; None for as long as it takes.
        ends_at: When it ends, on the clock of `passed`; None for never.
    """

    def __init__(self, seconds: int | None, ends_at: float | None) -> None:
        self._seconds = seconds
        self._ends_at = ends_at

    def check(self) -> None:
        """Begin nothing more when the time is over.

        Raises:
            NeedError: If it is.
        """
        if self._ends_at is not None and passed() >= self._ends_at:
            self._end()

    def _end(self, _signal: int = 0, _frame: FrameType | None = None) -> None:
        needs(f"more time; --time-limit {self._seconds} ended the run")

    @contextmanager
    def kept(self) -> Iterator[None]:
        """End what is done in the context when the time is over, as far as the machine can interrupt it.

        Raises:
            NeedError: If the time is over.
        """
        can_interrupt = hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()
        if self._ends_at is None or not can_interrupt:
            yield
            return
        before = signal.signal(signal.SIGALRM, self._end)
        signal.setitimer(signal.ITIMER_REAL, max(self._ends_at - passed(), 0.001))
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
