"""What generated requests show of the rules: each holds on a right answer, and is broken by a wrong one."""

import json

import pytest

from conformance.clock import EPOCH_OF_WORLDS
from conformance.data import data_path
from conformance.exchange import Exchange, Generated, Mode, Request, Response
from conformance.findings import Outcome
from conformance.generation import METHOD
from conformance.offblocks.generated_checks import generated_findings
from conformance.specification import Specification

SPECIFICATION = Specification.load(data_path("specs/offblocks/openapi.yaml"))


def refusal(method: str, path: str, status: int, allow: str | None) -> Exchange:
    """A request with a method that the path does not have, and its answer."""
    headers = (("Allow", allow),) if allow is not None else ()
    return Exchange(
        id="test#1",
        operation=None,
        identity="first",
        at=EPOCH_OF_WORLDS,
        seconds=0.0,
        request=Request((), b"", method, f"https://sandbox.example/offblocks{path}"),
        response=Response(headers, json.dumps({"success": False}).encode(), status),
        generated=Generated(case=1, mode=Mode.NEGATIVE, mutated=(METHOD,)),
    )


@pytest.mark.parametrize(
    ("method", "path", "status", "allow", "held"),
    [
        ("PATCH", "/v1/customers", 405, "GET, POST", True),
        ("PATCH", "/v1/customers", 405, "POST,GET,HEAD, OPTIONS", True),
        ("POST", "/v1/auth/signing", 405, "DELETE, PUT", True),
        ("PATCH", "/v1/customers", 405, "", False),
        ("PATCH", "/v1/customers", 405, "GET", False),
        ("PATCH", "/v1/customers", 405, "GET, POST, PATCH", False),
        ("PATCH", "/v1/customers", 405, None, False),
        ("PATCH", "/v1/customers", 404, "GET, POST", False),
    ],
)
def test_allow_names_the_methods_that_a_path_has(
    method: str, path: str, status: int, allow: str | None, held: bool
) -> None:
    (found,) = generated_findings([refusal(method, path, status, allow)], SPECIFICATION)
    assert found.rule == "offblocks.response.unsupported-method"
    assert (found.outcome is Outcome.HELD) is held
