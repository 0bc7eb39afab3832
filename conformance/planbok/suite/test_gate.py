"""Without PIN and recovery there is no wallet, whoever refuses; both are set up rightly, stay, and are the owner's."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from http import HTTPStatus
from typing import Any

import pytest

from conformance.clock import Clock
from conformance.exchange import Exchange
from conformance.findings import answer as answered
from conformance.planbok.messages import challenge_in, challenge_of, entries, is_set_up, payload
from conformance.planbok.suite.effects import DAYS_AFTER, expect_no_success, listed_customers, page_of_customers
from conformance.planbok.suite.lock_out import MANY, right_pin_refused
from conformance.planbok.suite.tenant import Issued, Onboarding, Tenant
from conformance.scenario import (
    StepFailedError,
    crosses,
    expect,
    expect_status,
    leaves_out,
    needs,
    refused,
    step_failed,
    verifies,
    waits,
)
from conformance.values import near

ZEROS = "000000"
TOO_EARLY = ("checks-set-up-first",)
REFUSALS = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.CONFLICT,
    HTTPStatus.UNPROCESSABLE_ENTITY,
)


@verifies(
    "planbok.gate.no-wallet-without-pin", "planbok.gate.refused-at-request", "planbok.response.refusal-changes-nothing"
)
def test_a_customer_without_a_pin_gets_no_wallet(tenant: Tenant) -> None:
    """Given a customer with wallets and a new one, when that asks for some, twice, and enters some PIN, if asked."""
    tenant.provisioned(tenant.ready())
    customer = tenant.onboard()
    before = _challenges(tenant, customer)
    exchange = _asked_too_early(tenant, customer)
    expect_status("planbok.gate.refused-at-request", exchange, *REFUSALS)
    _expect_no_wallet("planbok.gate.no-wallet-without-pin", tenant, customer, exchange)
    _expect_no_trace(tenant, customer, exchange, before)
    again = _asked_too_early(tenant, customer)
    _expect_no_wallet("planbok.gate.no-wallet-without-pin", tenant, customer, again)


@crosses("isolation", "set-up")
@verifies(
    "planbok.gate.no-wallet-without-recovery",
    "planbok.gate.refused-at-request",
    "planbok.response.refusal-changes-nothing",
)
def test_a_customer_without_recovery_gets_no_wallet(tenant: Tenant) -> None:
    """Given one with wallets and a customer with a PIN alone, when that asks for some twice, and enters it if asked."""
    tenant.provisioned(tenant.ready())
    customer = tenant.with_pin()
    before = _challenges(tenant, customer)
    exchange = _asked_too_early(tenant, customer)
    expect_status("planbok.gate.refused-at-request", exchange, *REFUSALS)
    _expect_no_wallet("planbok.gate.no-wallet-without-recovery", tenant, customer, exchange)
    _expect_no_trace(tenant, customer, exchange, before)
    again = _asked_too_early(tenant, customer)
    _expect_no_wallet("planbok.gate.no-wallet-without-recovery", tenant, customer, again)


@crosses("set-up", "page")
@verifies("planbok.customer.has-recovery", "planbok.gate.no-wallet-without-recovery")
def test_a_set_up_that_was_given_up_is_none(tenant: Tenant) -> None:
    """Given a customer who gave up when asked for recovery, and later after the PIN, when wallets are asked for."""
    customer = tenant.onboard()
    issued = tenant.issued(tenant.ask("initialize", customer.id))
    page = customer.person.set_pin(issued.url)
    if page.form is not None:
        customer.person.give_up(issued.url)
    tenant.shortly()
    _expect_flag(tenant, customer, "hasRecovery", shown=False, when="when its set-up was cancelled")
    asked = tenant.ask("recovery", customer.id)
    if not refused(asked):
        recovery = tenant.issued(asked)
        customer.person.authorize(recovery.url)
        _expect_flag(tenant, customer, "hasRecovery", shown=False, when="when the PIN alone was entered for it")
        customer.person.give_up(recovery.url)
    exchange = _asked_too_early(tenant, customer)
    _expect_no_wallet("planbok.gate.no-wallet-without-recovery", tenant, customer, exchange)


@verifies("planbok.customer.has-pin")
def test_a_pin_of_zeros_is_a_pin(tenant: Tenant) -> None:
    """Given a new customer, when a PIN of six zeros is set, and recovery."""
    customer = tenant.onboard()
    issued = tenant.issued(tenant.ask("initialize", customer.id))
    customer.person.pin = ZEROS
    if customer.person.set_pin(issued.url).step == "set-pin":
        needs("a page that takes a PIN of six zeros, which a vendor may call too weak")
    customer.person.set_recovery(issued.url)
    tenant.shortly()
    _expect_flag(tenant, customer, "hasPin", shown=True, when="after a PIN of zeros was set")


@crosses("set-up", "page")
@verifies("planbok.customer.pin-guarded")
def test_a_later_step_is_not_reached_before_the_first(tenant: Tenant) -> None:
    """Given one page that asks for a new PIN after the answers, when its form is sent to another one without them."""
    customer = tenant.ready()
    first, asked = (tenant.issued(tenant.ask("reset-pin", customer.id)) for _ in range(2))
    if not customer.person.skip_answers(first.url, asked.url):
        needs("a page that asks for a new PIN after the answers, in a step of its own")
    tenant.shortly()
    exchange = tenant.challenge(customer.id, asked.id)
    challenge = challenge_of(exchange.response)
    expect(
        "planbok.customer.pin-guarded",
        challenge is None or not challenge.succeeded,
        where="response /data/status",
        expected="a challenge that did not succeed without the answers",
        got=challenge.status if challenge else answered(exchange),
        exchange=exchange,
    )


@crosses("set-up", "page")
@verifies("planbok.page.answers-for-one-visit", "planbok.page.wrong-pin-refused")
def test_answers_that_were_given_and_left_open_nothing(tenant: Tenant) -> None:
    """Given answers and no new PIN, when the page is opened elsewhere, and a wrong PIN is entered for wallets."""
    customer = tenant.ready()
    issued = tenant.issued(tenant.ask("reset-pin", customer.id))
    stranger = customer.person.elsewhere()
    before = stranger.open(issued.url).form
    later = customer.person.give_answers(issued.url).form
    wallets = tenant.requested(customer, tenant.two_chains[:1])
    customer.person.authorize(wallets.url, customer.person.other_pin)
    expect_no_success(
        "planbok.page.wrong-pin-refused",
        tenant,
        customer.id,
        wallets.id,
        expected="a challenge that did not succeed with a wrong PIN, after answers that led to no other one",
    )
    if not (before and later) or before.kinds == later.kinds:
        needs("a page that asks for a new PIN after the answers, in a step of its own")
    page = stranger.open(issued.url)
    if page.form and page.form.kinds == later.kinds:
        stranger.choose_pin(page, stranger.other_pin, stranger.other_pin)
    expect_no_success(
        "planbok.page.answers-for-one-visit",
        tenant,
        customer.id,
        issued.id,
        expected="a challenge that did not succeed in a browser in which the answers were not given",
    )


@pytest.mark.parametrize("task", ["update-pin", "reset-pin"])
@verifies("planbok.page.new-pin-confirmed")
def test_a_pin_is_replaced_by_six_digits_alone(tenant: Tenant, task: str) -> None:
    """Given a customer, when the PIN is to be replaced by what is no PIN."""
    customer = tenant.ready()
    person, issued = customer.person, tenant.issued(tenant.ask(task, customer.id))
    for wrong, what in ((person.other_pin[:5], "five digits"), ("abcdef", "six letters")):
        person.other_pin = wrong
        if task == "update-pin":
            person.try_to_change_pin(issued.url, person.pin)
        else:
            person.try_to_reset_pin(issued.url, person.answers)
        expect_no_success(
            "planbok.page.new-pin-confirmed",
            tenant,
            customer.id,
            issued.id,
            expected=f"a challenge that did not succeed with {what} for a new PIN",
        )


@crosses("set-up", "page")
@verifies("planbok.customer.has-recovery", "planbok.gate.no-wallet-without-recovery")
def test_recovery_that_the_page_does_not_take_is_none(tenant: Tenant) -> None:
    """Given a customer with a PIN alone, when recovery is set up with empty answers, and with one question twice."""
    customer = tenant.onboard()
    issued = tenant.issued(tenant.ask("initialize", customer.id))
    if customer.person.set_pin(issued.url).form is None:
        issued = tenant.issued(tenant.ask("recovery", customer.id))
    answers, customer.person.answers = customer.person.answers, ("", "")
    page = customer.person.set_recovery(issued.url)
    _expect_not_taken(tenant, customer, issued, "empty answers")
    if page.form is not None and len(page.form.choices) > 1:
        asked = [name for name, kind in page.form.kinds.items() if kind == "text"]
        chosen = {name: next(filter(None, choices), "") for name, choices in page.form.choices.items()}
        customer.person.submit(page, {**chosen, **dict(zip(asked, answers, strict=False))})
        _expect_not_taken(tenant, customer, issued, "one question twice")
    exchange = _asked_too_early(tenant, customer)
    _expect_no_wallet("planbok.gate.no-wallet-without-recovery", tenant, customer, exchange)


def _expect_not_taken(tenant: Tenant, customer: Onboarding, issued: Issued, what: str) -> None:
    """Say that what a page refused for recovery is none.

    Raises:
        NeedError: If the page took it.
    """
    tenant.shortly()
    if tenant.seen(customer.id, issued.id).succeeded:
        needs(f"a page that does not take {what} for recovery, of which no document speaks")
    _expect_flag(tenant, customer, "hasRecovery", shown=False, when=f"after the page did not take {what}")


@crosses("set-up", "page")
@verifies(
    "planbok.customer.has-pin",
    "planbok.customer.has-recovery",
    "planbok.customer.pin-replaced",
    "planbok.challenge.completable-in-time",
)
def test_a_task_that_is_cancelled_takes_nothing_away(tenant: Tenant) -> None:
    """Given a customer who is set up, when tasks are begun and cancelled beside a challenge, and the PIN is reset."""
    customer = tenant.ready()
    person = customer.person
    for task, begin in (
        ("recovery", person.authorize),
        ("update-pin", person.open),
        ("reset-pin", person.give_answers),
    ):
        left = tenant.issued(tenant.ask(task, customer.id))
        asked = tenant.ask_wallets(customer.id, tenant.two_chains[:1])
        beside = None if refused(asked) else tenant.issued(asked)
        begin(left.url)
        person.give_up(left.url)
        tenant.shortly()
        if beside is not None:
            found = tenant.seen(customer.id, beside.id)
            expect(
                "planbok.challenge.completable-in-time",
                found.is_under_way,
                where="response /data/status",
                expected=f"a challenge for wallets that is pending still after {task} was cancelled",
                got=found.status,
            )
        for name in ("hasPin", "hasRecovery"):
            _expect_flag(tenant, customer, name, shown=True, when=f"after {task} was begun and cancelled")
    person.reset_pin(tenant.issued(tenant.ask("reset-pin", customer.id)).url)
    issued = tenant.requested(customer)
    person.authorize(issued.url)
    challenge = tenant.ended(customer.id, issued.id)
    expect(
        "planbok.customer.pin-replaced",
        challenge.succeeded,
        where="response /data/status",
        expected="a challenge that succeeded with the PIN that the answers let the customer set",
        got=challenge.status,
    )
    if beside is None:
        needs("a challenge beside one that is pending, which this API does not have")


@leaves_out("readings", "neighbours", because="Other tests take the same steps, fewer of them, and meet these.")
@waits
@verifies(
    "planbok.customer.has-pin",
    "planbok.customer.has-recovery",
    "planbok.customer.listed",
    "planbok.list.wallets-stay",
    "planbok.challenge.completable-in-time",
)
def test_a_set_up_lasts(tenant: Tenant, clock: Clock) -> None:
    """Given a customer with a wallet, listed before the set-up, when a day, a week and 31 days pass, and after each."""
    if not tenant.moves_clock:
        needs("a clock that can be moved on by days, as only the reference sandbox has")
    customer = tenant.ready(lambda _: tenant.customers(page_of_customers()))
    tenant.provisioned(customer, tenant.two_chains[:1])
    tenant.eventually("new wallets to be listed", lambda: tenant.owned(customer.id), bool)
    for days in DAYS_AFTER:
        clock.advance(timedelta(days=days, minutes=20))
        for name in ("hasPin", "hasRecovery"):
            _expect_flag(tenant, customer, name, shown=True, when=f"{days} days later")
        for wallet in tenant.owned(customer.id):
            if wallet.id is not None:
                tenant.wallet(wallet.id)
        listed = [str(each.get("id")) for each in listed_customers(tenant)]
        expect(
            "planbok.customer.listed",
            customer.id in listed,
            where="response /data, on all pages",
            expected=f"{customer.id}, who was created {days} days ago",
            got=", ".join(listed) or "none",
        )
        issued = tenant.requested(customer, tenant.two_chains[1:])
        customer.person.authorize(issued.url)
        challenge = tenant.ended(customer.id, issued.id)
        expect(
            "planbok.challenge.completable-in-time",
            challenge.succeeded,
            where="response /data/status",
            expected=f"a challenge that succeeded with the PIN of {days} days ago",
            got=challenge.status,
        )


# ------------------------------------------------------------------------------------------------------ whose PIN it is


@crosses("set-up", "page")
@verifies("planbok.customer.pin-guarded", "planbok.customer.pin-replaced")
def test_a_pin_that_was_not_replaced_is_the_pin(tenant: Tenant) -> None:
    """Given a customer, when the PIN is to be replaced by who knows neither it nor the answers, and both are used."""
    customer = tenant.ready()
    person, chain = customer.person, tenant.two_chains[:1]
    for task in ("update-pin", "reset-pin"):
        url = tenant.issued(tenant.ask(task, customer.id)).url
        if task == "update-pin":
            person.try_to_change_pin(url, near.misses(person.pin, near.PIN)[0].value)
        else:
            person.try_to_reset_pin(url, [f"{answer}x" for answer in person.answers])
        issued = tenant.requested(customer, chain)
        for rule, pin, right in (
            ("planbok.customer.pin-guarded", person.other_pin, False),
            ("planbok.customer.pin-replaced", person.pin, True),
        ):
            person.authorize(issued.url, pin)
            tenant.shortly()
            challenge = (tenant.ended if right else tenant.seen)(customer.id, issued.id)
            which = f"the PIN, since {task} set no other" if right else f"a PIN that {task} was not to set"
            expect(
                rule,
                challenge.succeeded is right,
                where="response /data/status",
                expected=f"a challenge that {'succeeded' if right else 'did not succeed'} with {which}",
                got=challenge.status,
            )


@crosses("set-up", "page")
@verifies("planbok.customer.pin-guarded")
def test_recovery_is_set_up_anew_with_the_pin_alone(tenant: Tenant) -> None:
    """Given a customer, when a stranger sets recovery up anew with a wrong PIN, and resets the PIN by it."""
    customer = tenant.ready()
    person, stranger = customer.person, customer.person.elsewhere()
    answers = f"{person.answers[1]}x", f"{person.answers[0]}y"
    stranger.try_to_set_recovery(tenant.issued(tenant.ask("recovery", customer.id)).url, person.other_pin, answers)
    issued = tenant.issued(tenant.ask("reset-pin", customer.id))
    stranger.try_to_reset_pin(issued.url, answers)
    expect_no_success(
        "planbok.customer.pin-guarded",
        tenant,
        customer.id,
        issued.id,
        expected="a challenge that did not succeed with answers that a stranger chose",
    )


@verifies("planbok.customer.pin-guarded")
def test_answers_in_other_letters_replace_nothing(tenant: Tenant) -> None:
    """Given answers with letters of other scripts, when reset-pin is tried with others in their places."""
    customer = tenant.ready(
        lambda new: new.person.answer_in("M\u00fcller \u5317\u4eac", "\u041c\u043e\u0441\u043a\u0432\u0430 7")
    )
    first, second = customer.person.answers
    issued = tenant.issued(tenant.ask("reset-pin", customer.id))
    for name, answers in {
        "another accent": (first.replace("\u00fc", "\u00f6"), second),
        "question marks": tuple("".join(each if each.isascii() else "?" for each in text) for text in (first, second)),
    }.items():
        customer.person.try_to_reset_pin(issued.url, answers)
        expect_no_success(
            "planbok.customer.pin-guarded",
            tenant,
            customer.id,
            issued.id,
            expected=f"a challenge that did not succeed with answers that have {name} in the place of their letters",
        )


@crosses("set-up", "page")
@verifies("planbok.customer.has-pin", "planbok.customer.has-recovery", "planbok.list.wallets-stay")
def test_a_lock_out_takes_nothing_away(tenant: Tenant) -> None:
    """Given a customer with a wallet, when ten wrong PINs and answers are entered, and both are read."""
    customer = tenant.ready()
    first, second = tenant.two_chains
    tenant.provisioned(customer, [first])
    tenant.eventually("new wallets to be listed", lambda: tenant.owned(customer.id), bool)
    page = customer.person.open(tenant.requested(customer, [second]).url)
    for _ in range(MANY):
        if page.form is None:
            break
        page = customer.person.enter(page, customer.person.other_pin)
    asked = tenant.ask("reset-pin", customer.id)
    for _ in range(0 if refused(asked) else MANY):
        page = customer.person.try_to_reset_pin(tenant.issued(asked).url, ("wrong", "answers"))
        if page.form is None:
            break
    exchange = tenant.read(customer.id)
    data = payload(exchange.response)
    for rule, name in (("planbok.customer.has-pin", "hasPin"), ("planbok.customer.has-recovery", "hasRecovery")):
        value = data.get(name) if isinstance(data, Mapping) else None
        expect(
            rule,
            value is True,
            where=f"response /data/{name}",
            expected="true after wrong PINs and answers as before",
            got=value,
            exchange=exchange,
        )
    tenant.owned(customer.id)


@leaves_out("readings", "neighbours", because="Other tests take the same steps, fewer of them, and meet these.")
@verifies("planbok.page.locks-out", "planbok.page.wrong-pin-refused")
def test_wrong_pins_lock_out_on_any_page_and_are_wrong_later(tenant: Tenant, clock: Clock) -> None:
    """Given ten wrong PINs where it is to be replaced, when the right one is entered, and ten wrong a day later."""
    customer = tenant.ready()
    person, wrong = customer.person, near.misses(customer.person.pin, near.PIN)[0].value
    url = tenant.issued(tenant.ask("update-pin", customer.id)).url
    for _ in range(MANY):
        if person.try_to_change_pin(url, wrong).form is None:
            exchange = tenant.ask("update-pin", customer.id)
            if refused(exchange):
                break
            url = tenant.issued(exchange).url
    _expect_locked_out(tenant, customer, f"after {MANY} wrong PINs on pages of update-pin")
    if not tenant.moves_clock:
        needs("a clock that can be moved on by days, as only the reference sandbox has")
    clock.advance(timedelta(days=1))
    exchange = tenant.ask_wallets(customer.id)
    if refused(exchange):
        needs("a customer who is not locked out a day later")
    issued = tenant.issued(exchange)
    person.authorize(issued.url, person.other_pin)
    expect_no_success(
        "planbok.page.wrong-pin-refused",
        tenant,
        customer.id,
        issued.id,
        expected="a challenge that did not succeed with a wrong PIN, a day after a lock-out",
    )
    page = person.open(issued.url)
    for _ in range(MANY):
        if page.form is not None:
            page = person.enter(page, person.other_pin)
    _expect_locked_out(tenant, customer, f"after {MANY} wrong PINs a day after a lock-out")


def _expect_locked_out(tenant: Tenant, customer: Onboarding, when: str) -> None:
    held, got = right_pin_refused(tenant, customer)
    expect(
        "planbok.page.locks-out",
        held,
        where="response status, or /data/status",
        expected=f"a challenge that is refused, or did not succeed, {when}",
        got=got,
    )


@verifies("planbok.page.locks-out")
def test_no_wrong_pin_is_told_and_not_counted(tenant: Tenant) -> None:
    """Given a new PIN repeated wrongly, when the present one is wrong, right and wrong, and ten times if that shows."""
    customer = tenant.ready()
    person, wrong = customer.person, near.misses(customer.person.pin, near.PIN)[0].value
    url = tenant.issued(tenant.ask("update-pin", customer.id)).url
    first, right, again = (person.mistype_new_pin(url, pin).text for pin in (wrong, person.pin, wrong))
    held, got = first == right or first != again, "a page that does not tell them apart, or counts them"
    if not held:
        for _ in range(MANY):
            person.mistype_new_pin(url, wrong)
        held, got = right_pin_refused(tenant, customer)
    expect(
        "planbok.page.locks-out",
        held,
        where="page text, and /data/status",
        expected=f"a page that does not tell a wrong PIN, or a lock-out after {MANY} of them",
        got=got,
    )


@verifies("planbok.page.wrong-pin-refused")
def test_a_page_takes_the_pin_of_its_own_customer(tenant: Tenant) -> None:
    """Given pages of two customers, opened in a new browser, when the PIN of one is entered on that of the other."""
    first, second = tenant.ready(), tenant.ready()
    own, asked = tenant.requested(first), tenant.requested(second)
    second.person.take_another_browser()
    second.person.open(own.url)
    page = second.person.open(asked.url)
    if page.form is None:
        step_failed("The page of a challenge was to ask for the PIN")
    second.person.enter(page, first.person.pin)
    expect_no_success(
        "planbok.page.wrong-pin-refused",
        tenant,
        second.id,
        asked.id,
        expected=f"a challenge of {second.id} that did not succeed with the PIN of {first.id}",
    )


def _expect_flag(tenant: Tenant, customer: Onboarding, name: str, *, shown: bool, when: str) -> None:
    """Say that a flag is shown so where the customer is read, and in the list of customers if that has it."""
    reading, listing = tenant.read(customer.id), tenant.customers(page_of_customers())
    data = payload(reading.response)
    shows = [(reading, data.get(name) if isinstance(data, Mapping) else None)]
    shows += [(listing, each[name]) for each in _entries_of(customer, listing) if name in each]
    for exchange, found in shows:
        expect(
            "planbok.customer.has-pin" if name == "hasPin" else "planbok.customer.has-recovery",
            found is shown,
            where=f"response /data/{name}",
            expected=f"{str(shown).lower()} {when}",
            got=answered(exchange) if refused(exchange) else found,
            exchange=exchange,
        )


def _entries_of(customer: Onboarding, listing: Exchange) -> list[Mapping[str, Any]]:
    """What a list of customers shows of one."""
    found = [entry for entry in entries(listing.response) if isinstance(entry, Mapping)]
    return [entry for entry in found if entry.get("id") == customer.id]


def _challenges(tenant: Tenant, customer: Onboarding) -> set[str]:
    """The ids of the challenges that the API lists; none if it lists none."""
    found = map(challenge_in, entries(tenant.challenges(customer.id).response))
    return {challenge.id for challenge in found if challenge and challenge.id}


def _expect_no_trace(tenant: Tenant, customer: Onboarding, exchange: Exchange, before: set[str]) -> None:
    """Say that a request which was refused left no challenge."""
    left = _challenges(tenant, customer) - before if refused(exchange) else set()
    expect(
        "planbok.response.refusal-changes-nothing",
        not left,
        where="the list of challenges",
        expected="no challenge of a request that was refused",
        got=", ".join(sorted(left)) or "none",
        exchange=exchange,
    )


def _asked_too_early(tenant: Tenant, customer: Onboarding) -> Exchange:
    """The request for wallets, too early for all that the API shows, unless it shows otherwise than it is.

    Raises:
        StepFailedError: If it shows nothing.
    """
    exchange = tenant.read(customer.id)
    shown = payload(exchange.response)
    if not isinstance(shown, Mapping):
        step_failed("A customer was to be read", exchange)
    return tenant.ask_wallets(customer.id, broken=TOO_EARLY if is_set_up(shown) is False else ())


def _expect_no_wallet(rule: str, tenant: Tenant, customer: Onboarding, exchange: Exchange) -> None:
    """Say that `rule` allows no wallet, neither in the list nor in the challenge, if one was issued after all."""
    if not refused(exchange):
        issued = tenant.issued(exchange)
        with suppress(StepFailedError):
            customer.person.authorize(issued.url)
        tenant.shortly()
        reading = tenant.challenge(customer.id, issued.id)
        challenge = challenge_of(reading.response)
        expect(
            rule,
            challenge is None or not challenge.wallets,
            where="response /data/result",
            expected="no wallets",
            got=challenge.result if challenge else reading.response.status,
            exchange=reading,
        )
    tenant.shortly()
    found = tenant.owned(customer.id)
    expect(
        rule,
        not found,
        where="response /data",
        expected="no wallet",
        got=", ".join(f"{wallet.address} on {wallet.blockchain}" for wallet in found) or "none",
    )
