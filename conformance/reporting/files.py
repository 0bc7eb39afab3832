"""The reports of a run as files in one folder."""

import json
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from conformance import ConformanceError
from conformance.files import write_whole
from conformance.reporting.archive import archive
from conformance.reporting.html import html
from conformance.reporting.junit import junit
from conformance.reporting.results_file import NAME, written
from conformance.reporting.sarif import sarif
from conformance.reporting.summary import summary
from conformance.reporting.support import support_text

_FORMS: Mapping[str, tuple[str, Callable[[Mapping[str, Any]], str]]] = {
    "html": ("report.html", html),
    "junit": ("junit.xml", lambda results: f'<?xml version="1.0" encoding="utf-8"?>\n{junit(results)}\n'),
    "sarif": ("sarif.json", lambda results: _json(sarif(results))),
    "summary": ("summary.md", summary),
    "har": ("exchanges.har", lambda results: _json(archive(results))),
}
FORMATS = tuple(_FORMS)
"""The forms of a report besides ``results.json``, which is always written, since all of them are made from it."""
USUAL = ("html", "junit")
"""The forms that are written if nobody says which."""


class ReportNotWrittenError(ConformanceError, OSError):
    """A report cannot be written; the message says where and why."""


def make_folder(folder: Path) -> None:
    """Make sure that reports can be written to `folder`, before a run that may take long.

    Raises:
        ReportNotWrittenError: If they cannot.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise _unwritable(folder, error) from error


def write_reports(results: Mapping[str, Any], folder: Path, forms: Iterable[str] = USUAL) -> list[Path]:
    """Write ``results.json`` and other forms of it, each whole or not at all.

    Args:
        results: Results in the form of ``specs/schemas/results.json``.
        folder: Where to; made if it is not there.
        forms: Which of `FORMATS`.

    Returns:
        The paths of the files.

    Raises:
        ReportNotWrittenError: If a file cannot be written.
    """
    make_folder(folder)
    paths = [_write(folder / NAME, written(results))]
    for form in dict.fromkeys(forms):
        name, make = _FORMS[form]
        paths.append(_write(folder / name, make(results)))
    return paths


def write_support_text(results: Mapping[str, Any], path: Path) -> Path:
    """Write what the provider breaks as a text for its support, whole or not at all.

    Args:
        results: Results in the form of ``specs/schemas/results.json``.
        path: Where to.

    Returns:
        The path.

    Raises:
        ReportNotWrittenError: If it cannot be written.
    """
    try:
        write_whole(path, support_text(results))
    except OSError as error:
        raise ReportNotWrittenError(f"The text for support cannot be written to {path}: {error.strerror}.") from error
    return path


def _write(path: Path, text: str | Iterable[str]) -> Path:
    try:
        write_whole(path, text)
    except OSError as error:
        raise _unwritable(path, error) from error
    return path


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False) + "\n"


def _unwritable(path: Path, error: OSError) -> ReportNotWrittenError:
    return ReportNotWrittenError(
        f"No report can be written to {path}: {error.strerror}. Give another folder to --report."
    )
