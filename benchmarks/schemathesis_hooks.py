"""What schemathesis' own command needs to be taken for a client: credentials, and a signature over the final bytes.

Loaded through ``SCHEMATHESIS_HOOKS``. ``CONFORMANCE_API``, ``CONFORMANCE_BASE_URL`` and ``CONFORMANCE_CREDENTIALS``
(JSON: the credentials that the sandbox gives each identity, by the value of its header) say for whom. Which identity
sends a request schemathesis decides, from the document of two peers that ``beside_schemathesis.py`` writes; the
signature covers whatever is sent, with the key of that identity. Without two more helps all that comes after would be
refused: a key that schemathesis removed or replaced is registered again, and a UUID that it made for an idempotency key
is given version 4, which both APIs ask for and no format of JSON Schema says.
"""

import json
import os
from typing import Any
from uuid import UUID

import httpx
import requests
import schemathesis

from conformance.offblocks.client import Client, Credentials

CLIENTS = {
    header: Client(os.environ["CONFORMANCE_BASE_URL"], Credentials.from_settings(credentials))
    for header, credentials in json.loads(os.environ["CONFORMANCE_CREDENTIALS"]).items()
    if os.environ["CONFORMANCE_API"] == "offblocks"
}
"""The clients that sign, by the header of the identity; none for an API without signatures."""

BAD_REQUEST = 400
SIGNED = ("content-digest", "signature-input", "signature")


def client_of(headers: Any) -> Client | None:
    """Whoever sends a request with these headers; the first identity where they name none."""
    return CLIENTS.get(str((headers or {}).get("Authorization"))) or next(iter(CLIENTS.values()), None)


class Signing(requests.auth.AuthBase):
    """Digests and signs a request as it is about to leave, with the suite's own client."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Replace what was made up by what is right."""
        client = client_of(request.headers)
        if client is None or str(request.path_url).endswith("/auth/token"):
            return request
        for name in SIGNED:
            request.headers.pop(name, None)
        body = request.body.encode() if isinstance(request.body, str) else request.body
        headers = [
            (name, value if isinstance(value, str) else value.decode()) for name, value in request.headers.items()
        ]
        content = body if isinstance(body, bytes) else b""
        sent = httpx.Request(str(request.method), str(request.url), headers=headers, content=content)
        client.signer.digest(sent)
        client.signer.sign(sent)
        request.headers.update({name: sent.headers[name] for name in SIGNED if name in sent.headers})
        return request


def of_version_4(members: Any, name: str) -> None:
    """Give a member that is a UUID version 4; leave all else as it is."""
    try:
        members[name] = str(UUID(members[name], version=4))
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        return


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    """Complete the idempotency key, and have the request signed when it is complete."""
    del context
    of_version_4(case.headers, "Idempotency-Key")
    of_version_4(case.body, "idempotencyKey")
    kwargs["auth"] = Signing()


@schemathesis.hook
def after_call(context: Any, case: Any, response: Any) -> None:
    """Register the key again that signs, if schemathesis just removed or replaced it."""
    del context
    client = client_of(case.headers)
    if client and case.path == "/v1/auth/signing" and response.status_code < BAD_REQUEST:
        client.signer.key_id = client.register_signing_key(client.credentials.signing_key.public_key())
