"""A challenge is a sign-in message for the customer's wallet, and is fetched again until it is signed."""

from datetime import timedelta
from http import HTTPStatus
from urllib.parse import quote

import pytest

from conformance.clock import Clock
from conformance.exchange import Exchange
from conformance.findings import answer as answered
from conformance.offblocks.deviations import rules, unsigned
from conformance.offblocks.suite.alterations import failing_signatures
from conformance.offblocks.suite.effects import expect_initiating
from conformance.offblocks.suite.tenant import Onboarding, Tenant, altered, signed
from conformance.offblocks.wallet import Wallet
from conformance.scenario import (
    crosses,
    expect,
    expect_acceptance,
    expect_refusal,
    expect_same,
    expect_status,
    leaves_out,
    needs,
    step_failed,
    verifies,
)
from conformance.values import near

LATER = timedelta(seconds=5)
FAILURES = 11
"""How many signatures fail one after the other: more than one digit counts."""
SIGNED = 3
"""How many of the near misses of an id are signed for."""
ANOTHER_SIGNER = ("owner-signs-the-message", "owner-id")
ELSEWHERE = ("eip155:1", "eip155:137", "eip155:42161")
"""Chains on which an owner is named who is none."""


@verifies(
    "offblocks.challenge.standard-base64",
    "offblocks.challenge.kind",
    "offblocks.challenge.purpose",
    "offblocks.challenge.grammar",
    "offblocks.challenge.version-is-1",
    "offblocks.challenge.nonce",
    "offblocks.challenge.issued-when-made",
    "offblocks.challenge.issued-at-against-created-at",
    "offblocks.challenge.address",
    "offblocks.challenge.domain",
    "offblocks.challenge.domain-expected",
    "offblocks.challenge.uri",
    "offblocks.challenge.chain-id",
)
def test_a_challenge_is_a_sign_in_message(tenant: Tenant, wallet: Wallet) -> None:
    """When a customer is created."""
    customer = tenant.onboard(wallet)
    if customer.challenge.kind != "sign-in-message":
        step_failed(
            "The challenge was to be a sign-in message",
            customer.exchange,
            relies_on=["offblocks.challenge.standard-base64", "offblocks.challenge.kind"],
        )


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
    """When challenges are fetched under ids that nobody gave, UUIDs of each version."""
    for identifier in tenant.new_uuids():
        because = f"the id is a UUID, of version {identifier[14]}"
        expect_status("offblocks.challenge.unknown-customer-is-404", tenant.fetch(identifier), 404, because=because)


@verifies(
    "offblocks.challenge.unknown-customer-is-404",
    "offblocks.customer.unknown-is-404",
    "offblocks.signing.unknown-customer-is-404",
    "offblocks.response.same-value-accepted",
)
def test_an_id_like_a_customers_is_not_the_customers(tenant: Tenant, wallet: Wallet) -> None:
    """Given a customer, when it is read, its challenge fetched and signed under ids that are like its own."""
    customer = tenant.onboard(wallet)
    misses = near.misses(customer.id, near.UUID, others=[tenant.new_external_id()])
    chosen = [*near.chosen(misses, tenant.ids, core=8, more=2), *near.kindred_uuids(customer.id)]
    for number, miss in enumerate(chosen):
        because = f"the id is like one that was given, {miss.name}, and nobody gave it"
        fetched = tenant.fetch(miss.value)
        expect_status("offblocks.challenge.unknown-customer-is-404", fetched, 404, because=because)
        expect_status("offblocks.customer.unknown-is-404", tenant.read(miss.value), 404, because=because)
        if number < SIGNED:
            exchange = tenant.sign(miss.value, wallet, customer.challenge)
            expect_status("offblocks.signing.unknown-customer-is-404", exchange, 404, because=because)
    for same in near.uuids(customer.id):
        expect_same("offblocks.response.same-value-accepted", tenant.read(same.value), same)


@verifies("offblocks.challenge.malformed-customer-id-refused")
def test_an_id_that_is_almost_a_customers_is_refused(tenant: Tenant, wallet: Wallet) -> None:
    """Given a customer, when its challenge is fetched under texts that are like its id and are no UUIDs."""
    customer = tenant.onboard(wallet)
    misses = [miss for miss in near.misses(customer.id) if not near.UUID.fits(miss.value) and not miss.same_form]
    for miss in near.chosen(misses, tenant.ids, core=10, more=2):
        exchange = tenant.fetch(quote(miss.value, safe=""))
        because = f"the id is like the right one, {miss.name}"
        expect_refusal("offblocks.challenge.malformed-customer-id-refused", exchange, because)
    tenant.fetched(customer.id)


@pytest.mark.parametrize("cut", [pytest.param(1, id="a-digit-short"), pytest.param(35, id="one-digit")])
@verifies("offblocks.challenge.malformed-customer-id-refused")
def test_a_malformed_customer_id_is_refused(tenant: Tenant, cut: int) -> None:
    """When a challenge is fetched under a part of a UUID."""
    exchange = tenant.fetch(tenant.new_external_id()[cut:])
    expect_refusal("offblocks.challenge.malformed-customer-id-refused", exchange, "it is no UUID")


@verifies("offblocks.challenge.renewed-after-failed-signature", "offblocks.challenge.renewed-one-signs")
def test_a_failed_signature_brings_a_new_challenge_that_signs(
    tenant: Tenant, wallet: Wallet, other_wallet: Wallet
) -> None:
    """Given another wallet's signature of the challenge, when the challenge is fetched and its owner signs it."""
    customer = tenant.onboard(wallet)
    wrong = signed(other_wallet, customer.challenge)
    failed = tenant.sign(customer.id, wallet, customer.challenge, signature=wrong, broken=ANOTHER_SIGNER)
    if failed.response.succeeded:
        step_failed(
            "Another wallet's signature was to be refused", failed, relies_on=["offblocks.signing.other-key-refused"]
        )
    renewed = tenant.fetched(customer.id)
    expect(
        "offblocks.challenge.renewed-after-failed-signature",
        renewed.text != customer.challenge.text,
        where="response /challenge",
        expected="a new challenge",
        got="the one of the failed signature" if renewed.text == customer.challenge.text else "a new one",
    )
    if renewed.text == customer.challenge.text:
        step_failed(
            "A new challenge was to follow the failed signature",
            failed,
            relies_on=["offblocks.challenge.renewed-after-failed-signature"],
        )
    expect_acceptance("offblocks.challenge.renewed-one-signs", tenant.sign(customer.id, wallet, renewed))


@leaves_out("readings", "neighbours", because="Other tests take the same steps, fewer of them, and meet these.")
@verifies("offblocks.challenge.renewed-after-failed-signature", "offblocks.challenge.renewed-one-signs")
def test_each_failed_signature_brings_a_new_challenge(tenant: Tenant, wallet: Wallet, other_wallet: Wallet) -> None:
    """Given a customer, when eleven signatures by another wallet fail one after the other, and the owner signs."""
    customer = tenant.onboard(wallet)
    challenge, former = customer.challenge, [customer.challenge.text]
    for number in range(1, FAILURES + 1):
        wrong = signed(other_wallet, challenge)
        failed = tenant.sign(customer.id, wallet, challenge, signature=wrong, broken=ANOTHER_SIGNER)
        if failed.response.succeeded:
            step_failed("Another wallet's signature was to be refused", failed)
        challenge = tenant.fetched(customer.id)
        is_new = challenge.text not in former
        expect(
            "offblocks.challenge.renewed-after-failed-signature",
            is_new,
            where="response /challenge",
            expected=f"a new challenge after failure {number}",
            got="a new one" if is_new else "one that was issued before",
        )
        if not is_new:
            step_failed(f"A new challenge was to follow the failed signature {number}", failed)
        former.append(challenge.text)
    expect_acceptance("offblocks.challenge.renewed-one-signs", tenant.sign(customer.id, wallet, challenge))


@leaves_out("readings", "neighbours", because="Other tests take the same steps, fewer of them, and meet these.")
@verifies("offblocks.challenge.renewed-after-failed-signature", "offblocks.challenge.renewed-one-signs")
def test_a_new_challenge_follows_however_a_signature_fails(tenant: Tenant, wallet: Wallet) -> None:
    """Given a customer, when signatures come that no key made, or the owner made of something else, and the owner's."""
    customer = tenant.onboard(wallet)
    challenge = customer.challenge
    for name, wrong in failing_signatures(wallet, challenge).items():
        failed = tenant.sign(customer.id, wallet, challenge, signature=wrong, broken=ANOTHER_SIGNER)
        if failed.response.succeeded:
            step_failed(f"A signature {name} was to be refused", failed)
        renewed = tenant.fetched(customer.id)
        expect(
            "offblocks.challenge.renewed-after-failed-signature",
            renewed.text != challenge.text,
            where="response /challenge",
            expected=f"a new challenge after a signature {name}",
            got="the one of the failed signature" if renewed.text == challenge.text else "a new one",
        )
        challenge = renewed
    expect_acceptance("offblocks.challenge.renewed-one-signs", tenant.sign(customer.id, wallet, challenge))


@verifies("offblocks.challenge.stays-until-signed", "offblocks.signing.hex-text-accepted")
def test_a_failed_signature_renews_the_challenge_of_its_customer_alone(
    tenant: Tenant, wallet: Wallet, other_wallet: Wallet
) -> None:
    """Given customers who have all but one thing in common, when a signature fails for one, and the others sign."""
    customer = tenant.onboard(wallet)
    neighbours = [tenant.onboard(other_wallet), *tenant.like(customer)]
    wrong = signed(other_wallet, customer.challenge)
    tenant.sign(customer.id, wallet, customer.challenge, signature=wrong, broken=ANOTHER_SIGNER)
    for neighbour in neighbours:
        fetched = tenant.fetched(neighbour.id)
        expect(
            "offblocks.challenge.stays-until-signed",
            fetched.text == neighbour.challenge.text,
            where="response /challenge",
            expected=f"the challenge that {neighbour.id} was given, since a signature failed for {customer.id} alone",
            got="that" if fetched.text == neighbour.challenge.text else "another",
        )
        exchange = tenant.sign(neighbour.id, neighbour.wallet, neighbour.challenge)
        because = "its challenge was never signed wrongly"
        expect_status("offblocks.signing.hex-text-accepted", exchange, 204, because=because)


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
        where="response /challenge",
        expected="no challenge, since the customer has signed",
        got=f"a challenge, with {answered(exchange)}" if exchange.response.succeeded else answered(exchange),
        exchange=exchange,
    )


# ------------------------------------------------------------------------------- signatures that are right elsewhere


@verifies("offblocks.signing.other-message-refused", "offblocks.signing.refusal-leaves-initiating")
def test_the_signature_of_a_former_challenge_is_refused(tenant: Tenant, wallet: Wallet, other_wallet: Wallet) -> None:
    """Given a new challenge after a failed signature, when it is sent with the owner's signature of the one before."""
    customer = tenant.onboard(wallet)
    wrong = signed(other_wallet, customer.challenge)
    tenant.sign(customer.id, wallet, customer.challenge, signature=wrong, broken=ANOTHER_SIGNER)
    renewed = tenant.fetched(customer.id)
    if renewed.text == customer.challenge.text:
        step_failed(
            "A new challenge was to follow the failed signature",
            relies_on=["offblocks.challenge.renewed-after-failed-signature"],
        )
    former = signed(wallet, customer.challenge)
    exchange = tenant.sign(customer.id, wallet, renewed, signature=former, broken=ANOTHER_SIGNER)
    expect_refusal("offblocks.signing.other-message-refused", exchange, "what was signed is the challenge before it")
    _require_refusal(exchange)
    expect_initiating(tenant, customer.id)


@crosses("isolation", "state")
@verifies(
    "offblocks.challenge.stays-until-signed",
    "offblocks.signing.foreign-challenge-refused",
    "offblocks.signing.other-message-refused",
    "offblocks.signing.hex-text-accepted",
    "offblocks.signing.refusal-leaves-initiating",
)
def test_each_customer_of_a_wallet_has_a_challenge_of_its_own(tenant: Tenant, wallet: Wallet) -> None:
    """Given two customers of one wallet, when one signs the other's challenge, and then each signs its own."""
    first, second = tenant.onboard(wallet), _second(tenant, wallet)
    text = tenant.fetched(first.id).text
    expect(
        "offblocks.challenge.stays-until-signed",
        text == first.challenge.text,
        where="response /challenge",
        expected="the challenge that came with the customer, though its wallet has another customer",
        got="so" if text == first.challenge.text else "another one",
    )
    for one, other in ((first, second), (second, first)):
        exchange = tenant.sign(one.id, wallet, other.challenge, broken=("returns-challenge-unchanged",))
        because = "the challenge is that of another customer of the wallet"
        expect_refusal("offblocks.signing.foreign-challenge-refused", exchange, because)
        _require_refusal(exchange)
        if not expect_initiating(tenant, one.id):
            return
        current = tenant.fetched(one.id)
        wrong = signed(wallet, other.challenge)
        exchange = tenant.sign(one.id, wallet, current, signature=wrong, broken=ANOTHER_SIGNER)
        because = "what was signed is the challenge of another customer of the wallet"
        expect_refusal("offblocks.signing.other-message-refused", exchange, because)
        _require_refusal(exchange)
        if not expect_initiating(tenant, one.id):
            return
    for one in (first, second):
        exchange = tenant.sign(one.id, wallet, tenant.fetched(one.id))
        expect_status("offblocks.signing.hex-text-accepted", exchange, 204)
        if one is first:
            expect_initiating(tenant, second.id)


@verifies("offblocks.signing.owner-is-the-customers-wallet", "offblocks.signing.refusal-leaves-initiating")
def test_another_wallet_does_not_sign_for_an_account_of_its_own_elsewhere(
    tenant: Tenant, wallet: Wallet, other_wallet: Wallet
) -> None:
    """Given a customer, when another wallet signs and names its own account on other chains as the owner."""
    customer = tenant.onboard(wallet)
    for chain in ELSEWHERE:
        current = tenant.fetched(customer.id)
        exchange = tenant.sign(
            customer.id,
            wallet,
            current,
            signature=signed(other_wallet, current),
            owner=f"{chain}:{other_wallet.address}",
            broken=("owner-signs-the-message",),
        )
        because = f"another wallet signed, and named its account on {chain}"
        expect_refusal("offblocks.signing.owner-is-the-customers-wallet", exchange, because)
        _require_refusal(exchange)
    expect_initiating(tenant, customer.id)


@verifies("offblocks.signing.moves-the-status")
def test_who_has_signed_is_read_so_by_who_has_read_it_before(tenant: Tenant, wallet: Wallet) -> None:
    """Given a customer that was read, when it has signed and is read again if it has changed (RFC 9110, section 13)."""
    customer = tenant.onboard(wallet)
    before = tenant.read(customer.id)
    tags = {"If-None-Match": "ETag", "If-Modified-Since": "Last-Modified"}
    known = {name: value for name, field in tags.items() if (value := before.response.header(field)) is not None}
    answer = tenant.sign(customer.id, wallet, customer.challenge)
    if not answer.response.succeeded:
        step_failed("A right signature was to be accepted", answer)
    again = tenant.eventually(
        "a customer to be read as changed",
        lambda: tenant.read(customer.id, headers=known),
        lambda seen: seen.response.members().get("status") not in {None, "initiating"},
    )
    expect(
        "offblocks.signing.moves-the-status",
        again.response.members().get("status") not in {None, "initiating"},
        where="response /status",
        expected="screening or a later state",
        got=again.response.members().get("status") or f"none, {again.response.status}",
        exchange=again,
    )


def _require_refusal(exchange: Exchange) -> None:
    """Go on only if a wrong signature was refused.

    Raises:
        StepFailedError: If it was not.
    """
    if exchange.response.succeeded:
        step_failed("A signature of something else was to be refused", exchange)


def _second(tenant: Tenant, wallet: Wallet) -> Onboarding:
    """A second customer of a wallet.

    Raises:
        NeedError: If the API refuses one.
    """
    probe = tenant.new_wallet()
    first, again = tenant.create(probe), tenant.create(probe)
    identifiers = {answer.response.members().get("id") for answer in (first, again) if answer.response.succeeded}
    if len(identifiers) < 2:  # noqa: PLR2004 - one of each
        needs("an API that creates a second customer for a wallet")
    return tenant.onboard(wallet)
