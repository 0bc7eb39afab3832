"""Waiting for a server that is too busy, which says nothing of what it was asked."""

from collections.abc import Callable
from datetime import timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TypeVar

import httpx

from conformance.clock import Clock

__all__ = ["GUESSES", "BusyError", "DroppedError", "NotTakenError", "asked_pause", "is_busy", "patiently"]

Done = TypeVar("Done")

GUESSES = "conformance.guesses"
"""The request extension of what tries a wrong secret: an answer of 429 refuses it, as one of 401 does."""
_FIRST_PAUSE = timedelta(seconds=1)
_LONGEST_NUMBER = 9
_SHOWN = 40


class NotTakenError(Exception):
    """A server did not take a request, which may be sent again.

    Args:
        message: What became of it each time, as the rest of a sentence.
        clock: What waits until it may be asked again.

    Attributes:
        patience: How long one request waits in all until it is taken.
    """

    patience = timedelta(minutes=2)

    def __init__(self, message: str, clock: Clock) -> None:
        super().__init__(f"{message} for as long as it was asked again")
        self.clock = clock

    @property
    def pause(self) -> timedelta:
        """How long the server asks to wait at least."""
        return timedelta()


class BusyError(NotTakenError):
    """A server answered 429, or 503 with Retry-After: it has not looked at the request.

    Args:
        response: The answer.
        clock: What waits until it may be asked again.
    """

    def __init__(self, response: httpx.Response, clock: Clock) -> None:
        asked = response.headers.get("Retry-After")
        wish = f" with Retry-After: {asked[:_SHOWN]!r}" if asked else ""
        super().__init__(f"was answered {response.status_code}{wish}", clock)
        self.response = response

    @property
    def pause(self) -> timedelta:
        """How long the server asks to wait at least."""
        return asked_pause(self.response, self.clock) or timedelta()


class DroppedError(NotTakenError):
    """A connection ended before an answer came.

    Args:
        error: What came instead.
        clock: What waits until it may be asked again.
    """

    patience = timedelta(seconds=7)

    def __init__(self, error: httpx.TransportError, clock: Clock) -> None:
        super().__init__(f"got no answer ({str(error) or type(error).__name__})", clock)


def asked_pause(response: httpx.Response, clock: Clock) -> timedelta | None:
    """How long an answer asks to wait, in seconds or till a date; None if it does not.

    It is the field Retry-After (RFC 9110 section 10.2.3).
    """
    said = response.headers.get("Retry-After", "").strip()
    if said.isascii() and said.isdigit():
        return timedelta(seconds=int(said)) if len(said) <= _LONGEST_NUMBER else timedelta.max
    try:
        return parsedate_to_datetime(said) - clock.now()
    except (IndexError, OverflowError, TypeError, ValueError):
        return None


def patiently(send: Callable[[], Done]) -> Done:
    """What comes of a request that is sent again while the server is busy, after longer and longer pauses.

    Args:
        send: What sends the request, signed anew each time.

    Raises:
        NotTakenError: If the server still takes nothing, and the next pause would make it too long in all.
    """
    pause, waited = _FIRST_PAUSE, timedelta()
    while True:
        try:
            return send()
        except NotTakenError as busy:
            asked = max(pause, busy.pause)
            if asked > busy.patience - waited:
                raise
            busy.clock.advance(asked)
        waited, pause = waited + asked, pause * 2


def is_busy(response: httpx.Response) -> bool:
    """Whether an answer says that the server is too busy for the request."""
    status = response.status_code
    return status == HTTPStatus.TOO_MANY_REQUESTS or (
        status == HTTPStatus.SERVICE_UNAVAILABLE and "Retry-After" in response.headers
    )
