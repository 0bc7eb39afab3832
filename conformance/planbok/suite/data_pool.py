"""What really exists for generated requests to Planbok: customers with a PIN, challenges and wallets."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from conformance.exchange import Exchange, Mode
from conformance.generation.draft import ABSENT, Draft
from conformance.generation.feeding import Cases, PoolValues
from conformance.planbok.generated_checks import CREDENTIAL
from conformance.planbok.messages import Challenge, customer_id
from conformance.planbok.suite.tenant import RETURN_URL, Onboarding, Tenant
from conformance.scenario import step_failed
from conformance.targets import Subject
from conformance.values import near

_CUSTOMER = "path id"
_URL = "body /redirectUrl"
_KEY = "body /idempotencyKey"
_PAGES = ("query page", "query limit", "query order")
_FILTERS = ("walletSetId", "walletSet", "blockchain", "address", "refId")

Made = TypeVar("Made")


@dataclass(frozen=True)
class _Provisioned:
    """A customer with wallets.

    Args:
        customer: The customer.
        issued: The id of the challenge that they came of.
        challenge: That challenge as it ended.
    """

    customer: Onboarding
    issued: str
    challenge: Challenge


class DataPool:
    """What exists for each operation, and how its requests are sent.

    Args:
        subject: What the test has of the implementation.
    """

    computed: ClassVar = ()
    credential: ClassVar = CREDENTIAL

    def __init__(self, subject: Subject) -> None:
        self._tenants = {identity: Tenant(subject, identity) for identity in subject.credentials}
        self._ids = subject.ids.child("generated")
        self._shared: dict[object, tuple[Any, int]] = {}
        self.identities = tuple(self._tenants)
        self.safe_only = not subject.disposable
        self.cases = Cases(subject.journal)

    # ------------------------------------------------------------------------------------------------- what there is

    def values_for(self, operation: str, identity: str) -> PoolValues:  # noqa: PLR0911  (one an operation)
        """What exists for the next request of an identity, made if need be.

        Raises:
            NeedError: If nobody stands in for the person.
            StepFailedError: If what the request needs cannot be made.
        """
        tenant = self._tenants[identity]
        pages = {"query page": "1", "query limit": str(1 + self._ids.below(100)), "query order": ABSENT}
        match operation:
            case "createCustomer":
                names = {"body /name": f"Customer {self._ids.alphanumeric(6)}", "body /refId": str(self._ids.uuid())}
                values = {**names, _KEY: tenant.new_key()}
                return PoolValues(values, if_present=(_KEY,), may_stay=(*names, _KEY), if_no_name=tuple(names))
            case "listCustomers":
                return PoolValues(pages, if_present=_PAGES, may_stay=_PAGES)
            case "getCustomer":
                customer, parent = self._made(("customer", identity, self._ids.below(2)), tenant.onboard)
                misses = [miss.value for miss in near.misses(customer.id, near.HEX) if miss.same_form]
                like = {_CUSTOMER: misses}
                return PoolValues({_CUSTOMER: customer.id}, may_stay=(_CUSTOMER,), parent=parent, like=like)
            case "initializeCustomer":
                customer, parent = self._made(("new", identity), tenant.onboard)
                extra = ("body /blockchains", "body /accountType")
                values = {_CUSTOMER: customer.id, _URL: RETURN_URL, **dict.fromkeys(extra, ABSENT)}
                return PoolValues(values, extra, may_stay=(_URL, _CUSTOMER, *extra), parent=parent)
            case "setUpRecovery" | "updatePin" | "resetPin":
                customer, parent = self._made(("ready", identity), tenant.ready)
                return PoolValues({_CUSTOMER: customer.id, _URL: RETURN_URL}, may_stay=(_URL, _CUSTOMER), parent=parent)
            case "createWallets":
                return self._wallets(identity)
            case _:
                return self._of_provisioned(operation, identity, pages)

    def _wallets(self, identity: str) -> PoolValues:
        tenant = self._tenants[identity]
        customer, parent = self._made(("ready", identity), tenant.ready)
        values = {
            "body /blockchains": list(tenant.two_chains),
            "body /accountType": "eoa",
            _URL: RETURN_URL,
            "body /metadata": ABSENT,
            _KEY: tenant.new_key(),
            _CUSTOMER: customer.id,
        }
        return PoolValues(values, may_stay=tuple(values), parent=parent)

    def _of_provisioned(self, operation: str, identity: str, pages: dict[str, Any]) -> PoolValues:
        """What is read of a customer with wallets."""
        tenant = self._tenants[identity]

        def provision() -> _Provisioned:
            customer = tenant.ready()
            issued = tenant.requested(customer)
            customer.person.authorize(issued.url)
            challenge = tenant.ended(customer.id, issued.id)
            if not challenge.succeeded:
                step_failed(
                    f"The right PIN was to complete a challenge, which reads {challenge.status!r}",
                    relies_on=["planbok.challenge.completable-in-time", "planbok.page.completed-once"],
                )
            return _Provisioned(customer, issued.id, challenge)

        made, parent = self._made(("provisioned", identity), provision)
        customer = {_CUSTOMER: made.customer.id}
        match operation:
            case "listChallenges":
                return PoolValues({**customer, **pages}, _PAGES, may_stay=(*_PAGES, _CUSTOMER), parent=parent)
            case "getChallenge":
                path = {**customer, "path challengeId": made.issued}
                return PoolValues(path, may_stay=tuple(path), parent=parent)
            case "listWallets":
                filtered = {"query customerIds": made.customer.id, **pages}
                others = {f"query {name}": ABSENT for name in _FILTERS}
                if_present = (*_PAGES, *others)
                return PoolValues({**filtered, **others}, if_present, (*filtered, *others), parent)
            case _:
                wallet = next((each.id for each in made.challenge.wallets if each.id), None)
                if wallet is None:
                    step_failed(
                        "The result of a challenge was to show the id of a wallet",
                        relies_on=["planbok.result.readable-after-completion"],
                    )
                return PoolValues({_CUSTOMER: wallet}, may_stay=(_CUSTOMER,), parent=parent)

    def _made(self, name: object, make: Callable[[], Made]) -> tuple[Made, int]:
        """What was made under a name, made now if need be, and the number of the case in which that was."""
        if name not in self._shared:
            with self.cases.preparation() as number:
                self._shared[name] = make(), number
        return self._shared[name]

    # ------------------------------------------------------------------------------------------------ how it is sent

    def send(
        self,
        operation: str,  # noqa: ARG002  (every operation is sent alike)
        identity: str,
        draft: Draft,
        *,
        authorized: bool | None = True,
    ) -> Exchange:
        """Send a request with the identity's key, with none (None), or with one that was never issued (False)."""
        tenant = self._tenants[identity]
        key = tenant.credentials.api_key if authorized else None if authorized is None else tenant.ids.draw(24).hex()
        return tenant.send(draft.method, draft.path, content=draft.content, headers=draft.headers, key=key)

    def follow_up(self, exchange: Exchange, case: int) -> None:
        """Read a customer that was created."""
        created = customer_id(exchange.response) if exchange.operation == "createCustomer" else None
        if created is not None:
            with self.cases.case(Mode.POSITIVE, parent=case):
                self._tenants[exchange.identity].read(created)
