"""A customer is created, read and listed, shows how far the set-up is, and can replace the PIN."""

from collections.abc import Mapping
from http import HTTPStatus

import pytest

from conformance.exchange import Exchange
from conformance.findings import answer as answered
from conformance.planbok.messages import customer_id, payload
from conformance.planbok.suite.effects import listed_customers
from conformance.planbok.suite.person import shown
from conformance.planbok.suite.tenant import RETURN_URL, Onboarding, Tenant
from conformance.scenario import expect, expect_acceptance, expect_reading, needs, refused, step_failed, verifies

A_SMALL_PAGE = 2


@verifies("planbok.customer.created", "planbok.customer.id-form")
def test_a_customer_is_created(tenant: Tenant) -> None:
    """When a customer is created from a name and an id of the caller's own."""
    exchange = tenant.create()
    expect_acceptance("planbok.customer.created", exchange)
    if customer_id(exchange.response) is None:
        step_failed("A new customer was to have an id", exchange)


@verifies("planbok.customer.readable", "planbok.customer.names-kept")
def test_a_customer_is_read_as_it_was_created(tenant: Tenant) -> None:
    """Given a customer, when it is read."""
    exchange = tenant.read(tenant.onboard().id)
    expect_acceptance("planbok.customer.readable", exchange)
    data = payload(exchange.response)
    if not isinstance(data, Mapping):
        step_failed("A customer was to be read", exchange)
    if not {"name", "refId"} & data.keys():
        needs("name or refId of a customer, which this API does not show")


@verifies("planbok.customer.listed")
def test_every_customer_is_on_a_page_of_the_list(tenant: Tenant) -> None:
    """Given three customers, when the customers are listed in pages of two."""
    ids = {tenant.onboard().id for _ in range(A_SMALL_PAGE + 1)}
    missing = tenant.eventually(lambda: _unlisted(tenant, ids), lambda found: not found)
    expect(
        "planbok.customer.listed",
        not missing,
        where="response /data, on all pages",
        expected=f"the customers {', '.join(sorted(ids))}",
        got=f"a list without {', '.join(sorted(missing))}" if missing else "all of them",
    )


def _unlisted(tenant: Tenant, ids: set[str]) -> set[str]:
    """Those of the customers that no page of the list holds."""
    missing = set(ids)
    for customer in listed_customers(tenant, A_SMALL_PAGE):
        missing.discard(str(customer.get("id")))
        if not missing:
            break
    return missing


@verifies("planbok.customer.ref-id-omitted")
def test_a_customer_without_an_id_of_the_callers_is_taken_or_refused(tenant: Tenant) -> None:
    """When a customer is created from a name alone."""
    exchange = tenant.create(body={"name": "Customer without refId", "idempotencyKey": tenant.new_key()})
    expect_reading(
        "planbok.customer.ref-id-omitted",
        "accepted" if exchange.response.succeeded else "refused" if refused(exchange) else None,
        where="response status",
        expected="2xx, or a refusal of 4xx",
        got=answered(exchange),
        exchange=exchange,
    )


@verifies("planbok.customer.unseen-by-others")
def test_a_customer_is_not_shown_to_another_organization(tenant: Tenant, other_tenant: Tenant) -> None:
    """Given a customer, when another organization reads it and lists its customers."""
    customer = tenant.onboard()
    exchange = other_tenant.read(customer.id)
    expect(
        "planbok.customer.unseen-by-others",
        customer_id(exchange.response) != customer.id and customer.ref_id.encode() not in exchange.response.body,
        where="response",
        expected="nothing of the customer",
        got=answered(exchange) if refused(exchange) else exchange.response.body,
        exchange=exchange,
    )
    other_tenant.shortly()
    found = [each for each in listed_customers(other_tenant) if each.get("id") == customer.id]
    expect(
        "planbok.customer.unseen-by-others",
        not found,
        where="response /data, on all pages",
        expected=f"a list without {customer.id}",
        got="a list with it" if found else "that",
    )


# ----------------------------------------------------------------------------------------------------- the set-up


@verifies("planbok.customer.initialize-body")
def test_the_set_up_is_asked_for_with_a_return_alone(tenant: Tenant) -> None:
    """Given a customer, when the set-up of a PIN is asked for with a redirectUrl and, if refused, with chains too."""
    customer = tenant.onboard()
    exchange = tenant.ask("initialize", customer.id)
    reading = "redirect-url-suffices" if exchange.response.succeeded else None
    if exchange.response.status == HTTPStatus.NOT_FOUND:
        step_failed("A customer was to be found", exchange)
    if refused(exchange):
        body = {"redirectUrl": RETURN_URL, "blockchains": list(tenant.two_chains), "accountType": "eoa"}
        exchange = tenant.ask("initialize", customer.id, body=body)
        reading = "blockchains-needed" if exchange.response.succeeded else None
    expect_reading(
        "planbok.customer.initialize-body",
        reading,
        where="response status",
        expected="2xx to redirectUrl alone, or to redirectUrl, blockchains and accountType",
        got=answered(exchange),
        exchange=exchange,
    )


@verifies("planbok.customer.has-pin")
def test_has_pin_becomes_true_on_the_page(tenant: Tenant) -> None:
    """Given a new customer, when the page is opened, when a PIN is set there, and when recovery is."""
    rule = "planbok.customer.has-pin"
    customer = tenant.onboard()
    _expect_not_yet(rule, customer.exchange, "hasPin")
    issued = tenant.issued(tenant.ask("initialize", customer.id))
    customer.person.open(issued.url)
    _expect_flag(rule, tenant.read(customer.id), "hasPin", value=False, when="before a PIN is set")
    customer.person.set_pin(issued.url)
    _expect_flag(rule, _read_until(tenant, customer, "hasPin"), "hasPin", value=True, when="after a PIN was set")
    customer.person.set_recovery(issued.url)
    _expect_flag(rule, tenant.read(customer.id), "hasPin", value=True, when="from then on")


@verifies("planbok.customer.has-recovery")
def test_has_recovery_becomes_true_on_the_page(tenant: Tenant) -> None:
    """Given a new customer, when a PIN is set on the page, and then recovery, in the same visit if it goes on."""
    rule = "planbok.customer.has-recovery"
    customer = tenant.onboard()
    _expect_not_yet(rule, customer.exchange, "hasRecovery")
    issued = tenant.issued(tenant.ask("initialize", customer.id))
    page = customer.person.set_pin(issued.url)
    tenant.shortly()
    _expect_flag(rule, tenant.read(customer.id), "hasRecovery", value=False, when="with a PIN alone")
    if page.form is None:
        issued = tenant.issued(tenant.ask("recovery", customer.id))
    customer.person.set_recovery(issued.url)
    _expect_recovery(tenant, customer)


@verifies("planbok.customer.has-recovery")
def test_has_recovery_becomes_true_by_a_challenge_of_its_own(tenant: Tenant) -> None:
    """Given a customer who left after the PIN, when recovery is asked for, and set up in another browser."""
    customer = tenant.with_pin()
    issued = tenant.issued(tenant.ask("recovery", customer.id))
    customer.person.take_another_browser()
    customer.person.set_recovery(issued.url)
    _expect_recovery(tenant, customer)


def _expect_recovery(tenant: Tenant, customer: Onboarding) -> None:
    exchange = _read_until(tenant, customer, "hasRecovery")
    when = "after recovery was set up"
    _expect_flag("planbok.customer.has-recovery", exchange, "hasRecovery", value=True, when=when)


def _read_until(tenant: Tenant, customer: Onboarding, name: str) -> Exchange:
    """The customer as soon as a flag is true."""
    return tenant.eventually(lambda: tenant.read(customer.id), lambda exchange: _flag(exchange, name) is True)


def _flag(exchange: Exchange, name: str) -> object:
    data = payload(exchange.response)
    return data.get(name) if isinstance(data, Mapping) else None


def _expect_not_yet(rule: str, exchange: Exchange, name: str) -> None:
    """Say that a creation must not show a flag as true; no document says that it shows the flag."""
    expect(
        rule,
        _flag(exchange, name) in (False, None),
        where=f"response /data/{name}",
        expected="false, or nothing",
        got=_flag(exchange, name),
        exchange=exchange,
    )


def _expect_flag(rule: str, exchange: Exchange, name: str, *, value: bool, when: str) -> None:
    expect(
        rule,
        _flag(exchange, name) is value,
        where=f"response /data/{name}",
        expected=f"{str(value).lower()} {when}",
        got=answered(exchange) if refused(exchange) else _flag(exchange, name),
        exchange=exchange,
    )


@verifies("planbok.customer.recovery-in-onboarding")
def test_recovery_is_set_up_with_the_pin_or_later(tenant: Tenant) -> None:
    """Given a customer who has just set a PIN, when recovery is skipped if the page permits, and asked for later."""
    customer = tenant.onboard()
    issued = tenant.issued(tenant.ask("initialize", customer.id))
    page = customer.person.set_pin(issued.url)
    if page.step == "set-pin":
        step_failed(f"A PIN was to be set, and the page says: {page.text}")
    exchange = shown(page)
    reading: str | None = "mandatory"
    skippable = page.form is not None and any(
        "skip" in f"{button.value} {button.label}".lower() for button in page.form.buttons
    )
    if skippable:
        customer.person.submit(page, {}, action="skip")
    if skippable or page.form is None:
        exchange = tenant.ask("recovery", customer.id)
        reading = "skippable" if exchange.response.succeeded else None
    expect_reading(
        "planbok.customer.recovery-in-onboarding",
        reading,
        where="page, and response status",
        expected="a page that asks for recovery, or 2xx to a later request for it",
        got=answered(exchange) if reading != "mandatory" else page.text,
        exchange=exchange,
    )


@pytest.mark.parametrize("task", ["update-pin", "reset-pin"])
@verifies("planbok.customer.pin-replaced")
def test_a_new_pin_takes_the_place_of_the_old_one(tenant: Tenant, task: str) -> None:
    """Given a customer who replaced the PIN, when wallets are authorized with the old one and with the new one."""
    customer = tenant.ready()
    person = customer.person
    replacing = tenant.issued(tenant.ask(task, customer.id))
    (person.change_pin if task == "update-pin" else person.reset_pin)(replacing.url)
    chains = tenant.two_chains

    old = tenant.requested(customer, chains[:1])
    person.authorize(old.url, person.other_pin)
    tenant.shortly()
    challenge, wallets = tenant.seen(customer.id, old.id), tenant.owned(customer.id)
    expect(
        "planbok.customer.pin-replaced",
        not challenge.succeeded and not wallets,
        where="response /data",
        expected="a challenge that did not succeed with the old PIN, and no wallet",
        got=f"{challenge.status}, {len(wallets)} wallets",
    )
    new = tenant.requested(customer, chains[1:])
    person.authorize(new.url)
    challenge = tenant.ended(customer.id, new.id)
    expect(
        "planbok.customer.pin-replaced",
        challenge.succeeded or bool(challenge.wallets),
        where="response /data",
        expected="a challenge that succeeded with the new PIN, or its wallet",
        got=f"{challenge.status}, {len(challenge.wallets)} wallets",
    )
