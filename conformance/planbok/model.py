"""A model of Planbok: what its documents fix of the answers to any order of calls, and nothing else.

It reads exchanges with the API, the steps of the hosted page among them, and webhooks, and learns from each. What the
documents leave open it does not predict: how many wrong PINs lock a customer out, what a newer challenge does to an
older one, when within a minute a list or a webhook follows.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from conformance.exchange import Delivery, Exchange
from conformance.findings import Finding, Says
from conformance.planbok.messages import (
    LIFE,
    Call,
    Challenge,
    Wallet,
    call_of,
    chains_asked_for,
    challenge_in,
    challenge_of,
    customer_id,
    entries,
    event_of,
    filtered_customers,
    names_customer,
    payload,
    wallets_in,
    wallets_of,
)
from conformance.planbok.observer import Creation, Customer, Issue, Observer

_SAYS = Says("planbok.")
_TOLERANCE = timedelta(minutes=2)
_SHORTLY = timedelta(minutes=1)
"""How long what the subject does by itself may take."""
_PREDICTED = ("initializeCustomer", "setUpRecovery", "createWallets")
"""The operations whose challenges the documents say enough of."""
_FAILURES = ("failed", "expired")
"""What the sources and the sandbox call a challenge that can no longer be completed."""
_FIELDS = re.compile("csrf|step|action|pin|new_pin|new_pin_again|(?:question|answer)_[0-9]")
"""What the fields of the sandbox's page are called; what is entered at a page with other ones is not understood."""
_A_PAGE = 10
"""How many entries a list shows unless it is asked for more."""


@dataclass
class _CustomerState:
    """What the exchanges so far let expect of one customer.

    Args:
        record: What was seen of it.
        creation: The request that created it.
        pin: The PIN that was entered as a new one last; a placeholder in a replay.
        pin_at: When that was (UTC), if it surely counts.
        recovery: Whether answers were entered.
        recovery_at: When that was (UTC), if it surely counts.
        guessed_wrong: Whether a wrong PIN was entered, after which the right one may be refused.
        challenges: Its challenges by id, that which was issued last at the end.
        unclear: Whether something was entered at a page that is not understood, so that its PIN is not known.
        heard: Whether an event about it came.
        refused: The chains of the wallets that the API refused to make a challenge for.
    """

    record: Customer
    creation: Creation
    pin: str | None = None
    pin_at: datetime | None = None
    recovery: bool = False
    recovery_at: datetime | None = None
    guessed_wrong: bool = False
    challenges: dict[str, "_ChallengeState"] = field(default_factory=dict)
    unclear: bool = False
    heard: bool = False
    refused: set[str] = field(default_factory=set)

    def has(self, flag: str) -> bool:
        """Whether whoever created it was shown a flag as true, ``hasPin`` or ``hasRecovery``."""
        return (self.creation.identity, flag) in self.record.flags

    @property
    def names(self) -> list[str]:
        """What an event about it or about its wallets may name, since no document shows what it does."""
        challenges = [state for state in self.challenges.values() if state.issue.operation == "createWallets"]
        wallets = [wallet for state in challenges for wallet in state.wallets.values()]
        shown = (name for wallet in wallets for name in (wallet.id, wallet.address))
        issued = (state.issue.id for state in challenges)
        return [name for name in (self.record.id, self.creation.ref_id, *issued, *shown) if name]


@dataclass
class _ChallengeState:
    """What was done with a challenge at its page, and what came of it.

    Args:
        issue: The request that it was issued for.
        page: The URL of its page.
        customer: Whose it is.
        right_at: When the right PIN was entered first, while it could still count (UTC).
        wrong: Whether a wrong PIN was entered.
        late: Whether the right PIN was entered when its time was over.
        opened_at: When its page was opened first (UTC).
        entered: Whether a PIN was entered.
        cancelled: Whether it was cancelled before the right PIN was entered.
        unclear: Whether something was entered that cannot be understood.
        succeeded_by: When it was seen as a success first (UTC).
        wallets: The wallets in its result, by their places.
    """

    issue: Issue
    page: str
    customer: _CustomerState
    right_at: datetime | None = None
    wrong: bool = False
    late: bool = False
    opened_at: datetime | None = None
    entered: bool = False
    cancelled: bool = False
    unclear: bool = False
    succeeded_by: datetime | None = None
    wallets: dict[tuple[str, str], Wallet] = field(default_factory=dict)

    def is_young(self, now: datetime) -> bool:
        """Whether it can surely be completed, as far as its time goes."""
        return now - self.issue.at <= LIFE - _TOLERANCE

    def is_over(self, now: datetime) -> bool:
        """Whether its time is surely over; no document says whether it begins at the issue or with the page."""
        return self.opened_at is not None and now - self.opened_at >= LIFE + _TOLERANCE

    def is_surely_completable(self, now: datetime) -> bool:
        """Whether nothing that the documents leave open can keep the right PIN from completing it, or has kept it."""
        customer = self.customer
        clean = not (self.cancelled or self.is_unclear or customer.guessed_wrong)
        newest = next(reversed(customer.challenges.values())) is self
        return (
            clean
            and newest
            and customer.has("hasPin")
            and customer.has("hasRecovery")
            and self.is_young(self.right_at or now)
        )

    @property
    def is_unclear(self) -> bool:
        """Whether what was entered cannot be understood, or not be told to be right or wrong."""
        return self.unclear or self.customer.unclear

    @property
    def may_succeed(self) -> bool:
        """Whether what was entered can have completed it."""
        return self.right_at is not None or self.is_unclear

    @property
    def untouched(self) -> bool:
        """Whether its page was at most cancelled, so that nothing can have come of it, not even by a fault."""
        return not (self.entered or self.is_unclear) and (self.cancelled or self.opened_at is None)


class Model:
    """What the documents fix of the answers to a sequence of calls."""

    def __init__(self) -> None:
        self._observer = Observer()
        self._customers: dict[str, _CustomerState] = {}
        self._challenges: dict[str, _ChallengeState] = {}
        self._announcements: list[Delivery] = []

    def see(self, exchange: Exchange) -> list[Finding]:
        """What an exchange says of the rules, by what came before it."""
        if exchange.operation is None:
            self._page(exchange)
            return []
        findings = list(self._judge(exchange))
        self._observer.see(exchange)
        self._learn(exchange)
        return findings

    def receive(self, delivery: Delivery) -> list[Finding]:
        """What a webhook says of the rules, by what came before it."""
        named = [each for each in self._customers.values() if names_customer(delivery, each.names)]
        found = []
        if event_of(delivery) == "wallet.created":
            self._announcements.append(delivery)
            for customer in named:
                found += list(_announced(customer, wallets_of(delivery)))
        for customer in named:
            customer.heard = True
        return found

    def _judge(self, exchange: Exchange) -> Iterator[Finding]:
        if not _is_considered(exchange):
            return
        call = call_of(exchange)
        customer = self._customers.get(call.customer or "")
        if call.operation == "listWallets":
            yield from self._list(exchange)
        elif customer is not None and customer.creation.identity != exchange.identity:
            yield _SAYS.refusal("customer.unseen-by-others", exchange)
        elif customer is not None:
            yield from self._own(exchange, call, customer)

    def _own(self, exchange: Exchange, call: Call, customer: _CustomerState) -> Iterator[Finding]:
        match call.operation:
            case "getCustomer":
                yield from _read(exchange, customer)
            case "getChallenge" if (found := challenge_of(exchange.response)) is not None:
                yield from self._progress(exchange, customer, found, "response /data")
            case "listChallenges":
                for number, entry in enumerate(entries(exchange.response)):
                    if (found := challenge_in(entry)) is not None:
                        yield from self._progress(exchange, customer, found, f"response /data/{number}")

    # ------------------------------------------------------------------------------------------------- learning

    def _learn(self, exchange: Exchange) -> None:
        """Learn what to expect, once the observer has seen the exchange."""
        if not _is_considered(exchange):
            return
        call = call_of(exchange)
        customer = self._customers.get(call.customer or "")
        if call.operation == "createCustomer":
            self._create(exchange)
        elif call.operation in _PREDICTED and customer and customer.creation.identity == exchange.identity:
            self._issue(exchange, customer)

    def _create(self, exchange: Exchange) -> None:
        identifier = customer_id(exchange.response)
        record = self._observer.customers.get(identifier or "")
        if record is not None and record.creation is not None:
            self._customers.setdefault(record.id, _CustomerState(record, record.creation))

    def _issue(self, exchange: Exchange, customer: _CustomerState) -> None:
        """Learn of a new challenge; only from those that name an id and a page anything follows."""
        challenge = challenge_of(exchange.response)
        if challenge is None or challenge.id is None or challenge.redirect_url is None:
            customer.refused |= chains_asked_for(exchange.request)
            return
        issues = self._observer.issues.get(challenge.id)
        if issues:
            state = _ChallengeState(issues[-1], challenge.redirect_url, customer)
            state = self._challenges.setdefault(challenge.id, state)
            customer.challenges.pop(challenge.id, None)
            customer.challenges[challenge.id] = state

    def _page(self, exchange: Exchange) -> None:
        """Learn what was entered at the page of a challenge."""
        concerned = self._at(exchange.request.url)
        for state in concerned:
            state.opened_at = state.opened_at or exchange.at
        if exchange.request.method != "POST":
            return
        fields = dict(parse_qsl(exchange.request.body.decode("latin-1"), keep_blank_values=True))
        foreign = not fields or not all(map(_FIELDS.fullmatch, fields))
        for state in concerned or self._challenges.values():
            state.customer.unclear |= foreign
            if len(concerned) != 1 or foreign or not _enter(state, fields, exchange.at):
                state.unclear = state.customer.recovery = True
                state.customer.pin = state.customer.pin or ""

    def _at(self, url: str) -> list[_ChallengeState]:
        """The challenges whose page is at a URL, or at one that has another query if there is none."""
        place, query = _place(url)
        there = [state for state in self._challenges.values() if _place(state.page)[0] == place]
        return [state for state in there if _place(state.page)[1] == query] or there

    # ----------------------------------------------------------------------------------------------------- lists

    def _list(self, exchange: Exchange) -> Iterator[Finding]:
        filtered = filtered_customers(exchange.request) or []
        customers = [self._customers[name] for name in filtered if name in self._customers]
        if len(customers) != 1 or len(filtered) != 1 or not exchange.response.succeeded:
            return
        customer, wallets = customers[0], wallets_in(entries(exchange.response))
        if customer.creation.identity != exchange.identity:
            shown = ", ".join(wallet.address for wallet in wallets) or "none"
            yield _SAYS.judged("list.unseen-by-others", not wallets, "response /data", "no wallet", shown, exchange)
            return
        yield from _allowed(customer, wallets, exchange)
        due = {
            place: wallet
            for state in customer.challenges.values()
            if state.succeeded_by is not None and _SHORTLY <= exchange.at - state.succeeded_by < LIFE - _TOLERANCE
            for place, wallet in state.wallets.items()
        }
        if due and len(wallets) < _A_PAGE and "page=" not in exchange.request.query:
            listed = {wallet.folded for wallet in wallets}
            missing = [wallet for place, wallet in due.items() if place not in listed]
            yield _SAYS.judged(
                "list.holds-all",
                not missing,
                "response /data",
                ", ".join(sorted(f"{wallet.address} on {wallet.blockchain}" for wallet in due.values())),
                ", ".join(sorted(f"{wallet.address} on {wallet.blockchain} missing" for wallet in missing)) or "so",
                exchange,
            )

    # ------------------------------------------------------------------------------------------------- challenges

    def _progress(
        self, exchange: Exchange, customer: _CustomerState, shown: Challenge, where: str
    ) -> Iterator[Finding]:
        """What is said of a challenge that is read or listed."""
        state = customer.challenges.get(shown.id or "")
        if state is None or state.issue.operation != "createWallets" or shown.status is None:
            return
        yield from _status(exchange, state, shown, where)
        yield from _result(exchange, state, shown, where)
        if shown.succeeded and state.succeeded_by is None:
            state.succeeded_by = exchange.at + timedelta(seconds=exchange.seconds)
        state.wallets |= {wallet.folded: wallet for wallet in shown.wallets}
        if customer.heard:
            yield from _heard(exchange, state, self._announced_for(customer))

    def _announced_for(self, customer: _CustomerState) -> set[str]:
        """The chains of the wallets that events showed; an event that shows none may be about any asked for before."""
        names, chains = customer.names, set[str]()
        for delivery in self._announcements:
            if names_customer(delivery, names):
                asked = [state.issue.chains for state in customer.challenges.values() if state.issue.at <= delivery.at]
                shown = {wallet.blockchain for wallet in wallets_of(delivery)}
                chains |= shown or frozenset().union(*asked)
        return chains


def _is_considered(exchange: Exchange) -> bool:
    """Whether an answer says something of what was asked, and not only that the server cannot answer now."""
    status = exchange.response.status
    return status < HTTPStatus.INTERNAL_SERVER_ERROR and status != HTTPStatus.TOO_MANY_REQUESTS


def _place(url: str) -> tuple[str, str]:
    """Where a page is, and its query."""
    parts = urlsplit(url)
    return f"{parts.netloc}{parts.path}", parts.query


def _enter(state: _ChallengeState, fields: Mapping[str, str], now: datetime) -> bool:
    """Learn what was entered for a challenge; whether it could be understood."""
    customer, open_still = state.customer, state.right_at is None and not state.cancelled
    if fields.get("action") == "cancel":
        state.cancelled |= state.right_at is None
    elif "new_pin" in fields:
        if fields["new_pin"] == fields.get("new_pin_again") and not state.is_over(now):
            customer.pin = fields["new_pin"]
            customer.pin_at = now if open_still and state.is_young(now) else customer.pin_at
    elif "answer_1" in fields:
        if not state.is_over(now):
            customer.recovery = True
            customer.recovery_at = now if open_still and state.is_young(now) else customer.recovery_at
            state.right_at = state.right_at or now
    elif "pin" in fields:
        _guess(state, fields["pin"], now)
    else:
        return False
    return True


def _guess(state: _ChallengeState, pin: str, now: datetime) -> None:
    state.entered = True
    if pin != state.customer.pin:
        state.wrong = state.customer.guessed_wrong = True
    elif state.is_over(now):
        state.late = True
    elif state.customer.recovery and not state.cancelled and state.issue.operation == "createWallets":
        state.right_at = state.right_at or now


# ---------------------------------------------------------------------------------------------------------- customers


def _read(exchange: Exchange, customer: _CustomerState) -> Iterator[Finding]:
    data = payload(exchange.response)
    if not isinstance(data, Mapping):
        return
    pin, recovery = customer.pin is not None, customer.recovery
    yield from _flag(exchange, data, "hasPin", customer.pin_at, possible=pin, before=customer.has("hasPin"))
    yield from _flag(
        exchange, data, "hasRecovery", customer.recovery_at, possible=recovery, before=customer.has("hasRecovery")
    )


def _flag(
    exchange: Exchange, data: Mapping[str, Any], name: str, since: datetime | None, *, possible: bool, before: bool
) -> Iterator[Finding]:
    """A flag is false until something was entered for it, and true from then on."""
    rule = "customer.has-pin" if name == "hasPin" else "customer.has-recovery"
    due = before or (since is not None and exchange.at - since >= _SHORTLY)
    if isinstance(data.get(name), bool) and (due or not possible):
        expected = "true, for good" if due else "false: none was set"
        yield _SAYS.judged(rule, data[name] is due, f"response /data/{name}", expected, data[name], exchange)


# --------------------------------------------------------------------------------------------------------- challenges


def _status(exchange: Exchange, state: _ChallengeState, shown: Challenge, where: str) -> Iterator[Finding]:
    """Whether a challenge succeeded as it must, and did not where it cannot have."""
    place, status = f"{where}/status", shown.status
    if not state.may_succeed:
        over = not shown.succeeded and state.is_over(exchange.at)
        rule = "challenge.expires-after-15-minutes" if over else _of_status(state)
        yield _SAYS.judged(rule, not shown.succeeded, place, "no success", status, exchange)
    if state.succeeded_by is not None:
        if state.is_young(exchange.at):
            yield _SAYS.judged("page.completed-once", shown.succeeded, place, "a success still", status, exchange)
    elif state.is_surely_completable(exchange.at):
        under_way = state.right_at is None or exchange.at - state.right_at < _SHORTLY
        held = shown.succeeded or (under_way and status not in _FAILURES)
        yield _SAYS.judged("challenge.completable-in-time", held, place, "no failure in its time", status, exchange)


def _heard(exchange: Exchange, state: _ChallengeState, announced: Collection[str]) -> Iterator[Finding]:
    """What must have come of a challenge by way of webhooks, and what must not."""
    customer = state.customer
    if all(each.untouched for each in customer.challenges.values() if each.issue.chains):
        rule = "none-for-a-failed-challenge" if state.cancelled else "not-before-completion"
        got = ", ".join(sorted(announced)) or "none"
        yield _SAYS.judged(f"webhook.{rule}", not announced, "webhooks", "no wallet.created", got, exchange)
    if state.succeeded_by is not None and exchange.at - state.succeeded_by >= _SHORTLY:
        missing = state.issue.chains.difference(announced)
        yield _SAYS.judged(
            "webhook.wallet-created-sent",
            not missing,
            "webhooks",
            f"wallet.created for {', '.join(sorted(state.issue.chains))}",
            f"none for {', '.join(sorted(missing))}" if missing else "so",
            exchange,
        )


def _of_status(state: _ChallengeState) -> str:
    """The rule that asks for no success to be read: that a challenge begins as pending, if nobody opened its page."""
    rule = _of_success(state)
    return "challenge.starts-pending" if rule == "page.asks-pin-every-time" and state.opened_at is None else rule


def _of_success(state: _ChallengeState) -> str:
    """The rule that asks for no success, by what happened to the challenge."""
    if state.customer.pin is None:
        return "gate.no-wallet-without-pin"
    if not state.customer.recovery:
        return "gate.no-wallet-without-recovery"
    if state.cancelled:
        return "page.cancelled-makes-no-wallet"
    if state.late:
        return "challenge.expires-after-15-minutes"
    return "page.wrong-pin-refused" if state.wrong else "page.asks-pin-every-time"


def _result(exchange: Exchange, state: _ChallengeState, shown: Challenge, where: str) -> Iterator[Finding]:
    wallets, completed = shown.wallets, state.succeeded_by
    directly = state.right_at is not None and exchange.at - state.right_at < _SHORTLY
    if shown.succeeded and completed is None and directly and not state.is_unclear:
        rule, expected = "result.readable-after-completion", "the new wallets"
        yield _SAYS.judged(
            rule, bool(wallets), f"{where}/result", expected, shown.result if wallets else "nothing", exchange
        )
    if completed is not None and exchange.at - completed >= LIFE + _TOLERANCE:
        got = ", ".join(wallet.address for wallet in wallets) or "nothing of it"
        yield _SAYS.judged(
            "result.gone-after-15-minutes", not wallets, f"{where}/result", "nothing of it", got, exchange
        )


# ------------------------------------------------------------------------------------------------------------ wallets


def _allowed(customer: _CustomerState, wallets: Collection[Wallet], exchange: Exchange) -> Iterator[Finding]:
    """Whether a customer's wallets can have come of the challenges that were completed, one on each chain of each."""
    shown = [wallet.blockchain for wallet in wallets]
    if customer.pin is None or not customer.recovery:
        rule = "gate.no-wallet-without-pin" if customer.pin is None else "gate.no-wallet-without-recovery"
        yield _SAYS.judged(rule, not shown, "response /data", "no wallet", ", ".join(shown) or "none", exchange)
        return
    for chain in sorted({*shown, *(chain for state in customer.challenges.values() for chain in state.issue.chains)}):
        asked = [state for state in customer.challenges.values() if chain in state.issue.chains]
        most = sum(state.may_succeed for state in asked)
        if asked and chain not in customer.refused:
            held, expected = shown.count(chain) <= most, f"no more than {most} wallets on {chain}"
            yield _SAYS.judged(_of_wallets(asked), held, "response /data", expected, shown.count(chain), exchange)


def _of_wallets(asked: Collection[_ChallengeState]) -> str:
    """The rule that asks for no further wallet on a chain."""
    failed = [state for state in asked if not state.may_succeed]
    return _of_success(failed[-1]) if failed else "page.completed-once"


def _announced(customer: _CustomerState, wallets: Collection[Wallet]) -> Iterator[Finding]:
    """Whether a ``wallet.created`` can come of a challenge that was completed; an event need not name its wallet."""
    named: set[str | None] = {wallet.blockchain for wallet in wallets}
    for chain in named or {None}:
        asked = [
            state
            for state in customer.challenges.values()
            if state.issue.chains and chain in {None, *state.issue.chains}
        ]
        held = not all(state.untouched for state in asked)
        failed = bool(asked) and all(state.cancelled for state in asked)
        rule = "none-for-a-failed-challenge" if failed else "not-before-completion"
        yield _SAYS.judged(f"webhook.{rule}", held, "webhook", "no wallet.created", chain or "one", None)
