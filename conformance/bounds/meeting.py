"""Requests that reach a server at one instant: each is sent but for its last byte, and that when all have come so far.

Requests that threads merely send at once arrive as connections are made and threads take turns, so that a server which
takes milliseconds between a look and its effect is seldom met by two of them in between.
"""

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

__all__ = ["Meeting", "next_meeting"]

PATIENCE = 5.0
"""Seconds that a request waits for the others."""
_of_thread = threading.local()


class Meeting:
    """Some requests, each the first one of a thread, that are to be complete at one instant.

    Args:
        size: How many they are.
    """

    def __init__(self, size: int) -> None:
        self._barrier = threading.Barrier(size)

    @contextmanager
    def attended(self) -> Iterator[None]:
        """Have the next request of this thread wait for the others; who sends none keeps nobody waiting."""
        _of_thread.meeting = self
        try:
            yield
        finally:
            if next_meeting() is not None:
                self._barrier.abort()

    def body(self, whole: bytes) -> Iterable[bytes]:
        """A body as it is to be sent, its last byte when all are here; a request without one is sent only then."""
        if whole:
            return self._but_for_the_last_byte(whole)
        self._wait()
        return ()

    def _but_for_the_last_byte(self, whole: bytes) -> Iterator[bytes]:
        yield whole[:-1]
        self._wait()
        yield whole[-1:]

    def _wait(self) -> None:
        """Return when all are here, one of them stays away, or `PATIENCE` is over."""
        with suppress(threading.BrokenBarrierError):
            self._barrier.wait(PATIENCE)


def next_meeting() -> Meeting | None:
    """The meeting that the next request of this thread is to attend, which is then no longer before it."""
    meeting: Meeting | None = getattr(_of_thread, "meeting", None)
    _of_thread.meeting = None
    return meeting
