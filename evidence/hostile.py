"""Runs the commands against servers and files that mean harm, kills them, and looks for planted secrets.

Prints a line for each, writes all as JSON, and exits 1 if a command broke, took too much, left something half-written
or let a secret out. ``python -m tools.hostile.page`` writes docs/hostile.md from it.
"""

import argparse
import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from origin import origin  # type: ignore[import-not-found]  # it lies beside this script

from conformance.clock import SystemClock, stopwatch
from conformance.ids import Ids
from conformance.sandbox.server import RunningSandbox, start
from tools.hostile import files, harms, secrets
from tools.hostile.server import hostile
from tools.hostile.trial import Ended, run

FOLDER = Path(__file__).parent
FORMAT = "conformance-hostile/1"
MOST_MEGABYTES = 300
TIME_LIMIT = 45
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGKILL)


def settings_of(sandbox: RunningSandbox, api: str, origin_of_server: str) -> dict[str, str]:
    """What a user would set to judge an API at an origin that stands before a sandbox."""
    world, prefix = sandbox.describe(), f"CONFORMANCE_{api.upper()}_"
    found = {f"{prefix}BASE_URL": world["base_urls"][api].replace(sandbox.origin, origin_of_server)}
    for identity, infix in (("first", ""), ("second", "SECOND_")):
        for name, value in world["tenants"][identity][api].items():
            found[f"{prefix}{infix}{name.upper()}"] = value
    return found


def told(ended: Ended, cause: str, *, may_end_with: Sequence[int]) -> dict[str, Any]:
    """How a command ended, for the table; `right` says whether it ended as it may."""
    right = not ended.broke and ended.code in may_end_with and ended.megabytes <= MOST_MEGABYTES and bool(cause)
    return {
        "code": ended.code,
        "seconds": round(ended.seconds, 1),
        "cpu_seconds": round(ended.cpu_seconds, 1),
        "megabytes": ended.megabytes,
        "cause": re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1", cause)[:200],
        "right": right,
    }


def servers(pattern: str) -> Iterator[dict[str, Any]]:
    """What runs make of servers that mean harm."""
    with start() as sandbox:
        port = int(sandbox.origin.rpartition(":")[2])
        for shape in harms.shapes():
            if not re.search(pattern, f"{shape.kind}/{shape.name}"):
                continue
            with hostile(port, shape.harm, shape.chosen) as server, TemporaryDirectory() as place:
                rules = [word for rule in shape.rules for word in ("--rule", rule)]
                limits = ["--examples", "1", "--time-limit", str(TIME_LIMIT), "--workers", "1"]
                ended = run(
                    ["run", shape.api, "--target", "live", "--pin-agent", "http", "--report", "out", *limits, *rules],
                    Path(place),
                    settings_of(sandbox, shape.api, server),
                    most_seconds=shape.most_seconds,
                )
                try:
                    found = json.loads((Path(place) / "out" / "results.json").read_bytes())
                except (OSError, ValueError):
                    found = {"verdict": "none", "rules": [], "remarks": []}
            order = ["error", "fail", "warn", "blocked", "skipped", "note"]
            judged = [rule for rule in found["rules"] if rule["verdict"] in order and rule["reason"]]
            judged.sort(key=lambda rule: order.index(rule["verdict"]))
            cause = judged[0]["reason"] if judged else "nothing: it is judged as any other server"
            entry = told(ended, cause, may_end_with=(0, 1, 3))
            entry["right"] = entry["right"] and not any(rule["verdict"] == "error" for rule in judged)
            yield {"kind": shape.kind, "name": shape.name, "verdict": found["verdict"], **entry}


def read_files(pattern: str) -> Iterator[dict[str, Any]]:
    """What commands make of files that mean harm."""
    for shape in files.shapes():
        if not re.search(pattern, f"{shape.kind}/{shape.name}"):
            continue
        with TemporaryDirectory() as place:
            shape.make(Path(place))
            ended = run(shape.arguments, Path(place), {}, most_seconds=100)
            said = [line for line in ended.errors.splitlines() if line.startswith("Error:")]
        cause = said[-1].replace(str(place), "").removeprefix("Error: ") if said else ""
        yield {"kind": shape.kind, "name": shape.name, "verdict": "refused", **told(ended, cause, may_end_with=(2,))}


def kills(times: int) -> Iterator[dict[str, Any]]:
    """What is left of commands that are killed at random moments."""
    ids = Ids("kills")
    commands = {
        "run": ["run", "--workers", "1", "--report", "out", "--rule", "offblocks.c*"],
        "record": ["record", "offblocks", "--target", "sandbox", "--cassettes", "out", "--rule", "offblocks.c*"],
    }
    for number in range(times):
        name, arguments = list(commands.items())[ids.below(2)]
        how, after = _SIGNALS[ids.below(len(_SIGNALS))], 0.3 + ids.below(8000) / 1000

        def kill(process: subprocess.Popen[bytes], after: float = after, how: signal.Signals = how) -> None:
            SystemClock().advance(timedelta(seconds=after))
            process.send_signal(how)

        with TemporaryDirectory() as place:
            ended = run(arguments, Path(place), {}, most_seconds=100, meanwhile=kill)
            left = [path for path in Path(place).rglob("*") if path.is_file()]
            halves = [str(path.relative_to(place)) for path in left if not secrets.is_whole(path)]
        yield {
            "kind": name,
            "name": f"{number}: {how.name} after {after:.1f} s",
            "code": ended.code,
            "files": len(left),
            "half_written": halves,
            "right": not halves and (ended.code in (0, 3, 130, -how) or how is signal.SIGKILL),
        }


def planted() -> Iterator[dict[str, Any]]:
    """Where planted secrets stand after many command lines."""
    with start() as sandbox:
        port = int(sandbox.origin.rpartition(":")[2])
        for case in secrets.cases():
            with hostile(port, case.harm, case.chosen) as server, TemporaryDirectory() as place:
                settings = secrets.plant({**settings_of(sandbox, case.api, server)}, case.api)
                words = [each.replace("SERVER", server) for each in case.arguments]
                ended = run(words, Path(place), settings, most_seconds=100)
                (Path(place) / "output.txt").write_text(ended.said, encoding="utf-8", errors="surrogateescape")
                found = secrets.found(Path(place), settings)
            yield {
                "kind": "planted",
                "name": " ".join(case.arguments),
                "code": ended.code,
                "found": found,
                "right": not found and not ended.broke,
            }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print, write; 1 if something is not right, else 0.

    Args:
        arguments: The command line's, None for the process's own.
    """
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("pattern", nargs="?", default="", help="only the kinds and names that match this expression")
    parser.add_argument("--part", action="append", choices=["servers", "files", "kills", "planted"])
    parser.add_argument("--kills", type=int, default=50, help="how often something is killed (default 50)")
    parser.add_argument("--output", type=Path, default=FOLDER / "hostile.json", help="the file to write")
    options = parser.parse_args(arguments)
    made, began = origin(), stopwatch()
    parts: Mapping[str, Any] = {
        "servers": lambda: servers(options.pattern),
        "files": lambda: read_files(options.pattern),
        "kills": lambda: kills(options.kills),
        "planted": planted,
    }
    before = json.loads(options.output.read_bytes()) if options.part and options.output.exists() else {}
    written: dict[str, Any] = {**made, **before, "format": FORMAT}
    if before:
        written["renewed"] = {**before.get("renewed", {}), **dict.fromkeys(options.part, made)}
    wrong = 0
    for name in options.part or parts:
        written[name] = []
        for entry in parts[name]():
            written[name].append(entry)
            wrong += not entry["right"]
            shown = {key: value for key, value in entry.items() if key not in {"kind", "name", "right"}}
            print(f"{'' if entry['right'] else 'WRONG '}{entry['kind']}: {entry['name']}: {shown}", flush=True)
    written["seconds"] = round(before.get("seconds", 0) + stopwatch() - began, 1)
    options.output.write_text(json.dumps(written, indent=1) + "\n", encoding="utf-8")
    print(f"{wrong} are not right\nWritten to {options.output.name}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
