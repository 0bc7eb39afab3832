"""What a live run needs, what is set of it, and how to get the rest; no value is ever shown."""

from collections.abc import Iterator, Mapping

from conformance import ConformanceError
from conformance.api import Api
from conformance.parts.setting_names import AboutSetting, set_names, unknown_settings
from conformance.settings import SettingsError, prefix_of

_SET, _MISSING, _NOT_SET, _UNKNOWN = "set", "missing", "not set", "unknown"


def told_settings(api: Api) -> Iterator[tuple[bool, str]]:
    """Say of each setting of an API whether it is set, what it unlocks and how to get it.

    Yields:
        Whether it is as it should be, and a line.
    """
    names = list(api.setting_names)
    settings = api.settings
    required = set(getattr(settings, "required_names", list)())
    about: Mapping[str, AboutSetting] = getattr(settings, "about", {})
    of_the_sandbox = {f"{prefix_of(api.name)}{name.upper()}" for name in api.sandbox_settings}
    try:
        present = set(set_names(prefix_of(api.name)))
        unknown = unknown_settings(prefix_of(api.name), names)
    except SettingsError as error:
        yield False, str(error)
        return
    for name in sorted(set(names) - of_the_sandbox, key=lambda each: (each not in required, names.index(each))):
        state = _SET if name in present else _MISSING if name in required else _NOT_SET
        said = about.get(name.removeprefix(prefix_of(api.name)).lower(), AboutSetting(""))
        unlocks = f": {said.unlocks}" if said.unlocks else ""
        source = f". {said.source}" if said.source and state != _SET else ""
        yield state != _MISSING, f"{state:<9}{name}{unlocks}{source}"
    for told in unknown:
        yield False, f"{_UNKNOWN:<9}{told}"
    if required <= present and not unknown:
        try:
            settings.load()
        except SettingsError as error:
            yield False, f"{'wrong':<9}{error}"


def registered_key(api: Api) -> str:
    """Register the public key of the setting SIGNING_KEY, and give its id as a line of ``.env``.

    Raises:
        ConformanceError: If the API has no such keys, or refuses it.
        SettingsError: If a setting is missing or wrong.
    """
    if api.key_registration is None:
        raise ConformanceError(f"{api.title} has no keys to register.")
    return f"{prefix_of(api.name)}SIGNING_KEY_ID={api.key_registration()}"
