"""Requests carry a key that was issued, and one that may only read changes nothing."""

from collections.abc import Mapping
from http import HTTPStatus

from conformance.exchange import Exchange
from conformance.findings import answer as answered
from conformance.planbok.suite.effects import expect_not_created
from conformance.planbok.suite.tenant import Onboarding, Tenant
from conformance.scenario import expect_reading, expect_refusal, expect_status, step_failed, verifies

READINGS: Mapping[int, str] = {HTTPStatus.UNAUTHORIZED: "answered-401", HTTPStatus.FORBIDDEN: "answered-403"}
WITHOUT_KEY = ("sends-key",)
MISSING = "there is no key"
WRONG = "this key was never issued"
READ_ONLY = "this key may only read"


@verifies("planbok.key.missing-refused", "planbok.key.missing-status")
def test_a_missing_key_is_refused(tenant: Tenant) -> None:
    """Given a customer, when customers are created and listed and the set-up of a PIN is asked for without a key."""
    customer, ref_id = tenant.onboard(), str(tenant.ids.uuid())
    about_customers = [_create(tenant, ref_id, None), _list(tenant, None)]
    for exchange in (*about_customers, _initialize(tenant, customer, None)):
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


@verifies("planbok.key.read-only-refused")
def test_a_read_only_key_creates_nothing(tenant: Tenant) -> None:
    """Given a key that lists customers and may do no more, when a customer is created with it."""
    key, ref_id = tenant.read_only_key, str(tenant.ids.uuid())
    listing = tenant.customers(key=key)
    if not listing.response.succeeded:
        step_failed("A read-only key was to list the customers", listing)
    expect_refusal("planbok.key.read-only-refused", tenant.create(ref_id=ref_id, key=key), READ_ONLY)
    expect_not_created("planbok.key.read-only-refused", tenant, [ref_id])


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
