"""Takes secrets out of exchanges: a value becomes a placeholder of its shape, another value another placeholder."""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from conformance.exchange import Delivery, Exchange, Headers, Message, Mode, Request, Response

_BEARER = re.compile(r"^(?:Bearer|Basic)\s+(.+)$", re.IGNORECASE)
_HEX = re.compile(r"^[0-9a-f]+$")
_FORM = "application/x-www-form-urlencoded"
_LEFT_OUT = {"content-length", "cookie", "set-cookie"}
_UNMISTAKABLE = 8
"""From how many characters on no other text holds a secret by chance."""
_PUBLIC = "_id"
"""The end of the names of credentials that are no secrets: the id of a key is sent in the open."""


class Redactor:
    """Replaces secrets, the same value always by the same placeholder.

    Args:
        members: Names of JSON members that hold secrets, at any depth, and of fields of forms.
        headers: Names of header fields that hold secrets, besides Authorization.
    """

    def __init__(self, members: Collection[str], headers: Collection[str] = ()) -> None:
        self._members = frozenset(members)
        self._quoted = [f'"{name}"'.encode() for name in self._members]
        self._headers = frozenset({"authorization", *(header.lower() for header in headers)})
        self._placeholders: dict[str, str] = {}
        self._entered: dict[str, str] = {}
        self._known: dict[str, tuple[str, str]] = {}
        self._written: dict[str, str] = {}
        self._pattern: re.Pattern[str] | None = None

    def know(self, credentials: Mapping[str, Mapping[str, str]]) -> None:
        """Hide these credentials wherever they stand, even where nothing says that they are secret.

        Args:
            credentials: What each identity authenticates with, by the names of the settings; a name that ends with
                ``_id`` is that of no secret.
        """
        for found in credentials.values():
            for name, value in found.items():
                if value and not name.endswith(_PUBLIC):
                    self._known |= dict.fromkeys(_forms(value), (name, value))

    def hide(self, name: str, value: str) -> None:
        """Remember `value` as a secret called `name`."""
        if not value or value in self._placeholders or value in self._placeholders.values():
            return
        placeholder = self._placeholders[value] = _placeholder(name, value, len(self._placeholders) + 1)
        self._written |= dict.fromkeys(_forms(value), placeholder)
        longest_first = sorted(self._written, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(_expression, longest_first)))

    def text(self, text: str) -> str:
        """`text` without the secrets known so far."""
        for form, (name, value) in self._known.items():
            if form in text:
                self.hide(name, value)
        return self._pattern.sub(lambda match: self._written[match[0]], text) if self._pattern else text

    def exchange(self, exchange: Exchange) -> Exchange:
        """The exchange without secrets, those that it shows for the first time included.

        What was generated in the place of a secret is none, and may be as short as text that is found everywhere.
        """
        generated = exchange.generated
        made_up = generated is not None and generated.mode is not Mode.GIVEN and bool(generated.mutated)
        request = self.request(exchange.request, made_up=made_up)
        return replace(exchange, request=request, response=self.response(exchange.response))

    def request(self, request: Request, *, made_up: bool = False) -> Request:
        """The request without secrets, of a body that is made up without those known so far."""
        self.learn(Message(request.headers) if made_up else request)
        is_form = (request.header("Content-Type") or "").startswith(_FORM)
        body = self._form(request.body) if is_form else self._body(request.body)
        return replace(request, url=self.text(request.url), headers=self._fields(request.headers), body=body)

    def response(self, response: Response) -> Response:
        """The response without secrets."""
        self.learn(response)
        return replace(response, headers=self._fields(response.headers), body=self._body(response.body))

    def delivery(self, delivery: Delivery) -> Delivery:
        """The delivery without secrets."""
        return replace(delivery, request=self.request(delivery.request))

    def learn(self, message: Message) -> None:
        """Remember the secrets that a request or a response shows."""
        for name, value in message.headers:
            if name.lower() in self._headers:
                bearer = _BEARER.match(value)
                self.hide("token", bearer[1] if bearer else value)
        for name, value in self._secrets_in(message.body):
            self.hide(name, value)

    def _secrets_in(self, body: bytes) -> Iterator[tuple[str, str]]:
        if not any(quoted in body for quoted in self._quoted):
            return
        try:
            pending: list[Any] = [json.loads(_decoded(body)[0].removeprefix("\ufeff"))]
        except (ValueError, RecursionError):
            return
        while pending:
            match pending.pop():
                case dict() as found:
                    for name, value in found.items():
                        if name in self._members and isinstance(value, str):
                            yield name, value
                        else:
                            pending.append(value)
                case list() as found:
                    pending.extend(found)

    def _fields(self, headers: Headers) -> Headers:
        return tuple((name, self.text(value)) for name, value in headers if name.lower() not in _LEFT_OUT)

    def _form(self, body: bytes) -> bytes:
        """A form without what was entered in its secret fields, which may be too short to be hidden wherever it is."""
        fields = parse_qsl(body.decode("latin-1"), keep_blank_values=True)
        return urlencode([(name, self._entry(name, value)) for name, value in fields]).encode()

    def _entry(self, name: str, value: str) -> str:
        if name not in self._members:
            return self.text(value)
        if value in self._entered.values():
            return value
        return self._entered.setdefault(value, f"«{name}-{len(self._entered) + 1}»")

    def _body(self, body: bytes) -> bytes:
        text, encoding = _decoded(body)
        return self.text(text).encode(encoding)


def _decoded(body: bytes) -> tuple[str, str]:
    """The text of a body, and the encoding that gives its bytes back."""
    try:
        return body.decode(), "utf-8"
    except UnicodeDecodeError:
        return body.decode("latin-1"), "latin-1"


def _expression(secret: str) -> str:
    """The expression that finds a secret; one so short that words hold it is found where it stands alone."""
    found = re.escape(secret)
    return found if len(secret) >= _UNMISTAKABLE else rf"(?<![0-9A-Za-z]){found}(?![0-9A-Za-z])"


def _forms(value: str) -> list[str]:
    """The ways in which a secret may be written: as it is, or in a JSON string, with slashes escaped or not."""
    quoted = [json.dumps(value, ensure_ascii=plain)[1:-1] for plain in (True, False)]
    return list(dict.fromkeys([value, *quoted, *(each.replace("/", "\\/") for each in quoted)]))


def _placeholder(name: str, value: str, number: int) -> str:
    """A placeholder of the shape of `value`: a UUID stays one, hex digits stay, a token keeps its three parts."""
    if value.count(".") == 2:  # noqa: PLR2004  (header, payload and signature of a JWT)
        return f"redacted.{name}.{number}"
    try:
        UUID(value)
    except ValueError:
        return f"{number:0{len(value)}x}" if _HEX.match(value) else f"redacted-{name}-{number}"
    return str(UUID(int=number, version=4))
