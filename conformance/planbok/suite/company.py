"""Others who use Planbok while a scenario runs, and all that can be read of what the scenario made."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from http import HTTPStatus
from typing import Any, TypeVar

from conformance.circumstances.company import View, change_findings, changes
from conformance.exchange import Exchange, Response
from conformance.findings import Finding, Says
from conformance.parts.company import ApiCompany
from conformance.planbok.messages import (
    UNDER_WAY,
    call_of,
    challenge_in,
    challenge_of,
    customer_id,
    entries,
    payload,
    wallets_in,
)
from conformance.planbok.suite.person import Person
from conformance.planbok.suite.tenant import Onboarding, Tenant
from conformance.scenario import found
from conformance.targets import Subject

Done = TypeVar("Done")

_SAYS = Says("planbok.")
_COMPARED = {"id", "name", "refId", "custodyType", "status", "hasPin", "hasRecovery"}
"""The members that are compared: times may move, and of members that no document names nothing is said."""
_BEGUN = ("recovery", "update-pin", "reset-pin")
"""The tasks that are begun, in this order."""
_LATEST = 3
"""How many of the scenario's customers and challenges are read; more would take long."""
_PAUSE = timedelta(seconds=1)
"""How long nobody reads before all is read, since no more than 20 readings a second are allowed."""
_IN_TIME = timedelta(minutes=7)
"""How long a customer takes at most who sets a PIN and gets wallets."""


class Company(ApiCompany[Tenant, Onboarding]):
    """The others of one test, of Planbok.

    Args:
        subject: What the test has of the implementation.
    """

    in_time = _IN_TIME

    def __init__(self, subject: Subject) -> None:
        super().__init__(subject)
        self._begun: set[tuple[str, str]] = set()

    def new_tenant(self, identity: str) -> Tenant:
        """One of the API clients that the others act as."""
        return Tenant(self._subject, identity)

    def new_customer(self, tenant: Tenant) -> Onboarding:
        """Create a customer."""
        return tenant.onboard()

    def created(self, response: Response) -> str | None:
        """The id of the customer that an answer to a creation names, None if it names none."""
        return customer_id(response)

    def read_everything(self) -> None:
        """Read the latest customers, their challenges and wallets, each and in lists, and visit pages that are open.

        Raises:
            NeedError: If nobody stands in for a person.
            StepFailedError: If no answer comes.
        """
        self._subject.clock.advance(_PAUSE)
        tenant = self.tenant("first")
        tenant.customers()
        for customer in self.customers()[-_LATEST:]:
            tenant.read(customer)
            tenant.challenges(customer)
            for wallet in wallets_in(payload(tenant.wallets(customer).response)):
                if wallet.id:
                    tenant.wallet(wallet.id)
        for customer, challenge in self._challenges()[-_LATEST:]:
            if challenge not in self._ended() | self._old():
                tenant.challenge(customer, challenge)
        for url in self._pages()[-_LATEST:]:
            Person(self._subject, self._subject.transport("first"), self._subject.ids.child("visitor")).open(url)

    def begin_everything(self) -> None:
        """Ask for the next challenge that nobody opens, for each of the latest customers.

        Raises:
            StepFailedError: If no answer comes.
        """
        tenant = self.tenant("first")
        for customer in self.customers()[-_LATEST:]:
            task = next((task for task in _BEGUN if (customer, task) not in self._begun), None)
            if task is not None:
                self._begun.add((customer, task))
                tenant.ask(task, customer)

    def view(self) -> View:
        """Each customer as it is read, its challenges and wallets, and who is listed, of each who acts."""
        self._subject.clock.advance(_PAUSE)
        view: dict[str, Any] = {}
        for identity in dict.fromkeys(identity for identity, _ in self.made()):
            tenant = self.tenant(identity)
            shown = entries(tenant.customers("?limit=100").response)
            ids = {each.get("id") for each in shown if isinstance(each, Mapping)}
            if self._subject.disposable:  # elsewhere others work with the same organization
                view[f"strangers in the list of {identity}"] = ids - set(self.made_by(identity))
            for customer in self.looked_at(identity, _LATEST):
                shown = payload(tenant.read(customer).response)
                for name, value in shown.items() if isinstance(shown, Mapping) else ():
                    if name in _COMPARED:
                        view[f"{name} of {customer}"] = value
                for entry in entries(tenant.challenges(customer, "?limit=100").response):
                    if challenge := challenge_in(entry):
                        view[f"challenge {challenge.id} of {customer}"] = challenge.status
                        places = sorted(str(wallet.place) for wallet in challenge.wallets)
                        view[f"result {challenge.id} of {customer}"] = ", ".join(places) or None
                for wallet in wallets_in(payload(tenant.wallets(customer, query="&limit=100").response)):
                    view[f"wallet {wallet.id} of {customer}"] = wallet.place
        return view

    def judge_change(self, exchange: Exchange, before: View, after: View) -> Sequence[Finding]:
        """What the rules say of what changed between two looks, as `judge_change` of `circumstances` has it.

        A refused request may leave no new challenge of its customer either.
        """
        changed = self._changed(before, after)
        customer = call_of(exchange).customer
        if HTTPStatus.BAD_REQUEST <= exchange.response.status < HTTPStatus.INTERNAL_SERVER_ERROR:
            new = sorted(after.keys() - before.keys())
            changed += [place for place in new if place.startswith("challenge ") and place.endswith(f" of {customer}")]
        if exchange.response.status < HTTPStatus.BAD_REQUEST and exchange.request.method != "GET":
            changed = [place for place in changed if not place.endswith(f" of {customer}")]
        rule = "response.others-untouched"
        return list(change_findings(_SAYS, exchange, before, changed, after, customer=customer or "", others=rule))

    def watch(self, visit: Callable[[], Done]) -> Done:
        """Have a person do something at the page, and judge what it changed that can be read.

        What is entered at a page is for its own customer. That a page is looked at may show in a challenge that is
        under way, and in nothing else.
        """
        before, made = self.look(), len(self._subject.journal.exchanges)
        done = visit()
        steps = [each for each in tuple(self._subject.journal.exchanges)[made:] if each.operation is None]
        if not steps:
            return done
        after = self.look()
        step = next((each for each in steps if each.request.method == "POST"), steps[-1])
        customer = self._customer_at(step.request.url)
        changed = [
            place
            for place in self._changed(before, after)
            if not (_is_under_way(before[place]) and _is_under_way(after.get(place)))
            and not (step.request.method == "POST" and place.endswith(f" of {customer}"))
        ]
        rule = "response.others-untouched"
        found(*change_findings(_SAYS, step, before, changed, after, customer=customer, others=rule))
        return done

    def has_key(self, exchange: Exchange) -> bool:
        """Whether a request has an idempotency key, which stands in its body."""
        return "idempotencyKey" in exchange.request.members()

    def live(self, tenant: Tenant) -> Iterator[None]:
        """A customer sets a PIN and gets wallets, at a wrong PIN first."""
        customer = self.onboard(tenant.identity)
        yield
        setup = tenant.issued(tenant.ask("initialize", customer.id))
        yield
        customer.person.set_up(setup.url)
        yield
        if not tenant.is_set_up(customer):
            return
        asked = tenant.requested(customer)
        yield
        customer.person.authorize(asked.url, pin=customer.person.other_pin)
        yield
        customer.person.authorize(asked.url)
        yield
        tenant.challenge(customer.id, asked.id)
        yield

    def _changed(self, before: View, after: View) -> list[str]:
        """The places that read otherwise, but for what comes some time after a page was filled in.

        Its challenge ends and has a result, and its customer is shown with a PIN or recovery.
        """
        filled_in = self._filled_in()
        owners = {customer for customer, challenge in self._challenges() if challenge in filled_in}

        def comes_late(place: str) -> bool:
            kind, of, *_, customer = place.split(" ")
            if kind in {"hasPin", "hasRecovery"}:
                return before[place] is False and customer in owners
            return of in filled_in and (_is_under_way(before[place]) or (kind == "result" and before[place] is None))

        return [place for place in changes(before, after) if not comes_late(place)]

    def _customer_at(self, page: str) -> str:
        """The id of the customer whose challenge has a page, empty if none was issued with it."""
        made = tuple(self._subject.journal.exchanges)
        issued = (
            each for each in made if (challenge := challenge_of(each.response)) and challenge.redirect_url == page
        )
        return next((customer for each in issued if (customer := call_of(each).customer)), "")

    def _challenges(self) -> list[tuple[str, str]]:
        """The customers and ids of the challenges that were issued to them."""
        found = []
        for exchange in tuple(self._subject.journal.exchanges):
            customer, challenge = call_of(exchange).customer, challenge_of(exchange.response)
            if exchange.request.method == "POST" and customer in self.customers() and challenge and challenge.id:
                found.append((customer, challenge.id))
        return found

    def _ended(self) -> set[str | None]:
        """The ids of the challenges that were seen to have ended, which nobody is to read again."""
        seen = [
            challenge
            for exchange in tuple(self._subject.journal.exchanges)
            for challenge in (challenge_of(exchange.response), *map(challenge_in, entries(exchange.response)))
        ]
        return {each.id for each in seen if each and each.has_ended}

    def _old(self) -> set[str | None]:
        """The ids of the challenges that were issued so long ago that their time may be over."""
        exchanges = [each for each in tuple(self._subject.journal.exchanges) if each.request.method == "POST"]
        latest = self._subject.clock.now() - 2 * _IN_TIME
        return {each.id for exchange in exchanges if exchange.at < latest and (each := challenge_of(exchange.response))}

    def _filled_in(self) -> set[str]:
        """The ids of the challenges at whose pages something was entered, which end some time after that."""
        made = tuple(self._subject.journal.exchanges)
        filled_in = {exchange.request.url for exchange in made if exchange.request.method == "POST"}
        issued = [challenge for exchange in made if (challenge := challenge_of(exchange.response))]
        return {each.id for each in issued if each.id is not None and each.redirect_url in filled_in}

    def _pages(self) -> list[str]:
        """The pages of the challenges."""
        own = {challenge for _, challenge in self._challenges()}
        found = [challenge_of(exchange.response) for exchange in tuple(self._subject.journal.exchanges)]
        pages = [each.redirect_url for each in found if each and each.id in own and each.status == "pending"]
        return list(dict.fromkeys(page for page in pages if page))


def _is_under_way(value: object) -> bool:
    return isinstance(value, str) and value in UNDER_WAY
