"""A hosted page as a browser without scripts has it: what it shows, and the form that can be filled in."""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import httpx

from conformance.bounds.urls import UrlRefused, foreign_url
from conformance.planbok.digit_boxes import boxes
from conformance.planbok.html_forms import Element, PageReader, WrittenForm, collapse

__all__ = ["Button", "Form", "Page", "PageError", "ScriptNeededError", "UnfamiliarPageError", "read_page"]

MOST_BYTES = 128 * 1024
"""The most bytes of a page."""
URLENCODED = "application/x-www-form-urlencoded"
"""How forms are sent."""
_REFRESH = re.compile(r"\s*(?P<seconds>[0-9]{1,4})(\.[0-9.]*)?\s*([;,]\s*(url\s*=\s*)?(?P<url>.*))?", re.IGNORECASE)


class PageError(Exception):
    """The page gave what no person without scripts could fill in.

    Args:
        message: What was found, and what was expected; never what was filled in.
        response: The answer, None if there was none.
    """

    def __init__(self, message: str, response: httpx.Response | None = None) -> None:
        super().__init__(message)
        self.response = response


class UnfamiliarPageError(PageError):
    """The page has a form that a person could fill in, and a program does not know how."""


class ScriptNeededError(PageError):
    """The page does its work by a script, so that it takes a browser.

    Args:
        message: As of any page.
        response: The answer.
        found: What the page has or lacks, as the rest of a sentence about it.
    """

    def __init__(self, message: str, response: httpx.Response, found: str) -> None:
        super().__init__(message, response)
        self.found = found


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
        boxes: The names of the boxes, one a character, of each field that is entered so, by the first of them.
        buttons: The buttons that send it.
    """

    action: str = field(repr=False)
    method: str
    fields: Mapping[str, str] = field(repr=False)
    kinds: Mapping[str, str]
    labels: Mapping[str, str]
    choices: Mapping[str, Sequence[str]]
    boxes: Mapping[str, Sequence[str]]
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
        form: The form, None if there is nothing to fill in; of several the one that is meant.
        is_scripted: Whether it has a script, and nothing to fill in without one.
        returned_to: Where the browser would go when it was sent away from the hosted page, None if it was not.
        response: The last answer; its ``history`` has the redirects that led to it.
        refresh: The seconds after which another page follows by itself, and its URL; None if none does.
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
    is_scripted: bool = False
    refresh: tuple[float, httpx.URL] | None = field(default=None, repr=False)


def opened_url(url: str) -> httpx.URL:
    """The URL of a page.

    Raises:
        PageError: If it is none.
    """
    try:
        return foreign_url(url)
    except UrlRefused as error:
        raise PageError(f"A page cannot be opened at what is no absolute URL of http or https: {error}") from error


def onward_url(response: httpx.Response, url: httpx.URL) -> httpx.URL:
    """Where a page leads to, be it to an app.

    Raises:
        PageError: If it is a URL of http or https by which no browser could go anywhere.
    """
    try:
        return foreign_url(str(url)) if url.scheme in {"http", "https"} else url
    except UrlRefused as error:
        raise PageError(
            f"{place_of(response.url)} answered {response.status_code} and leads to what is no URL: {error}",
            response,
        ) from error


def place_of(url: httpx.URL) -> str:
    """A URL without what it may carry: a PIN that a page wrongly puts there is not to be repeated."""
    return str(url.copy_with(userinfo=b"", query=None, fragment=None))


_parsed = lru_cache(maxsize=16)(httpx.URL)  # each step asks for the page that was opened first


def belongs(url: httpx.URL, opened: str) -> bool:
    """Whether a URL is on the origin and in the directory of the one that was opened."""
    home = _parsed(opened)
    directory, _, _ = home.path.rpartition("/")
    return (url.scheme, url.host, url.port) == (home.scheme, home.host, home.port) and url.path.startswith(
        f"{directory}/"
    )


def cannot_be_filled(response: httpx.Response, found: str, expected: str) -> PageError:
    """That a page cannot be filled in: what it has or lacks, as the rest of a sentence about it, and what it should."""
    return PageError(
        f"{place_of(response.url)} answered {response.status_code}, but this page cannot be filled without a browser: "
        f"it {found}; expected: {expected}.",
        response,
    )


def unfamiliar(response: httpx.Response, found: str, expected: str) -> UnfamiliarPageError:
    """That a program does not know how to fill in the form of a page."""
    return UnfamiliarPageError(str(cannot_be_filled(response, found, expected)), response)


def needs_a_script(response: httpx.Response, found: str, expected: str) -> ScriptNeededError:
    """That a page cannot be filled in since a script does its work."""
    return ScriptNeededError(str(cannot_be_filled(response, found, expected)), response, found)


def read_page(
    response: httpx.Response, opened: str, meant: Callable[[httpx.Response, Sequence[Form]], Sequence[Form]]
) -> Page:
    """Read a page.

    Args:
        response: The answer.
        opened: The URL by which the customer came.
        meant: Which of several forms are those that the page is there for.

    Raises:
        PageError: If it is none that can be shown or filled in without scripts.
    """
    kind, _, _ = response.headers.get("Content-Type", "without a Content-Type").partition(";")
    if not response.content.strip():
        raise cannot_be_filled(response, "is empty", "HTML")
    if kind.strip().lower() not in {"text/html", "application/xhtml+xml"}:
        raise cannot_be_filled(response, f"is {kind.strip()}", "HTML")
    if len(response.content) > MOST_BYTES:
        raise cannot_be_filled(response, f"has {len(response.content):,} bytes", f"at most {MOST_BYTES:,}")
    reader = PageReader()
    try:
        reader.read(response.content.decode(response.charset_encoding or "utf-8", "replace"))
    except (LookupError, UnicodeError):
        raise cannot_be_filled(response, f"is written in {response.charset_encoding}", "UTF-8") from None
    form = _form(response, opened, reader, meant)
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
        is_scripted=form is None and "script" in reader.first and response.is_success,
        refresh=_refresh(response, reader) if form is None else None,
    )


def _refresh(response: httpx.Response, reader: PageReader) -> tuple[float, httpx.URL] | None:
    """What follows a page by itself (HTML, the refresh state of ``meta``)."""
    found = _REFRESH.fullmatch(reader.refresh or "")
    if found is None:
        return None
    return float(found["seconds"]), _action(response, reader.first.get("base"), (found["url"] or "").strip("'\" "))


def _form(
    response: httpx.Response,
    opened: str,
    reader: PageReader,
    meant: Callable[[httpx.Response, Sequence[Form]], Sequence[Form]],
) -> Form | None:
    if not reader.forms:
        if reader.has_fields_outside_forms:
            raise needs_a_script(response, "has fields but no form that sends them", "one form")
        if "script" in reader.first and not reader.shows_text:
            raise needs_a_script(response, "shows nothing but by a script", "text or a form")
        return None
    if len(reader.forms) == 1:
        return _read_form(response, opened, reader, reader.forms[0])
    forms, unknown = list[Form](), list[UnfamiliarPageError]()
    for written in reader.forms:
        try:
            forms.append(_read_form(response, opened, reader, written))
        except UnfamiliarPageError as error:
            unknown.append(error)
        except PageError:
            continue  # one that nobody could fill in is none that the page is there for
    chosen = meant(response, forms)
    if not chosen and len(unknown) == 1:
        raise unknown[0]
    if len(chosen) > 1 or (not chosen and any(_may_be_for_a_pin(reader, each) for each in reader.controls)):
        raise unfamiliar(response, f"has {len(reader.forms)} forms", "one, or one that asks for a PIN or answers")
    return chosen[0] if chosen else None


def _may_be_for_a_pin(reader: PageReader, control: Element) -> bool:
    """Whether a field, by its type, name or label, may well be for a PIN, so that its form is no page's adornment."""
    digits = control.kind in {"password", "tel", "number"} or control.get("inputmode") == "numeric"
    words = re.findall("[a-z]+", f"{control.get('name', '')} {reader.label_of(control)}".casefold())
    return control.kind != "hidden" and (digits or "pin" in words)


def _read_form(response: httpx.Response, opened: str, reader: PageReader, written: WrittenForm) -> Form:
    element = written.element
    if (method := element.get("method", "get").upper()) != "POST":
        raise cannot_be_filled(response, f"sends its form with {method}, which shows a PIN in the URL", "POST")
    if (encoding := element.get("enctype", URLENCODED).lower()) != URLENCODED:
        raise unfamiliar(response, f"sends its form as {encoding}", URLENCODED)
    if any(button.keys() & {"formaction", "formmethod", "formenctype"} for button in written.buttons):
        raise unfamiliar(response, "has a button that sends the form in its own way", "one way for all")
    action = _action(response, reader.first.get("base"), element.get("action", "").strip())
    if not belongs(action, opened):
        raise cannot_be_filled(response, f"sends its form to {place_of(action)}", "the hosted page")
    named, first = _fields(response, reader, written.controls)
    return Form(
        action=str(action),
        method=method,
        fields={control["name"]: control.value for control in named if control.sent},
        kinds={each["name"]: "password" if each["name"] in first else each.kind for each in named},
        labels={
            each["name"]: reader.label_of_group(each) if each["name"] in first else reader.label_of(each)
            for each in named
        },
        choices={control["name"]: control.choices for control in named if control.kind == "select"},
        boxes={name: [box["name"] for box in field] for name, field in first.items()},
        buttons=tuple(
            Button(button.get("name", ""), button.value, collapse(button.words) or button.value)
            for button in written.buttons
        ),
    )


def _fields(
    response: httpx.Response, reader: PageReader, controls: Sequence[Element]
) -> tuple[list[Element], dict[str, list[Element]]]:
    """The fields that a form sends, the first box for those that are entered in boxes, and all boxes of each such."""
    if reader.has_unnamed_fields and "script" in reader.first:
        raise needs_a_script(response, "has a field without a name, which a script alone can send", "a name for each")
    named = [control for control in controls if control.get("name")]
    first = {field[0]["name"]: field for field in boxes(named)}
    further = {id(box) for field in first.values() for box in field[1:]}
    found = [control for control in named if id(control) not in further]
    twice = [name for name, times in Counter(each["name"] for each in found if each.sent).items() if times > 1]
    if twice:
        raise unfamiliar(response, f"has several fields named {twice[0]}", "a name for each")
    return found, first


def _action(response: httpx.Response, base: Element | None, action: str) -> httpx.URL:
    """Where a form is sent: to its own page unless it says otherwise (HTML, form submission algorithm)."""
    if not action:
        return response.url
    try:
        return foreign_url(str(response.url.join(base.get("href", "") if base else "").join(action)))
    except (httpx.InvalidURL, ValueError) as error:
        raise cannot_be_filled(response, f"sends its form to what is no URL ({error})", "the hosted page") from error
