"""The operations that ask for a token and a signature, each called as rightly as a tenant can."""

from collections.abc import Callable
from functools import partial

from conformance.exchange import Exchange
from conformance.offblocks.suite.tenant import Onboarding, Tenant

Call = Callable[..., Exchange]


def guarded(tenant: Tenant, customer: Onboarding) -> dict[str, Call]:
    """The guarded operations by their ids; what a call takes goes to `Tenant.send`.

    Args:
        tenant: Who calls.
        customer: The customer that the operations are about.
    """
    return {
        "createCustomer": partial(tenant.create, customer.wallet),
        "listCustomers": tenant.customers,
        "getCustomer": partial(tenant.read, customer.id),
        "getChallenge": partial(tenant.fetch, customer.id),
        "signChallenge": partial(tenant.sign, customer.id, customer.wallet, customer.challenge),
        "verifyCustomer": partial(tenant.simulate, "verify", customer.id),
        "rejectCustomer": partial(tenant.simulate, "reject", customer.id),
        "putWebhook": partial(tenant.put_webhook, "https://webhooks.example/offblocks"),
    }


def by_headers_alone(tenant: Tenant, customer: Onboarding) -> list[Call]:
    """What is read, asked for without its body (RFC 9110, section 9.3.2): a server need not answer that, nor with what.

    Args:
        tenant: Who calls.
        customer: The customer that is read.
    """
    below = ("", f"/{customer.id}", f"/{customer.id}/challenge")
    return [partial(tenant.send, "HEAD", f"/v1/customers{path}") for path in below]
