"""schemathesis walks the flows by the links of the specifications, to requests that are accepted."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import httpx
import hypothesis
import pytest
import schemathesis
from hypothesis import stateful
from schemathesis.config import SchemathesisConfig
from schemathesis.core.transport import Response
from schemathesis.generation.stateful.state_machine import StepInput, StepOutput, normalize_name

from conformance.api import named
from conformance.exchange import Exchange
from conformance.generation.sequences import subject_for
from conformance.offblocks.messages import Challenge, issued_challenge
from conformance.offblocks.suite.tenant import Tenant, signed
from conformance.offblocks.wallet import Wallet
from conformance.planbok.messages import challenge_of
from conformance.planbok.suite.tenant import Tenant as Organization
from conformance.sandbox.server import start
from conformance.scenario import BETWEEN_LOOKS
from conformance.specification import Specification
from conformance.targets import Conditions, Subject
from conformance.targets.sandbox import SandboxTarget

if TYPE_CHECKING:
    from conformance.planbok.suite.person import Person

ROUNDS = 20
"""How often some flows are drawn at most; schemathesis draws a part of them from no seed."""


class Hand(Protocol):
    """What a client adds to the requests of schemathesis: who really exists, signatures, and pages filled in."""

    def somebody(self, operation: str) -> str:
        """The id of a customer whom an operation can be about."""

    def send(self, operation: str, path: str, customer: str) -> Exchange:
        """Send an operation's request."""


class OffBlocksHand:
    """Signs requests, and the challenges of customers by their wallets."""

    def __init__(self, subject: Subject) -> None:
        self._subject, self._tenant = subject, Tenant(subject, "first")
        self._known: dict[str, tuple[Wallet, Challenge]] = {}

    def somebody(self, operation: str) -> str:
        del operation
        self.send("createCustomer", "/v1/customers", "")
        return list(self._known)[-1]

    def send(self, operation: str, path: str, customer: str) -> Exchange:
        self._subject.clock.advance(BETWEEN_LOOKS)  # in which a customer who signed passes screening
        if operation == "createCustomer":
            wallet = Wallet(self._subject.ids.draw(32), self._subject.settings["chain"])
            exchange = self._tenant.create(wallet)
            challenge = issued_challenge(exchange.response)
            assert challenge is not None
            self._known[str(exchange.response.members()["id"])] = (wallet, challenge)
            return exchange
        body = None
        if operation == "signChallenge":
            wallet, challenge = self._known[customer]
            body = {
                "ownerId": wallet.account_id,
                "challenge": challenge.text,
                "signature": signed(wallet, challenge),
            }
        method = self._subject.journal.specification.operations[operation].method
        return self._tenant.send(method, path, body=body, key=None if method == "GET" else self._tenant.new_key())


class PlanbokHand:
    """Fills every page in at once."""

    tasks: ClassVar = {
        "initializeCustomer": "initialize",
        "setUpRecovery": "recovery",
        "updatePin": "update-pin",
        "resetPin": "reset-pin",
    }

    def __init__(self, subject: Subject) -> None:
        self._subject, self._tenant = subject, Organization(subject, "first")
        self._people: dict[str, Person] = {}
        self._begun: set[str] = set()

    def somebody(self, operation: str) -> str:
        customer = self._tenant.onboard()
        self._people[customer.id] = customer.person
        return customer.id

    def send(self, operation: str, path: str, customer: str) -> Exchange:
        if operation == "createCustomer":
            created = self._tenant.onboard()
            self._people[created.id] = created.person
            return created.exchange
        if operation == "listChallenges":
            self._set_up(customer, has_recovery=True)
            self._tenant.ask_wallets(customer)
        if operation not in {"createWallets", *self.tasks}:
            return self._tenant.send(self._subject.journal.specification.operations[operation].method, path)
        person = self._people[customer]
        if operation != "initializeCustomer":
            self._set_up(customer, has_recovery=operation != "setUpRecovery")
        if operation == "createWallets":
            return _filled(self._tenant.ask_wallets(customer), person.authorize)
        self._begun.add(customer)
        fill = {"recovery": person.set_recovery, "update-pin": person.change_pin, "reset-pin": person.reset_pin}
        task = self.tasks[operation]
        return _filled(self._tenant.ask(task, customer), fill.get(task, person.set_up))

    def _set_up(self, customer: str, *, has_recovery: bool) -> None:
        if customer not in self._begun:
            self._begun.add(customer)
            person = self._people[customer]
            _filled(self._tenant.ask("initialize", customer), person.set_up if has_recovery else person.set_pin)
            _filled(self._tenant.ask_wallets(customer), person.authorize)


def _filled(exchange: Exchange, fill: Callable[[str], object]) -> Exchange:
    """The answer that holds a challenge, after its page was filled in."""
    challenge = challenge_of(exchange.response)
    if challenge is not None and challenge.redirect_url is not None:
        fill(challenge.redirect_url)
    return exchange


HANDS: Mapping[str, Callable[[Subject], Hand]] = {"offblocks": OffBlocksHand, "planbok": PlanbokHand}


@pytest.mark.parametrize("api", HANDS)
def test_schemathesis_walks_by_links_to_every_operation_that_one_leads_to(api: str) -> None:
    specification = Specification.load(named(api).specification)
    own_links_alone = SchemathesisConfig.from_dict({"phases": {"stateful": {"inference": {"algorithms": []}}}})
    schema = schemathesis.openapi.from_path(named(api).specification, config=own_links_alone)
    machine: Any = schema.as_state_machine()
    found = [link for each in machine._transitions.operations.values() for link in each.outgoing]
    led_to = {link.target.label for link in found}
    linked = {normalize_name(f"RANDOM -> {link.target.label}") for link in found if "{" in link.target.label}
    for beginning in linked & machine.root_rules:
        delattr(machine, beginning)  # what a link leads to is tried with what the link gives alone
    reached: set[str] = set()
    with start(apis=[named(api)]) as running:
        target = SandboxTarget({api: specification}, {api: f"{running.origin}/{api}"})
        target.open(named(api))
        hand = HANDS[api](subject_for(target.subject(named(api), f"{api}/links", Conditions("0")), "links"))

        class Flow(machine):  # type: ignore[misc]
            def step(self, input: StepInput) -> StepOutput:
                operation = input.case.operation.definition.raw["operationId"]
                given = [name for _, name in input.applied_parameters]
                of_customer = "" if operation == "getWallet" else next(iter(input.case.path_parameters), "")
                if of_customer and of_customer not in given:
                    input.case.path_parameters[of_customer] = hand.somebody(operation)
                query = {name: input.case.query[name] for name in given if name in input.case.query}
                path = f"{input.case.formatted_path}?{httpx.QueryParams(query)}" if query else input.case.formatted_path
                exchange = hand.send(operation, path, input.case.path_parameters.get(of_customer, ""))
                if input.transition and input.is_applied and exchange.response.succeeded:
                    reached.add(input.case.operation.label)
                return StepOutput(answer(exchange), input.case)

        settings = hypothesis.settings(machine.TestCase.settings, max_examples=9, stateful_step_count=8, database=None)
        for seed in range(ROUNDS):
            if not reached >= led_to:
                stateful.run_state_machine_as_test(hypothesis.seed(seed)(Flow), settings=settings)
        target.close()
    assert sorted(led_to - reached) == []


def answer(exchange: Exchange) -> Response:
    """An answer as schemathesis reads it."""
    request = httpx.Request(exchange.request.method, exchange.request.url, content=exchange.request.body)
    response = exchange.response
    read = httpx.Response(response.status, headers=list(response.headers), content=response.body, request=request)
    read.elapsed = BETWEEN_LOOKS
    return Response.from_any(read)
