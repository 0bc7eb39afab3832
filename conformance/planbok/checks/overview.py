"""What all exchanges and webhooks of a test show together, and what came before the exchange that is judged."""

from collections import defaultdict
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

from conformance.exchange import Delivery
from conformance.planbok.chains import CHAINS
from conformance.planbok.checks.answers import Answer, Event, id_form, shown_challenges
from conformance.planbok.checks.wallets import (
    Name,
    Place,
    ShownWallet,
    account_of,
    comparable,
    keys_of,
    wallets_with_places,
)
from conformance.planbok.messages import Challenge, Intent, Wallet, filtered_customers, members_of
from conformance.planbok.observer import Observer
from conformance.standards.addresses import Family

Index = dict[tuple[str, ...], set[Place]]
"""The places of wallets by each of the keys that `keys_of` names."""


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

    Whose a wallet is can be told only once all are read, so that wallets are remembered here and not by the observer.

    Args:
        observer: The customers and challenges.
        results: The places of the wallets in the results of challenges.
        listed: The places of the wallets in lists.
        owners: Customer and wallet's id of the wallets at each place.
        holders: The customers that have each address, by family and address.
        families: The customers that have an address of each family.
        on_evm: The addresses on each EVM chain, by customer and chain.
        accounts: The places of a customer's wallets whose path is shown, each with its account.
        on_paths: The places of wallets whose path is shown, each with its address, by customer, family and path.
    """

    observer: Observer = field(default_factory=Observer)
    results: Index = field(default_factory=lambda: defaultdict(set))
    listed: Index = field(default_factory=lambda: defaultdict(set))
    owners: dict[Place, set[tuple[str, str | None]]] = field(default_factory=lambda: defaultdict(set))
    holders: dict[tuple[Family, str], set[str]] = field(default_factory=lambda: defaultdict(set))
    families: dict[Family, set[str]] = field(default_factory=lambda: defaultdict(set))
    on_evm: dict[str, dict[str, set[str]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(set)))
    accounts: dict[str, set[tuple[Place, int]]] = field(default_factory=lambda: defaultdict(set))
    on_paths: dict[tuple[str, Family, str], set[tuple[Place, str]]] = field(default_factory=lambda: defaultdict(set))


@dataclass
class History:
    """What the exchanges before the present one showed.

    Args:
        challenges: The challenges that were issued.
        lists: The wallets that were listed, by who asked for them with which filter, then by name or place.
        listed: The places where a wallet was listed, by who asked and the wallet's id.
    """

    challenges: list[IssuedChallenge] = field(default_factory=list)
    lists: dict[tuple[str, frozenset[str]], dict[Name | Place, ShownWallet]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    listed: dict[tuple[str, str | None], set[Place]] = field(default_factory=lambda: defaultdict(set))


def event_with_wallets(number: int, delivery: Delivery, overview: Overview) -> Event:
    """Read a webhook, and say whose the wallets in it are as far as the webhook itself does."""
    members = members_of(delivery.request)
    data = members.get("data")
    customer = data.get("customerId") if isinstance(data, dict) else None
    named = customer if isinstance(customer, str) and customer in overview.observer.customers else None
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
            issue = overview.observer.issue(challenge.id)
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
    known = [overview.observer.customers[name] for name in customers if name in overview.observer.customers]
    own = [customer for customer in known if answer.exchange.identity in customer.identities]
    if not customers or len(own) < len(customers):
        return
    answer.foreign = [shown for shown in answer.wallets if _is_foreign(shown, customers, overview)]
    if len(customers) == 1 and not answer.foreign:
        answer.wallets = [replace(shown, customer=shown.customer or min(customers)) for shown in answer.wallets]
        _add_owners(answer.wallets, overview)


def _is_foreign(shown: ShownWallet, customers: AbstractSet[str], overview: Overview) -> bool:
    """Whether a wallet in a list filtered by `customers` is another's: it says so, or it was seen as another's."""
    claimed = shown.wallet.customer
    if claimed is not None and (
        claimed in overview.observer.customers or id_form(claimed) in {*map(id_form, customers)} - {None}
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
            if shown.wallet.path is not None:
                overview.on_paths[customer, chain.family, shown.wallet.path].add((shown.place, address))
            if chain.family is Family.EVM:
                overview.on_evm[customer][chain.name].add(address)


def _index(wallets: Sequence[ShownWallet], index: Index) -> None:
    for shown in wallets:
        for key in keys_of(shown):
            index[key].add(shown.place)


def _claimed(wallet: Wallet, overview: Overview) -> str | None:
    """The customer that a wallet names, if the exchanges show such a customer; None otherwise."""
    return wallet.customer if wallet.customer in overview.observer.customers else None
