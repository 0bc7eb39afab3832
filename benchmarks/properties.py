"""How many generated requests a second the suites send to a sandbox, and how long the tests of each rule take.

The sandbox serves from a thread of this process. A test counts for each rule that it judges, so that the times of the
rules add up to more than the run took.
"""

import argparse
import json
from collections.abc import Mapping
from typing import Any

from conformance.api import Api, registered
from conformance.clock import stopwatch
from conformance.generation.drawing import drafts
from conformance.ids import Ids
from conformance.options import EXAMPLES
from conformance.run import Options, run
from conformance.verdicts import Verdict

SEED = "0"


class Watch:
    """The listener that adds up what tests take."""

    def __init__(self) -> None:
        self.tests: dict[str, float] = {}
        self.by_rule: dict[str, float] = {}

    def began(self, tests: int) -> None:
        """Nothing."""

    def failed(self, rule: str, verdict: Verdict, observation: str) -> None:
        """Nothing."""

    def ended(self, test: str, verdicts: Mapping[str, Verdict], seconds: float) -> None:
        """A test ended: its time counts for each of its rules."""
        self.tests[test] = seconds
        for rule in verdicts:
            self.by_rule[rule] = self.by_rule.get(rule, 0.0) + seconds


def cases(api: Api, operation: str, test: str, examples: int) -> int:
    """How many requests a test drew; drawing them again in the process that ran it costs nothing."""
    seed = Ids(SEED, test).child("seed").below(2**64)
    computed = api.data_pool.computed if api.data_pool else ()
    return len(drafts(api.specification, operation, seed=seed, examples=examples, without=computed))


def measure(rule: str | None, examples: int) -> dict[str, Any]:
    """Run the suites on the sandbox.

    Args:
        rule: A pattern that the ids of the rules must match, None for all rules.
        examples: How many requests are drawn of each operation, phase and mode.

    Returns:
        The wall time of the run (s), how many generated requests its tests sent in which time (s), those a second, None
        if no test sent any, and the time of the tests of each rule (s), the longest first.
    """
    watch, began = Watch(), stopwatch()
    run(Options(target="sandbox", seed=SEED, rule=(rule,) if rule else (), examples=examples), watch)
    took = stopwatch() - began
    sent, seconds = 0, 0.0
    for test, took_test in watch.tests.items():
        api, topic, name = test.split("/")
        if topic == "properties":
            sent += cases(registered()[api], name.partition(".")[2], test, examples)
            seconds += took_test
    longest_first = sorted(watch.by_rule.items(), key=lambda entry: -entry[1])
    return {
        "seconds": round(took, 2),
        "cases": sent,
        "seconds_of_cases": round(seconds, 2),
        "cases_per_second": round(sent / seconds, 1) if seconds else None,
        "seconds_by_rule": {rule: round(each, 3) for rule, each in longest_first},
    }


def main() -> None:
    """Measure, and print the figures as one JSON object."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rule", metavar="PATTERN", help="only rules whose id matches (default all)")
    parser.add_argument("--examples", type=int, default=EXAMPLES, help="how many of each operation, phase and mode")
    options = parser.parse_args()
    print(json.dumps(measure(options.rule, options.examples), indent=2))


if __name__ == "__main__":
    main()
