"""Files: where the specs and cassettes lie, what in one does not fit its schema, and writing one whole."""

import errno
import json
import os
import stat
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

LARGEST = 5 * 1024 * 1024
"""The bytes of a file of ours that are read."""
_AT_ONCE = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
"""Opens a pipe without waiting for somebody who writes to it; the other is for Windows."""
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


class NotAFileError(OSError):
    """What is at a path is a folder, a pipe or a device, or larger than it may be; `strerror` says which."""


def read_bounded(path: Path, most: int = LARGEST) -> bytes:
    """The content of a file, which is neither waited for nor read without an end.

    Args:
        path: Where it is.
        most: The most bytes that it may have.

    Raises:
        NotAFileError: If it is no file, or larger.
        OSError: If it cannot be read.
    """
    descriptor = os.open(path, os.O_RDONLY | _AT_ONCE)
    with os.fdopen(descriptor, "rb") as file:
        mode = os.fstat(file.fileno()).st_mode
        if not stat.S_ISREG(mode):
            raise NotAFileError(errno.EINVAL, f"it is {_kind_of(mode)}, not a file", str(path))
        content = file.read(most + 1)
    if len(content) > most:
        raise NotAFileError(errno.EFBIG, f"it is larger than {most:,} bytes", str(path))
    return content


def read_json(path: Path, most: int = LARGEST) -> Any:
    """What a file of JSON says; other arguments and errors of files are those of `read_bounded`.

    Raises:
        ValueError: If it is no JSON, or nested too deep.
    """
    try:
        return json.loads(read_bounded(path, most))
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error


def _kind_of(mode: int) -> str:
    kinds = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}
    return kinds.get(stat.S_IFMT(mode), "a device")


def write_whole(path: Path, text: str | Iterable[str]) -> None:
    """Write a text file in UTF-8, whole or not at all; what was there before stays until the new one is complete.

    Others may read it, as far as the user's umask lets them. What UTF-8 cannot hold is written as an escape.

    Args:
        path: Where to; its folder must be there.
        text: The content, as a whole or in pieces.

    Raises:
        OSError: If it cannot be written.
    """
    with TemporaryDirectory(dir=path.parent, prefix=".", suffix=".tmp") as folder:
        written = Path(folder, path.name)
        with open(written, "w", encoding="utf-8", errors="backslashreplace", opener=_readable) as file:
            file.writelines([text] if isinstance(text, str) else text)
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
