"""What every API's settings share: how those of a live run are read and checked, for one identity or two."""

from collections.abc import Sequence
from typing import ClassVar, Generic, TypeVar

from conformance.settings import (
    LiveSettings,
    ServerSettings,
    Settings,
    checked_base_url,
    checked_ca_file,
    identities,
    prefix_of,
    read,
)

__all__ = ["ApiSettings"]

Own = TypeVar("Own", bound=ServerSettings)


class ApiSettings(Generic[Own]):
    """What a user sets to judge one API live; a subclass says what is special to it.

    Attributes:
        api: The API's name. Its settings begin with it: ``CONFORMANCE_ACME_`` for ``acme``, followed by ``SECOND_`` for
            what the second identity has.
        version: What paths of the API begin with, such as ``/v1``; ``/`` if there is no version in them.
        identity: What an identity authenticates with. A field ``api_key`` is one of its fields.
        required: The names of those of its fields that an identity must have.
        own: Where the server is, and what else can be set.
    """

    api: ClassVar[str]
    version: ClassVar[str]
    identity: ClassVar[type[Settings]]
    required: ClassVar[Sequence[str]] = ("api_key",)
    own: type[Own]

    def defaults(self) -> dict[str, str]:
        """The settings that a sandbox world is judged with: none, unless a subclass has some."""
        return {}

    def load(self, *, base_url: str | None = None) -> LiveSettings:
        """Read the settings.

        Args:
            base_url: A base URL that overrides the setting.

        Raises:
            SettingsError: If a setting is missing or wrong.
        """
        prefix = prefix_of(self.api)
        own = read(self.own, prefix)
        url = checked_base_url(base_url or own.base_url, api=self.api, version=self.version)
        prefixes = {"first": prefix, "second": f"{prefix}SECOND_"}
        found = {
            identity: self.checked_credentials(credentials, prefixes[identity])
            for identity, credentials in identities(self.identity, prefixes, required=self.required).items()
        }
        return LiveSettings(url, found, self.others(own), checked_ca_file(own.ca_file))

    def checked_credentials(self, credentials: dict[str, str], prefix: str) -> dict[str, str]:  # noqa: ARG002
        """The credentials of one identity, by the names of the settings in lower case.

        Args:
            credentials: What is set, all that is required among it.
            prefix: What the names of these settings begin with, for messages.

        Raises:
            SettingsError: If one of them is wrong.
        """
        return credentials

    def others(self, own: Own) -> dict[str, str]:  # noqa: ARG002
        """The API's other settings by name, in the form in which the suite uses them.

        Raises:
            SettingsError: If one of them is wrong.
        """
        return self.defaults()
