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
from conformance.offblocks.checks import is_partial, listed
from conformance.offblocks.messages import issued_challenge
from conformance.offblocks.observer import (
    A_MOMENT,
    HOUR,
    MARGIN,
    Creation,
    Customer,
    Issue,
    Observer,
    Span,
    Use,
    customer_of,
    pair_of,
    payload_of,
)
from conformance.standards.wallet_signatures import Encoding, EncodingRejected, Reason, decode

_SAYS = Says("offblocks.")
_CLIENT = "offblocks.client."
_HALF = timedelta(minutes=30)
"""For how long after its issue, or after a key's first use, a rule about its whole hour is not the one concerned."""
_SHORTLY = timedelta(minutes=1)
"""How long what the subject does by itself may take."""
_UNSEEN = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND)
_SIGNED_WRONGLY = ("owner-signs-the-message", "encodes-hex-text", "owner-id", "sends-complete-bodies")


@dataclass
class _CustomerState:
    """What the exchanges so far let expect of one customer.

    Args:
        record: What was seen of it.
        creation: Its creation.
        strayed: Whether an outcome was simulated before anybody signed, which no document speaks of.
        refused: Whether a signature was refused.
        failed: The challenges of which a wallet signature was refused.
        failed_at: When the latest of them was (UTC).
        signed: The text that was signed.
        signed_at: When that was.
        status: The state that was read last, if nothing happened since that may have changed it.
        rejected: Whether it was read as rejected.
        simulated: Whether an outcome was simulated, with whatever answer of success.
        verified_at: When its verification was simulated, if that was the first outcome and it was pending.
        rejected_at: When its rejection was, likewise.
    """

    record: Customer
    creation: Creation
    strayed: bool = False
    refused: bool = False
    failed: set[str] = field(default_factory=set)
    failed_at: datetime | None = None
    signed: str | None = None
    signed_at: Span | None = None
    status: str | None = "initiating"
    rejected: bool = False
    simulated: bool = False
    verified_at: Span | None = None
    rejected_at: Span | None = None

    @property
    def current(self) -> str | None:
        """The text of the challenge that was shown last."""
        return self.record.current.text if self.record.current else None

    @property
    def pair(self) -> tuple[str, str]:
        """Its wallet in lower case, and the caller's own id."""
        return self.creation.pair[1:]


class Model:
    """What the documents fix of the answers to a sequence of calls.

    Its observer sees no more than what something can be predicted from: the first answer that shows a customer, and the
    challenges that its creator fetches as long as nobody signed and no outcome was simulated. What a stranger, a
    repetition or a later request is shown no document fixes.
    """

    def __init__(self) -> None:
        self._observer = Observer(key_life=HOUR + MARGIN)  # only then a key is surely free again
        self._customers: dict[str, _CustomerState] = {}

    def receive(self, delivery: Delivery) -> list[Finding]:  # noqa: ARG002  (webhooks are judged by themselves)
        """Nothing: what a webhook says is judged by itself."""
        return []

    def see(self, exchange: Exchange) -> list[Finding]:
        """What an exchange says of the rules, by what came before it."""
        return list(self._see(exchange))

    def _see(self, exchange: Exchange) -> Iterator[Finding]:
        operation, identifier = exchange.operation, exchange.parameters.get("customerId")
        customer = self._customers.get(identifier or "")
        own = customer is not None and customer.creation.identity == exchange.identity
        if not _is_considered(exchange):
            self._doubt(identifier)
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
                case "getChallenge" if customer.signed is None and not customer.strayed:
                    yield from _fetch(exchange, customer)
                    self._observer.see_answer(exchange)
                case "signChallenge":
                    yield from self._sign(exchange, customer)
                case "verifyCustomer" | "rejectCustomer":
                    yield from _simulate(exchange, customer, operation)

    def _doubt(self, customer: str | None) -> None:
        """Predict no more of a customer whose request was not answered, or was one too many.

        What such a request changed nobody can tell; the checks need not care, since they compare what was shown.
        """
        if customer in self._customers:
            del self._customers[customer]
            self._observer.forget(customer)

    def _use(self, exchange: Exchange) -> Use | None:
        """The first use of the request's key before it, None if there was none; its own is remembered from now on."""
        use = self._observer.use_before(exchange)
        self._observer.see_use(exchange.identity, Use.by(exchange))
        return use

    # ------------------------------------------------------------------------------------------------ customers

    def _create(self, exchange: Exchange) -> Iterator[Finding]:
        known = self._customers.get(self._observer.pairs.get(pair_of(exchange), ""))
        use = self._use(exchange)
        if use is not None and not use.span.is_old(exchange):
            if use.span.is_young(exchange) and use.response.succeeded:
                yield from _repeated(exchange, use)
            return
        if use is not None and use.payload == payload_of(exchange.request):
            if known is not None:
                known.record.settled = False
            return
        if known is not None:
            yield from _again(exchange, known)
        elif use is not None:
            yield _SAYS.acceptance("idempotency.key-free-after-an-hour", exchange)
        identifier = customer_of(exchange)
        if not exchange.response.succeeded or identifier is None or identifier in self._customers:
            return
        self._observer.see_answer(exchange)
        record = self._observer.customers[identifier]
        if record.creation is not None:
            self._customers[identifier] = _CustomerState(record, record.creation)

    def _list(self, exchange: Exchange) -> Iterator[Finding]:
        if exchange.response.status != HTTPStatus.OK:
            return
        entries = listed(exchange)
        ids = [str(entry.get("id")) for entry in entries]
        own = {name for name, each in self._customers.items() if each.creation.identity == exchange.identity}
        due = {name for name in own if self._customers[name].creation.span.is_old(exchange, _SHORTLY)}
        due = set() if is_partial(exchange) else due
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
        double = {self._customers[name].pair for name in own if pairs.count(self._customers[name].pair) > 1}
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

    def _sign(self, exchange: Exchange, customer: _CustomerState) -> Iterator[Finding]:
        text = str(exchange.request.members().get("challenge"))
        use = self._use(exchange)
        if use is not None:
            repeated = use.response.succeeded and use.payload == payload_of(exchange.request)
            if repeated and use.span.is_young(exchange, _HALF):
                issue = customer.record.issues.get(text)
                over = issue is not None and issue.span.is_old(exchange)
                rule = "sign-repeat-outlives-challenge" if over else "sign-repeat-is-204"
                yield _SAYS.status(f"idempotency.{rule}", exchange, HTTPStatus.NO_CONTENT)
            else:
                customer.record.settled = False
            return
        yield from _predicted(exchange, customer, text, self._wrong(exchange, customer, text))
        _learn_signature(exchange, customer, text)

    def _wrong(self, exchange: Exchange, customer: _CustomerState, text: str) -> str | None:
        """The rule that asks for a refusal of a sign request for what it holds; empty if none can be told."""
        broken = {rule.removeprefix(_CLIENT) for rule in exchange.breaks}
        if "returns-challenge-unchanged" in broken:
            others = [each for each in self._customers.values() if each is not customer]
            return "signing.foreign-challenge-refused" if any(text in each.record.issues for each in others) else ""
        if "encodes-hex-text" in broken:
            try:
                _, encoding = decode(str(exchange.request.members().get("signature")))
            except EncodingRejected as error:
                return "signing.outside-base64-refused" if error.reason is Reason.NOT_BASE64 else ""
            return None if encoding is Encoding.BASE64_OF_HEX_TEXT else ""
        if "signs-only-its-own-sign-in" in broken:
            return ""
        if "owner-signs-the-message" in broken:
            return "signing.other-key-refused"
        return "" if broken.intersection(_SIGNED_WRONGLY) else None


def _is_considered(exchange: Exchange) -> bool:
    """Whether an answer says something of what was asked, and not only that the server cannot answer now."""
    status = exchange.response.status
    return status < HTTPStatus.INTERNAL_SERVER_ERROR and status != HTTPStatus.TOO_MANY_REQUESTS


def _repeated(exchange: Exchange, first: Use) -> Iterator[Finding]:
    """A creation with a key that came before, within the key's hour."""
    if first.payload == payload_of(exchange.request):
        alike = (exchange.response.status, exchange.response.body) == (first.response.status, first.response.body)
        yield _SAYS.judged(
            "idempotency.repeat-answered-alike",
            alike,
            "response",
            f"{first.response.status} and the body of [{first.exchange}]",
            "so" if alike else f"{answer(exchange)} {shorten(exchange.response.body)}",
            exchange,
        )
    elif exchange.request.path == first.request.path and first.span.is_young(exchange, _HALF):
        yield _SAYS.refusal(
            "idempotency.changed-payload-refused", exchange, "the key came with another payload within the hour"
        )
        yield _SAYS.status(
            "idempotency.changed-payload-status", exchange, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.CONFLICT
        )


def _again(exchange: Exchange, known: _CustomerState) -> Iterator[Finding]:
    """A creation of a pair that there is, with a key of its own."""
    if known.rejected:
        yield _SAYS.refusal("flow.rejected-not-onboarded-again", exchange, "the customer was rejected")
    elif known.status == "active":
        yield _SAYS.status("customer.onboarded-pair-is-409", exchange, HTTPStatus.CONFLICT)
    elif exchange.response.succeeded:
        known.record.settled = False


def _stranger(exchange: Exchange, operation: str) -> Iterator[Finding]:
    rules = {"getCustomer": "customer-unseen", "getChallenge": "challenge-unseen"}
    yield _SAYS.status(f"isolation.{rules.get(operation, 'no-action')}", exchange, *_UNSEEN)


def _read(exchange: Exchange, customer: _CustomerState) -> Iterator[Finding]:
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


def _simulate(exchange: Exchange, customer: _CustomerState, operation: str) -> Iterator[Finding]:
    is_due = customer.status == "verifying" and not customer.simulated
    if is_due:
        yield _SAYS.status("flow.simulated-with-202", exchange, HTTPStatus.ACCEPTED)
    if exchange.response.succeeded and customer.signed is None:
        customer.strayed = True
        customer.record.settled = False
    elif exchange.response.succeeded and is_due and operation == "rejectCustomer":
        customer.rejected_at = Span.of(exchange)
    elif exchange.response.succeeded and is_due:
        customer.verified_at = Span.of(exchange)
    customer.simulated |= exchange.response.succeeded
    customer.status = None


# --------------------------------------------------------------------------------------------------------- challenges


def _fetch(exchange: Exchange, customer: _CustomerState) -> Iterator[Finding]:
    """What must come of fetching the challenge of a customer who has not signed, before the observer sees it."""
    yield _SAYS.status("challenge.fetched-with-200", exchange, HTTPStatus.OK)
    challenge = issued_challenge(exchange.response)
    if challenge is None:
        return
    before = customer.record.issues.get(customer.current or "")
    where, expected = "response /challenge", "a new challenge"
    held = challenge.text not in customer.failed
    if customer.failed_at is not None and (held or exchange.at - customer.failed_at > A_MOMENT):
        got = "a new one" if held else "one whose signature was refused"
        yield _SAYS.judged("challenge.renewed-after-failed-signature", held, where, expected, got, exchange)
    if before is not None and before.span.is_old(exchange) and not customer.refused:
        held = challenge.text != customer.current
        got = "a new one" if held else "the expired one"
        yield _SAYS.judged("challenge.renewed-after-the-hour", held, where, expected, got, exchange)


def _predicted(exchange: Exchange, customer: _CustomerState, text: str, wrong: str | None) -> Iterator[Finding]:
    """What must come of a sign request with a key of its own."""
    if text == customer.signed and exchange.response.succeeded:
        yield _SAYS.status("signing.second-is-409", exchange, HTTPStatus.CONFLICT)
        return
    if wrong:
        yield _SAYS.refusal(wrong, exchange, wrong.partition(".")[2].replace("-", " "))
        return
    issue = customer.record.issues.get(text)
    if issue is None:
        return
    if issue.span.is_old(exchange):
        rule = "renewed-one-has-its-own-hour" if not issue.first else "expires-after-one-hour"
        rule = "hour-runs-from-issue" if issue.fetched and issue.first else rule
        yield _SAYS.refusal(f"challenge.{rule}", exchange, "the challenge is more than an hour old")
    elif wrong is not None:
        return
    elif text == customer.signed and issue.span.is_young(exchange):
        yield _SAYS.status("signing.second-is-409", exchange, HTTPStatus.CONFLICT)
    elif customer.signed is None and text != customer.current and text in customer.failed:
        yield _SAYS.refusal("signing.superseded-challenge-refused", exchange, "a new challenge took its place")
    elif (
        customer.signed is None
        and text == customer.current
        and customer.record.settled
        and issue.span.is_young(exchange)
    ):
        yield _SAYS.acceptance(f"challenge.{_acceptance_rule(exchange, customer, issue)}", exchange)


def _acceptance_rule(exchange: Exchange, customer: _CustomerState, issue: Issue) -> str:
    if issue.first:
        return "accepted-within-the-hour"
    late = not customer.creation.span.is_young(exchange) or not issue.span.is_young(exchange, _HALF)
    return "renewed-one-has-its-own-hour" if late else "renewed-one-signs"


def _learn_signature(exchange: Exchange, customer: _CustomerState, text: str) -> None:
    """Learn what came of a sign request; only one that was refused can have replaced the challenge."""
    issue, broken = customer.record.issues.get(text), {rule.removeprefix(_CLIENT) for rule in exchange.breaks}
    if exchange.response.succeeded:
        if customer.signed is None:
            customer.signed, customer.signed_at = text, Span.of(exchange)
        customer.status = None
        return
    customer.refused = True
    by_another = "owner-signs-the-message" in broken and not broken & {"encodes-hex-text", "sends-complete-bodies"}
    awaited = issue is not None and customer.signed is None and customer.record.settled and text == customer.current
    if issue is not None and awaited and by_another and issue.span.is_young(exchange):
        customer.failed.add(text)
        customer.failed_at = exchange.at
    customer.record.settled = False
