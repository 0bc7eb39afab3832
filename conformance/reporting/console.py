"""Results for somebody who reads a terminal or the log of a CI job."""

import shlex
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.table import Table
from rich.text import Text

from conformance.reporting.lines import write
from conformance.reporting.phrases import (
    deciding_findings,
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
_IN_FULL = (Verdict.ERROR, Verdict.FAIL, Verdict.WARN, Verdict.BLOCKED)
_TESTS_PER_LINE = 20
_MOST_FINDINGS = 3
_MOST_RULES = 6
_PRECEDENCE = tuple(Verdict)


class Progress(ProgressBar):
    """Shows how a run goes on; a context manager.

    On a terminal it draws a bar. Elsewhere, and where the environment has `CI`, it writes a line every 20 tests.

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
        self._verdicts: dict[str, Verdict] = {}
        self._tests = 0
        self._ended = 0
        self._task = self._bar.add_task("", total=None, counts="")

    def began(self, tests: int) -> None:
        """Note that so many more tests are going to run."""
        self._tests += tests
        if self._live:
            self._bar.update(self._task, total=self._tests)
            self._bar.start()

    def ended(self, test: str, verdicts: Mapping[str, Verdict], seconds: float) -> None:  # noqa: ARG002  (the listener's form)
        """Count a test that has ended, with its verdicts by rule."""
        self._ended += 1
        for rule, verdict in verdicts.items():
            self._verdicts[rule] = min(verdict, self._verdicts.get(rule, verdict), key=_PRECEDENCE.index)
        if self._live:
            counts = Text(" ").join(_counts(self._verdicts.values()))
            self._bar.update(
                self._task, completed=self._ended, description=printable(test), counts=counts.markup, refresh=True
            )
        elif self._ended % _TESTS_PER_LINE == 0 or self._ended == self._tests:
            counts = Text(", ").join(_counts(self._verdicts.values()))
            write(self._console, Text(f"{self._ended} of {self._tests} tests: ") + counts)


def summary(results: Mapping[str, Any], console: Console) -> None:
    """Write the results: rules by verdict, the worst first, and the line that states the verdict at the end.

    Args:
        results: Results in the form of ``specs/schemas/results.json``.
        console: Where to write.
    """
    for verdict in Verdict:
        rules = [rule for rule in results["rules"] if rule["verdict"] == verdict]
        if not rules:
            continue
        if verdict is Verdict.PASS:
            _topics(results["rules"], console)
            continue
        plural = "rule" if len(rules) == 1 else "rules"
        write(console, Text(f"{verdict.upper()}  {len(rules)} {plural}", STYLES[verdict]))
        if verdict in _IN_FULL:
            _in_full(results, rules, console)
        elif verdict is Verdict.NOTE:
            _in_one_line_each(rules, console)
        else:
            _by_reason(rules, console)
        console.print()
    for remark in results["remarks"]:
        write(console, Text.assemble(("Remark: ", "bold"), printable(remark)))
    if results["examples"]:
        options = f"--seed {shlex.quote(printable(results['seed']))} --examples {results['examples']}"
        write(console, Text(f"Generated with {options}", "dim"), whole=True)
    write(console, Text(verdict_line(results), _CONCLUSION_STYLES[results["verdict"]]), whole=True)


def _counts(verdicts: Iterable[Verdict]) -> list[Text]:
    counts = Counter(verdicts)
    return [Text(f"{counts[verdict]} {verdict}", STYLES[verdict]) for verdict in reversed(Verdict) if counts[verdict]]


def _grouped(rules: Iterable[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for rule in rules:
        groups.setdefault(rule["reason"], []).append(rule)
    return groups


def _in_full(results: Mapping[str, Any], rules: Sequence[Mapping[str, Any]], console: Console) -> None:
    """Write all about each rule; where many were not judged for the same reason, write the reason once."""
    for reason, group in _grouped(rules).items():
        if len(group) > _MOST_RULES and deciding_findings(group[0])[0]["reason"]:
            write(console, Text(printable(reason)), 2)
            _details(console, [("rules", _ids(group)), ("repeat", repeat_command(results))])
            continue
        for rule in group:
            _rule(results, rule, console)


def _rule(results: Mapping[str, Any], rule: Mapping[str, Any], console: Console) -> None:
    write(console, Text.assemble((rule["id"], "bold"), (f"  {rule['level']}, {rule['basis']}", "dim")), 2)
    write(console, Text(printable(rule["title"])), 4)
    deciding = deciding_findings(rule)
    for finding in deciding[:_MOST_FINDINGS]:
        seen = ("where", "expected", "got") if not finding["reason"] else ("reason",)
        rows = [(name, finding[name]) for name in seen]
        if finding["exchange"]:
            rows.append(("exchange", _in_one_line(results, finding["exchange"])))
        rows.append(("test", finding["test"]))
        if scenario := results["scenarios"].get(finding["test"]):
            rows.append(("scenario", scenario))
        _details(console, rows)
    if len(deciding) > _MOST_FINDINGS:
        more = len(deciding) - _MOST_FINDINGS
        write(console, Text(f"and {more} more like it; --report DIR writes all of them", "dim"), 4)
    sources = [("source", f"{source['text']}, {source['url']}") for source in rule["sources"]]
    _details(console, [*sources, ("repeat", repeat_command(results, rule))])


def _in_one_line(results: Mapping[str, Any], identifier: str) -> str:
    exchange = next((each for each in results["exchanges"] if each["id"] == identifier), None)
    if exchange is None:
        return identifier
    request = exchange["request"]
    return f"{identifier}: {request['method']} {request['url']} was answered {exchange['response']['status']}"


def _details(console: Console, rows: Iterable[tuple[str, str]]) -> None:
    for name, value in rows:
        text = Text.assemble((f"{name:<10}", "dim"), printable(value))
        write(console, text, 4, 10, whole=name == "repeat")


def _in_one_line_each(rules: Iterable[Mapping[str, Any]], console: Console) -> None:
    for rule in rules:
        observations = dict.fromkeys(
            observation(finding) for finding in deciding_findings(rule) if not finding["reading"]
        )
        reason = "; ".join(observations) if observations else rule["reason"].removeprefix("Sources disagree; ")
        write(console, Text.assemble((rule["id"], "bold"), f"  {printable(reason)}"), 2, 4)


def _by_reason(rules: Iterable[Mapping[str, Any]], console: Console) -> None:
    for reason, group in _grouped(rules).items():
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
