"""A client of OffBlocks: signs, digests and repeats as the documents ask, and is small enough to start your own from.

The suite sends all its requests through it; a team may use it as it is::

    client = Client("https://api.sandbox.offblocks.xyz", Credentials.from_settings({...}))
    customer = client.create_customer(wallet.account_id, external_id="user-1")
    client.sign_challenge(customer.id, wallet, customer.challenge)
"""

import base64
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, Self

import httpx
from cryptography.hazmat.primitives.asymmetric import ec

from conformance.clock import Clock
from conformance.ids import Ids
from conformance.offblocks.wallet import Wallet
from conformance.parts.client import ApiClient, ApiError, describe_error, request_line
from conformance.standards.digest_fields import content_digest
from conformance.standards.message_signatures import (
    ECDSA_P384_SHA384,
    key_from_seed,
    load_private_key,
    present,
    private_pem,
    public_pem,
    sign,
)

__all__ = [
    "DEFAULT_COMPONENTS",
    "ApiError",
    "Client",
    "Credentials",
    "Customer",
    "RequestSigner",
    "Token",
    "made_up_credentials",
    "refused_access",
]

DEFAULT_COMPONENTS = (
    "@method",
    "@path",
    "@query",
    "content-digest",
    "content-type",
    "idempotency-key",
    "authorization",
)
"""What a signature covers, as far as the request has it; no visible document says what it must."""

_RENEW_BEFORE = timedelta(seconds=60)
_REFUSED_ACCESS = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_BEARER_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")


@dataclass(frozen=True)
class Credentials:
    """What one API client authenticates with.

    Args:
        api_key: The API key.
        api_secret: The API secret.
        signing_key: The private key of the registered public key, on P-384.
        signing_key_id: The id that registering it gave.
    """

    api_key: str
    api_secret: str = field(repr=False)
    signing_key: ec.EllipticCurvePrivateKey
    signing_key_id: str

    @classmethod
    def from_settings(cls, settings: Mapping[str, str]) -> Self:
        """Credentials from texts, the signing key as PEM.

        Args:
            settings: ``api_key``, ``api_secret``, ``signing_key`` and ``signing_key_id``.

        Raises:
            KeyRejected: If the signing key is not a private key on P-384 in PEM.
        """
        return cls(
            settings["api_key"],
            settings["api_secret"],
            load_private_key(settings["signing_key"]),
            settings["signing_key_id"],
        )


@dataclass(frozen=True)
class Token:
    """A bearer token.

    Args:
        text: What goes into Authorization after ``Bearer``.
        expires_at: When it expires (UTC).
    """

    text: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True)
class Customer:
    """A customer as the API shows it.

    Args:
        id: Its id.
        external_id: The caller's own id for it.
        chain_id: Its wallet as a CAIP-10 account id.
        status: Its state.
        created_at: When it was created (UTC).
        updated_at: When it last changed (UTC).
        challenge: The challenge in base64, right after creation only.
    """

    id: str
    external_id: str
    chain_id: str
    status: str
    created_at: datetime
    updated_at: datetime
    challenge: str | None = None

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read a customer.

        Raises:
            KeyError: If a member is missing.
            TypeError: If a member is no string.
            ValueError: If a time is none.
        """
        return cls(
            id=_text(data, "id"),
            external_id=_text(data, "externalId"),
            chain_id=_text(data, "chainId"),
            status=_text(data, "status"),
            created_at=datetime.fromisoformat(_text(data, "createdAt")),
            updated_at=datetime.fromisoformat(_text(data, "updatedAt")),
            challenge=_text(data, "challenge") if "challenge" in data else None,
        )


class RequestSigner(httpx.Auth):
    """Digests and signs a request as the last thing before it is sent (RFC 9530, RFC 9421).

    Args:
        key: The private key.
        key_id: Its id at the API.
        clock: What tells the time of signing.
        components: What to cover, as far as the request has it.
        deterministic: Whether equal requests of one second get equal signatures, which a server may take for replays.
    """

    requires_request_body = True

    def __init__(
        self,
        key: ec.EllipticCurvePrivateKey,
        key_id: str,
        clock: Clock,
        components: Sequence[str] = DEFAULT_COMPONENTS,
        *,
        deterministic: bool = False,
    ) -> None:
        self.deterministic = deterministic
        self.key = key
        self.key_id = key_id
        self.clock = clock
        self.components = tuple(components)

    def auth_flow(self, request: httpx.Request) -> Any:
        """Add the digest and the signature to `request`."""
        self.digest(request)
        self.sign(request)
        yield request

    def digest(self, request: httpx.Request) -> None:
        """Add Content-Digest if there is a body."""
        if request.content:
            request.headers["Content-Digest"] = content_digest(request.content)

    def sign(self, request: httpx.Request) -> None:
        """Add Signature-Input and Signature."""
        url, headers = str(request.url), request.headers.multi_items()
        request.headers.update(
            sign(
                request.method,
                url,
                headers,
                key=self.key,
                key_id=self.key_id,
                components=present(self.components, request.method, url, headers),
                created=self.clock.now(),
                algorithm=ECDSA_P384_SHA384,
                deterministic=self.deterministic,
            )
        )


class Client(ApiClient):
    """A client of OffBlocks.

    Args:
        base_url: Where the API is, without ``/v1``.
        credentials: What to authenticate with.
        transport: What sends requests; a new one if none is given.
        clock: What tells the time, and waits between tries.
        ids: Where idempotency keys come from.
        components: What signatures cover, as far as a request has it.
    """

    def __init__(
        self,
        base_url: str,
        credentials: Credentials,
        *,
        transport: httpx.BaseTransport | None = None,
        clock: Clock | None = None,
        ids: Ids | None = None,
        components: Sequence[str] = DEFAULT_COMPONENTS,
    ) -> None:
        super().__init__(base_url, transport=transport, clock=clock, ids=ids)
        self.credentials = credentials
        self.signer = RequestSigner(credentials.signing_key, credentials.signing_key_id, self.clock, components)
        self._token: Token | None = None

    @property
    def secrets(self) -> Iterable[str | None]:
        """What no error may show: the API secret and the token."""
        return self.credentials.api_secret, self._token.text if self._token else None

    # ------------------------------------------------------------------------------------- one request, as it is told

    def send(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        content: bytes | None = None,
        idempotency_key: str | None = None,
        headers: Mapping[str, str] | None = None,
        authorization: str | None = None,
        auth: httpx.Auth | None = None,
        extensions: Mapping[str, Any] | None = None,
    ) -> httpx.Response:
        """Send one request and give its answer, whatever it is; nothing is repeated.

        Args:
            method: The method.
            path: The path below the base URL, with its query.
            body: What to send as JSON; None for no body.
            content: Bytes to send as JSON instead of `body`.
            idempotency_key: The Idempotency-Key; None for none.
            headers: Further headers.
            authorization: The Authorization header; None for none.
            auth: What digests and signs; None for neither.
            extensions: httpx's request extensions.

        Raises:
            httpx.RequestError: If no answer came, or one that cannot be decoded.
        """
        fields = dict(headers or {})
        if idempotency_key is not None:
            fields["Idempotency-Key"] = idempotency_key
        if authorization is not None:
            fields["Authorization"] = authorization
        return self.send_request(
            method, path, body=body, content=content, headers=fields, auth=auth, extensions=extensions
        )

    # ------------------------------------------------------------------------------------------------ authentication

    def request_token(self) -> Token:
        """Ask for a new token (document Authentication); its form is that of RFC 6750, section 2.1.

        Raises:
            ApiError: If the credentials were refused, or the answer holds no token.
        """
        body = {"apiKey": self.credentials.api_key, "apiSecret": self.credentials.api_secret}
        try:
            response = self.send("POST", "/v1/auth/token", body=body)
        except httpx.RequestError as error:
            raise ApiError(f"POST /v1/auth/token got no answer: {describe_error(error)}") from error
        data = self.parsed_object(self._expected(response, HTTPStatus.OK))
        try:
            token, expires_at = _text(data, "token"), datetime.fromtimestamp(int(data["expiresAt"]), UTC)
        except (KeyError, OSError, OverflowError, TypeError, ValueError) as error:
            raise ApiError(f"The answer to {request_line(response)} holds no token and expiresAt.", response) from error
        if not _BEARER_TOKEN.fullmatch(token):
            raise ApiError(f"The token in the answer to {request_line(response)} is no bearer token.", response)
        return Token(token, expires_at)

    def token(self) -> Token:
        """The token that was given last, or a new one if that lives for less than a minute.

        Raises:
            ApiError: If no token is given.
        """
        if self._token is None or self._token.expires_at - self.clock.now() < _RENEW_BEFORE:
            self._token = self.request_token()
        return self._token

    def authorization(self) -> str:
        """The Authorization header with such a token.

        Raises:
            ApiError: If no token is given.
        """
        return f"Bearer {self.token().text}"

    def register_signing_key(self, public_key: ec.EllipticCurvePublicKey) -> str:
        """Register or replace the key that verifies signatures, and give its id (document Request Signatures).

        Raises:
            ApiError: If it was refused.
        """
        body = {"publicKey": base64.b64encode(public_pem(public_key).encode()).decode()}
        return self._member(self._call("PUT", "/v1/auth/signing", 200, body=body), "keyId")

    # ----------------------------------------------------------------------------------------------------- customers

    def create_customer(self, account_id: str, external_id: str) -> Customer:
        """Create a customer for a wallet (document Customer Creation).

        Args:
            account_id: The wallet as a CAIP-10 account id.
            external_id: Your own id for the customer.

        Raises:
            ApiError: If it was refused, with 409 if the customer exists.
        """
        body = {"chainId": account_id, "externalId": external_id}
        return self._customer(self._call("POST", "/v1/customers", 201, body=body))

    def customers(self) -> list[Customer]:
        """All customers of this API client.

        Raises:
            ApiError: If they cannot be read.
        """
        response = self._call("GET", "/v1/customers", 200)
        entries = self.parsed(response)
        try:
            if isinstance(entries, list):
                return [Customer.from_json(entry) for entry in entries]
        except (KeyError, TypeError, ValueError) as error:
            raise ApiError(
                f"The answer to {request_line(response)} is no list of customers: {error!r}", response
            ) from error
        raise ApiError(f"The answer to {request_line(response)} is no JSON array.", response)

    def customer(self, customer_id: str) -> Customer:
        """One customer.

        Raises:
            ApiError: If there is none.
        """
        return self._customer(self._call("GET", f"/v1/customers/{customer_id}", 200))

    def challenge(self, customer_id: str) -> str:
        """The customer's present challenge in base64 (document Customer Creation).

        Raises:
            ApiError: If there is none.
        """
        return self._member(self._call("GET", f"/v1/customers/{customer_id}/challenge", 200), "challenge")

    def sign_challenge(self, customer_id: str, wallet: Wallet, challenge: str, *, domain: str | None = None) -> None:
        """Have the wallet sign a challenge and send the signature (document Customer Creation).

        Args:
            customer_id: The customer.
            wallet: The customer's wallet.
            challenge: The challenge in base64, as it was issued.
            domain: The domain that must ask for the sign-in; None for any.

        Raises:
            ChallengeRefused: If the challenge is not a sign-in for this wallet.
            ApiError: If the signature was refused; a new challenge is to be fetched then.
        """
        body = {
            "ownerId": wallet.account_id,
            "challenge": challenge,
            "signature": wallet.answer(challenge, domain=domain),
        }
        self._call("POST", f"/v1/customers/{customer_id}/challenge/sign", 204, body=body)

    def simulate_verification(self, customer_id: str) -> None:
        """Let the customer's verification succeed; in the vendor's sandbox only (document Simulator).

        Raises:
            ApiError: If it was refused.
        """
        self._call("PATCH", f"/v1/simulator/customers/{customer_id}/verify", 202)

    def simulate_rejection(self, customer_id: str) -> None:
        """Let the customer's verification fail; in the vendor's sandbox only (document Simulator).

        Raises:
            ApiError: If it was refused.
        """
        self._call("PATCH", f"/v1/simulator/customers/{customer_id}/reject", 202)

    def register_webhook(self, callback_url: str, types: Sequence[str] = ("customer.updated",)) -> str:
        """Have events sent to an address, and give the webhook's id (document Webhooks).

        Raises:
            ApiError: If it was refused.
        """
        body = {"callbackUrl": callback_url, "types": list(types)}
        return self._member(self._call("PUT", "/v1/webhooks", 200, body=body), "id")

    def _call(self, method: str, path: str, status: int, *, body: object = None) -> httpx.Response:
        """Send a request and expect `status`; repeated with the same key where no answer or a 5xx came."""
        key = None if method == "GET" else str(self.ids.uuid())

        def send() -> httpx.Response:
            return self.send(
                method, path, body=body, idempotency_key=key, authorization=self.authorization(), auth=self.signer
            )

        return self._expected(self.send_until_answered(f"{method} {path}", send), status)

    def _expected(self, response: httpx.Response, status: int) -> httpx.Response:
        """`response` if it has `status`.

        Raises:
            ApiError: If it has another.
        """
        if response.status_code != status:
            raise ApiError(
                f"{request_line(response)} was answered {response.status_code} instead of {status}"
                f"{self.refusal_text(response)}",
                response,
            )
        return response

    def _member(self, response: httpx.Response, name: str) -> str:
        """A text in an answer.

        Raises:
            ApiError: If it is not there.
        """
        try:
            return _text(self.parsed_object(response), name)
        except (KeyError, TypeError) as error:
            raise self.error(f"The answer to {request_line(response)} holds no {name}.", response) from error

    def _customer(self, response: httpx.Response) -> Customer:
        """The customer in an answer.

        Raises:
            ApiError: If it is none.
        """
        try:
            return Customer.from_json(self.parsed_object(response))
        except (KeyError, TypeError, ValueError) as error:
            raise self.error(f"The answer to {request_line(response)} is no customer: {error!r}", response) from error


def made_up_credentials(ids: Ids) -> dict[str, str]:
    """Credentials that no server knows, as texts by the names of the settings; for replays and sandboxes.

    Args:
        ids: What they are derived from.
    """
    return {
        "api_key": str(ids.uuid()),
        "api_secret": ids.draw(20).hex(),
        "signing_key": private_pem(key_from_seed(ids.draw(64))),
        "signing_key_id": str(ids.uuid()),
    }


def refused_access(base_url: str, settings: Mapping[str, str], transport: httpx.BaseTransport) -> str | None:
    """Why a server does not let these credentials in, None if it does; a token and one signed GET are asked for.

    Args:
        base_url: Where the API is, without ``/v1``.
        settings: What to authenticate with, and ``components`` if other than the default ones are to be signed.
        transport: What sends.
    """
    components = settings.get("components", "").split() or DEFAULT_COMPONENTS
    client = Client(base_url, Credentials.from_settings(settings), transport=transport, components=components)
    try:
        authorization = client.authorization()
    except ApiError as error:
        return f"Asked for a token at {base_url}: {error}"
    return client.refused_access(
        f"GET {base_url}/v1/customers, with a token and a signature,",
        lambda: client.send("GET", "/v1/customers", authorization=authorization, auth=client.signer),
        statuses=_REFUSED_ACCESS,
        advice="Compare the signing key, its id and what the signature covers with what the server knows.",
    )


def _text(data: Mapping[str, Any], name: str) -> str:
    value = data[name]
    if not isinstance(value, str):
        raise TypeError(f"{name} is no string")
    return value
