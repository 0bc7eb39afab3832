"""Customers in any state, and the person at the hosted page, by control routes and from a world in Python."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import jsonschema_rs
import pytest

from conformance.clock import SystemClock
from conformance.files import data_path
from conformance.offblocks.client import Client as OffBlocks
from conformance.offblocks.client import Credentials
from conformance.offblocks.wallet import Wallet
from conformance.planbok.client import Client as Planbok
from conformance.planbok.client import Credentials as PlanbokCredentials
from conformance.planbok.pin_agent import ANSWERS
from conformance.sandbox import remote
from conformance.sandbox.remote import Control, NotASandboxError, World
from conformance.targets.receiver import Receiver

SCHEMA = json.loads(data_path("specs/schemas/control.json").read_bytes())
RETURN_URL = "https://our.app/return"


@pytest.fixture
def world(control: Control, request: pytest.FixtureRequest) -> Iterator[World]:
    with World(control, request.node.name) as world:
        yield world


@pytest.fixture
def offblocks(world: World) -> Iterator[OffBlocks]:
    credentials = Credentials.from_settings(world.credentials("offblocks")["first"])
    with OffBlocks(world.base_urls["offblocks"], credentials) as client:
        yield client


@pytest.fixture
def planbok(world: World) -> Iterator[Planbok]:
    credentials = PlanbokCredentials.from_settings(world.credentials("planbok")["first"])
    with Planbok(world.base_urls["planbok"], credentials) as client:
        yield client


def validator(kind: str, route: str) -> Any:
    return jsonschema_rs.validator_for({**SCHEMA, "$ref": SCHEMA["x-routes"][route][kind]}, validate_formats=True)


@pytest.fixture
def ask(control: Control, world: World) -> Any:
    """Sends to a control route of the world; what is sent and answered fits its schema unless a status is expected."""
    origin = control.origin

    def ask(route: str, document: Any = None, *, status: int | None = None, **parameters: str) -> Any:
        method, path = route.split()
        url = f"{origin}/_sandbox{world._route}{path.removeprefix('/_sandbox').format(**parameters)}"
        answer = httpx.request(method, url, json=document, trust_env=False)
        if status:
            assert answer.status_code == status, answer.text
            jsonschema_rs.validator_for({**SCHEMA, "$ref": "#/$defs/problem"}).validate(answer.json())
            return answer.json()["detail"]
        assert answer.is_success, answer.text
        if document is not None:
            validator("request", route).validate(document)
        validator("answer", route).validate(answer.json())
        return answer.json()

    return ask


class TestCustomersOfOffBlocks:
    ROUTE = "POST /_sandbox/offblocks/customers"

    @pytest.mark.parametrize("state", ["initiating", "screening", "verifying", "active", "rejected"])
    def test_are_in_the_state_that_was_asked_for(self, ask: Any, offblocks: OffBlocks, state: str) -> None:
        made = ask(self.ROUTE, {"state": state})
        assert made["state"] == made["customer"]["status"] == offblocks.customer(made["id"]).status == state

    def test_are_active_unless_told_otherwise(self, world: World, offblocks: OffBlocks) -> None:
        assert offblocks.customer(world.customer("offblocks")["id"]).status == "active"

    def test_go_on_with_the_key_of_their_wallet(self, ask: Any, offblocks: OffBlocks) -> None:
        made = ask(self.ROUTE, {"state": "initiating"})
        wallet = Wallet(bytes.fromhex(made["wallets"][0]["privateKey"][2:]), "eip155:300")
        assert made["wallets"][0]["account"] == made["customer"]["chainId"] == wallet.account_id
        offblocks.sign_challenge(made["id"], wallet, made["challenge"])
        assert offblocks.customer(made["id"]).status == "verifying"

    def test_leave_screening_after_an_hour(self, world: World, offblocks: OffBlocks) -> None:
        made = world.customer("offblocks", "screening")
        world.advance(timedelta(minutes=59))
        assert offblocks.customer(made["id"]).status == "screening"
        world.advance(timedelta(minutes=2))
        assert offblocks.customer(made["id"]).status == "verifying"

    def test_have_the_wallet_the_id_and_the_tenant_that_are_named(self, ask: Any, offblocks: OffBlocks) -> None:
        account = "eip155:300:0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf"
        made = ask(self.ROUTE, {"wallets": [account], "externalId": "ours", "tenant": "second"})
        assert made["wallets"] == [{"account": account}]
        assert made["customer"]["externalId"] == "ours"
        assert [customer.id for customer in offblocks.customers()] == []

    @pytest.mark.parametrize(
        ("document", "detail"),
        [
            ({"state": "asleep"}, "There are: initiating, screening, verifying, active, rejected."),
            ({"stat": "active"}, "'stat' is not known here. There are: state, wallets, externalId, tenant."),
            ({"wallets": "eip155:1"}, "'wallets' must be an array of strings"),
            ({"wallets": ["eip155:1:0x12"]}, "is not a CAIP-10 account id"),
            ({"wallets": ["a", "b"]}, "one wallet"),
            ({"tenant": "third"}, "There are: first, second."),
            ({"externalId": 7}, "'externalId' must be a string"),
            ([], "must be a JSON object"),
        ],
    )
    def test_are_not_made_of_what_makes_no_sense(self, ask: Any, document: Any, detail: str) -> None:
        assert detail in ask(self.ROUTE, document, status=400)


class TestCustomersOfPlanbok:
    ROUTE = "POST /_sandbox/planbok/customers"

    @pytest.mark.parametrize(
        ("state", "pin", "recovery"),
        [("created", False, False), ("pin-set", True, False), ("active", True, True), ("locked-out", True, True)],
    )
    def test_are_in_the_state_that_was_asked_for(
        self, ask: Any, planbok: Planbok, state: str, pin: bool, recovery: bool
    ) -> None:
        made = ask(self.ROUTE, {"state": state})
        customer = planbok.customer(made["id"])
        assert (customer.has_pin, customer.has_recovery) == (pin, recovery)
        assert ("pin" in made, "answers" in made) == (pin, recovery)

    def test_have_wallets_on_the_chains_that_are_named(self, ask: Any, planbok: Planbok) -> None:
        made = ask(self.ROUTE, {"wallets": ["ETH-SEPOLIA", "BTC"]})
        listed = planbok.wallets(customer_ids=[made["id"]])
        assert {wallet.blockchain for wallet in listed} == {"ETH-SEPOLIA", "BTC"}
        assert {wallet.id for wallet in listed} == {wallet["id"] for wallet in made["wallets"]}

    def test_send_the_events_of_the_way_there(self, world: World, planbok: Planbok) -> None:
        receiver = Receiver()
        mailbox = receiver.mailbox("shortcuts", SystemClock())
        world.set_webhook(mailbox.url)
        world.customer("planbok", wallets=["ETH"])
        events = [json.loads(delivery.request.body)["event"] for delivery in mailbox.received(at_least=3)]
        receiver.close()
        assert events == ["customer.created", "customer.pin_setup", "wallet.created"]

    def test_that_are_locked_out_cannot_enter_their_pin(self, world: World, planbok: Planbok) -> None:
        made = world.customer("planbok", "locked-out")
        challenge = planbok.create_wallets(made["id"], ["ETH"], RETURN_URL)
        with pytest.raises(
            NotASandboxError, match=r"409: The page of challenge .* takes nothing any more: it is at loc"
        ):
            world.complete_pin(challenge.id)
        world.advance(timedelta(minutes=31))
        assert world.customer("planbok")["state"] == "active"

    @pytest.mark.parametrize(
        ("document", "detail"),
        [
            ({"state": "asleep"}, "There are: created, pin-set, active, locked-out."),
            ({"state": "created", "wallets": ["ETH"]}, "has no wallets"),
            ({"wallets": ["DOGE"]}, "names 'DOGE'"),
            ({"pin": "12"}, "The hosted page does not take it: A PIN has six digits."),
            ({"answers": ["one"]}, "The hosted page does not take it: Answer both questions."),
            ({"redirectUrl": "nowhere"}, "'redirectUrl' must be an absolute http or https URL"),
            ({"redirect": "x"}, "There are: state, wallets, name, refId, pin, answers, redirectUrl, tenant."),
        ],
    )
    def test_are_not_made_of_what_makes_no_sense(self, ask: Any, document: Any, detail: str) -> None:
        assert detail in ask(self.ROUTE, document, status=400)


class TestThePersonAtThePage:
    PIN = "POST /_sandbox/planbok/challenges/{id}/pin"
    CANCEL = "POST /_sandbox/planbok/challenges/{id}/cancel"

    @pytest.fixture
    def customer(self, world: World) -> Any:
        return world.customer("planbok", redirectUrl=RETURN_URL)

    def test_authorizes_wallets(self, ask: Any, planbok: Planbok, customer: Any) -> None:
        challenge = planbok.create_wallets(customer["id"], ["ETH"], RETURN_URL)
        left = ask(self.PIN, {"pin": customer["pin"]}, id=challenge.id)
        assert left["returned_to"] == f"{RETURN_URL}?challengeId={challenge.id}&status=verified"
        assert (left["status"], left["step"], left["error"]) == ("verified", "done", None)
        assert planbok.challenge(customer["id"], challenge.id).status == "verified"

    def test_sets_up_pin_and_recovery(self, world: World, planbok: Planbok) -> None:
        customer = world.customer("planbok", "created")
        challenge = planbok.initialize(customer["id"], RETURN_URL)
        assert world.complete_pin(str(challenge.redirect_url), "111222", ["a", "b"])["status"] == "verified"
        assert planbok.customer(customer["id"]).has_recovery

    def test_changes_and_resets_the_pin(self, world: World, planbok: Planbok, customer: Any) -> None:
        world.complete_pin(planbok.update_pin(customer["id"], RETURN_URL).id, new_pin="111222")
        world.complete_pin(planbok.reset_pin(customer["id"], RETURN_URL).id, "333444")
        challenge = planbok.create_wallets(customer["id"], ["ETH"], RETURN_URL)
        assert world.wrong_pin(challenge.id, "111222")["error"] == "Wrong PIN."
        assert world.complete_pin(challenge.id, "333444")["status"] == "verified"

    def test_cancels(self, ask: Any, planbok: Planbok, customer: Any) -> None:
        challenge = planbok.create_wallets(customer["id"], ["ETH"], RETURN_URL)
        left = ask(self.CANCEL, id=challenge.id)
        assert (left["status"], left["step"], left["returned_to"][:22]) == ("failed", "cancelled", RETURN_URL)
        assert "takes nothing any more: it is at cancelled" in ask(self.CANCEL, status=409, id=challenge.id)

    def test_cancels_from_python(self, world: World, planbok: Planbok, customer: Any) -> None:
        challenge = planbok.create_wallets(customer["id"], ["ETH"], RETURN_URL)
        assert world.cancel_pin(str(challenge.redirect_url))["step"] == "cancelled"

    def test_is_locked_out_by_too_many_wrong_pins(self, world: World, planbok: Planbok, customer: Any) -> None:
        challenge = planbok.create_wallets(customer["id"], ["ETH"], RETURN_URL)
        left = world.wrong_pin(challenge.id, times=5)
        assert (left["status"], left["step"]) == ("failed", "locked")

    def test_comes_too_late_and_is_told_that_the_clock_was_moved(
        self, world: World, planbok: Planbok, customer: Any
    ) -> None:
        challenge = planbok.create_wallets(customer["id"], ["ETH"], RETURN_URL)
        world.advance(timedelta(minutes=16))
        with pytest.raises(
            NotASandboxError, match=r"it is at expired\. The clock of this world was moved ahead by 0:16"
        ):
            world.complete_pin(challenge.id)

    def test_cannot_be_wrong_where_a_pin_is_chosen(self, world: World, planbok: Planbok) -> None:
        customer = world.customer("planbok", "created")
        challenge = planbok.initialize(customer["id"], RETURN_URL)
        with pytest.raises(NotASandboxError, match="000001 is no wrong PIN"):
            world.wrong_pin(challenge.id)

    def test_has_to_know_something(self, ask: Any, planbok: Planbok, customer: Any) -> None:
        challenge = planbok.create_wallets(customer["id"], ["ETH"], RETURN_URL)
        assert "Say what the person enters" in ask(self.PIN, {}, status=400, id=challenge.id)
        assert "'pins' is not known here" in ask(self.PIN, {"pins": "1"}, status=400, id=challenge.id)

    def test_has_no_page_where_there_is_no_challenge(self, ask: Any) -> None:
        assert "There is no challenge 'none'" in ask(self.PIN, {"pin": "482913"}, status=404, id="none")


def test_a_customer_knows_what_a_world_enters_unless_told_otherwise(world: World) -> None:
    made = world.customer("planbok")
    assert (made["pin"], tuple(made["answers"])) == (remote.PIN, remote.ANSWERS)
    assert remote.ANSWERS == ANSWERS


class TestWorld:
    def test_keeps_faults_and_variations_apart(self, ask: Any, world: World) -> None:
        world.faults("AcceptsExpiredChallenge")
        world.variations("AddsMembers")
        described = ask("GET /_sandbox")
        assert (described["faults"], described["variations"]) == (["AcceptsExpiredChallenge"], ["AddsMembers"])
        assert ask("PUT /_sandbox/faults", []) == {"faults": []}
        assert ask("GET /_sandbox")["variations"] == ["AddsMembers"]
        assert ask("PUT /_sandbox/variations", ["SaysExpired"]) == {"variations": ["SaysExpired"]}

    def test_keeps_both_over_a_reset(self, ask: Any, world: World) -> None:
        world.faults("AcceptsExpiredChallenge")
        world.variations("AddsMembers")
        described = ask("POST /_sandbox/reset")
        assert (described["faults"], described["variations"]) == (["AcceptsExpiredChallenge"], ["AddsMembers"])

    def test_refuses_a_fault_as_variation_and_lists_those_there_are(self, ask: Any) -> None:
        route = "PUT /_sandbox/variations"
        assert "AcceptsAnyPin is a fault, not a variation." in ask(route, ["AcceptsAnyPin"], status=400)
        detail = ask(route, ["Nobody at all"], status=400)
        assert "There are: " in detail
        assert "SaysExpired" in detail
        assert "AcceptsAnyPin" not in detail

    def test_is_made_with_variations(self, control: Control) -> None:
        made = control.ask("POST", "/worlds", {"seed": "a", "faults": ["AcceptsAnyPin"], "variations": ["AddsMembers"]})
        assert (made["faults"], made["variations"]) == (["AcceptsAnyPin"], ["AddsMembers"])

    def test_is_gone_when_it_is_closed(self, control: Control) -> None:
        with World(control, "short") as world:
            pass
        with pytest.raises(NotASandboxError, match="There is no world"):
            world.requests()

    @pytest.mark.parametrize(
        ("route", "document"),
        [("/clock", {"advance": 7}), ("/worlds", {"seed": "a", "time": "real"}), ("/webhook", {"uri": None})],
    )
    def test_names_what_it_does_not_know(self, control: Control, route: str, document: Any) -> None:
        method = "PUT" if route == "/webhook" else "POST"
        with pytest.raises(NotASandboxError, match=r"is not known here\. There are: "):
            control.ask(method, route, document)


def test_every_route_of_the_schema_is_one_and_every_one_has_a_schema(world: World, ask: Any) -> None:
    described = ask("GET /_sandbox")
    shortcuts = {f"POST /_sandbox/{api}{path}" for api, paths in described["shortcuts"].items() for path in paths}
    assert {route for route in SCHEMA["x-routes"] if route.count("/") > 2} == shortcuts
