"""What a server may do that means harm: each kind in several shapes."""

import base64
import gzip
import json
import re
import socket
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any
from urllib.parse import quote

from conformance.clock import SystemClock
from tools.hostile.server import Answered, Asked, Harm, reset, send

_JSON = [("Content-Type", "application/json")]
_HTML = [("Content-Type", "text/html; charset=utf-8")]
_MEGABYTE = 1024 * 1024
_MANY = 1024
"""Megabytes in what expands; so many take their time to be compressed."""
_EMPTY_LAST_BLOCK = b"\x03\x00"
"""How a deflated stream ends (RFC 1951, section 3.2.3)."""
_A_SECOND = timedelta(seconds=1)
_ENOUGH = 200_000
"""How often a server that never ends goes on."""

Ask = Callable[[], Answered]


@dataclass(frozen=True)
class Shape:
    """One way in which a server means harm.

    Args:
        kind: What it tries.
        name: How it tries it.
        harm: What it answers.
        api: The API whose server it is.
        where: An expression that the method and target of the requests match that it answers so.
        rules: The rules that the run judges.
        most_seconds: How long the run may take.
    """

    kind: str
    name: str
    harm: Harm
    api: str = "planbok"
    where: str = r"POST .*/v2/customers$"
    rules: tuple[str, ...] = ("planbok.customer.listed", "planbok.customer.has-pin")
    most_seconds: float = 100.0

    def chosen(self, asked: Asked) -> bool:
        """Whether it answers a request."""
        return re.search(self.where, f"{asked.method} {asked.target}") is not None


def _repeated(connection: socket.socket, start: bytes, part: bytes, *, every: timedelta | None = None) -> None:
    connection.sendall(start)
    for _ in range(_ENOUGH):
        connection.sendall(part)
        if every:
            SystemClock().advance(every)


def _endless(start: str, part: bytes, *, every: timedelta | None = None) -> Harm:
    def harm(connection: socket.socket, _asked: Asked, _ask: Ask) -> None:
        _repeated(connection, start.encode(), part, every=every)

    return harm


def _chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def _answer(headers: list[tuple[str, str]], body: bytes, status: int = 200) -> Harm:
    def harm(connection: socket.socket, _asked: Asked, _ask: Ask) -> None:
        send(connection, status, headers, body)

    return harm


def _changed(change: Callable[[bytes], bytes]) -> Harm:
    """The sandbox's own answer with another body."""

    def harm(connection: socket.socket, _asked: Asked, ask: Ask) -> None:
        status, headers, body = ask()
        send(connection, status, headers, change(body))

    return harm


def _member(name: str, value: str) -> Harm:
    """The sandbox's own answer with another value of a member wherever it stands; the value is written as in JSON."""
    expression = re.compile(rf'("{name}"\s*:\s*)"[^"]*"'.encode())
    return _changed(lambda body: expression.sub(lambda found: found[1] + value.encode(), body))


def _bomb(headers: list[tuple[str, str]], coding: Callable[[], bytes]) -> Harm:
    """A gibibyte of zeros in a mebibyte or less, compressed when it is first asked for."""

    def harm(connection: socket.socket, _asked: Asked, _ask: Ask) -> None:
        send(connection, 200, headers, coding())

    return harm


@cache
def _in_gzip() -> bytes:
    checksum = 0
    for _ in range(_MANY):
        checksum = zlib.crc32(bytes(_MEGABYTE), checksum)
    return _zeros(zlib.MAX_WBITS | 16) + struct.pack("<II", checksum, _MANY * _MEGABYTE)


@cache
def _in_gzip_twice() -> bytes:
    return gzip.compress(_in_gzip(), 9)


@cache
def _in_deflate() -> bytes:
    checksum = 1
    for _ in range(_MANY):
        checksum = zlib.adler32(bytes(_MEGABYTE), checksum)
    return _zeros(zlib.MAX_WBITS) + struct.pack(">I", checksum)


def _zeros(format_bits: int) -> bytes:
    """A gibibyte of zeros without its checksum; two megabytes are compressed, since the others come out alike."""
    coder = zlib.compressobj(9, zlib.DEFLATED, format_bits)
    first, later = (coder.compress(bytes(_MEGABYTE)) + coder.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
    return first + later * (_MANY - 1) + _EMPTY_LAST_BLOCK


def _closing(connection: socket.socket, _asked: Asked, ask: Ask) -> None:
    """Answer, and close the connection without having said so."""
    send(connection, *ask())
    connection.shutdown(socket.SHUT_RDWR)


class _ClosingEvery:
    """Closes on every second request, before anything of an answer, as a server does whose patience is over."""

    def __init__(self) -> None:
        self._used: set[int] = set()

    def __call__(self, connection: socket.socket, _asked: Asked, ask: Ask) -> None:
        if id(connection) in self._used:
            self._used.discard(id(connection))
            connection.close()
            return
        self._used.add(id(connection))
        send(connection, *ask())


def _resetting(connection: socket.socket, _asked: Asked, _ask: Ask) -> None:
    reset(connection)


def _half(connection: socket.socket, _asked: Asked, _ask: Ask) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 999\r\n\r\n{")
    connection.close()


def _silent(_connection: socket.socket, _asked: Asked, _ask: Ask) -> None:
    SystemClock().advance(timedelta(minutes=2))


def _echoing(status: int, write: Callable[[Asked], bytes]) -> Harm:
    def harm(connection: socket.socket, asked: Asked, _ask: Ask) -> None:
        send(connection, status, _JSON, write(asked))

    return harm


def _whole(asked: Asked) -> bytes:
    return _told(_text_of(asked))


def _text_of(asked: Asked) -> str:
    return (asked.head + asked.body).decode("latin-1")


def _told(message: str) -> bytes:
    return json.dumps({"message": message}).encode()


_OK = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
_CHUNKED = f"{_OK}Transfer-Encoding: chunked\r\n\r\n"
_PAGE = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
_FORM = b"<!doctype html><title>PIN</title><form method=post action=pin><input name=pin type=password>"
_HOSTED = r"(GET|HEAD) .*/gateway/"
_ISSUED = r"POST .*/(initialize|wallets)"
_ON_PAGE = {"where": _HOSTED, "rules": ("planbok.challenge.answered", "planbok.page.returns-to-caller")}
_ON_ISSUE = {"where": _ISSUED, "rules": ("planbok.challenge.answered", "planbok.page.returns-to-caller")}
_ON_CUSTOMER = {"where": r"POST .*/v2/customers$", "rules": ("planbok.customer.listed", "planbok.challenge.answered")}
_OFFBLOCKS = {
    "api": "offblocks",
    "where": r"POST .*/v1/customers$",
    "rules": ("offblocks.challenge.grammar", "offblocks.challenge.nonce"),
}


def _page(repeated: bytes) -> Harm:
    room = 128 * 1024 - len(_FORM)
    return _answer(_HTML, _FORM + repeated * (room // len(repeated)))


def shapes() -> Iterator[Shape]:
    """All kinds of servers, each in at least three shapes."""
    for kind, named in _KINDS.items():
        for name, (harm, further) in named.items():
            yield Shape(kind, name, harm, **further)


def _in_base64(sign: bytes, before: bytes = b"") -> str:
    return f'"{base64.b64encode(before + sign * (700_000 // len(sign))).decode()}"'


ECHOES: Mapping[str, Harm] = {
    "as it is": _echoing(400, _whole),
    "in base64": _echoing(400, lambda asked: _told(base64.b64encode(asked.head + asked.body).decode())),
    "in hex": _echoing(400, lambda asked: _told((asked.head + asked.body).hex())),
    "in a URL": _echoing(400, lambda asked: _told(quote((asked.head + asked.body).decode("latin-1"), safe=""))),
    "after 290 characters": _echoing(500, lambda asked: _told("x" * 290 + _text_of(asked))),
    "as a refusal of access": _echoing(403, _whole),
}
"""Ways to answer with what was sent."""

_KINDS: Mapping[str, Mapping[str, tuple[Harm, Mapping[str, Any]]]] = {
    "an endless body": {
        "in chunks": (_endless(_CHUNKED + "2\r\n[1\r\n", _chunk(b",1" * 32_768)), {}),
        "of a length that nothing has": (
            _endless(f"{_OK}Content-Length: 999999999999999\r\n\r\n[1", b",1" * 32_768),
            {},
        ),
        "until the connection closes": (_endless(f"{_OK}Connection: close\r\n\r\n[1", b",1" * 32_768), {}),
        "of a refusal": (_endless("HTTP/1.1 400 No\r\n\r\n", b"no " * 32_768), {}),
    },
    "a bomb": {
        "gzip": (_bomb([*_JSON, ("Content-Encoding", "gzip")], _in_gzip), {}),
        "gzip in gzip": (_bomb([*_JSON, ("Content-Encoding", "gzip, gzip")], _in_gzip_twice), {}),
        "deflate": (_bomb([*_JSON, ("Content-Encoding", "deflate")], _in_deflate), {}),
        "an unknown coding": (_answer([*_JSON, ("Content-Encoding", "br")], b"\x8b" * 5000), {}),
    },
    "an answer that drips": {
        "its body": (_endless(f"{_OK}Content-Length: 5000\r\n\r\n", b" ", every=_A_SECOND), {}),
        "its head": (_endless("HTTP/1.1 200 OK\r\nX: ", b"a", every=_A_SECOND), {}),
        "interim answers": (_endless("", b"HTTP/1.1 100 Continue\r\n\r\n", every=_A_SECOND), {}),
        "its chunks": (_endless(_CHUNKED, _chunk(b" "), every=_A_SECOND), {}),
        "nothing at all": (_silent, {}),
    },
    "an endless head": {
        "interim answers": (_endless("", b"HTTP/1.1 102 Processing\r\n\r\n" * 100), {}),
        "fields": (_endless("HTTP/1.1 200 OK\r\n", b"X-Y: z\r\n" * 1000), {}),
        "one field": (_endless("HTTP/1.1 200 OK\r\nX-Y: ", b"z" * 65_536), {}),
        "trailers": (_endless(f"{_CHUNKED}2\r\n[]\r\n0\r\n", b"X-Y: z\r\n" * 1000), {}),
    },
    "a connection that closes": {
        "after each answer": (_closing, {"where": "."}),
        "before every second answer": (_ClosingEvery(), {"where": "."}),
        "by a reset": (_resetting, {}),
        "in the middle of a body": (_half, {}),
    },
    "JSON that takes long": {
        "nested": (_answer(_JSON, b"[" * 500_000 + b"]" * 500_000), {}),
        "of many numbers": (_answer(_JSON, b"[" + b"1," * 500_000 + b"1]"), {}),
        "of a number of many digits": (_answer(_JSON, b'{"id":' + b"9" * 1_000_000 + b"}"), {}),
        "of many secrets": (
            _answer(_JSON, b"[" + b",".join(b'{"apiKey":"key-%08d"}' % number for number in range(40_000)) + b"]"),
            {},
        ),
        "of many members": (_answer(_JSON, json.dumps(dict.fromkeys(map(str, range(90_000)), 0)).encode()), {}),
        "of escapes": (_answer(_JSON, b'{"message":"' + b"\\u0041" * 170_000 + b'"}', 400), {}),
        "of percent signs": (_answer(_JSON, b'{"message":"' + b"%2525" * 200_000 + b'"}', 400), {}),
    },
    "a page that is long": {
        "without an end": (_endless(f"{_PAGE}Connection: close\r\n\r\n<p>", b"<p>a" * 16_384), _ON_PAGE),
        "in gzip": (_bomb([*_HTML, ("Content-Encoding", "gzip")], _in_gzip), _ON_PAGE),
        "a byte a second": (_endless(f"{_PAGE}Content-Length: 5000\r\n\r\n", b" ", every=_A_SECOND), _ON_PAGE),
        "redirects that drip": (
            _endless("HTTP/1.1 302 Found\r\nLocation: again\r\nX: ", b"a", every=_A_SECOND),
            _ON_PAGE,
        ),
    },
    "a page that takes long": {
        "open tags": (_page(b"<a "), _ON_PAGE),
        "open comments": (_page(b"<!--"), _ON_PAGE),
        "open attributes": (_page(b"<p a='"), _ON_PAGE),
        "labels and fields": (_page(b"<label for=a><input id=a name=b type=hidden>"), _ON_PAGE),
        "entities": (_page(b"&amp"), _ON_PAGE),
        "foreign elements": (_page(b"<svg><b>"), _ON_PAGE),
    },
    "an id that is none": {
        "with NUL": (_member("id", r'"a\u0000b"'), _ON_CUSTOMER),
        "with an escape": (_member("id", r'"\u001b[31mred"'), _ON_CUSTOMER),
        "with half a character": (_member("id", r'"\ud800"'), _ON_CUSTOMER),
        "with a path": (_member("id", '"../../../admin?x=#y"'), _ON_CUSTOMER),
        "of a megabyte": (_member("id", f'"{"x" * 900_000}"'), _ON_CUSTOMER),
        "empty": (_member("id", '""'), _ON_CUSTOMER),
    },
    "a redirectUrl that is none": {
        "javascript": (_member("redirectUrl", '"javascript:alert(1)"'), _ON_ISSUE),
        "with NUL": (_member("redirectUrl", r'"http://127.0.0.1/\u0000"'), _ON_ISSUE),
        "with an escape": (_member("redirectUrl", r'"http://127.0.0.1/\u001b[2J"'), _ON_ISSUE),
        "a name that is none": (_member("redirectUrl", '"http://xn--/"'), _ON_ISSUE),
        "of dots": (_member("redirectUrl", '"http://.../"'), _ON_ISSUE),
        "with a long label": (_member("redirectUrl", f'"http://{"a" * 64}.com/"'), _ON_ISSUE),
        "with half a character": (_member("redirectUrl", r'"http://127.0.0.1/\ud800"'), _ON_ISSUE),
        "of a megabyte": (_member("redirectUrl", f'"http://127.0.0.1/{"x" * 900_000}"'), _ON_ISSUE),
        "a file": (_member("redirectUrl", '"file:///etc/passwd"'), _ON_ISSUE),
    },
    "a page that leads elsewhere": {
        "to javascript": (_answer([("Location", "javascript:alert(1)")], b"", 302), _ON_PAGE),
        "to a name that is none": (_answer([("Location", "http://xn--/")], b"", 302), _ON_PAGE),
        "in a circle": (_answer([("Location", "?again")], b"", 302), _ON_PAGE),
        "by its form": (_answer(_HTML, b"<form method=post action='http://xn--/'><input name=pin>"), _ON_PAGE),
    },
    "a redirect that leads nowhere": {
        "to a name that is none": (_answer([("Location", "http://xn--/")], b"", 302), {}),
        "to half an address": (_answer([("Location", "http://[::1")], b"", 302), {}),
        "to javascript": (_answer([("Location", "javascript:alert(1)")], b"", 307), {}),
        "to an escape": (_answer([("Location", "http://a/\x1b[2J")], b"", 303), {}),
    },
    "a challenge that takes long": {
        "of a megabyte": (_member("challenge", _in_base64(b"a")), _OFFBLOCKS),
        "of lines": (
            _member("challenge", _in_base64(b"\n", b"a: b")),
            _OFFBLOCKS,
        ),
        "of escapes": (_member("challenge", _in_base64(b"\x1b")), _OFFBLOCKS),
        "of signs that base64 lacks": (_member("challenge", f'"{"=" * 900_000}"'), _OFFBLOCKS),
        "of colons": (_member("challenge", _in_base64(b"https://a:")), _OFFBLOCKS),
    },
    "an echo of what was sent": {
        name: (echo, {"where": "."} if "access" in name else {}) for name, echo in ECHOES.items()
    },
}
