"""What every API's sandbox is: the operations of its description, answered for one world."""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Generic, TypeVar

from conformance.clock import Clock
from conformance.exchange import Request, Response
from conformance.ids import Ids
from conformance.sandbox.deliveries import Outbox
from conformance.sandbox.messages import problem
from conformance.specification import Operation, Specification

__all__ = ["TENANTS", "Operation", "RefusedRequest", "Service", "ServiceCall", "method_name"]

TENANTS = ("first", "second")
"""The names of the API clients that each world has credentials for."""

_CAPITAL = re.compile("[A-Z]")


def method_name(operation: str) -> str:
    """The name of the method that carries out an operation: ``create_token`` for ``createToken``."""
    return _CAPITAL.sub(r"_\g<0>", operation).lower()


ReasonT = TypeVar("ReasonT", bound=StrEnum)
TenantT = TypeVar("TenantT")


class RefusedRequest(Exception, Generic[ReasonT]):  # noqa: N818 - a refusal is an answer, not a failure
    """A request that is not carried out.

    Args:
        reason: Why, for programs.
        detail: What was wrong, what was expected and what to do, for people.
    """

    def __init__(self, reason: ReasonT, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True)
class ServiceCall(Generic[TenantT]):
    """One request to one operation, by a client that the API knows.

    Args:
        operation: The operation id of the OpenAPI description.
        request: The request.
        tenant: Who sends it.
        parameters: The parameters in the path.
    """

    operation: str
    request: Request
    tenant: TenantT
    parameters: Mapping[str, str]


class Service(ABC):
    """One API as the sandbox implements it, in one world.

    Args:
        clock: The clock of the world.
        ids: What all ids, nonces and keys of this API in this world are drawn from.
        outbox: Where events for webhooks are posted.
    """

    mounts: ClassVar[tuple[str, ...]] = ()
    """The names under which it serves more than the API, such as a hosted page."""

    def __init__(self, clock: Clock, ids: Ids, outbox: Outbox) -> None:
        self.clock = clock
        self.ids = ids
        self.outbox = outbox

    @property
    @abstractmethod
    def specification(self) -> Specification:
        """The description of the API, which says what operations there are and where."""

    async def answer(self, request: Request, path: str) -> Response:
        """What the API answers to `request`, whose `path` below the base URL, undecoded, decides on the operation."""
        found = self.specification.match("GET" if request.method == "HEAD" else request.method, path)
        if found:
            return await self.perform(found.operation, request, found.parameters)
        allowed = self.specification.methods_at(path)
        if not allowed:
            return problem(404, f"There is nothing at {path!r}. {self._paths()}")
        allow = ", ".join(sorted(allowed | ({"HEAD"} if "GET" in allowed else set())))
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
        paths = dict.fromkeys(operation.path for operation in self.specification.operations.values())
        return f"Paths below the base URL: {', '.join(paths)}."
