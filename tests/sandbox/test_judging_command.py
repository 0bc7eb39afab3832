"""``conformance sandbox --judge`` and ``conformance sign`` as a user runs them."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner, Result

from conformance.cli import app
from conformance.clock import SystemClock
from conformance.ids import Ids
from conformance.offblocks.client import Client, Credentials
from conformance.offblocks.wallet import ChallengeRefused, Wallet
from conformance.planbok.client import Client as PlanbokClient
from conformance.planbok.client import Credentials as PlanbokCredentials

COMMAND = [sys.executable, "-c", "from conformance.cli import main; main()"]
WALLET = Wallet.derived(Ids("wallet"), "eip155:300")
DIGEST = "Content-Digest: sha-256=:RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=:"


@dataclass
class Judging:
    """A sandbox that judges, in a process of its own."""

    process: subprocess.Popen[str]
    introduction: str
    origin: str

    @property
    def world(self) -> Any:
        return httpx.get(f"{self.origin}/_sandbox", trust_env=False).json()

    def client(self) -> Client:
        credentials = Credentials.from_settings(self.world["tenants"]["first"]["offblocks"])
        return Client(self.world["base_urls"]["offblocks"], credentials, clock=SystemClock())

    def stop(self, number: int = signal.SIGINT) -> tuple[int, str]:
        """Stop it as Ctrl-C or another signal does; gives its exit code and what it wrote since its introduction."""
        self.process.send_signal(number)
        written, _ = self.process.communicate(timeout=60)
        return self.process.returncode, written


@pytest.fixture
def judge(tmp_path: Path) -> Iterator[Callable[..., Judging]]:
    started: list[subprocess.Popen[str]] = []

    def start(*options: str) -> Judging:
        command = [*COMMAND, "sandbox", "--port", "0", "--judge", *options]
        environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment, cwd=tmp_path
        )
        started.append(process)
        assert process.stdout is not None
        introduction = ""
        while "exit code 0" not in introduction:
            line = process.stdout.readline()
            assert line, introduction
            introduction += line
        found = re.search(r"serves at (\S+);", introduction)
        assert found is not None
        return Judging(process, introduction, found[1])

    yield start
    for process in started:
        process.kill()
        process.communicate()


def invoke(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def test_a_right_client_is_told_so_and_the_reports_are_written(judge: Callable[..., Judging], tmp_path: Path) -> None:
    judging = judge("--report", "reports")
    with judging.client() as client:
        customer = client.create_customer(WALLET.account_id, "user-1")
        client.sign_challenge(customer.id, WALLET, customer.challenge or "")
    code, written = judging.stop()
    assert code == 0, written
    assert "POST /offblocks/v1/customers 201\n" in written
    assert "breaks" not in written
    assert re.search(r"^CONFORMS: OffBlocks, the client of the sandbox at \S+, 3 requests: ", written, re.MULTILINE)
    results = json.loads((tmp_path / "reports" / "results.json").read_text())
    assert (results["target"], len(results["exchanges"])) == ("traffic", 3)
    assert {path.name for path in (tmp_path / "reports").iterdir()} == {"results.json", "report.html", "junit.xml"}


def test_a_wrong_client_is_told_what_it_breaks_at_once_and_with_the_source_at_the_end(
    judge: Callable[..., Judging],
) -> None:
    judging = judge()
    base_url = judging.world["base_urls"]["offblocks"]
    with judging.client() as client, httpx.Client(trust_env=False) as plain:
        plain.get(f"{base_url}/v1/customers?page=1", headers={"Authorization": client.authorization()})
    code, written = judging.stop(signal.SIGTERM)
    assert code == 1, written
    assert "GET /offblocks/v1/customers?page=1 401 There is no Signature-Input header" in written
    assert "    breaks offblocks.client.signs-requests: request headers Signature-Input and Signature: " in written
    assert "    advice: request query: No document has the query name 'page' for listCustomers" in written
    summary = written.partition("FAIL  1 rule")[2]
    for part in ("A client signs every authenticated request.", "answer", "source", "https://", "FAILS: OffBlocks"):
        assert part in summary


def test_where_nothing_was_sent_there_is_no_verdict(judge: Callable[..., Judging]) -> None:
    code, written = judge().stop()
    assert code == 3, written
    assert "INCONCLUSIVE: OffBlocks and Planbok" in written


def test_what_was_seen_before_a_reset_counts(judge: Callable[..., Judging]) -> None:
    judging = judge()
    base_url = judging.world["base_urls"]["offblocks"]
    with judging.client() as client, httpx.Client(trust_env=False) as plain:
        plain.get(f"{base_url}/v1/customers", headers={"Authorization": client.authorization()})
        plain.post(f"{judging.origin}/_sandbox/reset")
    with judging.client() as client:
        client.customers()
    code, written = judging.stop()
    assert code == 1, written
    assert ", 4 requests: 1 fail" in written


def test_the_commands_of_the_introduction_work_when_they_are_pasted(
    judge: Callable[..., Judging], tmp_path: Path
) -> None:
    for name in ("curl", "sh"):
        if shutil.which(name) is None:
            pytest.skip(f"{name} is not installed")
    judging = judge()
    pasted = judging.introduction.partition("A signed request to copy:\n\n")[2].partition("\n\n")[0]
    folder = tmp_path / "bin"
    folder.mkdir()
    script = folder / "conformance"
    script.write_text(f"#!/bin/sh\nexec {sys.executable} -c 'from conformance.cli import main; main()' \"$@\"\n")
    script.chmod(0o755)
    environment = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}
    done = subprocess.run(["sh", "-c", pasted], capture_output=True, text=True, env=environment, check=False)
    assert (done.returncode, done.stdout) == (0, "[]"), done.stderr
    assert "that is this sandbox's own choice" in judging.introduction
    for route in ("findings", "requests", "deliveries"):
        assert f"curl -sS {judging.origin}/_sandbox/{route} " in judging.introduction
    code, written = judging.stop()
    assert code == 0, written


def test_odd_servers_come_in_turn_one_for_each_customer(judge: Callable[..., Judging]) -> None:
    judging = judge("--provoke", "--strict")
    with judging.client() as client:
        for number in range(2):  # the second one is asked for by a stranger, which this client does not look at
            customer = client.create_customer(WALLET.account_id, f"user-{number}")
            client.sign_challenge(customer.id, WALLET, customer.challenge or "")
        another = client.create_customer(WALLET.account_id, "user-2")
        with pytest.raises(ChallengeRefused):
            client.sign_challenge(another.id, WALLET, another.challenge or "")
    code, written = judging.stop()
    first, second = written.index("now on: AsksForAnotherDomain"), written.index("now on: NamesAnotherAddress")
    assert first < written.index("breaks offblocks.client.signs-only-its-own-sign-in")
    assert first < second
    assert written.count("  breaks ") == 1
    assert code == 1, written


def test_each_webhook_is_told_with_what_its_receiver_did_wrong_and_when_it_is_tried_again(
    judge: Callable[..., Judging],
    answering: Callable[[Callable[[BaseHTTPRequestHandler], None]], AbstractContextManager[str]],
) -> None:
    statuses = [200, 503]

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(statuses.pop(0))
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    judging = judge("--fault", "SignsWithTheApiKey")
    own = PlanbokCredentials.from_settings(judging.world["tenants"]["first"]["planbok"])
    with answering(answer) as url, httpx.Client(trust_env=False) as plain:
        plain.put(f"{judging.origin}/_sandbox/webhook", json={"url": url})
        with PlanbokClient(judging.world["base_urls"]["planbok"], own, clock=SystemClock()) as client:
            for number in range(2):
                client.create_customer("Ada", f"user-{number}")
        plain.post(f"{judging.origin}/_sandbox/clock", json={"advance_seconds": 0})  # when all that was due is sent
        code, written = judging.stop()
    assert (
        f"webhook to {url} was answered 200 (try 1): received\n    breaks planbok.client.checks-webhook-sig" in written
    )
    assert f"webhook to {url} was answered 503 (try 1): waiting for another try at " in written
    assert code == 0, written  # the rule is inferred


@pytest.mark.parametrize("option", ["--provoke", "--strict", "--report=reports"])
def test_what_is_for_judging_is_refused_without_it(option: str) -> None:
    result = invoke("sandbox", option)
    assert result.exit_code == 2
    assert "are for --judge" in result.stderr


class TestSign:
    @pytest.fixture
    def key(self, judge: Callable[..., Judging], tmp_path: Path) -> Sequence[str]:
        own = judge().world["tenants"]["first"]["offblocks"]
        file = tmp_path / "key.pem"
        file.write_text(own["signing_key"])
        return ["--key", str(file), "--key-id", own["signing_key_id"]]

    def test_a_curl_command_line_is_printed_with_its_signature(self, key: Sequence[str]) -> None:
        shown = invoke("sign", *key, "curl", "-sS", "-X", "PUT", "http://127.0.0.1:1/v1/x?a=1", "-d", "{}")
        assert shown.exit_code == 0, shown.output
        lines = shown.stdout.splitlines()
        assert lines[0] == "curl -sS -X PUT 'http://127.0.0.1:1/v1/x?a=1' \\"
        assert any(line.strip().startswith(f"-H '{DIGEST}'") for line in lines)
        assert any('"@method" "@path" "@query"' in line for line in lines)
        assert lines[-1].strip() == "--data-raw '{}'"

    def test_a_command_line_may_be_one_word_and_a_body_a_file(self, key: Sequence[str], tmp_path: Path) -> None:
        body = tmp_path / "body.json"
        body.write_text("{}")
        shown = invoke("sign", *key, "--headers", f"curl http://127.0.0.1:1/ --json @{body}")
        assert shown.exit_code == 0, shown.output
        digest, declared, signature = shown.stdout.splitlines()
        assert digest == DIGEST
        assert declared.startswith("Signature-Input: sig=(")
        assert signature.startswith("Signature: sig=:")

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (["curl"], "There is no URL that begins with http:// or https://"),
            (["127.0.0.1/v1"], "There is no URL"),
            (["http://127.0.0.1/", "-H", "Accept"], "'Name: value'"),
            (["http://127.0.0.1/", "--form", "a=b"], "unrecognized arguments: --form"),
            (["http://127.0.0.1/", "-d", "@nowhere.json"], "The body nowhere.json cannot be read"),
            (["curl 'http://127.0.0.1/"], "The command line cannot be read"),
            (["--api", "planbok", "http://127.0.0.1/"], "Name an API that signs requests with --api: offblocks"),
        ],
    )
    def test_what_cannot_be_signed_is_exit_2(self, key: Sequence[str], words: list[str], said: str) -> None:
        result = invoke("sign", *key, *words)
        assert result.exit_code == 2
        assert said in result.stderr

    def test_a_wrong_key_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "key.pem").write_text("none")
        for key in (tmp_path / "key.pem", tmp_path / "nowhere.pem"):
            result = invoke("sign", "--key", str(key), "--key-id", "1", "http://127.0.0.1/")
            assert result.exit_code == 2
            assert "cannot be used" in result.stderr
