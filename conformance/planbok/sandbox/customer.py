"""Customers: how they come to be, how they are shown, and how PIN and recovery are set."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from conformance.exchange import Response
from conformance.planbok.gateway import QUESTIONS
from conformance.planbok.sandbox.base import Decisions
from conformance.planbok.sandbox.state import (
    Call,
    Challenge,
    Customer,
    Reason,
    Refused,
    Secret,
    Task,
    Tenant,
    WrongEntry,
    joined_answers,
)
from conformance.sandbox.messages import read_object, read_text

_LONGEST_NAME = 4096


class CustomerDecisions(Decisions):
    """Which customers there are, and what they know."""

    def create_customer(self, call: Call) -> Response:
        """Create a customer from ``name`` and ``refId`` (Onboarding and PIN Setup)."""
        document = read_object(call.request.body)
        name = _named(document, "name")
        ref_id = _named(document, "refId") if "refId" in document or self.ref_id_is_required() else ""
        now = self.now()
        customer = Customer(
            id=self.new_object_id(),
            tenant=call.tenant,
            name=self.text_kept(name),
            ref_id=self.text_kept(ref_id),
            root=self.roots.draw(32),
            account=len(self.customers_of(call.tenant)),
            created_at=now,
            updated_at=now,
        )
        self.customers[customer.id] = customer
        self.announce(customer, "customer.created")
        return self.success(self.creation_status(), "Customer created", self.customer_json(customer))

    def text_kept(self, text: str) -> str:
        """A ``name`` or ``refId`` as it is kept and shown: every character of it (Onboarding and PIN Setup)."""
        return text

    def ref_id_is_required(self) -> bool:
        """Whether a customer needs a ``refId``: yes (beta), where the demo client may leave it out."""
        return True

    def creation_status(self) -> int:
        """The status of a new customer. Silent: 201, which the reference's wording hints at."""
        return HTTPStatus.CREATED

    def new_object_id(self) -> str:
        """A new id: 24 hex digits, as seen in an export of the beta."""
        return self.object_ids.draw(12).hex()

    def customers_of(self, tenant: Tenant) -> list[Customer]:
        """The customers of an organization in the order of their creation."""
        return [customer for customer in self.customers.values() if customer.tenant is tenant]

    def customer_for(self, call: Call) -> Customer:
        """The customer in the path, of this organization alone. Silent on others' customers: 404."""
        customer = self.customer_called(call.parameters["id"])
        if customer is None or not self.may_see(call.tenant, customer):
            raise Refused(Reason.UNKNOWN_CUSTOMER, f"There is no customer {call.parameters['id']!r}.")
        return customer

    def customer_called(self, identifier: str) -> Customer | None:
        """The customer with an id, if any. Silent on letter case: it counts."""
        return self.customers.get(identifier)

    def may_see(self, tenant: Tenant, customer: Customer) -> bool:
        """Whether an organization is shown a customer: its own alone."""
        return customer.tenant is tenant

    def list_customers(self, call: Call) -> Response:
        """The customers of the organization (API Reference, Customers)."""
        found = [self.customer_json(customer) for customer in self.customers_listed(call.tenant)]
        return self.page_of(call, found, "Customers")

    def customers_listed(self, tenant: Tenant) -> list[Customer]:
        """The customers in an organization's list: all that it may see. Silent on a list that is behind: none is."""
        return [customer for customer in self.customers.values() if self.may_see(tenant, customer)]

    def get_customer(self, call: Call) -> Response:
        """One customer (Onboarding and PIN Setup)."""
        return self.success(HTTPStatus.OK, "Customer", self.customer_json(self.customer_for(call)))

    def customer_json(self, customer: Customer) -> dict[str, Any]:
        """A customer as the API shows it (demo client; ``hasRecovery`` in Provisioning Customer Wallets)."""
        return {
            "id": customer.id,
            "name": customer.name,
            "refId": customer.ref_id,
            "custodyType": "customer",
            "status": "active",
            "hasPin": self.has_pin(customer),
            "hasRecovery": self.has_recovery(customer),
            "createdAt": self.time(customer.created_at),
            "updatedAt": self.time(customer.updated_at),
        }

    def has_pin(self, customer: Customer) -> bool:
        """What ``hasPin`` says: whether a PIN is set."""
        return bool(customer.pin.hash)

    def has_recovery(self, customer: Customer) -> bool:
        """What ``hasRecovery`` says: whether the questions were answered."""
        return bool(customer.answers.hash)

    def initialize_customer(self, call: Call) -> Response:
        """Issue the challenge that sets PIN and recovery; silent on customers who have a PIN: refused."""
        customer = self.customer_for(call)
        if customer.pin.hash:
            raise Refused(Reason.BODY, "This customer has a PIN already. Ask for update-pin, reset-pin or recovery.")
        return self.issue(call, customer, Task.INITIALIZE, self.required_return_url(call))

    def set_up_recovery(self, call: Call) -> Response:
        """Issue the challenge that sets recovery, first or again (Security and Recovery); silent: a PIN is needed."""
        customer = self.customer_for(call)
        self.require_pin(customer)
        return self.issue(call, customer, Task.RECOVERY, self.required_return_url(call))

    def update_pin(self, call: Call) -> Response:
        """Issue the challenge that replaces the PIN by way of the present one (Security and Recovery)."""
        customer = self.customer_for(call)
        self.require_pin(customer)
        return self.issue(call, customer, Task.UPDATE_PIN, self.required_return_url(call))

    def reset_pin(self, call: Call) -> Response:
        """Issue the challenge that replaces the PIN by way of recovery (Security and Recovery)."""
        customer = self.customer_for(call)
        self.require_pin(customer)
        if not customer.answers.hash:
            raise Refused(Reason.INCOMPLETE_SET_UP, "This customer has no recovery, so the PIN cannot be reset.")
        return self.issue(call, customer, Task.RESET_PIN, self.required_return_url(call))

    def require_pin(self, customer: Customer) -> None:
        """Refuse what needs a PIN. Silent."""
        if not customer.pin.hash:
            raise Refused(Reason.INCOMPLETE_SET_UP, "This customer has no PIN yet. Ask for initialize first.")

    def set_pin(self, customer: Customer, pin: str) -> None:
        """Keep a new PIN in the place of an old one, as a hash (Customer Custody Wallets, Overview)."""
        customer.pin = Secret(self.hash(pin))
        customer.updated_at = self.now()

    def recovery_can_be_skipped(self, challenge: Challenge) -> bool:
        """Whether the first visit may end without recovery: no (Onboarding, against Security and Recovery)."""
        return False

    def set_recovery(self, customer: Customer, fields: Mapping[str, str]) -> None:
        """Keep two questions, and the answers as a hash. Silent on how many: two of a list."""
        questions = (fields.get("question_1", ""), fields.get("question_2", ""))
        if not set(questions) <= set(QUESTIONS) or questions[0] == questions[1]:
            raise WrongEntry("Choose two different questions.")
        if not all(fields.get(name, "").strip() for name in ("answer_1", "answer_2")):
            raise WrongEntry("Answer both questions.")
        customer.questions = questions
        customer.answers = Secret(self.hash(joined_answers(fields)))
        customer.updated_at = self.now()

    def hash(self, text: str) -> str:
        """An Argon2id hash in the PHC string format (RFC 9106); its memory is a setting, so that tests are quick."""
        hasher = Argon2id(salt=self.salts.draw(16), length=32, iterations=1, lanes=1, memory_cost=self.pin_memory)
        return hasher.derive_phc_encoded(text.encode())


def _named(document: Mapping[str, Any], name: str) -> str:
    text = read_text(document, name)
    if not 0 < len(text.strip()) <= _LONGEST_NAME:
        raise Refused(Reason.BODY, f"{name!r} must have 1 to {_LONGEST_NAME} characters.")
    return text
