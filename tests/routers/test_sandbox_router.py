"""Clients of httpx meet the sandbox without a socket, sync and async, and are judged as over HTTP."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from respx.models import AllMockedAssertionError

from conformance.offblocks.client import Client, Credentials
from conformance.offblocks.wallet import Wallet
from conformance.parts.client import ApiError
from conformance.planbok import client as planbok
from conformance.routers import SandboxRouter
from conformance.run import Options, run
from conformance.sandbox.remote import PIN
from tests.conftest import some_rules

HOOKS = "https://team.test/hooks"


@pytest.fixture
def router() -> Iterator[SandboxRouter]:
    with SandboxRouter() as started:
        yield started


def offblocks(router: SandboxRouter) -> Client:
    own = Credentials.from_settings(router.world.credentials("offblocks")["first"])
    return Client(router.base_urls["offblocks"], own)


def wallet() -> Wallet:
    return Wallet(bytes([7]) * 32, "eip155:300")


def test_a_right_client_goes_its_whole_way_and_breaks_no_rule(router: SandboxRouter) -> None:
    owner = wallet()
    with offblocks(router) as client:
        customer = client.create_customer(owner.account_id, "ours")
        client.sign_challenge(customer.id, owner, client.challenge(customer.id))
        assert client.customer(customer.id).status != "initiating"
    router.world.assert_conforms()
    assert router.calls.call_count >= 4


def test_a_wrong_client_is_told_what_it_breaks(router: SandboxRouter) -> None:
    answer = httpx.post(f"{router.base_urls['offblocks']}/v1/customers", json={"chainId": "x"})
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    with pytest.raises(AssertionError, match=r"offblocks\.client\.sends-token"):
        router.world.assert_conforms()


def test_an_hour_passes_at_once(router: SandboxRouter) -> None:
    owner = wallet()
    with offblocks(router) as client:
        customer = client.create_customer(owner.account_id, "late")
        challenge = client.challenge(customer.id)
        router.world.advance(timedelta(hours=1, seconds=2))
        with pytest.raises(ApiError, match="expired"):
            client.sign_challenge(customer.id, owner, challenge)


def test_an_async_client_meets_it_too(router: SandboxRouter) -> None:
    own = router.world.credentials("planbok")["first"]

    async def created() -> httpx.Response:
        async with httpx.AsyncClient(headers={"PLANBOK-X-API-KEY": own["api_key"]}) as client:
            url = f"{router.base_urls['planbok']}/v2/customers"
            key = "7f0f6a1e-6f0c-4a5e-9a55-0d8f6d3f2b11"
            return await client.post(url, json={"name": "Ada", "refId": "a-1", "idempotencyKey": key})

    answer = asyncio.run(created())
    assert answer.is_success
    assert answer.json()["success"] is True


def test_webhooks_go_to_a_route_of_the_team(router: SandboxRouter) -> None:
    hooks = router.post(HOOKS).respond(204)
    router.world.set_webhook(HOOKS)
    router.world.customer("planbok", wallets=["ETH-SEPOLIA"])
    router.world.advance(timedelta(seconds=1))
    assert hooks.called
    assert json.loads(hooks.calls.last.request.content)
    assert {delivery["state"] for delivery in router.world.deliveries()} == {"received"}


def test_a_receiver_without_a_route_gets_nothing(router: SandboxRouter) -> None:
    router.world.set_webhook(HOOKS)
    router.world.customer("planbok", wallets=["ETH-SEPOLIA"])
    router.world.advance(timedelta(seconds=1))
    assert "received" not in {delivery["state"] for delivery in router.world.deliveries()}


def test_the_hosted_page_is_served_too(router: SandboxRouter) -> None:
    own = planbok.Credentials.from_settings(router.world.credentials("planbok")["first"])
    with planbok.Client(router.base_urls["planbok"], own) as client:
        customer = client.create_customer("Ada", "a-2")
        challenge = client.initialize(customer.id, "https://team.test/done")
    page = httpx.get(str(challenge.redirect_url))
    assert page.headers["content-type"].startswith("text/html")
    router.world.complete_pin(challenge.id, PIN)


def test_faults_are_those_that_were_given() -> None:
    with SandboxRouter("offblocks", faults=("AnswersTokensWith201",)) as router:
        own = router.world.credentials("offblocks")["first"]
        url = f"{router.base_urls['offblocks']}/v1/auth/token"
        answer = httpx.post(url, json={"apiKey": own["api_key"], "apiSecret": own["api_secret"]})
        assert answer.status_code == 201
        assert set(router.base_urls) == {"offblocks"}


def test_it_works_as_a_decorator_and_again() -> None:
    router = SandboxRouter("offblocks")

    def asked() -> int:
        return httpx.get(f"{router.base_urls['offblocks']}/v1/customers").status_code

    routed = router(asked)
    assert [routed(), routed()] == [401, 401]
    with pytest.raises(RuntimeError, match="has not been started"):
        router.base_urls  # noqa: B018  (it is asked for)


def test_other_hosts_are_not_reached(router: SandboxRouter) -> None:
    with pytest.raises(AllMockedAssertionError):
        httpx.get("https://elsewhere.test")


def test_a_route_of_ones_own_that_was_not_called_is_told() -> None:
    with pytest.raises(AssertionError, match="some routes were not called"), SandboxRouter("offblocks") as router:
        router.post(HOOKS)


@pytest.mark.parametrize(("api", "topics"), [("offblocks", ("signature", "digest")), ("planbok", ("webhook",))])
def test_the_suite_finds_the_same_as_over_http(api: str, topics: Sequence[str]) -> None:
    rules = some_rules(api, *topics)

    def judged(base_urls: Mapping[str, str]) -> Mapping[str, tuple[str, str]]:
        found = run(Options(apis=(api,), target="sandbox", rule=rules, examples=1, base_urls=base_urls))
        return {rule["id"]: (rule["verdict"], rule["reason"]) for rule in found["rules"]}

    usual = judged({})
    with SandboxRouter(assert_all_called=False) as router:
        router.route(host="127.0.0.1").pass_through()  # where the suite receives webhooks
        assert judged({api: f"http://sandbox.test/{api}"}) == usual
    assert "pass" in {verdict for verdict, _ in usual.values()}


TEST_OF_A_TEAM = """
import httpx
from conformance.routers import SandboxRouter

def test_ours():
    with SandboxRouter("offblocks") as router:
        assert httpx.get(router.base_urls["offblocks"] + "/v1/customers").status_code == 401
"""


@pytest.mark.parametrize(("options", "said"), [(["--allow-unix-socket"], "1 passed"), ([], "Give --allow-unix-socket")])
def test_where_sockets_are_blocked_it_works_or_says_what_it_needs(
    tmp_path: Path, options: Sequence[str], said: str
) -> None:
    (tmp_path / "test_ours.py").write_text(TEST_OF_A_TEAM)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--disable-socket", *options]
    done = subprocess.run(command, check=False, cwd=tmp_path, capture_output=True, text=True, timeout=100)
    assert said in done.stdout
