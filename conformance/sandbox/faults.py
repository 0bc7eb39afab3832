"""Faults and variations: small classes that override one decision of a sandbox."""

from typing import Any, ClassVar

from conformance import ConformanceError

__all__ = ["Fault", "UnknownFaultError", "Variation"]


class UnknownFaultError(ConformanceError, ValueError):
    """A fault or variation that was named does not exist or cannot be used; the message says which one, and why."""


class _Change:
    """What faults and variations have in common."""

    provokes: ClassVar[tuple[str, ...]] = ()
    """The ids of the rules for clients that only a client shows which meets such a server."""


class Fault(_Change):
    """A deliberate wrong behaviour, named by its sin; subclasses also inherit the sandbox class that they change.

    A fault has no ``__init__`` of its own, and one that has is refused: it can be set in a world that already runs,
    whose state stays as it is, so that nothing is made anew. What a fault must remember it keeps in a
    `functools.cached_property`, which is made in each world when it is first used.

    Args:
        abstract: Whether the class is only a base of faults and breaks nothing yet.

    Raises:
        TypeError: If a class that is not abstract does not say which rules it breaks.
    """

    breaks: ClassVar[tuple[str, ...]]
    """The ids of the rules that it breaks."""
    category: ClassVar[str] = ""
    """The fault category of WebFuzzing Commons that it is an example of, F100 to F104 or F200 to F210; else empty.

    Numbered as in ``src/main/resources/wfc/faults/fault_categories.json`` of github.com/WebFuzzing/Commons; a later
    page of theirs numbers otherwise.
    """

    def __init_subclass__(cls, *, abstract: bool = False, **options: Any) -> None:
        super().__init_subclass__(**options)
        breaks = getattr(cls, "breaks", None)
        if abstract or (isinstance(breaks, tuple) and breaks and all(_is_text(rule) for rule in breaks)):
            return
        raise TypeError(
            f"The fault {cls.__name__} must name the rules that it breaks in a tuple of their ids, such as "
            'breaks = ("offblocks.challenge.expires-after-one-hour",).'
        )


class Variation(_Change):
    """Another behaviour that the documents permit; subclasses also inherit the sandbox class that they change.

    Like a fault, it has no ``__init__`` of its own.

    Args:
        abstract: Whether the class is only a base of variations.

    Raises:
        TypeError: If a class that is not abstract does not say what permits it.
    """

    permits: ClassVar[str]
    """Which sentence or silence of the documents permits it."""

    def __init_subclass__(cls, *, abstract: bool = False, **options: Any) -> None:
        super().__init_subclass__(**options)
        if not abstract and not _is_text(getattr(cls, "permits", None)):
            raise TypeError(
                f"The variation {cls.__name__} must say which sentence or silence of the documents permits it, such as "
                'permits = "Nothing is said of how long an operation takes.".'
            )


BehaviourChange = type[Fault] | type[Variation]
"""What changes how a sandbox behaves, a mutation included, which is a fault."""


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())
