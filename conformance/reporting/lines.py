"""Where reports for people are written: paragraphs that wrap on a terminal, and a console that suits a file as well."""

import errno
import os
from collections.abc import Callable
from io import StringIO
from textwrap import wrap

from rich.console import Console
from rich.text import Text

_WIDTH_OF_LISTS = 80
_WIDTH_OF_FILES = 160
"""The columns of a table that goes to a file or to another program."""


class Output(Console):
    """Where the commands write: as wide as the terminal, and wide enough for tables where there is none.

    Args:
        stderr: Whether this is standard error.
    """

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(stderr=stderr)
        if not self.is_terminal:
            self.width = _WIDTH_OF_FILES

    def on_broken_pipe(self) -> None:
        """End the command when nobody reads its output; if only its progress is not read, go on in silence.

        Raises:
            BrokenPipeError: If this is standard output.
        """
        self.quiet = True
        if not self.stderr:
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


def text_of(tell: Callable[[Console], None], *, terminal: bool) -> str:
    """What is told to a console, as a text.

    Args:
        tell: Tells it.
        terminal: Whether the text goes to a terminal, so that it may have colours and has to fit.
    """
    out = StringIO()
    console = Console(file=out, force_terminal=terminal)
    if not terminal:
        console.width = _WIDTH_OF_FILES
    tell(console)
    return out.getvalue()


def folded(text: str, console: Console, indent: int) -> None:
    """Write a text below an entry of a list, in lines that fit 80 columns wherever they are read.

    Args:
        text: The text.
        console: Where to write.
        indent: Columns before each line.
    """
    for line in wrap(
        text, min(_WIDTH_OF_LISTS, console.width) - indent, break_long_words=False, break_on_hyphens=False
    ):
        write(console, Text(line), indent, whole=True)


def write(console: Console, text: Text, indent: int = 0, hang: int = 0, *, whole: bool = False) -> None:
    """Write `text` as one paragraph, wrapped on a terminal only.

    Args:
        console: Where to write.
        text: What to write.
        indent: Columns before each line.
        hang: Columns more before each line but the first.
        whole: Whether lines stay whole on a terminal too, to be copied.
    """
    wrapped = console.is_terminal and not whole
    lines = text.wrap(console, console.width - indent - hang) if wrapped else text.split()
    for number, line in enumerate(lines):
        console.print(Text(" " * (indent + (hang if number else 0))) + line, highlight=False, soft_wrap=True)
