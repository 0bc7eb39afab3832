"""Customers: what bodies and ids in requests are read as, creation, listing and reading."""

from collections.abc import Hashable, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any

from conformance.exchange import Request, Response
from conformance.offblocks.sandbox.base import Decisions, is_uuid
from conformance.offblocks.sandbox.state import Call, Customer, Reason, Refused, Status, Tenant
from conformance.sandbox.messages import BodyRejected, json_response, read_object, read_text, to_rfc3339
from conformance.standards.account_ids import AccountId, AccountIdRejected, checksum_address, checksum_state


class CustomerDecisions(Decisions):
    """What a customer is created from, and how it is shown."""

    def read_document(self, request: Request) -> dict[str, Any]:
        """The members of the JSON object in a body; 400 without one (Customer Creation)."""
        if not self.content_type_is_accepted(request.header("content-type")):
            raise Refused(Reason.BODY, "The Content-Type must be application/json.")
        try:
            return read_object(request.body)
        except BodyRejected as rejection:
            raise Refused(Reason.BODY, str(rejection)) from rejection

    def content_type_is_accepted(self, content_type: str | None) -> bool:
        """Whether a body of that type is read. Silent on other types: only JSON, also when no type is given."""
        return content_type is None or content_type.partition(";")[0].strip().lower() == "application/json"

    def read_member(self, document: Mapping[str, Any], name: str) -> str:
        """The string that is required under `name`; 400 without one (Customer Creation)."""
        try:
            return read_text(document, name)
        except BodyRejected as rejection:
            raise Refused(Reason.BODY, str(rejection)) from rejection

    def read_account(self, text: str, name: str) -> AccountId:
        """The account that a CAIP-10 id names; 400 for another text (Customer Creation, Blockchain Identifiers)."""
        try:
            account = AccountId.parse(text)
        except AccountIdRejected as rejection:
            raise Refused(Reason.ACCOUNT_ID, f"{name!r} is not a CAIP-10 account id. {rejection}") from rejection
        if not self.chain_is_supported(account):
            raise Refused(
                Reason.ACCOUNT_ID, f"{name!r} must be an account in the namespace eip155, not {account.chain}."
            )
        if not self.checksum_is_accepted(account):
            raise Refused(
                Reason.ACCOUNT_ID,
                f"The address in {name!r} fails its EIP-55 checksum: a digit or a letter's case is wrong. "
                f"With these digits it would be {checksum_address(account.address)}.",
            )
        return account

    def chain_is_supported(self, account: AccountId) -> bool:
        """Whether accounts of that chain can sign in: EVM networks only (Sign in With X)."""
        return account.chain.namespace == "eip155"

    def checksum_is_accepted(self, account: AccountId) -> bool:
        """Whether the letter case of an address will do. Silent: a checksum, if any, must be right (EIP-55)."""
        return checksum_state(account.address) != "wrong"

    async def create_customer(self, call: Call) -> Response:
        """Create a customer with its first challenge: 201 (Customer Creation)."""
        document = self.read_document(call.request)
        chain_id, external_id = self.read_member(document, "chainId"), self.read_member(document, "externalId")
        account = self.read_account(chain_id, "chainId")
        duplicate = self.find_duplicate(call.tenant, account, external_id)
        if duplicate is not None:
            return self.answer_to_duplicate(duplicate)
        await self.take_time(call)
        now = self.now()
        customer = Customer(
            id=self.new_customer_id(call.tenant, account, external_id),
            tenant=call.tenant,
            account=account,
            chain_id=chain_id,
            external_id=self.external_id_kept(external_id),
            status=self.initial_status(),
            created_at=now,
            updated_at=now,
        )
        self.issue_challenge(customer)
        self.customers[customer.id] = customer
        self.customers_by_pair[self.pair(call.tenant, account, external_id)] = customer
        self.announce(customer)
        return json_response(HTTPStatus.CREATED, self.creation_body(customer))

    def external_id_kept(self, external_id: str) -> str:
        """An externalId as it is kept and shown: every character of it (Customer Creation)."""
        return external_id

    def pair(self, tenant: Tenant, account: AccountId, external_id: str) -> Hashable:
        """What only one customer has: the pair of account and external id (Customer Creation).

        Silent on letter case and on other tenants: case does not tell accounts apart, tenants do.
        """
        return tenant.name, str(account).lower(), external_id

    def find_duplicate(self, tenant: Tenant, account: AccountId, external_id: str) -> Customer | None:
        """The customer that has the pair already, whatever its state (Customer Creation)."""
        return self.customers_by_pair.get(self.pair(tenant, account, external_id))

    def answer_to_duplicate(self, customer: Customer) -> Response:
        """The answer to a second creation: 409 (Customer Creation).

        Whether that holds while the first is still ``initiating`` is contradicted; here it does.
        """
        raise Refused(
            Reason.DUPLICATE_CUSTOMER,
            f"There is a customer with this chainId and externalId already: {customer.id}, {customer.status}.",
        )

    def new_customer_id(self, tenant: Tenant, account: AccountId, external_id: str) -> str:
        """The id of a new customer: a uuid (Customer Creation), of silent version and origin: 4, random."""
        return str(self.customer_ids.uuid())

    def initial_status(self) -> str:
        """The state of a new customer (Customer Creation, Customer States)."""
        return Status.INITIATING

    def customer_body(self, customer: Customer) -> dict[str, Any]:
        """A customer as responses and events show it (Customers)."""
        return {
            "id": customer.id,
            "externalId": customer.external_id,
            "chainId": customer.chain_id,
            "status": customer.status,
            "createdAt": self.format_time(customer.created_at),
            "updatedAt": self.format_time(customer.updated_at),
        }

    def creation_body(self, customer: Customer) -> dict[str, Any]:
        """A customer as the response to its creation shows it: with the challenge (Customer Creation)."""
        return {**self.customer_body(customer), **self.challenge_body(self.current_challenge(customer))}

    def format_time(self, instant: datetime) -> str:
        """A time in a body: the form is example only, as in RFC 3339 in UTC with some fraction digits, here 6."""
        return to_rfc3339(instant)

    async def list_customers(self, call: Call) -> Response:
        """The tenant's customers (Customers). Silent on the form of the list: a bare array, oldest first."""
        customers = [customer for customer in self.customers.values() if self.is_listed_for(call.tenant, customer)]
        for customer in customers:
            self.progress(customer)
        return json_response(HTTPStatus.OK, [self.customer_body(customer) for customer in customers])

    async def get_customer(self, call: Call) -> Response:
        """One customer (Customer Verification)."""
        return json_response(HTTPStatus.OK, self.customer_body(self.find_customer(call)))

    def find_customer(self, call: Call) -> Customer:
        """The customer that the path names; 404 if there is none for this tenant (Customer Creation)."""
        customer_id = call.parameters["customerId"]
        if not self.customer_id_is_well_formed(customer_id):
            raise Refused(Reason.CUSTOMER_ID, "The customer id in the path must be a uuid: 8-4-4-4-12 hex digits.")
        customer = self.customer_called(customer_id)
        if customer is None or not self.is_visible_to(call.tenant, customer):
            raise Refused(Reason.UNKNOWN_CUSTOMER, f"There is no customer {customer_id}.")
        self.progress(customer)
        return customer

    def customer_called(self, customer_id: str) -> Customer | None:
        """The customer with an id, if any. Letter case does not tell uuids apart (RFC 9562)."""
        return self.customers.get(customer_id.lower())

    def customer_id_is_well_formed(self, customer_id: str) -> bool:
        """Whether an id in a path can be a customer's: if it is a uuid (Customer Creation); others are 400."""
        return is_uuid(customer_id)
