"""What one API client created stays unseen and untouched by another."""

from collections.abc import Sequence
from http import HTTPStatus

import pytest

from conformance.exchange import Delivery, Exchange
from conformance.findings import answer as answered
from conformance.offblocks.checks import listed
from conformance.offblocks.messages import issued_challenge
from conformance.offblocks.suite.effects import expect_the_same_answer, listed_with
from conformance.offblocks.suite.signing_keys import (
    another_key,
    register,
    remove_key,
    require_disposable,
    use_another_key,
)
from conformance.offblocks.suite.tenant import Tenant
from conformance.offblocks.wallet import Wallet
from conformance.scenario import (
    BETWEEN_LOOKS,
    PATIENCE,
    crosses,
    expect,
    expect_acceptance,
    expect_status,
    leaves_out,
    needs,
    step_failed,
    verifies,
)
from conformance.targets import Hooks, Subject
from conformance.values import near

GIVEN = ("id", "createdAt", "updatedAt", "challenge")
"""The members of a customer that the server gives, and nobody sends, besides its status."""
_TAKEN = "taken"
UNSEEN = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND)
UNKNOWN_SPELLING = HTTPStatus.BAD_REQUEST
"""What a server may answer besides that does not take an id in another letter case than its own."""


@verifies("offblocks.isolation.list-apart")
def test_a_list_shows_no_customers_of_others(
    tenant: Tenant, other_tenant: Tenant, wallet: Wallet, other_wallet: Wallet
) -> None:
    """Given a customer whom one client listed, when another client, which may have one of its wallet, lists its own."""
    customer = tenant.onboard(wallet)
    other_tenant.create(wallet)
    own = other_tenant.onboard(other_wallet)
    listed_with(tenant, customer.id)
    exchange = listed_with(other_tenant, own.id)
    found = [each for each in listed(exchange) if each.get("id") == customer.id]
    expect(
        "offblocks.isolation.list-apart",
        not found,
        where="response body",
        expected=f"a list without {customer.id}",
        got=f"{answered(exchange)} with it" if found else answered(exchange),
        exchange=exchange,
    )


@crosses("authentication", "isolation")
@verifies("offblocks.isolation.customer-unseen")
def test_a_customer_is_not_read_by_others(tenant: Tenant, other_tenant: Tenant, wallet: Wallet) -> None:
    """Given a customer whom its client has read, when another client reads it, in either letter case of its id."""
    customer = tenant.onboard(wallet)
    tenant.read(customer.id)
    expect_status("offblocks.isolation.customer-unseen", other_tenant.read(customer.id), *UNSEEN)
    for same in near.uuids(customer.id):
        expect_status("offblocks.isolation.customer-unseen", other_tenant.read(same.value), *UNSEEN, UNKNOWN_SPELLING)


@verifies("offblocks.isolation.challenge-unseen")
def test_a_challenge_is_not_fetched_by_others(tenant: Tenant, other_tenant: Tenant, wallet: Wallet) -> None:
    """Given a challenge that its client has fetched, when another client does, before it is signed and after."""
    customer = tenant.onboard(wallet)
    tenant.fetch(customer.id)
    expect_status("offblocks.isolation.challenge-unseen", other_tenant.fetch(customer.id), *UNSEEN)
    for same in near.uuids(customer.id):
        expect_status("offblocks.isolation.challenge-unseen", other_tenant.fetch(same.value), *UNSEEN, UNKNOWN_SPELLING)
    tenant.sign(customer.id, wallet, customer.challenge)
    expect_status("offblocks.isolation.challenge-unseen", other_tenant.fetch(customer.id), *UNSEEN)


@crosses("isolation", "state")
@verifies("offblocks.customer.readable", "offblocks.isolation.others-untouched")
def test_a_pair_of_two_clients_is_that_of_two_customers(tenant: Tenant, other_tenant: Tenant, wallet: Wallet) -> None:
    """Given a customer, when another client creates one with the same wallet and external id, who signs."""
    customer = tenant.onboard(wallet)
    creation = other_tenant.create(wallet, customer.external_id)
    challenge = issued_challenge(creation.response)
    if challenge is None:
        needs("a customer with the wallet and external id of another client's, which this API refuses")
    other_tenant.sign(str(creation.response.members().get("id")), wallet, challenge)
    read = tenant.read(customer.id)
    expect_status("offblocks.customer.readable", read, 200)
    if not read.response.succeeded:
        step_failed("A customer was to be read", read)
    status = read.response.members().get("status")
    expect(
        "offblocks.isolation.others-untouched",
        status == "initiating",
        where="response /status",
        expected="initiating, since only the other client's customer signed",
        got=status,
        exchange=read,
    )


@crosses("isolation", "state")
@verifies("offblocks.isolation.no-action")
def test_a_challenge_is_not_signed_through_others(tenant: Tenant, other_tenant: Tenant, wallet: Wallet) -> None:
    """Given a customer, when another client sends the owner's right signature, and then its own client does."""
    customer = tenant.onboard(wallet)
    exchange = other_tenant.sign(customer.id, wallet, customer.challenge)
    _expect_no_action(exchange, before="initiating", after=tenant.status(customer.id))
    expect_acceptance("offblocks.isolation.no-action", tenant.sign(customer.id, wallet, customer.challenge))


@pytest.mark.parametrize("outcome", ["verify", "reject"])
@crosses("isolation", "state")
@verifies("offblocks.isolation.no-action")
def test_a_verification_is_not_simulated_by_others(
    tenant: Tenant, other_tenant: Tenant, wallet: Wallet, outcome: str
) -> None:
    """Given a customer of one client with pending verification, when another client simulates its outcome."""
    customer = tenant.verifying(wallet)
    exchange = other_tenant.simulate(outcome, customer.id)
    after = tenant.status(customer.id)
    if after != "verifying" and not exchange.response.succeeded:
        tenant.require_pending(customer.id)
    _expect_no_action(exchange, before="verifying", after=after)


def _expect_no_action(exchange: Exchange, *, before: str, after: str) -> None:
    rule = "offblocks.isolation.no-action"
    expect_status(rule, exchange, *UNSEEN)
    expect(rule, after == before, where="response /status", expected=f"{before}, as before", got=after)


@verifies("offblocks.isolation.keys-apart", "offblocks.idempotency.repeat-answered-alike")
def test_an_idempotency_key_of_one_client_is_free_for_others(
    tenant: Tenant, other_tenant: Tenant, wallet: Wallet, other_wallet: Wallet
) -> None:
    """Given a client's creation, when another client creates a customer with its key, and the first one repeats it."""
    key, external_id = tenant.new_key(), tenant.new_external_id()
    first = tenant.create(wallet, external_id, key=key)
    if not first.response.succeeded:
        step_failed("A customer was to be created", first)
    second = other_tenant.create(other_wallet, key=key)
    ids = [exchange.response.members().get("id") for exchange in (first, second)]
    expect(
        "offblocks.isolation.keys-apart",
        second.response.succeeded and ids[0] != ids[1],
        where="response",
        expected="201 with an id of its own",
        got=f"{answered(second)}, id {ids[1]}",
        exchange=second,
    )
    repeat = tenant.create(wallet, external_id, key=key)
    expect_the_same_answer("offblocks.idempotency.repeat-answered-alike", repeat, first)


@crosses("idempotency", "isolation")
@verifies("offblocks.isolation.keys-apart")
def test_the_keys_of_every_step_are_free_for_others(tenant: Tenant, other_tenant: Tenant) -> None:
    """Given the keys with which one client's customer came to be active, when another client's does with the same."""
    keys = [tenant.new_key() for _ in range(3)]
    for client in (tenant, other_tenant):
        wallet, external_id = client.new_wallet(), client.new_external_id()
        creation = client.create(wallet, external_id, key=keys[0])
        challenge = issued_challenge(creation.response)
        if challenge is None:
            step_failed("A customer was to be created with a challenge", creation)
        customer = str(creation.response.members().get("id"))
        steps = [client.sign(customer, wallet, challenge, key=keys[1])]
        if client.status_once(customer, "verifying") == "verifying":
            steps.append(client.simulate("verify", customer, key=keys[2]))
        for exchange in steps:
            if client is tenant and not exchange.response.succeeded:
                step_failed("A customer was to become active", exchange)
            if client is other_tenant:
                expect_acceptance("offblocks.isolation.keys-apart", exchange)


@verifies("offblocks.isolation.no-action")
def test_a_webhook_is_not_changed_by_others(tenant: Tenant, other_tenant: Tenant, hooks: Hooks) -> None:
    """Given a webhook of one client, when another client registers another address under its id."""
    own = tenant.put_webhook(hooks.url)
    identifier = own.response.members().get("id")
    if not own.response.succeeded or not isinstance(identifier, str):
        step_failed("A webhook was to be registered with an id", own)
    body = {"id": identifier, "callbackUrl": hooks.beside(_TAKEN), "types": ["customer.updated"]}
    exchange = other_tenant.put_webhook(hooks.url, body=body)
    moved = False
    if exchange.response.succeeded and exchange.response.members().get("id") == identifier:
        moved = _TAKEN in _addresses_of_a_new_customer(tenant)  # ids may be each client's own
    expect(
        "offblocks.isolation.no-action",
        not moved,
        where="response",
        expected="a refusal, or the first client's events where they went before",
        got=f"{answered(exchange)}, and they go to the other client's address" if moved else answered(exchange),
        exchange=exchange,
    )


@leaves_out("neighbours", "population", "past", "readings", because="Others sign with the key that is removed.")
@crosses("signature", "isolation")
@verifies("offblocks.isolation.others-untouched")
def test_a_key_is_removed_for_its_client_alone(tenant: Tenant, other_tenant: Tenant, subject: Subject) -> None:
    """Given two clients that use the API, when one registers another signing key, and the other's, and removes it."""
    require_disposable(subject)
    one, others = another_key(subject), another_key(subject, "of the other client")
    for step in ("use another", "use the other client's", "remove"):
        if step == "use the other client's":
            use_another_key(other_tenant, subject, others)
        before = other_tenant.customers()
        if not before.response.succeeded:
            step_failed("The customers were to be listed", before)
        if step == "remove":
            remove_key(tenant)
        else:
            register(tenant, one if step == "use another" else others)
        after = other_tenant.customers()
        because = f"another client's step was to {step} key"
        expect_status("offblocks.isolation.others-untouched", after, before.response.status, because=because)


@verifies("offblocks.webhook.sent-on-creation")
def test_an_address_may_be_that_of_several_clients(
    tenant: Tenant, other_tenant: Tenant, wallet: Wallet, subject: Subject, hooks: Hooks
) -> None:
    """Given an address that two clients registered one after the other, when the first one creates a customer."""
    for client in (tenant, other_tenant):
        registration = client.put_webhook(hooks.url)
        if not registration.response.succeeded:
            step_failed("A webhook was to be registered", registration)
    customer = tenant.onboard(wallet).id
    subject.clock.advance(BETWEEN_LOOKS)
    found = _customers(tenant.eventually("an event", tenant.deliveries, lambda seen: customer in _customers(seen)))
    expect(
        "offblocks.webhook.sent-on-creation",
        customer in found,
        where="webhook",
        expected=f"an event of {customer} within {PATIENCE}",
        got=f"events of {', '.join(sorted(found)) or 'nobody'}",
    )


@verifies("offblocks.isolation.events-apart")
def test_an_event_is_not_sent_to_others(
    tenant: Tenant, other_tenant: Tenant, wallet: Wallet, other_wallet: Wallet, subject: Subject, hooks: Hooks
) -> None:
    """Given an address that one client registered, when another creates customers, with its wallet and externalId."""
    registration = other_tenant.put_webhook(hooks.url)
    if not registration.response.succeeded:
        step_failed("A webhook was to be registered", registration)
    first = other_tenant.onboard(other_tenant.new_wallet())
    foreign = {each.id for each in (tenant.onboard(wallet), *tenant.like(first))}
    own = other_tenant.onboard(other_wallet)
    subject.clock.advance(BETWEEN_LOOKS)
    found = other_tenant.eventually("an event", other_tenant.deliveries, lambda seen: own.id in _customers(seen))
    if own.id not in _customers(found):
        step_failed(
            f"An event of the client's own customer was to come within {PATIENCE}",
            relies_on=["offblocks.webhook.sent-on-change"],
        )
    expect(
        "offblocks.isolation.events-apart",
        not foreign & _customers(found),
        where="webhook",
        expected=f"no event of {' or '.join(sorted(foreign))}",
        got=f"{len(found)} events, of {', '.join(sorted(_customers(found)))}",
    )


def _addresses_of_a_new_customer(tenant: Tenant) -> set[str]:
    """The queries of the addresses that are sent the event of a customer who is created now."""
    customer = tenant.onboard(tenant.new_wallet()).id
    found = tenant.eventually("an event", tenant.deliveries, lambda seen: customer in _customers(seen))
    if customer not in _customers(found):
        step_failed(
            f"An event of the first client's customer was to come within {PATIENCE}",
            relies_on=["offblocks.webhook.sent-on-creation"],
        )
    return {each.request.url.partition("?")[2] for each in found if each.request.members().get("id") == customer}


def _customers(deliveries: Sequence[Delivery]) -> set[str]:
    return {str(delivery.request.members().get("id")) for delivery in deliveries}


@verifies("offblocks.customer.readable", "offblocks.customer.starts-initiating")
def test_a_caller_does_not_give_what_the_server_gives(tenant: Tenant, wallet: Wallet, other_wallet: Wallet) -> None:
    """Given a customer, when another is created with the members that the first has of the server; or refused."""
    first = tenant.onboard(wallet)
    shown = first.exchange.response.members()
    given = {name: shown[name] for name in GIVEN if name in shown}
    body = {"chainId": other_wallet.account_id, "externalId": tenant.new_external_id(), **given}
    answer = tenant.create(body=body)
    read = tenant.read(first.id)
    if not read.response.succeeded:
        step_failed("A customer was to be read", read)
    named = {name: read.response.members().get(name) for name in ("id", "chainId", "externalId", "status")}
    before = {name: shown.get(name) for name in named}
    expect(
        "offblocks.customer.readable",
        named == before,
        where="response body",
        expected=f"{before}, though [{answer.id}] came with its {', '.join(given)}",
        got=named,
        exchange=read,
    )
    if answer.response.succeeded:
        new = answer.response.members().get("challenge")
        expect(
            "offblocks.customer.starts-initiating",
            new != given.get("challenge"),
            where="response /challenge",
            expected="a challenge of the new customer's own",
            got="that of the first one",
            exchange=answer,
        )
