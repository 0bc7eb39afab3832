"""The kill matrix for somebody who reads a terminal, and as a page of the documentation."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.text import Text

from conformance.reporting.lines import folded, write
from conformance.reporting.phrases import printable
from conformance.reporting.progress import ProgressBar

_ENTRIES_PER_LINE = 25
_REHEARSING = "rehearsing on the sandbox as it is"
_FAULTS = ("faults", "mutations")


class MatrixProgress(ProgressBar):
    """Shows how a matrix grows; a context manager.

    On a terminal it draws a bar. Elsewhere, and where the environment has `CI`, it writes a line when it begins, and
    one every 25 entries, or for each of a few.

    Args:
        console: Where to write.
        entries: How many there will be.
        shortfall: What is said of those that are not as they should be.
    """

    def __init__(self, console: Console, entries: int, shortfall: str = "missed or raised an alarm") -> None:
        super().__init__(
            console,
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TextColumn("{task.fields[shortfall]}", style="bold red"),
        )
        self._entries = entries
        self._shortfall = shortfall
        self._done = 0
        self._short = 0
        self._task = self._bar.add_task(_REHEARSING, total=entries, shortfall="")

    def __enter__(self) -> Self:
        if self._live:
            self._bar.start()
        elif self._entries:
            write(self._console, Text(f"{_REHEARSING}, then {self._entries} to try"))
        return self

    def add(self, entry: Mapping[str, Any]) -> None:
        """Count an entry of the matrix that has just been made."""
        self._done += 1
        self._short += _falls_short(entry)
        shortfall = f"{self._short} {self._shortfall}" if self._short else ""
        if self._live:
            self._bar.update(
                self._task, completed=self._done, description=printable(entry["name"]), shortfall=shortfall
            )
        elif self._entries < _ENTRIES_PER_LINE:
            write(self._console, Text(f"{self._done} of {self._entries}: {printable(entry['name'])}"))
        elif self._done % _ENTRIES_PER_LINE == 0 or self._done == self._entries:
            write(self._console, Text(f"{self._done} of {self._entries}{f', {shortfall}' if shortfall else ''}"))


def _falls_short(entry: Mapping[str, Any]) -> bool:
    return bool(entry["alarms"]) if "alarms" in entry else not entry["caught"]


def write_listing(found: Mapping[str, Sequence[Mapping[str, Any]]], summary: str, console: Console) -> None:
    """Write faults and variations by API, each with what it does, and which rules it breaks or what permits it.

    Args:
        found: Both, in the form of ``conformance faults --json``.
        summary: The last line.
        console: Where to write.
    """
    sections: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for section, entries in found.items():
        for each in entries:
            sections.setdefault((each["api"], section), []).append(each)
    for (api, section), entries in sections.items():
        write(console, Text(f"{api}, {section}  {len(entries)}", "bold underline"))
        for each in entries:
            write(console, Text.assemble((each["name"], "bold"), (f"  {each.get('basis', 'permitted')}", "dim")))
            folded(each["title"], console, 2)
            folded(f"permitted: {each['permits']}" if "permits" in each else ", ".join(each["breaks"]), console, 4)
        console.print()
    write(console, Text(summary, "bold"))


def write_matrix(matrix: Mapping[str, Any], console: Console, *, holds: bool) -> None:
    """Write what a matrix found: what was missed, wrongly attributed or raised an alarm, and the line that sums it up.

    Args:
        matrix: A matrix in the form of ``specs/schemas/matrix.json``.
        console: Where to write.
        holds: Whether it is as good as it must be.
    """
    missed = [entry for part in _FAULTS for entry in matrix[part] if not entry["caught"]]
    _paragraphs("MISSED", missed, lambda entry: [*entry["breaks"], entry["reason"]], console)
    blurred = [fault for fault in matrix["faults"] if fault["caught"] and fault["also"]]
    _paragraphs("CAUGHT, BUT OTHER RULES FAILED TOO", blurred, lambda entry: entry["also"], console)
    alarming = [variation for variation in matrix["variations"] if variation["alarms"]]
    _paragraphs("PERMITTED, BUT RAISED AN ALARM", alarming, lambda entry: entry["alarms"], console)
    verdict, style = ("PROVEN", "bold green") if holds else ("FALLS SHORT", "bold red")
    sentences = "; ".join(f"{name} {value}" for name, value in figures(matrix["summary"]))
    write(console, Text(f"{verdict}: {sentences}", style), whole=True)


def _paragraphs(
    title: str,
    entries: Sequence[Mapping[str, Any]],
    lines: Callable[[Mapping[str, Any]], Sequence[str]],
    console: Console,
) -> None:
    if not entries:
        return
    write(console, Text(f"{title}  {len(entries)}", "bold red"))
    for entry in entries:
        write(console, Text(printable(entry["name"]), "bold"), 2)
        for line in lines(entry):
            write(console, Text(printable(line)), 4, 4)
    console.print()


def figures(summary: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The figures of a matrix as names and values, without those of a part that is empty.

    Args:
        summary: The ``summary`` of a matrix.
    """
    rows = []
    if summary["faults"]:
        rows += [
            ("faults caught", _share(summary["faults_caught"], summary["faults"])),
            ("faults attributed", _share(summary["faults_attributed"], summary["faults"])),
        ]
    if summary["mutations"]:
        rows.append(("mutations caught", _share(summary["mutations_caught"], summary["mutations"])))
    if summary["variations"]:
        alarms = _share(summary["variations_alarming"], summary["variations"])
        bound = f"at most {100 * summary['false_alarms_at_most']:.1f} % with 95 % confidence"
        rows.append(("false alarms", f"{alarms}, {bound}"))
    return rows


def _share(part: int, whole: int) -> str:
    tenths = int(1000 * part / whole)  # rounded down, so that only all of them are 100 %
    return f"{part} of {whole} ({tenths / 10:g} %)"


def block(matrix: Mapping[str, Any]) -> str:
    """The figures of a matrix as a table in Markdown."""
    rows = "\n".join(f"| {name} | {value} |" for name, value in figures(matrix["summary"]))
    return f"| measured on the sandbox | |\n| --- | --- |\n{rows}\n"


def page(matrix: Mapping[str, Any], titles: Mapping[str, str]) -> str:
    """A matrix as a page in Markdown.

    Args:
        matrix: A matrix in the form of ``specs/schemas/matrix.json``.
        titles: The title of each API by its name.
    """
    parts = [_INTRODUCTION, block(matrix), _WORDS]
    for api, title in titles.items():
        of_api = {part: [entry for entry in matrix[part] if entry["api"] == api] for part in (*_FAULTS, "variations")}
        parts += [f"## {title}: faults\n", _faults(of_api["faults"])]
        parts += [f"## {title}: mutations\n", _mutations(of_api["mutations"])]
        parts += [f"## {title}: variations\n", _variations(of_api["variations"])]
    return "\n".join(parts)


_INTRODUCTION = """\
# What the suite catches, and what it leaves alone

Written by `python -m tools.evidence` from `evidence/matrix.json`, which `conformance faults check --json` measured.

A *fault* is a deliberate wrong behaviour of the reference sandbox, a *mutation* one that was derived from an API's
description, a *variation* another behaviour that the documents permit. See one at work with
`conformance sandbox --fault NAME`, or measure it again with `conformance faults check NAME`.
"""

_WORDS = """\
A fault is *caught* if a rule of the strongest basis that it breaks becomes worse than on the sandbox as it is: in a
plain run if that basis is `documented` or `standard`, under `--strict` and with another note in the plain run if
`inferred`, by another note or worse if `contradicted`. It is *attributed* if besides no rule fails that it does not
break. A variation raises an alarm if any rule is `fail`, `warn`, `error` or `blocked` in a plain run.
"""


def _faults(faults: Sequence[Mapping[str, Any]]) -> str:
    rows = ["| fault | what it does | basis | caught by | missed by | fails besides |", "| --- " * 6 + "|"]
    for fault in faults:
        silent = [rule for rule in fault["breaks"] if rule not in fault["caught_by"]]
        category = f" ({fault['category']})" if fault["category"] else ""
        cells = (_rules(rules, fault["api"]) for rules in (fault["caught_by"], silent, fault["also"]))
        title = _cell(fault["title"] + ("" if fault["caught"] else f" **Missed:** {fault['reason']}"))
        rows.append(f"| `{fault['name']}`{category} | {title} | {fault['basis']} | {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


def _mutations(mutations: Sequence[Mapping[str, Any]]) -> str:
    counted: dict[str, list[bool]] = {}
    for mutation in mutations:
        answer = mutation["name"].partition(": ")[2].rsplit(" /")[0].partition(" status ")[0]
        counted.setdefault(answer.partition(" content type ")[0], []).append(mutation["caught"])
    rows = ["| answer | mutations | caught |", "| --- | ---: | ---: |"]
    rows += [f"| {answer} | {len(caught)} | {sum(caught)} |" for answer, caught in counted.items()]
    missed = [f"- `{each['name']}`: {_cell(each['reason'])}" for each in mutations if not each["caught"]]
    return "\n".join([*rows, "", *(["Missed:", "", *missed, ""] if missed else [])])


def _variations(variations: Sequence[Mapping[str, Any]]) -> str:
    rows = ["| variation | what it does | permitted by | alarms |", "| --- " * 4 + "|"]
    rows += [
        f"| `{each['name']}` | {_cell(each['title'])} | {_cell(each['permits'])} "
        f"| {_rules(each['alarms'], each['api'])} |"
        for each in variations
    ]
    return "\n".join(rows) + "\n"


def _rules(rules: Sequence[str], api: str) -> str:
    """Ids of rules without the name of the API, which the title of the section says."""
    return ", ".join(f"`{rule.removeprefix(f'{api}.')}`" for rule in rules)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
