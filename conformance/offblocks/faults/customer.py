"""What can be wrong, or otherwise than the sandbox has it, with how customers are created, read and listed."""

import html
import re
import unicodedata
from collections.abc import Hashable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from conformance.clock import pause
from conformance.exchange import Response
from conformance.offblocks.sandbox import Call, Customer, OffBlocks, Reason, Refused, Status, Tenant
from conformance.sandbox.faults import Fault, Variation
from conformance.sandbox.messages import json_response
from conformance.standards.account_ids import AccountId, checksum_address

_SECONDS_BETWEEN_LOOK_AND_CREATION = 0.001
_LISTED_CHAINS = {"324", "300", "42161", "421614", "137", "80001"}


class AnswersCreationWith200(Fault, OffBlocks):
    """Answers a creation with 200 instead of 201."""

    breaks = ("offblocks.customer.created-with-201", "offblocks.response.status-documented")

    async def create_customer(self, call: Call) -> Response:
        return replace(await super().create_customer(call), status=200)


class StartsPastTheSignature(Fault, OffBlocks):
    """Shows a new customer as ``verifying``."""

    breaks = ("offblocks.customer.starts-initiating",)

    def creation_body(self, customer: Customer) -> dict[str, Any]:
        return {**super().creation_body(customer), "status": Status.VERIFYING}


class CapitalisesExternalIds(Fault, OffBlocks):
    """Gives a customer's externalId back in capitals."""

    breaks = ("offblocks.customer.echoes-external-id", "offblocks.customer.external-id-is-any-string")

    def customer_body(self, customer: Customer) -> dict[str, Any]:
        return {**super().customer_body(customer), "externalId": customer.external_id.upper()}


class DropsOtherThanAscii(Fault, OffBlocks):
    """Keeps only the ASCII characters of an externalId."""

    breaks = ("offblocks.customer.external-id-is-any-string", "offblocks.customer.echoes-external-id")

    def customer_body(self, customer: Customer) -> dict[str, Any]:
        left = customer.external_id.encode("ascii", "ignore").decode()
        return {**super().customer_body(customer), "externalId": left}


class GivesIdsWithoutHyphens(Fault, OffBlocks):
    """Gives customers ids of 32 hex digits."""

    breaks = (
        "offblocks.customer.id-is-a-uuid",
        "offblocks.response.matches-schema",
        "offblocks.webhook.event-matches-schema",
    )
    category = "F101"

    def new_customer_id(self, tenant: Tenant, account: AccountId, external_id: str) -> str:
        return super().new_customer_id(tenant, account, external_id).replace("-", "")

    def customer_id_is_well_formed(self, customer_id: str) -> bool:
        return bool(re.fullmatch("[0-9a-f]{32}", customer_id)) or super().customer_id_is_well_formed(customer_id)


class WritesTimesAsNumbers(Fault, OffBlocks):
    """Writes times as seconds since 1970."""

    breaks = ("offblocks.customer.times-are-rfc3339", "offblocks.challenge.issued-at-against-created-at")

    def format_time(self, instant: datetime) -> str:
        return str(int(instant.timestamp()))


class CreatesAtEachReading(Fault, OffBlocks):
    """Gives the time of the reading as ``createdAt``."""

    breaks = ("offblocks.customer.created-at-stays",)

    def customer_body(self, customer: Customer) -> dict[str, Any]:
        return {**super().customer_body(customer), "createdAt": self.format_time(self.now())}


class CreatesDuplicates(Fault, OffBlocks):
    """Creates a customer for a pair that has one."""

    breaks = (
        "offblocks.customer.no-second-for-a-pair",
        "offblocks.customer.onboarded-pair-is-409",
        "offblocks.customer.initiating-pair",
        "offblocks.customer.address-case",
        "offblocks.flow.rejected-not-onboarded-again",
    )

    def find_duplicate(self, tenant: Tenant, account: AccountId, external_id: str) -> Customer | None:
        return None


class AnswersOnboardedPairWith200(Fault, OffBlocks):
    """Answers the second creation of an active customer with the customer."""

    breaks = ("offblocks.customer.onboarded-pair-is-409", "offblocks.response.status-documented")

    def answer_to_duplicate(self, customer: Customer) -> Response:
        if customer.status == Status.ACTIVE:
            return json_response(200, self.creation_body(customer))
        return super().answer_to_duplicate(customer)


class AnswersInitiatingPairWith400(Fault, OffBlocks):
    """Calls the second creation of a customer who has not signed invalid."""

    breaks = ("offblocks.customer.initiating-pair", "offblocks.customer.address-case")

    def answer_to_duplicate(self, customer: Customer) -> Response:
        if customer.status == Status.INITIATING:
            raise Refused(Reason.BODY, "The customer has not signed yet.")
        return super().answer_to_duplicate(customer)


class MergesCustomersOfOneWallet(Fault, OffBlocks):
    """Answers a wallet's second externalId with the customer of the first."""

    breaks = ("offblocks.customer.wallet-under-another-external-id", "offblocks.customer.echoes-external-id")

    def find_duplicate(self, tenant: Tenant, account: AccountId, external_id: str) -> Customer | None:
        return super().find_duplicate(tenant, account, external_id) or _first(self, tenant, account=account)

    def answer_to_duplicate(self, customer: Customer) -> Response:
        if customer.status == Status.INITIATING:
            return json_response(201, self.creation_body(customer))
        return super().answer_to_duplicate(customer)


class MergesCustomersOfOneExternalId(Fault, OffBlocks):
    """Answers an externalId's second wallet with the customer of the first."""

    breaks = (
        "offblocks.customer.external-id-with-another-wallet",
        "offblocks.customer.echoes-chain-id",
        "offblocks.challenge.address",
    )

    def find_duplicate(self, tenant: Tenant, account: AccountId, external_id: str) -> Customer | None:
        return super().find_duplicate(tenant, account, external_id) or _first(self, tenant, external_id=external_id)

    def answer_to_duplicate(self, customer: Customer) -> Response:
        if customer.status == Status.INITIATING:
            return json_response(201, self.creation_body(customer))
        return super().answer_to_duplicate(customer)


class AnswersInvalidBodiesWith422(Fault, OffBlocks):
    """Answers bodies that are no JSON or lack a string with 422."""

    breaks = (
        "offblocks.customer.missing-field-is-400",
        "offblocks.customer.wrong-type-is-400",
        "offblocks.customer.broken-json-is-400",
        "offblocks.signing.missing-field-is-400",
    )

    def refusal_status(self, reason: Reason) -> int:
        return 422 if reason is Reason.BODY else super().refusal_status(reason)


class AnswersMalformedAccountIdsWith404(Fault, OffBlocks):
    """Answers what is no account id with 404."""

    breaks = ("offblocks.customer.malformed-chain-id-is-400",)

    def refusal_status(self, reason: Reason) -> int:
        return 404 if reason is Reason.ACCOUNT_ID else super().refusal_status(reason)


class MakesUpMissingExternalIds(Fault, OffBlocks):
    """Creates a customer without an externalId under an empty one."""

    breaks = ("offblocks.response.undescribed-refused",)
    category = "F102"

    def read_member(self, document: Mapping[str, Any], name: str) -> str:
        if name == "externalId" and name not in document:
            return ""
        return super().read_member(document, name)


class TakesAnyTypeAsText(Fault, OffBlocks):
    """Takes a number, null, an array or an object for the text of it."""

    breaks = ("offblocks.response.undescribed-refused",)
    category = "F102"

    def read_member(self, document: Mapping[str, Any], name: str) -> str:
        return str(document[name]) if name in document else super().read_member(document, name)


class FindsAccountIdsAnywhere(Fault, OffBlocks):
    """Takes any text that has the parts of an account id somewhere in it."""

    breaks = ("offblocks.customer.malformed-chain-id-refused",)
    category = "F102"

    def read_account(self, text: str, name: str) -> AccountId:
        found = re.search(r"([0-9]+):\W*0x\W*([0-9a-fA-F]{40})", text)
        return super().read_account(f"eip155:{found[1]}:0x{found[2]}" if found else text, name)


class TakesStatusFromTheCaller(Fault, OffBlocks):
    """Creates a customer in the state that the body names."""

    breaks = ("offblocks.customer.status-is-not-for-the-caller", "offblocks.customer.starts-initiating")
    category = "F203"

    async def create_customer(self, call: Call) -> Response:
        response = await super().create_customer(call)
        wanted = self.read_document(call.request).get("status")
        if wanted is None:
            return response
        customer = self.customers[response.members()["id"]]
        customer.status = str(wanted)
        return json_response(response.status, self.creation_body(customer))


class ReadsAnotherExternalId(Fault, OffBlocks):
    """Shows the customer's own id as its externalId when it is read."""

    breaks = ("offblocks.customer.readable",)

    async def get_customer(self, call: Call) -> Response:
        customer = self.find_customer(call)
        return json_response(200, {**self.customer_body(customer), "externalId": customer.id})


class ListsActiveCustomersOnly(Fault, OffBlocks):
    """Leaves customers out of the list until they are active."""

    breaks = ("offblocks.customer.listed",)

    def is_listed_for(self, tenant: Tenant, customer: Customer) -> bool:
        return super().is_listed_for(tenant, customer) and customer.status == Status.ACTIVE


class AnswersUnknownCustomersWith400(Fault, OffBlocks):
    """Answers requests about a customer that does not exist with 400."""

    breaks = (
        "offblocks.customer.unknown-is-404",
        "offblocks.challenge.unknown-customer-is-404",
        "offblocks.signing.unknown-customer-is-404",
        "offblocks.isolation.customer-unseen",
        "offblocks.isolation.challenge-unseen",
        "offblocks.isolation.no-action",
    )

    def refusal_status(self, reason: Reason) -> int:
        return 400 if reason is Reason.UNKNOWN_CUSTOMER else super().refusal_status(reason)


class CallsRejectedCustomersDeclined(Fault, OffBlocks):
    """Brings rejected customers to a state that no document names."""

    breaks = (
        "offblocks.customer.status-is-known",
        "offblocks.flow.rejected-is-final",
    )

    def status_after_rejection(self) -> str:
        return "declined"


class AnswersInitiatingPairWithTheSame(Variation, OffBlocks):
    """Answers the second creation of a customer who has not signed with the customer."""

    permits = "Customer Creation gives 201 for a customer that is not onboarded yet, as one who has not signed is not."

    def answer_to_duplicate(self, customer: Customer) -> Response:
        if customer.status == Status.INITIATING:
            return json_response(201, self.creation_body(customer))
        return super().answer_to_duplicate(customer)


class KeepsWalletsUnique(Variation, OffBlocks):
    """Refuses a wallet that has a customer under any externalId."""

    permits = "Customer Creation describes chainId alone as a unique customer id."

    def find_duplicate(self, tenant: Tenant, account: AccountId, external_id: str) -> Customer | None:
        return super().find_duplicate(tenant, account, external_id) or _first(self, tenant, account=account)


class KeepsExternalIdsUnique(Variation, OffBlocks):
    """Refuses an externalId that has a customer with any wallet."""

    permits = "Customer Creation describes externalId alone as a unique customer id."

    def find_duplicate(self, tenant: Tenant, account: AccountId, external_id: str) -> Customer | None:
        return super().find_duplicate(tenant, account, external_id) or _first(self, tenant, external_id=external_id)


class RefusesUnlistedChains(Variation, OffBlocks):
    """Takes accounts on the listed chains only."""

    permits = "Blockchain Identifiers lists the supported chains, and eip155:280 is not among them."

    def chain_is_supported(self, account: AccountId) -> bool:
        return super().chain_is_supported(account) and account.chain.reference in _LISTED_CHAINS


class CutsFractionsOnReading(Variation, OffBlocks):
    """Shows times with fewer fraction digits when a customer is read than when it is created."""

    permits = "The creation in Customer Creation prints 8 fraction digits, the reading in Customer Verification 6."

    def creation_body(self, customer: Customer) -> dict[str, Any]:
        body = super().creation_body(customer)
        return {**body, **{name: body[name].replace("Z", "123Z") for name in ("createdAt", "updatedAt")}}


class GivesVerificationUrl(Variation, OffBlocks):
    """Gives a verification URL with a new customer."""

    permits = "The introduction of the reference to Customers promises one, though no schema has it."

    def creation_body(self, customer: Customer) -> dict[str, Any]:
        return {
            **super().creation_body(customer),
            "verificationUrl": f"https://verification.example/{customer.id}",
        }


class RefusesUnknownMembers(Variation, OffBlocks):
    """Refuses a creation with members that the reference does not know."""

    permits = "The documents are silent on unknown members."

    async def create_customer(self, call: Call) -> Response:
        if unknown := set(self.read_document(call.request)) - {"chainId", "externalId"}:
            raise Refused(Reason.BODY, f"The body has unknown members: {', '.join(sorted(unknown))}.")
        return await super().create_customer(call)


class LowersChainIds(Variation, OffBlocks):
    """Gives a customer's chainId back in lower case."""

    permits = "The documents are silent on the letter case of addresses."

    def customer_body(self, customer: Customer) -> dict[str, Any]:
        return {**super().customer_body(customer), "chainId": customer.chain_id.lower()}


class RoundsTimesOnReading(Variation, OffBlocks):
    """Shows times rounded up when a customer is read, to fewer fraction digits than when it is created."""

    permits = "The times in Customer Creation and Customer Verification fit rounding as well as cutting."

    def creation_body(self, customer: Customer) -> dict[str, Any]:
        body = super().creation_body(customer)
        earlier = self.format_time(customer.created_at - timedelta(microseconds=1)).replace("Z", "9Z")
        return {**body, "createdAt": earlier, "updatedAt": earlier}


class RequiresChecksums(Variation, OffBlocks):
    """Takes addresses with their EIP-55 checksum only."""

    permits = "The documents are silent on the letter case of addresses."

    def checksum_is_accepted(self, account: AccountId) -> bool:
        return account.address == checksum_address(account.address)


def _first(
    sandbox: OffBlocks, tenant: Tenant, *, account: AccountId | None = None, external_id: str | None = None
) -> Customer | None:
    """The tenant's first customer with that account or that external id, if any."""
    return next(
        (
            customer
            for customer in sandbox.customers.values()
            if customer.tenant is tenant and (customer.account == account or customer.external_id == external_id)
        ),
        None,
    )


class CallsNewPairsDuplicates(Fault, OffBlocks):
    """Answers the creation of a new customer with 409."""

    breaks = (
        "offblocks.customer.created-with-201",
        "offblocks.customer.external-id-is-any-string",
        "offblocks.idempotency.concurrent-done-once",
        "offblocks.signature.any-order-and-label",
    )

    async def create_customer(self, call: Call) -> Response:
        await super().create_customer(call)
        return await super().create_customer(call)


class WritesLocalTimes(Fault, OffBlocks):
    """Writes the times of its own zone without saying which."""

    breaks = ("offblocks.customer.times-are-rfc3339", "offblocks.challenge.issued-at-against-created-at")

    def format_time(self, instant: datetime) -> str:
        return super().format_time(instant + timedelta(hours=2)).removesuffix("Z")


class WritesTimesWithoutAFraction(Variation, OffBlocks):
    """Writes times to the second."""

    permits = "The number of fraction digits is seen in examples only, and differs between them (Customer Creation)."

    def format_time(self, instant: datetime) -> str:
        return f"{instant:%Y-%m-%dT%H:%M:%SZ}"


class WritesTimesToTheNanosecond(Variation, OffBlocks):
    """Writes times with nine digits of a fraction."""

    permits = "The number of fraction digits is seen in examples only, and differs between them (Customer Creation)."

    def format_time(self, instant: datetime) -> str:
        return super().format_time(instant).replace("Z", "000Z")


class WritesTimesWithAnOffset(Variation, OffBlocks):
    """Writes times of another zone, with its offset."""

    permits = "That times are of UTC is seen in examples only (Customer Creation, Customer Verification)."

    def format_time(self, instant: datetime) -> str:
        return super().format_time(instant + timedelta(hours=2)).replace("Z", "+02:00")


class NumbersCustomersByTime(Variation, OffBlocks):
    """Gives ids that are UUIDs of version 7."""

    permits = "Customer Creation has ids of the format uuid, and no document says of which version."

    def new_customer_id(self, tenant: Tenant, account: AccountId, external_id: str) -> str:
        chance = super().new_customer_id(tenant, account, external_id)
        time = f"{int(self.now().timestamp() * 1000):012x}"
        return f"{time[:8]}-{time[8:]}-7{chance[15:]}"


class ListsCustomersAMomentLate(Variation, OffBlocks):
    """Lists customers as they were five seconds ago."""

    permits = "No document says how soon the list follows a change (Customers)."

    def is_listed_for(self, tenant: Tenant, customer: Customer) -> bool:
        return super().is_listed_for(tenant, customer) and self.now() - customer.created_at >= timedelta(seconds=5)


class TellsExternalIdsApartWithoutCase(Fault, OffBlocks):
    """Calls a customer a duplicate whose externalId differs from another one's in letter case alone."""

    breaks = ("offblocks.customer.created-with-201",)

    def pair(self, tenant: Tenant, account: AccountId, external_id: str) -> Hashable:
        return super().pair(tenant, account, external_id.casefold())


class TellsChainsApartByTheirNamespace(Fault, OffBlocks):
    """Calls a customer a duplicate whose wallet has the address of another one on another chain."""

    breaks = ("offblocks.customer.created-with-201",)

    def pair(self, tenant: Tenant, account: AccountId, external_id: str) -> Hashable:
        return tenant.name, account.chain.namespace, account.address.lower(), external_id


class FindsCustomersByTheStartOfTheirIds(Fault, OffBlocks):
    """Finds a customer by the first eight digits of its id."""

    breaks = (
        "offblocks.customer.unknown-is-404",
        "offblocks.challenge.unknown-customer-is-404",
        "offblocks.signing.unknown-customer-is-404",
    )

    def customer_called(self, customer_id: str) -> Customer | None:
        return next((found for own, found in self.customers.items() if own[:8] == customer_id[:8].lower()), None)


class CutsExternalIds(Fault, OffBlocks):
    """Keeps sixty-four characters of an externalId."""

    breaks = ("offblocks.customer.echoes-external-id", "offblocks.customer.external-id-is-any-string")

    def external_id_kept(self, external_id: str) -> str:
        return external_id[:64]


class TrimsExternalIds(Fault, OffBlocks):
    """Keeps an externalId without the blanks around it."""

    breaks = ("offblocks.customer.echoes-external-id",)

    def external_id_kept(self, external_id: str) -> str:
        return external_id.strip()


class ComposesExternalIds(Fault, OffBlocks):
    """Keeps the composed normal form of an externalId."""

    breaks = ("offblocks.customer.echoes-external-id", "offblocks.customer.external-id-is-any-string")

    def external_id_kept(self, external_id: str) -> str:
        return unicodedata.normalize("NFC", external_id)


class EscapesExternalIds(Fault, OffBlocks):
    """Keeps an externalId as it would be written in HTML."""

    breaks = ("offblocks.customer.echoes-external-id",)

    def external_id_kept(self, external_id: str) -> str:
        return html.escape(external_id)


class KeepsTheBasicPlaneOnly(Fault, OffBlocks):
    """Keeps a question mark for each character that takes four bytes in UTF-8."""

    breaks = ("offblocks.customer.echoes-external-id", "offblocks.customer.external-id-is-any-string")

    def external_id_kept(self, external_id: str) -> str:
        return re.sub("[^\0-\uffff]", "?", external_id)


class ForgetsPairsAfterADay(Fault, OffBlocks):
    """Looks for a customer of the same pair among those of the last day alone."""

    breaks = ("offblocks.customer.no-second-for-a-pair", "offblocks.customer.onboarded-pair-is-409")

    def find_duplicate(self, tenant: Tenant, account: AccountId, external_id: str) -> Customer | None:
        found = super().find_duplicate(tenant, account, external_id)
        return found if found is not None and self.now() - found.created_at <= timedelta(days=1) else None


class ListsNoRejectedCustomers(Fault, OffBlocks):
    """Leaves customers out of the list who were rejected."""

    breaks = ("offblocks.customer.listed",)

    def is_listed_for(self, tenant: Tenant, customer: Customer) -> bool:
        return super().is_listed_for(tenant, customer) and customer.status != Status.REJECTED


class TakesALineFeedBehindAddresses(Fault, OffBlocks):
    """Takes an account id with a line feed behind it, as ``$`` does in the regular expressions of many languages."""

    breaks = ("offblocks.customer.malformed-chain-id-refused",)

    def read_account(self, text: str, name: str) -> AccountId:
        return super().read_account(text.removesuffix("\n"), name)


class TakesDigitsOfAnyScript(Fault, OffBlocks):
    """Takes the digits of any script in an account id, as classes of digits do in some regular expressions."""

    breaks = ("offblocks.customer.malformed-chain-id-refused",)

    def read_account(self, text: str, name: str) -> AccountId:
        return super().read_account("".join(str(unicodedata.decimal(each, each)) for each in text), name)


class LooksForAPairAndWaits(Fault, OffBlocks):
    """Lets a moment pass between looking for a customer of the same pair and creating one."""

    breaks = ("offblocks.customer.no-second-for-a-pair",)

    async def take_time(self, call: Call) -> None:
        if call.operation == "createCustomer":
            await pause(_SECONDS_BETWEEN_LOOK_AND_CREATION)


class ListsOneOfEachExternalId(Fault, OffBlocks):
    """Lists the newest customer of each externalId."""

    breaks = ("offblocks.customer.listed",)

    async def list_customers(self, call: Call) -> Response:
        answer = await super().list_customers(call)
        return json_response(answer.status, list({each["externalId"]: each for each in answer.json()}.values()))
