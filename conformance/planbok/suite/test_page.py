"""The hosted page asks for the PIN each time, completes a challenge once, and sends the customer back."""

import re
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from html import unescape
from urllib.parse import parse_qsl, urlsplit

import pytest

from conformance.exchange import Exchange
from conformance.findings import answer as answered
from conformance.planbok.messages import challenge_of, payload
from conformance.planbok.pages import Page
from conformance.planbok.suite.effects import expect_no_success
from conformance.planbok.suite.lock_out import MANY, change_refused, right_pin_refused
from conformance.planbok.suite.person import shown
from conformance.planbok.suite.tenant import RETURN_URL, Issued, Onboarding, Tenant
from conformance.planbok.suite.wallets import places, written
from conformance.scenario import crosses, expect, expect_reading, leaves_out, needs, refused, step_failed, verifies
from conformance.values import near, telling

RETURNS_ANYWHERE = 10
"""The first URLs of a caller's page, which lead to every origin that any of them leads to."""
FEW = 4
"""After how many wrong PINs another challenge is cancelled, fewer than lock out on most servers."""
STATUS_WORDS = {"verified", "completed", "successful", "success"}


@verifies("planbok.page.asks-pin-every-time")
def test_the_pin_is_asked_for_again(tenant: Tenant) -> None:
    """Given a challenge that was completed, when another one is continued in the same browser without a PIN."""
    customer = tenant.ready()
    first, second = tenant.two_chains
    tenant.provisioned(customer, [first])
    issued = tenant.requested(customer, [second])
    page = customer.person.open(issued.url)
    if page.form is not None:
        customer.person.enter(page, "")
    expect_no_success(
        "planbok.page.asks-pin-every-time", tenant, customer.id, issued.id, expected="a challenge that awaits the PIN"
    )
    _expect_no_wallet(tenant, customer, "planbok.page.asks-pin-every-time", on=second)


@verifies("planbok.page.wrong-pin-refused")
def test_a_wrong_pin_completes_nothing(tenant: Tenant) -> None:
    """Given a challenge, when a wrong PIN is entered, and one that many people choose."""
    customer = tenant.ready()
    issued = tenant.requested(customer)
    usual = next(pin for pin in near.PIN.usual[1:] if pin != customer.person.pin)
    for wrong in (customer.person.other_pin, usual):
        customer.person.authorize(issued.url, wrong)
        expect_no_success(
            "planbok.page.wrong-pin-refused",
            tenant,
            customer.id,
            issued.id,
            expected="a challenge that did not succeed",
        )
    _expect_no_wallet(tenant, customer, "planbok.page.wrong-pin-refused")


@verifies("planbok.page.wrong-pin-refused")
def test_a_pin_like_the_right_one_completes_nothing(tenant: Tenant) -> None:
    """Given a customer whose PIN begins with a zero, when PINs like it are entered, and after each two of them it."""
    customer = _with_zero_before_the_pin(tenant)
    neighbour = tenant.onboard().person.pin
    misses = near.misses(customer.person.pin, near.PIN, others=[neighbour])
    wrong = {miss.name: miss.value for miss in near.chosen(misses, tenant.ids, core=12, more=2)}
    for name, completed in _tried(tenant, customer, wrong):
        expect(
            "planbok.page.wrong-pin-refused",
            not completed,
            where="response /data/status",
            expected=f"a challenge that did not succeed with a PIN like the right one, {name}",
            got="one that succeeded" if completed else "that",
        )


@verifies("planbok.page.pin-unfolded")
def test_a_pin_that_is_written_otherwise_is_taken_or_refused(tenant: Tenant) -> None:
    """Given a customer, when the PIN is entered with blanks and in digits of other scripts."""
    customer = tenant.ready()
    entries = {same.name: same.value for same in near.decimal_digits(customer.person.pin)}
    for name, completed in _tried(tenant, customer, entries):
        expect(
            "planbok.page.pin-unfolded",
            not completed,
            where="response /data/status",
            expected=f"a challenge that did not succeed with the PIN {name}",
            got="one that succeeded" if completed else "that",
        )


def _with_zero_before_the_pin(tenant: Tenant) -> Onboarding:
    """A customer who is set up with a PIN that begins with one zero."""

    def begin(customer: Onboarding) -> None:
        customer.person.pin = _beginning_with_zero(customer.person.pin)

    return tenant.ready(begin)


def _beginning_with_zero(pin: str) -> str:
    """A PIN like another, that begins with one zero."""
    digits = pin[1:].lstrip("0") or "1"
    return f"0{digits.ljust(5, '7')}"


def _tried(tenant: Tenant, customer: Onboarding, entries: Mapping[str, str]) -> Iterator[tuple[str, bool]]:
    """Whether a challenge was completed by each of some entries, by their names; the right PIN follows on each two.

    Raises:
        StepFailedError: If the right PIN does not complete a challenge.
    """
    person, chain = customer.person, tenant.two_chains[:1]
    issued: Issued | None = None
    for number, (name, entry) in enumerate(entries.items()):
        issued = issued or tenant.requested(customer, chain)
        person.authorize(issued.url, entry)
        completed = tenant.seen(customer.id, issued.id).succeeded
        yield name, completed
        if number % 2 and not completed:
            person.authorize(issued.url)
            if not tenant.ended(customer.id, issued.id).succeeded:
                step_failed("The right PIN was to complete a challenge after two wrong ones")
        issued = None if completed or number % 2 else issued


@verifies("planbok.page.locks-out", "planbok.page.wrong-pin-refused")
def test_many_wrong_pins_lock_the_customer_out(tenant: Tenant) -> None:
    """Given a customer who entered the right PIN once, when it is entered again after ten wrong ones."""
    customer = tenant.ready()
    first, second = tenant.two_chains
    tenant.provisioned(customer, [first])
    page = customer.person.open(tenant.requested(customer, [second]).url)
    for _ in range(MANY):
        if page.form is None:
            exchange = tenant.ask_wallets(customer.id)
            if refused(exchange):
                break
            page = customer.person.open(tenant.issued(exchange).url)
        if page.form is None:
            break
        page = customer.person.enter(page, customer.person.other_pin)
    _expect_no_wallet(tenant, customer, "planbok.page.wrong-pin-refused", on=second)
    _expect_locked_out(tenant, customer, f"after {MANY} wrong PINs")


@verifies("planbok.page.locks-out", "planbok.page.wrong-pin-refused")
def test_wrong_pins_with_visits_in_between_lock_the_customer_out(tenant: Tenant) -> None:
    """Given a customer, when ten wrong PINs are entered, two for a challenge, and other challenges are cancelled."""
    customer = tenant.ready()
    issued = tenant.requested(customer)
    for number in range(1, MANY + 1):
        customer.person.take_another_browser()
        customer.person.authorize(issued.url, customer.person.other_pin)
        if number % FEW == 0 and not refused(other := tenant.ask("update-pin", customer.id)):
            customer.person.give_up(tenant.issued(other).url)
        exchange = tenant.ask_wallets(customer.id) if number % 2 == 0 else tenant.read(customer.id)
        if refused(exchange):
            break
        issued = issued if number % 2 else tenant.issued(exchange)
    tenant.read(customer.id)
    customer.person.open(issued.url)
    _expect_no_wallet(tenant, customer, "planbok.page.wrong-pin-refused")
    _expect_locked_out(tenant, customer, f"after {MANY} wrong PINs with visits in between")


@verifies("planbok.page.locks-out")
def test_many_wrong_pins_at_once_lock_the_customer_out(tenant: Tenant) -> None:
    """Given ten wrong PINs that came at once, when the right one is entered after a new one was asked for."""
    customer = tenant.ready()
    page = customer.person.open(tenant.requested(customer).url)
    if page.form is None:
        step_failed("The page of a challenge was to ask for the PIN")
    tenant.together(*[lambda: customer.person.enter(page, customer.person.other_pin)] * MANY)
    tenant.ask("reset-pin", customer.id)
    _expect_locked_out(tenant, customer, f"after {MANY} wrong PINs at once")


def _expect_locked_out(tenant: Tenant, customer: Onboarding, when: str) -> None:
    for refusal in (right_pin_refused, change_refused):
        held, got = refusal(tenant, customer)
        expect(
            "planbok.page.locks-out",
            held,
            where="response status, or /data/status",
            expected=f"a challenge that is refused, or did not succeed, {when}",
            got=got,
        )


@verifies("planbok.page.asks-pin-every-time")
def test_a_pin_authorizes_the_challenge_whose_page_asked_for_it(tenant: Tenant) -> None:
    """Given two challenges, when the page of one is sent with its hidden fields changed to name the other."""
    customer = tenant.ready()
    first, second = tenant.two_chains
    other, asked = tenant.requested(customer, [first]), tenant.requested(customer, [second])
    page = customer.person.open(asked.url)
    if page.form is None:
        step_failed("The page of a challenge was to ask for the PIN")
    names = {asked.id: other.id, _link(asked): _link(other)}
    swapped = {name: names.get(value, value) for name, value in page.form.fields.items()}
    customer.person.enter(page, others=swapped)
    expect_no_success(
        "planbok.page.asks-pin-every-time",
        tenant,
        customer.id,
        other.id,
        expected="a challenge that awaits the PIN on its own page",
    )


@pytest.mark.parametrize("task", ["update-pin", "reset-pin"])
@crosses("set-up", "page")
@verifies("planbok.customer.pin-replaced")
def test_a_page_that_was_open_takes_no_former_pin(tenant: Tenant, task: str) -> None:
    """Given a page that was open while the PIN was replaced elsewhere, when the old PIN is entered there."""
    customer = tenant.ready()
    person = customer.person
    issued = tenant.requested(customer)
    page = person.open(issued.url)
    replacing = tenant.issued(tenant.ask(task, customer.id))
    (person.change_pin if task == "update-pin" else person.reset_pin)(replacing.url)
    if page.form is not None:
        person.enter(page, person.other_pin)
    tenant.shortly()
    exchange = tenant.challenge(customer.id, issued.id)
    challenge = challenge_of(exchange.response)
    expect(
        "planbok.customer.pin-replaced",
        challenge is None or not challenge.succeeded,
        where="response /data/status",
        expected="a challenge that did not succeed with the old PIN on a page that was open before",
        got=challenge.status if challenge else answered(exchange),
        exchange=exchange,
    )


@verifies("planbok.page.new-pin-confirmed")
def test_a_new_pin_is_six_digits_and_confirmed(tenant: Tenant) -> None:
    """Given a new customer, when a PIN is entered that is no PIN or is not confirmed, and then rightly."""
    customer = tenant.onboard()
    issued = tenant.issued(tenant.ask("initialize", customer.id))
    person = customer.person
    person.pin = _beginning_with_zero(person.pin)
    page = person.open(issued.url)
    has_pin, exchange = _has_pin(tenant, customer)
    if has_pin:
        step_failed("A customer was to be shown without a PIN before one is entered", exchange)
    for pin, again, what in (
        (person.pin[:5], person.pin[:5], "five digits"),
        ("abcdef", "abcdef", "six letters"),
        (person.pin, person.other_pin, "two PINs that differ"),
        (person.pin, _turned(person.pin, 0), "two PINs that differ in the first digit"),
        (person.pin, _turned(person.pin, -1), "two PINs that differ in the last digit"),
        (person.pin, person.pin[1:], "a repetition without the zero before it"),
        (person.pin, "", "a PIN that was entered once"),
        (f"{person.pin}0", f"{person.pin}0", "seven digits"),
    ):
        if page.form is None:
            step_failed("The page was to ask for a new PIN")
        page = person.choose_pin(page, pin, again)
        tenant.shortly()
        has_pin, exchange = _has_pin(tenant, customer)
        expect(
            "planbok.page.new-pin-confirmed",
            not has_pin,
            where="response /data/hasPin",
            expected=f"false after {what}",
            got=has_pin,
            exchange=exchange,
        )
        page = person.open(issued.url)
    page = person.set_pin(issued.url)
    expect(
        "planbok.page.new-pin-confirmed",
        page.step != "set-pin",
        where="page",
        expected="another step after six digits, entered twice",
        got=page.text,
        exchange=shown(page),
    )


def _turned(pin: str, place: int) -> str:
    """The PIN with another digit at a place."""
    digits = list(pin)
    digits[place] = str((int(digits[place]) + 1) % 10)
    return "".join(digits)


@verifies(
    "planbok.page.cancelled-makes-no-wallet", "planbok.result.none-when-failed", "planbok.page.return-tells-no-success"
)
def test_a_cancelled_challenge_makes_no_wallet(tenant: Tenant) -> None:
    """Given a challenge that the customer cancelled, when the right PIN is entered afterwards."""
    customer = tenant.ready()
    issued = tenant.requested(customer)
    page = customer.person.open(issued.url)
    left = customer.person.cancel(issued.url)
    tenant.shortly()
    exchange = tenant.challenge(customer.id, issued.id)
    challenge = challenge_of(exchange.response)
    expect(
        "planbok.page.cancelled-makes-no-wallet",
        refused(exchange) or (challenge is not None and not challenge.succeeded),
        where="response /data/status",
        expected="a challenge that did not succeed, or none",
        got=challenge.status if challenge else exchange.response.status,
        exchange=exchange,
    )
    expect(
        "planbok.result.none-when-failed",
        challenge is None or not challenge.wallets,
        where="response /data/result",
        expected="no wallets",
        got=challenge.result if challenge else exchange.response.status,
        exchange=exchange,
    )
    if page.form is not None:
        customer.person.enter(page)
    customer.person.authorize(issued.url)
    tenant.shortly()
    _expect_no_wallet(tenant, customer, "planbok.page.cancelled-makes-no-wallet")
    told = {value.lower() for _, value in parse_qsl(urlsplit(left.returned_to or "").query)}
    expect(
        "planbok.page.return-tells-no-success",
        not told & STATUS_WORDS,
        where="page, the query of the return",
        expected="no status of success, as the challenge was cancelled",
        got=left.returned_to or left.text,
        exchange=shown(left),
    )


@verifies("planbok.page.cancelled-makes-no-wallet")
def test_a_challenge_that_was_cancelled_elsewhere_makes_no_wallet(tenant: Tenant) -> None:
    """Given a page that is open, when its challenge is cancelled in another browser, and the PIN entered."""
    customer = tenant.ready()
    issued = tenant.requested(customer)
    page = customer.person.open(issued.url)
    customer.person.elsewhere().cancel(issued.url)
    if page.form is not None:
        customer.person.enter(page)
    customer.person.authorize(issued.url)
    tenant.shortly()
    _expect_no_wallet(tenant, customer, "planbok.page.cancelled-makes-no-wallet")


@verifies("planbok.page.completed-once", "planbok.list.wallets-stay")
def test_a_challenge_is_completed_once(tenant: Tenant) -> None:
    """Given a challenge that was completed, when the same form is sent again, and the page filled in once more."""
    customer = tenant.ready()
    issued = tenant.requested(customer)
    page = customer.person.open(issued.url)
    if page.form is None:
        step_failed("The page of a challenge was to ask for the PIN")
    customer.person.enter(page)
    before = tenant.ended(customer.id, issued.id)
    if not before.succeeded:
        step_failed(f"The right PIN was to complete a challenge, which reads {before.status!r}")
    wallets = tenant.eventually(
        "new wallets to be listed", lambda: tenant.owned(customer.id), lambda found: len(found) >= len(before.wallets)
    )
    customer.person.enter(page)
    customer.person.authorize(issued.url)
    tenant.shortly()
    again = tenant.owned(customer.id)
    expect(
        "planbok.page.completed-once",
        places(again) == places(wallets) and len(again) == len(wallets),
        where="response /data",
        expected=f"the {len(wallets)} wallets that there were",
        got=written(again),
    )


@verifies(
    "planbok.page.returns-to-caller",
    "planbok.page.keeps-query",
    "planbok.page.return-query",
    "planbok.page.pin-not-in-url",
)
def test_the_customer_is_sent_back(tenant: Tenant) -> None:
    """Given a challenge with a redirectUrl of the caller's that has a query, when the right PIN is entered."""
    customer = tenant.ready()
    issued = tenant.requested(customer)
    page = customer.person.authorize(issued.url)
    returned_to = page.returned_to or (RETURN_URL if RETURN_URL in page.response.text else None)
    expect(
        "planbok.page.returns-to-caller",
        returned_to is not None and _place(returned_to) == _place(RETURN_URL),
        where="page",
        expected=f"a return to {RETURN_URL}",
        got=returned_to or page.text,
        exchange=shown(page),
    )
    if returned_to is None:
        step_failed("A completed page was to send the customer back", relies_on=["planbok.page.returns-to-caller"])
    query = parse_qsl(urlsplit(returned_to).query)
    urls = [str(each.url) for each in (*page.response.history, page.response)]
    carrying = [url for url in (*urls, returned_to) if customer.person.pin in re.split(r"\W", url)]
    expect(
        "planbok.page.pin-not-in-url",
        not carrying,
        where="page, the URLs that the browser was sent to",
        expected="none with the PIN in it",
        got=f"{len(carrying)} with it" if carrying else "none",
        exchange=shown(page),
    )
    expect(
        "planbok.page.keeps-query",
        set(parse_qsl(urlsplit(RETURN_URL).query)) <= set(query),
        where="page, the query of the return",
        expected=urlsplit(RETURN_URL).query,
        got=urlsplit(returned_to).query,
        exchange=shown(page),
    )
    _expect_told(page, returned_to, issued, {issued.id})


def _expect_told(page: Page, returned_to: str, issued: Issued, ids: AbstractSet[str]) -> None:
    """Say which reading a return follows: it tells its challenge's id, of these, or a status."""
    query = urlsplit(returned_to).query
    values = {value for _, value in parse_qsl(query)}
    reading = "challenge-id" if issued.id in values else "status" if values & STATUS_WORDS else None
    expect_reading(
        "planbok.page.return-query",
        None if values & ids - {issued.id} else reading,
        where="page, the query of the return",
        expected=f"{issued.id}, or a status",
        got=query,
        exchange=shown(page),
    )


@verifies(
    "planbok.page.returns-to-caller",
    "planbok.page.keeps-query",
    "planbok.page.return-query",
    "planbok.response.described-accepted",
)
def test_the_customer_is_sent_back_to_any_page(tenant: Tenant) -> None:
    """Given challenges with URLs at the edges of what a URL may be, when the right PIN is entered."""
    customer, chain = tenant.ready(), tenant.two_chains[:1]
    for value in near.chosen(telling.RETURNS, tenant.ids, core=RETURNS_ANYWHERE, more=1):
        url = value.text
        exchange = tenant.ask_wallets(customer.id, chain, redirect_url=url)
        expect(
            "planbok.response.described-accepted",
            exchange.response.succeeded,
            where="response status",
            expected=f"2xx: a redirectUrl with {value.name} fits the reference",
            got=answered(exchange),
            exchange=exchange,
        )
        if not exchange.response.succeeded:
            continue
        issued = tenant.issued(exchange)
        page = customer.person.authorize(issued.url)
        returned_to = page.returned_to or (url if url in unescape(page.response.text) else None)
        expect(
            "planbok.page.returns-to-caller",
            returned_to is not None and telling.same_page(returned_to, url),
            where="page",
            expected=f"a return to {url}, with {value.name}",
            got=returned_to or page.text,
            exchange=shown(page),
        )
        expect(
            "planbok.page.keeps-query",
            returned_to is None or telling.keeps_query(url, returned_to),
            where="page, the query of the return",
            expected=f"{urlsplit(url).query or 'no query'}, with {value.name}",
            got=returned_to or "no return",
            exchange=shown(page),
        )
        _expect_told(page, returned_to or url, issued, {issued.id})


@verifies("planbok.page.returns-to-caller", "planbok.page.return-query")
def test_each_page_leads_back_to_its_own_caller(tenant: Tenant) -> None:
    """Given two challenges with a redirectUrl each, when the right PIN is entered for the older one, and the other."""
    customer = tenant.ready()
    urls = [f"https://app.example/wallets/{place}" for place in ("first", "second")]
    asked = [
        tenant.issued(tenant.ask_wallets(customer.id, [chain], redirect_url=url))
        for chain, url in zip(tenant.two_chains, urls, strict=True)
    ]
    for issued, url in zip(asked, urls, strict=True):
        page = customer.person.open(issued.url)
        if page.form is None:
            needs("two challenges that await the PIN side by side, which this API does not have")
        page = customer.person.enter(page)
        returned_to = page.returned_to or (url if url in unescape(page.response.text) else None)
        if returned_to is not None:
            _expect_told(page, returned_to, issued, {each.id for each in asked})
        expect(
            "planbok.page.returns-to-caller",
            returned_to is not None and telling.same_page(returned_to, url),
            where="page",
            expected=f"a return to {url}, which its own challenge was asked for with",
            got=returned_to or page.text,
            exchange=shown(page),
        )


@verifies("planbok.page.returns-to-caller")
def test_the_customer_is_sent_back_from_the_set_up(tenant: Tenant) -> None:
    """Given a new customer, when PIN and recovery are set, and each is replaced."""
    customer = tenant.onboard()
    person = customer.person
    tasks = {
        "initialize": person.set_up,
        "update-pin": person.change_pin,
        "recovery": person.set_recovery,  # which the first task may have left out
        "reset-pin": person.reset_pin,
    }
    for task, fill_in in tasks.items():
        page = fill_in(tenant.issued(tenant.ask(task, customer.id)).url)
        returned_to = page.returned_to or (RETURN_URL if RETURN_URL in page.response.text else None)
        expect(
            "planbok.page.returns-to-caller",
            returned_to is not None and _place(returned_to) == _place(RETURN_URL),
            where="page",
            expected=f"a return to {RETURN_URL} from {task}",
            got=returned_to or page.text,
            exchange=shown(page),
        )
        tenant.shortly()


@leaves_out("readings", "neighbours", because="Other tests take the same steps, fewer of them, and meet these.")
@verifies("planbok.page.completed-once")
def test_a_task_is_completed_once(tenant: Tenant) -> None:
    """Given pages to replace a PIN, one done and one cancelled, when they are filled in again, and the PIN is used."""
    customer = tenant.ready()
    person = customer.person
    for end in (person.change_pin, person.cancel):
        issued = tenant.issued(tenant.ask("update-pin", customer.id))
        page = person.open(issued.url)
        end(issued.url)
        if page.form is not None:
            person.submit(page, {})
        person.try_to_change_pin(issued.url, person.pin)
        wallets = tenant.requested(customer, tenant.two_chains[:1])
        person.authorize(wallets.url)
        challenge = tenant.ended(customer.id, wallets.id)
        expect(
            "planbok.page.completed-once",
            challenge.succeeded,
            where="response /data/status",
            expected="a challenge that succeeded with the PIN, which no page replaced that was over",
            got=challenge.status,
        )


def _link(issued: Issued) -> str:
    """The end of a page's path."""
    return urlsplit(issued.url).path.rpartition("/")[2]


def _place(url: str) -> tuple[str, str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc, parts.path


def _expect_no_wallet(tenant: Tenant, customer: Onboarding, rule: str, *, on: str | None = None) -> None:
    found = [wallet for wallet in tenant.owned(customer.id) if on in (None, wallet.blockchain)]
    expect(
        rule,
        not found,
        where="response /data",
        expected=f"no wallet on {on}" if on else "no wallet",
        got=written(found),
    )


def _has_pin(tenant: Tenant, customer: Onboarding) -> tuple[bool, Exchange]:
    exchange = tenant.read(customer.id)
    data = payload(exchange.response)
    value = data.get("hasPin") if isinstance(data, Mapping) else None
    return value if isinstance(value, bool) else needs("hasPin, which this API does not show"), exchange
