"""Signatures of requests, by the keys that clients register."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from conformance.diagnosis.form import Diagnosis, Mistake
from conformance.diagnosis.request import Rules, diagnose_request
from conformance.diagnosis.search import MODEST
from conformance.diagnosis.texts import cause_of_rejection
from conformance.diagnosis.ways import KnownKey
from conformance.exchange import Request
from conformance.offblocks import request_signing
from conformance.offblocks.messages import DOCUMENTED_HOSTS
from conformance.offblocks.sandbox.base import Decisions
from conformance.offblocks.sandbox.state import Call, Reason, Refused, Tenant
from conformance.standards import message_signatures
from conformance.standards.message_signatures import ECDSA_P384_SHA384, SignatureRejected

_OF_AGE = {
    message_signatures.Reason.TOO_OLD,
    message_signatures.Reason.IN_THE_FUTURE,
    message_signatures.Reason.EXPIRED,
}
_OF_THE_SIGNATURE = set(message_signatures.Reason) - {
    *_OF_AGE,
    message_signatures.Reason.CREATED_MISSING,
    message_signatures.Reason.COMPONENT_MISSING,
    message_signatures.Reason.REPLAYED,
    message_signatures.Reason.UNKNOWN_KEY,
}
"""Why a signature is refused that was made or written wrongly."""

_SAID_BY_REJECTION = [(Mistake(name),) for name in ("unsigned", "signature-missing", "signature-input-missing")]
_UNEXPLAINED = (
    "No mistake that is known explains it: another key signed than the one that is registered, or something else was "
    "signed than this, which was expected:"
)
_FURTHER = "`conformance explain request` looks for two mistakes at once."


class SignatureDecisions(Decisions):
    """Which signature of a request is accepted."""

    def check_request_signature(self, call: Call) -> None:
        """Refuse a request that its tenant did not sign as it is (Request Signatures)."""
        try:
            covered = self.verify_request_signature(call.tenant, call.request)
        except SignatureRejected as rejection:
            raise Refused(Reason.REQUEST_SIGNATURE, self.explain_rejection(call, rejection)) from rejection
        missing = self.uncovered(call.request, covered)
        if missing:
            raise Refused(
                Reason.REQUEST_SIGNATURE,
                f"The signature must also cover {', '.join(missing)}. It covers: {', '.join(covered) or 'nothing'}.",
            )

    def explain_rejection(self, call: Call, rejection: SignatureRejected) -> str:
        """Why a signature is refused, with the mistake that was made, if one that is known explains it."""
        if not self.explains:
            return str(rejection)
        keys_by_id, now = call.tenant.signing_keys, self.clock.outside()
        if told := request_signing.signed_under_other_id(call.request, rejection, keys_by_id, now):
            return told
        if rejection.reason not in _OF_THE_SIGNATURE:
            return str(rejection)
        keys = [KnownKey(f"{name!r}", key, (name,)) for name, key in keys_by_id.items()]
        keys += [
            KnownKey(f"{name!r} of another API client", key)
            for tenant in self.tenants.values()
            if tenant is not call.tenant
            for name, key in tenant.signing_keys.items()
        ]
        rules = Rules(tuple(self.accepted_algorithms()), hosts=tuple(DOCUMENTED_HOSTS.values()))
        diagnosis = diagnose_request(call.request, keys, rules=rules, effort=MODEST)
        cause = cause_of_rejection(diagnosis)
        if rejection.reason is message_signatures.Reason.MISMATCH:
            return f"The signature does not verify. {cause or _unexplained(diagnosis)}"
        told = "" if diagnosis.mistakes[:1] in _SAID_BY_REJECTION else cause
        return f"{rejection} {told}".rstrip()

    def verify_request_signature(self, tenant: Tenant, request: Request) -> tuple[str, ...]:
        """The components that the signatures cover, if all of them verify.

        Raises:
            SignatureRejected: If one does not.
        """
        try:
            return self.verify_at(self.clock.outside(), tenant, request)
        except SignatureRejected as rejection:
            if rejection.reason not in _OF_AGE:
                raise
            try:
                return self.verify_at(self.now(), tenant, request)
            except SignatureRejected:
                raise SignatureRejected(rejection.reason, f"{rejection} {self.clock.departure()}".rstrip()) from None

    def verify_at(self, instant: datetime, tenant: Tenant, request: Request) -> tuple[str, ...]:
        """The components that the signatures cover, if all of them verify at an instant.

        A client signs by its own machine's clock, or by its world's. Both will do, also in a world that was moved on.

        Raises:
            SignatureRejected: If one does not.
        """
        is_dated = self.created_is_required() or "created=" in (request.header("signature-input") or "")
        return message_signatures.verify(
            request.method,
            request.url,
            request.headers,
            key_for=lambda key_id: self.signing_key_for(tenant, key_id),
            now=instant,
            algorithms=self.accepted_algorithms(),
            max_age=self.signature_max_age() if is_dated else None,
            max_ahead=self.signature_max_ahead() if is_dated else None,
            seen=self.seen_signatures(),
        ).components

    def accepted_algorithms(self) -> tuple[str, ...]:
        """The algorithms of request signatures: ECDSA on P-384 with SHA-384 alone (Request Signatures)."""
        return (ECDSA_P384_SHA384,)

    def signing_key_for(self, tenant: Tenant, key_id: str) -> message_signatures.PublicKey | None:
        """The key that the tenant registered under that id, if any (Request Signatures)."""
        return tenant.signing_keys.get(key_id)

    def uncovered(self, request: Request, covered: Sequence[str]) -> tuple[str, ...]:
        """What a signature should cover and does not; silent, and so as `conformance sign` covers it."""
        return request_signing.uncovered(request, covered)

    def created_is_required(self) -> bool:
        """Whether a signature must say when it was created. Silent: it need not."""
        return False

    def signature_max_age(self) -> timedelta | None:
        """How long ago a signature may have been created, None for any time. Silent: 5 minutes."""
        return timedelta(minutes=5)

    def signature_max_ahead(self) -> timedelta | None:
        """How far in the future a signature may have been created, None for any time. Silent: 1 minute."""
        return timedelta(minutes=1)

    def seen_signatures(self) -> message_signatures.ReplayStore | None:
        """Where signatures are remembered so that none is accepted twice. Silent: none are."""
        return None


def _unexplained(diagnosis: Diagnosis) -> str:
    """That no mistake is found, with the base that was expected."""
    expected = next((part.expected for part in diagnosis.parts if not part.valid and part.expected), "")
    return f"{_UNEXPLAINED}\n{expected}\n{_FURTHER}"
