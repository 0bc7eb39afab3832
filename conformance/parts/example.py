"""One value that fits a JSON Schema, made without chance: an example where the schema has none."""

from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["example_of"]

_FORMATS = {
    "uuid": "04c5851c-4386-4bd9-9f89-08312f8aee3a",
    "date-time": "2026-01-15T12:00:00Z",
    "date": "2026-01-15",
    "time": "12:00:00Z",
    "email": "ada@example.com",
    "uri": "https://api.example/",
    "hostname": "api.example",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
}
_DEEPEST = 12
"""The levels below which only required members are given, so that a schema that refers to itself ends."""
_MOST_LEVELS = 40
"""The levels below which nothing is given."""


def example_of(schema: Any, resolve: Callable[[str], Any], *, depth: int = 0) -> Any:
    """A value that fits a schema, its own example or default if it has one.

    A ``pattern`` is not read: where a schema has one it needs an example.

    Args:
        schema: The schema, parsed (JSON Schema 2020-12, as far as OpenAPI 3.1 descriptions use it).
        resolve: Gives the schema that a ``$ref`` names.
        depth: How deep in the whole value it stands.
    """
    if not isinstance(schema, Mapping) or depth > _MOST_LEVELS:
        return None
    schema = _whole(schema, resolve)
    examples = [schema[name] for name in ("const", "example", "default") if name in schema]
    examples += [
        schema[name][0] for name in ("examples", "enum") if isinstance(schema.get(name), list) and schema[name]
    ]
    return examples[0] if examples else _of_type(schema, resolve, depth)


def _whole(schema: Mapping[str, Any], resolve: Callable[[str], Any]) -> dict[str, Any]:
    """A schema with what it refers to and combines; of alternatives the first."""
    whole = _resolved(schema, resolve)
    for _ in range(_MOST_LEVELS):
        parts = [*whole.pop("allOf", []), *whole.pop("oneOf", [])[:1], *whole.pop("anyOf", [])[:1]]
        if not parts:
            break
        whole = _merged([whole, *(_resolved(part, resolve) for part in parts)])
    return whole


def _of_type(schema: Mapping[str, Any], resolve: Callable[[str], Any], depth: int) -> Any:
    match _type_of(schema):
        case "object":
            return _object(schema, resolve, depth)
        case "array":
            entry = example_of(schema.get("items", {}), resolve, depth=depth + 1)
            return [entry] * max(int(schema.get("minItems", 0)), 0 if depth > _DEEPEST else 1)
        case "string":
            text = _FORMATS.get(str(schema.get("format")), "text")
            return text.ljust(int(schema.get("minLength", 0)), "x")[: schema.get("maxLength")]
        case "integer" | "number":
            return _number(schema)
        case "boolean":
            return True
        case _:
            return None


def _type_of(schema: Mapping[str, Any]) -> str | None:
    types = schema.get("type")
    if isinstance(types, list):
        types = next((each for each in types if each != "null"), "null")
    if types is None and "properties" in schema:
        return "object"
    return str(types) if types is not None else None


def _object(schema: Mapping[str, Any], resolve: Callable[[str], Any], depth: int) -> dict[str, Any]:
    required = schema.get("required", [])
    members = schema.get("properties", {})
    chosen = [name for name in members if name in required or depth <= _DEEPEST]
    return {name: example_of(members[name], resolve, depth=depth + 1) for name in chosen}


def _number(schema: Mapping[str, Any]) -> int | float:
    least = schema.get("minimum")
    if least is None and "exclusiveMinimum" in schema:
        least = schema["exclusiveMinimum"] + 1
    most = schema.get("maximum", schema.get("exclusiveMaximum"))
    value: int | float = least if least is not None else 1 if most is None or most > 1 else most - 1
    step = schema.get("multipleOf")
    return value if not step else -(-value // step) * step


def _resolved(schema: Any, resolve: Callable[[str], Any]) -> dict[str, Any]:
    for _ in range(_MOST_LEVELS):
        if not isinstance(schema, Mapping) or "$ref" not in schema:
            break
        schema = resolve(str(schema["$ref"]))
    return dict(schema) if isinstance(schema, Mapping) else {}


def _merged(parts: list[dict[str, Any]]) -> dict[str, Any]:
    """What all of these schemas ask for together."""
    merged: dict[str, Any] = {}
    for part in parts:
        members = {**merged.get("properties", {}), **part.get("properties", {})}
        required = [*merged.get("required", []), *part.get("required", [])]
        merged = {**merged, **part}
        if members:
            merged["properties"] = members
        if required:
            merged["required"] = required
    return merged
