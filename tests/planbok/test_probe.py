"""What a live server shows that no document says is found out by GETs alone."""

import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from http.server import BaseHTTPRequestHandler

import pytest

from conformance.parts.probing import Result
from conformance.planbok import api
from conformance.planbok.probe import probe
from conformance.sandbox.remote import Control, World
from conformance.sandbox.server import start
from conformance.settings import LiveSettings


@pytest.fixture(scope="module")
def control() -> Iterator[Control]:
    with start(apis=[api]) as running:
        found = Control(running.origin)
        yield found
        found.close()


@pytest.fixture
def world(control: Control) -> World:
    return World(control, "probe")


def asked(world: World, **credentials: str) -> dict[str, Result]:
    own = {**world.credentials("planbok")["first"], **credentials}
    return {each.question: each for each in probe(LiveSettings(world.base_urls["planbok"], {"first": own}))}


def test_a_server_is_described_with_the_settings_that_follow(world: World) -> None:
    customer = world.customer("planbok", state="active", wallets=["ETH-SEPOLIA", "BTC-TESTNET", "ETH"])
    found = asked(world)
    assert all(each.conclusive for each in found.values())
    assert found["Is the API key accepted?"].answer == "Yes: 200, 1 customers on the first page of 100."
    assert found["Does this machine's clock agree?"].answer == "Yes, as far as the Date header tells."
    assert found["How is a wrong request answered?"].answer == "no key: 403; a wrong key: 401"
    assert found["Is a customer set up already?"].answer == f"Yes: {customer['id']}."
    chains = found["On which test networks have wallets been created?"]
    assert chains.answer == "ETH-SEPOLIA, BTC-TESTNET."
    assert chains.detail == 'CONFORMANCE_PLANBOK_BLOCKCHAINS="ETH-SEPOLIA BTC-TESTNET"'


def test_it_sends_nothing_but_gets(world: World) -> None:
    asked(world)
    methods = {each["request"]["method"] for each in world.requests()}
    assert methods == {"GET"}


def test_a_key_that_is_refused_ends_it(world: World) -> None:
    (only,) = asked(world, api_key="pbk_nobodys").values()
    assert not only.conclusive
    assert "was answered 401" in only.answer
    assert "pbk_nobodys" not in only.answer


def test_a_server_that_is_not_there_ends_it() -> None:
    (only,) = probe(LiveSettings("http://127.0.0.1:9", {"first": {"api_key": "pbk_any"}}))
    assert not only.conclusive
    assert "got no answer" in only.answer


@pytest.mark.parametrize("answers", [1, 3, 5])
def test_a_server_that_goes_away_meanwhile_ends_it(
    answering: Callable[[Callable[[BaseHTTPRequestHandler], None]], AbstractContextManager[str]], answers: int
) -> None:
    asked_for = list[str]()

    def answer(handler: BaseHTTPRequestHandler) -> None:
        asked_for.append(handler.path)
        if len(asked_for) > answers:
            handler.connection.shutdown(socket.SHUT_RDWR)
            return
        body = b'{"success": true, "data": [{"id": "c1", "status": "ACTIVE", "hasPin": true, "hasRecovery": true}]}'
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    with answering(answer) as url:
        *_, last = probe(LiveSettings(url, {"first": {"api_key": "pbk_any"}}))
    assert last.conclusive == (answers == len(asked_for))
    assert ("was lost" in last.answer) == (not last.conclusive)
