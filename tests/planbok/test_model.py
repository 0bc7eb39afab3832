"""The model takes no answer for wrong that the documents leave open, and tells the rule of one that is."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from conformance.clock import EPOCH_OF_WORLDS
from conformance.exchange import Delivery, Exchange, Request, Response
from conformance.files import data_path
from conformance.findings import Finding, Outcome
from conformance.planbok.model import Model
from conformance.specification import Match, Specification

SPECIFICATION = Specification.load(data_path("specs/planbok/openapi.yaml"))
API = "https://api.example"
PAGES = "https://gateway.example/verify"
CUSTOMER = "6999f8aea74a2b1bd8855b89"
REF_ID = "user-1"
PIN = "482913"
ADDRESS = "0x22227A31dd842196A246d8f3b775998560eAa61d"
MINUTE = timedelta(minutes=1)


class Story:
    """One customer's calls and steps at the page, and what the model says of them."""

    def __init__(self) -> None:
        self.model = Model()
        self.at: datetime = EPOCH_OF_WORLDS
        self.findings: list[Finding] = []

    @property
    def broken(self) -> list[str]:
        return [each.rule.removeprefix("planbok.") for each in self.findings if each.outcome is Outcome.BROKEN]

    @property
    def held(self) -> set[str]:
        return {each.rule.removeprefix("planbok.") for each in self.findings if each.outcome is Outcome.HELD}

    def send(
        self,
        method: str,
        path: str,
        data: Any = None,
        *,
        sent: Mapping[str, Any] | None = None,
        status: int = 200,
        identity: str = "first",
    ) -> None:
        """A call of the API."""
        match = SPECIFICATION.match(method, path.partition("?")[0])
        body = json.dumps(sent).encode() if sent is not None else b""
        answer = json.dumps({"success": status < 400, "status": status, "message": "", "data": data}).encode()
        self._see(match, method, API + path, body, answer, status, identity)

    def page(self, url: str, **fields: str) -> None:
        """A page that is opened, or filled in."""
        self._see(None, "POST" if fields else "GET", url, urlencode(fields).encode(), b"<p>", 200, "first")

    def _see(
        self, match: Match | None, method: str, url: str, body: bytes, answer: bytes, status: int, identity: str
    ) -> None:
        request, response = Request((), body, method, url), Response((), answer, status)
        operation, parameters = (match.operation.id, match.parameters) if match else (None, {})
        exchange = Exchange(
            f"#{len(self.findings)}", operation, identity, self.at, 0.0, request, response, parameters=parameters
        )
        self.findings += self.model.see(exchange)

    def told(self, event: str, **data: Any) -> None:
        """A webhook."""
        body = json.dumps({"event": event, "data": data}).encode()
        self.findings += self.model.receive(Delivery(1, "first", self.at, Request((), body, "POST", "/hook"), 200))

    # What a customer does.

    def ready(self) -> None:
        """A customer is created, and sets up PIN and recovery."""
        self.send("POST", "/v2/customers", {"id": CUSTOMER}, sent={"name": "Ada", "refId": REF_ID}, status=201)
        challenge = {"challengeId": "set-up", "redirectUrl": f"{PAGES}?token=set-up"}
        self.send("POST", f"/v2/customers/{CUSTOMER}/initialize", challenge, sent={}, status=201)
        self.page(f"{PAGES}?token=set-up", new_pin=PIN, new_pin_again=PIN)
        self.page(f"{PAGES}?token=set-up", answer_1="a", answer_2="b")
        self.send("GET", f"/v2/customers/{CUSTOMER}", {"id": CUSTOMER, "hasPin": True, "hasRecovery": True})

    def ask(self, name: str, *chains: str, status: int = 201) -> str:
        """A challenge is asked for, and its page given."""
        url = f"{PAGES}?token={name}"
        challenge = {"challengeId": name, "redirectUrl": url, "status": "pending"}
        path = f"/v2/customers/{CUSTOMER}/wallet/create"
        self.send("POST", path, challenge, sent={"blockchains": chains or ("ETH",)}, status=status)
        return url

    def read(self, name: str, status: str, wallets: Sequence[Mapping[str, Any]] = ()) -> None:
        """A challenge is read."""
        challenge = {"challengeId": name, "status": status, "result": {"wallets": list(wallets)}}
        self.send("GET", f"/v2/customers/{CUSTOMER}/challenges/{name}", challenge)


def wallet(address: str = ADDRESS, **members: str) -> dict[str, str]:
    return {"id": "wallet-1", "blockchain": "ETH", "address": address, **members}


def test_a_list_may_write_an_address_in_another_letter_case() -> None:
    story = Story()
    story.ready()
    story.page(story.ask("a"), pin=PIN)
    story.read("a", "verified", [wallet()])
    story.at += 2 * MINUTE
    story.send("GET", f"/v2/wallets?customerIds={CUSTOMER}", [wallet(ADDRESS.lower())])
    assert story.broken == []
    assert "list.holds-all" in story.held
    story.send("GET", f"/v2/wallets?customerIds={CUSTOMER}", [])
    assert story.broken == ["list.holds-all"]


def test_an_event_is_about_new_wallets_whichever_of_their_names_it_has() -> None:
    for names in ({"challengeId": "a"}, {"walletId": "wallet-1"}, {"address": ADDRESS.lower()}, {"refId": REF_ID}):
        story = Story()
        story.ready()
        story.told("customer.created", customerId=CUSTOMER)
        story.page(story.ask("a"), pin=PIN)
        story.told("wallet.created", **names)
        story.read("a", "verified", [wallet()])
        story.at += 2 * MINUTE
        story.read("a", "verified", [wallet()])
        assert story.broken == [], names
        assert "webhook.wallet-created-sent" in story.held


def test_an_event_about_somebody_elses_wallet_announces_none_of_this_customer() -> None:
    story = Story()
    story.ready()
    story.told("customer.created", customerId=CUSTOMER)
    story.page(story.ask("a"), pin=PIN)
    story.told("wallet.created", **wallet("0x" + "0" * 40, id="wallet-2"))
    story.read("a", "verified", [wallet()])
    story.at += 2 * MINUTE
    story.read("a", "verified", [wallet()])
    assert story.broken == ["webhook.wallet-created-sent"]


def test_pages_are_told_apart_by_their_queries() -> None:
    story = Story()
    story.ready()
    cancelled, asked = story.ask("a", "ETH"), story.ask("b", "BTC")
    story.page(cancelled, action="cancel")
    story.page(asked, pin=PIN)
    story.read("b", "verified", [wallet()])
    assert story.broken == []
    story.read("a", "verified")
    assert story.broken == ["page.cancelled-makes-no-wallet"]


def test_what_is_entered_at_a_page_that_may_be_one_of_several_says_nothing_of_either() -> None:
    story = Story()
    story.ready()
    story.ask("a", "ETH")
    story.ask("b", "BTC")
    story.page(PAGES, action="cancel")
    story.page(PAGES, pin=PIN)
    story.read("a", "failed")
    story.read("b", "verified", [wallet()])
    assert story.broken == []


def test_a_newer_challenge_of_the_same_instant_may_end_an_older_one() -> None:
    story = Story()
    story.ready()
    story.ask("older", "ETH")
    story.ask("newer", "BTC")
    story.read("older", "failed")
    assert story.broken == []
    story.read("newer", "failed")
    assert story.broken == ["challenge.completable-in-time"]


def test_a_challenge_that_is_answered_again_is_the_newest() -> None:
    story = Story()
    story.ready()
    story.ask("a", "ETH")
    story.ask("b", "BTC")
    story.ask("a", "ETH")
    story.read("b", "failed")
    assert story.broken == []


def test_a_completed_challenge_may_read_otherwise_once_its_time_is_over() -> None:
    story = Story()
    story.ready()
    story.page(story.ask("a"), pin=PIN)
    story.read("a", "verified", [wallet()])
    story.at += 20 * MINUTE
    story.read("a", "expired")
    assert story.broken == []


def test_a_completed_challenge_reads_as_one_while_it_is_young() -> None:
    story = Story()
    story.ready()
    story.page(story.ask("a"), pin=PIN)
    story.read("a", "verified", [wallet()])
    story.at += 5 * MINUTE
    story.read("a", "failed")
    assert story.broken == ["page.completed-once"]


def test_the_time_of_a_challenge_may_begin_when_its_page_is_opened() -> None:
    story = Story()
    story.ready()
    url = story.ask("a")
    story.at += 18 * MINUTE
    story.page(url)
    story.page(url, pin=PIN)
    story.read("a", "verified", [wallet()])
    assert story.broken == []


def test_its_time_is_over_when_its_page_was_opened_long_ago() -> None:
    story = Story()
    story.ready()
    url = story.ask("a")
    story.page(url)
    story.at += 18 * MINUTE
    story.page(url, pin=PIN)
    story.read("a", "verified", [wallet()])
    assert story.broken == ["challenge.expires-after-15-minutes"]


def test_a_success_that_nobody_opened_the_page_for_is_no_matter_of_the_pin() -> None:
    story = Story()
    story.ready()
    url = story.ask("a")
    story.read("a", "verified")
    story.page(url)
    assert story.broken == ["challenge.starts-pending"]


def test_a_request_too_many_is_no_refusal_of_a_stranger() -> None:
    story = Story()
    story.ready()
    story.send("GET", f"/v2/customers/{CUSTOMER}", status=429, identity="second")
    assert "customer.unseen-by-others" not in story.held
    story.send("GET", f"/v2/customers/{CUSTOMER}", status=404, identity="second")
    assert "customer.unseen-by-others" in story.held


def test_a_page_with_other_fields_is_not_misread_though_some_are_called_the_same() -> None:
    story = Story()
    story.send("POST", "/v2/customers", {"id": CUSTOMER}, sent={"name": "Ada", "refId": REF_ID}, status=201)
    challenge = {"challengeId": "set-up", "redirectUrl": f"{PAGES}?token=set-up"}
    story.send("POST", f"/v2/customers/{CUSTOMER}/initialize", challenge, sent={}, status=201)
    story.page(f"{PAGES}?token=set-up", pin=PIN, repeated=PIN, question="1", answer="a")
    story.send("GET", f"/v2/customers/{CUSTOMER}", {"id": CUSTOMER, "hasPin": True, "hasRecovery": True})
    story.page(story.ask("a"), pin=PIN, do="go on")
    story.read("a", "verified", [wallet()])
    story.page(story.ask("b"), pin="", do="cancel")
    story.read("b", "failed")
    story.send("GET", f"/v2/wallets?customerIds={CUSTOMER}", [wallet()])
    assert story.broken == []
