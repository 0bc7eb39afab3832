"""What receivers of OffBlocks' webhooks are checked with. No document says that these are signed."""

import json
from typing import Any

from conformance.receivers.receiving import Receiving
from conformance.sandbox.messages import to_json


class OffBlocksReceiving(Receiving):
    """Customers who become active, and the event of each change."""

    usual = "customer.updated"
    once = "counts-once"

    async def journey(self, sandbox: Any, name: str) -> None:
        """Bring a customer from its creation to ``active``, which makes an event for each status."""
        await sandbox.take_shortcut("/customers", to_json({"state": "active", "externalId": name}), "")

    def label(self, body: bytes) -> str:
        """The kind of an event and the status that it tells of."""
        event = json.loads(body)
        return f"{event['webhookType']} ({event['status']})"

    def renewed(self, body: bytes, name: str) -> bytes:
        """An event like this one with another ``eventId``."""
        return to_json({**json.loads(body), "eventId": name})

    def of_unknown_kind(self, body: bytes) -> bytes:
        """An event like this one, of a ``webhookType`` that no document lists."""
        return to_json({**json.loads(body), "webhookType": "statement.updated"})
