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

import json
import re
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import Enum
from itertools import count
from operator import attrgetter
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

import httpx

from conformance.clock import Clock, SystemClock
from conformance.ids import Ids, fresh_seed
from conformance.planbok.messages import KEY_HEADER, SUCCESS_WORDS, instant

LIFESPAN = timedelta(minutes=15)
"""How long a challenge lives (document Provisioning Customer Wallets, Option A)."""


class _Own(Enum):
    OWN = "the client's own key"


OWN = _Own.OWN
"""Stands for the client's own API key."""

_TIMEOUT = httpx.Timeout(10.0)
_TRIES = 3
_SHOWN = 300
_FIRST_PAUSE = timedelta(milliseconds=200)
_FIRST_PAUSE_AFTER_429 = timedelta(seconds=1)
_PATIENCE = timedelta(seconds=30)
_WORTH_REPEATING = {429, 500, 502, 503, 504}
_REFUSED_ACCESS = {401, 403}
_BETWEEN_POLLS = timedelta(seconds=2)
_READS_A_SECOND = 20
_SECOND = timedelta(seconds=1)
_LARGEST_PAGE = 100
_DEFAULT_PAGE = 10
_HEADER_VALUE = re.compile(r"[\x21-\x7e]+")
_DELAY = re.compile(r"[0-9]+")
_ENDLESS_DELAY = 10  # digits
_ID = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._~-]+")

Read = TypeVar("Read")


class ApiError(Exception):
    """The API answered something else than the call asks for.

    Args:
        message: What was answered to what.
        response: The answer, None if there was none.
    """

    def __init__(self, message: str, response: httpx.Response | None = None) -> None:
        super().__init__(message)
        self.response = response


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


@dataclass(frozen=True)
class Customer:
    """A customer as the API shows it.

    Args:
        id: Its id.
        name: Its name, None if it is not shown.
        ref_id: The caller's own id for it, None if it is not shown.
        custody_type: Who holds the keys, None if it is not shown.
        status: Its state, None if it is not shown.
        has_pin: Whether it has set a PIN, None if that is not shown.
        has_recovery: Whether it has set up recovery, None if that is not shown.
        created_at: When it was created (UTC), None if it is not shown.
        updated_at: When it last changed (UTC), None if it is not shown.
    """

    id: str
    name: str | None = None
    ref_id: str | None = None
    custody_type: str | None = None
    status: str | None = None
    has_pin: bool | None = None
    has_recovery: bool | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None

    @property
    def is_set_up(self) -> bool:
        """Whether both PIN and recovery are shown to be there, without which no wallet can be created."""
        return bool(self.has_pin and self.has_recovery)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read a customer.

        Raises:
            KeyError: If the id is missing.
            TypeError: If the id is no string, or what must be true or false is neither.
            ValueError: If the id is none that a path can hold.
        """
        return cls(
            id=_checked_id(data["id"]),
            name=_text(data, "name"),
            ref_id=_text(data, "refId"),
            custody_type=_text(data, "custodyType"),
            status=_text(data, "status"),
            has_pin=_flag(data, "hasPin"),
            has_recovery=_flag(data, "hasRecovery"),
            created_at=instant(data.get("createdAt")),
            updated_at=instant(data.get("updatedAt")),
        )


@dataclass(frozen=True)
class Wallet:
    """A wallet as the API shows it.

    Args:
        blockchain: The chain.
        address: The address.
        id: Its id, None if it is not shown.
        customer: The customer's id, None if it is not shown.
        public_key: The public key as it is written, None if it is not shown.
        name: Its name, None if it is not shown.
        ref_id: The caller's own id for it, None if it is not shown.
        state: Its state, None if it is not shown.
        created_at: When it was created (UTC), None if it is not shown.
    """

    blockchain: str
    address: str
    id: str | None = None
    customer: str | None = None
    public_key: str | None = None
    name: str | None = None
    ref_id: str | None = None
    state: str | None = None
    created_at: datetime | None = None

    @property
    def place(self) -> tuple[str, str]:
        """Chain and address, by which a wallet is the same wherever it is shown."""
        return self.blockchain, self.address

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read a wallet.

        Raises:
            KeyError: If chain or address is missing.
            TypeError: If one of them is no string.
        """
        return cls(
            blockchain=_string(data["blockchain"], "blockchain"),
            address=_string(data["address"], "address"),
            id=_text(data, "id"),
            customer=_text(data, "customer"),
            public_key=_text(data, "publicKey"),
            name=_text(data, "name"),
            ref_id=_text(data, "refId"),
            state=_text(data, "state"),
            created_at=instant(data.get("createdAt")),
        )


@dataclass(frozen=True)
class Challenge:
    """A challenge as the API shows it.

    Args:
        id: Its id.
        redirect_url: The hosted page to send the customer to, exactly as it is; None if it is not shown.
        status: Its status, None if it is not shown.
        task: What it is for, None if it is not shown.
        expires_at: When it expires (UTC), None if it is not shown.
        wallets: The new wallets; none unless it succeeded.
        result: The whole result as it was answered, which nobody may believe unless it succeeded.
    """

    id: str
    redirect_url: str | None = None
    status: str | None = None
    task: str | None = None
    expires_at: datetime | None = None
    wallets: tuple[Wallet, ...] = ()
    result: Any = None

    @property
    def succeeded(self) -> bool:
        """Whether its status says that it succeeded, in one of the words that the sources use."""
        return self.status in SUCCESS_WORDS

    @property
    def ended(self) -> bool:
        """Whether it succeeded or failed; a status that no source names may still change."""
        return self.succeeded or self.status == "failed"

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read a challenge. Sources differ on what its id is called and on how its result holds the wallets.

        Raises:
            KeyError: If its id is missing, or chain or address of a wallet in its result.
            TypeError: If one of these, or the hosted page, is no string.
            ValueError: If its id is none that a path can hold, or the hosted page is no http or https URL.
        """
        challenge_id = _checked_id(data["challengeId"] if "challengeId" in data else data["id"])
        status, result, page = _text(data, "status"), data.get("result"), data.get("redirectUrl")
        entries = result.get("wallets") if isinstance(result, Mapping) else result
        believed = entries if status in SUCCESS_WORDS and isinstance(entries, list) else []
        return cls(
            id=challenge_id,
            redirect_url=None if page is None else _web_address(page),
            status=status,
            task=_text(data, "task"),
            expires_at=instant(data.get("expiresAt")),
            wallets=tuple(Wallet.from_json(entry) for entry in believed),
            result=result,
        )


class Client:
    """A client of Planbok.

    Args:
        base_url: Where the API is, without ``/v2``.
        credentials: What to authenticate with.
        transport: What sends requests; a new one if none is given.
        clock: What tells the time, and waits between tries.
        ids: Where idempotency keys come from.
    """

    def __init__(
        self,
        base_url: str,
        credentials: Credentials,
        *,
        transport: httpx.BaseTransport | None = None,
        clock: Clock | None = None,
        ids: Ids | None = None,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.credentials = credentials
        self.clock = clock or SystemClock()
        self.ids = ids or Ids(fresh_seed())
        self._reads: deque[datetime] = deque(maxlen=_READS_A_SECOND)
        self._http = httpx.Client(
            transport=transport,
            timeout=_TIMEOUT,
            headers={"Accept": "application/json", "Accept-Encoding": "identity"},
            trust_env=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

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
        if content is None and body is not None:
            content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        fields = dict(headers or {})
        if content is not None:
            fields.setdefault("Content-Type", "application/json")
        if key is not None:
            fields[KEY_HEADER] = self.credentials.api_key if isinstance(key, _Own) else key
        request = self._http.build_request(
            method, self.base_url + path, content=content, headers=fields, extensions=dict(extensions or {})
        )
        return self._http.send(request)

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
        return self._read(Customer.from_json, self._call("GET", f"/v2/customers/{_checked_id(customer_id)}"))

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
        path = f"/v2/customers/{_checked_id(customer_id)}/challenges/{_checked_id(challenge_id)}"
        return self._read(Challenge.from_json, self._call("GET", path))

    def challenges(self, customer_id: str) -> list[Challenge]:
        """All challenges of a customer, from all pages.

        Raises:
            ApiError: If they cannot be read.
            ValueError: If `customer_id` is no id.
        """
        return self._all(f"/v2/customers/{_checked_id(customer_id)}/challenges?", Challenge.from_json)

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
        path = f"/v2/wallets?customerIds={','.join(map(_checked_id, customer_ids))}&"
        return self._all(path, Wallet.from_json, known_by=attrgetter("id", "place"))

    def wallet(self, wallet_id: str) -> Wallet:
        """One wallet.

        Raises:
            ApiError: If there is none.
            ValueError: If `wallet_id` is no id.
        """
        return self._read(Wallet.from_json, self._call("GET", f"/v2/wallets/{_checked_id(wallet_id)}"))

    # ------------------------------------------------------------------------------------------------ how calls work

    def _challenged(self, customer_id: str, path: str, body: object) -> Challenge:
        response = self._call("POST", f"/v2/customers/{_checked_id(customer_id)}/{path}", body=body)
        challenge = self._read(Challenge.from_json, response)
        if challenge.redirect_url is None:
            raise self._error(f"The answer to {_named(response)} holds no redirectUrl.", response)
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
        pause = _FIRST_PAUSE
        for tries_left in reversed(range(_TRIES)):
            if method == "GET":
                self._keep_to_the_limit()
            try:
                response = self.send(method, path, body=body)
            except httpx.RequestError as error:
                if not tries_left:
                    raise self._error(f"{method} {path} got no answer: {_described(error)}") from error
            else:
                pause = max(pause, self._wished_pause(response))
                if response.status_code not in _WORTH_REPEATING or not tries_left or pause > _PATIENCE:
                    return self._succeeded(response)
            self.clock.advance(pause)
            pause *= 2
        raise AssertionError  # the last try returns or raises

    def _keep_to_the_limit(self) -> None:
        """Wait until this is no more than the twentieth GET within a second (document API Rate Limits)."""
        if len(self._reads) == _READS_A_SECOND:
            since = self.clock.now() - self._reads[0]
            if timedelta() <= since < _SECOND:
                self.clock.advance(_SECOND - since)
        self._reads.append(self.clock.now())

    def _wished_pause(self, response: httpx.Response) -> timedelta:
        """How long the API wishes not to be asked again; Retry-After counts seconds or is a date."""
        wish = response.headers.get("Retry-After", "")
        if _DELAY.fullmatch(wish):
            return timedelta(seconds=int(wish)) if len(wish) < _ENDLESS_DELAY else timedelta.max
        try:
            return parsedate_to_datetime(wish) - self.clock.now()
        except (IndexError, OverflowError, TypeError, ValueError):
            return _FIRST_PAUSE_AFTER_429 if response.status_code == httpx.codes.TOO_MANY_REQUESTS else timedelta()

    def _succeeded(self, response: httpx.Response) -> httpx.Response:
        """`response` if its status is 2xx; no source shows which one.

        Raises:
            ApiError: If it is another.
        """
        if not response.is_success:
            raise self._error(f"{_named(response)} was answered {response.status_code}{self.shown(response)}", response)
        return response

    def _read(self, read: Callable[[Any], Read], response: httpx.Response) -> Read:
        """What `read` makes of the payload.

        Raises:
            ApiError: If there is no payload, or `read` cannot use it.
        """
        named = f"The answer to {_named(response)}"
        try:
            answer = response.json()
        except (ValueError, RecursionError) as error:
            kind = response.headers.get("content-type", "no content type")
            raise self._error(f"{named} is {kind}, not JSON.", response) from error
        if not isinstance(answer, dict):
            raise self._error(f"{named} is no JSON object.", response)
        if answer.get("success") is False:
            raise self._error(f"{named} is {response.status_code}, but no success{self._start(response)}", response)
        if "data" not in answer:
            raise self._error(f"{named} holds no data.", response)
        try:
            return read(answer["data"])
        except (KeyError, TypeError, ValueError) as error:
            raise self._error(f"{named} is not what was asked for: {error!r:.{_SHOWN}}", response) from error

    def _error(self, message: str, response: httpx.Response | None = None) -> ApiError:
        return ApiError(self._without_secrets(message), response)

    def shown(self, response: httpx.Response) -> str:
        """A colon and the start of a refusal's body, without the secrets that it may repeat; else empty."""
        return self._start(response) if response.is_error else ""

    def _start(self, response: httpx.Response) -> str:
        text = self._without_secrets(response.content.decode(errors="replace"))
        return f": {text[:_SHOWN]}" if text else ""

    def _without_secrets(self, text: str) -> str:
        own = self.credentials
        for secret in (own.api_key, own.webhook_secret, own.read_only_key):
            text = text.replace(secret, "[secret]") if secret else text
        return text


def made_up_credentials(ids: Ids) -> dict[str, str]:
    """Credentials that no server knows, as texts by the names of the settings; for replays and sandboxes.

    Args:
        ids: What they are derived from.
    """
    return {name: ids.draw(24).hex() for name in ("api_key", "webhook_secret", "read_only_key")}


def refused_access(base_url: str, settings: Mapping[str, str], transport: httpx.BaseTransport) -> str | None:
    """Why a server does not let these credentials in, None if it does; one customer is asked for.

    Args:
        base_url: Where the API is, without ``/v2``.
        settings: What to authenticate with.
        transport: What sends.
    """
    client = Client(base_url, Credentials.from_settings(settings), transport=transport)
    asked = f"GET {client.base_url}/v2/customers?limit=1"
    try:
        response = client.send("GET", "/v2/customers?limit=1")
    except httpx.RequestError as error:
        return f"{asked} got no answer: {_described(error)}"
    if response.status_code not in _REFUSED_ACCESS:
        return None
    return (
        f"{asked} was answered {response.status_code}{client.shown(response)} "
        "Compare the API key with the one that Planbok shows, and whether it may be used from this address."
    )


def _checked_id(text: Any) -> str:
    """`text`, if it is an id that a path and a filter can hold as it is.

    Raises:
        TypeError: If it is no string.
        ValueError: If it is empty, or has other characters than those that URLs never escape.
    """
    if not _ID.fullmatch(_string(text, "an id")):
        raise ValueError(f"{text!r} is no id")
    return str(text)


def _web_address(text: Any) -> str:
    parts = urlsplit(_string(text, "redirectUrl"))
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"{text!r} is no address of a web page")
    return str(text)


def _described(error: httpx.RequestError) -> str:
    return str(error) or type(error).__name__


def _named(response: httpx.Response) -> str:
    return f"{response.request.method} {response.request.url.path}"


def _list(data: Any) -> list[Any]:
    if not isinstance(data, list):
        raise TypeError("no list")
    return data


def _string(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{name} is no string")
    return value


def _text(data: Mapping[str, Any], name: str) -> str | None:
    value = data.get(name)
    return value if isinstance(value, str) else None


def _flag(data: Mapping[str, Any], name: str) -> bool | None:
    value = data.get(name)
    if value is not None and not isinstance(value, bool):
        raise TypeError(f"{name} is neither true nor false")
    return value
