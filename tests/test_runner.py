"""What a run says of scenarios that end in every way, on an API of a third party."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Barrier, BrokenBarrierError, Thread
from typing import Any

import httpx
import pytest

from conformance import api
from conformance.api import named
from conformance.run import Options, UsageError, run
from conformance.specification import Specification
from conformance.targets import Conditions, Subject
from conformance.targets.live import LiveTarget
from conformance.verdicts import Verdict


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


def test_workers_find_the_same_and_tell_it_in_the_same_order(server: str) -> None:
    alone, shared = judge(server), judge_with_workers(server, workers=2)
    assert verdicts(shared) == EXPECTED
    assert [exchange["id"] for exchange in shared["exchanges"]] == [exchange["id"] for exchange in alone["exchanges"]]
    assert [finding["test"] for rule in shared["rules"] for finding in rule["findings"]] == [
        finding["test"] for rule in alone["rules"] for finding in rule["findings"]
    ]


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


def test_live_one_seed_draws_the_same_requests_about_new_things(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    subjects = []

    def kept(*arguments: Any, **options: Any) -> Subject:
        subjects.append(make(*arguments, **options))
        return subjects[-1]

    make = LiveTarget.subject
    monkeypatch.setattr(LiveTarget, "subject", kept)
    for seed in ("7", "7", "8"):
        judge(server, rule=("toy.outcome.held",), seed=seed)
    once, again, other = subjects
    assert len({each.ids.uuid() for each in subjects}) == 3
    drawn_once, drawn_again, drawn_from_another = (each.requests.uuid() for each in (once, again, other))
    assert drawn_once == drawn_again != drawn_from_another


class Pytest:
    """What a run asks pytest for, which ends with these exit codes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *codes: pytest.ExitCode) -> None:
        self.codes = list(codes)
        self.asked: list[tuple[str, bool]] = []
        monkeypatch.setattr(pytest, "main", self.main)

    def main(self, arguments: list[str], plugins: list[Any]) -> pytest.ExitCode:
        marks = arguments[arguments.index("-m", arguments.index("-c")) + 1] if "-m" in arguments else ""
        self.asked.append((marks, any("--numprocesses" in each for each in arguments)))
        if "--collect-only" in arguments:
            plugins[0].tests = WAITING
        return self.codes.pop(0) if self.codes else pytest.ExitCode.OK


REST = "not conformance_hooks and not conformance_waits"
WAITS, HOOKS = "conformance_waits and not conformance_hooks", "conformance_hooks"


@pytest.mark.parametrize(
    ("options", "asked"),
    [
        ({}, [("", False)]),
        ({"workers": 2}, [("not conformance_hooks", True), (HOOKS, False)]),
        ({"allow_wait": True}, [(REST, False), (WAITS, False), (WAITS, True), (HOOKS, False)]),
        ({"allow_wait": True, "workers": 2}, [(REST, True), (WAITS, False), (WAITS, True), (HOOKS, False)]),
    ],
)
def test_live_tests_that_receive_webhooks_run_in_one_process(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], asked: list[tuple[str, bool]]
) -> None:
    main = Pytest(monkeypatch)
    judge("http://127.0.0.1:9", **options)
    assert main.asked == asked


def test_elsewhere_all_tests_share_the_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    main = Pytest(monkeypatch)
    run(Options(apis=("toy",), workers=2, allow_wait=True))
    assert main.asked == [("", True)]


def test_who_interrupts_a_run_does_not_wait_for_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    main = Pytest(monkeypatch, pytest.ExitCode.INTERRUPTED)
    with pytest.raises(KeyboardInterrupt):
        judge("http://127.0.0.1:9", allow_wait=True)
    assert main.asked == [(REST, False)]


def listening(server: str, webhook_url: str, *, listens: bool = True) -> LiveTarget:
    toy = named("toy")
    settings = replace(toy.settings.load(base_url=server), others={"webhook_url": webhook_url})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(toy.settings, "load", lambda *, base_url: settings)
        specifications = {"toy": Specification.load(toy.specification)}
        target = LiveTarget([toy], specifications, {}, allow_wait=True, listens=listens)
    target.open(toy)
    return target


def test_a_process_that_does_not_listen_has_no_webhook(server: str) -> None:
    target = listening(server, server, listens=False)
    assert target.subject(named("toy"), "toy/outcome/a", Conditions("0")).hooks is None
    target.close()


def test_a_webhook_without_a_path_is_received_at_the_top(
    server: str, free_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"http://127.0.0.1:{free_port}"
    target = listening(server, url)
    monkeypatch.setattr(type(named("toy")), "webhook_set_by_hand", True)
    hooks = target.subject(named("toy"), "toy/outcome/a", Conditions("0")).hooks
    assert hooks is not None
    httpx.post(url, content=b"{}", trust_env=False)
    assert [delivery.request.url for delivery in hooks.received()] == ["/"]
    target.close()


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
        (
            Options(apis=("toy",), base_urls={"toy": "http://x"}, target="documents"),
            "do not go with --target documents",
        ),
        (Options(apis=("toy",), cassettes=Path("none"), target="documents"), "do not go with --target documents"),
        (Options(apis=("toy",), record=True), "Recording needs"),
        (Options(apis=("toy",), record=True, target="live"), "needs --cassettes DIR"),
        (Options(apis=("toy",), cassettes=Path("/dev/null")), "/dev/null is no folder"),
        (Options(apis=("nobody",)), "no API called 'nobody'. Known: offblocks, planbok, toy"),
    ],
)
def test_options_that_do_not_fit_are_refused(options: Options, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        run(options)


class Told:
    """A listener that keeps the failures that it is told."""

    def __init__(self) -> None:
        self.tests: list[str] = []
        self.failures: list[tuple[str, str]] = []

    def began(self, tests: int) -> None:
        pass

    def failed(self, rule: str, verdict: Verdict, observation: str) -> None:
        self.failures.append((f"{verdict} {rule.removeprefix('toy.')}", observation))

    def ended(self, test: str, verdicts: Mapping[str, Verdict], seconds: float) -> None:
        self.tests.append(test)


def test_failures_are_told_when_they_are_seen_each_once(server: str) -> None:
    told = Told()
    run(Options(apis=("toy",), target="live", base_urls={"toy": server}), told)
    red = {f"{verdict} {rule}" for rule, verdict in EXPECTED.items() if verdict in {"fail", "error", "blocked"}}
    assert {failure for failure, _ in told.failures} == red
    assert len(told.failures) == len(red)
    assert ("fail outcome.broken-must", "here: expected this, got that") in told.failures


def test_what_blocks_many_rules_is_told_once() -> None:
    told = Told()
    run(Options(apis=("toy",), target="live", base_urls={"toy": "http://127.0.0.1:9"}), told)
    assert len(told.tests) > 1
    assert [failure for failure, _ in told.failures] == ["blocked outcome.held"]


def test_a_run_stops_at_the_first_failure_if_it_is_asked_to(server: str) -> None:
    results = judge(server, exit_first=True)
    assert results["verdict"] == "fails"
    assert results["remarks"][-1].startswith("The run was stopped at the first failure")
    seen = verdicts(results)
    assert seen["outcome.held"] == "pass"
    assert [rule for rule, verdict in seen.items() if verdict == "fail"] == ["outcome.broken-must"]
    assert seen["outcome.crashes"] == "untested"
    assert "interrupted" not in results


def test_processes_that_share_the_tests_stop_together(server: str) -> None:
    results = judge_with_workers(server, exit_first=True, workers=2)
    assert results["verdict"] in {"fails", "inconclusive"}
    assert results["remarks"][-1].startswith("The run was stopped at the first failure")
    assert "interrupted" not in results


def test_what_is_known_to_fail_stops_nothing(server: str, tmp_path: Path) -> None:
    entry = {"rule": "toy.outcome.broken-must", "reason": "It is known."}
    known = tmp_path / "known.yaml"
    known.write_text(json.dumps({"format": "conformance-baseline/1", "entries": [entry]}), encoding="utf-8")
    results = judge(server, exit_first=True, baseline=known)
    assert verdicts(results)["outcome.broken-must"] == "fail"
    assert verdicts(results)["outcome.broken-should"] == "warn"
    assert results["remarks"][-1].startswith("The run was stopped at the first failure")


def test_a_run_that_holds_is_not_stopped(server: str) -> None:
    results = judge(server, exit_first=True, rule=("toy.outcome.held",))
    assert (results["verdict"], results["remarks"]) == ("conforms", [])


def test_a_run_ends_when_its_time_is_over_and_says_what_it_did_not_judge() -> None:
    results = run(Options(apis=("offblocks",), target="sandbox", examples=1, time_limit=1))
    skipped = [rule for rule in results["rules"] if rule["verdict"] == "skipped"]
    asked = {exchange["id"].partition("#")[0] for exchange in results["exchanges"]}
    assert len(asked) < results["tests"] / 2
    assert skipped
    assert {rule["reason"] for rule in skipped} == {"This needs more time; --time-limit 1 ended the run."}
    assert not [rule["id"] for rule in results["rules"] if rule["verdict"] in {"fail", "error", "blocked"}]
