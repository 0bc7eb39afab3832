"""What is given to be compared: what it is, and reading it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from conformance.drift.form import NotComparableError
from conformance.speed.plain_yaml import read_yaml

DESCRIPTION, RESULTS, CASSETTES = "an OpenAPI description", "the results of a run", "a folder of cassettes"
"""What can be compared, each with its like."""
_LARGEST = 32 * 1024 * 1024
"""How many bytes a file may have."""


@dataclass(frozen=True)
class Input:
    """Something that was given.

    Args:
        path: Where it lies.
        what: What it is, in words: one of the constants of this module.
        content: The file's content, parsed; None for a folder of cassettes.
    """

    path: Path
    what: str
    content: Any = None


def read_input(path: Path) -> Input:
    """Find out what lies at a path, and read it if it is a file.

    Raises:
        NotComparableError: If nothing lies there, it cannot be read, or it is nothing that can be compared.
    """
    if path.is_dir():
        if (path / "results.json").is_file():
            return read_input(path / "results.json")
        return Input(path, CASSETTES)
    content = read_file(path)
    match content:
        case {"openapi": _} | {"swagger": _}:
            return Input(path, DESCRIPTION, content)
        case {"format": "conformance-results/1"}:
            return Input(path, RESULTS, content)
        case {"format": "conformance-cassette/1"}:
            raise NotComparableError(f"{path} is a single cassette; give the folder that holds all of them.")
        case {"log": {"entries": _}}:
            raise NotComparableError(f"{path} is an HTTP Archive (HAR), which cannot be compared. {_WANTED}")
        case {"format": str(other)}:
            raise NotComparableError(f"{path} is of the form {other}, which cannot be compared. {_WANTED}")
        case _:
            raise NotComparableError(f"{path} is nothing that can be compared. {_WANTED}")


_WANTED = (
    "Give two OpenAPI descriptions, two results.json of `conformance run --report`, "
    "or two folders of `conformance record --cassettes`."
)


def read_pair(before: Path, after: Path) -> tuple[Input, Input]:
    """Read what is to be compared with each other.

    Raises:
        NotComparableError: If one of them is nothing that can be compared, or they are not alike.
    """
    one, other = read_input(before), read_input(after)
    if one.what != other.what:
        raise NotComparableError(f"{before} is {one.what} and {after} is {other.what}: only like can be compared.")
    return one, other


def read_bytes(path: Path) -> bytes:
    """The bytes of a file of bearable size.

    Raises:
        NotComparableError: If it is missing, cannot be read, or is larger than 32 MiB.
    """
    try:
        if not path.exists():
            raise NotComparableError(f"There is nothing at {path}.")
        if not path.is_file():
            raise NotComparableError(f"{path} is no regular file.")
        if path.stat().st_size > _LARGEST:
            raise NotComparableError(
                f"{path} has more than {_LARGEST // 1024 // 1024} MiB, which is too much to compare."
            )
        return path.read_bytes()
    except OSError as error:
        raise NotComparableError(f"{path} cannot be read: {error.strerror}.") from error


def read_file(path: Path) -> Any:
    """What a file of YAML or JSON says.

    Raises:
        NotComparableError: If it cannot be read, is neither of the two, or is nested too deep.
    """
    content = read_bytes(path)
    try:
        if content.lstrip()[:1] in {b"{", b"["} and path.suffix != ".yaml":
            return json.loads(content)
        return read_yaml(content)
    except yaml.YAMLError as error:
        raise NotComparableError(f"{path} is not YAML: {_in_one_line(error)}") from error
    except RecursionError as error:
        raise NotComparableError(f"{path} is nested too deep to be compared.") from error
    except ValueError as error:
        raise NotComparableError(f"{path} is not JSON: {error}") from error


def _in_one_line(error: Exception) -> str:
    return " ".join(str(error).split())
