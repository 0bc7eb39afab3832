"""Cards of a page: one for each rule that was not kept, and for each cause that kept rules from being judged."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from conformance.reporting.advice import of_block, them_or_you
from conformance.reporting.alike import Alike, alike, differing
from conformance.reporting.differences import marked
from conformance.reporting.exchanges import LONGEST_BODY, Exchanges, folded
from conformance.reporting.explanation import explanation
from conformance.reporting.markup import Html, joined, prose, tag
from conformance.reporting.phrases import Block, deciding_findings, entry_line, in_state, repeat_command
from conformance.verdicts import Verdict

_MOST_IN_FULL = 1_100_000
"""The characters of the cards that stand on a page in full; after these a card says no more than what was seen."""
_LONGEST_IN_BRIEF = 160
_MOST_KINDS = 6
_MOST_VALUES = 3
_MOST_TESTS = 3
_MOST_RULES = 500
_FEW_RULES = 3
_MOST_STEPS = 5
_MOST_STATEMENTS = 3
_DIFFER = {
    "where": "place",
    "expected": "what was expected",
    "got": "what came",
    "reason": "the reason",
    "test": "test",
}


class Cards:
    """Makes the cards of one page.

    Args:
        results: Results in the form of ``specs/schemas/results.json``.
        exchanges: The exchanges of the page.
    """

    def __init__(self, results: Mapping[str, Any], exchanges: Exchanges) -> None:
        self._results = results
        self._exchanges = exchanges
        self._left = _MOST_IN_FULL
        self._known = {entry["rule"]: entry for entry in in_state(results, "known")}

    def of_rule(self, rule: Mapping[str, Any]) -> Html:
        """The card of a rule that was not kept, or that the suite failed to judge; in brief where the page is full."""
        known = self._known.get(rule["id"])
        is_for_vendor = rule["party"] == "provider" and rule["verdict"] in {Verdict.FAIL, Verdict.WARN}
        card = tag(
            "article",
            _heading(rule),
            tag("p", tag("b", "Known to fail: "), entry_line(known)) if known else "",
            *(self._in_full(rule) if self._left > 0 else self._in_brief(rule)),
            _repeat(repeat_command(self._results, rule)),
            tag(
                "button",
                "Copy for the vendor",
                type="button",
                css="copy",
                data_copy="card",
                aria_live="polite",
                hidden=True,
            )
            if is_for_vendor
            else "",
            css=f"card {rule['verdict']}",
            id=rule["id"],
            data_api=rule["api"],
            data_protects=rule["protects"] or "",
            data_vendor=is_for_vendor and not known,
            data_facts=f"{rule['level']}, {rule['basis']}",
        )
        self._left -= len(card)
        return card

    def _in_full(self, rule: Mapping[str, Any]) -> Iterator[Html]:
        findings = deciding_findings(rule)
        first = findings[0]
        shown = self._exchanges.find(first["exchange"])
        who, why = them_or_you(self._results, rule, shown)
        explained = explanation(self._results, rule, findings, shown)
        yield _asked(rule)
        yield tag("dl", *self._seen(rule, first, LONGEST_BODY))
        yield tag("h4", "Them or you")
        yield tag("p", tag("b", f"{who}. "), prose(why))
        yield tag("h4", "Diagnosis")
        if explained:
            yield tag("ul", *(tag("li", prose(folded(each))) for each in explained))
        else:
            yield tag("p", "No known mistake explains it.")
        yield tag("h4", "Exchange")
        if first["exchange"]:
            yield self._exchanges.shown(first["exchange"])
        else:
            yield tag("p", "No single exchange shows it. The test: ", tag("code", first["test"]), ".")
        if len(findings) > 1:
            yield _further(findings)

    def _in_brief(self, rule: Mapping[str, Any]) -> Iterator[Html]:
        findings = deciding_findings(rule)
        yield tag("dl", *self._seen(rule, findings[0], _LONGEST_IN_BRIEF))
        number = f"{len(findings)} finding{'' if len(findings) == 1 else 's'}"
        yield tag("p", f"This page is full: results.json has the {number} of this rule, with sources and exchanges.")

    def of_block(self, block: Block) -> Html:
        """The card of what kept rules from being judged; in brief where the page is full."""
        most, longest = (_MOST_STEPS, LONGEST_BODY) if self._left > 0 else (1, _LONGEST_IN_BRIEF)
        findings = [finding for rule in block.rules for finding in deciding_findings(rule)]
        identifier = next((finding["exchange"] for finding in findings if finding["exchange"]), None)
        who, why = of_block(self._results, block, self._exchanges.find(identifier))
        cause = tag("a", tag("code", block.cause), href=f"#{block.cause}") if block.cause else ""
        number = len(block.rules)
        plural = "" if number == 1 else "s"
        steps = [folded(step, longest) for step in block.steps[:most]]
        if more := len(block.steps) - len(steps):
            steps.append(f"and {more} more steps" if more > 1 else "and one more step")
        card = tag(
            "article",
            tag(
                "header",
                tag("span", Verdict.BLOCKED.value, css="badge"),
                tag("h3", f"{number} rule{plural} not judged", *([" because of ", cause] if cause else [])),
            ),
            tag("ul", *(tag("li", step) for step in steps)),
            tag("h4", "Them or you"),
            tag("p", tag("b", f"{who}. "), prose(why)),
            *([tag("h4", "Exchange"), self._exchanges.shown(identifier)] if identifier and self._left > 0 else []),
            _repeat(repeat_command(self._results, block.repeated(self._results))),
            tag(
                "details",
                tag("summary", f"The rule{plural} not judged"),
                tag("ul", *(_blocked(rule) for rule in block.rules[:_MOST_RULES])),
                tag("p", f"and {number - _MOST_RULES} more in results.json") if number > _MOST_RULES else "",
                open=number <= _FEW_RULES,
            ),
            css="card blocked",
            data_api=block.rules[0]["api"],
            data_protects="",
        )
        self._left -= len(card)
        return card

    def _seen(self, rule: Mapping[str, Any], finding: Mapping[str, Any], longest: int) -> Iterator[Html]:
        yield from _row("side", "provider: the API" if rule["party"] == "provider" else "client: the integration")
        if finding["reason"]:
            yield from _row("reason", folded(finding["reason"], longest))
        else:
            expected, got = marked(folded(finding["expected"], longest), folded(finding["got"], longest))
            yield from _row("place", folded(finding["where"], longest))
            yield from _row("expected", expected)
            yield from _row("got", got if finding["got"] else tag("mark", "nothing"))
        if scenario := self._results["scenarios"].get(finding["test"]):
            yield from _row("scenario", folded(scenario, longest))


def _heading(rule: Mapping[str, Any]) -> Html:
    protects = tag("span", f"protects {rule['protects']}", css="badge protects") if rule["protects"] else ""
    return tag(
        "header",
        tag("span", rule["verdict"], css="badge"),
        protects,
        tag("h3", prose(rule["title"])),
        tag("p", tag("code", rule["id"]), f" {rule['level']}, {rule['basis']}", css="quiet"),
    )


def _asked(rule: Mapping[str, Any]) -> Html:
    """What the documents ask for, with a link to each sentence."""
    said: dict[str, list[Mapping[str, str]]] = {}
    for source in rule["sources"]:
        places = [place for place in source.get("statements", ()) if place["says"]]
        for place in places or [{"says": "", "text": source["text"], "url": source["url"]}]:
            said.setdefault(place["says"], []).append(place)
    listed = [_statement(says, places) for says, places in said.items()]
    more = len(listed) - _MOST_STATEMENTS
    if more > 1:
        folded_away = tag("ul", *listed[_MOST_STATEMENTS:], css="asked")
        listed[_MOST_STATEMENTS:] = [tag("li", tag("details", tag("summary", f"{more} more statements"), folded_away))]
    asks = "No document says so; it rests on" if rule["basis"] == "inferred" else "What is asked for"
    return joined(tag("h4", asks), tag("ul", *listed, css="asked"))


def _statement(says: str, places: Sequence[Mapping[str, str]]) -> Html:
    """What a document says, in our words, with a link to each place that says so."""
    links = [tag("a", place["text"], href=place["url"], rel="noreferrer") for place in places]
    linked = (part for link in links for part in ("; ", link))
    return tag("li", tag("span", prose(says)), " " if says else "", *list(linked)[1:], css="statement")


def _row(name: str, value: str) -> Iterator[Html]:
    yield tag("dt", name)
    yield tag("dd", value)


def _repeat(command: str) -> Html:
    return joined(tag("h4", "Repeat it"), tag("pre", command, css="command"))


def _further(findings: Sequence[Mapping[str, Any]]) -> Html:
    """What else was found of the rule: how much, and in what it differs."""
    number = len(findings) - 1
    differ = [
        f"{_DIFFER[name]} ({values} values)" if name != "test" else f"test ({values} tests)"
        for name, values in differing(findings)
    ]
    told = f"; they differ in {', '.join(differ)}" if differ else ", which say the same"
    groups = alike(findings)
    rows = [_group(group) for group in groups[:_MOST_KINDS]]
    more = len(groups) - _MOST_KINDS
    return tag(
        "details",
        tag("summary", f"{number} further finding{'' if number == 1 else 's'}{told}"),
        tag("ul", *rows, css="further"),
        tag("p", f"and {more} more kinds in results.json") if more > 0 else "",
    )


def _group(group: Alike) -> Html:
    first = group.first
    if first["reason"]:
        said = folded(first["reason"])
    else:
        came = _few(list(group.got), _MOST_VALUES)
        said = folded(f"{first['where']}: expected {first['expected']}, got {came}")
    return tag(
        "li",
        tag("b", "once" if group.count == 1 else f"{group.count} times"),
        f" {said}",
        tag("small", _few(list(group.tests), _MOST_TESTS)),
    )


def _few(values: Sequence[str], most: int) -> str:
    more = f" and {len(values) - most} more" if len(values) > most else ""
    return ", ".join(value or "nothing" for value in values[:most]) + more


def _blocked(rule: Mapping[str, Any]) -> Html:
    return tag("li", tag("code", rule["id"]), " ", prose(rule["title"]), id=rule["id"])
