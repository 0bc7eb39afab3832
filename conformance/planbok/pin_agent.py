"""Stands in for the person at the hosted page: fills its forms over plain HTTP, as a browser without scripts would.

It knows nothing of the suite, so a team may use it in its own tests::

    with PinAgent() as customer:
        page = customer.authorize(challenge_redirect_url, "482913")
    assert page.returned_to

A PIN leaves it in the body of a POST to the hosted page and in no other way.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

import httpx

from conformance.planbok.html_forms import Element, PageReader, collapse

__all__ = ["ANSWERS", "Button", "Form", "Page", "PageError", "PinAgent"]

ANSWERS = ("A blue bicycle", "Mrs Okafor")
"""What the customer answers to the recovery questions unless told otherwise."""

_TIMEOUT = httpx.Timeout(10.0)
_REDIRECTS = 5
_STEPS = 10
_BYTES = 128 * 1024  # html.parser takes a time that grows with the square of what is left open
_URLENCODED = "application/x-www-form-urlencoded"


class PageError(Exception):
    """The page gave what no person without scripts could fill in.

    Args:
        message: What was found, and what was expected; never what was filled in.
        response: The answer, None if there was none.
    """

    def __init__(self, message: str, response: httpx.Response | None = None) -> None:
        super().__init__(message)
        self.response = response


@dataclass(frozen=True)
class Button:
    """A button that sends a form.

    Args:
        name: Its name, empty if it has none.
        value: What is sent under its name.
        label: What stands on it.
    """

    name: str
    value: str
    label: str


@dataclass(frozen=True)
class Form:
    """The form of a page.

    Args:
        action: The absolute URL that it is sent to.
        method: The method that it is sent with, in upper case.
        fields: What is sent as long as nobody changes it, by name and in order.
        kinds: The type of each field by its name: that of the input, ``select`` or ``textarea``.
        labels: The label of each field by its name, empty if it has none.
        choices: The values of each list to choose from, by its name.
        buttons: The buttons that send it.
    """

    action: str = field(repr=False)
    method: str
    fields: Mapping[str, str] = field(repr=False)
    kinds: Mapping[str, str]
    labels: Mapping[str, str]
    choices: Mapping[str, Sequence[str]]
    buttons: Sequence[Button]


@dataclass(frozen=True)
class Page:
    """What the customer sees after a step, or where the customer was sent.

    Args:
        url: Where the page is.
        opened: The URL by which the customer came. The hosted page is what lies on its origin in its directory.
        status: The status of the answer.
        title: The title.
        text: The visible text with its white space collapsed; styles are not looked at.
        step: The value of the hidden field ``step``, None if there is none.
        form: The form, None if there is nothing to fill in.
        returned_to: Where the browser would go when it was sent away from the hosted page, None if it was not.
        response: The last answer; its ``history`` has the redirects that led to it.
    """

    url: str = field(repr=False)
    opened: str = field(repr=False)
    status: int
    title: str
    text: str = field(repr=False)
    step: str | None
    form: Form | None = field(repr=False)
    returned_to: str | None = field(repr=False)
    response: httpx.Response


class PinAgent:
    """One customer's browser: keeps cookies, follows redirects within the hosted page, stops when it is sent elsewhere.

    Args:
        transport: What sends requests; a new one if none is given.
        extensions: The httpx extensions of every request.
    """

    def __init__(
        self, transport: httpx.BaseTransport | None = None, *, extensions: Mapping[str, Any] | None = None
    ) -> None:
        self._extensions = dict(extensions or {})
        self._http = httpx.Client(
            transport=transport,
            timeout=_TIMEOUT,
            headers={"Accept": "text/html", "Accept-Encoding": "identity"},
            trust_env=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
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
        try:
            home = httpx.URL(url)
        except httpx.InvalidURL as error:
            raise PageError(f"A page cannot be opened at what is no URL: {error}") from error
        if home.scheme not in {"http", "https"} or not home.host:
            raise PageError(f"A page cannot be opened at '{_place(home)}': expected an absolute URL, http or https.")
        return self._visit("GET", url, url)

    def preview(self, url: str) -> httpx.Response:
        """Ask for the header lines of a page, as a mail scanner or a messenger does before the customer opens it.

        Args:
            url: The challenge's ``redirectUrl``.

        Raises:
            PageError: If the answer is none that a browser understands.
            httpx.RequestError: If no answer came.
        """
        return self._send(self._http.build_request("HEAD", url, extensions=dict(self._extensions)))

    def submit(self, page: Page, values: Mapping[str, str] | None = None, *, action: str = "continue") -> Page:
        """Fill in a page's form and press a button.

        Args:
            page: The page.
            values: What to fill in, by the names of the fields; the others are sent back as they came.
            action: Which button, by its value or its label. ``continue`` is also the one that says neither ``cancel``
                nor ``skip``.

        Raises:
            PageError: If the page has no form, no such field or not one such button, or as `open` does.
            httpx.RequestError: If no answer came.
        """
        if page.form is None:
            raise _cannot_be_filled(page.response, "has no form", "one")
        if unknown := (values or {}).keys() - page.form.kinds.keys():
            raise _cannot_be_filled(
                page.response,
                f"has no field {' or '.join(sorted(unknown))}",
                f"one of {', '.join(page.form.kinds)}",
            )
        sent = {**page.form.fields, **(values or {})}
        button = _button(page, page.form, action)
        if button.name:
            sent[button.name] = button.value
        return self._visit(page.form.method, page.form.action, page.opened, urlencode(sent, errors="replace").encode())

    def fill(
        self,
        page: Page,
        *,
        pin: str | None = None,
        new_pin: str | None = None,
        repeated: str | None = None,
        others: Mapping[str, str] | None = None,
    ) -> Page:
        """Fill in a page's form by what its fields are for, whatever their names, and press the button that continues.

        Args:
            page: The page.
            pin: What to enter as the PIN.
            new_pin: What to enter as a new PIN.
            repeated: What to enter where the new PIN is to be repeated, the same unless given.
            others: What to send in other fields than the page has in them, by their names.

        Raises:
            PageError: If the form asks for something else, or as `submit` does.
            httpx.RequestError: If no answer came.
        """
        if page.form is None:
            raise _cannot_be_filled(page.response, "has no form", "one")
        values = _Known(pin, new_pin, repeated=repeated).values(page.response, page.form)
        if values is None:
            asked = [name for name, kind in page.form.kinds.items() if kind not in _NOT_ASKED]
            raise _cannot_be_filled(
                page.response, f"asks for {' and '.join(asked)}", "a PIN" if new_pin is None else "a new PIN"
            )
        return self.submit(page, {**(others or {}), **values})

    def _visit(self, method: str, url: str, opened: str, content: bytes | None = None) -> Page:
        headers = {} if content is None else {"Content-Type": _URLENCODED}
        request = self._http.build_request(
            method, url, content=content, headers=headers, extensions=dict(self._extensions)
        )
        response = self._send(request)
        history: list[httpx.Response] = []
        while onward := response.next_request:
            if not _belongs(onward.url, opened):
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
                raise _cannot_be_filled(response, f"is the redirect number {len(history)} in a row", "a page")
            response = self._send(onward)
            response.history = list(history)
        return _page(response, opened)

    def _send(self, request: httpx.Request) -> httpx.Response:
        try:
            return self._http.send(request)
        except (httpx.RemoteProtocolError, httpx.InvalidURL) as error:
            raise PageError(f"{_place(request.url)} gave an answer that a browser cannot follow: {error}") from error

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

    def cancel(self, url: str) -> Page:
        """Press cancel on the first page; a page that has nothing to fill in is returned as it is.

        Raises:
            PageError: If the page has not one button that says so, or cannot be filled in.
            httpx.RequestError: If no answer came.
        """
        page = self.open(url)
        return page if page.form is None else self.submit(page, action="cancel")

    def _go_on(self, url: str, known: "_Known") -> Page:
        page = self.open(url)
        asked: set[tuple[object, ...]] = set()
        while page.form is not None and (shape := (page.step, *page.form.kinds)) not in asked:
            asked.add(shape)
            if len(asked) > _STEPS:
                raise _cannot_be_filled(page.response, f"is step number {len(asked)} in a row", f"at most {_STEPS}")
            values = known.values(page.response, page.form)
            if values is None:
                break
            page = self.submit(page, values)
        return page


# -------------------------------------------------------------------------------------------- what a form asks for

_CONTRACT = re.compile(
    r"(?P<pin>pin)|(?P<new_pin>new_pin(_again)?)|(?P<answer>answer_[0-9])|(?P<question>question_[0-9])"
)
_NOT_ASKED = {"hidden", "checkbox", "radio"}


@dataclass(frozen=True)
class _Known:
    """What the customer knows; None is what this visit has no use for."""

    pin: str | None = field(default=None, repr=False)
    new_pin: str | None = field(default=None, repr=False)
    answers: Sequence[str] = field(default=(), repr=False)
    repeated: str | None = field(default=None, repr=False)

    def values(self, response: httpx.Response, form: Form) -> dict[str, str] | None:
        """What to fill in, None if the form asks for something that is not known."""
        answers = iter(self.answers)
        new_pins = iter((self.new_pin, self.new_pin if self.repeated is None else self.repeated))
        chosen: set[str] = set()
        values: dict[str, str] = {}
        for name, meaning in _meanings(response, form).items():
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
                        raise _cannot_be_filled(response, f"offers nothing to choose in {name}", "a list of questions")
            if value is None:
                return None
            values[name] = value
        return values


def _meanings(response: httpx.Response, form: Form) -> dict[str, str]:
    """What each field that a person has to fill in is for: ``pin``, ``new_pin``, ``answer`` or ``question``."""
    asked = [name for name, kind in form.kinds.items() if kind not in _NOT_ASKED]
    named = {name: found.lastgroup or "" for name in sorted(asked) if (found := _CONTRACT.fullmatch(name))}
    meanings = named or _guessed(form, asked)
    for name in asked:
        if name not in meanings and form.kinds[name] != "select" and not form.fields[name]:
            raise _cannot_be_filled(
                response,
                f"asks for {form.labels[name] or 'something without a label'} in {name}",
                "a PIN, a new PIN twice, or questions and answers",
            )
    return meanings


def _guessed(form: Form, asked: Sequence[str]) -> dict[str, str]:
    """The meanings of fields that have names of their own, as far as types and labels leave no doubt."""
    words = {name: set(_words(f"{name} {form.labels[name]}")) for name in asked}
    lists = [name for name in asked if form.kinds[name] == "select"]
    texts = [name for name in asked if name not in lists]
    answers = [name for name in texts if "answer" in words[name] or form.labels[name].endswith("?")]
    secret = [name for name in texts if form.kinds[name] == "password" or "pin" in words[name]]
    pins = [name for name in secret if name not in answers]
    meanings = dict.fromkeys(answers, "answer")
    if len(lists) == len(answers):
        meanings |= dict.fromkeys(lists, "question")
    old = [name for name in pins if words[name] & {"current", "old", "present"}]
    match len(pins), len(old):
        case (1, _):
            meanings[pins[0]] = "new_pin" if "new" in words[pins[0]] else "pin"
        case (2, 0) | (2, 1) | (3, 1):
            meanings |= {name: "pin" if name in old else "new_pin" for name in pins}
    return meanings


def _words(text: str) -> list[str]:
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    return re.findall(r"[a-z]+", spaced.casefold())


def _button(page: Page, form: Form, action: str) -> Button:
    found = [button for button in form.buttons if button.value == action]
    found = found or [button for button in form.buttons if action in _words(button.label)]
    if not found and action == "continue":
        found = [
            button for button in form.buttons if not {"cancel", "skip"} & {*_words(f"{button.value} {button.label}")}
        ]
    if len(found) != 1:
        shown = ", ".join(button.label or button.value for button in form.buttons) or "none"
        raise _cannot_be_filled(page.response, f"has the buttons: {shown}", f"one that says {action}")
    return found[0]


# -------------------------------------------------------------------------------------------------- reading a page


def _place(url: httpx.URL) -> str:
    """A URL without what it may carry: a PIN that a page wrongly puts there is not to be repeated."""
    return str(url.copy_with(userinfo=b"", query=None, fragment=None))


def _belongs(url: httpx.URL, opened: str) -> bool:
    """Whether a URL is on the origin and in the directory of the one that was opened."""
    home = httpx.URL(opened)
    directory, _, _ = home.path.rpartition("/")
    return (url.scheme, url.host, url.port) == (home.scheme, home.host, home.port) and url.path.startswith(
        f"{directory}/"
    )


def _cannot_be_filled(response: httpx.Response, found: str, expected: str) -> PageError:
    return PageError(
        f"{_place(response.url)} answered {response.status_code}, but this page cannot be filled without a browser: "
        f"it {found}; expected: {expected}.",
        response,
    )


def _page(response: httpx.Response, opened: str) -> Page:
    """Read a page.

    Raises:
        PageError: If it is none that can be shown or filled in without scripts.
    """
    kind, _, _ = response.headers.get("Content-Type", "without a Content-Type").partition(";")
    if not response.content.strip():
        raise _cannot_be_filled(response, "is empty", "HTML")
    if kind.strip().lower() not in {"text/html", "application/xhtml+xml"}:
        raise _cannot_be_filled(response, f"is {kind.strip()}", "HTML")
    if len(response.content) > _BYTES:
        raise _cannot_be_filled(response, f"has {len(response.content):,} bytes", f"at most {_BYTES:,}")
    reader = PageReader()
    try:
        reader.feed(response.content.decode(response.charset_encoding or "utf-8", "replace"))
        reader.close()
    except (LookupError, UnicodeError):
        raise _cannot_be_filled(response, f"is written in {response.charset_encoding}", "UTF-8") from None
    except AssertionError:  # what html.parser raises, quoting the page, for a declaration that it does not know
        raise _cannot_be_filled(response, "begins a declaration that HTML does not have", "HTML") from None
    form = _form(response, opened, reader)
    return Page(
        url=str(response.url),
        opened=opened,
        status=response.status_code,
        title=collapse(reader.first["title"].words) if "title" in reader.first else "",
        text=collapse(reader.text),
        step=form.fields["step"] if form and form.kinds.get("step") == "hidden" else None,
        form=form,
        returned_to=None,
        response=response,
    )


def _form(response: httpx.Response, opened: str, reader: PageReader) -> Form | None:
    if not reader.forms:
        if reader.has_fields_outside_forms:
            raise _cannot_be_filled(response, "has fields but no form that sends them", "one form")
        if "script" in reader.first and not reader.shows_text:
            raise _cannot_be_filled(response, "shows nothing but by a script", "text or a form")
        return None
    if len(reader.forms) > 1:
        raise _cannot_be_filled(response, f"has {len(reader.forms)} forms", "one")
    (written,) = reader.forms
    if (method := written.get("method", "get").upper()) != "POST":
        raise _cannot_be_filled(response, f"sends its form with {method}, which shows a PIN in the URL", "POST")
    if (encoding := written.get("enctype", _URLENCODED).lower()) != _URLENCODED:
        raise _cannot_be_filled(response, f"sends its form as {encoding}", _URLENCODED)
    if any(button.keys() & {"formaction", "formmethod", "formenctype"} for button in reader.buttons):
        raise _cannot_be_filled(response, "has a button that sends the form in its own way", "one way for all")
    action = _action(response, reader.first.get("base"), written.get("action", "").strip())
    if not _belongs(action, opened):
        raise _cannot_be_filled(response, f"sends its form to {_place(action)}", "the hosted page")
    named = [control for control in reader.controls if control.get("name")]
    twice = [name for name, times in Counter(each["name"] for each in named if each.sent).items() if times > 1]
    if twice:
        raise _cannot_be_filled(response, f"has several fields named {twice[0]}", "a name for each")
    return Form(
        action=str(action),
        method=method,
        fields={control["name"]: control.value for control in named if control.sent},
        kinds={control["name"]: control.kind for control in named},
        labels={control["name"]: reader.label_of(control) for control in named},
        choices={control["name"]: control.choices for control in named if control.kind == "select"},
        buttons=tuple(
            Button(button.get("name", ""), button.value, collapse(button.words) or button.value)
            for button in reader.buttons
        ),
    )


def _action(response: httpx.Response, base: Element | None, action: str) -> httpx.URL:
    """Where a form is sent: to its own page unless it says otherwise (HTML, form submission algorithm)."""
    if not action:
        return response.url
    try:
        return response.url.join(base.get("href", "") if base else "").join(action)
    except httpx.InvalidURL as error:
        raise _cannot_be_filled(response, f"sends its form to what is no URL ({error})", "the hosted page") from error
