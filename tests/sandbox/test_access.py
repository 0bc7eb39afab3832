"""The control routes are for this machine, and for no page that somebody's browser has open."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from conformance.api import named
from conformance.sandbox.server import RunningSandbox, start


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSandbox]:
    with start(apis=[named("planbok")], allowed_hosts=["our.box", "[2001:db8::1]"]) as running:
        yield running


def ask(running: RunningSandbox, method: str = "GET", path: str = "", **options: Any) -> httpx.Response:
    return httpx.request(method, f"{running.origin}/_sandbox{path}", trust_env=False, **options)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8080", "127.0.0.1", "127.8.9.10:1", "[::1]:8080"])
def test_loopback_is_let_in(running: RunningSandbox, host: str) -> None:
    assert ask(running, headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", ["our.box", "Our.Box:8080", "[2001:db8::1]:80"])
def test_a_host_that_is_allowed_is_let_in(running: RunningSandbox, host: str) -> None:
    assert ask(running, headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example:80", "10.0.0.1", "a.our.box"]
)
def test_another_host_is_told_how_to_be_let_in(running: RunningSandbox, host: str) -> None:
    answer = ask(running, headers={"Host": host})
    assert answer.status_code == 403
    assert f"--allow-host {host.partition(':')[0]}" in answer.json()["detail"]


def test_the_apis_answer_at_any_host(running: RunningSandbox) -> None:
    answer = httpx.get(f"{running.origin}/planbok/v2/wallets", headers={"Host": "evil.example"}, trust_env=False)
    assert answer.json()["message"].startswith("There is no PLANBOK-X-API-KEY header.")


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:1", "http://127.0.0.1"])
@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("POST", "/reset"), ("POST", "/planbok/customers")])
def test_a_page_of_another_origin_is_refused(running: RunningSandbox, origin: str, method: str, path: str) -> None:
    answer = ask(running, method, path, headers={"Origin": origin})
    assert answer.status_code == 403
    assert "not for a page of" in answer.json()["detail"]


def test_a_page_of_the_sandbox_itself_is_let_in(running: RunningSandbox) -> None:
    headers = {"Origin": running.origin, "Sec-Fetch-Site": "same-origin"}
    assert ask(running, "POST", "/reset", headers=headers).status_code == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_what_a_page_of_another_site_loads_is_refused(running: RunningSandbox, site: str) -> None:
    assert ask(running, headers={"Sec-Fetch-Site": site}).status_code == 403


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "Multipart/Form-Data; boundary=x"])
def test_the_body_of_a_form_is_refused(running: RunningSandbox, kind: str) -> None:
    answer = ask(running, "POST", "/clock", content=b'{"advance_seconds": 1}', headers={"Content-Type": kind})
    assert answer.status_code == 415
    assert "With curl, give --json" in answer.json()["detail"]


@pytest.mark.parametrize(
    "headers", [{}, {"Content-Type": "application/json"}, {"Content-Type": "Application/JSON; a=b"}]
)
def test_json_is_taken(running: RunningSandbox, headers: dict[str, str]) -> None:
    assert ask(running, "POST", "/clock", content=b'{"advance_seconds": 1}', headers=headers).status_code == 200
