"""A challenge is signed by the customer's wallet and by nothing else, once."""

from urllib.parse import quote

import pytest

from conformance.exchange import Exchange
from conformance.findings import answer as answered
from conformance.offblocks.deviations import rules
from conformance.offblocks.messages import Challenge, issued_challenge
from conformance.offblocks.suite.alterations import (
    alterations,
    like_account,
    like_signature,
    like_text,
    short_signatures,
)
from conformance.offblocks.suite.effects import expect_initiating
from conformance.offblocks.suite.tenant import Tenant, altered, signed
from conformance.offblocks.wallet import Wallet
from conformance.scenario import (
    StepFailedError,
    expect,
    expect_acceptance,
    expect_reading,
    expect_refusal,
    expect_refusal_status,
    expect_status,
    needs,
    refused,
    step_failed,
    verifies,
)
from conformance.standards.wallet_signatures import Encoding, encode
from conformance.values import near

ANOTHER_SIGNER = ("owner-signs-the-message", "owner-id")
ANOTHER_ENCODING = ("encodes-hex-text",)
FORMER = rules("refetches-after-failure", "returns-challenge-unchanged")
RENEWALS = 2
"""How often a challenge is replaced, so that one was so longer ago."""
IDS = 3
"""How many texts that are like a customer's id are always tried."""
TEXTS = 7
"""How many texts that are like a challenge's are tried."""
BYTES = 6
"""How many near misses of a signature are tried."""


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


@verifies(
    "offblocks.signing.hex-text-accepted",
    "offblocks.signing.no-content",
    "offblocks.signing.moves-the-status",
    "offblocks.customer.readable",
)
def test_a_right_signature_is_accepted(tenant: Tenant, wallet: Wallet) -> None:
    """Given a customer, when the owner signs the challenge and sends base64 of the signature's hex text."""
    customer = tenant.onboard(wallet)
    tenant.status(customer.id)  # so that what is read later is not what was kept from this
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


@verifies("offblocks.signing.hex-text-accepted")
def test_a_right_signature_is_accepted_whatever_its_numbers_are(tenant: Tenant, wallet: Wallet) -> None:
    """Given customers, when their owners send right signatures with a number that begins with zeros."""
    for name in ("its first", "its second"):
        key = tenant.ids.draw(32)
        owner = Wallet(key, str(wallet.chain))
        customer = tenant.onboard(owner)
        right = short_signatures(key, customer.challenge, tenant.ids)[name]
        text = encode(right, Encoding.BASE64_OF_HEX_TEXT)
        exchange = tenant.sign(customer.id, owner, customer.challenge, signature=text)
        because = f"the signature is right, and {name} number begins with zeros"
        expect_status("offblocks.signing.hex-text-accepted", exchange, 204, because=because)


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
    right = wallet.sign(customer.challenge.to_be_signed)
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
    """Given a customer, when other wallets sign in the owner's name, one of them of a customer of its externalId."""
    customer = tenant.onboard(wallet)
    namesakes = [each.wallet for each in tenant.like(customer) if each.wallet is not wallet]
    challenge = customer.challenge
    for other in (other_wallet, *namesakes):
        wrong = signed(other, challenge)
        exchange = tenant.sign(customer.id, wallet, challenge, signature=wrong, broken=ANOTHER_SIGNER)
        rule = "offblocks.signing.other-key-refused"
        expect_no_effect(rule, exchange, tenant, customer.id, because=f"another wallet signed, {other.address}")
        challenge = tenant.fetched(customer.id)


@verifies("offblocks.signing.other-key-refused", "offblocks.signing.refusal-leaves-initiating")
def test_nobody_signs_for_the_address_of_zeros(tenant: Tenant, wallet: Wallet) -> None:
    """Given a customer with an address that nobody has a key of, when a signature is sent that no key made."""
    account = f"{wallet.chain}:0x{0:040x}"
    creation = tenant.create(body={"chainId": account, "externalId": tenant.new_external_id()})
    challenge = issued_challenge(creation.response)
    if challenge is None:
        needs("a customer with an address of zeros, whom this API does not create")
    customer = str(creation.response.members().get("id"))
    signature = encode(bytes(64) + b"\x1b", Encoding.BASE64_OF_HEX_TEXT)
    exchange = tenant.send(
        "POST",
        f"/v1/customers/{customer}/challenge/sign",
        body={"ownerId": account, "challenge": challenge.text, "signature": signature},
        key=tenant.new_key(),
        breaks=rules(*ANOTHER_SIGNER),
        may_break=rules("signs-only-its-own-sign-in"),
    )
    expect_refusal("offblocks.signing.other-key-refused", exchange, "no key makes a signature of zeros")
    expect_initiating(tenant, customer)


@verifies(
    "offblocks.signing.owner-is-the-customers-wallet",
    "offblocks.signing.refusal-leaves-initiating",
    "offblocks.signing.refusal-status",
)
def test_another_wallet_does_not_sign_in_its_own_name(tenant: Tenant, wallet: Wallet, other_wallet: Wallet) -> None:
    """Given a customer, when another wallet signs the first and the second challenge, and says that it is the owner."""
    customer = tenant.onboard(wallet)
    challenge = customer.challenge
    for is_first in (True, False):
        if not is_first:
            wrong = signed(other_wallet, tenant.fetched(customer.id))
            tenant.sign(customer.id, wallet, tenant.fetched(customer.id), signature=wrong, broken=ANOTHER_SIGNER)
            challenge = tenant.fetched(customer.id)
        exchange = tenant.sign(
            customer.id,
            wallet,
            challenge,
            signature=signed(other_wallet, challenge),
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
    wrong = encode(wallet.sign(customer.challenge.to_be_signed)[:keep] + appended, Encoding.BASE64_OF_HEX_TEXT)
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
    changed = altered(customer.challenge)
    exchange = tenant.sign(customer.id, wallet, changed, broken=("returns-challenge-unchanged",))
    rule = "offblocks.signing.altered-challenge-refused"
    expect_no_effect(rule, exchange, tenant, customer.id, because="the challenge was altered")


@verifies("offblocks.signing.altered-challenge-refused", "offblocks.signing.refusal-leaves-initiating")
def test_a_challenge_that_was_altered_in_any_line_is_refused(tenant: Tenant, wallet: Wallet) -> None:
    """Given a customer, when the challenge is altered in one of its lines, and the owner signs and sends that."""
    customer = tenant.onboard(wallet)
    for number, _ in enumerate(alterations(customer.challenge)):
        current = tenant.fetched(customer.id)
        alteration = alterations(current)[number]
        exchange = tenant.sign(customer.id, wallet, alteration.challenge, broken=alteration.broken)
        because = f"the challenge was altered, it is one with {alteration.name}"
        expect_refusal("offblocks.signing.altered-challenge-refused", exchange, because)
        if exchange.response.succeeded:
            step_failed(
                "An altered challenge was to be refused",
                exchange,
                relies_on=["offblocks.signing.altered-challenge-refused"],
            )
    expect_initiating(tenant, customer.id)


@verifies("offblocks.signing.altered-challenge-refused", "offblocks.signing.refusal-leaves-initiating")
def test_a_text_like_the_challenges_is_refused(tenant: Tenant, wallet: Wallet) -> None:
    """Given a customer, when its owner signs the challenge, and texts are sent in its place that are like it."""
    customer = tenant.onboard(wallet)
    for number, _ in enumerate(near.chosen(like_text(customer.challenge), tenant.ids, core=TEXTS)):
        current = tenant.fetched(customer.id)
        miss = like_text(current)[number]
        body = {"ownerId": wallet.account_id, "challenge": miss.value, "signature": signed(wallet, current)}
        broken, perhaps = rules("returns-challenge-unchanged"), rules("owner-signs-the-message", "owner-id")
        exchange = tenant.sign(customer.id, wallet, current, body=body, breaks=broken, may_break=perhaps)
        because = f"the text of the challenge is like the one that was issued, {miss.name}"
        expect_refusal("offblocks.signing.altered-challenge-refused", exchange, because)
        if exchange.response.succeeded:
            step_failed("Another text than the challenge was to be refused", exchange)
    expect_initiating(tenant, customer.id)


@verifies(
    "offblocks.signing.other-message-refused",
    "offblocks.signing.other-key-refused",
    "offblocks.signing.hex-text-accepted",
    "offblocks.signing.refusal-leaves-initiating",
)
def test_a_signature_like_the_right_one_is_refused(tenant: Tenant, wallet: Wallet) -> None:
    """Given a customer, when signatures come that are like the right one or of a message like it, and then that one."""
    customer = tenant.onboard(wallet)
    for number, _ in enumerate(alterations(customer.challenge)):
        current = tenant.fetched(customer.id)
        alteration = alterations(current)[number]
        wrong = signed(wallet, alteration.challenge)
        exchange = tenant.sign(customer.id, wallet, current, signature=wrong, broken=ANOTHER_SIGNER)
        because = f"what was signed is the challenge with {alteration.name}"
        expect_refusal("offblocks.signing.other-message-refused", exchange, because)
        if exchange.response.succeeded:
            step_failed("A signature of another message was to be refused", exchange)
    for number in range(BYTES):
        current = tenant.fetched(customer.id)
        miss = like_signature(wallet, current)[number]
        wrong = encode(bytes.fromhex(miss.value), Encoding.BASE64_OF_HEX_TEXT)
        exchange = tenant.sign(customer.id, wallet, current, signature=wrong, broken=ANOTHER_SIGNER)
        expect_refusal(
            "offblocks.signing.other-key-refused", exchange, f"the signature is like the right one, {miss.name}"
        )
        if exchange.response.succeeded:
            step_failed("A signature that is no right one was to be refused", exchange)
    if not expect_initiating(tenant, customer.id):
        raise StepFailedError("The customer was to stay initiating, so that the right signature could come last.")
    exchange = tenant.sign(customer.id, wallet, tenant.fetched(customer.id))
    expect_status("offblocks.signing.hex-text-accepted", exchange, 204)


@verifies(
    "offblocks.signing.foreign-challenge-refused",
    "offblocks.signing.refusal-leaves-initiating",
    "offblocks.signing.refusal-status",
)
def test_another_customers_challenge_is_refused(tenant: Tenant, wallet: Wallet, other_wallet: Wallet) -> None:
    """Given two customers, when the owner of one signs and sends the challenge of the other."""
    other = tenant.onboard(other_wallet)
    customer = tenant.onboard(wallet)
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
    signature = signed(other_wallet, other.challenge)
    broken = ("returns-challenge-unchanged", "owner-id")
    exchange = tenant.sign(customer.id, wallet, other.challenge, signature=signature, broken=broken)
    rule = "offblocks.signing.foreign-challenge-refused"
    expect_no_effect(rule, exchange, tenant, customer.id, because="the challenge is another customer's, and so signed")


@verifies(
    "offblocks.signing.foreign-challenge-refused",
    "offblocks.signing.refusal-leaves-initiating",
    "offblocks.signing.refusal-status",
    "offblocks.signing.hex-text-accepted",
)
def test_a_right_request_of_another_customer_is_refused(tenant: Tenant, wallet: Wallet, other_wallet: Wallet) -> None:
    """Given two customers, when all that is right for one is sent under the other's id, and then under its own."""
    other = tenant.onboard(other_wallet)
    customer = tenant.onboard(wallet)
    broken = ("returns-challenge-unchanged",)
    exchange = tenant.sign(customer.id, other_wallet, other.challenge, broken=broken)
    rule = "offblocks.signing.foreign-challenge-refused"
    expect_no_effect(rule, exchange, tenant, customer.id, because="all in it is another customer's")
    expect_initiating(tenant, other.id)
    exchange = tenant.sign(other.id, other_wallet, tenant.fetched(other.id))
    expect_status("offblocks.signing.hex-text-accepted", exchange, 204)


@verifies(
    "offblocks.signing.superseded-challenge-refused",
    "offblocks.signing.refusal-leaves-initiating",
    "offblocks.signing.refusal-status",
)
def test_a_superseded_challenge_is_refused(tenant: Tenant, wallet: Wallet, other_wallet: Wallet) -> None:
    """Given a new challenge after another wallet's signature, and a third one, when the owner signs those before."""
    customer = tenant.onboard(wallet)
    challenge, former = customer.challenge, list[Challenge]()
    for _ in range(RENEWALS):
        wrong = signed(other_wallet, challenge)
        tenant.sign(customer.id, wallet, challenge, signature=wrong, broken=ANOTHER_SIGNER)
        renewed = tenant.fetched(customer.id)
        if renewed.text == challenge.text:
            step_failed(
                "A new challenge was to follow the failed signature",
                relies_on=["offblocks.challenge.renewed-after-failed-signature"],
            )
        former.append(challenge)
        for each in former:
            exchange = tenant.sign(customer.id, wallet, each, may_break=FORMER)
            rule = "offblocks.signing.superseded-challenge-refused"
            expect_no_effect(rule, exchange, tenant, customer.id, because="a new challenge took its place")
        challenge = tenant.fetched(customer.id)


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


@verifies("offblocks.signing.other-owner-id", "offblocks.signing.hex-text-accepted")
def test_an_owner_id_like_the_right_one_is_refused(tenant: Tenant, wallet: Wallet, other_wallet: Wallet) -> None:
    """Given customers, when their owners sign and accounts are named that are like the owner's, and then the owner."""
    customer, owner = tenant.onboard(wallet), wallet
    for name, broken, account in like_account(other_wallet):
        current = tenant.fetched(customer.id)
        exchange = tenant.sign(customer.id, owner, current, owner=account(owner), broken=broken)
        expect_refusal("offblocks.signing.other-owner-id", exchange, f"ownerId is the customer's account {name}")
        if exchange.response.succeeded:
            owner = tenant.new_wallet()
            customer = tenant.onboard(owner)
    tenant.let_renew(customer.id)
    exchange = tenant.sign(customer.id, owner, tenant.fetched(customer.id))
    expect_status("offblocks.signing.hex-text-accepted", exchange, 204)


# --------------------------------------------------------------------------------------------------- once, and of whom


@verifies("offblocks.signing.second-is-409")
def test_a_second_signature_is_a_conflict(tenant: Tenant, wallet: Wallet) -> None:
    """Given a customer who has signed, and an active one, when the same signature comes with a new idempotency key."""
    for customer in (tenant.signed_up(wallet), tenant.simulated("verify", tenant.new_wallet())):
        exchange = tenant.sign(customer.id, customer.wallet, customer.challenge)
        expect_status("offblocks.signing.second-is-409", exchange, 409)


@verifies("offblocks.signing.moves-the-status")
def test_a_wrong_signature_after_the_right_one_changes_nothing(
    tenant: Tenant, wallet: Wallet, other_wallet: Wallet
) -> None:
    """Given a customer who signed, when another wallet's signature of the challenge comes."""
    customer = tenant.verifying(wallet)
    wrong = signed(other_wallet, customer.challenge)
    exchange = tenant.sign(customer.id, wallet, customer.challenge, signature=wrong, broken=ANOTHER_SIGNER)
    status = tenant.status_shortly(customer.id)
    expect(
        "offblocks.signing.moves-the-status",
        status != "initiating",
        where="response /status",
        expected="verifying, or a later state",
        got=f"{status}, after a signature that was answered {exchange.response.status}",
    )


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


@verifies("offblocks.signing.malformed-customer-id-refused")
def test_nobody_signs_under_what_is_no_id(tenant: Tenant, wallet: Wallet) -> None:
    """Given a customer, when its owner's signature is sent under texts that are like its id and are no UUIDs."""
    customer = tenant.onboard(wallet)
    misses = [miss for miss in near.misses(customer.id) if not near.UUID.fits(miss.value) and not miss.same_form]
    for miss in near.chosen(misses, tenant.ids, core=IDS, more=1):
        exchange = tenant.sign(quote(miss.value, safe=""), wallet, customer.challenge)
        because = f"the id is like the right one, {miss.name}"
        expect_refusal("offblocks.signing.malformed-customer-id-refused", exchange, because)


@verifies(
    "offblocks.signing.missing-field-is-400",
    "offblocks.response.undescribed-refused",
    "offblocks.signing.owner-is-the-customers-wallet",
    "offblocks.signing.refusal-leaves-initiating",
)
def test_a_missing_member_is_refused(tenant: Tenant, wallet: Wallet) -> None:
    """Given a customer, when the owner signs and one of the three required members is left out."""
    customer = tenant.onboard(wallet)
    whole = {
        "ownerId": wallet.account_id,
        "challenge": customer.challenge.text,
        "signature": signed(wallet, customer.challenge),
    }
    for name in ("signature", "challenge", "ownerId"):
        body = {member: value for member, value in whole.items() if member != name}
        breaks = rules("sends-complete-bodies")
        exchange = tenant.sign(customer.id, wallet, customer.challenge, body=body, breaks=breaks)
        expect_refusal_status("offblocks.signing.missing-field-is-400", exchange, 400)
        refusing = "signing.owner-is-the-customers-wallet" if name == "signature" else "response.undescribed-refused"
        expect_refusal(f"offblocks.{refusing}", exchange, f"{name} is required")
        if exchange.response.succeeded:
            step_failed("A sign request that lacks a member was to be refused", exchange)
    expect_initiating(tenant, customer.id)
