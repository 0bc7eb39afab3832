"""What can be wrong, or otherwise than the sandbox has it, with how customers are created, read, listed and set up."""

import re
from dataclasses import replace
from datetime import timedelta
from functools import cached_property
from typing import Any

from conformance.exchange import Response
from conformance.planbok.gateway import Step
from conformance.planbok.sandbox import (
    Call,
    Challenge,
    Customer,
    Entry,
    Planbok,
    Reason,
    Refused,
    Secret,
    Tenant,
)
from conformance.sandbox.faults import Fault, Variation
from conformance.sandbox.messages import json_response, read_object

_PAGE = re.compile(r"page=[0-9]+")


class RequiresAnEmailAddress(Fault, Planbok):
    """Creates no customer from a name and a refId alone."""

    breaks = ("planbok.customer.created",)

    def create_customer(self, call: Call) -> Response:
        if "email" not in read_object(call.request.body):
            raise Refused(Reason.BODY, "The body lacks 'email'.")
        return super().create_customer(call)


class ForgetsNewCustomers(Fault, Planbok):
    """Answers a creation, and keeps nothing of it."""

    breaks = ("planbok.customer.readable", "planbok.customer.listed")

    def create_customer(self, call: Call) -> Response:
        response = super().create_customer(call)
        self.customers.popitem()
        return response


class MixesUpIds(Fault, Planbok):
    """Shows a customer's own id as its ``refId`` when it is read."""

    breaks = ("planbok.customer.names-kept",)

    def get_customer(self, call: Call) -> Response:
        customer = self.customer_for(call)
        return self.success(200, "Customer", {**self.customer_json(customer), "refId": customer.id})


class ListsCustomersWithAPinOnly(Fault, Planbok):
    """Leaves customers out of the list until they have a PIN."""

    breaks = ("planbok.customer.listed",)

    def customers_listed(self, tenant: Tenant) -> list[Customer]:
        return [customer for customer in super().customers_listed(tenant) if customer.pin.hash]


class ListsTheFirstPageAlways(Fault, Planbok):
    """Answers every page of the list of customers with the first one."""

    breaks = ("planbok.customer.listed",)

    def list_customers(self, call: Call) -> Response:
        request = replace(call.request, url=_PAGE.sub("page=1", call.request.url))
        return super().list_customers(replace(call, request=request))


class LosesOneAtEachTurn(Fault, Planbok):
    """Leaves out the last customer of each page."""

    breaks = ("planbok.customer.listed",)

    def list_customers(self, call: Call) -> Response:
        members = super().list_customers(call).members()
        return json_response(200, {**members, "data": members["data"][:-1]})


class ShowsAPinBeforehand(Fault, Planbok):
    """Shows ``hasPin`` as true from the beginning."""

    breaks = ("planbok.customer.has-pin",)

    def has_pin(self, customer: Customer) -> bool:
        return True


class NeverShowsThePin(Fault, Planbok):
    """Shows ``hasPin`` as false for ever."""

    breaks = ("planbok.customer.has-pin",)

    def has_pin(self, customer: Customer) -> bool:
        return False


class ShowsThePinWhenAskedFor(Fault, Planbok):
    """Shows ``hasPin`` as true as soon as the set-up was asked for."""

    breaks = ("planbok.customer.has-pin",)

    def has_pin(self, customer: Customer) -> bool:
        return bool(customer.challenges)


class ShowsRecoveryWithThePin(Fault, Planbok):
    """Shows ``hasRecovery`` as true as soon as there is a PIN."""

    breaks = ("planbok.customer.has-recovery",)

    def has_recovery(self, customer: Customer) -> bool:
        return bool(customer.pin.hash)


class NeverShowsRecovery(Fault, Planbok):
    """Shows ``hasRecovery`` as false for ever."""

    breaks = ("planbok.customer.has-recovery",)

    def has_recovery(self, customer: Customer) -> bool:
        return False


class SkipsRecoveryForGood(Fault, Planbok):
    """Lets recovery be skipped, and refuses it to those who did."""

    breaks = ("planbok.customer.recovery-in-onboarding",)

    def recovery_can_be_skipped(self, challenge: Challenge) -> bool:
        return True

    def set_up_recovery(self, call: Call) -> Response:
        if not self.customer_for(call).answers.hash:
            raise Refused(Reason.INCOMPLETE_SET_UP, "This customer has no recovery.")
        return super().set_up_recovery(call)


class RequiresAPurpose(Fault, Planbok):
    """Refuses the set-up of a PIN without a member that no document has."""

    breaks = ("planbok.customer.initialize-body",)

    def initialize_customer(self, call: Call) -> Response:
        if "purpose" not in read_object(call.request.body):
            raise Refused(Reason.BODY, "The body lacks 'purpose'.")
        return super().initialize_customer(call)


class BreaksWithoutRefId(Fault, Planbok):
    """Breaks on a creation without a ``refId``."""

    breaks = ("planbok.response.no-server-error",)
    category = "F100"

    def create_customer(self, call: Call) -> Response:
        if "refId" not in read_object(call.request.body):
            return json_response(500, self.error_body(500, "Cannot read properties of undefined."))
        return super().create_customer(call)


class GivesDecimalIds(Fault, Planbok):
    """Gives ids that are long decimal numbers."""

    breaks = ("planbok.customer.id-form",)

    def new_object_id(self) -> str:
        return str(int(super().new_object_id(), 16))


class KeepsTheOldPin(Fault, Planbok):
    """Says that a PIN was replaced, and goes on with the one before."""

    breaks = ("planbok.customer.pin-replaced",)

    def set_pin(self, customer: Customer, pin: str) -> None:
        if not customer.pin.hash:
            super().set_pin(customer, pin)


class KeepsFormerPins(Fault, Planbok):
    """Takes every PIN that a customer ever had."""

    breaks = ("planbok.customer.pin-replaced",)

    def set_pin(self, customer: Customer, pin: str) -> None:
        former = customer.pin.hash
        super().set_pin(customer, pin)
        customer.pin.hash = f"{customer.pin.hash} {former}".strip()

    def is_right(self, secret: Secret, attempt: str) -> bool:
        return any(super(KeepsFormerPins, self).is_right(Secret(each), attempt) for each in secret.hash.split())


class ListsCustomersToStrangers(Fault, Planbok):
    """Lists the customers of all organizations to each."""

    breaks = ("planbok.customer.unseen-by-others",)

    def customers_listed(self, tenant: Tenant) -> list[Customer]:
        return list(self.customers.values())


class ReadsCustomersToStrangers(Fault, Planbok):
    """Shows any organization a customer whose id it has."""

    breaks = ("planbok.customer.unseen-by-others",)

    def get_customer(self, call: Call) -> Response:
        customer = self.customers.get(call.parameters["id"])
        return self.success(200, "Customer", self.customer_json(customer)) if customer else super().get_customer(call)


class GivesUuids(Variation, Planbok):
    """Gives ids that are UUIDs."""

    permits = "The page on organizations calls the id of a wallet set a UUID, where an export has 24 hex digits."

    def new_object_id(self) -> str:
        return str(self.object_ids.uuid())


class TakesCustomersWithoutRefId(Variation, Planbok):
    """Creates customers without a ``refId``."""

    permits = "The demo client has refId as an optional parameter, where the beta requires it."

    def ref_id_is_required(self) -> bool:
        return False


class LetsRecoveryBeSkipped(Variation, Planbok):
    """Has a button on the page that skips recovery."""

    permits = "Security and Recovery speaks of customers who skipped it, where Onboarding makes it mandatory."

    def recovery_can_be_skipped(self, challenge: Challenge) -> bool:
        return True


class EndsTheSetUpAtThePin(Variation, Planbok):
    """Lets the customer go as soon as the PIN is set, and has recovery set up later."""

    permits = "Security and Recovery has recovery set up by a challenge of its own."

    def take(self, challenge: Challenge, step: Step, entry: Entry) -> None:
        super().take(challenge, step, entry)
        if step is Step.SET_PIN:
            self.complete(challenge)


class ListsCustomersLate(Variation, Planbok):
    """Lists customers five seconds after their creation."""

    permits = "No document says how soon a new customer is listed."

    def customers_listed(self, tenant: Tenant) -> list[Customer]:
        settled = self.now() - timedelta(seconds=5)
        return [customer for customer in super().customers_listed(tenant) if customer.created_at <= settled]


class ShowsRecoveryLate(Variation, Planbok):
    """Shows recovery five seconds after it was set up."""

    permits = "No document says how soon a flag follows the page."

    def has_recovery(self, customer: Customer) -> bool:
        return super().has_recovery(customer) and self.now() - customer.updated_at >= timedelta(seconds=5)


class TellsLittleOfNewCustomers(Variation, Planbok):
    """Answers a creation with the id alone."""

    permits = "No document shows what a creation is answered with."

    def create_customer(self, call: Call) -> Response:
        members = super().create_customer(call).members()
        return json_response(self.creation_status(), {**members, "data": {"id": members["data"]["id"]}})


class AnswersNewCustomersWith200(Variation, Planbok):
    """Answers the creation of a customer with 200."""

    permits = "No document shows the status of a customer just created."

    def creation_status(self) -> int:
        return 200


class ShowsNoNames(Variation, Planbok):
    """Shows neither ``name`` nor ``refId`` of a customer."""

    permits = "No document lists the members of a customer."

    def customer_json(self, customer: Customer) -> dict[str, Any]:
        members = super().customer_json(customer)
        return {name: members[name] for name in members if name not in {"name", "refId"}}


class LooksCustomersUpByTheStartOfTheirIds(Fault, Planbok):
    """Finds a customer by the first sixteen digits of its id."""

    breaks = ("planbok.customer.unknown-refused",)

    def customer_called(self, identifier: str) -> Customer | None:
        return next((found for own, found in self.customers.items() if own[:16] == identifier[:16]), None)


class TellsRefIdsApartWithoutCase(Fault, Planbok):
    """Refuses a customer whose refId differs from another one's in letter case alone."""

    breaks = ("planbok.customer.created",)

    def text_kept(self, text: str) -> str:
        known: dict[str, str] = self.__dict__.setdefault("texts", {})
        if known.setdefault(text.casefold(), text) != text:
            raise Refused(Reason.BODY, "This refId exists.")
        return text


class CollapsesBlanksInNames(Fault, Planbok):
    """Keeps one blank in the place of several."""

    breaks = ("planbok.customer.names-kept",)

    def text_kept(self, text: str) -> str:
        return " ".join(text.split())


class ReadsNamesAsLatin1(Fault, Planbok):
    """Keeps names with a question mark for each character that Latin-1 lacks."""

    breaks = ("planbok.customer.names-kept",)

    def text_kept(self, text: str) -> str:
        return text.encode("latin-1", "replace").decode("latin-1")


class NumbersWhatItMakes(Variation, Planbok):
    """Gives customers, challenges and wallets numbers of twelve digits as ids."""

    permits = "No document of the API shows the id of a customer, a challenge or a wallet."

    def new_object_id(self) -> str:
        return str(10**11 + self.object_ids.below(9 * 10**11))


class GivesUlids(Variation, Planbok):
    """Gives customers, challenges and wallets ids in Crockford's base32, as ULIDs are written."""

    permits = "No document of the API shows the id of a customer, a challenge or a wallet."

    def new_object_id(self) -> str:
        digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
        return "01" + "".join(digits[self.object_ids.below(len(digits))] for _ in range(24))


class TakesTheOldPinOnOpenPages(Fault, Planbok):
    """Compares a PIN with the one of the time when the challenge was issued too."""

    breaks = ("planbok.customer.pin-replaced",)

    @cached_property
    def pins_at_issue(self) -> dict[str, str]:
        """The hash of the PIN that a challenge was issued under, by the challenge's id."""
        return {}

    def challenge_json(self, challenge: Challenge) -> dict[str, Any]:
        self.pins_at_issue.setdefault(challenge.id, challenge.customer.pin.hash)
        return super().challenge_json(challenge)

    def guess(self, challenge: Challenge, secret: Secret, attempt: str, name: str) -> None:
        former = self.pins_at_issue.get(challenge.id)
        if name != "PIN" or not former or not self.is_right(Secret(former), attempt):
            super().guess(challenge, secret, attempt, name)


class TakesTheOldAnswersOnOpenPages(Fault, Planbok):
    """Compares answers with those of the time when the challenge was issued too."""

    breaks = ("planbok.customer.pin-guarded",)

    @cached_property
    def answers_at_issue(self) -> dict[str, str]:
        """The hash of the answers that a challenge was issued under, by the challenge's id."""
        return {}

    def challenge_json(self, challenge: Challenge) -> dict[str, Any]:
        self.answers_at_issue.setdefault(challenge.id, challenge.customer.answers.hash)
        return super().challenge_json(challenge)

    def guess(self, challenge: Challenge, secret: Secret, attempt: str, name: str) -> None:
        former = self.answers_at_issue.get(challenge.id)
        if name == "PIN" or not former or not self.is_right(Secret(former), attempt):
            super().guess(challenge, secret, attempt, name)


class ListsThePinAsRecovery(Fault, Planbok):
    """Shows a customer with a PIN alone as one with recovery in the list of customers."""

    breaks = ("planbok.customer.has-recovery",)
    is_listing = False

    def list_customers(self, call: Call) -> Response:
        self.is_listing = True
        try:
            return super().list_customers(call)
        finally:
            self.is_listing = False

    def has_recovery(self, customer: Customer) -> bool:
        return self.has_pin(customer) if self.is_listing else super().has_recovery(customer)


class ListsNoIdleCustomers(Fault, Planbok):
    """Leaves customers out of the list who did not change for 30 days."""

    breaks = ("planbok.customer.listed",)

    def customers_listed(self, tenant: Tenant) -> list[Customer]:
        idle = timedelta(days=30)
        return [each for each in super().customers_listed(tenant) if self.now() - each.updated_at < idle]


class ShowsThePinForHalfADay(Fault, Planbok):
    """Says that a customer has no PIN, half a day after its last change."""

    breaks = ("planbok.customer.has-pin",)

    def has_pin(self, customer: Customer) -> bool:
        return super().has_pin(customer) and self.now() - customer.updated_at < timedelta(hours=12)


class ListsCustomersAsTheyWere(Fault, Planbok):
    """Lists each customer as it was when it was listed first."""

    breaks = ("planbok.customer.has-recovery", "planbok.customer.has-pin")

    @cached_property
    def listed(self) -> dict[str, dict[str, Any]]:
        """Each customer as it was listed first, by its id."""
        return {}

    def list_customers(self, call: Call) -> Response:
        shown = [(each.id, self.customer_json(each)) for each in self.customers_listed(call.tenant)]
        return self.page_of(call, [self.listed.setdefault(*each) for each in shown], "Customers")
