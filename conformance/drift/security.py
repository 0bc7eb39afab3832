"""How a client authenticates by a description, and what of it changed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from conformance.drift.references import Described, Node
from conformance.drift.views import as_json

Requirement = frozenset[tuple[str, frozenset[str]]]
"""Schemes that are all needed together, each with its scopes; none if no authentication is needed."""


@dataclass(frozen=True)
class Difference:
    """What changed: the kind, what it was, and what it is."""

    kind: str
    before: str
    after: str


def requirements(description: Described, operation: Mapping[str, Any]) -> list[Requirement]:
    """The ways to authenticate for an operation, each of which is enough.

    A scheme is what it asks for, not what the description calls it.
    """
    listed = operation.get("security", description.document.get("security"))
    if not isinstance(listed, list) or not listed:
        return [frozenset()]
    return [
        frozenset((_told(description, name), frozenset(map(str, scopes or ()))) for name, scopes in each.items())
        for each in listed
        if isinstance(each, dict)
    ]


def compared(before: list[Requirement], after: list[Requirement]) -> Iterator[Difference]:
    """What changed in the ways to authenticate for one operation."""
    nothing: Requirement = frozenset()
    told = (_in_words(before), _in_words(after))
    if nothing in before and nothing not in after:
        yield Difference("security-required", *told)
        return
    if nothing in after and nothing not in before:
        yield Difference("security-not-required-any-more", *told)
    for one in before:
        if any(_is_enough(one, other) for other in after):
            continue
        same = next((other for other in after if _schemes(other) <= _schemes(one)), None)
        kind = "security-requirement-removed" if same is None else "security-scope-required"
        yield Difference(kind, _in_words([one]), told[1])
    for other in after:
        if other == nothing or other in before:
            continue
        like = [one for one in before if _schemes(one) == _schemes(other)]
        if not like:
            yield Difference("security-requirement-added", "", _in_words([other]))
        elif all(_is_enough(one, other) for one in like):
            yield Difference("security-scope-not-required-any-more", _in_words(like), _in_words([other]))


def schemes_compared(before: Described, after: Described) -> Iterator[Difference]:
    """What changed in the flows by which a client gets a token (OAuth 2), of schemes with the same name."""
    old, new = _schemes_of(before), _schemes_of(after)
    for name in old:
        if name not in new or old[name].get("type") != "oauth2" or new[name].get("type") != "oauth2":
            continue
        yield from _flows(name, _member(old[name], "flows"), _member(new[name], "flows"))


def _flows(name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    for flow in dict.fromkeys((*old, *new)):
        place = f"{name}, {flow}"
        if flow not in new or flow not in old:
            removed = flow not in new
            yield Difference(f"oauth-flow-{'removed' if removed else 'added'}", place * removed, place * (not removed))
            continue
        was, now = _member(old, flow), _member(new, flow)
        for url in ("authorizationUrl", "tokenUrl", "refreshUrl"):
            if was.get(url) != now.get(url) and was.get(url):
                yield Difference("oauth-url-changed", f"{place}: {was[url]}", f"{place}: {now.get(url) or 'none'}")
        scopes, others = _member(was, "scopes"), _member(now, "scopes")
        for scope in scopes:
            if scope not in others:
                yield Difference("oauth-scope-removed", f"{place}: {scope}", "")
        for scope in others:
            if scope not in scopes:
                yield Difference("oauth-scope-added", "", f"{place}: {scope}")


def _schemes_of(description: Described) -> dict[str, Mapping[str, Any]]:
    components = _member(description.document, "components")
    found = _member(components, "securitySchemes")
    return {
        name: followed.value
        for name, scheme in found.items()
        if isinstance((followed := description.followed(Node(scheme))).value, dict)
    }


def _member(raw: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = raw.get(name)
    return found if isinstance(found, dict) else {}


def _told(description: Described, name: str) -> str:
    """What a scheme asks for, in words by which it is compared too."""
    scheme = _schemes_of(description).get(name)
    if scheme is None:
        return name
    match str(scheme.get("type")):
        case "apiKey":
            place, key = str(scheme.get("in")), str(scheme.get("name"))
            return f"a key in the {place} {key.lower() if place == 'header' else key}"
        case "http":
            return f"HTTP {str(scheme.get('scheme')).lower()}"
        case "oauth2":
            return "OAuth 2"
        case "openIdConnect":
            return f"OpenID Connect at {scheme.get('openIdConnectUrl')}"
        case other:
            return other if other != "None" else as_json(scheme)


def _schemes(each: Requirement) -> frozenset[str]:
    return frozenset(scheme for scheme, _ in each)


def _is_enough(one: Requirement, other: Requirement) -> bool:
    """Whether who has what `one` asks for has what `other` asks for too."""
    have = dict(one)
    return all(scheme in have and scopes <= have[scheme] for scheme, scopes in other)


def _in_words(alternatives: list[Requirement]) -> str:
    return " or ".join(
        " and ".join(
            f"{scheme} with {' '.join(sorted(scopes))}" if scopes else scheme
            for scheme, scopes in sorted(each, key=str)
        )
        or "nothing"
        for each in alternatives
    )
