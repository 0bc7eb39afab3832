"""How long `conformance judge` takes for a file of traffic with both APIs.

The traffic is that of the suite's clients with a sandbox in this process: customers of OffBlocks that are created, read
and sign, and customers of Planbok that are created and initialized.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from conformance.clock import SystemClock, stopwatch
from conformance.exchange import Exchange
from conformance.ids import Ids
from conformance.judging.traffic import Judged
from conformance.offblocks.client import Client, Credentials
from conformance.offblocks.wallet import Wallet
from conformance.planbok.client import Client as PlanbokClient
from conformance.planbok.client import Credentials as PlanbokCredentials
from conformance.recording.har import to_har
from conformance.sandbox.deliveries import Pending
from conformance.sandbox.server import start
from conformance.sandbox.world import World

COMMAND = [sys.executable, "-c", "from conformance.cli import main; main()", "judge"]
LONGEST = 3.0
"""Seconds that a file of 2,000 exchanges may take."""
CREDENTIALS = "CONFORMANCE_OFFBLOCKS_"


class Keeper:
    """Keeps all that the worlds of a sandbox are asked."""

    def __init__(self) -> None:
        self.exchanges = list[Exchange]()

    def saw_request(self, world: World, judged: Judged) -> None:
        """Keep an exchange."""
        del world
        self.exchanges.append(judged.exchange)

    def saw_delivery(self, world: World, event: Pending) -> None:
        """Nothing."""

    def ends(self, world: World) -> None:
        """Nothing."""


def record(exchanges: int) -> tuple[dict[str, Any], dict[str, str]]:
    """Send at least so many requests, half of them to each API; gives the archive and the settings of the key."""
    keeper = Keeper()
    with start() as sandbox:
        sandbox.worlds.set_watch(keeper)
        world = sandbox.describe()
        own, other = (world["tenants"]["first"][name] for name in ("offblocks", "planbok"))
        with Client(world["base_urls"]["offblocks"], Credentials.from_settings(own), clock=SystemClock()) as client:
            while len(keeper.exchanges) < exchanges / 2:
                wallet = Wallet.derived(Ids(f"wallet {len(keeper.exchanges)}"), "eip155:300")
                customer = client.create_customer(wallet.account_id, f"user {len(keeper.exchanges)}")
                client.sign_challenge(customer.id, wallet, customer.challenge or "")
                client.customer(customer.id)
        with PlanbokClient(world["base_urls"]["planbok"], PlanbokCredentials.from_settings(other)) as client_of_planbok:
            while len(keeper.exchanges) < exchanges:
                made = client_of_planbok.create_customer("Anna", f"user {len(keeper.exchanges)}")
                client_of_planbok.initialize(made.id, redirect_url="https://our.app/return")
    return to_har(keeper.exchanges), {f"{CREDENTIALS}{name.upper()}": value for name, value in own.items()}


def measure(exchanges: int, repetitions: int) -> dict[str, Any]:
    """Judge a file of so many exchanges in a fresh process, the best of some times."""
    archive, settings = record(exchanges)
    with TemporaryDirectory() as folder:
        file = Path(folder, "traffic.har")
        file.write_text(json.dumps(archive), encoding="utf-8")
        environment = {**os.environ, **settings}
        taken, verdict = [], ""
        for _ in range(repetitions):
            began = stopwatch()
            done = subprocess.run(  # noqa: S603  (the command above)
                [*COMMAND, str(file)], capture_output=True, text=True, env=environment, check=False
            )
            taken.append(stopwatch() - began)
            verdict = done.stdout.strip().rpartition("\n")[2]
        return {
            "exchanges": len(archive["log"]["entries"]),
            "megabytes": round(file.stat().st_size / 1e6, 2),
            "seconds": round(min(taken), 2),
            "verdict": verdict,
            "needed": {"seconds_at_most_for_2000": LONGEST},
        }


def main() -> None:
    """Measure, and print the figures as JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--exchanges", type=int, default=2000, help="how many to judge (default 2000)")
    parser.add_argument("--repetitions", type=int, default=3, help="of how many times the best counts (default 3)")
    options = parser.parse_args()
    print(json.dumps(measure(options.exchanges, options.repetitions), indent=2))


if __name__ == "__main__":
    main()
