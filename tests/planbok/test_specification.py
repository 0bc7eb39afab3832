"""The OpenAPI description of Planbok says what its sources show; what holds for every description is tested one up."""

import json
from typing import Any

import pytest

from conformance.catalogue import Basis
from conformance.files import data_path
from conformance.specification import Match, Problem, Specification

SPECIFICATION = Specification.load(data_path("specs/planbok/openapi.yaml"))
JSON = "application/json"

OPERATIONS = {
    "POST /v2/customers": "createCustomer",
    "GET /v2/customers": "listCustomers",
    "GET /v2/customers/{id}": "getCustomer",
    "POST /v2/customers/{id}/initialize": "initializeCustomer",
    "POST /v2/customers/{id}/recovery": "setUpRecovery",
    "POST /v2/customers/{id}/update-pin": "updatePin",
    "POST /v2/customers/{id}/reset-pin": "resetPin",
    "POST /v2/customers/{id}/wallet/create": "createWallets",
    "GET /v2/customers/{id}/challenges": "listChallenges",
    "GET /v2/customers/{id}/challenges/{challengeId}": "getChallenge",
    "GET /v2/wallets": "listWallets",
    "GET /v2/wallets/{id}": "getWallet",
}
EVENTS = {
    "walletCreated": "wallet.created",
    "customerCreated": "customer.created",
    "customerPinSetup": "customer.pin_setup",
    "customerLockedOut": "customer.locked_out",
    "customerRecoveryInitiated": "customer.recovery_initiated",
    "customerRecoveryCompleted": "customer.recovery_completed",
}
INFERRED = {"listChallenges", "getWallet"}
CHALLENGE_REQUESTS = ("initializeCustomer", "setUpRecovery", "updatePin", "resetPin")
REQUIRED_PARAMETERS = {
    "getCustomer": {"id"},
    "initializeCustomer": {"id"},
    "setUpRecovery": {"id"},
    "updatePin": {"id"},
    "resetPin": {"id"},
    "createWallets": {"id"},
    "listChallenges": {"id"},
    "getChallenge": {"id", "challengeId"},
    "getWallet": {"id"},
}

CUSTOMER = {"id": "6999f8aea74a2b1bd8855b89", "name": "Zoë", "refId": "7", "hasPin": True, "hasRecovery": False}
CHALLENGE = {"challengeId": "c-1", "redirectUrl": "https://gateway.planbok.io/c-1", "status": "pending"}
WALLET = {"id": "w-1", "blockchain": "ETH-SEPOLIA", "address": "0x43158f45b5EbD7b1179130130DF00393928C2691"}
DATA: dict[str, Any] = {
    "createCustomer": CUSTOMER,
    "listCustomers": [CUSTOMER],
    "getCustomer": CUSTOMER,
    "initializeCustomer": CHALLENGE,
    "setUpRecovery": CHALLENGE,
    "updatePin": CHALLENGE,
    "resetPin": CHALLENGE,
    "createWallets": CHALLENGE,
    "listChallenges": [CHALLENGE],
    "getChallenge": {**CHALLENGE, "status": "verified", "result": [WALLET]},
    "listWallets": [WALLET],
    "getWallet": WALLET,
}
RETURN = "https://yourapp.com/dashboard/onboarding-complete"
REQUESTS: dict[str, dict[str, Any]] = {
    "createCustomer": {"name": "Zoë", "refId": "7"},
    **{name: {"redirectUrl": RETURN} for name in CHALLENGE_REQUESTS},
    "createWallets": {"blockchains": ["ETH-SEPOLIA", "BTC-TESTNET"], "accountType": "eoa", "redirectUrl": RETURN},
}


def bytes_of(value: object) -> bytes:
    return json.dumps(value).encode()


def answer(operation_id: str, **changes: Any) -> dict[str, Any]:
    """A right answer but for `changes`."""
    return {"success": True, "status": 201, "message": "Done.", "data": DATA[operation_id]} | changes


def problems(operation_id: str, value: object) -> list[Problem]:
    return SPECIFICATION.problems(operation_id, 201, JSON, bytes_of(value))


def event(webhook: str, **changes: Any) -> dict[str, Any]:
    return {"event": EVENTS[webhook], "timestamp": "2026-01-15T12:00:00.000Z", "data": {}} | changes


class TestTheDescription:
    def test_has_these_operations_and_webhooks(self) -> None:
        assert {f"{op.method} {op.path}": op.id for op in SPECIFICATION.operations.values()} == OPERATIONS
        assert set(SPECIFICATION.webhooks) == set(EVENTS)

    def test_calls_inferred_what_no_page_of_the_vendor_shows(self) -> None:
        inferred = {op.id for op in SPECIFICATION.operations.values() if op.basis is Basis.INFERRED}
        assert inferred == INFERRED
        assert {webhook.basis for webhook in SPECIFICATION.webhooks.values()} == {Basis.DOCUMENTED}

    @pytest.mark.parametrize("operation_id", SPECIFICATION.operations)
    def test_claims_a_status_only_where_a_page_names_it(self, operation_id: str) -> None:
        operation = SPECIFICATION.operations[operation_id]
        documented = {status for status, response in operation.responses.items() if response.basis is Basis.DOCUMENTED}
        success = set() if operation_id in INFERRED else {"2XX"}
        refusal = {"4XX"} if operation_id == "createWallets" else set()
        assert documented == {"429"} | success | refusal

    @pytest.mark.parametrize("operation_id", SPECIFICATION.operations)
    def test_requires_the_key_and_no_parameter_but_those_of_the_path(self, operation_id: str) -> None:
        operation = SPECIFICATION.operations[operation_id]
        assert operation.security
        required = {parameter.name for parameter in operation.parameters if parameter.required}
        assert required == REQUIRED_PARAMETERS.get(operation_id, set())

    def test_calls_the_signing_of_webhooks_inferred(self) -> None:
        for webhook in SPECIFICATION.webhooks.values():
            assert not webhook.security
            assert {(parameter.basis, parameter.required) for parameter in webhook.parameters} == {
                (Basis.INFERRED, False)
            }

    def test_leaves_open_where_the_gate_refuses(self) -> None:
        for status in (400, 403, 409, 422):
            assert SPECIFICATION.documents_status("createWallets", status)
        assert not SPECIFICATION.documents_status("getWallet", 409)

    def test_tells_the_challenge_from_the_list_by_the_path(self) -> None:
        listed = SPECIFICATION.match("GET", "/v2/customers/1/challenges")
        read = SPECIFICATION.match("GET", "/v2/customers/1/challenges/2")
        assert listed == Match(SPECIFICATION.operations["listChallenges"], {"id": "1"})
        assert read == Match(SPECIFICATION.operations["getChallenge"], {"id": "1", "challengeId": "2"})
        assert SPECIFICATION.match("GET", "/v1/customers/1") is None


class TestAnswers:
    @pytest.mark.parametrize("operation_id", SPECIFICATION.operations)
    def test_that_are_right_have_no_problem(self, operation_id: str) -> None:
        assert problems(operation_id, answer(operation_id)) == []

    @pytest.mark.parametrize("operation_id", SPECIFICATION.operations)
    def test_without_data_have_an_inferred_problem(self, operation_id: str) -> None:
        flat = {key: value for key, value in answer(operation_id).items() if key != "data"}
        assert problems(operation_id, flat) == [
            Problem("/data", "a value, which is required", "nothing", Basis.INFERRED)
        ]

    @pytest.mark.parametrize("member", ["success", "status", "message"])
    @pytest.mark.parametrize("operation_id", ["createCustomer", *CHALLENGE_REQUESTS])
    def test_of_a_post_in_the_reference_have_the_envelope(self, operation_id: str, member: str) -> None:
        bare = {key: value for key, value in answer(operation_id).items() if key != member}
        assert problems(operation_id, bare) == [
            Problem(f"/{member}", "a value, which is required", "nothing", Basis.DOCUMENTED)
        ]

    @pytest.mark.parametrize(
        ("member", "value", "expected"),
        [("success", "true", "type boolean"), ("status", "201", "type integer"), ("message", 3, "type string")],
    )
    def test_have_members_of_inferred_types(self, member: str, value: object, expected: str) -> None:
        [problem] = problems("createCustomer", answer("createCustomer", **{member: value}))
        assert (problem.pointer, problem.expected, problem.basis) == (f"/{member}", expected, Basis.INFERRED)

    @pytest.mark.parametrize("operation_id", ["listCustomers", "listWallets", "getChallenge", "createWallets"])
    def test_that_no_reference_describes_may_lack_the_envelope(self, operation_id: str) -> None:
        assert problems(operation_id, {"data": DATA[operation_id]}) == []

    @pytest.mark.parametrize("operation_id", [*CHALLENGE_REQUESTS, "createWallets"])
    def test_to_a_request_for_a_challenge_say_where_to_send_the_customer(self, operation_id: str) -> None:
        data = {"challengeId": "c-1", "status": "pending"}
        assert problems(operation_id, answer(operation_id, data=data)) == [
            Problem("/data/redirectUrl", "a value, which is required", "nothing", Basis.DOCUMENTED)
        ]

    def test_name_a_challenge_in_either_way(self) -> None:
        data = {"id": "c-1", "redirectUrl": CHALLENGE["redirectUrl"]}
        assert problems("createWallets", answer("createWallets", data=data)) == []

    @pytest.mark.parametrize("result", [[WALLET], {"wallets": [WALLET]}, None])
    def test_leave_the_form_of_a_result_open(self, result: object) -> None:
        data = {**CHALLENGE, "status": "completed", "result": result}
        assert problems("getChallenge", answer("getChallenge", data=data)) == []

    @pytest.mark.parametrize("member", WALLET)
    def test_hold_whole_wallets(self, member: str) -> None:
        cut = {key: value for key, value in WALLET.items() if key != member}
        found = problems("listWallets", answer("listWallets", data=[WALLET, cut]))
        assert [(problem.pointer, problem.basis) for problem in found] == [(f"/data/1/{member}", Basis.INFERRED)]

    @pytest.mark.parametrize(
        ("member", "value", "basis"),
        [("hasRecovery", "no", Basis.DOCUMENTED), ("hasPin", "yes", Basis.INFERRED), ("id", 7, Basis.INFERRED)],
    )
    def test_hold_customers_of_these_types(self, member: str, value: object, basis: Basis) -> None:
        [problem] = problems("getCustomer", answer("getCustomer", data={**CUSTOMER, member: value}))
        assert (problem.pointer, problem.basis) == (f"/data/{member}", basis)

    def test_may_hold_more_than_is_known(self) -> None:
        data = {**CUSTOMER, "country": {"code": "CH"}, "status": "dormant"}
        assert problems("getCustomer", answer("getCustomer", data=data, pagination={})) == []

    @pytest.mark.parametrize(
        "body", [{"success": False, "message": "No."}, {"success": False, "errors": {"message": "No."}}]
    )
    def test_that_refuse_may_say_why_in_either_place(self, body: object) -> None:
        assert SPECIFICATION.problems("createWallets", 422, JSON, bytes_of(body)) == []
        assert SPECIFICATION.problems("createWallets", 422, JSON, b"No.")


class TestRequests:
    @pytest.mark.parametrize("operation_id", REQUESTS)
    def test_that_are_right_have_no_problem(self, operation_id: str) -> None:
        assert SPECIFICATION.request_problems(operation_id, JSON, bytes_of(REQUESTS[operation_id])) == []

    @pytest.mark.parametrize("operation_id", CHALLENGE_REQUESTS)
    def test_name_a_page_to_return_to(self, operation_id: str) -> None:
        body = bytes_of({"redirectUrl": "not a page"})
        [problem] = SPECIFICATION.request_problems(operation_id, JSON, body)
        assert (problem.pointer, problem.expected, problem.basis) == ("/redirectUrl", "format uri", Basis.DOCUMENTED)

    @pytest.mark.parametrize(
        ("body", "basis"), [({"accountType": "eoa"}, Basis.INFERRED), ({"blockchains": "ETH"}, Basis.DOCUMENTED)]
    )
    def test_for_wallets_name_the_chains(self, body: object, basis: Basis) -> None:
        [problem] = SPECIFICATION.request_problems("createWallets", JSON, bytes_of(body))
        assert (problem.pointer, problem.basis) == ("/blockchains", basis)

    def test_for_wallets_need_nothing_else(self) -> None:
        assert SPECIFICATION.request_problems("createWallets", JSON, b'{"blockchains": ["ETH"]}') == []


class TestEvents:
    @pytest.mark.parametrize("webhook", EVENTS)
    def test_that_are_right_have_no_problem(self, webhook: str) -> None:
        assert SPECIFICATION.request_problems(webhook, JSON, bytes_of(event(webhook))) == []

    @pytest.mark.parametrize("webhook", EVENTS)
    def test_of_another_kind_are_refused(self, webhook: str) -> None:
        body = bytes_of(event(webhook, event="transaction.confirmed"))
        [problem] = SPECIFICATION.request_problems(webhook, JSON, body)
        assert (problem.pointer, problem.expected) == ("/event", f"const {EVENTS[webhook]}")

    @pytest.mark.parametrize("member", ["event", "timestamp", "data"])
    def test_have_the_members_of_the_example(self, member: str) -> None:
        body = bytes_of({key: value for key, value in event("walletCreated").items() if key != member})
        [problem] = SPECIFICATION.request_problems("walletCreated", JSON, body)
        assert (problem.pointer, problem.got, problem.basis) == (f"/{member}", "nothing", Basis.INFERRED)
