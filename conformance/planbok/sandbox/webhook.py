"""Webhooks: which events are sent, what they say, how they are signed, and when they are tried again."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from conformance.exchange import Headers
from conformance.planbok import webhooks
from conformance.planbok.sandbox.base import Decisions
from conformance.planbok.sandbox.state import Challenge, Customer, Tenant
from conformance.sandbox.messages import to_json
from conformance.sandbox.service import TENANTS


class WebhookDecisions(Decisions):
    """Which events are sent, and how."""

    def wallet_events(self, challenge: Challenge) -> list[dict[str, Any]]:
        """What the events of a completed challenge say. Silent on how many: one for each wallet."""
        return [
            {
                **self.wallet_json(challenge.customer, wallet),
                "customerId": challenge.customer.id,
                "challengeId": challenge.id,
            }
            for wallet in challenge.wallets
        ]

    def announce(self, customer: Customer, event: str) -> None:
        """Send an event about a customer (Webhooks)."""
        self.send(customer.tenant, event, {"customerId": customer.id, "refId": customer.ref_id})

    def send(self, tenant: Tenant, event: str, data: Mapping[str, Any]) -> None:
        """Post an event to the organization's webhook, if it has one; signed anew at each try."""
        event_id = self.new_event_id()
        body = self.write_event(self.event_body(event, event_id, data))
        for address in self.webhook_addresses(tenant):
            self.outbox.post(address, body, self, lambda: self.event_headers(tenant, event, event_id, body))

    def new_event_id(self) -> str:
        """What tells an event from others. Silent on the form: a UUID."""
        return str(self.event_ids.uuid())

    def write_event(self, event: Mapping[str, Any]) -> bytes:
        """An event as it is sent. Silent: compact JSON, which is the same when it is written again."""
        return to_json(event)

    def webhook_addresses(self, tenant: Tenant) -> list[str]:
        """Where an organization's events go: the world's webhook is the first one's. The vendor's dashboard sets it."""
        return [self.outbox.address] if self.outbox.address and tenant.name == TENANTS[0] else []

    def event_body(self, event: str, event_id: str, data: Mapping[str, Any]) -> dict[str, Any]:
        """An event (beta); every one has an ``idempotencyKey`` (Webhooks)."""
        return {"event": event, "timestamp": self.time(self.now()), "idempotencyKey": event_id, "data": data}

    def event_headers(self, tenant: Tenant, event: str, event_id: str, body: bytes) -> Headers:
        """The header lines of one try to deliver an event (beta)."""
        signature = webhooks.sign(self.signed_body(body), self.webhook_secret(tenant), self.signed_at())
        return (*signature.items(), ("X-Webhook-Event", event), ("X-Webhook-Id", event_id))

    def signed_body(self, body: bytes) -> bytes:
        """The bytes that a webhook's signature covers: those that are sent (beta)."""
        return body

    def webhook_secret(self, tenant: Tenant) -> str:
        """What an organization's webhooks are signed with: its own secret (beta)."""
        return tenant.webhook_secret

    def signed_at(self) -> datetime:
        """The time that a signature bears: that of the try, by the clock of who receives it."""
        return self.clock.outside()

    def follows_redirects(self) -> bool:
        """Whether an event goes where a receiver sends it. Silent: no, as the address was checked and that was not."""
        return False

    def tries_at_once(self) -> int:
        """How often an event is tried before the first pause. Silent: once."""
        return 1

    def pause_before_retry(self, failures: int) -> timedelta:
        """How long to wait before another try. Silent: 5 seconds, twice as long each time, an hour at most."""
        return min(timedelta(seconds=5 * 2 ** (failures - 1)), timedelta(hours=1))

    def gives_up_after(self) -> timedelta:
        """The age at which an event is dropped. Silent: a day."""
        return timedelta(days=1)

    def is_received(self, status: int) -> bool:
        """Whether an answer says that the event was received: 2xx (beta)."""
        return HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES
