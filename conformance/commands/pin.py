"""Does at a hosted page what a person does there, for whoever has no browser at hand."""

from collections.abc import Sequence
from http import HTTPStatus

import httpx

from conformance import ConformanceError
from conformance.planbok.pin_agent import Page, PageError, PinAgent


class PageNotReachedError(ConformanceError, RuntimeError):
    """The page did not answer, or is none that can be filled in without scripts; the message says what was found."""


def visit(url: str, pin: str | None, new_pin: str | None, answers: Sequence[str], *, cancel: bool) -> Page:
    """Enter what the page of a challenge asks for, as far as it is known, or cancel there.

    Args:
        url: The challenge's ``redirectUrl``.
        pin: The PIN, to enter or to choose; None for none.
        new_pin: The PIN to choose where one is changed; the same unless given.
        answers: The answers to the questions of recovery.
        cancel: Whether to cancel instead.

    Returns:
        Where the visit ended.

    Raises:
        PageNotReachedError: If the page does not answer, or cannot be filled in.
    """
    with PinAgent() as person:
        try:
            return person.cancel(url) if cancel else person.enter(url, pin, answers, new_pin or pin)
        except PageError as error:
            raise PageNotReachedError(str(error)) from error
        except httpx.RequestError as error:
            raise PageNotReachedError(f"The page at {httpx.URL(url).host} does not answer: {error}") from error


def ended_well(page: Page) -> bool:
    """Whether a visit came to its end: the person was sent back, or is told so by a page with nothing to fill in."""
    return page.returned_to is not None or (page.form is None and page.status < HTTPStatus.BAD_REQUEST)


def told(page: Page) -> str:
    """Where a visit ended, in a sentence."""
    if page.returned_to is not None:
        return f"Sent back to {page.returned_to}"
    asks = "" if page.form is None else " It still asks for something."
    return f"The page says: {page.text}{asks}"
