"""What `conformance record` says: how many cassettes were written where, and of each test that was not recorded why."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from conformance import ConformanceError
from conformance.api import Api
from conformance.options import Options
from conformance.reporting.phrases import observation, printable
from conformance.targets import cassette_folder, cassette_path
from conformance.verdicts import Verdict

_A_CASSETTE = 16 * 1024
"""Bytes that one cassette takes."""


class FolderUnwritableError(ConformanceError, OSError):
    """Cassettes cannot be written to a folder; the message says why."""


class Recording:
    """The cassettes as they are before a run records some of them anew.

    Args:
        options: What the run is asked to do.
        apis: The APIs that it is about.

    Raises:
        FolderUnwritableError: If no cassette can be written.
    """

    def __init__(self, options: Options, apis: Sequence[Api]) -> None:
        self._folders = {api: cassette_folder(options, api) for api in apis}
        for folder in self._folders.values():
            _try_to_write(folder)
        self._before = self._times()

    def _times(self) -> dict[Path, int]:
        """When each cassette was written (ns)."""
        paths = (path for folder in self._folders.values() for path in folder.glob("*/*.yaml"))
        return {path: path.stat().st_mtime_ns for path in paths}

    def lines(self, results: Mapping[str, Any]) -> Iterator[str]:
        """What became of the cassettes, line by line.

        Args:
            results: The results of the run, in the form of ``specs/schemas/results.json``.
        """
        written = {path for path, time in self._times().items() if self._before.get(path) != time}
        for api, folder in self._folders.items():
            count = sum(path.is_relative_to(folder) for path in written)
            yield f"Wrote {count} cassettes of {api.title} to {folder}"
            for test, reason in _worst_findings(results, api.name).items():
                if cassette_path(folder, test) not in written:
                    yield f"  not recorded: {test}: {printable(reason)}"


def _try_to_write(folder: Path) -> None:
    """Make sure that cassettes can be written to a folder, before a run that may take long.

    Raises:
        FolderUnwritableError: If they cannot.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(_A_CASSETTE))
    except OSError as error:
        raise FolderUnwritableError(
            f"No cassette can be written to {folder}: {error.strerror}. Give another folder to --cassettes."
        ) from error


def _worst_findings(results: Mapping[str, Any], api: str) -> dict[str, str]:
    """The worst that each test of an API found, by the id of the test."""
    worst: dict[str, tuple[int, str]] = {}
    for rule in results["rules"]:
        for finding in rule["findings"] if rule["api"] == api else ():
            rank = tuple(Verdict).index(Verdict(finding["verdict"]))
            found = (rank, f"{finding['verdict']} {rule['id']}: {observation(finding)}")
            worst[finding["test"]] = min(worst.get(finding["test"], found), found)
    return {test: reason for test, (_, reason) in worst.items()}
