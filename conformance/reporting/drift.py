"""What changed, for a terminal, for a page in Markdown, for programs, and for code scanning (SARIF 2.1.0)."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.text import Text

from conformance.reporting.lines import Output
from conformance.reporting.lines import write as write_line
from conformance.reporting.phrases import markdown_cell, printable
from conformance.reporting.sarif import SCHEMA, TOOL, VERSION

_LEVELS = ("breaking", "risky", "harmless")
_STYLES = {"breaking": "bold red", "risky": "bold yellow", "harmless": "dim"}
_SARIF_LEVELS = {"breaking": "error", "risky": "warning", "harmless": "note"}
_MOST_NAMED = 6
_MOST_PLACES = 3


def fails(comparison: Mapping[str, Any], on: str) -> bool:
    """Whether a comparison found what it is to fail on.

    Args:
        comparison: In the form of ``specs/schemas/drift.json``.
        on: ``breaking``, ``risky`` for that and breaking, or ``any``.
    """
    counted = _LEVELS if on == "any" else _LEVELS[: _LEVELS.index(on) + 1]
    return any(comparison["summary"][level] for level in counted)


def write(comparison: Mapping[str, Any], form: str) -> None:
    """Write a comparison to standard output.

    Args:
        comparison: In the form of ``specs/schemas/drift.json``.
        form: ``terminal``, ``json``, ``markdown`` or ``sarif``.
    """
    console = Output()
    match form:
        case "json":
            console.out(json.dumps(comparison, indent=2, ensure_ascii=False), highlight=False)
        case "sarif":
            console.out(json.dumps(sarif(comparison), indent=2, ensure_ascii=False), highlight=False)
        case "markdown":
            console.out(markdown(comparison), highlight=False)
        case _:
            _to_terminal(comparison, console)


def _to_terminal(comparison: Mapping[str, Any], console: Output) -> None:
    for level in _LEVELS:
        found = [finding for finding in comparison["findings"] if finding["level"] == level]
        if not found:
            continue
        write_line(console, Text(f"{level.upper()}  {len(found)}", _STYLES[level]))
        for finding in found:
            write_line(
                console, Text.assemble((printable(finding["place"]), "bold"), (f"  {finding['kind']}", "dim")), 2, 2
            )
            for name, value in _rows(finding):
                write_line(console, Text.assemble((f"{name} ", "dim"), printable(value)), 4, 2)
        console.print()
    for remark in comparison["remarks"]:
        write_line(console, Text.assemble(("Remark: ", "bold"), printable(remark)))
    write_line(console, Text(verdict_line(comparison), "bold"), whole=True)


def verdict_line(comparison: Mapping[str, Any]) -> str:
    """What was compared, and how much of each level was found, in one line."""
    counted = ", ".join(f"{count} {level}" for level, count in comparison["summary"].items() if count)
    told = f"{comparison['compared']}: {counted or 'nothing changed'}"
    return printable(f"{told}; before: {comparison['before']}; after: {comparison['after']}")


def _rows(finding: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What is told of a finding, as names and values."""
    if finding["before"]:
        yield "before:", finding["before"]
    if finding["after"]:
        yield "after:", finding["after"]
    if finding["level"] != "harmless" or finding["client"] != "Nothing.":
        yield "client:", finding["client"]
    if finding["suite_changed"]:
        yield "suite changed:", finding["suite_changed"]
    if finding["elsewhere"]:
        yield "also at:", _some(finding["elsewhere"], _MOST_PLACES)
    if finding["rules"]:
        yield "rules:", _some(finding["rules"], _MOST_NAMED)
    if finding["tests"]:
        yield "tests:", _some(finding["tests"], _MOST_PLACES)


def _some(names: Sequence[str], most: int) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def markdown(comparison: Mapping[str, Any]) -> str:
    """A comparison as a page: a table for each level."""
    parts = [f"# What changed: {comparison['compared']}", "", f"- before: {markdown_cell(comparison['before'])}"]
    parts += [f"- after: {markdown_cell(comparison['after'])}", ""]
    for level in _LEVELS:
        found = [finding for finding in comparison["findings"] if finding["level"] == level]
        if found:
            parts += [
                f"## {level.capitalize()}: {len(found)}",
                "",
                "| place | kind | before | after | what a client must change | rules |",
            ]
            parts += ["| --- | --- | --- | --- | --- | --- |", *map(_row, found), ""]
    if not comparison["findings"]:
        parts += ["Nothing changed.", ""]
    parts += [f"> {markdown_cell(remark)}" for remark in comparison["remarks"]]
    return "\n".join(parts).rstrip()


def _row(finding: Mapping[str, Any]) -> str:
    suite = f" (suite changed: {finding['suite_changed']})" if finding["suite_changed"] else ""
    place = finding["place"] + (f" and {len(finding['elsewhere'])} more" if finding["elsewhere"] else "")
    cells = (place, finding["kind"], finding["before"], finding["after"], finding["client"] + suite)
    rules = _some([f"`{rule}`" for rule in finding["rules"]], _MOST_NAMED)
    return "| " + " | ".join([*map(markdown_cell, cells), rules]) + " |"


def sarif(comparison: Mapping[str, Any]) -> dict[str, Any]:
    """A comparison in the Static Analysis Results Interchange Format, version 2.1.0."""
    kinds = list(dict.fromkeys(finding["kind"] for finding in comparison["findings"]))
    advice = {finding["kind"]: finding["client"] for finding in comparison["findings"]}
    return {
        "$schema": SCHEMA,
        "version": VERSION,
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": TOOL,
                        "version": comparison["suite"]["version"],
                        "rules": [{"id": kind, "shortDescription": {"text": advice[kind]}} for kind in kinds],
                    }
                },
                "results": [_sarif_result(comparison, finding, kinds) for finding in comparison["findings"]],
            }
        ],
    }


def _sarif_result(comparison: Mapping[str, Any], finding: Mapping[str, Any], kinds: Sequence[str]) -> dict[str, Any]:
    change = " → ".join(finding[side] or "nothing" for side in ("before", "after"))
    return {
        "ruleId": finding["kind"],
        "ruleIndex": kinds.index(finding["kind"]),
        "level": _SARIF_LEVELS[finding["level"]],
        "message": {"text": printable(f"{finding['place']}: {change}. {finding['client']}")},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": _uri(comparison["after"])},
                    "region": {"startLine": 1},
                },
                "logicalLocations": [{"fullyQualifiedName": printable(finding["place"])}],
            }
        ],
        "partialFingerprints": {"conformanceDrift/v1": finding["fingerprint"]},
        "properties": {"rules": finding["rules"], "tests": finding["tests"], "impact": finding["level"]},
    }


def _uri(name: str) -> str:
    from urllib.parse import quote  # noqa: PLC0415  (only for this form)

    return quote(name.partition(", ")[0])
