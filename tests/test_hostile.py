"""Servers and files that mean harm, killed commands, planted secrets: a few of those that evidence/hostile.py tries."""

import json
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from conformance.clock import SystemClock
from conformance.sandbox.remote import Control
from tools.hostile import files, harms, secrets
from tools.hostile.server import hostile
from tools.hostile.trial import run

CHECKOUT = Path(__file__).parents[1]
MOST_MEGABYTES = 300
SERVERS = {f"{shape.kind}, {shape.name}": shape for shape in harms.shapes()}
FILES = {f"{shape.kind}, {shape.name}": shape for shape in files.shapes()}
FEW_SERVERS = {
    "an endless body, in chunks": "longer than 1,048,576 bytes; CONFORMANCE_MAX_BODY=BYTES raises that limit",
    "a bomb, gzip in gzip": "longer than 1,048,576 bytes; CONFORMANCE_MAX_BODY=BYTES raises that limit",
    "a page that is long, without an end": "longer than 131,072 bytes; a page may have no more",
    "a redirectUrl that is none, with NUL": "no absolute URL of http or https: it holds the character U+0000",
    "a redirect that leads nowhere, to a name that is none": "it redirects to what is no URL",
}
FEW_FILES = {
    "a file that is nested, a cassette of brackets": "is not YAML: it is nested too deep, more than 100 levels",
    "no file, settings that are a pipe": ".env is a pipe, not a file.",
    "a cassette without sense, half an address": "the base_url 'http://[::1' is no URL",
}


def settings_of(control: Control, api: str, server: str) -> dict[str, str]:
    world, prefix = control.ask("GET", ""), f"CONFORMANCE_{api.upper()}_"
    found = {f"{prefix}BASE_URL": world["base_urls"][api].replace(control.origin, server)}
    for name, value in world["tenants"]["first"][api].items():
        found[f"{prefix}{name.upper()}"] = value
    return found


@pytest.fixture
def port(sandbox_elsewhere: Control) -> int:
    return int(sandbox_elsewhere.origin.rpartition(":")[2])


@pytest.mark.parametrize("kind", FEW_SERVERS)
def test_a_server_that_means_harm_is_told_with_the_cause(
    kind: str, port: int, sandbox_elsewhere: Control, tmp_path: Path
) -> None:
    shape = SERVERS[kind]
    with hostile(port, shape.harm, shape.chosen) as server:
        ended = run(
            ["run", shape.api, "--target", "live", "--pin-agent", "http", "--workers", "1", "--rule", shape.rules[-1]],
            tmp_path,
            settings_of(sandbox_elsewhere, shape.api, server),
            most_seconds=60,
        )
    assert (ended.code, ended.broke) == (3, False), ended.said
    assert FEW_SERVERS[kind] in ended.output
    assert ended.megabytes <= MOST_MEGABYTES


def test_content_that_comes_in_chunks_is_passed_on(port: int) -> None:
    parts = [b'{"seed": "in chunks", "clock": ', b'"2031-02-03T04:05:06Z"}']
    with hostile(port, next(iter(SERVERS.values())).harm, lambda _: False) as server:
        made = httpx.post(
            f"{server}/_sandbox/worlds", content=iter(parts), headers={"Content-Type": "application/json"}
        )
        after = httpx.get(f"{server}/_sandbox")
    assert (made.status_code, after.status_code) == (201, 200)
    assert made.json()["clock"].startswith("2031-02-03T04:05:06")


@pytest.mark.parametrize("kind", FEW_FILES)
def test_a_file_that_means_harm_is_told_with_the_cause(kind: str, tmp_path: Path) -> None:
    shape = FILES[kind]
    shape.make(tmp_path)
    ended = run(shape.arguments, tmp_path, {}, most_seconds=60)
    assert (ended.code, ended.broke) == (2, False), ended.said
    assert FEW_FILES[kind] in ended.errors
    assert ended.megabytes <= MOST_MEGABYTES


RECORDS = ["record", "offblocks", "--target", "sandbox", "--cassettes", "out", "--rule", "offblocks.customer.*"]


@pytest.mark.parametrize("after", [0.3, 0.7, 1.1, 1.5, 1.9])
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_what_is_killed_leaves_nothing_half_written(how: signal.Signals, after: float, tmp_path: Path) -> None:
    def kill(process: subprocess.Popen[bytes]) -> None:
        SystemClock().advance(timedelta(seconds=after))
        process.send_signal(how)

    ended = run(RECORDS, tmp_path, {}, most_seconds=60, meanwhile=kill)
    assert ended.code in {0, 130, -how}
    assert half_written(tmp_path) == []


def half_written(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and not secrets.is_whole(path)]


def test_two_recordings_at_once_leave_whole_cassettes_that_replay(tmp_path: Path) -> None:
    with ThreadPoolExecutor() as pool:
        recorded = [pool.submit(run, RECORDS, tmp_path, {}, most_seconds=60) for _ in range(2)]
    assert [each.result().code for each in recorded] == [0, 0]
    assert half_written(tmp_path) == []
    assert {path.suffix for path in (tmp_path / "out").rglob("*") if path.is_file()} == {".yaml"}
    replay = ["run", "offblocks", "--cassettes", "out", "--rule", "offblocks.customer.*"]
    assert run(replay, tmp_path, {}, most_seconds=60).code == 0


@pytest.mark.parametrize("how", ["as it is", "in base64", "after 290 characters"])
def test_no_planted_secret_gets_out(how: str, port: int, sandbox_elsewhere: Control, tmp_path: Path) -> None:
    with hostile(port, harms.ECHOES[how], lambda asked: asked.method == "POST") as server:
        settings = secrets.plant(settings_of(sandbox_elsewhere, "planbok", server), "planbok")
        arguments = ["run", "planbok", "--target", "live", "--report", "out", "--rule", "planbok.customer.has-pin"]
        ended = run(arguments, tmp_path, settings, most_seconds=60)
    (tmp_path / "output.txt").write_text(ended.said, encoding="utf-8")
    assert json.loads((tmp_path / "out" / "results.json").read_bytes())["rules"][0]["reason"]
    assert secrets.found(tmp_path, settings) == []


def test_the_scan_finds_what_is_there(tmp_path: Path) -> None:
    settings = secrets.plant({}, "planbok")
    for name, value in settings.items():
        (tmp_path / name).write_text(f"<{value[-14:-1].encode().hex()}>", encoding="utf-8")
    assert secrets.found(tmp_path, settings) == [
        f"/{name} holds the secret {name}, or a part of it" for name in sorted(settings)
    ]


def test_the_page_is_that_of_the_evidence() -> None:
    command = [sys.executable, "-m", "tools.hostile.page", "--check"]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
