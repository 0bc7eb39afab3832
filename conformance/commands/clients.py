"""Judges a client that somebody runs against the sandbox: a line for each request, and a verdict at the end."""

import signal
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from conformance.api import registered
from conformance.commands.endings import stopped_by
from conformance.sandbox.introduction import introduction, signing_introduction
from conformance.sandbox.server import RunningSandbox, serve
from conformance.sandbox.watch import ClientWatch


def judge_until_stopped(
    port: int,
    host: str,
    changes: Sequence[str],
    seed: str,
    *,
    say: Callable[[str], None],
    beyond_loopback: bool,
    provoke: bool,
    strict: bool,
    allowed_hosts: Iterable[str] = (),
) -> dict[str, Any]:
    """Serve a sandbox until Ctrl-C or SIGTERM, and tell of each request and delivery.

    Args:
        port: The port to listen on; 0 for any that is free.
        host: The address to listen on.
        changes: The faults and variations of the default world.
        seed: The seed of the default world.
        say: Writes a line.
        beyond_loopback: Whether webhooks may go elsewhere than to this machine.
        provoke: Whether faults and variations that show how a client takes them come in turn, one for each customer.
        strict: Whether inferred rules count as their level says.
        allowed_hosts: The names besides those of loopback at which the control routes answer.

    Returns:
        What the clients broke, in the form of ``specs/schemas/results.json``.

    Raises:
        SandboxNotStartedError: If it cannot listen there.
        UnknownFaultError: If a fault or variation does not exist or cannot be used.
    """
    watch, apis = ClientWatch(say, provoke=provoke), list(registered().values())

    def introduce(running: RunningSandbox) -> None:
        watch.begin(running.worlds, running.origin)
        say(introduction(running, apis))
        say(signing_introduction(running, apis, Path(keys)))
        say("\nEach request is judged as it comes. Ctrl-C ends it with a summary; exit code 0: no rule broken that")
        say("must be kept, 1: one is, 3: nothing was judged.\n")

    with TemporaryDirectory(prefix="conformance-sandbox-") as keys, stopped_by(signal.SIGINT, signal.SIGTERM):
        serve(
            port,
            host,
            changes,
            seed,
            started=introduce,
            beyond_loopback=beyond_loopback,
            allowed_hosts=allowed_hosts,
        )
    return watch.results(strict=strict)
