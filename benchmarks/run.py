"""What the suite costs, as one JSON object: runs from a fresh process beside vcrpy alone, and the rate of the sandbox.

Nothing but the standard library and the stopwatch is loaded here: a child's peak memory never reads lower than what its
parent held when it was started.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import Any

from conformance.clock import SystemClock, stopwatch

CONFORMANCE = [sys.executable, "-c", "from conformance.cli import main; main()"]
RATE = Path(__file__).with_name("sandbox_rate.py")
PROPERTIES = Path(__file__).with_name("properties.py")
SHARES = Path(__file__).with_name("shares.py")
EXPLANATION = Path(__file__).with_name("explanation.py")
WORLDS = Path(__file__).with_name("worlds.py")
COMPARISON = Path(__file__).with_name("vcrpy_alone.py")
SHORT_COMMANDS = {
    "--help": ["--help"],
    "--version": ["--version"],
    "rules show": ["rules", "show", "offblocks.customer.created-with-201"],
}
"""The commands that answer at once, by what they are called."""
NEEDED = {
    "replay": {"times_the_comparison_at_most": 1.15, "peak_rss_mb_at_most": 120},
    "sandbox": {"seconds_at_most": 15, "cpu_seconds_at_most": 20},
    "short_commands": {"seconds_below": 0.3},
    "explanation": {"cpu_seconds_below": 0.5},
    "fresh_world": {"ms_below": 5},
    "sandbox_rate": {"creations_per_second_at_least": 300, "p99_ms_below": 50},
}
_MEGABYTE = 1024**2 if sys.platform == "darwin" else 1024
"""What the system counts the peak in: bytes on macOS, kibibytes elsewhere (getrusage(2))."""


@dataclass(frozen=True)
class Cost:
    """What a process cost, with those that it started.

    Args:
        seconds: How long it took.
        cpu_seconds: How long it kept a processor busy.
        peak_rss_mb: The peak of its resident memory, of the largest process if there are several.
        exit_code: How it ended.
        said: What it wrote.
    """

    seconds: float
    cpu_seconds: float
    peak_rss_mb: int
    exit_code: int
    said: str

    def figures(self) -> dict[str, float]:
        """What of it is printed."""
        return {
            "seconds": round(self.seconds, 2),
            "cpu_seconds": round(self.cpu_seconds, 2),
            "peak_rss_mb": self.peak_rss_mb,
        }


def cost(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Cost:
    """Run a command to its end.

    Args:
        command: The command.
        environment: What its environment has besides that of this process.
    """
    with TemporaryFile() as stream:
        began = stopwatch()
        process = subprocess.Popen(  # noqa: S603  (commands of this file)
            command, stdout=stream, stderr=subprocess.STDOUT, env={**os.environ, **(environment or {})}
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = stopwatch() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        stream.seek(0)
        said = stream.read().decode("utf-8", "replace")
    cpu_seconds = usage.ru_utime + usage.ru_stime
    return Cost(seconds, cpu_seconds, round(usage.ru_maxrss / _MEGABYTE), process.returncode, said)


def measure_run(target: str, rule: str | None) -> dict[str, Any]:
    """Run ``conformance run`` in a fresh process, its reports included.

    Args:
        target: The target.
        rule: A pattern that the ids of the rules must match, None for all rules.

    Returns:
        What it cost, the exit code, and how many rules have each verdict.

    Raises:
        SystemExit: If it wrote no results; the message is what it said instead.
    """
    with TemporaryDirectory() as folder:
        written = Path(folder, "results.json")
        command = [*CONFORMANCE, "run", "--target", target, "--report", folder]
        run = cost([*command, "--rule", rule] if rule else command)
        if not written.exists():
            raise SystemExit(f"conformance run --target {target} wrote no results:\n{run.said}")
        results = json.loads(written.read_bytes())
    return {
        **run.figures(),
        "exit_code": run.exit_code,
        "tests": results["tests"],
        "verdicts": results["summary"],
        "needed": NEEDED[target],
    }


def measure_comparison(cassettes: str | None) -> dict[str, Any]:
    """Send what was recorded with pytest and vcrpy alone; see ``vcrpy_alone.py``.

    Args:
        cassettes: What the path of a cassette must hold, None for all cassettes.

    Raises:
        SystemExit: If a request was not answered; the message is what pytest said.
    """
    alone = ("-c", os.devnull, f"--rootdir={COMPARISON.parent}", "-p", "no:cacheprovider", "-q")
    selected = ("-k", cassettes) if cassettes else ()
    command = [sys.executable, "-m", "pytest", *alone, *selected, str(COMPARISON)]
    run = cost(command, {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"})
    if run.exit_code:
        raise SystemExit(f"pytest with vcrpy alone fails:\n{run.said}")
    return run.figures()


def measure_replay(rule: str | None, cassettes: str | None, repetitions: int) -> dict[str, dict[str, Any]]:
    """A replay and what it is compared with, in turns; of each the repetition that kept a processor busy least.

    Args:
        rule: A pattern that the ids of the rules must match, None for all rules.
        cassettes: What the path of a cassette must hold to be sent by the comparison, None for all cassettes.
        repetitions: How often each is run.
    """
    pairs = [(measure_comparison(cassettes), measure_run("replay", rule)) for _ in range(repetitions)]
    comparison, replay = (min(each, key=lambda figures: figures["cpu_seconds"]) for each in zip(*pairs, strict=True))
    replay["times_the_comparison"] = {
        name: round(replay[name] / comparison[name], 2) for name in ("seconds", "cpu_seconds")
    }
    return {"comparison": comparison, "replay": replay}


def measure_short_commands() -> dict[str, Any]:
    """How many seconds each command takes that should answer at once; the best of three."""
    seconds = {
        name: round(min(cost([*CONFORMANCE, *arguments]).seconds for _ in range(3)), 2)
        for name, arguments in SHORT_COMMANDS.items()
    }
    return {"seconds": seconds, "needed": NEEDED["short_commands"]}


def printed(script: Path, *arguments: str) -> dict[str, Any]:
    """The figures that a script of this folder prints, run in a process of its own."""
    command = [sys.executable, str(script), *arguments]
    figures: dict[str, Any] = json.loads(subprocess.check_output(command))  # noqa: S603  (the command above)
    return figures


def main() -> None:
    """Measure, and print the figures as one JSON object."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rule", metavar="PATTERN", help="only rules whose id matches (default all)")
    parser.add_argument("--cassettes", metavar="TEXT", help="only send cassettes whose path holds this (default all)")
    parser.add_argument("--repetitions", type=int, default=3, help="how often to replay and to compare (default 3)")
    parser.add_argument("--worlds", type=int, default=300, help="how many worlds to make (default 300)")
    parser.add_argument("--customers", type=int, default=3000, help="how many to create in the sandbox (default 3000)")
    options = parser.parse_args()
    rule = ["--rule", options.rule] if options.rule else []
    figures = {
        "date": SystemClock().now().isoformat(timespec="seconds"),
        "machine": {"python": platform.python_version(), "system": platform.platform(), "cpus": os.cpu_count()},
        **measure_replay(options.rule, options.cassettes, options.repetitions),
        "shares": printed(SHARES, *rule),
        "sandbox": measure_run("sandbox", options.rule),
        "short_commands": measure_short_commands(),
        "explanation": {**printed(EXPLANATION), "needed": NEEDED["explanation"]},
        "fresh_world": {**printed(WORLDS, "--worlds", str(options.worlds)), "needed": NEEDED["fresh_world"]},
        "properties": printed(PROPERTIES, *rule),
        "sandbox_rate": {
            **printed(RATE, "--customers", str(options.customers)),
            "needed": NEEDED["sandbox_rate"],
        },
    }
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
