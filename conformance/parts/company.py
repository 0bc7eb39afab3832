"""Others who use an API while a scenario runs, as the companies of all APIs have it."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import ClassVar, Generic, Protocol, TypeVar

from conformance.circumstances.application import USUAL
from conformance.circumstances.company import Lookout, View
from conformance.exchange import Exchange, Response
from conformance.findings import Finding
from conformance.targets import Subject

_MANY = 11
_IN_A_CROWD = 7


class _Onboarding(Protocol):
    @property
    def id(self) -> str: ...


class _Tenant(Protocol):
    def customers(self) -> Exchange: ...


TenantT = TypeVar("TenantT", bound=_Tenant)
OnboardingT = TypeVar("OnboardingT", bound=_Onboarding)
Done = TypeVar("Done")


class ApiCompany(ABC, Generic[TenantT, OnboardingT]):
    """The others of one test. A subclass says what customers of its API do, and what can be read of them.

    Args:
        subject: What the test has of the implementation.

    Attributes:
        in_time: How long a customer takes at most for what `live` has.
    """

    in_time: ClassVar[timedelta]

    def __init__(self, subject: Subject) -> None:
        self._subject = replace(subject, ids=subject.ids.child("company"), circumstances=USUAL)
        self._tenants: dict[str, TenantT] = {}
        self._steps: dict[str, Iterator[None]] = {}
        self._own: set[str] = set()
        self._lookout = Lookout(
            self.view, lambda one, other: self.judge_change(subject.journal.exchanges[-1], one, other)
        )

    # -------------------------------------------------------------------------------------------- special to an API

    @abstractmethod
    def new_tenant(self, identity: str) -> TenantT:
        """One of the API clients that the others act as.

        Raises:
            NeedError: If the run has no credentials for the identity.
        """

    @abstractmethod
    def new_customer(self, tenant: TenantT) -> OnboardingT:
        """Create a customer."""

    @abstractmethod
    def live(self, tenant: TenantT) -> Iterator[None]:
        """What a customer does, one step at a time, from the creation on."""

    @abstractmethod
    def created(self, response: Response) -> str | None:
        """The id of the customer that an answer to a creation names, None if it names none."""

    @abstractmethod
    def view(self) -> View:
        """What can be read now."""

    @abstractmethod
    def judge_change(self, exchange: Exchange, before: View, after: View) -> Sequence[Finding]:
        """What the rules say of what changed between two looks, as `judge_change` of `circumstances` has it."""

    # ------------------------------------------------------------------------------------------------- the same of all

    def look(self) -> View:
        """What can be read now; more than at the last look is read twice.

        Raises:
            StepFailedError: If no answer comes.
        """
        return self._lookout.look()

    def watch(self, visit: Callable[[], Done]) -> Done:
        """Have a person do something at a hosted page, where the API has one."""
        return visit()

    def has_key(self, exchange: Exchange) -> bool:
        """Whether a request has an idempotency key."""
        return exchange.request.header("Idempotency-Key") is not None

    def populate(self) -> None:
        """Create more customers than one digit counts."""
        for _ in range(_MANY):
            self.onboard("first")

    def step(self, identity: str) -> None:
        """Have another customer do the next step of what customers do.

        Raises:
            NeedError: If the run has no credentials for the identity, or nobody stands in for a person.
            StepFailedError: If the step fails.
        """
        if identity not in self._steps:
            self._steps[identity] = self._lives(identity)
        next(self._steps[identity], None)

    def crowd(self) -> Sequence[Callable[[], object]]:
        """Seven requests: creations and lists."""
        creations = [partial(self.onboard, "first") for _ in range(_IN_A_CROWD // 2)]
        return [*creations, *[self.tenant("first").customers] * (_IN_A_CROWD - len(creations))]

    def onboard(self, identity: str) -> OnboardingT:
        """Create a customer of the others' own."""
        customer = self.new_customer(self.tenant(identity))
        self._own.add(customer.id)
        return customer

    def tenant(self, identity: str) -> TenantT:
        """The API client that the others act as under this name."""
        if identity not in self._tenants:
            self._tenants[identity] = self.new_tenant(identity)
        return self._tenants[identity]

    def customers(self) -> list[str]:
        """The ids of the customers that the scenario has made as the first identity, in their order."""
        return [customer for customer in self.made_by("first") if customer not in self._own]

    def made(self) -> list[tuple[str, str]]:
        """Who made each customer, and the customer's id, in their order."""
        made = [
            (exchange.identity, self.created(exchange.response))
            for exchange in tuple(self._subject.journal.exchanges)
            if exchange.operation == "createCustomer" and exchange.response.succeeded
        ]
        return list(dict.fromkeys((identity, customer) for identity, customer in made if customer is not None))

    def made_by(self, identity: str) -> list[str]:
        """The ids of the customers that were made as this identity, in their order."""
        return [customer for whose, customer in self.made() if whose == identity]

    def looked_at(self, identity: str, latest: int) -> list[str]:
        """The first of the scenario's customers under this name, and one of the others."""
        known = self.made_by(identity)
        others = [customer for customer in known if customer in self._own]
        return [*[each for each in known if each not in self._own][:latest], *others[:1]]

    def _lives(self, identity: str) -> Iterator[None]:
        """What customers of an API client do, one after the other; one who takes too long is left alone."""
        tenant = self.tenant(identity)
        while True:
            began = self._subject.clock.now()
            for _ in self.live(tenant):
                yield
                if self._subject.clock.now() - began > self.in_time:
                    break
