"""What all answers have in common: their form, their statuses, their paths, and that no request breaks the server."""

from datetime import timedelta
from functools import partial
from typing import Any

import httpx

from conformance.clock import Clock
from conformance.offblocks.client import RequestSigner
from conformance.offblocks.deviations import deviation, digests_another_body, rules, signed_by, undigested, unsigned
from conformance.offblocks.suite.effects import updated_at
from conformance.offblocks.suite.tenant import Tenant, signed
from conformance.offblocks.wallet import Wallet
from conformance.scenario import expect, expect_reading, expect_status, leaves_out, step_failed, verifies
from conformance.standards.message_signatures import key_from_seed

SOME_SECONDS = timedelta(seconds=2)
NESTED = b'{"chainId":' + b"[" * 500 + b"]" * 500 + b"}"


@deviation("signature-verifies")
def names_no_key(signer: RequestSigner, request: httpx.Request) -> None:
    """Signs without saying with which key."""
    signer.sign(request)
    request.headers["Signature-Input"] = request.headers["Signature-Input"].replace(f';keyid="{signer.key_id}"', "")


@verifies(
    "offblocks.response.matches-schema",
    "offblocks.response.matches-inferred-schema",
    "offblocks.response.shows-printed-members",
    "offblocks.response.is-json",
    "offblocks.response.status-documented",
)
def test_answers_have_the_documented_form(tenant: Tenant, wallet: Wallet) -> None:
    """Given a tenant, when it creates a customer, reads it in every way, and the owner signs."""
    customer = tenant.onboard(wallet)
    tenant.customers()
    tenant.read(customer.id)
    tenant.fetch(customer.id)
    tenant.sign(customer.id, wallet, customer.challenge)


@verifies("offblocks.response.no-server-error")
def test_a_body_that_is_no_document_breaks_nothing(tenant: Tenant) -> None:
    """Given a tenant, when it sends something else than the JSON object that a creation takes, or one with a NUL."""
    for body in (b"{", b"[]", b"null", b"\xff\xfe", NESTED):
        tenant.create(content=body, breaks=rules("sends-complete-bodies"))
    tenant.create(tenant.new_wallet(), f"{tenant.new_external_id()}\0")


@verifies("offblocks.response.no-server-error")
def test_a_strange_path_or_signature_breaks_nothing(tenant: Tenant) -> None:
    """Given a tenant, when it reads what is no customer, asks for no known path, and signs without naming a key."""
    for customer in ("%00", "%ff", "..%2f", "a" * 2000):
        tenant.read(customer)
    tenant.send("GET", "/v1/nothing")
    tenant.customers(deviation=names_no_key)


@verifies("offblocks.response.path-prefix")
def test_paths_begin_with_v1(tenant: Tenant) -> None:
    """Given a tenant, when it lists its customers with /v1 in the path and without."""
    listing = tenant.customers()
    if not listing.response.succeeded:
        step_failed("The customers were to be listed", listing)
    unprefixed = tenant.send("GET", "/customers")
    expect_reading(
        "offblocks.response.path-prefix",
        "unprefixed-too" if unprefixed.response.succeeded else "v1-only",
        where="response status",
        expected="a refusal, or a list at /customers too",
        got=unprefixed.response.status,
        exchange=unprefixed,
    )


@leaves_out("readings", because="Everything is read before and after each step already.")
@verifies(
    "offblocks.response.reading-changes-nothing",
    "offblocks.response.refusal-changes-nothing",
    "offblocks.isolation.others-untouched",
)
def test_a_step_changes_what_it_is_for_and_nothing_else(watched: Tenant, wallet: Wallet, other_wallet: Wallet) -> None:
    """Given two customers, when both are read, one signs wrongly and rightly, and creations are refused."""
    first, second = watched.onboard(wallet), watched.onboard(other_wallet)
    for customer in (first, second):
        watched.read(customer.id)
        watched.fetch(customer.id)
    watched.customers()
    wrong = signed(other_wallet, first.challenge)
    watched.sign(first.id, wallet, first.challenge, signature=wrong, broken=("owner-signs-the-message", "owner-id"))
    watched.create(wallet, key=None, breaks=rules("sends-idempotency-key"))
    watched.create(content=b"{", breaks=rules("sends-complete-bodies"))
    watched.simulate("verify", second.id)
    watched.sign(first.id, wallet, watched.fetched(first.id))
    watched.simulate("reject", first.id)


@leaves_out("readings", "neighbours", because="Other tests take the same steps, fewer of them, and meet these.")
@verifies("offblocks.response.refusal-changes-nothing")
def test_a_refused_request_is_no_update(tenant: Tenant, wallet: Wallet, clock: Clock) -> None:
    """Given a customer, when requests for it are refused, each some seconds later, and it is read after each."""
    customer = tenant.onboard(wallet)
    before, _ = updated_at(tenant, customer.id)
    incomplete = partial(tenant.sign, customer.id, wallet, customer.challenge, body={"ownerId": wallet.account_id})
    refusals = (
        partial(tenant.create, wallet, customer.external_id),
        partial(tenant.simulate, "verify", customer.id),
        partial(tenant.simulate, "reject", customer.id),
        partial(incomplete, breaks=rules("sends-complete-bodies")),
        partial(tenant.sign, customer.id, wallet, customer.challenge, authorization=None, breaks=rules("sends-token")),
    )
    for request in refusals:
        clock.advance(SOME_SECONDS)
        refusal = request()
        after, read = updated_at(tenant, customer.id)
        expect(
            "offblocks.response.refusal-changes-nothing",
            refusal.response.succeeded or abs(after - before) < SOME_SECONDS / 2,
            where="response /updatedAt",
            expected=f"{before}, as before [{refusal.id}], which was refused",
            got=after,
            exchange=read,
        )
        before = after


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
