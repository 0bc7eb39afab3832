"""Every rule for clients is broken by a client that is wrong in exactly that, and by no right one."""

import base64
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from conformance.catalogue import Catalogue, Party
from conformance.clock import EPOCH_OF_WORLDS
from conformance.exchange import Exchange, Request, Response
from conformance.findings import Finding, Outcome
from conformance.ids import Ids
from conformance.judging.journal import client_findings
from conformance.offblocks import api, deviations
from conformance.offblocks.client import (
    DEFAULT_COMPONENTS,
    Client,
    Credentials,
    RequestSigner,
    made_up_credentials,
)
from conformance.offblocks.client_checks import ClientJudge
from conformance.offblocks.deviations import DeviantSigner, Deviation, rules
from conformance.offblocks.wallet import Wallet
from conformance.recording.journal import BREAKS, EXCHANGE, Journal, JournalTransport
from conformance.recording.redaction import Redactor
from conformance.sandbox.remote import Control, World
from conformance.sandbox.server import start
from conformance.specification import Specification
from conformance.standards.message_signatures import key_from_seed
from conformance.standards.wallet_signatures import Encoding, encode

CHAIN = "eip155:300"
WALLET, OTHER = (Wallet.derived(Ids(name), CHAIN) for name in ("wallet", "other"))
CLIENT_RULES = {rule.id for rule in Catalogue.load(api.rules).values() if rule.party is Party.CLIENT}
OF_EVENTS = rules(
    "survives-duplicates",
    "survives-reordering",
    "counts-once",
    "takes-events",
    "takes-any-form",
    "takes-large-events",
    "takes-unknown-events",
)
"""Those that a client's answers to webhooks show, tested beside."""
SPECIFICATION = Specification.load(api.specification)
OTHER_KEY = key_from_seed(Ids("other key").draw(64))


class Between(httpx.BaseTransport):
    """Sends what it is given, but for answers of its own, and for what it rewrites in the answers of others."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self._inner = inner
        self.statuses: list[int] = []
        self.rewrite: Callable[[bytes], bytes] | None = None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self.statuses:
            return httpx.Response(self.statuses.pop(0))
        answer = self._inner.handle_request(request)
        body = answer.read()
        return httpx.Response(answer.status_code, content=self.rewrite(body)) if self.rewrite else answer


class Session:
    """One client in one world; what it sends is judged, and must break the rules that it says and no others."""

    def __init__(self, world: World, sender: httpx.BaseTransport, expected_domain: str | None = None) -> None:
        self.world = world
        self.between = Between(sender)
        self.ids = Ids("session")
        self.credentials = world.credentials("offblocks")["first"]
        self.settings = {"expected_domain": expected_domain} if expected_domain else {}
        base_url = world.base_urls["offblocks"]
        self.journal = Journal("test", world, base_url, SPECIFICATION, Redactor(api.secrets))
        judge = ClientJudge(self.credentials, self.settings)
        self.client = Client(
            base_url,
            Credentials.from_settings(self.credentials),
            transport=JournalTransport(self.between, self.journal, "first", judge),
            clock=world,
            ids=self.ids,
        )

    def findings(self) -> list[Finding]:
        return client_findings(self.journal.exchanges, ClientJudge(self.credentials, self.settings))

    def send(
        self,
        method: str,
        path: str,
        *breaks: str,
        auth: httpx.Auth | None = None,
        deviation: Deviation | None = None,
        **options: Any,
    ) -> Exchange:
        options.setdefault("authorization", self.client.authorization())
        signer = auth or self.client.signer
        response = self.client.send(
            method,
            path,
            auth=DeviantSigner(self.client.signer, deviation) if deviation else signer,
            extensions={BREAKS: rules(*breaks)},
            **options,
        )
        exchange: Exchange = response.extensions[EXCHANGE]
        return exchange

    def create(self, *breaks: str, **options: Any) -> Exchange:
        options.setdefault("idempotency_key", str(self.ids.uuid()))
        if "content" not in options:
            options.setdefault("body", {"chainId": WALLET.account_id, "externalId": str(self.ids.uuid())})
        return self.send("POST", "/v1/customers", *breaks, **options)

    def onboard(self) -> tuple[str, str]:
        created = self.client.create_customer(WALLET.account_id, str(self.ids.uuid()))
        assert created.challenge is not None
        return created.id, created.challenge

    def sign(self, customer: str, challenge: str, *breaks: str, **members: str) -> Exchange:
        """Send a right sign request, but for the `members` that are given."""
        signature = encode(WALLET.sign(base64.b64decode(challenge)), Encoding.BASE64_OF_HEX_TEXT)
        body = {"ownerId": WALLET.account_id, "challenge": challenge, "signature": signature, **members}
        path = f"/v1/customers/{customer}/challenge/sign"
        return self.send("POST", path, *breaks, body=body, idempotency_key=str(self.ids.uuid()))

    def sign_own(self, *breaks: str, **members: str) -> Exchange:
        """Sign the challenge of a new customer."""
        customer, challenge = self.onboard()
        return self.sign(customer, challenge, *breaks, **members)

    def covering(self, *components: str) -> RequestSigner:
        signer = self.client.signer
        return RequestSigner(signer.key, signer.key_id, signer.clock, components)


@pytest.fixture(scope="module")
def control() -> Iterator[Control]:
    with start(apis=[api]) as running:
        control = Control(running.origin)
        yield control
        control.close()


@pytest.fixture(scope="module")
def sender() -> Iterator[httpx.BaseTransport]:
    with httpx.HTTPTransport(verify=False) as sender:
        yield sender


@pytest.fixture
def world(control: Control, request: pytest.FixtureRequest) -> World:
    return World(control, request.node.name, "frozen")


@pytest.fixture
def session(world: World, sender: httpx.BaseTransport) -> Session:
    return Session(world, sender)


def broken(findings: list[Finding]) -> set[str]:
    return {finding.rule for finding in findings if finding.outcome is Outcome.BROKEN}


def held(findings: list[Finding]) -> set[str]:
    return {finding.rule for finding in findings if finding.outcome is Outcome.HELD}


# ---------------------------------------------------------------------------------------------------- the right client


def test_the_right_client_breaks_no_rule_from_creation_to_active(session: Session, world: World) -> None:
    client = session.client
    client.register_webhook("http://127.0.0.1:9/hook")
    session.between.statuses = [503]
    customer, challenge = session.onboard()
    assert client.challenge(customer) == challenge
    client.sign_challenge(customer, WALLET, challenge)
    world.advance(timedelta(hours=2))
    client.simulate_verification(customer)
    world.advance(timedelta(minutes=5))
    assert [each.status for each in client.customers()] == ["active"]
    session.between.rewrite = from_elsewhere
    session.onboard()  # and no signature of what somebody else asks for
    findings = session.findings()
    assert not broken(findings)
    assert held(findings) == CLIENT_RULES - OF_EVENTS - {"offblocks.client.refetches-after-failure"}


def test_a_client_that_fetches_anew_after_a_failure_is_right(session: Session) -> None:
    customer, challenge = session.onboard()
    forged = encode(OTHER.sign(base64.b64decode(challenge)), Encoding.BASE64_OF_HEX_TEXT)
    session.sign(customer, challenge, "owner-signs-the-message", "owner-id", signature=forged)
    session.client.sign_challenge(customer, WALLET, session.client.challenge(customer))
    assert "offblocks.client.refetches-after-failure" in held(session.findings())


@pytest.mark.parametrize("status", [406, 411, 413, 415, 429])
def test_a_request_that_was_not_looked_into_may_come_again(session: Session, status: int) -> None:
    customer, challenge = session.onboard()
    session.between.statuses = [status]
    for _ in range(2):
        session.sign(customer, challenge, "encodes-hex-text", signature="0x12")
    assert "offblocks.client.refetches-after-failure" not in broken(session.findings())


def test_a_client_that_fetches_the_same_challenge_after_a_failure_may_sign_it(session: Session) -> None:
    customer, challenge = session.onboard()
    session.sign(customer, challenge, "encodes-hex-text", signature="0x12")
    old = json.dumps({"challenge": challenge}).encode()
    session.between.rewrite = lambda _body: old
    assert session.client.challenge(customer) == challenge
    session.between.rewrite = None
    assert session.sign(customer, challenge).breaks == frozenset()


def test_a_key_that_was_just_registered_is_the_clients_own(session: Session) -> None:
    key_id = session.client.register_signing_key(OTHER_KEY.public_key())
    session.client.signer.key, session.client.signer.key_id = OTHER_KEY, key_id
    session.client.customers()
    assert not broken(session.findings())


BODY = {"chainId": WALLET.account_id, "externalId": "user-1"}


def within_the_hour(session: Session) -> None:
    customer, challenge = session.onboard()
    session.world.advance(timedelta(hours=1))
    session.sign(customer, challenge)


def with_a_key_of_an_hour_ago(session: Session) -> None:
    session.create(idempotency_key=str(UUID(int=1, version=4)))
    session.world.advance(timedelta(hours=1))
    session.create(idempotency_key=str(UUID(int=1, version=4)))


def an_hour_after_a_failure(session: Session) -> None:
    session.client.authorization()
    session.between.statuses = [503]
    session.create(body=BODY)
    session.world.advance(timedelta(hours=1))
    session.create(body=BODY)


def after_a_conflict(session: Session) -> None:
    key = str(UUID(int=1, version=4))
    session.client.authorization()
    session.between.statuses = [503, 409]
    for _ in range(2):
        session.create(body=BODY, idempotency_key=key)
    session.create(body=BODY)


def at_the_last_second(session: Session) -> None:
    old = session.client.authorization()
    session.world.advance(timedelta(minutes=59, seconds=59))
    session.send("GET", "/v1/customers", authorization=old)


@pytest.mark.parametrize(
    "right",
    [
        lambda session: session.create(deviation=deviations.covers_in_another_order),
        lambda session: session.create(deviation=deviations.digests_with_sha_512),
        lambda session: session.create(auth=session.covering("@method", "@target-uri", "content-digest")),
        lambda session: session.create(headers={"Content-Type": "Application/JSON; charset=utf-8"}),
        lambda session: session.create(body={"chainId": "starknet:SN_MAIN:0x12", "externalId": ""}),
        lambda session: session.create(idempotency_key="A987FBC9-4BED-4078-8F07-9141BA07C9F3"),
        lambda session: [session.create(idempotency_key=str(UUID(int=1, version=4)), body=BODY) for _ in range(2)],
        lambda session: session.send("GET", "/v1/customers?page=2"),
        within_the_hour,
        with_a_key_of_an_hour_ago,
        an_hour_after_a_failure,
        after_a_conflict,
        at_the_last_second,
    ],
)
def test_what_the_documents_leave_open_breaks_no_rule(session: Session, right: Callable[[Session], object]) -> None:
    right(session)
    assert not broken(session.findings())


def test_a_challenge_that_lies_about_its_issue_is_as_old_as_it_was_first_seen(session: Session) -> None:
    session.between.rewrite = dated_back
    customer, challenge = session.onboard()
    session.between.rewrite = None
    session.sign(customer, challenge)
    session.world.advance(timedelta(hours=1, seconds=1))
    session.sign(customer, challenge, "signs-within-the-hour")


@pytest.mark.parametrize("seconds", [-3, 3])
def test_the_hour_of_a_challenge_is_told_by_the_clients_own_clock(session: Session, seconds: int) -> None:
    session.between.rewrite = ahead if seconds > 0 else behind
    customer, challenge = session.onboard()
    session.between.rewrite = None
    session.world.advance(timedelta(minutes=59, seconds=58))
    session.sign(customer, challenge)
    session.world.advance(timedelta(seconds=4))
    session.sign(customer, challenge, "signs-within-the-hour")


def test_a_challenge_that_is_seen_late_is_as_old_as_it_says(session: Session) -> None:
    session.between.rewrite = issued_half_an_hour_before
    customer, challenge = session.onboard()
    session.between.rewrite = None
    session.world.advance(timedelta(minutes=31))
    session.sign(customer, challenge, "signs-within-the-hour")


def in_challenge(body: bytes, change: Callable[[str], str]) -> bytes:
    """The body with its challenge changed."""
    members = json.loads(body)
    if "challenge" in members:
        text = change(base64.b64decode(members["challenge"]).decode())
        members["challenge"] = base64.b64encode(text.encode()).decode()
    return json.dumps(members).encode()


def moved(by: timedelta) -> Callable[[bytes], bytes]:
    """What moves the Issued At of a challenge."""

    def move(found: re.Match[str]) -> str:
        return f"Issued At: {datetime.fromisoformat(found[1]) + by:%Y-%m-%dT%H:%M:%SZ}"

    return lambda body: in_challenge(body, lambda text: re.sub(r"Issued At: (\S+)", move, text))


ahead, behind = moved(timedelta(seconds=3)), moved(timedelta(seconds=-3))
issued_half_an_hour_before = moved(timedelta(minutes=-30))


def dated_back(body: bytes) -> bytes:
    return in_challenge(body, lambda text: text.replace("Issued At: 2026", "Issued At: 2020"))


def from_elsewhere(body: bytes) -> bytes:
    return in_challenge(body, lambda text: text.replace("api.sandbox.offblocks.xyz", "phishing.example"))


def test_the_domain_that_the_settings_name_is_the_only_one(world: World, sender: httpx.BaseTransport) -> None:
    session = Session(world, sender, expected_domain="phishing.example")
    session.between.rewrite = from_elsewhere
    session.sign_own()
    session.between.rewrite = None
    session.sign_own("signs-only-its-own-sign-in")


# --------------------------------------------------------------------------------------------------- the wrong clients


Wrong = Callable[[Session, str], object]
WRONG: list[tuple[str, str, Wrong]] = []


def wrong(rule: str) -> Callable[[Wrong], Wrong]:
    """List a wrong client: its last request breaks `rule` and no other."""

    def enlist(send: Wrong) -> Wrong:
        WRONG.append((rule, send.__name__, send))
        return send

    return enlist


def bent(rule: str, name: str, **options: Any) -> None:
    """List a client whose creation is wrong in what `options` say."""
    WRONG.append((rule, name, lambda session, broken_rule: session.create(broken_rule, **options)))


bent("sends-token", "no_token", authorization=None)
bent("sends-token", "no_scheme", authorization="token")
bent("sends-token", "another_scheme", authorization="Basic dXNlcjpwYXNz")
bent("sends-token", "a_forged_token", authorization="Bearer x.y.z")


@wrong("renews-token-in-time")
def keeps_its_token(session: Session, rule: str) -> None:
    old = session.client.authorization()
    session.world.advance(timedelta(hours=1))
    session.send("GET", "/v1/customers", rule, authorization=old)


@wrong("signs-requests")
def signs_no_get(session: Session, rule: str) -> None:
    session.send("GET", "/v1/customers", rule, auth=httpx.Auth())


@wrong("signs-requests")
def signs_under_another_label(session: Session, rule: str) -> None:
    def relabel(signer: RequestSigner, request: httpx.Request) -> None:
        signer.sign(request)
        request.headers["Signature"] = request.headers["Signature"].replace("sig=", "other=")

    session.send("GET", "/v1/customers", rule, deviation=Deviation("relabel", frozenset(), relabel))


for rule_of_all, signings in {
    "uses-required-algorithm": (
        deviations.signed_with_p256(ec.generate_private_key(ec.SECP256R1())),
        deviations.signed_with_public_key_as_secret,
        deviations.signed_in_der,
    ),
    "signature-verifies": (
        deviations.signs_another_body,
        deviations.signs_another_method,
        deviations.signs_another_path("/v1/customers/1"),
        deviations.signed_by(OTHER_KEY),
        deviations.signed_by(OTHER_KEY, key_id="unknown"),
        deviations.changes_field("Content-Type", "application/json; charset=utf-8"),
    ),
    "signature-is-fresh": (deviations.signed_an_hour_ago, deviations.signed_an_hour_ahead),
    "digests-sent-bytes": (deviations.digests_another_body, deviations.changes_body),
    "digest-algorithm": (deviations.digests_with_md5,),
    "signs-requests": (deviations.unsigned,),
}.items():
    for deviation in signings:
        bent(rule_of_all, deviation.name, deviation=deviation)


@wrong("signature-verifies")
def signs_another_query(session: Session, rule: str) -> None:
    session.send("GET", "/v1/customers?page=2", rule, deviation=deviations.signs_another_query)


@wrong("covers-target")
def leaves_out_the_path(session: Session, rule: str) -> None:
    session.create(rule, auth=session.covering("@method", "content-digest"))


@wrong("covers-target")
def leaves_out_the_method(session: Session, rule: str) -> None:
    session.create(rule, auth=session.covering("@target-uri", "content-digest"))


@wrong("covers-target")
def leaves_out_the_query(session: Session, rule: str) -> None:
    session.send("GET", "/v1/customers?page=2", rule, auth=session.covering("@method", "@path"))


@wrong("covers-body")
def leaves_out_the_digest(session: Session, rule: str) -> None:
    session.create(rule, auth=session.covering(*(set(DEFAULT_COMPONENTS) - {"content-digest"})))


bent("sends-idempotency-key", "no_key", idempotency_key=None)
bent("sends-idempotency-key", "key_is_no_uuid", idempotency_key="user-1")
bent("sends-idempotency-key", "key_in_braces", idempotency_key="{a987fbc9-4bed-4078-8f07-9141ba07c9f3}")


@wrong("sends-idempotency-key")
def simulates_without_a_key(session: Session, rule: str) -> None:
    session.send("PATCH", f"/v1/simulator/customers/{session.onboard()[0]}/verify", rule)


@wrong("fresh-key-per-payload")
def has_one_key_for_all(session: Session, rule: str) -> None:
    session.create(idempotency_key=str(UUID(int=1, version=4)))
    session.create(rule, idempotency_key=str(UUID(int=1, version=4)))


@wrong("same-key-on-retry")
def draws_a_new_key_for_a_repeat(session: Session, rule: str) -> None:
    session.client.authorization()
    session.between.statuses = [500]
    session.create(body=BODY)
    session.create(rule, body=BODY)


bent("sends-json", "sends_text", headers={"Content-Type": "text/plain"})
bent("sends-json", "sends_a_form", headers={"Content-Type": "application/x-www-form-urlencoded"})
for name, content in {
    "no_json": b"chainId=1",
    "no_utf_8": b'{"chainId": "\xff"}',
    "an_array": b"[]",
    "no_external_id": json.dumps({"chainId": WALLET.account_id}).encode(),
    "a_number": json.dumps({"chainId": WALLET.account_id, "externalId": 5}).encode(),
}.items():
    bent("sends-complete-bodies", name, content=content)


@wrong("sends-complete-bodies")
def signs_without_an_owner(session: Session, rule: str) -> None:
    customer, challenge = session.onboard()
    path = f"/v1/customers/{customer}/challenge/sign"
    body = {"challenge": challenge, "signature": "x"}
    session.send("POST", path, rule, body=body, idempotency_key=str(session.ids.uuid()))


for name, chain_id in {
    "sends_an_address": WALLET.address,
    "sends_half_an_address": WALLET.account_id[:-20],
}.items():
    bent("sends-account-id", name, body={"chainId": chain_id, "externalId": "user-1"})
for name, chain_id in {
    "sends_lower_case": WALLET.account_id.lower(),
    "sends_a_wrong_checksum": f"{CHAIN}:0x{WALLET.address[2:].swapcase()}",
}.items():
    bent("sends-checksummed-address", name, body={"chainId": chain_id, "externalId": "user-1"})


@wrong("signs-within-the-hour")
def signs_an_old_challenge(session: Session, rule: str) -> None:
    customer, challenge = session.onboard()
    session.world.advance(timedelta(hours=1, seconds=1))
    session.sign(customer, challenge, rule)


@wrong("returns-challenge-unchanged")
def returns_another_text(session: Session, rule: str) -> None:
    customer, challenge = session.onboard()
    session.sign(customer, base64.b64encode(base64.b64decode(challenge) + b"\n").decode(), rule)


@wrong("returns-challenge-unchanged")
def returns_another_customers_challenge(session: Session, rule: str) -> None:
    (_, challenge), (customer, _) = session.onboard(), session.onboard()
    session.sign(customer, challenge, rule)


@wrong("signs-only-its-own-sign-in")
def signs_for_another_domain(session: Session, rule: str) -> None:
    session.between.rewrite = from_elsewhere
    customer, challenge = session.onboard()
    session.between.rewrite = None
    session.sign(customer, challenge, rule)


@wrong("signs-only-its-own-sign-in")
def signs_what_has_no_grammar(session: Session, rule: str) -> None:
    session.between.rewrite = lambda body: in_challenge(body, lambda text: f"{text}\nand I owe you 100 ETH")
    customer, challenge = session.onboard()
    session.between.rewrite = None
    session.sign(customer, challenge, rule)


def encodes_as(encoding: Encoding) -> Wrong:
    def send(session: Session, rule: str) -> None:
        customer, challenge = session.onboard()
        signature = encode(WALLET.sign(base64.b64decode(challenge)), encoding)
        session.sign(customer, challenge, rule, signature=signature)

    return send


WRONG += [
    ("encodes-hex-text", encoding, encodes_as(encoding))
    for encoding in Encoding
    if encoding is not Encoding.BASE64_OF_HEX_TEXT
]


@wrong("owner-signs-the-message")
def has_another_wallet_sign(session: Session, rule: str) -> None:
    customer, challenge = session.onboard()
    signature = encode(OTHER.sign(base64.b64decode(challenge)), Encoding.BASE64_OF_HEX_TEXT)
    session.sign(customer, challenge, rule, signature=signature, ownerId=OTHER.account_id)


@wrong("owner-id")
def names_another_owner(session: Session, rule: str) -> None:
    session.sign_own(rule, ownerId=OTHER.account_id)


@wrong("owner-id")
def writes_one_digit_otherwise(session: Session, rule: str) -> None:
    session.sign_own(rule, ownerId=f"{CHAIN}:{WALLET.address[:-1]}{'0' if WALLET.address[-1] != '0' else '1'}")


@wrong("owner-id")
def names_no_owner(session: Session, rule: str) -> None:
    session.sign_own(rule, ownerId="the owner")


@wrong("refetches-after-failure")
def signs_the_refused_challenge_again(session: Session, rule: str) -> None:
    customer, challenge = session.onboard()
    session.sign(customer, challenge, "encodes-hex-text", signature="0x12")
    session.sign(customer, challenge, rule)


@wrong("no-secret-in-url")
def puts_its_token_into_the_url(session: Session, rule: str) -> None:
    token = session.client.authorization().removeprefix("Bearer ")
    session.send("GET", f"/v1/customers?token={token}", rule)


@wrong("no-secret-in-url")
def puts_its_secret_into_the_url(session: Session, rule: str) -> None:
    session.send("GET", f"/v1/customers?secret={session.credentials['api_secret']}", rule)


@pytest.mark.parametrize(("rule", "name", "send"), WRONG, ids=[f"{rule}-{name}" for rule, name, _ in WRONG])
def test_a_wrong_client_breaks_its_rule_and_no_other(session: Session, rule: str, name: str, send: Wrong) -> None:
    assert name
    send(session, rule)
    last = session.journal.exchanges[-1]
    assert last.breaks == rules(rule)
    told = [finding for finding in session.findings() if finding.exchange == last.id]
    (finding,) = (finding for finding in told if finding.outcome is Outcome.BROKEN)
    assert finding.rule in last.breaks
    assert finding.where.startswith("request ")
    assert finding.expected
    assert finding.got


def test_no_client_rule_is_without_a_wrong_client() -> None:
    assert {f"offblocks.client.{rule}" for rule, _, _ in WRONG} == CLIENT_RULES - OF_EVENTS


@pytest.mark.parametrize(
    ("components", "excused"),
    [
        (DEFAULT_COMPONENTS, set()),
        (("@method", "@target-uri", "content-digest"), set()),
        (("@method", "@target-uri", "content-digest;bs"), set()),
        (("@method", "@path", "content-digest"), {"covers-target"}),
        (("@path", "@query", "content-digest"), {"covers-target"}),
        (("@method", "@target-uri"), {"covers-body"}),
        (("date",), {"covers-body", "covers-target"}),
    ],
)
def test_what_the_settings_leave_uncovered_is_excused(components: Sequence[str], excused: set[str]) -> None:
    set_so = {"components": " ".join(components)}
    assert ClientJudge(made_up_credentials(Ids("judge")), set_so).excused == rules(*excused)


def test_a_finding_never_repeats_a_secret(session: Session) -> None:
    puts_its_secret_into_the_url(session, "no-secret-in-url")
    assert session.credentials["api_secret"] not in str(session.findings())


# --------------------------------------------------------------------------------------------------- hostile exchanges


def judge() -> ClientJudge:
    return ClientJudge(made_up_credentials(Ids("judge")), {})


def exchange(
    method: str, path: str, body: Mapping[str, Any], answer: Mapping[str, Any], at: datetime = EPOCH_OF_WORLDS
) -> Exchange:
    match = SPECIFICATION.match(method, path)
    return Exchange(
        "test#1",
        match.operation.id if match else None,
        "first",
        at,
        0.0,
        Request((), json.dumps(body).encode(), method, f"https://api.example{path}"),
        Response((), json.dumps(answer).encode(), 200),
        parameters=match.parameters if match else {},
    )


def test_a_signature_that_recovers_to_nobody_holds_nothing() -> None:
    one_line = base64.b64encode(b"one line").decode()
    nobody = encode(bytes(65), Encoding.BASE64_OF_HEX_TEXT)
    body = {"ownerId": "nobody:", "challenge": one_line, "signature": nobody}
    findings = client_findings([exchange("POST", "/v1/customers/1/challenge/sign", body, {})], judge())
    assert {"offblocks.client.owner-signs-the-message", "offblocks.client.owner-id"} <= broken(findings)


def test_a_challenge_in_the_answer_to_a_repeated_creation_was_issued() -> None:
    exchanges = []
    for text in ("one", "two"):
        made = exchange("POST", "/v1/customers", {"chainId": "none"}, {"id": "1", "challenge": text})
        exchanges.append(replace(made, request=replace(made.request, headers=(("Idempotency-Key", "one"),))))
    for text in ("one", "two", "three"):
        body = {"ownerId": "nobody:", "challenge": text, "signature": "none"}
        exchanges.append(replace(exchange("POST", "/v1/customers/1/challenge/sign", body, {}), id=text))
    unchanged = "offblocks.client.returns-challenge-unchanged"
    found = [finding for finding in client_findings(exchanges, judge()) if finding.rule == unchanged]
    assert [(finding.exchange, finding.outcome is Outcome.HELD) for finding in found] == [
        ("one", True),
        ("two", True),
        ("three", False),
    ]


@given(
    st.sampled_from(["/v1/customers", "/v1/customers/1/challenge/sign", "/v1/auth/token", "/v1/auth/signing"]),
    st.binary(max_size=60),
    st.dictionaries(
        st.sampled_from(
            ["Signature", "Signature-Input", "Content-Digest", "Content-Type", "Idempotency-Key", "Authorization"]
        ),
        st.text(st.characters(max_codepoint=255), max_size=40)
        | st.just('sig=("@method");created=1;alg="ecdsa-p384-sha384";keyid="x"')
        | st.just(f"sig=:{base64.b64encode(bytes(96)).decode()}:"),
    ),
)
def test_no_request_breaks_the_judge(path: str, body: bytes, headers: dict[str, str]) -> None:
    sent = Request(tuple(headers.items()), body, "POST", f"https://api.example{path}")
    match = SPECIFICATION.match("POST", path)
    operation, parameters = (match.operation.id, match.parameters) if match else (None, {})
    assert judge().request(sent, operation, parameters, EPOCH_OF_WORLDS)


@given(st.binary(max_size=120), st.binary(max_size=70) | st.text(), st.text(max_size=60))
def test_no_sign_request_breaks_the_judge(challenge: bytes, signature: bytes | str, owner: str) -> None:
    text = base64.b64encode(challenge).decode()
    signed = signature if isinstance(signature, str) else encode(signature, Encoding.BASE64_OF_BYTES)
    created = exchange("POST", "/v1/customers", {"chainId": WALLET.account_id}, {"id": "1", "challenge": text})
    body = {"ownerId": owner, "challenge": text, "signature": signed}
    sign = exchange("POST", "/v1/customers/1/challenge/sign", body, {})
    findings = client_findings([created, replace(sign, id="test#2"), replace(sign, id="test#3")], judge())
    assert "offblocks.client.signs-only-its-own-sign-in" in broken(findings)


@given(
    st.binary(max_size=60)
    | st.builds(
        lambda value: json.dumps(value).encode(),
        st.dictionaries(
            st.sampled_from(["id", "challenge", "token", "expiresAt", "keyId"]),
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.lists(st.none()),
        ),
    ),
    st.sampled_from(["/v1/customers", "/v1/customers/1/challenge/sign", "/v1/auth/token", "/v1/auth/signing"]),
)
def test_no_answer_breaks_the_judge(body: bytes, path: str) -> None:
    method = "PUT" if path.endswith("signing") else "POST"
    told = replace(exchange(method, path, {"publicKey": "x"}, {}), response=Response((), body, 200))
    findings = client_findings([told, told], judge())
    assert {finding.exchange for finding in findings} == {told.id}
