"""The calls, and the steps of a person at the page, that may follow each other in any order."""

import re
from contextlib import suppress
from dataclasses import dataclass, field
from typing import ClassVar

from conformance.exchange import Exchange
from conformance.generation.sequences import CallSequence, step
from conformance.planbok.messages import challenge_of, customer_id, entries, wallets_in
from conformance.planbok.pin_agent import Page
from conformance.planbok.suite.person import Person
from conformance.planbok.suite.tenant import Issued, Tenant
from conformance.scenario import StepFailedError
from conformance.targets import Subject
from conformance.values import near

MOST_CUSTOMERS = 2
CUSTOMERS = (1, 1, 1, 2)
"""By the order of their creation."""
PARTS = ("PIN and recovery", "a PIN alone", "recovery")
SET_UPS = ("PIN and recovery", "PIN and recovery", "PIN and recovery", "PIN and recovery", "a PIN alone", "nothing")
CHAINS = ("chains 1 and 3", "chain 1", "chain 1", "chain 2", "chain 3", "chains 1 and 2", "all chains")
"""By their order in the settings."""
CHALLENGES = ("newest", "newest", "newest", "older")
AT_SET_UPS = ("goes on with", "goes on with", "cancels")
ACTS = ("enters the right PIN",) * 3 + ("enters a wrong PIN", "cancels", "looks on")
SEEN = ("the wallets", "the wallets", "the challenges", "the flags", "each of the wallets")


@dataclass
class _Customer:
    """A customer of a sequence.

    Args:
        id: Its id.
        person: Who sits before the page.
        issued: Its challenges for wallets, the newest last.
        set_up: The challenge of its last set-up.
        page: The page that was shown last with something to fill in.
        on_page: The challenge of that page.
    """

    id: str
    person: Person
    issued: list[Issued] = field(default_factory=list)
    set_up: Issued | None = None
    page: Page | None = None
    on_page: Issued | None = None


def _any_customer(sequence: "Sequence") -> bool:
    return bool(sequence.customers)


def _any_challenge(sequence: "Sequence") -> bool:
    return any(customer.issued for customer in sequence.customers)


class Sequence(CallSequence):
    """One sequence of calls to Planbok.

    Args:
        subject: What the sequence has of the implementation, its journal empty.
    """

    pauses: ClassVar = (1, 61, 300, 780, 1020, 1020, 1080, 3600)
    awaits_webhooks = True

    def __init__(self, subject: Subject) -> None:
        super().__init__(subject)
        self.tenant = Tenant(subject, "first")
        self.stranger = Tenant(subject, "second") if "second" in subject.credentials else None
        self.customers: list[_Customer] = []

    @step(
        "a customer is created and sets up {what}",
        when=lambda sequence: len(sequence.customers) < MOST_CUSTOMERS,
        what=SET_UPS,
    )
    def create(self, what: str) -> None:
        """Create a customer, and have it set up what it needs, or less."""
        identifier = customer_id(self.tenant.create().response)
        if identifier is None:
            return
        person = Person(self.subject, self.subject.transport("first"), self.tenant.ids.child(identifier))
        self.customers.append(_Customer(identifier, person))
        if what != "nothing":
            self._set_up(self.customers[-1], what)

    @step("customer {customer} sets up {what}", when=_any_customer, customer=CUSTOMERS, what=PARTS)
    def set_up(self, customer: int, what: str) -> None:
        """Ask for a set-up, and go through it."""
        self._set_up(self._customer(customer), what)

    @step(
        "customer {customer} {act} the set-up that was begun last",
        when=lambda sequence: any(customer.set_up for customer in sequence.customers),
        customer=CUSTOMERS,
        act=AT_SET_UPS,
    )
    def go_on(self, customer: int, act: str) -> None:
        """Come back to a set-up, which may have been left between two of its steps, or have ended."""
        one = self._customer(customer)
        if one.set_up is not None:
            with suppress(StepFailedError):
                (one.person.give_up if act == "cancels" else one.person.set_up)(one.set_up.url)
            self.tenant.read(one.id)

    @step(
        "wallets on {chains} are asked for, for customer {customer}",
        when=_any_customer,
        often=2,
        customer=CUSTOMERS,
        chains=CHAINS,
    )
    def ask(self, customer: int, chains: str) -> None:
        """Ask for wallets."""
        self._ask(self._customer(customer), chains)

    @step(
        "customer {customer} gets wallets on {chains}, with the right PIN, and the challenge is read",
        when=_any_customer,
        often=3,
        customer=CUSTOMERS,
        chains=CHAINS,
    )
    def provision(self, customer: int, chains: str) -> None:
        """Ask for wallets, and have the customer authorize them at once."""
        one = self._customer(customer)
        issued = self._ask(one, chains)
        if issued is not None:
            with suppress(StepFailedError):
                one.person.authorize(issued.url)
            self.tenant.challenge(one.id, issued.id)

    @step(
        "customer {customer} {act} at the {challenge} challenge, which is read then",
        when=_any_challenge,
        often=3,
        customer=CUSTOMERS,
        act=ACTS,
        challenge=CHALLENGES,
    )
    def act(self, customer: int, act: str, challenge: str) -> None:
        """Do something at the page of a challenge, and read the challenge."""
        one = self._customer(customer)
        for issued in one.issued[-2:-1] if challenge == "older" else one.issued[-1:]:
            with suppress(StepFailedError):
                page = one.person.open(issued.url)
                one.page, one.on_page = (page, issued) if page.form is not None else (one.page, one.on_page)
                if act == "cancels":
                    one.person.give_up(issued.url)
                elif act != "looks on":
                    misses = near.misses(one.person.pin, near.PIN, others=[one.person.other_pin])
                    wrong = misses[self.tenant.ids.below(len(misses))].value
                    one.person.enter(page, one.person.pin if act == "enters the right PIN" else wrong)
            self.tenant.challenge(one.id, issued.id)

    @step(
        "customer {customer} sends the form again that was shown last, with the right PIN",
        when=_any_challenge,
        customer=CUSTOMERS,
    )
    def resubmit(self, customer: int) -> None:
        """Send a form once more, perhaps one whose challenge has ended."""
        one = self._customer(customer)
        if one.page is not None and one.on_page is not None:
            with suppress(StepFailedError):
                one.person.enter(one.page)
            self.tenant.challenge(one.id, one.on_page.id)

    @step(
        "the {challenge} challenge of customer {customer} is read",
        when=_any_challenge,
        often=3,
        customer=CUSTOMERS,
        challenge=CHALLENGES,
    )
    def read_challenge(self, customer: int, challenge: str) -> None:
        """Read a challenge."""
        one = self._customer(customer)
        for issued in one.issued[-2:-1] if challenge == "older" else one.issued[-1:]:
            self.tenant.challenge(one.id, issued.id)

    @step("{what} of customer {customer} are looked at", when=_any_customer, often=3, customer=CUSTOMERS, what=SEEN)
    def look(self, customer: int, what: str) -> None:
        """Read what the API shows of a customer."""
        one = self._customer(customer)
        match what:
            case "the flags":
                self.tenant.read(one.id)
            case "the challenges":
                self.tenant.challenges(one.id)
            case _:
                listed = wallets_in(entries(self.tenant.wallets(one.id).response))
                for wallet in listed if what == "each of the wallets" else ():
                    if wallet.id is not None:
                        self.tenant.wallet(wallet.id)

    @step(
        "the next webhook is answered with 503",
        when=lambda sequence: sequence.customers and sequence.subject.hooks is not None,
    )
    def refuse_webhook(self) -> None:
        """Answer a webhook as a receiver that is down, so that it comes again."""
        if self.subject.hooks is not None:
            self.subject.hooks.answer_with(503)

    @step("another organization looks at customer {customer}", when=_any_customer, customer=CUSTOMERS)
    def trespass(self, customer: int) -> None:
        """Look as another organization at what is not its own."""
        if self.stranger is not None:
            one = self._customer(customer)
            self.stranger.read(one.id)
            self.stranger.wallets(one.id)

    # ------------------------------------------------------------------------------------------------------- its parts

    def _set_up(self, customer: _Customer, what: str) -> None:
        issued = self._issued(self.tenant.ask("recovery" if what == "recovery" else "initialize", customer.id))
        person, customer.set_up = customer.person, issued
        enter = {"recovery": person.set_recovery, "a PIN alone": person.set_pin}.get(what, person.set_up)
        if issued is not None:
            with suppress(StepFailedError):
                enter(issued.url)
        self.tenant.read(customer.id)

    def _ask(self, customer: _Customer, chains: str) -> Issued | None:
        known = [chain.name for chain in self.tenant.chains]
        chosen = [known[(int(number) - 1) % len(known)] for number in re.findall("[0-9]", chains)]
        issued = self._issued(self.tenant.ask_wallets(customer.id, list(dict.fromkeys(chosen)) or known))
        customer.issued += [] if issued is None else [issued]
        return issued

    def _customer(self, number: int) -> _Customer:
        return self.customers[(number - 1) % len(self.customers)]

    def _issued(self, exchange: Exchange) -> Issued | None:
        challenge = challenge_of(exchange.response)
        if challenge is None or challenge.id is None or challenge.redirect_url is None:
            return None
        return Issued(challenge.id, challenge.redirect_url, exchange)
