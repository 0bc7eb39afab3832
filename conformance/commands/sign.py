"""What `conformance sign` does: it reads a request as one writes it for curl, and signs it."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from conformance.api import Api, registered
from conformance.clock import SystemClock
from conformance.commands.curl import RequestUnreadableError, read_command_line, words_of

if TYPE_CHECKING:
    import httpx

_LARGEST_KEY = 64 * 1024
_SHOWN = ("Content-Digest", "Signature-Input", "Signature")


def signing_api(name: str | None) -> Api:
    """The API whose requests are signed.

    Args:
        name: Its name; None for the only one that signs.

    Raises:
        RequestUnreadableError: If it signs no requests, or several do and none is named.
    """
    signing = {api.name: api for api in registered().values() if api.signing is not None}
    if name is None and len(signing) == 1:
        return next(iter(signing.values()))
    if name not in signing:
        raise RequestUnreadableError(
            f"Name an API that signs requests with --api: {', '.join(signing) or 'none does'}."
        )
    return signing[name]


def read_request(words: Sequence[str]) -> "httpx.Request":
    """The request of a curl command line, with or without the word ``curl``.

    Raises:
        RequestUnreadableError: If it is none.
    """
    import httpx  # noqa: PLC0415  (slow to load, and whoever explains a signature looks for the API here too)

    from conformance.bounds.urls import UrlRefused, foreign_url  # noqa: PLC0415

    line = read_command_line(words_of(words[0]) if len(words) == 1 else words)
    headers, names = list(line.headers), {name.lower() for name, _ in line.headers}
    if line.body is not None and "content-type" not in names:
        headers.append(("Content-Type", "application/json"))
    try:
        return httpx.Request(line.method, foreign_url(line.url), headers=headers, content=line.body)
    except UrlRefused as error:
        raise RequestUnreadableError(f"{line.url[:60]!r} is no URL that a request can be sent to: {error}.") from error
    except ValueError as error:
        raise RequestUnreadableError(f"The request cannot be sent: {error}.") from error


def signed(words: Sequence[str], api: Api, key: str, key_id: str) -> "httpx.Request":
    """The signed request of a curl command line.

    Args:
        words: The command line.
        api: The API that it is for.
        key: The private key, as PEM text or the path of a file that holds it.
        key_id: The id under which the API knows its public key.

    Raises:
        RequestUnreadableError: If it is no request, or the key is none.
    """
    request = read_request(words)
    if api.signing is None:
        raise RequestUnreadableError(f"{api.title} signs no requests.")
    try:
        text = key if "-----BEGIN" in key else _content(Path(key))
        return api.signing.signed(request, text.replace("\\n", "\n"), key_id, SystemClock().now())
    except (OSError, ValueError) as error:
        raise RequestUnreadableError(f"The key {key[:60]!r} cannot be used: {error}") from error


def _content(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(_LARGEST_KEY).decode()


def as_curl(request: "httpx.Request") -> str:
    """A request as a curl command line for a POSIX shell."""
    lines = [f"curl -sS -X {request.method} {shlex.quote(str(request.url))}"]
    left_out = {"host", "content-length"}
    for name, value in request.headers.raw:
        if name.decode().lower() not in left_out:
            lines.append(f"-H {shlex.quote(f'{name.decode()}: {value.decode()}')}")
    if request.content:
        lines.append(f"--data-raw {shlex.quote(request.content.decode())}")
    return " \\\n  ".join(lines)


def added_headers(request: "httpx.Request") -> list[str]:
    """The header lines that signing has added."""
    return [f"{name}: {request.headers[name]}" for name in _SHOWN if name in request.headers]
