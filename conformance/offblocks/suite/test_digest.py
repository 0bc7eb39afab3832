"""Content-Digest: where it is needed, and that it vouches for the body."""

import base64
import json

from conformance.offblocks.deviations import (
    OTHER_BODY,
    changes_body,
    digests_another_body,
    digests_otherwise,
    digests_twice,
    digests_with_md5,
    digests_with_sha_512,
    undigested,
    writes_digest_otherwise,
)
from conformance.offblocks.suite.tenant import Tenant
from conformance.offblocks.wallet import Wallet
from conformance.scenario import (
    expect,
    expect_acceptance,
    expect_refusal,
    expect_same,
    expect_status,
    verifies,
)
from conformance.standards.digest_fields import content_digest
from conformance.values import near

WITH_CHARSET = "application/json; charset=utf-8"
MISSES = 12
"""How many near misses of a digest are tried."""

LENGTHS = (300, 1_100, 5_000, 17_000)
"""How long externalIds are; servers pass on a body that is longer than a buffer as it comes."""


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
        tenant.create(other_wallet, deviation=digests_another_body, headers={"Content-Type": WITH_CHARSET}),
        tenant.create(other_wallet, deviation=changes_body),
        tenant.sign(customer.id, wallet, customer.challenge, deviation=digests_another_body),
    ):
        expect_refusal("offblocks.digest.mismatch-refused", answer, "Content-Digest is not that of the body")


@verifies("offblocks.digest.mismatch-refused", "offblocks.customer.created-with-201")
def test_a_digest_like_the_right_one_is_refused(tenant: Tenant) -> None:
    """Given a creation, when it comes with digests that are like the right one, and then with that one."""
    content = json.dumps(new_customer(tenant)).encode()
    right, another = base64_in(content_digest(content)), base64_in(content_digest(OTHER_BODY))
    for miss in near.misses(right, near.BASE64, others=[another])[:MISSES]:
        wrong = digests_otherwise(f"sha-256=:{miss.value}:")
        answer = tenant.create(body=None, content=content, deviation=wrong)
        expect_refusal("offblocks.digest.mismatch-refused", answer, f"the digest is like the right one, {miss.name}")
    right_one = tenant.create(tenant.new_wallet())
    expect_status("offblocks.customer.created-with-201", right_one, 201, because="the digest is that of the body")


@verifies("offblocks.digest.mismatch-refused", "offblocks.customer.created-with-201")
def test_a_digest_of_what_is_near_to_the_body_is_refused(tenant: Tenant, wallet: Wallet) -> None:
    """Given a body with blanks, when it comes with the digest of the body before, of nothing, or of the same said."""
    former, body = tenant.create(wallet).request.body, new_customer(tenant)
    content = json.dumps(body, indent=2).encode() + b"\n"
    others = {
        "this body without the line feed behind it": content.strip(),
        "this body without its blanks": json.dumps(body, separators=(",", ":")).encode(),
        "this body with one blank behind each sign": json.dumps(body).encode(),
        "this body with a line feed behind it": content + b"\n",
        "this body with its members in the other order": json.dumps(dict(reversed(body.items())), indent=2).encode(),
        "this body without its last character": content[:-1],
        "the first half of this body": content[: len(content) // 2],
        "nothing": b"",
        "the body before it": former,
    }
    for name, other in others.items():
        answer = tenant.create(body=None, content=content, deviation=digests_otherwise(content_digest(other)))
        expect_refusal("offblocks.digest.mismatch-refused", answer, f"the digest is that of {name}")
    answer = tenant.create(body=None, content=json.dumps(new_customer(tenant), indent=2).encode() + b"\n")
    expect_status("offblocks.customer.created-with-201", answer, 201, because="the digest is that of the body")


@verifies("offblocks.digest.mismatch-refused")
def test_a_digest_is_compared_of_bodies_of_any_length(tenant: Tenant) -> None:
    """When customers are created with long externalIds and the digests of bodies that differ in their last letter."""
    for length in LENGTHS:
        body = new_customer(tenant)
        body["externalId"] += "x" * length
        content, other = (json.dumps({**body, "externalId": body["externalId"] + last}).encode() for last in "ab")
        answer = tenant.create(body=None, content=content, deviation=digests_otherwise(content_digest(other)))
        because = f"the digest is that of another body; this one has {len(content)} bytes"
        expect_refusal("offblocks.digest.mismatch-refused", answer, because)


@verifies("offblocks.response.same-value-accepted")
def test_a_digest_may_be_written_otherwise(tenant: Tenant) -> None:
    """When customers are created with other forms of the right digest that structured fields allow."""
    for number in range(2):
        content = json.dumps(new_customer(tenant)).encode()
        same = near.sequences_of_bytes(base64_in(content_digest(content)))[number]
        form = writes_digest_otherwise(f"sha-256=:{same.value}:")
        answer = tenant.create(body=None, content=content, deviation=form)
        expect_same("offblocks.response.same-value-accepted", answer, same)
    content = json.dumps(new_customer(tenant)).encode()
    digests = f"{content_digest(content)}, length=:{base64.b64encode(str(len(content)).encode()).decode()}:"
    if tenant.create(body=None, content=content, deviation=writes_digest_otherwise(digests)).response.succeeded:
        answer = tenant.create(tenant.new_wallet(), deviation=digests_twice(lines=1))
        both, clause = answer.request.header("Content-Digest") or "", "RFC 9530, 2: the key names the algorithm"
        same = near.SameValue("two digests in the other order", both, clause)
        expect_same("offblocks.response.same-value-accepted", answer, same)
    if tenant.create(tenant.new_wallet(), deviation=digests_twice(lines=1)).response.succeeded:
        answer = tenant.create(tenant.new_wallet(), deviation=digests_twice(lines=2))
        same = near.SameValue(
            "two digests in two lines", answer.request.header("Content-Digest") or "", "RFC 9110, 5.3"
        )
        expect_same("offblocks.response.same-value-accepted", answer, same)
        answer = tenant.create(tenant.new_wallet(), deviation=digests_twice(lines=1, between=","))
        same = near.SameValue(
            "no blank between two digests", answer.request.header("Content-Digest") or "", "RFC 8941, 4.2.2"
        )
        expect_same("offblocks.response.same-value-accepted", answer, same)


def new_customer(tenant: Tenant) -> dict[str, str]:
    """The body of a creation."""
    return {"chainId": tenant.new_wallet().account_id, "externalId": tenant.new_external_id()}


def base64_in(digest: str) -> str:
    """The base64 in the value of a Content-Digest with one digest."""
    return digest.partition(":")[2].removesuffix(":")


@verifies("offblocks.digest.mismatch-refused")
def test_a_wrong_digest_is_refused_beside_one_of_an_unknown_algorithm(tenant: Tenant) -> None:
    """When customers are created with the digest of another body, before or behind one of an unknown algorithm."""
    wrong, unknown = content_digest(OTHER_BODY), "id-length=:MTE2:"
    for digests in ((unknown, wrong), (wrong, unknown)):
        answer = tenant.create(tenant.new_wallet(), deviation=digests_otherwise(", ".join(digests)))
        because = "the one digest of a known algorithm is another body's"
        expect_refusal("offblocks.digest.mismatch-refused", answer, because)


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
        customer = tenant.verifying(owner).id
        answer = tenant.simulate(outcome, customer)
        if not answer.response.succeeded:
            tenant.require_pending(customer)
        expect(
            "offblocks.digest.none-on-simulator",
            answer.response.succeeded,
            where="response status",
            expected="a success",
            got=answer.response.status,
            exchange=answer,
        )
