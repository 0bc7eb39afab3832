"""The typed client: what it sends, when it repeats and waits, and what it says of answers that it cannot use."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise
from typing import Any
from uuid import UUID

import httpx
import pytest
import respx
from hypothesis import given
from hypothesis import strategies as st

from conformance.clock import EPOCH_OF_WORLDS, FrozenClock
from conformance.ids import Ids
from conformance.planbok.client import (
    ApiError,
    Challenge,
    Client,
    Credentials,
    Customer,
    Wallet,
    made_up_credentials,
    refused_access,
)
from conformance.planbok.messages import KEY_HEADER, SUCCESS_WORDS

AND_THE_NETWORK = "and at the network (refused)"
BASE_URL = "https://api.example/mount"
SETTINGS = made_up_credentials(Ids("client"))
CREDENTIALS = Credentials.from_settings(SETTINGS)
BACK = "https://app.example/back?step=pin"
PAGE = "https://gateway.example/challenges/6f1ed002ab5595859014ebf0951522d9"
CUSTOMER_ID, CHALLENGE_ID, WALLET_ID = (
    "6999f8aea74a2b1bd8855b89",
    "6999f8aea74a2b1bd8855b90",
    "6999f8aea74a2b1bd8855b91",
)
CUSTOMER = {
    "id": CUSTOMER_ID,
    "name": "Ünï",
    "refId": "user-1",
    "custodyType": "customer",
    "status": "active",
    "hasPin": True,
    "hasRecovery": False,
    "createdAt": "2026-01-15T12:00:00.000Z",
    "updatedAt": "2026-01-15T12:00:01.000Z",
}
PENDING = {
    "challengeId": CHALLENGE_ID,
    "redirectUrl": PAGE,
    "status": "pending",
    "task": "create wallets",
    "expiresAt": "2026-01-15T12:15:00Z",
}
WALLET = {
    "id": WALLET_ID,
    "blockchain": "ETH-SEPOLIA",
    "address": "0x22227A31dd842196A246d8f3b775998560eAa61d",
    "publicKey": "02abcdef",
    "name": "first",
    "customer": CUSTOMER_ID,
    "refId": "user-1",
    "state": "live",
    "createdAt": "2026-01-15T12:00:02Z",
}
VERIFIED = {**PENDING, "status": "verified", "result": {"wallets": [WALLET]}}

OVER_CUSTOMER = f"/v2/customers/{CUSTOMER_ID}"
CALLS: dict[str, tuple[str, str, Callable[[Client], object]]] = {
    "create": ("POST", "/v2/customers", lambda client: client.create_customer("Ünï", "user-1")),
    "customers": ("GET", "/v2/customers", lambda client: client.customers()),
    "customer": ("GET", OVER_CUSTOMER, lambda client: client.customer(CUSTOMER_ID)),
    "initialize": ("POST", f"{OVER_CUSTOMER}/initialize", lambda client: client.initialize(CUSTOMER_ID, BACK)),
    "recovery": ("POST", f"{OVER_CUSTOMER}/recovery", lambda client: client.set_up_recovery(CUSTOMER_ID, BACK)),
    "update": ("POST", f"{OVER_CUSTOMER}/update-pin", lambda client: client.update_pin(CUSTOMER_ID, BACK)),
    "reset": ("POST", f"{OVER_CUSTOMER}/reset-pin", lambda client: client.reset_pin(CUSTOMER_ID, BACK)),
    "provision": (
        "POST",
        f"{OVER_CUSTOMER}/wallet/create",
        lambda client: client.create_wallets(CUSTOMER_ID, ("ETH", "SOL"), BACK),
    ),
    "challenges": ("GET", f"{OVER_CUSTOMER}/challenges", lambda client: client.challenges(CUSTOMER_ID)),
    "challenge": (
        "GET",
        f"{OVER_CUSTOMER}/challenges/{CHALLENGE_ID}",
        lambda client: client.challenge(CUSTOMER_ID, CHALLENGE_ID),
    ),
    "wallets": ("GET", "/v2/wallets", lambda client: client.wallets([CUSTOMER_ID])),
    "wallet": ("GET", f"/v2/wallets/{WALLET_ID}", lambda client: client.wallet(WALLET_ID)),
}
ASKING_FOR_CHALLENGES = ("initialize", "recovery", "update", "reset", "provision")
LISTS = ("customers", "challenges", "wallets")
RIGHT: dict[str, Any] = {
    "create": CUSTOMER,
    "customers": [CUSTOMER],
    "customer": CUSTOMER,
    **dict.fromkeys(ASKING_FOR_CHALLENGES, PENDING),
    "challenges": [PENDING],
    "challenge": VERIFIED,
    "wallets": [WALLET],
    "wallet": WALLET,
}


def answer(data: Any, status: int = 200, **headers: str) -> httpx.Response:
    envelope = {"success": True, "status": status, "message": "Done", "data": data}
    return httpx.Response(status, json=envelope, headers=headers)


def refusal(status: int, message: str = "no", **headers: str) -> httpx.Response:
    body = {"success": False, "status": status, "message": message}
    return httpx.Response(status, json=body, headers=headers)


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest.fixture
def router() -> respx.MockRouter:
    """A server that answers each call rightly."""
    router = respx.MockRouter(base_url=BASE_URL, assert_all_called=False)
    for name, (method, path, _) in CALLS.items():
        status = 201 if method == "POST" else 200
        router.request(method, path=path, name=name).mock(return_value=answer(RIGHT[name], status))
    return router


@pytest.fixture
def client(router: respx.MockRouter, clock: FrozenClock) -> Client:
    return client_of(router, clock)


def client_of(router: respx.MockRouter, clock: FrozenClock) -> Client:
    return Client(
        f"{BASE_URL}/", CREDENTIALS, transport=httpx.MockTransport(router.handler), clock=clock, ids=Ids("test")
    )


def requests(router: respx.MockRouter, name: str) -> list[httpx.Request]:
    return [call.request for call in router[name].calls]


def body_of(request: httpx.Request) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(request.content)
    return body


def at(second: int, minute: int = 0) -> datetime:
    return datetime(2026, 1, 15, 12, minute, second, tzinfo=UTC)


# -------------------------------------------------------------------------------------------------------- what is sent


@pytest.mark.parametrize("name", CALLS)
def test_every_call_carries_the_key_and_asks_for_plain_json(
    client: Client, router: respx.MockRouter, name: str
) -> None:
    CALLS[name][2](client)
    (request,) = requests(router, name)
    assert request.headers[KEY_HEADER] == SETTINGS["api_key"]
    assert (request.headers["Accept"], request.headers["Accept-Encoding"]) == ("application/json", "identity")
    assert request.headers.get("Content-Type") == ("application/json" if request.method == "POST" else None)
    assert not [secret for secret in SETTINGS.values() if secret in str(request.url)]


def test_a_creation_names_customer_and_intent(client: Client, router: respx.MockRouter) -> None:
    client.create_customer("Ünï", "user-1")
    (request,) = requests(router, "create")
    key = body_of(request)["idempotencyKey"]
    assert UUID(key).version == 4
    assert request.content == f'{{"name":"Ünï","refId":"user-1","idempotencyKey":"{key}"}}'.encode()


@pytest.mark.parametrize("name", ["initialize", "recovery", "update", "reset"])
def test_a_challenge_of_the_pin_is_asked_for_with_the_way_back_alone(
    client: Client, router: respx.MockRouter, name: str
) -> None:
    CALLS[name][2](client)
    (request,) = requests(router, name)
    assert body_of(request) == {"redirectUrl": BACK}


def test_wallets_are_asked_for_as_documented(client: Client, router: respx.MockRouter) -> None:
    client.create_wallets(CUSTOMER_ID, ("ETH", "SOL"), BACK)
    client.create_wallets(CUSTOMER_ID, ["ETH"], BACK, account_type="sca")
    first, second = map(body_of, requests(router, "provision"))
    assert UUID(first.pop("idempotencyKey")).version == 4
    assert first == {"blockchains": ["ETH", "SOL"], "accountType": "eoa", "redirectUrl": BACK}
    assert second["accountType"] == "sca"


def test_every_intent_has_a_key_of_its_own(client: Client, router: respx.MockRouter) -> None:
    for _ in range(2):
        client.create_customer("Ada", "user-1")
        client.create_wallets(CUSTOMER_ID, ["ETH"], BACK)
    sent = requests(router, "create") + requests(router, "provision")
    assert len({body_of(request)["idempotencyKey"] for request in sent}) == 4


def test_send_does_as_it_is_told(client: Client, router: respx.MockRouter) -> None:
    client.send("POST", "/v2/customers", content=b"{ }", key="another", headers={"Content-Type": "text/plain"})
    client.send("POST", "/v2/customers", body={"name": "Ünï"}, key=None)
    other, none = requests(router, "create")
    assert (other.content, other.headers["Content-Type"], other.headers[KEY_HEADER]) == (
        b"{ }",
        "text/plain",
        "another",
    )
    assert none.content == '{"name":"Ünï"}'.encode()
    assert KEY_HEADER not in none.headers


def test_leaving_the_client_closes_it_and_the_environment_has_no_say(client: Client) -> None:
    with client as entered:
        assert entered is client
    assert (client._http.is_closed, client._http.trust_env) == (True, False)


def test_extensions_reach_the_transport(client: Client, router: respx.MockRouter) -> None:
    client.send("GET", "/v2/customers", extensions={"mine": "kept"})
    assert requests(router, "customers")[0].extensions["mine"] == "kept"


@pytest.mark.parametrize("wrong", ["", ".", "..", "a/b", "a?b", "a#b", "a b", "a,b", "Ünï", "a%2Fb", "a\n", None, 5])
def test_what_is_no_id_never_leaves(client: Client, router: respx.MockRouter, wrong: Any) -> None:
    calls: list[Callable[[], object]] = [
        lambda: client.customer(wrong),
        lambda: client.initialize(wrong, BACK),
        lambda: client.set_up_recovery(wrong, BACK),
        lambda: client.update_pin(wrong, BACK),
        lambda: client.reset_pin(wrong, BACK),
        lambda: client.create_wallets(wrong, ["ETH"], BACK),
        lambda: client.challenge(wrong, CHALLENGE_ID),
        lambda: client.challenge(CUSTOMER_ID, wrong),
        lambda: client.challenges(wrong),
        lambda: client.wallet(wrong),
        lambda: client.wallets([CUSTOMER_ID, wrong]),
    ]
    for call in calls:
        with pytest.raises((TypeError, ValueError), match=r"is no id|no string"):
            call()
    assert not router.calls


# ------------------------------------------------------------------------------------------------------ what is read


def test_customers_are_read(client: Client) -> None:
    expected = Customer(
        CUSTOMER_ID,
        "Ünï",
        "user-1",
        "customer",
        "active",
        has_pin=True,
        has_recovery=False,
        created_at=at(0),
        updated_at=at(1),
    )
    assert client.create_customer("Ünï", "user-1") == client.customer(CUSTOMER_ID) == expected
    assert client.customers() == [expected]


def test_wallets_are_read(client: Client) -> None:
    expected = Wallet(
        "ETH-SEPOLIA", WALLET["address"], WALLET_ID, CUSTOMER_ID, "02abcdef", "first", "user-1", "live", at(2)
    )
    assert client.wallet(WALLET_ID) == expected
    assert client.wallets([CUSTOMER_ID]) == [expected]
    assert expected.place == ("ETH-SEPOLIA", WALLET["address"])
    assert client.challenge(CUSTOMER_ID, CHALLENGE_ID).wallets == (expected,)


@pytest.mark.parametrize("name", ASKING_FOR_CHALLENGES)
def test_a_challenge_is_read(client: Client, name: str) -> None:
    found = CALLS[name][2](client)
    assert found == Challenge(CHALLENGE_ID, PAGE, "pending", "create wallets", at(0, minute=15))
    assert isinstance(found, Challenge)
    assert (found.succeeded, found.ended) == (False, False)


@pytest.mark.parametrize(
    ("shown", "complete"),
    [
        ({"hasPin": True, "hasRecovery": True}, True),
        ({"hasPin": True, "hasRecovery": False}, False),
        ({"hasPin": False, "hasRecovery": True}, False),
        ({"hasRecovery": True}, False),
        ({"hasPin": True, "hasRecovery": None}, False),
    ],
)
def test_a_set_up_is_complete_where_both_parts_are_shown_to_be(shown: dict[str, Any], complete: bool) -> None:
    assert Customer.from_json({"id": "1", **shown}).is_set_up is complete


@pytest.mark.parametrize("flag", ["true", 1, "", [True]])
def test_what_is_neither_true_nor_false_does_not_count_as_set_up(flag: Any) -> None:
    for name in ("hasPin", "hasRecovery"):
        with pytest.raises(TypeError, match=f"{name} is neither true nor false"):
            Customer.from_json({"id": "1", name: flag})


def test_members_that_no_page_documents_may_be_missing_or_of_another_type() -> None:
    assert Customer.from_json({"id": "1", "name": 5, "createdAt": "yesterday", "status": None}) == Customer("1")
    assert Challenge.from_json({"id": "1", "expiresAt": 5, "status": 7}) == Challenge("1")
    shown = {"blockchain": "ETH", "address": "0x", "id": 5, "customer": {"id": "1"}}
    assert Wallet.from_json(shown) == Wallet("ETH", "0x")


@pytest.mark.parametrize(
    ("names", "expected"),
    [({"challengeId": "a"}, "a"), ({"id": "b"}, "b"), ({"challengeId": "a", "id": "b"}, "a")],
)
def test_the_id_of_a_challenge_has_either_name(names: dict[str, str], expected: str) -> None:
    assert Challenge.from_json(names).id == expected


@pytest.mark.parametrize("status", [*SUCCESS_WORDS, "failed", "pending", "expired", "VERIFIED", None])
@pytest.mark.parametrize(
    "result", [[WALLET], {"wallets": [WALLET]}, {"wallets": WALLET}, {"signature": "0x"}, "x", None]
)
def test_wallets_are_believed_of_a_challenge_that_succeeded_alone(status: str | None, result: Any) -> None:
    challenge = Challenge.from_json({**PENDING, "status": status, "result": result})
    assert challenge.succeeded is (status in SUCCESS_WORDS)
    assert challenge.ended is (challenge.succeeded or status == "failed")
    assert challenge.result == result
    held = result in ([WALLET], {"wallets": [WALLET]})
    assert len(challenge.wallets) == (1 if challenge.succeeded and held else 0)


@pytest.mark.parametrize("broken", [{}, {"blockchain": "ETH"}, {"address": "0x", "blockchain": 1}, "0x", None])
def test_a_wallet_that_cannot_be_read_is_not_passed_over(client: Client, router: respx.MockRouter, broken: Any) -> None:
    router["challenge"].mock(return_value=answer({**VERIFIED, "result": [WALLET, broken]}))
    with pytest.raises(ApiError, match="is not what was asked for"):
        client.challenge(CUSTOMER_ID, CHALLENGE_ID)


@pytest.mark.parametrize(
    "page", ["", "/challenges/1", "javascript:alert(1)", "https://", "ftp://gateway.example/", "https://[::1", 5, ["x"]]
)
@pytest.mark.parametrize("name", ASKING_FOR_CHALLENGES)
def test_nobody_is_sent_to_what_is_no_web_page(client: Client, router: respx.MockRouter, name: str, page: Any) -> None:
    router[name].mock(return_value=answer({**PENDING, "redirectUrl": page}, 201))
    with pytest.raises(ApiError, match="is not what was asked for"):
        CALLS[name][2](client)


@pytest.mark.parametrize("missing", [{"challengeId": "1"}, {"challengeId": "1", "redirectUrl": None}])
def test_a_new_challenge_has_a_page(client: Client, router: respx.MockRouter, missing: dict[str, Any]) -> None:
    router["initialize"].mock(return_value=answer(missing, 201))
    with pytest.raises(ApiError, match=f"The answer to POST /mount{OVER_CUSTOMER}/initialize holds no redirectUrl"):
        client.initialize(CUSTOMER_ID, BACK)


LEAVES = st.sampled_from([None, True, False, 0, -1.5, "", "Ünï", "verified", CUSTOMER_ID, PAGE])
MEMBERS = st.sampled_from([*CUSTOMER, *VERIFIED, *WALLET, "wallets"])
ANYTHING = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(MEMBERS, inner, max_size=6), max_leaves=10
)


def altered(data: Any, member: str, value: Any) -> Any:
    """A payload in which one member, of the first entry if it is a list, has another value."""
    return [altered(data[0], member, value)] if isinstance(data, list) else {**data, member: value}


@given(st.sampled_from(list(CALLS)), MEMBERS | st.none(), ANYTHING)
def test_any_payload_is_read_or_explained(name: str, member: str | None, value: Any) -> None:
    data = altered(RIGHT[name], member, value) if member else value
    router = respx.MockRouter(base_url=BASE_URL)
    router.route().mock(side_effect=[answer(data), answer([])])
    with client_of(router, FrozenClock()) as client:
        try:
            found = CALLS[name][2](client)
        except ApiError as error:
            found = error
    assert isinstance(found, Customer | Challenge | Wallet | list) or "The answer to" in str(found)


# ------------------------------------------------------------------------------------------------------------- lists


def numbered(numbers: range) -> list[dict[str, Any]]:
    return [{"id": str(number)} for number in numbers]


def pages_of(router: respx.MockRouter, name: str) -> list[tuple[str, str]]:
    return [(request.url.params["page"], request.url.params["limit"]) for request in requests(router, name)]


def test_a_small_page_is_the_last(client: Client, router: respx.MockRouter) -> None:
    router["customers"].mock(return_value=answer(numbered(range(9))))
    assert [customer.id for customer in client.customers()] == [str(number) for number in range(9)]
    assert pages_of(router, "customers") == [("1", "100")]


@pytest.mark.parametrize("size", [10, 50, 100])
def test_pages_are_read_whatever_limit_the_server_allows(client: Client, router: respx.MockRouter, size: int) -> None:
    def page(request: httpx.Request) -> httpx.Response:
        start = size * (int(request.url.params["page"]) - 1)
        return answer(numbered(range(start, min(start + size, 120))))

    router["challenges"].mock(side_effect=page)
    assert [challenge.id for challenge in client.challenges(CUSTOMER_ID)] == [str(number) for number in range(120)]


def test_an_entry_that_moved_to_the_next_page_counts_once(client: Client, router: respx.MockRouter) -> None:
    pages = [numbered(range(10)), numbered(range(9, 19)), numbered(range(18, 20))]
    router["customers"].mock(side_effect=[answer(page) for page in pages])
    assert [customer.id for customer in client.customers()] == [str(number) for number in range(20)]


def test_a_server_that_knows_no_pages_is_not_asked_for_ever(client: Client, router: respx.MockRouter) -> None:
    router["customers"].mock(return_value=answer(numbered(range(30))))
    assert len(client.customers()) == 30
    assert len(requests(router, "customers")) == 2


def test_wallets_without_an_id_are_told_apart_by_their_place(client: Client, router: respx.MockRouter) -> None:
    shown = [{"blockchain": "ETH", "address": hex(number)} for number in range(12)]
    router["wallets"].mock(side_effect=[answer(shown), answer(shown)])
    assert len(client.wallets([CUSTOMER_ID])) == 12


def test_wallets_of_several_customers_are_asked_for_together(client: Client, router: respx.MockRouter) -> None:
    client.wallets([CUSTOMER_ID, "other"])
    (request,) = requests(router, "wallets")
    assert request.url.query == f"customerIds={CUSTOMER_ID},other&page=1&limit=100".encode()


@pytest.mark.parametrize("nobody", [[], (), "", CUSTOMER_ID])
def test_wallets_of_nobody_in_particular_are_never_asked_for(
    client: Client, router: respx.MockRouter, nobody: Any
) -> None:
    with pytest.raises(ValueError, match="everybody's wallets"):
        client.wallets(nobody)
    assert not router.calls


def test_no_more_than_twenty_reads_go_out_within_a_second(
    client: Client, router: respx.MockRouter, clock: FrozenClock
) -> None:
    times = []

    def page(request: httpx.Request) -> httpx.Response:
        times.append(clock.now())
        clock.advance(timedelta(milliseconds=7))
        start = 10 * int(request.url.params["page"])
        return answer(numbered(range(start, start + (10 if start < 700 else 1))))

    router["customers"].mock(side_effect=page)
    client.customers()
    assert len(times) == 70
    assert all(later - earlier >= timedelta(seconds=1) for earlier, later in zip(times, times[20:], strict=False))
    assert times[19] - times[0] < timedelta(seconds=1)


def test_a_clock_that_was_set_back_holds_nobody_up(client: Client, clock: FrozenClock) -> None:
    for _ in range(20):
        client.customer(CUSTOMER_ID)
    clock.advance(-timedelta(hours=1))
    client.customer(CUSTOMER_ID)
    assert clock.now() == EPOCH_OF_WORLDS - timedelta(hours=1)


# ----------------------------------------------------------------------------------------------------------- waiting


def test_a_challenge_is_read_every_two_seconds_until_it_ended(
    client: Client, router: respx.MockRouter, clock: FrozenClock
) -> None:
    router["challenge"].mock(side_effect=[answer(PENDING)] * 5 + [answer(VERIFIED)])
    began = clock.now()
    found = client.await_challenge(CUSTOMER_ID, CHALLENGE_ID)
    assert (found.succeeded, len(found.wallets)) == (True, 1)
    assert clock.now() - began == timedelta(seconds=10)


@pytest.mark.parametrize("status", ["failed", *SUCCESS_WORDS])
def test_a_challenge_that_ended_is_not_read_again(client: Client, router: respx.MockRouter, status: str) -> None:
    router["challenge"].mock(return_value=answer({**PENDING, "status": status}))
    assert client.await_challenge(CUSTOMER_ID, CHALLENGE_ID).status == status
    assert len(requests(router, "challenge")) == 1


@pytest.mark.parametrize(
    ("expiry", "timeout", "reads"),
    [
        ("2026-01-15T12:15:00Z", {}, 450),
        ("2026-01-15T12:01:00Z", {}, 30),
        ("2026-01-15T12:01:00Z", {"timeout": timedelta(seconds=10)}, 5),
        (None, {}, 450),
        (None, {"timeout": timedelta()}, 1),
        ("2026-01-15T13:00:00Z", {}, 450),
        ("2026-01-15T11:00:00Z", {}, 1),
        ("soon", {"timeout": timedelta(seconds=3)}, 2),
    ],
)
def test_nobody_reads_a_challenge_after_its_time(
    client: Client, router: respx.MockRouter, clock: FrozenClock, expiry: str | None, timeout: Any, reads: int
) -> None:
    router["challenge"].mock(return_value=answer({**PENDING, "expiresAt": expiry, "status": "processing"}))
    found = client.await_challenge(CUSTOMER_ID, CHALLENGE_ID, **timeout)
    assert (found.status, found.ended) == ("processing", False)
    assert len(requests(router, "challenge")) == reads
    assert clock.now() - EPOCH_OF_WORLDS == (reads - 1) * timedelta(seconds=2)


def test_waiting_asks_the_clock_only_before_it_reads(router: respx.MockRouter) -> None:
    # The clock of a recording tells the time of the next exchange as soon as one was played.
    recorded = [EPOCH_OF_WORLDS + number * timedelta(seconds=2) for number in range(4)]

    class Recording:
        def now(self) -> datetime:
            return recorded[min(router["challenge"].call_count, 3)]

        def advance(self, duration: timedelta) -> None:
            pass

    router["challenge"].mock(return_value=answer({**PENDING, "expiresAt": "2026-01-15T12:00:08Z"}))
    with Client(BASE_URL, CREDENTIALS, transport=httpx.MockTransport(router.handler), clock=Recording()) as client:
        client.await_challenge(CUSTOMER_ID, CHALLENGE_ID)
    assert router["challenge"].call_count == 4


# ------------------------------------------------------------------------------------------------------------ repeats


UNSETTLED = [
    httpx.ConnectError("no route"),
    httpx.ReadTimeout(""),
    httpx.RemoteProtocolError("hung up"),
    httpx.Response(500),
    httpx.Response(502),
    httpx.Response(503),
    httpx.Response(504),
]


@pytest.mark.parametrize("name", ["create", "provision", "initialize"])
@pytest.mark.parametrize("trouble", UNSETTLED, ids=repr)
def test_a_request_that_was_not_settled_is_repeated_as_it_was(
    client: Client, router: respx.MockRouter, clock: FrozenClock, name: str, trouble: Any
) -> None:
    router[name].side_effect = [trouble, trouble, answer(RIGHT[name], 201)]
    CALLS[name][2](client)
    sent = requests(router, name)
    assert len(sent) == 3
    assert len({request.content for request in sent}) == 1
    assert clock.now() - EPOCH_OF_WORLDS == timedelta(milliseconds=600)


@pytest.mark.parametrize(
    ("wishes", "waited"),
    [
        ([{}, {}], [1, 2]),
        ([{"Retry-After": "5"}, {}], [5, 10]),
        ([{"Retry-After": "5"}, {"Retry-After": "1"}], [5, 10]),
        ([{"Retry-After": "1"}, {"Retry-After": "7"}], [1, 7]),
        ([{"Retry-After": "0"}, {"Retry-After": "0"}], [0.2, 0.4]),
        ([{"Retry-After": format_datetime(at(4), usegmt=True)}, {}], [4, 8]),
        ([{"Retry-After": "Thu, 15 Jan 2026 11:00:00 GMT"}, {}], [0.2, 1]),
        ([{"Retry-After": "soon"}, {"Retry-After": "-5"}], [1, 2]),
    ],
)
def test_a_client_that_was_told_to_slow_down_does(
    client: Client, router: respx.MockRouter, clock: FrozenClock, wishes: list[dict[str, str]], waited: list[float]
) -> None:
    times = []
    answers = iter([*(refusal(429, **wish) for wish in wishes), answer(CUSTOMER)])

    def respond(_request: httpx.Request) -> httpx.Response:
        times.append(clock.now())
        return next(answers)

    router["customer"].mock(side_effect=respond)
    assert client.customer(CUSTOMER_ID).id == CUSTOMER_ID
    pauses = [(later - earlier).total_seconds() for earlier, later in pairwise(times)]
    assert pauses == waited


def test_a_503_may_ask_to_wait_too(client: Client, router: respx.MockRouter, clock: FrozenClock) -> None:
    router["customer"].side_effect = [httpx.Response(503, headers={"Retry-After": "3"}), answer(CUSTOMER)]
    client.customer(CUSTOMER_ID)
    assert clock.now() - EPOCH_OF_WORLDS == timedelta(seconds=3)


@pytest.mark.parametrize("wish", ["31", "3600", "9" * 12, "9" * 5000, "Thu, 15 Jan 2026 13:00:00 GMT"])
def test_nobody_is_kept_waiting_for_long(
    client: Client, router: respx.MockRouter, clock: FrozenClock, wish: str
) -> None:
    router["customer"].mock(return_value=refusal(429, "too many", **{"Retry-After": wish}))
    with pytest.raises(ApiError, match=r"was answered 429: .*too many") as caught:
        client.customer(CUSTOMER_ID)
    assert caught.value.response is not None
    assert caught.value.response.headers["Retry-After"] == wish
    assert (len(requests(router, "customer")), clock.now()) == (1, EPOCH_OF_WORLDS)


@given(st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=40) | st.from_regex(r"\A[0-9]+ ?\Z"))
def test_any_wish_is_understood_or_passed_over(wish: str) -> None:
    router = respx.MockRouter(base_url=BASE_URL)
    asked = httpx.Response(429, headers=[(b"Retry-After", wish.strip().encode("latin-1"))])
    router.route().mock(side_effect=[asked, answer(CUSTOMER)])
    clock = FrozenClock()
    with client_of(router, clock) as client:
        try:
            client.customer(CUSTOMER_ID)
        except ApiError:
            assert clock.now() == EPOCH_OF_WORLDS
        else:
            assert timedelta(milliseconds=200) <= clock.now() - EPOCH_OF_WORLDS <= timedelta(seconds=30)


@pytest.mark.parametrize(
    ("trouble", "message"),
    [
        (
            httpx.ReadTimeout(""),
            "POST /v2/customers got no answer: HTTP: the server took the request and says nothing (ReadTimeout)",
        ),
        (
            httpx.ConnectError("refused"),
            f"POST /v2/customers got no answer: TCP: the host cannot be reached; look at the URL, {AND_THE_NETWORK}",
        ),
        (httpx.Response(500, text="oops"), "POST /mount/v2/customers was answered 500: oops"),
        (httpx.Response(503), "POST /mount/v2/customers was answered 503"),
        (httpx.Response(429), "POST /mount/v2/customers was answered 429"),
    ],
    ids=repr,
)
def test_it_gives_up_after_three_tries(client: Client, router: respx.MockRouter, trouble: Any, message: str) -> None:
    router["create"].side_effect = [trouble] * 4
    with pytest.raises(ApiError, match=f"^{re.escape(message)}$"):
        client.create_customer("Ada", "user-1")
    assert len(requests(router, "create")) == 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 501])
def test_a_settled_refusal_is_not_repeated(client: Client, router: respx.MockRouter, status: int) -> None:
    router["create"].mock(return_value=refusal(status))
    with pytest.raises(ApiError, match=f"POST /mount/v2/customers was answered {status}: .*no") as caught:
        client.create_customer("Ada", "user-1")
    assert caught.value.response is not None
    assert caught.value.response.status_code == status
    assert len(requests(router, "create")) == 1


@pytest.mark.parametrize("status", [429, 503])
def test_send_repeats_nothing(client: Client, router: respx.MockRouter, status: int) -> None:
    router["create"].mock(return_value=refusal(status))
    assert client.send("POST", "/v2/customers", body={}).status_code == status
    assert len(requests(router, "create")) == 1


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(client: Client, router: respx.MockRouter, status: int) -> None:
    elsewhere = router.route(host="elsewhere.example")
    router["create"].respond(status, headers={"Location": "https://elsewhere.example/v2/customers"})
    with pytest.raises(ApiError, match=f"was answered {status}$"):
        client.create_customer("Ada", "user-1")
    assert not elsewhere.called


# -------------------------------------------------------------------------------------------------------- bad answers


NO_ANSWERS: dict[str, dict[str, Any]] = {
    "html": {"html": "<html>Welcome</html>"},
    "nothing": {},
    "cut off": {"content": b'{"success": true, "data": {'},
    "no UTF-8": {"content": b'\xff\xfe"'},
    "too deep": {"content": b"[" * 200_000},
    "null": {"json": None},
    "an array": {"json": [CUSTOMER]},
    "no data": {"json": {"success": True, "status": 200, "message": "Done"}},
    "the bare customer": {"json": CUSTOMER},
    "null as data": {"json": {"success": True, "data": None}},
    "a number as data": {"json": {"success": True, "data": 5}},
    "an empty object as data": {"json": {"success": True, "data": {}}},
    "a list of numbers as data": {"json": {"success": True, "data": [5]}},
    "a list of empty objects as data": {"json": {"success": True, "data": [{}]}},
    "members of other types": {"json": {"data": {name: [1] for name in (*CUSTOMER, *VERIFIED, *WALLET)}}},
}


@pytest.mark.parametrize("shape", NO_ANSWERS)
@pytest.mark.parametrize("name", CALLS)
def test_an_answer_of_another_shape_is_explained(
    client: Client, router: respx.MockRouter, name: str, shape: str
) -> None:
    method, path, call = CALLS[name]
    router[name].side_effect = lambda _request: httpx.Response(200, **NO_ANSWERS[shape])
    with pytest.raises(ApiError, match=f"^The answer to {method} /mount{path} ") as caught:
        call(client)
    assert caught.value.response is not None
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("name", CALLS)
def test_a_failure_that_hides_behind_a_success_is_one(client: Client, router: respx.MockRouter, name: str) -> None:
    body = {"success": False, "errors": {"message": "no such thing"}, "data": RIGHT[name]}
    router[name].mock(return_value=httpx.Response(200, json=body))
    with pytest.raises(ApiError, match=r"is 200, but no success: .*no such thing"):
        CALLS[name][2](client)


@pytest.mark.parametrize("status", [200, 201, 202])
def test_any_success_will_do(client: Client, router: respx.MockRouter, status: int) -> None:
    router["create"].mock(return_value=httpx.Response(status, json={"data": CUSTOMER}))
    assert client.create_customer("Ada", "user-1").id == CUSTOMER_ID


@pytest.mark.parametrize("name", CALLS)
def test_an_answer_that_cannot_be_decoded_is_none(client: Client, router: respx.MockRouter, name: str) -> None:
    method, path, call = CALLS[name]
    broken: dict[str, Any] = {"content": b"no gzip", "headers": {"Content-Encoding": "gzip"}}
    router[name].side_effect = lambda _request: httpx.Response(200, **broken)
    with pytest.raises(ApiError, match=rf"^{method} {path}\S* got no answer: "):
        call(client)


def test_secrets_that_an_answer_repeats_are_hidden(client: Client, router: respx.MockRouter) -> None:
    told = " and ".join(SETTINGS.values())
    router["create"].mock(return_value=httpx.Response(400, text="x" * 260 + told))
    with pytest.raises(ApiError, match=r"x+\[secret\] and \[secret") as caught:
        client.create_customer("Ada", "user-1")
    router["customer"].mock(return_value=answer({"id": f"no id {told}"}))
    with pytest.raises(ApiError, match=r"no id \[secret\] and \[secret\]") as also:
        client.customer(CUSTOMER_ID)
    router["wallet"].side_effect = httpx.ConnectError(told)
    with pytest.raises(ApiError, match=r"got no answer: .*\[secret\]") as too:
        client.wallet(WALLET_ID)
    assert not [secret for secret in SETTINGS.values() for each in (caught, also, too) if secret in str(each.value)]


def test_a_long_answer_is_cut(client: Client, router: respx.MockRouter) -> None:
    router["create"].respond(400, text="y" * 10_000)
    with pytest.raises(ApiError) as caught:
        client.create_customer("Ada", "user-1")
    assert str(caught.value).count("y") == 300


# -------------------------------------------------------------------------------------------------------- credentials


@pytest.mark.parametrize("key", ["", "two words", "line\r\nX-Injected: 1", "Ünï", " key-1", "key-1\n"])
def test_a_key_that_fits_no_header_is_refused_without_showing_it(key: str) -> None:
    for named in ({**SETTINGS, "api_key": key}, {**SETTINGS, "read_only_key": key}):
        with pytest.raises(ValueError, match=r"^A key must be visible ASCII") as caught:
            Credentials.from_settings(named)
        assert not key or key not in str(caught.value)


def test_all_but_the_key_may_be_left_out() -> None:
    assert Credentials.from_settings({"api_key": "k", "blockchains": "ETH SOL"}) == Credentials("k", None, None)


def test_credentials_show_no_secret() -> None:
    assert not [secret for secret in SETTINGS.values() if secret in repr(CREDENTIALS)]


def test_made_up_credentials_are_reproducible_and_whole() -> None:
    one, same, other = (made_up_credentials(Ids(name)) for name in ("a", "a", "b"))
    assert one == same
    assert set(one) == {"api_key", "webhook_secret", "read_only_key"}
    assert len({*one.values(), *other.values()}) == 6


def access(router: respx.MockRouter) -> str | None:
    return refused_access(f"{BASE_URL}/", {**SETTINGS, "blockchains": "ETH"}, httpx.MockTransport(router.handler))


def test_access_asks_for_one_customer(router: respx.MockRouter) -> None:
    assert access(router) is None
    (request,) = requests(router, "customers")
    assert request.url.query == b"limit=1"
    assert request.headers[KEY_HEADER] == SETTINGS["api_key"]


@pytest.mark.parametrize("status", [200, 400, 404, 429, 500])
def test_what_is_no_refusal_is_left_to_the_tests(router: respx.MockRouter, status: int) -> None:
    router["customers"].mock(return_value=httpx.Response(status))
    router.get(path__regex="/v2/[-0-9a-f]{36}$").respond(410)
    assert access(router) is None
    assert len(requests(router, "customers")) == 1


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_is_told(router: respx.MockRouter, status: int) -> None:
    router["customers"].respond(status, text=f"bad key {SETTINGS['api_key']}")
    assert access(router) == (
        f"GET https://api.example/mount/v2/customers?limit=1 was answered {status}: bad key [secret] "
        "Compare the API key with the one that Planbok shows, and whether it may be used from this address."
    )


@pytest.mark.parametrize("charset", ["base64", "hex", "zlib", "idna", "undefined", "nobodys"])
def test_a_refusal_is_told_whatever_charset_it_names(router: respx.MockRouter, charset: str) -> None:
    router["customers"].respond(401, content=b"No.\xff", headers={"Content-Type": f"text/plain; charset={charset}"})
    assert "401: No.\ufffd" in str(access(router))


def test_a_server_that_does_not_answer_is_told(router: respx.MockRouter) -> None:
    router["customers"].side_effect = httpx.ReadTimeout("")
    assert access(router) == (
        "GET https://api.example/mount/v2/customers?limit=1 got no answer: "
        "HTTP: the server took the request and says nothing (ReadTimeout)"
    )


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (httpx.Response(200, html="<html>"), "200. HTTP: a page for people answers there"),
        (httpx.Response(502, html="<html>"), "502. HTTP: a page for people answers there"),
        (httpx.Response(404, text="404 page not found"), "404. HTTP: nothing of the API is at this path"),
        (
            httpx.Response(302, headers={"Location": f"https://login.example/?key={SETTINGS['api_key']}"}),
            "302. HTTP: it redirects to 'https://login.example/'",
        ),
    ],
)
def test_what_answers_but_is_no_api_is_told_after_one_request(
    router: respx.MockRouter, answer: httpx.Response, told: str
) -> None:
    router["customers"].mock(return_value=answer)
    reason = str(access(router))
    assert f"was answered {told}" in reason
    assert "Look at the base URL" in reason
    assert SETTINGS["api_key"] not in reason
    assert len(requests(router, "customers")) == 1
