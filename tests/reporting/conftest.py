from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from conformance.catalogue import Basis, Document, Level, Party, Protection, Reading, Rule, Source
from conformance.exchange import Exchange, Request, Response
from conformance.findings import Finding, Outcome
from conformance.judging.results import Run, exchange_to_json, results
from conformance.options import Options
from conformance.statements.table import Statement

SAID = Statement("guide.expiry", "Expiry, line 3", None, "A challenge expires after an hour.", "after one hour")
GUIDE = Source(Document("vendor", "Customer Guide", "https://docs.example/guide"), "Expiry", "statement", (SAID,))
STARTED = datetime(2026, 1, 15, 12, 0, 0, tzinfo=UTC)
TEST = "wallets/expiry/an_old_challenge_is_refused"


def rule(name: str, basis: Basis = Basis.DOCUMENTED, level: Level = Level.MUST, party: Party = Party.PROVIDER) -> Rule:
    readings = (Reading("old", "The old way.", (GUIDE,)), Reading("new", "The new way.", (GUIDE,)))
    return Rule(
        id=f"wallets.{name}",
        api="wallets",
        title=f"What {name} asks for is done.",
        level=level,
        party=party,
        basis=basis,
        sources=(GUIDE,),
        readings=readings if basis is Basis.CONTRADICTED else (),
        operations=(),
    )


RULES = [
    rule("expiry.refused-after-an-hour"),
    rule("expiry.replaced"),
    rule("customer.created"),
    rule("customer.path", Basis.CONTRADICTED),
    rule("customer.guessed", Basis.INFERRED),
    rule("customer.shown-by-example", level=Level.SHOULD),
    rule("webhook.sent"),
    rule("suite.broke"),
    rule("client.signs", party=Party.CLIENT),
]


def broken(name: str, *, got: str = "204", reading: str | None = None) -> Finding:
    return Finding(
        f"wallets.{name}",
        Outcome.BROKEN,
        where="response status",
        expected="400",
        got=got,
        exchange=f"{TEST}#1",
        reading=reading,
        test=TEST,
    )


def held(name: str, reading: str | None = None) -> Finding:
    return Finding(f"wallets.{name}", Outcome.HELD, "response status", "201", "201", None, reading, test=TEST)


def unjudged(name: str, outcome: Outcome, reason: str) -> Finding:
    return Finding(f"wallets.{name}", outcome, reason=reason, test=TEST)


EXCHANGE = Exchange(
    id=f"{TEST}#1",
    operation="signChallenge",
    identity="first",
    at=STARTED,
    seconds=0.01,
    request=Request(
        (("Content-Type", "application/json"),), b'{"a": "<b>"}', "POST", "https://api.example/v1/sign?a=1&b=2"
    ),
    response=Response((), b"\xff\x00", 204),
    breaks=frozenset({"wallets.client.signs"}),
)
MIXED = [
    broken("expiry.refused-after-an-hour"),
    unjudged("expiry.replaced", Outcome.BLOCKED, "POST /v1/customers got no answer from https://api.example"),
    held("customer.created"),
    held("customer.path", "new"),
    broken("customer.guessed", got="[bold]\x1b[31m<script>alert(1)</script>"),
    broken("customer.shown-by-example", got="409"),
    unjudged("webhook.sent", Outcome.SKIPPED, "This needs a webhook address; set CONFORMANCE_WALLETS_WEBHOOK_URL."),
    unjudged("suite.broke", Outcome.ERROR, "KeyError: 'id'"),
]
HELD = [held("customer.created"), held("customer.path", "new")]

Make = Callable[..., dict[str, Any]]


@pytest.fixture
def make() -> Make:
    def made(findings: list[Finding] = MIXED, rules: list[Rule] = RULES, **settings: Any) -> dict[str, Any]:
        options: dict[str, Any] = {"target": "sandbox", "seed": "7"}
        about: dict[str, Any] = {
            "subject": "the reference sandbox",
            "remarks": ["Cassettes without a test: [old]/one.yaml"],
            "main_flows": {},
            "baseline": None,
            "recorded": {},
            "scenarios": {TEST: "Given an old challenge, when it is signed.", "wallets/customer/another": ""},
        }
        for name, value in settings.items():
            (about if name in about else options)[name] = value
        run = Run(
            options=Options(**options),
            apis={"wallets": "Wallets"},
            started=STARTED,
            seconds=2.125,
            findings=findings,
            exchanges=[exchange_to_json(EXCHANGE)],
            **about,
        )
        return results(run, rules)

    return made


@pytest.fixture
def guarded() -> Rule:
    """A rule that is inferred and protects something."""
    return replace(rule("customer.guarded", Basis.INFERRED), protects=Protection.ISOLATION)


@pytest.fixture
def mixed(make: Make) -> dict[str, Any]:
    """Results with every verdict."""
    return make()


@pytest.fixture
def good(make: Make) -> dict[str, Any]:
    """Results of a subject that conforms."""
    chosen = [
        each
        for each in RULES
        if each.id in {"wallets.customer.created", "wallets.customer.path", "wallets.client.signs"}
    ]
    return make(HELD, chosen)


@pytest.fixture
def created() -> Rule:
    """A rule that is documented."""
    return rule("customer.created")
