import json
from collections.abc import Callable
from typing import Any

import jsonschema_rs
import pytest

from conformance.files import data_path

VALIDATOR = jsonschema_rs.validator_for(json.loads(data_path("specs/schemas/results.json").read_bytes()))


def test_results_with_every_verdict_fit_the_schema(mixed: dict[str, Any]) -> None:
    assert set(mixed["summary"].values()) == {1, 2}
    VALIDATOR.validate(mixed)


def test_results_fit_the_schema_after_a_round_trip_through_json(good: dict[str, Any]) -> None:
    VALIDATOR.validate(json.loads(json.dumps(good)))


def drop_subject(results: dict[str, Any]) -> None:
    del results["subject"]


def add_member(results: dict[str, Any]) -> None:
    results["rules"][0]["severity"] = "high"


def unknown_verdict(results: dict[str, Any]) -> None:
    results["rules"][0]["verdict"] = "ok"


def uncounted_verdict(results: dict[str, Any]) -> None:
    del results["summary"]["blocked"]


def local_time(results: dict[str, Any]) -> None:
    results["started"] = "2026-01-15T12:00:00"


def two_bodies(results: dict[str, Any]) -> None:
    results["exchanges"][0]["request"]["body_base64"] = "AA=="


def member_beside_the_body(results: dict[str, Any]) -> None:
    results["exchanges"][0]["response"]["reason"] = "No Content"


def header_without_value(results: dict[str, Any]) -> None:
    results["exchanges"][0]["request"]["headers"] = [["Accept"]]


@pytest.mark.parametrize(
    "spoil",
    [
        drop_subject,
        add_member,
        unknown_verdict,
        uncounted_verdict,
        local_time,
        two_bodies,
        member_beside_the_body,
        header_without_value,
    ],
)
def test_other_forms_are_refused(mixed: dict[str, Any], spoil: Callable[[dict[str, Any]], None]) -> None:
    spoil(mixed)
    assert not VALIDATOR.is_valid(mixed)
