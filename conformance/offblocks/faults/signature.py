"""Request signatures that are taken or refused wrongly."""

import base64
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from urllib.parse import unquote, urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from conformance.exchange import Request
from conformance.offblocks.client import DEFAULT_COMPONENTS
from conformance.offblocks.sandbox import Call, OffBlocks, Reason, Refused, Tenant
from conformance.sandbox.faults import Fault, Variation
from conformance.standards import message_signatures
from conformance.standards.message_signatures import SignatureInput, SignatureRejected

_BINDING = (
    "offblocks.signature.binds-body",
    "offblocks.signature.binds-method",
    "offblocks.signature.binds-path",
    "offblocks.signature.binds-query",
    "offblocks.signature.binds-covered-fields",
    "offblocks.signature.wrong-key-refused",
)


_ORDER = ("created", "expires", "keyid", "alg", "nonce", "tag")
_PARAMETER = re.compile(f";({'|'.join(_ORDER)})=")
_SEVERAL = re.compile(r', *(?=[a-z*][a-z0-9_.*-]*=[(:])(?=(?:[^"]|"(?:[^"\\]|\\.)*")*$)')
"""What stands between two signatures in a header: a comma that is in no text, so that whole texts follow it alone."""


def _covered(request: Request) -> tuple[str, ...]:
    """What the first signature says that it covers."""
    return message_signatures.declared_signatures(request.headers)[0][0].components


def _with_header(request: Request, name: str, value: str) -> Request:
    """The request with another value of a header."""
    headers = [(key, value if key.lower() == name else before) for key, before in request.headers]
    return replace(request, headers=tuple(headers))


def _lines(request: Request, declared: SignatureInput) -> list[str]:
    """The lines of the signature base, the last of them the parameters."""
    return message_signatures.signature_base(request.method, request.url, request.headers, declared).split("\n")


class _BuildsItsOwnBase(OffBlocks):
    """Verifies signatures over a base that is built otherwise than the standard says."""

    def base(self, request: Request, declared: SignatureInput) -> list[str]:
        return _lines(request, declared)

    def hashes(self) -> tuple[hashes.HashAlgorithm, ...]:
        return (hashes.SHA384(),)

    def fits(self, tenant: Tenant, request: Request) -> bool:
        declared, signature = message_signatures.declared_signatures(request.headers)[0]
        key = self.signing_key_for(tenant, declared.key_id or "")
        if not isinstance(key, ec.EllipticCurvePublicKey):
            return False
        half = len(signature) // 2
        der = encode_dss_signature(*(int.from_bytes(part, "big") for part in (signature[:half], signature[half:])))
        for chosen in self.hashes():
            with suppress(InvalidSignature):
                key.verify(der, "\n".join(self.base(request, declared)).encode(), ec.ECDSA(chosen))
                return True
        return False


class _RefusesOtherBases(_BuildsItsOwnBase):
    """Refuses a right signature that does not fit its own base."""

    def verify_request_signature(self, tenant: Tenant, request: Request) -> tuple[str, ...]:
        covered = super().verify_request_signature(tenant, request)
        if not self.fits(tenant, request):
            raise SignatureRejected(message_signatures.Reason.MISMATCH, "The signature does not verify.")
        return covered


class _TakesItsOwnBase(_BuildsItsOwnBase):
    """Takes a wrong signature that fits its own base."""

    def verify_request_signature(self, tenant: Tenant, request: Request) -> tuple[str, ...]:
        try:
            return super().verify_request_signature(tenant, request)
        except SignatureRejected:
            if self.fits(tenant, request):
                return _covered(request)
            raise


class RefusesToBeRead(Fault, OffBlocks):
    """Refuses the signature of whoever reads a customer."""

    breaks = (
        "offblocks.signature.right-one-accepted",
        "offblocks.signature.base-by-the-standard",
        "offblocks.customer.readable",
        "offblocks.digest.none-on-get",
    )
    category = "F205"

    def check_request_signature(self, call: Call) -> None:
        if call.operation == "getCustomer":
            raise Refused(Reason.REQUEST_SIGNATURE, "The signature does not verify.")
        super().check_request_signature(call)


class WantsTheLabelSig(Fault, OffBlocks):
    """Takes only signatures with the label ``sig``."""

    breaks = ("offblocks.signature.any-label",)
    category = "F205"

    def check_request_signature(self, call: Call) -> None:
        if not (call.request.header("signature") or "sig=").startswith("sig="):
            raise Refused(Reason.REQUEST_SIGNATURE, "There is no signature with the label sig.")
        super().check_request_signature(call)


class AcceptsMissingSignature(Fault, OffBlocks):
    """Verifies a signature only if there is one."""

    breaks = ("offblocks.signature.missing-refused", "offblocks.signature.refusal-has-no-effect")

    def check_request_signature(self, call: Call) -> None:
        if call.request.header("signature") is not None:
            super().check_request_signature(call)


class AcceptsAnySignature(Fault, OffBlocks):
    """Takes any signature that names a registered key and has the right form."""

    breaks = (
        *_BINDING,
        "offblocks.signature.other-algorithm-refused",
        "offblocks.signature.refusal-has-no-effect",
    )

    def verify_request_signature(self, tenant: Tenant, request: Request) -> tuple[str, ...]:
        try:
            return super().verify_request_signature(tenant, request)
        except SignatureRejected as rejection:
            if rejection.reason is message_signatures.Reason.MISMATCH:
                return _covered(request)
            raise


class VerifiesEmptyRequestsOnly(Fault, OffBlocks):
    """Does not verify the signature of a request with a body, which was read before by something else."""

    breaks = (
        "offblocks.signature.binds-body",
        "offblocks.signature.binds-method",
        "offblocks.signature.binds-covered-fields",
        "offblocks.signature.wrong-key-refused",
        "offblocks.signature.other-algorithm-refused",
        "offblocks.signature.refusal-has-no-effect",
    )

    def verify_request_signature(self, tenant: Tenant, request: Request) -> tuple[str, ...]:
        try:
            return super().verify_request_signature(tenant, request)
        except SignatureRejected as rejection:
            if request.body and rejection.reason is message_signatures.Reason.MISMATCH:
                return _covered(request)
            raise


class AcceptsTheSignatureOfAnotherMethod(Fault, OffBlocks):
    """Takes a signature that verifies for any method."""

    breaks = ("offblocks.signature.binds-method",)

    def verify_request_signature(self, tenant: Tenant, request: Request) -> tuple[str, ...]:
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            with suppress(SignatureRejected):
                return super().verify_request_signature(tenant, replace(request, method=method))
        return super().verify_request_signature(tenant, request)


class AcceptsTheSignatureOfTheParentPath(Fault, OffBlocks):
    """Takes the signature of a path for what is below it too."""

    breaks = ("offblocks.signature.binds-path",)

    def verify_request_signature(self, tenant: Tenant, request: Request) -> tuple[str, ...]:
        with suppress(SignatureRejected):
            return super().verify_request_signature(tenant, request)
        return super().verify_request_signature(tenant, replace(request, url=request.url.rpartition("/")[0]))


class TrustsAQueryThatIsNotThere(Fault, OffBlocks):
    """Does not verify a signature that covers a query where none was sent."""

    breaks = ("offblocks.signature.binds-query",)

    def verify_request_signature(self, tenant: Tenant, request: Request) -> tuple[str, ...]:
        if not request.query and '"@query"' in (request.header("signature-input") or ""):
            return _covered(request)
        return super().verify_request_signature(tenant, request)


class DropsTheCharset(Fault, OffBlocks):
    """Verifies signatures after cutting the parameters off Content-Type."""

    breaks = ("offblocks.signature.binds-covered-fields",)

    def verify_request_signature(self, tenant: Tenant, request: Request) -> tuple[str, ...]:
        media_type, _, _ = (request.header("content-type") or "").partition(";")
        return super().verify_request_signature(tenant, _with_header(request, "content-type", media_type))


class AcceptsUnknownKeyId(Fault, OffBlocks):
    """Verifies with the tenant's key whatever key id is named."""

    breaks = ("offblocks.signature.unknown-key-id-refused",)

    def signing_key_for(self, tenant: Tenant, key_id: str) -> message_signatures.PublicKey | None:
        return next(iter(tenant.signing_keys.values()), None)


class AcceptsTheKeysOfAllClients(Fault, OffBlocks):
    """Looks a key id up among the keys of all tenants."""

    breaks = ("offblocks.signature.other-clients-key-refused",)

    def signing_key_for(self, tenant: Tenant, key_id: str) -> message_signatures.PublicKey | None:
        found = (each.signing_keys.get(key_id) for each in self.tenants.values())
        return next((key for key in found if key is not None), None)


class SharesAKeyCache(Fault, OffBlocks):
    """Remembers the keys that signatures were verified with by their ids, for all clients together."""

    breaks = ("offblocks.signature.other-clients-key-refused",)

    def signing_key_for(self, tenant: Tenant, key_id: str) -> message_signatures.PublicKey | None:
        cache: dict[str, message_signatures.PublicKey | None] = self.__dict__.setdefault("key_cache", {})
        if cache.get(key_id) is None:
            cache[key_id] = super().signing_key_for(tenant, key_id)
        return cache[key_id]


class SkipsAlgorithmsItDoesNotKnow(Fault, OffBlocks):
    """Does not verify a signature on another curve than its own."""

    breaks = ("offblocks.signature.other-algorithm-refused",)

    def verify_request_signature(self, tenant: Tenant, request: Request) -> tuple[str, ...]:
        try:
            return super().verify_request_signature(tenant, request)
        except SignatureRejected as rejection:
            if rejection.reason is message_signatures.Reason.WRONG_ALGORITHM:
                return _covered(request)
            raise


class AcceptsOtherHashes(Fault, _TakesItsOwnBase):
    """Takes ECDSA signatures made with SHA-256 or SHA-512."""

    breaks = ("offblocks.signature.other-algorithm-refused",)

    def base(self, request: Request, declared: SignatureInput) -> list[str]:
        return _lines(request, declared)

    def hashes(self) -> tuple[hashes.HashAlgorithm, ...]:
        return hashes.SHA256(), hashes.SHA512()


class TakesLabelsForOrnament(Fault, OffBlocks):
    """Checks the signature of one label against the input of another."""

    breaks = ("offblocks.signature.missing-refused",)

    def verify_request_signature(self, tenant: Tenant, request: Request) -> tuple[str, ...]:
        label = (request.header("signature-input") or "").partition("=")[0]
        value = (request.header("signature") or "").partition("=")[2]
        return super().verify_request_signature(tenant, _with_header(request, "signature", f"{label}={value}"))


class AcceptsRepeatedComponents(Fault, _TakesItsOwnBase):
    """Takes a signature that covers a component twice."""

    breaks = ("offblocks.signature.repeated-component-refused",)

    def base(self, request: Request, declared: SignatureInput) -> list[str]:
        once = tuple(dict.fromkeys(declared.components))
        lines = dict(zip(once, _lines(request, replace(declared, components=once)), strict=False))
        return [*(lines[component] for component in declared.components), f'"@signature-params": {declared.text}']


class BuildsTheBaseInItsOwnOrder(Fault, _RefusesOtherBases):
    """Builds the signature base in its own order, whatever order is declared."""

    breaks = (
        "offblocks.signature.any-order-and-label",
        "offblocks.signature.base-by-the-standard",
        "offblocks.signature.right-one-accepted",
        "offblocks.customer.created-with-201",
    )
    category = "F205"

    def base(self, request: Request, declared: SignatureInput) -> list[str]:
        own = sorted(declared.components, key=(*DEFAULT_COMPONENTS, *declared.components).index)
        return _lines(request, replace(declared, components=tuple(own)))


class TakesAnAbsentQueryForEmpty(Fault, _RefusesOtherBases):
    """Builds the base with nothing in the place of a query that is absent, where the standard has a question mark."""

    breaks = ("offblocks.signature.base-by-the-standard", "offblocks.signature.right-one-accepted")
    category = "F205"

    def base(self, request: Request, declared: SignatureInput) -> list[str]:
        return [line if line != '"@query": ?' else '"@query": ' for line in _lines(request, declared)]


class DecodesThePathBeforeVerifying(Fault, _RefusesOtherBases):
    """Builds the base with the path as its router has decoded it."""

    breaks = ("offblocks.signature.base-by-the-standard",)
    category = "F205"

    def base(self, request: Request, declared: SignatureInput) -> list[str]:
        path = urlsplit(request.url).path
        return [line.replace(path, unquote(path)) for line in _lines(request, declared)]


class TakesTheLastOfDoubledLines(Fault, OffBlocks):
    """Verifies the last line of a header that comes twice, and goes by the first."""

    breaks = ("offblocks.signature.binds-covered-fields",)

    def verify_request_signature(self, tenant: Tenant, request: Request) -> tuple[str, ...]:
        last = {name.lower(): (name, value) for name, value in request.headers}
        return super().verify_request_signature(tenant, replace(request, headers=tuple(last.values())))


class AcceptsHmacWithThePublicKey(Fault, OffBlocks):
    """Lets the signature choose the algorithm, and takes the public key's text for the secret of HMAC."""

    breaks = ("offblocks.signature.other-algorithm-refused",)

    def verify_request_signature(self, tenant: Tenant, request: Request) -> tuple[str, ...]:
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
        return ()


class AcceptsStaleSignature(Fault, OffBlocks):
    """Takes signatures however old they are."""

    breaks = ("offblocks.signature.stale-refused",)

    def signature_max_age(self) -> timedelta | None:
        return None


class AcceptsSignatureOfTheFuture(Fault, OffBlocks):
    """Takes signatures that are yet to be made."""

    breaks = ("offblocks.signature.future-refused",)

    def signature_max_ahead(self) -> timedelta | None:
        return None


class RefusesSignaturesWith422(Fault, OffBlocks):
    """Refuses a signature with a status that no document lists."""

    breaks = ("offblocks.signature.refusal-status", "offblocks.response.status-documented")

    def refusal_status(self, reason: Reason) -> int:
        return 422 if reason is Reason.REQUEST_SIGNATURE else super().refusal_status(reason)


class RefusesSignaturesWith403(Variation, OffBlocks):
    """Refuses a signature with 403, which stops it all the same."""

    permits = "The pages disagree on the status of a wrong signature, and none says that another one lets it in."

    def refusal_status(self, reason: Reason) -> int:
        return 403 if reason is Reason.REQUEST_SIGNATURE else super().refusal_status(reason)


class RefusesSignaturesWith400(Variation, OffBlocks):
    """Refuses a signature with 400."""

    permits = "The error table of Idempotency words a 400 as an invalid request signature."

    def refusal_status(self, reason: Reason) -> int:
        return 400 if reason is Reason.REQUEST_SIGNATURE else super().refusal_status(reason)


class WantsFreshSignatures(Variation, OffBlocks):
    """Takes signatures of the last ten seconds only, and none without a time."""

    permits = "No visible document says how old a signature may be (Request Signatures)."

    def created_is_required(self) -> bool:
        return True

    def signature_max_age(self) -> timedelta | None:
        return timedelta(seconds=10)


class VerifiesOneOfSeveralSignatures(Variation, OffBlocks):
    """Takes a request of several signatures if one of them verifies."""

    permits = "RFC 9421, section 4.3, leaves it to the application which of several signatures are needed."

    def verify_request_signature(self, tenant: Tenant, request: Request) -> tuple[str, ...]:
        inputs, signatures = (
            {member.partition("=")[0]: member for member in _SEVERAL.split(request.header(name) or "")}
            for name in ("signature-input", "signature")
        )
        pairs = [(one, signatures.get(label, "")) for label, one in inputs.items()]
        alone = [_with_header(_with_header(request, "signature-input", one), "signature", two) for one, two in pairs]
        for single in alone[:-1]:
            with suppress(SignatureRejected):
                return super().verify_request_signature(tenant, single)
        return super().verify_request_signature(tenant, alone[-1])


class LooksAtTheKeyBeforeTheSignature(Variation, OffBlocks):
    """Refuses a wrong Idempotency-Key or body before it looks at the signature."""

    permits = "No document says which of several faults of one request is answered (Idempotency, Authentication)."

    def check_request_signature(self, call: Call) -> None:
        self.check_idempotency_key(call)
        if call.request.header("content-digest") is not None:
            self.check_digest(call)
        super().check_request_signature(call)


class LooksForTheCustomerFirst(Variation, OffBlocks):
    """Answers 404 for a customer that does not exist before it looks at signature, key and digest."""

    permits = "No document says which of several faults of one request is answered (Customer Creation, Authentication)."

    def check_request_signature(self, call: Call) -> None:
        if "customerId" in call.parameters:
            self.find_customer(call)
        super().check_request_signature(call)


class LooksKeysUpByTheStartOfTheirIds(Fault, OffBlocks):
    """Finds a signing key by the first eight characters of its id."""

    breaks = ("offblocks.signature.unknown-key-id-refused",)

    def signing_key_for(self, tenant: Tenant, key_id: str) -> message_signatures.PublicKey | None:
        return next((key for own, key in tenant.signing_keys.items() if own[:8] == key_id[:8]), None)


class ReadsParametersToTheLetter(Fault, OffBlocks):
    """Signs what Signature-Input says as it is written, and not in the strict form of RFC 8941."""

    breaks = ("offblocks.signature.base-by-the-standard", "offblocks.signature.right-one-accepted")

    def check_request_signature(self, call: Call) -> None:
        if "( " in (call.request.header("Signature-Input") or ""):
            raise Refused(Reason.REQUEST_SIGNATURE, "The signature does not verify.")
        super().check_request_signature(call)


class WritesParametersInItsOwnOrder(Fault, OffBlocks):
    """Builds the signed text with the parameters of a signature in the order in which it would have sent them."""

    breaks = ("offblocks.signature.any-order-and-label", "offblocks.signature.right-one-accepted")

    def check_request_signature(self, call: Call) -> None:
        parameters = _PARAMETER.findall(call.request.header("Signature-Input") or "")
        if parameters != sorted(parameters, key=_ORDER.index):
            raise Refused(Reason.REQUEST_SIGNATURE, "The signature does not verify.")
        super().check_request_signature(call)
