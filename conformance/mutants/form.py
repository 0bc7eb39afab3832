"""A table of code mutants as a file, in the form of ``specs/schemas/mutants.json``, and what people said of them."""

import json
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from conformance import ConformanceError
from conformance.files import data_path, first_problem, read_bounded, read_json
from conformance.mutants.mutants import PACKAGE

FORMAT = "conformance-mutants/1"
VERDICTS = ("equivalent", "left-open", "blind-spot")
"""What a person can say of a mutant that no test catches: no request at all could tell, the documents leave it open, or
a test is missing."""

_SCHEMA = "specs/schemas/mutants.json"


class TableUnreadableError(ConformanceError, ValueError):
    """A table of mutants, or the reasons for it, cannot be read; the message says which, why, and what to do."""


@dataclass(frozen=True)
class Reason:
    """What a person said of a mutant.

    Args:
        change: The change that it was said of; of another one it says nothing.
        verdict: ``equivalent``, ``left-open`` or ``blind-spot``.
        reason: Why, in a sentence.
    """

    change: str
    verdict: str
    reason: str


def read(path: Path) -> dict[str, Any]:
    """A table.

    Raises:
        TableUnreadableError: If it is missing, no JSON, or not in the form of ``specs/schemas/mutants.json``.
    """
    try:
        raw: dict[str, Any] = read_json(path)
    except (OSError, ValueError) as error:
        raise TableUnreadableError(f"The table of mutants {path} cannot be read: {error}") from error
    _check(path, raw, json.loads(data_path(_SCHEMA).read_bytes()))
    return raw


def read_reasons(path: Path) -> dict[str, Reason]:
    """What people said of mutants, by the mutants' ids, from a file in YAML.

    Raises:
        TableUnreadableError: If it is missing, no YAML, or not a mapping from ids to `change`, `verdict` and `reason`.
    """
    import yaml  # noqa: PLC0415  (only for who has such a file)

    try:
        raw = yaml.safe_load(read_bounded(path)) or {}
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise TableUnreadableError(f"The reasons {path} cannot be read: {error}") from error
    schema = json.loads(data_path(_SCHEMA).read_bytes())
    _check(path, raw, {"$defs": schema["$defs"], "$ref": "#/$defs/reasons"})
    return {name: Reason(**said) for name, said in raw.items()}


def _check(path: Path, value: Any, schema: dict[str, Any]) -> None:
    import jsonschema_rs  # noqa: PLC0415  (50 ms that only a reader of a table should pay)

    problem = first_problem(jsonschema_rs.validator_for(schema), value)
    if problem:
        place = "/".join(map(str, problem[0])) or "the top"
        raise TableUnreadableError(f"{path} is wrong at {place}: {problem[1]}")


@cache
def commit() -> str | None:
    """The commit of the checkout that is mutated; None if it is no checkout or git does not tell."""
    command = ["git", "-C", str(PACKAGE), "-c", "safe.directory=*", "rev-parse", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603  (git)
    except (OSError, subprocess.CalledProcessError):
        return None
