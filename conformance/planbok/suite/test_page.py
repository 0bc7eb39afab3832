"""The hosted page asks for the PIN each time, completes a challenge once, and sends the customer back."""

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

from conformance.exchange import Exchange
from conformance.planbok.messages import challenge_of, payload
from conformance.planbok.suite.lock_out import MANY, right_pin_refused
from conformance.planbok.suite.person import shown
from conformance.planbok.suite.tenant import RETURN_URL, Issued, Onboarding, Tenant
from conformance.planbok.suite.wallets import places, written
from conformance.scenario import expect, expect_reading, needs, refused, step_failed, verifies

STATUS_WORDS = {"verified", "completed", "successful", "success"}
EVERY_SITE = re.compile(r"(?:[a-z][a-z0-9+.-]*:)?(?://)?(?:\*(?::[0-9*]+)?)?", re.IGNORECASE)
"""A source of `frame-ancestors` that keeps no site out: any host, or a scheme alone."""


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
    tenant.shortly()
    challenge = tenant.seen(customer.id, issued.id)
    expect(
        "planbok.page.asks-pin-every-time",
        not challenge.succeeded,
        where="response /data/status",
        expected="a challenge that awaits the PIN",
        got=challenge.status,
    )
    _expect_no_wallet(tenant, customer, "planbok.page.asks-pin-every-time", on=second)


@verifies("planbok.page.wrong-pin-refused")
def test_a_wrong_pin_completes_nothing(tenant: Tenant) -> None:
    """Given a challenge, when a wrong PIN is entered."""
    customer = tenant.ready()
    issued = tenant.requested(customer)
    customer.person.authorize(issued.url, customer.person.other_pin)
    tenant.shortly()
    challenge = tenant.seen(customer.id, issued.id)
    expect(
        "planbok.page.wrong-pin-refused",
        not challenge.succeeded,
        where="response /data/status",
        expected="a challenge that did not succeed",
        got=challenge.status,
    )
    _expect_no_wallet(tenant, customer, "planbok.page.wrong-pin-refused")


@verifies("planbok.page.locks-out")
def test_many_wrong_pins_lock_the_customer_out(tenant: Tenant) -> None:
    """Given a customer who is set up, when the right PIN is entered after ten wrong ones."""
    customer = tenant.ready()
    page = customer.person.open(tenant.requested(customer).url)
    for _ in range(MANY):
        if page.form is None:
            exchange = tenant.ask_wallets(customer.id)
            if refused(exchange):
                break
            page = customer.person.open(tenant.issued(exchange).url)
        if page.form is None:
            break
        page = customer.person.enter(page, customer.person.other_pin)
    _expect_locked_out(tenant, customer, f"after {MANY} wrong PINs")


@verifies("planbok.page.locks-out")
def test_many_wrong_pins_at_once_lock_the_customer_out(tenant: Tenant) -> None:
    """Given a customer who is set up, when the right PIN is entered after ten wrong ones that came at once."""
    customer = tenant.ready()
    page = customer.person.open(tenant.requested(customer).url)
    if page.form is None:
        step_failed("The page of a challenge was to ask for the PIN")
    tenant.together(*[lambda: customer.person.enter(page, customer.person.other_pin)] * MANY)
    _expect_locked_out(tenant, customer, f"after {MANY} wrong PINs at once")


def _expect_locked_out(tenant: Tenant, customer: Onboarding, when: str) -> None:
    held, got = right_pin_refused(tenant, customer)
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
    tenant.shortly()
    challenge = tenant.seen(customer.id, other.id)
    expect(
        "planbok.page.asks-pin-every-time",
        not challenge.succeeded,
        where="response /data/status",
        expected="a challenge that awaits the PIN on its own page",
        got=challenge.status,
    )


@verifies("planbok.page.not-framed")
def test_the_page_is_not_shown_in_a_frame(tenant: Tenant) -> None:
    """Given a challenge, when its page is opened."""
    customer = tenant.ready()
    page = customer.person.open(tenant.requested(customer).url)
    headers = page.response.headers
    policy = headers.get("Content-Security-Policy", "")
    option = headers.get("X-Frame-Options", "")
    directives = [words for part in re.split("[;,]", policy) if (words := part.split())]
    ancestors = [sources for name, *sources in directives if name.lower() == "frame-ancestors"]
    kept_out = any(not any(map(EVERY_SITE.fullmatch, sources)) for sources in ancestors)
    expect(
        "planbok.page.not-framed",
        kept_out if ancestors else option.upper() in {"DENY", "SAMEORIGIN"},
        where="page headers",
        expected="X-Frame-Options, or a Content-Security-Policy whose frame-ancestors are not every site",
        got=policy or option or "neither",
        exchange=shown(page),
    )


@verifies("planbok.page.new-pin-confirmed")
def test_a_new_pin_is_six_digits_and_confirmed(tenant: Tenant) -> None:
    """Given a new customer, when a PIN is entered that is no PIN or is not confirmed, and then rightly."""
    customer = tenant.onboard()
    issued = tenant.issued(tenant.ask("initialize", customer.id))
    person = customer.person
    page = person.open(issued.url)
    has_pin, exchange = _has_pin(tenant, customer)
    if has_pin:
        step_failed("A customer was to be shown without a PIN before one is entered", exchange)
    for pin, again, what in (
        (person.pin[:5], person.pin[:5], "five digits"),
        ("abcdef", "abcdef", "six letters"),
        (person.pin, person.other_pin, "two PINs that differ"),
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


@verifies("planbok.page.purpose-shown")
def test_the_page_says_what_the_pin_authorizes(tenant: Tenant) -> None:
    """Given a challenge for new wallets, when its page is opened."""
    customer = tenant.ready()
    page = customer.person.open(tenant.requested(customer).url)
    expect(
        "planbok.page.purpose-shown",
        "wallet" in page.text.lower(),
        where="page text",
        expected="that new wallets are authorized",
        got=page.text,
        exchange=shown(page),
    )


@verifies("planbok.page.cancelled-makes-no-wallet", "planbok.result.none-when-failed")
def test_a_cancelled_challenge_makes_no_wallet(tenant: Tenant) -> None:
    """Given a challenge that the customer cancelled, when the right PIN is entered afterwards."""
    customer = tenant.ready()
    issued = tenant.requested(customer)
    page = customer.person.open(issued.url)
    customer.person.cancel(issued.url)
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
    wallets = tenant.eventually(lambda: tenant.owned(customer.id), lambda found: len(found) >= len(before.wallets))
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
        step_failed("A completed page was to send the customer back")
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
    values = {value for _, value in query}
    reading = "challenge-id" if issued.id in values else "status" if values & STATUS_WORDS else None
    expect_reading(
        "planbok.page.return-query",
        reading,
        where="page, the query of the return",
        expected=f"{issued.id}, or a status",
        got=urlsplit(returned_to).query,
        exchange=shown(page),
    )


@verifies("planbok.page.returns-to-caller")
def test_the_customer_is_sent_back_from_the_set_up(tenant: Tenant) -> None:
    """Given a new customer, when PIN and recovery are set."""
    customer = tenant.onboard()
    page = customer.person.set_up(tenant.issued(tenant.ask("initialize", customer.id)).url)
    returned_to = page.returned_to or (RETURN_URL if RETURN_URL in page.response.text else None)
    expect(
        "planbok.page.returns-to-caller",
        returned_to is not None and _place(returned_to) == _place(RETURN_URL),
        where="page",
        expected=f"a return to {RETURN_URL}",
        got=returned_to or page.text,
        exchange=shown(page),
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
