"""What all topics of the sandbox share: the state of Planbok in one world, and what one topic asks of another."""

from abc import abstractmethod
from collections.abc import Callable, Hashable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar

from conformance.clock import WorldClock
from conformance.exchange import Response
from conformance.ids import Ids
from conformance.planbok.chains import Chain
from conformance.planbok.gateway import Step
from conformance.planbok.sandbox.state import Call, Challenge, Customer, Entry, Secret, Status, Task, Tenant, Wallet
from conformance.planbok.settings import pin_memory, sandbox_chains
from conformance.sandbox.deliveries import Outbox
from conformance.sandbox.service import TENANTS, Service, method_name


class Decisions(Service):
    """The state of Planbok in one world, with the decisions that more than one topic needs.

    Topics do not import each other. A decision that one of them takes and another needs is declared here without a
    body; its docstring names the module where it is taken.

    Args:
        clock: The clock of the world.
        ids: What all ids, links and keys are drawn from.
        outbox: Where events for webhooks are posted.
    """

    mounts: ClassVar = ("gateway",)

    def __init__(self, clock: WorldClock, ids: Ids, outbox: Outbox) -> None:
        super().__init__(clock, ids, outbox)
        self.tenants = {name: _tenant(name, ids.child(f"tenant-{name}")) for name in TENANTS}
        self.customers: dict[str, Customer] = {}
        self.challenges: dict[str, Challenge] = {}
        self.answered: dict[Hashable, tuple[Hashable, Response]] = {}
        self.object_ids = ids.child("objects")
        self.links = ids.child("links")
        self.roots = ids.child("roots")
        self.salts = ids.child("salts")
        self.visits = ids.child("visits")
        self.event_ids = ids.child("events")
        self.page_secret = ids.child("page-secret").draw(32)
        self.pin_memory = pin_memory()
        self.chains_of_the_setting = sandbox_chains()

    def credentials(self, tenant: str) -> dict[str, str]:
        """The keys of one organization, and the secret of its webhooks."""
        holder = self.tenants[tenant]
        return {
            "api_key": holder.api_key,
            "read_only_key": holder.read_only_key,
            "webhook_secret": holder.webhook_secret,
        }

    def now(self) -> datetime:
        """The present instant in this world (UTC)."""
        return self.clock.now()

    def handler(self, operation: str) -> Callable[[Call], Response]:
        """What carries out the operation of that id: the method of the same name."""
        found: Callable[[Call], Response] = getattr(self, method_name(operation))
        return found

    # Decisions that one topic takes and another needs

    @abstractmethod
    def new_object_id(self) -> str:
        """The id of a new customer, challenge or wallet; taken in `customer`."""

    @abstractmethod
    def customer_for(self, call: Call) -> Customer:
        """The customer that the path names; taken in `customer`."""

    @abstractmethod
    def may_see(self, tenant: Tenant, customer: Customer) -> bool:
        """Whether an organization is shown a customer; taken in `customer`."""

    @abstractmethod
    def set_pin(self, customer: Customer, pin: str) -> None:
        """Keep a new PIN; taken in `customer`."""

    @abstractmethod
    def set_recovery(self, customer: Customer, fields: Mapping[str, str]) -> None:
        """Keep the questions and answers of a form; taken in `customer`."""

    @abstractmethod
    def recovery_can_be_skipped(self, challenge: Challenge) -> bool:
        """Whether the first visit may end without recovery; taken in `customer`."""

    @abstractmethod
    def refuses_incomplete_set_up_at_request(self) -> bool:
        """Whether the API itself refuses wallets for a customer without PIN or recovery; taken in `gate`."""

    @abstractmethod
    def check_set_up(self, customer: Customer) -> None:
        """Refuse new wallets while PIN or recovery are missing; taken in `gate`."""

    @abstractmethod
    def missing_set_up(self, customer: Customer) -> list[str]:
        """What a customer lacks of PIN and recovery; taken in `gate`."""

    @abstractmethod
    def blocks(self, challenge: Challenge) -> bool:
        """Whether the page refuses a challenge because the set-up is incomplete; taken in `gate`."""

    @abstractmethod
    def issue(
        self,
        call: Call,
        customer: Customer,
        task: Task,
        return_url: str | None,
        chains: tuple[Chain, ...] = (),
        names: tuple[Mapping[str, str], ...] = (),
    ) -> Response:
        """Issue a challenge; taken in `challenge`."""

    @abstractmethod
    def required_return_url(self, call: Call) -> str:
        """The ``redirectUrl`` of a request that must have one; taken in `challenge`."""

    @abstractmethod
    def challenge_lifetime(self) -> timedelta:
        """How long a challenge can be completed; taken in `challenge`."""

    @abstractmethod
    def has_expired(self, challenge: Challenge) -> bool:
        """Whether a challenge can no longer be completed; taken in `challenge`."""

    @abstractmethod
    def challenge_json(self, challenge: Challenge) -> dict[str, Any]:
        """A challenge as the API shows it; taken in `challenge`."""

    @abstractmethod
    def status_shown(self, challenge: Challenge) -> str:
        """The status of a challenge; taken in `challenge`."""

    @abstractmethod
    def customer_json(self, customer: Customer) -> dict[str, Any]:
        """A customer as the API shows it; taken in `customer`."""

    @abstractmethod
    def step(self, challenge: Challenge, visit: str) -> Step:
        """What the page asks for now; taken in `page`."""

    @abstractmethod
    def take(self, challenge: Challenge, step: Step, entry: Entry) -> None:
        """Take what was entered at a step; taken in `page`."""

    @abstractmethod
    def lock(self, challenge: Challenge, secret: Secret) -> None:
        """Take no more guesses for a while; taken in `page`."""

    @abstractmethod
    def cancel(self, challenge: Challenge) -> None:
        """End a challenge that the customer does not want; taken in `page`."""

    @abstractmethod
    def leave(self, challenge: Challenge) -> Response:
        """Send the customer back to the caller's own page; taken in `page`."""

    @abstractmethod
    def leave_cancelled(self, challenge: Challenge) -> Response:
        """Where the customer goes who cancelled; taken in `page`."""

    @abstractmethod
    def complete(self, challenge: Challenge) -> None:
        """End a challenge well, with what it asked for; taken in `result`."""

    @abstractmethod
    def end(self, challenge: Challenge, status: Status, step: Step) -> None:
        """End a challenge, once and for all; taken in `result`."""

    @abstractmethod
    def result(self, challenge: Challenge) -> Any:
        """What came of a challenge; taken in `result`."""

    @abstractmethod
    def result_is_readable(self, challenge: Challenge) -> bool:
        """Whether a result is shown; taken in `result`."""

    @abstractmethod
    def is_pruned(self, challenge: Challenge) -> bool:
        """Whether a challenge is not answered any more; taken in `result`."""

    @abstractmethod
    def wallet_there(self, customer: Customer, chain: Chain) -> Wallet | None:
        """The wallet that a chain gives once more, None for a new one; taken in `list`."""

    @abstractmethod
    def page_of(self, call: Call, items: Sequence[Any], message: str) -> Response:
        """One page of a list; taken in `list`."""

    @abstractmethod
    def wallet_on(self, customer: Customer, chain: Chain, names: Mapping[str, str]) -> Wallet:
        """The customer's wallet on a chain, derived if there is none; taken in `address`."""

    @abstractmethod
    def wallet_json(self, customer: Customer, wallet: Wallet) -> dict[str, Any]:
        """A wallet as the API shows it; taken in `address`."""

    @abstractmethod
    def success(self, status: int, message: str, data: Any) -> Response:
        """The answer to a request that was carried out; taken in `response`."""

    @abstractmethod
    def envelope(self, status: int, message: str, data: Any) -> dict[str, Any]:
        """The members of a successful answer; taken in `response`."""

    @abstractmethod
    def time(self, instant: datetime) -> str:
        """A time as the API writes it; taken in `response`."""

    @abstractmethod
    def announce(self, customer: Customer, event: str) -> None:
        """Send an event about a customer; taken in `webhook`."""

    @abstractmethod
    def wallet_events(self, challenge: Challenge) -> list[dict[str, Any]]:
        """What the events of a completed challenge say; taken in `webhook`."""

    @abstractmethod
    def send(self, tenant: Tenant, event: str, data: Mapping[str, Any]) -> None:
        """Post an event to the organization's webhook, if it has one; taken in `webhook`."""


def _tenant(name: str, ids: Ids) -> Tenant:
    return Tenant(name, f"pbk_{ids.draw(24).hex()}", f"pbk_{ids.draw(24).hex()}", f"whsec_{ids.draw(24).hex()}")
