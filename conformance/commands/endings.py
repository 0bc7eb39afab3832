"""How a command ends: what went wrong becomes a message and an exit code, never a traceback."""

import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

import click

from conformance import ConformanceError

INCONCLUSIVE, INTERRUPTED, UNREAD = 3, 130, 141
"""Exit codes besides those of a verdict and of a `ConformanceError`; UNREAD: nobody reads on, as in ``| head``."""


@contextmanager
def explained() -> Iterator[None]:
    """Explain what goes wrong in a command.

    Raises:
        click.exceptions.Exit: If something went wrong, when it was explained.
    """
    try:
        yield
    except (click.exceptions.Exit, click.Abort, click.ClickException):
        raise
    except KeyboardInterrupt:
        click.echo("Interrupted; there is no verdict.", err=True)
        raise click.exceptions.Exit(INTERRUPTED) from None
    except BrokenPipeError:
        stop_writing(sys.stdout)
        raise click.exceptions.Exit(UNREAD) from None
    except ConformanceError as error:
        click.echo(f"Error: {error}", err=True)
        raise click.exceptions.Exit(error.exit_code) from None
    except Exception as error:  # noqa: BLE001  (the last place where it can be explained)
        frame = traceback.extract_tb(error.__traceback__)[-1]
        click.echo(
            f"Error: conformance itself broke, which says nothing of the subject: {type(error).__name__}: {error} "
            f"({Path(frame.filename).name}, line {frame.lineno}). Please report this.",
            err=True,
        )
        raise click.exceptions.Exit(INCONCLUSIVE) from None


def stop_writing(stream: TextIO) -> None:
    """Let what was not written yet go nowhere, since nobody reads it: Python would complain when it ends."""
    with suppress(OSError, ValueError):  # the stream may be no file
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
