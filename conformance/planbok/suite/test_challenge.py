"""A challenge is issued for new wallets, reads pending until its page was completed, and lives 15 minutes."""

from datetime import timedelta

from conformance.clock import Clock
from conformance.exchange import Exchange
from conformance.planbok.messages import SUCCESS_WORDS, challenge_in, challenge_of, entries
from conformance.planbok.suite.tenant import Issued, Onboarding, Tenant
from conformance.scenario import (
    expect,
    expect_acceptance,
    expect_reading,
    expect_refusal,
    refused,
    step_failed,
    verifies,
    waits,
)

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


@verifies("planbok.challenge.other-account-type-refused")
def test_another_account_type_is_refused(tenant: Tenant) -> None:
    """Given a customer who is set up, when smart contract accounts are asked for, which are announced for later."""
    customer = tenant.ready()
    exchange = tenant.ask_wallets(customer.id, account_type="sca", broken=("asks-for-wallets-as-documented",))
    expect_refusal("planbok.challenge.other-account-type-refused", exchange, "accountType is eoa alone")


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


@verifies("planbok.challenge.starts-pending", "planbok.result.none-while-pending")
def test_a_challenge_is_pending_until_its_page_was_completed(tenant: Tenant) -> None:
    """Given a challenge, when it is read before and after a program looked at its page, and after it was opened."""
    customer = tenant.ready()
    issued = tenant.requested(customer)
    _expect_pending(tenant, customer, issued, "before its page was opened")
    customer.person.preview(issued.url)
    _expect_pending(tenant, customer, issued, "after a HEAD of its page")
    customer.person.open(issued.url)
    _expect_pending(tenant, customer, issued, "after its page was opened")


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
    """Given a pending challenge of each of two customers, when the challenges of one of them are listed."""
    customer, other = tenant.ready(), tenant.ready()
    own, foreign = tenant.requested(customer), tenant.requested(other)
    exchange = tenant.challenges(customer.id)
    found = [challenge.id for entry in entries(exchange.response) if (challenge := challenge_in(entry))]
    expect(
        "planbok.challenge.listed",
        own.id in found and foreign.id not in found,
        where="response /data",
        expected=f"{own.id}, and not {foreign.id}",
        got=", ".join(str(each) for each in found) or exchange.response.status,
        exchange=exchange,
    )


@verifies("planbok.challenge.under-its-customer-only")
def test_a_challenge_is_not_read_under_another_customer(tenant: Tenant) -> None:
    """Given a challenge, when it is asked for under another customer of the same organization."""
    customer, other = tenant.ready(), tenant.onboard()
    issued = tenant.requested(customer)
    _expect_hidden(tenant.challenge(other.id, issued.id), issued)


@verifies("planbok.challenge.under-its-customer-only")
def test_a_challenge_is_not_read_by_another_organization(tenant: Tenant, other_tenant: Tenant) -> None:
    """Given a challenge, when another organization asks for it."""
    customer = tenant.ready()
    issued = tenant.requested(customer)
    _expect_hidden(other_tenant.challenge(customer.id, issued.id), issued)


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
@verifies("planbok.challenge.expires-after-15-minutes")
def test_a_challenge_cannot_be_completed_after_its_time(tenant: Tenant, clock: Clock) -> None:
    """Given a challenge whose page was opened at once, when the right PIN is entered after 17 minutes."""
    customer = tenant.ready()
    issued = tenant.requested(customer)
    page = customer.person.open(issued.url)
    clock.advance(TWO_MINUTES_AFTER)
    if page.form is None:
        step_failed("The page of a challenge was to ask for the PIN")
    customer.person.enter(page)
    customer.person.authorize(issued.url)
    tenant.shortly()
    found = tenant.owned(customer.id)
    expect(
        "planbok.challenge.expires-after-15-minutes",
        not found,
        where="response /data",
        expected="no wallet of a challenge that expired",
        got=", ".join(wallet.address for wallet in found) or "none",
    )
    exchange = tenant.challenge(customer.id, issued.id)
    challenge = challenge_of(exchange.response)
    expect(
        "planbok.challenge.expires-after-15-minutes",
        refused(exchange) or (challenge is not None and not challenge.succeeded),
        where="response /data/status",
        expected="a challenge that did not succeed, or none",
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
