"""Request signatures that are taken or refused wrongly."""

import base64
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from conformance.exchange import Request
from conformance.offblocks.sandbox import Call, OffBlocks, Reason, Refused, Tenant
from conformance.sandbox.faults import Fault, Variation
from conformance.standards import message_signatures
from conformance.standards.message_signatures import SignatureRejected

_BINDING = (
    "offblocks.signature.binds-body",
    "offblocks.signature.binds-method",
    "offblocks.signature.binds-path",
    "offblocks.signature.binds-query",
    "offblocks.signature.binds-covered-fields",
    "offblocks.signature.wrong-key-refused",
)


def _covered(request: Request) -> tuple[str, ...]:
    """What the first signature says that it covers."""
    return message_signatures.declared_signatures(request.headers)[0][0].components


def _with_header(request: Request, name: str, value: str) -> Request:
    """The request with another value of a header."""
    headers = [(key, value if key.lower() == name else before) for key, before in request.headers]
    return replace(request, headers=tuple(headers))


class RefusesToBeRead(Fault, OffBlocks):
    """Refuses the signature of every GET."""

    breaks = ("offblocks.signature.right-one-accepted",)

    def check_request_signature(self, call: Call) -> None:
        """Refuse a GET."""
        if call.request.method == "GET":
            raise Refused(Reason.REQUEST_SIGNATURE, "The signature does not verify.")
        super().check_request_signature(call)


class WantsTheLabelSig(Fault, OffBlocks):
    """Takes only signatures with the label ``sig``."""

    breaks = (
        "offblocks.signature.any-order-and-label",
        "offblocks.signature.right-one-accepted",
        "offblocks.customer.created-with-201",
    )

    def check_request_signature(self, call: Call) -> None:
        """Refuse another label."""
        if not (call.request.header("signature") or "sig=").startswith("sig="):
            raise Refused(Reason.REQUEST_SIGNATURE, "There is no signature with the label sig.")
        super().check_request_signature(call)


class AcceptsMissingSignature(Fault, OffBlocks):
    """Verifies a signature only if there is one."""

    breaks = ("offblocks.signature.missing-refused", "offblocks.signature.refusal-has-no-effect")

    def check_request_signature(self, call: Call) -> None:
        """Let a request without a signature pass."""
        if call.request.header("signature") is not None:
            super().check_request_signature(call)


class AcceptsAnySignature(Fault, OffBlocks):
    """Takes any signature that names a registered key and has the right form."""

    breaks = (*_BINDING, "offblocks.signature.refusal-has-no-effect")

    def verify_request_signature(self, tenant: Tenant, request: Request) -> tuple[str, ...]:
        """What is said to be covered, also where the signature does not verify."""
        try:
            return super().verify_request_signature(tenant, request)
        except SignatureRejected as rejection:
            if rejection.reason is message_signatures.Reason.MISMATCH:
                return _covered(request)
            raise


class AcceptsTheSignatureOfAnotherMethod(Fault, OffBlocks):
    """Takes a signature that verifies for any method."""

    breaks = ("offblocks.signature.binds-method",)

    def verify_request_signature(self, tenant: Tenant, request: Request) -> tuple[str, ...]:
        """What is covered, if the signature verifies for one of the methods."""
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            with suppress(SignatureRejected):
                return super().verify_request_signature(tenant, replace(request, method=method))
        return super().verify_request_signature(tenant, request)


class AcceptsTheSignatureOfTheParentPath(Fault, OffBlocks):
    """Takes the signature of a path for what is below it too."""

    breaks = ("offblocks.signature.binds-path",)

    def verify_request_signature(self, tenant: Tenant, request: Request) -> tuple[str, ...]:
        """What is covered, if the signature verifies for the path or the one above."""
        with suppress(SignatureRejected):
            return super().verify_request_signature(tenant, request)
        return super().verify_request_signature(tenant, replace(request, url=request.url.rpartition("/")[0]))


class TrustsAQueryThatIsNotThere(Fault, OffBlocks):
    """Does not verify a signature that covers a query where none was sent."""

    breaks = ("offblocks.signature.binds-query",)

    def verify_request_signature(self, tenant: Tenant, request: Request) -> tuple[str, ...]:
        """What is said to be covered, if that is a query which is not there."""
        if not request.query and '"@query"' in (request.header("signature-input") or ""):
            return _covered(request)
        return super().verify_request_signature(tenant, request)


class DropsTheCharset(Fault, OffBlocks):
    """Verifies signatures after cutting the parameters off Content-Type."""

    breaks = ("offblocks.signature.binds-covered-fields",)

    def verify_request_signature(self, tenant: Tenant, request: Request) -> tuple[str, ...]:
        """What is covered by the signature of the request without the parameters."""
        media_type, _, _ = (request.header("content-type") or "").partition(";")
        return super().verify_request_signature(tenant, _with_header(request, "content-type", media_type))


class AcceptsUnknownKeyId(Fault, OffBlocks):
    """Verifies with the tenant's key whatever key id is named."""

    breaks = ("offblocks.signature.unknown-key-id-refused",)

    def signing_key_for(self, tenant: Tenant, key_id: str) -> message_signatures.PublicKey | None:
        """The only key."""
        del key_id
        return next(iter(tenant.signing_keys.values()), None)


class AcceptsTheKeysOfAllClients(Fault, OffBlocks):
    """Looks a key id up among the keys of all tenants."""

    breaks = ("offblocks.signature.other-clients-key-refused",)

    def signing_key_for(self, tenant: Tenant, key_id: str) -> message_signatures.PublicKey | None:
        """The key of whoever registered it."""
        del tenant
        found = (each.signing_keys.get(key_id) for each in self.tenants.values())
        return next((key for key in found if key is not None), None)


class AcceptsHmacWithThePublicKey(Fault, OffBlocks):
    """Lets the signature choose the algorithm, and takes the public key's text for the secret of HMAC."""

    breaks = ("offblocks.signature.other-algorithm-refused",)

    def verify_request_signature(self, tenant: Tenant, request: Request) -> tuple[str, ...]:
        """What is covered, by HMAC if that is declared."""
        if 'alg="hmac-sha256"' not in (request.header("signature-input") or ""):
            return super().verify_request_signature(tenant, request)
        return message_signatures.verify(
            request.method,
            request.url,
            request.headers,
            key_for=lambda key_id: message_signatures.public_pem(tenant.signing_keys[key_id]).encode(),
            now=self.now(),
            algorithms=("hmac-sha256",),
        ).components


class AcceptsDer(Fault, OffBlocks):
    """Takes ECDSA signatures in DER."""

    breaks = ("offblocks.signature.der-form-refused",)

    def verify_request_signature(self, tenant: Tenant, request: Request) -> tuple[str, ...]:
        """What is covered, after a signature in DER was brought into the right form."""
        label, _, value = (request.header("signature") or "").partition("=")
        with suppress(ValueError):
            r, s = decode_dss_signature(base64.b64decode(value.strip(":")))
            raw = base64.b64encode(r.to_bytes(48, "big") + s.to_bytes(48, "big")).decode()
            request = _with_header(request, "signature", f"{label}=:{raw}:")
        return super().verify_request_signature(tenant, request)


class AcceptsSignaturesOfNothing(Fault, OffBlocks):
    """Does not ask what a signature covers."""

    breaks = ("offblocks.signature.covering-nothing-refused",)

    def uncovered(self, request: Request, covered: Sequence[str]) -> tuple[str, ...]:
        """Nothing, so that any coverage will do."""
        del request, covered
        return ()


class AcceptsStaleSignature(Fault, OffBlocks):
    """Takes signatures however old they are."""

    breaks = ("offblocks.signature.stale-refused",)

    def signature_max_age(self) -> timedelta | None:
        """None."""
        return None


class AcceptsSignatureOfTheFuture(Fault, OffBlocks):
    """Takes signatures that are yet to be made."""

    breaks = ("offblocks.signature.future-refused",)

    def signature_max_ahead(self) -> timedelta | None:
        """None."""
        return None


class RefusesSignaturesWith403(Fault, OffBlocks):
    """Refuses a signature with a status that no document lists."""

    breaks = (
        *_BINDING,
        "offblocks.signature.refusal-status",
        "offblocks.signature.missing-refused",
        "offblocks.signature.unknown-key-id-refused",
        "offblocks.signature.other-clients-key-refused",
        "offblocks.signature.other-algorithm-refused",
        "offblocks.authentication.removed-key-refused",
        "offblocks.response.status-documented",
    )

    def refusal_status(self, reason: Reason) -> int:
        """403 for a request signature."""
        return 403 if reason is Reason.REQUEST_SIGNATURE else super().refusal_status(reason)


class RefusesSignaturesWith400(Variation, OffBlocks):
    """Refuses a signature with 400."""

    permits = "The error table of Idempotency words a 400 as an invalid request signature."

    def refusal_status(self, reason: Reason) -> int:
        """400 for a request signature."""
        return 400 if reason is Reason.REQUEST_SIGNATURE else super().refusal_status(reason)


class WantsFreshSignatures(Variation, OffBlocks):
    """Takes signatures of the last ten seconds only, and none without a time."""

    permits = "No visible document says how old a signature may be (Request Signatures)."

    def created_is_required(self) -> bool:
        """It is."""
        return True

    def signature_max_age(self) -> timedelta | None:
        """Ten seconds."""
        return timedelta(seconds=10)
