"""The control routes: worlds, clock, faults, log."""

import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest

from conformance.api import Api, registered
from conformance.clock import SystemClock
from conformance.offblocks import OffBlocksApi
from conformance.sandbox.behaviour import compose, declared_changes
from conformance.sandbox.faults import Fault, UnknownFaultError
from conformance.sandbox.server import start

FAULTS = """
from functools import cached_property

from conformance.clock import pause
from conformance.offblocks.sandbox import OffBlocks
from conformance.sandbox.faults import Fault, Variation

class AcceptsExpiredChallenge(Fault, OffBlocks):
    breaks = ("challenge.expires-after-one-hour",)

    def challenge_is_in_time(self, challenge):
        return True

class NamesCustomersAlike(Fault, OffBlocks):
    breaks = ("customer.id-is-unique",)

    def new_customer_id(self, tenant, account, external_id):
        super().new_customer_id(tenant, account, external_id)
        return "123e4567-e89b-12d3-a456-426614174000"

class NamesCustomersAsTheFirst(Fault, OffBlocks):
    breaks = ("customer.id-is-unique",)

    @cached_property
    def named(self):
        return []

    def new_customer_id(self, tenant, account, external_id):
        self.named.append(super().new_customer_id(tenant, account, external_id))
        return self.named[0]

class HasAnInit(Fault, OffBlocks):
    breaks = ("customer.list",)

    def __init__(self, clock, ids, outbox):
        super().__init__(clock, ids, outbox)
        self.named = []

class TakesItsTime(Variation, OffBlocks):
    permits = "Nothing is said of how long an operation takes."

    async def take_time(self, call):
        await pause(0.1)

class BreaksDown(Fault, OffBlocks):
    breaks = ("customer.list",)

    async def list_customers(self, call):
        raise RuntimeError("broken on purpose")

class RefusesReusedKeyWith409(Variation, OffBlocks):
    permits = "Idempotency names 409 beside 422."

    def refusal_status(self, reason):
        return 409 if reason == "key-reused" else super().refusal_status(reason)
"""


@pytest.fixture
def faulty_api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Api:
    (tmp_path / "faults_of_offblocks.py").write_text(FAULTS)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "faults_of_offblocks", raising=False)

    class FaultyApi(OffBlocksApi):
        @property
        def faults(self) -> ModuleType:
            return import_module("faults_of_offblocks")

    return FaultyApi()


class TestWorlds:
    def test_the_default_world_is_described(self, http: httpx.Client, sandbox: Any) -> None:
        description = http.get(f"{sandbox.origin}/_sandbox").json()
        assert description["world"] == "default"
        assert description["base_urls"] == {"offblocks": f"{sandbox.origin}/offblocks"}
        assert description["tenants"].keys() == {"first", "second"}
        credentials = description["tenants"]["first"]["offblocks"]
        assert credentials.keys() == {"api_key", "api_secret", "signing_key", "signing_key_id"}
        assert credentials != description["tenants"]["second"]["offblocks"]
        body = {"apiKey": credentials["api_key"], "apiSecret": credentials["api_secret"]}
        assert http.post(f"{sandbox.origin}/offblocks/v1/auth/token", json=body).status_code == 200

    def test_worlds_of_one_seed_are_alike_and_apart(
        self, http: httpx.Client, sandbox: Any, make_world: Any, wallet: Any
    ) -> None:
        first, second = (make_world(http, sandbox.origin, seed="alike") for _ in range(2))
        assert first.description["tenants"] == second.description["tenants"]
        assert first.base_url != second.base_url
        created = first.client().create(wallet)
        assert second.client().send("GET", "/v1/customers").json() == []
        assert second.client().create(wallet) == created

    def test_worlds_of_other_seeds_differ(self, http: httpx.Client, sandbox: Any, make_world: Any, wallet: Any) -> None:
        first, second = (make_world(http, sandbox.origin, seed=seed) for seed in ("one", "two"))
        assert first.description["tenants"] != second.description["tenants"]
        one, two = first.client().create(wallet), second.client().create(wallet)
        assert one["id"] != two["id"]
        assert one["challenge"] != two["challenge"]

    def test_a_clock_stands_until_it_is_moved_and_moves_alone(
        self, http: httpx.Client, sandbox: Any, make_world: Any
    ) -> None:
        first, second = (make_world(http, sandbox.origin) for _ in range(2))
        assert first.control("POST", "/clock", {"advance_seconds": 90.5}).json() == {
            "clock": "2026-01-15T12:01:30.500000Z"
        }
        assert second.control("GET").json()["clock"] == "2026-01-15T12:00:00.000000Z"
        assert first.http.get(first.base_url).headers["date"] == "Thu, 15 Jan 2026 12:01:30 GMT"

    def test_the_default_clock_runs_and_can_be_moved(self, http: httpx.Client) -> None:
        from conformance.offblocks import api  # noqa: PLC0415

        with start(apis=[api]) as own:
            before = http.get(f"{own.origin}/_sandbox").json()["clock"]
            assert http.post(f"{own.origin}/_sandbox/clock", json={"advance_seconds": 3600}).status_code == 200
            after = http.get(f"{own.origin}/_sandbox").json()["clock"]
            assert after[:10] >= before[:10]
            assert after[11:13] != before[11:13]

    def test_reset_puts_a_world_back_to_its_beginning(self, world: Any, wallet: Any) -> None:
        world.client().create(wallet)
        world.advance(hours=1)
        assert world.control("POST", "/reset").json() == world.description
        assert world.client().send("GET", "/v1/customers").json() == []

    def test_a_dropped_world_is_gone(self, world: Any) -> None:
        assert world.control("DELETE").status_code == 204
        response = world.control("GET")
        assert response.status_code == 404
        assert "POST /_sandbox/worlds makes one" in response.json()["detail"]
        assert world.http.get(f"{world.base_url}/v1/customers").status_code == 404

    def test_the_default_world_cannot_be_dropped(self, http: httpx.Client, sandbox: Any) -> None:
        assert http.delete(f"{sandbox.origin}/_sandbox").status_code == 409

    def test_the_oldest_of_too_many_worlds_is_dropped(
        self, http: httpx.Client, make_world: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from conformance.offblocks import api  # noqa: PLC0415

        monkeypatch.setattr("conformance.sandbox.world._MOST_WORLDS", 2)
        with start(apis=[api]) as own:
            worlds = [make_world(http, own.origin) for _ in range(3)]
            assert [each.control("GET").status_code for each in worlds] == [404, 200, 200]


class TestFaults:
    def test_they_are_found_in_the_api(self, faulty_api: Api) -> None:
        assert declared_changes(faulty_api).keys() == {
            "AcceptsExpiredChallenge",
            "NamesCustomersAlike",
            "RefusesReusedKeyWith409",
            "TakesItsTime",
            "BreaksDown",
            "NamesCustomersAsTheFirst",
            "HasAnInit",
        }

    def test_they_change_one_world_and_leave_its_state(
        self, http: httpx.Client, make_world: Any, wallet: Any, faulty_api: Api
    ) -> None:
        with start(apis=[faulty_api]) as own:
            faulty = make_world(http, own.origin)
            right = make_world(http, own.origin)
            pairs = [(each.client(), each.client().create(wallet)) for each in (faulty, right)]
            response = faulty.control("PUT", "/faults", ["AcceptsExpiredChallenge"])
            assert response.json() == {"faults": ["AcceptsExpiredChallenge"]}
            statuses = []
            for client, customer in pairs:
                client.world.advance(hours=2)
                client.log_in()
                statuses.append(client.sign(customer, wallet).status_code)
            assert statuses == [204, 400]
            assert faulty.control("PUT", "/faults", []).json() == {"faults": []}
            assert faulty.control("GET").json()["faults"] == []

    def test_two_at_once_both_apply(self, http: httpx.Client, make_world: Any, wallet: Any, faulty_api: Api) -> None:
        with start(apis=[faulty_api], faults=["NamesCustomersAlike", "RefusesReusedKeyWith409"]) as own:
            client = make_world(http, own.origin).client()
            key = client.new_key()
            body = {"chainId": wallet.account, "externalId": "text"}
            created = client.send("POST", "/v1/customers", body, headers={"idempotency-key": key})
            assert created.json()["id"] == "123e4567-e89b-12d3-a456-426614174000"
            other = client.send("POST", "/v1/customers", {**body, "externalId": "b"}, headers={"idempotency-key": key})
            assert other.status_code == 409
            assert make_world(http, own.origin, faults=[]).description["faults"] == []

    def test_a_key_in_use_is_409_and_its_repeat_the_same(
        self, http: httpx.Client, make_world: Any, wallet: Any, faulty_api: Api
    ) -> None:
        with start(apis=[faulty_api]) as own, ThreadPoolExecutor(2) as pool:
            client = make_world(http, own.origin, faults=["TakesItsTime"]).client()
            headers = {"idempotency-key": client.new_key()}
            body = {"chainId": wallet.account, "externalId": "text"}

            def create() -> httpx.Response:
                response: httpx.Response = client.send("POST", "/v1/customers", body, headers=headers)
                return response

            responses = [attempt.result() for attempt in [pool.submit(create), pool.submit(create)]]
            assert {response.status_code for response in responses} == {201, 409}
            created = next(response for response in responses if response.status_code == 201)
            assert create().content == created.content

    @pytest.mark.parametrize("name", ["offblocks", "planbok"])
    def test_one_and_another_that_is_made_from_it_apply_in_either_order(self, name: str) -> None:
        known, base = declared_changes(registered()[name]).values(), registered()[name].sandbox
        assert base
        pairs = [(one, other) for one in known for other in known if one is not other and issubclass(other, one)]
        assert pairs
        for one, other in pairs:
            for chosen in ((one, other), (other, one)):
                assert issubclass(compose(base, chosen), chosen)

    def test_one_and_another_that_is_made_from_it_are_kept_by_a_reset(self, world: Any) -> None:
        names = ["RenewsAtEachFetch", "KeepsFormerChallengesAlive"]
        assert world.control("PUT", "/faults", names).json() == {"faults": names}
        assert world.control("POST", "/reset").json()["faults"] == names

    def test_what_one_remembers_stays_in_its_world(
        self, http: httpx.Client, make_world: Any, wallet: Any, other_wallet: Any, faulty_api: Api
    ) -> None:
        with start(apis=[faulty_api]) as own:
            faulty, right = (make_world(http, own.origin).client() for _ in range(2))
            faulty.world.control("PUT", "/faults", ["NamesCustomersAsTheFirst"])
            first = faulty.create(wallet)["id"]
            assert faulty.create(other_wallet)["id"] == first
            assert right.create(wallet)["id"] != right.create(other_wallet)["id"]
            faulty.world.control("PUT", "/faults", [])
            assert faulty.create(wallet, "another")["id"] != first
            faulty.world.control("PUT", "/faults", ["NamesCustomersAsTheFirst"])
            assert faulty.create(other_wallet, "another")["id"] == first

    def test_one_with_an_init_of_its_own_is_refused_with_what_to_do(
        self, http: httpx.Client, make_world: Any, faulty_api: Api
    ) -> None:
        message = "HasAnInit has an __init__ of its own. "
        with pytest.raises(UnknownFaultError, match=message + ".* in a functools.cached_property"):
            start(apis=[faulty_api], faults=["HasAnInit"])
        with start(apis=[faulty_api]) as own:
            world = make_world(http, own.origin, faults=["NamesCustomersAlike"])
            response = world.control("PUT", "/faults", ["HasAnInit"])
            assert response.status_code == 400
            assert message in response.json()["detail"]
            assert world.control("GET").json()["faults"] == ["NamesCustomersAlike"]

    def test_those_that_cannot_be_put_together_are_refused(self, faulty_api: Api) -> None:
        offblocks = faulty_api.sandbox
        assert offblocks
        one = type("One", (Fault, offblocks), {"breaks": ("customer.list",)})
        other = type("Other", (offblocks, Fault), {"breaks": ("customer.list",)})
        with pytest.raises(UnknownFaultError, match="No sandbox can be made of OffBlocks with One and Other: "):
            compose(offblocks, (one, other))

    def test_those_that_cannot_be_set_are_not_listed(self, world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(*classes: object) -> None:
            raise TypeError("No class can be made of these.")

        monkeypatch.setattr("conformance.sandbox.behaviour.compose", refuse)
        assert world.control("PUT", "/faults", ["RenewsAtEachFetch"]).status_code == 500
        assert world.control("GET").json()["faults"] == []

    def test_one_that_breaks_the_sandbox_is_not_taken_for_an_answer(
        self, http: httpx.Client, make_world: Any, faulty_api: Api, caplog: pytest.LogCaptureFixture
    ) -> None:
        with start(apis=[faulty_api]) as own:
            client = make_world(http, own.origin, faults=["BreaksDown"]).client()
            response = client.send("GET", "/v1/customers")
            assert response.status_code == 500
            assert "The sandbox itself broke" in response.json()["detail"]
        assert "broken on purpose" in caplog.text

    def test_an_unknown_one_is_told(self, http: httpx.Client, make_world: Any, faulty_api: Api) -> None:
        with pytest.raises(UnknownFaultError, match="AcceptsExpiredChallenge"):
            start(apis=[faulty_api], faults=["AcceptExpiredChallenge"])
        with start(apis=[faulty_api]) as own:
            world = make_world(http, own.origin, faults=["NamesCustomersAlike"])
            response = world.control("PUT", "/faults", ["AcceptExpiredChallenge"])
            assert response.status_code == 400
            assert "Close to it: AcceptsExpiredChallenge" in response.json()["detail"]
            assert world.control("GET").json()["faults"] == ["NamesCustomersAlike"]


@pytest.mark.parametrize(
    ("method", "part", "document", "refusal"),
    [
        ("POST", "/clock", {"advance_seconds": -1}, (400, "must be a number from 0")),
        ("POST", "/clock", {"advance_seconds": True}, (400, "must be a number from 0")),
        ("POST", "/clock", {"advance_seconds": 1e300}, (400, "must be a number from 0")),
        ("POST", "/clock", {"advance_seconds": 10**400}, (400, "must be a number from 0")),
        ("POST", "/clock", [], (400, "must be a JSON object, and is an array")),
        ("PUT", "/faults", {"faults": []}, (400, "must be an array of names")),
        ("PUT", "/faults", ["Nobody"], (400, "no fault called 'Nobody'")),
        ("PUT", "/webhook", {"url": "text"}, (400, "not an absolute http or https URL")),
        ("PUT", "/webhook", {"url": "http://[::1"}, (400, "not an absolute http or https URL")),
        ("PUT", "/webhook", {"url": "http://xn--/"}, (400, "not an absolute http or https URL")),
        ("PUT", "/webhook", {"url": "http://127.0.0.1/\x7f"}, (400, "not an absolute http or https URL")),
        ("PUT", "/webhook", {"url": "http://192.0.2.1/"}, (400, "not on this machine")),
        ("PUT", "/webhook", {}, (400, "lacks 'url'")),
        ("PATCH", "/clock", None, (405, "takes POST, not PATCH")),
        ("GET", "/nothing", None, (404, "There is no control route")),
        ("POST", "/worlds", {"seed": "a"}, (404, "There is no control route")),
    ],
)
def test_what_control_cannot_do_it_says(
    world: Any, method: str, part: str, document: Any, refusal: tuple[int, str]
) -> None:
    status, detail = refusal
    response = world.control(method, part, document)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert detail in response.json()["detail"]


@pytest.mark.parametrize("seconds", [b"NaN", b"Infinity", b"1e999"])
def test_a_clock_advances_by_numbers_only(world: Any, seconds: bytes) -> None:
    body = b'{"advance_seconds": %b}' % seconds
    assert world.http.post(f"{world.control_url}/clock", content=body).status_code == 400


def test_a_clock_does_not_run_past_the_end_of_time(world: Any) -> None:
    statuses = {world.control("POST", "/clock", {"advance_seconds": 315_360_000}).status_code for _ in range(800)}
    assert statuses == {200, 400}


@pytest.mark.parametrize("document", [{}, {"seed": 7}, {"seed": "a", "faults": "b"}, {"seed": "a", "faults": ["B"]}])
def test_a_world_needs_a_seed_and_known_faults(http: httpx.Client, sandbox: Any, document: Any) -> None:
    assert http.post(f"{sandbox.origin}/_sandbox/worlds", json=document).status_code == 400


class TestClockOfAWorld:
    def new_world(self, http: httpx.Client, sandbox: Any, clock: Any) -> httpx.Response:
        return http.post(f"{sandbox.origin}/_sandbox/worlds", json={"seed": "a clock", "clock": clock})

    @pytest.mark.parametrize(
        ("clock", "stands_at"),
        [
            ("frozen", "2026-01-15T12:00:00.000000Z"),
            ("2028-02-28T23:52:00Z", "2028-02-28T23:52:00.000000Z"),
            ("2026-09-09T11:59:58.987654+02:00", "2026-09-09T09:59:58.987654Z"),
        ],
    )
    def test_stands_where_it_is_asked_to(self, http: httpx.Client, sandbox: Any, clock: str, stands_at: str) -> None:
        assert self.new_world(http, sandbox, clock).json()["clock"] == stands_at

    def test_stands_there_again_after_a_reset(self, http: httpx.Client, sandbox: Any) -> None:
        world = self.new_world(http, sandbox, "2028-02-28T23:52:00Z").json()["world"]
        route = f"{sandbox.origin}/_sandbox/worlds/{world}"
        http.post(f"{route}/clock", json={"advance_seconds": 3600})
        assert http.post(f"{route}/reset").json()["clock"] == "2028-02-28T23:52:00.000000Z"

    def test_runs_in_real_time_if_asked_to(self, http: httpx.Client, sandbox: Any) -> None:
        before = SystemClock().now()
        description = self.new_world(http, sandbox, "real").json()
        after = SystemClock().now()
        assert before <= datetime.fromisoformat(description["clock"]) <= after
        route = f"{sandbox.origin}/_sandbox/worlds/{description['world']}"
        advanced = http.post(f"{route}/clock", json={"advance_seconds": 3600}).json()["clock"]
        assert timedelta(hours=1) <= datetime.fromisoformat(advanced) - before < timedelta(hours=1, minutes=1)

    @pytest.mark.parametrize("clock", ["noon", "2026-01-15", "2026-01-15T12:00:00", 7, None, True, "9999-99-99T00:00Z"])
    def test_is_no_other_thing(self, http: httpx.Client, sandbox: Any, clock: Any) -> None:
        response = self.new_world(http, sandbox, clock)
        assert response.status_code == 400
        assert '\'clock\' must be "real", "frozen", or the time of RFC 3339' in response.json()["detail"]
