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

    from conformance.clock import WorldClock
    from conformance.diagnosis.request import Rules
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

    def listed_customers(
        self, base_url: str, settings: Mapping[str, str], transport: httpx.BaseTransport, /
    ) -> frozenset[str]:
        """The ids of customers that a server lists for the credentials; none if it lists none that can be read."""


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

    explains: bool
    """Whether findings name the mistake that was made, which takes time to find out."""

    @property
    def excused(self) -> frozenset[str]:
        """The ids of the rules that the user's settings ask the client to break."""

    def request(
        self,
        request: Request,
        operation: str | None,
        parameters: Mapping[str, str],
        at: datetime,
        machine_at: datetime | None = None,
        /,
    ) -> list[Finding]:
        """What can be told of a request from itself and what came before it.

        A client of a sandbox world goes by the world's clock or by the machine's, and is wrong only if it is wrong by
        its own.

        Args:
            request: The request.
            operation: The id of the operation that it is for, None if there is none at its path.
            parameters: The parameters in its path.
            at: When it was sent (UTC).
            machine_at: When that was by the machine's clock (UTC), where `at` is by another clock; else None.
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


class Signing(Protocol):
    """How clients of the API sign their requests."""

    @property
    def coverage(self) -> str:
        """What the reference sandbox wants a signature to cover, and who says so, in sentences."""

    @property
    def key_setting(self) -> str:
        """The name of the credential that holds the private key as PEM text, such as ``signing_key``."""

    @property
    def rules(self) -> Rules:
        """What the reference sandbox wants of a signature beyond RFC 9421."""

    def signed_anew(
        self, request: Request, credentials: Mapping[str, str], settings: Mapping[str, str], at: datetime, /
    ) -> Request:
        """A signed request with a signature by another key instead, for its URL; one that is not signed as it is.

        Args:
            request: The request.
            credentials: The private key and its id, by the names of the settings.
            settings: The API's other settings that are given.
            at: When it is signed (UTC).

        Raises:
            ValueError: If a credential is missing; the message names it.
        """

    def signed(self, request: httpx.Request, private_key: str, key_id: str, at: datetime, /) -> httpx.Request:
        """A request with the header fields that sign it.

        Args:
            request: The request.
            private_key: The private key as PEM text.
            key_id: The id under which the API knows its public key.
            at: When it is signed (UTC).

        Raises:
            ValueError: If the key is none, or not of the right kind; the message says what is wrong.
        """


class ForeignJudge(ClientJudge, Protocol):
    """Judges the requests of a client of which neither the beginning nor the credentials need be known."""

    def doubt(self, finding: Finding, exchange: Exchange, replaced: Collection[str], /) -> str | None:
        """Why a rule that seems to be broken may have been kept all the same, in a sentence; None if it is broken.

        Args:
            finding: What was found of a request.
            exchange: The request with its answer, from which this judge has not yet learnt.
            replaced: The places of the request in which secrets were taken out, such as ``request body``.
        """


class Foreign(Protocol):
    """What the traffic of foreign clients with any server shows, and what it leaves open."""

    @property
    def OVER_BYTES(self) -> Collection[str]:  # noqa: N802  (a constant of a module)
        """The ids of the rules for clients that take the very bytes of a body."""

    @property
    def PACED(self) -> Collection[str]:  # noqa: N802
        """The ids of the rules for clients that take times of less than a second."""

    @property
    def TIMED(self) -> Collection[str]:  # noqa: N802
        """The ids of the rules that take the server's time."""

    def given(self) -> tuple[Mapping[str, Mapping[str, str]], Mapping[str, str]]:
        """The credentials of each identity, and the other settings, that are set: nothing has to be.

        Raises:
            SettingsError: If a setting is wrong.
        """

    def judge(self, credentials: Mapping[str, Mapping[str, str]], settings: Mapping[str, str], /) -> ForeignJudge:
        """What judges one client.

        Args:
            credentials: What is given of what clients authenticate with.
            settings: The API's other settings that are given.
        """

    def created(self, exchange: Exchange, /) -> str | None:
        """The id of the customer that the answer to a creation shows; None for any other exchange."""

    def is_another(self, before: Exchange, now: Exchange, /) -> bool:
        """Whether two creations whose answers show the same id made two customers, since the server began anew between.

        Args:
            before: The creation that showed the id first.
            now: A later one.
        """

    def provider_doubts(
        self, exchanges: Sequence[Exchange], settings: Mapping[str, str], /
    ) -> Callable[[Finding, Exchange, Collection[str]], str | None]:
        """Makes what says why a finding of a rule for the provider does not show what it seems to, in a sentence.

        It takes a finding, the exchange that shows it, and the ids of the rules for clients that could not be judged on
        the request; it gives None if the finding stands.

        Args:
            exchanges: All of the traffic, in the order in which the exchanges ended.
            settings: The API's other settings that are given.
        """


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

    def __init__(self, clock: WorldClock, ids: Ids, outbox: Any, /) -> None: ...

    explains: bool
    """Whether refusals name the mistake that was made, which takes time to find out."""

    @property
    def mounts(self) -> tuple[str, ...]:
        """The names under which it serves more than the API, such as a hosted page."""

    shortcuts: ClassVar[Mapping[str, Any]]
    """What a test can have brought about, by the paths of its control routes below its name."""

    async def take_shortcut(self, path: str, body: bytes, base_url: str) -> Response | None:
        """What one of these control routes answers; None if there is none at this path."""

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
        personal: The names of the JSON members that say who a customer is: live, those of customers that a test did not
            make are kept out of results and cassettes.
        told_with: Rules for clients that a request cannot show which breaks another one, by that one's id: one mistake
            is told to a client once.
        known_before: The header field of what a server may have given before the traffic began, by the id of the rule
            for clients which wants it to be given: where the server takes it, the client is believed.
        main_flow: The topic and name of the rule that shows that what the API is for was done once, such as
            ``flow.verified-becomes-active``; a whole run that does not judge it is inconclusive.
        webhook_set_by_hand: Whether the address of webhooks is set outside of the API, as in a dashboard.
        smoke: The ids of the tests that show in a few requests whether a live run can work.
        lasting: What operations make that stays, by their ids: what it is called.
        judged_anywhere: The rules for clients that a request can break at any path, one that the API does not have too.
        issues_token: The operation that gives an access token, if one does.
        own_ids: The members by which a client says for which of its own users something is made, by operation, its own
            id first; what shares all of them is made twice.
        rates: How many requests a second its documents allow, by ``read`` and ``write``; empty if they do not say.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    secrets: ClassVar[tuple[str, ...]] = ()
    secret_headers: ClassVar[tuple[str, ...]] = ()
    personal: ClassVar[tuple[str, ...]] = ()
    told_with: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    known_before: ClassVar[Mapping[str, str]] = {}
    main_flow: ClassVar[str | None] = None
    webhook_set_by_hand: ClassVar[bool] = False
    smoke: ClassVar[tuple[str, ...]] = ()
    lasting: ClassVar[Mapping[str, str]] = {}
    judged_anywhere: ClassVar[frozenset[str]] = frozenset()
    issues_token: ClassVar[str | None] = None
    own_ids: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    rates: ClassVar[Mapping[str, float]] = {}

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
    def setting_names(self) -> Iterable[str]:
        """The names of all its settings, in capitals; none if its settings do not say."""
        names = getattr(self.settings, "names", None)
        return names() if names else ()

    @property
    @abstractmethod
    def checks(self) -> Checks:
        """The rules for the provider that exchanges show."""

    @property
    @abstractmethod
    def client_judge(self) -> Callable[[Mapping[str, str], Mapping[str, str]], ClientJudge]:
        """Makes what judges one client's requests, from its credentials and the API's other settings."""

    def made_id(self, exchange: Exchange) -> str | None:
        """The id of what a request made, as its answer shows it; None if it made nothing."""
        found = exchange.response.members().get("id") if exchange.response.succeeded else None
        return found if isinstance(found, str) else None

    def remove(
        self,
        made: str,  # noqa: ARG002
        base_url: str,  # noqa: ARG002
        settings: Mapping[str, str],  # noqa: ARG002
        transport: httpx.BaseTransport,  # noqa: ARG002
    ) -> bool:
        """Remove what a run made, if the API has a way to.

        Args:
            made: Its id, and before it, with a blank between, what it is called in `lasting`.
            base_url: Where the API is.
            settings: What to authenticate with.
            transport: What sends.

        Returns:
            Whether it is removed.
        """
        return False

    def production(self, settings: LiveSettings) -> str | None:  # noqa: ARG002
        """Why a live run might meet real customers or chains, as the rest of a sentence; None if it does not."""
        return None

    def close(self) -> None:  # noqa: B027  (most have nothing to let go of)
        """Let go of what its scenarios shared, such as a browser; there is nothing unless a subclass has it."""

    @property
    def key_registration(self) -> Callable[[], str] | None:
        """Registers the public key that the user has set, and gives its id; None if the API has no such keys."""
        return None

    @property
    def sandbox(self) -> type[Sandbox] | None:
        """The class of its reference sandbox."""
        return None

    @property
    def faults(self) -> ModuleType | None:
        """The package of the faults and variations of its sandbox."""
        return None

    @property
    def provocations(self) -> ModuleType | None:
        """A module of further faults, which only show how a client takes them: nothing is measured with them."""
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
    def company(self) -> Callable[[Any], Any] | None:
        """Makes those who use the API while a scenario runs, a ``Company`` of `circumstances`, from its subject."""
        return None

    @property
    def signing(self) -> Signing | None:
        """How clients sign requests."""
        return None

    @property
    def foreign(self) -> Foreign | None:
        """What the traffic of foreign clients shows of it."""
        return None

    @property
    def webhooks(self) -> Webhooks | None:
        """How it signs webhooks."""
        return None

    @property
    def receiving(self) -> Any | None:
        """What the receivers of its webhooks are checked with, a ``Receiving`` of `receivers.receiving`."""
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
