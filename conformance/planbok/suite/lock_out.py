"""Whether a customer is locked out: the API may refuse a challenge then, or the page the PIN."""

from collections.abc import Callable

from conformance.exchange import Exchange
from conformance.planbok.messages import challenge_of
from conformance.planbok.suite.tenant import Onboarding, Tenant
from conformance.scenario import refused

MANY = 10
"""Wrong PINs in a row, after which a lock-out is expected; no source says how many it takes."""


def right_pin_refused(tenant: Tenant, customer: Onboarding) -> tuple[bool, str]:
    """Whether a new challenge is refused or not completed with the right PIN, and what was seen of it.

    Raises:
        NeedError: If nobody stands in for the person.
        StepFailedError: If there is no new challenge, although it was not refused, or its page cannot be filled in.
    """
    return _refusal(tenant, customer, tenant.ask_wallets(customer.id), customer.person.authorize)


def change_refused(tenant: Tenant, customer: Onboarding) -> tuple[bool, str]:
    """Whether the right PIN does not replace itself either; gives and raises as `right_pin_refused`."""

    def change(url: str) -> None:
        customer.person.try_to_change_pin(url, customer.person.pin)

    return _refusal(tenant, customer, tenant.ask("update-pin", customer.id), change)


def _refusal(
    tenant: Tenant, customer: Onboarding, exchange: Exchange, enter: Callable[[str], object]
) -> tuple[bool, str]:
    if refused(exchange):
        return True, f"{exchange.response.status} to a request for a challenge"
    issued = tenant.issued(exchange)
    enter(issued.url)
    tenant.shortly()
    reading = tenant.challenge(customer.id, issued.id)
    challenge = challenge_of(reading.response)
    if challenge is None:
        return refused(reading), f"{reading.response.status} to a reading of the challenge"
    return not challenge.succeeded, f"a challenge that reads {challenge.status}"
