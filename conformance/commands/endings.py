"""How a command ends: what went wrong becomes a message and an exit code, never a traceback."""

import errno
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import TextIO

import click

from conformance import ConformanceError

_OF_THE_MACHINE = {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG}
"""Errors of writing by which nothing of ours is wrong: the disk is full, for example."""
UNWRITTEN, INCONCLUSIVE, INTERRUPTED, UNREAD = 2, 3, 130, 141
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
        click.echo(f"Error: {_told(error)}", err=True)
        raise click.exceptions.Exit(error.exit_code) from None
    except Exception as error:  # noqa: BLE001  (the last place where it can be explained)
        if isinstance(error, OSError) and error.errno in _OF_THE_MACHINE:
            stop_writing(sys.stdout)
            click.echo(f"Error: what this command writes cannot be written: {error.strerror}.", err=True)
            raise click.exceptions.Exit(UNWRITTEN) from None
        frame = traceback.extract_tb(error.__traceback__)[-1]
        click.echo(
            f"Error: conformance itself broke, which says nothing of the subject: {type(error).__name__}: "
            f"{_told(error)} "
            f"({Path(frame.filename).name}, line {frame.lineno}). Please report this.",
            err=True,
        )
        raise click.exceptions.Exit(INCONCLUSIVE) from None


def ended(command: Callable[[], int | None]) -> int:
    """The exit code of a command: 1 says that a subject fails, or a check, and nothing else does.

    Args:
        command: Runs it, and gives its exit code; None for 0.
    """
    try:
        code = command() or 0
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except (KeyboardInterrupt, click.Abort):
        click.echo("Interrupted; there is no verdict.", err=True)
        code = INTERRUPTED
    for stream, unread in ((sys.stderr, code), (sys.stdout, UNREAD)):
        try:
            stream.flush()
        except BrokenPipeError:
            stop_writing(stream)
            code = unread
        except OSError as error:
            stop_writing(stream)
            if stream is sys.stdout:
                click.echo(f"Error: what this command writes cannot be written: {error.strerror}.", err=True)
                code = UNWRITTEN
    return code


def _told(error: Exception) -> str:
    """The message of an error without the secrets that the user has set, and without what would steer a terminal."""
    from conformance.recording.own_secrets import without_secrets  # noqa: PLC0415  (only where something went wrong)
    from conformance.reporting.phrases import printable  # noqa: PLC0415

    return printable(without_secrets(str(error)))


@contextmanager
def still_concluding(verdict: str) -> Iterator[None]:
    """Go on to the exit code of a verdict though what is written of it goes nowhere.

    Args:
        verdict: The verdict in a sentence, which is told where the disk is full.
    """
    try:
        yield
    except BrokenPipeError:
        stop_writing(sys.stdout)
    except OSError as error:
        if error.errno not in _OF_THE_MACHINE:
            raise
        stop_writing(sys.stdout)
        click.echo(f"The summary cannot be written: {error.strerror}. {verdict}", err=True)


@contextmanager
def stopped_by(*signals: signal.Signals) -> Iterator[None]:
    """Have signals end what goes on here as Ctrl-C does: INT even where a shell has it ignored, as in the background.

    Of TERM only the first one counts: ``timeout`` sends one to the process and one to its group, and the second would
    end what tells of the first.

    Args:
        signals: Which ones; elsewhere than in the main thread they stay as they are.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, _interrupt) for number in signals}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(number: int, frame: FrameType | None) -> None:
    if number == signal.SIGTERM:
        signal.signal(number, signal.SIG_IGN)
    signal.default_int_handler(number, frame)


def stop_writing(stream: TextIO) -> None:
    """Let what was not written yet go nowhere, since nobody reads it: Python would complain when it ends."""
    with suppress(OSError, ValueError):  # the stream may be no file
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
