"""A change of a customer is sent to the address that the caller registered, and again until it is received."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest

from conformance.clock import Clock
from conformance.exchange import Delivery
from conformance.offblocks.suite.tenant import Tenant
from conformance.offblocks.wallet import Wallet
from conformance.scenario import PATIENCE, expect, expect_status, needs, step_failed, verifies
from conformance.targets import Hooks, Subject

A_SECOND = timedelta(seconds=1)


@pytest.fixture
def hooks(subject: Subject) -> Hooks:
    """What receives the webhooks of the test."""
    return subject.hooks or needs("an address that the API can reach")


@verifies("offblocks.webhook.registered")
def test_a_webhook_is_registered(tenant: Tenant, hooks: Hooks) -> None:
    """When an address is registered for changes of customers."""
    exchange = tenant.put_webhook(hooks.url)
    expect_status("offblocks.webhook.registered", exchange, 200)
    expect(
        "offblocks.webhook.registered",
        exchange.response.members().get("callbackUrl") == hooks.url,
        where="response /callbackUrl",
        expected=hooks.url,
        got=exchange.response.members().get("callbackUrl"),
        exchange=exchange,
    )


@verifies("offblocks.webhook.sent-on-change", "offblocks.webhook.event-matches-schema")
def test_a_change_of_a_customer_is_sent(tenant: Tenant, wallet: Wallet, clock: Clock, hooks: Hooks) -> None:
    """Given a registered address, when a customer is created and signs."""
    _register(tenant, hooks)
    customer = tenant.signed_up(wallet)
    found = _deliveries(tenant, clock, lambda seen: bool(_changes(seen, customer.id)))
    states = [_state(delivery) for delivery in found if _names(delivery, customer.id)]
    expect(
        "offblocks.webhook.sent-on-change",
        bool(_changes(found, customer.id)),
        where="webhook",
        expected=f"customer.updated with a state after initiating within {PATIENCE}",
        got=f"events with the states {', '.join(states)}" if states else f"{len(found)} events, none of this customer",
    )
    if not found:
        step_failed(f"An event was to come within {PATIENCE}")


@verifies("offblocks.webhook.retried")
def test_an_event_that_is_not_received_is_sent_again(
    tenant: Tenant, wallet: Wallet, clock: Clock, hooks: Hooks
) -> None:
    """Given a registered address that answers 500 at first, when a customer is created."""
    hooks.answer_with(500)
    _register(tenant, hooks)
    tenant.onboard(wallet)
    found = _deliveries(tenant, clock, _has_repetition)
    if not found:
        step_failed(f"An event was to come within {PATIENCE}")
    expect(
        "offblocks.webhook.retried",
        _has_repetition(found),
        where="webhook",
        expected=f"the event that was answered 500, again within {PATIENCE}",
        got=f"{len(found)} events, each once",
    )


def _register(tenant: Tenant, hooks: Hooks) -> None:
    exchange = tenant.put_webhook(hooks.url)
    if not exchange.response.succeeded:
        step_failed("A webhook was to be registered", exchange)


def _deliveries(tenant: Tenant, clock: Clock, enough: Callable[[Sequence[Delivery]], bool]) -> Sequence[Delivery]:
    """What came, as soon as it is enough; a second is given at first, for what is under way already."""
    clock.advance(A_SECOND)
    return tenant.eventually(tenant.deliveries, enough)


def _state(delivery: Delivery) -> str:
    return str(delivery.request.members().get("status"))


def _names(delivery: Delivery, customer: str) -> bool:
    members = delivery.request.members()
    return members.get("webhookType") == "customer.updated" and members.get("id") == customer


def _changes(deliveries: Sequence[Delivery], customer: str) -> list[Delivery]:
    return [delivery for delivery in deliveries if _names(delivery, customer) and _state(delivery) != "initiating"]


def _has_repetition(deliveries: Sequence[Delivery]) -> bool:
    """Whether one event came twice: one ``eventId``, or one body if it has none."""
    events = Counter(str(delivery.request.members().get("eventId", delivery.request.body)) for delivery in deliveries)
    return any(count > 1 for count in events.values())
