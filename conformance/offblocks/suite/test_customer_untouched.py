"""What a creation leaves alone: the pair that it was refused for, and the customers that were there before."""

from typing import Any

from conformance.offblocks.deviations import digests_another_body, rules, signed_by, undigested, unsigned
from conformance.offblocks.suite.tenant import Tenant
from conformance.offblocks.wallet import Wallet
from conformance.scenario import expect, expect_status, step_failed, verifies
from conformance.standards.message_signatures import key_from_seed

GIVEN = ("id", "createdAt", "updatedAt", "challenge")
"""The members of a customer that the server gives, and nobody sends, besides its status."""


@verifies("offblocks.customer.created-with-201")
def test_a_pair_that_was_refused_is_free(tenant: Tenant) -> None:
    """Given creations that are refused, each for something else, when each comes again with its pair, and rightly."""
    stranger = key_from_seed(tenant.ids.draw(64))
    wrong: dict[str, dict[str, Any]] = {
        "had no token": {"authorization": None, "breaks": rules("sends-token")},
        "had no signature": {"deviation": unsigned},
        "had another key's signature": {"deviation": signed_by(stranger)},
        "had no digest": {"deviation": undigested},
        "had another body's digest": {"deviation": digests_another_body},
        "had no Idempotency-Key": {"key": None, "breaks": rules("sends-idempotency-key")},
        "had a text for an Idempotency-Key": {"key": "not-a-uuid", "breaks": rules("sends-idempotency-key")},
    }
    for sin, options in wrong.items():
        wallet, external_id = tenant.new_wallet(), tenant.new_external_id()
        refusal = tenant.create(wallet, external_id, **options)
        if refusal.response.succeeded:
            continue
        answer = tenant.create(wallet, external_id)
        because = f"[{refusal.id}], which {sin}, was refused"
        expect_status("offblocks.customer.created-with-201", answer, 201, because=because)


@verifies("offblocks.customer.created-with-201")
def test_a_pair_that_was_no_account_is_free(tenant: Tenant) -> None:
    """Given an address refused for its letter case, or with a blank behind it, when it comes rightly written."""
    for name, broken in (("letter case", "sends-checksummed-address"), ("blank", "sends-account-id")):
        wallet, external_id = tenant.new_wallet(), tenant.new_external_id()
        right = wallet.account_id
        chain_id = f"{right} " if name == "blank" else right[:-40] + right[-40:].swapcase()
        body = {"chainId": chain_id, "externalId": external_id}
        refusal = tenant.create(body=body, breaks=rules(broken))
        if refusal.response.succeeded:
            continue
        answer = tenant.create(wallet, external_id)
        because = f"[{refusal.id}] was refused for the {name} of its chainId"
        expect_status("offblocks.customer.created-with-201", answer, 201, because=because)


@verifies("offblocks.customer.readable", "offblocks.customer.starts-initiating")
def test_a_caller_does_not_give_what_the_server_gives(tenant: Tenant, wallet: Wallet, other_wallet: Wallet) -> None:
    """Given a customer, when another is created with the members that the first has of the server; or refused."""
    first = tenant.onboard(wallet)
    shown = first.exchange.response.members()
    given = {name: shown[name] for name in GIVEN if name in shown}
    body = {"chainId": other_wallet.account_id, "externalId": tenant.new_external_id(), **given}
    answer = tenant.create(body=body)
    read = tenant.read(first.id)
    if not read.response.succeeded:
        step_failed("A customer was to be read", read)
    named = {name: read.response.members().get(name) for name in ("id", "chainId", "externalId", "status")}
    before = {name: shown.get(name) for name in named}
    expect(
        "offblocks.customer.readable",
        named == before,
        where="response body",
        expected=f"{before}, though [{answer.id}] came with its {', '.join(given)}",
        got=named,
        exchange=read,
    )
    if answer.response.succeeded:
        new = answer.response.members().get("challenge")
        expect(
            "offblocks.customer.starts-initiating",
            new != given.get("challenge"),
            where="response /challenge",
            expected="a challenge of the new customer's own",
            got="that of the first one",
            exchange=answer,
        )
