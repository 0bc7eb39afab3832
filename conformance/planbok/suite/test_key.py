"""Requests carry a key that was issued, and one that may only read changes nothing."""

from collections.abc import Mapping
from functools import partial
from http import HTTPStatus

from conformance.exchange import Exchange
from conformance.findings import answer as answered
from conformance.planbok.messages import KEY_HEADER
from conformance.planbok.suite.effects import expect_not_created
from conformance.planbok.suite.tenant import Onboarding, Tenant
from conformance.scenario import (
    crosses,
    expect,
    expect_acceptance,
    expect_reading,
    expect_refusal,
    expect_same,
    expect_status,
    refused,
    step_failed,
    verifies,
)
from conformance.values import near

READINGS: Mapping[int, str] = {HTTPStatus.UNAUTHORIZED: "answered-401", HTTPStatus.FORBIDDEN: "answered-403"}
WITHOUT_KEY = ("sends-key",)
MISSING = "there is no key"
WRONG = "this key was never issued"
A_KEY = near.Kind(lambda value: near.FIELD.fits(value) and len(value) >= 8)  # noqa: PLR2004 - shorter ones are words
"""A key of which a recording hides every near miss, so that none may be as short as text that stands elsewhere."""
MISSES, CREATIONS = 21, 4
"""How many near misses are tried, and of how many customers are created."""
READ_ONLY = "this key may only read"


@verifies("planbok.key.missing-refused", "planbok.key.missing-status")
def test_a_missing_key_is_refused(tenant: Tenant) -> None:
    """Given a customer, when customers are created and listed and the set-up of a PIN is asked for without a key."""
    customer, ref_id = tenant.onboard(), str(tenant.ids.uuid())
    about_customers = [_create(tenant, ref_id, None), _list(tenant, None)]
    for exchange in (*about_customers, _initialize(tenant, customer, None), _list(tenant, "")):
        expect_refusal("planbok.key.missing-refused", exchange, MISSING)
    for exchange in about_customers:
        expect_reading(
            "planbok.key.missing-status",
            READINGS.get(exchange.response.status),
            where="response status",
            expected="401 or 403",
            got=answered(exchange),
            exchange=exchange,
        )
    expect_not_created("planbok.key.missing-refused", tenant, [ref_id])


@verifies("planbok.key.missing-refused")
def test_no_other_way_to_ask_needs_no_key(tenant: Tenant) -> None:
    """Given a customer, when the customers are asked for without a key by HEAD and by paths that are like theirs."""
    customer = tenant.onboard()
    for method, path in (
        ("HEAD", "/v2/customers"),
        ("GET", "/v2/customers/"),
        ("GET", "/v2//customers"),
        ("GET", f"/v2/customers/{customer.id}/"),
    ):
        exchange = tenant.send(method, path, key=None, broken=WITHOUT_KEY)
        is_shown = method == "HEAD" or customer.id.encode() in exchange.response.body
        expect(
            "planbok.key.missing-refused",
            not (exchange.response.succeeded and is_shown),
            where="response status",
            expected=f"a refusal of {method} {path}, or nothing of the customers: {MISSING}",
            got=answered(exchange),
            exchange=exchange,
        )


@verifies("planbok.key.wrong-refused", "planbok.key.wrong-is-401")
def test_a_wrong_key_is_refused(tenant: Tenant) -> None:
    """Given a customer, when the same is done with a key that was drawn, and with one much like the tenant's own."""
    customer, ref_id = tenant.onboard(), str(tenant.ids.uuid())
    for key in _wrong_keys(tenant):
        about_customers = [_create(tenant, ref_id, key), _list(tenant, key)]
        for exchange in (*about_customers, _initialize(tenant, customer, key)):
            expect_refusal("planbok.key.wrong-refused", exchange, WRONG)
        for exchange in about_customers:
            expect_status("planbok.key.wrong-is-401", exchange, 401)
    expect_not_created("planbok.key.wrong-refused", tenant, [ref_id])


@verifies("planbok.key.wrong-refused", "planbok.key.wrong-is-401")
def test_a_key_like_the_right_one_is_refused(tenant: Tenant) -> None:
    """Given a key, when customers are listed with keys that are like it, some are created, and then listed with it."""
    misses = near.misses(tenant.credentials.api_key, A_KEY, others=[tenant.ids.alphanumeric(52)])[:MISSES]
    ref_ids = []
    for number, miss in enumerate(misses):
        because = f"the key is like the right one, {miss.name}"
        if number == MISSES // 2:
            tenant.shortly()  # all in one second would be more than the documents allow
        exchanges = [_list(tenant, miss.value)]
        if number < CREATIONS:
            ref_ids.append(str(tenant.ids.uuid()))
            exchanges.append(_create(tenant, ref_ids[-1], miss.value))
        for exchange in exchanges:
            expect_refusal("planbok.key.wrong-refused", exchange, because)
            expect_status("planbok.key.wrong-is-401", exchange, 401, because=because)
    expect_not_created("planbok.key.wrong-refused", tenant, ref_ids)


@verifies("planbok.response.same-value-accepted")
def test_the_name_of_the_keys_header_may_be_written_otherwise(tenant: Tenant) -> None:
    """When customers are listed with the key in a header whose name is in small letters, and in capitals."""
    without = tenant.customers(key=None, broken=WITHOUT_KEY)
    if not refused(without):
        step_failed("A request without the key was to be refused, so that an acceptance says something", without)
    for same in near.field_names(KEY_HEADER):
        exchange = tenant.customers(key=None, headers={same.value: tenant.credentials.api_key})
        expect_same("planbok.response.same-value-accepted", exchange, same)


@verifies("planbok.key.read-only-refused")
def test_a_read_only_key_creates_nothing(tenant: Tenant) -> None:
    """Given a key that lists customers and may do no more, when a customer is created with it."""
    key, ref_id = tenant.read_only_key, str(tenant.ids.uuid())
    listing = tenant.customers(key=key)
    if not listing.response.succeeded:
        step_failed("A read-only key was to list the customers", listing)
    expect_refusal("planbok.key.read-only-refused", tenant.create(ref_id=ref_id, key=key), READ_ONLY)
    expect_not_created("planbok.key.read-only-refused", tenant, [ref_id])


@verifies("planbok.key.read-only-refused")
def test_a_read_only_key_starts_no_task(tenant: Tenant) -> None:
    """Given a customer without a PIN and one who is set up, when each of their tasks is asked for with such a key."""
    new, customer = tenant.onboard(), tenant.ready()
    key = tenant.read_only_key
    expect_refusal("planbok.key.read-only-refused", tenant.ask("initialize", new.id, key=key), READ_ONLY)
    for task in ("recovery", "update-pin", "reset-pin"):
        expect_refusal("planbok.key.read-only-refused", tenant.ask(task, customer.id, key=key), READ_ONLY)


@crosses("authentication", "isolation")
@verifies("planbok.customer.unseen-by-others", "planbok.list.unseen-by-others")
def test_a_read_only_key_shows_nothing_of_others(tenant: Tenant, other_tenant: Tenant) -> None:
    """Given a customer with a wallet, when another organization reads both with the key that may only read."""
    customer, key = tenant.ready(), other_tenant.read_only_key
    wallet = tenant.provisioned(customer, tenant.two_chains[:1]).wallets[0]
    ids = {customer.id, customer.ref_id, wallet.address, wallet.id or wallet.address}
    about = {
        "planbok.customer.unseen-by-others": [
            other_tenant.read(customer.id, key=key),
            other_tenant.customers("?limit=100", key=key),
        ],
        "planbok.list.unseen-by-others": [
            other_tenant.wallets(customer.id, key=key),
            other_tenant.wallet(wallet.id or "", key=key),
            other_tenant.challenges(customer.id, key=key),
        ],
    }
    for rule, exchange in ((rule, exchange) for rule, exchanges in about.items() for exchange in exchanges):
        body = exchange.response.body
        seen = [] if refused(exchange) else sorted(each for each in ids if each.encode() in body)
        expect(
            rule,
            not seen,
            where="response body",
            expected="nothing of the other organization's customer",
            got=", ".join(seen) or "that",
            exchange=exchange,
        )


@crosses("authentication", "set-up")
@verifies("planbok.key.missing-refused", "planbok.key.wrong-refused", "planbok.key.read-only-refused")
def test_no_other_key_asks_for_wallets(tenant: Tenant) -> None:
    """Given a customer who is set up, when wallets are asked for without a key, with wrong ones and a read-only one."""
    customer = tenant.ready()
    exchange = tenant.ask_wallets(customer.id, key=None, broken=WITHOUT_KEY)
    expect_refusal("planbok.key.missing-refused", exchange, MISSING)
    for key in _wrong_keys(tenant):
        exchange = tenant.ask_wallets(customer.id, key=key, broken=WITHOUT_KEY)
        expect_refusal("planbok.key.wrong-refused", exchange, WRONG)
    exchange = tenant.ask_wallets(customer.id, key=tenant.read_only_key)
    expect_refusal("planbok.key.read-only-refused", exchange, READ_ONLY)


@crosses("idempotency", "authentication")
@verifies("planbok.key.missing-refused", "planbok.key.wrong-refused", "planbok.key.read-only-refused")
def test_a_repetition_needs_the_key_as_well(tenant: Tenant) -> None:
    """Given creations and a challenge, when each is repeated without a key, with wrong ones and a read-only one."""
    customer = tenant.ready()
    again, ref_id = tenant.new_key(), str(tenant.ids.uuid())
    calls = (
        partial(tenant.create, "Customer", ref_id, idempotency_key=tenant.new_key()),
        partial(tenant.ask_wallets, customer.id, idempotency_key=again),
    )
    for call in calls:
        first = call()
        if not first.response.succeeded:
            tenant.require_alone(first)
            step_failed("A request with an idempotencyKey was to succeed", first)
        expect_refusal("planbok.key.missing-refused", call(key=None, broken=WITHOUT_KEY), MISSING)
        for key in _wrong_keys(tenant):
            expect_refusal("planbok.key.wrong-refused", call(key=key, broken=WITHOUT_KEY), WRONG)
        expect_refusal("planbok.key.read-only-refused", call(key=tenant.read_only_key), READ_ONLY)


@crosses("idempotency", "authentication")
@verifies("planbok.customer.created")
def test_an_idempotency_key_of_nobody_stays_free(tenant: Tenant) -> None:
    """Given a creation that came with no API key and with wrong ones, when it is sent with the right one."""
    key, ref_id = tenant.new_key(), str(tenant.ids.uuid())
    send = partial(tenant.create, "Customer", ref_id, idempotency_key=key)
    for wrong in (None, *_wrong_keys(tenant)):
        send(key=wrong, broken=WITHOUT_KEY)
    expect_acceptance("planbok.customer.created", send())


def _create(tenant: Tenant, ref_id: str, key: str | None) -> Exchange:
    return tenant.create(ref_id=ref_id, key=key, broken=WITHOUT_KEY)


def _list(tenant: Tenant, key: str | None) -> Exchange:
    return tenant.customers(key=key, broken=WITHOUT_KEY)


def _initialize(tenant: Tenant, customer: Onboarding, key: str | None) -> Exchange:
    return tenant.ask("initialize", customer.id, key=key, broken=WITHOUT_KEY)


def _wrong_keys(tenant: Tenant) -> tuple[str, str]:
    """A key of the length of the tenant's own, and its own with another character at the end."""
    own = tenant.credentials.api_key
    return tenant.ids.alphanumeric(len(own)), own[:-1] + ("0" if own[-1] == "1" else "1")
