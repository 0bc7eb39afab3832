"""A challenge is issued for new wallets, reads pending until its page was completed, and lives 15 minutes."""

import re
from datetime import timedelta
from urllib.parse import quote

import pytest

from conformance.clock import Clock
from conformance.exchange import Exchange
from conformance.findings import answer as answered
from conformance.planbok.messages import SUCCESS_WORDS, challenge_in, challenge_of, customer_id, entries
from conformance.planbok.suite.lock_out import MANY
from conformance.planbok.suite.person import shown
from conformance.planbok.suite.tenant import RETURN_URL, Issued, Onboarding, Tenant
from conformance.planbok.suite.wallets import places, written
from conformance.scenario import (
    crosses,
    expect,
    expect_acceptance,
    expect_reading,
    expect_refusal,
    leaves_out,
    needs,
    refused,
    step_failed,
    verifies,
    waits,
)
from conformance.values import near

TYPES = 8
"""How many types of accounts that are written like the only one are asked for."""
LINKS = 6
"""How many near misses of a link are opened."""
DAYS_AFTER = (1, 31)
"""After how many days an expired challenge is tried: a whole turn of a clock, and longer than any month."""
_IN_A_LINK = re.compile(r"[0-9A-Za-z_-]+")
TWO_MINUTES_BEFORE = timedelta(minutes=13)
TWO_MINUTES_AFTER = timedelta(minutes=17)


@verifies(
    "planbok.challenge.answered",
    "planbok.challenge.identifier",
    "planbok.challenge.unique",
    "planbok.challenge.ids-differ",
    "planbok.challenge.several-chains",
)
def test_challenges_are_issued_for_several_chains(tenant: Tenant) -> None:
    """Given a customer who is set up, when wallets on two chains are asked for twice."""
    customer = tenant.ready()
    exchange = tenant.ask_wallets(customer.id)
    expect_acceptance("planbok.challenge.several-chains", exchange)
    tenant.issued(exchange)
    tenant.issued(tenant.ask_wallets(customer.id))


@verifies("planbok.challenge.account-type-eoa")
def test_the_account_type_is_eoa(tenant: Tenant) -> None:
    """Given a customer who is set up, when a wallet is asked for with the one accountType that there is."""
    exchange = tenant.ask_wallets(tenant.ready().id, [tenant.chains[0].name])
    expect_acceptance("planbok.challenge.account-type-eoa", exchange)


@verifies("planbok.challenge.account-type-omitted")
def test_the_account_type_may_be_left_out(tenant: Tenant) -> None:
    """Given a customer who is set up, when wallets are asked for without accountType."""
    exchange = tenant.ask_wallets(tenant.ready().id, account_type=None)
    expect_acceptance("planbok.challenge.account-type-omitted", exchange)


@verifies("planbok.challenge.other-account-type-refused", "planbok.challenge.completable-in-time")
def test_another_account_type_is_refused(tenant: Tenant) -> None:
    """Given a challenge, when accounts of types other than eoa are asked for, and then the PIN is entered."""
    customer = tenant.ready()
    issued = tenant.requested(customer)
    others = ["sca", *(miss.value for miss in near.chosen(near.misses("eoa"), tenant.ids, core=TYPES, more=2))]
    for kind in others:
        exchange = tenant.ask_wallets(customer.id, account_type=kind, broken=("asks-for-wallets-as-documented",))
        because = f"accountType is eoa alone, not {kind!a}"
        expect_refusal("planbok.challenge.other-account-type-refused", exchange, because)
    _expect_completable(tenant, customer, issued, "accounts of other types were asked for")


@verifies("planbok.challenge.empty-blockchains-refused")
def test_an_empty_list_of_chains_is_refused(tenant: Tenant) -> None:
    """Given a customer who is set up, when wallets on no chain are asked for."""
    customer = tenant.ready()
    exchange = tenant.ask_wallets(customer.id, [], broken=("asks-for-wallets-as-documented",))
    expect_refusal("planbok.challenge.empty-blockchains-refused", exchange, "blockchains is empty")


@verifies("planbok.challenge.unknown-blockchain-refused")
def test_an_unknown_chain_is_refused(tenant: Tenant) -> None:
    """Given a customer who is set up, when a wallet on a chain is asked for that nobody knows."""
    exchange = tenant.ask_wallets(tenant.ready().id, ["NO-SUCH-CHAIN"])
    expect_refusal("planbok.challenge.unknown-blockchain-refused", exchange, "the chain does not exist")


@verifies("planbok.challenge.repeated-blockchain-refused")
def test_a_repeated_chain_is_refused(tenant: Tenant) -> None:
    """Given a customer who is set up, when the same chain is named twice."""
    chain = tenant.chains[0].name
    exchange = tenant.ask_wallets(tenant.ready().id, [chain, chain])
    expect_refusal("planbok.challenge.repeated-blockchain-refused", exchange, "the chain stands twice")


@verifies("planbok.challenge.redirect-url-omitted")
def test_the_redirect_url_may_be_left_out(tenant: Tenant) -> None:
    """Given a customer who is set up, when wallets are asked for without redirectUrl."""
    exchange = tenant.ask_wallets(tenant.ready().id, redirect_url=None)
    _expect_accepted_or_refused("planbok.challenge.redirect-url-omitted", exchange)


@verifies("planbok.challenge.idempotency-key-omitted")
def test_the_idempotency_key_may_be_left_out(tenant: Tenant) -> None:
    """Given a customer who is set up, when wallets are asked for without idempotencyKey."""
    customer = tenant.ready()
    exchange = tenant.ask_wallets(customer.id, idempotency_key=None, broken=("sends-idempotency-key",))
    _expect_accepted_or_refused("planbok.challenge.idempotency-key-omitted", exchange)


@verifies("planbok.challenge.starts-pending", "planbok.result.none-while-pending", "planbok.page.asks-pin-every-time")
def test_a_challenge_is_pending_until_its_page_was_completed(tenant: Tenant) -> None:
    """Given a challenge, when it is read before and after a program looked at its page, and after it was opened."""
    customer = tenant.ready()
    issued = tenant.requested(customer)
    _expect_pending(tenant, customer, issued, "before its page was opened")
    customer.person.preview(issued.url)
    _expect_pending(tenant, customer, issued, "after a HEAD of its page")
    customer.person.open(issued.url)
    _expect_pending(tenant, customer, issued, "after its page was opened")


@verifies("planbok.challenge.redirect-url-read")
def test_a_challenge_that_is_read_names_a_page(tenant: Tenant) -> None:
    """Given a challenge that was asked for with the caller's own page, when it is read."""
    customer = tenant.ready()
    issued = tenant.requested(customer)
    exchange = tenant.challenge(customer.id, issued.id)
    challenge = challenge_of(exchange.response) or step_failed("A challenge was to be read", exchange)
    url = challenge.redirect_url
    if url is None:
        needs("what this API does not show: a redirectUrl in a challenge that is read")
    expect_reading(
        "planbok.challenge.redirect-url-read",
        "hosted-page" if url == issued.url else "callers-own" if url == RETURN_URL else None,
        where="response /data/redirectUrl",
        expected=f"{issued.url} or {RETURN_URL}",
        got=url,
        exchange=exchange,
    )


@verifies("planbok.challenge.success-word")
def test_a_completed_challenge_says_so(tenant: Tenant) -> None:
    """Given a challenge, when the customer enters the right PIN."""
    customer = tenant.ready()
    issued = tenant.requested(customer)
    customer.person.authorize(issued.url)
    challenge = tenant.ended(customer.id, issued.id)
    expect_reading(
        "planbok.challenge.success-word",
        challenge.status if challenge.status in SUCCESS_WORDS else None,
        where="response /data/status",
        expected=" or ".join(SUCCESS_WORDS),
        got=challenge.status,
    )


@verifies("planbok.challenge.listed")
def test_the_list_holds_the_challenges_of_its_customer(tenant: Tenant) -> None:
    """Given a pending challenge of each of two customers, when those of one, all and the pending ones, are listed."""
    customer, other = tenant.ready(), tenant.ready()
    own, foreign = tenant.requested(customer), tenant.requested(other)
    for query in ("", "?status=pending"):
        exchange = tenant.challenges(customer.id, query)
        found = [challenge.id for entry in entries(exchange.response) if (challenge := challenge_in(entry))]
        expect(
            "planbok.challenge.listed",
            own.id in found and foreign.id not in found,
            where="response /data",
            expected=f"{own.id}, and not {foreign.id}",
            got=", ".join(str(each) for each in found) or exchange.response.status,
            exchange=exchange,
        )


@waits
@crosses("expiry", "page")
@verifies("planbok.challenge.filtered-by-status")
def test_a_challenge_is_listed_by_the_status_that_it_shows(tenant: Tenant, clock: Clock) -> None:
    """Given challenges that were completed, that expired and that await the PIN, when each status is listed."""
    customer = tenant.ready()
    first, second = tenant.two_chains
    tenant.provisioned(customer, [first])
    tenant.requested(customer, [second])
    clock.advance(timedelta(minutes=17))
    tenant.requested(customer, [second])
    for status in ("pending", "failed", "verified"):
        tenant.challenges(customer.id, f"?status={status}")


@verifies("planbok.challenge.under-its-customer-only")
def test_a_challenge_is_not_read_under_another_customer(tenant: Tenant) -> None:
    """Given a challenge that was just read, when it is asked for under another customer of the same organization."""
    customer, other = tenant.ready(), tenant.onboard()
    issued = tenant.requested(customer)
    tenant.challenge(customer.id, issued.id)
    _expect_hidden(tenant.challenge(other.id, issued.id), issued)


@verifies("planbok.challenge.under-its-customer-only")
def test_a_challenge_is_not_read_by_another_organization(tenant: Tenant, other_tenant: Tenant) -> None:
    """Given a challenge that its own organization has just read, when another organization asks for it."""
    customer = tenant.ready()
    issued = tenant.requested(customer)
    tenant.challenge(customer.id, issued.id)
    _expect_hidden(other_tenant.challenge(customer.id, issued.id), issued)


@crosses("authentication", "isolation")
@verifies(
    "planbok.challenge.none-for-others",
    "planbok.challenge.under-its-customer-only",
    "planbok.result.readable-after-completion",
)
def test_challenges_are_no_matter_of_another_organization(tenant: Tenant, other_tenant: Tenant) -> None:
    """Given a customer with a wallet, when another organization asks for every challenge, and both read one."""
    customer, new = tenant.ready(), tenant.onboard()
    done = tenant.provisioned(customer, tenant.two_chains[:1])
    identifier = done.id or step_failed("A challenge was to have an id")
    for exchange in (
        other_tenant.ask_wallets(customer.id),
        *(other_tenant.ask(task, customer.id) for task in ("recovery", "update-pin", "reset-pin")),
        other_tenant.ask("initialize", new.id),
    ):
        challenge = challenge_of(exchange.response) if exchange.response.succeeded else None
        expect(
            "planbok.challenge.none-for-others",
            challenge is None,
            where="response",
            expected="no challenge of another organization's customer",
            got=exchange.response.status if challenge is None else f"the challenge {challenge.id}",
            exchange=exchange,
        )
    for exchange in (
        other_tenant.challenge(customer.id, identifier),
        other_tenant.challenges(customer.id),
        tenant.challenge(new.id, identifier),
    ):
        expect(
            "planbok.challenge.under-its-customer-only",
            refused(exchange) or identifier.encode() not in exchange.response.body,
            where="response body",
            expected="nothing of the completed challenge",
            got=exchange.response.status,
            exchange=exchange,
        )
    exchange = tenant.challenge(customer.id, identifier)
    challenge = challenge_of(exchange.response)
    expect(
        "planbok.result.readable-after-completion",
        challenge is not None and places(challenge.wallets) == places(done.wallets),
        where="response /data/result",
        expected=f"{written(done.wallets)}, as before others asked for it",
        got=written(challenge.wallets) if challenge else answered(exchange),
        exchange=exchange,
    )


@verifies("planbok.challenge.unknown-refused")
def test_an_id_or_a_link_like_a_challenges_is_not_the_challenges(tenant: Tenant) -> None:
    """Given a challenge, when it is read by ids that are like its own, and pages opened at links like its own."""
    customer = tenant.ready()
    issued, other = tenant.requested(customer), tenant.requested(customer, tenant.two_chains[:1])
    misses = [miss for miss in near.misses(issued.id, near.HEX, others=[other.id]) if miss.value != other.id]
    for miss in near.chosen(misses, tenant.ids, core=12, more=2):
        exchange = tenant.challenge(customer.id, quote(miss.value, safe=""))
        expect_refusal(
            "planbok.challenge.unknown-refused",
            exchange,
            f"the id is like one that was given, {miss.name}, and nobody gave it",
        )
    start, link, end = _what_differs(issued.url, other.url)
    links = [miss for miss in near.misses(link, near.HEX) if _IN_A_LINK.fullmatch(miss.value)] if link else []
    for miss in links[:LINKS]:
        page = customer.person.open_unasked(f"{start}{miss.value}{end}")
        expect(
            "planbok.challenge.unknown-refused",
            page.form is None,
            where="page",
            expected=f"nothing to fill in: the link is like the right one, {miss.name}",
            got=page.text,
            exchange=shown(page),
        )


@waits
@verifies("planbok.challenge.completable-in-time")
def test_a_challenge_can_be_completed_before_its_time_is_over(tenant: Tenant, clock: Clock) -> None:
    """Given a challenge, when the right PIN is entered after 13 minutes."""
    customer = tenant.ready()
    issued = tenant.requested(customer)
    clock.advance(TWO_MINUTES_BEFORE)
    customer.person.authorize(issued.url)
    challenge = tenant.ended(customer.id, issued.id)
    expect(
        "planbok.challenge.completable-in-time",
        challenge.succeeded,
        where="response /data/status",
        expected="a challenge that succeeded",
        got=challenge.status,
    )


@waits
@pytest.mark.parametrize("visits", [1, 2])
@verifies("planbok.challenge.expires-after-15-minutes")
def test_a_challenge_cannot_be_completed_after_its_time(tenant: Tenant, clock: Clock, visits: int) -> None:
    """Given a challenge whose page was opened at once, and perhaps again, when the PIN is entered after 17 minutes."""
    customer = tenant.ready()
    issued = tenant.requested(customer)
    for _ in range(visits):
        page = customer.person.open(issued.url)
        clock.advance(TWO_MINUTES_AFTER / visits)
    if page.form is None:
        step_failed("The page of a challenge was to ask for the PIN")
    customer.person.enter(page)
    customer.person.authorize(issued.url)
    _expect_expired(tenant, customer, issued, "17 minutes after its issue")


@leaves_out("readings", "neighbours", because="Other tests take the same steps, fewer of them, and meet these.")
@waits
@crosses("expiry", "set-up")
@verifies("planbok.challenge.expires-after-15-minutes")
def test_no_task_is_completed_after_its_time(tenant: Tenant, clock: Clock) -> None:
    """Given pages of each other task, opened and half filled in, when they are filled in rightly after 17 minutes."""
    customer, new = tenant.ready(), tenant.onboard()
    issued = {task: tenant.issued(tenant.ask(task, customer.id)) for task in ("update-pin", "reset-pin", "recovery")}
    first = tenant.issued(tenant.ask("initialize", new.id))
    person = customer.person
    late = [(customer, task, each) for task, each in issued.items() if person.open(each.url).form is not None]
    person.give_answers(issued["reset-pin"].url)
    new.person.set_pin(first.url)
    tenant.shortly()
    if not tenant.seen(new.id, first.id).succeeded:
        late.append((new, "initialize", first))
    if not late:
        step_failed("The page of a challenge was to ask for what its task needs")
    clock.advance(TWO_MINUTES_AFTER)
    person.try_to_change_pin(issued["update-pin"].url, person.pin)
    person.try_to_reset_pin(issued["reset-pin"].url, person.answers)
    person.set_recovery(issued["recovery"].url)
    new.person.set_up(first.url)
    tenant.shortly()
    for owner, task, each in late:
        exchange = tenant.challenge(owner.id, each.id)
        challenge = challenge_of(exchange.response)
        expect(
            "planbok.challenge.expires-after-15-minutes",
            refused(exchange) or (challenge is not None and not challenge.succeeded),
            where="response /data/status",
            expected=f"a challenge of {task} that did not succeed, or none: its page was filled in after 17 minutes",
            got=challenge.status if challenge else exchange.response.status,
            exchange=exchange,
        )


@waits
@crosses("expiry", "page")
@verifies("planbok.challenge.expires-after-15-minutes")
def test_a_wrong_pin_does_not_prolong_a_challenge(tenant: Tenant, clock: Clock) -> None:
    """Given a challenge, when a wrong PIN is entered after eight minutes and after 13, and the right one after 17."""
    customer = tenant.ready()
    issued = tenant.requested(customer)
    for minutes in (8, 5):
        clock.advance(timedelta(minutes=minutes))
        customer.person.authorize(issued.url, customer.person.other_pin)
    page = customer.person.open(issued.url)
    if page.form is None and tenant.seen(customer.id, issued.id).succeeded:
        step_failed("A wrong PIN was to complete nothing", relies_on=["planbok.page.wrong-pin-refused"])
    clock.advance(timedelta(minutes=4))
    if page.form is not None:
        customer.person.enter(page)
    customer.person.authorize(issued.url)
    _expect_expired(tenant, customer, issued, "17 minutes after its issue")


@leaves_out("readings", "neighbours", because="Other tests take the same steps, fewer of them, and meet these.")
@waits
@crosses("idempotency", "expiry")
@verifies("planbok.challenge.expires-after-15-minutes")
def test_no_other_request_prolongs_a_challenge(tenant: Tenant, clock: Clock) -> None:
    """Given two challenges, when one is asked for again after eight minutes and 13, and for the other one another."""
    key, chain = tenant.new_key(), tenant.two_chains[:1]
    repeating, renewing = tenant.ready(), tenant.ready()
    asked = [
        tenant.issued(tenant.ask_wallets(repeating.id, chain, idempotency_key=key)),
        tenant.requested(renewing, chain),
    ]
    for minutes in (8, 5):
        clock.advance(timedelta(minutes=minutes))
        tenant.ask_wallets(repeating.id, chain, idempotency_key=key)
        tenant.ask_wallets(renewing.id, chain)
    clock.advance(timedelta(minutes=4))
    for customer, issued in zip((repeating, renewing), asked, strict=True):
        customer.person.authorize(issued.url)
        _expect_expired(tenant, customer, issued, "17 minutes after its issue")


@leaves_out("readings", "neighbours", because="Other tests take the same steps, fewer of them, and meet these.")
@waits
@verifies("planbok.challenge.expires-after-15-minutes")
def test_a_challenge_that_expired_never_holds_again(tenant: Tenant, clock: Clock) -> None:
    """Given challenges of a day and of 31 days ago, and five minutes more, when the right PIN is entered."""
    if not tenant.moves_clock:
        needs("a clock that can be moved on by days, as only the reference sandbox has")
    customer = tenant.ready()
    for days in DAYS_AFTER:
        issued = tenant.requested(customer)
        clock.advance(timedelta(days=days, minutes=5))
        customer.person.authorize(issued.url)
        _expect_expired(tenant, customer, issued, f"{days} days and five minutes after its issue")


@verifies("planbok.challenge.completable-in-time")
def test_a_challenge_stays_while_others_get_theirs(tenant: Tenant) -> None:
    """Given a challenge, when customers of the same name, of the same refId and of neither get and complete theirs."""
    customer = tenant.ready()
    issued = tenant.requested(customer)
    for name, ref_id in ((customer.name, None), (None, customer.ref_id), (None, None)):
        exchange = tenant.create(name, ref_id)
        if neighbour := customer_id(exchange.response):
            tenant.ask("initialize", neighbour)
    tenant.provisioned(tenant.ready(), tenant.two_chains[:1])
    _expect_completable(tenant, customer, issued, "others got challenges")


@crosses("idempotency", "isolation")
@verifies("planbok.challenge.unique", "planbok.challenge.ids-differ")
def test_two_customers_never_get_one_challenge(tenant: Tenant) -> None:
    """Given two customers, when one request with one idempotencyKey is sent for each of them."""
    key, first, second = tenant.new_key(), tenant.onboard(), tenant.onboard()
    body = {"redirectUrl": RETURN_URL, "idempotencyKey": key}
    one = tenant.issued(tenant.ask("initialize", first.id, body=body))
    exchange = tenant.ask("initialize", second.id, body=body, broken=("sends-idempotency-key",))
    other = challenge_of(exchange.response) if exchange.response.succeeded else None
    for rule, own, foreign in (
        ("planbok.challenge.unique", one.url, other and other.redirect_url),
        ("planbok.challenge.ids-differ", one.id, other and other.id),
    ):
        expect(
            rule,
            own != foreign,
            where="response /data",
            expected=f"another than {own}, which is {first.id}'s, or a refusal",
            got=foreign or exchange.response.status,
            exchange=exchange,
        )


@crosses("isolation", "page")
@verifies("planbok.challenge.completable-in-time")
def test_a_lock_out_is_of_one_customer(tenant: Tenant) -> None:
    """Given two customers with one name, refId and PIN, when one enters ten wrong PINs, and the other the right one."""
    customer = tenant.ready()
    neighbour = tenant.ready(like=customer)
    issued = tenant.requested(neighbour)
    page = customer.person.open(tenant.requested(customer).url)
    for _ in range(MANY):
        if page.form is None:
            break
        page = customer.person.enter(page, customer.person.other_pin)
    _expect_completable(tenant, neighbour, issued, f"{customer.id} entered wrong PINs")


def _expect_completable(tenant: Tenant, customer: Onboarding, issued: Issued, though: str) -> None:
    customer.person.authorize(issued.url)
    challenge = tenant.ended(customer.id, issued.id)
    expect(
        "planbok.challenge.completable-in-time",
        challenge.succeeded,
        where="response /data/status",
        expected=f"a challenge that succeeded, though {though}",
        got=challenge.status,
    )


def _expect_expired(tenant: Tenant, customer: Onboarding, issued: Issued, when: str) -> None:
    tenant.shortly()
    found = tenant.owned(customer.id)
    expect(
        "planbok.challenge.expires-after-15-minutes",
        not found,
        where="response /data",
        expected=f"no wallet of a challenge that expired: the PIN came {when}",
        got=", ".join(wallet.address for wallet in found) or "none",
    )
    exchange = tenant.challenge(customer.id, issued.id)
    challenge = challenge_of(exchange.response)
    expect(
        "planbok.challenge.expires-after-15-minutes",
        refused(exchange) or (challenge is not None and not challenge.succeeded),
        where="response /data/status",
        expected=f"a challenge that did not succeed, or none: the PIN came {when}",
        got=challenge.status if challenge else exchange.response.status,
        exchange=exchange,
    )


def _expect_accepted_or_refused(rule: str, exchange: Exchange) -> None:
    reading = "accepted" if exchange.response.succeeded else "refused" if refused(exchange) else None
    expect_reading(
        rule,
        reading,
        where="response status",
        expected="an acceptance or a refusal",
        got=exchange.response.status,
        exchange=exchange,
    )


def _what_differs(url: str, other: str) -> tuple[str, str, str]:
    """What stands before, in and after the one part in which the links of two challenges differ; nothing if more do."""
    parts, others = (re.split(f"({_IN_A_LINK.pattern})", each) for each in (url, other))
    differing = [place for place, (one, another) in enumerate(zip(parts, others, strict=False)) if one != another]
    if len(differing) != 1 or len(parts) != len(others):
        return url, "", ""
    place = differing[0]
    return "".join(parts[:place]), parts[place], "".join(parts[place + 1 :])


def _expect_pending(tenant: Tenant, customer: Onboarding, issued: Issued, when: str) -> None:
    challenge = tenant.seen(customer.id, issued.id)
    expect(
        "planbok.challenge.starts-pending",
        challenge.status == "pending",
        where="response /data/status",
        expected=f"pending {when}",
        got=challenge.status,
    )
    expect(
        "planbok.result.none-while-pending",
        not challenge.wallets,
        where="response /data/result",
        expected=f"no wallets {when}",
        got=challenge.result or "nothing",
    )
    listed = tenant.owned(customer.id)
    expect(
        "planbok.page.asks-pin-every-time",
        not listed,
        where="response /data",
        expected=f"no wallet {when}, as the PIN was not entered",
        got=written(listed),
    )


def _expect_hidden(exchange: Exchange, issued: Issued) -> None:
    challenge = challenge_of(exchange.response)
    expect(
        "planbok.challenge.under-its-customer-only",
        refused(exchange) or challenge is None or challenge.id != issued.id,
        where="response",
        expected="nothing of the challenge",
        got=exchange.response.status if challenge is None else f"the challenge {challenge.id}",
        exchange=exchange,
    )
