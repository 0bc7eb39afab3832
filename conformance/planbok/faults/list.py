"""What can be wrong, or otherwise than the sandbox has it, with the list of wallets."""

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

from conformance.exchange import Response
from conformance.planbok.chains import Chain
from conformance.planbok.sandbox import Call, Challenge, Customer, Planbok, Reason, Refused, Tenant, Wallet
from conformance.sandbox.faults import Fault, Variation
from conformance.sandbox.messages import json_response, read_object
from conformance.standards.addresses import Family
from conformance.standards.hd_keys import derive_key

_ORDER = re.compile("order=(?:asc|ASC)")


class ListsEvmWalletsOnly(Fault, Planbok):
    """Leaves wallets on other than EVM chains out of the list."""

    breaks = ("planbok.list.holds-all", "planbok.list.agrees-with-result")

    def is_listed(self, wallet: Wallet) -> bool:
        return super().is_listed(wallet) and wallet.chain.family is Family.EVM


class ListsTheFirstWalletOnly(Fault, Planbok):
    """Lists one wallet of each customer."""

    breaks = ("planbok.list.holds-all", "planbok.list.agrees-with-result")

    def is_listed(self, wallet: Wallet) -> bool:
        return super().is_listed(wallet) and any(wallet in customer.wallets[:1] for customer in self.customers.values())


class IgnoresTheFilter(Fault, Planbok):
    """Lists the wallets of all customers whatever the filter."""

    breaks = (
        "planbok.list.only-theirs",
        "planbok.list.several-customers",
        "planbok.list.unknown-customer-is-empty",
    )

    def filtered(self, tenant: Tenant, filter_text: str | None) -> list[Customer]:
        return super().filtered(tenant, None)


class ShowsOtherAddressesInResults(Fault, Planbok):
    """Shows addresses in the result of a challenge that are not those of the wallets."""

    breaks = ("planbok.list.agrees-with-result",)

    def wallets_of(self, challenge: Challenge) -> list[Wallet]:
        return [with_another_key(self, challenge.customer, wallet) for wallet in super().wallets_of(challenge)]


class TakesTheFilterForOneId(Fault, Planbok):
    """Does not know that commas join ids."""

    breaks = ("planbok.list.several-customers",)

    def filtered(self, tenant: Tenant, filter_text: str | None) -> list[Customer]:
        found = super().filtered(tenant, filter_text)
        return [customer for customer in found if not filter_text or customer.id == filter_text]


class ListsAllForAnUnknownCustomer(Fault, Planbok):
    """Passes over a filter that fits no customer."""

    breaks = ("planbok.list.unknown-customer-is-empty",)

    def filtered(self, tenant: Tenant, filter_text: str | None) -> list[Customer]:
        return super().filtered(tenant, filter_text) or super().filtered(tenant, None)


class ListsStrangersWallets(Fault, Planbok):
    """Lists the wallets of any customer whose id is known."""

    breaks = ("planbok.list.unseen-by-others",)

    def filtered(self, tenant: Tenant, filter_text: str | None) -> list[Customer]:
        named = (filter_text or "").split(",")
        strangers = [each for each in self.customers.values() if each.id in named and each.tenant is not tenant]
        return [*super().filtered(tenant, filter_text), *strangers]


class ListsEverybodysWalletsForAnEmptyFilter(Fault, Planbok):
    """Lists the wallets of all organizations when the filter is empty or absent."""

    breaks = ("planbok.list.unseen-by-others",)

    def filtered(self, tenant: Tenant, filter_text: str | None) -> list[Customer]:
        return super().filtered(tenant, filter_text) if filter_text else list(self.customers.values())


class ReadsStrangersWallets(Fault, Planbok):
    """Answers with any wallet whose id is known."""

    breaks = ("planbok.list.unseen-by-others",)

    def get_wallet(self, call: Call) -> Response:
        for customer in self.customers.values():
            for wallet in customer.wallets:
                if wallet.id == call.parameters["id"]:
                    return self.success(200, "Wallet", self.wallet_json(customer, wallet))
        return super().get_wallet(call)


class IgnoresTheLimit(Fault, Planbok):
    """Gives ten entries on a page whatever is asked for."""

    breaks = ("planbok.list.pages-complete",)

    def place_of_page(self, number: int, limit: int) -> slice:
        return super().place_of_page(number, 10)


class LosesAnEntryBetweenPages(Fault, Planbok):
    """Leaves the last entry of each page out."""

    breaks = ("planbok.list.pages-complete", "planbok.list.wallets-stay", "planbok.customer.listed")

    def place_of_page(self, number: int, limit: int) -> slice:
        place = super().place_of_page(number, limit)
        return slice(place.start, place.stop - 1)


class RepeatsAnEntryOnTheNextPage(Fault, Planbok):
    """Begins a page with the last entry of the one before."""

    breaks = ("planbok.list.pages-complete",)

    def place_of_page(self, number: int, limit: int) -> slice:
        place = super().place_of_page(number, limit)
        return slice(max(place.start - 1, 0), place.stop)


class DropsWalletsWithTheirChallenge(Fault, Planbok):
    """Lists a wallet for as long as its challenge lives."""

    breaks = ("planbok.list.wallets-stay",)

    def is_listed(self, wallet: Wallet) -> bool:
        return super().is_listed(wallet) and self.now() - wallet.created_at < self.challenge_lifetime()


class ReplacesWallets(Fault, Planbok):
    """Puts a new wallet in the place of one whose chain is asked for again."""

    breaks = ("planbok.list.wallet-ids-stay",)

    def wallet_there(self, customer: Customer, chain: Chain) -> Wallet | None:
        customer.wallets = [wallet for wallet in customer.wallets if wallet.chain is not chain]
        return None


class GivesWalletsNewIds(Fault, Planbok):
    """Shows a wallet under another id each time."""

    breaks = ("planbok.list.wallet-ids-stay", "planbok.list.wallet-readable")

    def wallet_json(self, customer: Customer, wallet: Wallet) -> dict[str, Any]:
        return {**super().wallet_json(customer, wallet), "id": self.new_object_id()}


class ReadsNoWallets(Fault, Planbok):
    """Finds no wallet by its id."""

    breaks = ("planbok.list.wallet-readable",)

    def get_wallet(self, call: Call) -> Response:
        raise Refused(Reason.UNKNOWN_WALLET, f"There is no wallet {call.parameters['id']!r}.")


class ReadsTheFirstWallet(Fault, Planbok):
    """Answers with the customer's first wallet when another one of them is read."""

    breaks = ("planbok.list.wallet-readable",)

    def get_wallet(self, call: Call) -> Response:
        for customer in self.customers_of(call.tenant):
            if call.parameters["id"] in {wallet.id for wallet in customer.wallets}:
                return self.success(200, "Wallet", self.wallet_json(customer, customer.wallets[0]))
        return super().get_wallet(call)


class KnowsNoOrder(Fault, Planbok):
    """Lists the newest entries first whatever is asked for."""

    breaks = ("planbok.list.order-spelling",)

    def is_ascending(self, order: str) -> bool:
        return False


class ListsLate(Variation, Planbok):
    """Lists a wallet five seconds after its creation."""

    permits = "Provisioning Customer Wallets, Option B, does not say how soon the list has a new wallet."

    def list_lag(self) -> timedelta:
        return timedelta(seconds=5)


class GivesTenEntriesAtMost(Variation, Planbok):
    """Gives ten entries of a list at most, however many are asked for."""

    permits = "Wallet Sets has a default of limit, 10, and no document says how high it may be."

    def most_entries(self) -> int:
        return 10


class RefusesUnknownCustomersInTheFilter(Variation, Planbok):
    """Answers 404 for a list filtered by a customer that does not exist."""

    permits = "Provisioning Customer Wallets, Option B, is silent on customers that do not exist."

    def filtered(self, tenant: Tenant, filter_text: str | None) -> list[Customer]:
        found = super().filtered(tenant, filter_text)
        if filter_text and len(found) < len(filter_text.split(",")):
            raise Refused(Reason.UNKNOWN_CUSTOMER, f"There are not all of the customers {filter_text!r}.")
        return found


class ListsNothingForAnEmptyFilter(Variation, Planbok):
    """Lists no wallet when the filter is empty or absent."""

    permits = "Provisioning Customer Wallets, Option B, is silent on a filter that names nobody."

    def filtered(self, tenant: Tenant, filter_text: str | None) -> list[Customer]:
        return super().filtered(tenant, filter_text) if filter_text else []


class RefusesAnEmptyFilter(Variation, Planbok):
    """Answers 400 when the filter is empty or absent."""

    permits = "Provisioning Customer Wallets, Option B, is silent on a filter that names nobody."

    def filtered(self, tenant: Tenant, filter_text: str | None) -> list[Customer]:
        if not filter_text:
            raise Refused(Reason.QUERY, "'customerIds' must name a customer.")
        return super().filtered(tenant, filter_text)


class RefusesUpperCaseOrders(Variation, Planbok):
    """Understands ``asc`` and ``desc`` alone."""

    permits = "Wallet Sets lists the values of order in lower case."

    def is_ascending(self, order: str) -> bool:
        if order != order.lower():
            raise Refused(Reason.QUERY, "'order' must be in lower case.")
        return super().is_ascending(order)


class PassesOverLowerCaseOrders(Variation, Planbok):
    """Understands ``ASC`` and ``DESC`` alone, and passes over others."""

    permits = "The README of the v2 beta has the values of order in upper case."

    def is_ascending(self, order: str) -> bool:
        return order == "ASC"


class GivesANewAddressEachTime(Variation, Planbok):
    """Gives a customer a further wallet on a chain that is asked for again."""

    permits = "Provisioning Customer Wallets is silent on a chain that the customer has a wallet on."

    def wallet_there(self, customer: Customer, chain: Chain) -> Wallet | None:
        return None

    def address_index(self, customer: Customer, chain: Chain) -> int:
        return sum(wallet.chain is chain for wallet in customer.wallets)


class RefusesChainsThatAreThere(Variation, Planbok):
    """Refuses new wallets on a chain that the customer has a wallet on."""

    permits = "Provisioning Customer Wallets is silent on a chain that the customer has a wallet on."

    def create_wallets(self, call: Call) -> Response:
        chains = self.read_chains(read_object(call.request.body))
        if any(wallet.chain in chains for wallet in self.customer_for(call).wallets):
            raise Refused(Reason.BODY, "The customer has a wallet on one of these chains.")
        return super().create_wallets(call)


def with_another_key(sandbox: Planbok, customer: Customer, wallet: Wallet) -> Wallet:
    """The wallet as if it were another account's."""
    path = wallet.path.replace("m/44'", "m/45'")
    key = derive_key(sandbox.root_of(customer), path, wallet.chain.curve)
    return replace(wallet, address=sandbox.address(key.public_key, wallet.chain), public_key=key.public_key.hex())


class ChangesAddresses(Fault, Planbok):
    """Shows a wallet with another address each second time."""

    breaks = (
        "planbok.list.wallets-stay",
        "planbok.list.wallet-readable",
        "planbok.list.agrees-with-result",
        "planbok.list.holds-all",
    )

    def wallet_json(self, customer: Customer, wallet: Wallet) -> dict[str, Any]:
        shown: dict[str, int] = self.__dict__.setdefault("shown", {})
        shown[wallet.id] = shown.get(wallet.id, 0) + 1
        other = with_another_key(self, customer, wallet) if shown[wallet.id] % 2 else wallet
        return super().wallet_json(customer, other)


class FiltersByTheStartOfIds(Fault, Planbok):
    """Lists the wallets of a customer for an id that begins as its own."""

    breaks = ("planbok.list.unknown-customer-is-empty",)

    def is_filtered_by(self, customer: Customer, identifiers: Sequence[str]) -> bool:
        return any(customer.id[:16] == identifier[:16] for identifier in identifiers)


class CutsPagesBeforeTheFilter(Fault, Planbok):
    """Cuts the page out of all wallets, and then leaves out those that the filter does not let through."""

    breaks = ("planbok.list.pages-complete", "planbok.list.wallets-stay")

    def list_wallets(self, call: Call) -> Response:
        wanted = dict(parse_qsl(call.request.query, keep_blank_values=True)).get("customerIds")
        unfiltered = re.sub(r"customerIds=[^&]*", "customerIds=", call.request.url)
        response = super().list_wallets(replace(call, request=replace(call.request, url=unfiltered)))
        document = json.loads(response.body)
        if wanted:
            document["data"] = [each for each in document["data"] if each["customer"] in wanted.split(",")]
        return json_response(response.status, document)


class FindsWalletsByAddressForAnybody(Fault, Planbok):
    """Looks for a wallet by its address in all organizations."""

    breaks = ("planbok.list.unseen-by-others", "planbok.list.only-theirs")

    def filtered(self, tenant: Tenant, filter_text: str | None) -> list[Customer]:
        return (
            list(self.customers.values())
            if self.__dict__.pop("by_address", False)
            else super().filtered(tenant, filter_text)
        )

    def list_wallets(self, call: Call) -> Response:
        self.__dict__["by_address"] = "address" in dict(parse_qsl(call.request.query))
        return super().list_wallets(call)


class FiltersTheLatestWallets(Fault, Planbok):
    """Looks for a customer's wallets among the ten latest ones of all."""

    breaks = ("planbok.list.holds-all", "planbok.list.wallets-stay")

    def is_listed(self, wallet: Wallet) -> bool:
        every = sorted((each for owner in self.customers.values() for each in owner.wallets), key=_when)
        return wallet in every[-10:] and super().is_listed(wallet)


class ReadsTenIdsOfAFilter(Fault, Planbok):
    """Passes over what stands behind the tenth id of a filter."""

    breaks = ("planbok.list.several-customers",)

    def is_filtered_by(self, customer: Customer, identifiers: Sequence[str]) -> bool:
        return super().is_filtered_by(customer, identifiers[:10])


class CutsLongPages(Fault, Planbok):
    """Gives 20 entries of a page at most, and begins the next one where this should have ended."""

    breaks = ("planbok.customer.listed",)

    def place_of_page(self, number: int, limit: int) -> slice:
        place = super().place_of_page(number, limit)
        return slice(place.start, min(place.stop, place.start + 20))


def _when(wallet: Wallet) -> datetime:
    return wallet.created_at


class ForgetsTheCustomerOfAChain(Fault, Planbok):
    """Passes over ``customerIds`` where a chain is named besides."""

    breaks = ("planbok.list.only-theirs",)

    names_chain = False

    def list_wallets(self, call: Call) -> Response:
        self.names_chain = "blockchain" in dict(parse_qsl(call.request.query))
        return super().list_wallets(call)

    def filtered(self, tenant: Tenant, filter_text: str | None) -> list[Customer]:
        return super().filtered(tenant, None if self.names_chain else filter_text)


class ListsTwiceWhoIsNamedTwice(Fault, Planbok):
    """Lists the wallets of a customer as often as its id stands in the filter."""

    breaks = ("planbok.list.pages-complete",)

    def filtered(self, tenant: Tenant, filter_text: str | None) -> list[Customer]:
        names = (filter_text or "").split(",")
        return [each for each in super().filtered(tenant, filter_text) for _ in range(max(1, names.count(each.id)))]


class RepeatsTheLastPage(Fault, Planbok):
    """Gives the last page again for every page behind it."""

    breaks = ("planbok.list.pages-complete",)

    entries = 0

    def page_of(self, call: Call, items: Sequence[Any], message: str) -> Response:
        self.entries = len(items)
        return super().page_of(call, items, message)

    def place_of_page(self, number: int, limit: int) -> slice:
        return super().place_of_page(min(number, max(1, -(-self.entries // limit))), limit)


class ListsStrangersBesideItsOwn(Fault, Planbok):
    """Looks up the customers of a filter that names several, whoever's they are."""

    breaks = ("planbok.list.unseen-by-others",)

    def filtered(self, tenant: Tenant, filter_text: str | None) -> list[Customer]:
        wanted = (filter_text or "").split(",")
        if len(wanted) > 1:
            return [customer for customer in self.customers.values() if customer.id in wanted]
        return super().filtered(tenant, filter_text)


class _HidesWallets(Fault, Planbok, abstract=True):
    """Leaves wallets out of lists."""

    hidden: frozenset[str] = frozenset()

    def is_listed(self, wallet: Wallet) -> bool:
        return wallet.id not in self.hidden and super().is_listed(wallet)


class ListsFiveWalletsOfACustomer(_HidesWallets):
    """Lists the first five wallets of each customer."""

    breaks = ("planbok.list.holds-all",)

    def list_wallets(self, call: Call) -> Response:
        self.hidden = frozenset(wallet.id for each in self.customers.values() for wallet in each.wallets[5:])
        return super().list_wallets(call)


class ListsEachAddressOnce(_HidesWallets):
    """Lists one wallet for each address, though a customer has the same one on all EVM chains."""

    breaks = ("planbok.list.holds-all",)

    def list_wallets(self, call: Call) -> Response:
        wallets = [wallet for customer in self.customers.values() for wallet in customer.wallets]
        first = {wallet.address: wallet.id for wallet in reversed(wallets)}
        self.hidden = frozenset(wallet.id for wallet in wallets) - frozenset(first.values())
        return super().list_wallets(call)


class FindsAddressesOfEverybody(Fault, Planbok):
    """Looks for an address among the wallets of all organizations."""

    breaks = ("planbok.list.unseen-by-others",)
    is_looking = False

    def list_wallets(self, call: Call) -> Response:
        self.is_looking = "address" in dict(parse_qsl(call.request.query))
        try:
            return super().list_wallets(call)
        finally:
            self.is_looking = False

    def may_see(self, tenant: Tenant, customer: Customer) -> bool:
        return self.is_looking or super().may_see(tenant, customer)


class LimitsEachCustomersWallets(Fault, Planbok):
    """Gives so many wallets of each customer on a first page as it is asked for at most."""

    breaks = ("planbok.list.pages-complete",)
    times = 1

    def list_wallets(self, call: Call) -> Response:
        query = dict(parse_qsl(call.request.query))
        self.times = len(self.filtered(call.tenant, query.get("customerIds"))) if query.get("page") == "1" else 1
        try:
            return super().list_wallets(call)
        finally:
            self.times = 1

    def place_of_page(self, number: int, limit: int) -> slice:
        return super().place_of_page(number, limit * max(self.times, 1))


class FiltersByTheBeginningOfAChain(_HidesWallets):
    """Lists wallets on each chain whose name begins as that which the list is filtered by."""

    breaks = ("planbok.list.filtered-as-asked",)

    def list_wallets(self, call: Call) -> Response:
        wanted = dict(parse_qsl(call.request.query)).get("blockchain", "")
        wallets = [wallet for customer in self.customers.values() for wallet in customer.wallets]
        self.hidden = frozenset(wallet.id for wallet in wallets if not wallet.chain.name.startswith(wanted))
        url = call.request.url.replace(f"blockchain={wanted}", "")
        return super().list_wallets(replace(call, request=replace(call.request, url=url)))


class ReadsWalletsForAnHour(Fault, Planbok):
    """Finds a wallet by its id for an hour after its creation, and lists it for good."""

    breaks = ("planbok.list.wallet-readable",)

    def get_wallet(self, call: Call) -> Response:
        made = [wallet for customer in self.customers_of(call.tenant) for wallet in customer.wallets]
        if any(
            wallet.id == call.parameters["id"] and self.now() - wallet.created_at > timedelta(hours=1)
            for wallet in made
        ):
            raise Refused(Reason.UNKNOWN_WALLET, f"There is no wallet {call.parameters['id']!r}.")
        return super().get_wallet(call)


class TurnsPagesRound(Fault, Planbok):
    """Turns round the entries of each page when the oldest are asked for first, and leaves the pages where they are."""

    breaks = ("planbok.list.order-spelling",)

    def page_of(self, call: Call, items: Sequence[Any], message: str) -> Response:
        url = _ORDER.sub("order=desc", call.request.url)
        response = super().page_of(replace(call, request=replace(call.request, url=url)), items, message)
        members = response.members()
        if url == call.request.url or not response.succeeded:
            return response
        return json_response(response.status, {**members, "data": list(reversed(members["data"]))})


class PartsIdsBeforeItDecodes(Fault, Planbok):
    """Parts the ids of a filter at its commas before it decodes them, so that ``%2C`` parts none."""

    breaks = ("planbok.list.several-customers",)

    def list_wallets(self, call: Call) -> Response:
        url = call.request.url.replace("%2C", "%252C")
        return super().list_wallets(replace(call, request=replace(call.request, url=url)))


class ReadsNoLimitBeforeThePage(Fault, Planbok):
    """Passes over a ``limit`` that stands before the ``page``."""

    breaks = ("planbok.list.pages-complete",)

    def page_of(self, call: Call, items: Sequence[Any], message: str) -> Response:
        url = re.sub("limit=[0-9]+&(?=page=)", "", call.request.url)
        return super().page_of(replace(call, request=replace(call.request, url=url)), items, message)


class ReadsOneDigitOfThePage(Fault, Planbok):
    """Takes the first digit of a page's number for the number."""

    breaks = ("planbok.customer.listed",)

    def place_of_page(self, number: int, limit: int) -> slice:
        return super().place_of_page(int(str(number)[0]), limit)


class KnowsNoEscapesInNamesOfParameters(Fault, Planbok):
    """Passes over a parameter whose name is written with an escape."""

    breaks = ("planbok.list.pages-complete",)

    def page_of(self, call: Call, items: Sequence[Any], message: str) -> Response:
        place, _, query = call.request.url.partition("?")
        known = "&".join(each for each in query.split("&") if "%" not in each.partition("=")[0])
        return super().page_of(replace(call, request=replace(call.request, url=f"{place}?{known}")), items, message)
