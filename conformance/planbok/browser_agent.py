"""Stands in for the person at the hosted page with a real browser, so that pages work that need scripts."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import httpx

from conformance.clock import passed
from conformance.planbok.chromium import Chromium
from conformance.planbok.digit_boxes import TOGETHER, entered
from conformance.planbok.page_words import USUAL, PageWords
from conformance.planbok.pages import Button, Form, Page, PageError, belongs, opened_url, place_of
from conformance.planbok.pin_agent import PinAgent

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext
    from playwright.sync_api import Page as Tab
    from playwright.sync_api import Request as Sent
    from playwright.sync_api import Response as Came

__all__ = ["BrowserAgent", "Screenshots"]

_READING = Path(__file__).with_name("page_reading.js").read_text(encoding="utf-8")
_SECONDS = 30
_CHANGES_WITHIN = 10.0
"""Seconds after which a page that does not change is taken to stay."""
_POLL = timedelta(milliseconds=50)
_WHOLE_WITHIN = 3.0
"""Seconds within which a document that is shown has come as a whole."""
_NO_PAGE = "chrome-error:"
"""Where Chromium is when what it was to show did not come."""
_TRIES = 3
_PASSING = ("ERR_CONNECTION_RESET", "ERR_CONNECTION_CLOSED", "ERR_EMPTY_RESPONSE", "ERR_SSL_PROTOCOL_ERROR")
"""What Chromium calls it if a connection is lost."""
_OF_THE_TRANSFER = {"content-encoding", "content-length", "transfer-encoding"}
_REDIRECTS = range(300, 400)

Done = TypeVar("Done")
Note = Callable[[httpx.Request, httpx.Response], httpx.Response]


class Screenshots:
    """A folder of pictures of the pages that a run has come to.

    Args:
        folder: Where they are put.
        test: The id of the test, which their names begin with.
    """

    def __init__(self, folder: Path, test: str) -> None:
        self._folder = folder
        self._test = test.replace("/", "-")
        self._taken = 0

    def next(self) -> Path:
        """Where the next one goes."""
        self._taken += 1
        self._folder.mkdir(parents=True, exist_ok=True)
        return self._folder / f"{self._test}-{self._taken:02}.png"


@dataclass
class _Seen:
    """What came of one visit: the documents, and where the browser was sent away to."""

    opened: str
    documents: "list[Came]" = field(default_factory=list)
    whole: "list[Sent]" = field(default_factory=list)
    returned_to: str | None = None
    navigated: bool = False


class BrowserAgent(PinAgent):
    """One customer's browser, with scripts; what it does is otherwise that of any `PinAgent`.

    Args:
        chromium: The browser.
        note: Is given each document that was asked for with its answer, and gives the answer as it is kept.
        transport: What sends what no browser asks for, such as a preview.
        screenshots: Where a picture of each page goes; None for nowhere.
        words: What pages call what they ask for, where that is not what is usual.
    """

    def __init__(
        self,
        chromium: Chromium,
        note: Note,
        transport: httpx.BaseTransport,
        screenshots: Screenshots | None = None,
        *,
        words: PageWords = USUAL,
    ) -> None:
        super().__init__(transport, words=words)
        self._chromium = chromium
        self._note = note
        self._screenshots = screenshots
        self._context: BrowserContext | None = None
        self._tab: Tab | None = None
        self._seen = _Seen("")
        self._marks: dict[str, list[int]] = {}
        self._buttons: dict[Button, int] = {}

    def close(self) -> None:
        """Forget everything that pages have left."""
        context, self._context, self._tab = self._context, None, None
        if context is not None:
            self._chromium.do(context.close)
        super().close()

    def open(self, url: str) -> Page:
        """Go to the page of a challenge.

        Raises:
            PageError: If that is no URL of HTTP, or nothing came.
        """
        opened_url(url)
        return self._kept(self._in_browser(lambda: self._go_to(url), url))

    def submit(self, page: Page, values: Mapping[str, str] | None = None, *, action: str = "continue") -> Page:
        """Type into a page's fields and press a button; as `PinAgent.submit`.

        Raises:
            PageError: If there is no such field or button.
        """
        if page.form is None:
            raise PageError(f"{_place(page.url)} has nothing to fill in.", page.response)
        form = page.form
        if unknown := (values or {}).keys() - form.kinds.keys():
            raise PageError(f"{_place(page.url)} has no field {' or '.join(sorted(unknown))}.", page.response)
        button = self.words.pressed(page, form, action)
        return self._kept(self._in_browser(lambda: self._type_and_press(page, form, values or {}, button), page.url))

    def _check_asking(self, page: Page) -> None:
        """Nothing: here scripts run."""

    def _in_browser(self, job: Callable[[], Done], url: str) -> Done:
        from playwright.sync_api import Error  # noqa: PLC0415  (an extra)

        try:
            return self._chromium.do(job)
        except Error as error:
            raise PageError(f"{_place(url)} cannot be used: {error.message.splitlines()[0]}", self._response) from error

    # ------------------------------------------------------------------------------------------ in the browser's thread

    def _go_to(self, url: str) -> "tuple[_Seen, dict[str, Any], str]":
        from playwright.sync_api import Error  # noqa: PLC0415  (an extra)

        tab = self._opened_tab()
        for tries_left in reversed(range(_TRIES)):
            self._seen = _Seen(url)
            try:
                tab.goto(url, timeout=_SECONDS * 1000, wait_until="load")
            except Error as error:
                if self._seen.returned_to or self._seen.documents:
                    break
                if not tries_left or not any(each in error.message for each in _PASSING):
                    raise PageError(f"{_place(url)} cannot be shown: {error.message.splitlines()[0]}") from error
            else:
                break
        self._settle(tab)
        return self._looked_at(tab)

    def _type_and_press(
        self, page: Page, form: Form, values: Mapping[str, str], button: Button
    ) -> "tuple[_Seen, dict[str, Any], str]":
        tab = self._opened_tab()
        if not belongs(httpx.URL(tab.url), page.opened):
            raise PageError(f"The page has gone to {_place(tab.url)}, where nothing is typed.", page.response)
        for name, value in values.items():
            marks = self._marks[name]
            for mark, text in zip(marks, entered(value, len(marks)), strict=True):
                place = tab.locator(f'[data-conformance="{mark}"]')
                if form.kinds[name] == "select":
                    place.select_option(text)
                else:
                    place.fill(text)
        before = _signature(tab)
        self._seen = _Seen(page.opened)
        tab.locator(f'[data-conformance="{self._buttons[button]}"]').click(no_wait_after=True)
        began = passed()
        while passed() - began < _CHANGES_WITHIN and not self._seen.returned_to:
            tab.wait_for_timeout(_POLL.total_seconds() * 1000)
            now = _signature(tab)
            if not now or now.startswith(_NO_PAGE):
                continue  # what the browser was sent away to, or why it shows nothing, is told a little later
            if self._seen.navigated or now != before:
                break  # a click that changes nothing at all is a page that stays
        self._settle(tab)
        return self._looked_at(tab)

    def _opened_tab(self) -> "Tab":
        if self._tab is None:
            self._context = self._chromium.browser.new_context(ignore_https_errors=False)
            self._tab = self._context.new_page()
            self._tab.set_default_timeout(_SECONDS * 1000)
            self._tab.on("response", self._came)
            self._tab.on("requestfinished", self._finished)
            self._tab.on("request", self._asked)
            self._tab.on("framenavigated", self._went)
        return self._tab

    def _asked(self, request: "Sent") -> None:
        if self._is_document(request) and not belongs(httpx.URL(request.url), self._seen.opened):
            self._seen.returned_to = self._seen.returned_to or request.url

    def _finished(self, request: "Sent") -> None:
        self._seen.whole.append(request)

    def _came(self, response: "Came") -> None:
        if self._is_document(response.request) and belongs(httpx.URL(response.url), self._seen.opened):
            self._seen.documents.append(response)

    def _went(self, frame: Any) -> None:
        if self._tab is not None and frame == self._tab.main_frame:
            self._seen.navigated = True

    def _is_document(self, request: "Sent") -> bool:
        with suppress(Exception):  # a request of a worker has no frame
            return request.is_navigation_request() and self._tab is not None and request.frame == self._tab.main_frame
        return False

    def _settle(self, tab: "Tab") -> None:
        """Let the page load and its scripts come to rest."""
        from playwright.sync_api import Error  # noqa: PLC0415  (an extra)

        if self._seen.returned_to:
            return
        with suppress(Error):
            tab.wait_for_load_state("load")
            if tab.evaluate("() => document.scripts.length"):
                tab.wait_for_load_state("networkidle", timeout=_CHANGES_WITHIN * 1000)

    def _looked_at(self, tab: "Tab") -> "tuple[_Seen, dict[str, Any], str]":
        from playwright.sync_api import Error  # noqa: PLC0415  (an extra)

        shown: dict[str, Any] = {"title": "", "text": "", "fields": [], "buttons": []}
        if not self._seen.returned_to:
            try:
                shown = tab.evaluate(_READING)
                if self._screenshots:
                    tab.screenshot(path=self._screenshots.next())
            except Error as error:
                raise PageError(f"{_place(tab.url)} cannot be read: {error.message.splitlines()[0]}") from error
        whole = self._seen.whole
        began = passed()
        shown_by = [each.request for each in self._seen.documents if each.status not in _REDIRECTS]
        while any(each not in whole for each in shown_by) and passed() - began < _WHOLE_WITHIN:
            tab.wait_for_timeout(_POLL.total_seconds() * 1000)
        self._exchanges = [_as_exchange(each, is_whole=each.request in whole) for each in self._seen.documents]
        return self._seen, shown, tab.url

    # ------------------------------------------------------------------------------------------------- what was seen

    def _kept(self, found: "tuple[_Seen, dict[str, Any], str]") -> Page:
        """The page that is shown, after its documents were noted."""
        seen, shown, url = found
        kept = [self._note(request, response) for request, response in self._exchanges]
        response = kept[-1] if kept else self._last_response(url)
        response.history = kept[:-1]
        self._response = response
        form = None if seen.returned_to else self._form(shown, url)
        step = form.fields.get("step") if form and form.kinds.get("step") == "hidden" else None
        return Page(
            url=url,
            opened=seen.opened,
            status=response.status_code,
            title=shown["title"],
            text=shown["text"],
            step=step,
            form=form,
            returned_to=seen.returned_to,
            response=response,
        )

    _response: httpx.Response | None = None

    def _last_response(self, url: str) -> httpx.Response:
        """The answer that showed what a script has changed since."""
        return self._response or httpx.Response(200, request=httpx.Request("GET", url))

    def _form(self, shown: Mapping[str, Any], url: str) -> Form | None:
        fields = list(_joined(shown["fields"]))
        self._marks = {name: [each["mark"] for each in group] for name, group in fields}
        if not any(group[0]["kind"] != "hidden" for _, group in fields) and not shown["buttons"]:
            return None
        buttons = {Button(each["name"], each["value"], each["label"]): each["mark"] for each in shown["buttons"]}
        self._buttons = buttons
        first = {name: group[0] for name, group in fields}
        return Form(
            action=url,
            method="POST",
            fields={name: each["value"] for name, each in first.items()},
            kinds={name: "password" if len(self._marks[name]) > 1 else each["kind"] for name, each in first.items()},
            labels={
                name: each["legend"] if len(self._marks[name]) > 1 and each["legend"] else each["label"]
                for name, each in first.items()
            },
            choices={name: each["choices"] for name, each in first.items() if each["kind"] == "select"},
            boxes={},
            buttons=tuple(buttons),
        )


def _joined(fields: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, list[Mapping[str, Any]]]]:
    """The fields by name, digit boxes that stand side by side as one."""
    taken: set[str] = set()
    for is_box, run in groupby(fields, key=lambda each: bool(each["isBox"])):
        found = list(run)
        size = TOGETHER if is_box and len(found) % TOGETHER == 0 else 1
        for start in range(0, len(found), size):
            group = found[start : start + size]
            name = group[0]["name"] or f"field {group[0]['mark']}"
            if name in taken:
                name = f"{name} {group[0]['mark']}"
            taken.add(name)
            yield name, group


def _signature(tab: "Tab") -> str:
    """What a page looks like, to tell whether it has changed; empty while it is being replaced."""
    from playwright.sync_api import Error  # noqa: PLC0415  (an extra)

    try:
        found: str = tab.evaluate(
            "() => [location.href, document.title, document.body?.innerText, document.forms.length].join()"
        )
    except Error:
        return ""
    return found


def _as_exchange(came: "Came", *, is_whole: bool) -> tuple[httpx.Request, httpx.Response]:
    """A document that was asked for and its answer; a redirect has no body that a browser gives."""
    sent = came.request
    headers = {name: value for name, value in sent.headers.items() if not name.startswith(":")}
    request = httpx.Request(sent.method, sent.url, headers=headers, content=sent.post_data_buffer or b"")
    body = came.body() if is_whole and came.status not in _REDIRECTS else b""
    lines = [(name, value) for name, value in came.headers.items() if name not in _OF_THE_TRANSFER]
    return request, httpx.Response(came.status, headers=lines, content=body, request=request)


def _place(url: str) -> str:
    try:
        return place_of(httpx.URL(url))
    except httpx.InvalidURL:
        return "The page"
