"""Results for somebody who reads a terminal or the log of a CI job."""

import shlex
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.table import Table
from rich.text import Text

from conformance.judging.results import TRAFFIC, refusal_in
from conformance.reporting.lines import write
from conformance.reporting.phrases import (
    blocks,
    broken_protections,
    by_reason,
    deciding_findings,
    entry_line,
    in_state,
    observation,
    printable,
    repeat_command,
    topic,
    verdict_line,
)
from conformance.reporting.progress import ProgressBar
from conformance.verdicts import Verdict

STYLES = {
    Verdict.ERROR: "bold magenta",
    Verdict.FAIL: "bold red",
    Verdict.WARN: "bold yellow",
    Verdict.NOTE: "cyan",
    Verdict.BLOCKED: "bold magenta",
    Verdict.PASS: "green",
    Verdict.SKIPPED: "dim",
    Verdict.UNTESTED: "dim",
}
"""How each verdict looks where colours are shown."""

_CONCLUSION_STYLES = {"conforms": "bold green", "fails": "bold red", "inconclusive": "bold yellow"}
_IN_FULL = (Verdict.ERROR, Verdict.FAIL, Verdict.WARN)
_TESTS_PER_LINE = 20
_MOST_FINDINGS = 3
_MOST_RULES = 6
_MOST_LINES = 36
"""How many lines at the top name what is wrong, so that it stands in the first 40."""
_MANY = 2
"""From how many rules on that are not as they should be they are named at the top."""
_PRECEDENCE = tuple(Verdict)


class Progress(ProgressBar):
    """Shows how a run goes on, and what fails as soon as it does; a context manager.

    On a terminal it draws a bar. Elsewhere, and where the environment has `CI`, it writes a line every 20 tests. Each
    test counts once, by the worst that it says of any rule; a note beside other verdicts is no part of that.

    Args:
        console: Where to write.
    """

    def __init__(self, console: Console) -> None:
        # Drawn when a test ends, never by a thread of its own: while a test runs, pytest captures the output.
        super().__init__(
            console,
            TextColumn("{task.fields[counts]}"),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            auto_refresh=False,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._verdicts: list[Verdict] = []
        self._tests = 0
        self._task = self._bar.add_task("", total=None, counts="")

    def began(self, tests: int) -> None:
        """Note that so many more tests are going to run."""
        self._tests += tests
        if self._live:
            self._bar.update(self._task, total=self._tests)
            self._bar.start()

    def failed(self, rule: str, verdict: Verdict, observation: str) -> None:
        """Tell a failure above the bar, or as a line."""
        named = Text.assemble((verdict.upper(), STYLES[verdict]), (f" {rule}", "bold"))
        write(self._console, named + Text(f"  {printable(observation)}"), hang=2)

    def ended(self, test: str, verdicts: Mapping[str, Verdict], seconds: float) -> None:  # noqa: ARG002  (the listener's form)
        """Count a test that has ended, with its verdicts by rule."""
        self._verdicts.append(_of_test(verdicts.values()))
        ended = len(self._verdicts)
        if self._live:
            counts = Text(" ").join(_counts(self._verdicts))
            self._bar.update(
                self._task, completed=ended, description=printable(test), counts=counts.markup, refresh=True
            )
        elif ended % _TESTS_PER_LINE == 0 or ended == self._tests:
            counts = Text(", ").join(_counts(self._verdicts))
            write(self._console, Text(f"{ended} of {self._tests} tests: ") + counts)


def summary(results: Mapping[str, Any], console: Console, *, verbose: bool = False) -> None:
    """Write the results: rules by verdict, the worst first, and the line that states the verdict at the end.

    Args:
        results: Results in the form of ``specs/schemas/results.json``.
        console: Where to write.
        verbose: Whether to say what the sources of each rule say, what the documents say against each other, and which
            reading was seen where they do.
    """
    _causes(results, console)
    contradictions = results.get("contradictions", ())
    elsewhere = {
        Verdict.NOTE: {contradiction["rule"] for contradiction in contradictions},
        Verdict.FAIL: {entry["rule"] for entry in in_state(results, "known")},
    }
    for verdict in Verdict:
        told = elsewhere.get(verdict, set())
        rules = [rule for rule in results["rules"] if rule["verdict"] == verdict and rule["id"] not in told]
        if not rules:
            continue
        if verdict is Verdict.PASS:
            _topics(results["rules"], console)
            continue
        if verdict is Verdict.NOTE:
            _notes(results, rules, console, verbose=verbose)
            continue
        _heading(verdict.upper(), rules, console, STYLES[verdict])
        if verdict in _IN_FULL:
            _in_full(results, rules, console, verbose=verbose)
        elif verdict is Verdict.BLOCKED:
            _blocked(results, console)
        else:
            _by_reason(rules, console)
        console.print()
    _baseline(results, console)
    own = [each for each in contradictions if each["own"]]
    _contradictions("CONTRADICTIONS", own, console, verbose=verbose)
    others = [each for each in contradictions if not each["own"]]
    _contradictions("DOCUMENTS AGAINST CLIENTS, LIBRARIES AND STANDARDS", others, console, verbose=verbose)
    for remark in results["remarks"]:
        write(console, Text.assemble(("Remark: ", "bold"), printable(remark)))
    if results["examples"]:
        options = f"--seed {shlex.quote(printable(results['seed']))} --examples {results['examples']}"
        write(console, Text(f"Generated with {options}", "dim"), whole=True)
    _verdict(results, console)


def brief(results: Mapping[str, Any], console: Console) -> None:
    """Write only what is wrong, in a line each, and the line that states the verdict.

    Args:
        results: Results in the form of ``specs/schemas/results.json``.
        console: Where to write.
    """
    for cause in _wrong(results):
        line = cause.named + Text(f"  {printable(' '.join(cause.seen.split()))}", "dim")
        write(console, _in_one_line(line, console, 0) if console.is_terminal else line)
    for entry in in_state(results, "gone", "expired"):
        write(
            console,
            Text.assemble(("baseline", "red"), (f" {entry['rule']}", "bold"), f"  {printable(entry_line(entry))}"),
        )
    _verdict(results, console)


def _verdict(results: Mapping[str, Any], console: Console) -> None:
    style = "bold red" if broken_protections(results) else _CONCLUSION_STYLES[results["verdict"]]
    write(console, Text(verdict_line(results), style), whole=True)


def _baseline(results: Mapping[str, Any], console: Console) -> None:
    """Write how what is known to fail stands to the run; what fails it comes first."""
    for heading, style, states in (
        ("BASELINE WRONG", "bold red", ("gone", "expired")),
        ("KNOWN", "yellow", ("known",)),
        ("BASELINE", "dim", ("not judged", "needless")),
    ):
        entries = in_state(results, *states)
        if entries:
            plural = "entry" if len(entries) == 1 else "entries"
            write(console, Text(f"{heading}  {len(entries)} {plural}", style))
            for entry in entries:
                write(console, Text.assemble((entry["rule"], "bold"), f"  {printable(entry_line(entry))}"), 2, 4)
            console.print()


def _heading(title: str, rules: Sequence[object], console: Console, style: str, end: str = "") -> None:
    plural = "rule" if len(rules) == 1 else "rules"
    write(console, Text(f"{title}  {len(rules)} {plural}{end}", style))


@dataclass(frozen=True)
class _Cause:
    """Something that is wrong.

    Args:
        verdict: What it makes of its rule.
        title: The rule, and how much that blocks; or what is blocked where no rule is known as the cause.
        seen: What was seen of it, in one sentence.
    """

    verdict: Verdict
    title: str
    seen: str

    @property
    def named(self) -> Text:
        """The verdict and the title."""
        return Text.assemble((self.verdict.value, STYLES[self.verdict]), (f" {self.title}", "bold"))


def _wrong(results: Mapping[str, Any]) -> list[_Cause]:
    """What is wrong: the worst first, and of these what blocks most."""
    known = blocks(results)
    blocked: dict[str | None, int] = {block.cause: len(block.rules) for block in known if block.cause}
    borne = {entry["rule"] for entry in in_state(results, "known")}
    wrong = [
        rule
        for rule in results["rules"]
        if (rule["verdict"] in _IN_FULL and rule["id"] not in borne) or rule["id"] in blocked
    ]
    wrong.sort(key=lambda rule: (_PRECEDENCE.index(rule["verdict"]), -blocked.get(rule["id"], 0)))
    steps = [(block.title.partition(":")[0], block.steps[0]) for block in known if not block.cause]
    return [
        *(
            _Cause(Verdict(rule["verdict"]), _blocking(rule["id"], blocked), observation(deciding_findings(rule)[0]))
            for rule in wrong
        ),
        *(_Cause(Verdict.BLOCKED, title.removesuffix(" blocked"), step) for title, step in steps),
    ]


def _causes(results: Mapping[str, Any], console: Console) -> None:
    """Write, in a line or two each, what is wrong and how much that blocks, if there is more than one such thing."""
    told = _wrong(results)
    if len(told) < _MANY:
        return
    write(console, Text("WHAT IS WRONG", "bold"))
    few = 2 * len(told) <= _MOST_LINES
    for cause in told[:_MOST_LINES]:
        if few:
            write(console, _in_one_line(cause.named, console, 2), 2)
            write(console, _in_one_line(Text(cause.seen, "dim"), console, 4), 4)
        else:
            write(console, _in_one_line(cause.named + Text(f"  {cause.seen}", "dim"), console, 2), 2)
    if len(told) > _MOST_LINES:
        write(console, Text(f"and {len(told) - _MOST_LINES} more", "dim"), 2)
    console.print()


def _blocking(rule: str, blocked: Mapping[str | None, int]) -> str:
    return f"{rule}, blocks {blocked[rule]}" if rule in blocked else rule


def _in_one_line(text: Text, console: Console, indent: int) -> Text:
    """`text` on one line that fits the console."""
    line = Text(printable(text.plain.replace("\n", " ")), text.style, spans=text.spans)
    line.truncate(console.width - indent, overflow="ellipsis")
    return line


def _blocked(results: Mapping[str, Any], console: Console) -> None:
    """Write what could not be judged, each cause once."""
    for block in blocks(results):
        write(console, Text(printable(block.title), "bold"), 2, 2)
        rows = [("step", step) for step in block.steps[:_MOST_FINDINGS]] if block.cause else []
        if len(block.steps) > _MOST_FINDINGS:
            rows.append(("", f"and {len(block.steps) - _MOST_FINDINGS} more steps"))
        first = deciding_findings(block.rules[0])[0]
        if first["exchange"]:
            rows += _exchange(results, first["exchange"])
        rows.append(("rules", _ids(block.rules)))
        rows.append(("repeat", repeat_command(results, block.repeated(results))))
        _details(console, rows)


def _notes(results: Mapping[str, Any], rules: Sequence[Mapping[str, Any]], console: Console, *, verbose: bool) -> None:
    """Write what is broken although only inference says so, what is optional, and which readings were seen."""
    style = STYLES[Verdict.NOTE]
    inferred = [rule for rule in rules if rule["id"] in results["broken_but_inferred"]]
    readings = [rule for rule in rules if rule["basis"] == "contradicted"]
    others = [rule for rule in rules if rule not in inferred and rule not in readings]
    if inferred:
        _heading("BROKEN BUT INFERRED", inferred, console, "bold cyan")
        _in_full(results, inferred, console, verbose=verbose)
        console.print()
    if others:
        _heading("NOTE", others, console, style)
        _in_one_line_each(others, console, verbose=verbose)
        console.print()
    if readings:
        listed = "" if verbose else ", on which sources disagree and a reading was seen; -v lists them"
        _heading("READINGS", readings, console, style, listed)
        if verbose:
            _in_one_line_each(readings, console, verbose=verbose)
        console.print()


def _of_test(verdicts: Iterable[Verdict]) -> Verdict:
    """What a test counts as: the worst that it says, but that most tests see some reading, which is a note."""
    found = sorted(verdicts, key=_PRECEDENCE.index)
    return next((verdict for verdict in found if verdict is not Verdict.NOTE), found[0] if found else Verdict.PASS)


def _counts(verdicts: Iterable[Verdict]) -> list[Text]:
    counts = Counter(verdicts)
    return [Text(f"{counts[verdict]} {verdict}", STYLES[verdict]) for verdict in reversed(Verdict) if counts[verdict]]


def _contradictions(
    heading: str, contradictions: Sequence[Mapping[str, Any]], console: Console, *, verbose: bool
) -> None:
    """Write where sources contradict each other: what they say, where, and what a printed exchange shows."""
    if not contradictions:
        return
    plural = "place" if len(contradictions) == 1 else "places"
    write(console, Text(f"{heading}  {len(contradictions)} {plural}", "bold cyan"))
    for each in contradictions:
        write(console, Text.assemble((each["id"], "bold"), f"  {each['title']}"), 2, 4)
        for side in each["sides"]:
            where = "; ".join(dict.fromkeys(place["text"] for place in side["places"]))
            write(console, Text.assemble("- ", side["says"], (f" ({where})", "dim")), 4, 2)
            if verbose:
                _say(side["places"], console)
        write(console, Text(printable(each["decided"]), "italic"), 4)
    console.print()


def _say(places: Iterable[Mapping[str, str]], console: Console) -> None:
    """Write what a document says at each place, and an address that leads there."""
    for place in places:
        if place["says"]:
            write(console, Text(f"{place['text']}: {place['says']}", "dim"), 6, 2)
        write(console, Text(place["url"], "dim"), 6, whole=True)


def _in_full(
    results: Mapping[str, Any], rules: Sequence[Mapping[str, Any]], console: Console, *, verbose: bool
) -> None:
    """Write all about each rule; where many were not judged for the same reason, write the reason once."""
    for reason, group in by_reason(rules).items():
        if len(group) > _MOST_RULES and deciding_findings(group[0])[0]["reason"]:
            write(console, Text(printable(reason)), 2)
            _details(console, [("rules", _ids(group)), ("repeat", repeat_command(results))])
            continue
        for rule in group:
            _rule(results, rule, console, verbose=verbose)


def _rule(results: Mapping[str, Any], rule: Mapping[str, Any], console: Console, *, verbose: bool) -> None:
    write(console, Text.assemble((rule["id"], "bold"), (f"  {rule['level']}, {rule['basis']}", "dim")), 2)
    write(console, Text(printable(rule["title"])), 4)
    deciding = deciding_findings(rule)
    for finding in deciding[:_MOST_FINDINGS]:
        seen = ("where", "expected", "got") if not finding["reason"] else ("reason",)
        rows = [(name, finding[name]) for name in seen]
        if finding["exchange"]:
            rows += _exchange(results, finding["exchange"])
        if finding["test"]:
            rows.append(("test", finding["test"]))
        if scenario := results["scenarios"].get(finding["test"]):
            rows.append(("scenario", scenario))
        _details(console, rows)
    if len(deciding) > _MOST_FINDINGS:
        more = len(deciding) - _MOST_FINDINGS
        write(console, Text(f"and {more} more like it; --report DIR writes all of them", "dim"), 4)
    for source in rule["sources"]:
        _details(console, [("source", f"{source['text']}, {source['url']}")])
        if verbose:
            _say(source.get("statements", ()), console)
    _details(console, [("repeat", repeat_command(results, rule))])


def _exchange(results: Mapping[str, Any], identifier: str) -> Iterable[tuple[str, str]]:
    """An exchange in one line, with what the answer says to a client whose own traffic is judged."""
    exchange = next((each for each in results["exchanges"] if each["id"] == identifier), None)
    if exchange is None:
        yield "exchange", identifier
        return
    request, status = exchange["request"], exchange["response"]["status"]
    yield "exchange", f"{identifier}: {request['method']} {request['url']} was answered {status}"
    if results["target"] == TRAFFIC and (said := refusal_in(exchange)):
        yield "answer", said


def _details(console: Console, rows: Iterable[tuple[str, str]]) -> None:
    for name, value in rows:
        text = Text.assemble((f"{name:<10}", "dim"), printable(value))
        write(console, text, 4, 10, whole=name == "repeat")


def _in_one_line_each(rules: Iterable[Mapping[str, Any]], console: Console, *, verbose: bool) -> None:
    for rule in rules:
        observations = dict.fromkeys(
            observation(finding) for finding in deciding_findings(rule) if not finding["reading"]
        )
        reason = "; ".join(observations) if observations else rule["reason"].removeprefix("Sources disagree; ")
        write(console, Text.assemble((rule["id"], "bold"), f"  {printable(reason)}"), 2, 4)
        if verbose:
            _say((place for source in rule["sources"] for place in source.get("statements", ())), console)


def _by_reason(rules: Iterable[Mapping[str, Any]], console: Console) -> None:
    for reason, group in by_reason(rules).items():
        write(console, Text(f"{len(group)}: {printable(reason)}"), 2)
        write(console, Text(_ids(group), "dim"), 4)


def _ids(rules: Sequence[Mapping[str, Any]]) -> str:
    shown = ", ".join(rule["id"] for rule in rules[:_MOST_RULES])
    return shown if len(rules) <= _MOST_RULES else f"{shown} and {len(rules) - _MOST_RULES} more"


def _topics(rules: Sequence[Mapping[str, Any]], console: Console) -> None:
    """Write how many rules of each topic have which verdict."""
    counts: dict[str, Counter[str]] = {}
    several = len({rule["api"] for rule in rules}) > 1
    for rule in rules:
        name = f"{rule['api']} {topic(rule)}" if several else topic(rule)
        counts.setdefault(name, Counter())[rule["verdict"]] += 1
    given = [verdict for verdict in reversed(Verdict) if any(counted[verdict] for counted in counts.values())]
    given.sort(key=lambda verdict: verdict is not Verdict.PASS)
    table = Table(box=None, pad_edge=False, collapse_padding=True)
    table.add_column("topic", no_wrap=True)
    for verdict in given:
        table.add_column(verdict, justify="right", no_wrap=True, header_style=STYLES[verdict])
    for name, counted in counts.items():
        table.add_row(name, *(str(counted[verdict] or "") for verdict in given))
    console.print(table, highlight=False)
    console.print()
