"""`conformance drift`: its inputs, its forms, its exit codes."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml
from click.testing import CliRunner, Result

from conformance.cli import app
from conformance.files import data_path
from conformance.reporting.drift import markdown
from conformance.sandbox.server import start

OLD = {
    "openapi": "3.1.0",
    "info": {"title": "Toy", "version": "1"},
    "paths": {
        "/things": {
            "get": {
                "operationId": "listThings",
                "parameters": [{"name": "page", "in": "query", "schema": {"type": "integer"}}],
                "responses": {
                    "200": {
                        "description": "",
                        "content": {"application/json": {"schema": {"type": "object", "properties": {"id": {}}}}},
                    }
                },
            }
        }
    },
}
SCHEMA = jsonschema_rs.validator_for(json.loads(data_path("specs/schemas/drift.json").read_bytes()))


def drift(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["drift", *map(str, arguments)])


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "old.yaml"
    path.write_text(yaml.safe_dump(OLD), encoding="utf-8")
    return path


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Writes the description with a change made to it."""

    def written(change: Callable[[Any], None], name: str = "new.json") -> Path:
        document = json.loads(json.dumps(OLD))
        change(document["paths"]["/things"]["get"])
        path = tmp_path / name
        path.write_text(json.dumps(document), encoding="utf-8")
        return path

    return written


Write = Callable[..., Path]


def breaking(operation: Any) -> None:
    operation["responses"]["200"]["content"]["application/json"]["schema"]["properties"].clear()


def risky(operation: Any) -> None:
    operation["responses"]["202"] = {"description": ""}


def harmless(operation: Any) -> None:
    operation["summary"] = "Lists."


@pytest.mark.parametrize(
    ("change", "codes"),
    [(breaking, (1, 1, 1)), (risky, (0, 1, 1)), (harmless, (0, 0, 1)), (lambda _: None, (0, 0, 0))],
    ids=["breaking", "risky", "harmless", "nothing"],
)
def test_the_exit_code_is_what_it_is_to_fail_on(
    change: Callable[[Any], None], codes: tuple[int, ...], old: Path, write: Write
) -> None:
    new = write(change)
    found = [drift(old, new, "--fail-on", level).exit_code for level in ("breaking", "risky", "any")]
    assert tuple(found) == codes
    assert drift(old, new).exit_code == codes[0]


def all_three(operation: Any) -> None:
    for change in (breaking, risky, harmless):
        change(operation)


def test_the_terminal_says_what_changed_and_what_to_do(old: Path, write: Write) -> None:
    said = drift(old, write(all_three)).output
    assert said.index("BREAKING  1") < said.index("RISKY  1") < said.index("HARMLESS  1")
    assert "GET /things, response 200 /id  response-property-removed" in said
    assert "client: Do without this member." in said
    assert said.splitlines()[-1].startswith("descriptions: 1 breaking, 1 risky, 1 harmless; before: ")


def test_json_is_of_its_schema_and_has_stable_fingerprints(old: Path, write: Write) -> None:
    new = write(all_three)
    first, second = (json.loads(drift(old, new, "--format", "json").output) for _ in range(2))
    assert list(SCHEMA.iter_errors(first)) == []
    assert first == second
    assert [each["level"] for each in first["findings"]] == ["breaking", "risky", "harmless"]
    assert len({each["fingerprint"] for each in first["findings"]}) == 3


def test_markdown_is_a_table_whose_cells_hold(old: Path, write: Write) -> None:
    def change(operation: Any) -> None:
        operation["summary"] = "A | B\n<script>"

    page = drift(old, write(change), "--format", "markdown").output
    (row,) = [line for line in page.splitlines() if "operation-text-changed" in line]
    assert row.replace(r"\|", "").count("|") == 7
    assert "\\<script>" in row


def test_sarif_has_a_rule_for_each_kind(old: Path, write: Write) -> None:
    told = json.loads(drift(old, write(all_three), "--format", "sarif").output)
    (run,) = told["runs"]
    assert told["version"] == "2.1.0"
    assert [result["level"] for result in run["results"]] == ["error", "warning", "note"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    for result in run["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
        assert result["partialFingerprints"]["conformanceDrift/v1"]
        assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].endswith("new.json")


def test_a_page_without_changes_says_so(old: Path) -> None:
    page = drift(old, old, "--format", "markdown").output
    assert "Nothing changed." in page
    assert markdown(json.loads(drift(old, old, "--format", "json").output)) == page.rstrip("\n")


def test_a_description_of_ours_names_rules_and_tests(tmp_path: Path) -> None:
    ours = data_path("specs/offblocks/openapi.yaml")
    newer = tmp_path / "openapi.yaml"
    document = yaml.safe_load(ours.read_bytes())
    responses = document["paths"]["/v1/customers"]["post"]["responses"]
    responses["200"] = responses.pop("201")
    newer.write_text(yaml.safe_dump(document), encoding="utf-8")
    found = json.loads(drift(ours, newer, "--format", "json").output)
    (removed,) = [each for each in found["findings"] if each["kind"] == "response-success-status-removed"]
    assert removed["api"] == "offblocks"
    assert removed["operations"] == ["createCustomer"]
    assert "offblocks.customer.created-with-201" in removed["rules"]
    assert removed["tests"]


# -------------------------------------------------------------------------------------- what cannot be compared: exit 2


def contents() -> Iterator[tuple[str, bytes, str]]:
    yield "broken.yaml", b"openapi: [3.1.0\n a: b", "is not YAML"
    yield "broken.json", b'{"openapi": ', "is not"
    yield "binary.yaml", bytes(range(256)), "is not YAML"
    yield "empty.yaml", b"", "is nothing that can be compared"
    yield "traffic.har", b'{"log": {"entries": []}}', "is an HTTP Archive (HAR)"
    yield "list.json", b"[1, 2]", "is nothing that can be compared"
    yield "swagger.yaml", b"swagger: '2.0'\npaths: {}", "is a Swagger 2.0 description"
    yield "later.yaml", b"openapi: 4.0.0\npaths: {}", "is OpenAPI 4.0.0"
    yield "odd.yaml", b"openapi: 3.1.0\npaths: []", "has paths that are no mapping"
    yield "outside.yaml", b"openapi: 3.1.0\npaths: {/a: {$ref: './b.yaml'}}", "refers to ./b.yaml"
    yield "dangling.yaml", b"openapi: 3.1.0\npaths: {/a: {$ref: '#/x'}}", "refers to #/x, which is not in it"
    yield "deep.json", b'{"openapi": "3.1.0", "x": ' + b"[" * 9000 + b"]" * 9000 + b"}", "nested too deep"
    yield "nested.json", b'{"openapi": "3.1.0", "x": ' + b"[" * 300 + b"]" * 300 + b"}", "nested too deep"
    yield "results.json", b'{"format": "conformance-results/1"}', "only like can be compared"
    yield "other.yaml", b"format: conformance-rules/1", "is of the form conformance-rules/1"
    yield "cassette.yaml", b"format: conformance-cassette/1", "give the folder"


CONTENTS = list(contents())


@pytest.mark.parametrize(("name", "content", "said"), CONTENTS, ids=[name for name, _, _ in CONTENTS])
def test_what_cannot_be_compared_is_exit_2_with_the_reason(
    name: str, content: bytes, said: str, old: Path, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content)
    result = drift(tmp_path / name, old)
    assert result.exit_code == 2, result.output
    assert said in result.stderr
    assert "Traceback" not in result.stderr


def test_what_is_missing_empty_or_no_file_is_exit_2(old: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    os.mkfifo(tmp_path / "pipe")
    with (tmp_path / "huge.yaml").open("wb") as file:
        file.truncate(33 * 1024 * 1024)
    for path, said in (
        (tmp_path / "nowhere", "There is nothing at"),
        (tmp_path / "pipe", "is no regular file"),
        (tmp_path / "huge.yaml", "has more than 32 MiB"),
        (tmp_path / "empty", "only like can be compared"),
    ):
        result = drift(path, old)
        assert (result.exit_code, said in result.stderr) == (2, True), result.stderr
    result = drift(tmp_path / "empty", tmp_path / "empty")
    assert (result.exit_code, "There is no cassette in" in result.stderr) == (2, True)


def test_a_broken_cassette_is_exit_2(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("format: conformance-cassette/1", encoding="utf-8")
    result = drift(tmp_path, data_path("cassettes"))
    assert (result.exit_code, "a.yaml is wrong at" in result.stderr) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "Give two things to compare"),
        (("a",), "Give two things to compare"),
        (("a", "b", "c"), "Give two things to compare"),
        (("--target", "live"), "goes with the folder of cassettes"),
        (("--documents", "a"), "--documents FILE goes with --api API alone"),
        (("a", "b", "--api", "offblocks"), "Give two things to compare"),
        (("a", "--target", "live", "--base-url", "nonsense"), "is not API=URL"),
        (("a", "b", "--fail-on", "all"), "'all' is not one of"),
        (("a", "--target", "live"), "There is no folder a"),
        (("--documents", "a", "--api", "nope"), "There is no API called 'nope'"),
        (("--documents", "a", "--api", "offblocks"), "There is nothing at a"),
    ],
)
def test_wrong_usage_is_exit_2(
    arguments: tuple[str, ...], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = drift(*arguments)
    assert result.exit_code == 2
    assert said in result.stderr


def test_what_repeats_itself_without_end_is_compared_in_time(tmp_path: Path) -> None:
    lines = [
        "openapi: 3.1.0",
        "components:",
        "  schemas:",
        "    a0: {type: object, properties: {x: {type: string}}}",
    ]
    for n in range(1, 30):
        former = f"{{$ref: '#/components/schemas/a{n - 1}'}}"
        lines.append(f"    a{n}: {{allOf: [{former}, {former}], properties: {{x{n}: {former}}}}}")
    answer = "{'200': {description: '', content: {application/json: {schema: {$ref: '#/components/schemas/a29'}}}}}"
    lines.append(f"paths: {{/a: {{get: {{responses: {answer}}}}}}}")
    (tmp_path / "old.yaml").write_text("\n".join(lines), encoding="utf-8")
    (tmp_path / "new.yaml").write_text("\n".join(lines).replace("{type: string}", "{type: integer}"), encoding="utf-8")
    assert drift(tmp_path / "old.yaml", tmp_path / "new.yaml").exit_code == 1


# ----------------------------------------------------------------------------------------------------- against a server


def test_recordings_are_compared_with_what_a_server_answers_now(tmp_path: Path) -> None:
    topic = "offblocks/authentication"
    folder = tmp_path / "cassettes" / topic
    folder.mkdir(parents=True)
    for name in ("right_credentials_are_given_a_token_for_an_hour.yaml", "wrong_credentials_are_given_no_token.yaml"):
        (folder / name).write_bytes(data_path(f"cassettes/{topic}/{name}").read_bytes())
    with start(faults=("IssuesTokensForADay",)) as running:
        url = running.describe()["base_urls"]["offblocks"]
        given = (tmp_path / "cassettes", "--target", "sandbox", "--base-url", f"offblocks={url}")
        result = drift(*given, "--format", "json", "--fail-on", "risky")
    found = json.loads(result.stdout)["findings"]
    assert result.exit_code == 1
    assert [each["kind"] for each in found] == ["expires-later"]
    assert "offblocks.authentication.token-lives-an-hour" in found[0]["rules"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cassettes"]
