"""What can be wrong with keeping API clients apart."""

from collections.abc import Hashable

from conformance.offblocks.sandbox import Call, Customer, OffBlocks, Tenant
from conformance.sandbox.faults import Fault


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
