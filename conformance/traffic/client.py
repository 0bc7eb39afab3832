"""A foreign client of one API: whose each request is, and which rules for clients it surely breaks."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from conformance.api import Api, ClientJudge, Foreign, ForeignJudge
from conformance.exchange import Exchange, Request
from conformance.findings import Finding, Outcome
from conformance.judging.traffic import Judged, Traffic
from conformance.recording.redaction import Redactor
from conformance.traffic.capture import REQUEST_BODY, RESPONSE_BODY, Captured

_PARTS = re.compile("[/?&=,]")
_OF_THE_HEAD = ("request URL", "request header", "request path", "request query")
_MOST_SECRETS = 100_000
"""How many credentials and tokens are remembered with whose they are."""
_PART_ALONE = (
    "This needs the whole of a client's traffic, with its webhooks: what was recorded may be a part, so that another "
    "may show it"
)
_MISSING_HEAD = "the header fields of the request were not recorded"
_MISSING_REQUEST = "the body of the request was not recorded"
_ONLY_TEXT = "the body was recorded as text and not as bytes, so that it may have been sent in another spelling"
_REPLACED = "secrets were taken out of the body"
_COARSE = "the times that were recorded are whole seconds"
_NO_CLOCK = "no Date tells what time it was for the server"
_MISSING_ANSWERS = "bodies of answers were not recorded, so that the client may know what is not seen here"


class ForeignTraffic(Traffic):
    """What foreign clients send to one API, of which only a part may have been recorded.

    Who sends the same credentials, or a token that was given for them, is one client; a request that bears none is of
    the client that was given what its URL names, else of one of its own. A rule counts as broken only if nothing that
    may lie outside of the recording can have kept it.

    Args:
        api: The API.
        foreign: What its foreign traffic shows.
        others: The other APIs that requests can be mixed up with, by their names.
        path: What the paths of the API begin with.
        credentials: What is given of what clients authenticate with, by their names.
        settings: The API's other settings that are given.
        is_coarse: Whether times were recorded as whole seconds.
    """

    def __init__(
        self,
        api: Api,
        foreign: Foreign,
        others: Mapping[str, Api],
        path: str,
        credentials: Mapping[str, Mapping[str, str]],
        settings: Mapping[str, str],
        *,
        is_coarse: bool = False,
    ) -> None:
        super().__init__(api, others, [path], {})
        self._foreign = foreign
        self._credentials = credentials
        self._settings = settings
        self._is_coarse = is_coarse
        self._finder = Redactor(api.secrets, api.secret_headers)
        self._holders = {value: who for who, own in credentials.items() for value in own.values() if value}
        self._present: Captured | None = None
        self._lacks_answers = False

    def take(self, captured: Captured) -> Judged:
        """Judge a captured exchange by itself and by what came before it."""
        self._present = captured
        judged = self.see(captured.exchange)
        if judged.exchange.operation is not None:
            self._lacks_answers = self._lacks_answers or RESPONSE_BODY in captured.lacks
            for _, secret in self._finder.secrets_of(captured.exchange.response):
                self._remember(secret, judged.exchange.identity)
        return judged

    # -------------------------------------------------------------------------------------------- what Traffic asks for

    def _owner(self, request: Request) -> str:
        secrets = [value for _, value in self._finder.secrets_of(request)]
        known = next((self._holders[value] for value in secrets if value in self._holders), None)
        named = () if secrets else _PARTS.split(request.url)
        who = known or next((self._owners[part] for part in named if part in self._owners), None)
        who = who or f"client {len(self._judges) + 1}"
        for value in secrets:
            self._remember(value, who)
        return who

    def _judge_of(self, identity: str) -> ClientJudge:
        if identity not in self._judges:
            self._judges[identity] = self._new_judge()
        return self._judges[identity]

    def _reviewed(self, exchange: Exchange, findings: Sequence[Finding], judge: ClientJudge) -> list[Finding]:
        reviewed = super()._reviewed(exchange, findings, judge)
        return [self._without_doubt(finding, exchange, judge) for finding in reviewed]

    def _concluded(self) -> Iterator[Finding]:
        for finding in super()._concluded():
            is_broken = finding.outcome is Outcome.BROKEN
            yield replace(finding, outcome=Outcome.SKIPPED, reason=f"{_PART_ALONE}.") if is_broken else finding

    # ------------------------------------------------------------------------------------------------------- doubts

    def _without_doubt(self, finding: Finding, exchange: Exchange, judge: ClientJudge) -> Finding:
        """A finding, or that nothing can be told if something outside of the recording may have kept the rule."""
        if finding.outcome is not Outcome.BROKEN:
            return finding
        reason = self._doubt(finding, exchange, judge)
        if reason is None:
            return finding
        whole = reason if reason.startswith("This needs") else f"In doubt: {reason}"
        return replace(finding, outcome=Outcome.SKIPPED, reason=f"{whole}.")

    def _doubt(self, finding: Finding, exchange: Exchange, judge: ClientJudge) -> str | None:
        captured = self._present
        if captured is None:
            return None
        over_bytes = finding.rule in self._foreign.OVER_BYTES and not _is_of_absent_field(finding, exchange.request)
        in_head = finding.where.startswith(_OF_THE_HEAD) and not over_bytes
        doubts = (
            (_MISSING_HEAD, not exchange.request.headers and not finding.where.startswith("request URL")),
            (_MISSING_REQUEST, REQUEST_BODY in captured.lacks and not (in_head and self._is_alone(finding, exchange))),
            (_ONLY_TEXT, over_bytes and not captured.is_exact),
            (_REPLACED, over_bytes and REQUEST_BODY in captured.replaced),
            (_COARSE, finding.rule in self._foreign.PACED and self._is_coarse),
            (_NO_CLOCK, finding.rule in self._foreign.TIMED and not captured.has_clock),
            (_MISSING_ANSWERS, self._lacks_answers and not self._is_alone(finding, exchange)),
        )
        told = next((reason for reason, applies in doubts if applies), None)
        if told is not None:
            return told
        own: ForeignJudge = judge  # type: ignore[assignment]  # made by _new_judge
        return own.doubt(finding, exchange, captured.replaced)

    def _is_alone(self, finding: Finding, exchange: Exchange) -> bool:
        """Whether the request shows it by itself, whatever came before."""
        seen = self._new_judge().request(
            exchange.request, exchange.operation, exchange.parameters, exchange.at, exchange.machine_at
        )
        alone = {(each.rule, each.where) for each in seen if each.outcome is Outcome.BROKEN}
        return (finding.rule, finding.where) in alone

    def _new_judge(self) -> ForeignJudge:
        return self._foreign.judge(self._credentials, self._settings)

    def _remember(self, secret: str, who: str) -> None:
        if len(self._holders) < _MOST_SECRETS:
            self._holders.setdefault(secret, who)


def _is_of_absent_field(finding: Finding, request: Request) -> bool:
    """Whether a finding is about a header field that the request does not have, whatever its body is."""
    name = finding.where.removeprefix("request header ")
    return name != finding.where and request.header(name) is None
