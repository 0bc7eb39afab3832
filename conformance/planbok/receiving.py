"""What receivers of Planbok's webhooks are checked with; they are signed as the receiver of the beta verifies them."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from typing import Any

from conformance.exchange import Headers, Request
from conformance.ids import Ids
from conformance.planbok.chains import CHAINS
from conformance.planbok.messages import KEY_HEADER
from conformance.planbok.pin_agent import ANSWERS
from conformance.planbok.webhooks import ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, TOLERANCE, sign
from conformance.receivers.receiving import Forgery, Receiving
from conformance.sandbox.messages import to_json
from conformance.sandbox.service import TENANTS

_EVENT_HEADER = "X-Webhook-Event"
_NEW_PIN, _WRONG_PINS, _MOST_TRIES = "640271", ("000001", "000002"), 20
_RETURN_URL = "https://return.example/"
_OFF = 2 * TOLERANCE
_SIGNATURE, _AGE = "checks-webhook-signature", "checks-webhook-age"


class PlanbokReceiving(Receiving):
    """Customers with wallets on every chain, who forget their PIN and are locked out."""

    scheme = (
        f"Signed with {SIGNATURE_HEADER} and {TIMESTAMP_HEADER} as the receiver of the beta verifies them (inferred: "
        "no page of the vendor shows how)."
    )
    usual = "wallet.created"
    refusing = (_SIGNATURE, _AGE)
    any_order = True

    async def journey(self, sandbox: Any, name: str) -> None:
        """Bring a customer from its creation over wallets and a new PIN to a lock-out."""
        body = {"state": "active", "wallets": list(CHAINS), "name": name, "refId": name}
        made = await sandbox.take_shortcut("/customers", to_json(body), "")
        customer = made.members()["id"]
        await self._at_page(sandbox, customer, "reset-pin", [{"new_pin": _NEW_PIN, "answers": ANSWERS}])
        wrong = [{"pin": _WRONG_PINS[number % 2], "new_pin": _NEW_PIN} for number in range(_MOST_TRIES)]
        await self._at_page(sandbox, customer, "update-pin", wrong)

    async def _at_page(self, sandbox: Any, customer: str, operation: str, entries: list[dict[str, Any]]) -> None:
        """Ask for a challenge, and have the person enter one thing after the other, as long as the page takes it."""
        headers = ((KEY_HEADER, sandbox.credentials(TENANTS[0])["api_key"]), ("Content-Type", "application/json"))
        path = f"/v2/customers/{customer}/{operation}"
        asked = Request(headers, to_json({"redirectUrl": _RETURN_URL}), "POST", f"http://127.0.0.1{path}")
        challenge = (await sandbox.answer(asked, path)).members()["data"]["challengeId"]
        for entry in entries:
            entered = await sandbox.take_shortcut(f"/challenges/{challenge}/pin", to_json(entry), "")
            if not entered.succeeded:
                return

    def label(self, body: bytes) -> str:
        """The kind of an event."""
        return str(json.loads(body)["event"])

    def renewed(self, body: bytes, name: str) -> bytes:
        """An event like this one with another ``idempotencyKey``."""
        return to_json({**json.loads(body), "idempotencyKey": name})

    def of_unknown_kind(self, body: bytes) -> bytes:
        """An event like this one, of a kind that no document lists."""
        return to_json({**json.loads(body), "event": "policy.updated"})

    def headers(self, body: bytes, secret: str | None, at: datetime) -> Headers:
        """The headers by which a receiver verifies an event, and tells it from others."""
        event = json.loads(body)
        told = ((_EVENT_HEADER, event["event"]), (ID_HEADER, event["idempotencyKey"]))
        return (*sign(body, secret or "", at).items(), *told)

    def forgeries(self, bodies: Iterator[bytes], secret: str, ids: Ids) -> Iterator[Forgery]:
        """Events whose signature does not verify, or not any more."""
        other = ids.alphanumeric(32)
        body = next(bodies)
        yield Forgery(*_ALTERED, _SIGNATURE, _altered(body), partial(self.headers, body, secret))
        body = next(bodies)
        yield Forgery(*_OTHER_SECRET, _SIGNATURE, body, partial(self.headers, body, other))
        for name, hint, rule, make in _FORGED:
            body = next(bodies)
            yield Forgery(name, hint, rule, body, partial(make, partial(self.headers, body, secret)))


_ALTERED = (
    "altered body",
    "It takes a body that was not signed so: it verifies no signature, or not one over the bytes that came.",
)
_OTHER_SECRET = (
    "signed with another secret",
    "It takes what anybody could have signed: compare the whole signature with the one that your secret gives.",
)

_Sign = Callable[[datetime], Headers]


def _unsigned(sign_at: _Sign, at: datetime) -> Headers:
    return _without(sign_at(at), SIGNATURE_HEADER)


def _undated(sign_at: _Sign, at: datetime) -> Headers:
    return _without(sign_at(at), SIGNATURE_HEADER, TIMESTAMP_HEADER)


def _of_other_prefix(sign_at: _Sign, at: datetime) -> Headers:
    return _with(sign_at(at), SIGNATURE_HEADER, lambda value: f"sha1={value.partition('=')[2]}")


def _halved(sign_at: _Sign, at: datetime) -> Headers:
    return _with(sign_at(at), SIGNATURE_HEADER, lambda value: value[: len(value) // 2])


def _dated_anew(sign_at: _Sign, at: datetime) -> Headers:
    return _with(sign_at(at - _OFF), TIMESTAMP_HEADER, lambda _: str(int(at.timestamp())))


def _old(sign_at: _Sign, at: datetime) -> Headers:
    return sign_at(at - _OFF)


def _early(sign_at: _Sign, at: datetime) -> Headers:
    return sign_at(at + _OFF)


_FORGED: tuple[tuple[str, str, str, Callable[[_Sign, datetime], Headers]], ...] = (
    (
        "no signature header",
        f"It verifies only where there is something to verify: without {SIGNATURE_HEADER} an event is to be refused.",
        _SIGNATURE,
        _unsigned,
    ),
    (
        "neither signature nor timestamp",
        f"It verifies only where there is something to verify: without {SIGNATURE_HEADER} an event is to be refused.",
        _SIGNATURE,
        _undated,
    ),
    (
        "another prefix",
        "It looks at the digits alone: `sha1=` before those of a SHA-256 is not what signs an event.",
        _SIGNATURE,
        _of_other_prefix,
    ),
    (
        "half of the signature",
        "It compares as many characters as there are: the whole signature has to be the same.",
        _SIGNATURE,
        _halved,
    ),
    (
        "another timestamp than the signed one",
        f"It leaves {TIMESTAMP_HEADER} out of what it verifies, so that an old event passes for a new one.",
        _SIGNATURE,
        _dated_anew,
    ),
    (
        f"{_OFF.seconds // 60} minutes old",
        f"It takes a recorded event at any later time: {TIMESTAMP_HEADER} may be 300 s from its clock, either way.",
        _AGE,
        _old,
    ),
    (
        f"{_OFF.seconds // 60} minutes in the future",
        f"It looks at {TIMESTAMP_HEADER} in one direction only, or not at all: 300 s are allowed either way.",
        _AGE,
        _early,
    ),
)


def _altered(body: bytes) -> bytes:
    """An event with one character of its address changed, of an event without one the first of its data."""
    event = json.loads(body)
    data = dict(event["data"])
    name = "address" if isinstance(data.get("address"), str) else next(iter(data))
    value = str(data[name])
    data[name] = f"{value[:-1]}{'1' if value.endswith('0') else '0'}"
    return to_json({**event, "data": data})


def _without(headers: Headers, *names: str) -> Headers:
    return tuple((name, value) for name, value in headers if name not in names)


def _with(headers: Headers, changed: str, change: Callable[[str], str]) -> Headers:
    return tuple((name, change(value) if name == changed else value) for name, value in headers)
