"""Scenarios against a sandbox whose answers or clock are otherwise: what they say of it, and where they stop."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import ModuleType
from typing import Any

import httpx
import pytest

from conformance.clock import Clock
from conformance.findings import Finding, Outcome
from conformance.offblocks import api
from conformance.offblocks.suite import (
    test_authentication,
    test_challenge_expiry,
    test_customer,
    test_idempotency,
    test_isolation,
    test_webhook,
)
from conformance.offblocks.suite.effects import expect_customers
from conformance.offblocks.suite.tenant import Tenant
from conformance.offblocks.wallet import Wallet
from conformance.recording.journal import Journal
from conformance.recording.redaction import Redactor
from conformance.scenario import VERIFIES, NeedError, StepFailedError, recording
from conformance.specification import Specification
from conformance.targets import Conditions, Subject
from conformance.targets.sandbox import SandboxTarget

SPECIFICATION = Specification.load(api.specification)
Alter = Callable[[httpx.Request, dict[str, Any] | list[Any]], Any]


class Altering(httpx.BaseTransport):
    """Sends, and alters what is answered with success as JSON; a number is another status."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self._inner = inner
        self.alter: Alter = lambda _request, body: body

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self._inner.handle_request(request)
        content = answer.read()
        if answer.is_success and content:
            altered = self.alter(request, json.loads(content))
            if isinstance(altered, int):
                return httpx.Response(altered, content=content, headers={"Content-Type": "application/json"})
            content = json.dumps(altered).encode()
        return httpx.Response(answer.status_code, content=content, headers={"Content-Type": "application/json"})


@dataclass
class Apart:
    """A clock that is apart from the one of the world.

    Args:
        world: The world's clock.
        by: How far it is ahead.
    """

    world: Clock
    by: timedelta

    def now(self) -> datetime:
        return self.world.now() + self.by

    def advance(self, duration: timedelta) -> None:
        self.world.advance(duration)


@pytest.fixture(scope="module")
def target() -> Iterator[SandboxTarget]:
    target = SandboxTarget({"offblocks": SPECIFICATION}, {})
    target.open(api)
    yield target
    target.close()


@pytest.fixture
def subject(target: SandboxTarget, request: pytest.FixtureRequest) -> Subject:
    found = target.subject(api, request.node.name, Conditions("0"))
    return replace(found, sender=Altering(found.sender))


def altering(subject: Subject, alter: Alter) -> None:
    assert isinstance(subject.sender, Altering)
    subject.sender.alter = alter


def play(subject: Subject, module: ModuleType, name: str, **others: Any) -> list[Finding]:
    """Play a scenario; gives what it found."""
    scenario = getattr(module, name)
    rules = [rule for mark in scenario.pytestmark if mark.name == VERIFIES for rule in mark.args]
    tenants = {"tenant": Tenant(subject, "first"), "other_tenant": Tenant(subject, "second")}
    wallets = {name: Wallet.derived(subject.ids.child(name), "eip155:300") for name in ("wallet", "other_wallet")}
    given = {**tenants, **wallets, "subject": subject, "clock": subject.clock, "hooks": subject.hooks, **others}
    wanted = scenario.__code__.co_varnames[: scenario.__code__.co_argcount]
    with recording(rules) as record:
        scenario(**{each: given[each] for each in wanted})
    return record.findings


def broken(findings: list[Finding]) -> set[str]:
    return {finding.rule.removeprefix("offblocks.") for finding in findings if finding.outcome is Outcome.BROKEN}


def of(path: str, alter: Callable[[Any], Any], method: str = "GET") -> Alter:
    """What alters the answers to one method of one path."""
    return lambda request, body: (
        alter(body) if (request.method, request.url.path[-len(path) :]) == (method, path) else body
    )


# ---------------------------------------------------------------------------------------------------------- clocks


@pytest.mark.parametrize("by", [timedelta(seconds=-3), timedelta(seconds=3), timedelta(seconds=60)])
@pytest.mark.parametrize(
    "name",
    [
        "test_a_challenge_is_accepted_within_the_hour",
        "test_a_challenge_is_refused_after_the_hour",
        "test_a_challenge_that_replaced_an_expired_one_has_a_full_hour",
        "test_a_challenge_that_followed_a_failure_expires_too",
    ],
)
def test_clocks_that_differ_are_no_error_of_the_suite_on_a_live_server(
    subject: Subject, name: str, by: timedelta
) -> None:
    clock = Apart(subject.clock, -by)
    journal = Journal("test", clock, subject.base_url, SPECIFICATION, Redactor(api.secrets, api.secret_headers))
    apart = replace(subject, clock=clock, journal=journal, disposable=False)
    assert broken(play(apart, test_challenge_expiry, name)) == set()


@pytest.mark.parametrize(
    ("name", "minutes"),
    [("test_a_challenge_is_accepted_within_the_hour", 59), ("test_a_challenge_is_refused_after_the_hour", 61)],
)
def test_where_the_server_has_a_clock_of_its_own_the_hour_is_tried_a_minute_from_its_end(
    subject: Subject, name: str, minutes: int
) -> None:
    waited: list[timedelta] = []

    class Noting(Apart):
        def advance(self, duration: timedelta) -> None:
            waited.append(duration)
            super().advance(duration)

    live = replace(subject, clock=Noting(subject.clock, timedelta()), disposable=False)
    assert broken(play(live, test_challenge_expiry, name)) == set()
    assert timedelta(minutes=minutes) in waited


# ---------------------------------------------------------------------------------------------------------- tokens


def living(lifetime: timedelta) -> Alter:
    def change(body: dict[str, Any]) -> dict[str, Any]:
        return {**body, "expiresAt": body["expiresAt"] + int((lifetime - timedelta(hours=1)).total_seconds())}

    return of("/v1/auth/token", change, "POST")


def test_a_token_that_has_expired_already_is_the_servers_doing(subject: Subject) -> None:
    altering(subject, living(timedelta(seconds=-10)))
    with pytest.raises(StepFailedError, match="expiresAt"):
        Tenant(subject, "first").customers()
    with pytest.raises(StepFailedError, match="its end was 0:00:10 ago"):
        play(subject, test_authentication, "test_an_expired_token_is_refused")


def test_the_end_of_a_token_that_lives_for_a_day_is_not_waited_for(subject: Subject) -> None:
    altering(subject, living(timedelta(days=1)))
    before = subject.clock.now()
    with pytest.raises(NeedError, match="good for 1 day"):
        play(subject, test_authentication, "test_an_expired_token_is_refused")
    assert subject.clock.now() == before


# ----------------------------------------------------------------------------------------------------------- lists


def test_a_list_that_is_refused_or_does_not_show_a_clients_own_customer_says_nothing(subject: Subject) -> None:
    answers: list[Callable[[Any], Any]] = [
        lambda _body: 401,
        lambda body: {"data": {"customers": body}},
        lambda _body: [],
    ]
    for answer in answers:
        altering(subject, of("/v1/customers", answer))
        with pytest.raises(StepFailedError, match="were to be listed"):
            play(subject, test_isolation, "test_a_list_shows_no_customers_of_others")
        with pytest.raises(StepFailedError, match="were to be listed"):
            play(subject, test_customer, "test_a_pair_is_created_once")


def test_a_list_beside_others_is_found(subject: Subject) -> None:
    altering(subject, of("/v1/customers", lambda body: {"links": [], "customers": body}))
    assert broken(play(subject, test_isolation, "test_a_list_shows_no_customers_of_others")) == set()
    assert broken(play(subject, test_customer, "test_every_customer_is_listed")) == set()


def test_a_customer_that_is_listed_late_is_counted(subject: Subject) -> None:
    tenant, rule = Tenant(subject, "first"), "offblocks.authentication.refusal-has-no-effect"
    customer = tenant.onboard(tenant.new_wallet())
    looks: list[object] = []

    def late(body: list[Any]) -> list[Any]:
        looks.append(body)
        return body if len(looks) > 1 else []

    altering(subject, of("/v1/customers", late))
    with recording([rule]) as record:
        expect_customers(rule, tenant, [customer.external_id], at_most=0)
    assert broken(record.findings) == {"authentication.refusal-has-no-effect"}


def test_a_key_of_another_client_is_judged_if_the_first_creation_succeeded(subject: Subject) -> None:
    altering(subject, of("/v1/customers", lambda _body: 400, "POST"))
    with pytest.raises(StepFailedError, match="was to be created"):
        play(subject, test_isolation, "test_an_idempotency_key_of_one_client_is_free_for_others")


# --------------------------------------------------------------------------------------------------- strange values


@pytest.mark.parametrize("identifier", ["one\x00two", "x" * 70_000])
def test_an_id_that_fits_into_no_url_is_the_servers_doing(subject: Subject, identifier: str) -> None:
    altering(subject, of("/v1/customers", lambda body: {**body, "id": identifier}, "POST"))
    with pytest.raises(StepFailedError, match="cannot be sent"):
        play(subject, test_customer, "test_a_customer_is_read_as_it_was_created")


@pytest.mark.parametrize("key_id", ["Schlüssel", "one\ntwo"])
def test_a_key_id_that_fits_into_no_signature_is_the_servers_doing(subject: Subject, key_id: str) -> None:
    altering(subject, of("/v1/auth/signing", lambda body: {**body, "keyId": key_id}, "PUT"))
    with pytest.raises(StepFailedError, match="printable ASCII"):
        play(subject, test_authentication, "test_a_registered_key_signs")


def test_a_key_is_free_for_another_payload_after_an_hour_without_breaking_a_rule(subject: Subject) -> None:
    assert broken(play(subject, test_idempotency, "test_a_key_is_free_after_an_hour")) == set()
    assert {exchange.breaks for exchange in subject.journal.exchanges} == {frozenset()}


# --------------------------------------------------------------------------------------------------------- webhooks


def test_two_events_of_one_state_are_no_repetition(subject: Subject) -> None:
    tenant = Tenant(subject, "first")
    tenant.put_webhook(subject.hooks.url if subject.hooks else "")
    tenant.onboard(tenant.new_wallet())
    (first,) = tenant.eventually("an event", tenant.deliveries, bool)
    event = first.request.members()

    def again(**changes: Any) -> Any:
        return replace(first, request=replace(first.request, body=json.dumps({**event, **changes}).encode()))

    assert not test_webhook._is_repeated([first, again(eventId="another")], usual=1)
    assert test_webhook._is_repeated([first, again(updatedAt="later")], usual=1)
    assert not test_webhook._is_repeated([first], usual=1)


@pytest.mark.parametrize("broken", [("owner-id",), ("returns-challenge-unchanged",), ()])
def test_a_new_challenge_is_given_time_after_any_wrong_signing(subject: Subject, broken: tuple[str, ...]) -> None:
    tenant, wallet = Tenant(subject, "first"), Wallet.derived(subject.ids.child("wallet"), "eip155:300")
    customer, other = tenant.onboard(wallet), tenant.new_wallet()
    challenge = tenant.onboard(other).challenge if "returns-challenge-unchanged" in broken else customer.challenge
    if broken:
        owner = {"owner": f"eip155:300:{other.address}"} if "owner-id" in broken else {}
        tenant.sign(customer.id, wallet, challenge, broken=broken, **owner)
    before = subject.clock.now()
    tenant.let_renew(customer.id)
    tenant.let_renew(customer.id)
    assert (subject.clock.now() > before) is bool(broken)
