"""A bar that shows on a terminal how far a command has come."""

import os
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import Progress, ProgressColumn, TextColumn
from rich.table import Column


class ProgressBar:
    """What commands that take long show while they work; a context manager.

    On a terminal it draws a bar. Elsewhere, and where the environment has `CI`, a subclass writes lines now and then.

    Args:
        console: Where to write.
        columns: What the bar shows before the name of what was done last.
        options: Options of rich's Progress.
    """

    def __init__(self, console: Console, *columns: ProgressColumn, **options: Any) -> None:
        self._console = console
        self._live = console.is_terminal and not console.is_dumb_terminal and "CI" not in os.environ
        name = TextColumn(
            "{task.description}", style="dim", table_column=Column(no_wrap=True, overflow="ellipsis", ratio=1)
        )
        self._bar = Progress(*columns, name, console=console, expand=True, transient=True, **options)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._live:
            self._bar.stop()
