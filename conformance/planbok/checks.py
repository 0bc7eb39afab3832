"""The rules for Planbok that can be told from a list of exchanges: exchanges in, findings out.

An exchange without an operation is a step of the hosted page, which no rule for the API judges. Whether a webhook is
signed is not told here, since that takes the secret.
"""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

from coincurve import PublicKey

from conformance.exchange import Delivery, Exchange, Message
from conformance.findings import Finding, Says
from conformance.judging import responses
from conformance.planbok.chains import CHAINS, Chain
from conformance.planbok.messages import (
    Asked,
    Challenge,
    Wallet,
    asked_in,
    challenge_in,
    event_of,
    filtered_customers,
    wallets_in,
)
from conformance.specification import Specification
from conformance.standards.addresses import (
    AddressRejected,
    Family,
    Kind,
    Reason,
    address_of,
    check_address,
    decode_base58,
)
from conformance.standards.hd_keys import Curve

_SAYS = Says("planbok.")
_JSON = "application/json"
_ISSUES = ("initializeCustomer", "setUpRecovery", "updatePin", "resetPin", "createWallets")
"""The operations that are answered with a new challenge."""
_DESCRIBED_EVENTS = {
    "wallet.created": "walletCreated",
    "customer.created": "customerCreated",
    "customer.pin_setup": "customerPinSetup",
    "customer.locked_out": "customerLockedOut",
    "customer.recovery_initiated": "customerRecoveryInitiated",
    "customer.recovery_completed": "customerRecoveryCompleted",
}
"""The events in the specification, each with its operation."""
_ENDS_OF_TRANSACTIONS = ("created", "signed", "broadcast", "confirmed", "failed", "accelerated", "cancelled")
_LISTED_EVENTS = {*_DESCRIBED_EVENTS, *(f"transaction.{end}" for end in _ENDS_OF_TRANSACTIONS)}
"""The events that the vendor's page lists."""
_UNLISTED_EVENTS = {"challenge.completed", "customer.setup_completed"}
"""The events that a client takes beside them."""
_DEEPEST = 100
"""Levels of a body; one that is nested deeper says nothing, lest reading it exhaust the stack."""
_USUAL_LIMIT = 10
"""How many entries a page has unless the request says otherwise (API Reference, Wallet Sets)."""
_FRESH_SECONDS = 300
_REFUSAL = 400
_NOT_FOUND = 404
_TOO_MANY = 429
_SERVER_ERROR = 500
_OBJECT_ID = re.compile(r"[0-9a-fA-F]{24}")
_COUNT = re.compile(r"[1-9][0-9]{0,8}")
_SECONDS = re.compile(r"[0-9]{1,15}")
_HEX_KEY = re.compile(r"(?:0x)?((?:[0-9a-fA-F]{2}){32,65})")
_BASE58_KEY = re.compile(r"(?:ed25519:)?([1-9A-HJ-NP-Za-km-z]{32,44})")
_ED25519_SIZE = 32
_SECP256K1_FORMS = {(33, b"\2"), (33, b"\3"), (65, b"\4")}
"""Size and first byte of a public key (SEC 1, section 2.3.3)."""
_KINDS_OF_KEYS = {Kind.EVM, Kind.P2PKH, Kind.P2WPKH, Kind.SOLANA, Kind.NEAR_IMPLICIT}
_ACCOUNT = re.compile(r"m/(?:44|49|84|86)['hH]?/[0-9]{1,10}['hH]?/([0-9]{1,10})['hH]?(?:/[0-9]{1,10}['hH]?)*")
_BIP44_PATH = re.compile(r"m/44['hH](?:/[0-9]{1,10}['hH]){2}(?:/[0-9]{1,10}['hH]?){0,2}")
_EXPORTED_PATH = re.compile(r"m/(44|84)(?:/[0-9]{1,10}){2,4}")
_FORMS = {
    Family.EVM: ("evm-form", "0x and 40 hexadecimal digits"),
    Family.BITCOIN: ("bitcoin-form", "P2PKH, P2SH, bech32 or bech32m"),
    Family.SOLANA: ("solana-form", "base58 of 32 bytes"),
    Family.NEAR: ("near-form", "64 lower-case hexadecimal digits, 0x and 40, or a named account"),
}

_Place = tuple[str, str]
"""Chain and address of a wallet, this in the letter case in which it can be compared."""
_Name = tuple[str, str]
"""Id and chain of a wallet: no document says that an id stands for one chain alone."""
_Index = dict[tuple[str, ...], set[_Place]]
"""Places of wallets by each of their `_keys`."""
_Intent = tuple[str, ...]
"""What a request has in common with its repetitions."""


@dataclass(frozen=True)
class _Shown:
    """A wallet in one place where an answer or an event shows it.

    Args:
        where: The place, a side and a JSON pointer.
        wallet: The wallet.
        customer: Whose it is; None if nothing says so.
    """

    where: str
    wallet: Wallet
    customer: str | None

    @property
    def place(self) -> _Place:
        """Its chain and address."""
        return self.wallet.blockchain, _comparable(self.wallet.address, CHAINS.get(self.wallet.blockchain))

    @property
    def name(self) -> _Name | None:
        """Its id and chain, None if no id is shown."""
        return (self.wallet.id, self.wallet.blockchain) if self.wallet.id else None

    def __str__(self) -> str:
        return f"{self.wallet.address} on {self.wallet.blockchain}"


@dataclass
class _Answer:
    """An exchange with the API, read.

    Args:
        exchange: The exchange.
        asked: What it asked for.
        data: The payload; None if there is none.
        wallets: The wallets that it shows.
        foreign: In a list filtered by customers of the caller's, the wallets of others; None in any other answer.
    """

    exchange: Exchange
    asked: Asked
    data: Any
    wallets: list[_Shown] = field(default_factory=list)
    foreign: list[_Shown] | None = None


@dataclass(frozen=True)
class _Event:
    """A webhook, read.

    Args:
        where: What to call it.
        delivery: The webhook.
        members: The members of its body.
        wallets: The wallets that it shows.
    """

    where: str
    delivery: Delivery
    members: Mapping[str, Any]
    wallets: list[_Shown]


@dataclass(frozen=True)
class _Issue:
    """A request for which a challenge was issued.

    Args:
        operation: The operation.
        customer: Whose challenge it is.
        intent: What its repetitions have in common with it.
        chains: The chains that it asked for.
        earlier: The chains that earlier challenges of the customer asked for.
    """

    operation: str
    customer: str
    intent: _Intent
    chains: frozenset[str]
    earlier: frozenset[str]


@dataclass(frozen=True)
class _Issued:
    """A challenge with the request that it was issued for.

    Args:
        intent: What repetitions of the request have in common with it.
        asked_for: What every request for the same has in common with it.
        challenge: The challenge.
    """

    intent: _Intent
    asked_for: _Intent
    challenge: Challenge

    def is_the_same_as(self, other: "_Issued") -> bool:
        """Whether this can be the same challenge, given once more; a repetition may be given it under another page."""
        if self.challenge.id != other.challenge.id:
            return False
        same_page = self.challenge.redirect_url == other.challenge.redirect_url
        return self.intent == other.intent or (same_page and self.asked_for == other.asked_for)


@dataclass
class _Known:
    """What all exchanges and webhooks of a test say together.

    Args:
        created: Who created each customer, and what with, by the customer's id.
        customers: The ids of all customers.
        own: Who was answered about which customer.
        issued: The request of each challenge by its id; None if different requests were given that id.
        asked: How many challenges asked for a wallet of each customer on each chain.
        results: The places of the wallets in the results of challenges.
        listed: The places of the wallets in lists.
        owners: Customer and wallet's id of the wallets at each place.
        holders: The customers that have each address, by family and address.
        families: The customers that have an address of each family.
        on_evm: The addresses on each EVM chain, by customer and chain.
        accounts: The places of a customer's wallets whose path is shown, each with its account.
    """

    created: dict[str, tuple[str, Mapping[str, Any]]] = field(default_factory=dict)
    customers: set[str] = field(default_factory=set)
    own: set[tuple[str, str]] = field(default_factory=set)
    issued: dict[str, _Issue | None] = field(default_factory=dict)
    asked: Counter[tuple[str, str]] = field(default_factory=Counter)
    results: _Index = field(default_factory=lambda: defaultdict(set))
    listed: _Index = field(default_factory=lambda: defaultdict(set))
    owners: dict[_Place, set[tuple[str, str | None]]] = field(default_factory=lambda: defaultdict(set))
    holders: dict[tuple[Family, str], set[str]] = field(default_factory=lambda: defaultdict(set))
    families: dict[Family, set[str]] = field(default_factory=lambda: defaultdict(set))
    on_evm: dict[str, dict[str, set[str]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(set)))
    accounts: dict[str, set[tuple[_Place, int]]] = field(default_factory=lambda: defaultdict(set))


@dataclass
class _Before:
    """What the exchanges before the present one showed.

    Args:
        challenges: The challenges that were issued.
        lists: The wallets that were listed, by who asked for them with which filter, then by name or place.
        listed: The places where a wallet was listed, by who asked and the wallet's id.
    """

    challenges: list[_Issued] = field(default_factory=list)
    lists: dict[tuple[str, frozenset[tuple[str, str]]], dict[_Name | _Place, _Shown]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    listed: dict[tuple[str, str | None], set[_Place]] = field(default_factory=lambda: defaultdict(set))


def provider_findings(
    exchanges: Sequence[Exchange],
    deliveries: Sequence[Delivery],
    specification: Specification,
    settings: Mapping[str, str],
) -> list[Finding]:
    """What the rules for the provider say of the exchanges and webhooks of one test.

    Args:
        exchanges: The exchanges in the order of their ends.
        deliveries: The webhooks received.
        specification: The API's specification.
        settings: The API's settings; ``blockchains`` names the chains that the run is about, joined by blanks.
    """
    answers = [_answer(exchange) for exchange in exchanges if exchange.operation is not None]
    known = _Known()
    for answer in answers:
        _learn(answer, known)
    events = [_event(number, delivery, known) for number, delivery in enumerate(deliveries, start=1)]
    _attribute(answers, events, known)
    chains = {*CHAINS, *settings.get("blockchains", "").split()}
    before = _Before()
    findings: list[Finding] = []
    for answer in answers:
        findings += _form(answer.exchange, specification)
        findings += _content(answer, known, before, chains)
        findings += _addresses(answer.wallets, known, answer.exchange)
    findings += _webhooks(events, known, specification)
    return findings


# --------------------------------------------------------------------------------------------------- form of answers


def _form(exchange: Exchange, specification: Specification) -> Iterator[Finding]:
    response = exchange.response
    yield responses.no_server_error(_SAYS, exchange)
    if response.status >= _SERVER_ERROR:
        return
    yield responses.media_type(_SAYS, exchange, [_JSON])
    members = _members(response)
    if members:
        yield _SAYS.judged(
            "response.success-agrees",
            members.get("success") is response.succeeded,
            "response /success",
            f"{json.dumps(response.succeeded)}, since the status is {response.status}",
            json.dumps(members["success"]) if "success" in members else "nothing",
            exchange,
        )
    if response.succeeded:
        yield from responses.schema(_SAYS, exchange, specification, _JSON)
    elif response.status >= _REFUSAL:
        yield _SAYS.read(
            "response.error-body",
            _error_reading(members),
            "response body",
            "a text as /message or as /errors/message",
            response.body,
            exchange,
        )


def _error_reading(members: Mapping[str, Any]) -> str | None:
    errors = members.get("errors")
    inner = errors.get("message") if isinstance(errors, dict) else None
    texts = {"message": members.get("message"), "errors": inner}
    return next((reading for reading, text in texts.items() if isinstance(text, str) and text.strip()), None)


# ------------------------------------------------------------------------------------------------ content of answers


def _content(answer: _Answer, known: _Known, before: _Before, chains: AbstractSet[str]) -> Iterator[Finding]:
    match answer.asked.operation:
        case "createCustomer":
            yield from _id_forms(answer)
        case "getCustomer":
            yield from _id_forms(answer)
            yield from _customer(answer, known)
        case "listCustomers":
            yield from _id_forms(answer)
            yield from _limited(answer)
        case "getChallenge":
            yield from _whereabouts(answer, known)
            yield from _progress(answer, known, chains)
        case "listChallenges":
            yield from _progress(answer, known, chains)
        case "listWallets" if isinstance(answer.data, list):
            yield from _limited(answer)
            yield from _theirs(answer)
            yield from _stay(answer, before)
            yield from _as_results(answer, known)
        case "getWallet":
            yield from _single(answer, before)
        case operation if operation in _ISSUES and answer.exchange.response.succeeded:
            yield from _issue(answer, before)


def _id_forms(answer: _Answer) -> Iterator[Finding]:
    for pointer, entry in _entries(answer):
        identifier = entry.get("id") if isinstance(entry, dict) else None
        if isinstance(identifier, str):
            yield _SAYS.read(
                "customer.id-form",
                _id_form(identifier),
                f"response {pointer}/id",
                "24 hexadecimal digits or a UUID",
                identifier,
                answer.exchange,
            )


def _entries(answer: _Answer) -> list[tuple[str, Any]]:
    """The entries of a list, or the one thing that is no list, each with its JSON pointer."""
    if isinstance(answer.data, list):
        return [(f"/data/{number}", entry) for number, entry in enumerate(answer.data)]
    return [("/data", answer.data)]


def _id_form(identifier: str) -> str | None:
    """The reading of the form of a customer's id."""
    if _OBJECT_ID.fullmatch(identifier):
        return "object-id"
    try:
        return "uuid" if str(UUID(identifier)) == identifier.lower() else None
    except ValueError:
        return None


def _customer(answer: _Answer, known: _Known) -> Iterator[Finding]:
    exchange, identifier = answer.exchange, str(answer.asked.customer)
    if identifier not in known.created:
        return
    creator, created = known.created[identifier]
    if isinstance(answer.data, dict):
        for rule, name, expected in (
            ("customer.readable", "id", identifier),
            ("customer.names-kept", "name", created.get("name")),
            ("customer.names-kept", "refId", created.get("refId")),
        ):
            if isinstance(expected, str) and name in answer.data:
                yield _SAYS.judged(
                    rule,
                    answer.data[name] == expected,
                    f"response /data/{name}",
                    f"{expected}, as at creation",
                    answer.data[name],
                    exchange,
                )
    elif exchange.response.status == _NOT_FOUND and creator == exchange.identity and not exchange.breaks:
        yield _SAYS.judged(
            "customer.readable",
            False,
            "response status",
            "2xx, since the same client created the customer",
            exchange.response.status,
            exchange,
        )


def _limited(answer: _Answer) -> Iterator[Finding]:
    limit = dict(parse_qsl(answer.exchange.request.query)).get("limit", "")
    if not isinstance(answer.data, list) or not _COUNT.fullmatch(limit):
        return
    names = Counter(
        f"{entry['id']} {entry.get('blockchain', '')}".strip()
        for entry in answer.data
        if isinstance(entry, dict) and isinstance(entry.get("id"), str)
    )
    twice = [name for name, times in names.items() if times > 1]
    yield _SAYS.judged(
        "list.pages-complete",
        len(answer.data) <= int(limit) and not twice,
        "response /data",
        f"no more than {limit} entries, each once",
        f"{len(answer.data)} entries{f', {twice[0]} more than once' if twice else ''}",
        answer.exchange,
    )


# -------------------------------------------------------------------------------------------------------- challenges


def _issue(answer: _Answer, before: _Before) -> Iterator[Finding]:
    exchange = answer.exchange
    pointer, challenge = _issued_challenge(answer)
    named = challenge.named if challenge else ()
    yield _SAYS.read(
        "challenge.identifier",
        "challenge-id" if "challengeId" in named else "plain-id" if named else None,
        f"response {pointer}",
        "challengeId or id",
        " and ".join(named) or "neither",
        exchange,
    )
    url = challenge.redirect_url if challenge else None
    page, own = _web_page(url or ""), _members(exchange.request).get("redirectUrl")
    yield _SAYS.judged(
        "challenge.answered",
        page is not None and not (isinstance(own, str) and _web_page(own) == page),
        f"response {pointer}/redirectUrl",
        "an absolute http or https URL, and not the caller's own page",
        url,
        exchange,
    )
    if challenge is None:
        return
    yield from _no_result(challenge, pointer, exchange)
    intent = _intent(exchange)
    if challenge.status is not None and intent not in {earlier.intent for earlier in before.challenges}:
        yield _SAYS.judged(
            "challenge.starts-pending",
            challenge.status == "pending",
            f"response {pointer}/status",
            "pending",
            challenge.status,
            exchange,
        )
    issued = _Issued(intent, _asked_for(answer), challenge)
    if before.challenges:
        yield from _unique(issued, pointer, exchange, before)
    before.challenges.append(issued)


def _issued_challenge(answer: _Answer) -> tuple[str, Challenge | None]:
    """A new challenge with its place: ``data`` or, since no document shows that member, the whole body."""
    if isinstance(answer.data, dict):
        return "/data", challenge_in(answer.data)
    return "", challenge_in(_members(answer.exchange.response))


def _web_page(url: str) -> tuple[str, str, str] | None:
    """What tells one web page from another, the query aside; None if `url` is no absolute URL of one."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        return None
    return (parts.scheme, parts.netloc.lower(), parts.path or "/") if usable else None


def _intent(exchange: Exchange) -> _Intent:
    """What a request shares with its repetitions: its idempotency key, without one the whole body."""
    request = exchange.request
    key = _members(request).get("idempotencyKey")
    repeated = ("key", key) if isinstance(key, str) else ("body", request.body.decode("latin-1"))
    return exchange.identity, request.path, *repeated


def _asked_for(answer: _Answer) -> _Intent:
    """What a request has in common with every other for the same challenge, whatever its key: customer, task, chains.

    No document says whether a second request for what is still open gets another challenge. The chains count in a
    request for wallets alone: the README of the beta names them in a set-up too, of which the reference knows nothing.
    """
    exchange = answer.exchange
    chains = _chains_asked_for(exchange) if answer.asked.operation == "createWallets" else ()
    return exchange.identity, exchange.request.path, *sorted(chains)


def _chains_asked_for(exchange: Exchange) -> frozenset[str]:
    names = _members(exchange.request).get("blockchains")
    return frozenset(name for name in names if isinstance(name, str)) if isinstance(names, list) else frozenset()


def _unique(issued: _Issued, pointer: str, exchange: Exchange, before: _Before) -> Iterator[Finding]:
    """A request may be given the challenge of one that asked for the same; any other gets a new page and a new id."""
    challenge = issued.challenge
    name = challenge.named[0] if challenge.named else "id"
    for rule, member, attribute in (
        ("challenge.ids-differ", name, "id"),
        ("challenge.unique", "redirectUrl", "redirect_url"),
    ):
        value = getattr(challenge, attribute)
        if value is not None:
            first = next((other for other in before.challenges if getattr(other.challenge, attribute) == value), None)
            yield _SAYS.judged(
                rule,
                first is None or issued.is_the_same_as(first),
                f"response {pointer}/{member}",
                "one that no other challenge has",
                value,
                exchange,
            )


def _whereabouts(answer: _Answer, known: _Known) -> Iterator[Finding]:
    issue = known.issued.get(str(answer.asked.challenge))
    if issue is None or issue.customer == answer.asked.customer:
        return
    shown, status = challenge_in(answer.data) is not None, answer.exchange.response.status
    if shown or (_REFUSAL <= status < _SERVER_ERROR and status != _TOO_MANY):
        yield _SAYS.judged(
            "challenge.under-its-customer-only",
            not shown,
            "response status",
            f"a refusal, since the challenge is of the customer {issue.customer}",
            status,
            answer.exchange,
        )


def _progress(answer: _Answer, known: _Known, chains: AbstractSet[str]) -> Iterator[Finding]:
    for pointer, challenge in _challenges(answer):
        yield from _no_result(challenge, pointer, answer.exchange)
        if challenge.succeeded:
            yield _SAYS.read(
                "challenge.success-word",
                challenge.status,
                f"response {pointer}/status",
                "verified, completed or successful",
                challenge.status,
                answer.exchange,
            )
            yield from _chains_of_result(challenge, pointer, answer.exchange, known, chains)


def _challenges(answer: _Answer) -> list[tuple[str, Challenge]]:
    """The challenges that were read or listed, each with its JSON pointer."""
    if answer.asked.operation not in {"getChallenge", "listChallenges"}:
        return []
    found = [(pointer, challenge_in(entry)) for pointer, entry in _entries(answer)]
    return [(pointer, challenge) for pointer, challenge in found if challenge is not None]


def _no_result(challenge: Challenge, pointer: str, exchange: Exchange) -> Iterator[Finding]:
    """The document says of wallets that they come with success; a `result` may tell of something else before."""
    rules = {"pending": "none-while-pending", "failed": "none-when-failed"}
    if challenge.status in rules:
        wallets = challenge.wallets
        yield _SAYS.judged(
            f"result.{rules[challenge.status]}",
            not wallets,
            f"response {pointer}/result",
            "no wallets",
            json.dumps(challenge.result) if wallets else "none",
            exchange,
        )


def _chains_of_result(
    challenge: Challenge, pointer: str, exchange: Exchange, known: _Known, chains: AbstractSet[str]
) -> Iterator[Finding]:
    """No document says what becomes of a chain that the customer has already, or whose name nobody knows."""
    issue = known.issued.get(challenge.id or "")
    shown = {wallet.blockchain for wallet in challenge.wallets}
    if issue is None or issue.operation != "createWallets" or not shown:
        return
    due = issue.chains & chains - issue.earlier if issue.customer in known.created else frozenset()
    yield _SAYS.judged(
        "result.exactly-the-chains",
        due <= shown <= issue.chains,
        f"response {pointer}/result",
        f"wallets on {_joined(issue.chains)}",
        _joined(shown),
        exchange,
    )


# ------------------------------------------------------------------------------------------------------------ wallets


def _theirs(answer: _Answer) -> Iterator[Finding]:
    """A list filtered by one customer is documented; that a comma joins several, only a client shows."""
    if answer.foreign is None:
        return
    customers = set(filtered_customers(answer.exchange.request) or ())
    alone = len(customers) == 1
    for shown in answer.foreign:
        yield _SAYS.judged(
            "list.only-theirs" if alone else "list.several-customers",
            False,
            shown.where,
            f"a wallet of {_joined(customers)}",
            f"{shown}, which is another customer's",
            answer.exchange,
        )
    if alone and not answer.foreign:
        yield _SAYS.judged(
            "list.only-theirs", True, "response /data", f"wallets of {_joined(customers)}", "so", answer.exchange
        )


def _stay(answer: _Answer, before: _Before) -> Iterator[Finding]:
    """A wallet may be missed only in a list that is all on its first page; changed it may be on none."""
    exchange = answer.exchange
    query = parse_qsl(exchange.request.query, keep_blank_values=True)
    selection = frozenset(pair for pair in query if pair[0] not in {"page", "limit", "order"})
    earlier = before.lists[exchange.identity, selection]
    now = {shown.name: shown for shown in answer.wallets if shown.name}
    places = {shown.place for shown in answer.wallets}
    nameless = {shown.place for shown in answer.wallets if not shown.name}
    complete = _is_complete(answer, dict(query))
    same = [old for old in earlier.values() if old.name in now or old.place in (nameless if old.name else places)]
    changed = [old for old in same if old.name in now and now[old.name].place != old.place]
    lost = [old for old in earlier.values() if old not in same] if complete else []
    if same or lost:
        yield _SAYS.judged(
            "list.wallets-stay",
            not changed and not lost,
            "response /data",
            "the wallets that were listed before, as they were",
            ", ".join([f"{old} changed" for old in changed] + [f"{old} missing" for old in lost]) or "so",
            exchange,
        )
    for shown in answer.wallets:
        earlier.setdefault(shown.name or shown.place, shown)
        before.listed[exchange.identity, shown.wallet.id].add(shown.place)


def _is_complete(answer: _Answer, query: Mapping[str, str]) -> bool:
    """Whether a list shows so little on its first page that there can be no second one."""
    limit = query.get("limit", str(_USUAL_LIMIT))
    return (
        query.get("page", "1") == "1"
        and bool(_COUNT.fullmatch(limit))
        and len(answer.data) < min(int(limit), _USUAL_LIMIT)
        and len(answer.data) == len(answer.wallets)
    )


def _as_results(answer: _Answer, known: _Known) -> Iterator[Finding]:
    for shown in answer.wallets:
        yield from _agreement("list.agrees-with-result", shown, known.results, known, answer.exchange)


def _agreement(rule: str, shown: _Shown, others: _Index, known: _Known, exchange: Exchange | None) -> Iterator[Finding]:
    """Whether a wallet is shown alike elsewhere, where that can be said whatever is still on its way."""
    for key in _keys(shown):
        if key in others and (key[0] != "of" or _has_one(shown, known)):
            yield _SAYS.judged(
                rule,
                others[key] == {shown.place},
                f"{shown.where}/address",
                " and ".join(f"{address} on {chain}" for chain, address in sorted(others[key])),
                shown,
                exchange,
            )
            return


def _keys(shown: _Shown) -> list[tuple[str, ...]]:
    """By what a wallet in one place is found in others, the surest first: its name, its place, its customer."""
    keys: list[tuple[str, ...]] = [("named", *shown.name)] if shown.name else []
    keys.append(("at", *shown.place))
    return [*keys, ("of", shown.customer, shown.wallet.blockchain)] if shown.customer else keys


def _has_one(shown: _Shown, known: _Known) -> bool:
    """Whether a wallet's customer can have no second wallet on its chain, as no other was ever asked for."""
    customer = shown.customer or ""
    return customer in known.created and known.asked[customer, shown.wallet.blockchain] == 1


def _single(answer: _Answer, before: _Before) -> Iterator[Finding]:
    exchange = answer.exchange
    places = before.listed.get((exchange.identity, answer.asked.wallet))
    if places is None or exchange.breaks:
        return
    expected = " or ".join(f"{address} on {chain}" for chain, address in sorted(places))
    if exchange.response.status == _NOT_FOUND:
        yield _SAYS.judged(
            "list.wallet-readable", False, "response status", f"2xx with {expected}", _NOT_FOUND, exchange
        )
    for shown in answer.wallets:
        yield _SAYS.judged("list.wallet-readable", shown.place in places, shown.where, expected, shown, exchange)


# ---------------------------------------------------------------------------------------------------------- addresses


def _addresses(wallets: Sequence[_Shown], known: _Known, exchange: Exchange | None) -> Iterator[Finding]:
    for shown in wallets:
        chain = CHAINS.get(shown.wallet.blockchain)
        if chain is not None:
            yield from _address_form(shown, chain, exchange)
            yield from _address_of_key(shown, chain, exchange)
            yield from _path(shown, chain, exchange)
            yield from _among_others(shown, chain, known, exchange)


def _address_form(shown: _Shown, chain: Chain, exchange: Exchange | None) -> Iterator[Finding]:
    (rule, form), where, address = _FORMS[chain.family], f"{shown.where}/address", shown.wallet.address
    fault: AddressRejected | None = None
    try:
        check_address(address, chain.family, testnet=chain.testnet)
    except AddressRejected as error:
        fault = error
    got = f"{address}: {fault}" if fault else address
    formed = fault is None or (chain.family is Family.EVM and fault.reason is Reason.CHECKSUM)
    yield _SAYS.judged(f"address.{rule}", formed, where, f"{form}, of {chain.title}", got, exchange)
    if formed and chain.family is Family.EVM:
        yield _SAYS.judged("address.evm-checksum", fault is None, where, "one case, or that of EIP-55", got, exchange)


def _address_of_key(shown: _Shown, chain: Chain, exchange: Exchange | None) -> Iterator[Finding]:
    wallet = shown.wallet
    key = _public_key(wallet.public_key or "", chain.curve)
    try:
        kind = check_address(wallet.address, chain.family, testnet=chain.testnet)
    except AddressRejected:
        return
    if key is None or kind not in _KINDS_OF_KEYS:
        return
    derived = _derived(key, chain, kind)
    yield _SAYS.judged(
        "address.follows-from-public-key",
        _comparable(wallet.address, chain) in {_comparable(address, chain) for address in derived},
        f"{shown.where}/address",
        " or ".join(derived) or f"the address of {wallet.public_key}, which is no key of its curve",
        wallet.address,
        exchange,
    )


def _public_key(text: str, curve: Curve) -> bytes | None:
    """The public key that a text writes in hexadecimal or, for ed25519, in base58; None if it is no such text."""
    if digits := _HEX_KEY.fullmatch(text):
        key = bytes.fromhex(digits[1])
    elif curve is Curve.ED25519 and (digits := _BASE58_KEY.fullmatch(text)):
        key = decode_base58(digits[1])
    else:
        return None
    fits = len(key) == _ED25519_SIZE if curve is Curve.ED25519 else (len(key), key[:1]) in _SECP256K1_FORMS
    return key if fits else None


def _derived(key: bytes, chain: Chain, kind: Kind) -> list[str]:
    """The addresses of a form that follow from a public key, whose form P2PKH alone depends on; none from no key."""
    try:
        keys = [PublicKey(key).format(compressed=short) for short in (True, False)] if kind is Kind.P2PKH else [key]
        return [address_of(each, chain.family, testnet=chain.testnet, kind=kind) for each in keys]
    except ValueError:
        return []


def _path(shown: _Shown, chain: Chain, exchange: Exchange | None) -> Iterator[Finding]:
    path = shown.wallet.path
    if path is None:
        return
    exported = _EXPORTED_PATH.fullmatch(path)
    purpose = "84" if chain.family is Family.BITCOIN else "44"
    yield _SAYS.read(
        "address.path-form",
        "bip44" if _BIP44_PATH.fullmatch(path) else "as-exported" if exported and exported[1] == purpose else None,
        f"{shown.where}, path",
        f"m/44'/coin'/account'/..., or m/{purpose}/coin/account/...",
        path,
        exchange,
    )


def _among_others(shown: _Shown, chain: Chain, known: _Known, exchange: Exchange | None) -> Iterator[Finding]:
    """What an address is beside those of the same and of other customers."""
    customer = shown.customer
    if customer is None:
        return
    where, address = f"{shown.where}/address", shown.wallet.address
    others = known.holders[chain.family, _comparable(address, chain)] - {customer}
    if known.families[chain.family] - {customer}:
        got = f"{address}, which {_joined(others)} has too" if others else address
        yield _SAYS.judged("address.never-shared", not others, where, f"an address of {customer} alone", got, exchange)
    own = known.on_evm.get(customer, {})
    if chain.family is Family.EVM and len(own) > 1:
        unlike = [name for name, some in own.items() if not some & own[chain.name]]
        yield _SAYS.judged(
            "address.same-on-evm-chains",
            not unlike,
            where,
            f"the address of {customer} on all of {_joined(own)}",
            f"{address}, another one on {_joined(unlike)}" if unlike else address,
            exchange,
        )
    accounts = known.accounts[customer]
    if _account(shown) is not None and len({place for place, _ in accounts}) > 1:
        numbers = sorted({account for _, account in accounts})
        yield _SAYS.judged(
            "address.one-account",
            len(numbers) == 1,
            f"{shown.where}, path",
            f"one account for all wallets of {customer}",
            f"{shown.wallet.path}, among the accounts {', '.join(map(str, numbers))}",
            exchange,
        )


def _account(shown: _Shown) -> int | None:
    """The account in a wallet's path, whether or not its levels are marked as hardened."""
    match = _ACCOUNT.fullmatch(shown.wallet.path or "")
    return int(match[1]) if match else None


def _comparable(address: str, chain: Chain | None) -> str:
    """An address without what may differ in it: the letter case, but for base58 and NEAR."""
    folded = address.lower()
    if chain is None or chain.family in {Family.SOLANA, Family.NEAR}:
        return address
    return folded if chain.family is Family.EVM or folded.startswith(("bc1", "tb1")) else address


# ----------------------------------------------------------------------------------------------------------- webhooks


def _webhooks(events: Sequence[_Event], known: _Known, specification: Specification) -> Iterator[Finding]:
    bodies: dict[str, object] = {}
    for event in events:
        yield from _event_form(event, specification)
        yield from _event_id(event, bodies)
        yield from _event_time(event)
        for shown in event.wallets if event_of(event.delivery) == "wallet.created" else ():
            yield from _agreement("webhook.agrees-with-list", shown, known.listed, known, None)
        yield from _addresses(event.wallets, known, None)
    yield from _event_names(events)


def _event_form(event: _Event, specification: Specification) -> Iterator[Finding]:
    """All events have one schema but for their name, so that one nobody described is judged by that of any other."""
    request = event.delivery.request
    operation = _DESCRIBED_EVENTS.get(event_of(event.delivery) or "", "walletCreated")
    found = specification.request_problems(operation, request.header("Content-Type"), request.body)
    problems = responses.first_of_each_place(problem for problem in found if not problem.expected.startswith("const "))
    for problem in problems:
        where = f"{event.where} {problem.pointer}"
        yield _SAYS.judged("webhook.event-matches-schema", False, where, problem.expected, problem.got, None)
    if not problems:
        yield _SAYS.judged(
            "webhook.event-matches-schema", True, f"{event.where} body", "as the schema says", "so", None
        )


def _event_id(event: _Event, bodies: dict[str, object]) -> Iterator[Finding]:
    """An event that is sent again keeps its id; its `timestamp` may be that of the new try."""
    key, header = event.members.get("idempotencyKey"), event.delivery.request.header("X-Webhook-Id")
    reading, identifier = "idempotency-key", key
    if not isinstance(key, str) or not key:
        reading, identifier = "header-only", header
    body = {**event.members, "timestamp": None} if event.members else event.delivery.request.body
    own = bool(identifier) and bodies.setdefault(str(identifier), body) == body
    yield _SAYS.read(
        "webhook.event-id",
        reading if own else None,
        f"{event.where}, idempotencyKey and X-Webhook-Id",
        "an id in one of them, which no other event has",
        f"{identifier}, which another event has" if identifier and not own else identifier or "neither",
        None,
    )


def _event_time(event: _Event) -> Iterator[Finding]:
    sent = event.delivery.request.header("X-Webhook-Timestamp")
    if sent is None:
        return
    now = event.delivery.at.timestamp()
    yield _SAYS.judged(
        "webhook.timestamp-is-fresh",
        bool(_SECONDS.fullmatch(sent)) and abs(int(sent) - now) <= _FRESH_SECONDS,
        f"{event.where} header X-Webhook-Timestamp",
        f"within {_FRESH_SECONDS} of {now:.0f}, when it came",
        sent,
        None,
    )


def _event_names(events: Sequence[_Event]) -> Iterator[Finding]:
    names = {name for event in events if (name := event_of(event.delivery))}
    if not names:
        return
    listed = "challenge-completed-too" if names & _UNLISTED_EVENTS else "listed-only"
    yield _SAYS.read(
        "webhook.event-names",
        listed if names <= _LISTED_EVENTS | _UNLISTED_EVENTS else None,
        "webhooks /event",
        "events that the sources name",
        _joined(names),
        None,
    )


# ------------------------------------------------------------------------------------------ what they say together


def _answer(exchange: Exchange) -> _Answer:
    data = _members(exchange.response).get("data") if exchange.response.succeeded else None
    return _Answer(exchange, asked_in(exchange), data)


def _event(number: int, delivery: Delivery, known: _Known) -> _Event:
    members = _members(delivery.request)
    data = members.get("data")
    customer = data.get("customerId") if isinstance(data, dict) else None
    named = customer if isinstance(customer, str) and customer in known.customers else None
    wallets = [
        _Shown(f"webhook {number} {pointer}", wallet, _claimed(wallet, known) or named)
        for pointer, wallet in _placed(data, "/data")
    ]
    return _Event(f"webhook {number}", delivery, members, wallets)


def _learn(answer: _Answer, known: _Known) -> None:
    exchange, asked = answer.exchange, answer.asked
    if not exchange.response.succeeded:
        return
    customers = {asked.customer} if asked.customer else set()
    if asked.operation in {"createCustomer", "getCustomer", "listCustomers"}:
        found = [entry.get("id") for _, entry in _entries(answer) if isinstance(entry, dict)]
        customers |= {identifier for identifier in found if isinstance(identifier, str)}
    known.customers |= customers
    known.own |= {(exchange.identity, customer) for customer in customers}
    if asked.operation == "createCustomer":
        for customer in customers:
            known.created.setdefault(customer, (exchange.identity, _members(exchange.request)))
    if asked.operation in _ISSUES:
        _learn_issue(answer, known)


def _learn_issue(answer: _Answer, known: _Known) -> None:
    _, challenge = _issued_challenge(answer)
    operation, customer, intent = str(answer.asked.operation), str(answer.asked.customer), _intent(answer.exchange)
    if challenge is None or challenge.id is None:
        return
    if challenge.id in known.issued:
        issue = known.issued[challenge.id]
        known.issued[challenge.id] = issue if issue is not None and issue.intent == intent else None
        return
    chains = _chains_asked_for(answer.exchange)
    earlier = frozenset(chain for whose, chain in known.asked if whose == customer)
    known.issued[challenge.id] = _Issue(operation, customer, intent, chains, earlier)
    known.asked.update((customer, chain) for chain in chains)


def _attribute(answers: Sequence[_Answer], events: Sequence[_Event], known: _Known) -> None:
    """Find every wallet, and say whose it is: first by what names its customer, then by the filter of its list."""
    for answer in answers:
        if answer.asked.operation in {"listWallets", "getWallet"}:
            for pointer, wallet in _placed(answer.data, "/data"):
                answer.wallets.append(_Shown(f"response {pointer}", wallet, _claimed(wallet, known)))
        for pointer, challenge in _challenges(answer):
            issue = known.issued.get(challenge.id or "")
            customer = issue.customer if issue else answer.asked.customer
            for place, wallet in _placed(challenge.result, f"{pointer}/result"):
                answer.wallets.append(_Shown(f"response {place}", wallet, _claimed(wallet, known) or customer))
        if answer.asked.operation in {"getChallenge", "listChallenges"}:
            _index(answer.wallets, known.results)
        _register(answer.wallets, known)
    for event in events:
        _register(event.wallets, known)
    for answer in answers:
        if answer.asked.operation == "listWallets":
            _attribute_list(answer, known)
            _index(answer.wallets, known.listed)


def _attribute_list(answer: _Answer, known: _Known) -> None:
    customers = set(filtered_customers(answer.exchange.request) or ())
    if not customers or not {(answer.exchange.identity, customer) for customer in customers} <= known.own:
        return
    answer.foreign = [shown for shown in answer.wallets if _is_foreign(shown, customers, known)]
    if len(customers) == 1 and not answer.foreign:
        answer.wallets = [replace(shown, customer=shown.customer or min(customers)) for shown in answer.wallets]
        _register(answer.wallets, known)


def _is_foreign(shown: _Shown, customers: AbstractSet[str], known: _Known) -> bool:
    """Whether a wallet in a list filtered by `customers` is another's: it says so, or it was seen as another's."""
    claimed = shown.wallet.customer
    if claimed is not None and (
        claimed in known.customers or _id_form(claimed) in {*map(_id_form, customers)} - {None}
    ):
        return claimed not in customers
    owners = {
        customer
        for customer, identifier in known.owners[shown.place]
        if identifier is None or shown.wallet.id in {None, identifier}
    }
    return bool(owners) and not owners & customers


def _register(wallets: Sequence[_Shown], known: _Known) -> None:
    for shown in wallets:
        customer, chain = shown.customer, CHAINS.get(shown.wallet.blockchain)
        if customer is None:
            continue
        known.owners[shown.place].add((customer, shown.wallet.id))
        account = _account(shown)
        if account is not None:
            known.accounts[customer].add((shown.place, account))
        if chain is not None:
            address = _comparable(shown.wallet.address, chain)
            known.holders[chain.family, address].add(customer)
            known.families[chain.family].add(customer)
            if chain.family is Family.EVM:
                known.on_evm[customer][chain.name].add(address)


def _index(wallets: Sequence[_Shown], index: _Index) -> None:
    for shown in wallets:
        for key in _keys(shown):
            index[key].add(shown.place)


def _claimed(wallet: Wallet, known: _Known) -> str | None:
    """The customer whom a wallet names as its own, if the exchanges know such a customer."""
    return wallet.customer if wallet.customer in known.customers else None


def _placed(value: Any, pointer: str) -> Iterator[tuple[str, Wallet]]:
    """The wallets in a parsed value, each with its JSON pointer."""
    match value:
        case {"blockchain": str(), "address": str()}:
            yield pointer, wallets_in(value)[0]
        case dict():
            for name, member in value.items():
                yield from _placed(member, f"{pointer}/{name}")
        case list():
            for number, member in enumerate(value):
                yield from _placed(member, f"{pointer}/{number}")


def _members(message: Message) -> Mapping[str, Any]:
    """The members of a body; none if it is no JSON object, or one that is nested too deep."""
    members = message.members()
    level: list[Any] = [members]
    for _ in range(_DEEPEST):
        level = [inner for outer in level for inner in _inner(outer)]
        if not level:
            return members
    return {}


def _inner(value: Any) -> list[Any]:
    match value:
        case dict():
            return list(value.values())
        case list():
            return value
        case _:
            return []


def _joined(names: AbstractSet[str] | Mapping[str, object] | Sequence[str]) -> str:
    return ", ".join(sorted(names)) or "none"
