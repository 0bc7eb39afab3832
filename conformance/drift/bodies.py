"""The bodies of two operations compared: what a client sends, what it is answered, and what webhooks bring."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from conformance.drift.parameters import Parameters, read_headers
from conformance.drift.places import Spot
from conformance.drift.references import Described, Node
from conformance.drift.schemas import Comparing
from conformance.drift.views import as_json

Say = Callable[..., None]
"""Notes a change: the id of its kind, where, what was there, and what is there."""


@dataclass(frozen=True, eq=False)
class Part:
    """What may be answered with one status.

    Args:
        content: The bodies by media type.
        headers: The headers.
        text: What the description says of it.
    """

    content: Mapping[str, Node] = field(default_factory=dict)
    headers: Mapping[str, Any] = field(default_factory=dict)
    text: str = ""


def parts_of(description: Described, operation: Mapping[str, Any]) -> dict[str, Part]:
    """The responses of an operation by status."""
    found: dict[str, Part] = {}
    listed = operation.get("responses")
    for status, raw in (listed if isinstance(listed, dict) else {}).items():
        node = description.followed(Node(raw))
        if isinstance(node.value, dict) and not status.startswith("x-"):
            headers = node.value.get("headers")
            text = " ".join(str(node.value.get("description") or "").split())
            found[status.upper() if status != "default" else status] = Part(
                _content(node), headers if isinstance(headers, dict) else {}, text
            )
    return found


class Bodies:
    """Compares bodies.

    Args:
        schemas: Compares their schemas.
        say: Notes a change.
    """

    def __init__(self, schemas: Comparing, say: Say) -> None:
        self._schemas = schemas
        self._say = say
        self._headers = Parameters(schemas, say)

    # ------------------------------------------------------------------------------------------------------- written

    def requests(self, before: Node, after: Node, spot: Spot) -> None:
        """Compare the bodies of two requests."""
        one, other = self._followed(before, after)
        where = replace(spot, place=f"{spot.place}, request", part="request-body", written=True)
        had, has = bool(_content(one)), bool(_content(other))
        if not had or not has:
            if has:
                self._say("required-request-body-added" if _required(other) else "request-body-added", where)
            elif had:
                self._say("request-body-removed", where)
            return
        if _required(one) != _required(other):
            self._say(f"request-body-became-{'required' if _required(other) else 'optional'}", where)
        self._contents(_content(one), _content(other), where, "request-media-type")
        for media_type, described in _media(one).items():
            encodings = [as_json(each.get("encoding") or {}) for each in (described, _media(other).get(media_type, {}))]
            if media_type in _media(other) and encodings[0] != encodings[1]:
                self._say("request-part-encoding-changed", where, *encodings)

    def answers(self, before: Mapping[str, Part], after: Mapping[str, Part], spot: Spot) -> None:
        """Compare what a client may answer a webhook with."""
        for status, one in before.items():
            where = replace(spot, place=f"{spot.place}, answer {status}", part="webhook-answer-body", written=True)
            covering = _covering(status, after)
            if covering is None:
                self._say("webhook-answer-removed", where, status)
                continue
            other = after[covering]
            if one.content and other.content:
                self._contents(one.content, other.content, where, "request-media-type")
            elif other.content:
                self._say("webhook-answer-body-required", where)
            elif one.content:
                self._say("webhook-answer-body-removed", where)
        for status in after:
            if _covering(status, before) is None:
                where = replace(spot, place=f"{spot.place}, answer {status}", part="webhook-answer-body", written=True)
                self._say("webhook-answer-added", where, "", status)

    # ---------------------------------------------------------------------------------------------------------- read

    def sent(self, before: Node, after: Node, spot: Spot) -> None:
        """Compare the bodies of two webhooks."""
        one, other = self._followed(before, after)
        where = replace(spot, place=f"{spot.place}, body", part="webhook-body", written=False)
        had, has = bool(_content(one)), bool(_content(other))
        if had != has:
            self._say(f"webhook-body-{'added' if has else 'removed'}", where)
        elif had:
            if _required(one) != _required(other):
                self._say(f"webhook-body-became-{'required' if _required(other) else 'optional'}", where)
            self._contents(_content(one), _content(other), where, "webhook-media-type")

    def responses(self, before: Mapping[str, Part], after: Mapping[str, Part], spot: Spot) -> None:
        """Compare what may be answered."""
        met = {each for status, one in before.items() for each in self._response(status, one, after, spot)}
        for status in after:
            if status in before or status in met:
                continue
            where = _response_at(spot, status)
            covering = _covering(status, before)
            if status == "default" or (covering and not (_is_success(status) and any(map(_is_success, before)))):
                self._say("response-status-narrowed", where, "", status)
                if covering and covering not in after:
                    self._pair(before[covering], after[status], where)
            else:
                self._say(f"response-{'success' if _is_success(status) else 'error'}-status-added", where, "", status)

    def _response(self, status: str, one: Part, after: Mapping[str, Part], spot: Spot) -> list[str]:
        """Compare what was answered with a status with what is answered now; gives the entries that this is."""
        where = _response_at(spot, status)
        same = [status] if status in after else [each for each in after if _covers(status, each)]
        if same:
            if status not in after:
                self._say("response-status-narrowed", where, status, ", ".join(same))
            for each in same:
                self._pair(one, after[each], where)
            return same
        wider = _covering(status, after)
        if wider is None or (wider == "default" and _is_success(status)):
            self._say(f"response-{'success' if _is_success(status) else 'error'}-status-removed", where, status)
            return []
        if _is_success(status):
            self._say("response-success-status-covered", where, status, wider)
        self._pair(one, after[wider], where)
        return [wider]

    def _pair(self, one: Part, other: Part, spot: Spot) -> None:
        """Compare the responses with one status."""
        if one.text != other.text:
            self._say("response-text-changed", spot, one.text, other.text)
        if one.content and not other.content:
            self._say("response-body-removed", spot)
        elif other.content and not one.content:
            self._say("response-body-added", spot)
        else:
            self._contents(one.content, other.content, spot, "response-media-type")
        headers = read_headers(self._schemas.before, one.headers), read_headers(self._schemas.after, other.headers)
        self._headers.headers(*headers, spot, "response-header")

    def _contents(self, one: Mapping[str, Node], other: Mapping[str, Node], spot: Spot, kind: str) -> None:
        """Compare the bodies of each media type; a range such as ``application/*`` stands for all of them."""
        many = len(one) + len(other) > 2  # noqa: PLR2004  (one each, of the same type, needs no name)
        for media_type, node in one.items():
            found = other.get(media_type) or _ranging(media_type, other)
            narrower = [each for name, each in other.items() if _is_range_of(media_type, name)]
            if found is None and narrower and not spot.written:
                for each in narrower:
                    self._schemas.compare(node, each, spot)
                continue
            if found is None:
                self._say(f"{kind}-removed", spot, media_type)
                continue
            self._schemas.compare(node, found, replace(spot, place=f"{spot.place} {media_type}") if many else spot)
        for media_type in other:
            if media_type not in one and not _ranging(media_type, one):
                self._say(f"{kind}-added", spot, "", media_type)

    def _followed(self, before: Node, after: Node) -> tuple[Node, Node]:
        return self._schemas.before.followed(before), self._schemas.after.followed(after)


def _response_at(spot: Spot, status: str) -> Spot:
    return replace(spot, place=f"{spot.place}, response {status}", part="response-body", written=False)


def _media(node: Node) -> Mapping[str, Any]:
    content = node.value.get("content") if isinstance(node.value, dict) else None
    found = content if isinstance(content, dict) else {}
    return {_plain(name): each for name, each in found.items() if isinstance(each, dict)}


def _content(node: Node) -> dict[str, Node]:
    return {name: node.child(each.get("schema", {})) for name, each in _media(node).items()}


def _plain(media_type: str) -> str:
    """A media type in lower case, without its character set, which JSON does not have."""
    kept = [part.strip() for part in media_type.lower().split(";") if not part.strip().startswith("charset")]
    return "; ".join(kept)


def _required(node: Node) -> bool:
    return node.value.get("required") is True


def _ranging(media_type: str, other: Mapping[str, Node]) -> Node | None:
    return next((node for each, node in other.items() if _is_range_of(each, media_type)), None)


def _is_range_of(wide: str, narrow: str) -> bool:
    """Whether a range, ``*/*`` or ``application/*``, holds a media type."""
    return wide in {"*/*", "*"} or (wide.endswith("/*") and narrow.startswith(wide[:-1]))


def _is_success(status: str) -> bool:
    return status.startswith(("2", "3"))


def _covers(wide: str, narrow: str) -> bool:
    """Whether a range of statuses, such as ``2XX``, holds another status or range."""
    return wide.endswith("XX") and narrow != wide and narrow[:1] == wide[:1]


def _covering(status: str, among: Mapping[str, Part]) -> str | None:
    """The entry that a status falls under: its own, else that of its range, else the default."""
    ranges = (status, f"{status[:1]}XX", "default")
    return next((each for each in ranges if each in among), None)
