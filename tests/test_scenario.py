"""What the words of a scenario say of an answer."""

from datetime import UTC, datetime

import pytest

from conformance.exchange import Exchange, Request, Response
from conformance.findings import Outcome
from conformance.scenario import (
    StepFailedError,
    expect_acceptance,
    expect_refusal,
    expect_refusal_status,
    expect_status,
    recording,
    refused,
)

RULE = "toy.outcome.held"
NO_ANSWER_TO_IT = [429, 500, 502, 503, 504]
"""What an API answers to any request when it is busy or broken."""


def answered(status: int) -> Exchange:
    response = Response(body=b'{"detail": "Later."}', status=status)
    return Exchange("toy/a/b#1", None, "first", datetime(2026, 1, 15, tzinfo=UTC), 0.0, Request(), response)


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(400, "held"), (401, "held"), (422, "held"), (451, "held"), (200, "broken"), (204, "broken"), (302, "broken")],
)
def test_a_refusal_has_any_other_status_of_4xx(status: int, outcome: str) -> None:
    with recording({RULE}) as record:
        expect_refusal(RULE, answered(status), "it is wrong")
    (finding,) = record.findings
    assert finding.outcome == Outcome(outcome)
    assert refused(answered(status)) == (finding.outcome is Outcome.HELD)


@pytest.mark.parametrize("status", NO_ANSWER_TO_IT)
def test_an_api_that_is_busy_or_broken_refuses_nothing(status: int) -> None:
    with recording({RULE}) as record, pytest.raises(StepFailedError, match=rf"{status} \(Later\.\) \[toy/a/b#1\]"):
        expect_refusal(RULE, answered(status), "it is wrong")
    assert record.findings == []
    with pytest.raises(StepFailedError):
        refused(answered(status))


def page(content_type: str, status: int = 200) -> Exchange:
    response = Response((("Content-Type", content_type),), b"<html>Welcome</html>", status)
    return Exchange("toy/a/b#1", None, "first", datetime(2026, 1, 15, tzinfo=UTC), 0.0, Request(), response)


@pytest.mark.parametrize("content_type", ["text/html", "Text/HTML; charset=utf-8", "application/xhtml+xml"])
def test_a_page_is_no_answer_of_an_api(content_type: str) -> None:
    with recording({RULE}) as record:
        expect_acceptance(RULE, page(content_type))
        expect_status(RULE, page(content_type), 200, 404)
    assert [finding.outcome for finding in record.findings] == [Outcome.BROKEN, Outcome.BROKEN]
    with recording({RULE}) as record:
        with pytest.raises(StepFailedError, match="it was answered 200"):
            expect_refusal(RULE, page(content_type), "it is wrong")
        with pytest.raises(StepFailedError, match="it was answered 200"):
            expect_refusal_status(RULE, page(content_type), 400)
    assert record.findings == []


def test_a_refusal_may_be_a_page() -> None:
    assert refused(page("text/html", 404))
    with recording({RULE}) as record:
        expect_status(RULE, page("text/html", 404), 404)
    assert record.findings[0].outcome is Outcome.HELD
