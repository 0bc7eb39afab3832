"""One way of judging: the form of an answer gets the same verdict whichever API gave it."""

import json
from http import HTTPStatus

import pytest

from conformance.api import Api, registered
from conformance.catalogue import Basis, Catalogue
from conformance.clock import EPOCH_OF_WORLDS
from conformance.exchange import Exchange, Request, Response
from conformance.findings import Outcome
from conformance.judging.journal import provider_findings
from conformance.specification import Problem, Specification
from conformance.verdicts import Verdict, verdict_of_rule

APIS = [api for api in registered().values() if api.sandbox]
JSON = ("Content-Type", "application/json")
SHAPES = ("response.matches-schema", "response.matches-inferred-schema")
EXPECTED = {
    Basis.DOCUMENTED: Verdict.FAIL,
    Basis.STANDARD: Verdict.FAIL,
    Basis.INFERRED: Verdict.NOTE,
    Basis.CONTRADICTED: Verdict.NOTE,
}


class WithProblems(Specification):
    """A description in which every answer has the same problems."""

    def __init__(self, api: Api, *bases: Basis) -> None:
        known = Specification.load(api.specification)
        self.__dict__.update(known.__dict__)
        self.found = [Problem(f"/member-{basis}", "a value, which is required", "nothing", basis) for basis in bases]

    def problems(self, operation_id: str, status: int, content_type: str | None, body: bytes) -> list[Problem]:
        return self.found


def answered(api: Api, *, status: int = 200, content_type: str = "application/json", body: bytes = b"[]") -> Exchange:
    operation = next(each for each in Specification.load(api.specification).operations if each.startswith("list"))
    return Exchange(
        id="test#1",
        operation=operation,
        identity="first",
        at=EPOCH_OF_WORLDS,
        seconds=0.1,
        request=Request(url="https://api.example/"),
        response=Response((("Content-Type", content_type),), body, status),
    )


def verdicts(api: Api, specification: Specification, exchange: Exchange) -> dict[str, Verdict]:
    """What is said of the rules about the form of answers, by their ids without the API's name."""
    catalogue = Catalogue.load(api.rules)
    findings = provider_findings(api, specification, [exchange], (), {})
    rules = {finding.rule for finding in findings if ".response." in finding.rule}
    return {
        rule.removeprefix(f"{api.name}."): verdict_of_rule(
            catalogue[rule], [finding for finding in findings if finding.rule == rule]
        )
        for rule in rules
    }


@pytest.mark.parametrize("basis", Basis)
@pytest.mark.parametrize("api", APIS, ids=lambda api: api.name)
def test_a_problem_of_each_basis_gets_the_same_verdict_of_every_api(api: Api, basis: Basis) -> None:
    found = verdicts(api, WithProblems(api, basis), answered(api))
    assert min((found[rule] for rule in SHAPES), key=tuple(Verdict).index) is EXPECTED[basis]
    assert sorted((found[rule] for rule in SHAPES), key=tuple(Verdict).index)[1] is Verdict.PASS


@pytest.mark.parametrize("api", APIS, ids=lambda api: api.name)
def test_two_problems_of_one_place_are_one_finding(api: Api) -> None:
    specification = WithProblems(api, Basis.DOCUMENTED, Basis.DOCUMENTED)
    findings = provider_findings(api, specification, [answered(api)], (), {})
    broken = [finding for finding in findings if finding.outcome is Outcome.BROKEN and ".matches-" in finding.rule]
    assert [finding.rule for finding in broken] == [f"{api.name}.response.matches-schema"]


def outcomes(api: Api, specification: Specification, exchange: Exchange) -> dict[str, Outcome]:
    """What was seen of the rules about the form of answers, by their ids without the API's name."""
    findings = provider_findings(api, specification, [exchange], (), {})
    return {finding.rule.removeprefix(f"{api.name}."): finding.outcome for finding in findings}


@pytest.mark.parametrize("api", APIS, ids=lambda api: api.name)
def test_a_server_error_breaks_one_rule_and_nothing_else_is_said(api: Api) -> None:
    exchange = answered(api, status=HTTPStatus.BAD_GATEWAY, content_type="text/html", body=b"<html>")
    found = outcomes(api, Specification.load(api.specification), exchange)
    assert found == {"response.no-server-error": Outcome.BROKEN}


@pytest.mark.parametrize(
    ("content_type", "outcome"),
    [
        ("application/json", Outcome.HELD),
        ("Application/JSON; charset=utf-8", Outcome.HELD),
        ("text/html", Outcome.BROKEN),
        ("application/jsonp", Outcome.BROKEN),
    ],
)
@pytest.mark.parametrize("api", APIS, ids=lambda api: api.name)
def test_the_media_type_of_an_answer_is_seen_alike_of_every_api(api: Api, content_type: str, outcome: Outcome) -> None:
    body = json.dumps({"success": True, "status": 200, "message": "", "data": []}).encode()
    found = outcomes(api, WithProblems(api), answered(api, content_type=content_type, body=body))
    assert found["response.is-json"] is outcome


@pytest.mark.parametrize("body", [b"<html>", b"OK", b"", b"null", b"7", b'"text"'])
@pytest.mark.parametrize("api", APIS, ids=lambda api: api.name)
def test_a_body_that_is_nothing_like_the_described_one_breaks_one_rule_of_its_shape(api: Api, body: bytes) -> None:
    found = outcomes(api, Specification.load(api.specification), answered(api, body=body))
    assert [found[rule] for rule in SHAPES if rule in found] == [Outcome.BROKEN]
