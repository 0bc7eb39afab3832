"""A change of a customer is sent to the address that the caller registered, and again until it is received."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise

from conformance.clock import Clock
from conformance.exchange import Delivery
from conformance.offblocks.messages import instant
from conformance.offblocks.suite.effects import expect_the_same_answer, require_days
from conformance.offblocks.suite.signing_keys import another_key, use_another_key
from conformance.offblocks.suite.tenant import Tenant, signed
from conformance.offblocks.wallet import Wallet
from conformance.scenario import PATIENCE, expect, expect_acceptance, expect_status, leaves_out, step_failed, verifies
from conformance.targets import Hooks, Subject
from conformance.values import near, telling

A_SECOND = timedelta(seconds=1)
HALF_A_DAY = timedelta(hours=12)
A_DAY = timedelta(days=1)
MANY = 50
FIRST_STEPS = (*[timedelta(seconds=5)] * 12, *[timedelta(seconds=30)] * 8, *[timedelta(minutes=5)] * 11)
"""The steps in which an hour passes: short at first, as the first pause between two tries is."""
QUARTERS = 16
"""The quarters of the first pause, four such pauses long, in which the tries half a day later are counted."""
FEW = 3
"""How many tries that are in four first pauses where pauses have not grown."""
SOME_SECONDS = timedelta(seconds=4)
OTHER_REFUSALS = (404, 410, 302, 429)
"""What receivers answer besides 500, and senders take for the end: none of it is 2xx."""


@verifies("offblocks.webhook.registered")
def test_a_webhook_is_registered(tenant: Tenant, hooks: Hooks) -> None:
    """When an address is registered for changes of customers."""
    exchange = tenant.put_webhook(hooks.url)
    expect_status("offblocks.webhook.registered", exchange, 200)
    expect(
        "offblocks.webhook.registered",
        exchange.response.members().get("callbackUrl") == hooks.url,
        where="response /callbackUrl",
        expected=hooks.url,
        got=exchange.response.members().get("callbackUrl"),
        exchange=exchange,
    )


@verifies("offblocks.webhook.updated", "offblocks.webhook.only-its-types", "offblocks.webhook.sent-on-creation")
def test_a_webhook_is_updated(tenant: Tenant, clock: Clock, hooks: Hooks) -> None:
    """Given two registered addresses, when one is moved, one for accounts is added, and a customer comes."""
    for address in (hooks.beside("kept"), hooks.url):
        registration = tenant.put_webhook(address)
    identifier = registration.response.members().get("id")
    if not isinstance(identifier, str):
        step_failed("A webhook was to be registered with an id", registration)
    update = {"id": identifier, "callbackUrl": hooks.beside("moved"), "types": ["customer.updated"]}
    exchange = tenant.put_webhook(hooks.url, body=update)
    expect_acceptance("offblocks.webhook.updated", exchange)
    exchange = tenant.put_webhook(
        hooks.url, body={"callbackUrl": hooks.beside("accounts"), "types": ["account.updated"]}
    )
    if not exchange.response.succeeded:
        step_failed("A webhook for accounts was to be registered", exchange)
    customer = tenant.onboard(tenant.new_wallet()).id
    found = _deliveries(tenant, clock, lambda seen: _queries(seen, customer) >= {"kept", "moved"})
    addresses = _queries(found, customer)
    expect(
        "offblocks.webhook.sent-on-creation",
        "kept" in addresses,
        where="webhook, the query of its address",
        expected="kept, whose registration nobody changed",
        got=" and ".join(each or "none" for each in sorted(addresses)) or "no event",
    )
    expect(
        "offblocks.webhook.updated",
        "moved" in addresses and "" not in addresses,
        where="webhook, the query of its address",
        expected="moved, and not the address before, which had none",
        got=" and ".join(each or "none" for each in sorted(addresses)) or "no event",
    )
    expect(
        "offblocks.webhook.only-its-types",
        "accounts" not in addresses,
        where="webhook, the query of its address",
        expected="not accounts, since customer.updated is not of that type",
        got=" and ".join(each or "none" for each in sorted(addresses)) or "no event",
    )


@verifies("offblocks.webhook.sent-on-creation")
def test_an_event_goes_to_all_who_are_registered_for_it(tenant: Tenant, clock: Clock, hooks: Hooks) -> None:
    """Given an address with several types, one with escapes and one with an updated type, when a customer comes."""
    several, escaped, updated = "several", "Escaped=a%2Fb+c%20D&x=&X=1", "updated"
    registrations = {
        several: ["account.updated", "customer.updated"],
        escaped: ["customer.updated"],
        updated: ["account.updated"],
    }
    for name, types in registrations.items():
        exchange = tenant.put_webhook(hooks.url, body={"callbackUrl": hooks.beside(name), "types": types})
        if not exchange.response.succeeded:
            step_failed("A webhook was to be registered", exchange)
    identifier = exchange.response.members().get("id")
    body = {"id": identifier, "callbackUrl": hooks.beside(updated), "types": ["customer.updated"]}
    exchange = tenant.put_webhook(hooks.url, body=body)
    if not exchange.response.succeeded:
        step_failed("A webhook was to be updated", exchange)
    customer = tenant.onboard(tenant.new_wallet()).id
    found = _queries(
        _deliveries(tenant, clock, lambda seen: _queries(seen, customer) >= registrations.keys()), customer
    )
    expect(
        "offblocks.webhook.sent-on-creation",
        found >= registrations.keys(),
        where="webhook, the query of its address",
        expected=" and ".join(registrations),
        got=" and ".join(sorted(found)) or "no event",
    )


@verifies("offblocks.webhook.only-its-types", "offblocks.webhook.sent-on-creation")
def test_a_webhook_has_what_it_was_updated_to_last(tenant: Tenant, clock: Clock, hooks: Hooks) -> None:
    """Given two registered addresses, when one gets other types, and a wrong update of the other is refused."""
    identifiers = []
    for address in (hooks.beside("retyped"), hooks.beside("kept")):
        answer = tenant.put_webhook(address)
        if not answer.response.succeeded:
            step_failed("A webhook was to be registered", answer)
        identifiers.append(answer.response.members().get("id"))
    retyped = {"id": identifiers[0], "callbackUrl": hooks.beside("retyped"), "types": ["account.updated"]}
    answer = tenant.put_webhook(hooks.url, body=retyped)
    if not answer.response.succeeded:
        step_failed("A webhook was to be updated", answer)
    wrong = {"id": identifiers[1], "callbackUrl": hooks.beside("moved"), "types": ["no.such.type"]}
    refusal = tenant.put_webhook(hooks.url, body=wrong)
    customer = tenant.onboard(tenant.new_wallet()).id
    found = _queries(_deliveries(tenant, clock, lambda seen: _queries(seen, customer) >= {"kept"}), customer)
    got = " and ".join(sorted(found)) or "no event"
    expect(
        "offblocks.webhook.only-its-types",
        "retyped" not in found,
        where="webhook, the query of its address",
        expected="not retyped, which was updated to another type",
        got=got,
    )
    expect(
        "offblocks.webhook.sent-on-creation",
        refusal.response.succeeded or ("kept" in found and "moved" not in found),
        where="webhook, the query of its address",
        expected=f"kept, since its update, [{refusal.id}], was refused",
        got=got,
    )


@verifies("offblocks.idempotency.repeat-answered-alike")
def test_a_repeated_registration_is_answered_alike(tenant: Tenant, hooks: Hooks) -> None:
    """Given a registered address, when the registration is repeated with its key."""
    key = tenant.new_key()
    first, repeat = (tenant.put_webhook(hooks.url, key=key) for _ in range(2))
    if not first.response.succeeded:
        step_failed("A webhook was to be registered", first)
    expect_the_same_answer("offblocks.idempotency.repeat-answered-alike", repeat, first)


@verifies("offblocks.idempotency.repeat-done-once")
def test_a_repeated_creation_is_told_of_once(tenant: Tenant, clock: Clock, hooks: Hooks) -> None:
    """Given a registered address, when a customer is created, and another one whose creation is repeated twice."""
    _register(tenant, hooks)
    once = tenant.onboard(tenant.new_wallet()).id
    wallet, external_id, key = tenant.new_wallet(), tenant.new_external_id(), tenant.new_key()
    first, *_ = (tenant.create(wallet, external_id, key=key) for _ in range(3))
    latest = tenant.onboard(tenant.new_wallet()).id
    found = _deliveries(tenant, clock, partial(_tell, latest, "initiating"))
    usual, events = _events(found, once), _events(found, str(first.response.members().get("id")))
    expect(
        "offblocks.idempotency.repeat-done-once",
        len(events) <= len(usual),
        where="webhook /eventId",
        expected=f"as many as of a creation that was sent once: {len(usual)}",
        got=f"{len(events)} of a creation that was sent three times",
    )


@verifies(
    "offblocks.webhook.sent-on-change",
    "offblocks.webhook.sent-on-creation",
    "offblocks.webhook.event-matches-schema",
    "offblocks.webhook.event-ids-apart",
)
def test_a_change_of_a_customer_is_sent(tenant: Tenant, wallet: Wallet, clock: Clock, hooks: Hooks) -> None:
    """Given a registered address, when a customer is created and signs."""
    _register(tenant, hooks)
    customer = tenant.signed_up(wallet)
    found = _deliveries(tenant, clock, lambda seen: bool(_changes(seen, customer.id)))
    states = [_state(delivery) for delivery in found if _names(delivery, customer.id)]
    expect(
        "offblocks.webhook.sent-on-change",
        bool(_changes(found, customer.id)),
        where="webhook",
        expected=f"customer.updated with a state after initiating within {PATIENCE}",
        got=f"events with the states {', '.join(states)}" if states else f"{len(found)} events, none of this customer",
    )
    expect(
        "offblocks.webhook.sent-on-creation",
        "initiating" in states,
        where="webhook",
        expected=f"customer.updated with the status initiating within {PATIENCE}",
        got=f"events with the states {', '.join(states)}" if states else f"{len(found)} events, none of this customer",
    )
    if not found:
        step_failed(f"An event was to come within {PATIENCE}", relies_on=["offblocks.webhook.sent-on-change"])


@verifies("offblocks.webhook.sent-on-change")
def test_what_is_sent_last_is_what_is_read(tenant: Tenant, wallet: Wallet, clock: Clock, hooks: Hooks) -> None:
    """Given a registered address, when customers sign, and are verified or rejected, and are read each time."""
    _register(tenant, hooks)
    first, second = tenant.signed_up(wallet), tenant.signed_up(tenant.new_wallet())
    for customer, wanted in ((first, "verifying"), (first, "active"), (second, "verifying"), (second, "rejected")):
        if wanted != "verifying":
            tenant.simulate("verify" if wanted == "active" else "reject", customer.id)
        state = tenant.status_once(customer.id, wanted)
        found = _deliveries(tenant, clock, partial(_tell, customer.id, state))
        states = _states(found, customer.id)
        expect(
            "offblocks.webhook.sent-on-change",
            state in states,
            where="webhook",
            expected=f"customer.updated with the state that is read, {state}, within {PATIENCE}",
            got=f"events with the states {', '.join(states) or 'of nobody'}",
        )


@leaves_out("neighbours", "population", "past", "readings", because="Others sign with the key that it replaces.")
@verifies("offblocks.webhook.sent-on-change", "offblocks.webhook.sent-on-creation")
def test_events_go_on_when_the_signing_key_was_replaced(
    tenant: Tenant, clock: Clock, hooks: Hooks, subject: Subject
) -> None:
    """Given a registered address and a customer, when a signing key is replaced, it signs, and another one comes."""
    _register(tenant, hooks)
    customer = tenant.onboard(tenant.new_wallet())
    use_another_key(tenant, subject, another_key(subject))
    answer = tenant.sign(customer.id, customer.wallet, customer.challenge)
    if not answer.response.succeeded:
        step_failed("A right signature was to be accepted", answer)
    state, latest = tenant.status_once(customer.id, "verifying"), tenant.onboard(tenant.new_wallet()).id
    for rule, identifier, told in (("change", customer.id, state), ("creation", latest, "initiating")):
        found = _deliveries(tenant, clock, partial(_tell, identifier, told))
        expect(
            f"offblocks.webhook.sent-on-{rule}",
            _tell(identifier, told, found),
            where="webhook",
            expected=f"customer.updated with the state {told} within {PATIENCE}, whichever key signs requests",
            got=f"events with the states {', '.join(_states(found, identifier)) or 'of nobody'}",
        )


@verifies("offblocks.customer.no-second-for-a-pair", "offblocks.webhook.event-matches-schema")
def test_a_customer_who_is_refused_is_not_told_of(
    tenant: Tenant, wallet: Wallet, other_wallet: Wallet, clock: Clock, hooks: Hooks
) -> None:
    """Given a registered address and a customer, when its pair, early outcomes and a wrong signature are refused."""
    _register(tenant, hooks)
    customer = tenant.onboard(wallet)
    tenant.create(wallet, customer.external_id)
    for outcome in ("verify", "reject"):
        tenant.simulate(outcome, customer.id)
    wrong = signed(other_wallet, customer.challenge)
    broken = ("owner-signs-the-message", "owner-id")
    tenant.sign(customer.id, wallet, customer.challenge, signature=wrong, broken=broken)
    latest = tenant.onboard(tenant.new_wallet()).id
    found = _deliveries(tenant, clock, partial(_tell, latest, "initiating"))
    state = tenant.status(customer.id)
    told = set(_states(found, customer.id))
    expect(
        "offblocks.webhook.event-matches-schema",
        state != "initiating" or told <= {state},
        where="webhook /status",
        expected=f"{state}, which the customer is still",
        got=" and ".join(sorted(told)) or "no event",
    )


@verifies("offblocks.webhook.event-matches-schema")
def test_an_event_shows_when_its_customer_changed(tenant: Tenant, wallet: Wallet, clock: Clock, hooks: Hooks) -> None:
    """Given a registered address, when a customer is verified some seconds after it signed, and is read."""
    _register(tenant, hooks)
    customer = tenant.verifying(wallet).id
    clock.advance(SOME_SECONDS)
    tenant.simulate("verify", customer)
    state = tenant.status_once(customer, "active")
    found = _deliveries(tenant, clock, partial(_tell, customer, state))
    read = tenant.read(customer)
    changed = instant(read.response.members().get("updatedAt"))
    events = [each.request.members() for each in found if _names(each, customer) and _state(each) == state]
    told = [event.get("updatedAt") for event in events]
    if changed is None or not told:
        relied_on = ["offblocks.webhook.sent-on-change", "offblocks.flow.verified-becomes-active"]
        step_failed("A customer was to be read with its updatedAt, and told of", read, relies_on=relied_on)
    expect(
        "offblocks.webhook.event-matches-schema",
        any(time is not None and abs(time - changed) < SOME_SECONDS / 2 for time in map(instant, told)),
        where="webhook /updatedAt",
        expected=f"{changed}, as it is read of the customer in the state {state}",
        got=", ".join(map(str, told)),
    )


@verifies("offblocks.flow.rejected-is-final")
def test_who_was_rejected_at_once_with_a_verification_stays_so(tenant: Tenant, clock: Clock, hooks: Hooks) -> None:
    """Given a registered address and customers to be verified, when each is verified and rejected at once."""
    _register(tenant, hooks)
    for outcomes in (("verify", "reject"), ("reject", "verify")):
        customer = tenant.verifying(tenant.new_wallet()).id
        tenant.together(*(partial(tenant.simulate, outcome, customer) for outcome in outcomes))
        state = tenant.status_once(customer, "active", "rejected")
        states = _states(_deliveries(tenant, clock, partial(_tell, customer, state)), customer)
        state = tenant.status(customer)
        expect(
            "offblocks.flow.rejected-is-final",
            state == "rejected" or "rejected" not in states,
            where="response /status",
            expected="rejected, for good, as an event said",
            got=f"{state}, after events with the states {', '.join(states)}",
        )


@leaves_out("readings", "neighbours", because="Other tests take the same steps, fewer of them, and meet these.")
@verifies("offblocks.webhook.event-matches-schema")
def test_an_event_shows_its_customer_as_it_was_created(tenant: Tenant, clock: Clock, hooks: Hooks) -> None:
    """Given a registered address, when customers are created under texts that are often cut, folded or encoded anew."""
    _register(tenant, hooks)
    for value in near.chosen(telling.TEXTS, tenant.ids, core=4, more=2):
        wallet, external_id = tenant.new_wallet(), value.numbered(10**9 + tenant.ids.below(9 * 10**9))
        created = tenant.create(wallet, external_id).response.members()
        if created.get("externalId") != external_id:
            continue
        customer = str(created.get("id"))
        found = _deliveries(tenant, clock, partial(_tell, customer, "initiating"))
        events = [each.request.members() for each in found if _names(each, customer)]
        if not events:
            step_failed(f"An event was to come within {PATIENCE}", relies_on=["offblocks.webhook.sent-on-creation"])
        shown = {(event.get("externalId"), event.get("chainId")) for event in events}
        expect(
            "offblocks.webhook.event-matches-schema",
            shown == {(external_id, created.get("chainId"))},
            where="webhook /externalId and /chainId",
            expected=f"those of the answer to the creation, with {value.name}",
            got=", ".join(map(str, sorted(shown, key=str))),
        )


@verifies("offblocks.webhook.retried")
def test_an_event_that_is_not_received_is_sent_again(
    tenant: Tenant, wallet: Wallet, clock: Clock, hooks: Hooks
) -> None:
    """Given a registered address, when a customer is created, and another one when the address answers 500."""
    _register(tenant, hooks)
    tenant.onboard(tenant.new_wallet())
    usual = _most_copies(_deliveries(tenant, clock, bool))
    hooks.answer_with(*[500] * usual)
    refused = tenant.onboard(wallet)

    def of_refused() -> list[Delivery]:
        return [each for each in tenant.deliveries() if _names(each, refused.id)]

    clock.advance(A_SECOND)
    found = tenant.eventually("an event", of_refused, lambda seen: _is_repeated(seen, usual))
    if not found:
        step_failed(f"An event was to come within {PATIENCE}", relies_on=["offblocks.webhook.sent-on-change"])
    expect(
        "offblocks.webhook.retried",
        _is_repeated(found, usual),
        where="webhook",
        expected=f"the event that was answered 500, again within {PATIENCE}",
        got=f"{len(found)} deliveries at once; of an event that is received there are {usual}",
    )


@leaves_out("readings", "neighbours", because="Other tests take the same steps, fewer of them, and meet these.")
@verifies("offblocks.webhook.retried")
def test_an_event_is_sent_again_whatever_else_than_success_it_was_answered(
    tenant: Tenant, clock: Clock, hooks: Hooks
) -> None:
    """Given a registered address, when customers are created whose events are answered with other refusals at first."""
    _register(tenant, hooks)
    for status in OTHER_REFUSALS:
        hooks.answer_with(status)
        customer = tenant.onboard(tenant.new_wallet()).id
        found = _deliveries(tenant, clock, partial(_came_again, customer))
        expect(
            "offblocks.webhook.retried",
            _came_again(customer, found),
            where="webhook",
            expected=f"the event that was answered {status}, again within {PATIENCE}",
            got=f"{len(_states(found, customer))} events of this customer",
        )


@verifies("offblocks.webhook.retried", "offblocks.webhook.sent-on-creation")
def test_an_event_is_sent_again_for_hours(tenant: Tenant, clock: Clock, hooks: Hooks) -> None:
    """Given addresses that answer 500, when a customer comes and signs, half a day passes, and another one comes."""
    require_days(tenant)
    addresses = {"failing": hooks.beside("failing"), "failing-too": hooks.beside("failing-too")}
    for address in addresses.values():
        registration = tenant.put_webhook(address)
        if not registration.response.succeeded:
            step_failed("A webhook was to be registered", registration)
    hooks.answer_with(*[500] * 10 * MANY)
    customer = tenant.onboard(tenant.new_wallet())
    _deliveries(tenant, clock, partial(_tell, customer.id, "initiating"))
    tenant.sign(customer.id, customer.wallet, customer.challenge)
    state = tenant.status_once(customer.id, "verifying")
    first = _deliveries(tenant, clock, partial(_tell, customer.id, state))
    if not first:
        step_failed(f"An event was to come within {PATIENCE}", relies_on=["offblocks.webhook.sent-on-creation"])
    later, states = first[0].at + HALF_A_DAY / 2, set(_states(first, customer.id))
    clock.advance(HALF_A_DAY)

    def again(seen: Sequence[Delivery]) -> set[str]:
        return set(_states([each for each in seen if each.at > later], customer.id))

    found = _deliveries(tenant, clock, lambda seen: states <= again(seen))
    expect(
        "offblocks.webhook.retried",
        states <= again(found),
        where="webhook",
        expected=f"the events with {' and '.join(sorted(states))}, always answered 500, again within half a day",
        got=f"{len(found)} deliveries, the last at {found[-1].at}, without {', '.join(sorted(states - again(found)))}",
    )
    hooks.answer_with()
    latest = tenant.onboard(tenant.new_wallet()).id
    found = _deliveries(tenant, clock, lambda seen: _queries(seen, latest) >= addresses.keys())
    told = _queries(found, latest)
    expect(
        "offblocks.webhook.sent-on-creation",
        told >= addresses.keys(),
        where="webhook, the query of its address",
        expected=f"{' and '.join(addresses)}, of a new customer within {PATIENCE}, though both answered 500 for hours",
        got=" and ".join(sorted(told)) or "no event of this customer",
    )


@verifies("offblocks.webhook.backs-off")
def test_the_tries_of_an_event_become_rarer(tenant: Tenant, clock: Clock, hooks: Hooks) -> None:
    """Given an address that answers 500, when a customer comes, and half a day passes."""
    require_days(tenant)
    customer = _unheard(tenant, clock, hooks)
    for step in FIRST_STEPS:
        clock.advance(step)
    tries = _tries(tenant, customer)
    pauses = [later - earlier for earlier, later in pairwise(tries) if later - earlier > A_SECOND]
    if not pauses:
        step_failed("An event that is answered 500 was to come again soon", relies_on=["offblocks.webhook.retried"])
    clock.advance(HALF_A_DAY)
    before = len(_tries(tenant, customer))
    for _ in range(QUARTERS):
        clock.advance(pauses[0] / 4)
    late = len(_tries(tenant, customer)) - before
    expect(
        "offblocks.webhook.backs-off",
        late < FEW,
        where="webhook",
        expected=f"fewer than {FEW} tries within {4 * pauses[0]}, half a day later: the first pause was {pauses[0]}",
        got=f"{late} tries",
    )


@verifies("offblocks.webhook.dropped-after-a-day")
def test_an_event_is_dropped_after_a_day(tenant: Tenant, clock: Clock, hooks: Hooks) -> None:
    """Given an address that answers 500, when a customer comes, and two days pass."""
    require_days(tenant)
    customer = _unheard(tenant, clock, hooks)
    for _ in range(2):
        clock.advance(HALF_A_DAY)
    clock.advance(timedelta(hours=1))  # to be on the safe side of the day
    tries = _tries(tenant, customer)
    if tries[-1] - tries[0] < A_SECOND:
        step_failed("An event that is answered 500 was to come again in a day", relies_on=["offblocks.webhook.retried"])
    before = len(tries)
    for _ in range(3):
        clock.advance(A_DAY / 3)
    late = len(_tries(tenant, customer)) - before
    expect(
        "offblocks.webhook.dropped-after-a-day",
        not late,
        where="webhook",
        expected="no further try of an event that is older than 25 hours",
        got=f"{late} tries in the following day",
    )


def _unheard(tenant: Tenant, clock: Clock, hooks: Hooks) -> str:
    """The id of a new customer, whose first event came, as all that follow, to an address that answers 500."""
    _register(tenant, hooks)
    hooks.answer_with(*[500] * 3 * MANY)
    customer = tenant.onboard(tenant.new_wallet()).id
    if not _deliveries(tenant, clock, partial(_tell, customer, "initiating")):
        step_failed(f"An event was to come within {PATIENCE}", relies_on=["offblocks.webhook.sent-on-creation"])
    return customer


def _tries(tenant: Tenant, customer: str) -> list[datetime]:
    """When the event of a customer's beginning came."""
    return [each.at for each in tenant.deliveries() if _names(each, customer) and _state(each) == "initiating"]


def _came_again(customer: str, deliveries: Sequence[Delivery]) -> bool:
    return len(_states(deliveries, customer)) > 1


def _register(tenant: Tenant, hooks: Hooks) -> None:
    exchange = tenant.put_webhook(hooks.url)
    if not exchange.response.succeeded:
        step_failed("A webhook was to be registered", exchange)


def _deliveries(tenant: Tenant, clock: Clock, enough: Callable[[Sequence[Delivery]], bool]) -> Sequence[Delivery]:
    """What came, as soon as it is enough; a second is given at first, for what is under way already."""
    clock.advance(A_SECOND)
    return tenant.eventually("an event", tenant.deliveries, enough)


def _state(delivery: Delivery) -> str:
    return str(delivery.request.members().get("status"))


def _tell(customer: str, state: str, deliveries: Sequence[Delivery]) -> bool:
    return state in _states(deliveries, customer)


def _states(deliveries: Sequence[Delivery], customer: str) -> list[str]:
    return [_state(delivery) for delivery in deliveries if _names(delivery, customer)]


def _events(deliveries: Sequence[Delivery], customer: str) -> set[object]:
    """The ids of the events of a customer, each of which may come more than once."""
    return {delivery.request.members().get("eventId") for delivery in deliveries if _names(delivery, customer)}


def _names(delivery: Delivery, customer: str) -> bool:
    members = delivery.request.members()
    return members.get("webhookType") == "customer.updated" and members.get("id") == customer


def _queries(deliveries: Sequence[Delivery], customer: str) -> set[str]:
    """The queries of the addresses that events of a customer were sent to."""
    return {delivery.request.url.partition("?")[2] for delivery in deliveries if _names(delivery, customer)}


def _changes(deliveries: Sequence[Delivery], customer: str) -> list[Delivery]:
    return [delivery for delivery in deliveries if _names(delivery, customer) and _state(delivery) != "initiating"]


def _is_repeated(deliveries: Sequence[Delivery], usual: int) -> bool:
    """Whether an event came more often than one usually does, which may be twice (Webhooks), or later again."""
    times = _arrivals(deliveries)
    return _most_copies(deliveries) > usual or any(max(each) - min(each) >= A_SECOND for each in times)


def _most_copies(deliveries: Sequence[Delivery]) -> int:
    """How often the event came that came most often."""
    return max(map(len, _arrivals(deliveries)), default=1)


def _arrivals(deliveries: Sequence[Delivery]) -> Collection[list[datetime]]:
    """When each event came: one ``eventId``, or one body if it has none."""
    arrivals: dict[str, list[datetime]] = {}
    for delivery in deliveries:
        event = str(delivery.request.members().get("eventId", delivery.request.body))
        arrivals.setdefault(event, []).append(delivery.at)
    return arrivals.values()
