"""Two OpenAPI descriptions compared, operation by operation, in the direction in which each part is sent."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from conformance.drift.bodies import Bodies, parts_of
from conformance.drift.form import IMPACTS, Change
from conformance.drift.kinds import OTHERS
from conformance.drift.parameters import Parameters
from conformance.drift.places import Seen, Spot
from conformance.drift.references import Described, Node
from conformance.drift.schemas import Comparing
from conformance.drift.security import compared, requirements, schemes_compared

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace", "query")
"""The methods of OpenAPI 3, as they stand in a path item."""
_TEMPLATE = re.compile(r"\{([^{}]+)\}")


@dataclass(frozen=True, eq=False)
class Call:
    """An operation or a webhook, where it stands.

    Args:
        method: The method, in upper case.
        path: The path's template, or the webhook's name.
        node: The operation.
        item: The path item.
    """

    method: str
    path: str
    node: Node
    item: Mapping[str, Any]

    @property
    def place(self) -> str:
        """It in words."""
        return f"{self.method} {self.path}"

    @property
    def id(self) -> str:
        """Its operationId, else method and path."""
        return str(self.node.value.get("operationId") or self.place)


class Difference:
    """What changed between two descriptions.

    Args:
        before: The older one.
        after: The newer one.
    """

    def __init__(self, before: Described, after: Described) -> None:
        self.before = before
        self.after = after
        self.schemas = Comparing(before, after)
        self._bodies = Bodies(self.schemas, self.say)
        self._parameters = Parameters(self.schemas, self.say)

    def changes(self) -> list[Change]:
        """All changes; what changed in a schema that several operations share is one."""
        self._whole()
        self._calls()
        self._webhooks()
        return _together(self.schemas)

    def say(self, kind: str, spot: Spot | str, before: str = "", after: str = "") -> None:
        """Note a change that is no schema's.

        Args:
            kind: The id of its kind.
            spot: Where.
            before: What was there.
            after: What is there.
        """
        found = OTHERS[kind]
        operation = spot.operation if isinstance(spot, Spot) else ""
        self.schemas.seen.append(Seen(kind, found.impact, found.advice, str(spot), before, after, operation))

    # --------------------------------------------------------------------------------------------- the description

    def _whole(self) -> None:
        old, new = (_member(each.document, "info").get("version") for each in (self.before, self.after))
        if str(old) != str(new):
            self.say("api-version-changed", "the description", str(old), str(new))
        for each in schemes_compared(self.before, self.after):
            self.say(each.kind, "the ways to authenticate", each.before, each.after)

    def _servers(self, *, moved: bool) -> None:
        """Compare the servers; where a part of their paths moved into the paths, by their origins alone."""
        old, new = (_servers(each.document) for each in (self.before, self.after))
        if moved:
            old, new = (
                list(dict.fromkeys(url.split("/", 3)[2] if "//" in url else url for url in each)) for each in (old, new)
            )
        gone = [url for url in old if url not in new] if old != ["/"] else []
        fresh = [url for url in new if url not in old] if new != ["/"] else []
        if old == ["/"] and not _list(self.before.document, "servers"):
            gone = []
        if len(old) == len(new) == 1 and gone and fresh:
            self.say("server-changed", "the servers", gone[0], fresh[0])
            return
        for url in gone:
            self.say("server-removed", "the servers", url)
        for url in fresh:
            self.say("server-added", "the servers", "", url)

    def _own_servers(self, one: Call, other: Call, spot: Spot) -> None:
        """Compare the servers of an operation that has its own."""
        own = [_own_servers(each) for each in (one, other)]
        if own[0] == own[1]:
            return
        old = own[0] or _servers(self.before.document)
        new = own[1] or _servers(self.after.document)
        for url in old:
            if url not in new:
                self.say("server-removed", spot, url)
        for url in new:
            if url not in old:
                self.say("server-added", spot, "", url)

    def _calls(self) -> None:
        old, new = _calls(self.before, "paths"), _calls(self.after, "paths")
        by_shape = {_shape(call): call for call in new}
        pairs = [(call, by_shape[_shape(call)]) for call in old if _shape(call) in by_shape]
        paired = {id(each) for pair in pairs for each in pair}
        bases = [urlsplit(_servers(each.document)[0]).path.rstrip("/") for each in (self.before, self.after)]
        whole = {_shape(call, bases[1]): call for call in new if id(call) not in paired}
        moved = []
        if bases[0] != bases[1]:
            moved = [
                (call, whole[_shape(call, bases[0])])
                for call in old
                if id(call) not in paired and _shape(call, bases[0]) in whole
            ]
        paired |= {id(each) for pair in moved for each in pair}
        self._servers(moved=bool(moved) and not pairs)
        for call in old:
            if id(call) not in paired:
                self.say("operation-removed", Spot(call.id, call.place, "operation", written=True), call.place)
        for call in new:
            if id(call) not in paired:
                self.say("operation-added", Spot(call.id, call.place, "operation", written=True), "", call.place)
        for one, other in pairs + moved:
            self._call(one, other)

    # ------------------------------------------------------------------------------------------------- operations

    def _call(self, one: Call, other: Call) -> None:
        spot = Spot(one.id, one.place, "operation", written=True)
        old, new = one.node.value, other.node.value
        self._about(one, other, spot)
        self._own_servers(one, other, spot)
        names = [_TEMPLATE.findall(call.path) for call in (one, other)]
        renamed = {after: before for before, after in zip(*names, strict=True) if before != after}
        for after, before in renamed.items():
            self.say("path-parameter-renamed", spot, before, after)
        self._parameters.compare(
            (one.node, one.item.get("parameters")), (other.node, other.item.get("parameters")), spot, renamed
        )
        self._bodies.requests(one.node.child(old.get("requestBody")), other.node.child(new.get("requestBody")), spot)
        self._bodies.responses(parts_of(self.before, old), parts_of(self.after, new), spot)
        for each in compared(requirements(self.before, old), requirements(self.after, new)):
            self.say(each.kind, spot, each.before, each.after)
        self._callbacks(_member(old, "callbacks"), _member(new, "callbacks"), one)

    def _about(self, one: Call, other: Call, spot: Spot) -> None:
        """Compare what is said about an operation."""
        old, new = one.node.value, other.node.value
        was, now = old.get("deprecated") is True, new.get("deprecated") is True
        if was != now:
            self.say("operation-deprecated" if now else "operation-not-deprecated-any-more", spot)
        elif now and old.get("x-sunset") and str(old["x-sunset"]) != str(new.get("x-sunset")):
            self.say("operation-sunset-changed", spot, str(old["x-sunset"]), str(new.get("x-sunset") or ""))
        if old.get("operationId") != new.get("operationId"):
            ids = (str(each.get("operationId") or "") for each in (old, new))
            self.say("operation-id-changed", spot, *ids)
        for name in ("summary", "description"):
            texts = [" ".join(str(each.get(name) or "").split()) for each in (old, new)]
            if texts[0] != texts[1]:
                self.say("operation-text-changed", spot, *texts)
        tags = [", ".join(map(str, _list(each, "tags"))) for each in (old, new)]
        if tags[0] != tags[1]:
            self.say("operation-tags-changed", spot, *tags)

    # --------------------------------------------------------------------------------------------------- webhooks

    def _webhooks(self) -> None:
        old, new = (_calls(each, "webhooks") or _calls(each, "x-webhooks") for each in (self.before, self.after))
        self._sent(old, new, "webhook ")

    def _callbacks(self, old: Mapping[str, Any], new: Mapping[str, Any], of: Call) -> None:
        """Compare what the server sends because of an operation, like webhooks."""
        sent = []
        for description, callbacks in ((self.before, old), (self.after, new)):
            followed = {name: description.followed(Node(each)).value for name, each in callbacks.items()}
            items = {
                f"{name} {url}": item
                for name, each in followed.items()
                if isinstance(each, dict)
                for url, item in each.items()
                if isinstance(item, dict)
            }
            sent.append(_calls_in(description, items))
        self._sent(sent[0], sent[1], f"{of.place}, callback ")

    def _sent(self, old: Sequence[Call], new: Sequence[Call], prefix: str) -> None:
        others = {_shape(call): call for call in new}
        for one in old:
            spot = Spot(one.id, f"{prefix}{one.path}", "webhook", written=False)
            other = others.pop(_shape(one), None)
            if other is None:
                self.say("webhook-removed", spot, one.place)
                continue
            self._about(one, other, spot)
            self._parameters.compare_sent(
                (one.node, one.item.get("parameters")), (other.node, other.item.get("parameters")), spot
            )
            bodies = (
                one.node.child(one.node.value.get("requestBody")),
                other.node.child(other.node.value.get("requestBody")),
            )
            self._bodies.sent(*bodies, spot)
            self._bodies.answers(parts_of(self.before, one.node.value), parts_of(self.after, other.node.value), spot)
        for call in others.values():
            self.say("webhook-added", Spot(call.id, f"{prefix}{call.path}", "webhook", written=False), "", call.place)


def compare(before: Described, after: Described) -> list[Change]:
    """What changed between two descriptions, without the rules that are concerned.

    Raises:
        NotComparableError: If one of them refers to what is not in it, or is too large.
    """
    return Difference(before, after).changes()


def operations_of(description: Described) -> dict[str, str]:
    """The operationId of each operation that has one, by method and path."""
    calls = (*_calls(description, "paths"), *_calls(description, "webhooks"))
    return {call.place: call.id for call in calls}


def _together(schemas: Comparing) -> list[Change]:
    """The changes; those of one part of a shared schema are one, with all the places and operations."""
    groups: dict[tuple[object, ...], list[Seen]] = {}
    for each in schemas.seen:
        key = (each.kind, each.before, each.after, each.shared or (each.place, each.operation))
        groups.setdefault(key, []).append(each)
    changes = []
    for group in groups.values():
        first = min(group, key=lambda each: len(each.place))
        leading = [
            spot for node in dict.fromkeys(each.node for each in group if each.node) for spot in schemas.spots_of(node)
        ]
        told = {each.operation for each in group}
        places = [first.place, *(each.place for each in group)] + [
            spot.place for spot in leading if spot.operation not in told
        ]
        operations = [each.operation for each in group if each.operation] + [spot.operation for spot in leading]
        changes.append(
            Change(
                first.kind,
                min((each.impact for each in group), key=IMPACTS.index),
                first.place,
                first.before,
                first.after,
                first.advice,
                operations=tuple(dict.fromkeys(operations)),
                elsewhere=tuple(dict.fromkeys(places))[1:],
            )
        )
    return changes


def _calls(description: Described, section: str) -> list[Call]:
    return list(_calls_in(description, _member(description.document, section)))


def _calls_in(description: Described, items: Mapping[str, Any]) -> list[Call]:
    return list(_each_call(description, items))


def _each_call(description: Described, items: Mapping[str, Any]) -> Iterator[Call]:
    for path, raw in items.items():
        item = description.followed(Node(raw)).value
        for method in METHODS if isinstance(item, dict) else ():
            operation = item.get(method)
            if isinstance(operation, dict):
                yield Call(method.upper(), path, Node(operation), item)


def _shape(call: Call, base: str = "") -> tuple[str, str]:
    """Method and path, whatever the parameters in the path are called."""
    return call.method, _TEMPLATE.sub("{}", base + call.path)


def _own_servers(call: Call) -> list[str]:
    """The servers of an operation or its path; none if they are those of the description."""
    own = next((each for each in (call.node.value, call.item) if _list(each, "servers")), None)
    return _servers(own) if own else []


def _servers(document: Mapping[str, Any]) -> list[str]:
    """The addresses of the servers, without a slash at their end, their variables filled in; ``/`` if there is none."""
    found: list[str] = []
    for server in _list(document, "servers"):
        if not isinstance(server, dict):
            continue
        urls = [str(server.get("url", "/"))]
        for name, variable in _member(server, "variables").items():
            values = [str(each) for each in _list(variable, "enum")] or [str(variable.get("default", ""))]
            urls = [url.replace("{" + name + "}", value) for url in urls for value in values[:20]][:200]
        found += [url.rstrip("/") or "/" for url in urls]
    return list(dict.fromkeys(found)) or ["/"]


def _list(raw: Any, name: str) -> Sequence[Any]:
    found = raw.get(name) if isinstance(raw, dict) else None
    return found if isinstance(found, list) else ()


def _member(raw: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = raw.get(name)
    return found if isinstance(found, dict) else {}
