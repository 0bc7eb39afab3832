"""The rules for clients of Planbok, judged on the requests that a client sends and on the whole of its traffic.

What a request shows, by itself and by what came before it, is judged by `ClientJudge`. What only the whole of a
client's traffic shows is judged by `journal_findings`. Whether a client comes to the same wallets in whatever order
events arrive is seen in no traffic: what it has stored would have to be read.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, unquote_plus, urljoin, urlsplit
from uuid import UUID

from conformance.exchange import Delivery, Exchange, NotJsonError, Request
from conformance.findings import Finding, Says
from conformance.planbok.messages import (
    KEY_HEADER,
    SUCCESS_WORDS,
    Asked,
    Challenge,
    asked_in,
    challenge_in,
    challenge_of,
    customer_id,
    entries,
    event_of,
    filtered_customers,
    is_set_up,
    names_customer,
    payload,
)
from conformance.planbok.webhooks import ID_HEADER, TIMESTAMP_HEADER, TOLERANCE, signed_over

_RULE = "planbok.client."
_SAYS = Says(_RULE)
_ISSUING = {"initializeCustomer", "setUpRecovery", "updatePin", "resetPin", "createWallets"}
_KEYED = {"createCustomer", "createWallets"}
_KEY = "idempotencyKey"
_FAILED = "failed"
_LIFE = timedelta(minutes=15)
_SECOND = timedelta(seconds=1)
_READS_A_SECOND = 20
_LEAST_PAUSE = _SECOND / _READS_A_SECOND
_LONG_PAUSE = timedelta(seconds=30)
_READS_OF_WHAT_ENDED = 2
_TOO_MANY = 429
_FOR_NOW = {_TOO_MANY, 503}
_SERVER_ERROR = 500
_REDIRECTED = range(300, 400)
_REFUSED = frozenset(range(400, 500)) - {_TOO_MANY}
_ACCEPTED = range(200, 300)
_PORTS = {"http": 80, "https": 443}
_KEPT_IN_URLS = "%:/?#[]@!$&'()*+,;=~"
_LINK = re.compile(r"[0-9A-Za-z_-]{16,}")
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_PIN = re.compile(r"[0-9]{6}")
_SECONDS = re.compile(r"[0-9]{1,12}")
_READ = Asked("getChallenge")

_Repeatable = tuple[str, str, str]


@dataclass(frozen=True)
class _Page:
    """A URL as a browser asks for it, so that two that it does not tell apart are the same."""

    scheme: str
    host: str
    port: int | None
    path: str
    query: str

    @classmethod
    def at(cls, url: str) -> "_Page | None":
        """The page at a URL, None if it is no URL."""
        try:
            parts = urlsplit(url)
            port = parts.port or _PORTS.get(parts.scheme)
            path, query = (quote(part, safe=_KEPT_IN_URLS) for part in (parts.path or "/", parts.query))
        except ValueError:
            return None
        return cls(parts.scheme, parts.hostname or "", port, path, query)

    def is_at(self, other: "_Page | None") -> bool:
        """Whether only the queries differ, if anything does."""
        return other is not None and replace(self, query="") == replace(other, query="")

    def is_beside(self, other: "_Page") -> bool:
        """Whether it is on the origin and in the directory of `other`."""
        origins = [(page.scheme, page.host, page.port) for page in (self, other)]
        return origins[0] == origins[1] and self.path.startswith(f"{other.path.rpartition('/')[0]}/")

    def resembles(self, other: "_Page") -> bool:
        """Whether it is `other` changed in its query or spelling, or has another link in the place of the same link."""
        spelt = [unquote(page.path).casefold().rstrip("/") for page in (self, other)]
        (parent, _, link), (other_parent, _, other_link) = (page.path.rpartition("/") for page in (self, other))
        beside = parent == other_parent and bool(_LINK.fullmatch(link)) and bool(_LINK.fullmatch(other_link))
        return self.host == other.host and (spelt[0] == spelt[1] or beside)


@dataclass
class _Followed:
    """A challenge as its client has come to know it."""

    seen: datetime
    expires_at: datetime | None = None
    ended: bool = False
    reads: int = 0
    """How many reads there were that showed the end, or came after it."""

    def over(self, at: datetime) -> bool:
        """Whether the client knows at `at` that nothing can come of it any more, by its own clock and the API's."""
        return self.ended or at > max(self.seen + _LIFE, self.expires_at or self.seen)


@dataclass
class _Throttled:
    """A request that was answered 429."""

    answered: datetime
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

    def __init__(self, credentials: Mapping[str, str], settings: Mapping[str, str]) -> None:  # noqa: ARG002  (as every judge)
        self._keys = {credentials[name] for name in ("api_key", "read_only_key") if credentials.get(name)}
        self._secrets = {secret for secret in credentials.values() if secret}
        self._webhook_secret = credentials.get("webhook_secret")
        self._pins: set[str] = set()
        self._given: dict[_Page, bool] = {}
        self._set_up: dict[str, bool | None] = {}
        self._challenges: dict[tuple[str | None, str | None], _Followed] = {}
        self._reads: dict[str, list[datetime]] = {}
        self._throttled: dict[_Repeatable, _Throttled] = {}
        self._intents: dict[str, _Repeatable] = {}
        self._unsettled: dict[_Repeatable, str] = {}

    @property
    def excused(self) -> frozenset[str]:
        """The ids of the rules that the settings ask the client to break: none."""
        return frozenset()

    def request(
        self, request: Request, operation: str | None, parameters: Mapping[str, str], at: datetime
    ) -> list[Finding]:
        """What can be told of a request.

        Args:
            request: The request as it was sent.
            operation: The id of the operation that it is for, None if there is none at its path.
            parameters: The parameters in its path.
            at: When it was sent (UTC).
        """
        page = _Page.at(request.url)
        if page is None:
            return [self._url(request)]
        if self._is_of_api(operation, page):
            return [self._url(request), *self._api_request(request, Asked.of(operation, parameters), at)]
        self._pins.update(_entered_pins(request))
        return [self._url(request), *(self._visit(page) if request.method == "GET" else ())]

    def observe(self, exchange: Exchange) -> None:
        """Learn what an answer gave: pages, customers, challenges, refusals."""
        page = _Page.at(exchange.request.url)
        if page is not None and self._is_of_api(exchange.operation, page):
            self._learn(exchange)
            self._settle(exchange)
        elif page is not None:
            self._give(_target(exchange), opened=True)

    def conclude(self, exchanges: Sequence[Exchange], deliveries: Sequence[Delivery]) -> list[Finding]:
        """What only the whole of the traffic shows; see `journal_findings`."""
        return journal_findings(exchanges, deliveries, self._webhook_secret)

    # ------------------------------------------------------------------------------------------------- what is learnt

    def _is_of_api(self, operation: str | None, page: _Page) -> bool:
        """Whether a request is one to the API: to no page that the customer was sent to, nor to what is beside one."""
        if "/v2/" not in page.path or page in self._given:
            return False
        return operation is not None or not any(map(page.is_beside, self._given))

    def _learn(self, exchange: Exchange) -> None:
        asked, response = asked_in(exchange), exchange.response
        match asked.operation:
            case "createCustomer" if created := customer_id(response):
                self._set_up.setdefault(created, False)
            case "getCustomer":
                self._read_customer(asked.customer, payload(response))
            case "listCustomers":
                for entry in entries(response):
                    self._read_customer(entry.get("id") if isinstance(entry, Mapping) else None, entry)
            case "listChallenges":
                for challenge in map(challenge_in, entries(response)):
                    self._give(challenge.redirect_url if challenge else None)
            case operation if operation == "getChallenge" or operation in _ISSUING:
                self._follow(asked, challenge_of(response), exchange.at)

    def _give(self, url: str | None, *, opened: bool = False) -> None:
        """Learn a URL that the API, or a page itself, sends the customer to."""
        if url is not None and (page := _Page.at(url)):
            self._given.setdefault(page, opened)

    def _read_customer(self, identifier: str | None, shown: Any) -> None:
        """Learn of a customer whether the set-up is complete, which it stays; None if the API does not show it."""
        if isinstance(identifier, str) and isinstance(shown, Mapping) and not self._set_up.get(identifier):
            self._set_up[identifier] = is_set_up(shown)

    def _follow(self, asked: Asked, challenge: Challenge | None, at: datetime) -> None:
        """Learn of a challenge from its issue, or from what was read under its id."""
        if challenge is None:
            return
        self._give(challenge.redirect_url)
        followed = self._challenges.setdefault((asked.customer, asked.challenge or challenge.id), _Followed(at))
        followed.expires_at = challenge.expires_at or followed.expires_at
        if challenge.status == _FAILED or (challenge.succeeded and challenge.result):
            followed.ended, followed.reads = True, max(followed.reads, 1)

    def _settle(self, exchange: Exchange) -> None:
        repeatable = _repeatable(exchange.request)
        status = exchange.response.status
        key = _key_in(exchange.request)
        if key and (status == 0 or status >= _SERVER_ERROR):
            self._unsettled[repeatable] = key
        elif status != _TOO_MANY:
            self._unsettled.pop(repeatable, None)
        before = self._throttled.pop(repeatable, None)
        if status == _TOO_MANY:
            self._throttled[repeatable] = _Throttled(
                answered=_answered(exchange),
                wished=_wished_pause(exchange),
                pause=before.pause if before else timedelta(),
            )

    # --------------------------------------------------------------------------------------------------- the rules

    def _url(self, request: Request) -> Finding:
        place, _, query = request.url.partition("?")
        fields = parse_qsl(query)
        written = {*unquote(place).split("/"), *(value for _, value in fields)}
        decoded = unquote_plus(request.url)
        leaked = {
            "its key or secret": any(secret in request.url or secret in decoded for secret in self._secrets),
            "a PIN": bool(written & self._pins)
            or any(_names_pin(name) and value.lower() not in {"true", "false"} for name, value in fields),
        }
        got = " and ".join(what for what, is_there in leaked.items() if is_there)
        return _SAYS.judged("no-secret-in-url", not got, "request URL", "no key, secret or PIN", got or "none")

    def _visit(self, page: _Page) -> Iterator[Finding]:
        """Judge what may be the first request of a visit.

        A URL that was not given breaks the rule while one that it looks like waits to be opened; an open page may go
        on to where it likes.
        """
        where, expected = "request URL", "a redirectUrl exactly as it was given"
        if page in self._given:
            self._given[page] = True
            yield _SAYS.judged("sends-user-to-given-url", held=True, where=where, expected=expected, got="that")
            return
        waiting = [given for given, opened in self._given.items() if not opened and page.resembles(given)]
        if waiting:
            got = "one with another query" if any(page.is_at(given) for given in waiting) else "another one like it"
            yield _SAYS.judged("sends-user-to-given-url", held=False, where=where, expected=expected, got=got)

    def _api_request(self, request: Request, asked: Asked, at: datetime) -> Iterator[Finding]:
        yield self._key(request)
        if request.body:
            yield _leaves_pin(request)
            if asked.operation in _ISSUING | _KEYED:
                yield from _json_object(request)
        yield from self._pause(request, at)
        if request.method == "GET":
            yield self._polling(request, at)
        if asked.operation in _KEYED:
            yield from self._idempotency(request)
        match asked.operation:
            case "createWallets":
                yield _asks_for_wallets(request)
                yield from self._after_set_up(asked.customer)
            case "getChallenge":
                yield from self._past_its_end(asked.customer, asked.challenge, at)
            case "listWallets":
                customers = filtered_customers(request)
                got = "no customerIds" if customers is None else f"{len(customers)} in customerIds"
                yield _SAYS.judged(
                    "no-empty-filter", bool(customers), "request query", "customerIds with a customer", got
                )

    def _key(self, request: Request) -> Finding:
        key = request.header(KEY_HEADER)
        got = "none" if key is None else "the client's own" if key in self._keys else "another"
        return _SAYS.judged("sends-key", key in self._keys, f"request header {KEY_HEADER}", "the client's own key", got)

    def _after_set_up(self, customer: str | None) -> Iterator[Finding]:
        """Judge a request for wallets by what the client has read of the customer.

        Nothing is said of a customer that was neither created nor read in this traffic, nor of one whose
        ``hasRecovery`` the API does not show.
        """
        complete = self._set_up.get(customer or "")
        if complete is not None:
            yield _SAYS.judged(
                "checks-set-up-first",
                complete,
                "request path",
                "a customer that was read with hasPin and hasRecovery true",
                "that" if complete else "one that was not",
            )

    def _past_its_end(self, customer: str | None, challenge: str | None, at: datetime) -> Iterator[Finding]:
        """Judge a read of a challenge: one shows that it has ended, a second is no breach, a third is polling."""
        followed = self._challenges.get((customer, challenge))
        if followed is None:
            return
        over = followed.over(at)
        followed.reads = followed.reads + 1 if over else 0
        yield _SAYS.judged(
            "stops-polling",
            followed.reads <= _READS_OF_WHAT_ENDED,
            "request path",
            f"at most {_READS_OF_WHAT_ENDED} reads of a challenge that has ended",
            f"read {followed.reads} of such" if over else "one that has not ended",
        )

    def _polling(self, request: Request, at: datetime) -> Finding:
        """Judge a GET by those of the last second that asked for the same.

        The limit is documented for all GETs of an organization. Only repetitions count here, since in a world whose
        clock stands still all requests of a test are sent at the same instant.
        """
        before = [time for time in self._reads.get(request.url, ()) if timedelta() <= at - time < _SECOND]
        self._reads[request.url] = [*before, at]
        return _SAYS.judged(
            "polls-within-limits",
            len(before) < _READS_A_SECOND,
            "request URL",
            f"at most {_READS_A_SECOND} GETs of it in a second",
            f"number {len(before) + 1}",
        )

    def _pause(self, request: Request, at: datetime) -> Iterator[Finding]:
        """Judge a repetition of what was answered 429 by the pause before it.

        It has to be longer than the one before, but for those of 30 seconds and more, and those that the answer itself
        asked for in Retry-After. Less than the 50 ms that one of 20 requests a second has is no pause.
        """
        throttled = self._throttled.get(_repeatable(request))
        if throttled is None or at < throttled.answered:
            return
        pause = at - throttled.answered
        grown = pause >= _LEAST_PAUSE and pause > throttled.pause
        obeyed = throttled.wished is not None and pause >= throttled.wished
        yield _SAYS.judged(
            "backs-off",
            grown or obeyed or pause >= _LONG_PAUSE,
            "request time",
            f"a pause of more than {max(throttled.pause, _LEAST_PAUSE).total_seconds():g} s after 429",
            f"{pause.total_seconds():g} s",
        )
        throttled.pause = timedelta() if pause >= _LONG_PAUSE else pause

    def _idempotency(self, request: Request) -> Iterator[Finding]:
        where = f"request /{_KEY}"
        key = _key_in(request)
        got = _shown(request.members().get(_KEY))
        yield _SAYS.judged("sends-idempotency-key", key is not None, where, "a text that is not empty", got)
        if key is None:
            return
        repeatable = _repeatable(request)
        yield _SAYS.judged(
            "sends-idempotency-key",
            self._intents.setdefault(key, repeatable) == repeatable,
            where,
            "a new key for another request",
            key,
        )
        if repeatable in self._unsettled:
            before = self._unsettled[repeatable]
            expected = f"the key of the request that is repeated, {before}"
            yield _SAYS.judged("sends-idempotency-key", key == before, where, expected, key)


def _repeatable(request: Request) -> _Repeatable:
    """What a request asks for: the same for its repetition, whatever the order of members and the idempotency key."""
    members = {name: value for name, value in request.members().items() if name != _KEY}
    try:
        written = json.dumps(members, sort_keys=True) if members else ""
    except RecursionError:
        written = ""
    return request.method, request.url, written or request.body.decode("latin-1")


def _key_in(request: Request) -> str | None:
    """The idempotency key of a request, a UUID in one form whichever it is written in; None if it has none."""
    key = request.members().get(_KEY)
    if not isinstance(key, str) or not key.strip():
        return None
    try:
        return str(UUID(key))
    except ValueError:
        return key


def _wished_pause(exchange: Exchange) -> timedelta | None:
    """How long an answer asks to wait (Retry-After, RFC 9110 section 10.2.3), None if it does not."""
    said = exchange.response.header("Retry-After") or ""
    try:
        return timedelta(seconds=int(said)) if said.isdecimal() else parsedate_to_datetime(said) - _answered(exchange)
    except (IndexError, OverflowError, TypeError, ValueError):
        return None


def _answered(exchange: Exchange) -> datetime:
    return exchange.at + timedelta(seconds=exchange.seconds)


def _target(exchange: Exchange) -> str | None:
    """Where an answer redirects to, None if it does not."""
    location = exchange.response.header("Location")
    if location is None or exchange.response.status not in _REDIRECTED:
        return None
    try:
        return urljoin(exchange.request.url, location)
    except ValueError:
        return None


def _names_pin(name: str) -> bool:
    """Whether a member or a field of this name holds a PIN, in camel or snake case."""
    return not {"pin", "pincode"}.isdisjoint(word.lower() for word in _WORD.findall(name))


def _entered_pins(request: Request) -> set[str]:
    """The PINs that a customer enters on the page."""
    fields = parse_qsl(request.body.decode("latin-1"))
    return {value for name, value in fields if _names_pin(name) and _PIN.fullmatch(value)}


def _leaves_pin(request: Request) -> Finding:
    found = []
    try:
        pending = [request.json()]
    except NotJsonError:
        pending = []
    while pending:
        match pending.pop():
            case dict() as members:
                found += [name for name, value in members.items() if _names_pin(name) and not _is_flag(value)]
                pending += members.values()
            case list() as values:
                pending += values
    got = f"members called {', '.join(sorted(found))}" if found else "none"
    return _SAYS.judged("leaves-pin-to-the-page", not found, "request body", "no PIN", got)


def _shown(value: Any) -> str:
    """A text as it is, of anything else only the type: it may be nested too deep to be written."""
    return value if isinstance(value, str) else "none" if value is None else f"a Python {type(value).__name__}"


def _is_flag(value: Any) -> bool:
    return value is None or isinstance(value, bool)


def _json_object(request: Request) -> Iterator[Finding]:
    kind = (request.header("Content-Type") or "none").partition(";")[0].strip().lower()
    where = "request header Content-Type"
    yield _SAYS.judged("sends-json", kind == "application/json", where, "application/json", kind)
    try:
        body = request.json()
        held, got = isinstance(body, dict), f"JSON, {_shown(body)}"
    except NotJsonError as error:
        held, got = False, str(error)
    yield _SAYS.judged("sends-json", held, "request body", "a JSON object", got)


def _asks_for_wallets(request: Request) -> Finding:
    members = request.members()
    blockchains, account_type = members.get("blockchains"), members.get("accountType", "eoa")
    listed = (
        isinstance(blockchains, list)
        and bool(blockchains)
        and all(isinstance(name, str) and name for name in blockchains)
    )
    names = "a list of names" if listed else "an empty list" if blockchains == [] else _shown(blockchains)
    return _SAYS.judged(
        "asks-for-wallets-as-documented",
        listed and account_type == "eoa",
        "request body",
        "blockchains, a list of names, and no accountType but eoa",
        f"blockchains {names}, accountType {_shown(account_type)}",
    )


# ----------------------------------------------------------------------------------------------- the whole of a traffic


@dataclass(frozen=True)
class _Provisioning:
    """A challenge for new wallets with all that came after its issue.

    Args:
        issue: The exchange that issued it.
        customer: The customer.
        challenge: The challenge.
        later: The exchanges after its issue.
        events: The deliveries of ``wallet.created`` for the customer.
    """

    issue: Exchange
    customer: str | None
    challenge: Challenge
    later: Sequence[Exchange]
    events: Sequence[Delivery]

    def reads(self) -> list[tuple[Exchange, Challenge | None]]:
        """Every read of it, with what was shown."""
        wanted = replace(_READ, customer=self.customer, challenge=self.challenge.id)
        return [(each, challenge_of(each.response)) for each in self.later if asked_in(each) == wanted]

    def heard(self) -> bool:
        """Whether the client took an event of the customer's new wallets."""
        return any(delivery.answered in _ACCEPTED for delivery in self.events)

    def is_about_customer(self, exchange: Exchange) -> bool:
        """Whether an exchange asks for something of the customer, the new wallets included."""
        return asked_in(exchange).customer == self.customer or self.shows_wallets(exchange)

    def shows_wallets(self, exchange: Exchange) -> bool:
        """Whether an exchange reads wallets of the customer from the list or one by one, and gets some."""
        match asked_in(exchange).operation, payload(exchange.response):
            case "listWallets", [_, *_]:
                return self.customer in (filtered_customers(exchange.request) or ())
            case "getWallet", {"customer": customer}:
                return bool(customer == self.customer)
        return False

    def returns(self, exchange: Exchange) -> bool:
        """Whether an exchange sends the customer from the page to the caller's own, and not because it failed."""
        own = self.issue.request.members().get("redirectUrl")
        visited, given = _Page.at(exchange.request.url), _Page.at(self.challenge.redirect_url or "")
        target = _Page.at(_target(exchange) or "")
        leaves = isinstance(own, str) and target is not None and target.is_at(_Page.at(own))
        return leaves and visited == given and _return_status(exchange) in {None, *SUCCESS_WORDS}

    def completed(self) -> datetime | None:
        """When it was first seen to have succeeded, None if it never was."""
        times = [exchange.at for exchange, shown in self.reads() if shown and shown.succeeded]
        times += [each.at for each in self.later if self.returns(each) and _return_status(each)]
        times += [delivery.at for delivery in self.events if _names_challenge(delivery, self.challenge)]
        return min(times, default=None)


def journal_findings(
    exchanges: Sequence[Exchange], deliveries: Sequence[Delivery], webhook_secret: str | None
) -> list[Finding]:
    """What only the whole of a client's traffic shows of the rules for clients.

    Nothing is said where the traffic leaves room for a client that is right: of wallets that it learnt of in another
    way, of a result that was lost in spite of a read in time, of a delivery that was refused for more than one reason.

    Args:
        exchanges: All exchanges of one client and its customers' browsers, in the order sent.
        deliveries: All webhooks that it was sent, in the order they came, with its own answers.
        webhook_secret: What its webhooks are signed with; None if that is not known, so that none is judged.
    """
    exchanges = [exchange for exchange in exchanges if _Page.at(exchange.request.url)]
    times = [*(exchange.at for exchange in exchanges), *(delivery.at for delivery in deliveries)]
    findings: list[Finding] = []
    for provisioning in _provisionings(exchanges, deliveries):
        findings += [*_verifies_status(provisioning), *_stores_result(provisioning, max(times))]
    if webhook_secret:
        findings += _webhooks(deliveries, webhook_secret)
    return findings


def _provisionings(exchanges: Sequence[Exchange], deliveries: Sequence[Delivery]) -> Iterator[_Provisioning]:
    created = [delivery for delivery in deliveries if event_of(delivery) == "wallet.created"]
    known: set[str | None] = {None}
    for number, exchange in enumerate(exchanges, start=1):
        asked, challenge = asked_in(exchange), challenge_of(exchange.response)
        if asked.operation == "createWallets" and challenge is not None and challenge.id not in known:
            known.add(challenge.id)
            events = [delivery for delivery in created if names_customer(delivery, [asked.customer or ""])]
            yield _Provisioning(exchange, asked.customer, challenge, exchanges[number:], events)


def _verifies_status(provisioning: _Provisioning) -> Iterator[Finding]:
    """Judge what a client reads after the customer's return: the challenge as verified, or the list of wallets.

    Both are documented ways to the wallets. A single wallet that is read before either is known from the return alone,
    unless the challenge is read as verified at any time, or an event was taken.
    """
    later = provisioning.later
    back = next((number for number, each in enumerate(later, start=1) if provisioning.returns(each)), len(later))
    about = [exchange for exchange in later[back:] if provisioning.is_about_customer(exchange)]
    wallets = next(filter(provisioning.shows_wallets, about), None)
    verified = [exchange for exchange, shown in provisioning.reads() if shown and shown.succeeded]
    where, expected = "requests after the return", "a read of the challenge as verified, or of the list of wallets"
    if about and verified and (wallets is None or later.index(verified[0]) < later.index(wallets)):
        yield _seen("verifies-status", True, where, expected, "one", verified[0])
    elif wallets and asked_in(wallets).operation == "listWallets":
        yield _seen("verifies-status", True, where, expected, "the list", wallets)
    elif wallets and about[0] is wallets and not verified and not provisioning.heard():
        yield _seen("verifies-status", False, where, expected, "a read of one wallet", wallets)


def _stores_result(provisioning: _Provisioning, end: datetime) -> Iterator[Finding]:
    """Judge whether a result was read, once its 15 minutes have passed; the other ways to the wallets excuse."""
    where, expected = "requests after completion", "a read of the result within 15 minutes"
    reads, completed = provisioning.reads(), provisioning.completed()
    results = [exchange for exchange, shown in reads if shown and shown.succeeded and shown.result]
    if results:
        yield _seen("stores-result-in-time", True, where, expected, "one", results[0])
    elif completed is not None and end > completed + _LIFE:
        tried = any(completed <= exchange.at <= completed + _LIFE for exchange, _ in reads)
        if not tried and not provisioning.heard() and not any(map(provisioning.shows_wallets, provisioning.later)):
            yield _seen("stores-result-in-time", False, where, expected, "none", provisioning.issue)


def _seen(rule: str, held: bool, where: str, expected: str, got: str, exchange: Exchange) -> Finding:
    return replace(_SAYS.judged(rule, held, where, expected, got), exchange=exchange.id)


def _return_status(exchange: Exchange) -> str | None:
    """The status that the return from a page tells, None if it tells none."""
    page = _Page.at(_target(exchange) or "")
    return dict(parse_qsl(page.query)).get("status") if page else None


def _names_challenge(delivery: Delivery, challenge: Challenge) -> bool:
    data = delivery.request.members().get("data")
    return isinstance(data, Mapping) and data.get("challengeId") == challenge.id


def _webhooks(deliveries: Sequence[Delivery], secret: str) -> Iterator[Finding]:
    """Judge the answers to deliveries.

    An acceptance breaks a rule, whatever else was wrong. A refusal holds a rule only if nothing else was wrong. Of a
    duplicate only a failure can be told, not whether one that was taken counted for nothing.
    """
    taken: set[tuple[str | None, bytes]] = set()
    for delivery in deliveries:
        accepted, refused = delivery.answered in _ACCEPTED, delivery.answered in _REFUSED
        signed = signed_over(delivery.request.headers, delivery.request.body, secret) == "raw-body"
        age = _age(delivery)
        fresh = age is not None and age <= TOLERANCE.total_seconds()
        event = (_event_id(delivery), delivery.request.body)
        if not signed and (accepted or (refused and fresh)):
            expected = "a refusal, since its signature does not verify"
            yield _answer("checks-webhook-signature", refused, expected, delivery)
        if age is not None and not fresh and (accepted or (refused and signed)):
            yield _answer("checks-webhook-age", refused, f"a refusal, since it is {age} s from the clock", delivery)
        if signed and fresh and event in taken and not accepted and delivery.answered not in _FOR_NOW:
            yield _answer("survives-duplicates", False, "2xx, as the first time", delivery)
        if signed and accepted:
            taken.add(event)


def _answer(rule: str, held: bool, expected: str, delivery: Delivery) -> Finding:
    where = f"answer to webhook {_event_id(delivery) or 'without id'}"
    return _SAYS.judged(rule, held, where, expected, delivery.answered)


def _event_id(delivery: Delivery) -> str | None:
    said = delivery.request.header(ID_HEADER) or delivery.request.members().get(_KEY)
    return said if isinstance(said, str) else None


def _age(delivery: Delivery) -> int | None:
    """How many seconds the timestamp of a webhook is from the time it came; None if it has none."""
    said = delivery.request.header(TIMESTAMP_HEADER) or ""
    return abs(math.floor(delivery.at.timestamp()) - int(said)) if _SECONDS.fullmatch(said) else None
