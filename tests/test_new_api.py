"""A new API's package is drafted from a description, and runs at once, outside of the checkout."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from conformance.api import Api
from conformance.catalogue import Basis, Catalogue
from conformance.commands.new_api.description import DescriptionRefusedError, take_over
from conformance.parts.example import example_of
from conformance.specification import Specification

ACME = """
openapi: 3.0.3
info: {title: Acme Things, version: "1"}
components:
  securitySchemes: {bearer: {type: http, scheme: bearer}}
  schemas:
    Thing:
      type: object
      required: [id, name]
      properties:
        id: {type: string, format: uuid}
        name: {type: string, minLength: 1, maxLength: 40}
        note: {type: string, nullable: true}
        parent: {$ref: "#/components/schemas/Thing"}
security: [{bearer: []}]
paths:
  /things:
    get:
      parameters: [{name: page, in: query, schema: {type: integer, minimum: 1}}]
      responses:
        "200":
          description: Things
          content: {application/json: {schema: {type: array, items: {$ref: "#/components/schemas/Thing"}}}}
    post:
      operationId: createThing
      requestBody:
        required: true
        content: {application/json: {schema: {type: object, required: [name], properties: {name: {type: string}}}}}
      responses:
        201: {description: A thing, content: {application/json: {schema: {$ref: "#/components/schemas/Thing"}}}}
  /things/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: string, format: uuid}}]
    delete:
      operationId: deleteThing
      responses: {"204": {description: Gone}}
"""


@pytest.fixture
def description(tmp_path: Path) -> Path:
    path = tmp_path / "acme.yaml"
    path.write_text(ACME, encoding="utf-8")
    return path


def conformance(*arguments: str, cwd: Path, path: str = "") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, (path, os.environ.get("PYTHONPATH"))))}
    program = [sys.executable, "-c", "from conformance.cli import main; main()"]
    return subprocess.run([*program, *arguments], capture_output=True, text=True, cwd=cwd, env=environment, check=False)


def test_what_is_written_runs_with_passes_against_its_own_sandbox(tmp_path: Path, description: Path) -> None:
    written = conformance("new-api", "acme", "--openapi", str(description), cwd=tmp_path)
    assert (written.returncode, written.stderr) == (0, "")
    site = tmp_path / "site"
    install = ["install", "--quiet", "--no-deps", "--no-build-isolation", "--target", str(site), "./acme"]
    subprocess.run([sys.executable, "-m", "pip", *install], cwd=tmp_path, check=True, capture_output=True)
    arguments = ("run", "acme", "--target", "sandbox", "--examples", "4", "--report", "report")
    judged = conformance(*arguments, cwd=tmp_path, path=str(site))
    assert judged.returncode == 0, judged.stderr
    results = json.loads((tmp_path / "report" / "results.json").read_text(encoding="utf-8"))
    verdicts = {rule["id"]: rule["verdict"] for rule in results["rules"]}
    assert set(verdicts.values()) == {"pass"}
    assert {"acme.get-things.accepted", "acme.create-thing.accepted", "acme.delete-thing.accepted"} <= set(verdicts)
    assert {rule["basis"] for rule in results["rules"]} == {"inferred"}


def test_nothing_is_overwritten(tmp_path: Path, description: Path) -> None:
    (tmp_path / "acme").mkdir()
    (tmp_path / "acme" / "ours.txt").write_text("ours", encoding="utf-8")
    refused = conformance("new-api", "acme", "--openapi", str(description), cwd=tmp_path)
    assert refused.returncode == 2
    assert "exists already" in refused.stderr
    assert [path.name for path in (tmp_path / "acme").iterdir()] == ["ours.txt"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("openapi: 2.0\npaths: {}", "no OpenAPI description of version 3.0 or 3.1"),
        ("[", "neither YAML nor JSON"),
        ("openapi: 3.1.0\npaths: {}", "describes no operation"),
        ("7", "no OpenAPI description"),
        ("openapi: 3.1.0\npaths: {/a: {get: {operationId: a}}, /b: {get: {operationId: a}}}", "more than once"),
        ("openapi: 3.1.0\npaths: {/a: {get: {responses: {'200': {$ref: '#/nowhere'}}}}}", "refers to #/nowhere"),
    ],
)
def test_a_description_that_cannot_be_taken_over_is_told_and_nothing_is_left(
    tmp_path: Path, text: str, told: str
) -> None:
    (tmp_path / "bad.yaml").write_text(text, encoding="utf-8")
    refused = conformance("new-api", "acme", "--openapi", "bad.yaml", cwd=tmp_path)
    assert refused.returncode == 2
    assert told in refused.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["bad.yaml"]


@pytest.mark.parametrize("name", ["Acme", "a", "offblocks", "../acme", "a_b", "a" * 32])
def test_a_name_that_fits_no_api_is_refused(tmp_path: Path, description: Path, name: str) -> None:
    refused = conformance("new-api", name, "--openapi", str(description), cwd=tmp_path)
    assert refused.returncode == 2
    assert "cannot be the name of a new API" in refused.stderr


def test_every_claim_is_inferred_and_version_3_0_becomes_3_1(description: Path) -> None:
    document = take_over(description, "https://acme.example/openapi.yaml")
    specification = Specification(document, "")
    assert {operation.basis for operation in specification.operations.values()} == {Basis.INFERRED}
    assert list(specification.operations) == ["getThings", "createThing", "deleteThing"]
    assert document["components"]["schemas"]["Thing"]["properties"]["note"] == {"type": ["string", "null"]}
    assert [parameter.name for parameter in specification.operations["deleteThing"].parameters] == ["id"]


def test_a_file_that_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(DescriptionRefusedError, match="No such file"):
        take_over(tmp_path / "nowhere.yaml", "https://acme.example/")


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "format": "uuid"},
        {"type": "string", "minLength": 8},
        {"type": "string", "maxLength": 2},
        {"type": "integer", "minimum": 7, "multipleOf": 5},
        {"type": "integer", "exclusiveMinimum": 3},
        {"type": "number", "maximum": -4},
        {"type": "array", "items": {"type": "boolean"}, "minItems": 3},
        {"enum": ["a", "b"]},
        {"const": None},
        {"type": ["null", "string"]},
        {"oneOf": [{"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}}, {"type": "null"}]},
        {"allOf": [{"$ref": "#/$defs/a"}, {"required": ["b"], "properties": {"b": {"type": "string"}}}]},
        {"$ref": "#/$defs/tree"},
    ],
)
def test_a_value_that_is_made_of_a_schema_fits_it(schema: dict[str, Any]) -> None:
    definitions: dict[str, Any] = {
        "a": {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}},
        "tree": {"type": "object", "properties": {"left": {"$ref": "#/$defs/tree"}}},
    }
    value = example_of(schema, lambda reference: definitions[reference.rpartition("/")[2]])
    whole = {**schema, "$defs": definitions}
    assert jsonschema_rs.is_valid(whole, value, validate_formats=True), value


def test_the_drafted_api_has_no_part_that_the_contract_does_not_know(tmp_path: Path, description: Path) -> None:
    conformance("new-api", "acme", "--openapi", str(description), cwd=tmp_path)
    source = (tmp_path / "acme" / "conformance_acme" / "__init__.py").read_text(encoding="utf-8")
    parts = set(re.findall(r"^    def (\w+)\(self", source, re.MULTILINE))
    assert {"client", "data_pool", "sandbox", "suite"} <= parts
    assert parts <= set(dir(Api)), parts - set(dir(Api))


def test_the_drafted_rules_are_a_catalogue(tmp_path: Path, description: Path) -> None:
    conformance("new-api", "acme", "--openapi", str(description), cwd=tmp_path)
    rules = Catalogue.load(tmp_path / "acme" / "conformance_acme" / "specs" / "acme" / "rules.yaml")
    assert {rule.basis for rule in rules.values()} == {Basis.INFERRED}
    written = tmp_path / "acme" / "conformance_acme" / "specs" / "acme" / "openapi.yaml"
    assert yaml.safe_load(written.read_text(encoding="utf-8"))["openapi"] == "3.1.0"
