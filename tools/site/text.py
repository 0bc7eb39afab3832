"""Markdown, as the generated pages need it."""

from collections.abc import Callable, Iterable, Sequence


def outside_code(text: str, change: Callable[[str], str]) -> str:
    """A text with each line changed that stands in no block of code.

    Args:
        text: In Markdown.
        change: What becomes of a line.
    """
    lines, fence = [], ""
    for line in text.splitlines(keepends=True):
        mark = line.lstrip()[:3]
        if fence or mark == "```":
            fence = "" if fence and mark == fence else "```"
            lines.append(line)
        else:
            lines.append(line if line.startswith("    ") else change(line))
    return "".join(lines)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; empty if there are no rows.

    Args:
        head: The names of its columns.
        rows: The cells of each row, in Markdown.
    """
    body = [f"| {' | '.join(_cell(each) for each in row)} |\n" for row in rows]
    if not body:
        return ""
    return "".join([f"| {' | '.join(head)} |\n", f"|{' --- |' * len(head)}\n", *body, "\n"])


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def sentence(name: str) -> str:
    """The name of a test as the sentence that it is."""
    return name.rpartition("/")[2].replace("_", " ")
