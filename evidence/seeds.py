"""Runs the scenarios on the sandbox many times, a different seed each, and compares the verdict of every rule.

With ``--rule``, all tests of those rules instead, those that generate their requests among them.
Prints how many rules have which verdict, what differs and what raises an alarm, writes the same as JSON, and exits 1 if
anything does.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from origin import origin  # type: ignore[import-not-found]  # it lies beside this script

import conformance
from conformance.api import registered
from conformance.clock import stopwatch
from conformance.commands.rulebook import verified_rules
from conformance.matrix.observation import is_generated
from conformance.run import Options, run
from conformance.verdicts import Verdict

FOLDER = Path(__file__).parent
FORMAT = "conformance-seeds/1"
ALARMS = {Verdict.FAIL.value, Verdict.ERROR.value, Verdict.WARN.value, Verdict.BLOCKED.value}
"""What no rule may be in a sandbox as it is."""

Verdicts = Mapping[str, str]
"""The verdict of each rule, by the rule's id."""


def scenarios() -> tuple[str, ...]:
    """The ids of the tests that generate nothing."""
    tests = (test for api in registered().values() for test in verified_rules(api))
    return tuple(test for test in tests if not is_generated(test))


def verdicts_with(seed: str, rules: tuple[str, ...]) -> Verdicts:
    """Run the suites on the sandbox.

    Args:
        seed: What ids come from.
        rules: Patterns, one of which the id of a rule must match; empty for the scenarios of all rules.
    """
    results = run(Options(target="sandbox", seed=seed, rule=rules, tests=() if rules else scenarios()))
    return {each["id"]: each["verdict"] for each in results["rules"]}


def seen(runs: Mapping[str, Verdicts]) -> dict[str, dict[str, list[str]]]:
    """The seeds that gave each verdict, by rule.

    Args:
        runs: The verdicts of each run, by its seed.
    """
    found: dict[str, dict[str, list[str]]] = {}
    for rule in dict.fromkeys(rule for verdicts in runs.values() for rule in verdicts):
        for seed, verdicts in runs.items():
            found.setdefault(rule, {}).setdefault(verdicts.get(rule, "absent"), []).append(seed)
    return found


def differences(runs: Mapping[str, Verdicts]) -> dict[str, dict[str, list[str]]]:
    """The rules whose verdict is not the same in all runs, as in `seen`."""
    return {rule: verdicts for rule, verdicts in seen(runs).items() if len(verdicts) > 1}


def evidence(made: Mapping[str, Any], runs: Mapping[str, Verdicts], seconds: float) -> dict[str, Any]:
    """What is written down of so many runs.

    Args:
        made: When and of which commit they were made.
        runs: The verdicts of each run, by its seed; at least one.
        seconds: How long they took together.
    """
    counts = [Counter(verdicts.values()) for verdicts in runs.values()]
    return {
        "format": FORMAT,
        **made,
        "suite": conformance.__version__,
        "target": "sandbox",
        "runs": len(runs),
        "seeds": list(runs),
        "seconds": round(seconds, 1),
        "verdicts": {verdict.value: sorted({count[verdict.value] for count in counts}) for verdict in Verdict},
        "rules": dict(next(iter(runs.values()))),
        "alarms": {rule: verdicts for rule, verdicts in seen(runs).items() if ALARMS & set(verdicts)},
        "differences": differences(runs),
    }


def table(found: Mapping[str, Any]) -> str:
    """The evidence as text: a line for each verdict, then one for each difference."""
    lines = [f"{found['runs']} runs of --target sandbox at {found['commit'][:12]}, {found['seconds']} s", ""]
    lines += [
        f"{verdict:<10}{' or '.join(map(str, numbers)):>8} rules"
        for verdict, numbers in found["verdicts"].items()
        if numbers != [0]
    ]
    lines.append("")
    for rule, seeds in found["differences"].items():
        lines.append(f"{rule}: " + "; ".join(f"{verdict} with {', '.join(given)}" for verdict, given in seeds.items()))
    lines += [f"alarm: {rule} is {' or '.join(verdicts)}" for rule, verdicts in found["alarms"].items()]
    return "\n".join([*lines, f"{len(found['differences'])} rules differ, {len(found['alarms'])} raise an alarm"])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print, write; 1 if a verdict differs between runs or raises an alarm, else 0.

    Args:
        arguments: The command line's, None for the process's own.
    """
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", type=int, default=400, help="how many, each with a seed of its own (default 400)")
    parser.add_argument("--workers", type=int, default=2, help="how many processes share them (default 2)")
    parser.add_argument(
        "--rule", metavar="PATTERN", action="append", default=[], help="all tests of the rules whose id matches"
    )
    parser.add_argument("--output", type=Path, default=FOLDER / "seeds.json", help="the file to write")
    options = parser.parse_args(arguments)
    seeds = [str(number) for number in range(1, options.runs + 1)]
    made, began = origin(), stopwatch()
    with ProcessPoolExecutor(options.workers, mp_context=get_context("spawn")) as pool:
        runs = dict(zip(seeds, pool.map(verdicts_with, seeds, [tuple(options.rule)] * len(seeds)), strict=True))
    found = evidence(made, runs, stopwatch() - began)
    options.output.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    print(f"{table(found)}\nWritten to {options.output.name}")
    return 1 if found["differences"] or found["alarms"] else 0


if __name__ == "__main__":
    sys.exit(main())
