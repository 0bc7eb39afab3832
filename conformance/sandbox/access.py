"""Who may use the control routes: what runs on this machine, and no page that a browser has open."""

from collections.abc import Iterable
from http import HTTPStatus
from urllib.parse import urlsplit

from conformance.bounds.urls import is_loopback
from conformance.exchange import Request, Response
from conformance.sandbox.messages import problem

_OF_A_FORM = {"application/x-www-form-urlencoded", "multipart/form-data", "text/plain"}
"""What a page may send elsewhere without asking first (Fetch, CORS-safelisted request-header)."""


class Access:
    """Tells requests of a page elsewhere from those of a test.

    A name that somebody else has lead to this machine is no loopback host, and a page that sends a request names its
    origin, or can choose no other content type than that of a form.

    Args:
        allowed_hosts: The hosts besides those of loopback at which control is asked for, without a port.
    """

    def __init__(self, allowed_hosts: Iterable[str] = ()) -> None:
        self._allowed = {host.lower().strip("[]") for host in allowed_hosts}

    def refusal(self, request: Request) -> Response | None:
        """The answer to a request that may not use the control routes; None for one that may."""
        asked = urlsplit(request.url)
        host = asked.hostname or ""
        if not is_loopback(host) and host not in self._allowed:
            return problem(
                HTTPStatus.FORBIDDEN,
                f"The control routes answer to a loopback Host alone, and this request asks for {host!r}. "
                f"Use 127.0.0.1, or start the sandbox with --allow-host {host}",
            )
        origin = request.header("origin")
        if origin is not None and origin.lower() != f"{asked.scheme}://{asked.netloc}".lower():
            return problem(HTTPStatus.FORBIDDEN, f"The control routes are not for a page of {origin!r:.200}.")
        if request.header("sec-fetch-site") in {"cross-site", "same-site"}:
            return problem(HTTPStatus.FORBIDDEN, "The control routes are not for a page of another site.")
        kind = (request.header("content-type") or "").partition(";")[0].strip().lower()
        if request.body and kind in _OF_A_FORM:
            return problem(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
                f"The control routes take application/json, and this body is called {kind}, as a page's form could be. "
                "With curl, give --json instead of -d, or -H 'Content-Type: application/json' besides.",
            )
        return None
