"""Results in the XML form of JUnit, which CI servers show: one test case for each rule."""

from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree import ElementTree as ET

from conformance.reporting.phrases import (
    deciding_findings,
    observation,
    printable,
    repeat_command,
    topic,
    verdict_line,
)
from conformance.verdicts import Verdict

_ELEMENTS = {
    Verdict.FAIL: "failure",
    Verdict.ERROR: "error",
    Verdict.BLOCKED: "error",
    Verdict.SKIPPED: "skipped",
    Verdict.UNTESTED: "skipped",
}
_RED = {"failure", "error"}


def junit(results: Mapping[str, Any]) -> str:
    """The results as a JUnit document.

    `fail` becomes a failure, `error` and `blocked` an error, `skipped` and `untested` a skipped test case; `warn` and
    `note` count as passed and say so in their properties. A run in which nothing was judged has a test case more, an
    error, so that it is never green.

    Args:
        results: Results in the form of ``specs/schemas/results.json``.
    """
    root = ET.Element("testsuites", name="conformance", time=str(results["duration_s"]), timestamp=results["started"])
    for api in dict.fromkeys(rule["api"] for rule in results["rules"]):
        suite = ET.SubElement(root, "testsuite", name=api, timestamp=results["started"])
        _properties(
            suite,
            {name: results[name] for name in ("subject", "target", "seed", "strict", "verdict")}
            | {"version": results["suite"]["version"]},
        )
        for rule in results["rules"]:
            if rule["api"] == api:
                _case(suite, rule, results)
        _count([suite], suite)
    if results["verdict"] == "inconclusive" and not root.findall(".//error"):
        suite = ET.SubElement(root, "testsuite", name="conformance", timestamp=results["started"])
        case = ET.SubElement(suite, "testcase", classname="conformance", name="judged at least one rule")
        ET.SubElement(case, "error", type="inconclusive", message=verdict_line(results))
        _count([suite], suite)
    _count(root.findall("testsuite"), root)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=False)


def _case(suite: ET.Element, rule: Mapping[str, Any], results: Mapping[str, Any]) -> None:
    case = ET.SubElement(suite, "testcase", classname=f"{rule['api']}.{topic(rule)}", name=rule["id"])
    said = {name: rule[name] for name in ("title", "verdict", "level", "basis", "party", "reason") if rule[name]}
    _properties(case, said)
    name = _ELEMENTS.get(rule["verdict"])
    if name is None:
        return
    element = ET.SubElement(case, name, message=printable(rule["reason"]))
    if name in _RED:
        element.set("type", rule["verdict"])
        element.text = "\n".join(
            [
                rule["title"],
                *(f"{printable(observation(finding))}{_place(finding)}" for finding in deciding_findings(rule)),
                *(f"source: {source['text']}, {source['url']}" for source in rule["sources"]),
                f"repeat: {repeat_command(results, rule)}",
            ]
        )


def _place(finding: Mapping[str, Any]) -> str:
    return f" [{finding['exchange'] or finding['test']}]"


def _properties(parent: ET.Element, values: Mapping[str, object]) -> None:
    properties = ET.SubElement(parent, "properties")
    for name, value in values.items():
        ET.SubElement(properties, "property", name=name, value=printable(str(value)))


def _count(suites: Sequence[ET.Element], element: ET.Element) -> None:
    """Write how many test cases there are in `suites`, and how many of each kind, to the attributes of `element`."""
    for attribute, path in (
        ("tests", "testcase"),
        ("failures", "testcase/failure"),
        ("errors", "testcase/error"),
        ("skipped", "testcase/skipped"),
    ):
        element.set(attribute, str(sum(len(suite.findall(path)) for suite in suites)))
