"""Planbok through the live target and the target of a sandbox elsewhere, at a reference sandbox in another process."""

import json
import re
import socket
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from conformance.clock import SystemClock
from conformance.run import Options, run
from conformance.sandbox.remote import Control
from tests.conftest import some_rules

PREFIX = "CONFORMANCE_PLANBOK_"

Settings = Mapping[str, str]
Answering = Callable[[Callable[[BaseHTTPRequestHandler], None]], AbstractContextManager[str]]
Environment = Callable[[Settings, Path], AbstractContextManager[pytest.MonkeyPatch]]


@pytest.fixture(scope="module")
def settings(sandbox_elsewhere: Control, free_port: int) -> Settings:
    """What a user would set, as the sandbox tells it, with a webhook at a port that is free."""
    world = sandbox_elsewhere.ask("GET", "")
    webhook_url = f"http://127.0.0.1:{free_port}/planbok"
    sandbox_elsewhere.ask("PUT", "/webhook", {"url": webhook_url})
    found = {f"{PREFIX}BASE_URL": world["base_urls"]["planbok"], f"{PREFIX}WEBHOOK_URL": webhook_url}
    for identity, infix in (("first", ""), ("second", "SECOND_")):
        for name, value in world["tenants"][identity]["planbok"].items():
            found[f"{PREFIX}{infix}{name.upper()}"] = value
    return found


RULES = some_rules("planbok", "challenge", "webhook")
A_MOMENT = timedelta(milliseconds=55)
AT_ONCE = 1e6
"""Requests a second: this server may be asked as often as it takes."""
WAIT = SystemClock.advance


def verdicts(results: dict[str, Any]) -> dict[str, str]:
    return {rule["id"]: rule["verdict"] for rule in results["rules"]}


@pytest.fixture(scope="module")
def here() -> dict[str, str]:
    return verdicts(run(Options(apis=("planbok",), target="sandbox", examples=1, seed="1", rule=RULES)))


@pytest.fixture(scope="module")
def live(
    sandbox_elsewhere: Control, environment: Environment, settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """The results of a run in which waits pass in a moment, since the sandbox's clock is moved instead.

    The moment keeps the readings of one second below what the client may send.
    """

    def advance(clock: SystemClock, duration: timedelta) -> None:
        WAIT(clock, min(duration, A_MOMENT))
        sandbox_elsewhere.ask("POST", "/clock", {"advance_seconds": duration.total_seconds()})

    with environment(settings, tmp_path_factory.mktemp("live")) as patch:
        patch.setattr(SystemClock, "advance", advance)
        options = Options(apis=("planbok",), target="live", examples=1, seed="1", rule=RULES, rate=AT_ONCE)
        return run(replace(options, pin_agent="http"))


def test_a_sandbox_elsewhere_gets_the_verdicts_of_one_here(
    sandbox_elsewhere: Control, here: dict[str, str], settings: Settings
) -> None:
    base_urls = {"planbok": settings[f"{PREFIX}BASE_URL"]}
    options = Options(apis=("planbok",), target="sandbox", examples=1, seed="1", rule=RULES, base_urls=base_urls)
    assert verdicts(run(options)) == here


def test_live_it_gets_them_but_for_what_is_skipped(live: dict[str, Any], here: dict[str, str]) -> None:
    different = {rule["id"]: rule for rule in live["rules"] if rule["verdict"] not in {here[rule["id"]], "skipped"}}
    assert {name: (rule["verdict"], rule["reason"]) for name, rule in different.items()} == {}
    assert live["verdict"] == "conforms"


def test_what_is_skipped_says_what_it_needs(live: dict[str, Any]) -> None:
    reasons = {rule["reason"] for rule in live["rules"] if rule["verdict"] == "skipped"}
    assert any("--allow-wait" in reason for reason in reasons)
    assert all(reason.startswith("This needs ") for reason in reasons)
    assert not any("WEBHOOK" in reason for reason in reasons)


def test_the_results_hold_no_secret(live: dict[str, Any], settings: Settings) -> None:
    shown = json.dumps(live)
    names = ("API_KEY", "READ_ONLY_KEY", "WEBHOOK_SECRET", "SECOND_API_KEY")
    assert not [name for name in names if settings[PREFIX + name] in shown]


def test_without_somebody_at_the_page_what_needs_it_is_skipped(
    environment: Environment, settings: Settings, tmp_path: Path
) -> None:
    with environment(settings, tmp_path):
        results = run(Options(apis=("planbok",), target="live", examples=1, rate=AT_ONCE, rule=("planbok.page.*",)))
    page = {rule["id"]: rule for rule in results["rules"]}
    assert {rule["verdict"] for rule in page.values()} == {"skipped"}
    assert {rule["reason"] for rule in page.values()} == {
        "This needs somebody at the hosted page; give --pin-agent http, which fills its forms, browser or person."
    }


CHALLENGES = ("planbok/challenge/the_account_type_may_be_left_out", "planbok/page/a_wrong_pin_completes_nothing")


def test_without_somebody_at_the_page_a_customer_who_is_set_up_is_asked_for_wallets(
    sandbox_elsewhere: Control, environment: Environment, settings: Settings, tmp_path: Path
) -> None:
    customer = sandbox_elsewhere.ask("POST", "/planbok/customers", {"state": "active"})["id"]
    options = Options(apis=("planbok",), target="live", rate=AT_ONCE, tests=CHALLENGES)
    with environment({**settings, f"{PREFIX}CUSTOMER": customer}, tmp_path):
        results = run(options)
    found = verdicts(results)
    assert found["planbok.challenge.account-type-omitted"] == "pass"
    assert found["planbok.page.wrong-pin-refused"] == "skipped"
    assert results["left_behind"] == {"planbok": []}


def test_a_customer_who_is_not_set_up_is_told(environment: Environment, settings: Settings, tmp_path: Path) -> None:
    options = Options(apis=("planbok",), target="live", rate=AT_ONCE, tests=CHALLENGES[:1])
    with environment({**settings, f"{PREFIX}CUSTOMER": "nobody"}, tmp_path):
        results = run(options)
    reasons = {rule["reason"] for rule in results["rules"] if rule["verdict"] == "skipped"}
    assert any("nobody in CONFORMANCE_PLANBOK_CUSTOMER was answered 404" in reason for reason in reasons)


def test_a_pin_is_typed_only_where_the_page_is_documented_to_be(
    environment: Environment, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("conformance.planbok.suite.person.is_loopback", lambda _host: False)
    tests = ("planbok/page/a_wrong_pin_completes_nothing",)
    with environment(settings, tmp_path):
        results = run(Options(apis=("planbok",), target="live", rate=AT_ONCE, pin_agent="http", tests=tests))
    (reason,) = {rule["reason"] for rule in results["rules"] if rule["verdict"] == "skipped"}
    assert "though the page is documented to be at https://gateway.planbok.io" in reason
    assert "set CONFORMANCE_PLANBOK_PAGE_HOST=" in reason


def test_without_optional_settings_their_tests_say_what_to_set(
    environment: Environment, settings: Settings, tmp_path: Path
) -> None:
    only = {name: settings[PREFIX + name] for name in ("BASE_URL", "API_KEY")}
    rules = (
        "planbok.key.read-only-refused",
        "planbok.customer.unseen-by-others",
        "planbok.webhook.customer-events-sent",
    )
    with environment({PREFIX + name: value for name, value in only.items()}, tmp_path):
        results = run(Options(apis=("planbok",), target="live", examples=1, rate=AT_ONCE, rule=rules))
    reasons = {rule["id"]: rule["reason"] for rule in results["rules"]}
    assert [
        name for name in ("READ_ONLY_KEY", "SECOND_API_KEY", "WEBHOOK_URL") if PREFIX + name not in str(reasons)
    ] == []


@pytest.mark.parametrize(("name", "said"), [("API_KEY", "401"), ("SECOND_API_KEY", "401")])
def test_a_refused_key_is_told_at_the_first_step(
    environment: Environment, settings: Settings, tmp_path: Path, name: str, said: str
) -> None:
    with environment({**settings, PREFIX + name: "pbk_nobodys"}, tmp_path):
        results = run(
            Options(apis=("planbok",), target="live", examples=1, rate=AT_ONCE, rule=("planbok.customer.created",))
        )
    (rule,) = results["rules"]
    assert rule["verdict"] == "blocked"
    assert said in rule["reason"]
    assert "pbk_nobodys" not in rule["reason"]


def test_a_webhook_port_that_is_taken_is_told(environment: Environment, settings: Settings, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/planbok"
        with environment({**settings, f"{PREFIX}WEBHOOK_URL": url}, tmp_path):
            results = run(
                Options(apis=("planbok",), target="live", examples=1, rate=AT_ONCE, rule=("planbok.customer.created",))
            )
    assert results["rules"][0]["verdict"] == "blocked"
    assert results["rules"][0]["reason"].endswith("Is the port taken?")


@pytest.fixture
def no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a server of no use is waited for passes at once."""
    monkeypatch.setattr(SystemClock, "advance", lambda _clock, _duration: None)


def status_of(path: str) -> int:
    """That of garbage: 200, but 404 for what the API does not have, or the run would end before the first test."""
    return 404 if re.fullmatch(r"/v2/[0-9a-f-]{36}", path) else 200


@pytest.mark.usefixtures("no_waits")
@pytest.mark.parametrize("content_type", ["text/plain", "application/json"])
def test_no_rule_believes_garbage(
    environment: Environment, settings: Settings, tmp_path: Path, answering: Answering, content_type: str
) -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.rfile.read(int(handler.headers.get("Content-Length", "0")))
        handler.send_response(status_of(handler.path))
        handler.send_header("Content-Type", content_type)
        handler.end_headers()
        handler.wfile.write(b"null" if content_type == "application/json" else b"Welcome")

    rules = ("planbok.response.*", "planbok.key.*", "planbok.customer.created", "planbok.list.*")
    with answering(answer) as url, environment({**settings, f"{PREFIX}BASE_URL": url}, tmp_path):
        found = verdicts(run(Options(apis=("planbok",), target="live", examples=1, rate=AT_ONCE, rule=rules)))
    believed = {rule for rule, verdict in found.items() if verdict == "pass"}
    true = {"planbok.response.no-server-error"}
    assert believed == (true | {"planbok.response.is-json"} if content_type == "application/json" else true)
    assert "error" not in found.values()


def test_a_page_everywhere_ends_the_run_after_one_request(
    environment: Environment, settings: Settings, tmp_path: Path, answering: Answering
) -> None:
    asked = list[str]()

    def answer(handler: BaseHTTPRequestHandler) -> None:
        asked.append(handler.path)
        handler.send_response(200)
        handler.send_header("Content-Type", "text/html")
        handler.end_headers()
        handler.wfile.write(b"<html>Welcome</html>")

    with answering(answer) as url, environment({**settings, f"{PREFIX}BASE_URL": url}, tmp_path):
        results = run(Options(apis=("planbok",), target="live"))
    assert asked == ["/v2/customers?limit=1"]
    (reason,) = {rule["reason"] for rule in results["rules"] if rule["party"] == "provider"}
    assert "a page for people answers there" in reason


@pytest.mark.usefixtures("no_waits")
def test_garbage_is_never_an_error_of_the_suite(
    environment: Environment, settings: Settings, tmp_path: Path, answering: Answering
) -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.rfile.read(int(handler.headers.get("Content-Length", "0")))
        handler.send_response(status_of(handler.path))
        handler.end_headers()
        handler.wfile.write(b"<html")

    with answering(answer) as url, environment({**settings, f"{PREFIX}BASE_URL": url}, tmp_path):
        results = run(Options(apis=("planbok",), target="live", examples=1, rate=AT_ONCE, rule=("planbok.response.*",)))
    assert "error" not in verdicts(results).values()
    reasons = {rule["id"]: rule["reason"] for rule in results["rules"] if rule["verdict"] == "blocked"}
    assert "No generated request was answered in such a way" in reasons["planbok.response.success-agrees"]
