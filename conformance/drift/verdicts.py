"""The results of two runs compared, rule by rule."""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from conformance.drift.form import Change, Comparison, Impact, NotComparableError, SuiteChanged
from conformance.files import data_path, first_problem
from conformance.verdicts import Verdict

_BROKEN = {Verdict.FAIL: Impact.BREAKING, Verdict.WARN: Impact.RISKY, Verdict.NOTE: Impact.RISKY}
"""The verdicts that say that a rule is broken, or that sources disagree of it, and what coming to one means."""
_UNJUDGED = {Verdict.ERROR, Verdict.BLOCKED, Verdict.SKIPPED, Verdict.UNTESTED}
_PRECEDENCE = tuple(Verdict)
_OPTIONS = ("target", "strict", "examples", "allow_wait", "pin_agent")
"""What two runs may have been asked otherwise, so that their verdicts differ."""
_MOST_PLACES = 3


def compare(before: Any, after: Any, names: tuple[str, str]) -> Comparison:
    """What changed between two results.

    Args:
        before: The older ones, in the form of ``specs/schemas/results.json``.
        after: The newer ones.
        names: What messages call them.

    Raises:
        NotComparableError: If one of them has another form, or they are of different APIs.
    """
    for results, name in zip((before, after), names, strict=True):
        if problem := first_problem(_schema(), results):
            place, message = problem
            where = "/".join(map(str, place)) or "the top"
            raise NotComparableError(f"{name} is wrong at {where}: {message}")
    shared = set(before["apis"]) & set(after["apis"])
    if not shared:
        raise NotComparableError(
            f"{names[0]} is of {', '.join(before['apis'])} and {names[1]} of {', '.join(after['apis'])}: "
            "they have no API in common."
        )
    old, new = ({rule["id"]: rule for rule in each["rules"] if rule["api"] in shared} for each in (before, after))
    changes = [change for name in dict.fromkeys((*old, *new)) for change in _changes(old.get(name), new.get(name))]
    return Comparison("verdicts", _told(before), _told(after), changes, tuple(_remarks(before, after)))


@cache
def _schema() -> Any:
    import jsonschema_rs  # noqa: PLC0415  (50 ms that only a reader of results should pay)

    return jsonschema_rs.validator_for(json.loads(data_path("specs/schemas/results.json").read_bytes()))


def _told(results: Mapping[str, Any]) -> str:
    return f"{results['subject']}, {results['started']}"


def _remarks(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    for name in _OPTIONS:
        if before[name] != after[name]:
            yield f"The runs differ in {name}, {before[name]} before and {after[name]} after; so may verdicts."
    versions = [each["suite"]["version"] for each in (before, after)]
    if versions[0] != versions[1]:
        yield f"The suite was {versions[0]} and is {versions[1]}; the digest of a rule does not cover its tests."
    for api in sorted(set(before["apis"]) ^ set(after["apis"])):
        yield f"{api} is in one of the two alone, and was not compared."


def _changes(old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> Iterator[Change]:
    """What changed of one rule; it may be in one of the results alone."""
    if old is None and new is not None:
        impact = _BROKEN.get(Verdict(new["verdict"]), Impact.HARMLESS)
        yield _change("rule-added", impact, new, "", _seen(new), SuiteChanged.YES)
        return
    if new is None and old is not None:
        yield _change("rule-removed", Impact.RISKY, old, _seen(old), "", SuiteChanged.YES)
        return
    if old is None or new is None:
        return
    suite = _suite(old, new)
    was, now = Verdict(old["verdict"]), Verdict(new["verdict"])
    readings = [sorted({each["reading"] for each in rule["findings"] if each["reading"]}) for rule in (old, new)]
    if was is not now:
        kind, impact = _rated(was, now)
        yield _change(kind, impact, new, _seen(old), _seen(new), suite)
    elif readings[0] != readings[1] and all(readings):
        told = [f"follows {' and '.join(each)}" for each in readings]
        yield _change("rule-read-otherwise", Impact.RISKY, new, told[0], told[1], suite)
    elif further := _broken_places(new) - _broken_places(old):
        places = ", ".join(sorted(further)[:_MOST_PLACES])
        yield _change("rule-broken-in-more-places", Impact.RISKY, new, _seen(old), f"{now}, also at {places}", suite)


def _rated(was: Verdict, now: Verdict) -> tuple[str, Impact]:
    if now in _UNJUDGED:
        return "rule-judged-no-more" if was not in _UNJUDGED else "rule-not-judged-otherwise", (
            Impact.RISKY if was not in _UNJUDGED else Impact.HARMLESS
        )
    if now is Verdict.PASS:
        return ("rule-judged-now" if was in _UNJUDGED else "rule-mended"), Impact.HARMLESS
    if was in _BROKEN and _PRECEDENCE.index(now) > _PRECEDENCE.index(was):
        return "rule-less-broken", Impact.HARMLESS
    return "rule-broken", _BROKEN[now]


def _suite(old: Mapping[str, Any], new: Mapping[str, Any]) -> SuiteChanged:
    digests = old.get("digest"), new.get("digest")
    if None in digests:
        return SuiteChanged.UNKNOWN
    return SuiteChanged.NO if digests[0] == digests[1] else SuiteChanged.YES


def _broken_places(rule: Mapping[str, Any]) -> set[str]:
    return {f"{each['where']} in {each['test']}" for each in rule["findings"] if each["held"] is False}


def _seen(rule: Mapping[str, Any]) -> str:
    return f"{rule['verdict']}: {rule['reason']}" if rule["reason"] else str(rule["verdict"])


_ADVICE = {
    "rule-added": "Read what the rule asks for, which was not judged before.",
    "rule-removed": "Nothing; it is not judged any more.",
    "rule-broken": "Do not rely on this rule until the server keeps it again.",
    "rule-read-otherwise": "Be ready for the other reading of the documents.",
    "rule-broken-in-more-places": "Do not rely on this rule at these places either.",
    "rule-judged-no-more": "Give the run what it lacked, to know whether the rule still holds.",
}


def _change(kind: str, impact: Impact, rule: Mapping[str, Any], before: str, after: str, suite: SuiteChanged) -> Change:
    tests = dict.fromkeys(each["test"] for each in rule["findings"] if each["test"] and each["held"] is False)
    return Change(
        kind,
        impact,
        f"{rule['id']} ({rule['level']}, {rule['basis']}): {rule['title']}",
        before,
        after,
        _ADVICE.get(kind, "Nothing."),
        api=rule["api"],
        rules=(rule["id"],),
        tests=tuple(tests),
        suite_changed=suite,
    )
