"""Authentication: credentials, tokens and the registration of signing keys."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from conformance.diagnosis.texts import summary
from conformance.diagnosis.token import TIME, diagnose_token
from conformance.exchange import Request, Response
from conformance.offblocks.sandbox.base import Decisions, is_uuid
from conformance.offblocks.sandbox.state import Call, Reason, Refused, Tenant
from conformance.sandbox.messages import json_response, to_json
from conformance.standards import message_signatures


class AuthenticationDecisions(Decisions):
    """Who sends a request, and which keys a client registers."""

    def identify(self, operation: str, request: Request) -> Tenant:
        """Who sends the request: by its credentials to obtain a token, else by its token (Authentication)."""
        if operation == "createToken":
            document = self.read_document(request)
            return self.tenant_with(self.read_member(document, "apiKey"), self.read_member(document, "apiSecret"))
        return self.authenticate(request)

    def tenant_with(self, api_key: str, api_secret: str) -> Tenant:
        """The tenant with these credentials; wrong ones are 401 (Authentication), a key that is no uuid 400."""
        if not is_uuid(api_key):
            raise Refused(Reason.BODY, "'apiKey' must be a uuid.")
        for tenant in self.tenants.values():
            if tenant.api_key == api_key.lower() and self.secret_is_right(tenant, api_secret):
                return tenant
        raise Refused(
            Reason.CREDENTIALS, "The API key is unknown, or the API secret is not the one that belongs to it."
        )

    def secret_is_right(self, tenant: Tenant, api_secret: str) -> bool:
        """Whether the secret is the tenant's (Authentication)."""
        return hmac.compare_digest(tenant.api_secret.encode(), api_secret.encode())

    def authenticate(self, request: Request) -> Tenant:
        """Who the bearer token in the request was issued to; without a good one 401 (Authentication)."""
        token = self.bearer_token(request)
        claims = self.claims_of(token)
        if not self.token_is_ours(token):
            raise Refused(Reason.TOKEN, "The bearer token was not issued by this server: its signature is not ours.")
        if self.token_has_expired(claims):
            detail = f"The bearer token has expired. Obtain another from POST /v1/auth/token. {self.clock.departure()}"
            raise Refused(Reason.TOKEN, detail.rstrip())
        return self.tenant_of(claims)

    def bearer_token(self, request: Request) -> str:
        """The token in the Authorization header (Authentication, RFC 6750 section 2.1)."""
        value = request.header("authorization")
        if value is None:
            raise Refused(
                Reason.TOKEN,
                "There is no Authorization header. Send 'Bearer ' and a token from POST /v1/auth/token.",
            )
        scheme, _, token = value.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            detail = (
                f"The Authorization header must be 'Bearer ' and a token. {self.wrong_with(f'Authorization: {value}')}"
            )
            raise Refused(Reason.TOKEN, detail.rstrip())
        return token.strip()

    def wrong_with(self, text: str) -> str:
        """What is wrong with the form of a token, or of the header line that has it; empty if that is not known."""
        if not self.explains:
            return ""
        diagnosis = diagnose_token(text, self.now())
        return summary(replace(diagnosis, parts=tuple(part for part in diagnosis.parts if part.name != TIME)))

    def claims_of(self, token: str) -> dict[str, Any]:
        """What a token claims; the documents print JSON Web Tokens signed with HS256 (Authentication)."""
        try:
            header, claims = (json.loads(_from_base64url(part)) for part in token.split(".")[:2])
            if token.count(".") == 2 and header["alg"] == "HS256" and isinstance(claims["exp"], int):  # noqa: PLR2004
                return dict(claims)
        except (ValueError, TypeError, KeyError, RecursionError):
            pass
        detail = "The bearer token is malformed: it must be the JSON Web Token of POST /v1/auth/token."
        raise Refused(Reason.TOKEN, f"{detail} {self.wrong_with(token)}".rstrip())

    def token_is_ours(self, token: str) -> bool:
        """Whether this server signed the token (Authentication)."""
        signed, _, signature = token.rpartition(".")
        return hmac.compare_digest(self.signature_of_token(signed).encode(), signature.encode())

    def token_has_expired(self, claims: Mapping[str, Any]) -> bool:
        """Whether the token's time is over, from the very second of ``exp`` (RFC 7519 section 4.1.4)."""
        return self.now().timestamp() >= int(claims["exp"])

    def tenant_of(self, claims: Mapping[str, Any]) -> Tenant:
        """The tenant that a token names; the step guide's token has the claim ``Id`` (Authentication)."""
        for tenant in self.tenants.values():
            if tenant.id == claims.get("Id"):
                return tenant
        raise Refused(Reason.TOKEN, "The bearer token names nobody whom this server knows.")

    def token_lifetime(self) -> timedelta:
        """How long a token holds: 1 hour (Authentication, step guide)."""
        return timedelta(hours=1)

    def token_type(self) -> str:
        """The type of the token (Authentication)."""
        return "Bearer"

    def new_token(self, tenant: Tenant, expires_at: int) -> str:
        """A token with the claims of the step guide's sample (Authentication).

        Args:
            tenant: Whom it is for.
            expires_at: When it stops to hold, in seconds since 1970 (UTC).
        """
        claims = {"exp": expires_at, "Id": tenant.id, "Generation": 0}
        signed = ".".join(_to_base64url(to_json(part)) for part in ({"alg": "HS256", "typ": "JWT"}, claims))
        return f"{signed}.{self.signature_of_token(signed)}"

    def signature_of_token(self, signed: str) -> str:
        """The third part of a token, over the first two (RFC 7515 section 3.1)."""
        return _to_base64url(hmac.digest(self.token_secret, signed.encode(), hashlib.sha256))

    async def create_token(self, call: Call) -> Response:
        """Issue a token (Authentication)."""
        expires_at = int((self.now() + self.token_lifetime()).timestamp())
        token = self.new_token(call.tenant, expires_at)
        return json_response(HTTPStatus.OK, {"token": token, "expiresAt": expires_at, "tokenType": self.token_type()})

    def signature_is_required(self, operation: str) -> bool:
        """Whether the operation must be signed.

        All authenticated requests must (Request Signatures); the first signing key cannot be registered so, and the
        blocks of the ``/auth`` operations list no signature (Authentication).
        """
        return operation not in {"createToken", "putSigningKey", "deleteSigningKey"}

    def load_signing_key(self, pem: str) -> ec.EllipticCurvePublicKey:
        """The public key in a PEM text, on P-384 (Request Signatures).

        Raises:
            KeyRejected: If it is another.
        """
        return message_signatures.load_public_key(pem)

    def new_signing_key_id(self) -> str:
        """The id of a newly registered key; a unique one is generated (Request Signatures), of silent form: a uuid."""
        return str(self.registration_ids.uuid())

    def keys_after_registration(
        self, tenant: Tenant, key_id: str, key: ec.EllipticCurvePublicKey
    ) -> dict[str, ec.EllipticCurvePublicKey]:
        """The tenant's keys once `key` is registered: that one alone, in place of the last (Request Signatures)."""
        return {key_id: key}

    async def put_signing_key(self, call: Call) -> Response:
        """Register a public key, sent as base64 of its PEM text (Request Signatures; names of members are silent)."""
        text = self.read_member(self.read_document(call.request), "publicKey")
        try:
            pem = base64.b64decode(text, validate=True).decode()
            key = self.load_signing_key(pem)
        except message_signatures.KeyRejected as rejection:
            raise Refused(Reason.SIGNING_KEY, str(rejection)) from rejection
        except ValueError as error:
            hint = " It is the PEM text itself: encode that in base64 first." if "-----BEGIN" in text else ""
            raise Refused(Reason.SIGNING_KEY, f"'publicKey' must be base64 of a PEM text.{hint}") from error
        key_id = self.new_signing_key_id()
        call.tenant.signing_keys = self.keys_after_registration(call.tenant, key_id, key)
        return json_response(HTTPStatus.OK, {"keyId": key_id})

    async def delete_signing_key(self, call: Call) -> Response:
        """Remove the registered key for good (Request Signatures; the status is silent: 204)."""
        call.tenant.signing_keys = {}
        return Response(status=HTTPStatus.NO_CONTENT)


def _to_base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _from_base64url(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
