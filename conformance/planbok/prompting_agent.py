"""Asks whoever sits before the run to do at the hosted page what a customer does, and waits until it is done."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import NoReturn

import httpx

from conformance.clock import Clock
from conformance.planbok.pages import Page
from conformance.planbok.pin_agent import ANSWERS, PinAgent
from conformance.scenario import needs

__all__ = ["PromptingAgent"]

_LIFE = timedelta(minutes=15)
"""How long a challenge can be completed (Challenges)."""
_BETWEEN_LOOKS = timedelta(seconds=2)
_REMINDED_EVERY = 60
_ASKS_ITSELF = "a browser that this run sees; give --pin-agent http or --pin-agent browser"


class PromptingAgent(PinAgent):
    """A person at a browser of their own; what they see there nobody else does.

    Args:
        tell: Shows a sentence to the person.
        has_ended: Whether the challenge of a page has ended.
        clock: What waits between looks.
    """

    def __init__(self, tell: Callable[[str], None], has_ended: Callable[[str], bool], clock: Clock) -> None:
        super().__init__(httpx.MockTransport(lambda _request: httpx.Response(204)))
        self._tell = tell
        self._has_ended = has_ended
        self._clock = clock

    def open(self, url: str) -> Page:  # noqa: ARG002
        """What a page shows, which only the person sees.

        Raises:
            NeedError: Always.
        """
        _blind()

    def preview(self, url: str) -> httpx.Response:  # noqa: ARG002
        """Nothing that a person does.

        Raises:
            NeedError: Always.
        """
        _blind()

    def set_up(self, url: str, pin: str, answers: Sequence[str] = ANSWERS) -> Page:
        """Have a PIN and answers chosen."""
        return self._ask(url, f"choose the PIN {pin}, then the answers {' and '.join(answers)}")

    def set_recovery(self, url: str, pin: str, answers: Sequence[str] = ANSWERS) -> Page:
        """Have the PIN entered and answers chosen."""
        return self._ask(url, f"enter the PIN {pin}, then choose the answers {' and '.join(answers)}")

    def authorize(self, url: str, pin: str) -> Page:
        """Have the PIN entered."""
        return self._ask(url, f"enter the PIN {pin}")

    def change_pin(self, url: str, pin: str, new_pin: str) -> Page:
        """Have the PIN replaced."""
        return self._ask(url, f"enter the PIN {pin}, and choose {new_pin} as the new one")

    def reset_pin(self, url: str, answers: Sequence[str], new_pin: str) -> Page:
        """Have the PIN replaced by way of the answers."""
        return self._ask(url, f"give the answers {' and '.join(answers)}, and choose the PIN {new_pin}")

    def cancel(self, url: str) -> Page:
        """Have the challenge cancelled."""
        return self._ask(url, "press cancel")

    def _ask(self, url: str, what: str) -> Page:
        """Wait until the challenge of a page has ended.

        Raises:
            NeedError: If it does not end in its time.
        """
        self._tell(f"Open {url} and {what}. There are {_LIFE // timedelta(minutes=1)} minutes.")
        waited = timedelta()
        while not self._has_ended(url):
            if waited >= _LIFE:
                needs("a person at the hosted page; nobody did in 15 minutes what was asked")
            self._clock.advance(_BETWEEN_LOOKS)
            waited += _BETWEEN_LOOKS
            left = (_LIFE - waited) // timedelta(seconds=1)
            if left and left % _REMINDED_EVERY == 0:
                self._tell(f"{left // _REMINDED_EVERY} min left to {what} at {url}.")
        return Page(
            url=url,
            opened=url,
            status=200,
            title="",
            text="",
            step=None,
            form=None,
            returned_to=None,
            response=httpx.Response(200, request=httpx.Request("GET", url)),
        )


def _blind() -> NoReturn:
    needs(_ASKS_ITSELF)
