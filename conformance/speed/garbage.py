"""How often a process that runs the suites looks for garbage in cycles."""

import gc

_OBJECTS = 100_000
"""How many objects are made between two looks: a replay leaves 8 MB of such garbage in all."""


def look_seldom() -> None:
    """Look for garbage in cycles seldom from now on: there is little, and looking takes a seventh of a replay."""
    gc.set_threshold(_OBJECTS)


def look_no_more() -> None:
    """Spare the process, which is about to end, a last look at all that it has made."""
    gc.freeze()
