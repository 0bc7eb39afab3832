"""The secrets that a user has set, whichever API they are of, and texts and files without them."""

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TypeVar

from conformance.recording.redaction import Redactor
from conformance.settings import is_secret

_PREFIX = "CONFORMANCE_"
_ENV_FILE = Path(".env")
_LARGEST_KEY = 64 * 1024
"""Bytes of a file that may hold a private key."""
_LARGEST_ENV_FILE = 1024 * 1024
"""Bytes of a file of settings."""
_SHORTEST = 6
"""Characters from which on a secret is looked for: a shorter one would be found where nobody wrote it."""

Data = TypeVar("Data")


def own_secrets() -> dict[str, str]:
    """The secrets in the environment and in ``.env``, by the names of their settings; of a key's path what is there."""
    found: dict[str, str] = {}
    for name, value in _settings().items():
        if name.startswith(_PREFIX) and is_secret(name) and value:
            content = _key_at(value)
            secret = value if content is None else content
            if len(secret) >= _SHORTEST:
                found[name] = secret
    return found


def _settings() -> Mapping[str, str]:
    from_file: Mapping[str, str | None] = {}
    try:
        if _ENV_FILE.is_file() and _ENV_FILE.stat().st_size <= _LARGEST_ENV_FILE:
            from dotenv import dotenv_values  # noqa: PLC0415  (only where there is such a file)

            from_file = dotenv_values(_ENV_FILE)
    except (OSError, UnicodeDecodeError):
        pass  # who reads the settings says so
    return {**{name: value for name, value in from_file.items() if value}, **os.environ}


def _key_at(value: str) -> str | None:
    """The content of the file at a path; None if that is no path of a small file."""
    try:
        path = Path(value)
        if path.is_file() and path.stat().st_size <= _LARGEST_KEY:
            return path.read_text(encoding="utf-8", errors="replace")
    except (OSError, ValueError):
        pass
    return None


def own_redactor() -> Redactor | None:
    """What hides these secrets, and parts of them; None if none is set."""
    found = tuple(own_secrets().items())
    return _redactor(found) if found else None


@cache
def _redactor(secrets: tuple[tuple[str, str], ...]) -> Redactor:
    redactor = Redactor(())
    redactor.know({"own": {name.removeprefix(_PREFIX).lower(): value for name, value in secrets}}, in_parts=True)
    return redactor


def without_secrets(data: Data) -> Data:
    """A text, or data of lists and mappings as JSON has them, without the secrets that the user has set."""
    redactor = own_redactor()
    return data if redactor is None else _hidden(data, redactor)


def _hidden(data: Data, redactor: Redactor) -> Data:
    match data:
        case str():
            return redactor.text(data)  # type: ignore[return-value]  # the same kind of data
        case dict():
            return {key: _hidden(value, redactor) for key, value in data.items()}  # type: ignore[return-value]
        case list() | tuple():
            return [_hidden(value, redactor) for value in data]  # type: ignore[return-value]
    return data
