"""The rules that are told from exchanges alone: each holds on right exchanges, and is broken by one that is bent."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from hashlib import sha256
from itertools import product
from typing import Any

import pytest
from coincurve import PublicKey
from hypothesis import given
from hypothesis import strategies as st

from conformance.catalogue import Catalogue
from conformance.clock import EPOCH_OF_WORLDS
from conformance.exchange import Delivery, Exchange, Headers, Request, Response
from conformance.files import data_path
from conformance.findings import Finding, Outcome
from conformance.planbok.chains import CHAINS
from conformance.planbok.checks import provider_findings
from conformance.specification import Specification
from conformance.standards.addresses import Family, Kind, address_of, encode_base58
from conformance.standards.hd_keys import Curve, derive_key

SPECIFICATION = Specification.load(data_path("specs/planbok/openapi.yaml"))
CATALOGUE = Catalogue.load(data_path("specs/planbok/rules.yaml"))
API = "https://sandbox.example/planbok"
PAGE = "https://sandbox.example/gateway/challenges/"
OWN_PAGE = "https://shop.example/done?step=verify"
JSON = ("Content-Type", "application/json")
ALICE = "6999f8aea74a2b1bd8855b89"
BOB = "6999f8aea74a2b1bd8855b8a"
STRANGER = "6999f8aea74a2b1bd8855b8f"
ACCOUNTS = {ALICE: 1, BOB: 2}
EVM, OTHER_EVM, BITCOIN, SOLANA, NEAR = "ETH-SEPOLIA", "BASE-SEPOLIA", "BTC-TESTNET", "SOL-TESTNET", "NEAR-TESTNET"
ALL = (EVM, OTHER_EVM, BITCOIN, SOLANA, NEAR)
NOON, ONE, SOON = "2026-01-15T12:00:00.000Z", "2026-01-15T13:00:00.000Z", "2026-01-15T12:00:00.700Z"
NAMED_KEY = "6ba7b810-9dad-41d1-80b4-00c04fd430c8"
OTHER_KEY = "6ba7b811-9dad-41d1-80b4-00c04fd430c8"


def without_gaps(members: Mapping[str, Any]) -> dict[str, Any]:
    """The members but for those that are `...`."""
    return {name: value for name, value in members.items() if value is not ...}


def object_id(*parts: str) -> str:
    return sha256(" ".join(parts).encode()).hexdigest()[:24]


@cache
def key_of(chain: str, owner: str, change: int = 0) -> bytes:
    """The public key of the owner's wallet on a chain."""
    found = CHAINS[chain]
    end = f"{change}'/0'" if found.curve is Curve.ED25519 else f"{change}/0"
    path = f"m/44'/{found.coin_type}'/{ACCOUNTS[owner]}'/{end}"
    return derive_key(b"a seed of thirty-two bytes or so", path, found.curve).public_key


def address_on(chain: str, key: bytes, kind: Kind | None = None) -> str:
    return address_of(key, CHAINS[chain].family, testnet=CHAINS[chain].testnet, kind=kind)


def wallet(chain: str, owner: str = ALICE, **changes: Any) -> dict[str, Any]:
    """The owner's wallet on a chain, but for `changes`; a member that is `...` is left out."""
    if chain not in CHAINS:
        return wallet(EVM, owner) | {"id": object_id(chain, owner), "blockchain": chain} | changes
    key = key_of(chain, owner)
    members = {
        "id": object_id(chain, owner),
        "blockchain": chain,
        "address": address_on(chain, key),
        "publicKey": key.hex(),
        "customer": owner,
        "derivationPath": f"m/44'/{CHAINS[chain].coin_type}'/{ACCOUNTS[owner]}'/0/0",
    }
    return without_gaps({**members, **changes})


def wallets(owner: str = ALICE, chains: Sequence[str] = ALL, **changes: Any) -> list[dict[str, Any]]:
    return [wallet(chain, owner, **changes) for chain in chains]


def customer(owner: str = ALICE, **changes: Any) -> dict[str, Any]:
    members = {
        "id": owner,
        "name": f"Name of {owner}",
        "refId": f"ref-{owner}",
        "hasPin": False,
        "hasRecovery": False,
        "createdAt": NOON,
    }
    return without_gaps({**members, **changes})


def challenge(name: str, **changes: Any) -> dict[str, Any]:
    identifier = object_id("challenge", name)
    members = {"challengeId": identifier, "redirectUrl": PAGE + object_id("link", name), "status": "pending"}
    return without_gaps({**members, **changes})


def answer(data: Any, status: int = 200, **changes: Any) -> dict[str, Any]:
    return without_gaps({"success": True, "status": status, "message": "So.", "data": data, **changes})


def refusal(status: int, **changes: Any) -> dict[str, Any]:
    return without_gaps({"success": False, "status": status, "message": "No.", **changes})


@dataclass(frozen=True)
class Step:
    """A request and its answer.

    Args:
        method: The method.
        path: The path below the base URL, or a whole URL.
        answer: What the answer holds as JSON, None for no body.
        status: Its status.
        sent: What the request holds as JSON.
        body: The answer's bytes instead of `answer`.
    """

    method: str
    path: str
    answer: Any = None
    status: int = 200
    sent: Mapping[str, Any] | None = None
    identity: str = "first"
    headers: Headers = (JSON,)
    body: bytes | None = None
    breaks: frozenset[str] = frozenset()
    at: datetime = EPOCH_OF_WORLDS

    def exchange(self, number: int) -> Exchange:
        found = SPECIFICATION.match(self.method, self.path.partition("?")[0])
        body = b"" if self.answer is None else json.dumps(self.answer).encode()
        return Exchange(
            id=f"test#{number}",
            operation=found.operation.id if found else None,
            parameters=found.parameters if found else {},
            identity=self.identity,
            at=self.at,
            seconds=0.0,
            request=Request(
                (JSON,),
                json.dumps(self.sent).encode() if self.sent is not None else b"",
                self.method,
                self.path if found is None else API + self.path,
            ),
            response=Response(self.headers, body if self.body is None else self.body, self.status),
            breaks=self.breaks,
        )


def create(owner: str = ALICE, **changes: Any) -> Step:
    sent = {"name": f"Name of {owner}", "refId": f"ref-{owner}"}
    return Step("POST", "/v2/customers", answer(customer(owner, **changes), 201), 201, sent)


def read(owner: str = ALICE, **changes: Any) -> Step:
    return Step("GET", f"/v2/customers/{owner}", answer(customer(owner, **changes)))


def ask(name: str, owner: str = ALICE, chains: Sequence[str] = ALL, **changes: Any) -> Step:
    """A request for wallets, answered with the challenge of that name but for `changes`."""
    sent = {"blockchains": list(chains), "redirectUrl": OWN_PAGE, "metadata": [{"name": name}]}
    return Step("POST", f"/v2/customers/{owner}/wallet/create", answer(challenge(name, **changes), 201), 201, sent)


def follow(name: str, owner: str = ALICE, **changes: Any) -> Step:
    """A reading of a challenge, pending but for `changes`."""
    shown = challenge(name, **changes)
    return Step("GET", f"/v2/customers/{owner}/challenges/{object_id('challenge', name)}", answer(shown))


def verified(name: str, *found: Mapping[str, Any], owner: str = ALICE, **changes: Any) -> Step:
    return follow(name, owner, status="verified", result={"wallets": list(found)}, **changes)


def listing(*found: Any, of: str | None = ALICE, query: str = "", identity: str = "first") -> Step:
    """A list of wallets, filtered by customers unless `of` is None."""
    asked = "&".join(part for part in (f"customerIds={of}" if of is not None else "", query) if part)
    return Step("GET", f"/v2/wallets?{asked}", answer(list(found)), identity=identity)


def single(found: Mapping[str, Any]) -> Step:
    return Step("GET", f"/v2/wallets/{found['id']}", answer(found))


def later(body: object, minutes: int) -> Delivery:
    """A webhook that comes some minutes after all else, signed at that time."""
    at = EPOCH_OF_WORLDS + timedelta(minutes=minutes)
    return replace(delivery(body, ("X-Webhook-Timestamp", str(int(at.timestamp())))), at=at)


def event(kind: str = "wallet.created", data: Any = None, **changes: Any) -> dict[str, Any]:
    members = {"event": kind, "timestamp": "2026-01-15T12:00:00.000Z", "idempotencyKey": f"{kind} {data}", "data": data}
    return without_gaps({**members, **changes})


def told(found: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    """The event of a wallet."""
    return event("wallet.created", {**found, "customerId": found.get("customer", ALICE)}, **changes)


CREATE, CREATE_BOB = create(), create(BOB)
INITIALIZE = Step(
    "POST",
    f"/v2/customers/{ALICE}/initialize",
    answer(challenge("set-up"), 201),
    201,
    {"redirectUrl": "https://shop.example/ready"},
)
VISIT = Step("GET", PAGE + object_id("link", "wallets"), headers=(("Content-Type", "text/html"),), body=b"<form>")
ENTER = replace(VISIT, method="POST", status=303, headers=(("Location", OWN_PAGE),), body=b"")
READ = read()
ASK, ASK_BOB = ask("wallets"), ask("wallets of bob", BOB)
PENDING = follow("wallets")
FAILED = follow("given up", status="failed")
VERIFIED = verified("wallets", *wallets())
VERIFIED_BOB = verified("wallets of bob", *wallets(BOB), owner=BOB)
CHALLENGES = Step("GET", f"/v2/customers/{ALICE}/challenges", answer([VERIFIED.answer["data"], FAILED.answer["data"]]))
FAILED_ALONE = replace(CHALLENGES, path=f"{CHALLENGES.path}?status=failed", answer=answer([FAILED.answer["data"]]))
LIST, LIST_BOB = listing(*wallets()), listing(*wallets(BOB), of=BOB)
BOTH = listing(*wallets(), *wallets(BOB), of=f"{ALICE},{BOB}", query="limit=20")
PAGE_OF_CUSTOMERS = Step("GET", "/v2/customers?page=1&limit=2", answer([customer(BOB), customer()]))
WALLET = single(wallet(EVM))
ELSEWHERE = replace(follow("wallets", BOB), status=404, answer=refusal(404))
REFUSED = replace(ask("none"), status=400, answer=refusal(400))
EVENTS = (event("customer.created", {"customerId": ALICE}), *map(told, wallets()))

START = (CREATE, CREATE_BOB, INITIALIZE, ASK)
RIGHT = (
    *START,
    PENDING,
    VISIT,
    ENTER,
    READ,
    VERIFIED,
    LIST,
    ASK_BOB,
    VERIFIED_BOB,
    LIST_BOB,
    BOTH,
    CHALLENGES,
    FAILED_ALONE,
    LIST,
    listing(wallet(EVM), query=f"blockchain={EVM}"),
    WALLET,
    PAGE_OF_CUSTOMERS,
    ELSEWHERE,
    REFUSED,
)


def delivery(body: object, *headers: tuple[str, str]) -> Delivery:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    stamp = ("X-Webhook-Timestamp", str(int(EPOCH_OF_WORLDS.timestamp())))
    stamped = headers if any(name == stamp[0] for name, _ in headers) else (stamp, *headers)
    return Delivery(1, "first", EPOCH_OF_WORLDS, Request((JSON, *stamped), content, "POST", "/hook"), 200)


def findings(*steps: Step, events: Sequence[object] = (), **options: str) -> list[Finding]:
    exchanges = [step.exchange(number) for number, step in enumerate(steps, start=1)]
    deliveries = [each if isinstance(each, Delivery) else delivery(each) for each in events]
    return provider_findings(exchanges, deliveries, SPECIFICATION, options)


def short(found: list[Finding], outcome: Outcome) -> set[str]:
    return {finding.rule.removeprefix("planbok.") for finding in found if finding.outcome is outcome}


def broken(*steps: Step, events: Sequence[object] = (), **options: str) -> set[str]:
    return short(findings(*steps, events=events, **options), Outcome.BROKEN)


def held(*steps: Step, events: Sequence[object] = (), **options: str) -> set[str]:
    return short(findings(*steps, events=events, **options), Outcome.HELD)


def readings(rule: str, *steps: Step, events: Sequence[object] = ()) -> list[str | None]:
    return [finding.reading for finding in findings(*steps, events=events) if finding.rule == f"planbok.{rule}"]


def bend(step: Step, **changes: Any) -> Step:
    """The step with members of its answer changed; one that is `...` is left out."""
    return replace(step, answer=without_gaps({**step.answer, **changes}))


def bend_data(step: Step, **changes: Any) -> Step:
    """The step with members of its answer's `data` changed; one that is `...` is left out."""
    return bend(step, data=without_gaps({**step.answer["data"], **changes}))


def other_address(chain: str) -> dict[str, str]:
    """Address and key of another wallet of Alice's on the chain."""
    key = key_of(chain, ALICE, change=7)
    return {"address": address_on(chain, key), "publicKey": key.hex()}


# ---------------------------------------------------------------------------------------------------------- all right


def test_right_exchanges_break_no_rule() -> None:
    assert broken(*RIGHT, events=EVENTS) == set()


def test_every_finding_is_of_a_rule_and_names_its_exchange() -> None:
    found = findings(*RIGHT, events=EVENTS)
    judged = {f"test#{number}" for number, step in enumerate(RIGHT, start=1) if step.path != VISIT.path}
    assert len(judged) == len(RIGHT) - 2
    assert {finding.rule for finding in found} <= set(CATALOGUE)
    assert {finding.exchange for finding in found} == {None, *judged}
    assert all(finding.where and finding.expected for finding in found)


def test_there_is_one_finding_for_each_rule_place_and_exchange_in_the_same_order_every_time() -> None:
    found = findings(*RIGHT, events=EVENTS)
    places = [(finding.rule, finding.where, finding.exchange) for finding in found]
    assert len(set(places)) == len(places)
    assert findings(*RIGHT, events=EVENTS) == found


def test_the_hosted_page_is_not_judged() -> None:
    page = replace(ENTER, status=500, body=b"<html>")
    assert findings(VISIT, page, replace(page, path="/v2/nothing")) == []


# ----------------------------------------------------------------------------------------------- one thing is wrong


HTML = b"<html>Welcome</html>"
CUT = wallet(EVM)["address"][:-1]
SHOUTED = wallet(EVM)["address"].swapcase().replace("0X", "0x")

Bent = tuple[Step, ...]
BENT: list[tuple[set[str], Bent]] = [
    # Times
    ({"response.times-right"}, (create(createdAt=ONE),)),
    ({"response.times-right"}, (CREATE, ask("wallets", expiresAt=ONE))),
    ({"response.times-right"}, (create(createdAt=SOON), create(BOB, createdAt=NOON))),
    ({"response.times-stay"}, (CREATE, read(createdAt=ONE))),
    ({"response.times-stay"}, (CREATE, read(createdAt=NOON.rstrip("Z")))),
    ({"response.times-stay"}, (CREATE, replace(PAGE_OF_CUSTOMERS, answer=answer([customer(createdAt=ONE)])))),
    ({"response.times-stay"}, (CREATE, follow("wallets", expiresAt=NOON), follow("wallets", expiresAt=ONE))),
    # The form of answers
    ({"response.no-server-error"}, (replace(READ, status=500, body=HTML),)),
    ({"response.no-server-error"}, (replace(READ, status=503),)),
    ({"response.is-json"}, (replace(READ, headers=(("Content-Type", "text/plain"),)),)),
    ({"response.is-json"}, (replace(READ, headers=()),)),
    (
        {"response.is-json", "response.error-body"},
        (replace(REFUSED, headers=(("Content-Type", "text/html"),), body=HTML),),
    ),
    ({"response.matches-schema"}, (bend(CREATE, message=...),)),
    ({"response.matches-schema"}, (bend_data(READ, hasRecovery="no"),)),
    ({"response.matches-schema"}, (replace(READ, body=HTML),)),
    ({"response.matches-schema", "challenge.answered"}, (bend_data(ASK, redirectUrl=...),)),
    ({"challenge.answered"}, (bend_data(ASK, redirectUrl="/challenges/1"),)),
    (
        {"response.matches-schema", "response.matches-inferred-schema", "challenge.answered"},
        (bend_data(ASK, redirectUrl=7),),
    ),
    ({"response.matches-inferred-schema"}, (ASK, follow("wallets", redirectUrl=None))),
    ({"response.matches-inferred-schema"}, (bend(CREATE, data=...),)),
    ({"response.matches-inferred-schema"}, (replace(ASK, answer={**challenge("1"), "success": True}),)),
    ({"response.matches-inferred-schema"}, (bend(LIST, data={"wallets": []}),)),
    ({"response.matches-inferred-schema"}, (bend(CREATE, status="created"),)),
    ({"response.matches-inferred-schema", "challenge.identifier"}, (bend_data(ASK, challengeId=7),)),
    ({"response.success-agrees", "response.matches-schema"}, (bend(CREATE, success=...),)),
    ({"response.success-agrees"}, (bend(READ, success=False),)),
    ({"response.status-agrees"}, (bend(READ, status=204),)),
    ({"response.success-agrees", "response.matches-inferred-schema"}, (bend(READ, success="true"),)),
    ({"response.success-agrees"}, (bend(REFUSED, success=True),)),
    ({"response.success-agrees"}, (bend(REFUSED, success=...),)),
    ({"response.error-body"}, (bend(REFUSED, message=...),)),
    ({"response.error-body"}, (bend(REFUSED, message=" ", errors=["wrong"]),)),
    ({"response.error-body"}, (bend(REFUSED, message={"text": "No."}, errors={"message": ""}),)),
    # Customers
    ({"customer.id-form"}, (create(id="customer-1"),)),
    ({"customer.id-form"}, (create(id=f"urn:uuid:{NAMED_KEY}"),)),
    ({"customer.id-form"}, (bend(PAGE_OF_CUSTOMERS, data=[customer(id=ALICE[:-1])]),)),
    ({"customer.readable"}, (CREATE, read(id=BOB))),
    ({"customer.names-kept"}, (CREATE, read(name="Somebody"))),
    ({"customer.names-kept", "response.matches-inferred-schema"}, (CREATE, read(refId=None))),
    ({"customer.readable"}, (CREATE, replace(READ, status=404, answer=refusal(404)))),
    # Challenges
    ({"challenge.identifier"}, (bend_data(ASK, challengeId=...),)),
    ({"challenge.identifier"}, (bend_data(ASK, challengeId=""),)),
    ({"challenge.identifier", "challenge.answered", "response.matches-inferred-schema"}, (bend(ASK, data=...),)),
    ({"challenge.answered"}, (bend_data(ASK, redirectUrl=OWN_PAGE),)),
    ({"challenge.answered"}, (bend_data(ASK, redirectUrl="https://SHOP.example/done?challengeId=1"),)),
    ({"challenge.answered"}, (bend_data(ASK, redirectUrl="ftp://gateway.example/1"),)),
    ({"challenge.answered"}, (bend_data(ASK, redirectUrl="https://["),)),
    ({"challenge.answered"}, (bend_data(INITIALIZE, redirectUrl="https:///challenges/1"),)),
    ({"challenge.ids-differ"}, (ASK, bend_data(ASK_BOB, challengeId=ASK.answer["data"]["challengeId"]))),
    ({"challenge.ids-differ"}, (ASK, replace(ask("again"), answer=bend_data(ASK, redirectUrl=PAGE).answer))),
    ({"challenge.unique"}, (ASK, bend_data(ASK_BOB, redirectUrl=ASK.answer["data"]["redirectUrl"]))),
    ({"challenge.unique"}, (ASK, bend_data(INITIALIZE, redirectUrl=ASK.answer["data"]["redirectUrl"]))),
    (
        {"challenge.unique", "challenge.ids-differ"},
        (ASK, replace(ASK, sent={**(ASK.sent or {}), "blockchains": [EVM]})),
    ),
    ({"challenge.unique"}, (ASK, bend_data(ASK, challengeId=object_id("another")))),
    ({"challenge.starts-pending"}, (bend_data(ASK, status="verified"),)),
    ({"challenge.under-its-customer-only"}, (*START, follow("wallets", BOB))),
    # Results
    ({"result.none-while-pending"}, (ASK, follow("wallets", result={"wallets": wallets()}))),
    ({"result.none-while-pending"}, (bend_data(ASK, result=wallets()),)),
    ({"result.none-when-failed"}, (ASK, follow("wallets", status="failed", result={"wallets": wallets()[:1]}))),
    ({"result.none-when-failed"}, (bend(CHALLENGES, data=[challenge("1", status="failed", result=wallets())]),)),
    ({"result.exactly-the-chains"}, (CREATE, ASK, verified("wallets", *wallets()[1:]))),
    ({"result.exactly-the-chains"}, (ASK, verified("wallets", *wallets(), wallet("CELO")))),
    ({"result.exactly-the-chains"}, (ask("wallets", chains=[BITCOIN]), verified("wallets", wallet(SOLANA)))),
    # Lists
    ({"list.only-theirs"}, (CREATE, listing(*wallets(), wallet(EVM, BOB)))),
    ({"list.only-theirs"}, (CREATE, CREATE_BOB, LIST_BOB, listing(wallet(EVM, BOB)))),
    ({"list.only-theirs"}, (CREATE, listing(wallet(EVM, BOB, customer=STRANGER)))),
    ({"list.only-theirs"}, (*START, VERIFIED, read(BOB), listing(*wallets(customer=...), of=BOB))),
    (
        {"list.only-theirs", "response.matches-inferred-schema"},
        (*START, LIST, listing(wallet(EVM, customer=..., id=...), of=BOB)),
    ),
    ({"list.only-theirs"}, (CREATE, CREATE_BOB, *(listing(wallet(EVM, customer=...), of=of) for of in (ALICE, BOB)))),
    ({"list.only-theirs"}, (CREATE, CREATE_BOB, listing(wallet(EVM, customer="ref-1"), of=BOB), LIST)),
    ({"list.several-customers"}, (CREATE, CREATE_BOB, bend(BOTH, data=[wallet(EVM, BOB, customer=STRANGER)]))),
    ({"list.pages-complete"}, (bend(PAGE_OF_CUSTOMERS, data=[customer(), customer(BOB), customer(STRANGER)]),)),
    ({"list.pages-complete"}, (bend(PAGE_OF_CUSTOMERS, data=[customer(), customer()]),)),
    ({"list.pages-complete"}, (listing(*wallets(), query="limit=4"),)),
    ({"list.wallets-stay"}, (LIST, listing(*wallets()[1:]))),
    ({"list.wallets-stay"}, (LIST, listing())),
    ({"list.wallets-stay"}, (LIST, listing(*wallets()[1:], query="limit=50&order=ASC"))),
    (
        {"list.wallets-stay"},
        (LIST, listing(wallet(BITCOIN, **other_address(BITCOIN)), *wallets(chains=[EVM, OTHER_EVM, SOLANA, NEAR]))),
    ),
    ({"list.wallets-stay"}, (LIST, listing(wallet(BITCOIN, **other_address(BITCOIN)), query="page=2"))),
    ({"list.wallet-ids-stay"}, (listing(wallet(EVM)), listing(wallet(EVM, id=object_id("new"))))),
    ({"list.wallets-stay", "response.matches-inferred-schema"}, (listing(wallet(EVM, id=...)), listing())),
    ({"list.agrees-with-result"}, (VERIFIED, listing(wallet(BITCOIN, **other_address(BITCOIN))))),
    ({"list.agrees-with-result"}, (listing(wallet(BITCOIN, **other_address(BITCOIN))), VERIFIED)),
    (
        {"list.agrees-with-result"},
        (*START, VERIFIED, listing(wallet(BITCOIN, id=object_id("new"), **other_address(BITCOIN)))),
    ),
    ({"list.wallet-readable"}, (LIST, single(wallet(BITCOIN, **other_address(BITCOIN))))),
    ({"list.wallet-readable"}, (LIST, replace(WALLET, status=404, answer=refusal(404)))),
    # Addresses
    ({"address.evm-form"}, (listing(wallet(EVM, address=CUT)),)),
    ({"address.evm-form"}, (verified("1", wallet(EVM, address=wallet(EVM)["address"][2:])),)),
    ({"address.evm-form"}, (single(wallet(EVM, address="")),)),
    ({"address.evm-checksum"}, (listing(wallet(EVM, address=SHOUTED)),)),
    ({"address.bitcoin-form"}, (listing(wallet(BITCOIN, address="mzK2FFDEhxqHcmrJw1ysqFkVyhUULo45hz")),)),
    ({"address.bitcoin-form"}, (listing(wallet(BITCOIN, address="bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4")),)),
    ({"address.bitcoin-form"}, (listing(wallet("BTC", address=wallet(BITCOIN)["address"])),)),
    ({"address.solana-form"}, (listing(wallet(SOLANA, address="0" * 44)),)),
    ({"address.solana-form"}, (listing(wallet(SOLANA, address=encode_base58(bytes(33)))),)),
    ({"address.near-form"}, (listing(wallet(NEAR, address="Alice.testnet")),)),
    ({"address.near-form"}, (listing(wallet(NEAR, address=wallet(NEAR)["address"].upper())),)),
    *(
        ({"address.follows-from-public-key"}, (listing(wallet(chain, publicKey=key_of(chain, BOB).hex())),))
        for chain in ALL
        if CHAINS[chain].family is not Family.EVM
    ),
    *(
        ({"address.evm-follows-from-public-key"}, (listing(wallet(chain, publicKey=key_of(chain, BOB).hex())),))
        for chain in ALL
        if CHAINS[chain].family is Family.EVM
    ),
    ({"address.evm-follows-from-public-key"}, (listing(wallet(EVM, publicKey="02" + "f" * 64)),)),
    (
        {"address.never-shared"},
        (CREATE, CREATE_BOB, single(wallet(EVM)), single(wallet(EVM, customer=BOB, id="1", derivationPath=...))),
    ),
    (
        {"address.never-shared"},
        (
            CREATE,
            CREATE_BOB,
            verified("1", wallet(EVM, customer=..., derivationPath=...)),
            verified(
                "2",
                wallet(
                    "ETH",
                    customer=...,
                    id="1",
                    address=wallet(EVM)["address"].lower(),
                    derivationPath=...,
                    publicKey=...,
                ),
                owner=BOB,
            ),
        ),
    ),
    (
        {"address.never-shared"},
        (
            CREATE,
            CREATE_BOB,
            *(listing(wallet(SOLANA, customer=..., id=of, derivationPath=...), of=of) for of in (ALICE, BOB)),
        ),
    ),
    (
        {"address.same-on-evm-chains"},
        (CREATE, listing(wallet(EVM), wallet(OTHER_EVM, derivationPath=..., **other_address(OTHER_EVM)))),
    ),
    (
        {"address.same-on-evm-chains"},
        (CREATE, single(wallet(EVM)), single(wallet("POL", derivationPath=..., **other_address("POL")))),
    ),
    (
        {"address.one-root", "address.same-on-evm-chains"},
        (CREATE, listing(wallet(EVM), wallet(OTHER_EVM, **other_address(OTHER_EVM)))),
    ),
    ({"address.one-account"}, (CREATE, listing(wallet(EVM), wallet(SOLANA, derivationPath="m/44'/501'/2'/0'")))),
    (
        {"address.one-account"},
        (
            CREATE,
            single(wallet(EVM, derivationPath="m/44/60/1/0/1")),
            single(wallet(BITCOIN, derivationPath="m/84/1/2/0/1")),
        ),
    ),
    ({"customer.names-kept"}, (CREATE, replace(PAGE_OF_CUSTOMERS, answer=answer([customer(refId="another")])))),
    ({"challenge.filtered-by-status"}, (CREATE, replace(FAILED_ALONE, answer=answer([PENDING.answer["data"]])))),
    ({"list.filtered-as-asked"}, (CREATE, listing(*wallets(), query=f"blockchain={EVM}"))),
    ({"list.filtered-as-asked"}, (CREATE, listing(wallet(EVM, refId="7"), query="refId=07"))),
    ({"address.path-form"}, (listing(wallet(EVM, derivationPath="44'/60'/1'/0/0")),)),
    ({"address.path-form"}, (listing(wallet(BITCOIN, derivationPath="m/44/1/1/0/0")),)),
    ({"address.path-form"}, (listing(wallet(EVM, derivationPath="m/84/60/1/0/0")),)),
    ({"address.path-form"}, (listing(wallet(EVM, derivationPath="m/44'/60/1'/0/0")),)),
]


@pytest.mark.parametrize(("rules", "steps"), BENT, ids=[min(rules) for rules, _ in BENT])
def test_what_is_bent_breaks_these_rules_and_no_other(rules: set[str], steps: Bent) -> None:
    assert broken(*steps) == rules


WRONG_EVENTS: list[tuple[set[str], Sequence[object]]] = [
    ({"webhook.event-matches-schema"}, [event("wallet.created", wallet(EVM), timestamp="today")]),
    ({"webhook.event-matches-schema"}, [event("wallet.created", wallet(EVM), timestamp=...)]),
    ({"webhook.event-matches-schema"}, [event("wallet.created", wallets())]),
    ({"webhook.event-matches-schema"}, [event("wallet.created", wallet(EVM), event=...)]),
    ({"webhook.event-matches-schema"}, [event("challenge.completed", "1")]),
    ({"webhook.event-matches-schema", "webhook.event-id"}, [[told(wallet(EVM))]]),
    ({"webhook.event-matches-schema", "webhook.event-id"}, [b"\xff"]),
    ({"response.times-right"}, [told(wallet(EVM), timestamp=ONE)]),
    ({"response.times-right"}, [later(told(wallet(EVM)), 8)]),
    ({"webhook.event-id"}, [told(wallet(EVM), idempotencyKey=...)]),
    ({"webhook.event-id"}, [told(wallet(EVM), idempotencyKey="")]),
    ({"webhook.event-id"}, [told(wallet(EVM), idempotencyKey="1"), told(wallet(BITCOIN), idempotencyKey="1")]),
    (
        {"webhook.event-id"},
        [delivery(told(wallet(chain), idempotencyKey=...), ("X-Webhook-Id", "1")) for chain in (EVM, BITCOIN)],
    ),
    ({"webhook.event-names"}, [event("wallet.derived", wallet(EVM))]),
    ({"webhook.agrees-with-list"}, [told(wallet(BITCOIN, **other_address(BITCOIN)))]),
    ({"webhook.agrees-with-list"}, [told(wallet(BITCOIN, id=..., **other_address(BITCOIN)))]),
    ({"webhook.agrees-with-list"}, [told(wallet(BITCOIN, id=..., customer=..., **other_address(BITCOIN)))]),
    *(
        ({"webhook.timestamp-is-fresh"}, [delivery(told(wallet(EVM)), ("X-Webhook-Timestamp", stamp))])
        for stamp in (
            str(int(EPOCH_OF_WORLDS.timestamp()) - 301),
            str(int(EPOCH_OF_WORLDS.timestamp()) + 301),
            str(int(EPOCH_OF_WORLDS.timestamp()) * 1000),
            EPOCH_OF_WORLDS.isoformat(),
            "9" * 5000,
            "",
        )
    ),
    ({"address.bitcoin-form"}, [told(wallet(BITCOIN, id=object_id("new"), address="1"))]),
]


@pytest.mark.parametrize(("rules", "events"), WRONG_EVENTS, ids=[min(rules) for rules, _ in WRONG_EVENTS])
def test_a_wrong_event_breaks_these_rules_and_no_other(rules: set[str], events: Sequence[object]) -> None:
    unrelated = (create(), ask("wallets"), LIST) if "address.bitcoin-form" not in rules else ()
    assert broken(*unrelated, events=events) == rules


def test_every_rule_that_can_hold_can_be_broken() -> None:
    can_break = set[str]().union(*(rules for rules, _ in BENT), *(rules for rules, _ in WRONG_EVENTS))
    only_read, only_broken = {"challenge.success-word"}, {"list.several-customers"}
    assert held(*RIGHT, events=EVENTS) == (can_break | only_read) - only_broken


def test_a_finding_says_where_what_was_expected_and_what_was_there() -> None:
    (found,) = (each for each in findings(CREATE, read(name="Somebody")) if each.outcome is Outcome.BROKEN)
    assert (found.where, found.expected, found.got, found.exchange) == (
        "response /data/name",
        f"Name of {ALICE}, as at creation",
        "Somebody",
        "test#2",
    )


POINTED: list[tuple[str, Bent, Sequence[object], str, str]] = [
    (
        "address.evm-form",
        (verified("1", wallet(BITCOIN), wallet(EVM, address="0x")),),
        (),
        "response /data/result/wallets/1/address",
        "0x: ",
    ),
    (
        "address.evm-form",
        (),
        (event("wallet.created", {"wallets": [wallet(EVM, address="0x")]}),),
        "webhook 1 /data/wallets/0/address",
        "0x: ",
    ),
    (
        "list.only-theirs",
        (CREATE, listing(wallet(EVM), wallet(EVM, BOB))),
        (),
        "response /data/1",
        wallet(EVM, BOB)["address"],
    ),
    (
        "list.wallets-stay",
        (LIST, listing(*wallets()[1:])),
        (),
        "response /data",
        f"{wallet(EVM)['address']} on {EVM} missing",
    ),
    ("result.exactly-the-chains", (CREATE, ASK, verified("wallets", wallet(EVM))), (), "response /data/result", EVM),
    ("webhook.event-id", (), (b"{}",), "webhook 1, idempotencyKey and X-Webhook-Id", "neither"),
]


@pytest.mark.parametrize(("rule", "steps", "events", "where", "got"), POINTED)
def test_a_finding_points_at_its_place(rule: str, steps: Bent, events: Sequence[object], where: str, got: str) -> None:
    (found,) = (
        each
        for each in findings(*steps, events=events)
        if each.rule == f"planbok.{rule}" and each.outcome is Outcome.BROKEN
    )
    assert (found.where, found.got[: len(got)]) == (where, got)


# ------------------------------------------------------------------------------------------- what is not wrong either


A_KEY = key_of(BITCOIN, ALICE)
LONG_KEY = PublicKey(A_KEY).format(compressed=False)
LATER = (CREATE, CREATE_BOB, ASK, VERIFIED)

RIGHT_TOO: dict[str, Bent] = {
    "a media type with parameters": (replace(READ, headers=(("content-type", "Application/JSON;charset=UTF-8"),)),),
    "members that no document knows": (bend(bend_data(READ, colour="green"), meta={}),),
    "a list without a message": (bend(LIST, message=...),),
    "a refusal in the other form": (bend(REFUSED, message=..., errors={"message": "No."}),),
    "a refusal with an unusual status": (replace(bend(REFUSED, status=422), status=422),),
    "a path that nobody knows": (Step("GET", "/v2/nothing", {"detail": "no"}, 404),),
    # Customers
    "a list filtered by an address in another letter case": (
        CREATE,
        listing(wallet(EVM), query=f"address={wallet(EVM)['address'].lower()}"),
    ),
    "a customer that shows little": (CREATE, read(name=..., refId=..., hasPin=...)),
    "a customer that nobody created here": (read(name="Somebody"),),
    "a customer whose creation was refused": (
        replace(CREATE, status=409, answer=refusal(409)),
        replace(READ, status=404, answer=refusal(404)),
    ),
    "a customer that others may not read": (CREATE, replace(READ, identity="second", status=404, answer=refusal(404))),
    "a customer that is not read without a key": (
        CREATE,
        replace(READ, status=404, answer=refusal(404), breaks=frozenset({"planbok.client.sends-key"})),
    ),
    "a customer that is created twice": (CREATE, CREATE, READ),
    "ids that are UUIDs": (create(id=NAMED_KEY), create(id=NAMED_KEY.upper())),
    "pages without a limit, or with one that is none": (
        Step("GET", "/v2/customers", answer([customer(), customer(BOB)])),
        replace(LIST, path=f"{LIST.path}&limit=0"),
        replace(LIST, path=f"{LIST.path}&limit=many"),
        Step("GET", "/v2/customers?limit=1", refusal(400), 400),
    ),
    "one id for a wallet on several chains": (
        listing(wallet(EVM, id="1"), wallet(BITCOIN, id="1"), query="limit=2"),
        listing(wallet(EVM, id="1"), wallet(BITCOIN, id="1")),
        single(wallet(EVM, id="1")),
        verified("1", wallet(EVM, id="1"), wallet(BITCOIN, id="1")),
    ),
    # Challenges
    "a challenge in the other form": (bend_data(ASK, challengeId=..., id="1"), bend_data(ASK_BOB, id="2")),
    "a challenge that shows no status": (bend_data(ASK, status=...), follow("wallets", status=...)),
    "a challenge in words that nobody knows": (ASK, follow("wallets", status="waiting", result={"step": 1})),
    "a page whose URL has characters that a URI escapes": (bend_data(ASK, redirectUrl=f"{PAGE}?d={{1}}"),),
    "a challenge that is read without its page": (ASK, follow("wallets", redirectUrl="")),
    "a page on the caller's host": (bend_data(ASK, redirectUrl="https://shop.example/gateway/1"),),
    "a caller without a page": (
        replace(ASK, sent={"blockchains": [EVM]}),
        replace(INITIALIZE, sent={"redirectUrl": 7}),
    ),
    "the same request twice": (ASK, ASK),
    "a repetition of a request whose page was opened in between": (
        ask("wallets", expiresAt="2026-01-15T12:15:00Z"),
        VISIT,
        replace(ask("wallets", expiresAt="2026-01-15T12:15:00Z"), at=EPOCH_OF_WORLDS + timedelta(minutes=17)),
    ),
    "an expiry that a visit of the page moves": (
        follow("wallets", expiresAt=NOON),
        VISIT,
        follow("wallets", expiresAt=ONE),
    ),
    "the open challenge once more, to a request with another key": (
        replace(ASK, sent={**(ASK.sent or {}), "idempotencyKey": NAMED_KEY}),
        replace(ASK, sent={**(ASK.sent or {}), "idempotencyKey": OTHER_KEY}),
    ),
    "the open challenge once more, to a set-up that names chains": (
        replace(INITIALIZE, sent={**(INITIALIZE.sent or {}), "blockchains": [EVM]}),
        replace(INITIALIZE, sent={**(INITIALIZE.sent or {}), "blockchains": [SOLANA]}),
    ),
    "the same request twice, with a new link": (ASK, bend_data(ASK, redirectUrl=f"{PAGE}another")),
    "a challenge that one asked for too often under another customer": (
        *START,
        replace(ELSEWHERE, status=429, answer=refusal(429)),
    ),
    "the same request, answered with another challenge": (ASK, replace(ask("again"), sent=ASK.sent)),
    "the same key with other content": (
        replace(ASK, sent={"idempotencyKey": NAMED_KEY}),
        replace(ASK, sent={"idempotencyKey": NAMED_KEY, "blockchains": [EVM]}),
    ),
    "a repetition after the end": (ASK, ENTER, bend_data(ASK, status="verified")),
    "a challenge that was not issued here": (follow("old", BOB), verified("old", *wallets())),
    "a challenge under another customer that is not shown": (*START, bend(follow("wallets", BOB), data={})),
    # Results
    "something else than wallets as a result": (
        ASK,
        follow("wallets", result={"wallets": [], "total": 0}),
        follow("wallets", status="failed", result={"error": "PIN_CANCELLED"}),
    ),
    "nothing as a result": (
        ASK,
        follow("wallets", result=None),
        follow("wallets", result={"wallets": []}),
        follow("wallets", status="failed", result=[]),
    ),
    "a result in the other form": (CREATE, ASK, follow("wallets", status="completed", result=wallets())),
    "a result that cannot be read": (CREATE, ASK, follow("wallets", status="verified", result={"addresses": ["1"]})),
    "a result that is gone": (CREATE, ASK, follow("wallets", status="verified")),
    "a result of something else": (INITIALIZE, follow("set-up", status="verified", result={"wallets": [wallet(EVM)]})),
    "a chain that the customer has already": (
        CREATE,
        ask("1", chains=[EVM]),
        ask("2", chains=[EVM, SOLANA]),
        verified("2", wallet(SOLANA)),
    ),
    "a chain that the customer may have already": (ASK, verified("wallets", wallet(EVM))),
    "a chain that nobody knows": (CREATE, ask("1", chains=[EVM, "MOON"]), verified("1", wallet(EVM))),
    "two wallets on a chain": (
        CREATE,
        ask("1", chains=[EVM]),
        verified("1", wallet(EVM), wallet(EVM, id="2", derivationPath=..., **other_address(EVM))),
    ),
    "an id that two challenges have": (
        CREATE,
        bend_data(ask("1", chains=[SOLANA], redirectUrl=PAGE), challengeId=object_id("challenge", "wallets")),
        verified("wallets", wallet(SOLANA)),
    ),
    # Lists
    "a list of others without a filter": (CREATE, listing(wallet(EVM, BOB), of=None)),
    "a list with an empty filter": (CREATE, listing(wallet(EVM, BOB), of="")),
    "a list filtered by nobody's customer": (CREATE, listing(wallet(EVM), of=STRANGER)),
    "a list filtered by a stranger's customer": (CREATE, listing(wallet(EVM, BOB), identity="second")),
    "wallets that name nobody": (*LATER, listing(*wallets(customer=...))),
    "wallets that name their customer in another way": (CREATE, listing(wallet(EVM, customer=f"ref-{ALICE}"))),
    "a list that lags": (*LATER, listing(), listing(wallet(EVM)), LIST),
    "a list that grows": (listing(), listing(wallet(EVM)), LIST),
    "a list with another filter": (LIST, listing(wallet(EVM), query=f"blockchain={EVM}"), listing(of=BOB)),
    "a list of another client": (LIST, listing(identity="second")),
    "a second page": (LIST, listing(query="page=2")),
    "a page that is full": (LIST, listing(wallet(EVM), query="limit=1")),
    "a page that may be full": (
        listing(*[wallet(f"CHAIN-{number}") for number in range(10)]),
        listing(*[wallet(f"CHAIN-{number}") for number in range(1, 11)]),
        listing(*[wallet(f"CHAIN-{number}") for number in range(1, 11)], query="limit=1000"),
    ),
    "a list that is refused": (LIST, replace(LIST, status=429, answer=refusal(429))),
    "an address in another letter case": (
        *LATER,
        LIST,
        listing(
            *wallets(chains=[BITCOIN, SOLANA, NEAR]),
            *(wallet(chain, address=wallet(chain)["address"].lower()) for chain in (EVM, OTHER_EVM)),
        ),
        single(wallet(EVM, address=wallet(EVM)["address"].lower())),
        listing(wallet(BITCOIN, address=wallet(BITCOIN)["address"].upper()), query="page=2"),
    ),
    "another wallet of the customer, while the list lags": (
        *LATER,
        ask("more", chains=[BITCOIN]),
        listing(wallet(BITCOIN, id="2", **other_address(BITCOIN))),
    ),
    "another wallet of a customer from before": (
        ASK,
        VERIFIED,
        listing(wallet(BITCOIN, id="2", **other_address(BITCOIN))),
    ),
    "a wallet that another client may not read": (
        LIST,
        replace(WALLET, identity="second", status=404, answer=refusal(404)),
    ),
    "a wallet that was never listed": (replace(WALLET, status=404, answer=refusal(404)),),
    "a wallet asked for too often": (LIST, replace(WALLET, status=429, answer=refusal(429))),
    # Addresses
    "an address on a chain that nobody knows": (
        listing(wallet("ATOM", address="1", publicKey="2", derivationPath="3")),
    ),
    "an address all in capitals": (listing(wallet(EVM, address="0x" + wallet(EVM)["address"][2:].upper())),),
    "Bitcoin addresses that follow from no key": (
        listing(
            wallet(BITCOIN, address="2NC2hEhe28ULKAJkW5MjZ3jtTMJdvXmByvK"),
            wallet(BITCOIN, id="2", address="tb1pqqqqp399et2xygdj5xreqhjjvcmzhxw4aywxecjdzew6hylgvsesf3hn0c"),
        ),
    ),
    "the older kind of Bitcoin address, of a key in either form": (
        listing(
            *(
                wallet(BITCOIN, id=f"{number}", address=address_on(BITCOIN, hashed, Kind.P2PKH), publicKey=shown.hex())
                for number, (hashed, shown) in enumerate(product((A_KEY, LONG_KEY), repeat=2))
            )
        ),
    ),
    "NEAR accounts that follow from no key": (
        listing(wallet(NEAR, address="alice.testnet"), wallet(NEAR, id="2", address="0x" + "0" * 40)),
    ),
    "keys in other forms": (
        listing(
            wallet(EVM, publicKey="0x" + key_of(EVM, ALICE).hex().upper()),
            wallet(OTHER_EVM, publicKey=PublicKey(key_of(EVM, ALICE)).format(compressed=False).hex()),
            wallet(BITCOIN, publicKey=LONG_KEY.hex()),
            wallet(SOLANA, publicKey=wallet(SOLANA)["address"]),
            wallet(NEAR, publicKey=f"ed25519:{encode_base58(key_of(NEAR, ALICE))}"),
        ),
    ),
    "keys that are no keys of theirs": (
        listing(
            *(wallet(EVM, id=f"e{key}", publicKey=key) for key in ("", "0x", "11" * 32, "05" + "11" * 32, "xpub6CUGR")),
            *(wallet(SOLANA, id=f"s{key}", publicKey=key) for key in ("", "00" + "11" * 32, "1" * 44, "0" * 44, "é")),
            query="page=1",
        ),
    ),
    "wallets of customers that nobody knows": (
        listing(wallet(EVM), of=None),
        listing(wallet(EVM, customer=BOB), of=None),
    ),
    "an address of one customer on many chains": (
        CREATE,
        CREATE_BOB,
        listing(wallet(EVM), wallet("ETH"), wallet(SOLANA), wallet("SOL")),
        LIST_BOB,
    ),
    "several addresses on each EVM chain": (
        CREATE,
        listing(
            wallet(EVM),
            wallet(EVM, id="2", derivationPath="m/44'/60'/1'/7/0", **other_address(EVM)),
            wallet(OTHER_EVM, derivationPath="m/44'/60'/1'/7/0", **other_address(EVM)),
        ),
    ),
    "paths that say nothing of an account": (
        CREATE,
        listing(*wallets(chains=[EVM, BITCOIN], derivationPath=...), wallet(SOLANA), query="page=2"),
    ),
}


@pytest.mark.parametrize("name", RIGHT_TOO)
def test_what_the_documents_allow_breaks_nothing(name: str) -> None:
    assert broken(*RIGHT_TOO[name]) == set()


COMPARED: dict[str, Bent] = {
    "customer.readable": (CREATE, read(BOB)),
    "customer.names-kept": (create(name=..., refId=...), read(name=..., refId=...)),
    "challenge.unique": (CREATE, ASK, PENDING),
    "challenge.ids-differ": (CREATE, ASK, PENDING),
    "challenge.under-its-customer-only": (CREATE, ASK, PENDING, follow("old", BOB)),
    "result.exactly-the-chains": (
        CREATE,
        ASK,
        PENDING,
        follow("wallets", status="verified"),
        verified("1", wallet(EVM)),
    ),
    "result.none-while-pending": (CREATE, VERIFIED),
    "list.only-theirs": (CREATE, listing(wallet(EVM), of=None), listing(wallet(EVM), of=STRANGER), BOTH),
    "list.several-customers": (CREATE, CREATE_BOB, BOTH),
    "list.pages-complete": (LIST, replace(LIST, path=f"{LIST.path}&limit=0")),
    "list.wallets-stay": (LIST, listing(query="page=2"), listing(wallet(EVM), of=BOB)),
    "list.agrees-with-result": (CREATE, ASK, VERIFIED, listing(wallet("ATOM"), wallet(EVM, BOB))),
    "list.wallet-readable": (WALLET,),
    "address.evm-checksum": (CREATE, listing(wallet(EVM, address=CUT), wallet(SOLANA))),
    "address.follows-from-public-key": (listing(wallet(EVM), wallet(BITCOIN, publicKey=7)),),
    "address.evm-follows-from-public-key": (listing(wallet(EVM, publicKey=...), wallet(BITCOIN)),),
    "address.one-root": (CREATE, listing(wallet(EVM), wallet(OTHER_EVM, derivationPath=...)), WALLET),
    "address.never-shared": (CREATE, CREATE_BOB, LIST, listing(wallet(EVM, customer=STRANGER))),
    "address.same-on-evm-chains": (CREATE, listing(wallet(EVM), *wallets(chains=[BITCOIN, SOLANA]))),
    "address.one-account": (CREATE, listing(wallet(EVM), wallet(BITCOIN, derivationPath=...)), WALLET),
    "address.path-form": (listing(wallet(EVM, derivationPath=...), wallet("ATOM")),),
    "webhook.agrees-with-list": (LIST,),
    "webhook.event-names": (),
    "webhook.timestamp-is-fresh": (),
}


@pytest.mark.parametrize("rule", COMPARED)
def test_what_cannot_be_told_is_not_judged(rule: str) -> None:
    silent = Delivery(1, "first", EPOCH_OF_WORLDS, Request((JSON,), b'{"data": []}', "POST", "/hook"), 200)
    found = findings(*COMPARED[rule], events=[silent])
    assert f"planbok.{rule}" in CATALOGUE
    assert f"planbok.{rule}" not in {finding.rule for finding in found}


def test_a_chain_that_only_the_run_knows_is_due_in_a_result() -> None:
    steps = (CREATE, ask("1", chains=[EVM, "MOON"]), verified("1", wallet(EVM)))
    assert broken(*steps, blockchains="SUN") == set()
    assert broken(*steps, blockchains="SUN MOON") == {"result.exactly-the-chains"}


# ----------------------------------------------------------------------------------------------------------- readings


@pytest.mark.parametrize(
    ("rule", "steps", "reading"),
    [
        ("response.error-body", (REFUSED,), "message"),
        ("response.error-body", (bend(REFUSED, message=..., errors={"message": "No."}),), "errors"),
        ("response.error-body", (bend(REFUSED, errors={"message": "No."}),), "message"),
        ("response.error-body", (bend(REFUSED, message="", errors={"message": "No."}),), "errors"),
        ("response.error-body", (bend(REFUSED, message=...),), None),
        ("customer.id-form", (CREATE,), "object-id"),
        ("customer.id-form", (create(id=NAMED_KEY),), "uuid"),
        ("customer.id-form", (create(id="1"),), None),
        ("challenge.identifier", (ASK,), "challenge-id"),
        ("challenge.identifier", (bend_data(ASK, challengeId=..., id="1"),), "plain-id"),
        ("challenge.identifier", (bend_data(ASK, id="1"),), "challenge-id"),
        ("challenge.identifier", (bend_data(ASK, challengeId=...),), None),
        ("challenge.success-word", (VERIFIED,), "verified"),
        ("challenge.success-word", (follow("wallets", status="completed"),), "completed"),
        ("challenge.success-word", (follow("wallets", status="successful"),), "successful"),
        ("address.path-form", (single(wallet(EVM)),), "bip44"),
        ("address.path-form", (single(wallet(SOLANA, derivationPath="m/44'/501'/1'")),), "bip44"),
        ("address.path-form", (single(wallet(SOLANA, derivationPath="m/44h/501h/1h/0h")),), "bip44"),
        ("address.path-form", (single(wallet(EVM, derivationPath="m/44/60/1/0/1")),), "as-exported"),
        ("address.path-form", (single(wallet(BITCOIN, derivationPath="m/84/0/1/0/1")),), "as-exported"),
        ("address.path-form", (single(wallet(SOLANA, derivationPath="m/44/501/1/1")),), "as-exported"),
        ("address.path-form", (single(wallet(BITCOIN, derivationPath="m/84'/0'/1'/0/1")),), None),
    ],
)
def test_each_reading_is_told(rule: str, steps: Bent, reading: str | None) -> None:
    assert readings(rule, *steps) == [reading]
    assert reading is None or reading in {each.id for each in CATALOGUE[f"planbok.{rule}"].readings}


COMPLETED = event("challenge.completed", {"challengeId": "1"})
NAMELESS = told(wallet(EVM), idempotencyKey=...)


@pytest.mark.parametrize(
    ("rule", "events", "reading"),
    [
        ("webhook.event-id", [told(wallet(EVM))], "idempotency-key"),
        ("webhook.event-id", [delivery(told(wallet(EVM)), ("X-Webhook-Id", "1"))], "idempotency-key"),
        ("webhook.event-id", [delivery(NAMELESS, ("X-Webhook-Id", "1"))], "header-only"),
        ("webhook.event-id", [NAMELESS], None),
        ("webhook.event-names", [EVENTS[0], event("transaction.confirmed", {})], "listed-only"),
        ("webhook.event-names", [COMPLETED], "challenge-completed-too"),
        ("webhook.event-names", [EVENTS[0], event("customer.setup_completed", {})], "challenge-completed-too"),
        ("webhook.event-names", [COMPLETED, event("wallet.derived", {})], None),
    ],
)
def test_each_reading_of_events_is_told(rule: str, events: Sequence[object], reading: str | None) -> None:
    assert readings(rule, events=events) == [reading]
    assert reading is None or reading in {each.id for each in CATALOGUE[f"planbok.{rule}"].readings}


# ----------------------------------------------------------------------------------------------------------- webhooks


RIGHT_EVENTS: dict[str, tuple[Bent, Sequence[object]]] = {
    "an event that nobody described": ((), [COMPLETED, event("transaction.confirmed", {"status": "confirmed"})]),
    "an event that is sent again": ((), [told(wallet(EVM)), told(wallet(EVM), timestamp="2026-01-15T12:00:09Z")]),
    "an event that is sent again minutes later, as it was": (
        (CREATE,),
        [told(wallet(EVM)), later(told(wallet(EVM)), 8)],
    ),
    "an event of a customer that comes late": ((CREATE,), [later(event("customer.created", {"customerId": ALICE}), 8)]),
    "an event of the same content with its own id": ((), [told(wallet(EVM)), told(wallet(EVM), idempotencyKey="2")]),
    "an event for all wallets of a challenge": (
        (*LATER, LIST),
        [event("wallet.created", {"customerId": ALICE, "wallets": wallets(customer=...)})],
    ),
    "a wallet that is not listed yet": ((*LATER, listing(wallet(EVM))), [*map(told, wallets())]),
    "another event about a wallet": (
        (LIST,),
        [event("transaction.created", wallet(BITCOIN, **other_address(BITCOIN)))],
    ),
    "a wallet in another letter case": ((LIST,), [told(wallet(EVM, address=wallet(EVM)["address"].lower()))]),
    "an event that is five minutes old": (
        (),
        [
            delivery(told(wallet(EVM)), ("X-Webhook-Timestamp", str(int(EPOCH_OF_WORLDS.timestamp()) + seconds)))
            for seconds in (-300, 0, 300)
        ],
    ),
}


@pytest.mark.parametrize("name", RIGHT_EVENTS)
def test_what_the_documents_allow_in_events_breaks_nothing(name: str) -> None:
    steps, events = RIGHT_EVENTS[name]
    assert broken(*steps, events=events) == set()


def test_an_event_says_whose_wallet_it_is() -> None:
    shared = wallet(EVM, BOB, customer=..., address=wallet(EVM)["address"], publicKey=..., derivationPath=...)
    bobs = event("wallet.created", {**shared, "customerId": BOB})
    assert broken(CREATE, CREATE_BOB, single(wallet(EVM)), events=[bobs]) == {"address.never-shared"}
    assert broken(CREATE, single(wallet(EVM)), events=[bobs]) == set()


# ---------------------------------------------------------------------------------------------------- hostile servers


NAMES = [
    *wallet(EVM),
    *customer(),
    *challenge("1"),
    *event(),
    *("success", "message", "errors", "result", "wallets", "path", "customerId", "walletId", "blockchains"),
]
TEXTS = [*ALL, *wallet(EVM).values(), wallet(SOLANA)["address"], "verified", "pending", "failed", PAGE, "http://[", BOB]
DEEP = [b'{"data": ' + b"[" * depth + b"]" * depth + b"}" for depth in (99, 120, 900, 100_000)]
LONE = rb'{"data": {"blockchain": "ETH", "address": "\ud800", "id": "\ud800"}, "event": "\ud800"}'
QUERIES = ["", "customerIds=", f"customerIds={ALICE}&limit=2", "limit=-1&page=x", "%", "a=%ff&limit=²"]
STATUSES = [200, 200, 200, 201, 204, 302, 400, 401, 404, 409, 500, 99]

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(TEXTS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=6),
    max_leaves=12,
)
members = st.dictionaries(st.sampled_from(NAMES), values, max_size=6)
data = members | st.lists(members, max_size=3)
answers = st.builds(lambda payload, more: {"success": True, **more, "data": payload}, data, members)
bodies = (
    st.binary(max_size=80)
    | (answers | values).map(lambda body: json.dumps(body).encode())
    | st.sampled_from([*DEEP, LONE])
)


@st.composite
def hostile(draw: st.DrawFn) -> Step:
    step = draw(st.sampled_from(RIGHT))
    kind = draw(st.just("application/json") | st.text(st.characters(max_codepoint=255), max_size=20))
    if step.method == "GET" and draw(st.booleans()):
        step = replace(step, path=f"{step.path.partition('?')[0]}?{draw(st.sampled_from(QUERIES))}")
    if step.method == "POST" and draw(st.booleans()):
        step = replace(step, sent=draw(members))
    return replace(step, body=draw(bodies), status=draw(st.sampled_from(STATUSES)), headers=(("Content-Type", kind),))


@st.composite
def hostile_event(draw: st.DrawFn) -> Delivery:
    name = draw(st.sampled_from(["X-Webhook-Id", "X-Webhook-Timestamp"]))
    return delivery(draw(bodies), (name, draw(st.text(max_size=20))))


def test_a_body_that_is_nested_too_deep_says_nothing() -> None:
    wrong: dict[str, Any] = wallet(EVM, address=CUT)
    assert "address.evm-form" in broken(listing({"more": wrong}))
    for _ in range(100):
        wrong = {"more": wrong}
    assert "address.evm-form" not in broken(listing(wrong))


@given(st.lists(hostile(), max_size=5), st.lists(hostile_event(), max_size=2), st.text(max_size=10))
def test_no_answer_and_no_event_breaks_the_checks(steps: list[Step], events: list[Delivery], blockchains: str) -> None:
    found = findings(*START, *steps, LIST, events=events, blockchains=blockchains)
    places = [(finding.rule, finding.where, finding.exchange) for finding in found]
    assert {finding.rule for finding in found} <= set(CATALOGUE)
    assert len(set(places)) == len(places)


@given(
    st.sampled_from([*CHAINS, "ATOM"]),
    st.text(max_size=70) | st.text("0123456789abcdefABCDEFxX", max_size=70) | st.sampled_from(TEXTS),
    st.text(max_size=140) | st.binary(max_size=66).map(bytes.hex) | st.binary(max_size=40).map(encode_base58),
    st.text(max_size=30) | st.text("m/4'0hH ", max_size=30),
)
def test_no_wallet_breaks_the_checks(chain: str, address: str, key: str, path: str) -> None:
    odd = {**wallet(EVM), "blockchain": chain, "address": address, "publicKey": key, "derivationPath": path}
    found = findings(CREATE, CREATE_BOB, LIST_BOB, listing(odd), verified("1", odd), events=[told(odd)])
    assert {finding.rule for finding in found} <= set(CATALOGUE)
