"""Recordings as they are compared: what was answered, in a form that does not depend on seed and day."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from conformance.drift.form import NotComparableError
from conformance.drift.formats import is_word, skeleton
from conformance.exchange import Delivery, Exchange, Headers, Message, NotJsonError, Request
from conformance.recording.cassettes import Cassette
from conformance.recording.skipped import FILE

_MOST_FILES = 10_000
_LARGEST = 32 * 1024 * 1024
_OF_THE_CONNECTION = {
    *("age", "alt-svc", "connection", "content-length", "date", "etag", "expires", "keep-alive", "last-modified"),
    *("server", "server-timing", "set-cookie", "transfer-encoding", "vary", "via", "x-request-id", "x-trace-id"),
}
"""Headers that say nothing of the API."""
_FIELD = re.compile(r"<(input|select|textarea|button)\b[^>]*?\bname=\"([^\"]+)\"", re.IGNORECASE)
_HEADING = re.compile(r"<h1[^>]*>(.*?)</h1>", re.IGNORECASE | re.DOTALL)
_EVENT_MEMBERS = ("type", "event", "eventType", "event_type", "name", "topic")


def read_folder(folder: Path, apis: Sequence[str] = ()) -> dict[str, Cassette]:
    """The cassettes of a folder by the id of their test.

    Args:
        folder: Where they lie, one folder an API, or those of one API.
        apis: The names of the APIs that are wanted; empty for all.

    Raises:
        NotComparableError: If there is no folder, no cassette in it, or too many or too large ones.
        CassetteUnreadableError: If one of them is no cassette.
    """
    if not folder.is_dir():
        raise NotComparableError(f"There is no folder {folder}.")
    files = [file for file in sorted(folder.rglob("*.yaml")) if file.is_file() and file.name != FILE]
    if not files:
        raise NotComparableError(f"There is no cassette in {folder}: record some with conformance record.")
    if len(files) > _MOST_FILES:
        raise NotComparableError(f"There are more than {_MOST_FILES} files in {folder}, too many to compare.")
    found: dict[str, Cassette] = {}
    for file in files:
        if file.stat().st_size > _LARGEST:
            raise NotComparableError(f"{file} is too large to be compared.")
        cassette = Cassette.load(file)
        if not apis or cassette.api in apis:
            found[cassette.test] = cassette
    if not found:
        raise NotComparableError(f"There is no cassette of {', '.join(apis)} in {folder}.")
    return found


@dataclass(frozen=True)
class Answer:
    """An answer, or what a webhook brought.

    Args:
        kind: ``JSON``, ``page``, ``text`` or ``nothing``.
        value: The body, parsed; of a page its fields and heading.
        headers: The headers that say something of the API, by name in lower case.
    """

    kind: str
    value: Any
    headers: Mapping[str, str] = field(default_factory=dict)


def answer(message: Message) -> Answer:
    """What a message says, in the form that is compared."""
    headers = _headers(message.headers)
    if not message.body:
        return Answer("nothing", None, headers)
    if "html" in headers.get("content-type", ""):
        return Answer("page", _page(message.body), headers)
    try:
        return Answer("JSON", message.json(), headers)
    except NotJsonError:
        return Answer("text", {"text": skeleton(message.body.decode(errors="replace"))[:200]}, headers)


def _headers(headers: Headers) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in headers:
        lower = name.lower()
        if lower not in _OF_THE_CONNECTION:
            found[lower] = f"{found[lower]}, {value}" if lower in found else value
    return found


def _page(body: bytes) -> dict[str, Any]:
    text = body.decode(errors="replace")
    heading = _HEADING.search(text)
    said = " ".join(re.sub(r"<[^>]+>", " ", heading[1]).split()) if heading else ""
    return {"heading": said, "fields": {name: kind.lower() for kind, name in _FIELD.findall(text)}}


def below(exchange: Exchange, base_url: str) -> Exchange:
    """The exchange with its URL below where the API, or what stands beside it, was mounted.

    Args:
        exchange: The exchange.
        base_url: The base URL that the client used.
    """
    parts, mounted = urlsplit(exchange.request.url), urlsplit(base_url).path.rstrip("/")
    beside = mounted.rpartition("/")[0]
    mount = next((each for each in (mounted, beside) if each and parts.path.startswith(f"{each}/")), "")
    url = parts._replace(path=parts.path.removeprefix(mount)).geturl()
    return replace(exchange, request=replace(exchange.request, url=url))


def place_of(exchange: Exchange) -> str:
    """The operation of an exchange, in words; of what is none, the method and a path without ids."""
    return exchange.operation or f"{exchange.request.method} {urlsplit(skeleton(exchange.request.url)).path}"


def event_of(delivery: Delivery) -> str:
    """Which event a webhook tells of."""
    members = delivery.request.members()
    named = (members.get(name) for name in _EVENT_MEMBERS)
    return next((each for each in named if isinstance(each, str) and is_word(each)), "webhook")


def leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The scalars of a value, each with the names on the way to it; entries of an array by their number."""
    pending: list[tuple[tuple[str, ...], Any]] = [(path, value)]
    while pending:
        at, found = pending.pop()
        if isinstance(found, dict):
            pending += [((*at, str(name)), each) for name, each in found.items()]
        elif isinstance(found, list):
            pending += [((*at, str(number)), each) for number, each in enumerate(found)]
        else:
            yield at, found


def sent(request: Request) -> Iterator[tuple[tuple[str, ...], str]]:
    """The texts that a request brings: parts of its URL, its idempotency key, and its body's members."""
    parts = urlsplit(request.url)
    for number, part in enumerate(parts.path.split("/")):
        yield ("path", str(number)), unquote(part)
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        yield ("query", name), value
    if key := request.header("Idempotency-Key"):
        yield ("key",), key
    try:
        body = request.json() if request.body else None
    except NotJsonError:
        return
    for path, value in leaves(body):
        if isinstance(value, str):
            yield ("body", *path), value
