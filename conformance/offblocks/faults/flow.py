"""What can be wrong, or otherwise than the sandbox has it, with the states of a customer."""

from dataclasses import replace
from datetime import timedelta

from conformance.exchange import Response
from conformance.offblocks.sandbox import Call, Customer, OffBlocks, Reason, Status, Tenant
from conformance.sandbox.faults import Fault, Variation
from conformance.standards.account_ids import AccountId


class KeepsCustomersInScreening(Fault, OffBlocks):
    """Screens for a day."""

    breaks = ("offblocks.flow.passes-screening",)

    def screening_time(self) -> timedelta:
        """Too long for a sandbox that approves by itself."""
        return timedelta(days=1)


class AnswersSimulationWith200(Fault, OffBlocks):
    """Answers a simulation with 200 instead of 202."""

    breaks = ("offblocks.flow.simulated-with-202", "offblocks.response.status-documented")

    async def verify_customer(self, call: Call) -> Response:
        """Verify, and say 200."""
        return replace(await super().verify_customer(call), status=200)


class IgnoresVerification(Fault, OffBlocks):
    """Leaves a verified customer ``verifying``."""

    breaks = ("offblocks.flow.verified-becomes-active",)

    def status_after_verification(self) -> str:
        """The one before."""
        return Status.VERIFYING


class ActivatesUnsigned(Fault, OffBlocks):
    """Lets a customer who has not signed be verified."""

    breaks = ("offblocks.flow.unsigned-never-active",)

    def may_verify(self, customer: Customer) -> bool:
        """Also before the signature."""
        return super().may_verify(customer) or customer.status == Status.INITIATING


class RevivesRejected(Fault, OffBlocks):
    """Lets a rejected customer be verified."""

    breaks = ("offblocks.flow.rejected-is-final",)

    def may_verify(self, customer: Customer) -> bool:
        """Also after the rejection."""
        return super().may_verify(customer) or customer.status == Status.REJECTED


class OnboardsRejectedAgain(Fault, OffBlocks):
    """Creates a rejected customer anew."""

    breaks = ("offblocks.flow.rejected-not-onboarded-again", "offblocks.customer.no-second-for-a-pair")

    def find_duplicate(self, tenant: Tenant, account: AccountId, external_id: str) -> Customer | None:
        """The customer that has the pair, unless it is rejected."""
        found = super().find_duplicate(tenant, account, external_id)
        return None if found and found.status == Status.REJECTED else found


class ScreensForHalfAMinute(Variation, OffBlocks):
    """Takes half a minute for screening."""

    permits = "Customer Verification does not say how long screening takes in the sandbox."

    def screening_time(self) -> timedelta:
        """Some time."""
        return timedelta(seconds=30)


class SkipsScreening(Variation, OffBlocks):
    """Brings a customer who signed to verification at once."""

    permits = "Customer Verification lets a customer who signed reach verification without a call."

    def status_after_signing(self) -> str:
        """The one after screening."""
        return Status.VERIFYING


class AnswersWrongStatesWith400(Variation, OffBlocks):
    """Answers a simulation that the customer's state does not allow with 400."""

    permits = "Simulator is silent on the status of such a refusal, and lists no 409."

    def refusal_status(self, reason: Reason) -> int:
        """400 for a state."""
        return 400 if reason is Reason.WRONG_STATUS else super().refusal_status(reason)
