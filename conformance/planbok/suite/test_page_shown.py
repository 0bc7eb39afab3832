"""The hosted page says what the PIN authorizes, and is shown in no frame."""

import re

from conformance.planbok.chains import Chain
from conformance.planbok.pages import Page
from conformance.planbok.suite.effects import page_of_customers
from conformance.planbok.suite.person import shown
from conformance.planbok.suite.tenant import Tenant
from conformance.scenario import expect, needs, verifies

EVERY_SITE = re.compile(r"(?:[a-z][a-z0-9+.-]*:)?(?://)?(?:\*(?::[0-9*]+)?)?", re.IGNORECASE)
"""A source of `frame-ancestors` that keeps no site out: any host, or a scheme alone."""


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


@verifies("planbok.page.purpose-shown", "planbok.page.chains-shown")
def test_the_page_says_what_the_pin_authorizes(tenant: Tenant) -> None:
    """Given a challenge for one chain and one for two, when both pages are looked at, before and after the first."""
    customer, chains = tenant.ready(), tenant.two_chains
    first, second = tenant.requested(customer, chains[:1]), tenant.requested(customer, chains)
    pages = [(chains, customer.person.open(second.url)), (chains[:1], customer.person.open(first.url))]
    page = pages[-1][1]
    if page.form is not None:
        again = customer.person.enter(page, customer.person.other_pin)
        pages += [(chains[:1], again)] if again.form else []
    customer.person.authorize(first.url)
    pages.append((chains, customer.person.open(second.url)))
    open_pages = [(asked, page) for asked, page in pages if page.form]
    for _, page in open_pages or pages[:1]:
        expect(
            "planbok.page.purpose-shown",
            "wallet" in page.text.lower(),
            where="page text",
            expected="that new wallets are authorized",
            got=page.text,
            exchange=shown(page),
        )
    known = [chain for chain in tenant.chains if chain.name in chains]
    if not any(_named(known, page) for _, page in open_pages):
        needs("the names of chains, which this page does not show")
    for asked, page in open_pages:
        named = _named(known, page)
        expect(
            "planbok.page.chains-shown",
            named == set(asked),
            where="page text",
            expected=" and ".join(asked),
            got=" and ".join(sorted(named)) or "no chain",
            exchange=shown(page),
        )


@verifies("planbok.page.pin-kept-secret", "planbok.page.answers-kept-secret")
def test_what_is_entered_is_told_to_nobody(tenant: Tenant) -> None:
    """Given PIN, answers and wallets of a customer, and another PIN, when all that there is of the customer is read."""
    customer, chains = tenant.ready(), tenant.two_chains[:1]
    tenant.provisioned(customer, chains)
    person = customer.person
    for task, replaced in (("update-pin", person.change_pin), ("reset-pin", person.reset_pin)):
        replaced(tenant.issued(tenant.ask(task, customer.id)).url)
    entered = {
        "planbok.page.pin-kept-secret": (person.pin, person.other_pin),
        "planbok.page.answers-kept-secret": person.answers,
    }
    for exchange in (
        tenant.read(customer.id),
        tenant.customers(page_of_customers()),
        tenant.challenges(customer.id),
        tenant.wallets(customer.id),
    ):
        text = exchange.response.body.decode(errors="replace").casefold()
        for rule, secrets in entered.items():
            forms = [rf"(?<!\w){re.escape(each.casefold())}(?!\w)" for each in secrets]
            told = sum(re.search(form, text) is not None for form in forms)
            expect(
                rule,
                not told,
                where="response body",
                expected="nothing that was entered at the page",
                got=f"{told} of the PINs or answers" if told else "nothing of it",
                exchange=exchange,
            )


def _named(chains: list[Chain], page: Page) -> set[str]:
    """The names of those chains that a page shows, by its name at Planbok or as people call it."""
    forms = {chain.name: f"{re.escape(chain.name)}|{re.escape(chain.title)}" for chain in chains}
    text = page.text.casefold()
    return {name for name, form in forms.items() if re.search(rf"(?<![\w-])(?:{form.casefold()})(?![\w-])", text)}
