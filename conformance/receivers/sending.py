"""Sends deliveries to a receiver, and says what it answered."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from urllib.parse import urlsplit, urlunsplit

import httpx

from conformance.clock import SystemClock, pause, stopwatch
from conformance.exchange import Headers, Response
from conformance.findings import refusal_text, shorten
from conformance.receivers.cases import Post

PATIENCE = 10
"""Seconds that a receiver has for its answer."""

_LARGEST_ANSWER = 64 * 1024
_PAUSE = 0.1
"""Seconds before each piece of a slow body."""
FOR_NOW = frozenset({HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
"""The statuses that ask for a later try."""


@dataclass(frozen=True)
class Answer:
    """What came of one delivery.

    Args:
        at: When it was sent (UTC).
        seconds: How long the answer took, from the last byte of the body on.
        headers: All headers that it had of ours.
        response: The answer, None if none came.
        failure: Why none came, in a few words.
        connected: Whether there was somebody at the other end.
    """

    at: datetime
    seconds: float
    headers: Headers
    response: Response | None
    failure: str = ""
    connected: bool = True

    @property
    def taken(self) -> bool:
        """Whether it was taken: 2xx, and no page."""
        return self.response is not None and self.response.succeeded

    @property
    def refused(self) -> bool:
        """Whether it was refused for good: 4xx, but for what asks for a later try."""
        status = self.status
        return HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR and status not in FOR_NOW

    @property
    def status(self) -> int:
        """The status, 0 if no answer came or a page that says nothing of the delivery."""
        if self.response is None or (self.response.is_page and self.response.status < HTTPStatus.MULTIPLE_CHOICES):
            return 0
        return self.response.status

    @property
    def short(self) -> str:
        """It in a word or two."""
        if self.response is None:
            return "no answer"
        return f"{self.response.status}{' page' if self.response.is_page else ''}"

    @property
    def told(self) -> str:
        """It in a sentence's part."""
        response = self.response
        if response is None:
            return f"no answer: {self.failure}"
        if response.is_page:
            return f"{response.status} with an HTML page, as of a login or of another program"
        if HTTPStatus.MULTIPLE_CHOICES <= response.status < HTTPStatus.BAD_REQUEST:
            return f"{response.status}, a redirect to {without_query(response.header('Location') or 'nowhere')}"
        said = refusal_text(response)
        return f"{response.status} ({shorten(said)})" if said else str(response.status)


class Receiver:
    """The receiver that is checked.

    Args:
        url: Where it listens.
        tls: Whom to trust.
    """

    def __init__(self, url: str, tls: ssl.SSLContext) -> None:
        self.url = url
        self._client = httpx.AsyncClient(verify=tls, timeout=None, trust_env=False)  # noqa: S113 - timed below

    async def send(self, post: Post) -> Answer:
        """Send one delivery, and wait for its answer."""
        at, sent = SystemClock().now(), [stopwatch()]

        async def content() -> AsyncIterator[bytes]:
            size = -(-len(post.body) // post.pieces)
            for start in range(0, len(post.body), size):
                if post.pieces > 1:
                    await pause(_PAUSE)
                yield post.body[start : start + size]
            sent[0] = stopwatch()

        headers = (
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(post.body))),
            ("User-Agent", "conformance-webhooks"),
            *post.headers(at),
        )
        response, failure, connected = None, "", True
        try:
            async with (
                asyncio.timeout(PATIENCE),
                self._client.stream(
                    "POST", self.url, content=content(), headers=list(headers), follow_redirects=False
                ) as answer,
            ):
                body = b""
                async for chunk in answer.aiter_raw():
                    body += chunk
                    if len(body) >= _LARGEST_ANSWER:
                        break
                response = Response(tuple(answer.headers.multi_items()), body[:_LARGEST_ANSWER], answer.status_code)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, ssl.SSLError, OSError) as error:
            failure, connected = _failure(error), not isinstance(error, httpx.ConnectError)
        return Answer(at, max(stopwatch() - sent[0], 0), headers, response, failure, connected)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def tls_of(ca_file: str | None) -> ssl.SSLContext:
    """Whom to trust: the usual authorities, and those in a file of certificates if there is one."""
    context = ssl.create_default_context()
    if ca_file:
        context.load_verify_locations(cafile=ca_file)
    return context


def without_query(url: str) -> str:
    """A URL as it is shown: what stands in its query may be a secret."""
    parts = urlsplit(url)
    return urlunsplit(
        parts._replace(netloc=parts.netloc.rpartition("@")[2], query="…" if parts.query else "", fragment="")
    )


def _failure(error: Exception) -> str:
    match error:
        case TimeoutError():
            return f"none came within {PATIENCE} s"
        case httpx.ConnectError():
            cause = _cause(error)
            trust = "; if you trust it, name its file of certificates in CONFORMANCE_CA_FILE"
            return f"no connection ({cause}{trust if 'CERTIFICATE' in cause else ''})"
        case httpx.RemoteProtocolError() | httpx.ReadError() | httpx.WriteError():
            return "the connection was closed"
    return f"{type(error).__name__}: {error}"


def _cause(error: BaseException) -> str:
    """The innermost text of an error that says something, such as that a certificate is not trusted."""
    found, inner = str(error), error.__cause__ or error.__context__
    while inner is not None:
        found, inner = str(inner) or found, inner.__cause__ or inner.__context__
    return found
