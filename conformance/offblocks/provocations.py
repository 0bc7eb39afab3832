"""Servers that are out of order for a moment: what they break they break at random, so that they prove no rule.

They only show how a client takes it, and stand apart from the faults, which the suite is measured with.
"""

from functools import cached_property

from conformance.exchange import Response
from conformance.offblocks.sandbox import Call, Customer, OffBlocks
from conformance.sandbox.faults import Fault
from conformance.sandbox.messages import problem, to_json


class BreaksOnceOnEachCreation(Fault, OffBlocks):
    """Answers 503 when a customer is asked for, and creates it when the same is asked for again."""

    breaks = ("offblocks.response.no-server-error",)
    provokes = ("offblocks.client.same-key-on-retry",)

    @cached_property
    def broken_off(self) -> set[bytes]:
        """The bodies of the requests that were answered so."""
        return set()

    async def create_customer(self, call: Call) -> Response:
        """The customer, or 503 at first."""
        if call.request.body not in self.broken_off:
            self.broken_off.add(call.request.body)
            return problem(503, "The service is out of order for a moment. Send the same again.")
        return await super().create_customer(call)


class SendsTheFirstEventSecond(Fault, OffBlocks):
    """Keeps a customer's first event back until the second one was sent."""

    breaks = ("offblocks.webhook.sent-on-creation",)
    provokes = ("offblocks.client.survives-reordering",)

    @cached_property
    def kept_back(self) -> dict[str, bytes | None]:
        """The first event of each customer, None once it was sent."""
        return {}

    def announce(self, customer: Customer) -> None:
        """Send what there is to send, the first event after the second."""
        if customer.id not in self.kept_back:
            self.kept_back[customer.id] = to_json(self.event_body(customer))
            return
        super().announce(customer)
        if (first := self.kept_back[customer.id]) is not None:
            self.kept_back[customer.id] = None
            for address in self.webhook_addresses(customer):
                self.outbox.post(address, first, self)
