"""A client that knows nothing of worlds, with the machine's clock, in a world that is moved on or stands still."""

import base64
import hashlib
import json
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from http_message_signatures import HTTPMessageSigner, HTTPSignatureKeyResolver, algorithms

from conformance.clock import SystemClock
from conformance.offblocks.client import Client, Credentials
from conformance.offblocks.wallet import Wallet
from conformance.planbok.webhooks import Inbox
from conformance.sandbox.remote import Control, World
from conformance.targets.receiver import Receiver

HOUR = timedelta(seconds=3602)


class Keys(HTTPSignatureKeyResolver):
    def __init__(self, pem: str) -> None:
        self._key = load_pem_private_key(pem.encode(), password=None)

    def resolve_private_key(self, key_id: str) -> Any:
        return self._key


class PlainClient:
    """What a team may write on httpx: the machine's clock, a token that is renewed once on 401."""

    def __init__(self, base_url: str, credentials: Mapping[str, str]) -> None:
        self._base_url = base_url
        self._credentials = credentials
        self._http = httpx.Client(trust_env=False)
        self._signer = HTTPMessageSigner(
            signature_algorithm=algorithms.ECDSA_P384_SHA384, key_resolver=Keys(credentials["signing_key"])
        )
        self._wallet = Wallet(b"\7" * 32, "eip155:1")
        self._token = ""
        self.renewals = 0

    def close(self) -> None:
        self._http.close()

    def _log_in(self) -> None:
        body = {"apiKey": self._credentials["api_key"], "apiSecret": self._credentials["api_secret"]}
        self._token = self._http.post(f"{self._base_url}/v1/auth/token", json=body).raise_for_status().json()["token"]
        self.renewals += 1

    def send(self, method: str, path: str, body: Any = None, *, ago: timedelta = timedelta()) -> httpx.Response:
        if not self._token:
            self._log_in()
        answer = self._send(method, path, body, ago)
        if answer.status_code == 401:
            self._log_in()
            answer = self._send(method, path, body, ago)
        return answer

    def _send(self, method: str, path: str, body: Any, ago: timedelta) -> httpx.Response:
        content = b"" if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self._token}"}
        covered = ["@method", "@target-uri"]
        if method != "GET":
            headers["Idempotency-Key"] = str(uuid.uuid4())  # noqa: TID251 - a client draws its own
            covered.append("idempotency-key")
        if content:
            headers["Content-Type"] = "application/json"
            headers["Content-Digest"] = f"sha-256=:{base64.b64encode(hashlib.sha256(content).digest()).decode()}:"
            covered.append("content-digest")
        request = self._http.build_request(method, self._base_url + path, content=content or None, headers=headers)
        self._signer.sign(
            request,
            key_id=self._credentials["signing_key_id"],
            created=datetime.now(UTC) - ago,  # noqa: TID251 - the machine's clock is what is tried
            covered_component_ids=covered,
            label="sig",
            use_existing_digest=bool(content),
        )
        return self._http.send(request)

    def onboard(self) -> dict[str, Any]:
        created = self.send("POST", "/v1/customers", {"chainId": self._wallet.account_id, "externalId": "user-1"})
        customer: dict[str, Any] = created.raise_for_status().json()
        return customer

    def sign(self, customer: Mapping[str, Any]) -> httpx.Response:
        challenge = customer["challenge"]
        body = {
            "ownerId": self._wallet.account_id,
            "challenge": challenge,
            "signature": self._wallet.answer(challenge),
        }
        return self.send("POST", f"/v1/customers/{customer['id']}/challenge/sign", body)


@pytest.fixture
def world(control: Control, request: pytest.FixtureRequest) -> World:
    return World(control, request.node.name)


def client_of(world: World) -> PlainClient:
    return PlainClient(world.base_urls["offblocks"], world.credentials("offblocks")["first"])


@pytest.fixture
def client(world: World) -> Iterator[PlainClient]:
    client = client_of(world)
    yield client
    client.close()


def detail(answer: httpx.Response) -> str:
    return str(answer.json()["detail"])


def test_a_customer_signs(client: PlainClient) -> None:
    assert client.sign(client.onboard()).status_code == 204


def test_an_hour_passes_at_once_and_the_challenge_is_over(world: World, client: PlainClient) -> None:
    customer = client.onboard()
    world.advance(HOUR)
    answer = client.sign(customer)
    assert answer.status_code == 400
    assert "The challenge has expired" in detail(answer)
    assert "The clock of this world was moved ahead by 1:00:02." in detail(answer)
    assert client.renewals == 2


def test_the_new_challenge_after_an_hour_can_be_signed(world: World, client: PlainClient) -> None:
    customer = client.onboard()
    world.advance(HOUR)
    challenge = client.send("GET", f"/v1/customers/{customer['id']}/challenge").json()["challenge"]
    assert client.sign({**customer, "challenge": challenge}).status_code == 204


def test_a_token_that_is_over_after_an_advance_says_why(
    control: Control, world: World, client: PlainClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.onboard()
    world.advance(HOUR)
    monkeypatch.setattr(client, "_log_in", lambda: None)
    answer = client.send("GET", "/v1/customers")
    assert answer.status_code == 401
    assert "has expired" in detail(answer)
    assert "moved ahead by 1:00:02" in detail(answer)


def test_an_old_signature_is_told_what_this_world_has_to_do_with_it(world: World, client: PlainClient) -> None:
    client.onboard()
    stale = timedelta(minutes=6)
    assert "clock of this world" not in detail(client.send("GET", "/v1/customers", ago=stale))
    world.advance(HOUR)
    told = detail(client.send("GET", "/v1/customers", ago=stale))
    assert "created 36" in told
    assert told.endswith("The clock of this world was moved ahead by 1:00:02.")


def test_a_world_that_stands_still_says_so_and_what_to_do(control: Control) -> None:
    client = client_of(World(control, "stands still", "frozen"))
    told = detail(client.send("GET", "/v1/customers"))
    client.close()
    assert "The clock of this world stands still at 2026-01-15T12:00:00Z: give your client this time" in told
    assert 'make a world with {"clock": "real"}' in told


def test_a_client_that_takes_the_clock_of_its_world_goes_on_too(world: World) -> None:
    credentials = Credentials.from_settings(world.credentials("offblocks")["first"])
    with Client(world.base_urls["offblocks"], credentials, clock=world.clock) as client:
        client.customers()
        world.advance(HOUR)
        assert client.customers() == []


def test_the_example_client_renews_its_token_once(world: World) -> None:
    credentials = Credentials.from_settings(world.credentials("offblocks")["first"])
    with Client(world.base_urls["offblocks"], credentials) as client:
        client.customers()
        world.advance(HOUR)
        assert client.customers() == []
    statuses = [entry["response"]["status"] for entry in world.requests()]
    assert statuses == [200, 200, 401, 200, 200]


def test_a_webhook_is_dated_as_its_receiver_sees_it(world: World) -> None:
    receiver = Receiver()
    mailbox = receiver.mailbox("planbok", SystemClock())
    world.set_webhook(mailbox.url)
    world.advance(HOUR)
    credentials = world.credentials("planbok")["first"]
    httpx.post(
        f"{world.base_urls['planbok']}/v2/customers",
        headers={"PLANBOK-X-API-KEY": credentials["api_key"]},
        json={"name": "Anna", "refId": "a"},
        trust_env=False,
    ).raise_for_status()
    delivery = mailbox.received(at_least=1)[0]
    receiver.close()
    event = Inbox(credentials["webhook_secret"]).take(delivery.request.headers, delivery.request.body)
    assert event is not None
    assert event.kind == "customer.created"
