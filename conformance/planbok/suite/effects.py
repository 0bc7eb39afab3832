"""What steps have led to: which customers there are, as their list shows them, and whether a challenge succeeded."""

from collections.abc import Iterator, Mapping
from typing import Any

from conformance.planbok.messages import entries
from conformance.planbok.suite.tenant import Tenant
from conformance.scenario import expect, needs, step_failed

DAYS_AFTER = (1, 7, 31)
"""After how many days what has no end is used again: whole turns of a clock, of a week, and longer than any month."""
_MOST_PAGES = 50
_A_PAGE = 100


def page_of_customers(number: int = 1, limit: int = _A_PAGE) -> str:
    """The query of one page of the list of customers."""
    return f"?page={number}&limit={limit}"


def listed_customers(tenant: Tenant, limit: int = _A_PAGE) -> Iterator[Mapping[str, Any]]:
    """The customers in the list, page after page until one holds none that is new.

    Args:
        tenant: Who lists them.
        limit: How many customers a page has.

    Raises:
        NeedError: If the list has more pages than a test can read.
        StepFailedError: If a page cannot be read.
    """
    found: list[Any] = []
    for number in range(1, _MOST_PAGES + 1):
        exchange = tenant.customers(page_of_customers(number, limit))
        if not exchange.response.succeeded:
            step_failed("The customers were to be listed", exchange)
        new = [customer for customer in entries(exchange.response) if customer not in found]
        if not new:
            return
        found += new
        yield from (customer for customer in new if isinstance(customer, Mapping))
    needs(f"an organization with fewer than {_MOST_PAGES * limit} customers")


def expect_not_created(rule: str, tenant: Tenant, ref_ids: list[str]) -> None:
    """Say that `rule` allows no customer with these ids of the caller's own.

    Raises:
        NeedError: If the list of customers is too long to be read, or shows no ids of the caller's own.
        StepFailedError: If the customers cannot be listed.
    """
    tenant.shortly()
    listed = list(listed_customers(tenant))
    if listed and not any("refId" in customer for customer in listed):
        needs("refId in the list of customers, which this API does not show")
    found = [customer.get("id") for customer in listed if customer.get("refId") in ref_ids]
    expect(
        rule,
        not found,
        where="response /data, on all pages",
        expected=f"no customer with refId {' or '.join(ref_ids)}",
        got=", ".join(map(str, found)) or "none",
    )


def expect_no_success(rule: str, tenant: Tenant, customer: str, challenge: str, *, expected: str) -> None:
    """Say whether a challenge has not succeeded, a little after what must not complete it.

    Args:
        rule: The id of the rule.
        tenant: Whose customer it is.
        customer: The customer's id.
        challenge: Its id.
        expected: What was to be, in words.
    """
    tenant.shortly()
    seen = tenant.seen(customer, challenge)
    expect(rule, not seen.succeeded, where="response /data/status", expected=expected, got=seen.status)
