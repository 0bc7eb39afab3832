"""Every rule for clients is broken by a client that is wrong in exactly that, and by no right one."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.catalogue import Catalogue, Party
from conformance.clock import EPOCH_OF_WORLDS, FrozenClock
from conformance.exchange import Delivery, Exchange, Headers, Request, Response
from conformance.files import data_path
from conformance.findings import Finding, Outcome
from conformance.ids import Ids
from conformance.judging.journal import client_findings
from conformance.planbok import api
from conformance.planbok.client_checks import ClientJudge, journal_findings
from conformance.planbok.webhooks import ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, sign
from conformance.recording.journal import BREAKS, Journal, JournalTransport
from conformance.recording.redaction import Redactor
from conformance.specification import Specification

CLIENT_RULES = {
    rule.id for rule in Catalogue.load(data_path("specs/planbok/rules.yaml")).values() if rule.party is Party.CLIENT
}
OF_RECEIVERS = {rule for rule in CLIENT_RULES if ".takes-" in rule}
"""Those that only events in unusual forms show, which ``conformance webhooks check`` sends."""
API = "https://api.example"
SPECIFICATION = Specification.load(api.specification)
PAGES = "https://gateway.example/challenges"
OWN_PAGE = "https://app.example/wallets?step=verify"
SECRET = "secret-1"
CREDENTIALS = {"api_key": "key-1", "read_only_key": "key-2", "webhook_secret": SECRET}
JSON = ("Content-Type", "application/json")
PIN = "482913"
MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)

Members = Mapping[str, Any]


def rules(*names: str) -> frozenset[str]:
    return frozenset(f"planbok.client.{name}" for name in names)


class Traffic:
    """What one client sends and is answered, and the webhooks that it is sent; time passes only where it is said."""

    def __init__(self) -> None:
        self.at = EPOCH_OF_WORLDS
        self.ids = Ids("traffic")
        self.exchanges: list[Exchange] = []
        self.deliveries: list[Delivery] = []

    def wait(self, duration: timedelta) -> None:
        self.at += duration

    def send(
        self,
        method: str,
        path: str,
        body: Members | bytes | None = None,
        *,
        data: object = None,
        status: int = 200,
        key: str | None = "key-1",
        content_type: str = "application/json",
        headers: Headers = (),
        seconds: float = 0.0,
    ) -> Exchange:
        """One request to the API."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else b""
        fields: Headers = (("PLANBOK-X-API-KEY", key),) if key is not None else ()
        if body is not None:
            fields = (*fields, ("Content-Type", content_type))
        request = Request(fields, content, method, path if "//" in path else API + path)
        answer = {"success": 200 <= status < 300, "status": status, "message": "", "data": data}
        return self._keep(request, Response((JSON, *headers), json.dumps(answer).encode(), status), seconds)

    def _keep(self, request: Request, response: Response, seconds: float = 0.0) -> Exchange:
        match = SPECIFICATION.match(request.method, request.url.removeprefix(API).partition("?")[0])
        exchange = Exchange(
            id=f"#{len(self.exchanges) + 1}",
            operation=match.operation.id if match else None,
            identity="first",
            at=self.at,
            seconds=seconds,
            request=request,
            response=response,
            parameters=match.parameters if match else {},
        )
        self.exchanges.append(exchange)
        return exchange

    # What a right client does.

    def new_key(self) -> str:
        return str(self.ids.uuid())

    def create(self, **options: Any) -> str:
        """Create a customer, and give its id."""
        customer = self.ids.draw(12).hex()
        body = {"name": "Ada", "refId": self.new_key(), "idempotencyKey": self.new_key()}
        self.send("POST", "/v2/customers", **{"body": body, "data": {"id": customer, "hasPin": False}, **options})
        return customer

    def read(self, customer: str, **flags: object) -> None:
        self.send("GET", f"/v2/customers/{customer}", data={"id": customer, **flags})

    def ready(self) -> str:
        """Create a customer, and read that the set-up is complete."""
        customer = self.create()
        self.read(customer, hasPin=True, hasRecovery=True)
        return customer

    def ask(self, customer: str, *, url: str | None = None, status: int = 201, **members: object) -> tuple[str, str]:
        """Ask for wallets, and give the id and the page of the challenge; a member that is `...` is left out."""
        challenge, link = self.ids.draw(12).hex(), self.ids.draw(16).hex()
        page = url or f"{PAGES}/{link}"
        body = {
            "blockchains": ["ETH-SEPOLIA"],
            "redirectUrl": OWN_PAGE,
            "idempotencyKey": self.new_key(),
            **members,
        }
        body = {name: value for name, value in body.items() if value is not ...}
        expires_at = (self.at + 15 * MINUTE).isoformat()
        data = {"challengeId": challenge, "redirectUrl": page, "status": "pending", "expiresAt": expires_at}
        self.send("POST", f"/v2/customers/{customer}/wallet/create", body, data=data, status=status)
        return challenge, page

    def asked(self) -> tuple[str, str, str]:
        """A new customer, with a challenge for wallets and its page."""
        customer = self.ready()
        return customer, *self.ask(customer)

    def open(self, url: str) -> Exchange:
        """Open a page in the customer's browser."""
        return self._keep(Request((), b"", "GET", url), Response((), b"<form method=post></form>", 200))

    def enter(self, url: str, location: str, **fields: str) -> Exchange:
        """Fill in the page."""
        form = urlencode({"pin": PIN, "step": "verify", "action": "continue", **fields}).encode()
        return self._keep(Request((), form, "POST", url), Response((("Location", location),), b"", 303))

    def back(self, challenge: str, status: str = "verified") -> str:
        """Where a page returns to."""
        return f"{OWN_PAGE}&challengeId={challenge}&status={status}"

    def authorize(self, challenge: str, page: str) -> None:
        self.open(page)
        self.enter(page, self.back(challenge))

    def challenge(self, customer: str, challenge: str, status: str = "verified", **members: object) -> Exchange:
        """Read a challenge."""
        data = {"challengeId": challenge, "status": status, **members}
        return self.send("GET", f"/v2/customers/{customer}/challenges/{challenge}", data=data)

    def verified(self, customer: str, challenge: str) -> Exchange:
        return self.challenge(customer, challenge, result={"wallets": [wallet(customer)]})

    def wallets(self, customer: str, *found: Members) -> Exchange:
        return self.send("GET", f"/v2/wallets?customerIds={customer}&page=1", data=list(found))

    def deliver(self, customer: str, challenge: str | None = None, **changes: Any) -> Delivery:
        """A `wallet.created` that comes now, rightly signed; `changes` are of the delivery and its request."""
        key = changes.pop("id", None) or self.new_key()
        data = {**wallet(customer), "customerId": customer, **({"challengeId": challenge} if challenge else {})}
        event = {"event": "wallet.created", "timestamp": self.at.isoformat(), "idempotencyKey": key, "data": data}
        body = json.dumps(event, separators=(",", ":")).encode()
        signed = sign(body, changes.pop("secret", "secret-1"), changes.pop("sent", self.at))
        headers = (*signed.items(), (ID_HEADER, key))
        request = Request(changes.pop("headers", headers), changes.pop("body", body), "POST", "/hook")
        delivery = Delivery(len(self.exchanges), "first", self.at, request, changes.pop("answered", 200))
        self.deliveries.append(delivery)
        return delivery

    def again(self, delivery: Delivery, answered: int) -> None:
        """The same event once more, its timestamp fresh."""
        signed = sign(delivery.request.body, "secret-1", self.at)
        headers = (*signed.items(), *(line for line in delivery.request.headers if line[0] == ID_HEADER))
        request = replace(delivery.request, headers=headers)
        self.deliveries.append(replace(delivery, at=self.at, request=request, answered=answered))

    # What is judged.

    def findings(self) -> list[Finding]:
        return client_findings(self.exchanges, ClientJudge(CREDENTIALS, {}), self.deliveries)

    def judged_whole(self) -> list[Finding]:
        return journal_findings(self.exchanges, self.deliveries, SECRET)


def wallet(customer: str) -> dict[str, Any]:
    return {"id": "wallet-1", "blockchain": "ETH-SEPOLIA", "address": "0x0", "customer": customer}


def broken(findings: Sequence[Finding]) -> set[str]:
    return {finding.rule for finding in findings if finding.outcome is Outcome.BROKEN}


def held(findings: Sequence[Finding]) -> set[str]:
    return {finding.rule for finding in findings if finding.outcome is Outcome.HELD}


@pytest.fixture
def traffic() -> Traffic:
    return Traffic()


# ---------------------------------------------------------------------------------------------------- the right client


def test_the_right_client_breaks_no_rule_from_creation_to_wallets(traffic: Traffic) -> None:
    customer, challenge, page = traffic.asked()
    traffic.open(page)
    traffic.challenge(customer, challenge, "pending")
    traffic.wait(2 * SECOND)
    traffic.send("GET", f"/v2/customers/{customer}/challenges/{challenge}", status=429)
    traffic.wait(2 * SECOND)
    traffic.challenge(customer, challenge, "pending")
    traffic.enter(page, traffic.back(challenge))
    traffic.verified(customer, challenge)
    traffic.wallets(customer, wallet(customer))
    first = traffic.deliver(customer, challenge)
    traffic.again(first, 200)
    traffic.deliver(customer, challenge, secret="another", answered=401)
    traffic.deliver(customer, challenge, sent=traffic.at - timedelta(seconds=301), answered=401)
    findings = traffic.findings() + traffic.judged_whole()
    assert not broken(findings)
    assert held(findings) == CLIENT_RULES - OF_RECEIVERS - rules("survives-duplicates", "survives-reordering")


def reads_pages_with_the_read_only_key(traffic: Traffic) -> None:
    traffic.send("GET", "/v2/customers?page=2", key="key-2")


def has_a_charset(traffic: Traffic) -> None:
    traffic.create(content_type="Application/JSON; charset=utf-8")


def leaves_out_the_account_type(traffic: Traffic) -> None:
    traffic.ask(traffic.ready(), accountType=...)


def names_the_account_type(traffic: Traffic) -> None:
    traffic.ask(traffic.ready(), accountType="eoa")


def asks_on_a_chain_that_nobody_knows(traffic: Traffic) -> None:
    traffic.ask(traffic.ready(), blockchains=["NO-SUCH-CHAIN", "NO-SUCH-CHAIN"])


def repeats_with_the_same_key(traffic: Traffic) -> None:
    customer, key = traffic.ready(), traffic.new_key()
    for status in (0, 500, 201, 201):
        traffic.ask(customer, status=status, idempotencyKey=key)
    traffic.ask(customer)


def orders_members_anew(traffic: Traffic) -> None:
    key = traffic.new_key()
    traffic.create(body={"name": "Ada", "idempotencyKey": key, "refId": "1"}, status=503)
    traffic.create(body={"refId": "1", "name": "Ada", "idempotencyKey": key.upper()})


def has_members_that_only_sound_like_pins(traffic: Traffic) -> None:
    body = {"name": "Pin", "hasPin": True, "spinning": "1", "newPin": None, "metadata": [{"opinion": "2"}]}
    traffic.create(body={**body, "idempotencyKey": traffic.new_key()})
    traffic.send("GET", "/v2/customers?hasPin=true&pinned=1")


def reads_the_set_up_from_the_list(traffic: Traffic) -> None:
    customer = traffic.create()
    traffic.send("GET", "/v2/customers", data=[{"id": customer, "hasPin": True, "hasRecovery": True}, None, {"id": 1}])
    traffic.send("GET", "/v2/customers", data=[{"id": customer, "hasPin": False, "hasRecovery": False}])
    traffic.ask(customer)


def reads_recovery_where_no_pin_is_shown(traffic: Traffic) -> None:
    customer = traffic.create()
    traffic.read(customer, hasRecovery=True)
    traffic.ask(customer)


def cannot_read_the_set_up(traffic: Traffic) -> None:
    customer = traffic.create()
    traffic.read(customer, hasRecovery="yes")
    traffic.ask(customer)


def knows_a_customer_from_earlier(traffic: Traffic) -> None:
    traffic.ask("6999f8aea74a2b1bd8855b89")


def opens_a_page_twice(traffic: Traffic) -> None:
    _, _, page = traffic.asked()
    traffic.open(page)
    traffic.enter(page, page)
    traffic.open(page)


def opens_what_else_the_page_has(traffic: Traffic) -> None:
    _, _, page = traffic.asked()
    traffic.open("https://gateway.example/page.css")
    traffic.open("https://gateway.example/challenges/main.js")
    traffic.open("https://gateway.example/")
    traffic.open(f"https://app.example/challenges/{page.rpartition('/')[2]}x")


def follows_the_page_to_another_one(traffic: Traffic) -> None:
    (_, _, page), (_, _, _waiting) = traffic.asked(), traffic.asked()
    traffic.open(page)
    onward = f"/challenges/{traffic.ids.draw(16).hex()}"
    traffic.enter(page, onward)
    traffic.open(f"https://gateway.example{onward}")


def goes_on_where_an_open_page_leads(traffic: Traffic) -> None:
    _, _, page = traffic.asked()
    traffic.open(page)
    traffic.open(f"{page}?step=2")


def opens_a_page_below_v2(traffic: Traffic) -> None:
    customer = traffic.ready()
    _, page = traffic.ask(customer, url="https://gateway.example/v2/visit?token=abc")
    traffic.open(page)
    traffic.enter(page, page)


def fills_a_form_beside_a_page_below_v2(traffic: Traffic) -> None:
    customer = traffic.ready()
    _, page = traffic.ask(customer, url="https://gateway.example/v2/c/1")
    traffic.open(page)
    traffic.enter(f"{page}/pin", page)


def has_a_key_that_is_no_uuid(traffic: Traffic) -> None:
    customer = traffic.ready()
    traffic.ask(customer, idempotencyKey="order-2026-17", status=502)
    traffic.ask(customer, idempotencyKey="order-2026-17")


def opens_a_host_in_lower_case(traffic: Traffic) -> None:
    customer = traffic.ready()
    traffic.ask(customer, url="HTTPS://Gateway.example:443/challenges/Größe und mehr#top")
    traffic.open("https://gateway.example/challenges/Gr%C3%B6%C3%9Fe%20und%20mehr")


def reads_twenty_times_a_second(traffic: Traffic) -> None:
    for _ in range(3):
        for _ in range(20):
            traffic.read("1")
        traffic.wait(SECOND)


def reads_many_things_at_once(traffic: Traffic) -> None:
    for number in range(60):
        traffic.send("GET", f"/v2/customers?page={number}")


def polls_until_the_time_is_over(traffic: Traffic) -> None:
    customer, challenge, _ = traffic.asked()
    for _ in range(450):
        traffic.wait(2 * SECOND)
        traffic.challenge(customer, challenge, "pending")
    for _ in range(2):
        traffic.wait(2 * SECOND)
        traffic.challenge(customer, challenge, "pending")


def polls_for_as_long_as_the_api_says(traffic: Traffic) -> None:
    customer, challenge, _ = traffic.asked()
    for _ in range(10):
        traffic.wait(4 * MINUTE)
        later = (traffic.at + 15 * MINUTE).isoformat()
        traffic.challenge(customer, challenge, "pending", expiresAt=later)


def is_given_more_time_too_late(traffic: Traffic) -> None:
    customer, challenge, _ = traffic.asked()
    for _ in range(4):
        traffic.wait(16 * MINUTE)
        later = (traffic.at + 2 * MINUTE).isoformat()
        traffic.challenge(customer, challenge, "pending", expiresAt=later)
        traffic.wait(MINUTE)
        traffic.challenge(customer, challenge, "pending", expiresAt=later)


def counts_the_minutes_by_its_own_clock(traffic: Traffic) -> None:
    customer, challenge, _ = traffic.asked()
    for _ in range(15):
        traffic.wait(MINUTE)
        traffic.challenge(customer, challenge, "pending", expiresAt=EPOCH_OF_WORLDS.isoformat())


def polls_for_a_result_that_is_late(traffic: Traffic) -> None:
    customer, challenge, _ = traffic.asked()
    for _ in range(5):
        traffic.challenge(customer, challenge, "verified")
    traffic.verified(customer, challenge)


def reads_once_more(traffic: Traffic) -> None:
    customer, challenge, _ = traffic.asked()
    traffic.verified(customer, challenge)
    traffic.wait(17 * MINUTE)
    traffic.challenge(customer, challenge)


def reads_under_another_customer(traffic: Traffic) -> None:
    _, challenge, _ = traffic.asked()
    traffic.wait(17 * MINUTE)
    for _ in range(5):
        traffic.send("GET", f"/v2/customers/{traffic.create()}/challenges/{challenge}", status=404)


def throttled(*pauses: float, headers: Headers = (), last: int = 429) -> Callable[[Traffic], None]:
    """A client that is answered 429 again and again, and waits for so many seconds each time."""

    def send(traffic: Traffic) -> None:
        for pause in pauses:
            traffic.send("GET", "/v2/customers/1", status=429, headers=headers, seconds=0.5)
            traffic.wait(timedelta(seconds=0.5 + pause))
        traffic.send("GET", "/v2/customers/1", status=last)

    return send


def begins_anew_after_a_success(traffic: Traffic) -> None:
    throttled(1, 2, 4, last=200)(traffic)
    throttled(1)(traffic)


def had_sent_it_before_the_429_came(traffic: Traffic) -> None:
    traffic.send("GET", "/v2/customers/1", status=429, seconds=0.5)
    traffic.wait(timedelta(seconds=0.2))
    traffic.read("1")


def asks_for_something_else_after_429(traffic: Traffic) -> None:
    traffic.send("GET", "/v2/customers/1", status=429)
    traffic.read("2")


def lists_several_customers(traffic: Traffic) -> None:
    traffic.send("GET", "/v2/wallets?customerIds=1,2&walletSetId=3")


RIGHT: list[Callable[[Traffic], None]] = [
    reads_pages_with_the_read_only_key,
    has_a_charset,
    leaves_out_the_account_type,
    names_the_account_type,
    asks_on_a_chain_that_nobody_knows,
    repeats_with_the_same_key,
    orders_members_anew,
    has_members_that_only_sound_like_pins,
    reads_the_set_up_from_the_list,
    reads_recovery_where_no_pin_is_shown,
    cannot_read_the_set_up,
    knows_a_customer_from_earlier,
    opens_a_page_twice,
    opens_what_else_the_page_has,
    follows_the_page_to_another_one,
    goes_on_where_an_open_page_leads,
    opens_a_page_below_v2,
    fills_a_form_beside_a_page_below_v2,
    has_a_key_that_is_no_uuid,
    opens_a_host_in_lower_case,
    reads_twenty_times_a_second,
    reads_many_things_at_once,
    polls_until_the_time_is_over,
    polls_for_as_long_as_the_api_says,
    is_given_more_time_too_late,
    counts_the_minutes_by_its_own_clock,
    polls_for_a_result_that_is_late,
    reads_once_more,
    reads_under_another_customer,
    begins_anew_after_a_success,
    had_sent_it_before_the_429_came,
    asks_for_something_else_after_429,
    lists_several_customers,
]


@pytest.mark.parametrize("right", RIGHT)
def test_what_the_documents_leave_open_breaks_no_rule(traffic: Traffic, right: Callable[[Traffic], None]) -> None:
    right(traffic)
    assert [finding for finding in traffic.findings() if finding.outcome is Outcome.BROKEN] == []


@pytest.mark.parametrize(
    ("pauses", "headers"),
    [
        ((1, 2, 4, 8), ()),
        ((0.05, 0.06), ()),
        ((8, 16, 30, 30, 30), ()),
        ((1, 60, 1), ()),
        ((3, 3, 3), (("Retry-After", "3"),)),
        ((3, 2.5), (("Retry-After", "Thu, 15 Jan 2026 12:00:01 GMT"),)),
    ],
)
def test_pauses_that_grow_or_were_asked_for_break_no_rule(
    traffic: Traffic, pauses: tuple[float, ...], headers: Headers
) -> None:
    throttled(*pauses, headers=headers)(traffic)
    findings = traffic.findings()
    assert not broken(findings)
    assert rules("backs-off") <= held(findings)


# --------------------------------------------------------------------------------------------------- the wrong clients


Wrong = Callable[[Traffic], object]
WRONG: list[tuple[str, str, Wrong]] = []


def wrong(rule: str) -> Callable[[Wrong], Wrong]:
    """List a wrong client: its last request breaks `rule` and no other, and none before it breaks one."""

    def enlist(send: Wrong) -> Wrong:
        WRONG.append((rule, send.__name__, send))
        return send

    return enlist


def bent(rule: str, name: str, **members: Any) -> None:
    """List a client that asks for wallets with `members`."""
    WRONG.append((rule, name, lambda traffic: traffic.ask(traffic.ready(), **members)))


@wrong("sends-key")
def sends_no_key(traffic: Traffic) -> None:
    traffic.send("GET", "/v2/customers", key=None)


@wrong("sends-key")
def sends_its_webhook_secret(traffic: Traffic) -> None:
    traffic.send("GET", "/v2/customers", key="secret-1")


@wrong("sends-key")
def sends_no_key_to_what_nobody_knows(traffic: Traffic) -> None:
    traffic.send("DELETE", "/v2/organization/wallets", key=None)


@wrong("no-secret-in-url")
def puts_its_key_into_the_url(traffic: Traffic) -> None:
    traffic.send("GET", "/v2/customers?key=key-1")


@wrong("no-secret-in-url")
def puts_its_secret_into_the_path(traffic: Traffic) -> None:
    traffic.send("GET", f"https://app.example/{quote('secret-1').replace('-', '%2D')}")


@wrong("no-secret-in-url")
def puts_a_pin_into_a_field(traffic: Traffic) -> None:
    traffic.send("GET", "/v2/customers?userPin=1234")


@wrong("no-secret-in-url")
def puts_the_pin_that_was_entered_into_the_url(traffic: Traffic) -> None:
    _, challenge, page = traffic.asked()
    traffic.authorize(challenge, page)
    traffic.send("GET", f"/v2/customers?search={PIN}")


@wrong("no-secret-in-url")
def puts_the_pin_into_a_path_of_its_own(traffic: Traffic) -> None:
    _, challenge, page = traffic.asked()
    traffic.authorize(challenge, page)
    traffic.open(f"https://app.example/{PIN}/done")


WITH_PIN: dict[str, dict[str, Any]] = {
    "has_a_pin": {"pin": PIN},
    "has_a_new_pin": {"new_pin": PIN},
    "has_it_in_capitals": {"userPIN": 482913},
    "has_a_pin_code": {"pinCode": PIN},
    "has_it_deep_inside": {"metadata": [{"name": "1", "private": {"newPin": [PIN]}}]},
}
for name, members in WITH_PIN.items():
    bent("leaves-pin-to-the-page", name, **members)


@wrong("sends-json")
def sends_another_type(traffic: Traffic) -> None:
    traffic.create(content_type="text/plain")


@wrong("sends-json")
def sends_an_array(traffic: Traffic) -> None:
    traffic.send("POST", "/v2/customers/1/initialize", b"[]")


@wrong("sends-json")
def sends_what_is_no_json(traffic: Traffic) -> None:
    traffic.send("POST", "/v2/customers/1/update-pin", b"redirectUrl=1")


bent("asks-for-wallets-as-documented", "names_no_chain", blockchains=...)
bent("asks-for-wallets-as-documented", "has_an_empty_list", blockchains=[])
bent("asks-for-wallets-as-documented", "has_a_text", blockchains="ETH")
bent("asks-for-wallets-as-documented", "has_numbers", blockchains=[1])
bent("asks-for-wallets-as-documented", "has_objects", blockchains=[{"name": "ETH"}])
bent("asks-for-wallets-as-documented", "has_another_account_type", accountType="sca")
bent("asks-for-wallets-as-documented", "has_no_account_type_in_words", accountType=None)


@wrong("checks-set-up-first")
def asks_without_having_read(traffic: Traffic) -> None:
    traffic.ask(traffic.create())


for name, flags in {
    "has_read_that_recovery_is_missing": {"hasPin": True, "hasRecovery": False},
    "has_read_that_the_pin_is_missing": {"hasPin": False, "hasRecovery": True},
    "has_read_that_recovery_alone_is_missing": {"hasRecovery": False},
}.items():

    def asks_nevertheless(traffic: Traffic, flags: Members = flags) -> None:
        traffic.read("1", **flags)
        traffic.ask("1")

    WRONG.append(("checks-set-up-first", name, asks_nevertheless))


@wrong("checks-set-up-first")
def believes_the_return_of_the_set_up(traffic: Traffic) -> None:
    customer = traffic.create()
    data = {"challengeId": "1", "redirectUrl": f"{PAGES}/1"}
    traffic.send("POST", f"/v2/customers/{customer}/initialize", {"redirectUrl": OWN_PAGE}, data=data)
    traffic.open(f"{PAGES}/1")
    traffic.enter(f"{PAGES}/1", traffic.back("1"), new_pin=PIN)
    traffic.ask(customer)


LINK = "0F0e0d0c-Escaped%2F0b0a"
ALTERED: dict[str, Callable[[str], str]] = {
    "adds_a_query": lambda url: f"{url}&theme=dark",
    "leaves_out_the_query": lambda url: url.partition("?")[0],
    "decodes": lambda url: url.replace("%2F", "/"),
    "lowers_the_case": lambda url: url.lower(),
    "adds_a_slash": lambda url: url.replace("?", "/?"),
    "gives_up_tls": lambda url: url.replace("https:", "http:"),
    "takes_another_port": lambda url: url.replace(".example", ".example:8443"),
}
for name, alter in ALTERED.items():

    def sends_elsewhere(traffic: Traffic, alter: Callable[[str], str] = alter) -> None:
        customer = traffic.ready()
        _, page = traffic.ask(customer, url=f"{PAGES}/{LINK}?t=1")
        traffic.open(alter(page))

    WRONG.append(("sends-user-to-given-url", name, sends_elsewhere))


@wrong("sends-user-to-given-url")
def makes_the_url_up_from_the_id(traffic: Traffic) -> None:
    _, challenge, _ = traffic.asked()
    traffic.open(f"{PAGES}/{challenge}")


@wrong("sends-user-to-given-url")
def alters_the_second_one(traffic: Traffic) -> None:
    _, challenge, page = traffic.asked()
    traffic.authorize(challenge, page)
    _, _, other = traffic.asked()
    traffic.open(f"{other}?from=mail")


@wrong("sends-user-to-given-url")
def alters_what_the_list_of_challenges_gave(traffic: Traffic) -> None:
    page = f"{PAGES}/{traffic.ids.draw(16).hex()}"
    traffic.send("GET", "/v2/customers/1/challenges", data=[{"redirectUrl": page}, None])
    traffic.open(f"{page}?from=mail")


@wrong("polls-within-limits")
def reads_a_twenty_first_time(traffic: Traffic) -> None:
    for _ in range(21):
        traffic.wait(timedelta(milliseconds=49))
        traffic.read("1")


@wrong("polls-within-limits")
def reads_a_list_at_one_instant(traffic: Traffic) -> None:
    for _ in range(21):
        traffic.wallets("1")


for name, pauses in {
    "does_not_wait": (0.0,),
    "waits_a_moment": (0.01,),
    "waits_as_long_as_before": (2.0, 2.0),
    "waits_less_each_time": (4.0, 5.0, 2.0),
}.items():
    WRONG.append(("backs-off", name, throttled(*pauses)))
WRONG.append(("backs-off", "is_asked_to_wait_longer", throttled(2.0, 2.0, headers=(("Retry-After", "3"),))))
WRONG.append(("backs-off", "is_told_what_is_no_time", throttled(2.0, 2.0, headers=(("Retry-After", "soon"),))))


@wrong("backs-off")
def repeats_a_refused_order_at_once(traffic: Traffic) -> None:
    customer = traffic.ready()
    traffic.ask(customer, status=429)
    traffic.ask(customer)


@wrong("stops-polling")
def polls_a_verified_challenge(traffic: Traffic) -> None:
    customer, challenge, _ = traffic.asked()
    for _ in range(3):
        traffic.verified(customer, challenge)


@wrong("stops-polling")
def polls_a_failed_challenge(traffic: Traffic) -> None:
    customer, challenge, _ = traffic.asked()
    for _ in range(3):
        traffic.challenge(customer, challenge, "failed")


@wrong("stops-polling")
def polls_an_expired_challenge(traffic: Traffic) -> None:
    customer, challenge, _ = traffic.asked()
    traffic.wait(15 * MINUTE)
    traffic.challenge(customer, challenge, "pending")
    for _ in range(3):
        traffic.wait(SECOND)
        traffic.challenge(customer, challenge, "pending")


@wrong("stops-polling")
def polls_a_challenge_that_is_gone(traffic: Traffic) -> None:
    customer, challenge, _ = traffic.asked()
    traffic.wait(16 * MINUTE)
    for _ in range(3):
        traffic.send("GET", f"/v2/customers/{customer}/challenges/{challenge}", status=404)


bent("sends-idempotency-key", "has_no_key", idempotencyKey=...)
bent("sends-idempotency-key", "has_an_empty_key", idempotencyKey=" ")
bent("sends-idempotency-key", "has_a_number", idempotencyKey=1)


@wrong("sends-idempotency-key")
def creates_without_a_key(traffic: Traffic) -> None:
    traffic.create(body={"name": "Ada", "refId": "1"})


@wrong("sends-idempotency-key")
def has_one_key_for_all(traffic: Traffic) -> None:
    key = traffic.new_key()
    traffic.ask(traffic.ready(), idempotencyKey=key)
    traffic.ask(traffic.ready(), idempotencyKey=key)


@wrong("sends-idempotency-key")
def has_one_key_for_two_orders_of_a_customer(traffic: Traffic) -> None:
    customer, key = traffic.ready(), traffic.new_key()
    traffic.ask(customer, idempotencyKey=key)
    traffic.ask(customer, idempotencyKey=key, blockchains=["SOL"])


@wrong("sends-idempotency-key")
def draws_a_new_key_where_no_answer_came(traffic: Traffic) -> None:
    customer = traffic.ready()
    traffic.ask(customer, status=0)
    traffic.ask(customer)


@wrong("sends-idempotency-key")
def draws_a_new_key_for_a_repeat(traffic: Traffic) -> None:
    customer = traffic.ready()
    traffic.ask(customer, status=502)
    traffic.ask(customer)


@wrong("no-empty-filter")
def lists_everybodys_wallets(traffic: Traffic) -> None:
    traffic.send("GET", "/v2/wallets?page=1")


@wrong("no-empty-filter")
def lists_with_an_empty_filter(traffic: Traffic) -> None:
    traffic.send("GET", "/v2/wallets?customerIds=")


@wrong("no-empty-filter")
def lists_with_nothing_but_commas(traffic: Traffic) -> None:
    traffic.send("GET", "/v2/wallets?customerIds=%2C,&walletSetId=1")


@pytest.mark.parametrize(("rule", "name", "send"), WRONG, ids=[f"{rule}-{name}" for rule, name, _ in WRONG])
def test_a_wrong_client_breaks_its_rule_and_no_other(traffic: Traffic, rule: str, name: str, send: Wrong) -> None:
    assert name
    send(traffic)
    last = traffic.exchanges[-1]
    (finding,) = (finding for finding in traffic.findings() if finding.outcome is Outcome.BROKEN)
    assert (finding.rule, finding.exchange) == (f"planbok.client.{rule}", last.id)
    assert finding.where.startswith("request ")
    assert finding.expected
    assert finding.got


def test_a_finding_never_repeats_a_secret(traffic: Traffic) -> None:
    customer, challenge, page = traffic.asked()
    traffic.open(f"{page}?pin={PIN}")
    traffic.authorize(challenge, page)
    traffic.send("POST", f"/v2/customers?key=key-1&pin={PIN}", {"pin": PIN}, key="secret-1")
    traffic.ask(customer, pin=PIN, accountType="sca")
    traffic.deliver(customer, secret="another")
    findings = traffic.findings() + traffic.judged_whole()
    assert broken(findings) >= rules(
        "no-secret-in-url", "leaves-pin-to-the-page", "sends-key", "sends-user-to-given-url", "checks-webhook-signature"
    )
    for secret in (PIN, *CREDENTIALS.values()):
        assert secret not in str(findings)


def test_nothing_excuses_a_client() -> None:
    assert ClientJudge(CREDENTIALS, {"blockchains": "ETH"}).excused == frozenset()


def test_a_client_may_have_one_key_alone(traffic: Traffic) -> None:
    customer, challenge, page = traffic.asked()
    traffic.authorize(challenge, page)
    traffic.deliver(customer, secret="another")
    assert not broken(client_findings(traffic.exchanges, ClientJudge({"api_key": "key-1", "read_only_key": ""}, {})))
    assert not journal_findings(traffic.exchanges, traffic.deliveries, None)


def test_the_journal_judges_each_request_as_it_leaves() -> None:
    page = f"{PAGES}/{Ids('link').draw(16).hex()}"

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            data = {"challengeId": "2", "redirectUrl": page}
            return httpx.Response(201, json={"success": True, "status": 201, "message": "", "data": data})
        return httpx.Response(200, json={"data": {"id": "1", "hasPin": True, "hasRecovery": False}})

    specification = Specification.load(data_path("specs/planbok/openapi.yaml"))
    journal = Journal("test", FrozenClock(), API, specification, Redactor(()))
    transport = JournalTransport(httpx.MockTransport(answer), journal, "first", ClientJudge(CREDENTIALS, {}))
    with httpx.Client(base_url=API, headers={"PLANBOK-X-API-KEY": "key-1"}, transport=transport) as client:
        client.get("/v2/customers/1")
        body = {"blockchains": ["ETH"], "idempotencyKey": str(Ids("key").uuid())}
        client.post("/v2/customers/1/wallet/create", json=body, extensions={BREAKS: rules("checks-set-up-first")})
        client.get(f"{page}?from=mail", extensions={BREAKS: rules("sends-user-to-given-url")})
        client.get(page)
    assert [len(exchange.breaks) for exchange in journal.exchanges] == [0, 1, 1, 0]


# ----------------------------------------------------------------------------------------------- the whole of a traffic


WRONG_AS_A_WHOLE: list[tuple[str, Wrong]] = []


def wrong_as_a_whole(rule: str) -> Callable[[Wrong], Wrong]:
    """List a wrong client: its traffic as a whole breaks `rule` and no other."""

    def enlist(send: Wrong) -> Wrong:
        WRONG_AS_A_WHOLE.append((rule, send))
        return send

    return enlist


@wrong_as_a_whole("verifies-status")
def believes_the_return(traffic: Traffic) -> None:
    customer, challenge, page = traffic.asked()
    traffic.authorize(challenge, page)
    traffic.send("GET", "/v2/wallets/wallet-1", data=wallet(customer))


@wrong_as_a_whole("verifies-status")
def believes_the_return_that_says_nothing(traffic: Traffic) -> None:
    customer, challenge, page = traffic.asked()
    traffic.challenge(customer, challenge, "pending")
    traffic.open(page)
    traffic.enter(page, OWN_PAGE)
    traffic.send("GET", "/v2/wallets/wallet-1", data=wallet(customer))


@wrong_as_a_whole("stores-result-in-time")
def reads_the_result_too_late(traffic: Traffic) -> None:
    customer, challenge, page = traffic.asked()
    traffic.authorize(challenge, page)
    traffic.wait(15 * MINUTE + SECOND)
    traffic.challenge(customer, challenge)


@wrong_as_a_whole("stores-result-in-time")
def never_reads_the_result(traffic: Traffic) -> None:
    customer, challenge, _ = traffic.asked()
    traffic.deliver(customer, challenge, answered=503)
    traffic.wait(16 * MINUTE)
    traffic.create()


@wrong_as_a_whole("checks-webhook-signature")
def takes_what_another_signed(traffic: Traffic) -> None:
    traffic.deliver("1", secret="another")


@wrong_as_a_whole("checks-webhook-signature")
def takes_an_altered_body(traffic: Traffic) -> None:
    traffic.deliver("1", body=b"{}", answered=204)


@wrong_as_a_whole("checks-webhook-signature")
def takes_what_nobody_signed(traffic: Traffic) -> None:
    traffic.deliver("1", headers=())


@wrong_as_a_whole("checks-webhook-age")
def takes_what_is_old(traffic: Traffic) -> None:
    traffic.deliver("1", sent=traffic.at - timedelta(seconds=301))


@wrong_as_a_whole("checks-webhook-age")
def takes_what_comes_from_the_future(traffic: Traffic) -> None:
    traffic.deliver("1", sent=traffic.at + timedelta(seconds=301))


@wrong_as_a_whole("survives-duplicates")
def fails_the_second_time(traffic: Traffic) -> None:
    first = traffic.deliver("1")
    traffic.wait(MINUTE)
    traffic.again(first, 500)


@wrong_as_a_whole("survives-duplicates")
def refuses_the_second_time(traffic: Traffic) -> None:
    traffic.again(traffic.deliver("1"), 409)


@pytest.mark.parametrize(("rule", "send"), WRONG_AS_A_WHOLE)
def test_wrong_traffic_breaks_its_rule_and_no_other(traffic: Traffic, rule: str, send: Wrong) -> None:
    send(traffic)
    (finding,) = (finding for finding in traffic.judged_whole() if finding.outcome is Outcome.BROKEN)
    assert finding.rule == f"planbok.client.{rule}"
    assert finding.where
    assert finding.expected
    assert finding.got
    assert broken(traffic.findings()) == {finding.rule}


def hears_of_the_wallets(traffic: Traffic) -> None:
    customer, challenge, page = traffic.asked()
    traffic.authorize(challenge, page)
    traffic.deliver(customer, challenge)
    traffic.wallets(customer, wallet(customer))
    traffic.wait(20 * MINUTE)
    traffic.create()


def lists_the_wallets_after_the_return(traffic: Traffic) -> None:
    customer, challenge, page = traffic.asked()
    traffic.authorize(challenge, page)
    traffic.wallets(customer, wallet(customer))
    traffic.wait(20 * MINUTE)
    traffic.send("GET", "/v2/wallets/wallet-1", data=wallet(customer))


def verifies_a_moment_later(traffic: Traffic) -> None:
    customer, challenge, page = traffic.asked()
    traffic.authorize(challenge, page)
    traffic.wallets(customer, wallet(customer))
    traffic.verified(customer, challenge)


def lists_after_a_cancelled_challenge(traffic: Traffic) -> None:
    customer, challenge, page = traffic.asked()
    traffic.open(page)
    traffic.enter(page, traffic.back(challenge, "failed"), action="cancel")
    traffic.wallets(customer, wallet(customer))
    traffic.wait(20 * MINUTE)
    traffic.create()


def lists_what_is_empty(traffic: Traffic) -> None:
    customer, challenge, page = traffic.asked()
    traffic.authorize(challenge, page)
    traffic.wallets(customer)


def lists_wallets_of_others(traffic: Traffic) -> None:
    customer, challenge, page = traffic.asked()
    traffic.authorize(challenge, page)
    traffic.wallets("another", wallet("another"))
    traffic.verified(customer, challenge)


def is_still_in_time(traffic: Traffic) -> None:
    _, challenge, page = traffic.asked()
    traffic.authorize(challenge, page)
    traffic.wait(15 * MINUTE)
    traffic.create()


def is_shown_no_result(traffic: Traffic) -> None:
    customer, challenge, page = traffic.asked()
    traffic.authorize(challenge, page)
    traffic.challenge(customer, challenge)
    traffic.wait(20 * MINUTE)
    traffic.create()


def has_an_older_challenge_that_nobody_opened(traffic: Traffic) -> None:
    traffic.asked()
    traffic.wait(20 * MINUTE)
    traffic.create()


def takes_what_is_just_in_time(traffic: Traffic) -> None:
    traffic.wait(timedelta(milliseconds=900))
    traffic.deliver("1", sent=traffic.at - timedelta(seconds=300))
    traffic.deliver("1", sent=traffic.at + timedelta(seconds=300))


def is_not_available(traffic: Traffic) -> None:
    first = traffic.deliver("1")
    traffic.again(first, 503)
    traffic.again(first, 429)
    traffic.again(first, 200)


def takes_a_retry_after_a_failure(traffic: Traffic) -> None:
    first = traffic.deliver("1", answered=500)
    traffic.again(first, 500)
    traffic.again(first, 200)


def refuses_an_old_duplicate(traffic: Traffic) -> None:
    first = traffic.deliver("1")
    traffic.wait(10 * MINUTE)
    traffic.deliveries.append(replace(first, at=traffic.at, answered=401))


def refuses_a_forged_duplicate(traffic: Traffic) -> None:
    traffic.deliver("1", id="a")
    traffic.deliver("1", id="a", secret="another", answered=401)


@pytest.mark.parametrize(
    "right",
    [
        hears_of_the_wallets,
        lists_the_wallets_after_the_return,
        verifies_a_moment_later,
        lists_after_a_cancelled_challenge,
        lists_what_is_empty,
        lists_wallets_of_others,
        is_still_in_time,
        is_shown_no_result,
        has_an_older_challenge_that_nobody_opened,
        takes_what_is_just_in_time,
        is_not_available,
        takes_a_retry_after_a_failure,
        refuses_an_old_duplicate,
        refuses_a_forged_duplicate,
    ],
)
def test_traffic_that_leaves_room_for_a_right_client_breaks_no_rule(
    traffic: Traffic, right: Callable[[Traffic], None]
) -> None:
    right(traffic)
    assert [finding for finding in traffic.judged_whole() if finding.outcome is Outcome.BROKEN] == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"secret": "another", "answered": 401}, {"checks-webhook-signature"}),
        ({"sent": EPOCH_OF_WORLDS - 10 * MINUTE, "answered": 401}, {"checks-webhook-age"}),
        ({"secret": "another", "sent": EPOCH_OF_WORLDS - 10 * MINUTE, "answered": 401}, set()),
        ({"secret": "another", "answered": 500}, set()),
        ({"secret": "another", "answered": 429}, set()),
        ({"headers": (), "answered": 401}, set()),
        ({"answered": 401}, set()),
    ],
)
def test_a_refusal_holds_a_rule_only_if_nothing_else_was_wrong(
    traffic: Traffic, changes: dict[str, Any], expected: set[str]
) -> None:
    traffic.deliver("1", **changes)
    findings = traffic.judged_whole()
    assert held(findings) == rules(*expected)
    assert not broken(findings)


def test_what_no_usual_event_shows_names_the_check_that_does(traffic: Traffic) -> None:
    judge = ClientJudge(CREDENTIALS, {})
    traffic.deliver("1")
    skipped = {each.rule: each.reason for each in judge.conclude([], traffic.deliveries)}
    assert set(skipped) == OF_RECEIVERS | rules("survives-duplicates", "survives-reordering")
    assert all("conformance webhooks check planbok --url URL" in reason for reason in skipped.values())
    assert "--probe-url URL" in skipped["planbok.client.survives-duplicates"]
    assert judge.conclude([], []) == []


def test_no_client_rule_is_without_a_wrong_client_but_the_one_that_no_traffic_shows() -> None:
    known = rules(*(rule for rule, _, _ in WRONG), *(rule for rule, _ in WRONG_AS_A_WHOLE))
    assert known == CLIENT_RULES - OF_RECEIVERS - rules("survives-reordering")


# ----------------------------------------------------------------------------------------- any order of permitted calls


class RightClient:
    """Does what the documents ask in whatever order it is told to; the API answers as it likes.

    Args:
        draw: What draws the answers: whether one is 200, 429 or 500.
    """

    def __init__(self, draw: Callable[[st.SearchStrategy[Any]], Any]) -> None:
        self.draw = draw
        self.traffic = Traffic()
        self.ready: dict[str, bool] = {}
        self.set_up: set[str] = set()
        self.pending: dict[str, tuple[str, str, datetime]] = {}
        self.ended: dict[str, tuple[str, str]] = {}

    def call(self, send: Callable[[int], object]) -> None:
        """Send until it is answered well: with growing pauses, at most four times."""
        pause = SECOND
        for _ in range(3):
            status = self.draw(st.sampled_from([200, 200, 200, 429, 500, 0]))
            if status == 200:
                break
            send(status)
            self.traffic.wait(pause)
            pause *= 2
        send(200)

    def one(self, choice: int, among: Sequence[str] | Mapping[str, object]) -> str | None:
        return list(among)[choice % len(among)] if among else None

    def create(self, choice: int) -> None:
        customer, key = self.traffic.ids.draw(12).hex(), self.traffic.new_key()
        body = {"name": "Ada", "refId": str(choice), "idempotencyKey": key}
        data = {"id": customer, "hasPin": False, "hasRecovery": False}
        self.call(lambda status: self.traffic.send("POST", "/v2/customers", body, data=data, status=status))
        self.ready[customer] = False

    def enrol(self, choice: int) -> None:
        customer = self.one(choice, self.ready)
        if customer is None:
            return
        page = f"{PAGES}/{self.traffic.ids.draw(16).hex()}"
        data = {"id": self.traffic.ids.draw(12).hex(), "redirectUrl": page}
        path = f"/v2/customers/{customer}/initialize"
        self.call(lambda status: self.traffic.send("POST", path, {"redirectUrl": OWN_PAGE}, data=data, status=status))
        self.traffic.open(page)
        if choice % 3:
            self.traffic.enter(page, page, new_pin=PIN, new_pin_again=PIN, step="set-pin")
            self.traffic.open(page)
            self.traffic.enter(page, OWN_PAGE, step="set-recovery")
            self.ready[customer] = True

    def read(self, choice: int) -> None:
        customer = self.one(choice, self.ready)
        if customer is not None:
            ready = self.ready[customer]
            data = {"id": customer, "hasPin": ready, "hasRecovery": ready}
            path = f"/v2/customers{'' if choice % 2 else '/' + customer}"
            shown = [data] if choice % 2 else data
            self.call(lambda status: self.traffic.send("GET", path, data=shown, status=status))
            self.set_up |= {customer} if ready else set()

    def ask(self, choice: int) -> None:
        customer = self.one(choice, sorted(self.set_up))
        if customer is None:
            return
        challenge, page = self.traffic.ids.draw(12).hex(), f"{PAGES}/{self.traffic.ids.draw(16).hex()}"
        body = {"blockchains": ["ETH"], "redirectUrl": OWN_PAGE, "idempotencyKey": self.traffic.new_key()}
        data = {"challengeId": challenge, "redirectUrl": page, "status": "pending"}
        path = f"/v2/customers/{customer}/wallet/create"
        self.call(lambda status: self.traffic.send("POST", path, body, data=data, status=status))
        self.pending[challenge] = customer, page, self.traffic.at

    def poll(self, choice: int) -> None:
        challenge = self.one(choice, self.pending)
        if challenge is None:
            return
        customer, _, asked_at = self.pending[challenge]
        if self.traffic.at <= asked_at + 14 * MINUTE:
            path = f"/v2/customers/{customer}/challenges/{challenge}"
            data = {"challengeId": challenge, "status": "pending"}
            self.call(lambda status: self.traffic.send("GET", path, data=data, status=status))

    def visit(self, choice: int) -> None:
        """Have the customer complete or cancel a challenge, and read how it ended."""
        challenge = self.one(choice, self.pending)
        if challenge is None:
            return
        customer, page, asked_at = self.pending.pop(challenge)
        if self.traffic.at > asked_at + 14 * MINUTE:
            return
        status = "failed" if choice % 3 == 0 else "verified"
        self.traffic.open(page)
        self.traffic.enter(page, self.traffic.back(challenge, status))
        if status == "verified" and choice % 2:
            self.receive(customer, challenge)
        self.traffic.challenge(customer, challenge, status, **({"result": [1]} if status == "verified" else {}))
        self.ended[challenge] = customer, status

    def receive(self, customer: str, challenge: str) -> None:
        """Receive what is right, twice, and what is not."""
        delivery = self.traffic.deliver(customer, challenge)
        self.traffic.again(delivery, 200)
        self.traffic.deliver(customer, challenge, secret="another", answered=401)
        self.traffic.deliver(customer, challenge, sent=self.traffic.at - 6 * MINUTE, answered=401)

    def reread(self, choice: int) -> None:
        challenge = self.one(choice, self.ended)
        if challenge is not None:
            customer, status = self.ended.pop(challenge)
            self.traffic.challenge(customer, challenge, status)

    def list_wallets(self, choice: int) -> None:
        customer = self.one(choice, self.ready)
        if customer is not None:
            path = f"/v2/wallets?customerIds={customer}"
            shown = [wallet(customer)]
            self.call(lambda status: self.traffic.send("GET", path, data=shown, status=status))

    def wait(self, choice: int) -> None:
        self.traffic.wait(timedelta(milliseconds=choice**2))


ACTIONS = ["create", "enrol", "read", "ask", "poll", "visit", "reread", "list_wallets", "wait"]


@given(st.data(), st.lists(st.tuples(st.sampled_from(ACTIONS), st.integers(0, 1500)), max_size=20))
def test_no_order_of_permitted_calls_breaks_a_rule(data: st.DataObject, steps: list[tuple[str, int]]) -> None:
    client = RightClient(data.draw)
    for action, choice in [("create", 1), ("enrol", 1), ("read", 0), *steps]:
        getattr(client, action)(choice)
    findings = client.traffic.findings() + client.traffic.judged_whole()
    assert [finding for finding in findings if finding.outcome is Outcome.BROKEN] == []
    assert rules("sends-key", "no-secret-in-url", "sends-user-to-given-url") <= held(findings)


@given(
    st.text(
        st.characters(min_codepoint=0x20, exclude_characters="\\\x7f", exclude_categories=["Cs", "Cc"]), max_size=30
    ),
    st.text(
        st.characters(min_codepoint=0x20, exclude_characters="\\\x7f", exclude_categories=["Cs", "Cc"]), max_size=30
    ),
)
def test_a_page_that_an_http_client_opens_is_the_one_that_was_given(link: str, query: str) -> None:
    url = (
        f"https://Gateway.example/challenges/x{link.replace('/', '').replace('%', '%25')}?t={query.replace('%', '%25')}"
    )
    opened = str(httpx.URL(url))
    traffic = Traffic()
    traffic.ask("1", url=url)
    traffic.open(opened)
    findings = traffic.findings()
    assert not broken(findings) & rules("sends-user-to-given-url")
    assert urlsplit(opened).netloc == "gateway.example"
    assert rules("sends-user-to-given-url") <= held(findings)


# --------------------------------------------------------------------------------------------------- hostile exchanges


PATHS = [
    "/v2/customers",
    "/v2/customers/1",
    "/v2/customers/1/initialize",
    "/v2/customers/1/wallet/create",
    "/v2/customers/1/challenges",
    "/v2/customers/1/challenges/2",
    "/v2/wallets?customerIds=1",
    "/v2/wallets/3",
]
URLS = (
    st.sampled_from([*(API + path for path in PATHS), f"{PAGES}/2"]) | st.text(max_size=40) | st.just("http://[x/v2/")
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just(f"{PAGES}/2")
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "id",
                    "hasPin",
                    "hasRecovery",
                    "challengeId",
                    "redirectUrl",
                    "status",
                    "expiresAt",
                    "result",
                    "wallets",
                    "customer",
                    "data",
                    "event",
                    "idempotencyKey",
                    "blockchains",
                    "accountType",
                    "pin",
                ]
            ),
            inner,
        )
    ),
    max_leaves=8,
)
DEEP = [
    b"[" * 900 + b"]" * 900,
    b'{"data":' * 300 + b"1" + b"}" * 300,
    b"[" * 100_000,
    b'{"a":' * 950 + b"1" + b"}" * 950,
]
BODIES = (
    st.binary(max_size=60)
    | st.builds(lambda value: json.dumps({"data": value}).encode(), VALUES)
    | st.builds(lambda value: json.dumps(value).encode(), VALUES)
    | st.sampled_from(DEEP)
    | st.builds(lambda deep: b'{"blockchains":' + deep + b',"idempotencyKey":' + deep + b"}", st.sampled_from(DEEP))
)
HEADERS = st.dictionaries(
    st.sampled_from(
        [
            "Content-Type",
            "Location",
            "PLANBOK-X-API-KEY",
            "Retry-After",
            ID_HEADER,
            SIGNATURE_HEADER,
            TIMESTAMP_HEADER,
        ]
    ),
    st.text(max_size=20) | st.sampled_from([f"{PAGES}/2", "//[", "9" * 30, "²", "Thu, 15 Jan 2026 12:00:00 -0000"]),
).map(lambda fields: tuple(fields.items()))
REQUESTS = st.builds(Request, HEADERS, BODIES, st.sampled_from(["GET", "POST", "HEAD"]), URLS)
RESPONSES = st.builds(Response, HEADERS, BODIES, st.sampled_from([0, 200, 201, 204, 303, 404, 429, 500]))
TIMES = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)).map(lambda time: time.replace(tzinfo=UTC))  # noqa: DTZ001
EXCHANGES = st.builds(
    Exchange,
    st.uuids().map(str),
    st.none(),
    st.just("first"),
    TIMES,
    st.floats(0, 100),
    REQUESTS,
    RESPONSES,
)
DELIVERIES = st.builds(Delivery, st.just(0), st.just("first"), TIMES, REQUESTS, st.sampled_from([200, 401, 500]))


@given(st.lists(EXCHANGES, min_size=1, max_size=6), st.lists(DELIVERIES, max_size=3))
def test_no_traffic_breaks_the_judge(exchanges: list[Exchange], deliveries: list[Delivery]) -> None:
    findings = client_findings(exchanges, ClientJudge(CREDENTIALS, {}))
    assert {finding.exchange for finding in findings} == {exchange.id for exchange in exchanges}
    for finding in journal_findings(exchanges, deliveries, SECRET):
        assert finding.rule in CLIENT_RULES


def test_nothing_comes_of_no_traffic() -> None:
    assert journal_findings([], [], SECRET) == []
