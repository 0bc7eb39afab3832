"""The hosted page as a person meets it: in a browser, wide and narrow, light and dark, with the keyboard."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

import pytest

from conformance.planbok.chains import CHAINS
from conformance.planbok.gateway import QUESTIONS, Step, View, headers, render, stylesheet

if TYPE_CHECKING:
    from tests.planbok.in_chromium.conftest import Window

EXPIRY = datetime(2026, 1, 15, 12, 15, tzinfo=UTC)
PREFIX = "/w/one/gateway"
WALLETS = ("Provisioning new wallets", "first")
CHOICES = ("Ethereum Sepolia (ETH-SEPOLIA)", "Bitcoin Testnet (BTC-TESTNET)")
FILLED = {
    "pin": "135790",
    "new_pin": "246801",
    "new_pin_again": "246801",
    "question_1": QUESTIONS[0],
    "answer_1": "Ms Meier",
    "question_2": QUESTIONS[3],
    "answer_2": "Rösti",
}
FORMS = {
    "set-pin": View(Step.SET_PIN, "Setting up your PIN", "first", csrf="c0ffee", expires_at=EXPIRY),
    "set-recovery": View(
        Step.SET_RECOVERY, "Setting up your PIN", "first", questions=QUESTIONS, skippable=True, expires_at=EXPIRY
    ),
    "verify": View(Step.VERIFY, *WALLETS, authorized=CHOICES, csrf="c0ffee", expires_at=EXPIRY),
    "change-pin": View(Step.CHANGE_PIN, "Changing your PIN", "first", expires_at=EXPIRY),
    "answer": View(Step.ANSWER, "Resetting your PIN", "first", questions=QUESTIONS[:2], expires_at=EXPIRY),
    "reset-pin": View(Step.RESET_PIN, "Resetting your PIN", "first", expires_at=EXPIRY),
}
MISTAKES = {
    "set-pin-again": View(Step.SET_PIN, "Setting up your PIN", "first", error="The two PINs differ."),
    "set-recovery-again": View(
        Step.SET_RECOVERY,
        "Setting up your PIN",
        "first",
        questions=QUESTIONS,
        chosen=(QUESTIONS[1], QUESTIONS[1]),
        error="Choose two different questions.",
    ),
    "verify-again": View(
        Step.VERIFY, *WALLETS, authorized=CHOICES, error="That is not your PIN.", tries_left=1, expires_at=EXPIRY
    ),
    "change-pin-again": View(
        Step.CHANGE_PIN, "Changing your PIN", "first", error="The present PIN is not right.", tries_left=4
    ),
    "answer-again": View(
        Step.ANSWER,
        "Resetting your PIN",
        "first",
        questions=QUESTIONS[:2],
        error="The answers are not both right.",
        tries_left=2,
    ),
    "reset-pin-again": View(Step.RESET_PIN, "Resetting your PIN", "first", error="A PIN is six digits."),
}
ENDS = {
    "done": View(Step.DONE, *WALLETS, authorized=CHOICES, return_url="https://shop.example/"),
    "cancelled": View(Step.CANCELLED, *WALLETS, return_url="https://shop.example/"),
    "expired": View(Step.EXPIRED, *WALLETS, expires_at=EXPIRY, return_url="https://shop.example/"),
    "locked": View(
        Step.LOCKED, *WALLETS, locked_until=EXPIRY + timedelta(minutes=15), return_url="https://shop.example/"
    ),
    "refused": View(Step.REFUSED, *WALLETS, error="Set up recovery before you ask for wallets."),
}
EXTREMES = {
    "long": View(
        Step.VERIFY,
        "Provisioning" * 12,
        "organization-" * 12,
        authorized=tuple(f"{chain.title} ({chain.name})" for chain in CHAINS.values()),
        error="wrong" * 30,
    ),
    "long-questions": View(Step.ANSWER, *WALLETS, questions=("Why" * 60, "Where from? " * 30)),
    "long-choice": View(Step.SET_RECOVERY, *WALLETS, questions=("Which of all these? " * 12,)),
    "bare": View(Step.REFUSED, "", ""),
}
VIEWS = {**FORMS, **MISTAKES, **ENDS, **EXTREMES}


class Gateway(ThreadingHTTPServer):
    """Serves each view under its name, and sends whoever posts a form to a caller's page of another origin."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.caller = f"http://localhost:{self.server_port}/back"
        self.posted: list[tuple[str, list[tuple[str, str]]]] = []

    def address(self, name: str) -> str:
        """The URL of a view."""
        return f"http://127.0.0.1:{self.server_port}{PREFIX}/challenges/{name}"


class Handler(BaseHTTPRequestHandler):
    server: Gateway

    def do_GET(self) -> None:
        name = self.path.removeprefix(f"{PREFIX}/challenges/")
        if name in VIEWS:
            self.answer(200, render(VIEWS[name]), headers(self.server.caller))
        elif self.path == f"{PREFIX}/page.css":
            self.answer(200, stylesheet(), (("Content-Type", "text/css"), ("X-Content-Type-Options", "nosniff")))
        else:
            self.answer(200, b"<!DOCTYPE html><title>The caller</title>", (("Content-Type", "text/html"),))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.posted.append((self.path, parse_qsl(body, keep_blank_values=True)))
        self.answer(303, b"", (("Location", self.server.caller),))

    def answer(self, status: int, body: bytes, sent: tuple[tuple[str, str], ...]) -> None:
        self.send_response(status)
        for name, value in (*sent, ("Content-Length", str(len(body)))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def server() -> Iterator[Gateway]:
    with Gateway() as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def gateway(server: Gateway) -> Gateway:
    """The gateway, to which nothing was posted yet."""
    server.posted.clear()
    return server


@pytest.fixture(params=FORMS)
def form(request: pytest.FixtureRequest, window: "Window", gateway: Gateway) -> str:
    """The name of a step whose form is shown in the window."""
    window.page.goto(gateway.address(request.param))
    return str(request.param)


def fill_in(window: "Window") -> list[tuple[str, str]]:
    """Type into each field, which the page must have given the focus, and stay in the last one; what was typed."""
    fields = window.page.locator("input:not([type=hidden]), select").count()
    typed = []
    for number in range(fields):
        if number:
            window.page.keyboard.press("Tab")
        typed.append((window.focused(), FILLED[window.focused()]))
        window.page.keyboard.type(FILLED[window.focused()])
    return typed


# ------------------------------------------------------------------------------------------------------------- looks


@pytest.mark.parametrize("name", VIEWS)
def test_it_fits_the_window_and_shuts_nobody_out_by_day_or_by_night(
    window: "Window", gateway: Gateway, name: str
) -> None:
    window.page.goto(gateway.address(name))
    grounds = set()
    for scheme in ("light", "dark"):
        window.page.emulate_media(color_scheme=scheme)
        assert window.fits()
        assert window.violations() == []
        grounds.add(window.page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert len(grounds) == 2
    for target in window.page.locator("input:not([type=hidden]), select, button, a").all():
        box = target.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 44


def test_a_page_that_shuts_somebody_out_is_found(window: "Window", gateway: Gateway) -> None:
    window.page.goto(gateway.address("answer"))
    window.page.evaluate("document.querySelector('label').remove()")
    window.page.emulate_media(color_scheme="light")
    window.page.evaluate("document.querySelector('footer').style.color = '#ccc'")
    assert {rule for rule, _ in window.violations()} >= {"color-contrast", "label"}


# ------------------------------------------------------------------------------------------------------ the keyboard


def test_tab_leads_through_the_fields_to_the_buttons_and_shows_where_it_is(window: "Window", form: str) -> None:
    names = window.page.locator("input:not([type=hidden]), select").evaluate_all(
        "fields => fields.map(field => field.name)"
    )
    buttons = window.page.locator("button").evaluate_all("buttons => buttons.map(button => button.value)")
    assert window.shows_the_focus()
    assert window.tab_to("cancel") == [*names, *buttons]


def test_enter_continues_and_the_answer_leads_back_to_the_caller(window: "Window", gateway: Gateway, form: str) -> None:
    typed = fill_in(window)
    window.page.keyboard.press("Enter")
    window.page.wait_for_url(gateway.caller)
    hidden = [("csrf", VIEWS[form].csrf), ("step", form)]
    assert gateway.posted == [(f"{PREFIX}/challenges/{form}", [*hidden, *typed, ("action", "continue")])]


def test_cancel_needs_nothing_filled_in(window: "Window", gateway: Gateway, form: str) -> None:
    window.tab_to("cancel")
    window.page.keyboard.press("Enter")
    window.page.wait_for_url(gateway.caller)
    ((_, sent),) = gateway.posted
    assert sent[-1] == ("action", "cancel")


def test_recovery_can_be_left_for_later_with_nothing_filled_in(window: "Window", gateway: Gateway) -> None:
    window.page.goto(gateway.address("set-recovery"))
    window.tab_to("skip")
    window.page.keyboard.press("Enter")
    window.page.wait_for_url(gateway.caller)
    ((_, sent),) = gateway.posted
    assert sent[-1] == ("action", "skip")


@pytest.mark.parametrize("typed", ["", "12345", "12345a"])
def test_what_is_no_pin_is_not_sent(window: "Window", gateway: Gateway, typed: str) -> None:
    window.page.goto(gateway.address("verify"))
    window.page.keyboard.type(typed)
    window.page.keyboard.press("Enter")
    assert window.page.locator("#pin:invalid").count() == 1
    assert gateway.posted == []


def test_after_a_mistake_the_focus_is_on_a_field_that_says_it(window: "Window", gateway: Gateway) -> None:
    for name, view in MISTAKES.items():
        window.page.goto(gateway.address(name))
        (trouble, *_) = (window.page.locator(":focus").get_attribute("aria-describedby") or "").split()
        assert view.error in window.page.locator(f"#{trouble}").inner_text()


@pytest.mark.parametrize("name", [name for name in ENDS if name != "refused"])
def test_a_page_that_ended_leads_back_by_tab_and_enter(window: "Window", gateway: Gateway, name: str) -> None:
    window.page.goto(gateway.address(name))
    window.page.keyboard.press("Tab")
    assert window.page.locator(":focus").inner_text() == "Return to first"
