"""What the sandbox says in its responses, and how strictly it reads the JSON in requests."""

import json
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from conformance.exchange import Headers, Response, kind_of

_TITLES = {413: "Content Too Large", 422: "Unprocessable Content"}
"""The reason phrases of RFC 9110 that older Pythons word otherwise."""


class BodyRejected(ValueError):  # noqa: N818 - a judgement of the input, named as such
    """A request body is not what was asked for; the message says what is wrong and what to send."""


def to_rfc3339(instant: datetime) -> str:
    """`instant` in UTC as RFC 3339 writes it, with six fraction digits."""
    return instant.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def to_json(value: Any) -> bytes:
    """`value` as compact JSON in UTF-8."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def json_response(status: int, value: Any, headers: Headers = ()) -> Response:
    """A response that carries `value` as JSON."""
    return Response((("Content-Type", "application/json"), *headers), to_json(value), status)


def problem(status: int, detail: str, headers: Headers = ()) -> Response:
    """A response that says what went wrong, as problem details (RFC 9457).

    Args:
        status: The status code, which also gives the title.
        detail: What was wrong, what was expected and what to do.
        headers: Further header lines.
    """
    content = {
        "type": "about:blank",
        "title": _TITLES.get(status, HTTPStatus(status).phrase),
        "status": status,
        "detail": detail,
    }
    return Response((("Content-Type", "application/problem+json"), *headers), to_json(content), status)


def read_json(body: bytes) -> Any:
    """The value of a JSON text (RFC 8259), read strictly.

    Raises:
        BodyRejected: If it is not UTF-8, not JSON, nested too deeply, or repeats a name in an object.
    """
    try:
        return json.loads(body.decode(), object_pairs_hook=_object, parse_constant=_constant)
    except UnicodeDecodeError as error:
        raise BodyRejected(f"The body is not UTF-8: the byte at offset {error.start} does not fit.") from error
    except json.JSONDecodeError as error:
        raise BodyRejected(
            f"The body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}."
            + ("" if body else " It is empty.")
        ) from error
    except RecursionError as error:
        raise BodyRejected("The body is nested too deeply.") from error
    except BodyRejected:
        raise
    except ValueError as error:
        raise BodyRejected(f"The body holds a number that cannot be read: {error}.") from error


def read_object(body: bytes) -> dict[str, Any]:
    """The members of a JSON object, read strictly.

    Raises:
        BodyRejected: As `read_json`, and if the value is not an object.
    """
    value = read_json(body)
    if not isinstance(value, dict):
        raise BodyRejected(f"The body must be a JSON object, and is {kind_of(value)}.")
    return value


def read_text(document: Mapping[str, Any], name: str) -> str:
    """The member `name` of `document`, which must be a string of Unicode characters other than NUL.

    Raises:
        BodyRejected: If it is missing or anything else.
    """
    if name not in document:
        raise BodyRejected(f"The body lacks {name!r}, a string. It has: {', '.join(map(repr, document)) or 'nothing'}.")
    value = document[name]
    if not isinstance(value, str):
        raise BodyRejected(f"{name!r} must be a string, and is {kind_of(value)}.")
    return check_text(value, name)


def check_members(document: Mapping[str, Any], known: Collection[str]) -> None:
    """Refuse a member of `document` that is not one of `known`.

    Raises:
        BodyRejected: If there is one; the message lists those that are known.
    """
    unknown = [name for name in document if name not in known]
    if unknown:
        raise BodyRejected(f"{', '.join(map(repr, unknown))} is not known here. There are: {', '.join(known)}.")


def check_text(value: str, name: str) -> str:
    """`value` itself, if it can be stored and sent as UTF-8 text.

    Raises:
        BodyRejected: If it holds NUL or half of a surrogate pair.
    """
    if "\0" in value:
        raise BodyRejected(f"{name!r} holds the character NUL, which is not accepted.")
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise BodyRejected(f"{name!r} holds half of a surrogate pair, which is no character.")
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        raise BodyRejected(f"The body names {repeated!r} twice in one object.")
    return members


def _constant(name: str) -> Any:
    raise BodyRejected(f"The body holds {name}, which is not JSON.")
