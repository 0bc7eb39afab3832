"""An API that the suite judges: one object, registered under the entry-point group ``conformance.apis``.

Whoever adds an API writes a subclass of `Api`. Each part of it is an attribute that imports what it gives when it is
first asked for, so that a command loads no more than it needs; a module can be given wherever it has the functions of
the protocol, and a type checker says where it does not.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from conformance import ConformanceError
from conformance.files import data_path

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path
    from types import ModuleType

    import httpx

    from conformance.clock import Clock
    from conformance.exchange import Delivery, Exchange, Request, Response
    from conformance.findings import Finding
    from conformance.ids import Ids
    from conformance.settings import LiveSettings
    from conformance.specification import Operation, Specification

GROUP = "conformance.apis"


class BrokenApiError(ConformanceError, ValueError):
    """A registered API cannot be loaded; the message names who registered it, and what is wrong."""


class UnknownApiError(ConformanceError, ValueError):
    """An API was named that nobody registered."""


# ---------------------------------------------------------------------------------------------- what an API consists of


class Client(Protocol):
    """The client that the suite uses, for what is asked of it outside of scenarios."""

    def made_up_credentials(self, ids: Ids, /) -> Mapping[str, str]:
        """Credentials by the names of the settings, for a replay, where nobody checks them."""

    def refused_access(
        self, base_url: str, settings: Mapping[str, str], transport: httpx.BaseTransport, /
    ) -> str | None:
        """Why a server does not take the credentials, in a sentence; None if it takes them."""


class Settings(Protocol):
    """What a user sets for a live run, and what a sandbox is judged with."""

    def defaults(self) -> dict[str, str]:
        """The settings that a sandbox world is judged with."""

    def load(self, *, base_url: str | None = None) -> LiveSettings:
        """What the environment and ``.env`` say.

        Raises:
            SettingsError: If a setting is missing or wrong.
        """


class Checks(Protocol):
    """The rules for the provider that a list of exchanges shows."""

    def provider_findings(
        self,
        exchanges: Sequence[Exchange],
        deliveries: Sequence[Delivery],
        specification: Specification,
        settings: Mapping[str, str],
        /,
    ) -> list[Finding]:
        """What the rules for the provider say of the exchanges and webhooks of one test, in the order of their ends."""


class ClientJudge(Protocol):
    """Judges the requests of one client by the rules for clients, each as it is sent."""

    @property
    def excused(self) -> frozenset[str]:
        """The ids of the rules that the user's settings ask the client to break."""

    def request(
        self, request: Request, operation: str | None, parameters: Mapping[str, str], at: datetime, /
    ) -> list[Finding]:
        """What can be told of a request from itself and what came before it.

        Args:
            request: The request.
            operation: The id of the operation that it is for, None if there is none at its path.
            parameters: The parameters in its path.
            at: When it was sent (UTC).
        """

    def observe(self, exchange: Exchange, /) -> None:
        """Learn from an exchange that ended."""

    def conclude(self, exchanges: Sequence[Exchange], deliveries: Sequence[Delivery], /) -> list[Finding]:
        """What only the whole of a client's traffic shows, when its last exchange has ended."""


class Documents(Protocol):
    """What is special about the exchanges that the documents print."""

    @property
    def UNPRINTED(self) -> Collection[str]:  # noqa: N802  (a constant of a module)
        """The ids of the rules that printed exchanges cannot show, such as those about their time."""

    def readings(self, exchange: Exchange, /) -> Iterable[Finding]:
        """Which readings of contradicted rules a printed exchange shows, beside what the checks say."""


class Model(Protocol):
    """What the documents fix of the answers to a sequence of calls; it learns from each."""

    def see(self, exchange: Exchange, /) -> list[Finding]:
        """What an exchange says of the rules, by what came before it."""

    def receive(self, delivery: Delivery, /) -> list[Finding]:
        """What a webhook says of the rules, by what came before it."""


class Webhooks(Protocol):
    """How the API signs its webhooks."""

    def signed_anew(self, delivery: Delivery, secret: str, other: str, /) -> Delivery:
        """A webhook that was signed with `secret`, signed with `other`; one that was signed wrongly stays wrong."""


class Probed(Protocol):
    """The answer to one question about what a server accepts."""

    @property
    def question(self) -> str:
        """What was asked, such as ``Is a signature needed?``."""

    @property
    def answer(self) -> str:
        """What was found."""

    @property
    def detail(self) -> str:
        """What it was found by; empty if that goes without saying."""

    @property
    def conclusive(self) -> bool:
        """Whether the next question can be asked."""


class Probe(Protocol):
    """Finds out what a live server accepts that no document says."""

    def probe(self, settings: LiveSettings, /) -> Iterator[Probed]:
        """One answer after the other, each by harmless requests."""


class Sandbox(Protocol):
    """The API as the reference sandbox implements it, in one world."""

    def __init__(self, clock: Clock, ids: Ids, outbox: Any, /) -> None: ...

    @property
    def mounts(self) -> tuple[str, ...]:
        """The names under which it serves more than the API, such as a hosted page."""

    async def answer(self, request: Request, path: str) -> Response:
        """What the API answers to a request for an undecoded path below its base URL."""

    async def answer_at(self, mount: str, request: Request, path: str) -> Response:
        """What is answered at one of its further mounts, such as a hosted page."""

    async def perform(self, operation: Operation, request: Request, parameters: Mapping[str, str]) -> Response:
        """What an operation answers to a request whose path holds these parameters."""

    def credentials(self, tenant: str) -> dict[str, str]:
        """The credentials with which the tenant of that name was set up."""


class Api(ABC):
    """All that is special to one API. What an API lacks is None.

    Attributes:
        name: The short name that commands take, such as ``offblocks``.
        title: The name as its makers write it.
        secrets: The names of the JSON members and form fields that hold secrets.
        secret_headers: The names of the header fields that hold secrets, besides Authorization.
        webhook_set_by_hand: Whether the address of webhooks is set outside of the API, as in a dashboard.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    secrets: ClassVar[tuple[str, ...]] = ()
    secret_headers: ClassVar[tuple[str, ...]] = ()
    webhook_set_by_hand: ClassVar[bool] = False

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other)

    def __hash__(self) -> int:
        return hash(type(self))

    def find(self, relative: str) -> Path:
        """The path of a data file, from its path below ``specs/`` or ``cassettes/``."""
        return data_path(relative)

    @property
    def specification(self) -> Path:
        """The OpenAPI description."""
        return self.find(f"specs/{self.name}/openapi.yaml")

    @property
    def rules(self) -> Path:
        """The rule catalogue."""
        return self.find(f"specs/{self.name}/rules.yaml")

    @property
    def cassettes(self) -> Path:
        """The folder of the shipped cassettes."""
        return self.find(f"cassettes/{self.name}")

    @property
    @abstractmethod
    def suite(self) -> Path:
        """The folder of the scenarios."""

    @property
    @abstractmethod
    def client(self) -> Client:
        """The client."""

    @property
    @abstractmethod
    def settings(self) -> Settings:
        """The settings."""

    @property
    @abstractmethod
    def checks(self) -> Checks:
        """The rules for the provider that exchanges show."""

    @property
    @abstractmethod
    def client_judge(self) -> Callable[[Mapping[str, str], Mapping[str, str]], ClientJudge]:
        """Makes what judges one client's requests, from its credentials and the API's other settings."""

    @property
    def sandbox(self) -> type[Sandbox] | None:
        """The class of its reference sandbox."""
        return None

    @property
    def faults(self) -> ModuleType | None:
        """The package of the faults and variations of its sandbox."""
        return None

    @property
    def sandbox_settings(self) -> Iterable[str]:
        """The names of the settings that its sandbox alone takes, in lower case."""
        return ()

    @property
    def documents(self) -> Documents | None:
        """What judges the exchanges that its documents print."""
        return None

    @property
    def model(self) -> Callable[[], Model] | None:
        """Makes what judges a sequence of calls."""
        return None

    @property
    def data_pool(self) -> type[Any] | None:
        """The class of what really exists for generated requests, a ``DataPool`` of `generation.feeding`."""
        return None

    @property
    def sequence(self) -> type[Any] | None:
        """The class of the calls that may follow each other, a ``CallSequence`` of `generation.sequences`."""
        return None

    @property
    def webhooks(self) -> Webhooks | None:
        """How it signs webhooks."""
        return None

    @property
    def probe(self) -> Probe | None:
        """What finds out what a live server accepts."""
        return None


# ------------------------------------------------------------------------------------------------- which APIs there are


@cache
def registered() -> dict[str, Api]:
    """Every API registered under the entry-point group, by name, in alphabetical order.

    Raises:
        BrokenApiError: If one of them cannot be loaded.
    """
    found = map(_loaded, entry_points(group=GROUP))
    return {api.name: api for api in sorted(found, key=lambda api: api.name)}


def _loaded(point: EntryPoint) -> Api:
    try:
        api = point.load()
    except Exception as error:
        raise BrokenApiError(
            f"The API {point.name!r}, registered as {point.value}, cannot be loaded: {type(error).__name__}: {error}. "
            "Update or uninstall its package."
        ) from error
    if not isinstance(api, Api):
        raise BrokenApiError(
            f"The API {point.name!r}, registered as {point.value}, is a {type(api).__name__}; "
            "it should be an object of a subclass of conformance.api.Api. Update or uninstall its package."
        )
    return api


def named(name: str) -> Api:
    """The registered API called `name`.

    Raises:
        UnknownApiError: If there is none; the message lists those there are.
        BrokenApiError: If one that is registered cannot be loaded.
    """
    apis = registered()
    if name not in apis:
        raise UnknownApiError(f"There is no API called {name!r}. Known: {', '.join(apis) or 'none'}.")
    return apis[name]


def selected_apis(names: Iterable[str]) -> list[Api]:
    """The registered APIs of these names, all if none is named.

    Raises:
        UnknownApiError: If one of them is not registered.
        BrokenApiError: If one that is registered cannot be loaded.
    """
    return [named(name) for name in names] or list(registered().values())
