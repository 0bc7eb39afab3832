"""What is judged: every operation and webhook of an API, as its description has it, with the rules about it."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from conformance.api import Api
from conformance.catalogue import Rule
from conformance.specification import Specification
from tools.site.text import table

_METHODS = ("get", "put", "post", "patch", "delete")


def page(api: Api, rules: Sequence[Rule]) -> str:
    """The page of an API.

    Args:
        api: The API.
        rules: Its rules.
    """
    document = Specification.load(api.specification).document
    parts = [f"# What is judged of {api.title}\n\n{document['info']['description'].strip()}\n\n"]
    parts.append(table(("server", ""), ((f"`{each['url']}`", each["description"]) for each in document["servers"])))
    everywhere = [rule for rule in rules if not rule.operations]
    parts += [f"{len(rules)} rules judge it, {len(everywhere)} of them at every operation:\n\n", _rules(everywhere)]
    for path, item in document["paths"].items():
        for method in _METHODS:
            if method in item:
                parts += _operation(f"{method.upper()} {path}", item[method], document, rules)
    for name, item in document.get("webhooks", {}).items():
        parts += _operation(f"Webhook {name}", next(iter(item.values())), document, rules)
    return "".join(parts)


def _operation(
    title: str, operation: Mapping[str, Any], document: Mapping[str, Any], rules: Sequence[Rule]
) -> Iterator[str]:
    name = operation["operationId"]
    yield f"## {title} {{ #{name.lower()} }}\n\n{operation['summary']}. `{name}`, {operation['x-basis']}.\n\n"
    yield f"{operation.get('description', '').strip()}\n\n"
    parameters = [_resolved(each, document) for each in operation.get("parameters", ())]
    yield table(
        ("parameter", "in", "needed", "says"),
        (
            (f"`{each['name']}`", each["in"], _needed(each.get("required")), each.get("description", ""))
            for each in parameters
        ),
    )
    body = _resolved(operation.get("requestBody", {}), document)
    for media_type, content in body.get("content", {}).items():
        yield table((f"member of the body, `{media_type}`", "type", "needed", "says"), _members(content, document))
        yield from _example(content)
    answers = [(status, _resolved(answer, document)) for status, answer in operation["responses"].items()]
    rows = ((f"`{status}`", answer["description"], answer.get("x-basis", "")) for status, answer in answers)
    yield table(("answer", "says", "basis"), rows)
    for status, answer in answers:
        for content in answer.get("content", {}).values() if status.startswith("2") else ():
            yield table((f"member of `{status}`", "type", "always there", "says"), _members(content, document))
    yield _rules([rule for rule in rules if name in rule.operations])


def _example(content: Mapping[str, Any]) -> Iterator[str]:
    for each in list(content.get("examples", {}).values())[:1]:
        yield f"```json\n{json.dumps(each['value'], indent=2, ensure_ascii=False)}\n```\n\n"


def _members(content: Mapping[str, Any], document: Mapping[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    schema = _resolved(content.get("schema", {}), document)
    for part in (schema, *(_resolved(each, document) for each in schema.get("allOf", ()))):
        needed = {*part.get("required", ()), *schema.get("required", ())}
        for name, given in part.get("properties", {}).items():
            member = _resolved(given, document)
            kind = member.get("type", "")
            kind = kind if isinstance(kind, str) else " or ".join(kind)
            yield f"`{name}`", kind, _needed(name in needed), member.get("description", "")


def _needed(needed: object) -> str:
    return "yes" if needed else ""


def _resolved(given: Mapping[str, Any], document: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a reference leads to, with what stands beside it; anything else as it is."""
    if "$ref" not in given:
        return given
    found: Any = document
    for step in given["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    return {**_resolved(found, document), **{name: value for name, value in given.items() if name != "$ref"}}


def _rules(rules: Iterable[Rule]) -> str:
    return table(("rule", "asks"), ((f"[`{each.id}`](../rules/{each.id}.md)", each.title) for each in rules))
