"""Results in the XML form of JUnit, which CI servers show: one test case for each rule."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from xml.etree import ElementTree as ET

from conformance.reporting.phrases import (
    Block,
    blocks,
    deciding_findings,
    entry_line,
    in_state,
    observation,
    printable,
    repeat_command,
    topic,
    verdict_line,
)
from conformance.verdicts import Verdict

_MOST_FINDINGS = 5
_ELEMENTS = {
    Verdict.FAIL: "failure",
    Verdict.ERROR: "error",
    Verdict.BLOCKED: "skipped",
    Verdict.SKIPPED: "skipped",
    Verdict.UNTESTED: "skipped",
}


def junit(results: Mapping[str, Any]) -> str:
    """The results as a JUnit document.

    `fail` becomes a failure, `error` an error, `blocked`, `skipped` and `untested` a skipped test case; `warn` and
    `note` count as passed. Each test case has its verdict as `status`. Whatever blocks rules has a test case of its
    own, an error. A run in which nothing was judged has one too, so that it is never green.

    Args:
        results: Results in the form of ``specs/schemas/results.json``.
    """
    root = ET.Element("testsuites", name="conformance", time=str(results["duration_s"]))
    for api in dict.fromkeys(rule["api"] for rule in results["rules"]):
        _of_api(root, api, results)
    if stray := in_state(results, "gone", "expired"):
        suite = _suite(root, "baseline", results)
        for entry in stray:
            case = ET.SubElement(suite, "testcase", classname="baseline", name=entry["rule"])
            ET.SubElement(case, "failure", type=entry["state"], message=printable(entry_line(entry)))
    if results["verdict"] == "inconclusive" and not root.findall(".//error"):
        suite = _suite(root, "conformance", results)
        case = ET.SubElement(suite, "testcase", classname="conformance", name="judged at least one rule")
        ET.SubElement(case, "error", type="inconclusive", message=verdict_line(results))
    for suite in root:
        _count([suite], suite)
        suite.set("skipped", str(len(suite.findall("testcase/skipped"))))
    _count(list(root), root)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=False)


def _of_api(root: ET.Element, api: str, results: Mapping[str, Any]) -> None:
    suite = _suite(root, api, results)
    properties = ET.SubElement(suite, "properties")
    about = {name: results[name] for name in ("subject", "target", "seed", "strict", "verdict")}
    for name, value in (about | {"version": results["suite"]["version"]}).items():
        ET.SubElement(properties, "property", name=name, value=printable(str(value)))
    for rule in results["rules"]:
        if rule["api"] == api:
            _case(suite, rule, results)
    for block in blocks(results):
        if block.rules[0]["api"] == api:
            _cause(suite, block, results)


def _suite(root: ET.Element, name: str, results: Mapping[str, Any]) -> ET.Element:
    return ET.SubElement(root, "testsuite", name=name, timestamp=results["started"])


def _case(suite: ET.Element, rule: Mapping[str, Any], results: Mapping[str, Any]) -> None:
    case = ET.SubElement(
        suite, "testcase", classname=f"{rule['api']}.{topic(rule)}", name=rule["id"], status=rule["verdict"]
    )
    known = next((entry for entry in in_state(results, "known") if entry["rule"] == rule["id"]), None)
    name = None if known else _ELEMENTS.get(rule["verdict"])
    cause = f"blocked by {rule['blocked_by']}: " if rule.get("blocked_by") else ""
    reason = printable(f"{cause}{rule['reason']}")
    if name == "skipped":
        ET.SubElement(case, name).text = reason
    elif name:
        element = ET.SubElement(case, name, message=reason, type=rule["verdict"])
        findings = deciding_findings(rule)
        more = len(findings) - _MOST_FINDINGS
        element.text = "\n".join(
            [
                printable(rule["title"]),
                *(f"{printable(observation(finding))}{_place(finding)}" for finding in findings[:_MOST_FINDINGS]),
                *([f"and {more} more in results.json"] if more > 0 else []),
                *(line for source in rule["sources"] for line in _source(source)),
                f"repeat: {repeat_command(results, rule)}",
            ]
        )
    told = [f"{rule['title']} ({rule['level']}, {rule['basis']}, {rule['party']})"]
    told += [entry_line(known)] if known else []
    told += [reason] if name is None and reason else []
    ET.SubElement(case, "system-out").text = printable("\n".join(told))


def _cause(suite: ET.Element, block: Block, results: Mapping[str, Any]) -> None:
    """A test case for what kept rules from being judged: one error, however many they are."""
    name = f"blocked by {block.cause}" if block.cause else f"blocked: {block.steps[0]}"
    case = ET.SubElement(suite, "testcase", classname=f"{block.rules[0]['api']}.blocked", name=printable(name))
    element = ET.SubElement(case, "error", type="blocked", message=printable(block.title))
    lines = [*block.steps, "rules: " + ", ".join(rule["id"] for rule in block.rules)]
    element.text = printable("\n".join([*lines, f"repeat: {repeat_command(results, block.repeated(results))}"]))


def _source(source: Mapping[str, Any]) -> Iterator[str]:
    """A source, and what each of its statements says, with an address that leads there."""
    yield f"source: {source['text']}, {source['url']}"
    for place in source.get("statements", ()):
        yield f"  {place['text']}: {place['says']} {place['url']}"


def _place(finding: Mapping[str, Any]) -> str:
    return f" [{finding['exchange'] or finding['test']}]"


def _count(suites: Sequence[ET.Element], element: ET.Element) -> None:
    """Write how many test cases there are in `suites`, and how many of each kind, to the attributes of `element`."""
    for attribute, path in (
        ("tests", "testcase"),
        ("failures", "testcase/failure"),
        ("errors", "testcase/error"),
    ):
        element.set(attribute, str(sum(len(suite.findall(path)) for suite in suites)))
