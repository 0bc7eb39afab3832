"""Requests as people have them in files: raw HTTP, an entry of an archive or of our log, a curl command line."""

import base64
import binascii
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from conformance.commands.curl import RequestUnreadableError, check_url, read_command_line, words_of
from conformance.exchange import Request
from conformance.standards.digest_fields import DigestRejected, check_content_digest

__all__ = ["LARGEST", "Written", "read_written"]

LARGEST = 10 * 1024 * 1024
"""Bytes that a file with a request may have."""

_REQUEST_LINE = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]+(\S.*?)(?:[ \t]+HTTP/[0-9.]+)?[ \t]*")
_FIELD_LINE = re.compile(r"(:?[!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*:(.*)", re.DOTALL)
_LOOPBACK = re.compile(r"(?:localhost|127(?:\.\d+){3}|\[::1\])(?::\d+)?")
_LENGTH = re.compile(r"[0-9]{1,18}")
_COMMENTS = re.compile(rb"\A(?:(?:#|//|@[\w-]+[ \t]*=)[^\n]*\r?\n|[ \t]*\r?\n)+")
"""What editors that send requests take for comments and variables before one."""
_ANSWER = re.compile(r"HTTP/[0-9.]+ \d{3}")
_FORM = "application/x-www-form-urlencoded"
_KNOWN = "raw HTTP, an entry of an HTTP Archive (HAR), an entry of /_sandbox/requests, or a curl command line"


@dataclass(frozen=True)
class Written:
    """A request that was read from a file.

    Args:
        request: The request; its header values without the white space around them.
        lines: The header lines with all white space but the one blank after the colon.
        schemes: The schemes that it may have been sent with, where the file does not show it.
        hosts: Other hosts that the file shows.
        notes: What was taken for something that the file does not say.
    """

    request: Request
    lines: tuple[tuple[str, str], ...]
    schemes: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def read_written(content: bytes, base_url: str | None = None) -> Written:
    """The request in a file.

    Args:
        content: What the file holds.
        base_url: The URL at which the server is known, None for what the file shows.

    Raises:
        RequestUnreadableError: If it holds none; the message says what is wrong.
    """
    if len(content) > LARGEST:
        raise RequestUnreadableError(f"The file has {len(content)} bytes; at most {LARGEST} are read.")
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        content = content.decode("utf-16", errors="replace").encode()
    content = content.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n")
    if base_url is not None:
        check_url(base_url)
        if urlsplit(base_url).scheme not in {"http", "https"}:
            raise RequestUnreadableError(f"The base URL {base_url} does not begin with http:// or https://.")
    start = content.lstrip()
    if not start:
        raise RequestUnreadableError(f"The file is empty; expected {_KNOWN}.")
    if start[:1] in {b"{", b"["}:
        return _placed(_from_json(start), base_url)
    if re.match(rb"(?:\$ )?curl(?:\.exe)?\s", start):
        return _placed(_from_curl(start.removeprefix(b"$ ")), base_url)
    return _from_raw(content, base_url)


def _placed(written: Written, base_url: str | None) -> Written:
    """A request with an absolute URL, for the server at a base URL."""
    if base_url is None:
        return written
    base, sent = urlsplit(base_url), urlsplit(written.request.url)
    url = urlunsplit((base.scheme, base.netloc, _below(base.path, sent.path), "", ""))
    tail = written.request.url.partition("?")
    hosts = (*written.hosts, sent.netloc) if sent.netloc != base.netloc else written.hosts
    return replace(written, request=replace(written.request, url=url + tail[1] + tail[2]), hosts=hosts)


def _below(base: str, path: str) -> str:
    base = base.rstrip("/")
    return path if not base or path == base or path.startswith(f"{base}/") else base + path


# ------------------------------------------------------------------------------------------------------- raw HTTP


def _from_raw(content: bytes, base_url: str | None) -> Written:
    if content.startswith(b"> "):
        content = re.sub(rb"(?m)^> ?", b"", content)
    content = _COMMENTS.sub(b"", content)
    head, body = _divided(content)
    lines = head.decode("utf-8", errors="surrogateescape").replace("\r\n", "\n").split("\n")
    if _ANSWER.match(lines[0]):
        raise RequestUnreadableError("The file holds an answer; give the request.")
    fields = _fields(lines if lines[0].startswith(":") else lines[1:])
    pseudo = {name: value.strip() for name, value in fields if name.startswith(":")}
    fields = [(name, value) for name, value in fields if not name.startswith(":")]
    if lines[0].startswith(":"):
        method, target = pseudo.get(":method", "GET"), pseudo.get(":path", "/")
    else:
        found = _REQUEST_LINE.fullmatch(lines[0])
        if found is None:
            raise RequestUnreadableError(
                f"The first line, {lines[0][:60]!r}, is no request line such as 'POST /v1/customers HTTP/1.1'; "
                f"expected {_KNOWN}."
            )
        method, target = found[1], found[2]
    host = pseudo.get(":authority") or next((value.strip() for name, value in fields if name.lower() == "host"), None)
    url, schemes = _url(target, host, pseudo.get(":scheme"), base_url)
    check_url(url)
    headers = tuple((name, _unfolded(value)) for name, value in fields)
    request = Request(method=method, url=url, headers=headers, body=body)
    body, notes = _sent_body(request)
    hosts = (urlsplit(target).netloc,) if "://" in target else ()
    return Written(replace(request, body=body), tuple(fields), schemes, hosts, notes)


def _divided(content: bytes) -> tuple[bytes, bytes]:
    found = re.search(rb"\r?\n\r?\n", content)
    return (content, b"") if found is None else (content[: found.start()], content[found.end() :])


def _fields(lines: Sequence[str]) -> list[tuple[str, str]]:
    fields: list[tuple[str, str]] = []
    for line in lines:
        if line[:1] in {" ", "\t"} and fields:
            name, value = fields.pop()
            fields.append((name, f"{value}\n{line}"))
        elif line.strip():
            found = _FIELD_LINE.fullmatch(line)
            if found is None:
                raise RequestUnreadableError(f"The line {line[:60]!r} is no header; expected 'Name: value'.")
            fields.append((found[1], found[2].removeprefix(" ")))
    return fields


def _unfolded(value: str) -> str:
    return re.sub(r"[ \t]*\n[ \t]+", " ", value).strip()


def _url(target: str, host: str | None, scheme: str | None, base_url: str | None) -> tuple[str, tuple[str, ...]]:
    """The URL that a request went to, and the schemes that it may have had."""
    if re.match(r"https?://", target, re.IGNORECASE):
        if base_url is None:
            return target, ()
        parts = urlsplit(target)
        target = parts.path + target[len(target.partition("?")[0]) :]
    if not target.startswith("/"):
        raise RequestUnreadableError(
            f"The target {target[:60]!r} of the request is neither a path that begins with a slash nor a whole URL."
        )
    if base_url is not None:
        base = urlsplit(base_url)
        path, mark, query = target.partition("?")
        return f"{base.scheme}://{base.netloc}{_below(base.path, path)}{mark}{query}", ()
    if not host:
        raise RequestUnreadableError(
            "The request has no Host header, so that it is not known where it was sent; give --base-url."
        )
    if scheme is not None:
        return f"{scheme}://{host}{target}", ()
    schemes = ("http", "https") if _LOOPBACK.fullmatch(host) else ("https", "http")
    return f"{schemes[0]}://{host}{target}", schemes


def _sent_body(request: Request) -> tuple[bytes, tuple[str, ...]]:
    """The part of the rest of a file that was sent as the body, and what was assumed of it."""
    rest, length = request.body, request.header("Content-Length")
    if "chunked" in (request.header("Transfer-Encoding") or "").lower() and (joined := _unchunked(rest)) is not None:
        return joined, ()
    if length is not None and _LENGTH.fullmatch(length.strip()):
        size = int(length)
        if len(rest) > size:
            note = f"The body was read up to its Content-Length, {size} of {len(rest)} bytes."
            return rest[:size], () if not rest[size:].strip() else (note,)
        note = f"The body has {len(rest)} bytes, fewer than its Content-Length, {size}: it was cut off or altered."
        return rest, (note,) if len(rest) < size else ()
    trimmed = rest[:-2] if rest.endswith(b"\r\n") else rest.removesuffix(b"\n")
    if trimmed != rest and not _digest_fits(request, rest) and _digest_fits(request, trimmed):
        note = (
            "The line end at the end of the file was not taken for a part of the body, as the digest fits without it; "
            "a Content-Length would settle it."
        )
        return trimmed, (note,)
    return rest, ()


def _digest_fits(request: Request, body: bytes) -> bool:
    try:
        check_content_digest(body, request.header("Content-Digest"))
    except DigestRejected:
        return False
    return True


def _unchunked(rest: bytes) -> bytes | None:
    """The body of a message in chunks (RFC 9112, section 7.1), None if it is in none."""
    joined = b""
    while found := re.match(rb"([0-9A-Fa-f]{1,8})[^\r\n]*\r?\n", rest):
        size = int(found[1], 16)
        chunk = rest[found.end() : found.end() + size]
        if size == 0:
            return joined
        joined += chunk
        rest = rest[found.end() + size :].removeprefix(b"\r").removeprefix(b"\n")
    return None


# ------------------------------------------------------------------------------------------------- archives and logs


def _from_json(content: bytes) -> Written:
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise RequestUnreadableError(f"The file begins like JSON and cannot be read as such: {error}.") from error
    found = _entry(document)
    try:
        request = _request(found)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RequestUnreadableError(
            f"The file is JSON, but no request with method, url and headers: {error!r}. Expected {_KNOWN}."
        ) from error
    if not request.url.startswith(("http://", "https://")):
        raise RequestUnreadableError(f"The URL {request.url[:60]!r} does not begin with http:// or https://.")
    check_url(request.url)
    return Written(request, request.headers)


def _entry(document: Any) -> Any:
    """The one request in an archive, a log, an entry of either, or by itself."""
    if isinstance(document, dict) and isinstance(document.get("log"), dict):
        document = document["log"].get("entries", [])
    if isinstance(document, list):
        entries = [each for each in document if isinstance(each, dict)]
        if len(entries) > 1:
            signed = [each for each in entries if _is_signed(each)]
            entries = signed if len(signed) == 1 else entries
        if len(entries) != 1:
            raise RequestUnreadableError(f"The file holds {len(entries)} requests; give one of them.")
        document = entries[0]
    if isinstance(document, dict) and isinstance(document.get("request"), dict):
        return document["request"]
    return document


def _is_signed(entry: Mapping[str, Any]) -> bool:
    try:
        request = _request(_entry(entry))
    except (KeyError, TypeError, ValueError, AttributeError):
        return False
    return request.header("Signature") is not None


def _request(found: Mapping[str, Any]) -> Request:
    headers = found["headers"]
    if isinstance(headers, Mapping):
        pairs = [(str(name), str(value)) for name, value in headers.items()]
    else:
        pairs = [
            (str(each["name"]), str(each["value"])) if isinstance(each, Mapping) else (str(each[0]), str(each[1]))
            for each in headers
        ]
    lines = tuple((name, value.strip()) for name, value in pairs if not name.startswith(":"))
    return Request(method=str(found["method"]), url=str(found["url"]), headers=lines, body=_json_body(found))


def _json_body(found: Mapping[str, Any]) -> bytes:
    post = found.get("postData")
    if isinstance(post, Mapping):
        text = str(post.get("text") or "")
        encoded = "base64" in {post.get("encoding"), post.get("_encoding")}
    elif "body_base64" in found:
        text, encoded = str(found["body_base64"]), True
    else:
        body = found.get("body") or ""
        text, encoded = body if isinstance(body, str) else json.dumps(body), False
    if not encoded:
        return text.encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise RequestUnreadableError(f"The body is said to be base64 and is none: {error}.") from error


# -------------------------------------------------------------------------------------------------------------- curl


def _from_curl(content: bytes) -> Written:
    line = read_command_line(words_of(content.decode("utf-8", errors="replace")))
    headers = list(line.headers)
    names = {name.lower() for name, _ in headers}
    if line.is_form and "content-type" not in names:
        headers.append(("Content-Type", _FORM))
    if "host" not in names:
        headers.append(("Host", urlsplit(line.url).netloc))
    if line.body is not None and "content-length" not in names:
        headers.append(("Content-Length", str(len(line.body))))
    if "accept" not in names:
        headers.append(("Accept", "*/*"))
    request = Request(method=line.method, url=line.url, headers=tuple(headers), body=line.body or b"")
    return Written(request, request.headers)
