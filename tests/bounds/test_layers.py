"""A request without an answer tells which layer did not work, and what to do."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from conformance.bounds.layers import layer_of
from conformance.bounds.transport import BoundedTransport
from tools.certificate import serving_context

Serve = Callable[[socket.socket], None]


@contextmanager
def listening(serve: Serve) -> Iterator[int]:
    """A port at which the next connection is served in a thread."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            with suppress(OSError), server.accept()[0] as connection:
                serve(connection)

        thread = threading.Thread(target=accept)
        thread.start()
        yield server.getsockname()[1]
        thread.join()


def layer(url: str, trust: ssl.SSLContext | None = None) -> str:
    """The layer that fails when a URL is asked for."""
    transport = BoundedTransport(trust or ssl.create_default_context())
    with (
        httpx.Client(transport=transport, trust_env=False, timeout=0.3) as client,
        pytest.raises(httpx.RequestError) as caught,
    ):
        client.get(url)
    return layer_of(caught.value)


def speaking_tls(context: ssl.SSLContext) -> Serve:
    def serve(connection: socket.socket) -> None:
        with suppress(OSError), context.wrap_socket(connection, server_side=True) as secure:
            secure.recv(1)

    return serve


def plain(connection: socket.socket) -> None:
    connection.recv(1000)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")


def test_a_name_that_leads_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(*_given: object, **_more: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    assert (
        layer("http://nobody.invalid")
        == "DNS: the name nobody.invalid leads nowhere; look at the URL, and at the network"
    )


def test_a_dead_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert layer(f"http://127.0.0.1:{port}").startswith("TCP: nothing listens at this port; ")


def test_a_port_for_plain_http() -> None:
    with listening(plain) as port:
        assert layer(f"https://127.0.0.1:{port}").startswith("TLS: this port speaks plain HTTP, ")


def test_a_port_for_tls(tmp_path: Path) -> None:
    with listening(speaking_tls(serving_context(tmp_path))) as port:
        said = layer(f"http://127.0.0.1:{port}")
    assert said.startswith("HTTP: the server ended the connection, or answered what is no HTTP; so does a port for TLS")


def test_a_certificate_that_nobody_knows(tmp_path: Path) -> None:
    with listening(speaking_tls(serving_context(tmp_path))) as port:
        said = layer(f"https://127.0.0.1:{port}")
    assert said.startswith("TLS: nobody who is trusted has signed the certificate (self-signed certificate); ")
    assert "CONFORMANCE_CA_FILE" in said


@pytest.mark.parametrize(
    ("host", "age", "told"),
    [
        ("elsewhere.example", timedelta(), "TLS: the certificate is one of another host than 127.0.0.1; "),
        ("127.0.0.1", timedelta(days=20), "TLS: the certificate is out of its time (certificate has expired); "),
        ("127.0.0.1", timedelta(days=-2), "TLS: the certificate is out of its time (certificate is not yet valid); "),
    ],
)
def test_a_certificate_that_is_trusted_but_does_not_fit(tmp_path: Path, host: str, age: timedelta, told: str) -> None:
    context = serving_context(tmp_path, host, age=age)
    trust = ssl.create_default_context(cafile=str(tmp_path / "certificate.pem"))
    with listening(speaking_tls(context)) as port:
        assert layer(f"https://127.0.0.1:{port}", trust).startswith(told)


def test_tls_that_cannot_be_agreed_on(tmp_path: Path) -> None:
    context = serving_context(tmp_path)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    trust = ssl.create_default_context()
    trust.minimum_version = ssl.TLSVersion.TLSv1_3
    with listening(speaking_tls(context)) as port:
        assert layer(f"https://127.0.0.1:{port}", trust).startswith("TLS: no connection could be agreed on (")


def test_a_server_that_says_nothing() -> None:
    over = threading.Event()
    with listening(lambda _connection: (over.wait(3), None)[1]) as port:
        assert layer(f"http://127.0.0.1:{port}") == "HTTP: the server took the request and says nothing"
        over.set()


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (httpx.ConnectTimeout(""), "TCP: the host does not answer at all; "),
        (httpx.ConnectError(""), "TCP: the host cannot be reached; "),
        (httpx.ReadError(""), "HTTP: the server ended the connection, "),
        (httpx.DecodingError(""), ""),
    ],
)
def test_what_has_no_further_cause(error: httpx.RequestError, told: str) -> None:
    error.request = httpx.Request("GET", "https://api.example")
    assert layer_of(error).startswith(told)
    assert bool(layer_of(error)) == bool(told)


def test_an_error_without_its_request_tells_nothing() -> None:
    assert layer_of(httpx.ConnectError("refused")) == ""


def test_errors_that_came_of_each_other_are_looked_at_once() -> None:
    one, other = httpx.UnsupportedProtocol(""), ValueError()
    one.request = httpx.Request("GET", "https://api.example")
    one.__context__, other.__context__ = other, one
    assert layer_of(one) == ""
