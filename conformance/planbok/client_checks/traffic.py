"""The rules for clients that only the whole of the traffic shows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from operator import attrgetter
from urllib.parse import parse_qsl

from conformance.exchange import Delivery, Exchange
from conformance.findings import Finding, Outcome
from conformance.planbok.client_checks.findings import SAYS
from conformance.planbok.client_checks.instants import Instant
from conformance.planbok.client_checks.pages import Page, redirect_target
from conformance.planbok.client_checks.webhooks import ACCEPTED, webhook_answers
from conformance.planbok.messages import (
    LIFE,
    SUCCESS_WORDS,
    Call,
    Challenge,
    call_of,
    challenge_of,
    event_of,
    filtered_customers,
    names_customer,
    payload,
)

_READ = Call("getChallenge")
_MOVED = (
    "The time of a result has passed by the clock of this world alone, so that no client can be blamed yet; "
    "--provoke has a server that keeps results for a minute."
)


@dataclass(frozen=True)
class _Provisioning:
    """A challenge for new wallets with all that came after its issue.

    Args:
        issue: The exchange that issued it.
        customer: The customer.
        challenge: The challenge.
        later: The exchanges after its issue.
        events: The deliveries of ``wallet.created`` for the customer.
    """

    issue: Exchange
    customer: str | None
    challenge: Challenge
    later: Sequence[Exchange]
    events: Sequence[Delivery]

    def reads(self) -> list[tuple[Exchange, Challenge | None]]:
        """Every read of it, with what was shown."""
        wanted = replace(_READ, customer=self.customer, challenge=self.challenge.id)
        return [(each, challenge_of(each.response)) for each in self.later if call_of(each) == wanted]

    @property
    def life(self) -> timedelta:
        """How long its result can be read: 15 minutes, or less if its answer says so."""
        expires_at = self.challenge.expires_at
        return LIFE if expires_at is None else min(LIFE, max(expires_at - self.issue.at, timedelta()))

    def heard(self) -> bool:
        """Whether the client took an event of the customer's new wallets."""
        return any(delivery.answered in ACCEPTED for delivery in self.events)

    def is_about_customer(self, exchange: Exchange) -> bool:
        """Whether an exchange asks for something of the customer, the new wallets included."""
        return call_of(exchange).customer == self.customer or self.shows_wallets(exchange)

    def shows_wallets(self, exchange: Exchange) -> bool:
        """Whether an exchange reads wallets of the customer from the list or one by one, and gets some."""
        match call_of(exchange).operation, payload(exchange.response):
            case "listWallets", [_, *_]:
                return self.customer in (filtered_customers(exchange.request) or ())
            case "getWallet", {"customer": customer}:
                return bool(customer == self.customer)
        return False

    def returns(self, exchange: Exchange) -> bool:
        """Whether an exchange sends the customer from the page to the caller's own, and not because it failed."""
        own = self.issue.request.members().get("redirectUrl")
        visited, given = Page.at(exchange.request.url), Page.at(self.challenge.redirect_url or "")
        target = Page.at(redirect_target(exchange) or "")
        leaves = isinstance(own, str) and target is not None and target.is_at(Page.at(own))
        return leaves and visited == given and _return_status(exchange) in {None, *SUCCESS_WORDS}

    def completed(self) -> Instant | None:
        """When it was first seen to have succeeded, None if it never was."""
        times = [Instant.of(exchange) for exchange, shown in self.reads() if shown and shown.succeeded]
        times += [Instant.of(each) for each in self.later if self.returns(each) and _return_status(each)]
        times += [Instant.of(delivery) for delivery in self.events if _names_challenge(delivery, self.challenge)]
        return min(times, default=None, key=attrgetter("world"))


def journal_findings(
    exchanges: Sequence[Exchange], deliveries: Sequence[Delivery], webhook_secret: str | None
) -> list[Finding]:
    """What only the whole of a client's traffic shows of the rules for clients.

    Nothing is said where the traffic leaves room for a client that is right: of wallets that it learnt of in another
    way, of a result that was lost in spite of a read in time, of a delivery that was refused for more than one reason.

    Args:
        exchanges: All exchanges of one client and its customers' browsers, in the order sent.
        deliveries: All webhooks that it was sent, in the order they came, with its own answers.
        webhook_secret: What its webhooks are signed with; None if that is not known, so that none is judged.
    """
    exchanges = [exchange for exchange in exchanges if Page.at(exchange.request.url)]
    times = [*map(Instant.of, exchanges), *map(Instant.of, deliveries)]
    findings: list[Finding] = []
    for provisioning in _provisionings(exchanges, deliveries):
        findings += [*_verifies_status(provisioning), *_stores_result(provisioning, _latest(times))]
    if webhook_secret:
        findings += webhook_answers(deliveries, webhook_secret)
    return findings


def _latest(times: Sequence[Instant]) -> Instant:
    return max(times, key=attrgetter("world"))


def _provisionings(exchanges: Sequence[Exchange], deliveries: Sequence[Delivery]) -> Iterator[_Provisioning]:
    created = [delivery for delivery in deliveries if event_of(delivery) == "wallet.created"]
    known: set[str | None] = {None}
    for number, exchange in enumerate(exchanges, start=1):
        call, challenge = call_of(exchange), challenge_of(exchange.response)
        if call.operation == "createWallets" and challenge is not None and challenge.id not in known:
            known.add(challenge.id)
            events = [delivery for delivery in created if names_customer(delivery, [call.customer or ""])]
            yield _Provisioning(exchange, call.customer, challenge, exchanges[number:], events)


def _verifies_status(provisioning: _Provisioning) -> Iterator[Finding]:
    """Judge what a client reads after the customer's return: the challenge as verified, or the list of wallets.

    Both are documented ways to the wallets. A single wallet that is read before either is known from the return alone,
    unless the challenge is read as verified at any time, or an event was taken.
    """
    later = provisioning.later
    back = next((number for number, each in enumerate(later, start=1) if provisioning.returns(each)), len(later))
    about = [exchange for exchange in later[back:] if provisioning.is_about_customer(exchange)]
    wallets = next(filter(provisioning.shows_wallets, about), None)
    verified = [exchange for exchange, shown in provisioning.reads() if shown and shown.succeeded]
    where, expected = "requests after the return", "a read of the challenge as verified, or of the list of wallets"
    if about and verified and (wallets is None or later.index(verified[0]) < later.index(wallets)):
        yield _seen("verifies-status", True, where, expected, "one", verified[0])
    elif wallets and call_of(wallets).operation == "listWallets":
        yield _seen("verifies-status", True, where, expected, "the list", wallets)
    elif wallets and about[0] is wallets and not verified and not provisioning.heard():
        yield _seen("verifies-status", False, where, expected, "a read of one wallet", wallets)


def _stores_result(provisioning: _Provisioning, end: Instant) -> Iterator[Finding]:
    """Judge whether a result was read, once its time has passed; the other ways to the wallets excuse."""
    life = provisioning.life
    where, expected = "requests after completion", f"a read of the result within {life.total_seconds() / 60:g} minutes"
    reads, completed = provisioning.reads(), provisioning.completed()
    results = [exchange for exchange, shown in reads if shown and shown.succeeded and shown.result]
    if results:
        yield _seen("stores-result-in-time", True, where, expected, "one", results[0])
    elif completed is not None and end.world - completed.world > life:
        tried = any(completed.world <= exchange.at <= completed.world + life for exchange, _ in reads)
        if not tried and not provisioning.heard() and not any(map(provisioning.shows_wallets, provisioning.later)):
            finding = _seen("stores-result-in-time", False, where, expected, "none", provisioning.issue)
            passed = end.since(completed) > life
            yield finding if passed else replace(finding, outcome=Outcome.SKIPPED, reason=_MOVED)


def _seen(rule: str, held: bool, where: str, expected: str, got: str, exchange: Exchange) -> Finding:
    return replace(SAYS.judged(rule, held, where, expected, got), exchange=exchange.id)


def _return_status(exchange: Exchange) -> str | None:
    """The status that the return from a page tells, None if it tells none."""
    page = Page.at(redirect_target(exchange) or "")
    return dict(parse_qsl(page.query)).get("status") if page else None


def _names_challenge(delivery: Delivery, challenge: Challenge) -> bool:
    data = delivery.request.members().get("data")
    return isinstance(data, Mapping) and data.get("challengeId") == challenge.id
