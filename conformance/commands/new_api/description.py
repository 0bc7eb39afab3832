"""An OpenAPI description taken over: every claim gets a basis and a source, and what else the suite needs."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from conformance import ConformanceError
from conformance.files import read_bounded
from conformance.specification import Specification, SpecificationError
from conformance.speed.plain_yaml import read_yaml

SOURCE = "description"
"""The key of the only source that a new API has: its description."""

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_CLAIM = {"x-basis": "inferred", "x-source": SOURCE}
_WORD = re.compile(r"[A-Za-z0-9]+")


class DescriptionRefusedError(ConformanceError, ValueError):
    """A description cannot be taken over; the message says where, why, and what to do."""


def take_over(path: Path, url: str) -> dict[str, Any]:
    """The description in a file, in the form that the suite reads: OpenAPI 3.1 with a basis for every claim.

    Every claim is ``inferred``: that a description asks for something is no sentence of the vendor yet.

    Args:
        path: A description in OpenAPI 3.0 or 3.1, YAML or JSON.
        url: Where the description is published; it becomes the source of all claims.

    Raises:
        DescriptionRefusedError: If the file cannot be read, or is no such description.
    """
    document = _load(path)
    if str(document["openapi"]).startswith("3.0."):
        _from_3_0(document)
    title = str(document.get("info", {}).get("title", "the API"))
    document["openapi"] = "3.1.0"
    document["x-sources"] = {
        SOURCE: {
            "tier": "vendor",
            "evidence": ["schema", "example"],
            "document": f"OpenAPI description of {title}",
            "url": url,
        }
    }
    names: set[str] = set()
    for place, method, operation in _operations(document):
        operation.setdefault("operationId", _invented(method, place))
        if operation["operationId"] in names:
            raise DescriptionRefusedError(f"{path} gives the operationId {operation['operationId']!r} more than once.")
        names.add(operation["operationId"])
        operation.setdefault("responses", {"200": {"description": "Success."}})
        operation.update(_CLAIM)
    for _, item in _items(document):
        shared = item.pop("parameters", [])
        for method in _METHODS:
            if method in item:
                item[method]["parameters"] = [*shared, *item[method].get("parameters", [])]
    _claim(document)
    try:
        Specification(document, "")
    except (SpecificationError, RecursionError) as error:
        raise DescriptionRefusedError(f"{path} cannot be taken over: it {error}") from error
    return document


def _load(path: Path) -> dict[str, Any]:
    try:
        document = read_yaml(read_bounded(path))
    except OSError as error:
        raise DescriptionRefusedError(f"{path} cannot be read: {error.strerror}.") from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise DescriptionRefusedError(f"{path} is neither YAML nor JSON: {error}") from error
    version = str(document.get("openapi", "")) if isinstance(document, dict) else ""
    if not version.startswith(("3.0.", "3.1.")):
        raise DescriptionRefusedError(
            f"{path} is no OpenAPI description of version 3.0 or 3.1: its member `openapi` is {version or 'missing'!r}."
        )
    if not any(True for _ in _operations(document)):
        raise DescriptionRefusedError(f"{path} describes no operation, so that there is nothing to judge.")
    return dict(document)


def _items(document: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for section in ("paths", "webhooks"):
        found = document.get(section)
        for place, item in (found if isinstance(found, dict) else {}).items():
            if isinstance(item, dict):
                yield str(place), item


def _operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for place, item in _items(document):
        for method in _METHODS:
            if isinstance(item.get(method), dict):
                yield place, method, item[method]


def _invented(method: str, path: str) -> str:
    """An operationId for an operation that has none: ``getThingsId`` for ``GET /things/{id}``."""
    return method + "".join(word[:1].upper() + word[1:] for word in _WORD.findall(path))


def _claim(document: dict[str, Any]) -> None:
    """Give every parameter and response a basis and a source, those that stand among the components too."""
    components = document.get("components", {})
    for kind in ("parameters", "responses"):
        for each in components.get(kind, {}).values():
            if isinstance(each, dict) and "$ref" not in each:
                each.update(_CLAIM)
    for _, _, operation in _operations(document):
        named = operation.get("responses", {})
        operation["responses"] = {str(status): response for status, response in named.items()}
        for each in (*operation.get("parameters", []), *operation["responses"].values()):
            if isinstance(each, dict) and "$ref" not in each:
                each.update(_CLAIM)


def _from_3_0(node: Any) -> None:
    """Write what version 3.0 has in its own way as version 3.1 does: nullable, exclusive bounds, examples."""
    pending = [node]
    while pending:
        match pending.pop():
            case dict() as members:
                if members.pop("nullable", False) is True and isinstance(members.get("type"), str):
                    members["type"] = [members["type"], "null"]
                for limit in ("Minimum", "Maximum"):
                    if isinstance(members.get(f"exclusive{limit}"), bool):
                        exclusive, bound = members.pop(f"exclusive{limit}"), limit.lower()
                        if exclusive and bound in members:
                            members[f"exclusive{limit}"] = members.pop(bound)
                pending += members.values()
            case list() as entries:
                pending += entries
