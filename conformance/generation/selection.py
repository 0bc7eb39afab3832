"""What of a test that generates its requests goes into its recording and its report."""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from conformance.exchange import Exchange, Generated, Mode
from conformance.findings import Finding, Outcome

MOST_CASES = 12
"""How many cases of a test a recording has at most, besides those that they follow from."""


def select_cases(exchanges: Sequence[Exchange], most: int = MOST_CASES) -> list[Exchange]:
    """The exchanges that a recording has of a test: those of a few cases that differ, and all that was not generated.

    Cases differ by method, status, mode or mutated places. A case brings those along that it follows from, but for the
    steps of a hosted page, which no rule judges and no replay takes again.

    Args:
        exchanges: The exchanges of the test, in the order of their ends.
        most: How many cases are selected, besides those that they follow from.
    """
    cases = {mark.case: (each, mark) for each in exchanges if (mark := each.generated)}
    different: dict[object, int] = {}
    for number, (last, mark) in cases.items():
        if mark.mode is not Mode.GIVEN and len(different) < most:
            different.setdefault((last.request.method, last.response.status, mark.mode, mark.mutated), number)
    selected: set[int] = set()
    pending: list[int | None] = [*different.values()]
    while pending:
        case = pending.pop()
        if case in cases and case not in selected:
            selected.add(case)
            pending.append(cases[case][1].parent)
    return [each for each in exchanges if each.generated is None or _is_selected(each, each.generated, selected)]


def _is_selected(exchange: Exchange, generated: Generated, cases: Collection[int]) -> bool:
    is_step_of_page = exchange.operation is None and generated.mode is Mode.GIVEN
    return generated.case in cases and not is_step_of_page


def drop_unless_accepted(findings: Sequence[Finding], rule: str) -> list[Finding]:
    """Findings, without those of one rule where it never held.

    If no generated request at all is accepted, then something else refuses them, and the rule that described requests
    are accepted is blocked rather than broken.

    Args:
        findings: What was found of generated requests.
        rule: The id of the rule that described requests are accepted.
    """
    accepted = any(finding.rule == rule and finding.outcome is Outcome.HELD for finding in findings)
    return [finding for finding in findings if accepted or finding.rule != rule]


def smallest_failures(findings: Sequence[Finding], exchanges: Sequence[Exchange]) -> list[Finding]:
    """Findings, where of the generated requests that break a rule at the same place only the smallest is left.

    Args:
        findings: What was found in one test.
        exchanges: Its exchanges.

    Returns:
        The findings; one of a generated request says too what the request was made to be.
    """
    generated = {exchange.id: exchange for exchange in exchanges if exchange.generated}
    smallest: dict[object, Finding] = {}
    others = []
    for finding in findings:
        exchange = generated.get(finding.exchange or "")
        if finding.outcome is not Outcome.BROKEN or exchange is None:
            others.append(finding)
            continue
        place = (finding.rule, re.sub(r"/[0-9]+", "/0", finding.where))
        known = generated[smallest[place].exchange or ""] if place in smallest else None
        if known is None or _size(exchange) < _size(known):
            smallest[place] = finding
    return others + [_with_mutation(finding, generated[finding.exchange or ""]) for finding in smallest.values()]


def _size(exchange: Exchange) -> int:
    """The length of URL and body, in bytes."""
    return len(exchange.request.url) + len(exchange.request.body)


def _with_mutation(finding: Finding, exchange: Exchange) -> Finding:
    """The finding with what the request was made to be: ``, to a negative request, mutated in body /name``."""
    generated = exchange.generated
    if generated is None or generated.mode is Mode.GIVEN:
        return finding
    places = f", mutated in {', '.join(generated.mutated)}" if generated.mutated else ""
    return replace(finding, got=f"{finding.got}, to a {generated.mode} request{places}")


def cited_exchanges(exchanges: Sequence[Exchange], findings: Iterable[Finding]) -> list[Exchange]:
    """The exchanges of a test that a report shows: those that findings cite, or all if none was generated.

    Args:
        exchanges: The exchanges of the test.
        findings: What was found in it.
    """
    if not any(exchange.generated for exchange in exchanges):
        return list(exchanges)
    cited = {finding.exchange for finding in findings}
    return [exchange for exchange in exchanges if exchange.id in cited]
