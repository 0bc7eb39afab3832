"""Without PIN and recovery there is no wallet, whoever refuses."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from http import HTTPStatus

from conformance.clock import Clock
from conformance.exchange import Exchange
from conformance.findings import answer as answered
from conformance.planbok.messages import challenge_in, challenge_of, entries, is_set_up, payload
from conformance.planbok.suite.effects import DAYS_AFTER
from conformance.planbok.suite.tenant import Onboarding, Tenant
from conformance.scenario import (
    StepFailedError,
    crosses,
    expect,
    expect_status,
    leaves_out,
    needs,
    refused,
    step_failed,
    verifies,
    waits,
)

TOO_EARLY = ("checks-set-up-first",)
REFUSALS = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.CONFLICT,
    HTTPStatus.UNPROCESSABLE_ENTITY,
)


@verifies(
    "planbok.gate.no-wallet-without-pin", "planbok.gate.refused-at-request", "planbok.response.refusal-changes-nothing"
)
def test_a_customer_without_a_pin_gets_no_wallet(tenant: Tenant) -> None:
    """Given a customer with wallets and a new one, when that asks for some and enters some PIN, if there is a page."""
    tenant.provisioned(tenant.ready())
    customer = tenant.onboard()
    before = _challenges(tenant, customer)
    exchange = _asked_too_early(tenant, customer)
    expect_status("planbok.gate.refused-at-request", exchange, *REFUSALS)
    _expect_no_wallet("planbok.gate.no-wallet-without-pin", tenant, customer, exchange)
    _expect_no_trace(tenant, customer, exchange, before)


@crosses("isolation", "set-up")
@verifies(
    "planbok.gate.no-wallet-without-recovery",
    "planbok.gate.refused-at-request",
    "planbok.response.refusal-changes-nothing",
)
def test_a_customer_without_recovery_gets_no_wallet(tenant: Tenant) -> None:
    """Given one with wallets and a customer with a PIN alone, when that asks for some and enters it, if asked."""
    tenant.provisioned(tenant.ready())
    customer = tenant.with_pin()
    before = _challenges(tenant, customer)
    exchange = _asked_too_early(tenant, customer)
    expect_status("planbok.gate.refused-at-request", exchange, *REFUSALS)
    _expect_no_wallet("planbok.gate.no-wallet-without-recovery", tenant, customer, exchange)
    _expect_no_trace(tenant, customer, exchange, before)


@crosses("set-up", "page")
@verifies("planbok.customer.has-recovery", "planbok.gate.no-wallet-without-recovery")
def test_a_set_up_that_was_given_up_is_none(tenant: Tenant) -> None:
    """Given a customer who gave up when asked for recovery, when the customer is read and asks for wallets."""
    customer = tenant.onboard()
    issued = tenant.issued(tenant.ask("initialize", customer.id))
    page = customer.person.set_pin(issued.url)
    if page.form is not None:
        customer.person.give_up(issued.url)
    tenant.shortly()
    _expect_recovery(tenant, customer, shown=False, when="when its set-up was cancelled")
    exchange = _asked_too_early(tenant, customer)
    _expect_no_wallet("planbok.gate.no-wallet-without-recovery", tenant, customer, exchange)


@leaves_out("readings", "neighbours", because="Other tests take the same steps, fewer of them, and meet these.")
@waits
@verifies("planbok.customer.has-recovery", "planbok.list.wallets-stay", "planbok.challenge.completable-in-time")
def test_a_set_up_lasts(tenant: Tenant, clock: Clock) -> None:
    """Given a customer with a wallet, when a day, a week and 31 days pass, and the PIN is entered each time."""
    if not tenant.moves_clock:
        needs("a clock that can be moved on by days, as only the reference sandbox has")
    customer = tenant.ready()
    tenant.provisioned(customer, tenant.two_chains[:1])
    for days in DAYS_AFTER:
        clock.advance(timedelta(days=days, minutes=20))
        _expect_recovery(tenant, customer, shown=True, when=f"{days} days later")
        tenant.owned(customer.id)
        issued = tenant.requested(customer, tenant.two_chains[1:])
        customer.person.authorize(issued.url)
        challenge = tenant.ended(customer.id, issued.id)
        expect(
            "planbok.challenge.completable-in-time",
            challenge.succeeded,
            where="response /data/status",
            expected=f"a challenge that succeeded with the PIN of {days} days ago",
            got=challenge.status,
        )


def _expect_recovery(tenant: Tenant, customer: Onboarding, *, shown: bool, when: str) -> None:
    exchange = tenant.read(customer.id)
    data = payload(exchange.response)
    found = data.get("hasRecovery") if isinstance(data, Mapping) else None
    expect(
        "planbok.customer.has-recovery",
        found is shown,
        where="response /data/hasRecovery",
        expected=f"{str(shown).lower()} {when}",
        got=answered(exchange) if refused(exchange) else found,
        exchange=exchange,
    )


def _challenges(tenant: Tenant, customer: Onboarding) -> set[str]:
    """The ids of the challenges that the API lists; none if it lists none."""
    found = map(challenge_in, entries(tenant.challenges(customer.id).response))
    return {challenge.id for challenge in found if challenge and challenge.id}


def _expect_no_trace(tenant: Tenant, customer: Onboarding, exchange: Exchange, before: set[str]) -> None:
    """Say that a request which was refused left no challenge."""
    left = _challenges(tenant, customer) - before if refused(exchange) else set()
    expect(
        "planbok.response.refusal-changes-nothing",
        not left,
        where="the list of challenges",
        expected="no challenge of a request that was refused",
        got=", ".join(sorted(left)) or "none",
        exchange=exchange,
    )


def _asked_too_early(tenant: Tenant, customer: Onboarding) -> Exchange:
    """The request for wallets, too early for all that the API shows, unless it shows otherwise than it is.

    Raises:
        StepFailedError: If it shows nothing.
    """
    exchange = tenant.read(customer.id)
    shown = payload(exchange.response)
    if not isinstance(shown, Mapping):
        step_failed("A customer was to be read", exchange)
    return tenant.ask_wallets(customer.id, broken=TOO_EARLY if is_set_up(shown) is False else ())


def _expect_no_wallet(rule: str, tenant: Tenant, customer: Onboarding, exchange: Exchange) -> None:
    """Say that `rule` allows no wallet, neither in the list nor in the challenge, if one was issued after all."""
    if not refused(exchange):
        issued = tenant.issued(exchange)
        with suppress(StepFailedError):
            customer.person.authorize(issued.url)
        tenant.shortly()
        reading = tenant.challenge(customer.id, issued.id)
        challenge = challenge_of(reading.response)
        expect(
            rule,
            challenge is None or not challenge.wallets,
            where="response /data/result",
            expected="no wallets",
            got=challenge.result if challenge else reading.response.status,
            exchange=reading,
        )
    tenant.shortly()
    found = tenant.owned(customer.id)
    expect(
        rule,
        not found,
        where="response /data",
        expected="no wallet",
        got=", ".join(f"{wallet.address} on {wallet.blockchain}" for wallet in found) or "none",
    )
