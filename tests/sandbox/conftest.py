"""A sandbox for the tests of this folder, a world for each, and a client that does all right, or one thing wrong."""

import base64
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import httpx
import pytest

from conformance.ids import Ids
from conformance.offblocks import api
from conformance.sandbox.remote import Control
from conformance.sandbox.server import RunningSandbox, start
from conformance.standards import message_signatures, personal_message
from conformance.standards.digest_fields import content_digest
from conformance.standards.wallet_signatures import Encoding, encode

CHAIN = "eip155:280"
COMPONENTS = ("@method", "@path", "@query", "content-digest", "content-type", "idempotency-key", "authorization")
_WORLDS = count()


@dataclass
class Wallet:
    key: bytes

    @property
    def address(self) -> str:
        return personal_message.address_of(self.key)

    @property
    def account(self) -> str:
        return f"{CHAIN}:{self.address}"

    def sign(self, challenge: str, encoding: Encoding = Encoding.BASE64_OF_HEX_TEXT) -> str:
        return encode(personal_message.sign(base64.b64decode(challenge), self.key), encoding)


@dataclass
class Client:
    """One tenant in one world."""

    world: "WorldHandle"
    tenant: str
    ids: Ids
    token: str = ""

    @property
    def credentials(self) -> dict[str, str]:
        found: dict[str, str] = self.world.description["tenants"][self.tenant]["offblocks"]
        return found

    def log_in(self) -> None:
        document = {"apiKey": self.credentials["api_key"], "apiSecret": self.credentials["api_secret"]}
        response = self.world.http.post(f"{self.world.base_url}/v1/auth/token", json=document)
        assert response.status_code == 200, response.text
        self.token = response.json()["token"]

    def new_key(self) -> str:
        return str(self.ids.uuid())

    def send(
        self,
        method: str,
        path: str,
        document: Any = None,
        *,
        content: bytes | None = None,
        headers: Mapping[str, str | None] | None = None,
        altered: Mapping[str, str] | None = None,
        altered_content: bytes | None = None,
        components: Sequence[str] = COMPONENTS,
        created: timedelta | None = timedelta(),
        signed: Mapping[str, Any] | None = None,
        sent_as: tuple[str, str] | None = None,
    ) -> httpx.Response:
        """Send a right request, but for what the arguments change: `headers` before signing, `altered` after it."""
        url = self.world.base_url + path
        body = content if content is not None else b"" if document is None else json.dumps(document).encode()
        chosen: dict[str, str | None] = {"authorization": f"Bearer {self.token}"}
        if body:
            chosen |= {"content-type": "application/json", "content-digest": content_digest(body)}
        if method != "GET":
            chosen["idempotency-key"] = self.new_key()
        chosen |= headers or {}
        lines = [(name, value) for name, value in chosen.items() if value is not None]
        options: dict[str, Any] = {
            "key": message_signatures.load_private_key(self.credentials["signing_key"]),
            "key_id": self.credentials["signing_key_id"],
            "components": message_signatures.present(components, method, url, lines),
            "created": None if created is None else self.world.now() + created,
            **(signed or {}),
        }
        lines += message_signatures.sign(method, url, lines, **options)
        lines = [(name, (altered or {}).get(name.lower(), value)) for name, value in lines]
        method, path = sent_as or (method, path)
        sent = altered_content if altered_content is not None else body
        return self.world.http.request(method, self.world.base_url + path, headers=lines, content=sent or None)

    def create(self, wallet: Wallet, external_id: str = "text") -> dict[str, Any]:
        response = self.send("POST", "/v1/customers", {"chainId": wallet.account, "externalId": external_id})
        assert response.status_code == 201, response.text
        created: dict[str, Any] = response.json()
        return created

    def challenge(self, customer: Mapping[str, Any]) -> str:
        response = self.send("GET", f"/v1/customers/{customer['id']}/challenge")
        assert response.status_code == 200, response.text
        return str(response.json()["challenge"])

    def status(self, customer: Mapping[str, Any]) -> str:
        return str(self.send("GET", f"/v1/customers/{customer['id']}").json()["status"])

    def sign(
        self, customer: Mapping[str, Any], wallet: Wallet, *, key: str | None = None, **members: str
    ) -> httpx.Response:
        """Send the wallet's signature of the challenge in `customer`, but for the `members` that are given."""
        document = {
            "ownerId": wallet.account,
            "challenge": customer["challenge"],
            "signature": wallet.sign(customer["challenge"]),
            **members,
        }
        headers = {"idempotency-key": key or self.new_key()}
        return self.send("POST", f"/v1/customers/{customer['id']}/challenge/sign", document, headers=headers)


@dataclass
class WorldHandle:
    """A world as a test commands it, over HTTP."""

    http: httpx.Client
    origin: str
    description: dict[str, Any]
    clients: dict[str, Client] = field(default_factory=dict)

    @property
    def control_url(self) -> str:
        return f"{self.origin}/_sandbox/worlds/{self.description['world']}"

    @property
    def base_url(self) -> str:
        return str(self.description["base_urls"]["offblocks"])

    def control(self, method: str, part: str = "", document: Any = None) -> httpx.Response:
        return self.http.request(method, self.control_url + part, json=document)

    def now(self) -> datetime:
        return datetime.fromisoformat(self.control("GET").json()["clock"])

    def advance(self, **duration: float) -> None:
        response = self.control("POST", "/clock", {"advance_seconds": timedelta(**duration).total_seconds()})
        assert response.status_code == 200, response.text

    def client(self, tenant: str = "first") -> Client:
        client = Client(self, tenant, Ids("test", tenant))
        client.log_in()
        return client


def _make_world(http: httpx.Client, origin: str, **document: Any) -> WorldHandle:
    response = http.post(
        f"{origin}/_sandbox/worlds", json={"seed": f"seed-{next(_WORLDS)}", "clock": "frozen", **document}
    )
    assert response.status_code == 201, response.text
    return WorldHandle(http, origin, response.json())


@pytest.fixture(scope="module")
def control() -> Iterator[Control]:
    with start() as running:
        control = Control(running.origin)
        yield control
        control.close()


@pytest.fixture(scope="session")
def http() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False) as client:
        yield client


@pytest.fixture(scope="session")
def sandbox() -> Iterator[RunningSandbox]:
    with start(apis=[api]) as running:
        yield running


@pytest.fixture
def world(sandbox: RunningSandbox, http: httpx.Client) -> WorldHandle:
    return _make_world(http, sandbox.origin)


@pytest.fixture
def make_world() -> Callable[..., WorldHandle]:
    return _make_world


@pytest.fixture
def client(world: WorldHandle) -> Client:
    return world.client()


@pytest.fixture
def wallet() -> Wallet:
    return Wallet(bytes([7]) * 32)


@pytest.fixture
def other_wallet() -> Wallet:
    return Wallet(bytes([8]) * 32)
