"""Brings circumstances about around the steps of one scenario."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from conformance.circumstances.company import Company
from conformance.circumstances.levels import Level, Sender
from conformance.clock import Clock
from conformance.exchange import Exchange
from conformance.scenario import NeedError, StepFailedError
from conformance.standards.spellings import PLAIN, Spelling

__all__ = ["USUAL", "Circumstances", "WaitingClock"]

Done = TypeVar("Done")

_LONG = timedelta(minutes=1)
"""What is no wait for an answer any more."""


class Circumstances:
    """What is otherwise than usual while one scenario runs.

    Args:
        levels: The levels, one of a factor at most.
        make_company: Makes those who use the subject besides; called when the first level needs them.
    """

    def __init__(self, levels: Sequence[Level] = (), make_company: Callable[[], Company] | None = None) -> None:
        self.levels = tuple(levels)
        self._make_company = make_company
        self._company: Company | None = None
        self._lock = threading.RLock()
        self._resting = threading.local()
        self._paused = False

    @property
    def connects_anew(self) -> bool:
        """Whether every request goes over a connection of its own."""
        return any(level.connects_anew for level in self.levels)

    @property
    def spelling(self) -> Spelling:
        """How right requests are written."""
        return next((level.spelling for level in self.levels if level.spelling is not PLAIN), PLAIN)

    def take_step(self, sender: Sender, method: str, send: Callable[[], Exchange]) -> Exchange:
        """Take a step of the scenario under the circumstances.

        Args:
            sender: Who takes it.
            method: The method of its request.
            send: What takes it.

        Raises:
            StepFailedError: If no answer came.
        """
        if not self.levels or self._paused or getattr(self._resting, "now", False):
            return send()
        with self._lock:
            self.before_step(sender)
            company = self._company
        if company is None:
            return send()
        step = send
        for level in self.levels:
            step = _around(level, step, method, company)
        with self._aside():
            return step()

    def take_visit(self, sender: Sender, visit: Callable[[], Done]) -> Done:
        """Have a person do something at a hosted page under the circumstances.

        Args:
            sender: The person.
            visit: What does it.
        """
        self.before_step(sender)
        company = self._company
        if company is None or self._paused or getattr(self._resting, "now", False):
            return visit()
        for level in self.levels:
            visit = partial(level.visit, visit, company)
        return visit()

    def before_step(self, sender: Sender) -> None:
        """Have happen what happens before a step, and before the first one."""
        if not self.levels or self._make_company is None or self._paused or getattr(self._resting, "now", False):
            return
        with self._aside():
            if self._company is None:
                self._company = self._make_company()
                for level in self.levels:
                    _let(partial(level.prepare, self._company))
            for level in self.levels:
                _let(partial(level.before_step, sender, self._company))

    def wait(self, clock: Clock, duration: timedelta) -> None:
        """Let a time pass that the scenario waits, and have happen what happens half way."""
        if self._company is None or duration < _LONG:
            clock.advance(duration)
            return
        clock.advance(duration / 2)
        with self._aside():
            for level in self.levels:
                _let(partial(level.while_waiting, self._company))
        clock.advance(duration / 2)

    @contextmanager
    def pause(self) -> Iterator[None]:
        """Leave requests alone that are sent at once."""
        self._paused = True
        try:
            yield
        finally:
            self._paused = False

    @contextmanager
    def _aside(self) -> Iterator[None]:
        """Leave alone what is sent while circumstances are brought about."""
        self._resting.now = True
        try:
            yield
        finally:
            self._resting.now = False


class WaitingClock:
    """The clock of a scenario, whose waits are under circumstances too.

    Args:
        clock: The clock of the subject.
        circumstances: What happens meanwhile.
    """

    def __init__(self, clock: Clock, circumstances: Circumstances) -> None:
        self._clock = clock
        self._circumstances = circumstances

    def now(self) -> datetime:
        """The present instant, an aware datetime in UTC."""
        return self._clock.now()

    def advance(self, duration: timedelta) -> None:
        """Let `duration` pass."""
        self._circumstances.wait(self._clock, duration)


USUAL = Circumstances()
"""Nothing is otherwise than usual."""


def _around(level: Level, step: Callable[[], Exchange], method: str, company: Company) -> Callable[[], Exchange]:
    return lambda: level.send(step, method, company)


def _let(happen: Callable[[], None]) -> None:
    """Have something happen that the scenario does not depend on; what fails there is for other scenarios to find."""
    try:
        happen()
    except (NeedError, StepFailedError):
        return
