"""Tokens, and the key that requests are signed with."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from conformance.clock import Clock
from conformance.exchange import Exchange
from conformance.offblocks.deviations import rules
from conformance.offblocks.messages import issued_token
from conformance.offblocks.suite.effects import expect_customers
from conformance.offblocks.suite.operations import guarded
from conformance.offblocks.suite.tenant import CLOCKS_APART, Tenant
from conformance.offblocks.wallet import Wallet
from conformance.scenario import expect, expect_reading, expect_status, needs, step_failed, verifies, waits
from conformance.standards.message_signatures import key_from_seed, public_pem
from conformance.targets import Subject

LONGEST = timedelta(hours=2)
"""How long a token may live whose end a test waits for."""
WITHOUT_TOKEN = rules("sends-token")


# --------------------------------------------------------------------------------------------------- obtaining tokens


@verifies("offblocks.authentication.token-issued", "offblocks.authentication.token-lives-an-hour")
def test_right_credentials_are_given_a_token_for_an_hour(tenant: Tenant) -> None:
    """Given a tenant, when it asks for a token."""
    answer = tenant.ask_token()
    expect(
        "offblocks.authentication.token-issued",
        answer.response.status == HTTPStatus.OK and issued_token(answer.response) is not None,
        where="response",
        expected="200 with token and expiresAt",
        got=f"{answer.response.status} with {', '.join(answer.response.members()) or 'no members'}",
        exchange=answer,
    )
    if issued_token(answer.response) is None:
        step_failed("A token was to be issued", answer)


@verifies("offblocks.authentication.wrong-secret-is-401")
def test_wrong_credentials_are_given_no_token(tenant: Tenant) -> None:
    """Given a tenant, when it asks for a token with another secret, and with a key that nobody has."""
    for wrong in ({"api_secret": tenant.ids.draw(20).hex()}, {"api_key": str(tenant.ids.uuid())}):
        expect_status("offblocks.authentication.wrong-secret-is-401", tenant.ask_token(**wrong), 401)


# ------------------------------------------------------------------------------------------------------- using tokens


@verifies("offblocks.authentication.missing-token-is-401")
def test_a_missing_token_is_refused(tenant: Tenant, wallet: Wallet, subject: Subject) -> None:
    """Given a customer, when each operation is called without Authorization."""
    customer = tenant.onboard(wallet)
    for call in guarded(tenant, customer).values():
        answer = call(authorization=None, breaks=WITHOUT_TOKEN)
        expect_status("offblocks.authentication.missing-token-is-401", answer, 401)
    if subject.disposable:
        for answer in (
            register(tenant, another_key(subject), authorization=None, breaks=WITHOUT_TOKEN),
            remove_key(tenant, authorization=None, breaks=WITHOUT_TOKEN),
        ):
            expect_status("offblocks.authentication.missing-token-is-401", answer, 401)


@verifies("offblocks.authentication.malformed-token-is-401")
def test_a_malformed_token_is_refused(tenant: Tenant, wallet: Wallet) -> None:
    """Given a customer, when each operation is called with a text for a token, and one with another scheme."""
    customer = tenant.onboard(wallet)
    answers = [
        call(authorization="Bearer not-a-token", breaks=WITHOUT_TOKEN) for call in guarded(tenant, customer).values()
    ]
    basic = base64.b64encode(b"user:password").decode()
    answers.append(tenant.customers(authorization=f"Basic {basic}", breaks=WITHOUT_TOKEN))
    for answer in answers:
        expect_status("offblocks.authentication.malformed-token-is-401", answer, 401)


@verifies("offblocks.authentication.foreign-token-is-401")
def test_a_forged_token_is_refused(tenant: Tenant, wallet: Wallet) -> None:
    """Given a customer, when operations are called with the tenant's token, signed by somebody else or not at all."""
    customer = tenant.onboard(wallet)
    _, _, token = tenant.authorization().partition(" ")
    forged, unsigned = forgeries(token, secret=tenant.ids.draw(32))
    answers = [
        call(authorization=f"Bearer {forged}", breaks=WITHOUT_TOKEN) for call in guarded(tenant, customer).values()
    ]
    answers.append(tenant.customers(authorization=f"Bearer {unsigned}", breaks=WITHOUT_TOKEN))
    for answer in answers:
        expect_status("offblocks.authentication.foreign-token-is-401", answer, 401)


@waits
@verifies("offblocks.authentication.expired-token-is-401")
def test_an_expired_token_is_refused(tenant: Tenant, wallet: Wallet, clock: Clock) -> None:
    """Given a token whose expiresAt has passed, when each operation is called with it."""
    asked = tenant.ask_token()
    issued = issued_token(asked.response) or step_failed("A token was to be issued", asked)
    lifetime = issued[1] - asked.at
    if lifetime <= timedelta():
        step_failed(f"A token was to be issued that is good for a while, its end was {-lifetime} ago", asked)
    if lifetime > LONGEST:
        needs(f"a token whose end can be waited for, within {LONGEST}; this one is good for {lifetime}")
    clock.advance(lifetime + CLOCKS_APART)
    customer = tenant.onboard(wallet)
    for call in guarded(tenant, customer).values():
        answer = call(authorization=f"Bearer {issued[0]}", breaks=rules("renews-token-in-time"))
        expect_status("offblocks.authentication.expired-token-is-401", answer, 401)


@verifies("offblocks.authentication.refusal-has-no-effect")
def test_a_creation_without_a_good_token_has_no_effect(tenant: Tenant, wallet: Wallet) -> None:
    """Given a tenant, when it creates customers without a token and with a malformed one, and lists its customers."""
    external_ids = [tenant.new_external_id(), tenant.new_external_id()]
    tenant.create(wallet, external_ids[0], authorization=None, breaks=WITHOUT_TOKEN)
    tenant.create(wallet, external_ids[1], authorization="Bearer not-a-token", breaks=WITHOUT_TOKEN)
    expect_customers("offblocks.authentication.refusal-has-no-effect", tenant, external_ids, at_most=0)


def forgeries(token: str, *, secret: bytes) -> Iterator[str]:
    """The claims of `token`, signed with another secret, and not signed (RFC 7519 section 6)."""
    claims = token.split(".")[1] if token.count(".") == 2 else base64url(b"{}")  # noqa: PLR2004
    signed = f"{header('HS256')}.{claims}"
    yield f"{signed}.{base64url(hmac.digest(secret, signed.encode(), hashlib.sha256))}"
    yield f"{header('none')}.{claims}."


def header(algorithm: str) -> str:
    """The header of a token that says which algorithm signed it."""
    return base64url(json.dumps({"alg": algorithm, "typ": "JWT"}).encode())


def base64url(data: bytes) -> str:
    """`data` in the base64 of tokens (RFC 7515 section 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


# ------------------------------------------------------------------------------------------------------- signing keys


@verifies("offblocks.authentication.key-registration-unsigned")
def test_registering_a_key_without_a_signature_follows_a_reading(tenant: Tenant, subject: Subject) -> None:
    """Given a tenant, when it registers another signing key by a request with a token and nothing else."""
    require_disposable(subject)
    answer = register(tenant, another_key(subject))
    status = answer.response.status
    reading = "token-suffices" if answer.response.succeeded else "refused" if status in range(400, 500) else None
    expect_reading(
        "offblocks.authentication.key-registration-unsigned",
        reading,
        where="response status",
        expected="success or a refusal",
        got=status,
        exchange=answer,
    )


@verifies("offblocks.authentication.registered-key-signs")
def test_a_registered_key_signs(tenant: Tenant, subject: Subject) -> None:
    """Given a newly registered key, when a request is signed with it."""
    use_another_key(tenant, subject)
    expect_status("offblocks.authentication.registered-key-signs", tenant.customers(), 200)


@verifies("offblocks.authentication.removed-key-refused")
def test_a_removed_key_is_refused(tenant: Tenant, subject: Subject) -> None:
    """Given a removed key, when a request is signed with it."""
    use_another_key(tenant, subject)
    removal = remove_key(tenant)
    if not removal.response.succeeded:
        removal = remove_key(tenant, signed=True, key=tenant.new_key())
    if not removal.response.succeeded:
        step_failed("The signing key was to be removed", removal)
    answer = tenant.customers(breaks=rules("signature-verifies"))
    expect_status("offblocks.authentication.removed-key-refused", answer, 400, 401)


def require_disposable(subject: Subject) -> None:
    """Stop unless the credentials are the test's own.

    Raises:
        NeedError: If they are not.
    """
    if not subject.disposable:
        needs("credentials that may be replaced, as only the reference sandbox gives them")


def another_key(subject: Subject) -> ec.EllipticCurvePrivateKey:
    """A key that is not registered yet."""
    return key_from_seed(subject.ids.child("another key").draw(64))


def register(tenant: Tenant, signing_key: ec.EllipticCurvePrivateKey, **options: Any) -> Exchange:
    """Register the public part of a key, with a token alone unless told otherwise; `options` as for `Tenant.send`."""
    body = {"publicKey": base64.b64encode(public_pem(signing_key).encode()).decode()}
    return tenant.send("PUT", "/v1/auth/signing", body=body, **{"signed": False, **options})


def remove_key(tenant: Tenant, **options: Any) -> Exchange:
    """Remove the registered key, with a token alone unless told otherwise; `options` as for `Tenant.send`."""
    return tenant.send("DELETE", "/v1/auth/signing", **{"signed": False, **options})


def use_another_key(tenant: Tenant, subject: Subject) -> None:
    """Register another key and sign with it from now on.

    Raises:
        NeedError: If the credentials must stay, or the answer does not show the key's id where the suite looks for it.
        StepFailedError: If the key is not taken, or its id cannot stand in a signature.
    """
    require_disposable(subject)
    key = another_key(subject)
    answer = register(tenant, key)
    if not answer.response.succeeded:
        answer = register(tenant, key, signed=True, key=tenant.new_key())
    if not answer.response.succeeded:
        step_failed("A signing key was to be registered", answer)
    key_id = answer.response.members().get("keyId")
    if not isinstance(key_id, str):
        needs("an answer that shows the id of a registered key as keyId; no visible document names the member")
    tenant.use_key(replace(tenant.credentials, signing_key=key, signing_key_id=key_id))
