"""Registers the public key of a user's settings, which gives it the id that requests are signed under."""

import base64
import ssl

from conformance import ConformanceError
from conformance.bounds.transport import BoundedTransport
from conformance.offblocks.client import ApiError, Client, Credentials
from conformance.offblocks.settings import OffBlocksSettings
from conformance.settings import ServerSettings, SettingsError, checked_base_url, prefix_of, read
from conformance.standards.message_signatures import public_pem

_NEEDED = ("api_key", "api_secret", "signing_key")


def registered_key() -> str:
    """Register the public key of the first identity, in place of any that is registered, and give its id.

    The request is not signed: before the first key is registered there is nothing to sign with (Request Signatures).

    Raises:
        SettingsError: If a setting is missing or wrong.
        ConformanceError: If the API does not take the key.
    """
    settings, prefix = OffBlocksSettings(), prefix_of("offblocks")
    own = read(ServerSettings, prefix)
    given = settings.given()[0].get("first", {})
    missing = [f"{prefix}{name.upper()}" for name in _NEEDED if name not in given]
    if missing:
        raise SettingsError(f"To register a key, set {', '.join(missing)}.")
    url = checked_base_url(own.base_url, api="offblocks", version="/v1")
    credentials = Credentials.from_settings({**given, "signing_key_id": "none yet"})
    transport = BoundedTransport(ssl.create_default_context(cafile=own.ca_file))
    with Client(url, credentials, transport=transport) as client:
        try:
            body = {"publicKey": base64.b64encode(public_pem(credentials.signing_key).encode()).decode()}
            response = client.send(
                "PUT",
                "/v1/auth/signing",
                body=body,
                idempotency_key=str(client.ids.uuid()),
                authorization=client.authorization(),
            )
            if not response.is_success:
                raise client.error(
                    f"PUT /v1/auth/signing was answered {response.status_code}{client.start_of(response)}"
                )
            key_id = client.parsed_object(response).get("keyId")
        except ApiError as error:
            raise ConformanceError(f"The key is not registered: {error}") from error
    if not isinstance(key_id, str):
        raise ConformanceError("The key is perhaps registered, but the answer to PUT /v1/auth/signing holds no keyId.")
    return key_id
