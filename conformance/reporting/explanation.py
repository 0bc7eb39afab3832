"""What explains that a rule is broken: known mistakes, what the answer says, the circumstance that it takes."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from conformance.judging.results import refusal_in

_MOST_MISTAKES = 3


def explanation(
    results: Mapping[str, Any],
    rule: Mapping[str, Any],
    findings: Sequence[Mapping[str, Any]],
    exchange: Mapping[str, Any] | None,
) -> list[str]:
    """What explains a broken rule, in sentences; none if nothing that is known does.

    Args:
        results: Results in the form of ``specs/schemas/results.json``.
        rule: The rule.
        findings: Those that say that it is broken.
        exchange: The exchange of the first of them, None if there is none.
    """
    return [*_mistakes(results, rule), *_answer(exchange), *_circumstance(findings), *_blocked(results, rule)]


def covering(results: Mapping[str, Any], rules: Sequence[str]) -> list[str]:
    """The names of few known mistakes that explain all of these rules together; empty if some rule has none.

    Args:
        results: The results.
        rules: The ids of broken rules.
    """
    left, named = set(rules), []
    while left:
        best = max(
            results.get("mistakes", ()), key=lambda mistake: len(left.intersection(mistake["rules"])), default=None
        )
        if best is None or not left.intersection(best["rules"]):
            return []
        named.append(best["name"])
        left -= set(best["rules"])
    return named


def _mistakes(results: Mapping[str, Any], rule: Mapping[str, Any]) -> Iterator[str]:
    known = [mistake for mistake in results.get("mistakes", ()) if rule["id"] in mistake["rules"]]
    for mistake in known[:_MOST_MISTAKES]:
        others = len(mistake["rules"]) - 1
        more = (
            f" It breaks this rule and {others} more that {'is' if others == 1 else 'are'} broken here."
            if others
            else ""
        )
        yield f"A known mistake would do this: {mistake['does']} ({mistake['name']}){more}"
    more_known = len(known) - _MOST_MISTAKES
    if more_known > 0:
        yield f"So would {more_known} more: `conformance rules show {rule['id']}` lists them."


def _answer(exchange: Mapping[str, Any] | None) -> Iterator[str]:
    if exchange and (said := refusal_in(exchange)):
        yield f"The answer says: {said}"


def _circumstance(findings: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    under = dict.fromkeys(finding["test"].partition("@")[2] for finding in findings)
    if under and "" not in under:
        yield f"It was seen under circumstances only: {', '.join(under)}."


def _blocked(results: Mapping[str, Any], rule: Mapping[str, Any]) -> Iterator[str]:
    kept = sum(each["blocked_by"] == rule["id"] for each in results["rules"])
    if kept:
        yield f"It keeps {kept} other rule{'' if kept == 1 else 's'} from being judged."
