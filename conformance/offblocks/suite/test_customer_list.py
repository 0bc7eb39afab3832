"""The list of customers holds each of them once, however many there are."""

from conformance.offblocks.suite.effects import expect_listed
from conformance.offblocks.suite.tenant import Tenant, signed
from conformance.scenario import leaves_out, needs, verifies

MANY = 51
"""How many customers are created: one more than a page of a list usually holds."""
FAILED = ("owner-signs-the-message", "owner-id")


@leaves_out("readings", "neighbours", "population", "past", "repetition", because="It has more customers than any.")
@verifies("offblocks.customer.listed", "offblocks.customer.listed-once")
def test_a_long_list_is_whole(tenant: Tenant) -> None:
    """Given a customer with a second challenge, and more than a page of a list usually holds, when they are listed."""
    if not tenant.moves_clock:
        needs("an API that may be left with fifty customers more, as only the reference sandbox")
    first = tenant.onboard(tenant.new_wallet())
    wrong = signed(tenant.new_wallet(), first.challenge)
    tenant.sign(first.id, first.wallet, first.challenge, signature=wrong, broken=FAILED)
    ids = {first.id, *(tenant.onboard(tenant.new_wallet()).id for _ in range(MANY - 1))}
    expect_listed(tenant, ids)
