"""Whether a request had an effect, as the API itself shows it, or as it answers again."""

from datetime import datetime

from conformance.exchange import Exchange
from conformance.findings import answer as shown
from conformance.offblocks.checks import is_partial, listed
from conformance.offblocks.messages import instant
from conformance.offblocks.suite.tenant import Tenant
from conformance.scenario import PATIENCE, expect, needs, refused, step_failed

DAYS_AFTER = (1, 7, 31)
"""After how many days what lived an hour is used again, by some minutes more: whole turns of a clock, of a week, and
longer than any month."""


def expect_customers(rule: str, tenant: Tenant, external_ids: list[str], *, at_most: int) -> None:
    """Say that `rule` allows so many customers with these external ids in all.

    Another customer is created, and the list is judged when it holds that one: it may lag behind.

    Raises:
        StepFailedError: If it does not come to hold that one.
    """
    latest = tenant.onboard(tenant.new_wallet())
    exchange = listed_with(tenant, latest.id)
    found = [str(customer.get("id")) for customer in listed(exchange) if customer.get("externalId") in external_ids]
    expect(
        rule,
        len(found) <= at_most,
        where="response body",
        expected=f"at most {at_most} customer with externalId {' or '.join(external_ids)}"
        if at_most
        else f"no customer with externalId {' or '.join(external_ids)}",
        got=", ".join(found) or "none",
        exchange=exchange,
    )


def updated_at(tenant: Tenant, customer: str) -> tuple[datetime, Exchange]:
    """When a customer is shown to have changed last (UTC), and the answer that shows it.

    Raises:
        StepFailedError: If it is not shown.
    """
    exchange = tenant.read(customer)
    time = instant(exchange.response.members().get("updatedAt"))
    if time is None:
        step_failed("A customer was to be read with its updatedAt", exchange)
    return time, exchange


def expect_unsigned(rule: str, tenant: Tenant, customer: str, signing: Exchange) -> None:
    """Say that `rule` lets a signing that was refused leave its customer as one who has not signed."""
    if not refused(signing):
        return
    status = tenant.status_shortly(customer)
    expect(
        rule,
        status == "initiating",
        where="response /status",
        expected=f"initiating, since [{signing.id}] was refused",
        got=status,
    )


def expect_the_same_answer(rule: str, repeat: Exchange, first: Exchange) -> None:
    """Say that `rule` asks for the answer of `first` again."""
    alike = repeat.response.status == first.response.status and repeat.response.body == first.response.body
    expect(
        rule,
        alike,
        where="response",
        expected=f"{shown(first)} and the body of [{first.id}]",
        got="so" if alike else f"{shown(repeat)} and {repeat.response.body.decode(errors='replace') or 'no body'}",
        exchange=repeat,
    )


def require_days(tenant: Tenant) -> None:
    """Go on only where days can pass at once.

    Raises:
        NeedError: If the clock is that of a real server.
    """
    if not tenant.moves_clock:
        needs("a clock that can be moved on by hours and days, as only the reference sandbox has")


def require_all(exchange: Exchange) -> None:
    """Go on only if a list of customers does not say itself that there are more.

    Raises:
        NeedError: If it does.
    """
    if is_partial(exchange):
        needs("a list of all customers; this server gives it in pages, of which no document says how to ask for them")


def listed_with(tenant: Tenant, customer: str) -> Exchange:
    """The list of customers as soon as it holds one that was created.

    Raises:
        NeedError: If it is given in pages.
        StepFailedError: If it does not come to hold that one.
    """
    exchange = tenant.eventually(
        "a customer to be listed", tenant.customers, lambda seen: _holds(seen, customer) or is_partial(seen)
    )
    if not _holds(exchange, customer):
        require_all(exchange)
        step_failed(f"The customers were to be listed, {customer} among them within {PATIENCE}", exchange)
    return exchange


def expect_listed(tenant: Tenant, ids: set[str]) -> None:
    """Say whether the list of customers comes to hold all of these.

    Raises:
        NeedError: If it does not, and is given in pages.
    """
    exchange = tenant.eventually(
        "a customer to be listed", tenant.customers, lambda seen: ids <= _ids(seen) or is_partial(seen)
    )
    found = _ids(exchange)
    if not ids <= found:
        require_all(exchange)
    expect(
        "offblocks.customer.listed",
        ids <= found,
        where="response body",
        expected=f"{' and '.join(sorted(ids))} among the customers within {PATIENCE}",
        got=f"{len(found)} customers without {' and '.join(sorted(ids - found)) or 'a gap'}",
        exchange=exchange,
    )


def _ids(exchange: Exchange) -> set[str]:
    """The ids of the customers in a list."""
    return {str(customer.get("id")) for customer in listed(exchange)}


def _holds(exchange: Exchange, customer: str) -> bool:
    return exchange.response.succeeded and any(each.get("id") == customer for each in listed(exchange))


def expect_initiating(tenant: Tenant, customer: str) -> bool:
    """Say whether refusals left the customer as it was, and give that."""
    status = tenant.status(customer)
    expect(
        "offblocks.signing.refusal-leaves-initiating",
        status == "initiating",
        where="response /status",
        expected="initiating",
        got=status,
    )
    return status == "initiating"
