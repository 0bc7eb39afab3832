"""The rules that are told from exchanges alone: each holds on right exchanges, and is broken by one that is bent."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from http import HTTPStatus
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.catalogue import Catalogue
from conformance.clock import EPOCH_OF_WORLDS
from conformance.exchange import Delivery, Exchange, Generated, Headers, Mode, Request, Response
from conformance.findings import Finding, Outcome
from conformance.ids import Ids
from conformance.offblocks import api
from conformance.offblocks.checks import is_partial, listed, provider_findings
from conformance.offblocks.wallet import Wallet
from conformance.specification import Specification

SPECIFICATION = Specification.load(api.specification)
CATALOGUE = Catalogue.load(api.rules)
BASE_URL = "https://sandbox.example"
CHAIN = "eip155:300"
ADDRESS = "0x43158f45b5EbD7b1179130130DF00393928C2691"
OTHER_ADDRESS = "0x22227A31dd842196A246d8f3b775998560eAa61d"
CUSTOMER = "04c5851c-4386-5bd9-9f89-08312f8aee3a"
OTHER_CUSTOMER = "123e4567-e89b-12d3-a456-426614174000"
CREATED_AT = "2026-01-15T12:00:00.123456789Z"
JSON = ("Content-Type", "application/json")
MESSAGE = f"""api.sandbox.offblocks.xyz wants you to sign in with your Ethereum account:
{ADDRESS}

Prove that the wallet is yours.

URI: https://api.sandbox.offblocks.xyz
Version: 1
Chain ID: 300
Nonce: 5ufoiEqDaFvmfo78
Issued At: 2026-01-15T12:00:00Z"""

Members = Mapping[str, Any]


def challenge(*changes: tuple[str, str]) -> str:
    """The right challenge with parts of its message replaced."""
    message = MESSAGE
    for old, new in changes:
        assert old in message
        message = message.replace(old, new)
    return base64.b64encode(message.encode()).decode()


def customer(**changes: Any) -> dict[str, Any]:
    """What reading the customer answers, but for `changes`; a member that is `...` is left out."""
    members = {
        "id": CUSTOMER,
        "externalId": "user-1",
        "chainId": f"{CHAIN}:{ADDRESS}",
        "status": "initiating",
        "createdAt": CREATED_AT,
        "updatedAt": CREATED_AT,
        **changes,
    }
    return {name: value for name, value in members.items() if value is not ...}


@dataclass(frozen=True)
class Step:
    """A request and its answer.

    Args:
        method: The method.
        path: The path.
        answer: What the answer holds as JSON, None for no body.
        status: Its status.
        sent: What the request holds as JSON.
        after: How long after the beginning it was sent.
        body: The answer's bytes instead of `answer`.
        asks: What an answer with 401 has in WWW-Authenticate; None for no such header.
    """

    method: str
    path: str
    answer: Any = None
    status: int = 200
    sent: Members | None = None
    after: timedelta = timedelta()
    identity: str = "first"
    key: str | None = None
    headers: Headers = (JSON,)
    body: bytes | None = None
    breaks: frozenset[str] = frozenset()
    request_headers: Headers = field(default=())
    asks: str | None = 'Bearer realm="offblocks"'

    def exchange(self, number: int) -> Exchange:
        found = SPECIFICATION.match(self.method, self.path.partition("?")[0])
        keyed = (("Idempotency-Key", self.key),) if self.key else ()
        body = b"" if self.answer is None else json.dumps(self.answer).encode()
        asking = (
            (("WWW-Authenticate", self.asks),)
            if self.status == HTTPStatus.UNAUTHORIZED and self.asks is not None
            else ()
        )
        return Exchange(
            id=f"test#{number}",
            operation=found.operation.id if found else None,
            parameters=found.parameters if found else {},
            identity=self.identity,
            at=EPOCH_OF_WORLDS + self.after,
            seconds=0.1,
            request=Request(
                (*keyed, *self.request_headers),
                json.dumps(self.sent).encode() if self.sent is not None else b"",
                self.method,
                BASE_URL + self.path,
            ),
            response=Response((*self.headers, *asking), body if self.body is None else self.body, self.status),
            breaks=self.breaks,
        )


TOKEN = Step(
    "POST",
    "/v1/auth/token",
    {"token": "a.b.c", "expiresAt": int((EPOCH_OF_WORLDS + timedelta(hours=1)).timestamp()), "tokenType": "Bearer"},
    sent={"apiKey": OTHER_CUSTOMER, "apiSecret": "secret"},
)
CREATE = Step(
    "POST",
    "/v1/customers",
    {**customer(), "challenge": challenge()},
    201,
    {"chainId": f"{CHAIN}:{ADDRESS}", "externalId": "user-1"},
    key="a",
)
SECOND = replace(
    CREATE,
    answer={
        **customer(id=OTHER_CUSTOMER, externalId="Ünï-✓"),
        "challenge": challenge(("5ufoiEqDaFvmfo78", "6ufoiEqDaFvmfo78")),
    },
    sent={"chainId": f"{CHAIN}:{ADDRESS}", "externalId": "Ünï-✓"},
    key="b",
)
AGAIN = replace(
    CREATE,
    answer={"detail": "exists"},
    status=409,
    sent={"externalId": "user-1", "chainId": f"{CHAIN}:{ADDRESS}"},
    key="c",
)
NAMELESS = replace(
    CREATE, answer={"detail": "no"}, status=400, sent={"chainId": f"{CHAIN}:{ADDRESS}", "externalId": ""}
)
OTHERS = replace(
    NAMELESS, identity="second", key="a", sent={"chainId": f"{CHAIN}:{OTHER_ADDRESS}", "externalId": "user-2"}
)
READ = Step("GET", f"/v1/customers/{CUSTOMER}", customer())
LIST = Step("GET", "/v1/customers", [customer(), customer(id=OTHER_CUSTOMER, externalId="Ünï-✓")])
FETCH = Step("GET", f"/v1/customers/{CUSTOMER}/challenge", {"challenge": challenge()})
SIGN = Step(
    "POST", f"/v1/customers/{CUSTOMER}/challenge/sign", status=204, sent={"challenge": challenge()}, headers=(), key="d"
)
SIGNED = {"challenge": challenge(), "ownerId": f"{CHAIN}:{ADDRESS}"}
EVENT = {**customer(), "webhookType": "customer.updated", "eventId": OTHER_CUSTOMER}

RIGHT = (TOKEN, CREATE, SECOND, AGAIN, READ, LIST, FETCH, SIGN, replace(READ, answer=customer(status="verifying")))


def delivery(event: object) -> Delivery:
    body = event if isinstance(event, bytes) else json.dumps(event).encode()
    return Delivery(1, "first", EPOCH_OF_WORLDS, Request((JSON,), body, "POST", "/hook"), 200)


def findings(*steps: Step, events: Sequence[object] = (), **options: str) -> list[Finding]:
    exchanges = [step.exchange(number) for number, step in enumerate(steps, start=1)]
    return provider_findings(exchanges, [delivery(event) for event in events], SPECIFICATION, options)


def short(found: list[Finding], outcome: Outcome) -> set[str]:
    return {finding.rule.removeprefix("offblocks.") for finding in found if finding.outcome is outcome}


def broken(*steps: Step, **options: Any) -> set[str]:
    return short(findings(*steps, **options), Outcome.BROKEN)


def readings(rule: str, *steps: Step, **options: str) -> list[str | None]:
    return [finding.reading for finding in findings(*steps, **options) if finding.rule == f"offblocks.{rule}"]


def bend(step: Step, **changes: Any) -> Step:
    """The step with members of its answer changed; one that is `...` is left out."""
    members = {name: value for name, value in {**step.answer, **changes}.items() if value is not ...}
    return replace(step, answer=members)


def with_challenge(*changes: tuple[str, str]) -> Step:
    return bend(CREATE, challenge=challenge(*changes))


# ---------------------------------------------------------------------------------------------------------- all right


def test_right_exchanges_break_no_rule() -> None:
    assert broken(*RIGHT, events=[EVENT]) == set()


def test_every_finding_is_of_a_rule_and_names_its_exchange() -> None:
    found = findings(*RIGHT, events=[EVENT])
    assert {finding.rule for finding in found} <= set(CATALOGUE)
    assert {finding.exchange for finding in found} == {None, *(f"test#{number + 1}" for number in range(len(RIGHT)))}
    assert all(finding.where and finding.expected for finding in found)


def test_a_refusal_of_a_request_that_is_wrong_on_purpose_breaks_nothing() -> None:
    wrong = frozenset({"offblocks.client.signs-requests"})
    assert broken(replace(CREATE, status=401, answer={"detail": "no signature"}, breaks=wrong)) == set()


# ----------------------------------------------------------------------------------------------- one thing is wrong


MONTH_AGO = ("2026-01-15T12", "2025-12-15T12")
NEXT_MONTH = ("2026-01-15T12", "2026-02-15T12")
ANOTHER_NONCE = ("5ufoiEqDaFvmfo78", "7ufoiEqDaFvmfo78")
HTML = b"<html>Welcome</html>"

Bent = tuple[Step, ...]
PRINTED = "response.shows-printed-members"
SCHEME = "authentication.refusal-names-a-scheme"
BENT: list[tuple[set[str], Bent]] = [
    ({"response.no-server-error"}, (replace(READ, status=500),)),
    ({"response.no-server-error"}, (replace(READ, status=503, body=HTML),)),
    ({"response.status-documented"}, (replace(READ, status=418),)),
    ({"response.status-documented", "customer.created-with-201"}, (replace(CREATE, status=202),)),
    ({"response.is-json"}, (CREATE, replace(READ, headers=(("Content-Type", "text/html"),)))),
    ({"response.is-json"}, (CREATE, replace(READ, headers=()))),
    ({PRINTED, "response.matches-inferred-schema"}, (bend(TOKEN, tokenType=...),)),
    ({"response.matches-schema"}, (bend(TOKEN, tokenType=7),)),
    ({PRINTED, "response.matches-inferred-schema", "customer.readable"}, (CREATE, bend(READ, externalId=...))),
    (
        {PRINTED, "response.matches-inferred-schema"},
        (CREATE, bend(READ, updatedAt=..., updated_at="2026-01-15T12:00:00Z")),
    ),
    ({"response.matches-schema"}, (bend(TOKEN, token=7),)),
    ({"response.matches-schema"}, (replace(FETCH, body=HTML),)),
    ({"response.matches-schema"}, (replace(FETCH, answer={}),)),
    ({"response.matches-schema"}, (replace(FETCH, body=b""),)),
    ({"response.matches-inferred-schema"}, (replace(LIST, answer={"customers": [customer()]}),)),
    ({"customer.created-with-201"}, (replace(CREATE, status=409, answer={"detail": "exists"}),)),
    ({"customer.created-with-201"}, (replace(CREATE, status=400, answer={"detail": "no"}),)),
    ({"customer.starts-initiating"}, (bend(CREATE, status="active"),)),
    ({"customer.echoes-chain-id"}, (bend(CREATE, chainId=f"eip155:1:{ADDRESS}"),)),
    ({"customer.created-with-201", "response.no-server-error"}, (replace(NAMELESS, status=500),)),
    ({"response.status-documented"}, (replace(CREATE, status=429, answer={}),)),
    ({"customer.created-with-201"}, (CREATE, replace(OTHERS, status=409, key="e"))),
    ({"customer.echoes-external-id"}, (bend(CREATE, externalId="USER-1"),)),
    (
        {"customer.external-id-is-any-string", "customer.echoes-external-id"},
        (bend(SECOND, externalId="Uni-?"),),
    ),
    ({"customer.id-is-a-uuid", "response.matches-schema"}, (bend(CREATE, id="customer-1"),)),
    ({"customer.id-is-a-uuid", "response.matches-schema"}, (replace(LIST, answer=[customer(id="customer-1")]),)),
    ({"customer.times-are-rfc3339"}, (CREATE, bend(READ, updatedAt="15/01/2026"))),
    ({"customer.times-are-rfc3339"}, (CREATE, bend(READ, updatedAt="2026-01-15T12:00:00"))),
    ({"customer.times-are-rfc3339", "response.matches-schema"}, (CREATE, bend(READ, updatedAt=1_768_478_400))),
    ({"customer.status-is-known"}, (CREATE, bend(READ, status="sleeping"))),
    ({"customer.status-is-known", "response.matches-schema"}, (CREATE, bend(READ, status=["active"]))),
    ({"customer.status-is-known"}, (replace(LIST, answer=[customer(status="sleeping")]),)),
    ({"customer.listed"}, (CREATE, replace(LIST, answer=[customer(externalId="user-&lt;1")]))),
    ({"customer.listed"}, (CREATE, replace(LIST, answer=[customer(chainId=f"{CHAIN}:{OTHER_ADDRESS}")]))),
    ({"customer.readable"}, (CREATE, bend(READ, id=OTHER_CUSTOMER))),
    ({"customer.readable"}, (CREATE, bend(READ, chainId=f"{CHAIN}:{OTHER_ADDRESS}"))),
    ({"customer.readable"}, (CREATE, bend(READ, externalId="user-2"))),
    ({"customer.created-at-stays"}, (CREATE, bend(READ, createdAt="2026-01-15T12:00:01Z"))),
    ({"customer.created-at-stays"}, (CREATE, bend(READ, createdAt="2026-01-15T12:00:00.2Z"))),
    (
        {"customer.created-at-stays"},
        (bend(CREATE, createdAt="2026-01-15T12:00:00Z"), bend(READ, createdAt="2026-01-15T12:00:01.5Z")),
    ),
    ({"customer.updated-at-moves"}, (CREATE, bend(READ, status="verifying", updatedAt="2026-01-15T11:57:00Z"))),
    (
        {"customer.updated-at-moves"},
        (CREATE, replace(LIST, answer=[customer(status="active", updatedAt="2025-01-15T12:00:00Z")])),
    ),
    ({"customer.no-second-for-a-pair"}, (CREATE, bend(replace(CREATE, key="b"), id=OTHER_CUSTOMER))),
    (
        {"customer.no-second-for-a-pair"},
        (
            CREATE,
            bend(
                replace(CREATE, sent={"chainId": f"{CHAIN}:{ADDRESS.lower()}", "externalId": "user-1"}),
                id=OTHER_CUSTOMER,
            ),
        ),
    ),
    ({"signature.right-one-accepted", "customer.created-with-201"}, (replace(CREATE, status=401, answer={}),)),
    ({"signature.right-one-accepted"}, (replace(LIST, status=401, answer={"detail": "bad signature"}),)),
    ({"signature.right-one-accepted"}, (CREATE, replace(SIGN, status=401, sent=SIGNED))),
    ({SCHEME, "signature.right-one-accepted"}, (replace(LIST, status=401, answer={}, asks=None),)),
    ({SCHEME, "signature.right-one-accepted"}, (replace(LIST, status=401, answer={}, asks=""),)),
    ({SCHEME, "signature.right-one-accepted"}, (replace(LIST, status=401, answer={}, asks='="Bearer"'),)),
    ({"customer.listed-once"}, (replace(LIST, answer=[customer(), customer()]),)),
    (
        {"customer.created-with-201", "response.status-documented"},
        (replace(CREATE, status=200), replace(CREATE, status=200)),
    ),
    ({"authentication.token-lives-an-hour"}, (bend(TOKEN, expiresAt=TOKEN.answer["expiresAt"] + 121),)),
    (
        {"authentication.token-lives-an-hour"},
        (TOKEN, bend(TOKEN, token="another", expiresAt=TOKEN.answer["expiresAt"] - 121)),
    ),
    ({"authentication.token-lives-an-hour"}, (bend(TOKEN, expiresAt=0),)),
    ({"authentication.token-lives-an-hour"}, (TOKEN, bend(TOKEN, token="another", expiresAt=0))),
    ({"challenge.standard-base64"}, (bend(CREATE, challenge=challenge().rstrip("=")),)),
    ({"challenge.standard-base64"}, (bend(CREATE, challenge=MESSAGE),)),
    ({"challenge.standard-base64"}, (bend(FETCH, challenge="__--"),)),
    ({"challenge.kind", "challenge.grammar"}, (bend(FETCH, challenge=base64.b64encode(b"Sign this.").decode()),)),
    ({"challenge.kind", "challenge.grammar"}, (bend(FETCH, challenge=base64.b64encode(b"\xff\xfe").decode()),)),
    ({"challenge.kind", "challenge.grammar"}, (bend(FETCH, challenge=""),)),
    ({"challenge.kind"}, (bend(FETCH, challenge=base64.b64encode(b"-----BEGIN PUBLIC KEY-----\nMFY=").decode()),)),
    ({"challenge.grammar"}, (with_challenge(("yours.\n", "yours.")),)),
    ({"challenge.grammar"}, (with_challenge(("Version: 1\nChain ID: 300", "Chain ID: 300\nVersion: 1")),)),
    ({"challenge.grammar"}, (with_challenge(("12:00:00Z", "12:00:00Z\n")),)),
    ({"challenge.grammar", "challenge.version-is-1"}, (with_challenge(("Version: 1", "Version: 2")),)),
    ({"challenge.grammar", "challenge.version-is-1"}, (with_challenge(("Version: 1\n", "")),)),
    ({"challenge.grammar", "challenge.nonce"}, (with_challenge(("5ufoiEqDaFvmfo78", "5ufoiEq")),)),
    ({"challenge.grammar", "challenge.nonce"}, (with_challenge(("5ufoiEqDaFvmfo78", "5ufoi-qDaFvmfo78")),)),
    ({"challenge.grammar", "challenge.nonce"}, (with_challenge(("Nonce: 5ufoiEqDaFvmfo78\n", "")),)),
    ({"challenge.uri"}, (with_challenge(("URI: https://api.sandbox", "URI: https://api")),)),
    ({"challenge.uri", "challenge.grammar"}, (with_challenge(("URI: https://api.sandbox.offblocks.xyz\n", "")),)),
    ({"challenge.chain-id"}, (with_challenge(("Chain ID: 300", "Chain ID: 1")),)),
    ({"challenge.chain-id", "challenge.grammar"}, (with_challenge(("Chain ID: 300\n", "")),)),
    ({"challenge.address-checksummed"}, (with_challenge((ADDRESS, ADDRESS.lower())),)),
    ({"challenge.address"}, (with_challenge((ADDRESS, OTHER_ADDRESS)),)),
    ({"challenge.address", "challenge.grammar"}, (with_challenge((ADDRESS, "the wallet")),)),
    ({"challenge.address", "challenge.grammar"}, (with_challenge((ADDRESS, ADDRESS[:-1])),)),
    ({"challenge.domain"}, (with_challenge(("api.sandbox.offblocks.xyz", "phishing.example")),)),
    ({"challenge.issued-when-made"}, (bend(with_challenge(MONTH_AGO), createdAt="2025-12-15T12:00:00Z"),)),
    ({"challenge.issued-when-made"}, (bend(with_challenge(NEXT_MONTH), createdAt="2026-02-15T12:00:00Z"),)),
    (
        {"challenge.issued-when-made", "challenge.issued-at-against-created-at", "challenge.grammar"},
        (with_challenge(("\nIssued At: 2026-01-15T12:00:00Z", "")),),
    ),
    (
        {PRINTED, "response.matches-inferred-schema"},
        (bend(CREATE, createdAt=...),),
    ),
    ({"challenge.never-alike"}, (CREATE, bend(SECOND, challenge=challenge()))),
    (
        {"challenge.never-alike"},
        (CREATE, SIGN, bend(FETCH, challenge=challenge(("is yours", "is your own")))),
    ),
    ({"challenge.stays-until-signed"}, (CREATE, bend(FETCH, challenge=challenge(ANOTHER_NONCE)))),
    ({"signing.no-content"}, (CREATE, replace(SIGN, body=b"{}"))),
    (
        {"signing.no-content", "response.status-documented"},
        (CREATE, replace(SIGN, status=200, body=b"{}", headers=(JSON,))),
    ),
]


@pytest.mark.parametrize(("rules", "steps"), BENT, ids=[min(rules) for rules, _ in BENT])
def test_what_is_bent_breaks_these_rules_and_no_other(rules: set[str], steps: Bent) -> None:
    assert broken(*steps) == rules


def test_every_rule_that_can_hold_can_be_broken() -> None:
    can_break = set().union(*(rules for rules, _ in BENT)) | {"webhook.event-matches-schema", "webhook.event-ids-apart"}
    can_break |= {"challenge.domain-expected"}  # by a setting
    can_break -= {SCHEME}  # no right exchange is refused with 401
    only_read = {"customer.verification-url", "challenge.purpose"}
    assert short(findings(*RIGHT, events=[EVENT]), Outcome.HELD) == can_break | only_read


def test_a_member_that_is_not_shown_is_never_the_same_as_before() -> None:
    absent = findings(bend(CREATE, createdAt=...), bend(READ, createdAt=...))
    about = {"offblocks.customer.created-at-stays", "offblocks.challenge.issued-at-against-created-at"}
    assert {(each.rule, each.outcome) for each in absent if each.rule in about} == {
        (rule, Outcome.SKIPPED) for rule in about
    }


def test_another_domain_fails_only_if_one_is_set() -> None:
    other = with_challenge(("api.sandbox.offblocks.xyz", "wallet.example"))

    def said(settings: dict[str, str]) -> list[tuple[str, Outcome, str]]:
        found = findings(other, **settings)
        return [(each.rule, each.outcome, each.expected + each.reason) for each in found if ".domain" in each.rule]

    unset = said({})
    assert [outcome for _, outcome, _ in unset] == [Outcome.BROKEN, Outcome.SKIPPED]
    assert all("CONFORMANCE_OFFBLOCKS_EXPECTED_DOMAIN" in text for _, _, text in unset)
    assert [outcome for _, outcome, _ in said({"expected_domain": "a.example"})] == [Outcome.BROKEN, Outcome.BROKEN]
    assert [outcome for _, outcome, _ in said({"expected_domain": "wallet.example"})] == [Outcome.HELD, Outcome.HELD]


def test_a_member_under_a_like_name_is_told_as_that() -> None:
    renamed = findings(CREATE, bend(READ, createdAt=..., created_at="2026-01-15T12:00:00Z"))
    (found,) = (each for each in renamed if each.rule == f"offblocks.{PRINTED}" and each.outcome is Outcome.BROKEN)
    assert (found.where, found.got) == ("response /createdAt", "nothing, but a member created_at")


def test_a_finding_says_where_what_was_expected_and_what_was_there() -> None:
    (found,) = (finding for finding in findings(bend(CREATE, status="active")) if finding.outcome is Outcome.BROKEN)
    assert (found.where, found.expected, found.got, found.exchange) == (
        "response /status",
        "initiating",
        "active",
        "test#1",
    )


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (json.dumps({"challenge": 7}).encode(), "/challenge"),
        (b"[]", ""),
        (b"<html>", ""),
    ],
)
def test_a_schema_finding_points_at_the_member(body: bytes, pointer: str) -> None:
    (found,) = (
        finding
        for finding in findings(replace(FETCH, body=body))
        if finding.rule == "offblocks.response.matches-schema"
    )
    assert found.where == f"response {pointer}"


# ------------------------------------------------------------------------------------------- what is not wrong either


RIGHT_TOO: dict[str, Bent] = {
    "a token of an hour within the clocks' difference": (bend(TOKEN, expiresAt=TOKEN.answer["expiresAt"] + 119),),
    "a token that was given before, too": (TOKEN, bend(TOKEN, expiresAt=TOKEN.answer["expiresAt"] - 1800)),
    "a media type with parameters": (replace(FETCH, headers=(("content-type", "Application/JSON;charset=UTF-8"),)),),
    "members that no document knows": (CREATE, bend(READ, colour="green")),
    "times without a fraction": (bend(CREATE, createdAt="2026-01-15T12:00:00Z"),),
    "times with an offset": (bend(CREATE, updatedAt="2026-01-15T13:00:00.5+01:00"),),
    "an upper-case id": (bend(CREATE, id=CUSTOMER.upper()),),
    "a malformed account that is refused": (
        replace(CREATE, status=400, answer={}, sent={"chainId": ADDRESS, "externalId": "user-1"}),
    ),
    "a wallet again under another id": (CREATE, replace(SECOND, status=409, answer={})),
    "the same pair with the same customer": (CREATE, replace(CREATE, key="b")),
    "a repeat with its key": (CREATE, CREATE),
    "the same pair of another client": (
        CREATE,
        bend(replace(CREATE, identity="second"), id=OTHER_CUSTOMER, challenge=challenge(ANOTHER_NONCE)),
    ),
    **{
        f"an externalId that is refused, {name}": (
            replace(NAMELESS, sent={**(NAMELESS.sent or {}), "externalId": text}),
        )
        for name, text in {"empty": "", "a control character": "user\x00", "long": "u" * 101}.items()
    },
    "a key of another client that is refused": (CREATE, replace(OTHERS, status=409)),
    "an externalId of another client that is refused": (
        CREATE,
        replace(OTHERS, status=409, key="e", sent={**(OTHERS.sent or {}), "externalId": "user-1"}),
    ),
    "an account in lower case": (
        bend(CREATE, chainId=f"{CHAIN}:{ADDRESS.lower()}"),
        bend(READ, chainId=f"{CHAIN}:{ADDRESS.upper().replace('X', 'x', 1)}"),
    ),
    "a time with a blank": (CREATE, bend(READ, updatedAt="2024-01-12 14:53:02.5Z")),
    "a scheme before the domain": (
        with_challenge((MESSAGE.split(" ", 1)[0] + " wants", f"https://{MESSAGE.split(' ', 1)[0]} wants")),
    ),
    "a creation with a member too many that is refused": (
        replace(CREATE, status=400, answer={}, sent={**(CREATE.sent or {}), "colour": "green"}),
    ),
    "another client that may not read": (CREATE, replace(READ, identity="second", status=401, answer={})),
    "an unknown customer": (replace(READ, status=404, answer={}),),
    "a new challenge after a failed signature": (
        CREATE,
        replace(SIGN, status=400),
        bend(FETCH, challenge=challenge(ANOTHER_NONCE)),
    ),
    "another owner who is refused with 401": (
        CREATE,
        replace(SIGN, status=401, sent={**SIGNED, "ownerId": f"eip155:1:{ADDRESS}"}),
    ),
    "a challenge that was replaced, refused with 401": (
        CREATE,
        replace(SIGN, status=400, sent=SIGNED),
        bend(FETCH, challenge=challenge(ANOTHER_NONCE)),
        replace(SIGN, status=401, sent=SIGNED, key="e"),
    ),
    "a new challenge after the hour": (
        CREATE,
        bend(
            replace(FETCH, after=timedelta(hours=1, seconds=2)),
            challenge=challenge(ANOTHER_NONCE, ("T12:00:00Z", "T13:00:01Z")),
        ),
    ),
    "the same challenge again": (CREATE, FETCH, replace(FETCH, after=timedelta(minutes=50))),
    "a list of nobody": (replace(LIST, answer=[]),),
    "a path that nobody knows": (Step("GET", "/v1/nothing", {"detail": "no"}, 404),),
    "another digest that is refused": (
        replace(CREATE, status=400, answer={}, request_headers=(("Content-Digest", "sha-512=:x:"),)),
    ),
}


@pytest.mark.parametrize("name", RIGHT_TOO)
def test_what_the_documents_allow_breaks_nothing(name: str) -> None:
    assert broken(*RIGHT_TOO[name], chain=CHAIN) == set()


DRAWN = Generated(case=1, mode=Mode.POSITIVE)


def test_a_conflict_says_nothing_of_what_may_have_been_created_before_the_test() -> None:
    taken = replace(CREATE, status=409, answer={})
    assert broken(taken) == {"customer.created-with-201"}
    exchanges = [replace(taken.exchange(1), generated=DRAWN)]
    assert short(provider_findings(exchanges, [], SPECIFICATION, {}), Outcome.BROKEN) == set()
    wallet = Wallet.derived(Ids("wallet"), CHAIN)
    of_the_settings = replace(taken, sent={"chainId": wallet.account_id, "externalId": "user-1"})
    assert broken(of_the_settings, wallet_key=Ids("wallet").draw(32).hex()) == set()
    assert broken(taken, wallet_key=Ids("wallet").draw(32).hex()) == {"customer.created-with-201"}


def test_only_the_chain_of_the_run_must_be_created() -> None:
    refused = replace(CREATE, status=400, answer={})
    assert broken(refused, chain="eip155:1") == set()
    assert broken(refused, chain=CHAIN) == {"customer.created-with-201"}


# ----------------------------------------------------------------------------------------------------------- readings


@pytest.mark.parametrize(
    ("rule", "steps", "options", "reading"),
    [
        ("challenge.domain", (CREATE,), {}, "sandbox-host"),
        ("challenge.domain", (with_challenge(("api.sandbox.offblocks", "api.offblocks")),), {}, "live-host"),
        ("challenge.domain", (with_challenge(("api.sandbox.offblocks.xyz", "sandbox.example")),), {}, "host-asked"),
        ("challenge.domain", (CREATE,), {"expected_domain": "api.offblocks.xyz"}, None),
        ("challenge.domain", (CREATE,), {"expected_domain": "api.sandbox.offblocks.xyz"}, "sandbox-host"),
        (
            "challenge.domain",
            (with_challenge(("api.sandbox.offblocks.xyz", "wallet.example")),),
            {"expected_domain": "wallet.example"},
            "host-asked",
        ),
        ("challenge.issued-at-against-created-at", (CREATE,), {}, "with-the-customer"),
        ("challenge.issued-at-against-created-at", (with_challenge(MONTH_AGO),), {}, "at-another-time"),
        ("customer.created-at-stays", (CREATE, READ), {}, "identical"),
        *(
            ("customer.created-at-stays", (bend(CREATE, createdAt=before), bend(READ, createdAt=now)), {}, reading)
            for before, now, reading in (
                (CREATED_AT, "2026-01-15T12:00:00.123456Z", "fewer-digits"),
                (CREATED_AT, "2026-01-15T12:00:00.123457Z", "fewer-digits"),
                (CREATED_AT, "2026-01-15T12:00:00.123458Z", None),
                (CREATED_AT, "2026-01-15T12:00:00Z", "fewer-digits"),
                (CREATED_AT, "2026-01-15T12:00:01Z", None),
                (CREATED_AT, "2026-01-15T12:00:00.123+00:00", "fewer-digits"),
                ("2026-01-15T12:00:00.9999996Z", "2026-01-15T12:00:01.000000Z", "fewer-digits"),
                ("2026-01-15T12:00:00.5Z", "2026-01-15T12:00:00.6Z", None),
                ("2026-01-15T12:00:00.50Z", "2026-01-15T13:00:00.500+01:00", "fewer-digits"),
                ("2026-01-15T12:00:00Z", f"2026-01-15T12:00:00.{'9' * 5_000}Z", "fewer-digits"),
            )
        ),
        ("customer.created-at-stays", (CREATE, bend(READ, createdAt=None)), {}, None),
        ("customer.verification-url", (CREATE,), {}, "absent"),
        ("customer.verification-url", (bend(CREATE, verification="https://verify.example/1"),), {}, "present"),
    ],
)
def test_each_reading_is_told(rule: str, steps: Bent, options: dict[str, str], reading: str | None) -> None:
    assert readings(rule, *steps, **options) == [reading]
    assert reading is None or reading in {each.id for each in CATALOGUE[f"offblocks.{rule}"].readings}


# ----------------------------------------------------------------------------------------------------------- webhooks


@pytest.mark.parametrize(
    ("event", "where"),
    [
        ({**EVENT, "eventId": "one"}, "webhook 1 /eventId"),
        ({**EVENT, "webhookType": "account.updated"}, "webhook 1 /webhookType"),
        ({name: value for name, value in EVENT.items() if name != "status"}, "webhook 1 /status"),
        ([EVENT], "webhook 1 "),
        ({**EVENT, "createdAt": 7}, "webhook 1 /createdAt"),
        (b"", "webhook 1 "),
        (b"\xff", "webhook 1 "),
    ],
)
def test_a_wrong_event_is_broken_where_it_is_wrong(event: object, where: str) -> None:
    (found,) = findings(events=[event])
    assert (found.rule, found.outcome) == ("offblocks.webhook.event-matches-schema", Outcome.BROKEN)
    assert found.where == where


def test_only_the_token_that_was_given_last_tells_of_signatures() -> None:
    asked = {name: replace(LIST, request_headers=(("Authorization", f"Bearer {name}"),)) for name in ("a.b.c", "d.e.f")}
    again = bend(TOKEN, token="d.e.f")
    refused = {name: replace(step, status=401, answer={}) for name, step in asked.items()}
    assert broken(TOKEN, again, refused["a.b.c"]) == set()
    creation = replace(CREATE, status=401, answer={}, request_headers=asked["a.b.c"].request_headers)
    assert broken(TOKEN, again, creation) == set()
    assert broken(TOKEN, again, refused["d.e.f"]) == broken(TOKEN, refused["a.b.c"]) == {"signature.right-one-accepted"}


def test_a_list_shows_nobody_whom_another_client_alone_created() -> None:
    theirs = replace(LIST, identity="second", answer=[customer()])
    assert broken(CREATE, theirs) == {"isolation.list-apart"}
    same = bend(replace(CREATE, identity="second"), challenge=challenge(ANOTHER_NONCE))
    assert "isolation.list-apart" not in broken(CREATE, same, theirs)


def test_an_event_shows_its_customer_as_it_was_created() -> None:
    assert broken(CREATE, events=[{**EVENT, "externalId": "user-2"}]) == {"webhook.event-matches-schema"}
    assert broken(CREATE, events=[{**EVENT, "chainId": f"{CHAIN}:{ADDRESS.lower()}"}]) == set()


def test_two_changes_that_share_the_id_of_an_event_are_told() -> None:
    assert broken(CREATE, events=[EVENT, EVENT]) == set(), "one event that came twice"
    assert broken(CREATE, events=[EVENT, {**EVENT, "status": "screening"}]) == {"webhook.event-ids-apart"}


def test_an_event_of_another_customer_of_a_pair_shows_that_there_are_two() -> None:
    again = {**EVENT, "id": OTHER_CUSTOMER, "eventId": CUSTOMER}
    assert broken(CREATE, events=[again]) == {"customer.no-second-for-a-pair"}
    assert broken(CREATE, events=[EVENT, {**again, "externalId": "user-2"}]) == set()
    elsewhere = bend(replace(CREATE, identity="second"), id=OTHER_CUSTOMER, challenge=challenge(ANOTHER_NONCE))
    assert broken(CREATE, elsewhere, events=[EVENT, again]) == set()


def test_a_list_is_read_bare_or_wrapped() -> None:
    wrapped = {"total": 1, "customers": [customer()]}
    assert listed(LIST.exchange(1)) == LIST.answer
    assert listed(replace(LIST, answer=wrapped).exchange(1)) == [customer()]
    for other in ([], [{"rel": "self"}]):
        assert listed(replace(LIST, answer={"links": other, "customers": [customer()]}).exchange(1)) == [customer()]
    for strange in (b"", b"7", b"[7]", b"{}", b"[" * 100_000):
        assert listed(replace(LIST, body=strange).exchange(1)) == []


# ---------------------------------------------------------------------------------------------------- hostile servers


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just(CREATED_AT),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
answers = st.dictionaries(st.sampled_from([*customer(), "challenge", "token", "expiresAt", "detail"]), values)
bodies = st.binary(max_size=80) | (answers | st.lists(answers, max_size=2)).map(lambda body: json.dumps(body).encode())
statuses = st.sampled_from([200, 201, 204, 302, 400, 401, 409, 500, 99])
hostile = st.builds(
    lambda step, body, status, kind: replace(step, body=body, status=status, headers=(("Content-Type", kind),)),
    st.sampled_from(RIGHT),
    bodies,
    statuses,
    st.text(st.characters(max_codepoint=255), max_size=20),
)


@given(st.lists(hostile, max_size=4))
def test_no_answer_breaks_the_checks(steps: list[Step]) -> None:
    assert {finding.rule for finding in findings(CREATE, *steps)} <= set(CATALOGUE)


@given(
    st.binary(max_size=200).map(lambda message: base64.b64encode(message).decode())
    | st.text(max_size=40)
    | st.sampled_from(MESSAGE.split("\n")).flatmap(
        lambda line: st.text(max_size=20).map(lambda text: challenge((line, text)) if line else text)
    )
)
def test_no_challenge_breaks_the_checks(text: str) -> None:
    found = findings(bend(CREATE, challenge=text), bend(FETCH, challenge=text), SIGN, bend(FETCH, challenge=text))
    assert "offblocks.challenge.standard-base64" in {finding.rule for finding in found}


@given(st.binary(max_size=80) | answers.map(lambda value: json.dumps(value).encode()))
def test_no_event_breaks_the_checks(body: bytes) -> None:
    assert {finding.outcome for finding in findings(events=[body])} == {Outcome.BROKEN}


@pytest.mark.parametrize(
    ("body", "headers", "partial"),
    [
        ([customer()], (), False),
        ({"customers": [customer()], "next": None, "hasMore": False, "total": 1}, (), False),
        ({"customers": [customer()], "total": 2}, (), True),
        ({"customers": [customer()], "paging": {"next_page": "/v1/customers?page=2"}}, (), True),
        ({"customers": [customer()], "meta": {"hasMore": True}}, (), True),
        ([customer()], (("Link", '</v1/customers?page=2>; rel="next"'),), True),
    ],
)
def test_a_list_may_say_that_there_is_more(body: object, headers: tuple[tuple[str, str], ...], partial: bool) -> None:
    response = Response((JSON, *headers), json.dumps(body).encode(), 200)
    exchange = Exchange("", "listCustomers", "first", EPOCH_OF_WORLDS, 0.0, Request(), response, frozenset())
    assert is_partial(exchange) is partial
