"""Results as one web page that needs nothing besides itself: no script, no other file, no network."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from xml.etree import ElementTree as ET

from conformance.reporting.phrases import (
    deciding_findings,
    observation,
    printable,
    repeat_command,
    verdict_line,
)
from conformance.verdicts import Verdict

_MEANINGS = {
    Verdict.ERROR: "The suite itself broke; the subject is not to blame.",
    Verdict.FAIL: "The subject breaks a rule that binds it.",
    Verdict.WARN: "The subject departs from what it should do.",
    Verdict.NOTE: "Worth knowing: sources disagree, or the rule is only inferred or optional.",
    Verdict.BLOCKED: "A step before it failed by the subject's doing, so it could not be judged.",
    Verdict.PASS: "The rule held wherever it was judged.",
    Verdict.SKIPPED: "This run does not have what judging it needs.",
    Verdict.UNTESTED: "No test of this run judges it.",
}
_RED = (Verdict.ERROR, Verdict.FAIL, Verdict.WARN, Verdict.BLOCKED)
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_STYLE = """
:root { color-scheme: light dark; --ground: #fff; --text: #1b1f24; --quiet: #57606a; --line: #d0d7de; --raised: #f6f8fa;
  --link: #0757b8; --good: #12692d; --bad: #b3151f; --warn: #7d4e00; --note: #0a5c86; --odd: #7a2f9b; }
@media (prefers-color-scheme: dark) { :root { --ground: #0f1318; --text: #e3e8ee; --quiet: #9aa5b1; --line: #323a44;
  --raised: #181e25; --link: #79b8ff; --good: #5fd37f; --bad: #ff8a85; --warn: #eeb54a; --note: #6cc6f5;
  --odd: #d9a1f5; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1.25rem 4rem; max-width: 76rem; background: var(--ground); color: var(--text);
  font: 15px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; margin: 0; }
h2 { font-size: 1.15rem; margin: 0; }
a { color: var(--link); }
code, pre { font: 13px/1.45 ui-monospace, monospace; }
pre { margin: .4rem 0; padding: .6rem .75rem; background: var(--raised); border: 1px solid var(--line);
  border-radius: 6px; white-space: pre-wrap; }
.command { white-space: pre; overflow-x: auto; }
.command::before { content: "$ "; color: var(--quiet); }
.conclusion { margin: .75rem 0; padding: .75rem 1rem; border: 1px solid var(--line); border-left: 6px solid var(--tone);
  border-radius: 6px; background: var(--raised); font-weight: 600; }
.facts { margin: 0; display: flex; flex-wrap: wrap; gap: .15rem 1.5rem; color: var(--quiet); }
.facts div { display: flex; gap: .4rem; }
.facts dt { white-space: nowrap; }
.facts dd { margin: 0; color: var(--text); }
nav ul { list-style: none; margin: 1rem 0 0; padding: 0; display: flex; flex-wrap: wrap; gap: .5rem; }
nav a { display: block; padding: .2rem .7rem; border: 1px solid var(--line); border-radius: 1rem; color: var(--text);
  text-decoration: none; }
nav a:hover, nav a:focus-visible { border-color: var(--tone, var(--link)); }
nav b { color: var(--tone); }
section { margin-top: 2rem; }
section > p { margin: .1rem 0 .6rem; color: var(--quiet); }
main:has(> .verdict:target) > .verdict:not(:target) { display: none; }
h2 b, .badge { color: var(--tone); text-transform: uppercase; letter-spacing: .03em; }
.badge { font-weight: 700; font-size: .8rem; }
table { width: 100%; border-collapse: collapse; table-layout: fixed; }
th, td { padding: .5rem .6rem; border-top: 1px solid var(--line); text-align: left; vertical-align: top; }
thead th { border-top: 0; color: var(--quiet); font-weight: 600; font-size: .85rem; }
tbody th { font-weight: 400; }
thead th:nth-child(1) { width: 28%; } thead th:nth-child(2) { width: 5rem; } thead th:nth-child(3) { width: 7.5rem; }
thead th:nth-child(4) { width: 21%; }
tbody th code { display: block; font-weight: 600; }
td ul { margin: 0; padding: 0; list-style: none; }
td li + li { margin-top: .3rem; }
details { margin-top: .35rem; }
summary { cursor: pointer; color: var(--link); }
.finding { margin: .5rem 0 0; padding-left: .7rem; border-left: 3px solid var(--tone); }
.finding dl { margin: 0; display: grid; grid-template-columns: max-content 1fr; gap: .1rem .7rem; }
.finding dt { color: var(--quiet); }
.finding dd { margin: 0; }
.exchange { margin: .6rem 0 0 .3rem; padding-left: .7rem; border-left: 3px solid var(--line); }
.exchange:target { border-left-color: var(--link); }
.exchange h3 { margin: 0; font-size: .95rem; }
.exchange p { margin: 0; color: var(--quiet); }
.error, .blocked, .inconclusive { --tone: var(--odd); }
.fail, .fails { --tone: var(--bad); }
.warn { --tone: var(--warn); }
.note { --tone: var(--note); }
.pass, .conforms { --tone: var(--good); }
.skipped, .untested { --tone: var(--quiet); }
@media (max-width: 45rem) {
  body { padding: 1rem .75rem 3rem; }
  table, tbody, tr, tbody th, td { display: block; }
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  tbody tr { padding: .6rem 0; border-top: 1px solid var(--line); }
  tbody th, td { width: auto; padding: .1rem 0; border: 0; }
  td[data-name]::before { content: attr(data-name) ": "; color: var(--quiet); }
  td ul { display: inline; } td li { display: inline; } td li + li::before { content: "; "; }
}
@media print { details > * { display: block; } nav { display: none; } }
"""

_Content = ET.Element | str


def html(results: Mapping[str, Any]) -> str:
    """The results as a page of HTML.

    Rules stand by verdict, the worst first; a link for each verdict shows its rules alone. Whatever came from a subject
    is text of an element or value of an attribute, and so escaped.

    Args:
        results: Results in the form of ``specs/schemas/results.json``.
    """
    apis = " and ".join(results["apis"].values())
    title = f"{results['verdict']}: {apis}, {results['target']}"
    page = _tag(
        "html",
        _tag(
            "head",
            _tag("meta", charset="utf-8"),
            _tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
            _tag("meta", {"http-equiv": "Content-Security-Policy"}, content=_POLICY),
            _tag("title", f"Conformance {title}"),
            _tag("style", _STYLE),
        ),
        _tag("body", _head(results, apis), _main(results)),
        lang="en",
    )
    return f"<!DOCTYPE html>\n{ET.tostring(page, encoding='unicode', method='html')}\n"


def _tag(kind: str, /, *content: _Content | Mapping[str, str], **attributes: str) -> ET.Element:
    """An element; mappings among its content are attributes whose names are no Python names, `css` is its class."""
    element = ET.Element(kind, {{"css": "class"}.get(key, key): value for key, value in attributes.items()})
    last: ET.Element | None = None
    for item in content:
        if isinstance(item, ET.Element):
            element.append(item)
            last = item
        elif isinstance(item, str):
            text = printable(item)
            if last is None:
                element.text = (element.text or "") + text
            else:
                last.tail = (last.tail or "") + text
        else:
            element.attrib.update(item)
    return element


def _head(results: Mapping[str, Any], apis: str) -> ET.Element:
    facts = {
        "Target": results["target"],
        "Started": results["started"],
        "Took": f"{results['duration_s']:.1f} s",
        "Tests": str(results["tests"]),
        "Seed": results["seed"] or "none",
        "Inferred rules": "count as their level says (--strict)" if results["strict"] else "are noted",
        "Suite": results["suite"]["version"],
    }
    return _tag(
        "header",
        _tag("h1", f"Conformance of {apis}"),
        _tag("p", verdict_line(results), css=f"conclusion {results['verdict']}"),
        _tag("dl", *(_tag("div", _tag("dt", name), _tag("dd", value)) for name, value in facts.items()), css="facts"),
        *(_tag("p", f"Remark: {remark}") for remark in results["remarks"]),
        _command(repeat_command(results)),
        _nav(results),
    )


def _nav(results: Mapping[str, Any]) -> ET.Element:
    links = [_tag("li", _tag("a", f"All {len(results['rules'])}", href="#rules"))]
    links += [
        _tag("li", _tag("a", _tag("b", verdict.value), f" {count}", href=f"#{verdict}", css=verdict.value))
        for verdict in Verdict
        if (count := results["summary"][verdict])
    ]
    if results["exchanges"]:
        links.append(_tag("li", _tag("a", "Exchanges", href="#exchanges")))
    return _tag("nav", {"aria-label": "Rules by verdict"}, _tag("ul", *links))


def _main(results: Mapping[str, Any]) -> ET.Element:
    known = {exchange["id"] for exchange in results["exchanges"]}
    sections = []
    for verdict in Verdict:
        rules = [rule for rule in results["rules"] if rule["verdict"] == verdict]
        if rules:
            sections.append(_verdict(results, verdict, rules, known))
    if results["exchanges"]:
        sections.append(_exchanges(results["exchanges"]))
    return _tag("main", *sections, id="rules")


def _verdict(
    results: Mapping[str, Any], verdict: Verdict, rules: Sequence[Mapping[str, Any]], known: set[str]
) -> ET.Element:
    columns = ("Rule", "Level", "Basis", "Source", "Verdict and reason")
    heading = f"verdict-{verdict}"
    return _tag(
        "section",
        {"aria-labelledby": heading},
        _tag("h2", _tag("b", verdict.value), f" {len(rules)}", id=heading),
        _tag("p", _MEANINGS[verdict]),
        _tag(
            "table",
            _tag("thead", _tag("tr", *(_tag("th", column, scope="col") for column in columns))),
            _tag("tbody", *(_rule(results, rule, known) for rule in rules)),
        ),
        id=verdict.value,
        css=f"verdict {verdict}",
    )


def _rule(results: Mapping[str, Any], rule: Mapping[str, Any], known: set[str]) -> ET.Element:
    judged: list[_Content] = [_tag("span", rule["verdict"], css="badge")]
    if rule["reason"]:
        judged.append(f" {rule['reason']}")
    if rule["findings"]:
        judged.append(_findings(results, rule, known))
    return _tag(
        "tr",
        _tag("th", _tag("code", rule["id"]), rule["title"], scope="row"),
        _tag(
            "td", {"data-name": "Level"}, rule["level"] if rule["party"] == "provider" else f"{rule['level']} (client)"
        ),
        _tag("td", {"data-name": "Basis"}, rule["basis"]),
        _tag("td", {"data-name": "Source"}, _tag("ul", *(_source(source) for source in rule["sources"]))),
        _tag("td", *judged),
        id=rule["id"],
    )


def _source(source: Mapping[str, str]) -> ET.Element:
    return _tag("li", _tag("a", source["text"], href=source["url"], rel="noreferrer"))


def _findings(results: Mapping[str, Any], rule: Mapping[str, Any], known: set[str]) -> ET.Element:
    telling = deciding_findings(rule)
    others = [finding for finding in rule["findings"] if finding["verdict"] != rule["verdict"]]
    total = len(rule["findings"])
    return _tag(
        "details",
        {"open": ""} if rule["verdict"] in _RED else {},
        _tag("summary", f"{total} finding{'' if total == 1 else 's'}"),
        *(_finding(finding, results["scenarios"], known) for finding in (*telling, *others)),
        _command(repeat_command(results, rule)),
    )


def _command(command: str) -> ET.Element:
    """A command on one line, which the keyboard can scroll."""
    return _tag("pre", command, {"aria-label": "Command that repeats this"}, role="region", tabindex="0", css="command")


def _finding(finding: Mapping[str, Any], scenarios: Mapping[str, str], known: set[str]) -> ET.Element:
    rows: list[tuple[str, _Content]] = [("verdict", _tag("span", finding["verdict"], css="badge"))]
    if finding["reason"]:
        rows.append(("reason", observation(finding)))
    else:
        rows += [(name, finding[name]) for name in ("where", "expected", "got")]
    if finding["reading"]:
        rows.append(("reading", finding["reading"]))
    rows.append(("test", _tag("code", finding["test"])))
    if scenario := scenarios.get(finding["test"]):
        rows.append(("scenario", scenario))
    if identifier := finding["exchange"]:
        shown = _tag("code", identifier)
        rows.append(("exchange", _tag("a", shown, href=f"#{_anchor(identifier)}") if identifier in known else shown))
    return _tag(
        "div",
        _tag("dl", *(part for name, value in rows for part in (_tag("dt", name), _tag("dd", value)))),
        css=f"finding {finding['verdict']}",
    )


def _exchanges(exchanges: Iterable[Mapping[str, Any]]) -> ET.Element:
    tests: dict[str, list[Mapping[str, Any]]] = {}
    for exchange in exchanges:
        tests.setdefault(exchange["id"].rpartition("#")[0] or exchange["id"], []).append(exchange)
    return _tag(
        "section",
        {"aria-labelledby": "exchanges-heading"},
        _tag("h2", "Exchanges", id="exchanges-heading"),
        _tag("p", "What each test sent and got, secrets hidden."),
        *(
            _tag("details", _tag("summary", _tag("code", test), f" {len(made)}"), *(_exchange(each) for each in made))
            for test, made in tests.items()
        ),
        id="exchanges",
    )


def _exchange(exchange: Mapping[str, Any]) -> ET.Element:
    request, response = exchange["request"], exchange["response"]
    described = [
        exchange["operation"] or "no operation of the specification",
        f"as {exchange['identity']}",
        f"at {exchange['at']}",
        f"took {exchange['seconds']} s",
    ]
    if exchange["breaks"]:
        described.append(f"breaks on purpose {', '.join(exchange['breaks'])}")
    return _tag(
        "div",
        _tag("h3", f"{request['method']} {request['url']} → {response['status']}"),
        _tag("p", "; ".join(described)),
        _tag("pre", _message(f"{request['method']} {request['url']}", request)),
        _tag("pre", _message(str(response["status"]), response)),
        id=_anchor(exchange["id"]),
        css="exchange",
    )


def _message(start: str, message: Mapping[str, Any]) -> str:
    lines = [start, *(f"{name}: {value}" for name, value in message["headers"])]
    body = message["body"] if "body" in message else f"base64: {message['body_base64']}"
    return "\n".join([*lines, "", body] if body else lines)


def _anchor(identifier: str) -> str:
    return "exchange-" + identifier.replace("#", "-")
