"""The journal of one test: every exchange that its clients make, judged as it leaves and kept as it ends."""

import threading
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

import httpx

from conformance.api import ClientJudge
from conformance.clock import Clock
from conformance.exchange import Delivery, Exchange, Generated, Mode, Request, Response
from conformance.findings import Finding, Outcome
from conformance.recording.redaction import Redactor
from conformance.scenario import StepFailedError, SuiteError
from conformance.specification import Match, Specification

BREAKS = "conformance.breaks"
"""The request extension that names the client rules which a request breaks on purpose."""
EXCHANGE = "conformance.exchange"
"""The response extension that holds the exchange."""


class Player(Protocol):
    """What a replay adds to sending: the recorded answer is found by what the request is.

    Attributes:
        strayed: Why a request had no recorded answer; empty if all had one.
    """

    strayed: str

    def playing(self, request: Request, breaks: frozenset[str]) -> AbstractContextManager[None]:
        """While the context lasts, requests sent from this thread are looked up as `request`."""

    def timing(self) -> tuple[datetime, float]:
        """When the exchange that was just played began (UTC), and how many seconds its answer took."""


@dataclass
class Journal:
    """Every exchange of one test.

    Args:
        test: The id of the test.
        clock: What tells the time.
        base_url: The base URL of the API that the test talks to.
        specification: What knows the operations.
        redactor: What hides secrets in what is kept.
        player: In a replay, what finds the recorded answers.
    """

    test: str
    clock: Clock
    base_url: str
    specification: Specification
    redactor: Redactor
    player: Player | None = None

    def __post_init__(self) -> None:
        self.exchanges: list[Exchange] = []
        self.redacted: list[Exchange] = []
        self.deliveries: list[Delivery] = []
        self.generated: Generated | None = None
        self._lock = threading.Lock()

    @contextmanager
    def generating(self, generated: Generated) -> Iterator[None]:
        """While the context lasts, keep exchanges as `generated`; none but given ones must keep the client rules."""
        before, self.generated = self.generated, generated
        try:
            yield
        finally:
            self.generated = before

    def relative(self, url: str) -> str:
        """The part of a URL below the base URL, or the whole URL if it is elsewhere."""
        return url.removeprefix(self.base_url)

    def match(self, request: Request) -> Match | None:
        """The operation that a request is for, None if the specification has none there."""
        path, _, _ = self.relative(request.url).partition("?")
        return self.specification.match(request.method, path)

    def recall(self, exchanges: Iterable[Exchange]) -> None:
        """Take over exchanges as they were recorded, each with the operation that the specification has there now."""
        self.exchanges = []
        for each in exchanges:
            found = self.match(each.request)
            operation, parameters = (found.operation.id, found.parameters) if found else (None, {})
            self.exchanges.append(replace(each, operation=operation, parameters=parameters))
        self.redacted = list(self.exchanges)

    def keep(self, exchange: Exchange) -> Exchange:
        """Add an exchange under the next number; returns it with its id."""
        with self._lock:
            numbered = replace(exchange, id=f"{self.test}#{len(self.exchanges) + 1}", generated=self.generated)
            self.exchanges.append(numbered)
            self.redacted.append(self.redactor.exchange(numbered))
        return numbered


class JournalTransport(httpx.BaseTransport):
    """Sends requests of one identity and writes each exchange into the journal.

    Args:
        inner: What sends.
        journal: Where exchanges go.
        identity: Who sends.
        judge: The client rules; a request must break exactly those that its `BREAKS` extension names, unless it was
            generated. In a replay the recorded request decides instead.
    """

    def __init__(self, inner: httpx.BaseTransport, journal: Journal, identity: str, judge: ClientJudge) -> None:
        self._inner = inner
        self._journal = journal
        self._identity = identity
        self._judge = judge
        self._lock = threading.Lock()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, keep the exchange.

        Raises:
            StepFailedError: If no answer came, or none was recorded.
            SuiteError: If the request breaks other client rules than it says.
        """
        journal = self._journal
        at = journal.clock.now()
        sent = Request(
            headers=tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw),
            body=request.read(),
            method=request.method,
            url=str(request.url),
        )
        matched = journal.match(sent)
        operation, parameters = (matched.operation.id, matched.parameters) if matched else (None, {})
        with self._lock:
            breaks = _broken(self._judge.request(sent, operation, parameters, at)) - self._judge.excused
        if journal.player is None and (journal.generated is None or journal.generated.mode is Mode.GIVEN):
            said = request.extensions.get(BREAKS, frozenset()) - self._judge.excused
            _compare(journal.relative(sent.url), breaks, said)
        with journal.player.playing(sent, breaks) if journal.player else nullcontext():
            try:
                response = self._inner.handle_request(_bare(request) if journal.player else request)
                body = response.read()
            except httpx.RequestError as error:
                detail = str(error) or type(error).__name__
                raise StepFailedError(
                    f"{sent.method} {journal.relative(sent.url)} got no answer from {journal.base_url}: {detail}"
                ) from error
            seconds = (journal.clock.now() - at).total_seconds()
            if journal.player:
                at, seconds = journal.player.timing()
        exchange = journal.keep(
            Exchange(
                id="",
                operation=operation,
                identity=self._identity,
                at=at,
                seconds=seconds,
                request=sent,
                response=Response(
                    headers=_text(response.headers.multi_items()), body=body, status=response.status_code
                ),
                breaks=breaks,
                parameters=parameters,
            )
        )
        with self._lock:
            self._judge.observe(exchange)
        response.extensions = {**response.extensions, EXCHANGE: exchange}
        return response

    def close(self) -> None:
        """Nothing: the inner transport is shared."""


def _bare(request: httpx.Request) -> httpx.Request:
    """A request without headers: a player knows what is sent, and vcr copies each request several times."""
    return httpx.Request(request.method, request.url)


def _text(items: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in items)


def _broken(findings: Iterable[Finding]) -> frozenset[str]:
    return frozenset(finding.rule for finding in findings if finding.outcome is Outcome.BROKEN)


def _compare(path: str, breaks: frozenset[str], said: frozenset[str]) -> None:
    if breaks == said:
        return
    more, fewer = sorted(breaks - said), sorted(said - breaks)
    parts = [f"breaks {', '.join(more)} without saying so"] if more else []
    parts += [f"does not break {', '.join(fewer)} as it says"] if fewer else []
    raise SuiteError(f"The suite's own request to {path} {' and '.join(parts)}.")
