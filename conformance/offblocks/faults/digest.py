"""Digests that are taken or asked for wrongly."""

from dataclasses import replace

from conformance.exchange import Response
from conformance.offblocks.sandbox import Call, OffBlocks
from conformance.sandbox.faults import Fault, Variation
from conformance.sandbox.messages import read_json, to_json
from conformance.standards.digest_fields import ALGORITHMS, DigestRejected, Reason, content_digest

_LONG = 1_024


class AcceptsMissingDigest(Fault, OffBlocks):
    """Asks for no digest."""

    breaks = ("offblocks.digest.missing-refused",)
    category = "F102"

    def digest_is_required(self, call: Call) -> bool:
        return False


class AcceptsAnyDigest(Fault, OffBlocks):
    """Asks for a digest, and does not compare it."""

    breaks = ("offblocks.digest.mismatch-refused", "offblocks.digest.unknown-algorithm-refused")

    def check_content_digest(self, body: bytes, value: str | None) -> None:
        if value is None:
            super().check_content_digest(body, value)


class AcceptsUnknownDigestAlgorithm(Fault, OffBlocks):
    """Lets a digest pass that it cannot compute."""

    breaks = ("offblocks.digest.unknown-algorithm-refused",)

    def check_content_digest(self, body: bytes, value: str | None) -> None:
        try:
            super().check_content_digest(body, value)
        except DigestRejected as rejection:
            if rejection.reason is not Reason.UNKNOWN_ALGORITHM:
                raise


class WantsDigestOnGet(Fault, OffBlocks):
    """Asks for a digest when a challenge is fetched, where nothing is sent."""

    breaks = ("offblocks.digest.none-on-get", "offblocks.challenge.fetched-with-200")

    async def get_challenge(self, call: Call) -> Response:
        response = await super().get_challenge(call)
        self.check_digest(call)
        return response


class WantsDigestOnSimulator(Fault, OffBlocks):
    """Asks the simulator's empty calls for a digest."""

    breaks = ("offblocks.digest.none-on-simulator", "offblocks.flow.simulated-with-202")

    def digest_is_required(self, call: Call) -> bool:
        return call.request.method == "PATCH" or super().digest_is_required(call)


class AcceptsSha256Only(Variation, OffBlocks):
    """Knows no digest but that of sha-256."""

    permits = "No visible document says which digests are taken (Request Signatures)."

    def check_content_digest(self, body: bytes, value: str | None) -> None:
        super().check_content_digest(body, value)
        if value is not None and "sha-256=" not in value:
            raise DigestRejected(Reason.UNKNOWN_ALGORITHM, "Content-Digest must have sha-256.")


class ComparesDigestsAsText(Variation, OffBlocks):
    """Takes a digest in the usual spelling of its base64 alone."""

    permits = "RFC 8941 (section 4.2.7) does not oblige a parser to take base64 without padding, or with pad bits set."

    def check_content_digest(self, body: bytes, value: str | None) -> None:
        super().check_content_digest(body, value)
        if value is not None and not any(content_digest(body, each) in value for each in ALGORITHMS):
            raise DigestRejected(Reason.MISMATCH, "Content-Digest is not the digest of the body.")


class ComparesTheStartOfDigests(Fault, OffBlocks):
    """Compares sixteen characters of a digest."""

    breaks = ("offblocks.digest.mismatch-refused",)

    def check_content_digest(self, body: bytes, value: str | None) -> None:
        right = content_digest(body)
        end = right.index(":") + 1 + 16
        super().check_content_digest(body, right if value and value[:end] == right[:end] else value)


class DigestsWhatTheBodyMeans(Fault, OffBlocks):
    """Takes the digest of a body that says the same in other bytes, as it is when it was read and written anew."""

    breaks = ("offblocks.digest.mismatch-refused",)

    def check_content_digest(self, body: bytes, value: str | None) -> None:
        try:
            super().check_content_digest(body, value)
        except DigestRejected:
            super().check_content_digest(to_json(read_json(body)), value)


class TakesTheDigestOfNothing(Fault, OffBlocks):
    """Takes the digest of no bytes for any body, as where something before it has read the body."""

    breaks = ("offblocks.digest.mismatch-refused",)

    def check_content_digest(self, body: bytes, value: str | None) -> None:
        super().check_content_digest(b"" if value == content_digest(b"") else body, value)


class DigestsShortBodiesAlone(Fault, OffBlocks):
    """Passes a body of a KiB and more on as it comes, and compares the digest of none."""

    breaks = ("offblocks.digest.mismatch-refused",)

    def check_content_digest(self, body: bytes, value: str | None) -> None:
        if value is None or len(body) < _LONG:
            super().check_content_digest(body, value)


class ReadsOneLineOfADigest(Fault, OffBlocks):
    """Looks at the first line of Content-Digest alone."""

    breaks = ("offblocks.response.same-value-accepted",)

    def check_digest(self, call: Call) -> None:
        headers = {name.lower(): (name, value) for name, value in reversed(call.request.headers)}
        super().check_digest(replace(call, request=replace(call.request, headers=tuple(headers.values()))))
