"""What was skipped when cassettes were recorded, so that a replay knows why they are not there."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import yaml

from conformance.files import read_bounded, write_whole
from conformance.recording.cassettes import CassetteUnreadableError, first_problem_of
from conformance.speed.plain_yaml import read_yaml

__all__ = ["FILE", "note_skipped", "skipped_tests"]

FILE = "recording.yaml"
"""What it is called, in the folder of an API's cassettes."""
_FORMAT = "conformance-recording/1"


def skipped_tests(folder: Path) -> Mapping[str, str]:
    """Why each test was skipped when the cassettes in a folder were recorded, by the test's id.

    Raises:
        CassetteUnreadableError: If the file cannot be read.
    """
    path = folder / FILE
    return _read(path, path.stat().st_mtime_ns) if path.exists() else {}


@lru_cache(maxsize=8)
def _read(path: Path, _changed: int) -> Mapping[str, str]:
    try:
        raw = read_yaml(read_bounded(path))
    except OSError as error:
        raise CassetteUnreadableError(f"The recording {path} cannot be read: {error.strerror}.") from error
    except yaml.YAMLError as error:
        raise CassetteUnreadableError(f"The recording {path} is not YAML: {error}") from error
    if problem := first_problem_of("recording", raw):
        raise CassetteUnreadableError(f"The recording {path} is wrong at {problem}")
    skipped: Mapping[str, str] = raw["skipped"]
    return skipped


def note_skipped(folder: Path, api: str, ran: Mapping[str, str | None]) -> None:
    """Write which tests were skipped in a run that recorded; those that did not run stay as they were.

    Args:
        folder: Where the cassettes of the API lie.
        api: The name of the API.
        ran: Why a test was skipped, None if it was not, by the id of each that ran.

    Raises:
        OSError: If it cannot be written.
        CassetteUnreadableError: If what is there cannot be read.
    """
    before = skipped_tests(folder)
    kept = {test: reason for test, reason in before.items() if test not in ran}
    skipped = dict(sorted({**kept, **{test: reason for test, reason in ran.items() if reason}}.items()))
    if skipped == before:
        return
    path = folder / FILE
    if not skipped:
        path.unlink()
        return
    folder.mkdir(parents=True, exist_ok=True)
    document = {"format": _FORMAT, "api": api, "skipped": skipped}
    write_whole(path, yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120))
