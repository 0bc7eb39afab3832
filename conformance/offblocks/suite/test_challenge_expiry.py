"""A challenge lives for one hour from its issue."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from conformance.clock import Clock
from conformance.exchange import Exchange
from conformance.offblocks.messages import Challenge
from conformance.offblocks.suite.effects import DAYS_AFTER, expect_initiating, expect_the_same_answer, require_days
from conformance.offblocks.suite.tenant import Onboarding, Tenant, signed
from conformance.offblocks.wallet import Wallet
from conformance.scenario import (
    crosses,
    expect,
    expect_acceptance,
    expect_refusal,
    expect_status,
    leaves_out,
    step_failed,
    verifies,
    waits,
)

HOUR = timedelta(hours=1)
HALF = timedelta(minutes=30)
AT_ONCE = 8
SOON, LATER = timedelta(minutes=45), timedelta(minutes=16)
"""How long after its issue a challenge still holds, and how long after that no more."""
LATE = ("signs-within-the-hour",)
SEEN_LATE = timedelta(seconds=10)
"""How long after its issue a challenge may first be seen."""
EXPIRED = 2
"""How many challenges of a customer expire one after the other."""
ANOTHER_SIGNER = ("owner-signs-the-message", "owner-id")


@waits
@verifies("offblocks.challenge.accepted-within-the-hour")
def test_a_challenge_is_accepted_within_the_hour(tenant: Tenant, wallet: Wallet, clock: Clock) -> None:
    """Given a customer created just under an hour ago, when its challenge is fetched, and the first one signed."""
    customer = tenant.onboard(wallet)
    clock.advance(HOUR - tenant.margin)
    tenant.fetch(customer.id)
    answer = tenant.sign(customer.id, wallet, customer.challenge)
    expect_acceptance("offblocks.challenge.accepted-within-the-hour", answer)


@waits
@verifies(
    "offblocks.challenge.expires-after-one-hour",
    "offblocks.challenge.renewed-after-the-hour",
    "offblocks.signing.refusal-leaves-initiating",
)
def test_a_challenge_is_refused_after_the_hour(tenant: Tenant, wallet: Wallet, clock: Clock) -> None:
    """Given a customer created just over an hour ago, when the owner signs and then fetches the challenge."""
    customer = tenant.onboard(wallet)
    clock.advance(HOUR + tenant.overdue)
    answer = tenant.sign(customer.id, wallet, customer.challenge, broken=LATE)
    because = f"the challenge is {HOUR + tenant.overdue} old"
    expect_refusal("offblocks.challenge.expires-after-one-hour", answer, because)
    if answer.response.succeeded:
        step_failed(
            "An expired challenge was to be refused", answer, relies_on=["offblocks.challenge.expires-after-one-hour"]
        )
    renewed = tenant.fetched(customer.id)
    expect(
        "offblocks.challenge.renewed-after-the-hour",
        renewed.text != customer.challenge.text,
        where="response /challenge",
        expected="a new challenge",
        got="the expired one" if renewed.text == customer.challenge.text else "a new one",
    )
    expect_initiating(tenant, customer.id)


@waits
@verifies("offblocks.challenge.hour-runs-from-issue")
def test_fetching_a_challenge_does_not_prolong_its_hour(tenant: Tenant, wallet: Wallet, clock: Clock) -> None:
    """Given a challenge that was fetched after 30 minutes, when the owner signs it just over an hour after it came."""
    customer = tenant.onboard(wallet)
    clock.advance(HALF)
    tenant.fetched(customer.id)
    clock.advance(HALF + tenant.overdue)
    answer = tenant.sign(customer.id, wallet, customer.challenge, broken=LATE)
    expect_refusal(
        "offblocks.challenge.hour-runs-from-issue",
        answer,
        f"it is {HOUR + tenant.overdue} old, though fetched {HALF + tenant.overdue} ago",
    )


@waits
@verifies("offblocks.challenge.renewed-one-has-its-own-hour")
def test_a_challenge_that_replaced_an_expired_one_has_a_full_hour(tenant: Tenant, wallet: Wallet, clock: Clock) -> None:
    """Given a challenge fetched when the first had expired, when the owner signs it just under an hour later."""
    customer = tenant.onboard(wallet)
    clock.advance(HOUR + tenant.overdue)
    renewed = _renewed(tenant, customer)
    clock.advance(_well_within(tenant))
    answer = tenant.sign(customer.id, wallet, renewed)
    expect_acceptance("offblocks.challenge.renewed-one-has-its-own-hour", answer)


@waits
@crosses("expiry", "state")
@verifies("offblocks.challenge.renewed-one-has-its-own-hour")
def test_a_challenge_that_followed_a_failure_has_a_full_hour(
    tenant: Tenant, wallet: Wallet, other_wallet: Wallet, clock: Clock
) -> None:
    """Given a new challenge after a failure at 30 minutes, when the owner signs it just under an hour later."""
    customer = tenant.onboard(wallet)
    clock.advance(HALF)
    renewed = _renewed_by_failure(tenant, customer, other_wallet)
    clock.advance(_well_within(tenant))
    answer = tenant.sign(customer.id, wallet, renewed)
    expect_acceptance("offblocks.challenge.renewed-one-has-its-own-hour", answer)


@waits
@crosses("expiry", "state")
@verifies("offblocks.challenge.renewed-one-has-its-own-hour")
def test_a_challenge_that_followed_a_failure_expires_too(
    tenant: Tenant, wallet: Wallet, other_wallet: Wallet, clock: Clock
) -> None:
    """Given a new challenge after a failure at 30 minutes, when the owner signs it just over an hour later."""
    customer = tenant.onboard(wallet)
    clock.advance(HALF)
    renewed = _renewed_by_failure(tenant, customer, other_wallet)
    clock.advance(HOUR + tenant.overdue)
    answer = tenant.sign(customer.id, wallet, renewed, broken=LATE)
    because = f"the new challenge is {HOUR + tenant.overdue} old"
    expect_refusal("offblocks.challenge.renewed-one-has-its-own-hour", answer, because)


@leaves_out("readings", "neighbours", because="Other tests take the same steps, fewer of them, and meet these.")
@waits
@verifies(
    "offblocks.challenge.expires-after-one-hour",
    "offblocks.challenge.renewed-after-the-hour",
    "offblocks.challenge.renewed-one-has-its-own-hour",
)
def test_each_challenge_that_expires_is_replaced(tenant: Tenant, wallet: Wallet, clock: Clock) -> None:
    """Given a customer who lets two challenges expire, when each is signed then, and the last one in its hour."""
    require_days(tenant)
    customer = tenant.onboard(wallet)
    challenge = customer.challenge
    for number in range(1, EXPIRED + 1):
        clock.advance(HOUR + tenant.overdue)
        answer = tenant.sign(customer.id, wallet, challenge, broken=LATE)
        expect_refusal("offblocks.challenge.expires-after-one-hour", answer, f"challenge {number} has expired")
        if answer.response.succeeded:
            step_failed("An expired challenge was to be refused", answer)
        renewed = tenant.fetched(customer.id)
        expect(
            "offblocks.challenge.renewed-after-the-hour",
            renewed.text != challenge.text,
            where="response /challenge",
            expected=f"a new challenge in the place of expired challenge {number}",
            got="the expired one" if renewed.text == challenge.text else "a new one",
        )
        if renewed.text == challenge.text:
            step_failed(f"A new challenge was to take the place of expired challenge {number}")
        challenge = renewed
    clock.advance(_well_within(tenant))
    expect_acceptance("offblocks.challenge.renewed-one-has-its-own-hour", tenant.sign(customer.id, wallet, challenge))


@leaves_out("readings", "neighbours", because="Other tests take the same steps, fewer of them, and meet these.")
@waits
@verifies(
    "offblocks.challenge.expires-after-one-hour",
    "offblocks.challenge.renewed-after-the-hour",
    "offblocks.challenge.fetched-with-200",
    "offblocks.challenge.renewed-one-has-its-own-hour",
)
def test_a_challenge_that_expired_never_holds_again(tenant: Tenant, clock: Clock) -> None:
    """Given challenges of a day, a week and 31 days ago, and 20 minutes, when they are signed, and then new ones."""
    require_days(tenant)
    for days in DAYS_AFTER:
        wallet = tenant.new_wallet()
        customer = tenant.onboard(wallet)
        clock.advance(timedelta(days=days, minutes=20))
        answer = tenant.sign(customer.id, wallet, customer.challenge, broken=LATE)
        because = f"the challenge is {days} days and 20 minutes old"
        expect_refusal("offblocks.challenge.expires-after-one-hour", answer, because)
        fetched = tenant.fetch(customer.id)
        expect_status("offblocks.challenge.fetched-with-200", fetched, 200, because=f"{because}, and nobody has signed")
        if answer.response.succeeded:
            step_failed("An expired challenge was to be refused", answer)
        renewed = tenant.fetched(customer.id)
        expect(
            "offblocks.challenge.renewed-after-the-hour",
            renewed.text != customer.challenge.text,
            where="response /challenge",
            expected=f"a new challenge after {days} days and 20 minutes",
            got="the expired one" if renewed.text == customer.challenge.text else "a new one",
        )
        if renewed.text == customer.challenge.text:
            step_failed(f"A new challenge was to take the place of one of {days} days ago")
        answer = tenant.sign(customer.id, wallet, renewed)
        expect_acceptance("offblocks.challenge.renewed-one-has-its-own-hour", answer)


@leaves_out("clock", "population", "readings", "neighbours", because="It has hours of its own, and many steps.")
@waits
@crosses("idempotency", "expiry")
@verifies(
    "offblocks.challenge.accepted-within-the-hour",
    "offblocks.challenge.expires-after-one-hour",
    "offblocks.idempotency.repeat-answered-alike",
    "offblocks.idempotency.key-free-after-an-hour",
    "offblocks.customer.readable",
)
def test_an_hour_is_one_when_clocks_are_changed(tenant: Tenant, clock: Clock) -> None:
    """Given customers half an hour before clocks change or a year ends, when they sign, are read, and keys return."""
    require_days(tenant)
    for name, change in clock_changes(clock.now()):
        clock.advance(change - HALF - clock.now())
        early, late, key = tenant.new_wallet(), tenant.new_wallet(), tenant.new_key()
        external_id = tenant.new_external_id()
        first = tenant.create(early, external_id, key=key)
        customer, other = tenant.onboard(tenant.new_wallet()), tenant.onboard(late)
        if not first.response.succeeded:
            step_failed("A customer was to be created", first)
        clock.advance(SOON)
        repeat = tenant.create(early, external_id, key=key)
        expect_the_same_answer("offblocks.idempotency.repeat-answered-alike", repeat, first)
        answer = tenant.sign(customer.id, customer.wallet, customer.challenge)
        expect_acceptance("offblocks.challenge.accepted-within-the-hour", answer)
        expect_status("offblocks.customer.readable", tenant.read(customer.id), 200)
        clock.advance(LATER)
        answer = tenant.sign(other.id, late, other.challenge, broken=LATE)
        because = f"the challenge is {SOON + LATER} old, though clocks went {name}"
        expect_refusal("offblocks.challenge.expires-after-one-hour", answer, because)
        answer = tenant.create(tenant.new_wallet(), key=key)
        expect_acceptance("offblocks.idempotency.key-free-after-an-hour", answer)


@leaves_out("readings", "neighbours", because="What is sent at once meets enough besides.")
@waits
@verifies("offblocks.challenge.stays-until-signed")
def test_fetches_at_once_bring_one_new_challenge(tenant: Tenant, wallet: Wallet, clock: Clock) -> None:
    """Given a challenge that has expired, when the next one is fetched eight times at once, and once more."""
    customer = tenant.onboard(wallet)
    clock.advance(HOUR + tenant.overdue)
    fetched = {exchange.response.members().get("challenge") for exchange in _at_once(tenant, customer)}
    fetched.add(tenant.fetched(customer.id).text)
    expect(
        "offblocks.challenge.stays-until-signed",
        len(fetched) == 1,
        where="response /challenge",
        expected="one challenge, however often it is fetched until it is signed",
        got=f"{len(fetched)} of them",
    )


def _at_once(tenant: Tenant, customer: Onboarding) -> list[Exchange]:
    return tenant.together(*[lambda: tenant.fetch(customer.id)] * AT_ONCE)


def _well_within(tenant: Tenant) -> timedelta:
    """Just under an hour for a challenge that may have been issued some time before it was seen."""
    return HOUR - max(5 * tenant.margin, SEEN_LATE)


def _renewed_by_failure(tenant: Tenant, customer: Onboarding, other: Wallet) -> Challenge:
    wrong = signed(other, customer.challenge)
    tenant.sign(customer.id, customer.wallet, customer.challenge, signature=wrong, broken=ANOTHER_SIGNER)
    return _renewed(tenant, customer)


def _renewed(tenant: Tenant, customer: Onboarding) -> Challenge:
    """The challenge that took the place of the first.

    Raises:
        StepFailedError: If it is still the first.
    """
    renewed = tenant.fetched(customer.id)
    if renewed.text == customer.challenge.text:
        step_failed(
            "A new challenge was to be fetched, but it is still the first",
            relies_on=["offblocks.challenge.renewed-after-the-hour"],
        )
    return renewed


def clock_changes(now: datetime) -> Iterator[tuple[str, datetime]]:
    """When clocks next go forward and back in Europe and in New York, and on to another year, in that order (UTC).

    Args:
        now: The present (UTC).
    """
    changes = [
        (f"{way} in {place}", sunday(datetime(year, month, latest, hour, tzinfo=UTC)))
        for year in (now.year, now.year + 1)
        for place, way, month, latest, hour in (
            ("New York", "forward", 3, 14, 7),
            ("Europe", "forward", 3, 31, 1),
            ("Europe", "back", 10, 31, 1),
            ("New York", "back", 11, 7, 6),
        )
    ]
    coming = [each for each in changes if each[1] - now > HALF]
    yield from coming[:4]
    yield "on to another year", datetime(coming[3][1].year + 1, 1, 1, tzinfo=UTC)


def sunday(latest: datetime) -> datetime:
    """The last Sunday until a day."""
    return latest - timedelta(days=latest.isoweekday() % 7)
