"""Webhooks: their registration, the events that they are sent, and how often these are tried."""

from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from conformance.exchange import Response
from conformance.offblocks.sandbox.base import Decisions
from conformance.offblocks.sandbox.state import Call, Customer, Reason, Refused, Webhook
from conformance.sandbox.deliveries import AddressRefused
from conformance.sandbox.messages import json_response, to_json


class WebhookDecisions(Decisions):
    """Which events are sent, where to and how persistently."""

    async def put_webhook(self, call: Call) -> Response:
        """Create a webhook, or update the one whose id is given: 200 (Webhooks)."""
        document = self.read_document(call.request)
        try:
            address = self.outbox.check(self.read_member(document, "callbackUrl"))
        except AddressRefused as refusal:
            raise Refused(Reason.WEBHOOK, f"'callbackUrl' will not do. {refusal}") from refusal
        types, now = self.read_types(document), self.now()
        if "id" in document:
            webhook = call.tenant.webhooks.get(self.read_member(document, "id").lower())
            if webhook is None:
                raise Refused(Reason.WEBHOOK, "'id' names no webhook of yours. Leave it out to create one.")
            webhook.callback_url, webhook.types, webhook.updated_at = address, types, now
        else:
            webhook = Webhook(str(self.registration_ids.uuid()), address, types, created_at=now, updated_at=now)
            call.tenant.webhooks[webhook.id] = webhook
        return json_response(HTTPStatus.OK, self.webhook_body(webhook))

    def event_types(self) -> tuple[str, ...]:
        """The types that there are (Webhooks)."""
        return ("customer.updated", "account.updated", "card.updated", "authorisation.updated", "transaction.updated")

    def read_types(self, document: Mapping[str, Any]) -> list[str]:
        """The types that a webhook is for (Webhooks). Silent on leaving them out: all."""
        known = self.event_types()
        types = document.get("types", list(known))
        if not isinstance(types, list) or not all(each in known for each in types):
            raise Refused(Reason.WEBHOOK, f"'types' must be an array of event types: {', '.join(known)}.")
        return types

    def webhook_body(self, webhook: Webhook) -> dict[str, Any]:
        """A webhook as responses show it (Webhooks)."""
        return {
            "id": webhook.id,
            "callbackUrl": webhook.callback_url,
            "types": webhook.types,
            "createdAt": self.format_time(webhook.created_at),
            "updatedAt": self.format_time(webhook.updated_at),
        }

    def announce(self, customer: Customer) -> None:
        """Send ``customer.updated`` to all who wait for it: on creation and on each change (Webhooks)."""
        addresses = self.webhook_addresses(customer)
        if addresses:
            event = to_json(self.event_body(customer))
            for address in addresses:
                self.outbox.post(address, event, self)

    def webhook_addresses(self, customer: Customer) -> list[str]:
        """Where a customer's events go: to its tenant's webhooks (Webhooks), else to the one address of the world."""
        if customer.tenant.webhooks:
            hooks = customer.tenant.webhooks.values()
            return [hook.callback_url for hook in hooks if "customer.updated" in hook.types]
        return [self.outbox.address] if self.outbox.address else []

    def event_body(self, customer: Customer) -> dict[str, Any]:
        """An event: its type, its id and the customer without the challenge (Webhooks)."""
        return {
            "webhookType": "customer.updated",
            "eventId": str(self.event_ids.uuid()),
            **self.customer_body(customer),
        }

    def is_received(self, status: int) -> bool:
        """Whether a receiver has an event: if it answers 2xx (Webhooks)."""
        return HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES

    def follows_redirects(self) -> bool:
        """Whether an event goes where a receiver sends it. Silent: no, as the address was checked and that was not."""
        return False

    def tries_at_once(self) -> int:
        """How often an event is tried before the first pause: a few times (Webhooks), here 3."""
        return 3

    def pause_before_retry(self, failures: int) -> timedelta:
        """The pause after so many failures: growing exponentially, with jitter (Webhooks); from half a minute on."""
        longest = timedelta(minutes=2 ** (failures - self.tries_at_once()))
        return longest * (0.5 + self.jitter.below(1_000) / 2_000)

    def gives_up_after(self) -> timedelta:
        """The age at which an event is dropped: 24 hours (Webhooks)."""
        return timedelta(hours=24)
