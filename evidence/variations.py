"""Runs the tests that generate their requests on the sandbox with each variation, and names what raises an alarm.

``conformance faults check`` runs the scenarios with them; the generated tests take too long for that. Prints a line for
each rule that is fail, warn, blocked or error with a variation and is not without it, writes the same as JSON, and
exits 1 if there is one.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

from origin import origin  # type: ignore[import-not-found]  # it lies beside this script

from conformance.api import Api, registered
from conformance.catalogue import Catalogue
from conformance.clock import stopwatch
from conformance.commands.rulebook import verified_rules
from conformance.matrix.judgement import judge
from conformance.matrix.observation import is_generated, observe
from conformance.matrix.session import Observation
from conformance.matrix.trials import trials
from conformance.matrix.workers import processes
from conformance.sandbox.faults import UnknownFaultError

FOLDER = Path(__file__).parent
FORMAT = "conformance-variations/1"


def generated(api: Api, name: str | None) -> Observation:
    """What the generated tests of an API find of its sandbox.

    Args:
        api: The API.
        name: The variation with which it runs; None for the sandbox as it is.
    """
    return observe(api, {name: [test for test in verified_rules(api) if is_generated(test)]})[name]


def measure(executor: Executor, patterns: Sequence[str] = ()) -> Iterator[dict[str, Any]]:
    """Run the generated tests with each variation.

    Args:
        executor: Where the work goes.
        patterns: Names of variations, or patterns in which ``*`` matches any text; empty for all.

    Yields:
        The API, the name, the alarms (ids of rules) and the seconds of each.

    Raises:
        UnknownFaultError: If a pattern matches nothing.
    """
    chosen = [trial for trial in trials(patterns) if trial.section == "variations"]
    apis = {name: registered()[name] for name in dict.fromkeys(trial.api for trial in chosen)}
    usual = {name: executor.submit(generated, api, None) for name, api in apis.items()}
    varied = [executor.submit(generated, apis[trial.api], trial.name) for trial in chosen]
    for trial, done in zip(chosen, varied, strict=True):
        found, right = done.result(), usual[trial.api].result()
        alarms = judge((), found.verdicts, right.verdicts, Catalogue.load(apis[trial.api].rules)).alarms
        yield {"api": trial.api, "name": trial.name, "alarms": list(alarms), "seconds": round(found.seconds, 1)}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print, write; 1 if a variation raises an alarm, else 0.

    Args:
        arguments: The command line's, None for the process's own.
    """
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", metavar="NAME", nargs="*", help="only these variations; * matches any text")
    parser.add_argument("--workers", type=int, default=2, help="how many processes share them (default 2)")
    parser.add_argument("--output", type=Path, default=FOLDER / "variations.json", help="the file to write")
    options = parser.parse_args(arguments)
    made, began, found = origin(), stopwatch(), []
    try:
        with processes(options.workers) as executor:
            for each in measure(executor, options.names):
                found.append(each)
                for rule in each["alarms"]:
                    print(f"alarm: {rule}, with {each['name']}", flush=True)
    except UnknownFaultError as error:
        parser.error(str(error))
    if not found:
        parser.error("None of these is a variation; list them with: conformance faults")
    alarming = sum(bool(each["alarms"]) for each in found)
    written = {
        "format": FORMAT,
        **made,
        "seconds": round(stopwatch() - began, 1),
        "variations": found,
    }
    options.output.write_text(json.dumps(written, indent=2) + "\n", encoding="utf-8")
    print(f"{alarming} of {len(found)} variations raise an alarm\nWritten to {options.output.name}")
    return 1 if alarming else 0


if __name__ == "__main__":
    sys.exit(main())
