"""The hosted page as the reference sandbox serves it: in a browser, narrow and wide, along every path by keyboard."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from threading import Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote_plus, urlsplit

import httpx
import pytest

from conformance.planbok import api
from conformance.planbok.gateway import QUESTIONS
from conformance.planbok.pin_agent import PinAgent
from conformance.sandbox.remote import Control, World
from conformance.sandbox.server import start

if TYPE_CHECKING:
    from tests.planbok.in_chromium.conftest import Window

PIN, OTHER = "246810", "135790"
ANSWERS = ("Ms Meier", "Elm & Oak Street ü")
SECRETS = (PIN, OTHER, *ANSWERS)
NEW_PIN = {"new_pin": PIN, "new_pin_again": PIN}
RECOVERY = {"question_1": QUESTIONS[0], "answer_1": ANSWERS[0], "question_2": QUESTIONS[1], "answer_2": ANSWERS[1]}
CHAINS = ["ETH-SEPOLIA", "BTC-TESTNET", "SOL-TESTNET", "NEAR-TESTNET"]
_WORLDS = count()


class Shop(ThreadingHTTPServer):
    """The caller's own site, of another origin: a page that leads to the hosted page, and one to return to."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.origin = f"http://localhost:{self.server_port}"
        self.back = f"{self.origin}/back?order=7&order=8&note=a%26b"
        self.leads_to = ""
        self.referrers: list[str] = []


SHOP_PAGE = """\
<!DOCTYPE html>
<title>The shop</title>
<link rel="icon" href="data:,">
<a href="{}">Go on</a>
"""


class Handler(BaseHTTPRequestHandler):
    server: Shop

    def do_GET(self) -> None:
        self.server.referrers.extend(self.headers.get_all("Referer", []))
        body = SHOP_PAGE.format(escape(self.server.leads_to)).encode()
        self.send_response(200)
        for name, value in (("Content-Type", "text/html"), ("Content-Length", str(len(body)))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@dataclass
class Caller:
    """The organization that the shop belongs to, with one customer in a world of its own."""

    world: World
    http: httpx.Client
    return_url: str
    customer: str = ""

    def send(self, method: str, path: str, document: Any = None) -> Any:
        url = self.world.base_urls["planbok"] + path
        key = self.world.credentials("planbok")["first"]["api_key"]
        response = self.http.request(method, url, json=document, headers={"PLANBOK-X-API-KEY": key})
        assert response.is_success, response.text
        return response.json()["data"]

    def challenge(self, task: str, **members: Any) -> dict[str, str]:
        document = {"redirectUrl": self.return_url, **members}
        found: dict[str, str] = self.send("POST", f"/v2/customers/{self.customer}/{task}", document)
        return found

    def wallets_asked(self, **members: Any) -> dict[str, str]:
        return self.challenge("wallet/create", blockchains=CHAINS, **members)

    def set_up(self) -> None:
        """Have the customer set up PIN and recovery, without a browser."""
        with PinAgent(httpx.HTTPTransport()) as agent:
            agent.set_up(self.challenge("initialize")["redirectUrl"], PIN, ANSWERS)

    def status(self, challenge: dict[str, str]) -> str:
        path = f"/v2/customers/{self.customer}/challenges/{challenge['challengeId']}"
        return str(self.send("GET", path)["status"])


class Person:
    """Somebody with a keyboard at the window, who looks at each page that comes.

    Args:
        window: The window.
        shop: Where the person comes from.
        judged: The kinds of pages that axe-core judged already, to which those that the person sees are added; None
            where no script runs, so that axe-core would never end.
    """

    def __init__(self, window: "Window", shop: Shop, judged: set[tuple[object, ...]] | None) -> None:
        self.window = window
        self.page = window.page
        self.shop = shop
        self.judged = judged
        self.url = ""

    def follows(self, url: str) -> None:
        """Come to the hosted page by the shop's link."""
        self.url = self.shop.leads_to = url
        self.page.goto(self.shop.origin)
        self.page.keyboard.press("Tab")
        self.presses("Enter")

    def presses(self, key: str) -> None:
        """Press a key that leads to another page, or to the same once more."""
        with self.page.expect_navigation():
            self.page.keyboard.press(key)

    def types(self, **entries: str) -> None:
        """Go on to each field by Tab, and type into it."""
        for name, text in entries.items():
            self.window.tab_to(name)
            self.page.keyboard.type(text)

    def enters(self, **entries: str) -> None:
        """Type, then press Enter in the last field."""
        self.types(**entries)
        self.presses("Enter")

    def chooses(self, button: str) -> None:
        """Go on to a button by Tab, and press it."""
        self.window.tab_to(button)
        self.presses("Space")

    def stays_at(self, field: str) -> None:
        """Press Enter to no effect but that the browser points to a field that it will not send."""
        documents = len(self.window.documents)
        self.page.keyboard.press("Enter")
        assert self.page.locator(":focus:invalid").count() == 1
        assert self.window.focused() == field
        assert len(self.window.documents) == documents

    def is_sent_regardless(self) -> None:
        """Have the browser send what it would not."""
        self.page.evaluate("document.forms[0].noValidate = true")

    def chosen(self) -> list[str]:
        """The questions that are chosen."""
        return [each.input_value() for each in self.page.locator("select").all()]

    def sees(self, heading: str, status: int = 200, *, error: str = "") -> None:
        """Look at a page of the challenge.

        Args:
            heading: Its heading.
            status: The HTTP status that it came with.
            error: What it says to be wrong.
        """
        assert self.window.documents[-1] == (self.url, status)
        assert self.page.url == self.url
        assert self.page.locator("h1").inner_text() == heading
        prefix = "Error: " if error else ""
        assert self.page.title() == f"{prefix}{heading} - Planbok reference sandbox"
        assert self.page.locator("#trouble").all_inner_texts() == ([error] if error else [])
        assert not any(each.input_value() for each in self.page.locator("input:not([type=hidden])").all())
        assert not any(secret in self.page.content() for secret in SECRETS)
        assert self.window.fits()
        self.sees_the_focus()
        kind = (heading, bool(error), self.page.locator("a").count(), str(self.page.viewport_size))
        if self.judged is not None and kind not in self.judged:
            self.judged.add(kind)
            assert self.window.violations() == []

    def sees_the_focus(self) -> None:
        """See the focus where the keyboard is needed first: in the first of the fields, or by Tab on the way back."""
        fields = self.page.locator("select, input:not([type=hidden])")
        if fields.count():
            assert self.window.focused() == fields.first.get_attribute("name")
        elif self.page.locator("a").count():
            self.page.keyboard.press("Tab")
            assert self.page.locator(":focus").inner_text() == "Return to first"
        else:
            return
        assert self.window.shows_the_focus()

    def returns(self, challenge: dict[str, str], status: str) -> None:
        """Be at the shop again, which is told of the challenge beside what it said itself, and where from it is not."""
        parts = urlsplit(self.page.url)
        assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{self.shop.origin}/back"
        assert parse_qs(parts.query) == {
            "order": ["7", "8"],
            "note": ["a&b"],
            "challengeId": [challenge["challengeId"]],
            "status": [status],
        }
        assert self.page.title() == "The shop"
        assert self.shop.referrers == []


@pytest.fixture(scope="module")
def control() -> Iterator[Control]:
    with start(apis=[api]) as sandbox:
        found = Control(sandbox.origin)
        yield found
        found.close()


@pytest.fixture(scope="module")
def http() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False) as client:
        yield client


@pytest.fixture(scope="module")
def opened_shop() -> Iterator[Shop]:
    with Shop() as shop:
        thread = Thread(target=shop.serve_forever)
        thread.start()
        yield shop
        shop.shutdown()
        thread.join()


@pytest.fixture
def shop(opened_shop: Shop) -> Shop:
    opened_shop.referrers.clear()
    return opened_shop


@pytest.fixture
def caller(control: Control, http: httpx.Client, shop: Shop) -> Caller:
    """A caller whose customer is new."""
    caller = Caller(World(control, f"page-{next(_WORLDS)}", "frozen"), http, shop.back)
    caller.customer = caller.send("POST", "/v2/customers", {"name": "Ann", "refId": "user-1"})["id"]
    return caller


@pytest.fixture
def ready(caller: Caller) -> Caller:
    """A caller whose customer has set up PIN and recovery."""
    caller.set_up()
    return caller


@pytest.fixture(scope="module")
def judged() -> set[tuple[object, ...]]:
    return set()


def at(window: "Window", shop: Shop, judged: set[tuple[object, ...]] | None) -> Iterator[Person]:
    """A person whose secrets are in no address in the end, neither of a request nor in the window's history."""
    person = Person(window, shop, judged)
    yield person
    for address in (*window.requested, *window.history()):
        assert not any(secret in unquote_plus(address) for secret in SECRETS)


@pytest.fixture
def person(window: "Window", shop: Shop, judged: set[tuple[object, ...]]) -> Iterator[Person]:
    yield from at(window, shop, judged)


@pytest.fixture
def person_without_scripts(window_without_scripts: "Window", shop: Shop) -> Iterator[Person]:
    yield from at(window_without_scripts, shop, None)


# ----------------------------------------------------------------------------------------------------------- the set-up


def test_pin_and_recovery_are_set_up_and_lead_back_to_the_shop(person: Person, caller: Caller) -> None:
    challenge = caller.challenge("initialize")
    person.follows(challenge["redirectUrl"])
    person.sees("Choose a PIN")
    person.enters(**NEW_PIN)
    person.sees("Set up recovery")
    person.page.keyboard.press("ArrowDown")
    person.types(answer_1=ANSWERS[0], question_2=QUESTIONS[1], answer_2=ANSWERS[1])
    assert person.chosen() == list(QUESTIONS[:2])
    person.chooses("continue")
    person.returns(challenge, "verified")
    assert caller.status(challenge) == "verified"
    shown = caller.send("GET", f"/v2/customers/{caller.customer}")
    assert (shown["hasPin"], shown["hasRecovery"]) == (True, True)


def test_a_new_pin_that_is_too_short_or_not_confirmed_is_entered_again(person: Person, caller: Caller) -> None:
    person.follows(caller.challenge("initialize")["redirectUrl"])
    person.types(new_pin=OTHER[:5])
    person.stays_at("new_pin")
    person.is_sent_regardless()
    person.enters(new_pin_again=OTHER[:5])
    person.sees("Choose a PIN", 422, error="A PIN has six digits.")
    person.enters(new_pin=PIN, new_pin_again=OTHER)
    person.sees("Choose a PIN", 422, error="The two PINs differ. Enter the same six digits twice.")
    person.types(new_pin=OTHER, new_pin_again=PIN)
    person.window.tab_to("new_pin", key="Shift+Tab")
    person.enters(new_pin=PIN)
    person.sees("Set up recovery")


def test_questions_that_are_alike_or_unanswered_are_asked_again_and_what_was_chosen_stays(
    person: Person, caller: Caller
) -> None:
    challenge = caller.challenge("initialize")
    person.follows(challenge["redirectUrl"])
    person.enters(**NEW_PIN)
    person.window.tab_to("continue")
    person.stays_at("question_1")
    person.enters(**{**RECOVERY, "question_2": QUESTIONS[0]})
    person.sees("Set up recovery", 422, error="Choose two different questions.")
    assert person.chosen() == [QUESTIONS[0], QUESTIONS[0]]
    person.types(answer_1=ANSWERS[0], question_2=QUESTIONS[1])
    person.window.tab_to("continue")
    person.stays_at("answer_2")
    person.is_sent_regardless()
    person.presses("Enter")
    person.sees("Set up recovery", 422, error="Answer both questions.")
    assert person.chosen() == list(QUESTIONS[:2])
    person.page.keyboard.press("ArrowUp")
    person.is_sent_regardless()
    person.enters(answer_1=ANSWERS[0])
    person.sees("Set up recovery", 422, error="Choose two different questions.")
    assert person.chosen() == ["", QUESTIONS[1]]
    person.enters(**RECOVERY)
    person.returns(challenge, "verified")


def test_recovery_can_be_left_for_later_where_that_is_allowed(person: Person, caller: Caller) -> None:
    caller.world.variations("LetsRecoveryBeSkipped")
    challenge = caller.challenge("initialize")
    person.follows(challenge["redirectUrl"])
    person.enters(**NEW_PIN)
    person.chooses("skip")
    person.returns(challenge, "verified")
    assert caller.send("GET", f"/v2/customers/{caller.customer}")["hasRecovery"] is False


# ----------------------------------------------------------------------------------------------------- the new wallets


def test_who_enters_the_pin_sees_what_it_authorizes(person: Person, ready: Caller) -> None:
    challenge = ready.wallets_asked()
    person.follows(challenge["redirectUrl"])
    person.sees("Enter your PIN")
    assert person.page.locator(":focus").get_attribute("aria-describedby") == "request"
    purpose, organization, *chains, _ = person.page.locator("#request dd").all_inner_texts()
    assert (purpose, organization) == ("Provisioning new wallets", "first")
    assert [chain.rpartition(" ")[2] for chain in chains] == [f"({name})" for name in CHAINS]
    assert all(person.window.shows(each) for each in person.page.locator("#request dd").all())
    person.enters(pin=PIN)
    person.returns(challenge, "verified")
    found = ready.send("GET", f"/v2/wallets?customerIds={ready.customer}")
    assert sorted(wallet["blockchain"] for wallet in found) == sorted(CHAINS)


def test_who_goes_back_or_opens_the_link_again_sees_that_all_is_done(person: Person, ready: Caller) -> None:
    challenge = ready.wallets_asked()
    person.follows(challenge["redirectUrl"])
    person.enters(pin=PIN)
    person.page.go_back()
    person.sees("Request completed")
    person.follows(challenge["redirectUrl"])
    person.sees("Request completed")
    person.presses("Enter")
    person.returns(challenge, "verified")
    assert len(ready.send("GET", f"/v2/wallets?customerIds={ready.customer}")) == len(CHAINS)


def test_a_page_with_nowhere_to_return_to_shows_how_it_ended(person: Person, ready: Caller) -> None:
    person.follows(ready.wallets_asked(redirectUrl=None)["redirectUrl"])
    person.enters(pin=PIN)
    person.sees("Request completed")
    person.follows(ready.wallets_asked(redirectUrl=None)["redirectUrl"])
    person.chooses("cancel")
    person.sees("Request cancelled")
    assert person.page.locator("a").count() == 0


def test_cancel_leads_back_and_for_good(person: Person, ready: Caller) -> None:
    challenge = ready.wallets_asked()
    person.follows(challenge["redirectUrl"])
    person.chooses("cancel")
    person.returns(challenge, "failed")
    person.follows(challenge["redirectUrl"])
    person.sees("Request cancelled")
    person.presses("Enter")
    person.returns(challenge, "failed")
    assert ready.status(challenge) == "failed"


def test_wrong_pins_are_counted_down_to_a_lock_out(person: Person, ready: Caller) -> None:
    challenge = ready.wallets_asked()
    person.follows(challenge["redirectUrl"])
    for left in ("4 tries", "3 tries", "2 tries", "1 try"):
        person.enters(pin=OTHER)
        person.sees("Enter your PIN", 422, error=f"Wrong PIN. {left} left.")
    person.enters(pin=OTHER)
    person.sees("PIN locked", 423, error="A wrong PIN was entered too often.")
    assert "Locked until" in person.page.locator("#request dt").all_inner_texts()
    assert ready.status(challenge) == "failed"
    person.follows(ready.wallets_asked()["redirectUrl"])
    person.sees("PIN locked", 423)


def test_a_page_that_stood_open_too_long_has_expired(person: Person, ready: Caller) -> None:
    challenge = ready.wallets_asked()
    person.follows(challenge["redirectUrl"])
    ready.world.advance(timedelta(minutes=15))
    person.enters(pin=PIN)
    person.sees("Request expired", 410)
    person.presses("Enter")
    assert person.page.url == ready.return_url
    assert ready.send("GET", f"/v2/wallets?customerIds={ready.customer}") == []


# ------------------------------------------------------------------------------------------- another PIN, other answers


def test_a_pin_is_changed_by_who_knows_the_present_one(person: Person, ready: Caller) -> None:
    challenge = ready.challenge("update-pin")
    person.follows(challenge["redirectUrl"])
    person.sees("Change your PIN")
    person.enters(pin=OTHER, new_pin=OTHER, new_pin_again=OTHER)
    person.sees("Change your PIN", 422, error="Wrong PIN. 4 tries left.")
    person.enters(pin=PIN, new_pin=OTHER, new_pin_again=OTHER)
    person.returns(challenge, "verified")
    wallets = ready.wallets_asked()
    person.follows(wallets["redirectUrl"])
    person.enters(pin=PIN)
    person.sees("Enter your PIN", 422, error="Wrong PIN. 4 tries left.")
    person.enters(pin=OTHER)
    person.returns(wallets, "verified")


def test_a_forgotten_pin_is_replaced_by_who_knows_the_answers(person: Person, ready: Caller) -> None:
    challenge = ready.challenge("reset-pin")
    person.follows(challenge["redirectUrl"])
    person.sees("Answer your questions")
    assert person.page.locator("label").all_inner_texts() == list(QUESTIONS[:2])
    person.enters(answer_1=ANSWERS[1], answer_2=ANSWERS[0])
    person.sees("Answer your questions", 422, error="These are not the answers that were set up. 4 tries left.")
    person.enters(answer_1=ANSWERS[0], answer_2=ANSWERS[1])
    person.sees("Choose a new PIN")
    person.enters(new_pin=OTHER, new_pin_again=PIN)
    person.sees("Choose a new PIN", 422, error="The two PINs differ. Enter the same six digits twice.")
    person.enters(new_pin=OTHER, new_pin_again=OTHER)
    person.returns(challenge, "verified")
    wallets = ready.wallets_asked()
    person.follows(wallets["redirectUrl"])
    person.enters(pin=OTHER)
    person.returns(wallets, "verified")


def test_recovery_is_set_up_again_by_who_knows_the_pin(person: Person, ready: Caller) -> None:
    challenge = ready.challenge("recovery")
    person.follows(challenge["redirectUrl"])
    person.sees("Enter your PIN")
    person.enters(pin=PIN)
    person.sees("Set up recovery")
    person.enters(question_1=QUESTIONS[4], answer_1=ANSWERS[1], question_2=QUESTIONS[5], answer_2=ANSWERS[0])
    person.returns(challenge, "verified")
    person.follows(ready.challenge("reset-pin")["redirectUrl"])
    assert person.page.locator("label").all_inner_texts() == list(QUESTIONS[4:])
    person.enters(answer_1=ANSWERS[1], answer_2=ANSWERS[0])
    person.sees("Choose a new PIN")


# ---------------------------------------------------------------------------------------------------- what is refused


def test_behind_an_unknown_link_is_a_page_that_says_so(person: Person, caller: Caller) -> None:
    person.follows(f"{caller.world.base_urls['gateway']}/challenges/{'0' * 32}")
    person.sees("Request refused", 404, error="There is no such page.")


def test_a_form_without_its_cookie_is_refused_and_can_be_opened_again(person: Person, ready: Caller) -> None:
    challenge = ready.wallets_asked()
    person.follows(challenge["redirectUrl"])
    person.page.context.clear_cookies()
    person.enters(pin=PIN)
    person.sees(
        "Request refused",
        403,
        error="This was not sent from the page itself. Open the page again, and allow its cookie.",
    )
    assert ready.status(challenge) == "pending"
    person.follows(challenge["redirectUrl"])
    person.enters(pin=PIN)
    person.returns(challenge, "verified")


def test_the_stylesheet_is_taken_for_nothing_else(caller: Caller) -> None:
    response = caller.http.get(f"{caller.world.base_urls['gateway']}/page.css")
    assert response.headers["content-type"].startswith("text/css")
    assert response.headers["x-content-type-options"] == "nosniff"


# ----------------------------------------------------------------------------------------------------- without scripts


def test_no_script_is_needed_for_anything(person_without_scripts: Person, caller: Caller) -> None:
    person = person_without_scripts
    set_up = caller.challenge("initialize")
    person.follows(set_up["redirectUrl"])
    person.sees("Choose a PIN")
    person.enters(new_pin=PIN, new_pin_again=OTHER)
    person.sees("Choose a PIN", 422, error="The two PINs differ. Enter the same six digits twice.")
    person.enters(**NEW_PIN)
    person.sees("Set up recovery")
    person.enters(**RECOVERY)
    person.returns(set_up, "verified")
    wallets = caller.wallets_asked()
    person.follows(wallets["redirectUrl"])
    person.enters(pin=OTHER)
    person.sees("Enter your PIN", 422, error="Wrong PIN. 4 tries left.")
    person.enters(pin=PIN)
    person.returns(wallets, "verified")
    unwanted = caller.wallets_asked()
    person.follows(unwanted["redirectUrl"])
    person.chooses("cancel")
    person.returns(unwanted, "failed")
    person.follows(unwanted["redirectUrl"])
    person.sees("Request cancelled")
