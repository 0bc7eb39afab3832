"""A model of OffBlocks: what its documents fix of the answers to any order of calls, and nothing else.

It reads exchanges and learns from each; what the documents leave open it does not predict. Times are bounds, since a
server issues and forgets at an instant that a client only knows between a request and its answer.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus

from conformance.exchange import Delivery, Exchange
from conformance.findings import Finding, Says, answer, shorten
from conformance.offblocks.checks import listed
from conformance.offblocks.messages import issued_challenge
from conformance.standards.wallet_signatures import Encoding, EncodingRejected, Reason, decode

_SAYS = Says("offblocks.")
_CLIENT = "offblocks.client."
_HOUR = timedelta(hours=1)
_HALF = timedelta(minutes=30)
"""For how long after its issue, or after a key's first use, a rule about its whole hour is not the one concerned."""
_MARGIN = timedelta(seconds=2)
"""How near to the end of an hour nothing is predicted."""
_SHORTLY = timedelta(minutes=1)
"""How long what the subject does by itself may take."""
_UNSEEN = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND)
_SIGNED_WRONGLY = ("owner-signs-the-message", "encodes-hex-text", "owner-id", "sends-complete-bodies")


@dataclass(frozen=True)
class _Span:
    """When something happened: not before `earliest`, not after `latest` (UTC)."""

    earliest: datetime
    latest: datetime

    def is_young(self, exchange: Exchange, age: timedelta = _HOUR) -> bool:
        """Whether it was surely less than `age` ago when the server judged `exchange`."""
        return exchange.at + timedelta(seconds=exchange.seconds) - self.earliest <= age - _MARGIN

    def is_old(self, exchange: Exchange, age: timedelta = _HOUR) -> bool:
        """Whether it was surely more than `age` ago when the server judged `exchange`."""
        return exchange.at - self.latest >= age + _MARGIN


@dataclass
class _Issue:
    """A challenge that was shown.

    Args:
        first: Whether it came with the customer.
        issued: When it was issued.
        fetched: Whether it was fetched again.
        failed: Whether a wallet signature of it was refused.
    """

    first: bool
    issued: _Span
    fetched: bool = False
    failed: bool = False


@dataclass
class _Customer:
    """What the exchanges so far say of one customer.

    Args:
        identity: Who created it.
        chain_id: Its wallet.
        external_id: The caller's own id.
        created: When it was created.
        issues: The challenges that were shown, by their text.
        current: The text that was shown last.
        seen_at: When that was (UTC).
        settled: Whether nothing happened since that may have replaced it.
        strayed: Whether an outcome was simulated before anybody signed, which no document speaks of.
        refused: Whether a signature was refused.
        signed: The text that was signed.
        signed_at: When that was.
        status: The state that was read last, if nothing happened since that may have changed it.
        rejected: Whether it was read as rejected.
        simulated: Whether an outcome was simulated, with whatever answer of success.
        verified_at: When its verification was simulated, if that was the first outcome and it was pending.
        rejected_at: When its rejection was, likewise.
    """

    identity: str
    chain_id: str
    external_id: str
    created: _Span
    issues: dict[str, _Issue] = field(default_factory=dict)
    current: str | None = None
    seen_at: datetime | None = None
    settled: bool = True
    strayed: bool = False
    refused: bool = False
    signed: str | None = None
    signed_at: _Span | None = None
    status: str | None = None
    rejected: bool = False
    simulated: bool = False
    verified_at: _Span | None = None
    rejected_at: _Span | None = None


@dataclass(frozen=True)
class _Use:
    """The first use of an idempotency key."""

    used: _Span
    exchange: Exchange


class Model:
    """What the documents fix of the answers to a sequence of calls."""

    def __init__(self) -> None:
        self._customers: dict[str, _Customer] = {}
        self._keys: dict[tuple[str, str], _Use] = {}

    def receive(self, delivery: Delivery) -> list[Finding]:  # noqa: ARG002  (webhooks are judged by themselves)
        """Nothing: what a webhook says is judged by itself."""
        return []

    def see(self, exchange: Exchange) -> list[Finding]:
        """What an exchange says of the rules, by what came before it."""
        return list(self._see(exchange))

    def _see(self, exchange: Exchange) -> Iterator[Finding]:
        operation, identifier = exchange.operation, exchange.parameters.get("customerId")
        customer = self._customers.get(identifier or "")
        own = customer is not None and customer.identity == exchange.identity
        if (
            exchange.response.status == HTTPStatus.TOO_MANY_REQUESTS
            or exchange.response.status >= HTTPStatus.INTERNAL_SERVER_ERROR
        ):
            self._doubt(customer)
            return
        if operation == "createCustomer":
            yield from self._create(exchange)
        elif operation == "listCustomers":
            yield from self._list(exchange)
        elif customer is not None and not own:
            yield from _stranger(exchange, str(operation))
        elif customer is not None:
            match operation:
                case "getCustomer":
                    yield from _read(exchange, customer)
                case "getChallenge":
                    yield from _fetch(exchange, customer)
                case "signChallenge":
                    yield from self._sign(exchange, customer)
                case "verifyCustomer" | "rejectCustomer":
                    yield from _simulate(exchange, customer, operation)

    def _doubt(self, customer: _Customer | None) -> None:
        """Predict no more of a customer whose request was not answered, or was one too many."""
        if customer is not None:
            del self._customers[next(name for name, each in self._customers.items() if each is customer)]

    # ----------------------------------------------------------------------------------------------------- keys

    def _use(self, exchange: Exchange) -> _Use | None:
        """The use of the request's key before it; the request is remembered as the first if there is none."""
        key = (exchange.identity, str(exchange.request.header("Idempotency-Key")))
        use = self._keys.get(key)
        if use is None or use.used.is_old(exchange):
            self._keys[key] = _Use(_span(exchange), exchange)
        return use

    # ------------------------------------------------------------------------------------------------ customers

    def _create(self, exchange: Exchange) -> Iterator[Finding]:
        asked, response = exchange.request.members(), exchange.response
        chain_id, external_id = str(asked.get("chainId")), str(asked.get("externalId"))
        pair = (exchange.identity, chain_id.lower(), external_id)
        known = next((each for each in self._customers.values() if _pair(each) == pair), None)
        use = self._use(exchange)
        if use is not None and not use.used.is_old(exchange):
            if use.used.is_young(exchange) and use.exchange.response.succeeded:
                yield from _repeated(exchange, use.exchange)
            return
        if use is not None and _payload(use.exchange) == _payload(exchange):
            if known is not None:
                _unsettle(known)
            return
        if known is not None:
            yield from _again(exchange, known)
        elif use is not None:
            yield _SAYS.acceptance("idempotency.key-free-after-an-hour", exchange)
        identifier = response.members().get("id")
        if not response.succeeded or not isinstance(identifier, str) or identifier in self._customers:
            return
        customer = _Customer(exchange.identity, chain_id, external_id, _span(exchange), status="initiating")
        self._customers[identifier] = customer
        _show(exchange, customer, first=True)

    def _list(self, exchange: Exchange) -> Iterator[Finding]:
        if exchange.response.status != HTTPStatus.OK:
            return
        entries = listed(exchange)
        ids = [str(entry.get("id")) for entry in entries]
        own = {name for name, each in self._customers.items() if each.identity == exchange.identity}
        due = {name for name in own if self._customers[name].created.is_old(exchange, _SHORTLY)}
        missing = [name for name in own if ids.count(name) > 1 or (name in due and name not in ids)]
        if own:
            yield _SAYS.judged(
                "customer.listed",
                not missing,
                "response body",
                f"each of {', '.join(sorted(due)) or 'the customers'} once",
                f"{', '.join(sorted(missing))} missing or double" if missing else "so",
                exchange,
            )
        pairs = [(str(entry.get("chainId")).lower(), str(entry.get("externalId"))) for entry in entries]
        double = {_pair(self._customers[name])[1:] for name in own if pairs.count(_pair(self._customers[name])[1:]) > 1}
        if own:
            yield _SAYS.judged(
                "customer.no-second-for-a-pair",
                not double,
                "response body",
                "no externalId twice with the same chainId",
                ", ".join(sorted(external_id for _, external_id in double)) or "none",
                exchange,
            )
        foreign = sorted(set(ids) & set(self._customers) - own)
        if len(own) < len(self._customers):
            yield _SAYS.judged(
                "isolation.list-apart",
                not foreign,
                "response body",
                "no customer of another client",
                ", ".join(foreign) or "none",
                exchange,
            )

    # --------------------------------------------------------------------------------------------------- signing

    def _sign(self, exchange: Exchange, customer: _Customer) -> Iterator[Finding]:
        text = str(exchange.request.members().get("challenge"))
        use = self._use(exchange)
        if use is not None:
            repeated = use.exchange.response.succeeded and _payload(use.exchange) == _payload(exchange)
            if repeated and use.used.is_young(exchange, _HALF):
                issue = customer.issues.get(text)
                over = issue is not None and issue.issued.is_old(exchange)
                rule = "sign-repeat-outlives-challenge" if over else "sign-repeat-is-204"
                yield _SAYS.status(f"idempotency.{rule}", exchange, HTTPStatus.NO_CONTENT)
            else:
                _unsettle(customer)
            return
        yield from _predicted(exchange, customer, text, self._wrong(exchange, customer, text))
        _learn_signature(exchange, customer, text)

    def _wrong(self, exchange: Exchange, customer: _Customer, text: str) -> str | None:
        """The rule that asks for a refusal of a sign request for what it holds; empty if none can be told."""
        broken = {rule.removeprefix(_CLIENT) for rule in exchange.breaks}
        if "returns-challenge-unchanged" in broken:
            others = [each for each in self._customers.values() if each is not customer]
            return "signing.foreign-challenge-refused" if any(text in each.issues for each in others) else ""
        if "encodes-hex-text" in broken:
            try:
                _, encoding = decode(str(exchange.request.members().get("signature")))
            except EncodingRejected as error:
                return "signing.outside-base64-refused" if error.reason is Reason.NOT_BASE64 else ""
            return None if encoding is Encoding.BASE64_OF_HEX_TEXT else ""
        if "owner-signs-the-message" in broken:
            return "signing.other-key-refused"
        return "" if broken.intersection(_SIGNED_WRONGLY) else None


def _span(exchange: Exchange) -> _Span:
    return _Span(exchange.at, exchange.at + timedelta(seconds=exchange.seconds))


def _pair(customer: _Customer) -> tuple[str, str, str]:
    return customer.identity, customer.chain_id.lower(), customer.external_id


def _payload(exchange: Exchange) -> tuple[str, str, bytes]:
    return exchange.request.method, exchange.request.path, exchange.request.body


def _repeated(exchange: Exchange, first: Exchange) -> Iterator[Finding]:
    """A creation with a key that came before, within the key's hour."""
    if _payload(exchange) == _payload(first):
        alike = (exchange.response.status, exchange.response.body) == (first.response.status, first.response.body)
        yield _SAYS.judged(
            "idempotency.repeat-answered-alike",
            alike,
            "response",
            f"{first.response.status} and the body of [{first.id}]",
            "so" if alike else f"{answer(exchange)} {shorten(exchange.response.body)}",
            exchange,
        )
    elif exchange.request.path == first.request.path and _span(first).is_young(exchange, _HALF):
        yield _SAYS.refusal(
            "idempotency.changed-payload-refused", exchange, "the key came with another payload within the hour"
        )
        yield _SAYS.status(
            "idempotency.changed-payload-status", exchange, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.CONFLICT
        )


def _again(exchange: Exchange, known: _Customer) -> Iterator[Finding]:
    """A creation of a pair that there is, with a key of its own."""
    if known.rejected:
        yield _SAYS.refusal("flow.rejected-not-onboarded-again", exchange, "the customer was rejected")
    elif known.status == "active":
        yield _SAYS.status("customer.onboarded-pair-is-409", exchange, HTTPStatus.CONFLICT)
    elif exchange.response.succeeded:
        _unsettle(known)


def _stranger(exchange: Exchange, operation: str) -> Iterator[Finding]:
    rules = {"getCustomer": "customer-unseen", "getChallenge": "challenge-unseen"}
    yield _SAYS.status(f"isolation.{rules.get(operation, 'no-action')}", exchange, *_UNSEEN)


def _read(exchange: Exchange, customer: _Customer) -> Iterator[Finding]:
    yield _SAYS.status("customer.readable", exchange, HTTPStatus.OK)
    status = exchange.response.members().get("status")
    if exchange.response.status != HTTPStatus.OK or not isinstance(status, str):
        return
    where = "response /status"
    if customer.rejected:
        yield _SAYS.judged(
            "flow.rejected-is-final", status == "rejected", where, "rejected, for good", status, exchange
        )
    elif customer.signed is None:
        held = status != "active"
        yield _SAYS.judged("flow.unsigned-never-active", held, where, "initiating: nobody signed", status, exchange)
        if customer.refused and not customer.strayed:
            held = status == "initiating"
            yield _SAYS.judged("signing.refusal-leaves-initiating", held, where, "initiating", status, exchange)
    elif customer.rejected_at is not None and customer.rejected_at.is_old(exchange, _SHORTLY):
        yield _SAYS.judged("flow.rejected-is-final", status == "rejected", where, "rejected", status, exchange)
    elif customer.verified_at is not None and customer.verified_at.is_old(exchange, _SHORTLY):
        yield _SAYS.judged("flow.verified-becomes-active", status == "active", where, "active", status, exchange)
    elif customer.signed_at is not None and customer.signed_at.is_old(exchange, _SHORTLY):
        expected = "a state after initiating"
        yield _SAYS.judged("signing.moves-the-status", status != "initiating", where, expected, status, exchange)
    customer.status = status
    customer.rejected |= status == "rejected"


def _simulate(exchange: Exchange, customer: _Customer, operation: str) -> Iterator[Finding]:
    is_due = customer.status == "verifying" and not customer.simulated
    if is_due:
        yield _SAYS.status("flow.simulated-with-202", exchange, HTTPStatus.ACCEPTED)
    if exchange.response.succeeded and customer.signed is None:
        customer.strayed = True
        _unsettle(customer)
    elif exchange.response.succeeded and is_due and operation == "rejectCustomer":
        customer.rejected_at = _span(exchange)
    elif exchange.response.succeeded and is_due:
        customer.verified_at = _span(exchange)
    customer.simulated |= exchange.response.succeeded
    customer.status = None


# --------------------------------------------------------------------------------------------------------- challenges


def _show(exchange: Exchange, customer: _Customer, *, first: bool = False) -> None:
    """Learn the challenge in an answer."""
    challenge = issued_challenge(exchange.response)
    if challenge is None:
        return
    text, now = challenge.text, _span(exchange)
    before = customer.issues.get(customer.current or "")
    if text in customer.issues:
        customer.issues[text].fetched = True
    elif first or customer.seen_at is None:
        customer.issues[text] = _Issue(first, now)
    else:
        over = before.issued.earliest + _HOUR if before is not None and customer.settled else customer.seen_at
        since = over if customer.seen_at <= over <= now.latest else customer.seen_at
        customer.issues[text] = _Issue(first, _Span(since, now.latest))
    customer.current, customer.seen_at, customer.settled = text, exchange.at, True


def _unsettle(customer: _Customer) -> None:
    customer.settled = False


def _fetch(exchange: Exchange, customer: _Customer) -> Iterator[Finding]:
    if customer.signed is not None or customer.strayed:
        return
    yield _SAYS.status("challenge.fetched-with-200", exchange, HTTPStatus.OK)
    challenge = issued_challenge(exchange.response)
    if challenge is None:
        return
    issue = customer.issues.get(challenge.text)
    failed = any(each.failed for each in customer.issues.values())
    before = customer.issues.get(customer.current or "")
    where, expected = "response /challenge", "a new challenge"
    if failed:
        held = issue is None or not issue.failed
        got = "a new one" if held else "one whose signature was refused"
        yield _SAYS.judged("challenge.renewed-after-failed-signature", held, where, expected, got, exchange)
    if before is not None and before.issued.is_old(exchange) and not customer.refused:
        held = challenge.text != customer.current
        got = "a new one" if held else "the expired one"
        yield _SAYS.judged("challenge.renewed-after-the-hour", held, where, expected, got, exchange)
    _show(exchange, customer)


def _predicted(exchange: Exchange, customer: _Customer, text: str, wrong: str | None) -> Iterator[Finding]:
    """What must come of a sign request with a key of its own."""
    if text == customer.signed and exchange.response.succeeded:
        yield _SAYS.status("signing.second-is-409", exchange, HTTPStatus.CONFLICT)
        return
    if wrong:
        yield _SAYS.refusal(wrong, exchange, wrong.partition(".")[2].replace("-", " "))
        return
    issue = customer.issues.get(text)
    if issue is None:
        return
    if issue.issued.is_old(exchange):
        rule = "renewed-one-has-its-own-hour" if not issue.first else "expires-after-one-hour"
        rule = "hour-runs-from-issue" if issue.fetched and issue.first else rule
        yield _SAYS.refusal(f"challenge.{rule}", exchange, "the challenge is more than an hour old")
    elif wrong is not None:
        return
    elif text == customer.signed and issue.issued.is_young(exchange):
        yield _SAYS.status("signing.second-is-409", exchange, HTTPStatus.CONFLICT)
    elif customer.signed is None and text != customer.current and issue.failed:
        yield _SAYS.refusal("signing.superseded-challenge-refused", exchange, "a new challenge took its place")
    elif customer.signed is None and text == customer.current and customer.settled and issue.issued.is_young(exchange):
        yield _SAYS.acceptance(f"challenge.{_acceptance_rule(exchange, customer, issue)}", exchange)


def _acceptance_rule(exchange: Exchange, customer: _Customer, issue: _Issue) -> str:
    if issue.first:
        return "accepted-within-the-hour"
    late = not customer.created.is_young(exchange) or not issue.issued.is_young(exchange, _HALF)
    return "renewed-one-has-its-own-hour" if late else "renewed-one-signs"


def _learn_signature(exchange: Exchange, customer: _Customer, text: str) -> None:
    issue, broken = customer.issues.get(text), {rule.removeprefix(_CLIENT) for rule in exchange.breaks}
    if exchange.response.succeeded:
        if customer.signed is None:
            customer.signed, customer.signed_at = text, _span(exchange)
        customer.status = None
        return
    customer.refused = True
    by_another = "owner-signs-the-message" in broken and not broken & {"encodes-hex-text", "sends-complete-bodies"}
    awaited = issue is not None and customer.signed is None and customer.settled and text == customer.current
    if issue is not None and awaited and by_another and issue.issued.is_young(exchange):
        issue.failed = True
    _unsettle(customer)
