"""A challenge lives for one hour from its issue."""

from datetime import timedelta

from conformance.clock import Clock
from conformance.offblocks.messages import Challenge
from conformance.offblocks.suite.effects import expect_initiating
from conformance.offblocks.suite.tenant import Onboarding, Tenant, signed
from conformance.offblocks.wallet import Wallet
from conformance.scenario import expect, expect_acceptance, expect_refusal, step_failed, verifies, waits

JUST_WITHIN = timedelta(minutes=59, seconds=58)
JUST_AFTER = timedelta(minutes=60, seconds=2)
WELL_WITHIN = timedelta(minutes=59, seconds=50)
"""For a challenge that may have been issued some seconds before it was seen."""
HALF = timedelta(minutes=30)
LATE = ("signs-within-the-hour",)
ANOTHER_SIGNER = ("owner-signs-the-message", "owner-id")


@waits
@verifies("offblocks.challenge.accepted-within-the-hour")
def test_a_challenge_is_accepted_within_the_hour(tenant: Tenant, wallet: Wallet, clock: Clock) -> None:
    """Given a customer created 59 minutes and 58 seconds ago, when the owner signs."""
    customer = tenant.onboard(wallet)
    clock.advance(JUST_WITHIN)
    answer = tenant.sign(customer.id, wallet, customer.challenge)
    expect_acceptance("offblocks.challenge.accepted-within-the-hour", answer)


@waits
@verifies(
    "offblocks.challenge.expires-after-one-hour",
    "offblocks.challenge.renewed-after-the-hour",
    "offblocks.signing.refusal-leaves-initiating",
)
def test_a_challenge_is_refused_after_the_hour(tenant: Tenant, wallet: Wallet, clock: Clock) -> None:
    """Given a customer created 60 minutes and 2 seconds ago, when the owner signs and then fetches the challenge."""
    customer = tenant.onboard(wallet)
    clock.advance(JUST_AFTER)
    answer = tenant.sign(customer.id, wallet, customer.challenge, broken=LATE)
    expect_refusal("offblocks.challenge.expires-after-one-hour", answer, "the challenge is 60:02 old")
    if answer.response.succeeded:
        step_failed("An expired challenge was to be refused", answer)
    renewed = tenant.fetched(customer.id)
    expect(
        "offblocks.challenge.renewed-after-the-hour",
        renewed.text != customer.challenge.text,
        where="response /challenge",
        expected="a new challenge",
        got="the expired one" if renewed.text == customer.challenge.text else "a new one",
    )
    expect_initiating(tenant, customer.id)


@waits
@verifies("offblocks.challenge.hour-runs-from-issue")
def test_fetching_a_challenge_does_not_prolong_its_hour(tenant: Tenant, wallet: Wallet, clock: Clock) -> None:
    """Given a challenge that was fetched after 30 minutes, when the owner signs it after 60 minutes and 2 seconds."""
    customer = tenant.onboard(wallet)
    clock.advance(HALF)
    tenant.fetched(customer.id)
    clock.advance(JUST_AFTER - HALF)
    answer = tenant.sign(customer.id, wallet, customer.challenge, broken=LATE)
    expect_refusal(
        "offblocks.challenge.hour-runs-from-issue",
        answer,
        "it is 60:02 old, though fetched 30:02 ago",
    )


@waits
@verifies("offblocks.challenge.renewed-one-has-its-own-hour")
def test_a_challenge_that_replaced_an_expired_one_has_a_full_hour(tenant: Tenant, wallet: Wallet, clock: Clock) -> None:
    """Given a challenge fetched when the first had expired, when the owner signs it 59 minutes and 50 seconds later."""
    customer = tenant.onboard(wallet)
    clock.advance(JUST_AFTER)
    renewed = _renewed(tenant, customer)
    clock.advance(WELL_WITHIN)
    answer = tenant.sign(customer.id, wallet, renewed)
    expect_acceptance("offblocks.challenge.renewed-one-has-its-own-hour", answer)


@waits
@verifies("offblocks.challenge.renewed-one-has-its-own-hour")
def test_a_challenge_that_followed_a_failure_has_a_full_hour(
    tenant: Tenant, wallet: Wallet, other_wallet: Wallet, clock: Clock
) -> None:
    """Given a new challenge after a failed signature at 30 minutes, when the owner signs it 59:50 later."""
    customer = tenant.onboard(wallet)
    clock.advance(HALF)
    renewed = _renewed_by_failure(tenant, customer, other_wallet)
    clock.advance(WELL_WITHIN)
    answer = tenant.sign(customer.id, wallet, renewed)
    expect_acceptance("offblocks.challenge.renewed-one-has-its-own-hour", answer)


@waits
@verifies("offblocks.challenge.renewed-one-has-its-own-hour")
def test_a_challenge_that_followed_a_failure_expires_too(
    tenant: Tenant, wallet: Wallet, other_wallet: Wallet, clock: Clock
) -> None:
    """Given a new challenge after a failed signature at 30 minutes, when the owner signs it 60:02 later."""
    customer = tenant.onboard(wallet)
    clock.advance(HALF)
    renewed = _renewed_by_failure(tenant, customer, other_wallet)
    clock.advance(JUST_AFTER)
    answer = tenant.sign(customer.id, wallet, renewed, broken=LATE)
    expect_refusal("offblocks.challenge.renewed-one-has-its-own-hour", answer, "the new challenge is 60:02 old")


def _renewed_by_failure(tenant: Tenant, customer: Onboarding, other: Wallet) -> Challenge:
    wrong = signed(other, customer.challenge)
    tenant.sign(customer.id, customer.wallet, customer.challenge, signature=wrong, broken=ANOTHER_SIGNER)
    return _renewed(tenant, customer)


def _renewed(tenant: Tenant, customer: Onboarding) -> Challenge:
    """The challenge that took the place of the first.

    Raises:
        StepFailedError: If it is still the first.
    """
    renewed = tenant.fetched(customer.id)
    if renewed.text == customer.challenge.text:
        step_failed("A new challenge was to be fetched, but it is still the first")
    return renewed
