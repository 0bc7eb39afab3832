"""The log of a proxy: an HTTP Archive that is whole whenever somebody looks."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from conformance import ConformanceError
from conformance.clock import stopwatch
from conformance.files import write_whole
from conformance.recording.har import head

_LEAST_PAUSE = 1.0
_SHARE = 20
"""At most one part in so many of the time goes into writing the log."""
_LARGEST = 96 * 1024 * 1024
"""The most characters that are kept; `files` reads files of this size."""


class LogNotWrittenError(ConformanceError, OSError):
    """The log cannot be written; the message says where and why."""


class TrafficLog:
    """Writes entries into a file: at the start, now and then, and at the end, each time the whole of them.

    Args:
        path: Where to.

    Raises:
        LogNotWrittenError: If it cannot be written there.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._entries: list[str] = []
        self._size = 0
        self._pause = _LEAST_PAUSE
        self.left_out = 0
        """How many entries there was no room for."""
        self.write()

    def add(self, entry: Mapping[str, Any]) -> None:
        """Add an entry, and write all of them if that was not done for a while.

        Raises:
            LogNotWrittenError: If they cannot be written.
        """
        text = json.dumps(entry)
        if self._size + len(text) > _LARGEST:
            self.left_out += 1
            return
        self._entries.append(text)
        self._size += len(text)
        if stopwatch() - self._written >= self._pause:
            self.write()

    def write(self) -> None:
        """Write all entries.

        Raises:
            LogNotWrittenError: If that cannot be done; what was written before stays.
        """
        began = stopwatch()
        opening = json.dumps({"log": head()})[:-2]
        try:
            write_whole(self._path, f'{opening}, "entries": [\n' + ",\n".join(self._entries) + "\n]}}\n")
        except OSError as error:
            raise LogNotWrittenError(f"The log cannot be written to {self._path}: {error.strerror}.") from error
        finally:
            self._written = stopwatch()
            self._pause = max(_LEAST_PAUSE, _SHARE * (self._written - began))
