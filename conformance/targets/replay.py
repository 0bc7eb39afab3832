"""The subject as it was recorded: every answer comes from a cassette."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
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
from conformance.recording.skipped import skipped_tests
from conformance.recording.tape import Tape
from conformance.scenario import StepFailedError, needs
from conformance.specification import Specification
from conformance.targets import IDENTITIES, MARK, Conditions, Subject, cassette_path
from conformance.waiting.looks import Waits


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

    def beside(self, name: str) -> str:
        """A further address of the same test, which has this name for a query."""
        return f"{self.url}?{name}"

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
            NeedError: If the test was skipped when it was recorded.
        """
        folder = self._folders[api.name]
        path = cassette_path(folder, test)
        try:
            cassette = Cassette.load(path)
        except CassetteMissingError as error:
            if reason := skipped_tests(folder).get(test):
                needs(reason)
            raise CassetteMissingError(
                f"There is no cassette of {test} in {folder}. "
                f"To record it: {recording_command(api.name, folder, self._origin(api))}"
            ) from error
        self._origins[api.name] = cassette.origin
        return Tape(cassette, path, Redactor(api.secrets, api.secret_headers))

    def check_settings(self, api: Api, test: str) -> None:
        """Make sure that the settings in the cassette of a test make sense; asked when something went wrong in it.

        Raises:
            CassetteUnreadableError: If they do not.
        """
        from conformance.settings import SettingsError  # noqa: PLC0415  (a replay of what makes sense needs no settings)

        path = cassette_path(self._folders[api.name], test)
        check = getattr(api.settings, "check", None)  # a module need not have it
        try:
            if check:
                check(Cassette.load(path).settings)
        except SettingsError as error:
            raise CassetteUnreadableError(f"The cassette {path} is wrong at settings: {error}") from error

    def hide(self, text: str) -> str:
        """The text as it is: these credentials are made up."""
        return text

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
            conditions=replace(conditions, pin_agent="person") if cassette.is_of_person else conditions,
            settings=cassette.settings,
            hooks=RecordedHooks(cassette.webhook_url, tape, journal) if cassette.webhook_url else None,
            waits=Waits(cassette.short_waits, learns=cassette.origin == "live"),
            mark=MARK if cassette.origin == "live" else "",
            disposable=cassette.origin != "live",
        )

    def left_behind(self, subject: Subject) -> list[str]:  # noqa: ARG002
        """Nothing."""
        return []

    def close(self) -> None:
        """Do nothing, since no connection was opened."""


def as_replayed(subject: Subject, delivery: Delivery) -> Delivery:
    """The webhook as a replay can verify it: signed with the secret that a replay has, if it was signed rightly."""
    webhooks = subject.api.webhooks
    if webhooks is None:
        return delivery
    secret = subject.credentials[delivery.identity].get("webhook_secret")
    other = replayed_credentials(subject.api, delivery.identity)["webhook_secret"]
    return webhooks.signed_anew(delivery, secret, other) if secret else delivery
