"""A sandbox made of a description alone: what a new API starts with."""

import json
from collections.abc import Mapping
from functools import cached_property
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs

from conformance.clock import WorldClock
from conformance.exchange import Request, Response
from conformance.ids import Ids
from conformance.parts.example import example_of
from conformance.sandbox.deliveries import Outbox
from conformance.sandbox.messages import json_response, problem
from conformance.sandbox.service import TENANTS, Operation, Service

__all__ = ["DescribedSandbox"]


class DescribedSandbox(Service):
    """Answers each operation with the example of its description, or with a value of its schema; it has no state.

    Each choice is a method, so that a subclass, a fault or a variation overrides it.

    Args:
        clock: The clock of the world.
        ids: What keys are drawn from.
        outbox: Where events for webhooks are posted.
    """

    def __init__(self, clock: WorldClock, ids: Ids, outbox: Outbox) -> None:
        super().__init__(clock, ids, outbox)
        self._keys = {tenant: ids.child(tenant).draw(16).hex() for tenant in TENANTS}

    @cached_property
    def _schemes(self) -> Mapping[str, Any]:
        found = self.specification.at("/components/securitySchemes")
        return found if isinstance(found, Mapping) else {}

    def credentials(self, tenant: str) -> dict[str, str]:
        """The key of one API client."""
        return {"api_key": self._keys[tenant]}

    async def perform(self, operation: Operation, request: Request, parameters: Mapping[str, str]) -> Response:  # noqa: ARG002
        """Look at the credentials, then at what the request must have, then answer as described."""
        if operation.security and not self.has_credentials(request):
            return problem(HTTPStatus.UNAUTHORIZED, "The request carries no key that was issued.")
        if missing := self.missing_in(operation, request):
            return problem(HTTPStatus.BAD_REQUEST, missing)
        return self.described_answer(operation)

    def has_credentials(self, request: Request) -> bool:
        """Whether a key that was issued stands in Authorization or in a header that a security scheme names."""
        names = [str(scheme.get("name", "")) for scheme in self._schemes.values() if scheme.get("in") == "header"]
        sent = [request.header(name) or "" for name in ("Authorization", *names)]
        return any(text.rpartition(" ")[2] in self._keys.values() for text in sent)

    def missing_in(self, operation: Operation, request: Request) -> str:
        """What a request lacks of what the description asks for, in a sentence; empty if it lacks nothing."""
        query = parse_qs(request.query, keep_blank_values=True)
        for parameter in operation.parameters:
            there = {"query": parameter.name in query, "header": request.header(parameter.name) is not None}
            if parameter.required and not there.get(parameter.place, True):
                return f"The {parameter.place} parameter {parameter.name} is missing."
        if not operation.request or not request.body:
            return ""
        problems = self.specification.request_problems(operation.id, request.header("Content-Type"), request.body)
        return (
            f"The body is wrong at {problems[0].pointer or 'the top'}: expected {problems[0].expected}."
            if problems
            else ""
        )

    def described_answer(self, operation: Operation) -> Response:
        """The first answer of success that the operation describes."""
        described = next((status for status in operation.responses if status.startswith("2")), "200")
        status = int(described.replace("XX", "00"))
        content = operation.responses[described].content if described in operation.responses else {}
        kind, pointer = next(((kind, where) for kind, where in content.items() if where), (None, None))
        if pointer is None:
            return Response((), b"", status if content or status != HTTPStatus.OK else HTTPStatus.NO_CONTENT)
        value = self.example_at(pointer)
        if kind == "application/json":
            return json_response(status, value)
        text = value if isinstance(value, str) else json.dumps(value)
        return Response((("Content-Type", str(kind)),), text.encode(), status)

    def example_at(self, pointer: str) -> Any:
        """The example beside a schema, else a value of the schema.

        Args:
            pointer: The JSON pointer of the schema in the description.
        """
        around = self.specification.at(pointer.removesuffix("/schema"))
        if "example" in around:
            return around["example"]
        for example in (around.get("examples") or {}).values():
            if isinstance(example, Mapping) and "value" in example:
                return example["value"]
        return example_of(around["schema"], lambda reference: self.specification.at(reference.removeprefix("#")))
