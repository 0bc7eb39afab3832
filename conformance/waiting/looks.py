"""How a run waits for what a subject does by itself: it looks soon and then less often, and learns what never comes."""

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import TypeVar

from conformance.clock import Clock
from conformance.waiting.announcements import UNNOTICED

__all__ = ["PATIENCE", "Waits", "pauses"]

Seen = TypeVar("Seen")

PATIENCE = timedelta(minutes=1)
"""How long to wait for what the subject does by itself."""
_SHORT = timedelta(seconds=6)
"""How long to wait for what has not come in a minute before; half as long each time that it does not come again."""
_SHORTEST = timedelta(seconds=1)
_SLOWER = 2
"""How many times as long as something took it is waited for at least."""
_FIRST = timedelta(milliseconds=200)
_GROWTH = 1.5
_LONGEST = timedelta(seconds=5)


def pauses(patience: timedelta) -> Iterator[timedelta]:
    """The pauses between looks, which grow from 0.2 s to 5 s and are `patience` together."""
    pause, left = _FIRST, patience
    while left:
        step = min(pause, left)
        yield step
        left -= step
        pause = min(pause * _GROWTH, _LONGEST)


class Waits:
    """What a run has waited for.

    Args:
        short: What has not come in a minute before, and for how many seconds it is waited.
        learns: Whether what does not come in a minute is waited for shortly from then on.
        tell: Told what is waited for, if that takes long, and what is waited for shortly.
    """

    def __init__(
        self,
        short: Mapping[str, float] | None = None,
        *,
        learns: bool = False,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._short = {what: timedelta(seconds=seconds) for what, seconds in (short or {}).items()}
        self._learns = learns
        self._tell = tell
        self._longest: dict[str, timedelta] = {}

    @property
    def short(self) -> dict[str, float]:
        """What is waited for shortly, and for how many seconds."""
        return {what: patience.total_seconds() for what, patience in sorted(self._short.items())}

    def note(self, what: str, took: timedelta) -> None:
        """Remember how long something took to come."""
        self._longest[what] = max(took, self._longest.get(what, timedelta()))

    def longest(self, what: str) -> timedelta | None:
        """The longest that something has taken to come; None if that is not known."""
        return self._longest.get(what)

    def eventually(self, what: str, clock: Clock, look: Callable[[], Seen], enough: Callable[[Seen], bool]) -> Seen:
        """What `look` sees as soon as it is `enough`, or what it sees at last.

        Args:
            what: What is waited for, such as ``a customer to be active``.
            clock: What waits.
            look: Looks.
            enough: Whether what was seen is what is waited for.
        """
        patience = self._short.get(what, PATIENCE)
        seen, waited, is_told = look(), timedelta(), False
        for pause in pauses(patience):
            if enough(seen):
                break
            if waited >= UNNOTICED and not is_told:
                self._tell(f"Waiting for {what}, for {patience.total_seconds():g} s at most.")
                is_told = True
            clock.advance(pause)
            waited += pause
            seen = look()
        if self._learns:
            self._learn(what, patience, waited, came=enough(seen))
        return seen

    def _learn(self, what: str, patience: timedelta, waited: timedelta, *, came: bool) -> None:
        if came:
            self.note(what, waited)
        least = _SLOWER * self._longest.get(what, timedelta())
        if came and what in self._short:
            self._short[what] = min(PATIENCE, max(patience, least))
        elif not came:
            shorter = _SHORT if patience == PATIENCE else max(patience / 2, _SHORTEST)
            self._short[what] = min(patience, max(shorter, least))
        if not came and patience == PATIENCE:
            self._tell(
                f"Waited a minute for {what} in vain; from now on it is waited for less, "
                f"{self._short[what].total_seconds():g} s at first."
            )
