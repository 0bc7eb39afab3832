"""The subject as it was recorded: every answer comes from a cassette."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path

import httpx

from conformance.api import Api
from conformance.exchange import Delivery
from conformance.ids import Ids
from conformance.recording.cassettes import (
    Cassette,
    CassetteMissingError,
    CassetteUnreadableError,
    recording_command,
)
from conformance.recording.journal import Journal
from conformance.recording.redaction import Redactor
from conformance.recording.tape import Tape
from conformance.scenario import StepFailedError
from conformance.specification import Specification
from conformance.targets import IDENTITIES, Conditions, Subject, cassette_path


@cache
def replayed_credentials(api: Api, identity: str) -> Mapping[str, str]:
    """What an identity authenticates with in a replay, where nobody checks it."""
    return api.client.made_up_credentials(Ids("replay", identity))


def recordings_of(origins: Collection[str]) -> str:
    """What a replay judges, in a few words.

    Args:
        origins: What its cassettes were recorded from.
    """
    match sorted(origins):
        case []:
            return "cassettes"
        case ["reference sandbox"]:
            return (
                "recordings of the reference sandbox; they show that the suite and its client work "
                "and say nothing of the vendor"
            )
        case several:
            return f"recordings of the {' and of the '.join(several)} subject"


class RecordedHooks:
    """The webhook of one recorded test."""

    def __init__(self, url: str, tape: Tape, journal: Journal) -> None:
        self.url = url
        self._tape = tape
        self._journal = journal

    def answer_with(self, *statuses: int) -> None:
        """Do nothing, since what was answered then is recorded."""

    def received(self, *, at_least: int = 0, seconds: float = 5.0) -> Sequence[Delivery]:  # noqa: ARG002
        """The webhooks that had come by this time of the recording."""
        played = len(self._journal.exchanges)
        return [delivery for delivery in self._tape.cassette.deliveries if delivery.after <= played]


class ReplayTarget:
    """Plays cassettes.

    Args:
        folders: The folder of each API's cassettes, by the API's name.
        specifications: The specification of each API, by the API's name.
    """

    def __init__(self, folders: Mapping[str, Path], specifications: Mapping[str, Specification]) -> None:
        self._folders = folders
        self._specifications = specifications
        self._origins: dict[str, str] = {}

    @property
    def description(self) -> str:
        """What was recorded, as far as cassettes were read."""
        return recordings_of({origin for origin in self._origins.values() if origin})

    def open(self, api: Api) -> None:
        """Make sure that there are cassettes.

        Raises:
            StepFailedError: If there are none.
        """
        folder = self._folders[api.name]
        if not any(folder.glob("*/*.yaml")):
            raise StepFailedError(
                f"There are no cassettes of {api.title} in {folder}. "
                f"To record them: {recording_command(api.name, folder)}"
            )

    def _origin(self, api: Api) -> str:
        """What the cassettes of an API were recorded from, as one of them says."""
        if api.name not in self._origins:
            self._origins[api.name] = ""
            with suppress(CassetteUnreadableError):
                self._origins[api.name] = Cassette.load(next(self._folders[api.name].glob("*/*.yaml"))).origin
        return self._origins[api.name]

    def _tape(self, api: Api, test: str) -> Tape:
        """The cassette of a test, ready to be played.

        Raises:
            CassetteMissingError: If there is none.
            CassetteUnreadableError: If it is no cassette.
        """
        folder = self._folders[api.name]
        path = cassette_path(folder, test)
        try:
            cassette = Cassette.load(path)
        except CassetteMissingError as error:
            raise CassetteMissingError(
                f"There is no cassette of {test} in {folder}. "
                f"To record it: {recording_command(api.name, folder, self._origin(api))}"
            ) from error
        self._origins[api.name] = cassette.origin
        return Tape(cassette, path, Redactor(api.secrets, api.secret_headers))

    def subject(self, api: Api, test: str, conditions: Conditions) -> Subject:
        """The recorded subject; its ids come from the seed of the recording.

        Raises:
            CassetteMissingError: If the test has no cassette.
            CassetteUnreadableError: If its cassette cannot be read.
        """
        tape = self._tape(api, test)
        cassette = tape.cassette
        specification = self._specifications[api.name]
        journal = Journal(test, tape, cassette.base_url, specification, tape.redactor, tape)
        if any(exchange.generated for exchange in cassette.exchanges):
            journal.take_over(tape.take_all(), cassette.deliveries)
        return Subject(
            api=api,
            base_url=cassette.base_url,
            clock=tape,
            ids=Ids(cassette.seed, test),
            journal=journal,
            sender=httpx.BaseTransport(),  # sends nothing, since the tape answers
            credentials={identity: replayed_credentials(api, identity) for identity in IDENTITIES},
            conditions=conditions,
            settings=cassette.settings,
            hooks=RecordedHooks(cassette.webhook_url, tape, journal) if cassette.webhook_url else None,
        )

    def close(self) -> None:
        """Do nothing, since no connection was opened."""
