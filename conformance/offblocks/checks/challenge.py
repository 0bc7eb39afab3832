"""What the challenges show that answers hold."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from conformance.exchange import Exchange
from conformance.findings import Finding, Outcome
from conformance.offblocks.checks.base import SAYS, TOLERANCE
from conformance.offblocks.checks.history import History
from conformance.offblocks.messages import (
    DOCUMENTED_HOSTS,
    Challenge,
    account,
    instant,
    issued_challenge,
    same_address,
)
from conformance.offblocks.observer import HOUR
from conformance.standards import sign_in_message
from conformance.standards.account_ids import checksum_address, checksum_state

_SAME_MOMENT = timedelta(seconds=2)
_NONCE = re.compile(r"^[A-Za-z0-9]{8,}$")
_ON_CHAIN = re.compile(r"\b(transactions?|payments?|spend\w*|transfers?|allowances?|new account)\b", re.IGNORECASE)
"""Words of a text whose signature does more than to sign in."""
_SETTING = "CONFORMANCE_OFFBLOCKS_EXPECTED_DOMAIN"
_ADDRESS = re.compile(r"^0x[0-9a-fA-F]{40}$")


def created(exchange: Exchange, history: History, settings: Mapping[str, str]) -> Iterator[Finding]:
    """What the challenge in the answer to a creation shows.

    Args:
        exchange: The creation, which is not yet in the history.
        history: What came before it.
        settings: The API's settings.
    """
    challenge = issued_challenge(exchange.response)
    if challenge is None or not history.shows_creation(exchange):
        return
    yield from _challenge(challenge, str(exchange.request.members().get("chainId")), exchange, settings)
    if not history.knows_key(exchange):
        identifier = str(exchange.response.members().get("id"))
        yield from _issue(challenge, identifier, exchange.at, exchange, history)
        yield from _against_created_at(challenge, exchange)


def fetched(exchange: Exchange, identifier: str, history: History, settings: Mapping[str, str]) -> Iterator[Finding]:
    """What a challenge shows that was fetched for a customer.

    Args:
        exchange: The request for the challenge and its answer, which are not yet in the history.
        identifier: The customer's id.
        history: What came before it.
        settings: The API's settings.
    """
    creation = history.observer.creation(identifier)
    challenge = issued_challenge(exchange.response)
    if challenge is None or (creation is not None and creation.identity != exchange.identity):
        return
    yield from _challenge(challenge, str(creation.shown.get("chainId")) if creation else None, exchange, settings)
    customer = history.observer.customers.get(identifier)
    if creation is None or customer is None or customer.current is None or customer.seen_at is None:
        return
    same = customer.current == challenge
    born_at = min(customer.current.issued_at or customer.seen_at, customer.seen_at)
    if customer.settled and exchange.at - born_at < HOUR - TOLERANCE:
        yield SAYS.judged(
            "challenge.stays-until-signed",
            same,
            "response /challenge",
            "the challenge that was given before",
            "that" if same else "another",
            exchange,
        )
    if not same:
        yield from _issue(challenge, identifier, customer.seen_at, exchange, history)


def _challenge(
    challenge: Challenge, chain_id: str | None, exchange: Exchange, settings: Mapping[str, str]
) -> Iterator[Finding]:
    """What the text of a challenge shows, at its creation as when it is fetched."""
    where = "response /challenge"
    yield SAYS.judged(
        "challenge.standard-base64",
        challenge.is_standard,
        where,
        "standard base64, padded",
        "that" if challenge.is_standard else challenge.text,
        exchange,
    )
    if challenge.message is None or not (challenge.is_standard or _is_text(challenge.message)):
        return
    kind = challenge.kind
    yield SAYS.judged(
        "challenge.kind", kind == "sign-in-message", where, "a sign-in message", challenge.lines[0], exchange
    )
    if challenge.kind != "public-key":
        yield _grammar(challenge.message, exchange)
    if challenge.kind != "sign-in-message":
        return
    yield SAYS.read(
        "challenge.purpose",
        "on-chain-transactions" if _ON_CHAIN.search("\n".join(challenge.lines)) else "verify-ownership",
        where,
        "a text that says what the signature is for",
        "; ".join(challenge.lines[3:4]) or challenge.lines[0],
        exchange,
    )
    version, nonce, uri = challenge.value("Version"), challenge.value("Nonce"), challenge.value("URI")
    yield SAYS.judged("challenge.version-is-1", version == "1", f"{where}, Version", "1", version, exchange)
    yield SAYS.judged(
        "challenge.nonce",
        bool(_NONCE.match(nonce or "")),
        f"{where}, Nonce",
        "8 or more letters and digits",
        nonce,
        exchange,
    )
    host = re.sub(r"^https?://([^/?#]*).*$", r"\1", uri or "")
    yield SAYS.judged(
        "challenge.uri", host == challenge.domain, f"{where}, URI", f"of {challenge.domain}", uri, exchange
    )
    yield from _domain(challenge, exchange, settings)
    if _ADDRESS.match(challenge.address):
        yield SAYS.judged(
            "challenge.address-checksummed",
            checksum_state(challenge.address) == "checksummed",
            f"{where}, address",
            checksum_address(challenge.address),
            challenge.address,
            exchange,
        )
    found = account(chain_id)
    if found is not None:
        chain = challenge.value("Chain ID")
        yield SAYS.judged(
            "challenge.chain-id",
            chain == found.chain.reference,
            f"{where}, Chain ID",
            found.chain.reference,
            chain,
            exchange,
        )
        yield SAYS.judged(
            "challenge.address",
            same_address(challenge.address, found.address),
            f"{where}, address",
            found.address,
            challenge.address,
            exchange,
        )


def _is_text(message: bytes) -> bool:
    try:
        return message.decode().isprintable() or b"\n" in message
    except UnicodeDecodeError:
        return False


def _grammar(message: bytes, exchange: Exchange) -> Finding:
    where, expected = "response /challenge", "the grammar of EIP-4361"
    try:
        sign_in_message.parse(message.decode())
    except (UnicodeDecodeError, sign_in_message.MessageRejected) as error:
        return SAYS.judged("challenge.grammar", False, where, expected, error, exchange)
    return SAYS.judged("challenge.grammar", True, where, expected, "so", exchange)


def _domain(challenge: Challenge, exchange: Exchange, settings: Mapping[str, str]) -> Iterator[Finding]:
    """Whose name a challenge asks in: a documented host's, that of the host that was asked, or the one that is set."""
    where, domain = "response /challenge, domain", challenge.domain
    asked = re.sub(r"^https?://([^/?#]*).*$", r"\1", exchange.request.url)
    hosts = {**{host: reading for reading, host in DOCUMENTED_HOSTS.items()}, asked: "host-asked"}
    expected, reading = settings.get("expected_domain"), hosts.get(challenge.domain)
    if expected:
        reading = hosts.get(expected, "host-asked") if domain == expected else None
    known = " or ".join(dict.fromkeys((*DOCUMENTED_HOSTS.values(), asked)))
    setting = f"; if the vendor's is another, {_SETTING} names it"
    yield SAYS.read("challenge.domain", reading, where, expected or f"{known}{setting}", domain, exchange)
    if expected or reading:
        held = domain == (expected or domain)
        yield SAYS.judged("challenge.domain-expected", held, where, expected or known, domain, exchange)
    else:
        reason = f"This needs the domain that the vendor asks in the name of; set {_SETTING}."
        yield Finding("offblocks.challenge.domain-expected", Outcome.SKIPPED, reason=reason, exchange=exchange.id)


def _issue(
    challenge: Challenge, customer: str, earliest: datetime, exchange: Exchange, history: History
) -> Iterator[Finding]:
    """Whether a new challenge was issued between its cause and its answer, and whether its nonce is new too."""
    where = "response /challenge"
    issued_at = challenge.issued_at
    if challenge.kind == "sign-in-message":
        latest = exchange.at + timedelta(seconds=exchange.seconds)
        yield SAYS.judged(
            "challenge.issued-when-made",
            issued_at is not None and earliest - TOLERANCE <= issued_at <= latest + TOLERANCE,
            f"{where}, Issued At",
            f"between {earliest.isoformat()} and {latest.isoformat()}",
            issued_at,
            exchange,
        )
    nonce = challenge.value("Nonce")
    if nonce is not None:
        before = history.nonces.setdefault(nonce, (customer, challenge.text))
        if len(history.nonces) > 1 or before != (customer, challenge.text):
            yield SAYS.judged(
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
    shown = exchange.response.members().get("createdAt")
    if shown is None:
        yield SAYS.lacking("challenge.issued-at-against-created-at", "createdAt", exchange)
        return
    created_at, issued_at = instant(shown), challenge.issued_at
    reading = None
    if created_at is not None and issued_at is not None:
        reading = "with-the-customer" if abs(issued_at - created_at) <= _SAME_MOMENT else "at-another-time"
    yield SAYS.read(
        "challenge.issued-at-against-created-at",
        reading,
        "response /challenge, Issued At",
        f"createdAt, {created_at}, or another time",
        issued_at,
        exchange,
    )
