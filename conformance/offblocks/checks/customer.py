"""What answers show of customers: at their creation, when they are read, and when they are listed."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from fractions import Fraction
from http import HTTPStatus
from uuid import UUID

from conformance.exchange import Exchange, Mode
from conformance.findings import Finding, answer
from conformance.offblocks.checks.base import SAYS, TOLERANCE, as_created, is_plain, is_shown, same_account
from conformance.offblocks.checks.history import History
from conformance.offblocks.messages import account, instant
from conformance.offblocks.observer import Creation
from conformance.offblocks.wallet import Wallet

_STATES = ("initiating", "screening", "verifying", "rejected", "active", "inactive")
"""The states that the page Customer States names before the place where it could not be read further."""
_LONGEST_ORDINARY = 64
"""How long an externalId may be that every system takes, in characters."""
_MARKS_OF_MORE = ("next", "hasmore", "hasnext")
_NUMBERS_OF_ALL = {"total", "totalcount", "totalitems", "totalelements", "totalresults", "count"}
"""Names of members, as letters alone, by which a list that is given in pages says that there is more."""
_MOST_DIGITS = 30
"""How many digits of a second's fraction are compared at most."""


def creation(exchange: Exchange, history: History, settings: Mapping[str, str]) -> Iterator[Finding]:
    """What the answer to a creation shows of the customer.

    Args:
        exchange: The creation, which is not yet in the history.
        history: What came before it.
        settings: The API's settings.
    """
    asked = exchange.request.members()
    chain_id, external_id = asked.get("chainId"), asked.get("externalId")
    if not isinstance(chain_id, str) or not isinstance(external_id, str) or exchange.breaks:
        return
    response = exchange.response
    differs = history.has_older_token(exchange) or history.has_another_label(exchange)
    is_exempt = _may_be_refused(exchange, settings) or (differs and response.status == HTTPStatus.UNAUTHORIZED)
    if _is_fresh(exchange, history, settings) and not is_exempt:
        yield SAYS.judged(
            "customer.created-with-201",
            response.status == HTTPStatus.CREATED,
            "response status",
            "201",
            answer(exchange),
            exchange,
        )
    before = history.customer_of_pair(exchange)
    if before is not None and response.succeeded:
        identifier = response.members().get("id")
        yield SAYS.judged(
            "customer.no-second-for-a-pair",
            identifier == before,
            "response /id",
            f"{before}, the id of the customer of this pair",
            identifier,
            exchange,
        )
    elif before is not None:
        yield SAYS.judged("customer.no-second-for-a-pair", True, "response", "no second id", answer(exchange), exchange)
    if history.shows_creation(exchange):
        yield from _new_customer(exchange, chain_id, external_id)
        if not history.knows_key(exchange):
            yield from _update_time(response.members(), history, "response ", exchange)


def _is_fresh(exchange: Exchange, history: History, settings: Mapping[str, str]) -> bool:
    """Whether only a 201 is right: wallet, externalId and key are new, and the request and its chain are right."""
    asked = exchange.request.members()
    chain_id, external_id = str(asked["chainId"]), str(asked["externalId"])
    found = account(chain_id)
    old = any(wallet == chain_id.lower() or other == external_id for _, wallet, other in history.observer.pairs)
    return (
        not old
        and is_plain(exchange)
        and (exchange.identity, exchange.request.body) not in history.sent_repeatedly
        and set(asked) == {"chainId", "externalId"}
        and found is not None
        and found.address.strip("0x") != ""
        and str(found.chain) == settings.get("chain", str(found.chain))
        and str(exchange.request.header("Idempotency-Key")) not in {key for _, key in history.observer.uses}
    )


def _may_be_refused(exchange: Exchange, settings: Mapping[str, str]) -> bool:
    """Whether the answer is a refusal that no document rules out, though the customer is new to this test.

    None says how many requests are taken, that the length of a body need not be said, nor which texts are refused as an
    externalId; and what was created before this test may be in the way of an externalId that was drawn and of the
    wallet that the settings name.
    """
    status, asked = exchange.response.status, exchange.request.members()
    external_id = str(asked["externalId"])
    drawn = exchange.generated is not None and exchange.generated.mode is not Mode.GIVEN
    ordinary = external_id.isprintable() and 0 < len(external_id) <= _LONGEST_ORDINARY
    return (
        status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.LENGTH_REQUIRED}
        or (HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR and not ordinary)
        or (status == HTTPStatus.CONFLICT and (drawn or _is_configured(str(asked["chainId"]), settings)))
    )


def _is_configured(chain_id: str, settings: Mapping[str, str]) -> bool:
    """Whether an account is that of the wallet that the settings name."""
    key, found = settings.get("wallet_key"), account(chain_id)
    if key is None or found is None:
        return False
    return same_account(chain_id, Wallet(bytes.fromhex(key), str(found.chain)).account_id)


def _new_customer(exchange: Exchange, chain_id: str, external_id: str) -> Iterator[Finding]:
    members = exchange.response.members()
    expectations = (
        ("customer.starts-initiating", "status", "initiating"),
        ("customer.echoes-chain-id", "chainId", chain_id),
        ("customer.echoes-external-id", "externalId", external_id),
    )
    for rule, name, expected in expectations:
        held = is_shown(name, members.get(name), expected)
        yield SAYS.judged(rule, held, f"response /{name}", expected, members.get(name), exchange)
    if not external_id.isascii():
        yield SAYS.judged(
            "customer.external-id-is-any-string",
            members.get("externalId") == external_id,
            "response /externalId",
            external_id,
            members.get("externalId"),
            exchange,
        )
    links = [
        name for name, value in members.items() if isinstance(value, str) and value.startswith(("http:", "https:"))
    ]
    yield SAYS.read(
        "customer.verification-url",
        "present" if links else "absent",
        "response body",
        "a URL or none",
        ", ".join(links) or "none",
        exchange,
    )
    yield from _customer_fields(members, "response ", exchange)


def _customer_fields(members: Mapping[str, object], where: str, exchange: Exchange) -> Iterator[Finding]:
    identifier, status = members.get("id"), members.get("status")
    yield SAYS.judged("customer.id-is-a-uuid", _is_uuid(identifier), f"{where}/id", "a UUID", identifier, exchange)
    yield SAYS.judged(
        "customer.status-is-known", status in _STATES, f"{where}/status", " or ".join(_STATES), status, exchange
    )
    for name in ("createdAt", "updatedAt"):
        if name not in members:
            yield SAYS.lacking("customer.times-are-rfc3339", name, exchange)
            continue
        yield SAYS.judged(
            "customer.times-are-rfc3339",
            instant(members.get(name)) is not None,
            f"{where}/{name}",
            "an RFC 3339 time",
            members.get(name),
            exchange,
        )


def reading(exchange: Exchange, creation: Creation, history: History) -> Iterator[Finding]:
    """What reading a customer shows.

    Args:
        exchange: The request that reads it, and the answer with the customer.
        creation: The creation of this customer.
        history: What came before it.
    """
    members = exchange.response.members()
    yield from _customer_fields(members, "response ", exchange)
    if creation.identity != exchange.identity:
        return
    yield from as_created("customer.readable", members, creation, "response ", exchange)
    yield from _creation_time(members, creation, "response ", exchange)
    yield from _update_time(members, history, "response ", exchange)


def _update_time(members: Mapping[str, object], history: History, where: str, exchange: Exchange) -> Iterator[Finding]:
    """Whether who has another status than before is not shown with an earlier `updatedAt`.

    An answer may be overtaken by a later one, so that some minutes are left.
    """
    identifier, status, shown = str(members.get("id")), members.get("status"), instant(members.get("updatedAt"))
    if shown is None:
        return
    former, latest = history.updates.get(identifier, (status, shown))
    if status != former:
        yield SAYS.judged(
            "customer.updated-at-moves",
            shown >= latest - TOLERANCE,
            f"{where}/updatedAt",
            f"no time before {latest}, when the customer was {former}",
            members.get("updatedAt"),
            exchange,
        )
    history.updates[identifier] = status, shown


def _creation_time(
    members: Mapping[str, object], creation: Creation, where: str, exchange: Exchange
) -> Iterator[Finding]:
    before, now = creation.shown.get("createdAt"), members.get("createdAt")
    if before is None or now is None:
        yield SAYS.lacking("customer.created-at-stays", "createdAt, at creation and later", exchange)
        return
    likeness = "identical" if before == now else "fewer-digits" if _differ_in_digits(before, now) else None
    yield SAYS.read("customer.created-at-stays", likeness, f"{where}/createdAt", str(before), now, exchange)


def _differ_in_digits(one: object, other: object) -> bool:
    """Whether two texts are the same RFC 3339 time, which one of them cuts or rounds to fewer fraction digits."""
    if instant(one) is None or instant(other) is None:
        return False
    (digits, short), (more_digits, long) = sorted((_precisely(str(one)), _precisely(str(other))))
    unit = Fraction(1, 10**digits)
    return short == long if digits == more_digits else -unit / 2 <= long - short < unit


def _precisely(time: str) -> tuple[int, Fraction]:
    """How many fraction digits an RFC 3339 time has, and the time in seconds since 1970."""
    fraction = re.sub(r"^[^.]*\.?(\d*).*$", r"\1", time)[:_MOST_DIGITS]
    second = datetime.fromisoformat(re.sub(r"\.\d+", "", time).upper())
    return len(fraction), int(second.timestamp()) + Fraction(int(fraction or "0"), 10 ** len(fraction))


def listing(exchange: Exchange, history: History) -> Iterator[Finding]:
    """What the members of each listed customer show.

    Args:
        exchange: The request that lists them, and the answer.
        history: What came before it.
    """
    found = listed(exchange)
    if found:
        times = Counter(str(members.get("id")) for members in found)
        repeated = [f"{identifier}, {number} times" for identifier, number in times.items() if number > 1]
        got = "; ".join(repeated) or "so"
        yield SAYS.judged("customer.listed-once", not repeated, "response body", "each customer once", got, exchange)
    for number, members in enumerate(found):
        where = f"response /{number}"
        yield from _customer_fields(members, where, exchange)
        identifier = str(members.get("id"))
        created = history.observer.creation(identifier)
        if created is not None and created.identity == exchange.identity:
            yield from as_created("customer.listed", members, created, where, exchange)
            yield from _creation_time(members, created, where, exchange)
            yield from _update_time(members, history, where, exchange)
        elif created is not None and not history.observer.has_created(exchange.identity, identifier):
            expected = "no customer whom another client alone created"
            yield SAYS.judged("isolation.list-apart", False, f"{where}/id", expected, identifier, exchange)


def listed(exchange: Exchange) -> list[Mapping[str, object]]:
    """The customers in the answer to a list; a bare array, or the one in an object whose entries have an ``id``."""
    try:
        body = exchange.response.json()
    except ValueError:
        return []
    if isinstance(body, dict):
        arrays = [_objects(value) for value in body.values()]
        return next((entries for entries in arrays if any("id" in entry for entry in entries)), [])
    return _objects(body)


def is_partial(exchange: Exchange) -> bool:
    """Whether the answer to a list says itself that there is more: by a next page, a mark, or a number of all."""
    if 'rel="next"' in (exchange.response.header("Link") or ""):
        return True
    members = exchange.response.members()
    told = [members, *(value for value in members.values() if isinstance(value, dict))]
    number = len(listed(exchange))
    return any(_says_more(_letters(name), value, number) for each in told for name, value in each.items())


def _says_more(name: str, value: object, number: int) -> bool:
    if name in _NUMBERS_OF_ALL:
        return isinstance(value, int) and value > number
    return name.startswith(_MARKS_OF_MORE) and bool(value)


def _letters(name: str) -> str:
    return re.sub(r"[^a-z]", "", name.lower())


def _objects(array: object) -> list[Mapping[str, object]]:
    return [entry for entry in array if isinstance(entry, dict)] if isinstance(array, list) else []


def _is_uuid(value: object) -> bool:
    try:
        return isinstance(value, str) and str(UUID(value)) == value.lower()
    except ValueError:
        return False
