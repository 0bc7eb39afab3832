"""What schemathesis' own command needs to be taken for a client: credentials, and a signature over the final bytes.

Loaded through ``SCHEMATHESIS_HOOKS``. ``CONFORMANCE_API``, ``CONFORMANCE_BASE_URL`` and ``CONFORMANCE_CREDENTIALS``
(JSON, as the sandbox gives them) say for whom. The credentials are an auth provider, so that schemathesis can leave
them out where it wants to see a refusal; the signature covers whatever is sent. Without two more helps all that comes
after would be refused: a key that schemathesis removed or replaced is registered again, and a UUID that it made for an
idempotency key is given version 4, which both APIs ask for and no format of JSON Schema says.
"""

import json
import os
from typing import Any
from uuid import UUID

import httpx
import requests
import schemathesis

from conformance.offblocks.client import ApiError, Client, Credentials
from conformance.planbok.messages import KEY_HEADER

CREDENTIALS = json.loads(os.environ["CONFORMANCE_CREDENTIALS"])
IS_OFFBLOCKS = os.environ["CONFORMANCE_API"] == "offblocks"
CLIENT = Client(os.environ["CONFORMANCE_BASE_URL"], Credentials.from_settings(CREDENTIALS)) if IS_OFFBLOCKS else None
BAD_REQUEST = 400
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
        """The header and its value; a token that nobody issued if the API gives none."""
        del case, context
        if CLIENT is None:
            return KEY_HEADER, CREDENTIALS["api_key"]
        try:
            return "Authorization", CLIENT.authorization()
        except ApiError:
            return "Authorization", "Bearer none"

    def set(self, case: Any, data: tuple[str, str], context: Any) -> None:
        """Put it into a case."""
        del context
        case.headers = {**(case.headers or {}), data[0]: data[1]}


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
    if CLIENT and case.path == "/v1/auth/signing" and response.status_code < BAD_REQUEST:
        CLIENT.signer.key_id = CLIENT.register_signing_key(CLIENT.credentials.signing_key.public_key())
