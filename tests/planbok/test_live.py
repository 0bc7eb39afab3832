"""Planbok through the live target and the target of a sandbox elsewhere, at a reference sandbox in another process."""

import json
import socket
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from conformance.clock import SystemClock
from conformance.run import Options, run
from conformance.sandbox.remote import Control

PREFIX = "CONFORMANCE_PLANBOK_"

Settings = Mapping[str, str]
Answering = Callable[[Callable[[BaseHTTPRequestHandler], None]], AbstractContextManager[str]]
Environment = Callable[[Settings, Path], AbstractContextManager[pytest.MonkeyPatch]]


@pytest.fixture(scope="module")
def settings(sandbox_elsewhere: Control) -> Settings:
    """What a user would set, as the sandbox tells it, with a webhook at a port that is free."""
    world = sandbox_elsewhere.ask("GET", "")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        webhook_url = f"http://127.0.0.1:{free.getsockname()[1]}/planbok"
    sandbox_elsewhere.ask("PUT", "/webhook", {"url": webhook_url})
    found = {f"{PREFIX}BASE_URL": world["base_urls"]["planbok"], f"{PREFIX}WEBHOOK_URL": webhook_url}
    for identity, infix in (("first", ""), ("second", "SECOND_")):
        for name, value in world["tenants"][identity]["planbok"].items():
            found[f"{PREFIX}{infix}{name.upper()}"] = value
    return found


def verdicts(results: dict[str, Any]) -> dict[str, str]:
    return {rule["id"]: rule["verdict"] for rule in results["rules"]}


@pytest.fixture(scope="module")
def here() -> dict[str, str]:
    return verdicts(run(Options(apis=("planbok",), target="sandbox", examples=1)))


@pytest.fixture(scope="module")
def live(
    sandbox_elsewhere: Control, environment: Environment, settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """The results of a run in which short waits pass at once, since the sandbox's clock is moved instead."""

    def advance(_clock: SystemClock, duration: timedelta) -> None:
        sandbox_elsewhere.ask("POST", "/clock", {"advance_seconds": duration.total_seconds()})

    with environment(settings, tmp_path_factory.mktemp("live")) as patch:
        patch.setattr(SystemClock, "advance", advance)
        return run(Options(apis=("planbok",), target="live", examples=1, pin_agent="http"))


def test_a_sandbox_elsewhere_gets_the_verdicts_of_one_here(
    sandbox_elsewhere: Control, here: dict[str, str], settings: Settings
) -> None:
    base_urls = {"planbok": settings[f"{PREFIX}BASE_URL"]}
    assert verdicts(run(Options(apis=("planbok",), target="sandbox", examples=1, base_urls=base_urls))) == here


def test_live_it_gets_them_but_for_what_is_skipped(live: dict[str, Any], here: dict[str, str]) -> None:
    different = {rule: verdict for rule, verdict in verdicts(live).items() if verdict != here[rule]}
    assert set(different.values()) <= {"skipped"}
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
        results = run(Options(apis=("planbok",), target="live", examples=1, rule=("planbok.page.*",)))
    page = {rule["id"]: rule for rule in results["rules"]}
    assert {rule["verdict"] for rule in page.values()} == {"skipped"}
    assert {rule["reason"] for rule in page.values()} == {
        "This needs somebody at the hosted page; give --pin-agent http, which fills its forms."
    }


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
        results = run(Options(apis=("planbok",), target="live", examples=1, rule=rules))
    reasons = {rule["id"]: rule["reason"] for rule in results["rules"]}
    assert [
        name for name in ("READ_ONLY_KEY", "SECOND_API_KEY", "WEBHOOK_URL") if PREFIX + name not in str(reasons)
    ] == []


@pytest.mark.parametrize(("name", "said"), [("API_KEY", "401"), ("SECOND_API_KEY", "401")])
def test_a_refused_key_is_told_at_the_first_step(
    environment: Environment, settings: Settings, tmp_path: Path, name: str, said: str
) -> None:
    with environment({**settings, PREFIX + name: "pbk_nobodys"}, tmp_path):
        results = run(Options(apis=("planbok",), target="live", examples=1, rule=("planbok.customer.created",)))
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
            results = run(Options(apis=("planbok",), target="live", examples=1, rule=("planbok.customer.created",)))
    assert results["rules"][0]["verdict"] == "blocked"
    assert results["rules"][0]["reason"].endswith("Is the port taken?")


def test_garbage_is_never_an_error_of_the_suite(
    environment: Environment, settings: Settings, tmp_path: Path, answering: Answering
) -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.rfile.read(int(handler.headers.get("Content-Length", "0")))
        handler.send_response(200)
        handler.end_headers()
        handler.wfile.write(b"<html")

    with answering(answer) as url, environment({**settings, f"{PREFIX}BASE_URL": url}, tmp_path):
        results = run(Options(apis=("planbok",), target="live", examples=1, rule=("planbok.response.*",)))
    assert "error" not in verdicts(results).values()
    reasons = {rule["id"]: rule["reason"] for rule in results["rules"] if rule["verdict"] == "blocked"}
    assert "No generated request was answered in such a way" in reasons["planbok.response.success-agrees"]
