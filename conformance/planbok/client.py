"""A client of Planbok: sends a key, repeats and waits as the documents ask, and is small enough to start your own from.

The suite sends all its requests through it; a team may use it as it is::

    with Client("https://api.planbok.io", Credentials(api_key)) as client:
        customer = client.create_customer("Ada", ref_id="user-1")
        challenge = client.initialize(customer.id, "https://app.example/welcome")
        ...  # send the customer to challenge.redirect_url, where the PIN and recovery are set up
        client.await_challenge(customer.id, challenge.id)
        if client.customer(customer.id).is_set_up:
            challenge = client.create_wallets(customer.id, ["ETH", "SOL"], "https://app.example/wallets")
            ...  # send the customer to challenge.redirect_url, where the PIN is asked for
            ended = client.await_challenge(customer.id, challenge.id)
            if ended.succeeded:
                ...  # store ended.wallets now: in 15 minutes nobody can read them there
"""

import re
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from http import HTTPStatus
from itertools import count
from operator import attrgetter
from typing import Any, Self, TypeVar

import httpx

from conformance.bounds.transport import REPEATABLE
from conformance.clock import Clock
from conformance.ids import Ids
from conformance.parts.client import ApiClient, ApiError, listed_objects, request_line
from conformance.planbok.messages import KEY_HEADER
from conformance.planbok.resources import Challenge, Customer, Wallet, checked_id
from conformance.standards.spellings import PLAIN, Spelling

__all__ = [
    "LIFESPAN",
    "OWN",
    "ApiError",
    "Challenge",
    "Client",
    "Credentials",
    "Customer",
    "Wallet",
    "listed_customers",
    "made_up_credentials",
    "refused_access",
]

LIFESPAN = timedelta(minutes=15)
"""How long a challenge lives (document Provisioning Customer Wallets, Option A)."""


class _Own(Enum):
    OWN = "the client's own key"


OWN = _Own.OWN
"""Stands for the client's own API key."""

_SHOWN = 300
_REFUSED_ACCESS = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_BETWEEN_POLLS = timedelta(seconds=2)
_READS_A_SECOND = 20
_SECOND = timedelta(seconds=1)
_LARGEST_PAGE = 100
_DEFAULT_PAGE = 10
_HEADER_VALUE = re.compile(r"[\x21-\x7e]+")

Read = TypeVar("Read")


@dataclass(frozen=True)
class Credentials:
    """What one organization authenticates with, and what it verifies events with.

    Args:
        api_key: The API key.
        webhook_secret: The secret that events are signed with, None if it is not known.
        read_only_key: A key of the same organization that may do no more than GET, None if there is none.

    Raises:
        ValueError: If a key fits no header.
    """

    api_key: str = field(repr=False)
    webhook_secret: str | None = field(default=None, repr=False)
    read_only_key: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        for key in (self.api_key, self.read_only_key):
            if key is not None and not _HEADER_VALUE.fullmatch(key):
                raise ValueError("A key must be visible ASCII characters without blanks, to fit a header.")

    @classmethod
    def from_settings(cls, settings: Mapping[str, str]) -> Self:
        """Credentials from texts.

        Args:
            settings: ``api_key`` and, if there are any, ``webhook_secret`` and ``read_only_key``.

        Raises:
            ValueError: If a key fits no header.
        """
        return cls(settings["api_key"], settings.get("webhook_secret"), settings.get("read_only_key"))


class Client(ApiClient):
    """A client of Planbok.

    Args:
        base_url: Where the API is, without ``/v2``.
        credentials: What to authenticate with.
        transport: What sends requests; a new one if none is given.
        clock: What tells the time, and waits between tries.
        ids: Where idempotency keys come from.
        spelling: How requests are written.
    """

    worth_repeating = ApiClient.worth_repeating | {HTTPStatus.TOO_MANY_REQUESTS}

    def __init__(
        self,
        base_url: str,
        credentials: Credentials,
        *,
        transport: httpx.BaseTransport | None = None,
        clock: Clock | None = None,
        ids: Ids | None = None,
        spelling: Spelling = PLAIN,
    ) -> None:
        super().__init__(base_url, transport=transport, clock=clock, ids=ids, spelling=spelling)
        self.credentials = credentials
        self._reads: deque[datetime] = deque(maxlen=_READS_A_SECOND)

    @property
    def secrets(self) -> Iterable[str | None]:
        """What no error may show: the keys, and what events are signed with."""
        own = self.credentials
        return own.api_key, own.webhook_secret, own.read_only_key

    # ------------------------------------------------------------------------------------- one request, as it is told

    def send(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        content: bytes | None = None,
        key: str | _Own | None = OWN,
        headers: Mapping[str, str] | None = None,
        extensions: Mapping[str, Any] | None = None,
    ) -> httpx.Response:
        """Send one request and give its answer, whatever it is; nothing is repeated.

        Args:
            method: The method.
            path: The path below the base URL, with its query.
            body: What to send as JSON; None for no body.
            content: Bytes to send as JSON instead of `body`.
            key: The API key; None for none.
            headers: Further headers.
            extensions: httpx's request extensions.

        Raises:
            httpx.RequestError: If no answer came, or one that cannot be decoded.
        """
        fields = dict(headers or {})
        if key is not None:
            fields[KEY_HEADER] = self.credentials.api_key if isinstance(key, _Own) else key
        has_key = isinstance(body, Mapping) and bool(body.get("idempotencyKey"))
        further = {REPEATABLE: has_key, **(extensions or {})}
        return self.send_request(method, path, body=body, content=content, headers=fields, extensions=further)

    # ----------------------------------------------------------------------------------------------------- customers

    def create_customer(self, name: str, ref_id: str) -> Customer:
        """Create a customer (document Onboarding and PIN Setup).

        Args:
            name: The customer's name.
            ref_id: Your own id for the customer.

        Raises:
            ApiError: If it was refused.
        """
        body = {"name": name, "refId": ref_id, "idempotencyKey": str(self.ids.uuid())}
        return self._read(Customer.from_json, self._call("POST", "/v2/customers", body=body))

    def customers(self) -> list[Customer]:
        """All customers of this organization, from all pages.

        Raises:
            ApiError: If they cannot be read.
        """
        return self._all("/v2/customers?", Customer.from_json)

    def customer(self, customer_id: str) -> Customer:
        """One customer.

        Raises:
            ApiError: If there is none.
            ValueError: If `customer_id` is no id.
        """
        return self._read(Customer.from_json, self._call("GET", f"/v2/customers/{checked_id(customer_id)}"))

    # ---------------------------------------------------------------------------------------------------- challenges

    def initialize(self, customer_id: str, redirect_url: str) -> Challenge:
        """Ask for the challenge in which the customer sets PIN and recovery (document Onboarding and PIN Setup).

        It and the next three have no idempotency key: repeated, they leave a challenge behind that nobody completes.

        Args:
            customer_id: The customer.
            redirect_url: Your own page, to which the customer returns from the hosted one.

        Raises:
            ApiError: If it was refused.
            ValueError: If `customer_id` is no id.
        """
        return self._challenged(customer_id, "initialize", {"redirectUrl": redirect_url})

    def set_up_recovery(self, customer_id: str, redirect_url: str) -> Challenge:
        """Ask for the challenge in which the customer sets up recovery (document Security and Recovery).

        Args and errors are those of `initialize`.
        """
        return self._challenged(customer_id, "recovery", {"redirectUrl": redirect_url})

    def update_pin(self, customer_id: str, redirect_url: str) -> Challenge:
        """Ask for the challenge in which the customer replaces a known PIN (document Security and Recovery).

        Args and errors are those of `initialize`.
        """
        return self._challenged(customer_id, "update-pin", {"redirectUrl": redirect_url})

    def reset_pin(self, customer_id: str, redirect_url: str) -> Challenge:
        """Ask for the challenge in which the customer replaces a forgotten PIN (document Security and Recovery).

        Args and errors are those of `initialize`.
        """
        return self._challenged(customer_id, "reset-pin", {"redirectUrl": redirect_url})

    def create_wallets(
        self, customer_id: str, blockchains: Sequence[str], redirect_url: str, account_type: str = "eoa"
    ) -> Challenge:
        """Ask for the challenge in which the customer authorizes wallets (document Provisioning Customer Wallets).

        Args:
            customer_id: The customer, whose set-up must be complete.
            blockchains: The names of the chains to create wallets on.
            redirect_url: Your own page, to which the customer returns from the hosted one.
            account_type: The type of account.

        Raises:
            ApiError: If it was refused.
            ValueError: If `customer_id` is no id.
        """
        body = {
            "blockchains": list(blockchains),
            "accountType": account_type,
            "redirectUrl": redirect_url,
            "idempotencyKey": str(self.ids.uuid()),
        }
        return self._challenged(customer_id, "wallet/create", body)

    def challenge(self, customer_id: str, challenge_id: str) -> Challenge:
        """One challenge of a customer.

        Raises:
            ApiError: If there is none.
            ValueError: If one of the two is no id.
        """
        path = f"/v2/customers/{checked_id(customer_id)}/challenges/{checked_id(challenge_id)}"
        return self._read(Challenge.from_json, self._call("GET", path))

    def challenges(self, customer_id: str) -> list[Challenge]:
        """All challenges of a customer, from all pages.

        Raises:
            ApiError: If they cannot be read.
            ValueError: If `customer_id` is no id.
        """
        return self._all(f"/v2/customers/{checked_id(customer_id)}/challenges?", Challenge.from_json)

    def await_challenge(self, customer_id: str, challenge_id: str, timeout: timedelta = LIFESPAN) -> Challenge:
        """Read a challenge every two seconds until it has ended, or its next reading would come too late.

        A webhook tells sooner and costs nothing; this is for where none can be received.

        Args:
            customer_id: The customer.
            challenge_id: The challenge.
            timeout: How long to go on, if the challenge does not expire before.

        Returns:
            The challenge as it was last read, which need not have ended.

        Raises:
            ApiError: If it cannot be read.
            ValueError: If one of the two is no id.
        """
        deadline = self.clock.now() + timeout
        while True:
            asked = self.clock.now()
            challenge = self.challenge(customer_id, challenge_id)
            if challenge.ended or asked + _BETWEEN_POLLS >= min(deadline, challenge.expires_at or deadline):
                return challenge
            self.clock.advance(_BETWEEN_POLLS)

    # ------------------------------------------------------------------------------------------------------- wallets

    def wallets(self, customer_ids: Sequence[str]) -> list[Wallet]:
        """All wallets of some customers, from all pages (document Provisioning Customer Wallets, Option B).

        Args:
            customer_ids: The customers; at least one, since without a filter the API gives everybody's wallets.

        Raises:
            ApiError: If they cannot be read.
            ValueError: If there is no customer, or one of them is no id.
        """
        if not customer_ids or isinstance(customer_ids, str):
            raise ValueError("Give a list of one customer or more; without a filter the API gives everybody's wallets.")
        path = f"/v2/wallets?customerIds={','.join(map(checked_id, customer_ids))}&"
        return self._all(path, Wallet.from_json, known_by=attrgetter("id", "place"))

    def wallet(self, wallet_id: str) -> Wallet:
        """One wallet.

        Raises:
            ApiError: If there is none.
            ValueError: If `wallet_id` is no id.
        """
        return self._read(Wallet.from_json, self._call("GET", f"/v2/wallets/{checked_id(wallet_id)}"))

    # ------------------------------------------------------------------------------------------------ how calls work

    def _challenged(self, customer_id: str, path: str, body: object) -> Challenge:
        response = self._call("POST", f"/v2/customers/{checked_id(customer_id)}/{path}", body=body)
        challenge = self._read(Challenge.from_json, response)
        if challenge.redirect_url is None:
            raise self.error(f"The answer to {request_line(response)} holds no redirectUrl.", response)
        return challenge

    def _all(
        self,
        path: str,
        read: Callable[[Mapping[str, Any]], Read],
        *,
        known_by: Callable[[Read], object] = attrgetter("id"),
    ) -> list[Read]:
        """The entries of all pages of a list, each once; `path` is ready for the rest of its query.

        How a list tells of its pages is not known. So the last page is one that is smaller than any limit, which a
        server may lower but not below its default, or one that brings nothing new.
        """
        found: dict[object, Read] = {}
        for page in count(1):
            response = self._call("GET", f"{path}page={page}&limit={_LARGEST_PAGE}")
            entries = self._read(lambda data: [read(entry) for entry in _list(data)], response)
            before = len(found)
            for entry in entries:
                found.setdefault(known_by(entry), entry)
            if len(found) == before or len(entries) < _DEFAULT_PAGE:
                break
        return list(found.values())

    def _call(self, method: str, path: str, *, body: object = None) -> httpx.Response:
        """Send a request and expect success; repeated as it is where no answer, a 5xx or a 429 came."""

        def send() -> httpx.Response:
            if method == "GET":
                self._keep_to_the_limit()
            return self.send(method, path, body=body)

        return self._succeeded(self.send_until_answered(f"{method} {path}", send))

    def _keep_to_the_limit(self) -> None:
        """Wait until this is no more than the twentieth GET within a second (document API Rate Limits)."""
        if len(self._reads) == _READS_A_SECOND:
            since = self.clock.now() - self._reads[0]
            if timedelta() <= since < _SECOND:
                self.clock.advance(_SECOND - since)
        self._reads.append(self.clock.now())

    def _succeeded(self, response: httpx.Response) -> httpx.Response:
        """`response` if its status is 2xx; no source shows which one.

        Raises:
            ApiError: If it is another.
        """
        if not response.is_success:
            raise self.error(
                f"{request_line(response)} was answered {response.status_code}{self.refusal_text(response)}",
                response,
            )
        return response

    def _read(self, read: Callable[[Any], Read], response: httpx.Response) -> Read:
        """What `read` makes of the payload.

        Raises:
            ApiError: If there is no payload, or `read` cannot use it.
        """
        answer, what = self.parsed_object(response), f"The answer to {request_line(response)}"
        if answer.get("success") is False:
            raise self.error(f"{what} is {response.status_code}, but no success{self.start_of(response)}", response)
        if "data" not in answer:
            raise self.error(f"{what} holds no data.", response)
        try:
            return read(answer["data"])
        except (KeyError, TypeError, ValueError) as error:
            raise self.error(f"{what} is not what was asked for: {error!r:.{_SHOWN}}", response) from error


def made_up_credentials(ids: Ids) -> dict[str, str]:
    """Credentials that no server knows, as texts by the names of the settings; for replays and sandboxes.

    Args:
        ids: What they are derived from.
    """
    return {name: ids.draw(24).hex() for name in ("api_key", "webhook_secret", "read_only_key")}


def listed_customers(base_url: str, settings: Mapping[str, str], transport: httpx.BaseTransport) -> frozenset[str]:
    """The ids of the customers on the first page for these credentials; none if no list can be read.

    Args:
        base_url: Where the API is, without ``/v2``.
        settings: What to authenticate with.
        transport: What sends.
    """
    client = Client(base_url, Credentials.from_settings(settings), transport=transport)
    try:
        shown = client.send("GET", "/v2/customers?limit=100").json()["data"]
        return frozenset(str(each["id"]) for each in shown)
    except (ApiError, KeyError, TypeError, ValueError, httpx.HTTPError):
        return frozenset()


def refused_access(base_url: str, settings: Mapping[str, str], transport: httpx.BaseTransport) -> str | None:
    """Why a server does not let these credentials in, None if it does; one customer is asked for.

    Args:
        base_url: Where the API is, without ``/v2``.
        settings: What to authenticate with.
        transport: What sends.
    """
    client = Client(base_url, Credentials.from_settings(settings), transport=transport)
    return client.refused_access(
        f"GET {client.base_url}/v2/customers?limit=1",
        lambda: client.send("GET", "/v2/customers?limit=1"),
        statuses=_REFUSED_ACCESS,
        advice="Compare the API key with the one that Planbok shows, and whether it may be used from this address.",
        is_known=_is_list,
        controls=(
            lambda: client.send("GET", f"/v2/{client.ids.uuid()}"),
            lambda: client.send("POST", "/v2/customers", body={}),
        ),
    )


def _is_list(response: httpx.Response) -> bool:
    try:
        data = response.json()
    except (ValueError, RecursionError):
        return False
    return isinstance(data, dict) and listed_objects(data.get("data"))


def _list(data: Any) -> list[Any]:
    if not isinstance(data, list):
        raise TypeError("no list")
    return data
