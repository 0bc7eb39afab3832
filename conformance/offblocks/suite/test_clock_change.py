"""An hour is an hour also where a server's clocks go forward or back meanwhile."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from conformance.clock import Clock
from conformance.offblocks.suite.effects import expect_the_same_answer, require_days
from conformance.offblocks.suite.tenant import Tenant
from conformance.scenario import crosses, expect_acceptance, expect_refusal, leaves_out, step_failed, verifies, waits

HALF_AN_HOUR = timedelta(minutes=30)
WITHIN, AFTER = timedelta(minutes=45), timedelta(minutes=16)
"""How long the decisive steps come after the first one, and after one another."""
LATE = ("signs-within-the-hour",)


@leaves_out("readings", "neighbours", because="Other tests take the same steps, fewer of them, and meet these.")
@waits
@crosses("idempotency", "expiry")
@verifies(
    "offblocks.challenge.accepted-within-the-hour",
    "offblocks.challenge.expires-after-one-hour",
    "offblocks.idempotency.repeat-answered-alike",
    "offblocks.idempotency.key-free-after-an-hour",
)
def test_an_hour_is_one_when_clocks_are_changed(tenant: Tenant, clock: Clock) -> None:
    """Given customers half an hour before clocks change in Europe or America, when they sign and their keys return."""
    require_days(tenant)
    for name, change in clock_changes(clock.now()):
        clock.advance(change - HALF_AN_HOUR - clock.now())
        early, late, key = tenant.new_wallet(), tenant.new_wallet(), tenant.new_key()
        external_id = tenant.new_external_id()
        first = tenant.create(early, external_id, key=key)
        customer, other = tenant.onboard(tenant.new_wallet()), tenant.onboard(late)
        if not first.response.succeeded:
            step_failed("A customer was to be created", first)
        clock.advance(WITHIN)
        repeat = tenant.create(early, external_id, key=key)
        expect_the_same_answer("offblocks.idempotency.repeat-answered-alike", repeat, first)
        answer = tenant.sign(customer.id, customer.wallet, customer.challenge)
        expect_acceptance("offblocks.challenge.accepted-within-the-hour", answer)
        clock.advance(AFTER)
        answer = tenant.sign(other.id, late, other.challenge, broken=LATE)
        because = f"the challenge is {WITHIN + AFTER} old, though clocks went {name}"
        expect_refusal("offblocks.challenge.expires-after-one-hour", answer, because)
        answer = tenant.create(tenant.new_wallet(), key=key)
        expect_acceptance("offblocks.idempotency.key-free-after-an-hour", answer)


def clock_changes(now: datetime) -> Iterator[tuple[str, datetime]]:
    """When clocks next go forward and back in Europe and in New York (UTC), in that order, within some fifteen months.

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
    coming = [each for each in changes if each[1] - now > HALF_AN_HOUR]
    yield from coming[:4]


def sunday(latest: datetime) -> datetime:
    """The last Sunday until a day."""
    return latest - timedelta(days=latest.isoweekday() % 7)
