"""Rehearses what a live run meets: a slow server of a limited rate, lost connections, and another clock.

A reference sandbox in another process, its clock half a minute ahead, is reached through a proxy that takes 300 ms an
answer, answers 429 beyond ten requests a second, serves one request a connection, and closes one connection of a
hundred before it has read a request.
Each round must give the verdicts of ``--target sandbox``, but for what is skipped. Prints each rule that differs,
writes all as JSON, and exits 1 if there is one. ``--rule PATTERN``, ``--api NAME`` and ``--rounds N`` are for a shorter
try.
"""

import argparse
import http.client
import json
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

from origin import FOLDER, origin  # type: ignore[import-not-found]  # it lies beside this script

from conformance.clock import SystemClock, stopwatch
from conformance.ids import Ids
from conformance.sandbox.remote import Control

sys.path.insert(0, str(FOLDER.parent))  # the tests lie beside this folder

from tests.servers.command import free_port

FORMAT = "conformance-rehearsal/1"
APIS = ("offblocks", "planbok")
ALARMS = {"fail", "warn", "error", "blocked"}
PAUSE = timedelta(milliseconds=300)
RATE = 10
LOST_OF_A_HUNDRED = 1
SKEW = 30


@dataclass
class Weather:
    """What the proxy does to requests, drawn from a seed.

    Args:
        upstream: Host and port of the sandbox.
        seed: What decides which connections are lost.
    """

    upstream: str
    seed: int
    taken: deque[float] = field(default_factory=deque)
    lock: threading.Lock = field(default_factory=threading.Lock)
    counts: dict[str, int] = field(default_factory=lambda: {"answered": 0, "too many": 0, "lost": 0})

    def __post_init__(self) -> None:
        self.ids = Ids(f"rehearsal {self.seed}")

    def count(self, what: str) -> None:
        """Count what became of a request or a connection."""
        with self.lock:
            self.counts[what] += 1

    def loses(self) -> bool:
        """Whether the next connection is lost."""
        with self.lock:
            return self.ids.below(100) < LOST_OF_A_HUNDRED

    def is_too_much(self) -> bool:
        """Whether the next request is one too many in its second."""
        with self.lock:
            now = stopwatch()
            while self.taken and self.taken[0] <= now - 1:
                self.taken.popleft()
            if len(self.taken) >= RATE:
                return True
            self.taken.append(now)
            return False


class Connection(BaseHTTPRequestHandler):
    """One connection with the proxy."""

    weather: Weather
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def handle(self) -> None:
        """Answer its requests, unless it is lost."""
        if self.weather.loses():
            self.weather.count("lost")
            return
        super().handle()

    def handle_one_request(self) -> None:
        """Answer a request of any method."""
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        body = self.body()
        SystemClock().advance(PAUSE)
        if self.weather.is_too_much():
            self.weather.count("too many")
            self.reply(429, [("Retry-After", "1")], b"")
        else:
            self.weather.count("answered")
            self.forward(body)

    def body(self) -> bytes:
        """The body, which may come in chunks."""
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        read = b""
        while length := int(self.rfile.readline().partition(b";")[0], 16):
            read += self.rfile.read(length)
            self.rfile.readline()
        self.rfile.readline()
        return read

    def forward(self, body: bytes) -> None:
        """Have the sandbox answer."""
        onward = http.client.HTTPConnection(self.weather.upstream, timeout=60)
        onward.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() not in {"connection", "content-length", "transfer-encoding"}:
                onward.putheader(name, value)
        if body or self.command in {"POST", "PUT", "PATCH"}:
            onward.putheader("Content-Length", str(len(body)))
        onward.endheaders(body)
        answer = onward.getresponse()
        own = {"connection", "content-length", "transfer-encoding"}
        self.reply(answer.status, [line for line in answer.getheaders() if line[0].lower() not in own], answer.read())
        onward.close()

    def reply(self, status: int, headers: Sequence[tuple[str, str]], body: bytes) -> None:
        """Send an answer."""
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        if status != http.client.NO_CONTENT:
            self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def sandbox() -> Iterator[Control]:
    """A sandbox in another process, its clock ahead of this machine's."""
    port = free_port()
    command = [sys.executable, "-c", "from conformance.cli import main; main()", "sandbox", "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:  # noqa: S603
        control = Control(f"http://127.0.0.1:{port}")
        try:
            _await(port)
            control.ask("POST", "/clock", {"advance_seconds": SKEW})
            yield control
        finally:
            control.close()
            process.terminate()


def _await(port: int) -> None:
    for _ in range(600):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/_sandbox")
            connection.getresponse().read()
        except OSError:
            SystemClock().advance(PAUSE)
        else:
            return
        finally:
            connection.close()
    raise SystemExit("The sandbox did not start.")


@contextmanager
def proxy(weather: Weather) -> Iterator[str]:
    """The proxy, and its origin."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Own", (Connection,), {"weather": weather}))
    server.daemon_threads, server.block_on_close = True, False
    threading.Thread(target=server.serve_forever, args=[0.05], daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def settings(api: str, control: Control, through: str) -> dict[str, str]:
    """What a user would set."""
    world, start = control.ask("GET", ""), f"CONFORMANCE_{api.upper()}_"
    hook = f"http://127.0.0.1:{free_port()}/{api}"
    told = {f"{start}BASE_URL": f"{through}{urlsplit(world['base_urls'][api]).path}", f"{start}WEBHOOK_URL": hook}
    if api == "planbok":
        control.ask("PUT", "/webhook", {"url": hook})
    for identity, infix in (("first", ""), ("second", "SECOND_")):
        told |= {f"{start}{infix}{name.upper()}": text for name, text in world["tenants"][identity][api].items()}
    return told


def verdicts(api: str, options: Sequence[str], environment: Mapping[str, str]) -> dict[str, str]:
    """The verdict of each rule in a run."""
    with TemporaryDirectory() as place:
        command = [sys.executable, "-c", "from conformance.cli import main; main()", "run", api, "--report", "out"]
        subprocess.run(  # noqa: S603  (this suite)
            [*command, *options],
            cwd=place,
            env={"PATH": "", "PYTHONPATH": ":".join(sys.path), **environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )
        results = json.loads((Path(place) / "out" / "results.json").read_bytes())
    return {rule["id"]: rule["verdict"] for rule in results["rules"]}


def rehearse(api: str, options: Sequence[str], seed: int) -> tuple[dict[str, str], dict[str, Any]]:
    """The verdicts of a live run through the proxy, and what the proxy did."""
    with sandbox() as control:
        weather = Weather(urlsplit(control.origin).netloc, seed)
        began = stopwatch()
        with proxy(weather) as through:
            agent = ["--pin-agent", "http"] if api == "planbok" else []
            given = settings(api, control, through)
            found = verdicts(api, ["--target", "live", *agent, *options], given)
        return found, {"api": api, "seed": seed, "seconds": round(stopwatch() - began), **weather.counts}


def main() -> int:
    """Rehearse; 1 if a verdict differs or raises an alarm."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rule", action="append", default=[], metavar="PATTERN")
    parser.add_argument("--api", action="append", choices=APIS, default=[])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--workers", default="auto")
    parser.add_argument("--output", type=Path, default=FOLDER / "rehearsal.json")
    asked = parser.parse_args()
    made = origin()
    rules: set[str] = set()
    differences: dict[str, list[str]] = {}
    alarms: dict[str, list[str]] = {}
    rounds = []
    for api in asked.api or APIS:
        patterns = [each for each in asked.rule if each.startswith(f"{api}.")]
        if asked.rule and not patterns:
            continue
        options = ["--workers", asked.workers, "--examples", "1", "--seed", "rehearsal"]
        options += [word for each in patterns for word in ("--rule", each)]
        here = verdicts(api, ["--target", "sandbox", *options], {})
        for number in range(1, asked.rounds + 1):
            found, weather = rehearse(api, options, number)
            judged = {rule: verdict for rule, verdict in found.items() if verdict not in {"skipped", "untested"}}
            rules |= judged.keys()
            rounds.append({**weather, "judged": len(judged)})
            for rule, verdict in judged.items():
                if verdict != here[rule]:
                    differences.setdefault(rule, []).append(f"round {number}: {verdict}, not {here[rule]}")
                if verdict in ALARMS:
                    alarms.setdefault(rule, []).append(f"round {number}: {verdict}")
            print(rounds[-1], flush=True)
    written = {
        "format": FORMAT,
        **made,
        "patterns": asked.rule,
        "runs": len(rounds),
        "rules": sorted(rules),
        "differences": differences,
        "alarms": alarms,
        "rounds": rounds,
    }
    asked.output.write_text(json.dumps(written, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    for rule, seen in {**differences, **alarms}.items():
        print(f"{rule}: {'; '.join(seen)}")
    return 1 if differences or alarms or not rules else 0


if __name__ == "__main__":
    sys.exit(main())
