"""What exchanges with OffBlocks show of customers, challenges, tokens and keys, remembered without judging.

Checks, model and the judge of a client have an observer each and ask it what came before. They differ in what they let
it see, in what makes a customer's challenge uncertain, and in how long a key's first use counts; each says so, and why.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from conformance.exchange import Exchange, Request, Response
from conformance.offblocks.messages import Challenge, issued_challenge, issued_token
from conformance.standards.message_signatures import KeyRejected, PublicKey, load_public_key

HOUR = timedelta(hours=1)
"""How long the documents have a token, a challenge and an idempotency key live."""
A_MOMENT = timedelta(seconds=10)
"""How long a new challenge may take to appear after a failed signature."""
MARGIN = timedelta(seconds=2)
"""How near to the end of a time nothing is sure, since the server judges at an instant of its own."""

Payload = tuple[str, str, bytes]
"""What makes two requests the same to an idempotency key: the method, the path and the body."""
Pair = tuple[str, str, str]
"""Who asked for a customer, with which wallet in lower case, and with which externalId."""


def payload_of(request: Request) -> Payload:
    """What an idempotency key stands for."""
    return request.method, request.path, request.body


def pair_of(exchange: Exchange) -> Pair:
    """The pair that a creation asked for."""
    return _pair(exchange.identity, exchange.request.members())


def _pair(identity: str, asked: Mapping[str, Any]) -> Pair:
    return identity, str(asked.get("chainId")).lower(), str(asked.get("externalId"))


def customer_of(exchange: Exchange) -> str | None:
    """The id of the customer that an exchange is about: in its path, or in the answer to a creation; None if none."""
    if exchange.operation == "createCustomer":
        identifier = exchange.response.members().get("id")
        return identifier if isinstance(identifier, str) else None
    return exchange.parameters.get("customerId")


@dataclass(frozen=True)
class Span:
    """When something happened: not before `earliest`, not after `latest` (UTC)."""

    earliest: datetime
    latest: datetime

    @classmethod
    def of(cls, exchange: Exchange) -> "Span":
        """When the server dealt with a request: between its sending and its answer."""
        return cls(exchange.at, exchange.at + timedelta(seconds=exchange.seconds))

    def is_young(self, exchange: Exchange, age: timedelta = HOUR) -> bool:
        """Whether it was surely less than `age` ago when the server judged `exchange`."""
        return exchange.at + timedelta(seconds=exchange.seconds) - self.earliest <= age - MARGIN

    def is_old(self, exchange: Exchange, age: timedelta = HOUR) -> bool:
        """Whether it was surely more than `age` ago when the server judged `exchange`."""
        return exchange.at - self.latest >= age + MARGIN


@dataclass(frozen=True)
class Use:
    """The first use of an idempotency key.

    Args:
        request: The request that it came with.
        span: When that was.
        response: The answer; of the status 0 as long as there is none.
        exchange: The id of the exchange, empty as long as there is no answer.
    """

    request: Request
    span: Span
    response: Response = field(default_factory=Response)
    exchange: str = ""

    @classmethod
    def by(cls, exchange: Exchange) -> "Use":
        """The use by a request that was answered."""
        return cls(exchange.request, Span.of(exchange), exchange.response, exchange.id)

    @property
    def payload(self) -> Payload:
        """What the key stands for."""
        return payload_of(self.request)


@dataclass(frozen=True)
class Creation:
    """The creation of a customer.

    Args:
        identity: Who asked for it.
        asked: The members of the request.
        shown: The members of the answer.
        span: When it was.
    """

    identity: str
    asked: Mapping[str, Any]
    shown: Mapping[str, Any]
    span: Span

    @property
    def pair(self) -> Pair:
        """The pair that it asked for."""
        return _pair(self.identity, self.asked)


@dataclass
class Issue:
    """A challenge that was shown.

    Args:
        first: Whether it came with the customer.
        seen: When the request was sent whose answer showed it first (UTC).
        span: When it was issued.
        fetched: Whether it was shown again.
    """

    first: bool
    seen: datetime
    span: Span
    fetched: bool = False


@dataclass
class Customer:
    """What was seen of a customer.

    Args:
        id: Its id.
        creation: The first creation that succeeded, None if none was seen.
        wallet: The wallet that the last creation asked for whose answer named the customer, be it a refusal.
        issues: The challenges that were shown, by their text.
        current: The challenge that was shown last since its creation was seen.
        seen_at: When it was fetched last, or shown first if it was not fetched (UTC).
        settled: Whether nothing was seen since that may have replaced it.
        refused_at: When a wallet signature of the customer's was refused last (UTC).
    """

    id: str
    creation: Creation | None = None
    wallet: str | None = None
    issues: dict[str, Issue] = field(default_factory=dict)
    current: Challenge | None = None
    seen_at: datetime | None = None
    settled: bool = True
    refused_at: datetime | None = None


class Observer:
    """Remembers what exchanges show of customers, challenges, tokens and keys, in the order in which it is given them.

    Args:
        key_life: How long the first use of an idempotency key counts, so that a later use is a first one again; None
            if it counts for good.
        signing_keys: The signing keys that were registered before, by who registered them and the key's id.
    """

    def __init__(
        self,
        key_life: timedelta | None = None,
        signing_keys: Mapping[str, Mapping[str, PublicKey]] | None = None,
    ) -> None:
        self._key_life = key_life
        self.customers: dict[str, Customer] = {}
        """Every customer that was named in an answer to a creation, or that a challenge was shown of, by its id."""
        self.pairs: dict[Pair, str] = {}
        """The id of the customer that was created first for each pair."""
        self.tokens: dict[str, datetime] = {}
        """When each token that was issued expires (UTC)."""
        self.signing_keys = dict(signing_keys or {})
        """The signing keys that are registered, by who registered them and the key's id."""
        self.uses: dict[tuple[str, str], Use] = {}
        """The first use of each idempotency key that counts, by who used it and the key."""
        self.unanswered: dict[tuple[str, Payload], str] = {}
        """The idempotency key of each request that got no answer or a 5xx last, by who sent what."""

    # ---------------------------------------------------------------------------------------------------- questions

    def creation(self, customer: str | None) -> Creation | None:
        """The creation of a customer, None if none was seen."""
        found = self.customers.get(customer or "")
        return found.creation if found else None

    def customers_with(self, wallet: str, external_id: str) -> frozenset[str]:
        """The ids of the customers that were created first for a wallet and externalId, each for another client."""
        pair = wallet.lower(), external_id
        return frozenset(customer for (_, *rest), customer in self.pairs.items() if tuple(rest) == pair)

    def has_created(self, identity: str, customer: str) -> bool:
        """Whether an identity was answered with a customer, be it that another one was before."""
        return any(pair[0] == identity and known == customer for pair, known in self.pairs.items())

    def use_before(self, exchange: Exchange) -> Use | None:
        """The first use of a request's key by the same identity, whose time may be over; None if there was none.

        Args:
            exchange: The exchange, which the observer has not yet seen.
        """
        key = exchange.request.header("Idempotency-Key")
        return None if key is None else self.uses.get((exchange.identity, key))

    def counts(self, use: Use, at: datetime) -> bool:
        """Whether a first use still counts at `at` (UTC)."""
        return self._key_life is None or at - use.span.latest < self._key_life

    # ----------------------------------------------------------------------------------------------------- learning

    def see(self, exchange: Exchange) -> None:
        """Learn from an exchange: the use of its key, and what its answer shows."""
        is_repeated = self.use_before(exchange) is not None
        self.see_use(exchange.identity, Use.by(exchange))
        self.see_answer(exchange, is_repeated=is_repeated)

    def see_use(self, identity: str, use: Use) -> None:
        """Learn which idempotency key a request has, if any; only the first use is remembered, as long as it counts.

        Args:
            identity: Who sent the request.
            use: The request, with its answer if there is one.
        """
        key = use.request.header("Idempotency-Key")
        if key is not None:
            first = self.uses.get((identity, key))
            if first is None or not self.counts(first, use.span.earliest):
                self.uses[identity, key] = use

    def see_answer(self, exchange: Exchange, *, is_repeated: bool = False) -> None:
        """Learn what an answer gave: tokens, keys, customers, challenges, or that there was none.

        Args:
            exchange: The exchange.
            is_repeated: Whether the request's idempotency key came before. A repeated creation is answered with the
                challenge that it had then, which need not be the customer's last one.
        """
        match exchange.operation:
            case "createToken" if (token := issued_token(exchange)) is not None:
                self.tokens[token[0]] = token[1]
            case "putSigningKey" if exchange.response.succeeded:
                self._register(exchange)
            case "deleteSigningKey" if exchange.response.succeeded:
                self.signing_keys[exchange.identity] = {}
            case "signChallenge" if not exchange.response.succeeded:
                if (customer := self.customers.get(exchange.parameters.get("customerId", ""))) is not None:
                    customer.refused_at = exchange.at
        identifier = customer_of(exchange)
        if identifier is not None:
            is_new = exchange.operation == "createCustomer" and self._create(exchange, identifier)
            self._show(exchange, identifier, is_new=is_new, is_repeated=is_repeated)
        self._see_status(exchange)

    def unsettle(self, customer: str | None) -> None:
        """Learn that something happened that may have replaced a customer's challenge."""
        if customer in self.customers:
            self.customers[customer].settled = False

    def forget(self, customer: str) -> None:
        """Remember nothing of a customer any more, as if it had never been seen; its key uses stay."""
        self.customers.pop(customer, None)
        self.pairs = {pair: identifier for pair, identifier in self.pairs.items() if identifier != customer}
        for other in self.customers.values():
            if other.creation is not None:
                self.pairs.setdefault(other.creation.pair, other.id)

    def _create(self, exchange: Exchange, identifier: str) -> bool:
        """Learn from the answer to a creation that names a customer; whether the customer was not known before."""
        customer = self.customers.setdefault(identifier, Customer(identifier))
        asked = exchange.request.members()
        customer.wallet = str(asked.get("chainId"))
        if not exchange.response.succeeded:
            return False
        self.pairs.setdefault(pair_of(exchange), identifier)
        if customer.creation is not None:
            return False
        customer.creation = Creation(exchange.identity, asked, exchange.response.members(), Span.of(exchange))
        return True

    def _show(self, exchange: Exchange, identifier: str, *, is_new: bool, is_repeated: bool) -> None:
        """Learn from the challenge in an answer, if any; the same again is no news unless it was asked for."""
        challenge = issued_challenge(exchange.response)
        if challenge is None:
            return
        customer = self.customers.setdefault(identifier, Customer(identifier))
        _issue(customer, challenge, exchange, first=is_new)
        is_news = customer.current != challenge or exchange.operation == "getChallenge"
        if is_news and not is_repeated and customer.creation is not None:
            refused_at = customer.refused_at
            may_follow = refused_at is not None and exchange.at - refused_at <= A_MOMENT
            customer.settled = customer.current != challenge or not may_follow
            customer.current, customer.seen_at = challenge, exchange.at

    def _register(self, exchange: Exchange) -> None:
        """Learn which signing key takes the place of those that were registered; one that is none changes nothing."""
        key_id, encoded = exchange.response.members().get("keyId"), exchange.request.members().get("publicKey")
        message = Challenge(encoded).message if isinstance(encoded, str) else None
        if isinstance(key_id, str) and message is not None:
            try:
                self.signing_keys[exchange.identity] = {key_id: load_public_key(message.decode())}
            except (KeyRejected, UnicodeDecodeError):
                return

    def _see_status(self, exchange: Exchange) -> None:
        """Learn whether a request was answered; a 409 is an answer, though it tells no reason."""
        key, status = exchange.request.header("Idempotency-Key"), exchange.response.status
        sent = exchange.identity, payload_of(exchange.request)
        if key is not None and (status == 0 or status >= HTTPStatus.INTERNAL_SERVER_ERROR):
            self.unanswered[sent] = key
        else:
            self.unanswered.pop(sent, None)


def _issue(customer: Customer, challenge: Challenge, exchange: Exchange, *, first: bool) -> None:
    """Learn when the challenge in an answer can have been issued, if it was not shown before.

    One that took the place of another was issued after that one was seen last, and not before that one's hour was over
    if nothing else can have replaced it.
    """
    now = Span.of(exchange)
    if challenge.text in customer.issues:
        customer.issues[challenge.text].fetched = True
        return
    span = now
    if not first and customer.seen_at is not None and customer.current is not None:
        before = customer.issues.get(customer.current.text)
        over = before.span.earliest + HOUR if before is not None and customer.settled else customer.seen_at
        span = Span(over if customer.seen_at <= over <= now.latest else customer.seen_at, now.latest)
    customer.issues[challenge.text] = Issue(first, exchange.at, span)
