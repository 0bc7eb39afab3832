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
    Tape,
    recording_command,
)
from conformance.recording.journal import Journal
from conformance.recording.redaction import Redactor
from conformance.scenario import StepFailedError
from conformance.specification import Specification
from conformance.targets import IDENTITIES, Subject, cassette_path


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
        """Nothing: what was answered is recorded."""

    def received(self, *, at_least: int = 0, seconds: float = 5.0) -> Sequence[Delivery]:  # noqa: ARG002
        """What had come by this time of the recording."""
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
        self._sender = httpx.HTTPTransport(verify=False)
        self._origins: dict[str, str] = {}
        self.tape: Tape | None = None

    @property
    def description(self) -> str:
        """What the cassette in place was recorded from."""
        return recordings_of({self.tape.cassette.origin} if self.tape else ())

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

    def load(self, api: Api, test: str) -> None:
        """Put the cassette of a test into place, before vcr asks for it.

        Raises:
            CassetteUnreadableError: If it is no cassette.
        """
        path = cassette_path(self._folders[api.name], test)
        self.tape = None
        try:
            cassette = Cassette.load(path)
        except CassetteMissingError:
            return
        self._origins[api.name] = cassette.origin
        self.tape = Tape(cassette, path, Redactor(api.secrets, api.secret_headers))

    def _origin(self, api: Api) -> str:
        """What the cassettes of an API were recorded from, as one of them says."""
        if api.name not in self._origins:
            self._origins[api.name] = ""
            with suppress(CassetteUnreadableError):
                self._origins[api.name] = Cassette.load(next(self._folders[api.name].glob("*/*.yaml"))).origin
        return self._origins[api.name]

    def subject(self, api: Api, test: str, *, seed: str) -> Subject:  # noqa: ARG002  (the recording's seed counts)
        """The recorded subject.

        Raises:
            CassetteMissingError: If the test has no cassette.
        """
        if self.tape is None:
            folder = self._folders[api.name]
            raise CassetteMissingError(
                f"There is no cassette of {test} in {folder}. "
                f"To record it: {recording_command(api.name, folder, self._origin(api))}"
            )
        tape = self.tape
        cassette = tape.cassette
        specification = self._specifications[api.name]
        journal = Journal(test, tape, cassette.base_url, specification, tape.redactor, tape)
        if any(exchange.generated for exchange in cassette.exchanges):
            tape.played.update(range(len(cassette.exchanges)))
            journal.recall(cassette.exchanges)
        return Subject(
            api=api,
            base_url=cassette.base_url,
            clock=tape,
            ids=Ids(cassette.seed, test),
            journal=journal,
            sender=self._sender,
            credentials={identity: replayed_credentials(api, identity) for identity in IDENTITIES},
            settings=cassette.settings,
            hooks=RecordedHooks(cassette.webhook_url, tape, journal) if cassette.webhook_url else None,
        )

    def close(self) -> None:
        """Let go of the sender."""
        self._sender.close()
