"""Without PIN and recovery there is no wallet, whoever refuses."""

from collections.abc import Mapping
from contextlib import suppress
from http import HTTPStatus

from conformance.exchange import Exchange
from conformance.planbok.messages import challenge_of, is_set_up, payload
from conformance.planbok.suite.tenant import Onboarding, Tenant
from conformance.scenario import StepFailedError, expect, expect_status, refused, step_failed, verifies

TOO_EARLY = ("checks-set-up-first",)
REFUSALS = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.CONFLICT,
    HTTPStatus.UNPROCESSABLE_ENTITY,
)


@verifies("planbok.gate.no-wallet-without-pin", "planbok.gate.refused-at-request")
def test_a_customer_without_a_pin_gets_no_wallet(tenant: Tenant) -> None:
    """Given a new customer, when wallets are asked for and, if there is a page, some PIN is entered there."""
    customer = tenant.onboard()
    exchange = _asked_too_early(tenant, customer)
    expect_status("planbok.gate.refused-at-request", exchange, *REFUSALS)
    _expect_no_wallet("planbok.gate.no-wallet-without-pin", tenant, customer, exchange)


@verifies("planbok.gate.no-wallet-without-recovery", "planbok.gate.refused-at-request")
def test_a_customer_without_recovery_gets_no_wallet(tenant: Tenant) -> None:
    """Given a customer with a PIN alone, when wallets are asked for and, if there is a page, the PIN is entered."""
    customer = tenant.with_pin()
    exchange = _asked_too_early(tenant, customer)
    expect_status("planbok.gate.refused-at-request", exchange, *REFUSALS)
    _expect_no_wallet("planbok.gate.no-wallet-without-recovery", tenant, customer, exchange)


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
