"""The API key: whose it is, and what it may do."""

import hmac

from conformance.exchange import Request
from conformance.planbok.messages import KEY_HEADER, misplaced_key
from conformance.planbok.sandbox.base import Decisions
from conformance.planbok.sandbox.state import Call, Reason, Refused, Tenant


class KeyDecisions(Decisions):
    """Which key gives access to what."""

    def authenticate(self, request: Request) -> Tenant:
        """Whose key a request carries, in the header that Provisioning Customer Wallets names."""
        key = request.header(KEY_HEADER)
        if key is None:
            told = self.explain_key(request) or "Send your API key in it."
            raise Refused(Reason.MISSING_KEY, f"There is no {KEY_HEADER} header. {told}")
        found = self.tenant_with(key)
        if found is None:
            told = f"The key in {KEY_HEADER} is not one that was issued here. {self.explain_key(request)}"
            raise Refused(Reason.UNKNOWN_KEY, told.rstrip())
        return found

    def explain_key(self, request: Request) -> str:
        """Where the key stands that should be alone in its header; empty if it is not seen."""
        own = [key for tenant in self.tenants.values() for key in (tenant.api_key, tenant.read_only_key)]
        return misplaced_key(request.headers, own) or ""

    def tenant_with(self, key: str) -> Tenant | None:
        """Whose key it is, None if nobody's."""
        for tenant in self.tenants.values():
            for own in (tenant.api_key, tenant.read_only_key):
                if hmac.compare_digest(own.encode(), key.encode()):
                    return tenant
        return None

    def check_permission(self, call: Call) -> None:
        """Refuse a POST with a read-only key (Audit and Compliance)."""
        if call.request.header(KEY_HEADER) == call.tenant.read_only_key:
            raise Refused(Reason.READ_ONLY_KEY, "This key may only read. Send the key with full access.")
