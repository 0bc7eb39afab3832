"""A server is let into a run unless it refuses the credentials, or answers whatever it is asked for alike."""

import json
from collections.abc import Callable

import httpx
import pytest

from conformance.api import registered
from conformance.ids import Ids

Handler = Callable[[httpx.Request], httpx.Response]
BASE_URL = "https://api.example"
APIS = ("offblocks", "planbok")
TOKEN = {"token": "token-1", "expiresAt": 4_000_000_000, "tokenType": "Bearer"}
NO_LISTS: list[object] = [{}, [], {"data": {}}, {"data": [1]}, {"customers": []}, [7], "ok", None, 3]
GARBAGE = [
    (200, "application/json", "{}"),
    (200, "application/json", '{"n": 4, "ok": [true]}'),
    (200, "text/plain", "It works!"),
    (200, "application/octet-stream", "\x00\x01"),
    (200, "application/json", "[" * 20_000),
    (202, "application/json", "null"),
    (404, "application/json", '{"detail": "Not Found"}'),
    (500, "application/json", '{"error": "boom"}'),
    (405, "", ""),
    (204, "", ""),
]


def seen(api: str, handler: Handler) -> tuple[str | None, list[httpx.Request]]:
    """Why the server has no access, and what it was asked for."""
    client, asked = registered()[api].client, list[httpx.Request]()

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        if request.url.path == "/v1/auth/token":
            return httpx.Response(200, json=TOKEN)
        return handler(request)

    return client.refused_access(BASE_URL, client.made_up_credentials(Ids("a")), httpx.MockTransport(answer)), asked


@pytest.mark.parametrize(("status", "kind", "body"), GARBAGE)
@pytest.mark.parametrize("api", APIS)
def test_what_answers_all_alike_is_not_judged(api: str, status: int, kind: str, body: str) -> None:
    headers = {"Content-Type": kind} if kind else {}
    reason, asked = seen(api, lambda _: httpx.Response(status, headers=headers, text=body))
    assert reason
    assert f"was answered {status}, {kind or 'without a body'}" in reason
    assert reason.endswith("it is not the API. Look at the base URL: its host, its port and its path.")
    assert len(asked) <= 4


@pytest.mark.parametrize("api", APIS)
def test_bodies_that_differ_each_time_are_alike(api: str) -> None:
    numbers = iter(range(9))
    reason, _ = seen(api, lambda _: httpx.Response(200, json={"n": next(numbers)}))
    assert reason is not None
    assert '{"n":0}' in reason


@pytest.mark.parametrize("value", NO_LISTS)
@pytest.mark.parametrize("api", APIS)
def test_a_list_in_another_form_is_judged_where_other_paths_are_refused(api: str, value: object) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        is_list = request.url.path.endswith("/customers") and request.method == "GET"
        return httpx.Response(200, content=json.dumps(value)) if is_list else httpx.Response(404)

    assert seen(api, answer)[0] is None


@pytest.mark.parametrize("status", [404, 405, 501])
@pytest.mark.parametrize("api", APIS)
def test_a_server_without_a_list_is_judged(api: str, status: int) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        is_new = request.url.path.endswith("/customers") and request.method == "POST"
        return httpx.Response(400 if is_new else status, json={"error": "no"})

    assert seen(api, answer)[0] is None


@pytest.mark.parametrize("api", APIS)
def test_an_answer_of_the_api_needs_no_more(api: str) -> None:
    listed = [{"id": "6999f8aea74a2b1bd8855b89"}]
    _, asked = seen(api, lambda _: httpx.Response(200, json=listed if api == "offblocks" else {"data": listed}))
    assert [request.method for request in asked if not request.url.path.endswith("/token")] == ["GET"]


@pytest.mark.parametrize(
    ("kind", "body"), [("application/json", "{}"), ("application/json", "[]"), ("text/plain", "ok")]
)
def test_what_gives_no_token_is_told_by_what_came(kind: str, body: str) -> None:
    client = registered()["offblocks"].client
    answer = httpx.Response(200, headers={"Content-Type": kind}, text=body)
    reason = client.refused_access(
        BASE_URL, client.made_up_credentials(Ids("a")), httpx.MockTransport(lambda _: answer)
    )
    assert reason is not None
    assert f"It had the status 200, {kind}, and {len(body)} bytes. Look at the base URL" in reason
