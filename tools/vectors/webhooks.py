"""Events that a provider sends, as a client verifies them."""

import hashlib
import hmac
import json
from typing import Any

from tools.vectors.case import Case, Topic, encoded

ABOUT = (
    "The provider signs an event with HMAC-SHA256 over '<timestamp>.<raw body>'; a client's receiver verifies it "
    "before it is believed, so here the provider sends and the client accepts. The secrets are made up."
)
NOW = "2026-01-15T12:00:00Z"
SECONDS = 1768478400
SECRET = "test vectors: webhook secret"  # noqa: S105  (made up)
OTHER_SECRET = "test vectors: other secret"  # noqa: S105  (made up)
EVENT, EVENT_ID = "wallet.created", "0a6dfd3a-0f6e-4a5c-9d6b-0f3e6f0c5a11"
DOCUMENT = {
    "event": EVENT,
    "timestamp": "2026-01-15T12:00:00.000Z",
    "idempotencyKey": EVENT_ID,
    "data": {
        "id": "69683a40c0ffee00c0ffee01",
        "blockchain": "ETH-SEPOLIA",
        "address": "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    },
}
BODY = json.dumps(DOCUMENT, separators=(",", ":")).encode()
SPACED = json.dumps(DOCUMENT, indent=2).encode()
SIGNATURE, AGE, BYTES = "client.checks-webhook-signature", "client.checks-webhook-age", "webhook.signed-bytes"
RECEIVER = ("beta-receiver", "Verification")


def made(body: bytes = BODY, timestamp: object = SECONDS, secret: str = SECRET, name: str = "sha256") -> str:
    """The hex of the HMAC."""
    return hmac.new(secret.encode(), f"{timestamp}.".encode() + body, name).hexdigest()


def signed(
    body: bytes = BODY,
    signature: str | None = None,
    timestamp: object = SECONDS,
    without: tuple[str, ...] = (),
) -> dict[str, Any]:
    """The input of a case: an event with the right signature, or this one."""
    signature = f"sha256={made(body, timestamp)}" if signature is None else signature
    headers = [
        ["Content-Type", "application/json"],
        ["X-Webhook-Signature", signature],
        ["X-Webhook-Timestamp", str(timestamp)],
        ["X-Webhook-Event", EVENT],
        ["X-Webhook-Id", EVENT_ID],
    ]
    return {
        "headers": [header for header in headers if header[0] not in without],
        "body_base64": encoded(body),
        "secret": SECRET,
    }


def right(title: str, body: bytes = BODY, offset: int = 0, reason: str = "right") -> Case:
    """An event that is signed rightly, this many seconds from the receiver's clock."""
    timestamp = SECONDS + offset
    task = {
        "secret": SECRET,
        "timestamp": timestamp,
        "body_base64": encoded(body),
        "event": EVENT,
        "event_id": EVENT_ID,
    }
    rule = AGE if offset else "webhook.signed"
    return Case(title, signed(body, timestamp=timestamp), "valid", "must", reason, rule, now=NOW, task=task)


def wrong(title: str, content: dict[str, Any], reason: str, rule: str = SIGNATURE) -> Case:
    """An event that must not be believed."""
    return Case(title, content, "invalid", "must-not", reason, rule, now=NOW)


def open_(title: str, content: dict[str, Any], reason: str, rule: str | None = None) -> Case:
    """What no source says."""
    claim = {} if rule else {"basis": "inferred", "source": RECEIVER}
    return Case(title, content, "unspecified", "unspecified", reason, rule, now=NOW, **claim)  # type: ignore[arg-type]


def renamed(change: str) -> dict[str, Any]:
    """The right event with the names of its headers in another letter case."""
    content = signed()
    return {**content, "headers": [[getattr(name, change)(), value] for name, value in content["headers"]]}


CASES = [
    right("an event"),
    right("body with blanks and line breaks", SPACED),
    right("body with other than ASCII characters", '{"event":"wallet.created","data":{"name":"Z\u00fcrich"}}'.encode()),
    right("body with escapes", b'{"event":"wallet.created","data":{"name":"Z\\u00fcrich"}}'),
    right("body with numbers that JavaScript writes otherwise", b'{"event":"wallet.created","data":{"n":1.0,"e":1e3}}'),
    right("body with a newline at its end", BODY + b"\n"),
    right("1 s old", offset=-1, reason="age"),
    right("299 s old", offset=-299, reason="age"),
    right("300 s old", offset=-300, reason="age"),
    right("300 s ahead", offset=300, reason="age"),
    Case("header names in lower case", renamed("lower"), "valid", "must", "header-names", "webhook.signed", now=NOW),
    Case("header names in upper case", renamed("upper"), "valid", "must", "header-names", "webhook.signed", now=NOW),
    # ---------------------------------------------------------------------------------------------- left open
    open_(
        "signed over the body as JavaScript writes it again",
        signed(SPACED, f"sha256={made(BODY)}"),
        "signed-bytes",
        BYTES,
    ),
    open_("without X-Webhook-Event", signed(without=("X-Webhook-Event",)), "missing-header"),
    open_("without X-Webhook-Id", signed(without=("X-Webhook-Id",)), "missing-header"),
    open_("empty body", signed(b""), "no-event"),
    open_("body that is no JSON", signed(b"wallet.created"), "no-event"),
    open_("hex in upper case", signed(signature=f"sha256={made().upper()}"), "letter-case"),
    open_("prefix in upper case", signed(signature=f"SHA256={made()}"), "letter-case"),
    open_("timestamp with a leading zero", signed(timestamp=f"0{SECONDS}"), "timestamp-form"),
    open_("timestamp with a fraction", signed(timestamp=f"{SECONDS}.0"), "timestamp-form"),
    # ------------------------------------------------------------------------------------------------- wrong
    wrong("other secret", signed(signature=f"sha256={made(secret=OTHER_SECRET)}"), "other-secret"),
    wrong("empty secret", signed(signature=f"sha256={made(secret='')}"), "other-secret"),
    wrong(
        "secret with a newline at its end", signed(signature=f"sha256={made(secret=SECRET + chr(10))}"), "other-secret"
    ),
    wrong(
        "plain hash in place of the HMAC",
        signed(signature=f"sha256={hashlib.sha256(BODY).hexdigest()}"),
        "other-secret",
    ),
    wrong("body altered", signed(BODY.replace(b"ETH-SEPOLIA", b"BASE-SEPOLIA"), f"sha256={made()}"), "altered-body"),
    wrong(
        "one bit of the body altered",
        signed(BODY[:-2] + bytes([BODY[-2] ^ 1]) + BODY[-1:], f"sha256={made()}"),
        "altered-body",
    ),
    wrong("newline added to the body", signed(BODY + b"\n", f"sha256={made()}"), "altered-body"),
    wrong("byte order mark before the body", signed(b"\xef\xbb\xbf" + BODY, f"sha256={made()}"), "altered-body"),
    wrong("body taken away", signed(b"", f"sha256={made()}"), "altered-body"),
    wrong("body written again without its blanks", signed(BODY, f"sha256={made(SPACED)}"), "reserialised"),
    wrong(
        "body written again with its keys in another order",
        signed(json.dumps(DOCUMENT, sort_keys=True, separators=(",", ":")).encode(), f"sha256={made()}"),
        "reserialised",
    ),
    wrong(
        "body alone signed",
        signed(signature=f"sha256={hmac.new(SECRET.encode(), BODY, 'sha256').hexdigest()}"),
        "signed-bytes",
    ),
    wrong(
        "timestamp and body signed without the dot",
        signed(signature=f"sha256={hmac.new(SECRET.encode(), str(SECONDS).encode() + BODY, 'sha256').hexdigest()}"),
        "signed-bytes",
    ),
    wrong(
        "timestamp altered within the 300 s",
        signed(signature=f"sha256={made()}", timestamp=SECONDS - 1),
        "altered-timestamp",
    ),
    wrong("301 s old", signed(timestamp=SECONDS - 301), "age", AGE),
    wrong("301 s ahead", signed(timestamp=SECONDS + 301), "age", AGE),
    wrong("an hour old", signed(timestamp=SECONDS - 3600), "age", AGE),
    wrong("a day ahead", signed(timestamp=SECONDS + 86400), "age", AGE),
    wrong("timestamp of 0", signed(timestamp=0), "age", AGE),
    wrong("timestamp in milliseconds", signed(timestamp=SECONDS * 1000), "age", AGE),
    wrong("negative timestamp", signed(timestamp=-SECONDS), "age", AGE),
    wrong("timestamp as a date", signed(timestamp=NOW), "timestamp-form", AGE),
    wrong("empty timestamp", signed(timestamp=""), "timestamp-form", AGE),
    wrong("timestamp that is no number", signed(timestamp="now"), "timestamp-form", AGE),
    wrong("timestamp beyond any calendar", signed(timestamp="9" * 30), "timestamp-form", AGE),
    wrong("without X-Webhook-Signature", signed(without=("X-Webhook-Signature",)), "missing-header"),
    wrong("without X-Webhook-Timestamp", signed(without=("X-Webhook-Timestamp",)), "missing-header", AGE),
    wrong("without either", signed(without=("X-Webhook-Signature", "X-Webhook-Timestamp")), "missing-header"),
    wrong("without its prefix", signed(signature=made()), "prefix"),
    wrong("prefix alone", signed(signature="sha256="), "prefix"),
    wrong("prefix sha1 before the right hex", signed(signature=f"sha1={made()}"), "prefix"),
    wrong("prefix with a colon", signed(signature=f"sha256:{made()}"), "prefix"),
    wrong("empty signature", signed(signature=""), "prefix"),
    wrong("HMAC of SHA-1", signed(signature=f"sha1={made(name='sha1')}"), "algorithm"),
    wrong("HMAC of SHA-512", signed(signature=f"sha512={made(name='sha512')}"), "algorithm"),
    wrong("HMAC of SHA-512 cut to 32 bytes", signed(signature=f"sha256={made(name='sha512')[:64]}"), "algorithm"),
    wrong("cut by a digit", signed(signature=f"sha256={made()[:-1]}"), "length"),
    wrong("cut to the first byte", signed(signature=f"sha256={made()[:2]}"), "length"),
    wrong("a byte appended", signed(signature=f"sha256={made()}00"), "length"),
    wrong("base64 in place of hex", signed(signature=f"sha256={encoded(bytes.fromhex(made()))}"), "encoding"),
    wrong("0x before the hex", signed(signature=f"sha256=0x{made()}"), "encoding"),
    wrong("letter beyond f in the hex", signed(signature=f"sha256={made()[:-1]}g"), "encoding"),
    wrong("other than ASCII characters", signed(signature=f"sha256={made()[:-1]}\u00e9"), "encoding"),
]

TOPIC = Topic("planbok", "webhooks", ABOUT, CASES)
