"""Which parts of two descriptions say the same, word by word, and lead to what says the same."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from conformance.drift.references import Described, Node

_NOTHING: frozenset[str] = frozenset()


class Sameness:
    """Knows what need not be compared, so that a large description takes no longer than what changed in it.

    Args:
        before: The older description.
        after: The newer one.
    """

    def __init__(self, before: Described, after: Described) -> None:
        self._sides = (_Read(), _Read())
        self._is_of_one_version = before.is_3_0 == after.is_3_0
        self._changed = self._changed_references(before, after)

    def holds(self, before: Node, after: Node) -> bool:
        """Whether two parts, and all that they lead to, say the same."""
        if not self._is_of_one_version:
            return False
        old, references = self._sides[0].of(before.value)
        return old == self._sides[1].of(after.value)[0] and not references & self._changed

    def _changed_references(self, before: Described, after: Described) -> frozenset[str]:
        """The references that lead to something else now, or to what leads to something else."""
        leads: dict[str, frozenset[str]] = {}
        changed: set[str] = set()
        for reference in self._sides[0].of(before.document)[1]:
            if not before.has(reference):  # it stands in an example, where it is a value
                continue
            old, onward = self._sides[0].of(before.at(reference))
            leads[reference] = onward
            if not after.has(reference) or self._sides[1].of(after.at(reference))[0] != old:
                changed.add(reference)
        sources: dict[str, set[str]] = {}
        for reference, onward in leads.items():
            for target in onward:
                sources.setdefault(target, set()).add(reference)
        pending = list(changed)
        while pending:
            for source in sources.get(pending.pop(), ()):
                if source not in changed:
                    changed.add(source)
                    pending.append(source)
        return frozenset(changed)


class _Read:
    """The digests of parts of one document, and the references in each; what an alias repeats is read once."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[bytes, frozenset[str]]] = {}
        self._kept: list[Any] = []

    def of(self, value: Any) -> tuple[bytes, frozenset[str]]:
        """The digest of a part, and the references in it."""
        if not isinstance(value, dict | list):
            return sha256(f"{type(value).__name__} {value!r}".encode(errors="replace")).digest(), _NOTHING
        if id(value) not in self._known:
            self._known[id(value)] = b"within itself", _NOTHING
            self._kept.append(value)  # or another one could have its id
            self._known[id(value)] = self._mapping(value) if isinstance(value, dict) else self._list(value)
        return self._known[id(value)]

    def _mapping(self, value: Mapping[str, Any]) -> tuple[bytes, frozenset[str]]:
        digest, found = sha256(b"{"), set[str]()
        for name in sorted(value):
            inner, references = self.of(value[name])
            digest.update(f"{len(name)} {name}".encode(errors="replace") + inner)
            found |= references
        reference = value.get("$ref")
        if isinstance(reference, str):
            found.add(reference)
        return digest.digest(), frozenset(found)

    def _list(self, value: list[Any]) -> tuple[bytes, frozenset[str]]:
        digest, found = sha256(b"["), set[str]()
        for each in value:
            inner, references = self.of(each)
            digest.update(inner)
            found |= references
        return digest.digest(), frozenset(found)
