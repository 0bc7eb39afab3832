"""The reference Planbok: what the documents say, strictly, and where they are silent the likeliest choice.

Every choice is one method, a decision, whose docstring names the document that it follows; a fault or a variation
overrides one of them. Documents are cited by the titles of their pages; "silent" means that none speaks of it, "beta"
and "demo client" name public code beside the documents. The code blocks of all documents are lost.

The hosted page is served as ``gateway``. The sandbox sees the PIN that is typed there and keeps an Argon2id hash of it;
the vendor's page hashes the PIN in the browser and shares the key between two parties, which no test can see.
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from http.cookies import CookieError, SimpleCookie
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlencode, urlsplit

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from conformance.clock import Clock
from conformance.exchange import Headers, Request, Response
from conformance.ids import Ids
from conformance.planbok import api, gateway, webhooks
from conformance.planbok.chains import CHAINS, Chain
from conformance.planbok.gateway import Step, View
from conformance.planbok.messages import KEY_HEADER
from conformance.planbok.settings import pin_memory
from conformance.sandbox.deliveries import Outbox
from conformance.sandbox.messages import BodyRejected, json_response, read_object, read_text, to_json, to_rfc3339
from conformance.sandbox.service import TENANTS, Operation, Service, method_name
from conformance.specification import Specification
from conformance.standards.addresses import address_of
from conformance.standards.hd_keys import Curve, derive_key

_PIN = re.compile(r"[0-9]{6}")
_UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.IGNORECASE)
_PAGE = re.compile(r"/challenges/(?P<link>[0-9a-f]{32})")
_LONGEST_URL = 2048
_LONGEST_NAME = 200
_MOST_ENTRIES = 100
_FIRST_TENANT = TENANTS[0]


class Task(StrEnum):
    """What a challenge is for; no document shows the words."""

    INITIALIZE = "initialize"
    RECOVERY = "recovery"
    UPDATE_PIN = "update-pin"
    RESET_PIN = "reset-pin"
    CREATE_WALLETS = "create-wallets"


PURPOSES = {
    Task.INITIALIZE: "Setting up your PIN",
    Task.RECOVERY: "Setting up recovery",
    Task.UPDATE_PIN: "Changing your PIN",
    Task.RESET_PIN: "Replacing a forgotten PIN",
    Task.CREATE_WALLETS: "Provisioning new wallets",
}
"""What the page calls each task; for wallets Provisioning Customer Wallets has the label."""


class Status(StrEnum):
    """The states of a challenge (demo client)."""

    PENDING = "pending"
    VERIFIED = "verified"
    FAILED = "failed"


class Reason(StrEnum):
    """Why a request is refused; each has its HTTP status."""

    MISSING_KEY = "missing-key"
    UNKNOWN_KEY = "unknown-key"
    READ_ONLY_KEY = "read-only-key"
    BODY = "body"
    QUERY = "query"
    UNKNOWN_CUSTOMER = "unknown-customer"
    UNKNOWN_CHALLENGE = "unknown-challenge"
    UNKNOWN_WALLET = "unknown-wallet"
    INCOMPLETE_SET_UP = "incomplete-set-up"
    KEY_REUSED = "key-reused"


_STATUSES = {
    Reason.MISSING_KEY: 403,
    Reason.UNKNOWN_KEY: 401,
    Reason.READ_ONLY_KEY: 403,
    Reason.UNKNOWN_CUSTOMER: 404,
    Reason.UNKNOWN_CHALLENGE: 404,
    Reason.UNKNOWN_WALLET: 404,
    Reason.KEY_REUSED: 409,
}
_PAGE_STATUSES = {Step.REFUSED: 403, Step.EXPIRED: 410, Step.LOCKED: 423}
_TERMINAL = {Step.DONE, Step.CANCELLED, Step.REFUSED, Step.EXPIRED, Step.LOCKED}


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


class WrongEntry(Exception):  # noqa: N818 - a judgement of the input, named as such
    """What was entered into the page cannot be taken; the message tells the customer why."""


@dataclass(eq=False)
class Tenant:
    """One organization with its keys.

    Args:
        name: What the world calls it.
        api_key: The key with full access.
        read_only_key: The key for GET alone.
        webhook_secret: What its webhooks are signed with.
    """

    name: str
    api_key: str
    read_only_key: str
    webhook_secret: str


@dataclass
class Secret:
    """Something that a customer knows, and how often it was guessed wrongly in a row.

    Args:
        hash: Its Argon2id hash in the PHC string format; empty until it is set.
        failures: How many wrong guesses came since the last right one.
        locked_until: Until when no guess is taken (UTC).
    """

    hash: str = ""
    failures: int = 0
    locked_until: datetime | None = None


@dataclass(eq=False)
class Wallet:
    """One wallet on one chain; times are UTC."""

    id: str
    chain: Chain
    address: str
    public_key: str
    path: str
    created_at: datetime
    name: str | None = None
    ref_id: str | None = None


@dataclass(eq=False)
class Customer:
    """One customer of one organization; times are UTC.

    Args:
        id: The id that the API gave.
        tenant: Whose customer it is.
        name: The name.
        ref_id: The organization's own id.
        root: The seed of all its keys, 32 bytes.
        account: Its BIP-44 account index.
        created_at: When it was created.
        updated_at: When it changed last.
        pin: The PIN.
        answers: The answers to the questions of recovery.
        questions: Those questions.
        wallets: Its wallets in the order of their creation.
        challenges: Its challenges in the order of their issue.
    """

    id: str
    tenant: Tenant
    name: str
    ref_id: str
    root: bytes
    account: int
    created_at: datetime
    updated_at: datetime
    pin: Secret = field(default_factory=Secret)
    answers: Secret = field(default_factory=Secret)
    questions: tuple[str, ...] = ()
    wallets: list[Wallet] = field(default_factory=list)
    challenges: list["Challenge"] = field(default_factory=list)


@dataclass(eq=False)
class Challenge:
    """Something that a customer is to authorize; times are UTC.

    Args:
        id: The id that the API gave.
        link: The unguessable end of its page's path.
        gateway: The URL of the hosted page, without that end.
        customer: Who is to authorize it.
        task: What it is for.
        return_url: The caller's own page; None if it gave none.
        chains: The chains to create wallets on.
        names: Name and caller's id of each of these wallets.
        issued_at: When it was issued.
        expires_at: When it expires.
        status: Where it stands.
        ended: How its page ended.
        ended_at: When.
        visits: The visits in which the customer proved to be the one.
        wallets: The wallets that came of it.
    """

    id: str
    link: str
    gateway: str
    customer: Customer
    task: Task
    return_url: str | None
    issued_at: datetime
    expires_at: datetime
    chains: tuple[Chain, ...] = ()
    names: tuple[Mapping[str, str], ...] = ()
    status: Status = Status.PENDING
    ended: Step | None = None
    ended_at: datetime | None = None
    visits: set[str] = field(default_factory=set)
    wallets: list[Wallet] = field(default_factory=list)

    @property
    def url(self) -> str:
        """The hosted page of this challenge."""
        return f"{self.gateway}/challenges/{self.link}"


@dataclass(frozen=True)
class Call:
    """One request to one operation, by a known organization.

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


@dataclass(frozen=True)
class Entry:
    """What a customer sent from the page.

    Args:
        fields: The fields of the form.
        visit: The visit that it was sent in.
    """

    fields: Mapping[str, str]
    visit: str


class Planbok(Service):
    """Planbok in one world: the API, and the hosted page.

    Args:
        clock: The clock of the world.
        ids: What all ids, links and keys are drawn from.
        outbox: Where events for webhooks are posted.
    """

    mounts: ClassVar = ("gateway",)

    def __init__(self, clock: Clock, ids: Ids, outbox: Outbox) -> None:
        super().__init__(clock, ids, outbox)
        self.tenants = {name: _tenant(name, ids.child(f"tenant-{name}")) for name in TENANTS}
        self.customers: dict[str, Customer] = {}
        self.challenges: dict[str, Challenge] = {}
        self.answered: dict[Hashable, tuple[Hashable, Response]] = {}
        self.object_ids = ids.child("objects")
        self.links = ids.child("links")
        self.roots = ids.child("roots")
        self.salts = ids.child("salts")
        self.visits = ids.child("visits")
        self.event_ids = ids.child("events")
        self.page_secret = ids.child("page-secret").draw(32)
        self.pin_memory = pin_memory()

    @cached_property
    def specification(self) -> Specification:
        """The description of Planbok."""
        return Specification.load(api.specification)

    def credentials(self, tenant: str) -> dict[str, str]:
        """The keys of one organization, and the secret of its webhooks."""
        holder = self.tenants[tenant]
        return {
            "api_key": holder.api_key,
            "read_only_key": holder.read_only_key,
            "webhook_secret": holder.webhook_secret,
        }

    def now(self) -> datetime:
        """The present instant in this world (UTC)."""
        return self.clock.now()

    # Front end

    async def perform(self, operation: Operation, request: Request, parameters: Mapping[str, str]) -> Response:
        """Identify the organization by its key, then carry out the operation."""
        try:
            call = Call(operation.id, request, self.authenticate(request), parameters)
            if request.method == "POST":
                self.check_permission(call)
                return self.once(call)
            return self.handler(call.operation)(call)
        except Refused as refusal:
            return self.refusal(refusal)
        except BodyRejected as rejection:
            return self.refusal(Refused(Reason.BODY, str(rejection)))

    def handler(self, operation: str) -> Callable[[Call], Response]:
        """What carries out the operation of that id: the method of the same name."""
        found: Callable[[Call], Response] = getattr(self, method_name(operation))
        return found

    def authenticate(self, request: Request) -> Tenant:
        """Whose key a request carries, in the header that Provisioning Customer Wallets names."""
        key = request.header(KEY_HEADER)
        if key is None:
            raise Refused(Reason.MISSING_KEY, f"There is no {KEY_HEADER} header. Send your API key in it.")
        found = self.tenant_with(key)
        if found is None:
            raise Refused(Reason.UNKNOWN_KEY, f"The key in {KEY_HEADER} is not one that was issued here.")
        return found

    def tenant_with(self, key: str) -> Tenant | None:
        """Whose key it is, None if nobody's."""
        for tenant in self.tenants.values():
            for own in (tenant.api_key, tenant.read_only_key):
                if hmac.compare_digest(own.encode(), key.encode()):
                    return tenant
        return None

    def check_permission(self, call: Call) -> None:
        """Refuse a POST with a read-only key (Audit and Compliance)."""
        if call.request.header(KEY_HEADER) == call.tenant.read_only_key:
            raise Refused(Reason.READ_ONLY_KEY, "This key may only read. Send the key with full access.")

    def once(self, call: Call) -> Response:
        """Carry out a POST, or repeat the answer to an earlier one of the same ``idempotencyKey`` (Rate Limits, beta).

        Silent on how long a key is remembered: as long as the world stands.
        """
        key = read_object(call.request.body).get("idempotencyKey")
        if key is None and self.idempotency_key_is_required(call.operation):
            raise Refused(Reason.BODY, "The body lacks 'idempotencyKey', a UUID of version 4.")
        if key is None:
            return self.handler(call.operation)(call)
        if not isinstance(key, str) or not _UUID4.fullmatch(key):
            raise Refused(Reason.BODY, "'idempotencyKey' must be a UUID of version 4.")
        scope = (call.tenant.name, key.lower())
        payload = (call.operation, tuple(sorted(call.parameters.items())), call.request.body)
        if scope in self.answered:
            before, response = self.answered[scope]
            if before != payload:
                raise Refused(Reason.KEY_REUSED, "This idempotencyKey was used with other content. Draw a new one.")
            return response
        response = self.handler(call.operation)(call)
        self.answered[scope] = (payload, response)
        return response

    def idempotency_key_is_required(self, operation: str) -> bool:
        """Whether a POST needs an ``idempotencyKey``.

        The beta requires it where wallets are created; the document lists none, and the demo client sends none: no.
        """
        del operation
        return False

    def refusal(self, refusal: Refused) -> Response:
        """The answer to a refused request, in the envelope of the beta."""
        status = self.refusal_status(refusal.reason)
        return json_response(status, self.error_body(status, refusal.detail))

    def refusal_status(self, reason: Reason) -> int:
        """The status for a reason: 401 for a wrong key, 403 for none (beta); for the rest silent: 400, 404 and 409."""
        return _STATUSES.get(reason, 400)

    def error_body(self, status: int, detail: str) -> Any:
        """What a refusal says: ``success`` and ``message`` (beta)."""
        return {"success": False, "status": status, "message": detail}

    def success(self, status: int, message: str, data: Any) -> Response:
        """The answer to a request that was carried out (API Reference: ``success``, ``status``, ``message``)."""
        return json_response(status, self.envelope(status, message, data))

    def envelope(self, status: int, message: str, data: Any) -> dict[str, Any]:
        """The members of a successful answer; the payload is ``data`` (beta and clients)."""
        return {"success": True, "status": status, "message": message, "data": data}

    def creation_status(self) -> int:
        """The status of a new customer. Silent: 201, which the reference's wording hints at."""
        return 201

    def page_of(self, call: Call, items: Sequence[Any], message: str) -> Response:
        """One page of a list: ``page`` from 1, ``limit`` 10 unless asked for, newest first (Wallet Sets).

        Silent on the object that tells of the pages and on the highest ``limit``: ``pagination``, and 100.
        """
        query = dict(parse_qsl(call.request.query, keep_blank_values=True))
        number, limit = _positive(query, "page", 1), min(_positive(query, "limit", 10), _MOST_ENTRIES)
        ordered = list(items) if self.is_ascending(query.get("order", "desc")) else list(reversed(items))
        shown = ordered[self.place_of_page(number, limit)]
        pages = -(-len(ordered) // limit)
        tells = {"page": number, "limit": limit, "total": len(ordered), "pages": pages}
        return json_response(200, {**self.envelope(200, message, shown), "pagination": tells})

    def place_of_page(self, number: int, limit: int) -> slice:
        """The entries of a page: it begins where the one before it ends (Wallet Sets)."""
        return slice((number - 1) * limit, number * limit)

    def is_ascending(self, order: str) -> bool:
        """Whether a list begins with its oldest entry; both letter cases are understood (Wallet Sets, beta)."""
        if order.lower() not in {"asc", "desc"}:
            raise Refused(Reason.QUERY, f"'order' must be asc or desc, and is {order!r}.")
        return order.lower() == "asc"

    # Customers

    def create_customer(self, call: Call) -> Response:
        """Create a customer from ``name`` and ``refId`` (Onboarding and PIN Setup)."""
        document = read_object(call.request.body)
        name = _named(document, "name")
        ref_id = _named(document, "refId") if "refId" in document or self.ref_id_is_required() else ""
        now = self.now()
        customer = Customer(
            id=self.new_object_id(),
            tenant=call.tenant,
            name=name,
            ref_id=ref_id,
            root=self.roots.draw(32),
            account=len(self.customers_of(call.tenant)),
            created_at=now,
            updated_at=now,
        )
        self.customers[customer.id] = customer
        self.announce(customer, "customer.created")
        return self.success(self.creation_status(), "Customer created", self.customer_json(customer))

    def ref_id_is_required(self) -> bool:
        """Whether a customer needs a ``refId``: yes (beta), where the demo client may leave it out."""
        return True

    def new_object_id(self) -> str:
        """A new id: 24 hex digits, as seen in an export of the beta."""
        return self.object_ids.draw(12).hex()

    def customers_of(self, tenant: Tenant) -> list[Customer]:
        """The customers of an organization in the order of their creation."""
        return [customer for customer in self.customers.values() if customer.tenant is tenant]

    def customer_for(self, call: Call) -> Customer:
        """The customer in the path, of this organization alone. Silent on others' customers: 404."""
        customer = self.customers.get(call.parameters["id"])
        if customer is None or not self.may_see(call.tenant, customer):
            raise Refused(Reason.UNKNOWN_CUSTOMER, f"There is no customer {call.parameters['id']!r}.")
        return customer

    def may_see(self, tenant: Tenant, customer: Customer) -> bool:
        """Whether an organization is shown a customer: its own alone."""
        return customer.tenant is tenant

    def list_customers(self, call: Call) -> Response:
        """The customers of the organization (API Reference, Customers)."""
        found = [self.customer_json(customer) for customer in self.customers_listed(call.tenant)]
        return self.page_of(call, found, "Customers")

    def customers_listed(self, tenant: Tenant) -> list[Customer]:
        """The customers in an organization's list: all that it may see. Silent on a list that is behind: none is."""
        return [customer for customer in self.customers.values() if self.may_see(tenant, customer)]

    def get_customer(self, call: Call) -> Response:
        """One customer (Onboarding and PIN Setup)."""
        return self.success(200, "Customer", self.customer_json(self.customer_for(call)))

    def customer_json(self, customer: Customer) -> dict[str, Any]:
        """A customer as the API shows it (demo client; ``hasRecovery`` in Provisioning Customer Wallets)."""
        return {
            "id": customer.id,
            "name": customer.name,
            "refId": customer.ref_id,
            "custodyType": "customer",
            "status": "active",
            "hasPin": self.has_pin(customer),
            "hasRecovery": self.has_recovery(customer),
            "createdAt": self.time(customer.created_at),
            "updatedAt": self.time(customer.updated_at),
        }

    def has_pin(self, customer: Customer) -> bool:
        """What ``hasPin`` says: whether a PIN is set."""
        return bool(customer.pin.hash)

    def has_recovery(self, customer: Customer) -> bool:
        """What ``hasRecovery`` says: whether the questions were answered."""
        return bool(customer.answers.hash)

    def time(self, instant: datetime) -> str:
        """A time as the API writes it. Silent: ISO 8601 in UTC with milliseconds."""
        return to_rfc3339(instant)[:-4] + "Z"

    # Challenges

    def initialize_customer(self, call: Call) -> Response:
        """Issue the challenge that sets PIN and recovery; silent on customers who have a PIN: refused."""
        customer = self.customer_for(call)
        if customer.pin.hash:
            raise Refused(Reason.BODY, "This customer has a PIN already. Ask for update-pin, reset-pin or recovery.")
        return self.issue(call, customer, Task.INITIALIZE, self.required_return_url(call))

    def set_up_recovery(self, call: Call) -> Response:
        """Issue the challenge that sets recovery, first or again (Security and Recovery); silent: a PIN is needed."""
        customer = self.customer_for(call)
        self.require_pin(customer)
        return self.issue(call, customer, Task.RECOVERY, self.required_return_url(call))

    def update_pin(self, call: Call) -> Response:
        """Issue the challenge that replaces the PIN by way of the present one (Security and Recovery)."""
        customer = self.customer_for(call)
        self.require_pin(customer)
        return self.issue(call, customer, Task.UPDATE_PIN, self.required_return_url(call))

    def reset_pin(self, call: Call) -> Response:
        """Issue the challenge that replaces the PIN by way of recovery (Security and Recovery)."""
        customer = self.customer_for(call)
        self.require_pin(customer)
        if not customer.answers.hash:
            raise Refused(Reason.INCOMPLETE_SET_UP, "This customer has no recovery, so the PIN cannot be reset.")
        return self.issue(call, customer, Task.RESET_PIN, self.required_return_url(call))

    def require_pin(self, customer: Customer) -> None:
        """Refuse what needs a PIN. Silent."""
        if not customer.pin.hash:
            raise Refused(Reason.INCOMPLETE_SET_UP, "This customer has no PIN yet. Ask for initialize first.")

    def create_wallets(self, call: Call) -> Response:
        """Issue the challenge that authorizes new wallets (Provisioning Customer Wallets)."""
        customer = self.customer_for(call)
        document = read_object(call.request.body)
        chains = self.read_chains(document)
        self.check_account_type(document)
        names = _read_names(document, len(chains))
        if self.refuses_incomplete_set_up_at_request():
            self.check_set_up(customer)
        return_url = self.return_url(document)
        if return_url is None and self.return_url_is_required():
            raise Refused(Reason.BODY, "The body lacks 'redirectUrl', your page that the customer returns to.")
        return self.issue(call, customer, Task.CREATE_WALLETS, return_url, chains, names)

    def read_chains(self, document: Mapping[str, Any]) -> tuple[Chain, ...]:
        """The chains in ``blockchains`` (Provisioning Customer Wallets). Silent: others are refused."""
        names = document.get("blockchains")
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise Refused(Reason.BODY, "'blockchains' must be an array of names, such as [\"ETH-SEPOLIA\"].")
        if not names and not self.accepts_no_chain():
            raise Refused(Reason.BODY, "'blockchains' is empty. Name the chains to create wallets on.")
        unknown = [name for name in names if name not in CHAINS]
        if unknown and not self.accepts_unknown_chains():
            raise Refused(Reason.BODY, f"'blockchains' names {unknown[0]!r}. Known are {', '.join(CHAINS)}.")
        if len(set(names)) < len(names) and not self.accepts_repeated_chains():
            raise Refused(Reason.BODY, "'blockchains' names a chain twice.")
        return tuple(CHAINS[name] for name in dict.fromkeys(names) if name in CHAINS)

    def accepts_no_chain(self) -> bool:
        """Whether an empty list of chains is taken. Silent: no."""
        return False

    def accepts_unknown_chains(self) -> bool:
        """Whether chains that nobody knows are passed over. Silent: no."""
        return False

    def accepts_repeated_chains(self) -> bool:
        """Whether a chain may stand twice in the list. Silent: no."""
        return False

    def check_account_type(self, document: Mapping[str, Any]) -> None:
        """Refuse an ``accountType`` other than ``eoa``, which is the only one (Provisioning Customer Wallets)."""
        kind = document.get("accountType", self.account_type_without_mention())
        if kind != "eoa":
            raise Refused(Reason.BODY, f"'accountType' must be 'eoa', and is {kind!r}.")

    def account_type_without_mention(self) -> str | None:
        """The type of account of a request that names none: ``eoa``, as the demo client relies on."""
        return "eoa"

    def refuses_incomplete_set_up_at_request(self) -> bool:
        """Whether the API itself refuses wallets for a customer without PIN or recovery.

        "Fail or be blocked" (Provisioning Customer Wallets): the API refuses.
        """
        return True

    def check_set_up(self, customer: Customer) -> None:
        """Refuse new wallets while PIN or recovery are missing (Provisioning Customer Wallets)."""
        missing = self.missing_set_up(customer)
        if missing:
            raise Refused(
                Reason.INCOMPLETE_SET_UP,
                f"This customer has no {' and no '.join(missing)} yet, so no wallets can be created.",
            )

    def missing_set_up(self, customer: Customer) -> list[str]:
        """What a customer must have before wallets are created: a PIN and recovery (Provisioning Customer Wallets)."""
        return [name for name, secret in (("PIN", customer.pin), ("recovery", customer.answers)) if not secret.hash]

    def return_url_is_required(self) -> bool:
        """Whether a request for wallets needs a ``redirectUrl``; the document does not list it in the body: no."""
        return False

    def required_return_url(self, call: Call) -> str:
        """The ``redirectUrl`` of a request that must have one (API Reference, Customers)."""
        document = read_object(call.request.body)
        read_text(document, "redirectUrl")
        return self.return_url(document) or ""

    def return_url(self, document: Mapping[str, Any]) -> str | None:
        """The caller's own page in a body. Silent on what it may be: an absolute http or https URL."""
        if document.get("redirectUrl") is None:
            return None
        url = read_text(document, "redirectUrl")
        if not _is_web_page(url):
            raise Refused(Reason.BODY, "'redirectUrl' must be an absolute http or https URL of your own page.")
        return url

    def issue(
        self,
        call: Call,
        customer: Customer,
        task: Task,
        return_url: str | None,
        chains: tuple[Chain, ...] = (),
        names: tuple[Mapping[str, str], ...] = (),
    ) -> Response:
        """Issue a challenge."""
        self.issued_before(customer, task)
        now = self.now()
        challenge = Challenge(
            id=self.new_object_id(),
            link=self.new_link(),
            gateway=self.gateway_of(call.request),
            customer=customer,
            task=task,
            return_url=return_url,
            chains=chains,
            names=names,
            issued_at=now,
            expires_at=now + self.challenge_lifetime(),
        )
        customer.challenges.append(challenge)
        self.challenges[challenge.link] = challenge
        return self.success(self.issue_status(), "Challenge created", self.challenge_json(challenge))

    def issue_status(self) -> int:
        """The status of a new challenge. Silent: 201, which the reference's wording hints at."""
        return 201

    def issued_before(self, customer: Customer, task: Task) -> None:
        """What a new challenge does to pending ones of its task. Silent: they stay."""

    def new_link(self) -> str:
        """The end of a page's path, unique for each challenge (Introduction): 32 hex digits nobody can foresee."""
        return self.links.draw(16).hex()

    def gateway_of(self, request: Request) -> str:
        """The URL of the hosted page, which has an origin of its own at the vendor (Introduction), and a mount here."""
        mount, _, _ = request.url.partition("/v2/")
        return f"{mount.rpartition('/')[0]}/{self.mounts[0]}"

    def challenge_lifetime(self) -> timedelta:
        """How long a challenge can be completed: 15 minutes (Provisioning Customer Wallets)."""
        return timedelta(minutes=15)

    def challenge_for(self, call: Call) -> Challenge:
        """The challenge in the path, under its own customer alone. Silent on others: 404."""
        customer = self.customer_of_challenge(call)
        wanted = call.parameters["challengeId"]
        challenge = next((each for each in self.challenges_under(customer) if each.id == wanted), None)
        if challenge is None:
            raise Refused(Reason.UNKNOWN_CHALLENGE, f"This customer has no challenge {wanted!r}.")
        return challenge

    def customer_of_challenge(self, call: Call) -> Customer:
        """The customer in the path of a challenge, of this organization alone."""
        return self.customer_for(call)

    def challenges_under(self, customer: Customer) -> Iterable[Challenge]:
        """The challenges that are answered under a customer: its own."""
        return customer.challenges

    def challenges_listed(self, customer: Customer) -> Iterable[Challenge]:
        """The challenges in the list of a customer: its own (beta)."""
        return customer.challenges

    def get_challenge(self, call: Call) -> Response:
        """One challenge, with what came of it (Provisioning Customer Wallets, Option A)."""
        challenge = self.challenge_for(call)
        if self.is_pruned(challenge):
            raise Refused(Reason.UNKNOWN_CHALLENGE, f"The challenge {challenge.id} is not kept any more.")
        return self.success(200, "Challenge", self.challenge_json(challenge))

    def is_pruned(self, challenge: Challenge) -> bool:
        """Whether a challenge is not answered any more. Silent: never, only its result goes."""
        del challenge
        return False

    def list_challenges(self, call: Call) -> Response:
        """The challenges of a customer (beta)."""
        customer = self.customer_for(call)
        wanted = dict(parse_qsl(call.request.query)).get("status")
        found = [self.challenge_json(challenge) for challenge in self.challenges_listed(customer)]
        return self.page_of(call, [each for each in found if wanted in (None, each["status"])], "Challenges")

    def challenge_json(self, challenge: Challenge) -> dict[str, Any]:
        """A challenge as the API shows it (demo client)."""
        return {
            **self.challenge_identifier(challenge),
            "redirectUrl": self.page_url(challenge),
            "status": self.status_shown(challenge),
            "task": challenge.task.value,
            "expiresAt": self.time(challenge.expires_at),
            "metadata": {"blockchains": [chain.name for chain in challenge.chains]} if challenge.chains else {},
            **({"result": self.result(challenge)} if self.result_is_readable(challenge) else {}),
        }

    def challenge_identifier(self, challenge: Challenge) -> dict[str, str]:
        """The id of a challenge under its name: ``challengeId`` (Introduction)."""
        return {"challengeId": challenge.id}

    def page_url(self, challenge: Challenge) -> str:
        """The ``redirectUrl`` of an answer: the hosted page (Provisioning Customer Wallets)."""
        return challenge.url

    def status_shown(self, challenge: Challenge) -> str:
        """The status of a challenge; silent on one that expired: ``failed``, since no source lists another word."""
        if challenge.status is Status.PENDING and self.has_expired(challenge):
            return Status.FAILED.value
        return challenge.status.value

    def has_expired(self, challenge: Challenge) -> bool:
        """Whether a challenge can no longer be completed, from the very instant of ``expiresAt``."""
        return self.now() >= challenge.expires_at

    def result(self, challenge: Challenge) -> Any:
        """What came of a challenge: the wallets. Silent on the form: an object with ``wallets``."""
        return {"wallets": [self.wallet_json(challenge.customer, wallet) for wallet in self.wallets_of(challenge)]}

    def wallets_of(self, challenge: Challenge) -> list[Wallet]:
        """The wallets in the result of a challenge: those that it created (Provisioning Customer Wallets)."""
        return challenge.wallets

    def result_is_readable(self, challenge: Challenge) -> bool:
        """Whether a result is shown: 15 minutes from when it was verified (Provisioning Customer Wallets)."""
        if challenge.task is not Task.CREATE_WALLETS or challenge.status is not Status.VERIFIED:
            return False
        return self.now() < (challenge.ended_at or self.now()) + self.challenge_lifetime() + self.pruning_delay()

    def pruning_delay(self) -> timedelta:
        """How long after its time a result is still readable. Silent: not at all."""
        return timedelta()

    # Wallets

    def list_wallets(self, call: Call) -> Response:
        """The wallets of some customers, or all (Provisioning Customer Wallets, Option B)."""
        query = dict(parse_qsl(call.request.query, keep_blank_values=True))
        found = [
            (customer, wallet)
            for customer in self.filtered(call.tenant, query.get("customerIds"))
            for wallet in customer.wallets
            if self.is_listed(wallet) and _fits(wallet, query)
        ]
        found.sort(key=lambda pair: pair[1].created_at)
        return self.page_of(call, [self.wallet_json(customer, wallet) for customer, wallet in found], "Wallets")

    def filtered(self, tenant: Tenant, filter_text: str | None) -> list[Customer]:
        """The customers that a list is filtered by, comma-separated ids (demo client); without any, all that there are.

        Silent on unknown and strangers' ids: passed over.
        """
        own = [customer for customer in self.customers.values() if self.may_see(tenant, customer)]
        if not filter_text:
            return own
        return [customer for customer in own if customer.id in filter_text.split(",")]

    def is_listed(self, wallet: Wallet) -> bool:
        """Whether the list shows a wallet yet."""
        return self.now() - wallet.created_at >= self.list_lag()

    def list_lag(self) -> timedelta:
        """How long the list is behind. Silent: not at all."""
        return timedelta()

    def get_wallet(self, call: Call) -> Response:
        """One wallet (beta)."""
        for customer in self.customers.values():
            for wallet in customer.wallets:
                if wallet.id == call.parameters["id"] and self.may_see(call.tenant, customer):
                    return self.success(200, "Wallet", self.wallet_json(customer, wallet))
        raise Refused(Reason.UNKNOWN_WALLET, f"There is no wallet {call.parameters['id']!r}.")

    def wallet_json(self, customer: Customer, wallet: Wallet) -> dict[str, Any]:
        """A wallet as the API shows it (clients)."""
        return {
            "id": wallet.id,
            "blockchain": wallet.chain.name,
            "address": wallet.address,
            "publicKey": wallet.public_key,
            "customer": customer.id,
            "state": "active",
            "createdAt": self.time(wallet.created_at),
            **({"name": wallet.name} if wallet.name is not None else {}),
            **({"refId": wallet.ref_id} if wallet.ref_id is not None else {}),
            **({"derivationPath": wallet.path} if self.shows_derivation_path() else {}),
        }

    def shows_derivation_path(self) -> bool:
        """Whether a wallet shows the path of its key. Silent: no."""
        return False

    def wallet_on(self, customer: Customer, chain: Chain, names: Mapping[str, str]) -> Wallet:
        """The customer's wallet on a chain, derived if there is none."""
        found = self.wallet_there(customer, chain)
        if found is not None:
            return found
        path = self.derivation_path(customer, chain)
        key = derive_key(self.root_of(customer), path, chain.curve)
        wallet = Wallet(
            id=self.new_object_id(),
            chain=chain,
            address=self.address(key.public_key, chain),
            public_key=key.public_key.hex(),
            path=path,
            created_at=self.now(),
            name=names.get("name"),
            ref_id=names.get("refId"),
        )
        customer.wallets.append(wallet)
        return wallet

    def wallet_there(self, customer: Customer, chain: Chain) -> Wallet | None:
        """The wallet that a chain gives once more, None for a new one. Silent: the one that the customer has there."""
        return next((wallet for wallet in customer.wallets if wallet.chain is chain), None)

    def root_of(self, customer: Customer) -> bytes:
        """The seed of a customer's keys: one for all its wallets (Provisioning Customer Wallets)."""
        return customer.root

    def derivation_path(self, customer: Customer, chain: Chain) -> str:
        """The path of a key: BIP-44 with the customer's account index (Provisioning Customer Wallets)."""
        index = self.address_index(customer, chain)
        end = f"0'/{index}'" if chain.curve is Curve.ED25519 else f"0/{index}"
        return f"m/44'/{chain.coin_type}'/{self.account_index(customer, chain)}'/{end}"

    def account_index(self, customer: Customer, chain: Chain) -> int:
        """The account in a path: that of the customer on every chain (Provisioning Customer Wallets)."""
        del chain
        return customer.account

    def address_index(self, customer: Customer, chain: Chain) -> int:
        """The end of a path: 0, as a customer has one wallet on a chain."""
        del customer, chain
        return 0

    def address(self, public_key: bytes, chain: Chain) -> str:
        """The address of a key (Cryptography, and each chain's own standard)."""
        return address_of(public_key, chain.family, testnet=chain.testnet)

    # The hosted page

    async def answer_at(self, mount: str, request: Request, path: str) -> Response:
        """What the hosted page answers: the style sheet, or the page of a challenge."""
        del mount
        if path == "/page.css":
            headers = (("Content-Type", "text/css; charset=utf-8"), ("X-Content-Type-Options", "nosniff"))
            return Response(headers, gateway.stylesheet(), 200)
        match = _PAGE.fullmatch(path)
        challenge = self.challenges.get(match["link"]) if match else None
        if challenge is None:
            view = View(Step.REFUSED, purpose="Nothing to authorize", organization="", error="There is no such page.")
            return Response(gateway.headers(None), gateway.render(view), 404)
        if request.method in {"GET", "HEAD"}:
            return self.visited(challenge, request)
        if request.method == "POST":
            return self.entered(challenge, request)
        return Response((("Allow", "GET, HEAD, POST"),), b"", 405)

    def visited(self, challenge: Challenge, request: Request) -> Response:
        """Show the present step; looking changes nothing."""
        visit = self.visit_of(request)
        begun = visit or self.visits.draw(16).hex()
        response = self.show(challenge, self.step(challenge, begun), begun)
        if visit is not None:
            return response
        path = request.path.partition("/challenges/")[0]
        cookie = f"visit={begun}; Path={path}; HttpOnly; SameSite=Lax"
        return Response((*response.headers, ("Set-Cookie", cookie)), response.body, response.status)

    def visit_of(self, request: Request) -> str | None:
        """The visit that a browser's cookie names, None if it brings none."""
        try:
            cookie = SimpleCookie(request.header("Cookie") or "").get("visit")
        except CookieError:
            return None
        return cookie.value if cookie else None

    def entered(self, challenge: Challenge, request: Request) -> Response:
        """Take what was entered, and send the customer on."""
        visit = self.visit_of(request) or ""
        fields = dict(parse_qsl(request.body.decode("latin-1"), keep_blank_values=True, encoding="utf-8"))
        if not self.is_from_the_page(challenge, request, visit, fields.get("csrf", "")):
            error = "This was not sent from the page itself. Open the page again, and allow its cookie."
            return self.show(challenge, Step.REFUSED, visit, error=error)
        step = self.step(challenge, visit)
        if step in _TERMINAL:
            return self.show(challenge, step, visit)
        if fields.get("action") == "cancel":
            self.cancel(challenge)
            return self.leave_cancelled(challenge)
        if fields.get("step") != step.value:
            return _see_other(challenge.url)
        try:
            self.take(challenge, step, Entry(fields, visit))
        except WrongEntry as wrong:
            return self.show(challenge, self.step(challenge, visit), visit, error=str(wrong), fields=fields)
        return self.leave(challenge) if challenge.ended else _see_other(challenge.url)

    def is_from_the_page(self, challenge: Challenge, request: Request, visit: str, token: str) -> bool:
        """Whether a form was filled in on our own page by the browser that it was shown to."""
        site = request.header("Sec-Fetch-Site") or "same-origin"
        return (
            bool(visit)
            and site in {"same-origin", "none"}
            and hmac.compare_digest(token.encode(), self.form_token(challenge, visit).encode())
        )

    def form_token(self, challenge: Challenge, visit: str) -> str:
        """What shows that a form was given to this visit, for this challenge."""
        return hmac.digest(self.page_secret, f"{visit}:{challenge.link}".encode(), hashlib.sha256).hex()

    def step(self, challenge: Challenge, visit: str) -> Step:
        """What the page asks for now.

        The PIN is asked for by every challenge (Provisioning Customer Wallets); PIN and then recovery in one visit
        (Onboarding and PIN Setup); the present PIN and then the new one, or the recovery and then the new PIN
        (Security and Recovery).
        """
        if challenge.ended:
            return challenge.ended
        if self.has_expired(challenge):
            return Step.EXPIRED
        if self.blocks(challenge):
            return Step.REFUSED
        step = self.open_step(challenge, self.is_proven(challenge, visit))
        secret = challenge.customer.answers if step is Step.ANSWER else challenge.customer.pin
        return Step.LOCKED if self.is_locked(secret) and step in {Step.VERIFY, Step.CHANGE_PIN, Step.ANSWER} else step

    def open_step(self, challenge: Challenge, proven: bool) -> Step:  # noqa: FBT001 - what the step depends on
        """What a challenge asks for, of a customer who has proven to be the one in this visit or has not."""
        match challenge.task:
            case Task.INITIALIZE if not challenge.customer.pin.hash:
                return Step.SET_PIN
            case Task.INITIALIZE | Task.RECOVERY if proven:
                return Step.SET_RECOVERY
            case Task.UPDATE_PIN:
                return Step.CHANGE_PIN
            case Task.RESET_PIN:
                return Step.RESET_PIN if proven else Step.ANSWER
        return Step.VERIFY

    def is_proven(self, challenge: Challenge, visit: str) -> bool:
        """Whether the customer entered the PIN, or the answers, for this challenge in this visit."""
        return visit in challenge.visits

    def blocks(self, challenge: Challenge) -> bool:
        """Whether the page refuses a challenge because the set-up is incomplete (Provisioning Customer Wallets)."""
        return challenge.task is Task.CREATE_WALLETS and bool(self.missing_set_up(challenge.customer))

    def is_locked(self, secret: Secret) -> bool:
        """Whether no guess is taken now."""
        return secret.locked_until is not None and self.now() < secret.locked_until

    def take(self, challenge: Challenge, step: Step, entry: Entry) -> None:
        """Take what was entered at a step.

        Raises:
            WrongEntry: If it cannot be taken.
        """
        customer, fields = challenge.customer, entry.fields
        match step:
            case Step.SET_PIN:
                self.set_pin(customer, self.new_pin(fields))
                challenge.visits.add(entry.visit)
                self.announce(customer, "customer.pin_setup")
            case Step.SET_RECOVERY:
                if not (fields.get("action") == "skip" and self.recovery_can_be_skipped(challenge)):
                    self.set_recovery(customer, fields)
                self.complete(challenge)
            case Step.CHANGE_PIN:
                new = self.new_pin(fields)
                self.guess(challenge, customer.pin, fields.get("pin", ""), "PIN")
                self.set_pin(customer, new)
                self.complete(challenge)
            case Step.ANSWER:
                self.guess(challenge, customer.answers, _answers(fields), "answers")
                challenge.visits.add(entry.visit)
                self.announce(customer, "customer.recovery_initiated")
            case Step.RESET_PIN:
                self.set_pin(customer, self.new_pin(fields))
                self.complete(challenge)
                self.announce(customer, "customer.recovery_completed")
            case _:
                self.guess(challenge, customer.pin, fields.get("pin", ""), "PIN")
                challenge.visits.add(entry.visit)
                if challenge.task is Task.CREATE_WALLETS:
                    self.complete(challenge)

    def new_pin(self, fields: Mapping[str, str]) -> str:
        """A new PIN: six digits, entered and confirmed (Onboarding and PIN Setup)."""
        pin = fields.get("new_pin", "")
        if not self.is_pin(pin):
            raise WrongEntry("A PIN has six digits.")
        if not self.is_confirmed(pin, fields.get("new_pin_again", "")):
            raise WrongEntry("The two PINs differ. Enter the same six digits twice.")
        return pin

    def is_pin(self, text: str) -> bool:
        """Whether a text can be a PIN: six digits (Onboarding and PIN Setup)."""
        return _PIN.fullmatch(text) is not None

    def is_confirmed(self, pin: str, again: str) -> bool:
        """Whether a new PIN was entered twice alike (Onboarding and PIN Setup)."""
        return pin == again

    def set_pin(self, customer: Customer, pin: str) -> None:
        """Keep a new PIN in the place of an old one, as a hash (Customer Custody Wallets, Overview)."""
        customer.pin = Secret(self.hash(pin))
        customer.updated_at = self.now()

    def recovery_can_be_skipped(self, challenge: Challenge) -> bool:
        """Whether the first visit may end without recovery: no (Onboarding, against Security and Recovery)."""
        del challenge
        return False

    def set_recovery(self, customer: Customer, fields: Mapping[str, str]) -> None:
        """Keep two questions, and the answers as a hash. Silent on how many: two of a list."""
        questions = (fields.get("question_1", ""), fields.get("question_2", ""))
        if not set(questions) <= set(gateway.QUESTIONS) or questions[0] == questions[1]:
            raise WrongEntry("Choose two different questions.")
        if not all(fields.get(name, "").strip() for name in ("answer_1", "answer_2")):
            raise WrongEntry("Answer both questions.")
        customer.questions = questions
        customer.answers = Secret(self.hash(_answers(fields)))
        customer.updated_at = self.now()

    def guess(self, challenge: Challenge, secret: Secret, attempt: str, name: str) -> None:
        """Compare what was entered with what is kept; too many wrong guesses in a row lock it.

        Raises:
            WrongEntry: If it is wrong.
        """
        if self.is_right(secret, attempt):
            secret.failures = 0
            return
        secret.failures += 1
        left = self.tries() - secret.failures
        if left <= 0:
            self.lock(challenge, secret)
            raise WrongEntry(
                "A wrong PIN was entered too often." if name == "PIN" else "Wrong answers were given too often."
            )
        raise WrongEntry(f"Wrong {name}." if name == "PIN" else "These are not the answers that were set up.")

    def is_right(self, secret: Secret, attempt: str) -> bool:
        """Whether what was entered is what is kept."""
        try:
            Argon2id.verify_phc_encoded(attempt.encode(), secret.hash)
        except InvalidKey:
            return False
        return True

    def tries(self) -> int:
        """How many wrong guesses in a row lock. Webhooks names a lock-out; silent on the number: 5."""
        return 5

    def lock(self, challenge: Challenge, secret: Secret) -> None:
        """Take no more guesses for a while; silent on the challenge at hand: it fails."""
        secret.locked_until = self.now() + self.lock_duration()
        secret.failures = 0
        self.end(challenge, Status.FAILED, Step.LOCKED)
        self.announce(challenge.customer, "customer.locked_out")

    def lock_duration(self) -> timedelta:
        """How long a lock-out lasts. Silent: 30 minutes."""
        return timedelta(minutes=30)

    def hash(self, text: str) -> str:
        """An Argon2id hash in the PHC string format (RFC 9106); its memory is a setting, so that tests are quick."""
        hasher = Argon2id(salt=self.salts.draw(16), length=32, iterations=1, lanes=1, memory_cost=self.pin_memory)
        return hasher.derive_phc_encoded(text.encode())

    def complete(self, challenge: Challenge) -> None:
        """End a challenge well: derive what it asked for, then tell of it (Provisioning Customer Wallets)."""
        names = challenge.names or ({},) * len(challenge.chains)
        if challenge.task is Task.CREATE_WALLETS:
            challenge.wallets = [
                self.wallet_on(challenge.customer, chain, name)
                for chain, name in zip(challenge.chains, names, strict=True)
                if self.derives(challenge, chain)
            ]
        self.end(challenge, Status.VERIFIED, Step.DONE)
        for event in self.wallet_events(challenge):
            self.send(challenge.customer.tenant, "wallet.created", event)

    def derives(self, challenge: Challenge, chain: Chain) -> bool:
        """Whether a wallet comes of a chain that was asked for: on each of them (Provisioning Customer Wallets)."""
        del challenge, chain
        return True

    def end(self, challenge: Challenge, status: Status, step: Step) -> None:
        """End a challenge, once and for all."""
        challenge.status, challenge.ended, challenge.ended_at = status, step, self.now()

    def cancel(self, challenge: Challenge) -> None:
        """End a challenge that the customer does not want. Silent on its status: ``failed``."""
        self.end(challenge, Status.FAILED, Step.CANCELLED)

    def leave_cancelled(self, challenge: Challenge) -> Response:
        """Where the customer goes who cancelled. Silent: back to the caller's own page as well."""
        return self.leave(challenge)

    def leave(self, challenge: Challenge) -> Response:
        """Send the customer back to the caller's own page (Provisioning Customer Wallets), or show how it ended."""
        if challenge.return_url is None or challenge.ended is Step.LOCKED:
            return _see_other(challenge.url)
        return _see_other(self.return_address(challenge, challenge.return_url))

    def return_address(self, challenge: Challenge, url: str) -> str:
        """The caller's page with its query kept, and what the demo client reads added to it."""
        parts = urlsplit(url)
        added = urlencode(self.return_parameters(challenge))
        return parts._replace(query="&".join(part for part in (parts.query, added) if part)).geturl()

    def return_parameters(self, challenge: Challenge) -> dict[str, str]:
        """What the return tells: id (demo client) and status (Introduction)."""
        return {"challengeId": challenge.id, "status": challenge.status.value}

    def show(
        self,
        challenge: Challenge,
        step: Step,
        visit: str,
        *,
        error: str = "",
        fields: Mapping[str, str] | None = None,
    ) -> Response:
        """The page of a challenge at a step."""
        customer, fields = challenge.customer, fields or {}
        of_answers = step is Step.ANSWER or (step is Step.LOCKED and challenge.task is Task.RESET_PIN)
        secret = customer.answers if of_answers else customer.pin
        if self.blocks(challenge) and not error:
            error = f"There is no {' and no '.join(self.missing_set_up(customer))} yet."
        guessing = step in {Step.VERIFY, Step.CHANGE_PIN, Step.ANSWER}
        return_url = challenge.return_url
        if return_url is not None and challenge.ended:
            return_url = self.return_address(challenge, return_url)
        view = View(
            step=step,
            purpose=self.purpose(challenge),
            organization=customer.tenant.name,
            authorized=tuple(f"{chain.title} ({chain.name})" for chain in challenge.chains),
            csrf=self.form_token(challenge, visit) if visit else "",
            error=error,
            tries_left=self.tries() - secret.failures if guessing and secret.failures else None,
            questions=customer.questions if step is Step.ANSWER else gateway.QUESTIONS,
            chosen=tuple(fields.get(name, "") for name in ("question_1", "question_2")),
            locked_until=secret.locked_until if step is Step.LOCKED else None,
            expires_at=challenge.expires_at,
            return_url=return_url,
            skippable=self.recovery_can_be_skipped(challenge),
        )
        status = 422 if error and step not in _TERMINAL else _PAGE_STATUSES.get(step, 200)
        return Response(self.page_headers(challenge), gateway.render(view), status)

    def purpose(self, challenge: Challenge) -> str:
        """What the page says that the PIN authorizes (Provisioning Customer Wallets)."""
        return PURPOSES[challenge.task]

    def page_headers(self, challenge: Challenge) -> Headers:
        """The header lines of a page: nothing from elsewhere, in no frame, not kept."""
        return gateway.headers(challenge.return_url)

    # Events

    def wallet_events(self, challenge: Challenge) -> list[dict[str, Any]]:
        """What the events of a completed challenge say. Silent on how many: one for each wallet."""
        return [
            {
                **self.wallet_json(challenge.customer, wallet),
                "customerId": challenge.customer.id,
                "challengeId": challenge.id,
            }
            for wallet in challenge.wallets
        ]

    def announce(self, customer: Customer, event: str) -> None:
        """Send an event about a customer (Webhooks)."""
        self.send(customer.tenant, event, {"customerId": customer.id, "refId": customer.ref_id})

    def send(self, tenant: Tenant, event: str, data: Mapping[str, Any]) -> None:
        """Post an event to the organization's webhook, if it has one; signed anew at each try."""
        event_id = self.new_event_id()
        body = self.write_event(self.event_body(event, event_id, data))
        for address in self.webhook_addresses(tenant):
            self.outbox.post(address, body, self, lambda: self.event_headers(tenant, event, event_id, body))

    def new_event_id(self) -> str:
        """What tells an event from others. Silent on the form: a UUID."""
        return str(self.event_ids.uuid())

    def write_event(self, event: Mapping[str, Any]) -> bytes:
        """An event as it is sent. Silent: compact JSON, which is the same when it is written again."""
        return to_json(event)

    def webhook_addresses(self, tenant: Tenant) -> list[str]:
        """Where an organization's events go: the world's webhook is the first one's. The vendor's dashboard sets it."""
        return [self.outbox.address] if self.outbox.address and tenant.name == _FIRST_TENANT else []

    def event_body(self, event: str, event_id: str, data: Mapping[str, Any]) -> dict[str, Any]:
        """An event (beta); every one has an ``idempotencyKey`` (Webhooks)."""
        return {"event": event, "timestamp": self.time(self.now()), "idempotencyKey": event_id, "data": data}

    def event_headers(self, tenant: Tenant, event: str, event_id: str, body: bytes) -> Headers:
        """The header lines of one try to deliver an event (beta)."""
        signature = webhooks.sign(self.signed_body(body), self.webhook_secret(tenant), self.signed_at())
        return (*signature.items(), ("X-Webhook-Event", event), ("X-Webhook-Id", event_id))

    def signed_body(self, body: bytes) -> bytes:
        """The bytes that a webhook's signature covers: those that are sent (beta)."""
        return body

    def webhook_secret(self, tenant: Tenant) -> str:
        """What an organization's webhooks are signed with: its own secret (beta)."""
        return tenant.webhook_secret

    def signed_at(self) -> datetime:
        """The time that a signature bears: that of the try."""
        return self.now()

    def follows_redirects(self) -> bool:
        """Whether an event goes where a receiver sends it. Silent: no, as the address was checked and that was not."""
        return False

    def tries_at_once(self) -> int:
        """How often an event is tried before the first pause. Silent: once."""
        return 1

    def pause_before_retry(self, failures: int) -> timedelta:
        """How long to wait before another try. Silent: 5 seconds, twice as long each time, an hour at most."""
        return min(timedelta(seconds=5 * 2 ** (failures - 1)), timedelta(hours=1))

    def gives_up_after(self) -> timedelta:
        """The age at which an event is dropped. Silent: a day."""
        return timedelta(days=1)

    def is_received(self, status: int) -> bool:
        """Whether an answer says that the event was received: 2xx (beta)."""
        return 200 <= status < 300  # noqa: PLR2004 - the class of statuses


def _tenant(name: str, ids: Ids) -> Tenant:
    return Tenant(name, f"pbk_{ids.draw(24).hex()}", f"pbk_{ids.draw(24).hex()}", f"whsec_{ids.draw(24).hex()}")


def _positive(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name, str(default))
    if not re.fullmatch(r"[1-9][0-9]{0,8}", text):
        raise Refused(Reason.QUERY, f"{name!r} must be a whole number from 1, and is {text!r}.")
    return int(text)


def _named(document: Mapping[str, Any], name: str) -> str:
    text = read_text(document, name)
    if not 0 < len(text.strip()) <= _LONGEST_NAME:
        raise Refused(Reason.BODY, f"{name!r} must have 1 to {_LONGEST_NAME} characters.")
    return text


def _read_names(document: Mapping[str, Any], chains: int) -> tuple[Mapping[str, str], ...]:
    """Name and caller's id of each wallet in ``metadata`` (beta)."""
    given = document.get("metadata")
    if given is None:
        return ()
    if not isinstance(given, list) or len(given) != chains or not all(isinstance(entry, dict) for entry in given):
        raise Refused(Reason.BODY, "'metadata' must be an array with one object, of name and refId, for each chain.")
    return tuple({name: read_text(entry, name) for name in ("name", "refId") if name in entry} for entry in given)


def _fits(wallet: Wallet, query: Mapping[str, str]) -> bool:
    shown = {"blockchain": wallet.chain.name, "address": wallet.address, "refId": wallet.ref_id}
    return all(query.get(name) in (None, value) for name, value in shown.items())


def _is_web_page(url: str) -> bool:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return usable and len(url) <= _LONGEST_URL and url.isascii() and url.isprintable() and " " not in url


def _answers(fields: Mapping[str, str]) -> str:
    """Both answers as they are compared: without regard to case and outer blanks."""
    return "\n".join(" ".join(fields.get(name, "").casefold().split()) for name in ("answer_1", "answer_2"))


def _see_other(url: str) -> Response:
    return Response((("Location", url), ("Cache-Control", "no-store")), b"", 303)
