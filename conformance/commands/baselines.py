"""The options of `conformance run` for what is known to fail, and writing a first file of it."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

_Command = TypeVar("_Command", bound=Callable[..., Any])


def write_option(command: _Command) -> _Command:
    """The option that writes a first baseline."""
    add: Callable[[_Command], _Command] = click.option(
        "--write-baseline",
        metavar="FILE",
        type=click.Path(dir_okay=False, path_type=Path),
        help="Write what fails there, for you to say of each why it is borne.",
    )
    return add(command)


def write(path: Path | None, results: Mapping[str, Any]) -> None:
    """Write a first baseline, if there is a file for it, and say what is left to do.

    Raises:
        BaselineError: If it cannot be written.
    """
    if path is None:
        return
    from conformance.judging.baseline import write_baseline  # noqa: PLC0415  (so that help stays quick)

    left = write_baseline(path, results)
    todo = f": say of {left} why they are borne, or the file is refused" if left else ""
    click.echo(f"Wrote {path}{todo}", err=True)
