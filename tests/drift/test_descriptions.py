"""What changes between two descriptions is found, named and rated by the direction in which it is sent."""

import copy
from typing import Any

import pytest

from conformance.drift.descriptions import compare
from tools.drift import PAGE, Made, described, made, page, worst

MADE = list(made())


@pytest.mark.parametrize("change", MADE, ids=lambda change: change.id)
def test_each_change_is_found_and_rated(change: Made) -> None:
    told = change.told()
    assert worst(told) == change.impact, [each.to_json() for each in told]
    assert set(change.kinds) <= {each.kind for each in told}


def test_nothing_is_told_of_a_description_and_itself() -> None:
    for change in MADE:
        assert compare(described(change.before), described(copy.deepcopy(change.before))) == [], change.id


def test_there_are_enough_changes_of_both_directions_and_from_elsewhere() -> None:
    entries = {change.entry: change.source for change in MADE}
    assert len(MADE) >= 100
    assert 3 * sum(map(bool, entries.values())) >= len(entries)
    assert {change.way for change in MADE} == {"write", "read", "operation", "webhook", "description"}


def test_the_page_is_what_was_measured() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run python -m tools.drift"


def ringed(schemas: int, operations: int) -> dict[str, Any]:
    """A description whose schemas lead to each other in rings."""
    reference = "#/components/schemas/S{}".format
    found = {
        f"S{n}": {
            "type": "object",
            "properties": {
                "id": {"type": "string"},
                "next": {"$ref": reference((n * 7 + 1) % schemas)},
                "others": {"type": "array", "items": {"$ref": reference((n * 13 + 5) % schemas)}},
            },
        }
        for n in range(schemas)
    }
    answer = {"200": {"description": "", "content": {"application/json": {"schema": {"$ref": reference(0)}}}}}
    paths = {f"/p{n}": {"get": {"operationId": f"get{n}", "responses": answer}} for n in range(operations)}
    return {"paths": paths, "components": {"schemas": found}}


def test_a_change_far_down_in_rings_of_schemas_is_one_change_of_all_operations() -> None:
    before, after = ringed(120, 40), ringed(120, 40)
    del after["components"]["schemas"]["S77"]["properties"]["id"]
    (told,) = compare(described(before), described(after))
    assert (told.kind, told.impact) == ("response-property-removed", "breaking")
    assert set(told.operations) == {f"get{n}" for n in range(40)}
    assert told.place.endswith("/id")


def test_a_shared_schema_is_told_once_with_each_place() -> None:
    def with_city(members: dict[str, Any]) -> dict[str, Any]:
        address = {"$ref": "#/components/schemas/Address"}
        body = {"type": "object", "properties": {"billing": address, "shipping": dict(address)}}
        content = {"application/json": {"schema": body}}
        post = {
            "operationId": "order",
            "requestBody": {"content": content},
            "responses": {"201": {"description": "", "content": content}},
        }
        return {
            "paths": {"/orders": {"post": post}},
            "components": {"schemas": {"Address": {"type": "object", "properties": members}}},
        }

    changes = compare(described(with_city({"city": {"type": "string"}, "zip": {}})), described(with_city({"zip": {}})))
    assert {(each.kind, each.place, each.elsewhere) for each in changes} == {
        ("request-property-removed", "POST /orders, request /billing/city", ("POST /orders, request /shipping/city",)),
        (
            "response-property-removed",
            "POST /orders, response 201 /billing/city",
            ("POST /orders, response 201 /shipping/city",),
        ),
    }
