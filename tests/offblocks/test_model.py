"""The model of sequences predicts what the documents fix, and nothing that they leave open."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from conformance.catalogue import Catalogue
from conformance.clock import EPOCH_OF_WORLDS
from conformance.exchange import Exchange, Request, Response
from conformance.findings import Finding, Outcome
from conformance.offblocks import api
from conformance.offblocks.model import Model
from conformance.specification import Specification

RULES = set(Catalogue.load(api.rules))
CUSTOMER = "04c5851c-4386-5bd9-9f89-08312f8aee3a"
PATH = f"/v1/customers/{CUSTOMER}"
BODY = {"chainId": "eip155:300:0x43158f45b5EbD7b1179130130DF00393928C2691", "externalId": "user-1"}


SPECIFICATION = Specification.load(api.specification)


class Calls:
    """Calls that a model sees, each some seconds after the one before."""

    def __init__(self) -> None:
        self.model = Model()
        self.at = EPOCH_OF_WORLDS
        self.number = 0

    def see(
        self,
        method: str,
        path: str,
        status: int,
        answer: Mapping[str, Any] | None = None,
        *,
        sent: Mapping[str, Any] | None = None,
        after: int = 1,
        key: str | None = None,
    ) -> set[str]:
        """The rules that an exchange breaks; it has a new idempotency key unless one is given."""
        self.number += 1
        self.at += timedelta(seconds=after)
        match = SPECIFICATION.match(method, path)
        found = self.model.see(
            Exchange(
                id=f"test#{self.number}",
                operation=match.operation.id if match else None,
                identity="first",
                at=self.at,
                seconds=0.1,
                request=Request(
                    (("Idempotency-Key", key or str(self.number)),),
                    json.dumps(sent).encode() if sent else b"",
                    method,
                    f"https://sandbox.example{path}",
                ),
                response=Response((), json.dumps(answer).encode() if answer else b"", status),
                breaks=frozenset(),
                parameters=match.parameters if match else {},
            )
        )
        return broken(found)

    def create(self) -> None:
        answer = {**BODY, "id": CUSTOMER, "status": "initiating", "challenge": "Zmlyc3Q="}
        assert self.see("POST", "/v1/customers", 201, answer, sent=BODY) == set()

    def sign(self, challenge: str, status: int = 204) -> set[str]:
        return self.see("POST", f"{PATH}/challenge/sign", status, sent={"challenge": challenge})

    def read(self, status: str, after: int = 1) -> set[str]:
        return self.see("GET", PATH, 200, {**BODY, "id": CUSTOMER, "status": status}, after=after)

    def simulate(self, outcome: str) -> set[str]:
        return self.see("PATCH", f"/v1/simulator/customers/{CUSTOMER}/{outcome}", 202)


def broken(found: list[Finding]) -> set[str]:
    assert {finding.rule for finding in found} <= RULES
    return {finding.rule.removeprefix("offblocks.") for finding in found if finding.outcome is Outcome.BROKEN}


def signed() -> Calls:
    calls = Calls()
    calls.create()
    assert calls.sign("Zmlyc3Q=") == set()
    return calls


def test_a_pending_verification_that_was_simulated_makes_active() -> None:
    calls = signed()
    assert calls.read("verifying") == set()
    assert calls.simulate("verify") == set()
    assert calls.read("verifying", after=63) == {"flow.verified-becomes-active"}


def test_a_verification_that_was_simulated_before_it_was_pending_promises_nothing() -> None:
    calls = signed()
    assert calls.simulate("verify") == set()
    assert calls.read("verifying", after=63) == set()
    assert calls.read("rejected", after=63) == set()


def test_an_outcome_that_was_simulated_after_another_promises_nothing() -> None:
    calls = signed()
    assert calls.simulate("reject") == set()
    assert calls.read("verifying") == set()
    assert calls.simulate("verify") == set()
    assert calls.read("rejected", after=63) == set()


def test_a_challenge_that_was_signed_is_not_signed_again_but_a_new_one_may_be() -> None:
    calls = signed()
    assert calls.see("GET", f"{PATH}/challenge", 200, {"challenge": "c2Vjb25k"}) == set()
    assert calls.sign("c2Vjb25k") == set()
    assert calls.sign("Zmlyc3Q=") == {"signing.second-is-409"}


def test_a_request_too_many_breaks_nothing() -> None:
    calls = Calls()
    calls.create()
    assert calls.see("GET", f"{PATH}/challenge", 429) == set()
    assert calls.see("GET", f"{PATH}/challenge", 404) == set(), "no more is predicted of this customer"


def test_a_refused_signature_leaves_open_whether_its_challenge_is_taken_until_it_is_fetched() -> None:
    calls = Calls()
    calls.create()
    assert calls.sign("Zmlyc3Q=", 400) == {"challenge.accepted-within-the-hour"}
    assert calls.sign("Zmlyc3Q=", 400) == set()
    assert calls.see("GET", f"{PATH}/challenge", 200, {"challenge": "Zmlyc3Q="}) == set()
    assert calls.sign("Zmlyc3Q=", 400) == {"challenge.accepted-within-the-hour"}


def test_a_key_is_free_for_another_creation_two_seconds_after_its_hour() -> None:
    calls = Calls()
    for after, expected in ((1, set()), (3601, set()), (2, {"idempotency.key-free-after-an-hour"})):
        sent = {**BODY, "externalId": f"after {after}"}
        assert calls.see("POST", "/v1/customers", 409, sent=sent, after=after, key="one") == expected
