"""The traffic of foreign clients with one API: whose each exchange is, and what the rules for clients say of it.

It is judged as it is seen, so that what is seen need not be kept. Nothing is done here but to look: the same traffic
gives the same findings.
"""

import re
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from conformance.api import Api, ClientJudge
from conformance.exchange import Delivery, Exchange, Request
from conformance.findings import Finding, Outcome
from conformance.judging.advice import Advice, advice_on
from conformance.judging.habits import Habits
from conformance.specification import Specification

_WORD = re.compile(r"[\w.~+=-]{16,}")
_LARGEST_BODY = 65_536
"""The most bytes of a body in which names are looked for."""
_MOST_NAMES = 100_000
"""How many names of things are remembered with whom they were given to."""
_MOST_KEPT = 1_000
"""How many exchanges, deliveries and findings that tell something are kept."""


@dataclass(frozen=True)
class Judged:
    """An exchange with what is known of it.

    Args:
        exchange: The exchange, with its operation and who sent it; it names the client rules that it breaks.
        findings: What the rules for clients say of its request.
        advice: What is odd about it.
    """

    exchange: Exchange
    findings: Sequence[Finding] = ()
    advice: Sequence[Advice] = ()


class Traffic:
    """What clients send to one API in one world, judged as it comes.

    Args:
        api: The API.
        others: The other APIs of the same world, by their names.
        bases: What the paths of the API begin with, such as ``/w/1f/offblocks``, and after it the same of whatever it
            serves besides, such as its hosted page.
        credentials: What each client authenticates with, by its name; traffic that names nobody is the first one's.
    """

    def __init__(
        self,
        api: Api,
        others: Mapping[str, Api],
        bases: Sequence[str],
        credentials: Mapping[str, Mapping[str, str]],
    ) -> None:
        self.api = api
        self._others = others
        self._bases = bases
        self._specification = Specification.load(api.specification)
        self._first = next(iter(credentials), "")
        self._owners = {
            word: who for who, own in credentials.items() for value in own.values() for word in _words(value)
        }
        settings = api.settings.defaults()
        self._judges: dict[str, ClientJudge] = {
            who: api.client_judge(own, settings) for who, own in credentials.items()
        }
        self._exchanges: deque[Exchange] = deque(maxlen=_MOST_KEPT)
        self._deliveries: deque[Delivery] = deque(maxlen=_MOST_KEPT)
        self._broken: deque[Finding] = deque(maxlen=_MOST_KEPT)
        self._others_seen: dict[object, Finding] = {}
        self._habits: defaultdict[str, Habits] = defaultdict(lambda: Habits(api))
        self._dropped = False
        self.is_used = False
        """Whether something was sent to the API."""

    def is_addressed_by(self, url: str) -> bool:
        """Whether a URL is that of the API, or of what it serves besides."""
        path = urlsplit(url).path
        return any(path == base or path.startswith(f"{base}/") for base in self._bases)

    def see(self, exchange: Exchange) -> Judged:
        """Judge an exchange by itself and by what came before it.

        Of a request for what the API does not have nothing is said but what must never be sent, wherever it goes.
        """
        path = urlsplit(exchange.request.url).path
        base = next(each for each in self._bases if path == each or path.startswith(f"{each}/"))
        found = (
            self._specification.match(exchange.request.method, path.removeprefix(base))
            if base == self._bases[0]
            else None
        )
        exchange = replace(
            exchange,
            operation=found.operation.id if found else None,
            parameters=found.parameters if found else {},
            identity=self._owner(exchange.request),
        )
        judge = self._judge_of(exchange.identity)
        seen = judge.request(
            exchange.request, exchange.operation, exchange.parameters, exchange.at, exchange.machine_at
        )
        findings = [replace(finding, exchange=exchange.id) for finding in seen]
        findings = [finding for finding in findings if finding.rule not in judge.excused]
        if found is None and base == self._bases[0]:
            return self._elsewhere(exchange, findings)
        self.is_used = True
        findings = self._reviewed(exchange, self._without_what_follows(findings), judge)
        judge.observe(exchange)
        self._learn(exchange)
        exchange = _with_breaks(exchange, findings)
        self._keep(exchange, findings)
        own = [*self._habits[exchange.identity].of(exchange), *self._to_a_page(exchange, base)]
        told = [Advice(exchange.id, where, text) for where, text in own]
        return Judged(exchange, findings, [*advice_on(exchange, self.api, self._others), *told])

    def _elsewhere(self, exchange: Exchange, findings: Iterable[Finding]) -> Judged:
        """A request for what the API does not have, with what it breaks nevertheless."""
        broken = [each for each in findings if each.outcome is Outcome.BROKEN and each.rule in self.api.judged_anywhere]
        self.is_used = self.is_used or bool(broken)
        self._broken.extend(broken)
        return Judged(_with_breaks(exchange, broken), broken)

    def _to_a_page(self, exchange: Exchange, base: str) -> Iterator[tuple[str, str]]:
        """Whether a request to what the API serves besides bears a key, which is for the API alone."""
        if base != self._bases[0]:
            for name in (*self.api.secret_headers, "Authorization"):
                if exchange.request.header(name) is not None:
                    yield (
                        f"request header {name}",
                        "It goes to a page that people open. Send it to the API alone; let a browser open the page.",
                    )

    def deliver(self, delivery: Delivery) -> None:
        """See a webhook that was sent, with the receiver's answer; one that got none tells nothing of its receiver."""
        if not delivery.answered:
            return
        self._dropped = self._dropped or len(self._deliveries) == _MOST_KEPT
        self._deliveries.append(replace(delivery, identity=self._named_in(delivery.request.body) or self._first))

    def findings(self) -> list[Finding]:
        """What the rules for clients say of all that was seen; of those that held one for each place."""
        return [*self._others_seen.values(), *self._broken, *self._concluded()]

    def _concluded(self) -> Iterator[Finding]:
        """What only the whole of the traffic shows; where some of it is forgotten, nothing that breaks a rule."""
        exchanges: dict[str, list[Exchange]] = defaultdict(list)
        deliveries: dict[str, list[Delivery]] = defaultdict(list)
        for exchange in self._exchanges:
            exchanges[exchange.identity].append(exchange)
        for delivery in self._deliveries:
            deliveries[delivery.identity].append(delivery)
        for who, judge in self._judges.items():
            for finding in judge.conclude(exchanges[who], deliveries[who]):
                if self._dropped and finding.outcome is Outcome.BROKEN:
                    reason = (
                        f"Only the last {_MOST_KEPT} exchanges are kept, and what shows it may be among the others."
                    )
                    yield replace(finding, outcome=Outcome.SKIPPED, reason=reason)
                else:
                    yield finding

    def _without_what_follows(self, findings: Sequence[Finding]) -> list[Finding]:
        """The findings of one request without those that only say the same mistake again."""
        broken = {finding.rule for finding in findings if finding.outcome is Outcome.BROKEN}
        told = {rule for cause, rules in self.api.told_with.items() if cause in broken for rule in rules}
        return [finding for finding in findings if finding.rule not in told]

    def _judge_of(self, identity: str) -> ClientJudge:
        """What judges the client of this name."""
        return self._judges[identity]

    def _reviewed(self, exchange: Exchange, findings: Sequence[Finding], judge: ClientJudge) -> list[Finding]:  # noqa: ARG002
        """The findings without those of what the server knows from before this traffic began, as by a restart.

        Args:
            exchange: The exchange, which `judge` has not yet learnt from.
            findings: What `judge` says of its request.
            judge: The judge of its client.
        """
        known = self.api.known_before if exchange.response.succeeded else {}
        believed = {rule for rule, header in known.items() if exchange.request.header(header)}
        return [each for each in findings if each.outcome is not Outcome.BROKEN or each.rule not in believed]

    def _keep(self, exchange: Exchange, findings: Iterable[Finding]) -> None:
        self._dropped = self._dropped or len(self._exchanges) == _MOST_KEPT
        self._exchanges.append(exchange)
        for finding in findings:
            if finding.outcome is Outcome.BROKEN:
                self._broken.append(finding)
            else:
                self._others_seen.setdefault((finding.rule, finding.outcome, finding.where, finding.reading), finding)

    # ------------------------------------------------------------------------------------------------ whose it is

    def _owner(self, request: Request) -> str:
        """Who sent a request: whose credentials it bears, else who was given what it names, else the first."""
        words = [word for _, value in request.headers for word in _words(value)]
        words += _words(request.url)
        named = next((self._owners[word] for word in words if word in self._owners), None)
        return named or self._named_in(request.body) or self._first

    def _named_in(self, body: bytes) -> str | None:
        words = _words(body[:_LARGEST_BODY].decode(errors="replace"))
        return next((self._owners[word] for word in words if word in self._owners), None)

    def _learn(self, exchange: Exchange) -> None:
        """Learn the tokens, ids and links that an answer gives somebody."""
        pending: list[Any] = [dict(exchange.response.members())] if len(exchange.response.body) <= _LARGEST_BODY else []
        while pending:
            match pending.pop():
                case dict() as members:
                    pending += members.values()
                case list() as values:
                    pending += values
                case str() as text if not any(letter.isspace() for letter in text):
                    for word in _words(text):
                        if any(letter.isdigit() for letter in word) and len(self._owners) < _MOST_NAMES:
                            self._owners.setdefault(word, exchange.identity)


def _with_breaks(exchange: Exchange, findings: Iterable[Finding]) -> Exchange:
    """The exchange with the rules that it breaks."""
    return replace(exchange, breaks=frozenset(each.rule for each in findings if each.outcome is Outcome.BROKEN))


def _words(text: str) -> list[str]:
    return _WORD.findall(text)
