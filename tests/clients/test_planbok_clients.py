"""A client of Planbok that knows nothing of ours, right under every permitted variation; and wrong ones of it.

Each wrong client is named by its sin and names the rules that it breaks: the sandbox finds these and no others. The
person at the hosted page is our `PinAgent`.
"""

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, suppress
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any, ClassVar

import httpx
import pytest

from conformance.catalogue import Catalogue, Party
from conformance.clock import EPOCH_OF_WORLDS, SystemClock
from conformance.exchange import Request
from conformance.ids import Ids
from conformance.planbok import api
from conformance.planbok.pin_agent import PageError, PinAgent
from conformance.planbok.provocations import KeepsResultsForAMinute, ThrottlesEachReadTwice
from conformance.sandbox.behaviour import declared_changes
from conformance.sandbox.faults import Fault, Variation
from conformance.sandbox.remote import World

PIN, CHAINS = "482913", ["ETH-SEPOLIA", "SOL-TESTNET"]
OWN_PAGE = "https://our.app/return"
UNRECORDED = {
    *("checks-set-up-first", "checks-webhook-age", "checks-webhook-signature", "sends-user-to-given-url"),
    *("stores-result-in-time", "survives-duplicates", "takes-events", "verifies-status"),
}
"""What a recording of requests leaves open: webhooks are not in it, nor what is learnt from them, nor hosted pages."""
VARIATIONS = {name for name, change in declared_changes(api).items() if issubclass(change, Variation)}
NOT_SEEN = {
    f"planbok.client.{name}"
    for name in (
        "survives-reordering",
        "takes-any-form",
        "takes-large-events",
        "takes-unknown-events",
    )
}
"""The rules that no traffic shows; tests/receivers has a wrong receiver for each."""
DONE = {"verified", "completed", "success", "failed", "expired", "cancelled"}


Answering = Callable[[Callable[[BaseHTTPRequestHandler], None]], AbstractContextManager[str]]
Broken = Callable[[World, str], set[str]]


class RightClient:
    """What a newcomer writes from the documents: nothing of it is the suite's own."""

    breaks: ClassVar[set[str]] = set()
    """The last parts of the ids of the rules that it breaks."""
    server: ClassVar[type[Fault] | str | None] = None
    """How the server must behave for this to be seen, if not as usual."""

    def __init__(self, world: World, http: httpx.Client, agent: PinAgent) -> None:
        self.world, self.http, self.agent, self.ids = world, http, agent, Ids("a foreign client")
        self.own = world.credentials("planbok")["first"]
        self.base_url = world.base_urls["planbok"]
        self.events: list[Mapping[str, Any]] = []

    # Each of these is what one wrong client or another does otherwise.

    def headers(self) -> dict[str, str]:
        return {"PLANBOK-X-API-KEY": self.own["api_key"]}

    def content(self, document: Mapping[str, Any]) -> dict[str, Any]:
        return {"json": document}

    def path(self, path: str) -> str:
        return path

    def new_key(self) -> str | None:
        return str(self.ids.uuid())

    def initial(self) -> dict[str, Any]:
        return {"redirectUrl": OWN_PAGE}

    def wished(self) -> dict[str, Any]:
        return {"blockchains": CHAINS, "redirectUrl": OWN_PAGE}

    def page(self, url: str) -> str:
        return url

    def is_set_up(self, customer: str) -> bool:
        shown = self.read("GET", f"/v2/customers/{customer}") or {}
        return bool(shown.get("hasPin") and shown.get("hasRecovery"))

    def receive(self, request: Request) -> int:
        """The answer to a webhook: 401 unless it is signed over its very bytes, and young."""
        if not self.is_genuine(request):
            return 401
        self.events.append(json.loads(request.body))
        return 200

    def is_genuine(self, request: Request) -> bool:
        sent = request.header("X-Webhook-Timestamp") or ""
        signed = sent.encode() + b"." + request.body
        expected = hmac.new(self.own["webhook_secret"].encode(), signed, hashlib.sha256).hexdigest()
        right = hmac.compare_digest(request.header("X-Webhook-Signature") or "", f"sha256={expected}")
        return right and self.is_young(int(sent))

    def is_young(self, sent: int) -> bool:
        return abs(self.world.now().timestamp() - sent) <= 300

    def after_return(self, customer: str, challenge: str) -> None:
        """What it does when the customer is back: read the challenge until it has ended, then its wallets."""
        for _ in range(3):
            shown = self.read("GET", f"/v2/customers/{customer}/challenges/{challenge}")
            if shown is None or str(shown.get("status", "")).lower() in DONE:
                break
            self.world.advance(timedelta(seconds=20))
        self.wallets(customer)

    def wallets(self, customer: str) -> None:
        self.read("GET", f"/v2/wallets?customerIds={customer}")

    # What it sends.

    def read(self, method: str, path: str, document: Mapping[str, Any] | None = None) -> Any:
        """The payload of an answer, None if it is a refusal; what was throttled is sent again after a pause."""
        url, options = self.base_url + self.path(path), {} if document is None else self.content(document)
        answer = self.http.request(method, url, headers=self.headers(), **options)
        for seconds in (1, 2, 4):
            if answer.status_code == 429:
                self.pause(seconds)
                answer = self.http.request(method, url, headers=self.headers(), **options)
        if answer.status_code >= 500:
            answer = self.http.request(method, url, headers=self.headers(), **options)
        return answer.json().get("data") if answer.is_success else None

    def pause(self, seconds: int) -> None:
        self.world.advance(timedelta(seconds=seconds))

    def keyed(self, document: Mapping[str, Any]) -> Mapping[str, Any]:
        key = self.new_key()
        return document if key is None else {**document, "idempotencyKey": key}

    def run(self) -> None:
        """Bring a customer from creation to wallets, as far as the server goes along."""
        created = self.read("POST", "/v2/customers", self.keyed({"name": "Ada", "refId": str(self.ids.uuid())}))
        if created is None:
            return
        customer = created["id"]
        with suppress(PageError):
            self.set_up(customer)
            self.get_wallets(customer)

    def set_up(self, customer: str) -> None:
        challenge = self.read("POST", f"/v2/customers/{customer}/initialize", self.initial())
        if challenge is not None:
            self.agent.set_up(self.page(challenge["redirectUrl"]), PIN, ("Anna", "Elm Street"))

    def get_wallets(self, customer: str) -> None:
        if not self.is_set_up(customer):
            return
        asked = self.keyed(self.wished())
        challenge = self.read("POST", f"/v2/customers/{customer}/wallet/create", asked)
        if challenge is None:
            return
        self.visit(self.page(challenge["redirectUrl"]))
        self.after_return(customer, challenge.get("challengeId") or challenge["id"])

    def visit(self, url: str) -> None:
        self.agent.authorize(url, PIN)


# ------------------------------------------------------------------------------------------------- the wrong clients


class SendsNoKey(RightClient):
    breaks: ClassVar = {"sends-key"}

    def headers(self) -> dict[str, str]:
        return {}


class SendsTheKeyAsABearerToken(RightClient):
    breaks: ClassVar = {"sends-key"}

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.own['api_key']}"}


class SendsTheKeyInTheUrlToo(RightClient):
    breaks: ClassVar = {"no-secret-in-url"}

    def path(self, path: str) -> str:
        return f"{path}{'&' if '?' in path else '?'}apiKey={self.own['api_key']}"


class SendsThePinToTheApi(RightClient):
    breaks: ClassVar = {"leaves-pin-to-the-page"}

    def initial(self) -> dict[str, Any]:
        return {**super().initial(), "pin": PIN}


class AsksForChainsInOneText(RightClient):
    breaks: ClassVar = {"asks-for-wallets-as-documented"}

    def wished(self) -> dict[str, Any]:
        return {**super().wished(), "blockchains": ",".join(CHAINS)}


class AsksForSmartAccounts(RightClient):
    breaks: ClassVar = {"asks-for-wallets-as-documented"}

    def wished(self) -> dict[str, Any]:
        return {**super().wished(), "accountType": "sca"}


class DoesNotLookAtTheSetUp(RightClient):
    breaks: ClassVar = {"checks-set-up-first"}

    def is_set_up(self, customer: str) -> bool:
        return True


class WritesThePageAnew(RightClient):
    breaks: ClassVar = {"sends-user-to-given-url"}

    def page(self, url: str) -> str:
        return f"{url}?lang=en"


class TrustsTheReturn(RightClient):
    """It has the id of a wallet from an event that it has not taken."""

    breaks: ClassVar = {"verifies-status"}

    def receive(self, request: Request) -> int:
        super().receive(request)
        return 503

    def after_return(self, customer: str, challenge: str) -> None:
        self.world.advance(timedelta())  # which sends what is under way
        wallet = next(event["data"]["id"] for event in self.events if event["event"] == "wallet.created")
        self.read("GET", f"/v2/wallets/{wallet}")


class NeverReadsTheResult(RightClient):
    """Nothing is read until the result is gone, by the clock of the world and by that of the machine."""

    breaks: ClassVar = {"stores-result-in-time"}

    def after_return(self, customer: str, challenge: str) -> None:
        self.world.advance(timedelta(minutes=20))
        Later.passed = timedelta(minutes=20)
        self.read("GET", f"/v2/customers/{customer}")

    def receive(self, request: Request) -> int:
        return 503


class ReadsTheResultAfterAMinute(RightClient):
    breaks: ClassVar = {"stores-result-in-time"}
    server = KeepsResultsForAMinute

    def after_return(self, customer: str, challenge: str) -> None:
        self.world.advance(timedelta(seconds=61))
        Later.passed = timedelta(seconds=61)
        self.read("GET", f"/v2/customers/{customer}/challenges/{challenge}")

    def receive(self, request: Request) -> int:
        return 503


class PollsWithoutAPause(RightClient):
    breaks: ClassVar = {"polls-within-limits"}

    def wallets(self, customer: str) -> None:
        Later.stands = True
        for _ in range(25):
            self.world.advance(timedelta(milliseconds=1))
            super().wallets(customer)


class RepeatsAtOnce(RightClient):
    breaks: ClassVar = {"backs-off"}
    server = ThrottlesEachReadTwice

    def pause(self, seconds: int) -> None:
        Later.stands = True
        self.world.advance(timedelta(milliseconds=1))


class ReadsOnWhenAllIsOver(RightClient):
    breaks: ClassVar = {"stops-polling"}

    def after_return(self, customer: str, challenge: str) -> None:
        for _ in range(4):
            super().after_return(customer, challenge)


class SendsNoIdempotencyKey(RightClient):
    breaks: ClassVar = {"sends-idempotency-key"}

    def new_key(self) -> None:
        return None


class UsesOneKeyForAll(RightClient):
    breaks: ClassVar = {"sends-idempotency-key"}

    def new_key(self) -> str:
        return "c0ffee00-0000-4000-8000-000000000000"


class ListsEverybodysWallets(RightClient):
    breaks: ClassVar = {"no-empty-filter"}

    def wallets(self, customer: str) -> None:
        self.read("GET", f"/v2/wallets?customerId={customer}")


class TakesAnyWebhook(RightClient):
    breaks: ClassVar = {"checks-webhook-signature"}
    server = "SignsWithTheApiKey"

    def is_genuine(self, request: Request) -> bool:
        return True


class VerifiesTheBodyWrittenAgain(RightClient):
    breaks: ClassVar = {"checks-webhook-signature"}
    server = "SignsTheBodyWrittenAgain"

    def is_genuine(self, request: Request) -> bool:
        again = json.dumps(json.loads(request.body), separators=(",", ":"), ensure_ascii=False).encode()
        return super().is_genuine(Request(request.headers, again, request.method, request.url))


class TakesOldWebhooks(RightClient):
    breaks: ClassVar = {"checks-webhook-age"}
    server = "SignsByASlowClock"

    def is_young(self, sent: int) -> bool:
        return True


class StumblesOverRepetitions(RightClient):
    breaks: ClassVar = {"survives-duplicates"}
    server = "SendsEachEventTwice"

    def receive(self, request: Request) -> int:
        again = json.loads(request.body) in self.events
        return 500 if again else super().receive(request)


class ForwardsEventsToItsLogin(RightClient):
    breaks: ClassVar = {"takes-events"}

    def receive(self, request: Request) -> int:
        return 302


class PutsItsKeyIntoTheReturn(RightClient):
    breaks: ClassVar = {"no-secret-in-url"}

    def wished(self) -> dict[str, Any]:
        return {**super().wished(), "redirectUrl": f"{OWN_PAGE}?key={self.own['api_key']}"}


class SendsForms(RightClient):
    breaks: ClassVar = {"sends-json"}

    def content(self, document: Mapping[str, Any]) -> dict[str, Any]:
        return {"data": dict(document)}


class SendsAStringOfJson(RightClient):
    breaks: ClassVar = {"sends-json"}

    def content(self, document: Mapping[str, Any]) -> dict[str, Any]:
        return {"json": json.dumps(document)}


class SendsItsKeyInAnotherHeader(RightClient):
    breaks: ClassVar = {"sends-key"}

    def headers(self) -> dict[str, str]:
        return {"X-API-Key": self.own["api_key"]}


class QuotesItsKey(RightClient):
    breaks: ClassVar = {"sends-key"}

    def headers(self) -> dict[str, str]:
        return {"PLANBOK-X-API-KEY": f'"{self.own["api_key"]}"'}


WRONG = RightClient.__subclasses__()


class Later(SystemClock):
    """The machine's time, later by what a client lets pass; or a time that stands where the worlds begin."""

    passed = timedelta()
    stands = False

    def now(self) -> datetime:
        return EPOCH_OF_WORLDS if Later.stands else super().now() + Later.passed


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let clients pass the time of the machine as the sandbox reads it."""
    for module in ("world", "deliveries"):
        monkeypatch.setattr(f"conformance.sandbox.{module}.SystemClock", Later)
    monkeypatch.setattr(Later, "passed", timedelta())
    monkeypatch.setattr(Later, "stands", False)


def run(kind: type[RightClient], world: World, http: httpx.Client, answering: Answering, server: Any) -> None:
    """Have a client bring a customer to wallets, and receive what comes of it."""
    if server in VARIATIONS:
        world.variations(server)
    elif server is not None:
        world.faults(server)
    with PinAgent() as agent:
        client = kind(world, http, agent)

        def answer(handler: BaseHTTPRequestHandler) -> None:
            body = handler.rfile.read(int(handler.headers["Content-Length"]))
            handler.send_response(client.receive(Request(tuple(handler.headers.items()), body, "POST", handler.path)))
            handler.send_header("Content-Length", "0")
            handler.end_headers()

        with answering(answer) as url:
            world.set_webhook(url)
            client.run()
            world.advance(timedelta(seconds=1))


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.__name__)
def test_a_wrong_client_breaks_its_rules_and_no_others(
    judged: World, http: httpx.Client, answering: Answering, broken: Broken, recording: Callable[..., Any], wrong: Any
) -> None:
    run(wrong, judged, http, answering, wrong.server)
    assert broken(judged, "planbok") == wrong.breaks
    recorded = recording(judged, "planbok", given=True)
    assert recorded.broken(recorded.log, "client") == wrong.breaks - UNRECORDED
    assert recorded.broken(recorded.exported(), "client") <= wrong.breaks


def test_each_rule_has_a_wrong_client_but_the_one_that_no_traffic_shows() -> None:
    rules = {rule.id for rule in Catalogue.load(api.rules).values() if rule.party is Party.CLIENT}
    assert {f"planbok.client.{name}" for wrong in WRONG for name in wrong.breaks} == rules - NOT_SEEN


@pytest.mark.parametrize("variation", [None, *sorted(VARIATIONS)])
def test_the_right_client_breaks_none_under_any_permitted_variation(
    judged: World,
    http: httpx.Client,
    answering: Answering,
    broken: Broken,
    recording: Callable[..., Any],
    variation: str | None,
) -> None:
    run(RightClient, judged, http, answering, variation)
    judged.assert_conforms()
    assert broken(judged, "planbok") == set()
    recorded = recording(judged, "planbok")
    for start in range(len(recorded.log) if variation is None else 2):
        exported = recorded.exported(start)
        assert recorded.broken(exported, "client") | recorded.broken(exported, "provider") == set()


@pytest.mark.parametrize("wrong", [each for each in WRONG if each.server is not None], ids=lambda each: each.__name__)
def test_the_right_client_breaks_none_with_a_server_that_provokes(
    judged: World, http: httpx.Client, answering: Answering, broken: Broken, wrong: Any
) -> None:
    run(RightClient, judged, http, answering, wrong.server)
    assert broken(judged, "planbok") == set()
