"""A JSON Schema as what it allows, however that is written: references, allOf, nullable, const, both dialects."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Any

from conformance.drift.form import NotComparableError
from conformance.drift.references import Described, Node

Bound = tuple[float, bool] | None
"""A limit of a number, and whether the number may not be the limit itself; None without one."""

_ALL = frozenset({"array", "boolean", "integer", "number", "object", "string"})
_SIZES = ("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties")
_CONDITIONS = ("if", "then", "else", "contains", "minContains", "maxContains", "propertyNames", "unevaluatedItems")
_MERGED = ("allOf", "anyOf", "oneOf")
_ANNOTATIONS = {"title", "description", "example", "examples", "externalDocs", "xml", "$comment", "deprecated"}
_TYPES = {
    type(None): "null",
    bool: "boolean",
    int: "integer",
    float: "number",
    list: "array",
    dict: "object",
}
_MOST_VIEWS = 100_000
"""How many schemas of a description are looked at."""
_FORMAT_NAMES = {"url": "uri", "datetime": "date-time", "guid": "uuid", "int": "int32", "long": "int64"}


@dataclass(frozen=True, eq=False)
class View:
    """What a schema allows.

    Args:
        types: The types of JSON, without null; None for any. A number may be an integer too.
        nullable: Whether null is allowed, where the types are known.
        enum: The values that are allowed, as JSON, without null; None if they are not listed.
        known: Values that are named where others may come, as JSON.
        properties: The members of an object.
        required: The names of those that must be there.
        additional: What members without a name of their own are: True, False, or their schema; None if nothing is said.
        patterned: Schemas of members by a pattern of their names.
        items: The schema of the entries of an array, None if any may come.
        prefix: The schemas of its first entries.
        lower: The least number.
        upper: The greatest one.
        sizes: Limits of lengths and counts, by keyword.
        multiple: What a number must be a multiple of.
        unique: Whether no entry may come twice.
        patterns: What a text must match.
        format: Its format.
        encoding: How a text is encoded, and of which media type what it encodes is.
        variants: One of which it must fit, beside all else that is said here.
        exceptions: What it must not fit, as JSON.
        conditions: Further keywords, as JSON.
        dependent: The members that another one demands, by the name of that one.
        discriminator: The member that names the variant, and the variant by each value.
        read_only: Whether only the server writes it.
        write_only: Whether only the client does.
        default: Its default as JSON, None without one.
        deprecated: Whether it is.
        text: What its description says.
        title: Its title, or the name of the component.
    """

    types: frozenset[str] | None = None
    nullable: bool = True
    enum: tuple[str, ...] | None = None
    known: tuple[str, ...] = ()
    properties: Mapping[str, Node] = field(default_factory=dict)
    required: frozenset[str] = frozenset()
    additional: bool | Node | None = None
    patterned: Mapping[str, Node] = field(default_factory=dict)
    items: Node | None = None
    prefix: tuple[Node, ...] = ()
    lower: Bound = None
    upper: Bound = None
    sizes: Mapping[str, float] = field(default_factory=dict)
    multiple: float | None = None
    unique: bool = False
    patterns: frozenset[str] = frozenset()
    format: str | None = None
    encoding: str = ""
    variants: tuple["View", ...] = ()
    exceptions: frozenset[str] = frozenset()
    conditions: Mapping[str, str] = field(default_factory=dict)
    dependent: Mapping[str, frozenset[str]] = field(default_factory=dict)
    discriminator: tuple[str, Mapping[str, str]] | None = None
    read_only: bool = False
    write_only: bool = False
    default: str | None = None
    deprecated: bool = False
    text: str = ""
    title: str = ""
    origin: str = ""
    way: tuple[str, ...] = ()

    @property
    def kinds(self) -> frozenset[str]:
        """The types, all of them if any is allowed; with ``number`` goes ``integer``."""
        types = _ALL if self.types is None else self.types
        return types | {"integer"} if "number" in types else types

    @property
    def allows_null(self) -> bool:
        """Whether null may come."""
        return self.nullable or self.types is None


def as_json(value: Any) -> str:
    """A value as JSON by which it is compared; what YAML knows and JSON does not is text, and 1.0 is 1."""
    return json.dumps(_whole_numbers(value), sort_keys=True, default=str, ensure_ascii=False)


def _whole_numbers(value: Any) -> Any:
    match value:
        case float() if math.isfinite(value) and value == int(value):
            return int(value)
        case dict():
            return {name: _whole_numbers(each) for name, each in value.items()}
        case list():
            return [_whole_numbers(each) for each in value]
        case _:
            return value


def view(description: Described, node: Node, within: tuple[int, ...] = ()) -> View:
    """What the schema at a node allows.

    Args:
        description: The description that it stands in.
        node: Where it stands.
        within: What is being viewed already, so that a schema that is a part of itself ends.
    """
    key = node.identity
    if key not in description.kept:
        if len(description.kept) > _MOST_VIEWS:
            raise NotComparableError(f"{description.name} is too large to be compared.")
        description.kept[key] = (
            _viewed(description, node, within),
            node,
        )  # the node is kept, or its identity could recur
    found: View = description.kept[key][0]
    return found


def _viewed(description: Described, node: Node, within: tuple[int, ...]) -> View:
    followed = description.followed(node)
    raw = followed.value
    if raw is False:
        return View(types=frozenset(), nullable=False)
    if not isinstance(raw, dict) or id(raw) in within or (raw is not node.value and id(node.value) in within):
        return View(origin=followed.origin, way=followed.way)
    inner = (*within, id(raw), id(node.value))
    own = _own(description, followed, raw)
    parts = [view(description, followed.child(part), inner) for part in _list(raw, "allOf")]
    merged = reduce(both, parts, own) if parts else own
    for keyword in ("oneOf", "anyOf"):
        variants = [view(description, followed.child(part), inner) for part in _list(raw, keyword)]
        if variants:
            merged = _with_variants(merged, variants)
    if raw.get("nullable") is True:  # beside allOf it is meant for the whole
        merged = replace(merged, nullable=True)
    return replace(merged, origin=followed.origin, way=followed.way)


def _list(raw: Mapping[str, Any], name: str) -> Sequence[Any]:
    found = raw.get(name)
    return found if isinstance(found, list) else ()


def _mapping(raw: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = raw.get(name)
    return found if isinstance(found, dict) else {}


def _own(description: Described, node: Node, raw: Mapping[str, Any]) -> View:
    """What a schema says itself, without the parts that it is put together from."""
    named = raw.get("type")
    types = frozenset(map(str, named if isinstance(named, list) else [named])) if named else None
    nullable = types is None or "null" in types or raw.get("nullable") is True
    values = [raw["const"]] if "const" in raw else raw.get("enum")
    enum: tuple[str, ...] | None = None
    if isinstance(values, list):
        nullable = None in values if types is None else nullable and (None in values or description.is_3_0)
        enum = tuple(dict.fromkeys(as_json(value) for value in values if value is not None))
    types = types - {"null"} if types else _implied(raw, values)
    lower, upper = _bound(raw, "minimum"), _bound(raw, "maximum")
    if types == frozenset({"integer"}):
        lower = (lower[0] + 1, False) if lower and lower[1] and lower[0] == int(lower[0]) else lower
        upper = (upper[0] - 1, False) if upper and upper[1] and upper[0] == int(upper[0]) else upper
    additional = raw.get("additionalProperties", False if raw.get("unevaluatedProperties") is False else None)
    items = raw.get("items")
    known = raw.get("x-extensible-enum", raw.get("x-known-values", ()))
    discriminator = _mapping(raw, "discriminator")
    return View(
        types=types,
        nullable=nullable,
        enum=enum,
        known=tuple(map(as_json, known)) if isinstance(known, list) else (),
        properties={name: node.child(part, name) for name, part in _mapping(raw, "properties").items()},
        required=frozenset(map(str, _list(raw, "required"))),
        additional=node.child(additional, "*") if isinstance(additional, dict) and additional else _truth(additional),
        patterned={name: node.child(part, name) for name, part in _mapping(raw, "patternProperties").items()},
        items=node.child(items, "*") if isinstance(items, dict) else None,
        prefix=tuple(node.child(part, str(at)) for at, part in enumerate(_list(raw, "prefixItems"))),
        lower=lower,
        upper=upper,
        sizes={
            name: raw[name]
            for name in _SIZES
            if _is_number(raw.get(name)) and not (name.startswith("min") and not raw[name])
        },
        multiple=raw["multipleOf"] if _is_number(raw.get("multipleOf")) and raw["multipleOf"] > 0 else None,
        unique=raw.get("uniqueItems") is True,
        patterns=frozenset([str(raw["pattern"])]) if raw.get("pattern") else frozenset(),
        format=_FORMAT_NAMES.get(str(raw["format"]).lower(), str(raw["format"])) if raw.get("format") else None,
        encoding=" ".join(str(raw[name]).lower() for name in ("contentEncoding", "contentMediaType") if raw.get(name)),
        exceptions=frozenset([_plain(raw["not"])]) if "not" in raw else frozenset(),
        conditions={name: _plain(raw[name]) for name in _CONDITIONS if name in raw},
        dependent={
            name: frozenset(map(str, needed))
            for name, needed in _mapping(raw, "dependentRequired").items()
            if isinstance(needed, list)
        },
        discriminator=_discriminator(discriminator) if discriminator.get("propertyName") else None,
        read_only=raw.get("readOnly") is True,
        write_only=raw.get("writeOnly") is True,
        default=as_json(raw["default"]) if "default" in raw else None,
        deprecated=raw.get("deprecated") is True,
        text=" ".join(str(raw.get("description") or "").split()),
        title=node.origin.rpartition("/")[2] if node.origin and not node.way else str(raw.get("title") or ""),
    )


def _discriminator(raw: Mapping[str, Any]) -> tuple[str, Mapping[str, str]]:
    mapping = {value: str(target).rpartition("/")[2] for value, target in _mapping(raw, "mapping").items()}
    return str(raw["propertyName"]), mapping


def _plain(value: Any) -> str:
    """A part of a schema as JSON, without what is only said about it."""
    match value:
        case dict():
            kept = {name: json.loads(_plain(part)) for name, part in value.items() if name not in _ANNOTATIONS}
            return as_json(kept)
        case list():
            return as_json([json.loads(_plain(part)) for part in value])
        case _:
            return as_json(value)


def _truth(value: Any) -> bool | None:
    return value if isinstance(value, bool) else True if value == {} else None


def _implied(raw: Mapping[str, Any], values: Any) -> frozenset[str] | None:
    """The types of a schema that names none, but has what only a schema of one type has."""
    if isinstance(values, list) and values:
        return frozenset(_type_of(value) for value in values) - {"null"}
    if "properties" in raw or isinstance(raw.get("additionalProperties"), dict):
        return frozenset({"object"})
    if "items" in raw or "prefixItems" in raw:
        return frozenset({"array"})
    return None


def _type_of(value: Any) -> str:
    return _TYPES.get(type(value), "string")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _bound(raw: Mapping[str, Any], name: str) -> Bound:
    exclusive = raw.get("exclusive" + name.capitalize())
    found = [(raw[name], exclusive is True)] if _is_number(raw.get(name)) else []
    if _is_number(exclusive):
        found.append((exclusive, True))
    if not found:
        return None
    return _tighter(found, upper=name == "maximum")


def _tighter(bounds: Sequence[Bound], *, upper: bool) -> Bound:
    there = [bound for bound in bounds if bound is not None]
    if not there:
        return None
    return min(there, key=lambda each: (each[0], not each[1])) if upper else max(there)


def both(one: View, other: View) -> View:
    """What both of two views allow."""
    types = one.types if other.types is None else other.types if one.types is None else _common(one, other)
    enum = one.enum if other.enum is None else other.enum
    if one.enum is not None and other.enum is not None:
        enum = tuple(value for value in one.enum if value in other.enum)
    properties = dict(one.properties)
    for name, node in other.properties.items():
        first = properties.get(name)
        properties[name] = node if first is None else _joined(first, node)
    closed = next((each for each in (one, other) if each.additional is False), None)
    ranges = {
        name: (min if name.startswith("max") else max)(each.sizes[name] for each in (one, other) if name in each.sizes)
        for name in {**one.sizes, **other.sizes}
    }
    variants = one.variants or other.variants
    conditions = {**one.conditions, **other.conditions}
    if one.variants and other.variants:
        conditions["allOf"] = as_json(sorted(variant.title for variant in other.variants))
    return View(
        types=types,
        nullable=one.allows_null and other.allows_null,
        enum=enum,
        known=one.known or other.known,
        properties=properties,
        required=one.required | other.required,
        additional=False if closed else other.additional if one.additional is None else one.additional,
        patterned={**one.patterned, **other.patterned},
        items=one.items or other.items,
        prefix=one.prefix or other.prefix,
        lower=_tighter([one.lower, other.lower], upper=False),
        upper=_tighter([one.upper, other.upper], upper=True),
        sizes=ranges,
        multiple=one.multiple if other.multiple is None else other.multiple,
        unique=one.unique or other.unique,
        patterns=one.patterns | other.patterns,
        format=one.format or other.format,
        encoding=one.encoding or other.encoding,
        variants=variants,
        exceptions=one.exceptions | other.exceptions,
        conditions=conditions,
        dependent={**one.dependent, **other.dependent},
        discriminator=one.discriminator or other.discriminator,
        read_only=one.read_only or other.read_only,
        write_only=one.write_only or other.write_only,
        default=one.default if one.default is not None else other.default,
        deprecated=one.deprecated or other.deprecated,
        text=one.text or other.text,
        title=one.title or other.title,
        origin=one.origin,
        way=one.way,
    )


def _joined(one: Node, other: Node) -> Node:
    """A member of which two parts of a schema speak."""
    if one.identity == other.identity:
        return one
    parts = {id(part): part for node in (one, other) for part in node.parts or (node.value,)}
    return Node({"allOf": list(parts.values())}, one.origin, one.way, tuple(parts.values()))


def _common(one: View, other: View) -> frozenset[str]:
    kinds = one.kinds & other.kinds
    return kinds - {"integer"} if "number" in kinds else kinds


def _with_variants(outer: View, variants: Sequence[View]) -> View:
    """A view that fits one of some variants besides; what needs no variants to be said is said without."""
    empty = frozenset[str]()
    plain = [each for each in variants if not (each.types == empty and each.allows_null)]
    nullable = len(plain) < len(variants) or any(each.allows_null for each in plain)
    if not plain:
        return replace(outer, nullable=outer.allows_null)
    if len(plain) == 1:
        return both(outer, replace(plain[0], nullable=nullable))
    if all(_is_listed(each) for each in plain):
        values = tuple(dict.fromkeys(value for each in plain for value in each.enum or ()))
        types = frozenset[str]().union(*(each.types or empty for each in plain))
        return both(outer, View(types=types, nullable=nullable, enum=values))
    if all(_is_bare(each) for each in plain):
        types = frozenset[str]().union(*(each.types or empty for each in plain))
        return both(outer, View(types=types, nullable=nullable))
    kept = tuple(replace(each, nullable=False) if each.types is not None else each for each in plain)
    if outer.variants:
        titles = as_json(sorted(each.title for each in kept))
        return replace(outer, conditions={**outer.conditions, "anyOf": titles})
    is_typed = all(each.types is not None for each in kept)
    together = frozenset[str]().union(*(each.types or empty for each in kept)) if is_typed else None
    null = outer.allows_null and (nullable or not is_typed)
    return replace(outer, types=together if outer.types is None else outer.types, nullable=null, variants=kept)


def _is_listed(each: View) -> bool:
    return each.enum is not None and not each.properties and not each.variants


def _is_bare(each: View) -> bool:
    """Whether a view says nothing but its types."""
    said = (each.enum, each.properties, each.additional, each.items, each.lower, each.upper, each.format, each.variants)
    more = (each.sizes, each.patterns, each.prefix, each.required, each.conditions, each.exceptions, each.multiple)
    return bool(each.types) and not any(part not in (None, (), {}, frozenset()) for part in (*said, *more))
