"""A table of code mutants for somebody who reads a terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from conformance.reporting.lines import write
from conformance.reporting.phrases import printable

_MOST_LOOKED_AT = 120
"""How many of those that no answer shows are looked at."""


def write_mutants(table: Mapping[str, Any], to_look_at: Sequence[str], console: Console, *, holds: bool) -> None:
    """Write what a table found: what survived, what is to be looked at, and the line that sums it up.

    Args:
        table: A table in the form of ``specs/schemas/mutants.json``.
        to_look_at: The ids of those that no answer shows, in the order in which a person should look at them.
        console: Where to write.
        holds: Whether it is as good as it must be.
    """
    entries = {entry["id"]: entry for entry in table["mutants"]}
    blind = [entry for entry in entries.values() if entry["verdict"] == "blind-spot"]
    _listed("BLIND SPOTS", blind, console)
    survivors = [each for each in entries.values() if each["outcome"] == "survived" and not each["verdict"]]
    _listed("SURVIVED, WITHOUT A REASON", survivors, console)
    still = max(_MOST_LOOKED_AT - table["summary"]["looked_at"], 0)
    unseen = [entries[name] for name in to_look_at if not entries[name]["verdict"]]
    _listed("NO ANSWER SHOWS THEM: TO BE LOOKED AT", unseen[:still], console)
    verdict, style = ("PROVEN", "bold green") if holds else ("FALLS SHORT", "bold red")
    write(console, Text(f"{verdict}: {sentence(table['summary'])}", style), whole=True)


def sentence(figures: Mapping[str, Any]) -> str:
    """The figures of a table in a sentence.

    Args:
        figures: The ``summary`` of a table.
    """
    counted = figures["mutants"] - figures["not_started"]
    unseen = figures["silent"] + figures["not_reached"]
    return (
        f"of {counted} code mutants {figures['caught']} are caught; {figures['survived']} survive, "
        f"{figures['survivors_excused']} of these with a reason; {unseen} show in no answer, and of "
        f"{figures['looked_at']} of these that were looked at {figures['blind_spots_among_these']} are blind spots; "
        f"so {_percent(figures['caught_share'])} are caught of those that can be"
    )


def _listed(title: str, entries: Sequence[Mapping[str, Any]], console: Console) -> None:
    if not entries:
        return
    write(console, Text(f"{title}  {len(entries)}", "bold red"))
    for entry in entries:
        write(console, Text(printable(entry["id"]), "bold"), 2)
        for line in (f"{entry['place']}: {entry['change']}", entry["reason"]):
            if line:
                write(console, Text(printable(line)), 4, 4)
    console.print()


def _percent(share: float) -> str:
    return f"{int(1000 * share) / 10:g} %"  # rounded down, so that only all of them are 100 %
