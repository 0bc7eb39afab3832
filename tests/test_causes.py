"""What blocked a rule is named by the rule that is broken, and by none rather than by a wrong one."""

from typing import Any

import pytest

from conformance.findings import Finding, Outcome
from conformance.judging.causes import Causes

NONCE, IDS, CREATED = "toys.challenge.nonce", "toys.customer.id", "toys.customer.created"
EXCHANGES: list[dict[str, Any]] = [
    {"id": "a#1", "operation": "create"},
    {"id": "b#1", "operation": "create"},
    {"id": "b#2", "operation": "read"},
]


def broken(rule: str, test: str = "a", exchange: str | None = None, got: str = "") -> Finding:
    return Finding(rule, Outcome.BROKEN, got=got, exchange=exchange, test=test)


def blocked(test: str = "b", exchange: str | None = None, got: str = "", *, by: tuple[str, ...] = ()) -> Finding:
    return Finding("toys.flow.ends", Outcome.BLOCKED, got=got, exchange=exchange, test=test, relies_on=by)


@pytest.mark.parametrize(
    ("found", "stopped", "cause"),
    [
        pytest.param([broken(IDS, "b"), broken(NONCE)], blocked(by=(NONCE,)), NONCE, id="what the step relies on"),
        pytest.param(
            [broken(IDS), broken(NONCE, "b")], blocked(by=(IDS, NONCE)), NONCE, id="what is broken in the same test"
        ),
        pytest.param(
            [broken(IDS, "b"), broken(CREATED, "a", "a#1", "400 (No.)")],
            blocked("b", "b#1", "400 (No.)"),
            CREATED,
            id="the same refusal of the same operation",
        ),
        pytest.param(
            [broken(IDS, "b", "b#1", "x")], blocked("b", "b#1", "400 (No.)"), IDS, id="the answer to the step"
        ),
        pytest.param(
            [broken(CREATED, "a", "a#1", "404 (No '1f2e3d4c'.)")],
            blocked("b", "b#2", "404 (No '5a6b7c8d'.)"),
            CREATED,
            id="the same refusal of another operation, about another thing",
        ),
        pytest.param([broken(CREATED, "a", "a#1", "204")], blocked("b", "b#2", "204"), None, id="no refusal"),
        pytest.param(
            [broken(CREATED), broken(IDS, "b", "b#1", "x")],
            blocked("b", "b#1", "201", by=(CREATED,)),
            IDS,
            id="what an answer breaks that was no refusal",
        ),
        pytest.param([broken(IDS, "b")], blocked(), None, id="what merely stands in the same test"),
        pytest.param([], blocked(by=(NONCE,)), None, id="nothing that is broken"),
    ],
)
def test_the_cause_is(found: list[Finding], stopped: Finding, cause: str | None) -> None:
    assert Causes([*found, stopped], EXCHANGES).of([stopped]) == cause
