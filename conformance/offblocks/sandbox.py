"""The reference OffBlocks: what the documents say, strictly, and where they are silent the likeliest choice.

Every choice is one method, a decision, whose docstring names the document that it follows; a fault or a variation
overrides one of them. Documents are cited by the titles of their pages; "silent" means that none speaks of it.
"""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from conformance.clock import Clock
from conformance.exchange import Headers, Request, Response
from conformance.ids import Ids
from conformance.offblocks import api
from conformance.sandbox.deliveries import AddressRefused, Outbox
from conformance.sandbox.messages import (
    BodyRejected,
    json_response,
    problem,
    read_object,
    read_text,
    to_json,
    to_rfc3339,
)
from conformance.sandbox.service import TENANTS, Operation, Service, method_name
from conformance.specification import Specification
from conformance.standards import message_signatures, personal_message, wallet_signatures
from conformance.standards.account_ids import AccountId, AccountIdRejected, checksum_address, checksum_state
from conformance.standards.digest_fields import DigestRejected, check_content_digest
from conformance.standards.message_signatures import ECDSA_P384_SHA384, SignatureRejected
from conformance.standards.sign_in_message import SignInMessage

_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class Status(StrEnum):
    """The states of a customer (Customer States)."""

    INITIATING = "initiating"
    SCREENING = "screening"
    VERIFYING = "verifying"
    ACTIVE = "active"
    REJECTED = "rejected"


class Reason(StrEnum):
    """Why a request is refused; each has its HTTP status."""

    CREDENTIALS = "credentials"
    TOKEN = "token"  # noqa: S105 - the name of a reason
    REQUEST_SIGNATURE = "request-signature"
    IDEMPOTENCY_KEY = "idempotency-key"
    KEY_IN_USE = "key-in-use"
    KEY_REUSED = "key-reused"
    CONTENT_DIGEST = "content-digest"
    BODY = "body"
    ACCOUNT_ID = "account-id"
    CUSTOMER_ID = "customer-id"
    UNKNOWN_CUSTOMER = "unknown-customer"
    DUPLICATE_CUSTOMER = "duplicate-customer"
    ALREADY_SIGNED = "already-signed"
    CHALLENGE = "challenge"
    EXPIRED_CHALLENGE = "expired-challenge"
    OWNER = "owner"
    SIGNATURE_ENCODING = "signature-encoding"
    WALLET_SIGNATURE = "wallet-signature"
    WRONG_STATUS = "wrong-status"
    SIGNING_KEY = "signing-key"
    WEBHOOK = "webhook"


_STATUSES = {
    Reason.CREDENTIALS: 401,
    Reason.TOKEN: 401,
    Reason.REQUEST_SIGNATURE: 401,
    Reason.KEY_IN_USE: 409,
    Reason.KEY_REUSED: 422,
    Reason.UNKNOWN_CUSTOMER: 404,
    Reason.DUPLICATE_CUSTOMER: 409,
    Reason.ALREADY_SIGNED: 409,
    Reason.WRONG_STATUS: 409,
}


class Refused(Exception):  # noqa: N818 - a refusal is an answer, not a failure
    """A request that is not carried out.

    Args:
        reason: Why, for programs.
        detail: What was wrong, what was expected and what to do, for people.
    """

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


@dataclass
class Webhook:
    """An address that a tenant registered for events; times are UTC."""

    id: str
    callback_url: str
    types: list[str]
    created_at: datetime
    updated_at: datetime


@dataclass(eq=False)
class Tenant:
    """One client of the API with what it was given and what it registered.

    Args:
        name: What the world calls it.
        id: What its tokens call it.
        api_key: The public half of its credentials.
        api_secret: The secret half of its credentials.
        first_key: The private key that it signs requests with until it registers another.
        first_key_id: The id of that key.
        signing_keys: The registered public keys by their ids.
        webhooks: The registered webhooks by their ids.
    """

    name: str
    id: str
    api_key: str
    api_secret: str
    first_key: ec.EllipticCurvePrivateKey
    first_key_id: str
    signing_keys: dict[str, ec.EllipticCurvePublicKey]
    webhooks: dict[str, Webhook] = field(default_factory=dict)


@dataclass(frozen=True)
class Challenge:
    """A text to be signed by a wallet.

    Args:
        message: The bytes to be signed.
        encoded: The form in which the API hands it out.
        issued_at: When it was issued (UTC).
    """

    message: bytes
    encoded: str
    issued_at: datetime


@dataclass(eq=False)
class Customer:
    """One customer of one tenant; times are UTC.

    Args:
        id: The id that the API gave.
        tenant: Whose customer it is.
        account: The wallet.
        chain_id: The wallet as the client wrote it.
        external_id: The client's own id.
        status: The state.
        created_at: When it was created.
        updated_at: When its state changed last.
        challenges: All challenges that were issued, the last of them the current one.
    """

    id: str
    tenant: Tenant
    account: AccountId
    chain_id: str
    external_id: str
    status: str
    created_at: datetime
    updated_at: datetime
    challenges: list[Challenge] = field(default_factory=list)


@dataclass
class Record:
    """What is remembered of an idempotency key.

    Args:
        payload: What was sent with it first.
        used_at: When (UTC).
        response: What was answered; None while that request is still being carried out.
    """

    payload: Hashable
    used_at: datetime
    response: Response | None = None


@dataclass(frozen=True)
class Call:
    """One request to one operation, by a known tenant.

    Args:
        operation: The operation id of the OpenAPI description.
        request: The request.
        tenant: Who sends it.
        parameters: The parameters in the path.
    """

    operation: str
    request: Request
    tenant: Tenant
    parameters: Mapping[str, str]


class OffBlocks(Service):
    """OffBlocks in one world: front end, then validation, then state.

    Args:
        clock: The clock of the world.
        ids: What all ids, nonces and keys are drawn from.
        outbox: Where events for webhooks are posted.
    """

    def __init__(self, clock: Clock, ids: Ids, outbox: Outbox) -> None:
        super().__init__(clock, ids, outbox)
        self.token_secret = ids.child("token-secret").draw(32)
        self.tenants = {name: _tenant(name, ids.child(f"tenant-{name}")) for name in TENANTS}
        self.customers: dict[str, Customer] = {}
        self.customers_by_pair: dict[Hashable, Customer] = {}
        self.records: dict[Hashable, Record] = {}
        self.customer_ids = ids.child("customers")
        self.nonces = ids.child("nonces")
        self.event_ids = ids.child("events")
        self.jitter = ids.child("jitter")
        self.registration_ids = ids.child("registrations")

    @cached_property
    def specification(self) -> Specification:
        """The description of OffBlocks."""
        return Specification.load(api.specification)

    def credentials(self, tenant: str) -> dict[str, str]:
        """The API key and secret, and the private signing key as PEM text with its id, of one tenant."""
        holder = self.tenants[tenant]
        return {
            "api_key": holder.api_key,
            "api_secret": holder.api_secret,
            "signing_key": message_signatures.private_pem(holder.first_key),
            "signing_key_id": holder.first_key_id,
        }

    def now(self) -> datetime:
        """The present instant in this world (UTC)."""
        return self.clock.now()

    # Front end

    async def perform(self, operation: Operation, request: Request, parameters: Mapping[str, str]) -> Response:
        """Identify the tenant, check signature, idempotency key and digest, then carry out the operation.

        Silent: which of several faults of one request is answered.
        """
        try:
            call = Call(operation.id, request, self.identify(operation.id, request), parameters)
            if self.signature_is_required(call.operation):
                self.check_request_signature(call)
            key = self.check_idempotency_key(call)
            if self.digest_is_required(call) or self.digest_is_checked(call):
                self.check_digest(call)
            if key is None:
                return await self.handler(call.operation)(call)
            return await self.once(call, key)
        except Refused as refusal:
            return self.refusal(refusal)

    def handler(self, operation: str) -> Callable[[Call], Awaitable[Response]]:
        """What carries out the operation of that id: the method of the same name."""
        found: Callable[[Call], Awaitable[Response]] = getattr(self, method_name(operation))
        return found

    def refusal(self, refusal: Refused) -> Response:
        """The answer to a refused request. Silent on error bodies: problem details (RFC 9457)."""
        status = self.refusal_status(refusal.reason)
        headers: Headers = (("WWW-Authenticate", "Bearer"),) if status == 401 else ()  # noqa: PLR2004
        return problem(status, refusal.detail, headers)

    def refusal_status(self, reason: Reason) -> int:
        """The status for a reason.

        The operations list 400, 401, 404 and 409 with a meaning each (Customer Creation, Authentication); a key that
        comes with another payload is 422 here where 409 is named too (Idempotency); for the rest silent: 400, and 409
        where the customer's state is in the way.
        """
        return _STATUSES.get(reason, 400)

    async def take_time(self, call: Call) -> None:
        """What passes between the checks of an operation and its effect: nothing, so that both are one step."""

    # Tokens

    def identify(self, operation: str, request: Request) -> Tenant:
        """Who sends the request: by its credentials to obtain a token, else by its token (Authentication)."""
        if operation == "createToken":
            document = self.read_document(request)
            return self.tenant_with(self.read_member(document, "apiKey"), self.read_member(document, "apiSecret"))
        return self.authenticate(request)

    def tenant_with(self, api_key: str, api_secret: str) -> Tenant:
        """The tenant with these credentials; wrong ones are 401 (Authentication), a key that is no uuid 400."""
        if not _UUID.fullmatch(api_key):
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
            raise Refused(Reason.TOKEN, "The bearer token has expired. Obtain another from POST /v1/auth/token.")
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
            raise Refused(Reason.TOKEN, "The Authorization header must be 'Bearer ' and a token.")
        return token.strip()

    def claims_of(self, token: str) -> dict[str, Any]:
        """What a token claims; the documents print JSON Web Tokens signed with HS256 (Authentication)."""
        try:
            header, claims = (json.loads(_from_base64url(part)) for part in token.split(".")[:2])
            if token.count(".") == 2 and header["alg"] == "HS256" and isinstance(claims["exp"], int):  # noqa: PLR2004
                return dict(claims)
        except (ValueError, TypeError, KeyError, RecursionError):
            pass
        raise Refused(
            Reason.TOKEN, "The bearer token is malformed: it must be the JSON Web Token of POST /v1/auth/token."
        )

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
        return json_response(200, {"token": token, "expiresAt": expires_at, "tokenType": self.token_type()})

    # Request signatures

    def signature_is_required(self, operation: str) -> bool:
        """Whether the operation must be signed.

        All authenticated requests must (Request Signatures); the first signing key cannot be registered so, and the
        blocks of the ``/auth`` operations list no signature (Authentication).
        """
        return operation not in {"createToken", "putSigningKey", "deleteSigningKey"}

    def check_request_signature(self, call: Call) -> None:
        """Refuse a request that its tenant did not sign as it is (Request Signatures)."""
        try:
            covered = self.verify_request_signature(call.tenant, call.request)
        except SignatureRejected as rejection:
            raise Refused(Reason.REQUEST_SIGNATURE, str(rejection)) from rejection
        missing = self.uncovered(call.request, covered)
        if missing:
            raise Refused(
                Reason.REQUEST_SIGNATURE,
                f"The signature must also cover {', '.join(missing)}. It covers: {', '.join(covered) or 'nothing'}.",
            )

    def verify_request_signature(self, tenant: Tenant, request: Request) -> tuple[str, ...]:
        """The components that the signatures cover, if all of them verify.

        Raises:
            SignatureRejected: If one does not.
        """
        is_dated = self.created_is_required() or "created=" in (request.header("signature-input") or "")
        return message_signatures.verify(
            request.method,
            request.url,
            request.headers,
            key_for=lambda key_id: self.signing_key_for(tenant, key_id),
            now=self.now(),
            algorithms=self.accepted_algorithms(),
            max_age=self.signature_max_age() if is_dated else None,
            max_ahead=self.signature_max_ahead() if is_dated else None,
            seen=self.seen_signatures(),
        ).components

    def accepted_algorithms(self) -> tuple[str, ...]:
        """The algorithms of request signatures: ECDSA on P-384 with SHA-384 alone (Request Signatures)."""
        return (ECDSA_P384_SHA384,)

    def signing_key_for(self, tenant: Tenant, key_id: str) -> message_signatures.PublicKey | None:
        """The key that the tenant registered under that id, if any (Request Signatures)."""
        return tenant.signing_keys.get(key_id)

    def uncovered(self, request: Request, covered: Sequence[str]) -> tuple[str, ...]:
        """What a signature should cover and does not.

        Silent on required components: the method, the path and the query in one form or another, and of the headers
        that guard a promise, Content-Digest and Idempotency-Key, those that are sent.
        """
        names = set(covered)
        missing = [] if "@method" in names else ["@method"]
        if not names & {"@target-uri", "@request-target"}:
            missing += [] if "@path" in names else ["@path"]
            missing += [] if "@query" in names or not request.query else ["@query"]
        guards = ("content-digest", "idempotency-key")
        return (*missing, *(name for name in guards if name not in names and request.header(name) is not None))

    def created_is_required(self) -> bool:
        """Whether a signature must say when it was created. Silent: it need not."""
        return False

    def signature_max_age(self) -> timedelta | None:
        """How long ago a signature may have been created, None for any time. Silent: 5 minutes."""
        return timedelta(minutes=5)

    def signature_max_ahead(self) -> timedelta | None:
        """How far in the future a signature may have been created, None for any time. Silent: 1 minute."""
        return timedelta(minutes=1)

    def seen_signatures(self) -> message_signatures.ReplayStore | None:
        """Where signatures are remembered so that none is accepted twice. Silent: none are."""
        return None

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
        del tenant
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
        return json_response(200, {"keyId": key_id})

    async def delete_signing_key(self, call: Call) -> Response:
        """Remove the registered key for good (Request Signatures; the status is silent: 204)."""
        call.tenant.signing_keys = {}
        return Response(status=204)

    # Idempotency and digest

    def idempotency_key_is_required(self, operation: str) -> bool:
        """Whether the operation needs an Idempotency-Key.

        All of POST, PUT, PATCH and DELETE do (Idempotency), but the blocks of the ``/auth`` operations list none
        (Authentication).
        """
        return operation in {"createCustomer", "signChallenge", "verifyCustomer", "rejectCustomer", "putWebhook"}

    def idempotency_key_is_well_formed(self, key: str) -> bool:
        """Whether a key has the form of a uuid (Idempotency), of any version."""
        return bool(_UUID.fullmatch(key))

    def check_idempotency_key(self, call: Call) -> str | None:
        """The key of a request that needs one, None for another; without a good one 400 (Idempotency)."""
        if not self.idempotency_key_is_required(call.operation):
            return None
        key = call.request.header("idempotency-key")
        if key is None:
            raise Refused(
                Reason.IDEMPOTENCY_KEY,
                "There is no Idempotency-Key. Send a uuid, a new one for each new payload and the same for a retry.",
            )
        if not self.idempotency_key_is_well_formed(key):
            raise Refused(Reason.IDEMPOTENCY_KEY, "The Idempotency-Key must be a uuid: 8-4-4-4-12 hex digits.")
        return key

    def digest_is_required(self, call: Call) -> bool:
        """Whether the request needs a Content-Digest.

        Signed requests with a body do (Request Signatures): the operations with one, and any other that has one.
        """
        takes_body = call.operation in {"createCustomer", "signChallenge", "putWebhook"}
        return takes_body or (bool(call.request.body) and self.signature_is_required(call.operation))

    def digest_is_checked(self, call: Call) -> bool:
        """Whether a Content-Digest is looked at where none is needed. Silent: if there is one."""
        return call.request.header("content-digest") is not None

    def check_digest(self, call: Call) -> None:
        """Refuse a body without its right digest: 400 (Customer Creation, Request Signatures)."""
        try:
            self.check_content_digest(call.request.body, call.request.header("content-digest"))
        except DigestRejected as rejection:
            raise Refused(Reason.CONTENT_DIGEST, str(rejection)) from rejection

    def check_content_digest(self, body: bytes, value: str | None) -> None:
        """Check the digest. Silent on algorithms: those that RFC 9530 lists as active.

        Raises:
            DigestRejected: If it is missing or wrong.
        """
        check_content_digest(body, value)

    async def once(self, call: Call, key: str) -> Response:
        """Carry out the operation, unless the key says that this was done before (Idempotency)."""
        scope, payload = self.idempotency_scope(call, key), self.payload(call)
        record = self.find_record(scope)
        if record is not None:
            if not self.same_payload(record.payload, payload):
                raise Refused(
                    Reason.KEY_REUSED,
                    "This Idempotency-Key came with another payload before. Use a new key for a new payload.",
                )
            if record.response is None:
                return await self.answer_while_in_use(record)
            return self.answer_again(record.response)
        record = self.records[scope] = Record(payload, self.now())
        try:
            record.response = await self.answer_first(call)
        finally:
            if record.response is None or not self.remembers(record.response):
                self.records.pop(scope, None)
        return record.response

    async def answer_first(self, call: Call) -> Response:
        """The answer of an operation that is carried out now, be it a refusal."""
        try:
            return await self.handler(call.operation)(call)
        except Refused as refusal:
            return self.refusal(refusal)

    def idempotency_scope(self, call: Call, key: str) -> Hashable:
        """Within what a key must be unique. Silent: the tenant. Letter case does not tell uuids apart (RFC 9562)."""
        return call.tenant.name, key.lower()

    def idempotency_lifetime(self) -> timedelta:
        """How long a key is remembered from its first use: 1 hour (Idempotency)."""
        return timedelta(hours=1)

    def find_record(self, scope: Hashable) -> Record | None:
        """What is remembered of a key, if its time is not over (Idempotency)."""
        record = self.records.get(scope)
        if record is None or self.now() - record.used_at >= self.idempotency_lifetime():
            return None
        return record

    def payload(self, call: Call) -> Hashable:
        """What must be the same in a retry. Silent: method, path, query and the bytes of the body."""
        return call.request.method, call.request.path, call.request.query, call.request.body

    def same_payload(self, first: Hashable, now: Hashable) -> bool:
        """Whether a request is a retry of the first with its key (Idempotency)."""
        return first == now

    async def answer_while_in_use(self, record: Record) -> Response:
        """The answer to a retry while the first request is under way: 409 (Idempotency)."""
        del record
        raise Refused(
            Reason.KEY_IN_USE,
            "A request with this Idempotency-Key is being carried out. Repeat this one later with the same key.",
        )

    def answer_again(self, response: Response) -> Response:
        """The answer to a retry: identical to the first (Idempotency)."""
        return response

    def remembers(self, response: Response) -> bool:
        """Whether an answer is given to retries too. Silent on errors: all that are the client's doing."""
        return response.status < 500  # noqa: PLR2004

    # Bodies

    def read_document(self, request: Request) -> dict[str, Any]:
        """The members of the JSON object in a body; 400 without one (Customer Creation)."""
        if not self.content_type_is_accepted(request.header("content-type")):
            raise Refused(Reason.BODY, "The Content-Type must be application/json.")
        try:
            return read_object(request.body)
        except BodyRejected as rejection:
            raise Refused(Reason.BODY, str(rejection)) from rejection

    def content_type_is_accepted(self, content_type: str | None) -> bool:
        """Whether a body of that type is read. Silent on other types: only JSON, also when no type is given."""
        return content_type is None or content_type.partition(";")[0].strip().lower() == "application/json"

    def read_member(self, document: Mapping[str, Any], name: str) -> str:
        """The string that is required under `name`; 400 without one (Customer Creation)."""
        try:
            return read_text(document, name)
        except BodyRejected as rejection:
            raise Refused(Reason.BODY, str(rejection)) from rejection

    def read_account(self, text: str, name: str) -> AccountId:
        """The account that a CAIP-10 id names; 400 for another text (Customer Creation, Blockchain Identifiers)."""
        try:
            account = AccountId.parse(text)
        except AccountIdRejected as rejection:
            raise Refused(Reason.ACCOUNT_ID, f"{name!r} is not a CAIP-10 account id. {rejection}") from rejection
        if not self.chain_is_supported(account):
            raise Refused(
                Reason.ACCOUNT_ID, f"{name!r} must be an account in the namespace eip155, not {account.chain}."
            )
        if not self.checksum_is_accepted(account):
            raise Refused(
                Reason.ACCOUNT_ID,
                f"The address in {name!r} fails its EIP-55 checksum: a digit or a letter's case is wrong. "
                f"With these digits it would be {checksum_address(account.address)}.",
            )
        return account

    def chain_is_supported(self, account: AccountId) -> bool:
        """Whether accounts of that chain can sign in: EVM networks only (Sign in With X)."""
        return account.chain.namespace == "eip155"

    def checksum_is_accepted(self, account: AccountId) -> bool:
        """Whether the letter case of an address will do. Silent: a checksum, if any, must be right (EIP-55)."""
        return checksum_state(account.address) != "wrong"

    # Customers

    async def create_customer(self, call: Call) -> Response:
        """Create a customer with its first challenge: 201 (Customer Creation)."""
        document = self.read_document(call.request)
        chain_id, external_id = self.read_member(document, "chainId"), self.read_member(document, "externalId")
        account = self.read_account(chain_id, "chainId")
        duplicate = self.find_duplicate(call.tenant, account, external_id)
        if duplicate is not None:
            return self.answer_to_duplicate(duplicate)
        await self.take_time(call)
        now = self.now()
        customer = Customer(
            id=self.new_customer_id(call.tenant, account, external_id),
            tenant=call.tenant,
            account=account,
            chain_id=chain_id,
            external_id=external_id,
            status=self.initial_status(),
            created_at=now,
            updated_at=now,
        )
        self.issue_challenge(customer)
        self.customers[customer.id] = customer
        self.customers_by_pair[self.pair(call.tenant, account, external_id)] = customer
        self.announce(customer)
        return json_response(201, self.creation_body(customer))

    def pair(self, tenant: Tenant, account: AccountId, external_id: str) -> Hashable:
        """What only one customer has: the pair of account and external id (Customer Creation).

        Silent on letter case and on other tenants: case does not tell accounts apart, tenants do.
        """
        return tenant.name, str(account).lower(), external_id

    def find_duplicate(self, tenant: Tenant, account: AccountId, external_id: str) -> Customer | None:
        """The customer that has the pair already, whatever its state (Customer Creation)."""
        return self.customers_by_pair.get(self.pair(tenant, account, external_id))

    def answer_to_duplicate(self, customer: Customer) -> Response:
        """The answer to a second creation: 409 (Customer Creation).

        Whether that holds while the first is still ``initiating`` is contradicted; here it does.
        """
        raise Refused(
            Reason.DUPLICATE_CUSTOMER,
            f"There is a customer with this chainId and externalId already: {customer.id}, {customer.status}.",
        )

    def new_customer_id(self, tenant: Tenant, account: AccountId, external_id: str) -> str:
        """The id of a new customer: a uuid (Customer Creation), of silent version and origin: 4, random."""
        del tenant, account, external_id
        return str(self.customer_ids.uuid())

    def initial_status(self) -> str:
        """The state of a new customer (Customer Creation, Customer States)."""
        return Status.INITIATING

    def customer_body(self, customer: Customer) -> dict[str, Any]:
        """A customer as responses and events show it (Customers)."""
        return {
            "id": customer.id,
            "externalId": customer.external_id,
            "chainId": customer.chain_id,
            "status": customer.status,
            "createdAt": self.format_time(customer.created_at),
            "updatedAt": self.format_time(customer.updated_at),
        }

    def creation_body(self, customer: Customer) -> dict[str, Any]:
        """A customer as the response to its creation shows it: with the challenge (Customer Creation)."""
        return {**self.customer_body(customer), **self.challenge_body(self.current_challenge(customer))}

    def format_time(self, instant: datetime) -> str:
        """A time in a body: the form is example only, as in RFC 3339 in UTC with some fraction digits, here 6."""
        return to_rfc3339(instant)

    async def list_customers(self, call: Call) -> Response:
        """The tenant's customers (Customers). Silent on the form of the list: a bare array, oldest first."""
        customers = [customer for customer in self.customers.values() if self.is_listed_for(call.tenant, customer)]
        for customer in customers:
            self.progress(customer)
        return json_response(200, [self.customer_body(customer) for customer in customers])

    def is_listed_for(self, tenant: Tenant, customer: Customer) -> bool:
        """Whether the tenant's list has the customer: if it is the tenant's own (Customers)."""
        return customer.tenant is tenant

    async def get_customer(self, call: Call) -> Response:
        """One customer (Customer Verification)."""
        return json_response(200, self.customer_body(self.find_customer(call)))

    def find_customer(self, call: Call) -> Customer:
        """The customer that the path names; 404 if there is none for this tenant (Customer Creation)."""
        customer_id = call.parameters["customerId"]
        if not self.customer_id_is_well_formed(customer_id):
            raise Refused(Reason.CUSTOMER_ID, "The customer id in the path must be a uuid: 8-4-4-4-12 hex digits.")
        customer = self.customers.get(customer_id.lower())
        if customer is None or not self.is_visible_to(call.tenant, customer):
            raise Refused(Reason.UNKNOWN_CUSTOMER, f"There is no customer {customer_id}.")
        self.progress(customer)
        return customer

    def customer_id_is_well_formed(self, customer_id: str) -> bool:
        """Whether an id in a path can be a customer's: if it is a uuid (Customer Creation); others are 400."""
        return bool(_UUID.fullmatch(customer_id))

    def is_visible_to(self, tenant: Tenant, customer: Customer) -> bool:
        """Whether the tenant gets to the customer by its id. Silent: only its own, others are as if they were not."""
        return customer.tenant is tenant

    # Challenges

    def issue_challenge(self, customer: Customer) -> None:
        """Give the customer a new challenge, which takes the place of the one before (Customer Creation)."""
        now = self.now()
        message = self.challenge_text(customer.account, now).encode()
        customer.challenges.append(Challenge(message, self.encode_challenge(message), now))

    def challenge_text(self, account: AccountId, now: datetime) -> str:
        """The text to be signed: a sign-in message of EIP-4361 (Sign in With X)."""
        return str(
            SignInMessage(
                domain=self.challenge_domain(),
                address=self.challenge_address(account),
                statement=self.challenge_statement(),
                uri=self.challenge_uri(),
                version="1",
                chain_id=self.challenge_chain_id(account),
                nonce=self.new_nonce(),
                issued_at=self.challenge_issued_at(now),
            )
        )

    def challenge_domain(self) -> str:
        """Who asks for the signature: the host of the documented sandbox (Customer Creation)."""
        return "api.sandbox.offblocks.xyz"

    def challenge_uri(self) -> str:
        """What the signature is for: the URL of the documented sandbox (Customer Creation)."""
        return "https://api.sandbox.offblocks.xyz"

    def challenge_statement(self) -> str | None:
        """What the wallet shows its owner. The documents print one line, as an example (Customer Creation)."""
        return "OffBlocks asks you to prove that this wallet is yours."

    def challenge_address(self, account: AccountId) -> str:
        """Whose signature is asked for: the wallet that the customer was created with, with its EIP-55 checksum.

        Contradicted: the printed creation names one address and its challenge another (Customer Creation).
        """
        return checksum_address(account.address)

    def challenge_chain_id(self, account: AccountId) -> int:
        """The chain of the wallet, as in the customer's chainId (Customer Creation)."""
        return int(account.chain.reference)

    def new_nonce(self) -> str:
        """A nonce of 16 letters and digits, as in the printed challenge (Customer Creation); EIP-4361 asks for 8."""
        return self.nonces.alphanumeric(16)

    def challenge_issued_at(self, now: datetime) -> str:
        """When the challenge was issued: to the second, in UTC, as in the printed challenge (Customer Creation)."""
        return now.replace(microsecond=0).isoformat().replace("+00:00", "Z")

    def encode_challenge(self, message: bytes) -> str:
        """The form in which a challenge is handed out: standard base64 (Customer Creation)."""
        return base64.b64encode(message).decode()

    def challenge_lifetime(self) -> timedelta:
        """How long a challenge can be signed from its issue: 1 hour (Customer Creation)."""
        return timedelta(hours=1)

    def challenge_has_expired(self, challenge: Challenge) -> bool:
        """Whether a challenge's time is over (Customer Creation); silent on the very second of it: it still holds."""
        return self.now() - challenge.issued_at > self.challenge_lifetime()

    def current_challenge(self, customer: Customer) -> Challenge:
        """The challenge to sign now: the same until it is signed, fails or expires, then a new one (Customer Creation).

        Silent on whether a new one exists before somebody asks: it is issued when it is first asked for.
        """
        if self.awaits_signature(customer) and self.challenge_has_expired(customer.challenges[-1]):
            self.issue_challenge(customer)
        return customer.challenges[-1]

    def challenge_body(self, challenge: Challenge) -> dict[str, Any]:
        """A challenge as responses show it (Customer Creation)."""
        return {"challenge": challenge.encoded}

    async def get_challenge(self, call: Call) -> Response:
        """The challenge to sign (Customer Creation)."""
        customer = self.find_customer(call)
        if not self.awaits_signature(customer):
            return self.answer_after_signing(customer)
        return json_response(200, self.challenge_body(self.current_challenge(customer)))

    def awaits_signature(self, customer: Customer) -> bool:
        """Whether the customer still has to sign: while it is ``initiating`` (Customer States)."""
        return customer.status == Status.INITIATING

    def answer_after_signing(self, customer: Customer) -> Response:
        """What is fetched once the challenge was signed. Silent, and no 409 is listed: the signed one."""
        return json_response(200, self.challenge_body(customer.challenges[-1]))

    # Signing

    async def sign_challenge(self, call: Call) -> Response:
        """Take the wallet's signature of the current challenge: 204 (Customer Creation)."""
        document = self.read_document(call.request)
        owner_id, sent, signature = (self.read_member(document, name) for name in ("ownerId", "challenge", "signature"))
        owner = self.read_account(owner_id, "ownerId")
        customer = self.find_customer(call)
        if not self.may_sign(customer):
            raise Refused(
                Reason.ALREADY_SIGNED, f"The challenge was signed already; the customer is {customer.status}."
            )
        try:
            self.check_challenge(customer, sent)
            self.check_owner(customer, owner)
            self.check_wallet_signature(customer, owner, self.message_signed(customer, sent), signature)
        except Refused as refusal:
            if self.gives_new_challenge_after(refusal.reason):
                self.issue_challenge(customer)
            raise
        await self.take_time(call)
        self.change_status(customer, self.status_after_signing())
        self.progress(customer)
        return Response(status=204)

    def may_sign(self, customer: Customer) -> bool:
        """Whether a signature is still wanted; another one is 409 (Customer Creation)."""
        return self.awaits_signature(customer)

    def check_challenge(self, customer: Customer, sent: str) -> None:
        """Refuse any challenge but the customer's current one in its hour. Silent on the status: 400."""
        if not self.challenge_is_current(customer, sent):
            raise Refused(Reason.CHALLENGE, _explain_challenge(customer, sent))
        if not self.challenge_is_in_time(customer.challenges[-1]):
            raise Refused(
                Reason.EXPIRED_CHALLENGE,
                f"The challenge has expired: it was issued at {to_rfc3339(customer.challenges[-1].issued_at)} and "
                f"held for {self.challenge_lifetime()}. Fetch the new one and sign that.",
            )

    def challenge_is_current(self, customer: Customer, sent: str) -> bool:
        """Whether `sent` is the original text of the customer's last challenge (Customer Creation)."""
        return sent == customer.challenges[-1].encoded

    def challenge_is_in_time(self, challenge: Challenge) -> bool:
        """Whether a challenge can still be signed: within its hour (Customer Creation)."""
        return not self.challenge_has_expired(challenge)

    def check_owner(self, customer: Customer, owner: AccountId) -> None:
        """Refuse an ownerId that names another account than the customer's. Silent on the status: 400."""
        if not self.owner_id_matches(customer, owner):
            raise Refused(
                Reason.OWNER,
                f"'ownerId' must name the customer's account {customer.chain_id}, whose owner is to sign, not {owner}.",
            )

    def owner_id_matches(self, customer: Customer, owner: AccountId) -> bool:
        """Whether ownerId names the customer's account. Silent: it must, whatever the letter case."""
        return str(owner).lower() == str(customer.account).lower()

    def message_signed(self, customer: Customer, sent: str) -> bytes:
        """The bytes that the wallet must have signed: the decoded challenge, as the printed signature shows."""
        del sent
        return customer.challenges[-1].message

    def check_wallet_signature(self, customer: Customer, owner: AccountId, message: bytes, text: str) -> None:
        """Refuse a signature of `message` that is not of the customer's wallet. Silent on the status: 400."""
        try:
            signature = self.decode_wallet_signature(text)
        except wallet_signatures.EncodingRejected as rejection:
            raise Refused(Reason.SIGNATURE_ENCODING, str(rejection)) from rejection
        signer = self.signer_of(message, signature)
        if signer is None or not self.signer_is_owner(customer, owner, signer):
            wallet = checksum_address(customer.account.address)
            cause = (
                wallet_signatures.diagnose(text, message, wallet) or "Sign the decoded challenge with personal_sign."
            )
            raise Refused(
                Reason.WALLET_SIGNATURE,
                f"The signature is not one of {wallet} over the challenge. {cause} Then fetch the challenge again.",
            )

    def decode_wallet_signature(self, text: str) -> bytes:
        """The 65 bytes of a signature, sent as base64 of hex text (Sign in With X) or of the bytes (Customer Creation).

        Raises:
            EncodingRejected: If it is neither.
        """
        signature, encoding = wallet_signatures.decode(text)
        if encoding not in self.accepted_encodings():
            raise wallet_signatures.EncodingRejected(
                wallet_signatures.Reason.NOT_BASE64,
                f"The signature comes as {encoding}; expected {' or '.join(self.accepted_encodings())}.",
            )
        return signature

    def accepted_encodings(self) -> tuple[wallet_signatures.Encoding, ...]:
        """The forms of a signature. Contradicted: statement and vector have hex text, an example has bytes; both do."""
        return wallet_signatures.ACCEPTED

    def signer_of(self, message: bytes, signature: bytes) -> str | None:
        """The address whose key made the signature (EIP-191), None if no key did."""
        try:
            return personal_message.recover(message, signature)
        except personal_message.SignatureUnrecoverable:
            return None

    def signer_is_owner(self, customer: Customer, owner: AccountId, signer: str) -> bool:
        """Whether the signer is the one whose ownership is in question: the customer's wallet, whatever is claimed."""
        del owner
        return signer == checksum_address(customer.account.address)

    def gives_new_challenge_after(self, reason: Reason) -> bool:
        """Whether a refused signature uses up the challenge.

        One that fails validation does (Customer Creation); for other refusals nothing is promised, and it stays.
        """
        return reason is Reason.WALLET_SIGNATURE

    # States

    def change_status(self, customer: Customer, status: str) -> None:
        """Bring the customer to another state and announce it (Customers)."""
        customer.status = status
        customer.updated_at = self.now()
        self.announce(customer)

    def status_after_signing(self) -> str:
        """The state that follows on ``initiating`` (Customer States)."""
        return Status.SCREENING

    def progress(self, customer: Customer) -> None:
        """Bring a screened customer on to verification: the sandbox approves by itself (Customer Verification)."""
        if customer.status == Status.SCREENING and self.now() - customer.updated_at >= self.screening_time():
            self.change_status(customer, self.status_after_screening())

    def screening_time(self) -> timedelta:
        """How long screening takes. Silent: no time."""
        return timedelta()

    def status_after_screening(self) -> str:
        """The state that follows on an approved screening (Customer States)."""
        return Status.VERIFYING

    async def verify_customer(self, call: Call) -> Response:
        """Simulate that a customer passed verification: 202 (Simulator)."""
        customer = self.find_customer(call)
        self.require(call, customer, allowed=self.may_verify(customer))
        await self.take_time(call)
        self.change_status(customer, self.status_after_verification())
        return Response(status=202)

    async def reject_customer(self, call: Call) -> Response:
        """Simulate that a customer failed verification: 202 (Simulator)."""
        customer = self.find_customer(call)
        self.require(call, customer, allowed=self.may_reject(customer))
        await self.take_time(call)
        self.change_status(customer, self.status_after_rejection())
        return Response(status=202)

    def require(self, call: Call, customer: Customer, *, allowed: bool) -> None:
        """Refuse a simulation that the customer's state does not allow. Silent on the status: 409."""
        if not allowed:
            raise Refused(
                Reason.WRONG_STATUS,
                f"{call.operation} needs a customer whose verification is pending; this one is {customer.status}.",
            )

    def may_verify(self, customer: Customer) -> bool:
        """Whether verification can succeed now: while it is pending (Simulator)."""
        return customer.status == Status.VERIFYING

    def may_reject(self, customer: Customer) -> bool:
        """Whether verification can fail now: while it is pending (Simulator)."""
        return customer.status == Status.VERIFYING

    def status_after_verification(self) -> str:
        """The state that follows on verification, by itself (Customer Verification)."""
        return Status.ACTIVE

    def status_after_rejection(self) -> str:
        """The final state (Customer States)."""
        return Status.REJECTED

    # Webhooks

    async def put_webhook(self, call: Call) -> Response:
        """Create a webhook, or update the one whose id is given: 200 (Webhooks)."""
        document = self.read_document(call.request)
        try:
            address = self.outbox.check(self.read_member(document, "callbackUrl"))
        except AddressRefused as refusal:
            raise Refused(Reason.WEBHOOK, f"'callbackUrl' will not do. {refusal}") from refusal
        types, now = self.read_types(document), self.now()
        if "id" in document:
            webhook = call.tenant.webhooks.get(self.read_member(document, "id").lower())
            if webhook is None:
                raise Refused(Reason.WEBHOOK, "'id' names no webhook of yours. Leave it out to create one.")
            webhook.callback_url, webhook.types, webhook.updated_at = address, types, now
        else:
            webhook = Webhook(str(self.registration_ids.uuid()), address, types, created_at=now, updated_at=now)
            call.tenant.webhooks[webhook.id] = webhook
        return json_response(200, self.webhook_body(webhook))

    def event_types(self) -> tuple[str, ...]:
        """The types that there are (Webhooks)."""
        return ("customer.updated", "account.updated", "card.updated", "authorisation.updated", "transaction.updated")

    def read_types(self, document: Mapping[str, Any]) -> list[str]:
        """The types that a webhook is for (Webhooks). Silent on leaving them out: all."""
        known = self.event_types()
        types = document.get("types", list(known))
        if not isinstance(types, list) or not all(each in known for each in types):
            raise Refused(Reason.WEBHOOK, f"'types' must be an array of event types: {', '.join(known)}.")
        return types

    def webhook_body(self, webhook: Webhook) -> dict[str, Any]:
        """A webhook as responses show it (Webhooks)."""
        return {
            "id": webhook.id,
            "callbackUrl": webhook.callback_url,
            "types": webhook.types,
            "createdAt": self.format_time(webhook.created_at),
            "updatedAt": self.format_time(webhook.updated_at),
        }

    def announce(self, customer: Customer) -> None:
        """Send ``customer.updated`` to all who wait for it: on creation and on each change (Webhooks)."""
        addresses = self.webhook_addresses(customer)
        if addresses:
            event = to_json(self.event_body(customer))
            for address in addresses:
                self.outbox.post(address, event, self)

    def webhook_addresses(self, customer: Customer) -> list[str]:
        """Where a customer's events go: to its tenant's webhooks (Webhooks), else to the one address of the world."""
        if customer.tenant.webhooks:
            hooks = customer.tenant.webhooks.values()
            return [hook.callback_url for hook in hooks if "customer.updated" in hook.types]
        return [self.outbox.address] if self.outbox.address else []

    def event_body(self, customer: Customer) -> dict[str, Any]:
        """An event: its type, its id and the customer without the challenge (Webhooks)."""
        return {
            "webhookType": "customer.updated",
            "eventId": str(self.event_ids.uuid()),
            **self.customer_body(customer),
        }

    def is_received(self, status: int) -> bool:
        """Whether a receiver has an event: if it answers 2xx (Webhooks)."""
        return 200 <= status < 300  # noqa: PLR2004

    def follows_redirects(self) -> bool:
        """Whether an event goes where a receiver sends it. Silent: no, as the address was checked and that was not."""
        return False

    def tries_at_once(self) -> int:
        """How often an event is tried before the first pause: a few times (Webhooks), here 3."""
        return 3

    def pause_before_retry(self, failures: int) -> timedelta:
        """The pause after so many failures: growing exponentially, with jitter (Webhooks); from half a minute on."""
        longest = timedelta(minutes=2 ** (failures - self.tries_at_once()))
        return longest * (0.5 + self.jitter.below(1_000) / 2_000)

    def gives_up_after(self) -> timedelta:
        """The age at which an event is dropped: 24 hours (Webhooks)."""
        return timedelta(hours=24)


def _tenant(name: str, ids: Ids) -> Tenant:
    key = message_signatures.key_from_seed(ids.draw(48))
    key_id = str(ids.uuid())
    return Tenant(
        name=name,
        id=str(ids.uuid()),
        api_key=str(ids.uuid()),
        api_secret=ids.draw(20).hex(),
        first_key=key,
        first_key_id=key_id,
        signing_keys={key_id: key.public_key()},
    )


def _explain_challenge(customer: Customer, sent: str) -> str:
    current = customer.challenges[-1]
    if any(sent == each.encoded for each in customer.challenges):
        return "The challenge was superseded by a newer one. Fetch that and sign it."
    if sent.encode(errors="replace") == current.message:
        return "'challenge' is the decoded challenge. Send it back as it was issued, in base64."
    try:
        decoded = base64.b64decode(sent, altchars=b"-_" if set(sent) & set("-_") else None, validate=False)
    except ValueError:
        decoded = b""
    if decoded == current.message:
        return "'challenge' decodes to the current challenge but is not the text that was issued. Send that unchanged."
    return "'challenge' is none that this customer was issued, or was altered. Fetch the current one and sign that."


def _to_base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _from_base64url(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
