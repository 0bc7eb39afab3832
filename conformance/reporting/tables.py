"""Tables for a terminal or a file: rules, what is known of one of them, vectors, and what an adapter said of them."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from conformance.catalogue import Rule
from conformance.reporting.lines import folded, write
from conformance.reporting.phrases import printable

_BESIDE = 22
"""The columns before the id of a rule: its level and basis."""


def write_rules(rules: Iterable[Rule], summary: str, console: Console) -> None:
    """Write rules by API and party, each with level and basis before its id, and what it asks for below.

    Args:
        rules: The rules, in the order of the table.
        summary: The last line.
        console: Where to write.
    """
    parties: dict[tuple[str, str], list[Rule]] = {}
    for rule in rules:
        parties.setdefault((rule.api, rule.party.value), []).append(rule)
    for (api, party), listed in parties.items():
        write(console, Text(f"{api}, for {_WHOM[party]}  {len(listed)}", "bold underline"))
        for rule in listed:
            beside = f"{rule.level.value:<6}  {rule.basis.value:<12}"
            write(console, Text.assemble(f"{beside:<{_BESIDE}}", (rule.id, "bold")), whole=True)
            folded(rule.title, console, _BESIDE + 2)
        console.print()
    write(console, Text(summary, "bold"))


_WHOM = {"provider": "the provider", "client": "clients"}


def write_statements(listed: Iterable[Mapping[str, Any]], summary: str, console: Console) -> None:
    """Write the statements of documents, each with what covers it or why nothing does.

    Args:
        listed: The statements, in the form of ``conformance rules --by-statement --json``.
        summary: The last line.
        console: Where to write.
    """
    document = None
    for each in listed:
        if each["document"] != document:
            document = each["document"]
            write(console, Text(document, "bold underline"))
        write(console, Text.assemble((each["id"], "bold"), (f"  {each['place']}", "dim")), 2)
        write(console, Text(each["says"]), 4)
        rows = [(name, ", ".join(each[name])) for name in ("rules", "tests", "faults") if each[name]]
        if each["reason"]:
            rows.append(("reason", each["reason"]))
        for name, value in rows:
            write(console, Text.assemble((f"{name:<10}", "dim"), value), 4, 10)
        write(console, Text(each["url"], "dim"), 4, whole=True)
    console.print()
    write(console, Text(summary, "bold"))


def write_rule(rule: Rule, facts: Iterable[tuple[str, str]], console: Console) -> None:
    """Write all about one rule.

    Args:
        rule: The rule.
        facts: Names and values; a value that continues the one before has no name.
        console: Where to write.
    """
    write(console, Text(rule.id, "bold"))
    write(console, Text(rule.title))
    console.print()
    for name, value in facts:
        write(console, Text.assemble((f"{name:<12}", "dim"), value), hang=12)


def write_counts(files: Sequence[Mapping[str, Any]], console: Console) -> None:
    """Write what the vectors of each file are about, and how many it has.

    Args:
        files: The files, in the form of ``conformance vectors --json``.
        console: Where to write.
    """
    for each in files:
        write(console, Text.assemble((f"{each['api']} {each['topic']}", "bold"), f"  {each['cases']} cases"))
        folded(each["about"], console, 2)
        for kind in ("produce", "accept"):
            counted = ", ".join(f"{number} {value}" for value, number in each[kind].items())
            write(console, Text.assemble((f"{kind:<9}", "dim"), counted), 2, whole=True)
        write(console, Text.assemble((f"{'file':<9}", "dim"), each["file"]), 2, whole=True)
        console.print()
    write(console, Text(f"{sum(each['cases'] for each in files)} cases", "bold"))


def write_cases(cases: Iterable[Mapping[str, Any]], summary: str, console: Console) -> None:
    """Write vectors, each with what is special about it, what it says of a sender and of a receiver, and its rule.

    Args:
        cases: The vectors, in the form of ``conformance vectors --search WORD --json``.
        summary: The last line.
        console: Where to write.
    """
    for each in cases:
        write(console, Text(each["id"], "bold"), whole=True)
        folded(each["title"], console, 2)
        folded(f"produce {each['produce']}, accept {each['accept']}: {each['reason']}; {each['basis']}", console, 2)
        if each["rule"]:
            write(console, Text(each["rule"], "dim"), 2, whole=True)
    write(console, Text(summary, "bold"))


def write_comparisons(compared: Sequence[Mapping[str, str]], outcomes: Sequence[str], console: Console) -> None:
    """Write what an adapter's answers came to by topic and side, each wrong one, and the line that states the verdict.

    Args:
        compared: The answers: ``topic``, ``side`` and ``outcome``, the case, what was expected and answered.
        outcomes: What an answer can come to, in the order of the columns.
        console: Where to write.
    """
    counts: dict[tuple[str, str], Counter[str]] = {}
    for each in compared:
        counts.setdefault((each["topic"], each["side"]), Counter())[each["outcome"]] += 1
    table = Table(box=None, pad_edge=False)
    for name in ("topic", "side"):
        table.add_column(name, no_wrap=True)
    for outcome in outcomes:
        table.add_column(outcome, justify="right", no_wrap=True)
    for (topic, side), counted in counts.items():
        table.add_row(topic, side, *(str(counted[outcome] or "") for outcome in outcomes))
    console.print(table, highlight=False)
    console.print()
    wrong = [each for each in compared if each["outcome"] == "wrong"]
    for each in wrong:
        write(console, Text.assemble((each["id"], "bold"), (f"  {each['side']}, {each['basis']}", "dim")), 2)
        for name in ("case", "expected", "answered", "rule", "source"):
            write(console, Text.assemble((f"{name:<10}", "dim"), printable(each[name])), 4, 10)
    right = sum(each["outcome"] == "right" for each in compared)
    if wrong:
        write(console, Text(f"DISAGREES: {len(wrong)} answers are wrong, {right} are right.", "bold red"))
    elif right:
        write(console, Text(f"AGREES: {right} answers are right, none is wrong.", "bold green"))
    else:
        write(console, Text("INCONCLUSIVE: the adapter supports no case that has a right answer.", "bold yellow"))
