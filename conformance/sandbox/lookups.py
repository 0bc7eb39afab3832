"""Which of its attributes a sandbox looks up, so that a change of the others is known to make no difference to it.

A fault or variation overrides attributes of the sandbox's class. A world whose sandbox never looked one of them up does
with the change what it did without.
"""

from functools import cache
from typing import Any

from conformance.api import Api, Sandbox
from conformance.sandbox.behaviour import Behaviours
from conformance.sandbox.faults import BehaviourChange, Fault, Variation

_KEPT_AS = "looked_up"
_IMPLICIT = frozenset(vars(type("Empty", (), {}))) | {
    *("__abstractmethods__", "__annotations__", "__annotate__", "__annotations_cache__", "__orig_bases__"),
    *("__parameters__", "__static_attributes__", "__firstlineno__", "_abc_impl"),
}
"""What Python gives every class, and no sandbox looks up to decide anything."""


@cache
def watched(api: Api) -> BehaviourChange:
    """A variation that changes nothing, and keeps the name of every attribute that the sandbox of `api` looks up."""
    base: Any = api.sandbox

    def look_up(self: object, name: str) -> Any:
        state = object.__getattribute__(self, "__dict__")
        state.setdefault(_KEPT_AS, set()).add(name)
        return base.__getattribute__(self, name)

    members = {"__doc__": "Watches.", "permits": "It changes nothing.", "__getattribute__": look_up}
    return type("Watched", (Variation, base), members)


def looked_up(service: Sandbox) -> set[str]:
    """The names that a watched sandbox has looked up so far; the set grows as it goes on."""
    found: set[str] = vars(service)[_KEPT_AS]
    return found


def overridden(api: Api, changes: tuple[str | BehaviourChange, ...]) -> frozenset[str] | None:
    """The names of the attributes that these faults and variations put others in the place of.

    Returns:
        None if they change more than what is looked up by its name, such as how an attribute is looked up.

    Raises:
        UnknownFaultError: If there is no fault or variation of such a name.
    """
    behaviours = Behaviours([api])
    kind = behaviours.sandbox_classes([behaviours.add(change) for change in changes])[api.name]
    ordinary = {*api.sandbox.__mro__, *Fault.__mro__, *Variation.__mro__} if api.sandbox else set()
    names = {name for each in kind.__mro__ if each not in ordinary for name in vars(each)} - _IMPLICIT
    return None if any(name.startswith("__") for name in names) else frozenset(names)
