"""The customer before the hosted page, in whose place the PIN agent acts."""

from collections.abc import Callable, Mapping
from typing import TypeVar

import httpx

from conformance.exchange import Exchange
from conformance.ids import Ids
from conformance.planbok.pin_agent import Page, PageError, PinAgent
from conformance.recording.journal import EXCHANGE
from conformance.scenario import StepFailedError, needs
from conformance.targets import Subject

Done = TypeVar("Done")


class Person:
    """One customer with a browser, a PIN and answers.

    Args:
        subject: What the test has of the implementation.
        transport: What sends the browser's requests, and writes the journal.
        ids: What PIN and answers are drawn from.

    Attributes:
        pin: The PIN, six digits.
        other_pin: Another one.
        answers: The answers to the questions of recovery.
    """

    def __init__(self, subject: Subject, transport: httpx.BaseTransport, ids: Ids) -> None:
        number = ids.below(10**6)
        self.pin = f"{number:06}"
        self.other_pin = f"{(number + 1 + ids.below(10**6 - 1)) % 10**6:06}"
        self.answers = (ids.alphanumeric(8), ids.alphanumeric(8))
        self._present = subject.conditions.pin_agent != "none"
        self._transport = transport
        self._agent = PinAgent(transport)

    def open(self, url: str) -> Page:
        """Open a challenge's page."""
        return self._do(lambda: self._agent.open(url))

    def preview(self, url: str) -> None:
        """Have the page of a link looked at by a program, before it is opened."""
        self._do(lambda: self._agent.preview(url))

    def submit(self, page: Page, values: Mapping[str, str], action: str = "continue") -> Page:
        """Fill a page in, and press a button."""
        return self._do(lambda: self._agent.submit(page, values, action=action))

    def enter(self, page: Page, pin: str | None = None, others: Mapping[str, str] | None = None) -> Page:
        """Enter the PIN on a page, or another one; `others` is what is sent in fields that are not filled in."""
        return self._do(lambda: self._agent.fill(page, pin=self.pin if pin is None else pin, others=others))

    def choose_pin(self, page: Page, pin: str, repeated: str) -> Page:
        """Enter a new PIN and its repetition on a page."""
        return self._do(lambda: self._agent.fill(page, new_pin=pin, repeated=repeated))

    def set_pin(self, url: str) -> Page:
        """Set the PIN, and see what comes next."""
        return self.choose_pin(self.open(url), self.pin, self.pin)

    def set_up(self, url: str) -> Page:
        """Set PIN and recovery."""
        return self._do(lambda: self._agent.set_up(url, self.pin, self.answers))

    def set_recovery(self, url: str) -> Page:
        """Set recovery, with the PIN."""
        return self._do(lambda: self._agent.set_recovery(url, self.pin, self.answers))

    def authorize(self, url: str, pin: str | None = None) -> Page:
        """Enter the PIN, or another one."""
        return self._do(lambda: self._agent.authorize(url, self.pin if pin is None else pin))

    def change_pin(self, url: str) -> Page:
        """Replace the PIN by the other one; they change places."""
        page = self._do(lambda: self._agent.change_pin(url, self.pin, self.other_pin))
        self.pin, self.other_pin = self.other_pin, self.pin
        return page

    def reset_pin(self, url: str) -> Page:
        """Replace the PIN by the other one by way of recovery; they change places."""
        page = self._do(lambda: self._agent.reset_pin(url, self.answers, self.other_pin))
        self.pin, self.other_pin = self.other_pin, self.pin
        return page

    def cancel(self, url: str) -> Page:
        """Press the button that cancels."""
        return self._do(lambda: self._agent.cancel(url))

    def take_another_browser(self) -> None:
        """Forget everything that pages have left."""
        self._agent = PinAgent(self._transport)

    def _do(self, action: Callable[[], Done]) -> Done:
        """What a person does.

        Raises:
            NeedError: If nobody stands in for the person.
            StepFailedError: If the page cannot be filled in.
        """
        if not self._present:
            needs("somebody at the hosted page; give --pin-agent http, which fills its forms")
        try:
            return action()
        except PageError as error:
            raise StepFailedError(f"The hosted page was to be filled in: {error}") from error


def shown(page: Page) -> Exchange:
    """The exchange that showed a page."""
    exchange: Exchange = page.response.extensions[EXCHANGE]
    return exchange
