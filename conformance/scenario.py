"""The words that scenarios are written in: what a test can judge, what it expects, and why it had to stop."""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from typing import Any, NoReturn, TypeVar

import pytest

from conformance.exchange import Exchange
from conformance.findings import Finding, answer, judged, read
from conformance.values.near import SameValue
from conformance.waiting.looks import PATIENCE

__all__ = [
    "BETWEEN_LOOKS",
    "PATIENCE",
    "NeedError",
    "StepFailedError",
    "SuiteError",
    "UnmeantRequestError",
    "crosses",
    "expect",
    "expect_acceptance",
    "expect_reading",
    "expect_refusal",
    "expect_refusal_status",
    "expect_same",
    "expect_status",
    "found",
    "leaves_out",
    "needs",
    "refused",
    "shows",
    "step_failed",
    "verifies",
    "waits",
]

Test = TypeVar("Test", bound=Callable[..., Any])

VERIFIES, SHOWS, WAITS, HOOKS = "conformance_verifies", "conformance_shows", "conformance_waits", "conformance_hooks"
LEAVES_OUT = "conformance_leaves_out"
CROSSES = "conformance_crosses"
SUITE = "conformance"
"""The marks of pytest that the plugin registers: what the functions of these names set, that of webhooks, and that of
every test of a suite, which says its API and topic."""

BETWEEN_LOOKS = timedelta(seconds=2)
"""How long to wait before looking at what may have changed."""


class StepFailedError(Exception):
    """A step did not give what the next one needs, by the subject's doing; what depends on it is blocked.

    Args:
        message: What was to be done, and what came of it.
        exchange: The exchange that shows it, if one does. If its request was right, it was to be answered with 2xx.
        relies_on: The ids of the rules that the step relies on, so that one of them that is broken is the cause.
    """

    def __init__(self, message: str, exchange: Exchange | None = None, relies_on: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.exchange = exchange
        self.relies_on = tuple(relies_on)


class NeedError(Exception):
    """The subject or the run does not have what the test needs; the message says what to give."""


class SuiteError(Exception):
    """The suite itself did something wrong; never blamed on the subject."""


class UnmeantRequestError(SuiteError):
    """The suite sent what breaks other client rules than it says, be it of what the subject gave wrongly."""


def verifies(*rules: str) -> Callable[[Test], Test]:
    """Mark a test with the ids of the rules that it can judge."""
    mark: Callable[[Test], Test] = getattr(pytest.mark, VERIFIES)(*rules)
    return mark


def shows(*rules: str) -> pytest.MarkDecorator:
    """Mark a test with the ids of further rules, which it judges if it comes to that."""
    mark: pytest.MarkDecorator = getattr(pytest.mark, SHOWS)(*rules)
    return mark


def leaves_out(*circumstances: str, because: str) -> pytest.MarkDecorator:
    """Mark a test that makes no sense under some circumstances.

    Args:
        circumstances: The names of levels, or of factors for all their levels.
        because: Why, as a sentence.
    """
    mark: pytest.MarkDecorator = getattr(pytest.mark, LEAVES_OUT)(*circumstances, because=because)
    return mark


def crosses(one: str, other: str) -> pytest.MarkDecorator:
    """Mark a test of what happens where two concerns meet, such as the expiry of a token and a repeated request.

    Args:
        one: One of the concerns, as ``tools.crossings`` lists them.
        other: The other one.
    """
    mark: pytest.MarkDecorator = getattr(pytest.mark, CROSSES)(one, other)
    return mark


waits: pytest.MarkDecorator = getattr(pytest.mark, WAITS)
"""Mark a test that lets time pass; live it is skipped unless waiting is allowed."""


@dataclass
class Record:
    """What one running test has found so far.

    Args:
        rules: The rules that the test can judge.
        remarks: What the reader of the run should know besides, in sentences.
    """

    rules: Collection[str]
    findings: list[Finding] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


_records: list[Record] = []


@contextmanager
def recording(rules: Collection[str]) -> Iterator[Record]:
    """Collect what is expected while the context lasts."""
    record = Record(rules)
    _records.append(record)
    try:
        yield record
    finally:
        _records.remove(record)


def _record() -> Record:
    if not _records:
        raise SuiteError("expect() was called outside of a scenario.")
    return _records[-1]


def _add(finding: Finding) -> None:
    record = _record()
    if finding.rule not in record.rules:
        raise SuiteError(f"The test judges {finding.rule}, but does not list it in @verifies.")
    record.findings.append(finding)


def found(*findings: Finding) -> None:
    """Add what pure checks found, whichever rules the test lists; its mark ``shows`` names those that may be among it.

    Raises:
        SuiteError: If no scenario runs.
    """
    _record().findings.extend(findings)


def remark(text: str) -> None:
    """Have the run print a remark beside its verdicts, once however many tests make it.

    Args:
        text: What the reader should know, as a sentence.

    Raises:
        SuiteError: If no scenario runs.
    """
    _record().remarks.append(text)


def expect(
    rule: str,
    held: bool,
    *,
    where: str,
    expected: str,
    got: object,
    exchange: Exchange | None = None,
) -> None:
    """Say whether `rule` held, and go on.

    Args:
        rule: A rule that the test lists in `verifies`.
        held: Whether it held.
        where: The place, such as ``response status``.
        expected: What the rule asks for there.
        got: What was there.
        exchange: The exchange that shows it.

    Raises:
        SuiteError: If the test does not list the rule.
    """
    _add(judged(rule, held=held, where=where, expected=expected, got=got, exchange=exchange))


def expect_status(rule: str, exchange: Exchange, *statuses: int, because: str = "") -> None:
    """Say that `rule` asks for one of `statuses` in the answer of `exchange`, for the reason if one is given."""
    expect(
        rule,
        exchange.response.has_status(*statuses),
        where="response status",
        expected=" or ".join(str(status) for status in statuses) + (f": {because}" if because else ""),
        got=answer(exchange),
        exchange=exchange,
    )


def refused(exchange: Exchange) -> bool:
    """Whether the request was refused, whatever the status of 4xx says of the reason.

    Raises:
        StepFailedError: If it was answered 429 or 5xx, or with a page: an API that is busy or broken, or not there,
            says nothing of the request.
    """
    status = exchange.response.status
    is_welcome = exchange.response.is_page and status < HTTPStatus.BAD_REQUEST
    if is_welcome or status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        shown = f"{answer(exchange)} [{exchange.id}]"
        raise StepFailedError(f"A request was to be accepted or refused, it was answered {shown}")
    return status >= HTTPStatus.BAD_REQUEST


def expect_refusal(rule: str, exchange: Exchange, because: str) -> None:
    """Say that `rule` asks for a refusal, for the reason given.

    Raises:
        StepFailedError: If it was answered 429 or 5xx.
    """
    expect(
        rule,
        refused(exchange),
        where="response status",
        expected=f"a refusal: {because}",
        got=exchange.response.status,
        exchange=exchange,
    )


def expect_refusal_status(rule: str, exchange: Exchange, status: int) -> None:
    """Say that `rule` asks for a status if the request was refused; one that was accepted does not break it.

    Raises:
        StepFailedError: If it was answered 429 or 5xx, or with a page.
    """
    expect(
        rule,
        not refused(exchange) or exchange.response.status == status,
        where="response status",
        expected=f"{status}, if it is refused",
        got=answer(exchange),
        exchange=exchange,
    )


def expect_acceptance(rule: str, exchange: Exchange) -> None:
    """Say that `rule` asks for an acceptance, with whatever status of 2xx."""
    expect(
        rule,
        exchange.response.succeeded,
        where="response status",
        expected="2xx",
        got=answer(exchange),
        exchange=exchange,
    )


def expect_same(rule: str, exchange: Exchange, value: SameValue) -> None:
    """Say that `rule` asks for an acceptance of a value that is written otherwise than usual."""
    expect(
        rule,
        exchange.response.succeeded,
        where="response status",
        expected=f"2xx: the value is {value.name}, which is the same ({value.clause})",
        got=answer(exchange),
        exchange=exchange,
    )


def expect_reading(
    rule: str, reading: str | None, *, where: str, expected: str, got: object, exchange: Exchange | None = None
) -> None:
    """Say which reading of a contradicted `rule` was seen; None if none of them was.

    Raises:
        SuiteError: If the test does not list the rule.
    """
    _add(read(rule, reading, where=where, expected=expected, got=got, exchange=exchange))


def step_failed(step: str, exchange: Exchange | None = None, *, relies_on: Sequence[str] = ()) -> NoReturn:
    """Stop, because `step` did not give what the next one needs.

    Args:
        step: What was to be done, as a clause.
        exchange: The exchange that shows that it was not.
        relies_on: The ids of the rules that the step relies on, besides the one that promises the operation.

    Raises:
        StepFailedError: Always.
    """
    shown = f", it was answered {answer(exchange)}" if exchange else ""
    raise StepFailedError(f"{step}{shown}", exchange, relies_on)


def needs(what: str) -> NoReturn:
    """Stop, because this run does not have `what`; say what to give.

    Raises:
        NeedError: Always.
    """
    raise NeedError(what)
