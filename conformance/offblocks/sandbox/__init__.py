"""The reference OffBlocks: what the documents say, strictly, and where they are silent the likeliest choice.

Every choice is one method, a decision, whose docstring names the document that it follows; a fault or a variation
overrides one of them. Documents are cited by the titles of their pages; "silent" means that none speaks of it.
There is one module for each topic of the rules; `OffBlocks` has the decisions of all of them.
"""

from collections.abc import Mapping

from conformance.exchange import Request, Response
from conformance.offblocks.sandbox.authentication import AuthenticationDecisions
from conformance.offblocks.sandbox.challenge import ChallengeDecisions
from conformance.offblocks.sandbox.customer import CustomerDecisions
from conformance.offblocks.sandbox.digest import DigestDecisions
from conformance.offblocks.sandbox.flow import FlowDecisions
from conformance.offblocks.sandbox.idempotency import IdempotencyDecisions
from conformance.offblocks.sandbox.isolation import IsolationDecisions
from conformance.offblocks.sandbox.response import ResponseDecisions
from conformance.offblocks.sandbox.shortcuts import Shortcuts
from conformance.offblocks.sandbox.signature import SignatureDecisions
from conformance.offblocks.sandbox.signing import SigningDecisions
from conformance.offblocks.sandbox.state import (
    Call,
    Challenge,
    Customer,
    Reason,
    Record,
    Refused,
    Status,
    Tenant,
    Webhook,
)
from conformance.offblocks.sandbox.webhook import WebhookDecisions
from conformance.sandbox.service import Operation

__all__ = [
    "Call",
    "Challenge",
    "Customer",
    "OffBlocks",
    "Reason",
    "Record",
    "Refused",
    "Status",
    "Tenant",
    "Webhook",
]


class OffBlocks(
    AuthenticationDecisions,
    SignatureDecisions,
    IdempotencyDecisions,
    DigestDecisions,
    CustomerDecisions,
    ChallengeDecisions,
    SigningDecisions,
    FlowDecisions,
    IsolationDecisions,
    WebhookDecisions,
    ResponseDecisions,
    Shortcuts,
):
    """OffBlocks in one world: front end, then validation, then state.

    Args:
        clock: The clock of the world.
        ids: What all ids, nonces and keys are drawn from.
        outbox: Where events for webhooks are posted.
    """

    async def perform(self, operation: Operation, request: Request, parameters: Mapping[str, str]) -> Response:
        """Identify the tenant, check signature, idempotency key and digest, then carry out the operation.

        Silent: which of several faults of one request is answered.
        """
        try:
            call = Call(operation.id, request, self.identify(operation.id, request), parameters)
            if self.signature_is_required(call.operation):
                self.check_request_signature(call)
            key = self.check_idempotency_key(call)
            if self.digest_is_required(call) or self.digest_is_checked(call):
                self.check_digest(call)
            if key is None:
                return await self.handler(call.operation)(call)
            return await self.once(call, key)
        except Refused as refusal:
            return self.refusal(refusal)
