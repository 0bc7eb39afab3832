"""The signing keys that a client of the API registers and removes."""

import base64
from dataclasses import replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from conformance.exchange import Exchange
from conformance.offblocks.client import Credentials
from conformance.offblocks.suite.tenant import Tenant
from conformance.scenario import needs, step_failed
from conformance.standards.message_signatures import key_from_seed, public_pem
from conformance.targets import Subject


def require_disposable(subject: Subject) -> None:
    """Stop unless the credentials are the test's own.

    Raises:
        NeedError: If they are not.
    """
    if not subject.disposable:
        needs("credentials that may be replaced, as only the reference sandbox gives them")


def another_key(subject: Subject, whose: str = "") -> ec.EllipticCurvePrivateKey:
    """A key that is not registered yet; another one for each name that says whose it is."""
    return key_from_seed(subject.ids.child(f"another key {whose}".rstrip()).draw(64))


def register(tenant: Tenant, signing_key: ec.EllipticCurvePrivateKey, **options: Any) -> Exchange:
    """Register the public part of a key, with a token alone unless told otherwise; `options` as for `Tenant.send`."""
    body = {"publicKey": base64.b64encode(public_pem(signing_key).encode()).decode()}
    return tenant.send("PUT", "/v1/auth/signing", body=body, **{"signed": False, **options})


def remove_key(tenant: Tenant, **options: Any) -> Exchange:
    """Remove the registered key, with a token alone unless told otherwise; `options` as for `Tenant.send`."""
    return tenant.send("DELETE", "/v1/auth/signing", **{"signed": False, **options})


def use_another_key(tenant: Tenant, subject: Subject, key: ec.EllipticCurvePrivateKey) -> Credentials:
    """Register a key and sign with it from now on; gives the credentials with it.

    Raises:
        NeedError: If the credentials must stay, or the answer does not show the key's id where the suite looks for it.
        StepFailedError: If the key is not taken, or its id cannot stand in a signature.
    """
    require_disposable(subject)
    answer = register(tenant, key)
    if not answer.response.succeeded:
        answer = register(tenant, key, signed=True, key=tenant.new_key())
    if not answer.response.succeeded:
        step_failed("A signing key was to be registered", answer)
    key_id = answer.response.members().get("keyId")
    if not isinstance(key_id, str):
        needs("an answer that shows the id of a registered key as keyId; no visible document names the member")
    credentials = replace(tenant.credentials, signing_key=key, signing_key_id=key_id)
    tenant.use_key(credentials)
    return credentials
