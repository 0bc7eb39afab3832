"""Idempotency keys: a request that is repeated is done once, and answered as it was."""

from datetime import timedelta
from functools import partial
from http import HTTPStatus
from typing import Any

from conformance.clock import Clock
from conformance.exchange import Exchange
from conformance.offblocks.deviations import (
    digests_another_body,
    digests_with_sha_512,
    rules,
    signed_by,
    undigested,
    unsigned,
)
from conformance.offblocks.messages import issued_challenge
from conformance.offblocks.suite.effects import (
    DAYS_AFTER,
    expect_customers,
    expect_the_same_answer,
    require_days,
)
from conformance.offblocks.suite.signing_keys import another_key, use_another_key
from conformance.offblocks.suite.tenant import Tenant, signed
from conformance.offblocks.wallet import Wallet
from conformance.scenario import (
    PATIENCE,
    crosses,
    expect,
    expect_acceptance,
    expect_refusal,
    expect_refusal_status,
    expect_same,
    expect_status,
    leaves_out,
    needs,
    step_failed,
    verifies,
    waits,
)
from conformance.standards.message_signatures import key_from_seed
from conformance.targets import Subject
from conformance.values import near

WITHOUT_KEY = rules("sends-idempotency-key")
ANOTHER_PAYLOAD = rules("fresh-key-per-payload")
REPEATED = 3
"""How often a request is repeated."""
LENGTHS = (300, 1_100, 5_000, 17_000)
"""How much longer externalIds are than usual; what keeps answers may have room for so many bytes, or refuse more."""
OTHER_KEYS = 24
"""How many keys are used beside one that is remembered."""
HOUR = timedelta(hours=1)


def created(exchange: Exchange) -> Exchange:
    """The exchange, if it created a customer.

    Raises:
        StepFailedError: If it did not.
    """
    if not exchange.response.succeeded:
        step_failed("A customer was to be created", exchange)
    return exchange


# ---------------------------------------------------------------------------------------------------- the key's form


@verifies("offblocks.idempotency.missing-key-refused", "offblocks.idempotency.missing-key-is-400")
def test_a_missing_key_is_refused(tenant: Tenant, wallet: Wallet, other_wallet: Wallet) -> None:
    """Given a customer, when another is created and the owner signs, both without Idempotency-Key."""
    customer = tenant.onboard(wallet)
    for answer in (
        tenant.create(other_wallet, key=None, breaks=WITHOUT_KEY),
        tenant.sign(customer.id, wallet, customer.challenge, key=None, breaks=WITHOUT_KEY),
    ):
        expect_refusal("offblocks.idempotency.missing-key-refused", answer, "it has no Idempotency-Key")
        expect_refusal_status("offblocks.idempotency.missing-key-is-400", answer, 400)


@verifies(
    "offblocks.idempotency.key-not-a-uuid-refused",
    "offblocks.idempotency.key-not-a-uuid-is-400",
    "offblocks.idempotency.key-respelt-refused",
)
def test_a_key_that_is_no_uuid_is_refused(tenant: Tenant, wallet: Wallet, other_wallet: Wallet) -> None:
    """Given a customer, when another is created and the owner signs, with texts for keys, some almost UUIDs."""
    customer = tenant.onboard(wallet)
    for answer in (
        tenant.create(other_wallet, key="not-a-uuid", breaks=WITHOUT_KEY),
        tenant.sign(customer.id, wallet, customer.challenge, key="not-a-uuid-either", breaks=WITHOUT_KEY),
    ):
        expect_refusal_status("offblocks.idempotency.key-not-a-uuid-is-400", answer, 400)
        expect_refusal("offblocks.idempotency.key-not-a-uuid-refused", answer, "a key is a UUID")
    key = tenant.new_key()
    for rule, misses in (
        ("offblocks.idempotency.key-respelt-refused", near.respelt_uuids(key)),
        ("offblocks.idempotency.key-not-a-uuid-refused", near.almost_uuids(key)),
    ):
        for miss in misses:
            answer = tenant.create(tenant.new_wallet(), key=miss.value, breaks=WITHOUT_KEY)
            expect_refusal(rule, answer, f"the key is a UUID {miss.name}")


# ----------------------------------------------------------------------------------------------------------- repeating


@verifies("offblocks.idempotency.repeat-answered-alike", "offblocks.idempotency.repeat-done-once")
def test_a_repeated_creation_is_done_once(tenant: Tenant, wallet: Wallet) -> None:
    """Given a created customer, when the creation is repeated thrice with its key, and the customers are listed."""
    external_id, key = tenant.new_external_id(), tenant.new_key()
    first = created(tenant.create(wallet, external_id, key=key))
    for _ in range(REPEATED):
        repeat = tenant.create(wallet, external_id, key=key)
        expect_the_same_answer("offblocks.idempotency.repeat-answered-alike", repeat, first)
    expect_customers("offblocks.idempotency.repeat-done-once", tenant, [external_id], at_most=1)


@leaves_out("readings", "neighbours", because="Other tests take the same steps, fewer of them, and meet these.")
@verifies("offblocks.idempotency.repeat-answered-alike")
def test_a_long_creation_is_repeated_like_others(tenant: Tenant) -> None:
    """Given customers with long externalIds, as far as the API takes them, when each creation is repeated."""
    taken = False
    for length in LENGTHS:
        wallet, external_id, key = tenant.new_wallet(), f"{tenant.new_external_id()} {'x' * length}", tenant.new_key()
        first = tenant.create(wallet, external_id, key=key)
        taken = taken or first.response.succeeded
        if first.response.succeeded:
            repeat = tenant.create(wallet, external_id, key=key)
            expect_the_same_answer("offblocks.idempotency.repeat-answered-alike", repeat, first)
    if not taken:
        needs("a long externalId that this API takes")


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


@crosses("idempotency", "state")
@verifies("offblocks.idempotency.repeat-answered-alike")
def test_a_repeated_simulation_is_answered_alike(tenant: Tenant) -> None:
    """Given customers who were verified and rejected, when each simulation is repeated twice with its key."""
    for outcome in ("verify", "reject"):
        customer, key = tenant.verifying(tenant.new_wallet()).id, tenant.new_key()
        first = tenant.simulate(outcome, customer, key=key)
        if not first.response.succeeded:
            step_failed(f"A simulation, {outcome}, was to succeed", first)
        for _ in range(2):
            repeat = tenant.simulate(outcome, customer, key=key)
            expect_the_same_answer("offblocks.idempotency.repeat-answered-alike", repeat, first)


@crosses("idempotency", "state")
@verifies("offblocks.flow.verified-becomes-active")
def test_a_simulation_with_anothers_key_is_done_or_refused(
    tenant: Tenant, wallet: Wallet, other_wallet: Wallet
) -> None:
    """Given two customers to be verified, when both are verified with one key, for which the second may be refused."""
    first, second, key = tenant.verifying(wallet).id, tenant.verifying(other_wallet).id, tenant.new_key()
    tenant.simulate("verify", first, key=key)
    answer = tenant.simulate("verify", second, key=key, breaks=ANOTHER_PAYLOAD)
    state = tenant.status_once(second, "active") if answer.response.succeeded else "active"
    expect(
        "offblocks.flow.verified-becomes-active",
        state == "active",
        where="response /status",
        expected=f"active within {PATIENCE}, since [{answer.id}] was not refused",
        got=state,
    )


@crosses("idempotency", "state")
@verifies("offblocks.idempotency.sign-repeat-is-204", "offblocks.flow.verified-becomes-active")
def test_a_repeated_sign_request_does_not_bring_a_state_back(tenant: Tenant, wallet: Wallet) -> None:
    """Given a customer who signed and was verified, when the sign request is repeated with its key."""
    customer, key = tenant.onboard(wallet), tenant.new_key()
    sign = partial(tenant.sign, customer.id, wallet, customer.challenge, key=key)
    first = sign()
    state = tenant.status_once(customer.id, "verifying") if first.response.succeeded else None
    if state not in {"verifying", "active"}:
        step_failed("A customer was to await verification", first)
    if state == "verifying":
        tenant.simulate("verify", customer.id)
    if tenant.status_once(customer.id, "active") != "active":
        step_failed("A customer was to become active", relies_on=["offblocks.flow.verified-becomes-active"])
    repeat = sign()
    expect_status("offblocks.idempotency.sign-repeat-is-204", repeat, 204)
    state = tenant.status_shortly(customer.id)
    expect(
        "offblocks.flow.verified-becomes-active",
        state == "active",
        where="response /status",
        expected=f"active, as before the repetition [{repeat.id}]",
        got=state,
    )


@verifies("offblocks.customer.created-with-201")
def test_a_key_may_be_a_uuid_of_any_version(tenant: Tenant) -> None:
    """When customers are created with keys that are UUIDs of each version, the printed one's among them."""
    for key in tenant.new_uuids():
        answer = tenant.create(tenant.new_wallet(), key=key)
        because = f"the key is a UUID, of version {key[14]}"
        expect_status("offblocks.customer.created-with-201", answer, 201, because=because)


@waits
@crosses("idempotency", "expiry")
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


@verifies(
    "offblocks.idempotency.changed-payload-refused",
    "offblocks.idempotency.changed-payload-status",
    "offblocks.idempotency.repeat-answered-alike",
)
def test_a_key_with_another_payload_is_refused(tenant: Tenant, wallet: Wallet, other_wallet: Wallet) -> None:
    """Given a created customer, when another comes with the same key, all are listed, and the first comes again."""
    key, external_id = tenant.new_key(), tenant.new_external_id()
    own = tenant.new_external_id()
    first = created(tenant.create(wallet, own, key=key))
    answer = tenant.create(other_wallet, external_id, key=key, breaks=ANOTHER_PAYLOAD)
    expect_refusal("offblocks.idempotency.changed-payload-refused", answer, "the key came with another payload before")
    expect_status("offblocks.idempotency.changed-payload-status", answer, 422, 409)
    expect_customers("offblocks.idempotency.changed-payload-refused", tenant, [external_id], at_most=0)
    if not answer.response.succeeded:
        repeat = tenant.create(wallet, own, key=key)
        expect_the_same_answer("offblocks.idempotency.repeat-answered-alike", repeat, first)


@verifies("offblocks.idempotency.changed-payload-refused")
def test_a_key_binds_each_part_of_its_payload(tenant: Tenant, wallet: Wallet, other_wallet: Wallet) -> None:
    """Given keys of a creation and of a signing, when they come again with one member changed, at its end."""
    rule, keys = "offblocks.idempotency.changed-payload-refused", [tenant.new_key(), tenant.new_key()]
    own = tenant.new_external_id()
    first = created(tenant.create(wallet, own, key=keys[0]))
    for changed, account in ((own[:-1] + ("0" if own[-1] != "0" else "1"), wallet), (own, other_wallet)):
        answer = tenant.create(account, changed, key=keys[0], breaks=ANOTHER_PAYLOAD)
        expect_refusal(rule, answer, f"the key came with [{first.id}], whose body differs in one member")
    customer = tenant.onboard(tenant.new_wallet())
    first = tenant.sign(customer.id, customer.wallet, customer.challenge, key=keys[1])
    if not first.response.succeeded:
        step_failed("A right signature was to be accepted", first)
    answer = tenant.sign(
        customer.id,
        customer.wallet,
        customer.challenge,
        signature=signed(other_wallet, customer.challenge),
        broken=("owner-signs-the-message", "owner-id"),
        key=keys[1],
        breaks=ANOTHER_PAYLOAD,
    )
    expect_refusal(rule, answer, f"the key came with [{first.id}], whose signature is another one")


@waits
@verifies("offblocks.idempotency.key-free-after-an-hour", "offblocks.idempotency.repeat-answered-alike")
def test_a_key_is_free_after_an_hour(tenant: Tenant, wallet: Wallet, other_wallet: Wallet, clock: Clock) -> None:
    """Given a creation and a signing of over an hour ago, when customers come with their keys, one of them twice."""
    key, key_of_signing, external_id = tenant.new_key(), tenant.new_key(), tenant.new_external_id()
    created(tenant.create(wallet, key=key))
    signer = tenant.onboard(tenant.new_wallet())
    tenant.sign(signer.id, signer.wallet, signer.challenge, key=key_of_signing)
    clock.advance(HOUR + tenant.overdue)
    answer = tenant.create(other_wallet, external_id, key=key)
    expect_acceptance("offblocks.idempotency.key-free-after-an-hour", answer)
    if answer.response.succeeded:
        repeat = tenant.create(other_wallet, external_id, key=key)
        expect_the_same_answer("offblocks.idempotency.repeat-answered-alike", repeat, answer)
    answer = tenant.create(tenant.new_wallet(), key=key_of_signing)
    expect_acceptance("offblocks.idempotency.key-free-after-an-hour", answer)


@waits
@crosses("idempotency", "expiry")
@verifies("offblocks.idempotency.key-free-after-an-hour", "offblocks.idempotency.repeat-answered-alike")
def test_a_repetition_does_not_prolong_a_keys_hour(
    tenant: Tenant, wallet: Wallet, other_wallet: Wallet, clock: Clock
) -> None:
    """Given a creation repeated after 40 minutes, when another customer is created 21 minutes later with its key."""
    external_id, key = tenant.new_external_id(), tenant.new_key()
    first = created(tenant.create(wallet, external_id, key=key))
    clock.advance(timedelta(minutes=40))
    repeat = tenant.create(wallet, external_id, key=key)
    expect_the_same_answer("offblocks.idempotency.repeat-answered-alike", repeat, first)
    clock.advance(timedelta(minutes=20) + tenant.overdue)
    answer = tenant.create(other_wallet, key=key)
    expect_acceptance("offblocks.idempotency.key-free-after-an-hour", answer)


@leaves_out("readings", "neighbours", because="Other tests take the same steps, fewer of them, and meet these.")
@waits
@verifies("offblocks.idempotency.key-free-after-an-hour")
def test_a_key_that_became_free_stays_free(tenant: Tenant, clock: Clock) -> None:
    """Given keys used a day, a week and a month of 31 days ago, by 20 minutes more, when customers come with them."""
    require_days(tenant)
    for days in DAYS_AFTER:
        key = tenant.new_key()
        created(tenant.create(tenant.new_wallet(), key=key))
        clock.advance(timedelta(days=days, minutes=20))
        answer = tenant.create(tenant.new_wallet(), key=key)
        expect_acceptance("offblocks.idempotency.key-free-after-an-hour", answer)


# ------------------------------------------------------------------------------------------- crossed with other checks


@crosses("idempotency", "authentication")
@crosses("idempotency", "signature")
@crosses("idempotency", "digest")
@verifies(
    "offblocks.authentication.missing-token-refused",
    "offblocks.authentication.malformed-token-refused",
    "offblocks.signature.missing-refused",
    "offblocks.signature.wrong-key-refused",
    "offblocks.digest.missing-refused",
    "offblocks.digest.mismatch-refused",
    "offblocks.idempotency.repeat-answered-alike",
)
def test_a_repetition_is_checked_as_the_first_request_was(tenant: Tenant, wallet: Wallet, other_wallet: Wallet) -> None:
    """Given a creation, a signing and a simulation, when each is repeated wrongly in all else, and then rightly."""
    external_id, owner = tenant.new_external_id(), tenant.verifying(other_wallet)
    signer = tenant.new_wallet()
    customer = tenant.onboard(signer)
    keys = [tenant.new_key() for _ in range(3)]
    calls = {
        "creation": partial(tenant.create, wallet, external_id, key=keys[0]),
        "signing": partial(tenant.sign, customer.id, signer, customer.challenge, key=keys[1]),
        "simulation": partial(tenant.simulate, "verify", owner.id, key=keys[2]),
    }
    stranger = key_from_seed(tenant.ids.draw(64))
    for name, call in calls.items():
        first = call()
        if not first.response.succeeded:
            tenant.require_pending(owner.id)
            step_failed(f"A {name} was to succeed", first)
        because = f"a repetition of [{first.id}] is a request like any other"
        without = call(authorization=None, breaks=rules("sends-token"))
        expect_refusal("offblocks.authentication.missing-token-refused", without, because)
        malformed = call(authorization="Bearer not-a-token", breaks=rules("sends-token"))
        expect_refusal("offblocks.authentication.malformed-token-refused", malformed, because)
        expect_refusal("offblocks.signature.missing-refused", call(deviation=unsigned), because)
        expect_refusal("offblocks.signature.wrong-key-refused", call(deviation=signed_by(stranger)), because)
        if first.request.body:
            expect_refusal("offblocks.digest.missing-refused", call(deviation=undigested), because)
            expect_refusal("offblocks.digest.mismatch-refused", call(deviation=digests_another_body), because)
        expect_the_same_answer("offblocks.idempotency.repeat-answered-alike", call(), first)


@crosses("idempotency", "authentication")
@verifies("offblocks.idempotency.repeat-answered-alike")
def test_a_repetition_may_come_with_another_token(tenant: Tenant, wallet: Wallet, clock: Clock) -> None:
    """Given a created customer, when the creation is repeated with its key and a token that was given since."""
    external_id, key = tenant.new_external_id(), tenant.new_key()
    first = created(tenant.create(wallet, external_id, key=key))
    clock.advance(timedelta(seconds=1))  # tokens of one second may be the same
    tenant.renew_credentials()
    repeat = tenant.create(wallet, external_id, key=key)
    expect_the_same_answer("offblocks.idempotency.repeat-answered-alike", repeat, first)


@crosses("idempotency", "authentication")
@crosses("idempotency", "signature")
@verifies(
    "offblocks.authentication.refusal-has-no-effect",
    "offblocks.signature.refusal-has-no-effect",
)
def test_a_request_of_nobody_knows_whom_takes_no_key(tenant: Tenant) -> None:
    """Given keys that came with requests without token or good signature, when customers are created with them."""
    stranger = key_from_seed(tenant.ids.draw(64))
    wrong: dict[str, dict[str, Any]] = {
        "authentication": {"authorization": None, "breaks": rules("sends-token")},
        "signature": {"deviation": signed_by(stranger)},
    }
    for concern, sin in wrong.items():
        key = tenant.new_key()
        refusal = tenant.create(tenant.new_wallet(), key=key, **sin)
        if refusal.response.succeeded:
            step_failed("A creation that nobody vouches for was to be refused", refusal)
        answer = tenant.create(tenant.new_wallet(), key=key, breaks=ANOTHER_PAYLOAD)
        because = f"the key came with [{refusal.id}] alone, which was refused before it could be the client's"
        expect_status(f"offblocks.{concern}.refusal-has-no-effect", answer, 201, because=because)


@leaves_out("neighbours", "population", "past", "readings", because="Others sign with the key that it replaces.")
@crosses("idempotency", "signature")
@verifies("offblocks.idempotency.repeat-answered-alike")
def test_a_repetition_may_be_signed_with_another_key(tenant: Tenant, wallet: Wallet, subject: Subject) -> None:
    """Given a created customer, when the creation is repeated with its key, signed with a key registered since."""
    external_id, key = tenant.new_external_id(), tenant.new_key()
    first = created(tenant.create(wallet, external_id, key=key))
    use_another_key(tenant, subject, another_key(subject))
    repeat = tenant.create(wallet, external_id, key=key)
    expect_the_same_answer("offblocks.idempotency.repeat-answered-alike", repeat, first)


@crosses("idempotency", "digest")
@verifies("offblocks.idempotency.repeat-answered-alike")
def test_a_repetition_may_have_another_digest_of_its_body(tenant: Tenant, wallet: Wallet) -> None:
    """Given a server that takes digests of SHA-512, when a creation is repeated with one, and its key."""
    if not tenant.create(tenant.new_wallet(), deviation=digests_with_sha_512).response.succeeded:
        needs("an API that takes digests of SHA-512")
    external_id, key = tenant.new_external_id(), tenant.new_key()
    first = created(tenant.create(wallet, external_id, key=key))
    repeat = tenant.create(wallet, external_id, key=key, deviation=digests_with_sha_512)
    expect_the_same_answer("offblocks.idempotency.repeat-answered-alike", repeat, first)


@leaves_out("readings", "neighbours", because="Other tests take the same steps, fewer of them, and meet these.")
@verifies("offblocks.idempotency.repeat-answered-alike", "offblocks.idempotency.repeat-done-once")
def test_a_key_is_remembered_beside_many_others(tenant: Tenant, wallet: Wallet) -> None:
    """Given a customer and two dozen requests with other keys since, when the creation is repeated with its key."""
    external_id, key = tenant.new_external_id(), tenant.new_key()
    first = created(tenant.create(wallet, external_id, key=key))
    customer = str(first.response.members().get("id"))
    for _ in range(OTHER_KEYS):
        tenant.simulate("verify", customer)  # which is refused, and takes a key
    tenant.create(tenant.new_wallet())
    repeat = tenant.create(wallet, external_id, key=key)
    expect_the_same_answer("offblocks.idempotency.repeat-answered-alike", repeat, first)
    expect_customers("offblocks.idempotency.repeat-done-once", tenant, [external_id], at_most=1)


@crosses("idempotency", "state")
@verifies("offblocks.idempotency.repeat-answered-alike", "offblocks.signing.hex-text-accepted")
def test_a_repetition_tells_what_was_and_changes_nothing(tenant: Tenant, wallet: Wallet, other_wallet: Wallet) -> None:
    """Given a creation that is repeated after a failed signature, after the right one and after verification."""
    external_id, key = tenant.new_external_id(), tenant.new_key()
    first = created(tenant.create(wallet, external_id, key=key))
    repeat = partial(tenant.create, wallet, external_id, key=key)
    challenge = issued_challenge(first.response) or step_failed("A customer was to be created with a challenge", first)
    customer = str(first.response.members().get("id"))
    wrong = signed(other_wallet, challenge)
    tenant.sign(customer, wallet, challenge, signature=wrong, broken=("owner-signs-the-message", "owner-id"))
    renewed = tenant.fetched(customer)
    expect_the_same_answer("offblocks.idempotency.repeat-answered-alike", repeat(), first)
    exchange = tenant.sign(customer, wallet, renewed)
    expect_status("offblocks.signing.hex-text-accepted", exchange, 204, because="repetitions change nothing")
    expect_the_same_answer("offblocks.idempotency.repeat-answered-alike", repeat(), first)
    if tenant.status_once(customer, "verifying") == "verifying":
        tenant.simulate("verify", customer)
        expect_the_same_answer("offblocks.idempotency.repeat-answered-alike", repeat(), first)


@verifies("offblocks.idempotency.refusal-burns-no-key")
def test_a_corrected_request_may_keep_its_key(tenant: Tenant, wallet: Wallet) -> None:
    """Given a creation that was refused as incomplete, when the complete one comes with the same key."""
    key = tenant.new_key()
    refusal = tenant.create(key=key, breaks=rules("sends-complete-bodies"))
    if refusal.response.succeeded:
        step_failed(
            "A creation without chainId was to be refused",
            refusal,
            relies_on=["offblocks.customer.missing-field-is-400"],
        )
    answer = tenant.create(wallet, key=key, breaks=ANOTHER_PAYLOAD)
    expect_status("offblocks.idempotency.refusal-burns-no-key", answer, 201)


@verifies("offblocks.idempotency.repeat-answered-alike")
def test_a_repeated_request_that_was_refused_is_refused_alike(tenant: Tenant, wallet: Wallet) -> None:
    """Given an incomplete creation, and a verification that comes too early, when each is repeated with its key."""
    customer, keys = tenant.onboard(wallet).id, [tenant.new_key(), tenant.new_key()]
    for call in (
        partial(tenant.create, key=keys[0], breaks=rules("sends-complete-bodies")),
        partial(tenant.simulate, "verify", customer, key=keys[1]),
    ):
        first = call()
        if first.response.succeeded:
            continue
        repeat = call(**({"body": first.request.json()} if first.request.body else {}))
        expect_status("offblocks.idempotency.repeat-answered-alike", repeat, first.response.status)


@leaves_out("readings", because="Other tests take the same steps, fewer of them, and meet these.")
@verifies(
    "offblocks.customer.created-with-201",
    "offblocks.idempotency.repeat-answered-alike",
    "offblocks.response.same-value-accepted",
)
def test_a_key_that_is_like_another_is_another(tenant: Tenant, wallet: Wallet) -> None:
    """Given a created customer, when others are created with keys that are like its own, and it is with its own."""
    external_id, key = tenant.new_external_id(), tenant.new_key()
    first = created(tenant.create(wallet, external_id, key=key))
    others = near.misses(key, near.UUID, others=[tenant.new_key()])
    for miss in [*near.chosen(others, tenant.ids, core=8, more=3), *near.kindred_uuids(key)]:
        answer = tenant.create(tenant.new_wallet(), key=miss.value)
        because = f"its key differs from that of [{first.id}], it is like that, {miss.name}"
        expect_status("offblocks.customer.created-with-201", answer, 201, because=because)
    repeat = tenant.create(wallet, external_id, key=key)
    expect_the_same_answer("offblocks.idempotency.repeat-answered-alike", repeat, first)
    for same in near.uuids(key):
        repeat = tenant.create(wallet, external_id, key=same.value)
        expect_same("offblocks.response.same-value-accepted", repeat, same)


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


@verifies("offblocks.idempotency.changed-payload-refused")
def test_of_two_payloads_with_one_key_at_once_one_is_refused(
    tenant: Tenant, wallet: Wallet, other_wallet: Wallet
) -> None:
    """Given a tenant, when another creation with the same key follows while the first one may be under way."""
    create = partial(tenant.create, key=tenant.new_key(), may_break=ANOTHER_PAYLOAD)
    tenant.authorization()
    first, second = tenant.overlapping(partial(create, wallet), partial(create, other_wallet))
    expect(
        "offblocks.idempotency.changed-payload-refused",
        not (first.response.succeeded and second.response.succeeded),
        where="response statuses",
        expected="2xx and a refusal, since the key came with another payload",
        got=f"{first.response.status} and {second.response.status}",
        exchange=second,
    )
