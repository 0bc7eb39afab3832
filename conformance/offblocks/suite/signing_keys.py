"""The signing keys that a client of the API registers and removes."""

import base64
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from conformance.exchange import Exchange
from conformance.offblocks.suite.tenant import Tenant
from conformance.scenario import needs
from conformance.standards.message_signatures import key_from_seed, public_pem
from conformance.targets import Subject


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
