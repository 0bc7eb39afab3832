"""Isolation: what one client of the API sees of another's customers."""

from conformance.offblocks.sandbox.base import Decisions
from conformance.offblocks.sandbox.state import Customer, Tenant


class IsolationDecisions(Decisions):
    """Which customers a client gets to."""

    def is_listed_for(self, tenant: Tenant, customer: Customer) -> bool:
        """Whether the tenant's list has the customer: if it is the tenant's own (Customers)."""
        return customer.tenant is tenant

    def is_visible_to(self, tenant: Tenant, customer: Customer) -> bool:
        """Whether the tenant gets to the customer by its id. Silent: only its own, others are as if they were not."""
        return customer.tenant is tenant
