"""What can be wrong, or otherwise than the sandbox has it, with the states of a customer."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from conformance.clock import pause
from conformance.exchange import Response
from conformance.offblocks.sandbox import Call, Customer, OffBlocks, Reason, Status, Tenant
from conformance.sandbox.faults import Fault, Variation
from conformance.sandbox.messages import json_response
from conformance.standards.account_ids import AccountId


class KeepsCustomersInScreening(Fault, OffBlocks):
    """Screens for a day."""

    breaks = ("offblocks.flow.passes-screening",)

    def screening_time(self) -> timedelta:
        return timedelta(days=1)


class AnswersSimulationWith200(Fault, OffBlocks):
    """Answers a simulation with 200 instead of 202."""

    breaks = ("offblocks.flow.simulated-with-202", "offblocks.response.status-documented")

    async def verify_customer(self, call: Call) -> Response:
        return replace(await super().verify_customer(call), status=200)


class IgnoresVerification(Fault, OffBlocks):
    """Leaves a verified customer ``verifying``."""

    breaks = ("offblocks.flow.verified-becomes-active",)

    def status_after_verification(self) -> str:
        return Status.VERIFYING


class ActivatesUnsigned(Fault, OffBlocks):
    """Lets a customer who has not signed be verified."""

    breaks = ("offblocks.flow.unsigned-never-active", "offblocks.flow.unsigned-stays-initiating")

    def may_verify(self, customer: Customer) -> bool:
        return super().may_verify(customer) or customer.status == Status.INITIATING


class RevivesRejected(Fault, OffBlocks):
    """Lets a rejected customer be verified."""

    breaks = ("offblocks.flow.rejected-is-final",)

    def may_verify(self, customer: Customer) -> bool:
        return super().may_verify(customer) or customer.status == Status.REJECTED


class OnboardsRejectedAgain(Fault, OffBlocks):
    """Creates a rejected customer anew."""

    breaks = ("offblocks.flow.rejected-not-onboarded-again", "offblocks.customer.no-second-for-a-pair")

    def find_duplicate(self, tenant: Tenant, account: AccountId, external_id: str) -> Customer | None:
        found = super().find_duplicate(tenant, account, external_id)
        return None if found and found.status == Status.REJECTED else found


class ScreensForHalfAMinute(Variation, OffBlocks):
    """Takes half a minute for screening."""

    permits = "Customer Verification does not say how long screening takes in the sandbox."

    def screening_time(self) -> timedelta:
        return timedelta(seconds=30)


class ScreensAtOnce(Variation, OffBlocks):
    """Screens a customer at the signing, so that only webhooks ever show the state."""

    permits = "Customer Verification does not say how long screening takes in the sandbox."

    def change_status(self, customer: Customer, status: str) -> None:
        super().change_status(customer, status)
        self.progress(customer)


class ActivatesAfterScreening(Variation, OffBlocks):
    """Makes a screened customer active at once, without a simulated verification."""

    permits = (
        "Customer Verification has customers activated automatically, and does not say that it takes a simulation."
    )

    def status_after_screening(self) -> str:
        return Status.ACTIVE


class ActivatesSoon(Variation, OffBlocks):
    """Makes a customer active who has been verifying for a second."""

    permits = "Customer States does not say how long verification takes, or that only a simulation ends it."

    def progress(self, customer: Customer) -> None:
        super().progress(customer)
        if customer.status == Status.VERIFYING and self.now() - customer.updated_at >= timedelta(seconds=1):
            self.change_status(customer, self.status_after_verification())


class AnswersWrongStatesWith400(Variation, OffBlocks):
    """Answers a simulation that the customer's state does not allow with 400."""

    permits = "Simulator is silent on the status of such a refusal, and lists no 409."

    def refusal_status(self, reason: Reason) -> int:
        return 400 if reason is Reason.WRONG_STATUS else super().refusal_status(reason)


class TellsOfSimulations(Variation, OffBlocks):
    """Answers a simulation with 202 and the customer."""

    permits = "Simulator shows no body of the answer, and no sentence says that there is none."

    async def verify_customer(self, call: Call) -> Response:
        await super().verify_customer(call)
        return json_response(202, self.customer_body(self.find_customer(call)))


class ShowsStatesLate(Variation, OffBlocks):
    """Shows a customer's new state five seconds after it was reached."""

    permits = "No document says how soon a new state is shown (Customer States)."

    def change_status(self, customer: Customer, status: str) -> None:
        before: dict[str, str] = self.__dict__.setdefault("states_before", {})
        before[customer.id] = customer.status
        super().change_status(customer, status)

    def customer_body(self, customer: Customer) -> dict[str, Any]:
        body, before = super().customer_body(customer), self.__dict__.get("states_before", {})
        is_new = self.now() - customer.updated_at < timedelta(seconds=5)
        return {**body, "status": before[customer.id]} if is_new and customer.id in before else body

    def event_body(self, customer: Customer) -> dict[str, Any]:
        return {**super().event_body(customer), "status": customer.status}


class RejectsWhoHasNotSigned(Fault, OffBlocks):
    """Rejects a customer whose verification is not pending yet."""

    breaks = ("offblocks.flow.unsigned-stays-initiating",)

    def may_reject(self, customer: Customer) -> bool:
        return super().may_reject(customer) or customer.status == Status.INITIATING


class KeepsTheTimeOfTheFirstChange(Fault, OffBlocks):
    """Shows the time of a customer's first change of status after later ones too."""

    breaks = ("offblocks.customer.updated-at-moves",)

    def change_status(self, customer: Customer, status: str) -> None:
        before = customer.updated_at
        super().change_status(customer, status)
        if status != Status.SCREENING:
            customer.updated_at = before


class LooksBeforeItWaits(Fault, OffBlocks):
    """Lets a moment pass between the look at a customer's state and its change, so that two outcomes both come."""

    breaks = ("offblocks.flow.rejected-is-final",)

    async def take_time(self, call: Call) -> None:
        if call.operation in {"verifyCustomer", "rejectCustomer"}:
            await pause(0.25)


class VerifiesActiveCustomersAgain(Fault, OffBlocks):
    """Has an active customer verified again when its verification is simulated once more."""

    breaks = ("offblocks.flow.verified-becomes-active",)

    async def verify_customer(self, call: Call) -> Response:
        customer = self.find_customer(call)
        if customer.status != Status.ACTIVE:
            return await super().verify_customer(call)
        self.change_status(customer, Status.VERIFYING)
        return Response(status=202)


class TakesRejectedCustomersUpAgain(Fault, OffBlocks):
    """Brings a customer who was rejected back to verification after a day."""

    breaks = ("offblocks.flow.rejected-is-final",)

    def progress(self, customer: Customer) -> None:
        super().progress(customer)
        if customer.status == Status.REJECTED and self.now() - customer.updated_at >= timedelta(days=1):
            self.change_status(customer, Status.VERIFYING)


class ListsChangesAsOfTheCreation(Fault, OffBlocks):
    """Lists a customer with the state that it has, as if it had not changed since it was created."""

    breaks = ("offblocks.customer.updated-at-moves",)

    async def list_customers(self, call: Call) -> Response:
        answer = await super().list_customers(call)
        shown = [{**each, "updatedAt": each["createdAt"]} for each in answer.json()]
        return json_response(answer.status, shown)


class LosesTheZerosOfFractions(Fault, OffBlocks):
    """Shows the fraction of a second without the zeros that it begins with."""

    breaks = ("offblocks.customer.updated-at-moves",)

    def format_time(self, instant: datetime) -> str:
        return f"{instant:%Y-%m-%dT%H:%M:%S}.{instant.microsecond}Z"


class DatesSimulationsItRefuses(Fault, OffBlocks):
    """Takes a simulation that it refuses for an update of the customer."""

    breaks = ("offblocks.response.refusal-changes-nothing",)

    def require(self, call: Call, customer: Customer, *, allowed: bool) -> None:
        if not allowed:
            customer.updated_at = self.now()
        super().require(call, customer, allowed=allowed)


class ShowsTheYearOfTheWeek(Fault, OffBlocks):
    """Shows times with the year that their week belongs to, which is another one around the New Year."""

    breaks = ("offblocks.customer.updated-at-moves",)

    def format_time(self, instant: datetime) -> str:
        return f"{instant.isocalendar().year:04d}{super().format_time(instant)[4:]}"


class EndsVerificationsUnnoticed(Fault, OffBlocks):
    """Shows a customer as ``verifying`` for good, and takes an outcome for a day."""

    breaks = ("offblocks.flow.simulated-with-202",)

    def require(self, call: Call, customer: Customer, *, allowed: bool) -> None:
        super().require(call, customer, allowed=allowed and self.now() - customer.updated_at < timedelta(days=1))
