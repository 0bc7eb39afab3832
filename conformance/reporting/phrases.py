"""What all reports say in the same words: a run's verdict, what a finding saw, the command that repeats it."""

import shlex
from collections.abc import Iterable, Mapping
from typing import Any

from conformance.options import EXAMPLES, FIXED_SEED
from conformance.verdicts import Verdict


def verdict_line(results: Mapping[str, Any]) -> str:
    """The line that states the verdict: of which APIs, on what subject, with how many rules of each verdict.

    Args:
        results: Results in the form of ``specs/schemas/results.json``.
    """
    apis = " and ".join(results["apis"].values())
    counts = ", ".join(_count(results, verdict) for verdict in _verdicts_in_order(results))
    subject = printable(results["subject"])
    return f"{results['verdict'].upper()}: {apis}, {subject}: {counts} in {results['duration_s']:.1f} s"


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
    """The command that judges again, in a POSIX shell's form.

    A live run is repeated with new ids, since its own may be taken now.

    Args:
        results: The results.
        rule: The rule to judge; None for all of them.
    """
    apis = [rule["api"]] if rule else list(dict.fromkeys(each["api"] for each in results["rules"]))
    words = ["conformance", "run", *apis]
    if results["target"] != "replay":
        words += ["--target", results["target"]]
    for name, url in results["base_urls"].items():
        if name in apis:
            words += ["--base-url", f"{name}={url}"]
    if rule:
        words += ["--rule", rule["id"]]
    if results["target"] == "sandbox" and results["seed"] not in {None, FIXED_SEED}:
        words += ["--seed", results["seed"]]
    if results["examples"] not in {None, EXAMPLES}:
        words += ["--examples", str(results["examples"])]
    if results["target"] == "replay" and results["cassettes"]:
        words += ["--cassettes", results["cassettes"]]
    if results["pin_agent"]:
        words += ["--pin-agent", results["pin_agent"]]
    words += [f"--{name}" for name, given in (("allow-wait", "allow_wait"), ("strict", "strict")) if results[given]]
    return shlex.join(words)


def deciding_findings(rule: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The findings that gave a rule its verdict."""
    return [finding for finding in rule["findings"] if finding["verdict"] == rule["verdict"]]


def observation(finding: Mapping[str, Any]) -> str:
    """What a finding saw, or why it could not be judged, in one sentence."""
    if finding["reason"]:
        return str(finding["reason"])
    return f"{finding['where']}: expected {finding['expected']}, got {finding['got']}"


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
