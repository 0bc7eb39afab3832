"""How many signed and verified customer creations the sandbox carries out a second, for one load process.

The sandbox serves from a process of its own. This one drives it with the suite's client over keep-alive connections;
each request is digested and signed when it is sent, and that counts: a latency begins before the signing and ends when
the customer has been read.
"""

import argparse
import json
import math
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx

from conformance.clock import stopwatch
from conformance.offblocks.client import Client, Credentials

ACCOUNT = "eip155:300:0x22227A31dd842196A246d8f3b775998560eAa61d"
COMMAND = [sys.executable, "-c", "from conformance.cli import main; main()", "sandbox", "--port", "0"]
LONGEST = 60
"""Seconds after which a measurement ends, however many customers are left to create."""


@contextmanager
def sandbox() -> Iterator[str]:
    """The origin of a sandbox that serves from another process while the context lasts.

    Raises:
        RuntimeError: If it does not start.
    """
    process = subprocess.Popen(COMMAND, stdout=subprocess.PIPE, text=True)  # noqa: S603  (the command above)
    try:
        stdout = process.stdout
        line = stdout.readline() if stdout else ""
        origin = next((word.rstrip(";") for word in line.split() if word.startswith("http://")), None)
        if stdout is None or origin is None:
            raise RuntimeError(f"The sandbox did not say where it serves, but {line!r}.")
        threading.Thread(target=stdout.read, daemon=True).start()
        yield origin
    finally:
        process.terminate()
        process.wait()


def create(client: Client, name: str, count: int) -> list[float]:
    """Create up to `count` customers one after the other.

    Args:
        client: What creates them.
        name: What their external ids begin with.
        count: How many.

    Returns:
        The seconds that each took.
    """
    latencies: list[float] = []
    began = stopwatch()
    for number in range(count):
        started = stopwatch()
        if started - began > LONGEST:
            break
        client.create_customer(ACCOUNT, f"{name}-{number}")
        latencies.append(stopwatch() - started)
    return latencies


def measure(customers: int, connections: int) -> dict[str, Any]:
    """Create customers in a new sandbox.

    Args:
        customers: How many, over all connections.
        connections: How many connections create at once.

    Returns:
        What was done, the creations a second, and the 50th and 99th percentile of the latency (ms).
    """
    share = math.ceil(customers / connections)
    with sandbox() as origin, ThreadPoolExecutor(connections) as pool:
        world = httpx.get(f"{origin}/_sandbox", trust_env=False).raise_for_status().json()
        credentials = Credentials.from_settings(world["tenants"]["first"]["offblocks"])
        clients = [Client(world["base_urls"]["offblocks"], credentials) for _ in range(connections)]
        for client in clients:
            client.customers()
        began = stopwatch()
        futures = [pool.submit(create, client, str(number), share) for number, client in enumerate(clients)]
        latencies = sorted(latency for future in futures for latency in future.result())
        seconds = stopwatch() - began
    return {
        "customers": len(latencies),
        "connections": connections,
        "signed": "when sent, by the suite's client in the load process",
        "seconds": round(seconds, 2),
        "creations_per_second": round(len(latencies) / seconds),
        "p50_ms": _percentile(latencies, 50),
        "p99_ms": _percentile(latencies, 99),
    }


def _percentile(ordered: list[float], percent: int) -> float:
    return round(ordered[math.ceil(len(ordered) * percent / 100) - 1] * 1000, 2)


def main() -> None:
    """Measure, and print the figures as JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--customers", type=int, default=3000, help="how many to create (default 3000)")
    parser.add_argument("--connections", type=int, default=2, help="how many connections create at once (default 2)")
    options = parser.parse_args()
    print(json.dumps(measure(options.customers, options.connections), indent=2))


if __name__ == "__main__":
    main()
