"""Results as commands to GitHub Actions, which shows them on the page of the job."""

from collections.abc import Iterator, Mapping
from typing import Any

from conformance.reporting.advice import urgency
from conformance.reporting.phrases import (
    blocks,
    deciding_findings,
    entry_line,
    in_state,
    observation,
    printable,
    verdict_line,
)
from conformance.verdicts import Verdict

_MOST = 10
"""How many annotations of one level GitHub shows of a step."""
_KINDS = {Verdict.ERROR: "error", Verdict.FAIL: "error", Verdict.WARN: "warning"}


def annotations(results: Mapping[str, Any]) -> list[str]:
    """The lines to be printed: what is wrong, broken protections first, and no more of a level than GitHub shows.

    Args:
        results: Results in the form of ``specs/schemas/results.json``.
    """
    told: dict[str, list[str]] = {"error": [], "warning": []}
    for kind, title, message in _annotations(results):
        told[kind].append(f"::{kind} title={_property(title)}::{_data(message)}")
    return [line for kind, lines in told.items() for line in _few(kind, lines)]


def _annotations(results: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    if results["verdict"] != "conforms":
        yield "error", results["verdict"], verdict_line(results)
    for entry in in_state(results, "gone", "expired"):
        yield "error", f"{results['baseline']['file']}: {entry['rule']}", f"{entry['rule']} {entry_line(entry)}"
    known = {entry["rule"] for entry in in_state(results, "known")}
    wrong = [rule for rule in results["rules"] if rule["verdict"] in _KINDS and rule["id"] not in known]
    for rule in sorted(wrong, key=urgency):
        protects = f", protects {rule['protects']}" if rule["protects"] else ""
        message = f"{rule['title']}\n{observation(deciding_findings(rule)[0])}\n{rule['sources'][0]['url']}"
        yield _KINDS[Verdict(rule["verdict"])], f"{rule['id']}{protects}", message
    for block in blocks(results):
        yield "warning", block.title, block.steps[0]


def _few(kind: str, lines: list[str]) -> list[str]:
    if len(lines) <= _MOST:
        return lines
    more = len(lines) - _MOST + 1
    return [*lines[: _MOST - 1], f"::{kind} title=conformance::and {more} more: the report has them"]


def _data(text: str) -> str:
    return printable(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
