"""Wrong forms of answers."""

import json
from collections.abc import Mapping
from dataclasses import replace

from conformance.exchange import Request, Response
from conformance.offblocks.sandbox import Call, OffBlocks, Reason
from conformance.sandbox.faults import Fault, Variation
from conformance.sandbox.messages import json_response, problem
from conformance.sandbox.service import Operation


class LeavesOutTheTokenType(Fault, OffBlocks):
    """Answers a request for a token without ``tokenType``."""

    breaks = ("offblocks.response.matches-schema",)

    async def create_token(self, call: Call) -> Response:
        """Issue a token, and do not say of which type."""
        members = dict((await super().create_token(call)).members())
        del members["tokenType"]
        return json_response(200, members)


class AnswersInPlainText(Fault, OffBlocks):
    """Sends its JSON as ``text/plain``."""

    breaks = ("offblocks.response.is-json",)

    async def perform(self, operation: Operation, request: Request, parameters: Mapping[str, str]) -> Response:
        """Answer with another Content-Type."""
        response = await super().perform(operation, request, parameters)
        return replace(response, headers=(("Content-Type", "text/plain"),)) if response.body else response


class AnswersMalformedIdsWith406(Fault, OffBlocks):
    """Refuses a customer id that is no uuid with a status that no document lists."""

    breaks = ("offblocks.response.status-documented", "offblocks.challenge.malformed-customer-id-refused")

    def refusal_status(self, reason: Reason) -> int:
        """406 for a malformed customer id."""
        return 406 if reason is Reason.CUSTOMER_ID else super().refusal_status(reason)


class BreaksWithoutKeyId(Fault, OffBlocks):
    """Breaks on a signature that does not name its key."""

    breaks = ("offblocks.response.no-server-error",)

    async def perform(self, operation: Operation, request: Request, parameters: Mapping[str, str]) -> Response:
        """Answer 500 where the key id is missing."""
        signature_input = request.header("signature-input")
        if signature_input is not None and "keyid=" not in signature_input:
            return problem(500, "The signature names no key.")
        return await super().perform(operation, request, parameters)


class AnswersWithoutThePrefix(Variation, OffBlocks):
    """Has all operations without ``/v1`` too."""

    permits = "The prose of Customer Creation writes paths without /v1, its reference with it."

    async def answer(self, request: Request, path: str) -> Response:
        """Answer as if the path began with ``/v1``."""
        return await super().answer(request, path if path.startswith("/v1/") else f"/v1{path}")


class WrapsTheList(Variation, OffBlocks):
    """Lists customers in an object instead of a bare array."""

    permits = "No visible document shows the form of the list (Customers)."

    async def list_customers(self, call: Call) -> Response:
        """The customers under a name."""
        response = await super().list_customers(call)
        return json_response(200, {"customers": json.loads(response.body)})
