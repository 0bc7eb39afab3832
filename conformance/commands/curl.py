"""Command lines of curl, as one writes them or a browser copies them: the request that they send."""

import base64
import re
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn
from urllib.parse import quote, urlsplit

from conformance import ConformanceError
from conformance.commands import shells
from conformance.files import read_bounded

__all__ = ["CommandLine", "RequestUnreadableError", "check_url", "read_command_line", "words_of"]

_FLAGS = re.compile(
    r"-[sSfvLikgN#]+|--(?:silent|show-error|fail|fail-with-body|verbose|location|include|insecure|globoff|compressed"
    r"|no-buffer|http[123][.0-9]*|http2-prior-knowledge|path-as-is|tlsv1[.0-9]*|progress-bar)"
)
_IGNORED = ("-o", "--output", "-w", "--write-out", "-m", "--max-time", "--connect-timeout", "--retry", "-x", "--proxy")
_IGNORED_LONG = ("--cacert", "--cert", "--key", "--resolve", "-D", "--dump-header", "-c", "--cookie-jar")


class RequestUnreadableError(ConformanceError, ValueError):
    """What should be a request is none; the message says what is wrong with it."""


@dataclass(frozen=True)
class CommandLine:
    """What a command line sends.

    Args:
        method: The method.
        url: The URL.
        headers: Names and values of the header fields that it gives.
        body: The body, None for none.
        is_form: Whether curl would call the body a form, unless a header says otherwise.
    """

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes | None
    is_form: bool


class _Reader(ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise RequestUnreadableError(
            f"That is no curl command line which can be read: {message}. Known are -X, -H, -d, --data-raw, "
            "--data-binary, --data-urlencode, --json, -G, -b, -A, -e, -u, --url, and flags without value, such as -sS."
        )


def check_url(url: str) -> None:
    """Make sure that the host and the port of a URL can be read.

    Raises:
        RequestUnreadableError: If they cannot.
    """
    try:
        urlsplit(url).port  # noqa: B018  (reads it)
    except ValueError as error:
        raise RequestUnreadableError(f"{url[:60]!r} is no URL: {error}.") from error


def words_of(text: str) -> list[str]:
    """The words of a command line; see `conformance.commands.shells`.

    Raises:
        RequestUnreadableError: If a quote is not closed.
    """
    try:
        return shells.words_of(text)
    except ValueError as error:
        raise RequestUnreadableError(f"The command line cannot be read: {error}.") from error


def read_command_line(words: Sequence[str]) -> CommandLine:
    """The request of a command line, with or without the word ``curl``.

    Raises:
        RequestUnreadableError: If it is none.
    """
    flags = [word for word in words if not _FLAGS.fullmatch(word)]
    given = _reader().parse_args(flags[1:] if flags[:1] in (["curl"], ["curl.exe"]) else flags)
    url = given.url or given.place
    if not url or not url.startswith(("http://", "https://")):
        raise RequestUnreadableError("There is no URL that begins with http:// or https://.")
    check_url(url)
    headers = [_header(line) for line in given.header]
    headers += [
        (name, value)
        for name, value in (
            ("Cookie", given.cookie),
            ("User-Agent", given.user_agent),
            ("Referer", given.referer),
            ("Authorization", given.user and f"Basic {base64.b64encode(given.user.encode()).decode()}"),
        )
        if value is not None
    ]
    body = _body(given)
    if given.get and body is not None:
        url += ("&" if "?" in url else "?") + body.decode()
        body = None
    if given.json is not None:
        names = {name.lower() for name, _ in headers}
        json_headers = (("Content-Type", "application/json"), ("Accept", "application/json"))
        headers += [(name, value) for name, value in json_headers if name.lower() not in names]
    method = given.request or ("POST" if body is not None else "HEAD" if given.head else "GET")
    return CommandLine(method, url, tuple(headers), body, is_form=body is not None and given.json is None)


def _reader() -> _Reader:
    reader = _Reader(add_help=False, allow_abbrev=False)
    reader.add_argument("-X", "--request")
    reader.add_argument("-H", "--header", action="append", default=[])
    reader.add_argument("-d", "--data", "--data-ascii", dest="data", action="append", default=[])
    reader.add_argument("--data-raw", dest="raw", action="append", default=[])
    reader.add_argument("--data-binary", dest="binary", action="append", default=[])
    reader.add_argument("--data-urlencode", dest="encoded", action="append", default=[])
    reader.add_argument("--json")
    reader.add_argument("--url")
    reader.add_argument("-G", "--get", action="store_true")
    reader.add_argument("-I", "--head", action="store_true")
    reader.add_argument("-b", "--cookie")
    reader.add_argument("-A", "--user-agent")
    reader.add_argument("-e", "--referer")
    reader.add_argument("-u", "--user")
    reader.add_argument(*_IGNORED, dest="ignored")
    reader.add_argument(*_IGNORED_LONG, dest="ignored")
    reader.add_argument("place", nargs="?")
    return reader


def _header(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon or not name.strip():
        raise RequestUnreadableError("A header must be 'Name: value'.")
    return name.strip(), value.strip()


def _body(given: Namespace) -> bytes | None:
    if given.json is not None:
        return _content(given.json)
    parts = [_content(text) for text in given.binary]
    parts += [_content(text, keeps_line_ends=False) for text in given.data]
    parts += [text.encode() for text in given.raw]
    for text in given.encoded:
        name, equals, value = text.partition("=")
        parts.append((f"{name}{equals}{quote(value, safe='')}" if equals else quote(text, safe="")).encode())
    return b"&".join(parts) if parts else None


def _content(text: str, *, keeps_line_ends: bool = True) -> bytes:
    if not text.startswith("@"):
        return text.encode()
    try:
        content = read_bounded(Path(text[1:]))
    except OSError as error:
        raise RequestUnreadableError(f"The body {text[1:]} cannot be read: {error.strerror}.") from error
    return content if keeps_line_ends else content.replace(b"\r", b"").replace(b"\n", b"")
