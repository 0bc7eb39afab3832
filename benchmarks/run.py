"""What the suite costs, as one JSON object: runs from a fresh process, and the rate of the sandbox.

Nothing but the standard library and the stopwatch is loaded here: a child's peak memory never reads lower than what its
parent held when it was started.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from conformance.clock import SystemClock, stopwatch

CONFORMANCE = [sys.executable, "-c", "from conformance.cli import main; main()"]
RATE = Path(__file__).with_name("sandbox_rate.py")
PROPERTIES = Path(__file__).with_name("properties.py")
NEEDED = {
    "replay": {"seconds_at_most": 8, "peak_rss_mb_at_most": 300},
    "sandbox": {"seconds_at_most": 90},
    "sandbox_rate": {"creations_per_second_at_least": 300, "p99_ms_below": 50},
}
_MEGABYTE = 1024**2 if sys.platform == "darwin" else 1024
"""What the system counts the peak in: bytes on macOS, kibibytes elsewhere (getrusage(2))."""


def measure_run(target: str, rule: str | None) -> dict[str, Any]:
    """Run ``conformance run`` in a fresh process, its reports included.

    Args:
        target: The target.
        rule: A pattern that the ids of the rules must match, None for all rules.

    Returns:
        The wall time (s), the peak of the resident memory (MB), the exit code, and how many rules have each verdict.

    Raises:
        SystemExit: If it wrote no results; the message is what it said instead.
    """
    with TemporaryDirectory() as folder:
        said, written = Path(folder, "said.txt"), Path(folder, "results.json")
        command = [*CONFORMANCE, "run", "--target", target, "--report", folder]
        if rule:
            command += ["--rule", rule]
        with said.open("wb") as stream:
            began = stopwatch()
            process = subprocess.Popen(command, stdout=stream, stderr=subprocess.STDOUT)  # noqa: S603  (the command above)
            _, status, usage = os.wait4(process.pid, 0)
            seconds = stopwatch() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if not written.exists():
            raise SystemExit(f"conformance run --target {target} wrote no results:\n{said.read_text(encoding='utf-8')}")
        results = json.loads(written.read_bytes())
    return {
        "seconds": round(seconds, 2),
        "peak_rss_mb": round(usage.ru_maxrss / _MEGABYTE),
        "exit_code": process.returncode,
        "tests": results["tests"],
        "verdicts": results["summary"],
        "needed": NEEDED[target],
    }


def measure_rate(customers: int) -> dict[str, Any]:
    """Create so many customers in a sandbox, both in processes of their own; see ``sandbox_rate.py``."""
    command = [sys.executable, str(RATE), "--customers", str(customers)]
    figures: dict[str, Any] = json.loads(subprocess.check_output(command))  # noqa: S603  (the command above)
    return {**figures, "needed": NEEDED["sandbox_rate"]}


def measure_properties(rule: str | None) -> dict[str, Any]:
    """Generate requests, and time the tests of each rule, in a process of its own; see ``properties.py``."""
    command = [sys.executable, str(PROPERTIES), *(["--rule", rule] if rule else [])]
    figures: dict[str, Any] = json.loads(subprocess.check_output(command))  # noqa: S603  (the command above)
    return figures


def main() -> None:
    """Measure, and print the figures as one JSON object."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rule", metavar="PATTERN", help="only rules whose id matches (default all)")
    parser.add_argument("--customers", type=int, default=3000, help="how many to create in the sandbox (default 3000)")
    options = parser.parse_args()
    figures = {
        "date": SystemClock().now().isoformat(timespec="seconds"),
        "machine": {"python": platform.python_version(), "system": platform.platform(), "cpus": os.cpu_count()},
        "replay": measure_run("replay", options.rule),
        "sandbox": measure_run("sandbox", options.rule),
        "properties": measure_properties(options.rule),
        "sandbox_rate": measure_rate(options.customers),
    }
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
