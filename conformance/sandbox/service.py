"""What every API's sandbox is: operations with routes, answered for one world."""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from conformance.clock import Clock
from conformance.exchange import Request, Response
from conformance.ids import Ids
from conformance.sandbox.deliveries import Outbox
from conformance.sandbox.messages import problem

TENANTS = ("first", "second")
"""The names of the API clients that each world has credentials for."""


@dataclass(frozen=True)
class Operation:
    """One operation of an API.

    Args:
        id: The operation id of the OpenAPI description.
        method: The HTTP method.
        template: The path below the base URL, with names of parameters in braces.
    """

    id: str
    method: str
    template: str

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """What matches a path of this operation, with a named group for each parameter."""
        return re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(self.template)))


class Service(ABC):
    """One API as the sandbox implements it, in one world.

    Args:
        clock: The clock of the world.
        ids: What all ids, nonces and keys of this API in this world are drawn from.
        outbox: Where events for webhooks are posted.
    """

    operations: ClassVar[tuple[Operation, ...]]
    mounts: ClassVar[tuple[str, ...]] = ()
    """The names under which it serves more than the API, such as a hosted page."""

    def __init__(self, clock: Clock, ids: Ids, outbox: Outbox) -> None:
        self.clock = clock
        self.ids = ids
        self.outbox = outbox

    async def answer(self, request: Request, path: str) -> Response:
        """What the API answers to `request`, whose `path` below the base URL, undecoded, decides on the operation."""
        matches = [(each, match) for each in self.operations if (match := each.pattern.fullmatch(path))]
        method = "GET" if request.method == "HEAD" else request.method
        for operation, match in matches:
            if operation.method == method:
                return await self.perform(operation, request, match.groupdict())
        if not matches:
            return problem(404, f"There is nothing at {path!r}. {self._paths()}")
        allowed = {operation.method for operation, _ in matches}
        allowed |= {"HEAD"} if "GET" in allowed else set()
        allow = ", ".join(sorted(allowed))
        return problem(405, f"{path} takes {allow}, not {request.method}.", (("Allow", allow),))

    async def answer_at(self, mount: str, request: Request, path: str) -> Response:
        """What is answered to `request` at one of its further `mounts`, whose undecoded `path` begins below it."""
        return problem(404, f"There is nothing at {path!r} of {mount}, to which {request.method} could be sent.")

    @abstractmethod
    async def perform(self, operation: Operation, request: Request, parameters: Mapping[str, str]) -> Response:
        """What `operation` answers to `request`, whose path holds `parameters`."""

    @abstractmethod
    def credentials(self, tenant: str) -> dict[str, str]:
        """The credentials with which the tenant of that name was set up."""

    def _paths(self) -> str:
        return f"Paths below the base URL: {', '.join(dict.fromkeys(each.template for each in self.operations))}."
