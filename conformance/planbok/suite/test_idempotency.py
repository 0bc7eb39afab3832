"""Idempotency keys: what is repeated is carried out once, and answered as it was or refused."""

from collections.abc import Iterable
from datetime import timedelta
from functools import partial
from http import HTTPStatus

import pytest

from conformance.clock import Clock
from conformance.exchange import Exchange
from conformance.findings import answer as answered
from conformance.planbok.messages import challenge_of, customer_id, payload
from conformance.planbok.suite.effects import listed_customers
from conformance.planbok.suite.events import events_about, identifier
from conformance.planbok.suite.tenant import Tenant
from conformance.scenario import crosses, expect, expect_reading, refused, step_failed, verifies, waits

DONE_ONCE = "planbok.idempotency.repeat-done-once"
ANSWERED = "planbok.idempotency.repeat-answered"
OTHER_CONTENT = "planbok.idempotency.other-content-refused"
OTHER_KEYS = 4
"""How many requests with keys of their own come between a request and its repetition."""
AT_ONCE = 4
DUPLICATES = {HTTPStatus.BAD_REQUEST, HTTPStatus.CONFLICT}


@verifies("planbok.idempotency.repeat-done-once", "planbok.idempotency.repeat-answered")
def test_a_repeated_creation_is_done_once(tenant: Tenant) -> None:
    """Given a customer, when the creation is repeated with its key, at once and after four others and a refusal."""
    ref_id = tenant.new_own_id()
    create = partial(tenant.create, "Customer", ref_id, idempotency_key=tenant.new_key())
    first = _succeeded(create())
    _expect_repeated(create(), first)
    for _ in range(OTHER_KEYS):
        tenant.create()
    tenant.create(body={"refId": ref_id, "idempotencyKey": tenant.new_key()})
    _expect_repeated(create(), first)
    _expect_one_customer(tenant, ref_id)


@crosses("idempotency", "page")
@verifies("planbok.idempotency.repeat-done-once", "planbok.idempotency.repeat-answered")
def test_a_repeated_request_for_wallets_is_done_once(tenant: Tenant) -> None:
    """Given a challenge, when its request is repeated while it is pending, and after the PIN completed it."""
    customer = tenant.ready()
    ask = partial(tenant.ask_wallets, customer.id, tenant.two_chains[:1], idempotency_key=tenant.new_key())
    first = _succeeded(ask())
    _expect_repeated(ask(), first)
    customer.person.authorize(tenant.issued(first).url)
    tenant.shortly()
    _expect_repeated(ask(), first)


@waits
@crosses("idempotency", "expiry")
@verifies("planbok.idempotency.repeat-done-once", "planbok.idempotency.repeat-answered")
def test_a_request_is_done_once_though_its_challenge_expired(tenant: Tenant, clock: Clock) -> None:
    """Given a challenge that expired, when its request is repeated with its key."""
    customer = tenant.ready()
    ask = partial(tenant.ask_wallets, customer.id, tenant.two_chains[:1], idempotency_key=tenant.new_key())
    first = _succeeded(ask())
    clock.advance(timedelta(minutes=17))
    _expect_repeated(ask(), first)


@verifies("planbok.idempotency.repeat-done-once")
def test_requests_at_once_with_one_key_are_done_once(tenant: Tenant) -> None:
    """When four creations with one key and one content come at once."""
    ref_id, key = tenant.new_own_id(), tenant.new_key()
    exchanges = tenant.together(*[lambda: tenant.create("Customer", ref_id, idempotency_key=key)] * AT_ONCE)
    _expect_one(customer_id(each.response) for each in exchanges)
    _expect_one_customer(tenant, ref_id)


@pytest.mark.usefixtures("hooks")
@verifies("planbok.idempotency.repeat-done-once")
def test_a_repetition_is_not_announced(tenant: Tenant) -> None:
    """Given a customer who was announced, when the creation is repeated twice with its key, and another one created."""
    ref_id = tenant.new_own_id()
    create = partial(tenant.create, "Customer", ref_id, idempotency_key=tenant.new_key())
    identifier = customer_id(_succeeded(create()).response) or ""
    for _ in range(2):
        create()
    later = tenant.onboard()
    tenant.eventually("customer.created to come", lambda: _created(tenant, later.id), bool)
    found = _created(tenant, identifier)
    expect(
        DONE_ONCE,
        len(found) <= 1,
        where="webhook",
        expected="one customer.created for a creation that was repeated",
        got=f"{len(found)} of them",
    )


@verifies("planbok.idempotency.other-content-refused")
def test_a_key_with_other_content_is_refused(tenant: Tenant) -> None:
    """Given a customer and a challenge, when others are asked for with their keys: another refId, another chain."""
    customer, chains = tenant.ready(), tenant.two_chains
    created, asked = tenant.new_key(), tenant.new_key()
    _succeeded(tenant.create("Customer", idempotency_key=created))
    _succeeded(tenant.ask_wallets(customer.id, chains[:1], idempotency_key=asked))
    used = ("sends-idempotency-key",)
    for exchange in (
        tenant.create("Customer", idempotency_key=created, broken=used),
        tenant.ask_wallets(customer.id, chains[1:], idempotency_key=asked, broken=used),
    ):
        expect(
            OTHER_CONTENT,
            exchange.response.status in DUPLICATES,
            where="response status",
            expected="400 or 409: the key was used with other content",
            got=answered(exchange),
            exchange=exchange,
        )


def _succeeded(exchange: Exchange) -> Exchange:
    """The exchange itself.

    Raises:
        StepFailedError: If it was not answered with 2xx.
    """
    return exchange if exchange.response.succeeded else step_failed("A POST with a new key was to succeed", exchange)


def _expect_repeated(repeat: Exchange, first: Exchange) -> None:
    """Say that a repetition is answered with what was made at first, or refused."""
    alike = (repeat.response.status, payload(repeat.response)) == (first.response.status, payload(first.response))
    expect_reading(
        ANSWERED,
        "as-before" if alike else "refused" if refused(repeat) else None,
        where="response",
        expected=f"{answered(first)} with the data of [{first.id}], or a refusal",
        got=answered(repeat) if refused(repeat) else f"{answered(repeat)}, {payload(repeat.response)}",
        exchange=repeat,
    )
    made = [_made(each) for each in (first, repeat)]
    expect(
        DONE_ONCE,
        made[1] in (None, made[0]),
        where="response /data",
        expected=f"nothing but {made[0]}, which the first request made",
        got=made[1] or answered(repeat),
        exchange=repeat,
    )


def _made(exchange: Exchange) -> str | None:
    """The id of the customer or challenge that a request made; None if it was refused."""
    challenge = challenge_of(exchange.response)
    return challenge.id if challenge and challenge.id else customer_id(exchange.response)


def _expect_one(ids: Iterable[str | None]) -> None:
    found = sorted({each for each in ids if each is not None})
    expect(DONE_ONCE, len(found) <= 1, where="response /data/id", expected="one customer", got=", ".join(found))


def _expect_one_customer(tenant: Tenant, ref_id: str) -> None:
    tenant.shortly()
    listed = [each for each in listed_customers(tenant) if each.get("refId") == ref_id]
    expect(
        DONE_ONCE,
        len({str(each.get("id")) for each in listed}) <= 1,
        where="response /data, on all pages",
        expected=f"one customer with refId {ref_id}",
        got=", ".join(str(each.get("id")) for each in listed) or "none",
    )


def _created(tenant: Tenant, customer: str) -> set[str]:
    """The ids of the events that tell of a customer's creation."""
    return {identifier(event) for event in events_about(tenant.deliveries(), "customer.created", [customer])}
