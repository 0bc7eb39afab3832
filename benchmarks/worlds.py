"""What a world of its own costs a test, in milliseconds, as JSON."""

import argparse
import json

from conformance.clock import stopwatch
from conformance.sandbox.remote import Control, World
from conformance.sandbox.server import start


def main() -> None:
    """Make worlds and drop them, as the fixture ``conformance_world`` does, and print what one takes."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--worlds", type=int, default=300, help="how many to make (default 300)")
    options = parser.parse_args()
    taken = []
    with start() as sandbox:
        control = Control(sandbox.origin, sandbox.add_fault)
        for number in range(options.worlds):
            began = stopwatch()
            with World(control, f"world {number}"):
                pass
            taken.append((stopwatch() - began) * 1000)
        control.close()
    taken.sort()
    print(json.dumps({"worlds": options.worlds, "p50_ms": taken[len(taken) // 2], "mean_ms": sum(taken) / len(taken)}))


if __name__ == "__main__":
    main()
