"""How a subject is reached: from cassettes, in the reference sandbox, live, or as the documents print it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import httpx
import pytest

from conformance.api import Api
from conformance.circumstances.application import USUAL, Circumstances
from conformance.circumstances.levels import Level
from conformance.clock import Clock
from conformance.exchange import Delivery
from conformance.ids import Ids
from conformance.options import EXAMPLES, Options, PinAgentName
from conformance.recording.journal import Journal, JournalTransport
from conformance.waiting.looks import Waits

IDENTITIES = ("first", "second")
"""The API clients that a test may act as: its own, and another one to be kept apart from."""


MARK = "c0de7e57"
"""What the callers' own ids of live runs begin with, such as an ``externalId``; it can begin a UUID."""


@dataclass(frozen=True)
class Conditions:
    """How a run treats each of its tests.

    Args:
        seed: What ids come from; a recorded test keeps the ids of its recording.
        drawing_seed: What generated requests are drawn from live, where ids are new in each run and the same requests
            can be wanted again; None to draw from the ids.
        pin_agent: Who stands in for the person at a hosted page: ``http`` fills its forms, ``browser`` uses a browser,
            ``person`` asks whoever sits before the run, ``none`` is nobody.
        screenshots: Where a picture of each page that a browser shows goes; None for nowhere.
        examples: How many requests are generated of each operation, phase and mode at most.
        levels: The circumstances that are otherwise than usual.
    """

    seed: str
    drawing_seed: str | None = None
    pin_agent: PinAgentName = "http"
    examples: int = EXAMPLES
    levels: tuple[Level, ...] = ()
    screenshots: Path | None = None


class Hooks(Protocol):
    """The webhook of one test.

    Attributes:
        url: The address that the subject is to send to.
    """

    url: str

    def beside(self, name: str) -> str:
        """A further address of the same test, which has this name for a query."""

    def answer_with(self, *statuses: int) -> None:
        """Answer the next deliveries with these statuses, and those after them with 200."""

    def received(self, *, at_least: int = 0, seconds: float = 5.0) -> Sequence[Delivery]:
        """The webhooks that came so far, in order, after waiting up to `seconds` for `at_least` deliveries."""


@dataclass(frozen=True)
class Subject:
    """What one test has of the implementation that is judged.

    Args:
        api: The API.
        base_url: Where it is, without ``/v1`` or ``/v2``.
        clock: What tells the time and lets it pass.
        ids: Where ids come from.
        journal: Where exchanges are kept.
        sender: What sends requests.
        credentials: What each identity authenticates with, by the names of the settings.
        conditions: How the run treats its tests.
        settings: The API's other settings, such as the chain.
        hooks: What receives webhooks; None if the subject could not reach it.
        disposable: Whether the credentials are the test's own, so that it may replace them and sign reproducibly.
        draws: Where generated requests are drawn from, if not from `ids`.
        withheld: What an identity that is not given lacks, if it is more than its settings.
        circumstances: What is otherwise than usual while the test runs.
        waits: What was waited for.
        mark: What the caller's own ids begin with, so that a person finds them among others; empty for nothing.
        anew: Gives a subject alike of which nothing was asked yet; None where there is none.
    """

    api: Api
    base_url: str
    clock: Clock
    ids: Ids
    journal: Journal
    sender: httpx.BaseTransport
    credentials: Mapping[str, Mapping[str, str]]
    conditions: Conditions
    settings: Mapping[str, str] = field(default_factory=dict)
    hooks: Hooks | None = None
    disposable: bool = True
    draws: Ids | None = None
    withheld: Mapping[str, str] = field(default_factory=dict)
    circumstances: Circumstances = USUAL
    waits: Waits = field(default_factory=Waits)
    mark: str = ""
    anew: "Callable[[], Subject] | None" = None

    def __post_init__(self) -> None:
        self.journal.redactor.know(self.credentials)

    @property
    def requests(self) -> Ids:
        """Where generated requests are drawn from."""
        return self.draws or self.ids

    @property
    def recorded(self) -> bool:
        """Whether the journal holds what was generated when the test was recorded, so that nothing is to be sent."""
        return self.journal.player is not None and any(exchange.generated for exchange in self.journal.exchanges)

    def deliveries(self) -> Sequence[Delivery]:
        """The webhooks that came so far; the journal keeps each when it is first seen."""
        if self.hooks:
            self.journal.receive(self.hooks.received())
        return tuple(self.journal.deliveries)

    def transport(self, identity: str) -> JournalTransport:
        """The transport that sends as `identity` and writes the journal."""
        judge = self.api.client_judge(self.credentials[identity], self.settings)
        sender = _ConnectingAnew(self.sender) if self.circumstances.connects_anew else self.sender
        return JournalTransport(sender, self.journal, identity, judge)


class _ConnectingAnew(httpx.BaseTransport):
    """Sends each request over a connection that ends with it.

    Args:
        inner: What sends.
    """

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self._inner = inner

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request."""
        request.headers["Connection"] = "close"
        return self._inner.handle_request(request)


@pytest.fixture
def subject(conformance_subject: Subject) -> Subject:
    """What a scenario has of the implementation that is judged; the conftest.py of a suite imports it."""
    return conformance_subject


class Target(Protocol):
    """Where subjects come from."""

    @property
    def description(self) -> str:
        """What is judged, in a few words, for the line that states the verdict."""

    def open(self, api: Api) -> None:
        """Make sure that the subject can be reached and takes the credentials.

        Raises:
            StepFailedError: If it cannot or does not.
        """

    def hide(self, text: str) -> str:
        """A text of the subject, or of an error, without the credentials that it is asked with."""

    def subject(self, api: Api, test: str, conditions: Conditions) -> Subject:
        """What the test with this id is given.

        Raises:
            StepFailedError: If the subject cannot give it.
        """

    def left_behind(self, subject: Subject) -> list[str]:
        """What a test made that stays when the run has ended, each with what it is called; it tidies up first."""

    def close(self) -> None:
        """Close all connections and stop what was started."""


def cassette_folder(options: Options, api: Api) -> Path:
    """Where the cassettes of an API lie: below the folder that was given, or where it ships its own."""
    return options.cassettes / api.name if options.cassettes else api.cassettes


def cassette_path(folder: Path, test: str) -> Path:
    """Where the cassette of a test lies: ``<folder>/<topic>/<name>.yaml``."""
    _, topic, name = test.split("/", 2)
    return folder / topic / f"{name}.yaml"
