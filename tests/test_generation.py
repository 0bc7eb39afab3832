"""Generated requests: drawn from a seed, fed with what exists, kept in part, judged again; what they alone find."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest
import yaml

from conformance import run as running
from conformance.api import Api, registered
from conformance.catalogue import Catalogue
from conformance.clock import FrozenClock
from conformance.commands.rulebook import verified_rules
from conformance.exchange import Delivery, Exchange, Generated, Mode, Request, Response
from conformance.findings import Finding, Outcome, judged
from conformance.generation.draft import CONTENT_TYPE, FURTHER, IDENTITY, METHOD, Draft
from conformance.generation.drawing import drafts
from conformance.generation.feeding import Cases, PoolValues, exercise, fill
from conformance.generation.selection import cited_exchanges, drop_unless_accepted, select_cases, smallest_failures
from conformance.offblocks.sandbox import OffBlocks, Reason, Refused
from conformance.parts.generated_checks import GeneratedChecks, wrong_places
from conformance.recording.cassettes import Cassette
from conformance.recording.journal import Journal, JournalTransport
from conformance.recording.redaction import Redactor
from conformance.run import Options, run
from conformance.sandbox.server import start
from conformance.scenario import StepFailedError, SuiteError
from conformance.specification import Specification

APIS = {name: api for name, api in registered().items() if api.data_pool}
SPECIFICATIONS = {name: Specification.load(api.specification) for name, api in APIS.items()}
OPERATIONS = [(name, operation) for name, known in SPECIFICATIONS.items() for operation in known.operations]
OFFBLOCKS = APIS["offblocks"]
COMPUTED = ("Signature", "Signature-Input", "Content-Digest")


def drawn(api: str, operation: str, seed: int = 1, examples: int = 5) -> tuple[Draft, ...]:
    return drafts(APIS[api].specification, operation, seed=seed, examples=examples, without=COMPUTED)


# ---------------------------------------------------------------------------------------------------------- drawing


DRAW = """
import constants
from tests.test_generation import printed
print(printed("offblocks", "createCustomer"))
"""


def printed(api: str, operation: str) -> str:
    return "; ".join(f"{each.method} {each.path} {each.headers} {each.content!r}" for each in drawn(api, operation))


def test_a_seed_alone_decides_what_is_drawn_and_nothing_is_left_behind(tmp_path: Path) -> None:
    (tmp_path / "constants.py").write_text(f"SOME = {[f'text {number}' for number in range(999)]}", encoding="utf-8")
    path = os.pathsep.join([str(tmp_path), str(Path(__file__).parents[1])])
    elsewhere = subprocess.run(
        [sys.executable, "-B", "-W", "always::DeprecationWarning", "-c", DRAW],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    drawn("offblocks", "putWebhook", seed=3)
    assert elsewhere.stdout == f"{printed('offblocks', 'createCustomer')}\n"
    assert elsewhere.stderr == ""
    assert [each.name for each in tmp_path.iterdir()] == ["constants.py"]
    assert drawn("offblocks", "createCustomer") != drawn("offblocks", "createCustomer", seed=2)


def test_the_examples_of_the_specification_come_first() -> None:
    first, second, *_ = drawn("offblocks", "createCustomer")
    assert [draft.phase for draft in (first, second)] == ["examples", "examples"]
    assert first.body["externalId"] == "27c9aa3b-f12d-43b9-8e91-5264ccc998de"
    assert second.body["externalId"] == "text"


@pytest.mark.parametrize(("api", "operation"), OPERATIONS)
def test_every_operation_has_requests_that_fit_and_such_that_do_not(api: str, operation: str) -> None:
    known, found = SPECIFICATIONS[api], drawn(api, operation)
    assert {draft.mode for draft in found} == {Mode.POSITIVE, Mode.NEGATIVE}
    assert any(draft.wrong == (METHOD,) for draft in found)
    for draft in found:
        problems = known.request_problems(operation, "application/json", draft.content or b"")
        in_body = {place for place in draft.wrong if place.startswith("body")}
        if METHOD not in draft.wrong and CONTENT_TYPE not in draft.wrong:
            assert in_body == {f"body {problem.pointer}".strip() for problem in problems}
        assert not set(COMPUTED) & set(draft.headers)
        assert draft.path.startswith("/v")


def test_a_method_that_may_do_harm_is_tried_only_where_that_does_not_matter() -> None:
    for safe_only, expected in ((True, {"OPTIONS", "QUERY", "TRACE"}), (False, {"DELETE", "PUT"})):
        found = drafts(OFFBLOCKS.specification, "createCustomer", seed=1, examples=32, safe_only=safe_only)
        tried = {draft.method for draft in found if draft.wrong == (METHOD,)}
        assert expected <= tried
        assert safe_only is (tried == expected)


def test_more_examples_give_more_requests() -> None:
    assert len(drawn("offblocks", "signChallenge", examples=1)) < len(drawn("offblocks", "signChallenge", examples=5))


# ---------------------------------------------------------------------------------------------------------- feeding

POOL = PoolValues(
    {"path id": "7", "body /name": "Ada", "body /tag": "x", "header Key": "k"},
    if_present=("body /tag",),
    may_stay=("path id", "body /name"),
)
DRAFT = Draft("fuzzing", "POST", "/v1/things/{id}", {"path id": "0", "header Key": "?"}, {"name": "", "odd": 1})


def test_what_exists_takes_the_place_of_what_was_generated() -> None:
    ready, mutated = fill(replace(DRAFT, further=("odd",)), 0, POOL)
    assert (ready.path, ready.headers, ready.body, mutated) == ("/v1/things/7", {"Key": "k"}, {"name": "Ada"}, ())


@pytest.mark.parametrize(("number", "path"), [(1, "/v1/things/71"), (4, "/v1/things/0"), (7, "/v1/things/71")])
def test_every_other_time_what_is_like_the_right_value_takes_its_place(number: int, path: str) -> None:
    pool = PoolValues({"path id": "7"}, may_stay=("path id",), like={"path id": ["07", "71"]})
    ready, mutated = fill(DRAFT, number, pool)
    assert (ready.path, mutated) == (path, ("path id",))


@pytest.mark.parametrize(("number", "place"), [(1, "path id"), (4, "body /name"), (7, FURTHER), (10, "path id")])
def test_every_third_request_keeps_one_place_as_it_was_generated(number: int, place: str) -> None:
    ready, mutated = fill(replace(DRAFT, further=("odd",)), number, POOL)
    assert mutated == (place,)
    assert (ready.path == "/v1/things/0") is (place == "path id")
    assert (ready.body["name"] == "") is (place == "body /name")
    assert ("odd" in ready.body) is (place == FURTHER)


def test_an_example_of_the_specification_is_sent_as_it_stands_there() -> None:
    ready, mutated = fill(replace(DRAFT, phase="examples"), 0, POOL)
    assert (ready.path, ready.body, mutated) == ("/v1/things/0", {"name": "", "odd": 1}, ("path id", "body /name"))


def test_a_place_that_does_not_fit_stays_wrong_and_only_there() -> None:
    ready, mutated = fill(replace(DRAFT, body={"tag": [0]}, wrong=("body /tag/0",)), 0, POOL)
    assert (ready.path, ready.body, mutated) == ("/v1/things/7", {"tag": [0], "name": "Ada"}, ("body /tag/0",))


def test_of_several_wrong_places_every_other_request_has_one() -> None:
    wrong = replace(DRAFT, wrong=("header Key", "body /name"))
    assert fill(wrong, 0, POOL)[1] == ("header Key", "body /name")
    ready, mutated = fill(wrong, 1, POOL)
    assert (ready.headers, mutated) == ({"Key": "k"}, ("body /name",))


def test_a_query_is_written_as_a_form() -> None:
    draft = Draft(
        "coverage", "GET", "/v2/things/{id}", {"path id": "a b/%20", "query page": ["1", "2"], "query of": "ä"}
    )
    assert draft.path == "/v2/things/a%20b%2F%2520?page=1&page=2&of=%C3%A4"


class FakePool:
    """Sends to nobody; who is asked for a thing refuses what is not accepted."""

    computed: tuple[str, ...] = COMPUTED
    credential = "header Authorization"
    identities = ("first", "second")
    safe_only = False

    def __init__(self, accepts: bool) -> None:
        self.journal = Journal("offblocks/properties/a_test", FrozenClock(), "https://api.example", KNOWN, Redactor(()))
        self.cases = Cases(self.journal)
        self.sent: list[tuple[str, Draft, bool | None, Exchange]] = []
        self._accepts = accepts

    def values_for(self, operation: str, identity: str) -> PoolValues:
        with self.cases.preparation() as number:
            return PoolValues({"path customerId": f"of-{identity}"}, may_stay=("path customerId",), parent=number)

    def send(self, operation: str, identity: str, draft: Draft, *, authorized: bool | None = True) -> Exchange:
        status = 200 if self._accepts and authorized and not draft.wrong else 400
        made = exchange(path=draft.path, method=draft.method, status=status)
        self.sent.append((identity, draft, authorized, self.journal.keep(made)))
        return self.sent[-1][-1]

    def follow_up(self, exchange: Exchange, case: int) -> None:
        assert exchange.generated is not None
        assert exchange.generated.case == case


def test_an_accepted_request_is_sent_again_without_credentials_with_false_ones_and_by_another() -> None:
    pool = FakePool(accepts=True)
    exercise(pool, OFFBLOCKS.specification, "getCustomer", seed=1, examples=3)
    assert {authorized for _, _, authorized, _ in pool.sent} == {True, None, False}
    marks = [each.generated for each in pool.journal.exchanges if each.generated]
    assert {("header Authorization",), (IDENTITY,)} <= {mark.mutated for mark in marks}
    ((identity, draft),) = [
        (identity, draft)
        for identity, draft, _, made in pool.sent
        if made.generated and made.generated.mutated == (IDENTITY,)
    ]
    assert (identity, draft.path) == ("second", "/v1/customers/of-first")
    assert {identity for identity, *_ in pool.sent} == {"first", "second"}
    assert all(mark.parent is not None for mark in marks)


def test_an_operation_that_accepts_nothing_is_blocked() -> None:
    with pytest.raises(StepFailedError, match="No generated request to getCustomer was accepted"):
        exercise(FakePool(accepts=False), OFFBLOCKS.specification, "getCustomer", seed=1, examples=1)


# --------------------------------------------------------------------------------------- the journal and what is kept

KNOWN = SPECIFICATIONS["offblocks"]


def exchange(
    operation: str | None = "getCustomer",
    *,
    mode: Mode | None = None,
    mutated: Iterable[str] = (),
    case: int = 1,
    parent: int | None = None,
    status: int = 200,
    method: str = "GET",
    path: str = "/v1/customers/1",
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    answer: bytes = b"{}",
    answered: Mapping[str, str] | None = None,
) -> Exchange:
    return Exchange(
        id=f"offblocks/properties/a_test#{case}",
        operation=operation,
        identity="first",
        at=datetime(2026, 1, 15, 12, tzinfo=UTC),
        seconds=0.0,
        request=Request(tuple((headers or {}).items()), body, method, f"https://api.example{path}"),
        response=Response(tuple((answered or {}).items()), answer, status),
        generated=None if mode is None else Generated(case, mode, tuple(mutated), parent),
    )


class Judge:
    """Finds that every request breaks a rule."""

    excused: frozenset[str] = frozenset()
    explains = True

    def request(
        self,
        request: Request,
        operation: str | None,
        parameters: Mapping[str, str],
        at: datetime,
        machine_at: datetime | None = None,
    ) -> list[Finding]:
        return [judged("offblocks.client.sends-json", held=False, where="", expected="", got="", exchange=None)]

    def observe(self, exchange: Exchange) -> None:
        pass

    def conclude(self, exchanges: Sequence[Exchange], deliveries: Sequence[Delivery]) -> list[Finding]:
        return []


def test_a_generated_request_may_break_any_client_rule_and_a_given_one_none() -> None:
    journal = FakePool(accepts=True).journal
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json={"token": "t0p-secret"}))
    client = httpx.Client(transport=JournalTransport(transport, journal, "first", Judge()))
    with Cases(journal).case(Mode.NEGATIVE, ("body",)) as number:
        client.post("https://api.example/v1/customers")
    assert journal.exchanges[0].generated == Generated(number, Mode.NEGATIVE, ("body",))
    assert journal.exchanges[0].breaks == {"offblocks.client.sends-json"}
    with Cases(journal).preparation(), pytest.raises(SuiteError, match="without saying so"):
        client.post("https://api.example/v1/customers")


def test_what_was_generated_in_the_place_of_a_secret_is_none() -> None:
    redactor = Redactor(("apiSecret", "token"))
    made_up = exchange(
        mode=Mode.POSITIVE,
        mutated=("body /apiSecret",),
        body=b'{"apiSecret":"0"}',
        answer=b'{"token":"real-token","at":"2026-01-10"}',
    )
    assert redactor.exchange(made_up).response.members() == {"token": "redacted-token-1", "at": "2026-01-10"}
    for mode in (Mode.GIVEN, Mode.POSITIVE):
        given = exchange(mode=mode, body=b'{"apiSecret":"real-secret-of-%s"}' % mode.encode())
        assert b"real-secret" not in redactor.exchange(given).request.body


def test_of_cases_alike_the_first_is_kept_with_those_that_it_follows_from() -> None:
    made = [
        exchange(case=1, mode=Mode.GIVEN),
        exchange(case=2, mode=Mode.POSITIVE, parent=1),
        exchange(case=3, mode=Mode.GIVEN),
        exchange(case=4, mode=Mode.POSITIVE, parent=3),
        exchange(case=5, mode=Mode.NEGATIVE, mutated=("body",), parent=3, status=400),
        exchange(case=6, mode=Mode.NEGATIVE, mutated=("body",), parent=1, status=422),
        exchange(),
    ]
    assert select_cases(made) == [made[0], made[1], made[2], made[4], made[5], made[6]]
    assert select_cases(made, most=1) == [made[0], made[1], made[6]]
    assert select_cases(made[-1:]) == made[-1:]


def test_what_a_person_did_at_a_page_is_not_kept_with_generated_cases() -> None:
    page = exchange(None, case=1, mode=Mode.GIVEN, path="/gateway")
    made = [page, exchange(case=1, mode=Mode.GIVEN), exchange(case=2, mode=Mode.POSITIVE, parent=1)]
    assert select_cases(made) == made[1:]
    assert select_cases([replace(page, generated=None)]) == [replace(page, generated=None)]


def broken(made: Exchange, where: str) -> Finding:
    return judged("offblocks.response.matches-schema", held=False, where=where, expected="x", got="y", exchange=made)


def test_the_shortest_request_that_breaks_a_rule_is_told_with_what_it_was_made_to_be() -> None:
    long = exchange(case=1, mode=Mode.POSITIVE, body=b'{"name":"long"}')
    short = exchange(case=2, mode=Mode.NEGATIVE, mutated=("body /name",), body=b"{}")
    plain = exchange(case=3)
    findings = [broken(long, "response /0/id"), broken(short, "response /7/id"), broken(plain, "response /0/id")]
    smallest = smallest_failures(findings, [long, short, plain])
    assert [(each.exchange, each.got) for each in smallest] == [
        (plain.id, "y"),
        (short.id, "y, to a negative request, mutated in body /name"),
    ]
    assert [each.id for each in cited_exchanges([long, short, plain], smallest)] == [short.id, plain.id]
    assert cited_exchanges([plain], []) == [plain]


def test_where_no_request_was_accepted_nothing_is_said_of_those_that_are_to_be() -> None:
    rule = "offblocks.response.matches-schema"
    refused, other = broken(exchange(case=1, mode=Mode.POSITIVE), ""), Finding("other.rule", Outcome.BROKEN)
    accepted = replace(refused, outcome=Outcome.HELD)
    assert drop_unless_accepted([refused, other], rule) == [other]
    assert drop_unless_accepted([refused, accepted, other], rule) == [refused, accepted, other]


# ------------------------------------------------------------------------------------------------------- the rules


def generated_checks_of(api: str) -> ModuleType:
    return import_module(f"conformance.{api}.generated_checks")


def generated_findings(api: str, exchange: Exchange, base_url: str = "https://api.example") -> list[Finding]:
    checks: GeneratedChecks = generated_checks_of(api).GeneratedRequests(SPECIFICATIONS[api], base_url)
    return checks.findings([exchange])


RULES_OF_CHECKS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "offblocks": {
        "not_a_server_error": ("offblocks.response.no-server-error",),
        "status_code_conformance": ("offblocks.response.status-documented",),
        "content_type_conformance": ("offblocks.response.is-json",),
        "response_headers_conformance": ("offblocks.response.is-json",),
        "response_schema_conformance": (
            "offblocks.response.matches-schema",
            "offblocks.response.matches-inferred-schema",
        ),
        "negative_data_rejection": (
            "offblocks.response.undescribed-refused",
            "offblocks.customer.missing-field-is-400",
            "offblocks.customer.wrong-type-is-400",
            "offblocks.customer.malformed-chain-id-refused",
            "offblocks.customer.malformed-chain-id-is-400",
            "offblocks.customer.broken-json-is-400",
            "offblocks.challenge.malformed-customer-id-refused",
            "offblocks.signing.missing-field-is-400",
            "offblocks.idempotency.key-not-a-uuid-refused",
            "offblocks.idempotency.key-not-a-uuid-is-400",
        ),
        "positive_data_acceptance": ("offblocks.response.described-accepted", "offblocks.customer.created-with-201"),
        "missing_required_header": (
            "offblocks.idempotency.missing-key-refused",
            "offblocks.idempotency.missing-key-is-400",
        ),
        "unsupported_method": ("offblocks.response.unsupported-method",),
        "allow_header_conformance": ("offblocks.response.unsupported-method",),
        "use_after_free": ("offblocks.authentication.removed-key-refused",),
        "ensure_resource_availability": ("offblocks.customer.readable",),
        "ignored_auth": (
            "offblocks.authentication.missing-token-refused",
            "offblocks.authentication.malformed-token-refused",
        ),
        "object_level_authorization": (
            "offblocks.isolation.customer-unseen",
            "offblocks.isolation.challenge-unseen",
            "offblocks.isolation.no-action",
        ),
    },
    "planbok": {
        "not_a_server_error": ("planbok.response.no-server-error",),
        "status_code_conformance": ("planbok.response.described-accepted", "planbok.response.undescribed-refused"),
        "content_type_conformance": ("planbok.response.is-json",),
        "response_headers_conformance": ("planbok.response.is-json",),
        "response_schema_conformance": ("planbok.response.matches-schema", "planbok.response.matches-inferred-schema"),
        "negative_data_rejection": ("planbok.response.undescribed-refused",),
        "positive_data_acceptance": (
            "planbok.response.described-accepted",
            "planbok.customer.created",
            "planbok.challenge.several-chains",
        ),
        "missing_required_header": ("planbok.key.missing-refused",),
        "unsupported_method": ("planbok.response.unsupported-method",),
        "allow_header_conformance": ("planbok.response.unsupported-method",),
        "use_after_free": (),
        "ensure_resource_availability": ("planbok.customer.readable",),
        "ignored_auth": (
            "planbok.key.missing-refused",
            "planbok.key.missing-status",
            "planbok.key.wrong-refused",
            "planbok.key.wrong-is-401",
        ),
        "object_level_authorization": (
            "planbok.customer.unseen-by-others",
            "planbok.challenge.under-its-customer-only",
            "planbok.list.unseen-by-others",
        ),
    },
}
"""The rules that judge here what a check of schemathesis judges. With Planbok nothing can be deleted."""


@pytest.mark.parametrize("api", APIS)
def test_what_a_check_of_schemathesis_judges_a_test_of_generated_requests_judges(api: str) -> None:
    from schemathesis.checks import CHECKS, load_all_checks  # noqa: PLC0415  (only here)

    load_all_checks()
    rules = RULES_OF_CHECKS[api]
    assert set(rules) == set(CHECKS.get_all_names())
    judged_here = {rule for shown in generated_checks_of(api).SHOWN.values() for rule in shown}
    for test, verified in verified_rules(APIS[api]).items():
        judged_here |= set(verified) if test.startswith(f"{api}/properties/") else set()
    assert {rule for named in rules.values() for rule in named} - judged_here == set()
    assert judged_here <= set(Catalogue.load(APIS[api].rules))


ACCOUNT = b"eip155:300:0x22227A31dd842196A246d8f3b775998560eAa61d"
CREATION = b'{"chainId":"%s","externalId":"1"}' % ACCOUNT
KEYED = {"Idempotency-Key": "4c9d8af1-3eb5-4545-9f0a-54b10529873e"}
JUDGED: Sequence[tuple[str, str, dict[str, Any], int, int]] = [
    (
        "offblocks.response.unsupported-method",
        "offblocks",
        {
            "operation": None,
            "mode": Mode.NEGATIVE,
            "mutated": (METHOD,),
            "method": "PATCH",
            "path": "/v1/customers",
            "answered": {"Allow": "GET, POST"},
        },
        405,
        404,
    ),
    ("offblocks.response.described-accepted", "offblocks", {"mode": Mode.POSITIVE}, 200, 400),
    ("offblocks.customer.readable", "offblocks", {"mode": Mode.POSITIVE}, 200, 404),
    (
        "offblocks.customer.unknown-is-404",
        "offblocks",
        {"mode": Mode.POSITIVE, "mutated": ("path customerId",)},
        404,
        400,
    ),
    (
        "offblocks.response.undescribed-refused",
        "offblocks",
        {"operation": "putWebhook", "mode": Mode.NEGATIVE, "mutated": ("body",), "headers": KEYED, "body": b"[]"},
        400,
        200,
    ),
    (
        "offblocks.customer.missing-field-is-400",
        "offblocks",
        {"operation": "createCustomer", "mode": Mode.NEGATIVE, "headers": KEYED, "body": b'{"chainId":"%s"}' % ACCOUNT},
        400,
        422,
    ),
    (
        "offblocks.customer.wrong-type-is-400",
        "offblocks",
        {
            "operation": "createCustomer",
            "mode": Mode.NEGATIVE,
            "headers": KEYED,
            "body": b'{"chainId":"%s","externalId":false}' % ACCOUNT,
        },
        400,
        422,
    ),
    (
        "offblocks.customer.malformed-chain-id-refused",
        "offblocks",
        {
            "operation": "createCustomer",
            "mode": Mode.NEGATIVE,
            "headers": KEYED,
            "body": b'{"chainId":"0","externalId":""}',
        },
        400,
        201,
    ),
    (
        "offblocks.customer.malformed-chain-id-is-400",
        "offblocks",
        {
            "operation": "createCustomer",
            "mode": Mode.NEGATIVE,
            "headers": KEYED,
            "body": b'{"chainId":"0","externalId":""}',
        },
        400,
        422,
    ),
    (
        "offblocks.customer.broken-json-is-400",
        "offblocks",
        {"operation": "createCustomer", "mode": Mode.NEGATIVE, "headers": KEYED, "body": b"\x00"},
        400,
        404,
    ),
    (
        "offblocks.idempotency.missing-key-refused",
        "offblocks",
        {
            "operation": "createCustomer",
            "mode": Mode.NEGATIVE,
            "mutated": ("header Idempotency-Key",),
            "body": CREATION,
        },
        400,
        201,
    ),
    (
        "offblocks.idempotency.missing-key-is-400",
        "offblocks",
        {
            "operation": "createCustomer",
            "mode": Mode.NEGATIVE,
            "mutated": ("header Idempotency-Key",),
            "body": CREATION,
        },
        400,
        422,
    ),
    (
        "offblocks.idempotency.key-not-a-uuid-refused",
        "offblocks",
        {
            "operation": "createCustomer",
            "mode": Mode.NEGATIVE,
            "mutated": ("header Idempotency-Key",),
            "headers": {"Idempotency-Key": "0"},
            "body": CREATION,
        },
        400,
        201,
    ),
    (
        "offblocks.idempotency.key-not-a-uuid-is-400",
        "offblocks",
        {
            "operation": "createCustomer",
            "mode": Mode.NEGATIVE,
            "mutated": ("header Idempotency-Key",),
            "headers": {"Idempotency-Key": "0"},
            "body": CREATION,
        },
        400,
        422,
    ),
    (
        "offblocks.challenge.malformed-customer-id-refused",
        "offblocks",
        {"operation": "getChallenge", "mode": Mode.NEGATIVE, "mutated": ("path customerId",)},
        404,
        200,
    ),
    (
        "offblocks.authentication.missing-token-refused",
        "offblocks",
        {"mode": Mode.NEGATIVE, "mutated": ("header Authorization",)},
        401,
        200,
    ),
    (
        "offblocks.authentication.malformed-token-refused",
        "offblocks",
        {"mode": Mode.NEGATIVE, "mutated": ("header Authorization",), "headers": {"Authorization": "Bearer nobody"}},
        403,
        200,
    ),
    (
        "offblocks.authentication.removed-key-refused",
        "offblocks",
        {"operation": "listCustomers", "mode": Mode.NEGATIVE, "mutated": ("signing key",)},
        401,
        200,
    ),
    ("offblocks.isolation.customer-unseen", "offblocks", {"mode": Mode.POSITIVE, "mutated": (IDENTITY,)}, 404, 200),
    (
        "offblocks.authentication.wrong-secret-refused",
        "offblocks",
        {
            "operation": "createToken",
            "mode": Mode.POSITIVE,
            "mutated": ("body /apiSecret",),
            "body": b'{"apiKey":"d04953b7-5878-4fd0-8970-0a5f77fbce59","apiSecret":""}',
        },
        401,
        200,
    ),
    (
        "offblocks.signing.other-key-refused",
        "offblocks",
        {
            "operation": "signChallenge",
            "mode": Mode.POSITIVE,
            "mutated": ("body /signature",),
            "body": b'{"ownerId":"%s","challenge":"","signature":""}' % ACCOUNT,
        },
        400,
        204,
    ),
    (
        "offblocks.response.no-server-error",
        "offblocks",
        {"operation": None, "mode": Mode.NEGATIVE, "mutated": (METHOD,)},
        0,
        500,
    ),
    (
        "planbok.response.unsupported-method",
        "planbok",
        {
            "operation": None,
            "mode": Mode.NEGATIVE,
            "mutated": (METHOD,),
            "method": "PATCH",
            "path": "/v2/customers",
            "answered": {"Allow": "GET, POST"},
        },
        405,
        404,
    ),
    ("planbok.response.described-accepted", "planbok", {"mode": Mode.POSITIVE}, 200, 400),
    ("planbok.customer.readable", "planbok", {"mode": Mode.POSITIVE}, 200, 404),
    (
        "planbok.response.undescribed-refused",
        "planbok",
        {"operation": "createCustomer", "mode": Mode.NEGATIVE, "body": b'{"name":0}'},
        422,
        201,
    ),
    (
        "planbok.response.undescribed-refused",
        "planbok",
        {"operation": "listCustomers", "mode": Mode.NEGATIVE, "mutated": ("query page",)},
        400,
        200,
    ),
    (
        "planbok.key.missing-refused",
        "planbok",
        {"mode": Mode.NEGATIVE, "mutated": ("header PLANBOK-X-API-KEY",)},
        403,
        200,
    ),
    (
        "planbok.key.wrong-is-401",
        "planbok",
        {"mode": Mode.NEGATIVE, "mutated": ("header PLANBOK-X-API-KEY",), "headers": {"PLANBOK-X-API-KEY": "0"}},
        401,
        403,
    ),
    ("planbok.customer.unseen-by-others", "planbok", {"mode": Mode.POSITIVE, "mutated": (IDENTITY,)}, 404, 200),
    (
        "planbok.response.no-server-error",
        "planbok",
        {"operation": None, "mode": Mode.NEGATIVE, "mutated": (METHOD,)},
        0,
        500,
    ),
]


@pytest.mark.parametrize(
    ("method", "path", "status", "allow", "held"),
    [
        ("PATCH", "customers", 405, "GET, POST", True),
        ("PATCH", "customers", 405, "POST,GET,HEAD, OPTIONS", True),
        ("POST", "customers/1", 405, "GET, DELETE", True),
        ("PATCH", "customers", 405, "", False),
        ("PATCH", "customers", 405, "GET", False),
        ("PATCH", "customers", 405, "GET, POST, PATCH", False),
        ("PATCH", "customers", 405, None, False),
        ("PATCH", "customers", 404, "GET, POST", False),
        ("POST", "customers/1", 501, None, False),
        ("OPTIONS", "customers", 501, None, True),
    ],
)
@pytest.mark.parametrize(("api", "version"), [("offblocks", "v1"), ("planbok", "v2")])
def test_allow_names_the_methods_that_a_path_has(
    api: str, version: str, method: str, path: str, status: int, allow: str | None, held: bool
) -> None:
    refusal = exchange(
        None,
        mode=Mode.NEGATIVE,
        mutated=(METHOD,),
        status=status,
        method=method,
        path=f"/{api}/{version}/{path}",
        answered=None if allow is None else {"Allow": allow},
    )
    (found,) = generated_findings(api, refusal, f"https://api.example/{api}")
    assert found.rule == f"{api}.response.unsupported-method"
    assert (found.outcome is Outcome.HELD) is held


@pytest.mark.parametrize("api", APIS)
def test_a_method_at_which_a_server_breaks_shows_two_rules(api: str) -> None:
    broken_by = exchange(None, mode=Mode.NEGATIVE, mutated=(METHOD,), status=500, method="PATCH")
    findings = generated_findings(api, broken_by)
    assert [(each.rule, each.outcome) for each in findings] == [
        (f"{api}.response.no-server-error", Outcome.BROKEN),
        (f"{api}.response.unsupported-method", Outcome.BROKEN),
    ]


@pytest.mark.parametrize(("rule", "api", "made", "right", "wrong"), JUDGED, ids=[rule for rule, *_ in JUDGED])
def test_a_rule_holds_of_one_answer_and_not_of_another(
    rule: str, api: str, made: dict[str, Any], right: int, wrong: int
) -> None:
    outcomes = {
        status: {each.outcome for each in generated_findings(api, exchange(status=status, **made)) if each.rule == rule}
        for status in (right, wrong)
    }
    assert outcomes[wrong] == {Outcome.BROKEN}
    assert ".response." in rule or any(rule in shown for shown in generated_checks_of(api).SHOWN.values())
    assert outcomes[right] == (set() if rule.endswith("no-server-error") else {Outcome.HELD})


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize(
    "made",
    [
        {},
        {"mode": Mode.GIVEN, "status": 400},
        {"mode": Mode.POSITIVE, "status": 429},
        {"mode": Mode.POSITIVE, "mutated": (FURTHER,), "status": 400},
        {"mode": Mode.NEGATIVE, "mutated": (CONTENT_TYPE,), "operation": "createCustomer", "status": 201},
        {"mode": Mode.POSITIVE, "operation": None, "status": 404},
    ],
)
def test_nothing_is_said_where_nothing_can_be_told(api: str, made: dict[str, Any]) -> None:
    assert generated_findings(api, exchange(**made)) == []


def test_what_sources_disagree_about_or_nobody_wrote_is_no_wrong_place() -> None:
    disputed = exchange("createToken", mode=Mode.NEGATIVE, mutated=("header Idempotency-Key",), body=b"[]")
    assert [place for place, _ in wrong_places(disputed, KNOWN)] == ["body"]
    guessed = exchange("putSigningKey", mode=Mode.NEGATIVE, mutated=("body /publicKey",), body=b'{"publicKey":0}')
    assert wrong_places(guessed, KNOWN) == []


# --------------------------------------------------------------------------------- runs: sandbox, recording, replay


@pytest.fixture(scope="module")
def module_patch() -> Iterable[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        yield patch


def only(patch: pytest.MonkeyPatch, expression: str) -> None:
    """Have runs collect only tests whose name fits."""
    arguments = running._arguments
    patch.setattr(running, "_arguments", lambda *given: [*arguments(*given), "-k", expression])


def of_level(results: Mapping[str, Any], *verdicts: str) -> dict[str, str]:
    return {rule["id"]: rule["reason"] for rule in results["rules"] if rule["verdict"] in verdicts}


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("generated")
    with pytest.MonkeyPatch.context() as patch:
        only(patch, "test_properties")
        results = run(Options(target="sandbox", record=True, cassettes=folder, examples=2))
    assert results["verdict"] == "inconclusive"  # no scenario, and so no main flow
    assert of_level(results, "error", "fail", "warn", "blocked") == {}
    assert {path.stem.rpartition(".")[2] for path in folder.rglob("*.yaml")} == {name for _, name in OPERATIONS}
    return folder


@pytest.mark.parametrize(("api", "operation"), OPERATIONS)
def test_a_recording_keeps_few_exchanges_with_what_each_was_made_to_be(
    recorded: Path, api: str, operation: str
) -> None:
    (path,) = (recorded / api / "properties").glob(f"*.{operation}.yaml")
    made = Cassette.load(path).exchanges
    marks = [each.generated for each in made if each.generated]
    cases = {mark.case for mark in marks}
    assert {mark.parent for mark in marks} - {None} <= cases
    assert any(each.operation == operation and each.response.succeeded for each in made)
    assert len({mark.case for mark in marks if mark.mode is not Mode.GIVEN}) <= 50
    assert {each.identity for each in made} == {"first", "second"} or operation == "listCustomers"


def test_an_operation_that_refuses_everything_leaves_its_rule_blocked(monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(*_arguments: object) -> None:
        raise Refused(Reason.WEBHOOK, "Not today.")

    monkeypatch.setattr(OffBlocks, "put_webhook", refuse)
    only(monkeypatch, "test_properties and putWebhook")
    results = run(Options(apis=("offblocks",), target="sandbox", examples=1))
    (reason,) = of_level(results, "blocked").values()
    assert reason.startswith("No generated request to putWebhook was accepted")
    assert set(of_level(results, "blocked")) == {"offblocks.response.described-accepted"}
    assert results["verdict"] == "inconclusive"


PROGRAM = """
import json, sys
from pathlib import Path
from conformance.run import Options, run
results = run(Options(cassettes=Path(sys.argv[1]), tests=tuple(sys.argv[2:])))
print(json.dumps({"verdict": results["verdict"], "remarks": results["remarks"], "loaded": sorted(sys.modules)}))
"""


def test_a_replay_draws_nothing(recorded: Path) -> None:
    tests = [f"{path.parent.relative_to(recorded)}/{path.stem}" for path in recorded.rglob("*.yaml")]
    command = [sys.executable, "-c", PROGRAM, str(recorded), *tests]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    printed = json.loads(done.stdout)
    assert (printed["verdict"], printed["remarks"]) == ("conforms", [])
    assert {"conformance.generation.feeding", "conformance.offblocks.suite.data_pool"} <= set(printed["loaded"])
    assert not {"schemathesis", "hypothesis"} & set(printed["loaded"])


def replayed_by(changed: Path, folder: Path, patch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A replay of OffBlocks' recordings by another specification."""
    shutil.copy(OFFBLOCKS.specification.with_name("sources.yaml"), changed.parent)
    patch.setattr(Api, "specification", property(lambda _: changed))
    only(patch, "test_properties")
    return run(Options(apis=("offblocks",), cassettes=folder))


def test_a_recorded_answer_that_no_longer_fits_the_specification_fails(
    recorded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = yaml.safe_load(OFFBLOCKS.specification.read_bytes())
    document["components"]["schemas"]["Customer"]["properties"]["externalId"]["minLength"] = 1000
    changed = tmp_path / "openapi.yaml"
    changed.write_text(yaml.safe_dump(document), encoding="utf-8")
    results = replayed_by(changed, recorded, monkeypatch)
    assert set(of_level(results, "fail")) == {"offblocks.response.matches-schema"}
    (rule,) = [rule for rule in results["rules"] if rule["verdict"] == "fail"]
    finding = next(each for each in rule["findings"] if each["held"] is False)
    assert (finding["where"], finding["expected"]) == ("response /externalId", "minLength 1000")
    (shown,) = [each for each in results["exchanges"] if each["id"] == finding["exchange"]]
    assert "externalId" in shown["response"]["body"]
    assert shown["generated"]["mode"] in {"positive", "given"}


def test_a_recorded_request_that_no_longer_fits_the_specification_is_told(
    recorded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = yaml.safe_load(OFFBLOCKS.specification.read_bytes())
    document["components"]["schemas"]["NewWebhook"]["properties"]["callbackUrl"]["maxLength"] = 3
    changed = tmp_path / "openapi.yaml"
    changed.write_text(yaml.safe_dump(document), encoding="utf-8")
    results = replayed_by(changed, recorded, monkeypatch)
    assert "body /callbackUrl (maxLength 3" in of_level(results, "note")["offblocks.response.undescribed-refused"]


# ------------------------------------------------------------------------------------------------- planted defects

PLANTED = {
    "BreaksOnAnEmptyExternalId": ("offblocks.customer.created-with-201", "response status"),
    "LosesExternalIdsWithoutDigits": ("offblocks.response.matches-schema", "response /externalId"),
    "TakesShortKeys": ("offblocks.idempotency.key-not-a-uuid-refused", "response status"),
}


def judge_planted(**options: Any) -> dict[str, Any]:
    with start(faults=[*PLANTED], apis=[OFFBLOCKS]) as sandbox:
        base_urls = {"offblocks": f"{sandbox.origin}/offblocks"}
        return run(Options(apis=("offblocks",), target="sandbox", base_urls=base_urls, **options))


def test_no_scenario_finds_a_planted_defect(monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, "not test_properties and not test_sequences")
    results = judge_planted(
        rule=("offblocks.customer.*", "offblocks.idempotency.*", "offblocks.response.*"), strict=True
    )
    assert of_level(results, "error", "fail", "warn", "blocked") == {}


def test_generated_requests_find_the_planted_defects_with_every_seed(
    seeds: range, monkeypatch: pytest.MonkeyPatch
) -> None:
    only(monkeypatch, "test_properties and createCustomer")
    test = "offblocks/properties/right_and_wrong_requests.createCustomer"
    for seed in map(str, seeds):
        results = judge_planted(seed=seed)
        found = {rule["id"]: rule["findings"] for rule in results["rules"] if rule["verdict"] in {"fail", "warn"}}
        for rule, where in PLANTED.values():
            assert rule in found, f"from seed {seed}"
            telling = [each for each in found[rule] if each["held"] is False and each["where"] == where]
            assert {each["test"] for each in telling} == {test}
            assert all(" request" in each["got"] for each in telling)
            assert {each["exchange"] for each in telling} <= {each["id"] for each in results["exchanges"]}
