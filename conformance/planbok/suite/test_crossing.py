"""What one step leaves for the next one: nothing of what was refused, left or cancelled, and nothing of others."""

from collections.abc import Mapping
from dataclasses import replace

from conformance.findings import answer as answered
from conformance.planbok.messages import customer_id, payload
from conformance.planbok.suite.lock_out import MANY
from conformance.planbok.suite.tenant import Onboarding, Tenant
from conformance.planbok.suite.wallets import written
from conformance.scenario import crosses, expect, expect_acceptance, needs, step_failed, verifies
from conformance.values import near, telling

LETTERS = "M\u00fcller \u5317\u4eac", "\u041c\u043e\u0441\u043a\u0432\u0430 7"


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
            got=f"{answered(second)}, id {customer_id(second.response)}",
            exchange=second,
        )
        for exchange in (first, second):
            identifier = customer_id(exchange.response) or step_failed("A customer was to have an id", exchange)
            data = payload(tenant.read(identifier).response)
    if isinstance(data, Mapping) and not {"name", "refId"} & data.keys():
        needs("name or refId of a customer, which this API does not show")


@crosses("set-up", "page")
@verifies("planbok.page.cancelled-makes-no-wallet")
def test_a_pin_makes_up_for_no_challenge_that_was_cancelled(tenant: Tenant) -> None:
    """Given a challenge for one chain that was cancelled, when one for another chain is completed."""
    customer = tenant.ready()
    left, chain = tenant.two_chains
    customer.person.give_up(tenant.requested(customer, [left]).url)
    tenant.provisioned(customer, [chain])
    _expect_no_wallet(tenant, customer, "planbok.page.cancelled-makes-no-wallet", left)


@crosses("set-up", "page")
@verifies("planbok.page.asks-pin-every-time")
def test_a_pin_makes_up_for_no_challenge_that_was_left(tenant: Tenant) -> None:
    """Given a challenge for one chain that was left at a wrong PIN, when one for another chain is completed."""
    customer = tenant.ready()
    left, chain = tenant.two_chains
    customer.person.authorize(tenant.requested(customer, [left]).url, customer.person.other_pin)
    tenant.provisioned(customer, [chain])
    _expect_no_wallet(tenant, customer, "planbok.page.asks-pin-every-time", left)


def _expect_no_wallet(tenant: Tenant, customer: Onboarding, rule: str, chain: str) -> None:
    tenant.shortly()
    found = [wallet for wallet in tenant.owned(customer.id) if wallet.blockchain == chain]
    expect(
        rule,
        not found,
        where="response /data",
        expected=f"no wallet on {chain}, which the PIN was not entered for",
        got=written(found),
    )


@verifies("planbok.challenge.answered", "planbok.result.readable-after-completion")
def test_a_customer_of_any_name_gets_wallets(tenant: Tenant) -> None:
    """Given a customer whose name and refId are in several scripts, when the PIN is set and wallets are authorized."""
    number = 10**9 + tenant.ids.below(9 * 10**9)
    text = " ".join(value.numbered(number) for value in telling.TEXTS[1:6])
    customer = tenant.ready(like=replace(tenant.onboard(), name=text, ref_id=text))
    exchange = tenant.ask_wallets(customer.id, tenant.two_chains[:1])
    expect_acceptance("planbok.challenge.answered", exchange)
    issued = tenant.issued(exchange)
    customer.person.authorize(issued.url)
    challenge = tenant.ended(customer.id, issued.id)
    expect(
        "planbok.result.readable-after-completion",
        bool(challenge.wallets),
        where="response /data/result",
        expected="the wallet of a customer with such a name",
        got=challenge.result,
    )


# ------------------------------------------------------------------------------------------------ who replaces a PIN


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
    tenant.shortly()
    challenge = tenant.seen(customer.id, issued.id)
    expect(
        "planbok.customer.pin-guarded",
        not challenge.succeeded,
        where="response /data/status",
        expected="a challenge that did not succeed with answers that a stranger chose",
        got=challenge.status,
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
        tenant.shortly()
        challenge = tenant.seen(customer.id, issued.id)
        expect(
            "planbok.customer.pin-guarded",
            not challenge.succeeded,
            where="response /data/status",
            expected=f"a challenge that did not succeed with answers that have {name} in the place of their letters",
            got=challenge.status,
        )


@crosses("set-up", "page")
@verifies("planbok.customer.has-pin", "planbok.customer.has-recovery", "planbok.list.wallets-stay")
def test_a_lock_out_takes_nothing_away(tenant: Tenant) -> None:
    """Given a customer with a wallet, when ten wrong PINs are entered, and the customer and the wallets are read."""
    customer = tenant.ready()
    first, second = tenant.two_chains
    tenant.provisioned(customer, [first])
    tenant.eventually("new wallets to be listed", lambda: tenant.owned(customer.id), bool)
    page = customer.person.open(tenant.requested(customer, [second]).url)
    for _ in range(MANY):
        if page.form is None:
            break
        page = customer.person.enter(page, customer.person.other_pin)
    exchange = tenant.read(customer.id)
    data = payload(exchange.response)
    for rule, name in (("planbok.customer.has-pin", "hasPin"), ("planbok.customer.has-recovery", "hasRecovery")):
        value = data.get(name) if isinstance(data, Mapping) else None
        expect(
            rule,
            value is True,
            where=f"response /data/{name}",
            expected="true after wrong PINs as before",
            got=value,
            exchange=exchange,
        )
    tenant.owned(customer.id)
