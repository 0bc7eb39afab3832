"""Whether a request had an effect, as the API itself shows it."""

from conformance.offblocks.checks import listed
from conformance.offblocks.suite.tenant import Tenant
from conformance.scenario import expect, step_failed


def expect_customers(rule: str, tenant: Tenant, external_ids: list[str], *, at_most: int) -> None:
    """Say that `rule` allows so many customers with these external ids in all.

    Raises:
        StepFailedError: If the customers cannot be listed.
    """
    exchange = tenant.customers()
    if not exchange.response.succeeded:
        step_failed("The customers were to be listed", exchange)
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


def expect_initiating(tenant: Tenant, customer: str) -> None:
    """Say that refusals left the customer as it was."""
    status = tenant.status(customer)
    expect(
        "offblocks.signing.refusal-leaves-initiating",
        status == "initiating",
        where="response /status",
        expected="initiating",
        got=status,
    )
