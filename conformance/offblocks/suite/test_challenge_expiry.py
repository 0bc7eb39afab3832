"""A challenge lives for one hour from its issue."""

from datetime import timedelta

from conformance.clock import Clock
from conformance.offblocks.suite.tenant import Tenant
from conformance.offblocks.wallet import Wallet
from conformance.scenario import expect, expect_status, verifies, waits

JUST_WITHIN = timedelta(minutes=59, seconds=58)
JUST_AFTER = timedelta(minutes=60, seconds=2)
LATE = ("signs-within-the-hour",)


@waits
@verifies("offblocks.challenge.accepted-within-the-hour")
def test_a_challenge_is_accepted_within_the_hour(tenant: Tenant, wallet: Wallet, clock: Clock) -> None:
    """Given a customer created 59 minutes and 58 seconds ago, when the owner signs."""
    customer = tenant.onboard(wallet)
    clock.advance(JUST_WITHIN)
    answer = tenant.sign(customer.id, wallet, customer.challenge)
    expect_status("offblocks.challenge.accepted-within-the-hour", answer, 204)


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
    expect(
        "offblocks.challenge.expires-after-one-hour",
        not answer.response.succeeded,
        where="response status",
        expected="a refusal: the challenge is 60:02 old",
        got=answer.response.status,
        exchange=answer,
    )
    renewed = tenant.fetched(customer.id)
    expect(
        "offblocks.challenge.renewed-after-the-hour",
        renewed.text != customer.challenge.text,
        where="response /challenge",
        expected="a new challenge",
        got="the expired one" if renewed.text == customer.challenge.text else "a new one",
    )
    status = tenant.status(customer.id)
    expect(
        "offblocks.signing.refusal-leaves-initiating",
        status == "initiating",
        where="response /status",
        expected="initiating",
        got=status,
    )
