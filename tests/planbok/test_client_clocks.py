"""A client of a world goes by the world's clock or by the machine's, and is blamed only if it is wrong by both."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from conformance.clock import EPOCH_OF_WORLDS
from conformance.exchange import Delivery, Exchange, Request, Response
from conformance.findings import Finding, Outcome
from conformance.judging.journal import client_findings
from conformance.planbok.client_checks import ClientJudge
from conformance.planbok.webhooks import sign
from conformance.sandbox.messages import to_json

CREDENTIALS = {"api_key": "key-1", "webhook_secret": "secret-1"}
ELSEWHEN = EPOCH_OF_WORLDS + timedelta(days=100)
"""What the machine's clock says when the world's stands at its beginning."""
CHALLENGE = "/v2/customers/1/challenges/2"


def read(at: timedelta, machine_at: timedelta, *, path: str = CHALLENGE, status: int = 200) -> Exchange:
    """A read at so long after the beginning, by each of the clocks."""
    body = to_json({"success": True, "data": {"challengeId": "2", "status": "PENDING"}})
    return Exchange(
        "",
        "getChallenge" if path == CHALLENGE else None,
        "first",
        EPOCH_OF_WORLDS + at,
        0.0,
        Request((("PLANBOK-X-API-KEY", "key-1"),), b"", "GET", f"https://api.example{path}"),
        Response((("Content-Type", "application/json"),), body, status),
        parameters={"id": "1", "challengeId": "2"},
        machine_at=ELSEWHEN + machine_at,
    )


def findings(exchanges: list[Exchange], rule: str, deliveries: list[Delivery] | None = None) -> list[Finding]:
    numbered = [replace(each, id=f"#{number}") for number, each in enumerate(exchanges, start=1)]
    found = client_findings(numbered, ClientJudge(CREDENTIALS, {}), deliveries or ())
    return [finding for finding in found if finding.rule == f"planbok.client.{rule}"]


def outcomes(exchanges: list[Exchange], rule: str) -> list[Outcome]:
    return [finding.outcome for finding in findings(exchanges, rule)]


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def test_reads_at_once_are_skipped_where_the_worlds_clock_stands_still() -> None:
    reads = [read(timedelta(), seconds(number / 100)) for number in range(25)]
    assert outcomes(reads, "polls-within-limits") == [Outcome.HELD] * 20 + [Outcome.SKIPPED] * 5


def test_reads_at_once_break_the_limit_where_time_runs() -> None:
    reads = [read(seconds(number / 100), seconds(number / 100)) for number in range(25)]
    assert outcomes(reads, "polls-within-limits") == [Outcome.HELD] * 20 + [Outcome.BROKEN] * 5


@pytest.mark.parametrize("by_world", [True, False])
def test_whoever_waits_by_either_clock_keeps_the_limit(by_world: bool) -> None:
    passed = [(seconds(number), seconds(number / 100)) for number in range(25)]
    reads = [read(*(times if by_world else times[::-1])) for times in passed]
    assert set(outcomes(reads, "polls-within-limits")) == {Outcome.HELD}


def test_a_repetition_after_429_at_the_same_instant_of_the_world_is_skipped() -> None:
    reads = [read(timedelta(), seconds(number / 1000), status=429) for number in range(2)]
    assert outcomes(reads, "backs-off") == [Outcome.SKIPPED]


@pytest.mark.parametrize(("world", "machine", "polls_on"), [(20, 20, True), (20, 0, False), (0, 20, False)])
def test_a_challenge_is_over_when_it_is_by_both_clocks(world: int, machine: int, polls_on: bool) -> None:
    first = read(timedelta(), timedelta())
    reads = [read(timedelta(minutes=world, seconds=n), timedelta(minutes=machine, seconds=n)) for n in range(4)]
    assert (Outcome.BROKEN in outcomes([first, *reads], "stops-polling")) == polls_on


@pytest.mark.parametrize("clock", [EPOCH_OF_WORLDS, ELSEWHEN])
def test_a_webhook_is_as_old_as_by_the_clock_that_it_was_signed_by(clock: datetime) -> None:
    body = b'{"event":"wallet.created"}'
    for age, kept in ((timedelta(), True), (timedelta(minutes=6), False)):
        headers = tuple(sign(body, "secret-1", clock - age).items())
        request = Request(headers, body, "POST", "http://127.0.0.1/")
        delivery = Delivery(0, "first", EPOCH_OF_WORLDS, request, 200, ELSEWHEN)
        found = findings([], "checks-webhook-age", [delivery])
        assert [finding.outcome for finding in found] == ([] if kept else [Outcome.BROKEN])
