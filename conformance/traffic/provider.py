"""What foreign traffic shows of the rules for the provider, and why it leaves others open."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from conformance.api import Api, Foreign
from conformance.exchange import Exchange, NotJsonError
from conformance.findings import Finding, Outcome
from conformance.judging.journal import provider_findings
from conformance.judging.traffic import Judged
from conformance.specification import Specification
from conformance.traffic.capture import RESPONSE_BODY, Captured

_OF_THE_HEAD = ("response status", "response header")
_OVERLAPS = "requests overlapped, so that their order at the server is not known"
_MISSING_ANSWERS = "bodies of answers were not recorded, so that not all that came before is seen"
_UNPREPARED = "nobody says what the recorded traffic of this API leaves open"
_NO_CLOCK = "no Date tells what time it was for the server"


@dataclass(frozen=True)
class Answered:
    """An exchange that the provider is judged by.

    Args:
        captured: It as it was captured.
        exchange: It with its operation, who sent it, the client rules that it breaks, and the URL that the API saw.
        unsure: The ids of the rules for clients that could not be judged on it.
    """

    captured: Captured
    exchange: Exchange
    unsure: frozenset[str]


def answered(captured: Captured, judged: Judged) -> Answered | None:
    """What the provider is judged by; None if the API gave no answer, or does not have what was asked for."""
    if not captured.is_answered or captured.is_cached or judged.exchange.operation is None:
        return None
    exchange = replace(judged.exchange, request=replace(judged.exchange.request, url=captured.asked))
    unsure = frozenset(each.rule for each in judged.findings if each.outcome is Outcome.SKIPPED)
    return Answered(captured, exchange, unsure)


class ProviderView:
    """What the answers of one API show.

    Args:
        api: The API.
        foreign: What its foreign traffic shows; None if nobody says, so that the form of answers is judged alone.
        settings: The API's other settings that are given.
    """

    def __init__(self, api: Api, foreign: Foreign | None, settings: Mapping[str, str]) -> None:
        self._api = api
        self._foreign = foreign
        self._settings = settings
        self._specification = Specification.load(api.specification)

    def of_one(self, one: Answered) -> list[Finding]:
        """What a single answer shows to break, whatever came before it."""
        return [finding for finding in self.findings([one]) if finding.outcome is Outcome.BROKEN]

    def findings(self, seen: Sequence[Answered]) -> list[Finding]:
        """What all answers show together.

        Args:
            seen: The exchanges in the order of their ends.
        """
        by_id = {one.exchange.id: one for one in seen}
        exchanges = [one.exchange for one in seen]
        doubt = self._foreign.provider_doubts(exchanges, self._settings) if self._foreign else _none
        overlapping = _overlapping(exchanges)
        lacks_answers = any(RESPONSE_BODY in one.captured.lacks for one in seen)
        timed = self._foreign.TIMED if self._foreign else ()

        def reasons(finding: Finding, one: Answered) -> Iterator[str | None]:
            yield doubt(finding, one.exchange, one.unsure)
            if finding.outcome is not Outcome.BROKEN:
                return
            yield _NO_CLOCK if finding.rule in timed and not one.captured.has_clock else None
            yield _UNPREPARED if self._foreign is None and not self._is_of_form(finding) else None
            overlaps = one.exchange.id in overlapping
            if (lacks_answers or overlaps) and not self._is_alone(finding, one.exchange):
                yield _OVERLAPS if overlaps else _MISSING_ANSWERS

        judged: dict[object, Finding] = {}
        for number, finding in enumerate(self._judged(exchanges)):
            one = by_id.get(finding.exchange or "")
            if one is None or _is_of_what_is_not_there(finding, one):
                continue
            reason = next((reason for reason in reasons(finding, one) if reason), None)
            if reason is not None:
                doubtful = replace(finding, outcome=Outcome.SKIPPED, reason=f"In doubt: {reason}.")
                judged.setdefault((finding.rule, doubtful.reason), doubtful)
            elif finding.outcome is Outcome.HELD:
                judged.setdefault((finding.rule, finding.where, finding.reading), finding)
            else:
                judged[number] = finding
        return list(judged.values())

    def _judged(self, exchanges: Sequence[Exchange]) -> list[Finding]:
        return provider_findings(self._api, self._specification, exchanges, (), self._settings)

    def _is_of_form(self, finding: Finding) -> bool:
        """Whether a finding is about the form of an answer, whatever came before it (`judging.responses`)."""
        return finding.rule.startswith(f"{self._api.name}.response.")

    def _is_alone(self, finding: Finding, exchange: Exchange) -> bool:
        alone = {(each.rule, each.where) for each in self._judged([exchange]) if each.outcome is Outcome.BROKEN}
        return (finding.rule, finding.where) in alone


def _is_of_what_is_not_there(finding: Finding, one: Answered) -> bool:
    """Whether a finding is about a head or body that was not recorded, or a member of a body that cannot be read."""
    if not one.exchange.response.headers and finding.where.startswith("response header"):
        return True
    if RESPONSE_BODY in one.captured.lacks:
        return not finding.where.startswith(_OF_THE_HEAD)
    return finding.outcome is Outcome.BROKEN and finding.where.startswith("response /") and not _is_read(one.exchange)


def _is_read(exchange: Exchange) -> bool:
    try:
        exchange.response.json()
    except NotJsonError:
        return False
    return True


def _none(finding: Finding, exchange: Exchange, unsure: Collection[str]) -> None:
    del finding, exchange, unsure


def _overlapping(exchanges: Sequence[Exchange]) -> set[str]:
    """The ids of the exchanges that were under way while another one was."""
    spans = sorted((_start(each), _end(each), each.id) for each in exchanges)
    found: set[str] = set()
    latest: tuple[datetime, str] | None = None
    for start, end, identifier in spans:
        if latest is not None and start < latest[0]:
            found |= {identifier, latest[1]}
        if latest is None or end > latest[0]:
            latest = end, identifier
    return found


def _start(exchange: Exchange) -> datetime:
    return exchange.machine_at or exchange.at


def _end(exchange: Exchange) -> datetime:
    return _start(exchange) + timedelta(seconds=exchange.seconds)
