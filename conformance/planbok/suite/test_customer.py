"""A customer is created, read and listed, shows how far the set-up is, and can replace the PIN."""

from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from typing import TypeVar
from urllib.parse import quote

import pytest

from conformance.exchange import Exchange
from conformance.findings import answer as answered
from conformance.planbok.messages import challenge_of, customer_id, payload
from conformance.planbok.suite.effects import listed_customers, page_of_customers
from conformance.planbok.suite.person import shown
from conformance.planbok.suite.tenant import RETURN_URL, Issued, Onboarding, Tenant
from conformance.scenario import (
    crosses,
    expect,
    expect_acceptance,
    expect_reading,
    expect_refusal,
    needs,
    refused,
    step_failed,
    verifies,
)
from conformance.values import near, telling

ASKED = 3
"""With how many near misses of an id the set-up is asked for."""
PINS, ANSWERS = 4, 5
"""How many near misses are entered."""
ANSWER = near.Kind(folded=lambda text: " ".join(near.PIN.folded(text).casefold().split()))
"""An answer to a question; letter case and blanks are what a form may pass over."""

Entry = TypeVar("Entry")
A_SMALL_PAGE = 2
LONGEST_ORDINARY = 64
"""How long a refId may be that every system takes, in characters; no document sets a limit, or promises none."""


@verifies("planbok.customer.created", "planbok.customer.id-form", "planbok.response.status-agrees")
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


@verifies("planbok.customer.names-kept", "planbok.response.described-accepted")
def test_names_are_kept_to_the_letter(tenant: Tenant) -> None:
    """When customers are created under texts that are often cut, folded, escaped or encoded anew, and are read."""
    data = payload(tenant.read(tenant.onboard().id).response)
    for value in near.chosen(telling.TEXTS, tenant.ids, core=11, more=3):
        name, ref_id = value.numbered(_number(tenant)), value.numbered(_number(tenant))
        exchange = tenant.create(name, ref_id)
        expect(
            "planbok.response.described-accepted",
            exchange.response.succeeded,
            where="response status",
            expected=f"2xx: a name and a refId of {value.name} fit the reference",
            got=answered(exchange),
            exchange=exchange,
        )
        identifier = customer_id(exchange.response)
        if identifier is not None:
            tenant.read(identifier)
    tenant.customers(page_of_customers())
    if isinstance(data, Mapping) and not {"name", "refId"} & data.keys():
        needs("name or refId of a customer, which this API does not show")


@verifies("planbok.customer.created")
def test_a_ref_id_that_is_like_another_is_another(tenant: Tenant) -> None:
    """Given customers, when others are created under a refId that differs from theirs in a single property."""
    for pair in near.chosen(telling.PAIRS, tenant.ids, core=8, more=3):
        one, other = pair.numbered(_number(tenant))
        first = tenant.create(ref_id=one)
        second = tenant.create(ref_id=other)
        if not first.response.succeeded and one.isprintable() and len(one) <= LONGEST_ORDINARY:
            step_failed("A customer was to be created", first)
        if first.response.succeeded and (other.isprintable() or second.response.succeeded):
            _expect_another(second, first, f"its refId differs in {pair.name}")


@verifies("planbok.customer.created")
def test_an_idempotency_key_that_is_like_another_is_another(tenant: Tenant) -> None:
    """Given a customer who was created with a key, when others are created with keys that are like it."""
    key = tenant.new_key()
    first = tenant.create(idempotency_key=key)
    if not first.response.succeeded:
        step_failed("A customer was to be created", first)
    misses = near.misses(key, near.UUID, others=[tenant.new_key()])
    for miss in near.chosen(misses, tenant.ids, core=8, more=3):
        second = tenant.create(idempotency_key=miss.value)
        _expect_another(second, first, f"its idempotencyKey is like the right one, {miss.name}")


@crosses("idempotency", "isolation")
@verifies("planbok.customer.created")
def test_an_idempotency_key_of_one_organization_is_free_for_others(tenant: Tenant, other_tenant: Tenant) -> None:
    """Given a customer who was created with a key, when another organization sends the very same request."""
    key, name, ref_id = tenant.new_key(), "Customer of two", str(tenant.ids.uuid())
    first = tenant.create(name, ref_id, idempotency_key=key)
    if not first.response.succeeded:
        step_failed("A customer was to be created", first)
    second = other_tenant.create(name, ref_id, idempotency_key=key)
    _expect_another(second, first, "another organization sent the same request with the same key")


def _expect_another(second: Exchange, first: Exchange, because: str) -> None:
    """Say that a customer was created who is not the first one."""
    expect(
        "planbok.customer.created",
        second.response.succeeded and customer_id(second.response) != customer_id(first.response),
        where="response",
        expected=f"2xx with an id of its own: {because}",
        got=f"{answered(second)}, id {customer_id(second.response)}",
        exchange=second,
    )


def _number(tenant: Tenant) -> int:
    """A number that nobody has used before, of ten digits."""
    return 10**9 + tenant.ids.below(9 * 10**9)


@verifies("planbok.customer.unknown-refused")
def test_an_id_like_a_customers_is_not_the_customers(tenant: Tenant) -> None:
    """Given two customers, when one is read, and its set-up asked for, by ids that are like its own."""
    customer, other = tenant.onboard(), tenant.onboard()
    misses = [miss for miss in near.misses(customer.id, near.HEX, others=[other.id]) if miss.value != other.id]
    for number, miss in enumerate(near.chosen(misses, tenant.ids, core=12, more=2)):
        identifier = quote(miss.value, safe="")
        exchanges = [tenant.read(identifier)] + ([tenant.ask("initialize", identifier)] if number < ASKED else [])
        for exchange in exchanges:
            expect_refusal(
                "planbok.customer.unknown-refused",
                exchange,
                f"the id is like one that was given, {miss.name}, and nobody gave it",
            )


@verifies("planbok.customer.listed")
def test_every_customer_is_on_a_page_of_the_list(tenant: Tenant) -> None:
    """Given three customers, when the customers are listed in pages of two."""
    ids = {tenant.onboard().id for _ in range(A_SMALL_PAGE + 1)}
    missing = tenant.eventually("a customer to be listed", lambda: _unlisted(tenant, ids), lambda found: not found)
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


@verifies("planbok.customer.unseen-by-others", "planbok.customer.readable")
def test_a_customer_is_not_shown_to_another_organization(tenant: Tenant, other_tenant: Tenant) -> None:
    """Given a customer, when another organization and its own read it in turn, and list their customers."""
    customer = tenant.onboard()
    for _ in range(2):
        exchange = other_tenant.read(customer.id)
        expect(
            "planbok.customer.unseen-by-others",
            customer_id(exchange.response) != customer.id and customer.ref_id.encode() not in exchange.response.body,
            where="response",
            expected="nothing of the customer",
            got=answered(exchange) if refused(exchange) else exchange.response.body,
            exchange=exchange,
        )
        expect_acceptance("planbok.customer.readable", tenant.read(customer.id))
    other_tenant.shortly()
    tenant.customers(page_of_customers())
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


@verifies("planbok.customer.has-recovery", "planbok.challenge.answered")
def test_has_recovery_becomes_true_by_a_challenge_of_its_own(tenant: Tenant) -> None:
    """Given a customer who left after the PIN, when recovery is asked for, and set up in another browser."""
    customer = tenant.with_pin()
    asked = tenant.ask("recovery", customer.id)
    exchange = _read_until(tenant, customer, "hasPin")
    when = "when recovery was asked for and not set up"
    _expect_flag("planbok.customer.has-recovery", exchange, "hasRecovery", value=False, when=when)
    if _flag(exchange, "hasPin") is False:
        needs("a customer with a PIN and no recovery; this page keeps no PIN of who leaves it before recovery")
    issued = tenant.issued(asked)
    expect_acceptance("planbok.challenge.answered", asked)
    customer.person.take_another_browser()
    customer.person.set_recovery(issued.url)
    _expect_recovery(tenant, customer)


def _expect_recovery(tenant: Tenant, customer: Onboarding) -> None:
    exchange = _read_until(tenant, customer, "hasRecovery")
    when = "after recovery was set up"
    _expect_flag("planbok.customer.has-recovery", exchange, "hasRecovery", value=True, when=when)


def _read_until(tenant: Tenant, customer: Onboarding, name: str) -> Exchange:
    """The customer as soon as a flag is true."""
    return tenant.eventually(
        f"{name} to become true", lambda: tenant.read(customer.id), lambda exchange: _flag(exchange, name) is True
    )


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
    page = (person.change_pin if task == "update-pin" else person.reset_pin)(replacing.url)
    if page.form is not None:
        step_failed(f"The page of {task} was to replace the PIN, and still asks for {', '.join(page.form.kinds)}")
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


@crosses("set-up", "page")
@verifies("planbok.customer.has-recovery", "planbok.customer.pin-replaced")
def test_a_task_that_is_begun_and_left_changes_nothing(tenant: Tenant) -> None:
    """Given a customer, when other tasks are asked for and opened, one with a wrong PIN, and wallets are authorized."""
    customer = tenant.ready()
    for task in ("recovery", "update-pin", "reset-pin"):
        issued = tenant.issued(tenant.ask(task, customer.id))
        if task == "update-pin":
            customer.person.try_to_change_pin(issued.url, near.misses(customer.person.pin, near.PIN)[0].value)
        else:
            customer.person.open(issued.url)
        exchange = _read_until(tenant, customer, "hasRecovery")
        when = f"after {task} was begun and left"
        _expect_flag("planbok.customer.has-recovery", exchange, "hasRecovery", value=True, when=when)
    issued = tenant.requested(customer)
    customer.person.authorize(issued.url)
    challenge = tenant.ended(customer.id, issued.id)
    expect(
        "planbok.customer.pin-replaced",
        challenge.succeeded,
        where="response /data/status",
        expected="a challenge that succeeded with the PIN, since none took its place",
        got=challenge.status,
    )


@verifies("planbok.customer.has-recovery")
def test_a_new_pin_leaves_the_recovery(tenant: Tenant) -> None:
    """Given a customer with recovery, when the PIN is replaced by way of the old one, and then of recovery."""
    customer = tenant.ready()
    for task in ("update-pin", "reset-pin"):
        issued = tenant.issued(tenant.ask(task, customer.id))
        (customer.person.change_pin if task == "update-pin" else customer.person.reset_pin)(issued.url)
        when = f"after {task} too"
        _expect_flag(
            "planbok.customer.has-recovery",
            _read_until(tenant, customer, "hasRecovery"),
            "hasRecovery",
            value=True,
            when=when,
        )


# ------------------------------------------------------------------------------------------------ who replaces a PIN


@verifies("planbok.customer.pin-guarded")
def test_a_pin_like_the_present_one_replaces_nothing(tenant: Tenant) -> None:
    """Given a customer, when update-pin is tried with PINs like the present one, and after each two of them with it."""
    customer = tenant.ready()
    wrong = {miss.name: miss.value for miss in near.misses(customer.person.pin, near.PIN)[:PINS]}

    def attempt(url: str, pin: str) -> None:
        customer.person.try_to_change_pin(url, pin)

    def right(url: str) -> None:
        customer.person.change_pin(url)
        customer.person.change_pin(tenant.issued(tenant.ask("update-pin", customer.id)).url)

    for name, replaced in _tried(tenant, customer, "update-pin", wrong, attempt, right):
        _expect_guarded(replaced, f"a present PIN like the right one, {name}")


@crosses("set-up", "page")
@verifies("planbok.customer.pin-guarded")
def test_a_page_that_was_left_open_sets_no_second_pin(tenant: Tenant) -> None:
    """Given a customer who set a PIN on one of two first pages, when another PIN is entered on the other one."""
    customer = tenant.onboard()
    urls = [tenant.issued(tenant.ask("initialize", customer.id)).url for _ in range(2)]
    customer.person.open(urls[1])
    customer.person.set_up(urls[0])
    if tenant.is_set_up(customer) is False:
        needs("a first page that holds when another was asked for, which this API does not have")
    customer.person.take_another_browser()
    page = customer.person.open(urls[1])
    if page.form is not None and page.step != "verify":
        customer.person.choose_pin(page, customer.person.other_pin, customer.person.other_pin)
    issued = tenant.requested(customer)
    customer.person.authorize(issued.url, customer.person.other_pin)
    tenant.shortly()
    _expect_guarded(tenant.seen(customer.id, issued.id).succeeded, "a PIN that was set where none was asked for")


@verifies("planbok.customer.pin-guarded")
def test_answers_like_the_right_ones_replace_nothing(tenant: Tenant) -> None:
    """Given long answers, when reset-pin is tried with answers like the right ones, and after each two with those."""
    customer = tenant.ready(lambda new: new.person.lengthen_answers())
    first, second = customer.person.answers
    wrong: dict[str, tuple[str, str]] = {
        "a wrong second one": (first, second[::-1] + "x"),
        "a wrong first one": (f"{first}x", second),
        "both in each other's place": (second, first),
        "the first one twice": (first, first),
        "the seam one letter later": (first + second[0], second[1:]),
        "the seam one letter earlier": (first[:-1], first[-1] + second),
    }
    for miss in near.misses(second, ANSWER)[:ANSWERS]:
        wrong[f"a second one like the right one, {miss.name}"] = (first, miss.value)
    for miss in near.misses(first, ANSWER)[: ANSWERS // 2]:
        wrong[f"a first one like the right one, {miss.name}"] = (miss.value, second)
    asked = customer.person.asked
    wrong = {name: answers for name, answers in wrong.items() if answers[:asked] != (first, second)[:asked]}
    for name, replaced in _tried_answers(tenant, customer, wrong):
        _expect_guarded(replaced, f"answers with {name}")


@crosses("set-up", "page")
@verifies("planbok.customer.pin-guarded")
def test_answers_that_were_replaced_replace_no_pin(tenant: Tenant) -> None:
    """Given a page that was open while recovery was set up anew, when the former answers are given there, and later."""
    customer = tenant.ready()
    person = customer.person
    former, present = person.answers, (f"{person.answers[1]}x", f"{person.answers[0]}y")
    early = tenant.issued(tenant.ask("reset-pin", customer.id))
    person.open(early.url)
    renewing = tenant.issued(tenant.ask("recovery", customer.id))
    person.answers = present
    person.set_recovery(renewing.url)
    tenant.shortly()
    renewed = challenge_of(tenant.challenge(customer.id, renewing.id).response)
    if renewed is None or not renewed.succeeded:
        needs("recovery that is set up anew, which this API does not let a customer do, or does not show")
    for issued, where in (
        (early, "a page that was open"),
        (tenant.issued(tenant.ask("reset-pin", customer.id)), "a new page"),
    ):
        person.try_to_reset_pin(issued.url, former)
        tenant.shortly()
        challenge = challenge_of(tenant.challenge(customer.id, issued.id).response)
        _expect_guarded(challenge is not None and challenge.succeeded, f"answers on {where} that had been replaced")


@verifies("planbok.customer.answers-unfolded")
def test_answers_that_are_written_otherwise_are_taken_or_refused(tenant: Tenant) -> None:
    """Given a customer, when the answers are given in another letter case and with blanks around them."""
    customer = tenant.ready()
    first, second = customer.person.answers
    folded = {
        "in the other letter case": (first.swapcase(), second),
        "with blanks around them": (f" {first} ", f"{second} "),
    }
    for name, replaced in _tried_answers(tenant, customer, folded):
        expect(
            "planbok.customer.answers-unfolded",
            not replaced,
            where="response /data/status",
            expected=f"a challenge that did not succeed with answers {name}",
            got="one that succeeded" if replaced else "that",
        )


def _expect_guarded(replaced: bool, what: str) -> None:  # noqa: FBT001 - what was seen
    expect(
        "planbok.customer.pin-guarded",
        not replaced,
        where="response /data/status",
        expected=f"a challenge that did not succeed with {what}",
        got="one that succeeded" if replaced else "that",
    )


def _tried_answers(
    tenant: Tenant, customer: Onboarding, entries: Mapping[str, tuple[str, str]]
) -> Iterator[tuple[str, bool]]:
    def attempt(url: str, answers: tuple[str, str]) -> None:
        customer.person.try_to_reset_pin(url, answers)

    def right(url: str) -> None:
        customer.person.reset_pin(url)

    return _tried(tenant, customer, "reset-pin", entries, attempt, right)


def _tried(
    tenant: Tenant,
    customer: Onboarding,
    task: str,
    entries: Mapping[str, Entry],
    attempt: Callable[[str, Entry], None],
    right: Callable[[str], None],
) -> Iterator[tuple[str, bool]]:
    """Whether a challenge was completed by each of some entries, by their names; the right one follows on each two.

    Raises:
        StepFailedError: If the right entry does not complete a challenge.
    """
    issued: Issued | None = None
    for number, (name, entry) in enumerate(entries.items()):
        issued = issued or tenant.issued(tenant.ask(task, customer.id))
        attempt(issued.url, entry)
        found = tenant.seen(customer.id, issued.id)
        completed = found.succeeded
        yield name, completed
        if completed:
            customer.person.pin, customer.person.other_pin = customer.person.other_pin, customer.person.pin
        elif number % 2:
            if found.has_ended:
                issued = tenant.issued(tenant.ask(task, customer.id))
            right(issued.url)
            if not tenant.ended(customer.id, issued.id).succeeded:
                step_failed(f"A challenge of {task} was to succeed with the right entry after two wrong ones")
        issued = None if completed or found.has_ended or number % 2 else issued
