"""``conformance webhooks check`` as a user runs it: what it prints and writes, and what it does not tell."""

import importlib.util
import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from types import ModuleType
from typing import Any

import jsonschema_rs
import pytest
from click.testing import CliRunner, Result

from conformance.cli import app
from conformance.files import data_path
from tests.receivers.conftest import SECRET, OffBlocksReceiver, PlanbokReceiver, Said, listening

EXAMPLES = Path(__file__).parents[2] / "examples" / "receivers"
NAMED = {
    "verifies-rewritten-json": {"JSON with blanks, turned", "JSON with escapes"},
    "lets-unsigned-through": {"no signature header", "neither signature nor timestamp"},
    "keeps-no-time": {"10 minutes old", "10 minutes in the future"},
    "counts-twice": {"the same event twice", "one event 8 times at once"},
    "refuses-unknown-kinds": {"an unknown kind"},
    "takes-small-bodies": {"body of 1 MiB"},
}
"""The cases that each mistake of the wrong example shows in."""


def example(name: str) -> ModuleType:
    specification = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


RIGHT, WRONG = example("right"), example("wrong")


@contextmanager
def serving(server: Any) -> Iterator[str]:
    with server:
        thread = Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECEIVER_SECRET", SECRET)


def run(*words: str, api: str = "planbok") -> Result:
    secret = ["--secret-env", "RECEIVER_SECRET"] if api == "planbok" else []
    return CliRunner().invoke(app, ["webhooks", "check", api, *secret, *words])


def marked(result: Result) -> set[str]:
    """The cases that the table marks as wrong, or notes."""
    return set(re.findall(r"^(.+?) +[24]xx .* (?:WRONG|note) *$", result.stdout, re.MULTILINE))


# ---------------------------------------------------------------------------------------------------- the two examples


def test_the_right_example_passes_all_and_the_reports_fit_their_schema(tmp_path: Path) -> None:
    with serving(RIGHT.Receiver(("127.0.0.1", 0), SECRET)) as url:
        result = run("--url", f"{url}/", "--probe-url", f"{url}/processed", "--report", str(tmp_path), "--strict")
    assert (result.exit_code, marked(result)) == (0, set()), result.output
    assert "CONFORMS: Planbok, the receiver at http://127.0.0.1:" in result.stdout
    text = (tmp_path / "results.json").read_text(encoding="utf-8")
    results, schema = json.loads(text), json.loads(data_path("specs/schemas/results.json").read_bytes())
    assert jsonschema_rs.validator_for(schema).is_valid(results)
    passed = {rule["id"].split(".")[2] for rule in results["rules"] if rule["verdict"] == "pass"}
    assert passed >= {"takes-events", "survives-duplicates", "survives-reordering", "checks-webhook-signature"}
    assert results["command"].startswith(f"conformance webhooks check planbok --url {url}/ --probe-url ")
    assert results["command"].endswith(" --secret-env RECEIVER_SECRET --strict")
    assert len(text) < 1_000_000
    assert SECRET not in text + result.output
    assert {path.name for path in tmp_path.iterdir()} == {"results.json", "report.html", "junit.xml"}


@pytest.mark.parametrize("mistake", NAMED)
def test_each_mistake_of_the_wrong_example_is_named(mistake: str) -> None:
    with serving(WRONG.Receiver(("127.0.0.1", 0), SECRET, {mistake})) as url:
        probe = ["--probe-url", f"{url}/processed"] if mistake == "counts-twice" else []
        result = run("--url", f"{url}/", *probe)
    assert marked(result) == NAMED[mistake]
    assert (" WRONG" in result.stdout) is (mistake != "takes-small-bodies")  # which nothing forbids
    assert all(len(line.rstrip()) <= 80 for line in result.stdout.partition("\n\n")[0].splitlines())


def test_all_mistakes_at_once_are_named() -> None:
    assert set(NAMED) == set(WRONG.MISTAKES)
    with serving(WRONG.Receiver(("127.0.0.1", 0), SECRET, set(WRONG.MISTAKES))) as url:
        result = run("--url", f"{url}/", "--probe-url", f"{url}/processed", "--strict")
    assert (result.exit_code, marked(result)) == (1, set().union(*NAMED.values())), result.output
    assert "8 processed, expected 1 at most. So it is when one comes after the other, too." in result.stdout


# ------------------------------------------------------------------------------------------------- what is inconclusive


class Always(PlanbokReceiver):
    def __init__(self, said: Said) -> None:
        super().__init__()
        self.said = said

    def __call__(self, headers: Mapping[str, str], body: bytes) -> Said:
        return self.said


PAGE = (("Content-Type", "text/html; charset=utf-8"),)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (Said(200, b"<form>Log in</form>", PAGE), "answers 200 with an HTML page, as of a login or of another program"),
        (Said(302, b"", (("Location", "https://login.example/?next=s3cret"),)), "302, a redirect to https://login.exa"),
        (Said(404), "answers 404, so that no receiver was judged. Is that its address?"),
        (Said(503), "answers 503: it asks for a later try."),
        (
            Said(401, b'{"message": "bad signature"}'),
            "refuses every right event with 401 (bad signature). Does it verify",
        ),
    ],
    ids=["a login page", "a redirect", "nothing there", "out of order", "another secret"],
)
def test_what_is_no_receiver_is_named_and_not_judged(said: Said, told: str) -> None:
    with listening(Always(said)) as url:
        result = run("--url", f"{url}/hook")
    assert result.exit_code == 3, result.output
    assert told in result.stdout
    assert "INCONCLUSIVE: Planbok" in result.stdout
    assert "s3cret" not in result.output
    assert marked(result) == set()


def test_a_dead_receiver_is_inconclusive_with_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    for probe in ([], ["--probe-url", f"http://127.0.0.1:{port}/processed"]):
        result = run("--url", f"http://127.0.0.1:{port}/", *probe)
        assert result.exit_code == 3, result.output
        assert "Connect" in result.stdout or "connect" in result.stdout
        assert "Does the receiver run" in result.stdout


def test_a_receiver_that_says_nothing_is_not_waited_for_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conformance.receivers.sending.PATIENCE", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        result = run("--url", f"http://127.0.0.1:{silent.getsockname()[1]}/")
    assert result.exit_code == 3
    assert "there was no answer: none came within 0.2 s. Does the receiver run, and listen there?" in result.stdout


class RefusesAllLater(PlanbokReceiver):
    """Bars who has sent a forged event."""

    barred = False

    def __call__(self, headers: Mapping[str, str], body: bytes) -> Said:
        said = Said(403) if self.barred else super().__call__(headers, body)
        self.barred = self.barred or said.status == 401
        return said


def test_who_is_barred_after_forged_events_judges_no_further() -> None:
    with listening(RefusesAllLater()) as url:
        result = run("--url", url)
    assert result.exit_code == 3, result.output
    assert "After the forged ones it refuses a right one too" in result.stdout


class TellsItsSecret(PlanbokReceiver):
    def take(self, kind: str, name: str, data: Any) -> Said:
        return Said(500, json.dumps({"message": f"secret {SECRET} failed"}).encode())


def test_a_secret_that_the_receiver_tells_is_not_told_on(tmp_path: Path) -> None:
    with listening(TellsItsSecret()) as url:
        result = run("--url", f"{url}/?token=t0k3n", "--report", str(tmp_path))
    written = "".join(path.read_text(encoding="utf-8") for path in tmp_path.iterdir())
    assert "failed" in result.output
    for secret in (SECRET, "t0k3n"):
        assert secret not in result.output + written


def test_the_programs_run_as_their_page_says() -> None:
    for name in ("right", "wrong"):
        command = [sys.executable, str(EXAMPLES / f"{name}.py"), "0"]
        environment = {**os.environ, "WEBHOOK_SECRET": SECRET}
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as program:
            assert program.stdout is not None
            said = program.stdout.readline()
            program.terminate()
        assert re.match(r"Receives at http://127\.0\.0\.1:\d+/, counts at /processed", said)
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / "wrong.py"), "0", "nosuch"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr.startswith("There is no mistake 'nosuch'.")) == (1, True)


# ------------------------------------------------------------------------------------------------------- wrong usage

Words = Callable[[str], list[str]]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["planbok", "--url", "http://127.0.0.1:9/"], "name with --secret-env the environment variable"),
        (["offblocks", "--url", "http://127.0.0.1:9/", "--secret-env", "RECEIVER_SECRET"], "Leave --secret-env out"),
        (["planbok", "--url", "http://127.0.0.1:9/", "--secret-env", "NO_SUCH"], "'NO_SUCH' is not set, or empty"),
        (["planbok", "--url", "http://127.0.0.1:9/", "--secret-env", "WITH_LINE_END"], "has a line end or another"),
        (["offblocks", "--url", "http://192.0.2.7/"], "192.0.2.7 is not this machine."),
        (["offblocks", "--url", "http://localhost:9/", "--probe-url", "http://a.example/"], "a.example is not this"),
        (["offblocks", "--url", "ftp://127.0.0.1/"], "it is no URL that begins with http:// or https://"),
        (["offblocks", "--url", "http://127.0.0.1:99999/"], "it is no URL that begins with http:// or https://"),
        (["offblocks", "--url", "http://me:pw@127.0.0.1/"], "it names a user before an @"),
        (["nosuch", "--url", "http://127.0.0.1:9/"], "There is no API called 'nosuch'"),
    ],
)
def test_wrong_usage_is_explained(words: list[str], told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WITH_LINE_END", f"{SECRET}\n")
    result = CliRunner().invoke(app, ["webhooks", "check", *words])
    assert result.exit_code == 2, result.output
    assert told in " ".join(result.stderr.split())
    assert SECRET not in result.output
    assert "pw" not in result.output


@pytest.mark.parametrize("said", [{"count": 1}, {"processed": "1"}, {"processed": -1}, {"processed": True}, [1]])
def test_a_probe_that_counts_nothing_is_explained(said: Any) -> None:
    receiver = OffBlocksReceiver()
    receiver.count = lambda: said  # type: ignore[method-assign]
    with listening(receiver) as url:
        result = run("--url", url, "--probe-url", f"{url}/?key=k", api="offblocks")
    assert result.exit_code == 2, result.output
    assert 'a JSON object, such as {"processed": 12}' in result.stderr
    assert "key=k" not in result.stderr
