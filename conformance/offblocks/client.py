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
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, Self
from urllib.parse import quote

import httpx
from cryptography.hazmat.primitives.asymmetric import ec

from conformance.bounds.transport import REPEATABLE
from conformance.clock import Clock
from conformance.ids import Ids
from conformance.offblocks.signer import DEFAULT_COMPONENTS, RequestSigner, SignatureForm
from conformance.offblocks.tokens import USUAL_LIFE, said_end
from conformance.offblocks.wallet import Wallet
from conformance.parts.client import LOOK, ApiClient, ApiError, content_of, listed_objects, outcome_of, request_line
from conformance.standards.message_signatures import (
    key_from_seed,
    load_private_key,
    private_pem,
    public_pem,
)
from conformance.standards.spellings import PLAIN, Spelling

__all__ = [
    "DEFAULT_COMPONENTS",
    "ApiError",
    "Client",
    "Credentials",
    "Customer",
    "RequestSigner",
    "SignatureForm",
    "Token",
    "listed_customers",
    "made_up_credentials",
    "refused_access",
]

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

    api_key: str = field(repr=False)
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
        expires_at: When it expires (UTC), in an hour if the answer does not say.
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


class Client(ApiClient):
    """A client of OffBlocks.

    Args:
        base_url: Where the API is, without ``/v1``.
        credentials: What to authenticate with.
        transport: What sends requests; a new one if none is given.
        clock: What tells the time, and waits between tries.
        ids: Where idempotency keys come from.
        components: What signatures cover, as far as a request has it.
        form: What a server wants of signatures besides; then it says what they cover.
        spelling: How requests are written.
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
        form: SignatureForm | None = None,
        spelling: Spelling = PLAIN,
    ) -> None:
        super().__init__(base_url, transport=transport, clock=clock, ids=ids, spelling=spelling)
        self.credentials = credentials
        self.signer = RequestSigner(
            credentials.signing_key,
            credentials.signing_key_id,
            self.clock,
            spelling.components(form.components if form else components),
            form=form,
            ids=self.ids.child("nonces"),
        )
        self._token: Token | None = None

    @property
    def secrets(self) -> Iterable[str | None]:
        """What no error may show: the API key and secret, and the token."""
        return self.credentials.api_key, self.credentials.api_secret, self._token.text if self._token else None

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
            response = self.send("POST", "/v1/auth/token", body=body, extensions={REPEATABLE: True})
        except httpx.RequestError as error:
            raise ApiError(f"POST /v1/auth/token {outcome_of(error)}") from error
        data = self.parsed_object(self._expected(response, HTTPStatus.OK))
        try:
            token = _text(data, "token")
        except (KeyError, TypeError, ValueError) as error:
            raise ApiError(f"The answer to {request_line(response)} holds no token.", response) from error
        if not _BEARER_TOKEN.fullmatch(token):
            raise ApiError(f"The token in the answer to {request_line(response)} is no bearer token.", response)
        return Token(token, said_end(data, token) or self.clock.now() + USUAL_LIFE)

    def forget_token(self) -> None:
        """Have the next call that needs a token ask for a new one."""
        self._token = None

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
        """Send a request and expect `status`; repeated with the same key where no answer or a 5xx came.

        A token can be over before its time: a 401 to one that an earlier call has used is answered once with a new one.
        """
        key = None if method == "GET" else str(self.ids.uuid())
        before = self._token

        def send() -> httpx.Response:
            return self.send(
                method, path, body=body, idempotency_key=key, authorization=self.authorization(), auth=self.signer
            )

        response = self.send_until_answered(f"{method} {path}", send)
        if response.status_code == HTTPStatus.UNAUTHORIZED and before is not None and self._token is before:
            self.forget_token()
            response = self.send_until_answered(f"{method} {path}", send)
        return self._expected(response, status)

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


def listed_customers(base_url: str, settings: Mapping[str, str], transport: httpx.BaseTransport) -> frozenset[str]:
    """The ids of the customers that are listed for these credentials; none if no list can be read.

    Args:
        base_url: Where the API is, without ``/v1``.
        settings: As for `refused_access`.
        transport: What sends.
    """
    form = SignatureForm.from_settings(settings)
    client = Client(base_url, Credentials.from_settings(settings), transport=transport, form=form)
    try:
        return frozenset(customer.id for customer in client.customers())
    except ApiError:
        return frozenset()


def removed_webhook(
    base_url: str, settings: Mapping[str, str], transport: httpx.BaseTransport, webhook_id: str
) -> bool:
    """Remove a webhook (page Webhooks of the vendor's reference); gives whether it is gone.

    Args:
        base_url: Where the API is, without ``/v1``.
        settings: As for `refused_access`.
        transport: What sends.
        webhook_id: Its id.
    """
    form = SignatureForm.from_settings(settings)
    client = Client(base_url, Credentials.from_settings(settings), transport=transport, form=form)
    path = f"/v1/webhooks/{quote(webhook_id, safe='')}"
    try:
        authorization, key = client.authorization(), str(client.ids.uuid())
        response = client.send("DELETE", path, idempotency_key=key, authorization=authorization, auth=client.signer)
    except (ApiError, httpx.HTTPError):
        return False
    return response.is_success or response.status_code == HTTPStatus.NOT_FOUND


def refused_access(base_url: str, settings: Mapping[str, str], transport: httpx.BaseTransport) -> str | None:
    """Why a server does not let these credentials in, None if it does; a token and one signed GET are asked for.

    Args:
        base_url: Where the API is, without ``/v1``.
        settings: What to authenticate with, and what signatures are to be like if not as usual.
        transport: What sends.
    """
    form = SignatureForm.from_settings(settings)
    client = Client(base_url, Credentials.from_settings(settings), transport=transport, form=form)
    try:
        authorization = client.authorization()
    except ApiError as error:
        return _no_token(client, error)
    return client.refused_access(
        f"GET {base_url}/v1/customers, with a token and a signature,",
        lambda: client.send("GET", "/v1/customers", authorization=authorization, auth=client.signer),
        statuses=_REFUSED_ACCESS,
        advice="Compare the signing key, its id and what the signature covers with what the server knows.",
        is_known=_is_list,
        controls=(
            lambda: client.send("GET", f"/v1/{client.ids.uuid()}", authorization=authorization, auth=client.signer),
            lambda: client.send(
                "POST",
                "/v1/customers",
                body={},
                idempotency_key=str(client.ids.uuid()),
                authorization=authorization,
                auth=client.signer,
            ),
        ),
    )


def _is_list(response: httpx.Response) -> bool:
    try:
        return listed_objects(response.json())
    except (ValueError, RecursionError):
        return False


def _no_token(client: Client, error: ApiError) -> str:
    """Why no token was given, and what to do."""
    asked, response = f"Asked for a token at {client.base_url}: POST /v1/auth/token", error.response
    elsewhere = client.led_elsewhere(asked, response) if response else None
    if elsewhere:
        return elsewhere
    if response is not None and response.is_success:
        seen = f"It had the status {response.status_code}, {content_of(response)}, and {len(response.content)} bytes."
        return f"Asked for a token at {client.base_url}: {error} {seen} {LOOK}"
    is_refused = response is not None and response.status_code in _REFUSED_ACCESS
    advice = " Compare the API key and the secret with those that OffBlocks shows." if is_refused else ""
    return f"Asked for a token at {client.base_url}: {error}{advice}"


def _text(data: Mapping[str, Any], name: str) -> str:
    value = data[name]
    if not isinstance(value, str):
        raise TypeError(f"{name} is no string")
    return value
