"""Mistakes in the signature of a webhook: a sender of its own that does one thing, or two, otherwise than it should."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from conformance.diagnosis.form import Diagnosis
from conformance.ids import Ids
from conformance.planbok.webhooks import diagnose
from tools.mistakes.form import NONE, Case

NOW = datetime(2026, 1, 17, 18, 21, 53, tzinfo=UTC)
EVENT: dict[str, Any] = {"event": "wallet.created", "data": {"name": "Zürich & <7>", "chains": ["ETH", "BTC"]}}
BODY = json.dumps(EVENT, separators=(",", ":"), ensure_ascii=False).encode()
_SIGNATURE, _TIMESTAMP = "X-Webhook-Signature", "X-Webhook-Timestamp"


@dataclass(frozen=True)
class Sender:
    """How a webhook is signed and sent; each field is one place in which something can go wrong.

    Args:
        sent: The body that comes.
        body: The body that is signed.
        time: What stands in the timestamp's header.
        secret: What is made of the secret before it is used.
        text: What is signed, of timestamp and body.
        mac: Signs a text with a secret.
        written: Writes the header of the signature.
        names: Other names of headers; None for one that is not sent.
        known: Whether the receiver has the secret that was used.
    """

    sent: bytes = BODY
    body: bytes = BODY
    time: str = str(int(NOW.timestamp()))
    secret: Callable[[bytes], bytes] = bytes
    text: Callable[[bytes, bytes], bytes] = lambda time, body: time + b"." + body
    mac: Callable[[bytes, bytes], bytes] = lambda secret, text: hmac.digest(secret, text, "sha256")
    written: Callable[[bytes], str] = lambda digest: f"sha256={digest.hex()}"
    names: dict[str, str | None] = field(default_factory=dict)
    known: bool = True

    def diagnosed(self, ids: Ids) -> Diagnosis:
        """What is said of its webhook, with a fresh secret."""
        secret, other = (f"whsec_{ids.draw(24).hex()}" for _ in range(2))
        digest = self.mac(self.secret(secret.encode()), self.text(self.time.encode(), self.body))
        fields = {_SIGNATURE: self.written(digest), _TIMESTAMP: self.time, "X-Webhook-Id": "id-7"}
        headers = [(self.names.get(name, name), value) for name, value in fields.items()]
        named = [(name, value) for name, value in headers if name is not None]
        return diagnose(named, self.sent, secret if self.known else other, NOW)


def _case(title: str, names: Sequence[str], sender: Sender, report: str = "") -> Case:
    return Case(title, tuple(names), sender.diagnosed, report)


def _rewritten(**options: Any) -> bytes:
    return json.dumps(EVENT, **options).encode()


SINGLE: tuple[Case, ...] = (
    _case("the body alone signed", ["webhook-body-alone"], Sender(text=lambda _, body: body)),
    _case("no full stop signed", ["webhook-separator"], Sender(text=lambda time, body: time + body)),
    _case("body before timestamp", ["webhook-order-turned"], Sender(text=lambda time, body: body + b"." + time)),
    _case("the id signed too", ["webhook-id-signed"], Sender(text=lambda time, body: b"id-7." + time + b"." + body)),
    _case("SHA-512", ["webhook-other-algorithm"], Sender(mac=lambda secret, text: hmac.digest(secret, text, "sha512"))),
    _case(
        "no HMAC",
        ["webhook-plain-hash"],
        Sender(mac=lambda secret, text: hashlib.sha256(secret + text).digest()),
    ),
    _case("the secret without its prefix", ["webhook-secret-without-prefix"], Sender(secret=lambda secret: secret[6:])),
    _case(
        "the secret decoded from hex",
        ["webhook-secret-without-prefix"],
        Sender(secret=lambda secret: bytes.fromhex(secret[6:].decode())),
    ),
    _case("a newline after the secret", ["webhook-secret-other-end"], Sender(secret=lambda secret: secret + b"\n")),
    _case(
        "the hash of the secret used",
        ["webhook-secret-encoded"],
        Sender(secret=lambda key: hashlib.sha256(key).digest()),
    ),
    _case("the body written again by Python", ["webhook-other-body"], Sender(body=_rewritten())),
    _case("the body pretty-printed", ["webhook-other-body"], Sender(body=_rewritten(indent=2, ensure_ascii=False))),
    _case("the body compact where blanks came", ["webhook-other-body"], Sender(sent=_rewritten(ensure_ascii=False))),
    _case(
        "the data alone signed",
        ["webhook-other-body"],
        Sender(body=json.dumps(EVENT["data"], separators=(",", ":"), ensure_ascii=False).encode()),
    ),
    _case(
        "in base64", ["webhook-base64"], Sender(written=lambda digest: f"sha256={base64.b64encode(digest).decode()}")
    ),
    _case("no prefix", ["webhook-prefix-missing"], Sender(written=bytes.hex)),
    _case("the prefix v1", ["webhook-prefix-other"], Sender(written=lambda digest: f"v1={digest.hex()}")),
    _case("the timestamp not sent", ["webhook-header-missing"], Sender(names={_TIMESTAMP: None})),
    _case(
        "the header of another vendor", ["webhook-header-renamed"], Sender(names={_SIGNATURE: "X-Hub-Signature-256"})
    ),
    _case("milliseconds", ["webhook-timestamp-milliseconds"], Sender(time=str(int(NOW.timestamp() * 1000)))),
    _case("a date as timestamp", ["webhook-timestamp-date"], Sender(time=NOW.isoformat())),
    _case("six minutes old", ["webhook-too-old"], Sender(time=str(int(NOW.timestamp()) - 360))),
    _case("an hour ahead", ["webhook-too-new"], Sender(time=str(int(NOW.timestamp()) + 3600))),
)
"""One mistake each."""

UNKNOWN: tuple[Case, ...] = (
    _case("another secret", NONE, Sender(known=False)),
    _case("a value altered after signing", NONE, Sender(sent=BODY.replace(b"BTC", b"SOL"))),
    _case("members in an order that nobody writes", NONE, Sender(body=_rewritten(separators=(", ", " : ")))),
    _case("random bytes as signature", NONE, Sender(mac=lambda _, text: hashlib.shake_256(text).digest(32))),
)
"""What no candidate explains."""
