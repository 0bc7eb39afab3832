"""Where the specs and cassettes lie: beside a checkout first, else inside the package; and what in one does not fit."""

from pathlib import Path
from typing import Any

_PACKAGE = Path(__file__).parent
_DEEPEST = 200
"""How deep what is read from a file may be nested."""
_SHOWN = 5
"""How much of the way to a place too deep is shown."""


def data_path(relative: str) -> Path:
    """The path of a file or folder of ours that is not code.

    Args:
        relative: A path below the repository's root that starts with ``specs/`` or ``cassettes/``.
    """
    checkout = _PACKAGE.parent
    if (checkout / "pyproject.toml").is_file() and (checkout / "specs").is_dir():
        return checkout / relative
    return _PACKAGE / "_data" / relative


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
