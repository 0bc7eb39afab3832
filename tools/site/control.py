"""The control routes of the sandbox, from the schema that its answers are tested against."""

from collections.abc import Iterator, Mapping
from typing import Any

from tools.site.text import table

_HEAD = """# Control routes of the sandbox

A test in any language commands the sandbox by them: at its origin for the world that was there from the start, below
`/_sandbox/worlds/ID` for one of its own. They answer on this machine alone. [Recipes](recipes.md) use them from curl,
Node and Go; in Python [`World`](library.md#conformancesandboxremote) does. Refusals are problem details (RFC 9457):
what was wrong, what was expected, what to do.

Besides these, `GET /_sandbox/requests` ([schema](SCHEMAS/requests.json), or `?format=har`) has what was asked and
answered and what it breaks, `GET /_sandbox/findings` ([schema](SCHEMAS/results.json)) the verdicts on the client,
`GET /_sandbox/deliveries` ([schema](SCHEMAS/deliveries.json)) how the receiver took the webhooks, and `DELETE
/_sandbox/worlds/ID` drops a world.

"""


def page(schema: Mapping[str, Any]) -> str:
    """The page in Markdown, with links as from a page of docs/.

    Args:
        schema: ``specs/schemas/control.json``.
    """
    parts = [_HEAD.replace("SCHEMAS", "../specs/schemas")]
    for route, about in schema["x-routes"].items():
        parts.append(f"## {route}\n\n")
        for part, head in (("request", "takes"), ("answer", "answers")):
            if part in about:
                found = _resolved(about[part], schema)
                described = found.get("description", "")
                parts += [f"{described}.\n\n" if described else "", table((head, "form", ""), _members(found, schema))]
    return "".join(parts)


def _members(found: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    if "properties" not in found:
        yield "the whole", _form(found, schema), ""
    for name, given in found.get("properties", {}).items():
        member = {**_resolved(given.get("$ref", ""), schema), **given}
        needed = "" if name in found.get("required", ()) else "; may be left out"
        yield f"`{name}`", f"{_form(member, schema)}{needed}", member.get("description", "")


def _form(member: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    if "enum" in member:
        return "one of " + ", ".join(f"`{each}`" for each in member["enum"])
    kind = member.get("type", "anything")
    told = kind if isinstance(kind, str) else " or ".join(kind)
    if told == "array":
        items = member.get("items", {})
        return f"list of {_form({**_resolved(items.get('$ref', ''), schema), **items}, schema)}s"
    return told + (f", `{member['default']}` by default" if "default" in member else "")


def _resolved(reference: str, schema: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = schema["$defs"][reference.removeprefix("#/$defs/")] if reference else {}
    return found
