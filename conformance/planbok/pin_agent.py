"""Stands in for the person at the hosted page: fills its forms over plain HTTP, as a browser without scripts would.

It knows nothing of the suite, so a team may use it in its own tests::

    with PinAgent() as customer:
        page = customer.authorize(challenge_redirect_url, "482913")
    assert page.returned_to

A PIN leaves it in the body of a POST to the hosted page and in no other way.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

import httpx

from conformance.bounds.transport import WITHIN, AnswerRefusedError, BoundedTransport, Within
from conformance.clock import Clock, SystemClock
from conformance.planbok.digit_boxes import entered
from conformance.planbok.page_words import NOT_ASKED, USUAL, PageWords
from conformance.planbok.pages import (
    MOST_BYTES,
    URLENCODED,
    Button,
    Form,
    Page,
    PageError,
    ScriptNeededError,
    belongs,
    cannot_be_filled,
    needs_a_script,
    onward_url,
    opened_url,
    place_of,
    read_page,
    unfamiliar,
)
from conformance.speed.http_client import Client

__all__ = ["ANSWERS", "Button", "Form", "Page", "PageError", "PinAgent", "ScriptNeededError"]

ANSWERS = ("A blue bicycle", "Mrs Okafor")
"""What the customer answers to the recovery questions unless told otherwise."""

_TIMEOUT = httpx.Timeout(10.0)
_REDIRECTS = 5
_STEPS = 10
_SECONDS = 30.0
"""How long going to a page may take, redirects included, and so may those that follow it by themselves."""
_LEAST_REFRESH = 1.0
"""What a page that follows at once counts for in these."""


class PinAgent:
    """One customer's browser: keeps cookies, follows redirects within the hosted page, stops when it is sent elsewhere.

    Args:
        transport: What sends requests; a new one if none is given.
        extensions: The httpx extensions of every request.
        clock: What lets the time pass that a page waits before another one follows it; the machine's if none is given.
        words: What pages call what they ask for, where that is not what is usual.

    Attributes:
        answered: How many answers to questions of recovery were entered on the way that was gone last.
    """

    def __init__(
        self,
        transport: httpx.BaseTransport | None = None,
        *,
        extensions: Mapping[str, Any] | None = None,
        clock: Clock | None = None,
        words: PageWords = USUAL,
    ) -> None:
        self.words = words
        self._clock = clock or SystemClock()
        self._extensions = dict(extensions or {})
        self._was_asked = False
        self.answered = 0
        self._http = Client(
            transport=transport or BoundedTransport(),
            timeout=_TIMEOUT,
            headers={"Accept": "text/html", "Accept-Encoding": "identity"},
            trust_env=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Forget everything that pages have left."""
        self._http.close()

    # ---------------------------------------------------------------------------------------------------- one request

    def open(self, url: str) -> Page:
        """Go to the page of a challenge.

        Args:
            url: The challenge's ``redirectUrl``.

        Raises:
            PageError: If that is no URL of HTTP, or the page is none that can be shown or filled in without scripts.
            httpx.RequestError: If no answer came.
        """
        page = self._visit("GET", opened_url(url), url)
        self._was_asked = self._was_asked or page.form is not None
        return page

    def open_to_fill(self, url: str) -> Page:
        """Go to the page of a challenge as `open` does, to do something there.

        Raises:
            ScriptNeededError: If it has a script and asks for nothing without it, as none did that was opened before.
            PageError: As `open` does.
            httpx.RequestError: If no answer came.
        """
        page = self.open(url)
        self._check_asking(page)
        return page

    def _check_asking(self, page: Page) -> None:
        if page.is_scripted and not self._was_asked:
            raise needs_a_script(page.response, "has a script and asks for nothing without it", "a form")

    def preview(self, url: str) -> httpx.Response:
        """Ask for the header lines of a page, as a mail scanner or a messenger does before the customer opens it.

        Args:
            url: The challenge's ``redirectUrl``.

        Raises:
            PageError: If that is no URL of HTTP, or the answer is none that a browser understands.
            httpx.RequestError: If no answer came.
        """
        return self._send(self._http.build_request("HEAD", opened_url(url), extensions=self._one_visit()))

    def submit(self, page: Page, values: Mapping[str, str] | None = None, *, action: str = "continue") -> Page:
        """Fill in a page's form and press a button.

        Args:
            page: The page.
            values: What to fill in, by the names of the fields; the others are sent back as they came.
            action: Which button, by its value or its label: ``cancel`` and ``skip`` also by other words for them,
                ``continue`` also as the one that says neither.

        Raises:
            PageError: If the page has no form, no such field or not one such button, or as `open` does.
            httpx.RequestError: If no answer came.
        """
        if page.form is None:
            raise cannot_be_filled(page.response, "has no form", "one")
        if unknown := (values or {}).keys() - page.form.kinds.keys():
            raise cannot_be_filled(
                page.response,
                f"has no field {' or '.join(sorted(unknown))}",
                f"one of {', '.join(page.form.kinds)}",
            )
        known = {**page.form.fields, **(values or {})}
        sent = [pair for name, value in known.items() for pair in _entered(page.form, name, value)]
        button = self.words.pressed(page, page.form, action)
        if button.name:
            sent = [*((name, value) for name, value in sent if name != button.name), (button.name, button.value)]
        return self._visit(
            page.form.method, opened_url(page.form.action), page.opened, urlencode(sent, errors="replace").encode()
        )

    def fill(
        self,
        page: Page,
        *,
        pin: str | None = None,
        new_pin: str | None = None,
        repeated: str | None = None,
        others: Mapping[str, str] | None = None,
    ) -> Page:
        """Enter a PIN or a new one by what the fields are for, whatever their names, and press what continues.

        Pages before it that ask for nothing are gone through, and a new PIN may be repeated on a page of its own.

        Args:
            page: The page.
            pin: What to enter as the PIN.
            new_pin: What to enter as a new PIN.
            repeated: What to enter where the new PIN is to be repeated, the same unless given.
            others: What to send in other fields than the page has in them, by their names.

        Raises:
            PageError: If a form asks for something else, or as `submit` does.
            httpx.RequestError: If no answer came.
        """
        self._check_asking(page)
        if page.form is None:
            raise cannot_be_filled(page.response, "has no form", "one")
        walk = _Walk(self, _Known(pin, new_pin, repeated=repeated), others or {})
        after = walk.go_on(page, once=True)
        if not walk.has_entered and after.form is not None:
            asked = [name for name, kind in after.form.kinds.items() if kind not in NOT_ASKED] or ["nothing"]
            raise unfamiliar(
                after.response,
                f"asks for {' and '.join(asked)}",
                "a PIN alone" if new_pin is None else "a new PIN alone",
            )
        return after

    def _one_visit(self) -> dict[str, Any]:
        """The extensions of the requests that lead to one page."""
        return {**self._extensions, WITHIN: Within(MOST_BYTES, _SECONDS, "a page may have no more")}

    def _visit(self, method: str, url: httpx.URL, opened: str, content: bytes | None = None) -> Page:
        """Go to a page, and to those that follow it by themselves."""
        page = self._visit_one(method, url, opened, content)
        waited = 0.0
        while page.refresh is not None:
            seconds, onward = page.refresh
            if not belongs(onward, opened):
                return replace(page, returned_to=str(onward))
            waited += max(seconds, _LEAST_REFRESH)
            if waited > _SECONDS:
                break
            self._clock.advance(timedelta(seconds=seconds))
            page = self._visit_one("GET", onward, opened)
        return page

    def _visit_one(self, method: str, url: httpx.URL, opened: str, content: bytes | None = None) -> Page:
        headers = {} if content is None else {"Content-Type": URLENCODED}
        request = self._http.build_request(method, url, content=content, headers=headers, extensions=self._one_visit())
        response = self._send(request)
        history: list[httpx.Response] = []
        while onward := response.next_request:
            if not belongs(onward_url(response, onward.url), opened):
                return Page(
                    url=str(response.url),
                    opened=opened,
                    status=response.status_code,
                    title="",
                    text="",
                    step=None,
                    form=None,
                    returned_to=str(onward.url),
                    response=response,
                )
            history.append(response)
            if len(history) > _REDIRECTS:
                raise cannot_be_filled(response, f"is the redirect number {len(history)} in a row", "a page")
            response = self._send(onward)
            response.history = list(history)
        return read_page(response, opened, self.words.meant)

    def _send(self, request: httpx.Request) -> httpx.Response:
        try:
            return self._http.send(request)
        except AnswerRefusedError as error:
            raise PageError(f"{place_of(request.url)} gave an answer that is not read to its end: {error}") from error
        except (httpx.RemoteProtocolError, httpx.InvalidURL, UnicodeError) as error:
            raise PageError(f"{place_of(request.url)} gave an answer that a browser cannot follow: {error}") from error

    # ------------------------------------------------------------------------------------------ what a person does

    def set_up(self, url: str, pin: str, answers: Sequence[str] = ANSWERS) -> Page:
        """Choose a PIN, then questions with their answers; without answers, stop where they are asked for.

        Args:
            url: The challenge's ``redirectUrl``.
            pin: The PIN to choose.
            answers: The answers to the first questions that the page offers.

        Returns:
            The first page that asks for something else, asks for the same again, or has nothing to fill in.

        Raises:
            PageError: If a page cannot be filled in.
            httpx.RequestError: If no answer came.
        """
        return self._go_on(url, _Known(pin, pin, answers))

    def set_recovery(self, url: str, pin: str, answers: Sequence[str] = ANSWERS) -> Page:
        """Enter the PIN, then choose questions and answer them; returns and raises as `set_up`."""
        return self._go_on(url, _Known(pin, None, answers))

    def authorize(self, url: str, pin: str) -> Page:
        """Enter the PIN once; returns and raises as `set_up`."""
        return self._go_on(url, _Known(pin))

    def change_pin(self, url: str, pin: str, new_pin: str) -> Page:
        """Enter the PIN and a new one; returns and raises as `set_up`."""
        return self._go_on(url, _Known(pin, new_pin))

    def reset_pin(self, url: str, answers: Sequence[str], new_pin: str) -> Page:
        """Answer the questions and choose a new PIN; returns and raises as `set_up`."""
        return self._go_on(url, _Known(None, new_pin, answers))

    def enter(self, url: str, pin: str | None, answers: Sequence[str] = (), new_pin: str | None = None) -> Page:
        """Enter whatever the page asks for, be it a PIN, answers or both; returns and raises as `set_up`.

        Args:
            url: The challenge's ``redirectUrl``.
            pin: The PIN; None if there is none to enter.
            answers: The answers to the questions of recovery.
            new_pin: The PIN to choose.
        """
        return self._go_on(url, _Known(pin, new_pin, answers))

    def cancel(self, url: str) -> Page:
        """Press cancel on the first page; a page that has nothing to fill in is returned as it is.

        Raises:
            PageError: If the page has not one button that says so, or cannot be filled in.
            httpx.RequestError: If no answer came.
        """
        page = self.open_to_fill(url)
        return page if page.form is None else self.submit(page, action="cancel")

    def _go_on(self, url: str, known: "_Known") -> Page:
        walk = _Walk(self, known)
        try:
            return walk.go_on(self.open_to_fill(url))
        finally:
            self.answered = walk.answered


# -------------------------------------------------------------------------------------------- what a form asks for


@dataclass(frozen=True)
class _Known:
    """What the customer knows; None is what this visit has no use for."""

    pin: str | None = field(default=None, repr=False)
    new_pin: str | None = field(default=None, repr=False)
    answers: Sequence[str] = field(default=(), repr=False)
    repeated: str | None = field(default=None, repr=False)

    def repeating(self) -> "_Known":
        """What is known once a new PIN was entered alone, so that it is to be repeated."""
        return self if self.repeated is None else replace(self, new_pin=self.repeated, repeated=None)

    def asked(self, page: Page, form: Form, words: PageWords) -> dict[str, str]:
        """What each field is for; a PIN is the new one for a customer who has no other."""
        meanings = words.meanings(page.response, form)
        if self.new_pin is not None and self.pin in {None, self.new_pin}:
            return {name: "new_pin" if meaning == "pin" else meaning for name, meaning in meanings.items()}
        return meanings

    def values(self, page: Page, form: Form, words: PageWords) -> dict[str, str] | None:
        """What to fill in, None if the form asks for something that is not known."""
        answers = iter(self.answers)
        new_pins = iter((self.new_pin, self.new_pin if self.repeated is None else self.repeated))
        chosen: set[str] = set()
        values: dict[str, str] = {}
        for name, meaning in self.asked(page, form, words).items():
            match meaning:
                case "pin":
                    value = self.pin
                case "new_pin":
                    value = next(new_pins, None)
                case "answer":
                    value = next(answers, None)
                case _:
                    value = next((each for each in form.choices.get(name, ()) if each and each not in chosen), "")
                    chosen.add(value)
                    if not value:
                        raise unfamiliar(page.response, f"offers nothing to choose in {name}", "a list of questions")
            if value is None:
                return None
            values[name] = value
        return values


class _Walk:
    """The way of a customer through the pages of one visit.

    Args:
        agent: Whose browser it is.
        known: What the customer knows.
        others: What to send in other fields than the pages have in them, by their names.

    Attributes:
        has_entered: Whether anything was entered.
        answered: How many answers were.
    """

    def __init__(self, agent: PinAgent, known: _Known, others: Mapping[str, str] | None = None) -> None:
        self._agent = agent
        self._known = known
        self._others = others or {}
        self._repeats = False
        self.has_entered = False
        self.answered = 0

    def go_on(self, page: Page, *, once: bool = False) -> Page:
        """Fill in page after page.

        Args:
            page: The first one.
            once: Whether to stop as soon as something was entered, and a new PIN repeated if that is asked for next.

        Returns:
            The first page that asks for something else, asks for the same again, or has nothing to fill in.
        """
        asked: set[tuple[object, ...]] = set()
        while page.form is not None:
            meanings = self._known.asked(page, page.form, self._agent.words)
            shape = (page.step, *page.form.kinds, *meanings.values())
            if shape in asked:
                break
            asked.add(shape)
            if len(asked) > _STEPS:
                raise cannot_be_filled(page.response, f"is step number {len(asked)} in a row", f"at most {_STEPS}")
            values = self._known.values(page, page.form, self._agent.words)
            if values is None or (once and self.has_entered and not self._asks_to_repeat(page, page.form)):
                break
            here = {name: value for name, value in self._others.items() if name in page.form.fields}
            page = self._agent.submit(page, {**here, **values})
            self.has_entered = self.has_entered or bool(values)
            self.answered += list(meanings.values()).count("answer")
            if list(meanings.values()) == ["new_pin"] and not self._repeats:
                self._repeats = True
                self._known = self._known.repeating()
                asked.discard(shape)
            elif once and values:
                break
        return page

    def _asks_to_repeat(self, page: Page, form: Form) -> bool:
        return self._repeats and list(self._known.asked(page, form, self._agent.words).values()) == ["new_pin"]


# -------------------------------------------------------------------------------------------------- reading a page


def _entered(form: Form, name: str, value: str) -> Iterator[tuple[str, str]]:
    """What is sent of a field: its value, or what stands in each of its boxes."""
    names = form.boxes.get(name, [name])
    return zip(names, entered(value, len(names)), strict=True)
