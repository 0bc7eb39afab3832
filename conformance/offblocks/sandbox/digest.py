"""Content-Digest: which requests carry one, and what is checked of it."""

from conformance.diagnosis.digest import diagnose_digest
from conformance.diagnosis.texts import cause_of_rejection
from conformance.offblocks.sandbox.base import Decisions
from conformance.offblocks.sandbox.state import Call, Reason, Refused
from conformance.standards.digest_fields import DigestRejected, check_content_digest


class DigestDecisions(Decisions):
    """Which digest of a body is accepted."""

    def digest_is_required(self, call: Call) -> bool:
        """Whether the request needs a Content-Digest.

        Signed requests with a body do (Request Signatures): the operations with one, and any other that has one.
        """
        takes_body = call.operation in {"createCustomer", "signChallenge", "putWebhook"}
        return takes_body or (bool(call.request.body) and self.signature_is_required(call.operation))

    def digest_is_checked(self, call: Call) -> bool:
        """Whether a Content-Digest is looked at where none is needed. Silent: if there is one."""
        return call.request.header("content-digest") is not None

    def check_digest(self, call: Call) -> None:
        """Refuse a body without its right digest: 400 (Customer Creation, Request Signatures)."""
        try:
            self.check_content_digest(call.request.body, call.request.header("content-digest"))
        except DigestRejected as rejection:
            cause = cause_of_rejection(diagnose_digest(call.request)) if self.explains else ""
            raise Refused(Reason.CONTENT_DIGEST, f"{rejection} {cause}".rstrip()) from rejection

    def check_content_digest(self, body: bytes, value: str | None) -> None:
        """Check the digest. Silent on algorithms: those that RFC 9530 lists as active.

        Raises:
            DigestRejected: If it is missing or wrong.
        """
        check_content_digest(body, value)
