"""Looks for the secrets that a user has set in files, in every form in which they are hidden, and in parts."""

from collections.abc import Iterator
from pathlib import Path

from conformance import ConformanceError
from conformance.files import NotAFileError, read_bounded
from conformance.recording.own_secrets import own_secrets
from conformance.recording.redaction import Redactor

_LARGEST = 200 * 1024 * 1024
"""The bytes of a file that is looked through."""
_AT_ONCE = 1024 * 1024
"""The characters that are looked through at once."""
_OVERLAP = 16 * 1024
"""The characters that are looked through twice: longer than any form of a secret, so that none is cut in two."""


class NothingToScanError(ConformanceError, ValueError):
    """There is nothing to look for, or nowhere to look; the message says what to set or to give."""


def found_in(path: Path) -> Iterator[str]:
    """Where a secret stands: for each setting and file of a folder a sentence, which does not repeat the secret.

    Args:
        path: A file, or a folder that is looked through with all that is in it.

    Raises:
        NothingToScanError: If no secret is set, or there is no such file.
    """
    secrets = own_secrets()
    if not secrets:
        raise NothingToScanError("No secret is set in the environment or in .env: there is nothing to look for.")
    if not path.exists():
        raise NothingToScanError(f"There is no {path}.")
    redactors = {}
    for name, value in secrets.items():
        redactors[name] = Redactor((), within_words=True)
        redactors[name].know({"own": {"secret": value}}, in_parts=True)
    for file in [path] if path.is_file() else sorted(each for each in path.rglob("*") if each.is_file()):
        try:
            text = read_bounded(file, _LARGEST).decode("utf-8", "surrogateescape")
        except NotAFileError as error:
            yield f"{file} was not looked through: {error.strerror}"
            continue
        for name, redactor in redactors.items():
            pieces = (text[start : start + _AT_ONCE + _OVERLAP] for start in range(0, max(len(text), 1), _AT_ONCE))
            if any(redactor.text(piece) != piece for piece in pieces):
                yield f"{file} holds the secret {name}, or a part of it"
