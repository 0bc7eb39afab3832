"""A client takes an event that comes twice or late, and its answers show whether it did."""

import json
from datetime import UTC, datetime

import pytest

from conformance.exchange import Delivery, Request
from conformance.findings import Outcome
from conformance.ids import Ids
from conformance.offblocks import api
from conformance.offblocks.client_events import event_answers

CREATED, SIGNED = "2026-01-15T12:00:00Z", "2026-01-15T12:00:05Z"
AT = datetime(2026, 1, 15, 12, 1, tzinfo=UTC)
Told = list[tuple[str, Outcome]]


def event(event_id: str | None, updated_at: object, answered: int, customer: str = "c1") -> Delivery:
    members = {"webhookType": "customer.updated", "id": customer, "updatedAt": updated_at}
    body = json.dumps({**members, **({} if event_id is None else {"eventId": event_id})}).encode()
    return Delivery(0, "first", AT, Request((), body, "POST", "https://client.test/hook"), answered)


def told(*deliveries: Delivery) -> Told:
    return [(finding.rule.removeprefix("offblocks.client."), finding.outcome) for finding in event_answers(deliveries)]


@pytest.mark.parametrize(
    ("deliveries", "expected"),
    [
        ([event("e1", CREATED, 200), event("e2", SIGNED, 204)], []),
        ([event("e1", CREATED, 200), event("e1", CREATED, 200)], [("survives-duplicates", Outcome.HELD)]),
        ([event("e1", CREATED, 200), event("e1", CREATED, 409)], [("survives-duplicates", Outcome.BROKEN)]),
        ([event("e1", CREATED, 200), event("e1", CREATED, 500)], [("survives-duplicates", Outcome.BROKEN)]),
        ([event(None, CREATED, 200), event(None, CREATED, 400)], [("survives-duplicates", Outcome.BROKEN)]),
        ([event("e1", CREATED, 200), event("e1", CREATED, 503), event("e1", CREATED, 429)], []),
        ([event("e1", CREATED, 500), event("e1", CREATED, 500)], []),
        ([event("e2", SIGNED, 200), event("e1", CREATED, 200)], [("survives-reordering", Outcome.HELD)]),
        ([event("e2", SIGNED, 200), event("e1", CREATED, 422)], [("survives-reordering", Outcome.BROKEN)]),
        ([event("e2", SIGNED, 500), event("e1", CREATED, 422)], []),
        ([event("e2", SIGNED, 200), event("e1", CREATED, 422, "c2")], []),
        ([event("e2", SIGNED, 200), event("e1", "yesterday", 422)], []),
        ([event("e2", SIGNED, 200), event("e1", None, 422)], []),
    ],
)
def test_an_event_that_was_taken_is_taken_again_and_one_that_comes_late_as_well(
    deliveries: list[Delivery], expected: Told
) -> None:
    assert told(*deliveries) == expected


def test_what_is_no_event_is_no_finding() -> None:
    broken = [
        Delivery(0, "first", AT, Request((), body, "POST", "https://client.test/hook"), 400) for body in (b"[", b"")
    ]
    assert told(*broken, *broken) == []


def test_the_judge_of_a_client_tells_it_of_the_whole_traffic() -> None:
    judge = api.client_judge(api.client.made_up_credentials(Ids("events")), {})
    finding, *unseen = judge.conclude([], [event("e1", CREATED, 200), event("e1", CREATED, 410)])
    assert (finding.where, finding.expected, finding.got) == ("answer to event e1", "2xx, as the first time", "410")
    assert {each.outcome for each in unseen} == {Outcome.SKIPPED}
    assert all("conformance webhooks check offblocks --url URL" in each.reason for each in unseen)
    assert judge.conclude([], [event("e1", CREATED, 503)]) == []
    (refused,) = judge.conclude([], [event("e1", CREATED, 500)])
    assert (refused.rule, refused.outcome) == ("offblocks.client.takes-events", Outcome.BROKEN)
