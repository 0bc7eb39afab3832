"""The rules for the form of any answer: status, media type, members."""

import json
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from conformance.exchange import Exchange
from conformance.findings import Finding
from conformance.judging import responses
from conformance.planbok.checks.answers import SAYS
from conformance.planbok.messages import members_of
from conformance.specification import Specification

_JSON = "application/json"


def form(exchange: Exchange, specification: Specification) -> Iterator[Finding]:
    """Judge status, media type and members of an answer."""
    response = exchange.response
    yield responses.no_server_error(SAYS, exchange)
    if response.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return
    succeeded = response.status < HTTPStatus.MULTIPLE_CHOICES
    yield responses.media_type(SAYS, exchange, [_JSON])
    members = members_of(response)
    if members:
        yield SAYS.judged(
            "response.success-agrees",
            members.get("success") is succeeded,
            "response /success",
            f"{json.dumps(succeeded)}, since the status is {response.status}",
            json.dumps(members["success"]) if "success" in members else "nothing",
            exchange,
        )
        status = members.get("status", response.status)
        yield SAYS.judged(
            "response.status-agrees",
            not isinstance(status, int) or status == response.status,
            "response /status",
            f"{response.status}, or nothing",
            json.dumps(status),
            exchange,
        )
    if succeeded:
        yield from responses.schema(SAYS, exchange, specification, _JSON)
    elif response.status >= HTTPStatus.BAD_REQUEST:
        yield SAYS.read(
            "response.error-body",
            _error_reading(members),
            "response body",
            "a text as /message or as /errors/message",
            response.body,
            exchange,
        )


def _error_reading(members: Mapping[str, Any]) -> str | None:
    """Where a refusal says what is wrong, ``message`` or ``errors``; None if nowhere."""
    errors = members.get("errors")
    inner = errors.get("message") if isinstance(errors, dict) else None
    texts = {"message": members.get("message"), "errors": inner}
    return next((reading for reading, text in texts.items() if isinstance(text, str) and text.strip()), None)
