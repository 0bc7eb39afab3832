"""What a run says of scenarios that end in every way, on an API of a third party."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Barrier, BrokenBarrierError, Thread
from typing import Any

import pytest

from conformance import api
from conformance.run import Options, UsageError, run


@pytest.fixture(autouse=True)
def toy(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.syspath_prepend(str(THIRD_PARTY))
    api.registered.cache_clear()
    yield
    api.registered.cache_clear()


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    meeting = Barrier(WAITING)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.endswith("?meeting"):
                try:
                    meeting.wait(timeout=50)
                except BrokenBarrierError:
                    self.send_error(408)
                    return
            body = b'{"hello":"world"}' if self.path.startswith("/v1/thing") else b"<html>"
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


WAITING = 3
"""How many scenarios of the toy wait."""
THIRD_PARTY = Path(__file__).parent / "third_party"
PROGRAM = """
import json, sys
from conformance.run import Options, run
options = json.loads(sys.argv[1])
print(json.dumps(run(Options(apis=("toy",), target="live", base_urls={"toy": options.pop("server")}, **options))))
"""


def judge_with_workers(server: str, **options: Any) -> dict[str, Any]:
    """Workers take the module path that the interpreter started with, so this needs one of its own."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps({"server": server, **options})],
        env={**os.environ, "PYTHONPATH": str(THIRD_PARTY)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    results: dict[str, Any] = json.loads(done.stdout)
    return results


def judge(server: str, **options: Any) -> dict[str, Any]:
    return run(Options(apis=("toy",), target="live", base_urls={"toy": server}, **options))


def verdicts(results: dict[str, Any]) -> dict[str, str]:
    return {rule["id"].removeprefix("toy."): rule["verdict"] for rule in results["rules"]}


def reason(results: dict[str, Any], rule: str) -> str:
    found: str = next(entry["reason"] for entry in results["rules"] if entry["id"] == f"toy.{rule}")
    return found


EXPECTED = {
    "thing.says-hello": "pass",
    "outcome.held": "pass",
    "outcome.broken-must": "fail",
    "outcome.broken-should": "warn",
    "outcome.broken-may": "note",
    "outcome.broken-inferred": "note",
    "outcome.blocked": "blocked",
    "outcome.needs": "skipped",
    "outcome.asserts": "error",
    "outcome.crashes": "error",
    "outcome.silent": "error",
    "outcome.unlisted": "error",
    "outcome.lying-request": "error",
    "outcome.partly-blocked": "pass",
    "waiting.one": "skipped",
    "waiting.two": "skipped",
    "waiting.three": "skipped",
    "outcome.never-tested": "untested",
    "outcome.disputed": "fail",
    "client.no-trouble": "untested",
}


def test_every_ending_has_its_verdict(server: str) -> None:
    results = judge(server)
    assert verdicts(results) == EXPECTED
    assert results["verdict"] == "fails"
    assert results["tests"] == 15
    assert len(results["exchanges"]) == 9


def test_strict_makes_inferred_rules_count(server: str) -> None:
    assert verdicts(judge(server, strict=True)) == {**EXPECTED, "outcome.broken-inferred": "fail"}


def test_workers_find_the_same(server: str) -> None:
    assert verdicts(judge_with_workers(server, workers=2)) == EXPECTED


def test_reasons_say_what_happened(server: str) -> None:
    results = judge(server)
    assert reason(results, "outcome.needs") == "This needs something that nobody has."
    assert "A name was to be had, it was answered 200" in reason(results, "outcome.blocked")
    assert reason(results, "outcome.crashes") == "ZeroDivisionError: by the suite"
    assert "does not list it in @verifies" in reason(results, "outcome.unlisted")
    assert "breaks toy.client.no-trouble without saying so" in reason(results, "outcome.lying-request")
    assert "give --allow-wait" in reason(results, "waiting.one")
    assert reason(results, "outcome.broken-must") == "here: expected this, got that"


def test_a_pattern_selects_tests_and_rules(server: str) -> None:
    results = judge(server, rule=("toy.waiting.*",))
    assert set(verdicts(results)) == {"waiting.one", "waiting.two", "waiting.three"}
    assert results["verdict"] == "inconclusive"


def test_waits_overlap(server: str) -> None:
    results = judge_with_workers(server, rule=("toy.waiting.*",), allow_wait=True)
    assert list(verdicts(results).values()) == ["pass"] * WAITING


def test_a_dead_server_blocks_everything() -> None:
    results = judge("http://127.0.0.1:9")
    assert results["verdict"] == "inconclusive"
    assert {verdict for rule, verdict in verdicts(results).items() if EXPECTED[rule] != "untested"} == {"blocked"}
    assert "GET http://127.0.0.1:9/v1/thing" in reason(results, "outcome.held")


def test_a_pattern_that_matches_nothing_is_wrong_usage(server: str) -> None:
    with pytest.raises(UsageError, match="No rule matches 'nothing'"):
        judge(server, rule=("nothing",))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (Options(apis=("toy",), base_urls={"toy": "http://x"}), "a replay reaches no server"),
        (Options(apis=("toy",), base_urls={"other": "http://x"}, target="live"), "other, which is not part of the run"),
        (Options(apis=("toy",), base_urls={"toy": "ftp://x"}, target="live"), "begins with https"),
        (Options(apis=("toy",), record=True), "Recording needs"),
        (Options(apis=("toy",), record=True, target="live"), "needs --cassettes DIR"),
        (Options(apis=("nobody",)), "no API called 'nobody'. Known: offblocks, planbok, toy"),
    ],
)
def test_options_that_do_not_fit_are_refused(options: Options, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        run(options)
