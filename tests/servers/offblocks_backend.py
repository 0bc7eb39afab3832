"""The programme behind the server of the OffBlocks customer API, written from the vendor's pages alone.

It does what the documents say. Where they are silent it chooses as `Choices` says, on purpose otherwise than
most servers would: whatever alarm a run raises at one of these choices is an alarm where the documents are silent.
"""

import asyncio
import base64
import binascii
import hmac
import json
import re
import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import urlsplit

from Crypto.Hash import keccak
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from eth_keys.datatypes import Signature
from eth_keys.exceptions import BadSignature
from eth_utils.exceptions import ValidationError
from tornado.httpclient import AsyncHTTPClient, HTTPRequest

JSON = dict[str, Any]

HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0  # of secp256k1

EVENTS = {"customer.updated", "account.updated", "card.updated", "authorisation.updated", "transaction.updated"}

# Kinds of mistakes against a documented sentence; a run has to find each of them but old_tokens_live, since a live run
# does not replace the credentials that it is given.
WRONGS = {
    "unknown_key_accepted": "a signature of a key id that was never registered counts as verified",
    "digest_not_compared": "Content-Digest has to be there, but is not compared with the body",
    "duplicate_created": "a customer posted again under a new key is created again, with another id",
    "replay_executed": "a request repeated under its idempotency key is done again instead of answered as before",
    "mismatch_replayed": "another payload under a used idempotency key is answered with the first answer",
    "challenge_kept": "a failed validation issues no new challenge",
    "any_wallet": "the signature is checked against the ownerId sent along, never against the customer's account",
    "signed_again": "a challenge that is signed already can be signed again with 204",
    "expires_at_millis": "expiresAt of the token counts milliseconds",
    "challenge_base64url": "the challenge is base64url without padding",
    "chain_id_fixed": "every challenge says Chain ID 1",
    "challenge_drawn_anew": "each retrieval of the challenge issues another one, and the first is dead",
    "old_tokens_live": "a change of the credentials leaves the issued tokens valid",
    "key_not_required": "POST without Idempotency-Key is accepted",
    "event_without_id": "events carry no eventId",
    "no_retry": "an event refused by the receiver is dropped at once",
}


@dataclass(frozen=True)
class Choices:
    """What the documents leave open, and how this server fills it."""

    errors: Literal["listed", "problem", "text", "xml", "empty"] = "listed"  # no error has a body schema
    signature_status: int = 400  # 401 is "not authorised", 400 has the detail "Invalid request signature."
    mismatch_status: int = 409  # "likely 422 or 409"
    unique: Literal["pair", "either"] = "either"  # each of chainId and externalId is called a unique customer id
    key_scope: Literal["client", "operation"] = "client"  # the scope of an idempotency key is not stated
    signed_challenge: int = 404  # what retrieving the challenge of a signed customer answers is not stated
    unknown_members: Literal["refused", "ignored"] = "refused"  # no word on members outside the schema
    raw_signatures: bool = False  # guide and vector: base64 of the hex text; one example: base64 of the bytes
    other_owner_status: int = 400  # the code for an ownerId other than the customer is not stated
    high_s: bool = False  # no word on the upper half of s
    challenge_extras: bool = True  # EIP-4361 allows Expiration Time, Request ID and Resources
    statement: bool = False  # EIP-4361 makes the statement optional; its text is only an example
    normalised_account: bool = True  # the letter case of the address in the answer is not stated
    upper_ids: bool = False  # the letter case of a UUID is not stated
    offset_times: bool = True  # a date-time of RFC 3339 may carry +00:00 in place of Z
    extra_members: bool = True  # no schema says that there are no further members
    list_form: Literal["array", "object"] = "object"  # the form of GET /customers is not visible
    wrong_method_status: int = 404  # 405 is not listed
    missing_content_type_status: int = 400  # 415 is not listed
    settling: float = 0.3  # seconds that a change of state takes; the documents promise no instant
    duplicate_events: bool = True  # "duplicates and out-of-order delivery are possible"
    oldest_signature: float = 60.0  # seconds; no maximal age is stated
    supported: frozenset[str] = frozenset({"1", "137", "280", "300", "324", "42161", "421614", "80001"})
    lifetime: float = 3600.0  # documented: 1 hour for challenge, token and idempotency key


class RefusalError(Exception):
    """An answer other than success."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail = status, code, detail


@dataclass
class Customer:
    id: str
    external_id: str
    chain_id: str
    created: float
    updated: float
    status: str = "initiating"
    challenge: str = ""
    issued: float = 0.0
    signed: bool = False


@dataclass
class Stored:
    fingerprint: str
    at: float
    answer: tuple[int, bytes, dict[str, str]] | None = None


@dataclass
class State:
    api_key: str
    api_secret: str
    generation: int = 0
    keys: dict[str, ec.EllipticCurvePublicKey] = field(default_factory=dict)
    customers: dict[str, Customer] = field(default_factory=dict)
    stored: dict[str, Stored] = field(default_factory=dict)
    webhooks: dict[str, JSON] = field(default_factory=dict)
    jwt_key: bytes = field(default_factory=lambda: secrets.token_bytes(32))


def uuid7(now: float) -> uuid.UUID:
    value = int(now * 1000) << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 7 << 76
    return uuid.UUID(int=value & ~(3 << 62) | 2 << 62)


def keccak256(data: bytes) -> bytes:
    return keccak.new(digest_bits=256, data=data).digest()


def checksummed(address: str) -> str:
    digits = address[2:].lower()
    marks = keccak256(digits.encode()).hex()
    return "0x" + "".join(c.upper() if int(mark, 16) > 7 else c for c, mark in zip(digits, marks, strict=False))


def segment(value: JSON | bytes) -> bytes:
    raw = value if isinstance(value, bytes) else json.dumps(value, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def decoded(text: object, name: str) -> bytes:
    if not isinstance(text, str):
        raise RefusalError(400, "OB-1002", f"{name} has to be a string")
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise RefusalError(400, "OB-1002", f"{name} has to be base64") from error


class Backend:
    """The state of the programme and what can be done to it."""

    def __init__(self, choices: Choices, wrongs: frozenset[str], now: Callable[[], float]) -> None:
        self.choices, self.wrongs, self.now = choices, wrongs, now
        self.state = State(str(uuid.uuid4()), secrets.token_hex(20))
        self.domain = "api.sandbox.offblocks.xyz"
        self.tasks: set[asyncio.Task[None]] = set()

    def soon(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    # --- tokens and keys

    def token(self, body: JSON) -> JSON:
        if not isinstance(body.get("apiKey"), str) or not isinstance(body.get("apiSecret"), str):
            raise RefusalError(400, "OB-1001", "apiKey and apiSecret are required")
        if body["apiKey"].lower() != self.state.api_key or body["apiSecret"] != self.state.api_secret:
            raise RefusalError(401, "OB-0001", "Invalid credentials")
        expires = int(self.now() + self.choices.lifetime)
        claims = {"Id": str(uuid7(self.now())), "Generation": self.state.generation, "exp": expires}
        text = segment({"typ": "JWT", "alg": "HS256"}) + b"." + segment(claims)
        token = (text + b"." + segment(hmac.digest(self.state.jwt_key, text, "sha256"))).decode()
        shown = expires * 1000 if "expires_at_millis" in self.wrongs else expires
        return {"tokenType": "Bearer", "expiresAt": shown, "token": token, "scope": None}

    def check_token(self, header: str | None) -> None:
        scheme, _, token = (header or "").partition(" ")
        parts = token.strip().split(".")
        if scheme.lower() != "bearer" or len(parts) != 3:
            raise RefusalError(401, "OB-0002", "A bearer token is required")
        text = f"{parts[0]}.{parts[1]}".encode()
        expected = segment(hmac.digest(self.state.jwt_key, text, "sha256")).decode()
        if not hmac.compare_digest(expected.encode(), parts[2].encode("utf-8", "replace")):
            raise RefusalError(401, "OB-0003", "The token is not valid")
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=="))
        if claims["exp"] <= self.now():
            raise RefusalError(401, "OB-0004", "The token has expired")
        if claims["Generation"] != self.state.generation and "old_tokens_live" not in self.wrongs:
            raise RefusalError(401, "OB-0005", "The token has been revoked")

    def change_credentials(self, body: JSON) -> None:
        key, secret = body.get("apiKey"), body.get("apiSecret")
        if not isinstance(key, str) or not isinstance(secret, str) or not secret:
            raise RefusalError(400, "OB-1001", "apiKey and apiSecret are required")
        if key.lower() != self.state.api_key:
            raise RefusalError(400, "OB-1003", "apiKey is not the programme's")
        self.state.api_secret = secret
        self.state.generation += 1

    def remove_credentials(self) -> None:
        self.state.api_secret = secrets.token_hex(20)
        self.state.generation += 1

    def register_key(self, pem: bytes) -> str:
        try:
            key = serialization.load_pem_public_key(pem)
        except ValueError as error:
            raise RefusalError(400, "OB-1004", "The key has to be a PEM in base64") from error
        if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name != "secp384r1":
            raise RefusalError(400, "OB-1004", "The key has to be of the curve P-384")
        key_id = str(uuid7(self.now()))
        self.state.keys = {key_id: key}  # registers or replaces
        return key_id

    def remove_key(self) -> None:
        self.state.keys.clear()

    # --- customers

    def everybody(self) -> Any:
        shown = [self.shown(customer) for customer in reversed(self.state.customers.values())]
        return shown if self.choices.list_form == "array" else {"items": shown, "next": None, "count": len(shown)}

    def stamp(self, at: float) -> str:
        seconds, fraction = divmod(round(at * 10_000_000), 10_000_000)
        text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        return f"{text}.{fraction:07d}" + ("+00:00" if self.choices.offset_times else "Z")

    def shown(self, customer: Customer) -> JSON:
        extra: JSON = {"verificationUrl": None, "programme": {"name": "Sandbox", "tags": []}, "closedAt": None}
        return {
            "updatedAt": self.stamp(customer.updated),
            "status": customer.status,
            **(extra if self.choices.extra_members else {}),
            "id": customer.id,
            "createdAt": self.stamp(customer.created),
            "chainId": customer.chain_id,
            "externalId": customer.external_id,
        }

    def account(self, text: object) -> str:
        match = re.fullmatch(r"eip155:([0-9]{1,32}):(0x[0-9a-fA-F]{40})", text if isinstance(text, str) else "")
        if match is None or match[1] not in self.choices.supported:
            raise RefusalError(400, "OB-1005", "not an account of a supported chain")
        if match[2][2:] not in {match[2][2:].lower(), match[2][2:].upper(), checksummed(match[2])[2:]}:
            raise RefusalError(400, "OB-1006", "the checksum of the address does not hold")
        return f"eip155:{match[1]}:{checksummed(match[2])}" if self.choices.normalised_account else str(text)

    def create(self, body: JSON) -> JSON:
        account = self.account(body.get("chainId"))
        external = body.get("externalId")
        if not isinstance(external, str) or not 1 <= len(external) <= 128:
            raise RefusalError(400, "OB-1007", "externalId has to be a string of 1 to 128 characters")
        for other in self.state.customers.values():
            same = (other.chain_id.lower() == account.lower(), other.external_id == external)
            taken = all(same) if self.choices.unique == "pair" else any(same)
            if taken and not ("duplicate_created" in self.wrongs and all(same)):
                raise RefusalError(409, "OB-2001", "Customer already exists")
        identity = str(uuid7(self.now()))
        created = self.now()
        customer = Customer(
            identity.upper() if self.choices.upper_ids else identity, external, account, created, created + 0.0012
        )
        self.state.customers[identity] = customer
        self.issue(customer)
        self.announce(customer)
        return {"challenge": customer.challenge, **self.shown(customer)}

    def issue(self, customer: Customer) -> None:
        _, chain, address = customer.chain_id.split(":")
        customer.issued = self.now()
        chain = "1" if "chain_id_fixed" in self.wrongs else chain
        instant = datetime.fromtimestamp(customer.issued, UTC)
        lines = [f"{self.domain} wants you to sign in with your Ethereum account:", checksummed(address), ""]
        if self.choices.statement:
            lines.append("Sign to show that this wallet is yours.")
        lines += ["", f"URI: https://{self.domain}/v1/customers/{customer.id}", "Version: 1", f"Chain ID: {chain}"]
        lines += [f"Nonce: {secrets.token_hex(16)}", "Issued At: " + instant.isoformat(timespec="milliseconds")]
        if self.choices.challenge_extras:
            end = datetime.fromtimestamp(customer.issued + self.choices.lifetime, UTC)
            lines += [
                "Expiration Time: " + end.isoformat(timespec="milliseconds"),
                f"Request ID: {secrets.token_hex(4)}",
            ]
            lines += ["Resources:", "- https://docs.offblocks.xyz/terms"]
        raw = "\n".join(lines).encode()
        plain = base64.b64encode(raw).decode()
        customer.challenge = segment(raw).decode() if "challenge_base64url" in self.wrongs else plain

    def current(self, customer: Customer) -> str:
        if customer.signed:
            if self.choices.signed_challenge != 200:
                raise RefusalError(self.choices.signed_challenge, "OB-2002", "There is no challenge to sign")
            return customer.challenge
        if self.now() >= customer.issued + self.choices.lifetime or "challenge_drawn_anew" in self.wrongs:
            self.issue(customer)
        return customer.challenge

    def find(self, text: str) -> Customer:
        if not re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", text):
            raise RefusalError(400, "OB-1008", "customerId has to be a UUID")
        if text.lower() not in self.state.customers:
            raise RefusalError(404, "OB-2003", "Customer not found")
        return self.state.customers[text.lower()]

    def sign(self, customer: Customer, body: JSON) -> None:
        owner, challenge = body.get("ownerId"), body.get("challenge")
        sent = decoded(body.get("signature"), "signature")
        if not isinstance(owner, str) or not isinstance(challenge, str):
            raise RefusalError(400, "OB-1009", "ownerId and challenge are required")
        account = self.account(owner)
        if customer.signed and "signed_again" in self.wrongs:
            return
        if customer.signed:
            raise RefusalError(409, "OB-2004", "Challenge already signed")
        try:
            self.validate(customer, account, challenge, sent)
        except RefusalError:
            if "challenge_kept" not in self.wrongs:
                self.issue(customer)
            raise
        customer.signed = True
        self.soon(self.advance(customer, ["screening", "verifying"]))

    def validate(self, customer: Customer, account: str, challenge: str, sent: bytes) -> None:
        if self.now() >= customer.issued + self.choices.lifetime or challenge != customer.challenge:
            raise RefusalError(400, "OB-2005", "The challenge is not the one to sign")
        if account.lower() != customer.chain_id.lower() and "any_wallet" not in self.wrongs:
            raise RefusalError(self.choices.other_owner_status, "OB-2006", "ownerId is not the customer's account")
        text = sent.decode("latin-1")
        if re.fullmatch(r"(0x)?[0-9a-fA-F]{130}", text):
            raw = bytes.fromhex(text.removeprefix("0x"))
        elif self.choices.raw_signatures and len(sent) == 65:
            raw = sent
        else:
            raise RefusalError(400, "OB-2007", "The signature has to be base64 of 0x and 130 digits")
        r, s, v = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:64], "big"), raw[64]
        if v not in {27, 28} or (s > HALF_ORDER and not self.choices.high_s):
            raise RefusalError(400, "OB-2007", "The signature is not canonical")
        message = base64.urlsafe_b64decode(challenge.replace("+", "-").replace("/", "_").rstrip("=") + "==")
        hashed = keccak256(b"\x19Ethereum Signed Message:\n" + str(len(message)).encode() + message)
        try:
            signer = Signature(vrs=(v - 27, r, s)).recover_public_key_from_msg_hash(hashed)
        except (BadSignature, ValidationError) as error:
            raise RefusalError(400, "OB-2007", "The signature recovers no key") from error
        if signer.to_checksum_address().lower() != account.split(":")[2].lower():
            raise RefusalError(400, "OB-2008", "The signature is not the owner's")

    async def advance(self, customer: Customer, steps: list[str]) -> None:
        for step in steps:
            await asyncio.sleep(self.choices.settling)
            customer.status, customer.updated = step, self.now()
            self.announce(customer)

    def move(self, customer: Customer, allowed: set[str], steps: list[str]) -> None:
        if customer.status not in allowed:
            raise RefusalError(400, "OB-2009", f"The customer is {customer.status}")
        self.soon(self.advance(customer, steps))

    # --- webhooks

    def announce(self, customer: Customer) -> None:
        event = {**self.shown(customer), "webhookType": "customer.updated", "eventId": str(uuid7(self.now()))}
        if "event_without_id" in self.wrongs:
            del event["eventId"]
        for webhook in self.state.webhooks.values():
            if "customer.updated" in webhook["types"]:
                for _ in range(2 if self.choices.duplicate_events else 1):
                    self.soon(self.deliver(webhook["callbackUrl"], event))

    async def deliver(self, address: str, event: JSON) -> None:
        body = json.dumps(event, indent=1).encode()
        headers = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "OffBlocks-Hooks/3"}
        for attempt in range(8):
            try:
                answer = await AsyncHTTPClient().fetch(
                    HTTPRequest(address, "POST", headers, body, request_timeout=5, follow_redirects=False),
                    raise_error=False,
                )
                status = answer.code
            except OSError:
                status = 599
            if 200 <= status < 300 or "no_retry" in self.wrongs:
                return
            await asyncio.sleep(0.1 if attempt < 2 else 0.2 * 2**attempt)

    def put_webhook(self, body: JSON) -> JSON:
        identity, address, types = body.get("id"), body.get("callbackUrl"), body.get("types")
        parts = urlsplit(address if isinstance(address, str) else "")
        if parts.scheme not in {"http", "https"} or not parts.netloc:
            raise RefusalError(400, "OB-1010", "callbackUrl has to be an http URL")
        if not isinstance(types, list) or not types or not all(isinstance(t, str) and t in EVENTS for t in types):
            raise RefusalError(400, "OB-1011", "types has to name events")
        known = None if identity is None else self.webhook(str(identity))
        now = self.now()
        webhook = {
            "id": str(known["id"] if known else uuid7(now)),
            "callbackUrl": address,
            "types": sorted(types),
            "createdAt": known["createdAt"] if known else self.stamp(now),
            "updatedAt": self.stamp(now),
        }
        self.state.webhooks[str(webhook["id"])] = webhook
        return webhook

    def webhook(self, identity: str) -> JSON:
        if identity not in self.state.webhooks:
            raise RefusalError(404, "OB-2010", "Webhook not found")
        return self.state.webhooks[identity]

    def all_webhooks(self) -> list[JSON]:
        return list(self.state.webhooks.values())

    def remove_webhook(self, identity: str) -> None:
        del self.state.webhooks[self.webhook(identity)["id"]]
