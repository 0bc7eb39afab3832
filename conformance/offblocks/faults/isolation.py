"""What can be wrong with keeping API clients apart."""

from collections.abc import Hashable
from uuid import NAMESPACE_URL, uuid5

from cryptography.hazmat.primitives.asymmetric import ec

from conformance.exchange import Response
from conformance.offblocks.sandbox import Call, Customer, OffBlocks, Tenant
from conformance.sandbox.faults import Fault
from conformance.standards.account_ids import AccountId


class ListsEverybodysCustomers(Fault, OffBlocks):
    """Lists the customers of all clients to each."""

    breaks = ("offblocks.isolation.list-apart",)

    def is_listed_for(self, tenant: Tenant, customer: Customer) -> bool:
        return True


class ShowsCustomersToEverybody(Fault, OffBlocks):
    """Lets any client get to any customer by its id."""

    breaks = (
        "offblocks.isolation.customer-unseen",
        "offblocks.isolation.challenge-unseen",
        "offblocks.isolation.no-action",
    )
    category = "F206"

    def is_visible_to(self, tenant: Tenant, customer: Customer) -> bool:
        return True


class SharesIdempotencyKeys(Fault, OffBlocks):
    """Remembers idempotency keys for all clients together."""

    breaks = ("offblocks.isolation.keys-apart",)

    def idempotency_scope(self, call: Call, key: str) -> Hashable:
        return key.lower()


class SendsEventsToAllClients(Fault, OffBlocks):
    """Sends the events of every customer to whoever registered a webhook."""

    breaks = ("offblocks.isolation.events-apart",)

    def webhook_addresses(self, customer: Customer) -> list[str]:
        return [hook.callback_url for tenant in self.tenants.values() for hook in tenant.webhooks.values()]


class KeepsListsForEverybody(Fault, OffBlocks):
    """Serves a list again that was asked for at the same instant, whoever asks."""

    breaks = ("offblocks.isolation.list-apart",)

    async def list_customers(self, call: Call) -> Response:
        kept: dict[object, Response] = self.__dict__.setdefault("lists", {})
        known = self.now(), tuple(each.status for each in self.customers.values())
        if known not in kept:
            kept[known] = await super().list_customers(call)
        return kept[known]


class KeepsReadingsForEverybody(Fault, OffBlocks):
    """Serves a customer again that was read at the same instant, whoever reads it."""

    breaks = ("offblocks.isolation.customer-unseen",)

    async def get_customer(self, call: Call) -> Response:
        kept: dict[object, Response] = self.__dict__.setdefault("readings", {})
        found = self.customers.get(call.parameters["customerId"])
        known = call.parameters["customerId"], self.now(), found and found.status
        if known not in kept:
            kept[known] = await super().get_customer(call)
        return kept[known]


class DerivesIdsFromThePair(Fault, OffBlocks):
    """Gives two clients' customers of one pair the same id, so that the later one takes the place of the other."""

    breaks = ("offblocks.customer.readable",)

    def new_customer_id(self, tenant: Tenant, account: AccountId, external_id: str) -> str:
        return str(uuid5(NAMESPACE_URL, f"{account}|{external_id}"))


class SendsEventsByWallet(Fault, OffBlocks):
    """Sends the events of a customer to every client that has a customer with this wallet."""

    breaks = ("offblocks.isolation.events-apart",)

    def webhook_addresses(self, customer: Customer) -> list[str]:
        others = (each.tenant for each in self.customers.values() if each.account == customer.account)
        hooks = [hook for other in dict.fromkeys(others) for hook in other.webhooks.values()]
        foreign = [hook.callback_url for hook in hooks if "customer.updated" in hook.types]
        return list(dict.fromkeys([*super().webhook_addresses(customer), *foreign]))


class SendsEventsByExternalId(Fault, OffBlocks):
    """Sends the events of a customer to every client that has a customer with this externalId."""

    breaks = ("offblocks.isolation.events-apart",)

    def webhook_addresses(self, customer: Customer) -> list[str]:
        others = (each.tenant for each in self.customers.values() if each.external_id == customer.external_id)
        hooks = [hook for other in dict.fromkeys(others) for hook in other.webhooks.values()]
        foreign = [hook.callback_url for hook in hooks if "customer.updated" in hook.types]
        return list(dict.fromkeys([*super().webhook_addresses(customer), *foreign]))


class FindsIdsInCapitalsForAnybody(Fault, OffBlocks):
    """Looks whose customer it is only where the id comes as it was given."""

    breaks = ("offblocks.isolation.customer-unseen", "offblocks.isolation.challenge-unseen")

    def find_customer(self, call: Call) -> Customer:
        customer = self.customer_called(call.parameters["customerId"])
        if customer is not None and customer.id not in call.request.path:
            self.progress(customer)
            return customer
        return super().find_customer(call)


class ServesSignedChallengesToAnybody(Fault, OffBlocks):
    """Looks whose customer it is only while the challenge can be signed."""

    breaks = ("offblocks.isolation.challenge-unseen",)

    async def get_challenge(self, call: Call) -> Response:
        customer = self.customer_called(call.parameters["customerId"])
        if customer is not None and not self.awaits_signature(customer):
            return self.answer_after_signing(customer)
        return await super().get_challenge(call)


class ListsAllCustomersOfAWallet(Fault, OffBlocks):
    """Lists a client the customers of others whose wallet is one of its own customers' too."""

    breaks = ("offblocks.isolation.list-apart",)

    def is_listed_for(self, tenant: Tenant, customer: Customer) -> bool:
        return any(
            each.tenant is tenant and each.account.address.lower() == customer.account.address.lower()
            for each in self.customers.values()
        )


class TakesAKeyAwayFromOthers(Fault, OffBlocks):
    """Keeps a public key with the client alone that registered it last."""

    breaks = ("offblocks.isolation.others-untouched", "offblocks.signature.right-one-accepted")

    def keys_after_registration(
        self, tenant: Tenant, key_id: str, key: ec.EllipticCurvePublicKey
    ) -> dict[str, ec.EllipticCurvePublicKey]:
        for other in self.tenants.values():
            other.signing_keys = {name: each for name, each in other.signing_keys.items() if each != key}
        return super().keys_after_registration(tenant, key_id, key)
