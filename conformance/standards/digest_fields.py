"""The Content-Digest field of RFC 9530: a hash of the very bytes of a message's content."""

import base64
import hashlib
import hmac
from enum import StrEnum
from typing import cast

import http_sf

from conformance.standards.rejection import Rejected

__all__ = ["ALGORITHMS", "DigestRejected", "Reason", "check_content_digest", "content_digest"]

ALGORITHMS = ("sha-256", "sha-512")
"""The algorithms that RFC 9530 (section 5) lists as active."""

_HASHES = {"sha-256": hashlib.sha256, "sha-512": hashlib.sha512}
_FORM = "expected algorithm=:base64: with a colon on each side of the base64, such as sha-256=:...:"


class Reason(StrEnum):
    """Why a Content-Digest was rejected."""

    MISSING = "missing"
    MALFORMED = "malformed"
    UNKNOWN_ALGORITHM = "unknown-algorithm"
    MISMATCH = "mismatch"


class DigestRejected(Rejected[Reason]):
    """A Content-Digest that does not vouch for the content."""


def content_digest(body: bytes, algorithm: str = "sha-256") -> str:
    """The value of the Content-Digest field for `body` (RFC 9530, section 2).

    Args:
        body: The content as it is sent.
        algorithm: One of `ALGORITHMS`.

    Raises:
        DigestRejected: With reason ``unknown-algorithm`` for another algorithm.
    """
    if algorithm not in _HASHES:
        raise DigestRejected(
            Reason.UNKNOWN_ALGORITHM,
            f"No digest can be made with {algorithm!r}; use one of {', '.join(ALGORITHMS)}.",
        )
    return f"{algorithm}=:{base64.b64encode(_HASHES[algorithm](body).digest()).decode()}:"


def check_content_digest(body: bytes, value: str | None) -> None:
    """Check that every digest of a known algorithm in the field is that of `body`; others are passed over.

    Args:
        body: The content as it was received.
        value: The value of the Content-Digest field, or ``None`` if there is none.

    Raises:
        DigestRejected: If the field does not vouch for the content.
    """
    if value is None:
        raise DigestRejected(
            Reason.MISSING, f"There is no Content-Digest. Send one over the body's bytes: {content_digest(body)}"
        )
    digests = _digests(value)
    known = {name: digest for name, digest in digests.items() if name in _HASHES}
    if not known:
        raise DigestRejected(
            Reason.UNKNOWN_ALGORITHM,
            f"Content-Digest has only {', '.join(digests)}; expected at least one of {', '.join(ALGORITHMS)}.",
        )
    for algorithm, digest in known.items():
        if not hmac.compare_digest(digest, _HASHES[algorithm](body).digest()):
            raise DigestRejected(
                Reason.MISMATCH,
                f"Content-Digest is not the {algorithm} digest of the {len(body)} bytes of the body: "
                f"expected {content_digest(body, algorithm)}.",
            )


def _digests(value: str) -> dict[str, bytes]:
    def refuse_repetition(key: str, context: str) -> None:
        if context == "dictionary":
            raise DigestRejected(Reason.MALFORMED, f"Content-Digest names {key} twice; expected each algorithm once.")

    try:
        parsed = http_sf.parse(value.encode("ascii"), tltype="dictionary", on_duplicate_key=refuse_repetition)
    except DigestRejected:
        raise
    except ValueError as error:
        raise DigestRejected(Reason.MALFORMED, f"Content-Digest cannot be read: {error}; {_FORM}.") from error
    digests: dict[str, bytes] = {}
    for name, (digest, _) in cast("dict[str, tuple[object, object]]", parsed).items():
        if not isinstance(digest, bytes):
            raise DigestRejected(Reason.MALFORMED, f"Content-Digest has no byte sequence under {name}; {_FORM}.")
        digests[name] = digest
    if not digests:
        raise DigestRejected(Reason.MALFORMED, f"Content-Digest is empty; {_FORM}.")
    return digests
