"""Results of several runs as those of one, so that the jobs of a CI matrix can share the work."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from conformance import ConformanceError
from conformance.catalogue import Basis, Level, Party
from conformance.judging.baseline import FAILING, Entry, State
from conformance.judging.results import INTERRUPTED, UNJUDGED, is_gap, main_flow_missing, share_missing
from conformance.verdicts import Conclusion, Verdict, conclusion

_ALIKE = ("target", "strict", "seed", "examples", "cassettes", "pin_agent", "command")
"""What must be the same in all runs, since the command that repeats a rule is made from it."""
_PRECEDENCE = tuple(Verdict)

Results = Mapping[str, Any]


class NotMergedError(ConformanceError, ValueError):
    """Results cannot be merged; the message says which, and why."""


def merged(parts: Sequence[tuple[str, Results]]) -> dict[str, Any]:
    """The results of several runs as those of one.

    A rule that several runs judged has the findings of all of them, and the verdict that all of these give together.

    Args:
        parts: What each run is called, and its results in the form of ``specs/schemas/results.json``.

    Returns:
        Results in the same form.

    Raises:
        NotMergedError: If the runs judged different things, by different rules, or in different ways.
    """
    (first_name, first), *others = parts
    for name, results in others:
        _require_alike(first_name, first, name, results)
    all_results = [results for _, results in parts]
    renamed = _exchanges(parts)
    rules = _rules(parts, renamed)
    verdicts = _verdicts(rules)
    counted = Counter(verdicts.values())
    baseline = _baseline(all_results, verdicts)
    members: dict[str, Any] = {
        **first,
        "subject": " and ".join(_each(results["subject"] for results in all_results)),
        "selected": _selected(all_results),
        "allow_wait": any(results["allow_wait"] for results in all_results),
        "started": min(results["started"] for results in all_results),
        "duration_s": round(sum(results["duration_s"] for results in all_results), 3),
        "verdict": _conclusion(all_results, verdicts, baseline.get("entries", ())).value,
        "summary": {verdict.value: counted[verdict] for verdict in Verdict},
        "scenarios": _united(results["scenarios"] for results in all_results),
        "apis": _united(results["apis"] for results in all_results),
        "base_urls": _united(results["base_urls"] for results in all_results),
        "remarks": _each(remark for results in all_results for remark in results["remarks"]),
        "broken_but_inferred": [rule["id"] for rule in rules if _is_broken_but_inferred(rule)],
        "rules": rules,
        "exchanges": [exchange for _, exchanges in renamed for exchange in exchanges.values()],
    }
    members["tests"] = len(members["scenarios"])
    for name, value in (
        ("interrupted", any(results.get("interrupted") for results in all_results)),
        ("baseline", baseline),
    ):
        members.pop(name, None)
        if value:
            members[name] = value
    members.pop("mistakes", None)  # what all runs show may rule out what one of them does not
    members["contradictions"] = _unlike(each for results in all_results for each in results.get("contradictions", ()))
    if any("left_behind" in results for results in all_results):
        members["left_behind"] = _left_behind(all_results)
    if recorded := [results["recorded"] for results in all_results if "recorded" in results]:
        members["recorded"] = _recorded(recorded)
    return members


def continued(
    name: str, earlier: Results, later: Results, main_flows: Iterable[str], least: int | None
) -> dict[str, Any]:
    """The results of a run that was interrupted and has gone on.

    Args:
        name: What the earlier part is called.
        earlier: Its results.
        later: Those of the rest.
        main_flows: The ids of the rules that must have been judged in either part.
        least: The share of the rules for providers that must have been, in percent; None for any.

    Returns:
        Results in the same form; inconclusive if the rest was interrupted too, or such a rule was not judged.

    Raises:
        NotMergedError: As `merged` does.
    """
    parts = [dict(earlier), dict(later)]
    for results in parts:
        verdicts = _verdicts(results["rules"])
        results["verdict"] = _of_verdicts(verdicts, results.get("baseline", {}).get("entries", ())).value
        results["remarks"] = [each for each in results["remarks"] if not is_gap(each)]
    parts[0].pop("interrupted", None)
    members = merged([(name, parts[0]), ("the rest of it", parts[1])])
    binding = [rule for rule in members["rules"] if rule["party"] == Party.PROVIDER]
    judged = {rule["id"] for rule in binding if Verdict(rule["verdict"]) not in UNJUDGED}
    gaps = [main_flow_missing(members["apis"], rule) for rule in main_flows if rule not in judged]
    gaps += share_missing(len(judged), len(binding), least)
    if later.get("interrupted"):
        gaps.append(INTERRUPTED)
    if gaps and members["verdict"] == Conclusion.CONFORMS:
        members["verdict"] = Conclusion.INCONCLUSIVE.value
    members["remarks"] += gaps
    return members


def _require_alike(first_name: str, first: Results, name: str, results: Results) -> None:
    if first["suite"] != results["suite"]:
        raise NotMergedError(
            f"{first_name} was judged by version {first['suite']['version']} of the suite and {name} by version "
            f"{results['suite']['version']}: judge both by the same one."
        )
    for member in _ALIKE:
        one, other = first.get(member), results.get(member)
        if one != other:
            option = member.replace("_", "-")
            raise NotMergedError(
                f"{first_name} has the {option} {one!r} and {name} has {other!r}: only runs with the same one make one "
                "verdict. Run both alike."
            )
    for api in first["base_urls"].keys() & results["base_urls"].keys():
        if first["base_urls"][api] != results["base_urls"][api]:
            raise NotMergedError(
                f"{first_name} judged {api} at {first['base_urls'][api]} and {name} at {results['base_urls'][api]}: "
                "these are two servers. Make a report of each."
            )


def _exchanges(parts: Sequence[tuple[str, Results]]) -> list[tuple[dict[str, str], dict[str, Any]]]:
    """The exchanges of each part by their new ids, with these by the old ones; an id that two parts have is changed."""
    taken: dict[str, Any] = {}
    found = []
    for name, results in parts:
        ids: dict[str, str] = {}
        kept: dict[str, Any] = {}
        for exchange in results["exchanges"]:
            identifier = exchange["id"]
            if identifier in taken and taken[identifier] != exchange:
                identifier = f"{identifier} in {name}"
            if identifier not in taken:
                taken[identifier] = exchange
                kept[identifier] = {**exchange, "id": identifier}
            ids[exchange["id"]] = identifier
        found.append((ids, kept))
    return found


def _rules(
    parts: Sequence[tuple[str, Results]], renamed: Sequence[tuple[Mapping[str, str], Mapping[str, Any]]]
) -> list[dict[str, Any]]:
    rules: dict[str, dict[str, Any]] = {}
    findings: dict[str, dict[tuple[Any, ...], dict[str, Any]]] = {}
    for (name, results), (ids, _) in zip(parts, renamed, strict=True):
        for rule in results["rules"]:
            known = rules.setdefault(rule["id"], dict(rule))
            if known.get("digest") != rule.get("digest"):
                raise NotMergedError(
                    f"{name} words the rule {rule['id']} otherwise than {parts[0][0]}: judge both by the same rules."
                )
            if _PRECEDENCE.index(rule["verdict"]) < _PRECEDENCE.index(known["verdict"]):
                known |= {member: rule[member] for member in ("verdict", "reason", "blocked_by")}
            for finding in rule["findings"]:
                told = {**finding, "exchange": ids.get(finding["exchange"], finding["exchange"])}
                findings.setdefault(rule["id"], {}).setdefault(tuple(told.values()), told)
    return [{**rule, "findings": list(findings.get(name, {}).values())} for name, rule in rules.items()]


def _conclusion(
    parts: Sequence[Results], verdicts: Mapping[str, Verdict], entries: Iterable[Mapping[str, Any]]
) -> Conclusion:
    """What all verdicts say together; what a run was inconclusive for besides its verdicts still counts."""
    reached = _of_verdicts(verdicts, entries)
    is_lacking = any(
        results["verdict"] == Conclusion.INCONCLUSIVE
        and _of_verdicts(_verdicts(results["rules"]), results.get("baseline", {}).get("entries", ()))
        is Conclusion.CONFORMS
        for results in parts
    )
    return Conclusion.INCONCLUSIVE if reached is Conclusion.CONFORMS and is_lacking else reached


def _verdicts(rules: Iterable[Mapping[str, Any]]) -> dict[str, Verdict]:
    return {rule["id"]: Verdict(rule["verdict"]) for rule in rules}


def _of_verdicts(verdicts: Mapping[str, Verdict], entries: Iterable[Mapping[str, Any]]) -> Conclusion:
    told = list(entries)
    known = {entry["rule"] for entry in told if entry["state"] == State.KNOWN}
    return conclusion(
        (verdict for rule, verdict in verdicts.items() if rule not in known),
        baseline_is_wrong=any(entry["state"] in FAILING for entry in told),
    )


def _baseline(parts: Sequence[Results], verdicts: Mapping[str, Verdict]) -> dict[str, Any]:
    """How what is known to fail stands to all that was judged; empty if no run had a baseline."""
    given = [results for results in parts if "baseline" in results]
    if not given:
        return {}
    entries: dict[str, Mapping[str, Any]] = {}
    for results in given:
        for entry in results["baseline"]["entries"]:
            entries.setdefault(entry["rule"], entry)
    today = datetime.fromisoformat(max(results["started"] for results in given)).date()
    told = [{**entry, "state": _state(entry, verdicts.get(rule), today)} for rule, entry in entries.items()]
    return {"file": " and ".join(_each(results["baseline"]["file"] for results in given)), "entries": told}


def _state(entry: Mapping[str, Any], verdict: Verdict | None, today: date) -> str:
    until = date.fromisoformat(entry["until"]) if entry["until"] else None
    return Entry(entry["rule"], entry["reason"], entry["ticket"] or "", until).state(verdict, today).value


def _is_broken_but_inferred(rule: Mapping[str, Any]) -> bool:
    return bool(rule["basis"] == Basis.INFERRED and rule["level"] != Level.MAY and rule["verdict"] == Verdict.NOTE)


def _selected(parts: Sequence[Results]) -> dict[str, list[str]]:
    """The rules and tests that were asked for; none if a run judged all, since then all of them were."""
    given = [results.get("selected", {"rules": [], "tests": []}) for results in parts]
    if not all(each["rules"] or each["tests"] for each in given):
        return {"rules": [], "tests": []}
    return {kind: _each(name for each in given for name in each[kind]) for kind in ("rules", "tests")}


def _left_behind(parts: Sequence[Results]) -> dict[str, list[str]]:
    """What all runs have left at each API."""
    names = _each(api for results in parts for api in results.get("left_behind", {}))
    return {
        api: _each(made for results in parts for made in results.get("left_behind", {}).get(api, ())) for api in names
    }


def _recorded(recorded: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "servers": _each(url for each in recorded for url in each["servers"]),
        "first": min(each["first"] for each in recorded),
        "last": max(each["last"] for each in recorded),
    }


def _each(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(texts))


def _united(mappings: Iterable[Mapping[str, str]]) -> dict[str, str]:
    return {name: value for mapping in mappings for name, value in mapping.items()}


def _unlike(items: Iterable[Any]) -> list[Any]:
    kept: list[Any] = []
    for item in items:
        if item not in kept:
            kept.append(item)
    return kept
