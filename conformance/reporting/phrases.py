"""What all reports say in the same words: a run's verdict, what a finding saw, the command that repeats it."""

import re
import shlex
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from conformance.judging.causes import without_ids
from conformance.judging.results import TRAFFIC
from conformance.options import EXAMPLES
from conformance.verdicts import Conclusion, Verdict

_NOT_JUDGED = {Verdict.SKIPPED, Verdict.UNTESTED}
_DRAWING = {"sandbox", "live"}
"""The targets of which a run draws ids and requests from its seed."""
_MOST_NEEDS = 4
"""How many things that a run lacked the verdict's line names."""


def verdict_line(results: Mapping[str, Any]) -> str:
    """The line that states the verdict: of which APIs, on what subject, with how many rules of each verdict.

    Args:
        results: Results in the form of ``specs/schemas/results.json``.
    """
    apis = " and ".join(results["apis"].values())
    unjudged = [rule for rule in results["rules"] if rule["party"] == "provider" and rule["verdict"] in _NOT_JUDGED]
    verdict = broken_protections(results) or results["verdict"].upper()
    needs = ""
    if results["verdict"] == Conclusion.CONFORMS and unjudged and results["target"] != "documents":
        of_all = sum(rule["party"] == "provider" for rule in results["rules"])
        verdict += f" in what was judged, {of_all - len(unjudged)} of {of_all} rules"
        needs = f"; not judged: {_needs(unjudged)}"
    if known := len(in_state(results, "known")):
        verdict += (
            f" but for {known} known failure{'s' * (known > 1)}" if results["verdict"] == Conclusion.CONFORMS else ""
        )
    counts = ", ".join(_count(results, verdict) for verdict in _verdicts_in_order(results))
    subject = printable(results["subject"])
    return f"{verdict}: {apis}, {subject}: {counts} in {results['duration_s']:.1f} s{needs}"


def in_state(results: Mapping[str, Any], *states: str) -> list[Mapping[str, Any]]:
    """The entries of the run's baseline that stand so to it, none if there is no baseline."""
    return [entry for entry in results.get("baseline", {}).get("entries", ()) if entry["state"] in states]


def entry_line(entry: Mapping[str, Any]) -> str:
    """What is to be said of an entry of a baseline: how it stands to the run, why it is borne, and what to do."""
    ticket, until = entry["ticket"], entry["until"]
    borne = "".join([f"; {ticket}" if ticket else "", f"; until {until}" if until else ""])
    told = {
        "known": "known to fail",
        "gone": "is said to fail and holds: take its entry out",
        "expired": f"was borne until {until}: mend it, or say until when it is borne now",
        "needless": "is broken and does not fail the run: it needs no entry",
        "not judged": "is known to fail and was not judged",
        "not part of the run": "is not part of this run",
    }
    return f"{told[entry['state']]} ({entry['reason']}{borne})"


def broken_protections(results: Mapping[str, Any]) -> str:
    """Which protections are broken by rules that do not fail, so that nobody takes the subject for a safe one.

    Args:
        results: Results in the form of ``specs/schemas/results.json``.

    Returns:
        Such as ``PROTECTION BROKEN (inferred): isolation``; empty if there is none, or the subject fails anyway.
    """
    broken = [rule for rule in results["rules"] if rule["protects"] and rule["verdict"] == Verdict.WARN]
    if not broken or results["verdict"] == Conclusion.FAILS:
        return ""
    bases = ", ".join(dict.fromkeys(rule["basis"] for rule in broken))
    return f"PROTECTION BROKEN ({bases}): {', '.join(dict.fromkeys(rule['protects'] for rule in broken))}"


def _needs(unjudged: Iterable[Mapping[str, Any]]) -> str:
    """What the run lacked, for how many rules, and the option that gives it; what most rules lacked comes first."""
    counts = Counter(need(rule["reason"]) for rule in unjudged)
    told = [f"{what} ({count}{f', give {option}' if option else ''})" for (what, option), count in counts.most_common()]
    rest = sum(count for _, count in counts.most_common()[_MOST_NEEDS:])
    return ", ".join([*told[:_MOST_NEEDS], *([f"{rest} more"] if rest else [])])


def need(reason: str) -> tuple[str, str]:
    """What a reason says was lacking, and the option that gives it, if any."""
    lacked, option = re.match(r"This needs ([^,;:.]+)", reason), re.search(r"--[a-z-]+", reason)
    return (lacked[1] if lacked else "others"), (option[0] if option else "")


def _verdicts_in_order(results: Mapping[str, Any]) -> Iterable[Verdict]:
    """The verdicts that there are: red ones first, then what held, then what was not judged."""
    first = (Verdict.FAIL, Verdict.ERROR, Verdict.BLOCKED, Verdict.WARN, Verdict.PASS, Verdict.NOTE)
    return (verdict for verdict in dict.fromkeys((*first, *Verdict)) if results["summary"][verdict])


def _count(results: Mapping[str, Any], verdict: Verdict) -> str:
    counted = f"{results['summary'][verdict]} {verdict}"
    if verdict is not Verdict.UNTESTED:
        return counted
    untested = [rule for rule in results["rules"] if rule["verdict"] == verdict]
    clients = sum(rule["party"] == "client" for rule in untested)
    return f"{counted} ({'' if clients == len(untested) else f'{clients} '}client rules)" if clients else counted


def repeat_command(results: Mapping[str, Any], rule: Mapping[str, Any] | None = None) -> str:
    """The command that judges again, in a POSIX shell's form; what a project has set otherwise does not change it.

    A rule is judged by the first test that shows what is said of it; a name with circumstances only if no other does.
    A live run draws the same from its seed, with new ids, since a server remembers its own.

    Args:
        results: The results.
        rule: The rule to judge; None for all of them.
    """
    if results["target"] == TRAFFIC:
        return results.get("command") or "conformance sandbox --judge" + (" --strict" if results["strict"] else "")
    apis = [rule["api"]] if rule else list(dict.fromkeys(each["api"] for each in results["rules"]))
    words = ["conformance", "run", *apis, "--target", results["target"]]
    for name, url in results["base_urls"].items():
        if name in apis:
            words += ["--base-url", f"{name}={url}"]
    selected = results.get("selected", {"rules": [], "tests": []})
    for pattern in [rule["id"]] if rule else selected["rules"]:
        words += ["--rule", pattern]
    for test in _showing(rule) if rule else selected["tests"]:
        words += ["--test", test]
    if results["target"] in _DRAWING:
        words += ["--seed", results["seed"]]
    if results["examples"] not in {None, EXAMPLES}:
        words += ["--examples", str(results["examples"])]
    if results["target"] == "replay" and results["cassettes"]:
        words += ["--cassettes", results["cassettes"]]
    if results["pin_agent"]:
        words += ["--pin-agent", results["pin_agent"]]
    words += [f"--{name}" for name, given in (("allow-wait", "allow_wait"), ("strict", "strict")) if results[given]]
    return shlex.join(words)


def _showing(rule: Mapping[str, Any]) -> list[str]:
    """The first test that shows what is said of a rule, if one does; one under circumstances if no other does."""
    tests = [finding["test"] for finding in deciding_findings(rule) if finding["test"]]
    return sorted(tests, key=lambda test: "@" in test)[:1]


def deciding_findings(rule: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The findings that gave a rule its verdict."""
    return [finding for finding in rule["findings"] if finding["verdict"] == rule["verdict"]]


def observation(finding: Mapping[str, Any]) -> str:
    """What a finding saw, or why it could not be judged, in one sentence."""
    if finding["reason"]:
        return str(finding["reason"])
    return f"{finding['where']}: expected {finding['expected']}, got {finding['got']}"


@dataclass(frozen=True)
class Block:
    """Rules that could not be judged for one cause.

    Args:
        cause: The rule that is broken; None if none is known, so that the step alone tells what happened.
        steps: What was to be done and was not, as sentences.
        rules: The rules that were not judged.
    """

    cause: str | None
    steps: Sequence[str]
    rules: Sequence[Mapping[str, Any]]

    @property
    def title(self) -> str:
        """How many rules are blocked by what, such as ``62 rules blocked by offblocks.challenge.nonce``."""
        number = f"{len(self.rules)} rule{'' if len(self.rules) == 1 else 's'}"
        return f"{number} blocked by {self.cause}" if self.cause else f"{number} blocked: {self.steps[0]}"

    def repeated(self, results: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """The rule to judge again, so as to see the cause alone; None for all of them."""
        cause = next((rule for rule in results["rules"] if rule["id"] == self.cause), None)
        return cause or (self.rules[0] if len(self.rules) == 1 else None)


def blocks(results: Mapping[str, Any]) -> list[Block]:
    """The rules that were blocked, by their causes; the one that blocks most comes first.

    Args:
        results: Results in the form of ``specs/schemas/results.json``.
    """
    groups: dict[tuple[str | None, str], list[Mapping[str, Any]]] = {}
    for rule in results["rules"]:
        if rule["verdict"] == Verdict.BLOCKED:
            cause = rule["blocked_by"]
            groups.setdefault((cause, "" if cause else without_ids(rule["reason"])), []).append(rule)
    found = [
        Block(
            cause, list({without_ids(rule["reason"]): rule["reason"] for rule in reversed(rules)}.values())[::-1], rules
        )
        for (cause, _), rules in groups.items()
    ]
    return sorted(found, key=lambda block: -len(block.rules))


def by_reason(rules: Iterable[Mapping[str, Any]]) -> Mapping[str, Sequence[Mapping[str, Any]]]:
    """The rules by the reason for which they were not judged; of reasons that differ in ids alone the first is given.

    Args:
        rules: The rules, in the form of ``specs/schemas/results.json``.
    """
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for rule in rules:
        groups.setdefault(without_ids(rule["reason"]), []).append(rule)
    return {group[0]["reason"]: group for group in groups.values()}


def topic(rule: Mapping[str, Any]) -> str:
    """The middle part of a rule's id."""
    return str(rule["id"]).split(".")[1]


def printable(text: str) -> str:
    """`text` with what would steer a terminal, or has no place in XML, escaped; line ends and tabs stay."""
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() or letter in "\n\t" else letter.encode("unicode_escape").decode()
        for letter in text
    )


def markdown_cell(text: str) -> str:
    """A text that stays in its cell of a table in Markdown, and is taken for no mark-up."""
    plain = " ".join(printable(text).split())
    for letter in "\\|<`*_[":
        plain = plain.replace(letter, f"\\{letter}")
    return plain
