"""Content-Digest: where it is needed, and that it vouches for the body."""

from conformance.offblocks.deviations import (
    changes_body,
    digests_another_body,
    digests_with_md5,
    digests_with_sha_512,
    undigested,
)
from conformance.offblocks.suite.tenant import Tenant
from conformance.offblocks.wallet import Wallet
from conformance.scenario import expect, expect_acceptance, expect_refusal, expect_status, verifies


@verifies("offblocks.digest.missing-refused")
def test_a_missing_digest_is_refused(tenant: Tenant, wallet: Wallet, other_wallet: Wallet) -> None:
    """Given a customer, when another is created and the owner signs, both without Content-Digest."""
    customer = tenant.onboard(wallet)
    for answer in (
        tenant.create(other_wallet, deviation=undigested),
        tenant.sign(customer.id, wallet, customer.challenge, deviation=undigested),
    ):
        expect_refusal("offblocks.digest.missing-refused", answer, "there is no Content-Digest")


@verifies("offblocks.digest.mismatch-refused")
def test_a_digest_of_another_body_is_refused(tenant: Tenant, wallet: Wallet, other_wallet: Wallet) -> None:
    """Given a customer, when the digest is another body's, or the body changes after it was digested and signed."""
    customer = tenant.onboard(wallet)
    for answer in (
        tenant.create(other_wallet, deviation=digests_another_body),
        tenant.create(other_wallet, deviation=changes_body),
        tenant.sign(customer.id, wallet, customer.challenge, deviation=digests_another_body),
    ):
        expect_refusal("offblocks.digest.mismatch-refused", answer, "Content-Digest is not that of the body")


@verifies("offblocks.digest.unknown-algorithm-refused")
def test_a_digest_of_an_unknown_algorithm_is_refused(tenant: Tenant, wallet: Wallet) -> None:
    """Given a tenant, when it creates a customer with an MD5 digest alone."""
    answer = tenant.create(wallet, deviation=digests_with_md5)
    expect_refusal("offblocks.digest.unknown-algorithm-refused", answer, "no digest of a known algorithm")


@verifies("offblocks.digest.sha-512-accepted")
def test_a_digest_of_sha_512_is_accepted(tenant: Tenant, wallet: Wallet) -> None:
    """Given a tenant, when it creates a customer with a digest of SHA-512."""
    answer = tenant.create(wallet, deviation=digests_with_sha_512)
    expect_status("offblocks.digest.sha-512-accepted", answer, 201)


@verifies("offblocks.digest.none-on-get")
def test_reading_needs_no_digest(tenant: Tenant, wallet: Wallet) -> None:
    """Given a customer, when it is read in every way without Content-Digest and without Idempotency-Key."""
    customer = tenant.onboard(wallet)
    for answer in (tenant.customers(), tenant.read(customer.id), tenant.fetch(customer.id)):
        expect_acceptance("offblocks.digest.none-on-get", answer)


@verifies("offblocks.digest.none-on-simulator")
def test_simulating_needs_no_digest(tenant: Tenant, wallet: Wallet, other_wallet: Wallet) -> None:
    """Given two customers to be verified, when one is verified and one rejected without Content-Digest."""
    for owner, outcome in ((wallet, "verify"), (other_wallet, "reject")):
        answer = tenant.simulate(outcome, tenant.verifying(owner).id)
        expect(
            "offblocks.digest.none-on-simulator",
            answer.response.succeeded,
            where="response status",
            expected="a success",
            got=answer.response.status,
            exchange=answer,
        )
