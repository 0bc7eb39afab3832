"""The journal of one test: the exchanges that its clients make and the webhooks that come, in their order."""

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Protocol

import httpx

from conformance.api import ClientJudge
from conformance.bounds.transport import AnswerRefusedError
from conformance.bounds.urls import below
from conformance.clock import Clock
from conformance.exchange import Delivery, Exchange, Generated, Mode, Request, Response
from conformance.findings import Finding, Outcome
from conformance.recording.content_codings import decoded_fields, undecodable
from conformance.recording.redaction import Redactor
from conformance.scenario import StepFailedError, UnmeantRequestError
from conformance.specification import Match, Specification

BREAKS = "conformance.breaks"
"""The request extension that names the client rules which a request breaks on purpose."""
MAY_BREAK = "conformance.may_break"
"""The request extension that names the client rules which it breaks or not, depending on what the server gave."""
EXCHANGE = "conformance.exchange"
"""The response extension that holds the exchange."""


class Player(Protocol):
    """What answers requests in a replay, where the subject is not asked.

    Attributes:
        unmatched: Why the last request without a recorded answer has none; empty if each had one.
    """

    unmatched: str

    def answer(self, request: Request, breaks: frozenset[str]) -> Exchange:
        """Find the recorded answer to a request that breaks these client rules.

        Returns:
            The recorded exchange, but with the request as it is sent now, without its secrets.

        Raises:
            StepFailedError: If there is none.
        """


@dataclass
class Journal:
    """The exchanges and webhooks of one test; several threads may add to it at once.

    Args:
        test: The id of the test.
        clock: What tells the time.
        base_url: The base URL of the API that the test talks to.
        specification: What knows the operations.
        redactor: What hides secrets.
        player: In a replay, what finds the recorded answers.

    Attributes:
        exchanges: The exchanges, in the order in which they ended.
        deliveries: The webhooks, in the order in which they came.
        generated: What the requests are made to be that are sent now; None if they are not generated.
    """

    test: str
    clock: Clock
    base_url: str
    specification: Specification
    redactor: Redactor
    player: Player | None = None

    def __post_init__(self) -> None:
        self.exchanges: list[Exchange] = []
        self.deliveries: list[Delivery] = []
        self.generated: Generated | None = None
        self._redacted: list[Exchange] = []
        self._received = 0
        self._lock = threading.Lock()

    @contextmanager
    def generating(self, generated: Generated) -> Iterator[None]:
        """Mark the exchanges that are kept while the context lasts as `generated`."""
        before, self.generated = self.generated, generated
        try:
            yield
        finally:
            self.generated = before

    def relative(self, url: str) -> str:
        """The part of a URL below the base URL, or the whole URL if it is elsewhere."""
        return below(url, self.base_url)

    def match(self, request: Request) -> Match | None:
        """The operation that a request is for, None if the specification has none there."""
        path, _, _ = self.relative(request.url).partition("?")
        return self.specification.match(request.method, path)

    def keep(self, exchange: Exchange, shown: Exchange | None = None) -> Exchange:
        """Add an exchange.

        Args:
            exchange: The exchange.
            shown: An exchange with the same request and response, without their secrets, if there is one already.

        Returns:
            The exchange under its number in this journal.
        """
        with self._lock:
            numbered = replace(exchange, id=f"{self.test}#{len(self.exchanges) + 1}", generated=self.generated)
            if shown is not None:
                self._redact()
                self._redacted.append(replace(numbered, request=shown.request, response=shown.response))
            self.exchanges.append(numbered)
        return numbered

    def receive(self, deliveries: Sequence[Delivery]) -> None:
        """Add the webhooks that are new, each after the exchanges that have ended by now.

        Args:
            deliveries: All webhooks that came so far, in the order in which they came.
        """
        with self._lock:
            after = len(self.exchanges)
            self.deliveries += [replace(delivery, after=after) for delivery in deliveries[self._received :]]
            self._received = len(deliveries)

    def take_over(self, exchanges: Iterable[Exchange], deliveries: Sequence[Delivery]) -> None:
        """Start with what was recorded; each exchange gets the operation that the specification has there now.

        Args:
            exchanges: The recorded exchanges, without secrets.
            deliveries: The recorded webhooks, each with the number of the exchanges before it.
        """
        for each in exchanges:
            found = self.match(each.request)
            operation, parameters = (found.operation.id, found.parameters) if found else (None, {})
            self.exchanges.append(replace(each, operation=operation, parameters=parameters))
        self._redacted = list(self.exchanges)
        self.deliveries = list(deliveries)
        self._received = len(deliveries)

    def successor(self) -> "Journal":
        """A new journal of the same test, for what follows: it takes up no webhook that this one has."""
        following = replace(self)
        following._received = self._received  # noqa: SLF001  (of the same class)
        return following

    def append(self, other: "Journal") -> Mapping[str, str]:
        """Add the exchanges and webhooks of another journal of the same test after those of this one.

        Returns:
            The id that each exchange has in this journal, by the id that it has in the other one.
        """
        before = len(self.exchanges)
        ids = {exchange.id: self.keep(exchange).id for exchange in other.exchanges}
        self.deliveries += [replace(delivery, after=before + delivery.after) for delivery in other.deliveries]
        return ids

    @property
    def redacted(self) -> Sequence[Exchange]:
        """The exchanges without secrets.

        Secrets are hidden when somebody asks, in the order of the exchanges: the placeholder of a secret does not
        depend on what is shown first.
        """
        with self._lock:
            self._redact()
            return tuple(self._redacted)

    def hide(self, text: str) -> str:
        """`text` without the secrets that the exchanges show."""
        with self._lock:
            self._redact()
            return self.redactor.text(text)

    def _redact(self) -> None:
        for exchange in self.exchanges[len(self._redacted) :]:
            self._redacted.append(self.redactor.exchange(exchange))


@lru_cache(maxsize=256)
def _field_name(name: bytes) -> str:
    """The name of a header field, the same object each time: a journal is kept until its run ends."""
    return name.decode("latin-1")


class JournalTransport(httpx.BaseTransport):
    """Sends requests of one identity, or has them answered by a player, and writes each exchange into the journal.

    Args:
        inner: What sends, if the journal has no player.
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
        judge.explains = False  # which rules a request breaks is all that is asked of it here
        self._lock = threading.Lock()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Have a request answered, and keep the exchange.

        Raises:
            StepFailedError: If no answer came, or none was recorded.
            UnmeantRequestError: If the request breaks other client rules than it says.
        """
        journal = self._journal
        at = journal.clock.now()
        sent = Request(
            headers=tuple((_field_name(name), value.decode("latin-1")) for name, value in request.headers.raw),
            body=request.read(),
            method=request.method,
            url=str(request.url),
        )
        matched = journal.match(sent)
        operation, parameters = (matched.operation.id, matched.parameters) if matched else (None, {})
        with self._lock:
            breaks = _broken_rules(self._judge.request(sent, operation, parameters, at)) - self._judge.excused
        recorded = None
        if journal.player is None:
            if journal.generated is None or journal.generated.mode is Mode.GIVEN:
                declared = request.extensions.get(BREAKS, frozenset()) - self._judge.excused
                depending = request.extensions.get(MAY_BREAK, frozenset())
                _check_declared(journal.relative(sent.url), breaks - depending, declared - depending)
            answer, response = self._send(request)
            seconds = (journal.clock.now() - at).total_seconds()
        else:
            recorded = journal.player.answer(sent, breaks)
            answer, response = _played(recorded.response), recorded.response
            at, seconds = recorded.at, recorded.seconds
        exchange = Exchange(
            id="",
            operation=operation,
            identity=self._identity,
            at=at,
            seconds=seconds,
            request=sent,
            response=response,
            breaks=breaks,
            parameters=parameters,
        )
        exchange = journal.keep(exchange, recorded)
        with self._lock:
            self._judge.observe(exchange)
        answer.extensions = {**answer.extensions, EXCHANGE: exchange}
        return answer

    def keep(self, request: httpx.Request, answer: httpx.Response) -> httpx.Response:
        """Keep an exchange that something else has made, such as a browser, as if it had been sent here."""
        given = httpx.MockTransport(lambda _request: answer)
        return JournalTransport(given, self._journal, self._identity, self._judge).handle_request(request)

    def _send(self, request: httpx.Request) -> tuple[httpx.Response, Response]:
        """Send a request; gives the answer, read to its end, as it came and as it is kept.

        Raises:
            StepFailedError: If no answer came, or one in a content coding that cannot be taken off.
        """
        where = f"{request.method} {self._journal.relative(str(request.url))}"
        try:
            answer = self._inner.handle_request(request)
            body = answer.read()
        except AnswerRefusedError as error:
            raise StepFailedError(
                f"{where} got an answer from {self._journal.base_url} that is not read to its end: {error}"
            ) from error
        except httpx.RequestError as error:
            detail = str(error) or type(error).__name__
            raise StepFailedError(f"{where} got no answer from {self._journal.base_url}: {detail}") from error
        if unknown := undecodable(answer) if body else ():
            raise StepFailedError(
                f"{where} got an answer in the content coding {', '.join(unknown)} from {self._journal.base_url}, "
                f"which cannot be decoded here; the request accepts {request.headers.get('Accept-Encoding', 'any')}"
            )
        return answer, Response(decoded_fields(tuple(answer.headers.multi_items())), body, answer.status_code)

    def close(self) -> None:
        """Nothing: the inner transport is shared."""


def _played(response: Response) -> httpx.Response:
    """A recorded response for a client; its body was decoded before, though other recorders keep the coding's name."""
    headers = decoded_fields(response.headers)
    return httpx.Response(response.status, headers=headers, stream=httpx.ByteStream(response.body))


def _broken_rules(findings: Iterable[Finding]) -> frozenset[str]:
    return frozenset(finding.rule for finding in findings if finding.outcome is Outcome.BROKEN)


def _check_declared(path: str, breaks: frozenset[str], declared: frozenset[str]) -> None:
    """Make sure that a request breaks the client rules that it says it breaks, and no others.

    Raises:
        UnmeantRequestError: If it does not.
    """
    if breaks == declared:
        return
    more, fewer = sorted(breaks - declared), sorted(declared - breaks)
    parts = [f"breaks {', '.join(more)} without saying so"] if more else []
    parts += [f"does not break {', '.join(fewer)} as it says"] if fewer else []
    raise UnmeantRequestError(f"The suite's own request to {path} {' and '.join(parts)}.")
