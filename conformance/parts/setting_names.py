"""Which names of settings there are, and which that was set is none: a typo must not pass as if nothing were set."""

import os
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from dotenv import dotenv_values

from conformance.settings import SettingsError, check_env_file

__all__ = ["AboutSetting", "misspelt_settings", "set_names", "unknown_settings"]


@dataclass(frozen=True)
class AboutSetting:
    """What a setting is for.

    Args:
        unlocks: What a run can do with it, as a clause.
        source: How to get it, as a sentence.
    """

    unlocks: str
    source: str = ""


def set_names(prefix: str) -> list[str]:
    """The names, in capitals, of the settings with a prefix that are set in the environment or in ``.env``.

    Args:
        prefix: What their names begin with.

    Raises:
        SettingsError: If ``.env`` is no file, or no text.
    """
    check_env_file()
    try:
        given = {**dotenv_values(".env"), **os.environ}
    except UnicodeDecodeError as error:
        raise SettingsError(f"The file .env is not UTF-8: {error}") from error
    return sorted({name.upper() for name, value in given.items() if name.upper().startswith(prefix) and value})


def unknown_settings(prefix: str, known: Collection[str]) -> list[str]:
    """What is set under a prefix and is no setting, each as a clause that names the closest one.

    Args:
        prefix: What the names begin with.
        known: The names that there are, in capitals, with the prefix.

    Raises:
        SettingsError: If ``.env`` is no text.
    """
    return [f"{name}{_closest(name, known)}" for name in set_names(prefix) if name not in known]


def misspelt_settings(prefix: str, known: Collection[str]) -> list[str]:
    """As `unknown_settings`, but only what is close to the name of a setting: others may be somebody else's."""
    return [told for told in unknown_settings(prefix, known) if "did you mean" in told]


def _closest(name: str, known: Iterable[str]) -> str:
    close = get_close_matches(name, known, n=1, cutoff=0.9)
    return f" (did you mean {close[0]}?)" if close else ""
