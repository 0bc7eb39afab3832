"""The shape of what was seen many times: which members there are, how often, of which types and forms."""

from collections.abc import Container, Iterator
from dataclasses import dataclass, field
from typing import Any

from conformance.drift.formats import VARYING, forms, is_word, lines, skeleton
from conformance.drift.names import best_pairs, likeness

_MOST_MEMBERS = 400
"""From how many members on the names of an object are taken for data."""
_TYPES = {
    type(None): "null",
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    list: "array",
}
_LONGEST_TEXT = 400
_MANY = 8
"""From how many different texts on those of a place are taken for data, if hardly any comes twice."""
_SHARE = 4
"""What share of the texts of a place may vary by nature, as one of so many, before all are taken for data."""
_ALIKE = 0.3
_DEEPEST = 60


@dataclass(eq=False)
class Shape:
    """What was seen at one place.

    Args:
        count: How often anything was there.
        types: How often each type of JSON was.
        forms: The forms that all texts there had; None if there was none.
        members: What was seen in the objects there, by name; of a text of several lines, what was in its lines.
        entries: What was seen in the arrays there.
        texts: The texts that were there, without what varies by nature, and how often each was.
    """

    count: int = 0
    types: dict[str, int] = field(default_factory=dict)
    forms: frozenset[str] | None = None
    members: "dict[str, Shape]" = field(default_factory=dict)
    entries: "Shape | None" = None
    texts: dict[str, int] = field(default_factory=dict)

    @property
    def holders(self) -> int:
        """How often there was something that has members."""
        return self.types.get("object", 0) + self.types.get("text of several lines", 0)

    @property
    def is_prose(self) -> bool:
        """Whether all texts there are sentences for people."""
        return self.forms == frozenset({"text"}) and all(" " in text for text in self.texts)

    @property
    def is_data(self) -> bool:
        """Whether the texts there are ids and the like, or each another one, so that a new one is no news."""
        count = sum(self.texts.values())
        varying = sum(times for text, times in self.texts.items() if VARYING in text)
        return _SHARE * varying > count or (len(self.texts) > _MANY and 2 * len(self.texts) > count)

    def add(self, value: Any, known: Container[str] = (), depth: int = 0) -> None:
        """Note what was seen once more.

        Args:
            value: What was seen.
            known: The texts that the client had sent or been answered before, which say nothing new.
            depth: How deep it stands.
        """
        self.count += 1
        kind = type_of(value)
        if isinstance(value, str):
            told = lines(value)
            if told:
                kind = "text of several lines"
                for label, line in told:
                    self.members.setdefault(label, Shape()).add(line, known, depth + 1)
            found = forms(value)
            self.forms = found if self.forms is None else self.forms & found
            if " " not in value and is_word(value):
                plain = value
            else:
                plain = VARYING if value in known else skeleton(value[:_LONGEST_TEXT])
            self.texts[plain] = self.texts.get(plain, 0) + 1
        self.types[kind] = self.types.get(kind, 0) + 1
        if depth > _DEEPEST:
            return
        if isinstance(value, dict):
            names = value if len(value) <= _MOST_MEMBERS else {}
            for name in names:
                self.members.setdefault(str(name), Shape()).add(value[name], known, depth + 1)
        elif isinstance(value, list):
            self.entries = self.entries or Shape()
            for entry in value:
                self.entries.add(entry, known, depth + 1)


def type_of(value: Any) -> str:
    """The type of a value, as JSON Schema calls it."""
    return _TYPES.get(type(value), "object")


@dataclass(frozen=True)
class Deviation:
    """What is not as it was at one place.

    Args:
        what: ``missing``, ``sometimes-missing``, ``new``, ``renamed``, ``retyped``, ``reformed`` or ``reworded``.
        path: The names on the way there.
        before: What was there.
        after: What is there now.
    """

    what: str
    path: tuple[str, ...]
    before: str
    after: str


def deviations(before: Shape, after: Shape, path: tuple[str, ...] = ()) -> Iterator[Deviation]:
    """What is not as it was; of what was not seen again nothing is said.

    Args:
        before: What was seen then.
        after: What was seen now.
        path: The names on the way there.
    """
    yield from _types(before, after, path)
    if before.holders and after.holders:
        yield from _members(before, after, path)
    if before.entries and after.entries and before.entries.count and after.entries.count:
        yield from deviations(before.entries, after.entries, (*path, "*"))


def _types(before: Shape, after: Shape, path: tuple[str, ...]) -> Iterator[Deviation]:
    old, new = set(before.types), set(after.types)
    if "number" in old:
        old.add("integer")
    if new - old and before.count and after.count:
        yield Deviation("retyped", path, _either(before.types), _either(after.types))
        return
    if before.forms and after.forms is not None:
        lost = before.forms - after.forms
        if lost:
            gained = after.forms - before.forms
            yield Deviation("reformed", path, _in_words(lost), _in_words(gained) or "text of other forms")
            return
    if before.texts and after.texts and not before.texts.keys() & after.texts.keys() and before.is_prose:
        yield Deviation("reworded", path, next(iter(before.texts)), next(iter(after.texts)))


def _members(before: Shape, after: Shape, path: tuple[str, ...]) -> Iterator[Deviation]:
    gone = [name for name in before.members if name not in after.members]
    fresh = [name for name in after.members if name not in before.members]
    for old, new in _renamed(before, after, gone, fresh):
        yield Deviation("renamed", (*path, old), old, new)
        gone.remove(old)
        fresh.remove(new)
    for name in gone:
        yield Deviation("missing", (*path, name), _either(before.members[name].types), "")
    for name in fresh:
        yield Deviation("new", (*path, name), "", _either(after.members[name].types))
    for name, old_shape in before.members.items():
        new_shape = after.members.get(name)
        if new_shape is None:
            continue
        if old_shape.count == before.holders and new_shape.count < after.holders:
            there = f"in {new_shape.count} of {after.holders}"
            yield Deviation("sometimes-missing", (*path, name), "always there", there)
        yield from deviations(old_shape, new_shape, (*path, name))


def _renamed(before: Shape, after: Shape, gone: list[str], fresh: list[str]) -> list[tuple[str, str]]:
    """The members that seem to have a new name: of the same types and forms, as often there, and alike in name."""
    alike = {
        (old, new): likeness(old, new)
        for old in gone
        for new in fresh
        if _is_like(before.members[old], after.members[new], before, after)
    }
    alone = len(gone) == len(fresh) == 1
    return best_pairs({pair: value for pair, value in alike.items() if alone or value >= _ALIKE})


def _is_like(one: Shape, other: Shape, before: Shape, after: Shape) -> bool:
    if set(one.types) != set(other.types) or set(one.members) != set(other.members):
        return False
    if one.forms and other.forms is not None and not one.forms & other.forms:
        return False
    always = (one.count == before.holders, other.count == after.holders)
    return always[0] == always[1]


def _either(types: dict[str, int]) -> str:
    return " or ".join(sorted(types))


def _in_words(found: frozenset[str]) -> str:
    return ", ".join(sorted(found))
