"""The target of a request as it was sent: ASGI gives path and query, which hide whether an empty query had its `?`."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import STATUS_PHRASES, H11Protocol

EXTENSION = "conformance.request_target"
_LARGEST_HEAD = 64 * 1024
"""Bytes that the head of a request may have, as with uvicorn's own connections."""
_MOST_UNREAD, _SECONDS_UNREAD = 16 * 1024 * 1024, 2.0
"""What is still taken of a request that was refused, and for how long."""

# uvicorn looks up the phrase of a status, and knows none above 599, which a proxy passes on (RFC 9110, section 15).
STATUS_PHRASES.update({status: STATUS_PHRASES.get(status, b"") for status in range(600, 1000)})


def target_of(scope: Mapping[str, Any]) -> bytes:
    """The target as it stands in the request line (RFC 9112, section 3.2).

    Args:
        scope: The scope of an ASGI application. Without the extension of `AsSentProtocol` the target is put together
            from path and query, and has no `?` if the query is empty.
    """
    target = scope.get("extensions", {}).get(EXTENSION)
    if isinstance(target, bytes):
        return target
    return bytes(scope["raw_path"] + (b"?" + scope["query_string"] if scope["query_string"] else b""))


class AsSentProtocol(H11Protocol):
    """What uvicorn reads requests with; it gives the application the target as an extension of its scope."""

    def __init__(self, config: uvicorn.Config, **others: Any) -> None:
        super().__init__(config, **others)
        self.conn = self._connection = _Connection(h11.SERVER, config.h11_max_incomplete_event_size or _LARGEST_HEAD)
        self._left_unread: int | None = None
        self._application = self.app
        with_target: Any = self._with_target
        self.app = with_target

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no request, or one with a head that is too long, so that its sender gets to read that.

        A connection that is closed with something unread is reset, and the answer lost with it.
        """
        status = self._connection.refused_with
        if status != HTTPStatus.BAD_REQUEST:
            msg = f"The head of a request may have {_LARGEST_HEAD} bytes."
        fields = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
        for event in (
            h11.Response(status_code=status, headers=fields, reason=HTTPStatus(status).phrase.encode()),
            h11.Data(data=msg.encode("ascii")),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event) or b"")
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._left_unread = _MOST_UNREAD
        self.loop.call_later(_SECONDS_UNREAD, self.transport.close)

    def data_received(self, data: bytes) -> None:
        """Take what has come, unless the connection only waits for its end."""
        if self._left_unread is None:
            super().data_received(data)
            return
        self._left_unread -= len(data)
        if self._left_unread < 0:
            self.transport.close()

    async def _with_target(self, scope: Any, receive: Any, send: Any) -> None:
        extensions = {**scope.get("extensions", {}), EXTENSION: self._connection.target}
        await self._application({**scope, "extensions": extensions}, receive, send)


class _Connection(h11.Connection):
    """Remembers the target of the request that it is at; the next one is read when this one has been answered."""

    target = b""
    refused_with: int = HTTPStatus.BAD_REQUEST

    def next_event(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        try:
            event = super().next_event()
        except h11.RemoteProtocolError as error:
            self.refused_with = error.error_status_hint
            raise
        if isinstance(event, h11.Request):
            self.target = event.target
        return event
