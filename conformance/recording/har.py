"""Exchanges as an HTTP Archive, which browsers and other tools read (HAR 1.2)."""

import base64
from collections.abc import Iterable, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from conformance import __version__
from conformance.exchange import Exchange, Headers, Message

CREATOR = "wallet-conformance"
"""What wrote an archive of ours, by its name: there the text of a body is the body to the byte."""


def to_har(exchanges: Iterable[Exchange]) -> dict[str, Any]:
    """The exchanges as one archive, the oldest first."""
    return {"log": {**head(), "entries": [to_entry(exchange) for exchange in exchanges]}}


def head() -> dict[str, Any]:
    """What a log begins with: the version of the format, and what wrote it."""
    return {"version": "1.2", "creator": {"name": CREATOR, "version": __version__}}


def to_entry(exchange: Exchange) -> dict[str, Any]:
    """An exchange as an entry of an archive.

    What the format has no place for stands in members of our own, whose names begin with an underscore: the operation,
    who sent the request, which rules for clients it breaks, and the time of the world, where it is not the machine's.
    A body that is not text is base64; the format has a member to say so for a response, ours says so for a request.
    """
    request, response = exchange.request, exchange.response
    milliseconds = round(exchange.seconds * 1_000, 3)
    query = [{"name": name, "value": value} for name, value in parse_qsl(request.query, keep_blank_values=True)]
    sent: dict[str, Any] = {
        "method": request.method,
        "url": request.url,
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _headers(request.headers),
        "queryString": query,
        "headersSize": -1,
        "bodySize": len(request.body),
    }
    if request.body:
        text = _text(request)
        sent["postData"] = {"mimeType": request.header("Content-Type") or "", "params": [], "text": text["text"]}
        if "encoding" in text:
            sent["postData"]["_encoding"] = text["encoding"]
    return {
        "startedDateTime": _time(exchange.machine_at or exchange.at),
        "time": milliseconds,
        "request": sent,
        "response": {
            "status": response.status,
            "statusText": _phrase(response.status),
            "httpVersion": "HTTP/1.1",
            "cookies": [],
            "headers": _headers(response.headers),
            "content": {
                "size": len(response.body),
                "mimeType": response.header("Content-Type") or "",
                **_text(response),
            },
            "redirectURL": response.header("Location") or "",
            "headersSize": -1,
            "bodySize": len(response.body),
        },
        "cache": {},
        "timings": {"send": 0, "wait": milliseconds, "receive": 0},
        "_id": exchange.id,
        "_operation": exchange.operation,
        "_identity": exchange.identity,
        "_breaks": sorted(exchange.breaks),
        "_worldTime": _time(exchange.at),
    }


def _headers(headers: Headers) -> list[Mapping[str, str]]:
    return [{"name": name, "value": value} for name, value in headers]


def _text(message: Message) -> dict[str, str]:
    try:
        return {"text": message.body.decode()}
    except UnicodeDecodeError:
        return {"text": base64.b64encode(message.body).decode(), "encoding": "base64"}


def _time(instant: datetime) -> str:
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
