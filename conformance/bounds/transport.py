"""Sends requests and reads their answers up to a limit of size and of time, however they are sent.

httpx's time-outs are those of single reads, so that an answer of a byte a second would never end, and its answers are
read and decompressed without a limit. Here one deadline counts for the whole of an exchange, interim answers, header
lines and the body together, and a body is counted while it is read and while it is decompressed.
"""

import ssl
import threading
import zlib
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import httpcore
import httpx

from conformance.bounds.meeting import next_meeting
from conformance.clock import passed

__all__ = [
    "DEADLINE",
    "MAX_BODY",
    "REPEATABLE",
    "WITHIN",
    "AnswerRefusedError",
    "AnswerTooLongError",
    "AnswerTooSlowError",
    "BoundedTransport",
    "CodingUnknownError",
    "Within",
]

MAX_BODY = 1024 * 1024
"""The bytes of a body that are read unless the user says otherwise."""
DEADLINE = timedelta(seconds=30)
"""How long an exchange may take from its first byte to its last."""
WITHIN = "conformance.within"
"""The request extension that holds what is stricter for this request, a `Within`."""
REPEATABLE = "conformance.repeatable"
"""The request extension that says that the body holds an idempotency key, so that the request may be sent twice."""
_BESIDES_THE_BODY = 512 * 1024
"""The bytes of interim answers, header lines, chunk sizes and trailers that are read."""
_ONCE_MORE = {"GET", "HEAD"}
"""The methods that are asked again over a new connection (RFC 9110, section 9.2.2)."""
_WINDOWS = {"gzip": zlib.MAX_WBITS | 16, "x-gzip": zlib.MAX_WBITS | 16, "deflate": zlib.MAX_WBITS}


class AnswerRefusedError(httpx.RequestError):
    """An answer came, but is not read to its end; asking again would not help."""


class AnswerTooLongError(AnswerRefusedError):
    """An answer is longer than what is read."""


class AnswerTooSlowError(AnswerRefusedError):
    """An answer was not there in time, though something came of it now and then."""


class CodingUnknownError(AnswerRefusedError):
    """A body is in a content coding that is not taken off, since nobody asked for it and nothing limits it."""


class Within:
    """What is stricter for some requests than for others.

    Args:
        max_body: The bytes of a body that are read.
        seconds: How long all requests together may take that are given this object.
        limit: What limits the body, in words, for messages.
    """

    def __init__(self, max_body: int, seconds: float, limit: str) -> None:
        self.max_body = max_body
        self.limit = limit
        self.seconds = seconds
        self.until = passed() + seconds


class _Watch(threading.local):
    """What is known of the exchange that a thread makes now."""

    until = 0.0
    most = 0
    received = 0
    connected = False

    def begin(self, until: float, most: int) -> None:
        """An exchange begins that may last to an instant, and be so many bytes long as they come."""
        self.until, self.most, self.received, self.connected = until, most, 0, False

    def left(self, timeout: float | None) -> float:
        """The seconds that are left for one read or write.

        Raises:
            httpcore.ReadTimeout: If there are none.
        """
        left = self.until - passed()
        if left <= 0:
            raise httpcore.ReadTimeout("the time is over")
        return left if timeout is None else min(left, timeout)


class _TooManyBytesError(httpcore.ReadError):
    """More came than an answer may be long."""


class _Stream(httpcore.NetworkStream):
    """A connection whose reads and writes end at the deadline of the exchange."""

    def __init__(self, inner: httpcore.NetworkStream, watch: _Watch) -> None:
        self._inner = inner
        self._watch = watch

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read what has come."""
        data = self._inner.read(max_bytes, self._watch.left(timeout))
        self._watch.received += len(data)
        if self._watch.received > self._watch.most:
            raise _TooManyBytesError("too many bytes")
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write."""
        self._inner.write(buffer, self._watch.left(timeout))

    def close(self) -> None:
        """Close the connection."""
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """The same connection with TLS."""
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, self._watch.left(timeout)), self._watch)

    def get_extra_info(self, info: str) -> Any:
        """What else is known of the connection."""
        return self._inner.get_extra_info(info)


class _Backend(httpcore.NetworkBackend):
    """Opens connections that keep the deadline."""

    def __init__(self, watch: _Watch) -> None:
        self._watch = watch
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect."""
        self._watch.connected = True
        left = self._watch.left(timeout)
        return _Stream(self._inner.connect_tcp(host, port, left, local_address, socket_options), self._watch)

    def sleep(self, seconds: float) -> None:
        """Wait between tries to connect, of which there is one."""


class BoundedTransport(httpx.BaseTransport):
    """Sends requests of clients; several threads may use it at once.

    A connection that turns out to be closed before anything of an answer came, though it was in use before, is opened
    again once, for requests that may be sent twice: of GET, and those with an idempotency key.

    Args:
        trust: The certificates to trust; None for those that httpx trusts.
        max_body: The bytes of a body that are read.
        deadline: How long an exchange may take.
        keepalive: Seconds after which an unused connection is closed; None for never.
        pool: What has connections; None for sockets, which keep the deadline while they read and write.
    """

    def __init__(
        self,
        trust: ssl.SSLContext | None = None,
        *,
        max_body: int = MAX_BODY,
        deadline: timedelta = DEADLINE,
        keepalive: float | None = 5.0,
        pool: httpcore.ConnectionPool | None = None,
    ) -> None:
        self._max_body = max_body
        self._seconds = deadline.total_seconds()
        self._watch = _Watch()
        self._pool = pool or httpcore.ConnectionPool(
            ssl_context=trust, keepalive_expiry=keepalive, network_backend=_Backend(self._watch)
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, and read its answer to the end.

        Raises:
            AnswerRefusedError: If the answer is too long, takes too long or is in an unknown content coding.
            httpx.TransportError: If there is no answer.
        """
        within = request.extensions.get(WITHIN) or Within(
            self._max_body, self._seconds, "CONFORMANCE_MAX_BODY=BYTES raises that limit"
        )
        self._watch.begin(within.until, within.max_body + _BESIDES_THE_BODY)
        try:
            try:
                return self._exchange(request, within)
            except (httpcore.RemoteProtocolError, httpcore.ReadError, httpcore.WriteError):
                if self._watch.connected or self._watch.received or not _may_be_repeated(request):
                    raise
                return self._exchange(request, within)
        except _TooManyBytesError as error:
            raise _too_long(within) from error
        except httpcore.TimeoutException as error:
            if passed() >= within.until:
                raise AnswerTooSlowError(f"it took longer than {within.seconds:g} s") from error
            raise _as_of_httpx(error) from error
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.UnsupportedProtocol) as error:
            raise _as_of_httpx(error) from error

    def _exchange(self, request: httpx.Request, within: Within) -> httpx.Response:
        url, meeting = request.url, next_meeting()
        sent = httpcore.Request(
            method=request.method,
            url=httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=request.headers.raw,
            content=request.stream if meeting is None else meeting.body(request.read()),
            extensions=request.extensions,
        )
        answer = self._pool.handle_request(sent)
        parts, length = [], 0
        try:
            for part in answer.iter_stream():
                parts.append(part)
                length += len(part)
                if length > within.max_body:
                    raise _too_long(within)
        finally:
            answer.close()
        response = httpx.Response(
            answer.status,
            headers=answer.headers,
            stream=httpx.ByteStream(b"".join(parts)),
            extensions=answer.extensions,
        )
        if length:
            _check_decoded(response, b"".join(parts), within)
        return response

    def close(self) -> None:
        """Close the connections."""
        self._pool.close()


def _may_be_repeated(request: httpx.Request) -> bool:
    is_whole = isinstance(request.stream, httpx.ByteStream)
    has_key = "Idempotency-Key" in request.headers or request.extensions.get(REPEATABLE, False)
    return is_whole and (request.method in _ONCE_MORE or has_key)


def _too_long(within: Within) -> AnswerTooLongError:
    return AnswerTooLongError(f"it is longer than {within.max_body:,} bytes; {within.limit}")


def _as_of_httpx(error: Exception) -> httpx.TransportError:
    """An error of httpcore under the name that it has in httpx."""
    kind = getattr(httpx, type(error).__name__, httpx.TransportError)
    found: httpx.TransportError = kind(str(error))
    return found


def _check_decoded(response: httpx.Response, body: bytes, within: Within) -> None:
    """Decompress a body as far as it may be long, as httpx will do without a limit.

    Raises:
        AnswerTooLongError: If it is longer.
        CodingUnknownError: If it is in a coding that nothing limits.
    """
    codings = [coding.lower() for coding in response.headers.get_list("Content-Encoding", split_commas=True) if coding]
    unknown = [coding for coding in codings if coding not in _WINDOWS and coding != "identity"]
    if unknown:
        raise CodingUnknownError(
            f"it is in the content coding {', '.join(unknown)}, which was not asked for and is not decoded here"
        )
    for coding in reversed(codings):
        if coding == "identity":
            continue
        try:
            decoder = zlib.decompressobj(_WINDOWS[coding])
            body = decoder.decompress(body, within.max_body + 1)
        except zlib.error:
            if coding != "deflate":
                return  # httpx says what is wrong with it
            try:  # the form without a header that some servers send
                body = zlib.decompressobj(-zlib.MAX_WBITS).decompress(body, within.max_body + 1)
            except zlib.error:
                return
        if len(body) > within.max_body:
            raise _too_long(within)
