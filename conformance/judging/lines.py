"""The lines that tell somebody who watches what each request of a client breaks, while it is sent."""

from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from conformance.findings import Finding, Outcome, refusal_text, shorten
from conformance.judging.traffic import Judged


class RequestLines:
    """Tells of requests; what is advised is told once."""

    def __init__(self) -> None:
        self._advised: set[tuple[str, str]] = set()

    def of(self, judged: Judged, others: Iterable[Finding] = ()) -> Iterator[str]:
        """A request in lines: method, path, status, the reason in the answer, broken rules, advice.

        Args:
            judged: The request with its answer.
            others: What is found besides what the rules for clients say.
        """
        exchange = judged.exchange
        parts = urlsplit(exchange.request.url)
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        reason = refusal_text(exchange.response)
        status = str(exchange.response.status or "no answer")
        yield f"{exchange.request.method} {shorten(target)} {status}" + (f" {reason}" if reason else "")
        found = [*judged.findings, *others]
        yield from map(breach, {each.rule: each for each in found if each.outcome is Outcome.BROKEN}.values())
        for each in judged.advice:
            if (each.where, each.text) not in self._advised:
                self._advised.add((each.where, each.text))
                yield f"    advice: {each.where}: {each.text}"


def breach(finding: Finding) -> str:
    """A finding of a rule that is broken, in one line."""
    return f"    breaks {finding.rule}: {finding.where}: expected {finding.expected}, got {finding.got}"
