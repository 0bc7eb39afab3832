"""What the documents or clients name and the sandbox does not simulate, what nobody names, and chains of any source."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from conformance.api import Api, registered
from conformance.clock import FrozenClock
from conformance.ids import Ids
from conformance.planbok.chains import CHAINS, UNJUDGED_CHAINS
from conformance.sandbox.remote import Control, NotASandboxError, World
from conformance.sandbox.server import start
from conformance.sandbox.service import Service
from conformance.settings import SettingsError
from conformance.specification import Specification

GENERATOR = bytes.fromhex("0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798")
"""The public key of the private key 1, whose P2WPKH address BIP-173 prints."""
ALICE = bytes.fromhex("d43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d")
"""The public key that Substrate's documents call Alice's."""


@pytest.fixture
def world(control: Control, request: pytest.FixtureRequest) -> Iterator[World]:
    with World(control, request.node.name) as world:
        yield world


def ask(world: World, api: str, method: str, path: str) -> httpx.Response:
    return httpx.request(method, world.base_urls[api] + path, trust_env=False)


@pytest.mark.parametrize(
    ("api", "method", "path"),
    [
        ("planbok", "GET", "/v2/wallets/abc/balances"),
        ("planbok", "POST", "/v2/customers/abc/sign/message"),
        ("planbok", "POST", "/v2/customers/abc/transactions/transfer"),
        ("planbok", "POST", "/v2/customers/abc/export-private-keys"),
        ("planbok", "GET", "/v2/wallet-sets"),
        ("planbok", "POST", "/v2/organization/wallet-sets"),
        ("planbok", "POST", "/v2/organization/wallets"),
        ("planbok", "GET", "/v2/organization/transactions/abc"),
        ("planbok", "GET", "/v2/virtual-accounts/abc/balance"),
        ("offblocks", "POST", "/v1/customers/abc/accounts"),
        ("offblocks", "GET", "/v1/accounts/abc/challenge"),
        ("offblocks", "POST", "/v1/accounts/abc/challenge/sign"),
        ("offblocks", "PATCH", "/v1/customers/abc/deactivate"),
        ("offblocks", "DELETE", "/v1/auth/credentials"),
        ("offblocks", "DELETE", "/v1/webhooks/abc"),
        ("offblocks", "PATCH", "/v1/simulator/cards/abc/issue"),
    ],
)
def test_what_is_documented_and_not_simulated_says_so(world: World, api: str, method: str, path: str) -> None:
    answer = ask(world, api, method, path)
    assert answer.status_code == 501
    assert f"{method} {path} is documented, and this sandbox does not simulate it." in refusal(api, answer)


@pytest.mark.parametrize(
    ("api", "method", "path"),
    [("planbok", "POST", "/v2/wallets"), ("planbok", "PATCH", "/v2/wallets/abc"), ("offblocks", "GET", "/v1/webhooks")],
)
def test_where_another_method_is_simulated_both_are_said(world: World, api: str, method: str, path: str) -> None:
    answer = ask(world, api, method, path)
    assert answer.status_code == 405
    assert answer.headers["allow"]
    assert f"not {method}, which is documented, and this sandbox does not simulate it." in refusal(api, answer)


def refusal(api: str, answer: httpx.Response) -> str:
    """What a refusal says, in the form of the API."""
    body: dict[str, Any] = answer.json()
    if api == "planbok":
        assert answer.headers["content-type"] == "application/json"
        assert (body["success"], body["status"]) == (False, answer.status_code)
        return str(body["message"])
    assert answer.headers["content-type"] == "application/problem+json"
    return str(body["detail"])


@pytest.mark.parametrize("api", ["planbok", "offblocks"])
@pytest.mark.parametrize(
    ("method", "path", "status", "said"),
    [
        ("GET", "/v7/nothing", 404, "There is nothing at"),
        ("DELETE", "/{version}/customers", 405, "takes GET, HEAD, POST"),
    ],
)
def test_what_nobody_names_is_refused_in_the_form_of_the_api(
    world: World, api: str, method: str, path: str, status: int, said: str
) -> None:
    answer = ask(world, api, method, path.format(version={"planbok": "v2", "offblocks": "v1"}[api]))
    assert answer.status_code == status
    assert said in refusal(api, answer)


def test_a_variation_of_the_envelope_holds_there_too(world: World) -> None:
    world.variations("PutsErrorsInAnObject")
    body = ask(world, "planbok", "GET", "/v2/wallet-sets").json()
    assert "does not simulate it" in body["errors"]["message"]


@pytest.mark.parametrize("api", registered().values(), ids=lambda api: api.name)
def test_nothing_that_is_simulated_is_said_not_to_be(api: Api) -> None:
    assert api.sandbox is not None
    service = api.sandbox(FrozenClock(), Ids("test"), None)
    assert isinstance(service, Service)
    assert service.not_simulated
    for operation in Specification.load(api.specification).operations.values():
        assert not service.is_not_simulated(operation.method, operation.path.replace("{", "").replace("}", ""))


@pytest.mark.parametrize("path", ["/health", "/planbok/health", "/w/{world}/planbok/health"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_the_server_is_well(control: Control, world: World, method: str, path: str) -> None:
    name = world.base_urls["planbok"].split("/")[-2]
    answer = httpx.request(method, control.origin + path.format(world=name), trust_env=False)
    assert answer.status_code == 200
    assert method == "HEAD" or answer.json() == {"healthy": True}


def test_wallets_are_created_on_every_chain_that_a_source_names(world: World) -> None:
    chains = [*CHAINS, *UNJUDGED_CHAINS]
    made = world.customer("planbok", wallets=chains)["wallets"]
    assert [wallet["blockchain"] for wallet in made] == chains
    addresses = {wallet["blockchain"]: wallet["address"] for wallet in made}
    assert addresses["OSMO"].startswith("osmo1")
    assert addresses["DOT"].startswith("1")


def test_an_address_of_cosmos_is_the_hash_of_the_key_in_bech32() -> None:
    assert UNJUDGED_CHAINS["ATOM"].address(GENERATOR)[:39] == "cosmos1w508d6qejxtdg4y5r3zarvary0c5xw7k"
    assert len(UNJUDGED_CHAINS["ATOM"].address(GENERATOR)) == 45


def test_an_address_of_polkadot_is_the_key_in_ss58() -> None:
    assert UNJUDGED_CHAINS["DOT"].address(ALICE) == "15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp5"


def test_a_setting_adds_chains(control: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONFORMANCE_PLANBOK_SANDBOX_BLOCKCHAINS", "AVAX, SUI-DEVNET=solana")
    with World(control, "more chains") as world:
        made = world.customer("planbok", wallets=["AVAX", "SUI-DEVNET", "ETH"])["wallets"]
    assert made[0]["address"] == made[2]["address"]
    assert len(made[1]["address"]) in range(32, 45)


@pytest.mark.parametrize("text", ["AVAX=moon", "=evm", "avax", "A B-"])
def test_a_setting_that_names_no_chain_is_told(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("CONFORMANCE_PLANBOK_SANDBOX_BLOCKCHAINS", text)
    with pytest.raises(SettingsError, match="expected names such as AVAX"):
        start()


def test_an_unknown_chain_is_told_how_it_becomes_one(world: World) -> None:
    with pytest.raises(NotASandboxError, match=r"names 'AVAX'\. Known are "):
        world.customer("planbok", wallets=["AVAX"])
