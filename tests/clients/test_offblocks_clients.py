"""A client of OffBlocks that knows nothing of ours, right under every permitted variation; and wrong ones of it.

Each wrong client is named by its sin and names the rules that it breaks: the sandbox finds these and no others.
"""

import base64
import hashlib
import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any, ClassVar
from urllib.parse import urlencode

import coincurve
import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, HashAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from eth_hash.auto import keccak

from conformance.catalogue import Catalogue, Party
from conformance.ids import Ids
from conformance.offblocks import api
from conformance.offblocks.provocations import BreaksOnceOnEachCreation, SendsTheFirstEventSecond
from conformance.sandbox.behaviour import declared_changes, provocations
from conformance.sandbox.faults import Fault, Variation
from conformance.sandbox.remote import World

Answering = Callable[[Callable[[BaseHTTPRequestHandler], None]], AbstractContextManager[str]]
Broken = Callable[[World, str], set[str]]
KEY = coincurve.PrivateKey(bytes([7]) * 32)
OTHER_ACCOUNT = "eip155:300:0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
UNRECORDED = {"signs-only-its-own-sign-in", "survives-duplicates", "survives-reordering", "takes-events"}
"""What a recording of requests leaves open: webhooks are not in it, nor does it tell which domains are the API's."""
VARIATIONS = {name for name, change in declared_changes(api).items() if issubclass(change, Variation)}
NOT_SEEN = {
    f"offblocks.client.{name}"
    for name in ("counts-once", "takes-any-form", "takes-large-events", "takes-unknown-events")
}
"""The rules that no traffic shows; tests/receivers has a wrong receiver for each."""


def address_of(key: coincurve.PrivateKey) -> str:
    plain = keccak(key.public_key.format(compressed=False)[1:])[-20:].hex()
    digest = keccak(plain.encode()).hex()
    return "0x" + "".join(
        letter.upper() if int(nibble, 16) > 7 else letter for letter, nibble in zip(plain, digest, strict=False)
    )


class RightClient:
    """What a newcomer writes from the documents: nothing of it is the suite's own."""

    breaks: ClassVar[set[str]] = set()
    """The last parts of the ids of the rules that it breaks."""
    unrecorded: ClassVar[set[str]] = set()
    """Those of them that a recording leaves open."""
    server: ClassVar[type[Fault] | str | None] = None
    """How the server must behave for this to be seen, if not as usual."""
    domain: ClassVar[str | None] = None
    """The domain that must ask for a signature; None for any."""

    def __init__(self, world: World, http: httpx.Client) -> None:
        own = world.credentials("offblocks")["first"]
        self.world, self.http, self.own, self.ids = world, http, own, Ids("a foreign client")
        self.base_url = world.base_urls["offblocks"]
        key = load_pem_private_key(own["signing_key"].encode(), password=None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        self.key = key
        self.token = ""
        self.events: list[dict[str, Any]] = []

    # Each of these is what one wrong client or another does otherwise.

    def created(self) -> int:
        return int(self.world.now().timestamp())

    def new_key(self) -> str | None:
        return str(self.ids.uuid())

    def authorization(self) -> str | None:
        return f"Bearer {self.token}"

    def content(self, document: Any) -> bytes:
        return json.dumps(document).encode()

    def content_type(self) -> str:
        return "application/json"

    def content_encoding(self) -> str | None:
        return None

    def key_parameter(self) -> str:
        return f';keyid="{self.own["signing_key_id"]}"'

    def digest(self, body: bytes) -> str | None:
        return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"

    def covered(self, names: list[str]) -> list[str]:
        return names

    def hash(self) -> HashAlgorithm:
        return SHA384()

    def raw(self, der: bytes) -> bytes:
        r, s = decode_dss_signature(der)
        return r.to_bytes(48, "big") + s.to_bytes(48, "big")

    def path(self, path: str) -> str:
        return path

    def account(self) -> str:
        return f"eip155:300:{address_of(KEY)}"

    def external_id(self) -> Any:
        return str(self.ids.uuid())

    def message(self, challenge: str) -> bytes:
        return base64.b64decode(challenge)

    def wallet_signature(self, challenge: str) -> str:
        text = self.message(challenge)
        signed = KEY.sign_recoverable(
            keccak(b"\x19Ethereum Signed Message:\n" + str(len(text)).encode() + text), hasher=None
        )
        return "0x" + (signed[:64] + bytes([signed[64] + 27])).hex()

    def encoded(self, signature: str) -> str:
        return base64.b64encode(signature.encode()).decode()

    def returned(self, challenge: str) -> str:
        return challenge

    def owner(self) -> str:
        return self.account()

    def wants_to_sign(self, challenge: str) -> bool:
        lines = base64.b64decode(challenge).decode().split("\n")
        domain, _, asks = lines[0].partition(" ")
        ours = lines[1].lower() == address_of(KEY).lower() and (self.domain is None or domain == self.domain)
        return ours and asks == "wants you to sign in with your Ethereum account:"

    # What it sends.

    def log_in(self) -> None:
        asked = {"apiKey": self.own["api_key"], "apiSecret": self.own["api_secret"]}
        self.token = self.http.post(f"{self.base_url}/v1/auth/token", json=asked).json()["token"]

    def call(self, method: str, path: str, document: Any = None, key: str | None = None) -> httpx.Response:
        url = httpx.URL(f"{self.base_url}/v1{self.path(path)}")
        headers = {"authorization": self.authorization()}
        body = b"" if document is None else self.content(document)
        if method != "GET":
            headers["idempotency-key"] = key or self.new_key()
        if body:
            headers |= {"content-type": self.content_type(), "content-digest": self.digest(body)}
            headers["content-encoding"] = self.content_encoding()
        sent = {name: value for name, value in headers.items() if value is not None}
        sent |= self.signature(method, url, sent)
        return self.http.request(method, url, headers=sent, content=body or None)

    def signature(self, method: str, url: httpx.URL, headers: dict[str, str]) -> dict[str, str]:
        values = {"@method": method, "@path": url.raw_path.decode().partition("?")[0], **headers}
        if url.query:
            values["@query"] = f"?{url.query.decode()}"
        covered = self.covered([name for name in values if name != "content-type"])
        names = " ".join(f'"{name}"' for name in covered)
        said = f'({names});created={self.created()}{self.key_parameter()};alg="ecdsa-p384-sha384"'
        lines = [f'"{name}": {values[name]}' for name in covered]
        base = "\n".join([*lines, f'"@signature-params": {said}'])
        signature = self.raw(self.key.sign(base.encode(), ec.ECDSA(self.hash())))
        return {"signature-input": f"sig={said}", "signature": f"sig=:{base64.b64encode(signature).decode()}:"}

    def create(self) -> dict[str, Any]:
        key, document = self.new_key(), {"chainId": self.account(), "externalId": self.external_id()}
        answer = self.call("POST", "/customers", document, key)
        if answer.status_code >= 500:
            answer = self.call("POST", "/customers", document, self.key_again(key))
        created: dict[str, Any] = answer.json() if answer.is_success else {}
        return created

    def key_again(self, key: str | None) -> str | None:
        return key

    def sign(self, customer: str, challenge: str) -> httpx.Response | None:
        if not self.wants_to_sign(challenge):
            return None
        signature = self.encoded(self.wallet_signature(challenge))
        document = {"ownerId": self.owner(), "challenge": self.returned(challenge), "signature": signature}
        return self.call("POST", f"/customers/{customer}/challenge/sign", document)

    def receive(self, event: dict[str, Any]) -> int:
        """Take an event, and answer it with a status."""
        self.events.append(event)
        return 200

    def run(self) -> None:
        """Bring a customer from creation to verification, as far as the server goes along."""
        self.log_in()
        created = self.create()
        if not created:
            return
        customer, challenge = created["id"], created["challenge"]
        self.world.advance(timedelta(seconds=1))
        if self.sign(customer, challenge) is None:
            return
        self.call("GET", f"/customers/{customer}")
        self.call("PATCH", f"/simulator/customers/{customer}/verify")
        self.call("GET", "/customers")


# ------------------------------------------------------------------------------------------------- the wrong clients


class SendsNoToken(RightClient):
    breaks: ClassVar = {"sends-token"}

    def authorization(self) -> None:
        return None


class KeepsAnExpiredToken(RightClient):
    breaks: ClassVar = {"renews-token-in-time"}

    def run(self) -> None:
        self.log_in()
        self.world.advance(timedelta(minutes=61))
        self.call("GET", "/customers")


class DoesNotSign(RightClient):
    breaks: ClassVar = {"signs-requests"}

    def signature(self, method: str, url: httpx.URL, headers: dict[str, str]) -> dict[str, str]:
        return {}


class SignsInDer(RightClient):
    breaks: ClassVar = {"uses-required-algorithm"}

    def raw(self, der: bytes) -> bytes:
        return der


class SignsWithSha256(RightClient):
    breaks: ClassVar = {"signature-verifies"}

    def hash(self) -> HashAlgorithm:
        return SHA256()


class SignsBeforeItChangesTheKey(RightClient):
    breaks: ClassVar = {"signature-verifies"}

    def signature(self, method: str, url: httpx.URL, headers: dict[str, str]) -> dict[str, str]:
        signed = super().signature(method, url, headers)
        return {**signed, **({"idempotency-key": str(self.ids.uuid())} if method != "GET" else {})}


class CoversNoPath(RightClient):
    breaks: ClassVar = {"covers-target"}

    def covered(self, names: list[str]) -> list[str]:
        return [name for name in names if name != "@path"]


class CoversNoDigest(RightClient):
    breaks: ClassVar = {"covers-body"}

    def covered(self, names: list[str]) -> list[str]:
        return [name for name in names if name != "content-digest"]


class SaysThatItSignedAnHourAgo(RightClient):
    breaks: ClassVar = {"signature-is-fresh"}

    def created(self) -> int:
        return super().created() - 3_600


class SaysWhenInMilliseconds(RightClient):
    breaks: ClassVar = {"signature-is-fresh"}

    def created(self) -> int:
        return super().created() * 1_000


class DigestsPrettyPrintedJson(RightClient):
    breaks: ClassVar = {"digests-sent-bytes"}

    def digest(self, body: bytes) -> str | None:
        return super().digest(json.dumps(json.loads(body), indent=2).encode())


class SendsNoDigest(RightClient):
    breaks: ClassVar = {"digests-sent-bytes"}

    def digest(self, body: bytes) -> None:
        return None


class DigestsWithMd5(RightClient):
    breaks: ClassVar = {"digest-algorithm"}

    def digest(self, body: bytes) -> str:
        return f"md5=:{base64.b64encode(hashlib.md5(body).digest()).decode()}:"  # noqa: S324  (wrong on purpose)


class SendsNoIdempotencyKey(RightClient):
    breaks: ClassVar = {"sends-idempotency-key"}

    def new_key(self) -> None:
        return None


class NumbersItsKeys(RightClient):
    breaks: ClassVar = {"sends-idempotency-key"}

    def new_key(self) -> str:
        return self.ids.draw(4).hex()


class UsesOneKeyForAll(RightClient):
    breaks: ClassVar = {"fresh-key-per-payload"}

    def new_key(self) -> str:
        return "c0ffee00-0000-4000-8000-000000000000"


class RepeatsWithAnotherKey(RightClient):
    breaks: ClassVar = {"same-key-on-retry"}
    server = BreaksOnceOnEachCreation

    def key_again(self, key: str | None) -> str | None:
        return self.new_key()


class SendsPlainText(RightClient):
    breaks: ClassVar = {"sends-json"}

    def content_type(self) -> str:
        return "text/plain"


class SendsANumberAsExternalId(RightClient):
    breaks: ClassVar = {"sends-complete-bodies"}

    def external_id(self) -> int:
        return 42


class SendsABareAddress(RightClient):
    breaks: ClassVar = {"sends-account-id"}

    def account(self) -> str:
        return address_of(KEY)


class SendsAddressesInLowerCase(RightClient):
    breaks: ClassVar = {"sends-checksummed-address"}

    def account(self) -> str:
        return super().account().lower()


class SignsWhenTheHourIsOver(RightClient):
    breaks: ClassVar = {"signs-within-the-hour"}

    def sign(self, customer: str, challenge: str) -> httpx.Response | None:
        self.world.advance(timedelta(minutes=61))
        self.log_in()
        return super().sign(customer, challenge)


class AddsALineToTheChallenge(RightClient):
    breaks: ClassVar = {"returns-challenge-unchanged"}

    def returned(self, challenge: str) -> str:
        return base64.b64encode(self.message(challenge)).decode()

    def message(self, challenge: str) -> bytes:
        return super().message(challenge) + b"\n"


class SignsForAStranger(RightClient):
    breaks: ClassVar = {"signs-only-its-own-sign-in"}
    server = "AsksForAnotherDomain"

    def wants_to_sign(self, challenge: str) -> bool:
        return True


class EncodesTheBytes(RightClient):
    breaks: ClassVar = {"encodes-hex-text"}

    def encoded(self, signature: str) -> str:
        return base64.b64encode(bytes.fromhex(signature.removeprefix("0x"))).decode()


class SignsTheBase64Text(RightClient):
    breaks: ClassVar = {"owner-signs-the-message"}

    def message(self, challenge: str) -> bytes:
        return challenge.encode()


class NamesAnotherOwner(RightClient):
    breaks: ClassVar = {"owner-id"}

    def owner(self) -> str:
        return OTHER_ACCOUNT


class SignsTheRefusedChallengeAgain(RightClient):
    breaks: ClassVar = {"encodes-hex-text", "refetches-after-failure"}

    def encoded(self, signature: str) -> str:
        return signature

    def sign(self, customer: str, challenge: str) -> httpx.Response | None:
        super().sign(customer, challenge)
        return super().sign(customer, challenge)


class SendsTheTokenInTheUrl(RightClient):
    breaks: ClassVar = {"no-secret-in-url"}

    def path(self, path: str) -> str:
        return f"{path}?token={self.token}"


class StumblesOverRepetitions(RightClient):
    breaks: ClassVar = {"survives-duplicates"}
    server = "SendsEventsTwice"

    def receive(self, event: dict[str, Any]) -> int:
        return 500 if event in self.events else super().receive(event)


class RefusesOlderEvents(RightClient):
    breaks: ClassVar = {"survives-reordering"}
    server = SendsTheFirstEventSecond

    def receive(self, event: dict[str, Any]) -> int:
        is_older = any(event["updatedAt"] < each["updatedAt"] for each in self.events)
        return 409 if is_older else super().receive(event)


class SendsDecodedChallenges(RightClient):
    breaks: ClassVar = {"returns-challenge-unchanged"}

    def returned(self, challenge: str) -> str:
        return base64.b64decode(challenge).decode()


class SendsForms(RightClient):
    breaks: ClassVar = {"sends-json"}

    def content(self, document: Any) -> bytes:
        return urlencode(document).encode()

    def content_type(self) -> str:
        return "application/x-www-form-urlencoded"


class WritesUtf16(RightClient):
    breaks: ClassVar = {"sends-complete-bodies"}

    def content(self, document: Any) -> bytes:
        return json.dumps(document).encode("utf-16")


class BeginsWithAByteOrderMark(RightClient):
    breaks: ClassVar = {"sends-complete-bodies"}

    def content(self, document: Any) -> bytes:
        return json.dumps(document).encode("utf-8-sig")


class SignsTheChallengeOfAnotherCustomer(RightClient):
    breaks: ClassVar = {"returns-challenge-unchanged"}

    def account(self) -> str:
        return self.other or super().account()

    def run(self) -> None:
        self.log_in()
        self.other = OTHER_ACCOUNT
        strange = self.create()["challenge"]
        self.other = ""
        created = self.create()
        signature = self.encoded(self.wallet_signature(strange))
        document = {"ownerId": self.owner(), "challenge": strange, "signature": signature}
        self.call("POST", f"/customers/{created['id']}/challenge/sign", document)

    other = ""


class NamesTheApiKeyAsItsKey(RightClient):
    breaks: ClassVar = {"signature-verifies"}
    unrecorded: ClassVar = {"signature-verifies"}

    def key_parameter(self) -> str:
        return f';keyid="{self.own["api_key"]}"'


class ForwardsEventsToItsLogin(RightClient):
    breaks: ClassVar = {"takes-events"}

    def receive(self, event: dict[str, Any]) -> int:
        return 302


WRONG = RightClient.__subclasses__()


PROVOKING = (BreaksOnceOnEachCreation, SendsTheFirstEventSecond, "AsksForAnotherDomain", "NamesAnotherAddress")


def run(kind: type[RightClient], world: World, http: httpx.Client, answering: Answering, server: Any) -> None:
    """Have a client bring a customer as far as the server goes along, and receive what comes of it."""
    if server in VARIATIONS:
        world.variations(server)
    elif server is not None:
        world.faults(server)
    client = kind(world, http)

    def answer(handler: BaseHTTPRequestHandler) -> None:
        event = json.loads(handler.rfile.read(int(handler.headers["Content-Length"])))
        handler.send_response(client.receive(event))
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    with answering(answer) as url:
        world.set_webhook(url)
        client.run()
        world.advance(timedelta(seconds=1))


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.__name__)
def test_a_wrong_client_breaks_its_rules_and_no_others(
    judged: World,
    http: httpx.Client,
    answering: Answering,
    broken: Broken,
    recording: Callable[..., Any],
    wrong: type[RightClient],
) -> None:
    run(wrong, judged, http, answering, wrong.server)
    assert broken(judged, "offblocks") == wrong.breaks
    recorded = recording(judged, "offblocks", given=True)
    assert recorded.broken(recorded.log, "client") == wrong.breaks - wrong.unrecorded - UNRECORDED
    assert recorded.broken(recorded.exported(), "client") <= wrong.breaks


def test_each_rule_has_a_wrong_client() -> None:
    rules = {rule.id for rule in Catalogue.load(api.rules).values() if rule.party is Party.CLIENT}
    assert {f"offblocks.client.{name}" for wrong in WRONG for name in wrong.breaks} == rules - NOT_SEEN


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
    assert broken(judged, "offblocks") == set()
    recorded = recording(judged, "offblocks")
    for start in range(len(recorded.log) if variation is None else 2):
        exported = recorded.exported(start)
        assert recorded.broken(exported, "client") | recorded.broken(exported, "provider") == set()


@pytest.mark.parametrize("server", [*PROVOKING])
def test_the_right_client_breaks_none_with_a_server_that_provokes(
    judged: World, http: httpx.Client, answering: Answering, broken: Broken, server: Any
) -> None:
    class CarefulClient(RightClient):
        domain = "api.sandbox.offblocks.xyz"

    run(CarefulClient, judged, http, answering, server)
    assert broken(judged, "offblocks") == set()
    (shown,) = (set(each.provokes) for each in provocations(api).values() if server in {each, each.__name__})
    assert {rule["verdict"] for rule in judged.findings()["rules"] if rule["id"] in shown} == {"pass"}
