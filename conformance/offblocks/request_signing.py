"""How clients of OffBlocks sign their requests, for commands that sign one for a user."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from conformance.diagnosis.request import Rules
from conformance.exchange import Request
from conformance.standards.message_signatures import (
    ECDSA_P384_SHA384,
    PublicKey,
    Reason,
    SignatureRejected,
    covered_whole,
    load_private_key,
    present,
    sign,
    verify,
)

if TYPE_CHECKING:
    import httpx

_SIGNATURE = {"signature", "signature-input"}

key_setting = "signing_key"

coverage = (
    "Requests are signed by RFC 9421 with ECDSA P-384 and SHA-384, the signature as the 96 bytes r and s. It must "
    "cover @method, @path, @query where there is a query (or @target-uri instead of both), and content-digest and "
    "idempotency-key where they are sent. No visible document says what it must cover: that is this sandbox's own "
    "choice, and the vendor's server may ask for more or less."
)


def uncovered(request: Request, covered: Sequence[str]) -> tuple[str, ...]:
    """What a signature should cover and does not.

    Silent on required components: the method, the path and the query in one form or another, and of the headers that
    guard a promise, Content-Digest and Idempotency-Key, those that are sent.

    Args:
        request: The request.
        covered: The components that the signature covers.
    """
    names = covered_whole(covered)
    missing = [] if "@method" in names else ["@method"]
    if not names & {"@target-uri", "@request-target"}:
        missing += [] if "@path" in names else ["@path"]
        missing += [] if "@query" in names or not request.query else ["@query"]
    guards = ("content-digest", "idempotency-key")
    return (*missing, *(name for name in guards if name not in names and request.header(name) is not None))


def signed_under_other_id(
    request: Request, rejection: SignatureRejected, keys: Mapping[str, PublicKey], now: datetime
) -> str | None:
    """What to do where a signature names a key that is not registered, and was made with one that is; None elsewhere.

    Args:
        request: The request.
        rejection: Why its signature was refused.
        keys: The registered keys by their ids.
        now: The time at which to judge (aware).
    """
    if rejection.reason is not Reason.UNKNOWN_KEY:
        return None
    for key_id, key in keys.items():
        try:
            said = verify(
                request.method,
                request.url,
                request.headers,
                key_for=lambda _, key=key: key,  # type: ignore[misc]  # mypy takes no default in a lambda
                now=now,
            )
        except SignatureRejected:
            continue
        if said.key_id is not None:
            return f"The signature is by the key {key_id!r} and names {said.key_id!r}; send keyid={key_id!r}."
    return None


rules = Rules((ECDSA_P384_SHA384,), uncovered, digest_required=True)


def signed(request: "httpx.Request", private_key: str, key_id: str, at: datetime) -> "httpx.Request":
    """A request with Content-Digest, if it has a body, and Signature-Input and Signature.

    Args:
        request: The request.
        private_key: The private key as PEM text.
        key_id: The id under which the API knows its public key.
        at: When it is signed (UTC).

    Raises:
        KeyRejected: If the key is no private key of P-384.
    """
    from conformance.clock import FrozenClock  # noqa: PLC0415  (httpx, which whoever explains a signature need not wait for)
    from conformance.offblocks.client import RequestSigner  # noqa: PLC0415

    signer = RequestSigner(load_private_key(private_key), key_id, FrozenClock(at))
    signer.digest(request)
    signer.sign(request)
    return request


def signed_anew(request: Request, credentials: Mapping[str, str], settings: Mapping[str, str], at: datetime) -> Request:
    """A signed request with a signature by another key instead, for its URL; one that is not signed as it is.

    The digest stays as it is: a wrong one is the client's, and the server's to find.

    Args:
        request: The request.
        credentials: ``signing_key`` as PEM text, and ``signing_key_id``.
        settings: ``components``, what the signature is to cover.
        at: When it is signed (UTC).

    Raises:
        ValueError: If a credential is missing, or the key is none of P-384.
    """
    missing = [name for name in ("signing_key", "signing_key_id") if not credentials.get(name)]
    if missing:
        settings_of_key = " and ".join(f"CONFORMANCE_OFFBLOCKS_{name.upper()}" for name in missing)
        raise ValueError(f"Signing anew needs {settings_of_key}.")
    if request.header("Signature") is None and request.header("Signature-Input") is None:
        return request
    kept = tuple((name, value) for name, value in request.headers if name.lower() not in _SIGNATURE)
    made = sign(
        request.method,
        request.url,
        kept,
        key=load_private_key(credentials["signing_key"]),
        key_id=credentials["signing_key_id"],
        components=present(settings["components"].split(), request.method, request.url, kept),
        created=at,
        algorithm=ECDSA_P384_SHA384,
    )
    return replace(request, headers=(*kept, *made))
