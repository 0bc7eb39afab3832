"""The customer before the hosted page, in whose place the PIN agent acts."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from copy import copy
from dataclasses import replace
from functools import cache, partial
from http import HTTPStatus
from typing import Any, TypeVar

import httpx

from conformance.bounds.urls import is_loopback
from conformance.exchange import Exchange
from conformance.findings import Finding, answer, judged
from conformance.ids import Ids
from conformance.planbok.chromium import BrowserMissingError, shared
from conformance.planbok.page_words import PageWords
from conformance.planbok.pages import UnfamiliarPageError, opened_url
from conformance.planbok.pin_agent import Page, PageError, PinAgent, ScriptNeededError
from conformance.planbok.prompting_agent import PromptingAgent
from conformance.recording.journal import EXCHANGE, MAY_BREAK, JournalTransport
from conformance.recording.patience import GUESSES, NotTakenError, patiently
from conformance.scenario import StepFailedError, found, needs
from conformance.targets import Subject
from conformance.waiting.announcements import announce

Done = TypeVar("Done")

_DOCUMENTED_HOST = "gateway.planbok.io"
"""Where the hosted page is (Provisioning Customer Wallets)."""


class _Browser(httpx.BaseTransport):
    """Sends what a browser asks for, and asks once more for a page that broke.

    Args:
        inner: What sends requests, and writes the journal.
        cookie: A cookie of another page that is sent before those of this one; empty for none.

    Attributes:
        broken: The last exchange, since it began, of a page that broke twice and was never shown; None if none did.
        guesses: Whether a wrong secret is being tried, to which 429 is an answer.
    """

    def __init__(self, inner: httpx.BaseTransport, cookie: str) -> None:
        self._inner = inner
        self._cookie = cookie
        self._shown: set[httpx.URL] = set()
        self.broken: Exchange | None = None
        self.guesses = False

    def begin(self, *, guesses: bool) -> None:
        """Begin anew, for what the person does next."""
        self.broken = None
        self.guesses = guesses

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Have a request answered."""
        request.extensions = {**request.extensions, GUESSES: self.guesses and request.method == "POST"}
        if self._cookie:
            request.headers["Cookie"] = "; ".join(filter(None, (self._cookie, request.headers.get("Cookie"))))
        answer = self._patiently(request)
        if request.method == "GET" and _broke(answer):
            answer = self._patiently(request)
        if not _broke(answer):
            self._shown.add(request.url)
        elif request.method == "GET" and request.url not in self._shown:
            self.broken = answer.extensions[EXCHANGE]
        return answer

    def _patiently(self, request: httpx.Request) -> httpx.Response:
        try:
            return patiently(lambda: self._inner.handle_request(request))
        except NotTakenError as busy:
            where = f"{request.method} {request.url.path}"
            raise StepFailedError(f"{where} {busy}; give --rate to ask more slowly") from busy


def _broke(answer: httpx.Response) -> bool:
    return answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR


class Person:
    """One customer with a browser, a PIN and answers.

    Args:
        subject: What the test has of the implementation.
        transport: What sends the browser's requests, and writes the journal.
        ids: What PIN and answers are drawn from.
        has_ended: Whether the challenge of a page has ended, for a person who does at the page what is asked.

    Attributes:
        pin: The PIN, six digits.
        other_pin: Another one.
        answers: The answers to the questions of recovery.
        asked: How many of them recovery was set up with: no document says how many questions there are.
        clock: What tells the time and lets it pass.
    """

    def __init__(
        self, subject: Subject, transport: JournalTransport, ids: Ids, has_ended: Callable[[str], bool] = lambda _: True
    ) -> None:
        number = ids.below(10**6)
        self.pin = f"{number:06}"
        self.other_pin = f"{(number + 1 + ids.below(10**6 - 1)) % 10**6:06}"
        self.answers = (ids.alphanumeric(8), ids.alphanumeric(8))
        self.asked = len(self.answers)
        self.clock = subject.clock
        self._circumstances = subject.circumstances
        self._subject = subject
        self._transport = transport
        self._has_ended = has_ended
        self._mode = subject.conditions.pin_agent
        self._words = PageWords.of(subject.settings.get("page_words", ""))
        self._browser = _Browser(transport, subject.circumstances.spelling.cookie)
        self._agent_used: PinAgent | None = None

    @property
    def _agent(self) -> PinAgent:
        """Who acts at the page; a browser is launched when it is first needed.

        Raises:
            NeedError: If there is no browser.
        """
        if self._agent_used is None:
            self._agent_used = self._new_agent()
        return self._agent_used

    def _new_agent(self) -> PinAgent:
        is_replayed = self._subject.journal.player is not None
        if self._mode == "person":
            ended = (lambda _: True) if is_replayed else self._has_ended
            return PromptingAgent((lambda _: None) if is_replayed else announce, ended, self.clock)
        if self._mode != "browser" or is_replayed:
            return self._program()
        from conformance.planbok.browser_agent import BrowserAgent, Screenshots  # noqa: PLC0415  (an extra)

        folder = self._subject.conditions.screenshots
        pictures = Screenshots(folder, self._subject.journal.test) if folder else None
        return BrowserAgent(shared(_ca_file()), self._transport.keep, self._browser, pictures, words=self._words)

    def _program(self, extensions: Mapping[str, Any] | None = None) -> PinAgent:
        """What fills forms over plain HTTP, with cookies of its own."""
        return PinAgent(self._browser, extensions=extensions, clock=self.clock, words=self._words)

    def answer_in(self, first: str, second: str) -> None:
        """Choose answers that begin with these texts."""
        self.answers = f"{first} {self.answers[0]}", f"{second} {self.answers[1]}"

    def lengthen_answers(self) -> None:
        """Choose answers that together are longer than the 72 bytes that bcrypt compares."""
        self.answers = self.answers[0] * 5, self.answers[1] * 5

    def open(self, url: str) -> Page:
        """Open a challenge's page."""
        return self._do(lambda: self._agent.open_to_fill(url), at=url)

    def open_unasked(self, url: str) -> Page:
        """Open a page at a link that no challenge has, in a browser of its own."""
        may_break = {MAY_BREAK: frozenset({"planbok.client.sends-user-to-given-url"})}
        return self._do(
            lambda: PinAgent(self._browser, extensions=may_break, clock=self.clock, words=self._words).open(url)
        )

    def give_answers(self, url: str) -> Page:
        """Give the answers at a page, and leave it where it asks for a new PIN."""
        return self._do(lambda: self._agent.enter(url, None, self.answers), guesses=True, at=url)

    def skip_answers(self, answered: str, url: str) -> bool:
        """Give the answers at one page, and send the form that follows them, for a new PIN, to another page without.

        What two browsers are shown of the other page otherwise tells one visit from another, and stays as it is there;
        what they are shown alike tells the steps apart.

        Returns:
            Whether the form could be sent, as it is a step of its own.
        """
        later = self.give_answers(answered).form
        agents = [self._program() for _ in range(2)]
        pages = [self._do(partial(agent.open, url)) for agent in agents]
        (other, page), shown = (each.form for each in pages), pages[1]
        if not (later and other and page) or later.kinds == page.kinds:
            return False
        own = {name: text for name, text in page.fields.items() if name in later.fields and text != other.fields[name]}
        form = replace(later, action=page.action, fields={**later.fields, **own})
        self._do(lambda: agents[1].fill(replace(shown, form=form), new_pin=self.other_pin), guesses=True)
        return True

    def preview(self, url: str) -> None:
        """Have the page of a link looked at by a program, before it is opened."""
        self._do(lambda: self._agent.preview(url))

    def submit(self, page: Page, values: Mapping[str, str], action: str = "continue") -> Page:
        """Fill a page in, and press a button."""
        return self._do(lambda: self._agent.submit(page, values, action=action))

    def enter(self, page: Page, pin: str | None = None, others: Mapping[str, str] | None = None) -> Page:
        """Enter the PIN on a page, or another one; `others` is what is sent in fields that are not filled in."""
        entered = self.pin if pin is None else pin
        return self._do(lambda: self._agent.fill(page, pin=entered, others=others), guesses=entered != self.pin)

    def choose_pin(self, page: Page, pin: str, repeated: str) -> Page:
        """Enter a new PIN and its repetition on a page."""
        return self._do(lambda: self._agent.fill(page, new_pin=pin, repeated=repeated))

    def set_pin(self, url: str) -> Page:
        """Set the PIN, and see what comes next."""
        return self.choose_pin(self.open(url), self.pin, self.pin)

    def set_up(self, url: str) -> Page:
        """Set PIN and recovery."""
        page = self._do(lambda: self._agent.set_up(url, self.pin, self.answers), at=url)
        self._require_enough_answers(page)
        self.asked = self._agent.answered or self.asked
        return page

    def set_up_without_recovery(self, url: str) -> bool:
        """Set PIN and recovery; gives whether the page led back without a question of recovery."""
        page = self.set_up(url)
        return page.returned_to is not None and not self._agent.answered

    def set_recovery(self, url: str) -> Page:
        """Set recovery, with the PIN."""
        page = self._do(lambda: self._agent.set_recovery(url, self.pin, self.answers), at=url)
        self._require_enough_answers(page)
        self.asked = self._agent.answered or self.asked
        return page

    def _require_enough_answers(self, page: Page) -> None:
        """Make sure that the page did not stop where it asks for more answers than this person has.

        Raises:
            NeedError: If it did; no document says how many questions there are.
        """
        if page.form is None:
            return
        with suppress(PageError):
            asked = list(self._words.meanings(page.response, page.form).values()).count("answer")
            if asked > len(self.answers):
                needs(f"{asked} answers at the hosted page, where a program gives {len(self.answers)} at most")

    def put_off(self, page: Page) -> None:
        """Leave a page that asks for recovery, by its button for that if it has one."""
        if self._words.offers(page, "skip"):
            self.submit(page, {}, "skip")

    def authorize(self, url: str, pin: str | None = None) -> Page:
        """Enter the PIN, or another one."""
        entered = self.pin if pin is None else pin
        return self._do(lambda: self._agent.authorize(url, entered), guesses=entered != self.pin, at=url)

    def change_pin(self, url: str) -> Page:
        """Replace the PIN by the other one; they change places."""
        page = self._do(lambda: self._agent.change_pin(url, self.pin, self.other_pin), at=url)
        self.pin, self.other_pin = self.other_pin, self.pin
        return page

    def reset_pin(self, url: str) -> Page:
        """Replace the PIN by the other one by way of recovery; they change places."""
        page = self._do(lambda: self._agent.reset_pin(url, self.answers, self.other_pin), at=url)
        self.pin, self.other_pin = self.other_pin, self.pin
        return page

    def try_to_change_pin(self, url: str, pin: str) -> Page:
        """Try to replace the PIN by the other one with a present one that may be wrong."""
        return self._do(lambda: self._agent.change_pin(url, pin, self.other_pin), guesses=True, at=url)

    def mistype_new_pin(self, url: str, pin: str) -> Page:
        """Try to replace the PIN with a new one that is repeated wrongly, and a present one that may be wrong."""
        page = self.open(url)
        if page.form is None:
            return page
        new, repeated = self.other_pin, self.pin
        return self._do(lambda: self._agent.fill(page, pin=pin, new_pin=new, repeated=repeated), guesses=True)

    def try_to_reset_pin(self, url: str, answers: Sequence[str]) -> Page:
        """Try to replace the PIN by the other one with answers that may be wrong."""
        return self._do(lambda: self._agent.reset_pin(url, answers, self.other_pin), guesses=True, at=url)

    def try_to_set_recovery(self, url: str, pin: str, answers: Sequence[str]) -> Page:
        """Try to set recovery with a PIN that may be wrong."""
        return self._do(lambda: self._agent.set_recovery(url, pin, answers), guesses=True, at=url)

    def cancel(self, url: str) -> Page:
        """Press the button that cancels."""
        return self._do(lambda: self._agent.cancel(url), at=url)

    def elsewhere(self) -> "Person":
        """The same person at another browser, whose pages stay open beside those of this one."""
        other = copy(self)
        other._agent_used = None  # noqa: SLF001 - its own class
        return other

    def give_up(self, url: str) -> None:
        """Cancel, or leave a page that has no button for it."""

        def cancel_or_leave() -> None:
            with suppress(UnfamiliarPageError):
                self._agent.cancel(url)

        self._do(cancel_or_leave, at=url)

    def take_another_browser(self) -> None:
        """Forget everything that pages have left."""
        if self._agent_used is not None:
            self._agent_used.close()
        self._agent_used = None

    def renew_credentials(self) -> None:
        """Nothing: a person has none that are given for a while."""

    def _do(self, action: Callable[[], Done], *, guesses: bool = False, at: str | None = None) -> Done:
        """What a person does; a new page that breaks is none that a challenge's link leads to.

        Raises:
            NeedError: If nobody stands in for the person, the page works by a script alone, or a program does not know
                how to fill it in.
            StepFailedError: If the page cannot be filled in.
        """
        if self._mode == "none":
            needs("somebody at the hosted page; give --pin-agent http, which fills its forms, browser or person")
        if guesses and self._mode == "person":
            needs("wrong PINs to be typed, as no person is asked to; give --pin-agent http or --pin-agent browser")
        if at is not None and not self._subject.disposable:
            _require_expected_host(at, self._subject)

        def visit() -> Done:
            self._browser.begin(guesses=guesses)
            return action()

        try:
            return self._circumstances.take_visit(self, visit)
        except ScriptNeededError as error:
            lacks = f"which {error.found}; --pin-agent http fills forms alone, --pin-agent browser runs scripts"
            needs(f"a browser that runs scripts at the hosted page, {lacks}")
        except BrowserMissingError as error:
            needs(str(error))
        except PageError as error:
            broken = self._browser.broken
            if self._mode == "browser" or isinstance(error, UnfamiliarPageError):
                other = "person" if self._mode == "browser" else "browser or person"
                needs(f"a person at the hosted page, since a program cannot fill it: {error} Give --pin-agent {other}")
            if broken is None:
                raise StepFailedError(f"The hosted page was to be filled in: {error}") from error
            found(_leads_to_no_page(broken))
            raise StepFailedError(
                f"The hosted page was to be shown: {error}", relies_on=["planbok.challenge.answered"]
            ) from error


def _leads_to_no_page(exchange: Exchange) -> Finding:
    return judged(
        "planbok.challenge.answered",
        held=False,
        where="the hosted page, response status",
        expected="a page, when it was asked for again",
        got=answer(exchange),
        exchange=exchange,
    )


def _require_expected_host(url: str, subject: Subject) -> None:
    """Make sure that nothing is typed but where the page is documented or set to be, over TLS or on this machine.

    Raises:
        NeedError: If the page is elsewhere.
    """
    try:
        parts = opened_url(url)
    except PageError:
        return  # the agent tells it
    allowed = {_DOCUMENTED_HOST, subject.settings.get("page_host", _DOCUMENTED_HOST)}
    local = is_loopback(parts.host) and is_loopback(httpx.URL(subject.base_url).host)
    if not local and (parts.scheme != "https" or parts.host not in allowed):
        needs(
            f"a PIN to be typed at {parts.scheme}://{parts.host}, though the page is documented to be at "
            f"https://{_DOCUMENTED_HOST}; if that is right, set CONFORMANCE_PLANBOK_PAGE_HOST={parts.host}"
        )


@cache
def _ca_file() -> str | None:
    from conformance.settings import ServerSettings, checked_ca_file, read  # noqa: PLC0415  (only a browser needs it)

    return checked_ca_file(read(ServerSettings, "CONFORMANCE_PLANBOK_").ca_file)


def shown(page: Page) -> Exchange:
    """The exchange that showed a page.

    Raises:
        NeedError: If only a person saw it.
    """
    exchange: Exchange | None = page.response.extensions.get(EXCHANGE)
    return exchange or needs("a look at the page that this run takes itself; give --pin-agent http or browser")
