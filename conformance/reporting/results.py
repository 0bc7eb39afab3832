"""What a run found, as the data of ``results.json``."""

import base64
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import conformance
from conformance.catalogue import Party, Rule
from conformance.exchange import Exchange, Message
from conformance.findings import Finding, Outcome
from conformance.options import Options
from conformance.verdicts import Verdict, conclusion, verdict_of_finding, verdict_of_rule

FORMAT = "conformance-results/1"
_HELD = {Outcome.HELD: True, Outcome.BROKEN: False}
OWN_TRAFFIC = "Rules for clients are judged on a client's own traffic, not in a run of the suite."


def finding_to_json(finding: Finding) -> dict[str, Any]:
    """A finding as JSON."""
    return {
        "rule": finding.rule,
        "outcome": finding.outcome.value,
        "where": finding.where,
        "expected": finding.expected,
        "got": finding.got,
        "exchange": finding.exchange,
        "reading": finding.reading,
        "reason": finding.reason,
        "test": finding.test,
    }


def finding_from_json(data: Mapping[str, Any]) -> Finding:
    """The finding that `finding_to_json` wrote."""
    return Finding(**{**data, "outcome": Outcome(data["outcome"])})


def _message(message: Message) -> dict[str, Any]:
    written: dict[str, Any] = {"headers": [list(header) for header in message.headers]}
    try:
        return {**written, "body": message.body.decode()}
    except UnicodeDecodeError:
        return {**written, "body_base64": base64.b64encode(message.body).decode()}


def exchange_to_json(exchange: Exchange) -> dict[str, Any]:
    """An exchange as JSON."""
    return {
        "id": exchange.id,
        "operation": exchange.operation,
        "identity": exchange.identity,
        "at": exchange.at.isoformat(),
        "seconds": round(exchange.seconds, 4),
        "breaks": sorted(exchange.breaks),
        **({"generated": exchange.generated.to_json()} if exchange.generated else {}),
        "request": {"method": exchange.request.method, "url": exchange.request.url, **_message(exchange.request)},
        "response": {"status": exchange.response.status, **_message(exchange.response)},
    }


@dataclass(frozen=True)
class Run:
    """What a run did.

    Args:
        options: What it was asked to do; its seed is set where ids are used.
        subject: What was judged, in a few words.
        apis: The title of each API by its name.
        started: When it began (UTC).
        seconds: How long it took.
        findings: Everything that was found.
        exchanges: The exchanges, as JSON.
        remarks: What a reader should know besides, such as unused cassettes.
        scenarios: What each test brings about, in words, by the test's id.
    """

    options: Options
    subject: str
    apis: Mapping[str, str]
    started: datetime
    seconds: float
    findings: Sequence[Finding]
    exchanges: Sequence[Mapping[str, Any]] = ()
    remarks: Sequence[str] = ()
    scenarios: Mapping[str, str] = field(default_factory=dict)


def results(run: Run, rules: Sequence[Rule]) -> dict[str, Any]:
    """The results of a run in the form of ``specs/schemas/results.json``.

    Args:
        run: What was done.
        rules: The rules of the run, tested or not.
    """
    by_rule: dict[str, list[Finding]] = {rule.id: [] for rule in rules}
    for finding in run.findings:
        if finding.rule in by_rule:
            by_rule[finding.rule].append(finding)
    options = run.options
    is_read, is_replayed = options.target == "documents", options.target == "replay"
    verdicts = {rule.id: verdict_of_rule(rule, by_rule[rule.id], strict=options.strict) for rule in rules}
    counted = Counter(verdicts.values())
    return {
        "format": FORMAT,
        "suite": {"version": conformance.__version__},
        "target": options.target,
        "subject": run.subject,
        "seed": None if is_read else options.seed,
        "examples": None if is_read or is_replayed else options.examples,
        "strict": options.strict,
        "cassettes": str(options.cassettes) if options.cassettes else None,
        "pin_agent": None if is_read else options.pin_agent,
        "allow_wait": not is_read and options.allow_wait,
        "started": run.started.isoformat(timespec="seconds"),
        "duration_s": round(run.seconds, 3),
        "verdict": conclusion(verdicts.values()).value,
        "summary": {verdict.value: counted[verdict] for verdict in Verdict},
        "apis": dict(run.apis),
        "base_urls": dict(options.base_urls),
        "tests": len(run.scenarios),
        "scenarios": dict(run.scenarios),
        "remarks": list(run.remarks),
        "rules": [_rule(rule, verdicts[rule.id], by_rule[rule.id], run) for rule in rules],
        "exchanges": list(run.exchanges),
    }


def _rule(rule: Rule, verdict: Verdict, findings: Sequence[Finding], run: Run) -> dict[str, Any]:
    telling = [
        finding for finding in findings if verdict_of_finding(rule, finding, strict=run.options.strict) is verdict
    ]
    return {
        "id": rule.id,
        "api": rule.api,
        "title": rule.title,
        "level": rule.level.value,
        "basis": rule.basis.value,
        "party": rule.party.value,
        "sources": [{"text": str(source), "url": source.document.url} for source in rule.sources],
        "verdict": verdict.value,
        "reason": _reason(rule, verdict, telling, run),
        "findings": [_finding(rule, finding, run) for finding in findings],
    }


def _finding(rule: Rule, finding: Finding, run: Run) -> dict[str, Any]:
    return {
        "test": finding.test,
        "held": _HELD.get(finding.outcome),
        "verdict": verdict_of_finding(rule, finding, strict=run.options.strict).value,
        "where": finding.where,
        "expected": finding.expected,
        "got": finding.got,
        "reading": finding.reading,
        "reason": finding.reason,
        "exchange": finding.exchange,
    }


def _reason(rule: Rule, verdict: Verdict, telling: Sequence[Finding], run: Run) -> str:
    """Why a rule has its verdict, in one sentence."""
    if verdict is Verdict.UNTESTED:
        if run.options.target == "documents":
            return "No printed exchange shows it."
        return OWN_TRAFFIC if rule.party is Party.CLIENT else "No test of this run judged it."
    if verdict is Verdict.PASS:
        return ""
    first = telling[0]
    if first.reason:
        return first.reason
    readings = [rule.reading(finding.reading) for finding in telling]
    seen = dict.fromkeys(reading.title for reading in readings if reading)
    if seen:
        return f"Sources disagree; seen: {' / '.join(seen)}"
    return f"{first.where}: expected {first.expected}, got {first.got}"
