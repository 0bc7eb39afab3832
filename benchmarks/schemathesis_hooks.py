"""What schemathesis' own command needs to be taken for a client: credentials, and a signature over the final bytes.

Loaded through ``SCHEMATHESIS_HOOKS``. ``CONFORMANCE_API``, ``CONFORMANCE_BASE_URL`` and ``CONFORMANCE_CREDENTIALS``
(JSON, as the sandbox gives them) say for whom. The credentials are an auth provider, so that schemathesis can leave
them out where it wants to see a refusal; the signature covers whatever is sent.
"""

import json
import os
from typing import Any

import httpx
import requests
import schemathesis

from conformance.offblocks.client import Client, Credentials
from conformance.planbok.messages import KEY_HEADER

CREDENTIALS = json.loads(os.environ["CONFORMANCE_CREDENTIALS"])
IS_OFFBLOCKS = os.environ["CONFORMANCE_API"] == "offblocks"
CLIENT = Client(os.environ["CONFORMANCE_BASE_URL"], Credentials.from_settings(CREDENTIALS)) if IS_OFFBLOCKS else None
SIGNED = ("content-digest", "signature-input", "signature")


class Signing(requests.auth.AuthBase):
    """Digests and signs a request as it is about to leave, with the suite's own client."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Replace what was made up by what is right."""
        if CLIENT is None or str(request.path_url).endswith("/auth/token"):
            return request
        for name in SIGNED:
            request.headers.pop(name, None)
        body = request.body.encode() if isinstance(request.body, str) else request.body
        headers = [
            (name, value if isinstance(value, str) else value.decode()) for name, value in request.headers.items()
        ]
        content = body if isinstance(body, bytes) else b""
        sent = httpx.Request(str(request.method), str(request.url), headers=headers, content=content)
        CLIENT.signer.digest(sent)
        CLIENT.signer.sign(sent)
        request.headers.update({name: sent.headers[name] for name in SIGNED if name in sent.headers})
        return request


@schemathesis.auth()
class Authentication:
    """The API key, or a bearer token."""

    def get(self, case: Any, context: Any) -> tuple[str, str]:
        """The header and its value."""
        del case, context
        return ("Authorization", CLIENT.authorization()) if CLIENT else (KEY_HEADER, CREDENTIALS["api_key"])

    def set(self, case: Any, data: tuple[str, str], context: Any) -> None:
        """Put it into a case."""
        del context
        case.headers = {**(case.headers or {}), data[0]: data[1]}


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    """Have the request signed when it is complete."""
    del context, case
    kwargs["auth"] = Signing()
