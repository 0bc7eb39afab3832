"""The organization behind the server of the Planbok customer API, written from the vendor's pages alone.

It does what the documents say. Where they are silent it chooses as `Choices` says, on purpose otherwise than
most servers would: whatever alarm a run raises at one of these choices is an alarm where the documents are silent.
"""

import hashlib
import hmac
import http.client
import json
import re
import secrets
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import urlsplit

from tests.servers.planbok_keys import BLOCKCHAINS, derive

JSON = dict[str, Any]

# Kinds of mistakes against a documented sentence; a run has to find each of them.
WRONGS = {
    "no_recovery_gate": "wallets are created for a customer whose hasRecovery is false",
    "any_pin": "whatever PIN is entered unlocks the shard",
    "any_account_type": "an accountType other than eoa is accepted",
    "first_chain_only": "of several blockchains only the first gets a wallet",
    "derived_before_pin": "wallets are listed as soon as the challenge is requested, before any PIN",
    "filter_ignored": "the list of wallets ignores customerIds",
    "result_missing": "a verified challenge has no result",
    "list_differs": "the listed address is not the one of the challenge's result",
    "event_not_signed_raw": "the webhook's signature is taken over another rendering of the body",
    "no_event": "no wallet.created is sent",
    "any_key": "any non-empty API key is accepted",
    "restricted_writes": "a read-only key may POST",
    "foreign_challenge": "a challenge can be read through another customer's path",
    "no_return": "the gateway never sends the user back to the caller's redirectUrl",
    "own_address_returned": "redirectUrl of the challenge is the caller's own, not the gateway's",
    "completed_twice": "a completed page can be submitted again and derives another set of wallets",
    "root_per_chain": "each provisioning has a root of its own",
    "verified_at_once": "the challenge is verified without any PIN",
}


@dataclass(frozen=True)
class Choices:
    """What the documents leave open, and how this server fills it."""

    created_status: int = 200  # 201 or 200 of a POST is not stated per endpoint
    missing_key_status: int = 403  # the beta's table has 403 for a missing header, 401 for an invalid key
    invalid_status: int = 422  # the code of an unusable blockchains, accountType or redirectUrl is not stated
    foreign_status: int = 403  # another customer's challenge: 403 or 404 is not stated
    bad_id_status: int = 400  # an id of another form: 400 or 404 is not stated
    errors: Literal["nested", "flat", "problem"] = "nested"  # three public hints, none of them in the documents
    recovery_gate: Literal["gateway", "api"] = "gateway"  # "will fail or be blocked"
    gate_status: int = 409  # the code, where the gate is at the API
    challenge_id: Literal["split", "both", "challengeId", "id"] = "split"  # challengeId asked for, id when read
    absent: Literal["null", "left out"] = "null"  # an absent result as null or not at all
    result_form: Literal["derivedWallets", "wallets", "array", "map", "single"] = "derivedWallets"  # shape not visible
    result_wallet_id: str = "walletId"  # the wallet's members in the result are not visible
    owner: Literal["customer", "customerId", "object", "none"] = "customer"  # of a listed wallet, not visible
    checksum: bool = False  # the letter case of an EVM address is not stated
    legacy_bitcoin: bool = False  # the form of a Bitcoin address is not stated
    again: Literal["existing", "next"] = "existing"  # provisioning a chain that the customer has already
    duplicates: Literal["refused", "once"] = "refused"  # a blockchain named twice
    unknown_filter_status: int = 404  # customerIds of nobody: 200 with an empty list or an error is not stated
    same_ref_status: int = 409  # a second customer of one refId
    intermediate: str | None = "processing"  # a status between pending and its end is not excluded
    expired: Literal["gone", "missing", "shown"] = "gone"  # an expired challenge: 410, 404, or shown with no result
    working: float = 0.4  # seconds of key generation
    events_per: Literal["challenge", "wallet"] = "challenge"  # one wallet.created per wallet or per challenge
    pin_fields: Literal["boxes", "single"] = "boxes"
    weak_pins: Literal["refused", "accepted"] = "refused"  # 111111 or 123456 may be refused by a careful gateway
    decline_first: bool = True  # the order of the gateway's buttons
    attempts: int = 5  # wrong PINs until the challenge fails and the customer is locked
    rate_limited: bool = True  # documented: 20 GET and 10 POST a second for each organization, then 429
    escaped_slashes: bool = True  # JSON may write \/ for /
    chunked: bool = True
    lifetime: float = 900.0  # documented: 15 minutes
    pruned_after: float = 60.0


class RefusalError(Exception):
    """An answer other than success."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


@dataclass
class Customer:
    id: str
    name: str
    ref_id: str
    organization: str
    account: int
    created: float
    seed: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    pin: bytes | None = None
    answers: dict[str, str] = field(default_factory=dict)
    wrong: int = 0
    locked: bool = False
    next_index: int = 0


@dataclass
class Challenge:
    id: str
    token: str
    customer: Customer
    task: str
    return_url: str | None
    created: float
    metadata: JSON
    status: str = "pending"
    result: Any = None
    step: str = ""
    entered: dict[str, str] = field(default_factory=dict)
    session: str = field(default_factory=lambda: secrets.token_urlsafe(18))


@dataclass
class Wallet:
    id: str
    customer: Customer
    blockchain: str
    address: str
    public_key: str
    path: str
    created: float


def ulid(prefix: str, now: float) -> str:
    alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    value = int(now * 1000) << 80 | secrets.randbits(80)
    return prefix + "".join(alphabet[value >> 5 * place & 31] for place in reversed(range(26)))


def stamp(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S+00:00")


def hashed(pin: str, customer: Customer) -> bytes:
    return hashlib.scrypt(pin.encode(), salt=customer.id.encode(), n=1024, r=8, p=1)


class Backend:
    """The state of the organizations and what can be done to it."""

    def __init__(self, choices: Choices, wrongs: frozenset[str], now: Callable[[], float], webhook_url: str) -> None:
        self.choices, self.wrongs, self.now = choices, wrongs, now
        self.webhook_url, self.webhook_secret = webhook_url, secrets.token_urlsafe(24)
        self.gateway = ""
        self.lock = threading.RLock()
        first, second = (f"pk_live_{secrets.token_urlsafe(24)}" for _ in range(2))
        # of each key its organization, and whether it may only read
        self.keys = {first: ("first", False), f"{first}_ro": ("first", True), second: ("second", False)}
        self.customers: dict[str, Customer] = {}
        self.challenges: dict[str, Challenge] = {}
        self.wallets: list[Wallet] = []
        self.remembered: dict[str, tuple[str, JSON]] = {}
        self.recent: dict[tuple[str, bool], deque[float]] = {}

    # --- access

    def access(self, key: str | None, method: str) -> str:
        if not key:
            raise RefusalError(self.choices.missing_key_status, "API_KEY_REQUIRED", "PLANBOK-X-API-KEY is missing")
        if key not in self.keys and "any_key" not in self.wrongs:
            raise RefusalError(401, "API_KEY_INVALID", "The API key is not valid")
        organization, restricted = self.keys.get(key, next(iter(self.keys.values())))
        if restricted and method != "GET" and "restricted_writes" not in self.wrongs:
            raise RefusalError(403, "API_KEY_RESTRICTED", "This key may only read")
        self.count(organization, reading=method == "GET")
        return organization

    def count(self, organization: str, *, reading: bool) -> None:
        times = self.recent.setdefault((organization, reading), deque())
        now = time.monotonic()
        while times and times[0] <= now - 1:
            times.popleft()
        if self.choices.rate_limited and len(times) >= (20 if reading else 10):
            raise RefusalError(429, "TOO_MANY_REQUESTS", "Slow down")
        times.append(now)

    def once(self, organization: str, path: str, body: JSON, act: Callable[[], JSON]) -> JSON:
        """Does what is asked, once for each idempotencyKey of the body, which may be left out."""
        key = body.get("idempotencyKey")
        if key is None:
            return act()
        try:
            place = f"{organization} {uuid.UUID(key)}"
        except (ValueError, AttributeError, TypeError) as error:
            raise self.invalid("idempotencyKey has to be a UUID") from error
        fingerprint = json.dumps([path, body], sort_keys=True)
        if place in self.remembered:
            if self.remembered[place][0] != fingerprint:
                raise RefusalError(409, "IDEMPOTENCY_CONFLICT", "idempotencyKey was used for another request")
            return self.remembered[place][1]
        answer = act()
        self.remembered[place] = (fingerprint, answer)
        return answer

    def invalid(self, message: str) -> RefusalError:
        return RefusalError(self.choices.invalid_status, "VALIDATION_FAILED", message)

    # --- customers

    def shown_customer(self, customer: Customer) -> JSON:
        return {
            "updatedAt": stamp(customer.created),
            "createdAt": stamp(customer.created),
            "hasRecovery": bool(customer.answers),
            "hasPin": customer.pin is not None,
            "status": "LOCKED" if customer.locked else "ENABLED" if customer.pin else "NEW",
            "custodyType": "CUSTOMER_MPC",
            "refId": customer.ref_id,
            "name": customer.name,
            "id": customer.id,
            "email": None,
            "derivation": {"accountIndex": customer.account, "standard": "BIP-44"},
        }

    def create_customer(self, organization: str, body: JSON) -> JSON:
        name, ref_id = body.get("name"), body.get("refId")
        if not isinstance(name, str) or not isinstance(ref_id, str) or not name.strip() or not ref_id.strip():
            raise self.invalid("name and refId are required")
        if any(c.ref_id == ref_id and c.organization == organization for c in self.customers.values()):
            raise RefusalError(self.choices.same_ref_status, "REF_ID_TAKEN", "There is a customer of this refId")
        now = self.now()
        customer = Customer(ulid("cus_", now), name, ref_id, organization, len(self.customers), now)
        self.customers[customer.id] = customer
        self.announce(customer, "customer.created", {"refId": ref_id})
        return self.shown_customer(customer)

    def customer(self, organization: str, identity: str) -> Customer:
        if not re.fullmatch(r"cus_[0-9A-Z]{26}", identity):
            raise RefusalError(self.choices.bad_id_status, "ID_MALFORMED", "This is no id of a customer")
        customer = self.customers.get(identity)
        if customer is None or customer.organization != organization:
            raise RefusalError(404, "CUSTOMER_NOT_FOUND", "Customer not found")
        return customer

    # --- challenges

    def challenge_for(self, customer: Customer, task: str, body: JSON) -> JSON:
        url = body.get("redirectUrl")
        if url is not None or task != "wallet":
            parts = urlsplit(url if isinstance(url, str) else "")
            local = parts.hostname in {"127.0.0.1", "localhost"}
            if not parts.hostname or (parts.scheme != "https" and not (local and parts.scheme == "http")):
                raise self.invalid("redirectUrl has to be an https URL")
        metadata: JSON = {"origin": "api"}
        if task == "wallet":
            metadata = self.provisioning(customer, body)
        now = self.now()
        token = secrets.token_urlsafe(24)
        challenge = Challenge(ulid("chl_", now), token, customer, task, url, now, metadata)
        self.challenges[challenge.id] = challenge
        if "derived_before_pin" in self.wrongs and task == "wallet":
            self.derive(challenge)
        if "verified_at_once" in self.wrongs and task == "wallet":
            self.finish(challenge)
        shown = self.shown_challenge(challenge, reading=False)
        if "own_address_returned" in self.wrongs:
            shown["redirectUrl"] = url
        return shown

    def provisioning(self, customer: Customer, body: JSON) -> JSON:
        chains, kind = body.get("blockchains"), body.get("accountType", "eoa")
        if not isinstance(chains, list) or not chains or not all(isinstance(c, str) for c in chains):
            raise self.invalid("blockchains has to be a list of blockchains")
        if unknown := [c for c in chains if c not in BLOCKCHAINS]:
            raise self.invalid(f"not supported: {', '.join(unknown)}")
        if len(set(chains)) != len(chains) and self.choices.duplicates == "refused":
            raise self.invalid("a blockchain is named twice")
        if kind != "eoa" and "any_account_type" not in self.wrongs:
            raise self.invalid("accountType has to be eoa")
        if self.choices.recovery_gate == "api" and not self.ready(customer):
            raise RefusalError(self.choices.gate_status, "SETUP_REQUIRED", "PIN and recovery have to be set up first")
        return {"blockchains": list(dict.fromkeys(chains)), "accountType": kind, "labels": body.get("metadata")}

    def ready(self, customer: Customer) -> bool:
        return customer.pin is not None and (bool(customer.answers) or "no_recovery_gate" in self.wrongs)

    def shown_challenge(self, challenge: Challenge, *, reading: bool) -> JSON:
        names = {"split": ["id" if reading else "challengeId"], "both": ["id", "challengeId"]}
        verified = challenge.status == "verified"
        shown: JSON = {
            "type": {"wallet": "PROVISION_WALLETS"}.get(challenge.task, challenge.task.upper().replace("-", "_")),
            "status": challenge.status,
            "expiresAt": stamp(challenge.created + self.choices.lifetime),
            "customerId": challenge.customer.id,
            "metadata": challenge.metadata,
            "redirectUrl": f"{self.gateway}/v/{challenge.token}?lang=en",
        }
        for name in names.get(self.choices.challenge_id, [self.choices.challenge_id]):
            shown[name] = challenge.id
        result = challenge.result if verified and "result_missing" not in self.wrongs else None
        if result is not None or self.choices.absent == "null":
            shown["result"] = result
        return shown

    def expired(self, challenge: Challenge) -> bool:
        return self.now() >= challenge.created + self.choices.lifetime

    def read_challenge(self, customer: Customer, identity: str) -> JSON:
        challenge = self.challenges.get(identity)
        if challenge is None or challenge.customer.organization != customer.organization:
            raise RefusalError(404, "CHALLENGE_NOT_FOUND", "Challenge not found")
        if challenge.customer is not customer and "foreign_challenge" not in self.wrongs:
            raise RefusalError(self.choices.foreign_status, "CHALLENGE_FORBIDDEN", "Not a challenge of this customer")
        if not self.expired(challenge):
            return self.shown_challenge(challenge, reading=True)
        if self.choices.expired == "shown":
            return {**self.shown_challenge(challenge, reading=True), "status": "expired", "result": None}
        status = 410 if self.choices.expired == "gone" else 404
        raise RefusalError(status, "CHALLENGE_EXPIRED", "The challenge has expired")

    def complete(self, challenge: Challenge) -> None:
        """What follows once the user has entered everything right."""
        customer = challenge.customer
        if challenge.task == "wallet":
            if not self.choices.working:
                return self.finish(challenge)
            challenge.status = self.choices.intermediate or "pending"
            return threading.Timer(self.choices.working, self.finish, [challenge]).start()
        with self.lock:
            if "pin" in challenge.entered:
                customer.pin = hashed(challenge.entered["pin"], customer)
                event = "customer.recovery_completed" if challenge.task == "reset-pin" else "customer.pin_setup"
                self.announce(customer, event, {})
            if "question" in challenge.entered:
                customer.answers = {challenge.entered["question"]: challenge.entered["answer"].strip().casefold()}
            challenge.result = {"ok": True}
            challenge.status = "verified"
        return None

    def finish(self, challenge: Challenge) -> None:
        with self.lock:
            made = self.derive(challenge)
            challenge.result = self.result(made)
            challenge.status = "verified"
        self.announce_wallets(challenge, made)

    def derive(self, challenge: Challenge) -> list[Wallet]:
        customer, made = challenge.customer, []
        chains = challenge.metadata["blockchains"]
        seed = secrets.token_bytes(32) if "root_per_chain" in self.wrongs else customer.seed
        for chain in chains[:1] if "first_chain_only" in self.wrongs else chains:
            mine = [w for w in self.wallets if w.customer is customer and w.blockchain == chain]
            if mine and self.choices.again == "existing" and "completed_twice" not in self.wrongs:
                made.append(mine[0])
                continue
            address, public, path = derive(
                seed,
                chain,
                customer.account,
                len(mine),
                checksum=self.choices.checksum,
                legacy=self.choices.legacy_bitcoin,
            )
            wallet = Wallet(ulid("wal_", self.now()), customer, chain, address, public, path, self.now())
            self.wallets.append(wallet)
            made.append(wallet)
        return made

    def result(self, made: list[Wallet]) -> Any:
        rows = [
            {
                self.choices.result_wallet_id: w.id,
                "blockchain": w.blockchain,
                "address": w.address,
                "derivationPath": w.path,
            }
            for w in made
        ]
        match self.choices.result_form:
            case "array":
                return rows
            case "single":
                return rows[0] if len(rows) == 1 else rows
            case "map":
                return {row["blockchain"]: row for row in rows}
            case name:
                return {name: rows, "count": len(rows)}

    # --- wallets

    def shown_wallet(self, wallet: Wallet) -> JSON:
        owner: JSON = {}
        match self.choices.owner:
            case "object":
                owner = {"customer": {"id": wallet.customer.id, "refId": wallet.customer.ref_id}}
            case "none":
                pass
            case name:
                owner = {name: wallet.customer.id}
        address = wallet.address
        if "list_differs" in self.wrongs:
            address = derive(
                wallet.customer.seed, wallet.blockchain, wallet.customer.account, 99, checksum=False, legacy=False
            )[0]
        return {
            "publicKey": wallet.public_key,
            "address": address,
            "blockchain": wallet.blockchain,
            "accountType": "eoa",
            "state": "LIVE",
            "name": None,
            "refId": None,
            **owner,
            "createdAt": stamp(wallet.created),
            "id": wallet.id,
        }

    def chosen_wallets(self, organization: str, query: dict[str, list[str]]) -> list[JSON]:
        found = [w for w in self.wallets if w.customer.organization == organization]
        if "customerIds" in query and "filter_ignored" not in self.wrongs:
            wanted = [part.strip() for text in query["customerIds"] for part in text.split(",") if part.strip()]
            known = {i for i in wanted if i in self.customers and self.customers[i].organization == organization}
            if len(known) < len(set(wanted)) and self.choices.unknown_filter_status != 200:
                raise RefusalError(self.choices.unknown_filter_status, "CUSTOMER_NOT_FOUND", "customerIds names nobody")
            found = [w for w in found if w.customer.id in known]
        for name, attribute in (("blockchain", "blockchain"), ("address", "address")):
            if name in query:
                found = [w for w in found if getattr(w, attribute) == query[name][0]]
        return [self.shown_wallet(w) for w in found]

    # --- webhooks

    def announce_wallets(self, challenge: Challenge, made: list[Wallet]) -> None:
        if "no_event" in self.wrongs:
            return
        common, customer = {"challengeId": challenge.id}, challenge.customer
        if self.choices.events_per == "challenge":
            self.announce(customer, "wallet.created", {**common, "wallets": [self.shown_wallet(w) for w in made]})
            return
        for wallet in made:
            self.announce(customer, "wallet.created", {**common, "wallet": self.shown_wallet(wallet)})

    def announce(self, customer: Customer, event: str, data: JSON) -> None:
        if self.webhook_url and customer.organization == "first":
            told = {**data, "customerId": customer.id}
            threading.Thread(target=self.deliver, args=[event, told], daemon=True).start()

    def deliver(self, event: str, data: JSON) -> None:

        identity = str(uuid.uuid4())
        now = self.now()
        value = {"idempotencyKey": identity, "timestamp": stamp(now), "event": event, "data": data}
        body = json.dumps(value, indent=2).encode()
        signed = json.dumps(value).encode() if "event_not_signed_raw" in self.wrongs else body
        for attempt in range(4):
            second = str(int(self.now()))
            mac = hmac.digest(self.webhook_secret.encode(), second.encode() + b"." + signed, "sha256").hex()
            headers = {
                "x-webhook-timestamp": second,
                "x-webhook-signature": f"sha256={mac}",
                "x-webhook-id": identity,
                "x-webhook-event": event,
                "content-type": "application/json; charset=utf-8",
            }
            if self.posted(body, headers):
                return
            time.sleep(0.2 * 2**attempt)

    def posted(self, body: bytes, headers: dict[str, str]) -> bool:
        parts = urlsplit(self.webhook_url)
        connection = http.client.HTTPConnection(parts.netloc, timeout=5)
        try:
            connection.request("POST", parts.path or "/", body, headers)
            return 200 <= connection.getresponse().status < 300
        except OSError:
            return False
        finally:
            connection.close()
