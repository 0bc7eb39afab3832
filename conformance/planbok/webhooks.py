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
from decimal import Decimal
from enum import StrEnum
from math import isfinite
from typing import Any

from conformance.clock import Clock, SystemClock
from conformance.exchange import Delivery
from conformance.planbok.messages import Wallet, instant, wallets_in
from conformance.standards.rejection import Rejected

__all__ = [
    "ID_HEADER",
    "SIGNATURE_HEADER",
    "TIMESTAMP_HEADER",
    "TOLERANCE",
    "Event",
    "Headers",
    "Inbox",
    "Reason",
    "WebhookRejected",
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

Headers = Mapping[str, str] | Iterable[tuple[str, str]]
"""Header fields: a framework's mapping, or name and value of every line."""

_PREFIX = "sha256="
_HEX = re.compile(r"[0-9A-Fa-f]{64}")
_SECONDS = re.compile(r"[0-9]{1,20}")
_REMEMBERED = 10_000
_LARGEST_EXAMINED = 65_536
_LARGEST_INDEX = 2**32 - 2
_SURROGATE = re.compile("[\ud800-\udfff]")
_INDEX = re.compile(r"0|[1-9][0-9]{0,9}")
_LONGEST = 21
_SMALLEST = -6


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
    """
    fields = _lines(headers)
    signature, timestamp = fields.get(SIGNATURE_HEADER.lower()), fields.get(TIMESTAMP_HEADER.lower())
    if signature is None or timestamp is None:
        missing = SIGNATURE_HEADER if signature is None else TIMESTAMP_HEADER
        raise WebhookRejected(Reason.HEADER_MISSING, f"There is no header {missing}.")
    if not signature.startswith(_PREFIX):
        raise WebhookRejected(Reason.WRONG_PREFIX, f"{SIGNATURE_HEADER} does not begin with {_PREFIX}.")
    is_hex = _HEX.fullmatch(signature.removeprefix(_PREFIX))
    if is_hex:
        _check_age(timestamp, now, tolerance)
    form = _form(signature, timestamp, body, secret)
    if form == "raw-body":
        return _event(fields, body)
    hint = f" It would verify {_FORMS[form].phrase}." if form else ""
    if not is_hex:
        raise WebhookRejected(Reason.NOT_HEX, f"{SIGNATURE_HEADER} is not {_PREFIX} and 64 hex digits.{hint}")
    raise WebhookRejected(
        Reason.MISMATCH,
        f"{SIGNATURE_HEADER} is not the HMAC-SHA256, with this secret, of {TIMESTAMP_HEADER}, a full stop and the "
        f"body.{hint}",
    )


def signed_over(headers: Headers, body: bytes, secret: str) -> str | None:
    """The reading of ``planbok.webhook.signed-bytes`` in which a webhook's signature verifies, however old it is.

    Args:
        headers: The header fields.
        body: The body as it came.
        secret: The secret to verify with.

    Returns:
        ``raw-body`` or ``reserialized-body``, None if it verifies in neither.
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
    """The values by names in lower case, several lines of one name joined (RFC 9110, section 5.3)."""
    found: dict[str, str] = {}
    for name, value in headers.items() if isinstance(headers, Mapping) else headers:
        lower = name.lower()
        found[lower] = f"{found[lower]}, {value}" if lower in found else value
    return found


def _check_age(timestamp: str, now: datetime, tolerance: timedelta) -> None:
    if not _SECONDS.fullmatch(timestamp):
        message = f"{TIMESTAMP_HEADER} is no number of seconds, but {timestamp!r:.40}."
        raise WebhookRejected(Reason.TIMESTAMP_NO_NUMBER, message)
    present, allowed, sent = now.timestamp(), tolerance.total_seconds(), int(timestamp)
    age = present - sent
    if abs(age) <= allowed:
        return
    reason, where = (Reason.TOO_OLD, "before") if age > 0 else (Reason.TOO_NEW, "after")
    hint = " It counts milliseconds, where seconds are expected." if abs(present - sent / 1000) <= allowed else ""
    raise WebhookRejected(
        reason,
        f"{TIMESTAMP_HEADER} is {abs(age):.0f} s {where} this receiver's time; {allowed:.0f} s are allowed.{hint}",
    )


def _event(fields: Mapping[str, str], body: bytes) -> Event:
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        parsed = None
    match parsed:
        case {"event": str(kind), "data": dict(data)}:
            key = parsed.get("idempotencyKey")
        case _:
            raise WebhookRejected(
                Reason.NO_EVENT,
                "The body is signed rightly, but no JSON object with a text `event` and an object `data`.",
            )
    name = key if isinstance(key, str) and key else fields.get(ID_HEADER.lower())
    marks = frozenset({f"body {hashlib.sha256(body).hexdigest()}", *([f"id {name}"] if name else [])})
    return Event(name or None, kind, instant(parsed.get("timestamp")), data, marks)


# ------------------------------------------------------------------------------------------ the forms of a signature


@dataclass(frozen=True)
class _Form:
    signed: Callable[[str, bytes], bytes]
    phrase: str = ""
    written: Callable[[bytes], str] = bytes.hex


def _joined(timestamp: str, body: bytes) -> bytes:
    return timestamp.encode(errors="replace") + b"." + body


_FORMS = {
    "raw-body": _Form(_joined),
    "reserialized-body": _Form(
        lambda timestamp, body: _joined(timestamp, _reserialized(body)),
        "over the body written again as JavaScript writes JSON: either these are not the bytes that came, or the "
        "sender signs others than it sends",
    ),
    "body-alone": _Form(lambda _, body: body, "over the body without timestamp and full stop"),
    "base64": _Form(_joined, "as base64 of the same HMAC", lambda digest: base64.b64encode(digest).decode()),
    "milliseconds": _Form(
        lambda timestamp, body: _joined(f"{timestamp}000", body), "with the timestamp in milliseconds"
    ),
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
    if _HEX.fullmatch(signature.removeprefix(_PREFIX)):
        signature = signature.lower()
    given = signature.encode(errors="replace")
    forms = _FORMS if len(body) <= _LARGEST_EXAMINED else ["raw-body"]
    matching = (
        form for form in forms if hmac.compare_digest(_signature(form, timestamp, body, secret).encode(), given)
    )
    return next(matching, None)


# -------------------------------------------------------------------------------------- JSON as JavaScript writes it


def _reserialized(body: bytes) -> bytes:
    """What JavaScript's ``JSON.stringify(JSON.parse(body))`` gives; the body itself if it is no JSON."""
    try:
        parsed = json.loads(body.decode(), parse_int=float, parse_constant=_refused)
        return _written(parsed).encode()
    except (ValueError, RecursionError):
        return body


def _refused(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _written(value: Any) -> str:
    match value:
        case float():
            return _number(value)
        case list():
            return f"[{','.join(map(_written, value))}]"
        case dict():
            members = sorted(value, key=_rank)
            return f"{{{','.join(f'{_written(name)}:{_written(value[name])}' for name in members)}}}"
        case _:
            text = json.dumps(value, ensure_ascii=False)
            return _SURROGATE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _rank(name: str) -> int:
    """Where a member stands: those named by an array's index come first, by number, the others as they came."""
    is_index = _INDEX.fullmatch(name) and int(name) <= _LARGEST_INDEX
    return int(name) if is_index else _LARGEST_INDEX + 1


def _number(value: float) -> str:
    """A number as ECMAScript writes it (ECMA-262, Number::toString)."""
    if not isfinite(value):
        return "null"
    sign, found, exponent = Decimal(repr(value)).normalize().as_tuple()
    digits = "".join(map(str, found))
    point = len(digits) + int(exponent)
    if digits == "0":
        return "0"
    if len(digits) <= point <= _LONGEST:
        text = digits + "0" * (point - len(digits))
    elif 0 < point <= _LONGEST:
        text = f"{digits[:point]}.{digits[point:]}"
    elif _SMALLEST < point <= 0:
        text = f"0.{'0' * -point}{digits}"
    else:
        fraction = f".{digits[1:]}" if digits[1:] else ""
        text = f"{digits[0]}{fraction}e{point - 1:+d}"
    return f"-{text}" if sign else text
