"""What there is to try: the faults, mutations and variations of the sandboxes of all APIs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Any

from conformance.api import named, registered
from conformance.catalogue import Basis, Catalogue
from conformance.sandbox.behaviour import changed_apis, declared_changes, find_change, is_place, load_change
from conformance.sandbox.faults import BehaviourChange, Fault, UnknownFaultError, Variation
from conformance.sandbox.mutations import Mutation, mutations

SECTIONS = ("faults", "mutations", "variations")
"""The parts of a matrix."""

_STRONGEST_FIRST = (Basis.DOCUMENTED, Basis.STANDARD, Basis.INFERRED, Basis.CONTRADICTED)


@dataclass(frozen=True)
class Trial:
    """One fault, mutation or variation that is tried.

    Args:
        api: The name of the API whose sandbox it changes.
        name: Its name.
    """

    api: str
    name: str

    @property
    def change(self) -> BehaviourChange:
        """Its class.

        Raises:
            UnknownFaultError: If the API has none of this name.
        """
        found = find_change(named(self.api), self.name)
        if found is None:
            raise UnknownFaultError(
                f"{named(self.api).title} has no fault, mutation or variation called {self.name!r}."
            )
        return found

    @property
    def section(self) -> str:
        """In which part of the matrix it stands: ``faults``, ``mutations`` or ``variations``."""
        if issubclass(self.change, Mutation):
            return "mutations"
        return "faults" if issubclass(self.change, Fault) else "variations"

    @property
    def breaks(self) -> tuple[str, ...]:
        """The ids of the rules that it breaks; none for a variation."""
        return self.change.breaks if issubclass(self.change, Fault) else ()

    @property
    def title(self) -> str:
        """What it does, in its own words."""
        return " ".join((self.change.__doc__ or "").partition("\n\n")[0].split())


def trials(patterns: Sequence[str] = ()) -> list[Trial]:
    """The faults, variations and mutations of all APIs that have a sandbox, in this order.

    Args:
        patterns: Names, or patterns in which ``*`` matches any text, or ``module:Class`` for those of a user's own;
            empty for all there are of the APIs.

    Raises:
        UnknownFaultError: If one of them matches nothing, or is one of a user's own that cannot be used; the message
            says why, or names what comes close.
    """
    apis = [api for api in registered().values() if api.sandbox]
    declared = [Trial(api.name, name) for api in apis for name in declared_changes(api)]
    derived = [Trial(api.name, name) for api in apis for name in mutations(api)]
    places = filter(is_place, patterns)
    own = [Trial(api.name, place) for place in places for api in changed_apis(load_change(place), apis)]
    known = [*declared, *derived, *dict.fromkeys(own)]
    names = {trial.name for trial in known}
    for pattern in patterns:
        if pattern not in names and not any(fnmatchcase(name, pattern) for name in names):
            close = get_close_matches(pattern, sorted(names))
            hint = f"Close to it: {', '.join(close)}." if close else "List them with: conformance faults"
            raise UnknownFaultError(f"There is no fault, variation or mutation called {pattern!r}. {hint}")
    exact, loose = set(patterns) & names, [pattern for pattern in patterns if pattern not in names]
    return [
        trial
        for trial in known
        if not patterns or trial.name in exact or any(fnmatchcase(trial.name, pattern) for pattern in loose)
    ]


def strongest_basis(rules: Iterable[str], catalogue: Catalogue) -> Basis:
    """The strongest basis of these rules.

    Args:
        rules: Ids of rules, at least one.
        catalogue: The catalogue that holds them.
    """
    return min((catalogue[rule].basis for rule in rules), key=_STRONGEST_FIRST.index)


def listing() -> dict[str, list[dict[str, Any]]]:
    """The faults and variations as ``conformance faults --json`` prints them.

    Raises:
        CatalogueError: If the rules of an API cannot be read.
        SpecificationError: If the description of an API cannot be read.
    """
    found: dict[str, list[dict[str, Any]]] = {"faults": [], "variations": []}
    for trial in trials():
        known = trial.change
        entry = {"name": trial.name, "api": trial.api, "title": trial.title}
        if issubclass(known, Variation):
            found["variations"].append({**entry, "permits": known.permits})
        elif trial.section == "faults":
            basis = strongest_basis(trial.breaks, Catalogue.load(named(trial.api).rules))
            found["faults"].append({**entry, "breaks": list(trial.breaks), "basis": basis})
    return found
