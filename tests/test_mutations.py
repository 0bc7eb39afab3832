"""Mutations follow from the descriptions and a seed, and each contradicts what it is said to contradict."""

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from conformance.api import Api, registered
from conformance.catalogue import Basis, Catalogue
from conformance.exchange import Response
from conformance.recording.cassettes import Cassette
from conformance.sandbox.behaviour import Behaviours, declared_changes, find_change
from conformance.sandbox.faults import UnknownFaultError
from conformance.sandbox.mutations import Mutation, mutations
from conformance.sandbox.remote import Control, World
from conformance.sandbox.server import start
from conformance.specification import Specification

APIS = {api.name: api for api in registered().values() if api.sandbox}
MUTATIONS = {name: (api, mutation) for api in APIS.values() for name, mutation in mutations(api).items()}
SPECIFICATIONS = {name: Specification.load(api.specification) for name, api in APIS.items()}
OF_BODIES = ("matches-schema", "matches-inferred-schema")
BASES = {
    "matches-schema": {Basis.DOCUMENTED, Basis.STANDARD},
    "matches-inferred-schema": {Basis.INFERRED},
}


@pytest.fixture(scope="module")
def answers() -> dict[str, list[tuple[str, Response]]]:
    """The success answers that the cassettes hold, with the ids of their operations, by API."""
    return {
        name: [
            (exchange.operation, exchange.response)
            for path in sorted(api.cassettes.glob("*/*.yaml"))
            for exchange in Cassette.load(path).exchanges
            if exchange.operation and exchange.response.succeeded
        ]
        for name, api in APIS.items()
    }


def told(mutation: type[Mutation], answers: list[tuple[str, Response]]) -> Iterator[Response]:
    """The answers that it concerns and changes."""
    for operation, response in answers:
        if mutation.concerns(operation, response.status) and mutation.change(response) != response:
            yield response


def test_there_are_three_hundred_at_least() -> None:
    assert len(MUTATIONS) >= 300


def test_names_say_what_is_spoilt() -> None:
    form = re.compile(
        r"[a-z]+: \w+ [2]\w\w (?:(?:/[\w*]+)+ (?:dropped|renamed|retyped|null)"
        r"|status (?:another success|a refusal|a failure)|content type (?:another|absent))"
    )
    assert [name for name in MUTATIONS if not form.fullmatch(name)] == []
    assert "offblocks: getCustomer 200 /id dropped" in MUTATIONS


@pytest.mark.parametrize("kind", ["dropped", "renamed", "retyped", "null", "another success", "a refusal", "a failure"])
def test_there_are_mutations_of_every_kind(kind: str) -> None:
    assert [name for name in MUTATIONS if name.endswith(f" {kind}")] != []


@pytest.mark.parametrize("api", APIS.values(), ids=list(APIS))
def test_every_member_that_must_be_there_is_dropped_and_renamed(api: Api) -> None:
    specification = SPECIFICATIONS[api.name]
    required = {
        f"{api.name}: {operation.id} {status} {''.join(f'/{name}' for name in member.path)}"
        for operation in specification.operations.values()
        for status in operation.responses
        if status.startswith("2")
        for member in specification.members(operation.id, status)
        if set(member.required) - {Basis.CONTRADICTED}
    }
    assert required
    for words in ("dropped", "renamed"):
        assert required - {name.removesuffix(f" {words}") for name in mutations(api)} == set()


@pytest.mark.parametrize("api", APIS.values(), ids=list(APIS))
def test_every_mutation_breaks_rules_that_exist(api: Api) -> None:
    catalogue = Catalogue.load(api.rules)
    assert all(mutation.breaks and set(mutation.breaks) <= set(catalogue) for mutation in mutations(api).values())


@pytest.mark.parametrize("api", APIS.values(), ids=list(APIS))
def test_what_a_seed_draws_is_drawn_again(api: Api) -> None:
    body = Response((("Content-Type", "application/json"),), b'{"id": "1", "data": {"id": "2"}}', 200)

    def changed(seed: str) -> list[Response]:
        return [mutation.change(body) for mutation in mutations.__wrapped__(api, seed).values()]

    assert changed("one") == changed("one")
    assert changed("one") != changed("two")


def test_a_change_of_a_body_contradicts_claims_of_the_basis_that_it_names(
    answers: dict[str, list[tuple[str, Response]]],
) -> None:
    judged = 0
    for name, (api, mutation) in MUTATIONS.items():
        named = {rule.rpartition(".")[2] for rule in mutation.breaks} & set(OF_BODIES)
        if not named:
            continue
        specification = SPECIFICATIONS[api.name]
        for response in told(mutation, answers[api.name]):
            wrong = mutation.change(response)
            problems = specification.problems(mutation.operation, wrong.status, "application/json", wrong.body)
            assert all({problem.basis for problem in problems} & BASES[rule] for rule in named), name
            judged += 1
            break
    assert judged > 300


def test_every_mutation_changes_an_answer_of_the_cassettes(answers: dict[str, list[tuple[str, Response]]]) -> None:
    idle = [
        name for name, (api, mutation) in MUTATIONS.items() if next(told(mutation, answers[api.name]), None) is None
    ]
    assert idle == []


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("getCustomer 200 /id dropped", {"id": "1", "status": "active"}, {"status": "active"}),
        ("getCustomer 200 /id null", {"id": "1"}, {"id": None}),
        ("listCustomers 200 /*/id dropped", [{"id": "1"}, {"id": "2"}], [{}, {}]),
        ("listCustomers 200 /*/id null", [], []),
    ],
)
def test_a_member_is_changed_wherever_it_stands(name: str, before: Any, after: Any) -> None:
    mutation = mutations(APIS["offblocks"])[f"offblocks: {name}"]
    assert mutation.change(Response((), json.dumps(before).encode(), 200)).json() == after


def test_a_renamed_member_keeps_its_value() -> None:
    mutation = mutations(APIS["offblocks"])["offblocks: getCustomer 200 /createdAt renamed"]
    changed = mutation.change(Response((), b'{"createdAt": "now"}', 200)).members()
    assert list(changed.values()) == ["now"]
    assert "createdAt" not in changed


def test_a_body_that_is_no_json_is_left_alone() -> None:
    mutation = mutations(APIS["offblocks"])["offblocks: getCustomer 200 /id dropped"]
    response = Response((), b"<html>", 200)
    assert mutation.change(response) == response


def test_a_sandbox_takes_a_mutation_like_a_fault() -> None:
    name = "planbok: createCustomer 2XX status a failure"
    with start(faults=[name], apis=[APIS["planbok"]]) as sandbox:
        control = Control(sandbox.origin)
        world = World(control, "seed")
        key = world.credentials("planbok")["first"]["api_key"]
        with httpx.Client(
            base_url=world.base_urls["planbok"], headers={"PLANBOK-X-API-KEY": key}, trust_env=False
        ) as client:
            created = client.post("/v2/customers", json={"name": "Ada", "refId": "ada"})
            listed = client.get("/v2/customers")
        control.close()
    assert created.status_code >= 500
    assert listed.status_code == 200


def test_a_mutation_is_found_by_name_and_is_none_of_the_declared_faults() -> None:
    api, name = APIS["offblocks"], "offblocks: getCustomer 200 /id dropped"
    assert find_change(api, name) is mutations(api)[name]
    assert name not in declared_changes(api)


def test_an_unknown_mutation_is_refused() -> None:
    with pytest.raises(UnknownFaultError, match="There is no fault or variation called 'offblocks: nothing'"):
        Behaviours(APIS.values()).check_names(["offblocks: nothing"])
