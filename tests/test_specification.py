"""The OpenAPI descriptions, that of OffBlocks in particular, and what reads them."""

import base64
import copy
import json
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml
from openapi_spec_validator import OpenAPIV31SpecValidator

from conformance.catalogue import Basis, Document, Sources
from conformance.files import data_path
from conformance.specification import Match, Problem, Specification, SpecificationError

PATHS = {path.parent.name: path for path in sorted(data_path("specs").glob("*/openapi.yaml"))}
DOCUMENTS: dict[str, dict[str, Any]] = {api: yaml.safe_load(path.read_bytes()) for api, path in PATHS.items()}
LISTED = {api: sources for api, path in PATHS.items() if (sources := Sources.beside(path))}
EXAMPLES_OF_PROPERTIES = {"OffBlocks": 10, "Planbok": 2}
"""How many examples of properties each document has at least."""
PATH = PATHS["offblocks"]
DOCUMENT = DOCUMENTS["offblocks"]
SPECIFICATION = Specification.load(PATH)
JSON = "application/json"

CUSTOMER = {
    "id": "04c5851c-4386-5bd9-9f89-08312f8aee3a",
    "externalId": "Zoë-7",
    "chainId": "eip155:280:0x43158f45b5EbD7b1179130130DF00393928C2691",
    "status": "active",
    "createdAt": "2024-01-12T14:53:02.653457Z",
    "updatedAt": "2024-01-12T15:05:32Z",
}
ANSWERS: dict[tuple[str, int], dict[str, Any]] = {
    ("createToken", 200): {"token": "a.b.c", "expiresAt": 1699974342, "tokenType": "Bearer"},
    ("putSigningKey", 200): {"keyId": "123e4567-e89b-12d3-a456-426614174000"},
    ("createCustomer", 201): {**CUSTOMER, "challenge": "Y2hhbGxlbmdl"},
    ("getCustomer", 200): CUSTOMER,
    ("getChallenge", 200): {"challenge": "Y2hhbGxlbmdl"},
    ("putWebhook", 200): {
        "id": "123e4567-e89b-12d3-a456-426614174000",
        "callbackUrl": "https://example.com/hook",
        "types": ["customer.updated"],
        "createdAt": "2024-01-24T14:18:37.749861007Z",
        "updatedAt": "2024-01-24T14:18:37Z",
    },
}
REQUESTS: dict[str, dict[str, Any]] = {
    "createToken": {"apiKey": "d04953b7-5878-4fd0-8970-0a5f77fbce59", "apiSecret": "abc"},
    "putSigningKey": {"publicKey": "LS0t"},
    "createCustomer": {"chainId": CUSTOMER["chainId"], "externalId": "any text"},
    "signChallenge": {"ownerId": CUSTOMER["chainId"], "challenge": "Y2hhbGxlbmdl", "signature": "MHgw"},
    "putWebhook": {"callbackUrl": "https://example.com/hook"},
    "customerUpdated": {
        **CUSTOMER,
        "eventId": "123e4567-e89b-12d3-a456-426614174000",
        "webhookType": "customer.updated",
    },
}
DOCUMENTED_STATUSES = {
    "createToken": {200, 400, 401, 500},
    "listCustomers": {200, 400, 401},
    "createCustomer": {201, 400, 401, 409, 500},
    "getCustomer": {200},
    "getChallenge": {200, 400, 401, 404, 500},
    "signChallenge": {204, 400, 401, 404, 409, 500},
    "verifyCustomer": {202, 400, 401, 404, 500},
    "rejectCustomer": {202, 400, 401, 404, 500},
    "putWebhook": {200, 400, 401, 500},
    "putSigningKey": set(),
    "deleteSigningKey": set(),
}
SIGNED = {"Signature", "Signature-Input"}
ONCE = SIGNED | {"Idempotency-Key"}
REQUIRED_PARAMETERS = {
    "createToken": set(),
    "putSigningKey": set(),
    "deleteSigningKey": set(),
    "listCustomers": SIGNED,
    "createCustomer": ONCE | {"Content-Digest"},
    "getCustomer": SIGNED | {"customerId"},
    "getChallenge": SIGNED | {"customerId"},
    "signChallenge": ONCE | {"Content-Digest", "customerId"},
    "verifyCustomer": ONCE | {"customerId"},
    "rejectCustomer": ONCE | {"customerId"},
    "putWebhook": ONCE | {"Content-Digest"},
}
CONTRADICTED_EXAMPLES = {
    "createCustomer 201 guide": "its challenge names another wallet than chainId",
    "createCustomer 201 reference": "its challenge is a public key",
    "getChallenge 200 reference": "its challenge is a public key",
    "signChallenge request guide": "its ownerId is not the wallet in the challenge",
    "signChallenge request reference": "its challenge is a public key, and its signature is raw bytes",
}
SOUND_EXAMPLES = {
    "createToken request reference",
    "createCustomer request guide",
    "createCustomer request reference",
}


def bytes_of(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def schemas_below(place: str, schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every property inside a schema, with its place."""
    for name, member in schema.get("properties", {}).items():
        yield f"{place}/{name}", member
        yield from schemas_below(f"{place}/{name}", member)
    for index, part in enumerate([*schema.get("allOf", []), *([schema["items"]] if "items" in schema else [])]):
        yield from schemas_below(f"{place}/{index}", part)


def claims(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every part of the document that has to say what it rests on, with its place."""
    yield from ((f"server {server['url']}", server) for server in document["servers"])
    for kind in ("parameters", "responses", "schemas", "securitySchemes"):
        yield from ((f"{kind}/{name}", part) for name, part in document["components"].get(kind, {}).items())
    for name, schema in document["components"]["schemas"].items():
        yield from schemas_below(name, schema)
    for path, item in (document["paths"] | document["webhooks"]).items():
        for method, operation in item.items():
            place = f"{method} {path}"
            yield place, operation
            parameters = [part for part in operation.get("parameters", []) if "$ref" not in part]
            yield from ((f"{place} {part['name']}", part) for part in parameters)
            responses = {status: part for status, part in operation["responses"].items() if "$ref" not in part}
            yield from ((f"{place} {status}", part) for status, part in responses.items())
            for content in contents(operation):
                yield from schemas_below(place, content["schema"])
                yield from ((f"{place} example {name}", part) for name, part in content.get("examples", {}).items())


def contents(operation: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for part in (operation.get("requestBody", {}), *operation["responses"].values()):
        yield from part.get("content", {}).values()


def keys(claim: dict[str, Any]) -> list[str]:
    named = claim.get("x-source", [])
    return named if isinstance(named, list) else [named]


def unfounded(document: dict[str, Any], sources: Sources) -> list[str]:
    """The places that do not say what they rest on; an example rests on its source alone."""
    return [
        place
        for place, claim in claims(document)
        if not keys(claim)
        or not set(keys(claim)) <= set(sources.names)
        or (" example " not in place and claim.get("x-basis") not in tuple(Basis))
    ]


def tiers(claim: dict[str, Any], sources: Sources) -> set[str]:
    """The tiers of the documents that a claim cites."""
    return {sources.documents[key.partition("#")[0]].tier for key in keys(claim)}


def overclaims(document: dict[str, Any], sources: Sources) -> list[str]:
    """The places that are called documented without a source of the vendor, or contradicted by a single source."""
    return [
        place
        for place, claim in claims(document)
        if (claim.get("x-basis") == "documented" and not tiers(claim, sources) & {"document", "vendor"})
        or (claim.get("x-basis") == "contradicted" and " example " not in place and len(keys(claim)) < 2)
    ]


def printed_examples() -> dict[str, tuple[dict[str, Any], list[Problem]]]:
    """Every example of a body, with what does not fit its schema."""
    found = {}
    for item in DOCUMENT["paths"].values():
        for operation in item.values():
            name = operation["operationId"]
            for key, example in examples_of(operation.get("requestBody", {})):
                found[f"{name} request {key}"] = (
                    example,
                    SPECIFICATION.request_problems(name, JSON, bytes_of(example["value"])),
                )
            for status, response in operation["responses"].items():
                for key, example in examples_of(response):
                    problems = SPECIFICATION.problems(name, int(status), JSON, bytes_of(example["value"]))
                    found[f"{name} {status} {key}"] = (example, problems)
    return found


def examples_of(part: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for content in part.get("content", {}).values():
        yield from content.get("examples", {}).items()


def changed(document: dict[str, Any], *path: str, to: Any = None) -> dict[str, Any]:
    """A copy of `document` with the member at `path` replaced, or removed where `to` is None."""
    document = copy.deepcopy(document)
    node = document
    for step in path[:-1]:
        node = node[step]
    if to is None:
        del node[path[-1]]
    else:
        node[path[-1]] = to
    return document


@pytest.mark.parametrize("api", DOCUMENTS)
class TestEveryDocument:
    @pytest.fixture
    def document(self, api: str) -> dict[str, Any]:
        return DOCUMENTS[api]

    @pytest.fixture
    def sources(self, api: str) -> Sources:
        return LISTED[api]

    def test_is_valid_openapi(self, document: dict[str, Any]) -> None:
        assert not list(OpenAPIV31SpecValidator(document).iter_errors())

    def test_founds_every_claim_on_a_source(self, document: dict[str, Any], sources: Sources) -> None:
        assert not unfounded(document, sources)

    @pytest.mark.parametrize("extension", ["x-basis", "x-source"])
    def test_is_caught_wherever_a_claim_founds_itself_on_nothing(
        self, document: dict[str, Any], sources: Sources, extension: str
    ) -> None:
        document = copy.deepcopy(document)
        places = [(place, claim) for place, claim in claims(document) if " example " not in place]
        assert len(places) >= 100
        for place, claim in places:
            founded = claim.pop(extension)
            assert place in unfounded(document, sources)
            claim[extension] = founded

    def test_claims_no_more_than_its_sources_say(self, document: dict[str, Any], sources: Sources) -> None:
        assert not overclaims(document, sources)

    def test_is_caught_wherever_it_claims_more(self, document: dict[str, Any], sources: Sources) -> None:
        document = copy.deepcopy(document)
        hearsay = {"hearsay": Document("client", "Hearsay", "https://hearsay.test")}
        sources = replace(sources, documents={**sources.documents, **hearsay})
        for place, claim in claims(document):
            if claim.get("x-basis") in {"documented", "contradicted"} and " example " not in place:
                said, claim["x-source"] = claim["x-source"], "hearsay"
                assert place in overclaims(document, sources)
                claim["x-source"] = said

    def test_leaves_its_sources_to_the_file_beside_it(self, document: dict[str, Any]) -> None:
        assert document["x-sources"] == "sources.yaml"

    def test_rests_on_no_standard_alone(self, document: dict[str, Any], sources: Sources) -> None:
        found = set().union(*(tiers(claim, sources) for _, claim in claims(document)))
        assert found <= {"document", "vendor", "beta", "client", "library"}

    def test_fits_the_examples_of_properties_to_their_schemas(self, document: dict[str, Any]) -> None:
        judged = 0
        for place, schema in claims(document):
            for example in schema.get("examples", []) if isinstance(schema.get("examples"), list) else []:
                whole = {**schema, "components": document["components"]}
                validator = jsonschema_rs.Draft202012Validator(whole, validate_formats=True)
                assert validator.is_valid(example), (place, example)
                judged += 1
        assert judged >= EXAMPLES_OF_PROPERTIES[document["info"]["title"].split()[0]]


class TestTheDocument:
    def test_without_a_description_of_a_response_is_not(self) -> None:
        broken = changed(DOCUMENT, "paths", "/v1/customers", "post", "responses", "201", "description")
        assert list(OpenAPIV31SpecValidator(broken).iter_errors())

    def test_has_these_operations(self) -> None:
        assert {f"{op.method} {op.path}": op.id for op in SPECIFICATION.operations.values()} == {
            "POST /v1/auth/token": "createToken",
            "PUT /v1/auth/signing": "putSigningKey",
            "DELETE /v1/auth/signing": "deleteSigningKey",
            "POST /v1/customers": "createCustomer",
            "GET /v1/customers": "listCustomers",
            "GET /v1/customers/{customerId}": "getCustomer",
            "GET /v1/customers/{customerId}/challenge": "getChallenge",
            "POST /v1/customers/{customerId}/challenge/sign": "signChallenge",
            "PATCH /v1/simulator/customers/{customerId}/verify": "verifyCustomer",
            "PATCH /v1/simulator/customers/{customerId}/reject": "rejectCustomer",
            "PUT /v1/webhooks": "putWebhook",
        }
        assert list(SPECIFICATION.webhooks) == ["customerUpdated"]

    @pytest.mark.parametrize("operation_id", SPECIFICATION.operations)
    def test_calls_documented_what_the_pages_list(self, operation_id: str) -> None:
        operation = SPECIFICATION.operations[operation_id]
        documented = {int(status) for status, r in operation.responses.items() if r.basis is Basis.DOCUMENTED}
        required = {parameter.name for parameter in operation.parameters if parameter.required}
        assert documented == DOCUMENTED_STATUSES[operation_id]
        assert required == REQUIRED_PARAMETERS[operation_id]
        assert operation.security is (operation_id != "createToken")

    @pytest.mark.parametrize("operation_id", ["createCustomer", "signChallenge", "verifyCustomer", "putWebhook"])
    def test_calls_a_422_contradicted(self, operation_id: str) -> None:
        assert SPECIFICATION.operations[operation_id].responses["422"].basis is Basis.CONTRADICTED

    def test_describes_no_body_of_an_error(self) -> None:
        for operation in SPECIFICATION.operations.values():
            for status, response in operation.responses.items():
                assert not (response.content and status.startswith(("4", "5"))), (operation.id, status)


class TestThePrintedExamples:
    @pytest.mark.parametrize("name", printed_examples())
    def test_fit_their_schemas(self, name: str) -> None:
        assert printed_examples()[name][1] == []

    def test_are_all_known(self) -> None:
        marked = {name for name, (example, _) in printed_examples().items() if example.get("x-basis") == "contradicted"}
        assert marked == CONTRADICTED_EXAMPLES.keys()
        assert printed_examples().keys() - marked == SOUND_EXAMPLES

    @pytest.mark.parametrize("name", CONTRADICTED_EXAMPLES)
    def test_contradict_as_listed(self, name: str) -> None:
        value = printed_examples()[name][0]["value"]
        challenge = base64.b64decode(value["challenge"], validate=True)
        if "public key" in CONTRADICTED_EXAMPLES[name]:
            assert challenge.startswith(b"-----BEGIN PUBLIC KEY-----")
        else:
            address = (value.get("ownerId") or value["chainId"]).rpartition(":")[2]
            assert b"0x43158f45b5EbD7b1179130130DF00393928C2691" in challenge
            assert address.encode() not in challenge
        if "raw bytes" in CONTRADICTED_EXAMPLES[name]:
            assert len(base64.b64decode(value["signature"], validate=True)) == 65

    @pytest.mark.parametrize(
        ("name", "content_length"),
        [
            ("createToken request reference", 104),
            ("createCustomer request reference", 85),
            ("signChallenge request reference", 415),
        ],
    )
    def test_are_as_long_as_the_printed_content_length(self, name: str, content_length: int) -> None:
        assert len(bytes_of(printed_examples()[name][0]["value"])) == content_length

    def test_hold_the_printed_challenge_to_the_byte(self) -> None:
        challenge = printed_examples()["signChallenge request guide"][0]["value"]["challenge"]
        digest = sha256(base64.b64decode(challenge)).hexdigest()
        assert digest == "5241ef327e984388def2e6b61b640f65deb34804d75e73325927c297fc7b88ab"


class TestProblems:
    @pytest.mark.parametrize(("operation_id", "status"), ANSWERS)
    def test_of_a_right_answer_are_none(self, operation_id: str, status: int) -> None:
        assert SPECIFICATION.problems(operation_id, status, JSON, bytes_of(ANSWERS[operation_id, status])) == []

    @pytest.mark.parametrize("operation_id", REQUESTS)
    def test_of_a_right_request_are_none(self, operation_id: str) -> None:
        assert SPECIFICATION.request_problems(operation_id, JSON, bytes_of(REQUESTS[operation_id])) == []

    @pytest.mark.parametrize(
        ("operation_id", "status", "member"), [(*key, member) for key, answer in ANSWERS.items() for member in answer]
    )
    def test_name_a_dropped_and_a_retyped_member(self, operation_id: str, status: int, member: str) -> None:
        answer = ANSWERS[operation_id, status]
        dropped = bytes_of({key: value for key, value in answer.items() if key != member})
        retyped = bytes_of({**answer, member: {"unexpected": True}})
        [problem] = SPECIFICATION.problems(operation_id, status, JSON, dropped)
        assert (problem.pointer, problem.got) == (f"/{member}", "nothing")
        [problem] = SPECIFICATION.problems(operation_id, status, JSON, retyped)
        assert (problem.pointer, problem.got) == (f"/{member}", "an object")

    @pytest.mark.parametrize(
        ("operation_id", "member"),
        [(name, member) for name, request in REQUESTS.items() for member in request],
    )
    def test_name_a_dropped_member_of_a_request(self, operation_id: str, member: str) -> None:
        dropped = bytes_of({key: value for key, value in REQUESTS[operation_id].items() if key != member})
        problems = SPECIFICATION.request_problems(operation_id, JSON, dropped)
        assert [problem.pointer for problem in problems] == [f"/{member}"]

    @pytest.mark.parametrize(
        ("member", "value", "expected", "got"),
        [
            ("id", "42", "format uuid", '"42"'),
            ("id", "04c5851c43865bd99f8908312f8aee3a", "format uuid", '"04c5851c43865bd99f8908312f8aee3a"'),
            ("updatedAt", 1705071182, "type string", "1705071182"),
            ("status", None, "type string", "null"),
            ("externalId", ["x"], "type string", "an array"),
        ],
    )
    def test_say_what_was_expected_and_got(self, member: str, value: object, expected: str, got: str) -> None:
        body = bytes_of({**CUSTOMER, member: value})
        assert SPECIFICATION.problems("getCustomer", 200, JSON, body) == [
            Problem(f"/{member}", expected, got, Basis.DOCUMENTED)
        ]

    def test_refuse_an_account_id_that_is_not_caip_10(self) -> None:
        request = {**REQUESTS["createCustomer"], "chainId": "0x43158f45b5EbD7b1179130130DF00393928C2691"}
        [problem] = SPECIFICATION.request_problems("createCustomer", JSON, bytes_of(request))
        assert problem.pointer == "/chainId"
        assert problem.expected.startswith("pattern ")

    def test_refuse_an_event_of_another_type(self) -> None:
        event = {**REQUESTS["customerUpdated"], "webhookType": "card.updated"}
        [problem] = SPECIFICATION.request_problems("customerUpdated", JSON, bytes_of(event))
        assert (problem.pointer, problem.expected) == ("/webhookType", "const customer.updated")

    def test_are_said_once_though_two_schemas_find_them(self) -> None:
        problems = SPECIFICATION.problems("createCustomer", 201, JSON, b"[]")
        assert problems == [Problem("", "type object", "an array", Basis.DOCUMENTED)]

    def test_point_into_lists(self) -> None:
        body = bytes_of([CUSTOMER, {**CUSTOMER, "status": 3}])
        assert [p.pointer for p in SPECIFICATION.problems("listCustomers", 200, JSON, body)] == ["/1/status"]

    def test_rest_on_what_the_schema_rests_on(self) -> None:
        bases = {
            operation_id: SPECIFICATION.problems(operation_id, 200, JSON, body)[0].basis
            for operation_id, body in {"putSigningKey": b"{}", "listCustomers": b"{}", "getChallenge": b"{}"}.items()
        }
        assert bases == {
            "putSigningKey": Basis.INFERRED,
            "listCustomers": Basis.INFERRED,
            "getChallenge": Basis.DOCUMENTED,
        }

    def test_are_none_for_what_the_documents_leave_open(self) -> None:
        body = bytes_of({**CUSTOMER, "status": "closed", "verificationUrl": "https://example.com", "nested": {"a": []}})
        assert SPECIFICATION.problems("getCustomer", 200, JSON, body) == []

    @pytest.mark.parametrize(
        "body",
        [b"", b"<html></html>", b'{"challenge": "eA=="', b"\xff", b"NaN", b"[" * 9999, b"[" * 500 + b"]" * 500],
        ids=["empty", "html", "cut off", "not utf-8", "not a number", "too deep to parse", "too deep to judge"],
    )
    def test_say_that_a_body_is_not_json(self, body: bytes) -> None:
        [problem] = SPECIFICATION.problems("getChallenge", 200, JSON, body)
        assert (problem.pointer, problem.expected) == ("", "JSON in UTF-8")
        assert len(problem.got) < 500

    def test_are_found_whatever_the_content_type_says(self) -> None:
        for content_type in ("Application/JSON; charset=utf-8", "text/html", None):
            assert len(SPECIFICATION.problems("getChallenge", 200, content_type, b"{}")) == 1

    def test_are_none_where_no_body_is_described(self) -> None:
        assert SPECIFICATION.problems("getChallenge", 404, "text/html", b"<html>") == []
        assert SPECIFICATION.problems("getChallenge", 418, "text/html", b"<html>") == []

    def test_of_an_unknown_operation_cannot_be_asked_for(self) -> None:
        with pytest.raises(KeyError, match="getCat"):
            SPECIFICATION.problems("getCat", 200, JSON, b"{}")

    def test_follow_the_media_type(self) -> None:
        content = {"application/json": {"schema": {"type": "object"}}, "text/json": {"schema": {"type": "array"}}}
        specification = Specification(small(content=content), "")
        assert specification.problems("getA", 200, "Text/JSON ; charset=utf-8", b"[]") == []
        assert [p.expected for p in specification.problems("getA", 200, "text/json", b"{}")] == ["type array"]
        assert [p.expected for p in specification.problems("getA", 200, "application/json", b"[]")] == ["type object"]

    def test_escape_the_pointer(self) -> None:
        content = {"application/json": {"schema": {"properties": {"a/b~c": {"type": "string"}}}}}
        specification = Specification(small(content=content), "")
        assert [p.pointer for p in specification.problems("getA", 200, JSON, b'{"a/b~c": 1}')] == ["/a~1b~0c"]

    def test_of_a_wrong_schema_are_the_specifications_fault(self) -> None:
        content = {"application/json": {"schema": {"type": "text"}}}
        with pytest.raises(SpecificationError, match="no usable JSON Schema at #/paths/~1a/get/responses/200"):
            Specification(small(content=content), "").problems("getA", 200, JSON, b"{}")


class TestStatusesAndTypes:
    @pytest.mark.parametrize(
        ("operation_id", "status", "documented"),
        [
            ("signChallenge", 204, True),
            ("signChallenge", 200, False),
            ("getChallenge", 409, False),
            ("createCustomer", 422, True),
            ("customerUpdated", 299, True),
            ("customerUpdated", 302, False),
        ],
    )
    def test_documents_status(self, operation_id: str, status: int, *, documented: bool) -> None:
        assert SPECIFICATION.documents_status(operation_id, status) is documented

    def test_prefers_the_exact_status_to_its_range_and_that_to_the_default(self) -> None:
        claim = {"x-basis": "inferred", "x-source": "here"}
        bodies = {"200": "text/a", "2XX": "text/b", "default": "text/c"}
        responses = {status: {**claim, "content": {body: {}}} for status, body in bodies.items()}
        specification = Specification(changed(small(), "paths", "/a", "get", "responses", to=responses), "")
        assert [specification.content_types("getA", status) for status in (200, 201, 404)] == [
            ("text/a",),
            ("text/b",),
            ("text/c",),
        ]

    def test_content_types(self) -> None:
        assert SPECIFICATION.content_types("createCustomer", 201) == (JSON,)
        assert SPECIFICATION.content_types("signChallenge", 204) == ()
        assert SPECIFICATION.content_types("signChallenge", 299) == ()


class TestMatch:
    @pytest.mark.parametrize("operation", SPECIFICATION.operations.values(), ids=lambda operation: operation.id)
    def test_finds_each(self, operation: Any) -> None:
        path = operation.path.replace("{customerId}", "04c5851c-4386-5bd9-9f89-08312f8aee3a")
        parameters = {"customerId": "04c5851c-4386-5bd9-9f89-08312f8aee3a"} if path != operation.path else {}
        assert SPECIFICATION.match(operation.method, path) == Match(operation, parameters)

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("DELETE", "/v1/customers"),
            ("GET", "/customers"),
            ("GET", "/v1/customers/"),
            ("GET", "/v1/customers/a/b"),
            ("GET", "/v1/customers/a/challenge/"),
            ("GET", "/w/1/offblocks/v1/customers"),
            ("POST", "customerUpdated"),
        ],
    )
    def test_finds_none_for_another(self, method: str, path: str) -> None:
        assert SPECIFICATION.match(method, path) is None

    def test_prefers_the_literal_path(self) -> None:
        document = small(paths={"/a/{b}": "getAny", "/a/me": "getMe", "/{a}/me": "getTheirs"})
        specification = Specification(document, "")
        found = {
            path: (match.operation.id, match.parameters)
            for path in ("/a/me", "/a/x", "/x/me")
            if (match := specification.match("GET", path))
        }
        assert found == {"/a/me": ("getMe", {}), "/a/x": ("getAny", {"b": "x"}), "/x/me": ("getTheirs", {"a": "x"})}

    def test_takes_names_that_are_no_identifiers(self) -> None:
        specification = Specification(small(paths={"/a/{b-c}/{b-c}": "getTwice"}), "")
        assert specification.match("GET", "/a/1/2") == Match(specification.operations["getTwice"], {"b-c": "2"})


def small(*, paths: dict[str, str] | None = None, content: dict[str, Any] | None = None) -> dict[str, Any]:
    """A document with one GET for each path, given with its operationId, that answers 200."""
    claim = {"x-basis": "inferred", "x-source": "here"}
    responses = {"200": {**claim, "description": "Fine.", "content": content or {}}}
    return {
        "openapi": "3.1.0",
        "x-sources": {"here": {}},
        "paths": {
            path: {"get": {**claim, "operationId": operation_id, "responses": responses}}
            for path, operation_id in (paths or {"/a": "getA"}).items()
        },
    }


class TestLoading:
    def test_gives_the_digest_of_the_bytes(self) -> None:
        assert SPECIFICATION.digest == f"sha256:{sha256(PATH.read_bytes()).hexdigest()}"

    def test_says_which_file_is_missing(self, tmp_path: Path) -> None:
        with pytest.raises(SpecificationError, match=r"none\.yaml cannot be read: No such file"):
            Specification.load(tmp_path / "none.yaml")

    def test_says_in_which_line_the_yaml_breaks(self, tmp_path: Path) -> None:
        path = tmp_path / "broken.yaml"
        path.write_text("openapi: 3.1.0\npaths: [\n")
        with pytest.raises(SpecificationError, match=r"(?s)broken\.yaml is not YAML: .*line 3"):
            Specification.load(path)

    @pytest.mark.parametrize(
        ("document", "message"),
        [
            ([], "is not an OpenAPI 3.1 document"),
            (changed(small(), "openapi", to="3.0.3"), "is not an OpenAPI 3.1 document"),
            (changed(small(), "paths", "/a", "get", "operationId"), "has no `operationId` at #/paths/~1a/get."),
            (changed(small(), "paths", "/a", "get", "x-basis"), "has no `x-basis` at #/paths/~1a/get."),
            (changed(small(), "paths", "/a", "get", "x-basis", to="rumoured"), "has the x-basis 'rumoured'"),
            (changed(small(), "paths", "/a", "get", "x-source", to="there"), "cites 'there' at #/paths/~1a/get,"),
            (changed(small(), "paths", "/a", to={"$ref": "#/nowhere"}), "refers to #/nowhere, which is not in it, at"),
            (changed(small(), "paths", "/a", to={"$ref": "b.yaml"}), "refers to b.yaml, which is not in it, at"),
            (changed(small(), "paths", "/a", "get", "responses", to={"200": "Fine."}), "has no `x-basis` at #/paths"),
            (changed(small(), "paths", "/a", "get", "operationId", to=[1]), "has [1] at #/paths/~1a/get/operationId;"),
            (changed(small(), "x-sources", to=3), "has x-sources that are no mapping"),
            (changed(small(), "x-sources"), "cites 'here' at #/paths/~1a/get, which is not among its sources."),
            (changed(small(), "x-sources", to="sources.yaml"), "takes its x-sources from sources.yaml, which does not"),
            (small(paths={"/a": "getA", "/b": "getA"}), "gives these operationIds more than once: getA"),
        ],
    )
    def test_says_what_is_wrong_and_where(self, tmp_path: Path, document: object, message: str) -> None:
        path = tmp_path / "wrong.yaml"
        path.write_text(yaml.safe_dump(document))
        with pytest.raises(SpecificationError) as raised:
            Specification.load(path)
        assert f"{path} {message}" in str(raised.value)

    def test_an_alias_of_what_it_stands_in_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "round.yaml"
        path.write_text("openapi: 3.1.0\npaths: &it {/a: *it}\n")
        with pytest.raises(SpecificationError, match=r"round\.yaml is not YAML: an alias stands in what it names"):
            Specification.load(path)


SOURCES = """
format: conformance-sources/1
sources:
  here:
    tier: vendor
    document: Guide
    url: "https://toy.test/guide"
    evidence: [statement]
    sections: {start: {title: The start, evidence: [statement]}}
"""


class TestSourcesBesideTheDocument:
    @staticmethod
    def load(folder: Path, document: dict[str, Any], sources: str = SOURCES) -> Specification:
        (folder / "sources.yaml").write_text(sources, encoding="utf-8")
        (folder / "openapi.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
        return Specification.load(folder / "openapi.yaml")

    @pytest.mark.parametrize("cited", ["here", "here#start", ["here", "here#start"]])
    @pytest.mark.parametrize("pointer", [None, "sources.yaml"])
    def test_may_be_cited_whole_or_by_section(self, tmp_path: Path, pointer: str | None, cited: Any) -> None:
        document = changed(small(), "x-sources", to=pointer)
        specification = self.load(tmp_path, changed(document, "paths", "/a", "get", "x-source", to=cited))
        assert specification.operations["getA"].sources == (tuple(cited) if isinstance(cited, list) else (cited,))

    @pytest.mark.parametrize(
        ("cited", "message"),
        [
            ("there", "cites 'there' at #/paths/~1a/get, which is not among its sources."),
            ("there#start", "cites 'there#start' at #/paths/~1a/get, which is not among its sources."),
            ("here#end", "cites 'here#end' at #/paths/~1a/get, but 'here' has no section 'end'."),
            ({"here": 1}, "cites {'here': 1} at #/paths/~1a/get, which is not among its sources."),
        ],
    )
    def test_are_the_only_ones_that_may_be_cited(self, tmp_path: Path, cited: Any, message: str) -> None:
        document = changed(changed(small(), "x-sources"), "paths", "/a", "get", "x-source", to=cited)
        with pytest.raises(SpecificationError) as raised:
            self.load(tmp_path, document)
        assert str(raised.value) == f"The specification {tmp_path / 'openapi.yaml'} {message}"

    def test_are_not_listed_in_the_document_too(self, tmp_path: Path) -> None:
        with pytest.raises(SpecificationError, match=r"openapi\.yaml lists x-sources, and sources\.yaml beside it"):
            self.load(tmp_path, small())

    def test_have_no_other_name(self, tmp_path: Path) -> None:
        with pytest.raises(SpecificationError, match=r"no mapping of keys to documents, nor the name sources\.yaml"):
            self.load(tmp_path, changed(small(), "x-sources", to="others.yaml"))

    def test_that_are_broken_are_named(self, tmp_path: Path) -> None:
        with pytest.raises(SpecificationError) as raised:
            self.load(tmp_path, changed(small(), "x-sources"), SOURCES.replace("vendor", "hearsay"))
        assert f"The sources file {tmp_path / 'sources.yaml'} is wrong at sources/here/tier: " in str(raised.value)

    def test_are_read_anew_when_they_change(self, tmp_path: Path) -> None:
        document = changed(small(), "x-sources")
        before = self.load(tmp_path, document)
        with pytest.raises(SpecificationError, match="cites 'here'"):
            self.load(tmp_path, document, SOURCES.replace("here", "there"))
        assert self.load(tmp_path, document).digest == before.digest
