"""The typed client: what it sends, when it repeats, and what it says of answers that it cannot use."""

import base64
import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID

import httpx
import pytest
import respx

from conformance.clock import FrozenClock
from conformance.ids import Ids
from conformance.offblocks import api
from conformance.offblocks.client import (
    DEFAULT_COMPONENTS,
    ApiError,
    Client,
    Credentials,
    RequestSigner,
    made_up_credentials,
    refused_access,
)
from conformance.offblocks.tokens import said_end
from conformance.offblocks.wallet import ChallengeRefused, Wallet
from conformance.sandbox.remote import Control, World
from conformance.sandbox.server import start
from conformance.standards.digest_fields import check_content_digest
from conformance.standards.message_signatures import (
    KeyRejected,
    SignatureInput,
    SignatureRejected,
    key_from_seed,
    private_pem,
    verify,
)
from conformance.standards.spellings import InChunks

AND_THE_NETWORK = "and at the network (refused)"
BASE_URL = "https://api.example/mount"
SETTINGS = made_up_credentials(Ids("client"))
CREDENTIALS = Credentials.from_settings(SETTINGS)
CUSTOMER = {
    "id": "04c5851c-4386-5bd9-9f89-08312f8aee3a",
    "externalId": "user-1",
    "chainId": "eip155:280:0x22227A31dd842196A246d8f3b775998560eAa61d",
    "status": "initiating",
    "createdAt": "2024-01-12T14:53:02.65345725Z",
    "updatedAt": "2024-01-12T14:53:02.65345725Z",
}
SIGNER = Wallet.derived(Ids("wallet"), "eip155:300")
CHALLENGE = base64.b64encode(
    f"""api.sandbox.offblocks.xyz wants you to sign in with your Ethereum account:
{SIGNER.address}


URI: https://api.sandbox.offblocks.xyz
Version: 1
Chain ID: 300
Nonce: 5ufoiEqDaFvmfo78
Issued At: 2026-01-15T12:00:00Z""".encode()
).decode()
ANOTHER_KEY = key_from_seed(Ids("another").draw(64))


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest.fixture
def router(clock: FrozenClock) -> respx.MockRouter:
    """A server that issues tokens of an hour, creates customers and lists none."""
    router = respx.MockRouter(base_url=BASE_URL, assert_all_called=False)
    numbers = iter(range(1, 100))

    def issue(_request: httpx.Request) -> httpx.Response:
        expires_at = clock.now() + timedelta(hours=1)
        return httpx.Response(
            200,
            json={"token": f"token-{next(numbers)}", "expiresAt": int(expires_at.timestamp()), "tokenType": "Bearer"},
        )

    router.post("/v1/auth/token", name="token").mock(side_effect=issue)
    router.post("/v1/customers", name="create").respond(201, json={**CUSTOMER, "challenge": "Y2hhbGxlbmdl"})
    router.get(path="/v1/customers", name="list").respond(200, json=[])
    router.get(path="/v1/customers/1", name="read")
    router.get(path="/v1/customers/1/challenge", name="fetch")
    router.put(path="/v1/webhooks", name="hook")
    router.put(path="/v1/auth/signing", name="key")
    return router


@pytest.fixture
def make_client(router: respx.MockRouter, clock: FrozenClock) -> Callable[..., Client]:
    def make(**options: Any) -> Client:
        return Client(
            BASE_URL,
            CREDENTIALS,
            transport=httpx.MockTransport(router.handler),
            clock=clock,
            ids=Ids("test"),
            **options,
        )

    return make


@pytest.fixture
def client(make_client: Callable[..., Client]) -> Client:
    return make_client()


def requests(router: respx.MockRouter, name: str) -> list[httpx.Request]:
    return [call.request for call in router[name].calls]


def verified(request: httpx.Request, clock: FrozenClock) -> SignatureInput:
    keys = {CREDENTIALS.signing_key_id: CREDENTIALS.signing_key.public_key()}
    return verify(request.method, str(request.url), request.headers.multi_items(), key_for=keys.get, now=clock.now())


# ---------------------------------------------------------------------------------------------- against the sandbox


@pytest.fixture(scope="module")
def control() -> Iterator[Control]:
    with start(apis=[api]) as running:
        control = Control(running.origin)
        yield control
        control.close()


@pytest.fixture
def world(control: Control, request: pytest.FixtureRequest) -> World:
    return World(control, request.node.name, "frozen")


def client_of(world: World) -> Client:
    return Client(
        world.base_urls["offblocks"],
        Credentials.from_settings(world.credentials("offblocks")["first"]),
        transport=httpx.HTTPTransport(verify=False),
        clock=world,
        ids=Ids("test"),
    )


def test_a_customer_is_brought_from_creation_to_active(world: World) -> None:
    with client_of(world) as client:
        customer = client.create_customer(SIGNER.account_id, "Ünï-✓")
        assert (customer.chain_id, customer.external_id, customer.status) == (SIGNER.account_id, "Ünï-✓", "initiating")
        assert customer.challenge is not None
        assert client.challenge(customer.id) == customer.challenge
        client.sign_challenge(customer.id, SIGNER, customer.challenge, domain="api.sandbox.offblocks.xyz")
        world.advance(timedelta(minutes=5))
        assert client.customer(customer.id).status == "verifying"
        client.simulate_verification(customer.id)
        world.advance(timedelta(minutes=5))
        assert [(each.id, each.status) for each in client.customers()] == [(customer.id, "active")]


def test_a_refusal_names_the_call_and_quotes_the_answer(world: World) -> None:
    with client_of(world) as client:
        client.create_customer(SIGNER.account_id, "user-1")
        with pytest.raises(ApiError, match=r"POST /\S*/v1/customers was answered 409 instead of 201: ") as caught:
            client.create_customer(SIGNER.account_id, "user-1")
        assert caught.value.response is not None
        assert caught.value.response.status_code == 409


def test_the_challenge_of_another_wallet_never_leaves(world: World) -> None:
    other = Wallet.derived(Ids("other"), "eip155:300")
    with client_of(world) as client:
        customer = client.create_customer(SIGNER.account_id, "user-1")
        with pytest.raises(ChallengeRefused, match="this wallet is"):
            client.sign_challenge(customer.id, other, str(customer.challenge))
        assert not [entry for entry in world.requests() if entry["request"]["url"].endswith("/sign")]


def test_a_rejected_customer_and_a_webhook(world: World) -> None:
    with client_of(world) as client:
        assert UUID(client.register_webhook("http://127.0.0.1:9/hook"))
        customer = client.create_customer(SIGNER.account_id, "user-1")
        client.sign_challenge(customer.id, SIGNER, str(customer.challenge))
        world.advance(timedelta(minutes=5))
        client.simulate_rejection(customer.id)
        world.advance(timedelta(minutes=5))
        assert client.customer(customer.id).status == "rejected"


def test_a_newly_registered_key_signs_from_then_on(world: World) -> None:
    with client_of(world) as client:
        key_id = client.register_signing_key(ANOTHER_KEY.public_key())
        with pytest.raises(ApiError, match="answered 401"):
            client.customers()
        client.signer.key, client.signer.key_id = ANOTHER_KEY, key_id
        assert client.customers() == []


# -------------------------------------------------------------------------------------------------------- what is sent


def test_a_creation_is_digested_and_signed_on_the_bytes_that_are_sent(
    client: Client, router: respx.MockRouter, clock: FrozenClock
) -> None:
    customer = client.create_customer(CUSTOMER["chainId"], "Ünï")
    assert customer.created_at == datetime(2024, 1, 12, 14, 53, 2, 653457, tzinfo=UTC)
    (request,) = requests(router, "create")
    assert request.content == f'{{"chainId":"{CUSTOMER["chainId"]}","externalId":"Ünï"}}'.encode()
    check_content_digest(request.content, request.headers["Content-Digest"])
    said = verified(request, clock)
    assert said.components == tuple(name for name in DEFAULT_COMPONENTS if name != "@query")
    assert (said.created, said.algorithm) == (int(clock.now().timestamp()), "ecdsa-p384-sha384")
    assert request.headers["Authorization"] == "Bearer token-1"


@pytest.mark.parametrize("altered", ["content-digest", "content-type", "idempotency-key", "authorization"])
def test_every_covered_field_is_bound(
    client: Client, router: respx.MockRouter, clock: FrozenClock, altered: str
) -> None:
    client.create_customer(CUSTOMER["chainId"], "user-1")
    (request,) = requests(router, "create")
    request.headers[altered] = "another"
    with pytest.raises(SignatureRejected, match="does not verify"):
        verified(request, clock)


def test_a_get_is_signed_without_digest_and_key(client: Client, router: respx.MockRouter, clock: FrozenClock) -> None:
    client.customers()
    (request,) = requests(router, "list")
    assert not {"content-digest", "idempotency-key", "content-type"} & set(request.headers)
    assert verified(request, clock).components == ("@method", "@path", "authorization")


def test_a_query_is_covered_where_there_is_one(client: Client, router: respx.MockRouter, clock: FrozenClock) -> None:
    client.send("GET", "/v1/customers?page=2", authorization=client.authorization(), auth=client.signer)
    (request,) = requests(router, "list")
    assert verified(request, clock).components == ("@method", "@path", "@query", "authorization")


def test_the_components_follow_the_setting(
    make_client: Callable[..., Client], router: respx.MockRouter, clock: FrozenClock
) -> None:
    client = make_client(components=("@target-uri", "content-digest", "date"))
    client.create_customer(CUSTOMER["chainId"], "user-1")
    (request,) = requests(router, "create")
    assert verified(request, clock).components == ("@target-uri", "content-digest")


def test_the_token_request_is_neither_signed_nor_keyed(client: Client, router: respx.MockRouter) -> None:
    client.customers()
    (request,) = requests(router, "token")
    assert json.loads(request.content) == {"apiKey": SETTINGS["api_key"], "apiSecret": SETTINGS["api_secret"]}
    assert not {"authorization", "signature", "signature-input", "idempotency-key"} & set(request.headers)


def test_bytes_are_sent_as_they_are(client: Client, router: respx.MockRouter, clock: FrozenClock) -> None:
    client.send("POST", "/v1/customers", content=b"{ }", headers={"Content-Type": "text/plain"}, auth=client.signer)
    (request,) = requests(router, "create")
    assert (request.content, request.headers["Content-Type"]) == (b"{ }", "text/plain")
    assert "authorization" not in verified(request, clock).components


def test_a_body_is_sent_in_chunks_and_with_its_length_where_that_is_asked_for(
    make_client: Callable[..., Client], router: respx.MockRouter, clock: FrozenClock
) -> None:
    client, lengths = make_client(spelling=InChunks()), []

    def answer(request: httpx.Request) -> httpx.Response:
        lengths.append((request.headers.get("Content-Length"), len(list(cast("Iterator[bytes]", request.stream)))))
        return httpx.Response(411) if len(lengths) == 1 else httpx.Response(201, json=CUSTOMER)

    router["create"].mock(side_effect=answer)
    client.create_customer(CUSTOMER["chainId"], "user-1")
    first, second = requests(router, "create")
    assert lengths == [(None, 2), (str(len(second.content)), 1)]
    assert first.headers["Transfer-Encoding"] == "chunked"
    assert first.content == second.content
    assert verified(first, clock).components == verified(second, clock).components
    client.customers()
    assert "Transfer-Encoding" not in requests(router, "list")[0].headers


def test_every_call_has_a_key_of_its_own(client: Client, router: respx.MockRouter) -> None:
    for _ in range(3):
        client.create_customer(CUSTOMER["chainId"], "user-1")
    keys = [request.headers["Idempotency-Key"] for request in requests(router, "create")]
    assert len({UUID(key) for key in keys}) == 3


# ------------------------------------------------------------------------------------------------------------- tokens


def test_a_token_is_used_until_its_last_minute(client: Client, router: respx.MockRouter, clock: FrozenClock) -> None:
    client.customers()
    clock.advance(timedelta(minutes=59))
    client.customers()
    clock.advance(timedelta(seconds=1))
    client.customers()
    sent = [request.headers["Authorization"] for request in requests(router, "list")]
    assert sent == ["Bearer token-1", "Bearer token-1", "Bearer token-2"]


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"expiresAt": 1_900_000_000},
        {"token": None, "expiresAt": 1_900_000_000},
        {"token": 7},
    ],
)
def test_an_answer_without_a_token_is_none(client: Client, router: respx.MockRouter, answer: dict[str, Any]) -> None:
    router["token"].respond(200, json=answer)
    with pytest.raises(ApiError, match="POST /mount/v1/auth/token holds no token"):
        client.customers()
    assert not requests(router, "list")


def jwt(claims: object) -> str:
    return f"e30.{base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip('=')}.c2ln"


SAID = datetime(2030, 3, 17, 17, 46, 40, tzinfo=UTC)


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"token": "abc", "expiresAt": 1_900_000_000}, SAID),
        ({"token": jwt({"exp": 1_900_000_000})}, SAID),
        ({"token": jwt({"exp": 1_900_003_600}), "expiresAt": 1_900_000_000}, SAID),
        ({"token": jwt({"exp": 1_900_000_000}), "expiresAt": "soon"}, SAID),
        *(({"token": "abc", "expiresAt": odd}, None) for odd in (None, "soon", 1e300, 10**30, True)),
        *(({"token": odd}, None) for odd in ("abc", "a.b.c", jwt([]), jwt({"exp": "soon"}), jwt({}), "..", "é.é.é")),
    ],
)
def test_a_token_ends_when_its_answer_or_itself_says_so(members: dict[str, Any], said: datetime | None) -> None:
    assert said_end(members, members["token"]) == said


def test_a_token_that_says_no_end_is_taken_for_an_hour(client: Client, router: respx.MockRouter) -> None:
    router["token"].respond(200, json={"token": "abc"})
    assert client.token().expires_at - client.clock.now() == timedelta(hours=1)


@pytest.mark.parametrize("token", ["", "two words", "line\r\nX-Injected: 1", "Ünï"])
def test_a_token_that_fits_no_header_is_refused(client: Client, router: respx.MockRouter, token: str) -> None:
    router["token"].respond(200, json={"token": token, "expiresAt": 1_900_000_000})
    with pytest.raises(ApiError, match="is no bearer token"):
        client.customers()


def test_a_token_request_without_an_answer_says_so(client: Client, router: respx.MockRouter) -> None:
    router["token"].mock(side_effect=httpx.ConnectError("refused"))
    with pytest.raises(ApiError, match=r"POST /v1/auth/token got no answer: TCP: .* \(refused\)"):
        client.request_token()


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


@pytest.mark.parametrize("trouble", UNSETTLED, ids=repr)
def test_a_request_that_was_not_settled_is_repeated_with_its_key(
    client: Client, router: respx.MockRouter, clock: FrozenClock, trouble: Any
) -> None:
    router["create"].side_effect = [trouble, trouble, httpx.Response(201, json=CUSTOMER)]
    began = clock.now()
    assert client.create_customer(CUSTOMER["chainId"], "user-1").id == CUSTOMER["id"]
    sent = requests(router, "create")
    assert len(sent) == 3
    assert len({(request.headers["Idempotency-Key"], request.content) for request in sent}) == 1
    assert clock.now() - began == timedelta(milliseconds=600)


def test_a_repeat_is_signed_anew(client: Client, router: respx.MockRouter, clock: FrozenClock) -> None:
    times = []

    def answer(request: httpx.Request) -> httpx.Response:
        times.append(verified(request, clock).created)
        clock.advance(timedelta(seconds=30))
        return httpx.Response(503)

    router["create"].side_effect = answer
    with pytest.raises(ApiError):
        client.create_customer(CUSTOMER["chainId"], "user-1")
    assert len(set(times)) == 3


def test_a_repeat_has_a_token_that_still_lives(client: Client, router: respx.MockRouter, clock: FrozenClock) -> None:
    def answer(_request: httpx.Request) -> httpx.Response:
        clock.advance(timedelta(hours=1))
        return httpx.Response(503)

    router["list"].side_effect = answer
    with pytest.raises(ApiError):
        client.customers()
    sent = [request.headers["Authorization"] for request in requests(router, "list")]
    assert sent == ["Bearer token-1", "Bearer token-2", "Bearer token-3"]


@pytest.mark.parametrize(
    ("trouble", "message"),
    [
        (
            httpx.ReadTimeout(""),
            "POST /v1/customers got no answer: HTTP: the server took the request and says nothing (ReadTimeout)",
        ),
        (
            httpx.ConnectError("refused"),
            f"POST /v1/customers got no answer: TCP: the host cannot be reached; look at the URL, {AND_THE_NETWORK}",
        ),
        (httpx.Response(500, text="oops"), "POST /mount/v1/customers was answered 500 instead of 201: oops"),
        (httpx.Response(503), "POST /mount/v1/customers was answered 503 instead of 201"),
    ],
    ids=repr,
)
def test_it_gives_up_after_three_tries(client: Client, router: respx.MockRouter, trouble: Any, message: str) -> None:
    router["create"].side_effect = [trouble] * 4
    with pytest.raises(ApiError, match=f"^{re.escape(message)}$"):
        client.create_customer(CUSTOMER["chainId"], "user-1")
    assert len(requests(router, "create")) == 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 422, 429, 501])
def test_a_settled_refusal_is_not_repeated(client: Client, router: respx.MockRouter, status: int) -> None:
    router["create"].respond(status, json={"detail": "no"})
    with pytest.raises(ApiError, match=f"was answered {status} instead of 201") as caught:
        client.create_customer(CUSTOMER["chainId"], "user-1")
    assert caught.value.response is not None
    assert len(requests(router, "create")) == 1


def test_send_repeats_nothing(client: Client, router: respx.MockRouter) -> None:
    router["create"].respond(503)
    assert client.send("POST", "/v1/customers", body={}).status_code == 503
    assert len(requests(router, "create")) == 1


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(client: Client, router: respx.MockRouter, status: int) -> None:
    elsewhere = router.route(host="elsewhere.example")
    router["create"].respond(status, headers={"Location": "https://elsewhere.example/v1/customers"})
    with pytest.raises(ApiError, match=f"was answered {status} instead of 201"):
        client.create_customer(CUSTOMER["chainId"], "user-1")
    assert not elsewhere.called


# -------------------------------------------------------------------------------------------------------- bad answers


CALLS: dict[str, tuple[str, int, Callable[[Client], object]]] = {
    "token": ("POST /mount/v1/auth/token", 200, lambda client: client.request_token()),
    "create": ("POST /mount/v1/customers", 201, lambda client: client.create_customer(CUSTOMER["chainId"], "user-1")),
    "list": ("GET /mount/v1/customers", 200, lambda client: client.customers()),
    "read": ("GET /mount/v1/customers/1", 200, lambda client: client.customer("1")),
    "fetch": ("GET /mount/v1/customers/1/challenge", 200, lambda client: client.challenge("1")),
    "hook": ("PUT /mount/v1/webhooks", 200, lambda client: client.register_webhook("https://hooks.example/")),
    "key": ("PUT /mount/v1/auth/signing", 200, lambda client: client.register_signing_key(ANOTHER_KEY.public_key())),
}
NO_ANSWERS: dict[str, dict[str, Any]] = {
    "html": {"html": "<html>Welcome</html>"},
    "nothing": {},
    "cut off": {"content": b'{"id": "04c5'},
    "no UTF-8": {"content": b'\xff\xfe"'},
    "too deep": {"content": b"[" * 200_000},
    "null": {"json": None},
    "a number": {"json": 5},
    "an array of numbers": {"json": [5]},
    "an array of objects": {"json": [{}]},
    "an empty object": {"json": {}},
    "members of other types": {
        "json": {name: [1] for name in (*CUSTOMER, "challenge", "keyId", "token", "expiresAt")},
    },
}


@pytest.mark.parametrize("answer", NO_ANSWERS)
@pytest.mark.parametrize("name", CALLS)
def test_an_answer_of_another_shape_is_explained(
    client: Client, router: respx.MockRouter, name: str, answer: str
) -> None:
    named, status, call = CALLS[name]
    router[name].side_effect = lambda _request: httpx.Response(status, **NO_ANSWERS[answer])
    with pytest.raises(ApiError, match=f"The answer to {named} ") as caught:
        call(client)
    assert not [secret for secret in (SETTINGS["api_secret"], SETTINGS["signing_key"]) if secret in str(caught.value)]


@pytest.mark.parametrize("name", CALLS)
def test_an_answer_that_cannot_be_decoded_is_none(client: Client, router: respx.MockRouter, name: str) -> None:
    named, status, call = CALLS[name]
    broken: dict[str, Any] = {"content": b"no gzip", "headers": {"Content-Encoding": "gzip"}}
    router[name].side_effect = lambda _request: httpx.Response(status, **broken)
    with pytest.raises(ApiError, match=f"{named.replace('/mount', '')} got no answer: "):
        call(client)


@pytest.mark.parametrize("time", ["yesterday", "", "2024-13-01T00:00:00Z"])
def test_a_customer_without_a_time_is_none(client: Client, router: respx.MockRouter, time: str) -> None:
    router["create"].respond(201, json={**CUSTOMER, "createdAt": time})
    with pytest.raises(ApiError, match="The answer to POST /mount/v1/customers is no customer: "):
        client.create_customer(CUSTOMER["chainId"], "user-1")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda client: client.sign_challenge("1", SIGNER, CHALLENGE), "/sign was answered 200 instead of 204$"),
        (lambda client: client.simulate_verification("1"), "/verify was answered 200 instead of 202$"),
        (lambda client: client.simulate_rejection("1"), "/reject was answered 200 instead of 202$"),
    ],
)
def test_a_call_whose_answer_is_empty_asks_for_its_status(
    client: Client, router: respx.MockRouter, call: Callable[[Client], object], message: str
) -> None:
    router.route().respond(200, html="<html>")
    with pytest.raises(ApiError, match=message):
        call(client)


def test_secrets_that_an_answer_repeats_are_hidden(client: Client, router: respx.MockRouter) -> None:
    router["create"].side_effect = lambda request: httpx.Response(
        400, text="x" * 280 + request.headers["Authorization"] + SETTINGS["api_secret"]
    )
    with pytest.raises(ApiError, match=r"x+Bearer \[secret") as caught:
        client.create_customer(CUSTOMER["chainId"], "user-1")
    assert "token-1" not in str(caught.value)
    router["token"].side_effect = lambda request: httpx.Response(400, content=request.content)
    with pytest.raises(ApiError, match=r'"apiSecret":"\[secret\]"'):
        client.request_token()


def test_a_long_answer_is_cut(client: Client, router: respx.MockRouter) -> None:
    router["create"].respond(400, text="y" * 10_000)
    with pytest.raises(ApiError) as caught:
        client.create_customer(CUSTOMER["chainId"], "user-1")
    assert str(caught.value).count("y") == 300


# -------------------------------------------------------------------------------------------------------- credentials


def test_a_signing_key_on_another_curve_is_refused() -> None:
    with pytest.raises(KeyRejected):
        Credentials.from_settings({**SETTINGS, "signing_key": "-----BEGIN PRIVATE KEY-----"})


def refusal(router: respx.MockRouter, **settings: str) -> str | None:
    return refused_access(BASE_URL, {**SETTINGS, **settings}, httpx.MockTransport(router.handler))


@pytest.fixture
def long_lived(router: respx.MockRouter) -> respx.MockRouter:
    """The server, its tokens good in real time."""
    router["token"].side_effect = None
    router["token"].respond(200, json={"token": "token-1", "expiresAt": 4_000_000_000})
    return router


def test_access_asks_for_a_token_and_one_signed_get(long_lived: respx.MockRouter) -> None:
    assert refusal(long_lived, components="@method @target-uri authorization") is None
    assert (len(requests(long_lived, "token")), len(requests(long_lived, "list"))) == (1, 1)
    (request,) = requests(long_lived, "list")
    assert verified(request, FrozenClock()).components == ("@method", "@target-uri", "authorization")


@pytest.mark.parametrize("status", [200, 404, 500])
def test_what_is_no_refusal_is_left_to_the_tests(long_lived: respx.MockRouter, status: int) -> None:
    long_lived["list"].respond(status, json=[])
    assert refusal(long_lived) is None


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_refused_signature_is_told(long_lived: respx.MockRouter, status: int) -> None:
    long_lived["list"].respond(status, json={"detail": "bad signature by token-1"})
    reason = refusal(long_lived)
    assert reason == (
        "GET https://api.example/mount/v1/customers, with a token and a signature, was answered "
        f'{status}: {{"detail":"bad signature by [secret]"}} '
        "Compare the signing key, its id and what the signature covers with what the server knows."
    )


@pytest.mark.parametrize(
    ("name", "trouble", "message"),
    [
        ("token", httpx.ConnectError("refused"), "POST /v1/auth/token got no answer: TCP: the host cannot be reached"),
        ("token", httpx.ReadTimeout(""), "POST /v1/auth/token got no answer: HTTP: the server took the request"),
        (
            "token",
            httpx.Response(401, json={"detail": "no"}),
            '401 instead of 200: {"detail":"no"} Compare the API key',
        ),
        ("token", httpx.Response(200, html="<html>"), "answered 200. HTTP: a page for people answers there"),
        ("token", httpx.Response(200, text="Hi"), "is text/plain; charset=utf-8, not JSON"),
        ("token", httpx.Response(503), "answered 503 instead of 200"),
        (
            "list",
            httpx.ReadTimeout(""),
            "with a token and a signature, got no answer: HTTP: the server took the request",
        ),
        (
            "list",
            httpx.Response(200, html="<html>"),
            "signature, was answered 200. HTTP: a page for people answers there",
        ),
    ],
)
def test_every_reason_for_no_access_is_told(
    long_lived: respx.MockRouter, name: str, trouble: Any, message: str
) -> None:
    long_lived[name].side_effect = [trouble]
    reason = refusal(long_lived)
    assert reason is not None
    assert message in reason
    assert BASE_URL in reason
    assert SETTINGS["api_secret"] not in reason


def test_made_up_credentials_are_reproducible_and_whole() -> None:
    one, same, other = (made_up_credentials(Ids(name)) for name in ("a", "a", "b"))
    assert one == same
    assert not set(one.values()) & set(other.values())
    assert private_pem(Credentials.from_settings(one).signing_key) == one["signing_key"]


def test_equal_requests_have_different_signatures_unless_told_otherwise() -> None:
    def signature(*, deterministic: bool) -> str:
        signer = RequestSigner(key_from_seed(b"k"), "id", FrozenClock(), deterministic=deterministic)
        request = httpx.Request("GET", "https://api.test/v1/customers")
        return str(next(signer.auth_flow(request)).headers["Signature"])

    assert signature(deterministic=False) != signature(deterministic=False)
    assert signature(deterministic=True) == signature(deterministic=True)
