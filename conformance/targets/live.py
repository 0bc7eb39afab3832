"""The vendor's own server, in real time, with the user's credentials."""

import ssl
from collections.abc import Mapping
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import httpx

from conformance.api import Api
from conformance.clock import SystemClock
from conformance.ids import Ids
from conformance.recording.journal import Journal
from conformance.recording.redaction import Redactor
from conformance.scenario import StepFailedError, needs
from conformance.settings import LiveSettings
from conformance.specification import Specification
from conformance.targets import Conditions, Subject
from conformance.targets.receiver import Mailbox, Receiver

_PATIENCE = timedelta(seconds=30)


class PatientClock:
    """Real time; a long wait is refused unless it was allowed.

    Args:
        allow_wait: Whether waits of more than 30 seconds are allowed.
    """

    def __init__(self, *, allow_wait: bool) -> None:
        self._allow_wait = allow_wait
        self._clock = SystemClock()

    def now(self) -> datetime:
        """The present instant (UTC)."""
        return self._clock.now()

    def advance(self, duration: timedelta) -> None:
        """Wait.

        Raises:
            NeedError: If the wait is long and was not allowed.
        """
        if duration > _PATIENCE and not self._allow_wait:
            minutes = round(duration.total_seconds() / 60)
            needs(f"a wait of {minutes} minutes; give --allow-wait to allow it")
        self._clock.advance(duration)


class LiveTarget:
    """Reaches live servers.

    Args:
        apis: The APIs to judge.
        specifications: The specification of each API, by the API's name.
        base_urls: Base URLs that override the settings', by the API's name.
        allow_wait: Whether tests may wait for an hour to pass.
        listens: Whether webhooks are received in this process; their port is that of one process alone.

    Raises:
        SettingsError: If a setting is missing or wrong.
    """

    def __init__(
        self,
        apis: list[Api],
        specifications: Mapping[str, Specification],
        base_urls: Mapping[str, str],
        *,
        allow_wait: bool,
        listens: bool = True,
    ) -> None:
        self._listens = listens
        self._specifications = specifications
        self._clock = PatientClock(allow_wait=allow_wait)
        self._settings = {api.name: api.settings.load(base_url=base_urls.get(api.name)) for api in apis}
        secure = any(settings.base_url.startswith("https:") for settings in self._settings.values())
        self._sender = httpx.HTTPTransport(verify=_trust(self._settings) if secure else False)
        self._receivers: dict[str, Receiver] = {}

    @property
    def description(self) -> str:
        """The servers that are judged, in a few words."""
        return " and ".join(settings.base_url for settings in self._settings.values())

    def open(self, api: Api) -> None:
        """Make sure that the server answers and takes the credentials, and that webhooks can be received.

        Raises:
            StepFailedError: If one of them is not so.
        """
        settings = self._settings[api.name]
        url = settings.others.get("webhook_url")
        if url and self._listens:
            try:
                self._receivers[url] = Receiver(urlsplit(url).port or 0)
            except OSError as error:
                raise StepFailedError(
                    f"Webhooks cannot be received at {url}: {error.strerror or error}. Is the port taken?"
                ) from error
        for identity, credentials in settings.credentials.items():
            named = {**settings.others, **credentials}
            if reason := api.client.refused_access(settings.base_url, named, self._sender):
                raise StepFailedError(f"The {identity} identity has no access. {reason}")

    def subject(self, api: Api, test: str, conditions: Conditions) -> Subject:
        """The live server, as the test sees it."""
        settings = self._settings[api.name]
        specification = self._specifications[api.name]
        return Subject(
            api=api,
            base_url=settings.base_url,
            clock=self._clock,
            ids=Ids(conditions.seed, test),
            journal=Journal(
                test, self._clock, settings.base_url, specification, Redactor(api.secrets, api.secret_headers)
            ),
            sender=self._sender,
            credentials=settings.credentials,
            conditions=conditions,
            settings=settings.others,
            hooks=self._mailbox(settings.others.get("webhook_url"), test),
            disposable=False,
            draws=None if conditions.drawing_seed is None else Ids(conditions.drawing_seed, test),
        )

    def _mailbox(self, url: str | None, test: str) -> Mailbox | None:
        """The webhook of a test at the address that the user's settings name; None if it is not received here."""
        if url is None or url not in self._receivers:
            return None
        return self._receivers[url].mailbox(test, self._clock, urlsplit(url).path or "/")

    def close(self) -> None:
        """Close the connections."""
        self._sender.close()
        for receiver in self._receivers.values():
            receiver.close()


def _trust(settings: Mapping[str, LiveSettings]) -> ssl.SSLContext:
    for found in settings.values():
        if found.ca_file:
            return ssl.create_default_context(cafile=found.ca_file)
    return ssl.create_default_context()
