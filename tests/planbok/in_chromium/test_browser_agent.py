"""A real browser stands in for the person, where a page needs scripts too."""

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from conformance.planbok import browser_agent
from conformance.planbok.browser_agent import BrowserAgent, Screenshots
from conformance.planbok.chromium import BrowserMissingError, Chromium
from conformance.planbok.client import Client, Credentials
from conformance.planbok.pages import PageError
from conformance.sandbox.server import start
from tools.certificate import serving_context

Answering = Callable[..., AbstractContextManager[str]]

PIN = "482913"
SCRIPTED = """<!doctype html><title>Confirm</title><main></main><script>
const main = document.querySelector("main");
const boxes = () => '<fieldset><legend>Your PIN</legend>' +
  '<input maxlength=1 type=password aria-label="digit">'.repeat(6) + '</fieldset><div role=button>Confirm</div>';
main.innerHTML = boxes();
main.onclick = async (click) => {
  if (!click.target.matches("[role=button]")) return;
  const pin = [...main.querySelectorAll("input")].map((box) => box.value).join("");
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(pin));
  const hashed = [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const answer = await fetch("/hosted/pin", { method: "POST", body: hashed });
  if ((await answer.text()) === "yes") location.href = "https://app.example/back?status=verified";
  else main.innerHTML = "<p>Wrong PIN</p>" + boxes();
};
</script>"""
HASHED = hashlib.sha256(PIN.encode()).hexdigest()


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Chromium]:
    """The machine's browser."""
    assert chromium
    launched = Chromium()
    yield launched
    launched.close()


@pytest.fixture
def noted() -> list[tuple[str, int]]:
    """The method and status of each document that the browser asked for."""
    return []


@pytest.fixture
def agent(browser: Chromium, noted: list[tuple[str, int]], tmp_path: Path) -> Iterator[BrowserAgent]:
    def note(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        noted.append((request.method, response.status_code))
        return response

    nothing = httpx.MockTransport(lambda _request: httpx.Response(404))
    with BrowserAgent(browser, note, nothing, Screenshots(tmp_path / "shots", "planbok/page/a_test")) as found:
        yield found


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with start() as sandbox, httpx.Client() as http:
        world = http.get(f"{sandbox.origin}/_sandbox").json()
        with Client(
            world["base_urls"]["planbok"], Credentials(world["tenants"]["first"]["planbok"]["api_key"])
        ) as made:
            yield made


def test_a_customer_is_set_up_and_gets_wallets(
    agent: BrowserAgent, client: Client, noted: list[tuple[str, int]], tmp_path: Path
) -> None:
    customer = client.create_customer("Anna", "browser-1")
    page = agent.set_up(
        str(client.initialize(customer.id, "https://app.example/back").redirect_url), PIN, ("Elm", "Ash")
    )
    assert str(page.returned_to).startswith("https://app.example/back?")
    assert noted == [("GET", 200), ("POST", 303), ("GET", 200), ("POST", 303)]
    challenge = client.create_wallets(customer.id, ["ETH"], "https://app.example/back")
    wrong = agent.authorize(str(challenge.redirect_url), "111111")
    assert wrong.form is not None
    assert client.challenge(customer.id, challenge.id).status == "pending"
    assert agent.fill(wrong, pin=PIN).returned_to
    assert client.challenge(customer.id, challenge.id).succeeded
    pictures = sorted(path.name for path in (tmp_path / "shots").iterdir())
    assert pictures[:2] == ["planbok-page-a_test-01.png", "planbok-page-a_test-02.png"]
    assert len(pictures) == 4


def test_where_the_browser_is_sent_may_be_told_after_it_has_gone_there(
    agent: BrowserAgent, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    told, looked_at = BrowserAgent._asked, browser_agent._signature
    held_back: list[Any] = []

    def look(tab: Any) -> str:
        found = looked_at(tab)
        if found.startswith("chrome-error:") and held_back:
            told(agent, held_back.pop())
        return found

    def hold_back(self: BrowserAgent, request: Any) -> None:
        held_back.append(request) if "app.example" in request.url else told(self, request)

    monkeypatch.setattr(BrowserAgent, "_asked", hold_back)
    monkeypatch.setattr(browser_agent, "_signature", look)
    customer = client.create_customer("Anna", "browser-late")
    url = client.initialize(customer.id, "https://app.example/back").redirect_url
    page = agent.set_up(str(url), PIN, ("Elm", "Ash"))
    assert str(page.returned_to).startswith("https://app.example/back?")


def _serve(handler: BaseHTTPRequestHandler) -> None:
    sent = handler.rfile.read(int(handler.headers.get("Content-Length", "0"))).decode()
    body = SCRIPTED if handler.command == "GET" else "yes" if sent == HASHED else "no"
    handler.send_response(200)
    handler.send_header("Content-Type", "text/html; charset=utf-8")
    handler.end_headers()
    handler.wfile.write(body.encode())


@pytest.fixture
def scripted(answering: Answering) -> Iterator[str]:
    """A page that is made by a script, with a box a digit and no form, and hashes the PIN."""
    with answering(_serve) as origin:
        yield f"{origin}/hosted/page"


def test_a_page_that_is_made_by_a_script_and_hashes_the_pin_is_filled(agent: BrowserAgent, scripted: str) -> None:
    page = agent.authorize(scripted, "111111")
    assert "Wrong PIN" in page.text
    assert agent.fill(page, pin=PIN).returned_to == "https://app.example/back?status=verified"


def test_nothing_is_typed_where_the_page_has_gone_elsewhere(agent: BrowserAgent, scripted: str) -> None:
    page = agent.open(scripted)
    assert agent._tab is not None
    agent._chromium.do(lambda: agent._tab and agent._tab.goto("about:blank"))
    with pytest.raises(PageError, match="where nothing is typed"):
        agent.fill(page, pin=PIN)


def test_a_page_that_cannot_be_shown_is_told(agent: BrowserAgent) -> None:
    with pytest.raises(PageError, match=r"^http://127\.0\.0\.1:9/hosted cannot be shown: "):
        agent.open("http://127.0.0.1:9/hosted")


def test_what_no_agent_knows_is_not_filled(agent: BrowserAgent, answering: Answering) -> None:
    def serve(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/html")
        handler.end_headers()
        handler.wfile.write(
            b"<form method=post><label>Code from your mail<input name=otp></label><button>Go</button></form>"
        )

    with answering(serve) as origin, pytest.raises(PageError, match="asks for Code from your mail"):
        agent.authorize(f"{origin}/hosted/page", PIN)


def test_the_browser_takes_the_certificate_that_is_set_and_no_other(chromium: str, tmp_path: Path) -> None:
    assert chromium

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            _serve(self)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.socket = serving_context(tmp_path).wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        url = f"https://127.0.0.1:{server.server_port}/hosted/page"
        (tmp_path / "other").mkdir()
        serving_context(tmp_path / "other")
        outcomes = []
        for ca_file in (tmp_path / "certificate.pem", tmp_path / "other" / "certificate.pem"):
            launched = Chromium(str(ca_file))
            with BrowserAgent(launched, lambda _request, response: response, httpx.BaseTransport()) as agent:
                try:
                    outcomes.append(agent.open(url).title)
                except PageError as error:
                    outcomes.append(str(error))
            launched.close()
        server.shutdown()
        thread.join()
    assert outcomes[0] == "Confirm"
    assert "ERR_CERT_AUTHORITY_INVALID" in outcomes[1]


def test_without_a_browser_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _name: None)
    with pytest.raises(BrowserMissingError, match="Chromium; install"):
        Chromium()
