"""The reports of a run as files in one folder."""

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from conformance import ConformanceError
from conformance.files import write_whole
from conformance.reporting.html import html
from conformance.reporting.junit import junit


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


def write_reports(results: Mapping[str, Any], folder: Path) -> list[Path]:
    """Write ``results.json``, ``report.html`` and ``junit.xml``, each whole or not at all.

    Args:
        results: Results in the form of ``specs/schemas/results.json``.
        folder: Where to; made if it is not there.

    Returns:
        The paths of the files.

    Raises:
        ReportNotWrittenError: If a file cannot be written.
    """
    make_folder(folder)
    written = {
        "results.json": json.dumps(results, indent=2, ensure_ascii=False) + "\n",
        "report.html": html(results),
        "junit.xml": f'<?xml version="1.0" encoding="utf-8"?>\n{junit(results)}\n',
    }
    for name, text in written.items():
        try:
            write_whole(folder / name, text)
        except OSError as error:
            raise _unwritable(folder / name, error) from error
    return [folder / name for name in written]


def _unwritable(path: Path, error: OSError) -> ReportNotWrittenError:
    return ReportNotWrittenError(
        f"No report can be written to {path}: {error.strerror}. Give another folder to --report."
    )
