"""Signatures that are right for something else: a former challenge, another customer of the wallet, another chain."""

from conformance.exchange import Exchange
from conformance.offblocks.suite.effects import expect_initiating
from conformance.offblocks.suite.tenant import Onboarding, Tenant, signed
from conformance.offblocks.wallet import Wallet
from conformance.scenario import crosses, expect, expect_refusal, expect_status, needs, step_failed, verifies

ANOTHER_SIGNER = ("owner-signs-the-message", "owner-id")
CHAINS = ("eip155:1", "eip155:137", "eip155:42161")
"""Chains on which an owner is named who is none."""


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
        expect_initiating(tenant, one.id)
        current = tenant.fetched(one.id)
        wrong = signed(wallet, other.challenge)
        exchange = tenant.sign(one.id, wallet, current, signature=wrong, broken=ANOTHER_SIGNER)
        because = "what was signed is the challenge of another customer of the wallet"
        expect_refusal("offblocks.signing.other-message-refused", exchange, because)
        _require_refusal(exchange)
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
    for chain in CHAINS:
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
