"""What all answers have in common: their form, and that no request breaks the server."""

from conformance.findings import answer
from conformance.planbok.suite.tenant import Tenant
from conformance.scenario import leaves_out, needs, step_failed, verifies

NESTED = b'{"name":' + b"[" * 500 + b"]" * 500 + b"}"
REFUSALS = range(400, 500)


@verifies(
    "planbok.response.matches-schema",
    "planbok.response.matches-inferred-schema",
    "planbok.response.is-json",
    "planbok.response.success-agrees",
)
def test_answers_about_customers_have_the_expected_form(tenant: Tenant) -> None:
    """Given a tenant, when a customer is created, read and listed, and the set-up of a PIN is asked for."""
    customer = tenant.onboard()
    tenant.read(customer.id)
    tenant.customers()
    tenant.ask("initialize", customer.id)


@verifies("planbok.response.times-right", "planbok.response.times-stay")
def test_times_are_those_of_what_they_name(tenant: Tenant) -> None:
    """Given a customer with a wallet and a challenge, when each is read and listed, and some seconds later again."""
    customer = tenant.ready()
    first, second = tenant.two_chains
    tenant.provisioned(customer, [first])
    issued = tenant.requested(customer, [second])
    for _ in range(2):
        tenant.shortly()
        tenant.read(customer.id)
        tenant.customers()
        tenant.challenge(customer.id, issued.id)
        tenant.wallets(customer.id)
    needs("what this API does not show: times of customers, of wallets or of challenges")


@verifies(
    "planbok.response.matches-schema",
    "planbok.response.matches-inferred-schema",
    "planbok.response.is-json",
    "planbok.response.success-agrees",
)
def test_answers_about_wallets_have_the_expected_form(tenant: Tenant) -> None:
    """Given a customer with wallets, when they and the challenges are listed, and each other challenge is asked for."""
    customer = tenant.ready()
    tenant.provisioned(customer)
    tenant.challenges(customer.id)
    tenant.wallets(customer.id)
    for task in ("recovery", "update-pin", "reset-pin"):
        tenant.ask(task, customer.id)


@verifies("planbok.response.success-agrees")
def test_success_tells_an_acceptance_from_a_refusal(tenant: Tenant) -> None:
    """Given a customer, when it is read, and one who does not exist."""
    for customer in (tenant.onboard().id, tenant.ids.draw(12).hex()):
        tenant.read(customer)


@verifies("planbok.response.error-body", "planbok.response.is-json")
def test_a_refusal_says_what_was_wrong(tenant: Tenant) -> None:
    """When a customer is created without a name, and one who does not exist is read and asked for wallets."""
    unknown, challenge = tenant.ids.draw(12).hex(), tenant.ids.draw(12).hex()
    nameless = {"refId": str(tenant.ids.uuid()), "idempotencyKey": tenant.new_key()}
    exchanges = [
        tenant.create(body=nameless),
        tenant.read(unknown),
        tenant.ask_wallets(unknown),
        tenant.challenge(unknown, challenge),
    ]
    if not any(exchange.response.status in REFUSALS for exchange in exchanges):
        step_failed(f"A customer who does not exist was to be refused with 4xx, and not with {answer(exchanges[1])}")


@verifies("planbok.response.no-server-error")
def test_a_body_that_is_no_document_breaks_nothing(tenant: Tenant) -> None:
    """Given a tenant, when it sends something else than the JSON object that a creation takes."""
    for content in (b"{", b"[]", b"null", b"\xff\xfe"):
        tenant.create(content=content, broken=("sends-json", "sends-idempotency-key"))
    tenant.create(content=NESTED, broken=("sends-idempotency-key",))


@verifies("planbok.response.no-server-error")
def test_a_member_of_another_type_breaks_nothing(tenant: Tenant) -> None:
    """Given a customer, when numbers, nulls, arrays and objects are sent in the place of texts and of a list."""
    customer = tenant.onboard()
    for value in (7, None, [7], {"value": 7}):
        tenant.create(body={"name": value, "refId": value, "idempotencyKey": tenant.new_key()})
        tenant.ask("initialize", customer.id, body={"redirectUrl": value})
        wallets = {"blockchains": value, "redirectUrl": value, "idempotencyKey": tenant.new_key()}
        broken = ("asks-for-wallets-as-documented", "checks-set-up-first")
        tenant.ask_wallets(customer.id, body=wallets, broken=broken)


@verifies("planbok.response.no-server-error")
def test_a_strange_path_or_page_breaks_nothing(tenant: Tenant) -> None:
    """Given a tenant, when it reads what is no customer, and pages that are none."""
    for customer in ("%00", "%ff", "..%2f", "a" * 2000):
        tenant.read(customer)
    for query in ("?page=0", "?page=-1", "?page=first", "?limit=0", "?limit=99999999999999999999", "?order=sideways"):
        tenant.customers(query)


@leaves_out("readings", because="Everything is read before and after each step already.")
@verifies(
    "planbok.response.reading-changes-nothing",
    "planbok.response.refusal-changes-nothing",
    "planbok.response.others-untouched",
)
def test_a_step_changes_what_it_is_for_and_nothing_else(watched: Tenant) -> None:
    """Given a customer with a PIN and one without, when both are read, and a challenge of each task is asked for."""
    first, second = watched.ready(), watched.onboard()
    for customer in (first, second):
        watched.read(customer.id)
        watched.challenges(customer.id)
        watched.wallets(customer.id)
    watched.create(key=None, broken=("sends-key",))
    watched.ask("initialize", second.id)
    watched.ask_wallets(second.id, broken=("checks-set-up-first",))
    watched.ask("recovery", first.id)
    asked = watched.requested(first)
    watched.challenge(first.id, asked.id)
    watched.ask("update-pin", first.id)


@leaves_out("readings", because="Everything is read before and after each step already.")
@verifies("planbok.response.reading-changes-nothing", "planbok.response.others-untouched")
def test_what_is_entered_at_a_page_changes_nothing_elsewhere(watched: Tenant) -> None:
    """Given customers in other states, when one sets a PIN, enters wrong ones and right ones, cancels, and is read."""
    watched.onboard()
    watched.requested(watched.ready())
    customer = watched.ready()
    asked = watched.requested(customer)
    customer.person.open(asked.url)
    customer.person.authorize(asked.url, customer.person.other_pin)
    customer.person.authorize(asked.url)
    watched.challenge(customer.id, asked.id)
    customer.person.cancel(watched.issued(watched.ask("recovery", customer.id)).url)
    customer.person.reset_pin(watched.issued(watched.ask("reset-pin", customer.id)).url)
