"""A challenge is signed by the customer's wallet and by nothing else, once."""

import pytest

from conformance.exchange import Exchange
from conformance.findings import answer as answered
from conformance.offblocks.deviations import rules
from conformance.offblocks.messages import issued_challenge
from conformance.offblocks.suite.effects import expect_initiating
from conformance.offblocks.suite.tenant import Tenant, altered, signed
from conformance.offblocks.wallet import Wallet
from conformance.scenario import (
    expect,
    expect_acceptance,
    expect_reading,
    expect_refusal,
    expect_status,
    needs,
    refused,
    step_failed,
    verifies,
)
from conformance.standards.wallet_signatures import Encoding, encode

ANOTHER_SIGNER = ("owner-signs-the-message", "owner-id")
ANOTHER_ENCODING = ("encodes-hex-text",)


def expect_no_effect(rule: str, exchange: Exchange, tenant: Tenant, customer: str, *, because: str) -> None:
    """Say that `rule` asks for a refusal, whether it came as 400, and that it left the customer as it was.

    Raises:
        StepFailedError: If it was none.
    """
    expect_refusal(rule, exchange, because)
    if not refused(exchange):
        step_failed("A wrong signature was to be refused", exchange)
    expect_status("offblocks.signing.refusal-status", exchange, 400)
    expect_initiating(tenant, customer)


# -------------------------------------------------------------------------------------------------- right signatures


@verifies("offblocks.signing.hex-text-accepted", "offblocks.signing.no-content", "offblocks.signing.moves-the-status")
def test_a_right_signature_is_accepted(tenant: Tenant, wallet: Wallet) -> None:
    """Given a customer, when the owner signs the challenge and sends base64 of the signature's hex text."""
    customer = tenant.onboard(wallet)
    exchange = tenant.sign(customer.id, wallet, customer.challenge)
    expect_status("offblocks.signing.hex-text-accepted", exchange, 204)
    if not exchange.response.succeeded:
        step_failed("A right signature was to be accepted", exchange)
    status = tenant.status_once(customer.id, "screening", "verifying", "active")
    expect(
        "offblocks.signing.moves-the-status",
        status != "initiating",
        where="response /status",
        expected="screening or a later state",
        got=status,
    )


@verifies("offblocks.signing.raw-bytes")
def test_the_bytes_of_a_signature_are_accepted_or_refused(tenant: Tenant, wallet: Wallet) -> None:
    """Given a customer, when the owner signs the challenge and sends base64 of the signature's 65 bytes."""
    customer = tenant.onboard(wallet)
    raw = signed(wallet, customer.challenge, Encoding.BASE64_OF_BYTES)
    exchange = tenant.sign(customer.id, wallet, customer.challenge, signature=raw, broken=ANOTHER_ENCODING)
    expect_reading(
        "offblocks.signing.raw-bytes",
        "accepted" if exchange.response.succeeded else "refused" if refused(exchange) else None,
        where="response status",
        expected="2xx or a refusal",
        got=answered(exchange),
        exchange=exchange,
    )


@verifies("offblocks.signing.recovery-id-zero-or-one")
def test_a_recovery_id_of_zero_or_one_is_accepted(tenant: Tenant, wallet: Wallet) -> None:
    """Given a customer, when the owner's signature ends with 0 or 1 instead of 27 or 28."""
    customer = tenant.onboard(wallet)
    right = wallet.sign(customer.challenge.message or b"")
    signature = encode(right[:-1] + bytes([right[-1] - 27]), Encoding.BASE64_OF_HEX_TEXT)
    exchange = tenant.sign(customer.id, wallet, customer.challenge, signature=signature, broken=ANOTHER_SIGNER)
    expect_acceptance("offblocks.signing.recovery-id-zero-or-one", exchange)


# -------------------------------------------------------------------------------------------------- wrong signatures


@verifies(
    "offblocks.signing.other-key-refused",
    "offblocks.signing.refusal-leaves-initiating",
    "offblocks.signing.refusal-status",
)
def test_another_wallets_signature_is_refused(tenant: Tenant, wallet: Wallet, other_wallet: Wallet) -> None:
    """Given a customer, when another wallet signs the challenge in the owner's name."""
    customer = tenant.onboard(wallet)
    wrong = signed(other_wallet, customer.challenge)
    exchange = tenant.sign(customer.id, wallet, customer.challenge, signature=wrong, broken=ANOTHER_SIGNER)
    rule = "offblocks.signing.other-key-refused"
    expect_no_effect(rule, exchange, tenant, customer.id, because="another wallet signed")


@verifies("offblocks.signing.other-key-refused", "offblocks.signing.refusal-leaves-initiating")
def test_nobody_signs_for_the_address_of_zeros(tenant: Tenant, wallet: Wallet) -> None:
    """Given a customer with an address that nobody has a key of, when a signature is sent that no key made."""
    account = f"{wallet.chain}:0x{0:040x}"
    creation = tenant.create(body={"chainId": account, "externalId": tenant.new_external_id()})
    challenge = issued_challenge(creation.response)
    if challenge is None:
        needs("a customer with an address of zeros, whom this API does not create")
    tenant.require_sign_in(account.rpartition(":")[2], challenge)
    customer = str(creation.response.members().get("id"))
    signature = encode(bytes(64) + b"\x1b", Encoding.BASE64_OF_HEX_TEXT)
    exchange = tenant.send(
        "POST",
        f"/v1/customers/{customer}/challenge/sign",
        body={"ownerId": account, "challenge": challenge.text, "signature": signature},
        key=tenant.new_key(),
        breaks=rules(*ANOTHER_SIGNER),
    )
    expect_refusal("offblocks.signing.other-key-refused", exchange, "no key makes a signature of zeros")
    expect_initiating(tenant, customer)


@verifies(
    "offblocks.signing.owner-is-the-customers-wallet",
    "offblocks.signing.refusal-leaves-initiating",
    "offblocks.signing.refusal-status",
)
def test_another_wallet_does_not_sign_in_its_own_name(tenant: Tenant, wallet: Wallet, other_wallet: Wallet) -> None:
    """Given a customer, when another wallet signs the challenge and names itself as the owner."""
    customer = tenant.onboard(wallet)
    exchange = tenant.sign(
        customer.id,
        wallet,
        customer.challenge,
        signature=signed(other_wallet, customer.challenge),
        owner=other_wallet.account_id,
        broken=("owner-signs-the-message",),
    )
    rule = "offblocks.signing.owner-is-the-customers-wallet"
    expect_no_effect(rule, exchange, tenant, customer.id, because="another wallet signed, and said so")


@verifies(
    "offblocks.signing.other-message-refused",
    "offblocks.signing.refusal-leaves-initiating",
    "offblocks.signing.refusal-status",
)
def test_a_signature_over_another_message_is_refused(tenant: Tenant, wallet: Wallet) -> None:
    """Given a customer, when the owner signs the challenge with another nonce and sends the challenge as it was."""
    customer = tenant.onboard(wallet)
    wrong = signed(wallet, altered(customer.challenge))
    exchange = tenant.sign(customer.id, wallet, customer.challenge, signature=wrong, broken=ANOTHER_SIGNER)
    rule = "offblocks.signing.other-message-refused"
    expect_no_effect(rule, exchange, tenant, customer.id, because="another message was signed")


@pytest.mark.parametrize(
    ("keep", "appended"),
    [
        pytest.param(63, b"", id="two-bytes-short"),
        pytest.param(0, b"", id="empty"),
        pytest.param(65, b"\x1b", id="a-byte-long"),
        pytest.param(65, b"\x00" * 65, id="twice-as-long"),
    ],
)
@verifies(
    "offblocks.signing.wrong-length-refused",
    "offblocks.signing.refusal-leaves-initiating",
    "offblocks.signing.refusal-status",
)
def test_a_signature_of_another_length_is_refused(tenant: Tenant, wallet: Wallet, keep: int, appended: bytes) -> None:
    """Given a customer, when the owner's signature comes with bytes cut off or appended."""
    customer = tenant.onboard(wallet)
    wrong = encode(wallet.sign(customer.challenge.message or b"")[:keep] + appended, Encoding.BASE64_OF_HEX_TEXT)
    exchange = tenant.sign(customer.id, wallet, customer.challenge, signature=wrong, broken=ANOTHER_ENCODING)
    rule = "offblocks.signing.wrong-length-refused"
    expect_no_effect(rule, exchange, tenant, customer.id, because="the signature has not 65 bytes")


@pytest.mark.parametrize("position", [pytest.param(4, id="within"), pytest.param(None, id="at-the-end")])
@verifies(
    "offblocks.signing.outside-base64-refused",
    "offblocks.signing.refusal-leaves-initiating",
    "offblocks.signing.refusal-status",
)
def test_a_sign_outside_of_base64_is_refused(tenant: Tenant, wallet: Wallet, position: int | None) -> None:
    """Given a customer, when the text of the owner's signature holds an exclamation mark."""
    customer = tenant.onboard(wallet)
    right = signed(wallet, customer.challenge)
    position = len(right) if position is None else position
    wrong = f"{right[:position]}!{right[position:]}"
    exchange = tenant.sign(customer.id, wallet, customer.challenge, signature=wrong, broken=ANOTHER_ENCODING)
    rule = "offblocks.signing.outside-base64-refused"
    expect_no_effect(rule, exchange, tenant, customer.id, because="the signature holds an exclamation mark")


# -------------------------------------------------------------------------------------------------- wrong challenges


@verifies(
    "offblocks.signing.altered-challenge-refused",
    "offblocks.signing.refusal-leaves-initiating",
    "offblocks.signing.refusal-status",
)
def test_an_altered_challenge_is_refused(tenant: Tenant, wallet: Wallet) -> None:
    """Given a customer, when the challenge gets another nonce and the owner signs and sends that."""
    customer = tenant.onboard(wallet)
    tenant.require_sign_in(wallet.address, customer.challenge)
    changed = altered(customer.challenge)
    exchange = tenant.sign(customer.id, wallet, changed, broken=("returns-challenge-unchanged",))
    rule = "offblocks.signing.altered-challenge-refused"
    expect_no_effect(rule, exchange, tenant, customer.id, because="the challenge was altered")


@verifies(
    "offblocks.signing.foreign-challenge-refused",
    "offblocks.signing.refusal-leaves-initiating",
    "offblocks.signing.refusal-status",
)
def test_another_customers_challenge_is_refused(tenant: Tenant, wallet: Wallet, other_wallet: Wallet) -> None:
    """Given two customers, when the owner of one signs and sends the challenge of the other."""
    other = tenant.onboard(other_wallet)
    customer = tenant.onboard(wallet)
    tenant.require_sign_in(other_wallet.address, other.challenge)
    broken = ("returns-challenge-unchanged", "owner-signs-the-message")
    exchange = tenant.sign(customer.id, wallet, other.challenge, broken=broken)
    rule = "offblocks.signing.foreign-challenge-refused"
    expect_no_effect(rule, exchange, tenant, customer.id, because="the challenge is another customer's")


@verifies(
    "offblocks.signing.foreign-challenge-refused",
    "offblocks.signing.refusal-leaves-initiating",
    "offblocks.signing.refusal-status",
)
def test_another_customer_does_not_sign_its_own_challenge_for_this_one(
    tenant: Tenant, wallet: Wallet, other_wallet: Wallet
) -> None:
    """Given two customers, when the owner of one signs its own challenge, and that is sent for the other."""
    other = tenant.onboard(other_wallet)
    customer = tenant.onboard(wallet)
    tenant.require_sign_in(other_wallet.address, other.challenge)
    signature = signed(other_wallet, other.challenge)
    broken = ("returns-challenge-unchanged", "owner-id")
    exchange = tenant.sign(customer.id, wallet, other.challenge, signature=signature, broken=broken)
    rule = "offblocks.signing.foreign-challenge-refused"
    expect_no_effect(rule, exchange, tenant, customer.id, because="the challenge is another customer's, and so signed")


@verifies(
    "offblocks.signing.superseded-challenge-refused",
    "offblocks.signing.refusal-leaves-initiating",
    "offblocks.signing.refusal-status",
)
def test_a_superseded_challenge_is_refused(tenant: Tenant, wallet: Wallet, other_wallet: Wallet) -> None:
    """Given a new challenge after another wallet's signature, when the owner signs the one before."""
    customer = tenant.onboard(wallet)
    wrong = signed(other_wallet, customer.challenge)
    tenant.sign(customer.id, wallet, customer.challenge, signature=wrong, broken=ANOTHER_SIGNER)
    if tenant.fetched(customer.id).text == customer.challenge.text:
        step_failed("A new challenge was to follow the failed signature")
    exchange = tenant.sign(customer.id, wallet, customer.challenge, broken=("refetches-after-failure",))
    rule = "offblocks.signing.superseded-challenge-refused"
    expect_no_effect(rule, exchange, tenant, customer.id, because="a new challenge took its place")


# ------------------------------------------------------------------------------------------------------------ owner id


@verifies("offblocks.signing.lower-case-owner-id")
def test_an_owner_id_in_lower_case_is_accepted(tenant: Tenant, wallet: Wallet) -> None:
    """Given a customer, when the owner signs and is named in lower case."""
    customer = tenant.onboard(wallet)
    exchange = tenant.sign(customer.id, wallet, customer.challenge, owner=wallet.account_id.lower())
    expect_acceptance("offblocks.signing.lower-case-owner-id", exchange)


@verifies("offblocks.signing.bad-checksum-owner-id")
def test_an_owner_id_that_fails_its_checksum_is_refused(tenant: Tenant, wallet: Wallet) -> None:
    """Given a customer, when the owner signs and is named with the case of every letter changed."""
    customer = tenant.onboard(wallet)
    owner = f"{wallet.chain}:0x{wallet.address.removeprefix('0x').swapcase()}"
    exchange = tenant.sign(customer.id, wallet, customer.challenge, owner=owner)
    expect_refusal("offblocks.signing.bad-checksum-owner-id", exchange, "the checksum in ownerId is wrong")


@verifies("offblocks.signing.other-owner-id")
def test_an_owner_id_of_another_account_is_refused(tenant: Tenant, wallet: Wallet, other_wallet: Wallet) -> None:
    """Given a customer, when the owner signs and another account is named."""
    customer = tenant.onboard(wallet)
    owner = other_wallet.account_id
    exchange = tenant.sign(customer.id, wallet, customer.challenge, owner=owner, broken=("owner-id",))
    expect_refusal("offblocks.signing.other-owner-id", exchange, "ownerId is not the customer's account")


# --------------------------------------------------------------------------------------------------- once, and of whom


@verifies("offblocks.signing.second-is-409")
def test_a_second_signature_is_a_conflict(tenant: Tenant, wallet: Wallet) -> None:
    """Given a customer who has signed, when the same signature comes with a new idempotency key."""
    customer = tenant.signed_up(wallet)
    exchange = tenant.sign(customer.id, wallet, customer.challenge)
    expect_status("offblocks.signing.second-is-409", exchange, 409)


@verifies("offblocks.signing.concurrent-one-success")
def test_of_two_signatures_at_once_one_succeeds(tenant: Tenant, wallet: Wallet) -> None:
    """Given a customer, when the owner's signature comes twice at once, each with an idempotency key of its own."""
    customer = tenant.onboard(wallet)
    keys = tenant.new_key(), tenant.new_key()
    exchanges = tenant.together(
        *(lambda key=key: tenant.sign(customer.id, wallet, customer.challenge, key=key) for key in keys)
    )
    statuses = sorted(exchange.response.status for exchange in exchanges)
    expect(
        "offblocks.signing.concurrent-one-success",
        [exchange.response.succeeded for exchange in exchanges].count(True) == 1,
        where="response status",
        expected="one 204 and one refusal",
        got=" and ".join(str(status) for status in statuses),
    )


@verifies("offblocks.signing.unknown-customer-is-404")
def test_nobody_signs_for_a_customer_that_does_not_exist(tenant: Tenant, wallet: Wallet) -> None:
    """Given a customer, when its owner's signature is sent under an id that nobody gave."""
    customer = tenant.onboard(wallet)
    exchange = tenant.sign(tenant.new_external_id(), wallet, customer.challenge)
    expect_status("offblocks.signing.unknown-customer-is-404", exchange, 404)


@verifies("offblocks.signing.missing-field-is-400", "offblocks.signing.refusal-leaves-initiating")
def test_a_missing_member_is_refused(tenant: Tenant, wallet: Wallet) -> None:
    """Given a customer, when the owner signs and one of the three required members is left out."""
    customer = tenant.onboard(wallet)
    whole = {
        "ownerId": wallet.account_id,
        "challenge": customer.challenge.text,
        "signature": signed(wallet, customer.challenge),
    }
    for name in whole:
        body = {member: value for member, value in whole.items() if member != name}
        breaks = rules("sends-complete-bodies")
        exchange = tenant.sign(customer.id, wallet, customer.challenge, body=body, breaks=breaks)
        expect_status("offblocks.signing.missing-field-is-400", exchange, 400)
    expect_initiating(tenant, customer.id)
