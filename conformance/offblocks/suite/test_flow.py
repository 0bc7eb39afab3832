"""A customer goes from `initiating` to `active`, by way of a signature, a screening and a verification."""

from datetime import datetime, timedelta
from functools import partial
from http import HTTPStatus

import pytest

from conformance.clock import Clock
from conformance.exchange import Exchange
from conformance.offblocks.checks import is_partial, listed
from conformance.offblocks.deviations import rules
from conformance.offblocks.messages import instant, issued_challenge
from conformance.offblocks.observer import HOUR
from conformance.offblocks.suite.effects import DAYS_AFTER, require_all, require_days, updated_at
from conformance.offblocks.suite.tenant import PENDING, Onboarding, Tenant
from conformance.offblocks.wallet import Wallet
from conformance.scenario import (
    PATIENCE,
    expect,
    expect_refusal,
    expect_status,
    leaves_out,
    needs,
    step_failed,
    verifies,
    waits,
)

SOME_SECONDS = timedelta(seconds=3)
PAST_SCREENING = ("verifying", "active")


@verifies(
    "offblocks.flow.passes-screening",
    "offblocks.flow.simulated-with-202",
    "offblocks.flow.verified-becomes-active",
    "offblocks.customer.listed",
)
def test_a_customer_is_onboarded_from_the_first_call_to_the_last(tenant: Tenant, wallet: Wallet) -> None:
    """When a customer is created, fetches the challenge, signs it, is screened and verified, and is listed."""
    customer = tenant.onboard(wallet)
    challenge = tenant.fetched(customer.id)
    signature = tenant.sign(customer.id, wallet, challenge)
    if not signature.response.succeeded:
        step_failed("A right signature was to be accepted", signature)
    is_pending = _expect_past_screening(tenant, customer.id) == "verifying"
    if is_pending:
        _expect_simulated(tenant, "verify", customer.id)
    _expect_active(tenant, customer.id)
    exchange = tenant.eventually(
        "a customer to be listed",
        tenant.customers,
        lambda seen: _states(seen, customer.id) == ["active"] or is_partial(seen),
    )
    states = _states(exchange, customer.id)
    if not states:
        require_all(exchange)
    expect(
        "offblocks.customer.listed",
        states == ["active"],
        where="response body",
        expected=f"{customer.id} once, active, within {PATIENCE}",
        got=", ".join(map(str, states)) or "a list without it",
        exchange=exchange,
    )
    if not is_pending:
        needs(PENDING)


@verifies("offblocks.flow.passes-screening")
def test_a_customer_who_signed_passes_screening(tenant: Tenant, wallet: Wallet) -> None:
    """Given a customer who has signed, when nothing more is done."""
    _expect_past_screening(tenant, tenant.signed_up(wallet).id)


@pytest.mark.parametrize("outcome", ["verify", "reject"])
@verifies("offblocks.flow.simulated-with-202")
def test_a_verification_is_simulated(tenant: Tenant, wallet: Wallet, outcome: str) -> None:
    """Given a customer with pending verification, when its outcome is simulated."""
    _expect_simulated(tenant, outcome, tenant.verifying(wallet).id)


@verifies("offblocks.flow.verified-becomes-active")
def test_a_verified_customer_becomes_active(tenant: Tenant, wallet: Wallet) -> None:
    """Given a customer with pending verification, when its success is simulated."""
    customer = tenant.verifying(wallet)
    _simulated(tenant, "verify", customer.id)
    _expect_active(tenant, customer.id)


@verifies("offblocks.flow.verified-becomes-active")
def test_a_customer_who_is_verified_twice_stays_active(tenant: Tenant, wallet: Wallet) -> None:
    """Given an active customer, when the success of its verification is simulated again."""
    customer = tenant.simulated("verify", wallet)
    exchange = tenant.simulate("verify", customer.id)
    status = tenant.status_shortly(customer.id)
    expect(
        "offblocks.flow.verified-becomes-active",
        status == "active",
        where="response /status",
        expected="active, from where no verification leads back",
        got=f"{status}, after a simulation that was answered {exchange.response.status}",
    )


@verifies("offblocks.flow.unsigned-never-active")
def test_a_customer_who_has_not_signed_does_not_become_active(tenant: Tenant, wallet: Wallet) -> None:
    """Given a customer who has not signed, when the success of its verification is simulated."""
    customer = tenant.onboard(wallet)
    exchange = tenant.simulate("verify", customer.id)
    status = tenant.status_shortly(customer.id)
    expect(
        "offblocks.flow.unsigned-never-active",
        status != "active",
        where="response /status",
        expected="initiating: nobody signed",
        got=f"{status}, after a simulation that was answered {exchange.response.status}",
    )


@verifies("offblocks.customer.updated-at-moves")
def test_a_change_of_status_shows_when_it_was(tenant: Tenant, wallet: Wallet, clock: Clock) -> None:
    """Given a customer, when it signs and is verified, some seconds before each, and is read and listed each time."""
    customer = tenant.onboard(wallet)
    changes = {
        "verifying": partial(tenant.sign, customer.id, wallet, customer.challenge),
        "active": partial(tenant.simulate, "verify", customer.id),
    }
    for status, change in changes.items():
        before, _ = updated_at(tenant, customer.id)
        clock.advance(SOME_SECONDS)
        exchange = change()
        if not exchange.response.succeeded:
            tenant.require_pending(customer.id)
        _require_taken(exchange)
        if (seen := tenant.status_once(customer.id, status)) != status:
            needs(PENDING) if seen == "active" else step_failed(f"A customer was to be {status}")
        after, exchange = updated_at(tenant, customer.id)
        expect(
            "offblocks.customer.updated-at-moves",
            after > before,
            where="response /updatedAt",
            expected=f"a time after {before}, since the customer is {status} now",
            got=after,
            exchange=exchange,
        )
        _expect_listed_as_changed(tenant, customer.id, before)


@leaves_out("clock", "neighbours", "pace", "readings", because="It goes by fractions of one second.")
@verifies("offblocks.customer.updated-at-moves")
def test_a_change_within_a_second_is_not_shown_as_earlier(tenant: Tenant, wallet: Wallet, clock: Clock) -> None:
    """Given a customer of early in a second, whose fraction begins with zeros, when it signs in the same second."""
    require_days(tenant)
    clock.advance(timedelta(seconds=1, milliseconds=4) - timedelta(microseconds=clock.now().microsecond))
    customer = tenant.onboard(wallet)
    before, _ = updated_at(tenant, customer.id)
    clock.advance(timedelta(milliseconds=200))
    _require_taken(tenant.sign(customer.id, wallet, customer.challenge))
    after, exchange = updated_at(tenant, customer.id)
    expect(
        "offblocks.customer.updated-at-moves",
        after >= before,
        where="response /updatedAt",
        expected=f"a time not before {before}, since the customer signed later in that second",
        got=after,
        exchange=exchange,
    )


def _expect_listed_as_changed(tenant: Tenant, customer: str, before: datetime) -> None:
    def is_later(seen: Exchange) -> bool:
        times = [instant(each.get("updatedAt")) for each in listed(seen) if each.get("id") == customer]
        return any(time is not None and time > before for time in times)

    exchange = tenant.eventually(
        "a change to be listed", tenant.customers, lambda seen: is_later(seen) or is_partial(seen)
    )
    if not _states(exchange, customer):
        require_all(exchange)
    expect(
        "offblocks.customer.updated-at-moves",
        is_later(exchange),
        where="response body",
        expected=f"{customer} with an updatedAt after {before} within {PATIENCE}, as it is read",
        got="an earlier one, or none",
        exchange=exchange,
    )


@pytest.mark.parametrize("outcome", ["verify", "reject"])
@verifies("offblocks.flow.unsigned-stays-initiating")
def test_nothing_is_simulated_for_who_has_not_signed(tenant: Tenant, wallet: Wallet, outcome: str) -> None:
    """Given a customer who has not signed, when an outcome of its verification is simulated."""
    customer = tenant.onboard(wallet)
    exchange = tenant.simulate(outcome, customer.id)
    status = tenant.status_shortly(customer.id)
    expect(
        "offblocks.flow.unsigned-stays-initiating",
        status == "initiating",
        where="response /status",
        expected="initiating: nobody signed",
        got=f"{status}, after a simulation that was answered {exchange.response.status}",
    )


@leaves_out("readings", "neighbours", because="Other tests take the same steps, fewer of them, and meet these.")
@verifies(
    "offblocks.flow.passes-screening",
    "offblocks.flow.verified-becomes-active",
    "offblocks.flow.rejected-is-final",
    "offblocks.flow.unsigned-stays-initiating",
    "offblocks.isolation.others-untouched",
)
def test_what_a_customer_does_is_done_by_nobody_else(tenant: Tenant) -> None:
    """Given customers who have all but one thing in common, and one who signed later, when one comes to its end."""
    ends = {"verify": ("active", "verified-becomes-active"), "reject": ("rejected", "rejected-is-final")}
    for outcome, (end, rule) in ends.items():
        customer = tenant.onboard(tenant.new_wallet())
        others = {each.id: "initiating" for each in tenant.like(customer)}
        _require_taken(tenant.sign(customer.id, customer.wallet, customer.challenge))
        later = tenant.signed_up(tenant.new_wallet()).id
        others[later] = _expect_past_screening(tenant, later)
        if _expect_past_screening(tenant, customer.id) == "verifying":
            _simulated(tenant, outcome, customer.id)
        elif outcome == "reject":
            needs(PENDING)
        states = {customer.id: end, **others}
        for identifier, expected in states.items():
            untouched = "flow.unsigned-stays-initiating" if expected == "initiating" else "isolation.others-untouched"
            status = tenant.status_once(identifier, expected)
            if expected == "verifying" and status != expected:
                tenant.require_pending(identifier)
            expect(
                f"offblocks.flow.{rule}" if identifier == customer.id else f"offblocks.{untouched}",
                status == expected,
                where="response /status",
                expected=f"{expected}, when {customer.id} was to be {end}",
                got=f"{status} of {identifier}",
            )


@verifies("offblocks.flow.rejected-is-final")
def test_a_rejected_customer_stays_rejected(tenant: Tenant, wallet: Wallet) -> None:
    """Given a customer whose verification failed, when its success is simulated."""
    customer = tenant.verifying(wallet)
    _simulated(tenant, "reject", customer.id)
    rule = "offblocks.flow.rejected-is-final"
    status = tenant.status_once(customer.id, "rejected")
    expect(rule, status == "rejected", where="response /status", expected=f"rejected within {PATIENCE}", got=status)
    exchange = tenant.simulate("verify", customer.id)
    status = tenant.status_shortly(customer.id)
    expect(
        rule,
        status == "rejected",
        where="response /status",
        expected="rejected, for good",
        got=f"{status}, after a simulation that was answered {exchange.response.status}",
    )


@verifies("offblocks.flow.rejected-not-onboarded-again")
def test_a_rejected_customer_is_not_created_again(tenant: Tenant, wallet: Wallet) -> None:
    """Given a rejected customer, when its wallet and external id are sent again as a new request."""
    customer = tenant.simulated("reject", wallet)
    exchange = tenant.create(wallet, customer.external_id)
    expect_refusal("offblocks.flow.rejected-not-onboarded-again", exchange, "a rejected customer stays so")


@leaves_out("readings", "neighbours", because="Other tests take the same steps, fewer of them, and meet these.")
@waits
@verifies("offblocks.flow.rejected-is-final", "offblocks.flow.rejected-not-onboarded-again")
def test_a_rejected_customer_is_so_for_good(tenant: Tenant, wallet: Wallet, clock: Clock) -> None:
    """Given a rejected customer, when every step comes again, a day, a week and 31 days later, by 20 minutes more."""
    require_days(tenant)
    customer = tenant.simulated("reject", wallet)
    for days in DAYS_AFTER:
        clock.advance(timedelta(days=days, minutes=20))
        because = f"a rejected customer stays so, also {days} days later"
        again = tenant.create(wallet, customer.external_id)
        expect_refusal("offblocks.flow.rejected-not-onboarded-again", again, because)
        _sign_again(tenant, customer)
        tenant.simulate("verify", customer.id)
        status = tenant.status_shortly(customer.id)
        expect(
            "offblocks.flow.rejected-is-final",
            status == "rejected",
            where="response /status",
            expected=f"rejected, also {days} days later, whoever is created, signs and is verified again",
            got=status,
        )


@leaves_out("readings", "neighbours", because="Other tests take the same steps, fewer of them, and meet these.")
@waits
@verifies("offblocks.flow.simulated-with-202")
def test_a_verification_may_come_days_later(tenant: Tenant, clock: Clock) -> None:
    """Given customers who have been waiting for 31 days, when one of them is verified and one rejected."""
    require_days(tenant)
    customers = {outcome: tenant.verifying(tenant.new_wallet()).id for outcome in ("verify", "reject")}
    clock.advance(timedelta(days=31, minutes=20))
    for outcome, customer in customers.items():
        if tenant.status(customer) != "verifying":
            needs("a customer whose verification is pending for 31 days; here it ends before")
        _expect_simulated(tenant, outcome, customer)


@leaves_out("readings", "neighbours", because="Other tests take the same steps, fewer of them, and meet these.")
@waits
@verifies("offblocks.signing.moves-the-status")
def test_who_has_signed_stays_so_when_the_hour_is_over(tenant: Tenant, clock: Clock) -> None:
    """Given customers to be verified and active, when their challenges, an hour old, are fetched and signed again."""
    customers = [tenant.verifying(tenant.new_wallet()), tenant.simulated("verify", tenant.new_wallet())]
    before = [tenant.status(customer.id) for customer in customers]
    clock.advance(HOUR + tenant.overdue)
    for customer, state in zip(customers, before, strict=True):
        answer = _sign_again(tenant, customer)
        status = tenant.status_shortly(customer.id)
        expect(
            "offblocks.signing.moves-the-status",
            status == state or (status != "initiating" and not answer.response.succeeded),
            where="response /status",
            expected=f"{state}, as before, or a later state",
            got=f"{status}, after a second signature that was answered {answer.response.status}",
        )


def _sign_again(tenant: Tenant, customer: Onboarding) -> Exchange:
    """Sign the challenge that a customer who has signed is given, or else the first one, once more."""
    challenge = issued_challenge(tenant.fetch(customer.id).response) or customer.challenge
    return tenant.sign(customer.id, customer.wallet, challenge, may_break=rules("signs-within-the-hour"))


def _expect_past_screening(tenant: Tenant, customer: str) -> str:
    """The state after screening.

    Raises:
        StepFailedError: If the customer does not get there.
    """
    status = tenant.status_once(customer, *PAST_SCREENING)
    expect(
        "offblocks.flow.passes-screening",
        status in PAST_SCREENING,
        where="response /status",
        expected=f"verifying, or a later state, within {PATIENCE}",
        got=status,
    )
    return (
        status
        if status in PAST_SCREENING
        else step_failed(
            f"A customer was to pass screening, but is {status}",
            relies_on=["offblocks.signing.moves-the-status", "offblocks.flow.passes-screening"],
        )
    )


def _expect_simulated(tenant: Tenant, outcome: str, customer: str) -> None:
    exchange = tenant.simulate(outcome, customer)
    if not exchange.response.succeeded:
        tenant.require_pending(customer)
    expect_status("offblocks.flow.simulated-with-202", exchange, 202)
    _require_taken(exchange)


def _simulated(tenant: Tenant, outcome: str, customer: str) -> None:
    exchange = tenant.simulate(outcome, customer)
    if not exchange.response.succeeded:
        tenant.require_pending(customer)
    _require_taken(exchange)


def _require_taken(exchange: Exchange) -> None:
    """Go on only if a simulation was not refused.

    Raises:
        StepFailedError: If it was.
    """
    if exchange.response.status >= HTTPStatus.BAD_REQUEST:
        step_failed("A verification was to be simulated", exchange)


def _expect_active(tenant: Tenant, customer: str) -> None:
    """Say that a verified customer becomes active.

    Raises:
        StepFailedError: If it does not.
    """
    status = tenant.status_once(customer, "active")
    expect(
        "offblocks.flow.verified-becomes-active",
        status == "active",
        where="response /status",
        expected=f"active within {PATIENCE}",
        got=status,
    )
    if status != "active":
        step_failed(
            f"A customer was to be active, but is {status}", relies_on=["offblocks.flow.verified-becomes-active"]
        )


def _states(exchange: Exchange, customer: str) -> list[object]:
    """The states of a customer in a list."""
    return [each.get("status") for each in listed(exchange) if each.get("id") == customer]
