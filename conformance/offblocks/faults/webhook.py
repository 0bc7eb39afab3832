"""What can be wrong, or otherwise than the sandbox has it, with webhooks."""

from dataclasses import replace
from typing import Any

from conformance.exchange import Response
from conformance.offblocks.sandbox import Call, Customer, OffBlocks
from conformance.sandbox.faults import Fault, Variation


class AnswersRegistrationWith202(Fault, OffBlocks):
    """Answers the registration of a webhook with 202 instead of 200."""

    breaks = ("offblocks.webhook.registered", "offblocks.response.status-documented")

    async def put_webhook(self, call: Call) -> Response:
        return replace(await super().put_webhook(call), status=202)


class SendsCreationsOnly(Fault, OffBlocks):
    """Sends an event for a new customer and for no change of it."""

    breaks = ("offblocks.webhook.sent-on-change",)

    def change_status(self, customer: Customer, status: str) -> None:
        customer.status = status
        customer.updated_at = self.now()


class SendsEventsWithoutId(Fault, OffBlocks):
    """Leaves the ``eventId`` out of events."""

    breaks = ("offblocks.webhook.event-matches-schema",)

    def event_body(self, customer: Customer) -> dict[str, Any]:
        event = super().event_body(customer)
        del event["eventId"]
        return event


class SendsEventsOnce(Fault, OffBlocks):
    """Takes any answer for a receipt."""

    breaks = ("offblocks.webhook.retried",)

    def is_received(self, status: int) -> bool:
        return True


class RetriesAfterAPause(Variation, OffBlocks):
    """Tries an event twice before the first pause."""

    permits = "Step-by-step Guide, Webhooks, has an event tried a few times at once, and does not say how many."

    def tries_at_once(self) -> int:
        return 2


class SendsEventsTwice(Variation, OffBlocks):
    """Sends every event twice."""

    permits = "Step-by-step Guide, Webhooks, says that an event may come more than once."

    def webhook_addresses(self, customer: Customer) -> list[str]:
        return super().webhook_addresses(customer) * 2
