"""The reference Planbok: what the documents say, strictly, and where they are silent the likeliest choice.

Every choice is one method, a decision, whose docstring names the document that it follows; a fault or a variation
overrides one of them. Documents are cited by the titles of their pages; "silent" means that none speaks of it, "beta"
and "demo client" name public code beside the documents. The code blocks of all documents are lost.
There is one module for each topic of the rules; `Planbok` has the decisions of all of them.

The hosted page is served as ``gateway``. The sandbox sees the PIN that is typed there and keeps an Argon2id hash of it;
the vendor's page hashes the PIN in the browser and shares the key between two parties, which no test can see.
"""

from collections.abc import Mapping
from functools import cached_property

from conformance.exchange import Request, Response
from conformance.files import data_path
from conformance.planbok.sandbox.address import AddressDecisions
from conformance.planbok.sandbox.challenge import ChallengeDecisions
from conformance.planbok.sandbox.customer import CustomerDecisions
from conformance.planbok.sandbox.gate import GateDecisions
from conformance.planbok.sandbox.key import KeyDecisions
from conformance.planbok.sandbox.list import ListDecisions
from conformance.planbok.sandbox.page import PageDecisions
from conformance.planbok.sandbox.response import ResponseDecisions
from conformance.planbok.sandbox.result import ResultDecisions
from conformance.planbok.sandbox.shortcuts import Shortcuts
from conformance.planbok.sandbox.state import (
    PURPOSES,
    Call,
    Challenge,
    Customer,
    Entry,
    Reason,
    Refused,
    Secret,
    Status,
    Task,
    Tenant,
    Wallet,
    WrongEntry,
    joined_answers,
)
from conformance.planbok.sandbox.webhook import WebhookDecisions
from conformance.sandbox.messages import BodyRejected
from conformance.sandbox.service import Operation
from conformance.specification import Specification

__all__ = [
    "PURPOSES",
    "Call",
    "Challenge",
    "Customer",
    "Entry",
    "Planbok",
    "Reason",
    "Refused",
    "Secret",
    "Status",
    "Task",
    "Tenant",
    "Wallet",
    "WrongEntry",
    "joined_answers",
]


class Planbok(
    KeyDecisions,
    CustomerDecisions,
    GateDecisions,
    ChallengeDecisions,
    PageDecisions,
    ResultDecisions,
    ListDecisions,
    AddressDecisions,
    ResponseDecisions,
    WebhookDecisions,
    Shortcuts,
):
    """Planbok in one world: the API, and the hosted page.

    Args:
        clock: The clock of the world.
        ids: What all ids, links and keys are drawn from.
        outbox: Where events for webhooks are posted.
    """

    @cached_property
    def specification(self) -> Specification:
        """The description of Planbok."""
        return Specification.load(data_path("specs/planbok/openapi.yaml"))

    async def perform(self, operation: Operation, request: Request, parameters: Mapping[str, str]) -> Response:
        """Identify the organization by its key, then carry out the operation."""
        try:
            call = Call(operation.id, request, self.authenticate(request), parameters)
            if request.method == "POST":
                self.check_permission(call)
                return self.once(call)
            return self.handler(call.operation)(call)
        except Refused as refusal:
            return self.refusal(refusal)
        except BodyRejected as rejection:
            return self.refusal(Refused(Reason.BODY, str(rejection)))
