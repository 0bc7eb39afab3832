"""What the commands that list something share: only that is listed which holds the words that are looked for."""

from collections.abc import Iterable, Sequence

import click

search_option = click.option(
    "--search",
    "words",
    metavar="WORD",
    multiple=True,
    help="Only what holds this, in either letter case. May be repeated; then all of them.",
)


def holds(words: Sequence[str], texts: Iterable[str]) -> bool:
    """Whether each of the words stands in some of the texts, in either letter case."""
    whole = "\n".join(texts).casefold()
    return all(word.casefold() in whole for word in words)


def count(found: int, of_all: int, noun: str, words: Sequence[str]) -> str:
    """How many things there are, or were found, as a line, such as ``7 of 331 rules hold 'expiry'``."""
    if not words:
        return f"{of_all} {noun}"
    return f"{found} of {of_all} {noun} hold {' and '.join(map(repr, words))}"
