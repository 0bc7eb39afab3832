"""What every API's sandbox is: the operations of its description, answered for one world."""

import re
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import ClassVar, Generic, TypeVar

from conformance.clock import WorldClock
from conformance.exchange import Headers, Request, Response
from conformance.ids import Ids
from conformance.sandbox.deliveries import Outbox
from conformance.sandbox.messages import BodyRejected, check_members, problem, read_object
from conformance.sandbox.shortcuts import Routes, Shortcut
from conformance.specification import Operation, Specification

__all__ = ["TENANTS", "Operation", "RefusedRequest", "Service", "ServiceCall", "method_name"]

TENANTS = ("first", "second")
"""The names of the API clients that each world has credentials for."""

_CAPITAL = re.compile("[A-Z]")
_PARAMETER = re.compile(r"\{([a-zA-Z]+)\}")


def method_name(operation: str) -> str:
    """The name of the method that carries out an operation: ``create_token`` for ``createToken``."""
    return _CAPITAL.sub(r"_\g<0>", operation).lower()


def _as_pattern(template: str) -> str:
    """A path with parameters as a regular expression."""
    return _PARAMETER.sub("[^/]+", template).replace("/**", "(?:/.*)?")


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

    not_simulated: ClassVar[Mapping[str, str]] = {}
    """The methods that documents or clients of the API name and the sandbox lacks, by path; ``**`` stands for all below
    a path, and for itself."""

    shortcuts: ClassVar[Routes] = {}
    """What a test can have brought about at once."""

    explains = True
    """Whether refusals name the mistake that was made, which takes time to find out."""

    def __init__(self, clock: WorldClock, ids: Ids, outbox: Outbox) -> None:
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
        lacking = "is documented, and this sandbox does not simulate it"
        known = self.is_not_simulated(request.method, path)
        if allowed:
            allow = ", ".join(sorted(allowed | ({"HEAD"} if "GET" in allowed else set())))
            detail = f"{path} takes {allow}, not {request.method}{f', which {lacking}' if known else ''}."
            return self.stray(HTTPStatus.METHOD_NOT_ALLOWED, detail, (("Allow", allow),))
        if known:
            return self.stray(HTTPStatus.NOT_IMPLEMENTED, f"{request.method} {path} {lacking}. {self._paths()}")
        return self.stray(HTTPStatus.NOT_FOUND, f"There is nothing at {path!r}. {self._paths()}")

    def stray(self, status: int, detail: str, headers: Headers = ()) -> Response:
        """The answer to a request that no operation takes: problem details, where an API has no form of its own.

        Args:
            status: 404, 405 or 501.
            detail: What was wrong, and what there is.
            headers: Further header lines.
        """
        return problem(status, detail, headers)

    def is_not_simulated(self, method: str, path: str) -> bool:
        """Whether a document or a client of the API knows a request that nothing here answers."""
        return any(
            method in methods.split() and re.fullmatch(_as_pattern(template), path)
            for template, methods in self.not_simulated.items()
        )

    async def answer_at(self, mount: str, request: Request, path: str) -> Response:
        """What is answered to `request` at one of its further `mounts`, whose undecoded `path` begins below it."""
        return problem(404, f"There is nothing at {path!r} of {mount}, to which {request.method} could be sent.")

    async def take_shortcut(self, path: str, body: bytes, base_url: str) -> Response | None:
        """What the control route at `path` below the API's name answers; None if there is none.

        Args:
            path: The path, undecoded.
            body: The content of the request, a JSON object; nothing for one without members.
            base_url: The base URL of this API in this world, as the test reaches it.

        Raises:
            BodyRejected: If the body is not what the route takes, or cannot be brought about.
            UnknownThingError: If the path names something that is not there.
        """
        for template, (name, members) in self.shortcuts.items():
            match = re.fullmatch(_PARAMETER.sub(r"(?P<\1>[^/]+)", template), path)
            if match:
                document = read_object(body) if body else {}
                check_members(document, members)
                answer: Callable[[Shortcut], Awaitable[Response]] = getattr(self, name)
                try:
                    return await answer(Shortcut(base_url, match.groupdict(), document))
                except RefusedRequest as refusal:
                    raise BodyRejected(refusal.detail) from refusal
        return None

    @abstractmethod
    async def perform(self, operation: Operation, request: Request, parameters: Mapping[str, str]) -> Response:
        """What `operation` answers to `request`, whose path holds `parameters`."""

    @abstractmethod
    def credentials(self, tenant: str) -> dict[str, str]:
        """The credentials with which the tenant of that name was set up."""

    def _paths(self) -> str:
        paths = dict.fromkeys(operation.path for operation in self.specification.operations.values())
        return f"Paths below the base URL: {', '.join(paths)}."
