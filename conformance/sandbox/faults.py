"""Faults and variations: small classes that override one decision of a sandbox."""

from typing import ClassVar

__all__ = ["Fault", "UnknownFaultError", "Variation"]


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


BehaviourChange = type[Fault] | type[Variation]
"""What changes how a sandbox behaves, a mutation included, which is a fault."""
