"""A PIN that was replaced is not the PIN again, however often it is replaced."""

from conformance.planbok.suite.effects import expect_no_success
from conformance.planbok.suite.tenant import Tenant
from conformance.scenario import needs, verifies

OTHER_PINS = ("380516", "941073", "527398")
"""PINs of which one at least is none of two others."""


@verifies("planbok.customer.pin-replaced")
def test_no_former_pin_is_the_pin_again(tenant: Tenant) -> None:
    """Given a customer whose PIN was replaced twice, when wallets are authorized with the first and with the second."""
    customer = tenant.ready()
    person = customer.person
    former = (person.pin, person.other_pin)
    for new in (person.other_pin, next(pin for pin in OTHER_PINS if pin not in former)):
        person.other_pin = new
        issued = tenant.issued(tenant.ask("update-pin", customer.id))
        person.change_pin(issued.url)
        if not tenant.ended(customer.id, issued.id).succeeded:
            needs("a PIN that is replaced twice, which this API does not let a customer do, or does not show")
    issued = tenant.requested(customer, tenant.two_chains[:1])
    for pin in former:
        person.authorize(issued.url, pin)
        expect_no_success(
            "planbok.customer.pin-replaced",
            tenant,
            customer.id,
            issued.id,
            expected="a challenge that did not succeed with a PIN from before the last one",
        )
