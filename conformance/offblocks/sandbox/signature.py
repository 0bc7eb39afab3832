"""Signatures of requests, by the keys that clients register."""

from collections.abc import Sequence
from datetime import timedelta

from conformance.exchange import Request
from conformance.offblocks.sandbox.base import Decisions
from conformance.offblocks.sandbox.state import Call, Reason, Refused, Tenant
from conformance.standards import message_signatures
from conformance.standards.message_signatures import ECDSA_P384_SHA384, SignatureRejected


class SignatureDecisions(Decisions):
    """Which signature of a request is accepted."""

    def check_request_signature(self, call: Call) -> None:
        """Refuse a request that its tenant did not sign as it is (Request Signatures)."""
        try:
            covered = self.verify_request_signature(call.tenant, call.request)
        except SignatureRejected as rejection:
            raise Refused(Reason.REQUEST_SIGNATURE, str(rejection)) from rejection
        missing = self.uncovered(call.request, covered)
        if missing:
            raise Refused(
                Reason.REQUEST_SIGNATURE,
                f"The signature must also cover {', '.join(missing)}. It covers: {', '.join(covered) or 'nothing'}.",
            )

    def verify_request_signature(self, tenant: Tenant, request: Request) -> tuple[str, ...]:
        """The components that the signatures cover, if all of them verify.

        Raises:
            SignatureRejected: If one does not.
        """
        is_dated = self.created_is_required() or "created=" in (request.header("signature-input") or "")
        return message_signatures.verify(
            request.method,
            request.url,
            request.headers,
            key_for=lambda key_id: self.signing_key_for(tenant, key_id),
            now=self.now(),
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
        """What a signature should cover and does not.

        Silent on required components: the method, the path and the query in one form or another, and of the headers
        that guard a promise, Content-Digest and Idempotency-Key, those that are sent.
        """
        names = set(covered)
        missing = [] if "@method" in names else ["@method"]
        if not names & {"@target-uri", "@request-target"}:
            missing += [] if "@path" in names else ["@path"]
            missing += [] if "@query" in names or not request.query else ["@query"]
        guards = ("content-digest", "idempotency-key")
        return (*missing, *(name for name in guards if name not in names and request.header(name) is not None))

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
