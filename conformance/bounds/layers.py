"""Why a request got no answer: which layer did not work, from the name of the host up to HTTP, and what to do."""

import socket
import ssl
from collections.abc import Iterator

import httpx

__all__ = ["layer_of"]

_NO_TLS = {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE"}
"""What OpenSSL calls it if what answers a greeting of TLS is none."""


def layer_of(error: httpx.RequestError) -> str:
    """Which layer did not work and what to do, as a sentence without its full stop; empty if nothing tells.

    Args:
        error: What came instead of an answer.
    """
    try:
        url = error.request.url
    except RuntimeError:  # it was raised without its request
        return ""
    by_cause = (_below_http(cause, url.host) for cause in _causes(error))
    return next(filter(None, by_cause), "") or _by_kind(error, url)


def _below_http(cause: BaseException, host: str) -> str:
    match cause:
        case ssl.SSLCertVerificationError():
            return f"TLS: {_distrust(cause, host)}"
        case ssl.SSLError(reason=reason) if reason in _NO_TLS:
            return "TLS: this port speaks plain HTTP, or something else that is no TLS; look at the port of the URL"
        case ssl.SSLError():
            return f"TLS: no connection could be agreed on ({cause.reason or cause})"
        case socket.gaierror():
            return f"DNS: the name {host} leads nowhere; look at the URL, and at the network"
        case ConnectionRefusedError():
            return "TCP: nothing listens at this port; look at the URL, and whether the server runs"
    return ""


def _by_kind(error: httpx.RequestError, url: httpx.URL) -> str:
    match error:
        case httpx.ConnectTimeout():
            return "TCP: the host does not answer at all; look at the URL, and whether a firewall is between"
        case httpx.ConnectError():
            return "TCP: the host cannot be reached; look at the URL, and at the network"
        case httpx.ReadTimeout():
            return "HTTP: the server took the request and says nothing"
        case httpx.RemoteProtocolError() | httpx.ReadError() | httpx.WriteError():
            ended = "HTTP: the server ended the connection, or answered what is no HTTP"
            return (
                ended if url.scheme == "https" else f"{ended}; so does a port for TLS, whose URL begins with https://"
            )
    return ""


def _distrust(error: ssl.SSLCertVerificationError, host: str) -> str:
    """Why a certificate is not believed."""
    said = error.verify_message or str(error)
    if "mismatch" in said.lower():
        return f"the certificate is one of another host than {host}; look at the URL"
    if "expired" in said or "not yet valid" in said:
        return f"the certificate is out of its time ({said}); look at this machine's clock, or tell who runs the server"
    return (
        f"nobody who is trusted has signed the certificate ({said}); CONFORMANCE_CA_FILE names a file of those to trust"
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error and what it came of; httpcore's pool raises from None, so that the context tells."""
    seen: list[BaseException] = []
    found: BaseException | None = error
    while found is not None and found not in seen:
        seen.append(found)
        yield found
        found = found.__cause__ or found.__context__
