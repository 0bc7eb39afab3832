"""What a world shows of its clients: findings, requests and deliveries, by control routes and by `World`."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any

import httpx
import jsonschema_rs
import pytest

from conformance.api import named
from conformance.clock import SystemClock
from conformance.exchange import Exchange, Request, Response
from conformance.files import data_path
from conformance.ids import Ids
from conformance.judging.traffic import Judged, Traffic
from conformance.offblocks.client import ApiError, Client, Credentials
from conformance.offblocks.wallet import Wallet
from conformance.planbok.client import Client as PlanbokClient
from conformance.planbok.client import Credentials as PlanbokCredentials
from conformance.planbok.client import made_up_credentials
from conformance.sandbox.observation import Observation
from conformance.sandbox.remote import Control, World
from conformance.sandbox.server import start

WALLET = Wallet.derived(Ids("wallet"), "eip155:300")


def check_form(schema: str, value: Any) -> None:
    """Make sure that what a control route answers is in its form."""
    jsonschema_rs.validator_for(json.loads(data_path(f"specs/schemas/{schema}.json").read_bytes())).validate(value)


def verdicts(results: Any) -> dict[str, str]:
    return {rule["id"]: rule["verdict"] for rule in results["rules"]}


def broken(results: Any) -> set[str]:
    return {rule["id"] for rule in results["rules"] if any(finding["held"] is False for finding in rule["findings"])}


@pytest.fixture(scope="module")
def control() -> Iterator[Control]:
    with start() as both:
        control = Control(both.origin)
        yield control
        control.close()


@pytest.fixture
def judged(control: Control, request: pytest.FixtureRequest) -> World:
    return World(control, request.node.nodeid, clock="frozen")


@pytest.fixture
def ours(judged: World) -> Iterator[Client]:
    credentials = Credentials.from_settings(judged.credentials("offblocks")["first"])
    with Client(judged.base_urls["offblocks"], credentials, clock=judged) as client:
        yield client


def test_no_request_waits_while_many_before_it_are_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    judged: list[str] = []
    see = Traffic.see

    def counted(self: Traffic, exchange: Exchange) -> Judged:
        judged.append(exchange.id)
        return see(self, exchange)

    monkeypatch.setattr("conformance.sandbox.observation._MOST_KEPT", 5)
    monkeypatch.setattr(Traffic, "see", counted)
    credentials = {"planbok": {"first": made_up_credentials(Ids("first"))}}
    observation = Observation([named("planbok")], "", {"planbok": []}, lambda: credentials)
    request = Request((), b"", "GET", "http://127.0.0.1/planbok/v2/nothing")
    at = SystemClock().now()
    each_time = []
    for number in range(12):
        before = len(judged)
        observation.note(Exchange(f"#{number}", None, "", at, 0.0, request, Response((), b"", 401)))
        each_time.append(len(judged) - before)
    assert each_time == 5 * [0] + 7 * [1]
    assert [each.exchange.id for each in observation.exchanges()] == ["#7", "#8", "#9", "#10", "#11"]


class TestFindings:
    def test_a_right_client_conforms_and_each_of_its_rules_is_there(self, judged: World, ours: Client) -> None:
        customer = ours.create_customer(WALLET.account_id, "user-1")
        assert customer.challenge is not None
        ours.sign_challenge(customer.id, WALLET, customer.challenge)
        judged.assert_conforms()
        results = judged.findings()
        check_form("results", results)
        assert (results["verdict"], results["target"]) == ("conforms", "traffic")
        assert {rule["party"] for rule in results["rules"]} == {"client"}
        assert list(results["apis"]) == ["offblocks"]
        assert verdicts(results)["offblocks.client.owner-signs-the-message"] == "pass"
        assert verdicts(results)["offblocks.client.refetches-after-failure"] == "untested"
        assert len(results["exchanges"]) == 3

    def test_what_a_wrong_client_breaks_is_named_with_all_that_is_needed_to_mend_it(
        self, judged: World, ours: Client
    ) -> None:
        with httpx.Client(trust_env=False) as plain:
            headers = {"Authorization": ours.authorization(), "Idempotency-Key": "one"}
            plain.post(f"{judged.base_urls['offblocks']}/v1/customers", headers=headers, json={})
        with pytest.raises(AssertionError) as caught:
            judged.assert_conforms()
        said = str(caught.value)
        for part in (
            "offblocks.client.signs-requests (must, documented)",
            "A client signs every authenticated request.",
            "where:    request headers Signature-Input and Signature",
            "expected: a signature",
            "/v1/customers, answered 401",
            "answer:   ",
            "source:   ",
            "https://",
        ):
            assert part in said

    def test_a_world_without_traffic_does_not_conform(self, judged: World) -> None:
        with pytest.raises(AssertionError, match="did it use the base URL of this world"):
            judged.assert_conforms()
        assert list(judged.findings()["apis"]) == ["offblocks", "planbok"]

    def test_inferred_rules_count_if_that_is_asked(self, judged: World) -> None:
        key = judged.credentials("planbok")["first"]["api_key"]
        with httpx.Client(trust_env=False, headers={"PLANBOK-X-API-KEY": key}) as plain:
            plain.get(f"{judged.base_urls['planbok']}/v2/wallets")
        judged.assert_conforms()
        with pytest.raises(AssertionError, match="no-empty-filter"):
            judged.assert_conforms(strict=True)

    def test_each_client_is_judged_by_its_own_credentials(self, judged: World) -> None:
        for tenant in ("first", "second"):
            credentials = Credentials.from_settings(judged.credentials("offblocks")[tenant])
            with Client(judged.base_urls["offblocks"], credentials, clock=judged) as client:
                client.create_customer(WALLET.account_id, tenant)
        judged.assert_conforms()
        identities = [entry["identity"] for entry in judged.requests()]
        assert identities == ["first", "first", "second", "second"]

    def test_what_the_api_does_not_have_is_judged_by_nothing(self, judged: World) -> None:
        with httpx.Client(trust_env=False) as plain:
            plain.get(f"{judged.base_urls['offblocks']}/favicon.ico")
            plain.get(f"{judged.base_urls['offblocks']}/v1/nowhere")
        assert broken(judged.findings()) == set()

    def test_a_token_from_before_a_reset_is_one_that_was_issued(
        self, control: Control, judged: World, ours: Client
    ) -> None:
        ours.customers()
        control.ask("POST", f"{judged._route}/reset")
        ours.customers()
        with httpx.Client(trust_env=False) as plain:
            plain.get(f"{judged.base_urls['offblocks']}/v1/customers", headers={"Authorization": "Bearer x"})
        reused, invented = judged.requests()
        assert (reused["breaks"], reused["response"]["status"]) == ([], 200)
        assert "offblocks.client.sends-token" in invented["breaks"]

    def test_a_client_that_goes_by_the_machines_clock_is_judged_by_it(self, control: Control) -> None:
        world = control.ask("POST", "/worlds", {"seed": "real", "clock": "real"})
        credentials = Credentials.from_settings(world["tenants"]["first"]["offblocks"])
        with Client(world["base_urls"]["offblocks"], credentials, clock=SystemClock()) as client:
            customer = client.create_customer(WALLET.account_id, "user-1")
            control.ask("POST", f"/worlds/{world['world']}/clock", {"advance_seconds": 3_700})
            with pytest.raises(ApiError):
                client.sign_challenge(customer.id, WALLET, customer.challenge or "")
        assert broken(control.ask("GET", f"/worlds/{world['world']}/findings")) == set()

    def test_a_client_that_goes_by_the_worlds_clock_is_judged_by_that(self, judged: World, ours: Client) -> None:
        customer = ours.create_customer(WALLET.account_id, "user-1")
        judged.advance(timedelta(minutes=61))
        with pytest.raises(ApiError):
            ours.sign_challenge(customer.id, WALLET, customer.challenge or "")
        assert broken(judged.findings()) == {"offblocks.client.signs-within-the-hour"}


class TestAdvice:
    @pytest.mark.parametrize(
        ("path", "options", "said"),
        [
            ("/v2/wallets?customerId=1", {}, "Did you mean 'customerIds'?"),
            ("/v2/customers/1?page=1", {}, "No document has the query name 'page' for getCustomer"),
            ("/v2/customers", {"headers": {"Authorization": "Bearer x"}}, "belongs into PLANBOK-X-API-KEY"),
            ("/v2/customers", {"headers": {"Idempotency-Key": "1"}}, "OffBlocks has this header field"),
            ("/v2/customers", {"data": {"refId": "1"}}, "It is a form"),
        ],
    )
    def test_what_is_odd_is_told_and_breaks_nothing(
        self, judged: World, path: str, options: dict[str, Any], said: str
    ) -> None:
        key = judged.credentials("planbok")["first"]["api_key"]
        method = "POST" if "data" in options else "GET"
        with httpx.Client(trust_env=False, headers={"PLANBOK-X-API-KEY": key}) as plain:
            plain.request(method, f"{judged.base_urls['planbok']}{path}", **options)
        (entry,) = judged.requests()
        assert any(said in advice["text"] for advice in entry["advice"])
        assert any(said in remark for remark in judged.findings()["remarks"])

    @pytest.mark.parametrize(("created", "said"), [(None, "has no 'created'"), (10**12, "in milliseconds")])
    def test_so_is_a_signature_without_time_or_in_milliseconds(
        self, judged: World, created: int | None, said: str
    ) -> None:
        time = "" if created is None else f";created={created}"
        headers = {"Signature-Input": f'sig=("@method"){time};keyid="k"', "Signature": "sig=:AAAA:"}
        with httpx.Client(trust_env=False) as plain:
            plain.get(f"{judged.base_urls['offblocks']}/v1/customers", headers=headers)
        (entry,) = judged.requests()
        assert any(said in advice["text"] for advice in entry["advice"])

    def test_a_right_request_gets_none(self, judged: World, ours: Client) -> None:
        ours.create_customer(WALLET.account_id, "user-1")
        ours.customers()
        assert not any(entry["advice"] for entry in judged.requests())


class TestRequests:
    def test_it_has_the_exchanges_of_its_world(self, world: Any, wallet: Any) -> None:
        customer = world.client().create(wallet)
        token, creation = world.control("GET", "/requests").json()
        assert token["request"]["url"] == f"{world.base_url}/v1/auth/token"
        assert creation["at"] == "2026-01-15T12:00:00+00:00"
        assert creation["request"]["method"] == "POST"
        assert wallet.account in creation["request"]["body"]
        assert "signature" in dict(creation["request"]["headers"])
        assert creation["response"]["status"] == 201
        assert customer["id"] in creation["response"]["body"]

    def test_it_keeps_the_last_thousand(self, world: Any) -> None:
        for number in range(1_003):
            world.http.get(f"{world.base_url}/{number}")
        logged = world.control("GET", "/requests").json()
        assert len(logged) == 1_000
        assert logged[0]["request"]["url"].endswith("/3")
        assert logged[-1]["request"]["url"].endswith("/1002")

    def test_each_entry_says_what_it_is_and_what_it_breaks(self, judged: World, ours: Client) -> None:
        with httpx.Client(trust_env=False) as plain:
            plain.get(f"{judged.base_urls['offblocks']}/v1/customers", headers={"Authorization": ours.authorization()})
            plain.post(f"{judged.base_urls['offblocks']}/v1/auth/token", content=b"\xff")
        entries = judged.requests()
        check_form("requests", entries)
        _, unsigned, binary = entries
        assert (unsigned["operation"], unsigned["identity"]) == ("listCustomers", "first")
        assert unsigned["breaks"] == ["offblocks.client.signs-requests"]
        assert "Signature" in unsigned["reason"]
        assert binary["request"]["body_base64"] == "/w=="
        assert datetime.fromisoformat(unsigned["machine_at"]).year > 2026 - 1

    def test_they_are_an_http_archive_if_that_is_asked(self, control: Control, judged: World, ours: Client) -> None:
        ours.create_customer(WALLET.account_id, "user-1")
        with httpx.Client(trust_env=False) as plain:
            plain.post(f"{judged.base_urls['offblocks']}/v1/auth/token", content=b"\xff")
        archive = control.ask("GET", f"{judged._route}/requests?format=har")["log"]
        assert archive["version"] == "1.2"
        token, creation, binary = archive["entries"]
        assert creation["request"]["postData"]["mimeType"] == "application/json"
        assert WALLET.account_id in creation["request"]["postData"]["text"]
        assert creation["response"]["statusText"] == "Created"
        assert (binary["request"]["postData"]["text"], binary["request"]["postData"]["_encoding"]) == ("/w==", "base64")
        assert token["_worldTime"] == "2026-01-15T12:00:00.000Z"

    @pytest.mark.parametrize(
        "route", ["/findings?strikt=1", "/findings?strict=1", "/requests?format=xml", "/deliveries?a"]
    )
    def test_an_unknown_name_or_value_is_refused_with_those_there_are(self, world: Any, route: str) -> None:
        refused = world.control("GET", route)
        assert refused.status_code == 400
        assert any(word in refused.json()["detail"] for word in ("There are: ", "must be ", "This route has none"))

    def test_large_bodies_do_not_pile_up(self, world: Any) -> None:
        for _ in range(20):
            world.http.post(f"{world.base_url}/v1/auth/token", content=b" " * 1_000_000)
        assert 10 < len(world.control("GET", "/requests").json()) < 20


class TestDeliveries:
    def test_each_try_is_told_with_the_answer_and_when_the_next_one_is(
        self,
        judged: World,
        answering: Callable[[Callable[[BaseHTTPRequestHandler], None]], AbstractContextManager[str]],
    ) -> None:
        statuses = [503, 200]

        def answer(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(statuses.pop(0))
            handler.send_header("Content-Length", "0")
            handler.end_headers()

        client = PlanbokClient(
            judged.base_urls["planbok"],
            PlanbokCredentials.from_settings(judged.credentials("planbok")["first"]),
            clock=judged,
        )
        with answering(answer) as url, client:
            judged.set_webhook(url)
            client.create_customer("user-1", "customer@example.com")
            judged.advance(timedelta())
            (waiting,) = judged.deliveries()
            assert (waiting["state"], waiting["tries"][0]["answered"]) == ("waiting for another try", 503)
            assert waiting["next_try"] == "2026-01-15T12:00:05.000000Z"
            judged.advance(timedelta(seconds=5))
        (received,) = judged.deliveries()
        check_form("deliveries", [waiting, received])
        assert (received["state"], received["next_try"]) == ("received", None)
        assert [each["answered"] for each in received["tries"]] == [503, 200]
        assert json.loads(received["body"])["event"] == "customer.created"

    def test_a_receiver_that_does_not_answer_breaks_nothing(self, judged: World) -> None:
        judged.set_webhook("http://127.0.0.1:9/")
        client = PlanbokClient(
            judged.base_urls["planbok"],
            PlanbokCredentials.from_settings(judged.credentials("planbok")["first"]),
            clock=judged,
        )
        with client:
            client.create_customer("user-1", "customer@example.com")
        judged.advance(timedelta(hours=25))
        (event,) = judged.deliveries()
        assert event["tries"][0]["answered"] is None
        assert broken(judged.findings()) == set()
