"""What all exchanges and webhooks of a test show together, and what came before the exchange that is judged."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from typing import Any

from conformance.exchange import Delivery
from conformance.planbok.chains import CHAINS
from conformance.planbok.checks.answers import (
    Answer,
    Event,
    Intent,
    chains_asked_for,
    entries_of,
    id_form,
    intent_of,
    issued_challenge,
    members_of,
    shown_challenges,
)
from conformance.planbok.checks.wallets import (
    Name,
    Place,
    ShownWallet,
    account_of,
    comparable,
    keys_of,
    wallets_with_places,
)
from conformance.planbok.messages import ISSUING, Challenge, Wallet, filtered_customers
from conformance.standards.addresses import Family

Index = dict[tuple[str, ...], set[Place]]
"""The places of wallets by each of the keys that `keys_of` names."""


@dataclass(frozen=True)
class Issue:
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
    intent: Intent
    chains: frozenset[str]
    earlier: frozenset[str]


@dataclass(frozen=True)
class IssuedChallenge:
    """A challenge with the request that it was issued for.

    Args:
        intent: What repetitions of the request have in common with it.
        subject: What every request for the same has in common with it.
        challenge: The challenge.
    """

    intent: Intent
    subject: Intent
    challenge: Challenge

    def is_the_same_as(self, other: "IssuedChallenge") -> bool:
        """Whether this can be the same challenge, given once more; a repetition may be given it under another page."""
        if self.challenge.id != other.challenge.id:
            return False
        same_page = self.challenge.redirect_url == other.challenge.redirect_url
        return self.intent == other.intent or (same_page and self.subject == other.subject)


@dataclass
class Overview:
    """What all exchanges and webhooks of a test say together.

    Args:
        created: Who created each customer, and what with, by the customer's id.
        customers: The ids of all customers.
        own: Identity and customer's id, where the identity was answered about the customer.
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
    issued: dict[str, Issue | None] = field(default_factory=dict)
    asked: Counter[tuple[str, str]] = field(default_factory=Counter)
    results: Index = field(default_factory=lambda: defaultdict(set))
    listed: Index = field(default_factory=lambda: defaultdict(set))
    owners: dict[Place, set[tuple[str, str | None]]] = field(default_factory=lambda: defaultdict(set))
    holders: dict[tuple[Family, str], set[str]] = field(default_factory=lambda: defaultdict(set))
    families: dict[Family, set[str]] = field(default_factory=lambda: defaultdict(set))
    on_evm: dict[str, dict[str, set[str]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(set)))
    accounts: dict[str, set[tuple[Place, int]]] = field(default_factory=lambda: defaultdict(set))


@dataclass
class History:
    """What the exchanges before the present one showed.

    Args:
        challenges: The challenges that were issued.
        lists: The wallets that were listed, by who asked for them with which filter, then by name or place.
        listed: The places where a wallet was listed, by who asked and the wallet's id.
    """

    challenges: list[IssuedChallenge] = field(default_factory=list)
    lists: dict[tuple[str, frozenset[tuple[str, str]]], dict[Name | Place, ShownWallet]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    listed: dict[tuple[str, str | None], set[Place]] = field(default_factory=lambda: defaultdict(set))


def learn(answer: Answer, overview: Overview) -> None:
    """Learn from an answer which customers there are, who created them, and which challenges were issued."""
    exchange, call = answer.exchange, answer.call
    if not exchange.response.succeeded:
        return
    customers = {call.customer} if call.customer else set()
    if call.operation in {"createCustomer", "getCustomer", "listCustomers"}:
        found = [entry.get("id") for _, entry in entries_of(answer) if isinstance(entry, dict)]
        customers |= {identifier for identifier in found if isinstance(identifier, str)}
    overview.customers |= customers
    overview.own |= {(exchange.identity, customer) for customer in customers}
    if call.operation == "createCustomer":
        for customer in customers:
            overview.created.setdefault(customer, (exchange.identity, members_of(exchange.request)))
    if call.operation in ISSUING:
        _learn_issue(answer, overview)


def _learn_issue(answer: Answer, overview: Overview) -> None:
    _, challenge = issued_challenge(answer)
    operation, customer, intent = str(answer.call.operation), str(answer.call.customer), intent_of(answer.exchange)
    if challenge is None or challenge.id is None:
        return
    if challenge.id in overview.issued:
        issue = overview.issued[challenge.id]
        overview.issued[challenge.id] = issue if issue is not None and issue.intent == intent else None
        return
    chains = chains_asked_for(answer.exchange)
    earlier = frozenset(chain for whose, chain in overview.asked if whose == customer)
    overview.issued[challenge.id] = Issue(operation, customer, intent, chains, earlier)
    overview.asked.update((customer, chain) for chain in chains)


def event_with_wallets(number: int, delivery: Delivery, overview: Overview) -> Event:
    """Read a webhook, and say whose the wallets in it are as far as the webhook itself does."""
    members = members_of(delivery.request)
    data = members.get("data")
    customer = data.get("customerId") if isinstance(data, dict) else None
    named = customer if isinstance(customer, str) and customer in overview.customers else None
    wallets = [
        ShownWallet(f"webhook {number} {pointer}", wallet, _claimed(wallet, overview) or named)
        for pointer, wallet in wallets_with_places(data, "/data")
    ]
    return Event(f"webhook {number}", delivery, members, wallets)


def attribute(answers: Sequence[Answer], events: Sequence[Event], overview: Overview) -> None:
    """Find every wallet, and say whose it is: first by what names its customer, then by the filter of its list."""
    for answer in answers:
        if answer.call.operation in {"listWallets", "getWallet"}:
            for pointer, wallet in wallets_with_places(answer.data, "/data"):
                answer.wallets.append(ShownWallet(f"response {pointer}", wallet, _claimed(wallet, overview)))
        for pointer, challenge in shown_challenges(answer):
            issue = overview.issued.get(challenge.id or "")
            customer = issue.customer if issue else answer.call.customer
            for place, wallet in wallets_with_places(challenge.result, f"{pointer}/result"):
                answer.wallets.append(ShownWallet(f"response {place}", wallet, _claimed(wallet, overview) or customer))
        if answer.call.operation in {"getChallenge", "listChallenges"}:
            _index(answer.wallets, overview.results)
        _add_owners(answer.wallets, overview)
    for event in events:
        _add_owners(event.wallets, overview)
    for answer in answers:
        if answer.call.operation == "listWallets":
            _attribute_list(answer, overview)
            _index(answer.wallets, overview.listed)


def _attribute_list(answer: Answer, overview: Overview) -> None:
    customers = set(filtered_customers(answer.exchange.request) or ())
    if not customers or not {(answer.exchange.identity, customer) for customer in customers} <= overview.own:
        return
    answer.foreign = [shown for shown in answer.wallets if _is_foreign(shown, customers, overview)]
    if len(customers) == 1 and not answer.foreign:
        answer.wallets = [replace(shown, customer=shown.customer or min(customers)) for shown in answer.wallets]
        _add_owners(answer.wallets, overview)


def _is_foreign(shown: ShownWallet, customers: AbstractSet[str], overview: Overview) -> bool:
    """Whether a wallet in a list filtered by `customers` is another's: it says so, or it was seen as another's."""
    claimed = shown.wallet.customer
    if claimed is not None and (
        claimed in overview.customers or id_form(claimed) in {*map(id_form, customers)} - {None}
    ):
        return claimed not in customers
    owners = {
        customer
        for customer, identifier in overview.owners[shown.place]
        if identifier is None or shown.wallet.id in {None, identifier}
    }
    return bool(owners) and not owners & customers


def _add_owners(wallets: Sequence[ShownWallet], overview: Overview) -> None:
    for shown in wallets:
        customer, chain = shown.customer, CHAINS.get(shown.wallet.blockchain)
        if customer is None:
            continue
        overview.owners[shown.place].add((customer, shown.wallet.id))
        account = account_of(shown)
        if account is not None:
            overview.accounts[customer].add((shown.place, account))
        if chain is not None:
            address = comparable(shown.wallet.address, chain)
            overview.holders[chain.family, address].add(customer)
            overview.families[chain.family].add(customer)
            if chain.family is Family.EVM:
                overview.on_evm[customer][chain.name].add(address)


def _index(wallets: Sequence[ShownWallet], index: Index) -> None:
    for shown in wallets:
        for key in keys_of(shown):
            index[key].add(shown.place)


def _claimed(wallet: Wallet, overview: Overview) -> str | None:
    """The customer that a wallet names, if the exchanges show such a customer; None otherwise."""
    return wallet.customer if wallet.customer in overview.customers else None
