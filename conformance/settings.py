"""What a user sets for a live run, in the environment or in ``.env``."""

from collections.abc import Mapping
from dataclasses import dataclass, field


class SettingsError(ValueError):
    """A setting is missing or wrong; the message names it and says what to give."""


@dataclass(frozen=True)
class LiveSettings:
    """How to reach the live server of one API.

    Args:
        base_url: Where it is, without ``/v1`` or ``/v2``.
        credentials: What each identity authenticates with, by the names of the settings in lower case.
        others: The API's other settings by name.
        ca_file: A file of certificates to trust instead of the system's.
    """

    base_url: str
    credentials: Mapping[str, Mapping[str, str]] = field(repr=False)
    others: Mapping[str, str] = field(default_factory=dict, repr=False)
    ca_file: str | None = None
