"""What an observer remembers of exchanges, which checks, model and the judge of a client read alike."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from conformance.clock import EPOCH_OF_WORLDS
from conformance.exchange import Exchange, Request, Response
from conformance.planbok.observer import Observer

API = "https://sandbox.example/planbok/v2/customers"
PAGE = "https://sandbox.example/gateway/challenges/1"


def exchange(operation: str, path: str, body: Mapping[str, Any], data: Any, **parameters: str) -> Exchange:
    return Exchange(
        id=operation,
        operation=operation,
        identity="first",
        at=EPOCH_OF_WORLDS,
        seconds=0.0,
        request=Request(method="POST" if body else "GET", url=API + path, body=json.dumps(body).encode()),
        response=Response(status=200, body=json.dumps({"success": True, "data": data}).encode()),
        parameters=parameters,
    )


CREATION = exchange("createCustomer", "", {"name": "Alice", "refId": "mine"}, {"id": "alice"})
READ = exchange("getCustomer", "/alice", {}, {"id": "alice", "hasPin": True, "hasRecovery": True}, id="alice")
ISSUE = exchange(
    "createWallets",
    "/alice/wallets",
    {"blockchains": ["ETH-SEPOLIA"], "idempotencyKey": "1"},
    {"challengeId": "one", "redirectUrl": PAGE, "status": "pending"},
    id="alice",
)


def observer(*exchanges: Exchange) -> Observer:
    made = Observer()
    for each in exchanges:
        made.see(each)
    return made


def test_a_customer_has_the_request_that_created_it_first() -> None:
    creation = observer(CREATION, replace(CREATION, identity="second")).creation("alice")
    assert creation is not None
    assert (creation.identity, creation.ref_id, creation.members["name"]) == ("first", "mine", "Alice")


def test_nothing_is_learnt_from_a_refusal() -> None:
    refusal = replace(CREATION, response=replace(CREATION.response, status=400))
    assert not observer(refusal).customers


def test_a_customer_is_set_up_once_it_was_read_so_and_stays_so() -> None:
    other = replace(READ, response=replace(READ.response, body=READ.response.body.replace(b"true", b"false")))
    seen = ([CREATION], [CREATION, READ], [READ, other])
    assert [observer(*each).customers["alice"].set_up for each in seen] == [False, True, True]


def test_a_flag_was_shown_to_whoever_read_it_after_the_creation() -> None:
    flags = observer(READ, CREATION, replace(READ, identity="second")).customers["alice"].flags
    assert flags == {("second", "hasPin"), ("second", "hasRecovery")}


def test_a_challenge_has_the_request_that_it_was_issued_for() -> None:
    seen = observer(CREATION, ISSUE)
    issue = seen.issue("one")
    assert issue is not None
    assert (issue.operation, issue.customer, issue.page) == ("createWallets", "alice", PAGE)
    assert (issue.chains, issue.earlier) == (frozenset({"ETH-SEPOLIA"}), frozenset())


def test_a_repetition_of_a_request_counts_its_chains_once() -> None:
    seen = observer(ISSUE, ISSUE)
    assert seen.issue("one") is not None
    assert seen.customers["alice"].chains == {"ETH-SEPOLIA": 1}


def test_a_challenge_of_two_different_requests_is_of_neither() -> None:
    other = replace(ISSUE, request=replace(ISSUE.request, body=ISSUE.request.body.replace(b'"1"', b'"2"')))
    seen = observer(ISSUE, other)
    assert seen.issue("one") is None
    assert len(seen.issues["one"]) == 2


def test_a_challenge_is_over_when_it_has_ended_or_its_time_is() -> None:
    failed = exchange("getChallenge", "/alice/challenges/one", {}, {"id": "one", "status": "failed"}, id="alice")
    failed = replace(failed, parameters={"id": "alice", "challengeId": "one"})
    progress = observer(ISSUE).progress["alice", "one"]
    late = EPOCH_OF_WORLDS + timedelta(minutes=15, seconds=1)
    assert [progress.is_over(EPOCH_OF_WORLDS), progress.is_over(late)] == [False, True]
    assert observer(ISSUE, failed).progress["alice", "one"].is_over(EPOCH_OF_WORLDS)
