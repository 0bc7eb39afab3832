"""What every API's settings share: how those of a live run are read and checked, for one identity or two."""

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar, Generic, TypeVar

from conformance.parts.setting_names import AboutSetting, set_names, unknown_settings
from conformance.settings import (
    LiveSettings,
    ServerSettings,
    Settings,
    SettingsError,
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
        of_the_sandbox: The names of what its sandbox alone takes, in lower case.
        about: What settings are for, by their names in lower case.
    """

    api: ClassVar[str]
    version: ClassVar[str]
    identity: ClassVar[type[Settings]]
    required: ClassVar[Sequence[str]] = ("api_key",)
    own: type[Own]
    of_the_sandbox: ClassVar[Iterable[str]] = ()
    about: ClassVar[Mapping[str, AboutSetting]] = {}

    def defaults(self) -> dict[str, str]:
        """The settings that a sandbox world is judged with: none, unless a subclass has some."""
        return {}

    def check(self, settings: Mapping[str, str]) -> None:
        """Make sure that the API's other settings make sense, as a file has them; a subclass knows what they are.

        Args:
            settings: The settings by name.

        Raises:
            SettingsError: If one that a sandbox world is judged with is missing, or one of them is wrong.
        """
        if missing := sorted(self.defaults().keys() - settings.keys()):
            raise SettingsError(f"it lacks {' and '.join(missing)}")

    def load(self, *, base_url: str | None = None) -> LiveSettings:
        """Read the settings.

        Args:
            base_url: A base URL that overrides the setting.

        Raises:
            SettingsError: If a setting is missing or wrong.
        """
        prefix = prefix_of(self.api)
        own = read(self.own, prefix)
        prefixes = {"first": prefix, "second": f"{prefix}SECOND_"}
        self._require_all(prefix, has_url=bool(base_url or own.base_url))
        url = checked_base_url(base_url or own.base_url, api=self.api, version=self.version)
        found = {
            identity: self.checked_credentials(credentials, prefixes[identity])
            for identity, credentials in identities(self.identity, prefixes, required=self.required).items()
        }
        return LiveSettings(url, found, self.others(own), checked_ca_file(own.ca_file))

    def names(self) -> list[str]:
        """The names of all settings of the API, in capitals."""
        prefix = prefix_of(self.api)
        shared = ServerSettings.model_fields.keys() - {"base_url"}  # their names do not begin with the API's
        of_identities = [f"{infix}{name}" for infix in ("", "second_") for name in self.identity.model_fields]
        of_servers = [name for name in self.own.model_fields if name not in shared]
        return [f"{prefix}{name.upper()}" for name in (*of_servers, *of_identities, *self.of_the_sandbox)]

    def required_names(self) -> list[str]:
        """The names of the settings that a live run cannot do without, in capitals."""
        return [f"{prefix_of(self.api)}{name.upper()}" for name in ("base_url", *self.required)]

    def _require_all(self, prefix: str, *, has_url: bool) -> None:
        """Make sure that all that is needed is set, and nothing that is no setting.

        Raises:
            SettingsError: If it is not so; the message names all of them.
        """
        present = {*set_names(prefix), *([f"{prefix}BASE_URL"] if has_url else [])}
        missing = [name for name in self.required_names() if name not in present]
        second = [f"{prefix}SECOND_{name.upper()}" for name in self.identity.model_fields]
        if present.intersection(second):
            missing += [name for name in second if name not in present and self._is_required(name, prefix)]
        unknown = unknown_settings(prefix, self.names())
        told = []
        if missing:
            url = f"; --base-url {self.api}=URL (without {self.version}) does for the first" if not has_url else ""
            told.append(
                f"These settings are missing: {', '.join(missing)}. Set them in the environment or in .env{url}. "
                "To see how to get them: conformance doctor --target live"
            )
        if unknown:
            told.append(f"There is no setting of these names: {'; '.join(unknown)}.")
        if told:
            raise SettingsError("\n".join(told))

    def _is_required(self, name: str, prefix: str) -> bool:
        return name.removeprefix(f"{prefix}SECOND_").lower() in self.required

    def given(self) -> tuple[dict[str, dict[str, str]], dict[str, str]]:
        """The credentials of each identity of which any is set, and the other settings; nothing has to be set.

        Raises:
            SettingsError: If a setting is wrong.
        """
        prefix = prefix_of(self.api)
        own = read(self.own, prefix)
        prefixes = {"first": prefix, "second": f"{prefix}SECOND_"}
        found = {
            identity: self.checked_credentials(credentials, prefixes[identity])
            for identity, credentials in identities(self.identity, prefixes, required=()).items()
            if credentials
        }
        return found, self.others(own)

    def checked_credentials(self, credentials: dict[str, str], prefix: str) -> dict[str, str]:  # noqa: ARG002
        """The credentials of one identity, by the names of the settings in lower case.

        Args:
            credentials: What is set, all that is required among it where a live run needs it.
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
