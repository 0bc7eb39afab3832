"""Idempotency keys: a request that is repeated is done once, and answered as it was."""

from datetime import timedelta
from functools import partial
from http import HTTPStatus

from conformance.clock import Clock
from conformance.exchange import Exchange
from conformance.findings import answer as shown
from conformance.offblocks.deviations import rules
from conformance.offblocks.suite.effects import expect_customers
from conformance.offblocks.suite.tenant import Tenant
from conformance.offblocks.wallet import Wallet
from conformance.scenario import expect, expect_acceptance, expect_refusal, expect_status, step_failed, verifies, waits

WITHOUT_KEY = rules("sends-idempotency-key")
ANOTHER_PAYLOAD = rules("fresh-key-per-payload")
HOUR = timedelta(hours=1)


def created(exchange: Exchange) -> Exchange:
    """The exchange, if it created a customer.

    Raises:
        StepFailedError: If it did not.
    """
    if not exchange.response.succeeded:
        step_failed("A customer was to be created", exchange)
    return exchange


def expect_the_same_answer(rule: str, repeat: Exchange, first: Exchange) -> None:
    """Say that `rule` asks for the answer of `first` again."""
    alike = repeat.response.status == first.response.status and repeat.response.body == first.response.body
    expect(
        rule,
        alike,
        where="response",
        expected=f"{shown(first)} and the body of [{first.id}]",
        got="so" if alike else f"{shown(repeat)} and {repeat.response.body.decode(errors='replace') or 'no body'}",
        exchange=repeat,
    )


# ---------------------------------------------------------------------------------------------------- the key's form


@verifies("offblocks.idempotency.missing-key-is-400")
def test_a_missing_key_is_refused(tenant: Tenant, wallet: Wallet, other_wallet: Wallet) -> None:
    """Given a customer, when another is created and the owner signs, both without Idempotency-Key."""
    customer = tenant.onboard(wallet)
    for answer in (
        tenant.create(other_wallet, key=None, breaks=WITHOUT_KEY),
        tenant.sign(customer.id, wallet, customer.challenge, key=None, breaks=WITHOUT_KEY),
    ):
        expect_status("offblocks.idempotency.missing-key-is-400", answer, 400)


@verifies("offblocks.idempotency.key-not-a-uuid-is-400")
def test_a_key_that_is_no_uuid_is_refused(tenant: Tenant, wallet: Wallet, other_wallet: Wallet) -> None:
    """Given a customer, when another is created and the owner signs, both with a text for a key."""
    customer = tenant.onboard(wallet)
    for answer in (
        tenant.create(other_wallet, key="not-a-uuid", breaks=WITHOUT_KEY),
        tenant.sign(customer.id, wallet, customer.challenge, key="not-a-uuid-either", breaks=WITHOUT_KEY),
    ):
        expect_status("offblocks.idempotency.key-not-a-uuid-is-400", answer, 400)


# ----------------------------------------------------------------------------------------------------------- repeating


@verifies("offblocks.idempotency.repeat-answered-alike", "offblocks.idempotency.repeat-done-once")
def test_a_repeated_creation_is_done_once(tenant: Tenant, wallet: Wallet) -> None:
    """Given a created customer, when the creation is repeated with its key, and the customers are listed."""
    external_id, key = tenant.new_external_id(), tenant.new_key()
    first = created(tenant.create(wallet, external_id, key=key))
    repeat = tenant.create(wallet, external_id, key=key)
    expect_the_same_answer("offblocks.idempotency.repeat-answered-alike", repeat, first)
    expect_customers("offblocks.idempotency.repeat-done-once", tenant, [external_id], at_most=1)


@waits
@verifies("offblocks.idempotency.repeat-answered-alike")
def test_a_creation_repeated_within_the_hour_is_answered_alike(tenant: Tenant, wallet: Wallet, clock: Clock) -> None:
    """Given a customer created just under an hour ago, when the creation is repeated with its key."""
    external_id, key = tenant.new_external_id(), tenant.new_key()
    first = created(tenant.create(wallet, external_id, key=key))
    clock.advance(HOUR - tenant.margin)
    repeat = tenant.create(wallet, external_id, key=key)
    expect_the_same_answer("offblocks.idempotency.repeat-answered-alike", repeat, first)


@verifies("offblocks.idempotency.sign-repeat-is-204")
def test_a_repeated_sign_request_succeeds_again(tenant: Tenant, wallet: Wallet) -> None:
    """Given a customer who has signed, when the sign request is repeated with its key."""
    customer, key = tenant.onboard(wallet), tenant.new_key()
    sign = partial(tenant.sign, customer.id, wallet, customer.challenge, key=key)
    first = sign()
    if not first.response.succeeded:
        step_failed("A right signature was to be accepted", first)
    expect_status("offblocks.idempotency.sign-repeat-is-204", sign(), 204)


@waits
@verifies("offblocks.idempotency.sign-repeat-outlives-challenge")
def test_a_sign_request_repeated_after_the_challenges_hour_succeeds_again(
    tenant: Tenant, wallet: Wallet, clock: Clock
) -> None:
    """Given a customer who signed after 40 minutes, when the sign request is repeated 21 minutes later."""
    customer, key = tenant.onboard(wallet), tenant.new_key()
    sign = partial(tenant.sign, customer.id, wallet, customer.challenge, key=key)
    clock.advance(timedelta(minutes=40))
    first = sign()
    if not first.response.succeeded:
        step_failed("A right signature was to be accepted", first)
    clock.advance(timedelta(minutes=21))
    repeat = sign(broken=("signs-within-the-hour",))
    expect_status("offblocks.idempotency.sign-repeat-outlives-challenge", repeat, 204)


# ------------------------------------------------------------------------------------------------------ another payload


@verifies("offblocks.idempotency.changed-payload-refused", "offblocks.idempotency.changed-payload-status")
def test_a_key_with_another_payload_is_refused(tenant: Tenant, wallet: Wallet, other_wallet: Wallet) -> None:
    """Given a created customer, when another one is created with the same key, and the customers are listed."""
    key, external_id = tenant.new_key(), tenant.new_external_id()
    created(tenant.create(wallet, key=key))
    answer = tenant.create(other_wallet, external_id, key=key, breaks=ANOTHER_PAYLOAD)
    expect_refusal("offblocks.idempotency.changed-payload-refused", answer, "the key came with another payload before")
    expect_status("offblocks.idempotency.changed-payload-status", answer, 422, 409)
    expect_customers("offblocks.idempotency.changed-payload-refused", tenant, [external_id], at_most=0)


@waits
@verifies("offblocks.idempotency.key-free-after-an-hour")
def test_a_key_is_free_after_an_hour(tenant: Tenant, wallet: Wallet, other_wallet: Wallet, clock: Clock) -> None:
    """Given a customer created just over an hour ago, when another one is created with the same key."""
    key = tenant.new_key()
    created(tenant.create(wallet, key=key))
    clock.advance(HOUR + tenant.margin)
    answer = tenant.create(other_wallet, key=key)
    expect_acceptance("offblocks.idempotency.key-free-after-an-hour", answer)


@verifies("offblocks.idempotency.refusal-burns-no-key")
def test_a_corrected_request_may_keep_its_key(tenant: Tenant, wallet: Wallet) -> None:
    """Given a creation that was refused as incomplete, when the complete one comes with the same key."""
    key = tenant.new_key()
    refusal = tenant.create(key=key, breaks=rules("sends-complete-bodies"))
    if refusal.response.succeeded:
        step_failed("A creation without chainId was to be refused", refusal)
    answer = tenant.create(wallet, key=key, breaks=ANOTHER_PAYLOAD)
    expect_status("offblocks.idempotency.refusal-burns-no-key", answer, 201)


# ------------------------------------------------------------------------------------------------------------- at once


@verifies("offblocks.idempotency.concurrent-done-once")
def test_two_creations_with_one_key_at_once_leave_one_customer(tenant: Tenant, wallet: Wallet) -> None:
    """Given a tenant, when it sends one creation twice at once, and lists its customers."""
    rule = "offblocks.idempotency.concurrent-done-once"
    external_id, key = tenant.new_external_id(), tenant.new_key()
    create = partial(tenant.create, wallet, external_id, key=key)
    answers = tenant.together(create, create)
    statuses = sorted(answer.response.status for answer in answers)
    taken = [answer.response.succeeded for answer in answers]
    expect(
        rule,
        any(taken) and (all(taken) or HTTPStatus.CONFLICT in statuses),
        where="response statuses",
        expected="2xx and 2xx, or 2xx and 409",
        got=" and ".join(str(status) for status in statuses),
    )
    given = {str(answer.response.members().get("id")) for answer in answers if answer.response.succeeded}
    expect(rule, len(given) <= 1, where="response /id", expected="one id", got=", ".join(sorted(given)))
    expect_customers(rule, tenant, [external_id], at_most=1)
