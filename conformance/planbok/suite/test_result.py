"""What came of a challenge is read directly after its completion, and not for long; nothing comes of any other."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from conformance.clock import Clock
from conformance.exchange import Exchange
from conformance.findings import answer as answered
from conformance.planbok.messages import Challenge, challenge_of, entries
from conformance.planbok.suite.effects import DAYS_AFTER
from conformance.planbok.suite.tenant import RETURN_URL, Onboarding, Tenant
from conformance.planbok.suite.wallets import places, written
from conformance.scenario import (
    crosses,
    expect,
    expect_acceptance,
    leaves_out,
    needs,
    refused,
    step_failed,
    verifies,
    waits,
)
from conformance.values import telling

EIGHT_MINUTES, TWO_MINUTES_AFTER = timedelta(minutes=8), timedelta(minutes=17)


@verifies("planbok.result.readable-after-completion", "planbok.result.exactly-the-chains")
def test_the_result_holds_a_wallet_on_each_chain(tenant: Tenant) -> None:
    """Given a challenge for two chains, when the right PIN was entered, and it is read twice."""
    customer = tenant.ready()
    asked = tenant.two_chains
    challenge = tenant.provisioned(customer, asked)
    found = sorted(wallet.blockchain for wallet in challenge.wallets)
    again = tenant.seen(customer.id, challenge.id or step_failed("A challenge was to have an id"))
    for result, wallets in ((challenge.result, found), (again.result, places(again.wallets))):
        expect(
            "planbok.result.readable-after-completion",
            bool(wallets),
            where="response /data/result",
            expected="the new wallets",
            got=result,
        )
    expect(
        "planbok.result.exactly-the-chains",
        found == sorted(asked),
        where="response /data/result",
        expected=f"one wallet on each of {', '.join(sorted(asked))}",
        got=", ".join(found) or "none",
    )


@verifies("planbok.result.readable-after-completion", "planbok.list.wallets-stay")
def test_a_page_that_was_left_open_cancels_nothing(tenant: Tenant) -> None:
    """Given a page that was open in another browser when its challenge was completed, when it is cancelled there."""
    customer = tenant.ready()
    issued = tenant.requested(customer)
    other = customer.person.elsewhere()
    page = other.open(issued.url)
    customer.person.authorize(issued.url)
    before = tenant.ended(customer.id, issued.id)
    if not before.wallets:
        step_failed(
            "A completed challenge was to have a result", relies_on=["planbok.result.readable-after-completion"]
        )
    tenant.eventually(
        "new wallets to be listed", lambda: tenant.owned(customer.id), lambda found: len(found) >= len(before.wallets)
    )
    if page.form is not None:
        other.submit(page, {}, "cancel")
    tenant.shortly()
    challenge = tenant.seen(customer.id, issued.id)
    expect(
        "planbok.result.readable-after-completion",
        places(challenge.wallets) == places(before.wallets),
        where="response /data/result",
        expected=f"{written(before.wallets)}, as before a page that was left open was cancelled",
        got=written(challenge.wallets),
    )
    tenant.owned(customer.id)


@verifies("planbok.result.wallet-names-kept")
def test_wallets_have_the_names_that_they_were_asked_for_with(tenant: Tenant) -> None:
    """Given a challenge that gives each of two chains a name and a refId, when it is completed and all are listed."""
    customer = tenant.ready()
    names = {chain: (f"Wallet of {chain}", tenant.new_own_id()) for chain in tenant.two_chains}
    body = {
        "blockchains": list(names),
        "accountType": "eoa",
        "redirectUrl": RETURN_URL,
        "metadata": [{"name": name, "refId": ref_id} for name, ref_id in names.values()],
        "idempotencyKey": tenant.new_key(),
    }
    asked = tenant.ask_wallets(customer.id, body=body)
    if refused(asked):
        needs("names for wallets, which this API does not take")
    issued = tenant.issued(asked)
    customer.person.authorize(issued.url)
    tenant.ended(customer.id, issued.id)
    exchange = tenant.wallets(customer.id)
    shown = {each.get("blockchain"): each for each in entries(exchange.response) if isinstance(each, Mapping)}
    if not any({"name", "refId"} & each.keys() for each in shown.values()):
        needs("name or refId of a wallet, which this API does not show")
    for chain, wanted in names.items():
        found = tuple(shown.get(chain, {}).get(name, own) for name, own in zip(("name", "refId"), wanted, strict=True))
        expect(
            "planbok.result.wallet-names-kept",
            found == wanted,
            where="response /data",
            expected=f"{' and '.join(wanted)} on {chain}",
            got=" and ".join(map(str, found)),
            exchange=exchange,
        )


@verifies("planbok.result.exactly-the-chains", "planbok.result.readable-after-completion")
def test_a_later_result_holds_its_own_chains(tenant: Tenant) -> None:
    """Given a customer with a wallet on one chain, when another one is authorized, and more challenges are issued."""
    customer = tenant.ready()
    first, second = tenant.two_chains
    before = tenant.provisioned(customer, [first])
    challenge = tenant.provisioned(customer, [second])
    found = [wallet.blockchain for wallet in challenge.wallets]
    expect(
        "planbok.result.exactly-the-chains",
        found == [second],
        where="response /data/result",
        expected=f"one wallet on {second}",
        got=", ".join(found) or "none",
    )
    for task in ("recovery", "update-pin", "reset-pin") * 2:
        tenant.ask(task, customer.id)
    for each in (before, challenge):
        exchange = tenant.challenge(customer.id, each.id or step_failed("A challenge was to have an id"))
        again = challenge_of(exchange.response)
        expect(
            "planbok.result.readable-after-completion",
            again is not None and places(again.wallets) == places(each.wallets),
            where="response /data/result",
            expected=f"{written(each.wallets)}, as before other challenges were issued",
            got=written(again.wallets) if again else answered(exchange),
            exchange=exchange,
        )


@verifies("planbok.page.asks-pin-every-time", "planbok.result.none-while-pending", "planbok.result.none-when-failed")
def test_a_chain_that_is_there_has_no_result_without_the_pin(tenant: Tenant) -> None:
    """Given a wallet, when challenges for its chain, from before and after, are read and the later one cancelled."""
    customer, chain = tenant.ready(), tenant.two_chains[:1]
    first = tenant.requested(customer, chain)
    early = tenant.ask_wallets(customer.id, chain)
    customer.person.authorize(first.url)
    tenant.ended(customer.id, first.id)
    later = tenant.ask_wallets(customer.id, chain)
    asked = [tenant.issued(exchange) for exchange in (early, later) if not refused(exchange)]
    others = [issued for issued in asked if issued.id != first.id]
    if not others:
        needs("a second challenge for a chain, which this API refuses")
    for issued in others:
        challenge = tenant.seen(customer.id, issued.id)
        expect(
            "planbok.page.asks-pin-every-time",
            not challenge.succeeded,
            where="response /data/status",
            expected="a challenge that awaits the PIN, though the wallet is there",
            got=challenge.status,
        )
        if challenge.succeeded:
            step_failed("A challenge was to await the PIN", relies_on=["planbok.page.asks-pin-every-time"])
    customer.person.cancel(issued.url)
    tenant.shortly()
    cancelled = challenge_of(tenant.challenge(customer.id, issued.id).response)
    for rule, found in (("none-while-pending", challenge), ("none-when-failed", cancelled)):
        expect(
            f"planbok.result.{rule}",
            found is None or not found.wallets,
            where="response /data/result",
            expected="no wallets",
            got=found.result if found else "no challenge",
        )


@leaves_out("readings", "neighbours", because="Other tests take the same steps, fewer of them, and meet these.")
@waits
@verifies("planbok.result.gone-after-15-minutes")
def test_a_result_that_is_gone_stays_gone(tenant: Tenant, clock: Clock) -> None:
    """Given challenges of a day, a week and 31 days ago, when each is read, and again after the next was completed."""
    if not tenant.moves_clock:
        needs("a clock that can be moved on by days, as only the reference sandbox has")
    customer = tenant.ready()
    before: Challenge | None = None
    for days, chain in zip(DAYS_AFTER, tenant.chains, strict=False):
        challenge = tenant.provisioned(customer, [chain.name])
        if not challenge.wallets or challenge.id is None:
            step_failed("A completed challenge was to have a result")
        if before is not None:
            _expect_gone(tenant, customer, before, "once a later challenge was completed")
        clock.advance(timedelta(days=days, minutes=5))
        _expect_gone(tenant, customer, challenge, f"{days} days later")
        before = challenge


def _expect_gone(tenant: Tenant, customer: Onboarding, completed: Challenge, when: str) -> Exchange:
    """Say that nothing of the result of a challenge is read any more, and give the reading."""
    identifier = completed.id or step_failed("A challenge was to have an id")
    exchange = tenant.challenge(customer.id, identifier)
    left = [wallet.address for wallet in completed.wallets if wallet.address.encode() in exchange.response.body]
    expect(
        "planbok.result.gone-after-15-minutes",
        not left,
        where="response body",
        expected=f"nothing of the result {when}",
        got=", ".join(left) or "nothing of it",
        exchange=exchange,
    )
    return exchange


@waits
@verifies("planbok.result.gone-after-15-minutes", "planbok.result.challenge-stays")
def test_the_result_is_gone_after_its_time(tenant: Tenant, clock: Clock) -> None:
    """Given a challenge that was completed, when it is read eight minutes later, and again after 17."""
    customer = tenant.ready()
    challenge = tenant.provisioned(customer)
    if not challenge.wallets or challenge.id is None:
        step_failed(
            "A completed challenge was to have a result", relies_on=["planbok.result.readable-after-completion"]
        )
    clock.advance(EIGHT_MINUTES)
    tenant.challenge(customer.id, challenge.id)
    clock.advance(TWO_MINUTES_AFTER - EIGHT_MINUTES)
    when = "17 minutes later, whoever read it in between"
    exchange = _expect_gone(tenant, customer, challenge, when)
    found = challenge_of(exchange.response)
    expect(
        "planbok.result.challenge-stays",
        found is not None and found.id == challenge.id,
        where="response",
        expected=f"the challenge {challenge.id}",
        got=exchange.response.status,
        exchange=exchange,
    )


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
