"""What Planbok's exchanges and events say, read without judging: operations, customers, challenges, wallets."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

from conformance.exchange import Delivery, Exchange, Headers, Message, Request, Response

KEY_HEADER = "PLANBOK-X-API-KEY"
"""The header that carries the API key."""

LIFE = timedelta(minutes=15)
"""How long a challenge can be completed, and then its result be read."""

SUCCESS_WORDS = ("verified", "completed", "successful")
"""What the sources call a challenge that succeeded."""
_LIKELY_SUCCESSES = {
    "complete",
    "success",
    "succeeded",
    "done",
    "approved",
    "authorized",
    "confirmed",
    "finished",
    "ok",
}
"""What a server may call it besides, since the documents print the word nowhere as a value."""
UNDER_WAY = {"pending", "created", "open", "initiated", "processing", "in_progress", "deriving"}
"""What a server may call it before it ends: the sources name ``pending``, and no document rules out further ones."""
_NO_SUCCESSES = {
    *UNDER_WAY,
    *("failed", "expired", "cancelled", "canceled", "rejected", "declined", "denied", "error", "locked", "aborted"),
}
"""What no server calls it."""

ISSUING = frozenset({"initializeCustomer", "setUpRecovery", "updatePin", "resetPin", "createWallets"})
"""The operations that are answered with a new challenge."""

_DEEPEST = 100
"""The most levels of a body that are read; a deeper one counts as empty, since reading it could exhaust the stack."""

Intent = tuple[str, ...]
"""What a request has in common with its repetitions."""


@dataclass(frozen=True)
class Call:
    """What a request calls: an operation, and what it is about by the ids in the path.

    Args:
        operation: The id of the operation, None if the path is none of the API's.
        customer: The customer's id in the path, None if there is none.
        challenge: The challenge's id in the path, None if there is none.
        wallet: The wallet's id in the path, None if there is none.
    """

    operation: str | None = None
    customer: str | None = None
    challenge: str | None = None
    wallet: str | None = None

    @classmethod
    def of(cls, operation: str | None, parameters: Mapping[str, str]) -> "Call":
        """The call of an operation with these parameters in its path."""
        if operation == "getWallet":
            return cls(operation, wallet=parameters.get("id"))
        return cls(operation, parameters.get("id"), parameters.get("challengeId"))


@dataclass(frozen=True)
class Challenge:
    """A challenge as an answer shows it.

    Args:
        id: Its id, None if neither name of it is there.
        redirect_url: The hosted page, None if it is not shown.
        status: Its status, None if it is not shown.
        expires_at: When it expires (UTC), None if that is not shown or no time.
        result: What came of it; None if there is nothing.
        named: The names under which ids are shown: ``challengeId``, ``id``, or both.
    """

    id: str | None
    redirect_url: str | None
    status: str | None
    expires_at: datetime | None
    result: Any
    named: tuple[str, ...]

    @property
    def succeeded(self) -> bool:
        """Whether it says that it succeeded: in a word for that, or in another one and with wallets in its result."""
        word = (self.status or "").lower()
        return word in {*SUCCESS_WORDS, *_LIKELY_SUCCESSES} or (word not in _NO_SUCCESSES and bool(self.wallets))

    @property
    def is_under_way(self) -> bool:
        """Whether it says that its end is still to come: that it is pending, or that what it is for is being done."""
        return (self.status or "").lower() in UNDER_WAY

    @property
    def has_ended(self) -> bool:
        """Whether nothing more can come of it: it failed, or it succeeded and shows its result."""
        return self.status == "failed" or bool(self.succeeded and self.result)

    @property
    def wallets(self) -> list["Wallet"]:
        """The wallets in its result."""
        return wallets_in(self.result)


@dataclass(frozen=True)
class Wallet:
    """A wallet as an answer or an event shows it.

    Args:
        blockchain: The chain.
        address: The address.
        id: Its id, None if it is not shown.
        customer: The customer's id, None if it is not shown.
        public_key: The public key as it is written, None if it is not shown.
        path: The derivation path as it is written, None if it is not shown.
    """

    blockchain: str
    address: str
    id: str | None = None
    customer: str | None = None
    public_key: str | None = None
    path: str | None = None

    @property
    def place(self) -> tuple[str, str]:
        """Chain and address, by which a wallet is the same wherever it is shown."""
        return self.blockchain, self.address

    @property
    def folded(self) -> tuple[str, str]:
        """Its place, in whatever letter case the address is written."""
        return self.blockchain, self.address.lower()


def call_of(exchange: Exchange) -> Call:
    """What the request of an exchange calls."""
    return Call.of(exchange.operation, exchange.parameters)


def payload(response: Response) -> Any:
    """The ``data`` of an answer that succeeded, None if there is none."""
    return response.members().get("data") if response.succeeded else None


def _text(value: Any, *names: str) -> str | None:
    """The first member of `value` with one of these names that is a text."""
    if not isinstance(value, Mapping):
        return None
    return next((value[name] for name in names if isinstance(value.get(name), str)), None)


def instant(text: Any) -> datetime | None:
    """The instant that a text writes in ISO 8601, None if it writes none with an offset."""
    try:
        found = datetime.fromisoformat(text) if isinstance(text, str) else None
        return found.astimezone(UTC) if found is not None and found.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def customer_id(response: Response) -> str | None:
    """The id of the customer in an answer, None if there is none."""
    return _text(payload(response), "id")


def is_set_up(customer: Any) -> bool | None:
    """Whether a customer is shown with PIN and recovery, None if it cannot be told from what is shown."""
    if not isinstance(customer, Mapping):
        return None
    pin, recovery = customer.get("hasPin"), customer.get("hasRecovery")
    if pin is False or recovery is False:
        return False
    return True if recovery is True else None


def challenge_in(value: Any) -> Challenge | None:
    """The challenge in a parsed ``data``, None if it has neither an id nor a page of one."""
    named = tuple(name for name in ("challengeId", "id") if _text(value, name))
    redirect_url = _text(value, "redirectUrl")
    if not named and redirect_url is None:
        return None
    return Challenge(
        id=_text(value, *named),
        redirect_url=redirect_url,
        status=_text(value, "status"),
        expires_at=instant(value.get("expiresAt")),
        result=value.get("result"),
        named=named,
    )


def challenge_of(response: Response) -> Challenge | None:
    """The challenge in an answer that succeeded, None if there is none."""
    return challenge_in(payload(response))


def entries(response: Response) -> list[Any]:
    """The entries of a list, none if the answer holds no list."""
    data = payload(response)
    return data if isinstance(data, list) else []


def wallets_in(value: Any) -> list[Wallet]:
    """The wallets anywhere in a parsed value: objects that have a chain and an address, in the order written."""
    return list(_wallets(value))


def _wallets(value: Any) -> Iterator[Wallet]:
    match value:
        case {"blockchain": str(blockchain), "address": str(address)}:
            yield Wallet(
                blockchain,
                address,
                id=_text(value, "id", "walletId"),
                customer=_text(value, "customer", "customerId"),
                public_key=_text(value, "publicKey"),
                path=_text(value, "derivationPath", "path"),
            )
        case Mapping():
            for member in value.values():
                yield from _wallets(member)
        case list():
            for member in value:
                yield from _wallets(member)


def filtered_customers(request: Request) -> list[str] | None:
    """The customers that a list of wallets is filtered by; None without a filter, an empty list for an empty one."""
    found = parse_qs(request.query, keep_blank_values=True).get("customerIds")
    return None if found is None else [name for value in found for name in value.split(",") if name]


def event_of(delivery: Delivery) -> str | None:
    """The kind of an event, None if it says none."""
    return _text(delivery.request.members(), "event")


def names_customer(delivery: Delivery, customers: Sequence[str]) -> bool:
    """Whether an event names one of these customers, or of the other ids and addresses given, in any letter case."""
    body = delivery.request.body.decode(errors="replace").casefold()
    return any(f'"{customer.casefold()}"' in body for customer in customers)


def wallets_of(delivery: Delivery) -> list[Wallet]:
    """The wallets that an event shows."""
    return wallets_in(delivery.request.members().get("data"))


def issued_challenge(exchange: Exchange) -> tuple[str, Challenge | None]:
    """A new challenge with its place: ``data`` or, since no document shows that member, the whole body."""
    members = members_of(exchange.response)
    data = members.get("data")
    return ("/data", challenge_in(data)) if isinstance(data, dict) else ("", challenge_in(members))


def intent_of(exchange: Exchange) -> Intent:
    """What a request shares with its repetitions: its idempotency key, without one the whole body."""
    request = exchange.request
    key = members_of(request).get("idempotencyKey")
    repeated = ("key", key) if isinstance(key, str) else ("body", request.body.decode("latin-1"))
    return exchange.identity, request.path, *repeated


def chains_asked_for(request: Request) -> frozenset[str]:
    """The chains that a request names, none if it names none."""
    names = members_of(request).get("blockchains")
    return frozenset(name for name in names if isinstance(name, str)) if isinstance(names, list) else frozenset()


def members_of(message: Message) -> Mapping[str, Any]:
    """The members of a body; none if it is no JSON object, or one that is nested too deep."""
    members = message.members()
    level: list[Any] = [members]
    for _ in range(_DEEPEST):
        level = [inner for outer in level for inner in _inner(outer)]
        if not level:
            return members
    return {}


def _inner(value: Any) -> list[Any]:
    match value:
        case dict():
            return list(value.values())
        case list():
            return value
        case _:
            return []


def misplaced_key(headers: Headers, keys: Collection[str]) -> str | None:
    """Where one of the right keys stands instead of alone in its header, and what to do; None if none is seen.

    Args:
        headers: The header fields of a request.
        keys: The keys that were issued.
    """
    for name, value in headers:
        if not any(key in value for key in keys):
            continue
        if name.lower() != KEY_HEADER.lower():
            return f"The key stands in the header {name}; send it as {KEY_HEADER}."
        if value not in keys:
            return f"{KEY_HEADER} has something beside the key; send the key alone, without quotes or a scheme."
    return None
