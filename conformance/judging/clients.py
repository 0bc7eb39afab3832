"""What a client's own traffic says of it, as the data of ``results.json``."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any

from conformance.api import Api
from conformance.catalogue import Catalogue, Party, Rule
from conformance.findings import Finding, Outcome, refusal_text, shorten
from conformance.judging.results import Run, exchange_to_json, refusal_in, results
from conformance.judging.traffic import Judged
from conformance.options import Options
from conformance.verdicts import Verdict

_MOST_SHOWN = 3
_MOST_REFUSALS = 5
_REFUSALS = {
    *(HTTPStatus.BAD_REQUEST, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED),
    *(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, HTTPStatus.UNPROCESSABLE_ENTITY),
}
"""The statuses with which a request is refused as such; the others tell of time, or of what was done before."""


def client_rules(apis: Iterable[Api]) -> list[Rule]:
    """The rules of these APIs that bind clients."""
    return [rule for api in apis for rule in Catalogue.load(api.rules).values() if rule.party is Party.CLIENT]


def client_results(
    apis: Sequence[Api],
    judged: Iterable[Judged],
    findings: Sequence[Finding],
    *,
    subject: str,
    started: datetime,
    seconds: float,
    provoked_by: Mapping[str, Sequence[str]],
    strict: bool = False,
    remarks: Sequence[str] = (),
    command: str = "conformance sandbox --judge",
) -> dict[str, Any]:
    """The results of a client in the form of ``specs/schemas/results.json``.

    Args:
        apis: The APIs that it spoke to.
        judged: Its exchanges.
        findings: What the rules say of them.
        subject: Which client it was, in a few words.
        started: When its traffic began (UTC).
        seconds: How long it went on.
        provoked_by: The options of the sandbox with which a rule shows that shows on no usual server, by its id.
        strict: Whether inferred rules count as their level says.
        remarks: What a reader should know besides.
        command: What judges such a client again, without the option that makes it strict.
    """
    rules, seen = client_rules(apis), list(judged)
    known = {finding.rule for finding in findings}
    missing = [rule.id for rule in rules if rule.id not in known and rule.id in provoked_by]
    advice = dict.fromkeys(f"Advice: {each.where}: {each.text}" for one in seen for each in one.advice)
    run = Run(
        options=Options(apis=tuple(api.name for api in apis), strict=strict),
        subject=subject,
        apis={api.name: api.title for api in apis},
        started=started,
        seconds=seconds,
        findings=[*findings, *(_unprovoked(rule, provoked_by[rule]) for rule in missing)],
        exchanges=[exchange_to_json(one.exchange) for one in seen],
        remarks=[*remarks, *advice, *_refusals(seen)],
        is_traffic=True,
        command=f"{command} --strict" if strict else command,
    )
    return results(run, rules)


def shortcomings(results: Mapping[str, Any]) -> str:
    """What keeps a client from conforming, rule by rule: what was seen, what was expected, why, and the source.

    Args:
        results: Results in the form of ``specs/schemas/results.json``.
    """
    failed = [rule for rule in results["rules"] if rule["verdict"] == Verdict.FAIL]
    if not failed:
        return f"Of {results['subject']} nothing can be judged: did it use the base URL of this world?"
    exchanges = {exchange["id"]: exchange for exchange in results["exchanges"]}
    number = f"{len(failed)} rule{'' if len(failed) == 1 else 's'}"
    lines = [f"The client breaks {number} that it must keep, as {results['subject']} shows."]
    for rule in failed:
        lines += ["", f"{rule['id']} ({rule['level']}, {rule['basis']})", f"  {rule['title']}"]
        findings = [finding for finding in rule["findings"] if finding["verdict"] == Verdict.FAIL]
        for finding in findings[:_MOST_SHOWN]:
            lines += [f"  {name + ':':<10}{value}" for name, value in _rows(finding, exchanges)]
        if len(findings) > _MOST_SHOWN:
            lines.append(f"  and {len(findings) - _MOST_SHOWN} more like it")
        lines += [f"  source:   {source['text']}, {source['url']}" for source in rule["sources"]]
    return "\n".join(lines)


def _rows(finding: Mapping[str, Any], exchanges: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    for name in ("where", "expected", "got"):
        yield name, finding[name]
    exchange = exchanges.get(finding["exchange"] or "")
    if exchange is not None:
        request, response = exchange["request"], exchange["response"]
        yield "request", f"{request['method']} {request['url']}, answered {response['status']}"
        if said := refusal_in(exchange):
            yield "answer", said


def _refusals(judged: Iterable[Judged]) -> Iterator[str]:
    """What was refused though it breaks no rule and nothing is advised, each reason once."""
    found = Counter(
        (one.exchange.request.method, one.exchange.operation or "another path", one.exchange.response.status, said)
        for one in judged
        if one.exchange.response.status in _REFUSALS
        and not one.exchange.breaks
        and not one.advice
        and (said := refusal_text(one.exchange.response))
    )
    for (method, operation, status, said), times in found.most_common(_MOST_REFUSALS):
        yield f"Refused, and no rule says why: {times} x {method} {operation} {status}: {shorten(said)}"


def _unprovoked(rule: str, options: Sequence[str]) -> Finding:
    reason = f"Only an odd server shows it: conformance sandbox --judge --provoke, or {' or '.join(options)}."
    return Finding(rule, Outcome.SKIPPED, reason=reason)
