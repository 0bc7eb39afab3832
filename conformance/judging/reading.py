"""Reading ``results.json`` again."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from conformance import ConformanceError
from conformance.files import data_path, first_problem, read_json
from conformance.judging.results import FORMAT

_LARGEST = 512 * 1024 * 1024


class ResultsUnreadableError(ConformanceError, ValueError):
    """Results cannot be read; the message says which, and what is wrong."""


def read_results(place: Path) -> dict[str, Any]:
    """The results of a run.

    Args:
        place: A file in the form of ``specs/schemas/results.json``, or the folder that holds a ``results.json``.

    Raises:
        ResultsUnreadableError: If there is none, or it is of another form.
    """
    path = place / "results.json" if place.is_dir() else place
    try:
        found = read_json(path, _LARGEST)
    except OSError as error:
        raise ResultsUnreadableError(
            f"{path} cannot be read: {error.strerror}. Give a folder that `conformance run --report DIR` wrote."
        ) from error
    except ValueError as error:
        raise ResultsUnreadableError(f"{path} is not JSON: {error}") from error
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise ResultsUnreadableError(
            f"{path} is not of the form {FORMAT}, which `conformance run --report DIR` writes."
        )
    if problem := first_problem(_schema(), found):
        where, message = problem
        raise ResultsUnreadableError(f"{path} is wrong at {'/'.join(map(str, where)) or 'the top'}: {message}")
    return found


@cache
def _schema() -> Any:
    import jsonschema_rs  # noqa: PLC0415  (50 ms that only a reader of results should pay)

    return jsonschema_rs.validator_for(json.loads(data_path("specs/schemas/results.json").read_bytes()))
