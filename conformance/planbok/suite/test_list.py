"""The list of wallets holds those of the customers that it is filtered by: all of them, for good, and nobody else's."""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from conformance.clock import Clock
from conformance.exchange import Exchange
from conformance.findings import answer as answered
from conformance.planbok.chains import CHAINS
from conformance.planbok.messages import Wallet, entries, payload, wallets_in
from conformance.planbok.suite.effects import listed_customers
from conformance.planbok.suite.tenant import Onboarding, Tenant
from conformance.planbok.suite.wallets import places, written
from conformance.scenario import (
    crosses,
    expect,
    expect_reading,
    leaves_out,
    needs,
    refused,
    step_failed,
    verifies,
    waits,
)
from conformance.values import near

AN_HOUR = timedelta(hours=1)
A_SMALL_PAGE, A_USUAL_PAGE = 2, 10
"""A page that a test asks for, and one that is given unasked (Wallet Sets)."""
SIZES = 100, 5
"""Sizes of pages of which many customers fill one, and more than nine."""
FAR_BEHIND = 99_999_999
"""A page whose entries have numbers beyond 32 bits."""
MANY_CUSTOMERS = 51
"""More than the 20, 25 or 50 entries that servers give at most, whatever is asked for."""
MORE_THAN_A_DIGIT = 10
"""How many customers without a wallet stand in a filter between two who have one."""
OBJECT_ID_LENGTH = 24
WITHOUT_FILTER = ("no-empty-filter",)


@verifies("planbok.list.holds-all", "planbok.list.agrees-with-result")
def test_the_list_holds_what_came_of_every_challenge(tenant: Tenant) -> None:
    """Given a customer with a wallet on one chain and, from a later challenge, on another, when they are listed."""
    customer = tenant.ready()
    chains = tenant.two_chains
    result = [wallet for chain in chains for wallet in tenant.provisioned(customer, [chain]).wallets]
    found = _listed(tenant, customer, chains)
    on = {wallet.blockchain for wallet in found}
    expect(
        "planbok.list.holds-all",
        on >= set(chains),
        where="response /data",
        expected=f"wallets on {' and '.join(chains)}",
        got=written(found),
    )
    if {wallet.blockchain for wallet in result} != set(chains):
        step_failed(
            "The results of two challenges were to hold a wallet on the chain of each",
            relies_on=["planbok.result.readable-after-completion", "planbok.result.exactly-the-chains"],
        )
    expect(
        "planbok.list.agrees-with-result",
        places(found) == places(result),
        where="response /data",
        expected=f"{written(result)}, as in the results",
        got=written(found),
    )


@verifies("planbok.list.only-theirs", "planbok.list.several-customers")
def test_the_list_holds_the_wallets_of_those_it_is_filtered_by(tenant: Tenant) -> None:
    """Given three customers with a wallet, when the list is filtered by two, in two writings, and among others."""
    first, second, _ = (_with_wallets(tenant) for _ in range(3))
    expected = [*first[1], *second[1]]
    without = [tenant.onboard().id for _ in range(MORE_THAN_A_DIGIT)]
    for between, comma in (([], ","), ([], "%2C"), (without, ",")):
        exchange = tenant.wallets(first[0].id, *between, second[0].id, comma=comma)
        found = wallets_in(entries(exchange.response))
        expect(
            "planbok.list.several-customers",
            places(found) == places(expected),
            where="response /data",
            expected=f"{written(expected)}, the wallets of the two, joined by {comma}"
            + (f", with {len(between)} ids of others between theirs" if between else ""),
            got=written(found) if exchange.response.succeeded else answered(exchange),
            exchange=exchange,
        )


@verifies("planbok.list.only-theirs", "planbok.list.filtered-as-asked")
def test_another_filter_besides_gives_nobody_elses_wallets(tenant: Tenant) -> None:
    """Given two customers with a wallet, when the list is filtered by one, and by chain or address of each wallet."""
    (first, own), (_, others) = (_with_wallets(tenant) for _ in range(2))
    for wallet in (*own, *others):
        for name, value in (("blockchain", wallet.blockchain), ("address", wallet.address)):
            exchange = tenant.wallets(first.id, query=f"&{name}={value}")
            found = [each for each in wallets_in(entries(exchange.response)) if each.place in {w.place for w in others}]
            expect(
                "planbok.list.only-theirs",
                not found,
                where="response /data",
                expected=f"no wallet but {first.id}'s, with {name} besides",
                got=written(found) if found else "none",
                exchange=exchange,
            )


@verifies("planbok.list.pages-complete")
def test_who_is_named_twice_is_listed_once(tenant: Tenant) -> None:
    """Given a customer with a wallet, when the list is filtered by its id, which stands there twice."""
    customer, wallets = _with_wallets(tenant)
    exchange = tenant.wallets(customer.id, customer.id)
    found = wallets_in(entries(exchange.response))
    expect(
        "planbok.list.pages-complete",
        refused(exchange) or sorted(each.folded for each in found) == sorted(each.folded for each in wallets),
        where="response /data",
        expected=f"each once: {written(wallets)}",
        got=written(found),
        exchange=exchange,
    )


@verifies("planbok.list.unknown-customer-is-empty", "planbok.list.empty-filter-is-empty")
def test_the_list_of_nobody_is_empty(tenant: Tenant) -> None:
    """Given a customer with a wallet, when the list is filtered by an id of nobody, by two of them, and by none."""
    customer, _ = _with_wallets(tenant)
    is_object_id = len(customer.id) == OBJECT_ID_LENGTH
    unknown = tenant.ids.draw(OBJECT_ID_LENGTH // 2).hex() if is_object_id else str(tenant.ids.uuid())
    another = unknown[::-1] if is_object_id else str(tenant.ids.uuid())
    _expect_none("planbok.list.unknown-customer-is-empty", tenant.wallets(unknown))
    _expect_none("planbok.list.unknown-customer-is-empty", tenant.wallets(unknown, another))
    _expect_none("planbok.list.empty-filter-is-empty", tenant.wallets(broken=WITHOUT_FILTER))


@verifies("planbok.list.unknown-customer-is-empty")
def test_the_list_of_an_id_like_a_customers_is_empty(tenant: Tenant) -> None:
    """Given two customers with a wallet, when the list is filtered by ids that are like that of one of them."""
    (customer, _), (other, _) = _with_wallets(tenant), _with_wallets(tenant)
    found = near.misses(customer.id, near.HEX, others=[other.id])
    wrong = [miss for miss in found if miss.value != other.id and (miss.same_form or miss.sort == "length")]
    for miss in near.chosen(wrong, tenant.ids, core=14, more=3):
        _expect_none("planbok.list.unknown-customer-is-empty", tenant.wallets(miss.value), miss.name)


@crosses("authentication", "isolation")
@verifies("planbok.list.unseen-by-others")
def test_wallets_are_not_shown_to_another_organization(tenant: Tenant, other_tenant: Tenant) -> None:
    """Given a wallet that its organization reads, lists, and lists with all, when another organization does so too."""
    customer, wallets = _with_wallets(tenant)

    def looks(asking: Tenant) -> list[Exchange]:
        every = asking.wallets(query="&limit=100", broken=WITHOUT_FILTER)
        return [*(asking.wallet(wallet.id) for wallet in wallets if wallet.id), asking.wallets(customer.id), every]

    looks(tenant)
    exchanges = [
        *looks(other_tenant),
        *(
            other_tenant.wallets(other_tenant.onboard().id, query=f"&{name}={value}")
            for wallet in wallets[:1]
            for name, value in (("address", wallet.address), ("blockchain", wallet.blockchain))
        ),
        *(other_tenant.wallets(query=f"&address={each.address}", broken=WITHOUT_FILTER) for each in wallets[:1]),
        other_tenant.wallets(other_tenant.onboard().id, customer.id),
    ]
    for exchange in exchanges:
        seen = [wallet for wallet in wallets if wallet.address.encode() in exchange.response.body]
        expect(
            "planbok.list.unseen-by-others",
            not seen,
            where="response body",
            expected="nothing of the other organization's wallet",
            got=written(seen) if seen else answered(exchange) if refused(exchange) else "none of it",
            exchange=exchange,
        )


@verifies(
    "planbok.list.holds-all",
    "planbok.list.filtered-as-asked",
    "planbok.result.exactly-the-chains",
    "planbok.challenge.several-chains",
)
def test_the_list_holds_a_wallet_on_every_chain(tenant: Tenant) -> None:
    """Given a customer, when wallets are authorized on every chain that a source names, more than a page holds."""
    customer = tenant.ready()
    chains = list(CHAINS) if tenant.moves_clock else [chain.name for chain in tenant.chains]
    asked = tenant.ask_wallets(customer.id, chains)
    if refused(asked) and len(chains) > len(tenant.chains):
        needs("a server that knows every chain that a source names")
    issued = tenant.issued(asked)
    customer.person.authorize(issued.url)
    challenge = tenant.ended(customer.id, issued.id)
    wallets = tenant.eventually(
        "new wallets to be listed", lambda: tenant.owned(customer.id), lambda found: len(found) >= len(chains)
    )
    for rule, found in (("planbok.result.exactly-the-chains", challenge.wallets), ("planbok.list.holds-all", wallets)):
        listed = sorted(wallet.blockchain for wallet in found)
        expect(
            rule,
            listed == sorted(chains),
            where="response /data",
            expected=f"one wallet on each of {', '.join(sorted(chains))}",
            got=", ".join(listed) or "none",
        )
    expect(
        "planbok.challenge.several-chains",
        challenge.succeeded,
        where="response /data/status",
        expected=f"one challenge for {len(chains)} chains, which succeeded",
        got=challenge.status,
    )
    tenant.wallets(customer.id, query=f"&limit=100&blockchain={min(chains, key=len)}")


@verifies("planbok.list.holds-all")
def test_the_list_holds_what_two_pages_made_at_once(tenant: Tenant) -> None:
    """Given two challenges, open in a browser each, when the right PIN is entered for both at once."""
    customer, chains = tenant.ready(), tenant.two_chains
    asked = [tenant.requested(customer, [chain]) for chain in chains]
    people = [customer.person, customer.person.elsewhere()]
    pages = [person.open(issued.url) for person, issued in zip(people, asked, strict=True)]
    if any(page.form is None for page in pages):
        needs("two challenges that await the PIN side by side, which this API does not have")
    tenant.together(*[partial(person.enter, page) for person, page in zip(people, pages, strict=True)])
    done = [
        chain for chain, issued in zip(chains, asked, strict=True) if tenant.ended(customer.id, issued.id).succeeded
    ]
    found = _listed(tenant, customer, done)
    expect(
        "planbok.list.holds-all",
        {wallet.blockchain for wallet in found} >= set(done),
        where="response /data",
        expected=f"wallets on {' and '.join(done)}, whose challenges succeeded",
        got=written(found),
    )


@leaves_out("readings", "neighbours", because="Other tests list wallets in fewer steps, and meet these.")
@verifies("planbok.list.holds-all")
def test_the_list_holds_what_is_older_than_a_page(tenant: Tenant) -> None:
    """Given a customer with a wallet, when others get more than a page of newer ones, and its own are listed."""
    customer, before = _with_wallets(tenant)
    chains = [chain.name for chain in tenant.chains]
    for _ in range(A_USUAL_PAGE // len(chains) + 1):
        tenant.provisioned(tenant.ready(), chains)
    exchange = tenant.wallets(customer.id)
    found = wallets_in(entries(exchange.response))
    expect(
        "planbok.list.holds-all",
        places(found) == places(before),
        where="response /data",
        expected=f"{written(before)}, whatever others got since",
        got=written(found) if exchange.response.succeeded else answered(exchange),
        exchange=exchange,
    )


@verifies("planbok.list.pages-complete")
def test_the_pages_of_the_list_hold_each_wallet_once(tenant: Tenant) -> None:
    """Given wallets between those of another customer, when one's and both's are listed in pages of two sizes."""
    customer, other = tenant.ready(), tenant.ready()
    chains = [chain.name for chain in tenant.chains]
    tenant.provisioned(other, chains[:1])
    wallets = _provisioned(tenant, customer, chains)
    others = _provisioned(tenant, other, chains[1:])
    small, both = min(A_SMALL_PAGE, len(wallets) - 1), [*wallets, *others]
    for owners, expected, size, query in (
        ([customer], wallets, small, "&page={}&limit={}"),
        ([customer, other], both, small, "&limit={1}&page={0}"),
        ([customer, other], both, len(both), "&%70age={}&limit={}"),
    ):
        pages = [
            tenant.wallets(*(each.id for each in owners), query=query.format(number, size))
            for number in range(1, -(-len(expected) // size) + 2)
        ]
        found = [wallet for page in pages for wallet in wallets_in(entries(page.response))]
        expect(
            "planbok.list.pages-complete",
            sorted(wallet.folded for wallet in found) == sorted(wallet.folded for wallet in expected),
            where=f"response /data, on {len(pages)} pages",
            expected=f"each once: {written(expected)}",
            got=written(found),
        )
    _expect_none("planbok.list.pages-complete", tenant.wallets(customer.id, query=f"&page={FAR_BEHIND}&limit=100"))


@verifies("planbok.list.wallets-stay", "planbok.list.wallet-ids-stay")
def test_a_wallet_stays_when_its_chain_is_asked_for_again(tenant: Tenant) -> None:
    """Given a listed wallet, when wallets on its chain and on another one are authorized, or refused, and listed."""
    customer, _ = _with_wallets(tenant)
    exchange = tenant.ask_wallets(customer.id)
    if not refused(exchange):
        customer.person.authorize(tenant.issued(exchange).url)
    tenant.shortly()
    tenant.owned(customer.id)


@waits
@verifies("planbok.list.wallets-stay", "planbok.list.wallet-ids-stay")
def test_a_wallet_stays_when_its_challenge_is_gone(tenant: Tenant, clock: Clock) -> None:
    """Given a listed wallet, when it is listed again an hour later."""
    customer, _ = _with_wallets(tenant)
    clock.advance(AN_HOUR)
    tenant.owned(customer.id)


@verifies("planbok.list.wallet-readable")
def test_a_listed_wallet_is_read_by_its_id(tenant: Tenant) -> None:
    """Given listed wallets on two chains, when each is read."""
    wallets = _provisioned(tenant, tenant.ready(), tenant.two_chains)
    for wallet in wallets:
        exchange = tenant.wallet(wallet.id or needs("the id of a wallet, which this API does not show"))
        found = wallets_in(payload(exchange.response))
        expect(
            "planbok.list.wallet-readable",
            [(each.id, each.folded) for each in found] == [(wallet.id, wallet.folded)],
            where="response /data",
            expected=f"{written([wallet])} with the id {wallet.id}",
            got=f"{written(found)} with the id {found[0].id}" if found else answered(exchange),
            exchange=exchange,
        )


@leaves_out("readings", "neighbours", because="Another test lists customers in fewer steps, and meets these.")
@verifies("planbok.customer.listed")
def test_a_long_list_holds_every_customer(tenant: Tenant) -> None:
    """Given more customers than servers often give at once, when all are listed in pages of a hundred, and of five."""
    if not tenant.moves_clock:
        needs("dozens of customers, which only the reference sandbox is asked to create")
    ids = {tenant.onboard().id for _ in range(MANY_CUSTOMERS)}
    for limit in SIZES:
        missing = tenant.eventually(
            "a customer to be listed",
            partial(_not_listed, tenant, ids, limit),
            lambda found: not found,
        )
        expect(
            "planbok.customer.listed",
            not missing,
            where=f"response /data, on all pages of {limit}",
            expected=f"all of {len(ids)} customers",
            got=f"a list without {', '.join(sorted(missing))}" if missing else "all of them",
        )


def _not_listed(tenant: Tenant, ids: Collection[str], limit: int) -> set[str]:
    """Those customers who are on no page of the list, of pages of a size."""
    return set(ids) - {str(customer.get("id")) for customer in listed_customers(tenant, limit)}


@verifies("planbok.list.order-spelling")
def test_the_order_of_a_list_is_turned_round(tenant: Tenant) -> None:
    """Given two customers, when all are listed without an order, with ASC and asc, and the first alone with both."""
    older, newer = tenant.onboard(), tenant.onboard()
    usual = tenant.eventually(
        "a customer to be listed", lambda: _ids(tenant.customers("?limit=100")), lambda ids: newer.id in ids
    )
    exchanges = {name: tenant.customers(f"?limit=100&order={name}") for name in ("ASC", "asc")}
    turned = {
        name: exchange.response.succeeded
        and _is_newest_first(_ids(exchange), newer.id, older.id) != _is_newest_first(usual, newer.id, older.id)
        and _ids(tenant.customers(f"?limit=1&order={name}"))[:1] != usual[:1]
        for name, exchange in exchanges.items()
    }
    readings = {(True, False): "upper-case", (False, True): "lower-case", (True, True): "either"}
    expect_reading(
        "planbok.list.order-spelling",
        readings.get((turned["ASC"], turned["asc"])),
        where="response /data",
        expected="the other order than without one, for ASC or asc, and another customer at its beginning",
        got=" and ".join(f"{name} answered {answered(exchange)}" for name, exchange in exchanges.items()),
        exchange=exchanges["asc"],
    )


def _with_wallets(tenant: Tenant) -> tuple[Onboarding, list[Wallet]]:
    """A customer with a listed wallet on one chain.

    Raises:
        NeedError: If nobody stands in for the person.
        StepFailedError: If it is not created or not listed.
    """
    customer = tenant.ready()
    return customer, _provisioned(tenant, customer, tenant.two_chains[:1])


def _provisioned(tenant: Tenant, customer: Onboarding, chains: Sequence[str]) -> list[Wallet]:
    """The listed wallets of a customer who authorized them on these chains.

    Raises:
        NeedError: If nobody stands in for the person.
        StepFailedError: If they are not created or not listed.
    """
    tenant.provisioned(customer, chains)
    found = _listed(tenant, customer, chains)
    if not {wallet.blockchain for wallet in found} >= set(chains):
        step_failed(
            f"New wallets on {', '.join(chains)} were to be listed, and there are {written(found)}",
            relies_on=["planbok.list.holds-all"],
        )
    return found


def _listed(tenant: Tenant, customer: Onboarding, chains: Sequence[str]) -> list[Wallet]:
    """A customer's wallets as soon as there is one on each of these chains, or as they are in the end."""
    return tenant.eventually(
        "new wallets to be listed",
        lambda: tenant.owned(customer.id),
        lambda found: {wallet.blockchain for wallet in found} >= set(chains),
    )


def _expect_none(rule: str, exchange: Exchange, name: str = "") -> None:
    found = wallets_in(payload(exchange.response))
    expect(
        rule,
        not found,
        where="response /data",
        expected="no wallet, or a refusal" + (f": the id is like one that was given, {name}" if name else ""),
        got=written(found) if found else answered(exchange),
        exchange=exchange,
    )


def _ids(exchange: Exchange) -> list[Any]:
    return [entry.get("id") for entry in entries(exchange.response) if isinstance(entry, Mapping)]


def _is_newest_first(ids: Sequence[Any], newer: str, older: str) -> bool:
    """Whether a list begins with what is new; one that is too long for a page ends before that otherwise."""
    return newer in ids and (older not in ids or ids.index(newer) < ids.index(older))
