"""How a sandbox can behave otherwise: its faults, variations and mutations by name, and its class with some of them."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TypeVar

from conformance.api import Api
from conformance.sandbox.faults import BehaviourChange, Fault, UnknownFaultError, Variation
from conformance.sandbox.mutations import mutations

T = TypeVar("T")


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


def find_change(api: Api, name: str) -> BehaviourChange | None:
    """The fault, variation or mutation of `api` that is called `name`, None if there is none.

    Raises:
        CatalogueError: If it is a mutation, and the API's rules cannot be read.
        SpecificationError: If it is a mutation, and the API's description cannot be read.
    """
    known = mutations(api) if name.startswith(f"{api.name}: ") else declared_changes(api)
    return known.get(name)


def check_names(names: Iterable[str], apis: Iterable[Api]) -> tuple[str, ...]:
    """`names` without repetition, each the name of a fault, variation or mutation of one of `apis`.

    Raises:
        UnknownFaultError: If one of them is not.
    """
    implemented = tuple(apis)
    chosen = tuple(dict.fromkeys(names))
    for name in chosen:
        if not any(find_change(api, name) for api in implemented):
            known = {name for api in implemented for name in declared_changes(api)}
            close = get_close_matches(name, sorted(known))
            hint = f"Close to it: {', '.join(close)}." if close else f"There are {len(known)} to choose from."
            raise UnknownFaultError(f"There is no fault or variation called {name!r}. {hint}")
    return chosen


def compose(base: type[T], changes: Sequence[BehaviourChange]) -> type[T]:
    """The sandbox class `base` with the decisions of `changes` in the place of its own, the first of them winning.

    One that another of them is made from is left out: the other has its decisions too.

    Raises:
        UnknownFaultError: If one has an ``__init__`` of its own, or they cannot be put into one class.
    """
    own = [each for each in changes if not any(other is not each and issubclass(other, each) for other in changes)]
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


def _constructor(kind: type) -> type:
    """The class that makes the objects of `kind`."""
    return next(each for each in kind.__mro__ if "__init__" in vars(each) or "__new__" in vars(each))
