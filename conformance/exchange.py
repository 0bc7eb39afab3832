"""One request with its response: the model that cassettes, results, checks and the sandbox's log share."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cached_property, lru_cache
from typing import Any
from urllib.parse import urlsplit

Headers = tuple[tuple[str, str], ...]


class NotJsonError(ValueError):
    """A body that should be JSON is none."""


def _values(headers: Headers, name: str) -> Iterator[str]:
    wanted = name.lower()
    return (value for key, value in headers if key.lower() == wanted)


@dataclass(frozen=True)
class Message:
    """What request and response have in common.

    Args:
        headers: Name and value of every header line, in the order sent.
        body: The body's bytes, empty if there is none.
    """

    headers: Headers = ()
    body: bytes = b""

    def header(self, name: str) -> str | None:
        """The value of header `name`, several lines joined by ``, `` (RFC 9110 section 5.3); None if absent."""
        values = list(_values(self.headers, name))
        return ", ".join(values) if values else None

    def json(self) -> Any:
        """The body, parsed.

        Raises:
            NotJsonError: If it is not JSON in UTF-8.
        """
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise NotJsonError(f"not JSON: {error}") from error

    def members(self) -> Mapping[str, Any]:
        """The members of the body, an empty mapping if it is no JSON object."""
        return (_known_members if len(self.body) <= _WORTH_KEEPING else _last_members)(self.body)


_WORTH_KEEPING = 64 * 1024
"""The most bytes of a body whose members are kept for the next rule that asks for them."""


def _members(body: bytes) -> Mapping[str, Any]:
    try:
        parsed = Message(body=body).json()
    except NotJsonError:
        return {}
    return parsed if isinstance(parsed, dict) else {}


_last_members = lru_cache(maxsize=1)(_members)
_known_members = lru_cache(maxsize=64)(_members)  # each rule asks again, while an exchange is judged


def kind_of(value: object) -> str:
    """What a parsed JSON value is, in words: ``an object``, ``a string``."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case list():
            return "an array"
    return "an object"


@dataclass(frozen=True)
class Request(Message):
    """A request as it was sent.

    Args:
        method: The method, in upper case.
        url: The absolute URL.
    """

    method: str = "GET"
    url: str = ""

    def json(self) -> Any:
        """The body, parsed; other encodings than UTF-8 and a byte order mark are no JSON (RFC 8259, section 8.1).

        Raises:
            NotJsonError: If it is not JSON in UTF-8.
        """
        try:
            return json.loads(self.body.decode())
        except (ValueError, RecursionError) as error:
            raise NotJsonError(f"not JSON: {error}") from error

    @property
    def path(self) -> str:
        """The path of the URL, undecoded."""
        return urlsplit(self.url).path

    @property
    def query(self) -> str:
        """The query of the URL without its question mark, undecoded."""
        return urlsplit(self.url).query


def is_compressed(message: Message) -> bool:
    """Whether a body is in a content coding (RFC 9110, section 8.4), as it says."""
    return (message.header("Content-Encoding") or "identity").strip().lower() != "identity"


PAGES = ("text/html", "application/xhtml+xml")


@dataclass(frozen=True)
class Response(Message):
    """A response as it came.

    Args:
        status: The status code.
    """

    status: int = 0

    @cached_property
    def is_page(self) -> bool:
        """Whether it is an HTML page, which something before the API answers with: a proxy, a login, a welcome."""
        return (self.header("Content-Type") or "").partition(";")[0].strip().lower() in PAGES

    @property
    def succeeded(self) -> bool:
        """Whether the status is 2xx, of something else than a page."""
        return 200 <= self.status < 300 and not self.is_page  # noqa: PLR2004

    def has_status(self, *statuses: int) -> bool:
        """Whether the status is one of these; 2xx of a page is none."""
        return self.status in statuses and (self.succeeded or self.status >= 300)  # noqa: PLR2004


class Mode(StrEnum):
    """How a generated request stands to the specification: it fits, it does not, or it only prepares another one."""

    POSITIVE = "positive"
    NEGATIVE = "negative"
    GIVEN = "given"


@dataclass(frozen=True)
class Generated:
    """What a generated request was made to be.

    Args:
        case: The number of its case in the test; the requests that prepare a case are a case of their own.
        mode: How it stands to the specification.
        mutated: The places in which it is not what a right client would send: ``body /chainId``, ``method``.
        parent: The number of the case that it follows from; None if it follows from none.
    """

    case: int
    mode: Mode
    mutated: tuple[str, ...] = ()
    parent: int | None = None

    def to_json(self) -> dict[str, Any]:
        """It as JSON, in the form that cassettes and results share."""
        written = {"case": self.case, "mode": self.mode.value, "mutated": list(self.mutated)}
        return written if self.parent is None else {**written, "parent": self.parent}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Generated":
        """What `to_json` wrote."""
        return cls(data["case"], Mode(data["mode"]), tuple(data["mutated"]), data.get("parent"))


@dataclass(frozen=True)
class Exchange:
    """One request with its response.

    Args:
        id: What findings call it, the id of the test and the number in it: ``offblocks/customer/a_new_one#2``.
        operation: The id of the operation in the specification; None for a path that it does not know.
        identity: Who sent it, such as ``first`` or ``second``.
        at: When the request was sent (UTC).
        seconds: How long the answer took, by the clock of the test; none in a world whose clock is frozen.
        request: The request.
        response: The response.
        breaks: The ids of the client rules that the request breaks on purpose.
        placeholders: In a printed exchange, the names of the parts that stand for something else.
        generated: What the request was made to be, if it was generated.
        parameters: What stands in the path for each parameter of the operation's template, undecoded.
        machine_at: When it was sent by the machine's clock (UTC), where `at` is by another clock; None where it is not.
    """

    id: str
    operation: str | None
    identity: str
    at: datetime
    seconds: float
    request: Request
    response: Response
    breaks: frozenset[str] = frozenset()
    placeholders: frozenset[str] = field(default=frozenset())
    generated: Generated | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    machine_at: datetime | None = None


@dataclass(frozen=True)
class Delivery:
    """A webhook that was received.

    Args:
        after: How many exchanges of the test had ended when it came.
        identity: Whose webhook it was sent to.
        at: When it came (UTC).
        request: The request that carried it.
        answered: The status that it was answered with; 0 if no answer came.
        machine_at: When it came by the machine's clock (UTC), where `at` is by another clock; None where it is not.
    """

    after: int
    identity: str
    at: datetime
    request: Request
    answered: int
    machine_at: datetime | None = None
