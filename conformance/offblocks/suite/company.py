"""Others who use OffBlocks while a scenario runs, and all that can be read of what the scenario made."""

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from conformance.circumstances.company import View, change_findings, changes
from conformance.exchange import Exchange, Response
from conformance.findings import Finding, Says
from conformance.offblocks.checks import listed
from conformance.offblocks.suite.tenant import Onboarding, Tenant, signed
from conformance.parts.company import ApiCompany

_SAYS = Says("offblocks.")
_COMPARED = {"id", "chainId", "externalId", "status"}
"""The members that are compared: times may move, and of members that no document names nothing is said."""
_MOVES_BY_ITSELF = ("screening", "verifying")
"""The states that end without a request."""
_LATEST = 3
"""How many of the scenario's customers are read; more would make long scenarios longer by their square."""


class Company(ApiCompany[Tenant, Onboarding]):
    """The others of one test, of OffBlocks."""

    in_time = timedelta(minutes=30)

    def new_tenant(self, identity: str) -> Tenant:
        """One of the API clients that the others act as."""
        return Tenant(self._subject, identity)

    def new_customer(self, tenant: Tenant) -> Onboarding:
        """Create a customer for a wallet."""
        return tenant.onboard(tenant.new_wallet())

    def created(self, response: Response) -> str | None:
        """The id of the customer that an answer to a creation names, None if it names none."""
        identifier = response.members().get("id")
        return identifier if isinstance(identifier, str) else None

    def read_everything(self) -> None:
        """Read the list, and each of the latest customers and its challenge.

        Raises:
            StepFailedError: If no answer comes.
        """
        tenant = self.tenant("first")
        tenant.customers()
        for customer in self.customers()[-_LATEST:]:
            tenant.read(customer)
            tenant.fetch(customer)

    def begin_everything(self) -> None:
        """Nothing: a customer has one thing to do."""

    def view(self) -> View:
        """Each customer as it is read, its challenge, and who is listed, of both API clients if both act."""
        view: dict[str, Any] = {}
        for identity in dict.fromkeys(identity for identity, _ in self.made()):
            tenant = self.tenant(identity)
            shown: dict[str, Any] = {}
            for customer in self.looked_at(identity, _LATEST):
                for name, value in tenant.read(customer).response.members().items():
                    if name in _COMPARED:
                        shown[f"{name} of {customer}"] = value
                shown[f"challenge of {customer}"] = tenant.fetch(customer).response.members().get("challenge")
            listing = tenant.customers()
            if not listing.response.succeeded:
                continue  # the client lost its access, as by a scenario about keys
            view |= shown
            if self._subject.disposable:  # elsewhere others work with the same programme
                ids = {each.get("id") for each in listed(listing)}
                view[f"strangers in the list of {identity}"] = ids - set(self.made_by(identity))
        return view

    def judge_change(self, exchange: Exchange, before: View, after: View) -> Sequence[Finding]:
        """What the rules say of what changed between two looks, as `judge_change` of `circumstances` has it."""
        customer = exchange.parameters.get("customerId", "")
        changed = [place for place in changes(before, after) if before[place] not in _MOVES_BY_ITSELF]
        spared: set[str] = set()
        if exchange.response.status < HTTPStatus.BAD_REQUEST and exchange.request.method != "GET":
            spared = {f"{name} of {customer}" for name in ("status", "challenge")}
        elif exchange.operation == "signChallenge":
            spared = {f"challenge of {customer}"}
        changed = [place for place in changed if place not in spared]
        rule = "isolation.others-untouched"
        return list(change_findings(_SAYS, exchange, before, changed, after, customer=customer, others=rule))

    def crowd(self) -> Sequence[Callable[[], object]]:
        """Seven requests: creations and lists, with a token that is there already."""
        self.tenant("first").authorization()
        return super().crowd()

    def live(self, tenant: Tenant) -> Iterator[None]:
        """A customer signs wrongly, then rightly."""
        customer = self.onboard(tenant.identity)
        yield
        wrong = signed(tenant.new_wallet(), customer.challenge)
        tenant.sign(
            customer.id,
            customer.wallet,
            customer.challenge,
            signature=wrong,
            broken=("owner-signs-the-message", "owner-id"),
        )
        yield
        challenge = tenant.fetched(customer.id)
        yield
        tenant.sign(customer.id, customer.wallet, challenge)
        yield
        tenant.read(customer.id)
        yield
