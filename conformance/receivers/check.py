"""Checks a receiver of webhooks: sends it one case after the other, and judges what it answers."""

import asyncio
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from conformance import ConformanceError
from conformance.api import Api
from conformance.clock import SystemClock, stopwatch
from conformance.ids import Ids, fresh_seed
from conformance.judging.clients import client_results
from conformance.judging.traffic import Judged
from conformance.receivers.cases import CUSTOMERS, ENOUGH, Cases
from conformance.receivers.course import Course
from conformance.receivers.events import events_of
from conformance.receivers.probe import Probe
from conformance.receivers.receiving import Receiving
from conformance.receivers.rows import Row
from conformance.receivers.sending import Receiver, without_query


class NotCheckedError(ConformanceError, ValueError):
    """A receiver cannot be checked as it was asked; the message says what to give."""


@dataclass(frozen=True)
class Checked:
    """What a check found.

    Args:
        results: The results in the form of ``specs/schemas/results.json``.
        rows: What was sent and answered, case by case.
        stopped: Why the rest was not sent, in a sentence; empty if all was.
    """

    results: dict[str, Any]
    rows: Sequence[Row]
    stopped: str


def receiving_of(api: Api, *, has_secret: bool) -> Receiving:
    """What the receivers of an API's webhooks are checked with.

    Args:
        api: The API.
        has_secret: Whether a secret is there to sign with.

    Raises:
        NotCheckedError: If it sends none, or a secret is missing or one too many.
    """
    receiving: Receiving | None = api.receiving
    if receiving is None:
        raise NotCheckedError(f"{api.title} sends no webhooks whose receivers could be checked.")
    if receiving.scheme is not None and not has_secret:
        raise NotCheckedError(
            f"{api.title} signs its events: name with --secret-env the environment variable in which your receiver's "
            f"secret stands. {receiving.scheme}"
        )
    if receiving.scheme is None and has_secret:
        raise NotCheckedError(f"Leave --secret-env out for {api.title}. {receiving.unsigned}")
    return receiving


def check(
    api: Api, url: str, secret: str | None, probe_url: str | None, tls: ssl.SSLContext, command: str, *, strict: bool
) -> Checked:
    """Check a receiver.

    Args:
        api: The API whose events it receives.
        url: Where it listens.
        secret: The secret that it verifies with, None for an API that signs nothing.
        probe_url: Where it says how many events it has processed; None if it does not.
        tls: Whom to trust.
        command: The command that checks it again.
        strict: Whether inferred rules count as their level says.

    Raises:
        NotCheckedError: If the API sends no webhooks, or a secret is missing or one too many.
        ProbeError: If the probe does not say at first how many events were processed.
    """
    receiving = receiving_of(api, has_secret=secret is not None)
    return asyncio.run(_check(api, receiving, url, secret, probe_url, tls, command, strict=strict))


async def _check(
    api: Api,
    receiving: Receiving,
    url: str,
    secret: str | None,
    probe_url: str | None,
    tls: ssl.SSLContext,
    command: str,
    *,
    strict: bool,
) -> Checked:
    started, watch, seed = SystemClock().now(), stopwatch(), fresh_seed()
    cases = Cases(receiving, await events_of(api, receiving, seed, CUSTOMERS, ENOUGH), secret, Ids(seed, "forged"))
    probe = Probe(probe_url, tls) if probe_url else None
    receiver = Receiver(url, tls)
    course = Course(api, receiving, cases, receiver, probe, secret)
    try:
        await course.run()
    finally:
        await receiver.close()
        if probe is not None:
            await probe.close()
    results = client_results(
        [api],
        [Judged(exchange) for exchange in course.exchanges],
        [*course.findings, *course.unjudged()],
        subject=f"the receiver at {without_query(url)}",
        started=started,
        seconds=stopwatch() - watch,
        provoked_by={},
        strict=strict,
        remarks=[receiving.scheme or receiving.unsigned, *course.remarks()],
        command=command,
    )
    return Checked(results, course.rows, course.stopped)
