"""What a run found, as the data of ``results.json``."""

import base64
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import conformance
from conformance.catalogue import Basis, Level, Party, Rule, Source
from conformance.exchange import Exchange, Generated, Message, Request, Response
from conformance.findings import Finding, Outcome, refusal_text
from conformance.judging.baseline import FAILING, Baseline, State
from conformance.judging.causes import Causes
from conformance.options import Options
from conformance.verdicts import Conclusion, Verdict, conclusion, verdict_of_finding, verdict_of_rule

FORMAT = "conformance-results/1"
TRAFFIC = "traffic"
"""The target of results that say of a client what its own traffic shows."""
_HELD = {Outcome.HELD: True, Outcome.BROKEN: False}
_MAIN_FLOW = "The main flow of"
_SHARE = " percent of them."
INTERRUPTED = "The run was interrupted: what had not been judged by then is untested."
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
        "relies_on": list(finding.relies_on),
    }


def finding_from_json(data: Mapping[str, Any]) -> Finding:
    """The finding that `finding_to_json` wrote."""
    return Finding(**{**data, "outcome": Outcome(data["outcome"]), "relies_on": tuple(data["relies_on"])})


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


def exchange_from_json(data: Mapping[str, Any]) -> Exchange:
    """The exchange that `exchange_to_json` wrote."""
    request, response = data["request"], data["response"]
    return Exchange(
        id=data["id"],
        operation=data["operation"],
        identity=data["identity"],
        at=datetime.fromisoformat(data["at"]),
        seconds=data["seconds"],
        request=Request(**_read_message(request), method=request["method"], url=request["url"]),
        response=Response(**_read_message(response), status=response["status"]),
        breaks=frozenset(data["breaks"]),
        generated=Generated.from_json(data["generated"]) if "generated" in data else None,
    )


def _read_message(written: Mapping[str, Any]) -> dict[str, Any]:
    """What `_message` wrote; half of a character that UTF-16 has in two stands for itself."""
    headers = tuple((name, value) for name, value in written["headers"])
    if "body_base64" in written:
        return {"headers": headers, "body": base64.b64decode(written["body_base64"])}
    return {"headers": headers, "body": written["body"].encode(errors="surrogatepass")}


def refusal_in(exchange: Mapping[str, Any]) -> str | None:
    """What the answer says of why it refuses, in an exchange as ``results.json`` has it; None if it does not say."""
    answered = exchange["response"]
    return refusal_text(Response(body=answered.get("body", "").encode(), status=answered["status"]))


UNJUDGED = {Verdict.ERROR, Verdict.BLOCKED, Verdict.SKIPPED, Verdict.UNTESTED}


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
        contradictions: Where documents contradict themselves, in the form of ``specs/schemas/results.json``.
        main_flows: The rule that must have been judged, without the name of its API, by API.
        baseline: What is known to fail, None if nothing is said to be.
        interrupted: Whether the user stopped it before its end.
        is_traffic: Whether traffic was judged that others sent, instead of a provider by tests.
        command: What does the same again, in a POSIX shell's form; empty if the options tell it.
        recorded: Where and when what was replayed was recorded, in the form of ``specs/schemas/results.json``; empty if
            nothing was replayed.
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
    contradictions: Sequence[Mapping[str, Any]] = ()
    main_flows: Mapping[str, str] = field(default_factory=dict)
    baseline: Baseline | None = None
    interrupted: bool = False
    is_traffic: bool = False
    command: str = ""
    recorded: Mapping[str, Any] = field(default_factory=dict)


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
    is_read, is_replayed = run.is_traffic or options.target == "documents", options.target == "replay"
    verdicts = {rule.id: verdict_of_rule(rule, by_rule[rule.id], strict=options.strict) for rule in rules}
    counted = Counter(verdicts.values())
    baseline = run.baseline.told(verdicts, run.started.date()) if run.baseline else []
    known = {entry["rule"] for entry in baseline if entry["state"] == State.KNOWN}
    verdict = conclusion(
        (verdict for rule, verdict in verdicts.items() if rule not in known),
        baseline_is_wrong=any(entry["state"] in FAILING for entry in baseline),
    )
    causes = Causes(run.findings, run.exchanges)
    gaps = _gaps(run, rules, verdicts) if verdict is Conclusion.CONFORMS else []
    if gaps or (run.interrupted and verdict is Conclusion.CONFORMS):
        verdict = Conclusion.INCONCLUSIVE
    if run.interrupted:
        gaps = [*gaps, INTERRUPTED]
    return {
        "format": FORMAT,
        "suite": {"version": conformance.__version__},
        "target": TRAFFIC if run.is_traffic else options.target,
        "subject": run.subject,
        "seed": None if is_read else options.seed,
        "examples": None if is_read or is_replayed else options.examples,
        "strict": options.strict,
        "cassettes": str(options.cassettes) if options.cassettes else None,
        "pin_agent": None if is_read else options.pin_agent,
        "allow_wait": not is_read and options.allow_wait,
        "started": run.started.isoformat(timespec="seconds"),
        "duration_s": round(run.seconds, 3),
        **({"interrupted": True} if run.interrupted else {}),
        "verdict": verdict.value,
        "summary": {verdict.value: counted[verdict] for verdict in Verdict},
        "apis": dict(run.apis),
        "base_urls": dict(options.base_urls),
        "selected": {"rules": list(options.rule), "tests": list(options.tests)},
        **({"recorded": dict(run.recorded)} if run.recorded else {}),
        "tests": len(run.scenarios),
        "scenarios": dict(run.scenarios),
        "remarks": [*run.remarks, *gaps],
        "contradictions": list(run.contradictions),
        **({"baseline": {"file": str(run.baseline.path), "entries": baseline}} if run.baseline else {}),
        "broken_but_inferred": [
            rule.id
            for rule in rules
            if rule.basis is Basis.INFERRED and rule.level is not Level.MAY and verdicts[rule.id] is Verdict.NOTE
        ],
        "rules": [_rule(rule, verdicts[rule.id], by_rule[rule.id], run, causes) for rule in rules],
        "exchanges": list(run.exchanges),
        **({"command": run.command} if run.command else {}),
    }


def _gaps(run: Run, rules: Sequence[Rule], verdicts: Mapping[str, Verdict]) -> list[str]:
    """What was not judged and had to be, in one sentence each, in a run that conforms else."""
    binding = [rule for rule in rules if rule.party is Party.PROVIDER]
    judged = [rule.id for rule in binding if verdicts[rule.id] not in UNJUDGED]
    main_flows = [f"{api}.{rule}" for api, rule in run.main_flows.items()]
    gaps = [main_flow_missing(run.apis, rule) for rule in main_flows if rule not in judged]
    return [*gaps, *share_missing(len(judged), len(binding), run.options.min_judged)]


def share_missing(judged: int, rules: int, least: int | None) -> list[str]:
    """That less than `least` percent of the rules were judged, if it is so."""
    if least is None or 100 * judged >= least * rules:
        return []
    return [f"{judged} of {rules} rules were judged, less than {least}{_SHARE}"]


def main_flow_missing(apis: Mapping[str, str], rule: str) -> str:
    """That the main flow of an API was not completed.

    Args:
        apis: The title of each API by its name.
        rule: The id of the rule that would have shown it.
    """
    return f"{_MAIN_FLOW} {apis[rule.partition('.')[0]]} was not completed once, so that {rule} could not be judged."


def is_gap(remark: str) -> bool:
    """Whether a remark says that a run was cut short, or did not come to what it had to judge."""
    return remark == INTERRUPTED or remark.startswith(_MAIN_FLOW) or remark.endswith(_SHARE)


def _rule(rule: Rule, verdict: Verdict, findings: Sequence[Finding], run: Run, causes: Causes) -> dict[str, Any]:
    telling = [
        finding for finding in findings if verdict_of_finding(rule, finding, strict=run.options.strict) is verdict
    ]
    return {
        "id": rule.id,
        "digest": rule.digest,
        "api": rule.api,
        "title": rule.title,
        "level": rule.level.value,
        "basis": rule.basis.value,
        "party": rule.party.value,
        "protects": rule.protects.value if rule.protects else None,
        "sources": [_source(source) for source in rule.sources],
        "verdict": verdict.value,
        "reason": _reason(rule, verdict, telling, run),
        "blocked_by": causes.of(telling) if verdict is Verdict.BLOCKED else None,
        "findings": [_finding(rule, finding, run) for finding in findings],
    }


def _source(source: Source) -> dict[str, Any]:
    return {"text": str(source), "url": source.links[0], "statements": list(source.places)}


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
        return _untested(rule, run)
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


def _untested(rule: Rule, run: Run) -> str:
    """Why nothing was seen of a rule."""
    if run.is_traffic:
        return "Nothing in the traffic shows it."
    if run.options.target == "documents":
        return "No printed exchange shows it."
    return OWN_TRAFFIC if rule.party is Party.CLIENT else "No test of this run judged it."
