"""A challenge is a sign-in message for the customer's wallet, and is fetched again until it is signed."""

from datetime import timedelta
from http import HTTPStatus

import pytest

from conformance.clock import Clock
from conformance.findings import answer as answered
from conformance.offblocks.deviations import rules, unsigned
from conformance.offblocks.suite.tenant import Tenant, altered, signed
from conformance.offblocks.wallet import Wallet
from conformance.scenario import expect, expect_acceptance, expect_status, step_failed, verifies

LATER = timedelta(seconds=5)
ANOTHER_SIGNER = ("owner-signs-the-message", "owner-id")


@verifies(
    "offblocks.challenge.standard-base64",
    "offblocks.challenge.kind",
    "offblocks.challenge.grammar",
    "offblocks.challenge.version-is-1",
    "offblocks.challenge.nonce",
    "offblocks.challenge.issued-when-made",
    "offblocks.challenge.issued-at-against-created-at",
    "offblocks.challenge.address",
    "offblocks.challenge.domain",
    "offblocks.challenge.uri",
    "offblocks.challenge.chain-id",
)
def test_a_challenge_is_a_sign_in_message(tenant: Tenant, wallet: Wallet) -> None:
    """When a customer is created."""
    customer = tenant.onboard(wallet)
    if customer.challenge.kind != "sign-in-message":
        step_failed("The challenge was to be a sign-in message", customer.exchange)


@verifies("offblocks.challenge.never-alike")
def test_no_two_challenges_are_alike(tenant: Tenant, wallet: Wallet, other_wallet: Wallet, clock: Clock) -> None:
    """Given two customers, when one of them gets a new challenge, later, after a signature that does not verify."""
    tenant.onboard(other_wallet)
    customer = tenant.onboard(wallet)
    clock.advance(LATER)
    wrong = signed(other_wallet, customer.challenge)
    tenant.sign(customer.id, wallet, customer.challenge, signature=wrong, broken=ANOTHER_SIGNER)
    tenant.fetched(customer.id)


@verifies("offblocks.challenge.fetched-with-200", "offblocks.challenge.stays-until-signed")
def test_a_challenge_is_fetched_again(tenant: Tenant, wallet: Wallet, clock: Clock) -> None:
    """Given a customer who has not signed, when the challenge is fetched twice."""
    customer = tenant.onboard(wallet)
    for _ in range(2):
        clock.advance(LATER)
        exchange = tenant.fetch(customer.id)
        expect_status("offblocks.challenge.fetched-with-200", exchange, HTTPStatus.OK)
        if exchange.response.status != HTTPStatus.OK:
            step_failed("A challenge was to be fetched", exchange)


@verifies("offblocks.challenge.unknown-customer-is-404")
def test_a_customer_that_does_not_exist_has_no_challenge(tenant: Tenant) -> None:
    """When a challenge is fetched under an id that nobody gave."""
    expect_status("offblocks.challenge.unknown-customer-is-404", tenant.fetch(tenant.new_external_id()), 404)


@pytest.mark.parametrize("cut", [pytest.param(1, id="a-digit-short"), pytest.param(35, id="one-digit")])
@verifies("offblocks.challenge.malformed-customer-id-refused")
def test_a_malformed_customer_id_is_refused(tenant: Tenant, cut: int) -> None:
    """When a challenge is fetched under a part of a UUID."""
    exchange = tenant.fetch(tenant.new_external_id()[cut:])
    expect_status("offblocks.challenge.malformed-customer-id-refused", exchange, 400, 404)


@verifies("offblocks.challenge.renewed-after-failed-signature", "offblocks.challenge.renewed-one-signs")
def test_a_failed_signature_brings_a_new_challenge_that_signs(
    tenant: Tenant, wallet: Wallet, other_wallet: Wallet
) -> None:
    """Given another wallet's signature of the challenge, when the challenge is fetched and its owner signs it."""
    customer = tenant.onboard(wallet)
    wrong = signed(other_wallet, customer.challenge)
    failed = tenant.sign(customer.id, wallet, customer.challenge, signature=wrong, broken=ANOTHER_SIGNER)
    if failed.response.succeeded:
        step_failed("Another wallet's signature was to be refused", failed)
    renewed = tenant.fetched(customer.id)
    expect(
        "offblocks.challenge.renewed-after-failed-signature",
        renewed.text != customer.challenge.text,
        where="response /challenge",
        expected="a new challenge",
        got="the one of the failed signature" if renewed.text == customer.challenge.text else "a new one",
    )
    if renewed.text == customer.challenge.text:
        step_failed("A new challenge was to follow the failed signature", failed)
    expect_acceptance("offblocks.challenge.renewed-one-signs", tenant.sign(customer.id, wallet, renewed))


@verifies("offblocks.challenge.kept-after-other-refusal")
def test_a_refusal_of_another_kind_keeps_the_challenge(tenant: Tenant, wallet: Wallet) -> None:
    """Given sign requests without a signature, unsigned, and with an altered challenge, when it is fetched again."""
    customer = tenant.onboard(wallet)
    body = {"ownerId": wallet.account_id, "challenge": customer.challenge.text}
    changed = altered(customer.challenge)
    tenant.sign(customer.id, wallet, customer.challenge, body=body, breaks=rules("sends-complete-bodies"))
    tenant.sign(customer.id, wallet, customer.challenge, deviation=unsigned)
    tenant.sign(customer.id, wallet, changed, broken=("returns-challenge-unchanged",))
    fetched = tenant.fetched(customer.id)
    expect(
        "offblocks.challenge.kept-after-other-refusal",
        fetched.text == customer.challenge.text,
        where="response /challenge",
        expected="the challenge that was given before",
        got="that" if fetched.text == customer.challenge.text else "another",
    )


@verifies("offblocks.challenge.gone-after-signing")
def test_a_signed_challenge_is_not_served(tenant: Tenant, wallet: Wallet) -> None:
    """Given a customer who has signed, when the challenge is fetched."""
    customer = tenant.signed_up(wallet)
    exchange = tenant.fetch(customer.id)
    expect(
        "offblocks.challenge.gone-after-signing",
        not exchange.response.members().get("challenge"),
        where="response body",
        expected="no challenge",
        got=f"{answered(exchange)} with a challenge" if exchange.response.succeeded else answered(exchange),
        exchange=exchange,
    )
