"""Faults and variations: small classes that override one decision of a sandbox, found by name."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import ClassVar, TypeVar

from conformance.api import Api

__all__ = ["Fault", "UnknownFaultError", "Variation"]

T = TypeVar("T")


class UnknownFaultError(ValueError):
    """A fault or variation was named that no API has; the message names those that come close."""


class Fault:
    """A deliberate wrong behaviour, named by its sin; subclasses also inherit the sandbox class that they change."""

    breaks: ClassVar[tuple[str, ...]]
    """The ids of the rules that it breaks."""
    category: ClassVar[str] = ""
    """The fault category of WebFuzzing Commons that it is an example of, F100 to F104 or F200 to F210; else empty.

    Numbered as in ``src/main/resources/wfc/faults/fault_categories.json`` of github.com/WebFuzzing/Commons; a later
    page of theirs numbers otherwise.
    """


class Variation:
    """Another behaviour that the documents permit; subclasses also inherit the sandbox class that they change."""

    permits: ClassVar[str]
    """Which sentence or silence of the documents permits it."""


Departure = type[Fault] | type[Variation]


@cache
def departures(api: Api) -> dict[str, Departure]:
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


def departure(api: Api, name: str) -> Departure | None:
    """The fault, variation or mutation of `api` that is called `name`, None if there is none.

    Raises:
        CatalogueError: If it is a mutation, and the API's rules cannot be read.
        SpecificationError: If it is a mutation, and the API's description cannot be read.
    """
    if not name.startswith(f"{api.name}: "):
        return departures(api).get(name)
    from conformance.sandbox.mutations import mutations  # noqa: PLC0415  (they are derived only if one is named)

    return mutations(api).get(name)


def check_names(names: Iterable[str], apis: Iterable[Api]) -> tuple[str, ...]:
    """`names` without repetition, each the name of a fault, variation or mutation of one of `apis`.

    Raises:
        UnknownFaultError: If one of them is not.
    """
    implemented = tuple(apis)
    chosen = tuple(dict.fromkeys(names))
    for name in chosen:
        if not any(departure(api, name) for api in implemented):
            known = {name for api in implemented for name in departures(api)}
            close = get_close_matches(name, sorted(known))
            hint = f"Close to it: {', '.join(close)}." if close else f"There are {len(known)} to choose from."
            raise UnknownFaultError(f"There is no fault or variation called {name!r}. {hint}")
    return chosen


def departing(base: type[T], mixins: Sequence[Departure]) -> type[T]:
    """The sandbox class `base` with the decisions of `mixins` in the place of its own, the first of them winning.

    One that another of them is made from is left out: the other has its decisions too.
    """
    own = [each for each in mixins if not any(other is not each and issubclass(other, each) for other in mixins)]
    return type(base.__name__, (*own, base), {}) if own else base
