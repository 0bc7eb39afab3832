"""Results as one web page that needs nothing besides itself: no other file, no network."""

import base64
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from conformance.reporting.advice import Step, next_steps, urgency
from conformance.reporting.cards import Cards
from conformance.reporting.exchanges import Exchanges, folded
from conformance.reporting.markup import Html, joined, prose, tag
from conformance.reporting.phrases import (
    blocks,
    broken_protections,
    by_reason,
    entry_line,
    in_state,
    repeat_command,
    topic,
    verdict_line,
)
from conformance.reporting.rows import table
from conformance.verdicts import Verdict

_RED = (Verdict.ERROR, Verdict.FAIL, Verdict.WARN)
_NOT_JUDGED = (Verdict.ERROR, Verdict.BLOCKED, Verdict.SKIPPED, Verdict.UNTESTED)
_MOST_NAMED = 3
_FEW_REMARKS = 3
_MOST_REMARKS = 100
_LONGEST_REASON = 512

Rules = Sequence[Mapping[str, Any]]


@cache
def _part(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


def html(results: Mapping[str, Any]) -> str:
    """The results as a page of HTML.

    First what the run says and what to do next; then a card for each rule that was not kept, broken protections before
    all and the worst first; then a row for each other rule. Whatever came from a subject is text of an element or value
    of an attribute, and so escaped. The page can be read without its script, which filters, searches and copies.

    Args:
        results: Results in the form of ``specs/schemas/results.json``.
    """
    apis = " and ".join(results["apis"].values())
    script = _part("page.js")
    allowed = base64.b64encode(sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{allowed}'"
    sections = _sections(results)
    page = tag(
        "html",
        tag(
            "head",
            tag("meta", charset="utf-8"),
            tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
            tag("meta", http_equiv="Content-Security-Policy", content=policy),
            tag("title", f"{results['verdict']}: {apis}, {results['target']}"),
            tag("style", Html(_part("page.css"))),
        ),
        tag(
            "body",
            tag("a", "To the rules", href="#rules", css="skip"),
            tag("header", *_head(results, apis)),
            _next(results),
            _finder(results, sections),
            tag("main", *(section.content for section in sections), id="rules", tabindex="-1"),
            tag("script", Html(script)),
        ),
        lang="en",
    )
    return f"<!DOCTYPE html>\n{page}\n"


def _head(results: Mapping[str, Any], apis: str) -> Iterator[Html]:
    looks = "fails" if broken_protections(results) else results["verdict"]
    yield tag("h1", f"Conformance of {apis}")
    yield tag("p", verdict_line(results), css=f"conclusion {looks}", id="verdict")
    yield _coverage(results)
    yield tag("dl", *(tag("div", tag("dt", name), tag("dd", value)) for name, value in _facts(results)), css="facts")
    yield from _remarks(results["remarks"])
    if entries := in_state(results, "gone", "expired", "known", "not judged", "needless"):
        yield tag("p", f"Baseline {results['baseline']['file']}:")
        yield tag("ul", *(tag("li", tag("code", each["rule"]), f" {entry_line(each)}") for each in entries))


def _remarks(remarks: Sequence[str]) -> Iterator[Html]:
    """What a reader should know besides; folded where it is much."""
    told = [tag("p", f"Remark: {folded(remark, _LONGEST_REASON)}") for remark in remarks[:_MOST_REMARKS]]
    if len(remarks) > _FEW_REMARKS:
        more = len(remarks) - len(told)
        rest = tag("p", f"and {more} more in results.json") if more else ""
        yield tag("details", tag("summary", f"{len(remarks)} remarks"), *told, rest)
    else:
        yield from told


def _coverage(results: Mapping[str, Any]) -> Html:
    """How many of the rules were judged: as a sentence, as a bar, and topic by topic."""
    binding = [rule for rule in results["rules"] if rule["party"] == "provider"] or results["rules"]
    judged = [rule for rule in binding if rule["verdict"] not in _NOT_JUDGED]
    counts = Counter(rule["verdict"] for rule in binding)
    given = [verdict for verdict in Verdict if counts[verdict]]
    topics: dict[str, Counter[str]] = {}
    for rule in binding:
        topics.setdefault(f"{rule['api']} {topic(rule)}", Counter())[rule["verdict"]] += 1
    head = tag("tr", tag("th", "Topic", scope="col"), *(tag("th", verdict, scope="col") for verdict in given))
    rows = (
        tag("tr", tag("th", name, scope="row"), *(tag("td", str(counted[verdict] or "")) for verdict in given))
        for name, counted in topics.items()
    )
    return joined(
        tag("p", f"{len(judged)} of {len(binding)} rules for the {binding[0]['party']} were judged.", css="coverage"),
        tag("div", *(tag("span", css=each.value, style=f"flex-grow:{counts[each]}") for each in given), css="bar"),
        tag("ul", *(tag("li", f"{counts[each]} {each}", css=each.value) for each in given), css="legend"),
        tag(
            "details",
            tag("summary", "By topic"),
            tag("table", tag("caption", "Verdicts by topic"), tag("thead", head), tag("tbody", *rows), css="topics"),
        ),
    )


def _facts(results: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "Against", results["subject"]
    yield "How", results["target"]
    for api, url in results["base_urls"].items():
        yield f"{results['apis'].get(api, api)} at", url
    if recorded := results.get("recorded"):
        yield "Recorded", _recorded(recorded)
    yield "Judged", f"{_instant(results['started'])}, in {results['duration_s']:.1f} s"
    if results["tests"]:
        yield "Tests", str(results["tests"])
    yield "Exchanges", str(len(results["exchanges"]))
    if results["seed"]:
        yield "Seed", results["seed"]
    yield "Inferred rules", "count as their level says (--strict)" if results["strict"] else "are noted"
    yield "Suite", results["suite"]["version"]


def _recorded(recorded: Mapping[str, Any]) -> str:
    """Where and when the cassettes were recorded."""
    first, last = _instant(recorded["first"]), _instant(recorded["last"])
    return f"{' and '.join(recorded['servers'])}, {first if first == last else f'{first} to {last}'}"


def _instant(text: str) -> str:
    """An instant in UTC, to the minute."""
    return f"{text[:10]} {text[11:16]} UTC"


def _next(results: Mapping[str, Any]) -> Html:
    steps = next_steps(results)
    heading = tag("h2", "What to do next", id="next-heading")
    copy = tag(
        "button", "Copy all for the vendor", type="button", css="copy", data_copy="all", aria_live="polite", hidden=True
    )
    again = joined(tag("h3", "The same run again"), tag("pre", repeat_command(results), css="command"))
    done = tag("ol", *map(_step, steps)) if steps else tag("p", "Nothing.")
    return tag("section", heading, done, copy, again, aria_labelledby="next-heading", css="next")


def _step(step: Step) -> Html:
    links = [part for rule in step.rules[:_MOST_NAMED] for part in (", ", tag("a", rule, href=f"#{rule}"))]
    more = f" and {len(step.rules) - _MOST_NAMED} more" if len(step.rules) > _MOST_NAMED else ""
    named = tag("p", *links[1:], more) if links else ""
    return tag("li", prose(step.text), named, tag("pre", step.command, css="command") if step.command else "")


@dataclass(frozen=True)
class _Section:
    """A part of the page.

    Args:
        name: The id of its heading.
        title: Its heading.
        count: Of how many rules it tells.
        content: All of it.
    """

    name: str
    title: str
    count: int
    content: Html


def _sections(results: Mapping[str, Any]) -> list[_Section]:
    cards = Cards(results, Exchanges(results))
    rules = results["rules"]
    known = {entry["rule"] for entry in in_state(results, "known")}
    guessed = set(results["broken_but_inferred"])
    inferred = [rule for rule in rules if rule["id"] in guessed]
    broken = sorted((rule for rule in rules if rule["verdict"] in _RED and rule["id"] not in known), key=urgency)
    borne = [rule for rule in rules if rule["id"] in known]
    notes = [rule for rule in rules if rule["verdict"] == Verdict.NOTE and rule["id"] not in guessed]
    readings = [rule for rule in notes if rule["basis"] == "contradicted"]
    optional = [rule for rule in notes if rule["basis"] != "contradicted"]
    causes = blocks(results)
    blocked = sum(len(block.rules) for block in causes)
    return [
        *_some("Not kept", "not-kept", "", len(broken), *map(cards.of_rule, broken)),
        *_some("Blocked", "blocked", _SAYS["blocked"], blocked, *map(cards.of_block, causes)),
        *_some("Broken but inferred", "inferred", _SAYS["inferred"], len(inferred), *map(cards.of_rule, inferred)),
        *_some("Known to fail", "known", _SAYS["known"], len(borne), *map(cards.of_rule, borne)),
        *_contradictions(results.get("contradictions", ())),
        *_rows("Readings", "readings", readings, "Seen"),
        *_rows("Notes", "notes", optional, "Seen"),
        *_rows("Passed", "passed", _with(rules, Verdict.PASS), "Held"),
        *_by_reason("Skipped", "skipped", _with(rules, Verdict.SKIPPED)),
        *_by_reason("Untested", "untested", _with(rules, Verdict.UNTESTED)),
    ]


_SAYS = {
    "blocked": "A step before them failed by the subject's doing, so they could not be judged.",
    "inferred": "What we believe it should do, though no document says so: broken, and no level counts.",
    "known": "The baseline bears them, so they do not fail the run.",
    "readings": "Sources disagree; which of them the subject follows is no fault.",
    "notes": "Worth knowing: these rules are optional.",
    "passed": "They held wherever they were judged; the last column says how often that was.",
    "skipped": "This run does not have what judging them needs.",
    "untested": "No test of this run judges them.",
}


def _with(rules: Rules, verdict: Verdict) -> Rules:
    return [rule for rule in rules if rule["verdict"] == verdict]


def _some(title: str, name: str, says: str, count: int, *content: Html) -> Iterator[_Section]:
    """A section, if there is anything in it."""
    if count:
        heading = tag("h2", f"{title} ", tag("span", str(count), css="count"), id=name)
        whole = tag("section", heading, tag("p", says) if says else "", *content, aria_labelledby=name)
        yield _Section(name, title, count, whole)


def _rows(title: str, name: str, rules: Rules, told: str) -> Iterator[_Section]:
    yield from _some(title, name, _SAYS[name], len(rules), table(rules, title, told))


def _by_reason(title: str, name: str, rules: Rules) -> Iterator[_Section]:
    groups = (
        joined(tag("h3", prose(folded(reason, _LONGEST_REASON))), table(alike, title))
        for reason, alike in by_reason(rules).items()
    )
    yield from _some(title, name, _SAYS[name], len(rules), *groups)


def _contradictions(contradictions: Rules) -> Iterator[_Section]:
    own = [each for each in contradictions if each["own"]]
    says = "Where the documents contradict themselves."
    yield from _some("Contradictions", "contradictions", says, len(own), *map(_contradiction, own))
    others = [each for each in contradictions if not each["own"]]
    says = "Where clients, libraries and standards contradict the documents."
    yield from _some("Against others", "against-others", says, len(others), *map(_contradiction, others))


def _contradiction(contradiction: Mapping[str, Any]) -> Html:
    sides = (tag("li", prose(side["says"]), tag("ul", *map(_place, side["places"]))) for side in contradiction["sides"])
    return tag(
        "details",
        tag("summary", tag("code", contradiction["id"]), " ", prose(contradiction["title"])),
        tag("ul", *sides),
        tag("p", prose(contradiction["decided"])),
    )


def _place(place: Mapping[str, str]) -> Html:
    return tag("li", prose(place["says"]), " ", tag("a", place["text"], href=place["url"], rel="noreferrer"))


def _finder(results: Mapping[str, Any], sections: Sequence[_Section]) -> Html:
    """Links to the sections, and, for the script, what filters and searches the rules."""
    links = (
        tag("li", tag("a", f"{each.title} ", tag("span", str(each.count), css="count"), href=f"#{each.name}"))
        for each in sections
    )
    given = [verdict.value for verdict in Verdict if results["summary"][verdict]]
    protections = sorted({rule["protects"] for rule in results["rules"] if rule["protects"]})
    return tag(
        "nav",
        tag("ul", *links),
        tag(
            "form",
            tag("label", "Search ", tag("input", type="search", name="words", autocomplete="off")),
            _choice("Verdict", "verdict", given),
            _choice("Protects", "protects", protections) if protections else "",
            _choice("API", "api", list(results["apis"])) if len(results["apis"]) > 1 else "",
            tag("output", name="shown"),
            role="search",
            aria_label="Rules",
            hidden=True,
        ),
        aria_label="Sections of rules",
    )


def _choice(label: str, name: str, values: Sequence[str]) -> Html:
    options = [tag("option", "all", value=""), *(tag("option", value, value=value) for value in values)]
    return tag("label", f"{label} ", tag("select", *options, name=name))
