"""A model of Planbok: what its documents fix of the answers to any order of calls, and nothing else.

It reads exchanges with the API, the steps of the hosted page among them, and webhooks, and learns from each. What the
documents leave open it does not predict: how many wrong PINs lock a customer out, what a newer challenge does to an
older one, when within a minute a list or a webhook follows.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from conformance.exchange import Delivery, Exchange
from conformance.findings import Finding, Says
from conformance.planbok.messages import (
    Call,
    Challenge,
    Wallet,
    call_of,
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

_SAYS = Says("planbok.")
_LIFE = timedelta(minutes=15)
_TOLERANCE = timedelta(minutes=2)
_SHORTLY = timedelta(minutes=1)
"""How long what the subject does by itself may take."""
_ISSUES = ("initializeCustomer", "setUpRecovery", "createWallets")
_FAILURES = ("failed", "expired")
"""What the sources and the sandbox call a challenge that can no longer be completed."""
_A_PAGE = 10
"""How many entries a list shows unless it is asked for more."""


@dataclass
class _Issue:
    """A challenge that was issued.

    Args:
        id: Its id.
        operation: The operation that it was issued by.
        customer: Whose it is.
        page: The URL of its page.
        at: When it was asked for (UTC).
        chains: The chains that it asked for.
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

    id: str
    operation: str
    customer: "_Customer"
    page: str
    at: datetime
    chains: frozenset[str]
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
        return now - self.at <= _LIFE - _TOLERANCE

    def is_over(self, now: datetime) -> bool:
        """Whether its time is surely over; no document says whether it begins at the issue or with the page."""
        return self.opened_at is not None and now - self.opened_at >= _LIFE + _TOLERANCE

    def is_surely_completable(self, now: datetime) -> bool:
        """Whether nothing that the documents leave open can keep the right PIN from completing it, or has kept it."""
        customer = self.customer
        clean = not (self.cancelled or self.unclear or customer.guessed_wrong)
        newest = next(reversed(customer.issues.values())) is self
        return clean and newest and customer.has_pin and customer.has_recovery and self.is_young(self.right_at or now)

    @property
    def may_succeed(self) -> bool:
        """Whether what was entered can have completed it."""
        return self.right_at is not None or self.unclear

    @property
    def untouched(self) -> bool:
        """Whether its page was at most cancelled, so that nothing can have come of it, not even by a fault."""
        return not (self.entered or self.unclear) and (self.cancelled or self.opened_at is None)


@dataclass
class _Customer:
    """What the exchanges so far say of one customer.

    Args:
        id: Its id.
        identity: Who created it.
        ref_id: The caller's own id of it, None if none was sent.
        pin: The PIN that was entered as a new one last; a placeholder in a replay.
        pin_at: When that was (UTC), if it surely counts.
        recovery: Whether answers were entered.
        recovery_at: When that was (UTC), if it surely counts.
        has_pin: Whether it was seen to have a PIN.
        has_recovery: Whether it was seen to have recovery.
        guessed_wrong: Whether a wrong PIN was entered, after which the right one may be refused.
        issues: Its challenges by id, that which was issued last at the end.
        heard: Whether an event about it came.
        refused: The chains of the wallets that the API refused to make a challenge for.
    """

    id: str
    identity: str
    ref_id: str | None
    pin: str | None = None
    pin_at: datetime | None = None
    recovery: bool = False
    recovery_at: datetime | None = None
    has_pin: bool = False
    has_recovery: bool = False
    guessed_wrong: bool = False
    issues: dict[str, _Issue] = field(default_factory=dict)
    heard: bool = False
    refused: set[str] = field(default_factory=set)

    @property
    def names(self) -> list[str]:
        """What an event about it or about its wallets may name, since no document shows what it does."""
        challenges = [issue for issue in self.issues.values() if issue.operation == "createWallets"]
        wallets = [wallet for issue in challenges for wallet in issue.wallets.values()]
        shown = (name for wallet in wallets for name in (wallet.id, wallet.address))
        return [name for name in (self.id, self.ref_id, *(issue.id for issue in challenges), *shown) if name]


class Model:
    """What the documents fix of the answers to a sequence of calls."""

    def __init__(self) -> None:
        self._customers: dict[str, _Customer] = {}
        self._issues: dict[str, _Issue] = {}
        self._announcements: list[Delivery] = []

    def see(self, exchange: Exchange) -> list[Finding]:
        """What an exchange says of the rules, by what came before it."""
        return list(self._see(exchange))

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

    def _see(self, exchange: Exchange) -> Iterator[Finding]:
        call = call_of(exchange)
        if exchange.operation is None:
            self._page(exchange)
            return
        if (
            exchange.response.status >= HTTPStatus.INTERNAL_SERVER_ERROR
            or exchange.response.status == HTTPStatus.TOO_MANY_REQUESTS
        ):
            return
        customer = self._customers.get(call.customer or "")
        if call.operation == "createCustomer":
            self._create(exchange)
        elif call.operation == "listWallets":
            yield from self._list(exchange)
        elif customer is not None and customer.identity != exchange.identity:
            yield _SAYS.refusal("customer.unseen-by-others", exchange)
        elif customer is not None:
            yield from self._own(exchange, call, customer)

    def _own(self, exchange: Exchange, call: Call, customer: _Customer) -> Iterator[Finding]:
        match call.operation:
            case "getCustomer":
                yield from _read(exchange, customer)
            case "getChallenge" if (found := challenge_of(exchange.response)) is not None:
                yield from self._progress(exchange, customer, found, "response /data")
            case "listChallenges":
                for number, entry in enumerate(entries(exchange.response)):
                    if (found := challenge_in(entry)) is not None:
                        yield from self._progress(exchange, customer, found, f"response /data/{number}")
            case operation if operation in _ISSUES:
                self._issue(exchange, str(operation), customer)

    # ------------------------------------------------------------------------------------------------- learning

    def _create(self, exchange: Exchange) -> None:
        identifier = customer_id(exchange.response)
        if identifier is not None:
            sent = exchange.request.members().get("refId")
            ref_id = sent if isinstance(sent, str) else None
            self._customers.setdefault(identifier, _Customer(identifier, exchange.identity, ref_id))

    def _issue(self, exchange: Exchange, operation: str, customer: _Customer) -> None:
        challenge = challenge_of(exchange.response)
        names = exchange.request.members().get("blockchains")
        chains = frozenset(map(str, names)) if isinstance(names, list) else frozenset()
        if challenge is None or challenge.id is None or challenge.redirect_url is None:
            customer.refused |= chains
            return
        new = _Issue(challenge.id, operation, customer, challenge.redirect_url, exchange.at, chains)
        issue = self._issues.setdefault(challenge.id, new)
        customer.issues.pop(challenge.id, None)
        customer.issues[challenge.id] = issue

    def _page(self, exchange: Exchange) -> None:
        """Learn what was entered at the page of a challenge."""
        concerned = self._at(exchange.request.url)
        for issue in concerned:
            issue.opened_at = issue.opened_at or exchange.at
        if exchange.request.method != "POST":
            return
        fields = dict(parse_qsl(exchange.request.body.decode("latin-1"), keep_blank_values=True))
        for issue in concerned or self._issues.values():
            if len(concerned) != 1 or not _enter(issue, fields, exchange.at):
                issue.unclear = issue.customer.recovery = True
                issue.customer.pin = issue.customer.pin or ""

    def _at(self, url: str) -> list[_Issue]:
        """The challenges whose page is at a URL, or at one that has another query if there is none."""
        place, query = _place(url)
        there = [issue for issue in self._issues.values() if _place(issue.page)[0] == place]
        return [issue for issue in there if _place(issue.page)[1] == query] or there

    # ----------------------------------------------------------------------------------------------------- lists

    def _list(self, exchange: Exchange) -> Iterator[Finding]:
        filtered = filtered_customers(exchange.request) or []
        customers = [self._customers[name] for name in filtered if name in self._customers]
        if len(customers) != 1 or len(filtered) != 1 or not exchange.response.succeeded:
            return
        customer, wallets = customers[0], wallets_in(entries(exchange.response))
        if customer.identity != exchange.identity:
            shown = ", ".join(wallet.address for wallet in wallets) or "none"
            yield _SAYS.judged("list.unseen-by-others", not wallets, "response /data", "no wallet", shown, exchange)
            return
        yield from _allowed(customer, wallets, exchange)
        due = {
            place: wallet
            for issue in customer.issues.values()
            if issue.succeeded_by is not None and _SHORTLY <= exchange.at - issue.succeeded_by < _LIFE - _TOLERANCE
            for place, wallet in issue.wallets.items()
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

    def _progress(self, exchange: Exchange, customer: _Customer, shown: Challenge, where: str) -> Iterator[Finding]:
        """What is said of a challenge that is read or listed."""
        issue = customer.issues.get(shown.id or "")
        if issue is None or issue.operation != "createWallets" or shown.status is None:
            return
        yield from _status(exchange, issue, shown, where)
        yield from _result(exchange, issue, shown, where)
        if shown.succeeded and issue.succeeded_by is None:
            issue.succeeded_by = exchange.at + timedelta(seconds=exchange.seconds)
        issue.wallets |= {wallet.folded: wallet for wallet in shown.wallets}
        if customer.heard:
            yield from _heard(exchange, issue, self._announced_for(customer))

    def _announced_for(self, customer: _Customer) -> set[str]:
        """The chains of the wallets that events showed; an event that shows none may be about any asked for before."""
        names, chains = customer.names, set[str]()
        for delivery in self._announcements:
            if names_customer(delivery, names):
                asked = [issue.chains for issue in customer.issues.values() if issue.at <= delivery.at]
                shown = {wallet.blockchain for wallet in wallets_of(delivery)}
                chains |= shown or frozenset().union(*asked)
        return chains


def _place(url: str) -> tuple[str, str]:
    """Where a page is, and its query."""
    parts = urlsplit(url)
    return f"{parts.netloc}{parts.path}", parts.query


def _enter(issue: _Issue, fields: Mapping[str, str], now: datetime) -> bool:
    """Learn what was entered for a challenge; whether it could be understood."""
    customer, open_still = issue.customer, issue.right_at is None and not issue.cancelled
    if fields.get("action") == "cancel":
        issue.cancelled |= issue.right_at is None
    elif "new_pin" in fields:
        if fields["new_pin"] == fields.get("new_pin_again") and not issue.is_over(now):
            customer.pin = fields["new_pin"]
            customer.pin_at = now if open_still and issue.is_young(now) else customer.pin_at
    elif "answer_1" in fields:
        if not issue.is_over(now):
            customer.recovery = True
            customer.recovery_at = now if open_still and issue.is_young(now) else customer.recovery_at
            issue.right_at = issue.right_at or now
    elif "pin" in fields:
        _guess(issue, fields["pin"], now)
    else:
        return False
    return True


def _guess(issue: _Issue, pin: str, now: datetime) -> None:
    issue.entered = True
    if pin != issue.customer.pin:
        issue.wrong = issue.customer.guessed_wrong = True
    elif issue.is_over(now):
        issue.late = True
    elif issue.customer.recovery and not issue.cancelled and issue.operation == "createWallets":
        issue.right_at = issue.right_at or now


# ---------------------------------------------------------------------------------------------------------- customers


def _read(exchange: Exchange, customer: _Customer) -> Iterator[Finding]:
    data = payload(exchange.response)
    if not isinstance(data, Mapping):
        return
    pin, recovery = customer.pin is not None, customer.recovery
    yield from _flag(exchange, data, "hasPin", customer.pin_at, possible=pin, before=customer.has_pin)
    yield from _flag(
        exchange, data, "hasRecovery", customer.recovery_at, possible=recovery, before=customer.has_recovery
    )
    customer.has_pin |= data.get("hasPin") is True
    customer.has_recovery |= data.get("hasRecovery") is True


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


def _status(exchange: Exchange, issue: _Issue, shown: Challenge, where: str) -> Iterator[Finding]:
    """Whether a challenge succeeded as it must, and did not where it cannot have."""
    place, status = f"{where}/status", shown.status
    if not issue.may_succeed:
        over = not shown.succeeded and issue.is_over(exchange.at)
        rule = "challenge.expires-after-15-minutes" if over else _of_status(issue)
        yield _SAYS.judged(rule, not shown.succeeded, place, "no success", status, exchange)
    if issue.succeeded_by is not None:
        if issue.is_young(exchange.at):
            yield _SAYS.judged("page.completed-once", shown.succeeded, place, "a success still", status, exchange)
    elif issue.is_surely_completable(exchange.at):
        under_way = issue.right_at is None or exchange.at - issue.right_at < _SHORTLY
        held = shown.succeeded or (under_way and status not in _FAILURES)
        yield _SAYS.judged("challenge.completable-in-time", held, place, "no failure in its time", status, exchange)


def _heard(exchange: Exchange, issue: _Issue, announced: Collection[str]) -> Iterator[Finding]:
    """What must have come of a challenge by way of webhooks, and what must not."""
    customer = issue.customer
    if all(each.untouched for each in customer.issues.values() if each.chains):
        rule = "none-for-a-failed-challenge" if issue.cancelled else "not-before-completion"
        got = ", ".join(sorted(announced)) or "none"
        yield _SAYS.judged(f"webhook.{rule}", not announced, "webhooks", "no wallet.created", got, exchange)
    if issue.succeeded_by is not None and exchange.at - issue.succeeded_by >= _SHORTLY:
        missing = issue.chains.difference(announced)
        yield _SAYS.judged(
            "webhook.wallet-created-sent",
            not missing,
            "webhooks",
            f"wallet.created for {', '.join(sorted(issue.chains))}",
            f"none for {', '.join(sorted(missing))}" if missing else "so",
            exchange,
        )


def _of_status(issue: _Issue) -> str:
    """The rule that asks for no success to be read: that a challenge begins as pending, if nobody opened its page."""
    rule = _of_success(issue)
    return "challenge.starts-pending" if rule == "page.asks-pin-every-time" and issue.opened_at is None else rule


def _of_success(issue: _Issue) -> str:
    """The rule that asks for no success, by what happened to the challenge."""
    if issue.customer.pin is None:
        return "gate.no-wallet-without-pin"
    if not issue.customer.recovery:
        return "gate.no-wallet-without-recovery"
    if issue.cancelled:
        return "page.cancelled-makes-no-wallet"
    if issue.late:
        return "challenge.expires-after-15-minutes"
    return "page.wrong-pin-refused" if issue.wrong else "page.asks-pin-every-time"


def _result(exchange: Exchange, issue: _Issue, shown: Challenge, where: str) -> Iterator[Finding]:
    wallets, completed = shown.wallets, issue.succeeded_by
    directly = issue.right_at is not None and exchange.at - issue.right_at < _SHORTLY
    if shown.succeeded and completed is None and directly and not issue.unclear:
        rule, expected = "result.readable-after-completion", "the new wallets"
        yield _SAYS.judged(
            rule, bool(wallets), f"{where}/result", expected, shown.result if wallets else "nothing", exchange
        )
    if completed is not None and exchange.at - completed >= _LIFE + _TOLERANCE:
        got = ", ".join(wallet.address for wallet in wallets) or "nothing of it"
        yield _SAYS.judged(
            "result.gone-after-15-minutes", not wallets, f"{where}/result", "nothing of it", got, exchange
        )


# ------------------------------------------------------------------------------------------------------------ wallets


def _allowed(customer: _Customer, wallets: Collection[Wallet], exchange: Exchange) -> Iterator[Finding]:
    """Whether a customer's wallets can have come of the challenges that were completed, one on each chain of each."""
    shown = [wallet.blockchain for wallet in wallets]
    if customer.pin is None or not customer.recovery:
        rule = "gate.no-wallet-without-pin" if customer.pin is None else "gate.no-wallet-without-recovery"
        yield _SAYS.judged(rule, not shown, "response /data", "no wallet", ", ".join(shown) or "none", exchange)
        return
    for chain in sorted({*shown, *(chain for issue in customer.issues.values() for chain in issue.chains)}):
        asked = [issue for issue in customer.issues.values() if chain in issue.chains]
        most = sum(issue.may_succeed for issue in asked)
        if asked and chain not in customer.refused:
            held, expected = shown.count(chain) <= most, f"no more than {most} wallets on {chain}"
            yield _SAYS.judged(_of_wallets(asked), held, "response /data", expected, shown.count(chain), exchange)


def _of_wallets(asked: Collection[_Issue]) -> str:
    """The rule that asks for no further wallet on a chain."""
    failed = [issue for issue in asked if not issue.may_succeed]
    return _of_success(failed[-1]) if failed else "page.completed-once"


def _announced(customer: _Customer, wallets: Collection[Wallet]) -> Iterator[Finding]:
    """Whether a ``wallet.created`` can come of a challenge that was completed; an event need not name its wallet."""
    named: set[str | None] = {wallet.blockchain for wallet in wallets}
    for chain in named or {None}:
        asked = [issue for issue in customer.issues.values() if issue.chains and chain in {None, *issue.chains}]
        held = not all(issue.untouched for issue in asked)
        failed = bool(asked) and all(issue.cancelled for issue in asked)
        rule = "none-for-a-failed-challenge" if failed else "not-before-completion"
        yield _SAYS.judged(f"webhook.{rule}", held, "webhook", "no wallet.created", chain or "one", None)
