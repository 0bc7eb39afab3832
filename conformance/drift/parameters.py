"""The parameters of two operations compared, and the headers of two webhooks."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from conformance.drift.names import likeness
from conformance.drift.places import Spot
from conformance.drift.references import Described, Node
from conformance.drift.schemas import Comparing
from conformance.drift.views import view

Say = Callable[..., None]
"""Notes a change: the id of its kind, where, what was there, and what is there."""
Given = tuple[Node, Any]
"""An operation, and the parameters of its path."""

_PASSED_OVER = {"accept", "content-type", "authorization"}
"""Headers that OpenAPI says are no parameters."""
_STYLES = {"query": "form", "cookie": "form", "path": "simple", "header": "simple"}
_ALIKE = 0.75


@dataclass(frozen=True, eq=False)
class _Parameter:
    """A parameter.

    Args:
        name: Its name, as it is shown.
        place: ``path``, ``query``, ``header`` or ``cookie``.
        raw: What is said of it.
        schema: Its schema.
        style: How it is written, as far as that shows in its types.
    """

    name: str
    place: str
    raw: Mapping[str, Any]
    schema: Node
    style: str
    has_default: bool

    @property
    def key(self) -> tuple[str, str]:
        return self.place, self.name.lower() if self.place == "header" else self.name

    @property
    def required(self) -> bool:
        return self.place == "path" or self.raw.get("required") is True


class Parameters:
    """Compares parameters.

    Args:
        schemas: Compares their schemas.
        say: Notes a change.
    """

    def __init__(self, schemas: Comparing, say: Say) -> None:
        self._schemas = schemas
        self._say = say

    def compare(self, before: Given, after: Given, spot: Spot, renamed: Mapping[str, str]) -> None:
        """Compare what a client sends beside the body.

        Args:
            before: The older operation.
            after: The newer one.
            spot: The operation.
            renamed: The older name of each parameter in the path that has a new one.
        """
        old, new = _read(self._schemas.before, before, {}), _read(self._schemas.after, after, renamed)
        gone = [each for key, each in old.items() if key not in new and each.place != "path"]
        fresh = [each for key, each in new.items() if key not in old and each.place != "path"]
        for one in list(gone):
            other = next((each for each in fresh if _is_moved(one, each)), None)
            if other is None:
                continue
            gone.remove(one)
            fresh.remove(other)
            kind = "moved" if one.place != other.place else "renamed"
            self._say(f"request-parameter-{kind}", _at(spot, one), _told(one), _told(other))
        for each in gone:
            self._say("request-parameter-removed", _at(spot, each), _told(each))
        for each in fresh:
            kind = "request-parameter-added"
            if each.required:
                kind = f"required-request-parameter-{'with-default-' * each.has_default}added"
            self._say(kind, _at(spot, each), "", _told(each))
        for key, one in old.items():
            if key in new:
                self._pair(one, new[key], _at(spot, one))

    def _pair(self, one: _Parameter, other: _Parameter, spot: Spot) -> None:
        if other.required and not one.required:
            self._say(f"request-parameter-{'with-default-' * other.has_default}became-required", spot)
        elif one.required and not other.required:
            self._say("request-parameter-became-optional", spot)
        if one.style != other.style:
            self._say("request-parameter-serialization-changed", spot, one.style, other.style)
        empty = [each.raw.get("allowEmptyValue") is True for each in (one, other)]
        if empty[0] != empty[1]:
            self._say(f"request-parameter-empty-value-{'allowed' if empty[1] else 'forbidden'}", spot)
        self._schemas.about(one.raw, other.raw, spot)
        self._schemas.compare(one.schema, other.schema, spot)

    def compare_sent(self, before: Given, after: Given, spot: Spot) -> None:
        """Compare the headers that a webhook comes with; arguments as in `compare`."""
        old, new = _read(self._schemas.before, before, {}), _read(self._schemas.after, after, {})
        before_, after_ = ({key: each for key, each in side.items() if each.place == "header"} for side in (old, new))
        self.headers(before_, after_, spot, "webhook-header")

    def headers(self, old: Mapping[Any, _Parameter], new: Mapping[Any, _Parameter], spot: Spot, part: str) -> None:
        """Compare headers that a client reads.

        Args:
            old: The older ones.
            new: The newer ones.
            spot: What has them.
            part: ``response-header`` or ``webhook-header``.
        """
        for key, one in old.items():
            where = replace(spot, place=f"{spot.place}, header {one.name}", part=part, written=False)
            other = new.get(key)
            if other is None:
                self._say(f"{'' if one.required else 'optional-'}{part}-removed", where, one.name)
                continue
            if one.required != other.required:
                self._say(f"{part}-became-{'required' if other.required else 'optional'}", where)
            self._schemas.compare(one.schema, other.schema, where)
        for key, other in new.items():
            if key not in old:
                where = replace(spot, place=f"{spot.place}, header {other.name}", part=part, written=False)
                self._say(f"{part}-added", where, "", other.name)


def read_headers(description: Described, raw: Mapping[str, Any]) -> dict[tuple[str, str], _Parameter]:
    """The headers of a response."""
    found = {}
    for name, header in raw.items():
        node = description.followed(Node(header))
        if isinstance(node.value, dict) and name.lower() != "content-type":
            each = _parameter(description, node, name, "header")
            found[each.key] = each
    return found


def _read(description: Described, given: Given, renamed: Mapping[str, str]) -> dict[tuple[str, str], _Parameter]:
    """The parameters of an operation, those of its path too."""
    operation, shared = given
    found = {}
    for raw in (*_entries(shared), *_entries(operation.value.get("parameters"))):
        node = description.followed(Node(raw))
        if not isinstance(node.value, dict):
            continue
        name, place = str(node.value.get("name")), str(node.value.get("in"))
        if place == "header" and name.lower() in _PASSED_OVER:
            continue
        each = _parameter(description, node, renamed.get(name, name) if place == "path" else name, place)
        found[each.key] = each
    return found


def _entries(raw: Any) -> Sequence[Any]:
    return raw if isinstance(raw, list) else ()


def _parameter(description: Described, node: Node, name: str, place: str) -> _Parameter:
    raw = node.value
    content = raw.get("content")
    schema, style = node.child(raw.get("schema", {})), ""
    if isinstance(content, dict) and content:
        media_type, described = next(iter(content.items()))
        schema = node.child(described.get("schema", {}) if isinstance(described, dict) else {})
        style = str(media_type)
    seen = view(description, schema)
    if not style and seen.types and seen.types & {"array", "object"}:
        named = str(raw.get("style") or _STYLES.get(place, "form"))
        explode = raw.get("explode", named == "form")
        style = f"{named}, {'exploded' if explode else 'not exploded'}"
    return _Parameter(name, place, raw, schema, style, seen.default is not None)


def _is_moved(one: _Parameter, other: _Parameter) -> bool:
    """Whether a parameter seems to be another one: at another place, or with a name that is like the old one."""
    if one.place != other.place:
        return one.name.lower() == other.name.lower()
    return likeness(one.name, other.name) >= _ALIKE


def _at(spot: Spot, each: _Parameter) -> Spot:
    return replace(spot, place=f"{spot.place}, {each.place} {each.name}", part="request-parameter", written=True)


def _told(each: _Parameter) -> str:
    return f"{each.name} in {each.place}"
