"""A description as tools read it that know less of OpenAPI, with an example of all that a request must have.

    python benchmarks/peers/description.py planbok > description.json

prints one with made-up examples: written out without anchors, in OpenAPI 3.0 or 3.1, with `2XX` as the status that the
reference sandbox answers, which no document says.
"""

import json
import sys
from collections.abc import Mapping
from typing import Any

import yaml

from conformance.api import Api, named

HEADERS = {
    "Signature": "sig=:AA==:",
    "Signature-Input": 'sig=("@method");created=1700000000;keyid="peer"',
    "Idempotency-Key": "6b2f1c1e-52a0-4a5e-9a9b-0a1e3c5d7f90",
    "Content-Digest": "sha-256=:AA==:",
}
"""Headers of the right form; behind a signing proxy what is signed and digested does not matter."""

MADE_UP = {
    "customerId": "04c5851c-4386-5bd9-9f89-08312f8aee3a",
    "id": "664e60185d7fdfc9d26eb522",
    "challengeId": "9fc5976ffdc64ef1f4209e45",
}
LEFT_OUT = ("putSigningKey", "deleteSigningKey")
"""Operations after which nobody who signs with the key from before gets anywhere."""

_METHODS = ("get", "put", "post", "patch", "delete")


def description(
    api: Api, parameters: Mapping[str, str], bodies: Mapping[str, Any], *, version: str = "3.1.0"
) -> dict[str, Any]:
    """The description of an API for others.

    Args:
        api: The API.
        parameters: An example of each parameter by name.
        bodies: An example of each body by operation id.
        version: Of OpenAPI: ``3.1.0`` or ``3.0.3``.
    """
    document: dict[str, Any] = json.loads(json.dumps(yaml.safe_load(api.specification.read_bytes()), default=str))
    document.pop("webhooks", None)
    document["openapi"] = version
    given = {**HEADERS, **parameters}
    for path in document["paths"].values():
        for method in set(_METHODS) & set(path):
            if path[method]["operationId"] in LEFT_OUT:
                del path[method]
            else:
                _complete(path[method], method, given, bodies, document)
    document["paths"] = {name: path for name, path in document["paths"].items() if set(_METHODS) & set(path)}
    for each in document["components"].get("parameters", {}).values():
        if each["name"] in given:
            each.pop("example", None)
            each["examples"] = _example(given[each["name"]])
    plain = _open(_without_extensions(document))
    served: dict[str, Any] = _as_3_0(plain) if version.startswith("3.0") else plain
    return served


def _complete(
    operation: dict[str, Any],
    method: str,
    parameters: Mapping[str, str],
    bodies: Mapping[str, Any],
    document: Mapping[str, Any],
) -> None:
    """Give an operation's parameters, body and answer of success examples, and its answers a status each."""
    for each in operation.get("parameters", ()):
        if each.get("name") in parameters:
            each["examples"] = _example(parameters[each["name"]])
    for content in operation.get("requestBody", {}).get("content", {}).values():
        content.pop("examples", None)
        if operation["operationId"] in bodies:
            content["examples"] = _example(bodies[operation["operationId"]])
    answers = operation["responses"]
    success = "201" if method == "post" else "200"
    named = {success if status == "2XX" else status: answer for status, answer in answers.items()}
    operation["responses"] = {status: answer for status, answer in named.items() if status.isdecimal()}
    for status, answer in operation["responses"].items():
        answer.pop("links", None)
        for content in answer.get("content", {}).values():
            content.pop("examples", None)
            if status.startswith("2"):
                content["examples"] = _example(_made(content["schema"], document))


def _example(value: Any) -> dict[str, Any]:
    """An example under the one name by which some tools find what belongs together."""
    return {"sandbox": {"value": value}}


def _made(schema: Mapping[str, Any], document: Mapping[str, Any]) -> Any:
    """A value that fits a schema."""
    if "$ref" in schema:
        found: Any = document
        for step in schema["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        return _made(found, document)
    parts = [_made(each, document) for each in schema.get("allOf", ())]
    if parts or "properties" in schema:
        own = {name: _made(member, document) for name, member in schema.get("properties", {}).items()}
        return {name: value for part in (*parts, own) for name, value in part.items()}
    kind = schema.get("type", "string")
    kind = kind[0] if isinstance(kind, list) else kind
    strings = {"uuid": HEADERS["Idempotency-Key"], "uri": "https://our.app/", "date-time": "2026-11-29T12:00:00Z"}
    plain = {"integer": 1, "number": 1, "boolean": True, "array": [], "object": {}}
    usual = plain.get(kind, strings.get(schema.get("format", ""), "text"))
    return schema.get("const", schema.get("enum", [usual])[0])


def _without_extensions(node: Any) -> Any:
    if isinstance(node, dict):
        return {name: _without_extensions(value) for name, value in node.items() if not name.startswith("x-")}
    return [_without_extensions(each) for each in node] if isinstance(node, list) else node


def _open(node: Any) -> Any:
    """Say of each object that it may have further members, which some tools do not take for granted."""
    if isinstance(node, list):
        return [_open(each) for each in node]
    if not isinstance(node, dict):
        return node
    opened = {name: _open(value) for name, value in node.items()}
    is_object = opened.get("type") == "object" or isinstance(opened.get("properties"), dict)
    return {**opened, "additionalProperties": True} if is_object and "additionalProperties" not in opened else opened


def _as_3_0(node: Any) -> Any:
    """A description in the older form, in which a type is one, null is a flag, and examples are one."""
    if isinstance(node, list):
        return [_as_3_0(each) for each in node]
    if not isinstance(node, dict):
        return node
    older = {name: _as_3_0(value) for name, value in node.items()}
    if isinstance(older.get("type"), list):
        types = [each for each in older["type"] if each != "null"]
        older.pop("type")
        older |= {"nullable": True} if "null" in node["type"] else {}
        older |= {"type": types[0]} if len(types) == 1 else {}
    older.pop("contentEncoding", None)
    examples = older.pop("examples", None)
    if isinstance(examples, dict):
        older["example"] = examples["sandbox"]["value"]
    if "const" in older:
        older["enum"] = [older.pop("const")]
    return older


if __name__ == "__main__":
    print(json.dumps(description(named(sys.argv[1]), MADE_UP, {}), indent=2))
