"""An API that the suite judges: one object, registered under the entry-point group ``conformance.apis``."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module, util
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType

from conformance.files import data_path

GROUP = "conformance.apis"


class BrokenApiError(ValueError):
    """A registered API cannot be loaded; the message names who registered it, and what is wrong."""


class UnknownApiError(ValueError):
    """An API was named that nobody registered."""


@dataclass(frozen=True)
class Api:
    """All that is special to one API; its modules are imported when first used.

    Args:
        name: The short name that commands take, such as ``offblocks``.
        title: The name as its makers write it.
        package: The package that holds the modules ``client``, ``client_checks``, ``checks``, ``settings``, ``suite``
            and, if it has them, ``documents``, ``sandbox``, ``faults``, ``probe``, ``webhooks``.
        secrets: The names of the JSON members and form fields that hold secrets.
        secret_headers: The names of the header fields that hold secrets, besides Authorization.
        webhook_set_by_hand: Whether the address of webhooks is set outside of the API, as in a dashboard.
        find: Gives the path of a data file from its path below ``specs/`` or ``cassettes/``.
    """

    name: str
    title: str
    package: str
    secrets: tuple[str, ...] = ()
    secret_headers: tuple[str, ...] = ()
    webhook_set_by_hand: bool = False
    find: Callable[[str], Path] = data_path

    @property
    def specification(self) -> Path:
        """The OpenAPI description."""
        return self.find(f"specs/{self.name}/openapi.yaml")

    @property
    def rules(self) -> Path:
        """The rule catalogue."""
        return self.find(f"specs/{self.name}/rules.yaml")

    @property
    def cassettes(self) -> Path:
        """The folder of the shipped cassettes."""
        return self.find(f"cassettes/{self.name}")

    @property
    def suite(self) -> Path:
        """The folder of the scenarios."""
        package = import_module(f"{self.package}.suite")
        return Path(package.__path__[0])

    def has(self, noun: str) -> bool:
        """Whether this API's package has a module or package named `noun`."""
        return util.find_spec(f"{self.package}.{noun}") is not None

    def module(self, noun: str) -> ModuleType:
        """The module of this API's package named `noun`, imported."""
        return import_module(f"{self.package}.{noun}")


@cache
def registered() -> dict[str, Api]:
    """Every API registered under the entry-point group, by name, in alphabetical order.

    Raises:
        BrokenApiError: If one of them cannot be loaded.
    """
    found = map(_loaded, entry_points(group=GROUP))
    return {api.name: api for api in sorted(found, key=lambda api: api.name)}


def _loaded(point: EntryPoint) -> Api:
    try:
        api: Api = point.load()
    except Exception as error:
        raise BrokenApiError(
            f"The API {point.name!r}, registered as {point.value}, cannot be loaded: {type(error).__name__}: {error}. "
            "Update or uninstall its package."
        ) from error
    return api


def named(name: str) -> Api:
    """The registered API called `name`.

    Raises:
        UnknownApiError: If there is none; the message lists those there are.
        BrokenApiError: If one that is registered cannot be loaded.
    """
    apis = registered()
    if name not in apis:
        raise UnknownApiError(f"There is no API called {name!r}. Known: {', '.join(apis) or 'none'}.")
    return apis[name]
