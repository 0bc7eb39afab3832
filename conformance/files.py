"""Files: where the specs and cassettes lie, what in one does not fit its schema, and writing one whole."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

_PACKAGE = Path(__file__).parent
_DEEPEST = 200
"""How deep what is read from a file may be nested."""
_SHOWN = 5
"""How much of the way to a place too deep is shown."""


def data_path(relative: str) -> Path:
    """The path of a file or folder of ours that is not code: in a checkout if this is one, else inside the package.

    Args:
        relative: A path below the repository's root that starts with ``specs/`` or ``cassettes/``.
    """
    checkout = _PACKAGE.parent
    if (checkout / "pyproject.toml").is_file() and (checkout / "specs").is_dir():
        return checkout / relative
    return _PACKAGE / "_data" / relative


def write_whole(path: Path, text: str) -> None:
    """Write a text file in UTF-8, whole or not at all; what was there before stays until the new one is complete.

    Others may read it, as far as the user's umask lets them. What UTF-8 cannot hold is written as an escape.

    Args:
        path: Where to; its folder must be there.
        text: The content.

    Raises:
        OSError: If it cannot be written.
    """
    with TemporaryDirectory(dir=path.parent, prefix=".", suffix=".tmp") as folder:
        written = Path(folder, path.name)
        with open(written, "w", encoding="utf-8", errors="backslashreplace", opener=_readable) as file:
            file.write(text)
        written.replace(path)


def _readable(path: str, flags: int) -> int:
    return os.open(path, flags, 0o644)


def first_problem(validator: Any, value: Any) -> tuple[tuple[str | int, ...], str] | None:
    """Where something does not fit its JSON Schema, and why; None if it fits.

    Args:
        validator: A validator of jsonschema_rs.
        value: What was read from YAML, which knows values that JSON does not, or from JSON.
    """
    try:
        for error in validator.iter_errors(value):
            return tuple(error.instance_path), error.message
    except (ValueError, RecursionError) as error:
        return _no_json(value) or ((), str(error))
    return None


def _no_json(value: Any) -> tuple[tuple[str | int, ...], str] | None:
    """The first place of what JSON cannot write, and what that is."""
    pending: list[tuple[tuple[str | int, ...], Any]] = [((), value)]
    while pending:
        place, found = pending.pop()
        if len(place) > _DEEPEST:
            return place[:_SHOWN], "it is nested too deep, or in itself"
        match found:
            case dict():
                if strange := [key for key in found if not isinstance(key, str)]:
                    return place, f"the key {strange[0]!r} is no text; put it into quotation marks"
                pending += [((*place, key), found[key]) for key in reversed(found)]
            case list():
                pending += [((*place, index), found[index]) for index in reversed(range(len(found)))]
            case str() | int() | float() | None:
                pass
            case _:
                return place, f"{found} is a {type(found).__name__}; put it into quotation marks to make it text"
    return None
