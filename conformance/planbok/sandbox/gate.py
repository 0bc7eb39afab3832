"""The gate: no wallets for a customer without PIN and recovery."""

from conformance.planbok.sandbox.base import Decisions
from conformance.planbok.sandbox.state import Challenge, Customer, Reason, Refused, Task


class GateDecisions(Decisions):
    """What a customer must have before wallets are created, and where that is looked at."""

    def refuses_incomplete_set_up_at_request(self) -> bool:
        """Whether the API itself refuses wallets for a customer without PIN or recovery.

        "Fail or be blocked" (Provisioning Customer Wallets): the API refuses.
        """
        return True

    def check_set_up(self, customer: Customer) -> None:
        """Refuse new wallets while PIN or recovery are missing (Provisioning Customer Wallets)."""
        missing = self.missing_set_up(customer)
        if missing:
            raise Refused(
                Reason.INCOMPLETE_SET_UP,
                f"This customer has no {' and no '.join(missing)} yet, so no wallets can be created.",
            )

    def missing_set_up(self, customer: Customer) -> list[str]:
        """What a customer must have before wallets are created: a PIN and recovery (Provisioning Customer Wallets)."""
        return [name for name, secret in (("PIN", customer.pin), ("recovery", customer.answers)) if not secret.hash]

    def blocks(self, challenge: Challenge) -> bool:
        """Whether the page refuses a challenge because the set-up is incomplete (Provisioning Customer Wallets)."""
        return challenge.task is Task.CREATE_WALLETS and bool(self.missing_set_up(challenge.customer))
