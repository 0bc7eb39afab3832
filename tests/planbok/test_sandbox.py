"""The reference Planbok over HTTP: the flow, the hosted page's protections, its worlds, its webhooks."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from conformance.planbok import api
from conformance.planbok.pin_agent import PinAgent
from conformance.planbok.webhooks import verify
from conformance.sandbox.remote import Control, World
from conformance.sandbox.server import start
from conformance.targets.receiver import Mailbox, Receiver

PIN, OTHER = "246810", "135790"
ANSWERS = ("Anna", "Elm & Oak Street ü")
RETURN = "https://app.example/back?step=verify"
CHAINS = ["ETH-SEPOLIA", "BTC-TESTNET", "SOL-TESTNET", "NEAR-TESTNET"]
_WORLDS = count()


@dataclass
class Organization:
    """One organization in one world, by plain HTTP."""

    world: World
    http: httpx.Client
    tenant: str = "first"

    def browser(self) -> PinAgent:
        return PinAgent(self.http._transport)

    @property
    def keys(self) -> dict[str, str]:
        return dict(self.world.credentials("planbok")[self.tenant])

    def send(self, method: str, path: str, document: Any = None, key: str = "api_key") -> httpx.Response:
        url = self.world.base_urls["planbok"] + path
        return self.http.request(method, url, json=document, headers={"PLANBOK-X-API-KEY": self.keys[key]})

    def data(self, method: str, path: str, document: Any = None) -> Any:
        response = self.send(method, path, document)
        assert response.is_success, response.text
        return response.json()["data"]

    def customer(self) -> str:
        return str(self.data("POST", "/v2/customers", {"name": "Ann", "refId": "user-1"})["id"])

    def asked(self, customer: str, task: str) -> dict[str, Any]:
        found: dict[str, Any] = self.data("POST", f"/v2/customers/{customer}/{task}", {"redirectUrl": RETURN})
        return found

    def ready(self) -> tuple[str, PinAgent]:
        customer, agent = self.customer(), self.browser()
        agent.set_up(self.asked(customer, "initialize")["redirectUrl"], PIN, ANSWERS)
        return customer, agent

    def wallets_asked(self, customer: str, **members: Any) -> dict[str, Any]:
        document = {"blockchains": CHAINS, "accountType": "eoa", "redirectUrl": RETURN, **members}
        found: dict[str, Any] = self.data("POST", f"/v2/customers/{customer}/wallet/create", document)
        return found

    def status(self, customer: str, challenge: dict[str, Any]) -> str:
        return str(self.data("GET", f"/v2/customers/{customer}/challenges/{challenge['challengeId']}")["status"])

    def wallets(self, customer: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.data("GET", f"/v2/wallets?customerIds={customer}&limit=100")
        return found


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


def new_world(control: Control) -> World:
    return World(control, f"test-{next(_WORLDS)}", "frozen")


@pytest.fixture
def organization(control: Control, http: httpx.Client) -> Organization:
    return Organization(new_world(control), http)


@pytest.fixture
def mailbox(organization: Organization) -> Iterator[Mailbox]:
    receiver = Receiver()
    mailbox = receiver.mailbox("test", organization.world)
    organization.world.set_webhook(mailbox.url)
    yield mailbox
    receiver.close()


def opened(http: httpx.Client, challenge: dict[str, Any]) -> tuple[str, dict[str, str], str]:
    """A page's address, the hidden fields of its form and its cookie."""
    response = http.get(challenge["redirectUrl"])
    cookie = response.headers["set-cookie"].partition(";")[0]
    http.cookies.clear()
    hidden = dict(part.partition('" value="')[::2] for part in _between(response.text, '<input type="hidden" name="'))
    return challenge["redirectUrl"], hidden, cookie


def _between(text: str, start: str) -> list[str]:
    return [part.partition('">')[0] for part in text.split(start)[1:]]


class TestTheFlow:
    def test_goes_from_a_customer_to_wallets(self, organization: Organization) -> None:
        customer, agent = organization.ready()
        challenge = organization.wallets_asked(customer)
        page = agent.authorize(challenge["redirectUrl"], PIN)
        query = parse_qs(urlsplit(page.returned_to or "").query)
        assert query == {"step": ["verify"], "challengeId": [challenge["challengeId"]], "status": ["verified"]}
        shown = organization.data("GET", f"/v2/customers/{customer}/challenges/{challenge['challengeId']}")
        assert [wallet["blockchain"] for wallet in shown["result"]["wallets"]] == CHAINS
        assert sorted(w["address"] for w in organization.wallets(customer)) == sorted(
            w["address"] for w in shown["result"]["wallets"]
        )

    def test_replaces_a_pin_by_the_present_one_and_by_the_answers(self, organization: Organization) -> None:
        customer, agent = organization.ready()
        agent.change_pin(organization.asked(customer, "update-pin")["redirectUrl"], PIN, OTHER)
        first = organization.wallets_asked(customer)
        agent.authorize(first["redirectUrl"], PIN)
        assert organization.status(customer, first) == "pending"
        agent.authorize(first["redirectUrl"], OTHER)
        assert organization.status(customer, first) == "verified"
        reset = organization.asked(customer, "reset-pin")
        agent.reset_pin(reset["redirectUrl"], (" anna ", "elm &  OAK street Ü"), PIN)
        assert organization.status(customer, reset) == "verified"

    def test_answers_a_repeated_idempotency_key_alike_and_refuses_it_for_something_else(
        self, organization: Organization
    ) -> None:
        key = "0b9f2c1e-8a53-4f6d-9c1a-6a7f0d1f2e3b"
        document = {"name": "Ann", "refId": "1", "idempotencyKey": key}
        first, again = (organization.send("POST", "/v2/customers", document) for _ in range(2))
        other = organization.send("POST", "/v2/customers", {**document, "refId": "2"})
        assert first.json()["data"]["id"] == again.json()["data"]["id"]
        assert other.status_code == 409
        assert "idempotencyKey" in other.json()["message"]

    @pytest.mark.parametrize(
        ("document", "said"),
        [
            ({}, "'blockchains' must be an array"),
            ({"blockchains": []}, "is empty"),
            ({"blockchains": ["ETH", "ETH"]}, "twice"),
            ({"blockchains": ["DOGE"]}, "'DOGE'"),
            ({"blockchains": ["ETH"], "accountType": "sca"}, "'sca'"),
            ({"blockchains": ["ETH"], "redirectUrl": "javascript:alert(1)"}, "absolute http or https URL"),
            ({"blockchains": ["ETH"], "redirectUrl": "https://app.example/\r\nX: 1"}, "absolute http or https URL"),
            ({"blockchains": ["ETH"], "metadata": [{}, {}]}, "one object"),
            ({"blockchains": ["ETH"], "idempotencyKey": "1"}, "UUID of version 4"),
            ([], "must be a JSON object"),
        ],
    )
    def test_says_what_is_wrong_with_a_request_for_wallets(
        self, organization: Organization, document: Any, said: str
    ) -> None:
        customer, _ = organization.ready()
        response = organization.send("POST", f"/v2/customers/{customer}/wallet/create", document)
        assert response.status_code == 400
        assert said in response.json()["message"]
        assert response.json()["success"] is False

    def test_derives_keys_that_differ_between_customers_and_are_alike_in_a_world_of_the_same_seed(
        self, control: Control, http: httpx.Client
    ) -> None:
        found = []
        for _ in range(2):
            organization = Organization(World(control, "the same seed", "frozen"), http)
            for _ in range(2):
                customer, agent = organization.ready()
                agent.authorize(organization.wallets_asked(customer)["redirectUrl"], PIN)
                found.append([wallet["address"] for wallet in organization.wallets(customer)])
        assert found[:2] == found[2:]
        assert not set(found[0]) & set(found[1])


class TestTheLife:
    def test_of_a_challenge_ends_after_15_minutes(self, organization: Organization) -> None:
        customer, agent = organization.ready()
        challenge = organization.wallets_asked(customer)
        organization.world.advance(timedelta(minutes=14, seconds=59))
        assert organization.status(customer, challenge) == "pending"
        organization.world.advance(timedelta(seconds=1))
        assert organization.status(customer, challenge) == "failed"
        page = agent.authorize(challenge["redirectUrl"], PIN)
        assert (page.status, page.form) == (410, None)
        assert organization.wallets(customer) == []

    def test_of_a_result_ends_15_minutes_after_completion(self, organization: Organization) -> None:
        customer, agent = organization.ready()
        challenge = organization.wallets_asked(customer)
        organization.world.advance(timedelta(minutes=14))
        agent.authorize(challenge["redirectUrl"], PIN)
        path = f"/v2/customers/{customer}/challenges/{challenge['challengeId']}"
        organization.world.advance(timedelta(minutes=14, seconds=59))
        assert "result" in organization.data("GET", path)
        organization.world.advance(timedelta(seconds=1))
        assert "result" not in organization.data("GET", path)
        assert organization.data("GET", path)["status"] == "verified"

    def test_of_a_lock_out_ends_after_30_minutes(self, organization: Organization) -> None:
        customer, agent = organization.ready()
        challenge = organization.wallets_asked(customer)
        for left in (4, 3, 2, 1):
            page = agent.authorize(challenge["redirectUrl"], OTHER)
            assert page.status == 422
            assert str(left) in page.text
        page = agent.authorize(challenge["redirectUrl"], OTHER)
        assert (page.status, page.form) == (423, None)
        assert organization.status(customer, challenge) == "failed"
        later = organization.wallets_asked(customer)
        assert agent.authorize(later["redirectUrl"], PIN).status == 423
        organization.world.advance(timedelta(minutes=30))
        last = organization.wallets_asked(customer)
        agent.authorize(last["redirectUrl"], PIN)
        assert organization.status(customer, last) == "verified"

    def test_of_a_lock_out_is_cut_short_by_a_reset(self, organization: Organization) -> None:
        customer, agent = organization.ready()
        challenge = organization.wallets_asked(customer)
        for _ in range(5):
            agent.authorize(challenge["redirectUrl"], OTHER)
        agent.reset_pin(organization.asked(customer, "reset-pin")["redirectUrl"], ANSWERS, OTHER)
        again = organization.wallets_asked(customer)
        agent.authorize(again["redirectUrl"], OTHER)
        assert organization.status(customer, again) == "verified"


class TestThePage:
    def test_is_protected_by_its_headers(self, organization: Organization, http: httpx.Client) -> None:
        customer, _ = organization.ready()
        response = http.get(organization.wallets_asked(customer)["redirectUrl"])
        policy = response.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "form-action 'self' https://app.example" in policy
        assert "unsafe" not in policy
        assert response.headers["x-frame-options"] == "DENY"
        assert response.headers["cache-control"] == "no-store"
        assert "HttpOnly" in response.headers["set-cookie"]
        assert "SameSite=Lax" in response.headers["set-cookie"]

    def test_takes_no_form_from_elsewhere(self, organization: Organization, http: httpx.Client) -> None:
        customer, _ = organization.ready()
        url, hidden, cookie = opened(http, challenge := organization.wallets_asked(customer))
        _, foreign, _ = opened(http, organization.wallets_asked(customer))
        right = {**hidden, "pin": PIN, "action": "continue"}
        for data, headers in (
            (right, {}),
            (right, {"Cookie": "visit=0123"}),
            ({**right, "csrf": foreign["csrf"]}, {"Cookie": cookie}),
            ({**right, "csrf": ""}, {"Cookie": cookie}),
            (right, {"Cookie": cookie, "Sec-Fetch-Site": "cross-site"}),
        ):
            assert http.post(url, data=data, headers=headers).status_code == 403
        assert organization.status(customer, challenge) == "pending"
        assert http.post(url, data=right, headers={"Cookie": cookie}).status_code == 303
        assert organization.status(customer, challenge) == "verified"

    def test_is_not_used_up_by_being_looked_at(self, organization: Organization, http: httpx.Client) -> None:
        customer, agent = organization.ready()
        challenge = organization.wallets_asked(customer)
        assert http.head(challenge["redirectUrl"]).content == b""
        assert http.get(challenge["redirectUrl"]).status_code == 200
        assert http.put(challenge["redirectUrl"]).status_code == 405
        agent.authorize(challenge["redirectUrl"], PIN)
        assert organization.status(customer, challenge) == "verified"

    def test_shows_no_page_behind_a_guessed_link(self, organization: Organization, http: httpx.Client) -> None:
        gateway = organization.world.base_urls["gateway"]
        assert http.get(f"{gateway}/challenges/{'0' * 32}").status_code == 404
        assert http.get(f"{gateway}/elsewhere").status_code == 404

    def test_takes_a_form_once(self, organization: Organization, http: httpx.Client) -> None:
        customer, _ = organization.ready()
        url, hidden, cookie = opened(http, organization.wallets_asked(customer))
        data = {**hidden, "pin": PIN, "action": "continue"}
        first = http.post(url, data=data, headers={"Cookie": cookie})
        again = http.post(url, data=data, headers={"Cookie": cookie})
        assert (first.status_code, again.status_code) == (303, 200)
        assert len(organization.wallets(customer)) == len(CHAINS)

    def test_asks_for_the_pin_again_in_another_browser(self, organization: Organization) -> None:
        customer, agent = organization.customer(), organization.browser()
        challenge = organization.asked(customer, "initialize")
        page = agent.open(challenge["redirectUrl"])
        page = agent.submit(page, {"new_pin": PIN, "new_pin_again": PIN})
        assert page.step == "set-recovery"
        assert organization.browser().open(challenge["redirectUrl"]).step == "verify"
        assert organization.data("GET", f"/v2/customers/{customer}")["hasPin"] is True
        assert organization.data("GET", f"/v2/customers/{customer}")["hasRecovery"] is False

    def test_keeps_hashes_alone(self, organization: Organization, http: httpx.Client) -> None:
        customer, agent = organization.ready()
        page = agent.authorize(organization.wallets_asked(customer)["redirectUrl"], PIN)
        assert PIN not in (page.returned_to or "")
        assert PIN not in http.get(organization.wallets_asked(customer)["redirectUrl"]).text

    def test_shows_how_it_ended_where_there_is_nowhere_to_return_to(self, organization: Organization) -> None:
        customer, agent = organization.ready()
        challenge = organization.wallets_asked(customer, redirectUrl=None)
        page = agent.authorize(challenge["redirectUrl"], PIN)
        assert (page.status, page.form, page.returned_to) == (200, None, None)

    def test_returns_who_cancels(self, organization: Organization) -> None:
        customer, agent = organization.ready()
        challenge = organization.wallets_asked(customer)
        page = agent.cancel(challenge["redirectUrl"])
        assert "status=failed" in (page.returned_to or "")
        assert agent.open(challenge["redirectUrl"]).form is None
        assert organization.status(customer, challenge) == "failed"


class TestWorlds:
    def test_do_not_share_clocks_faults_or_customers(self, control: Control, http: httpx.Client) -> None:
        one, two = (Organization(new_world(control), http) for _ in range(2))
        (customer, agent), (other, other_agent) = one.ready(), two.ready()
        challenge, other_challenge = one.wallets_asked(customer), two.wallets_asked(other)
        one.world.advance(timedelta(hours=2))
        one.world.faults("AcceptsAnyPin")
        assert one.status(customer, challenge) == "failed"
        assert two.status(other, other_challenge) == "pending"
        assert other_agent.authorize(other_challenge["redirectUrl"], OTHER).status == 422
        assert two.status(other, other_challenge) == "pending"
        agent.authorize(one.wallets_asked(customer)["redirectUrl"], OTHER)
        assert len(one.wallets(customer)) == len(CHAINS)
        assert two.wallets(other) == []
        assert two.send("GET", f"/v2/customers/{customer}").status_code == 404
        swapped = other_challenge["redirectUrl"].replace(two.world.base_urls["gateway"], one.world.base_urls["gateway"])
        assert http.get(swapped).status_code == 404

    def test_do_not_know_the_keys_of_another(self, control: Control, http: httpx.Client) -> None:
        one, two = (Organization(new_world(control), http) for _ in range(2))
        url = f"{two.world.base_urls['planbok']}/v2/customers"
        assert http.get(url, headers={"PLANBOK-X-API-KEY": one.keys["api_key"]}).status_code == 401


class TestWebhooks:
    def test_come_signed_in_order(self, organization: Organization, mailbox: Mailbox) -> None:
        customer, agent = organization.ready()
        agent.authorize(organization.wallets_asked(customer)["redirectUrl"], PIN)
        deliveries = mailbox.received(at_least=2 + len(CHAINS))
        events = [
            verify(
                delivery.request.headers,
                delivery.request.body,
                organization.keys["webhook_secret"],
                now=organization.world.now(),
            )
            for delivery in deliveries
        ]
        assert [event.kind for event in events] == [
            "customer.created",
            "customer.pin_setup",
            *["wallet.created"] * len(CHAINS),
        ]
        assert len({event.id for event in events}) == len(events)
        assert b", " not in deliveries[0].request.body

    def test_are_tried_again_ever_later_with_a_fresh_signature(
        self, organization: Organization, mailbox: Mailbox
    ) -> None:
        mailbox.answer_with(500, 302, 404)
        organization.customer()
        assert len(mailbox.received(at_least=1)) == 1
        counts = []
        for seconds in (4, 1, 9, 1, 19, 1, 3600):
            organization.world.advance(timedelta(seconds=seconds))
            counts.append(len(mailbox.received()))
        assert counts == [1, 2, 2, 3, 3, 4, 4]
        tries = mailbox.received()
        assert [delivery.answered for delivery in tries] == [500, 302, 404, 200]
        assert len({delivery.request.header("X-Webhook-Timestamp") for delivery in tries}) == 4
        assert len({delivery.request.header("X-Webhook-Signature") for delivery in tries}) == 4
        assert len({delivery.request.header("X-Webhook-Id") for delivery in tries}) == 1

    def test_of_another_organization_are_not_sent(self, organization: Organization, mailbox: Mailbox) -> None:
        Organization(organization.world, organization.http, "second").customer()
        organization.customer()
        organization.world.advance(timedelta(seconds=1))
        assert len(mailbox.received(at_least=1)) == 1

    def test_tell_of_a_lock_out_and_of_a_reset(self, organization: Organization, mailbox: Mailbox) -> None:
        customer, agent = organization.ready()
        challenge = organization.wallets_asked(customer)
        for _ in range(5):
            agent.authorize(challenge["redirectUrl"], OTHER)
        agent.reset_pin(organization.asked(customer, "reset-pin")["redirectUrl"], ANSWERS, OTHER)
        kinds = [delivery.request.header("X-Webhook-Event") for delivery in mailbox.received(at_least=5)]
        assert kinds[2:] == ["customer.locked_out", "customer.recovery_initiated", "customer.recovery_completed"]
