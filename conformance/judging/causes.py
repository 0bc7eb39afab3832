"""Which rule kept others from being judged, so that one deviation is told as one cause, however much it blocks."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from conformance.findings import Finding, Outcome

_ID = re.compile(r"(?<![\w-])(?=[\w-]*\d)[\w-]{8,}")


class Causes:
    """The rules that were broken in a run, and what each blocked.

    A step that failed knows which rules it relies on. Where none of these is broken in the same test, the same refusal
    may break a rule elsewhere, or the answer to the step itself breaks one. It is better to name none than a wrong one.

    Args:
        findings: All that was found in the run.
        exchanges: Its exchanges, as JSON.
    """

    def __init__(self, findings: Iterable[Finding], exchanges: Iterable[Mapping[str, Any]]) -> None:
        self._operations = {exchange["id"]: exchange["operation"] for exchange in exchanges}
        broken = [finding for finding in findings if finding.outcome is Outcome.BROKEN]
        self._broken = {finding.rule for finding in broken}
        self._places = {(finding.rule, finding.test) for finding in broken}
        self._refusals: dict[tuple[str | None, str], str] = {}
        self._shown: dict[str, str] = {}
        for finding in broken:
            if finding.exchange is not None:
                self._shown.setdefault(finding.exchange, finding.rule)
                if _is_refusal(finding.got):
                    for operation in (self._operations.get(finding.exchange), None):
                        self._refusals.setdefault((operation, without_ids(finding.got)), finding.rule)

    def of(self, blocked: Sequence[Finding]) -> str | None:
        """The id of the rule that kept a rule from being judged, None if no rule is known to have done so.

        Args:
            blocked: The findings of a rule that was blocked.
        """
        return next((cause for finding in blocked if (cause := self._of(finding))), None)

    def _of(self, finding: Finding) -> str | None:
        relied_on = [rule for rule in finding.relies_on if rule in self._broken]
        here = [rule for rule in relied_on if (rule, finding.test) in self._places]
        shown = self._shown.get(finding.exchange or "")
        elsewhere = [*relied_on, shown] if _is_refusal(finding.got) else [shown, *relied_on]
        known = (*here, self._refused(finding), *elsewhere, self._refusals.get((None, without_ids(finding.got))))
        return next((rule for rule in known if rule and rule != finding.rule), None)

    def _refused(self, finding: Finding) -> str | None:
        operation = self._operations.get(finding.exchange or "")
        return self._refusals.get((operation, without_ids(finding.got))) if operation else None


def without_ids(text: str) -> str:
    """A text without what differs each time, such as ids, so that the same is said in the same words."""
    return _ID.sub("…", text)


def _is_refusal(answer: str) -> bool:
    return answer[:1] in {"4", "5"}
