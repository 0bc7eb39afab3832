"""Shortcuts: customers that a test is given in any state, and what it has the person at the hosted page do."""

from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import Any, ClassVar

from conformance.exchange import Request, Response
from conformance.planbok.gateway import QUESTIONS, Step
from conformance.planbok.pin_agent import ANSWERS
from conformance.planbok.sandbox.base import Decisions
from conformance.planbok.sandbox.state import Call, Challenge, Customer, Entry, Tenant, WrongEntry
from conformance.sandbox.messages import BodyRejected, json_response, problem, to_json
from conformance.sandbox.service import TENANTS
from conformance.sandbox.shortcuts import Routes, Shortcut, UnknownThingError

_PIN = "482913"
_RETURN_URL = "http://127.0.0.1/return"
_LAST_STEPS = (Step.DONE, Step.CANCELLED, Step.EXPIRED, Step.LOCKED, Step.REFUSED)


class State(StrEnum):
    """The states that a customer can be given in; the API tells them by ``hasPin`` and ``hasRecovery``."""

    CREATED = "created"
    PIN_SET = "pin-set"
    ACTIVE = "active"
    LOCKED_OUT = "locked-out"


@dataclass(frozen=True)
class Knowledge:
    """What the person at the page knows.

    Args:
        pin: The PIN, None for none.
        new_pin: The PIN that is to take its place, None for none.
        answers: The answers to the questions of recovery, both or none.
    """

    pin: str | None = None
    new_pin: str | None = None
    answers: tuple[str, ...] = ()

    def fields(self, step: Step) -> dict[str, str] | None:
        """What to enter at a step; None if the person does not know that."""
        pin = {} if self.pin is None else {"pin": self.pin}
        new = self.new_pin or (None if step is Step.CHANGE_PIN else self.pin)
        chosen = {} if new is None else {"new_pin": new, "new_pin_again": new}
        answers = {f"answer_{number}": answer for number, answer in enumerate(self.answers, 1)}
        match step:
            case Step.SET_PIN | Step.RESET_PIN:
                return chosen or None
            case Step.SET_RECOVERY:
                questions = {f"question_{number}": question for number, question in enumerate(QUESTIONS[:2], 1)}
                return {**questions, **answers} if answers else None
            case Step.VERIFY:
                return pin or None
            case Step.CHANGE_PIN:
                return {**pin, **chosen} if pin and chosen else None
            case Step.ANSWER:
                return answers or None
        return None


class Shortcuts(Decisions):
    """Customers in any state, made and announced as by the API and its page, and what a person does at that page."""

    shortcuts: ClassVar[Routes] = {
        "/customers": (
            "make_customer",
            ("state", "wallets", "name", "refId", "pin", "answers", "redirectUrl", "tenant"),
        ),
        "/challenges/{id}/pin": ("enter_pin", ("pin", "new_pin", "answers")),
        "/challenges/{id}/cancel": ("press_cancel", ()),
    }

    # ------------------------------------------------------------------------------------------------------ customers

    async def make_customer(self, shortcut: Shortcut) -> Response:
        """A customer in a state, with wallets on the chains that are named: 201."""
        state = State(shortcut.choice("state", list(State), State.ACTIVE))
        chains = shortcut.texts("wallets")
        if chains and state in {State.CREATED, State.PIN_SET}:
            raise BodyRejected(f"A customer who is {state} has no wallets: those need a PIN and recovery.")
        tenant = self.tenants[shortcut.choice("tenant", TENANTS, TENANTS[0])]
        number = len(self.customers) + 1
        body = {
            "name": shortcut.text("name", f"Customer {number}"),
            "refId": shortcut.text("refId", f"customer-{number}"),
        }
        known = Knowledge(shortcut.text("pin", _PIN), answers=shortcut.texts("answers", ANSWERS))
        return_url = {"redirectUrl": shortcut.text("redirectUrl", _RETURN_URL)}
        self.call(shortcut, tenant, "createCustomer", None, body)
        customer = next(reversed(self.customers.values()))
        if state is not State.CREATED:
            challenge = self.issued(shortcut, customer, "initializeCustomer", return_url)
            self.enter_all(challenge, known if state is not State.PIN_SET else Knowledge(known.pin))
        if chains:
            challenge = self.issued(shortcut, customer, "createWallets", {"blockchains": chains, **return_url})
            self.enter_all(challenge, known)
        if state is State.LOCKED_OUT:
            self.lock(self.issued(shortcut, customer, "updatePin", return_url), customer.pin)
        made = {
            "id": customer.id,
            "state": state.value,
            "customer": self.customer_json(customer),
            "wallets": [self.wallet_json(customer, wallet) for wallet in customer.wallets],
            "challenges": [self.challenge_json(challenge) for challenge in customer.challenges],
            **({"pin": known.pin} if state is not State.CREATED else {}),
            **({"answers": known.answers} if state not in {State.CREATED, State.PIN_SET} else {}),
            "credentials": self.credentials(tenant.name),
        }
        return json_response(HTTPStatus.CREATED, made)

    def call(self, shortcut: Shortcut, tenant: Tenant, operation: str, customer: Customer | None, body: Any) -> None:
        """Carry out an operation of the API, about a customer unless that is to be created.

        Raises:
            Refused: If the API refuses it.
        """
        place = f"/v2/customers/{customer.id}" if customer else "/v2/customers"
        headers = (("Content-Type", "application/json"),)
        request = Request(headers, to_json(body), "POST", f"{shortcut.base_url}{place}")
        self.handler(operation)(Call(operation, request, tenant, {"id": customer.id} if customer else {}))

    def issued(self, shortcut: Shortcut, customer: Customer, operation: str, body: Any) -> Challenge:
        """The challenge that an operation issues."""
        self.call(shortcut, customer.tenant, operation, customer, body)
        return customer.challenges[-1]

    def enter_all(self, challenge: Challenge, known: Knowledge) -> None:
        """Do all at the page that somebody does who knows this.

        Raises:
            BodyRejected: If the page does not take it.
        """
        if error := self.enter(challenge, known):
            raise BodyRejected(f"The hosted page does not take it: {error}")

    # ------------------------------------------------------------------------------------------------------- the page

    async def enter_pin(self, shortcut: Shortcut) -> Response:
        """Have the person enter a PIN, answers, or both, at whatever steps the page of a challenge asks for them."""
        pins = {name: shortcut.text(name, "") for name in ("pin", "new_pin") if name in shortcut.members}
        known = Knowledge(pins.get("pin"), pins.get("new_pin"), shortcut.texts("answers"))
        if known == Knowledge():
            raise BodyRejected("Say what the person enters: 'pin', 'answers' or both, and 'new_pin' to change the PIN.")
        challenge = self.challenge_called(shortcut.parameters["id"])
        if over := self.over(challenge):
            return over
        error = self.enter(challenge, known)
        return json_response(HTTPStatus.OK, self.visit_json(challenge, error))

    async def press_cancel(self, shortcut: Shortcut) -> Response:
        """Have the person cancel a challenge."""
        challenge = self.challenge_called(shortcut.parameters["id"])
        if over := self.over(challenge):
            return over
        self.cancel(challenge)
        return json_response(HTTPStatus.OK, self.visit_json(challenge, ""))

    def challenge_called(self, name: str) -> Challenge:
        """The challenge with an id, or at a link.

        Raises:
            UnknownThingError: If there is none.
        """
        found = next((each for each in self.challenges.values() if name in {each.id, each.link}), None)
        if found is None:
            raise UnknownThingError(f"There is no challenge {name!r} in this world. Give a challengeId that it issued.")
        return found

    def over(self, challenge: Challenge) -> Response | None:
        """A refusal if the page of a challenge takes nothing any more."""
        step = self.step(challenge, "")
        if step not in _LAST_STEPS:
            return None
        detail = (
            f"The page of challenge {challenge.id} takes nothing any more: it is at {step}. {self.clock.departure()}"
        )
        return problem(HTTPStatus.CONFLICT, detail.rstrip())

    def enter(self, challenge: Challenge, known: Knowledge) -> str:
        """Do all at the page that somebody does who knows this; gives what the page objects to, empty for nothing."""
        visit = self.visits.draw(16).hex()
        asked: set[Step] = set()
        while (step := self.step(challenge, visit)) not in asked and (fields := known.fields(step)):
            asked.add(step)
            try:
                self.take(challenge, step, Entry(fields, visit))
            except WrongEntry as wrong:
                return str(wrong)
        return ""

    def visit_json(self, challenge: Challenge, error: str) -> dict[str, Any]:
        """Where a challenge stands after a visit, and where the person was sent."""
        leaving = self.leave_cancelled if challenge.ended is Step.CANCELLED else self.leave
        address = leaving(challenge).header("Location") if challenge.ended else None
        return {
            "challengeId": challenge.id,
            "status": self.status_shown(challenge),
            "step": (challenge.ended or self.step(challenge, "")).value,
            "error": error or None,
            "returned_to": None if address == challenge.url else address,
        }
