"""The rules for clients that a request shows, by itself and by what came before it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from urllib.parse import parse_qsl, unquote, unquote_plus

from conformance.exchange import Delivery, Exchange, Request
from conformance.findings import Finding, Outcome
from conformance.planbok.client_checks.findings import SAYS
from conformance.planbok.client_checks.instants import Instant, unless_time_stood_still
from conformance.planbok.client_checks.pages import Page, redirect_target
from conformance.planbok.client_checks.requests import (
    KEY,
    Repeatable,
    as_text,
    asks_for_wallets,
    entered_pins,
    json_object,
    key_in,
    leaves_pin,
    names_pin,
    repeatable_of,
    wished_pause,
)
from conformance.planbok.client_checks.traffic import journal_findings
from conformance.planbok.client_checks.webhooks import ACCEPTED, refused_for_good
from conformance.planbok.messages import (
    ISSUING,
    KEY_HEADER,
    Call,
    call_of,
    challenge_in,
    challenge_of,
    entries,
    filtered_customers,
    misplaced_key,
)
from conformance.planbok.observer import Observer

_SET_UP = {"initializeCustomer", "setUpRecovery"}
_KEYED = {"createCustomer", "createWallets"}
_STORED = (
    "What a client has stored shows it, and no traffic does: conformance webhooks check planbok --url URL "
    "--probe-url URL judges it."
)
_UNUSUAL = "Only events in unusual forms show it: conformance webhooks check planbok --url URL sends them."
_UNSEEN = {
    "survives-duplicates": _STORED,
    "survives-reordering": _STORED,
    **dict.fromkeys(("takes-events", "takes-any-form", "takes-large-events", "takes-unknown-events"), _UNUSUAL),
}
_SECOND = timedelta(seconds=1)
_READS_A_SECOND = 20
_LEAST_PAUSE = _SECOND / _READS_A_SECOND
_GROWTH = 1.05
"""By how much a pause is longer than the one before at least; less comes of itself, as no two sleeps last the same."""
_LONG_PAUSE = timedelta(seconds=30)
_READS_OF_WHAT_ENDED = 2


@dataclass
class Throttling:
    """A request that was answered 429."""

    answered: Instant
    pause: timedelta
    """How long the client waited before it sent this request, none before the first time."""
    wished: timedelta | None
    """How long the answer asks to wait, None if it does not."""


class ClientJudge:
    """Judges the requests of one API client and of its customers' browsers, as they are sent, in the order sent.

    Requests of browsers are those to the hosted page. What is no page of a challenge, such as a style sheet or the
    client's own site, is judged by nothing but what must not stand in a URL.

    Args:
        credentials: The client's own credentials, by the names of the settings; only ``api_key`` must be there.
        settings: The API's other settings, none of which changes a rule.
    """

    explains = True
    """Whether findings name the mistake that was made; none of these takes time to find out."""

    def __init__(self, credentials: Mapping[str, str], settings: Mapping[str, str]) -> None:  # noqa: ARG002  (as every judge)
        self._keys = {credentials[name] for name in ("api_key", "read_only_key") if credentials.get(name)}
        self._secrets = {secret for secret in credentials.values() if secret}
        self._webhook_secret = credentials.get("webhook_secret")
        self._pins: set[str] = set()
        self._given: dict[Page, bool] = {}
        self._pages: dict[str, Page] = {}
        self._observer = Observer()
        self._reads_after_end: dict[tuple[str | None, str | None], int] = {}
        self._reads: dict[str, list[Instant]] = {}
        self._began: dict[tuple[str | None, str | None], Instant] = {}
        self._throttled: dict[Repeatable, Throttling] = {}
        self._intents: dict[str, Repeatable] = {}
        self._unsettled: dict[Repeatable, str] = {}
        self._set_up: set[str | None] = set()

    @property
    def excused(self) -> frozenset[str]:
        """The ids of the rules that the settings ask the client to break: none."""
        return frozenset()

    def request(
        self,
        request: Request,
        operation: str | None,
        parameters: Mapping[str, str],
        at: datetime,
        machine_at: datetime | None = None,
    ) -> list[Finding]:
        """What can be told of a request.

        Args:
            request: The request as it was sent.
            operation: The id of the operation that it is for, None if there is none at its path.
            parameters: The parameters in its path.
            at: When it was sent (UTC).
            machine_at: When that was by the machine's clock (UTC), where `at` is by another clock.
        """
        page = Page.at(request.url)
        if page is None:
            return [self._url(request)]
        if self._is_of_api(operation, page):
            return [
                self._url(request),
                *self._api_request(request, Call.of(operation, parameters), Instant(at, machine_at or at)),
            ]
        self._pins.update(entered_pins(request))
        return [self._url(request), *(self._visit(page) if request.method == "GET" else ())]

    def observe(self, exchange: Exchange) -> None:
        """Learn what an answer gave: pages, customers, challenges, refusals."""
        page = Page.at(exchange.request.url)
        if page is not None and self._is_of_api(exchange.operation, page):
            self._learn(exchange)
            self._settle(exchange)
        elif page is not None:
            self._give(redirect_target(exchange), opened=True)

    def conclude(self, exchanges: Sequence[Exchange], deliveries: Sequence[Delivery]) -> list[Finding]:
        """What only the whole of the traffic shows; see `journal_findings`."""
        findings = journal_findings(exchanges, deliveries, self._webhook_secret)
        if self._webhook_secret:
            findings += refused_for_good(deliveries, self._webhook_secret)
        shown = {finding.rule for finding in findings}
        accepted = any(delivery.answered in ACCEPTED for delivery in deliveries)
        stored = [Finding(f"{SAYS.prefix}{rule}", Outcome.SKIPPED, reason=why) for rule, why in _UNSEEN.items()]
        return [*findings, *(finding for finding in stored if accepted and finding.rule not in shown)]

    # ------------------------------------------------------------------------------------------------- what is learnt

    def _is_of_api(self, operation: str | None, page: Page) -> bool:
        """Whether a request is one to the API: to no page that the customer was sent to, nor to what is beside one."""
        if "/v2/" not in page.path or page in self._given:
            return False
        return operation is not None or not any(map(page.is_beside, self._given))

    def _learn(self, exchange: Exchange) -> None:
        """Learn which pages the API gives, and what it shows of customers and challenges."""
        self._observer.see(exchange)
        call, response = call_of(exchange), exchange.response
        match call.operation:
            case "listChallenges":
                for challenge in map(challenge_in, entries(response)):
                    self._give(challenge.redirect_url if challenge else None)
            case operation if operation == "getChallenge" or operation in ISSUING:
                shown = challenge_of(response)
                self._give(shown.redirect_url if shown else None)
                if shown is not None and shown.id and (given := Page.at(shown.redirect_url or "")):
                    self._pages[shown.id] = given
                key = call.customer, call.challenge or (shown.id if shown else None)
                self._began.setdefault(key, Instant.of(exchange))
                issue = self._observer.issue(call.challenge)
                if shown is not None and shown.succeeded and issue is not None and issue.operation in _SET_UP:
                    self._set_up.add(call.customer)
                if shown is not None and shown.has_ended:
                    self._reads_after_end[key] = max(self._reads_after_end.get(key, 0), 1)

    def _give(self, url: str | None, *, opened: bool = False) -> None:
        """Learn a URL that the API, or a page itself, sends the customer to."""
        if url is not None and (page := Page.at(url)):
            self._given.setdefault(page, opened)

    def _settle(self, exchange: Exchange) -> None:
        repeatable = repeatable_of(exchange.request)
        status = exchange.response.status
        key = key_in(exchange.request)
        if key and (status == 0 or status >= HTTPStatus.INTERNAL_SERVER_ERROR):
            self._unsettled[repeatable] = key
        elif status != HTTPStatus.TOO_MANY_REQUESTS:
            self._unsettled.pop(repeatable, None)
        before = self._throttled.pop(repeatable, None)
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            self._throttled[repeatable] = Throttling(
                answered=Instant.of(exchange, exchange.seconds),
                wished=wished_pause(exchange),
                pause=before.pause if before else timedelta(),
            )

    # --------------------------------------------------------------------------------------------------- the rules

    def _url(self, request: Request) -> Finding:
        return self._secrecy(request.url, "request URL")

    def _redirect(self, request: Request) -> Iterator[Finding]:
        """Judge the URL that a browser is to be sent back to, by whatever name a body has it."""
        for name, value in request.members().items():
            if isinstance(value, str) and value.startswith(("http://", "https://")):
                yield self._secrecy(value, f"request /{name}")

    def _secrecy(self, url: str, where: str) -> Finding:
        place, _, query = url.partition("?")
        fields = parse_qsl(query)
        written = {*unquote(place).split("/"), *(value for _, value in fields)}
        decoded = unquote_plus(url)
        leaked = {
            "its key or secret": any(secret in url or secret in decoded for secret in self._secrets),
            "a PIN": bool(written & self._pins)
            or any(names_pin(name) and value.lower() not in {"true", "false"} for name, value in fields),
        }
        got = " and ".join(what for what, is_there in leaked.items() if is_there)
        return SAYS.judged("no-secret-in-url", not got, where, "no key, secret or PIN", got or "none")

    def _visit(self, page: Page) -> Iterator[Finding]:
        """Judge what may be the first request of a visit.

        A URL that was not given breaks the rule while one that it looks like waits to be opened; an open page may go
        on to where it likes.
        """
        where, expected = "request URL", "a redirectUrl exactly as it was given"
        if page in self._given:
            self._given[page] = True
            yield SAYS.judged("sends-user-to-given-url", held=True, where=where, expected=expected, got="that")
            return
        waiting = [given for given, opened in self._given.items() if not opened and page.resembles(given)]
        named = [link for link in page.names if not self._given.get(self._pages.get(link, page), True)]
        if named and not waiting:
            got = f"one that was made from the challenge's id, {named[0]}"
            yield SAYS.judged("sends-user-to-given-url", held=False, where=where, expected=expected, got=got)
        if waiting:
            got = "one with another query" if any(page.is_at(given) for given in waiting) else "another one like it"
            yield SAYS.judged("sends-user-to-given-url", held=False, where=where, expected=expected, got=got)

    def _api_request(self, request: Request, call: Call, at: Instant) -> Iterator[Finding]:
        yield self._key(request)
        if request.body:
            yield leaves_pin(request)
            yield from self._redirect(request)
            if call.operation in ISSUING | _KEYED:
                yield from json_object(request)
        yield from self._pause(request, at)
        if request.method == "GET":
            yield self._polling(request, at)
        if call.operation in _KEYED or (request.method == "POST" and key_in(request)):
            yield from self._idempotency(request)
        match call.operation:
            case "createWallets":
                yield asks_for_wallets(request)
                yield from self._after_set_up(call.customer)
            case "getChallenge":
                yield from self._past_its_end(call.customer, call.challenge, at)
            case "listWallets":
                customers = filtered_customers(request)
                got = "no customerIds" if customers is None else f"{len(customers)} in customerIds"
                yield SAYS.judged(
                    "no-empty-filter", bool(customers), "request query", "customerIds with a customer", got
                )

    def _key(self, request: Request) -> Finding:
        key = request.header(KEY_HEADER)
        got = "none" if key is None else "the client's own" if key in self._keys else "another"
        if key not in self._keys and (misplaced := misplaced_key(request.headers, self._keys)):
            got = f"{got}. {misplaced}"
        return SAYS.judged("sends-key", key in self._keys, f"request header {KEY_HEADER}", "the client's own key", got)

    def _after_set_up(self, customer: str | None) -> Iterator[Finding]:
        """Judge a request for wallets by what the client has read of the customer.

        Nothing is said of a customer that was neither created nor read in this traffic, nor of one whose
        ``hasRecovery`` the API does not show, nor of one whose set-up was read to have succeeded.
        """
        record = self._observer.customers.get(customer or "")
        complete = record.set_up if record else None
        if complete or (complete is not None and customer not in self._set_up):
            yield SAYS.judged(
                "checks-set-up-first",
                complete,
                "request path",
                "a customer that was read with hasPin and hasRecovery true",
                "that" if complete else "one that was not",
            )

    def _past_its_end(self, customer: str | None, challenge: str | None, at: Instant) -> Iterator[Finding]:
        """Judge a read of a challenge: one shows that it has ended, a second is no breach, a third is polling."""
        progress = self._observer.progress.get((customer, challenge))
        if progress is None:
            return
        began = self._began.get((customer, challenge))
        over = progress.is_over(at.world if began is None else began.world + at.since(began))
        reads = self._reads_after_end.get((customer, challenge), 0) + 1 if over else 0
        self._reads_after_end[customer, challenge] = reads
        yield SAYS.judged(
            "stops-polling",
            reads <= _READS_OF_WHAT_ENDED,
            "request path",
            f"at most {_READS_OF_WHAT_ENDED} reads of a challenge that has ended",
            f"read {reads} of such" if over else "one that has not ended",
        )

    def _polling(self, request: Request, at: Instant) -> Finding:
        """Judge a GET by those of the last second that asked for the same.

        The limit is documented for all GETs of an organization. Only repetitions count here, since in a world whose
        clock stands still all requests of a test are sent at the same instant. Whoever lets time pass there without
        waiting sends them at the same instant of the machine's clock too, so that nothing can be told then.
        """
        before = [time for time in self._reads.get(request.url, ()) if timedelta() <= at.longest_since(time) < _SECOND]
        self._reads[request.url] = [*before, at]
        held = len(before) < _READS_A_SECOND
        finding = SAYS.judged(
            "polls-within-limits",
            held,
            "request URL",
            f"at most {_READS_A_SECOND} GETs of it in a second",
            f"number {len(before) + 1}",
        )
        return finding if held else unless_time_stood_still(finding, before[0], at)

    def _pause(self, request: Request, at: Instant) -> Iterator[Finding]:
        """Judge a repetition of what was answered 429 by the pause before it.

        It has to be longer than the one before, but for those of 30 seconds and more, and those that the answer itself
        asked for in Retry-After. Less than the 50 ms that one of 20 requests a second has is no pause.
        """
        throttled = self._throttled.get(repeatable_of(request))
        if throttled is None or at.world < throttled.answered.world:
            return
        pause = at.longest_since(throttled.answered)
        grown = pause >= _LEAST_PAUSE and pause > throttled.pause * _GROWTH
        obeyed = throttled.wished is not None and pause >= throttled.wished
        held = grown or obeyed or pause >= _LONG_PAUSE
        finding = SAYS.judged(
            "backs-off",
            held,
            "request time",
            f"a pause of more than {max(throttled.pause * _GROWTH, _LEAST_PAUSE).total_seconds():g} s after 429",
            f"{pause.total_seconds():g} s",
        )
        yield finding if held else unless_time_stood_still(finding, throttled.answered, at)
        throttled.pause = timedelta() if pause >= _LONG_PAUSE else pause

    def _idempotency(self, request: Request) -> Iterator[Finding]:
        where = f"request /{KEY}"
        key = key_in(request)
        got = as_text(request.members().get(KEY))
        yield SAYS.judged("sends-idempotency-key", key is not None, where, "a text that is not empty", got)
        if key is None:
            return
        repeatable = repeatable_of(request)
        yield SAYS.judged(
            "sends-idempotency-key",
            self._intents.setdefault(key, repeatable) == repeatable,
            where,
            "a new key for another request",
            key,
        )
        if repeatable in self._unsettled:
            before = self._unsettled[repeatable]
            expected = f"the key of the request that is repeated, {before}"
            yield SAYS.judged("sends-idempotency-key", key == before, where, expected, key)
