"""Descriptions that are spread over several files: compared like one document, read no further than their folder."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from conformance.cli import app
from conformance.drift import bundling
from conformance.drift.inputs import read_input

DESCRIPTION: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Zoo", "version": "1"},
    "paths": {"/animals/{id}": {"$ref": "paths/animal.yaml"}},
    "components": {"schemas": {"Id": {"type": "string"}}},
}
ITEM = {
    "get": {
        "operationId": "getAnimal",
        "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"$ref": "#/id"}}],
        "responses": {
            "200": {
                "description": "",
                "content": {"application/json": {"schema": {"$ref": "../schemas/a%20set.json#/Animal"}}},
            }
        },
    },
    "id": {"$ref": "../openapi.yaml#/components/schemas/Id"},
}
DOG = {"type": "object", "required": ["bark"], "properties": {"bark": {"type": "integer"}, "kind": {}}}
ANIMALS = {
    "Animal": {
        "oneOf": [{"$ref": "dog.yaml"}, {"$ref": "#/Cat"}],
        "discriminator": {"propertyName": "kind", "mapping": {"dog": "./dog.yaml", "cat": "#/Cat"}},
    },
    "Cat": {
        "type": "object",
        "properties": {"kind": {}, "default": {"$ref": "dog.yaml#/properties/bark"}, "$ref": {"type": "string"}},
        "example": {"$ref": "https://example.com/no-reference"},
    },
}


def spread(folder: Path, **changed: Any) -> Path:
    """Write the description as several files; gives the path of the first."""
    files = {
        "openapi.yaml": changed.get("description", DESCRIPTION),
        "paths/animal.yaml": changed.get("item", ITEM),
        "schemas/a set.json": changed.get("animals", ANIMALS),
        "schemas/dog.yaml": changed.get("dog", DOG),
    }
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content) if name.endswith("json") else yaml.safe_dump(content), encoding="utf-8")
    return folder / "openapi.yaml"


def drift(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["drift", *map(str, arguments)])


def found(before: Path, after: Path) -> list[tuple[str, str, str]]:
    result = drift(before, after, "--format", "json")
    assert result.exit_code in {0, 1}, result.output
    return [(each["kind"], each["before"], each["after"]) for each in json.loads(result.stdout)["findings"]]


@pytest.fixture
def before(tmp_path: Path) -> Path:
    return spread(tmp_path / "before")


def test_what_did_not_change_is_no_change(before: Path, tmp_path: Path) -> None:
    assert found(before, spread(tmp_path / "after")) == []


def test_a_change_in_a_file_far_away_is_found(before: Path, tmp_path: Path) -> None:
    barks = {**DOG, "properties": {**DOG["properties"], "bark": {"type": "string"}}}  # type: ignore[dict-item]
    told = found(before, spread(tmp_path / "after", dog=barks))
    assert {kind for kind, _, _ in told} == {"response-property-type-changed"}
    assert {(one, other) for _, one, other in told} == {("integer", "string")}


def test_one_file_says_the_same_as_several(before: Path, tmp_path: Path) -> None:
    whole = json.loads(json.dumps(DESCRIPTION))
    whole["paths"] = {"/animals/{id}": {"get": json.loads(json.dumps(ITEM["get"]))}}
    get = whole["paths"]["/animals/{id}"]["get"]
    get["parameters"][0]["schema"] = {"$ref": "#/components/schemas/Id"}
    get["responses"]["200"]["content"]["application/json"]["schema"] = {"$ref": "#/components/schemas/Animal"}
    whole["components"]["schemas"] |= {
        "dog": DOG,
        "Animal": {
            "oneOf": [{"$ref": "#/components/schemas/dog"}, {"$ref": "#/components/schemas/Cat"}],
            "discriminator": {
                "propertyName": "kind",
                "mapping": {"dog": "#/components/schemas/dog", "cat": "#/components/schemas/Cat"},
            },
        },
        "Cat": {
            "type": "object",
            "properties": {"kind": {}, "default": {"type": "integer"}, "$ref": {"type": "string"}},
        },
    }
    path = tmp_path / "whole.json"
    path.write_text(json.dumps(whole), encoding="utf-8")
    assert found(before, path) == []
    assert found(path, before) == []


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("https://example.com/dog.yaml", "nothing is read from a network"),
        ("//example.com/dog.yaml", "nothing is read from a network"),
        ("file:///etc/passwd", "nothing is read from a network"),
        ("../../secret.yaml", "which is not below "),
        ("/etc/passwd", "which is not below "),
        ("linked.yaml", "which is not below "),
        ("missing.yaml", "There is nothing at "),
        ("pipe.yaml", "is no regular file"),
        ("huge.yaml", "has more than 32 MiB"),
        ("broken.yaml", "is not YAML"),
        ("dog.yaml#/properties/wings", "refers to schemas/dog.yaml#/properties/wings, which is not in it"),
        ("dog.yaml#bark", "a place in a file is named by a JSON pointer"),
    ],
)
def test_what_is_not_read_is_told_with_the_file_that_asks_for_it(
    before: Path, tmp_path: Path, reference: str, said: str
) -> None:
    (tmp_path / "secret.yaml").write_text("type: string", encoding="utf-8")
    after = spread(tmp_path / "after", animals={**ANIMALS, "Cat": {"$ref": reference}})
    schemas = after.parent / "schemas"
    (schemas / "linked.yaml").symlink_to(tmp_path / "secret.yaml")
    os.mkfifo(schemas / "pipe.yaml")
    with (schemas / "huge.yaml").open("wb") as file:
        file.truncate(33 * 1024 * 1024)
    (schemas / "broken.yaml").write_text("a: [", encoding="utf-8")
    result = drift(before, after)
    assert result.exit_code == 2, result.output
    assert said in result.stderr
    assert "Traceback" not in result.output


def test_files_that_refer_to_each_other_end(tmp_path: Path) -> None:
    knot = {**ANIMALS, "Cat": {"type": "object", "properties": {"kin": {"$ref": "a%20set.json#/Animal"}}}}
    assert found(spread(tmp_path / "before", animals=knot), spread(tmp_path / "after", animals=knot)) == []


def test_the_files_of_a_description_are_bounded_together(
    before: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    after = spread(tmp_path / "after")
    for name, most in (("_MOST_FILES", 2), ("_LARGEST", 600)):
        with monkeypatch.context() as patch:
            patch.setattr(bundling, name, most)
            result = drift(before, after)
        assert result.exit_code == 2
        assert "which is too much to compare" in result.stderr


def test_a_description_in_one_file_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "one.yaml"
    path.write_text(yaml.safe_dump({**DESCRIPTION, "paths": {}}), encoding="utf-8")
    content = read_input(path).content
    assert bundling.bundled(path, content) == {**DESCRIPTION, "paths": {}}
