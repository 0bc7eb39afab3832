"""What the commands about traffic share: the base URLs that they are given, and how they end."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import click

from conformance.commands.running import exit_code, tell_of_client
from conformance.options import read_base_urls


def base_urls_of(context: click.Context, option: click.Parameter, given: Sequence[str]) -> dict[str, str]:
    """The base URLs by API.

    Raises:
        click.BadParameter: If one is not API=URL, or its URL is not what a base URL is.
    """
    try:
        return read_base_urls(given)
    except ValueError as error:
        raise click.BadParameter(str(error), context, option) from error


def conclude(results: dict[str, Any], folder: Path | None) -> NoReturn:
    """Write the summary to standard output, and the reports to a folder if one is given, and end with the verdict.

    Args:
        results: Results in the form of ``specs/schemas/results.json``.
        folder: The folder.

    Raises:
        click.exceptions.Exit: With the exit code of the verdict.
    """
    tell_of_client(results, folder)
    raise click.exceptions.Exit(exit_code(results))
