"""A server that stands before a reference sandbox and answers some requests in a way that means harm."""

import contextlib
import http.client
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

_LARGEST_HEAD = 64 * 1024
_LAST_CHUNK = b"0\r\n\r\n"
_PATIENCE = 120.0
"""Seconds after which a connection that nobody uses ends."""


@dataclass(frozen=True)
class Asked:
    """A request.

    Args:
        method: Its method.
        target: Its target, as it was sent.
        head: Its whole head.
        headers: Its header fields, names in lower case.
        body: Its body.
    """

    method: str
    target: str
    head: bytes
    headers: Mapping[str, str]
    body: bytes


Answered = tuple[int, list[tuple[str, str]], bytes]
"""An answer: status, header fields and body."""
Harm = Callable[[socket.socket, Asked, Callable[[], Answered]], None]
"""Answers a request on a connection; the last argument asks the sandbox."""


def well_behaved(connection: socket.socket, asked: Asked, ask: Callable[[], Answered]) -> None:
    """Answer as the sandbox does."""
    del asked
    send(connection, *ask())


def send(connection: socket.socket, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
    """Send a whole answer."""
    kept = [(name, value) for name, value in headers if name.lower() not in {"content-length", "transfer-encoding"}]
    lines = "".join(f"{name}: {value}\r\n" for name, value in [*kept, ("Content-Length", str(len(body)))])
    connection.sendall(f"HTTP/1.1 {status} Some\r\n{lines}\r\n".encode("latin-1") + body)


@contextmanager
def hostile(upstream: int, harm: Harm, where: Callable[[Asked], bool]) -> Iterator[str]:
    """Serve while the context lasts.

    Args:
        upstream: The port of a sandbox on this machine.
        harm: What answers the requests that are chosen.
        where: What chooses them.

    Yields:
        The origin.
    """
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listening:
        ended = threading.Event()

        def accept() -> None:
            while not ended.is_set():
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                threading.Thread(target=_serve, args=(connection, upstream, harm, where), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            ended.set()
            with contextlib.suppress(OSError):
                listening.shutdown(socket.SHUT_RDWR)


def _serve(connection: socket.socket, upstream: int, harm: Harm, where: Callable[[Asked], bool]) -> None:
    connection.settimeout(_PATIENCE)
    with connection, contextlib.suppress(OSError, http.client.HTTPException):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        read = b""
        while True:
            while b"\r\n\r\n" not in read:
                data = connection.recv(65_536)
                if not data or len(read) > _LARGEST_HEAD:
                    return
                read += data
            head, _, read = read.partition(b"\r\n\r\n")
            line, *fields = head.decode("latin-1").split("\r\n")
            method, target, _ = line.split(" ", 2)
            headers = {name.lower(): value.strip() for name, _, value in (field.partition(":") for field in fields)}
            in_chunks = "chunked" in headers.pop("transfer-encoding", "")
            length = int(headers.get("content-length", "0"))
            while not read.endswith(_LAST_CHUNK) if in_chunks else len(read) < length:
                data = connection.recv(65_536)
                if not data:
                    return
                read += data
            body, read = (_joined(read), b"") if in_chunks else (read[:length], read[length:])
            if in_chunks:
                headers["content-length"] = str(len(body))
            asked = Asked(method, target, head, headers, body)
            answer = harm if where(asked) else well_behaved
            answer(connection, asked, lambda asked=asked: _ask(upstream, asked))  # type: ignore[misc]
            if headers.get("connection", "").lower() == "close":
                return


def _joined(chunks: bytes) -> bytes:
    """The content that came in chunks (RFC 9112, section 7.1), all of them."""
    body = b""
    while chunks != _LAST_CHUNK:
        size, _, rest = chunks.partition(b"\r\n")
        length = int(size, 16)
        body, chunks = body + rest[:length], rest[length + len(b"\r\n") :]
    return body


def _ask(upstream: int, asked: Asked) -> Answered:
    connection = http.client.HTTPConnection("127.0.0.1", upstream, timeout=_PATIENCE)
    try:
        connection.putrequest(asked.method, asked.target, skip_host=True, skip_accept_encoding=True)
        for name, value in asked.headers.items():
            connection.putheader(name, value)
        connection.endheaders(asked.body or None)
        answer = connection.getresponse()
        return answer.status, answer.getheaders(), answer.read()
    finally:
        connection.close()


def reset(connection: socket.socket) -> None:
    """Close a connection so that the other side sees it reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
