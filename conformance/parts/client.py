"""What every client shares: one request as it is asked for, calls that are repeated, and errors without secrets."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from functools import partial
from http import HTTPStatus
from types import TracebackType
from typing import Any, ClassVar, Self

import httpx

from conformance.bounds.layers import layer_of
from conformance.bounds.transport import AnswerRefusedError, BoundedTransport
from conformance.bounds.urls import foreign_url
from conformance.clock import Clock, SystemClock
from conformance.exchange import PAGES
from conformance.ids import Ids, fresh_seed
from conformance.recording.patience import NotTakenError, asked_pause, patiently
from conformance.recording.redaction import without
from conformance.speed.http_client import Client
from conformance.standards.spellings import PLAIN, Spelling

__all__ = ["LOOK", "ApiClient", "ApiError", "content_of", "listed_objects"]

_TIMEOUT = httpx.Timeout(10.0)
_TRIES = 3
_SHOWN = 300
"""Characters of a body that an error shows."""
_FIRST_PAUSE = timedelta(milliseconds=200)
_FIRST_PAUSE_AFTER_429 = timedelta(seconds=1)
_PATIENCE = timedelta(seconds=30)
LOOK = "Look at the base URL: its host, its port and its path."
_SERVER_IN_TROUBLE = frozenset(
    {
        HTTPStatus.INTERNAL_SERVER_ERROR,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)


class ApiError(Exception):
    """The API answered something else than the call asks for.

    Args:
        message: What was answered to what.
        response: The answer, None if there was none.
    """

    def __init__(self, message: str, response: httpx.Response | None = None) -> None:
        super().__init__(message)
        self.response = response


class ApiClient(ABC):
    """A client of an API, which a subclass makes a client of one.

    Args:
        base_url: Where the API is, without its version.
        transport: What sends requests; a new one if none is given.
        clock: What tells the time, and waits between tries.
        ids: Where idempotency keys come from.
        spelling: How requests are written.
    """

    worth_repeating: ClassVar[frozenset[int]] = _SERVER_IN_TROUBLE
    """The statuses after which a call is repeated."""

    def __init__(
        self,
        base_url: str,
        *,
        transport: httpx.BaseTransport | None = None,
        clock: Clock | None = None,
        ids: Ids | None = None,
        spelling: Spelling = PLAIN,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.clock = clock or SystemClock()
        self.ids = ids or Ids(fresh_seed())
        self.spelling = spelling
        self._http = Client(
            transport=transport or BoundedTransport(),
            event_hooks={"request": [] if spelling is PLAIN else [self._write_headers]},
            timeout=_TIMEOUT,
            headers={"Accept": "application/json", "Accept-Encoding": "identity"},
            trust_env=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    @property
    @abstractmethod
    def secrets(self) -> Iterable[str | None]:
        """What no error may show; None for what is not set."""

    def send_request(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        auth: httpx.Auth | None = None,
        extensions: Mapping[str, Any] | None = None,
    ) -> httpx.Response:
        """Send one request and give its answer, whatever it is.

        Nothing is repeated, unless the transport says that the server is too busy to look at it.

        Args:
            method: The method.
            path: The path below the base URL, with its query.
            body: What to send as JSON; None for no body.
            content: Bytes to send as JSON instead of `body`.
            headers: The header fields.
            auth: What changes the request at last, such as a signer.
            extensions: httpx's request extensions.

        Raises:
            httpx.RequestError: If no answer came, one that cannot be decoded, or one that is too long or too slow.
            UrlRefused: If `path`, which may hold what the server gave, makes no URL.
            ApiError: If the transport kept saying that the server is busy.
        """
        if content is None and body is not None:
            content = self.spelling.json(body)
        fields = dict(headers or {})
        fields.setdefault("Accept", self.spelling.accept)
        if content is not None:
            fields.setdefault("Content-Type", self.spelling.content_type)
        url = foreign_url(self.base_url + path)

        def send(*, in_chunks: bool) -> httpx.Response:
            request = self._http.build_request(
                method, url, content=content, headers=fields, extensions=dict(extensions or {})
            )
            if in_chunks and content:
                _send_in_chunks(request)
            try:
                return self._http.send(request, auth=auth)
            except UnicodeError as error:  # httpx reads where a redirect leads, though nobody follows it
                raise httpx.RemoteProtocolError(f"it redirects to what is no URL: {error}", request=request) from error

        try:
            response = patiently(partial(send, in_chunks=self.spelling.in_chunks))
            if response.status_code != HTTPStatus.LENGTH_REQUIRED or not self.spelling.in_chunks:
                return response
            return patiently(partial(send, in_chunks=False))  # the length may be asked for (RFC 9112, section 6.3)
        except NotTakenError as busy:
            raise self.error(f"{method} {path} {busy}") from busy

    def _write_headers(self, request: httpx.Request) -> None:
        request.headers = httpx.Headers(list(self.spelling.headers(request.headers.raw)))

    def send_until_answered(self, what: str, send: Callable[[], httpx.Response]) -> httpx.Response:
        """Send a request up to three times, until something else came than nothing or a status worth repeating.

        Args:
            what: The method and path.
            send: What sends it, with the same idempotency key each time.

        Raises:
            ApiError: If no answer came.
        """
        pause = _FIRST_PAUSE
        for tries_left in reversed(range(_TRIES)):
            try:
                response = send()
            except httpx.RequestError as error:
                if not tries_left or isinstance(error, AnswerRefusedError):
                    raise self.error(f"{what} {outcome_of(error)}") from error
            else:
                pause = max(pause, self.requested_pause(response))
                if response.status_code not in self.worth_repeating or not tries_left or pause > _PATIENCE:
                    return response
            self.clock.advance(pause)
            pause *= 2
        raise AssertionError  # the last try returns or raises

    def requested_pause(self, response: httpx.Response) -> timedelta:
        """How long the API asks its clients to wait: by Retry-After, else a second after 429, else no time."""
        asked = asked_pause(response, self.clock)
        if asked is not None:
            return asked
        return _FIRST_PAUSE_AFTER_429 if response.status_code == HTTPStatus.TOO_MANY_REQUESTS else timedelta()

    def error(self, message: str, response: httpx.Response | None = None) -> ApiError:
        """An error whose message shows no secret."""
        return ApiError(self.without_secrets(message), response)

    def parsed(self, response: httpx.Response) -> Any:
        """The body of an answer.

        Raises:
            ApiError: If it is no JSON.
        """
        try:
            return response.json()
        except (ValueError, RecursionError) as error:
            kind = response.headers.get("content-type", "no content type")
            raise self.error(f"The answer to {request_line(response)} is {kind}, not JSON.", response) from error

    def parsed_object(self, response: httpx.Response) -> dict[str, Any]:
        """The members of an answer's body.

        Raises:
            ApiError: If it is no JSON object.
        """
        data = self.parsed(response)
        if not isinstance(data, dict):
            raise self.error(f"The answer to {request_line(response)} is no JSON object.", response)
        return data

    def refusal_text(self, response: httpx.Response) -> str:
        """A colon and the start of a refusal's body, without the secrets that it may repeat; else empty.

        The body of a success may hold a secret that is not known yet.
        """
        return self.start_of(response) if response.is_error else ""

    def start_of(self, response: httpx.Response) -> str:
        """A colon and the start of an answer's body without secrets; empty if there is none."""
        text = self.without_secrets(response.content.decode(errors="replace"))
        return f": {text[:_SHOWN]}" if text else ""

    def without_secrets(self, text: str) -> str:
        """A whole text with a placeholder for each secret, in whatever form it stands there."""
        return without(text, [secret for secret in self.secrets if secret], "[secret]")

    def refused_access(
        self,
        asked: str,
        send: Callable[[], httpx.Response],
        *,
        statuses: frozenset[int],
        advice: str,
        is_known: Callable[[httpx.Response], bool],
        controls: Sequence[Callable[[], httpx.Response]],
    ) -> str | None:
        """Why the API does not let the client in, None if it does.

        Args:
            asked: What is asked for, in words.
            send: What sends that.
            statuses: The statuses by which it is refused.
            advice: What to compare or to change.
            is_known: Whether an answer is surely one of the API.
            controls: What sends requests that the API does not answer like this one; sent only if it is not known.
        """
        try:
            response = send()
            if response.status_code in statuses:
                return f"{asked} was answered {response.status_code}{self.refusal_text(response)} {advice}"
            if elsewhere := self.led_elsewhere(asked, response):
                return elsewhere
            if is_known(response) or not all(control().status_code == response.status_code for control in controls):
                return None
        except httpx.RequestError as error:
            return f"{asked} {outcome_of(error)}"
        seen = f"{asked} was answered {response.status_code}, {content_of(response)}{self.start_of(response)}"
        return (
            f"{seen}, and so were a path that the API does not have and a POST of {{}}. Whatever answers there, it is "
            f"not the API. {LOOK}"
        )

    def led_elsewhere(self, asked: str, response: httpx.Response) -> str | None:
        """Why an answer is none of an API, and what to do; None if it may be one.

        Args:
            asked: What was asked for, in words.
            response: The answer.
        """
        reason = _other_than_an_api(response)
        return self.without_secrets(f"{asked} was answered {response.status_code}. {reason}") if reason else None


class _Chunks(httpx.ByteStream):
    """Content that is sent in two chunks."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        middle = len(content) // 2
        self._chunks = [chunk for chunk in (content[:middle], content[middle:]) if chunk]

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._chunks)


def _send_in_chunks(request: httpx.Request) -> None:
    """Have a request's content sent in chunks (RFC 9112, section 7.1)."""
    del request.headers["Content-Length"]
    request.headers["Transfer-Encoding"] = "chunked"
    request.stream = _Chunks(request.content)


def _other_than_an_api(response: httpx.Response) -> str | None:
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if response.is_redirect:
        place = response.headers["Location"].partition("?")[0].partition("#")[0]
        return f"HTTP: it redirects to {place[:_SHOWN]!r}, and a client of an API does not follow. {LOOK}"
    if kind in PAGES:
        return f"HTTP: a page for people answers there, of a web site, a login or a proxy, and not the API. {LOOK}"
    if response.status_code == HTTPStatus.NOT_FOUND and kind.startswith("text/"):
        return f"HTTP: nothing of the API is at this path. {LOOK}"
    return None


def content_of(response: httpx.Response) -> str:
    """What kind of content an answer has, in words."""
    return response.headers.get("Content-Type", "no content type") if response.content else "without a body"


def listed_objects(data: Any) -> bool:
    """Whether an answer's data is a list of what has an id."""
    return isinstance(data, list) and all(isinstance(each, dict) and "id" in each for each in data)


def outcome_of(error: httpx.RequestError) -> str:
    """What became of a request without a readable answer: the layer that failed, and the error's message or kind."""
    said = str(error) or type(error).__name__
    if isinstance(error, AnswerRefusedError):
        return f"got an answer that is not read to its end: {said}"
    layer = layer_of(error)
    return f"got no answer: {layer} ({said})" if layer else f"got no answer: {said}"


def request_line(response: httpx.Response) -> str:
    """The method and path of the request that was answered."""
    return f"{response.request.method} {response.request.url.path}"
