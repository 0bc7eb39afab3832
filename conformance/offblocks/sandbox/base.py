"""What all topics of the sandbox share: the state of OffBlocks in one world, and what one topic asks of another."""

import re
from abc import abstractmethod
from collections.abc import Awaitable, Callable, Hashable, Mapping
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from conformance.clock import WorldClock
from conformance.exchange import Request, Response
from conformance.files import data_path
from conformance.ids import Ids
from conformance.offblocks.sandbox.state import Call, Challenge, Customer, Reason, Record, Refused, Tenant
from conformance.sandbox.deliveries import Outbox
from conformance.sandbox.service import TENANTS, Service, method_name
from conformance.specification import Specification
from conformance.standards import message_signatures
from conformance.standards.account_ids import AccountId

_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class Decisions(Service):
    """The state of OffBlocks in one world, with the decisions that more than one topic needs.

    Topics do not import each other. A decision that one of them takes and another needs is declared here without a
    body; its docstring names the module where it is taken.

    Args:
        clock: The clock of the world.
        ids: What all ids, nonces and keys are drawn from.
        outbox: Where events for webhooks are posted.
    """

    def __init__(self, clock: WorldClock, ids: Ids, outbox: Outbox) -> None:
        super().__init__(clock, ids, outbox)
        self.token_secret = ids.child("token-secret").draw(32)
        self.tenants = {name: _tenant(name, ids.child(f"tenant-{name}")) for name in TENANTS}
        self.customers: dict[str, Customer] = {}
        self.customers_by_pair: dict[Hashable, Customer] = {}
        self.records: dict[Hashable, Record] = {}
        self.customer_ids = ids.child("customers")
        self.nonces = ids.child("nonces")
        self.event_ids = ids.child("events")
        self.jitter = ids.child("jitter")
        self.registration_ids = ids.child("registrations")

    @cached_property
    def specification(self) -> Specification:
        """The description of OffBlocks."""
        return Specification.load(data_path("specs/offblocks/openapi.yaml"))

    def credentials(self, tenant: str) -> dict[str, str]:
        """The API key and secret, and the private signing key as PEM text with its id, of one tenant."""
        holder = self.tenants[tenant]
        return {
            "api_key": holder.api_key,
            "api_secret": holder.api_secret,
            "signing_key": message_signatures.private_pem(holder.first_key),
            "signing_key_id": holder.first_key_id,
        }

    def now(self) -> datetime:
        """The present instant in this world (UTC)."""
        return self.clock.now()

    def handler(self, operation: str) -> Callable[[Call], Awaitable[Response]]:
        """What carries out the operation of that id: the method of the same name."""
        found: Callable[[Call], Awaitable[Response]] = getattr(self, method_name(operation))
        return found

    async def take_time(self, call: Call) -> None:
        """What passes between the checks of an operation and its effect: nothing, so that both are one step."""

    # Decisions that one topic takes and another needs

    @abstractmethod
    def signature_is_required(self, operation: str) -> bool:
        """Whether the operation must be signed; taken in `authentication`."""

    @abstractmethod
    def refusal(self, refusal: Refused) -> Response:
        """The answer to a refused request; taken in `response`."""

    @abstractmethod
    def read_document(self, request: Request) -> dict[str, Any]:
        """The members of the JSON object in a body; taken in `customer`."""

    @abstractmethod
    def read_member(self, document: Mapping[str, Any], name: str) -> str:
        """The string that is required under `name`; taken in `customer`."""

    @abstractmethod
    def read_account(self, text: str, name: str) -> AccountId:
        """The account that a CAIP-10 id names; taken in `customer`."""

    @abstractmethod
    def find_customer(self, call: Call) -> Customer:
        """The customer that the path names; taken in `customer`."""

    @abstractmethod
    def customer_body(self, customer: Customer) -> dict[str, Any]:
        """A customer as responses and events show it; taken in `customer`."""

    @abstractmethod
    def format_time(self, instant: datetime) -> str:
        """A time in a body; taken in `customer`."""

    @abstractmethod
    def is_listed_for(self, tenant: Tenant, customer: Customer) -> bool:
        """Whether the tenant's list has the customer; taken in `isolation`."""

    @abstractmethod
    def is_visible_to(self, tenant: Tenant, customer: Customer) -> bool:
        """Whether the tenant gets to the customer by its id; taken in `isolation`."""

    @abstractmethod
    def issue_challenge(self, customer: Customer) -> None:
        """Give the customer a new challenge; taken in `challenge`."""

    @abstractmethod
    def current_challenge(self, customer: Customer) -> Challenge:
        """The challenge to sign now; taken in `challenge`."""

    @abstractmethod
    def challenge_body(self, challenge: Challenge) -> dict[str, Any]:
        """A challenge as responses show it; taken in `challenge`."""

    @abstractmethod
    def challenge_lifetime(self) -> timedelta:
        """How long a challenge can be signed from its issue; taken in `challenge`."""

    @abstractmethod
    def challenge_is_in_time(self, challenge: Challenge) -> bool:
        """Whether a challenge can still be signed; taken in `challenge`."""

    @abstractmethod
    def awaits_signature(self, customer: Customer) -> bool:
        """Whether the customer still has to sign; taken in `challenge`."""

    @abstractmethod
    def gives_new_challenge_after(self, reason: Reason) -> bool:
        """Whether a refused signature uses up the challenge; taken in `challenge`."""

    @abstractmethod
    def change_status(self, customer: Customer, status: str) -> None:
        """Bring the customer to another state and announce it; taken in `flow`."""

    @abstractmethod
    def progress(self, customer: Customer) -> None:
        """Bring a screened customer on to verification; taken in `flow`."""

    @abstractmethod
    def announce(self, customer: Customer) -> None:
        """Send ``customer.updated`` to all who wait for it; taken in `webhook`."""


def is_uuid(text: str) -> bool:
    """Whether `text` is a uuid in its usual form, of any version and letter case."""
    return bool(_UUID.fullmatch(text))


def _tenant(name: str, ids: Ids) -> Tenant:
    key = message_signatures.key_from_seed(ids.draw(48))
    key_id = str(ids.uuid())
    return Tenant(
        name=name,
        id=str(ids.uuid()),
        api_key=str(ids.uuid()),
        api_secret=ids.draw(20).hex(),
        first_key=key,
        first_key_id=key_id,
        signing_keys={key_id: key.public_key()},
    )
