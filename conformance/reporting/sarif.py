"""Results in the Static Analysis Results Interchange Format, version 2.1.0, which code scanning shows as alerts."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from conformance.judging.causes import without_ids
from conformance.reporting.alike import alike
from conformance.reporting.exchanges import folded
from conformance.reporting.phrases import (
    deciding_findings,
    entry_line,
    in_state,
    observation,
    printable,
    repeat_command,
)
from conformance.reporting.results_file import NAME, lines_of_rules
from conformance.verdicts import Verdict

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
VERSION = "2.1.0"
TOOL = "wallet-conformance"
_LEVELS = {Verdict.FAIL: "error", Verdict.WARN: "warning", Verdict.NOTE: "note"}
_BY_LEVEL = {"must": "error", "should": "warning", "may": "note"}
_MOST_ALERTS = 5
"""How many kinds of findings of one rule become an alert each; the first of them shows its exchange."""


def sarif(results: Mapping[str, Any]) -> dict[str, Any]:
    """The results as a log of one run: an alert for each kind of finding of a rule that was not kept.

    An alert leads to the line of its rule in ``results.json``. What is known to fail is suppressed, with the reason;
    what was blocked is open; what the suite failed to judge is a notification of the tool.

    Args:
        results: Results in the form of ``specs/schemas/results.json``.
    """
    rules = results["rules"]
    guessed = set(results["broken_but_inferred"])
    broken = [rule for rule in rules if rule["verdict"] in {Verdict.FAIL, Verdict.WARN} or rule["id"] in guessed]
    blocked = [rule for rule in rules if rule["verdict"] == Verdict.BLOCKED]
    told = [*broken, *blocked]
    exchanges = {exchange["id"]: exchange for exchange in results["exchanges"]}
    lines = dict(zip((rule["id"] for rule in rules), lines_of_rules(results), strict=True))
    alerts = [
        alert
        for index, rule in enumerate(told)
        for alert in (_broken(results, rule, exchanges) if rule in broken else [_open(rule)])
        for alert in [{**alert, "ruleIndex": index, "locations": [_location(rule, alert, lines[rule["id"]])]}]
    ]
    driver = {"name": TOOL, "version": results["suite"]["version"], "rules": [_rule(rule) for rule in told]}
    run = {"tool": {"driver": driver}, "invocations": [_invocation(results)], "results": alerts}
    return {"$schema": SCHEMA, "version": VERSION, "runs": [run]}


def _rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    said = [place for source in rule["sources"] for place in source.get("statements", ()) if place["says"]]
    asked = " ".join(dict.fromkeys(place["says"] for place in said))
    described: dict[str, Any] = {
        "id": rule["id"],
        "shortDescription": {"text": printable(rule["title"])},
        "fullDescription": {"text": printable(asked or rule["title"])},
        "help": {"text": printable("\n".join(_help(rule)))},
        "helpUri": rule["sources"][0]["url"].partition("#:~:")[0],
        "defaultConfiguration": {"level": _BY_LEVEL[rule["level"]]},
        "properties": {name: rule[name] for name in ("level", "basis", "party", "protects") if rule[name]},
    }
    described["properties"]["tags"] = [rule["api"], *(["security", rule["protects"]] if rule["protects"] else [])]
    return described


def _help(rule: Mapping[str, Any]) -> Iterator[str]:
    """What the sources of a rule say, each with an address that leads to the sentence."""
    for source in rule["sources"]:
        places = [f"{place['text']}: {place['says']} {place['url']}" for place in source.get("statements", ())]
        yield from places or [f"{source['text']}: {source['url']}"]


def _broken(
    results: Mapping[str, Any], rule: Mapping[str, Any], exchanges: Mapping[str, Mapping[str, Any]]
) -> Iterator[dict[str, Any]]:
    known = next((entry for entry in in_state(results, "known") if entry["rule"] == rule["id"]), None)
    for number, group in enumerate(alike(deciding_findings(rule))[:_MOST_ALERTS]):
        first = group.first
        often = f" Found {group.count} times." if group.count > 1 else ""
        text = f"{rule['title']} {observation(first)}.{often} Repeat: {repeat_command(results, rule)}"
        alert: dict[str, Any] = {
            "ruleId": rule["id"],
            "level": _LEVELS[Verdict(rule["verdict"])],
            "message": {"text": printable(folded(text))},
            "partialFingerprints": {"conformanceRule/v1": _fingerprint(rule, first)},
            "occurrenceCount": group.count,
            "properties": {"test": first["test"], "where": printable(first["where"])},
        }
        exchange = exchanges.get(first["exchange"] or "") if number == 0 else None
        if exchange:
            alert |= {"webRequest": _request(exchange["request"]), "webResponse": _response(exchange["response"])}
        if known:
            alert["suppressions"] = [{"kind": "external", "status": "accepted", "justification": entry_line(known)}]
        yield alert


def _open(rule: Mapping[str, Any]) -> dict[str, Any]:
    cause = f"Blocked by {rule['blocked_by']}: " if rule["blocked_by"] else "Blocked: "
    return {
        "ruleId": rule["id"],
        "kind": "open",
        "level": "none",
        "message": {"text": printable(folded(f"{cause}{rule['reason']}"))},
    }


def _location(rule: Mapping[str, Any], alert: Mapping[str, Any], line: int) -> dict[str, Any]:
    where = alert.get("properties", {}).get("where", "")
    return {
        "physicalLocation": {"artifactLocation": {"uri": NAME}, "region": {"startLine": line}},
        "logicalLocations": [{"fullyQualifiedName": f"{rule['api']}: {where}" if where else rule["api"]}],
    }


def _fingerprint(rule: Mapping[str, Any], finding: Mapping[str, Any]) -> str:
    """Tells an alert from others in another run too: what rule, in which place, and what was expected."""
    said = (rule["id"], without_ids(finding["where"]), without_ids(finding["expected"]))
    return sha256("\n".join(said).encode(errors="backslashreplace")).hexdigest()


def _request(request: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "protocol": "HTTP",
        "method": printable(request["method"]),
        "target": printable(folded(request["url"])),
        "headers": _headers(request["headers"]),
        "body": _body(request),
    }


def _response(response: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "protocol": "HTTP",
        "statusCode": response["status"],
        "headers": _headers(response["headers"]),
        "body": _body(response),
        "noResponseReceived": response["status"] == 0,
    }


def _headers(headers: Sequence[Sequence[str]]) -> dict[str, str]:
    """Header lines by name, several of one name joined as RFC 9110 section 5.3 has it."""
    joined: dict[str, str] = {}
    for name, value in headers:
        known = next((each for each in joined if each.lower() == name.lower()), None)
        said = printable(folded(value))
        joined[known or name] = f"{joined[known]}, {said}" if known else said
    return joined


def _body(message: Mapping[str, Any]) -> dict[str, str]:
    """The start of a body; all of it if it is no text."""
    return {"text": printable(folded(message["body"]))} if "body" in message else {"binary": message["body_base64"]}


def _invocation(results: Mapping[str, Any]) -> dict[str, Any]:
    begun = datetime.fromisoformat(results["started"])
    broke = [rule for rule in results["rules"] if rule["verdict"] == Verdict.ERROR]
    return {
        "executionSuccessful": not broke and not results.get("interrupted", False),
        "startTimeUtc": _time(begun),
        "endTimeUtc": _time(begun + timedelta(seconds=results["duration_s"])),
        "commandLine": repeat_command(results),
        "toolExecutionNotifications": [
            {
                "level": "error",
                "descriptor": {"id": rule["id"]},
                "message": {"text": printable(folded(f"{rule['id']} was not judged: {rule['reason']}"))},
            }
            for rule in broke
        ],
        "properties": {name: results[name] for name in ("verdict", "target", "subject")},
    }


def _time(instant: datetime) -> str:
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")
