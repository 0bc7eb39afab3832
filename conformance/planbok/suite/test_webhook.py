"""Events tell of customers and new wallets: in time, signed, and again until they are received."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

import pytest

from conformance.clock import Clock
from conformance.exchange import Delivery
from conformance.planbok.messages import Challenge, customer_id, event_of, instant, names_customer, payload, wallets_in
from conformance.planbok.messages import wallets_of as wallets_shown
from conformance.planbok.suite.events import events_about, identifier
from conformance.planbok.suite.lock_out import MANY, right_pin_refused
from conformance.planbok.suite.tenant import Onboarding, Tenant
from conformance.planbok.suite.wallets import places, written
from conformance.planbok.webhooks import ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, signed_over
from conformance.scenario import (
    PATIENCE,
    expect,
    expect_reading,
    leaves_out,
    needs,
    refused,
    step_failed,
    verifies,
    waits,
)
from conformance.targets import Hooks
from conformance.values import near, telling

pytestmark = pytest.mark.usefixtures("hooks")

A_SECOND = timedelta(seconds=1)
HALF_A_SECOND = A_SECOND / 2
A_MINUTE = timedelta(minutes=1)
EIGHT_MINUTES = timedelta(minutes=8)
"""More than two clocks may differ."""
SIX_MINUTES = timedelta(minutes=6)
"""After which a timestamp that was not renewed is no longer fresh."""
AN_HOUR = 60
"""Minutes for which an event that was not received may be sent again."""
AT_ONCE = 4
"""How often a form is sent at one instant."""
REFUSALS = 20
"""How often it is not received, so that one of the tries is more than six minutes later than the first."""
ANOTHER_SECRET = "another secret"  # noqa: S105  (nobody's)


@verifies(
    "planbok.webhook.wallet-created-sent",
    "planbok.webhook.one-for-each-wallet",
    "planbok.webhook.agrees-with-list",
    "planbok.webhook.event-id",
    "planbok.webhook.event-names",
)
def test_new_wallets_are_announced(tenant: Tenant) -> None:
    """Given a customer who is set up, when wallets on all chains of the run are authorized."""
    customer = tenant.ready()
    chains = [chain.name for chain in tenant.chains]
    challenge = tenant.provisioned(customer, chains)
    events = _announced(tenant, customer, challenge, chains)
    announced = [wallet for event in events for wallet in wallets_shown(event)]
    expect(
        "planbok.webhook.wallet-created-sent",
        bool(events) and (not announced or {wallet.blockchain for wallet in announced} >= set(chains)),
        where="webhook",
        expected=f"wallet.created for {' and '.join(chains)} within {PATIENCE}",
        got=f"{len(events)} of them for {written(announced)}",
    )
    if not events:
        step_failed(f"wallet.created was to come within {PATIENCE}", relies_on=["planbok.webhook.wallet-created-sent"])
    number = len({identifier(event) for event in events})
    expect_reading(
        "planbok.webhook.one-for-each-wallet",
        {len(chains): "for-each-wallet", 1: "for-the-challenge"}.get(number),
        where="webhook",
        expected=f"{len(chains)} wallet.created, one for each wallet, or one for all",
        got=number,
    )
    if not announced:
        needs("wallets in wallet.created, which this API does not show")
    listed = tenant.eventually(
        "new wallets to be listed",
        lambda: tenant.owned(customer.id),
        lambda found: {wallet.blockchain for wallet in found} >= set(chains),
    )
    expect(
        "planbok.webhook.agrees-with-list",
        places(announced) == places(listed),
        where="webhook /data",
        expected=f"{written(listed)}, as listed",
        got=written(announced),
    )


@verifies("planbok.page.completed-once")
def test_a_page_that_is_filled_in_again_announces_nothing(tenant: Tenant) -> None:
    """Given a challenge, when its form is sent four times at once, sent again, and the page filled in once more."""
    customer, chain = tenant.ready(), tenant.two_chains[:1]
    issued = tenant.requested(customer, chain)
    page = customer.person.open(issued.url)
    if page.form is None:
        step_failed("The page of a challenge was to ask for the PIN")
    tenant.together(*[lambda: customer.person.enter(page)] * AT_ONCE)
    challenge = tenant.ended(customer.id, issued.id)
    _announced(tenant, customer, challenge, chain)
    customer.person.enter(page)
    customer.person.authorize(issued.url)
    tenant.shortly()
    number = len({identifier(event) for event in _announced(tenant, customer, challenge, chain)})
    expect(
        "planbok.page.completed-once",
        number <= len(chain),
        where="webhook",
        expected="one wallet.created for one wallet",
        got=f"{number} of them",
    )


@verifies("planbok.webhook.wallet-readable-then")
def test_an_announced_wallet_can_be_read(tenant: Tenant) -> None:
    """Given a customer who is set up, when wallet.created comes and the wallet is read at once."""
    customer = tenant.ready()
    chain, _ = tenant.two_chains
    challenge = tenant.provisioned(customer, [chain])
    events = _announced(tenant, customer, challenge, [chain])
    if not events:
        step_failed(f"wallet.created was to come within {PATIENCE}", relies_on=["planbok.webhook.wallet-created-sent"])
    ids = {wallet.id for event in events for wallet in wallets_shown(event) if wallet.id is not None}
    by_id = {each: wallets_in(payload(tenant.wallet(each).response)) for each in ids}
    listed = tenant.owned(customer.id)
    found = [*(wallet for each in by_id.values() for wallet in each), *listed]
    lost = [each for each in sorted(ids) if not by_id[each] and each not in {wallet.id for wallet in listed}]
    expect(
        "planbok.webhook.wallet-readable-then",
        chain in {wallet.blockchain for wallet in found} and not lost,
        where="response /data, directly after wallet.created",
        expected=f"the wallet on {chain}, by its id {' and '.join(sorted(ids))} or in the list",
        got=f"no wallet with the id {' or '.join(lost)}" if lost else written(found) or "no wallet",
    )


@verifies("planbok.webhook.not-before-completion")
def test_no_wallet_is_announced_before_the_pin_was_entered(tenant: Tenant) -> None:
    """Given a challenge for a wallet, when its page is opened, and later the right PIN is entered."""
    customer = tenant.ready()
    chain, _ = tenant.two_chains
    issued = tenant.requested(customer, [chain])
    customer.person.open(issued.url)
    tenant.shortly()
    before = tenant.deliveries()
    customer.person.authorize(issued.url)
    came, then = _first_of(tenant, customer, issued.id)
    if came and then.is_under_way and tenant.clock.now() - came[0].at < A_SECOND:
        tenant.clock.advance(A_SECOND)
        then = tenant.seen(customer.id, issued.id)
    challenge = then if not then.is_under_way else tenant.ended(customer.id, issued.id)
    if not _announced(tenant, customer, challenge, [chain]):
        step_failed(
            f"wallet.created was to come within {PATIENCE} of the right PIN",
            relies_on=["planbok.webhook.wallet-created-sent"],
        )
    early = events_about(before, "wallet.created", _names(customer, challenge))
    _expect_none("planbok.webhook.not-before-completion", early, "before the PIN was entered")
    if came and not early:
        expect(
            "planbok.webhook.not-before-completion",
            not then.is_under_way,
            where="response /data/status, a second after wallet.created came",
            expected="a challenge that is no longer pending",
            got=then.status,
        )


@verifies("planbok.webhook.none-for-a-failed-challenge", "planbok.webhook.none-before-it-happened")
def test_no_wallet_is_announced_for_a_failed_challenge(tenant: Tenant) -> None:
    """Given a challenge for which a wrong PIN was entered, when it is given up, and another one is completed."""
    customer = tenant.ready()
    failed_chain, chain = tenant.two_chains
    failed = tenant.requested(customer, [failed_chain])
    customer.person.authorize(failed.url, customer.person.other_pin)
    customer.person.give_up(failed.url)
    tenant.shortly()
    before = tenant.deliveries()
    challenge = tenant.provisioned(customer, [chain])
    events = _announced(tenant, customer, challenge, [chain])
    if not events:
        step_failed(
            f"wallet.created was to come within {PATIENCE} of the right PIN",
            relies_on=["planbok.webhook.wallet-created-sent"],
        )
    wrong = [
        *events_about(before, "wallet.created", [customer.id, failed.id]),
        *(event for event in events if any(wallet.blockchain == failed_chain for wallet in wallets_shown(event))),
    ]
    _expect_none("planbok.webhook.none-for-a-failed-challenge", wrong, f"for {failed_chain}, which was given up")
    _expect_not_yet(tenant, customer, "customer.locked_out", "after one wrong PIN")


@verifies(
    "planbok.webhook.customer-events-sent",
    "planbok.webhook.event-matches-schema",
    "planbok.webhook.event-id",
    "planbok.response.times-right",
)
def test_a_new_customer_is_announced(tenant: Tenant) -> None:
    """When a customer is created, and another one without a name was refused before."""
    ref_id = tenant.new_own_id()
    nameless = tenant.create(body={"refId": ref_id, "idempotencyKey": tenant.new_key()})
    customer = tenant.onboard()
    _expect_event("planbok.webhook.customer-events-sent", tenant, customer, "customer.created")
    if refused(nameless):
        found = events_about(tenant.deliveries(), "customer.created", [ref_id])
        expect(
            "planbok.webhook.customer-events-sent",
            not found,
            where="webhook",
            expected=f"no customer.created for {ref_id}, whose creation was refused",
            got=f"{len(found)} of them" if found else "none",
        )


@verifies("planbok.webhook.own-events-only")
def test_a_customer_of_another_organization_is_not_announced(tenant: Tenant, other_tenant: Tenant) -> None:
    """When another organization creates a customer, and then the one whose webhook it is."""
    foreign, own = other_tenant.onboard(), tenant.onboard()
    if not _awaited(tenant, own, "customer.created"):
        step_failed(f"customer.created was to come within {PATIENCE}")
    found = [event for event in tenant.deliveries() if names_customer(event, _ids(foreign))]
    expect(
        "planbok.webhook.own-events-only",
        not found,
        where="webhook",
        expected=f"no event about {foreign.id}",
        got=f"{len(found)} of them" if found else "none",
    )


@verifies(
    "planbok.webhook.customer-events-sent", "planbok.webhook.event-names", "planbok.webhook.none-before-it-happened"
)
def test_a_new_pin_is_announced(tenant: Tenant) -> None:
    """Given a new customer whose page was opened, when PIN and recovery are set up."""
    customer = tenant.onboard()
    issued = tenant.issued(tenant.ask("initialize", customer.id))
    customer.person.open(issued.url)
    if not _awaited(tenant, customer, "customer.created"):
        step_failed(f"customer.created was to come within {PATIENCE}")
    _expect_not_yet(tenant, customer, "customer.pin_setup", "before a PIN was set")
    customer.person.set_up(issued.url)
    _expect_event("planbok.webhook.customer-events-sent", tenant, customer, "customer.pin_setup")


@verifies("planbok.webhook.security-events-sent")
def test_a_lock_out_is_announced(tenant: Tenant) -> None:
    """Given a customer who is set up, and a newer one, when ten wrong PINs are entered."""
    customer = tenant.ready()
    tenant.onboard()
    url = tenant.requested(customer).url
    for _ in range(MANY):
        page = customer.person.authorize(url, customer.person.other_pin)
        if page.form is None:
            exchange = tenant.ask_wallets(customer.id)
            if refused(exchange):
                break
            url = tenant.issued(exchange).url
    if not _awaited(tenant, customer, "customer.locked_out") and not right_pin_refused(tenant, customer)[0]:
        needs(f"a lock-out, which {MANY} wrong PINs do not bring about")
    _expect_event("planbok.webhook.security-events-sent", tenant, customer, "customer.locked_out")


@leaves_out("readings", "neighbours", because="Other tests take the same steps, fewer of them, and meet these.")
@waits
@verifies("planbok.webhook.security-events-sent")
def test_what_happens_again_is_announced_again(tenant: Tenant, clock: Clock) -> None:
    """Given a customer who reset the PIN and was locked out, when both happen once more, a day later."""
    if not tenant.moves_clock:
        needs("a clock that can be moved on by days, as only the reference sandbox has")
    customer = tenant.ready()
    for number in (1, 2):
        customer.person.reset_pin(tenant.issued(tenant.ask("reset-pin", customer.id)).url)
        for kind in ("customer.recovery_initiated", "customer.recovery_completed"):
            _expect_events(tenant, customer, kind, number)
        page = customer.person.open(tenant.requested(customer).url)
        for _ in range(MANY):
            if page.form is not None:
                page = customer.person.enter(page, customer.person.other_pin)
        if right_pin_refused(tenant, customer)[0]:
            _expect_events(tenant, customer, "customer.locked_out", number)
        clock.advance(timedelta(days=1))


def _expect_events(tenant: Tenant, customer: Onboarding, kind: str, number: int) -> None:
    """Say that so many events of a kind came about a customer, each with an id of its own."""

    def ids() -> set[str]:
        return {identifier(event) for event in events_about(tenant.deliveries(), kind, _ids(customer))}

    tenant.shortly()
    found = len(tenant.eventually(f"{kind} to come", ids, lambda seen: len(seen) >= number))
    expect(
        "planbok.webhook.security-events-sent",
        found >= number,
        where="webhook",
        expected=f"{kind} each time that it happened, {number} so far, within {PATIENCE}",
        got=f"{found} of them",
    )


@verifies(
    "planbok.webhook.security-events-sent",
    "planbok.webhook.recovery-in-turn",
    "planbok.webhook.none-before-it-happened",
)
def test_a_reset_of_the_pin_is_announced(tenant: Tenant) -> None:
    """Given two customers, when the older one cancels a reset after the answers, and goes through another one."""
    customer = tenant.ready()
    tenant.onboard()
    before = len(events_about(tenant.deliveries(), "customer.recovery_completed", _ids(customer)))
    cancelled = tenant.issued(tenant.ask("reset-pin", customer.id))
    customer.person.give_answers(cancelled.url)
    customer.person.give_up(cancelled.url)
    tenant.shortly()
    _expect_not_yet(tenant, customer, "customer.recovery_completed", "for a reset that was cancelled", before)
    customer.person.reset_pin(tenant.issued(tenant.ask("reset-pin", customer.id)).url)
    kinds = ("customer.recovery_initiated", "customer.recovery_completed")
    for kind in kinds:
        _expect_event("planbok.webhook.security-events-sent", tenant, customer, kind)
    initiated, completed = (_times(tenant, customer, kind) for kind in kinds)
    if not (initiated and completed):
        needs("times in the events of a reset")
    expect(
        "planbok.webhook.recovery-in-turn",
        min(initiated) <= max(completed),
        where="webhook /timestamp",
        expected="customer.recovery_completed not before customer.recovery_initiated",
        got=f"{max(completed)} and {min(initiated)}",
    )


@verifies("planbok.webhook.signed", "planbok.webhook.signed-bytes", "planbok.webhook.timestamp-is-fresh")
def test_every_event_is_signed(tenant: Tenant) -> None:
    """Given a new customer, when PIN and recovery are set up and a wallet is authorized."""
    customer = tenant.ready()
    chain, _ = tenant.two_chains
    _announced(tenant, customer, tenant.provisioned(customer, [chain]), [chain])
    events = [event for event in tenant.deliveries() if names_customer(event, _ids(customer))]
    if not events:
        step_failed(f"An event about a new customer was to come within {PATIENCE}")
    _expect_signed(events, tenant.webhook_secret, _ids(customer))


@verifies("planbok.webhook.signed", "planbok.webhook.signed-bytes")
def test_events_are_signed_whatever_is_in_them(tenant: Tenant) -> None:
    """When customers are created under texts that are often escaped or encoded anew, and are announced."""
    names: set[str] = set()
    for value in near.chosen(telling.TEXTS, tenant.ids, core=6, more=2):
        text = value.numbered(10**9 + tenant.ids.below(9 * 10**9))
        if identifier := customer_id(tenant.create(text, text).response):
            names |= {identifier, text}

    def announced() -> list[Delivery]:
        """The events that name one of the customers just as it was sent."""
        found = events_about(tenant.deliveries(), "customer.created", names)
        return [event for event in found if any(name.encode() in event.request.body for name in names)]

    tenant.shortly()
    events = tenant.eventually("customer.created to come", announced, lambda found: len(found) >= len(names) // 2)
    if not events:
        step_failed(f"customer.created was to come within {PATIENCE}")
    _expect_signed(events, tenant.webhook_secret, names)


@waits
@verifies(
    "planbok.webhook.retried-alike",
    "planbok.webhook.timestamp-is-fresh",
    "planbok.webhook.signed",
    "planbok.webhook.signed-bytes",
)
@pytest.mark.parametrize("status", [500, 302])
def test_an_event_that_is_not_received_is_sent_again(tenant: Tenant, clock: Clock, hooks: Hooks, status: int) -> None:
    """Given a receiver that answers 500, or a redirect, when a customer is created and an hour passes at most."""
    hooks.answer_with(*[status] * REFUSALS)
    customer = tenant.onboard()
    found = _awaited(tenant, customer, "customer.created")
    if not found:
        step_failed(f"customer.created was to come within {PATIENCE}")
    for _ in range(AN_HOUR):
        if found[-1].at - found[0].at > SIX_MINUTES:
            break
        clock.advance(A_MINUTE)
        found = events_about(tenant.deliveries(), "customer.created", _ids(customer))
    ids = {f"{identifier(event)}, {event.request.header(ID_HEADER)}" for event in found}
    expect(
        "planbok.webhook.retried-alike",
        len(found) > 1 and len(ids) == 1,
        where="webhook",
        expected=f"the event that was answered {status}, again with the same id",
        got=f"{len(found)} tries with the ids {'; '.join(sorted(ids))}",
    )
    _expect_signed(found, tenant.webhook_secret, _ids(customer))


@waits
@verifies("planbok.webhook.customer-events-sent")
def test_an_event_that_waits_keeps_no_other_back_for_good(tenant: Tenant, clock: Clock, hooks: Hooks) -> None:
    """Given an event that was answered 500, when another customer is created, and an hour passes at most."""
    hooks.answer_with(500)
    customers = []
    for _ in range(2):
        customers.append(tenant.onboard())
        tenant.shortly()
    for _ in range(AN_HOUR):
        found = [events_about(tenant.deliveries(), "customer.created", _ids(customer)) for customer in customers]
        if all(found):
            break
        clock.advance(A_MINUTE)
    expect(
        "planbok.webhook.customer-events-sent",
        all(found),
        where="webhook",
        expected="customer.created for both, though one of them waited to be sent again",
        got=" and ".join(f"{len(events)} of them" for events in found),
    )


@verifies("planbok.webhook.wallet-created-sent", "planbok.webhook.agrees-with-list")
def test_wallets_of_a_later_challenge_are_announced(tenant: Tenant) -> None:
    """Given a customer with a wallet, when a wallet on another chain is authorized, minutes after it was asked for."""
    customer = tenant.ready()
    first, second = tenant.two_chains
    _announced(tenant, customer, tenant.provisioned(customer, [first]), [first])
    issued = tenant.requested(customer, [second])
    if tenant.moves_clock:
        tenant.clock.advance(EIGHT_MINUTES)
    customer.person.authorize(issued.url)
    challenge = tenant.ended(customer.id, issued.id)
    events = _announced(tenant, customer, challenge, [second])
    announced = [wallet for event in events for wallet in wallets_shown(event)]
    expect(
        "planbok.webhook.wallet-created-sent",
        bool(events) and (not announced or second in {wallet.blockchain for wallet in announced}),
        where="webhook",
        expected=f"wallet.created for {second}, of a later challenge, within {PATIENCE}",
        got=f"{len(events)} of them for {written(announced)}",
    )
    found = tenant.eventually(
        "new wallets to be listed",
        lambda: tenant.owned(customer.id),
        lambda listed: places(announced) <= places(listed),
    )
    expect(
        "planbok.webhook.agrees-with-list",
        places(announced) <= places(found),
        where="webhook",
        expected=f"wallets that are listed, of {written(found)}",
        got=written(announced),
    )


def _awaited(tenant: Tenant, customer: Onboarding, kind: str) -> list[Delivery]:
    """The events of a kind about a customer, as soon as there is one; time is given to what is under way already."""
    tenant.shortly()
    return tenant.eventually(f"{kind} to come", lambda: events_about(tenant.deliveries(), kind, _ids(customer)), bool)


def _announced(tenant: Tenant, customer: Onboarding, challenge: Challenge, chains: Sequence[str]) -> list[Delivery]:
    """The events about the wallets of a challenge, as soon as there are those of all its chains."""

    def is_all(events: list[Delivery]) -> bool:
        on = {wallet.blockchain for event in events for wallet in wallets_shown(event)}
        return bool(events) and (not on or on >= set(chains))

    tenant.shortly()
    names = _names(customer, challenge)
    return tenant.eventually(
        "wallet.created to come", lambda: events_about(tenant.deliveries(), "wallet.created", names), is_all
    )


def _ids(customer: Onboarding) -> tuple[str, str]:
    """What an event about a customer may name: the API's id, or the caller's own."""
    return customer.id, customer.ref_id


def _names(customer: Onboarding, challenge: Challenge) -> set[str]:
    """What an event about the wallets of a challenge may name, since no document shows what it does."""
    shown = (name for wallet in challenge.wallets for name in (wallet.id, wallet.address))
    return {name for name in (*_ids(customer), challenge.id, *shown) if name is not None}


def _first_of(tenant: Tenant, customer: Onboarding, challenge: str) -> tuple[list[Delivery], Challenge]:
    """The events about new wallets, and the challenge, as soon as there is one or it is no longer pending."""

    def look() -> tuple[list[Delivery], Challenge]:
        came = events_about(tenant.deliveries(), "wallet.created", [customer.id, challenge])
        return came, tenant.seen(customer.id, challenge)

    came, seen = look()
    for _ in range(PATIENCE // HALF_A_SECOND):
        if came or not seen.is_under_way:
            break
        tenant.clock.advance(HALF_A_SECOND)
        came, seen = look()
    return came, seen


def _expect_event(rule: str, tenant: Tenant, customer: Onboarding, kind: str) -> None:
    """Say that `rule` asks for an event of a kind about a customer.

    Raises:
        StepFailedError: If no event came at all.
    """
    found = _awaited(tenant, customer, kind)
    kinds = {str(event_of(event)) for event in tenant.deliveries()}
    expect(
        rule,
        bool(found),
        where="webhook",
        expected=f"{kind} within {PATIENCE}",
        got=kind if found else ", ".join(sorted(kinds)) or "no event",
    )
    if not any(map(event_of, tenant.deliveries())):
        step_failed(f"An event with a name was to come within {PATIENCE}")


def _expect_none(rule: str, events: Sequence[Delivery], when: str) -> None:
    expect(
        rule,
        not events,
        where="webhook",
        expected=f"no wallet.created {when}",
        got=f"{len(events)} of them" if events else "none",
    )


def _expect_not_yet(tenant: Tenant, customer: Onboarding, kind: str, when: str, before: int = 0) -> None:
    """Say that no event of a kind came about a customer, but for so many that came before."""
    found = events_about(tenant.deliveries(), kind, _ids(customer))[before:]
    expect(
        "planbok.webhook.none-before-it-happened",
        not found,
        where="webhook",
        expected=f"no {kind} {when}",
        got=f"{len(found)} of them" if found else "none",
    )


def _expect_signed(events: Sequence[Delivery], secret: str, names: Collection[str]) -> None:
    """Say that events verify, and neither with another secret nor if they named others than `names`.

    Raises:
        NeedError: If none has a timestamp that could be fresh.
    """
    for event in events:
        headers, body = event.request.headers, event.request.body
        altered = body
        for name in names:
            altered = altered.replace(name.encode(), b"another customer")
        missing = [name for name in (SIGNATURE_HEADER, TIMESTAMP_HEADER) if event.request.header(name) is None]
        as_it_came = signed_over(headers, body, secret)
        expect_reading(
            "planbok.webhook.signed-bytes",
            as_it_came,
            where=f"webhook header {SIGNATURE_HEADER}",
            expected="HMAC-SHA256 of timestamp, full stop and body",
            got=event.request.header(SIGNATURE_HEADER),
        )
        verified = {
            "as it came": as_it_came,
            "with another secret": signed_over(headers, body, ANOTHER_SECRET),
            "with another body": signed_over(headers, altered, secret),
        }
        found = [what for what, form in verified.items() if form is not None]
        expect(
            "planbok.webhook.signed",
            not missing and found == ["as it came"],
            where="webhook headers",
            expected=f"{SIGNATURE_HEADER} and {TIMESTAMP_HEADER}, which verify the event as it came and no other",
            got=f"no {' and no '.join(missing)}" if missing else f"verified {' and '.join(found) or 'nothing'}",
        )
    if all(event.request.header(TIMESTAMP_HEADER) is None for event in events):
        needs(f"the header {TIMESTAMP_HEADER}, which this API does not send")


def _times(tenant: Tenant, customer: Onboarding, kind: str) -> list[datetime]:
    """When events of a kind about a customer say that they happened."""
    found = events_about(tenant.deliveries(), kind, _ids(customer))
    return [at for event in found if (at := instant(event.request.members().get("timestamp"))) is not None]
