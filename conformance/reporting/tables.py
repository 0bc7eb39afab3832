"""Tables for a terminal or a file: rules, what is known of one of them, vectors, and what an adapter said of them."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from conformance.catalogue import Rule
from conformance.reporting.lines import write
from conformance.reporting.phrases import printable


def write_rules(rules: Iterable[Rule], console: Console) -> None:
    """Write rules as a table, each with its title below its id.

    Args:
        rules: The rules, in the order of the table.
        console: Where to write.
    """
    table = Table(box=None, pad_edge=False, collapse_padding=True)
    table.add_column("rule", overflow="fold")
    for name in ("level", "basis", "party"):
        table.add_column(name, no_wrap=True)
    for rule in rules:
        named = Text.assemble((rule.id, "bold"), f"\n  {rule.title}")
        table.add_row(named, rule.level.value, rule.basis.value, rule.party.value)
    console.print(table)


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
    """Write how many vectors each file has.

    Args:
        files: The files, in the form of ``conformance vectors --json``.
        console: Where to write.
    """
    table = Table(box=None, pad_edge=False)
    table.add_column("file", no_wrap=True)
    table.add_column("cases", justify="right")
    for kind in ("produce", "accept"):
        for value in files[0][kind] if files else ():
            table.add_column(f"{kind} {value}", justify="right")
    for each in files:
        numbers = (each["cases"], *each["produce"].values(), *each["accept"].values())
        table.add_row(each["file"], *map(str, numbers))
    console.print(table, highlight=False)


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
