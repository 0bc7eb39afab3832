"""A matrix as a file, in the form of ``specs/schemas/matrix.json``."""

import json
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import conformance
from conformance import ConformanceError
from conformance.api import registered
from conformance.files import data_path, read_json
from conformance.specification import Specification

FORMAT = "conformance-matrix/1"
SCHEMA = "specs/schemas/matrix.json"


class MatrixUnreadableError(ConformanceError, ValueError):
    """A matrix file cannot be read or continued; the message says which, why, and what to do."""


def read(path: Path) -> dict[str, Any]:
    """A matrix file.

    Raises:
        MatrixUnreadableError: If it is missing, no JSON, or not in the form of ``specs/schemas/matrix.json``.
    """
    import jsonschema_rs  # noqa: PLC0415  (50 ms that only a reader of a matrix should pay)

    try:
        raw: dict[str, Any] = read_json(path)
    except (OSError, ValueError) as error:
        raise MatrixUnreadableError(f"The matrix {path} cannot be read: {error}") from error
    schema = json.loads(data_path(SCHEMA).read_bytes())
    for problem in jsonschema_rs.validator_for(schema).iter_errors(raw):
        place = "/".join(str(part) for part in problem.instance_path) or "the top"
        raise MatrixUnreadableError(f"The matrix {path} is wrong at {place}: {problem.message}")
    return raw


def sources() -> dict[str, str]:
    """What a matrix is made from: a digest of the rules and of the description of each API.

    Raises:
        SpecificationError: If the description of an API cannot be read.
    """
    return {
        f"{api.name} {noun}": digest
        for api in registered().values()
        if api.sandbox
        for noun, digest in (
            ("description", Specification.load(api.specification).digest),
            ("rules", f"sha256:{sha256(api.rules.read_bytes()).hexdigest()}"),
        )
    }


def source_digest() -> str:
    """A digest of the Python source of the suite, of the sandboxes and of all that they stand on.

    It is that of the packages of this project and of those who registered an API with a sandbox.
    """
    digest = sha256()
    for place, path in sorted(_source_files()):
        digest.update(f"{place}\n{path.stat().st_size}\n".encode())
        digest.update(path.read_bytes())
    return f"sha256:{digest.hexdigest()}"


def _source_files() -> Iterator[tuple[str, Path]]:
    """The files of source, each with a name that is the same wherever the package is installed."""
    roots = {type(api).__module__.partition(".")[0] for api in registered().values() if api.sandbox}
    for name in {conformance.__name__, *roots}:
        module = sys.modules[name]
        if not hasattr(module, "__path__"):
            yield name, Path(str(module.__file__))
        for folder in getattr(module, "__path__", ()):
            yield from ((f"{name}/{path.relative_to(folder).as_posix()}", path) for path in Path(folder).rglob("*.py"))
