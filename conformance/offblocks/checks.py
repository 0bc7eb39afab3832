"""The rules for OffBlocks that can be told from a list of exchanges: exchanges in, findings out."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction
from uuid import UUID

from conformance.exchange import Delivery, Exchange, Mode
from conformance.findings import Finding, Says, answer
from conformance.judging import responses
from conformance.offblocks.messages import (
    DOCUMENTED_HOSTS,
    Challenge,
    account,
    asked_in,
    instant,
    issued_challenge,
    issued_token,
    same_address,
)
from conformance.offblocks.wallet import Wallet
from conformance.specification import Specification
from conformance.standards import sign_in_message

_SAYS = Says("offblocks.")
_TOLERANCE = timedelta(minutes=2)
"""How far the server's clock may be from ours, and how long after its cause a challenge may be issued."""
_HOUR = timedelta(hours=1)
_SAME_MOMENT = timedelta(seconds=2)
_STATES = ("initiating", "screening", "verifying", "rejected", "active", "inactive")
"""The states that can be read; the page goes on where it could not be (Customer States)."""
_LONGEST_ORDINARY = 100
"""How long an id may be that any system takes, in characters."""
_NONCE = re.compile(r"^[A-Za-z0-9]{8,}$")
_ADDRESS = re.compile(r"^0x[0-9a-fA-F]{40}$")
_CREATED = 201
_OK = 200
_MOST_DIGITS = 30
"""So many digits of a fraction are compared."""
_REFUSED = range(400, 500)
_UNAUTHORISED = 401
_CONFLICT = 409
_TOO_MANY = 429
_SERVER_ERROR = 500


@dataclass
class _Customer:
    """What the exchanges so far say of one customer.

    Args:
        identity: Who created it.
        created: The members of the answer to its creation.
        challenge: The challenge that was seen last.
        seen_at: When it was seen last (UTC).
        settled: Whether nothing happened since that may have changed it.
    """

    identity: str
    created: Mapping[str, object]
    challenge: Challenge | None = None
    seen_at: datetime | None = None
    settled: bool = True
    signed: bool = False


@dataclass
class _Seen:
    """What the exchanges so far say.

    Args:
        repeated: Who sent which creation more than once; which of them did it, the order of their ends does not tell.
    """

    repeated: frozenset[tuple[str, bytes]] = frozenset()
    customers: dict[str, _Customer] = field(default_factory=dict)
    pairs: dict[tuple[str, str, str], str] = field(default_factory=dict)
    keys: set[tuple[str, str]] = field(default_factory=set)
    nonces: dict[str, tuple[str, str]] = field(default_factory=dict)


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
        settings: The API's settings; ``expected_domain`` if challenges must name one domain.
    """
    seen = _Seen(repeated=_repeated(exchanges))
    findings: list[Finding] = []
    for exchange in exchanges:
        findings += _form(exchange, specification)
        findings += _content(exchange, seen, settings)
        _learn(exchange, seen)
    findings += _events(deliveries, specification)
    return findings


# --------------------------------------------------------------------------------------------------- form of answers


def _form(exchange: Exchange, specification: Specification) -> Iterator[Finding]:
    response = exchange.response
    yield responses.no_server_error(_SAYS, exchange)
    operation = exchange.operation
    if operation is None or response.status >= _SERVER_ERROR:
        return
    yield _SAYS.judged(
        "response.status-documented",
        specification.documents_status(operation, response.status),
        "response status",
        f"one that the reference lists for {operation}",
        response.status,
        exchange,
    )
    kinds = specification.content_types(operation, response.status)
    if not response.succeeded or not kinds:
        return
    yield responses.media_type(_SAYS, exchange, kinds)
    yield from responses.schema(_SAYS, exchange, specification, kinds[0])


# ------------------------------------------------------------------------------------------------ content of answers


def _content(exchange: Exchange, seen: _Seen, settings: Mapping[str, str]) -> Iterator[Finding]:
    operation, customer = asked_in(exchange)
    yield from _right_signature(exchange, operation, customer, seen)
    match operation:
        case "createToken":
            yield from _token(exchange)
        case "createCustomer":
            yield from _creation(exchange, seen, settings)
        case "getCustomer" if customer in seen.customers and exchange.response.status == _OK:
            yield from _reading(exchange, seen.customers[customer])
        case "listCustomers" if exchange.response.status == _OK:
            yield from _list(exchange)
        case "getChallenge" if customer is not None and exchange.response.status == _OK:
            yield from _fetch(exchange, customer, seen, settings)
        case "signChallenge" if exchange.response.succeeded:
            yield _SAYS.judged(
                "signing.no-content",
                not exchange.response.body,
                "response body",
                "empty",
                exchange.response.body,
                exchange,
            )


def _right_signature(exchange: Exchange, operation: str | None, customer: str | None, seen: _Seen) -> Iterator[Finding]:
    if not _is_plain(exchange) or operation in {"createToken", "putSigningKey", "deleteSigningKey", None}:
        return
    known = seen.customers.get(customer or "")
    if customer is not None and (known is None or known.identity != exchange.identity):
        return
    status = exchange.response.status
    if not exchange.response.succeeded and status != _UNAUTHORISED:
        return
    yield _SAYS.judged(
        "signature.right-one-accepted",
        status != _UNAUTHORISED,
        "response status",
        "not 401: the request is signed as the documents say",
        f"{status} {exchange.response.members().get('detail', '')}".strip(),
        exchange,
    )


def _token(exchange: Exchange) -> Iterator[Finding]:
    token = issued_token(exchange.response)
    if token is not None:
        lifetime = token[1] - exchange.at
        yield _SAYS.judged(
            "authentication.token-lives-an-hour",
            abs(lifetime - _HOUR) <= _TOLERANCE,
            "response /expiresAt",
            "one hour from now",
            f"{lifetime} from now",
            exchange,
        )


def _creation(exchange: Exchange, seen: _Seen, settings: Mapping[str, str]) -> Iterator[Finding]:
    asked = exchange.request.members()
    chain_id, external_id = asked.get("chainId"), asked.get("externalId")
    if not isinstance(chain_id, str) or not isinstance(external_id, str) or exchange.breaks:
        return
    response = exchange.response
    if _is_fresh(exchange, seen, settings) and not _may_be_refused(exchange, settings):
        yield _SAYS.judged(
            "customer.created-with-201",
            response.status == _CREATED,
            "response status",
            "201",
            answer(exchange),
            exchange,
        )
    key = exchange.request.header("Idempotency-Key")
    pair = (exchange.identity, chain_id.lower(), external_id)
    repeated = (exchange.identity, str(key)) in seen.keys
    if pair in seen.pairs and response.succeeded:
        identifier = response.members().get("id")
        yield _SAYS.judged(
            "customer.no-second-for-a-pair",
            identifier == seen.pairs[pair],
            "response /id",
            f"{seen.pairs[pair]}, the id of the customer of this pair",
            identifier,
            exchange,
        )
    elif pair in seen.pairs:
        yield _SAYS.judged(
            "customer.no-second-for-a-pair", True, "response", "no second id", answer(exchange), exchange
        )
    if response.succeeded and (repeated or pair not in seen.pairs):
        yield from _new_customer(exchange, chain_id, external_id)
        challenge = issued_challenge(response)
        if challenge is not None:
            yield from _challenge(challenge, chain_id, exchange, settings)
            if not repeated:
                identifier = str(response.members().get("id"))
                yield from _issue(challenge, identifier, exchange.at, exchange, seen)
                yield from _against_created_at(challenge, exchange)


def _is_fresh(exchange: Exchange, seen: _Seen, settings: Mapping[str, str]) -> bool:
    """Whether nothing but a 201 is right: new in every way, plain, and on the chain that the run is about."""
    asked = exchange.request.members()
    chain_id, external_id = str(asked["chainId"]), str(asked["externalId"])
    found = account(chain_id)
    old = any(wallet == chain_id.lower() or other == external_id for _, wallet, other in seen.pairs)
    return (
        not old
        and _is_plain(exchange)
        and (exchange.identity, exchange.request.body) not in seen.repeated
        and set(asked) == {"chainId", "externalId"}
        and found is not None
        and found.address.strip("0x") != ""
        and str(found.chain) == settings.get("chain", str(found.chain))
        and str(exchange.request.header("Idempotency-Key")) not in {key for _, key in seen.keys}
    )


def _may_be_refused(exchange: Exchange, settings: Mapping[str, str]) -> bool:
    """Whether the answer is a refusal that no document rules out, though the customer is new to this test.

    None says how many requests are taken, nor which texts are refused as an externalId; and what was created before
    this test may be in the way of an externalId that was drawn and of the wallet that the settings name.
    """
    status, asked = exchange.response.status, exchange.request.members()
    external_id = str(asked["externalId"])
    drawn = exchange.generated is not None and exchange.generated.mode is not Mode.GIVEN
    ordinary = external_id.isprintable() and 0 < len(external_id) <= _LONGEST_ORDINARY
    return (
        status == _TOO_MANY
        or (status in _REFUSED and not ordinary)
        or (status == _CONFLICT and (drawn or _is_configured(str(asked["chainId"]), settings)))
    )


def _is_configured(chain_id: str, settings: Mapping[str, str]) -> bool:
    """Whether an account is that of the wallet that the settings name."""
    key, found = settings.get("wallet_key"), account(chain_id)
    if key is None or found is None:
        return False
    return _same_account(chain_id, Wallet(bytes.fromhex(key), str(found.chain)).account_id)


def _same_account(one: object, other: object) -> bool:
    """Whether two account ids are the same but for the letter case of an Ethereum address."""
    first, second = account(one), account(other)
    if first is None or second is None or first.chain.namespace != "eip155":
        return one == other
    return first.chain == second.chain and same_address(first.address, second.address)


def _is_plain(exchange: Exchange) -> bool:
    """Whether the request keeps the rules, and to sha-256, since no visible document says which digests are taken."""
    digest = exchange.request.header("Content-Digest")
    return not exchange.breaks and (digest is None or digest.startswith("sha-256="))


def _repeated(exchanges: Sequence[Exchange]) -> frozenset[tuple[str, bytes]]:
    sent = Counter(
        (exchange.identity, exchange.request.body) for exchange in exchanges if exchange.operation == "createCustomer"
    )
    return frozenset(creation for creation, times in sent.items() if times > 1)


def _new_customer(exchange: Exchange, chain_id: str, external_id: str) -> Iterator[Finding]:
    members = exchange.response.members()
    expectations = (
        ("customer.starts-initiating", "status", "initiating"),
        ("customer.echoes-chain-id", "chainId", chain_id),
        ("customer.echoes-external-id", "externalId", external_id),
    )
    for rule, name, expected in expectations:
        held = _is_shown(name, members.get(name), expected)
        yield _SAYS.judged(rule, held, f"response /{name}", expected, members.get(name), exchange)
    if not external_id.isascii():
        yield _SAYS.judged(
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
    yield _SAYS.read(
        "customer.verification-url",
        "present" if links else "absent",
        "response body",
        "a URL or none",
        ", ".join(links) or "none",
        exchange,
    )
    yield from _customer_fields(members, "response ", exchange)


def _is_shown(name: str, value: object, expected: object) -> bool:
    """Whether a member is shown as expected, an account in whatever letter case."""
    return value == expected or (name == "chainId" and _same_account(value, expected))


def _customer_fields(members: Mapping[str, object], where: str, exchange: Exchange) -> Iterator[Finding]:
    identifier, status = members.get("id"), members.get("status")
    yield _SAYS.judged("customer.id-is-a-uuid", _is_uuid(identifier), f"{where}/id", "a UUID", identifier, exchange)
    yield _SAYS.judged(
        "customer.status-is-known", status in _STATES, f"{where}/status", " or ".join(_STATES), status, exchange
    )
    for name in ("createdAt", "updatedAt"):
        yield _SAYS.judged(
            "customer.times-are-rfc3339",
            instant(members.get(name)) is not None,
            f"{where}/{name}",
            "an RFC 3339 time",
            members.get(name),
            exchange,
        )


def _reading(exchange: Exchange, customer: _Customer) -> Iterator[Finding]:
    members = exchange.response.members()
    yield from _customer_fields(members, "response ", exchange)
    if customer.identity != exchange.identity:
        return
    for name in ("id", "chainId", "externalId"):
        yield _SAYS.judged(
            "customer.readable",
            _is_shown(name, members.get(name), customer.created.get(name)),
            f"response /{name}",
            f"{customer.created.get(name)}, as at creation",
            members.get(name),
            exchange,
        )
    before, now = customer.created.get("createdAt"), members.get("createdAt")
    reading = "identical" if before == now else "fewer-digits" if _differ_in_digits(before, now) else None
    yield _SAYS.read("customer.created-at-stays", reading, "response /createdAt", str(before), now, exchange)


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


def _list(exchange: Exchange) -> Iterator[Finding]:
    for number, members in enumerate(listed(exchange)):
        yield from _customer_fields(members, f"response /{number}", exchange)


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


def _objects(array: object) -> list[Mapping[str, object]]:
    return [entry for entry in array if isinstance(entry, dict)] if isinstance(array, list) else []


def _fetch(exchange: Exchange, identifier: str, seen: _Seen, settings: Mapping[str, str]) -> Iterator[Finding]:
    customer = seen.customers.get(identifier)
    challenge = issued_challenge(exchange.response)
    if challenge is None or (customer is not None and customer.identity != exchange.identity):
        return
    yield from _challenge(challenge, str(customer.created.get("chainId")) if customer else None, exchange, settings)
    if customer is None or customer.challenge is None or customer.seen_at is None:
        return
    same = customer.challenge.text == challenge.text
    born_at = min(customer.challenge.issued_at or customer.seen_at, customer.seen_at)
    if customer.settled and exchange.at - born_at < _HOUR - _TOLERANCE:
        yield _SAYS.judged(
            "challenge.stays-until-signed",
            same,
            "response /challenge",
            "the challenge that was given before",
            "that" if same else "another",
            exchange,
        )
    if not same:
        yield from _issue(challenge, identifier, customer.seen_at, exchange, seen)


def _challenge(
    challenge: Challenge, chain_id: str | None, exchange: Exchange, settings: Mapping[str, str]
) -> Iterator[Finding]:
    """What a challenge says, whoever asked for it."""
    where = "response /challenge"
    yield _SAYS.judged(
        "challenge.standard-base64",
        challenge.message is not None,
        where,
        "standard base64, padded",
        challenge.text,
        exchange,
    )
    if challenge.message is None:
        return
    yield _SAYS.read(
        "challenge.kind", challenge.kind, where, "a sign-in message or a public key", challenge.lines[0], exchange
    )
    if challenge.kind != "public-key":
        yield _grammar(challenge.message, exchange)
    if challenge.kind != "sign-in-message":
        return
    version, nonce, uri = challenge.value("Version"), challenge.value("Nonce"), challenge.value("URI")
    yield _SAYS.judged("challenge.version-is-1", version == "1", f"{where}, Version", "1", version, exchange)
    yield _SAYS.judged(
        "challenge.nonce",
        bool(_NONCE.match(nonce or "")),
        f"{where}, Nonce",
        "8 or more letters and digits",
        nonce,
        exchange,
    )
    host = re.sub(r"^https?://([^/?#]*).*$", r"\1", uri or "")
    yield _SAYS.judged(
        "challenge.uri", host == challenge.domain, f"{where}, URI", f"of {challenge.domain}", uri, exchange
    )
    yield _SAYS.read(
        "challenge.domain",
        _domain_reading(challenge, exchange, settings),
        f"{where}, domain",
        settings.get("expected_domain") or " or ".join(DOCUMENTED_HOSTS.values()),
        challenge.domain,
        exchange,
    )
    found = account(chain_id)
    if found is not None:
        chain = challenge.value("Chain ID")
        yield _SAYS.judged(
            "challenge.chain-id",
            chain == found.chain.reference,
            f"{where}, Chain ID",
            found.chain.reference,
            chain,
            exchange,
        )
        reading = "another" if _ADDRESS.match(challenge.address) else None
        if same_address(challenge.address, found.address):
            reading = "the-customers"
        yield _SAYS.read("challenge.address", reading, f"{where}, address", found.address, challenge.address, exchange)


def _grammar(message: bytes, exchange: Exchange) -> Finding:
    where, expected = "response /challenge", "the grammar of EIP-4361"
    try:
        sign_in_message.parse(message.decode())
    except (UnicodeDecodeError, sign_in_message.MessageRejected) as error:
        return _SAYS.judged("challenge.grammar", False, where, expected, error, exchange)
    return _SAYS.judged("challenge.grammar", True, where, expected, "so", exchange)


def _domain_reading(challenge: Challenge, exchange: Exchange, settings: Mapping[str, str]) -> str | None:
    asked = re.sub(r"^https?://([^/?#]*).*$", r"\1", exchange.request.url)
    hosts = {**{host: reading for reading, host in DOCUMENTED_HOSTS.items()}, asked: "host-asked"}
    expected = settings.get("expected_domain")
    if expected:
        return hosts.get(expected, "host-asked") if challenge.domain == expected else None
    return hosts.get(challenge.domain)


def _issue(
    challenge: Challenge, customer: str, earliest: datetime, exchange: Exchange, seen: _Seen
) -> Iterator[Finding]:
    """A challenge that is new: when it was issued, and that its nonce is."""
    where = "response /challenge"
    issued_at = challenge.issued_at
    if challenge.kind == "sign-in-message":
        latest = exchange.at + timedelta(seconds=exchange.seconds)
        yield _SAYS.judged(
            "challenge.issued-when-made",
            issued_at is not None and earliest - _TOLERANCE <= issued_at <= latest + _TOLERANCE,
            f"{where}, Issued At",
            f"between {earliest.isoformat()} and {latest.isoformat()}",
            issued_at,
            exchange,
        )
    nonce = challenge.value("Nonce")
    if nonce is not None:
        before = seen.nonces.setdefault(nonce, (customer, challenge.text))
        if len(seen.nonces) > 1 or before != (customer, challenge.text):
            yield _SAYS.judged(
                "challenge.never-alike",
                before == (customer, challenge.text),
                f"{where}, Nonce",
                "one that no other challenge has",
                nonce,
                exchange,
            )


def _against_created_at(challenge: Challenge, exchange: Exchange) -> Iterator[Finding]:
    if challenge.kind != "sign-in-message":
        return
    created_at, issued_at = instant(exchange.response.members().get("createdAt")), challenge.issued_at
    reading = None
    if created_at is not None and issued_at is not None:
        reading = "with-the-customer" if abs(issued_at - created_at) <= _SAME_MOMENT else "at-another-time"
    yield _SAYS.read(
        "challenge.issued-at-against-created-at",
        reading,
        "response /challenge, Issued At",
        f"createdAt, {created_at}, or another time",
        issued_at,
        exchange,
    )


# ------------------------------------------------------------------------------------------------------------ webhooks


def _events(deliveries: Iterable[Delivery], specification: Specification) -> Iterator[Finding]:
    rule = "webhook.event-matches-schema"
    for number, delivery in enumerate(deliveries, start=1):
        kind = delivery.request.header("Content-Type")
        problems = specification.request_problems("customerUpdated", kind, delivery.request.body)
        for problem in responses.first_of_each_place(problems):
            yield _SAYS.judged(rule, False, f"webhook {number} {problem.pointer}", problem.expected, problem.got, None)
        if not problems:
            yield _SAYS.judged(rule, True, "webhook body", "as the schema says", "so", None)


# ------------------------------------------------------------------------------------------------ what is remembered


def _learn(exchange: Exchange, seen: _Seen) -> None:
    operation, identifier = asked_in(exchange)
    members = exchange.response.members()
    key = exchange.request.header("Idempotency-Key")
    repeated = (exchange.identity, str(key)) in seen.keys
    if key is not None:
        seen.keys.add((exchange.identity, key))
    if operation == "createCustomer" and exchange.response.succeeded and isinstance(members.get("id"), str):
        asked = exchange.request.members()
        pair = (exchange.identity, str(asked.get("chainId")).lower(), str(asked.get("externalId")))
        seen.pairs.setdefault(pair, members["id"])
        identifier = members["id"]
        seen.customers.setdefault(identifier, _Customer(exchange.identity, members))
    customer = seen.customers.get(identifier or "")
    if customer is None:
        return
    if operation == "signChallenge":
        customer.settled = False
    challenge = issued_challenge(exchange.response)
    if challenge is not None and not repeated:  # a repeated creation is answered with the challenge that it had then
        first = customer.challenge is None or customer.challenge.text != challenge.text
        if first or operation == "getChallenge":
            customer.challenge = challenge
            customer.seen_at = exchange.at
            customer.settled = True


def _is_uuid(value: object) -> bool:
    try:
        return isinstance(value, str) and str(UUID(value)) == value.lower()
    except ValueError:
        return False
