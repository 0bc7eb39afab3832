"""The vendor's own server, in real time, with the user's credentials."""

import os
import ssl
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from conformance.api import Api
from conformance.bounds.transport import BoundedTransport
from conformance.clock import SystemClock
from conformance.ids import Ids
from conformance.recording.journal import Journal
from conformance.recording.redaction import Redactor
from conformance.scenario import StepFailedError, needs
from conformance.settings import LiveSettings, is_secret, max_body
from conformance.specification import Specification
from conformance.targets import MARK, Conditions, Subject
from conformance.targets.manners import KINDS, PoliteTransport
from conformance.targets.receiver import Mailbox, Receiver
from conformance.waiting.announcements import AnnouncedClock, announce
from conformance.waiting.looks import Waits

_PATIENCE = timedelta(seconds=30)
_A_MINUTE, _BETWEEN_TELLING = timedelta(minutes=1), timedelta(minutes=5)


_SECOND = "second"
_OF_THE_SAME = "a second identity of another organization; both that are set list the same customers"


class PatientClock:
    """Real time; a long wait is refused unless it was allowed, and then counted down.

    Args:
        allow_wait: Whether waits of more than 30 seconds are allowed.
        tells: Whether it says how much is left; where many wait together, one says so.
    """

    def __init__(self, *, allow_wait: bool, tells: bool = True) -> None:
        self._allow_wait = allow_wait
        self._tells = tells
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
        while duration > _PATIENCE:
            if self._tells:
                announce(f"Waiting for time to pass, {-(-duration // _A_MINUTE)} min are left.")
            step = min(duration, _BETWEEN_TELLING)
            self._clock.advance(step)
            duration -= step
        if duration:
            self._clock.advance(duration)


class LiveTarget:
    """Reaches live servers.

    Attributes:
        remarks: What the reader of the run should know of the servers, in sentences.

    Args:
        apis: The APIs to judge.
        specifications: The specification of each API, by the API's name.
        base_urls: Base URLs that override the settings', by the API's name.
        allow_wait: Whether tests may wait for an hour to pass.
        listens: Whether webhooks are received in this process; their port is that of one process alone.
        rate: How many requests a second may be sent to each API; None for what its documents allow.
        processes: How many processes share the tests, and so the rate and the requests.
        max_requests: How many requests are sent to each API at most; None for as many as come.

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
        rate: float | None = None,
        processes: int = 1,
        max_requests: int | None = None,
    ) -> None:
        self._listens = listens
        self._specifications = specifications
        self._clock = PatientClock(allow_wait=allow_wait, tells=os.environ.get("PYTEST_XDIST_WORKER", "gw0") == "gw0")
        self._settings = {api.name: api.settings.load(base_url=base_urls.get(api.name)) for api in apis}
        secure = any(settings.base_url.startswith("https:") for settings in self._settings.values())
        self._secrets = {
            f"{name} {identity}": {each: value for each, value in {**settings.others, **own}.items() if is_secret(each)}
            for name, settings in self._settings.items()
            for identity, own in settings.credentials.items()
        }
        self._redactor = self._new_redactor()
        sender = BoundedTransport(_trust(self._settings) if secure else None, max_body=max_body())
        self._senders = {
            api.name: PoliteTransport(
                sender,
                AnnouncedClock("before the server is asked again"),
                {kind: most / processes for kind, most in (dict.fromkeys(KINDS, rate) if rate else api.rates).items()},
                self._tell,
                most=None if max_requests is None else max(max_requests // processes, 1),
            )
            for api in apis
        }
        self.remarks: list[str] = []
        self._waits = Waits(learns=True, tell=announce)
        self._receivers: dict[str, Receiver] = {}
        self._withheld: dict[str, Mapping[str, str]] = {}
        self._runs: Counter[str] = Counter()

    def _tell(self, text: str) -> None:
        if text not in self.remarks:
            self.remarks.append(text)

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
        if url and self._listens and url not in self._receivers:
            try:
                self._receivers[url] = Receiver(int(settings.others.get("webhook_port") or urlsplit(url).port or 0))
            except OSError as error:
                raise StepFailedError(
                    f"Webhooks cannot be received at {url}: {error.strerror or error}. Is the port taken?"
                ) from error
        for identity, credentials in settings.credentials.items():
            named = {**settings.others, **credentials}
            if reason := api.client.refused_access(settings.base_url, named, self._senders[api.name]):
                raise StepFailedError(f"The {identity} identity has no access. {reason}")
        if _SECOND in settings.credentials and self._lists_alike(api):
            self._withheld[api.name] = {_SECOND: _OF_THE_SAME}

    def hide(self, text: str) -> str:
        """A text without the credentials of all identities."""
        return self._redactor.text(text)

    def _new_redactor(self, api: Api | None = None) -> Redactor:
        redactor = Redactor(api.secrets, api.secret_headers, personal=api.personal) if api else Redactor(())
        redactor.know(self._secrets, in_parts=True)
        return redactor

    def _lists_alike(self, api: Api) -> bool:
        """Whether both identities are of one organization, as far as their lists of customers tell."""
        settings = self._settings[api.name]
        listed = {
            api.client.listed_customers(settings.base_url, {**settings.others, **credentials}, self._senders[api.name])
            for credentials in settings.credentials.values()
        }
        return len(listed) == 1 and listed != {frozenset()}

    def subject(self, api: Api, test: str, conditions: Conditions) -> Subject:
        """The live server, as the test sees it; what a test made stays, so that it makes all anew if it runs again."""
        ids = Ids(conditions.seed, test)
        if self._runs[test]:
            ids = ids.child(f"run {self._runs[test]}")
        self._runs[test] += 1
        settings = self._settings[api.name]
        specification, withheld = self._specifications[api.name], self._withheld.get(api.name, {})
        return Subject(
            api=api,
            base_url=settings.base_url,
            clock=self._clock,
            ids=ids,
            journal=Journal(
                test,
                self._clock,
                settings.base_url,
                specification,
                self._new_redactor(api),
            ),
            sender=self._senders[api.name],
            credentials={name: own for name, own in settings.credentials.items() if name not in withheld},
            withheld=withheld,
            conditions=conditions,
            settings=settings.others,
            hooks=self._mailbox(api, settings.others.get("webhook_url"), test),
            disposable=False,
            waits=self._waits,
            mark=MARK,
            draws=None if conditions.drawing_seed is None else Ids(conditions.drawing_seed, test),
        )

    def _mailbox(self, api: Api, url: str | None, test: str) -> Mailbox | None:
        """The webhook of a test at the address that the user's settings name; None if it is not received here."""
        if url is None or url not in self._receivers:
            return None
        if not api.webhook_set_by_hand:
            return self._receivers[url].mailbox(test, self._clock, forwarded=url)
        return self._receivers[url].mailbox(test, self._clock, urlsplit(url).path or "/")

    def left_behind(self, subject: Subject) -> list[str]:
        """What a test made that stays, each with what it is called; what can be removed is."""
        found: dict[str, str] = {}
        for exchange in subject.journal.exchanges:
            kind = subject.api.lasting.get(exchange.operation or "")
            made = subject.api.made_id(exchange) if kind else None
            if made and exchange.identity in subject.credentials:
                found[f"{kind} {made}"] = exchange.identity
        return [
            made
            for made, identity in found.items()
            if not subject.api.remove(
                made,
                subject.base_url,
                {**subject.settings, **subject.credentials[identity]},
                self._senders[subject.api.name],
            )
        ]

    def close(self) -> None:
        """Close the connections."""
        for sender in self._senders.values():
            sender.close()
        for receiver in self._receivers.values():
            receiver.close()


def _trust(settings: Mapping[str, LiveSettings]) -> ssl.SSLContext:
    for found in settings.values():
        if found.ca_file:
            return ssl.create_default_context(cafile=found.ca_file)
    return ssl.create_default_context()
