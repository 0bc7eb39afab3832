"""The headers of a webhook are taken from whatever framework has received them, by what they can do, not by class."""

import http.client
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from email.message import Message
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import httpx
import pytest
import requests.structures
import urllib3
import werkzeug.datastructures
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request as WerkzeugRequest

from conformance.clock import EPOCH_OF_WORLDS, FrozenClock, SystemClock
from conformance.planbok.webhooks import (
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    Inbox,
    Reason,
    WebhookRejected,
    sign,
    signed_over,
    verify,
)

SECRET, NOW = "whsec-6f1ed002ab55", EPOCH_OF_WORLDS
BODY = json.dumps({"event": "wallet.created", "idempotencyKey": "k-1", "data": {}}).encode()
SIGNED = sign(BODY, SECRET, NOW)
LINES = [("Host", "a"), ("Accept", "b"), ("accept", "c"), *SIGNED.items()]


class Multi:
    """Stands in for the multidict of aiohttp, which gives each line by itself, and is indexed in any letter case."""

    def __init__(self, lines: Iterable[tuple[str, str]]) -> None:
        self._lines = list(lines)

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._lines)

    def __getitem__(self, name: str) -> str:
        return next(value for each, value in self._lines if each.lower() == name.lower())

    def items(self) -> Iterator[tuple[str, str]]:
        return iter(self._lines)


class Raw(Mapping[str, str]):
    """Stands in for the headers of Starlette: a mapping over pairs of bytes, in lower case."""

    def __init__(self, lines: Iterable[tuple[bytes, bytes]]) -> None:
        self._lines = list(lines)

    def __getitem__(self, name: str) -> str:
        return next(value.decode("latin-1") for each, value in self._lines if each == name.lower().encode())

    def __iter__(self) -> Iterator[str]:
        return (name.decode("latin-1") for name, _ in self._lines)

    def __len__(self) -> int:
        return len(self._lines)


def message(kind: type[Message]) -> Message:
    made = kind()
    for name, value in LINES:
        made[name] = value
    return made


def environ() -> dict[str, Any]:
    return EnvironBuilder(method="POST", data=BODY, headers=LINES).get_environ()


def raw() -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode(), value.encode()) for name, value in LINES]


FORMS: dict[str, Callable[[], Any]] = {
    "dict": lambda: dict(LINES),
    "pairs": lambda: LINES,
    "lists of two": lambda: [list(line) for line in LINES],
    "an iterator": lambda: iter(LINES),
    "http.server": lambda: message(http.client.HTTPMessage),
    "email": lambda: message(Message),
    "ASGI": raw,
    "Starlette": lambda: Raw(raw()),
    "aiohttp": lambda: Multi(LINES),
    "httpx": lambda: httpx.Headers(LINES),
    "requests": lambda: requests.structures.CaseInsensitiveDict(dict(LINES)),
    "urllib3": lambda: urllib3.HTTPHeaderDict(LINES),
    "werkzeug": lambda: werkzeug.datastructures.Headers(LINES),
    "Flask": lambda: WerkzeugRequest(environ()).headers,
    "WSGI, Django's META": environ,
    "multiValueHeaders of API gateways": lambda: {name: [value] for name, value in LINES},
}


@pytest.mark.parametrize("form", FORMS)
def test_headers_are_taken_as_a_framework_has_them(form: str) -> None:
    inbox = Inbox(SECRET, FrozenClock())
    event = inbox.take(FORMS[form](), BODY)
    assert event is not None
    assert event.id == "k-1"
    assert inbox.take(FORMS[form](), BODY) is None
    assert signed_over(FORMS[form](), BODY, SECRET) == "raw-body"


@pytest.mark.parametrize("form", FORMS)
def test_a_changed_body_is_refused_in_every_form(form: str) -> None:
    with pytest.raises(WebhookRejected) as caught:
        verify(FORMS[form](), BODY.replace(b"wallet", b"Wallet"), SECRET, now=NOW)
    assert caught.value.reason is Reason.MISMATCH


@pytest.mark.parametrize("name", [SIGNATURE_HEADER, TIMESTAMP_HEADER])
def test_a_variable_counts_only_under_the_name_that_servers_give_it(name: str) -> None:
    variables = environ()
    variables[name.upper().replace("-", "_")] = variables.pop(f"HTTP_{name.upper().replace('-', '_')}")
    with pytest.raises(WebhookRejected) as caught:
        verify(variables, BODY, SECRET, now=NOW)
    assert caught.value.reason is Reason.HEADER_MISSING


@pytest.mark.parametrize("headers", [None, 7, "X-Webhook-Id: 1", ["X-Webhook-Id: 1"], [("a", "b", "c")]])
def test_what_holds_no_headers_is_named(headers: Any) -> None:
    with pytest.raises(TypeError, match=f"The headers are {type(headers).__name__}; give the object in which your"):
        verify(headers, BODY, SECRET, now=NOW)


def test_a_server_of_the_standard_library_receives_one() -> None:
    taken: list[object] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            taken.append(Inbox(SECRET).take(self.headers, body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *parts: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.handle_request)
        thread.start()
        fresh = sign(BODY, SECRET, SystemClock().now())
        answer = httpx.post(f"http://127.0.0.1:{server.server_port}/", content=BODY, headers=fresh, trust_env=False)
        thread.join()
    assert answer.status_code == 204
    assert [getattr(event, "id", None) for event in taken] == ["k-1"]
