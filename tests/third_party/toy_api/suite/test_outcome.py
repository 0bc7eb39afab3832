"""Scenarios that end in every way."""

from datetime import timedelta
from http import HTTPStatus

import httpx
import pytest

from conformance.exchange import Exchange
from conformance.recording.journal import BREAKS, EXCHANGE
from conformance.scenario import expect, expect_reading, needs, step_failed, verifies, waits
from conformance.targets import Subject


def get(subject: Subject, path: str = "/v1/thing", breaks: frozenset[str] = frozenset()) -> Exchange:
    with httpx.Client(transport=subject.transport("first"), timeout=60) as client:
        response = client.get(subject.base_url + path, extensions={BREAKS: breaks})
    exchange: Exchange = response.extensions[EXCHANGE]
    return exchange


def wait(subject: Subject, rule: str) -> None:
    subject.clock.advance(timedelta(seconds=1))
    met = get(subject, "/v1/thing?meeting").response.status
    expect(rule, met == HTTPStatus.OK, where="the meeting", expected="others that wait", got=str(met))


def say(rule: str, *, held: bool) -> None:
    expect(f"toy.outcome.{rule}", held, where="here", expected="this", got="that")


@verifies("toy.outcome.held", "toy.thing.says-hello")
def test_a_rule_holds(subject: Subject) -> None:
    """Given a thing, when it is asked for."""
    get(subject)
    say("held", held=True)


@verifies(
    "toy.outcome.broken-must", "toy.outcome.broken-should", "toy.outcome.broken-may", "toy.outcome.broken-inferred"
)
def test_rules_are_broken(subject: Subject) -> None:
    """Given a thing, when it is asked for."""
    get(subject)
    for rule in ("broken-must", "broken-should", "broken-may", "broken-inferred"):
        say(rule, held=False)


@verifies("toy.outcome.blocked", "toy.outcome.partly-blocked")
def test_a_step_fails(subject: Subject) -> None:
    """Given a thing without a name, when its name is needed."""
    exchange = get(subject)
    say("partly-blocked", held=True)
    step_failed("A name was to be had", exchange)


@verifies("toy.outcome.needs")
def test_a_need_is_not_met(subject: Subject) -> None:
    """Given nothing, when something is needed."""
    needs("something that nobody has")


@verifies("toy.outcome.asserts")
def test_a_bare_assertion_fails(subject: Subject) -> None:
    """Given a thing, when the suite asserts."""
    say("asserts", held=True)
    assert get(subject).response.status == 500


@verifies("toy.outcome.crashes")
def test_the_suite_crashes(subject: Subject) -> None:
    """Given a thing, when the suite divides by zero."""
    get(subject)
    raise ZeroDivisionError("by the suite")


@verifies("toy.outcome.silent")
def test_nothing_is_said(subject: Subject) -> None:
    """Given a thing, when nothing is said of it."""
    get(subject)


@verifies("toy.outcome.unlisted")
def test_another_rule_is_spoken_of(subject: Subject) -> None:
    """Given a thing, when another rule is spoken of."""
    say("held", held=True)


@verifies("toy.outcome.lying-request")
def test_a_request_breaks_what_it_does_not_say(subject: Subject) -> None:
    """Given a thing, when it is asked for trouble without saying so."""
    get(subject, "/v1/thing?trouble")
    say("lying-request", held=True)


@pytest.mark.parametrize("reading", ["warm", "cold", None])
@verifies("toy.outcome.disputed")
def test_sources_disagree(subject: Subject, reading: str | None) -> None:
    """Given a thing, when it is read."""
    get(subject, "/v1/thing?trouble", frozenset({"toy.client.no-trouble"}))
    expect_reading("toy.outcome.disputed", reading, where="here", expected="warm or cold", got=reading)


@waits
@verifies("toy.waiting.one")
def test_one_waits(subject: Subject) -> None:
    """Given a thing, when a moment passes, and the others that wait are there too."""
    wait(subject, "toy.waiting.one")


@waits
@verifies("toy.waiting.two")
def test_two_waits(subject: Subject) -> None:
    """Given a thing, when a moment passes, and the others that wait are there too."""
    wait(subject, "toy.waiting.two")


@waits
@verifies("toy.waiting.three")
def test_three_waits(subject: Subject) -> None:
    """Given a thing, when a moment passes, and the others that wait are there too."""
    wait(subject, "toy.waiting.three")
