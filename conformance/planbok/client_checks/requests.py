"""What a single request of a client shows: the idempotency key, a PIN in the body, the body itself."""

import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

from conformance.exchange import Exchange, NotJsonError, Request, is_compressed, kind_of
from conformance.findings import Finding
from conformance.planbok.client_checks.findings import SAYS

KEY = "idempotencyKey"
"""The member that carries the idempotency key."""
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_PIN = re.compile(r"[0-9]{6}")
Repeatable = tuple[str, str, str]


def repeatable_of(request: Request) -> Repeatable:
    """What a request has in common with its repetitions: all but the order of its members and the idempotency key."""
    members = {name: value for name, value in request.members().items() if name != KEY}
    try:
        written = json.dumps(members, sort_keys=True) if members else ""
    except RecursionError:
        written = ""
    return request.method, request.url, written or request.body.decode("latin-1")


def key_in(request: Request) -> str | None:
    """The idempotency key of a request, a UUID in one form whichever it is written in; None if it has none."""
    key = request.members().get(KEY)
    if not isinstance(key, str) or not key.strip():
        return None
    try:
        return str(UUID(key))
    except ValueError:
        return key


def wished_pause(exchange: Exchange) -> timedelta | None:
    """How long an answer asks to wait (Retry-After, RFC 9110 section 10.2.3), None if it does not."""
    said = exchange.response.header("Retry-After") or ""
    try:
        return timedelta(seconds=int(said)) if said.isdecimal() else parsedate_to_datetime(said) - answered_at(exchange)
    except (IndexError, OverflowError, TypeError, ValueError):
        return None


def answered_at(exchange: Exchange) -> datetime:
    """When an exchange was answered (UTC)."""
    return exchange.at + timedelta(seconds=exchange.seconds)


def names_pin(name: str) -> bool:
    """Whether a member or a field of this name holds a PIN, in camel or snake case."""
    return not {"pin", "pincode"}.isdisjoint(word.lower() for word in _WORD.findall(name))


def entered_pins(request: Request) -> set[str]:
    """The PINs that a customer enters on the page."""
    fields = parse_qsl(request.body.decode("latin-1"))
    return {value for name, value in fields if names_pin(name) and _PIN.fullmatch(value)}


def leaves_pin(request: Request) -> Finding:
    """Judge whether a body has a member that holds a PIN."""
    found = []
    try:
        pending = [request.json()]
    except NotJsonError:
        pending = []
    while pending:
        match pending.pop():
            case dict() as members:
                found += [name for name, value in members.items() if names_pin(name) and not _is_flag(value)]
                pending += members.values()
            case list() as values:
                pending += values
    got = f"members called {', '.join(sorted(found))}" if found else "none"
    return SAYS.judged("leaves-pin-to-the-page", not found, "request body", "no PIN", got)


def as_text(value: Any) -> str:
    """A text itself; of any other value its type, since the value may be nested too deep to be written."""
    return value if isinstance(value, str) else "none" if value is None else kind_of(value)


def _as_list(value: Any) -> str:
    """What is in the place of a list of names."""
    if not isinstance(value, list):
        return as_text(value)
    return f"a list of {', '.join(sorted({kind_of(each) for each in value}))}" if value else "an empty list"


def _is_flag(value: Any) -> bool:
    return value is None or isinstance(value, bool)


def json_object(request: Request) -> Iterator[Finding]:
    """Judge whether a body is a JSON object, and says so."""
    kind = (request.header("Content-Type") or "none").partition(";")[0].strip().lower()
    where, is_said = "request header Content-Type", kind == "application/json"
    yield SAYS.judged("sends-json", is_said, where, "application/json", kind)
    if is_compressed(request) or not is_said:
        return  # one that says otherwise need not be JSON
    try:
        body = request.json()
        held, got = isinstance(body, dict), f"JSON, but {kind_of(body)}"
    except NotJsonError as error:
        held, got = False, str(error)
    yield SAYS.judged("sends-json", held, "request body", "a JSON object", "that" if held else got)


def asks_for_wallets(request: Request) -> Finding:
    """Judge the body of a request for wallets."""
    members = request.members()
    blockchains, account_type = members.get("blockchains"), members.get("accountType", "eoa")
    listed = (
        isinstance(blockchains, list)
        and bool(blockchains)
        and all(isinstance(name, str) and name for name in blockchains)
    )
    names = "a list of names" if listed else _as_list(blockchains)
    return SAYS.judged(
        "asks-for-wallets-as-documented",
        listed and account_type == "eoa",
        "request body",
        "blockchains, a list of names, and no accountType but eoa",
        f"blockchains {names}, accountType {as_text(account_type)}",
    )
