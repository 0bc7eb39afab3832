"""Results as a page in Markdown for a CI job: the verdict, what to do next, and what is wrong in a table."""

from collections.abc import Iterator, Mapping
from typing import Any

from conformance.reporting.advice import Step, next_steps, urgency
from conformance.reporting.phrases import (
    blocks,
    deciding_findings,
    in_state,
    markdown_cell,
    observation,
    repeat_command,
    verdict_line,
)
from conformance.verdicts import Verdict

_SIGNS = {"conforms": "✅", "fails": "❌", "inconclusive": "⚠️"}
_MOST_ROWS = 50
_LONGEST = 300
_MOST_STEPS = 5


def summary(results: Mapping[str, Any]) -> str:
    """The results as Markdown that stays far below the megabyte that a job page takes.

    Args:
        results: Results in the form of ``specs/schemas/results.json``.
    """
    line = markdown_cell(verdict_line(results))
    parts = [f"## {_SIGNS[results['verdict']]} Conformance of {' and '.join(results['apis'].values())}", "", line, ""]
    steps = next_steps(results)[:_MOST_STEPS]
    if steps:
        parts += ["### What to do next", "", *map(_step, steps), ""]
    rows = list(_rows(results))
    if rows:
        parts += ["### What is wrong", "", "| verdict | rule | what was seen | source |", "| --- | --- | --- | --- |"]
        parts += rows[:_MOST_ROWS]
        if more := len(rows) - _MOST_ROWS:
            parts += [f"| | and {more} more | | |"] if more > 0 else []
        parts.append("")
    parts += [f"> {markdown_cell(remark)}" for remark in results["remarks"]]
    fence = "```"
    parts += [
        "<details><summary>The same run again</summary>",
        "",
        f"{fence}sh",
        repeat_command(results),
        fence,
        "",
        "</details>",
    ]
    return "\n".join(parts) + "\n"


def _step(step: Step) -> str:
    command = f" `{step.command}`" if step.command and "`" not in step.command else ""
    return f"1. {markdown_cell(step.text)}{command}"


def _rows(results: Mapping[str, Any]) -> Iterator[str]:
    known = {entry["rule"] for entry in in_state(results, "known")}
    guessed = set(results["broken_but_inferred"])
    wrong = [
        rule
        for rule in results["rules"]
        if rule["verdict"] in {Verdict.ERROR, Verdict.FAIL, Verdict.WARN} or rule["id"] in guessed
    ]
    wrong.sort(key=urgency)
    for rule in wrong:
        findings = deciding_findings(rule)
        more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
        borne = ", known" if rule["id"] in known else ""
        protects = f", protects {rule['protects']}" if rule["protects"] else ""
        source = rule["sources"][0]
        said = next((place for place in source.get("statements", ()) if place["says"]), source)
        yield (
            f"| {rule['verdict']}{borne}{protects} | `{rule['id']}` {markdown_cell(rule['title'])} "
            f"| {markdown_cell(_short(observation(findings[0])))}{more} "
            f"| [{markdown_cell(said['text'])}]({said['url'].replace(')', '%29')}) |"
        )
    for block in blocks(results):
        yield f"| blocked | {markdown_cell(block.title)} | {markdown_cell(_short(block.steps[0]))} | |"


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
