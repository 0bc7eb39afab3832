"""Dense rows of a page: the rules that need no card, one line each."""

from collections.abc import Mapping, Sequence
from typing import Any

from conformance.reporting.exchanges import folded
from conformance.reporting.markup import Html, joined, prose, tag
from conformance.reporting.phrases import deciding_findings, observation
from conformance.verdicts import Verdict

_LONGEST = 512


def table(rules: Sequence[Mapping[str, Any]], caption: str, told: str = "") -> Html:
    """Rules as a table, one row each.

    Args:
        rules: The rules, in the form of ``specs/schemas/results.json``.
        caption: What they have in common, for those who do not see the heading.
        told: The name of the last column, which says what was seen; without it there is none.
    """
    columns = filter(None, ("Rule", "Claim", told))
    return tag(
        "table",
        tag("caption", caption),
        tag("thead", tag("tr", *(tag("th", column, scope="col") for column in columns))),
        tag("tbody", *(_row(rule, tag("td", _told(rule)) if told else "") for rule in rules)),
    )


def _row(rule: Mapping[str, Any], last: str) -> Html:
    claim = f"{rule['level']}, {rule['basis']}" + (", client" if rule["party"] == "client" else "")
    return tag(
        "tr",
        tag("th", tag("code", rule["id"]), " ", prose(rule["title"]), scope="row"),
        tag("td", claim),
        last,
        id=rule["id"],
        css=rule["verdict"],
        data_api=rule["api"],
        data_protects=rule["protects"] or "",
    )


def _told(rule: Mapping[str, Any]) -> Html:
    """What was seen of a rule that held, or of one whose finding is worth a note."""
    if rule["verdict"] == Verdict.PASS:
        number = len(rule["findings"])
        return joined("once" if number == 1 else f"{number} times")
    seen = rule["reason"] if rule["basis"] == "contradicted" else observation(deciding_findings(rule)[0])
    return prose(folded(seen.removeprefix("Sources disagree; seen: "), _LONGEST))
