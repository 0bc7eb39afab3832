"""A tape plays a cassette: it finds the recorded answer to a request, and is the clock of the recording."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from conformance.bounds.urls import below
from conformance.exchange import Exchange, Request
from conformance.findings import shorten
from conformance.recording.cassettes import Cassette, recording_command
from conformance.recording.redaction import Redactor
from conformance.scenario import StepFailedError


@dataclass(frozen=True)
class _Fingerprint:
    """What a request is, for finding its recorded answer."""

    method: str
    path: str
    query: str
    body: bytes
    idempotency_key: str | None
    breaks: frozenset[str]

    @classmethod
    def of(cls, request: Request, base_url: str, breaks: frozenset[str]) -> "_Fingerprint":
        parts = urlsplit(below(request.url, base_url))
        return cls(request.method, parts.path, parts.query, request.body, request.header("Idempotency-Key"), breaks)

    def differences_as_sent(self, recorded: "_Fingerprint") -> list[str]:
        """What differs from a recorded request in what is sent, in words."""
        names = {
            "method": "the method",
            "path": "the path",
            "query": "the query",
            "body": "the body",
            "idempotency_key": "the Idempotency-Key",
        }
        return [
            f"{words} is {shorten(getattr(self, name))!r}, recorded was {shorten(getattr(recorded, name))!r}"
            for name, words in names.items()
            if getattr(self, name) != getattr(recorded, name)
        ]

    def differences(self, recorded: "_Fingerprint") -> list[str]:
        """What differs from a recorded request, in what is sent and in the rules that it breaks, in words."""
        found = self.differences_as_sent(recorded)
        if more := sorted(self.breaks - recorded.breaks):
            found.append(f"it breaks {', '.join(more)}, which the recorded request did not")
        if fewer := sorted(recorded.breaks - self.breaks):
            found.append(f"it does not break {', '.join(fewer)}, which the recorded request did on purpose")
        return found


class Tape:
    """A cassette that is being played; several threads may ask it at once.

    Args:
        cassette: The cassette.
        path: Where it lies.
        redactor: Hides secrets in requests before they are compared.

    Attributes:
        unmatched: Why the last request without a recorded answer has none; empty if each had one.
    """

    def __init__(self, cassette: Cassette, path: Path, redactor: Redactor) -> None:
        self.cassette = cassette
        self.redactor = redactor
        self.unmatched = ""
        self._path = path
        self._lock = threading.Lock()
        self._left = {
            place: _Fingerprint.of(exchange.request, cassette.base_url, exchange.breaks)
            for place, exchange in enumerate(cassette.exchanges)
        }

    # As a clock of the test.
    def now(self) -> datetime:
        """The recorded time of the next exchange, of the last one if all were played."""
        exchanges = self.cassette.exchanges
        with self._lock:
            place = next(iter(self._left), len(exchanges) - 1)
        return exchanges[place].at if exchanges else self.cassette.recorded

    def advance(self, duration: timedelta) -> None:
        """Nothing: the recorded times have passed already."""

    # As the player of a journal.
    def answer(self, request: Request, breaks: frozenset[str]) -> Exchange:
        """Find the recorded answer to a request; each is given once.

        Args:
            request: The request as it is sent.
            breaks: The ids of the client rules that it breaks, which must be those that the recorded request broke.

        Returns:
            The recorded exchange, but with the request as it is sent now, without its secrets.

        Raises:
            StepFailedError: If no recorded request that is left is the same.
        """
        with self._lock:
            shown = self.redactor.request(request)
            sent = _Fingerprint.of(shown, self.cassette.base_url, breaks)
            place = next((place for place, recorded in self._left.items() if recorded == sent), None)
            if place is None:
                self.unmatched = self._explain(sent)
                raise StepFailedError(self.unmatched)
            del self._left[place]
            exchange = self.cassette.exchanges[place]
            self.redactor.learn(exchange.response)
        return replace(exchange, request=shown)

    def take_all(self) -> Sequence[Exchange]:
        """All recorded exchanges, for a test that sends nothing; they count as played."""
        with self._lock:
            self._left.clear()
        return self.cassette.exchanges

    def unplayed(self) -> list[str]:
        """The ids of the exchanges that no request asked for."""
        with self._lock:
            return [self.cassette.exchanges[place].id for place in self._left]

    def _explain(self, sent: _Fingerprint) -> str:
        cassette = self.cassette
        again = f"To record again: {recording_command(cassette.api, self._path.parent.parent, cassette.origin)}"
        start = f"There is no recorded answer to {sent.method} {sent.path} in {self._path.name}"
        left = list(self._left.values())
        if not left:
            return f"{start}: all of its exchanges were played. {again}"
        nearest = min(left, key=lambda recorded: (recorded.path != sent.path, len(sent.differences_as_sent(recorded))))
        return f"{start}: {'; '.join(sent.differences(nearest))}. {again}"
