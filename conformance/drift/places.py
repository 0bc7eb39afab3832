"""Where in a description something is, and what was seen there."""

from dataclasses import dataclass, replace

from conformance.drift.form import Impact


@dataclass(frozen=True)
class Spot:
    """Where in an operation a schema stands.

    Args:
        operation: The operationId, else method and path.
        place: The operation and the part of it, in words.
        part: What is meant, as ids of kinds begin: ``request-body``, ``response-property`` …
        written: Whether the client writes it.
        path: The names on the way to it from the top of the body.
    """

    operation: str
    place: str
    part: str
    written: bool
    path: tuple[str, ...] = ()

    def inside(self, *names: str) -> "Spot":
        """A part of it."""
        part = self.part.removesuffix("-body") + "-property" if self.part.endswith("-body") else self.part
        return replace(self, part=part, path=(*self.path, *names))

    def __str__(self) -> str:
        return f"{self.place} /{'/'.join(self.path)}" if self.path else self.place


Pair = tuple[tuple[int, ...], tuple[int, ...], str]
"""An older and a newer schema, and the part of a message that they are of."""


@dataclass(frozen=True)
class Seen:
    """A change in one operation, before those of one shared schema are put together.

    Args:
        kind: The id of its kind.
        impact: What it does to a right client.
        advice: What such a client must change.
        place: Where.
        before: What was there.
        after: What is there.
        operation: The operationId, else method and path.
        shared: The shared schema in which it stands, and the way from there; empty if it is in none.
        node: The pair of schemas in which it was seen, None if it is in none.
    """

    kind: str
    impact: Impact
    advice: str
    place: str
    before: str
    after: str
    operation: str = ""
    shared: tuple[str, ...] = ()
    node: "Pair | None" = None
