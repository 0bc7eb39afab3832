"""What all answers have in common: their form, that no request breaks the server, and that none is done twice."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from functools import partial
from http import HTTPStatus

import pytest

from conformance.clock import Clock
from conformance.exchange import Exchange
from conformance.findings import answer
from conformance.planbok.messages import challenge_of, customer_id, payload
from conformance.planbok.suite.effects import listed_customers
from conformance.planbok.suite.events import events_about, identifier
from conformance.planbok.suite.tenant import Tenant
from conformance.scenario import (
    crosses,
    expect,
    expect_reading,
    leaves_out,
    needs,
    refused,
    step_failed,
    verifies,
    waits,
)
from conformance.standards.spellings import EscapedJson
from conformance.values import near, telling

NESTED = b'{"name":' + b"[" * 500 + b"]" * 500 + b"}"
REFUSALS = range(400, 500)
A_FRACTION = timedelta(milliseconds=70)
"""A fraction of a second that begins with a zero, and whose double does not."""
DONE_ONCE = "planbok.idempotency.repeat-done-once"
ANSWERED = "planbok.idempotency.repeat-answered"
OTHER_CONTENT = "planbok.idempotency.other-content-refused"
OTHER_KEYS = 4
"""How many requests with keys of their own come between a request and its repetition."""
AT_ONCE = 4
DUPLICATES = {HTTPStatus.BAD_REQUEST, HTTPStatus.CONFLICT}


@verifies(
    "planbok.response.matches-schema",
    "planbok.response.matches-inferred-schema",
    "planbok.response.is-json",
    "planbok.response.success-agrees",
)
def test_answers_about_customers_have_the_expected_form(tenant: Tenant) -> None:
    """Given a tenant, when a customer is created, read and listed, and the set-up of a PIN is asked for."""
    customer = tenant.onboard()
    tenant.read(customer.id)
    tenant.customers()
    tenant.ask("initialize", customer.id)


@verifies("planbok.response.times-right", "planbok.response.times-stay")
def test_times_are_those_of_what_they_name(tenant: Tenant) -> None:
    """Given customers of one second, one with a wallet and a challenge, when each is read and listed, and later too."""
    for _ in range(2):
        if tenant.moves_clock:
            tenant.clock.advance(A_FRACTION)
        tenant.onboard()
    customer = tenant.ready()
    first, second = tenant.two_chains
    tenant.provisioned(customer, [first])
    issued = tenant.requested(customer, [second])
    for _ in range(2):
        tenant.shortly()
        tenant.read(customer.id)
        tenant.customers()
        tenant.challenge(customer.id, issued.id)
        tenant.wallets(customer.id)
    needs("what this API does not show: times of customers, of wallets or of challenges")


@verifies(
    "planbok.response.matches-schema",
    "planbok.response.matches-inferred-schema",
    "planbok.response.is-json",
    "planbok.response.success-agrees",
)
def test_answers_about_wallets_have_the_expected_form(tenant: Tenant) -> None:
    """Given a customer with wallets, when they and the challenges are listed, and each other challenge is asked for."""
    customer = tenant.ready()
    tenant.provisioned(customer)
    tenant.challenges(customer.id)
    tenant.wallets(customer.id)
    for task in ("recovery", "update-pin", "reset-pin"):
        tenant.ask(task, customer.id)


@verifies("planbok.response.success-agrees", "planbok.response.described-accepted")
def test_success_tells_an_acceptance_from_a_refusal(tenant: Tenant) -> None:
    """Given a customer, when it is read with the Content-Type of all requests, and one who does not exist."""
    exchange = tenant.read(tenant.onboard().id, headers={"Content-Type": "application/json"})
    expect(
        "planbok.response.described-accepted",
        exchange.response.succeeded,
        where="response status",
        expected="2xx to a GET with a Content-Type, which many clients send with every request",
        got=answer(exchange),
        exchange=exchange,
    )
    tenant.read(tenant.ids.draw(12).hex())


@verifies("planbok.response.error-body", "planbok.response.is-json")
def test_a_refusal_says_what_was_wrong(tenant: Tenant) -> None:
    """When a customer is created without a name, and one who does not exist is read and asked for wallets."""
    unknown, challenge = tenant.ids.draw(12).hex(), tenant.ids.draw(12).hex()
    nameless = {"refId": str(tenant.ids.uuid()), "idempotencyKey": tenant.new_key()}
    exchanges = [
        tenant.create(body=nameless),
        tenant.read(unknown),
        tenant.ask_wallets(unknown),
        tenant.challenge(unknown, challenge),
    ]
    if not any(exchange.response.status in REFUSALS for exchange in exchanges):
        step_failed(f"A customer who does not exist was to be refused with 4xx, and not with {answer(exchanges[1])}")


@verifies("planbok.response.no-server-error")
def test_a_body_that_is_no_document_breaks_nothing(tenant: Tenant) -> None:
    """Given a tenant, when it sends something else than the JSON object that a creation takes."""
    for content in (b"{", b"[]", b"null", b"\xff\xfe"):
        tenant.create(content=content, broken=("sends-json", "sends-idempotency-key"))
    tenant.create(content=NESTED, broken=("sends-idempotency-key",))


@verifies("planbok.response.no-server-error")
def test_a_member_of_another_type_breaks_nothing(tenant: Tenant) -> None:
    """Given a customer, when numbers, nulls, arrays and objects are sent in the place of texts and of a list."""
    customer = tenant.onboard()
    for value in (7, None, [7], {"value": 7}):
        tenant.create(body={"name": value, "refId": value, "idempotencyKey": tenant.new_key()})
        tenant.ask("initialize", customer.id, body={"redirectUrl": value})
        wallets = {"blockchains": value, "redirectUrl": value, "idempotencyKey": tenant.new_key()}
        broken = ("asks-for-wallets-as-documented", "checks-set-up-first")
        tenant.ask_wallets(customer.id, body=wallets, broken=broken)


@verifies("planbok.response.no-server-error")
def test_a_strange_path_or_page_breaks_nothing(tenant: Tenant) -> None:
    """Given a tenant, when it reads what is no customer, and pages that are none."""
    for customer in ("%00", "%ff", "..%2f", "a" * 2000):
        tenant.read(customer)
    for query in ("?page=0", "?page=-1", "?page=first", "?limit=0", "?limit=99999999999999999999", "?order=sideways"):
        tenant.customers(query)


@leaves_out("readings", because="Everything is read before and after each step already.")
@verifies(
    "planbok.response.reading-changes-nothing",
    "planbok.response.refusal-changes-nothing",
    "planbok.response.others-untouched",
)
def test_a_step_changes_what_it_is_for_and_nothing_else(watched: Tenant) -> None:
    """Given a customer with a PIN and one without, when both are read and ask for challenges, rightly and wrongly."""
    first, second = watched.ready(), watched.onboard()
    for customer in (first, second):
        watched.read(customer.id)
        watched.challenges(customer.id)
        watched.wallets(customer.id)
    watched.create(key=None, broken=("sends-key",))
    watched.ask("initialize", second.id)
    watched.ask_wallets(second.id, broken=("checks-set-up-first",))
    watched.ask_wallets(first.id, account_type="sca", broken=("asks-for-wallets-as-documented",))
    watched.ask_wallets(first.id, [watched.two_chains[0], "NO-SUCH-CHAIN"])
    watched.ask("recovery", first.id)
    asked = watched.requested(first)
    watched.challenge(first.id, asked.id)
    watched.ask("update-pin", first.id)


@leaves_out("readings", because="Everything is read before and after each step already.")
@verifies("planbok.response.reading-changes-nothing", "planbok.response.others-untouched")
def test_what_is_entered_at_a_page_changes_nothing_elsewhere(watched: Tenant) -> None:
    """Given customers in other states, when one sets a PIN, enters wrong ones and right ones, cancels, and is read."""
    watched.onboard()
    watched.requested(watched.ready())
    customer = watched.ready()
    asked = watched.requested(customer)
    customer.person.open(asked.url)
    customer.person.authorize(asked.url, customer.person.other_pin)
    customer.person.authorize(asked.url)
    watched.challenge(customer.id, asked.id)
    customer.person.cancel(watched.issued(watched.ask("recovery", customer.id)).url)
    customer.person.reset_pin(watched.issued(watched.ask("reset-pin", customer.id)).url)


@verifies("planbok.customer.names-kept", "planbok.response.described-accepted")
def test_names_are_kept_when_json_escapes_them(tenant: Tenant) -> None:
    """When a customer is created under letters of many scripts, each escaped as JSON may have it, and is read."""
    number = 10**9 + tenant.ids.below(9 * 10**9)
    text = " ".join(value.numbered(number) for value in telling.TEXTS[2:10])
    body = {"name": text, "refId": text, "idempotencyKey": tenant.new_key()}
    exchange = tenant.create(content=EscapedJson().json(body))
    expect(
        "planbok.response.described-accepted",
        exchange.response.succeeded,
        where="response status",
        expected="2xx: escapes in JSON say the same as what they stand for (RFC 8259, section 7)",
        got=answer(exchange),
        exchange=exchange,
    )
    identifier = customer_id(exchange.response) or step_failed("A customer was to have an id", exchange)
    data = payload(tenant.read(identifier).response)
    if isinstance(data, Mapping) and not {"name", "refId"} & data.keys():
        needs("name or refId of a customer, which this API does not show")


# ---------------------------------------------------------------------------------------------------- repeated requests


@verifies("planbok.customer.created", "planbok.customer.names-kept")
def test_a_customer_of_the_same_name_is_another(tenant: Tenant) -> None:
    """Given customers, when others of the same name, and of names that are like theirs, are created and read."""
    pairs = near.chosen(telling.PAIRS, tenant.ids, core=2, more=1)
    number = 10**9 + tenant.ids.below(9 * 10**9)
    data: object = None
    names = [("Customer", "Customer"), *(pair.numbered(number) for pair in pairs)]
    for one, other in names:
        first, second = tenant.create(one), tenant.create(other)
        if not first.response.succeeded:
            step_failed("A customer was to be created", first)
        expect(
            "planbok.customer.created",
            second.response.succeeded and customer_id(second.response) != customer_id(first.response),
            where="response",
            expected=f"2xx with an id of its own, though another customer's name is {one}",
            got=f"{answer(second)}, id {customer_id(second.response)}",
            exchange=second,
        )
        for exchange in (first, second):
            identifier = customer_id(exchange.response) or step_failed("A customer was to have an id", exchange)
            data = payload(tenant.read(identifier).response)
    if isinstance(data, Mapping) and not {"name", "refId"} & data.keys():
        needs("name or refId of a customer, which this API does not show")


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
            got=answer(exchange),
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
        expected=f"{answer(first)} with the data of [{first.id}], or a refusal",
        got=answer(repeat) if refused(repeat) else f"{answer(repeat)}, {payload(repeat.response)}",
        exchange=repeat,
    )
    made = [_made(each) for each in (first, repeat)]
    expect(
        DONE_ONCE,
        made[1] in (None, made[0]),
        where="response /data",
        expected=f"nothing but {made[0]}, which the first request made",
        got=made[1] or answer(repeat),
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
