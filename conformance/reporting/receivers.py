"""What a receiver of webhooks did, as a table that fits into 80 columns."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from conformance.receivers.rows import Mark, Row
from conformance.reporting.lines import write
from conformance.reporting.phrases import printable

_STYLES = {Mark.RIGHT: "green", Mark.WRONG: "bold red", Mark.NOTE: "cyan", Mark.OPEN: "yellow"}
_WIDTH = 80


def write_rows(rows: Sequence[Row], stopped: str, console: Console) -> None:
    """Write what was sent and answered, then why what is not right is not.

    Args:
        rows: The cases, in the order in which they were sent.
        stopped: Why the rest was not sent; empty if all was.
        console: Where to write.
    """
    table = Table(box=None, pad_edge=False, width=min(console.width, _WIDTH))
    table.add_column("what was sent", ratio=1, overflow="fold")
    table.add_column("wanted", no_wrap=True)
    table.add_column("answered", max_width=22, overflow="fold")
    table.add_column("slowest", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for row in rows:
        mark = Text(row.mark.value, _STYLES[row.mark])
        table.add_row(printable(row.name), row.wanted, row.answered, f"{row.seconds:.2f} s", mark)
    console.print(table, highlight=False)
    console.print()
    told = [row for row in rows if row.said]
    for row in told:
        write(console, Text.assemble((f"{row.mark.value:<7}", _STYLES[row.mark]), (row.name, "bold")))
        write(console, Text(printable(row.said)), 7)
    if stopped:
        write(console, Text(printable(stopped), "yellow"))
    if told or stopped:
        console.print()
