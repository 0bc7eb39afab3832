"""What the sandbox of OffBlocks holds and hands about: its nouns, the reasons of refusals, and one call."""

from collections.abc import Hashable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from cryptography.hazmat.primitives.asymmetric import ec

from conformance.exchange import Response
from conformance.sandbox.service import RefusedRequest, ServiceCall
from conformance.standards.account_ids import AccountId


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


class Refused(RefusedRequest[Reason]):
    """A request that OffBlocks does not carry out."""


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
        screening_lasts: How long its screening takes; None for as long as that of others.
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
    screening_lasts: timedelta | None = None


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


Call = ServiceCall[Tenant]
"""One request to one operation, by a known tenant."""
