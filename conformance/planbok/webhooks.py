"""Planbok's events: signed, verified on the raw bytes, and received once each.

No page of the vendor shows how events are signed; this is what the receiver of the beta checks: the HMAC-SHA256 of the
timestamp, a full stop and the body as it was sent.

An `Inbox` receives, whatever the framework. In Starlette, say::

    inbox = Inbox(webhook_secret)

    async def webhook(request):
        try:
            event = inbox.take(request.headers, await request.body())
        except WebhookRejected as rejected:
            log.warning("%s: %s", rejected.reason, rejected)
            return Response(status_code=401)
        if event is not None:
            try:
                await store(event)  # what takes longer comes after the answer
            except Exception:
                inbox.forget(event)  # so that the repetition counts
                raise
        return JSONResponse({"received": True})
"""

import base64
import hashlib
import hmac
import json
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from conformance.clock import Clock, SystemClock
from conformance.diagnosis.form import Diagnosis, Explanation, Mistake, Part
from conformance.diagnosis.texts import sentence, summary
from conformance.diagnosis.webhook import Scheme, diagnose_webhook
from conformance.exchange import Delivery
from conformance.planbok.messages import Wallet, instant, wallets_in
from conformance.standards.ecmascript_json import written_again
from conformance.standards.rejection import Rejected

__all__ = [
    "ID_HEADER",
    "SCHEME",
    "SIGNATURE_HEADER",
    "TIMESTAMP_HEADER",
    "TOLERANCE",
    "Event",
    "Headers",
    "Inbox",
    "Reason",
    "SupportsItems",
    "WebhookRejected",
    "diagnose",
    "sign",
    "signed_anew",
    "signed_over",
    "verify",
]

SIGNATURE_HEADER = "X-Webhook-Signature"
"""The header that carries the signature, ``sha256=`` and 64 hex digits."""

TIMESTAMP_HEADER = "X-Webhook-Timestamp"
"""The header that says when the event was sent, in seconds since 1970-01-01T00:00:00Z."""

ID_HEADER = "X-Webhook-Id"
"""The header that tells one event from another; it is not signed."""

TOLERANCE = timedelta(seconds=300)
"""How far an event's timestamp may be from the receiver's clock."""


class SupportsItems(Protocol):
    """Header fields in an object of a framework's own, whatever its class."""

    def items(self) -> Iterable[tuple[Any, Any]]:
        """Name and value of each line, or of all lines of one name."""


Headers = SupportsItems | Iterable[tuple[Any, Any]]
"""Header fields: what a framework calls the headers of a request, be it a mapping or not; name and value of every line,
as text or, as ASGI has them, bytes; or the variables of CGI, WSGI and Django's ``META``."""

_PREFIX = "sha256="
SCHEME = Scheme(SIGNATURE_HEADER, TIMESTAMP_HEADER, ID_HEADER, _PREFIX, TOLERANCE)
"""How events are signed, for who explains what is wrong with one."""
_NO_EVENT = Mistake("webhook-no-event")
_READ = frozenset(name.lower() for name in (SIGNATURE_HEADER, TIMESTAMP_HEADER, ID_HEADER))
_CGI = "HTTP_"
_HEX = re.compile(r"[0-9A-Fa-f]{64}")
_SECONDS = re.compile(r"[0-9]{1,20}")
_REMEMBERED = 10_000
_LARGEST_EXAMINED = 65_536


class Reason(StrEnum):
    """Why a webhook was rejected."""

    HEADER_MISSING = "header-missing"
    WRONG_PREFIX = "wrong-prefix"
    NOT_HEX = "not-hex"
    TIMESTAMP_NO_NUMBER = "timestamp-no-number"
    TOO_OLD = "too-old"
    TOO_NEW = "too-new"
    MISMATCH = "mismatch"
    NO_EVENT = "no-event"


class WebhookRejected(Rejected[Reason]):
    """A webhook that is not to be trusted."""


@dataclass(frozen=True)
class Event:
    """An event whose signature was verified.

    Args:
        id: What tells it from others: its ``idempotencyKey``, else its X-Webhook-Id; None if it has neither.
        kind: What happened, such as ``wallet.created``.
        timestamp: When it happened (UTC), None if it does not say.
        data: What it is about.
        marks: By what it is known when it comes again.
    """

    id: str | None
    kind: str
    timestamp: datetime | None
    data: Mapping[str, Any]
    marks: frozenset[str] = field(default=frozenset(), repr=False)

    @property
    def wallets(self) -> list[Wallet]:
        """The wallets that it shows, one or all of a challenge."""
        return wallets_in(self.data)


def sign(body: bytes, secret: str, at: datetime) -> dict[str, str]:
    """The two headers that sign an event.

    Args:
        body: The body as it is sent.
        secret: The secret that sender and receiver share.
        at: When it is sent (UTC).
    """
    timestamp = str(int(at.timestamp()))
    return {SIGNATURE_HEADER: _signature("raw-body", timestamp, body, secret), TIMESTAMP_HEADER: timestamp}


def verify(headers: Headers, body: bytes, secret: str, *, now: datetime, tolerance: timedelta = TOLERANCE) -> Event:
    """The event in a webhook, if it comes from who knows the secret, and just now.

    Args:
        headers: The header fields.
        body: The body as it came, before anything parsed it.
        secret: The secret that sender and receiver share.
        now: The receiver's time (UTC).
        tolerance: How far the timestamp may be from it.

    Raises:
        WebhookRejected: If it is not to be trusted, or no event.
        TypeError: If the body is no bytes, the headers are none, or the value of one is no text.
    """
    fields, body = _lines(headers), _as_bytes(body)
    signature, timestamp = fields.get(SIGNATURE_HEADER.lower()), fields.get(TIMESTAMP_HEADER.lower())

    def rejected(reason: Reason, otherwise: str) -> WebhookRejected:
        diagnosis = diagnose_webhook(
            replace(SCHEME, tolerance=tolerance), fields.items(), body, secret, now, thorough=False
        )
        explained = tuple(part for part in diagnosis.parts if part.explanations)
        return WebhookRejected(reason, summary(replace(diagnosis, parts=explained)) or otherwise)

    if signature is None or timestamp is None:
        missing = SIGNATURE_HEADER if signature is None else TIMESTAMP_HEADER
        raise rejected(Reason.HEADER_MISSING, f"There is no header {missing}.")
    if not signature.startswith(_PREFIX):
        raise rejected(Reason.WRONG_PREFIX, f"{SIGNATURE_HEADER} does not begin with {_PREFIX}.")
    is_hex = _HEX.fullmatch(signature.removeprefix(_PREFIX))
    if is_hex and (untimely := _untimely(timestamp, now, tolerance)):
        raise rejected(untimely, f"{TIMESTAMP_HEADER} is not that of just now.")
    if _form(signature, timestamp, body, secret) != "raw-body":
        if not is_hex:
            raise rejected(Reason.NOT_HEX, f"{SIGNATURE_HEADER} is not {_PREFIX} and 64 hex digits.")
        raise rejected(
            Reason.MISMATCH,
            f"{SIGNATURE_HEADER} is not the HMAC-SHA256, with this secret, of {TIMESTAMP_HEADER}, a full stop and the "
            "body.",
        )
    event = _event(fields, body)
    if event is None:
        raise WebhookRejected(Reason.NO_EVENT, sentence(_NO_EVENT))
    return event


def diagnose(headers: Headers, body: bytes, secret: str, now: datetime) -> Diagnosis:
    """What is wrong with a webhook, looked for thoroughly.

    Args:
        headers: The header fields.
        body: The body as it came.
        secret: The secret that it should be signed with.
        now: The receiver's time (UTC).

    Raises:
        TypeError: If the body is no bytes, or the headers are none.
    """
    body, lines = _as_bytes(body), _all_lines(headers)
    found = diagnose_webhook(SCHEME, lines, body, secret, now)
    event = _event(dict(lines), body)
    part = Part("event", event is not None, () if event else (Explanation((_NO_EVENT,)),))
    return replace(found, parts=(*found.parts, part))


def signed_over(headers: Headers, body: bytes, secret: str) -> str | None:
    """The reading of ``planbok.webhook.signed-bytes`` in which a webhook's signature verifies, however old it is.

    Args:
        headers: The header fields.
        body: The body as it came.
        secret: The secret to verify with.

    Returns:
        ``raw-body`` or ``reserialized-body``, None if it verifies in neither.

    Raises:
        TypeError: If the body is no bytes, the headers are none, or the value of one is no text.
    """
    fields = _lines(headers)
    form = _form(fields.get(SIGNATURE_HEADER.lower(), ""), fields.get(TIMESTAMP_HEADER.lower(), ""), body, secret)
    return form if form in {"raw-body", "reserialized-body"} else None


def signed_anew(delivery: Delivery, secret: str, other: str) -> Delivery:
    """A delivery that `secret` signed, signed in the same way with `other`; any other delivery as it is.

    Args:
        delivery: The delivery.
        secret: The secret to verify with.
        other: The secret to sign with.
    """
    request = delivery.request
    fields = _lines(request.headers)
    timestamp = fields.get(TIMESTAMP_HEADER.lower(), "")
    form = _form(fields.get(SIGNATURE_HEADER.lower(), ""), timestamp, request.body, secret)
    if form is None:
        return delivery
    anew = _signature(form, timestamp, request.body, other)
    headers = tuple(
        (name, anew if name.lower() == SIGNATURE_HEADER.lower() else value) for name, value in request.headers
    )
    return replace(delivery, request=replace(request, headers=headers))


class Inbox:
    """Receives events: verifies each, and gives it once however often it comes. It may be shared by threads.

    It remembers the last 10,000 events of this process. Who runs several, or cannot lose that at a restart, keeps the
    ids of events beside what they changed.

    Args:
        secret: The secret that events are signed with.
        clock: What tells the receiver's time.
    """

    def __init__(self, secret: str, clock: Clock | None = None) -> None:
        self._secret = secret
        self._clock = clock or SystemClock()
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, headers: Headers, body: bytes) -> Event | None:
        """The event in a webhook, None if it came before.

        It came before if one with its id did, or the very same body: the X-Webhook-Id is not signed, so that who
        repeats a webhook may change it.

        Args:
            headers: The header fields.
            body: The body as it came, before anything parsed it.

        Raises:
            WebhookRejected: If it is not to be trusted, or no event.
        """
        event = verify(headers, body, self._secret, now=self._clock.now())
        with self._lock:
            if any(mark in self._seen for mark in event.marks):
                return None
            self._seen.update(dict.fromkeys(event.marks))
            while len(self._seen) > 2 * _REMEMBERED:
                self._seen.popitem(last=False)
        return event

    def forget(self, event: Event) -> None:
        """Give an event again when it comes again, since it could not be stored."""
        with self._lock:
            for mark in event.marks:
                self._seen.pop(mark, None)


def _lines(headers: Headers) -> dict[str, str]:
    """The values of the headers that matter, by names in lower case; several lines joined (RFC 9110, section 5.3).

    Raises:
        TypeError: If these are no header fields, or a value is no text.
    """
    found: dict[str, str] = {}
    for lower, value in _named(headers):
        if lower in _READ:
            text = _field_value(lower, value)
            found[lower] = f"{found[lower]}, {text}" if lower in found else text
    return found


def _all_lines(headers: Headers) -> list[tuple[str, str]]:
    """Every header line whose value is a text, each with its name in lower case.

    Raises:
        TypeError: If these are no header fields.
    """
    return [(name, _field_value(name, value)) for name, value in _named(headers) if isinstance(value, str | bytes)]


def _named(headers: Headers) -> list[tuple[str, Any]]:
    """Name in lower case and value of every line.

    Raises:
        TypeError: If these are no header fields.
    """
    items = getattr(headers, "items", None)
    pairs: Any = items() if callable(items) else headers
    try:
        return [(_field_name(name), value) for name, value in pairs]
    except (TypeError, ValueError):
        raise TypeError(
            f"The headers are {type(headers).__name__}; give the object in which your framework has them, or name and "
            "value of every line."
        ) from None


def _field_name(name: Any) -> str:
    """The name of a header field in lower case, from the form in which a framework has it (RFC 3875, 4.1.18)."""
    text = name.decode("latin-1") if isinstance(name, bytes) else str(name)
    variable = text.removeprefix(_CGI)
    return (text if variable == text else variable.replace("_", "-")).lower()


def _field_value(name: str, value: Any) -> str:
    match value:
        case str():
            return value
        case bytes():
            return value.decode("latin-1")
        case list() | tuple() if all(isinstance(each, str | bytes) for each in value):
            return ", ".join(_field_value(name, each) for each in value)
    raise TypeError(f"The header {name} is {type(value).__name__}; give its value as text.")


def _untimely(timestamp: str, now: datetime, tolerance: timedelta) -> Reason | None:
    """Why a timestamp is not that of just now; None if it is."""
    if not _SECONDS.fullmatch(timestamp):
        return Reason.TIMESTAMP_NO_NUMBER
    age = now.timestamp() - int(timestamp)
    if abs(age) <= tolerance.total_seconds():
        return None
    return Reason.TOO_OLD if age > 0 else Reason.TOO_NEW


def _as_bytes(body: bytes) -> bytes:
    """A body that was given as bytes.

    Raises:
        TypeError: If it was not.
    """
    if not isinstance(body, bytes | bytearray):
        raise TypeError(
            f"The body is {type(body).__name__}; give the bytes as they came, before anything decoded them."
        )
    return bytes(body)


def _event(fields: Mapping[str, str], body: bytes) -> Event | None:
    """The event in a body, None if there is none."""
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        parsed = None
    match parsed:
        case {"event": str(kind), "data": dict(data)}:
            key = parsed.get("idempotencyKey")
        case _:
            return None
    name = key if isinstance(key, str) and key else fields.get(ID_HEADER.lower())
    marks = frozenset({f"body {hashlib.sha256(body).hexdigest()}", *([f"id {name}"] if name else [])})
    return Event(name or None, kind, instant(parsed.get("timestamp")), data, marks)


# ------------------------------------------------------------------------------------------ the forms of a signature


@dataclass(frozen=True)
class _Form:
    signed: Callable[[str, bytes], bytes]
    written: Callable[[bytes], str] = bytes.hex


def _joined(timestamp: str, body: bytes) -> bytes:
    return timestamp.encode(errors="replace") + b"." + body


_FORMS = {
    "raw-body": _Form(_joined),
    "reserialized-body": _Form(lambda timestamp, body: _joined(timestamp, written_again(body))),
    "body-alone": _Form(lambda _, body: body),
    "base64": _Form(_joined, lambda digest: base64.b64encode(digest).decode()),
    "milliseconds": _Form(lambda timestamp, body: _joined(f"{timestamp}000", body)),
}
"""The right form first, then those that senders are known or likely to mistake for it."""


def _signature(form: str, timestamp: str, body: bytes, secret: str) -> str:
    """The value of the header in a form."""
    if not secret:
        raise ValueError("The webhook secret is empty, so that anybody could sign with it.")
    digest = hmac.digest(secret.encode(), _FORMS[form].signed(timestamp, body), "sha256")
    return _PREFIX + _FORMS[form].written(digest)


def _form(signature: str, timestamp: str, body: bytes, secret: str) -> str | None:
    """The form in which a signature verifies, None if in none; of a large body only the right one is tried."""
    body = _as_bytes(body)
    if _HEX.fullmatch(signature.removeprefix(_PREFIX)):
        signature = signature.lower()
    given = signature.encode(errors="replace")
    forms = _FORMS if len(body) <= _LARGEST_EXAMINED else ["raw-body"]
    matching = (
        form for form in forms if hmac.compare_digest(_signature(form, timestamp, body, secret).encode(), given)
    )
    return next(matching, None)
