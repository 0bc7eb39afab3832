"""Takes secrets out of exchanges: a value becomes a placeholder of its shape, another value another placeholder."""

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from conformance.exchange import Delivery, Exchange, Headers, Message, Mode, Request, Response
from conformance.recording.escapes import layers
from conformance.recording.forms import UNMISTAKABLE, Forms, Parts, Place, coded_forms, plain_forms
from conformance.standards.digest_fields import content_digest

_BEARER = re.compile(r"^(?:Bearer|Basic)\s+(.+)$", re.IGNORECASE)
_ACCOUNT = re.compile(r"((?:[a-z0-9-]{3,8}:[-_a-zA-Z0-9]{1,32}:)?0x)[0-9a-fA-F]{40}")
_HEX = re.compile(r"^[0-9a-f]+$")
_FORM = "application/x-www-form-urlencoded"
_DIGESTS = ("sha-256", "sha-512")
_LEFT_OUT = {"content-length", "cookie", "set-cookie"}
_PART_OF = "redacted-"
"""What stands instead of a part of a secret, before the name of the setting."""
_MOST_PASSES = 12
"""How often a text is looked through again after something was hidden in a layer of it."""
_SHORT, _MANY = 300, 10_000
"""How long a text may be to be remembered as one that holds no secret, and how many are."""
_PUBLIC = "_id"
"""The end of the names of credentials that are no secrets: the id of a key is sent in the open."""


class Redactor:
    """Replaces secrets, the same value always by the same placeholder.

    Args:
        members: Names of JSON members that hold secrets, at any depth, and of fields of forms.
        headers: Names of header fields that hold secrets, besides Authorization and Proxy-Authorization.
        personal: Names of JSON members that say who a customer is: of customers whom no request made that was seen,
            their values are hidden like secrets.
        within_words: Whether secrets of a few characters are hidden within words too.
    """

    def __init__(
        self,
        members: Collection[str],
        headers: Collection[str] = (),
        *,
        personal: Collection[str] = (),
        within_words: bool = False,
    ) -> None:
        self._members = frozenset(members)
        self._quoted = [f'"{name}"'.encode() for name in self._members]
        self._headers = frozenset({"authorization", "proxy-authorization", *(header.lower() for header in headers)})
        self._personal = tuple(personal)
        self._own: set[str] = set()
        self._strangers: set[tuple[str, str]] = set()
        self._placeholders: dict[str, str] = {}
        self._given: set[str] = set()
        self._entered: dict[str, str] = {}
        self._known: dict[str, tuple[str, str]] = {}
        self._written = Forms(within_words=within_words)
        self._coded = Forms(seldom=True)
        self._parts = Parts()
        self._harmless: set[str] = set()

    def know(self, credentials: Mapping[str, Mapping[str, str]], *, in_parts: bool = False) -> None:
        """Hide these credentials wherever they stand, even where nothing says that they are secret.

        Args:
            credentials: What each identity authenticates with, by the names of the settings; a name that ends with
                ``_id`` is that of no secret.
            in_parts: Whether parts of them are hidden too, as what is somebody's own must be.
        """
        for found in credentials.values():
            for name, value in found.items():
                if value and not name.endswith(_PUBLIC):
                    self._known |= dict.fromkeys([*plain_forms(value), *coded_forms(value)], (name, value))
                    if in_parts:
                        self._parts.add(value, f"{_PART_OF}{name}")
        self._harmless.clear()

    def hide(self, name: str, value: str, *, instead: str | None = None) -> None:
        """Remember `value` as a secret called `name`; a placeholder of its shape is written, or `instead`."""
        if not value or value in self._placeholders or value in self._given:
            return
        placeholder = instead or _placeholder(name, value, len(self._placeholders) + 1)
        self._placeholders[value] = placeholder
        if instead:
            self._parts.add(value, instead)
        self._given.add(placeholder)
        self._written.add(plain_forms(value), placeholder, own=value)
        self._coded.add(coded_forms(value), placeholder)
        self._harmless.clear()

    def text(self, text: str) -> str:
        """`text` without the secrets known so far, be they escaped, in base64 or in hex."""
        if text in self._harmless:
            return text
        hidden = self._hidden(text)
        if hidden == text and len(text) <= _SHORT and len(self._harmless) < _MANY:
            self._harmless.add(text)  # many come again, until another secret becomes known
        return hidden

    def _hidden(self, text: str) -> str:
        self._hide_known(text)
        for _ in range(_MOST_PASSES):
            text = _replaced(text, self._written.places(text))
            text = _replaced(text, self._coded.places(text))
            text = _replaced(text, self._parts.places(text))
            for layer in layers(text):
                self._hide_known(layer.text)
                if places := self._found(layer.text):
                    text = _replaced(text, [(*layer.place(start, end), instead) for start, end, instead in places])
                    break
            else:
                return text
        return f"{_PART_OF}text"  # which hides something again and again: nobody writes so who means no harm

    def _found(self, text: str) -> list[Place]:
        """Where secrets stand in a text; those in base64 or in parts only if there are no others."""
        return self._written.places(text) or self._coded.places(text) or self._parts.places(text)

    def _hide_known(self, text: str) -> None:
        for form, (name, value) in self._known.items():
            if form in text:
                self.hide(name, value)

    def exchange(self, exchange: Exchange) -> Exchange:
        """The exchange without secrets, those that it shows for the first time included.

        What was generated in the place of a secret is none, and may be as short as text that is found everywhere.
        """
        generated = exchange.generated
        made_up = generated is not None and generated.mode is not Mode.GIVEN and bool(generated.mutated)
        request = self.request(exchange.request, made_up=made_up)
        if self._personal:
            self._meet(exchange)
        return replace(exchange, request=request, response=self.response(exchange.response))

    def _meet(self, exchange: Exchange) -> None:
        """Remember whom a request made, and hide who others are."""
        makes = exchange.request.method != "GET"
        if makes:
            self._own |= {value for found in _objects(exchange.request.body) for value in _texts(found)}
        for found in _objects(exchange.response.body):
            identifier = found.get("id")
            if makes and exchange.response.succeeded and isinstance(identifier, str):
                self._own.add(identifier)
            elif isinstance(identifier, str) and identifier not in self._own:
                for name in self._personal:
                    if isinstance(value := found.get(name), str) and value not in self._own:
                        self._hide_stranger(name, value)

    def _hide_stranger(self, name: str, value: str) -> None:
        """Hide what says who somebody is: in its member, and wherever it stands if it can be nothing else."""
        if not value or (name, value) in self._strangers or value in self._given:
            return
        self._strangers.add((name, value))
        placeholder = _placeholder(name, value, len(self._placeholders) + len(self._strangers))
        self._given.add(placeholder)
        for colon in (":", ": "):
            for written in plain_forms(value):
                self._written.add([f'"{name}"{colon}"{written}"'], f'"{name}"{colon}"{placeholder}"')
        if len(value) >= UNMISTAKABLE and not value.isalpha():
            self._written.add(plain_forms(value), placeholder)
        self._harmless.clear()

    def request(self, request: Request, *, made_up: bool = False) -> Request:
        """The request without secrets, of a body that is made up without those known so far."""
        self.learn(Message(request.headers) if made_up else request)
        is_form = (request.header("Content-Type") or "").startswith(_FORM)
        body = self._form(request.body) if is_form else self._body(request.body)
        headers = _with_digest_of(body, self._fields(request.headers), request.body)
        return replace(request, url=self.text(request.url), headers=headers, body=body)

    def response(self, response: Response) -> Response:
        """The response without secrets."""
        self.learn(response)
        body = self._body(response.body)
        headers = _with_digest_of(body, self._fields(response.headers), response.body)
        return replace(response, headers=headers, body=body)

    def delivery(self, delivery: Delivery) -> Delivery:
        """The delivery without secrets."""
        return replace(delivery, request=self.request(delivery.request))

    def learn(self, message: Message) -> None:
        """Remember the secrets that a request or a response shows."""
        for name, value in self.secrets_of(message):
            self.hide(name, value)

    def secrets_of(self, message: Message) -> Iterator[tuple[str, str]]:
        """The secrets that a request or a response shows, each with what it is called, those of its header first."""
        for name, value in message.headers:
            if name.lower() in self._headers:
                bearer = _BEARER.match(value)
                yield "token", bearer[1] if bearer else value
        yield from self._secrets_in(message.body)

    def _secrets_in(self, body: bytes) -> Iterator[tuple[str, str]]:
        if any(quoted in body for quoted in self._quoted):
            for found in _objects(body):
                for name, value in found.items():
                    if name in self._members and isinstance(value, str):
                        yield name, value

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


def without(text: str, secrets: Iterable[str], instead: str) -> str:
    """A text without these secrets in any form, nor parts of them, for a message to a person.

    Args:
        text: The whole text; what was cut already may end with a part of a secret that is too short to be known.
        secrets: The secrets.
        instead: What stands in the place of each.
    """
    redactor = Redactor((), within_words=True)
    for secret in secrets:
        redactor.hide("secret", secret, instead=instead)
    return redactor.text(text)


def _decoded(body: bytes) -> tuple[str, str]:
    """The text of a body, and the encoding that gives its bytes back."""
    try:
        return body.decode(), "utf-8"
    except UnicodeDecodeError:
        return body.decode("latin-1"), "latin-1"


def _objects(body: bytes) -> Iterator[dict[str, Any]]:
    """The objects of a body in JSON, at any depth; none if it is no JSON."""
    try:
        pending: list[Any] = [json.loads(_decoded(body)[0].removeprefix("\ufeff"))]
    except (ValueError, RecursionError):
        return
    while pending:
        match pending.pop():
            case dict() as found:
                yield found
                pending.extend(found.values())
            case list() as found:
                pending.extend(found)


def _texts(found: Mapping[str, Any]) -> Iterator[str]:
    return (value for value in found.values() if isinstance(value, str))


def _with_digest_of(body: bytes, headers: Headers, before: bytes) -> Headers:
    """The fields for `body`; a right digest of the body `before` would describe what is gone, and help to guess it."""
    if body == before:
        return headers
    right = {content_digest(before, algorithm): content_digest(body, algorithm) for algorithm in _DIGESTS}
    return tuple(
        (name, right.get(value, value) if name.lower() == "content-digest" else value) for name, value in headers
    )


def _replaced(text: str, places: Sequence[Place]) -> str:
    """`text` with something else in each place."""
    if not places:
        return text
    parts, done = [], 0
    for start, end, instead in places:
        if start >= done:
            parts += [text[done:start], instead]
            done = end
    return "".join([*parts, text[done:]])


def _placeholder(name: str, value: str, number: int) -> str:
    """A placeholder of the shape of `value`: a UUID stays one, hex digits stay, a token keeps its three parts.

    An account on a chain (CAIP-10) keeps its chain, and an address of digits alone, whose checksum is always right.
    """
    if account := _ACCOUNT.fullmatch(value):
        return f"{account[1]}{number:040d}"
    if value.count(".") == 2:  # noqa: PLR2004  (header, payload and signature of a JWT)
        return f"redacted.{name}.{number}"
    try:
        UUID(value)
    except ValueError:
        return f"{number:0{len(value)}x}" if _HEX.match(value) else f"redacted-{name}-{number}"
    return str(UUID(int=number, version=4))
