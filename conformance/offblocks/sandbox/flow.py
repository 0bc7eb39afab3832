"""The flow of a customer through its states, and the simulator that moves it on."""

from datetime import timedelta
from http import HTTPStatus

from conformance.exchange import Response
from conformance.offblocks.sandbox.base import Decisions
from conformance.offblocks.sandbox.state import Call, Customer, Reason, Refused, Status


class FlowDecisions(Decisions):
    """Which states a customer passes, and who moves it."""

    def change_status(self, customer: Customer, status: str) -> None:
        """Bring the customer to another state and announce it (Customers)."""
        customer.status = status
        customer.updated_at = self.now()
        self.announce(customer)

    def progress(self, customer: Customer) -> None:
        """Bring a screened customer on to verification: the sandbox approves by itself (Customer Verification)."""
        lasts = self.screening_time() if customer.screening_lasts is None else customer.screening_lasts
        if customer.status == Status.SCREENING and self.now() - customer.updated_at >= lasts:
            self.change_status(customer, self.status_after_screening())

    def screening_time(self) -> timedelta:
        """How long screening takes. Silent: no time."""
        return timedelta()

    def status_after_screening(self) -> str:
        """The state that follows on an approved screening (Customer States)."""
        return Status.VERIFYING

    async def verify_customer(self, call: Call) -> Response:
        """Simulate that a customer passed verification: 202 (Simulator)."""
        customer = self.find_customer(call)
        self.require(call, customer, allowed=self.may_verify(customer))
        await self.take_time(call)
        self.change_status(customer, self.status_after_verification())
        return Response(status=HTTPStatus.ACCEPTED)

    async def reject_customer(self, call: Call) -> Response:
        """Simulate that a customer failed verification: 202 (Simulator)."""
        customer = self.find_customer(call)
        self.require(call, customer, allowed=self.may_reject(customer))
        await self.take_time(call)
        self.change_status(customer, self.status_after_rejection())
        return Response(status=HTTPStatus.ACCEPTED)

    def require(self, call: Call, customer: Customer, *, allowed: bool) -> None:
        """Refuse a simulation that the customer's state does not allow. Silent on the status: 409."""
        if not allowed:
            raise Refused(
                Reason.WRONG_STATUS,
                f"{call.operation} needs a customer whose verification is pending; this one is {customer.status}.",
            )

    def may_verify(self, customer: Customer) -> bool:
        """Whether verification can succeed now: while it is pending (Simulator)."""
        return customer.status == Status.VERIFYING

    def may_reject(self, customer: Customer) -> bool:
        """Whether verification can fail now: while it is pending (Simulator)."""
        return customer.status == Status.VERIFYING

    def status_after_verification(self) -> str:
        """The state that follows on verification, by itself (Customer Verification)."""
        return Status.ACTIVE

    def status_after_rejection(self) -> str:
        """The final state (Customer States)."""
        return Status.REJECTED
