"""How a sandbox can behave otherwise: its faults, variations and mutations by name, and its class with some of them."""

import sys
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from operator import attrgetter
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType
from typing import TypeVar

from conformance.api import Api, Sandbox, registered
from conformance.catalogue import Catalogue
from conformance.sandbox.faults import BehaviourChange, Fault, UnknownFaultError, Variation
from conformance.sandbox.mutations import mutations

T = TypeVar("T")

Kind = type[Fault] | type[Variation]
"""One of the two base classes."""


class Behaviours:
    """The faults, variations and mutations that one sandbox knows: those of its APIs, and a user's own.

    Args:
        apis: The APIs that the sandbox implements.
    """

    def __init__(self, apis: Iterable[Api]) -> None:
        self.apis = tuple(apis)
        self._own: dict[str, BehaviourChange] = {}

    def add(self, change: str | BehaviourChange) -> str:
        """Make a fault or variation of a user's own known.

        Args:
            change: Its class, or where that stands, as ``module:Class``. What an API has may be named too.

        Returns:
            The name by which it is known.

        Raises:
            UnknownFaultError: If there is no such class, or it cannot be used.
        """
        if isinstance(change, str):
            if not is_place(change):
                return change
            name, change = change, load_change(change)
        elif any(_look_up(api, change.__name__) is change for api in self.apis):
            return change.__name__
        else:
            name = f"{change.__module__}:{change.__qualname__}"
        changed_apis(change, self.apis)
        self._own[name] = change
        return name

    def check_names(self, names: Iterable[str], kind: Kind | None = None) -> tuple[str, ...]:
        """`names` without repetition, each of which must be known; nothing is imported for one.

        Args:
            names: Names of faults and variations.
            kind: Which of the two each must be; None for either.

        Raises:
            UnknownFaultError: If one of them is not known, or of the other kind.
        """
        chosen = tuple(dict.fromkeys(names))
        for name in chosen:
            if name in self._own or any(_look_up(api, name) for api in self.apis):
                if kind is not None and self._kind(name) is not kind:
                    raise UnknownFaultError(f"{name} is a {_called(self._kind(name))}, not a {_called(kind)}.")
                continue
            if is_place(name):
                raise UnknownFaultError(
                    f"This sandbox knows no {name}. A fault of your own is loaded when a sandbox starts, never by a "
                    f"request: conformance sandbox --fault {name}"
                )
            declared = [item for api in self.apis for item in declared_changes(api).items()]
            known = sorted(each for each, change in declared if kind is None or issubclass(change, kind))
            close = get_close_matches(name, known)
            hint = f"Close to it: {', '.join(close)}." if close else f"There are: {', '.join(known)}."
            called = "fault or variation" if kind is None else _called(kind)
            raise UnknownFaultError(f"There is no {called} called {name!r}. {hint}")
        return chosen

    def by_kind(self, names: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The faults and the variations among `names`, each without repetition.

        Raises:
            UnknownFaultError: If one of them is not known.
        """
        chosen = self.check_names(names)
        kinds = {name: self._kind(name) for name in chosen}
        faults, variations = (tuple(each for each in chosen if kinds[each] is kind) for kind in (Fault, Variation))
        return faults, variations

    def sandbox_classes(self, names: Iterable[str]) -> dict[str, type[Sandbox]]:
        """The class of each API's sandbox with the faults and variations of these names, by the API's name.

        Raises:
            UnknownFaultError: If they cannot be put into one class.
        """
        return {
            api.name: compose(base, [own for name in names if (own := self._change(api, name))])
            for api in self.apis
            if (base := api.sandbox)
        }

    def _kind(self, name: str) -> Kind:
        found = (change for api in self.apis if (change := self._change(api, name)))
        return Variation if issubclass(next(found), Variation) else Fault

    def _change(self, api: Api, name: str) -> BehaviourChange | None:
        """What the sandbox of one API is to be changed by; None if the name is of something of another API."""
        if name not in self._own:
            return _look_up(api, name)
        return self._own[name] if _is_about(self._own[name], api) else None


@cache
def declared_changes(api: Api) -> dict[str, BehaviourChange]:
    """The faults and variations of `api` by name, from ``faults`` in its package, a module or a package, if any."""
    found = api.faults
    if found is None:
        return {}
    names = [f"{found.__name__}.{module.name}" for module in iter_modules(getattr(found, "__path__", ()))]
    modules = [found, *map(import_module, names)]
    return {
        name: member
        for module in modules
        for name, member in vars(module).items()
        if isinstance(member, type)
        and issubclass(member, Fault | Variation)
        and (hasattr(member, "breaks") or hasattr(member, "permits"))
    }


def provocations(api: Api) -> dict[str, BehaviourChange]:
    """The faults and variations of `api` by which a client shows how it takes them.

    Returns:
        Them by their names, and those that stand apart from the others by where they stand, as ``module:Class``.
    """
    apart = vars(api.provocations).values() if api.provocations else ()
    classes = [each for each in apart if isinstance(each, type) and issubclass(each, Fault | Variation)]
    found = {f"{each.__module__}:{each.__qualname__}": each for each in classes if each.provokes}
    return {**{name: each for name, each in declared_changes(api).items() if each.provokes}, **found}


def chosen_variations(chosen: Iterable[str]) -> list[str]:
    """The names of the variations of the registered APIs in alphabetical order.

    Args:
        chosen: Names of APIs or of variations to choose among them; none for all.

    Raises:
        UnknownFaultError: If one of these names is neither.
    """
    apis, wanted = registered(), set(chosen)
    of_api = {
        name: {each for each, change in declared_changes(api).items() if issubclass(change, Variation)}
        for name, api in apis.items()
    }
    known = {each for names in of_api.values() for each in names}
    if unknown := wanted - known - apis.keys():
        listed = ", ".join((*sorted(apis), *sorted(known)))
        raise UnknownFaultError(f"There is no API or variation called {min(unknown)!r}. There are: {listed}.")
    of_chosen_apis = {each for name in wanted & apis.keys() for each in of_api[name]}
    return sorted((wanted & known) | of_chosen_apis if wanted else known)


def find_change(api: Api, name: str) -> BehaviourChange | None:
    """The fault, variation or mutation of `api` that is called `name`, None if there is none.

    Args:
        api: The API.
        name: The name; ``module:Class`` is imported.

    Raises:
        UnknownFaultError: If it is ``module:Class``, and there is no such class or it cannot be used.
        CatalogueError: If it is a mutation, and the API's rules cannot be read.
        SpecificationError: If it is a mutation, and the API's description cannot be read.
    """
    if not is_place(name):
        return _look_up(api, name)
    change = load_change(name)
    return change if _is_about(change, api) else None


def compose(base: type[T], changes: Sequence[BehaviourChange]) -> type[T]:
    """The sandbox class `base` with the decisions of `changes` in the place of its own, the first of them winning.

    One that another of them is made from is left out: the other has its decisions too.

    Raises:
        UnknownFaultError: If one has an ``__init__`` of its own, or they cannot be put into one class.
    """
    chosen = dict.fromkeys(changes)
    own = [each for each in chosen if not any(other is not each and issubclass(other, each) for other in chosen)]
    if not own:
        return base
    try:
        kind = type(base.__name__, (*own, base), {})
    except TypeError as error:
        names = " and ".join(each.__name__ for each in own)
        raise UnknownFaultError(f"No sandbox can be made of {base.__name__} with {names}: {error}.") from error
    constructor = _constructor(kind)
    if constructor is not _constructor(base):
        raise UnknownFaultError(
            f"{constructor.__name__} has an __init__ of its own. A fault or variation cannot, since it is also set in "
            "worlds that already run. Let it keep what it must remember in a functools.cached_property."
        )
    return kind


def _called(kind: Kind) -> str:
    return kind.__name__.lower()


def _look_up(api: Api, name: str) -> BehaviourChange | None:
    """What an API has under a name, without importing anything for the name."""
    known = mutations(api) if name.startswith(f"{api.name}: ") else declared_changes(api)
    return known.get(name)


def _is_about(change: BehaviourChange, api: Api) -> bool:
    """Whether a class is made from the class of the sandbox of `api`."""
    return api.sandbox is not None and issubclass(change, api.sandbox)


def _constructor(kind: type) -> type:
    """The class that makes the objects of `kind`."""
    return next(each for each in kind.__mro__ if "__init__" in vars(each) or "__new__" in vars(each))


# ------------------------------------------------------------------------------------------------------ a user's own


def is_place(name: str) -> bool:
    """Whether a name says where a class stands: ``module:Class``."""
    module, colon, path = name.partition(":")
    return bool(colon) and all(part.isidentifier() for part in (*module.split("."), *path.split(".")))


def load_change(place: str) -> BehaviourChange:
    """A fault or variation of a user's own.

    Args:
        place: Where its class stands, as ``module:Class``. A module of the current directory is found too.

    Raises:
        UnknownFaultError: If there is no such class, or it is neither a fault nor a variation.
    """
    module, _, path = place.partition(":")
    try:
        found = attrgetter(path)(_import(module))
    except AttributeError as error:
        raise UnknownFaultError(f"There is no {path} in the module {module}, so no fault {place}.") from error
    if not isinstance(found, type) or not issubclass(found, Fault | Variation):
        raise UnknownFaultError(
            f"{place} is no fault: its class must have one of the bases Fault and Variation of "
            f"{Fault.__module__}, and the class of a sandbox."
        )
    return found


def changed_apis(change: BehaviourChange, apis: Sequence[Api]) -> list[Api]:
    """Those of `apis` whose sandbox a fault or variation of a user's own changes, at least one.

    Raises:
        UnknownFaultError: If it changes none, names a rule that none of them has, or cannot be put into their class.
    """
    name, changed = change.__name__, [api for api in apis if _is_about(change, api)]
    if not changed:
        bases = " or ".join(f"{base.__module__}.{base.__name__}" for api in apis if (base := api.sandbox))
        raise UnknownFaultError(f"{name} changes no sandbox: its class must also have the base {bases}.")
    if not hasattr(change, "breaks") and not hasattr(change, "permits"):
        raise UnknownFaultError(f"{name} is abstract: it does not say which rules it breaks, or what permits it.")
    rules = {rule for api in changed for rule in Catalogue.load(api.rules)}
    unknown = [rule for rule in getattr(change, "breaks", ()) if rule not in rules]
    if unknown:
        close = get_close_matches(unknown[0], sorted(rules), n=1)
        hint = f"Close to it: {close[0]}." if close else "List the rules with: conformance rules"
        raise UnknownFaultError(f"{name} breaks {unknown[0]!r}, and there is no such rule. {hint}")
    for api in changed:
        if base := api.sandbox:
            compose(base, [change])
    return changed


def _import(module: str) -> ModuleType:
    here = str(Path.cwd())
    if not {"", here} & set(sys.path):
        sys.path.insert(0, here)  # as with python -m
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name and f"{module}.".startswith(f"{error.name}."):
            raise UnknownFaultError(
                f"There is no module {error.name} in the current directory or among the installed packages."
            ) from error
        raise _import_error(module, error) from error
    except (Exception, SystemExit) as error:
        raise _import_error(module, error) from error


def _import_error(module: str, error: BaseException) -> UnknownFaultError:
    return UnknownFaultError(f"The module {module} cannot be imported: {type(error).__name__}: {error}")
